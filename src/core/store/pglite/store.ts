import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Kysely, PGliteDialect, sql } from 'kysely';
import { INVALIDATION_CHANNEL, invalidationMessage, Listeners, readInvalidation } from '../invalidations.ts';
import type { OpenStoreOptions, Store } from '../port.ts';
import type { Database } from '../schema.ts';
import { PgliteClient } from './client.ts';
import { lockDirectory } from './lock.ts';
import { Maintenance } from './maintenance.ts';
import { plantSeed } from './seed.ts';

/** The embedded engine has one user and one schema. */
const SCHEMA = 'public';
const MAINTENANCE_INTERVAL_MS = 60_000;

/** The store on the embedded database. Use `openStore`, which also migrates. */
export async function openPgliteStore({ dataDir, log }: OpenStoreOptions): Promise<Store> {
  const root = resolve(dataDir);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const lock = lockDirectory(root, log);
  const listeners = new Listeners();
  let client: PgliteClient;
  try {
    const directory = join(root, 'pgdata');
    await plantSeed(directory);
    client = await PgliteClient.start(directory, (message) => {
      const invalidation = readInvalidation(message, SCHEMA);
      if (invalidation !== undefined) listeners.tell(invalidation);
    });
  } catch (error) {
    lock.release();
    throw error;
  }
  const db = new Kysely<Database>({ dialect: new PGliteDialect({ pglite: client }) });
  const maintenance = new Maintenance();
  let closing: Promise<void> | undefined;
  let maintaining = false;
  const timer = setInterval(async () => {
    // A round takes its turn at every statement, so under load it may last longer than the time between two.
    if (maintaining) return;
    maintaining = true;
    try {
      const done = await maintenance.run(db);
      if (done.analyzed.length > 0 || done.vacuumed.length > 0 || done.checkpoint)
        log.debug(done, 'database maintenance');
    } catch (error) {
      if (closing === undefined) log.warn({ error: String(error) }, 'database maintenance failed');
    } finally {
      maintaining = false;
    }
  }, MAINTENANCE_INTERVAL_MS);
  timer.unref();
  return {
    engine: 'pglite',
    db,
    async ping() {
      await sql`select 1`.execute(db);
    },
    close() {
      closing ??= (async () => {
        clearInterval(timer);
        try {
          await client.close();
        } finally {
          lock.release();
        }
      })();
      return closing;
    },
    listenInvalidations: (listener) => listeners.add(listener),
    async publishInvalidation(kind, id) {
      await sql`select pg_notify(${INVALIDATION_CHANNEL}, ${invalidationMessage(SCHEMA, kind, id)})`.execute(db);
    },
  };
}

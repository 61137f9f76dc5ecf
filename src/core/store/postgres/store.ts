import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { PolyadError } from '../../errors/index.ts';
import { INVALIDATION_CHANNEL, invalidationMessage, Listeners, readInvalidation } from '../invalidations.ts';
import type { OpenStoreOptions, Store } from '../port.ts';
import type { Database } from '../schema.ts';
import { Listener } from './listener.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** The store on a Postgres server. Use `openStore`, which also migrates. */
export async function openPostgresStore({ log, poolSize = 10 }: OpenStoreOptions, databaseUrl: string): Promise<Store> {
  const config = {
    connectionString: databaseUrl,
    application_name: 'polyad',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  };
  const listeners = new Listeners();
  let schema = '';
  const hear = (message: pg.Notification) => {
    const invalidation = readInvalidation(message.payload ?? '', schema);
    if (invalidation !== undefined) listeners.tell(invalidation);
  };
  let closing: Promise<void> | undefined;
  let pool: pg.Pool;
  try {
    pool = new pg.Pool({
      ...config,
      max: poolSize,
      // Every connection listens, because the server tells a session of its own change before it answers the commit:
      // so the process that writes has forgotten its cached row by the time the write resolves.
      onConnect: async (client) => {
        // The pool hears errors of idle connections only; one that breaks while in use would end the process.
        client.on('error', (error) => log.warn({ error: error.message }, 'a database connection was lost'));
        const { processID } = client as pg.ClientBase & { processID?: number };
        client.on('notification', (message) => {
          // Writes of others come by the listener below, once.
          if (processID === undefined || message.processId === processID) hear(message);
        });
        await client.query(`listen ${INVALIDATION_CHANNEL}`);
      },
    });
  } catch (cause) {
    throw unreachable(databaseUrl, cause);
  }
  // The client's own handler has said so already; without a listener here too the process would end.
  pool.on('error', () => {});
  const db = new Kysely<Database>({
    dialect: new PostgresDialect({
      pool: {
        options: pool.options,
        Client: pg.Client,
        end: () => pool.end(),
        // A server that is away has one name for every caller, not the network's many.
        connect: () =>
          pool.connect().catch((cause) => {
            throw closing === undefined ? unreachable(databaseUrl, cause) : closed(cause);
          }),
      },
    }),
  });
  // The pool may have no connection open while nothing is asked, so one connection does nothing but listen.
  const listener = new Listener({
    connect: () => new pg.Client(config),
    onNotification: hear,
    onLost: () => listeners.tell({ event: 'lost' }),
    onRestored: () => listeners.tell({ event: 'restored' }),
    log,
  });
  try {
    const current = await sql<{ name: string | null }>`select current_schema() as name`.execute(db);
    schema = current.rows[0]?.name ?? '';
    await listener.start();
  } catch (cause) {
    await listener.stop();
    await pool.end();
    throw cause instanceof PolyadError ? cause : unreachable(databaseUrl, cause);
  }
  return {
    engine: 'postgres',
    db,
    async ping() {
      if (closing !== undefined) throw closed();
      try {
        await sql`select 1`.execute(db);
      } catch (cause) {
        throw cause instanceof PolyadError ? cause : unreachable(databaseUrl, cause);
      }
    },
    close() {
      closing ??= (async () => {
        await listener.stop();
        await db.destroy();
      })();
      return closing;
    },
    listenInvalidations: (cb) => listeners.add(cb),
    async publishInvalidation(kind, id) {
      await sql`select pg_notify(${INVALIDATION_CHANNEL}, ${invalidationMessage(schema, kind, id)})`.execute(db);
    },
  };
}

function closed(cause?: unknown): PolyadError {
  return new PolyadError('store_unavailable', { message: 'The database is closed.', cause });
}

/** Says where the database was looked for, without the user's name and password. */
function unreachable(databaseUrl: string, cause: unknown): PolyadError {
  let where = 'the address in DATABASE_URL';
  try {
    const url = new URL(databaseUrl);
    where = `${url.host}${url.pathname}`;
  } catch {
    // The URL itself is unreadable; the sentence then names the variable alone.
  }
  const reason = cause instanceof Error ? `: ${(cause as NodeJS.ErrnoException).code ?? cause.name}` : '';
  return new PolyadError('store_unavailable', {
    message: `Postgres at ${where} is not reachable${reason}.`,
    details: { where },
    cause,
  });
}

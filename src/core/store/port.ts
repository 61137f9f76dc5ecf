import type { Kysely } from 'kysely';
import { migrate } from './migrations/migrate.ts';
import type { Database } from './schema.ts';

/** The few log methods the store needs; a pino logger fits. */
export interface StoreLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Whether lines of a level are written at all; absent = they may be. For lines whose facts take time to gather. */
  isLevelEnabled?(level: string): boolean;
}

/**
 * News for holders of cached rows.
 *
 * `changed`: the row `id` of `kind` was inserted, updated or deleted and the change is committed.
 * `lost`: changes may go unheard from now on, so cached rows must not be used.
 * `restored`: changes are heard again; forget everything cached, then cache again.
 */
export type Invalidation =
  | { event: 'changed'; kind: InvalidationKind; id: string }
  | { event: 'lost' }
  | { event: 'restored' };

/** The four row kinds that announce themselves by trigger, and any other name that publishers agree on. */
export type InvalidationKind = 'workspace' | 'api_key' | 'integration' | 'connection' | (string & {});

/** The one way to the database, whichever engine it is. */
export interface Store {
  readonly engine: 'pglite' | 'postgres';
  readonly db: Kysely<Database>;
  /** One round trip; rejects with `store_unavailable` when the database does not answer. */
  ping(): Promise<void>;
  /** Finishes what was begun, closes connections, gives up the lock of the directory. Safe to call twice. */
  close(): Promise<void>;
  /**
   * Calls `listener` for every invalidation, from this process and from others; answers how to stop it. Writes to
   * workspaces, API keys, integrations and connections announce themselves (database triggers, so nothing can forget
   * to), and a process hears of its own write before that write's promise resolves.
   */
  listenInvalidations(listener: (invalidation: Invalidation) => void): () => void;
  /** Announces a change of something that has no trigger, to all processes. */
  publishInvalidation(kind: InvalidationKind, id: string): Promise<void>;
}

export interface OpenStoreOptions {
  /** Postgres connection URL; without it the embedded database in `dataDir` is used. */
  databaseUrl?: string | undefined;
  /** Directory of the embedded database, its lock file and the master key. Made if missing (mode 0700). */
  dataDir: string;
  log: StoreLog;
  /** Most connections to Postgres at a time, the listener not counted. Default 10. */
  poolSize?: number | undefined;
}

/**
 * Opens the store and brings its tables up to date.
 *
 * @throws PolyadError `store_directory_in_use` (embedded: another live process holds the directory),
 *   `store_version_ahead` (a newer polyad wrote this database), `store_migration_changed` (a migration was edited after
 *   it had run), `store_unavailable` (Postgres does not answer, or the embedded engine does not start).
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const store =
    options.databaseUrl === undefined || options.databaseUrl === ''
      ? await (await import('./pglite/store.ts')).openPgliteStore(options)
      : await (await import('./postgres/store.ts')).openPostgresStore(options, options.databaseUrl);
  try {
    const applied = await migrate(store.db);
    if (applied.length > 0) options.log.info({ migrations: applied }, 'database migrated');
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

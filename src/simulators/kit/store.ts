import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { StoreLog } from './append-log.ts';
import { parseExact, stringifyExact } from './exact-json.ts';
import type { AppendLog, Collection, SimulatorStore } from './types.ts';

type Row = { id: string };
type Indexes<T> = Record<string, (row: T) => string | undefined>;

/** Older changes than this many are forgotten, so `asOf` cannot reach behind them. */
const JOURNAL_LENGTH = 25_000;

/** The persistent side of a store: one table, one line per row, written through on every change. */
class Disk {
  readonly database: DatabaseSync;
  private readonly upsert: StatementSync;
  private readonly remove: StatementSync;
  private readonly load: StatementSync;

  constructor(dataDir: string) {
    mkdirSync(dataDir, { recursive: true });
    this.database = new DatabaseSync(join(dataDir, 'simulator.sqlite'));
    this.open(dataDir);
    // The conflict clause keeps `seq`, and with it the insertion order, when a row is replaced.
    this.upsert = this.database.prepare(
      'INSERT INTO rows (collection, id, data) VALUES (?, ?, ?) ON CONFLICT (collection, id) DO UPDATE SET data = excluded.data',
    );
    this.remove = this.database.prepare('DELETE FROM rows WHERE collection = ? AND id = ?');
    this.load = this.database.prepare('SELECT data FROM rows WHERE collection = ? ORDER BY seq');
  }

  /** @throws Error naming the folder if another process has it open: each would overwrite what the other holds in memory. */
  private open(dataDir: string): void {
    try {
      // WAL with synchronous=NORMAL: a written row is in the operating system's hands when the statement returns, so
      // the death of the process loses nothing; only a power cut may lose the last rows, and never the file. The
      // exclusive lock ends with the process, however it ends.
      this.database.exec(`
        PRAGMA busy_timeout = 500;
        PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = NORMAL;
        CREATE TABLE IF NOT EXISTS rows (
          seq INTEGER PRIMARY KEY,
          collection TEXT NOT NULL,
          id TEXT NOT NULL,
          data TEXT NOT NULL,
          UNIQUE (collection, id)
        );
        CREATE TABLE IF NOT EXISTS entries (seq INTEGER PRIMARY KEY, log TEXT NOT NULL, data TEXT NOT NULL);
        BEGIN IMMEDIATE;
        COMMIT;
      `);
    } catch (error) {
      this.database.close();
      if (!/locked|busy/i.test(String(error))) throw error;
      throw new Error(`the simulator state in ${dataDir} is in use by another process`, { cause: error });
    }
  }

  put(collection: string, row: Row): void {
    this.upsert.run(collection, row.id, stringifyExact(row));
  }

  putAll(collection: string, rows: readonly Row[]): void {
    this.transaction(() => {
      for (const row of rows) this.put(collection, row);
    });
  }

  delete(collection: string, id: string): void {
    this.remove.run(collection, id);
  }

  *read(collection: string): Generator<Row> {
    for (const line of this.load.iterate(collection)) yield parseExact(String(line['data'])) as Row;
  }

  clear(): void {
    this.database.exec('DELETE FROM rows; DELETE FROM entries;');
  }

  close(): void {
    this.database.close();
  }

  private transaction(work: () => void): void {
    this.database.exec('BEGIN');
    try {
      work();
      this.database.exec('COMMIT');
    } catch (error) {
      this.database.exec('ROLLBACK');
      throw error;
    }
  }
}

/** One key of one index: its rows by id, and their list, made anew only after a change. */
class Bucket<T extends Row> {
  readonly rows = new Map<string, T>();
  list: readonly T[] | undefined;
  /** A row moved in from another key: it may be older than rows already here. */
  unordered = false;
}

class MemoryCollection<T extends Row> implements Collection<T> {
  /** Counts changes; a cache keyed by it is never stale. */
  version = 0;
  private readonly rows = new Map<string, T>();
  private readonly order = new Map<string, number>();
  private readonly buckets = new Map<string, Map<string, Bucket<T>>>();
  private readonly indexes: Indexes<T>;
  private readonly written: (rows: readonly T[], before: readonly (T | undefined)[]) => void;
  private readonly removed: (row: T) => void;
  private next = 0;

  constructor(
    indexes: Indexes<T>,
    rows: Iterable<T>,
    written: (rows: readonly T[], before: readonly (T | undefined)[]) => void,
    removed: (row: T) => void,
  ) {
    this.indexes = indexes;
    this.written = written;
    this.removed = removed;
    for (const name of Object.keys(indexes)) this.buckets.set(name, new Map());
    for (const row of rows) this.set(row);
  }

  get size(): number {
    return this.rows.size;
  }

  get(id: string): T | undefined {
    return this.rows.get(id);
  }

  put(row: T): void {
    this.putAll([row]);
  }

  putAll(rows: readonly T[]): void {
    if (rows.length === 0) return;
    // Disk first: a row that could not be written must not be seen.
    this.written(
      rows,
      rows.map((row) => this.rows.get(row.id)),
    );
    for (const row of rows) this.set(row);
    this.version++;
  }

  delete(id: string): void {
    const row = this.rows.get(id);
    if (!row) return;
    this.removed(row);
    this.unset(row);
    this.version++;
  }

  values(): IterableIterator<T> {
    return this.rows.values();
  }

  by(index: string, key: string): readonly T[] {
    const buckets = this.buckets.get(index);
    if (!buckets) throw new Error(`no index ${index}`);
    const bucket = buckets.get(key);
    if (!bucket) return [];
    if (!bucket.list) {
      const list = [...bucket.rows.values()];
      if (bucket.unordered) list.sort((a, b) => this.order.get(a.id)! - this.order.get(b.id)!);
      bucket.list = list;
    }
    return bucket.list;
  }

  /** Drops all rows from memory without telling the disk. */
  forget(): void {
    this.rows.clear();
    this.order.clear();
    for (const buckets of this.buckets.values()) buckets.clear();
    this.version++;
  }

  private set(row: T): void {
    const before = this.rows.get(row.id);
    this.rows.set(row.id, row);
    if (!before) this.order.set(row.id, this.next++);
    for (const [name, keyOf] of Object.entries(this.indexes)) {
      const buckets = this.buckets.get(name)!;
      const key = keyOf(row);
      const oldKey = before && keyOf(before);
      if (before && oldKey !== undefined && oldKey !== key) this.take(buckets, oldKey, row.id);
      if (key === undefined) continue;
      let bucket = buckets.get(key);
      if (!bucket) {
        bucket = new Bucket<T>();
        buckets.set(key, bucket);
      }
      if (before && oldKey !== key) bucket.unordered = true;
      bucket.rows.set(row.id, row);
      bucket.list = undefined;
    }
  }

  private unset(row: T): void {
    this.rows.delete(row.id);
    this.order.delete(row.id);
    for (const [name, keyOf] of Object.entries(this.indexes)) {
      const key = keyOf(row);
      if (key !== undefined) this.take(this.buckets.get(name)!, key, row.id);
    }
  }

  private take(buckets: Map<string, Bucket<T>>, key: string, id: string): void {
    const bucket = buckets.get(key);
    if (!bucket) return;
    bucket.rows.delete(id);
    bucket.list = undefined;
    if (bucket.rows.size === 0) buckets.delete(key);
  }
}

/** One change, kept for a while so that an earlier state can be shown. */
interface Change {
  at: number;
  collection: string;
  id: string;
  /** The row before the change; undefined if there was none. */
  before: Row | undefined;
}

const refuse = () => {
  throw new Error('an earlier state is read-only');
};

/** Where the store's rows live and which time its journal is kept in. */
export interface StoreOptions {
  /** Folder of `simulator.sqlite`; memory only if absent. */
  dataDir?: string;
  /** Time of the journal behind `asOf`, epoch milliseconds; the virtual clock's. Machine time if absent. */
  now?: () => number;
}

/**
 * The state of a simulator: collections in memory, written through to SQLite when there is a `dataDir`.
 * A row is on disk when `put` returns, so `kill -9` loses nothing that was acknowledged.
 */
export class KitStore implements SimulatorStore {
  private readonly disk: Disk | undefined;
  private readonly now: () => number;
  private readonly collections = new Map<string, MemoryCollection<Row>>();
  private readonly indexesOf = new Map<string, Indexes<Row>>();
  private readonly logs = new Map<string, StoreLog>();
  private journal: Change[] = [];
  private writes = 0;

  constructor(options: StoreOptions = {}) {
    this.disk = options.dataDir === undefined ? undefined : new Disk(options.dataDir);
    this.now = options.now ?? Date.now;
  }

  get version(): number {
    return this.writes;
  }

  collection<T extends Row>(name: string, indexes: Indexes<T> = {}): Collection<T> {
    const known = this.collections.get(name);
    if (known) return known as unknown as Collection<T>;
    const made = new MemoryCollection<Row>(
      indexes as unknown as Indexes<Row>,
      this.disk?.read(name) ?? [],
      (rows, before) => {
        if (rows.length === 1) this.disk?.put(name, rows[0]!);
        else this.disk?.putAll(name, rows);
        rows.forEach((row, i) => {
          this.remember(name, row.id, before[i]);
        });
        this.writes++;
      },
      (row) => {
        this.disk?.delete(name, row.id);
        this.remember(name, row.id, row);
        this.writes++;
      },
    );
    this.collections.set(name, made);
    this.indexesOf.set(name, indexes as unknown as Indexes<Row>);
    return made as unknown as Collection<T>;
  }

  log<T = unknown>(name: string): AppendLog<T> {
    let log = this.logs.get(name);
    if (!log) {
      log = new StoreLog(name, this.disk?.database);
      this.logs.set(name, log);
    }
    return log as unknown as AppendLog<T>;
  }

  /**
   * The store as it was at `at` (epoch milliseconds on the store's clock), read-only: what a client sees that is
   * answered by a replica that lags. Reaches back over the last 25,000 changes of this process.
   */
  asOf(at: number): SimulatorStore {
    const undone = new Map<string, Map<string, Row | undefined>>();
    for (let i = this.journal.length - 1; i >= 0; i--) {
      const change = this.journal[i]!;
      // A clock that was set back leaves later stamps before earlier ones, so the whole journal is looked at.
      if (change.at <= at) continue;
      let rows = undone.get(change.collection);
      if (!rows) {
        rows = new Map();
        undone.set(change.collection, rows);
      }
      rows.set(change.id, change.before);
    }
    const views = new Map<string, Collection<Row>>();
    const view = (name: string, indexes: Indexes<Row>): Collection<Row> => {
      const made = views.get(name);
      if (made) return made;
      const present = this.collection<Row>(name, indexes);
      const old = undone.get(name);
      const rows: Row[] = [];
      for (const row of present.values()) {
        const before = old?.has(row.id) ? old.get(row.id) : row;
        if (before) rows.push(before);
      }
      for (const [id, row] of old ?? []) if (row && !present.get(id)) rows.push(row);
      const earlier = new MemoryCollection<Row>(this.indexesOf.get(name) ?? indexes, rows, refuse, refuse);
      earlier.version = -at;
      views.set(name, earlier);
      return earlier;
    };
    return {
      // Never the version of a present state: a cache keyed by it must not mix the two.
      version: -at,
      collection: <T extends Row>(name: string, indexes: Indexes<T> = {}) =>
        view(name, indexes as unknown as Indexes<Row>) as unknown as Collection<T>,
      log: <T = unknown>(name: string) => this.log<T>(name),
      clear: refuse,
      close: () => {},
    };
  }

  clear(): void {
    this.disk?.clear();
    for (const collection of this.collections.values()) collection.forget();
    for (const log of this.logs.values()) log.forget();
    this.journal = [];
    this.writes++;
  }

  close(): void {
    this.disk?.close();
  }

  private remember(collection: string, id: string, before: Row | undefined): void {
    this.journal.push({ at: this.now(), collection, id, before });
    if (this.journal.length > 2 * JOURNAL_LENGTH) this.journal = this.journal.slice(-JOURNAL_LENGTH);
  }
}

/** Opens (or makes) the store of one simulator. */
export function openStore(options: StoreOptions = {}): KitStore {
  return new KitStore(options);
}

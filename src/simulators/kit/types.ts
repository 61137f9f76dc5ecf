/**
 * The simulator kit's ports. Every simulator is written against these; none of it is shared with a platform module.
 */

/** A clock that tests and people can move. Production traffic never reads it. */
export interface VirtualClock {
  /** Current virtual time. */
  now(): Date;
  /** Jump forward (ms > 0) or back. Everything that depends on time (reviews, expiry, quotas) sees it at once. */
  advance(ms: number): void;
  /** Set the absolute virtual time; time goes on from there. */
  set(at: Date): void;
  /** Stop (`true`) or restart (`false`) the flow of time; a frozen clock moves by `advance` and `set` alone. */
  freeze(frozen: boolean): void;
  /** Back to the machine's time. */
  reset(): void;
}

/** One kind of record, held in memory and written through to disk, so that `kill -9` loses nothing acknowledged. */
export interface Collection<T extends { id: string }> {
  get(id: string): T | undefined;
  /** Insert or replace. The caller never mutates a row it has read: it puts a new one. */
  put(row: T): void;
  /** The same for many rows in one transaction. */
  putAll(rows: readonly T[]): void;
  delete(id: string): void;
  values(): IterableIterator<T>;
  /** Rows whose declared index `index` has the value `key`, in insertion order. */
  by(index: string, key: string): readonly T[];
  readonly size: number;
  /** Grows with every change of this collection: the key of caches made from it. */
  readonly version: number;
}

/**
 * Entries that are only ever added, for what comes by the million: the reader folds them into whatever it needs, the log
 * keeps none in memory.
 */
export interface AppendLog<T = unknown> {
  /** The entry is on disk when it returns, if the store is on disk at all. */
  append(entry: T): void;
  /** What is on disk, oldest first; nothing for a store in memory. */
  read(): Iterable<T>;
  /** Forgets all entries. */
  clear(): void;
  /** Grows whenever entries were forgotten: what was folded from them is void. */
  readonly generation: number;
}

/** The state of one simulator. */
export interface SimulatorStore {
  /** The collection `name`; asking twice gives the same one. `indexes` maps an index name to its key function. */
  collection<T extends { id: string }>(
    name: string,
    indexes?: Record<string, (row: T) => string | undefined>,
  ): Collection<T>;
  /** The log `name`; asking twice gives the same one. Earlier states (`asOf`) show the present log, which they share. */
  log<T = unknown>(name: string): AppendLog<T>;
  /** Grows with every change of any collection. */
  readonly version: number;
  /** Forget everything (`polyad simulator reset`). */
  clear(): void;
  close(): void;
}

/** What a fault switch does to the requests it matches. See `faults.ts` for the meaning of each kind. */
export type FaultKind =
  | 'latency' // answer after `ms`
  | 'rate_limited' // the platform's own "too many requests" answer
  | 'server_error' // the platform's own 5xx or error envelope
  | 'html_gateway' // a 502 with an HTML page, as a gateway in front of the platform sends
  | 'drop_before' // close the connection before the request is carried out
  | 'drop_after' // carry the request out, then close the connection: a lost answer
  | 'truncate' // send half of the answer's bytes, then close
  | 'revoked' // answer as if the grant had been withdrawn
  | 'stale_reads'; // GETs answer with the state of `ms` ago

export interface Fault {
  id: string;
  kind: FaultKind;
  /** Substring of the path it applies to; all paths if absent. */
  path?: string;
  method?: string;
  /** Probability 0..1, default 1; drawn from the simulator's seeded generator, so a run can be repeated. */
  rate?: number;
  /** How many requests it hits before it removes itself; unlimited if absent. */
  times?: number;
  ms?: number;
}

/** One request as the simulator saw it. Secrets are replaced by a short digest, so that runs can be compared. */
export interface LoggedRequest {
  seq: number;
  at: string;
  method: string;
  path: string;
  query: Record<string, unknown>;
  /** Parsed JSON body or the names and sizes of multipart parts. */
  body: unknown;
  /** First characters of SHA-256 of the token, or null. */
  token: string | null;
  status: number;
  /** The platform's own code in the answer, if it has one. */
  code: string | number | null;
  durationMs: number;
  fault?: FaultKind;
}

/** A simulator that is listening. */
export interface RunningSimulator {
  id: string;
  /** Base URL that stands for the platform's production host. */
  url: string;
  /** Base URL of the control API. */
  controlUrl: string;
  /** What the ready line prints under `simulators.<id>` besides the URLs: a test app and account made at the start. */
  ready: Record<string, unknown>;
  clock: VirtualClock;
  close(): Promise<void>;
}

export interface SimulatorOptions {
  /** 0 = any free port. */
  port: number;
  host?: string;
  /** Folder for this simulator's state; memory only if absent. */
  dataDir?: string;
  log?: (line: string) => void;
}

/** The one export of `src/simulators/<id>/index.ts`. */
export interface Simulator {
  id: string;
  name: string;
  start(options: SimulatorOptions): Promise<RunningSimulator>;
}

/**
 * What was called at platforms: how often each operation, with which outcome, and how much in which minute. Calls are
 * counted in memory and added to the database every ten seconds, so a call pays for an increment. A process that is
 * killed loses what it counted since the last time: these numbers are evidence of use, not of money.
 */
import { breathe } from '../breathe.ts';
import type { Clock } from '../clock.ts';
import type { StoreLog } from '../store/port.ts';
import { addPlatformCalls, type CountedCalls } from '../store/repositories/usage.ts';
import type { ConnectionRow, Db } from '../store/schema.ts';

const FLUSH_INTERVAL_MS = 10_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Most counters in memory while the database is away; further new ones are not counted. */
const MOST = 50_000;
/** Most names of operations of one workspace on one day: more than platforms have. Others are counted together. */
const MOST_NAMES = 500;
const OTHER = '(other)';
/** Counters that are written together: thousands at once would hold up the calls. */
const BATCH = 250;
/** Pass-through can name anything; what is no operation's name is counted together. */
const OPERATION = /^[a-z0-9_/.{}-]{1,120}$/i;

type Subject = Pick<ConnectionRow, 'workspace_id' | 'integration_type' | 'environment'>;

type Counter = Omit<CountedCalls, 'workspace_id'>;

/** Counts calls as they end. */
export interface UsageSink {
  /** `outcome`: code of the error; undefined = done. */
  note(connection: Subject, operation: string, outcome: string | undefined): void;
}

export class PlatformUsage implements UsageSink {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: StoreLog;
  /** By workspace, since they were gathered last: a call costs a look and an increment, and no text is made for it. */
  #counted = new Map<string, Counter[]>();
  #counters = 0;
  /** Names seen today, by workspace. */
  readonly #names = new Map<string, Set<string>>();
  #day = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: { db: Db; clock: Clock; log: StoreLog }) {
    this.#db = parts.db;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  note({ workspace_id, integration_type, environment }: Subject, operation: string, outcome: string | undefined): void {
    if (this.#closed) return;
    const now = this.#clock.now().getTime();
    const name = this.#nameOf(workspace_id, operation, now);
    this.#count(workspace_id, integration_type, environment, name, outcome ?? '', now - (now % MINUTE_MS), 1);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.flush();
    }, FLUSH_INTERVAL_MS).unref();
  }

  /** The name that an operation is counted under: as many as a caller makes up would be rows and memory without end. */
  #nameOf(workspace: string, operation: string, now: number): string {
    const day = now - (now % DAY_MS);
    if (day !== this.#day) {
      this.#day = day;
      this.#names.clear();
    }
    let names = this.#names.get(workspace);
    if (names === undefined) {
      names = new Set();
      this.#names.set(workspace, names);
    }
    if (names.has(operation)) return operation;
    if (names.size >= MOST_NAMES || !OPERATION.test(operation)) return OTHER;
    names.add(operation);
    return operation;
  }

  /** Writes what was counted so far. Never rejects: what cannot be written is kept for the next time. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.flush();
  }

  #count(
    workspace: string,
    type: string,
    environment: string,
    operation: string,
    outcome: string,
    minute: number,
    calls: number,
  ): void {
    let list = this.#counted.get(workspace);
    if (list === undefined) {
      list = [];
      this.#counted.set(workspace, list);
    }
    const counter = list.find(
      (one) =>
        one.operation === operation &&
        one.outcome === outcome &&
        one.minute === minute &&
        one.environment === environment &&
        one.integration_type === type,
    );
    if (counter !== undefined) counter.calls += calls;
    else if (this.#counters < MOST) {
      this.#counters += 1;
      list.push({ integration_type: type, environment, operation, outcome, minute, calls });
    }
  }

  async #write(): Promise<void> {
    const counted = this.#counted;
    this.#counted = new Map();
    this.#counters = 0;
    let failure: unknown;
    let batch: CountedCalls[] = [];
    const flush = async (): Promise<void> => {
      const rows = batch;
      batch = [];
      if (rows.length === 0) return;
      if (failure === undefined)
        try {
          return await addPlatformCalls(this.#db, rows);
        } catch (error) {
          failure = error;
        }
      for (const { workspace_id, integration_type, environment, operation, outcome, minute, calls } of rows)
        this.#count(workspace_id, integration_type, environment, operation, outcome, minute, calls);
    };
    for (const [workspace_id, list] of counted) {
      for (const counter of list) batch.push({ workspace_id, ...counter });
      if (batch.length < BATCH) continue;
      await flush();
      await breathe();
    }
    await flush();
    if (failure !== undefined)
      this.#log.warn({ error: String(failure) }, 'the use of platforms cannot be written; trying again');
  }
}

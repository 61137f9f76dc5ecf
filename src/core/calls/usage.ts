/**
 * What was called at platforms: how often each operation, with which outcome, and how much in which minute. Calls are
 * counted in memory and added to the database every other second, so a call pays for an increment. A process that is
 * killed loses what it counted since the last time: these numbers are evidence of use, not of money.
 */
import type { Clock } from '../clock.ts';
import type { StoreLog } from '../store/port.ts';
import { addPlatformMinutes, addPlatformUsage } from '../store/repositories/usage.ts';
import type { ConnectionRow, Db } from '../store/schema.ts';

const FLUSH_INTERVAL_MS = 2_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Most counters in memory while the database is away; further new ones are not counted. */
const MOST = 50_000;
/** Most names of operations of one workspace on one day: more than platforms have. Others are counted together. */
const MOST_NAMES = 500;
const OTHER = '(other)';
/** Pass-through can name anything; what is no operation's name is counted together. */
const OPERATION = /^[a-z0-9_/.{}-]{1,120}$/i;

type Subject = Pick<ConnectionRow, 'workspace_id' | 'integration_type' | 'environment'>;

interface Counter extends Omit<Subject, 'workspace_id'> {
  operation: string;
  outcome: string;
  /** Its begin, in ms since 1970. */
  minute: number;
  calls: number;
}

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
  /** What is to be written, by the members of its row. */
  #calls = new Map<string, number>();
  #minutes = new Map<string, number>();
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
    const minute = now - (now % MINUTE_MS);
    const name = this.#nameOf(workspace_id, operation, now);
    const result = outcome ?? '';
    let list = this.#counted.get(workspace_id);
    if (list === undefined) {
      list = [];
      this.#counted.set(workspace_id, list);
    }
    let counter = list.find(
      (one) =>
        one.operation === name &&
        one.outcome === result &&
        one.minute === minute &&
        one.environment === environment &&
        one.integration_type === integration_type,
    );
    if (counter === undefined) {
      if (this.#counters >= MOST) return;
      this.#counters += 1;
      counter = { integration_type, environment, operation: name, outcome: result, minute, calls: 0 };
      list.push(counter);
    }
    counter.calls += 1;
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

  #gather(): void {
    for (const [workspace, list] of this.#counted)
      for (const { integration_type, environment, operation, outcome, minute, calls } of list) {
        const subject = `${workspace}\n${integration_type}\n${environment}`;
        const day = new Date(minute).toISOString().slice(0, 10);
        add(this.#calls, `${subject}\n${day}\n${operation}\n${outcome}`, calls);
        add(this.#minutes, `${subject}\n${minute}`, calls);
      }
    this.#counted = new Map();
    this.#counters = 0;
  }

  async #write(): Promise<void> {
    this.#gather();
    const [calls, minutes] = [this.#calls, this.#minutes];
    if (calls.size === 0) return;
    this.#calls = new Map();
    this.#minutes = new Map();
    try {
      await this.#db.transaction().execute(async (trx) => {
        await addPlatformUsage(
          trx,
          [...calls].map(([key, count]) => {
            const [workspace_id, integration_type, environment, day, operation, outcome] = key.split('\n') as string[];
            return { workspace_id, integration_type, environment, day, operation, outcome, calls: count };
          }),
        );
        await addPlatformMinutes(
          trx,
          [...minutes].map(([key, count]) => {
            const [workspace_id, integration_type, environment, minute] = key.split('\n') as string[];
            const at = new Date(Number(minute)).toISOString();
            return { workspace_id, integration_type, environment, minute: at, calls: count };
          }),
        );
      });
    } catch (error) {
      for (const [key, count] of calls) add(this.#calls, key, count);
      for (const [key, count] of minutes) add(this.#minutes, key, count);
      this.#log.warn({ error: String(error) }, 'the use of platforms cannot be written; trying again');
    }
  }
}

function add(counters: Map<string, number>, key: string, count: number): void {
  const present = counters.get(key);
  if (present === undefined && counters.size >= MOST) return;
  counters.set(key, (present ?? 0) + count);
}

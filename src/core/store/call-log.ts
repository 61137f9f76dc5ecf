import { breathe } from '../breathe.ts';
import type { Store, StoreLog } from './port.ts';
import { callLines, type NewApiCall } from './repositories/api-calls.ts';
import { touchApiKeys } from './repositories/api-keys.ts';
import { RowBatches } from './row-batches.ts';
import type { Db } from './schema.ts';

/** Longest time, in ms, that a row waits in memory. */
const FLUSH_INTERVAL_MS = 1_000;
/** Longest time, in ms, that the last use of a key waits: a busy key would else be written anew with every batch. */
const KEYS_INTERVAL_MS = 10_000;
/** Most rows per statement; a full batch is written at once. More would hold up the calls while they are put together. */
const BATCH_ROWS = 200;
/** Most rows in memory while the database is slow or away: about 10 MB. */
const BUFFER_ROWS = 20_000;

export interface CallLogOptions {
  db: Db;
  /** What the database is; see {@link callLines}. */
  engine?: Store['engine'] | undefined;
  log: StoreLog;
  /** Most rows in memory; further ones are counted, reported and lost. Default 20,000. */
  capacity?: number | undefined;
}

/** The writer of the call log. Requests hand rows over and never wait for them. */
export interface CallLog {
  /** Takes a finished call. Never blocks, never throws. */
  add(call: NewApiCall): void;
  /** Notes that an API key was used; written once per key, at the latest ten seconds on or at the end. */
  keyUsed(keyId: string, at?: Date): void;
  /** Writes what was added so far. Never rejects: what cannot be written stays in memory for the next time. */
  flush(): Promise<void>;
  /** Flushes and stops. Rows that cannot be written then are counted in the log. */
  close(): Promise<void>;
  /** Rows that were lost since the start: for metrics. */
  readonly dropped: number;
  /** Rows in memory. */
  readonly pending: number;
}

/** Starts a writer. Several on one database do not disturb each other. */
export function createCallLog({ db, engine, log, capacity = BUFFER_ROWS }: CallLogOptions): CallLog {
  const form = callLines(engine);
  const waiting = new RowBatches(BATCH_ROWS);
  let keys = new Map<string, Date>();
  let keysWrittenAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let dropped = 0;
  let unreported = 0;
  let closed = false;

  const lose = (count: number) => {
    dropped += count;
    unreported += count;
  };
  const report = () => {
    if (unreported > 0) log.error({ lost: unreported, lost_in_total: dropped }, 'rows of the call log were lost');
    unreported = 0;
  };
  const arm = () => {
    if (closed || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      void flush(false);
    }, FLUSH_INTERVAL_MS);
    timer.unref();
  };

  /** Writes lines; one that the database refuses for its content is left out, and does not take the others with it. */
  const write = async (lines: readonly string[]): Promise<void> => {
    try {
      await form.insert(db, lines.join(''));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const [first] = lines;
      if (lines.length === 1 && first !== undefined) {
        // It was written before, and the answer to that was lost.
        if (isPresent(error)) return;
        lose(1);
        log.warn({ error: String(error), name: form.nameIn(first) }, 'the database refused a row of the call log');
        return;
      }
      const middle = Math.ceil(lines.length / 2);
      await write(lines.slice(0, middle));
      await write(lines.slice(middle));
    }
  };

  const drain = async (everything: boolean): Promise<void> => {
    const keysDue = everything || performance.now() - keysWrittenAt >= KEYS_INTERVAL_MS;
    const used = keysDue ? keys : new Map<string, Date>();
    if (keysDue) {
      keys = new Map();
      keysWrittenAt = performance.now();
    }
    try {
      for (let left = waiting.rows; left > 0; ) {
        const batch = waiting.first();
        await form.insert(db, batch.text()).catch((error) => {
          if (!isRefusal(error)) throw error;
          return write(batch.lines());
        });
        // Rows are forgotten after they are written, so a failure loses none of them.
        waiting.drop();
        left -= batch.rows;
        await breathe();
      }
      await touchApiKeys(db, used);
    } catch (error) {
      for (const [id, at] of used) if (!keys.has(id)) keys.set(id, at);
      log.warn({ error: String(error), pending: waiting.rows }, 'the call log cannot be written; trying again');
    }
    report();
    if (waiting.rows > 0 || keys.size > 0) arm();
  };

  const flush = async (everything = true): Promise<void> => {
    // What was added during a running flush needs another one.
    while (writing !== undefined) await writing;
    if (waiting.rows === 0 && keys.size === 0 && unreported === 0) return;
    writing = drain(everything).finally(() => {
      writing = undefined;
    });
    await writing;
  };

  return {
    add(call) {
      if (closed || waiting.rows >= capacity) {
        lose(1);
        arm();
        return;
      }
      waiting.add(form.line(call));
      if (waiting.rows >= BATCH_ROWS && writing === undefined) void flush(false);
      else arm();
    },
    keyUsed(keyId, at = new Date()) {
      const seen = keys.get(keyId);
      if (seen === undefined || seen < at) keys.set(keyId, at);
      arm();
    },
    flush: () => flush(),
    async close() {
      closed = true;
      clearTimeout(timer);
      await flush();
      if (waiting.rows > 0) {
        lose(waiting.rows);
        waiting.clear();
        report();
      }
    },
    get dropped() {
      return dropped;
    },
    get pending() {
      return waiting.rows;
    },
  };
}

/** Whether there is such a row already. */
const isPresent = (error: unknown): boolean => (error as { code?: unknown }).code === '23505';

/** Whether the database refused the row itself (SQLSTATE classes 22 data, 23 constraint), rather than being unwell. */
function isRefusal(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^2[23]\w{3}$/.test(code);
}

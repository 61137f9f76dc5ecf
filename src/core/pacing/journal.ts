/**
 * Keeps a single node's counts over a restart, so that a day's quota is not forgotten, nor that a platform asked for
 * five minutes of rest. A kill loses the last seconds; what was under way is taken as answered.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { breathe } from '../breathe.ts';
import type { BucketState } from './bucket.ts';
import type { MemoryStore } from './memory-store.ts';

const VERSION = 1;

/** How often changes are written. */
const EVERY_MS = 5_000;
/** Characters that are handed to the file at once. */
const PIECE = 64 * 1024;

export interface JournalLog {
  warn(facts: object, text: string): void;
}

export class QuotaJournal {
  readonly #store: MemoryStore;
  readonly #file: string;
  readonly #log: JournalLog;
  #timer: NodeJS.Timeout | undefined;
  /** The store's number of changes that the file has. */
  #written: number | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(store: MemoryStore, file: string, log: JournalLog) {
    this.#store = store;
    this.#file = file;
    this.#log = log;
  }

  /** Reads what an earlier process left, and writes from now on. A damaged file is told and passed over. */
  async open(): Promise<void> {
    try {
      const { version, buckets } = JSON.parse(await readFile(this.#file, 'utf8')) as {
        version: number;
        buckets: BucketState[];
      };
      if (version === VERSION) this.#store.load(buckets);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#log.warn({ err: error, file: this.#file }, 'counts of quotas could not be read: counting starts anew');
    }
    this.#timer = setInterval(() => void this.save(), EVERY_MS);
    this.#timer.unref();
  }

  /** Writes what has changed since the last time. */
  save(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      const { changes } = this.#store;
      if (changes === this.#written) return;
      try {
        await writeFile(`${this.#file}.new`, this.#text(), { mode: 0o600 });
        await rename(`${this.#file}.new`, this.#file);
        this.#written = changes;
      } catch (error) {
        this.#log.warn({ err: error, file: this.#file }, 'counts of quotas could not be written');
      }
    });
    return this.#writing;
  }

  /** The file's text in pieces: with thousands of tenants it is megabytes, which nobody shall wait for. */
  async *#text(): AsyncGenerator<string, void, undefined> {
    let text = `{"version":${VERSION},"buckets":[`;
    let separator = '';
    for (const state of this.#store.dump()) {
      text += separator + JSON.stringify(state);
      separator = ',';
      if (text.length >= PIECE) {
        yield text;
        text = '';
      }
      const pause = breathe();
      if (pause !== undefined) await pause;
    }
    yield `${text}]}`;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.save();
  }
}

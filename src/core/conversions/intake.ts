/**
 * How events get into the queue: committed before anyone is answered. What comes while a commit is under way shares the
 * next one, so that many callers with an event each cost few commits.
 */

import { breathe } from '../breathe.ts';
import type { Clock } from '../clock.ts';
import { PolyadError } from '../errors/index.ts';
import type { Store } from '../store/port.ts';
import { insertChunk, type NewChunk, type QueuedEvent, type Taken } from '../store/repositories/index.ts';

/** One event for one destination. */
export interface IntakeItem {
  /** `ConversionDestinationRow.num`. */
  destination: string;
  testCode: string | null;
  event: QueuedEvent;
}

/** What became of it. `taken` false = it was there before. */
export type IntakeResult = Pick<Taken, 'id' | 'taken'>;

interface Job {
  items: readonly IntakeItem[];
  resolve(results: IntakeResult[]): void;
  reject(error: unknown): void;
}

/** Most events in one commit, and in one chunk: a batch is put together from whole chunks. */
const COMMIT_EVENTS = 2_000;
const CHUNK_EVENTS = 1_000;
/** Most events that wait for a commit: beyond that callers are asked to come back, instead of filling the memory. */
const WAITING_EVENTS = 50_000;
/** Two writers of the same events in the other order: one of them is asked to try again. */
const LOCKED_UP = new Set(['40P01', '40001']);
const TRIES = 4;

/** The events of one commit, by destination and test code. */
interface Group {
  destination: string;
  testCode: string | null;
  events: Map<string, QueuedEvent>;
}

export class Intake {
  readonly #store: Store;
  readonly #clock: Clock;
  #waiting: Job[] = [];
  #events = 0;
  #running = false;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Takes events in; resolves when they are committed, all of them or none. @throws PolyadError `store_unavailable` */
  async take(items: readonly IntakeItem[]): Promise<IntakeResult[]> {
    if (items.length === 0) return [];
    if (this.#events > 0 && this.#events + items.length > WAITING_EVENTS)
      throw new PolyadError('store_unavailable', {
        message: 'Events come in faster than the database takes them.',
        retryAfterMs: 1_000,
      });
    this.#events += items.length;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ items, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    // Calls that came in the same turn of the event loop go together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const jobs = this.#next();
      try {
        await this.#commit(jobs);
      } catch (error) {
        // Of several callers the one whose rows the database refuses must not take the others with it.
        if (jobs.length === 1 || !isRefusal(error)) for (const job of jobs) job.reject(error);
        else for (const job of jobs) await this.#commit([job]).catch((own: unknown) => job.reject(own));
      }
    }
    this.#running = false;
  }

  #next(): Job[] {
    const jobs: Job[] = [];
    let events = 0;
    for (const job of this.#waiting) {
      if (jobs.length > 0 && events + job.items.length > COMMIT_EVENTS) break;
      jobs.push(job);
      events += job.items.length;
    }
    this.#waiting = this.#waiting.slice(jobs.length);
    this.#events -= events;
    return jobs;
  }

  async #commit(jobs: readonly Job[]): Promise<void> {
    const groups = await grouped(jobs);
    const found = await this.#insert(chunksOf(groups));
    for (const job of jobs)
      job.resolve(
        job.items.map(({ destination, event }) => {
          const place = `${destination}/${event.key}`;
          const { id, taken } = found.get(place) as Taken;
          // Whoever comes first under a key has brought the event; the others have brought it again.
          if (taken) found.set(place, { key: event.key, id, taken: false });
          return { id, taken };
        }),
      );
  }

  async #insert(chunks: readonly NewChunk[]): Promise<Map<string, Taken>> {
    for (let attempt = 1; ; attempt += 1)
      try {
        return await this.#store.db.transaction().execute(async (trx) => {
          const now = this.#clock.now();
          const found = new Map<string, Taken>();
          for (const chunk of chunks)
            for (const taken of await insertChunk(trx, chunk, now))
              found.set(`${chunk.destination}/${taken.key}`, taken);
          return found;
        });
      } catch (error) {
        if (attempt >= TRIES || !LOCKED_UP.has(String((error as { code?: unknown }).code))) throw error;
      }
  }
}

async function grouped(jobs: readonly Job[]): Promise<Group[]> {
  const groups = new Map<string, Group>();
  /** Which group has an event: under another test code it is still the same event. */
  const places = new Map<string, QueuedEvent>();
  for (const { items } of jobs)
    for (const { destination, testCode, event } of items) {
      const place = `${destination}/${event.key}`;
      const known = places.get(place);
      if (known !== undefined) {
        known.repeats += 1;
        continue;
      }
      const kept = { ...event };
      places.set(place, kept);
      const name = `${destination}/${testCode ?? ''}`;
      let group = groups.get(name);
      if (group === undefined) {
        group = { destination, testCode, events: new Map() };
        groups.set(name, group);
      }
      group.events.set(event.key, kept);
      const pause = breathe();
      if (pause !== undefined) await pause;
    }
  return [...groups.values()];
}

/** In one order everywhere, so that writers of the same events wait for each other instead of locking up. */
function chunksOf(groups: readonly Group[]): NewChunk[] {
  const ordered = [...groups].sort(
    (left, right) =>
      Number(BigInt(left.destination) - BigInt(right.destination)) ||
      ((left.testCode ?? '') < (right.testCode ?? '') ? -1 : 1),
  );
  const chunks: NewChunk[] = [];
  for (const { destination, testCode, events } of ordered) {
    const list = [...events.values()];
    for (let at = 0; at < list.length; at += CHUNK_EVENTS)
      chunks.push({ destination, testCode, events: list.slice(at, at + CHUNK_EVENTS) });
  }
  return chunks;
}

/** Whether the database refused a row for what is in it (SQLSTATE classes 22 and 23). */
function isRefusal(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^2[23]\w{3}$/.test(code);
}

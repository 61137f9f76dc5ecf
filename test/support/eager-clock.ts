/**
 * A clock on which waiting costs no time: when nobody works, it jumps to the end of the shortest wait. While a request to
 * a platform is under way it stands still: nobody's patience may run out over an answer that takes no virtual time.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { Clock } from '../../src/core/clock.ts';

/** Requests of this process that have not been answered. */
const pending = new Set<unknown>();
subscribe('undici:request:create', (message) => void pending.add((message as { request: unknown }).request));
for (const channel of ['undici:request:trailers', 'undici:request:error'])
  subscribe(channel, (message) => void pending.delete((message as { request: unknown }).request));

/** Turns of the event loop after which everyone who could go on has gone on. */
const QUIET_TURNS = 3;

export class EagerClock implements Clock {
  #now: number;
  readonly #sleepers = new Set<{ end: number; wake(): void }>();
  #running = false;
  /** Every wait that was asked for, in ms. */
  readonly slept: number[] = [];

  constructor(start = new Date('2026-11-22T12:00:00Z')) {
    this.#now = start.getTime();
  }

  now(): Date {
    return new Date(this.#now);
  }

  /** Moves time on by hand. */
  set time(ms: number) {
    this.#now = ms;
  }

  get time(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.slept.push(ms);
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const sleeper = { end: this.#now + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener(
        'abort',
        () => {
          this.#sleepers.delete(sleeper);
          reject(signal.reason);
        },
        { once: true },
      );
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    let quiet = 0;
    while (this.#sleepers.size > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      quiet = pending.size === 0 ? quiet + 1 : 0;
      if (quiet < QUIET_TURNS) continue;
      quiet = 0;
      const end = Math.min(...[...this.#sleepers].map((sleeper) => sleeper.end));
      this.#now = Math.max(this.#now, end);
      for (const sleeper of this.#sleepers)
        if (sleeper.end <= this.#now) {
          this.#sleepers.delete(sleeper);
          sleeper.wake();
        }
    }
    this.#running = false;
  }
}

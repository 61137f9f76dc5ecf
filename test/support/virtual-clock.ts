/** A clock for tests: time moves only when told to, or when everyone who runs is asleep. */
import type { Clock } from '../../src/core/clock.ts';

interface Sleeper {
  at: number;
  wake(): void;
}

export class VirtualClock implements Clock {
  #now: number;
  #sleepers: Sleeper[] = [];
  /** Called with every jump, so that a simulator's clock can follow. */
  onAdvance: ((ms: number) => void | Promise<void>) | undefined;

  constructor(start = '2026-11-22T12:00:00Z') {
    this.#now = Date.parse(start);
  }

  now(): Date {
    return new Date(this.#now);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper: Sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener(
        'abort',
        () => {
          this.#sleepers = this.#sleepers.filter((one) => one !== sleeper);
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }

  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Moves time by `ms`, waking sleepers in order. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const next = this.#sleepers.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#sleepers = this.#sleepers.filter((one) => one !== next);
      await this.onAdvance?.(Math.max(0, next.at - this.#now));
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
    await this.onAdvance?.(end - this.#now);
    this.#now = end;
    await settle();
  }

  /** Jumps to the next sleeper's time; false when nobody sleeps. */
  async step(): Promise<boolean> {
    await settle();
    const next = [...this.#sleepers].sort((a, b) => a.at - b.at)[0];
    if (next === undefined) return false;
    await this.advance(next.at - this.#now);
    return true;
  }
}

/** Lets every promise that can go on go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

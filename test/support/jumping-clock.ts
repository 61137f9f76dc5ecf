/** What clocks of tests share on which waiting costs no time. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { someoneWaits } from '../../src/core/breathe.ts';
import type { Clock } from '../../src/core/clock.ts';

/** Turns of the event loop without work after which everyone who could go on has gone on. */
const QUIET_TURNS = 4;

/** A jump this long waits for `patientTurns` as well. */
const LONG_JUMP_MS = 5_000;

/** Whether a file is being opened, read, written or closed: the disk answers in its own time, over any number of turns. */
const filesBusy = (): boolean => process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'));

/** Virtual time that passes only while nobody works: then it jumps to the end of the shortest wait. */
export abstract class JumpingClock implements Clock {
  readonly #sleepers = new Set<{ end: number; wake(): void }>();
  #running = false;
  /** Turns without work before a long jump, a millisecond each. */
  protected readonly patientTurns: number = 0;

  abstract now(): Date;

  /** Moves time on to `end`, which is in the future. */
  protected abstract jump(end: Date): void;

  /** Whether there is work under way that no virtual time may overtake. */
  protected abstract busy(): boolean;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { end: this.now().getTime() + ms, wake: resolve };
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
      quiet = this.busy() || someoneWaits() ? 0 : quiet + 1;
      if (quiet < QUIET_TURNS) continue;
      if (filesBusy()) {
        quiet = 0;
        continue;
      }
      const end = Math.min(...[...this.#sleepers].map((sleeper) => sleeper.end));
      // Encryption and other threads answer in their own time: nobody's patience may run out over them.
      if (end - this.now().getTime() > LONG_JUMP_MS && quiet < this.patientTurns) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        continue;
      }
      quiet = 0;
      if (end > this.now().getTime()) this.jump(new Date(end));
      for (const sleeper of this.#sleepers)
        if (sleeper.end <= end) {
          this.#sleepers.delete(sleeper);
          sleeper.wake();
        }
    }
    this.#running = false;
  }
}

const BEGIN = 'undici:request:create';
const ENDS = ['undici:request:trailers', 'undici:request:error'];

/** Requests of this process that have not been answered. */
export class OpenRequests {
  readonly #open = new Set<unknown>();
  readonly #begun: (message: unknown) => void;
  readonly #over = (message: unknown): void => void this.#open.delete((message as { request: unknown }).request);

  /** @param origin those to this one alone; default: all. */
  constructor(origin?: string) {
    this.#begun = (message) => {
      const { request } = message as { request: { origin?: unknown } };
      if (origin === undefined || String(request.origin) === origin) this.#open.add(request);
    };
    subscribe(BEGIN, this.#begun);
    for (const channel of ENDS) subscribe(channel, this.#over);
  }

  get some(): boolean {
    return this.#open.size > 0;
  }

  /** Counts no more. */
  close(): void {
    unsubscribe(BEGIN, this.#begun);
    for (const channel of ENDS) unsubscribe(channel, this.#over);
  }
}

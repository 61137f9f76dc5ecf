/** How fast somebody has been served of late while he waited: what a place in the queue alone does not tell. */

/** The memory of a pace, in windows of the quota, and at least in milliseconds. */
const FADE = 2;
const FADE_MIN_MS = 15_000;
/** So much of the memory must be time spent waiting before it says anything. */
const KNOWN_FROM = 0.3;

/** For how long a pace is remembered under a quota of this window, in milliseconds. */
export const fadeOf = (windowMs: number): number => Math.max(FADE_MIN_MS, FADE * windowMs);

/** Time spent waiting and calls served in it, both fading alike, so that a pause changes nothing of their ratio. */
export class Pace {
  #waitedMs = 0;
  #served = 0;
  #at = 0;
  #waits = false;

  #fade(now: number, fadeMs: number): void {
    const past = Math.max(0, now - this.#at);
    const left = Math.exp(-past / fadeMs);
    this.#waitedMs = this.#waitedMs * left + (this.#waits ? fadeMs * (1 - left) : 0);
    this.#served *= left;
    this.#at = now;
  }

  /** From now on there are calls that wait, or there are none. */
  waiting(waits: boolean, now: number, fadeMs: number): void {
    this.#fade(now, fadeMs);
    this.#waits = waits;
  }

  served(now: number, fadeMs: number): void {
    this.#fade(now, fadeMs);
    this.#served += 1;
  }

  /** Milliseconds until so many calls have been served at this pace; undefined when it is not known. */
  waitMs(calls: number, now: number, fadeMs: number): number | undefined {
    this.#fade(now, fadeMs);
    if (this.#waitedMs < KNOWN_FROM * fadeMs) return undefined;
    // Nobody served in all this time: one in twice as long is the most that can be hoped for.
    return calls * (this.#waitedMs / Math.max(this.#served, 0.5));
  }
}

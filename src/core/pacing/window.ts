/**
 * Quota windows. A platform counts arrivals; we see sends and answers. A slot taken for a call is therefore free again
 * one window after the call's *answer* arrived: the platform saw the request before it answered, so any `limit + 1`
 * requests span more than a window and a strict platform never has to refuse.
 *
 * Releases are kept in granules of a hundredth of the window, rounded to the late side: memory per key is constant
 * whatever the limit is, and the rounding costs at most one per cent of the quota and never overshoots.
 */

const GRANULES = 100;

export class QuotaWindow {
  readonly limit: number;
  readonly windowMs: number;
  readonly #granuleMs: number;
  /** Answered calls by granule number, oldest first. */
  readonly #granules: { number: number; count: number }[] = [];
  #answered = 0;
  #inFlight = 0;
  #restUntil = 0;

  constructor(limit: number, windowMs: number) {
    this.limit = limit;
    this.windowMs = windowMs;
    this.#granuleMs = windowMs / GRANULES;
  }

  #expire(now: number): void {
    while (this.#granules.length > 0) {
      const oldest = this.#granules[0] as { number: number; count: number };
      if ((oldest.number + 1) * this.#granuleMs + this.windowMs > now) return;
      this.#answered -= oldest.count;
      this.#granules.shift();
    }
  }

  /** Milliseconds until a slot may be taken; 0 = now; null = depends on answers that have not come yet. */
  waitMs(now: number): number | null {
    if (this.#restUntil > now) return this.#restUntil - now;
    this.#expire(now);
    if (this.#inFlight + this.#answered < this.limit) return 0;
    const oldest = this.#granules[0];
    if (oldest === undefined) return null;
    return Math.max(1, Math.ceil((oldest.number + 1) * this.#granuleMs + this.windowMs - now));
  }

  take(): void {
    this.#inFlight += 1;
  }

  /** The call was answered, or failed at `now`: its slot is free one window later. */
  release(now: number): void {
    this.#inFlight -= 1;
    const number = Math.floor(now / this.#granuleMs);
    const newest = this.#granules[this.#granules.length - 1];
    if (newest !== undefined && newest.number >= number) newest.count += 1;
    else this.#granules.push({ number, count: 1 });
    this.#answered += 1;
  }

  /** The call was never sent. */
  cancel(): void {
    this.#inFlight -= 1;
  }

  /** The platform said no: nothing goes out under this key before `until`. */
  rest(until: number): void {
    this.#restUntil = Math.max(this.#restUntil, until);
  }

  usage(now: number): { used: number; limit: number; window_ms: number; resting_until: string | null } {
    this.#expire(now);
    return {
      used: this.#inFlight + this.#answered,
      limit: this.limit,
      window_ms: this.windowMs,
      resting_until: this.#restUntil > now ? new Date(this.#restUntil).toISOString() : null,
    };
  }

  /** Nothing in flight, nothing remembered, no rest: may be forgotten. */
  idle(now: number): boolean {
    this.#expire(now);
    return this.#inFlight === 0 && this.#answered === 0 && this.#restUntil <= now;
  }
}

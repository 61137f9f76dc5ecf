/**
 * Quota windows. A platform counts arrivals; we see sends and answers. A slot taken for a call is therefore free again
 * one window after the call's *answer* arrived: the platform saw the request before it answered, so any `limit + 1`
 * requests span more than a window and a strict platform never has to refuse.
 *
 * Releases are kept in granules of a hundredth of the window, rounded to the late side: memory per key is constant
 * whatever the limit is, and the rounding costs at most one per cent of the quota and never overshoots.
 */
import type { Counter } from './counter.ts';

/** Granules per window: the shared counter in Redis uses the same number. */
export const GRANULES = 100;

export class QuotaWindow implements Counter {
  readonly limit: number;
  readonly windowMs: number;
  readonly #granuleMs: number;
  /** Answered units by granule number, oldest first; entries before `#first` are spent. */
  #granules: { number: number; units: number }[] = [];
  #first = 0;
  #answered = 0;
  #inFlight = 0;

  constructor(limit: number, windowMs: number) {
    this.limit = limit;
    this.windowMs = windowMs;
    this.#granuleMs = windowMs / GRANULES;
  }

  #end(number: number): number {
    return (number + 1) * this.#granuleMs + this.windowMs;
  }

  #expire(now: number): void {
    const granules = this.#granules;
    while (this.#first < granules.length) {
      const oldest = granules[this.#first] as { number: number; units: number };
      if (this.#end(oldest.number) > now) break;
      this.#answered -= oldest.units;
      this.#first += 1;
    }
    if (this.#first > 2 * GRANULES || this.#first === granules.length) {
      this.#granules = this.#first === granules.length ? [] : granules.slice(this.#first);
      this.#first = 0;
    }
  }

  waitMs(now: number, cost = 1, limit = this.limit): number | null {
    this.#expire(now);
    let over = this.#inFlight + this.#answered + cost - limit;
    if (over <= 0) return 0;
    for (let index = this.#first; index < this.#granules.length; index += 1) {
      const { number, units } = this.#granules[index] as { number: number; units: number };
      over -= units;
      if (over <= 0) return Math.max(1, Math.ceil(this.#end(number) - now));
    }
    return null;
  }

  take(_now = 0, cost = 1): void {
    this.#inFlight += cost;
  }

  release(now: number, cost = 1): void {
    this.#inFlight -= cost;
    this.add(now, cost);
  }

  /** Counts units as answered at `at`, which may lie before the newest. */
  add(at: number, units: number): void {
    const number = Math.floor(at / this.#granuleMs);
    const newest = this.#granules.at(-1);
    if (newest !== undefined && newest.number >= number) newest.units += units;
    else this.#granules.push({ number, units });
    this.#answered += units;
  }

  /** Takes back up to `units` of those answered last: a job ended before its time. */
  remove(units: number): void {
    let left = units;
    while (left > 0 && this.#granules.length > this.#first) {
      const newest = this.#granules.at(-1) as { number: number; units: number };
      const taken = Math.min(left, newest.units);
      newest.units -= taken;
      this.#answered -= taken;
      left -= taken;
      if (newest.units === 0) this.#granules.pop();
    }
  }

  cancel(cost = 1): void {
    this.#inFlight -= cost;
  }

  used(now: number): number {
    this.#expire(now);
    return this.#inFlight + this.#answered;
  }

  inFlight(): number {
    return this.#inFlight;
  }

  forecast(now: number, units: number, limit: number): number {
    this.#expire(now);
    if (limit <= 0) return this.windowMs;
    const rounds = Math.floor((units - 1) / limit);
    // The r-th unit of a round is free at the same moment in every round: what was free first is free first again.
    let left = units - rounds * limit - Math.max(0, limit - this.#inFlight - this.#answered);
    let at = 0;
    for (let index = this.#first; left > 0 && index < this.#granules.length; index += 1) {
      const granule = this.#granules[index] as { number: number; units: number };
      left -= granule.units;
      at = this.#end(granule.number) - now;
    }
    return rounds * this.windowMs + (left > 0 ? this.windowMs : Math.max(0, at));
  }

  dump(now: number): number[] {
    this.#expire(now);
    const flat: number[] = [];
    for (const { number, units } of this.#granules.slice(this.#first)) flat.push(number, units);
    // What is under way is taken as answered now: after a restart nobody can tell.
    if (this.#inFlight > 0) flat.push(Math.floor(now / this.#granuleMs), this.#inFlight);
    return flat;
  }

  load(state: readonly number[]): void {
    for (let index = 0; index + 1 < state.length; index += 2)
      this.add((state[index] as number) * this.#granuleMs, state[index + 1] as number);
  }

  idle(now: number): boolean {
    return this.used(now) === 0;
  }
}

/**
 * The retry budget: how much a platform may be asked again because of its failures. Without it every caller's own
 * retries multiply the load on a platform that is already failing. One budget per platform and environment: a repetition
 * takes tokens, a success gives some back, and with none left a failure goes to the caller at once.
 *
 * The figures are those of the AWS SDKs' standard mode: 500 tokens, 5 a repetition, 10 after a time-out.
 */
const CAPACITY = 500;
const COST = 5;
const TIMEOUT_COST = 10;
/** What a call that worked at once gives back. */
const REFUND = 1;

export class RetryBudgets {
  readonly #left = new Map<string, number>();

  /** Takes the tokens of one repetition; answers how many, or 0 when there are not enough. */
  take(key: string, timedOut: boolean): number {
    const left = this.#left.get(key) ?? CAPACITY;
    const cost = timedOut ? TIMEOUT_COST : COST;
    if (left < cost) return 0;
    this.#left.set(key, left - cost);
    return cost;
  }

  /** A call worked; `taken` are the tokens that its last repetition took, 0 when it worked at once. */
  worked(key: string, taken: number): void {
    const left = this.#left.get(key);
    if (left !== undefined) this.#left.set(key, Math.min(CAPACITY, left + (taken > 0 ? taken : REFUND)));
  }

  /** Tokens left, by key. */
  report(): { key: string; left: number; capacity: number }[] {
    return [...this.#left].map(([key, left]) => ({ key, left, capacity: CAPACITY }));
  }
}

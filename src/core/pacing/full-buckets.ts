/** Buckets that waiting calls saw full: until when nobody needs to ask for them again. */
import { type BucketClaim, bucketId, RANKS } from './bucket.ts';
import type { Full } from './store.ts';

export class FullBuckets {
  /** By rank and id. `onAnswer`: nobody knows how long, an answer may change it at any time. */
  readonly #closed = new Map<string, { until: number; onAnswer: boolean }>();

  /** A bucket had nothing for a call of this rank. It is asked again after `pollMs` at the latest. */
  add({ id, waitMs }: Full, rank: number, now: number, pollMs: number): void {
    const until = now + Math.min(waitMs ?? pollMs, pollMs);
    // What is full for one rank is full for all below it.
    for (let lower = rank; lower < RANKS.length; lower += 1)
      this.#closed.set(`${lower}${id}`, { until, onAnswer: waitMs === null });
  }

  /** Whether calls of this rank need not ask for a bucket now. */
  has(id: string, rank: number, now: number): boolean {
    return (this.#closed.get(`${rank}${id}`)?.until ?? 0) > now;
  }

  /** The same of one of several. */
  hasAny(claims: readonly BucketClaim[], rank: number, now: number): boolean {
    if (this.#closed.size === 0) return false;
    for (const claim of claims) if (this.has(bucketId(claim), rank, now)) return true;
    return false;
  }

  /** The claim that was seen full, whether or not its time is over. */
  find(claims: readonly BucketClaim[], rank: number): BucketClaim | undefined {
    return claims.find((claim) => this.#closed.has(`${rank}${bucketId(claim)}`));
  }

  /** An answer came: what depended on one may be asked for again, and all when a slot is `free`. Tells whether any may. */
  reopen(free: boolean): boolean {
    let opened = false;
    for (const [key, { onAnswer }] of this.#closed)
      if (onAnswer || free) {
        this.#closed.delete(key);
        opened = true;
      }
    return opened;
  }

  /** Forgets those whose time is over. */
  expire(now: number): void {
    for (const [key, { until }] of this.#closed) if (until <= now) this.#closed.delete(key);
  }

  /** Milliseconds until the first of them may be asked for again, at most `pollMs`. */
  pauseMs(now: number, pollMs: number): number {
    let pause = pollMs;
    for (const { until, onAnswer } of this.#closed.values())
      if (!onAnswer || Number.isFinite(until)) pause = Math.min(pause, until - now);
    return pause;
  }
}

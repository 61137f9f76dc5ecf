/**
 * Permits: what was given out and what came back, how long that took, and the refusals of those who could not have one in
 * time. The one part that the pacer and its queues share.
 */
import type { Clock } from '../clock.ts';
import { PolyadError } from '../errors/index.ts';
import { type BucketClaim, bucketId } from './bucket.ts';
import type { QuotaStore } from './store.ts';

export interface Permit {
  /** The call was answered (or its connection broke): slots are free one window from now. */
  answered(): void;
  /** The call was not sent after all. */
  cancel(): void;
}

/** What has been done since the start, by bucket name; for metrics. */
export interface PacerCounts {
  /** Permits given. */
  granted: number;
  /** Milliseconds callers waited for them. */
  waitedMs: number;
  /** Calls refused by us, by the bucket that was full. */
  refused: ReadonlyMap<string, number>;
  /** Refusals of the platforms, by the bucket that they concern. */
  refusedByPlatform: ReadonlyMap<string, number>;
}

/** The permit of a call that no quota counts. */
export const FREE: Permit = { answered() {}, cancel() {} };

/** The mean of the first round trips, then smoothed: each new one has at least this weight. */
const SMOOTHING = 0.05;

/** Adds one under `key`. */
export function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

export class Permits {
  readonly clock: Clock;
  readonly store: QuotaStore;
  readonly refused = new Map<string, number>();
  granted = 0;
  waitedMs = 0;
  /** Time between permit and answer, smoothed: a slot comes back one window *and* one round trip after it was taken. */
  roundTripMs = 0;
  readonly #queues: ReadonlyMap<string, { reopen(free: boolean): void }>;
  #answers = 0;

  /** `queues`: calls that wait, by what they compete for: told when something comes back. */
  constructor(clock: Clock, store: QuotaStore, queues: ReadonlyMap<string, { reopen(free: boolean): void }>) {
    this.clock = clock;
    this.store = store;
    this.#queues = queues;
  }

  now(): number {
    return this.clock.now().getTime();
  }

  /** The permit for claims that were taken. */
  give(claims: readonly BucketClaim[]): Permit {
    this.granted += 1;
    const since = this.now();
    let open = true;
    return {
      answered: () => {
        if (!open) return;
        open = false;
        this.store.answered(claims);
        const took = this.now() - since;
        this.#answers += 1;
        this.roundTripMs += (took - this.roundTripMs) * Math.max(SMOOTHING, 1 / this.#answers);
        this.reopen(claims, false);
      },
      cancel: () => {
        if (!open) return;
        open = false;
        this.store.cancelled(claims);
        this.reopen(claims, true);
      },
    };
  }

  /** Something came back that a waiting call may depend on. `free`: it is free at once, not one window from now. */
  reopen(claims: readonly BucketClaim[], free: boolean): void {
    this.#queues.get(bucketId(claims[0] as BucketClaim))?.reopen(free);
  }

  /** The error for a call whose turn cannot come in time, and counts it. `waitMs`: when to come back. */
  refusal(bucket: string, waitMs: number): PolyadError {
    const wait = Math.max(1, Math.ceil(waitMs));
    count(this.refused, bucket);
    return new PolyadError('quota_wait', { retryAfterMs: wait, details: { bucket, wait_ms: wait } });
  }
}

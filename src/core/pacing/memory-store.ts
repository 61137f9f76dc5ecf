/** Buckets in this process's memory: exact, synchronous, and alone. */
import type { Clock } from '../clock.ts';
import { Bucket, type BucketClaim, type BucketSnapshot, type BucketState, bucketId, type QuotaView } from './bucket.ts';
import type { QuotaStore, TakeOutcome, Taker } from './store.ts';

/** Buckets nobody has used for a while are forgotten when there are more than this many. */
const SWEEP_ABOVE = 10_000;

const TAKEN: TakeOutcome = { ok: true };

export class MemoryStore implements QuotaStore {
  readonly pollMs = Number.POSITIVE_INFINITY;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();
  readonly #onNew: ((bucket: Bucket) => void) | undefined;
  #sweepAt = SWEEP_ABOVE;
  #changes = 0;

  /** `onNew` is shown every bucket before its first use. */
  constructor(clock: Clock, onNew?: (bucket: Bucket) => void) {
    this.#clock = clock;
    this.#onNew = onNew;
  }

  /** How often anything was changed: what was kept at the same number is still true. */
  get changes(): number {
    return this.#changes;
  }

  #now(): number {
    return this.#clock.now().getTime();
  }

  bucket(claim: BucketClaim): Bucket {
    const id = bucketId(claim);
    let bucket = this.#buckets.get(id);
    if (bucket === undefined) {
      if (this.#buckets.size > this.#sweepAt) this.#sweep();
      bucket = new Bucket(claim);
      this.#buckets.set(id, bucket);
      this.#onNew?.(bucket);
    } else if (bucket.claim.windowMs !== claim.windowMs) {
      bucket = new Bucket(claim);
      this.#buckets.set(id, bucket);
    } else if (bucket.claim.limit !== claim.limit) bucket.relimit(claim);
    return bucket;
  }

  #sweep(): void {
    const now = this.#now();
    for (const [id, bucket] of this.#buckets) if (bucket.idle(now)) this.#buckets.delete(id);
    // When nearly all are in use, looking through them at every new one would cost more than they do.
    this.#sweepAt = Math.max(SWEEP_ABOVE, this.#buckets.size * 1.5);
  }

  take(claims: readonly BucketClaim[], taker: Pick<Taker, 'rank' | 'owed'>): TakeOutcome {
    const now = this.#now();
    let full: BucketClaim | undefined;
    let longest: number | null = 0;
    for (const claim of claims) {
      const wait = this.bucket(claim).waitMs(now, claim.cost ?? 1, taker.owed === true ? 0 : taker.rank);
      if (wait === 0) continue;
      // A known wait says more than "when an answer comes".
      if (full === undefined || (wait !== null && (longest === null || wait > longest))) {
        full = claim;
        longest = wait;
      }
    }
    if (full !== undefined) return { ok: false, bucket: full.name, id: bucketId(full), waitMs: longest };
    this.#changes += 1;
    for (const claim of claims) this.bucket(claim).take(now, claim.cost ?? 1, taker.rank);
    return TAKEN;
  }

  charge(claims: readonly BucketClaim[]): void {
    this.#changes += 1;
    const now = this.#now();
    for (const claim of claims) this.bucket(claim).take(now, claim.cost ?? 1, 0);
  }

  answered(claims: readonly BucketClaim[]): void {
    this.#changes += 1;
    const now = this.#now();
    for (const claim of claims) this.bucket(claim).counter.release(now, claim.cost ?? 1);
  }

  cancelled(claims: readonly BucketClaim[]): void {
    this.#changes += 1;
    for (const claim of claims) this.bucket(claim).counter.cancel(claim.cost ?? 1);
  }

  ended(claims: readonly BucketClaim[]): void {
    this.#changes += 1;
    for (const claim of claims) this.bucket(claim).end(claim.cost ?? 1);
  }

  refused(claim: BucketClaim, restMs: number, lower: boolean): void {
    this.#changes += 1;
    const now = this.#now();
    this.bucket(claim).refused(now, now + restMs, lower);
  }

  observe(claim: BucketClaim, view: QuotaView): void {
    this.#changes += 1;
    this.bucket(claim).observe(this.#now(), view);
  }

  outlook(claim: BucketClaim, rank: number): (units: number) => number {
    const now = this.#now();
    const bucket = this.bucket(claim);
    return (units) => bucket.forecast(now, units, rank);
  }

  left(): void {}

  *rows(): Generator<BucketSnapshot, void, undefined> {
    for (const bucket of this.#buckets.values()) yield bucket.snapshot(this.#now());
  }

  inspect(): Promise<Iterable<BucketSnapshot>> {
    return Promise.resolve(this.rows());
  }

  status(): { shared: boolean; nodes: number; degraded: string | null } {
    return { shared: false, nodes: 1, degraded: null };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** State worth keeping over a restart, bucket by bucket. Windows of seconds are over before a process is back. */
  *dump(): Generator<BucketState, void, undefined> {
    for (const bucket of this.#buckets.values()) {
      const now = this.#now();
      if (!bucket.idle(now) && (bucket.claim.windowMs >= 10_000 || bucket.keeps(now))) yield bucket.dump(now);
    }
  }

  load(states: readonly BucketState[]): void {
    for (const state of states) this.bucket(state.claim).load(state);
  }
}

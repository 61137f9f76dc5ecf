/** Buckets in this process's memory: exact, synchronous, and alone. */
import type { Clock } from '../clock.ts';
import { Bucket, type BucketClaim, type BucketSnapshot, type BucketState, bucketId, type QuotaView } from './bucket.ts';
import type { QuotaStore, TakeOutcome, Taker } from './store.ts';

/** Buckets nobody has used for a while are forgotten when there are more than this many. */
const SWEEP_ABOVE = 10_000;

/** A bucket's place in its store; empty once the store has forgotten it, so that nobody keeps it alive. */
interface Place {
  readonly home: object;
  bucket: Bucket | undefined;
}

/** Where a claim keeps the place of its bucket: most claims are made once and used for many calls. */
const PLACE = Symbol('place');
type PlacedClaim = BucketClaim & { [PLACE]?: Place };

/** Whether the bucket has the limit that the claim states, as it may not have for another tier's. */
const isOf = ({ limit, windowMs }: BucketClaim, { claim }: Bucket): boolean =>
  claim.limit === limit && claim.windowMs === windowMs;

const TAKEN: TakeOutcome = { ok: true };

export class MemoryStore implements QuotaStore {
  readonly pollMs = Number.POSITIVE_INFINITY;
  readonly #clock: Clock;
  readonly #home = {};
  readonly #places = new Map<string, Place>();
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
    const place = (claim as PlacedClaim)[PLACE];
    const known = place?.home === this.#home ? place.bucket : undefined;
    if (known !== undefined && isOf(claim, known)) return known;
    const found = this.#find(claim);
    (claim as PlacedClaim)[PLACE] = found;
    return found.bucket as Bucket;
  }

  #find(claim: BucketClaim): Place {
    const id = bucketId(claim);
    const place = this.#places.get(id);
    const bucket = place?.bucket;
    if (place !== undefined && bucket?.claim.windowMs === claim.windowMs) {
      if (bucket.claim.limit !== claim.limit) bucket.relimit(claim);
      return place;
    }
    if (place === undefined && this.#places.size > this.#sweepAt) this.#sweep();
    const made = new Bucket(claim);
    const newPlace: Place = { home: this.#home, bucket: made };
    this.#places.set(id, newPlace);
    if (place === undefined) this.#onNew?.(made);
    else place.bucket = undefined;
    return newPlace;
  }

  #sweep(): void {
    const now = this.#now();
    for (const [id, place] of this.#places) {
      if (place.bucket?.idle(now) === false) continue;
      place.bucket = undefined;
      this.#places.delete(id);
    }
    // When nearly all are in use, looking through them at every new one would cost more than they do.
    this.#sweepAt = Math.max(SWEEP_ABOVE, this.#places.size * 1.5);
  }

  *#all(): Generator<Bucket, void, undefined> {
    for (const { bucket } of this.#places.values()) if (bucket !== undefined) yield bucket;
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
    for (const bucket of this.#all()) yield bucket.snapshot(this.#now());
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
    for (const bucket of this.#all()) {
      const now = this.#now();
      if (!bucket.idle(now) && (bucket.claim.windowMs >= 10_000 || bucket.keeps(now))) yield bucket.dump(now);
    }
  }

  load(states: readonly BucketState[]): void {
    for (const state of states) this.bucket(state.claim).load(state);
  }
}

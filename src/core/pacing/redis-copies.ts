/**
 * What one node knows of the shared buckets that it uses: who asked for which, what is under way, and a copy of each, from
 * which estimates are made and with which the node goes on alone.
 */
import type { Clock } from '../clock.ts';
import { BRIEF_MS, type View } from './alone.ts';
import { type BucketClaim, type BucketSnapshot, bucketId } from './bucket.ts';
import { boundaries } from './calendar.ts';
import type { Counter } from './counter.ts';
import { counterOf } from './counters.ts';
import { GRANULES, QuotaWindow } from './window.ts';

/** A copy this old, in ms, is good enough for windows of minutes and more. */
const VIEW_MS = 5_000;

/** A bucket as the counter tells it: times in ms from now. */
export interface WireView {
  f: number;
  u: number;
  n: number;
  limit: number;
  r: number;
  x: number;
  t: number;
  l: boolean;
  k: number;
  g: [number, number][] | Record<string, never>;
}

interface Known {
  claim: BucketClaim;
  usedAt: number;
}

export class Copies {
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();
  readonly #inFlight = new Map<string, number>();
  readonly #views = new Map<string, View>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  #now(): number {
    return this.#clock.now().getTime();
  }

  view(id: string): View | undefined {
    return this.#views.get(id);
  }

  /** Units under way by this node. */
  inFlight(id: string): number {
    return this.#inFlight.get(id) ?? 0;
  }

  /** Buckets in use. */
  claims(): BucketClaim[] {
    return [...this.#known.values()].map(({ claim }) => claim);
  }

  /** The copies are of a counter that is no more. */
  clear(): void {
    this.#views.clear();
  }

  /** Notes that buckets are used. */
  know(claims: readonly BucketClaim[]): void {
    const now = this.#now();
    for (const claim of claims) {
      const id = bucketId(claim);
      const known = this.#known.get(id);
      if (known === undefined) this.#known.set(id, { claim, usedAt: now });
      else {
        known.claim = claim;
        known.usedAt = now;
      }
    }
  }

  /** Counts units that begin (1) or end (-1). */
  fly(claims: readonly BucketClaim[], sign: 1 | -1): void {
    for (const claim of claims) {
      const id = bucketId(claim);
      const units = (this.#inFlight.get(id) ?? 0) + sign * (claim.cost ?? 1);
      if (units <= 0) this.#inFlight.delete(id);
      else this.#inFlight.set(id, units);
    }
  }

  /** Makes room for copies of buckets that were only asked about. */
  ask(claims: readonly BucketClaim[]): void {
    // Those that nobody uses are forgotten at the next beat.
    for (const claim of claims)
      if (!this.#known.has(bucketId(claim))) this.#known.set(bucketId(claim), { claim, usedAt: 0 });
  }

  /** Buckets whose copy is too old, oldest first. Forgets those that nobody has used for long. */
  due(): BucketClaim[] {
    const now = this.#now();
    const due: { claim: BucketClaim; at: number }[] = [];
    for (const [id, { claim, usedAt }] of this.#known) {
      if (now - usedAt > claim.windowMs + 60_000 && (this.#inFlight.get(id) ?? 0) === 0) {
        this.#known.delete(id);
        this.#views.delete(id);
        continue;
      }
      const at = this.#views.get(id)?.at ?? 0;
      const brief = claim.windowMs <= BRIEF_MS;
      // Of brief windows only what was learned outlives a copy.
      if (brief && claim.learn === undefined) continue;
      if (now - at >= (brief ? VIEW_MS : Math.min(VIEW_MS, claim.windowMs / GRANULES))) due.push({ claim, at });
    }
    return due.sort((a, b) => a.at - b.at).map(({ claim }) => claim);
  }

  /** Takes what the counter told of `claims`, in their order. */
  heard(claims: readonly BucketClaim[], views: readonly WireView[]): void {
    const at = this.#now();
    views.forEach((view, index) => {
      this.#views.set(bucketId(claims[index] as BucketClaim), {
        at,
        granules: Array.isArray(view.g) ? view.g.map(([end, units]) => [at + end, units] as const) : [],
        inFlight: view.f,
        kept: view.k,
        used: view.n,
        limit: view.limit,
        learned: view.l,
        others: view.x,
        restUntil: at + view.r,
        fullAt: at + view.t,
      });
    });
  }

  /** Notes a rest in the copy. Of brief windows there may be none: but for the rest, the one begun here says nothing. */
  rests(claim: BucketClaim, restMs: number): void {
    const id = bucketId(claim);
    let view = this.#views.get(id);
    if (view === undefined && claim.windowMs <= BRIEF_MS) {
      const nothing = { granules: [], inFlight: 0, kept: 0, used: 0, others: 0, restUntil: 0, fullAt: 0 };
      view = { ...nothing, at: 0, limit: claim.limit, learned: false };
      this.#views.set(id, view);
    }
    if (view !== undefined) view.restUntil = Math.max(view.restUntil, this.#now() + restMs);
  }

  /** When the n-th unit from now will be free, in ms, by what is known. `full`: nothing is left now. */
  outlook(claim: BucketClaim, full: boolean): (units: number) => number {
    const now = this.#now();
    const view = this.#views.get(bucketId(claim));
    const limit = Math.max(1, Math.floor((view?.limit ?? claim.limit) - (view?.others ?? 0)));
    const rest = Math.max(0, (view?.restUntil ?? 0) - now);
    // What was in use of a brief window is over by now.
    const stale = view !== undefined && claim.windowMs <= BRIEF_MS && now - view.at > claim.windowMs;
    const counter = this.#counter(claim, stale ? { ...view, granules: [], inFlight: 0, used: 0 } : view, full);
    return (units) => Math.max(rest, counter.forecast(now, units, limit));
  }

  /** The copy of a bucket as a counter of its rule. */
  #counter(claim: BucketClaim, view: View | undefined, full: boolean): Counter {
    const now = this.#now();
    const counter = counterOf(claim.rule, claim.limit, claim.windowMs);
    const limit = view?.limit ?? claim.limit;
    if (claim.rule?.kind === 'fixed') {
      const [, end] = boundaries(claim.rule.align, claim.windowMs, now);
      counter.load([end, full ? limit : (view?.used ?? 0), 0]);
    } else if (claim.rule?.kind === 'gcra') counter.load([full ? now + claim.windowMs / limit : (view?.fullAt ?? 0)]);
    else if (counter instanceof QuotaWindow) {
      for (const [at, number] of view?.granules ?? []) counter.add(at, number);
      const inFlight = view?.inFlight ?? 0;
      counter.take(now, full ? Math.max(inFlight, limit - counter.used(now)) : inFlight);
    } else if (full || view !== undefined) counter.take(now, full ? limit : (view?.used ?? 0), limit);
    return counter;
  }

  *rows(): Generator<BucketSnapshot, void, undefined> {
    for (const [id, { claim }] of this.#known) {
      const now = this.#now();
      const view = this.#views.get(id);
      yield {
        bucket: claim.name,
        key: claim.key,
        used: Math.ceil(view?.used ?? this.#inFlight.get(id) ?? 0),
        limit: Math.floor(view?.limit ?? claim.limit),
        window_ms: claim.windowMs,
        used_by_others: view?.others ?? 0,
        learned: view?.learned ?? claim.learn !== undefined,
        resting_until: view !== undefined && view.restUntil > now ? new Date(view.restUntil).toISOString() : null,
      };
    }
  }
}

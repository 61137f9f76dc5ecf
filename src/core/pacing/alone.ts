/**
 * A node without the shared counter goes on with its share: what is left of every quota, divided among the nodes that were
 * known. What all nodes used before is remembered as the counter last showed it, and whatever the counter may have given
 * out since is taken as used at the moment it was lost. So all nodes together stay within the limit whether they lose the
 * counter together or one by one, and come back one by one.
 */
import type { Clock } from '../clock.ts';
import type { Bucket, BucketClaim } from './bucket.ts';
import { bucketId } from './bucket.ts';
import { boundaries } from './calendar.ts';
import { MemoryStore } from './memory-store.ts';
import type { TakeOutcome, Taker } from './store.ts';
import { QuotaWindow } from './window.ts';

/** A bucket as the shared counter last showed it, in terms of this node's clock. */
export interface View {
  at: number;
  /** Answered units: end of their granule, number. */
  granules: readonly (readonly [at: number, units: number])[];
  inFlight: number;
  /** Left to nodes that were absent already: they may have used it. */
  kept: number;
  used: number;
  limit: number;
  learned: boolean;
  others: number;
  restUntil: number;
  fullAt: number;
}

/** Windows up to this length are not copied from the shared counter: they are simply waited for. */
export const BRIEF_MS = 5_000;

/** Without a copy, windows up to this length are taken as full; longer ones would stop everything for too long. */
export const FULL_UP_TO_MS = 300_000;

/** A call sent just before the counter was lost may arrive that much later. */
const ARRIVAL_MS = 2_000;

/** The share of the node at `rank` of `nodes`: shares add up to `limit` exactly. */
function shareOf(limit: number, nodes: number, rank: number): number {
  return Math.floor(limit / nodes) + (rank < limit % nodes ? 1 : 0);
}

/** What a node tells when it comes back, times relative to now. */
export interface Report {
  claim: BucketClaim;
  inFlight: number;
  own: [at: number, units: number][];
  seed: [at: number, units: number][];
  restMs: number;
  learned: number | undefined;
  fullMs: number;
}

export interface AloneParts {
  clock: Clock;
  nodes: number;
  rank: number;
  lostAt: number;
  view(id: string): View | undefined;
  /** Units this node has under way. */
  inFlight(id: string): number;
  /** Buckets that count the same calls in shorter windows. */
  narrower(claim: BucketClaim): readonly BucketClaim[];
}

export class Alone {
  readonly #parts: AloneParts;
  readonly #store: MemoryStore;
  readonly #seeds = new Map<string, QuotaWindow>();

  constructor(parts: AloneParts) {
    this.#parts = parts;
    this.#store = new MemoryStore(parts.clock, (bucket) => this.#begin(bucket));
  }

  /** Most that all nodes can have taken between the last look and the loss. */
  #unseen(claim: BucketClaim, view: View | undefined): number {
    const { lostAt } = this.#parts;
    if (view === undefined) return claim.windowMs <= FULL_UP_TO_MS ? Number.POSITIVE_INFINITY : 0;
    let most = Number.POSITIVE_INFINITY;
    for (const { limit, windowMs } of this.#parts.narrower(claim))
      most = Math.min(most, limit * (Math.ceil((lostAt - view.at) / windowMs) + 1));
    return most;
  }

  #begin(bucket: Bucket): void {
    const { claim } = bucket;
    const { clock, nodes, rank, lostAt } = this.#parts;
    const now = clock.now().getTime();
    const id = bucketId(claim);
    const view = this.#parts.view(id);
    const limit = Math.max(1, Math.floor(view?.limit ?? claim.limit));
    const kind = claim.rule?.kind ?? 'log';
    if (view !== undefined) {
      bucket.load({
        claim,
        counter: kind === 'gcra' ? [view.fullAt] : [],
        rest: view.restUntil,
        changed: now,
        ...(view.learned ? { learned: view.limit } : {}),
      });
    }
    const underWay = this.#parts.inFlight(id);
    if (underWay > 0) bucket.counter.take(now, underWay, limit);
    if (kind === 'gcra') {
      bucket.share = (_now, room) => room / nodes;
      bucket.shareLater = (room) => room / nodes;
      return;
    }
    const seed = new QuotaWindow(limit, claim.windowMs);
    // Told to nobody: the counter leaves absent nodes their share by itself.
    const away = new QuotaWindow(limit, claim.windowMs);
    const kept = view?.kept ?? 0;
    const used = Math.min(limit, view?.used ?? 0);
    if (claim.rule?.kind === 'fixed') {
      // Free again when the platform's window ends, not one window later.
      const [start] = boundaries(claim.rule.align, claim.windowMs, lostAt);
      seed.add(start, Math.min(limit, used + this.#unseen(claim, view)));
      away.add(start, kept);
    } else {
      for (const [at, units] of view?.granules ?? []) seed.add(at, units);
      const certain = seed.used(now) + (view?.inFlight ?? 0);
      const unseen = Math.min(Math.max(0, limit - certain), this.#unseen(claim, view));
      if (claim.rule === undefined || claim.rule.kind === 'log') {
        seed.add(lostAt + ARRIVAL_MS, unseen + (view?.inFlight ?? 0));
        away.add(lostAt + ARRIVAL_MS, kept);
      }
    }
    this.#seeds.set(id, seed);
    bucket.shareLater = (room) => shareOf(Math.max(0, Math.floor(room)), nodes, rank);
    bucket.share = (at, room) =>
      Math.floor(
        shareOf(Math.max(0, Math.floor(room)), nodes, rank) *
          (1 - Math.min(1, (seed.used(at) + away.used(at)) / limit)),
      );
  }

  take(claims: readonly BucketClaim[], taker: Pick<Taker, 'rank' | 'owed'>): TakeOutcome {
    return this.#store.take(claims, taker);
  }

  get store(): MemoryStore {
    return this.#store;
  }

  /** What happened here, to be added to what the others did. */
  report(claims: readonly BucketClaim[]): Report[] {
    const now = this.#parts.clock.now().getTime();
    return claims.map((claim) => {
      const id = bucketId(claim);
      const bucket = this.#store.bucket(claim);
      const state = bucket.dump(now);
      const kind = claim.rule?.kind ?? 'log';
      const underWay = this.#parts.inFlight(id);
      const flat = (window: readonly number[], skip: number): [number, number][] => {
        const out: [number, number][] = [];
        for (let index = 0; index + 1 < window.length - skip; index += 2)
          out.push([((window[index] as number) + 1) * (claim.windowMs / 100) - now, window[index + 1] as number]);
        return out;
      };
      const seed = this.#seeds.get(id);
      const log = kind === 'log' || kind === 'concurrency';
      const calls = bucket.counter.inFlight();
      return {
        claim,
        inFlight: underWay,
        // The last pair of a log's dump stands for calls under way, which are told on their own.
        own: log
          ? flat(state.counter, kind === 'log' && calls > 0 ? 2 : 0)
          : kind === 'fixed'
            ? [[0, Math.max(0, bucket.counter.used(now, claim.limit) - calls)]]
            : [],
        seed: seed === undefined ? [] : kind === 'fixed' ? [[0, seed.used(now)]] : flat(seed.dump(now), 0),
        restMs: Math.max(0, state.rest - now),
        learned: state.learned,
        fullMs: kind === 'gcra' ? Math.max(0, (state.counter[0] ?? 0) - now) : 0,
      };
    });
  }
}

/**
 * One quota bucket under one key: the counter of its rule, and all that changes its limit: what the platform said, what
 * was learned from its refusals, what others use, and what is kept for more urgent calls.
 *
 * The shared counter (`redis-script-buckets.ts`) holds the same rules; one suite of tests judges both.
 */
import type { QuotaRule } from '../connector/types.ts';
import type { Counter } from './counter.ts';
import { counterOf, Places } from './counters.ts';

/** One bucket with the key it is counted under. */
export interface BucketClaim {
  /** Name of the bucket: platform id and name in its manifest. */
  name: string;
  key: string;
  limit: number;
  windowMs: number;
  /** Default: exact log. */
  rule?: QuotaRule;
  /** Units this call takes. Default 1. */
  cost?: number;
  /** The limit is learned between these bounds. */
  learn?: { min: number; max: number };
  /** Which calls are counted: buckets with the same scope and key count the same calls. Default: the name. */
  scope?: string;
  /** Name and key as one text; filled in at the first use. */
  id?: string;
}

/** What an answer of the platform said about a quota. */
export interface QuotaView {
  /** The platform's own figure. */
  limit?: number;
  /** Units left. */
  remaining?: number;
  /** Share used, 0 to 1; over `slowAt` the bucket is slowed down. */
  fraction?: number;
  slowAt?: number;
  stopAt?: number;
  /** Milliseconds until the quota is full again. */
  resetMs?: number;
}

/** A bucket as `GET /v1/quotas` shows it. */
export interface BucketSnapshot {
  bucket: string;
  key: string;
  used: number;
  limit: number;
  window_ms: number;
  /** Units others were seen to use. */
  used_by_others: number;
  /** The limit was learned, or lowered after a refusal. */
  learned: boolean;
  resting_until: string | null;
}

/** Calls by urgency, most urgent first. */
export const PRIORITIES = ['interactive', 'refresh', 'sync', 'backfill'] as const;
export type Priority = (typeof PRIORITIES)[number];
/** Their ranks: 0 is the most urgent. */
export const RANKS: readonly number[] = PRIORITIES.map((_priority, rank) => rank);

/** A refusal lowers the limit to this share. The AWS SDK's adaptive mode uses the same. */
export const LOWER = 0.7;
/** A clean minute raises it by this factor. */
export const RAISE = 1.05;
export const CLEAN_MS = 60_000;
/** Near the level of the last refusal a hidden limit is tried out in smaller steps: one refusal in many minutes. */
export const NEAR = 0.9;
export const RAISE_NEAR = 1.005;
/** A hidden limit is raised only after this share of it was in use: less says nothing of it. */
export const PRESSED = 0.8;
/** At most this share of a bucket is kept free for more urgent calls, by rank of the waiting call. */
export const RESERVE = [0, 0.05, 0.1, 0.2] as const;
/** Shorter windows need no reserve: an urgent call waits a few seconds at most. */
export const RESERVE_FROM_MS = 30_000;

/** Name and key as one text, made once per claim. */
export function bucketId(claim: BucketClaim): string {
  claim.id ??= `${claim.name}|${claim.key}`;
  return claim.id;
}

/** A hidden limit is raised after a whole window at it without a refusal: sooner, nothing was shown. */
const cleanMs = (windowMs: number): number => Math.max(CLEAN_MS, windowMs);

/** Refusals within one episode come from the same excess and count once. */
const episodeMs = (windowMs: number): number => Math.min(CLEAN_MS, Math.max(1_000, windowMs));

export class Bucket {
  claim: BucketClaim;
  readonly counter: Counter;
  /** Turns the limit into a share of it while the shared counter is away. */
  share: ((now: number, limit: number) => number) | undefined;
  /** The same without what was in use when the counter was lost: what there will be a window later. */
  shareLater: ((limit: number) => number) | undefined;
  #restUntil = 0;
  /** Undefined = the declared limit holds. */
  #learned: number | undefined;
  #changedAt = 0;
  #loweredAt = 0;
  /** The level that was refused last. */
  #refusedAt = Number.POSITIVE_INFINITY;
  /** Most of the limit was in use since the last change: only then a raise says anything. */
  #pressed = false;
  /** The platform's own figure. */
  #stated: number | undefined;
  #others = 0;
  #othersUntil = 0;
  #squeeze = 1;
  #squeezeUntil = 0;
  /** Units per window taken by interactive calls of late. */
  #urgent = 0;
  #urgentAt = 0;

  constructor(claim: BucketClaim) {
    this.claim = claim;
    this.counter = counterOf(claim.rule, claim.limit, claim.windowMs);
    if (claim.learn !== undefined) this.#learned = claim.limit;
  }

  /** The limit is another one now: a new access level, or more of what it grows with. What was counted still counts. */
  relimit(claim: BucketClaim): void {
    if (claim.learn === undefined) {
      if (this.#learned !== undefined) this.#learned *= claim.limit / this.claim.limit;
    } else if (this.#loweredAt === 0) this.#learned = claim.limit;
    this.claim = claim;
  }

  /** Full limit at `now`, before what others use and what is kept free. */
  limit(now: number): number {
    const { claim } = this;
    const ceiling = this.#stated ?? claim.learn?.max ?? claim.limit;
    if (this.#learned === undefined) return ceiling;
    const quiet = this.#changedAt === 0 ? 0 : now - this.#changedAt;
    if (claim.learn === undefined)
      return Math.min(ceiling, this.#learned * RAISE ** Math.max(0, Math.floor(quiet / CLEAN_MS)));
    // A published limit comes back by itself; a hidden one is tried out only while it is asked for.
    if (quiet < cleanMs(claim.windowMs) || !this.#pressed) return Math.min(ceiling, this.#learned);
    return Math.min(ceiling, this.#learned * (this.#learned < NEAR * this.#refusedAt ? RAISE : RAISE_NEAR));
  }

  /** Makes the growth since the last change the new state. */
  #grow(now: number): number {
    const limit = this.limit(now);
    const after = this.claim.learn === undefined ? CLEAN_MS : cleanMs(this.claim.windowMs);
    if (this.#learned !== undefined && now - this.#changedAt >= after) {
      this.#changedAt = now;
      this.#pressed = false;
      this.#learned = this.claim.learn === undefined && limit >= (this.#stated ?? this.claim.limit) ? undefined : limit;
    }
    return limit;
  }

  /** Units that may be in use at `now` by calls of this rank. */
  #room(now: number, rank: number): number {
    const room = this.#whole(now, rank);
    return this.share === undefined ? room : this.share(now, room);
  }

  /** The same of all nodes. */
  #whole(now: number, rank: number): number {
    const full = Math.max(1, Math.floor(this.limit(now)));
    let room = full;
    if (this.#squeezeUntil > now) room = Math.max(1, Math.floor(room * this.#squeeze));
    if (this.#othersUntil > now) room -= this.#others;
    if (rank > 0 && this.#urgent > 0 && this.claim.windowMs >= RESERVE_FROM_MS) {
      const urgent = this.#urgent * Math.exp(-(now - this.#urgentAt) / this.claim.windowMs);
      room -= Math.min(Math.ceil(full * (RESERVE[rank] as number)), Math.floor(urgent));
    }
    return room;
  }

  /** As `Counter.waitMs`, with everything that lowers the limit. */
  waitMs(now: number, cost: number, rank: number): number | null {
    if (this.#restUntil > now) return this.#restUntil - now;
    const room = this.#room(now, rank);
    // A call dearer than all there ever is goes when nothing else is in use.
    const wait = this.counter.waitMs(now, Math.min(cost, Math.max(1, room)), room);
    if (wait === 0 || this.#othersUntil <= now) return wait;
    return Math.min(wait ?? Number.POSITIVE_INFINITY, this.#othersUntil - now);
  }

  take(now: number, cost: number, rank: number): void {
    const limit = this.#grow(now);
    this.counter.take(now, cost, limit);
    if (this.#learned !== undefined && this.counter.used(now, limit) >= PRESSED * limit) this.#pressed = true;
    if (this.#changedAt === 0) this.#changedAt = now;
    if (rank === 0 && this.claim.windowMs >= RESERVE_FROM_MS) {
      this.#urgent = this.#urgent * Math.exp(-(now - this.#urgentAt) / this.claim.windowMs) + cost;
      this.#urgentAt = now;
    }
  }

  forecast(now: number, units: number, rank: number): number {
    const rest = Math.max(0, this.#restUntil - now);
    const { counter, claim } = this;
    const room = this.#room(now, rank);
    if (this.shareLater === undefined) return Math.max(rest, counter.forecast(now, units, Math.max(1, room)));
    if (counter.used(now, Math.max(1, room)) + units <= room) return rest;
    // What was in use when the counter was lost is free a window later at most; then there is the share.
    const later = Math.max(1, this.shareLater(this.#whole(now, rank)));
    return Math.max(rest, counter.forecast(now, units, later) + (room < later ? claim.windowMs : 0));
  }

  /** The platform refused under this key. Rests until `until`; `lower`: the limit proved too high. */
  refused(now: number, until: number, lower: boolean): void {
    this.#restUntil = Math.max(this.#restUntil, until);
    if (!lower) return;
    const { claim } = this;
    const current = this.#grow(now);
    if (this.#loweredAt !== 0 && now - this.#loweredAt < episodeMs(claim.windowMs)) return;
    const used = this.counter.used(now, current);
    // Under a hidden limit our use says where it lies; under a published one others used the rest.
    const from = claim.learn === undefined ? current : Math.min(current, Math.max(used, current / 3));
    this.#learned = Math.max(claim.learn?.min ?? 1, from * LOWER);
    this.#refusedAt = from;
    this.#changedAt = now;
    this.#loweredAt = now;
    this.#pressed = false;
  }

  /** What an answer said. */
  observe(now: number, view: QuotaView): void {
    const { claim } = this;
    if (view.limit !== undefined && view.limit > 0) {
      this.#stated = view.limit;
      if (claim.learn !== undefined) this.#learned = Math.max(this.#learned ?? 0, view.limit);
    }
    const until = now + (view.resetMs ?? claim.windowMs);
    if (view.remaining !== undefined) {
      const limit = Math.floor(this.limit(now));
      this.#others = Math.max(0, limit - view.remaining - this.counter.used(now, limit));
      this.#othersUntil = this.#others > 0 ? until : 0;
      if (view.remaining <= 0) this.#restUntil = Math.max(this.#restUntil, until);
    }
    if (view.fraction !== undefined) {
      const { slowAt = 0.75, stopAt = 0.95 } = view;
      if (view.fraction >= stopAt) this.#restUntil = Math.max(this.#restUntil, until);
      this.#squeeze = Math.max(0.1, (stopAt - view.fraction) / (stopAt - slowAt));
      this.#squeezeUntil = view.fraction > slowAt ? until : 0;
    }
  }

  /** Jobs that ended before their longest time. */
  end(units: number): void {
    if (this.counter instanceof Places) this.counter.end(units);
  }

  snapshot(now: number): BucketSnapshot {
    const { claim } = this;
    const limit = this.limit(now);
    const others = this.#othersUntil > now ? this.#others : 0;
    return {
      bucket: claim.name,
      key: claim.key,
      used: Math.ceil(this.counter.used(now, limit) + others),
      limit: Math.max(1, Math.floor(limit)),
      window_ms: claim.windowMs,
      used_by_others: others,
      learned: this.#learned !== undefined,
      resting_until: this.#restUntil > now ? new Date(this.#restUntil).toISOString() : null,
    };
  }

  /** May be forgotten: nothing counted, no rest, nothing learned that the next one would not start with. */
  idle(now: number): boolean {
    const plain = this.#learned === undefined || this.#learned === this.claim.learn?.max || this.#loweredAt === 0;
    return this.counter.idle(now) && this.#restUntil <= now && plain && this.#stated === undefined;
  }

  /** Holds what outlives its window: a rest, or a limit that was learned. */
  keeps(now: number): boolean {
    return this.#restUntil > now || this.#learned !== undefined || this.#stated !== undefined;
  }

  /** Everything that must survive a restart. */
  dump(now: number): BucketState {
    return {
      claim: this.claim,
      counter: this.counter.dump(now),
      rest: this.#restUntil,
      ...(this.#learned === undefined ? {} : { learned: this.#learned }),
      ...(this.#stated === undefined ? {} : { stated: this.#stated }),
      changed: this.#changedAt,
      ...(this.#loweredAt === 0 ? {} : { lowered: this.#loweredAt, refused: this.#refusedAt }),
    };
  }

  load(state: BucketState): void {
    this.counter.load(state.counter);
    this.#restUntil = Math.max(this.#restUntil, state.rest);
    this.#learned = state.learned ?? this.#learned;
    this.#stated = state.stated ?? this.#stated;
    this.#changedAt = state.changed;
    this.#loweredAt = state.lowered ?? this.#loweredAt;
    this.#refusedAt = state.refused ?? this.#refusedAt;
  }
}

/** A bucket as plain data. */
export interface BucketState {
  claim: BucketClaim;
  counter: readonly number[];
  rest: number;
  learned?: number;
  stated?: number;
  changed: number;
  /** When a refusal lowered it last, and the level that was refused. */
  lowered?: number;
  refused?: number;
}

/**
 * Hands out permits for platform calls: all quota buckets of a call at once, in turn between workspaces and connections,
 * urgent calls first, within the caller's deadline. A call whose turn cannot come in time is refused at once.
 *
 * What is free is counted in `store.ts`; calls for which nothing is free wait in `queue.ts`.
 */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import {
  type BucketClaim,
  type BucketSnapshot,
  bucketId,
  PRIORITIES,
  type Priority,
  type QuotaView,
} from './bucket.ts';
import { inTime } from './in-time.ts';
import { MemoryStore } from './memory-store.ts';
import { estimate, forecast, outlookParts, type Wait } from './outlook.ts';
import { count, FREE, type PacerCounts, type Permit, Permits } from './permits.ts';
import { Queue } from './queue.ts';
import type { QuotaStore, TakeOutcome } from './store.ts';
import type { Caller } from './waiter.ts';

export type { BucketClaim, BucketSnapshot, Priority, QuotaView } from './bucket.ts';
export type { PacerCounts, Permit } from './permits.ts';

/** Who makes a call. A plain string stands for a workspace with one connection. */
export interface PacedCaller {
  workspace: string;
  connection: string;
  /** Share relative to other workspaces; default 1. */
  weight?: number;
  /** Default `interactive`. */
  priority?: Priority;
}

export class Pacer {
  readonly #clock: Clock;
  readonly #store: QuotaStore;
  /** Calls that wait, by the id of the widest bucket that they share. */
  readonly #queues = new Map<string, Queue>();
  readonly #permits: Permits;
  readonly #refusedByPlatform = new Map<string, number>();
  /** Buckets that were refused last, and until when each rested. */
  readonly #rested = new LRUCache<string, number>({ max: 1_000 });

  constructor(clock: Clock, store: QuotaStore = new MemoryStore(clock)) {
    this.#clock = clock;
    this.#store = store;
    this.#permits = new Permits(clock, store, this.#queues);
  }

  #now(): number {
    return this.#clock.now().getTime();
  }

  // ---------------------------------------------------------------------------------------------- permits

  /**
   * A permit for one call under all `claims`, the widest first. Waits at most `maxWaitMs`; a wait that cannot end in time
   * is refused at once.
   *
   * @throws PolyadError `quota_wait`, with `details.bucket` and when to come back
   * @throws what `signal` was aborted with
   */
  acquire(
    who: string | PacedCaller,
    claims: readonly BucketClaim[],
    maxWaitMs: number,
    signal: AbortSignal,
  ): Promise<Permit> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (claims.length === 0) return Promise.resolve(FREE);
    const caller: Caller =
      typeof who === 'string'
        ? { workspace: who, connection: who, weight: 1, rank: 0 }
        : {
            workspace: who.workspace,
            connection: who.connection,
            weight: who.weight ?? 1,
            rank: Math.max(0, PRIORITIES.indexOf(who.priority ?? 'interactive')),
          };
    const domain = bucketId(claims[0] as BucketClaim);
    const deadline = this.#now() + maxWaitMs;
    // Behind those who wait already.
    if (this.#queues.has(domain)) return this.#wait(domain, caller, claims, deadline, signal, undefined);
    const { rank, workspace, weight } = caller;
    const outcome = this.#store.take(claims, { domain, rank, workspace, weight, queued: false });
    if (!(outcome instanceof Promise)) {
      if (outcome.ok) return Promise.resolve(this.#permits.give(claims));
      return this.#wait(domain, caller, claims, deadline, signal, outcome);
    }
    return inTime(this.#permits, outcome, claims, maxWaitMs, signal).then((taken) =>
      taken.ok ? this.#permits.give(claims) : this.#wait(domain, caller, claims, deadline, signal, taken),
    );
  }

  /** Lets a call wait for its turn, if that can come in time. `outcome`: what the counter said to it, if it was asked. */
  #wait(
    domain: string,
    caller: Caller,
    claims: readonly BucketClaim[],
    deadline: number,
    signal: AbortSignal,
    outcome: TakeOutcome | undefined,
  ): Promise<Permit> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const now = this.#now();
    let queue = this.#queues.get(domain);
    const lane = claims.map(bucketId).join('\n');
    const { waitMs, claim } = estimate(this.#permits, queue, lane, caller, claims, outcome);
    if (now + waitMs > deadline) return Promise.reject(this.#permits.refusal(claim.name, waitMs));
    if (queue === undefined) {
      queue = new Queue(domain, claim.windowMs, this.#permits, this.#queues);
      this.#queues.set(domain, queue);
    }
    return queue.add(lane, caller, claims, deadline, signal, now, waitMs, outcome);
  }

  /**
   * Counts a call that cannot wait its turn, such as the renewal of a token that others with a permit are waiting for:
   * the calls after it wait so much longer.
   */
  charge(claims: readonly BucketClaim[]): Permit {
    if (claims.length === 0) return FREE;
    this.#store.charge(claims);
    return this.#permits.give(claims);
  }

  /**
   * The answer says that a call took more units than it claimed: the rest is counted now, and the calls after it wait so
   * much longer.
   */
  settle(claim: BucketClaim, units: number): void {
    const more = units - (claim.cost ?? 1);
    if (!(more > 0)) return;
    const rest = [{ ...claim, cost: more }];
    this.#store.charge(rest);
    this.#store.answered(rest);
  }

  // ---------------------------------------------------------------------------------------------- what platforms say

  /** The platform refused under this key: nothing more goes out before the recovery time (milliseconds since 1970). */
  rest(claim: BucketClaim, untilMs: number): void {
    void this.#store.refused(claim, Math.max(0, untilMs - this.#now()), false);
  }

  /**
   * The platform refused although we held a permit: the key rests for `restMs`, and its limit is lowered to seven tenths
   * until clean minutes raise it again, for either it is lower than thought or somebody else uses it.
   */
  refused(claim: BucketClaim, restMs: number): void {
    count(this.#refusedByPlatform, claim.name);
    this.#rested.set(bucketId(claim), this.#now() + restMs);
    void this.#store.refused(claim, restMs, true);
  }

  /**
   * The key was refused, rested as long as it was told to, and is refused again within one window: where an answer does
   * not say which of several quotas is full, it is another one. As this node has seen it.
   */
  restedInVain(claim: BucketClaim): boolean {
    const until = this.#rested.get(bucketId(claim));
    const now = this.#now();
    return until !== undefined && until <= now && now - until < claim.windowMs;
  }

  /** What an answer said about a quota. */
  observe(claim: BucketClaim, view: QuotaView): void {
    this.#store.observe(claim, view);
  }

  /** A job begun under these claims is over. */
  jobEnded(claims: readonly BucketClaim[]): void {
    const jobs = claims.filter(({ rule }) => rule?.kind === 'concurrency' && rule.holds === 'job');
    if (jobs.length === 0) return;
    this.#store.ended(jobs);
    // Who waits for the place waits with all who share the widest quota.
    this.#permits.reopen(claims, true);
  }

  // ---------------------------------------------------------------------------------------------- what is left

  /** Milliseconds until `calls` more calls under these claims can all have gone, and the quota that takes longest. */
  forecast(claims: readonly BucketClaim[], calls: number): Wait {
    return forecast(outlookParts(this.#permits, this.#now(), undefined), claims, calls, 0);
  }

  /** Looks anew at what is left of these quotas, before a forecast: other nodes may have used them. */
  async look(claims: readonly BucketClaim[]): Promise<void> {
    await this.#store.look?.(claims);
  }

  /** Buckets this node has used. */
  snapshot(): BucketSnapshot[] {
    return [...this.rows()];
  }

  /** The same one by one: there can be very many. */
  rows(): Iterable<BucketSnapshot> {
    return this.#store.rows();
  }

  /** Buckets of all nodes, for `GET /v1/quotas`. */
  inspect(): Promise<Iterable<BucketSnapshot>> {
    return this.#store.inspect();
  }

  /** How the counter is, for health checks. */
  status(): ReturnType<QuotaStore['status']> {
    return this.#store.status();
  }

  counts(): PacerCounts {
    const { granted, waitedMs, refused } = this.#permits;
    return { granted, waitedMs, refused, refusedByPlatform: this.#refusedByPlatform };
  }

  /** Calls that wait for quota. */
  waiting(): number {
    let all = 0;
    for (const { turns } of this.#queues.values()) all += turns.size;
    return all;
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

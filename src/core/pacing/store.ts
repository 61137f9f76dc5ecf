/**
 * Where buckets are counted: in memory on one node, in Redis on many. Both keep the same rules and pass the same suite
 * (test/pacing/store.test.ts). Waiting, turns within a node and deadlines are the pacer's.
 */
import type { BucketClaim, BucketSnapshot, QuotaView } from './bucket.ts';
import type { Backlogs } from './waiter.ts';

/** Who asks, for turns between nodes. */
export interface Taker {
  /** What the call competes for: the id of its widest bucket. */
  domain: string;
  /** Rank of the priority, 0 = most urgent. */
  rank: number;
  workspace: string;
  /** Share relative to other workspaces. */
  weight: number;
  /** The call has waited, or others of this node wait: its turn is compared with other nodes'. */
  queued: boolean;
  /** One slot of many goes to the less urgent: this one. What is kept free for more urgent calls is open to it. */
  owed?: boolean;
  /** Service its workspace has had since it waits, as this node knows it. */
  served?: number;
}

/** All was taken. */
export interface Taken {
  ok: true;
  /** Service the workspace has had, as all nodes count it, this call included. */
  served?: number;
}

/** A bucket was full. */
export interface Full {
  ok: false;
  /** Name of the bucket. */
  bucket: string;
  /** Its id (name and key). */
  id: string;
  /** Milliseconds until it may not be; null = until an answer comes. */
  waitMs: number | null;
  /** Service the workspace has had, as all nodes count it. */
  served?: number;
}

/** Nothing was full: another node's call goes first, or the counter cannot be asked at the moment. */
export interface NotNow {
  ok: false;
  bucket: null;
  /** Milliseconds until it is worth asking again. */
  waitMs: number;
  served?: number;
}

export type TakeOutcome = Taken | Full | NotNow;

export interface QuotaStore {
  /** Takes all claims or none. */
  take(claims: readonly BucketClaim[], taker: Taker): TakeOutcome | Promise<TakeOutcome>;
  /** Counts a call that goes whatever is free. */
  charge(claims: readonly BucketClaim[]): void;
  /** The call was answered (or its connection broke): windows run from now. */
  answered(claims: readonly BucketClaim[]): void;
  /** The call was not sent. */
  cancelled(claims: readonly BucketClaim[]): void;
  /** A job ended. */
  ended(claims: readonly BucketClaim[]): void;
  /** The platform refused: nothing goes out under this key for `restMs`; `lower`: the limit is taken down too. */
  refused(claim: BucketClaim, restMs: number, lower: boolean): void | Promise<void>;
  observe(claim: BucketClaim, view: QuotaView): void;
  /**
   * A function that tells in how many milliseconds so many more units of a quota will have become free. An estimate, as of
   * now. `full`: the bucket was just seen full, for counters that have no copy of it.
   */
  outlook(claim: BucketClaim, rank: number, full?: boolean): (units: number) => number;
  /** Makes what `outlook` says of these buckets as true as it can be; absent where it always is. */
  look?(claims: readonly BucketClaim[]): Promise<void>;
  /** Tells other nodes what waits here for a domain; answers what waits there. Absent where there are none. */
  exchange?(domain: string, backlog: Backlogs): Promise<Backlogs | undefined>;
  /** Nobody of this workspace waits any more. */
  left(taker: Taker): void;
  /** Longest sleep before asking again: what other nodes free is not told. */
  readonly pollMs: number;
  /** Buckets this node has used, from its own memory. There can be very many: whoever goes through them breathes. */
  rows(): Iterable<BucketSnapshot>;
  /** Buckets of all nodes, as many. */
  inspect(): Promise<Iterable<BucketSnapshot>>;
  /** One word and a sentence for health checks. */
  status(): { shared: boolean; nodes: number; degraded: string | null };
  close(): Promise<void>;
}

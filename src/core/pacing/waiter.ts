/** Who waits for quota, as turns, estimates and other nodes see it. */
import type { BucketClaim } from './bucket.ts';

/** For whom a call is made. */
export interface Caller {
  workspace: string;
  connection: string;
  /** Share relative to other workspaces. */
  weight: number;
  /** Rank of the priority, 0 = most urgent. */
  rank: number;
}

/** A call that waits. */
export interface Waiter extends Caller {
  claims: readonly BucketClaim[];
  /** Until when it waits, in ms since 1970. */
  deadline: number;
  /** Its turn has come: all it claims was taken. */
  resolve(): void;
  reject(error: unknown): void;
  /** Refused or hung up: what is being taken for it at the moment is given back. */
  gone: boolean;
  /** Place in the order of arrival. */
  order: number;
}

/** Waiting calls with the same claims: when one of them cannot go, none can. */
export interface Lane {
  claims: readonly BucketClaim[];
  /** Per rank: workspace -> connection -> calls in order. */
  ranks: Map<string, Map<string, Waiter[]>>[];
}

/** A waiting call and its lane. */
export interface Placed {
  lane: string;
  waiter: Waiter;
}

/** What waits for one workspace and rank: how many calls, and the workspace's share. */
export interface Backlog {
  calls: number;
  weight: number;
  /** Nodes at which they wait: those serve the workspace by turns. */
  nodes: number;
}

/** What waits, here or at other nodes, by rank and workspace. */
export type Backlogs = readonly ReadonlyMap<string, Backlog>[];

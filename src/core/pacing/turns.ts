/**
 * Whose turn it is among the calls that wait for one domain (the widest bucket they share). Urgent calls first, with
 * every sixteenth slot for less urgent ones, so that none waits for ever. Within a priority workspaces share by weight,
 * within a workspace its connections share alike, by the cost of what they have had: deficit round robin with the quantum
 * of one call, kept as service tags, so that a late comer starts where the others are and cannot claim the past.
 *
 * Where a call stands in this order before its turn comes: `line.ts`.
 */
import { LRUCache } from 'lru-cache';
import { type BucketClaim, RANKS } from './bucket.ts';
import { fadeOf, Pace } from './pace.ts';
import { Tags } from './tags.ts';
import type { Backlog, Backlogs, Caller, Lane, Placed, Waiter } from './waiter.ts';

/** One slot of this many goes to the next lower priority that waits. */
export const LOWER_SHARE = 16;

export class Turns {
  readonly #lanes = new Map<string, Lane>();
  /** Service of workspaces, by rank. */
  readonly #workspaces = RANKS.map(() => new Tags());
  /** Service of connections, by rank and workspace. */
  readonly #connections = new Map<string, Tags>();
  /** By rank: calls of more urgent ranks that went since it had a slot, while it waited. */
  readonly #owed = RANKS.map(() => 0);
  /** What waits, by rank and workspace, over all lanes. */
  readonly #backlog = RANKS.map(() => new Map<string, Backlog>());
  /**
   * By rank and workspace, and of each rank as a whole. With `max` all places would be made at once, and many queues live
   * for a moment.
   */
  readonly #paces = new LRUCache<string, Pace>({ maxSize: 4_096, sizeCalculation: () => 1 });
  readonly #fadeMs: number;
  #size = 0;
  #arrivals = 0;

  /** `windowMs`: window of the quota that the calls compete for. */
  constructor(windowMs = 0) {
    this.#fadeMs = fadeOf(windowMs);
  }

  /** Calls that wait. */
  get size(): number {
    return this.#size;
  }

  get lanes(): ReadonlyMap<string, Lane> {
    return this.#lanes;
  }

  get backlog(): Backlogs {
    return this.#backlog;
  }

  /** Calls of more urgent ranks that went before each rank: at `LOWER_SHARE - 1` the next slot is owed to it. */
  get owed(): readonly number[] {
    return this.#owed;
  }

  /** Puts a call behind the others of its lane, rank, workspace and connection. */
  add(lane: string, waiter: Waiter, now: number): void {
    let found = this.#lanes.get(lane);
    if (found === undefined) {
      found = { claims: waiter.claims, ranks: RANKS.map(() => new Map()) };
      this.#lanes.set(lane, found);
    }
    const { rank, workspace, connection, weight } = waiter;
    const workspaces = found.ranks[rank] as Lane['ranks'][number];
    const connections = workspaces.get(workspace) ?? new Map<string, Waiter[]>();
    const queue = connections.get(connection) ?? [];
    const waiting = this.#waiting(rank);
    const own = waiting.get(workspace);
    if (own === undefined) {
      this.workspaceTags(rank).arrive(workspace, waiting.keys());
      this.#pace(rank, workspace).waiting(true, now, this.#fadeMs);
      if (waiting.size === 0) this.#pace(rank).waiting(true, now, this.#fadeMs);
    }
    if (queue.length === 0) this.connectionTags(rank, workspace).arrive(connection, connections.keys());
    waiting.set(workspace, { calls: (own?.calls ?? 0) + 1, weight, nodes: 1 });
    this.#arrivals += 1;
    waiter.order = this.#arrivals;
    queue.push(waiter);
    connections.set(connection, queue);
    workspaces.set(workspace, connections);
    this.#size += 1;
  }

  /** Takes a waiting call out; true when nobody of its workspace and rank is left in any lane. */
  remove(lane: string, waiter: Waiter, now: number): boolean {
    const found = this.#lanes.get(lane);
    const workspaces = found?.ranks[waiter.rank];
    const connections = workspaces?.get(waiter.workspace);
    const queue = connections?.get(waiter.connection);
    const at = queue?.indexOf(waiter) ?? -1;
    if (found === undefined || workspaces === undefined || connections === undefined || queue === undefined || at < 0)
      return false;
    queue.splice(at, 1);
    this.#size -= 1;
    const own = this.#waiting(waiter.rank).get(waiter.workspace) as Backlog;
    own.calls -= 1;
    if (own.calls === 0) {
      this.#waiting(waiter.rank).delete(waiter.workspace);
      this.#pace(waiter.rank, waiter.workspace).waiting(false, now, this.#fadeMs);
      if (this.#waiting(waiter.rank).size === 0) this.#pace(waiter.rank).waiting(false, now, this.#fadeMs);
    }
    if (queue.length === 0) connections.delete(waiter.connection);
    if (connections.size === 0) workspaces.delete(waiter.workspace);
    if (found.ranks.every((rank) => rank.size === 0)) this.#lanes.delete(lane);
    if (this.#size === 0) this.#connections.clear();
    return own.calls === 0;
  }

  #waiting(rank: number): Map<string, Backlog> {
    return this.#backlog[rank] as Map<string, Backlog>;
  }

  /** Whose turn it is in lanes that are not `closed`; undefined when nobody can go. */
  next(closed: (claims: readonly BucketClaim[], rank: number) => boolean): (Placed & { owed: boolean }) | undefined {
    for (const [index, rank] of this.#order().entries()) {
      // A slot that is owed comes out of what is kept for more urgent calls too: else a steady crowd of those kept it.
      const owed = index === 0 && rank > 0 && (this.#owed[rank] as number) >= LOWER_SHARE - 1;
      let best: { lane: string; workspace: string; connections: Map<string, Waiter[]>; tag: number } | undefined;
      const tags = this.workspaceTags(rank);
      for (const [lane, { claims, ranks }] of this.#lanes) {
        const workspaces = ranks[rank] as Lane['ranks'][number];
        if (workspaces.size === 0 || closed(claims, owed ? 0 : rank)) continue;
        for (const [workspace, connections] of workspaces) {
          const tag = tags.of(workspace);
          if (best === undefined || tag < best.tag) best = { lane, workspace, connections, tag };
        }
      }
      if (best === undefined) continue;
      const inside = this.connectionTags(rank, best.workspace);
      let least: { queue: Waiter[]; tag: number } | undefined;
      for (const [connection, queue] of best.connections) {
        const tag = inside.of(connection);
        if (least === undefined || tag < least.tag) least = { queue, tag };
      }
      return { lane: best.lane, waiter: least?.queue[0] as Waiter, owed };
    }
    return undefined;
  }

  /** Ranks in the order in which they may go now. */
  #order(): readonly number[] {
    const owed = this.#owed.findIndex((count, rank) => rank > 0 && count >= LOWER_SHARE - 1);
    return owed < 0 ? RANKS : [owed, ...RANKS.filter((rank) => rank !== owed)];
  }

  /** Service of a rank's workspaces. */
  workspaceTags(rank: number): Tags {
    return this.#workspaces[rank] as Tags;
  }

  /** Service of the connections of a workspace that waits. */
  connectionTags(rank: number, workspace: string): Tags {
    const key = `${rank}/${workspace}`;
    let tags = this.#connections.get(key);
    if (tags === undefined) {
      tags = new Tags();
      this.#connections.set(key, tags);
    }
    return tags;
  }

  /** A call of this caller went. `served`: what its workspace has had, as all nodes count it, this call included. */
  charge(caller: Caller, cost: number, now: number, served?: number): void {
    const { rank, workspace, connection, weight } = caller;
    if (this.#waiting(rank).has(workspace)) {
      this.#pace(rank, workspace).served(now, this.#fadeMs);
      this.#pace(rank).served(now, this.#fadeMs);
    }
    const tags = this.workspaceTags(rank);
    if (served === undefined) tags.charge(workspace, cost / weight);
    else tags.set(workspace, served, served - cost / weight);
    if (this.#size === 0) return;
    this.connectionTags(rank, workspace).charge(connection, cost);
    this.#owed[rank] = 0;
    for (let lower = rank + 1; lower < RANKS.length; lower += 1)
      if (this.#waiting(lower).size > 0) this.#owed[lower] = (this.#owed[lower] as number) + 1;
  }

  /** Over all nodes it is not owed a slot yet: it is offered again after the next call of a more urgent one. */
  notYet(rank: number): void {
    this.#owed[rank] = LOWER_SHARE - 2;
  }

  /** Service the workspace has had, as far as this node knows. */
  served({ rank, workspace }: Caller): number {
    return this.workspaceTags(rank).of(workspace);
  }

  /** It was not the workspace's turn: what it and the others have had, as all nodes count it. */
  learn({ rank, workspace }: Caller, served: number): void {
    this.workspaceTags(rank).set(workspace, served, undefined);
  }

  #pace(rank: number, workspace = ''): Pace {
    const key = `${rank}/${workspace}`;
    let pace = this.#paces.get(key);
    if (pace === undefined) {
      pace = new Pace();
      this.#paces.set(key, pace);
    }
    return pace;
  }

  /**
   * Milliseconds until `calls` of a workspace have gone when it is served on as it has been of late, or of all of a rank
   * (without a workspace); undefined when that is not known.
   */
  paceMs(rank: number, workspace: string | undefined, calls: number, now: number): number | undefined {
    return this.#pace(rank, workspace).waitMs(calls, now, this.#fadeMs);
  }

  /** All that waits, in no order. */
  *all(): Iterable<Placed> {
    for (const [lane, { ranks }] of this.#lanes)
      for (const workspaces of ranks)
        for (const connections of workspaces.values())
          for (const queue of connections.values()) for (const waiter of queue) yield { lane, waiter };
  }
}

/**
 * Whose turn it is among the calls that wait for one domain (the widest bucket they share). Urgent calls first, with
 * every sixteenth slot for less urgent ones, so that none waits for ever. Within a priority workspaces share by weight,
 * within a workspace its connections share alike, by the cost of what they have had: deficit round robin with the quantum
 * of one call, kept as service tags, so that a late comer starts where the others are and cannot claim the past.
 */
import { LRUCache } from 'lru-cache';
import type { BucketClaim } from './bucket.ts';
import { fadeOf, Pace } from './pace.ts';
import type { TakeOutcome } from './store.ts';

/** One slot of this many goes to the next lower priority that waits. */
export const LOWER_SHARE = 16;

/** A pace is no promise: a call that would be through just in time at it is told that it will not be. */
const PRUDENCE = 1.1;

export interface Caller {
  workspace: string;
  connection: string;
  weight: number;
  /** Rank of the priority. */
  rank: number;
}

export interface Waiter extends Caller {
  claims: readonly BucketClaim[];
  deadline: number;
  resolve(outcome: TakeOutcome): void;
  reject(error: unknown): void;
  gone: boolean;
  /** Place in the order of arrival. */
  order: number;
}

/** What waits for one workspace and rank: how many calls, and the workspace's share. */
export interface Backlog {
  calls: number;
  weight: number;
  /** Nodes at which they wait: those serve the workspace by turns. */
  nodes: number;
}

/** What waits at other nodes, by rank and workspace. */
export type Elsewhere = readonly ReadonlyMap<string, Backlog>[];

/** A waiting call and its lane. */
export interface Placed {
  lane: string;
  waiter: Waiter;
}

/** Waiting calls with the same claims: when one of them cannot go, none can. */
interface Lane {
  claims: readonly BucketClaim[];
  /** Per rank: workspace -> connection -> calls in order. */
  ranks: Map<string, Map<string, Waiter[]>>[];
}

/** Service had so far, by name. Whoever comes (back) starts where the others are; whoever waits keeps what it has. */
class Tags {
  readonly #served = new Map<string, number>();
  /** Where the others are: the service had by the one that went last, before it went. */
  #level = 0;

  of(name: string): number {
    return this.#served.get(name) ?? this.#level;
  }

  /** Where it starts when it comes now. `waiting`: those that wait. The one among them that had least sets the start. */
  start(name: string, waiting: Iterable<string>): number {
    let start = this.#level;
    for (const other of waiting) start = Math.min(start, this.of(other));
    return Math.max(start, this.#served.get(name) ?? 0);
  }

  arrive(name: string, waiting: Iterable<string>): void {
    this.#served.set(name, this.start(name, waiting));
  }

  charge(name: string, amount: number): void {
    this.set(name, this.of(name) + amount, this.of(name));
  }

  /** What all nodes together have counted. */
  set(name: string, served: number, level: number | undefined): void {
    this.#served.set(name, served);
    if (level !== undefined) this.#level = Math.max(this.#level, level);
    if (this.#served.size > 4_096)
      for (const [one, tag] of this.#served) if (tag < this.#level - 64) this.#served.delete(one);
  }
}

function callsIn(connections: ReadonlyMap<string, readonly Waiter[]>): number {
  let calls = 0;
  for (const queue of connections.values()) calls += queue.length;
  return calls;
}

export class Turns {
  readonly #lanes = new Map<string, Lane>();
  readonly #workspaces = [0, 1, 2, 3].map(() => new Tags());
  readonly #connections = new Map<string, Tags>();
  readonly #owed = [0, 0, 0, 0];
  /** What waits, by rank and workspace, over all lanes. */
  readonly #backlog = [0, 1, 2, 3].map(() => new Map<string, Backlog>());
  /** By rank and workspace, and of each rank as a whole. */
  // With `max` all places would be made at once, and many queues live for a moment.
  readonly #paces = new LRUCache<string, Pace>({ maxSize: 4_096, sizeCalculation: () => 1 });
  readonly #fadeMs: number;
  #size = 0;
  #arrivals = 0;

  /** `windowMs`: window of the quota that the calls compete for. */
  constructor(windowMs = 0) {
    this.#fadeMs = fadeOf(windowMs);
  }

  get size(): number {
    return this.#size;
  }

  add(lane: string, waiter: Waiter, now: number): void {
    let found = this.#lanes.get(lane);
    if (found === undefined) {
      found = { claims: waiter.claims, ranks: [new Map(), new Map(), new Map(), new Map()] };
      this.#lanes.set(lane, found);
    }
    const { rank, workspace, connection, weight } = waiter;
    const workspaces = found.ranks[rank] as Lane['ranks'][number];
    const connections = workspaces.get(workspace) ?? new Map<string, Waiter[]>();
    const queue = connections.get(connection) ?? [];
    const waiting = this.#waiting(rank);
    const own = waiting.get(workspace);
    if (own === undefined) {
      (this.#workspaces[rank] as Tags).arrive(workspace, waiting.keys());
      this.#pace(rank, workspace).waiting(true, now, this.#fadeMs);
      if (waiting.size === 0) this.#pace(rank).waiting(true, now, this.#fadeMs);
    }
    if (queue.length === 0) this.#tags(rank, workspace).arrive(connection, connections.keys());
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

  /** What waits here. */
  backlog(): Elsewhere {
    return this.#backlog;
  }

  /** Whose turn it is in lanes that are not `closed`; undefined when nobody can go. */
  next(closed: (claims: readonly BucketClaim[], rank: number) => boolean): (Placed & { owed: boolean }) | undefined {
    for (const [index, rank] of this.#order().entries()) {
      // A slot that is owed comes out of what is kept for more urgent calls too: else a steady crowd of those kept it.
      const owed = index === 0 && rank > 0 && (this.#owed[rank] as number) >= LOWER_SHARE - 1;
      let best: { lane: string; workspace: string; connections: Map<string, Waiter[]>; tag: number } | undefined;
      const tags = this.#workspaces[rank] as Tags;
      for (const [lane, { claims, ranks }] of this.#lanes) {
        const workspaces = ranks[rank] as Lane['ranks'][number];
        if (workspaces.size === 0 || closed(claims, owed ? 0 : rank)) continue;
        for (const [workspace, connections] of workspaces) {
          const tag = tags.of(workspace);
          if (best === undefined || tag < best.tag) best = { lane, workspace, connections, tag };
        }
      }
      if (best === undefined) continue;
      const inside = this.#tags(rank, best.workspace);
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
  #order(): number[] {
    const order = [0, 1, 2, 3];
    const owed = this.#owed.findIndex((count, rank) => rank > 0 && count >= LOWER_SHARE - 1);
    return owed < 0 ? order : [owed, ...order.filter((rank) => rank !== owed)];
  }

  #waits(rank: number): boolean {
    return this.#waiting(rank).size > 0;
  }

  #tags(rank: number, workspace: string): Tags {
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
    const tags = this.#workspaces[rank] as Tags;
    if (served === undefined) tags.charge(workspace, cost / weight);
    else tags.set(workspace, served, served - cost / weight);
    if (this.#size === 0) return;
    this.#tags(rank, workspace).charge(connection, cost);
    this.#owed[rank] = 0;
    for (let lower = rank + 1; lower < 4; lower += 1)
      if (this.#waits(lower)) this.#owed[lower] = (this.#owed[lower] as number) + 1;
  }

  /** Over all nodes it is not owed a slot yet: it is offered again after the next call of a more urgent one. */
  notYet(rank: number): void {
    this.#owed[rank] = LOWER_SHARE - 2;
  }

  /** Service the workspace has had, as far as this node knows. */
  served({ rank, workspace }: Caller): number {
    return (this.#workspaces[rank] as Tags).of(workspace);
  }

  /** It was not the workspace's turn: what it and the others have had, as all nodes count it. */
  learn({ rank, workspace }: Caller, served: number): void {
    (this.#workspaces[rank] as Tags).set(workspace, served, undefined);
  }

  /** Calls of its own workspace before a new one of this caller: connections take turns. */
  #aheadInside({ rank, workspace, connection }: Caller, lanes: Iterable<Lane>): number {
    let own = 0;
    const others = new Map<string, number>();
    for (const { ranks } of lanes)
      for (const [name, { length }] of ranks[rank]?.get(workspace) ?? [])
        if (name === connection) own += length;
        else others.set(name, (others.get(name) ?? 0) + length);
    let all = own;
    for (const calls of others.values()) all += Math.min(calls, own + 1);
    return all;
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
   * Milliseconds until a new call of this caller goes when its workspace and its priority are served on as they have been
   * of late; 0 when that is not known. Its place alone says too little: others come, and have their turns before it.
   */
  atItsPace(caller: Caller, now: number): number {
    const inside = this.#aheadInside(caller, this.#lanes.values()) + 1;
    const own = this.#pace(caller.rank, caller.workspace).waitMs(inside, now, this.#fadeMs) ?? 0;
    const all = this.#aheadAlike(caller, undefined, undefined) + 1;
    return PRUDENCE * Math.max(own, this.#pace(caller.rank).waitMs(all, now, this.#fadeMs) ?? 0);
  }

  /** Calls of its own priority that would go before a new one of this caller: in one lane, or in all and elsewhere. */
  #aheadAlike(caller: Caller, inLane: Lane | undefined, elsewhere: Elsewhere | undefined): number {
    const { rank, workspace, weight } = caller;
    const tags = this.#workspaces[rank] as Tags;
    const waiting = this.#waiting(rank);
    const away = (name: string): number => elsewhere?.[rank]?.get(name)?.calls ?? 0;
    let before = this.#aheadInside(caller, inLane === undefined ? this.#lanes.values() : [inLane]);
    before += Math.min(away(workspace), (elsewhere?.[rank]?.get(workspace)?.nodes ?? 0) * (before + 1));
    // Between workspaces those go first that will have had less by then.
    const due = tags.start(workspace, waiting.keys()) + before / weight;
    const count = (name: string, calls: number, share: number): number =>
      name === workspace ? 0 : Math.min(calls, Math.max(0, Math.floor((due - tags.of(name)) * share + 1e-9) + 1));
    let all = before;
    if (inLane === undefined) {
      for (const [name, one] of waiting) all += count(name, one.calls + away(name), one.weight);
      for (const [name, one] of elsewhere?.[rank] ?? [])
        if (!waiting.has(name)) all += count(name, one.calls, one.weight);
    } else
      for (const [name, connections] of inLane.ranks[rank] as Lane['ranks'][number])
        all += count(name, callsIn(connections), waiting.get(name)?.weight ?? 1);
    return all;
  }

  /**
   * Calls that would go before a new one of this caller when all that wait take their turns: in its lane alone, or in all
   * lanes and at other nodes.
   */
  ahead(caller: Caller, lane: string | undefined, elsewhere?: Elsewhere): number {
    const { rank } = caller;
    const inLane = lane === undefined ? undefined : this.#lanes.get(lane);
    if (lane !== undefined && inLane === undefined) return 0;
    const same = this.#aheadAlike(caller, inLane, lane === undefined ? elsewhere : undefined);
    // More urgent calls go first, but for the slots that are owed; less urgent ones take those.
    let urgent = 0;
    let lower = 0;
    for (let one = 0; one < 4; one += 1) {
      if (one === rank) continue;
      let calls = 0;
      if (inLane !== undefined)
        for (const connections of (inLane.ranks[one] as Lane['ranks'][number]).values()) calls += callsIn(connections);
      else
        for (const map of [this.#waiting(one), elsewhere?.[one] ?? []]) for (const [, each] of map) calls += each.calls;
      if (one < rank) urgent += calls;
      else lower += calls;
    }
    const first = same + Math.min(urgent, (LOWER_SHARE - 1) * (same + 1));
    return first + Math.min(lower, Math.floor(first / (LOWER_SHARE - 1)));
  }

  /**
   * All that waits, in the order in which it goes when nobody else comes. A call at another node is undefined: only its
   * place is known.
   */
  line(elsewhere?: Elsewhere): (Placed | undefined)[] {
    const ranks = [0, 1, 2, 3].map((rank) => this.#rankLine(rank, elsewhere?.[rank] ?? new Map()));
    const out: (Placed | undefined)[] = [];
    const at = [0, 0, 0, 0];
    const owed = [...this.#owed];
    const left = (rank: number): boolean => (at[rank] as number) < (ranks[rank] as unknown[]).length;
    for (;;) {
      let next = owed.findIndex((count, rank) => rank > 0 && count >= LOWER_SHARE - 1 && left(rank));
      if (next < 0) next = at.findIndex((_at, rank) => left(rank));
      if (next < 0) return out;
      out.push((ranks[next] as (Placed | undefined)[])[at[next] as number]);
      at[next] = (at[next] as number) + 1;
      owed[next] = 0;
      for (let lower = next + 1; lower < 4; lower += 1) if (left(lower)) owed[lower] = (owed[lower] as number) + 1;
    }
  }

  #rankLine(rank: number, elsewhere: ReadonlyMap<string, Backlog>): (Placed | undefined)[] {
    const tags = this.#workspaces[rank] as Tags;
    const keyed: { key: number; placed: Placed | undefined }[] = [];
    const mine = new Map<string, Map<string, Placed[]>>();
    for (const [lane, one] of this.#lanes)
      for (const [workspace, connections] of one.ranks[rank] as Lane['ranks'][number]) {
        const known = mine.get(workspace) ?? new Map<string, Placed[]>();
        mine.set(workspace, known);
        for (const [connection, queue] of connections) {
          const placed = queue.map((waiter) => ({ lane, waiter }));
          known.set(connection, [...(known.get(connection) ?? []), ...placed]);
        }
      }
    const names = new Set([...mine.keys(), ...elsewhere.keys()]);
    for (const workspace of names) {
      const tag = tags.of(workspace);
      const calls: { key: number; placed: Placed }[] = [];
      for (const [connection, queue] of mine.get(workspace) ?? []) {
        const from = this.#tags(rank, workspace).of(connection);
        queue
          .sort((a, b) => a.waiter.order - b.waiter.order)
          .forEach((placed, index) => {
            calls.push({ key: from + index, placed });
          });
      }
      calls.sort((a, b) => a.key - b.key || a.placed.waiter.order - b.placed.waiter.order);
      const weight = calls[0]?.placed.waiter.weight ?? elsewhere.get(workspace)?.weight ?? 1;
      const { calls: away, nodes } = elsewhere.get(workspace) ?? { calls: 0, nodes: 1 };
      // Nodes serve a workspace's calls by turns.
      calls.forEach(({ placed }, index) => {
        keyed.push({ key: tag + (index + Math.min(away, nodes * index)) / weight, placed });
      });
      for (let index = 0; index < away; index += 1)
        keyed.push({ key: tag + (index + Math.min(calls.length, (index + 1) / nodes)) / weight, placed: undefined });
    }
    return keyed.sort((a, b) => a.key - b.key).map(({ placed }) => placed);
  }

  *all(): Iterable<{ lane: string; waiter: Waiter }> {
    for (const [lane, { ranks }] of this.#lanes)
      for (const workspaces of ranks)
        for (const connections of workspaces.values())
          for (const queue of connections.values()) for (const waiter of queue) yield { lane, waiter };
  }
}

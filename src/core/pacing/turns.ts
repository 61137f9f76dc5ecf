/**
 * Whose turn it is among the calls that wait for one domain (the widest bucket they share). Urgent calls first, with
 * every sixteenth slot for less urgent ones, so that none waits for ever. Within a priority workspaces share by weight,
 * within a workspace its connections share alike, by the cost of what they have had: deficit round robin with the quantum
 * of one call, kept as service tags, so that a late comer starts where the others are and cannot claim the past.
 */
import type { BucketClaim } from './bucket.ts';
import type { TakeOutcome } from './store.ts';

/** One slot of this many goes to the next lower priority that waits. */
export const LOWER_SHARE = 16;

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

  /** `waiting`: the others that wait. The one among them that had least sets where a new one starts. */
  arrive(name: string, waiting: Iterable<string>): void {
    let start = this.#level;
    for (const other of waiting) start = Math.min(start, this.of(other));
    this.#served.set(name, Math.max(start, this.#served.get(name) ?? 0));
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

export class Turns {
  readonly #lanes = new Map<string, Lane>();
  readonly #workspaces = [0, 1, 2, 3].map(() => new Tags());
  readonly #connections = new Map<string, Tags>();
  readonly #owed = [0, 0, 0, 0];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(lane: string, waiter: Waiter): void {
    let found = this.#lanes.get(lane);
    if (found === undefined) {
      found = { claims: waiter.claims, ranks: [new Map(), new Map(), new Map(), new Map()] };
      this.#lanes.set(lane, found);
    }
    const workspaces = found.ranks[waiter.rank] as Lane['ranks'][number];
    const connections = workspaces.get(waiter.workspace) ?? new Map<string, Waiter[]>();
    const queue = connections.get(waiter.connection) ?? [];
    if (!this.#isWaiting(waiter.rank, waiter.workspace))
      (this.#workspaces[waiter.rank] as Tags).arrive(waiter.workspace, this.#waiting(waiter.rank));
    if (queue.length === 0) this.#tags(waiter.rank, waiter.workspace).arrive(waiter.connection, connections.keys());
    queue.push(waiter);
    connections.set(waiter.connection, queue);
    workspaces.set(waiter.workspace, connections);
    this.#size += 1;
  }

  /** Takes a waiting call out; true when nobody of its workspace and rank is left in any lane. */
  remove(lane: string, waiter: Waiter): boolean {
    const found = this.#lanes.get(lane);
    const workspaces = found?.ranks[waiter.rank];
    const connections = workspaces?.get(waiter.workspace);
    const queue = connections?.get(waiter.connection);
    const at = queue?.indexOf(waiter) ?? -1;
    if (found === undefined || workspaces === undefined || connections === undefined || queue === undefined || at < 0)
      return false;
    queue.splice(at, 1);
    this.#size -= 1;
    if (queue.length === 0) connections.delete(waiter.connection);
    if (connections.size > 0) return false;
    workspaces.delete(waiter.workspace);
    if (found.ranks.every((rank) => rank.size === 0)) this.#lanes.delete(lane);
    if (this.#size === 0) this.#connections.clear();
    return !this.#isWaiting(waiter.rank, waiter.workspace);
  }

  *#waiting(rank: number): Iterable<string> {
    for (const { ranks } of this.#lanes.values()) yield* (ranks[rank] as Lane['ranks'][number]).keys();
  }

  #isWaiting(rank: number, workspace: string): boolean {
    for (const { ranks } of this.#lanes.values()) if (ranks[rank]?.has(workspace) === true) return true;
    return false;
  }

  /** Whose turn it is in lanes that are not `closed`; undefined when nobody can go. */
  next(
    closed: (claims: readonly BucketClaim[], rank: number) => boolean,
  ): { lane: string; waiter: Waiter } | undefined {
    for (const rank of this.#order()) {
      let best: { lane: string; workspace: string; connections: Map<string, Waiter[]>; tag: number } | undefined;
      const tags = this.#workspaces[rank] as Tags;
      for (const [lane, { claims, ranks }] of this.#lanes) {
        const workspaces = ranks[rank] as Lane['ranks'][number];
        if (workspaces.size === 0 || closed(claims, rank)) continue;
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
      return { lane: best.lane, waiter: least?.queue[0] as Waiter };
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
    for (const { ranks } of this.#lanes.values()) if ((ranks[rank] as Map<string, unknown>).size > 0) return true;
    return false;
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
  charge(caller: Caller, cost: number, served?: number): void {
    const { rank, workspace, connection, weight } = caller;
    const tags = this.#workspaces[rank] as Tags;
    if (served === undefined) tags.charge(workspace, cost / weight);
    else tags.set(workspace, served, served - cost / weight);
    if (this.#size === 0) return;
    this.#tags(rank, workspace).charge(connection, cost);
    this.#owed[rank] = 0;
    for (let lower = rank + 1; lower < 4; lower += 1)
      if (this.#waits(lower)) this.#owed[lower] = (this.#owed[lower] as number) + 1;
  }

  /** Service the workspace has had, as far as this node knows. */
  served({ rank, workspace }: Caller): number {
    return (this.#workspaces[rank] as Tags).of(workspace);
  }

  /** It was not the workspace's turn: what it and the others have had, as all nodes count it. */
  learn({ rank, workspace }: Caller, served: number): void {
    (this.#workspaces[rank] as Tags).set(workspace, served, undefined);
  }

  /**
   * Calls that would go before a new one of this caller when all waiting ones take their turns: in one lane, or in all.
   */
  ahead(lane: string | undefined, caller: Caller): number {
    const lanes =
      lane === undefined ? [...this.#lanes.values()] : [this.#lanes.get(lane)].filter((one) => one !== undefined);
    let own = 0;
    for (const { ranks } of lanes)
      own += ranks[caller.rank]?.get(caller.workspace)?.get(caller.connection)?.length ?? 0;
    let count = 0;
    for (const { ranks } of lanes)
      for (let rank = 0; rank <= caller.rank; rank += 1)
        for (const [workspace, connections] of ranks[rank] as Lane['ranks'][number])
          for (const [connection, queue] of connections) {
            const same = workspace === caller.workspace && connection === caller.connection;
            count += rank < caller.rank || same ? queue.length : Math.min(queue.length, own + 1);
          }
    return count;
  }

  *all(): Iterable<{ lane: string; waiter: Waiter }> {
    for (const [lane, { ranks }] of this.#lanes)
      for (const workspaces of ranks)
        for (const connections of workspaces.values())
          for (const queue of connections.values()) for (const waiter of queue) yield { lane, waiter };
  }
}

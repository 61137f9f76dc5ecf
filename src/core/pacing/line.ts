/**
 * Where calls stand in the order of `turns.ts` before their turn comes: how many go before a new one, in which order all
 * that wait will go, and how fast it has gone of late. Looks on and changes nothing; how long that takes, in view of what
 * is free, is `outlook.ts`.
 */
import { RANKS } from './bucket.ts';
import { LOWER_SHARE, type Turns } from './turns.ts';
import type { Backlog, Backlogs, Caller, Lane, Placed, Waiter } from './waiter.ts';

/** A pace is no promise: a call that would be through just in time at it is told that it will not be. */
const PRUDENCE = 1.1;

function callsIn(connections: ReadonlyMap<string, readonly Waiter[]>): number {
  let calls = 0;
  for (const queue of connections.values()) calls += queue.length;
  return calls;
}

/** Calls of its own workspace before a new one of this caller: connections take turns. */
function aheadInside({ rank, workspace, connection }: Caller, lanes: Iterable<Lane>): number {
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

/** Calls of its own priority that would go before a new one of this caller: in one lane, or in all and elsewhere. */
function aheadAlike(turns: Turns, caller: Caller, inLane: Lane | undefined, elsewhere: Backlogs | undefined): number {
  const { rank, workspace, weight } = caller;
  const tags = turns.workspaceTags(rank);
  const waiting = turns.backlog[rank] as ReadonlyMap<string, Backlog>;
  const away = (name: string): number => elsewhere?.[rank]?.get(name)?.calls ?? 0;
  let before = aheadInside(caller, inLane === undefined ? turns.lanes.values() : [inLane]);
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
export function ahead(turns: Turns, caller: Caller, lane: string | undefined, elsewhere?: Backlogs): number {
  const { rank } = caller;
  const inLane = lane === undefined ? undefined : turns.lanes.get(lane);
  if (lane !== undefined && inLane === undefined) return 0;
  const same = aheadAlike(turns, caller, inLane, lane === undefined ? elsewhere : undefined);
  // More urgent calls go first, but for the slots that are owed; less urgent ones take those.
  let urgent = 0;
  let lower = 0;
  for (const one of RANKS) {
    if (one === rank) continue;
    let calls = 0;
    if (inLane !== undefined)
      for (const connections of (inLane.ranks[one] as Lane['ranks'][number]).values()) calls += callsIn(connections);
    else
      for (const map of [turns.backlog[one] ?? [], elsewhere?.[one] ?? []])
        for (const [, each] of map) calls += each.calls;
    if (one < rank) urgent += calls;
    else lower += calls;
  }
  const first = same + Math.min(urgent, (LOWER_SHARE - 1) * (same + 1));
  return first + Math.min(lower, Math.floor(first / (LOWER_SHARE - 1)));
}

/**
 * Milliseconds until a new call of this caller goes when its workspace and its priority are served on as they have been
 * of late; 0 when that is not known. Its place alone says too little: others come, and have their turns before it.
 */
export function atItsPace(turns: Turns, caller: Caller, now: number): number {
  const inside = aheadInside(caller, turns.lanes.values()) + 1;
  const own = turns.paceMs(caller.rank, caller.workspace, inside, now) ?? 0;
  const all = aheadAlike(turns, caller, undefined, undefined) + 1;
  return PRUDENCE * Math.max(own, turns.paceMs(caller.rank, undefined, all, now) ?? 0);
}

/**
 * All that waits, in the order in which it goes when nobody else comes. A call at another node is undefined: only its
 * place is known.
 */
export function line(turns: Turns, elsewhere?: Backlogs): (Placed | undefined)[] {
  const ranks = RANKS.map((rank) => rankLine(turns, rank, elsewhere?.[rank] ?? new Map()));
  const out: (Placed | undefined)[] = [];
  const at = RANKS.map(() => 0);
  const owed = [...turns.owed];
  const left = (rank: number): boolean => (at[rank] as number) < (ranks[rank] as unknown[]).length;
  for (;;) {
    let next = owed.findIndex((count, rank) => rank > 0 && count >= LOWER_SHARE - 1 && left(rank));
    if (next < 0) next = at.findIndex((_at, rank) => left(rank));
    if (next < 0) return out;
    out.push((ranks[next] as (Placed | undefined)[])[at[next] as number]);
    at[next] = (at[next] as number) + 1;
    owed[next] = 0;
    for (let lower = next + 1; lower < RANKS.length; lower += 1)
      if (left(lower)) owed[lower] = (owed[lower] as number) + 1;
  }
}

/** The line of one rank. */
function rankLine(turns: Turns, rank: number, elsewhere: ReadonlyMap<string, Backlog>): (Placed | undefined)[] {
  const tags = turns.workspaceTags(rank);
  const keyed: { key: number; placed: Placed | undefined }[] = [];
  const mine = new Map<string, Map<string, Placed[]>>();
  for (const [lane, one] of turns.lanes)
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
      const from = turns.connectionTags(rank, workspace).of(connection);
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

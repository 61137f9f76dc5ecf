/**
 * A world in virtual time: a platform that counts arrivals exactly, a network whose delay spreads, and nodes whose clocks
 * may be wrong. Shared counters in Redis run on the world's time, so that half an hour takes seconds.
 */
import type { Clock } from '../../../src/core/clock.ts';

interface Sleeper {
  at: number;
  order: number;
  wake(): void;
  gone: boolean;
}

/** Virtual time that moves when everybody sleeps and nothing is under way to a real server. */
export class World implements Clock {
  #now: number;
  #heap: Sleeper[] = [];
  #order = 0;
  /** Work under way outside virtual time. */
  readonly pending: (() => number)[] = [];

  constructor(start = Date.parse('2026-11-22T12:00:00Z')) {
    this.#now = start;
  }

  get ms(): number {
    return this.#now;
  }

  now(): Date {
    return new Date(this.#now);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      this.#order += 1;
      const sleeper: Sleeper = {
        at: this.#now + Math.max(0, ms),
        order: this.#order,
        wake: resolve,
        gone: false,
      };
      this.#push(sleeper);
      signal?.addEventListener(
        'abort',
        () => {
          sleeper.gone = true;
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }

  /** The same time as a node sees it whose clock is wrong by `ms`. */
  skewed(ms: number): Clock {
    return { now: () => new Date(this.#now + ms), sleep: (wait, signal) => this.sleep(wait, signal) };
  }

  #before(a: Sleeper, b: Sleeper): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #push(sleeper: Sleeper): void {
    const heap = this.#heap;
    heap.push(sleeper);
    for (let at = heap.length - 1; at > 0; ) {
      const up = (at - 1) >> 1;
      if (!this.#before(heap[at] as Sleeper, heap[up] as Sleeper)) break;
      [heap[at], heap[up]] = [heap[up] as Sleeper, heap[at] as Sleeper];
      at = up;
    }
  }

  #pop(): Sleeper | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    heap[0] = last;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < heap.length && this.#before(heap[child] as Sleeper, heap[least] as Sleeper)) least = child;
      if (least === at) break;
      [heap[at], heap[least]] = [heap[least] as Sleeper, heap[at] as Sleeper];
      at = least;
    }
    return top;
  }

  async #quiet(): Promise<void> {
    // With nothing outside virtual time, one turn of the event loop sees the end of all that was set going.
    for (let calm = this.pending.length === 0 ? 1 : 0; calm < 2; ) {
      await new Promise((resolve) => setImmediate(resolve));
      calm = this.pending.every((count) => count() === 0) ? calm + 1 : 0;
    }
  }

  /** Lets the world go on until `at`, or until nobody sleeps. */
  async until(at: number): Promise<void> {
    for (;;) {
      await this.#quiet();
      const next = this.#heap[0];
      if (next === undefined || next.at > at) break;
      this.#pop();
      if (next.gone) continue;
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
    this.#now = Math.max(this.#now, Number.isFinite(at) ? at : this.#now);
  }

  /** Jumps: whoever sleeps in between wakes after it. For days, in which heartbeats alone would take minutes. */
  async leap(ms: number): Promise<void> {
    await this.#quiet();
    this.#now += ms;
    await this.until(this.#now);
  }

  advance(ms: number): Promise<void> {
    return this.until(this.#now + ms);
  }
}

/** A generator of numbers that is the same in every run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One limit as a strict platform counts it. */
export interface JudgedLimit {
  name: string;
  limit: number;
  windowMs: number;
  /** Default: sliding. `fixed`: windows that begin at multiples of the length plus `offset`. `leak`: a score that decays. */
  kind?: 'sliding' | 'fixed' | 'leak' | 'concurrent';
  /** Start of the window that holds a time, for windows of a calendar. */
  start?(at: number): number;
  key?(call: JudgedCall): string | undefined;
  cost?(call: JudgedCall): number;
}

export interface JudgedCall {
  workspace: string;
  [key: string]: unknown;
}

/** Counts arrivals exactly, refuses what is over a limit, and remembers the most it has seen. */
export class Judge {
  readonly #limits: readonly JudgedLimit[];
  readonly #logs = new Map<string, { times: number[]; costs: number[]; first: number; sum: number; start: number }>();
  /** Refusals by limit. */
  readonly refused = new Map<string, number>();
  /** Most units seen in any window, by limit. */
  readonly worst = new Map<string, number>();
  accepted = 0;
  readonly byWorkspace = new Map<string, number>();

  constructor(limits: readonly JudgedLimit[]) {
    this.#limits = limits;
  }

  /** A call arrives at `at`, never earlier than the one before; the name of the limit that refuses it, if any. */
  arrive(at: number, call: JudgedCall): string | undefined {
    const hits: {
      limit: JudgedLimit;
      log: { times: number[]; costs: number[]; first: number; sum: number; start: number };
      cost: number;
    }[] = [];
    let full: string | undefined;
    for (const limit of this.#limits) {
      const key = limit.key === undefined ? '' : limit.key(call);
      if (key === undefined) continue;
      const id = `${limit.name}|${key}`;
      let log = this.#logs.get(id);
      if (log === undefined) {
        log = { times: [], costs: [], first: 0, sum: 0, start: 0 };
        this.#logs.set(id, log);
      }
      if (limit.kind === 'fixed') {
        const start = limit.start?.(at) ?? Math.floor(at / limit.windowMs) * limit.windowMs;
        if (start !== log.start) Object.assign(log, { start, sum: 0 });
      } else if (limit.kind === 'leak') {
        log.sum = Math.max(0, log.sum - ((at - log.start) * limit.limit) / limit.windowMs);
        log.start = at;
      } else if (limit.kind !== 'concurrent')
        while (log.first < log.times.length && at - (log.times[log.first] as number) >= limit.windowMs) {
          log.sum -= log.costs[log.first] as number;
          log.first += 1;
        }
      const cost = limit.cost?.(call) ?? 1;
      hits.push({ limit, log, cost });
      this.worst.set(limit.name, Math.max(this.worst.get(limit.name) ?? 0, log.sum + cost));
      if (log.sum + cost > limit.limit + 1e-6) full ??= limit.name;
    }
    if (full !== undefined) {
      this.refused.set(full, (this.refused.get(full) ?? 0) + 1);
      return full;
    }
    for (const { limit, log, cost } of hits) {
      log.sum += cost;
      if (limit.kind === undefined || limit.kind === 'sliding') {
        log.times.push(at);
        log.costs.push(cost);
        if (log.first > 10_000) {
          log.times = log.times.slice(log.first);
          log.costs = log.costs.slice(log.first);
          log.first = 0;
        }
      }
    }
    this.accepted += 1;
    this.byWorkspace.set(call.workspace, (this.byWorkspace.get(call.workspace) ?? 0) + 1);
    return undefined;
  }

  /** A call or job that took a place is over. */
  leave(call: JudgedCall): void {
    for (const limit of this.#limits) {
      if (limit.kind !== 'concurrent') continue;
      const key = limit.key === undefined ? '' : limit.key(call);
      const log = key === undefined ? undefined : this.#logs.get(`${limit.name}|${key}`);
      if (log !== undefined) log.sum -= limit.cost?.(call) ?? 1;
    }
  }

  get refusals(): number {
    let all = 0;
    for (const count of this.refused.values()) all += count;
    return all;
  }
}

/** Jain's index: 1 = all alike, 1/n = one has everything. */
export function jain(shares: readonly number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0);
  const squares = shares.reduce((a, b) => a + b * b, 0);
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares);
}

/**
 * Buckets in Redis, shared by all nodes: every take is one atomic step on the server's clock (`redis-script.ts`). When
 * Redis goes away the node goes on with its share (`alone.ts`), and tells what it did when it is back.
 */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Clock } from '../clock.ts';
import { Alone, BRIEF_MS, type View } from './alone.ts';
import { type BucketClaim, type BucketSnapshot, bucketId, type QuotaView } from './bucket.ts';
import { boundaries } from './calendar.ts';
import type { Counter } from './counter.ts';
import { counterOf } from './counters.ts';
import { ABSENT_MS, SCRIPT } from './redis-script.ts';
import type { QuotaStore, TakeOutcome, Taker } from './store.ts';
import type { Backlog, Elsewhere } from './turns.ts';
import { GRANULES, QuotaWindow } from './window.ts';

/** How often a node says that it is there, and refreshes its copy of the buckets it uses. */
const BEAT_MS = 500;

/** From the last beat that may have been heard until this node counts on its share: by then the others leave it that. */
const ALONE_AFTER_MS = ABSENT_MS + 2 * BEAT_MS;

/** Operations in one trip, and trips under way. More of either only makes the server's other callers wait. */
const BATCH = 64;
const TRIPS = 4;

/** Copies refreshed at one beat, oldest first. */
const VIEWS_PER_BEAT = 100;

/** A copy this old is good enough for windows of minutes and more. */
const VIEW_MS = 5_000;

export interface RedisStoreOptions {
  /** Connection string, or a client that this store then owns. */
  redis: string | Redis;
  clock: Clock;
  /** Name of this node; must differ from node to node. Default: a random one. */
  node?: string;
  /** Begins all keys. */
  prefix?: string;
  log?: { warn(facts: object, text: string): void; info(facts: object, text: string): void };
  /** Time for the counter instead of the server's own, for tests in virtual time. */
  serverTime?: () => number;
}

interface Op {
  body: Record<string, unknown>;
  resolve?: (out: unknown) => void;
  reject?: (error: Error) => void;
}

interface WireView {
  f: number;
  u: number;
  n: number;
  limit: number;
  r: number;
  x: number;
  t: number;
  l: boolean;
  k: number;
  g: [number, number][] | Record<string, never>;
}

interface Known {
  claim: BucketClaim;
  usedAt: number;
}

const KINDS = { log: 'L', fixed: 'F', gcra: 'G' } as const;

/** Nothing can be said now; ask again soon. */
const LATER: TakeOutcome = { ok: false, bucket: null, id: '', waitMs: 100 };

type Scripted = Redis & { polyadPace(prefix: string, message: string): Promise<string> };

export class RedisStore implements QuotaStore {
  readonly pollMs = 400;
  readonly #redis: Scripted;
  readonly #clock: Clock;
  readonly #node: string;
  readonly #prefix: string;
  readonly #log: RedisStoreOptions['log'];
  readonly #serverTime: (() => number) | undefined;
  readonly #closing = new AbortController();
  readonly #loop: Promise<void>;
  /** Buckets this node uses. */
  readonly #known = new Map<string, Known>();
  readonly #inFlight = new Map<string, number>();
  readonly #views = new Map<string, View>();
  #queue: Op[] = [];
  #trips = 0;
  #scheduled = false;
  #mode: 'joining' | 'shared' | 'lost' = 'joining';
  #epoch: string | undefined;
  #nodes: string[] = [];
  #lostAt = 0;
  /** When the last beat that Redis may have taken was sent. */
  #heardAt = 0;
  #alone: Alone | undefined;
  #joining: Promise<void> | undefined;
  #settledWhileJoining: Record<string, unknown>[] = [];

  constructor({ redis, clock, node, prefix, log, serverTime }: RedisStoreOptions) {
    this.#clock = clock;
    this.#node = node ?? randomUUID();
    this.#prefix = prefix ?? '{polyad:quota}:';
    this.#log = log;
    this.#serverTime = serverTime;
    this.#redis = (
      typeof redis === 'string'
        ? new Redis(redis, {
            enableOfflineQueue: false,
            maxRetriesPerRequest: 0,
            commandTimeout: 1_000,
            connectTimeout: 2_000,
            retryStrategy: (times) => Math.min(1_000, times * 100),
          })
        : redis
    ) as Scripted;
    // Faults are seen at the commands; without a listener the client would print them.
    this.#redis.on('error', () => undefined);
    this.#redis.on('ready', () => {
      if (this.#mode !== 'shared') void this.#join().catch(() => undefined);
    });
    this.#redis.defineCommand('polyadPace', { numberOfKeys: 1, lua: SCRIPT });
    this.#lostAt = this.#now();
    this.#loop = this.#run();
  }

  #now(): number {
    return this.#clock.now().getTime();
  }

  // ---------------------------------------------------------------------------------------------- wire

  /** A claim as the script reads it. */
  #wire(claim: BucketClaim): Record<string, unknown> {
    const { rule, learn, limit, windowMs } = claim;
    return {
      id: bucketId(claim),
      kind: rule?.kind === 'concurrency' ? (rule.holds === 'job' ? 'J' : 'C') : KINDS[rule?.kind ?? 'log'],
      limit,
      w: windowMs,
      cost: claim.cost ?? 1,
      min: learn?.min ?? 1,
      max: learn?.max ?? 0,
      ...(rule?.kind === 'gcra' ? { burst: rule.burst } : {}),
      // Window edges around now: the server's clock picks, so that a skewed node does no harm.
      ...(rule?.kind === 'fixed' ? { s: this.#edges(claim, rule) } : {}),
    };
  }

  #edges({ windowMs }: BucketClaim, { align }: { align: 'epoch' | { at: string; zone: string } }): number[] {
    const now = this.#serverTime?.() ?? this.#now();
    const [start, end] = boundaries(align, windowMs, now);
    const [before] = boundaries(align, windowMs, start - 1);
    const [, after] = boundaries(align, windowMs, end);
    return [before, start, end, after];
  }

  #send(body: Record<string, unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ body, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#trips >= TRIPS || this.#queue.length === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const ops = this.#queue.splice(0, BATCH);
      if (ops.length === 0) return;
      this.#trips += 1;
      void this.#trip(ops).finally(() => {
        this.#trips -= 1;
        this.#schedule();
      });
      this.#schedule();
    });
  }

  async #trip(ops: Op[]): Promise<void> {
    const joins = ops.some(({ body }) => body['o'] === 'j');
    const message = {
      node: this.#node,
      ...(joins || this.#epoch === undefined ? {} : { epoch: this.#epoch }),
      ...(this.#serverTime === undefined ? {} : { now: this.#serverTime() }),
      ops: ops.map(({ body }) => body),
    };
    try {
      const text = await this.#redis.polyadPace(this.#prefix, JSON.stringify(message));
      const answer = JSON.parse(text) as { rejoin?: boolean; out: unknown[]; now: number };
      if (answer.rejoin === true) throw new Error('the shared counter was emptied');
      ops.forEach(({ resolve }, index) => {
        resolve?.(answer.out[index]);
      });
    } catch (error) {
      this.#lose(error as Error);
      for (const { reject } of ops) reject?.(error as Error);
    }
  }

  // ---------------------------------------------------------------------------------------------- modes

  #lose(error: Error): void {
    if (this.#mode !== 'shared') return;
    this.#mode = 'lost';
    this.#lostAt = this.#now();
    this.#alone = this.#island();
    this.#log?.warn(
      { err: error.message, nodes: this.#nodes.length },
      'shared quota counter lost: going on with a share',
    );
  }

  #island(): Alone {
    return new Alone({
      clock: this.#clock,
      nodes: Math.max(1, this.#nodes.length),
      rank: Math.max(0, this.#nodes.indexOf(this.#node)),
      lostAt: this.#lostAt,
      view: (id) => this.#views.get(id),
      inFlight: (id) => this.#inFlight.get(id) ?? 0,
      narrower: (claim) =>
        [...this.#known.values()]
          .map((known) => known.claim)
          .filter(
            (one) =>
              one.key === claim.key &&
              one.scope !== undefined &&
              one.scope === claim.scope &&
              one.windowMs < claim.windowMs &&
              (one.rule?.kind ?? 'log') === 'log' &&
              one.learn === undefined,
          ),
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        if (this.#mode === 'shared') await this.#beat();
        else await this.#join();
      } catch {
        // Told by the mode; tried again at the next beat.
      }
      try {
        await this.#clock.sleep(this.#mode === 'shared' ? BEAT_MS : BEAT_MS / 2, signal);
      } catch {
        return;
      }
    }
  }

  /** Joins now, unless it is being done. Rejects when Redis cannot be reached. */
  #join(): Promise<void> {
    this.#joining ??= this.#joinOnce().finally(() => {
      this.#joining = undefined;
    });
    return this.#joining;
  }

  async #joinOnce(): Promise<void> {
    // Asked first, because nothing may be given out from the report until its answer.
    await this.#redis.ping();
    this.#mode = 'joining';
    const claims = [...this.#known.values()].map(({ claim }) => claim);
    const state = (this.#alone?.report(claims) ?? []).map((one) => ({
      c: this.#wire(one.claim),
      f: one.inFlight,
      own: one.own,
      seed: one.seed,
      r: one.restMs,
      t: one.fullMs,
      ...(one.learned === undefined ? {} : { l: one.learned }),
    }));
    const settled = [...this.#settledWhileJoining];
    try {
      const answer = (await this.#send({
        o: 'j',
        epoch: randomUUID(),
        ...(this.#epoch === undefined ? {} : { prev: this.#epoch }),
        known: this.#nodes,
        state,
      })) as { epoch: string; nodes: string[] };
      this.#epoch = answer.epoch;
      this.#nodes = answer.nodes;
      this.#heardAt = this.#now();
      this.#alone = undefined;
      this.#views.clear();
      this.#mode = 'shared';
      // Answered while the report was on its way: it still called them under way.
      for (const op of this.#settledWhileJoining.slice(settled.length)) void this.#fire(op);
      this.#settledWhileJoining = [];
      this.#log?.info({ nodes: this.#nodes.length }, 'shared quota counter in use');
    } catch (error) {
      this.#mode = this.#epoch === undefined ? 'joining' : 'lost';
      throw error;
    }
  }

  async #beat(): Promise<void> {
    const now = this.#now();
    const due: { claim: BucketClaim; at: number }[] = [];
    for (const [id, { claim, usedAt }] of this.#known) {
      if (now - usedAt > claim.windowMs + 60_000 && (this.#inFlight.get(id) ?? 0) === 0) {
        this.#known.delete(id);
        this.#views.delete(id);
        continue;
      }
      const at = this.#views.get(id)?.at ?? 0;
      const brief = claim.windowMs <= BRIEF_MS;
      // Of brief windows only what was learned outlives a copy.
      if (brief && claim.learn === undefined) continue;
      if (now - at >= (brief ? VIEW_MS : Math.min(VIEW_MS, claim.windowMs / GRANULES))) due.push({ claim, at });
    }
    await this.#copy(
      due
        .sort((a, b) => a.at - b.at)
        .slice(0, VIEWS_PER_BEAT)
        .map(({ claim }) => claim),
    );
  }

  /** Says that this node is there, and copies these buckets. */
  async #copy(claims: readonly BucketClaim[]): Promise<void> {
    this.#heardAt = this.#now();
    const answer = (await this.#send({ o: 'h', c: claims.map((claim) => this.#wire(claim)) })) as {
      nodes: string[];
      views: WireView[] | Record<string, never>;
    };
    this.#nodes = answer.nodes;
    const at = this.#now();
    if (Array.isArray(answer.views))
      answer.views.forEach((view, index) => {
        this.#views.set(bucketId(claims[index] as BucketClaim), {
          at,
          granules: Array.isArray(view.g) ? view.g.map(([end, units]) => [at + end, units] as const) : [],
          inFlight: view.f,
          kept: view.k,
          used: view.n,
          limit: view.limit,
          learned: view.l,
          others: view.x,
          restUntil: at + view.r,
          fullAt: at + view.t,
        });
      });
  }

  // ---------------------------------------------------------------------------------------------- calls

  #know(claims: readonly BucketClaim[]): void {
    const now = this.#now();
    for (const claim of claims) {
      const id = bucketId(claim);
      const known = this.#known.get(id);
      if (known === undefined) this.#known.set(id, { claim, usedAt: now });
      else {
        known.claim = claim;
        known.usedAt = now;
      }
    }
  }

  #fly(claims: readonly BucketClaim[], sign: 1 | -1): void {
    for (const claim of claims) {
      const id = bucketId(claim);
      const units = (this.#inFlight.get(id) ?? 0) + sign * (claim.cost ?? 1);
      if (units <= 0) this.#inFlight.delete(id);
      else this.#inFlight.set(id, units);
    }
  }

  async take(claims: readonly BucketClaim[], taker: Taker): Promise<TakeOutcome> {
    if (this.#mode !== 'shared') return this.#takeAlone(claims, taker);
    this.#know(claims);
    let out: [at: number, waitMs?: number, served?: number];
    try {
      out = (await this.#send({
        o: 't',
        d: taker.domain,
        rank: taker.rank,
        ws: taker.workspace,
        weight: taker.weight,
        ...(taker.queued ? { q: true } : {}),
        ...(taker.owed === true ? { owed: true } : {}),
        ...(taker.served === undefined ? {} : { sv: taker.served }),
        c: claims.map((claim) => this.#wire(claim)),
      })) as typeof out;
    } catch {
      return LATER;
    }
    // Joined anew since: what was taken is told as answered there.
    if (this.#mode !== 'shared') return LATER;
    const [at, waitMs, served] = out;
    if (at === 0) {
      this.#fly(claims, 1);
      return { ok: true, ...(served === undefined ? {} : { served }) };
    }
    const told = served === undefined ? {} : { served };
    if (at < 0) return { ok: false, bucket: null, id: '', waitMs: 5, ...told };
    const full = claims[at - 1] as BucketClaim;
    const wait = waitMs === undefined || waitMs < 0 ? null : Math.ceil(waitMs);
    // Longer than the window itself can make anyone wait.
    if (wait !== null && wait > 2 * full.windowMs) this.#rests(full, wait);
    return { ok: false, bucket: full.name, id: bucketId(full), waitMs: wait, ...told };
  }

  charge(claims: readonly BucketClaim[]): void {
    this.#know(claims);
    if (this.#mode === 'shared') void this.#fire({ o: 'c', c: claims.map((claim) => this.#wire(claim)) });
    else this.#alone?.store.charge(claims);
    // Counted as under way by this node from now on, whatever becomes of the message: the next report tells it.
    this.#fly(claims, 1);
  }

  #takeAlone(claims: readonly BucketClaim[], taker: Taker): TakeOutcome {
    const alone = this.#alone;
    if (alone === undefined || this.#mode === 'joining' || this.#now() < this.#heardAt + ALONE_AFTER_MS) return LATER;
    this.#know(claims);
    const outcome = alone.take(claims, taker);
    if (outcome.ok) this.#fly(claims, 1);
    return outcome;
  }

  async #fire(op: Record<string, unknown>): Promise<void> {
    try {
      await this.#send(op);
    } catch {
      // The report at the next join says it all.
    }
  }

  #settle(claims: readonly BucketClaim[], how: 'a' | 'c'): void {
    const op = { o: 's', how, c: claims.map((claim) => this.#wire(claim)) };
    if (this.#mode === 'shared') void this.#fire(op);
    else {
      if (this.#mode === 'joining') this.#settledWhileJoining.push(op);
      // Before it is forgotten as under way: a bucket first used here begins with what is.
      if (how === 'a') this.#alone?.store.answered(claims);
      else this.#alone?.store.cancelled(claims);
    }
    this.#fly(claims, -1);
  }

  answered(claims: readonly BucketClaim[]): void {
    this.#settle(claims, 'a');
  }

  cancelled(claims: readonly BucketClaim[]): void {
    this.#settle(claims, 'c');
  }

  ended(claims: readonly BucketClaim[]): void {
    if (this.#mode === 'shared') void this.#fire({ o: 'e', c: claims.map((claim) => this.#wire(claim)) });
    else this.#alone?.store.ended(claims);
  }

  refused(claim: BucketClaim, restMs: number, lower: boolean): void | Promise<void> {
    this.#know([claim]);
    this.#rests(claim, restMs);
    if (this.#mode === 'shared')
      return this.#fire({ o: 'r', c: this.#wire(claim), ms: restMs, ...(lower ? { lower } : {}) });
    this.#alone?.store.refused(claim, restMs, lower);
  }

  /** Notes a rest in the copy. Of brief windows there may be none: but for the rest, the one begun here says nothing. */
  #rests(claim: BucketClaim, restMs: number): void {
    const id = bucketId(claim);
    let view = this.#views.get(id);
    if (view === undefined && claim.windowMs <= BRIEF_MS) {
      const nothing = { granules: [], inFlight: 0, kept: 0, used: 0, others: 0, restUntil: 0, fullAt: 0 };
      view = { ...nothing, at: 0, limit: claim.limit, learned: false };
      this.#views.set(id, view);
    }
    if (view !== undefined) view.restUntil = Math.max(view.restUntil, this.#now() + restMs);
  }

  async look(claims: readonly BucketClaim[]): Promise<void> {
    for (let from = 0; from < claims.length && this.#mode === 'shared'; from += VIEWS_PER_BEAT) {
      const some = claims.slice(from, from + VIEWS_PER_BEAT);
      // Those that nobody uses are forgotten at the next beat.
      for (const claim of some)
        if (!this.#known.has(bucketId(claim))) this.#known.set(bucketId(claim), { claim, usedAt: 0 });
      // Without it the estimate is made from what is known.
      await this.#copy(some).catch(() => undefined);
    }
  }

  observe(claim: BucketClaim, view: QuotaView): void {
    if (this.#mode === 'shared') void this.#fire({ o: 'v', c: this.#wire(claim), v: view });
    else this.#alone?.store.observe(claim, view);
  }

  left(taker: Taker): void {
    if (this.#mode === 'shared') void this.#fire({ o: 'q', d: taker.domain, rank: taker.rank, ws: taker.workspace });
  }

  outlook(claim: BucketClaim, rank: number, full = false): (units: number) => number {
    if (this.#alone !== undefined && this.#mode !== 'shared') return this.#alone.store.outlook(claim, rank);
    const now = this.#now();
    const view = this.#views.get(bucketId(claim));
    const limit = Math.max(1, Math.floor((view?.limit ?? claim.limit) - (view?.others ?? 0)));
    const rest = Math.max(0, (view?.restUntil ?? 0) - now);
    // What was in use of a brief window is over by now.
    const stale = view !== undefined && claim.windowMs <= BRIEF_MS && now - view.at > claim.windowMs;
    const counter = this.#counter(claim, stale ? { ...view, granules: [], inFlight: 0, used: 0 } : view, full);
    return (units) => Math.max(rest, counter.forecast(now, units, limit));
  }

  async exchange(domain: string, backlog: Elsewhere): Promise<Elsewhere | undefined> {
    if (this.#mode !== 'shared') return undefined;
    // Alone there is nobody to tell.
    if (this.#nodes.length < 2) return [];
    type Row = [workspace: string, calls: number, weight: number];
    const rows = (one: Elsewhere[number] | undefined): Row[] =>
      [...(one ?? [])].map(([workspace, { calls, weight }]) => [workspace, calls, weight]);
    try {
      // As text within the text: the counter keeps it as it is.
      const told = JSON.stringify(backlog.map(rows));
      const nodes = (await this.#send({ o: 'b', d: domain, q: told })) as string[] | Record<string, never>;
      const sums = backlog.map(() => new Map<string, Backlog>());
      for (const text of Array.isArray(nodes) ? nodes : [])
        (JSON.parse(text) as Row[][]).forEach((ranked, rank) => {
          for (const [workspace, calls, weight] of ranked) {
            const known = sums[rank]?.get(workspace);
            const nodes = (known?.nodes ?? 0) + 1;
            sums[rank]?.set(workspace, { calls: calls + (known?.calls ?? 0), weight, nodes });
          }
        });
      return sums;
    } catch {
      return undefined;
    }
  }

  /** The copy of a bucket as a counter of its rule. */
  #counter(claim: BucketClaim, view: View | undefined, full: boolean): Counter {
    const now = this.#now();
    const counter = counterOf(claim.rule, claim.limit, claim.windowMs);
    const limit = view?.limit ?? claim.limit;
    if (claim.rule?.kind === 'fixed') {
      const [, end] = boundaries(claim.rule.align, claim.windowMs, now);
      counter.load([end, full ? limit : (view?.used ?? 0), 0]);
    } else if (claim.rule?.kind === 'gcra') counter.load([full ? now + claim.windowMs / limit : (view?.fullAt ?? 0)]);
    else if (counter instanceof QuotaWindow) {
      for (const [at, number] of view?.granules ?? []) counter.add(at, number);
      const inFlight = view?.inFlight ?? 0;
      counter.take(now, full ? Math.max(inFlight, limit - counter.used(now)) : inFlight);
    } else if (full || view !== undefined) counter.take(now, full ? limit : (view?.used ?? 0), limit);
    return counter;
  }

  snapshot(): BucketSnapshot[] {
    const now = this.#now();
    if (this.#alone !== undefined) return this.#alone.store.snapshot();
    return [...this.#known].map(([id, { claim }]) => {
      const view = this.#views.get(id);
      return {
        bucket: claim.name,
        key: claim.key,
        used: Math.ceil(view?.used ?? this.#inFlight.get(id) ?? 0),
        limit: Math.floor(view?.limit ?? claim.limit),
        window_ms: claim.windowMs,
        used_by_others: view?.others ?? 0,
        learned: view?.learned ?? claim.learn !== undefined,
        resting_until: view !== undefined && view.restUntil > now ? new Date(view.restUntil).toISOString() : null,
      };
    });
  }

  async inspect(): Promise<BucketSnapshot[]> {
    if (this.#mode !== 'shared') return this.snapshot();
    try {
      type Row = { id: string; w: number; n: number; limit: number; r: number; l: boolean; x: number };
      const rows = (await this.#send({ o: 'l' })) as Row[] | Record<string, never>;
      const now = this.#now();
      return (Array.isArray(rows) ? rows : []).map(({ id, w, n, limit, r, l, x }) => {
        const bar = id.indexOf('|');
        return {
          bucket: id.slice(0, bar),
          key: id.slice(bar + 1),
          used: Math.ceil(n + x),
          limit: Math.floor(limit),
          window_ms: w,
          used_by_others: x,
          learned: l,
          resting_until: r > 0 ? new Date(now + r).toISOString() : null,
        };
      });
    } catch {
      return this.snapshot();
    }
  }

  status(): { shared: boolean; nodes: number; degraded: string | null } {
    const degraded =
      this.#mode === 'shared'
        ? null
        : this.#epoch === undefined
          ? 'The shared quota counter has not been reached yet: no platform call is made.'
          : `The shared quota counter is out of reach: this node uses its share, one of ${Math.max(1, this.#nodes.length)}.`;
    return { shared: true, nodes: this.#nodes.length, degraded };
  }

  /** Resolves when the shared counter is in use; false after `ms` of the machine's time without it. */
  async joined(ms = 5_000): Promise<boolean> {
    const until = performance.now() + ms;
    while (this.#mode !== 'shared' && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 5));
    return this.#mode === 'shared';
  }

  /** Commands under way: tests in virtual time let them end before they move the clock. */
  get pending(): number {
    return this.#queue.length + this.#trips + (this.#joining === undefined ? 0 : 1);
  }

  /** Says good-bye, so that the others have this node's share at once. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
    if (this.#mode === 'shared') await this.#fire({ o: 'x' });
    this.#redis.disconnect();
  }
}

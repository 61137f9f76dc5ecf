/**
 * Buckets in Redis, shared by all nodes: every take is one atomic step on the server's clock (`redis-script.ts`). When
 * Redis goes away the node goes on with its share (`alone.ts`), and tells what it did when it is back.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Clock } from '../clock.ts';
import { Alone } from './alone.ts';
import { type BucketClaim, type BucketSnapshot, bucketId, type QuotaView } from './bucket.ts';
import { Copies, type WireView } from './redis-copies.ts';
import { listed } from './redis-list.ts';
import { ABSENT_MS } from './redis-script.ts';
import { RedisWire } from './redis-wire.ts';
import type { QuotaStore, TakeOutcome, Taker } from './store.ts';
import type { Backlog, Backlogs } from './waiter.ts';

/** How often a node says that it is there, and refreshes its copy of the buckets it uses. */
const BEAT_MS = 500;

/** From the last beat that may have been heard until this node counts on its share: by then the others leave it that. */
const ALONE_AFTER_MS = ABSENT_MS + 2 * BEAT_MS;

/** Copies refreshed at one beat, oldest first. */
const VIEWS_PER_BEAT = 100;

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

/** Pause when another node's call goes first: one step of its pace, not more. */
const YIELD_MS = 5;

/** Nothing can be said now; ask again soon. */
const LATER: TakeOutcome = { ok: false, bucket: null, waitMs: 100 };

export class RedisStore implements QuotaStore {
  readonly pollMs = 400;
  readonly #wire: RedisWire;
  readonly #copies: Copies;
  readonly #clock: Clock;
  readonly #node: string;
  readonly #log: RedisStoreOptions['log'];
  readonly #closing = new AbortController();
  readonly #loop: Promise<void>;
  #mode: 'joining' | 'shared' | 'lost' = 'joining';
  #nodes: string[] = [];
  #lostAt = 0;
  /** When the last beat that Redis may have taken was sent. */
  #heardAt = 0;
  #alone: Alone | undefined;
  #joining: Promise<void> | undefined;
  #settledWhileJoining: Record<string, unknown>[] = [];

  constructor({ redis, clock, node, prefix, log, serverTime }: RedisStoreOptions) {
    this.#clock = clock;
    this.#copies = new Copies(clock);
    this.#node = node ?? randomUUID();
    this.#log = log;
    this.#wire = new RedisWire({
      ...{ redis, clock, serverTime, node: this.#node, prefix: prefix ?? '{polyad:quota}:' },
      ready: () => {
        if (this.#mode !== 'shared') void this.#join().catch(() => undefined);
      },
      lost: (error) => this.#lose(error),
    });
    this.#lostAt = this.#now();
    this.#loop = this.#run();
  }

  #now(): number {
    return this.#clock.now().getTime();
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
      view: (id) => this.#copies.view(id),
      inFlight: (id) => this.#copies.inFlight(id),
      narrower: (claim) =>
        this.#copies
          .claims()
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
    this.#joining ??= this.#joinOnce()
      // Copies at once: who loses the counter again without them takes windows of minutes for full.
      .then(() => this.#beat().catch(() => undefined))
      .finally(() => {
        this.#joining = undefined;
      });
    return this.#joining;
  }

  async #joinOnce(): Promise<void> {
    // Asked first, because nothing may be given out from the report until its answer.
    await this.#wire.ping();
    this.#mode = 'joining';
    const state = (this.#alone?.report(this.#copies.claims()) ?? []).map((one) => ({
      c: this.#wire.claim(one.claim),
      f: one.inFlight,
      own: one.own,
      seed: one.seed,
      r: one.restMs,
      t: one.fullMs,
      ...(one.learned === undefined ? {} : { l: one.learned }),
    }));
    const settled = [...this.#settledWhileJoining];
    // It may be taken, and its answer lost: then the others count on this node for a while.
    this.#heardAt = this.#now();
    try {
      const answer = (await this.#wire.send({
        o: 'j',
        epoch: randomUUID(),
        ...(this.#wire.epoch === undefined ? {} : { prev: this.#wire.epoch }),
        known: this.#nodes,
        state,
      })) as { epoch: string; nodes: string[] };
      this.#wire.epoch = answer.epoch;
      this.#nodes = answer.nodes;
      this.#heardAt = this.#now();
      this.#alone = undefined;
      this.#copies.clear();
      this.#mode = 'shared';
      // Answered while the report was on its way: it still called them under way.
      for (const op of this.#settledWhileJoining.slice(settled.length)) void this.#wire.fire(op);
      this.#settledWhileJoining = [];
      this.#log?.info({ nodes: this.#nodes.length }, 'shared quota counter in use');
    } catch (error) {
      this.#mode = this.#wire.epoch === undefined ? 'joining' : 'lost';
      throw error;
    }
  }

  async #beat(): Promise<void> {
    await this.#copy(this.#copies.due().slice(0, VIEWS_PER_BEAT));
  }

  /** Says that this node is there, and copies these buckets. */
  async #copy(claims: readonly BucketClaim[]): Promise<void> {
    this.#heardAt = this.#now();
    const answer = (await this.#wire.send({ o: 'h', c: claims.map((claim) => this.#wire.claim(claim)) })) as {
      nodes: string[];
      views: WireView[] | Record<string, never>;
    };
    this.#nodes = answer.nodes;
    if (Array.isArray(answer.views)) this.#copies.heard(claims, answer.views);
  }

  // ---------------------------------------------------------------------------------------------- calls

  async take(claims: readonly BucketClaim[], taker: Taker): Promise<TakeOutcome> {
    if (this.#mode !== 'shared') return this.#takeAlone(claims, taker);
    this.#copies.know(claims);
    let out: [at: number, waitMs?: number, served?: number];
    try {
      out = (await this.#wire.send({
        o: 't',
        d: taker.domain,
        rank: taker.rank,
        ws: taker.workspace,
        weight: taker.weight,
        ...(taker.queued ? { q: true } : {}),
        ...(taker.owed === true ? { owed: true } : {}),
        ...(taker.served === undefined ? {} : { sv: taker.served }),
        c: claims.map((claim) => this.#wire.claim(claim)),
      })) as typeof out;
    } catch {
      return LATER;
    }
    // Joined anew since: what was taken is told as answered there.
    if (this.#mode !== 'shared') return LATER;
    const [at, waitMs, served] = out;
    if (at === 0) {
      this.#copies.fly(claims, 1);
      return { ok: true, ...(served === undefined ? {} : { served }) };
    }
    const told = served === undefined ? {} : { served };
    if (at < 0) return { ok: false, bucket: null, waitMs: YIELD_MS, ...told };
    const full = claims[at - 1] as BucketClaim;
    const wait = waitMs === undefined || waitMs < 0 ? null : Math.ceil(waitMs);
    // Longer than the window itself can make anyone wait.
    if (wait !== null && wait > 2 * full.windowMs) this.#copies.rests(full, wait);
    return { ok: false, bucket: full.name, id: bucketId(full), waitMs: wait, ...told };
  }

  charge(claims: readonly BucketClaim[]): void {
    this.#copies.know(claims);
    if (this.#mode === 'shared') void this.#wire.fire({ o: 'c', c: claims.map((claim) => this.#wire.claim(claim)) });
    else this.#alone?.store.charge(claims);
    // Counted as under way by this node from now on, whatever becomes of the message: the next report tells it.
    this.#copies.fly(claims, 1);
  }

  #takeAlone(claims: readonly BucketClaim[], taker: Taker): TakeOutcome {
    const alone = this.#alone;
    if (alone === undefined || this.#mode === 'joining' || this.#now() < this.#heardAt + ALONE_AFTER_MS) return LATER;
    this.#copies.know(claims);
    const outcome = alone.take(claims, taker);
    if (outcome.ok) this.#copies.fly(claims, 1);
    return outcome;
  }

  #settle(claims: readonly BucketClaim[], how: 'a' | 'c'): void {
    const op = { o: 's', how, c: claims.map((claim) => this.#wire.claim(claim)) };
    if (this.#mode === 'shared') void this.#wire.fire(op);
    else {
      if (this.#mode === 'joining') this.#settledWhileJoining.push(op);
      // Before it is forgotten as under way: a bucket first used here begins with what is.
      if (how === 'a') this.#alone?.store.answered(claims);
      else this.#alone?.store.cancelled(claims);
    }
    this.#copies.fly(claims, -1);
  }

  answered(claims: readonly BucketClaim[]): void {
    this.#settle(claims, 'a');
  }

  cancelled(claims: readonly BucketClaim[]): void {
    this.#settle(claims, 'c');
  }

  ended(claims: readonly BucketClaim[]): void {
    if (this.#mode === 'shared') void this.#wire.fire({ o: 'e', c: claims.map((claim) => this.#wire.claim(claim)) });
    else this.#alone?.store.ended(claims);
  }

  refused(claim: BucketClaim, restMs: number, lower: boolean): void | Promise<void> {
    this.#copies.know([claim]);
    this.#copies.rests(claim, restMs);
    if (this.#mode === 'shared')
      return this.#wire.fire({ o: 'r', c: this.#wire.claim(claim), ms: restMs, ...(lower ? { lower } : {}) });
    this.#alone?.store.refused(claim, restMs, lower);
  }

  async look(claims: readonly BucketClaim[]): Promise<void> {
    for (let from = 0; from < claims.length && this.#mode === 'shared'; from += VIEWS_PER_BEAT) {
      const some = claims.slice(from, from + VIEWS_PER_BEAT);
      this.#copies.ask(some);
      // Without it the estimate is made from what is known.
      await this.#copy(some).catch(() => undefined);
    }
  }

  observe(claim: BucketClaim, view: QuotaView): void {
    if (this.#mode === 'shared') void this.#wire.fire({ o: 'v', c: this.#wire.claim(claim), v: view });
    else this.#alone?.store.observe(claim, view);
  }

  left(taker: Taker): void {
    if (this.#mode === 'shared')
      void this.#wire.fire({ o: 'q', d: taker.domain, rank: taker.rank, ws: taker.workspace });
  }

  outlook(claim: BucketClaim, rank: number, full = false): (units: number) => number {
    if (this.#alone !== undefined && this.#mode !== 'shared') return this.#alone.store.outlook(claim, rank);
    return this.#copies.outlook(claim, full);
  }

  async exchange(domain: string, backlog: Backlogs): Promise<Backlogs | undefined> {
    if (this.#mode !== 'shared') return undefined;
    // Alone there is nobody to tell.
    if (this.#nodes.length < 2) return [];
    type Row = [workspace: string, calls: number, weight: number];
    const rows = (one: Backlogs[number] | undefined): Row[] =>
      [...(one ?? [])].map(([workspace, { calls, weight }]) => [workspace, calls, weight]);
    try {
      // As text within the text: the counter keeps it as it is.
      const told = JSON.stringify(backlog.map(rows));
      const nodes = (await this.#wire.send({ o: 'b', d: domain, q: told })) as string[] | Record<string, never>;
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

  rows(): Iterable<BucketSnapshot> {
    return this.#alone === undefined ? this.#copies.rows() : this.#alone.store.rows();
  }

  async inspect(): Promise<Iterable<BucketSnapshot>> {
    if (this.#mode !== 'shared') return this.rows();
    try {
      return await listed(this.#wire, () => this.#now());
    } catch {
      return this.rows();
    }
  }

  status(): { shared: boolean; nodes: number; degraded: string | null } {
    const degraded =
      this.#mode === 'shared'
        ? null
        : this.#wire.epoch === undefined
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
    return this.#wire.pending + (this.#joining === undefined ? 0 : 1);
  }

  /** Says good-bye, so that the others have this node's share at once. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
    if (this.#mode === 'shared') await this.#wire.fire({ o: 'x' });
    this.#wire.disconnect();
  }
}

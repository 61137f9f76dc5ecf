/**
 * Hands out permits for platform calls: all quota buckets of a call at once, in turn between workspaces and connections,
 * urgent calls first, within the caller's deadline. A call whose turn cannot come in time is refused at once.
 */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { PolyadError } from '../errors/index.ts';
import {
  type BucketClaim,
  type BucketSnapshot,
  bucketId,
  PRIORITIES,
  type Priority,
  type QuotaView,
} from './bucket.ts';
import { MemoryStore } from './memory-store.ts';
import { estimate, forecast, type OutlookParts, outlookOf, type Wait } from './outlook.ts';
import type { QuotaStore, TakeOutcome, Taker } from './store.ts';
import { type Caller, type Elsewhere, Turns, type Waiter } from './turns.ts';

export type { BucketClaim, BucketSnapshot, Priority, QuotaView } from './bucket.ts';

export interface Permit {
  /** The call was answered (or its connection broke): slots are free one window from now. */
  answered(): void;
  /** The call was not sent after all. */
  cancel(): void;
}

/** Who makes a call. A plain string stands for a workspace with one connection. */
export interface PacedCaller {
  workspace: string;
  connection: string;
  /** Share relative to other workspaces; default 1. */
  weight?: number;
  /** Default `interactive`. */
  priority?: Priority;
}

/** What the pacer has done since the start, by bucket name; for metrics. */
export interface PacerCounts {
  /** Permits given. */
  granted: number;
  /** Milliseconds callers waited for them. */
  waitedMs: number;
  /** Calls refused by us, by the bucket that was full. */
  refused: ReadonlyMap<string, number>;
  /** Refusals of the platforms, by the bucket that they concern. */
  refusedByPlatform: ReadonlyMap<string, number>;
}

/** Pause when another node's call goes first: one step of its pace, not more. */
const YIELD_MS = 5;

/** How often it is looked at whether all that waits can have its turn in time, and what waits at other nodes. */
const REVIEW_MS = 250;
/** The same while the queue grows or shrinks by more than a tenth. */
const REVIEW_SOON_MS = 100;
/** The same while nobody is near to being late: this share of the time that the tightest call has left. */
const REVIEW_SPARE = 1 / 10;
/** How often other nodes are told what waits here when little has changed. */
const TELL_MS = 1_000;

/** A shared counter that does not answer within the caller's time is given this much more. */
const GRACE_MS = 40;

/** Timers of the machine cannot be longer than 24 days. */
const LONGEST_SLEEP_MS = 86_400_000;

/** Attempts at other waiting calls before giving the other nodes their turn. */
const TRIES = 4;

interface Domain {
  turns: Turns;
  pumping: boolean;
  wake: (() => void) | undefined;
  /** Full buckets by id and rank: until when nobody of that rank needs to ask. */
  closed: Map<string, { until: number; onAnswer: boolean }>;
  /** What waits at other nodes, as they last told. */
  elsewhere: Elsewhere | undefined;
  /** When the queue is looked at again, and how long it was the last time. */
  reviewAt: number;
  reviewed: number;
  /** When other nodes are told again what waits here, and how many calls they were told of. */
  tellAt: number;
  toldAt: number;
  told: number;
  /** The earliest deadline of a waiting call, and what ends the sleep until then. */
  alarm: { at: number; off: AbortController } | undefined;
}

const NO_PERMIT: Permit = { answered() {}, cancel() {} };

const count = (map: Map<string, number>, key: string): void => {
  map.set(key, (map.get(key) ?? 0) + 1);
};

/** By more than a tenth. */
const changed = (one: number, other: number): boolean => Math.abs(one - other) > other / 10;

/** Calls that wait at other nodes. */
function sum(elsewhere: Elsewhere | undefined): number {
  let calls = 0;
  for (const rank of elsewhere ?? []) for (const one of rank.values()) calls += one.calls;
  return calls;
}

export class Pacer {
  readonly #clock: Clock;
  readonly #store: QuotaStore;
  readonly #domains = new Map<string, Domain>();
  readonly #refused = new Map<string, number>();
  readonly #refusedByPlatform = new Map<string, number>();
  /** Buckets that were refused last, and until when each rested. */
  readonly #rested = new LRUCache<string, number>({ max: 1_000 });
  #granted = 0;
  #waitedMs = 0;
  /** Time between permit and answer, smoothed: a slot comes back one window *and* one round trip after it was taken. */
  #roundTripMs = 0;
  #answers = 0;

  constructor(clock: Clock, store: QuotaStore = new MemoryStore(clock)) {
    this.#clock = clock;
    this.#store = store;
  }

  #now(): number {
    return this.#clock.now().getTime();
  }

  #permit(claims: readonly BucketClaim[]): Permit {
    this.#granted += 1;
    const since = this.#now();
    let open = true;
    return {
      answered: () => {
        if (!open) return;
        open = false;
        this.#store.answered(claims);
        const took = this.#now() - since;
        // The mean of the first, then smoothed.
        this.#answers += 1;
        this.#roundTripMs += (took - this.#roundTripMs) * Math.max(0.05, 1 / this.#answers);
        this.#reopen(claims);
      },
      cancel: () => {
        if (!open) return;
        open = false;
        this.#store.cancelled(claims);
        this.#reopen(claims, true);
      },
    };
  }

  /** Something came back that a waiting call may depend on. */
  #reopen(claims: readonly BucketClaim[], free = false): void {
    const domain = this.#domains.get(bucketId(claims[0] as BucketClaim));
    if (domain === undefined) return;
    let opened = false;
    for (const [key, { onAnswer }] of domain.closed)
      if (onAnswer || free) {
        domain.closed.delete(key);
        opened = true;
      }
    if (opened) domain.wake?.();
  }

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
    if (claims.length === 0) return Promise.resolve(NO_PERMIT);
    const caller: Caller =
      typeof who === 'string'
        ? { workspace: who, connection: who, weight: 1, rank: 0 }
        : {
            workspace: who.workspace,
            connection: who.connection,
            weight: who.weight ?? 1,
            rank: Math.max(0, PRIORITIES.indexOf(who.priority ?? 'interactive')),
          };
    const domainId = bucketId(claims[0] as BucketClaim);
    const domain = this.#domains.get(domainId);
    if (domain !== undefined)
      return this.#enqueue(domainId, caller, claims, this.#now() + maxWaitMs, signal, undefined);
    const deadline = this.#now() + maxWaitMs;
    const outcome = this.#store.take(claims, this.#taker(domainId, caller, false));
    if (!(outcome instanceof Promise)) {
      if (outcome.ok) return Promise.resolve(this.#permit(claims));
      return this.#enqueue(domainId, caller, claims, deadline, signal, outcome);
    }
    return this.#inTime(outcome, claims, maxWaitMs, signal).then((taken) =>
      taken.ok ? this.#permit(claims) : this.#enqueue(domainId, caller, claims, deadline, signal, taken),
    );
  }

  /** The shared counter's answer, unless it takes longer than the caller has; what it still takes then is given back. */
  #inTime(
    asked: Promise<TakeOutcome>,
    claims: readonly BucketClaim[],
    maxWaitMs: number,
    signal: AbortSignal,
  ): Promise<TakeOutcome> {
    return new Promise((resolve, reject) => {
      const sleep = new AbortController();
      let over = false;
      const end = (error: unknown): void => {
        over = true;
        sleep.abort();
        signal.removeEventListener('abort', hungUp);
        reject(error);
      };
      const hungUp = (): void => end(signal.reason);
      signal.addEventListener('abort', hungUp, { once: true });
      this.#clock.sleep(Math.min(LONGEST_SLEEP_MS, maxWaitMs) + GRACE_MS, sleep.signal).then(
        () => end(this.#refusal((claims[0] as BucketClaim).name, this.#store.pollMs)),
        () => undefined,
      );
      asked.then(
        (taken) => {
          if (over) {
            if (taken.ok) this.#store.cancelled(claims);
            return;
          }
          sleep.abort();
          signal.removeEventListener('abort', hungUp);
          resolve(taken);
        },
        (error) => {
          if (!over) end(error);
        },
      );
    });
  }

  /**
   * Counts a call that cannot wait its turn, such as the renewal of a token that others with a permit are waiting for:
   * the calls after it wait so much longer.
   */
  charge(claims: readonly BucketClaim[]): Permit {
    if (claims.length === 0) return NO_PERMIT;
    this.#store.charge(claims);
    return this.#permit(claims);
  }

  #taker(domain: string, { rank, workspace, weight }: Caller, queued: boolean): Taker {
    return { domain, rank, workspace, weight, queued };
  }

  #enqueue(
    domainId: string,
    caller: Caller,
    claims: readonly BucketClaim[],
    deadline: number,
    signal: AbortSignal,
    outcome: TakeOutcome | undefined,
  ): Promise<Permit> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const now = this.#now();
    const known = this.#domains.get(domainId);
    const lane = claims.map(bucketId).join('\n');
    const wait = this.#estimate(known, lane, caller, claims, outcome);
    if (now + wait.waitMs > deadline) return Promise.reject(this.#refusal(wait.claim.name, wait.waitMs));
    const domain: Domain = known ?? {
      turns: new Turns(wait.claim.windowMs),
      pumping: false,
      wake: undefined,
      closed: new Map(),
      elsewhere: undefined,
      reviewAt: 0,
      reviewed: 0,
      tellAt: 0,
      toldAt: 0,
      told: 0,
      alarm: undefined,
    };
    if (known === undefined) this.#domains.set(domainId, domain);
    if (outcome !== undefined && !outcome.ok) this.#close(domain, outcome, caller.rank);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        waiter.gone = true;
        if (domain.turns.remove(lane, waiter, this.#now())) this.#store.left(this.#taker(domainId, caller, true));
        reject(signal.reason);
        domain.wake?.();
      };
      const waiter: Waiter = {
        ...caller,
        claims,
        deadline,
        gone: false,
        order: 0,
        resolve: () => {
          signal.removeEventListener('abort', onAbort);
          this.#waitedMs += this.#now() - now;
          resolve(this.#permit(claims));
        },
        reject: (error) => {
          signal.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      domain.turns.add(lane, waiter, now);
      const spareMs = Math.min(LONGEST_SLEEP_MS, deadline - now - wait.waitMs);
      domain.reviewAt = Math.min(domain.reviewAt, now + Math.max(REVIEW_MS, spareMs * REVIEW_SPARE));
      this.#alarm(domainId, domain, deadline);
      this.#review(domainId, domain, now);
      this.#tell(domainId, domain, now);
      if (!domain.pumping) void this.#pump(domainId, domain);
      else if (!this.#isClosed(domain, claims, caller.rank, now)) domain.wake?.();
    });
  }

  /** What estimates are made from. */
  #outlook(domain: Domain | undefined, now: number, blocked?: string): OutlookParts {
    return {
      store: this.#store,
      roundTripMs: this.#roundTripMs,
      full: (id, rank) => id === blocked || (domain?.closed.get(`${rank}${id}`)?.until ?? 0) > now,
    };
  }

  /** When a new call's turn comes, as far as can be told. */
  #estimate(
    domain: Domain | undefined,
    lane: string,
    caller: Caller,
    claims: readonly BucketClaim[],
    outcome: TakeOutcome | undefined,
  ): Wait {
    const blocked = outcome?.ok === false ? outcome.id : undefined;
    const now = this.#now();
    const parts = this.#outlook(domain, now, blocked);
    const wait = estimate(parts, domain?.turns, domain?.elsewhere, lane, caller, claims);
    const paced = domain?.turns.atItsPace(caller, now);
    if (paced !== undefined && paced > wait.waitMs) wait.waitMs = Math.ceil(paced);
    if (outcome === undefined || outcome.ok || outcome.bucket === null || (outcome.waitMs ?? 0) <= wait.waitMs)
      return wait;
    const claim = claims.find((one) => bucketId(one) === outcome.id);
    return claim === undefined ? wait : { waitMs: outcome.waitMs ?? 0, claim };
  }

  /**
   * Looks now and then whether all that waits can still have its turn in time: who came later may go first, and less may
   * be free than was thought. Who cannot is told now and not at its deadline.
   */
  #review(id: string, domain: Domain, now: number): void {
    if (now < domain.reviewAt) return;
    const { turns } = domain;
    const moved = changed(turns.size, domain.reviewed);
    const { late, spareMs } = outlookOf(this.#outlook(domain, now), turns, domain.elsewhere, now);
    for (const { lane, waiter, claim, waitMs } of late)
      this.#drop(id, domain, lane, waiter, this.#refusal(claim.name, waitMs));
    domain.reviewed = turns.size;
    const pauseMs = Math.max(moved ? REVIEW_SOON_MS : REVIEW_MS, Math.min(LONGEST_SLEEP_MS, spareMs) * REVIEW_SPARE);
    domain.reviewAt = now + pauseMs;
  }

  /** Tells the other nodes what waits here, and hears what waits there. */
  #tell(id: string, domain: Domain, now: number): void {
    const { turns } = domain;
    if (this.#store.exchange === undefined) return;
    const moved = changed(turns.size, domain.told);
    if (now < domain.tellAt && !(moved && now >= domain.toldAt + REVIEW_MS)) return;
    // Soon again after a change: the others may have told their part a moment later.
    domain.tellAt = now + (moved ? REVIEW_MS : TELL_MS);
    domain.toldAt = now;
    domain.told = turns.size;
    void this.#store.exchange(id, turns.backlog()).then((elsewhere) => {
      const before = sum(domain.elsewhere);
      domain.elsewhere = elsewhere;
      if (!changed(sum(elsewhere), before)) return;
      domain.reviewAt = Math.min(domain.reviewAt, this.#now());
      domain.wake?.();
    });
  }

  /** Wakes when the first deadline comes: whoever still waits then is refused, whatever the pump waits for. */
  #alarm(id: string, domain: Domain, at: number): void {
    if (domain.alarm !== undefined && domain.alarm.at <= at) return;
    domain.alarm?.off.abort();
    const off = new AbortController();
    domain.alarm = { at, off };
    // Whole milliseconds: a clock that falls short by a fraction would be asked again and again.
    const sleepMs = Math.min(LONGEST_SLEEP_MS, Math.max(1, Math.ceil(at - this.#now())));
    this.#clock.sleep(sleepMs, off.signal).then(
      () => {
        domain.alarm = undefined;
        this.#expire(id, domain, this.#now());
        let next = Number.POSITIVE_INFINITY;
        for (const { waiter } of domain.turns.all()) next = Math.min(next, waiter.deadline);
        if (Number.isFinite(next)) this.#alarm(id, domain, next);
      },
      () => undefined,
    );
  }

  #refusal(bucket: string, waitMs: number): PolyadError {
    const wait = Math.max(1, Math.ceil(waitMs));
    count(this.#refused, bucket);
    return new PolyadError('quota_wait', { retryAfterMs: wait, details: { bucket, wait_ms: wait } });
  }

  #close(domain: Domain, outcome: TakeOutcome & { ok: false }, rank: number): void {
    if (outcome.bucket === null) return;
    const until = this.#now() + Math.min(outcome.waitMs ?? this.#store.pollMs, this.#store.pollMs);
    // What is full for one rank is full for all below it.
    for (let lower = rank; lower < PRIORITIES.length; lower += 1)
      domain.closed.set(`${lower}${outcome.id}`, { until, onAnswer: outcome.waitMs === null });
  }

  #isClosed(domain: Domain, claims: readonly BucketClaim[], rank: number, now: number): boolean {
    if (domain.closed.size === 0) return false;
    return claims.some((claim) => (domain.closed.get(`${rank}${bucketId(claim)}`)?.until ?? 0) > now);
  }

  /** Serves the waiting calls of a domain, sleeping until the next slot can be free. */
  async #pump(id: string, domain: Domain): Promise<void> {
    domain.pumping = true;
    while (domain.turns.size > 0) {
      let woken = false;
      domain.wake = () => {
        woken = true;
      };
      const pauseMs = await this.#round(id, domain);
      if (domain.turns.size === 0) break;
      // Something came in while the round asked the shared counter.
      if (woken) continue;
      await new Promise<void>((resolve) => {
        const sleep = new AbortController();
        const done = (): void => {
          domain.wake = undefined;
          sleep.abort();
          resolve();
        };
        domain.wake = done;
        if (Number.isFinite(pauseMs)) this.#clock.sleep(Math.max(1, pauseMs), sleep.signal).then(done, () => undefined);
      });
    }
    domain.pumping = false;
    domain.alarm?.off.abort();
    void this.#store.exchange?.(id, domain.turns.backlog());
    this.#domains.delete(id);
  }

  /** Grants until nothing more can go; returns how long to sleep. */
  async #round(id: string, domain: Domain): Promise<number> {
    const { turns } = domain;
    let now = this.#now();
    let yields = 0;
    this.#review(id, domain, now);
    this.#tell(id, domain, now);
    for (const [key, { until }] of domain.closed) if (until <= now) domain.closed.delete(key);
    for (;;) {
      const next = turns.next((claims, rank) => this.#isClosed(domain, claims, rank, now));
      if (next === undefined) break;
      const { lane, waiter, owed } = next;
      const taken = this.#store.take(waiter.claims, {
        ...this.#taker(id, waiter, true),
        served: turns.served(waiter),
        ...(owed ? { owed } : {}),
      });
      const outcome = taken instanceof Promise ? await taken : taken;
      now = this.#now();
      if (!outcome.ok && outcome.served !== undefined) turns.learn(waiter, outcome.served);
      if (outcome.ok) {
        if (waiter.gone) {
          this.#store.cancelled(waiter.claims);
          continue;
        }
        turns.charge(waiter, waiter.claims[0]?.cost ?? 1, now, outcome.served);
        if (turns.remove(lane, waiter, now)) this.#store.left(this.#taker(id, waiter, true));
        waiter.resolve(outcome);
      } else if (outcome.bucket === null) {
        if (owed) turns.notYet(waiter.rank);
        yields += 1;
        if (yields >= TRIES) return outcome.waitMs ?? YIELD_MS;
      } else {
        this.#close(domain, outcome, owed ? 0 : waiter.rank);
        if (!waiter.gone && outcome.waitMs !== null && now + outcome.waitMs > waiter.deadline)
          this.#drop(id, domain, lane, waiter, this.#refusal(outcome.bucket, outcome.waitMs));
      }
    }
    let pause = this.#store.pollMs;
    for (const { until, onAnswer } of domain.closed.values())
      if (!onAnswer || Number.isFinite(until)) pause = Math.min(pause, until - now);
    const nextMs = this.#store.exchange === undefined ? domain.reviewAt - now : REVIEW_MS;
    return Math.min(pause, Math.max(1, Math.min(nextMs, domain.reviewAt - now)));
  }

  /** Refuses calls whose deadline has come. */
  #expire(id: string, domain: Domain, now: number): void {
    const over = [...domain.turns.all()].filter(({ waiter }) => now >= waiter.deadline);
    for (const { lane, waiter } of over) {
      const { claim, waitMs } = forecast(this.#outlook(undefined, now), waiter.claims, 1, waiter.rank);
      const closed = waiter.claims.find((one) => domain.closed.has(`${waiter.rank}${bucketId(one)}`)) ?? claim;
      this.#drop(id, domain, lane, waiter, this.#refusal(closed.name, Math.max(waitMs, 1)));
    }
  }

  #drop(id: string, domain: Domain, lane: string, waiter: Waiter, error: PolyadError): void {
    // What is being asked for it at the moment is given back.
    waiter.gone = true;
    if (domain.turns.remove(lane, waiter, this.#now())) this.#store.left(this.#taker(id, waiter, true));
    waiter.reject(error);
  }

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
    this.#reopen(claims, true);
  }

  /** Milliseconds until `calls` more calls under these claims can all have gone, and the quota that takes longest. */
  forecast(claims: readonly BucketClaim[], calls: number): { waitMs: number; claim: BucketClaim } {
    return forecast(this.#outlook(undefined, this.#now()), claims, calls, 0);
  }

  /** Looks anew at what is left of these quotas, before a forecast: other nodes may have used them. */
  async look(claims: readonly BucketClaim[]): Promise<void> {
    await this.#store.look?.(claims);
  }

  /** Buckets this node has used. */
  snapshot(): BucketSnapshot[] {
    return this.#store.snapshot();
  }

  /** Buckets of all nodes, for `GET /v1/quotas`. */
  inspect(): Promise<BucketSnapshot[]> {
    return this.#store.inspect();
  }

  status(): ReturnType<QuotaStore['status']> {
    return this.#store.status();
  }

  counts(): PacerCounts {
    return {
      granted: this.#granted,
      waitedMs: this.#waitedMs,
      refused: this.#refused,
      refusedByPlatform: this.#refusedByPlatform,
    };
  }

  /** Calls that wait for quota. */
  waiting(): number {
    let all = 0;
    for (const { turns } of this.#domains.values()) all += turns.size;
    return all;
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

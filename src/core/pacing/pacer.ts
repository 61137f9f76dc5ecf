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
import type { QuotaStore, TakeOutcome, Taker } from './store.ts';
import { type Caller, Turns, type Waiter } from './turns.ts';

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

/** Attempts at other waiting calls before giving the other nodes their turn. */
const TRIES = 4;

interface Domain {
  turns: Turns;
  pumping: boolean;
  wake: (() => void) | undefined;
  /** Full buckets by id and rank: until when nobody of that rank needs to ask. */
  closed: Map<string, { until: number; onAnswer: boolean }>;
}

const NO_PERMIT: Permit = { answered() {}, cancel() {} };

const count = (map: Map<string, number>, key: string): void => {
  map.set(key, (map.get(key) ?? 0) + 1);
};

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
        this.#roundTripMs += (this.#now() - since - this.#roundTripMs) * 0.05;
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
    if (domain !== undefined) return this.#enqueue(domainId, caller, claims, maxWaitMs, signal, undefined);
    const outcome = this.#store.take(claims, this.#taker(domainId, caller, false));
    if (!(outcome instanceof Promise)) {
      if (outcome.ok) return Promise.resolve(this.#permit(claims));
      return this.#enqueue(domainId, caller, claims, maxWaitMs, signal, outcome);
    }
    return outcome.then((taken) => {
      if (!taken.ok) return this.#enqueue(domainId, caller, claims, maxWaitMs, signal, taken);
      const permit = this.#permit(claims);
      if (!signal.aborted) return permit;
      permit.cancel();
      throw signal.reason;
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
    maxWaitMs: number,
    signal: AbortSignal,
    outcome: TakeOutcome | undefined,
  ): Promise<Permit> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const now = this.#now();
    const known = this.#domains.get(domainId);
    const lane = claims.map(bucketId).join('\n');
    const wait = this.#estimate(known, lane, caller, claims, outcome);
    if (wait.waitMs > maxWaitMs) return Promise.reject(this.#refusal(wait.claim.name, wait.waitMs));
    const domain = known ?? { turns: new Turns(), pumping: false, wake: undefined, closed: new Map() };
    if (known === undefined) this.#domains.set(domainId, domain);
    if (outcome !== undefined && !outcome.ok) this.#close(domain, outcome, caller.rank);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        waiter.gone = true;
        if (domain.turns.remove(lane, waiter)) this.#store.left(this.#taker(domainId, caller, true));
        reject(signal.reason);
        domain.wake?.();
      };
      const waiter: Waiter = {
        ...caller,
        claims,
        deadline: now + maxWaitMs,
        gone: false,
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
      domain.turns.add(lane, waiter);
      if (!domain.pumping) void this.#pump(domainId, domain);
      else if (!this.#isClosed(domain, claims, caller.rank, now)) domain.wake?.();
    });
  }

  /** When a new call's turn comes, as far as can be told. */
  #estimate(
    domain: Domain | undefined,
    lane: string,
    caller: Caller,
    claims: readonly BucketClaim[],
    outcome: TakeOutcome | undefined,
  ): { waitMs: number; claim: BucketClaim } {
    const now = this.#now();
    const blocked = outcome?.ok === false ? outcome.id : undefined;
    const full = (id: string): boolean =>
      id === blocked || (domain?.closed.get(`${caller.rank}${id}`)?.until ?? 0) > now;
    const inLane = domain?.turns.ahead(lane, caller) ?? 0;
    let worst = this.#store.forecast(claims, inLane + 1, caller.rank, full);
    if (domain !== undefined) {
      const ahead = domain.turns.ahead(undefined, caller);
      const wide = this.#store.forecast(claims.slice(0, 1), ahead + 1, caller.rank, full);
      if (wide.waitMs > worst.waitMs) worst = wide;
    }
    if (outcome !== undefined && !outcome.ok && outcome.bucket !== null) {
      const claim = claims.find((one) => bucketId(one) === outcome.id);
      if (claim !== undefined && (outcome.waitMs ?? 0) > worst.waitMs) worst = { waitMs: outcome.waitMs ?? 0, claim };
    }
    const rounds = Math.floor(worst.waitMs / worst.claim.windowMs);
    return { claim: worst.claim, waitMs: Math.ceil(worst.waitMs + rounds * this.#roundTripMs) };
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
    this.#domains.delete(id);
  }

  /** Grants until nothing more can go; returns how long to sleep. */
  async #round(id: string, domain: Domain): Promise<number> {
    const { turns } = domain;
    let now = this.#now();
    let yields = 0;
    this.#expire(id, domain, now);
    for (const [key, { until }] of domain.closed) if (until <= now) domain.closed.delete(key);
    for (;;) {
      const next = turns.next((claims, rank) => this.#isClosed(domain, claims, rank, now));
      if (next === undefined) break;
      const { lane, waiter } = next;
      const taken = this.#store.take(waiter.claims, {
        ...this.#taker(id, waiter, true),
        served: turns.served(waiter),
      });
      const outcome = taken instanceof Promise ? await taken : taken;
      now = this.#now();
      if (!outcome.ok && outcome.served !== undefined) turns.learn(waiter, outcome.served);
      if (outcome.ok) {
        if (waiter.gone) {
          this.#store.cancelled(waiter.claims);
          continue;
        }
        turns.charge(waiter, waiter.claims[0]?.cost ?? 1, outcome.served);
        if (turns.remove(lane, waiter)) this.#store.left(this.#taker(id, waiter, true));
        waiter.resolve(outcome);
      } else if (outcome.bucket === null) {
        yields += 1;
        if (yields >= TRIES) return outcome.waitMs ?? YIELD_MS;
      } else {
        this.#close(domain, outcome, waiter.rank);
        if (!waiter.gone && outcome.waitMs !== null && now + outcome.waitMs > waiter.deadline)
          this.#drop(id, domain, lane, waiter, this.#refusal(outcome.bucket, outcome.waitMs));
      }
    }
    let pause = this.#store.pollMs;
    for (const { until, onAnswer } of domain.closed.values())
      if (!onAnswer || Number.isFinite(until)) pause = Math.min(pause, until - now);
    for (const { waiter } of turns.all()) pause = Math.min(pause, waiter.deadline - now);
    return pause;
  }

  /** Refuses calls whose deadline has come. */
  #expire(id: string, domain: Domain, now: number): void {
    const late = [...domain.turns.all()].filter(({ waiter }) => now >= waiter.deadline);
    for (const { lane, waiter } of late) {
      const { claim, waitMs } = this.#store.forecast(waiter.claims, 1, waiter.rank);
      const closed = waiter.claims.find((one) => domain.closed.has(`${waiter.rank}${bucketId(one)}`)) ?? claim;
      this.#drop(id, domain, lane, waiter, this.#refusal(closed.name, Math.max(waitMs, 1)));
    }
  }

  #drop(id: string, domain: Domain, lane: string, waiter: Waiter, error: PolyadError): void {
    if (domain.turns.remove(lane, waiter)) this.#store.left(this.#taker(id, waiter, true));
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
    return this.#store.forecast(claims, calls, 0);
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

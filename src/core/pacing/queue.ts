/**
 * The calls that wait for one domain (the widest bucket they share). Served in turn as slots come free; looked through now
 * and then for those whose turn cannot come in time, who hear so at once; refused when their deadline comes.
 */
import { type Clock, LONGEST_SLEEP_MS } from '../clock.ts';
import type { PolyadError } from '../errors/index.ts';
import type { BucketClaim } from './bucket.ts';
import { FullBuckets } from './full-buckets.ts';
import { changed, OtherNodes, TELL_SOON_MS } from './other-nodes.ts';
import { forecast, outlookOf, outlookParts, type Wait } from './outlook.ts';
import type { Permit, Permits } from './permits.ts';
import type { QuotaStore, TakeOutcome, Taker } from './store.ts';
import { Turns } from './turns.ts';
import type { Backlogs, Caller, Waiter } from './waiter.ts';

/** How often it is looked at whether all that waits can have its turn in time. */
const REVIEW_MS = 250;
/** The same while the queue grows or shrinks by more than a tenth. */
const REVIEW_SOON_MS = 100;
/** The same while nobody is near to being late: this share of the time that the tightest call has left. */
const REVIEW_SPARE = 1 / 10;

/** Attempts at other waiting calls before giving the other nodes their turn. */
const TRIES = 4;

export class Queue {
  readonly turns: Turns;
  readonly full = new FullBuckets();
  readonly #domain: string;
  readonly #permits: Permits;
  readonly #clock: Clock;
  readonly #store: QuotaStore;
  readonly #queues: Map<string, Queue>;
  /** Undefined where there are none. */
  readonly #others: OtherNodes | undefined;
  #pumping = false;
  /** Ends the pump's sleep. */
  #wake: (() => void) | undefined;
  /** When it is looked through again, and how long it was the last time. */
  #reviewAt = 0;
  #reviewed = 0;
  /** The earliest deadline of a waiting call, and what ends the sleep until then. */
  #alarmAt = 0;
  #alarm: AbortController | undefined;

  /**
   * @param domain id of the widest bucket
   * @param windowMs window of the quota that the calls compete for
   * @param queues where it is found by its domain; it takes itself out when nobody waits any more.
   */
  constructor(domain: string, windowMs: number, permits: Permits, queues: Map<string, Queue>) {
    const { clock, store } = permits;
    this.#domain = domain;
    this.#permits = permits;
    this.#clock = clock;
    this.#store = store;
    this.#queues = queues;
    this.turns = new Turns(windowMs);
    if (store.exchange !== undefined) this.#others = new OtherNodes(domain, store, () => this.#heard());
  }

  /** What waits at other nodes, as they last told. */
  get elsewhere(): Backlogs | undefined {
    return this.#others?.elsewhere;
  }

  #now(): number {
    return this.#clock.now().getTime();
  }

  #taker({ rank, workspace, weight }: Caller): Taker {
    return { domain: this.#domain, rank, workspace, weight, queued: true };
  }

  // ---------------------------------------------------------------------------------------------- who comes and goes

  /**
   * A permit when its turn comes.
   *
   * @param waitMs when that will be, as far as can be told.
   * @param outcome what the counter just said to it, if it was asked
   */
  add(
    lane: string,
    caller: Caller,
    claims: readonly BucketClaim[],
    deadline: number,
    signal: AbortSignal,
    now: number,
    waitMs: number,
    outcome: TakeOutcome | undefined,
  ): Promise<Permit> {
    if (outcome?.ok === false && outcome.bucket !== null) this.full.add(outcome, caller.rank, now, this.#store.pollMs);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#remove(lane, waiter);
        reject(signal.reason);
        this.#wake?.();
      };
      const waiter: Waiter = {
        ...caller,
        claims,
        deadline,
        gone: false,
        order: 0,
        resolve: () => {
          signal.removeEventListener('abort', onAbort);
          this.#permits.waitedMs += this.#now() - now;
          resolve(this.#permits.give(claims));
        },
        reject: (error) => {
          signal.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.turns.add(lane, waiter, now);
      const spareMs = Math.min(LONGEST_SLEEP_MS, deadline - now - waitMs);
      this.#reviewAt = Math.min(this.#reviewAt, now + Math.max(REVIEW_MS, spareMs * REVIEW_SPARE));
      this.#setAlarm(deadline);
      this.#review(now);
      this.#others?.tell(this.turns, now);
      if (!this.#pumping) void this.#pump();
      else if (!this.full.hasAny(claims, caller.rank, now)) this.#wake?.();
    });
  }

  /** Something came back. `free`: a slot is free at once. */
  reopen(free: boolean): void {
    if (this.full.reopen(free)) this.#wake?.();
  }

  /** Something has changed at other nodes. */
  #heard(): void {
    this.#reviewAt = Math.min(this.#reviewAt, this.#now());
    this.#wake?.();
  }

  /** Takes a call out. What is being taken for it at the moment is given back. */
  #remove(lane: string, waiter: Waiter): void {
    waiter.gone = true;
    if (this.turns.remove(lane, waiter, this.#now())) this.#store.left(this.#taker(waiter));
  }

  #refuse(lane: string, waiter: Waiter, error: PolyadError): void {
    this.#remove(lane, waiter);
    waiter.reject(error);
  }

  // ---------------------------------------------------------------------------------------------- turns

  /** Serves the waiting calls, sleeping until the next slot can be free. */
  async #pump(): Promise<void> {
    this.#pumping = true;
    while (this.turns.size > 0) {
      let woken = false;
      this.#wake = () => {
        woken = true;
      };
      const pauseMs = await this.#round();
      if (this.turns.size === 0) break;
      // Something came in while the round asked the shared counter.
      if (woken) continue;
      await new Promise<void>((resolve) => {
        const sleep = new AbortController();
        const done = (): void => {
          this.#wake = undefined;
          sleep.abort();
          resolve();
        };
        this.#wake = done;
        if (Number.isFinite(pauseMs)) this.#clock.sleep(Math.max(1, pauseMs), sleep.signal).then(done, () => undefined);
      });
    }
    this.#pumping = false;
    this.#alarm?.abort();
    this.#others?.end(this.turns);
    this.#queues.delete(this.#domain);
  }

  /** Grants until nothing more can go; returns how long to sleep. */
  async #round(): Promise<number> {
    const { turns, full } = this;
    let now = this.#now();
    let yields = 0;
    this.#review(now);
    this.#others?.tell(turns, now);
    full.expire(now);
    for (;;) {
      const next = turns.next((claims, rank) => full.hasAny(claims, rank, now));
      if (next === undefined) break;
      const { lane, waiter, owed } = next;
      const taken = this.#store.take(waiter.claims, {
        ...this.#taker(waiter),
        served: turns.served(waiter),
        ...(owed ? { owed } : {}),
      });
      const outcome = taken instanceof Promise ? await taken : taken;
      now = this.#now();
      if (outcome.ok) {
        if (waiter.gone) {
          this.#store.cancelled(waiter.claims);
          continue;
        }
        turns.charge(waiter, waiter.claims[0]?.cost ?? 1, now, outcome.served);
        if (turns.remove(lane, waiter, now)) this.#store.left(this.#taker(waiter));
        waiter.resolve();
        continue;
      }
      if (outcome.served !== undefined) turns.learn(waiter, outcome.served);
      if (outcome.bucket === null) {
        if (owed) turns.notYet(waiter.rank);
        yields += 1;
        if (yields >= TRIES) return outcome.waitMs;
      } else {
        full.add(outcome, owed ? 0 : waiter.rank, now, this.#store.pollMs);
        if (!waiter.gone && outcome.waitMs !== null && now + outcome.waitMs > waiter.deadline)
          this.#refuse(lane, waiter, this.#permits.refusal(outcome.bucket, outcome.waitMs));
      }
    }
    // What other nodes are told is looked at as often as they may be told.
    const tellMs = this.#others === undefined ? Number.POSITIVE_INFINITY : TELL_SOON_MS;
    const nextMs = Math.max(1, Math.min(tellMs, this.#reviewAt - now));
    return Math.min(full.pauseMs(now, this.#store.pollMs), nextMs);
  }

  // ---------------------------------------------------------------------------------------------- who comes too late

  /**
   * Looks now and then whether all that waits can still have its turn in time: who came later may go first, and less may
   * be free than was thought. Who cannot is told now and not at its deadline.
   */
  #review(now: number): void {
    if (now < this.#reviewAt) return;
    const { turns } = this;
    const moved = changed(turns.size, this.#reviewed);
    const { late, spareMs } = outlookOf(outlookParts(this.#permits, now, this.full), turns, this.elsewhere, now);
    for (const { lane, waiter, claim, waitMs } of late)
      this.#refuse(lane, waiter, this.#permits.refusal(claim.name, waitMs));
    this.#reviewed = turns.size;
    const pauseMs = Math.max(moved ? REVIEW_SOON_MS : REVIEW_MS, Math.min(LONGEST_SLEEP_MS, spareMs) * REVIEW_SPARE);
    this.#reviewAt = now + pauseMs;
  }

  /** Wakes when the first deadline comes: whoever still waits then is refused, whatever the pump waits for. */
  #setAlarm(at: number): void {
    if (this.#alarm !== undefined && this.#alarmAt <= at) return;
    this.#alarm?.abort();
    const off = new AbortController();
    this.#alarm = off;
    this.#alarmAt = at;
    // Whole milliseconds: a clock that falls short by a fraction would be asked again and again.
    const sleepMs = Math.min(LONGEST_SLEEP_MS, Math.max(1, Math.ceil(at - this.#now())));
    this.#clock.sleep(sleepMs, off.signal).then(
      () => {
        this.#alarm = undefined;
        this.#expire(this.#now());
        let next = Number.POSITIVE_INFINITY;
        for (const { waiter } of this.turns.all()) next = Math.min(next, waiter.deadline);
        if (Number.isFinite(next)) this.#setAlarm(next);
      },
      () => undefined,
    );
  }

  /** Refuses calls whose deadline has come. */
  #expire(now: number): void {
    const over = [...this.turns.all()].filter(({ waiter }) => now >= waiter.deadline);
    for (const { lane, waiter } of over) {
      const wait: Wait = forecast(outlookParts(this.#permits, now, undefined), waiter.claims, 1, waiter.rank);
      const claim = this.full.find(waiter.claims, waiter.rank) ?? wait.claim;
      this.#refuse(lane, waiter, this.#permits.refusal(claim.name, Math.max(wait.waitMs, 1)));
    }
  }
}

/** The other counting rules: windows that the platform aligns, even refill, and places in a queue of jobs. */
import type { QuotaRule } from '../connector/types.ts';
import { boundaries } from './calendar.ts';
import { type Counter, EDGE_MAX_MS, EDGE_SHARE, SPREAD_MS } from './counter.ts';
import { QuotaWindow } from './window.ts';

/**
 * A window that the platform itself begins and ends. A call under way when it ends may arrive in either, so it is carried
 * into the next one; so is what was taken so near to the edge that the platform's clock may say otherwise.
 */
export class FixedWindow implements Counter {
  readonly #rule: Extract<QuotaRule, { kind: 'fixed' }>;
  readonly #windowMs: number;
  readonly #edgeMs: number;
  #end = 0;
  #used = 0;
  #inFlight = 0;
  /** Taken in the last moments of the window and answered since. */
  #carried = 0;

  constructor(rule: Extract<QuotaRule, { kind: 'fixed' }>, windowMs: number) {
    this.#rule = rule;
    this.#windowMs = windowMs;
    this.#edgeMs = Math.min(EDGE_MAX_MS, windowMs * EDGE_SHARE);
  }

  #roll(now: number): void {
    if (now < this.#end + this.#edgeMs) return;
    const [, end] = boundaries(this.#rule.align, this.#windowMs, now);
    // Only the window right before can have left anything over.
    const [start] = boundaries(this.#rule.align, this.#windowMs, end - 1);
    this.#used = this.#inFlight + (start === this.#end ? this.#carried : 0);
    this.#carried = 0;
    this.#end = end;
  }

  waitMs(now: number, cost: number, limit: number): number | null {
    this.#roll(now);
    if (this.#used + cost <= limit) return 0;
    return Math.max(1, Math.ceil(this.#end + this.#edgeMs - now));
  }

  take(now: number, cost: number): void {
    this.#roll(now);
    this.#used += cost;
    this.#inFlight += cost;
  }

  release(now: number, cost: number): void {
    this.#roll(now);
    this.#inFlight -= cost;
    if (now > this.#end - this.#edgeMs) this.#carried += cost;
  }

  cancel(cost: number): void {
    this.#inFlight -= cost;
    this.#used -= cost;
  }

  used(now: number): number {
    this.#roll(now);
    return this.#used;
  }

  inFlight(): number {
    return this.#inFlight;
  }

  forecast(now: number, units: number, limit: number): number {
    this.#roll(now);
    if (limit <= 0) return this.#windowMs;
    const left = units - Math.max(0, limit - this.#used);
    if (left <= 0) return 0;
    return this.#end + this.#edgeMs - now + Math.floor((left - 1) / limit) * this.#windowMs;
  }

  dump(now: number): number[] {
    this.#roll(now);
    return [this.#end, this.#used, now > this.#end - this.#edgeMs ? this.#carried + this.#inFlight : 0];
  }

  load(state: readonly number[]): void {
    const [end = 0, used = 0, carried = 0] = state;
    this.#end = end;
    this.#used += used;
    this.#carried += carried;
  }

  idle(now: number): boolean {
    return this.used(now) === 0 && this.#inFlight === 0;
  }
}

/**
 * Generic cell rate: `burst` units at once, refilled evenly. It counts at sending while the platform counts at arrival,
 * so the burst is smaller by what refills during the longest spread of the network.
 */
export class CellRate implements Counter {
  readonly #burst: number;
  readonly #windowMs: number;
  /** Theoretical arrival time: when the bucket is full again. */
  #full = 0;
  #inFlight = 0;

  constructor(rule: Extract<QuotaRule, { kind: 'gcra' }>, windowMs: number) {
    this.#burst = rule.burst;
    this.#windowMs = windowMs;
  }

  #burstUnder(limit: number): number {
    return Math.max(1, Math.min(this.#burst, limit) - (limit * SPREAD_MS) / this.#windowMs);
  }

  waitMs(now: number, cost: number, limit: number): number | null {
    if (limit <= 0) return null;
    // A call dearer than the burst goes when the bucket is full.
    const room = Math.max(0, this.#burstUnder(limit) - cost) * (this.#windowMs / limit);
    return this.#full - now <= room + 0.001 ? 0 : Math.max(1, Math.ceil(this.#full - now - room));
  }

  take(now: number, cost: number, limit: number): void {
    this.#full = Math.max(this.#full, now) + cost * (this.#windowMs / limit);
    this.#inFlight += cost;
  }

  release(_now: number, cost: number): void {
    this.#inFlight -= cost;
  }

  cancel(cost: number): void {
    this.#inFlight -= cost;
  }

  used(now: number, limit: number): number {
    return Math.ceil((Math.max(0, this.#full - now) / this.#windowMs) * limit - 1e-6);
  }

  inFlight(): number {
    return this.#inFlight;
  }

  forecast(now: number, units: number, limit: number): number {
    const interval = this.#windowMs / Math.max(limit, 1e-9);
    return Math.max(0, Math.max(this.#full, now) - now + (units - this.#burstUnder(limit)) * interval);
  }

  dump(): number[] {
    return [this.#full];
  }

  load(state: readonly number[]): void {
    this.#full = Math.max(this.#full, state[0] ?? 0);
  }

  idle(now: number): boolean {
    return this.#inFlight === 0 && this.#full <= now;
  }
}

/**
 * Places: `call` places are free with the answer. `job` places outlive it, until the job is said to have ended or its
 * longest time (the bucket's window) is over, so that a forgotten job does not hold a place for ever.
 */
export class Places implements Counter {
  readonly #holds: 'call' | 'job';
  readonly #jobs: QuotaWindow;
  #calls = 0;

  constructor(rule: Extract<QuotaRule, { kind: 'concurrency' }>, windowMs: number) {
    this.#holds = rule.holds;
    this.#jobs = new QuotaWindow(Number.POSITIVE_INFINITY, windowMs);
  }

  waitMs(now: number, cost: number, limit: number): number | null {
    if (this.used(now) + cost <= limit) return 0;
    return this.#calls > 0 ? null : this.#jobs.waitMs(now, cost, limit - this.#calls);
  }

  take(_now: number, cost: number): void {
    this.#calls += cost;
  }

  release(now: number, cost: number): void {
    this.#calls -= cost;
    if (this.#holds === 'job') this.#jobs.add(now, cost);
  }

  cancel(cost: number): void {
    this.#calls -= cost;
  }

  /** A job ended. */
  end(units: number): void {
    this.#jobs.remove(units);
  }

  used(now: number): number {
    return this.#calls + this.#jobs.used(now);
  }

  inFlight(): number {
    return this.#calls;
  }

  /** Nobody knows how long a job takes: only its longest time is certain. */
  forecast(now: number, units: number, limit: number): number {
    return this.used(now) + units <= limit || this.#holds === 'call' ? 0 : this.#jobs.forecast(now, units, limit);
  }

  dump(now: number): number[] {
    return this.#holds === 'job' ? this.#jobs.dump(now) : [];
  }

  load(state: readonly number[]): void {
    this.#jobs.load(state);
  }

  idle(now: number): boolean {
    return this.used(now) === 0;
  }
}

/** The counter of a rule. */
export function counterOf(rule: QuotaRule | undefined, limit: number, windowMs: number): Counter {
  if (rule === undefined || rule.kind === 'log') return new QuotaWindow(limit, windowMs);
  if (rule.kind === 'fixed') return new FixedWindow(rule, windowMs);
  if (rule.kind === 'gcra') return new CellRate(rule, windowMs);
  return new Places(rule, windowMs);
}

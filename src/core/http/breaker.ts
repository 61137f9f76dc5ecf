/**
 * Circuit breakers, one per platform × environment × endpoint class: while a part of a platform is down, calls to it are
 * refused at once instead of adding to its load and to everybody's waiting, and one probe per interval finds out whether
 * it is back. State is per process: nodes that see the platform differently may each be right.
 */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';

/** What one breaker watches over. */
export interface Circuit {
  /** Platform id. */
  platform: string;
  environment: string;
  /** Endpoints that live and die together, such as `report` or `campaign`. */
  endpoints: string;
}

export type CircuitState = 'closed' | 'open' | 'half_open';

/** One breaker as `/readyz`, `/v1/quotas` and the metrics show it. */
export interface CircuitReport extends Circuit {
  state: CircuitState;
  /** Calls and failed calls of the last ten seconds. */
  calls: number;
  failures: number;
  /** Since when calls are refused; null = they are not. */
  open_since: Date | null;
  /** When the next probe may go; null = closed. */
  probe_at: Date | null;
}

/** Length of the window that failures are counted in. */
const WINDOW_MS = 10_000;
const SLOT_MS = 1_000;
const SLOTS = WINDOW_MS / SLOT_MS;
/** Fewer calls in the window say nothing of a platform. */
const MIN_CALLS = 20;
/** Share of failed calls from which the platform is taken to be down. */
const FAILED_SHARE = 0.5;
/** Between two probes. */
export const PROBE_INTERVAL_MS = 5_000;
/** Breakers remembered: far more than there are platforms, environments and classes of endpoints. */
const REMEMBERED = 2_000;

/** A call that was let through: `ended` must be called once, `undefined` when the call says nothing of the platform. */
export interface Passage {
  readonly probe: boolean;
  ended(worked: boolean | undefined): void;
}

/** Calls of one second. */
interface Slot {
  second: number;
  calls: number;
  failures: number;
}

class Breaker {
  readonly circuit: Circuit;
  /** The last seconds, by second modulo their number: older ones are overwritten. */
  readonly #slots: readonly Slot[] = Array.from({ length: SLOTS }, () => ({ second: -1, calls: 0, failures: 0 }));
  #openSince: number | undefined;
  #probeAt = 0;
  #probing = false;

  constructor(circuit: Circuit) {
    this.circuit = circuit;
  }

  /** Milliseconds to wait before a call may go; 0 = now. */
  waitMs(now: number): number {
    if (this.#openSince === undefined) return 0;
    if (this.#probing) return PROBE_INTERVAL_MS;
    return Math.max(0, this.#probeAt - now);
  }

  enter(clock: Clock): Passage {
    const probe = this.#openSince !== undefined;
    if (probe) this.#probing = true;
    let over = false;
    return {
      probe,
      ended: (worked) => {
        if (over) return;
        over = true;
        this.#ended(worked, probe, clock.now().getTime());
      },
    };
  }

  #ended(worked: boolean | undefined, probe: boolean, now: number): void {
    if (probe) {
      this.#probing = false;
      if (worked === true) this.#close();
      // A probe that was given up has shown nothing: the next caller may be the probe.
      else if (worked === false) this.#probeAt = now + PROBE_INTERVAL_MS;
      return;
    }
    // What was under way when the breaker opened says nothing new.
    if (worked === undefined || this.#openSince !== undefined) return;
    const slot = this.#slot(now);
    slot.calls += 1;
    if (worked) return;
    slot.failures += 1;
    const { calls, failures } = this.#sums(now);
    if (calls >= MIN_CALLS && failures >= calls * FAILED_SHARE) {
      this.#openSince = now;
      this.#probeAt = now + PROBE_INTERVAL_MS;
    }
  }

  #slot(now: number): Slot {
    const second = Math.floor(now / SLOT_MS);
    const slot = this.#slots[second % SLOTS] as Slot;
    if (slot.second !== second) Object.assign(slot, { second, calls: 0, failures: 0 });
    return slot;
  }

  #sums(now: number): { calls: number; failures: number } {
    const oldest = Math.floor(now / SLOT_MS) - SLOTS;
    let calls = 0;
    let failures = 0;
    for (const slot of this.#slots) {
      if (slot.second <= oldest) continue;
      calls += slot.calls;
      failures += slot.failures;
    }
    return { calls, failures };
  }

  #close(): void {
    this.#openSince = undefined;
    for (const slot of this.#slots) slot.second = -1;
  }

  report(now: number): CircuitReport {
    const open = this.#openSince;
    const state = open === undefined ? 'closed' : this.#probing || this.#probeAt <= now ? 'half_open' : 'open';
    return {
      ...this.circuit,
      state,
      ...this.#sums(now),
      open_since: open === undefined ? null : new Date(open),
      probe_at: open === undefined ? null : new Date(this.#probeAt),
    };
  }
}

/** All breakers of a process. */
export class Breakers {
  readonly #clock: Clock;
  readonly #known = new LRUCache<string, Breaker>({ max: REMEMBERED });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  #of(circuit: Circuit): Breaker {
    const key = `${circuit.platform}/${circuit.environment}/${circuit.endpoints}`;
    let breaker = this.#known.get(key);
    if (breaker === undefined) {
      breaker = new Breaker(circuit);
      this.#known.set(key, breaker);
    }
    return breaker;
  }

  /** Milliseconds until a call may be tried; 0 = now. For callers that would have to wait for something else first. */
  waitMs(circuit: Circuit): number {
    return this.#of(circuit).waitMs(this.#clock.now().getTime());
  }

  /** Lets a call through, or answers how many milliseconds it is refused for. */
  enter(circuit: Circuit): Passage | number {
    const breaker = this.#of(circuit);
    const wait = breaker.waitMs(this.#clock.now().getTime());
    return wait > 0 ? wait : breaker.enter(this.#clock);
  }

  /** Every breaker that has seen calls lately, open ones first. */
  report(): CircuitReport[] {
    const now = this.#clock.now().getTime();
    return [...this.#known.values()]
      .map((breaker) => breaker.report(now))
      .filter((report) => report.state !== 'closed' || report.calls > 0)
      .sort((a, b) => Number(a.state === 'closed') - Number(b.state === 'closed'));
  }
}

/** Takes all quota buckets of a call at once, fairly between connections, within a deadline. One process's view. */
import type { Clock } from '../clock.ts';
import { PolyadError } from '../errors/index.ts';
import { QuotaWindow } from './window.ts';

/** One bucket with the key it is counted under. */
export interface BucketClaim {
  /** Name of the bucket in the platform's manifest. */
  name: string;
  key: string;
  limit: number;
  windowMs: number;
}

export interface Permit {
  /** The call was answered (or its connection broke): slots are free one window from now. */
  answered(): void;
  /** The call was not sent after all. */
  cancel(): void;
}

interface Waiter {
  claims: readonly BucketClaim[];
  deadline: number;
  signal: AbortSignal;
  resolve(permit: Permit): void;
  reject(error: unknown): void;
}

/** The immediate answer to a call whose turn cannot come in time. */
function refusal(blocked: { wait: number | null; bucket: string }, claims: readonly BucketClaim[]): PolyadError {
  const wait = blocked.wait ?? claims.find((claim) => claim.name === blocked.bucket)?.windowMs ?? 1000;
  return new PolyadError('quota_wait', { retryAfterMs: wait, details: { bucket: blocked.bucket, wait_ms: wait } });
}

/** Windows nobody has used for a while are forgotten when there are more than this many. */
const SWEEP_ABOVE = 10_000;

export class Pacer {
  readonly #clock: Clock;
  readonly #windows = new Map<string, QuotaWindow>();
  /** Waiting calls by tenant, served in turn so that one busy connection cannot starve the others. */
  readonly #queues = new Map<string, Waiter[]>();
  #pumping = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  #window(claim: BucketClaim): QuotaWindow {
    const id = `${claim.name}|${claim.key}`;
    let window = this.#windows.get(id);
    if (window === undefined || window.limit !== claim.limit || window.windowMs !== claim.windowMs) {
      if (this.#windows.size > SWEEP_ABOVE) this.#sweep();
      window = new QuotaWindow(claim.limit, claim.windowMs);
      this.#windows.set(id, window);
    }
    return window;
  }

  #sweep(): void {
    const now = this.#clock.now().getTime();
    for (const [id, window] of this.#windows) if (window.idle(now)) this.#windows.delete(id);
  }

  /** What keeps `claims` from being taken now: the longest wait, or null when only an answer can free a slot. */
  #blocked(claims: readonly BucketClaim[], now: number): { wait: number | null; bucket: string } | undefined {
    let worst: { wait: number | null; bucket: string } | undefined;
    for (const claim of claims) {
      const wait = this.#window(claim).waitMs(now);
      if (wait === 0) continue;
      if (wait === null) worst ??= { wait: null, bucket: claim.name };
      else if (worst === undefined || worst.wait === null || wait > worst.wait) worst = { wait, bucket: claim.name };
    }
    return worst;
  }

  #grant(claims: readonly BucketClaim[]): Permit {
    const windows = claims.map((claim) => this.#window(claim));
    for (const window of windows) window.take();
    let open = true;
    const settle = (act: (window: QuotaWindow) => void) => () => {
      if (!open) return;
      open = false;
      for (const window of windows) act(window);
      this.#wake?.();
    };
    return {
      answered: settle((window) => window.release(this.#clock.now().getTime())),
      cancel: settle((window) => window.cancel()),
    };
  }

  /**
   * Counts a call that cannot wait its turn, such as the renewal of a token that others with a permit are waiting for:
   * the calls after it wait so much longer.
   */
  charge(claims: readonly BucketClaim[]): Permit {
    return this.#grant(claims);
  }

  /**
   * A permit for one call under all `claims`. Waits at most `maxWaitMs`; a wait that cannot end in time is refused at
   * once with `quota_wait`, naming the full bucket and when to come back.
   */
  acquire(tenant: string, claims: readonly BucketClaim[], maxWaitMs: number, signal: AbortSignal): Promise<Permit> {
    signal.throwIfAborted();
    if (claims.length === 0) return Promise.resolve({ answered() {}, cancel() {} });
    const now = this.#clock.now().getTime();
    if (this.#queues.size === 0) {
      const blocked = this.#blocked(claims, now);
      if (blocked === undefined) return Promise.resolve(this.#grant(claims));
    }
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(tenant) ?? [];
      queue.push({ claims, deadline: now + maxWaitMs, signal, resolve, reject });
      this.#queues.set(tenant, queue);
      signal.addEventListener('abort', () => this.#wake?.(), { once: true });
      this.#wake?.();
      if (!this.#pumping) void this.#pump();
    });
  }

  /** Serves waiting calls, one per tenant in turn, sleeping until the next slot can be free. */
  async #pump(): Promise<void> {
    this.#pumping = true;
    try {
      while (this.#queues.size > 0) {
        const nextMs = this.#round();
        if (this.#queues.size === 0) break;
        await new Promise<void>((resolve) => {
          const sleep = new AbortController();
          const done = (): void => {
            this.#wake = undefined;
            sleep.abort();
            resolve();
          };
          this.#wake = done;
          if (nextMs !== null) this.#clock.sleep(nextMs, sleep.signal).then(done, () => undefined);
        });
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** One turn over all tenants until nothing more can be granted; returns the shortest wait. */
  #round(): number | null {
    let shortest: number | null = null;
    let progress = true;
    while (progress) {
      progress = false;
      shortest = null;
      for (const [tenant, queue] of [...this.#queues]) {
        const waiter = queue[0] as Waiter;
        const now = this.#clock.now().getTime();
        const blocked = waiter.signal.aborted ? undefined : this.#blocked(waiter.claims, now);
        if (waiter.signal.aborted) waiter.reject(waiter.signal.reason);
        else if (blocked === undefined) waiter.resolve(this.#grant(waiter.claims));
        else if (now >= waiter.deadline || (blocked.wait !== null && now + blocked.wait > waiter.deadline))
          waiter.reject(refusal(blocked, waiter.claims));
        else {
          // A wait that ends with somebody's answer has no known end, yet never lasts beyond the deadline.
          const wait = blocked.wait ?? waiter.deadline - now;
          shortest = shortest === null ? wait : Math.min(shortest, wait);
          continue;
        }
        progress = true;
        queue.shift();
        // Re-inserted at the end: the next tenant has its turn first.
        this.#queues.delete(tenant);
        if (queue.length > 0) this.#queues.set(tenant, queue);
      }
    }
    return shortest;
  }

  /** The platform refused under this key: nothing more goes out before the recovery time. */
  rest(claim: BucketClaim, untilMs: number): void {
    this.#window(claim).rest(untilMs);
  }

  /** Every bucket that is known at the moment, for `GET /v1/quotas` and metrics. */
  snapshot(): {
    bucket: string;
    key: string;
    used: number;
    limit: number;
    window_ms: number;
    resting_until: string | null;
  }[] {
    const now = this.#clock.now().getTime();
    return [...this.#windows].map(([id, window]) => {
      const bar = id.indexOf('|');
      return { bucket: id.slice(0, bar), key: id.slice(bar + 1), ...window.usage(now) };
    });
  }

  waiting(): number {
    let count = 0;
    for (const queue of this.#queues.values()) count += queue.length;
    return count;
  }
}

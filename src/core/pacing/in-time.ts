/** A question to a shared counter that the caller does not wait for longer than it said. */
import { LONGEST_SLEEP_MS } from '../clock.ts';
import type { BucketClaim } from './bucket.ts';
import type { Permits } from './permits.ts';
import type { TakeOutcome } from './store.ts';

/** A counter that does not answer within the caller's time is given this much more. */
const GRACE_MS = 40;

/**
 * The shared counter's answer, unless it takes longer than the caller has; what it still takes then is given back.
 *
 * @throws PolyadError `quota_wait` when the time is over
 * @throws what `signal` was aborted with
 */
export function inTime(
  permits: Permits,
  asked: Promise<TakeOutcome>,
  claims: readonly BucketClaim[],
  maxWaitMs: number,
  signal: AbortSignal,
): Promise<TakeOutcome> {
  const { clock, store } = permits;
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
    clock.sleep(Math.min(LONGEST_SLEEP_MS, maxWaitMs) + GRACE_MS, sleep.signal).then(
      () => end(permits.refusal((claims[0] as BucketClaim).name, store.pollMs)),
      () => undefined,
    );
    asked.then(
      (taken) => {
        if (over) {
          if (taken.ok) store.cancelled(claims);
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

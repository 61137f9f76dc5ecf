/**
 * The retry rule, the only one in polyad: platforms classify, this decides. A request is sent again only when that is
 * safe (it is idempotent, or it certainly was not carried out) and useful (the class says so), at most `MAX_ATTEMPTS`
 * times in all, with exponential back-off and full jitter, and never beyond the caller's deadline.
 */
import type { Retry } from '../errors/index.ts';

export const MAX_ATTEMPTS = 4;
const BASE_MS = 250;
const CAP_MS = 8_000;

export interface Attempt {
  /** 1 for the first. */
  number: number;
  retry: Retry;
  /** Repeating cannot do harm: reads, and writes that surely did not happen. */
  safe: boolean;
  /** Wait the platform asked for. */
  retryAfterMs?: number | undefined;
  /** What is left of the caller's patience. */
  remainingMs: number;
}

/** Milliseconds to wait before the next attempt, or null = give up. `random` is 0 ≤ x < 1. */
export function retryDelay(attempt: Attempt, random: number): number | null {
  if (attempt.retry === 'never' || !attempt.safe || attempt.number >= MAX_ATTEMPTS) return null;
  const backoff = Math.min(CAP_MS, BASE_MS * 2 ** (attempt.number - 1)) * random;
  const delay = attempt.retryAfterMs === undefined ? backoff : attempt.retryAfterMs + backoff * 0.1;
  return delay > attempt.remainingMs ? null : Math.ceil(delay);
}

import { describe, expect, it } from 'vitest';
import { MAX_ATTEMPTS, retryDelay } from './retry.ts';

const attempt = { number: 1, retry: 'after' as const, safe: true, remainingMs: 60_000 };

describe('retry rule', () => {
  it('repeats what is safe and useful, with growing, jittered pauses', () => {
    expect(retryDelay(attempt, 0.5)).toBe(125);
    expect(retryDelay({ ...attempt, number: 3 }, 0.5)).toBe(500);
    expect(retryDelay(attempt, 0)).toBe(0);
  });

  it('gives up on what is not safe, not useful, or has been tried enough', () => {
    expect(retryDelay({ ...attempt, safe: false }, 0.5)).toBeNull();
    expect(retryDelay({ ...attempt, retry: 'never' }, 0.5)).toBeNull();
    expect(retryDelay({ ...attempt, number: MAX_ATTEMPTS }, 0.5)).toBeNull();
  });

  it('waits at least as long as the platform asked, and not beyond the deadline', () => {
    expect(retryDelay({ ...attempt, retryAfterMs: 2_000 }, 0.5)).toBeGreaterThanOrEqual(2_000);
    expect(retryDelay({ ...attempt, retryAfterMs: 300_000 }, 0)).toBeNull();
  });
});

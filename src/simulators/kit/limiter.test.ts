import { describe, expect, it } from 'vitest';
import { createClock } from './clock.ts';
import { createLimiter, type RateRule } from './limiter.ts';

const perSecond: RateRule = { name: 'QPS', windowMs: 1_000, limit: 2 };
const perMinute: RateRule = { name: 'QPM', windowMs: 60_000, limit: 5, lockMs: 300_000 };
const perDay: RateRule = { name: 'QPD', windowMs: 86_400_000, limit: 8 };

function setup(...rules: RateRule[]) {
  const clock = createClock({ machine: () => Date.UTC(2026, 0, 1, 10) });
  clock.freeze(true);
  const limiter = createLimiter(clock);
  const take = (key = 'app') => limiter.take([{ key, rules }])?.rule.name ?? 'ok';
  return { clock, limiter, take };
}

describe('limiter', () => {
  it('lets calls through again in the next window', () => {
    const { clock, take } = setup(perSecond);
    expect([take(), take(), take()]).toEqual(['ok', 'ok', 'QPS']);
    clock.advance(999);
    expect(take()).toBe('QPS');
    clock.advance(1);
    expect(take()).toBe('ok');
  });

  it('locks for the time that a rule says', () => {
    const { clock, take } = setup(perMinute);
    expect([1, 2, 3, 4, 5, 6].map(() => take()).at(-1)).toBe('QPM');
    clock.advance(60_000);
    expect(take()).toBe('QPM');
    clock.advance(239_999);
    expect(take()).toBe('QPM');
    clock.advance(1);
    expect(take()).toBe('ok');
  });

  it('opens a day limit at midnight UTC', () => {
    const { clock, limiter, take } = setup(perDay);
    for (let i = 0; i < 8; i++) take();
    const refusal = limiter.take([{ key: 'app', rules: [perDay] }]);
    expect(new Date(refusal!.retryAt).toISOString()).toBe('2026-01-02T00:00:00.000Z');
    clock.set(new Date('2026-01-01T23:59:59.999Z'));
    expect(take()).toBe('QPD');
    clock.advance(1);
    expect(take()).toBe('ok');
  });

  it('takes from all rules and buckets or from none', () => {
    const { limiter } = setup();
    const wide = { key: 'app', rules: [{ ...perMinute, limit: 100 }] };
    const narrow = { key: 'app:path', rules: [perSecond] };
    for (let i = 0; i < 5; i++) limiter.take([wide, narrow]);
    expect(limiter.used('app', wide.rules[0]!)).toBe(2);
  });

  it('counts refused calls where a rule says so, and tells the refusal that lasts longest', () => {
    const counting = { ...perMinute, countsRefused: true };
    const { clock, take } = setup(perSecond, counting);
    // Two go through, three are refused by the second, the sixth of the minute closes it.
    expect([1, 2, 3, 4, 5, 6].map(() => take())).toEqual(['ok', 'ok', 'QPS', 'QPS', 'QPS', 'QPM']);
    clock.advance(1000);
    expect(take()).toBe('QPM');
    clock.advance(299_000);
    expect(take()).toBe('ok');
  });

  it('keeps keys apart, takes costs, and can be cleared', () => {
    const { limiter, take } = setup(perSecond);
    take('a');
    take('a');
    expect([take('a'), take('b')]).toEqual(['QPS', 'ok']);
    limiter.clear();
    expect(limiter.take([{ key: 'a', rules: [perSecond] }], 3)?.used).toBe(3);
  });

  it('does not stay locked when the clock is set back', () => {
    const { clock, take } = setup(perMinute);
    for (let i = 0; i < 6; i++) take();
    clock.set(new Date('2025-06-01T00:00:00Z'));
    expect(take()).toBe('ok');
  });
});

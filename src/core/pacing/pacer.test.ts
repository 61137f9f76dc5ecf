import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settle, VirtualClock } from '../../../test/support/virtual-clock.ts';
import { Bucket } from './bucket.ts';
import { Pacer } from './pacer.ts';
import { QuotaWindow } from './window.ts';

const never = new AbortController().signal;
const bucket = (limit: number, windowMs: number, name = 'app') => ({ name, key: 'k', limit, windowMs });

/** Most arrivals in any half-open window of `windowMs`: how a strict platform counts. */
function worst(arrivals: number[], windowMs: number): number {
  const sorted = [...arrivals].sort((a, b) => a - b);
  let most = 0;
  for (let start = 0, end = 0; end < sorted.length; end += 1) {
    while ((sorted[end] as number) - (sorted[start] as number) >= windowMs) start += 1;
    most = Math.max(most, end - start + 1);
  }
  return most;
}

describe('quota window', () => {
  it('frees a slot one window after the answer, not after the send', () => {
    const window = new QuotaWindow(1, 1000);
    window.take();
    expect(window.waitMs(5000)).toBeNull();
    window.release(5000);
    expect(window.waitMs(5000)).toBeGreaterThan(0);
    expect(window.waitMs(5999)).toBeGreaterThan(0);
    expect(window.waitMs(6011)).toBe(0);
  });

  it('rests when the platform said no, whatever is free', () => {
    const resting = new Bucket(bucket(10, 1000));
    resting.refused(0, 300_000, false);
    expect(resting.waitMs(0, 1, 0)).toBe(300_000);
    expect(resting.waitMs(300_000, 1, 0)).toBe(0);
  });
});

describe('pacer', () => {
  it('never lets more than the limit arrive in any window, whatever the network does, and uses most of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.infiniteStream(fc.integer({ min: 1, max: 160 })),
        fc.integer({ min: 2, max: 20 }),
        async (delays, limit) => {
          const clock = new VirtualClock();
          const pacer = new Pacer(clock);
          const arrivals: number[] = [];
          const start = clock.now().getTime();
          const total = limit * 6;
          const calls = Array.from({ length: total }, async (_unused, index) => {
            const permit = await pacer.acquire(`tenant${index % 3}`, [bucket(limit, 1000)], 60_000, never);
            const there = delays.next().value as number;
            arrivals.push(clock.now().getTime() + there);
            await clock.sleep(there + (delays.next().value as number));
            permit.answered();
          });
          while (await clock.step()) await settle();
          await Promise.all(calls);
          expect(worst(arrivals, 1000)).toBeLessThanOrEqual(limit);
          // Steady overload: a window lasts the limit's second plus one round trip (320 ms at most) plus rounding.
          expect(clock.now().getTime() - start).toBeLessThan(6 * 1400);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('takes all buckets or none', async () => {
    const clock = new VirtualClock();
    const pacer = new Pacer(clock);
    const wide = bucket(100, 1000, 'wide');
    const narrow = bucket(1, 1000, 'narrow');
    await pacer.acquire('a', [wide, narrow], 0, never);
    await expect(pacer.acquire('a', [wide, narrow], 0, never)).rejects.toMatchObject({
      code: 'quota_wait',
      details: { bucket: 'narrow' },
    });
    expect(pacer.snapshot().find((one) => one.bucket === 'wide')?.used).toBe(1);
  });

  it('refuses at once, naming bucket and wait, what cannot be served before the deadline', async () => {
    const clock = new VirtualClock();
    const pacer = new Pacer(clock);
    pacer.rest(bucket(10, 60_000, 'qpm'), clock.now().getTime() + 300_000);
    const refused = pacer.acquire('a', [bucket(10, 60_000, 'qpm')], 45_000, never);
    await expect(refused).rejects.toMatchObject({
      code: 'quota_wait',
      retryAfterMs: 300_000,
      details: { bucket: 'qpm' },
    });
  });

  it('serves connections in turn, so that a greedy one does not starve the others', async () => {
    const clock = new VirtualClock();
    const pacer = new Pacer(clock);
    const order: string[] = [];
    const run = async (tenant: string): Promise<void> => {
      const permit = await pacer.acquire(tenant, [bucket(1, 1000)], 600_000, never);
      order.push(tenant);
      permit.answered();
    };
    const all = [...Array.from({ length: 20 }, () => run('greedy')), run('small'), run('small')];
    while (await clock.step()) await settle();
    await Promise.all(all);
    expect(order.slice(0, 6).filter((tenant) => tenant === 'small')).toHaveLength(2);
  });

  it('lets go of a caller who hangs up, without losing a slot', async () => {
    const clock = new VirtualClock();
    const pacer = new Pacer(clock);
    const first = await pacer.acquire('a', [bucket(1, 1000)], 60_000, never);
    const caller = new AbortController();
    const waiting = pacer.acquire('a', [bucket(1, 1000)], 60_000, caller.signal);
    caller.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    first.answered();
    const next = pacer.acquire('a', [bucket(1, 1000)], 60_000, never);
    while (await clock.step()) await settle();
    await expect(next).resolves.toBeDefined();
  });
});

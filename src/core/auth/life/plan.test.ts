import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SealedTokens } from '../credentials.ts';
import { freshness, renewalMargin } from '../expiry.ts';
import { NEW_LIFE } from './begin.ts';
import { knownEnd, type PlanFacts, planFor, renewalPoint, retryPause, warningDue } from './plan.ts';
import { DAY_MS } from './state.ts';

const start = Date.parse('2026-11-22T12:00:00Z');
const day = (days: number): Date => new Date(start + days * DAY_MS);

function tokens(more: Partial<SealedTokens> & { life?: number; refreshLife?: number } = {}): SealedTokens {
  const { life = 1, refreshLife, ...rest } = more;
  return {
    grant: 'g',
    kind: 'expiring_rotating_refresh',
    access_token: 'a',
    refresh_token: 'r',
    obtained_at: day(0).toISOString(),
    expires_at: day(life).toISOString(),
    ...(refreshLife === undefined ? {} : { refresh_expires_at: day(refreshLife).toISOString() }),
    ...rest,
  };
}
const facts = (more: Partial<PlanFacts> = {}): PlanFacts => ({
  connectionId: 'c1',
  version: 1,
  record: NEW_LIFE,
  paused: false,
  renewable: true,
  ...more,
});

describe('when to renew', () => {
  it('is spread evenly over connections that were made together, and always before callers would have to', () => {
    const one = tokens();
    const points = Array.from({ length: 10_000 }, (_, n) => renewalPoint(one, `connection-${n}`) as number);
    const [first, last] = [Math.min(...points), Math.max(...points)];
    expect(last).toBeLessThanOrEqual(day(1).getTime() - renewalMargin(one));
    expect(last - first).toBeGreaterThan(5.9 * 3_600_000);
    // No minute has more than thrice its share of 10,000 connections over six hours.
    const minutes = new Map<number, number>();
    for (const point of points)
      minutes.set(Math.floor(point / 60_000), (minutes.get(Math.floor(point / 60_000)) ?? 0) + 1);
    expect(Math.max(...minutes.values())).toBeLessThan((3 * 10_000) / 360);
  });

  it('is another time for the next token of the same connection', () => {
    const next = tokens({ obtained_at: day(0.8).toISOString(), expires_at: day(1.8).toISOString() });
    const lead = (one: SealedTokens) => Date.parse(one.expires_at as string) - (renewalPoint(one, 'c1') as number);
    expect(lead(next)).not.toBe(lead(tokens()));
  });

  it('lies in the last part of a life of any length, before the token is over', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 90 * 86_400 }), fc.string(), (seconds, id) => {
        const one = tokens({ life: seconds / 86_400 });
        const point = renewalPoint(one, id) as number;
        expect(point).toBeGreaterThanOrEqual(start + seconds * 1000 * 0.6);
        expect(freshness(one, new Date(point))).not.toBe('over');
      }),
    );
  });

  it('is never for a token without an end, which is tested once a day instead', () => {
    const { expires_at: _, ...endless } = tokens();
    expect(renewalPoint(endless, 'c1')).toBeUndefined();
    const { next } = planFor(endless, facts(), day(0));
    expect(next?.getTime()).toBeGreaterThan(start);
    expect(next?.getTime()).toBeLessThanOrEqual(day(1).getTime());
    expect(planFor(endless, facts(), next as Date).probe).toBe(true);
    const tested = facts({ record: { ...NEW_LIFE, probed_at: next } });
    expect(planFor(endless, tested, next as Date)).toMatchObject({ probe: false });
    expect(planFor(endless, tested, next as Date).next).toEqual(new Date((next as Date).getTime() + DAY_MS));
  });

  it('is, for a paused connection, only when the grant would die otherwise', () => {
    const paused = facts({ paused: true });
    const sixty = tokens({ refreshLife: 60 });
    expect(planFor(sixty, paused, day(2))).toMatchObject({ refresh: false, ended: false, next: day(54) });
    expect(planFor(sixty, paused, day(54)).refresh).toBe(true);
    const { expires_at: _, ...endless } = tokens();
    expect(planFor(endless, paused, day(3))).toMatchObject({ probe: false, next: null });
  });
});

describe('the known end', () => {
  it.each<[string, SealedTokens, Partial<PlanFacts>, Date | undefined]>([
    ['of a token that nothing renews is its own', tokens({ life: 60 }), { renewable: false }, day(60)],
    [
      'of a fixed refresh token is that one’s',
      tokens({ kind: 'expiring_stable_refresh', refreshLife: 365 }),
      {},
      day(365),
    ],
    ['of a rotating one is not known before its first renewal', tokens({ refreshLife: 60 }), {}, undefined],
    [
      'of one that moves does not exist',
      tokens({ refreshLife: 60 }),
      { record: { ...NEW_LIFE, end_moves: true } },
      undefined,
    ],
    [
      'of one that does not move is known',
      tokens({ refreshLife: 60 }),
      { record: { ...NEW_LIFE, end_moves: false } },
      day(60),
    ],
    [
      'counts when renewals fail',
      tokens({ refreshLife: 60 }),
      { record: { ...NEW_LIFE, end_moves: true, failures: 2 } },
      day(60),
    ],
    [
      'of refused renewals is the access token’s',
      tokens({ refreshLife: 60 }),
      { record: { ...NEW_LIFE, refused_version: 1 } },
      day(1),
    ],
    [
      'of an exchanged token does not exist while that works',
      tokens({ kind: 'exchange_to_extend', life: 60 }),
      {},
      undefined,
    ],
  ])('%s', (_name, one, more, end) => {
    expect(knownEnd(one, facts(more))).toEqual(end);
  });
});

describe('warnings', () => {
  it('come once each, and of several that were slept through the nearest', () => {
    const end = day(365);
    const given: [number, number][] = [];
    let record = NEW_LIFE;
    for (let at = 0; at < 366; at += 0.25) {
      const days = warningDue(end, record, day(at));
      if (days === undefined) continue;
      given.push([at, days]);
      record = { ...record, warned_end: end, warned_days: days };
    }
    expect(given).toEqual([
      [305, 60],
      [335, 30],
      [351, 14],
      [358, 7],
      [364, 1],
    ]);
    expect(warningDue(end, NEW_LIFE, day(352))).toBe(14);
    expect(warningDue(day(400), record, day(365))).toBe(60);
  });

  it('are looked for at their times', () => {
    const year = tokens({ kind: 'expiring_stable_refresh', life: 400, refreshLife: 365 });
    expect(planFor(year, facts(), day(0)).next).toEqual(day(305));
  });
});

describe('pauses between tries', () => {
  it('grow from half a minute to a quarter of an hour, half of each random', () => {
    expect(retryPause(1, 0)).toBe(15_000);
    expect(retryPause(1, 0.999_999)).toBe(30_000);
    expect(retryPause(3, 0)).toBe(60_000);
    expect(retryPause(50, 0.999_999)).toBe(900_000);
  });
});

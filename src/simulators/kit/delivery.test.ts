import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cutDay,
  dayTotals,
  deliversOn,
  deliveryProfile,
  demand,
  MEASURES,
  type Measure,
  measureIndex,
  measures,
  reachOf,
  slotWeight,
  withParents,
} from './delivery.ts';

const i = (name: Measure) => measureIndex(name);
const everything = withParents(MEASURES.map((_, index) => index));

/** An ad on a day: its key, the day, what it spends, worth of a dollar, and which slots are shut. */
const adDay = fc.record({
  id: fc.string({ minLength: 1, maxLength: 20 }),
  day: fc.integer({ min: 18_000, max: 25_000 }),
  spend: fc.integer({ min: 1, max: 5_000_000 }),
  perUsd: fc.constantFrom(100, 150, 310, 1_600_000),
  slots: fc.constantFrom(46, 48, 50),
  shut: fc.array(fc.integer({ min: 0, max: 49 }), { maxLength: 40 }),
});

type Day = typeof adDay extends fc.Arbitrary<infer T> ? T : never;

function cut({ id, day, spend, perUsd, slots, shut }: Day) {
  const profile = deliveryProfile('test', id, perUsd);
  const totals = dayTotals(profile, day, spend, true, measures());
  const weights = Float64Array.from({ length: slots }, (_, slot) =>
    shut.includes(slot) ? 0 : slotWeight(profile.key, day, slot, Math.min(23, slot >> 1)),
  );
  const parts: { slot: number; part: Float64Array }[] = [];
  cutDay(totals, weights, everything, measures(), (slot, part) => parts.push({ slot, part: part.slice() }));
  return { totals, parts };
}

/** child <= parent, in a whole and in each of its parts. */
const FUNNEL: [Measure, Measure][] = [
  ['clicks', 'impressions'],
  ['plays', 'impressions'],
  ['watched_2s', 'plays'],
  ['watched_6s', 'watched_2s'],
  ['p50', 'p25'],
  ['p75', 'p50'],
  ['p100', 'p75'],
  ['landing_views', 'clicks'],
  ['carts', 'content_views'],
  ['checkouts', 'carts'],
  ['purchases', 'checkouts'],
];

describe('delivery', () => {
  it('is the same every time, and another one for another ad, day or seed', () => {
    const totals = (seed: string, id: string, day: number) =>
      [...dayTotals(deliveryProfile(seed, id, 100), day, 5000, true, measures())].join();
    expect(totals('a', '1', 20_000)).toBe(totals('a', '1', 20_000));
    const all = [
      totals('a', '1', 20_000),
      totals('b', '1', 20_000),
      totals('a', '2', 20_000),
      totals('a', '1', 20_001),
    ];
    expect(new Set(all).size).toBe(4);
  });

  it('cuts a day into slots that add up to it exactly, in every measure', () => {
    fc.assert(
      fc.property(adDay, (input) => {
        const { totals, parts } = cut(input);
        fc.pre(parts.length > 0);
        for (let m = 0; m < MEASURES.length; m++) {
          expect(parts.reduce((sum, { part }) => sum + part[m]!, 0)).toBe(totals[m]);
        }
      }),
    );
  });

  it('keeps every number whole, not negative, and no child larger than its parent', () => {
    fc.assert(
      fc.property(adDay, (input) => {
        const { totals, parts } = cut(input);
        for (const vector of [totals, ...parts.map(({ part }) => part)]) {
          for (const value of vector) expect(Number.isInteger(value) && value >= 0).toBe(true);
          for (const [child, parent] of FUNNEL) expect(vector[i(child)]!).toBeLessThanOrEqual(vector[i(parent)]!);
        }
      }),
    );
  });

  it('gives nothing to slots that are shut, and no money without impressions', () => {
    fc.assert(
      fc.property(adDay, (input) => {
        const { parts } = cut(input);
        for (const { slot, part } of parts) {
          expect(input.shut).not.toContain(slot);
          expect(part[i('impressions')]).toBeGreaterThan(0);
          if (part[i('purchases')] === 0) expect(part[i('value')]).toBe(0);
        }
      }),
    );
  });

  it('cuts the measures that were asked for as it cuts all of them', () => {
    const profile = deliveryProfile('test', 'one', 100);
    const totals = dayTotals(profile, 20_000, 9000, true, measures());
    const weights = Float64Array.from({ length: 48 }, (_, slot) => slotWeight(profile.key, 20_000, slot, slot >> 1));
    const sums = (needed: readonly number[]) => {
      const found: string[] = [];
      cutDay(totals, weights, needed, measures(), (slot, part) => found.push(`${slot}:${part[i('value')]}`));
      return found;
    };
    expect(sums(withParents([i('value')]))).toEqual(sums(everything));
  });

  it('brings realistic rates over many days', () => {
    const sums = measures();
    for (let ad = 0; ad < 200; ad++) {
      const totals = dayTotals(deliveryProfile('test', `ad${ad}`, 100), 20_000 + ad, 5000, true, measures());
      for (let m = 0; m < sums.length; m++) sums[m] = sums[m]! + totals[m]!;
    }
    const ctr = sums[i('clicks')]! / sums[i('impressions')]!;
    expect(ctr).toBeGreaterThan(0.008);
    expect(ctr).toBeLessThan(0.02);
    const cpm = (sums[i('spend')]! / sums[i('impressions')]!) * 1000;
    expect(cpm).toBeGreaterThan(300);
    expect(cpm).toBeLessThan(900);
    const roas = sums[i('value')]! / sums[i('spend')]!;
    expect(roas).toBeGreaterThan(0.5);
    expect(roas).toBeLessThan(6);
  });

  it('spends its share of a budget, and never needs one', () => {
    const profile = deliveryProfile('test', 'one', 100);
    expect(demand(profile, 20_000, 0, 100, Number.POSITIVE_INFINITY)).toBeGreaterThan(0);
    expect(demand(profile, 20_000, 0, 100, 100_000)).toBeGreaterThan(20_000);
  });

  it('runs from the first day on, and on a part of the days later', () => {
    let days = 0;
    const ads = 400;
    for (let ad = 0; ad < ads; ad++) {
      const { key } = deliveryProfile('test', `ad${ad}`, 100);
      expect(deliversOn(key, 0, false)).toBe(true);
      for (let age = 0; age < 90; age++) if (deliversOn(key, age, false)) days++;
    }
    expect(days / ads).toBeGreaterThan(14);
    expect(days / ads).toBeLessThan(30);
    expect(deliversOn(12_345, 5000, true)).toBe(true);
  });

  it('reaches no more people than impressions, and parts together at least as many as the whole', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e8 }), fc.integer({ min: 0, max: 1e8 }), (a, b) => {
        expect(reachOf(a)).toBeLessThanOrEqual(a);
        expect(reachOf(a + b)).toBeGreaterThanOrEqual(Math.max(reachOf(a), reachOf(b)));
        expect(reachOf(a + b)).toBeLessThanOrEqual(reachOf(a) + reachOf(b) + 1);
      }),
    );
  });
});

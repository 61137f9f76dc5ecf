/**
 * Deterministic ad delivery, the same for every simulator: what an ad gets on a day is a function of its key and the
 * date, never stored. Everything is a whole number, and every part of a day is cut from the day's total by cumulative
 * rounding, so that slots add up to hours, hours to days, and any split by any labels to the whole, exactly.
 *
 * A day is cut into half-hour slots (`local-days.ts`). A slot carries one value of each label (country, age, ...),
 * so all breakdowns, alone or crossed, are groupings of the same slots and cannot contradict each other.
 */
import { hash32 } from './random.ts';

/** A measure that is known from another one: so many of it per one of `of`, between `low` and `high`. */
interface Step {
  name: string;
  of: string;
  low: number;
  high: number;
}

/** Parents stand before children. Rates of 1 and below never make a child larger than its parent. */
const STEPS = [
  { name: 'clicks', of: 'impressions', low: 0.004, high: 0.022 },
  { name: 'likes', of: 'impressions', low: 0.003, high: 0.012 },
  { name: 'comments', of: 'likes', low: 0.03, high: 0.09 },
  { name: 'shares', of: 'likes', low: 0.04, high: 0.14 },
  { name: 'follows', of: 'impressions', low: 0.0002, high: 0.001 },
  { name: 'profile_visits', of: 'impressions', low: 0.0005, high: 0.003 },
  { name: 'music_clicks', of: 'impressions', low: 0.0001, high: 0.0006 },
  { name: 'plays', of: 'impressions', low: 0.8, high: 0.86 },
  { name: 'watched_2s', of: 'plays', low: 0.22, high: 0.45 },
  { name: 'watched_6s', of: 'watched_2s', low: 0.35, high: 0.6 },
  { name: 'watched_15s', of: 'watched_6s', low: 0.3, high: 0.55 },
  { name: 'p25', of: 'plays', low: 0.2, high: 0.4 },
  { name: 'p50', of: 'p25', low: 0.4, high: 0.6 },
  { name: 'p75', of: 'p50', low: 0.5, high: 0.7 },
  { name: 'p100', of: 'p75', low: 0.6, high: 0.85 },
  /** Tenths of a second. */
  { name: 'watch_tenths', of: 'plays', low: 25, high: 70 },
  { name: 'landing_views', of: 'clicks', low: 0.7, high: 0.86 },
  { name: 'content_views', of: 'landing_views', low: 0.5, high: 0.8 },
  { name: 'carts', of: 'content_views', low: 0.06, high: 0.15 },
  { name: 'checkouts', of: 'carts', low: 0.4, high: 0.7 },
  { name: 'purchases', of: 'checkouts', low: 0.35, high: 0.65 },
  { name: 'registrations', of: 'landing_views', low: 0.03, high: 0.1 },
  { name: 'leads', of: 'landing_views', low: 0.04, high: 0.16 },
  { name: 'installs', of: 'clicks', low: 0.08, high: 0.24 },
  { name: 'offline_purchases', of: 'clicks', low: 0.004, high: 0.012 },
] as const satisfies readonly Step[];

/** What an ad gets. `spend`, `value` and `offline_value` are minor units of the account's currency. */
export const MEASURES = ['spend', 'impressions', ...STEPS.map((step) => step.name), 'value', 'offline_value'] as const;
export type Measure = 'spend' | 'impressions' | (typeof STEPS)[number]['name'] | 'value' | 'offline_value';

const names: readonly string[] = MEASURES;
/** Position of a measure in the vectors of this module. */
export const measureIndex = (name: Measure): number => names.indexOf(name);

const SPEND = 0;
const IMPRESSIONS = 1;
const FIRST_STEP = 2;
const PURCHASES = measureIndex('purchases');
const OFFLINE = measureIndex('offline_purchases');
const VALUE = measureIndex('value');
const OFFLINE_VALUE = measureIndex('offline_value');
/** For each measure the one whose parts it is cut along. */
const PARENT = new Int32Array(names.length);
STEPS.forEach((step, i) => {
  PARENT[FIRST_STEP + i] = names.indexOf(step.of);
});
PARENT[SPEND] = IMPRESSIONS;
PARENT[VALUE] = PURCHASES;
PARENT[OFFLINE_VALUE] = OFFLINE;

/** Share of a day's delivery by local hour. */
const HOUR_CURVE = [
  1.4, 0.9, 0.6, 0.5, 0.5, 0.7, 1.2, 2.0, 2.8, 3.2, 3.5, 3.9, 4.6, 4.4, 4.1, 4.2, 4.6, 5.3, 6.2, 7.2, 8.0, 8.1, 6.4,
  3.6,
];

/** Factor by day of the week, Monday first. */
const WEEK_CURVE = [0.94, 0.96, 0.98, 1.0, 1.06, 1.1, 1.04];

/** Mixes two 32-bit numbers into one (finaliser of MurmurHash3); the fast inner sibling of `hash32`. */
export function mix(a: number, b: number): number {
  let hash = Math.imul(a ^ Math.imul(b + 1, 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f);
  return (hash ^ (hash >>> 15)) >>> 0;
}

const fraction = (a: number, b: number) => mix(a, b) / 0x1_0000_0000;

/** What decides an ad's numbers. */
export interface DeliveryProfile {
  /** 32-bit key of the ad. */
  key: number;
  /** Minor units per 1000 impressions. */
  cpm: number;
  /** Minor units per purchase. */
  basket: number;
  /** Rate of each step of the funnel. */
  rates: Float64Array;
}

/**
 * @param seed Of the whole simulator: another seed, other numbers.
 * @param minorPerUsd How many minor units of the account's currency a US dollar is worth.
 */
export function deliveryProfile(seed: string, adId: string, minorPerUsd: number): DeliveryProfile {
  const key = hash32(seed, adId);
  const rates = new Float64Array(STEPS.length);
  STEPS.forEach((step, i) => {
    rates[i] = step.low + (step.high - step.low) * fraction(key, 100 + i);
  });
  return {
    key,
    cpm: minorPerUsd * (3 + 6 * fraction(key, 1)),
    basket: Math.max(1, Math.round(minorPerUsd * (18 + 70 * fraction(key, 2)))),
    rates,
  };
}

/**
 * Whether an ad that has been able to deliver for `age` whole days (0 = its first) delivers on this day. Ads run for
 * about one to two weeks when they start, then come back for a few days now and then; a `steady` one runs every day.
 */
export function deliversOn(key: number, age: number, steady: boolean): boolean {
  if (steady || age < 9 + (key & 7)) return true;
  const block = Math.floor(age / 30);
  const draw = mix(key, 0x5000 + block);
  const from = draw % 25;
  const at = age - block * 30;
  return at >= from && at < from + 2 + ((draw >>> 8) & 3);
}

/**
 * What the ad would spend on a day if no budget stopped it, in minor units: at least a typical small ad's spend,
 * or its share of `budget` (minor units, Infinity if none), moving with the weekday and from day to day.
 * @param weekday 0 = Monday.
 */
export function demand(
  profile: DeliveryProfile,
  day: number,
  weekday: number,
  minorPerUsd: number,
  budget: number,
): number {
  const base = minorPerUsd * (2 + 28 * fraction(profile.key, 3) ** 3);
  const share = Number.isFinite(budget) ? budget * (0.35 + 0.5 * fraction(profile.key, 4)) : 0;
  const daily = 0.7 + 0.6 * fraction(profile.key, 0x1000000 + day);
  return Math.round(Math.max(base, share) * WEEK_CURVE[weekday]! * daily);
}

/** Impressions that `spend` buys on this day; any money buys one. */
export function impressionsFor(profile: DeliveryProfile, day: number, spend: number): number {
  const cpm = profile.cpm * (0.85 + 0.3 * fraction(profile.key, 0x2000000 + day));
  return spend <= 0 ? 0 : Math.max(1, Math.floor((spend / cpm) * 1000));
}

/** A fresh vector of measures. */
export const measures = (): Float64Array => new Float64Array(names.length);

/**
 * Fills `out` with the ad's whole day, given what it spends on it.
 * @param rare Leaves out offline purchases unless true, because few advertisers send them.
 */
export function dayTotals(
  profile: DeliveryProfile,
  day: number,
  spend: number,
  rare: boolean,
  out: Float64Array,
): Float64Array {
  const dayKey = mix(profile.key, day);
  const impressions = impressionsFor(profile, day, spend);
  out[SPEND] = spend;
  out[IMPRESSIONS] = impressions;
  for (let i = 0; i < STEPS.length; i++) {
    const rate = profile.rates[i]!;
    const noise = mix(dayKey, i);
    const expected = out[PARENT[FIRST_STEP + i]!]! * rate * (0.86 + 0.28 * ((noise & 0xffff) / 0x10000));
    // Rounded up as often as the fraction says, so that many small days add up to the rate.
    out[FIRST_STEP + i] = Math.floor(expected + (noise >>> 16) / 0x10000);
    if (rate < 1 && out[FIRST_STEP + i]! > out[PARENT[FIRST_STEP + i]!]!) {
      out[FIRST_STEP + i] = out[PARENT[FIRST_STEP + i]!]!;
    }
  }
  if (!rare) out[OFFLINE] = 0;
  const basket = Math.max(1, Math.round(profile.basket * (0.9 + 0.2 * fraction(dayKey, 0x77))));
  out[VALUE] = out[PURCHASES]! * basket;
  out[OFFLINE_VALUE] = out[OFFLINE]! * basket;
  return out;
}

/** Weight of one half-hour slot of a day, before the platform's own rules (day-parting) take slots away. */
export function slotWeight(key: number, day: number, slot: number, hour: number): number {
  return HOUR_CURVE[hour]! * (0.6 + 0.8 * fraction(key, 0x4000000 + day * 64 + slot));
}

/** The measures needed to cut `wanted`: themselves and all they are cut along, parents first. */
export function withParents(wanted: Iterable<number>): number[] {
  const all = new Set<number>([IMPRESSIONS]);
  const add = (i: number) => {
    if (all.has(i)) return;
    add(PARENT[i]!);
    all.add(i);
  };
  for (const i of wanted) add(i);
  return [...all];
}

const cumulative = measures();

/**
 * Cuts a day into slots.
 * @param totals The day, from `dayTotals`.
 * @param weights One per slot; 0 = nothing is delivered in it.
 * @param needed From `withParents`; other measures stay 0.
 * @param visit Called for every slot with at least one impression; `part` is used again for the next one.
 */
export function cutDay(
  totals: Float64Array,
  weights: Float64Array,
  needed: readonly number[],
  part: Float64Array,
  visit: (slot: number, part: Float64Array) => void,
): void {
  let weight = 0;
  for (const w of weights) weight += w;
  if (weight <= 0) return;
  cumulative.fill(0);
  let sum = 0;
  for (let slot = 0; slot < weights.length; slot++) {
    if (weights[slot] === 0) continue;
    sum += weights[slot]!;
    const impressions = Math.floor(totals[IMPRESSIONS]! * (sum / weight));
    if (impressions === cumulative[IMPRESSIONS]) continue;
    part[IMPRESSIONS] = impressions - cumulative[IMPRESSIONS]!;
    cumulative[IMPRESSIONS] = impressions;
    for (const i of needed) {
      if (i === IMPRESSIONS) continue;
      const parent = PARENT[i]!;
      const whole = totals[parent]!;
      // The difference of two floors is at most the parent's part rounded up: a child never outgrows its parent.
      const upTo = whole === 0 ? 0 : Math.floor((totals[i]! * cumulative[parent]!) / whole);
      part[i] = upTo - cumulative[i]!;
      cumulative[i] = upTo;
    }
    visit(slot, part);
  }
}

/** People reached by so many impressions: grows slower than they do, and parts never reach fewer than the whole. */
export function reachOf(impressions: number): number {
  return impressions <= 0 ? 0 : Math.max(1, Math.floor(impressions ** 0.96));
}

/**
 * Which ads can run when and what they spend within their budgets. Nothing is stored: a campaign's ledger (who spent
 * what on which day) is made from its rows when it is needed and kept until one of them changes.
 */
import {
  cutDay,
  type DeliveryProfile,
  deliversOn,
  deliveryProfile,
  demand,
  impressionsFor,
  measureIndex,
  measures,
  slotWeight,
} from '../kit/delivery.ts';
import { type LocalCalendar, type LocalDay, localCalendar, SLOT_MS, weekday } from '../kit/local-days.ts';
import type { SimulatorStore } from '../kit/types.ts';
import { minorPerUsd, toMinor } from './currency.ts';
import { type Goal, goalOf } from './goals.ts';
import { accountPhases, type Past, type Phase, phasesOf } from './history.ts';
import { isSpark, permittedSpells, sparkVersion } from './spark.ts';
import { parseStamp } from './stamp.ts';
import type { Advertiser, Native, World } from './types.ts';

const SEED = 'tiktok';
const SPEND = measureIndex('spend');
const IMPRESSIONS = measureIndex('impressions');
/** At most this part of what is left of a budget goes to one ad, so that newer ads of the group get some, too. */
const ONE_AD_SHARE = 0.75;
/** Days over which a lifetime budget without an end is spread. */
const OPEN_END_DAYS = 10;

/** The mock days of sandbox reports (official sandbox page 1738855331457026): 2020-12-08 to 2020-12-19. */
export const SANDBOX_DAYS: readonly [number, number] = [
  Date.UTC(2020, 11, 8) / 86_400_000,
  Date.UTC(2020, 11, 19) / 86_400_000,
];

/** One ad with all that its delivery depends on. */
export interface Run {
  ad: Native;
  adgroup: Native;
  campaign: Native;
  profile: DeliveryProfile;
  goal: Goal;
  /** When it could run: [from, to) pairs, epoch milliseconds, ascending. */
  windows: readonly (readonly [number, number])[];
  /** Runs every day: the first ad of its campaign. */
  steady: boolean;
  /** 336 characters of 0 and 1, half-hours from Monday 00:00; null = always. */
  dayparting: string | null;
}

/** What the ads of one campaign spent, by day, ascending; three columns of `length` entries. */
export interface Ledger {
  campaign: Native;
  runs: readonly Run[];
  run: Int32Array;
  day: Int32Array;
  /** Minor units, for the whole day as if it were over. */
  spend: Float64Array;
  length: number;
  /** Last day it knows. */
  through: number;
}

interface Kept {
  ledger: Ledger;
  /** The very lists it was made from: rows and lists are replaced, never changed. */
  source: readonly unknown[];
  /** What creators and owners of accounts allowed then; undefined if no ad of the campaign depends on it. */
  permissions: number | undefined;
}

/** Ledgers in memory, the one used last at the end. */
interface Memory {
  ledgers: Map<string, Kept>;
  weight: number;
}

const kept = new WeakMap<SimulatorStore, Memory>();
/** How much may be kept of all ledgers, in bytes by estimate; making one anew takes milliseconds. */
const KEPT_BYTES = 128 * 2 ** 20;
const weightOf = (ledger: Ledger) => ledger.length * 16 + ledger.runs.length * 900;

/** Earlier states of the objects of this world. */
const pastOf = (world: World) => world.store.collection<Past>('past', { advertiser: (row: Past) => row.advertiser_id });

/** The calendar that an ad account's days follow. */
export const calendarOf = (advertiser: Advertiser): LocalCalendar => localCalendar(advertiser.display_timezone);

const instant = (value: unknown): number | undefined =>
  typeof value === 'string' ? parseStamp(value)?.getTime() : undefined;

type Window = readonly [number, number];

/** Times at which all the lists have a window open. */
function overlap(a: readonly Window[], b: readonly Window[]): Window[] {
  const both: Window[] = [];
  for (const [from, to] of a) {
    for (const [from2, to2] of b) {
      const start = Math.max(from, from2);
      const end = Math.min(to, to2);
      if (start < end) both.push([start, end]);
    }
  }
  return both;
}

const onWindows = (phases: readonly Phase[]): Window[] =>
  phases
    .filter((phase) => phase.on)
    .map(
      (phase): Window => [
        Math.max(phase.from, instant(phase.schedule_start_time) ?? phase.from),
        Math.min(phase.to, instant(phase.schedule_end_time) ?? phase.to),
      ],
    )
    .filter(([from, to]) => from < to);

/** Neighbouring windows that touch are one: a change of budget does not begin a new flight. */
function joined(windows: readonly Window[]): Window[] {
  const result: Window[] = [];
  for (const [from, to] of windows) {
    const last = result.at(-1);
    if (last && last[1] === from) result[result.length - 1] = [last[0], to];
    else result.push([from, to]);
  }
  return result;
}

/** A budget of a campaign or ad group over the days of a ledger. */
class Purse {
  private readonly phases: readonly Phase[];
  private readonly currency: string;
  private spent = 0;
  private today = 0;
  private left = Number.POSITIVE_INFINITY;
  private whole = Number.POSITIVE_INFINITY;
  /** The last crumbs of a lifetime budget: whoever comes first may have them all, so that it ends some time. */
  private crumbs = false;

  constructor(phases: readonly Phase[], currency: string) {
    this.phases = phases;
    this.currency = currency;
  }

  /** Begins a day. What the budget was when the day began counts for all of it, so that hours past do not change. */
  open(day: LocalDay): void {
    const at = Math.max(day.start, this.phases[0]?.from ?? day.start);
    const phase = this.phases.find(({ from, to }) => from <= at && at < to) ?? this.phases.at(-1);
    this.today = 0;
    const budget = phase ? toMinor(phase.budget, this.currency) : 0;
    this.whole = Number.POSITIVE_INFINITY;
    this.left = Number.POSITIVE_INFINITY;
    this.crumbs = false;
    if (!phase || budget <= 0 || phase.budget_mode === 'BUDGET_MODE_INFINITE') return;
    this.whole = budget;
    this.left = budget;
    if (phase.budget_mode !== 'BUDGET_MODE_TOTAL') return;
    const rest = Math.max(0, budget - this.spent);
    const end = instant(phase.schedule_end_time);
    const year = 366 * 86_400_000;
    const days =
      end === undefined || end - day.start > year
        ? OPEN_END_DAYS
        : Math.max(1, Math.ceil((end - day.start) / 86_400_000));
    this.crumbs = rest <= budget / 20;
    this.left = this.crumbs ? rest : Math.floor(Math.max(rest / days, budget / 20));
    this.whole = this.left;
  }

  /** What one ad may take now. */
  get offer(): number {
    const left = this.left - this.today;
    return this.crumbs || left <= this.whole / 20 ? left : Math.floor(left * ONE_AD_SHARE);
  }

  /** The day's budget in minor units; Infinity if there is none. */
  get size(): number {
    return this.whole;
  }

  /** @param spent What of `amount` is really spent, because the ad runs for a part of the day only. */
  take(amount: number, spent: number): void {
    this.today += amount;
    this.spent += spent;
  }
}

function makeRuns(world: World, advertiser: Advertiser, campaign: Native, ads: readonly Native[], sandbox: boolean) {
  const past = pastOf(world);
  const perUsd = minorPerUsd(advertiser.currency);
  const campaignPhases = phasesOf(campaign, past.get(campaign.id));
  const accountOn = onWindows(accountPhases(advertiser, past.get(advertiser.id)));
  const campaignOn = overlap(accountOn, onWindows(campaignPhases));
  const groups = new Map<string, { row: Native; phases: Phase[]; on: Window[] }>();
  const review = world.settings.review_delay_ms;
  const mock: Window[] = [[Date.UTC(2020, 11, 7), Date.UTC(2020, 11, 21)]];
  const runs: Run[] = [];
  const inOrder = [...ads].sort((a, b) => a.id.length - b.id.length || (a.id < b.id ? -1 : 1));
  for (const ad of inOrder) {
    const groupId = String(ad['adgroup_id']);
    let group = groups.get(groupId);
    if (!group) {
      const row = world.adgroups.get(groupId);
      if (!row) continue;
      const phases = phasesOf(row, past.get(groupId));
      group = { row, phases, on: overlap(campaignOn, onWindows(phases)) };
      groups.set(groupId, group);
    }
    const approved = (instant(ad['create_time']) ?? 0) + review;
    const reviewed = overlap(onWindows(phasesOf(ad, past.get(ad.id))), [[approved, Number.POSITIVE_INFINITY]]);
    const permitted = permittedSpells(world, ad);
    const own = permitted ? overlap(reviewed, permitted) : reviewed;
    const dayparting = group.row['dayparting'];
    runs.push({
      ad,
      adgroup: group.row,
      campaign,
      profile: deliveryProfile(SEED, ad.id, perUsd),
      goal: goalOf(campaign, group.row, ad),
      windows: sandbox ? mock : joined(overlap(group.on, own)),
      steady: sandbox || runs.length === 0,
      dayparting: typeof dayparting === 'string' && dayparting.includes('0') ? dayparting : null,
    });
  }
  return { runs, campaignPhases, groups };
}

/** Could the ad run in all of this time? */
export const covers = (run: Run, start: number, end: number): boolean =>
  run.windows.some(([open, shut]) => open <= start && end <= shut);

/** Is a half-hour of this local day inside the ad's day-parting? */
const partOpen = (dayparting: string | null, day: number, slot: number) =>
  dayparting === null || dayparting[weekday(day) * 48 + Math.min(slot, 47)] !== '0';

/** Weights of a day's slots for the delivery kit: 0 where day-parting shuts the ad out. */
export function slotWeights(run: Run, local: LocalDay): Float64Array {
  const weights = new Float64Array(local.hours.length);
  for (let slot = 0; slot < weights.length; slot++) {
    if (partOpen(run.dayparting, local.day, slot)) {
      weights[slot] = slotWeight(run.profile.key, local.day, slot, local.hours[slot]!);
    }
  }
  return weights;
}

/** A slot counts when the ad could run in all of it and it is over. */
export function slotRan(run: Run, local: LocalDay, slot: number, now: number): boolean {
  const start = local.start + slot * SLOT_MS;
  const end = start + SLOT_MS;
  return end <= now && covers(run, start, end);
}

/** What is spent of a day's amount on a day on which the ad cannot run from midnight to midnight. */
function spentIn(run: Run, local: LocalDay, amount: number): number {
  const totals = measures();
  totals[SPEND] = amount;
  totals[IMPRESSIONS] = impressionsFor(run.profile, local.day, amount);
  let spent = 0;
  cutDay(totals, slotWeights(run, local), [IMPRESSIONS, SPEND], measures(), (slot, part) => {
    if (slotRan(run, local, slot, Number.POSITIVE_INFINITY)) spent += part[SPEND]!;
  });
  return spent;
}

function makeLedger(
  world: World,
  advertiser: Advertiser,
  campaign: Native,
  ads: readonly Native[],
  through: number,
): Ledger {
  const { sandbox } = advertiser;
  const calendar = calendarOf(advertiser);
  const perUsd = minorPerUsd(advertiser.currency);
  const { runs, campaignPhases, groups } = makeRuns(world, advertiser, campaign, ads, sandbox);
  const run: number[] = [];
  const days: number[] = [];
  const spend: number[] = [];
  const campaignPurse = new Purse(sandbox ? [] : campaignPhases, advertiser.currency);
  const purses = new Map<string, Purse>();
  for (const [id, { phases }] of groups) purses.set(id, new Purse(sandbox ? [] : phases, advertiser.currency));
  const runPurse = runs.map(({ adgroup }) => purses.get(adgroup.id)!);

  // Which runs deliver on which day, found window by window, so that silent days cost nothing.
  const active = new Map<number, number[]>();
  const last = sandbox ? SANDBOX_DAYS[1] : through;
  runs.forEach(({ windows, profile, steady, dayparting }, index) => {
    let next = sandbox ? SANDBOX_DAYS[0] : Number.NEGATIVE_INFINITY;
    for (const [from, to] of windows) {
      const first = sandbox ? next : calendar.dayOf(from);
      const end = Math.min(last, to === Number.POSITIVE_INFINITY ? last : calendar.dayOf(to - 1));
      for (let day = Math.max(first, next); day <= end; day++) {
        if (!deliversOn(profile.key, day - first, steady)) continue;
        if (dayparting !== null && !dayparting.slice(weekday(day) * 48, weekday(day) * 48 + 48).includes('1')) continue;
        const list = active.get(day);
        if (list) list.push(index);
        else active.set(day, [index]);
      }
      next = Math.max(next, end + 1);
    }
  });
  for (const day of [...active.keys()].sort((a, b) => a - b)) {
    const local = calendar.day(day);
    campaignPurse.open(local);
    const opened = new Set<Purse>();
    for (const index of active.get(day)!.sort((a, b) => a - b)) {
      const purse = runPurse[index]!;
      if (!opened.has(purse)) {
        purse.open(local);
        opened.add(purse);
      }
      const one = runs[index]!;
      const { profile } = one;
      const wanted = demand(profile, day, weekday(day), perUsd, Math.min(purse.size, campaignPurse.size / 4));
      const amount = Math.min(wanted, purse.offer, campaignPurse.offer);
      if (amount <= 0) continue;
      const spent = sandbox || covers(one, local.start, local.end) ? amount : spentIn(one, local, amount);
      purse.take(amount, spent);
      campaignPurse.take(amount, spent);
      run.push(index);
      days.push(day);
      spend.push(amount);
    }
  }
  return {
    campaign,
    runs,
    run: Int32Array.from(run),
    day: Int32Array.from(days),
    spend: Float64Array.from(spend),
    length: run.length,
    through,
  };
}

/** The same object, or both empty: an index gives a new list each time it has no rows. */
const alike = (a: unknown, b: unknown) =>
  a === b || (Array.isArray(a) && Array.isArray(b) && a.length === 0 && b.length === 0);

/** The ledger of a campaign up to and including the day `through` (a day of the account's calendar). */
export function ledgerOf(world: World, advertiser: Advertiser, campaign: Native, through: number): Ledger {
  let memory = kept.get(world.store);
  if (!memory) {
    memory = { ledgers: new Map(), weight: 0 };
    kept.set(world.store, memory);
  }
  const { ledgers } = memory;
  const ads = world.ads.by('campaign', campaign.id);
  const source = [
    campaign,
    ads,
    world.adgroups.by('campaign', campaign.id),
    pastOf(world).by('advertiser', advertiser.id),
    advertiser,
    world.settings.review_delay_ms,
  ];
  const known = ledgers.get(campaign.id);
  if (
    known &&
    known.ledger.through >= through &&
    (known.permissions === undefined || known.permissions === sparkVersion(world)) &&
    known.source.every((part, i) => alike(part, source[i]))
  ) {
    ledgers.delete(campaign.id);
    ledgers.set(campaign.id, known);
    return known.ledger;
  }
  const ledger = makeLedger(world, advertiser, campaign, ads, through);
  if (known) memory.weight -= weightOf(known.ledger);
  ledgers.delete(campaign.id);
  ledgers.set(campaign.id, { ledger, source, permissions: ads.some(isSpark) ? sparkVersion(world) : undefined });
  memory.weight += weightOf(ledger);
  for (const [oldest, { ledger: gone }] of ledgers) {
    if (memory.weight <= KEPT_BYTES || oldest === campaign.id) break;
    ledgers.delete(oldest);
    memory.weight -= weightOf(gone);
  }
  return ledger;
}

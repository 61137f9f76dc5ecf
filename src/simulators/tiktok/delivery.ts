/**
 * What TikTok's objects get: the delivery of their ads, whole or cut into half-hours, and the money spent. Which ads
 * run and what they may spend is in `ledger.ts`.
 */
import { cutDay, dayTotals, impressionsFor, measureIndex, measures } from '../kit/delivery.ts';
import { SLOT_MS } from '../kit/local-days.ts';
import { currencyDigits } from './currency.ts';
import { calendarOf, covers, type Ledger, ledgerOf, type Run, slotRan, slotWeights } from './ledger.ts';
import type { Advertiser, Native, World } from './types.ts';

const SPEND = measureIndex('spend');
const IMPRESSIONS = measureIndex('impressions');

/** What is asked of `walk`. */
export interface Walk {
  advertiser: Advertiser;
  /** First and last day, inclusive. */
  from: number;
  to: number;
  now: number;
  /** Cut days into slots (hours, breakdowns); whole days otherwise. */
  slots: boolean;
  /** From `withParents` of the delivery kit. */
  needed: readonly number[];
  /** Ads that count. */
  accept?: (run: Run) => boolean;
  /** Only these campaigns. */
  campaigns?: readonly Native[];
}

/**
 * Visits all that was delivered, campaign by campaign and day by day.
 * @param visit `slot` and `hour` are -1 for whole days; `part` (measures of the delivery kit) is used again.
 */
export function walk(
  world: World,
  { advertiser, from, to, now, slots, needed, accept, campaigns: named }: Walk,
  visit: (run: Run, day: number, slot: number, hour: number, part: Float64Array) => void,
): void {
  const calendar = calendarOf(advertiser);
  const today = calendar.dayOf(now);
  const totals = measures();
  const part = measures();
  const partial = measures();
  const moneyOnly = needed.every((i) => i === SPEND || i === IMPRESSIONS);
  const campaigns = named ?? world.campaigns.by('advertiser', advertiser.id);
  for (const each of campaigns) {
    const ledger = ledgerOf(world, advertiser, each, Math.max(today, 0));
    const accepted = ledger.runs.map((run) => accept === undefined || accept(run));
    for (let i = 0; i < ledger.length; i++) {
      const day = ledger.day[i]!;
      if (day < from || day > to || day > today) continue;
      const index = ledger.run[i]!;
      if (!accepted[index]) continue;
      const run = ledger.runs[index]!;
      const local = calendar.day(day);
      if (moneyOnly) {
        totals[SPEND] = ledger.spend[i]!;
        totals[IMPRESSIONS] = impressionsFor(run.profile, day, ledger.spend[i]!);
      } else dayTotals(run.profile, day, ledger.spend[i]!, run.goal.offline, totals);
      const whole = local.end <= now && (advertiser.sandbox || covers(run, local.start, local.end));
      if (whole && !slots) {
        visit(run, day, -1, -1, totals);
        continue;
      }
      const weights = slotWeights(run, local);
      if (!slots) partial.fill(0);
      cutDay(totals, weights, needed, part, (slot, cut) => {
        if (!whole && !slotRan(run, local, slot, now)) return;
        if (slots) visit(run, day, slot, local.hours[slot]!, cut);
        else for (const m of needed) partial[m] = partial[m]! + cut[m]!;
      });
      if (!slots && partial[IMPRESSIONS]! > 0) visit(run, day, -1, -1, partial);
    }
  }
}

/** What was spent, in the account's currency. */
interface Spent {
  today: number;
  lifetime: number;
}

const NOTHING: Spent = { today: 0, lifetime: 0 };
/** Per ledger, as of one half-hour slot. */
const spentOf = new WeakMap<Ledger, { slot: number; spent: Map<string, Spent> }>();

function spentIn(world: World, advertiser: Advertiser, campaign: Native): Map<string, Spent> {
  const now = world.clock.now().getTime();
  const today = calendarOf(advertiser).dayOf(now);
  const slot = Math.floor(now / SLOT_MS);
  const ledger = ledgerOf(world, advertiser, campaign, today);
  const known = spentOf.get(ledger);
  if (known?.slot === slot) return known.spent;
  const minor = new Map<string, Spent>();
  const needed = [IMPRESSIONS, SPEND];
  const asked = {
    advertiser,
    from: Number.NEGATIVE_INFINITY,
    to: today,
    now,
    slots: false,
    needed,
    campaigns: [campaign],
  };
  walk(world, asked, (run, day, _slot, _hour, part) => {
    for (const { id } of [run.campaign, run.adgroup, run.ad]) {
      let entry = minor.get(id);
      if (!entry) {
        entry = { today: 0, lifetime: 0 };
        minor.set(id, entry);
      }
      entry.lifetime += part[SPEND]!;
      if (day === today) entry.today += part[SPEND]!;
    }
  });
  // Added up in minor units, so that a budget that is used up equals what was spent.
  const unit = 10 ** currencyDigits(advertiser.currency);
  const spent = new Map<string, Spent>();
  for (const [id, { today, lifetime }] of minor) spent.set(id, { today: today / unit, lifetime: lifetime / unit });
  spentOf.set(ledger, { slot, spent });
  return spent;
}

/** Money spent by campaigns, ad groups and ads of one account, in its currency: today and since their creation. */
export function spendingOf(world: World, advertiserId: string) {
  const advertiser = world.advertisers.get(advertiserId);
  return {
    of(level: 'campaign' | 'adgroup' | 'ad', id: string): Spent {
      const row = (level === 'campaign' ? world.campaigns : level === 'adgroup' ? world.adgroups : world.ads).get(id);
      const campaign = level === 'campaign' ? row : world.campaigns.get(String(row?.['campaign_id']));
      if (!advertiser || !campaign) return NOTHING;
      return spentIn(world, advertiser, campaign).get(id) ?? NOTHING;
    },
  };
}

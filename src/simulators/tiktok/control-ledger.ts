/**
 * What an ad account's delivery adds up to, by the control API: for comparison with what a client got from reports.
 * Sums are made from the delivery itself, without the report code: no filters of deleted objects, no caps, no paging.
 */
import { bad, type ControlCall, type ControlRoute, found } from '../kit/control.ts';
import { MEASURES, measureIndex } from '../kit/delivery.ts';
import { formatDay, parseDay } from '../kit/local-days.ts';
import { currencyDigits } from './currency.ts';
import { walk } from './delivery.ts';
import type { Run } from './ledger.ts';
import { isCreative, smartAds } from './smart-plus.ts';
import { isGone, type StatusContext, statusContext } from './status.ts';
import type { Native, World } from './types.ts';

/** Sums by the names of the integrated report's metrics; `[measure, channel, money]`. */
const SUMS = [
  ['spend', 'spend', undefined, true],
  ['impressions', 'impressions', undefined, false],
  ['clicks', 'clicks', undefined, false],
  ['complete_payment', 'purchases', 'web', false],
  ['total_complete_payment_rate', 'value', 'web', true],
  ['total_purchase', 'purchases', 'app', false],
  ['total_purchase_value', 'value', 'app', true],
  ['onsite_shopping', 'purchases', 'shop', false],
  ['total_onsite_shopping_value', 'value', 'shop', true],
  ['offline_shopping_events', 'offline_purchases', undefined, false],
  ['offline_shopping_events_value', 'offline_value', undefined, true],
] as const;
const CONVERSION = SUMS.length;
const READS = SUMS.map(([, measure, channel]) => ({ index: measureIndex(measure), channel }));

const LEVELS = ['advertiser', 'campaign', 'adgroup', 'ad', 'ad_v2', 'day'] as const;
type LedgerLevel = (typeof LEVELS)[number];

const KEYS: Readonly<Record<LedgerLevel, (run: Run, day: number) => string>> = {
  advertiser: () => '',
  campaign: (run) => run.campaign.id,
  adgroup: (run) => run.adgroup.id,
  ad: (run) => run.ad.id,
  ad_v2: (run) => String(run.ad['smart_plus_ad_id'] ?? run.ad.id),
  day: (_run, day) => formatDay(day),
};

const automation = (row: Native): string => String(row['campaign_automation_type'] ?? 'MANUAL');

/** Ids of the account's objects by how they are made, deleted ones apart. */
function objects(world: World, advertiserId: string) {
  const context = statusContext(world, advertiserId);
  const group = (rows: readonly Native[], level: 'campaign' | 'adgroup' | 'ad', one: StatusContext) => {
    const ids: Record<string, { live: string[]; deleted: string[] }> = {};
    for (const row of rows) {
      ids[automation(row)] ??= { live: [], deleted: [] };
      ids[automation(row)]![isGone(one, level, row) ? 'deleted' : 'live'].push(row.id);
    }
    return ids;
  };
  const ads = world.ads.by('advertiser', advertiserId);
  return {
    campaigns: group(world.campaigns.by('advertiser', advertiserId), 'campaign', context),
    adgroups: group(world.adgroups.by('advertiser', advertiserId), 'adgroup', context),
    /** As ad_id counts them. */
    ads: group(ads, 'ad', context),
    /** As ad_id_v2 counts them. */
    ads_v2: group(
      [...ads.filter((row) => !isCreative(row)), ...smartAds(world).by('advertiser', advertiserId)],
      'ad',
      context,
    ),
  };
}

/**
 * - `GET /ledger?advertiser_id=&start_date=&end_date=&level=`: sums over the account's days from `start_date` to
 *   `end_date` (all that was delivered up to now unless said), in whole and by `level` (`advertiser` default, `campaign`,
 *   `adgroup`, `ad`, `ad_v2`, `day`). Money has the currency's decimals; names are those of the report's metrics.
 * - `GET /objects?advertiser_id=`: ids of all objects by `campaign_automation_type`, live and deleted.
 */
export function ledgerRoutes(world: World): ControlRoute[] {
  const advertiserOf = ({ query }: ControlCall) =>
    found(
      world.advertisers.get(query['advertiser_id'] ?? ''),
      `ad account ${query['advertiser_id'] ?? '(none named)'}`,
    );
  const day = (query: ControlCall['query'], name: string, fallback: number): number =>
    query[name] === undefined ? fallback : (parseDay(query[name]) ?? bad(`${name} must be a date: YYYY-MM-DD`));

  const ledger = (call: ControlCall) => {
    const advertiser = advertiserOf(call);
    const level = LEVELS.find((one) => one === (call.query['level'] ?? 'advertiser'));
    if (!level) return bad(`level must be one of ${LEVELS.join(', ')}`);
    const key = KEYS[level];
    const total = new Float64Array(SUMS.length + 1);
    const rows = new Map<string, Float64Array>();
    const days = new Set<number>();
    let pieces = 0;
    walk(
      world,
      {
        advertiser,
        from: day(call.query, 'start_date', -1_000_000),
        to: day(call.query, 'end_date', 1_000_000),
        now: world.clock.now().getTime(),
        slots: false,
        needed: MEASURES.map((_, i) => i),
      },
      (run, date, _slot, _hour, part) => {
        pieces++;
        days.add(date);
        let row: Float64Array = total;
        if (level !== 'advertiser') {
          const name = key(run, date);
          row = rows.get(name) ?? new Float64Array(SUMS.length + 1);
          rows.set(name, row);
        }
        for (const [i, { index, channel }] of READS.entries()) {
          if (channel === undefined || run.goal.channel === channel) row[i] = row[i]! + part[index]!;
        }
        if (run.goal.conversion >= 0) row[CONVERSION] = row[CONVERSION]! + part[run.goal.conversion]!;
      },
    );
    for (const row of rows.values()) for (let i = 0; i < row.length; i++) total[i] = total[i]! + row[i]!;
    const unit = 10 ** currencyDigits(advertiser.currency);
    const shown = (row: Float64Array): Record<string, number> =>
      Object.fromEntries([
        ...SUMS.map(([name, , , money], i) => [name, money ? row[i]! / unit : row[i]!]),
        ['conversion', row[CONVERSION]!],
      ]);
    return {
      advertiser_id: advertiser.id,
      currency: advertiser.currency,
      level,
      /** Rows of an ad-level daily report. */
      ad_days: pieces,
      days: days.size,
      totals: shown(total),
      rows: [...rows].map(([id, row]) => ({ id, ...shown(row) })),
    };
  };
  return [
    { method: 'GET', path: '/ledger', summary: 'what was delivered, summed without the report code', handle: ledger },
    {
      method: 'GET',
      path: '/objects',
      summary: 'ids of an ad account’s objects by kind, live and deleted',
      handle: (call) => objects(world, advertiserOf(call).id),
    },
  ];
}

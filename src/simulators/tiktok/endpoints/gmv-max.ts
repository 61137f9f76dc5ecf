import { measureIndex, withParents } from '../../kit/delivery.ts';
import { formatDay, parseDay } from '../../kit/local-days.ts';
import { hash32 } from '../../kit/random.ts';
import { currencyDigits } from '../currency.ts';
import { walk } from '../delivery.ts';
import { channelOf } from '../goals.ts';
import type { Run } from '../ledger.ts';
import { page } from '../paging.ts';
import { advertiserId, advertiserIdOf, paging } from '../params.ts';
import { invalid } from '../rules.ts';
import { isGone, primaryStatus, secondaryStatus, statusContext } from '../status.ts';
import type { Advertiser, Call, Endpoint, Native, Param, World } from '../types.ts';

/**
 * GMV Max: gmv_max/{report/get,store/list,campaign/get}. Parameters: official SDK yml gmv_max_*; TikTok docs
 * 1824721673497601. In this simulator every campaign that sells in TikTok Shop counts as one of GMV Max, an ad account has
 * one shop, and revenue is that of the shop channel of the other reports.
 */

type Values = Record<string, unknown>;

const SPEND = measureIndex('spend');
const ORDERS = measureIndex('purchases');
const REVENUE = measureIndex('value');
const IMPRESSIONS = measureIndex('impressions');
const CLICKS = measureIndex('clicks');

/** The shop of an ad account. */
const storeOf = (advertiser: Advertiser): string =>
  String(7_495_000_000_000_000_000n + BigInt(hash32('store', advertiser.id)) * 257n);

const inShop = (world: World, campaign: Native): boolean =>
  world.adgroups.by('campaign', campaign.id).some((adgroup) => channelOf(campaign, adgroup) === 'shop');

const shopCampaigns = (world: World, advertiserId: string) =>
  world.campaigns.by('advertiser', advertiserId).filter((row) => inShop(world, row));

const shopId = (...parts: string[]) => String(1_729_000_000_000_000_000n + BigInt(hash32(...parts)) * 211n);
/** The product that an ad sells: one of ten of the shop. */
const productOf = ({ ad }: Run) => shopId('product', ad.advertiser_id, String(hash32(ad.id) % 10));

const DIMENSIONS: Readonly<Record<string, (run: Run, day: number, hour: number) => string>> = {
  advertiser_id: ({ ad }) => ad.advertiser_id,
  campaign_id: ({ campaign }) => campaign.id,
  item_group_id: (run) => productOf(run),
  item_id: ({ ad }) => String(ad['tiktok_item_id'] ?? shopId('item', ad.id)),
  room_id: () => '-',
  stat_time_day: (_run, day) => `${formatDay(day)} 00:00:00`,
  stat_time_hour: (_run, day, hour) => `${formatDay(day)} ${String(hour).padStart(2, '0')}:00:00`,
};

type Sums = Float64Array;
const ratio = (a: number, b: number) => (b === 0 ? 0 : a / b);

/** Metrics that are numbers, from spend, orders, revenue, impressions and clicks; money in minor units. */
const NUMBERS: Readonly<Record<string, (sums: Sums, unit: number) => string>> = {
  cost: (s, unit) => (s[0]! / unit).toFixed(2),
  net_cost: (s, unit) => (s[0]! / unit).toFixed(2),
  orders: (s) => String(s[1]!),
  cost_per_order: (s, unit) => ratio(s[0]! / unit, s[1]!).toFixed(2),
  gross_revenue: (s, unit) => (s[2]! / unit).toFixed(2),
  roi: (s) => ratio(s[2]!, s[0]!).toFixed(2),
  product_impressions: (s) => String(s[3]!),
  product_clicks: (s) => String(s[4]!),
  product_click_rate: (s) => ratio(s[4]! * 100, s[3]!).toFixed(2),
};

/** Metrics that are properties of the campaign. */
const PROPERTIES: Readonly<Record<string, (campaign: Native) => unknown>> = {
  campaign_id: (row) => row.id,
  campaign_name: (row) => row['campaign_name'],
  operation_status: (row) => row['operation_status'] ?? 'ENABLE',
  schedule_type: (row) => row['schedule_type'] ?? 'SCHEDULE_FROM_NOW',
  bid_type: (row) => row['bid_type'] ?? 'BID_TYPE_NO_BID',
  roas_bid: (row) => row['roas_bid'] ?? 0,
};

function report(call: Call): unknown {
  const { world, params } = call;
  const advertiser = world.advertisers.get(advertiserIdOf(call))!;
  const names = params['dimensions'] as string[];
  const metrics = params['metrics'] as string[];
  const strange = names.find((name) => !DIMENSIONS[name]);
  if (strange !== undefined) invalid(`dimensions: Invalid value: ${strange}.`);
  const wrong = metrics.filter((name) => !NUMBERS[name] && !PROPERTIES[name]);
  if (wrong.length > 0) invalid(`metrics: Invalid value(s): ${wrong.join(', ')}.`);
  if (metrics.some((name) => PROPERTIES[name]) && !names.includes('campaign_id')) {
    invalid('metrics: Properties of the campaign need the dimension campaign_id.');
  }
  const [store] = params['store_ids'] as string[];
  if (store !== storeOf(advertiser)) invalid(`store_ids: The store ${store} does not exist.`);
  const day = (name: string) =>
    parseDay(String(params[name])) ?? invalid(`${name}: Not a valid date. The format is YYYY-MM-DD.`);
  const [from, to] = [day('start_date'), day('end_date')];
  if (from > to) invalid('start_date must not be later than end_date.');
  const most = names.includes('stat_time_hour') ? 1 : names.includes('stat_time_day') ? 30 : 365;
  if (to - from + 1 > most) invalid(`max time span is ${most} days`);
  const filter = (params['filtering'] ?? {}) as Record<string, unknown>;
  const ids = filter['campaign_ids'] as string[] | undefined;
  const products = filter['item_group_ids'] as string[] | undefined;
  const statuses = filter['campaign_statuses'] as string[] | undefined;
  const context = statusContext(world, advertiser.id);
  const campaigns = shopCampaigns(world, advertiser.id)
    .filter((row) => !ids || ids.includes(row.id))
    .filter((row) => !statuses || statuses.includes(primaryStatus(secondaryStatus(context, 'campaign', row))));

  const rows = new Map<string, { labels: string[]; sums: Sums; campaign: Native }>();
  const total = new Float64Array(5);
  walk(
    world,
    {
      advertiser,
      from,
      to,
      now: call.now.getTime(),
      slots: names.includes('stat_time_hour'),
      needed: withParents([SPEND, ORDERS, REVENUE, IMPRESSIONS, CLICKS]),
      campaigns,
      accept: (run) => run.goal.channel === 'shop' && (!products || products.includes(productOf(run))),
    },
    (run, date, _slot, hour, part) => {
      const labels = names.map((name) => DIMENSIONS[name]!(run, date, hour));
      const key = labels.join('\n');
      const row = rows.get(key) ?? { labels, sums: new Float64Array(5), campaign: run.campaign };
      rows.set(key, row);
      [SPEND, ORDERS, REVENUE, IMPRESSIONS, CLICKS].forEach((index, i) => {
        row.sums[i] = row.sums[i]! + part[index]!;
        total[i] = total[i]! + part[index]!;
      });
    },
  );
  const unit = 10 ** currencyDigits(advertiser.currency);
  const sort = String(params['sort_field'] ?? 'cost');
  if (!NUMBERS[sort]) invalid(`sort_field: Invalid value: ${sort}.`);
  const sign = params['sort_type'] === 'ASC' ? 1 : -1;
  const value = (sums: Sums) => Number(NUMBERS[sort]!(sums, unit));
  const sorted = [...rows.values()].sort(
    (a, b) => sign * (value(a.sums) - value(b.sums)) || (a.labels.join() < b.labels.join() ? -1 : 1),
  );
  const { list, page_info } = page(sorted, call, 1000);
  const numbers = (sums: Sums) =>
    Object.fromEntries(metrics.flatMap((name) => (NUMBERS[name] ? [[name, NUMBERS[name](sums, unit)]] : [])));
  return {
    list: list.map(({ labels, sums, campaign }) => ({
      dimensions: Object.fromEntries(names.map((name, i) => [name, labels[i]])),
      metrics: {
        ...numbers(sums),
        ...Object.fromEntries(
          metrics.flatMap((name) => (PROPERTIES[name] ? [[name, String(PROPERTIES[name](campaign))]] : [])),
        ),
      },
    })),
    page_info,
    ...(params['enable_total_metrics'] === true ? { total_metrics: numbers(total) } : {}),
  };
}

function stores(call: Call): unknown {
  const advertiser = call.world.advertisers.get(advertiserIdOf(call))!;
  return {
    store_list: [
      {
        store_id: storeOf(advertiser),
        store_name: `${advertiser.name} Shop`,
        store_status: 'ACTIVE',
        store_code: `SHOP${hash32('shop code', advertiser.id)}`,
        is_gmv_max_available: advertiser.status === 'STATUS_ENABLE',
        is_owner_bc: advertiser.owner_bc_id !== undefined,
        ...(advertiser.owner_bc_id === undefined ? {} : { store_authorized_bc_id: advertiser.owner_bc_id }),
        targeting_region_codes: [advertiser.country],
      },
    ],
  };
}

function campaigns(call: Call): unknown {
  const { world, params } = call;
  const id = advertiserIdOf(call);
  const context = statusContext(world, id);
  const filter = (params['filtering'] ?? {}) as Record<string, unknown>;
  const ids = filter['campaign_ids'] as string[] | undefined;
  const rows = shopCampaigns(world, id)
    .filter((row) => !ids || ids.includes(row.id))
    .filter((row) => filter['primary_status'] !== undefined || !isGone(context, 'campaign', row));
  const { list, page_info } = page([...rows].reverse(), call, 100);
  return {
    list: list.map(
      (row): Values => ({
        advertiser_id: id,
        campaign_id: row.id,
        campaign_name: row['campaign_name'],
        operation_status: row['operation_status'] ?? 'ENABLE',
        secondary_status: secondaryStatus(context, 'campaign', row),
        objective_type: row['objective_type'],
        create_time: row['create_time'],
        modify_time: row['modify_time'],
        store_id: storeOf(world.advertisers.get(id)!),
        shopping_ads_type: 'VIDEO',
        budget: row['budget'] ?? 0,
        roas_bid: row['roas_bid'] ?? 0,
        roi_protection_compensation_status: 'NOT_ELIGIBLE',
      }),
    ),
    page_info,
  };
}

const strings = (name: string, more: Partial<Param> = {}): Param => ({
  name,
  type: 'array',
  items: { type: 'string' },
  ...more,
});

/** GMV Max. */
export const endpoints: Endpoint[] = [
  {
    method: 'GET',
    path: 'gmv_max/report/get',
    auth: 'token',
    params: [
      advertiserId,
      strings('store_ids', { required: true, min: 1, max: 1 }),
      strings('dimensions', { required: true, min: 1, max: 3 }),
      strings('metrics', { required: true, min: 1, max: 100 }),
      { name: 'enable_total_metrics', type: 'boolean' },
      { name: 'start_date', type: 'string', required: true },
      { name: 'end_date', type: 'string', required: true },
      {
        name: 'filtering',
        type: 'object',
        fields: [
          strings('campaign_ids', { max: 100 }),
          strings('item_group_ids', { max: 100 }),
          strings('campaign_statuses', { max: 4 }),
        ],
      },
      { name: 'sort_field', type: 'string' },
      { name: 'sort_type', type: 'string', enum: ['ASC', 'DESC'] },
      ...paging,
    ],
    handle: report,
  },
  {
    method: 'GET',
    path: 'gmv_max/store/list',
    auth: 'token',
    params: [advertiserId],
    handle: stores,
  },
  {
    method: 'GET',
    path: 'gmv_max/campaign/get',
    auth: 'token',
    params: [
      advertiserId,
      {
        name: 'filtering',
        type: 'object',
        fields: [
          strings('campaign_ids', { max: 100 }),
          strings('gmv_max_promotion_types'),
          { name: 'primary_status', type: 'string' },
        ],
      },
      ...paging,
    ],
    handle: campaigns,
  },
];

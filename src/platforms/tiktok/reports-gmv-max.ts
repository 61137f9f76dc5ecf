/**
 * GMV Max reports: gmv_max/report/get (TikTok docs 1824721673497601). Asked for by naming the store in the caller's native
 * parameters (`store_ids`); for campaigns and the ad account, day by day or not.
 */
import type { ReportFetch, ReportRow } from '../../core/connector/report-spec.ts';
import type { CallContext, Native } from '../../core/connector/types.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { breakdownsOf, member, metricValue, timeOnce } from './reports-query.ts';
import { call, dataOf, MAX_FILTER_IDS, numbered, type Page } from './request.ts';

const PAGE = 1_000;

/** What our native metrics are called here. Orders and revenue are those of TikTok Shop. */
const METRICS: Readonly<Record<string, string>> = {
  spend: 'cost',
  net_cost: 'net_cost',
  conversion: 'orders',
  onsite_shopping: 'orders',
  total_onsite_shopping_value: 'gross_revenue',
  live_views: 'live_views',
};

/** Legs of sums that GMV Max does not have: its sales are made in the shop alone. */
const OTHER_LEGS: ReadonlySet<string> = new Set([
  'complete_payment',
  'total_complete_payment_rate',
  'total_purchase',
  'total_purchase_value',
  'offline_shopping_events',
  'offline_shopping_events_value',
]);

function storesOf(given: unknown): string[] {
  let list = given;
  if (typeof list === 'string' && list.startsWith('['))
    try {
      list = JSON.parse(list);
    } catch {
      list = undefined;
    }
  const stores = (Array.isArray(list) ? list : [list]).filter((one): one is string => /^\d+$/.test(String(one)));
  if (stores.length !== 1)
    throw new PolyadError('input_value_invalid', {
      message: '`raw=store_ids%3D…` must name exactly one store: TikTok reports GMV Max store by store.',
      details: { field: 'raw.store_ids', reason: 'must be the id of one store' },
    });
  return stores.map(String);
}

/** Rows of a GMV Max report. */
export async function* gmvMaxRows(ctx: CallContext, fetch: ReportFetch): AsyncGenerator<ReportRow> {
  const { level, organization, raw, metrics } = fetch;
  const { store_ids, ...more } = raw;
  const stores = storesOf(store_ids);
  const extra = Object.keys(more)[0];
  if (extra !== undefined)
    throw new PolyadError('input_value_invalid', {
      message: `\`raw\` cannot set \`${extra}\` of a GMV Max report.`,
      details: { field: `raw.${extra}`, reason: 'follows from the call' },
    });
  if ((level !== 'campaign' && level !== 'organization') || fetch.groupIds !== undefined || fetch.adIds !== undefined)
    throw new PolyadError('input_value_unsupported', {
      message: 'GMV Max campaigns have no groups and ads: ask for `level=campaign` or `level=organization`.',
      details: { field: 'level', allowed: ['campaign', 'organization'] },
    });
  const lacking = metrics.filter((metric) => METRICS[metric] === undefined && !OTHER_LEGS.has(metric));
  if (lacking.length > 0)
    throw new PolyadError('input_value_unsupported', {
      message:
        'GMV Max reports have other numbers: ask for `type=COST,NET_COST,SHOP_PURCHASES,SHOP_PURCHASE_VALUE,CONVERSIONS,CONVERSION_VALUE,ROAS` or some of them.',
      details: { field: 'type', native: lacking },
    });
  const ids = fetch.campaignIds ?? [];
  if (ids.length > MAX_FILTER_IDS)
    throw new PolyadError('input_filter_unsupported', {
      message: `TikTok takes at most ${MAX_FILTER_IDS} campaigns in one GMV Max report.`,
      details: { filter: 'campaign_id', max: MAX_FILTER_IDS },
    });
  const id = level === 'campaign' ? 'campaign_id' : 'advertiser_id';
  const native: Native = {
    advertiser_id: organization.id,
    store_ids: stores,
    dimensions: [id, ...timeOnce(fetch.dimensions)],
    metrics: [
      ...new Set([
        ...metrics.flatMap((metric) => METRICS[metric] ?? []),
        ...(level === 'campaign' ? ['campaign_name'] : []),
      ]),
    ],
    start_date: fetch.startDate,
    end_date: fetch.endDate,
    ...(ids.length === 0 ? {} : { filtering: { campaign_ids: ids } }),
  };
  const read = async (page: Page) => {
    const query = { ...native, ...page };
    return dataOf(
      await ctx.request(call(ctx, { endpoint: 'gmv_max/report/get', organizationId: organization.id, query })),
    );
  };
  for await (const list of numbered({ rows: 'list', size: PAGE }, read))
    for (const one of list) yield rowOf(one, fetch, id);
}

function rowOf(one: Native, fetch: ReportFetch, id: string): ReportRow {
  const found = member(one, 'dimensions');
  const numbers = member(one, 'metrics');
  const metrics: Record<string, string | undefined> = {};
  for (const metric of fetch.metrics) {
    const native = METRICS[metric];
    if (native !== undefined) metrics[metric] = metricValue(numbers[native]);
  }
  const name = id === 'campaign_id' ? metricValue(numbers['campaign_name']) : fetch.organization.name;
  return {
    entityId: String(found[id] ?? fetch.organization.id),
    ...(name === undefined ? {} : { entityName: name }),
    dimensions: breakdownsOf(found, fetch),
    metrics,
  };
}

/**
 * Materials of Smart+ ads: smart_plus/material_report/overview (per object) and breakdown (by day or hour), by the official
 * SDK's OpenAPI documents of these paths. Asked for by the breakdown MATERIAL.
 */
import type { ReportFetch, ReportLevel, ReportRow } from '../../core/connector/report-spec.ts';
import type { CallContext, Native } from '../../core/connector/types.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { breakdownsOf, member, metricValue, timeOnce } from './reports-query.ts';
import { call, dataOf, numbered, type Page } from './request.ts';

/** Largest page of these reports. */
const PAGE = 100;
/** Most ids of one filter. */
const MAX_IDS = 200;
const MATERIAL = 'main_material_id';

/** Ids that the overview tells materials apart by, besides their own. */
const IDS: Readonly<Record<ReportLevel, string>> = {
  organization: 'advertiser_id',
  campaign: 'campaign_id',
  group: 'adgroup_id',
  ad: 'smart_plus_ad_id',
};

/** Rows of a report of materials. */
export async function* materialRows(ctx: CallContext, fetch: ReportFetch): AsyncGenerator<ReportRow> {
  const { organization, level, metrics } = fetch;
  const daily = fetch.dimensions.some((name) => name.startsWith('stat_time_'));
  const refuse = (message: string, details: Native): never => {
    throw new PolyadError('input_value_unsupported', { message, details });
  };
  if (Object.keys(fetch.raw).length > 0)
    refuse('`raw` has no place in a report of Smart+ materials.', { field: 'raw', reason: 'follows from the call' });
  if (daily && level !== 'organization')
    refuse('TikTok tells materials by day for the ad account as a whole alone: add `level=organization`.', {
      field: 'level',
      allowed: ['organization'],
    });
  const filtering: Native = {
    ...(fetch.campaignIds === undefined ? {} : { campaign_ids: fetch.campaignIds }),
    ...(fetch.groupIds === undefined ? {} : { adgroup_ids: fetch.groupIds }),
    ...(fetch.adIds === undefined ? {} : { smart_plus_ad_ids: fetch.adIds }),
  };
  for (const [filter, ids] of Object.entries(filtering))
    if ((ids as readonly string[]).length > MAX_IDS)
      throw new PolyadError('input_filter_unsupported', {
        message: `TikTok takes at most ${MAX_IDS} ids in \`${filter}\`.`,
        details: { filter, max: MAX_IDS },
      });
  const endpoint = `smart_plus/material_report/${daily ? 'breakdown' : 'overview'}`;
  const native: Native = {
    advertiser_id: organization.id,
    dimensions: daily ? timeOnce(fetch.dimensions) : [MATERIAL, IDS[level]],
    metrics,
    start_date: fetch.startDate,
    end_date: fetch.endDate,
    ...(Object.keys(filtering).length === 0 ? {} : { filtering }),
  };
  const read = async (page: Page) => {
    const query = { ...native, ...page };
    return dataOf(await ctx.request(call(ctx, { endpoint, organizationId: organization.id, query })));
  };
  for await (const list of numbered({ rows: 'list', size: PAGE }, read))
    for (const one of list) yield rowOf(one, fetch);
}

function rowOf(one: Native, fetch: ReportFetch): ReportRow {
  const found = member(one, 'dimensions');
  const numbers = member(one, 'metrics');
  const metrics = Object.fromEntries(fetch.metrics.map((metric) => [metric, metricValue(numbers[metric])]));
  return {
    entityId: String(found[IDS[fetch.level]] ?? fetch.organization.id),
    dimensions: breakdownsOf(found, fetch),
    metrics,
  };
}

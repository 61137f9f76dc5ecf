/**
 * Reports by report/integrated/get (TikTok docs 1740302848100353): one window, all pages, and no row lost to TikTok's
 * limit of 20,000 ids a query or to its habit of leaving deleted objects out.
 */

import type { ReportLevel, ReportRow, ReportSpec } from '../../core/connector/report-spec.ts';
import type { CallContext, Native, PlatformResponse } from '../../core/connector/types.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { DEFAULT_METRICS, METRIC_RULES } from './metrics-table.ts';
import { DIMENSION_TABLE } from './reports-dimensions-table.ts';
import { gmvMaxRows } from './reports-gmv-max.ts';
import { materialRows } from './reports-material.ts';
import { LEVELS, query, rowOf, type Scope, type StatusFetch, sourceOf } from './reports-query.ts';
import { tasks } from './reports-tasks.ts';
import { call, chunks, dataOf, MAX_FILTER_IDS, numbered, type Page, sandboxLacks, totalOf } from './request.ts';

/** Ids that one synchronous query covers; the newest come first and the rest are cut off. */
const MAX_IDS = 20_000;
const PAGE = 1_000;
const COUNT_TTL_MS = 10 * 60_000;

/** TikTok's sign that the limit of ids cut something off: a header, in some answers a member of the data. */
function isCutOff(response: PlatformResponse): boolean {
  const value = response.headers['x-tt-ads-throttle'] ?? dataOf(response)['X-Tt-Ads-Throttle'];
  return value !== undefined && value !== null && !['', '0', 'false'].includes(String(value).toLowerCase());
}

class CutOff extends Error {}

/** All rows of one query. Throws `CutOff` before the first row if TikTok says that some are missing. */
async function* rows(ctx: CallContext, fetch: StatusFetch, scope: Scope): AsyncGenerator<ReportRow, void, undefined> {
  const base = query(fetch, scope);
  let yielded = false;
  const read = async (at: Page): Promise<Native> => {
    const response = await ctx.request(
      call(ctx, {
        endpoint: 'report/integrated/get',
        organizationId: fetch.organization.id,
        query: { ...base, ...at },
      }),
    );
    if (!isCutOff(response)) return dataOf(response);
    if (!yielded) throw new CutOff();
    throw new PolyadError('platform_unknown_error', {
      message: 'TikTok said on a later page that the report is cut off; nothing of it can be trusted. Repeat the call.',
      details: { page: at.page },
    });
  };
  for await (const list of numbered({ rows: 'list', size: PAGE }, read))
    for (const row of list) {
      yielded = true;
      yield rowOf(row, fetch);
    }
}

/** Reads one page of a level's list, deleted objects too. */
async function list(ctx: CallContext, fetch: StatusFetch, level: ReportLevel, scope: Scope, page: Page) {
  const { list: endpoint, id, listIds = [id] } = LEVELS[level];
  return dataOf(
    await ctx.request(
      call(ctx, {
        endpoint: endpoint as string,
        organizationId: fetch.organization.id,
        query: {
          advertiser_id: fetch.organization.id,
          filtering: { ...scope, primary_status: fetch.status ?? 'STATUS_ALL' },
          fields: listIds,
          ...page,
        },
      }),
    ),
  );
}

/** How many objects of the level a query would cover, deleted ones included. */
function count(ctx: CallContext, fetch: StatusFetch, scope: Scope): Promise<number> {
  const key = `tiktok/count/${fetch.organization.id}/${fetch.level}/${fetch.status ?? ''}/${JSON.stringify(scope)}`;
  return ctx.remember(key, COUNT_TTL_MS, async () =>
    totalOf(await list(ctx, fetch, fetch.level, scope, { page: 1, page_size: 1 })),
  );
}

async function idsOf(ctx: CallContext, fetch: StatusFetch, level: ReportLevel, scope: Scope): Promise<string[]> {
  const { id, listIds = [id] } = LEVELS[level];
  const out = new Set<string>();
  const read = (page: Page) => list(ctx, fetch, level, scope, page);
  for await (const found of numbered({ rows: 'list', size: PAGE }, read))
    for (const row of found) out.add(String(listIds.map((name) => row[name]).find((one) => typeof one === 'string')));
  return [...out];
}

/**
 * Campaigns to split a query by: those that the campaigns' own report has for the window, which knows campaigns that the
 * list leaves out (other systems of origin, long deleted ones), and those of the list for accounts with more campaigns
 * than one report covers.
 */
async function campaignIds(ctx: CallContext, fetch: StatusFetch): Promise<string[]> {
  const { status: _every, ...every } = fetch;
  const campaigns: StatusFetch = { ...every, level: 'campaign', metrics: ['spend', 'impressions'], dimensions: [] };
  const out = new Set<string>(await idsOf(ctx, every, 'campaign', {}));
  if (fetch.level === 'campaign') return [...out];
  try {
    for await (const row of rows(ctx, campaigns, {})) out.add(row.entityId);
  } catch (error) {
    // More campaigns than one report covers: those of the list are all there is to go by.
    if (!(error instanceof CutOff)) throw error;
  }
  return [...out];
}

/** Rows of some campaigns or ad groups, halved until each query is below TikTok's limit. */
async function* split(
  ctx: CallContext,
  fetch: StatusFetch,
  by: 'campaign_ids' | 'adgroup_ids',
  ids: readonly string[],
): AsyncGenerator<ReportRow, void, undefined> {
  for (const part of chunks(ids, MAX_FILTER_IDS)) {
    const scope: Scope = { [by]: part };
    try {
      if ((await count(ctx, fetch, scope)) <= MAX_IDS) {
        yield* rows(ctx, fetch, scope);
        continue;
      }
    } catch (error) {
      if (!(error instanceof CutOff)) throw error;
    }
    if (part.length > 1) {
      const middle = Math.ceil(part.length / 2);
      yield* split(ctx, fetch, by, part.slice(0, middle));
      yield* split(ctx, fetch, by, part.slice(middle));
    } else if (by === 'campaign_ids' && fetch.level === 'ad')
      yield* split(ctx, fetch, 'adgroup_ids', await idsOf(ctx, { ...fetch, status: undefined }, 'group', scope));
    else yield* byId(ctx, fetch, await idsOf(ctx, fetch, fetch.level, scope));
  }
}

/** Rows of named objects of the level itself: no more than 100 in a query, so nothing can be cut off. */
async function* byId(
  ctx: CallContext,
  fetch: StatusFetch,
  ids: readonly string[],
  rest: Scope = {},
): AsyncGenerator<ReportRow, void, undefined> {
  const name = LEVELS[fetch.level].ids as keyof Scope;
  for (const part of chunks(ids, MAX_FILTER_IDS)) yield* rows(ctx, fetch, { ...rest, [name]: part });
}

/** Everything of one level in one window. */
async function* all(ctx: CallContext, fetch: StatusFetch): AsyncGenerator<ReportRow, void, undefined> {
  if (fetch.level === 'organization' || (await count(ctx, fetch, {})) <= MAX_IDS) {
    try {
      yield* rows(ctx, fetch, {});
      return;
    } catch (error) {
      if (!(error instanceof CutOff) || fetch.level === 'organization') throw error;
    }
  }
  ctx.log.debug({ level: fetch.level }, 'TikTok report is split by campaign: more ids than one query covers');
  const campaigns = await campaignIds(ctx, fetch);
  if (fetch.level === 'campaign') yield* byId(ctx, fetch, campaigns);
  else yield* split(ctx, fetch, 'campaign_ids', campaigns);
}

/** The filters a caller named, by level; undefined for none. */
function named(fetch: StatusFetch): { scope: Scope; own: readonly string[] | undefined } {
  const scope: Scope = {};
  if (fetch.campaignIds !== undefined) scope.campaign_ids = fetch.campaignIds;
  if (fetch.groupIds !== undefined) scope.adgroup_ids = fetch.groupIds;
  if (fetch.adIds !== undefined) scope.ad_ids = fetch.adIds;
  const ids = LEVELS[fetch.level].ids;
  return { scope, own: ids === undefined ? undefined : scope[ids] };
}

async function* fetchRows(ctx: CallContext, fetch: StatusFetch): AsyncGenerator<ReportRow, void, undefined> {
  const source = sourceOf(fetch);
  if (source === 'GMV_MAX') return yield* gmvMaxRows(ctx, fetch);
  if (source === 'MATERIAL') return yield* materialRows(ctx, fetch);
  if (ctx.environment === 'sandbox' && fetch.level === 'organization')
    throw sandboxLacks('reports of the ad account as a whole; ask for campaigns, groups or ads');
  const { scope, own } = named(fetch);
  if (Object.keys(scope).length === 0) {
    yield* all(ctx, fetch);
    return;
  }
  const long = Object.entries(scope).find(([, ids]) => ids.length > MAX_FILTER_IDS);
  if (own !== undefined) {
    const { [LEVELS[fetch.level].ids as keyof Scope]: _own, ...rest } = scope;
    yield* byId(ctx, fetch, own, rest);
  } else if (Object.keys(scope).length === 1 && (scope.campaign_ids ?? scope.adgroup_ids) !== undefined) {
    const by = scope.campaign_ids === undefined ? 'adgroup_ids' : 'campaign_ids';
    yield* split(ctx, fetch, by, scope[by] as readonly string[]);
  } else if (long === undefined) yield* rows(ctx, fetch, scope);
  else
    throw new PolyadError('input_filter_unsupported', {
      message: `TikTok takes at most ${MAX_FILTER_IDS} ids in \`${long[0]}\` beside other filters.`,
      details: { filter: long[0], max: MAX_FILTER_IDS },
    });
}

const LEVEL_OF_DATA_LEVEL = new Map(
  Object.entries(LEVELS).map(([level, { dataLevel }]) => [dataLevel, level as ReportLevel]),
);

/** Reports of TikTok. */
export const report: ReportSpec = {
  levels: ['organization', 'campaign', 'group', 'ad'],
  defaultLevel: 'campaign',
  idNames: {
    organization: LEVELS.organization.id,
    campaign: LEVELS.campaign.id,
    group: LEVELS.group.id,
    ad: LEVELS.ad.id,
  },
  metrics: METRIC_RULES,
  defaultMetrics: DEFAULT_METRICS,
  dimensions: DIMENSION_TABLE,
  nameMetric: { campaign: 'campaign_name', group: 'adgroup_name', ad: 'ad_name' },
  maxDays: { daily: 30, total: 365, hourly: 1 },
  // Clicks are attributed for up to 28 days, views for 7.
  provisionalDays: 28,
  fetch: fetchRows,
  // Tasks take no filter of statuses and leave deleted objects out, as calls without one do (unverified).
  tasks: { ...tasks, rest: (ctx, fetch) => fetchRows(ctx, { ...fetch, status: 'STATUS_DELETE' }) },
  objects: async (ctx, fetch) => {
    if (fetch.level === 'organization') return 1;
    const { scope, own } = named(fetch);
    return own?.length ?? count(ctx, fetch, scope);
  },
  levelFromRaw: (raw) => LEVEL_OF_DATA_LEVEL.get(String(raw['data_level'] ?? '')),
};

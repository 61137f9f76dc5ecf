/** One report query of TikTok in its words, and one of its rows in ours (TikTok docs 1740302848100353). */
import type { ReportFetch, ReportLevel, ReportRow } from '../../core/connector/report-spec.ts';
import type { Native } from '../../core/connector/types.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { type ReportSource, sourcesOf } from './reports-dimensions-table.ts';

/** What each level is called in a query. */
export interface LevelWords {
  dataLevel: string;
  id: string;
  name?: string;
  status?: string;
  /** List endpoint, the members that hold the id there (the first that is set), and the name of its id filter. */
  list?: string;
  listIds?: readonly string[];
  ids?: 'campaign_ids' | 'adgroup_ids' | 'ad_ids';
}

export const LEVELS: Readonly<Record<ReportLevel, LevelWords>> = {
  organization: { dataLevel: 'AUCTION_ADVERTISER', id: 'advertiser_id' },
  campaign: {
    dataLevel: 'AUCTION_CAMPAIGN',
    id: 'campaign_id',
    name: 'campaign_name',
    status: 'campaign_status',
    list: 'campaign/get',
    ids: 'campaign_ids',
  },
  group: {
    dataLevel: 'AUCTION_ADGROUP',
    id: 'adgroup_id',
    name: 'adgroup_name',
    status: 'adgroup_status',
    list: 'adgroup/get',
    ids: 'adgroup_ids',
  },
  // `ad_id` counts each creative of a Smart+ ad by itself; `ad_id_v2` is the ad, for manual ads the same (TikTok docs
  // 1854103649826817).
  ad: {
    dataLevel: 'AUCTION_AD',
    id: 'ad_id_v2',
    name: 'ad_name',
    status: 'ad_status',
    list: 'ad/get',
    listIds: ['smart_plus_ad_id', 'ad_id'],
    ids: 'ad_ids',
  },
};

/** A fetch of objects in one state of the level; default all, deleted ones too. */
export type StatusFetch = ReportFetch & { status?: 'STATUS_DELETE' | undefined };

/** Id filters of one query; each at most 100 long. */
export type Scope = Partial<Record<'campaign_ids' | 'adgroup_ids' | 'ad_ids', readonly string[]>>;

/** filter_value is text that holds JSON, inside the JSON of the parameter. */
export const filter = (field_name: string, values: readonly string[]): Native => ({
  field_name,
  filter_type: 'IN',
  filter_value: JSON.stringify(values),
});

/**
 * Parameters that say what a report is about: accounts, level, days, numbers, pages. They follow from the unified call;
 * another value from `raw` would make the numbers something else than their row says, another account's for example.
 */
const OWN_PARAMETERS = [
  'advertiser_id',
  'advertiser_ids',
  'bc_id',
  'report_type',
  'data_level',
  'dimensions',
  'metrics',
  'start_date',
  'end_date',
  'query_lifetime',
  'multi_adv_report_in_utc_time',
  'page',
  'page_size',
] as const;

const refuseRaw = (name: string, reason: string, extra: Native = {}): never => {
  throw new PolyadError('input_value_invalid', {
    message: `\`raw\` cannot set \`${name}\` of a TikTok report: it ${reason}.`,
    details: { field: `raw.${name}`, reason, ...extra },
  });
};

/** The caller's native filters; in a query they are JSON text. Those that the call sets itself are refused. */
function rawFilters(given: unknown, own: readonly Native[]): Native[] {
  if (given === undefined) return [];
  let list = given;
  if (typeof list === 'string')
    try {
      list = JSON.parse(list);
    } catch {
      refuseRaw('filtering', 'is not valid JSON');
    }
  if (!Array.isArray(list)) return refuseRaw('filtering', 'must be a list of filters');
  const taken = new Set(own.map(({ field_name: name }) => name));
  for (const one of list as (Native | null)[])
    if (taken.has(one?.['field_name']))
      refuseRaw('filtering', `holds \`${String(one?.['field_name'])}\`, which the call sets`);
  return list as Native[];
}

export function query(fetch: StatusFetch, scope: Scope): Native {
  const { level, metrics, organization, raw } = fetch;
  const words = LEVELS[level];
  const source = sourceOf(fetch);
  // Playable ads have no place in the tree of campaigns.
  const playable = source === 'PLAYABLE_MATERIAL';
  const own = [
    // Without this the spend of deleted objects is missing below the account level.
    ...(words.status === undefined ? [] : [filter(words.status, [fetch.status ?? 'STATUS_ALL'])]),
    ...Object.entries(scope).map(([field, ids]) => filter(field, ids)),
  ];
  const filtering = [...own, ...rawFilters(raw['filtering'], own)];
  const names = words.name === undefined ? [] : [words.name];
  const native: Native = {
    advertiser_id: organization.id,
    report_type: source,
    ...(playable ? {} : { data_level: words.dataLevel }),
    dimensions: [...(playable ? [] : [words.id]), ...timeOnce(fetch.dimensions)],
    metrics: [...new Set([...metrics, ...names])],
    start_date: fetch.startDate,
    end_date: fetch.endDate,
  };
  for (const name of OWN_PARAMETERS)
    if (raw[name] !== undefined && raw[name] !== native[name])
      refuseRaw(name, 'follows from the call', name in native ? { expected: native[name] } : {});
  return { ...raw, ...native, ...(filtering.length === 0 ? {} : { filtering }) };
}

export const member = (row: Native, name: string): Native =>
  row[name] !== null && typeof row[name] === 'object' ? (row[name] as Native) : {};

/** TikTok takes one time breakdown: by hour includes by day. */
export const timeOnce = (dimensions: readonly string[]): readonly string[] =>
  dimensions.includes('stat_time_hour') ? dimensions.filter((one) => one !== 'stat_time_day') : dimensions;

/** A value of a breakdown: `2026-11-01 00:00:00` is a day, or an hour. */
export function dimensionValue(name: string, value: unknown): string {
  const text = String(value);
  if (name === 'stat_time_day') return text.slice(0, 10);
  if (name === 'stat_time_hour') return `${text.slice(0, 10)}T${text.slice(11, 16)}`;
  return text;
}

/** The breakdowns that were asked for, from the `dimensions` of a row; a row by hour has its day in the hour. */
export function breakdownsOf(found: Native, { dimensions }: Pick<ReportFetch, 'dimensions'>): Record<string, string> {
  const value = (name: string): unknown =>
    found[name] ?? (name === 'stat_time_day' ? found['stat_time_hour'] : undefined) ?? '';
  return Object.fromEntries(dimensions.map((name) => [name, dimensionValue(name, value(name))]));
}

/** What TikTok wrote for a number; "-" and empty text are no value. */
export function metricValue(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && text !== '' && text !== '-' ? text : undefined;
}

/**
 * Which report has the breakdowns asked for.
 *
 * @throws PolyadError `input_value_unsupported` for breakdowns that no report has together, and levels that theirs lacks
 */
export function sourceOf({ dimensions, level, raw }: ReportFetch): Exclude<ReportSource, 'any'> {
  const refuse = (message: string): never => {
    throw new PolyadError('input_value_unsupported', { message, details: { field: 'dimension', level, dimensions } });
  };
  const found = sourcesOf(dimensions);
  if (raw['store_ids'] !== undefined)
    return found.includes('GMV_MAX') ? 'GMV_MAX' : refuse('GMV Max reports of TikTok do not have these breakdowns.');
  const [source] = found;
  if (source === undefined || source === 'any')
    return refuse('TikTok has no report with all of these breakdowns together; ask for them one by one.');
  if (source === 'GMV_MAX')
    return refuse('This is a breakdown of GMV Max reports: name the store with `raw=store_ids%3D<id of the store>`.');
  if (source === 'PLAYABLE_MATERIAL' && level !== 'organization')
    return refuse('TikTok reports playable ads for the ad account as a whole: add `level=organization`.');
  return source;
}

/** One row in common terms: days without a time of day, "-" and empty text as no value. */
export function rowOf(row: Native, fetch: ReportFetch): ReportRow {
  const words = LEVELS[fetch.level];
  const dimensions: Record<string, string> = {};
  for (const [name, value] of Object.entries(member(row, 'dimensions')))
    if (value !== null && value !== undefined && name !== words.id && name !== 'ad_id')
      dimensions[name] = dimensionValue(name, value);
  if (fetch.dimensions.includes('stat_time_day'))
    dimensions['stat_time_day'] ??= (dimensions['stat_time_hour'] ?? '').slice(0, 10);
  const metrics: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(member(row, 'metrics'))) metrics[name] = metricValue(value);
  const name = words.name === undefined ? fetch.organization.name : metrics[words.name];
  return {
    entityId: String(
      member(row, 'dimensions')[words.id] ?? member(row, 'dimensions')['ad_id'] ?? fetch.organization.id,
    ),
    ...(name === undefined ? {} : { entityName: name }),
    dimensions,
    metrics,
  };
}

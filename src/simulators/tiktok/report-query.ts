/**
 * Reads and checks a report's parameters. Rules: TikTok docs 1740302848100353 (synchronous), 1740302766489602
 * (asynchronous). The texts about time spans and invalid metrics are TikTok's own as clients have seen them; the others
 * are (unverified).
 */
import { parseDay } from '../kit/local-days.ts';
import { requireAdvertiser } from './auth.ts';
import type { Level } from './report-attributes.ts';
import { DIMENSIONS, type Dimension, type ReportType } from './report-dimensions.ts';
import { type Filters, readFilters } from './report-filters.ts';
import { isAttribute, isCash, isMetric } from './report-metrics.ts';
import { type Advertiser, type Call, type Native, TikTokError } from './types.ts';

/** One checked report. */
export interface ReportQuery {
  type: ReportType;
  advertisers: readonly Advertiser[];
  /** `advertiser_ids` was given: money has no decimals, currency, timezone and advertiser_id join the metrics. */
  several: boolean;
  level: Level;
  /** Only reservation campaigns (the deprecated service type). */
  reservation: boolean;
  /** The requested dimensions in their order. */
  dimensions: readonly string[];
  idDimension: string | undefined;
  time: 'day' | 'hour' | undefined;
  breakdowns: readonly Dimension[];
  metrics: readonly string[];
  /** Days of the account (of UTC if `utc`), inclusive; undefined = lifetime. */
  span: readonly [number, number] | undefined;
  utc: boolean;
  filters: Filters;
  order: { metric: string; ascending: boolean } | undefined;
  totals: boolean;
  sandbox: boolean;
  /** The report knows what was delivered until then, epoch milliseconds. */
  now: number;
  /** Only these campaigns: one part of a large report. */
  campaigns?: readonly Native[];
  /** Asynchronous reports have neither the cap on ids nor the limits on the span. */
  task: boolean;
}

const ID_DIMENSIONS: Readonly<Record<Level, readonly string[]>> = {
  advertiser: ['advertiser_id'],
  campaign: ['campaign_id'],
  adgroup: ['adgroup_id'],
  ad: ['ad_id', 'ad_id_v2'],
};
const ALL_IDS = Object.values(ID_DIMENSIONS).flat();

/** Most accounts in one report (TikTok docs 1740302848100353). */
const MAX_ADVERTISERS = 5;
const MAX_DAYS = 365;
const MAX_DAYS_BY_DAY = 30;

const fail = (message: string): never => {
  throw new TikTokError(40002, message);
};

const quoted = (names: readonly string[]) => `[${names.map((name) => `'${name}'`).join(', ')}]`;

const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

function readType(call: Call): ReportType {
  const type = String(call.params['report_type']);
  if (type === 'TT_SHOP') {
    throw new TikTokError(40118, `Your app is not on the allowlist for report_type ${type}. Use /gmv_max/report/get/.`);
  }
  if (type === 'BC' && typeof call.params['bc_id'] !== 'string') fail('Missing required field(s): bc_id.');
  // A report over a Business Center is one over its ad accounts, by account (TikTok docs 1751087777884161).
  return type === 'BC' ? 'BASIC' : (type as ReportType);
}

const isBc = (call: Call) => call.params['report_type'] === 'BC';

/** The ad accounts of a Business Center that the caller can reach. */
function readBc(call: Call): Advertiser[] {
  const { world, grant } = call;
  const bcId = String(call.params['bc_id']);
  const user = world.users.get(grant!.user_id);
  if (!world.businessCenters.get(bcId) || !user?.bc_roles[bcId]) {
    throw new TikTokError(40001, `No permission to operate Business Center ${bcId}.`);
  }
  const granted = new Set(grant!.advertiser_ids);
  return world.advertisers.by('bc', bcId).filter((row) => granted.has(row.id) && user.roles[row.id]);
}

function readAdvertisers(call: Call, type: ReportType): { advertisers: Advertiser[]; several: boolean } {
  if (isBc(call)) return { advertisers: readBc(call), several: false };
  const ids = strings(call.params['advertiser_ids']);
  const one = call.params['advertiser_id'];
  const several = ids.length > 0 && (type === 'BASIC' || type === 'AUDIENCE');
  if (!several && typeof one !== 'string') fail('Missing required field(s): advertiser_id.');
  if (several && ids.length > MAX_ADVERTISERS) {
    throw new TikTokError(40011, `advertiser_ids: At most ${MAX_ADVERTISERS} ids are allowed.`);
  }
  const wanted = several ? [...new Set(ids)] : [String(one)];
  for (const id of wanted) requireAdvertiser(call, id);
  return { advertisers: wanted.map((id) => call.world.advertisers.get(id)!), several };
}

function readLevel(call: Call, type: ReportType): { level: Level; reservation: boolean } {
  const given = call.params['data_level'];
  if (typeof given !== 'string') {
    // Only playable reports have no level.
    if (type !== 'PLAYABLE_MATERIAL' && !isBc(call)) fail('Missing required field(s): data_level.');
    return { level: 'advertiser', reservation: false };
  }
  if (isBc(call) && given !== 'AUCTION_ADVERTISER')
    fail(`data_level ${given} is not supported when report_type is BC.`);
  const [service, name] = given.split('_') as [string, string];
  const wanted = String(call.params['service_type'] ?? 'AUCTION');
  if (service !== wanted) fail(`data_level ${given} is not supported when service_type is ${wanted}.`);
  const level = name.toLowerCase() as Level;
  if (call.host === 'sandbox' && (service !== 'AUCTION' || level === 'advertiser')) {
    throw new TikTokError(40009, `Unsupported data_level in sandbox environment: ${given}.`);
  }
  return { level, reservation: service === 'RESERVATION' };
}

function readDimensions(call: Call, type: ReportType, level: Level, extraIds: readonly string[]) {
  const dimensions = strings(call.params['dimensions']);
  if (dimensions.length === 0) fail('Missing required field(s): dimensions.');
  const invalid: string[] = [];
  const breakdowns: Dimension[] = [];
  const ids: string[] = [];
  let time: 'day' | 'hour' | undefined;
  for (const name of dimensions) {
    if (name === 'stat_time_day' || name === 'stat_time_hour') {
      if (name === 'stat_time_hour' && type !== 'BASIC') invalid.push(name);
      else if (time) fail('Only one time dimension is allowed: stat_time_day or stat_time_hour.');
      else time = name === 'stat_time_day' ? 'day' : 'hour';
    } else if (ALL_IDS.includes(name)) {
      if (ID_DIMENSIONS[level].includes(name) || extraIds.includes(name)) ids.push(name);
      else invalid.push(name);
    } else {
      const known = DIMENSIONS.get(name);
      if (known?.reports.includes(type)) breakdowns.push(known);
      else invalid.push(name);
    }
  }
  if (invalid.length > 0) {
    fail(
      `Please correct the information in invalid dimension fields and try again. Invalid dimension fields: ${quoted(invalid)}. `,
    );
  }
  if (new Set(dimensions).size !== dimensions.length) fail('dimensions: Duplicate values.');
  const own = ids.filter((id) => !extraIds.includes(id));
  if (own.length > 1) fail(`Only one ID dimension is allowed: ${quoted(own)}.`);
  return { dimensions, time, breakdowns, idDimension: own[0] ?? ids[0] };
}

function readMetrics(call: Call, idDimension: string | undefined, perDay: boolean, several: boolean): string[] {
  const given = strings(call.params['metrics']);
  const metrics = [...new Set(given.length > 0 ? given : ['spend', 'impressions'])];
  const invalid = metrics.filter((name) => {
    if (name === 'timezone' && several) return false;
    if (!isMetric(name)) return true;
    if (isAttribute(name)) return idDimension === undefined;
    return isCash(name) && !perDay;
  });
  if (invalid.length > 0) {
    fail(
      `Please correct the information in invalid metric fields and try again. Invalid metric fields: ${quoted(invalid)}. `,
    );
  }
  if (several)
    for (const name of ['currency', 'timezone', 'advertiser_id']) if (!metrics.includes(name)) metrics.push(name);
  return metrics;
}

function readSpan(call: Call, type: ReportType, time: ReportQuery['time'], breakdowns: readonly Dimension[]) {
  const task = call.endpoint.path === 'report/task/create';
  if (call.params['query_lifetime'] === true) {
    if (type !== 'BASIC' && type !== 'PLAYABLE_MATERIAL')
      fail(`query_lifetime is not supported when report_type is ${type}.`);
    if (time) fail('query_lifetime is not supported with a time dimension.');
    if (breakdowns.some(({ name }) => name === 'country_code'))
      fail('query_lifetime is not supported with country_code.');
    return undefined;
  }
  const missing = ['start_date', 'end_date'].filter((name) => typeof call.params[name] !== 'string');
  if (missing.length > 0) fail(`Missing required field(s): ${missing.join(', ')}.`);
  const read = (name: string): number =>
    parseDay(String(call.params[name])) ?? fail(`${name}: Not a valid date. The format is YYYY-MM-DD.`);
  const from = read('start_date');
  const to = read('end_date');
  if (from > to) fail('start_date must not be later than end_date.');
  const days = to - from + 1;
  if (task) return [from, to] as const;
  if (time === 'day' && days > MAX_DAYS_BY_DAY) fail(`max time span is ${MAX_DAYS_BY_DAY} days when use stat_time_day`);
  if (time === 'hour' && days > 1) fail('max time span is 1 day when use stat_time_hour');
  if (days > MAX_DAYS) fail(`max time span is ${MAX_DAYS} days`);
  return [from, to] as const;
}

/** Sandbox reports are mocks of two report types (official sandbox page 1738855331457026). */
function checkSandbox(call: Call, type: ReportType): void {
  if (call.host !== 'sandbox') return;
  if (type !== 'BASIC' && type !== 'AUDIENCE') {
    throw new TikTokError(40014, `Unsupported report_type in sandbox environment: ${type}.`);
  }
  if (call.params['enable_total_metrics'] === true) {
    throw new TikTokError(40014, 'Unsupported enable_total_metrics in sandbox environment.');
  }
}

/** Reads the parameters of a report. @throws TikTokError as the rules say. */
export function readQuery(call: Call): ReportQuery {
  const type = readType(call);
  checkSandbox(call, type);
  const { level, reservation } = readLevel(call, type);
  const { advertisers, several } = readAdvertisers(call, type);
  const task = call.endpoint.path === 'report/task/create';
  // Asynchronous reports over several accounts may name the account beside the level's own id.
  const extra = task && several && level !== 'advertiser' ? ['advertiser_id'] : [];
  const { dimensions, time, breakdowns, idDimension } = readDimensions(call, type, level, extra);
  const span = readSpan(call, type, time, breakdowns);
  if (isBc(call) && !dimensions.includes('advertiser_id'))
    fail('dimensions: advertiser_id is required when report_type is BC.');
  const metrics = readMetrics(call, idDimension, time === 'day', several);
  const field = call.params['order_field'];
  if (typeof field === 'string' && (!isMetric(field) || isAttribute(field)))
    fail(`order_field: Invalid value: ${field}.`);
  const ordered = typeof field === 'string' && call.host !== 'sandbox';
  const totals = call.params['enable_total_metrics'] === true && type === 'BASIC';
  return {
    type,
    advertisers,
    several,
    level,
    reservation,
    dimensions,
    idDimension,
    time,
    breakdowns,
    metrics,
    span,
    utc: several && call.params['multi_adv_report_in_utc_time'] === true,
    filters: readFilters(call.params['filtering'], [...metrics, ...dimensions]),
    order: ordered ? { metric: field, ascending: call.params['order_type'] === 'ASC' } : undefined,
    totals: totals && idDimension !== undefined && breakdowns.length === 0 && time !== 'hour',
    sandbox: call.host === 'sandbox',
    now: call.now.getTime(),
    task,
  };
}

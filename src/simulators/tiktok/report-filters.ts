/**
 * `filtering` of the integrated report. Each filter is `{field_name, filter_type, filter_value}` and the value is a
 * text that holds JSON (TikTok docs 1740302848100353). Which fields exist per report type is published in part only;
 * the list here is what clients use (unverified as a whole).
 */
import type { Run } from './ledger.ts';
import { DIMENSIONS } from './report-dimensions.ts';
import { isAttribute, isMetric } from './report-metrics.ts';
import { isGone, matchesPrimary, type StatusContext, secondaryStatus } from './status.ts';
import { type Native, TikTokError } from './types.ts';

/** Most ids in one filter (TikTok docs 1740302848100353). */
export const MAX_FILTER_IDS = 100;

export type ObjectLevel = 'campaign' | 'adgroup' | 'ad';

/** A filter on an object: `level` is where its field lives. */
export interface ObjectFilter {
  level: ObjectLevel;
  field: string;
  pass(row: Native, context: StatusContext): boolean;
  /** The only ids that can pass, if it is a filter by ids: lets a report over a few objects look at these alone. */
  ids?: readonly string[];
}

/** A filter on a row of the answer. */
export interface RowFilter {
  /** A requested metric or dimension. */
  name: string;
  kind: 'metric' | 'label';
  pass(value: string | number): boolean;
}

export interface Filters {
  objects: readonly ObjectFilter[];
  rows: readonly RowFilter[];
  /** A status filter named STATUS_ALL: deleted objects count, whatever level it was written for. */
  all: boolean;
}

/** field_name -> level and member of the native row. */
const OBJECT_FIELDS: Readonly<Record<string, readonly [ObjectLevel, string]>> = {
  campaign_ids: ['campaign', 'campaign_id'],
  campaign_name: ['campaign', 'campaign_name'],
  campaign_status: ['campaign', 'status'],
  objective_type: ['campaign', 'objective_type'],
  campaign_type: ['campaign', 'campaign_type'],
  campaign_automation_type: ['campaign', 'campaign_automation_type'],
  campaign_system_origin: ['campaign', 'campaign_system_origin'],
  campaign_system_origins: ['campaign', 'campaign_system_origin'],
  app_promotion_type: ['campaign', 'app_promotion_type'],
  buying_type: ['campaign', 'buying_type'],
  buying_types: ['campaign', 'buying_type'],
  adgroup_ids: ['adgroup', 'adgroup_id'],
  adgroup_name: ['adgroup', 'adgroup_name'],
  adgroup_status: ['adgroup', 'status'],
  promotion_type: ['adgroup', 'promotion_type'],
  billing_event: ['adgroup', 'billing_event'],
  optimization_goal: ['adgroup', 'optimization_goal'],
  smart_target: ['adgroup', 'optimization_goal'],
  bid_type: ['adgroup', 'bid_type'],
  creative_material_mode: ['adgroup', 'creative_material_mode'],
  ad_ids: ['ad', 'ad_id'],
  ad_ids_v2: ['ad', 'ad_id_v2'],
  ad_name: ['ad', 'ad_name'],
  ad_status: ['ad', 'status'],
  ad_format: ['ad', 'ad_format'],
  image_mode: ['ad', 'ad_format'],
  is_aco: ['ad', 'is_aco'],
};

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  GREATER_EQUAL: (a, b) => a >= b,
  GREATER_THAN: (a, b) => a > b,
  LOWER_EQUAL: (a, b) => a <= b,
  LOWER_THAN: (a, b) => a < b,
};

const fail = (message: string): never => {
  throw new TikTokError(40002, message);
};

function jsonArray(name: string, text: string): (string | number | boolean)[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  if (!Array.isArray(parsed)) {
    fail(`filtering: filter_value of ${name} must be a valid JSON array string.`);
  }
  return parsed as (string | number | boolean)[];
}

const number = (name: string, text: unknown): number => {
  const value = Number(text);
  return text === '' || Number.isNaN(value) ? fail(`filtering: filter_value of ${name} must be a number.`) : value;
};

/** A JSON string or the bare text. */
function looseText(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

/** Test of a value by filter type. */
function test(name: string, type: string, value: string): (actual: string | number) => boolean {
  if (type === 'IN') {
    const wanted = jsonArray(name, value).map(String);
    if (name.endsWith('_ids') || name.endsWith('_ids_v2')) {
      if (wanted.length > MAX_FILTER_IDS) {
        throw new TikTokError(
          40011,
          `filtering: ${name} has ${wanted.length} ids. At most ${MAX_FILTER_IDS} are allowed.`,
        );
      }
      const odd = wanted.find((id) => !/^\d+$/.test(id));
      if (odd !== undefined) fail(`filtering: ${name} has an invalid id: ${odd}.`);
    }
    const set = new Set(wanted);
    return (actual) => set.has(String(actual));
  }
  if (type === 'MATCH') {
    const part = looseText(value).toLowerCase();
    return (actual) => String(actual).toLowerCase().includes(part);
  }
  if (type === 'BETWEEN' || type === 'RANGE') {
    const ends = jsonArray(name, value);
    if (ends.length !== 2) fail(`filtering: filter_value of ${name} must have two elements for ${type}.`);
    const [low, high] = ends.map((end) => number(name, end)) as [number, number];
    return (actual) => Number(actual) >= low && Number(actual) <= high;
  }
  const compare = COMPARE[type];
  if (!compare) return fail(`filtering: filter_type of ${name}: Invalid value: ${type}.`);
  const limit = number(name, looseText(value));
  return (actual) => compare(Number(actual), limit);
}

/** How the campaign was bought, as the filter names it. */
export const buyingType = (campaign: Native): string => {
  if (campaign['rf_campaign_type'] === 'TOPVIEW' || campaign['objective_type'] === 'TOPVIEW_REACH') {
    return 'RESERVATION_TOP_VIEW';
  }
  return String(campaign['objective_type'] ?? '').startsWith('RF_') ? 'RESERVATION_RF' : 'AUCTION';
};

/** The member that a filter looks at. `ad_id_v2` is the Smart+ ad of a creative, and a manual ad itself. */
function memberOf(row: Native, field: string): string {
  if (field === 'buying_type') return buyingType(row);
  if (field === 'ad_id_v2') return String(row['smart_plus_ad_id'] ?? row.id);
  if (field === 'ad_id') return row.id;
  return String(row[field] ?? '');
}

function statusFilter(level: ObjectLevel, name: string, type: string, value: string): ObjectFilter {
  if (type !== 'IN') fail(`filtering: ${name} takes the filter_type IN.`);
  const wanted = jsonArray(name, value).map(String);
  const prefix = `${level.toUpperCase()}_STATUS_`;
  const odd = wanted.find((one) => !/^(STATUS_|ADVERTISER_|AD_STAUS_)/.test(one) && !one.startsWith(prefix));
  if (odd !== undefined) fail(`filtering: ${name} has an invalid value: ${odd}.`);
  // TikTok's own lists of statuses know the pseudo-values …_ALL and …_NOT_DELETE of each level, too.
  const groups = wanted.map((one) => one.replace(new RegExp(`^${prefix}(ALL|NOT_DELETE)$`), 'STATUS_$1'));
  return {
    level,
    field: 'status',
    pass(row, context) {
      return groups.some((group) => {
        if (group === 'STATUS_ALL') return true;
        if (group === 'STATUS_NOT_DELETE') return !isGone(context, level, row);
        const secondary = secondaryStatus(context, level, row);
        return group.startsWith('STATUS_') ? matchesPrimary(secondary, group) : secondary === group;
      });
    },
  };
}

/**
 * Reads `filtering`.
 * @param requested Names of the requested metrics and dimensions; rows can be filtered by these.
 * @throws TikTokError 40002 for an unknown field or a value that does not fit; 40011 for more than 100 ids.
 */
export function readFilters(filtering: unknown, requested: readonly string[]): Filters {
  const objects: ObjectFilter[] = [];
  const rows: RowFilter[] = [];
  let all = false;
  for (const each of Array.isArray(filtering) ? filtering : []) {
    const { field_name: name, filter_type: type, filter_value: value } = each as Record<string, string>;
    if (name === undefined || type === undefined || value === undefined) {
      return fail('filtering: field_name, filter_type and filter_value are required.');
    }
    const object = OBJECT_FIELDS[name];
    if (object) {
      const [level, field] = object;
      if (field === 'status') {
        all ||= value.includes('STATUS_ALL"');
        objects.push(statusFilter(level, name, type, value));
        continue;
      }
      const pass = test(name, type, value);
      objects.push({
        level,
        field,
        pass: (row) => pass(memberOf(row, field)),
        ...(type === 'IN' && field.includes('_id') ? { ids: jsonArray(name, value).map(String) } : {}),
      });
      continue;
    }
    const isLabel = DIMENSIONS.has(name);
    if (!isLabel && (!isMetric(name) || isAttribute(name))) fail(`filtering: Invalid field_name: ${name}.`);
    if (isLabel && !requested.includes(name)) {
      fail(`filtering: ${name} can be filtered only when dimensions has it.`);
    }
    rows.push({ name, kind: isLabel ? 'label' : 'metric', pass: test(name, type, value) });
  }
  return { objects, rows, all };
}

/** The row of a run at a level. */
export const rowAt = (run: Run, level: ObjectLevel): Native =>
  level === 'campaign' ? run.campaign : level === 'adgroup' ? run.adgroup : run.ad;

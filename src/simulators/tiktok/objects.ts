import type { Collection } from '../kit/types.ts';
import { page, pickFields } from './paging.ts';
import { given, invalid, readTime } from './rules.ts';
import { isGone, type Level, matchesPrimary, type StatusContext, secondaryStatus, statusContext } from './status.ts';
import type { Call, Native, Param } from './types.ts';

/** What campaign/get, adgroup/get and ad/get share: filters, order, paging and the form of a row. */

/** Declares one list of objects. */
export interface ListSpec {
  level: Level;
  /** `campaign_id`, `adgroup_id` or `ad_id`. */
  idField: string;
  nameField: string;
  rows(call: Call): Collection<Native>;
  /** Members of `filtering`; any other is 40002. */
  filtering: readonly Param[];
  /** Every member of an answered object with its value when unset, in the documented order. */
  defaults: Readonly<Record<string, unknown>>;
  /** Members that come from elsewhere, such as the parents' names. */
  derived?(context: StatusContext, row: Native): Record<string, unknown>;
  /** Members that an answer has only when they are true. */
  onlyWhenTrue?: readonly string[];
  /** Members that an answer has only when they are set. */
  onlyWhenGiven?: readonly string[];
  /** Rows that the list is about; all if absent. */
  only?(row: Native): boolean;
  /** The largest page, 1000 unless said. */
  maxPage?: number;
  /** Nulls are never in an answer (`pop_resp_nullvalue` of the official yml). */
  dropNulls?: boolean;
  /** Filters of this level alone; undefined = the filter is not one of them. */
  matches?(context: StatusContext, row: Native, name: string, value: unknown): boolean | undefined;
}

/**
 * One object as TikTok answers it: all documented members in their order, unset ones with their defaults, and the
 * derived status. Sandbox accounts have no `secondary_status` (TikTok docs 1739315828649986).
 */
export function view(spec: ListSpec, context: StatusContext, row: Native): Record<string, unknown> {
  const derived = spec.derived?.(context, row);
  // Members that objects of this kind have no value for, not even the default.
  const nulls = row['_nulls'] as readonly string[] | undefined;
  const object: Record<string, unknown> = {};
  for (const name in spec.defaults)
    object[name] = nulls?.includes(name) ? null : (derived?.[name] ?? row[name] ?? spec.defaults[name]);
  object[spec.idField] = row.id;
  for (const name of spec.onlyWhenTrue ?? []) if (object[name] !== true) delete object[name];
  for (const name of spec.onlyWhenGiven ?? []) if ((object[name] ?? null) === null) delete object[name];
  if (context.advertiser?.sandbox) delete object['secondary_status'];
  else object['secondary_status'] = secondaryStatus(context, spec.level, row);
  return object;
}

/** Parameters of a list of objects. */
export const listParams = (filtering: readonly Param[]): Param[] => [
  { name: 'advertiser_id', type: 'string', required: true },
  { name: 'filtering', type: 'object', fields: filtering },
  { name: 'page', type: 'integer', min: 1 },
  { name: 'page_size', type: 'integer', min: 1, max: 1000 },
  { name: 'fields', type: 'array', items: { type: 'string' } },
  {
    name: 'exclude_field_types_in_response',
    type: 'array',
    items: { type: 'string', enum: ['NULL_FIELD'] },
  },
];

/** Refuses members of `filtering` that the endpoint does not document. */
export function checkFilters(filtering: Record<string, unknown>, known: readonly Param[]): void {
  const unknown = Object.keys(filtering).filter((name) => !known.some((param) => param.name === name));
  if (unknown.length > 0) invalid(`filtering: Unknown field(s): ${unknown.join(', ')}.`);
}

/** Ids grow, and have one length within a simulator: newest first is id descending. */
const newestFirst = (a: Native, b: Native) => b.id.length - a.id.length || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);

/** All rows that can match, newest first, by the narrowest index that the filters allow. */
function candidates(spec: ListSpec, call: Call, filtering: Record<string, unknown>): readonly Native[] {
  const rows = spec.rows(call);
  const advertiserId = String(call.params['advertiser_id']);
  const ids = (name: string) =>
    given(filtering, name) ? [...new Set((filtering[name] as unknown[]).map(String))] : undefined;
  const own = ids(`${spec.idField}s`) ?? ids(`${spec.idField}s_v2`);
  if (own) {
    return own
      .map((id) => rows.get(id))
      .filter((row): row is Native => row?.advertiser_id === advertiserId)
      .sort(newestFirst);
  }
  const parents = spec.level === 'ad' ? ['adgroup', 'campaign'] : spec.level === 'adgroup' ? ['campaign'] : [];
  for (const parent of parents) {
    const wanted = ids(`${parent}_ids`);
    if (!wanted) continue;
    const found = wanted.flatMap((id) => rows.by(parent, id)).filter((row) => row.advertiser_id === advertiserId);
    return found.sort(newestFirst);
  }
  return reversed(rows.by('advertiser', advertiserId));
}

/** Reversed insertion order, which is newest first unless rows were brought in out of order. */
function reversed(rows: readonly Native[]): readonly Native[] {
  const result = new Array<Native>(rows.length);
  let ordered = true;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[rows.length - 1 - i]!;
    result[i] = row;
    if (i > 0 && newestFirst(result[i - 1]!, row) > 0) ordered = false;
  }
  return ordered ? result : result.sort(newestFirst);
}

/** Which way a campaign is bought, by its objective (TikTok docs 1739315828649986: `buying_types`). */
export function buyingType(objective: unknown): string {
  if (objective === 'TOPVIEW_REACH') return 'RESERVATION_TOP_VIEW';
  return typeof objective === 'string' && objective.startsWith('RF_') ? 'RESERVATION_RF' : 'AUCTION';
}

/** The campaign of a row of any level. */
export function campaignRow(context: StatusContext, row: Native): Native | undefined {
  const id = String(row['campaign_id'] ?? row.id);
  if (!context.campaigns.has(id)) context.campaigns.set(id, context.world.campaigns.get(id));
  return context.campaigns.get(id);
}

/** The ad group of an ad. */
export function adgroupRow(context: StatusContext, row: Native): Native | undefined {
  const id = String(row['adgroup_id'] ?? row.id);
  if (!context.adgroups.has(id)) context.adgroups.set(id, context.world.adgroups.get(id));
  return context.adgroups.get(id);
}

const contains = (value: unknown, part: unknown) =>
  String(value ?? '')
    .toLowerCase()
    .includes(String(part).toLowerCase());

function matchesFilter(spec: ListSpec, context: StatusContext, row: Native, name: string, value: unknown): boolean {
  const special = spec.matches?.(context, row, name, value);
  if (special !== undefined) return special;
  switch (name) {
    case `${spec.idField}s`:
    case `${spec.idField}s_v2`:
      return (value as string[]).includes(row.id);
    case 'campaign_ids':
      return (value as string[]).includes(String(row['campaign_id']));
    case 'adgroup_ids':
      return (value as string[]).includes(String(row['adgroup_id']));
    case spec.nameField:
      return contains(row[spec.nameField], value);
    case 'creation_filter_start_time':
      return String(row['create_time']) >= String(value);
    case 'creation_filter_end_time':
      return String(row['create_time']) <= String(value);
    case 'objective_type':
      return (campaignRow(context, row)?.['objective_type'] ?? null) === value;
    case 'buying_types':
      return (value as string[]).includes(buyingType(campaignRow(context, row)?.['objective_type']));
    case 'campaign_system_origins':
      return (value as string[]).includes(String(row['campaign_system_origin'] ?? 'TT_ADS_PLATFORM'));
    case 'split_test_enabled':
      return given(row, 'split_test_group_id') === value;
    case 'optimization_goal': {
      const bearer = spec.level === 'ad' ? adgroupRow(context, row) : row;
      return (bearer?.['optimization_goal'] ?? null) === value;
    }
    case 'creative_material_mode': {
      const bearer = spec.level === 'ad' ? adgroupRow(context, row) : row;
      return (bearer?.['creative_material_mode'] ?? 'CUSTOM') === value;
    }
    // Kinds of campaign that only other endpoints make.
    case 'creative_campaign_type':
      return (value as string[]).length === 0;
    default:
      return (row[name] ?? spec.defaults[name] ?? null) === value;
  }
}

const PSEUDO = /_STATUS_(ALL|NOT_DELETE)$/;

/** The filters that need an object's status, as one test. Default: everything that is not deleted. */
function statusTest(
  spec: ListSpec,
  context: StatusContext,
  filtering: Record<string, unknown>,
): (row: Native) => boolean {
  const primary = filtering['primary_status'] ?? undefined;
  const secondary = filtering['secondary_status'] ?? undefined;
  const gone = (row: Native) => isGone(context, spec.level, row);
  if (secondary !== undefined) {
    const text = String(secondary);
    const prefix = spec.level === 'campaign' ? 'CAMPAIGN' : spec.level === 'adgroup' ? 'ADGROUP' : 'AD';
    if (!text.startsWith(`${prefix}_STA`) && !/^(ADVERTISER|CREATIVE|MATERIAL|PRODUCT|NO_AVAILABLE)_/.test(text)) {
      invalid(`filtering.secondary_status: Invalid value: ${text}.`);
    }
    if (PSEUDO.test(text)) return text.endsWith('NOT_DELETE') ? (row) => !gone(row) : () => true;
    return (row) => {
      const status = secondaryStatus(context, spec.level, row);
      return status === text && (primary === undefined || matchesPrimary(status, String(primary)));
    };
  }
  if (primary === undefined || primary === 'STATUS_NOT_DELETE') return (row) => !gone(row);
  if (primary === 'STATUS_ALL') return () => true;
  if (primary === 'STATUS_DELETE') return gone;
  return (row) => matchesPrimary(secondaryStatus(context, spec.level, row), String(primary));
}

/** Answers a list call: `{ list, page_info }`, newest object first. */
export function listObjects(spec: ListSpec, call: Call): unknown {
  const filtering = { ...((call.params['filtering'] ?? {}) as Record<string, unknown>) };
  checkFilters(filtering, spec.filtering);
  for (const name of ['creation_filter_start_time', 'creation_filter_end_time', 'modified_after']) {
    if (given(filtering, name)) readTime(`filtering.${name}`, filtering[name]);
  }
  // Defaults of the filters: auction and reach & frequency, made on the ads platform (TikTok docs 1739315828649986).
  filtering['buying_types'] ??= ['AUCTION', 'RESERVATION_RF'];
  filtering['campaign_system_origins'] ??= ['TT_ADS_PLATFORM'];

  const context = statusContext(call.world, String(call.params['advertiser_id']));
  const inStatus = statusTest(spec, context, filtering);
  const tests = Object.entries(filtering).filter(
    ([name, value]) => value !== null && name !== 'primary_status' && name !== 'secondary_status',
  );
  const found = candidates(spec, call, filtering).filter(
    (row) =>
      spec.only?.(row) !== false &&
      tests.every(([name, value]) => matchesFilter(spec, context, row, name, value)) &&
      inStatus(row),
  );

  const known = Object.keys(spec.defaults);
  const dropNulls =
    spec.dropNulls === true ||
    ((call.params['exclude_field_types_in_response'] ?? []) as string[]).includes('NULL_FIELD');
  const { list, page_info } = page(found, call, spec.maxPage);
  // Checked even when the page is empty.
  pickFields({}, call.params['fields'], known);
  return {
    list: list.map((row) => {
      const object = pickFields(view(spec, context, row), call.params['fields'], known);
      if (!dropNulls) return object;
      return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
    }),
    page_info,
  };
}

/** Upgraded Smart+: smart_plus/{campaign,adgroup,ad}/…, in the words of the manual endpoints wherever they differ. */
import { isDeepStrictEqual } from 'node:util';
import type { BatchOutcome, OperationInput } from '../../../core/connector/object-spec.ts';
import type { Native } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { call, chunks, dataOf, MAX_FILTER_IDS, pages, rawQuery, read, rowsOf } from '../request.ts';
import { TARGETING_SPEC } from '../smart-plus-table.ts';
import { AD, ADGROUP, isNotOffered, type Level } from './shared.ts';

/** Most rows of a page of smart_plus/ad/get; campaigns and ad groups have 1,000. */
const AD_PAGE = 100;

/** Endpoint prefix and id names of a level. */
export interface SmartLevel {
  endpoint: string;
  id: string;
  ids: string;
}

export const smartLevel = (level: Level): SmartLevel =>
  level.endpoint === 'ad'
    ? { endpoint: 'smart_plus/ad', id: 'smart_plus_ad_id', ids: 'smart_plus_ad_ids' }
    : { endpoint: `smart_plus/${level.endpoint}`, id: level.id, ids: level.ids };

/**
 * A write to Smart+. TikTok takes one write per ad in five seconds, so ads are named for the quota that keeps to it.
 */
export async function smartWrite(
  input: OperationInput,
  endpoint: string,
  body: Native,
  options: { ad?: string; idempotent?: boolean } = {},
): Promise<Native> {
  const { ctx, organization } = input;
  const raw = rawQuery(input);
  const request = call(ctx, {
    method: 'POST',
    endpoint,
    organizationId: organization.id,
    json: { ...body, advertiser_id: organization.id },
    idempotent: options.idempotent ?? false,
    ...(Object.keys(raw).length === 0 ? {} : { query: raw }),
  });
  return dataOf(await ctx.request(options.ad === undefined ? request : { ...request, quotaObject: options.ad }));
}

/** Adds members that field rules read and that are no part of what TikTok sent, so that `raw` stays TikTok's. */
export function withHidden(row: Native, hidden: Native): Native {
  const out: Native = Object.defineProperties({}, Object.getOwnPropertyDescriptors(row));
  for (const [name, value] of Object.entries(hidden))
    if (value !== undefined) Object.defineProperty(out, name, { value, enumerable: false, configurable: true });
  return out;
}

const filled = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);

const first = (row: Native, list: string, member: string): unknown => rowsOf(row, list)[0]?.[member];

const object = (value: unknown): Native => (value !== null && typeof value === 'object' ? (value as Native) : {});

/** What creatives of an ad agree on; undefined where they differ. */
function common(creatives: readonly Native[], member: (info: Native) => unknown): unknown {
  const values = creatives.map((one) => member(object(one['creative_info']))).filter(filled);
  return values.length === creatives.length && values.every((value) => isDeepStrictEqual(value, values[0]))
    ? values[0]
    : undefined;
}

/** A row of smart_plus/ad/get with the members that a row of ad/get has. */
export function asAd(row: Native): Native {
  const creatives = rowsOf(row, 'creative_list');
  const configuration = object(row['ad_configuration']);
  const tracking = object(configuration['tracking_info']);
  const identity = (name: string): unknown => {
    const shared = common(creatives, (info) => info[name]);
    return filled(shared) ? shared : configuration[name];
  };
  return withHidden(row, {
    ad_id: row['smart_plus_ad_id'],
    campaign_automation_type: 'UPGRADED_SMART_PLUS',
    ad_text: first(row, 'ad_text_list', 'ad_text'),
    // Answers say `call_to_action`, creations `call_to_action_list`.
    call_to_action:
      first(row, 'call_to_action_list', 'call_to_action') ?? first(row, 'call_to_action', 'call_to_action'),
    smart_ctas: [...rowsOf(row, 'call_to_action_list'), ...rowsOf(row, 'call_to_action')].map(
      (one) => one['call_to_action'],
    ),
    landing_page_url: first(row, 'landing_page_url_list', 'landing_page_url'),
    page_id: first(row, 'page_list', 'page_id'),
    ad_format: common(creatives, (info) => info['ad_format']),
    tiktok_item_id: common(creatives, (info) => info['tiktok_item_id']),
    identity_type: identity('identity_type'),
    identity_id: identity('identity_id'),
    identity_authorized_bc_id: identity('identity_authorized_bc_id'),
    dark_post_status: configuration['dark_post_status'],
    utm_params: configuration['utm_params'],
    tracking_pixel_id: tracking['tracking_pixel_id'],
    tracking_app_id: tracking['tracking_app_id'],
    product_set_id: configuration['product_set_id'],
  });
}

/** Ads of Smart+, as rows of ad/get. `filtering`: native filters that both endpoints have. */
export async function* smartAds(input: OperationInput, filtering: Native): AsyncGenerator<Native, void, undefined> {
  for await (const row of pages(input, 'smart_plus/ad/get', { rows: 'list', size: AD_PAGE, query: { filtering } }))
    yield asAd(row);
}

/** One ad of Smart+, deleted ones too. Undefined = there is none of that id, or this app may not read them. */
export async function smartAd(input: OperationInput, id: string): Promise<Native | undefined> {
  if (input.ctx.environment === 'sandbox') return undefined;
  try {
    for await (const row of smartAds(input, { smart_plus_ad_ids: [id], primary_status: 'STATUS_ALL' }))
      if (row['smart_plus_ad_id'] === id) return row;
    return undefined;
  } catch (error) {
    if (!isNotOffered(error)) throw error;
    return undefined;
  }
}

/** Rows of adgroup/get completed by what smart_plus/adgroup/get says of those of Smart+, targeting first of all. */
export async function withSmartGroups(
  input: OperationInput,
  rows: Native[],
  isSmart: (row: Native) => boolean,
): Promise<Native[]> {
  const ids = rows.filter(isSmart).map((row) => String(row[ADGROUP.id]));
  if (ids.length === 0) return rows;
  const found = new Map<string, Native>();
  try {
    for (const part of chunks(ids, MAX_FILTER_IDS)) {
      const filtering = { adgroup_ids: part, primary_status: 'STATUS_ALL' };
      const query = { filtering, page: 1, page_size: part.length };
      for (const row of rowsOf(await read(input, 'smart_plus/adgroup/get', query), 'list'))
        found.set(String(row['adgroup_id']), row);
    }
  } catch (error) {
    if (!isNotOffered(error)) throw error;
    input.ctx.log.warn({ code: error.code }, 'Smart+ ad groups are shown as adgroup/get has them');
    return rows;
  }
  return rows.map((row) => {
    const smart = found.get(String(row[ADGROUP.id]));
    if (smart === undefined) return row;
    const merged = { ...row, ...Object.fromEntries(Object.entries(smart).filter(([, value]) => filled(value))) };
    return asGroup(merged);
  });
}

/** A row of smart_plus/adgroup/get with the members that a row of adgroup/get has. */
export const asGroup = (row: Native): Native =>
  withHidden(row, { ...flatTargeting(row), campaign_automation_type: 'UPGRADED_SMART_PLUS' });

/** The members of `targeting_spec` under the names that adgroup/get has at the top. */
function flatTargeting(row: Native): Native {
  const spec = object(row['targeting_spec']);
  const { operation_system: systems, ...rest } = spec;
  const flat = Object.fromEntries(Object.entries(rest).filter(([, value]) => filled(value)));
  // Answers call it operation_system, requests operating_systems.
  if (flat['operating_systems'] === undefined && Array.isArray(systems) && !systems.includes('ALL'))
    flat['operating_systems'] = systems;
  if (row['deep_cpabid'] !== undefined) flat['deep_cpa_bid'] = row['deep_cpabid'];
  return flat;
}

/**
 * A body of the manual endpoint in the form of Smart+: targeting in `targeting_spec`, the deep bid under its other name.
 * Members that Smart+ has not are refused, unless the caller gave them natively: then TikTok is the judge.
 */
export function smartBody(native: Native, allowed: ReadonlySet<string>, given: Native, defaults: Native): Native {
  const out: Native = {};
  const spec: Native = { ...object(given['targeting_spec']) };
  for (const [name, value] of Object.entries(native)) {
    if (TARGETING_SPEC.has(name) && !allowed.has(name)) spec[name] = value;
    else if (name === 'deep_cpa_bid') out['deep_cpabid'] = value;
    else if (allowed.has(name) || name in given) out[name] = value;
    // What we filled in ourselves is not missed.
    else if (!(name in defaults))
      throw new PolyadError('input_field_unsupported', {
        message: `Smart+ does not take \`${name}\`.`,
        details: { field: name, automation: 'smart_plus', allowed: [...allowed, ...TARGETING_SPEC].sort() },
      });
  }
  if (Object.keys(spec).length > 0) out['targeting_spec'] = spec;
  return out;
}

/** Sets the status of objects of Smart+, with one outcome each. Ads go one by one, each being written once in five seconds. */
export async function smartStatus(
  input: OperationInput,
  level: Level,
  ids: readonly string[],
  operation_status: unknown,
): Promise<BatchOutcome[]> {
  const { endpoint, id: idName, ids: idsName } = smartLevel(level);
  const out: BatchOutcome[] = [];
  for (const part of level === AD ? ids.map((id) => [id]) : [ids]) {
    if (part.length === 0) continue;
    const [ad] = part;
    const data = await smartWrite(
      input,
      `${endpoint}/status/update`,
      { [idsName]: part, operation_status },
      { idempotent: true, ...(level === AD && ad !== undefined ? { ad } : {}) },
    );
    const failed = new Map(rowsOf(data, 'error_list').map((row) => [String(row[idName]), row]));
    for (const id of part) {
      const message = failed.get(id)?.['error_message'];
      out.push(
        failed.has(id)
          ? { id, error: { code: 'platform_rejected', message: String(message ?? 'TikTok gave no reason.') } }
          : { id },
      );
    }
  }
  return out;
}

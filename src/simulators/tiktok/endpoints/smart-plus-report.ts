import { formatDay, parseDay, weekday } from '../../kit/local-days.ts';
import { hash32 } from '../../kit/random.ts';
import { currencyDigits } from '../currency.ts';
import { walk } from '../delivery.ts';
import type { Run } from '../ledger.ts';
import { page } from '../paging.ts';
import { advertiserIdOf } from '../params.ts';
import { attributeText } from '../report-attributes.ts';
import { slotDraw } from '../report-dimensions.ts';
import { isAttribute, isCash, isMetric, NOT_APPLICABLE, planMetrics } from '../report-metrics.ts';
import { invalid, missing } from '../rules.ts';
import { isCreative, smartAds } from '../smart-plus.ts';
import { SP_MATERIAL_BREAKDOWN, SP_MATERIAL_OVERVIEW } from '../smart-plus-table.ts';
import type { Call, Endpoint, Native, Param } from '../types.ts';

/**
 * Creative-level reports of Smart+: smart_plus/material_report/{overview,breakdown}. Parameters: official SDK yml. What
 * the ids of materials and texts look like is (unverified); here main_material_id is the ad_material_id of
 * smart_plus/ad/get, and a text's id belongs to the text within its ad.
 */

type Values = Record<string, unknown>;

/** Metrics of the official list that the simulator has no data for: accepted, always 0. */
const EMPTY = /^(skan_|offline_|onsite_|on_web_|product_|playable_|cost_per_|cta_|vta_|evta_|pageview_|[a-z_]*rate$)/;
/** Properties of the creative that are asked for as metrics. */
const MATERIAL: Readonly<Record<string, (ad: Native) => string>> = {
  ad_material_id: (ad) => String(ad['ad_material_id']),
  operation_status: (ad) => String(ad['operation_status']),
};

const entityId = (...parts: string[]) => String(7_400_000_000_000_000_000n + BigInt(hash32(...parts)) * 4_099n + 1n);

/** What a dimension says of one piece of delivery; several texts of an ad are shown by turns. */
interface Piece {
  run: Run;
  smart: Native;
  day: number;
  hour: number;
  /** 0 <= value < 1 of this half-hour; another salt is another draw. */
  draw(salt: number): number;
}

const part = (list: unknown, member: string, { draw, smart }: Piece, salt: number): string => {
  const items = (smart[list as string] ?? []) as Values[];
  const item = items[Math.floor(draw(salt) * items.length)];
  return item === undefined ? '' : String(item[member]);
};

const entity = (kind: string, text: string, piece: Piece) =>
  text === '' ? NOT_APPLICABLE : entityId(kind, text, piece.smart.id);

const DIMENSIONS: Readonly<Record<string, (piece: Piece) => string>> = {
  advertiser_id: ({ smart }) => smart.advertiser_id,
  campaign_id: ({ smart }) => String(smart['campaign_id']),
  adgroup_id: ({ smart }) => String(smart['adgroup_id']),
  smart_plus_ad_id: ({ smart }) => smart.id,
  main_material_id: ({ run }) => String(run.ad['ad_material_id']),
  ad_text_entity_id: (piece) => entity('text', part('ad_text_list', 'ad_text', piece, 21), piece),
  call_to_action_entity_id: (piece) => entity('cta', part('call_to_action_list', 'call_to_action', piece, 22), piece),
  interactive_add_on_entity_id: (piece) =>
    entity('add-on', part('interactive_add_on_list', 'card_id', piece, 23), piece),
  stat_time_hour: ({ day, hour }) => `${formatDay(day)} ${String(hour).padStart(2, '0')}:00:00`,
  stat_time_day: ({ day }) => `${formatDay(day)} 00:00:00`,
  // Weeks begin on Monday (unverified).
  stat_time_week: ({ day }) => `${formatDay(day - weekday(day))} 00:00:00`,
  stat_time_month: ({ day }) => `${formatDay(day).slice(0, 7)}-01 00:00:00`,
};
const PER_SLOT = ['ad_text_entity_id', 'call_to_action_entity_id', 'interactive_add_on_entity_id', 'stat_time_hour'];

const TYPES: Readonly<Record<string, string>> = {
  ad_text_entity_id: 'AD_TEXT',
  call_to_action_entity_id: 'CALL_TO_ACTION',
  interactive_add_on_entity_id: 'INTERACTIVE_ADD_ON',
};

/** `main_material_type` of a creative (official yml). */
function materialType({ ad }: Run): string {
  const spark = ad['identity_type'] !== 'CUSTOMIZED_USER' && ad['tiktok_item_id'] !== undefined;
  if (ad['ad_format'] === 'CATALOG_CAROUSEL') return 'CATALOG_CAROUSEL';
  const kind = ad['ad_format'] === 'CAROUSEL_ADS' ? 'CAROUSEL' : 'VIDEO';
  return `${kind}_${spark ? 'SPARK' : 'NON_SPARK'}_ADS`;
}

function readSpan(call: Call): readonly [number, number] {
  if (call.params['query_lifetime'] === true) return [-1_000_000, 1_000_000];
  const read = (name: string): number => {
    if (typeof call.params[name] !== 'string') missing(name);
    return parseDay(String(call.params[name])) ?? invalid(`${name}: Not a valid date. The format is YYYY-MM-DD.`);
  };
  const [from, to] = [read('start_date'), read('end_date')];
  if (from > to) invalid('start_date must not be later than end_date.');
  const days = to - from + 1;
  const names = call.params['dimensions'] as string[];
  const most = names.includes('stat_time_hour') ? 1 : names.includes('stat_time_day') ? 30 : 365;
  if (days > most) invalid(`max time span is ${most} days`);
  return [from, to];
}

function report(call: Call): unknown {
  const { world, params } = call;
  const advertiser = world.advertisers.get(advertiserIdOf(call))!;
  const names = params['dimensions'] as string[];
  if (new Set(names).size !== names.length) invalid('dimensions: Duplicate values.');
  const span = readSpan(call);
  const asked = (params['metrics'] as string[] | undefined) ?? ['spend', 'impressions'];
  const wrong = asked.filter((name) => !isMetric(name) && !MATERIAL[name] && !EMPTY.test(name));
  if (wrong.length > 0) invalid(`metrics: Invalid value(s): ${wrong.join(', ')}.`);
  const numbers = asked.filter((name) => isMetric(name) && !isAttribute(name) && !isCash(name));
  const sort = String(params['sort_field'] ?? 'spend');
  if (!isMetric(sort) || isAttribute(sort)) invalid(`sort_field: Invalid value: ${sort}.`);
  const plan = planMetrics([...numbers, sort]);
  const filters = Object.entries((params['filtering'] ?? {}) as Record<string, string[]>);

  interface Row {
    labels: string[];
    columns: Float64Array;
    run: Run;
    smart: Native;
  }
  const rows = new Map<string, Row>();
  const filterNames = filters.map(([name]) => name.replace(/s$/, ''));
  const slots = [...names, ...filterNames].some((name) => PER_SLOT.includes(name));
  walk(
    world,
    {
      advertiser,
      from: span[0],
      to: span[1],
      now: call.now.getTime(),
      slots,
      needed: plan.needed,
      accept: (run) => isCreative(run.ad),
    },
    (run, day, slot, hour, measures) => {
      const smart = smartAds(world).get(String(run.ad['smart_plus_ad_id']));
      if (!smart) return;
      const piece: Piece = { run, smart, day, hour, draw: slotDraw(run, day, Math.max(slot, 0)) };
      for (const [i, [name, wanted]] of filters.entries()) {
        if (wanted.length === 0) continue;
        const value = name === 'main_material_types' ? materialType(run) : DIMENSIONS[filterNames[i]!]!(piece);
        if (!wanted.includes(value)) return;
      }
      const labels = names.map((name) => DIMENSIONS[name]!(piece));
      const key = labels.join('\n');
      let row = rows.get(key);
      if (!row) {
        row = { labels, columns: new Float64Array(plan.width), run, smart };
        rows.set(key, row);
      }
      plan.add(run, measures, row.columns, 0);
    },
  );

  const money = { digits: currencyDigits(advertiser.currency), whole: false };
  const sign = params['sort_type'] === 'ASC' ? 1 : -1;
  const sorted = [...rows.values()].sort(
    (a, b) =>
      sign * (plan.value(sort, a.columns, 0, money) - plan.value(sort, b.columns, 0, money)) ||
      (a.labels.join() < b.labels.join() ? -1 : 1),
  );
  const answer = page(sorted, call, 100);
  return {
    ...answer,
    list: answer.list.map(({ labels, columns, run, smart }) => {
      const info: Record<string, string> = {};
      names.forEach((name, i) => {
        info[name] = labels[i]!;
        if (name === 'main_material_id') info['main_material_type'] = materialType(run);
        if (TYPES[name]) info[name.replace(/_id$/, '_type')] = TYPES[name];
      });
      const metrics: Record<string, string> = {};
      const subject = { level: 'ad', advertiser, campaign: run.campaign, adgroup: run.adgroup, ad: smart } as const;
      for (const name of asked) {
        if (numbers.includes(name)) metrics[name] = plan.text(name, columns, 0, money);
        else if (isMetric(name)) metrics[name] = isCash(name) ? NOT_APPLICABLE : attributeText(name, subject);
        else metrics[name] = MATERIAL[name]?.(run.ad) ?? '0';
      }
      return { info, metrics };
    }),
  };
}

const METRICS: readonly Param[] = [
  { name: 'metrics', type: 'array', min: 1, items: { type: 'string' } },
  { name: 'sort_field', type: 'string' },
];

const endpoint = (path: string, params: readonly Param[]): Endpoint => ({
  method: 'GET',
  path: `smart_plus/material_report/${path}`,
  auth: 'token',
  scopes: ['44'],
  params: [...params, ...METRICS],
  handle: report,
});

/** Creative-level reports of Smart+. */
export const endpoints: Endpoint[] = [
  endpoint('overview', SP_MATERIAL_OVERVIEW),
  endpoint('breakdown', SP_MATERIAL_BREAKDOWN),
];

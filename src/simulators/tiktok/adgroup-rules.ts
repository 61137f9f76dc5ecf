import { checkBudget, checkMoney, checkName, checkRoas, given, invalid, missing, owned, readTime } from './rules.ts';
import { regions, unknownTargets } from './targeting.ts';
import { type Advertiser, type Native, TikTokError, type World } from './types.ts';

/**
 * What makes an ad group acceptable. `values` is the ad group as it would be: the given members over the stored ones.
 * Codes and limits: TikTok docs 1739499616346114 unless a comment says (unverified).
 */

type Values = Record<string, unknown>;

const list = (values: Values, name: string): unknown[] =>
  Array.isArray(values[name]) ? (values[name] as unknown[]) : [];

/** Objectives whose ad groups must say what they promote (unverified as a list). */
const NEEDS_PROMOTION = ['APP_PROMOTION', 'TRAFFIC', 'WEB_CONVERSIONS', 'LEAD_GENERATION', 'PRODUCT_SALES'];

/** Optimisation goals per objective, in the generous reading of the reference (unverified). */
const GOALS: Readonly<Record<string, readonly string[]>> = {
  REACH: ['REACH', 'SHOW'],
  RF_REACH: ['REACH', 'SHOW'],
  TOPVIEW_REACH: ['REACH', 'SHOW'],
  TRAFFIC: ['CLICK', 'TRAFFIC_LANDING_PAGE_VIEW', 'CONVERT', 'CONVERSATION', 'DESTINATION_VISIT', 'REACH', 'SHOW'],
  VIDEO_VIEWS: ['VIDEO_VIEW', 'ENGAGED_VIEW', 'ENGAGED_VIEW_FIFTEEN'],
  BRAND_CONSIDERATION: ['VIDEO_VIEW', 'ENGAGED_VIEW', 'ENGAGED_VIEW_FIFTEEN'],
  LEAD_GENERATION: [
    'LEAD_GENERATION',
    'CONVERT',
    'CONVERSATION',
    'CLICK',
    'CONVERSION_LEADS',
    'PREFERRED_LEAD',
    'TRAFFIC_LANDING_PAGE_VIEW',
  ],
  ENGAGEMENT: [
    'FOLLOWERS',
    'PROFILE_VIEWS',
    'PAGE_VISITS',
    'MT_LIVE_ROOM',
    'PRODUCT_CLICK_IN_LIVE',
    'CLICK',
    'CONVERSATION',
  ],
  APP_PROMOTION: [
    'CLICK',
    'INSTALL',
    'IN_APP_EVENT',
    'VALUE',
    'AUTOMATIC_VALUE_OPTIMIZATION',
    'CONVERT',
    'PAGE_VISITS',
  ],
  WEB_CONVERSIONS: [
    'CONVERT',
    'VALUE',
    'CLICK',
    'TRAFFIC_LANDING_PAGE_VIEW',
    'INSTALL',
    'IN_APP_EVENT',
    'AUTOMATIC_VALUE_OPTIMIZATION',
    'PURCHASES',
    'INITIATE_CHECKOUTS',
    'GMV',
  ],
  PRODUCT_SALES: [
    'CLICK',
    'CONVERT',
    'VALUE',
    'GMV',
    'PURCHASES',
    'INITIATE_CHECKOUTS',
    'MT_LIVE_ROOM',
    'PRODUCT_CLICK_IN_LIVE',
    'INSTALL',
    'IN_APP_EVENT',
    'TRAFFIC_LANDING_PAGE_VIEW',
  ],
};

/** Goals that are not billed by OCPM; every other goal is (unverified as a table). */
const BILLING: Readonly<Record<string, readonly string[]>> = {
  CLICK: ['CPC', 'OCPM'],
  REACH: ['CPM', 'GD'],
  SHOW: ['CPM', 'GD'],
  VIDEO_VIEW: ['CPV', 'CPM', 'GD'],
  ENGAGED_VIEW: ['CPV', 'OCPM', 'CPM', 'GD'],
  ENGAGED_VIEW_FIFTEEN: ['CPV', 'OCPM', 'CPM', 'GD'],
};

/** Promotion, goal, billing, pixel and app of a new ad group against its campaign. */
export function checkPurpose(world: World, values: Values, campaign: Native, advertiser: Advertiser): void {
  const objective = String(campaign['objective_type']);
  const promotion = values['promotion_type'];
  const goal = String(values['optimization_goal']);
  const billing = String(values['billing_event']);
  if (NEEDS_PROMOTION.includes(objective) && !given(values, 'promotion_type')) missing('promotion_type');
  const goals = GOALS[objective];
  if (goals && !goals.includes(goal)) {
    invalid(`optimization_goal: ${goal} is not supported for the objective ${objective}.`);
  }
  const billings = BILLING[goal] ?? ['OCPM', 'OCPC'];
  if (!billings.includes(billing)) invalid(`billing_event: ${billing} is not supported for the goal ${goal}.`);

  const app = promotion === 'APP_ANDROID' || promotion === 'APP_IOS';
  if (objective === 'APP_PROMOTION' && !app && promotion !== 'GAME') {
    invalid(`promotion_type: ${String(promotion)} is not supported for the objective ${objective}.`);
  }
  if (app && !given(values, 'app_id') && !given(campaign, 'app_id')) missing('app_id');
  if (given(values, 'app_id')) checkApp(world, values['app_id'], promotion, advertiser);
  const converts = ['CONVERT', 'VALUE'].includes(goal) && promotion === 'WEBSITE';
  if (converts && !given(values, 'pixel_id')) missing('pixel_id');
  if (converts && !given(values, 'optimization_event')) missing('optimization_event');
  if (given(values, 'pixel_id')) owned(world.pixels, 'pixel', values['pixel_id'], advertiser.id);
  if (objective === 'PRODUCT_SALES') {
    if (values['product_source'] === 'CATALOG' && !given(values, 'catalog_id')) missing('catalog_id');
    if (values['product_source'] === 'STORE' && !given(values, 'store_id')) missing('store_id');
  }
}

function checkApp(world: World, id: unknown, promotion: unknown, advertiser: Advertiser): void {
  const app = owned(world.mobileApps, 'app', id, advertiser.id);
  const platform = promotion === 'APP_IOS' ? 'IOS' : promotion === 'APP_ANDROID' ? 'ANDROID' : undefined;
  if (platform && app['platform'] !== platform) {
    invalid(
      `app_id: The app ${String(id)} is not an ${platform} app, which promotion_type ${String(promotion)} needs.`,
    );
  }
}

/** Where ads may appear. */
export function checkPlacement(values: Values): void {
  if ((values['placement_type'] ?? 'PLACEMENT_TYPE_NORMAL') === 'PLACEMENT_TYPE_AUTOMATIC') return;
  const placements = list(values, 'placements');
  if (placements.length === 0) missing('placements');
  if (placements.includes('ALL')) invalid('placements: Invalid value: ALL.');
  if (list(values, 'tiktok_subplacements').length > 0 && !placements.includes('PLACEMENT_TIKTOK')) {
    invalid('tiktok_subplacements: PLACEMENT_TIKTOK is not among the placements.');
  }
}

/** Was the member said by the call? An update judges only those, so that no ad group is refused for its past. */
type Touched = (name: string) => boolean;

/** Who is to see the ads: everything named must be offered by the targeting tools. */
export function checkTargeting(values: Values, touched: Touched): void {
  const locations = list(values, 'location_ids');
  const places = touched('location_ids') || touched('zipcode_ids');
  if (places && locations.length === 0 && list(values, 'zipcode_ids').length === 0) missing('location_ids');
  for (const name of [
    'location_ids',
    'interest_category_ids',
    'languages',
    'carrier_ids',
    'device_model_ids',
  ] as const) {
    if (!touched(name)) continue;
    const unknown = unknownTargets(name, list(values, name));
    if (unknown.length > 0) invalid(`${name}: Invalid value(s): ${unknown.join(', ')}.`);
  }
  for (const [i, action] of touched('actions') ? list(values, 'actions').entries() : []) {
    const ids = (action as Values)['action_category_ids'];
    const unknown = unknownTargets('action_category_ids', Array.isArray(ids) ? ids : []);
    // Hashtags are looked up by another tool, so that their ids are no categories.
    if ((action as Values)['action_scene'] !== 'HASHTAG_RELATED' && unknown.length > 0) {
      invalid(`actions.${i}.action_category_ids: Invalid value(s): ${unknown.join(', ')}.`);
    }
    const period = (action as Values)['action_period'];
    if (period !== undefined && period !== 0 && period !== 7 && period !== 15) {
      invalid(`actions.${i}.action_period: Invalid value: ${String(period)}. It should be one of [7, 15].`);
    }
  }
  if ((touched('age_groups') || places) && list(values, 'age_groups').includes('AGE_13_17')) {
    if (locations.some((id) => regions().get(String(id))?.country_code === 'US')) {
      throw new TikTokError(40065, 'The age group AGE_13_17 cannot be targeted in the United States.');
    }
  }
  const systems = list(values, 'operating_systems');
  if (given(values, 'min_ios_version') && systems.includes('ANDROID') && !systems.includes('IOS')) {
    invalid('min_ios_version: It cannot be used when the operating system is ANDROID.');
  }
  if (given(values, 'min_android_version') && systems.includes('IOS') && !systems.includes('ANDROID')) {
    invalid('min_android_version: It cannot be used when the operating system is IOS.');
  }
}

/** Budget of an ad group of a campaign without budget optimisation. */
export function checkAdgroupBudget(values: Values, campaign: Native, advertiser: Advertiser): void {
  if (String(campaign['objective_type']).startsWith('RF_') || campaign['objective_type'] === 'TOPVIEW_REACH') return;
  if (!given(values, 'budget_mode')) missing('budget_mode');
  if (!given(values, 'budget')) missing('budget');
  if (values['budget_mode'] === 'BUDGET_MODE_INFINITE') {
    invalid('budget_mode: BUDGET_MODE_INFINITE is only supported when the campaign has budget_optimize_on.');
  }
  checkBudget('adgroup', 'budget', values['budget'], advertiser);
  if (values['budget_mode'] === 'BUDGET_MODE_TOTAL' && values['schedule_type'] === 'SCHEDULE_FROM_NOW') {
    invalid('schedule_type: BUDGET_MODE_TOTAL requires SCHEDULE_START_END.');
  }
}

/** Bid type against billing event, and the amounts. */
export function checkBid(values: Values, currency: string): void {
  for (const name of ['bid_price', 'conversion_bid_price', 'deep_cpa_bid']) checkMoney(name, values[name], currency);
  checkRoas(values['roas_bid']);
  if (values['deep_bid_type'] === 'VO_MIN_ROAS' && !(Number(values['roas_bid'] ?? 0) > 0)) missing('roas_bid');
  if (values['bid_type'] !== 'BID_TYPE_CUSTOM') return;
  const name = ['OCPM', 'OCPC'].includes(String(values['billing_event'])) ? 'conversion_bid_price' : 'bid_price';
  const byReturn = ['VO_MIN', 'VO_MIN_ROAS', 'VO_HIGHEST_VALUE'].includes(String(values['deep_bid_type']));
  if (!byReturn && !(Number(values[name] ?? 0) > 0)) missing(name);
}

/** How far in the past a new ad group may start, in ms: 12 hours (unverified). */
const START_TOLERANCE = 12 * 3_600_000;

/**
 * Schedule and daily hours. `startChanged`: the start was given by this call, so that it must not lie in the past.
 * @returns the members to store: an open end is ten years after the start.
 */
export function checkSchedule(values: Values, now: Date, startChanged: boolean): Values {
  const start = readTime('schedule_start_time', values['schedule_start_time']);
  if (startChanged && start.getTime() < now.getTime() - START_TOLERANCE) {
    invalid('schedule_start_time: The start time cannot be earlier than the current time.');
  }
  const hours = values['dayparting'];
  if (typeof hours === 'string' && hours !== '' && !/^[01]{336}$/.test(hours)) {
    invalid('dayparting: It must be a string of 336 characters, each 0 or 1.');
  }
  if (values['schedule_type'] === 'SCHEDULE_FROM_NOW') {
    const end = new Date(start);
    end.setUTCFullYear(end.getUTCFullYear() + 10);
    return { schedule_end_time: end.toISOString().slice(0, 19).replace('T', ' ') };
  }
  if (!given(values, 'schedule_end_time')) missing('schedule_end_time');
  const end = readTime('schedule_end_time', values['schedule_end_time']);
  if (end.getTime() <= start.getTime()) invalid('schedule_end_time: The end time must be later than the start time.');
  return {};
}

const BIDDING = ['bid_type', 'bid_price', 'conversion_bid_price', 'deep_cpa_bid', 'deep_bid_type', 'roas_bid'];

/** Checks that belong to creation and update alike. */
export function checkCommon(values: Values, currency: string, touched: Touched): void {
  checkName('adgroup_name', values['adgroup_name']);
  checkTargeting(values, touched);
  if (BIDDING.some(touched)) checkBid(values, currency);
  if (given(values, 'frequency') !== given(values, 'frequency_schedule')) {
    missing(given(values, 'frequency') ? 'frequency_schedule' : 'frequency');
  }
  const retention = values['next_day_retention'];
  if (typeof retention === 'number' && (retention < 0 || retention > 1)) {
    invalid('next_day_retention: Must be between 0 and 1.');
  }
}

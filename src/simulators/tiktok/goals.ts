/**
 * What a campaign is after, as far as reports show it: through which channel its conversions come in, and which
 * event counts as conversion and as result. Enums: TikTok docs 1737174886619138 (enumerations) by way of the objects'
 * `objective_type`, `promotion_type`, `optimization_goal` and `optimization_event`; which event an optimization goal
 * counts where no event is named is (unverified).
 */
import { type Measure, measureIndex } from '../kit/delivery.ts';
import type { Native } from './types.ts';

/** Which family of report metrics gets the conversions: a website, an app, TikTok Shop, a Mini, an Instant Form, none. */
export type Channel = 'web' | 'app' | 'shop' | 'minis' | 'form' | 'none';

/** What one ad's numbers count as. */
export interface Goal {
  channel: Channel;
  /** Measure that `conversion` counts, -1 = none. */
  conversion: number;
  /** Measure that `result` counts. */
  result: number;
  /** Sends offline purchases, too. */
  offline: boolean;
}

const EVENTS: Readonly<Record<string, Measure>> = {
  SHOPPING: 'purchases',
  ON_WEB_ORDER: 'purchases',
  ACTIVE_PAY: 'purchases',
  INITIATE_ORDER: 'checkouts',
  ADD_BILLING: 'checkouts',
  ON_WEB_CART: 'carts',
  IN_APP_CART: 'carts',
  ON_WEB_DETAIL: 'content_views',
  IN_APP_DETAIL_UV: 'content_views',
  LANDING_PAGE_VIEW: 'landing_views',
  PAGE_VISIT: 'landing_views',
  DESTINATION_VISIT: 'landing_views',
  ON_WEB_REGISTER: 'registrations',
  ACTIVE_REGISTER: 'registrations',
  FORM: 'leads',
  CONSULT: 'leads',
  ACTIVE: 'installs',
};

const CONVERSIONS: Readonly<Record<string, Measure>> = {
  INSTALL: 'installs',
  LEAD_GENERATION: 'leads',
  CONVERSION_LEADS: 'leads',
  PREFERRED_LEAD: 'leads',
  IN_APP_EVENT: 'purchases',
  CONVERT: 'purchases',
  VALUE: 'purchases',
  AUTOMATIC_VALUE_OPTIMIZATION: 'purchases',
  GMV: 'purchases',
  PURCHASES: 'purchases',
  INITIATE_CHECKOUTS: 'checkouts',
};

/** Goals that have a result but no conversion. */
const RESULTS: Readonly<Record<string, Measure>> = {
  CLICK: 'clicks',
  SHOW: 'impressions',
  REACH: 'impressions',
  VIDEO_VIEW: 'watched_6s',
  ENGAGED_VIEW: 'watched_6s',
  ENGAGED_VIEW_FIFTEEN: 'watched_15s',
  FOLLOWERS: 'follows',
  PROFILE_VIEWS: 'profile_visits',
  PAGE_VISITS: 'landing_views',
  TRAFFIC_LANDING_PAGE_VIEW: 'landing_views',
  DESTINATION_VISIT: 'landing_views',
  CONVERSATION: 'leads',
  MT_LIVE_ROOM: 'clicks',
  PRODUCT_CLICK_IN_LIVE: 'clicks',
};

const SHOP = new Set(['TIKTOK_SHOP', 'VIDEO_SHOPPING', 'LIVE_SHOPPING', 'PSA_PRODUCT']);
const AWARENESS = new Set([
  'REACH',
  'VIDEO_VIEWS',
  'ENGAGEMENT',
  'BRAND_CONSIDERATION',
  'RF_REACH',
  'RF_VIDEO_VIEW',
  'RF_ENGAGEMENT',
  'TOPVIEW_REACH',
]);

/** Where the conversions of an ad group come in. */
export function channelOf(campaign: Native, adgroup: Native): Channel {
  const objective = String(campaign['objective_type'] ?? '');
  const promotion = String(adgroup['promotion_type'] ?? '');
  if (campaign['app_promotion_type'] === 'MINIS') return 'minis';
  if (promotion.startsWith('APP_') || /^(APP_|RF_APP_)/.test(objective)) return 'app';
  if (SHOP.has(promotion) || objective === 'SHOP_PURCHASES' || campaign['campaign_product_source'] === 'STORE') {
    return 'shop';
  }
  if (promotion.startsWith('LEAD_GEN')) return 'form';
  return AWARENESS.has(objective) ? 'none' : 'web';
}

/** What an ad's numbers count as. */
export function goalOf(campaign: Native, adgroup: Native, ad: Native): Goal {
  const goal = String(adgroup['optimization_goal'] ?? '');
  const event = EVENTS[String(adgroup['optimization_event'] ?? '')];
  const converts = CONVERSIONS[goal];
  const conversion = converts === undefined ? undefined : (event ?? converts);
  const sets = ad['tracking_offline_event_set_ids'];
  return {
    channel: channelOf(campaign, adgroup),
    conversion: conversion === undefined ? -1 : measureIndex(conversion),
    result: measureIndex(conversion ?? RESULTS[goal] ?? 'clicks'),
    offline: Array.isArray(sets) && sets.length > 0,
  };
}

/**
 * Unified metrics and the TikTok metrics behind them. Source: TikTok docs 1751087777884161 (reporting overview) and
 * 1740302848100353 (report/integrated/get). TikTok writes every value as text, "-" where there is none.
 *
 * Conversions come in legs, one per channel (website, app, TikTok Shop, offline); asking one leg alone silently leaves
 * the others out, so value and leads are asked by all legs and summed. `conversion` itself counts the event that the ad
 * group is optimised for, whatever its channel, and needs no legs.
 */
import type { DerivedRule, MetricRule } from '../../core/connector/report-spec.ts';

const count = (native: string | readonly string[], note?: string): MetricRule => ({
  native: typeof native === 'string' ? [native] : native,
  unit: 'count',
  additive: true,
  ...(note === undefined ? {} : { note }),
});

const money = (native: readonly string[], note?: string): MetricRule => ({
  ...count(native, note),
  unit: 'currency',
});

/** Numbers of people and averages: adding them up over days or objects gives nothing true. */
const single = (native: string, unit: MetricRule['unit'], note: string): MetricRule => ({
  native: [native],
  unit,
  additive: false,
  note,
});

const ratio = (numerator: string, denominator: string, unit: DerivedRule['unit'], factor = 1): DerivedRule => ({
  derive: 'ratio',
  numerator,
  denominator,
  factor,
  unit,
});

const REACH_NOTE = 'People reached; counted once in the window, so neither days nor objects can be added up.';

/** Unified metric -> rule. */
export const METRIC_RULES: Readonly<Record<string, MetricRule | DerivedRule>> = {
  IMPRESSIONS: count('impressions'),
  CLICKS: count('clicks', 'Clicks that lead to the destination; all interactions are ENGAGEMENTS.'),
  LANDING_PAGE_CLICKS: count('clicks', 'TikTok’s clicks are destination clicks.'),
  COST: money(['spend']),
  TOTAL_MEDIA_COST: money(['billed_cost'], 'What is billed, without fees not yet settled; about eleven hours late.'),
  CTR: ratio('CLICKS', 'IMPRESSIONS', 'ratio'),
  CPC: ratio('COST', 'CLICKS', 'currency'),
  CPM: ratio('COST', 'IMPRESSIONS', 'currency', 1_000),
  ECPM: ratio('COST', 'IMPRESSIONS', 'currency', 1_000),

  CONVERSIONS: count('conversion', 'Events that the ad group is optimised for, by the time of the impression.'),
  CPA: ratio('COST', 'CONVERSIONS', 'currency'),
  POST_CLICK_CONVERSIONS: count('cta_conversion', 'Attributed to a click.'),
  VIEW_THROUGH_CONVERSIONS: count('vta_conversion', 'Attributed to a view.'),
  CONVERSION_VALUE: money(
    [
      // The value of website payments, whatever its name says; complete_payment_value does not exist (40002).
      'total_complete_payment_rate',
      'total_purchase_value',
      'total_onsite_shopping_value',
      'offline_shopping_events_value',
    ],
    'Value of purchases: website, app, TikTok Shop and offline.',
  ),
  ROAS: ratio('CONVERSION_VALUE', 'COST', 'ratio'),
  LEADS: count(
    ['form', 'onsite_form', 'offline_form_events'],
    'Forms sent: on the website, in TikTok’s instant forms and offline.',
  ),
  WEB_LEADS: count('form'),
  PLATFORM_LEADS: count('onsite_form', 'TikTok’s instant forms.'),
  OFFLINE_LEADS: count('offline_form_events'),

  // Each channel by itself: a zero in one says nothing of the others.
  WEB_PURCHASES: count('complete_payment'),
  WEB_PURCHASE_VALUE: money(['total_complete_payment_rate'], 'A value, whatever TikTok’s name for it says.'),
  APP_PURCHASES: count('total_purchase', 'All purchases; `purchase` counts buyers once.'),
  APP_PURCHASE_VALUE: money(['total_purchase_value']),
  SHOP_PURCHASES: count('onsite_shopping', 'TikTok Shop.'),
  SHOP_PURCHASE_VALUE: money(['total_onsite_shopping_value']),
  OFFLINE_PURCHASES: count('offline_shopping_events'),
  OFFLINE_PURCHASE_VALUE: money(['offline_shopping_events_value']),
  PURCHASES: count(
    ['complete_payment', 'total_purchase', 'onsite_shopping', 'offline_shopping_events'],
    'Website, app, TikTok Shop and offline.',
  ),
  WEB_ADD_TO_CARTS: count('web_event_add_to_cart'),
  APP_ADD_TO_CARTS: count('total_app_event_add_to_cart'),
  SHOP_ADD_TO_CARTS: count('onsite_on_web_cart', 'TikTok Shop.'),
  OFFLINE_ADD_TO_CARTS: count('offline_add_to_cart_events'),
  ADD_TO_CARTS: count(
    ['web_event_add_to_cart', 'total_app_event_add_to_cart', 'onsite_on_web_cart', 'offline_add_to_cart_events'],
    'Website, app, TikTok Shop and offline.',
  ),
  APP_INSTALLS: count('app_install'),
  RESULTS: count('result', 'What the campaign is for, whatever that is: it differs from one campaign to the next.'),
  NET_COST: money(['net_cost'], 'GMV Max alone: cost without advertising credits.'),

  VIDEO_VIEWS: count('video_play_actions', 'Starts of the video, repeats by the same person left out.'),
  VIDEO_PLAYS: count('video_play_actions'),
  VIDEO_THRUPLAY: count('video_watched_6s', 'Watched for six seconds or to the end: TikTok’s nearest to a thru-play.'),
  VIDEO_QUARTILE_25: count('video_views_p25'),
  VIDEO_QUARTILE_50: count('video_views_p50'),
  VIDEO_QUARTILE_75: count('video_views_p75'),
  VIDEO_QUARTILE_100: count('video_views_p100'),
  VIDEO_COMPLETIONS: count('video_views_p100'),
  VIDEO_AVG_TIME_WATCHED: single('average_video_play', 'seconds', 'An average: days and objects cannot be added up.'),
  AVERAGE_CPV: ratio('COST', 'VIDEO_VIEWS', 'currency'),

  UNIQUE_IMPRESSIONS: single('reach', 'count', REACH_NOTE),
  UNIQUE_VIEWERS: single('reach', 'count', REACH_NOTE),

  ENGAGEMENTS: count('engagements', 'All interactions: clicks, likes, comments, shares, follows and so on.'),
  ENGAGEMENT: count('engagements'),
  TOTAL_ENGAGEMENTS: count('engagements'),
  LIKES: count('likes'),
  COMMENTS: count('comments'),
  SHARES: count('shares'),
  FOLLOWS: count('follows'),
  COMPANY_PAGE_CLICKS: count('profile_visits', 'Visits to the profile of the advertiser.'),
  OTHER_ENGAGEMENTS: count('clicks_on_music_disc', 'Clicks on the music disc.'),
};

/** Metrics when a caller names none: what every objective has. */
export const DEFAULT_METRICS: readonly string[] = ['IMPRESSIONS', 'CLICKS', 'COST', 'CONVERSIONS', 'CTR', 'CPC', 'CPM'];

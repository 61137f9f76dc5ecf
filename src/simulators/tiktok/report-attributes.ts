/**
 * Attribute metrics of the integrated report: properties of the campaign, ad group or ad that a row is about. They need
 * an id dimension (TikTok docs 1751087777884161); on a level above the one they belong to they read `-` (unverified:
 * TikTok may refuse them there).
 */
import { currencyDigits } from './currency.ts';
import { NOT_APPLICABLE } from './report-metrics.ts';
import { REPORT_METRICS } from './report-metrics-table.ts';
import type { Advertiser, Native } from './types.ts';

export type Level = 'advertiser' | 'campaign' | 'adgroup' | 'ad';

const DEPTH: Readonly<Record<Level, number>> = { advertiser: 0, campaign: 1, adgroup: 2, ad: 3 };

/** What a row is about; the rows below its level are absent. */
export interface Subject {
  level: Level;
  advertiser: Advertiser;
  campaign?: Native | undefined;
  adgroup?: Native | undefined;
  ad?: Native | undefined;
}

const LEVEL_OF = new Map(
  REPORT_METRICS.filter((row) => row[1] === 'attribute').map((row) => [row[0], row[2] as Level]),
);

const plain = (value: unknown): string => {
  if (value === null || value === undefined || value === '') return NOT_APPLICABLE;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return value.length === 0 ? NOT_APPLICABLE : value.map(String).join(',');
  return String(value);
};

const money = (value: unknown, { advertiser }: Subject): string =>
  Number(value ?? 0).toFixed(currencyDigits(advertiser.currency));

/** Where the text is not just the member of the same name. */
const READ: Readonly<Record<string, (subject: Subject) => string>> = {
  advertiser_name: ({ advertiser }) => advertiser.name,
  advertiser_id: ({ advertiser }) => advertiser.id,
  currency: ({ advertiser }) => advertiser.currency,
  campaign_id: ({ campaign }) => plain(campaign?.id),
  campaign_budget: (subject) => money(subject.campaign?.['budget'], subject),
  campaign_dedicate_type: ({ campaign }) =>
    campaign?.['campaign_type'] === 'IOS14_CAMPAIGN' ? 'iOS14 Dedicated Campaign' : 'Regular Campaign',
  app_promotion_type: ({ campaign }) => String(campaign?.['app_promotion_type'] ?? 'UNSET'),
  campaign_automation_type: ({ campaign }) => String(campaign?.['campaign_automation_type'] ?? 'MANUAL'),
  adgroup_id: ({ adgroup }) => plain(adgroup?.id),
  budget: (subject) => money(subject.adgroup?.['budget'], subject),
  bid: (subject) => money(subject.adgroup?.['conversion_bid_price'] || subject.adgroup?.['bid_price'], subject),
  bid_secondary_goal: (subject) => money(subject.adgroup?.['deep_cpa_bid'], subject),
  smart_target: ({ adgroup }) => plain(adgroup?.['optimization_goal']),
  pricing_category: ({ adgroup }) => plain(adgroup?.['billing_event']),
  bid_strategy: ({ adgroup }) =>
    adgroup?.['bid_type'] === 'BID_TYPE_CUSTOM' ? 'BID_STRATEGY_COST_CAP' : 'BID_STRATEGY_LOWEST_COST',
  aeo_type: ({ adgroup }) => (adgroup?.['deep_bid_type'] === 'AEO' ? 'AEO' : NOT_APPLICABLE),
  placement_type: ({ adgroup }) => {
    const placements = adgroup?.['placements'];
    return Array.isArray(placements) && placements.length === 1 ? String(placements[0]) : 'ALL';
  },
  adgroup_download_url: ({ adgroup }) => plain(adgroup?.['app_download_url']),
  tt_app_id: ({ adgroup }) => plain(adgroup?.['app_id']),
  is_aco: ({ adgroup }) => plain(adgroup?.['creative_material_mode'] === 'DYNAMIC'),
  ad_id: ({ ad }) => plain(ad?.id),
  ad_id_v2: ({ ad }) => plain(ad?.['smart_plus_ad_id'] ?? ad?.id),
  ad_url: ({ ad }) => plain(ad?.['landing_page_url']),
  ad_profile_image: ({ ad }) => plain(ad?.['profile_image_url']),
  image_mode: ({ ad }) => plain(ad?.['ad_format']),
  is_smart_creative: ({ ad }) => plain(ad?.['creative_type'] === 'SMART_CREATIVE'),
};

/** The text of an attribute for a row. */
export function attributeText(name: string, subject: Subject): string {
  const level = LEVEL_OF.get(name) ?? 'ad';
  if (DEPTH[level] > DEPTH[subject.level]) return NOT_APPLICABLE;
  const read = READ[name];
  if (read) return read(subject);
  const row = level === 'ad' ? subject.ad : level === 'adgroup' ? subject.adgroup : subject.campaign;
  return plain(row?.[name]);
}

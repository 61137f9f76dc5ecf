/**
 * Breakdowns of TikTok's reports. Sources: TikTok docs 1751087777884161 (reporting overview) and 1740302848100353
 * (report/integrated/get); the breakdowns of AUDIENCE as singer-io/tap-tiktok-ads and Airbyte ask them; GMV Max: TikTok docs
 * 1824721673497601; Smart+ materials: the official SDK's smart_plus_material_report_*.yml.
 */
import type { DimensionRule } from '../../core/connector/report-spec.ts';

/** Where rows with a breakdown come from. `any`: every report has it. `BASIC`, `AUDIENCE` …: TikTok's report_type. */
export type ReportSource = 'any' | 'BASIC' | 'AUDIENCE' | 'PLAYABLE_MATERIAL' | 'CATALOG' | 'GMV_MAX' | 'MATERIAL';

interface Row extends DimensionRule {
  /** Sources that have it. */
  of: readonly ReportSource[];
}

const row = (native: string, of: readonly ReportSource[], note?: string): Row => ({
  native,
  of,
  ...(note === undefined ? {} : { note }),
});

/** Unified breakdown -> TikTok's. PLATFORM_POSITION is missing: no report of TikTok tells positions within a placement. */
export const DIMENSION_TABLE: Readonly<Record<string, Row>> = {
  DATE: row('stat_time_day', ['any']),
  HOUR: row(
    'stat_time_hour',
    ['BASIC', 'AUDIENCE', 'GMV_MAX', 'MATERIAL'],
    'The hour as the ad account’s clock shows it, `2026-11-01T13:00`. Where clocks are put back, both hours are one row.',
  ),
  PLATFORM: row('placement', ['AUDIENCE'], 'Where the ad was shown: TikTok, Pangle, Global App Bundle.'),
  DEVICE: row('platform', ['AUDIENCE'], 'TikTok’s “platform” is the system of the device.'),
  COUNTRY: row('country_code', ['BASIC', 'AUDIENCE'], 'ISO 3166-1.'),
  REGION: row('province_id', ['AUDIENCE']),
  DMA: row('dma', ['AUDIENCE']),
  AGE: row('age', ['AUDIENCE']),
  GENDER: row('gender', ['AUDIENCE']),
  LANGUAGE: row('language', ['AUDIENCE']),
  INTEREST: row('interest_category_v2', ['AUDIENCE']),
  NETWORK: row('ac', ['AUDIENCE'], 'Kind of network: 4G, WIFI …'),
  DEVICE_BRAND: row('device_brand_id', ['AUDIENCE']),
  CONTEXT: row('contextual_tag', ['AUDIENCE']),
  CONVERSION_EVENT: row('custom_event_type', ['BASIC']),
  EVENT_SOURCE: row('event_source_id', ['BASIC']),
  LANDING_PAGE: row('page_id', ['BASIC'], 'TikTok’s instant pages.'),
  COMPONENT: row('component_name', ['BASIC']),
  LIVE_ROOM: row('room_id', ['BASIC', 'GMV_MAX']),
  POST: row('post_id', ['BASIC']),
  IMAGE: row('image_id', ['BASIC']),
  VIDEO: row('video_material_id', ['BASIC']),
  SEARCH_TERM: row('search_terms', ['BASIC']),
  SEARCH_KEYWORD: row('search_keyword', ['BASIC']),
  MATCH_TYPE: row('match_type', ['BASIC']),
  AD_TYPE: row('ad_type', ['BASIC'], '`Search` for ads on result pages.'),
  SKAN_POSTBACK: row('skan_postback_sequence', ['BASIC']),
  PLAYABLE: row('playable_id', ['PLAYABLE_MATERIAL'], 'Playable ads; `level=organization`. (unverified)'),
  CATALOG: row('catalog_id', ['CATALOG'], 'Catalog ads. (unverified)'),
  MATERIAL: row('main_material_id', ['MATERIAL'], 'Materials of Smart+ ads. With DATE: `level=organization`.'),
  PRODUCT_GROUP: row('item_group_id', ['GMV_MAX'], 'GMV Max; name the store: `raw=store_ids%3D…`.'),
  PRODUCT: row('item_id', ['GMV_MAX'], 'Videos and products of GMV Max; name the store: `raw=store_ids%3D…`.'),
};

const SOURCES: ReadonlyMap<string, readonly ReportSource[]> = new Map(
  Object.values(DIMENSION_TABLE).map(({ native, of }) => [native, of]),
);

/** Sources that have all of these native breakdowns, the most common first; none = they do not go together. */
export function sourcesOf(dimensions: readonly string[]): ReportSource[] {
  const order: readonly ReportSource[] = ['BASIC', 'AUDIENCE', 'PLAYABLE_MATERIAL', 'CATALOG', 'GMV_MAX', 'MATERIAL'];
  return order.filter((source) =>
    dimensions.every((native) => {
      const of = SOURCES.get(native) ?? [];
      return of.includes('any') || of.includes(source);
    }),
  );
}

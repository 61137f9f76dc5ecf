/** Enums of reports: breakdowns and levels. */

/** Breakdown of a report. */
export const DIMENSIONS = ['DATE', 'PLATFORM', 'PLATFORM_POSITION', 'DEVICE'] as const;
/**
 * Further breakdowns, an addition of polyad: they come back only where they were asked for, so clients that know the wire
 * contract alone never meet them.
 */
export const EXTRA_DIMENSIONS = [
  'HOUR',
  'COUNTRY',
  'REGION',
  'DMA',
  'AGE',
  'GENDER',
  'LANGUAGE',
  'INTEREST',
  'NETWORK',
  'DEVICE_BRAND',
  'CONTEXT',
  'CONVERSION_EVENT',
  'EVENT_SOURCE',
  'LANDING_PAGE',
  'COMPONENT',
  'LIVE_ROOM',
  'POST',
  'IMAGE',
  'VIDEO',
  'SEARCH_TERM',
  'SEARCH_KEYWORD',
  'MATCH_TYPE',
  'AD_TYPE',
  'SKAN_POSTBACK',
  'PLAYABLE',
  'CATALOG',
  'MATERIAL',
  'PRODUCT_GROUP',
  'PRODUCT',
] as const;
/** Every breakdown that a report may be asked for. */
export const ALL_DIMENSIONS = [...DIMENSIONS, ...EXTRA_DIMENSIONS] as const;
export type Dimension = (typeof ALL_DIMENSIONS)[number];

/** What one row of a report can stand for. An addition of polyad. */
export const REPORT_LEVELS = ['organization', 'campaign', 'group', 'ad'] as const;
export type ReportLevel = (typeof REPORT_LEVELS)[number];

import { z } from 'zod';
import { adsAd } from './ad.ts';
import { adsCampaign } from './campaign.ts';
import { dateTime, id, openEnum, raw, timestamps } from './common.ts';
import { adsCreative } from './creative.ts';
import { DIMENSIONS, REPORT_LEVELS } from './enums-report.ts';
import { adsGroup } from './group.ts';
import { adsInsertionorder } from './insertionorder.ts';
import { METRIC_UNIT_NAMES, METRICS } from './metrics-table.ts';

/** The keyword that a number belongs to. */
export const adsReportKeyword = z
  .object({
    engine_id: id.optional().describe('Id of the keyword at the search engine, where it differs.'),
    id: id.describe("The keyword's id."),
    landing_page: z.string().optional().describe('Address that a click on the ad leads to.'),
    match_type: z.string().optional().describe('How the keyword matches, in the words of the platform.'),
    name: z.string().optional().describe("The keyword's name."),
    text: z.string().optional().describe('The keyword.'),
  })
  .meta({ id: 'AdsReportKeyword', description: 'The keyword that a number belongs to.' });
export type AdsReportKeyword = z.infer<typeof adsReportKeyword>;

/** The placement that a number belongs to. */
export const adsReportPlacement = z
  .object({
    id: id.describe("The placement's id."),
    name: z.string().optional().describe("The placement's name."),
  })
  .meta({ id: 'AdsReportPlacement', description: 'The placement that a number belongs to.' });
export type AdsReportPlacement = z.infer<typeof adsReportPlacement>;

/** One number of a report. `currency`, `unit`, `computed`, `native` and `final` are polyad's additions to the wire contract. */
export const adsReportMetrics = z
  .object({
    ad: adsAd.optional().describe('The ad that the number belongs to; at least id and name.'),
    campaign: adsCampaign.optional().describe('The campaign that the number belongs to; at least id and name.'),
    creative: adsCreative.optional().describe('The creative that the number belongs to; at least id and name.'),
    dimension: openEnum(DIMENSIONS).optional().describe('What the number is broken down by.'),
    dimension_value: z
      .string()
      .optional()
      .describe('Value of the breakdown: a date (YYYY-MM-DD), a device, a position.'),
    group: adsGroup.optional().describe('The group that the number belongs to; at least id and name.'),
    insertionorder: adsInsertionorder.optional().describe('The insertion order that the number belongs to.'),
    keyword: adsReportKeyword.optional().describe('The keyword that the number belongs to.'),
    placement: adsReportPlacement.optional().describe('The placement that the number belongs to.'),
    type: openEnum(METRICS).optional().describe('Which metric it is.'),
    value: z.number().optional().describe('The number, in `unit`. Money is in units of the currency, never in micros.'),
    currency: z.string().optional().describe('Addition of polyad: currency of a money value, ISO 4217.'),
    unit: openEnum(METRIC_UNIT_NAMES).optional().describe('Addition of polyad: what the value counts.'),
    computed: z
      .boolean()
      .optional()
      .describe('Addition of polyad: true when polyad computed the value from others, such as CTR from clicks.'),
    native: z
      .array(z.string())
      .optional()
      .describe("Addition of polyad: names of the platform's fields that the value comes from."),
    final: z
      .boolean()
      .optional()
      .describe('Addition of polyad: false on numbers of a day that the platform may still change; else absent.'),
  })
  .meta({ id: 'AdsReportMetrics', description: 'One number of a report, and what it belongs to.' });
export type AdsReportMetrics = z.infer<typeof adsReportMetrics>;

/** Members of AdsReportMetrics that the wire contract does not have: ours, optional, ignored by its clients. */
export const REPORT_METRICS_EXTRAS = ['currency', 'unit', 'computed', 'native', 'final'] as const;

/** Members of AdsReport that the wire contract does not have: ours, optional, ignored by its clients. */
export const REPORT_EXTRAS = ['level', 'time_zone', 'provisional_from', 'final'] as const;

/** The numbers of one entity in one window. */
export const adsReport = z
  .object({
    ...timestamps,
    currency: z.string().optional().describe('Currency of all money here, ISO 4217.'),
    end_at: dateTime.optional().describe('End of the window, not included.'),
    id: id.optional().describe('Id of the row: stable for the same entity, window and breakdown.'),
    metrics: z.array(adsReportMetrics).optional().describe('The numbers.'),
    organization_id: id.optional().describe('Id of the ad account.'),
    raw: raw.optional(),
    start_at: dateTime.optional().describe('Start of the window.'),
    level: z.enum(REPORT_LEVELS).optional().describe('Addition of polyad: what the row stands for.'),
    time_zone: z
      .string()
      .optional()
      .describe('Addition of polyad: IANA zone of the ad account; the days of this report are its days.'),
    provisional_from: z
      .string()
      .optional()
      .describe('Addition of polyad: first day (YYYY-MM-DD) whose numbers the platform may still change.'),
    final: z
      .boolean()
      .optional()
      .describe('Addition of polyad: whether the platform has finished counting every day of the window.'),
  })
  .meta({ id: 'AdsReport', title: 'Report', description: 'The numbers of one entity in one window.' });
export type AdsReport = z.infer<typeof adsReport>;

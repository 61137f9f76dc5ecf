/** Fields of an ad group. Source: adgroup/get and adgroup/create, TikTok docs 1739314558673922, 1739499616346114. */
import { type Codec, custom, id, invalid, text, time } from '../../../core/connector/codecs.ts';
import type { FieldRule } from '../../../core/connector/fields.ts';
import { automationRule, effectiveStatusRule, nativeStatusRule, statusRule } from '../statuses.ts';
import { targetingFields } from '../targeting.ts';
import { biddingFields } from './bidding.ts';
import { budgetRules, nameLength } from './campaign.ts';
import { member, promotedCodec } from './promoted-refs.ts';

/** schedule_end_time; open-ended ad groups get one ten years on from TikTok, which is no end that anybody set. */
const endAt: Codec = custom({
  name: 'tiktok.scheduleEnd',
  decode(native, ctx) {
    const { schedule_end_time: end, schedule_type: type } = native as Record<string, unknown>;
    return type === 'SCHEDULE_FROM_NOW' ? undefined : time.utcText.decode(end, ctx);
  },
  encode: (unified, ctx) => ({
    schedule_end_time: time.utcText.encode?.(unified, ctx),
    schedule_type: 'SCHEDULE_START_END',
  }),
});

const CAP = ['max_impressions', 'time_unit', 'time_unit_count'].map((name) => `frequency_cap.${name}`) as [
  string,
  string,
  string,
];

/** frequency and frequency_schedule (impressions per person in so many days) <-> frequency_cap. */
const frequency: Codec = custom({
  name: 'tiktok.frequency',
  decode(native) {
    const { frequency: impressions, frequency_schedule: days } = native as Record<string, unknown>;
    if (typeof impressions !== 'number' || impressions <= 0) return {};
    return {
      [CAP[0]]: impressions,
      ...(typeof days === 'number' && days > 0 ? { [CAP[1]]: 'DAYS', [CAP[2]]: days } : {}),
    };
  },
  encode(unified, ctx) {
    const { [CAP[0]]: impressions, [CAP[1]]: unit, [CAP[2]]: count } = unified as Record<string, unknown>;
    for (const [field, value] of [
      [CAP[0], impressions],
      [CAP[2], count],
    ] as const)
      if (!Number.isSafeInteger(value) || (value as number) < 1)
        throw invalid({ ...ctx, field }, 'must be a whole number of at least 1');
    if (unit !== 'DAYS') throw invalid({ ...ctx, field: CAP[1] }, 'must be DAYS at TikTok', { allowed: ['DAYS'] });
    return { frequency: impressions, frequency_schedule: count };
  },
});

/** Field rules of the group. */
export const groupFields: readonly FieldRule[] = [
  { unified: 'id', native: 'adgroup_id', codec: id, access: 'read' },
  { unified: 'organization_id', native: 'advertiser_id', codec: id, access: 'read' },
  { unified: 'campaign_id', native: 'campaign_id', codec: id, access: 'create', required: true },
  {
    unified: 'name',
    native: 'adgroup_name',
    codec: text({ max: 512, length: nameLength }),
    access: 'write',
    required: true,
  },
  ...budgetRules,
  ...biddingFields,
  {
    unified: 'pacing.type',
    native: 'pacing',
    codec: text(),
    access: 'write',
    note: 'PACING_MODE_SMOOTH (the default) or PACING_MODE_FAST.',
  },
  { unified: CAP, native: ['frequency', 'frequency_schedule'], codec: frequency, access: 'write' },
  { unified: 'start_at', native: 'schedule_start_time', codec: time.utcText, access: 'write' },
  {
    unified: 'end_at',
    native: ['schedule_end_time', 'schedule_type'],
    codec: endAt,
    access: 'write',
    note: 'Absent: the ad group runs on.',
  },
  {
    unified: 'promoted',
    native: ['pixel_id', 'app_id', 'catalog_id', 'custom_conversion_id', 'optimization_event'],
    codec: promotedCodec([
      member('PIXEL_ID', 'pixel_id'),
      member('APP_ID', 'app_id'),
      member('CATALOG_ID', 'catalog_id'),
      member('CUSTOM_CONVERSION_ID', 'custom_conversion_id'),
      member('EVENT_ID', 'optimization_event'),
    ]),
    access: 'create',
    note: 'Pixel, app, catalog, and as EVENT_ID the event that is optimised for, such as ON_WEB_ORDER.',
  },
  statusRule,
  effectiveStatusRule,
  nativeStatusRule,
  automationRule,
  ...targetingFields,
  { unified: 'created_at', native: 'create_time', codec: time.utcText, access: 'read' },
  { unified: 'updated_at', native: 'modify_time', codec: time.utcText, access: 'read' },
];

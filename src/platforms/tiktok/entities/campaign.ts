/** Fields of a campaign. Source: campaign/get and campaign/create, TikTok docs 1739315828649986, 1739318962329602. */
import { type Codec, custom, enums, id, money, text, time } from '../../../core/connector/codecs.ts';
import type { FieldRule } from '../../../core/connector/fields.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { automationRule, effectiveStatusRule, nativeStatusRule, statusRule } from '../statuses.ts';

/** Native objective of campaign/create and what it reads as. Legacy objectives can only be read. */
const goal = enums(
  {
    REACH: 'REACH',
    RF_REACH: 'REACH',
    TOPVIEW_REACH: 'REACH',
    VIDEO_VIEWS: 'BRAND_AWARENESS',
    RF_VIDEO_VIEW: 'BRAND_AWARENESS',
    BRAND_CONSIDERATION: 'BRAND_AWARENESS',
    TRAFFIC: 'WEBSITE_TRAFFIC',
    RF_TRAFFIC: 'WEBSITE_TRAFFIC',
    LEAD_GENERATION: 'LEADS',
    ENGAGEMENT: 'ENGAGEMENT',
    RF_ENGAGEMENT: 'ENGAGEMENT',
    APP_PROMOTION: 'APP_PROMOTION',
    APP_INSTALL: 'APP_PROMOTION',
    RF_APP_INSTALL: 'APP_PROMOTION',
    WEB_CONVERSIONS: 'SALES',
    PRODUCT_SALES: 'SALES',
    CONVERSIONS: 'SALES',
    CATALOG_SALES: 'SALES',
    SHOP_PURCHASES: 'SALES',
  },
  {
    write: {
      REACH: 'REACH',
      BRAND_AWARENESS: 'VIDEO_VIEWS',
      WEBSITE_TRAFFIC: 'TRAFFIC',
      LEADS: 'LEAD_GENERATION',
      ENGAGEMENT: 'ENGAGEMENT',
      APP_PROMOTION: 'APP_PROMOTION',
      SALES: 'WEB_CONVERSIONS',
    },
  },
);

const BUDGET_PERIOD = enums(
  {
    BUDGET_MODE_DAY: 'DAILY',
    // The average of a week's days; a single day may cost up to 125 % of it.
    BUDGET_MODE_DYNAMIC_DAILY_BUDGET: 'DAILY',
    BUDGET_MODE_TOTAL: 'LIFETIME',
  },
  { write: { DAILY: 'BUDGET_MODE_DAY', LIFETIME: 'BUDGET_MODE_TOTAL', TOTAL: 'BUDGET_MODE_TOTAL' } },
);

/** budget_mode <-> budget_period; BUDGET_MODE_INFINITE means that there is no budget here. */
export const budgetPeriod: Codec = custom({
  ...BUDGET_PERIOD,
  name: 'tiktok.budgetMode',
  decode: (native, ctx) => (native === 'BUDGET_MODE_INFINITE' ? undefined : BUDGET_PERIOD.decode(native, ctx)),
});

/** The budget of campaigns and ad groups: decimal account currency, 0 when there is none of their own. */
export const budgetRules: readonly FieldRule[] = [
  { unified: 'budget_amount', native: 'budget', codec: money.decimal({ unset: 0 }), access: 'write' },
  {
    unified: 'budget_period',
    native: 'budget_mode',
    codec: budgetPeriod,
    access: 'create',
    note: 'DAILY or LIFETIME; TikTok fixes it at creation.',
  },
];

/** TikTok counts CJK characters of names twice. */
export const nameLength = (name: string): number =>
  [...name].reduce(
    (sum, char) => sum + (/[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uffe6]/.test(char) ? 2 : 1),
    0,
  );

/** special_industries <-> category: several are joined by commas. */
const category: Codec = custom({
  name: 'tiktok.specialIndustries',
  allowed: ['HOUSING', 'EMPLOYMENT', 'CREDIT'],
  decode: (native) => (Array.isArray(native) && native.length > 0 ? native.join(',') : undefined),
  encode: (unified, ctx) => {
    const written = text().encode?.(unified, ctx) as string;
    return written === '' ? [] : written.split(',').map((one) => one.trim());
  },
});

/** Field rules of the campaign. */
export const campaignFields: readonly FieldRule[] = [
  { unified: 'id', native: 'campaign_id', codec: id, access: 'read' },
  { unified: 'organization_id', native: 'advertiser_id', codec: id, access: 'read' },
  {
    unified: 'name',
    native: 'campaign_name',
    codec: text({ max: 512, length: nameLength }),
    access: 'write',
    required: true,
  },
  { unified: 'goal', native: 'objective_type', codec: goal, access: 'create', required: true },
  ...budgetRules,
  statusRule,
  effectiveStatusRule,
  nativeStatusRule,
  {
    ...automationRule,
    codec: {
      ...automationRule.codec,
      allowed: ['manual', 'smart_plus'],
      encode(unified, ctx) {
        if (unified === 'manual' || unified === 'smart_plus') return {};
        throw new PolyadError('input_value_unsupported', {
          message: `Campaigns cannot be made as ${JSON.stringify(unified)}: TikTok makes no legacy Smart+ campaigns any more.`,
          details: { field: ctx.field, value: unified, allowed: ['manual', 'smart_plus'] },
        });
      },
    },
    access: 'create',
    note: 'smart_plus makes an Upgraded Smart+ campaign; its ad groups and ads follow it.',
  },
  {
    unified: 'category',
    native: 'special_industries',
    codec: category,
    access: 'write',
    note: 'HOUSING, EMPLOYMENT, CREDIT: special ad categories of the US and Canada; several joined by commas.',
  },
  { unified: 'created_at', native: 'create_time', codec: time.utcText, access: 'read' },
  { unified: 'updated_at', native: 'modify_time', codec: time.utcText, access: 'read' },
];

/**
 * Fields of an ad, and of the creative part of it. TikTok has no creative of its own: an ad is one creative in an ad
 * group. Source: ad/get, ad/create, ad/update, TikTok docs 1735735588640770, 1739953377508354, 1739953405142018.
 */
import { type Codec, custom, enums, id, invalid, text, textList, time } from '../../../core/connector/codecs.ts';
import type { FieldRule } from '../../../core/connector/fields.ts';
import type { Native } from '../../../core/connector/types.ts';
import { automationRule, effectiveStatusRule, nativeStatusRule, statusReasonRule, statusRule } from '../statuses.ts';
import { nameLength } from './campaign.ts';
import { materialFields } from './materials.ts';
import { IDENTITY_REF, identityMember, member, type PromotedMember, promotedCodec } from './promoted-refs.ts';

/** Member that holds URLs and asset ids of a write until they have become `video_id` and `image_ids`. */
export const MEDIA = 'media_urls';

const page = member('PAGE_ID', 'page_id');
const isForm = (row: Native): boolean => row['tiktok_page_category'] !== 'TIKTOK_INSTANT_PAGE';

/** Instant pages and lead forms share `page_id`; the page category tells them apart. */
const instantPage: PromotedMember = {
  type: 'PAGE_ID',
  decode: (row) => (isForm(row) ? undefined : page.decode(row)),
  encode: (ref) => ({ ...page.encode(ref), tiktok_page_category: 'TIKTOK_INSTANT_PAGE' }),
};
const leadForm: PromotedMember = {
  type: 'LEAD_FORM_ID',
  decode: (row) => (isForm(row) ? page.decode(row) : undefined),
  encode: page.encode,
};

/** Members of an ad that an update may also take away by leaving them out of `promoted`, by type. */
export const REMOVABLE_PROMOTED: Readonly<Record<string, readonly string[]>> = {
  PIXEL_ID: ['tracking_pixel_id'],
  APP_ID: ['tracking_app_id'],
  LEAD_FORM_ID: ['page_id'],
  PRODUCT_SET_ID: ['product_set_id'],
};

/** Codec of what an ad promotes and under whose name it is posted. */
export const adPromoted: Codec = promotedCodec(
  [
    identityMember,
    instantPage,
    leadForm,
    member('PIXEL_ID', 'tracking_pixel_id'),
    member('APP_ID', 'tracking_app_id'),
    member('CATALOG_ID', 'catalog_id'),
    member('PRODUCT_SET_ID', 'product_set_id'),
  ],
  (candidates, ref) =>
    candidates.find((one) => (one === identityMember) === IDENTITY_REF.test(ref)) ?? (candidates[0] as PromotedMember),
);

const PROMOTED_NATIVE = [
  'identity_type',
  'identity_id',
  'identity_authorized_bc_id',
  'page_id',
  'tiktok_page_category',
  'tracking_pixel_id',
  'tracking_app_id',
  'catalog_id',
  'product_set_id',
] as const;

const promotedRule: FieldRule = {
  unified: 'promoted',
  native: PROMOTED_NATIVE,
  codec: adPromoted,
  access: 'write',
  note: 'PAGE_ID is the identity the ad is posted under, `TT_USER:<id>` or `BC_AUTH_TT:<id>:<Business Center id>`.',
};

const adType = enums({
  SINGLE_VIDEO: 'VIDEO',
  SINGLE_IMAGE: 'IMAGE',
  CAROUSEL_ADS: 'CAROUSEL',
  CAROUSEL: 'CAROUSEL',
  CATALOG_CAROUSEL: 'SHOPPING',
  LIVE_CONTENT: 'SOCIAL',
});

/** Something that is checked and used before the encoded body is sent, and is no member of it. */
const usedByPrepare = (codec: Codec): Codec => ({ ...codec, encode: () => undefined });

const url = (value: unknown, ctx: Parameters<NonNullable<Codec['encode']>>[1]): string => {
  if (typeof value !== 'string' || value === '') throw invalid(ctx, 'must be a URL or the id of an asset');
  return value;
};

/** Ids and times that ads and creatives have in common. */
const commonFields: readonly FieldRule[] = [
  { unified: 'id', native: 'ad_id', codec: id, access: 'read' },
  { unified: 'organization_id', native: 'advertiser_id', codec: id, access: 'read' },
  { unified: 'group_id', native: 'adgroup_id', codec: id, access: 'create', required: true },
  {
    unified: 'name',
    native: 'ad_name',
    codec: text({ max: 512, length: nameLength }),
    access: 'write',
    required: true,
  },
  { unified: 'cta', native: 'call_to_action', codec: text(), access: 'write' },
  promotedRule,
  statusRule,
  effectiveStatusRule,
  nativeStatusRule,
  automationRule,
  { unified: 'created_at', native: 'create_time', codec: time.utcText, access: 'read' },
  { unified: 'updated_at', native: 'modify_time', codec: time.utcText, access: 'read' },
];

const adsOnly = enums({ ON: 'true', OFF: 'false' });

/** dark_post_status <-> post_ads_only; TikTok's default is ON since 2026-01-27. */
const postAdsOnly: Codec = custom({
  name: 'tiktok.darkPost',
  allowed: ['true', 'false'],
  decode: (native, ctx) => {
    const said = adsOnly.decode(native, ctx);
    return said === undefined ? undefined : said === 'true';
  },
  encode: (unified, ctx) => {
    if (typeof unified !== 'boolean') throw invalid(ctx, 'must be true or false');
    return unified ? 'ON' : 'OFF';
  },
});

/** Field rules of the ad. */
export const adFields: readonly FieldRule[] = [
  ...commonFields,
  ...materialFields,
  statusReasonRule,
  {
    unified: 'item_id',
    native: 'tiktok_item_id',
    codec: id,
    access: 'write',
    note: 'A TikTok post (Spark Ads). The identity that may show it is looked for when `promoted` names none.',
  },
  {
    unified: 'post_ads_only',
    native: 'dark_post_status',
    codec: postAdsOnly,
    access: 'write',
    note: 'For posts made for the ad: true keeps them off the profile (TikTok’s default since 2026-01-27).',
  },
  {
    unified: 'campaign_id',
    native: 'campaign_id',
    codec: usedByPrepare(id),
    access: 'create',
    note: 'Follows from the group; when given, it must be the group’s.',
  },
  { unified: 'ad_copy', native: 'ad_text', codec: text(), access: 'write' },
  { unified: 'final_url', native: 'landing_page_url', codec: text(), access: 'write' },
  { unified: 'ad_type', native: 'ad_format', codec: adType, access: 'create' },
  {
    unified: 'creative_ids',
    native: 'ad_id',
    codec: custom({ name: 'tiktok.creativeOfAd', decode: (native) => [String(native)], encode: () => undefined }),
    access: 'create',
    note: 'Reads as the ad’s own id, by which its creative is known. Written: a creative to copy, or ids of assets.',
  },
  {
    unified: 'creative_asset_url',
    native: MEDIA,
    codec: custom({ name: 'tiktok.mediaUrl', decode: () => undefined, encode: (value, ctx) => [url(value, ctx)] }),
    access: 'write_only',
    note: 'URL of an image or video (uploaded first), or the id of an asset.',
  },
  {
    unified: 'advertiser_name',
    native: 'display_name',
    codec: text(),
    access: 'read',
    note: 'Name of the identity.',
  },
];

/** utm_params <-> url_tags, written as the query of a URL: `utm_source=tiktok&utm_campaign=__CAMPAIGN_NAME__`. */
const urlTags: Codec = custom({
  name: 'tiktok.utmParams',
  decode(native) {
    if (!Array.isArray(native) || native.length === 0) return undefined;
    return (native as Native[])
      .map((param) => [param['key'] ?? param['field'], param['value']])
      .map((pair) => pair.map((part) => encodeURIComponent(String(part ?? ''))).join('='))
      .join('&');
  },
  encode(unified, ctx) {
    if (typeof unified !== 'string') throw invalid(ctx, 'must be a string');
    return [...new URLSearchParams(unified.replace(/^\?/, ''))].map(([key, value]) => ({ key, value }));
  },
});

const FORMAT_OF_TYPE = enums({ SINGLE_VIDEO: 'VIDEO', SINGLE_IMAGE: 'IMAGE', CAROUSEL_ADS: 'ASSET_BASED' });
const TYPE_OF_FORMAT: Readonly<Record<string, string>> = {
  SINGLE_VIDEO: 'VIDEO',
  SINGLE_IMAGE: 'IMAGE',
  CAROUSEL_ADS: 'ASSET_BASED',
  CAROUSEL: 'ASSET_BASED',
  CATALOG_CAROUSEL: 'ASSET_BASED',
  LIVE_CONTENT: 'NATIVE',
};

/** ad_format <-> creative_type; an ad that shows a post which is there already is a SHARE. */
const creativeType: Codec = custom({
  name: 'tiktok.creativeType',
  allowed: ['VIDEO', 'IMAGE', 'ASSET_BASED', 'SHARE'],
  decode(native) {
    const { ad_format: format, tiktok_item_id: item } = native as Record<string, unknown>;
    if (typeof item === 'string' && item !== '') return 'SHARE';
    return typeof format === 'string' && format !== '' ? (TYPE_OF_FORMAT[format] ?? format) : undefined;
  },
  encode(unified, ctx) {
    if (unified !== 'SHARE') return { ad_format: FORMAT_OF_TYPE.encode?.(unified, ctx) };
    if (ctx.unified?.['item_id'] === undefined) throw invalid(ctx, 'SHARE needs `item_id`, the post to show');
    return { ad_format: 'SINGLE_VIDEO' };
  },
});

/** Field rules of the creative: the part of an ad that people see. */
export const creativeFields: readonly FieldRule[] = [
  ...commonFields,
  {
    unified: 'ad_id',
    native: 'smart_plus_ad_id',
    codec: id,
    access: 'read',
    note: 'Smart+ alone: the ad that chooses from it.',
  },
  {
    unified: 'review',
    native: 'review',
    codec: custom({ name: 'tiktok.review', decode: (value) => value }),
    access: 'read',
    note: 'Smart+ alone: smart_plus/material/review_info.',
  },
  { unified: 'campaign_id', native: 'campaign_id', codec: id, access: 'read' },
  { unified: 'body', native: 'ad_text', codec: text(), access: 'write' },
  { unified: 'link_url', native: 'landing_page_url', codec: text(), access: 'write' },
  { unified: 'item_id', native: 'tiktok_item_id', codec: id, access: 'write', note: 'A TikTok post (Spark Ads).' },
  { unified: 'url_tags', native: 'utm_params', codec: urlTags, access: 'write' },
  { unified: 'creative_type', native: ['ad_format', 'tiktok_item_id'], codec: creativeType, access: 'create' },
  {
    unified: 'asset_urls',
    native: ['video_id', 'image_ids', MEDIA],
    codec: custom({
      name: 'tiktok.assets',
      decode(native) {
        const { video_id: video, image_ids: images } = native as Record<string, unknown>;
        const all = [
          ...(typeof video === 'string' && video !== '' ? [video] : []),
          ...((textList.decode(images, {}) as string[] | undefined) ?? []),
        ];
        return all.length === 0 ? undefined : all;
      },
      encode: (unified, ctx) => ({ [MEDIA]: textList.encode?.(unified, ctx) }),
    }),
    access: 'write',
    note: 'Reads as ids of assets (GET asset/{id} has the address). Written: asset ids, or URLs that are uploaded first.',
  },
];

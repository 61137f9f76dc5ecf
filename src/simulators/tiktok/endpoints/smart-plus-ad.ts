import { checkCreative, type Place } from '../ad-rules.ts';
import { adgroupRow, campaignRow, type ListSpec, listObjects, listParams, view } from '../objects.ts';
import { advertiserId, advertiserIdOf } from '../params.ts';
import { changeable, checkName, given, invalid, owned } from '../rules.ts';
import { asAd, type Creative, creativesOf, isUpgraded, putSmartAd, smartAds, withIds } from '../smart-plus.ts';
import { SP_AD_CREATE, SP_AD_FILTERING, SP_AD_UPDATE } from '../smart-plus-table.ts';
import { isGone, reviewOf, type StatusContext, statusContext } from '../status.ts';
import { type Call, type Endpoint, type Native, type Param, TikTokError } from '../types.ts';
import { fieldsOf, statusParams } from './campaign.ts';

/**
 * Ads (asset groups) of Upgraded Smart+ and their creatives: smart_plus/ad/*, smart_plus/material/review_info. Facts:
 * official SDK yml; TikTok docs 1843317390059522, 1843312888885314.
 */

type Values = Record<string, unknown>;

/** Smart+ ads that are not deleted an ad group may hold (TikTok docs 1843317390059522). */
const ADS_PER_ADGROUP = 30;
/** At most one write per ad in this time, in ms (TikTok docs 1843312888885314). */
const WRITE_EVERY = 5_000;

/** A creative as answered: without what only the simulator knows. */
const creativeView = ({ _creative_id: _own, ...creative }: Creative) => creative;

/** How smart_plus/ad/get lists ads: at most 100 a page, nulls dropped. */
const SMART_ADS: ListSpec = {
  level: 'ad',
  idField: 'smart_plus_ad_id',
  nameField: 'ad_name',
  rows: (call) => smartAds(call.world),
  maxPage: 100,
  dropNulls: true,
  filtering: SP_AD_FILTERING,
  defaults: {
    advertiser_id: null,
    campaign_id: null,
    campaign_name: null,
    adgroup_id: null,
    adgroup_name: null,
    smart_plus_ad_id: null,
    ad_name: '',
    operation_status: 'ENABLE',
    secondary_status: null,
    create_time: null,
    modify_time: null,
    creative_list: [],
    ...Object.fromEntries(
      ['playable_list', 'ad_text_list', 'auto_message_list', 'call_to_action_list', 'interactive_add_on_list'].map(
        (name) => [name, null],
      ),
    ),
    page_list: null,
    landing_page_url_list: null,
    custom_product_page_url: null,
    deeplink_list: null,
    disclaimer: null,
    ad_configuration: null,
  },
  derived: (context, row) => ({
    campaign_name: campaignRow(context, row)?.['campaign_name'],
    adgroup_name: adgroupRow(context, row)?.['adgroup_name'],
    creative_list: creativesOf(row).map(creativeView),
  }),
  matches: (_context, row, name, value) =>
    name === 'modified_after' ? String(row['modify_time']) > String(value) : undefined,
};

const answer = (call: Call, row: Native): Values =>
  Object.fromEntries(
    Object.entries(view(SMART_ADS, statusContext(call.world, row.advertiser_id), row)).filter(
      ([, value]) => value !== null,
    ),
  );

function placeOf(call: Call, adgroupId: unknown): Place {
  const { world } = call;
  const adgroup = owned(world.adgroups, 'ad group', adgroupId, advertiserIdOf(call));
  if (!isUpgraded(adgroup)) throw new TikTokError(40007, `The Smart+ ad group ${adgroup.id} does not exist.`);
  const context = statusContext(world, adgroup.advertiser_id);
  if (isGone(context, 'adgroup', adgroup)) invalid(`The ad group ${adgroup.id} has been deleted.`);
  return { world, adgroup, campaign: campaignRow(context, adgroup), now: call.now };
}

/** Each creative by the rules of a manual ad of the same content. */
function checkAd(place: Place, values: Values): void {
  if (values['ad_name'] !== '') checkName('ad_name', values['ad_name']);
  for (const [i, item] of (values['creative_list'] as Values[]).entries()) {
    checkCreative(place, asAd(values, item['creative_info'] as Values), `creative_list.${i}.creative_info`);
  }
}

function create(call: Call): unknown {
  const { world, params } = call;
  const place = placeOf(call, params['adgroup_id']);
  if (!given(params, 'creative_list')) invalid('Missing required field(s): creative_list.');
  checkAd(place, params);
  const { adgroup } = place;
  const live = smartAds(world)
    .by('adgroup', adgroup.id)
    .filter((row) => row['operation_status'] !== 'DELETE').length;
  if (live >= ADS_PER_ADGROUP) {
    throw new TikTokError(40502, `The number of ads in the ad group ${adgroup.id} has reached the limit.`);
  }
  const id = world.nextId();
  const at = world.stamp(call.now);
  const row: Native = {
    id,
    advertiser_id: adgroup.advertiser_id,
    ...fieldsOf(params, SP_AD_CREATE),
    campaign_id: adgroup['campaign_id'],
    adgroup_id: adgroup.id,
    smart_plus_ad_id: id,
    ad_id_v2: id,
    campaign_automation_type: 'UPGRADED_SMART_PLUS',
    creative_list: withIds(world, params['creative_list'] as Values[]),
    operation_status: params['operation_status'] ?? 'ENABLE',
    create_time: at,
    modify_time: at,
    _write_ms: call.now.getTime(),
  };
  putSmartAd(world, row);
  return answer(call, row);
}

/**
 * The ad that a call changes.
 * @throws TikTokError 40202 for the second write within five seconds (which code it is is unverified).
 */
function changing(call: Call, id: unknown): Native {
  const row = changeable(smartAds(call.world), 'ad', id, advertiserIdOf(call));
  const since = call.now.getTime() - Number(row['_write_ms'] ?? 0);
  if (call.world.settings.limits === 'on' && since >= 0 && since < WRITE_EVERY) {
    throw new TikTokError(40202, `The ad ${row.id} is being changed by another request. Try again later.`);
  }
  return { ...row, _write_ms: call.now.getTime(), modify_time: call.world.stamp(call.now) };
}

function update(call: Call): unknown {
  const { world, params } = call;
  const before = changing(call, params['smart_plus_ad_id']);
  const after: Native = { ...before, ...fieldsOf(params, SP_AD_UPDATE) };
  checkAd(placeOf(call, before['adgroup_id']), after);
  if (given(params, 'creative_list')) {
    after['creative_list'] = withIds(world, params['creative_list'] as Values[], before);
  }
  putSmartAd(world, after, before);
  return answer(call, after);
}

function statusUpdate(call: Call): unknown {
  const { world, params } = call;
  const ids = params['smart_plus_ad_ids'] as string[];
  const status = params['operation_status'];
  // All are checked before the first is changed: the answer has no list of errors (official yml).
  const rows = [...new Set(ids)].map((id): Native => ({ ...changing(call, id), operation_status: status }));
  for (const row of rows) putSmartAd(world, row);
  return { smart_plus_ad_ids: ids, status };
}

function materialStatus(call: Call): unknown {
  const { world, params } = call;
  const before = changing(call, params['smart_plus_ad_id']);
  const ids = params['ad_material_ids'] as string[];
  const own = creativesOf(before);
  const strange = ids.find((id) => !own.some((one) => one.ad_material_id === id));
  if (strange !== undefined)
    throw new TikTokError(40007, `The material ${strange} does not exist in the ad ${before.id}.`);
  const status = params['operation_status'] as Creative['material_operation_status'];
  putSmartAd(world, {
    ...before,
    creative_list: own.map((one) =>
      ids.includes(one.ad_material_id) ? { ...one, material_operation_status: status } : one,
    ),
  });
  return { smart_plus_ad_id: before.id, ad_material_ids: ids, operation_status: status };
}

/** An appeal against a rejection; `outcome` is known after another review. */
interface Appeal {
  /** smart_plus_ad_id */
  id: string;
  at: number;
  reason: string;
}

const appeals = (call: Call) => call.world.store.collection<Appeal>('smart_plus_appeals');

const reject = (ad: Native, why: string) => ({
  content_info: {
    carousel_music_info: null,
    content_type: 'TEXT',
    image_content: { image_id: null },
    text_content: ad['ad_text'] ?? ad['ad_name'] ?? '',
    video_content: null,
  },
  forbidden_ages: [],
  forbidden_locations: [],
  forbidden_placements: [],
  reasons: [why],
  specification: null,
  suggestion: 'Edit the ad text so that it describes the product accurately, then submit the ad again.',
  violation_frames: [],
});

const REASON = 'Ad text: misleading or exaggerated claims.';
/** Names of the results (unverified), as of the review of manual ads. */
const RESULT = { WAITING: 'IN_REVIEW', APPROVED: 'ALL_AVAILABLE', DENIED: 'UNAVAILABLE' } as const;

const wantsReasons = (call: Call): boolean =>
  (call.params['extra_info_setting'] as Values | undefined)?.['include_reject_info'] === true;

function materialReview(call: Call, context: StatusContext, ad: Native, creative: Creative) {
  const row = context.world.ads.get(creative._creative_id)!;
  const result = reviewOf(context, row);
  return {
    ad_material_id: creative.ad_material_id,
    smart_plus_ad_id: ad.id,
    passed_locations: [],
    reject_info: result === 'DENIED' && wantsReasons(call) ? [reject(row, REASON)] : [],
    review_status: RESULT[result],
  };
}

function reviewInfo(call: Call): unknown {
  const { world, params } = call;
  const context = statusContext(world, advertiserIdOf(call));
  const rows = (params['smart_plus_ad_ids'] as string[]).map((id) =>
    owned(smartAds(world), 'ad', id, advertiserIdOf(call)),
  );
  const smart_plus_ad_review_infos = rows.map((ad) => {
    const results = creativesOf(ad).map((one) => materialReview(call, context, ad, one));
    const denied = results.filter((one) => one.review_status === RESULT.DENIED);
    const waiting = results.some((one) => one.review_status === RESULT.WAITING);
    const appeal = appeals(call).get(ad.id);
    const decided = appeal && call.now.getTime() >= appeal.at + world.settings.review_delay_ms;
    return {
      smart_plus_ad_id: ad.id,
      passed_locations: [],
      reject_info: denied.flatMap((one) => one.reject_info),
      review_status: waiting
        ? RESULT.WAITING
        : denied.length === 0
          ? RESULT.APPROVED
          : denied.length === results.length
            ? RESULT.DENIED
            : 'PART_AVAILABLE',
      // Names of the states (unverified).
      appeal_status: appeal ? (decided ? 'APPEAL_REJECTED' : 'APPEALING') : 'NOT_APPEALED',
      appeal_reject_reasons: decided ? [REASON] : [],
    };
  });
  return {
    smart_plus_ad_review_infos,
    material_review_infos: rows.flatMap((ad) => creativesOf(ad).map((one) => materialReview(call, context, ad, one))),
  };
}

function materialReviewInfo(call: Call): unknown {
  const { world, params } = call;
  const context = statusContext(world, advertiserIdOf(call));
  const wanted = new Set(params['ad_material_ids'] as string[]);
  const found = smartAds(world)
    .by('advertiser', advertiserIdOf(call))
    .flatMap((ad) => creativesOf(ad).map((one) => ({ ad, one })))
    .filter(({ one }) => wanted.delete(one.ad_material_id));
  const [strange] = wanted;
  if (strange !== undefined) throw new TikTokError(40007, `The material ${strange} does not exist.`);
  return { material_review_infos: found.map(({ ad, one }) => materialReview(call, context, ad, one)) };
}

function appeal(call: Call): unknown {
  const { world, params } = call;
  const context = statusContext(world, advertiserIdOf(call));
  const ad = changeable(smartAds(world), 'ad', params['smart_plus_ad_id'], advertiserIdOf(call));
  const denied = creativesOf(ad).some((one) => reviewOf(context, world.ads.get(one._creative_id)!) === 'DENIED');
  if (!denied) invalid(`The ad ${ad.id} has not been rejected: there is nothing to appeal against.`);
  const before = appeals(call).get(ad.id);
  if (before) invalid(`The ad ${ad.id} has been appealed against already.`);
  appeals(call).put({ id: ad.id, at: call.now.getTime(), reason: String(params['appeal_reason'] ?? '') });
  return {};
}

const smartAdId: Param = { name: 'smart_plus_ad_id', type: 'string', required: true, numeric: true };
const ids = (name: string, max: number): Param => ({
  name,
  type: 'array',
  required: true,
  min: 1,
  max,
  items: { type: 'string', numeric: true },
});
const extra: Param = {
  name: 'extra_info_setting',
  type: 'object',
  fields: [
    { name: 'include_reject_info', type: 'boolean' },
    { name: 'include_violation_frame', type: 'boolean' },
  ],
};

const get = (path: string, params: Endpoint['params'], handle: Endpoint['handle']): Endpoint => ({
  method: 'GET',
  path: `smart_plus/${path}`,
  auth: 'token',
  scopes: ['220'],
  params,
  handle,
});
const post = (path: string, params: Endpoint['params'], handle: Endpoint['handle']): Endpoint => ({
  method: 'POST',
  path: `smart_plus/ad/${path}`,
  auth: 'token',
  scopes: ['221'],
  write: true,
  params,
  handle,
});

/** Ads of Upgraded Smart+. */
export const endpoints: Endpoint[] = [
  get(
    'ad/get',
    listParams(SP_AD_FILTERING).map((param) => (param.name === 'page_size' ? { ...param, max: 100 } : param)),
    (call) => listObjects(SMART_ADS, call),
  ),
  post('create', SP_AD_CREATE, create),
  post('update', SP_AD_UPDATE, update),
  post('status/update', statusParams('smart_plus_ad_ids'), statusUpdate),
  post(
    'material_status/update',
    [
      advertiserId,
      smartAdId,
      ids('ad_material_ids', 20),
      { name: 'operation_status', type: 'string', required: true, enum: ['ENABLE', 'DISABLE'] },
    ],
    materialStatus,
  ),
  post(
    'appeal',
    [
      advertiserId,
      smartAdId,
      { name: 'appeal_reason', type: 'string', max: 512 },
      { name: 'attachment_list', type: 'array', items: { type: 'string' } },
    ],
    appeal,
  ),
  get(
    'ad/review_info',
    [advertiserId, ids('smart_plus_ad_ids', 100), extra, { name: 'lang', type: 'string' }],
    reviewInfo,
  ),
  get(
    'material/review_info',
    [advertiserId, ids('ad_material_ids', 100), extra, { name: 'lang', type: 'string' }],
    materialReviewInfo,
  ),
];

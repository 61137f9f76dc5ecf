import type { Collection } from '../../kit/types.ts';
import { checkCreative, formatOf, type Place } from '../ad-rules.ts';
import { AD_DEFAULTS, AD_FILTERING, CREATIVE_CREATE, CREATIVE_UPDATE } from '../ad-table.ts';
import { adgroupRow, campaignRow, type ListSpec, listObjects, listParams, view } from '../objects.ts';
import { advertiserId, advertiserIdOf } from '../params.ts';
import { changeable, given, invalid, missing, owned, refuseOthers } from '../rules.ts';
import { adById, refuseSmartPlus } from '../smart-plus.ts';
import { stamp } from '../stamp.ts';
import { isGone, reviewOf, type StatusContext, statusContext } from '../status.ts';
import { type Call, type Endpoint, type Native, type Param, TikTokError } from '../types.ts';
import { fieldsOf, statusParams } from './campaign.ts';

/** Ads: ad/{get,create,update,status/update,review_info}, adgroup/review_info. Facts: TikTok docs 1735735588640770, 1739953377508354. */

const DESTINATIONS: Readonly<Record<string, (ad: Native, adgroup: Native | undefined) => boolean>> = {
  WEBSITE: (ad) => given(ad, 'landing_page_url') && ad['landing_page_url'] !== '',
  TIKTOK_INSTANT_PAGE: (ad) => given(ad, 'page_id') && ad['page_id'] !== 0,
  APP: (_ad, adgroup) => String(adgroup?.['promotion_type']).startsWith('APP_'),
  PHONE_CALL: (ad) => given(ad, 'phone_number'),
  SOCIAL_MEDIA_APP: (_ad, adgroup) => given(adgroup ?? {}, 'messaging_app_type'),
};

/** A collection to read from, whose members can be spread. */
const readOnly = (rows: Collection<Native>): Collection<Native> => ({
  get: (id) => rows.get(id),
  put: (row) => rows.put(row),
  putAll: (all) => rows.putAll(all),
  delete: (id) => rows.delete(id),
  values: () => rows.values(),
  by: (index, key) => rows.by(index, key),
  size: rows.size,
  version: rows.version,
});

/** How ad/get lists ads. */
export const ADS: ListSpec = {
  level: 'ad',
  idField: 'ad_id',
  nameField: 'ad_name',
  // By `ad_ids_v2` a Smart+ ad is one ad, otherwise each of its creatives is (TikTok docs 1854103649826817).
  rows(call) {
    const { ads } = call.world;
    const filtering = (call.params['filtering'] ?? {}) as Record<string, unknown>;
    return given(filtering, 'ad_ids_v2') ? { ...readOnly(ads), get: (id) => adById(call.world, id) } : ads;
  },
  onlyWhenGiven: ['ad_id_v2', 'smart_plus_ad_id', 'ad_material_id'],
  filtering: AD_FILTERING,
  defaults: AD_DEFAULTS,
  derived(context, row) {
    const adgroup = adgroupRow(context, row);
    const identity = context.world.identities.get(String(row['identity_id']));
    return {
      campaign_name: campaignRow(context, row)?.['campaign_name'],
      adgroup_name: adgroup?.['adgroup_name'],
      optimization_event: adgroup?.['optimization_event'],
      display_name: row['display_name'] ?? identity?.['display_name'],
      profile_image_url: identity?.['profile_image'],
    };
  },
  matches(context, row, name, value) {
    if (name === 'campaign_automation_type' && value === 'UPGRADED_SMART_PLUS') {
      return String(row['campaign_automation_type']).startsWith(value);
    }
    if (name === 'modified_after') return String(row['modify_time'] ?? row['create_time']) > String(value);
    if (name === 'destination') return DESTINATIONS[String(value)]?.(row, adgroupRow(context, row)) === true;
    return undefined;
  },
};

/** Ads that are not deleted an ad group may hold (unverified). */
const ADS_PER_ADGROUP = 50;

/** Members that say what people see: changing one sends the ad to review again (unverified as a list). */
const CONTENT = [
  'ad_name',
  'ad_text',
  'ad_texts',
  'video_id',
  'image_ids',
  'tiktok_item_id',
  'music_id',
  'landing_page_url',
  'call_to_action',
  'call_to_action_id',
  'identity_id',
  'display_name',
];

/** The only members that a `patch_update` may change (TikTok docs 1739953405142018). */
const PATCHABLE = [
  'ad_id',
  'ad_name',
  'identity_type',
  'identity_id',
  'identity_authorized_bc_id',
  'video_id',
  'image_ids',
  'music_id',
  'tiktok_item_id',
  'ad_text',
];

/** Members that only a creation takes: no update loses them. */
const FIXED = CREATIVE_CREATE.filter((param) => !CREATIVE_UPDATE.some((other) => other.name === param.name));

type Creative = Record<string, unknown>;

function placeOf(call: Call): Place {
  const { world, params } = call;
  const adgroup = owned(world.adgroups, 'ad group', params['adgroup_id'], advertiserIdOf(call));
  const context = statusContext(world, adgroup.advertiser_id);
  refuseSmartPlus(adgroup, 'ad group', 'ad/create');
  if (isGone(context, 'adgroup', adgroup)) invalid(`The ad group ${adgroup.id} has been deleted.`);
  return { world, adgroup, campaign: campaignRow(context, adgroup), now: call.now };
}

/** A name for an ad that was given none: that of its video, else its text (unverified). */
function nameFor(place: Place, creative: Creative, id: string): unknown {
  if (given(creative, 'ad_name') && creative['ad_name'] !== '') return creative['ad_name'];
  const video = place.world.videos.get(String(creative['video_id']));
  return video?.['file_name'] ?? creative['ad_text'] ?? `Ad ${id}`;
}

function create(call: Call): unknown {
  const { world, params } = call;
  const place = placeOf(call);
  const { adgroup } = place;
  const creatives = params['creatives'] as Creative[];
  // All creatives are checked before the first ad is made: the call succeeds or fails as a whole.
  for (const [i, creative] of creatives.entries()) checkCreative(place, creative, `creatives.${i}`);
  const present = world.ads.by('adgroup', adgroup.id).filter((row) => row['operation_status'] !== 'DELETE').length;
  if (present + creatives.length > ADS_PER_ADGROUP) {
    throw new TikTokError(40502, `The number of ads in the ad group ${adgroup.id} has reached the limit.`);
  }
  const at = world.stamp(call.now);
  const rows = creatives.map((creative): Native => {
    const id = world.nextId();
    return {
      id,
      advertiser_id: adgroup.advertiser_id,
      campaign_id: adgroup['campaign_id'],
      adgroup_id: adgroup.id,
      ...fieldsOf(creative, CREATIVE_CREATE),
      ad_id: id,
      ad_name: nameFor(place, creative, id),
      ad_format: formatOf(creative),
      operation_status: creative['operation_status'] ?? 'ENABLE',
      create_time: at,
      modify_time: at,
    };
  });
  world.ads.putAll(rows);
  return answer(call, rows);
}

function answer(call: Call, rows: readonly Native[]): unknown {
  const context = statusContext(call.world, advertiserIdOf(call));
  return {
    ad_ids: rows.map((row) => row.id),
    // A pulled post has been reviewed before: sample answer of the Spark Ads guide (TikTok docs 1739470744631298).
    need_audit: rows.some((row) => !given(row, 'tiktok_item_id')),
    creatives: rows.map((row) => view(ADS, context, row)),
  };
}

function update(call: Call): unknown {
  const { world, params } = call;
  const place = placeOf(call);
  const patching = params['patch_update'] === true;
  const at = world.stamp(call.now);
  const rows = (params['creatives'] as Creative[]).map((creative, i): Native => {
    const path = `creatives.${i}`;
    if (!given(creative, 'ad_id')) missing(`${path}.ad_id`);
    const before = changeable(world.ads, 'ad', creative['ad_id'], place.adgroup.advertiser_id);
    if (before['adgroup_id'] !== place.adgroup.id) {
      invalid(`The ad ${before.id} does not belong to the ad group ${place.adgroup.id}.`);
    }
    refuseOthers(
      creative,
      patching ? PATCHABLE.map((name): Param => ({ name, type: 'string' })) : CREATIVE_UPDATE,
      `${path}.`,
    );
    const said = fieldsOf(creative, CREATIVE_UPDATE);
    // Without patch_update the creative is replaced as a whole: what is not said is lost.
    const after: Creative = { ...fieldsOf(before, patching ? CREATIVE_CREATE : FIXED), ...said };
    // A new video or post takes the place of the other kind.
    if (patching && given(said, 'video_id')) delete after['tiktok_item_id'];
    if (patching && given(said, 'tiktok_item_id')) delete after['video_id'];
    checkCreative(place, after, path);
    const changed = CONTENT.some(
      (name) => JSON.stringify(after[name] ?? null) !== JSON.stringify(before[name] ?? null),
    );
    return {
      id: before.id,
      advertiser_id: before.advertiser_id,
      campaign_id: before['campaign_id'],
      adgroup_id: before['adgroup_id'],
      ...after,
      ad_id: before.id,
      ad_name: nameFor(place, after, before.id),
      ad_format: formatOf(after),
      operation_status: before['operation_status'],
      create_time: before['create_time'],
      modify_time: at,
      _status_time: before['_status_time'],
      _review_from: changed ? at : before['_review_from'],
    };
  });
  world.ads.putAll(rows);
  return answer(call, rows);
}

function statusUpdate(call: Call): unknown {
  const { world, params } = call;
  const advertiserId = advertiserIdOf(call);
  const status = params['operation_status'];
  const aco = (params['aco_ad_ids'] ?? []) as string[];
  const ids = (params['ad_ids'] ?? []) as string[];
  if (aco.length + ids.length === 0) missing('ad_ids');
  // Smart Creative ads come from endpoints that are being removed; the simulator has none.
  if (aco.length > 0) throw new TikTokError(40007, `The ad ${aco[0]} does not exist.`);
  const at = world.stamp(call.now);
  const rows = [...new Set(ids)].map((id): Native => {
    const row = changeable(world.ads, 'ad', id, advertiserId);
    refuseSmartPlus(row, 'ad', 'ad/status/update');
    const since = row['operation_status'] === status ? (row['_status_time'] ?? at) : at;
    return { ...row, operation_status: status, modify_time: at, _status_time: since };
  });
  world.ads.putAll(rows);
  return { ad_ids: ids, aco_ad_ids: [], status };
}

/** One entry of the review maps. Names after the Smart+ review answer (yml smart_plus_ad_review_info); (unverified). */
function review(context: StatusContext, ad: Native): Record<string, unknown> {
  const result = reviewOf(context, ad);
  const since = String(ad['_review_from'] ?? ad['create_time']);
  return {
    ad_id: ad.id,
    is_approved: result === 'APPROVED',
    review_status: result === 'APPROVED' ? 'ALL_AVAILABLE' : result === 'DENIED' ? 'UNAVAILABLE' : 'IN_REVIEW',
    last_audit_time:
      result === 'WAITING'
        ? null
        : stamp(new Date(Date.parse(`${since.replace(' ', 'T')}Z`) + context.world.settings.review_delay_ms)),
    reject_info:
      result === 'DENIED'
        ? [
            {
              reasons: ['Ad text: misleading or exaggerated claims.'],
              suggestion: 'Edit the ad text so that it describes the product accurately, then submit the ad again.',
              forbidden_ages: [],
              forbidden_locations: [],
              forbidden_placements: [],
              content_info: { content_type: 'TEXT', text_content: ad['ad_text'] ?? ad['ad_name'] ?? '' },
            },
          ]
        : [],
  };
}

function reviewInfo(call: Call): unknown {
  const advertiserId = advertiserIdOf(call);
  const context = statusContext(call.world, advertiserId);
  const map: Record<string, unknown> = {};
  for (const id of call.params['ad_ids'] as string[]) {
    map[id] = review(context, owned(call.world.ads, 'ad', id, advertiserId));
  }
  return { ad_review_map: map };
}

function adgroupReviewInfo(call: Call): unknown {
  const { world, params } = call;
  const advertiserId = advertiserIdOf(call);
  const context = statusContext(world, advertiserId);
  const adgroups: Record<string, unknown> = {};
  const ads: Record<string, unknown> = {};
  for (const id of params['adgroup_ids'] as string[]) {
    owned(world.adgroups, 'ad group', id, advertiserId);
    const live = world.ads.by('adgroup', id).filter((ad) => ad['operation_status'] !== 'DELETE');
    for (const ad of live) ads[ad.id] = review(context, ad);
    const results = live.map((ad) => reviewOf(context, ad));
    const approved = results.filter((result) => result === 'APPROVED').length;
    adgroups[id] = {
      adgroup_id: id,
      is_approved: results.length > 0 && approved === results.length,
      review_status:
        results.length === 0 || results.every((result) => result === 'WAITING')
          ? 'IN_REVIEW'
          : approved === results.length
            ? 'ALL_AVAILABLE'
            : approved > 0
              ? 'PART_AVAILABLE'
              : 'UNAVAILABLE',
      reject_info: [],
    };
  }
  return { adgroup_review_map: adgroups, ad_review_map: ads };
}

const creatives = (fields: readonly Param[]): Param => ({
  name: 'creatives',
  type: 'array',
  required: true,
  min: 1,
  max: 20,
  items: { type: 'object', fields },
});

const adgroupId: Param = { name: 'adgroup_id', type: 'string', required: true };
const someIds = (name: string, max: number): Param => ({ name, type: 'array', items: { type: 'string' }, min: 1, max });

/** The ad family, with the reviews of ads and ad groups. */
export const endpoints: Endpoint[] = [
  {
    method: 'GET',
    path: 'ad/get',
    auth: 'token',
    scopes: ['220'],
    sandbox: true,
    params: listParams(AD_FILTERING),
    handle: (call) => listObjects(ADS, call),
  },
  {
    method: 'POST',
    path: 'ad/create',
    auth: 'token',
    scopes: ['221'],
    sandbox: true,
    write: true,
    params: [advertiserId, adgroupId, creatives(CREATIVE_CREATE)],
    handle: create,
  },
  {
    method: 'POST',
    path: 'ad/update',
    auth: 'token',
    scopes: ['221'],
    sandbox: true,
    write: true,
    params: [advertiserId, adgroupId, { name: 'patch_update', type: 'boolean' }, creatives(CREATIVE_UPDATE)],
    handle: update,
  },
  {
    method: 'POST',
    path: 'ad/status/update',
    auth: 'token',
    scopes: ['221'],
    sandbox: true,
    write: true,
    params: [
      ...statusParams('ad_ids').map((param) => (param.name === 'ad_ids' ? { ...param, required: false } : param)),
      someIds('aco_ad_ids', 20),
    ],
    handle: statusUpdate,
  },
  {
    method: 'GET',
    path: 'ad/review_info',
    auth: 'token',
    scopes: ['220'],
    params: [advertiserId, { ...someIds('ad_ids', 100), required: true }],
    handle: reviewInfo,
  },
  {
    method: 'GET',
    path: 'adgroup/review_info',
    auth: 'token',
    scopes: ['210'],
    params: [advertiserId, { ...someIds('adgroup_ids', 100), required: true }],
    handle: adgroupReviewInfo,
  },
];

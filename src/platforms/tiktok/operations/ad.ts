/** Ads: ad/{get,create,update,status/update}. Creatives (operations/creative.ts) are the same rows seen otherwise. */
import { time } from '../../../core/connector/codecs.ts';
import type {
  CreateIdempotency,
  CreateResult,
  FilterName,
  FilterRule,
  ListFilters,
  ListOperation,
  ObjectSpec,
  OperationInput,
  WriteContext,
} from '../../../core/connector/object-spec.ts';
import type { Native, Unified } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { AD_CREATIVE, AD_READ_ONLY, AD_UPDATE } from '../body-table.ts';
import { adFields, adPromoted, MEDIA, REMOVABLE_PROMOTED } from '../entities/ad.ts';
import { pages, rowsOf, write as send } from '../request.ts';
import { generationOf, generationOfGroup, hasSmartAds } from './automation.ts';
import { withIdentity, withWholeIdentity } from './identities.ts';
import { kindOfAssetId, mediaMembers } from './media.ts';
import {
  AD,
  ADGROUP,
  bodyOf,
  created,
  creationBody,
  findCreated,
  getById,
  listOf,
  PAGE_SIZE,
  rawOf,
  reread,
  updateInOrder,
  withDefaults,
  withoutEchoes,
} from './shared.ts';
import { createSmartAd, refuseMaterials, updateSmartAd } from './smart-ads.ts';
import { smartAd, smartAds } from './smart-plus.ts';
import { checkPush, identityOfPost, withPost } from './spark.ts';
import { mixedStatusBatch, setStatusOf } from './status.ts';

/** All that an incremental update may change; anything else needs the whole creative (TikTok docs 1739953405142018). */
const PATCHABLE: ReadonlySet<string> = new Set([
  'ad_name',
  'identity_type',
  'identity_id',
  'identity_authorized_bc_id',
  'video_id',
  'image_ids',
  'music_id',
  'tiktok_item_id',
  'ad_text',
]);

/** Members of which TikTok takes one at most: writing the first takes the second away. */
const EXCLUSIVE: readonly [string, string][] = [
  ['tiktok_item_id', 'video_id'],
  ['video_id', 'tiktok_item_id'],
  ['call_to_action', 'call_to_action_id'],
  ['call_to_action_id', 'call_to_action'],
  ['ad_text', 'ad_texts'],
  ['ad_texts', 'ad_text'],
];

const isSet = (value: unknown): boolean =>
  value !== null && value !== undefined && value !== '' && value !== 0 && !(Array.isArray(value) && value.length === 0);

/** The creative of an existing ad as an update or a copy of it would send it. */
function creativeOf(row: Native, allowed: ReadonlySet<string>): Native {
  const out = Object.fromEntries(Object.entries(row).filter(([name, value]) => allowed.has(name) && isSet(value)));
  // Name and picture come with the identity; only ads without one bring their own.
  if (isSet(row['identity_id'])) for (const name of ['display_name', 'avatar_icon_web_uri']) delete out[name];
  delete out['operation_status'];
  return out;
}

/** Members that TikTok declares as numbers (official SDK), though their values pass 2^53. */
const NUMERIC = ['page_id', 'tracking_pixel_id'];

/** The creative as it is sent: numeric ids as number literals, exact whatever their size. */
function onWire(creative: Native): Native {
  const out = { ...creative };
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
  for (const name of NUMERIC)
    if (typeof out[name] === 'string' && /^\d+$/.test(out[name]))
      out[name] = Number.isSafeInteger(Number(out[name])) ? Number(out[name]) : rawJSON(out[name]);
  return out;
}

/** Puts `creative_ids` into native terms: one creative to copy, or assets. */
async function fromCreatives(input: OperationInput, unified: Unified): Promise<Native> {
  const ids = unified['creative_ids'];
  if (ids === undefined) return {};
  if (!Array.isArray(ids) || ids.some((id) => typeof id !== 'string'))
    throw new PolyadError('input_value_invalid', {
      message: '`creative_ids` must be a list of ids.',
      details: { field: 'creative_ids', reason: 'not a list of ids' },
    });
  const assets = (ids as string[]).filter((id) => kindOfAssetId(id) !== undefined);
  const creatives = (ids as string[]).filter((id) => kindOfAssetId(id) === undefined);
  const [creative, another] = creatives;
  if (another !== undefined)
    throw new PolyadError('input_value_invalid', {
      message: 'An ad of TikTok shows one creative.',
      details: { field: 'creative_ids', reason: 'several creatives', creatives },
    });
  const copied = creative === undefined ? {} : creativeOf(await reread(input, AD, creative), AD_CREATIVE);
  return { ...copied, ...(assets.length === 0 ? {} : { [MEDIA]: assets }) };
}

/** Checks a campaign named beside the group: it would be ignored, and with it a mistake of the caller. */
async function checkCampaign(input: OperationInput, unified: Unified): Promise<void> {
  const { campaign_id: campaign, group_id: group } = unified;
  if (campaign === undefined || typeof group !== 'string') return;
  const row = await reread(input, ADGROUP, group);
  if (row['campaign_id'] !== campaign)
    throw new PolyadError('input_value_invalid', {
      message: `\`campaign_id\` is not the campaign of group ${group}.`,
      details: { field: 'campaign_id', reason: 'not the group’s campaign', expected: row['campaign_id'] },
    });
}

/** What a new ad or creative needs before it is encoded. */
export async function prepareCreation(input: OperationInput, unified: Unified, defaults: Native): Promise<Unified> {
  await checkCampaign(input, unified);
  const group = unified['group_id'];
  const smart = typeof group === 'string' && (await generationOfGroup(input, group)) === 'smart_plus';
  if (!smart) refuseMaterials(unified);
  const implied = await fromCreatives(input, unified);
  const { creative_ids: _used, ...rest } = unified;
  const given = { ...implied, ...rawOf(unified) };
  const post = await withPost(input, rest, given);
  const settled = await withIdentity(input, post.unified, given);
  await checkPush(input, settled, given);
  return withDefaults(settled, { ...post.implied, ...implied, ...defaults });
}

/** Uploads what is to be uploaded and puts the members that follow in its place. */
async function withMedia(input: OperationInput, native: Native, token: string, format: unknown): Promise<Native> {
  const { [MEDIA]: sources, ...rest } = native;
  if (!Array.isArray(sources) || sources.length === 0) return rest;
  return { ...rest, ...(await mediaMembers(input, sources as string[], format ?? rest['ad_format'], token)) };
}

/** Creates one ad: one creative in one ad group. */
export async function createAd(input: OperationInput, native: Native, write: WriteContext): Promise<CreateResult> {
  if ((await generationOfGroup(input, String(native['adgroup_id']))) === 'smart_plus')
    return createSmartAd(input, native, write);
  const { adgroup_id, ...rest } = await withMedia(input, native, write.requestToken, undefined);
  const creative = creationBody(rest, AD_READ_ONLY);
  // A post that is there already is shown as the video it is, unless the caller says otherwise.
  if (creative['tiktok_item_id'] !== undefined) creative['ad_format'] ??= 'SINGLE_VIDEO';
  const data = await send(input, 'ad/create', { adgroup_id, creatives: [onWire(creative)] });
  const [row = {}] = rowsOf(data, 'creatives');
  const ids = data['ad_ids'];
  const ad_id = row['ad_id'] ?? (Array.isArray(ids) ? ids[0] : undefined);
  // TikTok's examples leave the parents out of the answer.
  if (row['campaign_id'] === undefined) return { row: await reread(input, AD, String(ad_id)) };
  return created(input, AD, { adgroup_id, ...row, ad_id });
}

/** Promoted things that an update takes away: those that the ad has and the new list does not name. */
async function removedPromoted(write: WriteContext): Promise<string[]> {
  const wanted = write.unified['promoted'];
  if (!Array.isArray(wanted)) return [];
  const types = new Set((wanted as Native[]).map(({ type }) => type));
  const has = adPromoted.decode(await write.current(), {}) as { type: string }[] | undefined;
  return (has ?? []).flatMap(({ type }) => (types.has(type) ? [] : (REMOVABLE_PROMOTED[type] ?? [])));
}

/**
 * Changes an ad. TikTok replaces the creative in full, and what is left out is lost, unless `patch_update` is set, which
 * only some members allow: so either a patch is sent, or the creative as it is with the changes in it.
 */
export async function updateAd(
  input: OperationInput,
  id: string,
  native: Native,
  write: WriteContext,
): Promise<CreateResult> {
  const current = await write.current();
  if (generationOf(current) === 'smart_plus')
    return updateSmartAd(input, id, await withoutEchoes(native, write), write);
  refuseMaterials(write.unified);
  const { operation_status: status, ...rest } = await withoutEchoes(native, write);
  if (rest['tiktok_item_id'] === current['tiktok_item_id']) delete rest['tiktok_item_id'];
  // Another post may belong to another identity.
  else if (typeof rest['tiktok_item_id'] === 'string' && rest['identity_id'] === undefined)
    Object.assign(rest, await identityOfPost(input, rest['tiktok_item_id']));
  const media = Array.isArray(rest[MEDIA])
    ? await withMedia(input, rest, write.requestToken, current['ad_format'])
    : rest;
  if (media['ad_format'] === current['ad_format']) delete media['ad_format'];
  const body = await bodyOf(media, AD_UPDATE, write, 'an ad');
  const removed = await removedPromoted(write);
  const changed: Native = { ...body, ...(status === undefined ? {} : { operation_status: status }) };
  if (removed.length > 0) changed['ad_name'] ??= current['ad_name'];
  return updateInOrder(input, AD, id, changed, async (changes) => {
    const patch = removed.length === 0 && Object.keys(changes).every((name) => PATCHABLE.has(name));
    const whole = patch ? {} : creativeOf(current, AD_UPDATE);
    for (const name of removed) delete whole[name];
    for (const [written, other] of EXCLUSIVE) if (changes[written] !== undefined) delete whole[other];
    const data = await send(
      input,
      'ad/update',
      {
        adgroup_id: current['adgroup_id'],
        ...(patch ? { patch_update: true } : {}),
        creatives: [onWire({ ...whole, ...changes, ad_id: id })],
      },
      true,
    );
    const [row] = rowsOf(data, 'creatives');
    return row?.['campaign_id'] === undefined ? undefined : row;
  });
}

/** `modified_after` is the only change filter that TikTok has; it is exclusive, to the second. */
const updatedGte: FilterRule = {
  kind: 'native',
  apply: (value, query) => {
    query['modified_after'] = time.utcText.encode?.(new Date(Date.parse(value) - 1_000), {});
  },
};

/** The rows of ad/get: manual ads, and of Smart+ ads each creative. The list of creatives. */
export const creativeList: ListOperation = listOf(AD, {
  campaign_id: {
    kind: 'native',
    apply: (value, query) => {
      query['campaign_ids'] = [value];
    },
  },
  group_id: {
    kind: 'native',
    apply: (value, query) => {
      query['adgroup_ids'] = [value];
    },
  },
  updated_gte: updatedGte,
});

const isSmartCreative = (row: Native): boolean => generationOf(row) === 'smart_plus';

/** A list's filters as both ad/get and smart_plus/ad/get take them. */
function filteringOf(input: OperationInput, filters: ListFilters): Native {
  const out: Native = {};
  for (const [name, value] of Object.entries(filters)) {
    const rule = creativeList.filters[name as FilterName];
    if (rule !== undefined && rule.kind !== 'local' && value !== undefined) rule.apply(value, out, input.ctx);
  }
  return out;
}

/** Manual ads, then those of Smart+: ad/get shows the latter by their creatives, once for each. */
async function* everyAd(input: OperationInput, filters: ListFilters): AsyncGenerator<Native, void, undefined> {
  const filtering = filteringOf(input, filters);
  const query = { ...input.raw, ...(Object.keys(filtering).length === 0 ? {} : { filtering }) };
  for await (const row of pages(input, 'ad/get', { rows: 'list', size: PAGE_SIZE, query }))
    if (!isSmartCreative(row)) yield row;
  // smart_plus/ad/get has no filter by name; names are compared afterwards anyway.
  const { ad_name: _name, ...own } = filtering;
  yield* smartAds(input, own);
}

/** The list of ads. */
const adList: ListOperation = {
  ...creativeList,
  needsRun: hasSmartAds,
  unfit: isSmartCreative,
  run: everyAd,
};

/** One ad. An id under which ad/get has a creative of Smart+ is no ad's. */
async function getAd(input: OperationInput, id: string): Promise<Native | undefined> {
  const row = await getById(input, AD, id);
  return row === undefined || isSmartCreative(row) ? smartAd(input, id) : row;
}

/** How a lost ad, and so a lost creative, is found: ad/create has no aid of TikTok's. */
const lostManualAd = findCreated(AD, { native: 'adgroup_id', filter: 'adgroup_ids' });
export const lostAd: CreateIdempotency = {
  ...lostManualAd,
  async find(input, lost) {
    const { ad_name: name, adgroup_id: group } = lost.native;
    if ((await generationOfGroup(input, String(group))) !== 'smart_plus') return lostManualAd.find(input, lost);
    const found: Native[] = [];
    const filtering = {
      adgroup_ids: [group],
      creation_filter_start_time: time.utcText.encode?.(lost.since, {}),
      primary_status: 'STATUS_ALL',
    };
    for await (const row of smartAds(input, filtering)) if (row['ad_name'] === name) found.push(row);
    return found;
  },
};

/** TikTok's ads as unified ads. */
export const ad: ObjectSpec = {
  native: 'ad',
  scope: 'organization',
  fields: adFields,
  list: adList,
  get: getAd,
  prepare: (input, unified, verb) =>
    verb === 'create' ? prepareCreation(input, unified, {}) : withWholeIdentity(input, unified),
  create: createAd,
  update: updateAd,
  remove: async (input, id, write) =>
    setStatusOf(input, AD, id, generationOf(await write.current()) ?? 'manual', 'DELETE'),
  idempotency: lostAd,
  statusBatch: mixedStatusBatch(AD),
};

/**
 * Creatives: the creative part of ads, for TikTok has no creative apart from an ad. A creative has the id of its ad, in
 * Smart+ an id of its own: there an ad chooses from many. Creating one creates a paused ad in `group_id` that carries it;
 * an ad made with its id in `creative_ids` copies it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ObjectSpec, OperationInput } from '../../../core/connector/object-spec.ts';
import type { Native } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { creativeFields } from '../entities/ad.ts';
import { chunks, MAX_FILTER_IDS, read, rowsOf } from '../request.ts';
import { createAd, creativeList, lostAd, prepareCreation, updateAd } from './ad.ts';
import { generationOf, generationOfGroup } from './automation.ts';
import { withWholeIdentity } from './identities.ts';
import { AD, getById, reread } from './shared.ts';
import { smartAds, smartWrite, withHidden } from './smart-plus.ts';

const { campaign_id: _campaign, ...filters } = creativeList.filters;

const isSmart = (row: Native): boolean => generationOf(row) === 'smart_plus';

const object = (value: unknown): Native => (value !== null && typeof value === 'object' ? (value as Native) : {});

/** The entry of an ad's creative_list that a row of ad/get is about: by its id, else by what it shows. */
function entryOf(row: Native, entries: readonly Native[]): Native | undefined {
  const id = row['ad_material_id'] ?? row['ad_id'];
  const named = entries.find((entry) => entry['ad_material_id'] === id);
  if (named !== undefined) return named;
  const shows = (entry: Native): boolean => {
    const info = object(entry['creative_info']);
    if (typeof row['tiktok_item_id'] === 'string' && row['tiktok_item_id'] !== '')
      return info['tiktok_item_id'] === row['tiktok_item_id'];
    if (typeof row['video_id'] === 'string' && row['video_id'] !== '')
      return object(info['video_info'])['video_id'] === row['video_id'];
    const images = rowsOf(info, 'image_info').map((image) => image['web_uri']);
    return images.length > 0 && isDeepStrictEqual(images, row['image_ids']);
  };
  const fitting = entries.filter(shows);
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** Rows of Smart+ with the id by which their material is written, and its status. */
async function withMaterials(input: OperationInput, rows: Native[]): Promise<Native[]> {
  const ids = [...new Set(rows.filter(isSmart).map((row) => String(row['smart_plus_ad_id'])))];
  if (ids.length === 0) return rows;
  const entries = new Map<string, Native[]>();
  for (const part of chunks(ids, MAX_FILTER_IDS))
    for await (const ad of smartAds(input, { smart_plus_ad_ids: part, primary_status: 'STATUS_ALL' }))
      entries.set(String(ad['smart_plus_ad_id']), rowsOf(ad, 'creative_list'));
  const materials = new Map<Native, string>();
  const out = rows.map((row) => {
    const entry = entryOf(row, entries.get(String(row['smart_plus_ad_id'])) ?? []);
    if (entry === undefined) return row;
    const status = entry['material_operation_status'];
    const made = withHidden(row, {
      ad_material_id: entry['ad_material_id'],
      ...(status === undefined ? {} : { operation_status: status }),
    });
    materials.set(made, String(entry['ad_material_id']));
    return made;
  });
  if (input.wants?.('review') !== true) return out;
  const reviews = new Map<string, Native>();
  for (const part of chunks([...new Set(materials.values())], MAX_FILTER_IDS)) {
    const data = await read(input, 'smart_plus/material/review_info', {
      ad_material_ids: part,
      extra_info_setting: { include_reject_info: true },
    });
    for (const review of rowsOf(data, 'material_review_infos')) reviews.set(String(review['ad_material_id']), review);
  }
  return out.map((row) => withHidden(row, { review: reviews.get(materials.get(row) ?? '') }));
}

/** The creative part of TikTok's ads as unified creatives. */
export const creative: ObjectSpec = {
  native: 'ad',
  scope: 'organization',
  fields: creativeFields,
  slowFields: ['review'],
  list: { ...creativeList, filters },
  get: (input, id) => getById(input, AD, id),
  enrich: withMaterials,
  async prepare(input, unified, verb) {
    if (verb === 'update') return withWholeIdentity(input, unified);
    const group = unified['group_id'];
    if (typeof group === 'string' && (await generationOfGroup(input, group)) === 'smart_plus')
      throw new PolyadError('input_value_unsupported', {
        message:
          'In Smart+ creatives are the materials of an ad: make the ad, or add to `materials` of one that is there.',
        details: { field: 'group_id', value: group, automation: 'smart_plus', allowed: [] },
      });
    // A creative by itself spends nothing: its ad is paused until somebody sets it active.
    return prepareCreation(input, unified, { operation_status: 'DISABLE' });
  },
  create: createAd,
  async update(input, id, native, write) {
    const current = await write.current();
    if (!isSmart(current)) return updateAd(input, id, native, write);
    const { operation_status: status, ...rest } = native;
    const [field] = Object.entries(rest).filter(([name, value]) => !isDeepStrictEqual(value, current[name]));
    if (field !== undefined)
      throw new PolyadError('input_field_immutable', {
        message:
          'Of a material of Smart+ the status alone can change; anything else is the ad’s (`materials`, `ad_copies`, `ctas`).',
        details: { field: field[0], allowed: ['status'], ad_id: current['smart_plus_ad_id'] },
      });
    const [row] = await withMaterials(input, [current]);
    const material = row?.['ad_material_id'];
    if (typeof material !== 'string')
      throw new PolyadError('platform_not_found', {
        message: 'smart_plus/ad/get does not have the material of this creative.',
        details: { object: 'creative', id },
      });
    const ad = String(current['smart_plus_ad_id']);
    await smartWrite(
      input,
      'smart_plus/ad/material_status/update',
      { smart_plus_ad_id: ad, ad_material_ids: [material], operation_status: status },
      { ad, idempotent: true },
    );
    return { row: await reread(input, AD, id) };
  },
  idempotency: lostAd,
  refusals: {
    remove:
      'TikTok cannot delete what an ad shows: remove the ad of the same id, or delete images and videos by pass-through: POST open_api/v1.3/creative/asset/delete/.',
  },
};

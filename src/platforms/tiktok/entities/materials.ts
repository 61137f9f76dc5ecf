/**
 * What an ad of Smart+ chooses from: materials, texts and calls to action (smart_plus/ad/{create,get}). Writes travel in
 * members of our own until `operations/smart-ads.ts` has made TikTok's lists of them.
 */
import { type Codec, custom, invalid, textList } from '../../../core/connector/codecs.ts';
import type { FieldRule } from '../../../core/connector/fields.ts';
import type { Native } from '../../../core/connector/types.ts';
import { identityRef } from './promoted-refs.ts';

/** Members of a write that hold what was asked. */
export const MATERIALS = 'smart_materials';
export const TEXTS = 'smart_texts';
export const CTAS = 'smart_ctas';

const FORM: Readonly<Record<string, string>> = {
  SINGLE_VIDEO: 'VIDEO',
  SINGLE_IMAGE: 'IMAGE',
  CAROUSEL_ADS: 'CAROUSEL',
  CATALOG_CAROUSEL: 'SHOPPING',
};
const STATUS: Readonly<Record<string, string>> = {
  ENABLE: 'ACTIVE',
  DISABLE: 'PAUSED',
  DELETE: 'ARCHIVED',
  FROZEN: 'PAUSED',
};

const list = (value: unknown): Native[] =>
  Array.isArray(value) ? value.filter((one): one is Native => one !== null && typeof one === 'object') : [];
const object = (value: unknown): Native => (value !== null && typeof value === 'object' ? (value as Native) : {});
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** One entry of creative_list as a unified material. */
export function materialOf(entry: Native): Native {
  const info = object(entry['creative_info']);
  const assets = [
    text(object(info['video_info'])['video_id']),
    ...list(info['image_info']).map((image) => text(image['web_uri'])),
  ].filter((one) => one !== undefined);
  const format = text(info['ad_format']);
  const status = text(entry['material_operation_status']);
  const material: Native = {
    id: text(entry['ad_material_id']),
    name: text(info['material_name']),
    type: format === undefined ? undefined : (FORM[format] ?? format),
    item_id: text(info['tiktok_item_id']),
    identity_id: identityRef(info),
    asset_ids: assets.length === 0 ? undefined : assets,
    status: status === undefined ? undefined : (STATUS[status] ?? status),
  };
  return Object.fromEntries(Object.entries(material).filter(([, value]) => value !== undefined));
}

const materials: Codec = custom({
  name: 'tiktok.materials',
  decode(native) {
    const found = list((native as Native)['creative_list']).map(materialOf);
    return found.length === 0 ? undefined : found;
  },
  encode(unified, ctx) {
    if (!Array.isArray(unified) || unified.length === 0)
      throw invalid(ctx, 'must be a list with at least one material');
    for (const one of unified as Native[])
      if (
        one === null ||
        typeof one !== 'object' ||
        (one['item_id'] === undefined && one['asset_ids'] === undefined && one['id'] === undefined)
      )
        throw invalid(ctx, 'needs `item_id`, `asset_ids` or, for one that is there already, `id` in every member');
    return { [MATERIALS]: unified };
  },
});

const strings = (name: string, member: string): Codec =>
  custom({
    name: `tiktok.${name}`,
    decode(native) {
      const { ad_text_list: texts, [CTAS]: ctas } = native as Native;
      const found = member === TEXTS ? list(texts).map((one) => text(one['ad_text'])) : ((ctas as unknown[]) ?? []);
      const set = found.filter((one) => one !== undefined);
      return set.length === 0 ? undefined : set;
    },
    encode: (unified, ctx) => ({ [member]: textList.encode?.(unified, ctx) }),
  });

/** Field rules of what an ad of Smart+ chooses from. Manual ads have none of it. */
export const materialFields: readonly FieldRule[] = [
  {
    unified: 'materials',
    native: ['creative_list', MATERIALS],
    codec: materials,
    access: 'write',
    note: 'Smart+ alone. An update replaces the list; members with an `id` stay as they are.',
  },
  {
    unified: 'ad_copies',
    native: ['ad_text_list', TEXTS],
    codec: strings('texts', TEXTS),
    access: 'write',
    note: 'Smart+ alone: up to five.',
  },
  {
    unified: 'ctas',
    native: ['ad_text_list', CTAS],
    codec: strings('ctas', CTAS),
    access: 'write',
    note: 'Smart+ alone: up to three.',
  },
];

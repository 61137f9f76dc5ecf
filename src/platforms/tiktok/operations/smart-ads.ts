/** Ads of Smart+: one ad chooses from many materials, texts and calls to action (smart_plus/ad/{create,update}). */
import { isDeepStrictEqual } from 'node:util';
import type { CreateResult, OperationInput, WriteContext } from '../../../core/connector/object-spec.ts';
import type { Native, Unified } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { MEDIA } from '../entities/ad.ts';
import { CTAS, MATERIALS, materialOf, TEXTS } from '../entities/materials.ts';
import { IDENTITY_REF } from '../entities/promoted-refs.ts';
import { rowsOf } from '../request.ts';
import { mediaMembers } from './media.ts';
import { AD, rawOf } from './shared.ts';
import { asAd, smartAd, smartStatus, smartWrite } from './smart-plus.ts';
import { refOfPost } from './spark.ts';

/** Members of a manual ad that Smart+ has in another form; the rest that it has goes through as it is. */
const PLACED = new Set([
  ...['ad_text', 'call_to_action', 'landing_page_url', 'utm_params', 'dark_post_status', 'page_id'],
  ...['tiktok_item_id', 'video_id', 'image_ids', 'ad_format', 'identity_type', 'identity_id'],
  ...['identity_authorized_bc_id', 'tracking_pixel_id', 'tracking_app_id', 'product_set_id', 'tiktok_page_category'],
  ...[MATERIALS, TEXTS, CTAS, MEDIA],
]);
const DIRECT = new Set(['ad_name', 'operation_status', 'adgroup_id', 'ad_configuration', 'creative_list']);

const object = (value: unknown): Native => (value !== null && typeof value === 'object' ? (value as Native) : {});

const identityMembers = (ref: unknown): Native => {
  const [, identity_type, identity_id, bc] = IDENTITY_REF.exec(String(ref)) ?? [];
  if (identity_type === undefined)
    throw new PolyadError('input_value_invalid', {
      message: '`materials.identity_id` must be the id of an identity, as GET /ads/{connection_id}/identity has it.',
      details: { field: 'materials.identity_id', reason: 'is no identity', value: ref },
    });
  return { identity_type, identity_id, ...(bc === undefined ? {} : { identity_authorized_bc_id: bc }) };
};

const mediaInfo = (members: Native): Native => {
  const { video_id: video, image_ids: images, ad_format } = members;
  return {
    ad_format,
    ...(typeof video === 'string' ? { video_info: { video_id: video } } : {}),
    ...(Array.isArray(images) && images.length > 0 ? { image_info: images.map((web_uri) => ({ web_uri })) } : {}),
  };
};

const identityOf = (native: Native): Native =>
  Object.fromEntries(
    ['identity_type', 'identity_id', 'identity_authorized_bc_id'].flatMap((name) =>
      native[name] === undefined || native[name] === null ? [] : [[name, native[name]]],
    ),
  );

/** Unified materials as creative_list. Those with an id that the ad has stay as they are. */
async function creativeList(
  input: OperationInput,
  materials: readonly Native[],
  identity: Native,
  current: Native | undefined,
  token: string,
): Promise<Native[]> {
  const known = new Map(rowsOf(current ?? {}, 'creative_list').map((entry) => [entry['ad_material_id'], entry]));
  const out: Native[] = [];
  for (const [index, material] of materials.entries()) {
    const kept = known.get(material['id']);
    if (kept !== undefined) {
      out.push({ creative_info: kept['creative_info'] });
      continue;
    }
    if (material['id'] !== undefined)
      throw new PolyadError('input_value_invalid', {
        message: `The ad has no material \`${String(material['id'])}\`.`,
        details: { field: 'materials.id', reason: 'not a material of the ad', allowed: [...known.keys()] },
      });
    const { item_id: item, asset_ids: assets, name } = material;
    const own = material['identity_id'];
    const shown =
      own !== undefined
        ? identityMembers(own)
        : typeof item === 'string'
          ? identityMembers(await refOfPost(input, item))
          : identity;
    const media =
      typeof item === 'string'
        ? { ad_format: material['type'] === 'CAROUSEL' ? 'CAROUSEL_ADS' : 'SINGLE_VIDEO', tiktok_item_id: item }
        : mediaInfo(await mediaMembers(input, (assets as string[]) ?? [], undefined, `${token}${index}`));
    out.push({ creative_info: { ...media, ...shown, ...(name === undefined ? {} : { material_name: name }) } });
  }
  return out;
}

/** The account that an ad's materials are shown under so far; posts of creators bring their own. */
function accountOf(current: Native | undefined): Native {
  const infos = rowsOf(current ?? {}, 'creative_list').map((entry) => object(entry['creative_info']));
  return identityOf(infos.find((info) => info['identity_type'] !== 'AUTH_CODE') ?? {});
}

/** What the members of a manual ad are in Smart+. `given`: native members of the caller, which TikTok judges. */
async function smartMembers(
  input: OperationInput,
  native: Native,
  given: Native,
  current: Native | undefined,
  token: string,
): Promise<Native> {
  for (const name of Object.keys(native))
    if (!PLACED.has(name) && !DIRECT.has(name) && !(name in given))
      throw new PolyadError('input_field_unsupported', {
        message: `Ads of Smart+ do not take \`${name}\`.`,
        details: { field: name, automation: 'smart_plus' },
      });
  const out: Native = Object.fromEntries(Object.entries(native).filter(([name]) => !PLACED.has(name)));
  const { [MATERIALS]: materials, [TEXTS]: texts, [CTAS]: ctas, [MEDIA]: media } = native;
  const named = identityOf(native);
  const identity = named['identity_id'] === undefined ? accountOf(current) : named;
  if (Array.isArray(materials))
    out['creative_list'] = await creativeList(input, materials as Native[], identity, current, token);
  else if (typeof native['tiktok_item_id'] === 'string')
    out['creative_list'] = [
      {
        creative_info: {
          ad_format: native['ad_format'] ?? 'SINGLE_VIDEO',
          tiktok_item_id: native['tiktok_item_id'],
          ...identity,
        },
      },
    ];
  else if (Array.isArray(media) || native['video_id'] !== undefined || native['image_ids'] !== undefined) {
    const members = Array.isArray(media)
      ? await mediaMembers(input, media as string[], native['ad_format'], token)
      : { ...native, ad_format: native['ad_format'] ?? 'SINGLE_VIDEO' };
    out['creative_list'] = [{ creative_info: { ...mediaInfo(members), ...identity } }];
  }
  const listed = (name: string, member: string, values: unknown): void => {
    if (values !== undefined) out[name] = (values as unknown[]).map((value) => ({ [member]: value }));
  };
  listed('ad_text_list', 'ad_text', texts ?? (native['ad_text'] === undefined ? undefined : [native['ad_text']]));
  const cta = native['call_to_action'];
  listed('call_to_action_list', 'call_to_action', ctas ?? (cta === undefined ? undefined : [cta]));
  const landing = native['landing_page_url'];
  if (landing !== undefined) out['landing_page_url_list'] = [{ landing_page_url: landing }];
  if (native['page_id'] !== undefined) out['page_list'] = [{ page_id: native['page_id'] }];
  const tracking = Object.fromEntries(
    ['tracking_pixel_id', 'tracking_app_id'].flatMap((name) =>
      native[name] === undefined ? [] : [[name, native[name]]],
    ),
  );
  const configuration: Native = {
    ...object(given['ad_configuration']),
    ...Object.fromEntries(
      ['utm_params', 'dark_post_status', 'product_set_id'].flatMap((name) =>
        native[name] === undefined ? [] : [[name, native[name]]],
      ),
    ),
    ...(Object.keys(tracking).length === 0
      ? {}
      : { tracking_info: { ...object(object(given['ad_configuration'])['tracking_info']), ...tracking } }),
  };
  if (Object.keys(configuration).length > 0) out['ad_configuration'] = configuration;
  return out;
}

/** The row of an answer; read again where it holds less than the ad. */
async function whole(input: OperationInput, id: string, row: Native): Promise<Native> {
  if (row['creative_list'] !== undefined && row['create_time'] !== undefined) return asAd(row);
  return (await smartAd(input, id)) ?? asAd({ ...row, smart_plus_ad_id: id });
}

/** Creates one ad of Smart+ in one of its ad groups. */
export async function createSmartAd(input: OperationInput, native: Native, write: WriteContext): Promise<CreateResult> {
  const body = await smartMembers(input, native, rawOf(write.unified), undefined, write.requestToken);
  const row = await smartWrite(input, 'smart_plus/ad/create', body);
  return { row: await whole(input, String(row['smart_plus_ad_id']), row) };
}

/** Refuses to set one where an ad chooses among several, for the others would be lost. */
function refuseOneOfMany(current: Native, field: string, list: string, many: readonly unknown[]): void {
  if (many.length < 2) return;
  throw new PolyadError('input_value_invalid', {
    message: `The ad chooses among ${many.length}: change \`${list}\` rather than \`${field}\`.`,
    details: { field, reason: 'one of several', instead: list, id: current['smart_plus_ad_id'] },
  });
}

/** Members of a change that only repeat what the ad has are dropped; those that would lose others are refused. */
function changedMembers(native: Native, current: Native, unified: Unified): Native {
  const out: Native = {};
  const have = { materials: rowsOf(current, 'creative_list').map(materialOf) };
  for (const [name, value] of Object.entries(native)) {
    if (isDeepStrictEqual(value, current[name])) continue;
    if (name === MATERIALS && isDeepStrictEqual(unified['materials'], have.materials)) continue;
    const texts = rowsOf(current, 'ad_text_list').map((one) => one['ad_text']);
    if (name === TEXTS && isDeepStrictEqual(value, texts)) continue;
    if (name === 'ad_text' && native[TEXTS] === undefined) refuseOneOfMany(current, 'ad_copy', 'ad_copies', texts);
    if (name === 'call_to_action' && native[CTAS] === undefined)
      refuseOneOfMany(current, 'cta', 'ctas', (current[CTAS] as unknown[]) ?? []);
    if ((name === 'tiktok_item_id' || name === 'video_id' || name === MEDIA) && native[MATERIALS] === undefined)
      refuseOneOfMany(current, 'item_id', 'materials', have.materials);
    out[name] = value;
  }
  return out;
}

/** Changes an ad of Smart+. Pausing comes first and activating last. */
export async function updateSmartAd(
  input: OperationInput,
  id: string,
  native: Native,
  write: WriteContext,
): Promise<CreateResult> {
  const current = await write.current();
  const { operation_status: status, ...rest } = changedMembers(native, current, write.unified);
  const identity = identityOf(rest);
  const set = async (): Promise<void> => {
    const [outcome] = await smartStatus(input, AD, [id], status);
    if (outcome?.error !== undefined) throw new PolyadError(outcome.error.code, { message: outcome.error.message });
  };
  if (status === 'DISABLE') await set();
  if (Object.keys(rest).length > 0) {
    const body = await smartMembers(input, rest, rawOf(write.unified), current, write.requestToken);
    // Another identity is that of all materials: they are sent again under it.
    if (Object.keys(identity).length > 0 && body['creative_list'] === undefined)
      body['creative_list'] = rowsOf(current, 'creative_list').map((entry) => ({
        creative_info: { ...object(entry['creative_info']), ...identity },
      }));
    await smartWrite(input, 'smart_plus/ad/update', { smart_plus_ad_id: id, ...body }, { ad: id, idempotent: true });
  }
  if (status === 'ENABLE') await set();
  const row = await smartAd(input, id);
  if (row === undefined) throw new PolyadError('platform_not_found', { details: { object: 'ad', id } });
  return { row };
}

/** Refuses what manual ads have not. */
export function refuseMaterials(unified: Unified): void {
  for (const field of ['materials', 'ad_copies', 'ctas'])
    if (unified[field] !== undefined)
      throw new PolyadError('input_field_unsupported', {
        message: `\`${field}\` is for ads of Smart+; the ad’s group is a manual one.`,
        details: {
          field,
          automation: 'manual',
          instead: { materials: 'item_id', ad_copies: 'ad_copy', ctas: 'cta' }[field],
        },
      });
}

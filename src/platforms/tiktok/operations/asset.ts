/** Assets: the image and video library of an ad account. */
import type { ListFilters, ObjectSpec, OperationInput } from '../../../core/connector/object-spec.ts';
import type { Native } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { assetFields } from '../entities/asset.ts';
import { call, pages, read, rowsOf } from '../request.ts';
import { fileNameOf, kindOfAssetId, LIBRARY, type MediaKind, mediaKind, type Upload, upload } from './media.ts';
import { PAGE_SIZE } from './shared.ts';

async function* list(input: OperationInput, { type }: ListFilters): AsyncGenerator<Native, void, undefined> {
  if (type !== undefined && type !== 'IMAGE' && type !== 'VIDEO')
    throw new PolyadError('input_value_unsupported', {
      message: `TikTok has no assets of type \`${type}\`.`,
      details: { field: 'type', value: type, allowed: ['IMAGE', 'VIDEO'] },
    });
  const kinds: readonly MediaKind[] = type === undefined ? ['IMAGE', 'VIDEO'] : [type];
  for (const kind of kinds) yield* pages(input, LIBRARY[kind].endpoint, { rows: 'list', size: PAGE_SIZE });
}

async function get(input: OperationInput, id: string): Promise<Native | undefined> {
  const kind = kindOfAssetId(id);
  if (kind === undefined) return undefined;
  const { info, ids, id: member } = LIBRARY[kind];
  try {
    return rowsOf(await read(input, info, { [ids]: [id] }), 'list').find((row) => row[member] === id);
  } catch (error) {
    // TikTok refuses ids that the account does not have, as a parameter error or by 40053 and 40905.
    if (error instanceof PolyadError && ['platform_rejected', 'platform_not_found'].includes(error.code))
      return undefined;
    throw error;
  }
}

/** What a caller wants uploaded, from the encoded body. */
function uploadOf(native: Native): Upload {
  const { url, content, mime_type: mime, type, file_name: name } = native as Record<string, string | undefined>;
  if ((url === undefined) === (content === undefined))
    throw new PolyadError('input_field_required', {
      message: 'An asset is made from `url` or from `content`, one of them.',
      details: { missing: ['url', 'content'] },
    });
  const kind = type ?? mediaKind(url, mime);
  if (kind !== 'IMAGE' && kind !== 'VIDEO')
    throw new PolyadError(kind === undefined ? 'input_field_required' : 'input_value_unsupported', {
      message: 'TikTok must know whether the asset is an image or a video: set `type`.',
      details: { field: 'type', missing: ['type'], allowed: ['IMAGE', 'VIDEO'] },
    });
  const named = name === undefined ? {} : { name };
  if (url !== undefined) return { kind, source: { url }, ...named };
  if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(content as string))
    throw new PolyadError('input_value_invalid', {
      message: '`content` must be base64.',
      details: { field: 'content', reason: 'not base64' },
    });
  const contentType = mime ?? (kind === 'IMAGE' ? 'image/jpeg' : 'video/mp4');
  return { kind, source: { data: Buffer.from(content as string, 'base64'), contentType }, ...named };
}

/** TikTok's images and videos as unified assets. */
export const asset: ObjectSpec = {
  native: 'file',
  scope: 'organization',
  fields: assetFields,
  list: {
    request: ({ ctx, organization }) =>
      call(ctx, {
        endpoint: 'file/image/ad/search',
        organizationId: organization.id,
        query: { advertiser_id: organization.id },
      }),
    rows: 'data.list',
    paging: { kind: 'page', page: 'page', size: 'page_size', maxSize: PAGE_SIZE, firstPage: 1 },
    filters: { type: { kind: 'local' }, query: { kind: 'local' }, updated_gte: { kind: 'local' } },
    run: list,
  },
  get,
  async prepare(_input, unified, verb) {
    if (verb === 'create') uploadOf({ ...unified, file_name: unified['name'] });
    return unified;
  },
  create: async (input, native, { requestToken }) => ({ row: await upload(input, uploadOf(native), requestToken) }),
  idempotency: {
    find: async (input, { native, requestToken }) => {
      const { kind, name, source } = uploadOf(native);
      const known = name ?? ('data' in source ? fileNameOf(requestToken, source.contentType) : undefined);
      if (known === undefined) return undefined;
      const rows = await Array.fromAsync(list(input, { type: kind }));
      return rows.filter((row) => row['file_name'] === known);
    },
    settledMs: 120_000,
    check: 'In TikTok Ads Manager, look for the file in the creative library of the ad account.',
  },
  refusals: {
    update: 'Rename files by pass-through: POST open_api/v1.3/file/image/ad/update/ or file/video/ad/update/.',
    remove: 'Delete files by pass-through: POST open_api/v1.3/creative/asset/delete/.',
  },
};

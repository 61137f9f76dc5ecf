import { hex } from '../../kit/random.ts';
import { readyAt } from '../ad-rules.ts';
import { imageView, videoView } from '../file-views.ts';
import { dropContent, fileName, isoTime, mediaUrl } from '../files.ts';
import { checkFilters } from '../objects.ts';
import { page } from '../paging.ts';
import { advertiserId, advertiserIdOf, paging } from '../params.ts';
import { given, invalid, missing } from '../rules.ts';
import { type Call, type Endpoint, type Native, type Param, TikTokError } from '../types.ts';

/** Pictures and videos after their upload: file/{image,video}/ad/{info,search,update}, file/name/check, file/video/suggestcover, creative/asset/delete. */

/** Rows of the named ids that the account has, in the order asked; ids that do not exist are left out (unverified). */
function named(
  rows: { get(id: string): Native | undefined },
  ids: unknown,
  advertiserId: string,
  max: number,
): Native[] {
  const list = ids as string[];
  if (list.length > max) throw new TikTokError(40011, `The number of ids exceeds the limit of ${max}.`);
  return list.map((id) => rows.get(id)).filter((row): row is Native => row?.advertiser_id === advertiserId);
}

interface FileFilter {
  image_ids?: string[];
  video_ids?: string[];
  material_ids?: string[];
  width?: number;
  height?: number;
  ratio?: number[];
  displayable?: boolean;
}

/** `image_ids` or `video_ids`, and facts of the file. Ratio is width to height. */
const FILE_FILTERS = (ids: string): Param[] => [
  { name: ids, type: 'array', items: { type: 'string' }, max: 100 },
  { name: 'material_ids', type: 'array', items: { type: 'string' }, max: 100 },
  { name: 'width', type: 'number' },
  { name: 'height', type: 'number' },
  { name: 'ratio', type: 'array', items: { type: 'number' } },
  { name: 'displayable', type: 'boolean' },
];

function search(
  call: Call,
  rows: readonly Native[],
  ids: 'image_ids' | 'video_ids',
  view: (row: Native) => Record<string, unknown>,
): unknown {
  const filter = (call.params['filtering'] ?? {}) as FileFilter;
  checkFilters(filter as Record<string, unknown>, FILE_FILTERS(ids));
  const found = rows.toReversed().filter((row) => {
    const ratio = Number(row['width']) / Number(row['height']);
    return (
      (!filter[ids] || filter[ids].includes(row.id)) &&
      (!filter.material_ids || filter.material_ids.includes(String(row['material_id']))) &&
      (filter.width === undefined || row['width'] === filter.width) &&
      (filter.height === undefined || row['height'] === filter.height) &&
      (!filter.ratio || filter.ratio.some((wanted) => Math.abs(wanted - ratio) < 0.01)) &&
      (filter.displayable === undefined || view(row)['displayable'] === filter.displayable)
    );
  });
  const { list, page_info } = page(found, { ...call, params: { page_size: 20, ...call.params } }, 1000);
  return { list: list.map(view), page_info };
}

function rename(call: Call, kind: 'image' | 'video'): unknown {
  const rows = kind === 'image' ? call.world.images : call.world.videos;
  const advertiserId = advertiserIdOf(call);
  const id = String(call.params[`${kind}_id`]);
  const row = rows.get(id);
  if (row?.advertiser_id !== advertiserId) throw new TikTokError(40905, `The ${kind} ${id} does not exist.`);
  const others = rows.by('advertiser', advertiserId).filter((other) => other.id !== id);
  const name = fileName(others, call.params['file_name'], '', id);
  rows.put({ ...row, file_name: name, modify_time: isoTime(call.now) });
  return {};
}

/** Answers which names are taken. The members of the answer are (unverified). */
function checkNames(call: Call): unknown {
  const { world, params } = call;
  const asked = (params['files'] as { file_name: string; file_type?: string }[] | undefined) ?? [];
  if (given(params, 'file_name')) {
    asked.push({ file_name: String(params['file_name']), file_type: String(params['file_type'] ?? 'IMAGE') });
  }
  if (asked.length === 0) missing('file_name');
  const advertiserId = advertiserIdOf(call);
  const list = asked.map(({ file_name, file_type = 'IMAGE' }) => {
    const rows = /video/i.test(file_type) ? world.videos : world.images;
    const existed = rows.by('advertiser', advertiserId).some((row) => row['file_name'] === file_name);
    return { file_name, file_type, existed };
  });
  return { list };
}

function covers(call: Call): unknown {
  const id = String(call.params['video_id']);
  const row = call.world.videos.get(id);
  if (row?.advertiser_id !== advertiserIdOf(call)) throw new TikTokError(40905, `The video ${id} does not exist.`);
  if (call.now.getTime() < readyAt(row)) {
    throw new TikTokError(40901, `The video ${id} is still being transcoded. Try again later.`);
  }
  const count = Number(call.params['poster_number'] ?? 10);
  return {
    list: Array.from({ length: count }, (_, i) => ({
      id: `tos-alisg-p-0051c001-sg/${hex(32, 'cover', id, i)}`,
      width: row['width'],
      height: row['height'],
      url: mediaUrl(call.origin, 'cover', `${id}@${i}`),
    })),
  };
}

function removeAssets(call: Call): unknown {
  const { world, params } = call;
  const advertiserId = advertiserIdOf(call);
  const images = (params['image_ids'] ?? []) as string[];
  const videos = (params['video_ids'] ?? []) as string[];
  if (images.length + videos.length === 0) invalid('Missing required field(s): image_ids.');
  // Material of an ad that is not deleted stays (unverified).
  const inUse = new Set<unknown>();
  for (const ad of world.ads.by('advertiser', advertiserId)) {
    if (ad['operation_status'] === 'DELETE') continue;
    inUse.add(ad['video_id']);
    for (const id of (ad['image_ids'] as string[] | undefined) ?? []) inUse.add(id);
  }
  const remove = (rows: typeof world.images, ids: string[]) =>
    ids.filter((id) => {
      if (rows.get(id)?.advertiser_id !== advertiserId || inUse.has(id)) return true;
      rows.delete(id);
      dropContent(world, id);
      return false;
    });
  return { failed_image_ids: remove(world.images, images), failed_video_ids: remove(world.videos, videos) };
}

const name: Param = { name: 'file_name', type: 'string', min: 1, max: 100 };
const ids = (field: string): Param => ({
  name: field,
  type: 'array',
  items: { type: 'string' },
  required: true,
  min: 1,
});
const text = (field: string): Param => ({ name: field, type: 'string' });
const read = { method: 'GET', auth: 'token' } as const;
const write = { method: 'POST', auth: 'token', write: true } as const;

/** Pictures and videos that are there already. */
export const endpoints: Endpoint[] = [
  {
    ...read,
    path: 'file/image/ad/info',
    scopes: ['600'],
    params: [advertiserId, ids('image_ids')],
    handle: (call) => ({
      list: named(call.world.images, call.params['image_ids'], advertiserIdOf(call), 100).map((row) =>
        imageView(call.origin, row),
      ),
    }),
  },
  {
    ...read,
    path: 'file/video/ad/info',
    scopes: ['610'],
    params: [advertiserId, ids('video_ids')],
    handle: (call) => ({
      list: named(call.world.videos, call.params['video_ids'], advertiserIdOf(call), 60).map((row) =>
        videoView(call, row),
      ),
    }),
  },
  {
    ...read,
    path: 'file/image/ad/search',
    scopes: ['600'],
    params: [advertiserId, { name: 'filtering', type: 'object', fields: FILE_FILTERS('image_ids') }, ...paging],
    handle: (call) =>
      search(call, call.world.images.by('advertiser', advertiserIdOf(call)), 'image_ids', (row) =>
        imageView(call.origin, row),
      ),
  },
  {
    ...read,
    path: 'file/video/ad/search',
    scopes: ['610'],
    params: [advertiserId, { name: 'filtering', type: 'object', fields: FILE_FILTERS('video_ids') }, ...paging],
    handle: (call) =>
      search(call, call.world.videos.by('advertiser', advertiserIdOf(call)), 'video_ids', (row) =>
        videoView(call, row),
      ),
  },
  {
    ...write,
    path: 'file/image/ad/update',
    scopes: ['601'],
    params: [advertiserId, { ...name, required: true }, { ...text('image_id'), required: true }],
    handle: (call) => rename(call, 'image'),
  },
  {
    ...write,
    path: 'file/video/ad/update',
    scopes: ['611'],
    params: [advertiserId, { ...name, required: true }, { ...text('video_id'), required: true }],
    handle: (call) => rename(call, 'video'),
  },
  {
    ...read,
    path: 'file/name/check',
    params: [
      advertiserId,
      name,
      text('file_type'),
      {
        name: 'files',
        type: 'array',
        items: { type: 'object', fields: [{ ...name, required: true }, text('file_type')] },
        max: 100,
      },
    ],
    handle: checkNames,
  },
  {
    ...read,
    path: 'file/video/suggestcover',
    scopes: ['612'],
    params: [
      advertiserId,
      { ...text('video_id'), required: true },
      { name: 'poster_number', type: 'integer', min: 1, max: 10 },
    ],
    handle: covers,
  },
  {
    ...write,
    path: 'creative/asset/delete',
    params: [
      advertiserId,
      { name: 'image_ids', type: 'array', items: { type: 'string' }, max: 50 },
      { name: 'video_ids', type: 'array', items: { type: 'string' }, max: 50 },
    ],
    handle: removeAssets,
  },
];

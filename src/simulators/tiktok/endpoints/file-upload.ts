import { hex } from '../../kit/random.ts';
import { imageView, videoView } from '../file-views.ts';
import {
  checkImage,
  checkVideo,
  fileById,
  fileFromUrl,
  fileName,
  filePart,
  isoTime,
  keepContent,
  type Source,
  videoId,
} from '../files.ts';
import { md5 } from '../media.ts';
import { advertiserId, advertiserIdOf } from '../params.ts';
import { given, missing } from '../rules.ts';
import { stamp } from '../stamp.ts';
import { type Call, type Endpoint, type Native, type Param, TikTokError } from '../types.ts';

/** Uploads that make a picture or a video of an ad account: file/{image,video}/ad/upload. */

async function uploadImage(call: Call): Promise<unknown> {
  const { world, params } = call;
  const advertiserId = advertiserIdOf(call);
  const way = params['upload_type'] ?? 'UPLOAD_BY_FILE';
  if (way === 'UPLOAD_BY_URL' && !given(params, 'image_url')) missing('image_url');
  const source: Source =
    way === 'UPLOAD_BY_URL'
      ? await fileFromUrl('image_url', params['image_url'], 'image')
      : way === 'UPLOAD_BY_FILE_ID'
        ? fileById(call, advertiserId)
        : filePart(call, 'image_file', 'image_signature');
  const facts = checkImage(source);
  const material = world.nextId();
  const at = isoTime(call.now);
  const id = `ad-site-i18n-sg/${at.slice(0, 10).replaceAll('-', '')}5d0d${hex(20, 'image', advertiserId, material)}`;
  const name = fileName(world.images.by('advertiser', advertiserId), params['file_name'], source.name, id);
  const row: Native = {
    id,
    advertiser_id: advertiserId,
    material_id: material,
    ...facts,
    size: source.told ?? source.bytes.length,
    signature: md5(source.bytes),
    file_name: name,
    displayable: true,
    is_carousel_usable: facts.width >= 200 && facts.height >= 200,
    create_time: at,
    modify_time: at,
  };
  keepContent(world, id, source.bytes);
  world.images.put(row);
  return imageView(call.origin, row);
}

/** A copy of a video of another ad account that the token reaches. */
function videoSource(call: Call): Native {
  if (!given(call.params, 'video_id')) missing('video_id');
  const id = String(call.params['video_id']);
  const row = call.world.videos.get(id);
  if (!row || !call.grant?.advertiser_ids.includes(row.advertiser_id)) {
    throw new TikTokError(40905, `The video ${id} does not exist.`);
  }
  return row;
}

async function uploadVideo(call: Call): Promise<unknown> {
  const { world, params } = call;
  const advertiserId = advertiserIdOf(call);
  const way = params['upload_type'] ?? 'UPLOAD_BY_FILE';
  if (way === 'UPLOAD_BY_URL' && !given(params, 'video_url')) missing('video_url');
  const material = world.nextId();
  const id = videoId(material);
  // Read when the file is there: another upload may have taken the name meanwhile.
  const siblings = () => world.videos.by('advertiser', advertiserId);
  const common = {
    id,
    advertiser_id: advertiserId,
    material_id: material,
    create_time: isoTime(call.now),
    modify_time: isoTime(call.now),
    _ready_at: stamp(new Date(call.now.getTime() + world.settings.transcode_delay_ms)),
  };
  let row: Native;
  if (way === 'UPLOAD_BY_VIDEO_ID') {
    const original = videoSource(call);
    row = {
      ...original,
      ...common,
      file_name: fileName(siblings(), params['file_name'], String(original['file_name'] ?? ''), id),
    };
  } else {
    const source: Source =
      way === 'UPLOAD_BY_URL'
        ? await fileFromUrl('video_url', params['video_url'], 'video')
        : way === 'UPLOAD_BY_FILE_ID'
          ? fileById(call, advertiserId)
          : filePart(call, 'video_file', 'video_signature');
    const facts = checkVideo(source);
    const size = source.told ?? source.bytes.length;
    const flaws = [
      ...(facts.width < 540 && facts.height < 540 ? ['LOW_RESOLUTION'] : []),
      ...(facts.duration < 5 || facts.duration > 600 ? ['ILLEGAL_DURATION'] : []),
    ];
    row = {
      ...common,
      ...facts,
      size,
      bit_rate: Math.round((size * 8) / facts.duration),
      signature: md5(source.bytes),
      file_name: fileName(siblings(), params['file_name'], source.name, id),
      // Only looked for when asked (TikTok docs 1737587322856449).
      flaw_types: params['flaw_detect'] === true ? flaws : null,
      fix_task_id:
        params['flaw_detect'] === true && params['auto_fix_enabled'] === true && flaws.length > 0
          ? world.nextId()
          : null,
    };
    keepContent(world, id, source.bytes);
  }
  world.videos.put(row);
  // An array, unlike the answer of image upload: sample answer of the official reference.
  return [videoView(call, row)];
}

const name: Param = { name: 'file_name', type: 'string', min: 1, max: 100 };
const way = (...ways: string[]): Param => ({ name: 'upload_type', type: 'string', enum: ways });
const text = (field: string): Param => ({ name: field, type: 'string' });
const flag = (field: string): Param => ({ name: field, type: 'boolean' });
const write = { method: 'POST', auth: 'token', write: true } as const;

/** Uploads of pictures and videos. */
export const endpoints: Endpoint[] = [
  {
    ...write,
    path: 'file/image/ad/upload',
    scopes: ['601'],
    sandbox: true,
    params: [
      advertiserId,
      way('UPLOAD_BY_FILE', 'UPLOAD_BY_URL', 'UPLOAD_BY_FILE_ID'),
      name,
      text('image_signature'),
      text('image_url'),
      text('file_id'),
    ],
    handle: uploadImage,
  },
  {
    ...write,
    path: 'file/video/ad/upload',
    scopes: ['611'],
    sandbox: true,
    params: [
      advertiserId,
      way('UPLOAD_BY_FILE', 'UPLOAD_BY_URL', 'UPLOAD_BY_FILE_ID', 'UPLOAD_BY_VIDEO_ID'),
      name,
      text('video_signature'),
      text('video_url'),
      text('file_id'),
      text('video_id'),
      flag('flaw_detect'),
      flag('auto_fix_enabled'),
      flag('auto_bind_enabled'),
      flag('is_third_party'),
    ],
    handle: uploadVideo,
  },
];

/** Images and videos: upload by URL or content, and what an ad makes of them. */
import { createHash } from 'node:crypto';
import type { OperationInput } from '../../../core/connector/object-spec.ts';
import type { FormPart, Native } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { call, dataOf, pages, rawQuery } from '../request.ts';
import { PAGE_SIZE } from './shared.ts';

export type MediaKind = 'IMAGE' | 'VIDEO';

/** What is to be uploaded: from an address that TikTok fetches, or as bytes. */
export interface Upload {
  kind: MediaKind;
  name?: string;
  source: { url: string } | { data: Uint8Array; contentType: string };
}

const ENDPOINT: Readonly<Record<MediaKind, string>> = { IMAGE: 'file/image/ad/upload', VIDEO: 'file/video/ad/upload' };

/** Where the library has files of a kind, and what it calls their ids. */
export const LIBRARY: Readonly<Record<MediaKind, { endpoint: string; info: string; ids: string; id: string }>> = {
  IMAGE: { endpoint: 'file/image/ad/search', info: 'file/image/ad/info', ids: 'image_ids', id: 'image_id' },
  VIDEO: { endpoint: 'file/video/ad/search', info: 'file/video/ad/info', ids: 'video_ids', id: 'video_id' },
};

/** Name of a file whose caller gave it none. */
export const fileNameOf = (token: string, contentType: string): string =>
  `polyad-${token}.${contentType.split('/')[1] ?? 'bin'}`;

/**
 * Uploads one file and answers its row. TikTok checks bytes against their MD5 (40900) and wants file names to be unique
 * in the account (40911); videos answer a list, and are transcoded after the answer (40901 when used too early).
 */
export async function upload(input: OperationInput, file: Upload, token: string): Promise<Native> {
  const { ctx, organization } = input;
  const field = file.kind === 'IMAGE' ? 'image' : 'video';
  const parts: FormPart[] = [{ name: 'advertiser_id', value: organization.id }];
  if ('url' in file.source)
    parts.push({ name: 'upload_type', value: 'UPLOAD_BY_URL' }, { name: `${field}_url`, value: file.source.url });
  else {
    const { data, contentType } = file.source;
    const filename = file.name ?? fileNameOf(token, contentType);
    parts.push(
      { name: 'upload_type', value: 'UPLOAD_BY_FILE' },
      { name: `${field}_signature`, value: createHash('md5').update(data).digest('hex') },
      { name: `${field}_file`, value: { filename, contentType, data } },
    );
  }
  if (file.name !== undefined) parts.push({ name: 'file_name', value: file.name });
  const raw = rawQuery(input);
  const response = await ctx.request(
    call(ctx, {
      method: 'POST',
      endpoint: ENDPOINT[file.kind],
      organizationId: organization.id,
      multipart: parts,
      ...(Object.keys(raw).length === 0 ? {} : { query: raw }),
    }),
  );
  return dataOf(response);
}

/**
 * Uploads what an ad shows; answers its id. The name comes from the write's token, so that a repetition of the write
 * (a video is transcoded after its upload, and the ad refused until then) finds the file and does not upload it again.
 */
async function uploadOnce(input: OperationInput, kind: MediaKind, url: string, token: string): Promise<string> {
  const name = fileNameOf(token, kind === 'VIDEO' ? 'video/mp4' : 'image/jpeg');
  const { endpoint, id } = LIBRARY[kind];
  try {
    return String((await upload(input, { kind, name, source: { url } }, token))[id]);
  } catch (error) {
    if (!(error instanceof PolyadError) || error.code !== 'platform_conflict') throw error;
    for await (const row of pages(input, endpoint, { rows: 'list', size: PAGE_SIZE }))
      if (row['file_name'] === name) return String(row[id]);
    throw error;
  }
}

/** Takes a file that was uploaded in pieces into the library; answers its row. */
export async function uploadById(
  { ctx, organization }: OperationInput,
  kind: MediaKind,
  fileId: string,
  name: string,
): Promise<Native> {
  const response = await ctx.request(
    call(ctx, {
      method: 'POST',
      endpoint: ENDPOINT[kind],
      organizationId: organization.id,
      multipart: [
        { name: 'advertiser_id', value: organization.id },
        { name: 'upload_type', value: 'UPLOAD_BY_FILE_ID' },
        { name: 'file_id', value: fileId },
        { name: 'file_name', value: name },
      ],
    }),
  );
  return dataOf(response);
}

const VIDEO_FILE = /\.(mp4|mov|mpe?g|avi|m4v|3gp|webm)$/i;
const IMAGE_FILE = /\.(jpe?g|png|gif|webp|bmp)$/i;

/** Kind of a file by the path of its URL or by its content type; undefined when neither tells. */
export function mediaKind(url: string | undefined, contentType: string | undefined): MediaKind | undefined {
  if (contentType?.startsWith('video/')) return 'VIDEO';
  if (contentType?.startsWith('image/')) return 'IMAGE';
  const path = url === undefined ? '' : (url.split(/[?#]/)[0] ?? '');
  return VIDEO_FILE.test(path) ? 'VIDEO' : IMAGE_FILE.test(path) ? 'IMAGE' : undefined;
}

/** Image ids have a slash (`ad-site-i18n-sg/…`, `v0201/…`), video ids are one word that begins with v (`v10033g5…`). */
export function kindOfAssetId(id: string): MediaKind | undefined {
  if (/^https?:/i.test(id)) return undefined;
  if (id.includes('/')) return 'IMAGE';
  return /^v[0-9a-z]{5,}$/i.test(id) ? 'VIDEO' : undefined;
}

const FORMAT_KIND: Readonly<Record<string, MediaKind>> = {
  SINGLE_VIDEO: 'VIDEO',
  SINGLE_IMAGE: 'IMAGE',
  CAROUSEL_ADS: 'IMAGE',
};

/**
 * Turns URLs and asset ids into the members of an ad: the one video, the images (the cover of a video, the picture, or
 * the cards of a carousel), and the ad format that follows from them. URLs are uploaded.
 */
export async function mediaMembers(
  input: OperationInput,
  sources: readonly string[],
  format: unknown,
  token: string,
): Promise<Native> {
  const videos: string[] = [];
  const images: string[] = [];
  for (const [index, source] of sources.entries()) {
    const known = kindOfAssetId(source);
    const kind = known ?? mediaKind(source, undefined) ?? FORMAT_KIND[String(format)];
    if (kind === undefined || (known === undefined && !/^https?:/i.test(source)))
      throw new PolyadError('input_value_invalid', {
        message: `Neither the id of an asset nor a URL whose kind of file shows: ${source}`,
        details: { field: 'asset_urls', reason: 'unknown media', value: source },
      });
    const id = known === undefined ? await uploadOnce(input, kind, source, `${token}${index}`) : source;
    (kind === 'VIDEO' ? videos : images).push(id);
  }
  if (videos.length > 1)
    throw new PolyadError('input_value_invalid', {
      message: 'An ad of TikTok shows one video.',
      details: { field: 'asset_urls', reason: 'several videos', videos },
    });
  const [video] = videos;
  return {
    ...(video === undefined ? {} : { video_id: video }),
    ...(images.length === 0 ? {} : { image_ids: images }),
    ad_format: format ?? (video === undefined ? (images.length > 1 ? 'CAROUSEL_ADS' : 'SINGLE_IMAGE') : 'SINGLE_VIDEO'),
  };
}

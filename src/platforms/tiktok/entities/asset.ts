/** Fields of an image or video. Source: file/{image,video}/ad/*, TikTok docs 1739067433456642, 1737587322856449. */
import { type Codec, custom, id, integer, text, time } from '../../../core/connector/codecs.ts';
import type { FieldRule } from '../../../core/connector/fields.ts';

const isVideo = (row: Record<string, unknown>): boolean => typeof row['video_id'] === 'string';

const either = (name: string, video: string, image: string, fallback?: string): Codec =>
  custom({
    name,
    decode(native) {
      const row = native as Record<string, unknown>;
      const value = isVideo(row) ? row[video] : (row[image] ?? (fallback === undefined ? undefined : row[fallback]));
      return text().decode(value, {});
    },
  });

/** Something that the upload takes in its own way. */
const forUpload = (codec: Codec): Codec => ({ ...codec, encode: (unified) => unified });

const IMAGE_FORMATS: ReadonlySet<string> = new Set(['jpeg', 'jpg', 'png', 'gif', 'webp', 'bmp']);

/** `format` is the bare name of the format: `jpeg`, `mp4`. */
const mimeType: Codec = custom({
  name: 'tiktok.format',
  decode(native) {
    const row = native as Record<string, unknown>;
    const format = text().decode(row['format'], {}) as string | undefined;
    if (format === undefined || format.includes('/')) return format;
    const lower = format.toLowerCase();
    if (isVideo(row)) return `video/${lower}`;
    return `image/${IMAGE_FORMATS.has(lower) && lower === 'jpg' ? 'jpeg' : lower}`;
  },
  encode: (unified) => ({ mime_type: unified }),
});

/** Times of files are ISO in answers of uploads, and `YYYY-MM-DD HH:MM:SS` UTC elsewhere. */
const eitherTime: Codec = custom({
  name: 'tiktok.fileTime',
  decode: (native, ctx) =>
    typeof native === 'string' && native.includes('T')
      ? time.iso.decode(native, ctx)
      : time.utcText.decode(native, ctx),
});

/** Field rules of the asset. */
export const assetFields: readonly FieldRule[] = [
  {
    unified: 'id',
    native: ['video_id', 'image_id'],
    codec: either('tiktok.assetId', 'video_id', 'image_id'),
    access: 'read',
  },
  {
    unified: 'type',
    native: ['video_id', 'image_id', 'type'],
    codec: custom({
      name: 'tiktok.assetType',
      allowed: ['IMAGE', 'VIDEO'],
      decode: (native) => (isVideo(native as Record<string, unknown>) ? 'VIDEO' : 'IMAGE'),
      encode: (unified) => ({ type: unified }),
    }),
    access: 'create',
    note: 'Follows from `mime_type` or the URL when absent.',
  },
  { unified: 'name', native: 'file_name', codec: text({ max: 100 }), access: 'create' },
  {
    unified: 'url',
    native: ['video_id', 'preview_url', 'image_url', 'url'],
    codec: {
      ...either('tiktok.assetUrl', 'preview_url', 'image_url', 'url'),
      encode: (unified) => ({ url: unified }),
    },
    access: 'create',
    note: 'Read: an address that is valid for about an hour. Written: where TikTok fetches the file.',
  },
  {
    unified: 'content',
    native: 'content',
    codec: forUpload(id),
    access: 'create_only',
    note: 'The file itself, base64.',
  },
  { unified: 'mime_type', native: ['video_id', 'format', 'mime_type'], codec: mimeType, access: 'create' },
  { unified: 'file_size', native: 'size', codec: integer(), access: 'read' },
  { unified: 'width', native: 'width', codec: integer({ unset: 0 }), access: 'read' },
  { unified: 'height', native: 'height', codec: integer({ unset: 0 }), access: 'read' },
  { unified: 'created_at', native: 'create_time', codec: eitherTime, access: 'read' },
  { unified: 'updated_at', native: 'modify_time', codec: eitherTime, access: 'read' },
];

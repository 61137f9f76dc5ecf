/** Uploads in pieces: file/start/upload, file/transfer/upload, file/finish/upload, then the library by `file_id`. */
import { createHash } from 'node:crypto';
import type { MediaRange, MediaSpec } from '../../core/connector/media-spec.ts';
import type { OperationInput } from '../../core/connector/object-spec.ts';
import type { Native } from '../../core/connector/types.ts';
import { uploadById } from './operations/media.ts';
import { call, dataOf, write as send } from './request.ts';

const rangeOf = (data: Native): MediaRange => ({
  start: Number(data['start_offset']),
  end: Number(data['end_offset']),
});

/** TikTok's uploads of large files. */
export const media: MediaSpec = {
  // The largest video that TikTok takes for ads: 500 MB (Ads Manager help; the API names no limit).
  maxBytes: 500 * 1024 * 1024,
  async begin(input, { type, name, size }) {
    const data = await send(input, 'file/start/upload', { size, content_type: type.toLowerCase(), name });
    return { uploadId: String(data['upload_id']), range: rangeOf(data) };
  },
  async piece(input: OperationInput, uploadId, start, bytes) {
    const { ctx, organization } = input;
    const response = await ctx.request(
      call(ctx, {
        method: 'POST',
        endpoint: 'file/transfer/upload',
        organizationId: organization.id,
        multipart: [
          { name: 'advertiser_id', value: organization.id },
          { name: 'upload_id', value: uploadId },
          { name: 'start_offset', value: String(start) },
          { name: 'signature', value: createHash('md5').update(bytes).digest('hex') },
          { name: 'file', value: { filename: 'piece', contentType: 'application/octet-stream', data: bytes } },
        ],
        // What a repeated piece is answered is not documented, so the core must know that it repeats.
        idempotent: false,
      }),
    );
    return rangeOf(dataOf(response));
  },
  async finish(input, uploadId, file) {
    const { file_id: id } = await send(input, 'file/finish/upload', { upload_id: uploadId }, true);
    return uploadById(input, file.type, String(id), file.name);
  },
};

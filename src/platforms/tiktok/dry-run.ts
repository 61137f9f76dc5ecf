/** What stands for TikTok's answers in dry runs: ids that later requests of the same write need, named by where they come from. */
import type { Native, PlatformRequest } from '../../core/connector/types.ts';

/** Length of the pieces of an upload, in bytes. TikTok says it in its answers; how long they are is its affair (unverified). */
const PIECE = 5 * 1024 * 1024;

/** Members of the answers that later requests are made with. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  'file/image/ad/upload': ['image_id'],
  'file/video/ad/upload': ['video_id'],
  'file/start/upload': ['upload_id'],
  'file/finish/upload': ['file_id'],
  'dmp/custom_audience/file/upload': ['file_path'],
};

/** The piece that follows the one which was sent, as TikTok would ask for it. */
function nextPiece({ multipart = [] }: PlatformRequest): Native {
  let next = 0;
  for (const { name, value } of multipart)
    if (typeof value !== 'string') next += value.data.byteLength;
    else if (name === 'start_offset') next += Number(value);
  return { start_offset: next, end_offset: next + PIECE };
}

/** The JSON of an answer to a request that is not sent. */
export function dryRunAnswer(request: PlatformRequest): Native {
  const { operation, json } = request;
  const data: Native = Object.fromEntries(
    (NEEDED[operation] ?? []).map((name) => [name, `<${name} from ${operation}>`]),
  );
  if (operation === 'file/start/upload')
    Object.assign(data, { start_offset: 0, end_offset: Math.min(PIECE, Number((json as Native)['size'])) });
  if (operation === 'file/transfer/upload') Object.assign(data, nextPiece(request));
  // Uploads of videos answer a list.
  const answered = operation === 'file/video/ad/upload' ? [data] : data;
  return { code: 0, message: 'OK', request_id: 'dry-run', data: answered };
}

import { addPiece, bytesOf, fileFromUrl, filePart, isoTime, type Temporary, temporaries } from '../files.ts';
import { md5 } from '../media.ts';
import { advertiserId } from '../params.ts';
import { given, invalid, missing } from '../rules.ts';
import { type Call, type Endpoint, type Param, TikTokError } from '../types.ts';

/** Uploads whose purpose is said later: file/temporarily/upload, and by chunks file/{start,transfer,finish}/upload. */

/** Largest temporary file, in bytes. */
const LARGEST = 100 * 1024 * 1024;
/** Size of the chunks that the simulator asks for (TikTok's own is its affair; it says the offsets). */
const CHUNK = 5 * 1024 * 1024;

const view = (row: Temporary, bytes: Buffer) => ({
  file_id: row.id,
  file_name: row.name,
  signature: md5(bytes),
  file_size: row.size,
  size: row.size,
  create_time: row.create_time,
});

/** Length of a name, where CJK characters count three: this endpoint's own rule. */
const length = (name: string) => [...name].reduce((sum, character) => sum + (character > '\u2e80' ? 3 : 1), 0);

async function temporary(call: Call): Promise<unknown> {
  const { world, params } = call;
  const byUrl = String(params['upload_type'] ?? 'FILE').endsWith('URL');
  if (byUrl && !given(params, 'url')) missing('url');
  const kind = params['content_type'] === 'video' ? 'video' : 'image';
  const source = byUrl ? await fileFromUrl('url', params['url'], kind) : filePart(call, 'file', 'signature');
  if (source.bytes.length > LARGEST) throw new TikTokError(40907, 'The size of the file exceeds the limit of 100 MB.');
  const name = String(params['name'] ?? source.name);
  if (length(name) > 100) invalid('name: Longer than maximum length 100.');
  const row: Temporary = {
    id: world.nextId(),
    advertiser_id: String(params['advertiser_id']),
    content_type: String(params['content_type'] ?? 'image'),
    name,
    size: source.bytes.length,
    received: 0,
    pieces: [],
    finished: true,
    create_time: isoTime(call.now),
  };
  addPiece(world, row, source.bytes);
  return view(row, source.bytes);
}

function start(call: Call): unknown {
  const { world, params } = call;
  const size = Number(params['size']);
  const row: Temporary = {
    id: world.nextId(),
    advertiser_id: String(params['advertiser_id']),
    content_type: String(params['content_type']),
    name: String(params['name'] ?? ''),
    size,
    received: 0,
    pieces: [],
    finished: false,
    create_time: isoTime(call.now),
  };
  temporaries(world).put(row);
  return { upload_id: row.id, file_name: row.name, start_offset: 0, end_offset: Math.min(CHUNK, size) };
}

/** The unfinished upload that a call names. */
function underWay(call: Call): Temporary {
  const row = temporaries(call.world).get(String(call.params['upload_id']));
  if (!row || row.finished || row.advertiser_id !== call.params['advertiser_id']) {
    throw new TikTokError(40905, `The upload ${String(call.params['upload_id'])} does not exist.`);
  }
  return row;
}

function transfer(call: Call): unknown {
  const row = underWay(call);
  const { bytes } = filePart(call, 'file', 'signature');
  if (Number(call.params['start_offset']) !== row.received) {
    invalid(`start_offset: The next chunk begins at ${row.received}.`);
  }
  if (row.received + bytes.length > row.size) invalid('file: The chunks are longer than the announced size.');
  const { received } = addPiece(call.world, row, bytes);
  return { start_offset: received, end_offset: Math.min(received + CHUNK, row.size) };
}

function finish(call: Call): unknown {
  const row = underWay(call);
  if (row.received < row.size) invalid(`upload_id: ${row.size - row.received} bytes are missing.`);
  const done = { ...row, finished: true };
  temporaries(call.world).put(done);
  return view(done, bytesOf(call.world, done));
}

const kinds = ['image', 'music', 'video', 'playable'];
const uploadId: Param = { name: 'upload_id', type: 'string', required: true };

/** Temporary and chunked uploads. */
export const endpoints: Endpoint[] = [
  {
    method: 'POST',
    path: 'file/temporarily/upload',
    auth: 'token',
    write: true,
    params: [
      advertiserId,
      { name: 'upload_type', type: 'string', enum: ['FILE', 'URL', 'UPLOAD_BY_FILE', 'UPLOAD_BY_URL'] },
      { name: 'content_type', type: 'string', enum: kinds },
      { name: 'url', type: 'string' },
      { name: 'signature', type: 'string' },
      { name: 'name', type: 'string' },
    ],
    handle: temporary,
  },
  {
    method: 'POST',
    path: 'file/start/upload',
    auth: 'token',
    write: true,
    params: [
      advertiserId,
      { name: 'size', type: 'integer', required: true, min: 1, max: 500 * 1024 * 1024 },
      { name: 'content_type', type: 'string', required: true, enum: kinds },
      { name: 'name', type: 'string' },
    ],
    handle: start,
  },
  {
    method: 'POST',
    path: 'file/transfer/upload',
    auth: 'token',
    write: true,
    params: [
      advertiserId,
      uploadId,
      { name: 'signature', type: 'string' },
      { name: 'start_offset', type: 'integer', required: true, min: 0 },
    ],
    handle: transfer,
  },
  {
    method: 'POST',
    path: 'file/finish/upload',
    auth: 'token',
    write: true,
    params: [advertiserId, uploadId],
    handle: finish,
  },
];

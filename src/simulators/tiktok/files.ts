import { hash32, hex } from '../kit/random.ts';
import type { Collection } from '../kit/types.ts';
import { imageFacts, isOtherType, makeMp4, makePng, md5, videoFacts } from './media.ts';
import { given, invalid, missing } from './rules.ts';
import { stamp } from './stamp.ts';
import { type Call, type Native, type Page, TikTokError, type UploadedFile, type World } from './types.ts';

/**
 * Files of an ad account: where uploads come from, what they must be, and where their bytes stay. Facts: TikTok docs
 * 1739067433456642 (images), 1737587322856449 (videos) and the tables of return codes.
 */

/** Kinds of media that ads are made of. */
export type FileKind = 'image' | 'video';

/** Bytes with what is known of their origin. */
export interface Source {
  bytes: Buffer;
  /** Name that the file came with; empty if none. */
  name: string;
  mimeType: string;
  /** Size to tell of a placeholder: what a file of its kind would have, in bytes. */
  told?: number;
}

/** Largest files, in bytes, and pixels of a picture. */
const LIMITS = { image: 50 * 1024 * 1024, video: 500 * 1024 * 1024, pixels: 3_686_400 };
/** Files above this size are remembered by their facts alone; a placeholder stands for them. */
const KEPT_BYTES = 8 * 1024 * 1024;

interface Content {
  id: string;
  base64: string;
}

const contents = (world: World): Collection<Content> => world.store.collection<Content>('media_contents');

/** Files uploaded without a purpose yet, by file_id, and unfinished uploads, by upload_id. */
export interface Temporary {
  id: string;
  advertiser_id: string;
  content_type: string;
  name: string;
  size: number;
  /** Bytes received so far. */
  received: number;
  /** Ids under which the pieces are kept, in order. */
  pieces: string[];
  finished: boolean;
  create_time: string;
}

/** Temporary files of all ad accounts. */
export const temporaries = (world: World): Collection<Temporary> =>
  world.store.collection<Temporary>('temporary_files', { advertiser: (row) => row.advertiser_id });

/** Keeps bytes under an id, if they are not too many. */
export function keepContent(world: World, id: string, bytes: Buffer, limit = KEPT_BYTES): void {
  if (bytes.length <= limit) contents(world).put({ id, base64: bytes.toString('base64') });
}

/** Keeps the next piece of a temporary file and says so in its row. */
export function addPiece(world: World, row: Temporary, bytes: Buffer): Temporary {
  const id = `${row.id}/${row.pieces.length}`;
  keepContent(world, id, bytes, Number.POSITIVE_INFINITY);
  const grown = { ...row, received: row.received + bytes.length, pieces: [...row.pieces, id] };
  temporaries(world).put(grown);
  return grown;
}

/** The bytes of a temporary file so far. */
export const bytesOf = (world: World, row: Temporary): Buffer =>
  Buffer.concat(row.pieces.map((id) => contentOf(world, id) ?? Buffer.alloc(0)));

/** The kept bytes of an id. */
export function contentOf(world: World, id: string): Buffer | undefined {
  const row = contents(world).get(id);
  return row && Buffer.from(row.base64, 'base64');
}

/** Forgets the kept bytes of an id. */
export const dropContent = (world: World, id: string): void => contents(world).delete(id);

/** A file part of the call, with its MD5 checked against the signature that came with it (40900). */
export function filePart(call: Call, field: string, signatureField: string): Source {
  const file: UploadedFile | undefined = call.files.find((part) => part.field === field);
  if (!file) return missing(field);
  const signature = call.params[signatureField];
  if (!given(call.params, signatureField)) missing(signatureField);
  if (String(signature).toLowerCase() !== md5(file.content)) {
    throw new TikTokError(40900, `${signatureField}: The signature does not match the MD5 of the file.`);
  }
  // Clients that send bytes without a name put the part's own name there.
  const name = file.filename === field ? '' : file.filename;
  return { bytes: file.content, name, mimeType: file.mimeType };
}

/** Percent-decoded; text that is not well encoded stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const LOOPBACK = /^(127(\.\d+){3}|localhost|\[::1\])$/;

/**
 * The file behind a URL. The simulator reaches no network: a server on this machine is asked, anything else answers
 * with a placeholder that depends on the URL alone.
 */
export async function fileFromUrl(field: string, value: unknown, kind: FileKind): Promise<Source> {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (!url || !/^https?:$/.test(url.protocol)) return invalid(`${field}: Not a valid URL.`);
  const name = decoded(url.pathname.split('/').at(-1) ?? '');
  if (!LOOPBACK.test(url.hostname)) return placeholder(url.href, name, kind);
  const failed = () => new TikTokError(40902, `${field}: Failed to download the file from the URL.`);
  let response: Response;
  try {
    response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(10_000) });
  } catch {
    throw failed();
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw failed();
  }
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > LIMITS[kind]) throw tooLarge(kind);
      chunks.push(Buffer.from(chunk));
    }
  } catch (error) {
    throw error instanceof TikTokError ? error : failed();
  }
  return { bytes: Buffer.concat(chunks), name, mimeType: response.headers.get('content-type') ?? '' };
}

function placeholder(url: string, name: string, kind: FileKind): Source {
  const chance = hash32('placeholder', url) % 1000;
  if (kind === 'image') return { bytes: makePng(1080, 1080, url), name, mimeType: '', told: 90_000 + chance * 200 };
  const duration = 8 + (chance % 300) / 10;
  // Two megabits and a bit a second, as phones record it.
  return {
    bytes: makeMp4(720, 1280, duration),
    name,
    mimeType: '',
    told: Math.round(duration * (250_000 + chance * 100)),
  };
}

/** A file that was uploaded before under a file_id, by chunks or temporarily. */
export function fileById(call: Call, advertiserId: string): Source {
  if (!given(call.params, 'file_id')) missing('file_id');
  const id = String(call.params['file_id']);
  const row = temporaries(call.world).get(id);
  if (!row?.finished || row.advertiser_id !== advertiserId) {
    throw new TikTokError(40905, `The file ${id} does not exist.`);
  }
  return { bytes: bytesOf(call.world, row), name: row.name, mimeType: '' };
}

const tooLarge = (kind: FileKind) =>
  new TikTokError(40907, `The size of the ${kind} exceeds the limit of ${LIMITS[kind] / 1024 / 1024} MB.`);

/** Size, type and pixels of a picture: 40907, 40908. What the code for too many pixels is, is (unverified). */
export function checkImage(source: Source): { format: string; width: number; height: number } {
  if (source.bytes.length > LIMITS.image) throw tooLarge('image');
  const facts = imageFacts(source.bytes);
  if (!facts) throw new TikTokError(40908, 'Unsupported image type. Use JPG, JPEG or PNG.');
  if (facts.width * facts.height > LIMITS.pixels) {
    throw new TikTokError(40907, `The image has more than ${LIMITS.pixels} pixels.`);
  }
  return facts;
}

/** Size and type of a video; its figures where the file tells them, plausible ones where it does not. */
export function checkVideo(source: Source): { format: string; width: number; height: number; duration: number } {
  if (source.bytes.length > LIMITS.video) throw tooLarge('video');
  const facts = videoFacts(source.bytes);
  const named = /\.(mp4|mov|mpe?g|avi|3gp)$/i.exec(source.name)?.[1]?.toLowerCase();
  // Bytes that are nothing else pass as a video: encoders and test files are many.
  const known = facts !== undefined || named !== undefined || source.mimeType.startsWith('video/');
  if (source.bytes.length === 0 || (!known && isOtherType(source.bytes)) || imageFacts(source.bytes)) {
    throw new TikTokError(40908, 'Unsupported video type. Use MP4, MOV, MPEG or AVI.');
  }
  return {
    format: facts?.format ?? named ?? 'mp4',
    width: facts?.width ?? 720,
    height: facts?.height ?? 1280,
    duration: facts?.duration || 5 + (hash32('duration', md5(source.bytes)) % 550) / 10,
  };
}

/** A name that no other file of the account has: the wanted one (40911 if taken), or one made from the file's own. */
export function fileName(rows: readonly Native[], wanted: unknown, own: string, id: string): string {
  const taken = new Set(rows.map((row) => row['file_name']));
  if (typeof wanted === 'string') {
    if (taken.has(wanted)) throw new TikTokError(40911, `file_name: The file name ${wanted} already exists.`);
    return wanted;
  }
  const base = [...own].slice(0, 100).join('');
  if (base !== '' && !taken.has(base)) return base;
  return [...own].slice(0, 60).join('') + (own === '' ? '' : '_') + hex(12, 'file name', id);
}

/** Where a picture or video can be seen. Addresses hold for an hour with TikTok, and for ever here. */
export const mediaUrl = (origin: string, kind: 'image' | 'video' | 'cover' | 'post', id: string): string =>
  `${origin}/media/${kind}/${id}`;

const extension = (id: string) => (id.endsWith('.mp4') ? 'video/mp4' : 'image/png');

/** Serves `/media/…`: what was uploaded, or a placeholder of the same size. */
export const page: Page = (request, world) => {
  const match = /^\/media\/(image|video|cover|post)\/(.+)$/.exec(request.path);
  if (!match || request.method !== 'GET') return undefined;
  const [, kind, encoded = ''] = match;
  const id = decoded(encoded);
  const answer = (body: Buffer, type: string) => ({ status: 200, headers: { 'content-type': type }, body });
  if (kind === 'post') {
    return answer(extension(id) === 'video/mp4' ? makeMp4(720, 1280, 12) : makePng(720, 1280, id), extension(id));
  }
  const row = (kind === 'image' ? world.images : world.videos).get(kind === 'cover' ? id.replace(/@\d+$/, '') : id);
  if (!row) return { status: 404, headers: { 'content-type': 'text/plain' }, body: 'not found' };
  const width = Number(row['width']);
  const height = Number(row['height']);
  if (kind === 'cover') return answer(makePng(width, height, id), 'image/png');
  const kept = contentOf(world, id);
  if (kind === 'image') {
    return answer(kept ?? makePng(width, height, id), kept ? `image/${String(row['format'])}` : 'image/png');
  }
  return answer(kept ?? makeMp4(width, height, Number(row['duration'])), 'video/mp4');
};

/** Form of create_time of files: ISO 8601 with Z, unlike every other object (sample answer of image upload). */
export const isoTime = (at: Date): string => `${stamp(at).replace(' ', 'T')}Z`;

/** Video ids look like `v10033g50000c` and twenty letters and digits, as in the official samples. */
export const videoId = (seed: string): string =>
  `v10033g50000c${BigInt(`0x${hex(26, 'video', seed)}`)
    .toString(36)
    .slice(0, 19)}`;

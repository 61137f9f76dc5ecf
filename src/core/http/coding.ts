/**
 * Content codings of answers (RFC 9110 §8.4). We ask for none, but gateways compress all the same; what is read here is
 * decoded, what is handed through stays as it is.
 */
import { pipeline, type Readable, type Transform } from 'node:stream';
import { promisify } from 'node:util';
import {
  brotliDecompress,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  gunzip,
  inflate,
  inflateRaw,
  type ZlibOptions,
} from 'node:zlib';

type Whole = (bytes: Buffer, options: ZlibOptions) => Promise<Buffer>;

const raw: Whole = promisify(inflateRaw);
const wrapped: Whole = promisify(inflate);
/** Many leave out the wrapping that the name stands for. The first byte of one with it has 8 in its lower half. */
const deflated: Whole = (bytes, options) => (((bytes[0] ?? 8) & 15) === 8 ? wrapped : raw)(bytes, options);

const DECODERS: ReadonlyMap<string, { whole: Whole; stream: () => Transform }> = new Map([
  ['gzip', { whole: promisify(gunzip) as Whole, stream: createGunzip }],
  ['x-gzip', { whole: promisify(gunzip) as Whole, stream: createGunzip }],
  ['deflate', { whole: deflated, stream: createInflate }],
  ['br', { whole: promisify(brotliDecompress) as Whole, stream: createBrotliDecompress }],
]);

/** Whether a body travels in a coding. `coding`: its `content-encoding`. */
export const isCoded = (coding: string | undefined): coding is string =>
  coding !== undefined && coding !== '' && coding.toLowerCase() !== 'identity';

/** The decoders of a body, in the order in which they are applied; undefined when one is not known. */
function decodersOf(coding: string) {
  const decoders = coding
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity')
    .map((name) => DECODERS.get(name))
    .reverse();
  return decoders.some((decoder) => decoder === undefined)
    ? undefined
    : (decoders as NonNullable<(typeof decoders)[0]>[]);
}

/**
 * A whole body decoded; undefined when it cannot be: a coding that nobody knows, or bytes that are not in it. Throws what
 * `tooLarge` makes when it would be longer than `most` bytes.
 */
export async function decodeWhole(
  bytes: Buffer,
  coding: string,
  most: number,
  tooLarge: () => Error,
): Promise<Buffer | undefined> {
  const decoders = decodersOf(coding);
  if (decoders === undefined) return undefined;
  let out = bytes;
  try {
    for (const { whole } of decoders) out = await whole(out, { maxOutputLength: most });
    return out;
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    return undefined;
  }
}

/** A body decoded as it comes; undefined when its coding is not known. Bytes that are not in it break it off. */
export function decodedStream(body: Readable, coding: string): Readable | undefined {
  const decoders = decodersOf(coding);
  if (decoders === undefined) return undefined;
  let out = body;
  // Who reads the last of them hears of every failure.
  for (const { stream } of decoders) out = pipeline(out, stream(), () => undefined);
  return out;
}

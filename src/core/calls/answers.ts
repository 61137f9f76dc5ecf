/** What a platform's answer means: read, classified, and what a failure says of the platform and of a write. */
import type { Readable } from 'node:stream';
import type { Clock } from '../clock.ts';
import type { Classification, Platform, PlatformRequest, PlatformResponse } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { release } from '../http/body.ts';
import { decodedStream, decodeWhole, isCoded } from '../http/coding.ts';
import { parseExactJson } from '../http/exact-json.ts';
import type { Answer } from '../http/exchange.ts';
import { withWait } from './quota-feedback.ts';

/** Answers larger than this are a mistake or an attack when JSON was expected. */
export const MAX_JSON_BYTES = 64 * 1024 * 1024;

export const tooLarge = (): Error =>
  new PolyadError('platform_unknown_error', { message: 'The platform’s answer is too large.' });

export type Incoming = Answer<Readable | Buffer>;

/** A read answer: the value, or what the platform's failure means. */
export type ReadResult<T> = { value: T; failure?: undefined } | { failure: Classification; value?: undefined };

export type Reader<T> = (answer: Incoming) => ReadResult<T> | Promise<ReadResult<T>>;

/** What the platform says in a body that is there as a whole, and in no coding. Its bytes are given back for the next one. */
export function readWhole(
  clock: Clock,
  platform: Platform,
  request: PlatformRequest,
  answer: Incoming,
  bytes: Buffer,
): ReadResult<PlatformResponse> {
  const text = bytes.toString('utf8');
  release(bytes);
  let json: unknown;
  try {
    json = text === '' ? undefined : parseExactJson(text);
  } catch {
    json = undefined;
  }
  const response = { status: answer.status, headers: answer.headers, json, text: json === undefined ? text : '' };
  const failure = platform.errors.classify(request, response);
  if (failure === null) return { value: response };
  return { failure: withWait(failure, platform.manifest, response, clock.now().getTime()) };
}

/** The same, for an answer that may have come in a coding which nobody asked for. */
export function readAnswer(
  clock: Clock,
  platform: Platform,
  request: PlatformRequest,
  answer: Incoming,
  bytes: Buffer,
): ReadResult<PlatformResponse> | Promise<ReadResult<PlatformResponse>> {
  const coding = answer.headers['content-encoding'];
  return isCoded(coding)
    ? readCoded(clock, platform, request, answer, bytes, coding)
    : readWhole(clock, platform, request, answer, bytes);
}

async function readCoded(
  clock: Clock,
  platform: Platform,
  request: PlatformRequest,
  answer: Incoming,
  bytes: Buffer,
  coding: string,
): Promise<ReadResult<PlatformResponse>> {
  const decoded = await decodeWhole(bytes, coding, MAX_JSON_BYTES, tooLarge);
  if (decoded === undefined) return undecodable(clock, platform, request, answer);
  if (decoded !== bytes) release(bytes);
  return readWhole(clock, platform, request, answer, decoded);
}

/** The body as it would have come without a coding; undefined, and given up, where the coding is not known. */
export function plainStream({ headers, body }: Answer<Readable>): Readable | undefined {
  const coding = headers['content-encoding'];
  if (!isCoded(coding)) return body;
  const plain = decodedStream(body, coding);
  if (plain === undefined) body.once('error', () => undefined).destroy();
  return plain;
}

/** An answer that cannot be read: by its status where that tells of a failure, else no outage, for an answer it was. */
export function undecodable(
  clock: Clock,
  platform: Platform,
  request: PlatformRequest,
  answer: Incoming,
): { failure: Classification } {
  const { failure } = readWhole(clock, platform, request, answer, Buffer.alloc(0));
  if (answer.status >= 300 && failure !== undefined) return { failure };
  const coding = String(answer.headers['content-encoding']).slice(0, 60);
  const message = `its answer is in the content coding \`${coding}\`, and cannot be read`;
  return { failure: { code: 'platform_unknown_error', retry: 'never', scope: 'request', native: { message } } };
}

/** A sign that the platform itself fails, whatever it was asked. */
export const isOutage = (failure: Classification): boolean =>
  failure.scope === 'platform' && (failure.code === 'platform_unavailable' || failure.code === 'platform_timeout');

/** An answer that does not say whether a write was carried out. */
export const isLost = (failure: Classification): boolean =>
  failure.code === 'platform_unavailable' ||
  failure.code === 'platform_timeout' ||
  (failure.code === 'platform_unknown_error' && failure.native.code === undefined);

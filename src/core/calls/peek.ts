/**
 * A look at what streams by: small JSON answers of pass-through calls are read as well as handed on, byte for byte, so that
 * a revoked grant or an expired token is noticed there too.
 */
import { type Readable, Transform, type TransformCallback } from 'node:stream';
import type { PlatformResponse } from '../connector/types.ts';
import { decodeWhole, isCoded } from '../http/coding.ts';
import { parseExactJson } from '../http/exact-json.ts';

/** Largest answer that is read, in bytes as it travels. Answers about tokens are far smaller; data is not our business. */
export const PEEK_LIMIT = 8 * 1024;
/** Largest size after decompression, in bytes. */
const MAX_TEXT = 64 * 1024;

/**
 * The body, unchanged. When it was small and JSON, `judge` gets it before the body ends, so that whoever has read the
 * answer finds its consequences done. `judge` must not fail.
 */
export function peek(
  answer: { status: number; headers: Record<string, string>; body: Readable },
  judge: (response: PlatformResponse) => Promise<void>,
): Readable {
  const { status, headers, body } = answer;
  const announced = Number(headers['content-length'] ?? 0);
  if (!isJson(headers) || announced > PEEK_LIMIT) return body;
  const chunks: Buffer[] = [];
  let size = 0;
  // The last piece is held back until the answer was judged: a reader that knows the length waits for nothing after it.
  let last: Buffer | undefined;
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      if (last !== undefined) this.push(last);
      last = undefined;
      size += chunk.length;
      if (size > PEEK_LIMIT) {
        chunks.length = 0;
        return done(null, chunk);
      }
      chunks.push(chunk);
      // An answer of no announced length may go on for long: nothing of it waits, its end alone does.
      if (announced === 0) return done(null, chunk);
      last = chunk;
      done();
    },
    flush(done: TransformCallback) {
      const judged = size > PEEK_LIMIT ? Promise.resolve() : look(status, headers, Buffer.concat(chunks), judge);
      const end = (): void => done(null, last);
      judged.then(end, end);
    },
  });
  body.once('error', (error) => {
    // What came before the platform broke off goes on, so that the reader sees a broken answer and not our error.
    if (last !== undefined) tap.push(last);
    last = undefined;
    setImmediate(() => tap.destroy(error));
  });
  // Whoever hangs up on us hangs up on the platform.
  tap.once('close', () => body.destroy());
  return body.pipe(tap);
}

/** Whether an answer that is there as a whole is one to look at. */
export const isPeekable = (answer: { headers: Record<string, string> }, body: Buffer): boolean =>
  body.length <= PEEK_LIMIT && isJson(answer.headers);

/** The same for an answer that is there as a whole: resolves when `judge` is done with it. */
export async function peekWhole(
  answer: { status: number; headers: Record<string, string> },
  body: Buffer,
  judge: (response: PlatformResponse) => Promise<void>,
): Promise<void> {
  await look(answer.status, answer.headers, body, judge).catch(() => undefined);
}

const isJson = (headers: Record<string, string>): boolean => (headers['content-type'] ?? '').includes('json');

async function look(
  status: number,
  headers: Record<string, string>,
  bytes: Buffer,
  judge: (response: PlatformResponse) => Promise<void>,
): Promise<void> {
  const coding = headers['content-encoding'];
  const text = isCoded(coding) ? await decoded(bytes, coding) : bytes.toString('utf8');
  const json = text === undefined ? undefined : parsed(text);
  if (json !== undefined) await judge({ status, headers, json, text: '' });
}

async function decoded(bytes: Buffer, coding: string): Promise<string | undefined> {
  const whole = await decodeWhole(bytes, coding, MAX_TEXT, () => new RangeError('too large')).catch(() => undefined);
  return whole?.toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

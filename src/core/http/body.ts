/** Bodies read whole: without the machinery of streams where their size allows it. */
import { Readable } from 'node:stream';

/** Bodies announced to be up to this long, in bytes, are handed on in one piece; what is longer streams. */
export const SMALL_BODY = 128 * 1024;

/** Bytes from which on a piece is worth giving back by hand. */
const WORTH_RELEASING = 8 * 1024;

/** Longest time, in ms, that the beginning of a small body waits for its end. */
const PATIENCE_MS = 20;

const joined = (chunks: readonly Buffer[]): Buffer =>
  chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);

/**
 * Gives the memory of a piece of a body back, which nobody may read any more. The garbage collector would do so only when
 * it marks the whole heap, and would mark it the more often for the many large pieces that pass by: half of what a call
 * costs. Pieces that may share their memory with others are left to it: those of Node's pool are less than half of it.
 */
export function release(piece: Buffer): void {
  const { buffer } = piece;
  if (piece.byteLength < WORTH_RELEASING || piece.byteLength * 2 <= buffer.byteLength) return;
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}

/** A long text as bytes in memory of their own, which `release` can give back. */
export function ownBytes(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

/** The pieces of a body that has ended, as one. */
function ended(pieces: readonly Buffer[]): Buffer {
  const whole = joined(pieces);
  if (pieces.length > 1) for (const piece of pieces) release(piece);
  return whole;
}

/** The whole body as UTF-8 text. Rejects as `wholeBody` does. */
export async function wholeText(body: Readable, limit: number, tooLarge: () => Error): Promise<string> {
  const bytes = await wholeBody(body, limit, tooLarge);
  const text = bytes.toString('utf8');
  release(bytes);
  return text;
}

/**
 * The whole body. Rejects with what the body breaks off with, or with what `tooLarge` makes once it is longer than `limit`
 * bytes; the body is given up then.
 */
export function wholeBody(body: Readable, limit: number, tooLarge: () => Error): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    body.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) body.destroy(tooLarge());
      else chunks.push(chunk);
    });
    body.once('end', () => resolve(ended(chunks)));
    body.once('error', reject);
    // A body may be given up without an error.
    body.once('close', () => reject(new Error('the body was closed before its end')));
  });
}

/**
 * A small body in one piece when it comes at once. One that takes longer, or breaks off, is answered as a stream that
 * begins with what has come: whoever reads it sees the same as if nobody had tried.
 */
export function gathered(body: Readable): Promise<Buffer | Readable> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
    };
    const settle = (result: Buffer | Readable): void => {
      clearTimeout(timer);
      body.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
      resolve(result);
    };
    const onEnd = (): void => settle(ended(chunks));
    const onBroken = (error?: Error): void => {
      body.on('error', () => undefined);
      settle(broken(chunks, error ?? new Error('the body was closed before its end')));
    };
    const timer = setTimeout(() => {
      body.pause();
      settle(body);
      if (chunks.length > 0) body.unshift(joined(chunks));
    }, PATIENCE_MS);
    body.on('data', onData).once('end', onEnd).once('error', onBroken).once('close', onBroken);
  });
}

/** What came of a body, then its error: after it was read, so that the reader sees a broken answer and not our error. */
function broken(chunks: readonly Buffer[], error: Error): Readable {
  let sent = false;
  return new Readable({
    read() {
      if (!sent && chunks.length > 0) this.push(joined(chunks));
      else setImmediate(() => this.destroy(error));
      sent = true;
    },
  });
}

/** Bodies read whole: without the machinery of streams where their size allows it. */
import { Readable } from 'node:stream';

/** Bodies announced to be up to this long, in bytes, are handed on in one piece; what is longer streams. */
export const SMALL_BODY = 128 * 1024;

/** Bytes from which on a piece is worth giving back by hand. */
const WORTH_RELEASING = 8 * 1024;

/** Pieces as one. */
export const joined = (chunks: readonly Buffer[]): Buffer =>
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
export function ended(pieces: readonly Buffer[]): Buffer {
  const whole = joined(pieces);
  if (pieces.length > 1) for (const piece of pieces) release(piece);
  return whole;
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

/** What came of a body, then its error: after it was read, so that the reader sees a broken answer and not our error. */
export function broken(chunks: readonly Buffer[], error: Error): Readable {
  let sent = false;
  return new Readable({
    read() {
      if (!sent && chunks.length > 0) this.push(joined(chunks));
      else setImmediate(() => this.destroy(error));
      sent = true;
    },
  });
}

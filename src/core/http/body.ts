/** Bodies read whole: without the machinery of streams where their size allows it. */
import { Readable } from 'node:stream';

/** Bodies announced to be up to this long, in bytes, are handed on in one piece; what is longer streams. */
export const SMALL_BODY = 128 * 1024;

/** Longest time, in ms, that the beginning of a small body waits for its end. */
const PATIENCE_MS = 20;

const joined = (chunks: readonly Buffer[]): Buffer =>
  chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);

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
    body.once('end', () => resolve(joined(chunks)));
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
    const onEnd = (): void => settle(joined(chunks));
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

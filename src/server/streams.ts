/** Answers that are written while they are made. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { breathe } from '../core/breathe.ts';
import type { RequestState } from './request.ts';

/** Text is handed on in pieces of about this many characters: one system call for many rows. */
const PIECE = 64 * 1024;

export type RowFormat = 'json' | 'ndjson';

async function* pieces(rows: AsyncIterable<unknown>, format: RowFormat, atOnce: boolean): AsyncGenerator<string> {
  let text = format === 'json' ? '[' : '';
  let begun = false;
  for await (const row of rows) {
    if (begun && format === 'json') text += ',';
    begun = true;
    text += JSON.stringify(row);
    if (format === 'ndjson') text += '\n';
    if (atOnce || text.length >= PIECE) {
      yield text;
      text = '';
    }
    // A client that reads as fast as this writes must not keep the others out.
    const pause = breathe();
    if (pause !== undefined) await pause;
  }
  if (format === 'json') text += ']';
  if (text !== '') yield text;
}

async function* oneByOne(rows: Iterable<unknown>): AsyncGenerator<unknown, void, undefined> {
  yield* rows;
}

/**
 * Rows as a JSON array or as lines of JSON, never held as a whole: rows are asked for only as fast as the client reads,
 * and the iteration is closed when the client hangs up. A failure after the first piece breaks the connection off, so
 * that a cut answer can never be taken for a complete one. `atOnce`: each row is handed on when it comes.
 */
export function rowStream(
  rows: AsyncIterable<unknown> | Iterable<unknown>,
  format: RowFormat,
  atOnce = false,
): Readable {
  const iterator = (Symbol.asyncIterator in rows ? rows : oneByOne(rows))[Symbol.asyncIterator]();
  const stream = Readable.from(pieces({ [Symbol.asyncIterator]: () => iterator }, format, atOnce), {
    objectMode: false,
    highWaterMark: PIECE,
  });
  // A generator that was never started does not run its `finally`, so a client that hangs up before the first read
  // would leave the rows open.
  stream.once('close', () => void iterator.return?.().catch(() => undefined));
  return stream;
}

/**
 * Fetches the first row before anything is answered, so that what fails at once (input, access, quota) is answered with
 * its own status. The result yields all rows, the first included.
 */
export async function primed<T>(rows: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const iterator = rows[Symbol.asyncIterator]();
  let first: IteratorResult<T> | undefined = await iterator.next();
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const kept = first;
        first = undefined;
        return kept ?? iterator.next();
      },
      return: async () => {
        await iterator.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
}

/** Counts the bytes of a streamed body on its way into the socket, without another stream in between. */
export function countBytes(reply: FastifyReply, state: RequestState): void {
  const { raw } = reply;
  const write = raw.write;
  const counted = (chunk: unknown, ...rest: unknown[]): boolean => {
    if (typeof chunk === 'string') state.bytes += Buffer.byteLength(chunk);
    else if (chunk instanceof Uint8Array) state.bytes += chunk.byteLength;
    return Reflect.apply(write, raw, [chunk, ...rest]) as boolean;
  };
  raw.write = counted as typeof raw.write;
}

import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { PlatformResponse } from '../connector/types.ts';
import { PEEK_LIMIT, peek } from './peek.ts';

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
const inPieces = (bytes: Buffer, size: number): Readable =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size)),
  );

async function through(bytes: Buffer, headers: Record<string, string>, size = 7) {
  const judged: PlatformResponse[] = [];
  const body = peek(
    { status: 200, headers, body: inPieces(bytes, size) },
    async (response) => void judged.push(response),
  );
  return { judged, out: await buffer(body) };
}

describe('peek', () => {
  const small = Buffer.from(JSON.stringify({ code: 40105, id: 1n.toString(), message: 'é' }));

  it.each([
    ['as it is', small, {}],
    ['as gzip', gzipSync(small), { 'content-encoding': 'gzip' }],
    ['as brotli', brotliCompressSync(small), { 'content-encoding': 'br' }],
  ])('reads a small answer %s, and hands on every byte', async (_name, bytes, more) => {
    const { judged, out } = await through(bytes, { ...JSON_TYPE, ...more });
    expect(out).toEqual(bytes);
    expect(judged.map((response) => response.json)).toEqual([{ code: 40105, id: '1', message: 'é' }]);
  });

  it.each([
    ['is not JSON by its type', small, { 'content-type': 'text/csv' }],
    ['is not JSON', Buffer.from('{"code": 401'), JSON_TYPE],
    ['is large', Buffer.from(JSON.stringify({ text: 'x'.repeat(PEEK_LIMIT) })), JSON_TYPE],
    ['is large by its length', small, { ...JSON_TYPE, 'content-length': String(PEEK_LIMIT + 1) }],
    ['is compressed in a way that nobody knows', small, { ...JSON_TYPE, 'content-encoding': 'zz' }],
    [
      'is large once unpacked',
      gzipSync(Buffer.from(JSON.stringify({ text: 'x'.repeat(1e6) }))),
      { ...JSON_TYPE, 'content-encoding': 'gzip' },
    ],
    ['is empty', Buffer.alloc(0), JSON_TYPE],
  ])('leaves alone what %s', async (_name, bytes, headers) => {
    const { judged, out } = await through(bytes, headers, 1000);
    expect(out).toEqual(bytes);
    expect(judged).toEqual([]);
  });

  it('streams on what is large before it has ended', async () => {
    const source = new Readable({ read() {} });
    const body = peek({ status: 200, headers: JSON_TYPE, body: source }, async () => undefined);
    source.push(randomBytes(PEEK_LIMIT + 1));
    const [first] = await new Promise<Buffer[]>((resolve) => body.once('data', (chunk: Buffer) => resolve([chunk])));
    expect(first?.length).toBe(PEEK_LIMIT + 1);
    source.push(null);
    await buffer(body);
  });

  it('is done judging before a reader has the whole answer', async () => {
    let judged = false;
    const headers = { ...JSON_TYPE, 'content-length': String(small.length) };
    const body = peek({ status: 200, headers, body: inPieces(small, 9) }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      judged = true;
    });
    let got = 0;
    for await (const chunk of body) {
      got += (chunk as Buffer).length;
      if (got === small.length) expect(judged).toBe(true);
    }
    expect(got).toBe(small.length);
  });

  it('holds nothing back of an answer of unknown length: it may go on for long', async () => {
    const source = new Readable({ read() {} });
    const body = peek({ status: 200, headers: JSON_TYPE, body: source }, async () => undefined);
    source.push('[1,');
    const first = await new Promise((resolve) => body.once('data', resolve));
    expect(String(first)).toBe('[1,');
    source.push(null);
  });

  it('hands on the answer although judging failed', async () => {
    const body = peek({ status: 200, headers: JSON_TYPE, body: inPieces(small, 9) }, () =>
      Promise.reject(new Error('no')),
    );
    expect(await buffer(body)).toEqual(small);
  });

  it('ends both sides when either breaks off', async () => {
    const source = new Readable({ read() {} });
    const body = peek({ status: 200, headers: JSON_TYPE, body: source }, async () => undefined);
    body.once('error', () => undefined);
    body.destroy();
    await expect.poll(() => source.destroyed).toBe(true);
    const broken = new Readable({ read() {} });
    const other = peek({ status: 200, headers: JSON_TYPE, body: broken }, async () => undefined);
    broken.destroy(new Error('reset'));
    await expect(buffer(other)).rejects.toThrow('reset');
  });
});

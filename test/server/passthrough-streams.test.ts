/** Large bodies by pass-through: never held, only as fast as the slower side. */
import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from './support/harness.ts';
import { json } from './support/upstream.ts';

let h: Harness;
let base: string;

beforeAll(async () => {
  h = await startHarness();
  base = `/passthrough/${h.connection.id}`;
});
afterAll(() => h.close());

beforeEach(() => {
  h.upstream.seen.length = 0;
});

describe('streams', () => {
  const SIZE = 50 * 1024 * 1024;
  const CHUNK = randomBytes(64 * 1024);

  /** `SIZE` bytes, made as they are read. */
  const source = () =>
    Readable.from(
      (function* () {
        for (let sent = 0; sent < SIZE; sent += CHUNK.length) yield CHUNK;
      })(),
      { objectMode: false },
    );
  const expected = (() => {
    const hash = createHash('sha256');
    for (let sent = 0; sent < SIZE; sent += CHUNK.length) hash.update(CHUNK);
    return hash.digest('hex');
  })();
  const digesting = () => {
    const hash = createHash('sha256');
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done();
      },
    });
    return { sink, digest: () => hash.digest('hex') };
  };

  /** Bytes that moved when nothing moves any more: what lies in buffers while the far end does not read. */
  async function atRest(moved: () => number): Promise<number> {
    let before = -1;
    let same = 0;
    await expect
      .poll(
        () => {
          same = moved() > 0 && moved() === before ? same + 1 : 0;
          before = moved();
          return same;
        },
        { interval: 50, timeout: 20_000 },
      )
      .toBeGreaterThanOrEqual(5);
    return before;
  }

  /** Sockets of the kernel take some megabytes per hop; this server may not add to them noticeably. */
  const BUFFERS = 30 * 1024 * 1024;

  it('50 MB down, only as fast as the client reads', async () => {
    let sent = 0;
    h.upstream.answer(async (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      const counted = source();
      counted.on('data', (chunk: Buffer) => {
        sent += chunk.length;
      });
      await pipeline(counted, response);
    });
    const { sink, digest } = digesting();
    await new Promise<void>((resolve, reject) => {
      const request = httpRequest(
        `${h.url}${base}/v1/down`,
        { headers: { authorization: h.keys.write } },
        async (response) => {
          response.pause();
          const held = await atRest(() => sent);
          expect(held).toBeLessThan(BUFFERS);
          pipeline(response, sink).then(resolve, reject);
        },
      );
      request.on('error', reject);
      request.end();
    });
    expect(digest()).toBe(expected);
    await expect.poll(async () => (await h.calls()).find(({ path }) => path.endsWith('/v1/down'))?.size).toBe(SIZE);
  });

  it('50 MB up, only as fast as the platform reads', async () => {
    let sent = 0;
    const { sink, digest } = digesting();
    let read: (() => void) | undefined;
    h.upstream.answer(async (request, response) => {
      request.pause();
      await new Promise<void>((resolve) => {
        read = resolve;
      });
      await pipeline(request, sink);
      json(response, { done: true });
    });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(
        `${h.url}${base}/v1/up`,
        { method: 'POST', headers: { authorization: h.keys.write, 'content-type': 'video/mp4' } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      request.on('error', reject);
      const counted = source();
      counted.on('data', (chunk: Buffer) => {
        sent += chunk.length;
      });
      counted.pipe(request);
      atRest(() => sent).then((held) => {
        expect(held).toBeLessThan(BUFFERS);
        read?.();
      }, reject);
    });
    expect(status).toBe(200);
    expect(digest()).toBe(expected);
  });
});

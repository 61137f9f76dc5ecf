/** Answers in content codings that nobody asked for: read all the same, or told from an outage. */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EagerClock } from '../support/eager-clock.ts';
import { type PipelineWorld, startPipelineWorld } from '../support/pipeline-world.ts';

let world: PipelineWorld;
beforeEach(async () => {
  world = await startPipelineWorld({ clock: new EagerClock() });
});
afterEach(() => world.close());

const JSON_BYTES = Buffer.from('{"rows":[1,2,3]}');
const answer = (coding: string, bytes: Buffer, status = 200): void =>
  world.behave(() => ({ status, bytes, headers: { 'content-encoding': coding } }));
const failures = (): number => world.breakers.report().reduce((sum, one) => sum + one.failures, 0);

describe('a whole answer', () => {
  it.each([
    ['gzip', gzipSync(JSON_BYTES)],
    ['x-gzip', gzipSync(JSON_BYTES)],
    ['GZIP', gzipSync(JSON_BYTES)],
    ['deflate', deflateSync(JSON_BYTES)],
    ['deflate', deflateRawSync(JSON_BYTES)],
    ['br', brotliCompressSync(JSON_BYTES)],
    ['gzip, br', brotliCompressSync(gzipSync(JSON_BYTES))],
    ['identity', JSON_BYTES],
  ])('in %s is read', async (coding, bytes) => {
    answer(coding, bytes);
    expect((await world.request()).json).toEqual({ rows: [1, 2, 3] });
    expect(failures()).toBe(0);
  });

  it.each([
    ['zz', JSON_BYTES],
    ['gzip', JSON_BYTES],
    ['gzip', gzipSync(JSON_BYTES).subarray(0, 20)],
  ])('in %s that cannot be read is no outage, and says what it is', async (coding, bytes) => {
    answer(coding, bytes);
    await expect(world.request()).rejects.toMatchObject({
      code: 'platform_unknown_error',
      message: expect.stringContaining(`\`${coding}\``),
    });
    expect(world.arrivals).toHaveLength(1);
    expect(failures()).toBe(0);
    // A write was answered, though nobody knows what.
    await expect(world.request({ method: 'POST', json: {} })).rejects.toMatchObject({ code: 'write_outcome_unknown' });
  });

  it('of a platform that fails is an outage in any coding', async () => {
    answer('zz', JSON_BYTES, 503);
    await expect(world.request()).rejects.toMatchObject({ code: 'platform_unavailable' });
    expect(failures()).toBe(4);
  });

  it('that grows without end is given up', async () => {
    answer('gzip', gzipSync(Buffer.alloc(65 * 1024 * 1024)));
    await expect(world.request()).rejects.toMatchObject({ message: 'The platform’s answer is too large.' });
  });
});

describe('a streamed answer', () => {
  const stream = () =>
    world.pipeline.stream(world.scope(), world.platform, { method: 'GET', path: '/v1/file', operation: 'file/get' });
  const csv = (coding: string, bytes: Buffer): void =>
    world.behave(() => ({ bytes, headers: { 'content-encoding': coding, 'content-type': 'text/csv' } }));

  it.each([
    ['gzip', gzipSync('a,b\n1,2\n')],
    ['br', brotliCompressSync('a,b\n1,2\n')],
  ])('in %s is decoded as it comes', async (coding, bytes) => {
    csv(coding, bytes);
    const { body } = await stream();
    expect(Buffer.concat(await Array.fromAsync(body as AsyncIterable<Buffer>)).toString()).toBe('a,b\n1,2\n');
  });

  it('that is not in its coding breaks off', async () => {
    csv('gzip', gzipSync('a,b\n1,2\n').subarray(0, 15));
    const { body } = await stream();
    await expect(Array.fromAsync(body)).rejects.toThrow();
  });

  it('in a coding that nobody knows is refused', async () => {
    csv('zz', Buffer.from('a,b\n'));
    await expect(stream()).rejects.toMatchObject({ code: 'platform_unknown_error' });
  });
});

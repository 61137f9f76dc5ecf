import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { gathered, ownBytes, release, wholeBody, wholeText } from './body.ts';

const tooLarge = (): Error => new Error('too large');
const open = (): Readable => new Readable({ read() {} });

describe('a whole body', () => {
  it('is every byte of it', async () => {
    expect(await wholeBody(Readable.from([Buffer.from('ab'), Buffer.from('cd')]), 4, tooLarge)).toEqual(
      Buffer.from('abcd'),
    );
    expect(await wholeBody(Readable.from([]), 4, tooLarge)).toEqual(Buffer.alloc(0));
  });

  it('is refused once it is longer than allowed, and given up', async () => {
    const body = open();
    const reading = wholeBody(body, 4, tooLarge);
    body.push('abc');
    body.push('de');
    await expect(reading).rejects.toThrow('too large');
    expect(body.destroyed).toBe(true);
  });

  it('fails with the error of a body that breaks off, and when it is closed without one', async () => {
    const broken = open();
    const reading = wholeBody(broken, 10, tooLarge);
    broken.push('abc');
    broken.destroy(new Error('reset'));
    await expect(reading).rejects.toThrow('reset');
    const closed = open();
    const other = wholeBody(closed, 10, tooLarge);
    closed.destroy();
    await expect(other).rejects.toThrow('closed before its end');
  });
});

describe('a small body', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('that comes at once is one piece', async () => {
    const whole = await gathered(Readable.from([Buffer.from('ab'), Buffer.from('cd')]));
    expect(whole).toEqual(Buffer.from('abcd'));
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that takes its time streams on from where it began', async () => {
    const body = open();
    body.push('begun ');
    const gathering = gathered(body);
    await new Promise(setImmediate);
    vi.advanceTimersByTime(1_000);
    const stream = (await gathering) as Readable;
    expect(Buffer.isBuffer(stream)).toBe(false);
    const out = stream.pipe(new PassThrough());
    expect(String(await new Promise((resolve) => out.once('data', resolve)))).toBe('begun ');
    body.push('and ended');
    body.push(null);
    expect(String(await buffer(out))).toBe('and ended');
  });

  it('that breaks off breaks off for its reader too, after what had come', async () => {
    const body = open();
    body.push('half');
    const gathering = gathered(body);
    await new Promise(setImmediate);
    body.destroy(new Error('reset'));
    const stream = (await gathering) as Readable;
    const got: string[] = [];
    const reading = (async () => {
      for await (const chunk of stream) got.push(String(chunk));
    })();
    await expect(reading).rejects.toThrow('reset');
    expect(got).toEqual(['half']);
  });
});
describe('the memory of a piece', () => {
  it('is given back where it is its own, and left alone where it is shared', () => {
    const own = ownBytes('é'.repeat(10_000));
    expect(String(own)).toBe('é'.repeat(10_000));
    release(own);
    expect(own.length).toBe(0);
    // Twice is once.
    release(own);
    const pooled = Buffer.from('small pieces share a pool');
    release(pooled);
    expect(String(pooled)).toBe('small pieces share a pool');
    const slab = Buffer.from(new ArrayBuffer(40_000));
    release(slab.subarray(0, 10_000));
    expect(slab.length).toBe(40_000);
  });

  it('is given back when a text has been made of it', async () => {
    const pieces = [Buffer.alloc(30_000, 'é'), Buffer.alloc(20_000, 'x')];
    const text = await wholeText(Readable.from(pieces), 100_000, tooLarge);
    expect(text).toBe(`${'é'.repeat(15_000)}${'x'.repeat(20_000)}`);
    expect(pieces.map(({ length }) => length)).toEqual([0, 0]);
  });
});

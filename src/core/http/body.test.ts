import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ownBytes, release, wholeBody } from './body.ts';

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

  it('is given back when the whole was made of the pieces', async () => {
    const pieces = [Buffer.alloc(30_000, 'é'), Buffer.alloc(20_000, 'x')];
    const whole = await wholeBody(Readable.from(pieces), 100_000, tooLarge);
    expect(String(whole)).toBe(`${'é'.repeat(15_000)}${'x'.repeat(20_000)}`);
    expect(pieces.map(({ length }) => length)).toEqual([0, 0]);
  });
});

import { describe, expect, it } from 'vitest';
import { hash32, hex, unit } from './random.ts';

describe('random', () => {
  it('is the same on every machine and in every version', () => {
    expect([hash32('a'), hash32('a', 1), hash32('tiktok', '2026-01-01', 7)]).toEqual([
      hash32('a'),
      hash32('a', '1'),
      hash32('tiktok', '2026-01-01', 7),
    ]);
    expect(hash32('polyad')).toBe(212063233);
  });

  it('keeps parts apart', () => {
    expect(hash32('ab', 'c')).not.toBe(hash32('a', 'bc'));
    expect(hash32('ab')).not.toBe(hash32('a', 'b'));
  });

  it('spreads evenly', () => {
    const buckets = new Array<number>(16).fill(0);
    for (let i = 0; i < 16_000; i++) buckets[Math.floor(unit('spread', i) * 16)]!++;
    for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('makes hexadecimal texts of any length', () => {
    expect(hex(40, 'token')).toMatch(/^[0-9a-f]{40}$/);
    expect(hex(40, 'token')).toBe(hex(40, 'token'));
    expect(hex(3, 'token')).toBe(hex(40, 'token').slice(0, 3));
  });
});

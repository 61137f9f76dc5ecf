import { describe, expect, it } from 'vitest';
import { readData, readDuration, readPair, readWhole } from './flags.ts';

const DAY = 86_400_000;

describe('readDuration', () => {
  it.each([
    ['90d', 90 * DAY],
    ['1d12h', 1.5 * DAY],
    ['500ms', 500],
    ['5m', 300_000],
    ['1m500ms', 60_500],
    ['1.5h', 5_400_000],
    ['-30m', -1_800_000],
    ['1y', 365 * DAY],
    ['2w', 14 * DAY],
  ])('%s', (text, ms) => expect(readDuration(text)).toBe(ms));

  it.each(['', '5', 'd', '5 d', '5x', '1d-2h', 'P1D'])('refuses `%s`', (text) =>
    expect(() => readDuration(text)).toThrow('is not a length of time'),
  );
});

describe('readPair', () => {
  it('splits at the first equals sign', () => expect(readPair('a=b=c')).toEqual(['a', 'b=c']));
  it.each(['a', '=b', ''])('refuses `%s`', (text) => expect(() => readPair(text)).toThrow('name=value'));
});

describe('readWhole', () => {
  it('reads digits alone', () => {
    expect(readWhole('--n', '42')).toBe(42);
    for (const text of ['4.2', '-1', '0x10', '', '1e3', '9'.repeat(16)])
      expect(() => readWhole('--n', text)).toThrow('--n');
  });
});

describe('readData', () => {
  it('reads JSON, and says where it is wrong', async () => {
    expect(await readData('{"a": [1]}')).toEqual({ a: [1] });
    await expect(readData('{a: 1}')).rejects.toMatchObject({
      code: 'cli_usage',
      fix: expect.stringContaining('@file'),
    });
    await expect(readData('@/nowhere/at/all')).rejects.toThrow('cannot be read: ENOENT');
  });
});

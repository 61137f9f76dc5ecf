import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { PolyadError } from '../errors/index.ts';
import { KeyGuesses } from './key-guesses.ts';

const waitOf = (guesses: KeyGuesses, address: string): number => {
  try {
    guesses.check(address);
    return 0;
  } catch (error) {
    if (!(error instanceof PolyadError)) throw error;
    expect(error.code).toBe('key_guessing');
    return error.retryAfterMs ?? Number.NaN;
  }
};
const fail = (guesses: KeyGuesses, address: string, times: number): void => {
  for (let n = 0; n < times; n += 1) guesses.failed(address);
};

describe('wrong keys', () => {
  it('are allowed now and then, and make their address wait when there are too many', async () => {
    const clock = new VirtualClock();
    const guesses = new KeyGuesses(5, clock);
    fail(guesses, '8.8.8.8', 5);
    expect(waitOf(guesses, '8.8.8.8')).toBe(0);
    await clock.advance(61_000);
    fail(guesses, '8.8.8.8', 5);
    expect(waitOf(guesses, '8.8.8.8')).toBe(0);
    fail(guesses, '8.8.8.8', 1);
    expect(waitOf(guesses, '8.8.8.8')).toBe(60_000);
    expect(waitOf(guesses, '8.8.4.4')).toBe(0);
    await clock.advance(60_000);
    expect(waitOf(guesses, '8.8.8.8')).toBe(0);
  });

  it('make it wait longer each time, up to a quarter of an hour, and are forgotten after an hour', async () => {
    const clock = new VirtualClock();
    const guesses = new KeyGuesses(1, clock);
    const waits: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      fail(guesses, '8.8.8.8', 2);
      waits.push(waitOf(guesses, '8.8.8.8') / 60_000);
      await clock.advance((waits.at(-1) as number) * 60_000);
    }
    expect(waits).toEqual([1, 2, 4, 8, 15, 15]);
    await clock.advance(61 * 60_000);
    fail(guesses, '8.8.8.8', 2);
    expect(waitOf(guesses, '8.8.8.8')).toBe(60_000);
  });

  it('count for everybody who shares an address: mapped IPv4, and a network of IPv6', () => {
    const guesses = new KeyGuesses(1, new VirtualClock());
    fail(guesses, '::ffff:8.8.8.8', 2);
    expect(waitOf(guesses, '8.8.8.8')).toBeGreaterThan(0);
    fail(guesses, '2606:4700::1', 2);
    expect(waitOf(guesses, '2606:4700::abcd:1')).toBeGreaterThan(0);
    expect(waitOf(guesses, '2606:4701::1')).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { createClock } from '../kit/clock.ts';
import { openStore } from '../kit/store.ts';
import { tiktokTimezone } from './seed.ts';
import { parseStamp, stamp } from './stamp.ts';
import { createWorld, DEFAULT_SETTINGS } from './world.ts';

describe('ids', () => {
  it('grow, are above 2^53 and below 2^63, and do not survive a float', () => {
    const world = createWorld(openStore(), createClock());
    const ids = Array.from({ length: 3000 }, () => world.nextId());
    for (const [i, id] of ids.entries()) {
      expect(id).toMatch(/^\d{16,19}$/);
      if (i > 0) expect(BigInt(id)).toBeGreaterThan(BigInt(ids[i - 1]!));
    }
    expect(BigInt(ids.at(-1)!)).toBeLessThan(2n ** 63n);
    expect(ids.filter((id) => BigInt(Number(id)) === BigInt(id)).length).toBeLessThan(100);
  });

  it('are never given twice, by a second world or after a restart', () => {
    const store = openStore();
    const [first, second] = [createWorld(store, createClock()), createWorld(store, createClock())];
    const ids = [first, second, first, second, first].map((world) => world.nextId());
    expect(new Set(ids).size).toBe(5);
  });

  it('begin anew when everything is forgotten', () => {
    const store = openStore();
    const world = createWorld(store, createClock());
    const id = world.nextId();
    world.nextId();
    store.clear();
    expect(world.nextId()).toBe(id);
  });
});

describe('settings', () => {
  it('are the defaults with what was changed', () => {
    const store = openStore();
    const world = createWorld(store, createClock());
    expect(world.settings).toEqual(DEFAULT_SETTINGS);
    world.updateSettings({ limits: 'off' });
    world.updateSettings({ async_reports: true });
    expect(world.settings).toEqual({ ...DEFAULT_SETTINGS, limits: 'off', async_reports: true });
    store.clear();
    expect(world.settings).toEqual(DEFAULT_SETTINGS);
  });
});

describe('times', () => {
  it('are written and read in UTC', () => {
    const at = new Date('2026-01-02T03:04:05.678Z');
    expect(stamp(at)).toBe('2026-01-02 03:04:05');
    expect(parseStamp('2026-01-02 03:04:05')?.toISOString()).toBe('2026-01-02T03:04:05.000Z');
    for (const wrong of ['2026-02-30 00:00:00', '2026-01-02T03:04:05Z', '2026-01-02', '']) {
      expect(parseStamp(wrong)).toBeUndefined();
    }
  });

  it.each([
    ['America/Los_Angeles', 'Etc/GMT+8'],
    ['America/New_York', 'Etc/GMT+5'],
    ['Europe/Berlin', 'Etc/GMT-1'],
    ['Europe/London', 'Etc/GMT'],
    ['Australia/Sydney', 'Etc/GMT-10'],
    ['Pacific/Auckland', 'Etc/GMT-12'],
    ['Asia/Kolkata', 'Asia/Kolkata'],
    ['UTC', 'Etc/GMT'],
  ])('%s is %s', (iana, tiktok) => {
    expect(tiktokTimezone(iana)).toBe(tiktok);
  });
});

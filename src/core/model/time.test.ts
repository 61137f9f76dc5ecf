import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addDays,
  datesFromTo,
  dayBounds,
  daysBetween,
  instantOf,
  isDate,
  isoFromDate,
  isoFromMs,
  isoFromSeconds,
  isoFromText,
  isoFromUtcText,
  isTimeZone,
  isZonedDateTime,
  localDate,
  localDates,
  msFromText,
  utcTextFromIso,
  utcTextFromMs,
  wallClock,
  zoneOffsetMs,
} from './index.ts';

const HOUR = 3_600_000;
const ms = fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2037, 11, 31) });
const seconds = ms.map((value) => Math.floor(value / 1000) * 1000);
const zone = fc.constantFrom(
  'UTC',
  'America/Los_Angeles',
  'America/New_York',
  'America/St_Johns',
  'America/Sao_Paulo',
  'America/Havana',
  'Europe/Berlin',
  'Europe/London',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Asia/Tokyo',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Kuwait',
  'Asia/Beirut',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
  'Pacific/Apia',
  'Etc/GMT+8',
  'Etc/GMT-14',
  '+05:30',
);

describe('instants as text', () => {
  it.each([
    ['2026-01-31T16:00:00Z', '2026-01-31T16:00:00Z'],
    ['2026-01-31T16:00:00.000Z', '2026-01-31T16:00:00Z'],
    ['2026-01-31T16:00:00.120Z', '2026-01-31T16:00:00.120Z'],
    ['2026-01-31T16:00:00.123456+02:00', '2026-01-31T14:00:00.123Z'],
    ['2026-01-31T16:00+0530', '2026-01-31T10:30:00Z'],
    ['2026-01-31T16:00Z', '2026-01-31T16:00:00Z'],
    ['2026-01-31T16:00:00', '2026-01-31T16:00:00Z'],
    ['2026-01-31 16:00:00', '2026-01-31T16:00:00Z'],
    ['2026-01-31', '2026-01-31T00:00:00Z'],
    ['2024-02-29', '2024-02-29T00:00:00Z'],
  ])('%s is %s', (text, iso) => {
    expect(isoFromText(text)).toBe(iso);
  });

  it.each([
    '',
    'now',
    '2026',
    '2026-02-30',
    '2026-13-01',
    '2026-01-31T24:00:00Z',
    '2026-01-31T16:61:00Z',
    '20260131',
    '1767225600',
    '2026-01-31T16:00:00+25:00',
    '0000-01-01',
  ])('%o is no instant', (text) => {
    expect(isoFromText(text)).toBeUndefined();
  });

  it('reads the UTC text of platforms, and only that', () => {
    expect(isoFromUtcText('2026-01-31 16:00:00')).toBe('2026-01-31T16:00:00Z');
    for (const text of ['2026-01-31T16:00:00', '2026-02-30 00:00:00', '2026-01-31 16:00', '-', '2026-01-31 16:00:60'])
      expect(isoFromUtcText(text)).toBeUndefined();
  });

  it('comes back from every form', () => {
    fc.assert(
      fc.property(ms, seconds, (at, whole) => {
        expect(msFromText(isoFromMs(at))).toBe(at);
        expect(isZonedDateTime(isoFromMs(at))).toBe(true);
        expect(isoFromDate(new Date(at))).toBe(isoFromMs(at));
        expect(isoFromUtcText(utcTextFromMs(whole))).toBe(isoFromMs(whole));
        expect(utcTextFromIso(isoFromMs(whole))).toBe(utcTextFromMs(whole));
        expect(isoFromSeconds(whole / 1000)).toBe(isoFromMs(whole));
      }),
    );
  });

  it('refuses what text cannot hold', () => {
    expect(() => isoFromMs(Number.NaN)).toThrow(RangeError);
    expect(() => isoFromMs(8.64e15)).toThrow(RangeError);
    expect(() => isoFromDate(new Date('x'))).toThrow(RangeError);
  });
});

describe('dates', () => {
  it('counts days over months, leap days and clock changes', () => {
    expect(addDays('2024-02-28', 1)).toBe('2024-02-29');
    expect(addDays('2026-03-01', -1)).toBe('2026-02-28');
    expect(daysBetween('2026-01-01', '2027-01-01')).toBe(365);
    expect(datesFromTo('2026-12-30', '2027-01-02')).toEqual(['2026-12-30', '2026-12-31', '2027-01-01', '2027-01-02']);
    expect(datesFromTo('2026-01-02', '2026-01-01')).toEqual([]);
    expect(isDate('2026-02-29')).toBe(false);
    fc.assert(
      fc.property(ms, fc.integer({ min: -800, max: 800 }), (at, days) => {
        const date = isoFromMs(at).slice(0, 10);
        expect(daysBetween(date, addDays(date, days))).toBe(days);
      }),
    );
  });
});

describe('zones', () => {
  it.each([
    ['America/Los_Angeles', '2026-01-15T00:00:00Z', -8],
    ['America/Los_Angeles', '2026-07-15T00:00:00Z', -7],
    ['Asia/Kolkata', '2026-01-15T00:00:00Z', 5.5],
    ['Pacific/Kiritimati', '2026-01-15T00:00:00Z', 14],
    // POSIX turns the sign around.
    ['Etc/GMT+8', '2026-01-15T00:00:00Z', -8],
    ['Etc/GMT-9', '2026-01-15T00:00:00Z', 9],
    ['Etc/GMT', '2026-01-15T00:00:00Z', 0],
    ['-03:30', '2026-01-15T00:00:00Z', -3.5],
  ])('%s is %s hours from UTC', (name, at, hours) => {
    expect(zoneOffsetMs(name, Date.parse(at))).toBe(hours * HOUR);
  });

  it('changes at the second it should, also when asked in between first', () => {
    const change = Date.parse('2026-03-08T10:00:00Z');
    expect(zoneOffsetMs('America/Los_Angeles', change + 1)).toBe(-7 * HOUR);
    expect(zoneOffsetMs('America/Los_Angeles', change)).toBe(-7 * HOUR);
    expect(zoneOffsetMs('America/Los_Angeles', change - 1)).toBe(-8 * HOUR);
  });

  it('knows which zones there are', () => {
    expect(['Europe/Berlin', 'UTC', 'Etc/GMT+8', '+05:30'].map(isTimeZone)).toEqual([true, true, true, true]);
    expect(['Mars/Base', '', 'Etc/GMT+15', '+99:00', 'GMT+8'].map(isTimeZone)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(() => localDate('Mars/Base', 0)).toThrow(/Mars\/Base/);
  });

  it('agrees with Intl about the wall clock', () => {
    fc.assert(
      fc.property(zone, seconds, (name, at) => {
        fc.pre(!name.startsWith('+'));
        const text = new Intl.DateTimeFormat('sv-SE', {
          timeZone: name,
          dateStyle: 'short',
          timeStyle: 'medium',
        }).format(at);
        expect(wallClock(name, at)).toBe(text);
      }),
    );
  });

  it('finds the instant of a wall-clock time that exists', () => {
    fc.assert(
      fc.property(zone, seconds, (name, at) => {
        const wall = wallClock(name, at);
        const found = instantOf(name, wall);
        expect(wallClock(name, found)).toBe(wall);
        expect(found).toBeLessThanOrEqual(at);
      }),
    );
  });

  it('takes the first of a time that comes twice and the jump for one that is skipped', () => {
    expect(isoFromMs(instantOf('America/Los_Angeles', '2026-11-01 01:30:00'))).toBe('2026-11-01T08:30:00Z');
    expect(isoFromMs(instantOf('America/Los_Angeles', '2026-03-08 02:30:00'))).toBe('2026-03-08T10:00:00Z');
    expect(isoFromMs(instantOf('Australia/Lord_Howe', '2026-10-04 02:10:00'))).toBe('2026-10-03T15:30:00Z');
    expect(() => instantOf('UTC', 'noon')).toThrow(RangeError);
  });
});

describe('account days', () => {
  it.each([
    ['America/Los_Angeles', '2026-03-08', '2026-03-08T08:00:00Z', 23],
    ['America/Los_Angeles', '2026-11-01', '2026-11-01T07:00:00Z', 25],
    ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00:00Z', 23],
    ['Asia/Tokyo', '2026-03-29', '2026-03-28T15:00:00Z', 24],
    ['Asia/Kathmandu', '2026-01-01', '2025-12-31T18:15:00Z', 24],
    // Midnight is skipped: the day begins at 01:00.
    ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00Z', 23],
    // Midnight comes twice.
    ['America/Havana', '2026-11-01', '2026-11-01T04:00:00Z', 25],
    // Half an hour of summer time.
    ['Australia/Lord_Howe', '2026-04-05', '2026-04-04T13:00:00Z', 24.5],
    // The day that Samoa left out.
    ['Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00Z', 0],
  ])('%s %s begins at %s and has %s hours', (name, date, start, hours) => {
    const day = dayBounds(name, date);
    expect(isoFromMs(day.start)).toBe(start);
    expect((day.end - day.start) / HOUR).toBe(hours);
  });

  it('follow each other without gap or overlap, and hold their own instants', () => {
    fc.assert(
      fc.property(zone, ms, (name, at) => {
        const date = localDate(name, at);
        const day = dayBounds(name, date);
        expect(dayBounds(name, addDays(date, 1)).start).toBe(day.end);
        expect(dayBounds(name, addDays(date, -1)).end).toBe(day.start);
        // A clock turned back across midnight shows the old date again for a while after the new day began.
        if (at < day.start || at >= day.end) expect(zoneOffsetMs(name, at - 2 * HOUR)).not.toBe(zoneOffsetMs(name, at));
      }),
    );
  });

  it('lists the days that a window touches', () => {
    const start = Date.parse('2026-01-01T14:59:59Z');
    expect(localDates('Asia/Tokyo', start, start + 1)).toEqual(['2026-01-01']);
    expect(localDates('Asia/Tokyo', start, start + 1000)).toEqual(['2026-01-01']);
    expect(localDates('Asia/Tokyo', start, start + 1001)).toEqual(['2026-01-01', '2026-01-02']);
    expect(localDates('Asia/Tokyo', start, start)).toEqual([]);
    expect(
      localDates('America/Los_Angeles', Date.parse('2026-03-01T00:00:00Z'), Date.parse('2026-03-03T00:00:00Z')),
    ).toEqual(['2026-02-28', '2026-03-01', '2026-03-02']);
  });
});

import { describe, expect, it } from 'vitest';
import { formatDay, localCalendar, parseDay, SLOT_MS, weekday } from './local-days.ts';

const at = (zone: string, date: string) => localCalendar(zone).day(parseDay(date)!);

describe('days of a zone', () => {
  it.each([
    ['America/Los_Angeles', '2026-03-08', 23, '2026-03-08T08:00:00.000Z'],
    ['America/Los_Angeles', '2026-11-01', 25, '2026-11-01T07:00:00.000Z'],
    ['America/Los_Angeles', '2026-11-22', 24, '2026-11-22T08:00:00.000Z'],
    ['Europe/Berlin', '2026-03-29', 23, '2026-03-28T23:00:00.000Z'],
    ['Europe/Berlin', '2026-10-25', 25, '2026-10-24T22:00:00.000Z'],
    ['Asia/Tokyo', '2026-03-08', 24, '2026-03-07T15:00:00.000Z'],
    ['Asia/Kathmandu', '2026-01-01', 24, '2025-12-31T18:15:00.000Z'],
    ['Australia/Lord_Howe', '2026-04-05', 24.5, '2026-04-04T13:00:00.000Z'],
  ])('%s %s has %d hours and begins at %s', (zone, date, hours, start) => {
    const day = at(zone, date);
    expect(new Date(day.start).toISOString()).toBe(start);
    expect((day.end - day.start) / 3_600_000).toBe(hours);
    expect(day.hours).toHaveLength(hours * 2);
    expect(day.end).toBe(localCalendar(zone).day(day.day + 1).start);
  });

  it('begins a day at the jump where the clocks skip midnight', () => {
    const day = at('Africa/Cairo', '2026-04-24');
    expect(new Date(day.start).toISOString()).toBe('2026-04-23T22:00:00.000Z');
    expect(day.hours[0]).toBe(1);
  });

  it('labels slots with the local hour: one is missing in spring and one comes twice in autumn', () => {
    const spring = [...at('America/Los_Angeles', '2026-03-08').hours];
    expect(spring.filter((hour) => hour === 2)).toHaveLength(0);
    expect(spring.filter((hour) => hour === 3)).toHaveLength(2);
    const autumn = [...at('America/Los_Angeles', '2026-11-01').hours];
    expect(autumn.filter((hour) => hour === 1)).toHaveLength(4);
    expect(autumn.at(-1)).toBe(23);
  });

  it('finds the day of every instant around its ends', () => {
    for (const zone of ['Pacific/Auckland', 'America/St_Johns', 'Etc/UTC', 'Africa/Cairo']) {
      const calendar = localCalendar(zone);
      for (let day = 20_500; day < 20_500 + 366; day++) {
        const { start, end } = calendar.day(day);
        expect(calendar.dayOf(start)).toBe(day);
        expect(calendar.dayOf(end - 1)).toBe(day);
        expect((end - start) % SLOT_MS).toBe(0);
      }
    }
  });

  it('reads and writes dates, and refuses what is none', () => {
    expect(formatDay(parseDay('2026-11-22')!)).toBe('2026-11-22');
    expect(weekday(parseDay('2026-11-22')!)).toBe(6);
    expect(weekday(parseDay('1969-12-29')!)).toBe(0);
    for (const text of ['2026-02-30', '2026-1-1', '22.11.2026', '', '2026-11-22T00:00:00']) {
      expect(parseDay(text)).toBeUndefined();
    }
  });
});

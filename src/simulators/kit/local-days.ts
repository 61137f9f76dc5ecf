/**
 * Days of a time zone. Platforms report by the ad account's calendar day, whose length is 23 or 25 hours where the
 * clocks change; half-hour slots are the finest grain that the simulators deliver in.
 */

/** Length of one delivery slot. Every zone's offset and every clock change is a multiple of it in the last decades. */
export const SLOT_MS = 1_800_000;

const DAY_MS = 86_400_000;

/** One calendar day of a zone. */
export interface LocalDay {
  /** Days since 1970-01-01, as a civil date (no zone). */
  day: number;
  /** First instant of the day, epoch milliseconds. */
  start: number;
  /** First instant of the next day. */
  end: number;
  /** Local hour (0..23) of each half-hour slot; 46 to 50 entries. */
  hours: Uint8Array;
}

/** The calendar of one zone. */
export interface LocalCalendar {
  timeZone: string;
  /** The civil day that `at` (epoch milliseconds) falls on. */
  dayOf(at: number): number;
  day(day: number): LocalDay;
}

const isoDate = /^\d{4}-\d{2}-\d{2}$/;

/** `YYYY-MM-DD` as days since 1970-01-01; undefined if it is no such date. */
export function parseDay(text: string): number | undefined {
  if (!isoDate.test(text)) return undefined;
  const at = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(at) || formatDay(at / DAY_MS) !== text ? undefined : at / DAY_MS;
}

/** Days since 1970-01-01 as `YYYY-MM-DD`. */
export function formatDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** Day of the week of a civil day, 0 = Monday. */
export function weekday(day: number): number {
  return (((day + 3) % 7) + 7) % 7;
}

const calendars = new Map<string, LocalCalendar>();

/** The calendar of an IANA zone; the same object for the same name, because its days are kept. */
export function localCalendar(timeZone: string): LocalCalendar {
  let calendar = calendars.get(timeZone);
  if (!calendar) {
    calendar = makeCalendar(timeZone);
    calendars.set(timeZone, calendar);
  }
  return calendar;
}

function makeCalendar(timeZone: string): LocalCalendar {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const days = new Map<number, LocalDay>();

  /** Local minus UTC at an instant, in milliseconds. */
  const offset = (at: number): number => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(at)) parts[type] = Number(value);
    const local = Date.UTC(
      parts['year']!,
      parts['month']! - 1,
      parts['day']!,
      parts['hour']!,
      parts['minute']!,
      parts['second']!,
    );
    return local - Math.floor(at / 1000) * 1000;
  };

  const startOf = (day: number): number => {
    const midnight = day * DAY_MS;
    const before = offset(midnight - DAY_MS);
    const after = offset(midnight + DAY_MS);
    if (before === after) return midnight - before;
    const fits = [midnight - before, midnight - after].filter((at) => at + offset(at) === midnight);
    // No instant has this midnight when the clocks jump over it: the day then begins at the jump.
    return fits.length > 0 ? Math.min(...fits) : midnight - before;
  };

  const make = (day: number): LocalDay => {
    const start = startOf(day);
    const end = startOf(day + 1);
    const hours = new Uint8Array(Math.round((end - start) / SLOT_MS));
    const plain = end - start === DAY_MS && offset(start) === offset(end - 1);
    for (let slot = 0; slot < hours.length; slot++) {
      const at = start + slot * SLOT_MS;
      hours[slot] = plain ? slot >> 1 : Math.floor((at + offset(at) - day * DAY_MS) / 3_600_000);
    }
    return { day, start, end, hours };
  };

  const calendar: LocalCalendar = {
    timeZone,
    dayOf(at) {
      // Offsets lie within +-14 hours, so the guess is at most one day off.
      const guess = Math.floor(at / DAY_MS);
      if (at < calendar.day(guess).start) return guess - 1;
      return at >= calendar.day(guess).end ? guess + 1 : guess;
    },
    day(day) {
      let known = days.get(day);
      if (!known) {
        known = make(day);
        days.set(day, known);
      }
      return known;
    },
  };
  return calendar;
}

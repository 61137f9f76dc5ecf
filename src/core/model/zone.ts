/**
 * Time zones: offsets, wall-clock times and account days, by the zone rules that Node carries (Intl). Zones are IANA
 * names; `Etc/GMT+8` (whose sign is inverted by POSIX: it is UTC-8) and plain offsets such as `+05:30` work as well.
 */
import { addDays, datesFromTo } from './time.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Since 1973 no zone has changed its offset within a quarter of an hour that begins on the quarter. */
const SLOT_MS = HOUR_MS / 4;
const MAX_SLOTS = 20_000;

interface Zone {
  offsetAt(ms: number): number;
}

const zones = new Map<string, Zone | null>();

function fixedOffset(name: string): number | undefined {
  if (name === 'UTC' || name === 'GMT' || name === 'Z') return 0;
  const posix = /^Etc\/GMT([+-])(\d{1,2})$/i.exec(name);
  if (posix) return Number(posix[2]) <= 14 ? (posix[1] === '+' ? -1 : 1) * Number(posix[2]) * HOUR_MS : undefined;
  const plain = /^([+-])(\d\d):?(\d\d)$/.exec(name);
  if (!plain || Number(plain[2]) > 14 || Number(plain[3]) > 59) return undefined;
  return (plain[1] === '-' ? -1 : 1) * (Number(plain[2]) * HOUR_MS + Number(plain[3]) * 60_000);
}

function makeZone(name: string): Zone | null {
  const fixed = fixedOffset(name);
  if (fixed !== undefined) return { offsetAt: () => fixed };
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return null;
  }
  const slots = new Map<number, number>();
  return {
    offsetAt(ms) {
      const slot = Math.floor(ms / SLOT_MS);
      let offset = slots.get(slot);
      if (offset === undefined) {
        if (slots.size >= MAX_SLOTS) slots.clear();
        offset = measure(format, slot * SLOT_MS);
        slots.set(slot, offset);
      }
      return offset;
    },
  };
}

function measure(format: Intl.DateTimeFormat, ms: number): number {
  const part: Record<string, string> = {};
  for (const { type, value } of format.formatToParts(ms)) part[type] = value;
  const year = part['era'] === 'BC' ? 1 - Number(part['year']) : Number(part['year']);
  const wall = new Date(0);
  wall.setUTCFullYear(year, Number(part['month']) - 1, Number(part['day']));
  wall.setUTCHours(Number(part['hour']), Number(part['minute']), Number(part['second']));
  return wall.getTime() - ms;
}

function zoneOf(name: string): Zone {
  let zone = zones.get(name);
  if (zone === undefined) {
    zone = makeZone(name);
    if (zone !== null || zones.size < 1000) zones.set(name, zone);
  }
  if (zone === null) throw new RangeError(`unknown time zone: ${name.slice(0, 60)}`);
  return zone;
}

/**
 * Loads the rules of zones (ICU's data), which takes the first zone that is asked for some 10 to 30 ms and all others none:
 * a server does it before its first request.
 */
export function loadZones(): void {
  zoneOf('America/New_York');
}

/** True for a zone that the functions here know. */
export function isTimeZone(name: string): boolean {
  try {
    zoneOf(name);
    return true;
  } catch {
    return false;
  }
}

/** Milliseconds to add to UTC for wall-clock time in `zone` at an instant; UTC-8 is -28,800,000. RangeError: no zone. */
export function zoneOffsetMs(zone: string, ms: number): number {
  return zoneOf(zone).offsetAt(ms);
}

/** Wall-clock time in `zone` at an instant, `YYYY-MM-DD HH:MM:SS`. */
export function wallClock(zone: string, ms: number): string {
  const text = new Date(ms + zoneOffsetMs(zone, ms)).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)}`;
}

/** The day in `zone` at an instant, `YYYY-MM-DD`. */
export function localDate(zone: string, ms: number): string {
  return wallClock(zone, ms).slice(0, 10);
}

/**
 * The instant at which the clock in `zone` shows `wall` (`YYYY-MM-DD HH:MM:SS`, or `T` between, or a date alone =
 * midnight). A time that comes twice gives the first; a time that is skipped gives the moment of the jump.
 */
export function instantOf(zone: string, wall: string): number {
  const { offsetAt } = zoneOf(zone);
  const iso = wall.length === 10 ? `${wall}T00:00:00Z` : `${wall.slice(0, 10)}T${wall.slice(11)}Z`;
  const target = Date.parse(iso);
  if (Number.isNaN(target)) throw new RangeError(`not a wall-clock time: ${wall.slice(0, 40)}`);
  const before = offsetAt(target - DAY_MS);
  const after = offsetAt(target + DAY_MS);
  const fits = [target - before, target - after].filter((ms) => ms + offsetAt(ms) === target);
  if (fits.length > 0) return Math.min(...fits);
  // Skipped: find the jump, the first quarter of an hour at which the clock is past the time.
  let low = Math.floor((target - Math.max(before, after)) / SLOT_MS) - 1;
  let high = Math.ceil((target - Math.min(before, after)) / SLOT_MS) + 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (middle * SLOT_MS + offsetAt(middle * SLOT_MS) >= target) high = middle;
    else low = middle;
  }
  return high * SLOT_MS;
}

/** The instants at which a day in `zone` begins and ends (end not included): 23, 24 or 25 hours apart as a rule. */
export function dayBounds(zone: string, date: string): { start: number; end: number } {
  return { start: instantOf(zone, date), end: instantOf(zone, addDays(date, 1)) };
}

/** Every day in `zone` that the window touches, in order; `end` is not included. None when the window is empty. */
export function localDates(zone: string, start: number, end: number): string[] {
  return end <= start ? [] : datesFromTo(localDate(zone, start), localDate(zone, end - 1));
}

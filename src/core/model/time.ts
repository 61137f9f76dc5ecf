/**
 * Instants: the forms in which platforms and callers write them. On the wire an instant is ISO 8601 with a zone, here
 * always UTC (`2026-01-31T16:00:00Z`; milliseconds only when there are any). Zones and account days: zone.ts.
 */
import { isPlainTime, isZonedDateTime } from './common.ts';

const DAY_MS = 86_400_000;
const SPACE = 32;
/** Range of instants that text can hold: years 0001 to 9999. */
const MIN_MS = Date.parse('0001-01-01T00:00:00Z');
const MAX_MS = Date.parse('9999-12-31T23:59:59.999Z');

const TEXT = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?\s*(Z|z|[+-]\d\d:?\d\d)?)?$/;

/** True for a day that exists: `2026-02-28`, not `2026-02-30`. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && isZonedDateTime(`${text}T00:00Z`);
}

/** True for milliseconds since 1970 that wire text can hold: the years 1 to 9999. */
export function isInstantMs(ms: number): boolean {
  return ms >= MIN_MS && ms <= MAX_MS;
}

/** Milliseconds since 1970 as wire text. Throws RangeError outside the years 1 to 9999. */
export function isoFromMs(ms: number): string {
  if (!isInstantMs(ms)) throw new RangeError(`not an instant: ${ms}`);
  const text = new Date(ms).toISOString();
  return text.endsWith('.000Z') ? `${text.slice(0, 19)}Z` : text;
}

/** Seconds since 1970 as wire text. */
export function isoFromSeconds(seconds: number): string {
  return isoFromMs(Math.round(seconds * 1000));
}

/** A Date as wire text. Throws RangeError for an invalid one. */
export function isoFromDate(date: Date): string {
  return isoFromMs(date.getTime());
}

/**
 * Milliseconds since 1970 of a written instant, or undefined. Takes ISO 8601 with zone, `YYYY-MM-DD HH:MM:SS`, a time
 * without zone and a date alone; what names no zone is UTC. Fractions finer than a millisecond are cut.
 */
export function msFromText(text: string): number | undefined {
  const match = TEXT.exec(text);
  if (!match) return undefined;
  const [, date, minutes = '00:00', seconds = '00', fraction, zone = 'Z'] = match;
  const offset = zone === 'z' || zone === 'Z' ? 'Z' : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  const iso = `${date}T${minutes}:${seconds}.${(fraction ?? '').slice(0, 3).padEnd(3, '0')}${offset}`;
  if (!isZonedDateTime(iso)) return undefined;
  const ms = Date.parse(iso);
  return isInstantMs(ms) ? ms : undefined;
}

/** Any written instant as wire text, or undefined; rules of `msFromText`. */
export function isoFromText(text: string): string | undefined {
  const ms = msFromText(text);
  return ms === undefined ? undefined : isoFromMs(ms);
}

/**
 * `YYYY-MM-DD HH:MM:SS` in UTC, the way several platforms write instants, to wire text; undefined for anything else.
 * Common enough to be read without building a Date.
 */
export function isoFromUtcText(text: string): string | undefined {
  if (text.length !== 19 || text.charCodeAt(10) !== SPACE) return undefined;
  const iso = `${text.slice(0, 10)}T${text.slice(11)}Z`;
  return isPlainTime(text, SPACE) || isZonedDateTime(iso) ? iso : undefined;
}

/** A written instant to `YYYY-MM-DD HH:MM:SS` in UTC; parts of a second are cut. Undefined when it is no instant. */
export function utcTextFromIso(text: string): string | undefined {
  const ms = msFromText(text);
  return ms === undefined ? undefined : utcTextFromMs(ms);
}

/** Milliseconds since 1970 to `YYYY-MM-DD HH:MM:SS` in UTC; parts of a second are cut. */
export function utcTextFromMs(ms: number): string {
  const text = new Date(ms).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)}`;
}

/** The day `days` later (or earlier) on the calendar: `addDays("2026-02-28", 1)` is `2026-03-01`. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** Days from one date to another: 0 for the same, negative when `to` is earlier. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS);
}

/** Every date from `first` to `last`, both included; none when `last` is earlier. */
export function datesFromTo(first: string, last: string): string[] {
  const count = daysBetween(first, last) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) => addDays(first, index));
}

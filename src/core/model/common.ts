import { z } from 'zod';
import { TIME_UNITS } from './enums.ts';

/** A value list as `z.enum` takes it: at least one value. */
export type EnumValues = readonly [string, ...string[]];

/**
 * Schema of an enum field in an answer: the listed values, or any other text that the platform uses and we do not know
 * (kept as it is, never dropped). In JSON Schema it is `anyOf: [{enum}, {type: string}]`, so that docs and generated
 * clients still see the list. Unknown values in a request are refused by the capability check, not here.
 */
export function openEnum<const T extends EnumValues>(values: T) {
  const other = z.string() as unknown as z.ZodType<string & Record<never, never>>;
  return z.union([z.enum(values), other]);
}

/**
 * The shape of an instant on the wire: ISO 8601 with a `T`, at least minutes, and a zone (`Z` or an offset with or
 * without colon). Date only, a space for `T`, epoch numbers and zoneless times are not instants.
 */
const ZONED_DATE_TIME =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)$/;

const [DASH, COLON, T, Z] = [45, 58, 84, 90];

/** The number that two digits make; 99, which is in no range here, for anything else. */
const two = (text: string, at: number): number => {
  const high = text.charCodeAt(at) - 48;
  const low = text.charCodeAt(at + 1) - 48;
  return high >= 0 && high <= 9 && low >= 0 && low <= 9 ? high * 10 + low : 99;
};

const isPair = (text: string, at: number): boolean => two(text, at) < 99 || text.slice(at, at + 2) === '99';

/**
 * `2026-01-31?16:00:00` with a day that every month has: the form that nearly all instants have, several in every row, so
 * it is read without a regular expression. False only means that the full check must follow.
 *
 * @param separator character code between day and time
 */
export function isPlainTime(text: string, separator: number): boolean {
  const month = two(text, 5);
  const day = two(text, 8);
  return (
    // The year: any four digits.
    isPair(text, 0) &&
    isPair(text, 2) &&
    text.charCodeAt(4) === DASH &&
    month >= 1 &&
    month <= 12 &&
    text.charCodeAt(7) === DASH &&
    day >= 1 &&
    day <= 28 &&
    text.charCodeAt(10) === separator &&
    two(text, 11) <= 23 &&
    text.charCodeAt(13) === COLON &&
    two(text, 14) <= 59 &&
    text.charCodeAt(16) === COLON &&
    two(text, 17) <= 59
  );
}

const isPlainUtc = (text: string): boolean => text.length === 20 && text.charCodeAt(19) === Z && isPlainTime(text, T);

/** True for an ISO 8601 instant with a zone that exists in the calendar (`2026-02-30T00:00:00Z` does not). */
export function isZonedDateTime(text: string): boolean {
  if (isPlainUtc(text)) return true;
  if (!ZONED_DATE_TIME.test(text)) return false;
  const day = Number(text.slice(8, 10));
  if (day <= 28) return true;
  const lastDay = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
  return day <= lastDay;
}

/** An instant: ISO 8601 with zone, for example `2026-01-31T16:00:00Z`. */
export const dateTime = z
  .string()
  .refine(isZonedDateTime, 'must be an ISO 8601 date and time with a zone, such as 2026-01-31T16:00:00Z')
  .meta({ format: 'date-time', examples: ['2026-01-31T16:00:00Z'] });

/** An identifier. Always text, also where the platform's ids are numbers: they pass 2^53. */
export const id = z.string();

/** The platform's own object, member for member, in the platform's names. The one place where nulls are allowed. */
export const raw = z
  .record(z.string(), z.unknown())
  .describe("The platform's own object, unchanged. Returned only when `fields` asks for `raw` or `raw.<member>`.");

/** Optional instants that nearly every object has. */
export const timestamps = {
  created_at: dateTime.optional().describe('When the object was created on the platform.'),
  updated_at: dateTime.optional().describe('When the object was last changed on the platform.'),
};

/** A reference to a targetable value, by id and, for reading, name. */
export const adsTargetRef = z
  .object({
    id: id.optional().describe("The platform's id of the value, as the `target` object lists it."),
    name: z.string().optional().describe('Name of the value, for people.'),
  })
  .meta({ id: 'AdsTargetRef', description: 'A reference to one targetable value: place, interest, audience, device.' });
export type AdsTargetRef = z.infer<typeof adsTargetRef>;

/** A person or account above an organization. */
export const adsManager = z
  .object({
    id: id.optional().describe("The manager's id on the platform."),
    name: z.string().optional().describe("The manager's name."),
  })
  .meta({ id: 'AdsManager', description: 'Somebody who manages an organization.' });
export type AdsManager = z.infer<typeof adsManager>;

/** How often one person may see the ads. */
export const adsFrequencyCap = z
  .object({
    is_unlimited: z.boolean().optional().describe('True when there is no cap.'),
    max_impressions: z.number().optional().describe('Impressions per person in the period.'),
    max_views: z.number().optional().describe('Video views per person in the period.'),
    time_unit: openEnum(TIME_UNITS).optional().describe('Unit of the period.'),
    time_unit_count: z.number().optional().describe('Length of the period, in `time_unit`.'),
  })
  .meta({ id: 'AdsFrequencyCap', description: 'Cap on how often one person is shown the ads.' });
export type AdsFrequencyCap = z.infer<typeof adsFrequencyCap>;

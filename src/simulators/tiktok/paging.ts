import { type Call, TikTokError } from './types.ts';

/** The `page_info` member of every paged answer. */
export interface PageInfo {
  page: number;
  page_size: number;
  total_number: number;
  total_page: number;
}

const positive = (name: string, value: unknown, fallback: number, max: number): number => {
  if (value === undefined || value === null) return fallback;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) {
    throw new TikTokError(40002, `${name}: Not a valid integer.`);
  }
  if (number < 1) throw new TikTokError(40002, `${name}: Must be greater than or equal to 1.`);
  if (number > max) throw new TikTokError(40002, `${name}: Must be less than or equal to ${max}.`);
  return number;
};

/**
 * Reads `page` (default 1) and `page_size` (default 10, up to `max`) of a call. Throws 40002 for anything else.
 * Source: TikTok docs 1739315828649986 (campaign/get) for the defaults; the wording of the errors is unverified.
 */
export function pageParams(call: Call, max = 1000): { page: number; page_size: number } {
  return {
    page: positive('page', call.params['page'], 1, Number.MAX_SAFE_INTEGER),
    page_size: positive('page_size', call.params['page_size'], Math.min(10, max), max),
  };
}

/** One page of `rows` with its `page_info`; a page behind the last one is empty. `max` is the largest page size. */
export function page<T>(rows: readonly T[], call: Call, max = 1000): { list: T[]; page_info: PageInfo } {
  const { page, page_size } = pageParams(call, max);
  return {
    list: rows.slice((page - 1) * page_size, page * page_size),
    page_info: { page, page_size, total_number: rows.length, total_page: Math.ceil(rows.length / page_size) },
  };
}

/**
 * The members of `row` that the caller asked for by `fields` (all of `row` if absent or empty).
 * @param known Names that the endpoint documents; any other in `fields` is 40002.
 */
export function pickFields<T extends object>(row: T, fields: unknown, known: readonly string[]): Partial<T> {
  if (fields === undefined || fields === null) return row;
  if (!Array.isArray(fields)) throw new TikTokError(40002, 'fields: Not a valid list.');
  if (fields.length === 0) return row;
  const picked: Record<string, unknown> = {};
  const source = row as Record<string, unknown>;
  for (const name of fields) {
    if (typeof name !== 'string' || !known.includes(name)) {
      throw new TikTokError(40002, `fields: Invalid value: ${String(name)}.`);
    }
    if (name in source) picked[name] = source[name];
  }
  return picked as Partial<T>;
}

/** The last step before JSON: makes any object fit the wire contract. */
import { isZonedDateTime } from './common.ts';
import { isInstantMs, isoFromDate, isoFromText } from './time.ts';

const isIdKey = (key: string): boolean => key === 'id' || key.endsWith('_id');
const isIdListKey = (key: string): boolean => key.endsWith('_ids');
const isInstantKey = (key: string): boolean => key.endsWith('_at');

/**
 * The value as the wire contract wants it, as a new value:
 * - members that are null, undefined, NaN or infinite are left out, list items likewise, on every level;
 * - Dates, and text under names ending in `_at`, become ISO 8601 with a zone; what is no instant there is left out,
 *   epoch numbers included, for they do not say their unit;
 * - numbers and bigints under `id`, `*_id` and `*_ids` become text;
 * - other bigints become numbers when that is exact, else text;
 * - inside `raw` nothing is touched except undefined, Dates and bigints: nulls and numbers stay as the platform sent
 *   them. A `raw` that is no object is left out, for clients refuse it.
 */
export function toWire(value: unknown): unknown {
  return convert(value, '');
}

/** `toWire` for an object or a list, keeping its type. */
export function wireObject<T extends object>(value: T): T {
  return convert(value, '') as T;
}

function convert(value: unknown, key: string): unknown {
  if (isInstantKey(key) && typeof value !== 'string' && typeof value !== 'object') return undefined;
  switch (typeof value) {
    case 'string':
      return isInstantKey(key) && !isZonedDateTime(value) ? isoFromText(value) : value;
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) return undefined;
      return isIdKey(key) || isIdListKey(key) ? idText(value) : value;
    case 'bigint':
      if (isIdKey(key) || isIdListKey(key)) return value.toString();
      return exactNumber(value);
    case 'object':
      break;
    default:
      return undefined;
  }
  if (value === null) return undefined;
  if (value instanceof Date) return isInstantMs(value.getTime()) ? isoFromDate(value) : undefined;
  if (Array.isArray(value)) {
    const out: unknown[] = [];
    for (const item of value) {
      const converted = convert(item, key);
      if (converted !== undefined) out.push(converted);
    }
    return out;
  }
  const out: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const converted = name === 'raw' ? convertRaw(member) : convert(member, name);
    if (converted !== undefined) put(out, name, converted);
  }
  return out;
}

function convertRaw(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) return undefined;
  return native(value);
}

function native(value: unknown): unknown {
  if (typeof value === 'bigint') return exactNumber(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return isInstantMs(value.getTime()) ? isoFromDate(value) : null;
  if (Array.isArray(value)) return value.map((item) => native(item) ?? null);
  const out: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) if (member !== undefined) put(out, name, native(member));
  return out;
}

/** A number as an id: `1e21` is written out, not with an exponent. */
function idText(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}

function exactNumber(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** Assignment that makes a plain member even of `__proto__`, which a platform may send. */
function put(out: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(out, name, { value, enumerable: true, configurable: true, writable: true });
  else out[name] = value;
}

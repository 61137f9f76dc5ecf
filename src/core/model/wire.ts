/** The last step before JSON: makes any object fit the wire contract. */
import { isZonedDateTime } from './common.ts';
import { isInstantMs, isoFromDate, isoFromText } from './time.ts';

/** What a member's name says of its value. Names are few, so each is looked at once. */
type NameKind = 'id' | 'instant' | 'raw' | 'proto' | 'plain';
const KINDS = new Map<string, NameKind>();
/** A platform's own free-form names may pass by here too: beyond this many, none is kept. */
const MAX_NAMES = 5_000;

function kindOf(name: string): NameKind {
  const known = KINDS.get(name);
  if (known !== undefined) return known;
  const kind =
    name === 'id' || name.endsWith('_id') || name.endsWith('_ids')
      ? 'id'
      : name.endsWith('_at')
        ? 'instant'
        : name === 'raw'
          ? 'raw'
          : name === '__proto__'
            ? 'proto'
            : 'plain';
  if (KINDS.size < MAX_NAMES) KINDS.set(name, kind);
  return kind;
}

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
  return convert(value, 'plain', true);
}

/** `toWire` for an object or a list, keeping its type. `raw: false` leaves the platform's own objects out. */
export function wireObject<T extends object>(value: T, { raw = true }: { raw?: boolean } = {}): T {
  return convert(value, 'plain', raw) as T;
}

/** How the value of a member called `name` is made to fit, for code that builds an object member by member. */
export function wireMember(name: string): (value: unknown) => unknown {
  const kind = kindOf(name);
  if (kind === 'raw') return convertRaw;
  if (kind === 'instant') return (value) => convert(value, kind, true);
  // Most values are text, which needs nothing.
  return (value) => (typeof value === 'string' ? value : convert(value, kind, true));
}

function convert(value: unknown, kind: NameKind, withRaw: boolean): unknown {
  switch (typeof value) {
    case 'string':
      return kind === 'instant' && !isZonedDateTime(value) ? isoFromText(value) : value;
    case 'boolean':
      return kind === 'instant' ? undefined : value;
    case 'number':
      if (kind === 'instant' || !Number.isFinite(value)) return undefined;
      return kind === 'id' ? idText(value) : value;
    case 'bigint':
      if (kind === 'instant') return undefined;
      return kind === 'id' ? value.toString() : exactNumber(value);
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
      const converted = convert(item, kind, withRaw);
      if (converted !== undefined) out.push(converted);
    }
    return out;
  }
  const out: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[name];
    const below = kindOf(name);
    if (below === 'raw') {
      const kept = withRaw ? convertRaw(member) : undefined;
      if (kept !== undefined) out[name] = kept;
      continue;
    }
    const converted = convert(member, below, withRaw);
    if (converted === undefined) continue;
    if (below === 'proto') put(out, name, converted);
    else out[name] = converted;
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

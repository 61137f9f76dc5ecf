/**
 * Codecs: how one native value and one unified value become each other. Each is pure, total on what the platform may
 * send (it never throws while decoding; what it cannot read it leaves out, `raw` still has it), and refuses by name
 * while encoding. Property tests prove decode(encode(x)) = x for every codec.
 */
import { PolyadError } from '../errors/index.ts';
import { currencyExponent } from '../model/currency-table.ts';
import {
  type Decimal,
  decimalScale,
  decimalToNumber,
  fromMicros,
  fromUnits,
  parseDecimal,
  toMicros,
  toUnits,
} from '../model/decimal.ts';
import { isoFromMs, isoFromText, isoFromUtcText, msFromText, utcTextFromMs } from '../model/time.ts';

export interface CodecContext {
  /** ISO 4217 currency of the ad account. */
  currency?: string;
  /** IANA time zone of the ad account. */
  timeZone?: string;
  /** Ad account the object belongs to. */
  organizationId?: string;
  /** The whole native row while decoding. */
  row?: Record<string, unknown>;
  /** The whole unified object while encoding. */
  unified?: Record<string, unknown>;
  /** Unified path being encoded, for error messages. */
  field?: string;
}

export interface Codec {
  /** Name in docs and capability map: `money.decimal`. */
  name: string;
  decode(native: unknown, ctx: CodecContext): unknown;
  /** What `decode` gives is an instant in the wire's form: it need not be checked once more. */
  instant?: true;
  /** Absent = cannot be written. */
  encode?(unified: unknown, ctx: CodecContext): unknown;
  /** Unified values it can write, for `details.allowed` and docs. */
  allowed?: readonly string[];
}

/** The error of a value that a field cannot take. */
export function invalid(ctx: CodecContext, reason: string, extra: Record<string, unknown> = {}): PolyadError {
  return new PolyadError('input_value_invalid', {
    message: `\`${ctx.field ?? 'value'}\` ${reason}.`,
    details: { field: ctx.field, reason, ...extra },
  });
}

/** Ids are text on both sides, whatever their size; a native number becomes its digits. */
export const id: Codec = {
  name: 'id',
  decode: (native) =>
    typeof native === 'string'
      ? native === ''
        ? undefined
        : native
      : typeof native === 'number'
        ? String(native)
        : undefined,
  encode: (unified, ctx) => {
    if (typeof unified !== 'string' || unified === '') throw invalid(ctx, 'must be an id: a string that is not empty');
    return unified;
  },
};

/** Text. Empty native text means "not set". `max` counts UTF-16 code units unless `length` counts otherwise. */
export function text(options: { max?: number; length?: (text: string) => number } = {}): Codec {
  return {
    name: 'text',
    decode: (native) =>
      typeof native === 'string' && native !== '' ? native : typeof native === 'number' ? String(native) : undefined,
    encode: (unified, ctx) => {
      if (typeof unified !== 'string') throw invalid(ctx, 'must be a string');
      const length = options.length?.(unified) ?? unified.length;
      if (options.max !== undefined && length > options.max)
        throw invalid(ctx, `must have at most ${options.max} characters`, { max: options.max, length });
      return unified;
    },
  };
}

function finite(native: unknown): number | undefined {
  // A double is its own nearest double: no need for the way through text. Adding 0 makes -0 a plain 0.
  if (typeof native === 'number') return Number.isFinite(native) ? native + 0 : undefined;
  const decimal = parseDecimal(native);
  return decimal === undefined ? undefined : decimalToNumber(decimal);
}

/** A number; native text such as "12.5" is read too, "-" and "" are not numbers. `unset`: native value meaning "none". */
export function number(options: { unset?: number; min?: number; max?: number } = {}): Codec {
  return {
    name: 'number',
    decode: (native) => {
      const value = finite(native);
      return value === options.unset ? undefined : value;
    },
    encode: (unified, ctx) => {
      if (typeof unified !== 'number' || !Number.isFinite(unified)) throw invalid(ctx, 'must be a number');
      if (options.min !== undefined && unified < options.min)
        throw invalid(ctx, `must be at least ${options.min}`, { min: options.min });
      if (options.max !== undefined && unified > options.max)
        throw invalid(ctx, `must be at most ${options.max}`, { max: options.max });
      return unified;
    },
  };
}

/** A whole number. */
export function integer(options: { unset?: number; min?: number; max?: number } = {}): Codec {
  const base = number(options);
  return {
    ...base,
    name: 'integer',
    encode: (unified, ctx) => {
      if (!Number.isSafeInteger(unified)) throw invalid(ctx, 'must be a whole number');
      return base.encode?.(unified, ctx);
    },
  };
}

export const boolean: Codec = {
  name: 'boolean',
  decode: (native) => (typeof native === 'boolean' ? native : undefined),
  encode: (unified, ctx) => {
    if (typeof unified !== 'boolean') throw invalid(ctx, 'must be true or false');
    return unified;
  },
};

/**
 * An enumeration. `table`: native -> unified. What the platform sends beyond it is passed on as it is, so that nothing
 * is lost; what a caller sends beyond it is refused with the list. `write` names the native value where several native
 * ones read as the same unified one, or where one can only be read (`null`).
 */
export function enums(
  table: Readonly<Record<string, string>>,
  options: { write?: Readonly<Record<string, string | null>> } = {},
): Codec {
  const encodeTable = new Map<string, string>();
  for (const [native, unified] of Object.entries(table))
    if (!encodeTable.has(unified)) encodeTable.set(unified, native);
  for (const [unified, native] of Object.entries(options.write ?? {}))
    if (native === null) encodeTable.delete(unified);
    else encodeTable.set(unified, native);
  const allowed = [...encodeTable.keys()];
  const decodeTable = new Map(Object.entries(table));
  return {
    name: 'enum',
    allowed,
    decode: (native) => (typeof native === 'string' && native !== '' ? (decodeTable.get(native) ?? native) : undefined),
    encode: (unified, ctx) => {
      const native = typeof unified === 'string' ? encodeTable.get(unified) : undefined;
      if (native === undefined)
        throw new PolyadError('input_value_unsupported', {
          message: `\`${ctx.field ?? 'value'}\` cannot be ${JSON.stringify(unified)} on this platform.`,
          details: { field: ctx.field, value: unified, allowed },
        });
      return native;
    },
  };
}

function amount(unified: unknown, ctx: CodecContext): Decimal {
  const decimal = typeof unified === 'number' || typeof unified === 'string' ? parseDecimal(unified) : undefined;
  if (decimal === undefined) throw invalid(ctx, 'must be an amount of money: a number in currency units');
  if (decimal.startsWith('-')) throw invalid(ctx, 'must not be negative');
  if (ctx.currency !== undefined && decimalScale(decimal) > currencyExponent(ctx.currency))
    throw invalid(ctx, `has more decimals than ${ctx.currency} has`, {
      currency: ctx.currency,
      decimals: currencyExponent(ctx.currency),
    });
  return decimal;
}

/** Minor units and micros are whole numbers; a fraction of one is not an amount anybody can read. */
function wholeUnits(native: unknown): Decimal | undefined {
  const units = parseDecimal(native);
  return units === undefined || decimalScale(units) > 0 ? undefined : units;
}

const moneyOut = (decimal: Decimal | undefined, unset: number | undefined): number | undefined => {
  if (decimal === undefined) return undefined;
  const value = decimalToNumber(decimal);
  return value === unset ? undefined : value;
};

/**
 * Money. Unified amounts are numbers in units of the account's currency (12.5 = twelve and a half dollars); inside, they
 * are exact decimals. Amounts with more decimals than the currency has are refused, never rounded.
 */
export const money = {
  /** Native: decimal number or text in currency units. */
  decimal: (options: { unset?: number } = {}): Codec => ({
    name: 'money.decimal',
    decode: (native) => {
      const value = finite(native);
      return value === options.unset ? undefined : value;
    },
    encode: (unified, ctx) => decimalToNumber(amount(unified, ctx)),
  }),
  /** Native: integer in the currency's minor unit (cents; yen themselves). */
  minor: (options: { unset?: number; as?: 'number' | 'string' } = {}): Codec => ({
    name: 'money.minor',
    decode: (native, ctx) => {
      const units = wholeUnits(native);
      return units === undefined
        ? undefined
        : moneyOut(fromUnits(units, currencyExponent(ctx.currency ?? 'USD')), options.unset);
    },
    encode: (unified, ctx) => {
      const units = toUnits(amount(unified, ctx), currencyExponent(ctx.currency ?? 'USD'));
      return options.as === 'string' ? units.toString() : Number(units);
    },
  }),
  /** Native: integer millionths of a currency unit. */
  micros: (options: { unset?: number; as?: 'number' | 'string' } = {}): Codec => ({
    name: 'money.micros',
    decode: (native) => {
      const micros = wholeUnits(native);
      return micros === undefined ? undefined : moneyOut(fromMicros(micros), options.unset);
    },
    encode: (unified, ctx) => {
      const micros = toMicros(amount(unified, ctx));
      return options.as === 'string' ? micros.toString() : Number(micros);
    },
  }),
};

function instant(unified: unknown, ctx: CodecContext): number {
  const ms =
    unified instanceof Date ? unified.getTime() : typeof unified === 'string' ? msFromText(unified) : undefined;
  if (ms === undefined || Number.isNaN(ms))
    throw invalid(ctx, 'must be a date and time with a zone, such as 2026-01-31T16:00:00Z');
  return ms;
}

/** Milliseconds as ISO text; outside the years 0001 to 9999 it is no date anyone meant. */
function isoOrNothing(ms: number | undefined): string | undefined {
  return ms === undefined || ms === 0 || Math.abs(ms) > 8.64e15 || !/^\d{4}-/.test(new Date(ms).toISOString())
    ? undefined
    : isoFromMs(ms);
}

/** Instants. Unified: ISO 8601 with zone. */
export const time = {
  /** Native: `YYYY-MM-DD HH:MM:SS` in UTC; fractions of seconds are cut. */
  utcText: {
    name: 'time.utcText',
    instant: true,
    decode: (native) => (typeof native === 'string' ? isoFromUtcText(native) : undefined),
    encode: (unified, ctx) => utcTextFromMs(instant(unified, ctx)),
  } satisfies Codec as Codec,
  /** Native: seconds since 1970. */
  epochSeconds: {
    name: 'time.epochSeconds',
    instant: true,
    decode: (native) => {
      const seconds = finite(native);
      return isoOrNothing(seconds === undefined ? undefined : seconds * 1000);
    },
    encode: (unified, ctx) => Math.floor(instant(unified, ctx) / 1000),
  } satisfies Codec as Codec,
  /** Native: milliseconds since 1970. */
  epochMs: {
    name: 'time.epochMs',
    instant: true,
    decode: (native) => isoOrNothing(finite(native)),
    encode: (unified, ctx) => instant(unified, ctx),
  } satisfies Codec as Codec,
  /** Native: ISO 8601 with zone. */
  iso: {
    name: 'time.iso',
    instant: true,
    decode: (native) => (typeof native === 'string' ? isoFromText(native) : undefined),
    encode: (unified, ctx) => isoFromMs(instant(unified, ctx)),
  } satisfies Codec as Codec,
};

/** The members of a native list that can be ids or text; what is neither is left out, `raw` still has it. */
const texts = (native: unknown): string[] =>
  Array.isArray(native)
    ? native.flatMap((member) => (['string', 'number', 'boolean'].includes(typeof member) ? [String(member)] : []))
    : [];

/** Native list of ids <-> unified list of `{id, name}`. An empty native list means "not set". */
export const refs: Codec = {
  name: 'refs',
  decode: (native) => {
    const ids = texts(native);
    return ids.length === 0 ? undefined : ids.map((member) => ({ id: member }));
  },
  encode: (unified, ctx) => {
    if (!Array.isArray(unified)) throw invalid(ctx, 'must be a list of {id}');
    return unified.map((member) => {
      const value = (member as { id?: unknown } | null)?.id;
      if (typeof value !== 'string' || value === '') throw invalid(ctx, 'needs an `id` in every member');
      return value;
    });
  },
};

/** A list of strings. An empty native list means "not set". */
export const textList: Codec = {
  name: 'textList',
  decode: (native) => {
    const found = texts(native);
    return found.length === 0 ? undefined : found;
  },
  encode: (unified, ctx) => {
    if (!Array.isArray(unified) || unified.some((member) => typeof member !== 'string'))
      throw invalid(ctx, 'must be a list of strings');
    return unified;
  },
};

/** A codec of the platform's own, for what no table can say. */
export function custom(codec: Codec): Codec {
  return codec;
}

/**
 * Exact decimals as text. Money never is a binary float inside polyad: it is a canonical decimal (`"12.5"`, `"-0.001"`,
 * `"0"`: no exponent, no plus, no zeros that say nothing), counted with BigInt, and becomes a JSON number only at the
 * edge. Every function here takes what `parseDecimal` takes and gives canonical text.
 */

/** A canonical decimal: optional minus, digits without leading zeros, fraction without trailing zeros; never `-0`. */
export type Decimal = string;

/** What can be read as a decimal. Numbers are read by their shortest text (0.1 is one tenth), bigints exactly. */
export type DecimalInput = string | number | bigint;

/**
 * How a digit that does not fit is dropped. `half_even` (banker's) is the default everywhere: it does not drift over
 * many rows. `half_up` rounds halves away from zero, `down` cuts, `up` goes away from zero, `floor` and `ceil` go
 * towards minus and plus infinity.
 */
export type Rounding = 'half_even' | 'half_up' | 'down' | 'up' | 'floor' | 'ceil';

const PATTERN = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
const CANONICAL = /^(?:0|-?[1-9]\d*|-?(?:0|[1-9]\d*)\.\d*[1-9])$/;
/** Longest expansion an exponent may ask for: beyond all money, below all harm. */
const MAX_DIGITS = 2000;

interface Unscaled {
  /** The value times 10^scale. */
  units: bigint;
  /** Digits after the point, 0 or more. */
  scale: number;
}

const POWERS: bigint[] = [1n];

function pow10(n: number): bigint {
  for (let i = POWERS.length; i <= n; i++) POWERS.push((POWERS[i - 1] as bigint) * 10n);
  return POWERS[n] as bigint;
}

/**
 * Reads a decimal into canonical text. Takes a point, an exponent, a plus, spaces around; takes no thousands
 * separators, no decimal comma, no currency sign. Gives undefined for anything else, NaN and infinities included.
 */
export function parseDecimal(input: unknown): Decimal | undefined {
  if (typeof input === 'bigint') return input.toString();
  if (typeof input === 'number') {
    if (!Number.isFinite(input)) return undefined;
    return Number.isSafeInteger(input) ? String(input + 0) : expand(String(input));
  }
  if (typeof input !== 'string') return undefined;
  return CANONICAL.test(input) ? input : expand(input.trim());
}

function expand(text: string): Decimal | undefined {
  const match = PATTERN.exec(text);
  if (!match) return undefined;
  const whole = match[2] ?? '';
  const fraction = match[3] ?? '';
  if (whole === '' && fraction === '') return undefined;
  const exponent = Number(match[4] ?? 0);
  if (whole.length + fraction.length + Math.abs(exponent) > MAX_DIGITS) return undefined;
  const units = BigInt(`${whole}${fraction}`);
  const scale = fraction.length - exponent;
  const signed = match[1] === '-' ? -units : units;
  return scale >= 0 ? format(signed, scale) : format(signed * pow10(-scale), 0);
}

/** As `parseDecimal`, but throws RangeError for what is not a decimal. */
export function toDecimal(input: DecimalInput): Decimal {
  const parsed = parseDecimal(input);
  if (parsed === undefined) throw new RangeError(`not a decimal number: ${String(input).slice(0, 60)}`);
  return parsed;
}

/** The value as a JSON number: the nearest double, which prints as the same decimal up to 15 significant digits. */
export function decimalToNumber(value: DecimalInput): number {
  return Number(toDecimal(value));
}

function unscale(input: DecimalInput): Unscaled {
  const text = toDecimal(input);
  const point = text.indexOf('.');
  if (point < 0) return { units: BigInt(text), scale: 0 };
  return { units: BigInt(text.slice(0, point) + text.slice(point + 1)), scale: text.length - point - 1 };
}

function format(units: bigint, scale: number): Decimal {
  if (scale === 0 || units === 0n) return units.toString();
  const negative = units < 0n;
  const digits = (negative ? -units : units).toString().padStart(scale + 1, '0');
  let end = digits.length;
  const point = digits.length - scale;
  while (end > point && digits.charCodeAt(end - 1) === 48) end--;
  const text = end === point ? digits.slice(0, point) : `${digits.slice(0, point)}.${digits.slice(point, end)}`;
  return negative ? `-${text}` : text;
}

/** Integer division with the given rounding; `divisor` is positive or negative, never zero. */
function divideUnits(dividend: bigint, divisor: bigint, rounding: Rounding): bigint {
  const quotient = dividend / divisor;
  const rest = dividend % divisor;
  if (rest === 0n) return quotient;
  const away = dividend < 0n === divisor < 0n ? 1n : -1n;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  const size = divisor < 0n ? -divisor : divisor;
  switch (rounding) {
    case 'down':
      return quotient;
    case 'up':
      return quotient + away;
    case 'floor':
      return away < 0n ? quotient - 1n : quotient;
    case 'ceil':
      return away > 0n ? quotient + 1n : quotient;
    case 'half_up':
      return twice >= size ? quotient + away : quotient;
    case 'half_even':
      return twice > size || (twice === size && quotient % 2n !== 0n) ? quotient + away : quotient;
  }
}

/** a + b, exactly. */
export function addDecimals(a: DecimalInput, b: DecimalInput): Decimal {
  return new DecimalSum().add(a).add(b).value;
}

/** a - b, exactly. */
export function subtractDecimals(a: DecimalInput, b: DecimalInput): Decimal {
  return addDecimals(a, negateDecimal(b));
}

/** -a, exactly. */
export function negateDecimal(a: DecimalInput): Decimal {
  const { units, scale } = unscale(a);
  return format(-units, scale);
}

/** a × b, exactly. */
export function multiplyDecimals(a: DecimalInput, b: DecimalInput): Decimal {
  const x = unscale(a);
  const y = unscale(b);
  return format(x.units * y.units, x.scale + y.scale);
}

/**
 * a ÷ b with `scale` digits after the point. A quotient seldom ends, so the digits kept and the rounding are said, never
 * assumed. Throws RangeError when b is zero.
 */
export function divideDecimals(
  a: DecimalInput,
  b: DecimalInput,
  options: { scale: number; rounding?: Rounding },
): Decimal {
  const x = unscale(a);
  const y = unscale(b);
  if (y.units === 0n) throw new RangeError('division by zero');
  const shift = options.scale + y.scale - x.scale;
  const dividend = shift >= 0 ? x.units * pow10(shift) : x.units;
  const divisor = shift >= 0 ? y.units : y.units * pow10(-shift);
  return format(divideUnits(dividend, divisor, options.rounding ?? 'half_even'), options.scale);
}

/** a with at most `scale` digits after the point. */
export function roundDecimal(a: DecimalInput, scale: number, rounding: Rounding = 'half_even'): Decimal {
  const x = unscale(a);
  if (x.scale <= scale) return format(x.units, x.scale);
  return format(divideUnits(x.units, pow10(x.scale - scale), rounding), scale);
}

/** Negative when a < b, 0 when equal, positive when a > b. Fits `Array.sort`. */
export function compareDecimals(a: DecimalInput, b: DecimalInput): number {
  const x = unscale(a);
  const y = unscale(b);
  const scale = Math.max(x.scale, y.scale);
  const difference = x.units * pow10(scale - x.scale) - y.units * pow10(scale - y.scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Digits after the point that a has: 0 for `"12"`, 2 for `"0.05"`. */
export function decimalScale(a: DecimalInput): number {
  return unscale(a).scale;
}

/** A running exact sum: for long columns, where text after every addend would cost more than the sum. */
export class DecimalSum {
  #units = 0n;
  #scale = 0;

  /** Adds one value. Throws RangeError for what is not a decimal. */
  add(value: DecimalInput): this {
    const { units, scale } = unscale(value);
    if (scale > this.#scale) {
      this.#units *= pow10(scale - this.#scale);
      this.#scale = scale;
    }
    this.#units += scale === this.#scale ? units : units * pow10(this.#scale - scale);
    return this;
  }

  /** The sum so far. */
  get value(): Decimal {
    return format(this.#units, this.#scale);
  }
}

/** The exact sum of all values; `"0"` for none. */
export function sumDecimals(values: Iterable<DecimalInput>): Decimal {
  const sum = new DecimalSum();
  for (const value of values) sum.add(value);
  return sum.value;
}

/**
 * The value in units of 10^-exponent: `toUnits("12.34", 2)` is 1234n (minor units), `toUnits("0.000001", 6)` is 1n
 * (micros). Without `rounding`, digits that do not fit throw RangeError: money is not thrown away quietly.
 */
export function toUnits(value: DecimalInput, exponent: number, rounding?: Rounding): bigint {
  const { units, scale } = unscale(value);
  if (scale <= exponent) return units * pow10(exponent - scale);
  if (rounding === undefined)
    throw new RangeError(`${toDecimal(value)} has more than ${exponent} digits after the point`);
  return divideUnits(units, pow10(scale - exponent), rounding);
}

/** The value of a whole number of units of 10^-exponent. Throws RangeError when `units` is not a whole number. */
export function fromUnits(units: DecimalInput, exponent: number): Decimal {
  const whole = toDecimal(units);
  if (whole.includes('.')) throw new RangeError(`not a whole number of units: ${whole}`);
  return format(BigInt(whole), exponent);
}

/** Digits after the point of a micro: a millionth of the currency's unit. */
const MICROS = 6;

/** Amount to micros, exactly; digits below a micro throw RangeError unless `rounding` is given. */
export function toMicros(amount: DecimalInput, rounding?: Rounding): bigint {
  return toUnits(amount, MICROS, rounding);
}

/** Micros to amount: 1500000 is `"1.5"`. */
export function fromMicros(micros: DecimalInput): Decimal {
  return fromUnits(micros, MICROS);
}

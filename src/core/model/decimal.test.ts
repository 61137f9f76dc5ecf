import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addDecimals,
  compareDecimals,
  currencyExponent,
  DecimalSum,
  decimalScale,
  decimalToNumber,
  divideDecimals,
  fromMicros,
  fromMinorUnits,
  fromUnits,
  multiplyDecimals,
  negateDecimal,
  parseDecimal,
  roundDecimal,
  subtractDecimals,
  sumDecimals,
  toDecimal,
  toMicros,
  toMinorUnits,
  toUnits,
  UNUSUAL_CURRENCIES,
} from './index.ts';

const units = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
const scale = fc.nat(12);
const decimal = fc.tuple(units, scale).map(([value, digits]) => fromUnits(value, digits));
const CANONICAL = /^(0|-?[1-9]\d*|-?(0|[1-9]\d*)\.\d*[1-9])$/;

describe('parseDecimal', () => {
  it.each([
    ['12.50', '12.5'],
    ['007', '7'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['+3', '3'],
    ['-0.00', '0'],
    [' 1.0 ', '1'],
    ['1e3', '1000'],
    ['1.25E-3', '0.00125'],
    ['-12e-1', '-1.2'],
    [-0, '0'],
    [0.1, '0.1'],
    [1e-7, '0.0000001'],
    [1e21, '1000000000000000000000'],
    [12n, '12'],
  ])('reads %o as %s', (input, output) => {
    expect(parseDecimal(input)).toBe(output);
  });

  it.each([
    '',
    '.',
    '-',
    '1,5',
    '1 000',
    '0x10',
    '1e',
    '--',
    'NaN',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    undefined,
    {},
    '1e99999',
    `1e${'9'.repeat(4)}`,
  ])('does not read %o', (input) => {
    expect(parseDecimal(input)).toBeUndefined();
  });

  it('leaves canonical text alone and always gives canonical text', () => {
    fc.assert(
      fc.property(decimal, (text) => {
        expect(parseDecimal(text)).toBe(text);
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[+-]?\d{0,6}\.?\d{0,6}(e[+-]?\d{1,2})?$/), (text) => {
        const read = parseDecimal(text);
        if (read !== undefined) {
          expect(read).toMatch(CANONICAL);
          expect(Number(read)).toBeCloseTo(Number(text), 6);
        }
      }),
    );
  });

  it('brings every finite number back', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e100, max: 1e100 }), (value) => {
        expect(decimalToNumber(toDecimal(value))).toBe(value + 0);
      }),
    );
  });

  it('throws from toDecimal for what is not a decimal', () => {
    expect(() => toDecimal('12,50')).toThrow(RangeError);
  });
});

describe('arithmetic', () => {
  it('adds without the errors of binary floats', () => {
    expect(addDecimals('0.1', '0.2')).toBe('0.3');
    expect(sumDecimals(Array.from({ length: 1000 }, () => '0.01'))).toBe('10');
    expect(sumDecimals([])).toBe('0');
  });

  it('agrees with BigInt on a common scale', () => {
    fc.assert(
      fc.property(units, units, scale, (a, b, digits) => {
        const x = fromUnits(a, digits);
        const y = fromUnits(b, digits);
        expect(addDecimals(x, y)).toBe(fromUnits(a + b, digits));
        expect(subtractDecimals(x, y)).toBe(fromUnits(a - b, digits));
        expect(multiplyDecimals(x, y)).toBe(fromUnits(a * b, digits * 2));
        expect(negateDecimal(x)).toBe(fromUnits(-a, digits));
        expect(Math.sign(compareDecimals(x, y))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  it('sums in any order to the same', () => {
    fc.assert(
      fc.property(fc.array(decimal, { maxLength: 20 }), (values) => {
        const sum = new DecimalSum();
        for (const value of [...values].reverse()) sum.add(value);
        expect(sum.value).toBe(sumDecimals(values));
        expect(sum.value).toBe(values.reduce((total, value) => addDecimals(total, value), '0'));
      }),
    );
  });

  it('divides with the digits and rounding it is told', () => {
    expect(divideDecimals('1', '3', { scale: 6 })).toBe('0.333333');
    expect(divideDecimals('2', '3', { scale: 2 })).toBe('0.67');
    expect(divideDecimals('-7', '2', { scale: 0, rounding: 'floor' })).toBe('-4');
    expect(divideDecimals('7', '-2', { scale: 0, rounding: 'ceil' })).toBe('-3');
    expect(divideDecimals('100', '0.003', { scale: 1 })).toBe('33333.3');
    expect(() => divideDecimals('1', '0.00', { scale: 2 })).toThrow(RangeError);
  });

  it('undoes multiplication', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        fc.pre(b !== '0');
        expect(divideDecimals(multiplyDecimals(a, b), b, { scale: 24 })).toBe(a);
      }),
    );
  });

  it('leaves an error below one last digit, on the side the rounding says', () => {
    fc.assert(
      fc.property(decimal, fc.nat(6), (value, digits) => {
        const step = fromUnits(1, digits);
        for (const rounding of ['half_even', 'half_up', 'down', 'up', 'floor', 'ceil'] as const) {
          const rounded = roundDecimal(value, digits, rounding);
          expect(decimalScale(rounded)).toBeLessThanOrEqual(digits);
          const error = subtractDecimals(rounded, value);
          expect(compareDecimals(error.replace('-', ''), step)).toBe(-1);
          if (rounding === 'floor') expect(compareDecimals(error, '0')).toBeLessThanOrEqual(0);
          if (rounding === 'ceil') expect(compareDecimals(error, '0')).toBeGreaterThanOrEqual(0);
          const size = compareDecimals(rounded.replace('-', ''), value.replace('-', ''));
          if (rounding === 'down') expect(size).toBeLessThanOrEqual(0);
          if (rounding === 'up') expect(size).toBeGreaterThanOrEqual(0);
          if (rounding.startsWith('half'))
            expect(compareDecimals(multiplyDecimals(error.replace('-', ''), '2'), step)).toBeLessThanOrEqual(0);
        }
      }),
    );
  });

  it.each([
    ['0.125', '0.12', '0.13'],
    ['0.135', '0.14', '0.14'],
    ['-0.125', '-0.12', '-0.13'],
    ['0.1250001', '0.13', '0.13'],
    ['2.5', '2.5', '2.5'],
  ])('rounds the half %s to %s (even) and %s (up)', (value, even, up) => {
    expect(roundDecimal(value, 2)).toBe(even);
    expect(roundDecimal(value, 2, 'half_up')).toBe(up);
  });
});

describe('minor units and micros', () => {
  it.each([
    ['12.34', 'USD', 1234n],
    ['500', 'JPY', 500n],
    ['1.234', 'KWD', 1234n],
    ['1.2345', 'CLF', 12345n],
    ['-0.05', 'EUR', -5n],
    ['9007199254740993.01', 'USD', 900719925474099301n],
  ])('%s %s is %s minor units', (amount, currency, minor) => {
    expect(toMinorUnits(amount, currency)).toBe(minor);
    expect(fromMinorUnits(minor, currency)).toBe(amount);
  });

  it('refuses digits that the currency does not have, unless told how to round', () => {
    expect(() => toMinorUnits('10.5', 'JPY')).toThrow(RangeError);
    expect(toMinorUnits('10.5', 'JPY', 'half_up')).toBe(11n);
    expect(() => toUnits('0.0000001', 6)).toThrow(RangeError);
    expect(() => fromMinorUnits('1.5', 'USD')).toThrow(RangeError);
  });

  it('comes back from every currency and from micros', () => {
    fc.assert(
      fc.property(units, fc.constantFrom('USD', ...UNUSUAL_CURRENCIES), (minor, currency) => {
        expect(toMinorUnits(fromMinorUnits(minor, currency), currency)).toBe(minor);
        expect(toMicros(fromMicros(minor))).toBe(minor);
      }),
    );
  });

  it('knows the currencies that are not in hundredths', () => {
    expect(['JPY', 'KRW', 'CLP', 'VND', 'ISK', 'UGX'].map(currencyExponent)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(['KWD', 'BHD', 'OMR', 'JOD', 'TND', 'IQD', 'LYD'].map(currencyExponent)).toEqual([3, 3, 3, 3, 3, 3, 3]);
    expect(['USD', 'EUR', 'HUF', 'TWD', 'IDR', 'MGA'].map(currencyExponent)).toEqual([2, 2, 2, 2, 2, 2]);
    expect(currencyExponent('jpy')).toBe(0);
  });

  it('agrees with the currency data of the runtime', () => {
    // Unlike ISO 4217, the runtime's data follows custom; only currencies where both have an official minor unit.
    for (const currency of UNUSUAL_CURRENCIES.filter((code) => !['UYI', 'UYW', 'IQD'].includes(code))) {
      const format = new Intl.NumberFormat('en', { style: 'currency', currency });
      expect(format.resolvedOptions().maximumFractionDigits, currency).toBe(currencyExponent(currency));
    }
  });
});

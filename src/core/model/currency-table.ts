import { type Decimal, type DecimalInput, fromUnits, type Rounding, toUnits } from './decimal.ts';

/**
 * Currencies whose minor unit is not a hundredth, with the digits after the point they have. Source: ISO 4217 list one,
 * published by SIX (maintenance agency). UYI and CLF are units of account, kept because accounts may show them.
 * Platforms that count otherwise (their own offsets) say so in their own tables.
 */
const EXPONENTS: Readonly<Record<string, number>> = {
  BIF: 0,
  CLP: 0,
  DJF: 0,
  GNF: 0,
  ISK: 0,
  JPY: 0,
  KMF: 0,
  KRW: 0,
  PYG: 0,
  RWF: 0,
  UGX: 0,
  UYI: 0,
  VND: 0,
  VUV: 0,
  XAF: 0,
  XOF: 0,
  XPF: 0,
  BHD: 3,
  IQD: 3,
  JOD: 3,
  KWD: 3,
  LYD: 3,
  OMR: 3,
  TND: 3,
  CLF: 4,
  UYW: 4,
};

/** Digits after the point of a currency by ISO 4217: 2 unless the table says otherwise. The code may be in any case. */
export function currencyExponent(currency: string): number {
  return EXPONENTS[currency.toUpperCase()] ?? 2;
}

/** Currencies with another exponent than 2, for tests and docs. */
export const UNUSUAL_CURRENCIES: readonly string[] = Object.keys(EXPONENTS);

/**
 * Amount to minor units of the currency: 12.34 USD is 1234n, 500 JPY is 500n, 1.234 KWD is 1234n. Digits that the
 * currency does not have throw RangeError unless `rounding` is given.
 */
export function toMinorUnits(amount: DecimalInput, currency: string, rounding?: Rounding): bigint {
  return toUnits(amount, currencyExponent(currency), rounding);
}

/** Minor units of the currency to amount: 1234 of USD is `"12.34"`, of JPY `"1234"`, of KWD `"1.234"`. */
export function fromMinorUnits(minor: DecimalInput, currency: string): Decimal {
  return fromUnits(minor, currencyExponent(currency));
}

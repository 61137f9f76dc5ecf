/**
 * Currencies as the simulator needs them: how many decimals an amount has, and roughly what a US dollar is worth, so
 * that synthetic money looks like money of its country. The rates are rounded figures, not quotes.
 */

const perUsd: Readonly<Record<string, number>> = {
  USD: 1,
  EUR: 0.9,
  GBP: 0.78,
  JPY: 150,
  KWD: 0.31,
  AUD: 1.5,
  NZD: 1.7,
  CAD: 1.4,
  CHF: 0.88,
  SEK: 10.5,
  NOK: 11,
  DKK: 6.8,
  PLN: 4,
  CZK: 23,
  HUF: 365,
  RON: 4.6,
  TRY: 38,
  ILS: 3.6,
  AED: 3.67,
  SAR: 3.75,
  QAR: 3.64,
  BHD: 0.38,
  OMR: 0.38,
  JOD: 0.71,
  EGP: 49,
  ZAR: 18,
  NGN: 1500,
  KES: 129,
  INR: 85,
  PKR: 280,
  BDT: 121,
  LKR: 300,
  IDR: 16000,
  MYR: 4.4,
  SGD: 1.34,
  THB: 34,
  PHP: 57,
  VND: 25500,
  KRW: 1400,
  TWD: 32,
  HKD: 7.8,
  CNY: 7.2,
  BRL: 5.8,
  MXN: 20,
  ARS: 1050,
  CLP: 960,
  COP: 4200,
  PEN: 3.7,
  UAH: 42,
  KZT: 520,
};

const digits = new Map<string, number>();

/** Decimals of an ISO 4217 currency: USD 2, JPY 0, KWD 3; 2 for a code that is unknown. */
export function currencyDigits(currency: string): number {
  let known = digits.get(currency);
  if (known === undefined) {
    try {
      known = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
    } catch {
      known = 2;
    }
    digits.set(currency, known);
  }
  return known;
}

/** Minor units of `currency` in one US dollar, roughly. */
export function minorPerUsd(currency: string): number {
  return (perUsd[currency] ?? 1) * 10 ** currencyDigits(currency);
}

/** An amount in the currency's major unit as whole minor units. */
export function toMinor(amount: number, currency: string): number {
  return Math.round(amount * 10 ** currencyDigits(currency));
}

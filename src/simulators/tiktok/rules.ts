import { currencyDigits } from './currency.ts';
import { parseStamp } from './stamp.ts';
import { type Advertiser, type Native, type Param, TikTokError } from './types.ts';

/**
 * Rules that campaigns, ad groups and ads share: names, money, times, references. The codes are documented; the wording
 * of the messages follows the documented ones and is (unverified).
 */

/** Throws TikTokError 40002. */
export function invalid(message: string): never {
  throw new TikTokError(40002, message);
}

/** Throws 40002 in the one wording that TikTok documents for absent members. */
export function missing(...names: string[]): never {
  return invalid(`Missing required field(s): ${names.join(', ')}.`);
}

/** A member that was said and is not null; null means unset, as TikTok's own answers write it. */
export const given = (values: Record<string, unknown>, name: string): boolean => (values[name] ?? null) !== null;

/** Characters that count twice against a name's limit: Chinese, Japanese, Korean and full-width forms. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const EMOJI = /\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|\u20e3|[\u{1f1e6}-\u{1f1ff}]/u;

/** Length of a name as TikTok counts it. */
export function nameLength(name: string): number {
  let length = 0;
  for (const character of name) length += WIDE.test(character) ? 2 : 1;
  return length;
}

/**
 * Names of campaigns, ad groups and ads: 1 to 512 characters, CJK counts two, no emoji. Source: TikTok docs
 * 1739318962329602 for campaigns; the same for the other levels (unverified).
 */
export function checkName(field: string, name: unknown): void {
  if (typeof name !== 'string') return;
  if (name.trim() === '') invalid(`${field}: Shorter than minimum length 1.`);
  if (nameLength(name) > 512) invalid(`${field}: Longer than maximum length 512.`);
  if (EMOJI.test(name)) invalid(`${field}: Emojis are not supported.`);
}

function decimalsUsed(value: number): number {
  const [mantissa = '', exponent = '0'] = String(value).split('e');
  const fraction = mantissa.split('.')[1]?.length ?? 0;
  return Math.max(0, fraction - Number(exponent));
}

/** An amount in the account's currency: not negative, no finer than the currency's smallest unit. */
export function checkMoney(field: string, value: unknown, currency: string): void {
  if (typeof value !== 'number') return;
  if (value < 0) invalid(`${field}: Must be greater than or equal to 0.`);
  const decimals = currencyDigits(currency);
  if (decimalsUsed(value) > decimals) {
    invalid(`${field}: Currency ${currency} allows at most ${decimals} decimal place(s).`);
  }
}

/** What 50 USD are in round amounts of other currencies; only as good as a lower bound of a budget needs to be (unverified). */
const PER_USD: Readonly<Record<string, number>> = {
  AED: 4,
  ARS: 1000,
  AUD: 1,
  BDT: 100,
  BRL: 5,
  CAD: 1,
  CHF: 1,
  CLP: 1000,
  CNY: 7,
  COP: 4000,
  CZK: 20,
  DKK: 7,
  DZD: 100,
  EGP: 50,
  EUR: 1,
  GBP: 1,
  HKD: 8,
  HUF: 400,
  IDR: 15_000,
  ILS: 4,
  INR: 100,
  ISK: 100,
  JPY: 100,
  KES: 100,
  KRW: 1000,
  KWD: 0.3,
  MAD: 10,
  MXN: 20,
  MYR: 4,
  NGN: 1000,
  NOK: 10,
  NZD: 1,
  PEN: 4,
  PHP: 50,
  PKR: 300,
  PLN: 4,
  PYG: 8000,
  QAR: 4,
  RON: 4,
  RUB: 100,
  SAR: 4,
  SEK: 10,
  SGD: 1,
  THB: 30,
  TRY: 40,
  TWD: 30,
  UAH: 40,
  USD: 1,
  UYU: 40,
  VND: 25_000,
  ZAR: 20,
};

/** Smallest daily or lifetime budget of a level in the account's currency: 50 and 20 USD or thereabouts (unverified). */
export function minimumBudget(level: 'campaign' | 'adgroup', currency: string): number {
  return Number(((level === 'campaign' ? 50 : 20) * (PER_USD[currency] ?? 1)).toFixed(currencyDigits(currency)));
}

/** A budget of a campaign or ad group whose mode is not unlimited. */
export function checkBudget(
  level: 'campaign' | 'adgroup',
  field: string,
  value: unknown,
  advertiser: Advertiser,
): void {
  checkMoney(field, value, advertiser.currency);
  const minimum = minimumBudget(level, advertiser.currency);
  if (typeof value === 'number' && value < minimum) {
    invalid(`${field}: The budget must be at least ${minimum} ${advertiser.currency}.`);
  }
}

/** Target return on ad spend: 0.01 to 1000 (TikTok docs 1739499616346114). */
export function checkRoas(value: unknown): void {
  if (typeof value !== 'number' || value === 0) return;
  if (value < 0.01 || value > 1000) invalid('roas_bid: Must be between 0.01 and 1000.');
}

/** Reads a `YYYY-MM-DD HH:MM:SS` in UTC, or throws 40002. */
export function readTime(field: string, value: unknown): Date {
  const at = typeof value === 'string' ? parseStamp(value) : undefined;
  return at ?? invalid(`${field}: Not a valid datetime. The format is YYYY-MM-DD HH:MM:SS.`);
}

/**
 * The object `id` of the ad account, or 40007. Objects of other accounts answer the same as those that never were, so
 * that nothing is told about them.
 */
export function owned(
  rows: { get(id: string): Native | undefined },
  kind: string,
  id: unknown,
  advertiserId: string,
): Native {
  const row = typeof id === 'string' ? rows.get(id) : undefined;
  if (!row || row.advertiser_id !== advertiserId)
    throw new TikTokError(40007, `The ${kind} ${String(id)} does not exist.`);
  return row;
}

/** The same for an object that is to be changed: deleted ones never change again. */
export function changeable(
  rows: { get(id: string): Native | undefined },
  kind: string,
  id: unknown,
  advertiserId: string,
): Native {
  const row = owned(rows, kind, id, advertiserId);
  if (row['operation_status'] === 'DELETE') invalid(`The ${kind} ${row.id} has been deleted and cannot be changed.`);
  return row;
}

/** Refuses members that an update does not take, naming them. `also`: members of the call that are no object fields. */
export function refuseOthers(
  values: Record<string, unknown>,
  allowed: readonly Param[],
  prefix = '',
  also: readonly string[] = [],
): void {
  const known = new Set([...allowed.map((param) => param.name), ...also]);
  const others = Object.keys(values).filter((name) => !known.has(name));
  if (others.length > 0) {
    invalid(`The following field(s) cannot be updated: ${others.map((name) => prefix + name).join(', ')}.`);
  }
}

/** How long TikTok remembers a body's `request_id`, in ms. Source: an independent client's notes, "about 10 s". */
const REMEMBERED_MS = 10_000;

/**
 * Idempotency of creation: a `request_id` (a string of digits that fits 64 bits) seen within about 10 seconds is 40050.
 * Works on the stored rows, so that it holds over a restart.
 * @returns the members to keep on the new row.
 */
export function checkRequestId(requestId: unknown, siblings: readonly Native[], now: Date): Record<string, unknown> {
  if (requestId === undefined || requestId === null) return {};
  if (typeof requestId !== 'string' || !/^\d{1,19}$/.test(requestId) || BigInt(requestId) > 2n ** 63n - 1n) {
    invalid('request_id: Not a valid numeric string.');
  }
  const ms = now.getTime();
  for (let i = siblings.length - 1; i >= 0; i--) {
    const row = siblings[i]!;
    const seen = row['_request_ms'];
    if (typeof seen === 'number' && row['_request_id'] === requestId && Math.abs(ms - seen) <= REMEMBERED_MS) {
      throw new TikTokError(40050, `Duplicate request: request_id ${requestId} has been used already.`);
    }
  }
  return { _request_id: requestId, _request_ms: ms };
}

/** Identifiers as platforms want them: normalised in the steps that the platform's module names, then hashed, never twice. */
import { hash } from 'node:crypto';
import type { ConversionField, NormaliseStep } from '../connector/conversion-spec.ts';
import { parseAddress } from '../http/addresses.ts';

/** A SHA-256 digest in hexadecimal. Upper case is somebody's other spelling of the same digest. */
const DIGEST = /^[0-9a-f]{64}$/i;

/** Why a value cannot be sent; never repeats the value. */
export class Unfit extends Error {}

/** Ranges in which no customer's address lies: it is that of a proxy or of the sender's own network. */
const NOT_OF_A_PERSON = new Set([
  ...['unspecified', 'loopback', 'private', 'linkLocal', 'uniqueLocal', 'carrierGradeNat', 'multicast', 'broadcast'],
]);

const E164 = /^\+[1-9]\d{7,14}$/;

const STEPS: Record<NormaliseStep, (value: string) => string> = {
  trim: (value) => value.trim(),
  lowercase: (value) => value.toLowerCase(),
  uppercase: (value) => value.toUpperCase(),
  no_spaces: (value) => value.replace(/\s+/g, ''),
  alphanumeric: (value) => value.replace(/[^A-Za-z0-9]+/g, ''),
  e164: (value) => {
    // Also the spaces and dashes that word processors put there.
    const digits = value.replace(/[\s().\u00a0\u2010-\u2015\u202f/-]+/g, '');
    if (!E164.test(digits)) throw new Unfit('must be a phone number with + and country code, such as +12133734253');
    return digits;
  },
  public_ip: (value) => {
    const range = parseAddress(value)?.range();
    if (range === undefined || NOT_OF_A_PERSON.has(range))
      throw new Unfit('must be an IPv4 or IPv6 address of the public internet');
    return value;
  },
};

/** SHA-256 of the text's UTF-8 bytes, lower-case hexadecimal. */
export const sha256 = (text: string): string => hash('sha256', text);

/**
 * One identifier as it is sent. What is a digest already is not touched, except that it is written in lower case.
 *
 * @throws Unfit when nothing is left of it, or it is no such thing as the platform takes.
 */
export function normalised(value: string, field: Pick<ConversionField, 'steps' | 'hash' | 'hashed'>): string {
  const digests = field.hash !== undefined || field.hashed !== undefined;
  if (digests && value.length >= 64) {
    const bare = value.trim();
    if (DIGEST.test(bare)) return bare.toLowerCase();
  }
  let out = value;
  for (const step of field.steps ?? []) out = STEPS[step](out);
  if (out === '') throw new Unfit('is empty');
  return field.hash === undefined ? out : sha256(out);
}

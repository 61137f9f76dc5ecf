/**
 * Short signed tokens for addresses: connect links, OAuth states, re-authorization. They carry ids, never secrets; the
 * signature says that we made them, for this purpose and no other.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** What a token is for. A token of one purpose is worthless for another. */
export type Purpose = 'link' | 'state' | 'reauth' | 'session' | 'audit' | 'accounts';

/** Bytes of the signature: 128 bits, far beyond guessing, and short enough for addresses. */
const SIGNATURE_BYTES = 16;

export class Signer {
  readonly #keys: readonly Buffer[];

  /** @param masterKeys the first signs, all verify: links survive a key rotation. */
  constructor(masterKeys: readonly Uint8Array[]) {
    if (masterKeys.length === 0) throw new Error('a signer needs at least one key');
    this.#keys = masterKeys.map((key) =>
      Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), 'polyad signed addresses v1', 32)),
    );
  }

  /** `parts` joined by dots and signed. Parts must be free of dots. */
  sign(purpose: Purpose, ...parts: readonly string[]): string {
    if (parts.some((part) => part.includes('.'))) throw new Error('a signed part may not contain a dot');
    const body = parts.join('.');
    return `${body}.${mac(this.#keys[0] as Buffer, purpose, body).toString('base64url')}`;
  }

  /** The parts of a token that we signed for `purpose`; undefined for anything else. */
  verify(purpose: Purpose, token: string): string[] | undefined {
    const end = token.lastIndexOf('.');
    if (end < 0 || token.length > 512) return undefined;
    const body = token.slice(0, end);
    const given = Buffer.from(token.slice(end + 1), 'base64url');
    // One spelling per signature: base64url decoders ignore stray characters and bits.
    if (given.length !== SIGNATURE_BYTES || given.toString('base64url') !== token.slice(end + 1)) return undefined;
    return this.#keys.some((key) => timingSafeEqual(mac(key, purpose, body), given)) ? body.split('.') : undefined;
  }
}

const mac = (key: Buffer, purpose: Purpose, body: string): Buffer =>
  createHmac('sha256', key).update(`${purpose}\n${body}`).digest().subarray(0, SIGNATURE_BYTES);

/** Proof Key for Code Exchange (RFC 7636), method S256. */
import { createHash, randomBytes } from 'node:crypto';

/** A fresh verifier: 43 characters of the unreserved set, 256 random bits. */
export function newVerifier(): string {
  return randomBytes(32).toString('base64url');
}

/** The challenge that goes into the authorize URL. */
export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier, 'ascii').digest('base64url');
}

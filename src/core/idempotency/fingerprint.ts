/** Digests of what was asked: the same request has the same one, however its JSON was written. */
import { createHash } from 'node:crypto';

/** JSON text with members in one order; what JSON leaves out is left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((member) => canonicalJson(member ?? null)).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const object = value as { toJSON?: () => unknown };
  if (typeof object.toJSON === 'function') return canonicalJson(object.toJSON());
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined && typeof member !== 'function')
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}

/** SHA-256 of the canonical JSON, base64url. */
export function fingerprint(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('base64url');
}

/**
 * The token for platforms that have an aid against doing a write twice: 18 decimal digits, which fit a signed 64-bit
 * integer whatever the platform reads them as.
 */
export function requestToken(seed: string | Buffer): string {
  const digest = createHash('sha256').update(seed).digest('hex');
  return (BigInt(`0x${digest.slice(0, 16)}`) % 10n ** 18n).toString().padStart(18, '1');
}

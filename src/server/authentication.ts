/** Who is calling: the key of the Authorization header, its workspace, and what it may do. */
import { timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { hasScope, type KeyScope } from '../core/auth/key-scopes.ts';
import type { Clock } from '../core/clock.ts';
import { PolyadError } from '../core/errors/index.ts';
import { hashApiKey } from '../core/store/repositories/index.ts';
import type { Principal } from './request.ts';

/** Finds a key by its hash, in memory when it was seen before. */
export type FindKey = (hash: string) => Promise<Principal | undefined>;

/** Longer than any key: what is longer is not hashed. */
const MAX_KEY = 512;

/**
 * The key in an Authorization header: as it is, or after the word Bearer in any letter case. Existing clients of the
 * wire contract send all three forms.
 */
export function keyFrom(header: string | undefined): string | undefined {
  const key = (header ?? '')
    .trim()
    .replace(/^bearer(?:\s+|$)/i, '')
    .trim();
  return key === '' ? undefined : key;
}

/** Compares two texts of the same kind in time that does not depend on where they differ. */
export function sameText(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * The principal of a key. Only the key's SHA-256 is looked up, so the time it takes says nothing about stored keys.
 *
 * @throws PolyadError `key_missing`, `key_invalid`, `key_revoked`, `key_expired`
 */
export async function authenticate(key: string | undefined, find: FindKey, clock: Clock): Promise<Principal> {
  if (key === undefined) throw new PolyadError('key_missing');
  const principal = key.length > MAX_KEY ? undefined : await find(hashApiKey(key));
  if (principal === undefined) throw new PolyadError('key_invalid');
  if (principal.key.revoked_at !== null) throw new PolyadError('key_revoked');
  if (principal.key.expires_at !== null && principal.key.expires_at <= clock.now())
    throw new PolyadError('key_expired', { details: { expired_at: principal.key.expires_at.toISOString() } });
  return principal;
}

/** @throws PolyadError `key_scope` */
export function requireScope(principal: Principal, needed: KeyScope): void {
  if (hasScope(principal.key.scopes, needed)) return;
  throw new PolyadError('key_scope', {
    message: `The API key lacks the scope \`${needed}\`.`,
    details: { needed, scopes: principal.key.scopes },
  });
}

/** The hook's work: nothing for open routes; else the key is checked and kept on the request. */
export async function admit(request: FastifyRequest, find: FindKey, clock: Clock): Promise<void> {
  const { access } = request.routeOptions.config;
  if (access === 'none' || request.is404) return;
  // A route that forgot to say who may call it can be called by the operator alone.
  const principal = await authenticate(keyFrom(request.headers.authorization), find, clock);
  request.state.principal = principal;
  requireScope(principal, access ?? 'operator');
}

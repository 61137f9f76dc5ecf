/** Who is calling: the key of the Authorization header, its workspace, and what it may do. */
import { timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { KeyGuesses } from '../core/auth/key-guesses.ts';
import { hasScope, type KeyScope, reaches } from '../core/auth/key-scopes.ts';
import type { Clock } from '../core/clock.ts';
import { PolyadError } from '../core/errors/index.ts';
import { knownSecrets } from '../core/http/redact-values.ts';
import type { StoreCache } from '../core/store/cache.ts';
import type { StoreLog } from '../core/store/port.ts';
import { hashApiKey } from '../core/store/repositories/index.ts';
import type { Principal } from './request.ts';

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

export interface AuthenticationParts {
  cache: Pick<StoreCache, 'apiKey' | 'knownApiKey'>;
  clock: Clock;
  log: StoreLog;
  /** Wrong keys that one address may send in a minute. */
  failuresPerMinute: number;
}

export class Authentication {
  readonly #parts: AuthenticationParts;
  readonly #guesses: KeyGuesses;

  constructor(parts: AuthenticationParts) {
    this.#parts = parts;
    this.#guesses = new KeyGuesses(parts.failuresPerMinute, parts.clock);
  }

  /**
   * The principal of a key. Only the key's SHA-256 is looked up, so the time it takes says nothing about stored keys. A key
   * that was used here before works also from an address that has sent too many wrong ones: whoever guesses must not be
   * able to shut out those behind the same proxy.
   *
   * @throws PolyadError `key_missing`, `key_invalid`, `key_revoked`, `key_expired`, `key_guessing`
   */
  principal(key: string | undefined, address: string): Principal | Promise<Principal> {
    if (key === undefined) throw new PolyadError('key_missing');
    const hash = key.length > MAX_KEY ? undefined : hashApiKey(key);
    const known = hash === undefined ? undefined : this.#parts.cache.knownApiKey(hash);
    return known === undefined ? this.#lookUp(key, hash, address) : this.#valid(key, known);
  }

  async #lookUp(key: string, hash: string | undefined, address: string): Promise<Principal> {
    this.#guesses.check(address);
    const found = hash === undefined ? undefined : await this.#parts.cache.apiKey(hash);
    if (found === undefined) {
      this.failed(address);
      throw new PolyadError('key_invalid');
    }
    return this.#valid(key, found);
  }

  #valid(key: string, found: Principal): Principal {
    const { clock } = this.#parts;
    knownSecrets.learn(key);
    if (found.key.revoked_at !== null) throw new PolyadError('key_revoked');
    if (found.key.expires_at !== null && found.key.expires_at <= clock.now())
      throw new PolyadError('key_expired', { details: { expired_at: found.key.expires_at.toISOString() } });
    return found;
  }

  /** Checks a secret that is not an API key, with the same limit. @throws PolyadError `key_guessing`, `key_invalid` */
  secret(given: string, expected: string, address: string, message: string): void {
    this.#guesses.check(address);
    if (sameText(given, expected)) return;
    this.failed(address);
    throw new PolyadError('key_invalid', { message });
  }

  /** Counts a wrong key. */
  failed(address: string): void {
    if (this.#guesses.failed(address))
      this.#parts.log.warn({ ip_address: address }, 'too many wrong keys from one address: it has to wait');
  }
}

/** @throws PolyadError `key_scope` */
export function requireScope(principal: Principal, needed: KeyScope, why?: string): void {
  if (hasScope(principal.key.scopes, needed)) return;
  throw new PolyadError('key_scope', {
    message: `The API key lacks the scope \`${needed}\`${why === undefined ? '' : `: ${why}`}.`,
    details: { needed, scopes: principal.key.scopes },
  });
}

/** The same answer whether there is such a connection or not. @throws PolyadError `key_connection` */
export function requireConnection({ key }: Principal, connectionId: string): void {
  if (reaches(key, connectionId)) return;
  throw new PolyadError('key_connection', {
    details: { connection_id: connectionId.slice(0, 64), connection_ids: key.connection_ids },
  });
}

/**
 * The hook's work: nothing for open routes; else the key is checked and kept on the request. A promise only where the key
 * has to be looked up first.
 */
export function admit(request: FastifyRequest, authentication: Authentication): void | Promise<void> {
  const { access } = request.routeOptions.config;
  if (access === 'none' || request.is404) return;
  const accept = (principal: Principal): void => {
    request.state.principal = principal;
    // A route that forgot to say who may call it can be called by the operator alone.
    requireScope(principal, access ?? 'operator');
  };
  const principal = authentication.principal(keyFrom(request.headers.authorization), request.ip);
  return principal instanceof Promise ? principal.then(accept) : accept(principal);
}

/** When a token must be renewed, as plain functions of the clock. */
import type { SealedTokens } from './credentials.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/**
 * `fresh`: use it. `due`: usable, and time to renew. `over`: expired, must be renewed before use.
 * A token without an expiry is always fresh: only the platform's refusal ends it.
 */
export type Freshness = 'fresh' | 'due' | 'over';

/**
 * How long before its end a token is renewed, in ms: five minutes, or a tenth of a life shorter than 50 minutes. Tokens
 * that are exchanged for a longer life while they still work have no second chance, so they are renewed a week (or a
 * tenth of their life) before.
 */
export function renewalMargin(tokens: SealedTokens): number {
  if (tokens.expires_at === undefined) return 0;
  const life = Date.parse(tokens.expires_at) - Date.parse(tokens.obtained_at);
  return Math.max(0, Math.min(tokens.kind === 'exchange_to_extend' ? 7 * DAY : 5 * MINUTE, life / 10));
}

/** How the access token stands at `now`. */
export function freshness(tokens: SealedTokens, now: Date): Freshness {
  if (tokens.expires_at === undefined) return 'fresh';
  const left = Date.parse(tokens.expires_at) - now.getTime();
  if (left <= 0) return 'over';
  return left <= renewalMargin(tokens) ? 'due' : 'fresh';
}

/** True when there is a refresh token and it has not ended by itself. */
export function refreshable(tokens: SealedTokens, now: Date): boolean {
  if (tokens.kind === 'exchange_to_extend') return freshness(tokens, now) !== 'over';
  if (tokens.refresh_token === undefined) return false;
  return tokens.refresh_expires_at === undefined || Date.parse(tokens.refresh_expires_at) > now.getTime();
}

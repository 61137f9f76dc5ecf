/** When a token must be renewed, as plain functions of the clock. */
import type { SealedTokens } from './credentials.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/**
 * `fresh`: use it. `due`: usable, and high time to renew. `over`: expired, must be renewed before use.
 * A token without an expiry is always fresh: only the platform's refusal ends it.
 */
export type Freshness = 'fresh' | 'due' | 'over';

/** Life of the access token in ms; undefined = it does not end by itself. */
export function lifeOf(tokens: SealedTokens): number | undefined {
  return tokens.expires_at === undefined ? undefined : Date.parse(tokens.expires_at) - Date.parse(tokens.obtained_at);
}

/**
 * How long before its end a caller that needs a token starts its renewal, in ms: fifteen minutes, or a tenth of a life
 * shorter than 150 minutes. Tokens that are exchanged for a longer life while they still work have no second chance, so
 * they are renewed a week (or a tenth of their life) before.
 */
export function renewalMargin(tokens: SealedTokens): number {
  const life = lifeOf(tokens);
  if (life === undefined) return 0;
  return Math.max(0, Math.min(tokens.kind === 'exchange_to_extend' ? 7 * DAY : 15 * MINUTE, life / 10));
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

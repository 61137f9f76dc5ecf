import { describe, expect, it } from 'vitest';
import type { SealedTokens } from './credentials.ts';
import { freshness, refreshable, renewalMargin } from './expiry.ts';

const start = Date.parse('2026-11-22T12:00:00Z');
const at = (seconds: number): Date => new Date(start + seconds * 1000);

function tokens(life: number | undefined, more: Partial<SealedTokens> = {}): SealedTokens {
  return {
    grant: 'g',
    kind: 'expiring_rotating_refresh',
    access_token: 'a',
    obtained_at: at(0).toISOString(),
    ...(life === undefined ? {} : { expires_at: at(life).toISOString() }),
    ...more,
  };
}

describe('expiry', () => {
  it('never renews a token without an end', () => {
    expect(freshness(tokens(undefined), at(10 * 365 * 86_400))).toBe('fresh');
  });

  it('renews a day’s token fifteen minutes before its end', () => {
    const day = tokens(86_400);
    expect(freshness(day, at(86_400 - 901))).toBe('fresh');
    expect(freshness(day, at(86_400 - 900))).toBe('due');
    expect(freshness(day, at(86_399))).toBe('due');
    expect(freshness(day, at(86_400))).toBe('over');
  });

  it('renews short-lived tokens in the last tenth of their life', () => {
    expect(renewalMargin(tokens(600))).toBe(60_000);
    expect(freshness(tokens(600), at(0))).toBe('fresh');
  });

  it('renews tokens without a second chance a week ahead', () => {
    const sixty = tokens(60 * 86_400, { kind: 'exchange_to_extend' });
    expect(freshness(sixty, at(55 * 86_400))).toBe('due');
    expect(refreshable(sixty, at(55 * 86_400))).toBe(true);
    expect(refreshable(sixty, at(60 * 86_400))).toBe(false);
  });

  it('does not refresh without a refresh token, or with one that has ended', () => {
    expect(refreshable(tokens(600), at(0))).toBe(false);
    const refresh = tokens(600, { refresh_token: 'r', refresh_expires_at: at(1000).toISOString() });
    expect(refreshable(refresh, at(999))).toBe(true);
    expect(refreshable(refresh, at(1000))).toBe(false);
    expect(refreshable(tokens(600, { refresh_token: 'r' }), at(1e9))).toBe(true);
  });
});

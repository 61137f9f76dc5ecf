import { describe, expect, it } from 'vitest';
import { redirectAllowed, requireScopes, scopeIncludes, scopesOfPath } from './auth.ts';
import type { App, Grant } from './types.ts';

const app = (scope: string[], redirect_uris: string[] = []): App => ({
  id: '1',
  secret: 's',
  name: 'app',
  redirect_uris,
  scope,
  level: 'Basic',
});
const grant = (scope: string[]): Grant => ({
  id: 't',
  kind: 'marketing',
  app_id: '1',
  user_id: 'u',
  advertiser_ids: [],
  scope,
  created_at: '',
});

describe('scopes', () => {
  it('include everything below them and nothing above or beside', () => {
    expect(scopeIncludes(['2'], '200')).toBe(true);
    expect(scopeIncludes(['20'], '200')).toBe(true);
    expect(scopeIncludes(['200'], '200')).toBe(true);
    expect(scopeIncludes(['200'], '20')).toBe(false);
    expect(scopeIncludes(['200'], '201')).toBe(false);
    expect(scopeIncludes(['21'], '200')).toBe(false);
    expect(scopeIncludes(['2'], 'no such scope')).toBe(false);
  });

  it('are documented per path', () => {
    expect(scopesOfPath('campaign/get')).toEqual(['200']);
    expect(scopesOfPath('user/info')).toEqual([]);
  });

  it('tell an app that lacks a permission from an advertiser who did not grant it', () => {
    const code = (appScope: string[], grantScope: string[]) => {
      try {
        requireScopes(app(appScope), grant(grantScope), ['200'], 'campaign/get');
        return 0;
      } catch (error) {
        return (error as { code: number }).code;
      }
    };
    expect(code(['2'], ['20'])).toBe(0);
    expect(code(['4'], ['4'])).toBe(40125);
    expect(code(['2'], ['21'])).toBe(40001);
  });
});

describe('redirect addresses', () => {
  const loose = app([], ['http://127.0.0.1:*/*', 'https://*/*', 'https://exact.test/callback?x=1']);
  it.each([
    ['http://127.0.0.1:3000/callback', true],
    ['http://127.0.0.1/callback', true],
    ['https://anything.test/a/b?c=d', true],
    ['http://127.0.0.1.evil.test/callback', false],
    ['http://127.0.0.1:3000@evil.test/', false],
    ['http://user@127.0.0.1:3000/', false],
    ['http://other.test/', false],
    ['javascript:alert(1)', false],
    ['not a url', false],
  ])('%s → %s', (address, allowed) => {
    expect(redirectAllowed(loose, address)).toBe(allowed);
  });

  it('match to the letter when registered without a pattern', () => {
    const strict = app([], ['https://exact.test/callback']);
    expect(redirectAllowed(strict, 'https://exact.test/callback')).toBe(true);
    expect(redirectAllowed(strict, 'https://exact.test/callback/')).toBe(false);
    expect(redirectAllowed(strict, 'https://exact.test/callback?more=1')).toBe(false);
  });
});

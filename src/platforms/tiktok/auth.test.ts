import { describe, expect, it } from 'vitest';
import { auth } from './auth.ts';
import { SCOPES } from './scopes-table.ts';

const [marketing, account] = auth.grants as [(typeof auth.grants)[number], (typeof auth.grants)[number]];
const envelope = (data: unknown, code = 0) => ({ code, message: code === 0 ? 'OK' : 'no', request_id: 'r', data });

describe('tokens', () => {
  it('reads the official answer: no expiry, no refresh, numeric scopes as text', () => {
    const tokens = marketing.readTokens(envelope({ access_token: 'a', advertiser_ids: ['7001'], scope: [1, 44, 200] }));
    expect(tokens).toEqual({ accessToken: 'a', organizationIds: ['7001'], scopes: ['1', '44', '200'] });
    expect(marketing.tokenModel(tokens)).toEqual({ kind: 'long_lived' });
  });

  it('reads the answer that other guides describe: an expiry and a refresh token', () => {
    const tokens = marketing.readTokens(
      envelope({ access_token: 'a', refresh_token: 'r', expires_in: 86_400, refresh_token_expires_in: 31_536_000 }),
    );
    expect(tokens).toMatchObject({ refreshToken: 'r', expiresIn: 86_400, refreshExpiresIn: 31_536_000 });
    expect(marketing.tokenModel(tokens)).toEqual({ kind: 'expiring_rotating_refresh' });
  });

  it('reads account tokens: scopes joined by commas, the account’s open id', () => {
    const tokens = account.readTokens(
      envelope({
        access_token: 'act.1',
        refresh_token: 'rft.1',
        expires_in: 86_400,
        refresh_token_expires_in: 31_536_000,
        open_id: '-000x',
        scope: 'user.info.basic,video.list',
      }),
    );
    expect(tokens).toMatchObject({ accountId: '-000x', scopes: ['user.info.basic', 'video.list'] });
  });

  it('reads the flat answer of oauth/token', () => {
    expect(marketing.readTokens({ access_token: 'a', token_type: 'Bearer', scope: [100] })).toMatchObject({
      accessToken: 'a',
      scopes: ['100'],
    });
  });

  it('knows scopes beyond 2^53 again that a JSON reader has rounded', () => {
    const big = Object.keys(SCOPES).filter((scope) => !Number.isSafeInteger(Number(scope)));
    expect(big.length).toBeGreaterThan(10);
    const read = marketing.readTokens(JSON.parse(`{"code":0,"data":{"access_token":"a","scope":[${big.join(',')}]}}`));
    expect(read.scopes).toEqual(big);
  });

  it('throws what an error answer means', () => {
    expect(() => marketing.readTokens(envelope({}, 40110))).toThrow(
      expect.objectContaining({ code: 'oauth_exchange_failed' }) as Error,
    );
    expect(() => account.readTokens(envelope({}, 40107))).toThrow(
      expect.objectContaining({ code: 'connection_reconnect_required' }) as Error,
    );
    expect(() => marketing.readTokens(envelope({}))).toThrow(/no access token/);
  });
});

describe('recipes', () => {
  it('send people to the two authorize pages', () => {
    expect(marketing.authorize).toMatchObject({ host: 'api', path: '/portal/auth' });
    expect(account.authorize).toMatchObject({ host: 'account', path: '/v2/auth/authorize/' });
    expect(account.authorize.params['client_key']).toBe('{client_id}');
    expect(account.callbackSlash).toBe(true);
  });

  it('take auth_code and code', () => {
    for (const grant of auth.grants) expect([...grant.codeParams].sort()).toEqual(['auth_code', 'code']);
  });

  it('do not exist in the sandbox, whose tokens are imported', () => {
    for (const grant of auth.grants) expect(grant.environments).not.toContain('sandbox');
    expect(auth.tokenImport).toBeDefined();
  });
});

describe('scopes', () => {
  it('form a tree: every parent is a scope, every permission names scopes', () => {
    for (const parent of Object.values(auth.scopeParents ?? {})) expect(SCOPES[parent]).toBeDefined();
    for (const scopes of Object.values(auth.permissions))
      for (const scope of scopes) expect(SCOPES[scope], scope).toBeDefined();
    expect(auth.scopeParents?.['200']).toBe('20');
    expect(auth.scopeParents?.['20']).toBe('2');
    expect(Object.keys(SCOPES)).toHaveLength(167);
  });
});

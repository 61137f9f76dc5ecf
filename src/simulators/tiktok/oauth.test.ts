import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTikTok, type TestTikTok } from '../../../test/support/tiktok-simulator.ts';

const CALLBACK = 'http://127.0.0.1:4000/callback';
const YEAR_SECONDS = 31_536_000;

let tiktok: TestTikTok;
beforeAll(async () => {
  tiktok = await startTikTok();
});
afterAll(() => tiktok.close());
beforeEach(async () => {
  await tiktok.control('POST', '/reset');
  await tiktok.control('PATCH', '/settings', { limits: 'off' });
});

const authorize = async (body: Record<string, unknown> = {}): Promise<URL> => {
  const given = { app_id: tiktok.ready.app_id, redirect_uri: CALLBACK, state: 's t&a=te', ...body };
  return new URL((await tiktok.control('POST', '/authorize', given)).redirect_url);
};
const newCode = async (body?: Record<string, unknown>) => (await authorize(body)).searchParams.get('auth_code')!;
const app = () => ({ app_id: tiktok.ready.app_id, secret: tiktok.ready.secret });
const client = () => ({ client_id: tiktok.ready.app_id, client_secret: tiktok.ready.secret });
const exchange = (body: Record<string, unknown>) =>
  tiktok.post('oauth2/access_token', { ...app(), ...body }, { token: null });
const newToken = async (body?: Record<string, unknown>) => (await exchange({ auth_code: await newCode(body) })).data;
const userInfo = (token: string) => tiktok.get('user/info', {}, { token });

describe('consent without a browser', () => {
  it('redirects with auth_code, the same code, and the state untouched', async () => {
    const url = await authorize({ redirect_uri: `${CALLBACK}?keep=1` });
    const { auth_code, code, state, keep } = Object.fromEntries(url.searchParams);
    expect(url.origin + url.pathname).toBe(CALLBACK);
    expect(code).toBe(auth_code);
    expect([state, keep]).toEqual(['s t&a=te', '1']);
  });

  it('grants parts of the app’s permissions, written as numbers or texts', async () => {
    for (const scope of [
      [200, 44],
      ['200', '44'],
    ]) {
      expect((await newToken({ scope })).scope).toEqual([200, 44]);
    }
    await expect(authorize({ scope: [Number('7224195155857866754')] })).rejects.toThrow('whole numbers');
  });

  it('tells a refusal with state and without a code', async () => {
    const url = await authorize({ decline: true });
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ error: 'access_denied', state: 's t&a=te' });
    expect(url.searchParams.get('auth_code')).toBeNull();
  });

  it.each([
    [{ app_id: '1' }, 'no app'],
    [{ redirect_uri: 'http://evil.test/' }, 'not registered'],
    [{ advertiser_ids: ['1'] }, 'ad account 1'],
    [{ advertiser_ids: [] }, 'at least one'],
    [{ scope: ['13000000'] }, 'permission 13000000'],
    [{ user_id: 'nobody' }, 'no user nobody'],
  ])('refuses %j', async (body, message) => {
    await expect(authorize(body)).rejects.toThrow(message);
  });
});

describe('the official long-lived token', () => {
  it('has what was ticked, scope ids to the digit, and no lifetime', async () => {
    const [first] = tiktok.ready.advertiser_ids;
    const scope = ['200', '7224195155857866754'];
    const code = await newCode({ advertiser_ids: [first], scope });
    const response = await tiktok.raw('/open_api/v1.3/oauth2/access_token/', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...app(), auth_code: code }),
    });
    const text = await response.text();
    expect(text).toContain('"scope":[200,7224195155857866754]');
    const { data } = JSON.parse(text);
    expect(Object.keys(data).sort()).toEqual(['access_token', 'advertiser_ids', 'scope']);
    expect(data.advertiser_ids).toEqual([first]);
    const list = await tiktok.get('oauth2/advertiser/get', app(), { token: data.access_token });
    expect(list.code).toBe(40001);
    expect((await userInfo(data.access_token)).code).toBe(0);
    await tiktok.control('POST', '/clock/advance', { days: 4000 });
    expect((await userInfo(data.access_token)).code).toBe(0);
  });

  it('can come without advertiser_ids', async () => {
    const { data } = await exchange({ auth_code: await newCode(), return_advertiser_ids: false });
    expect(Object.keys(data).sort()).toEqual(['access_token', 'scope']);
  });

  it('is given once per code, within an hour, to the right app', async () => {
    const code = await newCode();
    expect((await exchange({ auth_code: code, secret: 'wrong' })).code).toBe(40101);
    expect((await exchange({ auth_code: code, app_id: '1' })).code).toBe(40113);
    expect((await exchange({ auth_code: 'nonsense' })).code).toBe(40101);
    expect((await exchange({})).message).toBe('Missing required field(s): auth_code.');
    expect((await exchange({ auth_code: code })).code).toBe(0);
    expect((await exchange({ auth_code: code })).code).toBe(40110);

    const late = await newCode();
    await tiktok.control('POST', '/clock/advance', { minutes: 60 });
    expect((await exchange({ auth_code: late })).code).toBe(40110);

    const other = await tiktok.control('POST', '/apps', {});
    const stolen = await exchange({ app_id: other.id, secret: other.secret, auth_code: await newCode() });
    expect(stolen.code).toBe(40101);
  });

  it('cannot be refreshed', async () => {
    const { access_token } = await newToken();
    const path = 'tt_user/oauth2/refresh_token';
    const body = { ...client(), grant_type: 'refresh_token', refresh_token: access_token };
    expect((await tiktok.post(path, body, { token: null })).code).toBe(40107);
    expect((await exchange({ grant_type: 'refresh_token', refresh_token: access_token })).code).toBe(40107);
  });

  it('dies with a revocation by the app', async () => {
    const { access_token, advertiser_ids } = await newToken();
    const revoke = () => tiktok.post('oauth2/revoke_token', { ...app(), access_token }, { token: null });
    expect((await revoke()).data).toEqual({ app_id: tiktok.ready.app_id, advertiser_ids });
    const after = await userInfo(access_token);
    expect([after.code, after.message]).toEqual([40105, 'Access token is incorrect or has been revoked.']);
    expect((await revoke()).code).toBe(40105);
    expect((await userInfo(tiktok.ready.access_token)).code).toBe(0);
  });

  it('comes flat from oauth/token, by form or JSON', async () => {
    const ask = async (type: string, body: string) => {
      const headers = { 'content-type': type };
      const response = await tiktok.raw('/open_api/v1.3/oauth/token/', { method: 'POST', headers, body });
      return (await response.json()) as Record<string, unknown>;
    };
    const members = async () => ({ ...client(), code: await newCode(), grant_type: 'authorization_code' });
    for (const answer of [
      await ask('application/x-www-form-urlencoded', new URLSearchParams(await members()).toString()),
      await ask('application/json', JSON.stringify(await members())),
    ]) {
      expect(answer).toMatchObject({ token_type: 'Bearer', advertiser_ids: tiktok.ready.advertiser_ids });
      expect((await userInfo(answer['access_token'] as string)).code).toBe(0);
    }
    const wrong = await ask('application/json', JSON.stringify({ ...(await members()), client_secret: 'x' }));
    expect(wrong).toMatchObject({ code: 40101 });
  });
});

describe("the guide's expiring token", () => {
  beforeEach(() => tiktok.control('PATCH', '/settings', { token_model: 'guide' }));
  const refresh = (refresh_token: string) => exchange({ grant_type: 'refresh_token', refresh_token });

  it('lives a day and is renewed for a year', async () => {
    const first = await newToken();
    expect(first).toMatchObject({ expires_in: 86_400, refresh_token_expires_in: YEAR_SECONDS });
    expect(first.advertiser_ids).toEqual(tiktok.ready.advertiser_ids);
    await tiktok.control('POST', '/clock/advance', { hours: 24 });
    expect((await userInfo(first.access_token)).code).toBe(40102);
    const second = (await refresh(first.refresh_token)).data;
    expect(second.advertiser_ids).toEqual(first.advertiser_ids);
    expect(second.access_token).not.toBe(first.access_token);
    expect((await userInfo(second.access_token)).code).toBe(0);
    await tiktok.control('POST', '/clock/advance', { days: 366 });
    expect((await refresh(second.refresh_token)).code).toBe(40103);
  });

  it('is renewed by the account path too', async () => {
    const { refresh_token } = await newToken();
    const body = { ...client(), grant_type: 'refresh_token', refresh_token };
    const { data } = await tiktok.post('tt_user/oauth2/refresh_token', body, { token: null });
    expect(data).toMatchObject({ advertiser_ids: tiktok.ready.advertiser_ids, expires_in: 86_400 });
  });

  it('kills a replaced refresh token at once', async () => {
    const { refresh_token } = await newToken();
    expect((await refresh(refresh_token)).code).toBe(0);
    expect((await refresh(refresh_token)).code).toBe(40107);
    expect((await refresh('nonsense')).code).toBe(40107);
  });

  it('is renewed by its own app alone', async () => {
    const { refresh_token } = await newToken();
    const other = await tiktok.control('POST', '/apps', {});
    const body = { app_id: other.id, secret: other.secret, grant_type: 'refresh_token', refresh_token };
    expect((await exchange(body)).code).toBe(40107);
    expect((await refresh(refresh_token)).code).toBe(0);
  });

  it('lets a replaced refresh token live for the grace that is set', async () => {
    await tiktok.control('PATCH', '/settings', { refresh_grace_ms: 30_000 });
    const { refresh_token } = await newToken();
    await refresh(refresh_token);
    await tiktok.control('POST', '/clock/advance', { seconds: 20 });
    expect((await refresh(refresh_token)).code).toBe(0);
    await tiktok.control('POST', '/clock/advance', { seconds: 11 });
    expect((await refresh(refresh_token)).code).toBe(40107);
  });

  it('keeps the refresh token and its end without rotation', async () => {
    await tiktok.control('PATCH', '/settings', { refresh_rotation: false });
    await tiktok.control('POST', '/clock/freeze');
    const { refresh_token } = await newToken();
    await tiktok.control('POST', '/clock/advance', { days: 100 });
    const { data } = await refresh(refresh_token);
    expect(data).toMatchObject({ refresh_token, refresh_token_expires_in: YEAR_SECONDS - 100 * 86_400 });
  });

  it('is dead in all its parts when the advertiser withdraws', async () => {
    const first = await newToken();
    const second = (await refresh(first.refresh_token)).data;
    await tiktok.control('POST', '/grants/revoke', { access_token: second.access_token });
    expect((await userInfo(first.access_token)).code).toBe(40105);
    expect((await userInfo(second.access_token)).code).toBe(40105);
    expect((await refresh(second.refresh_token)).code).toBe(40107);
  });
});

describe('TikTok-account tokens', () => {
  const scope = ['user.info.basic', 'video.list'];
  const ask = async (path: string, body: Record<string, unknown>) =>
    tiktok.post(`tt_user/${path}`, { ...client(), ...body }, { token: null });
  const codeGrant = async (redirect_uri = CALLBACK) =>
    ask('oauth2/token', {
      grant_type: 'authorization_code',
      auth_code: await newCode({ kind: 'tt_user', scope }),
      redirect_uri,
    });

  it('come with scope, lifetime, refresh token and open_id', async () => {
    const { data } = await codeGrant();
    expect(data).toMatchObject({
      token_type: 'Bearer',
      scope: 'user.info.basic,video.list',
      expires_in: 86_400,
      refresh_token_expires_in: YEAR_SECONDS,
    });
    expect(data.open_id).toMatch(/^-000/);
    const info = await ask('token_info/get', { app_id: tiktok.ready.app_id, access_token: data.access_token });
    expect(info.data).toEqual({ app_id: tiktok.ready.app_id, scope: data.scope, creator_id: data.open_id });
  });

  it('tell about themselves to their own app alone', async () => {
    const { data } = await codeGrant();
    const other = await tiktok.control('POST', '/apps', {});
    expect((await ask('token_info/get', { app_id: other.id, access_token: data.access_token })).code).toBe(40113);
  });

  it('need the redirect address of the authorization', async () => {
    expect((await codeGrant('http://127.0.0.1:4000/other')).code).toBe(40002);
  });

  it('rotate, expire and are revoked', async () => {
    const first = (await codeGrant()).data;
    const refresh = (refresh_token: string) =>
      ask('oauth2/refresh_token', { grant_type: 'refresh_token', refresh_token });
    const info = (access_token: string) => ask('token_info/get', { app_id: tiktok.ready.app_id, access_token });
    const second = (await refresh(first.refresh_token)).data;
    expect(second).toMatchObject({ open_id: first.open_id, scope: first.scope });
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect((await refresh(first.refresh_token)).code).toBe(40107);
    await tiktok.control('POST', '/clock/advance', { days: 1 });
    expect((await info(second.access_token)).code).toBe(40102);
    const third = (await refresh(second.refresh_token)).data;
    expect((await ask('oauth2/revoke', { access_token: third.access_token })).code).toBe(0);
    expect((await info(third.access_token)).code).toBe(40105);
    expect((await refresh(third.refresh_token)).code).toBe(40107);
  });

  it('open no ad account, and their codes are not those of ad accounts', async () => {
    const { data } = await codeGrant();
    const advertiser_ids = [tiktok.ready.advertiser_ids[0]];
    expect((await tiktok.get('advertiser/info', { advertiser_ids }, { token: data.access_token })).code).toBe(40001);
    expect((await exchange({ auth_code: await newCode({ kind: 'tt_user', scope }) })).code).toBe(40101);
  });
});

describe('what ends a token from outside', () => {
  it('a deleted app, a deleted user, an ad account taken away, a lost role', async () => {
    const [first = '', second = ''] = tiktok.ready.advertiser_ids;
    const info = (id: string) => tiktok.get('advertiser/info', { advertiser_ids: [id] });
    expect((await info(first)).code).toBe(0);
    await tiktok.control('POST', '/grants/remove_advertiser', { advertiser_id: first });
    expect((await info(first)).code).toBe(40001);
    const { users } = await tiktok.control('GET', '/users');
    await tiktok.control('PATCH', `/users/${users[0].id}`, { roles: { [second]: null } });
    expect((await info(second)).code).toBe(40001);
    const { data } = await tiktok.get('oauth2/advertiser/get', app());
    const listed = data.list.map((row: { advertiser_id: string }) => row.advertiser_id);
    expect(listed).toEqual(tiktok.ready.advertiser_ids.slice(2));
    await tiktok.control('DELETE', `/users/${users[0].id}`);
    expect((await userInfo(tiktok.ready.access_token)).code).toBe(40106);
    await tiktok.control('DELETE', `/apps/${tiktok.ready.app_id}`);
    expect((await userInfo(tiktok.ready.access_token)).code).toBe(40113);
  });

  it('an app_id or secret that is not the token’s', async () => {
    expect((await tiktok.get('oauth2/advertiser/get', { ...app(), app_id: '1' })).code).toBe(40113);
    expect((await tiktok.get('oauth2/advertiser/get', { ...app(), secret: 'x' })).code).toBe(40101);
  });
});

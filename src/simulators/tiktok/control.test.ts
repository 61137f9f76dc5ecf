import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTikTok, type TestTikTok } from '../../../test/support/tiktok-simulator.ts';

let tiktok: TestTikTok;
beforeAll(async () => {
  tiktok = await startTikTok();
});
afterAll(() => tiktok.close());
beforeEach(async () => {
  await tiktok.control('POST', '/reset');
  await tiktok.control('PATCH', '/settings', { limits: 'off' });
});

const counts = async () => (await tiktok.control('GET', '/state')).counts;

describe('settings', () => {
  it('are shown, changed one by one, and gone after a reset', async () => {
    const before = await tiktok.control('GET', '/settings');
    expect(before).toMatchObject({ limits: 'off', token_model: 'official', review_delay_ms: 60_000 });
    const after = await tiktok.control('PATCH', '/settings', { review_delay_ms: 0, async_reports: true });
    expect(after).toEqual({ ...before, review_delay_ms: 0, async_reports: true });
    await tiktok.control('POST', '/reset');
    expect(await tiktok.control('GET', '/settings')).toEqual({ ...before, limits: 'on' });
  });

  it.each([
    { colour: 'red' },
    { limits: 'sometimes' },
    { token_model: 'none' },
    { review_delay_ms: -1 },
    { review_delay_ms: 'long' },
    { refresh_rotation: 1 },
    { advertiser_path_qps: 0 },
  ])('refuse %j', async (patch) => {
    await expect(tiktok.control('PATCH', '/settings', patch)).rejects.toThrow(/^400 /);
  });
});

describe('reset', () => {
  it('brings back the base seed with the same app, token, accounts and ids', async () => {
    const first = await tiktok.get('campaign/get', { advertiser_id: tiktok.ready.advertiser_ids[0] });
    const before = await counts();
    await tiktok.control('POST', '/grants/revoke', { access_token: tiktok.ready.access_token });
    await tiktok.control('POST', '/advertisers', { name: 'More', currency: 'USD', timezone: 'UTC' });
    await tiktok.control('POST', '/clock/advance', { days: 3 });
    expect(await counts()).not.toEqual(before);
    await tiktok.control('POST', '/reset');
    expect(await counts()).toEqual(before);
    await tiktok.control('PATCH', '/settings', { limits: 'off' });
    const second = await tiktok.get('campaign/get', { advertiser_id: tiktok.ready.advertiser_ids[0] });
    const idsOf = (answer: typeof first) => answer.data.list.map((row: { campaign_id: string }) => row.campaign_id);
    expect(idsOf(second)).toEqual(idsOf(first));
    expect(idsOf(second).length).toBeGreaterThan(0);
  });
});

describe('apps', () => {
  it('are made, changed and deleted', async () => {
    const app = await tiktok.control('POST', '/apps', { app_id: '123', name: 'Mine', scope: ['4'], level: 'Premium' });
    expect(app).toMatchObject({ id: '123', name: 'Mine', scope: ['4'], level: 'Premium' });
    expect(app.secret).toMatch(/^[0-9a-f]{40}$/);
    expect(await tiktok.control('PATCH', '/apps/123', { level: 'Basic' })).toEqual({ ...app, level: 'Basic' });
    await expect(tiktok.control('POST', '/apps', { app_id: '123' })).rejects.toThrow('409');
    await expect(tiktok.control('POST', '/apps', { scope: ['nonsense'] })).rejects.toThrow('no permission nonsense');
    await expect(tiktok.control('POST', '/apps', { level: 'Extreme' })).rejects.toThrow('level must be one of');
    await tiktok.control('DELETE', '/apps/123');
    await expect(tiktok.control('PATCH', '/apps/123', {})).rejects.toThrow('404');
  });
});

describe('users and ad accounts', () => {
  it('a new account reaches the app only after consent, unless the grant is widened', async () => {
    const made = await tiktok.control('POST', '/advertisers', { name: 'New', currency: 'JPY', timezone: 'Asia/Tokyo' });
    expect(made).toMatchObject({ timezone: 'Etc/GMT-9', currency: 'JPY', status: 'STATUS_ENABLE' });
    const info = (id: string) => tiktok.get('advertiser/info', { advertiser_ids: [id] });
    expect((await info(made.id)).code).toBe(40001);
    const wide = await tiktok.control('POST', '/advertisers', {
      name: 'Wide',
      currency: 'USD',
      timezone: 'UTC',
      grant_to: tiktok.ready.access_token,
    });
    expect((await info(wide.id)).code).toBe(0);
    await tiktok.control('PATCH', `/advertisers/${wide.id}`, {
      status: 'STATUS_DISABLE',
      bc_id: tiktok.ready.bc_ids[0],
    });
    expect((await info(wide.id)).data.list[0]).toMatchObject({
      status: 'STATUS_DISABLE',
      owner_bc_id: tiktok.ready.bc_ids[0],
    });
  });

  it('roles come and go', async () => {
    const [advertiser = ''] = tiktok.ready.advertiser_ids;
    const user = await tiktok.control('POST', '/users', {
      display_name: 'Nia New',
      roles: { [advertiser]: 'ANALYST' },
    });
    expect(user.roles).toEqual({ [advertiser]: 'ANALYST' });
    const patched = await tiktok.control('PATCH', `/users/${user.id}`, { roles: { [advertiser]: null } });
    expect(patched.roles).toEqual({});
    const wrong = { roles: { [advertiser]: 'KING' } };
    await expect(tiktok.control('PATCH', `/users/${user.id}`, wrong)).rejects.toThrow('roles must be one of');
  });
});

describe('grants', () => {
  it('are listed and withdrawn by token, account, user or app', async () => {
    const { grants } = await tiktok.control('GET', `/grants?app_id=${tiktok.ready.app_id}`);
    expect(grants.map((grant: { kind: string }) => grant.kind).sort()).toEqual(['marketing', 'sandbox']);
    const [advertiser_id] = tiktok.ready.advertiser_ids;
    expect(await tiktok.control('POST', '/grants/revoke', { advertiser_id })).toEqual({ revoked: 1 });
    expect((await tiktok.get('user/info')).code).toBe(40105);
    expect((await tiktok.get('user/info', {}, { sandbox: true })).code).toBe(0);
    await expect(tiktok.control('POST', '/grants/revoke', {})).rejects.toThrow('400');
    await expect(tiktok.control('POST', '/grants/revoke', { access_token: 'x' })).rejects.toThrow('404');
  });

  it('expire on demand', async () => {
    await tiktok.control('POST', '/grants/expire', { access_token: tiktok.ready.access_token });
    expect((await tiktok.get('user/info')).code).toBe(40102);
  });
});

describe('seed', () => {
  it('makes many ad accounts for the test token', async () => {
    const { advertiser_ids } = await tiktok.control('POST', '/seed', { advertisers: 150 });
    const query = { app_id: tiktok.ready.app_id, secret: tiktok.ready.secret };
    const { data } = await tiktok.get('oauth2/advertiser/get', query);
    expect(data.list).toHaveLength(156);
    const info = await tiktok.get('advertiser/info', { advertiser_ids: advertiser_ids.slice(0, 100) });
    expect(new Set(info.data.list.map((row: { currency: string }) => row.currency)).size).toBe(4);
  });

  it('makes a large account', async () => {
    const before = await counts();
    const advertiser_id = tiktok.ready.advertiser_ids[1];
    const made = await tiktok.control('POST', '/seed', { volume: 300, advertiser_id, deleted_share: 0.2 });
    expect(made.volume).toMatchObject({ advertiser_id, ads: 300 });
    expect((await counts()).ads).toBe(before.ads + 300);
  });

  it.each([
    {},
    { volume: 0 },
    { volume: 'many' },
    { volume: 10, deleted_share: 2 },
    { volume: 10, advertiser_id: '1' },
  ])('refuses %j', async (body) => {
    await expect(tiktok.control('POST', '/seed', body)).rejects.toThrow(/^40[04] /);
  });
});

describe('request log', () => {
  it('holds no secret of any call', async () => {
    const { app_id, secret, access_token } = tiktok.ready;
    const { redirect_url } = await tiktok.control('POST', '/authorize', { app_id, redirect_uri: 'https://a.test/' });
    const auth_code = new URL(redirect_url).searchParams.get('auth_code')!;
    const { data } = await tiktok.post('oauth2/access_token', { app_id, secret, auth_code }, { token: null });
    await tiktok.get('oauth2/advertiser/get', { app_id, secret });
    await tiktok.post('oauth2/revoke_token', { app_id, secret, access_token: data.access_token }, { token: null });
    const text = JSON.stringify(await tiktok.control('GET', '/log'));
    expect(text).toContain('oauth2/revoke_token');
    for (const hidden of [secret, access_token, auth_code, data.access_token]) expect(text).not.toContain(hidden);
  });
});

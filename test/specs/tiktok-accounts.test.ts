/** Ad accounts, Business Centers, agreements and tokens of the TikTok simulator, judged by the official SDK and documents. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { officialSdk, type SdkCall } from '../support/tiktok-sdk.ts';
import { startTikTok, type TestTikTok } from '../support/tiktok-simulator.ts';
import { describeWithTikTokSpecs } from './tiktok-yml.ts';

let tiktok: TestTikTok;
let sdk: SdkCall;
let bcNorth = '';
let bcSouth = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  sdk = await officialSdk(tiktok.url);
  [bcNorth = '', bcSouth = ''] = tiktok.ready.bc_ids;
});
afterAll(() => tiktok.close());

const account = (name: string) => {
  const index = ['usd', 'jpy', 'eur', 'kwd', 'aud', 'limited'].indexOf(name);
  return tiktok.ready.advertiser_ids[index]!;
};
const ids = (list: Record<string, unknown>[], member: string) => list.map((row) => row[member]);

describe('official SDK', () => {
  it('exchanges a code and finds its ad accounts', async () => {
    const { app_id, secret } = tiktok.ready;
    const { redirect_url } = await tiktok.control('POST', '/authorize', { app_id, redirect_uri: 'https://a.test/' });
    const auth_code = new URL(redirect_url).searchParams.get('auth_code');
    const token = await sdk('AuthenticationApi', 'oauth2AccessToken', { body: { app_id, secret, auth_code } });
    expect(token.error).toBeNull();
    const { access_token, advertiser_ids } = token.body.data;
    const { error, body } = await sdk('AuthenticationApi', 'oauth2AdvertiserGet', app_id, secret, access_token);
    expect(error).toBeNull();
    expect(ids(body.data.list, 'advertiser_id')).toEqual(advertiser_ids);
    expect(body.data.list[0]).toEqual({ advertiser_id: account('usd'), advertiser_name: 'Acme US' });
  });

  it('reads ad accounts', async () => {
    const token = tiktok.ready.access_token;
    const wanted = tiktok.ready.advertiser_ids;
    const { error, body } = await sdk('AccountManagementApi', 'advertiserInfo', wanted, token, {});
    expect(error).toBeNull();
    expect(ids(body.data.list, 'currency')).toEqual(['USD', 'JPY', 'EUR', 'KWD', 'AUD', 'USD']);
    expect(ids(body.data.list, 'timezone')).toEqual([
      'Etc/GMT+8',
      'Etc/GMT-9',
      'Etc/GMT-1',
      'Etc/GMT-3',
      'Etc/GMT-10',
      'Etc/GMT+5',
    ]);
    expect(body.data.list[0]).toMatchObject({
      display_timezone: 'America/Los_Angeles',
      create_time: expect.any(Number),
    });
    expect(body.data.list[5].status).toBe('STATUS_LIMIT');
  });

  it('reads Business Centers and their assets', async () => {
    const token = tiktok.ready.access_token;
    const all = await sdk('BCApi', 'bcGet', token, {});
    expect(all.error).toBeNull();
    expect(all.body.data.list.map((row: { bc_info: { bc_id: string } }) => row.bc_info.bc_id)).toEqual([
      bcNorth,
      bcSouth,
    ]);
    const assets = await sdk('BCApi', 'bcAssetGet', bcNorth, 'ADVERTISER', token, {});
    expect(ids(assets.body.data.list, 'asset_id')).toEqual([account('usd'), account('jpy')]);
    const partners = await sdk('BCApi', 'bcPartnerGet', bcNorth, token, {});
    expect(partners.body.data.list).toEqual([{ bc_id: bcSouth, bc_name: 'Acme South' }]);
    const balance = await sdk('BCApi', 'bcBalanceGet', bcSouth, token, {});
    expect(balance.body.data).toMatchObject({ bc_id: bcSouth, currency: 'EUR', cash_balance: 12_500.5 });
    const accounts = await sdk('BCApi', 'advertiserBalanceGet', bcSouth, token, {});
    expect(ids(accounts.body.data.advertiser_account_list, 'advertiser_id')).toEqual([account('eur'), account('aud')]);
  });

  it('gets an error for every code that is not 0', async () => {
    const { error, body } = await sdk('BCApi', 'bcGet', 'nonsense', {});
    expect(error?.message).toContain('40105');
    expect(body).toMatchObject({ code: 40105, data: {} });
  });
});

describe('ad accounts', () => {
  const info = (query: Record<string, unknown>) => tiktok.get('advertiser/info', query);

  it('up to 100 at once, 40011 above', async () => {
    expect((await info({ advertiser_ids: Array(100).fill(account('usd')) })).data.list).toHaveLength(1);
    expect((await info({ advertiser_ids: Array(101).fill(account('usd')) })).code).toBe(40011);
  });

  it('with the fields that are asked for', async () => {
    const answer = await info({ advertiser_ids: [account('kwd')], fields: ['currency', 'balance', 'owner_bc_id'] });
    expect(answer.data.list).toEqual([{ currency: 'KWD', balance: 3000.125, owner_bc_id: null }]);
    const unknown = await info({ advertiser_ids: [account('kwd')], fields: ['currency', 'shoe_size'] });
    expect([unknown.code, unknown.message]).toEqual([40002, 'fields: Invalid value: shoe_size.']);
  });

  it('change by advertiser/update', async () => {
    const advertiser_id = account('aud');
    const answer = await tiktok.post('advertiser/update', {
      advertiser_id,
      advertiser_name: 'Acme Sydney',
      address: '1 Pitt St',
    });
    expect(answer.data).toEqual({ advertiser_list: [] });
    const [row] = (await info({ advertiser_ids: [advertiser_id] })).data.list;
    expect(row).toMatchObject({ name: 'Acme Sydney', address: '1 Pitt St', company: 'Acme Pty Ltd' });
    expect((await tiktok.post('advertiser/update', {})).code).toBe(40002);
    const budget = { advertiser_budgets: [{ advertiser_id, budget_mode: 'DAILY_BUDGET', budget: 75.5 }] };
    expect((await tiktok.post('advertiser/update', budget)).data.advertiser_list).toMatchObject([{ advertiser_id }]);
    const { data } = await tiktok.get('advertiser/balance/get', { bc_id: bcSouth, filtering: { keyword: 'sydney' } });
    expect(data.advertiser_account_list).toMatchObject([
      { budget_mode: 'DAILY_BUDGET', budget: 75.5, budget_remaining: 75.5 },
    ]);
  });

  it('can be made by control, with a time zone of half an hour too', async () => {
    const made = await tiktok.control('POST', '/advertisers', {
      name: 'Acme India',
      currency: 'INR',
      timezone: 'Asia/Kolkata',
      grant_to: tiktok.ready.access_token,
    });
    const [row] = (await info({ advertiser_ids: [made.id] })).data.list;
    expect(row).toMatchObject({ currency: 'INR', timezone: 'Asia/Kolkata', display_timezone: 'Asia/Kolkata' });
    await expect(
      tiktok.control('POST', '/advertisers', { name: 'x', currency: 'USD', timezone: 'Mars/Base' }),
    ).rejects.toThrow('Mars/Base');
  });
});

describe('Business Centers', () => {
  it('show members and their roles', async () => {
    const { data } = await tiktok.get('bc/member/get', { bc_id: bcNorth });
    expect(ids(data.list, 'user_role')).toEqual(['ADMIN', 'STANDARD', 'STANDARD']);
    const some = await tiktok.get('bc/member/get', {
      bc_id: bcNorth,
      filtering: { user_role: 'STANDARD', keyword: 'omar' },
    });
    expect(ids(some.data.list, 'user_name')).toEqual(['Omar Operator']);
    const query = { bc_id: bcNorth, asset_type: 'ADVERTISER', asset_id: account('jpy') };
    const members = await tiktok.get('bc/asset/member/get', query);
    expect(ids(members.data.list, 'advertiser_role')).toEqual(['ADMIN', 'ANALYST']);
    expect((await tiktok.get('bc/asset/partner/get', query)).data.list).toMatchObject([{ bc_id: bcSouth }]);
    expect((await tiktok.get('asset/bind/quota', query)).data).toMatchObject({ used_quota: 3 });
    expect((await tiktok.get('bc/asset/member/get', { ...query, asset_id: '12' })).code).toBe(40007);
  });

  it('show partners’ assets in both directions', async () => {
    const query = { asset_type: 'ADVERTISER' };
    const sharing = await tiktok.get('bc/partner/asset/get', {
      ...query,
      bc_id: bcNorth,
      partner_id: bcSouth,
      share_type: 'SHARING',
    });
    expect(ids(sharing.data.list, 'asset_id')).toEqual([account('jpy')]);
    const shared = await tiktok.get('bc/partner/asset/get', {
      ...query,
      bc_id: bcSouth,
      partner_id: bcNorth,
      share_type: 'SHARED',
    });
    expect(ids(shared.data.list, 'asset_id')).toEqual([account('jpy')]);
    const admin = await tiktok.get('bc/asset/admin/get', {
      ...query,
      bc_id: bcSouth,
      filtering: { relation_type: 'OWNER_PARTNER' },
    });
    expect(admin.data.list).toMatchObject([{ asset_id: account('jpy'), owner_bc_name: 'Acme North' }]);
  });

  it('are closed to strangers, and administration to mere members', async () => {
    const { users } = await tiktok.control('GET', '/users');
    const omar = users.find((user: { display_name: string }) => user.display_name === 'Omar Operator');
    const { app_id, secret } = tiktok.ready;
    const { redirect_url } = await tiktok.control('POST', '/authorize', {
      app_id,
      redirect_uri: 'https://a.test/',
      user_id: omar.id,
    });
    const auth_code = new URL(redirect_url).searchParams.get('auth_code');
    const { data } = await tiktok.post('oauth2/access_token', { app_id, secret, auth_code }, { token: null });
    const as = { token: data.access_token };
    const own = await tiktok.get('bc/get', {}, as);
    expect(own.data.list).toHaveLength(1);
    expect((await tiktok.get('bc/get', { bc_id: bcSouth }, as)).code).toBe(40001);
    expect((await tiktok.get('bc/partner/get', { bc_id: bcSouth }, as)).code).toBe(40001);
    const assets = { bc_id: bcNorth, asset_type: 'ADVERTISER' };
    expect(ids((await tiktok.get('bc/asset/get', assets, as)).data.list, 'asset_id')).toEqual([account('usd')]);
    expect((await tiktok.get('bc/asset/admin/get', assets, as)).code).toBe(40001);
  });

  it('take ids that are 64-bit integers only', async () => {
    expect((await tiktok.get('bc/partner/get', { bc_id: 'mine' })).message).toBe('bc_id: Not a valid integer.');
    expect((await tiktok.get('bc/partner/get', { bc_id: '9'.repeat(19) })).code).toBe(40002);
  });

  it('page their lists', async () => {
    const query = { bc_id: bcNorth, page_size: 2 };
    const first = (await tiktok.get('bc/member/get', query)).data;
    const second = (await tiktok.get('bc/member/get', { ...query, page: 2 })).data;
    expect([first.list.length, second.list.length]).toEqual([2, 1]);
    expect(second.page_info).toEqual({ page: 2, page_size: 2, total_number: 3, total_page: 2 });
    expect((await tiktok.get('bc/member/get', { ...query, page: 3 })).data.list).toEqual([]);
    expect((await tiktok.get('bc/member/get', { ...query, page_size: 51 })).code).toBe(40002);
    expect((await tiktok.get('bc/member/get', { ...query, page: 0 })).code).toBe(40002);
  });
});

describeWithTikTokSpecs('answers fit the official documents', (specs) => {
  const calls: [path: string, query: () => Record<string, unknown>][] = [
    ['advertiser/info', () => ({ advertiser_ids: tiktok.ready.advertiser_ids })],
    ['bc/get', () => ({})],
    ['bc/asset/get', () => ({ bc_id: bcNorth, asset_type: 'ADVERTISER' })],
    ['bc/asset/get', () => ({ bc_id: bcNorth, asset_type: 'PIXEL' })],
    ['bc/asset/admin/get', () => ({ bc_id: bcNorth, asset_type: 'ADVERTISER' })],
    ['bc/asset/admin/get', () => ({ bc_id: bcNorth, asset_type: 'PIXEL' })],
    ['bc/asset/member/get', () => ({ bc_id: bcNorth, asset_type: 'ADVERTISER', asset_id: account('usd') })],
    ['bc/asset/partner/get', () => ({ bc_id: bcNorth, asset_type: 'ADVERTISER', asset_id: account('jpy') })],
    ['bc/member/get', () => ({ bc_id: bcNorth })],
    ['bc/partner/get', () => ({ bc_id: bcNorth })],
    [
      'bc/partner/asset/get',
      () => ({ bc_id: bcNorth, partner_id: bcSouth, asset_type: 'ADVERTISER', share_type: 'SHARING' }),
    ],
    ['bc/balance/get', () => ({ bc_id: bcNorth })],
    ['term/check', () => ({ advertiser_id: account('usd'), term_type: 'Pixel' })],
    ['term/get', () => ({ advertiser_id: account('usd'), term_type: 'LeadAds', lang: 'JA' })],
  ];

  it.each(calls)('%s', async (path, query) => {
    const operation = specs.operation(path)!;
    const asked = query();
    const text = Object.fromEntries(
      Object.entries(asked).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    );
    expect(operation.checkQuery(text)).toEqual([]);
    const answer = await tiktok.get(path, asked);
    expect(answer.code).toBe(0);
    expect(operation.checkAnswer(answer)).toEqual([]);
  });

  it.each<[string, () => Record<string, unknown>]>([
    ['advertiser/update', () => ({ advertiser_id: account('aud'), company: 'Acme Pty' })],
    ['term/confirm', () => ({ advertiser_id: account('usd'), term_type: 'Pixel' })],
  ])('%s', async (path, body) => {
    const operation = specs.operation(path)!;
    expect(operation.checkBody(body())).toEqual([]);
    const answer = await tiktok.post(path, body());
    expect(answer.code).toBe(0);
    expect(operation.checkAnswer(answer)).toEqual([]);
  });

  it('errors too', async () => {
    const answer = await tiktok.get('bc/partner/get', { bc_id: '1' });
    expect(answer.code).toBe(40001);
    expect(specs.operation('bc/partner/get')!.checkAnswer(answer)).toEqual([]);
  });

  it('the judge finds what is wrong', () => {
    const operation = specs.operation('bc/asset/get')!;
    expect(operation.checkAnswer({ code: 0, message: 'OK', request_id: 'x', data: { list: [{}] } })).toContain(
      'data.list[0].asset_id: missing',
    );
    expect(operation.checkAnswer({ code: '0', message: 'OK', data: {} })).toHaveLength(2);
    expect(operation.checkQuery({ bc_id: 'x', asset_type: 'HOUSE', page: '[1' })).toHaveLength(3);
    expect(operation.checkQuery({ asset_type: 'PIXEL', colour: 'red' })).toEqual([
      'bc_id: missing',
      'colour: not a documented parameter',
    ]);
    const confirm = specs.operation('term/confirm')!;
    expect(confirm.checkBody({ advertiser_id: 1, colour: 'red' })).toHaveLength(3);
  });
});

/** Business Centers of the TikTok simulator: rights, an agency with 2,500 ad accounts, and what a departure takes away. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeWithTikTokSpecs } from '../specs/tiktok-yml.ts';
import { ok } from '../support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../support/tiktok-simulator.ts';

type Values = Record<string, unknown>;

let tiktok: TestTikTok;
beforeEach(async () => {
  tiktok = await startTikTok();
});
afterEach(() => tiktok.close());

/** A token of a user for all that it can reach. */
async function tokenOf(user_id: string): Promise<string> {
  const { app_id, secret } = tiktok.ready;
  const { redirect_url } = await tiktok.control('POST', '/authorize', {
    app_id,
    redirect_uri: 'https://app.test/back',
    user_id,
  });
  const auth_code = new URL(redirect_url).searchParams.get('auth_code');
  return ok(await tiktok.post('oauth2/access_token', { app_id, secret, auth_code }, { token: null })).access_token;
}

const listed = async (token: string): Promise<string[]> => {
  const { app_id, secret } = tiktok.ready;
  return ok(await tiktok.get('oauth2/advertiser/get', { app_id, secret }, { token })).list.map(
    (row: Values) => row['advertiser_id'],
  );
};

/** All pages of a list of assets. */
async function assets(token: string, bc_id: string): Promise<string[]> {
  const ids: string[] = [];
  for (let page = 1, pages = 1; page <= pages; page++) {
    const query = { bc_id, asset_type: 'ADVERTISER', page, page_size: 50 };
    const data = ok(await tiktok.get('bc/asset/get', query, { token }));
    ids.push(...data.list.map((row: Values) => row['asset_id']));
    pages = data.page_info.total_page;
  }
  return ids;
}

describe('an agency', () => {
  it('connects 2,500 ad accounts of three Business Centers; a removal takes exactly those of one', async () => {
    const started = performance.now();
    const { agency } = await tiktok.control('POST', '/seed', { agency: true });
    expect(performance.now() - started).toBeLessThan(5_000);
    const [first, second, third] = agency.business_centers;
    const token = await tokenOf(agency.user_id);
    expect(await listed(token)).toHaveLength(2_500);
    const bcs = ok(await tiktok.get('bc/get', {}, { token })).list.map(
      (row: Values) => (row['bc_info'] as Values)['bc_id'],
    );
    expect(bcs).toEqual([first.bc_id, second.bc_id, third.bc_id]);
    expect((await assets(token, second.bc_id)).sort()).toEqual([...second.advertiser_ids].sort());

    const { advertiser_ids } = await tiktok.control('POST', `/business_centers/${second.bc_id}/remove_member`, {
      user_id: agency.user_id,
    });
    expect([...advertiser_ids].sort()).toEqual([...second.advertiser_ids].sort());
    const left = await listed(token);
    expect(left.sort()).toEqual([...first.advertiser_ids, ...third.advertiser_ids].sort());
    const read = (advertiser_id: string) => tiktok.get('campaign/get', { advertiser_id }, { token });
    expect((await read(second.advertiser_ids[0])).code).toBe(40001);
    expect((await read(second.advertiser_ids.at(-1))).code).toBe(40001);
    expect((await read(first.advertiser_ids[0])).code).toBe(0);
    expect((await read(third.advertiser_ids.at(-1))).code).toBe(0);
    expect((await tiktok.get('bc/asset/get', { bc_id: second.bc_id, asset_type: 'ADVERTISER' }, { token })).code).toBe(
      40001,
    );
  });

  it('can be chosen on the consent page, and is made then', async () => {
    const query = new URLSearchParams({ app_id: tiktok.ready.app_id, redirect_uri: 'https://app.test/back' });
    const page = await (await tiktok.raw(`/portal/auth?${query}`)).text();
    expect(page).toContain('2,500 ad accounts');
    expect((await tiktok.control('GET', '/state')).counts.advertisers).toBeLessThan(20);
    query.set('sim_user_id', '7010000000000000007');
    const agency = await (await tiktok.raw(`/portal/auth?${query}`)).text();
    expect(agency.match(/name="advertiser_ids"/g)).toHaveLength(2_500);
  });

  it('loses an app’s access when the Business Center withdraws it', async () => {
    const { agency } = await tiktok.control('POST', '/seed', { agency: true });
    const [first, second] = agency.business_centers;
    const token = await tokenOf(agency.user_id);
    const taken = await tiktok.control('POST', `/business_centers/${first.bc_id}/withdraw`, {});
    expect(taken.advertiser_ids).toHaveLength(first.advertiser_ids.length);
    const campaigns = (advertiser_id: string) => tiktok.get('campaign/get', { advertiser_id }, { token });
    expect((await campaigns(first.advertiser_ids[3])).code).toBe(40001);
    expect((await campaigns(second.advertiser_ids[3])).code).toBe(0);
    expect((await tiktok.get('user/info', {}, { token })).code).toBe(0);
  });
});

describe('members and partners', () => {
  const admin = '7010000000000000001';
  const operator = '7010000000000000003';

  it('are invited, accept, get and lose ad accounts', async () => {
    const bc_id = tiktok.ready.bc_ids[0]!;
    const usd = tiktok.ready.advertiser_ids[0]!;
    const jpy = tiktok.ready.advertiser_ids[1]!;
    const { id: user_id, email } = await tiktok.control('POST', '/users', { display_name: 'Nia New' });
    ok(
      await tiktok.post('bc/member/invite', { bc_id, emails: [email], asset_ids: [usd], advertiser_role: 'OPERATOR' }),
    );
    const members = async () => ok(await tiktok.get('bc/member/get', { bc_id, page_size: 50 })).list as Values[];
    expect((await members()).find((row) => row['user_email'] === email)).toMatchObject({ relation_status: 'PENDING' });
    await tiktok.control('POST', `/business_centers/${bc_id}/accept`, { email });
    expect((await members()).find((row) => row['user_id'] === user_id)).toMatchObject({
      relation_status: 'BOUND',
      user_role: 'STANDARD',
      ext_user_role: { finance_role: 'ANALYST' },
    });
    const asset = { bc_id, user_id, asset_type: 'ADVERTISER' };
    expect((await tiktok.post('bc/asset/assign', { ...asset, asset_id: jpy })).message).toMatch(/advertiser_role/);
    ok(await tiktok.post('bc/asset/assign', { ...asset, asset_id: jpy, advertiser_role: 'ANALYST' }));
    const token = await tokenOf(user_id);
    expect((await listed(token)).sort()).toEqual([usd, jpy].sort());
    expect(
      (await tiktok.post('bc/asset/assign', { ...asset, asset_id: jpy, advertiser_role: 'ADMIN' }, { token })).code,
    ).toBe(40001);
    ok(await tiktok.post('bc/asset/unassign', { ...asset, asset_id: jpy }));
    expect(await listed(token)).toEqual([usd]);
    ok(await tiktok.post('bc/member/delete', { bc_id, user_id }));
    expect(await listed(token)).toEqual([]);
    expect((await tiktok.get('campaign/get', { advertiser_id: usd }, { token })).code).toBe(40001);
  });

  it('keep one administrator, and are unknown to outsiders', async () => {
    const bc_id = tiktok.ready.bc_ids[0]!;
    expect((await tiktok.post('bc/member/delete', { bc_id, user_id: admin })).message).toMatch(/at least one admin/);
    ok(await tiktok.post('bc/member/update', { bc_id, user_id: operator, user_role: 'ADMIN' }));
    const { id: stranger } = await tiktok.control('POST', '/users', {
      display_name: 'Sam Stranger',
      roles: { [tiktok.ready.advertiser_ids[0]!]: 'ADMIN' },
    });
    const token = await tokenOf(stranger);
    expect((await tiktok.get('bc/member/get', { bc_id }, { token })).code).toBe(40001);
    expect((await tiktok.post('bc/partner/delete', { bc_id, partner_id: bc_id }, { token })).code).toBe(40001);
  });

  it('share ad accounts, until the share ends', async () => {
    const [north, south] = tiktok.ready.bc_ids as [string, string];
    const [usd, , eur] = tiktok.ready.advertiser_ids;
    const { id: user_id } = await tiktok.control('POST', '/users', {
      display_name: 'Pat Partner',
      bc_roles: { [south]: 'ADMIN' },
    });
    expect((await tiktok.post('bc/partner/add', { bc_id: north, partner_id: south, asset_ids: [eur] })).code).toBe(
      40001,
    );
    const share = { bc_id: north, partner_id: south, asset_ids: [usd], advertiser_role: 'OPERATOR' };
    ok(await tiktok.post('bc/partner/add', share));
    const token = await tokenOf(user_id);
    expect(await listed(token)).toEqual([usd]);
    const query = { bc_id: south, asset_type: 'ADVERTISER', page_size: 50 };
    const [shared] = ok(
      await tiktok.get('bc/asset/admin/get', { ...query, filtering: { keyword: usd } }, { token }),
    ).list;
    expect(shared).toMatchObject({ relation_type: 'OWNER_PARTNER', owner_bc_name: 'Acme North' });
    ok(
      await tiktok.post('bc/partner/asset/delete', { ...share, asset_type: 'ADVERTISER', advertiser_role: undefined }),
    );
    expect((await tiktok.get('campaign/get', { advertiser_id: usd }, { token })).code).toBe(40001);
    // The owner's own people keep it.
    expect((await tiktok.get('campaign/get', { advertiser_id: usd })).code).toBe(0);
  });
});

describeWithTikTokSpecs('official documents of Business Centers', (specs) => {
  it('fit the answers of member/get with an invitation', async () => {
    const bc_id = tiktok.ready.bc_ids[0]!;
    const body = { bc_id, emails: ['new@acme.test'] };
    expect(specs.operation('bc/member/invite')!.checkBody(body)).toEqual([]);
    ok(await tiktok.post('bc/member/invite', body));
    const answer = await tiktok.get('bc/member/get', { bc_id });
    expect(specs.operation('bc/member/get')!.checkAnswer(answer)).toEqual([]);
  });
});

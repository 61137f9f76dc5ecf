/** Money, ad accounts and billing of Business Centers; copies of campaigns; legacy Smart+. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithTikTokSpecs } from '../specs/tiktok-yml.ts';
import { objectsOf, ok } from '../support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../support/tiktok-simulator.ts';

type Values = Record<string, unknown>;

let tiktok: TestTikTok;
let bc_id = '';
let usd = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  bc_id = tiktok.ready.bc_ids[0]!;
  usd = tiktok.ready.advertiser_ids[0]!;
});
afterAll(() => tiktok.close());

const balance = async () => ok(await tiktok.get('bc/balance/get', { bc_id })).account_balance as number;
const transfer = (body: Values) => tiktok.post('bc/transfer', { bc_id, transfer_type: 'RECHARGE', ...body });

describe('bc/transfer', () => {
  it('moves money once per call for ad accounts, and keeps a record', async () => {
    const before = await balance();
    const body = { advertiser_id: usd, cash_amount: 100, request_id: '1' };
    const first = ok(await transfer(body));
    expect(first.transaction_infos).toMatchObject([{ transaction_type: 'CASH', payee_account: { account_id: usd } }]);
    ok(await transfer(body));
    expect(await balance()).toBe(before - 200);
    ok(await transfer({ ...body, transfer_type: 'REFUND' }));
    expect(await balance()).toBe(before - 100);
    const { transaction_list } = ok(await tiktok.get('bc/account/transaction/get', { bc_id }));
    expect(transaction_list.slice(0, 3).map((row: Values) => row['amount'])).toEqual([-100, 100, 100]);
    expect(ok(await tiktok.get('advertiser/transaction/get', { bc_id })).transaction_list).toHaveLength(3);
    expect(ok(await tiktok.get('bc/transaction/get', { bc_id })).transaction_summary.amount_paid).toBe(200);
    expect((await transfer({ advertiser_id: usd, cash_amount: 1e9 })).message).toMatch(/insufficient/);
    expect((await transfer({ advertiser_id: tiktok.ready.advertiser_ids[2], cash_amount: 1 })).code).toBe(40001);
    expect((await transfer({ advertiser_id: usd })).message).toMatch(/cash_amount/);
  });

  it('happens once per request_id between Business Centers', async () => {
    const before = await balance();
    const body = { transfer_level: 'BC', child_bc_id: tiktok.ready.bc_ids[1], cash_amount: 50, request_id: '77' };
    const first = ok(await transfer(body));
    expect(ok(await transfer(body)).transaction_infos).toEqual(first.transaction_infos);
    expect(await balance()).toBe(before - 50);
  });

  it('needs a finance manager', async () => {
    const { app_id, secret } = tiktok.ready;
    const request = { app_id, redirect_uri: 'https://app.test/back', user_id: '7010000000000000003' };
    const { redirect_url } = await tiktok.control('POST', '/authorize', request);
    const auth_code = new URL(redirect_url).searchParams.get('auth_code');
    const { access_token: token } = ok(
      await tiktok.post('oauth2/access_token', { app_id, secret, auth_code }, { token: null }),
    );
    const body = { bc_id, transfer_type: 'RECHARGE', advertiser_id: usd, cash_amount: 1 };
    expect(await tiktok.post('bc/transfer', body, { token })).toMatchObject({ code: 40001, message: /finance/ });
  });
});

describe('ad accounts of a Business Center', () => {
  it('are opened, used and disabled', async () => {
    const body = {
      bc_id,
      advertiser_info: { name: 'New shop', currency: 'EUR', timezone: 'Europe/Paris', type: 'AUCTION' },
      customer_info: { company: 'New Shop SARL', industry: 291905, registered_area: 'FR' },
    };
    const { advertiser_id } = ok(await tiktok.post('bc/advertiser/create', body));
    const [info] = ok(await tiktok.get('advertiser/info', { advertiser_ids: [advertiser_id] })).list;
    expect(info).toMatchObject({ name: 'New shop', currency: 'EUR', owner_bc_id: bc_id });
    const stranger = tiktok.ready.advertiser_ids[2]!;
    const answer = ok(await tiktok.post('bc/advertiser/disable', { bc_id, advertiser_ids: [advertiser_id, stranger] }));
    expect(answer.disabled_advertiser_ids).toEqual([advertiser_id]);
    expect(Object.keys(answer.failed_infos)).toEqual([stranger]);
    const group = { bc_id, advertiser_ids: [advertiser_id], billing_group_name: 'France' };
    const { billing_group_id } = ok(await tiktok.post('bc/billing_group/create', group));
    ok(await tiktok.post('bc/billing_group/update', { bc_id, billing_group_id, add_advertiser_ids: [usd] }));
    const [row] = ok(await tiktok.get('bc/billing_group/get', { bc_id })).list;
    expect(row.advertisers.map((one: Values) => one['advertiser_id'])).toEqual([advertiser_id, usd]);
  });
});

describe('copies of campaigns', () => {
  it('bring ad groups and ads, and are ready after a while', async () => {
    const make = objectsOf(tiktok, usd);
    const campaign_id = await make.campaign();
    const adgroup = await make.adgroup({}, campaign_id);
    await make.ad({}, adgroup);
    const body = { advertiser_id: usd, campaign_id, request_id: '900', campaign_name: 'Copied' };
    expect((await tiktok.post('campaign/copy/task/create', { ...body, request_id: undefined })).code).toBe(40002);
    const { task_id } = ok(await tiktok.post('campaign/copy/task/create', body));
    const check = async () => ok(await tiktok.get('campaign/copy/task/check', { advertiser_id: usd, task_id }));
    expect((await check()).task_status).toBe('RUNNING');
    tiktok.running.clock.advance(5_000);
    const done = await check();
    expect(done).toMatchObject({ task_status: 'SUCCESS', task_info: { success_ad_count: 1 } });
    const filtering = { campaign_ids: [done.task_result.campaign_id] };
    expect(ok(await tiktok.get('campaign/get', { advertiser_id: usd, filtering })).list[0].campaign_name).toBe(
      'Copied',
    );
    const ads = ok(await tiktok.get('ad/get', { advertiser_id: usd, filtering })).list;
    expect(ads.map((ad: Values) => ad['ad_id'])).toEqual([
      done.task_result.adgroup_result_list[0].ad_list_result[0].ad_id,
    ]);
    const smart = { ...body, request_id: '901' };
    expect((await tiktok.post('smart_plus/campaign/copy/task/create', smart)).code).toBe(40007);
  });

  it('of Smart+ campaigns bring Smart+ ads with creatives of their own', async () => {
    const { smart_plus } = await tiktok.control('POST', '/seed', { smart_plus: true });
    const { advertiser_id } = smart_plus;
    const { campaigns } = await tiktok.control('GET', `/objects?advertiser_id=${advertiser_id}`);
    const [campaign_id] = campaigns['UPGRADED_SMART_PLUS'].live;
    const body = { advertiser_id, campaign_id, request_id: '902' };
    const { task_id } = ok(await tiktok.post('smart_plus/campaign/copy/task/create', body));
    tiktok.running.clock.advance(5_000);
    const { task_result } = ok(await tiktok.get('smart_plus/campaign/copy/task/check', { advertiser_id, task_id }));
    const list = async (id: string) =>
      ok(await tiktok.get('smart_plus/ad/get', { advertiser_id, filtering: { campaign_ids: [id] }, page_size: 100 }))
        .list;
    const [before, after] = [await list(campaign_id), await list(task_result.campaign_id)];
    expect(after).toHaveLength(before.length);
    expect(after[0].smart_plus_ad_id).not.toBe(before[0].smart_plus_ad_id);
    const materials = (rows: { creative_list: Values[] }[]) =>
      rows.flatMap((row) => row.creative_list.map((one) => one['ad_material_id']));
    expect(materials(after).some((one) => materials(before).includes(one))).toBe(false);

    const [legacy] = campaigns['SMART_PLUS'].live;
    const [row] = ok(await tiktok.get('campaign/spc/get', { advertiser_id, campaign_ids: [legacy] })).list;
    expect(row).toMatchObject({ is_smart_performance_campaign: true, campaign_id: legacy });
    expect(row.media_info_list.length).toBeGreaterThan(0);
    const update = { advertiser_id, campaign_id: legacy, campaign_name: 'Old but gold' };
    expect((await tiktok.post('campaign/update', update)).message).toMatch(/spc/);
    ok(await tiktok.post('campaign/spc/update', update));
    const quota = ok(await tiktok.get('campaign/spc/quota/get', { advertiser_id }));
    expect(quota.used_campaign_ids).toContain(legacy);
    expect((await tiktok.post('campaign/spc/create', { advertiser_id })).message).toMatch(/no longer/);
  });
});

describeWithTikTokSpecs('official documents of money and billing', (specs) => {
  it.each([
    ['bc/account/transaction/get', {}],
    ['bc/transaction/get', {}],
    ['bc/billing_group/get', {}],
    ['bc/invoice/unpaid/get', { invoice_type: 'RECON' }],
  ])('%s', async (path, more) => {
    const answer = await tiktok.get(path, { bc_id, ...more });
    expect(answer.code).toBe(0);
    expect(specs.operation(path)!.checkAnswer(answer)).toEqual([]);
  });
});

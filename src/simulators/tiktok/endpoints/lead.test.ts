import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectsOf, ok } from '../../../../test/support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../../../../test/support/tiktok-simulator.ts';

type Row = Record<string, unknown>;

let tiktok: TestTikTok;
let usd = '';
let jpy = '';
let page_id = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  [usd = '', jpy = ''] = tiktok.ready.advertiser_ids;
  page_id = (await get('page/get', { business_type: 'LEAD_GEN' })).list[0].page_id;
});
afterAll(() => tiktok.close());

const get = async (path: string, query: Row = {}) => ok(await tiktok.get(path, { advertiser_id: usd, ...query }));
const send = (path: string, body: Row = {}) => tiktok.post(path, { advertiser_id: usd, ...body });
const post = async (path: string, body: Row = {}) => ok(await send(path, body));
const leads = (body: Row) => tiktok.control('POST', '/leads', body);
const csv = (query: Row) =>
  tiktok.raw(
    `/open_api/v1.3/page/lead/task/download/?${new URLSearchParams({ advertiser_id: usd, ...query } as Record<string, string>)}`,
    { headers: { 'Access-Token': tiktok.ready.access_token } },
  );

describe('forms', () => {
  it('have fields', async () => {
    const { fields, meta } = await get('page/field/get', { page_id });
    expect(fields).toEqual(['name', 'email', 'phone_number']);
    expect(meta).toMatchObject({ page_id, page_name: 'Newsletter sign-up' });
    expect((await tiktok.get('page/field/get', { advertiser_id: jpy, page_id })).code).toBe(40007);
    expect((await get('lead/field/get', { page_id })).fields).toEqual(fields);
  });
});

describe('the download of leads', () => {
  it('is one endpoint to create and to poll, then a file', async () => {
    const ad = await objectsOf(tiktok, usd).ad();
    await leads({ ad_id: ad, count: 3 });
    const made = (await leads({ page_id, values: { name: 'Doe, "Jo"' } })).leads[0];
    const task = await post('page/lead/task', { page_id });
    expect(task).toMatchObject({ status: 'CREATED', file_type: 'CSV' });
    const { task_id } = task;
    expect(await (await csv({ task_id })).json()).toMatchObject({ code: 40201 });
    await leads({ page_id });
    tiktok.running.clock.advance(3_000);
    expect((await post('page/lead/task', { task_id })).status).toBe('RUNNING');
    tiktok.running.clock.advance(3_000);
    expect((await post('page/lead/task', { task_id })).status).toBe('SUCCEED');
    const response = await csv({ task_id });
    expect(response.headers.get('content-type')).toContain('text/csv');
    const lines = (await response.text()).trim().split('\r\n');
    expect(lines[0]).toBe(
      'lead_id,create_time,page_id,campaign_id,campaign_name,adgroup_id,adgroup_name,ad_id,ad_name,name,email,phone_number',
    );
    // Three and one; the one that came after the task is not in it.
    expect(lines).toHaveLength(5);
    expect(lines.at(-1)).toContain(made.meta_data.lead_id);
    expect(lines.at(-1)).toContain('"Doe, ""Jo"""');
    const ofAd = await post('page/lead/task', { ad_id: ad });
    tiktok.running.clock.advance(6_000);
    expect((await (await csv({ task_id: ofAd.task_id })).text()).trim().split('\r\n')).toHaveLength(4);
  });

  it('is for the ad account that asked', async () => {
    const { task_id } = await post('page/lead/task', { page_id });
    expect((await send('page/lead/task', { advertiser_id: jpy, task_id })).code).toBe(40007);
    expect((await send('page/lead/task', {})).code).toBe(40002);
    expect((await send('page/lead/task', { page_id: '1' })).code).toBe(40007);
    expect((await tiktok.post('page/lead/task', { page_id })).code).toBe(40002);
  });
});

describe('test leads', () => {
  it('are made, read and deleted, one for a form', async () => {
    expect((await tiktok.get('page/lead/mock/get', { advertiser_id: usd, page_id })).code).toBe(40007);
    const made = await post('page/lead/mock/create', { page_id });
    expect(made.lead_data.email).toMatch(/@example\.com$/);
    expect(made.meta_data).toMatchObject({ page_id, lead_source: 'INSTANT_FORM', ad_id: null });
    expect((await send('page/lead/mock/create', { page_id })).code).toBe(40002);
    expect(await get('page/lead/mock/get', { page_id })).toEqual(made);
    expect(await get('lead/get', { page_id })).toEqual(made);
    await post('page/lead/mock/delete', { page_id });
    expect((await send('page/lead/mock/delete', { page_id })).code).toBe(40007);
  });
});

describe('libraries of forms', () => {
  it('hold the forms that an ad account moved to its Business Center', async () => {
    const bc_id = tiktok.ready.bc_ids[0]!;
    const { library_id } = await post('page/library/transfer', { advertiser_id: jpy, bc_id });
    const { list } = ok(await tiktok.get('page/library/get'));
    expect(list.map((row: Row) => row['library_id'])).toContain(library_id);
    const forms = ok(await tiktok.get('page/get', { library_id })).list;
    expect(forms).toHaveLength(1);
    await leads({ page_id: forms[0].page_id });
    const task = ok(await tiktok.post('page/lead/task', { library_id, page_id: forms[0].page_id }));
    expect(task.status).toBe('CREATED');
    expect((await tiktok.get('page/get', { library_id: '7400000000000000001' })).code).toBe(40001);
    expect((await tiktok.get('page/get', {})).code).toBe(40002);
  });
});

it('leads need the permission for leads', async () => {
  const { app_id, secret } = tiktok.ready;
  const { redirect_url } = await tiktok.control('POST', '/authorize', {
    app_id,
    redirect_uri: 'https://acme.test/callback',
    scope: ['2', '6'],
    advertiser_ids: [usd],
  });
  const auth_code = new URL(redirect_url).searchParams.get('auth_code');
  const { access_token } = ok(await tiktok.post('oauth2/access_token', { app_id, secret, auth_code }));
  for (const path of ['lead/get', 'page/field/get', 'page/lead/mock/get']) {
    expect((await tiktok.get(path, { advertiser_id: usd, page_id }, { token: access_token })).code).toBe(40001);
  }
  const denied = await tiktok.post('subscription/subscribe', {
    app_id,
    secret,
    subscribe_entity: 'LEAD',
    callback_url: 'https://acme.test/hook',
    subscription_detail: { access_token, advertiser_id: usd },
  });
  expect(denied.code).toBe(40001);
});

import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { objectsOf, ok } from '../../../test/support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../../../test/support/tiktok-simulator.ts';
import { parseExact } from '../kit/exact-json.ts';

type Row = Record<string, unknown>;
interface Callback {
  headers: Record<string, string | string[] | undefined>;
  raw: string;
  body: { object: number; entry: Row[]; time: number; request_id: string };
}

let tiktok: TestTikTok;
let receiver: Server;
let callback_url = '';
let usd = '';
let got: Callback[] = [];
/** Statuses of the next answers; 200 when it is empty. */
let statuses: number[] = [];

beforeAll(async () => {
  tiktok = await startTikTok();
  [usd = ''] = tiktok.ready.advertiser_ids;
  // Nothing goes out but when a test says so, and the virtual clock stands still between its steps.
  await tiktok.control('PATCH', '/settings', { webhook_delivery: 'manual' });
  tiktok.running.clock.freeze(true);
  receiver = createServer((request, response) => {
    let raw = '';
    request.on('data', (chunk) => {
      raw += chunk;
    });
    request.on('end', () => {
      got.push({ headers: request.headers, raw, body: parseExact(raw) as Callback['body'] });
      response.statusCode = statuses.shift() ?? 200;
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  callback_url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
});
afterAll(async () => {
  receiver.close();
  await tiktok.close();
});
beforeEach(() => {
  got = [];
  statuses = [];
});
afterEach(async () => {
  for (const { subscription_id } of (await tiktok.control('GET', '/webhooks')).subscriptions)
    await cancel(subscription_id);
});

const app = () => ({ app_id: tiktok.ready.app_id, secret: tiktok.ready.secret });
const send = (subscribe_entity: string, detail: Row, more: Row = {}) =>
  tiktok.post('subscription/subscribe', {
    ...app(),
    subscribe_entity,
    callback_url,
    subscription_detail: { access_token: tiktok.ready.access_token, ...detail },
    ...more,
  });
const subscribe = async (entity: string, detail: Row): Promise<string> =>
  ok(await send(entity, detail)).subscription_id;
const cancel = (subscription_id: string) => tiktok.post('subscription/unsubscribe', { ...app(), subscription_id });
const deliver = () => tiktok.control('POST', '/webhooks/deliver');
const form = async (): Promise<string> =>
  ok(await tiktok.get('page/get', { advertiser_id: usd, business_type: 'LEAD_GEN' })).list[0].page_id;

describe('subscriptions', () => {
  it('are listed by entity, with the token hidden, and end', async () => {
    const id = await subscribe('LEAD', { advertiser_id: usd });
    await subscribe('REPORT_DATA_CHANGE', { advertiser_ids: [usd], notify_frequency: 'DAILY' });
    const read = async () => ok(await tiktok.get('subscription/get', { ...app(), subscribe_entity: 'LEAD' }));
    const { subscriptions, page_info } = await read();
    expect([subscriptions.length, page_info.total_number]).toEqual([1, 1]);
    expect(subscriptions[0]).toMatchObject({ subscription_id: id, callback_url, subscribe_entity: 'LEAD' });
    expect(JSON.stringify(subscriptions)).not.toContain(tiktok.ready.access_token);
    expect(ok(await cancel(id))).toEqual({ subscription_id: id });
    expect((await cancel(id)).code).toBe(40007);
    expect((await read()).subscriptions).toEqual([]);
  });

  it.each<[string, string, Row, Row, number]>([
    ['a wrong secret', 'LEAD', {}, { secret: 'wrong' }, 40101],
    ['an unknown entity', 'ADS', {}, {}, 40002],
    ['a callback that is no URL', 'LEAD', {}, { callback_url: 'not a url' }, 40002],
    ['no ad account', 'LEAD', { advertiser_id: undefined }, {}, 40002],
    ['a withdrawn token', 'LEAD', { access_token: 'f'.repeat(40) }, {}, 40105],
    ['a stranger’s ad account', 'LEAD', { advertiser_id: '7001000000000000009' }, {}, 40001],
    ['an ad that is not there', 'AD', { ad_id: '1' }, {}, 40007],
    ['no frequency', 'REPORT_DATA_CHANGE', { advertiser_ids: ['x'] }, {}, 40002],
    ['a Business Center that is not the user’s', 'AD_ACCOUNT_SUSPENSION', { bc_id: '71' }, {}, 40001],
  ])('refuse %s', async (_, entity, detail, more, code) => {
    expect((await send(entity, { advertiser_id: usd, ...detail }, more)).code).toBe(code);
  });
});

describe('delivery', () => {
  it('is signed, has ids as numbers beyond 2^53 and everything beyond ASCII escaped', async () => {
    await subscribe('LEAD', { advertiser_id: usd });
    const page_id = await form();
    const { leads } = await tiktok.control('POST', '/leads', { page_id, values: { name: 'Zoë 日本' } });
    expect(await deliver()).toEqual({ delivered: 1, failed: 0 });
    const [callback] = got;
    const mac = createHmac('sha256', tiktok.ready.secret).update(callback!.raw).digest('hex');
    expect(callback!.headers['x-open-signature']).toBe(mac);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point.
    expect(callback!.raw).toMatch(/^[\x00-\x7f]*$/);
    expect(callback!.body).toMatchObject({ object: 1, time: expect.any(Number) });
    const [entry] = callback!.body.entry;
    expect(entry!['id']).toBe(BigInt(leads[0].meta_data.lead_id));
    expect(entry!['page_id']).toBe(BigInt(page_id));
    expect(entry!['changes']).toContainEqual({ field: 'name', value: 'Zoë 日本' });
  });

  it('is batched, up to 1,000 entries in one callback', async () => {
    await subscribe('LEAD', { advertiser_id: usd });
    await tiktok.control('POST', '/leads', { page_id: await form(), count: 1001 });
    await deliver();
    expect(got.map(({ body }) => body.entry.length)).toEqual([1000, 1]);
  });

  it('is tried again until it is taken, on the virtual clock', async () => {
    await subscribe('LEAD', { advertiser_id: usd });
    await tiktok.control('POST', '/leads', { page_id: await form() });
    statuses = [500, 302];
    expect(await deliver()).toEqual({ delivered: 0, failed: 1 });
    expect(await deliver()).toEqual({ delivered: 0, failed: 0 });
    tiktok.running.clock.advance(60_000);
    expect(await deliver()).toEqual({ delivered: 0, failed: 1 });
    tiktok.running.clock.advance(120_000);
    expect(await deliver()).toEqual({ delivered: 1, failed: 0 });
    expect(new Set(got.map(({ raw }) => raw)).size).toBe(1);
    const { deliveries } = await tiktok.control('GET', '/webhooks');
    expect(deliveries.at(-1)).toMatchObject({ attempts: 3, status: 'delivered', next_attempt: null });
    await tiktok.control('POST', '/webhooks/again', { id: deliveries.at(-1).id });
    expect(got).toHaveLength(4);
  });

  it('is given up after 24 hours', async () => {
    await subscribe('LEAD', { advertiser_id: usd });
    await tiktok.control('POST', '/leads', { page_id: await form() });
    statuses = Array.from({ length: 100 }, () => 500);
    for (let hour = 0; hour < 26; hour++) {
      await deliver();
      tiktok.running.clock.advance(3_600_000);
    }
    expect(got.length).toBeGreaterThan(5);
    const last = (await tiktok.control('GET', '/webhooks')).deliveries.at(-1);
    expect(last).toMatchObject({ status: 'given_up', last: 'HTTP 500' });
    const tries = got.length;
    tiktok.running.clock.advance(24 * 3_600_000);
    await deliver();
    expect(got).toHaveLength(tries);
  });

  it('stops when the grant behind the subscription is withdrawn', async () => {
    const { app_id, secret } = tiktok.ready;
    const { redirect_url } = await tiktok.control('POST', '/authorize', {
      app_id,
      redirect_uri: 'https://acme.test/callback',
      advertiser_ids: [usd],
    });
    const auth_code = new URL(redirect_url).searchParams.get('auth_code');
    const { access_token } = ok(await tiktok.post('oauth2/access_token', { app_id, secret, auth_code }));
    await subscribe('LEAD', { advertiser_id: usd, access_token });
    const page_id = await form();
    await tiktok.control('POST', '/leads', { page_id });
    await deliver();
    await tiktok.control('POST', '/grants/revoke', { access_token });
    await tiktok.control('POST', '/leads', { page_id });
    await deliver();
    expect(got).toHaveLength(1);
  });

  it('goes only to who asked for it', async () => {
    const page_id = await form();
    await subscribe('LEAD', { advertiser_id: usd, lead_source: 'DIRECT_MESSAGE' });
    await subscribe('LEAD', { advertiser_id: tiktok.ready.advertiser_ids[1] });
    await tiktok.control('POST', '/leads', { page_id });
    await deliver();
    expect(got).toEqual([]);
    await tiktok.control('POST', '/leads', { page_id, lead_source: 'DIRECT_MESSAGE' });
    await deliver();
    expect(got).toHaveLength(1);
  });
});

it('goes out by itself too', async () => {
  await tiktok.control('PATCH', '/settings', { webhook_delivery: 'auto' });
  await subscribe('LEAD', { advertiser_id: usd });
  const page_id = await form();
  const arrived = new Promise((resolve) => receiver.once('request', resolve));
  await tiktok.control('POST', '/leads', { page_id });
  await arrived;
  await tiktok.control('PATCH', '/settings', { webhook_delivery: 'manual' });
  await deliver();
  expect(got).toHaveLength(1);
});

describe('what is told', () => {
  it('a review that refuses an ad, once, to subscribers of the ad and of its ad group', async () => {
    const objects = objectsOf(tiktok, usd);
    const adgroup_id = await objects.adgroup();
    const ad_id = await objects.ad({}, adgroup_id);
    await subscribe('AD', { advertiser_id: usd, ad_id });
    await subscribe('AD_GROUP', { advertiser_id: usd, adgroup_id });
    await deliver();
    expect(got).toEqual([]);
    await tiktok.control('POST', `/ads/${ad_id}/reject`, { reason: 'Misleading claim' });
    await deliver();
    await deliver();
    expect(got.map(({ body }) => body.object).toSorted()).toEqual([2, 3]);
    const entry = got.find(({ body }) => body.object === 3)!.body.entry[0];
    expect(entry).toMatchObject({
      ad_id: BigInt(ad_id),
      adgroup_id: BigInt(adgroup_id),
      reject_reason: 'Misleading claim',
    });
    const { list } = ok(await tiktok.get('ad/get', { advertiser_id: usd, filtering: { ad_ids: [ad_id] } }));
    expect(list[0].secondary_status).toBe('AD_STATUS_AUDIT_DENY');
    const again = { advertiser_id: usd, adgroup_id, patch_update: true };
    ok(await tiktok.post('ad/update', { ...again, creatives: [{ ad_id, ad_text: 'A true claim' }] }));
    tiktok.running.clock.advance(120_000);
    const reviewed = ok(await tiktok.get('ad/get', { advertiser_id: usd, filtering: { ad_ids: [ad_id] } }));
    expect(reviewed.list[0].secondary_status).not.toBe('AD_STATUS_AUDIT_DENY');
    await tiktok.control('POST', `/ads/${ad_id}/reject`);
    await tiktok.control('POST', `/ads/${ad_id}/approve`);
    const after = ok(await tiktok.get('ad/get', { advertiser_id: usd, filtering: { ad_ids: [ad_id] } }));
    expect(after.list[0].secondary_status).not.toBe('AD_STATUS_AUDIT_DENY');
  });

  it('a review by its own course: an ad that the clock finds refused', async () => {
    const objects = objectsOf(tiktok, usd);
    const ad_id = await objects.ad({ ad_text: 'Too good to be true [reject]' });
    await subscribe('AD', { advertiser_id: usd, ad_id });
    await deliver();
    expect(got).toEqual([]);
    tiktok.running.clock.advance(120_000);
    await deliver();
    expect(got).toHaveLength(1);
  });

  it('an ad account that is limited, and that it is not any more', async () => {
    const bc_id = tiktok.ready.bc_ids[0]!;
    await subscribe('AD_ACCOUNT_SUSPENSION', { bc_id });
    await deliver();
    await tiktok.control('PATCH', `/advertisers/${usd}`, { status: 'STATUS_LIMIT' });
    await deliver();
    await tiktok.control('PATCH', `/advertisers/${usd}`, { status: 'STATUS_ENABLE' });
    await deliver();
    expect(got.map(({ body }) => [body.object, body.entry[0]!['status'], body.entry[0]!['owner_bc_id']])).toEqual([
      [9, 'STATUS_LIMIT', BigInt(bc_id)],
      [9, 'STATUS_ENABLE', BigInt(bc_id)],
    ]);
    expect(got[0]!.body.entry[0]).toHaveProperty('suspension_reasion');
  });

  it('fatigue, changed numbers and incidents', async () => {
    const ad_id = await objectsOf(tiktok, usd).ad();
    await subscribe('CREATIVE_FATIGUE', { advertiser_id: usd });
    await subscribe('REPORT_DATA_CHANGE', { advertiser_ids: [usd], notify_frequency: 'DAILY' });
    await subscribe('API_SERVICE_STATUS', { product_filters: ['REPORTING_API'] });
    await tiktok.control('POST', '/creative_fatigue', { ad_id });
    await tiktok.control('POST', '/report_data_change', { advertiser_id: usd, metrics: { spend: 12.5 } });
    expect(await tiktok.control('POST', '/incidents', { product: 'CATALOG_API' })).toMatchObject({ told: 0 });
    await tiktok.control('POST', '/incidents', { product: 'REPORTING_API', type: 'RESOLVE' });
    await deliver();
    const byObject = new Map(got.map(({ body }) => [body.object, body.entry[0]]));
    expect(byObject.get(8)).toMatchObject({ adv_id: BigInt(usd), ad_ids: [BigInt(ad_id)] });
    expect(byObject.get(11)).toMatchObject({ changed_metrics_values: { [usd]: { spend: 12.5 } } });
    expect(byObject.get(12)).toMatchObject({ incident_event_type: 'RESOLVE' });
  });

  it('events of accounts, signed with a time', async () => {
    const hook = { ...app(), event_type: 'DIRECT_MESSAGE' };
    expect(ok(await tiktok.post('business/webhook/update', { ...hook, callback_url }))).toMatchObject({ callback_url });
    expect(ok(await tiktok.get('business/webhook/list', hook))).toMatchObject({ event_type: 'DIRECT_MESSAGE' });
    const event = { app_id: hook.app_id, event: 'DIRECT_MESSAGE', content: { text: 'Hello' } };
    expect(await tiktok.control('POST', '/account_webhooks/fire', event)).toEqual({ told: 1 });
    await deliver();
    const [callback] = got;
    const [, t, s] = /^t=(\d+),s=([0-9a-f]{64})$/.exec(String(callback!.headers['tiktok-signature']))!;
    expect(createHmac('sha256', tiktok.ready.secret).update(`${t}.${callback!.raw}`).digest('hex')).toBe(s);
    expect(callback!.body).toMatchObject({
      client_key: hook.app_id,
      event: 'DIRECT_MESSAGE',
      content: '{"text":"Hello"}',
    });
    ok(await tiktok.post('business/webhook/delete', hook));
    expect((await tiktok.get('business/webhook/list', hook)).code).toBe(40007);
  });
});

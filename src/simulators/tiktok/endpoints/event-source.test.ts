import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ok } from '../../../../test/support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../../../../test/support/tiktok-simulator.ts';

type Row = Record<string, unknown>;

let tiktok: TestTikTok;
let usd = '';
let jpy = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  [usd = '', jpy = ''] = tiktok.ready.advertiser_ids;
});
afterAll(() => tiktok.close());

const get = async (path: string, query: Row = {}) => ok(await tiktok.get(path, { advertiser_id: usd, ...query }));
const post = async (path: string, body: Row = {}) => ok(await tiktok.post(path, { advertiser_id: usd, ...body }));
const code = async (path: string, body: Row) => (await tiktok.post(path, { advertiser_id: usd, ...body })).code;
const newPixel = async (name: string) => post('pixel/create', { pixel_name: name });
const pixel = async (pixel_id: string) => (await get('pixel/list', { pixel_id })).pixels[0];

describe('pixels', () => {
  it('have names of up to 40 characters', async () => {
    expect(await code('pixel/create', { pixel_name: 'x'.repeat(41) })).toBe(40002);
    expect((await newPixel('x'.repeat(40))).pixel_name).toHaveLength(40);
  });

  it('have events that are made, changed and deleted', async () => {
    const { pixel_id } = await newPixel('Events');
    const before = (await pixel(pixel_id)).events.length;
    const rule = {
      trigger: 'TRIGGERTYPE_PAGEVIEW',
      variable: 'PAGE_URL',
      operator: 'OPERATORTYPE_CONTAINS',
      value: '/ok',
    };
    await post('pixel/event/create', {
      pixel_id,
      pixel_events: [{ event_type: 'ON_WEB_SUBSCRIBE', event_name: 'Joined', currency: 'JPY', rules: [rule] }],
    });
    const made = (await pixel(pixel_id)).events.at(-1);
    expect(made).toMatchObject({ event_type: 'ON_WEB_SUBSCRIBE', name: 'Joined', currency: 'JPY', rules: [rule] });
    await post('pixel/event/update', { event_id: made.event_id, event_name: 'Joined us' });
    expect((await pixel(pixel_id)).events.at(-1)).toMatchObject({ event_id: made.event_id, name: 'Joined us' });
    await post('pixel/event/delete', { event_id: made.event_id });
    expect((await pixel(pixel_id)).events).toHaveLength(before);
    expect(await code('pixel/event/delete', { event_id: made.event_id })).toBe(40007);
    const wrong = [{ event_type: 'ON_WEB_SUBSCRIBE', rules: [{ ...rule, operator: 'LIKE' }] }];
    expect(await code('pixel/event/create', { pixel_id, pixel_events: wrong })).toBe(40002);
  });

  it('tell what the Events API took, by day and name', async () => {
    const { pixel_id, pixel_code } = await newPixel('Stats');
    const event_time = Math.floor(tiktok.running.clock.now().getTime() / 1000);
    const data = ['Purchase', 'Purchase', 'my_event'].map((event, i) => ({ event, event_time, event_id: `s${i}` }));
    await post('event/track', { event_source: 'web', event_source_id: pixel_code, data });
    const day = (shift: number) => new Date((event_time + shift * 86_400) * 1000).toISOString().slice(0, 10);
    const stats = async (start_date: string, end_date: string) =>
      (await get('pixel/event/stats', { pixel_ids: [pixel_id], date_range: { start_date, end_date } })).list[0]
        .statistics;
    const today = await stats(day(0), day(0));
    const purchases = today.find((row: Row) => row['pixel_event_type'] === 'Purchase');
    expect(purchases.server_event_total_count).toBe(2);
    expect(purchases.total_count).toBe(purchases.browser_event_total_count + 2);
    expect(today.find((row: Row) => row['custom_event_type'] === 'my_event')).toMatchObject({
      pixel_event_type: 'CustomEvent',
      total_count: 1,
    });
    const earlier = await stats(day(-3), day(-1));
    expect(earlier.find((row: Row) => row['pixel_event_type'] === 'Purchase').server_event_total_count).toBe(0);
    const long = { pixel_ids: [pixel_id], date_range: { start_date: day(-30), end_date: day(0) } };
    expect((await tiktok.get('pixel/event/stats', { advertiser_id: usd, ...long })).code).toBe(40002);
    const many = { pixel_ids: Array.from({ length: 11 }, () => pixel_id), date_range: long.date_range };
    expect((await tiktok.get('pixel/event/stats', { advertiser_id: usd, ...many })).message).toMatch(
      /^pixel_ids: Longer/,
    );
  });

  it('move into a Business Center, which links them to its ad accounts', async () => {
    const { pixel_id, pixel_code } = await newPixel('Shared');
    const [bc_id, otherBc] = tiktok.ready.bc_ids;
    const link = (relation_status: string, advertiser_ids: string[], bc = bc_id) =>
      tiktok.post('bc/pixel/link/update', { bc_id: bc, pixel_code, relation_status, advertiser_ids });
    expect((await link('LINK', [jpy])).code).toBe(40001);
    expect(ok(await tiktok.post('bc/pixel/transfer', { bc_id, pixel_code }))).toEqual({ asset_id: pixel_id });
    expect((await tiktok.post('bc/pixel/transfer', { bc_id: otherBc, pixel_code })).code).toBe(40002);
    const report = () =>
      tiktok.post('event/track', {
        event_source: 'web',
        event_source_id: pixel_code,
        data: [{ event: 'Purchase', event_time: 1_769_040_000 }],
      });
    const seen = async () => (await get('pixel/list', { advertiser_id: jpy, code: pixel_code })).pixels;
    expect(await seen()).toEqual([]);
    ok(await link('LINK', [jpy]));
    expect((await seen())[0].asset_ownership).toEqual({
      asset_relation_status: 'SHARED',
      ownership_status: false,
      owner_bc_id: bc_id,
    });
    const links = ok(await tiktok.get('bc/pixel/link/get', { bc_id, pixel_code })).list;
    expect(links.map((row: Row) => row['advertiser_id'])).toEqual([usd, jpy]);
    ok(await link('UNLINK', [usd]));
    expect((await get('pixel/list', { code: pixel_code })).pixels).toEqual([]);
    ok(await report());
    ok(await link('UNLINK', [jpy]));
    expect((await report()).code).toBe(40001);
    expect((await link('LINK', ['7001035076276388097'])).code).toBe(40001);
    expect((await link('LINK', [usd], otherBc)).code).toBe(40001);
  });
});

describe('event sets', () => {
  it('for offline events are made, found, changed and deleted, and take events', async () => {
    const { event_set_id } = await post('offline/create', { name: 'Stores', description: 'All stores' });
    await post('event/track', {
      event_source: 'offline',
      event_source_id: event_set_id,
      data: [{ event: 'Purchase', event_time: 1_769_040_000, user: { email: 'a'.repeat(64) } }],
    });
    expect(await post('offline/update', { event_set_id, name: 'Shops', auto_tracking: true })).toMatchObject({
      name: 'Shops',
      description: 'All stores',
      auto_tracking: true,
    });
    const found = ok(await tiktok.get('offline/get', { event_set_ids: [event_set_id] })).event_set_list;
    expect(found).toEqual([expect.objectContaining({ event_set_id, name: 'Shops', advertiser_id: usd })]);
    expect((await get('offline/get', { name: 'Shop' })).event_set_list).toHaveLength(1);
    expect((await tiktok.get('offline/get', {})).code).toBe(40002);
    expect((await tiktok.post('offline/delete', { advertiser_id: jpy, event_set_id })).code).toBe(40007);
    await post('offline/delete', { event_set_id });
    expect((await get('offline/get', { event_set_ids: [event_set_id] })).event_set_list).toEqual([]);
  });

  it('for CRM events are made and listed', async () => {
    const { event_set_id } = await post('crm/create', { name: 'HubSpot' });
    const { crm_event_sets } = await get('crm/list', { event_set_ids: [event_set_id] });
    expect(crm_event_sets).toEqual([{ event_set_id, name: 'HubSpot', create_time: expect.any(String) }]);
    expect((await get('crm/list')).crm_event_sets.length).toBeGreaterThan(1);
  });
});

describe('custom conversions', () => {
  it('are made from a pixel, become active with its events, and are listed, changed and deleted', async () => {
    const { pixel_id, pixel_code } = await newPixel('Conversions');
    const rules = [{ parameter: 'URL', operator: 'CONTAIN', values: ['/thanks'] }];
    const body = {
      name: 'Big orders',
      event_source_type: 'PIXEL',
      event_source_id: pixel_id,
      optimization_event: 'SHOPPING',
      rules,
    };
    const { custom_conversion_id } = await post('custom_conversion/create', body);
    expect(await code('custom_conversion/create', body)).toBe(40002);
    expect(await code('custom_conversion/create', { ...body, name: 'x', rules: [{ parameter: 'URL' }] })).toBe(40002);
    expect(await code('custom_conversion/create', { ...body, name: 'x', event_source_id: '1' })).toBe(40007);
    const read = () => get('custom_conversion/get', { custom_conversion_id });
    expect(await read()).toMatchObject({ ...body, active_status: 'WAITING_FOR_ACTIVITY' });
    const data = [{ event: 'Purchase', event_time: 1_769_040_000 }];
    await post('event/track', { event_source: 'web', event_source_id: pixel_code, data });
    expect((await read()).active_status).toBe('ACTIVE');
    await tiktok.control('POST', '/clock/advance', { days: 8 });
    expect((await read()).active_status).toBe('NO_RECENT_ACTIVITY');
    await post('custom_conversion/update', { custom_conversion_id, name: 'Bigger orders' });
    const { list, page_info } = await get('custom_conversion/list', { search_keyword: 'bigger' });
    expect([list.length, page_info.total_number, list[0].name]).toEqual([1, 1, 'Bigger orders']);
    await post('custom_conversion/delete', { custom_conversion_id });
    expect((await get('custom_conversion/list')).list).toEqual([]);
  });
});

it('apps without a measurement partner can optimise for installs alone', async () => {
  const download_url = 'https://apps.apple.com/us/app/lonely/id4242';
  const { app_id } = await post('app/create', { download_url });
  const query = { app_id, optimization_goal: 'IN_APP_EVENT', placement: ['PLACEMENT_TIKTOK'] };
  expect(
    (await tiktok.get('app/optimization_event', { advertiser_id: usd, ...query, placement: undefined })).code,
  ).toBe(40002);
  const available = async () => (await get('app/optimization_event', query)).optimization_events.length;
  expect(await available()).toBe(1);
  await post('app/update', { app_id, partner: 'AppsFlyer' });
  expect(await available()).toBeGreaterThan(1);
  expect((await get('app/optimization_event/retargeting', { app_id })).optimization_events.length).toBeGreaterThan(1);
});

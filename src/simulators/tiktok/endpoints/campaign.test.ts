import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { campaignBody, objectsOf, ok } from '../../../../test/support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../../../../test/support/tiktok-simulator.ts';

let tiktok: TestTikTok;
let usd = '';
let jpy = '';
let kwd = '';
let make: ReturnType<typeof objectsOf>;
beforeAll(async () => {
  tiktok = await startTikTok();
  [usd = '', jpy = '', , kwd = ''] = tiktok.ready.advertiser_ids;
  make = objectsOf(tiktok, usd);
});
afterAll(() => tiktok.close());

const create = (more: Record<string, unknown>, advertiser = usd) =>
  tiktok.post('campaign/create', campaignBody(advertiser, more));
const list = (query: Record<string, unknown> = {}) => tiktok.get('campaign/get', { advertiser_id: usd, ...query });
const ids = async (filtering: Record<string, unknown>) =>
  ok(await list({ filtering, page_size: 1000 })).list.map((row: { campaign_id: string }) => row.campaign_id);

describe('campaign/create', () => {
  it('answers the whole object as campaign/get does', async () => {
    const made = ok(await create({ budget_mode: 'BUDGET_MODE_DAY', budget: 100.5, po_number: 'PO 7' }));
    expect(made).toMatchObject({
      advertiser_id: usd,
      campaign_name: 'US – Traffic',
      objective_type: 'TRAFFIC',
      objective: 'LANDING_PAGE',
      budget: 100.5,
      budget_mode: 'BUDGET_MODE_DAY',
      operation_status: 'ENABLE',
      secondary_status: 'CAMPAIGN_STATUS_ENABLE',
      campaign_type: 'REGULAR_CAMPAIGN',
      is_new_structure: true,
      is_smart_performance_campaign: false,
      roas_bid: 0,
      deep_bid_type: null,
      rta_id: null,
      app_promotion_type: 'UNSET',
      po_number: 'PO 7',
    });
    expect(made.campaign_id).toMatch(/^\d{16,19}$/);
    expect(made.create_time).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect(made).not.toHaveProperty('budget_optimize_on');
    const { list: found } = ok(await list({ filtering: { campaign_ids: [made.campaign_id] } }));
    expect(found).toEqual([made]);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['no name', { campaign_name: undefined }, /^Missing required field\(s\): campaign_name\.$/],
    ['an unknown objective', { objective_type: 'FAME' }, /objective_type/],
    ['a legacy objective', { objective_type: 'CONVERSIONS' }, /objective_type/],
    ['an emoji', { campaign_name: 'Sale 🎉' }, /campaign_name.*[Ee]moji/],
    ['a keycap', { campaign_name: 'Top 1\ufe0f\u20e3' }, /[Ee]moji/],
    ['a name of 513 characters', { campaign_name: 'a'.repeat(513) }, /campaign_name/],
    ['257 characters of Chinese, which count double', { campaign_name: '春'.repeat(257) }, /campaign_name/],
    ['no budget mode', { budget_mode: undefined }, /budget_mode/],
    ['no budget', { budget_mode: 'BUDGET_MODE_DAY' }, /Missing required field\(s\): budget\./],
    ['a budget below the minimum', { budget_mode: 'BUDGET_MODE_DAY', budget: 49.99 }, /budget/],
    ['three decimals of a dollar', { budget_mode: 'BUDGET_MODE_DAY', budget: 100.005 }, /budget.*USD/],
    ['app promotion without its type', { objective_type: 'APP_PROMOTION' }, /app_promotion_type/],
    ['product sales without a source', { objective_type: 'PRODUCT_SALES' }, /campaign_product_source/],
    ['sales without a destination', { virtual_objective_type: 'SALES' }, /sales_destination/],
    ['an unlimited budget to optimise', { budget_optimize_on: true }, /budget_mode/],
    ['a return of 1001', { roas_bid: 1001 }, /roas_bid/],
    ['a request_id that is no number', { request_id: 'abc' }, /request_id/],
    ['a request_id above 64 bits', { request_id: '9223372036854775808' }, /request_id/],
    ['a status that only TikTok sets', { operation_status: 'FROZEN' }, /operation_status/],
  ])('refuses %s', async (_what, more, message) => {
    const answer = await create(more);
    expect(answer.code).toBe(40002);
    expect(answer.message).toMatch(message);
    expect(answer.data).toEqual({});
  });

  it('takes names at their limit', async () => {
    for (const campaign_name of ['a'.repeat(512), '春'.repeat(256), 'Größe & Maß ™']) {
      expect(ok(await create({ campaign_name })).campaign_name).toBe(campaign_name);
    }
  });

  it('money follows the account’s currency', async () => {
    const daily = (budget: number) => ({ budget_mode: 'BUDGET_MODE_DAY', budget });
    expect((await create(daily(8000.5), jpy)).message).toMatch(/JPY/);
    expect(ok(await create(daily(8000), jpy)).budget).toBe(8000);
    expect(ok(await create(daily(20.125), kwd)).budget).toBe(20.125);
    expect((await create(daily(20.1255), kwd)).code).toBe(40002);
    expect((await create(daily(50), jpy)).code).toBe(40002);
  });

  it('a request_id works once within ten seconds', async () => {
    const first = ok(await create({ request_id: '1790000000000000001' }));
    expect((await create({ request_id: '1790000000000000001' })).code).toBe(40050);
    expect(ok(await create({ request_id: '1790000000000000002' })).campaign_id).not.toBe(first.campaign_id);
    tiktok.running.clock.advance(11_000);
    expect((await create({ request_id: '1790000000000000001' })).code).toBe(0);
  });
});

describe('campaign/update', () => {
  it('changes what may change and answers the whole object', async () => {
    const id = await make.campaign({ budget_mode: 'BUDGET_MODE_DAY', budget: 100 });
    tiktok.running.clock.advance(5000);
    const body = {
      advertiser_id: usd,
      campaign_id: id,
      campaign_name: 'New',
      budget: 200,
      special_industries: ['CREDIT'],
    };
    const changed = ok(await tiktok.post('campaign/update', body));
    expect(changed).toMatchObject({
      campaign_id: id,
      campaign_name: 'New',
      budget: 200,
      special_industries: ['CREDIT'],
    });
    expect(changed.modify_time > changed.create_time).toBe(true);
  });

  it.each(['objective_type', 'budget_mode', 'budget_optimize_on', 'no_such_field'])(
    'refuses %s by name',
    async (name) => {
      const id = await make.campaign();
      const body = { advertiser_id: usd, campaign_id: id, [name]: name === 'budget_optimize_on' ? true : 'REACH' };
      expect(await tiktok.post('campaign/update', body)).toMatchObject({
        code: 40002,
        message: expect.stringContaining(name),
      });
    },
  );

  it('refuses a budget without a mode for it, and campaigns of others', async () => {
    const id = await make.campaign();
    expect((await tiktok.post('campaign/update', { advertiser_id: usd, campaign_id: id, budget: 100 })).code).toBe(
      40002,
    );
    expect(
      (await tiktok.post('campaign/update', { advertiser_id: jpy, campaign_id: id, campaign_name: 'x' })).code,
    ).toBe(40007);
  });
});

describe('campaign/status/update', () => {
  const set = (campaign_ids: string[], operation_status: string, more = {}) =>
    tiktok.post('campaign/status/update', { advertiser_id: usd, campaign_ids, operation_status, ...more });

  it('answers as documented', async () => {
    const id = await make.campaign();
    expect(ok(await set([id], 'DISABLE', { postback_window_mode: 'POSTBACK_WINDOW_MODE2' }))).toEqual({
      campaign_ids: [id],
      status: 'DISABLE',
      campaign_list: [{ campaign_id: id, status: 'DISABLE', postback_window_mode: 'POSTBACK_WINDOW_MODE2' }],
    });
    const { list: found } = ok(await list({ filtering: { campaign_ids: [id] } }));
    expect(found[0]).toMatchObject({ operation_status: 'DISABLE', secondary_status: 'CAMPAIGN_STATUS_DISABLE' });
  });

  it('changes all or none', async () => {
    const id = await make.campaign();
    expect((await set([id, '1'], 'DISABLE')).code).toBe(40007);
    const { list: found } = ok(await list({ filtering: { campaign_ids: [id] } }));
    expect(found[0].operation_status).toBe('ENABLE');
  });

  it('takes up to 20 ids and three statuses', async () => {
    expect(
      (
        await set(
          Array.from({ length: 21 }, (_, i) => String(i)),
          'DISABLE',
        )
      ).message,
    ).toMatch(/campaign_ids/);
    expect((await set([], 'DISABLE')).code).toBe(40002);
    expect((await set([await make.campaign()], 'FROZEN')).message).toMatch(/operation_status/);
  });

  it('what is deleted is hidden and stays as it is', async () => {
    const id = await make.campaign({ campaign_name: 'Gone' });
    ok(await set([id], 'DELETE'));
    expect((await set([id], 'ENABLE')).code).toBe(40002);
    expect(
      (await tiktok.post('campaign/update', { advertiser_id: usd, campaign_id: id, campaign_name: 'x' })).code,
    ).toBe(40002);
    expect(await ids({ campaign_ids: [id] })).toEqual([]);
    expect(await ids({ campaign_ids: [id], primary_status: 'STATUS_DELETE' })).toEqual([id]);
    expect(await ids({ campaign_ids: [id], primary_status: 'STATUS_ALL' })).toEqual([id]);
    expect(await ids({ campaign_ids: [id], secondary_status: 'CAMPAIGN_STATUS_DELETE' })).toEqual([id]);
    expect(await ids({ campaign_ids: [id], secondary_status: 'CAMPAIGN_STATUS_NOT_DELETE' })).toEqual([]);
  });
});

describe('campaign/get', () => {
  it('lists the newest first, page by page', async () => {
    const made = [await make.campaign(), await make.campaign(), await make.campaign()].toReversed();
    const first = ok(await list({ page_size: 2, fields: ['campaign_id'] }));
    const second = ok(await list({ page_size: 2, page: 2, fields: ['campaign_id'] }));
    expect([...first.list, ...second.list].slice(0, 3).map((row) => row.campaign_id)).toEqual(made);
    expect(first.page_info).toMatchObject({
      page: 1,
      page_size: 2,
      total_page: Math.ceil(first.page_info.total_number / 2),
    });
    expect(ok(await list({ page: 9999 })).list).toEqual([]);
    expect((await list({ page_size: 1001 })).code).toBe(40002);
    expect((await list({ page: 0 })).code).toBe(40002);
  });

  it('filters', async () => {
    const id = await make.campaign({ campaign_name: 'Needle in Hay', objective_type: 'REACH' });
    expect(await ids({ campaign_name: 'needle' })).toEqual([id]);
    expect(await ids({ campaign_ids: [id], objective_type: 'REACH' })).toEqual([id]);
    expect(await ids({ campaign_ids: [id], objective_type: 'TRAFFIC' })).toEqual([]);
    expect(await ids({ campaign_ids: [id], buying_types: ['RESERVATION_RF'] })).toEqual([]);
    expect(await ids({ campaign_ids: [id], primary_status: 'STATUS_DELIVERY_OK' })).toEqual([id]);
    expect(await ids({ campaign_ids: [id], primary_status: 'STATUS_DISABLE' })).toEqual([]);
    expect(await ids({ campaign_ids: [id], split_test_enabled: true })).toEqual([]);
    const at = make.now();
    const stamp = (ms: number) => new Date(at.getTime() + ms).toISOString().slice(0, 19).replace('T', ' ');
    expect(await ids({ campaign_ids: [id], creation_filter_start_time: stamp(-5000) })).toEqual([id]);
    expect(await ids({ campaign_ids: [id], creation_filter_end_time: stamp(-60_000) })).toEqual([]);
  });

  it('hides reservation of the top view unless asked for', async () => {
    const id = await make.campaign({ objective_type: 'TOPVIEW_REACH', budget_mode: undefined });
    expect(await ids({ campaign_ids: [id] })).toEqual([]);
    expect(await ids({ campaign_ids: [id], buying_types: ['RESERVATION_TOP_VIEW'] })).toEqual([id]);
  });

  it.each<[string, Record<string, unknown>]>([
    ['an unknown filter', { filtering: { colour: 'red' } }],
    ['101 ids', { filtering: { campaign_ids: Array.from({ length: 101 }, (_, i) => String(i)) } }],
    ['an unknown field', { fields: ['campaign_id', 'colour'] }],
    ['an unknown field on an empty page', { fields: ['colour'], page: 9999 }],
    ['a filter of time in another form', { filtering: { creation_filter_start_time: '2026-11-22T00:00:00Z' } }],
    ['a status of another level', { filtering: { secondary_status: 'AD_STATUS_AUDIT' } }],
    ['filters that are no JSON', { filtering: '{oops' }],
  ])('refuses %s', async (_what, query) => {
    expect((await list(query)).code).toBe(40002);
  });

  it('leaves out nulls on request', async () => {
    const [row] = ok(await list({ exclude_field_types_in_response: ['NULL_FIELD'], page_size: 1 })).list;
    expect(Object.values(row)).not.toContain(null);
    expect(Object.values(ok(await list({ page_size: 1 })).list[0])).toContain(null);
  });

  it('shows no campaigns of another account', async () => {
    const id = await make.campaign();
    expect(
      ok(await tiktok.get('campaign/get', { advertiser_id: jpy, filtering: { campaign_ids: [id] } })).list,
    ).toEqual([]);
  });
});

describe('sandbox', () => {
  it('has campaigns without secondary_status', async () => {
    const advertiser_id = tiktok.ready.sandbox_advertiser_id;
    const made = await tiktok.post('campaign/create', campaignBody(advertiser_id), { sandbox: true });
    expect(ok(made)).not.toHaveProperty('secondary_status');
    const { list: found } = ok(await tiktok.get('campaign/get', { advertiser_id }, { sandbox: true }));
    expect(found.map((row: { campaign_id: string }) => row.campaign_id)).toContain(made.data.campaign_id);
    for (const row of found) expect(row).not.toHaveProperty('secondary_status');
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adgroupBody, objectsOf, ok, utc } from '../../../../test/support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../../../../test/support/tiktok-simulator.ts';

let tiktok: TestTikTok;
let usd = '';
let jpy = '';
let make: ReturnType<typeof objectsOf>;
let campaign = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  [usd = '', jpy = ''] = tiktok.ready.advertiser_ids;
  make = objectsOf(tiktok, usd);
  campaign = await make.campaign();
});
afterAll(() => tiktok.close());

const later = (ms: number) => utc(new Date(make.now().getTime() + ms));
const HOUR = 3_600_000;
const create = (more: Record<string, unknown>, parent = campaign) =>
  tiktok.post('adgroup/create', adgroupBody(usd, parent, make.now(), more));
const update = (adgroup_id: string, more: Record<string, unknown>) =>
  tiktok.post('adgroup/update', { advertiser_id: usd, adgroup_id, ...more });
const list = (filtering: Record<string, unknown> = {}, query: Record<string, unknown> = {}) =>
  tiktok.get('adgroup/get', { advertiser_id: usd, filtering, page_size: 1000, ...query });
const read = async (id: string) => ok(await list({ adgroup_ids: [id] })).list[0];

describe('adgroup/create', () => {
  it('answers the whole object as adgroup/get does', async () => {
    const made = ok(await create({ operation_status: 'DISABLE', bid_type: 'BID_TYPE_CUSTOM', bid_price: 0.55 }));
    expect(made).toMatchObject({
      advertiser_id: usd,
      campaign_id: campaign,
      campaign_name: 'US – Traffic',
      adgroup_name: 'US 25-44',
      budget: 50,
      scheduled_budget: 0,
      bid_price: 0.55,
      conversion_bid_price: 0,
      deep_cpa_bid: 0,
      deep_bid_type: null,
      age_groups: null,
      pixel_id: null,
      app_id: null,
      frequency: null,
      optimization_event: null,
      interest_category_ids: [],
      languages: [],
      network_types: [],
      audience_ids: [],
      actions: [],
      location_ids: ['6252001'],
      operation_status: 'DISABLE',
      secondary_status: 'ADGROUP_STATUS_CREATE',
      category_id: '0',
      creative_material_mode: 'CUSTOM',
    });
    expect(await read(made.adgroup_id)).toEqual(made);
  });

  it('keeps targeting as it was said', async () => {
    const targeting = {
      age_groups: ['AGE_25_34', 'AGE_35_44'],
      gender: 'GENDER_FEMALE',
      languages: ['en', 'es'],
      interest_category_ids: ['14', '23100'],
      actions: [
        {
          action_scene: 'VIDEO_RELATED',
          action_period: 15,
          video_user_actions: ['LIKED'],
          action_category_ids: ['101'],
        },
      ],
      operating_systems: ['IOS'],
      min_ios_version: '16.0',
      network_types: ['WIFI', '5G'],
      dayparting: '01'.repeat(168),
      location_ids: ['5332921', '5128581'],
    };
    expect(ok(await create(targeting))).toMatchObject(targeting);
  });

  it('automatic placement needs no list and answers one', async () => {
    const made = ok(await create({ placement_type: 'PLACEMENT_TYPE_AUTOMATIC', placements: undefined }));
    expect(made.placements).toContain('PLACEMENT_TIKTOK');
  });

  it('an open schedule ends ten years after its start', async () => {
    const made = ok(
      await create({
        schedule_type: 'SCHEDULE_FROM_NOW',
        schedule_end_time: undefined,
        schedule_start_time: '2026-12-01 00:00:00',
      }),
    );
    expect(made.schedule_end_time).toBe('2036-12-01 00:00:00');
  });

  it('campaign budget optimisation takes the budget away', async () => {
    const parent = await make.campaign({ budget_mode: 'BUDGET_MODE_DAY', budget: 100, budget_optimize_on: true });
    for (const more of [{}, { budget: undefined, budget_mode: undefined }]) {
      expect(ok(await create(more, parent))).toMatchObject({ budget: 0, budget_mode: 'BUDGET_MODE_INFINITE' });
    }
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['no pacing', { pacing: undefined }, /Missing required field\(s\): pacing/],
    ['no budget', { budget: undefined }, /budget/],
    ['no budget mode', { budget_mode: undefined }, /budget_mode/],
    ['an unlimited budget', { budget_mode: 'BUDGET_MODE_INFINITE' }, /budget_mode/],
    ['a budget below the minimum', { budget: 19.99 }, /budget/],
    [
      'a lifetime budget without end',
      { budget_mode: 'BUDGET_MODE_TOTAL', schedule_type: 'SCHEDULE_FROM_NOW' },
      /schedule_type/,
    ],
    ['no promotion type', { promotion_type: undefined }, /promotion_type/],
    ['no place', { location_ids: undefined }, /location_ids/],
    ['a place that is none', { location_ids: ['6252001', '12345'] }, /location_ids.*12345/],
    ['no placements', { placements: undefined }, /placements/],
    ['an interest that is none', { interest_category_ids: ['999999'] }, /interest_category_ids.*999999/],
    ['a language that is none', { languages: ['tlh'] }, /languages.*tlh/],
    ['a goal of another objective', { optimization_goal: 'FOLLOWERS', billing_event: 'OCPM' }, /optimization_goal/],
    ['a billing event of another goal', { billing_event: 'CPV' }, /billing_event/],
    ['a custom bid without price', { bid_type: 'BID_TYPE_CUSTOM' }, /bid_price/],
    ['a return of 0.001', { roas_bid: 0.001 }, /roas_bid/],
    ['an end before the start', { schedule_end_time: '2020-01-01 00:00:00' }, /schedule_end_time/],
    ['no end', { schedule_end_time: undefined }, /schedule_end_time/],
    ['a time with a T', { schedule_start_time: '2026-12-01T00:00:00' }, /schedule_start_time/],
    ['a day that is none', { schedule_start_time: '2026-02-30 00:00:00' }, /schedule_start_time/],
    ['335 half hours', { dayparting: '1'.repeat(335) }, /dayparting/],
    ['a lone frequency', { frequency: 3 }, /frequency_schedule/],
    ['an Android version for iOS', { operating_systems: ['IOS'], min_android_version: '10.0' }, /min_android_version/],
    ['a pixel that is none', { pixel_id: '1' }, /pixel/],
  ])('refuses %s', async (_what, more, message) => {
    const answer = await create(more);
    expect([40002, 40007]).toContain(answer.code);
    expect(answer.message).toMatch(message);
  });

  it('a start may lie twelve hours in the past, not thirteen', async () => {
    expect((await create({ schedule_start_time: later(-11 * HOUR) })).code).toBe(0);
    expect((await create({ schedule_start_time: later(-13 * HOUR) })).message).toMatch(/schedule_start_time/);
  });

  it('minors are not targeted in the United States', async () => {
    expect((await create({ age_groups: ['AGE_13_17'] })).code).toBe(40065);
    expect((await create({ age_groups: ['AGE_13_17'], location_ids: ['5332921'] })).code).toBe(40065);
    expect((await create({ age_groups: ['AGE_13_17'], location_ids: ['1861060'] })).code).toBe(0);
  });

  it('web conversions need a pixel and an event', async () => {
    const parent = await make.campaign({ objective_type: 'WEB_CONVERSIONS' });
    const goal = { optimization_goal: 'CONVERT', billing_event: 'OCPM' };
    expect((await create(goal, parent)).message).toMatch(/pixel_id/);
    const [{ pixel_id }] = ok(await tiktok.get('pixel/list', { advertiser_id: usd })).pixels;
    expect((await create({ ...goal, pixel_id }, parent)).message).toMatch(/optimization_event/);
    const made = ok(
      await create(
        {
          ...goal,
          pixel_id,
          optimization_event: 'ON_WEB_ORDER',
          bid_type: 'BID_TYPE_CUSTOM',
          conversion_bid_price: 12.5,
        },
        parent,
      ),
    );
    expect(made).toMatchObject({ pixel_id, optimization_event: 'ON_WEB_ORDER', conversion_bid_price: 12.5 });
  });

  it('app promotion needs an app of the right system', async () => {
    const parent = await make.campaign({ objective_type: 'APP_PROMOTION', app_promotion_type: 'APP_INSTALL' });
    const goal = { optimization_goal: 'INSTALL', billing_event: 'OCPM', promotion_type: 'APP_IOS' };
    const { apps } = ok(await tiktok.get('app/list', { advertiser_id: usd }));
    const app = (platform: string) => apps.find((row: { platform: string }) => row.platform === platform).app_id;
    expect((await create({ ...goal, promotion_type: 'WEBSITE' }, parent)).message).toMatch(/promotion_type/);
    expect((await create(goal, parent)).message).toMatch(/app_id/);
    expect((await create({ ...goal, app_id: app('ANDROID') }, parent)).message).toMatch(/app_id/);
    expect(ok(await create({ ...goal, app_id: app('IOS') }, parent))).toMatchObject({ app_type: 'APP_IOS' });
  });

  it('needs a campaign of the account that is not deleted', async () => {
    expect((await create({}, '1')).code).toBe(40007);
    expect((await tiktok.post('adgroup/create', adgroupBody(jpy, campaign, make.now(), { budget: 5000 }))).code).toBe(
      40007,
    );
    const gone = await make.campaign();
    ok(
      await tiktok.post('campaign/status/update', {
        advertiser_id: usd,
        campaign_ids: [gone],
        operation_status: 'DELETE',
      }),
    );
    expect((await create({}, gone)).code).toBe(40002);
  });

  it('a request_id works once', async () => {
    ok(await create({ request_id: '77' }));
    expect((await create({ request_id: '77' })).code).toBe(40050);
  });
});

describe('adgroup/update', () => {
  it('changes what is said and nothing else', async () => {
    const id = await make.adgroup({ age_groups: ['AGE_25_34'] }, campaign);
    const before = await read(id);
    tiktok.running.clock.advance(5000);
    const after = ok(await update(id, { adgroup_name: 'New', budget: 75.5, gender: 'GENDER_MALE' }));
    expect(after).toEqual({
      ...before,
      adgroup_name: 'New',
      budget: 75.5,
      gender: 'GENDER_MALE',
      modify_time: after.modify_time,
    });
    expect(after.modify_time > before.modify_time).toBe(true);
  });

  it.each(['campaign_id', 'optimization_goal', 'billing_event', 'placements', 'promotion_type', 'colour'])(
    'refuses %s by name',
    async (name) => {
      const id = await make.adgroup({}, campaign);
      expect(await update(id, { [name]: 'x' })).toMatchObject({ code: 40002, message: expect.stringContaining(name) });
    },
  );

  it('judges what is said', async () => {
    const id = await make.adgroup({}, campaign);
    expect((await update(id, { budget: 1 })).message).toMatch(/budget/);
    expect((await update(id, { location_ids: ['1'] })).message).toMatch(/location_ids/);
    expect((await update(id, { location_ids: [] })).message).toMatch(/location_ids/);
    expect((await update(id, { schedule_end_time: '2020-01-01 00:00:00' })).message).toMatch(/schedule_end_time/);
    expect((await update(id, { age_groups: ['AGE_13_17'] })).code).toBe(40065);
    // The start that it has may pass while it runs.
    tiktok.running.clock.advance(48 * HOUR);
    expect((await update(id, { schedule_end_time: later(400 * 24 * HOUR) })).code).toBe(0);
    expect((await update(id, { schedule_start_time: later(-20 * HOUR) })).message).toMatch(/schedule_start_time/);
  });
});

describe('adgroup/status/update', () => {
  const set = (adgroup_ids: string[], operation_status: string, more = {}) =>
    tiktok.post('adgroup/status/update', { advertiser_id: usd, adgroup_ids, operation_status, ...more });

  it('changes all or none, unless partial success is allowed', async () => {
    const id = await make.adgroup({}, campaign);
    expect((await set([id, '1'], 'DISABLE')).code).toBe(40007);
    expect((await read(id)).operation_status).toBe('ENABLE');
    expect(await set([id, '1'], 'DISABLE', { allow_partial_success: true })).toMatchObject({
      code: 20001,
      data: {
        adgroup_ids: [id],
        status: 'DISABLE',
        error_list: [{ adgroup_id: '1', error_message: expect.any(String) }],
      },
    });
    expect((await read(id)).operation_status).toBe('DISABLE');
    expect(ok(await set([id], 'ENABLE'))).toEqual({ adgroup_ids: [id], status: 'ENABLE', error_list: [] });
  });

  it('what is deleted stays deleted; its ads only follow in their status', async () => {
    const id = await make.adgroup({}, campaign);
    const ad = await make.ad({}, id);
    ok(await set([id], 'DELETE'));
    expect((await set([id], 'ENABLE')).code).toBe(40002);
    expect((await update(id, { adgroup_name: 'x' })).code).toBe(40002);
    const filtering = { ad_ids: [ad], primary_status: 'STATUS_ALL' };
    const { list: ads } = ok(await tiktok.get('ad/get', { advertiser_id: usd, filtering }));
    expect(ads[0]).toMatchObject({ operation_status: 'ENABLE', secondary_status: 'AD_STATUS_ADGROUP_DELETE' });
    expect(ok(await tiktok.get('ad/get', { advertiser_id: usd, filtering: { ad_ids: [ad] } })).list).toEqual([]);
  });
});

describe('adgroup/budget/update', () => {
  const set = (body: Record<string, unknown>) => tiktok.post('adgroup/budget/update', { advertiser_id: usd, ...body });

  it('changes budgets at once', async () => {
    const id = await make.adgroup({}, campaign);
    ok(await set({ budget: [{ adgroup_id: id, budget: 80 }] }));
    expect((await read(id)).budget).toBe(80);
  });

  it('changes budgets on the account’s next day', async () => {
    const id = await make.adgroup({}, campaign);
    ok(await set({ schedule_budget: [{ adgroup_id: id, schedule_budget: 90 }] }));
    expect(await read(id)).toMatchObject({ budget: 50, scheduled_budget: 90 });
    tiktok.running.clock.advance(24 * HOUR);
    expect(await read(id)).toMatchObject({ budget: 90, scheduled_budget: 0 });
    ok(await update(id, { adgroup_name: 'Next day' }));
    expect(await read(id)).toMatchObject({ budget: 90, scheduled_budget: 0 });
    ok(await set({ budget: [{ adgroup_id: id, budget: 60 }] }));
    expect(await read(id)).toMatchObject({ budget: 60, scheduled_budget: 0 });
  });

  it('refuses what has no budget, and too little', async () => {
    const parent = await make.campaign({ budget_mode: 'BUDGET_MODE_DAY', budget: 100, budget_optimize_on: true });
    const id = await make.adgroup({}, parent);
    expect((await set({ budget: [{ adgroup_id: id, budget: 80 }] })).code).toBe(40002);
    expect((await set({ budget: [{ adgroup_id: await make.adgroup({}, campaign), budget: 1 }] })).code).toBe(40002);
    expect((await set({})).code).toBe(40002);
  });
});

describe('adgroup/get and adgroup/quota', () => {
  it('filters', async () => {
    const id = await make.adgroup({ adgroup_name: 'Haystack' }, campaign);
    const found = async (filtering: Record<string, unknown>) =>
      ok(await list(filtering)).list.map((row: { adgroup_id: string }) => row.adgroup_id);
    expect(await found({ adgroup_name: 'haySTACK' })).toEqual([id]);
    expect(await found({ campaign_ids: [campaign] })).toContain(id);
    expect(await found({ adgroup_ids: [id], billing_events: ['CPC'] })).toEqual([id]);
    expect(await found({ adgroup_ids: [id], billing_events: ['CPM'] })).toEqual([]);
    expect(await found({ adgroup_ids: [id], promotion_type: 'APP' })).toEqual([]);
    expect(await found({ adgroup_ids: [id], bid_strategy: 'BID_STRATEGY_LOWEST_COST' })).toEqual([id]);
    expect(await found({ adgroup_ids: [id], objective_type: 'TRAFFIC', optimization_goal: 'CLICK' })).toEqual([id]);
    expect(await found({ adgroup_ids: [id], secondary_status: 'ADGROUP_STATUS_CREATE' })).toEqual([id]);
    expect((await list({ campaign_name: 'x' })).code).toBe(40002);
  });

  it('counts ad groups that are not deleted', async () => {
    const quota = async () => ok(await tiktok.get('adgroup/quota', { advertiser_id: usd }));
    const before = await quota();
    await make.adgroup({}, campaign);
    expect((await quota()).used_adgroup_quota).toBe(before.used_adgroup_quota + 1);
    expect(before.total_adgroup_quota).toBeGreaterThan(before.used_adgroup_quota);
  });
});

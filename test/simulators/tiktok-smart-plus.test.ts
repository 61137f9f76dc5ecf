/**
 * Upgraded Smart+ of the TikTok simulator: its own endpoints against the official documents, and how the same objects
 * show in campaign/get, adgroup/get, ad/get and reports.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithTikTokSpecs } from '../specs/tiktok-yml.ts';
import { objectsOf, ok, utc } from '../support/tiktok-objects.ts';
import { type Envelope, startTikTok, type TestTikTok } from '../support/tiktok-simulator.ts';

type Values = Record<string, unknown>;

let tiktok: TestTikTok;
let advertiser_id = '';
let request = 1_800_000_000_000_000_000n;
const requestId = () => String(request++);
const now = () => tiktok.running.clock.now();
/** Every call that was made, for the official documents to judge. */
const calls: { path: string; body?: Values; query?: Values; answer: Envelope }[] = [];

const post = async (path: string, body: Values) => {
  const answer = await tiktok.post(path, { advertiser_id, ...body });
  calls.push({ path, body: { advertiser_id, ...body }, answer });
  return answer;
};
const get = async (path: string, query: Values) => {
  const answer = await tiktok.get(path, { advertiser_id, ...query });
  calls.push({ path, query: { advertiser_id, ...query }, answer });
  return answer;
};

const campaignBody = (more: Values = {}): Values => ({
  request_id: requestId(),
  campaign_name: 'Smart sales',
  objective_type: 'WEB_CONVERSIONS',
  sales_destination: 'WEBSITE',
  budget_mode: 'BUDGET_MODE_DYNAMIC_DAILY_BUDGET',
  budget: 200,
  ...more,
});
const adgroupBody = async (campaign_id: string, more: Values = {}): Promise<Values> => {
  const { pixels } = ok(await tiktok.get('pixel/list', { advertiser_id }));
  return {
    request_id: requestId(),
    campaign_id,
    adgroup_name: 'Smart US',
    promotion_type: 'WEBSITE',
    optimization_goal: 'CONVERT',
    optimization_event: 'SHOPPING',
    pixel_id: pixels[0].pixel_id,
    billing_event: 'OCPM',
    schedule_type: 'SCHEDULE_FROM_NOW',
    schedule_start_time: utc(now()),
    targeting_spec: { location_ids: ['6252001'], age_groups: ['AGE_25_34'] },
    ...more,
  };
};
const creative = async (more: Values = {}): Promise<Values> => {
  const make = objectsOf(tiktok, advertiser_id);
  const { identity_id } = await make.identity();
  return {
    creative_info: {
      ad_format: 'SINGLE_VIDEO',
      identity_type: 'TT_USER',
      identity_id,
      video_info: { video_id: await make.video(), file_name: 'clip.mp4' },
      image_info: [{ web_uri: await make.image() }],
      ...more,
    },
  };
};
const adBody = async (adgroup_id: string, more: Values = {}): Promise<Values> => ({
  adgroup_id,
  ad_name: 'Smart ad',
  creative_list: [await creative(), await creative()],
  ad_text_list: [{ ad_text: 'Fresh looks' }, { ad_text: 'New season' }],
  call_to_action_list: [{ call_to_action: 'SHOP_NOW' }],
  landing_page_url_list: [{ landing_page_url: 'https://acme.test/shop' }],
  ...more,
});

let campaign = '';
let adgroup = '';
let ad: Values & { smart_plus_ad_id: string; creative_list: (Values & { ad_material_id: string })[] };

beforeAll(async () => {
  tiktok = await startTikTok();
  advertiser_id = tiktok.ready.advertiser_ids[0]!;
  campaign = ok(await post('smart_plus/campaign/create', campaignBody())).campaign_id;
  adgroup = ok(await post('smart_plus/adgroup/create', await adgroupBody(campaign))).adgroup_id;
  ad = ok(await post('smart_plus/ad/create', await adBody(adgroup)));
});
afterAll(() => tiktok.close());

describe('smart_plus/*', () => {
  it('needs a request_id and suppresses duplicates', async () => {
    const { request_id, ...without } = campaignBody();
    expect(await post('smart_plus/campaign/create', without)).toMatchObject({ code: 40002, message: /request_id/ });
    ok(await post('smart_plus/campaign/create', { request_id, ...without }));
    expect((await post('smart_plus/campaign/create', { request_id, ...without })).code).toBe(40050);
  });

  it('answers the objects without nulls, targeting below targeting_spec', async () => {
    const [row] = ok(await get('smart_plus/campaign/get', { filtering: { campaign_ids: [campaign] } })).list;
    expect(row).toMatchObject({ budget_optimize_on: true, budget: 200, secondary_status: 'CAMPAIGN_STATUS_ENABLE' });
    expect(Object.values(row)).not.toContain(null);
    const [group] = ok(await get('smart_plus/adgroup/get', { filtering: { adgroup_ids: [adgroup] } })).list;
    expect(group).toMatchObject({ targeting_spec: { location_ids: ['6252001'] }, campaign_name: 'Smart sales' });
    expect(group).not.toHaveProperty('location_ids');
    const found = ok(await get('smart_plus/ad/get', { filtering: { smart_plus_ad_ids: [ad.smart_plus_ad_id] } }));
    expect(found.list).toEqual([{ ...ad, secondary_status: found.list[0].secondary_status }]);
    expect(JSON.stringify(found)).not.toContain('_creative_id');
    const manual = await objectsOf(tiktok, advertiser_id).campaign();
    expect(ok(await get('smart_plus/campaign/get', { filtering: { campaign_ids: [manual] } })).list).toEqual([]);
  });

  it('lists what could not be changed beside what could', async () => {
    const one = ok(await post('smart_plus/campaign/create', campaignBody())).campaign_id;
    const manual = await objectsOf(tiktok, advertiser_id).campaign();
    const data = ok(
      await post('smart_plus/campaign/status/update', { campaign_ids: [one, manual], operation_status: 'DISABLE' }),
    );
    expect(data.campaign_list).toEqual([{ campaign_id: one, status: 'DISABLE' }]);
    expect(data.error_list).toMatchObject([{ campaign_id: manual }]);
    ok(await post('smart_plus/campaign/update', { campaign_id: one, campaign_name: 'Renamed', budget: 300 }));
    const [row] = ok(await get('smart_plus/campaign/get', { filtering: { campaign_ids: [one] } })).list;
    expect(row).toMatchObject({ campaign_name: 'Renamed', budget: 300, operation_status: 'DISABLE' });
  });

  it('takes budgets at the ad group when the campaign has none', async () => {
    const free = { budget_optimize_on: false, budget: undefined, budget_mode: undefined };
    const open = ok(await post('smart_plus/campaign/create', campaignBody(free))).campaign_id;
    const body = await adgroupBody(open);
    expect((await post('smart_plus/adgroup/create', body)).message).toMatch(/budget_mode/);
    const group = ok(
      await post('smart_plus/adgroup/create', { ...body, budget_mode: 'BUDGET_MODE_DAY', budget: 40 }),
    ).adgroup_id;
    ok(await post('smart_plus/adgroup/budget/update', { budget: [{ adgroup_id: group, budget: 55 }] }));
    ok(await post('smart_plus/adgroup/update', { adgroup_id: group, targeting_spec: { location_ids: ['1861060'] } }));
    const [row] = ok(await get('smart_plus/adgroup/get', { filtering: { adgroup_ids: [group] } })).list;
    expect(row).toMatchObject({ budget: 55, targeting_spec: { location_ids: ['1861060'] } });
    const [flat] = ok(await get('adgroup/get', { filtering: { adgroup_ids: [group] } })).list;
    expect(flat).toMatchObject({ location_ids: ['1861060'], campaign_automation_type: 'UPGRADED_SMART_PLUS' });
  });

  it('keeps ids of creatives that an update keeps, switches one off, and reviews each', async () => {
    const made = ok(await post('smart_plus/ad/create', await adBody(adgroup, { ad_name: 'Changing' })));
    const [kept, dropped] = made.creative_list;
    const bad = await creative({ material_name: 'claims [reject]' });
    const after = ok(
      await post('smart_plus/ad/update', {
        smart_plus_ad_id: made.smart_plus_ad_id,
        creative_list: [{ creative_info: kept.creative_info }, bad],
      }),
    );
    expect(after.creative_list[0].ad_material_id).toBe(kept.ad_material_id);
    const ids = after.creative_list.map((one: Values) => one['ad_material_id']);
    expect(ids).not.toContain(dropped.ad_material_id);
    const review = async () =>
      ok(
        await get('smart_plus/ad/review_info', {
          smart_plus_ad_ids: [made.smart_plus_ad_id],
          extra_info_setting: { include_reject_info: true },
        }),
      );
    expect((await review()).smart_plus_ad_review_infos[0].review_status).toBe('IN_REVIEW');
    tiktok.running.clock.advance(600_000);
    expect((await review()).material_review_infos.map((one: Values) => one['review_status'])).toEqual([
      'ALL_AVAILABLE',
      'UNAVAILABLE',
    ]);
    const status = async () =>
      ok(await get('smart_plus/ad/get', { filtering: { smart_plus_ad_ids: [made.smart_plus_ad_id] } })).list[0]
        .secondary_status;
    expect(await status()).toBe('AD_STATUS_REVIEW_PARTIALLY_APPROVED');
    ok(await get('smart_plus/material/review_info', { ad_material_ids: ids }));
    ok(await post('smart_plus/ad/appeal', { smart_plus_ad_id: made.smart_plus_ad_id, appeal_reason: 'It is true' }));
    expect((await review()).smart_plus_ad_review_infos[0].appeal_status).toBe('APPEALING');
    const off = { smart_plus_ad_id: made.smart_plus_ad_id, ad_material_ids: [ids[1]], operation_status: 'DISABLE' };
    ok(await post('smart_plus/ad/material_status/update', off));
    expect(await status()).toBe('AD_STATUS_DELIVERY_OK');
    const { list } = ok(await get('ad/get', { filtering: { adgroup_ids: [adgroup], primary_status: 'STATUS_ALL' } }));
    const states = list
      .filter((row: Values) => row['smart_plus_ad_id'] === made.smart_plus_ad_id)
      .map((row: Values) => row['secondary_status']);
    expect(states.sort()).toEqual(['MATERIAL_DELETE', 'MATERIAL_DELIVERY_OK', 'MATERIAL_DISABLE']);
    ok(
      await post('smart_plus/ad/status/update', {
        smart_plus_ad_ids: [made.smart_plus_ad_id],
        operation_status: 'DELETE',
      }),
    );
    expect(await get('smart_plus/ad/get', {}).then((answer) => JSON.stringify(ok(answer)))).not.toContain('Changing');
  });

  it('takes one write per ad in five seconds', async () => {
    await tiktok.control('PATCH', '/settings', { limits: 'on' });
    try {
      const rename = () => post('smart_plus/ad/update', { smart_plus_ad_id: ad.smart_plus_ad_id, ad_name: 'Renamed' });
      tiktok.running.clock.advance(6_000);
      ok(await rename());
      expect((await rename()).code).toBe(40202);
      tiktok.running.clock.advance(5_000);
      ok(await rename());
    } finally {
      await tiktok.control('PATCH', '/settings', { limits: 'off' });
    }
  });
});

describe('the other reads', () => {
  it('show campaigns and ad groups of both kinds, and creatives in place of Smart+ ads', async () => {
    const [row] = ok(await get('campaign/get', { filtering: { campaign_ids: [campaign] } })).list;
    expect(row.campaign_automation_type).toBe('UPGRADED_SMART_PLUS');
    const [group] = ok(await get('adgroup/get', { filtering: { adgroup_ids: [adgroup] } })).list;
    expect(group).toMatchObject({ campaign_automation_type: 'UPGRADED_SMART_PLUS', location_ids: ['6252001'] });
    expect(group.creative_material_mode).toBe(null);
    const creatives = ok(await get('ad/get', { filtering: { adgroup_ids: [adgroup] } })).list;
    expect(creatives).toHaveLength(2);
    for (const one of creatives) {
      expect(one).toMatchObject({
        smart_plus_ad_id: ad.smart_plus_ad_id,
        campaign_automation_type: 'UPGRADED_SMART_PLUS_CREATIVE',
        modify_time: null,
      });
      expect(one.ad_id).not.toBe(ad.smart_plus_ad_id);
    }
    const whole = ok(await get('ad/get', { filtering: { ad_ids_v2: [ad.smart_plus_ad_id, creatives[0].ad_id] } })).list;
    expect(whole).toHaveLength(1);
    expect(whole[0]).toMatchObject({ ad_id_v2: ad.smart_plus_ad_id, campaign_automation_type: 'UPGRADED_SMART_PLUS' });
  });

  it('refuse to change what Smart+ made', async () => {
    const refused = { code: 40002, message: /smart_plus/ };
    expect(await post('campaign/update', { campaign_id: campaign, campaign_name: 'x' })).toMatchObject(refused);
    const off = { operation_status: 'DISABLE' };
    expect(await post('campaign/status/update', { campaign_ids: [campaign], ...off })).toMatchObject(refused);
    expect(await post('adgroup/status/update', { adgroup_ids: [adgroup], ...off })).toMatchObject(refused);
    const [one] = ok(await get('ad/get', { filtering: { adgroup_ids: [adgroup] } })).list;
    expect(await post('ad/status/update', { ad_ids: [one.ad_id], ...off })).toMatchObject(refused);
  });

  it('report Smart+ ads by ad_id_v2 and their creatives by ad_id, with the same sums', async () => {
    tiktok.running.clock.advance(3 * 86_400_000);
    const day = (at: Date) => at.toISOString().slice(0, 10);
    const report = async (id: string) => {
      const query = {
        report_type: 'BASIC',
        data_level: 'AUCTION_AD',
        dimensions: [id, 'stat_time_day'],
        metrics: ['spend', 'impressions', 'ad_name', 'campaign_automation_type'],
        start_date: day(new Date(now().getTime() - 6 * 86_400_000)),
        end_date: day(now()),
        page_size: 1000,
        filtering: [{ field_name: 'campaign_ids', filter_type: 'IN', filter_value: JSON.stringify([campaign]) }],
      };
      return ok(await get('report/integrated/get', query)).list as { dimensions: Values; metrics: Values }[];
    };
    const sum = (rows: { metrics: Values }[]) => rows.reduce((all, row) => all + Number(row.metrics['spend']), 0);
    const creatives = await report('ad_id');
    const ads = await report('ad_id_v2');
    expect(new Set(creatives.map((row) => row.dimensions['ad_id'])).size).toBe(2);
    expect(new Set(ads.map((row) => row.dimensions['ad_id_v2']))).toEqual(new Set([ad.smart_plus_ad_id]));
    expect(sum(ads)).toBeGreaterThan(0);
    expect(sum(ads)).toBeCloseTo(sum(creatives), 2);
    expect(ads[0]!.metrics['campaign_automation_type']).toBe('UPGRADED_SMART_PLUS');
  });
});

describeWithTikTokSpecs('official documents of Smart+', (specs) => {
  it('find nothing wrong with any answer above, nor with a request that was taken', () => {
    const judged = calls.filter(({ path }) => path.startsWith('smart_plus/') && specs.operation(path));
    expect(judged.length).toBeGreaterThan(20);
    for (const { path, body, query, answer } of judged) {
      const operation = specs.operation(path)!;
      expect([path, operation.checkAnswer(answer)]).toEqual([path, []]);
      if (answer.code !== 0) continue;
      const texts = (values: Values) =>
        Object.fromEntries(
          Object.entries(values).map(([name, value]) => [
            name,
            typeof value === 'string' ? value : JSON.stringify(value),
          ]),
        );
      const said = body && Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
      const wrong = said ? operation.checkBody(JSON.parse(JSON.stringify(said))) : operation.checkQuery(texts(query!));
      // Members that only the newer reference has.
      expect([path, wrong.filter((text) => !/material_name/.test(text))]).toEqual([path, []]);
    }
  });
});

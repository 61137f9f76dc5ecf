/** An account that mixes manual, legacy and Upgraded Smart+ objects: nothing is lost or doubled in lists and reports. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithTikTokSpecs } from '../specs/tiktok-yml.ts';
import { ok } from '../support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../support/tiktok-simulator.ts';

type Values = Record<string, string>;

let tiktok: TestTikTok;
let advertiser_id = '';
let from = '';
let to = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  ({ advertiser_id } = (await tiktok.control('POST', '/seed', { smart_plus: true })).smart_plus);
  const day = (ago: number) =>
    new Date(tiktok.running.clock.now().getTime() - ago * 86_400_000).toISOString().slice(0, 10);
  from = day(20);
  to = day(1);
});
afterAll(() => tiktok.close());

const ids = async (path: string, id: string, filtering: Record<string, unknown>) =>
  ok(await tiktok.get(path, { advertiser_id, filtering, page_size: 1000 })).list.map(
    (row: Values) => row[id],
  ) as string[];

const flat = (kinds: Record<string, { live: string[]; deleted: string[] }>, which: ('live' | 'deleted')[]) =>
  Object.values(kinds)
    .flatMap((kind) => which.flatMap((one) => kind[one]))
    .sort();

const report = async (level: string, id: string, all: boolean) => {
  const filtering = ['campaign', 'adgroup', 'ad'].map((one) => ({
    field_name: `${one}_status`,
    filter_type: 'IN',
    filter_value: '["STATUS_ALL"]',
  }));
  const query = {
    advertiser_id,
    report_type: 'BASIC',
    data_level: `AUCTION_${level}`,
    dimensions: [id],
    metrics: ['spend', 'impressions', 'conversion'],
    start_date: from,
    end_date: to,
    page_size: 1000,
    ...(all ? { filtering: filtering.slice(0, ['CAMPAIGN', 'ADGROUP', 'AD'].indexOf(level) + 1) } : {}),
  };
  const rows = ok(await tiktok.get('report/integrated/get', query)).list as { dimensions: Values; metrics: Values }[];
  return new Map(rows.map((row) => [row.dimensions[id]!, row.metrics]));
};

describe('a mixed account', () => {
  it('lists every object once, by what it is', async () => {
    const objects = await tiktok.control('GET', `/objects?advertiser_id=${advertiser_id}`);
    for (const [path, id, kinds] of [
      ['campaign/get', 'campaign_id', objects.campaigns],
      ['adgroup/get', 'adgroup_id', objects.adgroups],
      ['ad/get', 'ad_id', objects.ads],
    ] as const) {
      const kindsThere = Object.keys(kinds);
      expect(kindsThere.length).toBe(3);
      for (const kind of kindsThere) expect(kinds[kind].deleted.length).toBeGreaterThan(0);
      expect((await ids(path, id, {})).sort()).toEqual(flat(kinds, ['live']));
      expect((await ids(path, id, { primary_status: 'STATUS_ALL' })).sort()).toEqual(flat(kinds, ['live', 'deleted']));
    }
    const smart = objects.ads_v2['UPGRADED_SMART_PLUS'];
    const list = async (filtering: Record<string, unknown>) =>
      ok(await tiktok.get('smart_plus/ad/get', { advertiser_id, filtering, page_size: 100 })).list.map(
        (row: Values) => row['smart_plus_ad_id'],
      );
    expect((await list({})).sort()).toEqual(smart.live.sort());
    expect(await list({ primary_status: 'STATUS_ALL' })).toHaveLength(smart.live.length + smart.deleted.length);
  });

  it('reports the same sums at every level, creatives and Smart+ ads alike', async () => {
    const range = `advertiser_id=${advertiser_id}&start_date=${from}&end_date=${to}`;
    for (const [level, id, ledgerLevel] of [
      ['CAMPAIGN', 'campaign_id', 'campaign'],
      ['ADGROUP', 'adgroup_id', 'adgroup'],
      ['AD', 'ad_id', 'ad'],
      ['AD', 'ad_id_v2', 'ad_v2'],
    ] as const) {
      const { rows, totals } = await tiktok.control('GET', `/ledger?${range}&level=${ledgerLevel}`);
      expect(totals.spend).toBeGreaterThan(0);
      const got = await report(level, id, true);
      for (const row of rows) {
        expect([row.id, Number(got.get(row.id)?.['spend']), Number(got.get(row.id)?.['impressions'])]).toEqual([
          row.id,
          row.spend,
          row.impressions,
        ]);
        expect(Number(got.get(row.id)?.['conversion'])).toBe(row.conversion);
      }
      // Objects without delivery may be there, too, with zeros.
      expect([...got.values()].reduce((sum, row) => sum + Number(row['impressions']), 0)).toBe(totals.impressions);
    }
    // What was deleted delivered before, and is missing by default.
    const whole = await report('AD', 'ad_id_v2', true);
    const live = await report('AD', 'ad_id_v2', false);
    expect(live.size).toBeLessThan(whole.size);
  });
});

describe('smart_plus/material_report', () => {
  const read = async (path: string, query: Record<string, unknown>) => {
    const rows: { info: Values; metrics: Values }[] = [];
    for (let page = 1, pages = 1; page <= pages; page++) {
      const asked = { advertiser_id, start_date: from, end_date: to, page, page_size: 100, ...query };
      const data = ok(await tiktok.get(`smart_plus/material_report/${path}`, asked));
      rows.push(...data.list);
      pages = data.page_info.total_page;
    }
    return rows;
  };
  const sum = (rows: { metrics: Values }[]) => rows.reduce((all, row) => all + Number(row.metrics['impressions']), 0);

  it('adds up to the ledger of the creatives, by material, by text, by day', async () => {
    const range = `advertiser_id=${advertiser_id}&start_date=${from}&end_date=${to}`;
    const { rows } = await tiktok.control('GET', `/ledger?${range}&level=ad_v2`);
    const objects = await tiktok.control('GET', `/objects?advertiser_id=${advertiser_id}`);
    const smart = objects.ads_v2['UPGRADED_SMART_PLUS'];
    const own = new Set([...smart.live, ...smart.deleted]);
    const expected = rows
      .filter((row: { id: string }) => own.has(row.id))
      .reduce((all: number, row: { impressions: number }) => all + row.impressions, 0);
    expect(expected).toBeGreaterThan(0);
    const materials = await read('overview', { dimensions: ['smart_plus_ad_id', 'main_material_id'] });
    expect(sum(materials)).toBe(expected);
    expect(materials[0]!.info['main_material_type']).toBe('VIDEO_NON_SPARK_ADS');
    expect(new Set(materials.map((row) => row.info['main_material_id'])).size).toBe(materials.length);
    const texts = await read('overview', { dimensions: ['campaign_id', 'ad_text_entity_id'] });
    expect(sum(texts)).toBe(expected);
    expect(sum(await read('breakdown', { dimensions: ['main_material_id', 'stat_time_day'] }))).toBe(expected);
    const [first] = materials;
    const filtering = { smart_plus_ad_ids: [first!.info['smart_plus_ad_id']] };
    const one = await read('overview', { dimensions: ['smart_plus_ad_id', 'main_material_id'], filtering });
    expect(one.length).toBeLessThan(materials.length);
    expect(new Set(one.map((row) => row.info['smart_plus_ad_id']))).toEqual(new Set(filtering.smart_plus_ad_ids));
  });

  it('refuses what it does not know', async () => {
    const query = { advertiser_id, start_date: from, end_date: to, dimensions: ['campaign_id', 'main_material_id'] };
    const get = (more: object) => tiktok.get('smart_plus/material_report/overview', { ...query, ...more });
    expect((await get({ metrics: ['nonsense'] })).code).toBe(40002);
    expect((await get({ dimensions: ['campaign_id'] })).code).toBe(40002);
    expect((await get({ start_date: undefined })).message).toMatch(/start_date/);
    ok(await get({ query_lifetime: true, start_date: undefined, end_date: undefined }));
  });
});

describeWithTikTokSpecs('official documents of the material report', (specs) => {
  it('fit its answers', async () => {
    const query = { advertiser_id, dimensions: ['campaign_id', 'main_material_id'], start_date: from, end_date: to };
    const path = 'smart_plus/material_report/overview';
    expect(specs.operation(path)!.checkAnswer(await tiktok.get(path, query))).toEqual([]);
  });
});

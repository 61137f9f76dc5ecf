/** Hours, days on which clocks change, channels, TikTok's other reports, and what may still change. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDecimals } from '../../src/core/model/decimal.ts';
import { type Json, startTestApp, type TestApp } from '../support/app.ts';
import type { TikTokReady } from '../support/tiktok-simulator.ts';
import { daysAgo, totals } from './support.ts';

let polyad: TestApp;
let connection: string;
let organization: string;
const report = async (query: Record<string, string>): Promise<Json[]> =>
  polyad.ok('GET', `/ads/${connection}/report?${new URLSearchParams({ org_id: organization, ...query })}`);
const refused = async (query: Record<string, string>): Promise<Json> =>
  (await polyad.call('GET', `/ads/${connection}/report?${new URLSearchParams({ org_id: organization, ...query })}`))
    .body;
const HOUR = 3_600_000;

beforeAll(async () => {
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual' });
  const ready = polyad.simulator.ready as unknown as TikTokReady;
  organization = ready.advertiser_ids[0] as string;
  connection = (await polyad.connect()).get('id') as string;
  await polyad.control('POST', '/seed', { volume: 300, advertiser_id: organization });
}, 60_000);
afterAll(() => polyad.close());

describe('hours', () => {
  it('add up to their days, each asked for by itself', async () => {
    const days = { level: 'ad', start_gte: daysAgo(polyad, 12), end_lt: daysAgo(polyad, 9), type: 'COST,CLICKS' };
    const daily = await report({ ...days, dimension: 'DATE' });
    await polyad.clearLog();
    const hourly = await report({ ...days, dimension: 'DATE,HOUR' });
    expect(totals(hourly)).toEqual(totals(daily));
    const sums: Record<string, string> = {};
    for (const { metrics } of hourly)
      for (const { type, value, dimension, dimension_value } of metrics) {
        expect(dimension).toBe('DATE,HOUR');
        const [day, hour] = dimension_value.split(',');
        expect(hour).toMatch(new RegExp(`^${day}T\\d\\d:00$`));
        if (type === 'COST') sums[day] = addDecimals(sums[day] ?? '0', String(value));
      }
    const own: Record<string, string> = {};
    for (const { metrics } of daily)
      for (const { type, value, dimension_value: day } of metrics)
        if (type === 'COST') own[day] = addDecimals(own[day] ?? '0', String(value));
    expect(sums).toEqual(own);
    const asked = (await polyad.requests('report/integrated/get')).map(({ query }) => [
      query['start_date'],
      query['end_date'],
    ]);
    expect(asked.length).toBeGreaterThanOrEqual(3);
    for (const [start, end] of asked) expect(start).toBe(end);
  });

  it('of a day on which clocks are put back or forward lie in a window of 25 or 23 hours', async () => {
    for (const [day, next, hours] of [
      ['2026-11-01', '2026-11-02', 25],
      ['2026-03-08', '2026-03-09', 23],
      ['2026-11-02', '2026-11-03', 24],
    ] as const) {
      const rows = await report({
        level: 'organization',
        start_gte: day,
        end_lt: next,
        type: 'COST',
        dimension: 'HOUR',
      });
      for (const { start_at, end_at } of rows)
        expect([day, Date.parse(end_at) - Date.parse(start_at)]).toEqual([day, hours * HOUR]);
      const seen = rows.flatMap(({ metrics }) => metrics.map((one: Json) => one.dimension_value));
      expect(new Set(seen).size).toBe(seen.length);
      for (const value of seen) expect(value.slice(0, 10)).toBe(day);
      if (hours !== 23) expect(rows.length).toBe(1);
    }
  });
});

describe('channels', () => {
  it.each(['organization', 'campaign', 'group', 'ad'])(
    'add up to the whole by %s, and to the ledger',
    async (level) => {
      const days = { start_gte: daysAgo(polyad, 100), end_lt: daysAgo(polyad, 2) };
      const names = ['WEB', 'APP', 'SHOP', 'OFFLINE'].flatMap((channel) => [
        `${channel}_PURCHASES`,
        `${channel}_PURCHASE_VALUE`,
      ]);
      const found = totals(
        await report({ ...days, level, type: [...names, 'PURCHASES', 'CONVERSION_VALUE'].join(',') }),
      );
      const sum = (ending: string): string =>
        names
          .filter((name) => name.endsWith(ending))
          .reduce((all, name) => addDecimals(all, found[name] as string), '0');
      expect(found['PURCHASES']).toBe(sum('_PURCHASES'));
      expect(found['CONVERSION_VALUE']).toBe(sum('_VALUE'));
      const { totals: ledger } = await polyad.control(
        'GET',
        `/ledger?advertiser_id=${organization}&start_date=${days.start_gte}&end_date=${daysAgo(polyad, 3)}`,
      );
      expect(Number(found['WEB_PURCHASES'])).toBe(ledger.complete_payment);
      expect(Number(found['WEB_PURCHASE_VALUE'])).toBe(ledger.total_complete_payment_rate);
      expect(Number(found['APP_PURCHASES'])).toBe(ledger.total_purchase);
      expect(Number(found['APP_PURCHASE_VALUE'])).toBe(ledger.total_purchase_value);
      expect(Number(found['SHOP_PURCHASES'])).toBe(ledger.onsite_shopping);
      expect(Number(found['SHOP_PURCHASE_VALUE'])).toBe(ledger.total_onsite_shopping_value);
      expect(Number(found['OFFLINE_PURCHASES'])).toBe(ledger.offline_shopping_events);
      expect(Number(found['OFFLINE_PURCHASE_VALUE'])).toBe(ledger.offline_shopping_events_value);
      expect(Number(found['APP_PURCHASE_VALUE']) + Number(found['SHOP_PURCHASE_VALUE'])).toBeGreaterThan(0);
    },
  );
});

describe('provisional numbers', () => {
  it('are marked by day, and final ones are not', async () => {
    const [row] = await report({
      level: 'organization',
      start_gte: daysAgo(polyad, 40),
      dimension: 'DATE',
      type: 'COST',
    });
    expect(row).toMatchObject({ final: false, provisional_from: expect.any(String) });
    const marked = row.metrics.map((one: Json) => [one.dimension_value >= row.provisional_from, one.final]);
    expect(marked).toContainEqual([true, false]);
    expect(marked).toContainEqual([false, undefined]);
    for (const [late, final] of marked) expect(final).toBe(late ? false : undefined);
    const old = { start_gte: daysAgo(polyad, 60), end_lt: daysAgo(polyad, 40) };
    const [closed] = await report({ ...old, level: 'organization', type: 'COST' });
    expect(closed.final).toBe(true);
    expect(closed.provisional_from).toBeUndefined();
  });
});

describe('other reports', () => {
  const days = (): Record<string, string> => ({ start_gte: daysAgo(polyad, 20), end_lt: daysAgo(polyad, 2) });

  it.each(['AGE', 'GENDER', 'LANGUAGE', 'REGION', 'NETWORK', 'INTEREST'])(
    'by %s are asked of the audience report and add up',
    async (dimension) => {
      const whole = await report({ ...days(), level: 'campaign', type: 'IMPRESSIONS' });
      await polyad.clearLog();
      const parts = await report({ ...days(), level: 'campaign', type: 'IMPRESSIONS', dimension });
      expect(totals(parts)).toEqual(totals(whole));
      const [sent] = await polyad.requests('report/integrated/get');
      expect(sent?.query['report_type']).toBe('AUDIENCE');
    },
  );

  it('by COUNTRY, POST, VIDEO are basic ones', async () => {
    for (const dimension of ['COUNTRY', 'POST', 'VIDEO']) {
      await polyad.clearLog();
      await report({ ...days(), level: 'ad', type: 'IMPRESSIONS', dimension });
      const [sent] = await polyad.requests('report/integrated/get');
      expect([dimension, sent?.query['report_type']]).toEqual([dimension, 'BASIC']);
    }
  });

  it('of playable and catalog ads have types of their own', async () => {
    for (const [dimension, level, type] of [
      ['PLAYABLE', 'organization', 'PLAYABLE_MATERIAL'],
      ['CATALOG', 'campaign', 'CATALOG'],
    ] as const) {
      await polyad.clearLog();
      await report({ ...days(), level, type: 'COST', dimension });
      const [sent] = await polyad.requests('report/integrated/get');
      expect(sent?.query['report_type']).toBe(type);
    }
    expect(await refused({ ...days(), level: 'ad', type: 'COST', dimension: 'PLAYABLE' })).toMatchObject({
      code: 'input_value_unsupported',
      message: expect.stringContaining('level=organization'),
    });
  });

  it('that TikTok does not have are refused by name before anything is sent', async () => {
    await polyad.clearLog();
    for (const dimension of ['AGE,POST', 'PRODUCT', 'MATERIAL,COUNTRY'])
      expect(await refused({ ...days(), level: 'campaign', type: 'COST', dimension })).toMatchObject({
        code: 'input_value_unsupported',
      });
    const gmv = { ...days(), raw: 'store_ids=7001' };
    expect(await refused({ ...gmv, level: 'ad', type: 'COST' })).toMatchObject({ code: 'input_value_unsupported' });
    expect(await refused({ ...gmv, level: 'campaign', type: 'COST,LIKES' })).toMatchObject({
      code: 'input_value_unsupported',
    });
    expect(await refused({ ...days(), raw: 'store_ids=a', level: 'campaign', type: 'COST' })).toMatchObject({
      code: 'input_value_invalid',
    });
    expect(await polyad.requests('report')).toEqual([]);
  });

  it('of GMV Max come by store, as TikTok’s documents ask for them', async () => {
    const ready = polyad.simulator.ready as unknown as TikTokReady;
    const native = await fetch(
      `${polyad.simulator.url}/open_api/v1.3/gmv_max/store/list/?advertiser_id=${organization}`,
      { headers: { 'Access-Token': ready.access_token } },
    );
    const [store] = ((await native.json()) as Json).data.store_list;
    await polyad.clearLog();
    const query = {
      ...days(),
      raw: `store_ids=${store.store_id}`,
      type: 'COST,SHOP_PURCHASES,SHOP_PURCHASE_VALUE,ROAS',
    };
    for (const level of ['organization', 'campaign'])
      for (const dimension of ['DATE', 'DATE,PRODUCT_GROUP']) await report({ ...query, level, dimension });
    const sent = await polyad.requests('gmv_max/report/get');
    expect(sent.length).toBe(4);
    for (const { code, query: asked } of sent) {
      expect(code).toBe(0);
      expect(JSON.parse(String(asked['metrics']))).toEqual(expect.arrayContaining(['cost', 'orders', 'gross_revenue']));
    }
  });

  it('of Smart+ materials come by object, and by day for the ad account as a whole', async () => {
    await polyad.control('POST', '/seed', { smart_plus: true, advertiser_id: organization });
    const all = await report({ ...days(), level: 'organization', type: 'COST', dimension: 'MATERIAL' });
    const byDay = await report({ ...days(), level: 'organization', type: 'COST', dimension: 'DATE,MATERIAL' });
    expect(all.flatMap(({ metrics }) => metrics).length).toBeGreaterThan(0);
    expect(totals(byDay)).toEqual(totals(all));
    expect(await refused({ ...days(), level: 'ad', type: 'COST', dimension: 'DATE,MATERIAL' })).toMatchObject({
      code: 'input_value_unsupported',
    });
  });
});

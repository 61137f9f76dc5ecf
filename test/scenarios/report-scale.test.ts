/** 25,000 ads, some deleted, 90 days, day by day: every level adds up to what the ad account says it spent. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDecimals } from '../../src/core/model/decimal.ts';
import { type Json, startTestApp, type TestApp } from '../support/app.ts';
import type { TikTokReady } from '../support/tiktok-simulator.ts';

const DAY = 86_400_000;
const ADS = 25_000;

let polyad: TestApp;
let ready: TikTokReady;
let connection: string;
beforeAll(async () => {
  // Limits stay on: our pacing must bring a report of this size home without one refusal.
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual', limits: 'on' });
  ready = polyad.simulator.ready as unknown as TikTokReady;
  connection = (await polyad.connect()).get('id') as string;
});
afterAll(() => polyad.close());

/** Day -> exact sum of one metric, and how many objects have a number. */
function sums(reports: Json[], metric: string): { total: string; days: Map<string, string>; objects: number } {
  const days = new Map<string, string>();
  let total = '0';
  for (const { metrics } of reports)
    for (const { type, value, dimension_value: day } of metrics) {
      if (type !== metric) continue;
      // Amounts have at most three decimals, so their text is exact.
      const text = String(value);
      days.set(day, addDecimals(days.get(day) ?? '0', text));
      total = addDecimals(total, text);
    }
  return { total, days: new Map([...days].sort()), objects: reports.length };
}

/** One native query, as any client of TikTok would make it. */
async function native(advertiser: string, query: Record<string, unknown>): Promise<{ headers: Headers; data: Json }> {
  const search = new URLSearchParams({ advertiser_id: advertiser, report_type: 'BASIC' });
  for (const [name, value] of Object.entries(query))
    search.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  const answer = await fetch(`${polyad.simulator.url}/open_api/v1.3/report/integrated/get/?${search}`, {
    headers: { 'Access-Token': ready.access_token },
  });
  const { code, message, data } = (await answer.json()) as Json;
  // This client has no pacing; what it used of the app's quota must not be missed later.
  polyad.advance(2_000);
  if (code !== 0) throw new Error(message);
  return { headers: answer.headers, data };
}

/** The last 90 whole days of a zone: a day that has just begun may have no delivery yet. */
function window(zone: string): { start: string; end: string; after: string } {
  const today = new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(polyad.now());
  const day = (n: number): string => new Date(Date.parse(today) + n * DAY).toISOString().slice(0, 10);
  return { start: day(-90), end: day(-1), after: day(0) };
}

describe.each([
  { currency: 'JPY', zone: 'Asia/Tokyo', index: 1, whole: /^\d+$/ },
  { currency: 'USD', zone: 'America/Los_Angeles', index: 0, whole: /^\d+(\.\d\d?)?$/ },
])('a 90-day daily report in $currency, $zone', ({ currency, zone, index, whole }) => {
  let organization: string;
  let made: Json;
  const reports: Record<string, ReturnType<typeof sums>> = {};
  const impressions: Record<string, string> = {};
  beforeAll(async () => {
    organization = ready.advertiser_ids[index] as string;
    made = (await polyad.control('POST', '/seed', { volume: ADS, advertiser_id: organization })).volume;
    await polyad.clearLog();
    const { start, after } = window(zone);
    for (const level of ['organization', 'campaign', 'group', 'ad']) {
      const query = `org_id=${organization}&level=${level}&dimension=DATE&start_gte=${start}&end_lt=${after}`;
      // One metric of 25,000 ads is enough: their report is 40 megabytes.
      const metrics = level === 'ad' ? 'COST' : 'COST,IMPRESSIONS';
      const list = await polyad.ok('GET', `/ads/${connection}/report?${query}&type=${metrics}`);
      reports[level] = sums(list, 'COST');
      if (level !== 'ad') impressions[level] = sums(list, 'IMPRESSIONS').total;
      for (const report of [list[0], list.at(-1)])
        expect(report).toMatchObject({ organization_id: organization, currency, time_zone: zone, level });
    }
    // Our reports used the app's minute to its end, and the client below waits for nobody.
    polyad.advance(61_000);
  }, 120_000);

  it.each(['campaign', 'group', 'ad'])('by %s equals the ad account’s total, day by day, to the last unit', (level) => {
    expect(reports[level]?.total).toBe(reports['organization']?.total);
    expect(reports[level]?.days).toEqual(reports['organization']?.days);
    if (level !== 'ad') expect(impressions[level]).toBe(impressions['organization']);
  });

  it('covers all 90 days and thousands of ads, in whole units of the currency', () => {
    const { days, total, objects } = reports['ad'] as ReturnType<typeof sums>;
    const { start, end } = window(zone);
    expect(days.size).toBe(90);
    expect([[...days.keys()][0], [...days.keys()].at(-1)]).toEqual([start, end]);
    expect(Number(total)).toBeGreaterThan(1000);
    expect(objects).toBeGreaterThan(10_000);
    for (const value of days.values()) expect(value).toMatch(whole);
  });

  it('is what TikTok says of the ad account, and more than what is left without deleted objects', async () => {
    const { start, end } = window(zone);
    let account = '0';
    let alive = 0;
    for (let from = Date.parse(start); from <= Date.parse(end); from += 30 * DAY) {
      const to = Math.min(from + 29 * DAY, Date.parse(end));
      const dates = {
        start_date: new Date(from).toISOString().slice(0, 10),
        end_date: new Date(to).toISOString().slice(0, 10),
        metrics: ['spend'],
        page: 1,
        page_size: 1000,
      };
      const own = await native(organization, {
        ...dates,
        data_level: 'AUCTION_ADVERTISER',
        dimensions: ['advertiser_id'],
      });
      account = addDecimals(account, own.data.list[0].metrics.spend);
      const campaigns = await native(organization, {
        ...dates,
        data_level: 'AUCTION_CAMPAIGN',
        dimensions: ['campaign_id'],
      });
      for (const { metrics } of campaigns.data.list) alive += Number(metrics.spend);
    }
    expect(Number(reports['ad']?.total)).toBe(Number(account));
    expect(alive).toBeLessThan(Number(account));
    expect(made.deletedAds).toBeGreaterThan(1000);
  });

  it('takes the way around TikTok’s cut at 20,000 ids, which one plain query runs into', async () => {
    const { start, end } = window(zone);
    const dates = { start_date: new Date(Date.parse(end) - 29 * DAY).toISOString().slice(0, 10), end_date: end };
    expect(dates.start_date > start).toBe(true);
    const plain = await native(organization, {
      ...dates,
      data_level: 'AUCTION_AD',
      dimensions: ['ad_id'],
      metrics: ['spend'],
      filtering: [{ field_name: 'ad_status', filter_type: 'IN', filter_value: '["STATUS_ALL"]' }],
      page: 1,
      page_size: 1000,
    });
    expect(plain.headers.get('x-tt-ads-throttle')).toBe('true');
    const sent = (await polyad.requests('report/integrated')).filter(
      ({ query }) => query['data_level'] === 'AUCTION_AD' && String(query['dimensions']).includes('stat_time_day'),
    );
    expect(sent.length).toBeGreaterThan(10);
    for (const { query } of sent) expect(String(query['filtering'])).toContain('"campaign_ids"');
  });

  it('is paced: TikTok refuses no call', async () => {
    const log = await polyad.requests();
    expect(log.length).toBeGreaterThan(100);
    expect(log.filter(({ code }) => code !== 0)).toEqual([]);
  });
});

/** Reports over a large account: the streamed file against the ledger, part by part; the synchronous call by batches. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ok } from '../support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../support/tiktok-simulator.ts';

const DAY = 86_400_000;
const CHANNELS = [
  'spend',
  'impressions',
  'clicks',
  'conversion',
  'complete_payment',
  'total_complete_payment_rate',
  'total_purchase',
  'total_purchase_value',
  'onsite_shopping',
  'total_onsite_shopping_value',
  'offline_shopping_events',
  'offline_shopping_events_value',
];

let tiktok: TestTikTok;
let advertiser_id = '';
let start_date = '';
let end_date = '';

beforeAll(async () => {
  tiktok = await startTikTok();
  tiktok.running.clock.freeze(true);
  const made = await tiktok.control('POST', '/seed', { advertisers: 1 });
  [advertiser_id] = made.advertiser_ids;
  await tiktok.control('POST', '/seed', { volume: 6_000, days: 400, deleted_share: 0, advertiser_id });
  await tiktok.control('PATCH', '/settings', { async_reports: true, report_delay_ms: 1_000 });
  const now = tiktok.running.clock.now().getTime();
  const day = (ago: number) => new Date(now - ago * DAY).toISOString().slice(0, 10);
  start_date = day(401);
  end_date = day(2);
}, 60_000);
afterAll(() => tiktok.close());

const asked = () => ({
  advertiser_id,
  report_type: 'BASIC',
  data_level: 'AUCTION_AD',
  dimensions: ['ad_id', 'stat_time_day'],
  metrics: CHANNELS,
  start_date,
  end_date,
});

async function download(more: object = {}): Promise<Response> {
  const body = { ...asked(), enable_report_title_translation: false, ...more };
  const { task_id } = ok(await tiktok.post('report/task/create', body));
  tiktok.running.clock.advance(2_000);
  return tiktok.raw(`/open_api/v1.3/report/task/download/?advertiser_id=${advertiser_id}&task_id=${task_id}`, {
    headers: { 'Access-Token': tiktok.ready.access_token },
  });
}

const sums = (rows: number[][]) =>
  Object.fromEntries(
    CHANNELS.map((name, i) => [name, Math.round(rows.reduce((all, row) => all + row[i]! * 100, 0)) / 100]),
  );

const rounded = (totals: Record<string, number>) =>
  Object.fromEntries(CHANNELS.map((name) => [name, Math.round(totals[name]! * 100) / 100]));

describe('400 days of a large account by ad and day', () => {
  it('come as one streamed file that equals the ledger, each channel’s conversions and values too', async () => {
    const response = await download();
    expect(response.headers.get('content-length')).toBe(null);
    const lines = (await response.text()).trimEnd().split('\r\n');
    const ledger = await tiktok.control(
      'GET',
      `/ledger?advertiser_id=${advertiser_id}&start_date=${start_date}&end_date=${end_date}`,
    );
    expect(lines.shift()).toBe(['ad_id', 'stat_time_day', ...CHANNELS].join(','));
    expect(lines.length).toBeGreaterThan(50_000);
    expect(lines.length).toBe(ledger.ad_days);
    const keys = new Set(lines.map((line) => line.split(',').slice(0, 2).join()));
    expect(keys.size).toBe(lines.length);
    const got = sums(lines.map((line) => line.split(',').slice(2).map(Number)));
    expect(got).toEqual(rounded(ledger.totals));
    for (const name of CHANNELS) expect([name, got[name]! > 0]).toEqual([name, true]);
  }, 60_000);

  it('come by the synchronous call in batches of campaigns and months, with the same sums', async () => {
    const from = new Date(tiktok.running.clock.now().getTime() - 31 * DAY).toISOString().slice(0, 10);
    const campaigns: string[] = [];
    for (let page = 1, pages = 1; page <= pages; page++) {
      const data = ok(await tiktok.get('campaign/get', { advertiser_id, page, page_size: 100 }));
      campaigns.push(...data.list.map((row: { campaign_id: string }) => row.campaign_id));
      pages = data.page_info.total_page;
    }
    const rows: number[][] = [];
    for (let at = 0; at < campaigns.length; at += 100) {
      const ids = JSON.stringify(campaigns.slice(at, at + 100));
      const filtering = [{ field_name: 'campaign_ids', filter_type: 'IN', filter_value: ids }];
      for (let page = 1, pages = 1; page <= pages; page++) {
        const query = { ...asked(), start_date: from, filtering, page, page_size: 1000 };
        const data = ok(await tiktok.get('report/integrated/get', query));
        for (const { metrics } of data.list) rows.push(CHANNELS.map((name) => Number(metrics[name])));
        pages = data.page_info.total_page;
      }
    }
    const range = `advertiser_id=${advertiser_id}&start_date=${from}&end_date=${end_date}`;
    const { totals, ad_days } = await tiktok.control('GET', `/ledger?${range}`);
    expect(rows.length).toBe(ad_days);
    expect(sums(rows)).toEqual(rounded(totals));
  }, 60_000);

  it('break off in the middle when a fault says so', async () => {
    const fault = await tiktok.control('POST', '/faults', { kind: 'truncate', path: 'report/task/download', times: 1 });
    expect(fault.kind).toBe('truncate');
    const broken = await download();
    await expect(broken.text()).rejects.toThrow();
    expect((await (await download()).text()).length).toBeGreaterThan(1_000_000);
  }, 60_000);

  it('by link, too', async () => {
    const answer = await download({ output_format: 'CSV_DOWNLOAD' });
    const { data } = (await answer.json()) as { data: { download_url: string } };
    const file = await (await fetch(data.download_url)).text();
    expect(file).toBe(await (await download()).text());
  }, 60_000);
});

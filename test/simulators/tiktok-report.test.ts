/** The TikTok simulator's reports from outside: over HTTP, by the unmodified official client, by the official documents. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithTikTokSpecs } from '../specs/tiktok-yml.ts';
import { officialSdk, type SdkCall } from '../support/tiktok-sdk.ts';
import { startTikTok, type TestTikTok } from '../support/tiktok-simulator.ts';

interface Answer {
  data: {
    list: { dimensions: Record<string, string>; metrics: Record<string, string> }[];
    page_info: Record<string, number>;
    total_metrics: Record<string, string> | null;
    task_id?: string;
    status?: string;
  };
}

let tiktok: TestTikTok;
let account: string;
let sdk: SdkCall;
const today = '2026-11-22';
const asked = {
  data_level: 'AUCTION_CAMPAIGN',
  dimensions: ['campaign_id', 'stat_time_day'],
  metrics: ['spend', 'impressions', 'clicks', 'conversion', 'campaign_name'],
  start_date: '2026-10-24',
  end_date: today,
};

beforeAll(async () => {
  tiktok = await startTikTok();
  await tiktok.control('POST', '/clock/freeze', { frozen: true });
  await tiktok.control('POST', '/clock/set', { at: `${today}T20:00:00Z` });
  account = tiktok.ready.advertiser_ids[0]!;
  await tiktok.control('POST', '/seed', { volume: 600, advertiser_id: account, deleted_share: 0.4 });
  sdk = await officialSdk(tiktok.url);
});
afterAll(() => tiktok.close());

/** A call of the official client; its error is thrown. */
async function call(method: string, ...args: unknown[]): Promise<Answer> {
  const { error, body } = await sdk('ReportingApi', method, ...args);
  if (error) throw error;
  return body;
}
const integrated = (options: object, type = 'BASIC', token = tiktok.ready.access_token) =>
  call('reportIntegratedGet', type, token, { advertiser_id: account, ...options });

describe('the official client', () => {
  it('reads a report page by page', async () => {
    const first = await integrated({ ...asked, page_size: 100, enable_total_metrics: true });
    expect(first.data.list).toHaveLength(100);
    expect(first.data.page_info['total_page']).toBeGreaterThan(1);
    expect(first.data.list[0]!.metrics).toMatchObject({ campaign_name: expect.any(String) });
    let spend = 0n;
    for (let page = 1; page <= first.data.page_info['total_page']!; page++) {
      const { data } = await integrated({ ...asked, page, page_size: 100 });
      for (const row of data.list) spend += BigInt(row.metrics['spend']!.replace('.', ''));
    }
    expect(first.data.total_metrics!['spend']!.replace('.', '')).toBe(String(spend));
    expect(spend).toBeGreaterThan(0n);
  });

  it('sends filters as a text that holds JSON', async () => {
    const all = await integrated({ ...asked, dimensions: ['campaign_id'], page_size: 1000 });
    const filtering = [
      { field_name: 'campaign_status', filter_type: 'IN', filter_value: JSON.stringify(['STATUS_ALL']) },
    ];
    const more = await integrated({ ...asked, dimensions: ['campaign_id'], page_size: 1000, filtering });
    expect(more.data.list.length).toBeGreaterThan(all.data.list.length);
    const ids = all.data.list.slice(0, 2).map((row) => row.dimensions['campaign_id']);
    const byId = [{ field_name: 'campaign_ids', filter_type: 'IN', filter_value: JSON.stringify(ids) }];
    const two = await integrated({ ...asked, dimensions: ['campaign_id'], filtering: byId });
    expect(two.data.list.map((row) => row.dimensions['campaign_id'])).toEqual(ids);
  });

  it('gets an error that names what is wrong', async () => {
    await expect(integrated({ ...asked, metrics: ['complete_payment_value'] })).rejects.toThrow(
      /Invalid metric fields: \['complete_payment_value'\].*40002/,
    );
    await expect(integrated({ ...asked, start_date: '2026-10-01' })).rejects.toThrow(
      /max time span is 30 days when use stat_time_day/,
    );
  });

  it('is kept out of asynchronous reports until the app is on the list', async () => {
    const body = { body: { advertiser_id: account, report_type: 'BASIC', ...asked } };
    const create = () => call('reportTaskCreate', tiktok.ready.access_token, body);
    await expect(create()).rejects.toThrow(/40118/);
    await tiktok.control('PATCH', '/settings', { async_reports: true, report_delay_ms: 1000 });
    const { data } = await create();
    await tiktok.control('POST', '/clock/advance', { ms: 1000 });
    const done = await call('reportTaskCheck', data.task_id, account, tiktok.ready.access_token);
    expect(done.data.status).toBe('SUCCESS');
    const query = new URLSearchParams({ advertiser_id: account, task_id: data.task_id! });
    const csv = await tiktok.raw(`/open_api/v1.3/report/task/download/?${query}`, {
      headers: { 'Access-Token': tiktok.ready.access_token },
    });
    expect(csv.headers.get('content-type')).toMatch(/^text\/csv/);
    expect((await csv.text()).split('\r\n').length).toBeGreaterThan(100);
  });
});

describe('over HTTP', () => {
  it('says by a header that ids were left out', async () => {
    const eur = tiktok.ready.advertiser_ids[2]!;
    await tiktok.control('POST', '/seed', { volume: 21_000, advertiser_id: eur, deleted_share: 0 });
    const query = new URLSearchParams({
      advertiser_id: eur,
      report_type: 'BASIC',
      data_level: 'AUCTION_AD',
      dimensions: '["ad_id"]',
      start_date: '2026-11-01',
      end_date: today,
    });
    const response = await tiktok.raw(`/open_api/v1.3/report/integrated/get/?${query}`, {
      headers: { 'Access-Token': tiktok.ready.access_token },
    });
    expect(response.headers.get('x-tt-ads-throttle')).toBe('true');
    const { data } = (await response.json()) as Answer;
    expect(data.page_info['total_number']).toBe(20_000);
  });

  it('goes on delivering as the clock goes on, and hours past stay as they were', async () => {
    const before = await tiktok.get('report/integrated/get', {
      advertiser_id: account,
      report_type: 'BASIC',
      ...asked,
      dimensions: ['advertiser_id', 'stat_time_hour'],
      data_level: 'AUCTION_ADVERTISER',
      metrics: ['spend'],
      start_date: today,
      page_size: 100,
    });
    await tiktok.control('POST', '/clock/advance', { hours: 2 });
    const after = await tiktok.get('report/integrated/get', {
      advertiser_id: account,
      report_type: 'BASIC',
      ...asked,
      dimensions: ['advertiser_id', 'stat_time_hour'],
      data_level: 'AUCTION_ADVERTISER',
      metrics: ['spend'],
      start_date: today,
      page_size: 100,
    });
    expect(after.data.list.length).toBe(before.data.list.length + 2);
    expect(after.data.list.slice(0, before.data.list.length)).toEqual(before.data.list);
  });

  it('has mock reports on the sandbox host', async () => {
    const answer = await tiktok.get(
      'report/integrated/get',
      {
        advertiser_id: tiktok.ready.sandbox_advertiser_id,
        report_type: 'BASIC',
        data_level: 'AUCTION_ADVERTISER',
        dimensions: ['advertiser_id'],
        start_date: '2020-12-08',
        end_date: '2020-12-19',
      },
      { sandbox: true },
    );
    expect(answer.code).toBe(40009);
    expect(answer.message).toBe('Unsupported data_level in sandbox environment: AUCTION_ADVERTISER.');
  });
});

describeWithTikTokSpecs('the official documents', (specs) => {
  it.each<[string, Record<string, unknown>]>([
    ['BASIC', asked],
    ['BASIC', { ...asked, dimensions: ['campaign_id'], query_lifetime: true, enable_total_metrics: true }],
    ['AUDIENCE', { ...asked, dimensions: ['campaign_id', 'age', 'gender'] }],
    ['CATALOG', { ...asked, dimensions: ['campaign_id', 'catalog_id'] }],
  ])('fit the synchronous report %s', async (report_type, params) => {
    const answer = await tiktok.get('report/integrated/get', { advertiser_id: account, report_type, ...params });
    expect(answer.code).toBe(0);
    expect(specs.operation('report/integrated/get')!.checkAnswer(answer)).toEqual([]);
  });

  it('fit the tasks', async () => {
    await tiktok.control('PATCH', '/settings', { async_reports: true, report_delay_ms: 1000 });
    const made = await tiktok.post('report/task/create', { advertiser_id: account, report_type: 'BASIC', ...asked });
    expect(specs.operation('report/task/create')!.checkAnswer(made)).toEqual([]);
    const task = { advertiser_id: account, task_id: made.data.task_id };
    expect(specs.operation('report/task/check')!.checkAnswer(await tiktok.get('report/task/check', task))).toEqual([]);
    expect(specs.operation('report/task/cancel')!.checkAnswer(await tiktok.post('report/task/cancel', task))).toEqual(
      [],
    );
  });
});

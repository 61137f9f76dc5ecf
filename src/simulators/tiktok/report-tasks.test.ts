import { describe, expect, it } from 'vitest';
import { ReportWorld, sum } from '../../../test/support/tiktok-report-world.ts';
import type { SimulatorRequest } from '../kit/server.ts';
import { reportFiles } from './report-tasks.ts';
import { type RawAnswer, TikTokError } from './types.ts';

const DAY = 86_400_000;
const asked = {
  report_type: 'BASIC',
  data_level: 'AUCTION_AD',
  dimensions: ['ad_id', 'stat_time_day'],
  metrics: ['spend', 'impressions', 'ad_name'],
  start_date: '2026-09-01',
  end_date: '2026-11-10',
};

function ready(): ReportWorld {
  const world = new ReportWorld('2026-11-01T00:00:00Z');
  const group = world.adgroup(world.campaign('2026-11-01 00:00:00'), '2026-11-01 00:00:00');
  world.ad(group, '2026-11-01 00:00:00', { ad_name: 'say "hello", twice' });
  world.ad(group, '2026-11-01 00:00:00');
  world.clock.advance(9 * DAY);
  world.world.updateSettings({ async_reports: true, report_delay_ms: 60_000 });
  return world;
}

const create = (world: ReportWorld, more: object = {}) =>
  (world.call('report/task/create', { ...asked, ...more }) as { task_id: string }).task_id;
const check = (world: ReportWorld, task_id: string) =>
  (world.call('report/task/check', { task_id }) as { status: string }).status;
const download = (world: ReportWorld, task_id: string) => world.call('report/task/download', { task_id });
const code = (work: () => unknown): number => {
  try {
    work();
  } catch (error) {
    if (error instanceof TikTokError) return error.code;
    throw error;
  }
  return 0;
};
/** The whole text of an answer that comes in parts. */
async function text(body: RawAnswer['body']): Promise<string> {
  if (typeof body === 'string' || Buffer.isBuffer(body)) return body.toString();
  let all = '';
  for await (const part of body) all += part;
  return all;
}
const fetchFile = (world: ReportWorld, url: string) =>
  reportFiles({ method: 'GET', path: new URL(url).pathname } as SimulatorRequest, world.world)!;

describe('asynchronous reports', () => {
  it('are for apps on the allow list alone', () => {
    const world = ready();
    world.world.updateSettings({ async_reports: false });
    expect(code(() => create(world))).toBe(40118);
    for (const path of ['check', 'download', 'cancel']) {
      expect(code(() => world.call(`report/task/${path}`, { task_id: '1' }))).toBe(40118);
    }
  });

  it('queue, run and end on the virtual clock; the CSV holds what the synchronous report says', async () => {
    const world = ready();
    const id = create(world, { enable_report_title_translation: false });
    expect(id).toMatch(/^\d+$/);
    expect(check(world, id)).toBe('QUEUING');
    expect(code(() => download(world, id))).toBe(40201);
    world.clock.advance(40_000);
    expect(check(world, id)).toBe('PROCESSING');
    world.clock.advance(20_000);
    expect(check(world, id)).toBe('SUCCESS');
    const answer = download(world, id) as RawAnswer;
    expect(answer.contentType).toMatch(/^text\/csv/);
    const csv = await text(answer.body);
    const lines = csv.trimEnd().split('\r\n');
    expect(lines[0]).toBe('ad_id,stat_time_day,spend,impressions,ad_name');
    const rows = world.report({ ...asked, start_date: '2026-10-25', end_date: '2026-11-10' }).list;
    expect(lines.length - 1).toBe(rows.length);
    expect(lines.some((line) => line.endsWith('"say ""hello"", twice"'))).toBe(true);
    const spend = lines.slice(1).reduce((all, line) => all + BigInt(line.split(',')[2]!.replace('.', '')), 0n);
    expect(spend).toBe(sum(rows, 'spend', 2));
    // Fetched later, it still says what it said.
    world.clock.advance(DAY);
    expect(await text((download(world, id) as RawAnswer).body)).toBe(csv);
  });

  it('translate their titles unless told not to', async () => {
    const world = ready();
    const id = create(world);
    world.clock.advance(60_000);
    expect((await text((download(world, id) as RawAnswer).body)).split('\r\n')[0]).toBe(
      'Ad ID,By Day,Cost,Impressions,Ad Name',
    );
  });

  it.each([
    ['CSV_DOWNLOAD', 'csv'],
    ['XLSX_DOWNLOAD', 'xlsx'],
  ])('%s gives a link that works for an hour', async (output_format, extension) => {
    const world = ready();
    const id = create(world, { output_format, file_name: 'my report' });
    world.clock.advance(60_000);
    const answer = download(world, id) as Record<string, string>;
    expect(answer).toMatchObject({ file_name: `my report.${extension}`, output_format });
    expect(answer['download_url']).toMatch(/^http:\/\/simulator\.test\/report_files\/[0-9a-f]{40}\.\w+$/);
    const file = fetchFile(world, answer['download_url']!);
    expect(file.status).toBe(200);
    const body = Buffer.isBuffer(file.body) ? file.body : Buffer.from(await text(file.body));
    if (extension === 'csv') expect(body.toString()).toContain('By Day');
    else {
      expect(body.subarray(0, 4).toString('latin1')).toBe('PK\x03\x04');
      expect(body.toString('utf8')).toContain('<t>say "hello", twice</t>');
    }
    world.clock.advance(3_600_001);
    expect(fetchFile(world, answer['download_url']!).status).toBe(403);
    const again = download(world, id) as Record<string, string>;
    expect(fetchFile(world, again['download_url']!).status).toBe(200);
  });

  it('fail when the control says so, and can be canceled only before they end', () => {
    const world = ready();
    world.world.updateSettings({ report_fails: true });
    const failing = create(world);
    world.world.updateSettings({ report_fails: false });
    const canceled = create(world);
    expect(world.call('report/task/cancel', { task_id: canceled })).toMatchObject({ status: 'CANCELED' });
    world.clock.advance(60_000);
    expect(check(world, failing)).toBe('FAILED');
    expect(code(() => download(world, failing))).toBe(40200);
    expect(code(() => world.call('report/task/cancel', { task_id: failing }))).toBe(40002);
    expect(check(world, canceled)).toBe('CANCELED');
    expect(code(() => download(world, canceled))).toBe(40200);
  });

  it('have no limit on the span, and know filters by ids alone', () => {
    const world = ready();
    expect(create(world, { start_date: '2024-01-01' })).toMatch(/^\d+$/);
    const byName = [{ field_name: 'ad_name', filter_type: 'MATCH', filter_value: 'x' }];
    expect(code(() => create(world, { filtering: byName }))).toBe(40002);
    expect(code(() => create(world, { metrics: ['complete_payment_value'] }))).toBe(40002);
    expect(code(() => create(world, { report_type: 'BC' }))).toBe(40002);
    expect(code(() => check(world, '12345'))).toBe(40007);
  });
});

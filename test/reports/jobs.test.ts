/** Report jobs over HTTP: the forms of results, both routes, and what is refused. */
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addDecimals } from '../../src/core/model/decimal.ts';
import { createApiKey } from '../../src/core/store/repositories/index.ts';
import { type Json, startTestApp, type TestApp } from '../support/app.ts';
import type { TikTokReady } from '../support/tiktok-simulator.ts';
import { daysAgo, jobsOf, totals } from './support.ts';

let polyad: TestApp;
let connection: string;
let organization: string;
/** 110 days of every ad, day by day, deleted ones too. */
let query: Record<string, string>;
let list: Json[];
const jobs = jobsOf(
  // Set before any test runs.
  new Proxy({} as TestApp, { get: (_target, name) => polyad[name as keyof TestApp] }),
  () => connection,
);

beforeAll(async () => {
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual', limits: 'on' });
  const ready = polyad.simulator.ready as unknown as TikTokReady;
  organization = ready.advertiser_ids[0] as string;
  connection = (await polyad.connect()).get('id') as string;
  await polyad.control('POST', '/seed', { volume: 1_200, advertiser_id: organization, deleted_share: 0.1 });
  query = {
    org_id: organization,
    level: 'ad',
    dimension: 'DATE',
    start_gte: daysAgo(polyad, 112),
    end_lt: daysAgo(polyad, 2),
    type: 'COST,IMPRESSIONS,CTR',
  };
  list = await polyad.ok('GET', `/ads/${connection}/report?${new URLSearchParams(query)}`);
}, 120_000);
afterAll(() => polyad.close());
beforeEach(async () => {
  await polyad.control('PATCH', '/settings', { async_reports: false, report_fails: false });
  // What an app was refused is remembered for a day.
  await polyad.app.store.db.deleteFrom('report_refusals').execute();
  await polyad.clearLog();
});

const byId = (rows: readonly Json[]): Json[] => [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));

describe('the result', () => {
  it('is, as NDJSON, the list of reports row by row', async () => {
    const { job, rows } = await jobs.done({ query });
    expect(byId(rows)).toEqual(byId(list));
    expect(job).toMatchObject({
      format: 'ndjson',
      query,
      progress: { percent: 100, routes: ['calls'] },
      result: { rows: rows.length, path: `/v1/report_jobs/${job.id}/download` },
    });
    expect(job.progress.pieces_done).toBe(job.progress.pieces);
  });

  it('is, as CSV, a table with one line for each ad and day', async () => {
    const { id } = await jobs.create({ query, format: 'csv' });
    await jobs.work();
    const answer = await jobs.download(id);
    expect(answer.headers.get('content-type')).toMatch(/^text\/csv/);
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="report-${id}.csv"`);
    const [head, ...lines] = (await answer.text()).trimEnd().split('\r\n');
    expect(head).toBe(
      'organization_id,organization_name,currency,time_zone,level,ad_id,ad_name,start_date,end_date,date,cost,impressions,ctr,final',
    );
    expect(lines).toHaveLength((await jobs.get(id)).result.rows);
    const costs = lines.map((line) => /,(\d+(?:\.\d+)?),\d+,[\d.]*,(?:true|false)$/.exec(line)?.[1] as string);
    expect(costs.reduce(addDecimals, '0')).toBe(totals(list)['COST']);
    const provisional = lines.filter((line) => line.endsWith(',false'));
    const from = list[0].provisional_from;
    expect(provisional.length).toBeGreaterThan(0);
    for (const line of lines) {
      const day = /(\d{4}-\d\d-\d\d),\1,\1,/.exec(line)?.[1] as string;
      expect([day, line.endsWith(',true')]).toEqual([day, day < from]);
    }
  });

  it('is, as Parquet, the same table with types', async () => {
    const { id } = await jobs.create({ query, format: 'parquet' });
    await jobs.work();
    const rows = (await parquetReadObjects({ file: await (await jobs.download(id)).arrayBuffer() })) as Json[];
    expect(rows).toHaveLength((await jobs.get(id)).result.rows);
    expect(rows[0]).toMatchObject({
      ...{ organization_id: organization, currency: 'USD', level: 'ad', final: expect.any(Boolean) },
      ...{ date: expect.any(Date), cost: expect.any(Number), ad_id: expect.stringMatching(/^\d+$/) },
    });
    expect(rows.map(({ cost }) => String(cost)).reduce(addDecimals, '0')).toBe(totals(list)['COST']);
  });

  it('keeps the members that `fields` names', async () => {
    const { rows } = await jobs.done({ query: { ...query, fields: 'id,metrics.value' } });
    expect(Object.keys(rows[0]).sort()).toEqual(['id', 'metrics']);
    expect(Object.keys(rows[0].metrics[0])).toEqual(['value']);
  });

  it('joins windows where days are not told apart', async () => {
    const { dimension: _daily, ...whole } = query;
    const { rows } = await jobs.done({ query: { ...whole, level: 'campaign' } });
    expect(totals(rows)['COST']).toBe(totals(list)['COST']);
  });

  it('can be fetched from where a download broke off', async () => {
    const { id } = await jobs.create({ query });
    await jobs.work();
    const whole = Buffer.from(await (await jobs.download(id)).arrayBuffer());
    const first = await jobs.download(id, { range: 'bytes=0-9999' });
    expect(first.status).toBe(206);
    expect(first.headers.get('content-range')).toBe(`bytes 0-9999/${whole.length}`);
    const tag = first.headers.get('etag') as string;
    const rest = await jobs.download(id, { range: 'bytes=10000-', 'if-range': tag });
    expect(rest.status).toBe(206);
    const joined = Buffer.concat([Buffer.from(await first.arrayBuffer()), Buffer.from(await rest.arrayBuffer())]);
    // Byte by byte `toEqual` takes seconds.
    expect(joined.equals(whole)).toBe(true);
    const end = await jobs.download(id, { range: 'bytes=-10' });
    expect(await end.text()).toBe(whole.subarray(-10).toString());
    expect((await jobs.download(id, { range: 'bytes=10000-', 'if-range': '"other"' })).status).toBe(200);
    const beyond = await jobs.download(id, { range: `bytes=${whole.length}-` });
    expect([beyond.status, ((await beyond.json()) as Json).code]).toEqual([416, 'report_range_unsatisfiable']);
  });
});

describe('TikTok’s report tasks', () => {
  it('bring the same rows as calls, deleted ads included, with a fraction of the calls', async () => {
    await polyad.control('PATCH', '/settings', { async_reports: true });
    const tasks = await jobs.done({ query, route: 'tasks', cache: false });
    const byTask = await jobs.calls();
    // Tasks leave deleted ads out: what is missing is asked for by its status.
    const filters = (await polyad.requests('report/integrated')).map(({ query: sent }) => String(sent['filtering']));
    expect(filters.some((one) => one.includes('STATUS_DELETE'))).toBe(true);
    await polyad.clearLog();
    const calls = await jobs.done({ query, route: 'calls', cache: false });
    const byCall = await jobs.calls();
    expect(tasks.job.progress.routes).toEqual(['tasks']);
    expect(calls.job.progress.routes).toEqual(['calls']);
    expect(byId(tasks.rows)).toEqual(byId(calls.rows));
    expect(byTask['report/task/create']).toBe(tasks.job.progress.pieces);
    expect(byTask['report/task/download']).toBe(tasks.job.progress.pieces);
    expect(byTask['report/integrated/get'] as number).toBeLessThan(byCall['report/integrated/get'] as number);
    const log = await polyad.requests();
    expect(log.filter(({ code }) => code !== 0)).toEqual([]);
  });

  it('are chosen by size: many rows by task, few by calls', async () => {
    await polyad.control('PATCH', '/settings', { async_reports: true });
    const large = await jobs.done({ query, cache: false });
    expect(large.job.progress.routes).toContain('tasks');
    await polyad.clearLog();
    const small = await jobs.done({
      query: { ...query, level: 'campaign', start_gte: daysAgo(polyad, 20) },
      cache: false,
    });
    expect(small.job.progress.routes).toEqual(['calls']);
    expect(Object.keys(await jobs.calls())).not.toContain('report/task/create');
  });

  it('that fail are made again, and then done without', async () => {
    await polyad.control('PATCH', '/settings', { async_reports: true, report_fails: true });
    const one = { ...query, start_gte: daysAgo(polyad, 20), end_lt: daysAgo(polyad, 10) };
    const { job, rows } = await jobs.done({ query: one, route: 'tasks', cache: false });
    expect(job.progress.routes).toEqual(['calls']);
    expect((await jobs.calls())['report/task/create']).toBe(2);
    expect(rows.length).toBeGreaterThan(0);
  });

  it('are not asked for again for a day by an app that may not use them', async () => {
    await jobs.done({ query, route: 'tasks', cache: false });
    const refused = (await polyad.requests('report/task/create')).map(({ code }) => code);
    expect(refused.length).toBeGreaterThan(0);
    expect(new Set(refused)).toEqual(new Set([40118]));
    await polyad.clearLog();
    const again = await jobs.done({ query, route: 'tasks', cache: false });
    expect(again.job.progress.routes).toEqual(['calls']);
    expect(await polyad.requests('report/task/create')).toEqual([]);
    // TikTok may have put the app on its list meanwhile.
    polyad.advance(25 * 3_600_000);
    await polyad.control('PATCH', '/settings', { async_reports: true });
    const later = await jobs.done({ query, route: 'tasks', cache: false });
    expect(later.job.progress.routes).toEqual(['tasks']);
  });
});

describe('a job', () => {
  it('is canceled while it is worked on, with its tasks at TikTok', async () => {
    await polyad.control('PATCH', '/settings', { async_reports: true, report_delay_ms: 3_600_000 });
    const { id } = await jobs.create({ query, route: 'tasks', cache: false });
    const release = polyad.hold();
    const working = jobs.work();
    while (!(await jobs.get(id)).progress?.routes.includes('tasks'))
      await new Promise((resolve) => setTimeout(resolve, 5));
    await polyad.ok('POST', `/v1/report_jobs/${id}/cancel`);
    release();
    await working;
    expect(await jobs.get(id)).toMatchObject({ state: 'canceled' });
    expect((await polyad.requests('report/task/cancel')).length).toBeGreaterThan(0);
    await polyad.control('PATCH', '/settings', { report_delay_ms: 5_000 });
  });

  it('is canceled before anybody is at it', async () => {
    const { id } = await jobs.create({ query });
    expect(await polyad.ok('POST', `/v1/report_jobs/${id}/cancel`)).toMatchObject({ state: 'canceled' });
    expect(await jobs.work()).toBe(0);
    const answer = await jobs.download(id);
    expect([answer.status, ((await answer.json()) as Json).code]).toEqual([409, 'report_job_not_ready']);
    const again = await polyad.call('POST', `/v1/report_jobs/${id}/cancel`);
    expect(again).toMatchObject({ status: 200, body: { state: 'canceled' } });
  });

  it('that is done can be removed, but neither canceled nor fetched after that', async () => {
    const { job } = await jobs.done({ query: { ...query, level: 'campaign' } });
    const late = await polyad.call('POST', `/v1/report_jobs/${job.id}/cancel`);
    expect(late).toMatchObject({ status: 409, body: { code: 'report_job_over' } });
    await polyad.ok('DELETE', `/v1/report_jobs/${job.id}`);
    expect(await polyad.call('GET', `/v1/report_jobs/${job.id}`)).toMatchObject({
      status: 404,
      body: { code: 'report_job_not_found' },
    });
    expect((await jobs.download(job.id)).status).toBe(404);
  });

  it('that is not over cannot be removed', async () => {
    const { id } = await jobs.create({ query });
    const early = await polyad.call('DELETE', `/v1/report_jobs/${id}`);
    expect(early).toMatchObject({ status: 409, body: { code: 'report_job_running' } });
    await polyad.ok('POST', `/v1/report_jobs/${id}/cancel`);
    await polyad.ok('DELETE', `/v1/report_jobs/${id}`);
  });

  it('and its result are gone after their time', async () => {
    const { job } = await jobs.done({ query: { ...query, level: 'campaign' } });
    polyad.advance(73 * 3_600_000);
    const answer = await jobs.download(job.id);
    expect([answer.status, ((await answer.json()) as Json).code]).toEqual([410, 'report_job_expired']);
    await polyad.app.services.reportJobs.tidy();
    expect((await polyad.call('GET', `/v1/report_jobs/${job.id}`)).status).toBe(404);
  });

  it('is seen by keys that reach its connection alone', async () => {
    const { id } = await jobs.create({ query });
    const { db } = polyad.app.store;
    const { key } = await createApiKey(db, polyad.workspace.id, {
      ...{ name: 'elsewhere', scopes: ['read'], connection_ids: ['000000000000000000000000'] },
    });
    const headers = { authorization: key };
    for (const [method, path] of [
      ['GET', `/v1/report_jobs/${id}`],
      ['GET', `/v1/report_jobs/${id}/download`],
      ['POST', `/v1/report_jobs/${id}/cancel`],
      ['DELETE', `/v1/report_jobs/${id}`],
    ] as const)
      expect(await polyad.call(method, path, undefined, headers)).toMatchObject({ status: 404 });
    expect((await polyad.call('GET', '/v1/report_jobs', undefined, headers)).body).toEqual([]);
    const body = { connection_id: connection, query };
    expect(await polyad.call('POST', '/v1/report_jobs', body, headers)).toMatchObject({ status: 403 });
    expect((await polyad.ok('GET', '/v1/report_jobs?state=waiting')).map((one: Json) => one.id)).toContain(id);
    await polyad.ok('POST', `/v1/report_jobs/${id}/cancel`);
  });

  it.each([
    ['limit', { limit: '10' }, {}, 'input_invalid'],
    ['an unknown metric', { type: 'NOPE' }, {}, 'input_invalid'],
    ['a breakdown that TikTok lacks', { dimension: 'PLATFORM_POSITION' }, {}, 'input_value_unsupported'],
    ['fields of a table', { fields: 'id' }, { format: 'csv' }, 'input_invalid'],
    ['a form that is not there', {}, { format: 'xlsx' }, 'input_invalid'],
    ['an ad account of others', { org_id: '1' }, {}, 'organization_unknown'],
    ['eleven years and more', { start_gte: '2010-01-01' }, {}, 'input_invalid'],
  ])('is refused at once for %s', async (_what, more, options, code) => {
    const body = { connection_id: connection, query: { ...query, ...more }, ...options };
    const answer = await polyad.call('POST', '/v1/report_jobs', body);
    expect(answer.body).toMatchObject({ code });
  });

  it('of a connection that is gone meanwhile fails and says so', async () => {
    const other = (await polyad.connect({ query: { external_xref: 'short-lived' } })).get('id') as string;
    const { id } = await jobs.create({ connection_id: other, query });
    await polyad.ok('DELETE', `/unified/connection/${other}`);
    await jobs.work();
    expect(await jobs.get(id)).toMatchObject({ state: 'failed', error: { code: 'connection_not_found' } });
  });

  it('waits out an outage of the platform and goes on where it was', async () => {
    const { id } = await jobs.create({ query, cache: false });
    await polyad.control('POST', '/faults', { kind: 'server_error', path: '/report/' });
    await jobs.work();
    expect(await jobs.get(id)).toMatchObject({ state: 'waiting', error: { actor: 'platform' } });
    await polyad.control('POST', '/faults/clear');
    for (let round = 0; round < 30 && (await jobs.get(id)).state === 'waiting'; round += 1) {
      polyad.advance(60_000);
      await jobs.work();
    }
    const job = await jobs.get(id);
    expect(job).toMatchObject({ state: 'done' });
    expect(job.error).toBeUndefined();
  });
});

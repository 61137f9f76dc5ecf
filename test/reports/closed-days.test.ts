/** Rows of closed days are kept for later jobs, checked before they are used, and given up when anything has changed. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pruneReportSegments } from '../../src/core/store/repositories/index.ts';
import { type Json, startTestApp, type TestApp } from '../support/app.ts';
import type { TikTokReady } from '../support/tiktok-simulator.ts';
import { daysAgo, jobsOf, totals } from './support.ts';

let polyad: TestApp;
let connection: string;
let organization: string;
const jobs = jobsOf(
  new Proxy({} as TestApp, { get: (_target, name) => polyad[name as keyof TestApp] }),
  () => connection,
);
/** 110 days by ad and day; the last 28 may still change. */
const query = (): Record<string, string> => ({
  org_id: organization,
  level: 'ad',
  dimension: 'DATE',
  start_gte: daysAgo(polyad, 111),
  end_lt: daysAgo(polyad, 1),
  type: 'COST,CONVERSIONS',
});
const listed = async (): Promise<Json[]> =>
  polyad.ok('GET', `/ads/${connection}/report?${new URLSearchParams(query())}`);
const byId = (rows: readonly Json[]): Json[] => [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));
/** Days that were asked for by ad. */
const readDays = async (): Promise<string[]> =>
  (await polyad.requests('report/integrated/get'))
    .filter(({ query: sent }) => sent['data_level'] === 'AUCTION_AD')
    .map(({ query: sent }) => `${sent['start_date']}..${sent['end_date']}`);

beforeAll(async () => {
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual' });
  const ready = polyad.simulator.ready as unknown as TikTokReady;
  organization = ready.advertiser_ids[0] as string;
  connection = (await polyad.connect()).get('id') as string;
}, 60_000);
afterAll(() => polyad.close());
beforeEach(() => polyad.clearLog());

describe('rows of closed days', () => {
  it('are read once; days that may still change are read each time', async () => {
    const first = await jobs.done({ query: query() });
    expect(first.job.progress.pieces_kept).toBe(0);
    await polyad.clearLog();
    const second = await jobs.done({ query: query() });
    expect(byId(second.rows)).toEqual(byId(first.rows));
    expect(second.job.progress.pieces_kept).toBeGreaterThan(0);
    const from = second.rows[0].provisional_from;
    for (const days of await readDays()) expect(days >= from).toBe(true);
  });

  it('serve a window that has moved on by a day, whose newly closed day is read', async () => {
    await jobs.done({ query: query() });
    polyad.advance(86_400_000);
    await polyad.clearLog();
    const { job, rows } = await jobs.done({ query: query() });
    const closed = (await readDays()).filter((days) => days < rows[0].provisional_from);
    expect(closed).toEqual([expect.stringMatching(/^(\d{4}-\d\d-\d\d)\.\.\1$/)]);
    expect(job.progress.pieces_kept).toBeGreaterThan(0);
    expect(byId(rows)).toEqual(byId(await listed()));
  });

  it('are read again when the ad account’s own numbers have moved', async () => {
    const before = await jobs.done({ query: query() });
    // An ad account that gets more ads with a past gets other numbers for days long gone.
    await polyad.control('POST', '/seed', { volume: 300, advertiser_id: organization });
    polyad.advance(11 * 60_000);
    const after = await jobs.done({ query: query() });
    expect(totals(after.rows)['COST']).not.toBe(totals(before.rows)['COST']);
    expect(byId(after.rows)).toEqual(byId(await listed()));
  });

  it('are read again after an object was renamed or removed through polyad', async () => {
    const campaigns = { ...query(), level: 'campaign' };
    const kept = async (): Promise<number> => (await jobs.done({ query: campaigns })).job.progress.pieces_kept;
    const alive = await polyad.ok('GET', `/ads/${connection}/campaign?org_id=${organization}&status=ACTIVE&limit=1000`);
    const ids = new Set(alive.map((one: Json) => one.id));
    const { rows } = await jobs.done({ query: campaigns });
    const { id } = rows.find(({ metrics }) => ids.has(metrics[0]?.campaign.id)).metrics[0].campaign;
    expect(await kept()).toBeGreaterThan(0);
    await polyad.ok('PATCH', `/ads/${connection}/campaign/${id}?org_id=${organization}`, { name: 'Another name' });
    const next = await jobs.done({ query: campaigns });
    expect(next.job.progress.pieces_kept).toBe(0);
    const found = next.rows.find(({ metrics }) => metrics[0]?.campaign.id === id);
    expect(found.metrics[0].campaign.name).toBe('Another name');
    expect(await kept()).toBeGreaterThan(0);
    await polyad.ok('DELETE', `/ads/${connection}/campaign/${id}?org_id=${organization}`);
    expect(await kept()).toBe(0);
  });

  it('are not used where a job says so, nor for other metrics, breakdowns or single campaigns', async () => {
    await jobs.done({ query: query() });
    for (const more of [
      { cache: false, query: query() },
      { query: { ...query(), type: 'COST,CLICKS' } },
      { query: { ...query(), dimension: 'DATE,COUNTRY' } },
    ]) {
      const { job } = await jobs.done(more);
      expect(job.progress.pieces_kept).toBe(0);
    }
  });

  it('are read again after thirty days, whatever the checks say', async () => {
    await jobs.done({ query: query() });
    const { start_gte, end_lt } = query();
    polyad.advance(31 * 86_400_000);
    const { job } = await jobs.done({
      query: { ...query(), start_gte: start_gte as string, end_lt: end_lt as string },
    });
    expect(job.progress.pieces_kept).toBe(0);
  });

  it('take no more room than they may', async () => {
    await jobs.done({ query: query() });
    const { reportJobs } = polyad.app.services;
    await reportJobs.tidy();
    const kept = await reportJobs.keptBytes();
    expect(kept).toBeGreaterThan(0);
    const { db } = polyad.app.store;
    const gone = await pruneReportSegments(db, new Date(0), kept / 2);
    expect(gone.length).toBeGreaterThan(0);
    expect(await reportJobs.keptBytes()).toBeLessThanOrEqual(kept / 2);
    expect(await reportJobs.keptBytes()).toBeGreaterThan(0);
  });
});

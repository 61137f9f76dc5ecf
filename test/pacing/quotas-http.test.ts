/** Quotas as a client of the server sees them: the list, the plan, the numbers, and what a restart remembers. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { loadConfig } from '../../src/core/config.ts';
import { openPacer } from '../../src/core/pacing/open.ts';
import { createApiKey } from '../../src/core/store/repositories/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

const never = new AbortController().signal;

describe('quotas over HTTP', () => {
  let polyad: TestApp;
  let connection: string;
  let operator: Record<string, string>;

  beforeAll(async () => {
    polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual', limits: 'on' });
    connection = (await polyad.connect()).get('id') as string;
    polyad.advance(120_000);
    const { key } = await createApiKey(polyad.app.store.db, polyad.workspace.id, { name: 'o', scopes: ['operator'] });
    operator = { authorization: key };
  });
  afterAll(() => polyad.close());

  const campaigns = () =>
    polyad.call(
      'GET',
      `/ads/${connection}/campaign?org_id=${(polyad.simulator.ready['advertiser_ids'] as string[])[0]}`,
    );
  const plan = (calls: unknown[]) => polyad.call('POST', '/v1/quotas/plan', { calls });

  it('GET /v1/quotas shows every bucket in use, without ids in clear', async () => {
    expect((await campaigns()).status).toBe(200);
    const { status, body } = await polyad.call('GET', '/v1/quotas', undefined, operator);
    expect(status).toBe(200);
    const minute = body.find(({ bucket }: { bucket: string }) => bucket === 'tiktok.app per minute');
    expect(minute).toMatchObject({ limit: 600, window_ms: 60_000, used_by_others: 0, learned: false });
    expect(minute.used).toBeGreaterThan(0);
    expect(minute.key).toMatch(/^simulator\/app:[\w-]{12}$/);
    expect(JSON.stringify(body)).not.toContain(String(polyad.simulator.ready['app_id']));
  });

  it('the plan tells how long calls would take and which quota decides, and takes nothing', async () => {
    polyad.advance(120_000);
    const few = await plan([{ connection_id: connection, operation: 'campaign/get', count: 5 }]);
    expect(few).toMatchObject({ status: 200, body: { calls: 5, wait_ms: 0 } });
    expect(few.body.bucket).toBeUndefined();
    const many = await plan([{ connection_id: connection, operation: 'campaign/get', count: 6_001 }]);
    // Ten a second and six hundred a minute: ten minutes.
    expect(many.body.wait_ms).toBe(600_000);
    expect(many.body.bucket).toMatch(/^tiktok\.app per (second|minute)$/);
    const reports = await plan([
      { connection_id: connection, operation: 'report/task/create', count: 9_001, access: 'write' },
      { connection_id: connection, operation: '/open_api/v1.3/campaign/get/', count: 10 },
    ]);
    expect(reports.body).toMatchObject({ calls: 9_011, bucket: 'tiktok.report/task/create per day' });
    expect(reports.body.wait_ms).toBe(2 * 86_400_000);
    const day = reports.body.buckets.find(({ bucket }: { bucket: string }) => bucket === 'tiktok.app per day');
    expect(day).toMatchObject({ units: 9_011, wait_ms: 0 });
    // Planned twice, the same comes out.
    const again = await plan([{ connection_id: connection, operation: 'campaign/get', count: 6_001 }]);
    expect(again.body.wait_ms).toBe(600_000);
  });

  it('a plan on somebody else’s connection is refused like one that does not exist', async () => {
    const answer = await plan([{ connection_id: 'unknown', operation: 'campaign/get', count: 1 }]);
    expect(answer).toMatchObject({ status: 404, body: { code: 'connection_not_found' } });
    expect((await plan([])).status).toBe(400);
  });

  it('a call says how urgent it is, in words that are known', async () => {
    const path = `/ads/${connection}/campaign?org_id=${(polyad.simulator.ready['advertiser_ids'] as string[])[0]}`;
    expect((await polyad.call('GET', path, undefined, { 'x-priority': 'Backfill' })).status).toBe(200);
    const wrong = await polyad.call('GET', path, undefined, { 'x-priority': 'asap' });
    expect(wrong).toMatchObject({ status: 400, body: { code: 'input_invalid' } });
    // The urgent one that comes last goes before the crowd that can wait.
    polyad.advance(120_000);
    const release = polyad.hold();
    const order: string[] = [];
    const timed = (priority: string) =>
      polyad.call('GET', path, undefined, { 'x-priority': priority }).then(() => void order.push(priority));
    const crowd = Array.from({ length: 60 }, () => timed('backfill'));
    await polyad.queued(45);
    const urgent = timed('interactive');
    await polyad.queued(46);
    release();
    await Promise.all([...crowd, urgent]);
    expect(order.indexOf('interactive')).toBeLessThan(40);
  });

  it('a call says how long it waits: it has its turn by then, or is refused at once', async () => {
    const org = (polyad.simulator.ready['advertiser_ids'] as string[])[0];
    for (const path of [
      `/ads/${connection}/campaign?org_id=${org}&limit=1`,
      `/passthrough/${connection}/open_api/v1.3/campaign/get/?advertiser_id=${org}`,
    ]) {
      polyad.advance(120_000);
      const timed = async (headers: Record<string, string>) => {
        const begun = polyad.now().getTime();
        const answer = await polyad.call('GET', path, undefined, headers);
        return { answer, tookMs: polyad.now().getTime() - begun };
      };
      expect((await timed({ 'x-max-wait': '0' })).answer.status).toBe(200);
      const release = polyad.hold();
      const crowd = Array.from({ length: 40 }, () => timed({}));
      await polyad.queued(25);
      // Three seconds of calls are in front of it: its turn would come after two.
      const { answer, tookMs } = await timed({ 'x-max-wait': '1.5', 'x-priority': 'backfill' });
      expect(answer).toMatchObject({ status: 429, body: { code: 'quota_wait' } });
      expect(answer.body.details.wait_ms).toBeGreaterThan(1_500);
      expect(tookMs).toBe(0);
      const patient = timed({ 'x-max-wait': '20' });
      release();
      const last = await patient;
      expect(last.answer.status).toBe(200);
      expect(last.tookMs).toBeLessThanOrEqual(20_000);
      for (const one of await Promise.all(crowd)) expect(one.answer.status).toBe(200);
      for (const wrong of ['-1', 'soon', '46', '1e1', 'Infinity'])
        expect((await timed({ 'x-max-wait': wrong })).answer, wrong).toMatchObject({
          status: 400,
          body: { code: 'input_invalid' },
        });
    }
    // Headers for us are not the platform's.
    const [asked] = (await polyad.requests('campaign/get')).slice(-1);
    expect(JSON.stringify(asked)).not.toMatch(/x-max-wait|x-priority/i);
  });

  it('a hidden limit of one ad account is learned from pass-through too, and nobody else pays for it', async () => {
    polyad.advance(120_000);
    await polyad.control('PATCH', '/settings', { advertiser_path_qps: 2 });
    const [advertiser] = polyad.simulator.ready['advertiser_ids'] as string[];
    const path = `/passthrough/${connection}/open_api/v1.3/campaign/get/?advertiser_id=${advertiser}`;
    let refused = 0;
    for (let call = 0; call < 40; call += 1) if ((await polyad.call('GET', path)).body.code === 40_133) refused += 1;
    await polyad.control('PATCH', '/settings', { advertiser_path_qps: null });
    const { body } = await polyad.call('GET', '/v1/quotas', undefined, operator);
    const bucket = (name: string, part: string) =>
      body.find((one: { bucket: string; key: string }) => one.bucket === `tiktok.${name}` && one.key.includes(part));
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(10);
    expect(bucket('advertiser endpoint per second', `${advertiser}`).limit).toBeLessThanOrEqual(3);
    expect(bucket('app per second', 'app:')).toMatchObject({ limit: 10, learned: false });
  });

  it('numbers for Prometheus', async () => {
    await campaigns();
    const response = await fetch(`${polyad.app.url}/metrics`);
    const text = await response.text();
    expect(text).toMatch(/^polyad_quota_used_ratio\{bucket="tiktok\.app per second"\} 0\.\d/m);
    expect(text).toMatch(/^polyad_quota_keys\{bucket="tiktok\.app per minute"\} 1$/m);
    expect(text).toMatch(/^polyad_quota_granted_total [1-9]/m);
    expect(text).toMatch(/^polyad_quota_degraded 0$/m);
  });
});

describe('a single node', () => {
  const quiet = { warn() {}, info() {} };
  const daily = { name: 'day', key: 'k', limit: 3, windowMs: 86_400_000 };

  it('remembers over a restart what it has used, what rests, and what it learned', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'polyad-quotas-'));
    const first = await openPacer({ dataDir }, systemClock, quiet);
    for (let call = 0; call < 2; call += 1) (await first.pacer.acquire('w', [daily], 0, never)).answered();
    // Under way when the process ends: taken as answered.
    await first.pacer.acquire('w', [daily], 0, never);
    first.pacer.refused({ name: 'other', key: 'k', limit: 100, windowMs: 60_000 }, 300_000);
    await first.close();
    const second = await openPacer({ dataDir }, systemClock, quiet);
    await expect(second.pacer.acquire('w', [daily], 0, never)).rejects.toMatchObject({ code: 'quota_wait' });
    const other = second.pacer.snapshot().find(({ bucket }) => bucket === 'other');
    expect(other).toMatchObject({ limit: 70, learned: true });
    expect(other?.resting_until).not.toBeNull();
    await second.close();
    await rm(dataDir, { recursive: true });
  });

  it('remembers a hidden limit over every restart, whether it was asked for in between or not', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'polyad-quotas-'));
    const hidden = { name: 'hidden', key: 'k', limit: 10, windowMs: 5, learn: { min: 1, max: 50 } };
    const first = await openPacer({ dataDir }, systemClock, quiet);
    (await first.pacer.acquire('w', [hidden], 0, never)).answered();
    first.pacer.refused(hidden, 0);
    const [learned] = first.pacer.snapshot();
    expect(learned).toMatchObject({ learned: true });
    expect(learned?.limit).toBeLessThan(10);
    await first.close();
    for (let restart = 0; restart < 3; restart += 1) {
      // The window is over: nothing but the lesson is left.
      await systemClock.sleep(20);
      const next = await openPacer({ dataDir }, systemClock, quiet);
      expect(next.pacer.snapshot()).toMatchObject([{ bucket: 'hidden', limit: learned?.limit, used: 0 }]);
      await next.close();
    }
    await rm(dataDir, { recursive: true });
  });

  it('starts anew, and says so, when the file is damaged', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'polyad-quotas-'));
    await writeFile(join(dataDir, 'quotas.json'), '{"version":1,"buckets":[{');
    const told: string[] = [];
    const { pacer, close } = await openPacer({ dataDir }, systemClock, {
      ...quiet,
      warn: (_facts, text) => told.push(text),
    });
    expect(told).toHaveLength(1);
    (await pacer.acquire('w', [daily], 0, never)).answered();
    await close();
    await rm(dataDir, { recursive: true });
  });

  it('reads the access levels of its apps from one variable', () => {
    const { quotaTiers } = loadConfig({ POLYAD_QUOTA_TIERS: 'tiktok=Advanced, acme=Two words' });
    expect([...(quotaTiers ?? [])]).toEqual([
      ['tiktok', 'Advanced'],
      ['acme', 'Two words'],
    ]);
    expect(() => loadConfig({ POLYAD_QUOTA_TIERS: 'tiktok' })).toThrow(/POLYAD_QUOTA_TIERS/);
  });
});

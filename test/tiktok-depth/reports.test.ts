/**
 * A report of 400 days, ad by ad and day by day, by TikTok's report tasks and by calls alone: killed in the middle, taken up
 * again, and equal to what the simulator says was delivered, channel by channel. POLYAD_TEST_REPORT_ADS sets the size;
 * `npm run test:tiktok-depth` runs it with the 200,000 ads of a large agency.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../src/app/log.ts';
import { startApp } from '../../src/app/start.ts';
import { loadConfig } from '../../src/core/config.ts';
import { addDecimals } from '../../src/core/model/decimal.ts';
import { createApiKey, createWorkspace } from '../../src/core/store/repositories/index.ts';
import { startSimulators } from '../../src/simulators/kit/host.ts';
import type { RunningSimulator } from '../../src/simulators/kit/types.ts';
import type { Json } from '../support/app.ts';
import type { TikTokReady } from '../support/tiktok-simulator.ts';

const ADS = Number(process.env['POLYAD_TEST_REPORT_ADS'] ?? 3_000);
const DAYS = 400;
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const PATIENCE_MS = 30 * 60_000;
/** Memory that a report of any size may add to a server, in MB. */
const GROWTH_MB = 256;

/** Our metrics of each channel, and what the simulator's ledger calls them. */
const CHANNELS: Readonly<Record<string, string>> = {
  COST: 'spend',
  IMPRESSIONS: 'impressions',
  CLICKS: 'clicks',
  CONVERSIONS: 'conversion',
  WEB_PURCHASES: 'complete_payment',
  WEB_PURCHASE_VALUE: 'total_complete_payment_rate',
  APP_PURCHASES: 'total_purchase',
  APP_PURCHASE_VALUE: 'total_purchase_value',
  SHOP_PURCHASES: 'onsite_shopping',
  SHOP_PURCHASE_VALUE: 'total_onsite_shopping_value',
  OFFLINE_PURCHASES: 'offline_shopping_events',
  OFFLINE_PURCHASE_VALUE: 'offline_shopping_events_value',
};

let host: Awaited<ReturnType<typeof startSimulators>>;
let simulator: RunningSimulator;
let dataDir: string;
let env: Record<string, string>;
let key: string;
let connection: string;
let organization: string;
let query: Record<string, string>;
let ledger: Record<string, string>;
const children = new Set<ChildProcess>();

const control = async (method: string, path: string, body?: unknown): Promise<Json> => {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await fetch(`${simulator.controlUrl}${path}`, { method, ...init });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
};

interface Server {
  child: ChildProcess;
  url: string;
}

async function start(): Promise<Server> {
  const child = spawn(process.execPath, [MAIN, 'start', '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream }))
    if (line.startsWith('{')) return { child, url: (JSON.parse(line) as { url: string }).url };
  throw new Error('the server ended before it was ready');
}

async function end({ child }: Server, signal: NodeJS.Signals): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await gone;
  children.delete(child);
}

const call = async (url: string, method: string, path: string, body?: unknown): Promise<Json> => {
  const headers = { authorization: key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const answer = await fetch(url + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
};

/** Looks at a job until `when` holds. */
async function watch(server: Server, id: string, when: (job: Json) => boolean): Promise<Json> {
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; ) {
    const job = await call(server.url, 'GET', `/v1/report_jobs/${id}`);
    if (when(job)) return job;
    if (job.state === 'failed') throw new Error(JSON.stringify(job.error));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('the job did not get there in time');
}

/** By how many MB a process has grown at most since this was called: a start takes more than what comes after it. */
function growth({ child }: Server): () => number {
  const of = (name: string): number => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  };
  // 5 = forget the peak (proc(5)).
  writeFileSync(`/proc/${child.pid}/clear_refs`, '5');
  const before = of('VmRSS');
  return () => of('VmHWM') - before;
}

/** Sums of a result by metric; every ad and day once. */
async function sums(
  server: Server,
  id: string,
): Promise<{ totals: Record<string, string>; days: Set<string>; rows: number }> {
  const answer = await fetch(`${server.url}/v1/report_jobs/${id}/download`, { headers: { authorization: key } });
  expect(answer.status).toBe(200);
  const totals = Object.fromEntries(Object.keys(CHANNELS).map((name) => [name, '0']));
  const days = new Set<string>();
  const seen = new Set<string>();
  let rows = 0;
  const lines = Readable.fromWeb(answer.body as never).pipe(parse({ columns: true }));
  for await (const line of lines as AsyncIterable<Record<string, string>>) {
    rows += 1;
    seen.add(`${line['ad_id']} ${line['date']}`);
    days.add(line['date'] as string);
    for (const name of Object.keys(totals))
      totals[name] = addDecimals(totals[name] as string, line[name.toLowerCase()] || '0');
  }
  expect(seen.size).toBe(rows);
  return { totals, days, rows };
}

beforeAll(async () => {
  host = await startSimulators({ ids: ['tiktok'], port: 0 });
  simulator = host.simulators['tiktok'] as RunningSimulator;
  const ready = simulator.ready as unknown as TikTokReady;
  organization = ready.advertiser_ids[0] as string;
  await control('PATCH', '/settings', { limits: 'off', report_delay_ms: 200 });
  await control('POST', '/seed', { volume: ADS, advertiser_id: organization, deleted_share: 0.05 });
  dataDir = await mkdtemp(join(tmpdir(), 'polyad-depth-'));
  const foreign = /^(POLYAD_|DATABASE_URL$|REDIS_URL$|NODE_ENV$|npm_lifecycle_event$|NODE_OPTIONS$|VITEST)/;
  env = {
    ...(Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name))) as Record<
      string,
      string
    >),
    POLYAD_DATA_DIR: dataDir,
    POLYAD_PORT: '0',
    POLYAD_SIMULATORS: 'off',
    POLYAD_LOG_LEVEL: 'error',
    POLYAD_TIKTOK_SIMULATOR_URL: simulator.url,
    POLYAD_QUOTA_TIERS: 'tiktok=Ultimate',
  };
  const app = await startApp({ config: loadConfig(env), log: createLog('silent'), rounds: false });
  const workspace = await createWorkspace(app.store.db, { name: 'Acme', default_environment: 'simulator' });
  ({ key } = await createApiKey(app.store.db, workspace.id, { name: 'test', scopes: ['admin'] }));
  const { app_id, secret, access_token } = ready;
  await call(app.url, 'PUT', '/v1/integrations/tiktokads/simulator', { app_id, secret });
  const made = await call(app.url, 'POST', '/unified/connection', {
    ...{ integration_type: 'tiktokads', environment: 'simulator', permissions: [], categories: ['ads'] },
    auth: { access_token },
  });
  connection = made.id;
  await app.close(1_000);
  const today = Date.parse(
    new Intl.DateTimeFormat('en-CA', { timeZone: 'America/Los_Angeles' }).format(simulator.clock.now()),
  );
  const day = (ago: number): string => new Date(today - ago * 86_400_000).toISOString().slice(0, 10);
  const start_date = day(DAYS);
  query = {
    ...{ org_id: organization, level: 'ad', dimension: 'DATE', start_gte: start_date, end_lt: day(0) },
    type: Object.keys(CHANNELS).join(','),
  };
  const path = `/ledger?advertiser_id=${organization}&start_date=${start_date}&end_date=${day(1)}`;
  const { totals } = await control('GET', path);
  ledger = Object.fromEntries(
    Object.entries(CHANNELS).map(([ours, theirs]) => [ours, addDecimals('0', String(totals[theirs]))]),
  );
}, 600_000);
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await host.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe.each([
  { way: 'TikTok’s report tasks', async_reports: true, route: 'tasks', routes: ['tasks'] },
  { way: 'calls, after TikTok refused tasks', async_reports: false, route: 'tasks', routes: ['calls'] },
])('400 days of all ads by $way', ({ async_reports, route, routes }) => {
  it('survive kill -9, and equal the ledger in every channel', { timeout: PATIENCE_MS * 2 }, async () => {
    await control('PATCH', '/settings', { async_reports });
    await control('DELETE', '/log');
    let server = await start();
    let grown = growth(server);
    const { id } = await call(server.url, 'POST', '/v1/report_jobs', {
      connection_id: connection,
      query,
      route,
      format: 'csv',
      cache: false,
    });
    // In the middle: some pieces are done, others are not.
    for (const share of [0.2, 0.6]) {
      const at = await watch(
        server,
        id,
        ({ progress }) => (progress?.pieces_done ?? 0) >= share * (progress?.pieces ?? 1e9),
      );
      expect(grown()).toBeLessThanOrEqual(GROWTH_MB);
      await end(server, 'SIGKILL');
      const kept = at.progress.pieces_done;
      server = await start();
      grown = growth(server);
      const again = await call(server.url, 'GET', `/v1/report_jobs/${id}`);
      expect(again.progress.pieces_done).toBeGreaterThanOrEqual(kept);
    }
    const job = await watch(server, id, ({ state }) => state === 'done');
    expect(grown()).toBeLessThanOrEqual(GROWTH_MB);
    expect(job.progress).toMatchObject({ percent: 100, routes });
    const result = await sums(server, id);
    expect(result.totals).toEqual(ledger);
    expect(result.rows).toBe(job.result.rows);
    expect(result.days.size).toBeGreaterThan(90);
    if (!async_reports) {
      // Asked for once or twice at most: several pieces may begin before the first refusal is known.
      const { requests } = await control('GET', '/log?path=report/task/create&limit=1000');
      expect(requests.map(({ code }: Json) => code).filter((code: number) => code !== 40118)).toEqual([]);
      expect(requests.length).toBeLessThanOrEqual(4);
    }
    await call(server.url, 'DELETE', `/v1/report_jobs/${id}`);
    await end(server, 'SIGTERM');
  });

  it('leave nothing behind that nobody needs', async () => {
    const files = await readdir(join(dataDir, 'reports'));
    expect(files.filter((name) => name.endsWith('.csv'))).toEqual([]);
  });
});

describe('each channel', () => {
  it('has purchases and values of its own in the ledger that the report was held against', () => {
    expect(Number(ledger['COST'])).toBeGreaterThan(0);
    const found = ['WEB', 'APP', 'SHOP', 'OFFLINE'].filter((channel) => Number(ledger[`${channel}_PURCHASES`]) > 0);
    expect(found).toEqual(['WEB', 'APP', 'SHOP', 'OFFLINE']);
  });
});

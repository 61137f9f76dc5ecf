/**
 * What a person's browser gets to see of a whole visit, and what a crash of the server leaves on the disk: pages, answers,
 * addresses, storage and console of a real browser, and the core dump. No secret is in any of it; and a secret that is there
 * on purpose is found.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, type Page, chromium as playwright } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulators } from '../../src/simulators/kit/host.ts';
import type { RunningSimulator } from '../../src/simulators/kit/types.ts';
import { ServerProcess, scenario } from '../scenarios/support/server-process.ts';
import { startTap, type Tap } from '../support/tap.ts';
import { type Artefact, findLeaks } from './support/leaks.ts';

const MASTER_KEY = randomBytes(32).toString('base64');
/** Flags for machines that run functions; here they would end the browser with the first window, or relax its rules. */
const UNWANTED = ['--single-process', '--no-zygote', '--disable-web-security', '--allow-running-insecure-content'];

const canaries = new Map<string, string>([['master key', MASTER_KEY]]);
const artefacts: Artefact[] = [];
const keep = (name: string, content: string): void => void artefacts.push({ name, content });
const SECRET_MEMBERS = /^(access_token|refresh_token|secret|client_secret)$/;
function learn(value: unknown): void {
  if (value === null || typeof value !== 'object') return;
  for (const [name, member] of Object.entries(value))
    if (typeof member === 'string' && SECRET_MEMBERS.test(name)) canaries.set(`${name} ${canaries.size}`, member);
    else learn(member);
}

let place: Awaited<ReturnType<typeof scenario>>;
let host: Awaited<ReturnType<typeof startSimulators>>;
let simulator: RunningSimulator;
let tap: Tap;
let server: ServerProcess;
let browser: Browser;
let page: Page;
const crashes = mkdtempSync(join(tmpdir(), 'polyad-core-'));

/** Whether the kernel writes core dumps into files beside the process here, and how large they may be made. */
const dumps =
  process.platform === 'linux' &&
  !/^[|/]/.test(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')) &&
  execFileSync('sh', ['-c', 'ulimit -H -c'], { encoding: 'utf8' }).trim() === 'unlimited';
const env = (): Record<string, string> => ({
  POLYAD_MASTER_KEY: MASTER_KEY,
  POLYAD_LOG_LEVEL: 'debug',
  POLYAD_SIMULATORS: 'off',
  POLYAD_TIKTOK_SIMULATOR_URL: tap.url,
  POLYAD_TIKTOK_SANDBOX_URL: `${tap.url}/sandbox`,
});
/** A server that may leave a core dump, whatever the shell of the test run says. */
const start = async (): Promise<ServerProcess> => {
  const through = dumps ? ['sh', '-c', 'ulimit -c unlimited && exec "$@"', 'sh'] : [];
  const started = await ServerProcess.start(place.dataDir, env(), [], { through, cwd: crashes });
  place.servers.push(started);
  return started;
};

beforeAll(async () => {
  place = await scenario();
  host = await startSimulators({ ids: ['tiktok'], port: 0 });
  simulator = host.simulators['tiktok'] as RunningSimulator;
  tap = await startTap(simulator.url);
  tap.change('/open_api', learn);
  learn({ secret: simulator.ready['secret'], access_token: simulator.ready['sandbox_access_token'] });
  server = await start();
  canaries.set('API key', server.ready.api_key as string);
  browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [...chromium.args.filter((flag) => !UNWANTED.includes(flag)), '--no-sandbox'],
    headless: true,
  });
  page = await browser.newPage();
  watch(page);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await place?.close();
  await tap?.close();
  await host?.close();
  rmSync(crashes, { recursive: true, force: true });
});

/** Keeps everything that the browser is told and tells, but for what it sends to us: that holds what the person typed. */
function watch(watched: Page): void {
  watched.on('console', (message) => keep('console', message.text()));
  watched.on('pageerror', (error) => keep('page error', `${error.message}\n${error.stack}`));
  watched.on('request', (request) => keep('request', `${request.url()}\n${request.headers()['referer'] ?? ''}`));
  watched.on('response', async (answer) => {
    if (!answer.url().startsWith(server.ready.url)) return;
    const body = await answer.text().catch(() => '');
    keep(
      `answer ${answer.request().method()} ${answer.url()}`,
      `${JSON.stringify(await answer.allHeaders())}\n${body}`,
    );
  });
}

/** The page as it is shown, with everything that scripts in it could read. */
async function look(name: string): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  keep(`page ${name}`, await page.content());
  const readable = await page.evaluate(() =>
    JSON.stringify([
      document.cookie,
      { ...localStorage },
      { ...sessionStorage },
      location.href,
      document.referrer,
      history.state,
      performance.getEntries().map((entry) => entry.name),
    ]),
  );
  keep(`what scripts of ${name} can read`, readable);
}

const flow = async (query: string): Promise<void> => {
  const { url, workspace_id } = server.ready;
  await page.goto(await (await fetch(`${url}/unified/integration/auth/${workspace_id}/tiktokads?${query}`)).text());
};
const press = (name: string | RegExp): Promise<void> => page.getByRole('button', { name }).first().click();
const signIn = async (key: string): Promise<void> => {
  await page.goto(`${server.ready.url}/dashboard`);
  await page.getByLabel('API key').fill(key);
  await press('Sign in');
};

describe('a browser', () => {
  it('goes through every page, with every kind of secret at hand', async () => {
    const { app_id, secret, sandbox_access_token, sandbox_advertiser_id } = simulator.ready as Record<string, string>;
    for (const environment of ['simulator', 'sandbox'])
      await server.json(`/v1/integrations/tiktokads/${environment}`, { method: 'PUT', body: { app_id, secret } });
    await page.goto(server.ready.url);
    await look('front');
    const wrong = `polyad_${randomBytes(20).toString('hex')}`;
    canaries.set('wrong key', wrong);
    await signIn(wrong);
    await look('refused sign-in');

    await flow('env=simulator&external_xref=browser');
    await look('connect');
    await press(/^Continue/);
    await press('Confirm');
    await page.getByRole('heading', { name: 'Connected' }).waitFor();
    await look('connected');
    await flow('env=sandbox');
    await look('form');
    await page.locator('input[name="access_token"]').fill(`wrong-${randomBytes(20).toString('hex')}`);
    canaries.set('wrong token', await page.locator('input[name="access_token"]').inputValue());
    await page.locator('input[name="organization_id"]').fill(String(sandbox_advertiser_id));
    await page.locator('form button.main').click();
    await look('form, wrong token');
    await page.locator('input[name="access_token"]').fill(String(sandbox_access_token));
    await page.locator('input[name="organization_id"]').fill(String(sandbox_advertiser_id));
    await page.locator('form button.main').click();
    await page.getByRole('heading', { name: 'Connected' }).waitFor();
    await look('form, connected');

    // A platform that quotes our secrets in its refusal, on the page that tells of it.
    const quoted = { code: 40110, message: `code is bad for ${secret}`, request_id: 'r', data: {} };
    const told = tap.answer('/oauth2/access_token/', { body: quoted });
    await flow('env=simulator');
    await press(/^Continue/);
    await press('Confirm');
    await look('failed');
    expect(told.hits).toBe(1);
    tap.clear();
    tap.change('/open_api', learn);

    // The grant is withdrawn; the customer comes by the link, and again.
    const [connection] = await server.json<{ id: string }[]>('/unified/connection?external_xref=browser');
    await fetch(`${simulator.controlUrl}/grants/revoke`, { method: 'POST', body: JSON.stringify({ app_id }) });
    await server.call(`/ads/${connection?.id}/organization`);
    const row = await server.json<{ health: { reconnect_url: string } }>(`/unified/connection/${connection?.id}`);
    await page.goto(row.health.reconnect_url);
    await look('connect again');
    await press(/^Continue/);
    await press('Confirm');
    await page.getByRole('heading', { level: 1 }).waitFor();
    await look('connected again');

    await signIn(server.ready.api_key as string);
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    await look('dashboard');
    await page.goto(`${server.ready.url}/docs/errors`);
    await look('errors');
    await page.goto(`${server.ready.url}/dashboard`);
    await press('Sign out');
    await look('signed out');
  }, 120_000);

  it('has seen none of them', () => {
    expect(artefacts.filter(({ name }) => name.startsWith('page ')).length).toBeGreaterThanOrEqual(11);
    expect(artefacts.filter(({ name }) => name.startsWith('answer ')).length).toBeGreaterThan(15);
    for (const kind of ['access_token', 'secret', 'API key', 'master key', 'wrong token'])
      expect([kind, [...canaries.keys()].some((name) => name.includes(kind))]).toEqual([kind, true]);
    expect(findLeaks(artefacts, canaries)).toEqual([]);
  });

  it('would have shown one: a secret that stands where a page repeats it is found', async () => {
    const planted = `planted-${randomBytes(24).toString('hex')}`;
    const from = artefacts.length;
    await page.goto(`${server.ready.url}/dashboard?error=x&error_description=${planted}`);
    await look('planted');
    const found = findLeaks(artefacts.slice(from), new Map([['planted', planted]]));
    expect(found.map(({ artefact }) => artefact)).toEqual(expect.arrayContaining(['request']));
  });
});

/** Which of the texts stand in a file, however large it is. */
function textsIn(path: string, texts: ReadonlyMap<string, string>): string[] {
  const found = new Set<string>();
  const [chunk, overlap] = [Buffer.alloc(16 * 1024 * 1024), 4_096];
  const file = openSync(path, 'r');
  try {
    for (let at = 0; ; at += chunk.length - overlap) {
      const read = readSync(file, chunk, 0, chunk.length, at);
      for (const [name, text] of texts) if (chunk.subarray(0, read).includes(text)) found.add(name);
      if (read < chunk.length) return [...found];
    }
  } finally {
    closeSync(file);
  }
}

describe('a core dump', () => {
  const filterOf = (pid: number): string => readFileSync(`/proc/${pid}/coredump_filter`, 'utf8').trim();
  /** Lets a server crash, and answers the file that it leaves. */
  async function crash(crashing: ServerProcess): Promise<string> {
    const before = new Set(readdirSync(crashes));
    expect(await crashing.end('SIGABRT')).toBe('SIGABRT');
    const left = readdirSync(crashes).filter((name) => !before.has(name));
    expect(left).toHaveLength(1);
    return join(crashes, left[0] as string);
  }

  it('holds no memory', async () => {
    if (process.platform !== 'linux') return expect(server.child.pid).toBeGreaterThan(0);
    expect(Number(filterOf(server.child.pid as number))).toBe(0);
    if (!dumps) {
      process.stderr.write(
        '\n*** No core dump is written where this test can look: only its filter is checked. ***\n\n',
      );
      return;
    }
    const file = await crash(server);
    expect(textsIn(file, canaries)).toEqual([]);
    rmSync(file);
  }, 60_000);

  it('would have held them all without that: the search finds them there', async () => {
    if (!dumps)
      return expect(readFileSync(new URL('../../src/cli/main.ts', import.meta.url), 'utf8')).toContain(
        'keepMemoryOutOfCoreDumps()',
      );
    const open = await start();
    await open.json(`/ads/${open.ready.connections[0]?.id}/organization`).catch(() => undefined);
    writeFileSync(`/proc/${open.child.pid}/coredump_filter`, '0x33');
    const file = await crash(open);
    const found = textsIn(file, canaries);
    rmSync(file);
    expect(found).toEqual(expect.arrayContaining(['API key', 'master key']));
  }, 120_000);
});

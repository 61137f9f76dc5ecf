/**
 * Secrets are put in everywhere, everything is done with them that polyad can do, and then every trace is searched: logs,
 * the database as text and as files, answers, error answers, pages, exports, the simulator's log, command lines' output, a
 * diagnostic report. None is found; and a leak that is put there on purpose is.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openVault } from '../../src/app/secrets.ts';
import { systemClock } from '../../src/core/clock.ts';
import { loadConfig } from '../../src/core/config.ts';
import { openStore } from '../../src/core/store/port.ts';
import { startSimulators } from '../../src/simulators/kit/host.ts';
import type { RunningSimulator } from '../../src/simulators/kit/types.ts';
import { cleanEnv, runCli, ServerProcess, scenario } from '../scenarios/support/server-process.ts';
import { startTap, type Tap } from '../support/tap.ts';
import { type Artefact, filesUnder, findLeaks } from './support/leaks.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes; each test says what it expects.
type Json = any;

const MASTER_KEY = randomBytes(32).toString('base64');
const METRICS_TOKEN = `metrics-${randomBytes(16).toString('hex')}`;
const TYPE = 'tiktokads';

const canaries = new Map<string, string>();
const artefacts: Artefact[] = [];
const keep = (name: string, content: string | Buffer): void => void artefacts.push({ name, content });
/** Tokens and codes in what went between polyad and the platform. */
const SECRET_MEMBERS = /^(access_token|refresh_token|auth_code|secret|client_secret)$/;
function learn(value: unknown, where: string): void {
  if (value === null || typeof value !== 'object') return;
  for (const [name, member] of Object.entries(value))
    if (typeof member === 'string' && SECRET_MEMBERS.test(name))
      canaries.set(`${where} ${name} ${canaries.size}`, member);
    else learn(member, where);
}

let place: Awaited<ReturnType<typeof scenario>>;
let host: Awaited<ReturnType<typeof startSimulators>>;
let simulator: RunningSimulator;
let tap: Tap;
let server: ServerProcess;
const reports = mkdtempSync(join(tmpdir(), 'polyad-report-'));

const env = (): Record<string, string> => ({
  POLYAD_MASTER_KEY: MASTER_KEY,
  POLYAD_METRICS_TOKEN: METRICS_TOKEN,
  POLYAD_LOG_LEVEL: 'debug',
  POLYAD_SIMULATORS: 'off',
  POLYAD_TIKTOK_SIMULATOR_URL: tap.url,
});

/** A request whose answer, head and body, is searched later. */
async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(path.startsWith('http') ? path : `${server.ready.url}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      authorization: `Bearer ${server.ready.api_key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  keep(`answer ${method} ${path}`, `${JSON.stringify([...answer.headers])}\n${text}`);
  let json: Json;
  try {
    json = JSON.parse(text);
  } catch {}
  return { status: answer.status, headers: answer.headers, text, json };
}

/** The connect flow, page by page. Pages and redirects to the caller are searched; the code on its way is a canary. */
async function connect(query: Record<string, string> = {}, consent: Json = {}): Promise<URLSearchParams> {
  const { ready } = server;
  const search = new URLSearchParams({
    env: 'simulator',
    success_redirect: `${ready.url}/dashboard`,
    failure_redirect: `${ready.url}/dashboard`,
    ...query,
  });
  const link = (await ask('GET', `/unified/integration/auth/${ready.workspace_id}/${TYPE}?${search}`)).text;
  const page = await ask('GET', link);
  const cookie = page.headers
    .getSetCookie()
    .map((one) => one.split(';', 1)[0])
    .join('; ');
  const form = { cookie, 'content-type': 'application/x-www-form-urlencoded' };
  const going = await ask('POST', link, 'action=continue', form);
  const asked = Object.fromEntries(new URL(going.headers.get('location') as string).searchParams);
  const { redirect_url: back } = await control('POST', '/authorize', { ...asked, ...consent });
  const code = new URL(back).searchParams.get('auth_code') ?? new URL(back).searchParams.get('code');
  if (code !== null) canaries.set(`code ${canaries.size}`, code);
  // Its own address holds the code: that is how OAuth works. What we answer must not.
  const done = await fetch(back, { redirect: 'manual', headers: { cookie } });
  keep('answer of the callback', `${JSON.stringify([...done.headers])}\n${await done.text()}`);
  return new URL(done.headers.get('location') as string).searchParams;
}

async function control(method: string, path: string, body?: unknown): Promise<Json> {
  const answer = await fetch(`${simulator.controlUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return answer.json();
}

/** The text that a database dump would hold, and the secrets themselves, opened with the master key. */
async function dump(): Promise<{ text: string; secrets: Json[] }> {
  const store = await openStore({ dataDir: place.dataDir, log: { debug() {}, info() {}, warn() {}, error() {} } });
  try {
    const { rows: tables } = await sql<{ name: string }>`
      select table_name as name from information_schema.tables where table_schema = current_schema()`.execute(store.db);
    let text = '';
    for (const { name } of tables)
      text += `${name}\n${JSON.stringify((await sql`select * from ${sql.table(name)}`.execute(store.db)).rows)}\n`;
    const config = loadConfig({ POLYAD_DATA_DIR: place.dataDir, POLYAD_MASTER_KEY: MASTER_KEY });
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const vault = await openVault({ config, store, clock: systemClock, log }, { server: false });
    const rows = await store.db.selectFrom('secrets').selectAll().execute();
    const secrets = await Promise.all(
      rows.map(
        async ({ workspace_id: workspaceId, owner_kind: kind, owner_id: id, kind: what }) =>
          (await vault.secrets.get(store.db, { workspaceId, kind, id }, what))?.plain,
      ),
    );
    await vault.close();
    return { text, secrets };
  } finally {
    await store.close();
  }
}

beforeAll(async () => {
  place = await scenario();
  host = await startSimulators({ ids: ['tiktok'], port: 0, log: (line) => keep('simulator line', line) });
  simulator = host.simulators['tiktok'] as RunningSimulator;
  tap = await startTap(simulator.url);
  tap.change('/open_api', (json) => learn(json, 'platform'));
  learn({ secret: simulator.ready['secret'] }, 'app');
  canaries.set('master key', MASTER_KEY);
  canaries.set('master key in base64url', Buffer.from(MASTER_KEY, 'base64').toString('base64url'));
  canaries.set('metrics token', METRICS_TOKEN);
  server = await ServerProcess.start(place.dataDir, {
    ...env(),
    NODE_OPTIONS: `--report-on-signal --report-signal=SIGUSR2 --report-directory=${reports}`,
  });
  place.servers.push(server);
  canaries.set('API key', server.ready.api_key as string);
}, 120_000);
afterAll(async () => {
  await place.close();
  await tap.close();
  await host.close();
});

describe('secrets', () => {
  it('are put in, and everything is done with them', async () => {
    const { ready } = simulator;
    const secret = ready['secret'] as string;
    const stored = await ask('PUT', `/v1/integrations/${TYPE}/simulator`, { app_id: ready['app_id'], secret });
    expect(stored.status).toBe(200);
    await ask('GET', `/v1/integrations/${TYPE}/simulator`);
    await ask('PUT', `/v1/integrations/${TYPE}/simulator`, { app_id: ready['app_id'], secret, nonsense: secret });
    await ask('PUT', `/v1/integrations/${TYPE}/simulator`, `{"secret": "${secret}", `);

    // Connect; also with tokens that are renewed.
    const id = (await connect()).get('id') as string;
    expect(id).toMatch(/^[0-9a-f]{24}$/);
    await control('PATCH', '/settings', { token_model: 'guide', refresh_rotation: true });
    const renewed = (await connect({ external_xref: 'renewed' })).get('id') as string;
    expect(renewed).toMatch(/^[0-9a-f]{24}$/);
    expect([...canaries.keys()].some((name) => name.includes('refresh_token'))).toBe(true);

    // Calls that work, by every door.
    const [account] = (await ask('GET', `/ads/${id}/organization`)).json as Json[];
    await ask('GET', `/ads/${id}/campaign?org_id=${account.id}&limit=3&fields=id,name,raw`);
    const appId = String(ready['app_id']);
    const own = `/passthrough/${id}/open_api/v1.3/oauth2/advertiser/get/?app_id=${appId}&secret=${secret}`;
    expect((await ask('GET', own)).json.code).toBe(0);
    await ask('GET', `/passthrough/${id}/open_api/v1.3/user/info/?x=${encodeURIComponent(encodeURIComponent(secret))}`);
    const body = {
      name: 'Canary',
      goal: 'REACH',
      organization_id: account.id,
      budget_amount: 100,
      budget_period: 'DAILY',
    };
    const campaign = (await ask('POST', `/ads/${id}/campaign`, body, { 'idempotency-key': 'leak-1' })).json;
    await ask('PUT', `/ads/${id}/campaign/${campaign.id}`, { name: 'Canary 2' });
    await ask('PUT', `/ads/${id}/campaign/${campaign.id}?dry_run=true`, { budget_amount: 500 });

    // The platform quotes what it was sent, in every way it can.
    const seen = (member: string): string =>
      [...canaries].find(([name]) => name.startsWith('platform') && name.includes(member))?.[1] as string;
    const [token, refresh] = [seen('access_token'), seen('refresh_token')];
    const quotes: [number, unknown][] = [
      [200, { code: 40002, message: `Access-Token ${token} is bad, secret=${secret}`, request_id: 'r', data: {} }],
      [
        200,
        { code: 51234, message: `?secret=${encodeURIComponent(secret)}&t=${refresh}`, request_id: token, data: {} },
      ],
      [200, { code: 40001, message: 'No permission', request_id: 'r', data: { quoted: token } }],
      [500, `<html><body>Access-Token: ${token}<br>${secret}</body></html>`],
      [200, `not json ${token}`],
      [403, { error: { [token]: secret } }],
    ];
    for (const [status, answer] of quotes) {
      tap.answer('/campaign/get/', { status, body: answer });
      await ask('GET', `/ads/${id}/campaign?org_id=${account.id}&limit=1`);
      tap.answer('/campaign/update/', { status, body: answer });
      await ask('PUT', `/ads/${id}/campaign/${campaign.id}?org_id=${account.id}`, { name: 'Canary 3' });
    }
    tap.clear();
    tap.change('/open_api', (json) => learn(json, 'platform'));

    // An expired token is renewed; a renewal that the platform refuses with our own words.
    tap.answer('/campaign/get/', { body: { code: 40102, message: `expired ${token}`, request_id: 'r', data: {} } });
    await ask('GET', `/ads/${renewed}/campaign?org_id=${account.id}&limit=1`);
    tap.answer('refresh_token', {
      body: { code: 40002, message: `bad ${refresh} with ${secret}`, request_id: 'r', data: {} },
    });
    await ask('GET', `/ads/${renewed}/campaign?org_id=${account.id}&limit=1`);
    tap.answer('/oauth2/access_token/', {
      body: { code: 40110, message: `code is bad: ${secret}`, request_id: 'r', data: {} },
    });
    const failed = await connect();
    expect(failed.get('error')).toBeTruthy();
    keep('failure redirect', failed.toString());
    tap.clear();
    tap.change('/open_api', (json) => learn(json, 'platform'));

    // A revoked grant, imports that are wrong, a connection that is deleted.
    tap.answer('/campaign/get/', { body: { code: 40105, message: `revoked: ${token}`, request_id: 'r', data: {} } });
    await ask('GET', `/ads/${renewed}/campaign?org_id=${account.id}&limit=1`);
    tap.clear();
    tap.change('/open_api', (json) => learn(json, 'platform'));
    const auth = { access_token: `imported-${randomBytes(20).toString('hex')}` };
    learn(auth, 'import');
    await ask('POST', '/unified/connection', { integration_type: TYPE, environment: 'simulator', auth });
    await ask('POST', '/unified/connection', {
      integration_type: TYPE,
      environment: 'simulator',
      auth: { ...auth, x: [] },
    });
    await ask('PATCH', `/unified/connection/${id}`, { auth });
    await ask('DELETE', `/unified/connection/${renewed}`);

    // Keys: made, rotated, wrong; in headers, addresses and forms.
    const key = await server.json<Json>('/v1/keys', { method: 'POST', body: { name: 'leak', scopes: ['admin'] } });
    canaries.set('second API key', key.key);
    const next = await server.json<Json>(`/v1/keys/${key.id}/rotate`, { method: 'POST', body: {} });
    canaries.set('rotated API key', next.key);
    const wrong = `polyad_${randomBytes(20).toString('hex')}`;
    canaries.set('wrong API key', wrong);
    await ask('GET', '/v1/keys', undefined, { authorization: wrong });
    await ask('GET', `/unified/apicall?api_key=${wrong}&authorization=${key.key}`);
    await ask('GET', `/unified/connection?token=${encodeURIComponent(key.key)}`, undefined, {
      authorization: next.key,
    });
    await ask('GET', `/nowhere/${key.key}?secret=${secret}`);
    await ask('GET', '/v1/keys', undefined, { 'user-agent': `agent ${key.key}`, 'x-request-id': 'leak-request' });
    await ask('GET', '/metrics', undefined, { authorization: `Bearer ${METRICS_TOKEN}x` });
    await ask('GET', '/metrics', undefined, { authorization: `Bearer ${METRICS_TOKEN}` });

    // Pages.
    const form = { origin: server.ready.url, 'content-type': 'application/x-www-form-urlencoded' };
    const signedIn = await ask('POST', '/dashboard/sign-in', `key=${key.key}`, form);
    const cookie = (signedIn.headers.getSetCookie()[0] as string).split(';', 1)[0] as string;
    for (const path of ['/dashboard', '/', '/docs/errors', '/dashboard?error=x&error_description=said'])
      await ask('GET', path, undefined, { cookie });
    await ask('POST', '/dashboard/sign-in', `key=${wrong}`, form);
    await ask('POST', '/dashboard/sign-out', '', { ...form, cookie });
  }, 120_000);

  it('are in nothing that can be exported, nor in the output of commands', async () => {
    for (const path of [
      '/v1/audit',
      '/v1/audit/verify',
      '/v1/events?limit=100',
      '/unified/apicall?limit=100',
      '/unified/apicall?error=true&limit=100',
      '/unified/connection',
      '/unified/integration',
      '/v1/keys',
      '/v1/workspaces',
      '/v1/quotas',
      '/v1/vault',
      '/openapi.json',
    ])
      await ask('GET', path);
    keep('simulator log', JSON.stringify(await control('GET', '/log?limit=20000')));
    const target = { ...cleanEnv(place.dataDir, env()) };
    for (const args of [
      ['keys', 'list'],
      ['keys', 'list', '--key', 'polyad_wrong'],
      ['call', 'connections', 'list'],
      ['call', 'ads', 'campaign', 'get', '1'],
      ['audit', 'export'],
      ['audit', 'verify'],
      ['doctor'],
      ['start', '--port', 'nonsense'],
    ]) {
      const ended = await runCli(args, target);
      keep(`polyad ${args.join(' ')}`, ended.stdout + ended.stderr);
    }
    server.child.kill('SIGUSR2');
    await expect.poll(() => readdirSync(reports).length, { timeout: 20_000 }).toBe(1);
    await expect
      .poll(() =>
        readFileSync(join(reports, readdirSync(reports)[0] as string), 'utf8')
          .trimEnd()
          .endsWith('}'),
      )
      .toBe(true);
    for (const file of readdirSync(reports)) keep(`report ${file}`, readFileSync(join(reports, file)));
    expect(await server.end()).toBe(0);
    // The first line is what a script asked for: it holds the key. Everything after it is not.
    const [first = '', ...rest] = server.output.stdout.split('\n');
    expect(first).toContain(server.ready.api_key);
    keep('stdout after the ready line', rest.join('\n'));
    keep('log', server.output.stderr);
    const { text, secrets } = await dump();
    for (const plain of secrets) learn(plain, 'vault');
    keep('database dump', text);
    // The demo key lies in a file that says so, readable by its owner alone.
    for (const file of filesUnder(place.dataDir, (path) => path === 'demo.json')) artefacts.push(file);
  }, 120_000);

  it('are found in none of it', () => {
    // The run was a real one: much was kept, and much was there to leak.
    expect(artefacts.length).toBeGreaterThan(100);
    expect(canaries.size).toBeGreaterThan(15);
    for (const kind of ['access_token', 'refresh_token', 'secret', 'code', 'API key', 'master key'])
      expect([kind, [...canaries.keys()].some((name) => name.includes(kind))]).toEqual([kind, true]);
    const log = artefacts.find(({ name }) => name === 'log')?.content as string;
    expect(log.split('\n').length).toBeGreaterThan(100);
    expect(log).toContain('[hidden]');
    expect(findLeaks(artefacts, canaries)).toEqual([]);
  });
});

describe('the search itself', () => {
  it.each([
    ['as it is', (secret: string) => `x${secret}y`],
    ['percent-encoded', (secret: string) => encodeURIComponent(`&${secret}&`)],
    ['encoded twice', (secret: string) => encodeURIComponent(encodeURIComponent(`/${secret}=`))],
    ['in JSON in JSON', (secret: string) => JSON.stringify(JSON.stringify({ secret }))],
    ['in a Basic header', (secret: string) => `Basic ${Buffer.from(`client:${secret}`).toString('base64')}`],
    ['in hexadecimal', (secret: string) => Buffer.from(secret).toString('hex')],
    ['cut in half', (secret: string) => `${secret.slice(0, Math.ceil(secret.length / 2))}…`],
    [
      'in a file of bytes',
      (secret: string) => Buffer.concat([Buffer.from([0, 255, 1]), Buffer.from(secret), Buffer.from([0])]),
    ],
  ])('finds a secret %s', (_name, write) => {
    const secret = randomBytes(32).toString('hex');
    expect(findLeaks([{ name: 'a', content: write(secret) }], new Map([['planted', secret]]))).not.toEqual([]);
    expect(
      findLeaks([{ name: 'a', content: write(randomBytes(32).toString('hex')) }], new Map([['planted', secret]])),
    ).toEqual([]);
  });

  it('finds a leak that is planted in a running server: a secret that a caller writes where none belongs', async () => {
    const planted = `planted-${randomBytes(24).toString('hex')}`;
    server = await ServerProcess.start(place.dataDir, env());
    place.servers.push(server);
    const [connection] = await server.json<Json[]>('/unified/connection');
    await server.json(`/unified/connection/${connection.id}`, { method: 'PATCH', body: { external_xref: planted } });
    const answer = await (await server.call(`/unified/connection/${connection.id}`)).text();
    await server.end();
    const { text } = await dump();
    const found = findLeaks(
      [
        { name: 'database dump', content: text },
        { name: 'answer', content: answer },
        ...filesUnder(place.dataDir, (path) => path === 'demo.json'),
      ],
      new Map([['planted', planted]]),
    );
    const where = new Set(found.map(({ artefact }) => artefact.split(' ')[0]));
    expect([...where].sort()).toEqual(['answer', 'database', 'file']);
  }, 120_000);
});

/** The whole way over HTTP: our server, the TikTok module, the TikTok simulator, a browser with a cookie jar. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildCore, type Core } from '../../src/app/services.ts';
import { loadConfig } from '../../src/core/config.ts';
import { loadPlatforms } from '../../src/core/connector/registry.ts';
import { openStore, type Store } from '../../src/core/store/port.ts';
import { createApiKey, createWorkspace } from '../../src/core/store/repositories/index.ts';
import type { WorkspaceRow } from '../../src/core/store/schema.ts';
import { buildServer } from '../../src/server/app.ts';
import { startTikTok, type TestTikTok } from '../support/tiktok-simulator.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes; each test says what it expects.
type Json = any;

const DAY = 86_400_000;
const clock = new VirtualClock();
const lines: string[] = [];
const line = (facts: object, text: string): void => void lines.push(JSON.stringify({ ...facts, text }));
const log = { debug: line, info: line, warn: line, error: line };

let tiktok: TestTikTok;
let store: Store;
let core: Core;
let server: Awaited<ReturnType<typeof buildServer>>;
let workspace: WorkspaceRow;
let url = '';
let key = '';
let dataDir: string;

/** Time goes on whenever somebody waits for it (for a place in TikTok's quota). */
const pump = setInterval(() => void (clock.sleeping > 0 && clock.step()), 5);

beforeAll(async () => {
  tiktok = await startTikTok();
  await tiktok.control('POST', '/clock/freeze', { frozen: true });
  await tiktok.control('POST', '/clock/set', { at: clock.now().toISOString() });
  clock.onAdvance = async (ms) => void (await tiktok.control('POST', '/clock/advance', { ms }));
  dataDir = await mkdtemp(join(tmpdir(), 'polyad-tiktok-connect-'));
  const config = loadConfig({
    POLYAD_DATA_DIR: dataDir,
    POLYAD_TIKTOK_SIMULATOR_URL: tiktok.url,
    POLYAD_TIKTOK_SANDBOX_URL: `${tiktok.url}/sandbox`,
  });
  store = await openStore({ dataDir, log });
  workspace = await createWorkspace(store.db, { name: 'Acme', default_environment: 'simulator' });
  key = (await createApiKey(store.db, workspace.id, { name: 'test', scopes: ['admin'] })).key;
  const registry = await loadPlatforms(new URL('../../src/platforms/', import.meta.url));
  core = await buildCore({ config, store, registry, clock, log, publicUrl: () => url });
  server = await buildServer(core.runtime, core.services);
  url = await server.listen({ port: 0, host: '127.0.0.1' });
  const stored = await call('PUT', '/v1/integrations/tiktokads/simulator', {
    app_id: tiktok.ready.app_id,
    secret: tiktok.ready.secret,
  });
  expect(stored.status).toBe(200);
});
afterAll(async () => {
  clearInterval(pump);
  await server.close();
  await core.close();
  await store.close();
  await tiktok.close();
  await rm(dataDir, { recursive: true, force: true });
});
beforeEach(() => tiktok.control('PATCH', '/settings', { token_model: 'official' }));

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}

/** The auth address, as a client asks for it. */
async function authUrl(query: Record<string, string> = {}): Promise<string> {
  const answer = await fetch(`${url}/unified/integration/auth/${workspace.id}/tiktokads?${new URLSearchParams(query)}`);
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  return answer.text();
}

/** A browser that goes as far as the platform, and what it needs to come back. */
async function go(
  query: Record<string, string> = {},
): Promise<{ page: string; headers: Headers; cookie: string; location: string }> {
  const link = await authUrl(query);
  const page = await fetch(link);
  const cookie = page.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
  const answer = await fetch(link, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'action=continue',
  });
  expect(answer.status).toBe(302);
  return { page: await page.text(), headers: page.headers, cookie, location: answer.headers.get('location') as string };
}

/** The person's decision at the platform, and our callback's answer. */
async function decide(from: { cookie: string; location: string }, more: object = {}): Promise<Response> {
  const { searchParams } = new URL(from.location);
  const { client_key, ...asked } = Object.fromEntries(searchParams);
  const { redirect_url } = await tiktok.control('POST', '/authorize', {
    ...asked,
    ...(client_key === undefined ? {} : { app_id: client_key, kind: 'tt_user' }),
    ...more,
    ...('scope' in more ? {} : { scope: undefined }),
  });
  return fetch(redirect_url, { redirect: 'manual', headers: { cookie: from.cookie } });
}

/** Text of an HTML attribute. */
const unescaped = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&#38;', '&')
    .replaceAll('&amp;', '&');

const back = (answer: Response): URLSearchParams => new URL(answer.headers.get('location') as string).searchParams;
const targets = () => ({
  success_redirect: `${url}/dashboard`,
  failure_redirect: `${url}/dashboard?failed=1`,
  state: 'abc',
});
const campaigns = (id: string) => call('GET', `/ads/${id}/campaign?org_id=${tiktok.ready.advertiser_ids[0]}&limit=1`);

describe('TikTok, connected over HTTP', () => {
  it('from the auth address to a connection that answers', async () => {
    const from = await go({ ...targets(), external_xref: 'customer-1' });
    expect(from.page).toContain('Acme asks to connect to your TikTok');
    expect(from.headers.get('content-security-policy')).toContain(new URL(tiktok.url).origin);
    expect(from.headers.get('content-security-policy')).not.toContain("form-action 'self';");
    const authorize = new URL(from.location);
    expect(authorize.pathname).toBe('/portal/auth');
    expect(authorize.searchParams.get('redirect_uri')).toBe(`${url}/connect/callback/tiktokads`);

    const answer = await decide(from);
    expect(answer.status).toBe(302);
    expect(back(answer).get('state')).toBe('abc');
    const id = back(answer).get('id') as string;
    const { body } = await call('GET', `/unified/connection/${id}`);
    expect(body).toMatchObject({
      integration_type: 'tiktokads',
      environment: 'simulator',
      external_xref: 'customer-1',
      health: { state: 'healthy' },
      permissions: expect.arrayContaining(['ads_campaign_write', 'ads_report_read']),
    });
    expect(body.auth.meta.organization_ids).toEqual(expect.arrayContaining(tiktok.ready.advertiser_ids));
    expect(body.auth).not.toHaveProperty('expiry_date');
    expect((await campaigns(id)).status).toBe(200);
  });

  it('by the consent page that a person clicks', async () => {
    const from = await go(targets());
    const consent = await fetch(from.location);
    const html = await consent.text();
    expect(html).toContain('simulator');
    const fields = new URLSearchParams();
    for (const [tag] of html.matchAll(/<input[^>]*>/g)) {
      const name = /name="([^"]*)"/.exec(tag)?.[1];
      const type = /type="([^"]*)"/.exec(tag)?.[1];
      if (name === undefined || (type === 'radio' && !/\bchecked\b/.test(tag))) continue;
      fields.append(name, unescaped(/value="([^"]*)"/.exec(tag)?.[1] ?? ''));
    }
    const action = unescaped(/<form[^>]*action="([^"]*)"/.exec(html)?.[1] ?? '');
    fields.append('decision', 'approve');
    const decided = await fetch(new URL(action, from.location), { method: 'POST', body: fields, redirect: 'manual' });
    expect(decided.status, await decided.text()).toBe(302);
    const answer = await fetch(decided.headers.get('location') as string, {
      redirect: 'manual',
      headers: { cookie: from.cookie },
    });
    expect(back(answer).get('id')).toMatch(/^[0-9a-f]{24}$/);
  });

  it('redirects at once when asked, and says no to whom it does not know', async () => {
    const answer = await fetch(`${url}/unified/integration/auth/${workspace.id}/tiktokads?redirect=true`, {
      redirect: 'manual',
    });
    expect(answer.status).toBe(302);
    expect(answer.headers.get('location')).toContain(`${url}/connect/`);
    for (const [path, status] of [
      [`${'f'.repeat(24)}/tiktokads`, 404],
      [`${workspace.id}/nonsense`, 404],
      [`${workspace.id}/tiktokads?success_redirect=https://evil.example/`, 400],
      [`${workspace.id}/tiktokads?env=production`, 409],
    ] as const)
      expect((await fetch(`${url}/unified/integration/auth/${path}`)).status, path).toBe(status);
  });

  it('tells the caller of a decline', async () => {
    const answer = await decide(await go(targets()), { decline: true });
    expect(Object.fromEntries(back(answer))).toMatchObject({ failed: '1', error: 'oauth_denied', state: 'abc' });
  });

  it('grants what the person ticked: fewer accounts, fewer permissions', async () => {
    const one = tiktok.ready.advertiser_ids[0] as string;
    const answer = await decide(await go(targets()), { advertiser_ids: [one], scope: ['1', '200', '44'] });
    const id = back(answer).get('id') as string;
    const { body } = await call('GET', `/unified/connection/${id}`);
    expect(body.auth.meta).toMatchObject({ organization_ids: [one], scopes: expect.arrayContaining(['200', '44']) });
    expect(body.permissions).toContain('ads_campaign_read');
    expect(body.permissions).not.toContain('ads_campaign_write');
    expect((await call('GET', `/ads/${id}/organization`)).body.map((row: Json) => row.id)).toEqual([one]);
  });

  it('follows the guide’s token model when the answer shows it: a day’s token, renewed once, before its end', async () => {
    await tiktok.control('PATCH', '/settings', { token_model: 'guide' });
    const id = back(await decide(await go(targets()))).get('id') as string;
    const { body } = await call('GET', `/unified/connection/${id}`);
    expect(DAY - (Date.parse(body.auth.expiry_date) - clock.now().getTime())).toBeLessThan(10_000);
    expect(Date.parse(body.auth.refresh_token_expires_date)).toBeGreaterThan(clock.now().getTime() + 300 * DAY);
    const refreshes = async () => (await tiktok.control('GET', '/log?path=refresh_token')).requests.length;
    const before = await refreshes();
    await clock.advance(DAY + 1000);
    const answers = await Promise.all(Array.from({ length: 10 }, () => campaigns(id)));
    expect(answers.map((answer) => answer.status)).toEqual(Array(10).fill(200));
    expect(await refreshes()).toBe(before + 1);
    const after = (await call('GET', `/unified/connection/${id}`)).body;
    expect(Date.parse(after.auth.expiry_date)).toBeGreaterThan(clock.now().getTime());
  });

  it('asks for re-authorization after the refresh token’s year, and heals in place by the link', async () => {
    await tiktok.control('PATCH', '/settings', { token_model: 'guide' });
    const id = back(await decide(await go(targets()))).get('id') as string;
    await clock.advance(366 * DAY);
    const dead = await campaigns(id);
    expect(dead).toMatchObject({
      status: 403,
      body: { code: 'connection_reconnect_required', actor: 'customer', retry: 'never' },
    });
    const link = new URL(dead.body.details.reconnect_url);
    expect(link.origin).toBe(url);
    const from = await go({ ...Object.fromEntries(link.searchParams), redirect: 'false', ...targets() });
    expect(from.page).toContain('again');
    const answer = await decide(from);
    expect(back(answer).get('id')).toBe(id);
    expect((await campaigns(id)).status).toBe(200);
    expect((await call('GET', `/unified/connection/${id}`)).body.health).toMatchObject({ state: 'healthy' });
  });

  it('connects a TikTok account by the other grant, with a redirect address that ends in a slash', async () => {
    const from = await go({ ...targets(), grant: 'tt_user' });
    const authorize = new URL(from.location);
    expect(authorize.pathname).toBe('/v2/auth/authorize/');
    expect(authorize.searchParams.get('redirect_uri')).toBe(`${url}/connect/callback/tiktokads/`);
    const answer = await decide(from);
    const { body } = await call('GET', `/unified/connection/${back(answer).get('id')}`);
    expect(body.auth.meta.grant).toBe('tt_user');
    expect(DAY - (Date.parse(body.auth.expiry_date) - clock.now().getTime())).toBeLessThan(10_000);
  });

  it('takes a sandbox token by form and by import, and no token of another environment', async () => {
    const link = await authUrl({ ...targets(), env: 'Sandbox' });
    const page = await fetch(link);
    const cookie = page.headers
      .getSetCookie()
      .map((one) => one.split(';')[0])
      .join('; ');
    expect(await page.text()).toContain('Advertiser ID');
    const submit = (fields: Record<string, string>) =>
      fetch(link, { method: 'POST', redirect: 'manual', headers: { cookie }, body: new URLSearchParams(fields) });
    const { sandbox_access_token: token, sandbox_advertiser_id: advertiser, access_token: production } = tiktok.ready;
    const wrong = await submit({ access_token: production, organization_id: advertiser });
    expect(wrong.status).toBe(422);
    expect(await wrong.text()).not.toContain(production);
    const right = await submit({ access_token: token, organization_id: advertiser });
    expect(right.status, (await right.clone().text()).replace(/<style[\s\S]*?<.style>/, '')).toBe(302);
    const id = back(right).get('id') as string;
    expect((await call('GET', `/ads/${id}/organization`)).body.map((row: Json) => row.id)).toEqual([advertiser]);

    const imported = await call('POST', '/unified/connection', {
      integration_type: 'tiktokads',
      environment: 'Sandbox',
      permissions: [],
      categories: ['ads'],
      auth: { access_token: token, meta: { advertiser_ids: [advertiser] } },
    });
    expect(imported).toMatchObject({
      status: 200,
      body: { environment: 'Sandbox', auth: { meta: { organization_ids: [advertiser] } } },
    });
    const crossed = await call('POST', '/unified/connection', {
      integration_type: 'tiktokads',
      environment: 'simulator',
      auth: { access_token: token },
    });
    expect(crossed.body.code).toBe('environment_crossed');
  });

  it('stops at once when the customer revokes: one refusal at TikTok, none after', async () => {
    const id = back(await decide(await go(targets()))).get('id') as string;
    expect((await campaigns(id)).status).toBe(200);
    await tiktok.control('POST', '/grants/revoke', { app_id: tiktok.ready.app_id });
    const first = await campaigns(id);
    expect(first).toMatchObject({
      status: 403,
      body: { code: 'connection_reconnect_required', platform: { code: '40105' } },
    });
    const count = async () => (await tiktok.control('GET', '/log?path=campaign/get&limit=1000')).requests.length;
    const before = await count();
    for (let n = 0; n < 5; n += 1) expect((await campaigns(id)).body.code).toBe('connection_reconnect_required');
    expect(await count()).toBe(before);
    const { body } = await call('GET', `/unified/connection/${id}`);
    expect(body).toMatchObject({
      last_unhealthy_code: 'connection_reconnect_required',
      health: { state: 'unhealthy', who: 'customer' },
    });
    expect(body.health.reconnect_url).toContain(`connection_id=${id}`);
  });

  it('keeps every secret out of the log', () => {
    const all = lines.join('\n');
    for (const secret of [tiktok.ready.secret, tiktok.ready.access_token, tiktok.ready.sandbox_access_token])
      expect(all).not.toContain(secret);
    expect(all).not.toMatch(/auth_code=(?!\[hidden\])/);
  });
});

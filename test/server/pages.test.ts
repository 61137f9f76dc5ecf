import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/core/errors/index.ts';
import { createApiKey, revokeApiKey } from '../../src/core/store/repositories/index.ts';
import { type Harness, startHarness } from './support/harness.ts';
import { json } from './support/upstream.ts';

let h: Harness;
beforeAll(async () => {
  h = await startHarness();
});
afterAll(() => h.close());

const page = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await h.fetch(path, { key: null, headers: { accept: 'text/html', ...headers } });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
};

/** Addresses that a page makes a browser load. */
const loaded = (text: string): string[] =>
  [...text.matchAll(/<(?:link|script|img|iframe)[^>]+(?:href|src)="([^"]+)"/g)].map((match) => match[1] as string);

describe('pages', () => {
  it.each(['/', '/docs/errors', '/dashboard/sign-in', '/docs/'])('%s load nothing from other hosts', async (path) => {
    const { status, text, headers } = await page(path);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/html/);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('http');
    for (const address of loaded(text)) expect(new URL(address, `${h.url}${path}`).origin).toBe(h.url);
    expect(text).not.toMatch(/https?:\/\/(?!127\.0\.0\.1)[a-z]/);
  });

  it('serve the files that they load', async () => {
    for (const path of ['/', '/docs/'])
      for (const address of loaded((await page(path)).text)) {
        const answer = await fetch(new URL(address, `${h.url}${path}`));
        expect([address, answer.status]).toEqual([address, 200]);
        expect((await answer.text()).length).toBeGreaterThan(100);
      }
  });

  it('explain every error under its own anchor, and as JSON', async () => {
    const { text } = await page('/docs/errors');
    for (const code of Object.keys(ERRORS)) expect(text).toContain(`<tr id="${code}">`);
    const rows = await (await h.fetch('/docs/errors', { headers: { accept: 'application/json' } })).json();
    expect(rows.map(({ code }: { code: string }) => code)).toEqual(Object.keys(ERRORS));
    const error = await h.call('GET', '/nothing');
    expect(error.body.docs).toBe('/docs/errors#route_unknown');
  });

  it('set the usual protections on data as well', async () => {
    const { headers } = await h.fetch('/unified/apicall');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBeTruthy();
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-powered-by')).toBeNull();
  });
});

describe('the status page', () => {
  const signIn = (key: string, headers: Record<string, string> = { origin: h.url }) =>
    h.fetch('/dashboard/sign-in', {
      method: 'POST',
      key: null,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams({ key }).toString(),
    });
  const cookieOf = (answer: { headers: Headers }) =>
    (answer.headers.get('set-cookie') ?? '').split(';', 1)[0] as string;

  it('asks for a sign-in', async () => {
    const { status, headers } = await page('/dashboard');
    expect(status).toBe(303);
    expect(headers.get('location')).toBe('/dashboard/sign-in');
  });

  it('lets an admin key in by a cookie that scripts and other sites cannot use, and shows the workspace', async () => {
    const answer = await signIn(h.keys.admin);
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/dashboard');
    const set = answer.headers.get('set-cookie') ?? '';
    expect(set).toMatch(/HttpOnly/);
    expect(set).toMatch(/SameSite=Strict/);
    expect(set).toMatch(/Path=\/dashboard/);
    expect(set).not.toContain(h.keys.admin);
    h.upstream.answer((_request, response) => json(response, { ok: true }));
    await (await h.fetch(`/passthrough/${h.connection.id}/v1/<script>alert(1)</script>`)).text();
    await h.calls();
    const { status, text } = await page('/dashboard', { cookie: cookieOf(answer) });
    expect(status).toBe(200);
    expect(text).toContain('Acme');
    expect(text).toContain(h.connection.id);
    expect(text).toContain('healthy');
    expect(text).toContain('listPassthroughs');
    expect(text).not.toContain('<script>');
    expect(text).not.toContain('platform-token');
    expect(text).toContain('PUT /v1/integrations/testads/production');
  });

  it('offers to connect once the app’s credentials are stored, and the link begins the flow', async () => {
    const stored = await h.call('PUT', '/v1/integrations/testads/production', {
      key: h.keys.admin,
      body: { app_id: 'app-1', client_secret: 'very-secret-value' },
    });
    expect(stored).toMatchObject({ status: 200, body: { client_id: 'app-1', has_credentials: true } });
    expect(JSON.stringify(stored.body)).not.toContain('very-secret-value');
    const { text } = await page('/dashboard', { cookie: cookieOf(await signIn(h.keys.admin)) });
    const href = /href="(\/unified\/integration\/auth\/[^"]+)"/.exec(text)?.[1]?.replaceAll('&amp;', '&');
    const begun = await page(href as string);
    expect(begun.status).toBe(302);
    const consent = await fetch(begun.headers.get('location') as string);
    expect(consent.status).toBe(200);
    expect(await consent.text()).toContain('Acme');
  });

  it('keeps out wrong keys, keys without the scope, and forms of other sites', async () => {
    for (const key of ['nonsense', '', h.keys.write]) {
      const answer = await signIn(key);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('set-cookie')).toBeNull();
    }
    for (const origin of [{ origin: 'https://evil.invalid' }, { origin: 'null' }, {} as Record<string, string>]) {
      const answer = await signIn(h.keys.admin, origin);
      expect(answer.status).toBe(400);
      expect(answer.headers.get('set-cookie')).toBeNull();
    }
  });

  it('ends with sign-out, with the key, and for a cookie that was changed', async () => {
    const { key, row } = await createApiKey(h.store.db, h.workspace.id, { name: 'short', scopes: ['admin'] });
    const cookie = cookieOf(await signIn(key));
    expect((await page('/dashboard', { cookie })).status).toBe(200);
    const [name, value] = cookie.split('=') as [string, string];
    for (const changed of [`${value}x`, value.replace(/^./, (first) => (first === 'f' ? 'e' : 'f')), '', 'a.b.c.d'])
      expect((await page('/dashboard', { cookie: `${name}=${changed}` })).status).toBe(303);
    await revokeApiKey(h.store.db, h.workspace.id, row.id);
    expect((await page('/dashboard', { cookie })).status).toBe(303);
    const out = await h.fetch('/dashboard/sign-out', { method: 'POST', key: null, headers: { origin: h.url } });
    expect(out.headers.get('set-cookie')).toMatch(/^polyad_session=;/);
  });

  it('brings the customer back from a platform, whose page keeps the cookie back', async () => {
    const first = await page('/dashboard?id=abc"><script>');
    expect(first.status).toBe(200);
    expect(first.text).toMatch(/http-equiv="refresh" content="0;url=\/dashboard\?id=abc/);
    expect(first.text).not.toContain('<script>');
    expect((await page('/dashboard?id=abc&again=1')).status).toBe(303);
    const cookie = cookieOf(await signIn(h.keys.admin));
    expect((await page('/dashboard?id=abc&again=1', { cookie })).text).toContain('Connected.');
    expect((await page('/dashboard?error=platform_timeout', { cookie })).text).toContain(
      'Not connected: platform_timeout',
    );
  });
});

describe('health and numbers', () => {
  it('say alive and ready', async () => {
    expect(await h.call('GET', '/healthz', { key: null })).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await h.call('GET', '/readyz', { key: null })).toMatchObject({ status: 200, body: { status: 'ready' } });
  });

  it('count requests by route, never by id', async () => {
    await (await h.fetch(`/passthrough/${h.connection.id}/v1/x`)).text();
    const numbers = async () => (await h.fetch('/metrics', { key: null })).text();
    await expect
      .poll(numbers)
      .toMatch(
        /polyad_http_request_duration_seconds_count\{route="\/passthrough\/:connection_id\/\*",method="GET",platform="testads",status="200"\} \d/,
      );
    const text = await numbers();
    expect(text).toMatch(
      /polyad_platform_duration_seconds_count\{operation="listPassthroughs",platform="testads",environment="production"\} \d/,
    );
    expect(text).toMatch(/nodejs_eventloop_lag_seconds/);
    expect(text).toMatch(/polyad_call_log_depth \d/);
    expect(text).toMatch(/polyad_quota_waiting \d/);
    expect(text).not.toContain(h.connection.id);
  });

  it('want their own token when one is set', async () => {
    const guarded = await startHarness({ POLYAD_METRICS_TOKEN: 'numbers-please' });
    try {
      expect((await guarded.fetch('/metrics', { key: null })).status).toBe(401);
      expect((await guarded.fetch('/metrics', { key: guarded.keys.operator })).status).toBe(401);
      expect((await guarded.fetch('/metrics', { key: 'Bearer numbers-please' })).status).toBe(200);
    } finally {
      await guarded.close();
    }
  });

  it('limit requests per key, and tell how long to wait', async () => {
    const limited = await startHarness({ POLYAD_RATE_LIMIT_PER_MINUTE: '3' });
    try {
      const key = limited.keys.read;
      const answers = [];
      for (let count = 0; count < 4; count++) answers.push(await limited.fetch('/unified/apicall', { key }));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
      const refused = answers[3] as Response;
      expect(await refused.json()).toMatchObject({ code: 'rate_limited', retry: 'after', details: { limit: 3 } });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(Number(refused.headers.get('retry-after-ms'))).toBeGreaterThan(0);
      // Other keys, and whoever watches, are not concerned.
      expect((await limited.fetch('/unified/apicall', { key: limited.keys.admin })).status).toBe(200);
      for (let count = 0; count < 5; count++) expect((await limited.fetch('/healthz', { key: null })).status).toBe(200);
    } finally {
      await limited.close();
    }
  });
});

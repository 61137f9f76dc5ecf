import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTikTok, type TestTikTok } from '../../../test/support/tiktok-simulator.ts';

const CALLBACK = 'http://127.0.0.1:4000/callback';

let tiktok: TestTikTok;
beforeAll(async () => {
  tiktok = await startTikTok();
});
afterAll(() => tiktok.close());

const pathTo = (query: Record<string, string> = {}, path = '/portal/auth') =>
  `${path}?${new URLSearchParams({ app_id: tiktok.ready.app_id, redirect_uri: CALLBACK, state: 'x', ...query })}`;
const boxes = (html: string, name: string) =>
  [...html.matchAll(new RegExp(`name="${name}" value="([^"]+)"`, 'g'))].map((match) => match[1]!);
const submit = (path: string, form: [string, string][]) =>
  tiktok.raw(path, { method: 'POST', body: new URLSearchParams(form) });

describe('authorize page', () => {
  it.each(['/portal/auth', '/portal/auth/', '/marketing_api/auth'])('is shown under %s', async (path) => {
    const response = await tiktok.raw(pathTo({ rid: 'abc' }, path));
    const html = await response.text();
    expect(response.status).toBe(200);
    expect(html).toContain('TikTok simulator');
    expect(html).toContain('<html lang="en">');
    expect(boxes(html, 'advertiser_ids')).toEqual(tiktok.ready.advertiser_ids);
    expect(boxes(html, 'scope')).toContain('44');
    expect(html).not.toMatch(/<(script|link|img)\b|https?:\/\/(?!127\.0\.0\.1)/);
  });

  it('gives a code for what was ticked', async () => {
    const [first = ''] = tiktok.ready.advertiser_ids;
    const html = await (await tiktok.raw(pathTo())).text();
    const [user = ''] = boxes(html, 'user_id');
    const form: [string, string][] = [
      ['user_id', user],
      ['advertiser_ids', first],
      ['scope', '13000000'],
      ['decision', 'approve'],
    ];
    // The app does not have the permission 13000000.
    expect((await submit(pathTo(), form)).status).toBe(400);
    form[2] = ['scope', '1'];
    const response = await submit(pathTo(), form);
    expect(response.status).toBe(302);
    const url = new URL(response.headers.get('location')!);
    expect(url.searchParams.get('state')).toBe('x');
    const { app_id, secret } = tiktok.ready;
    const body = { app_id, secret, auth_code: url.searchParams.get('auth_code') };
    const { data } = await tiktok.post('oauth2/access_token', body, { token: null });
    expect(data).toMatchObject({ advertiser_ids: [first], scope: [1] });
  });

  it('comes back with a message and the ticks kept when nothing is chosen', async () => {
    const response = await submit(pathTo(), [
      ['decision', 'approve'],
      ['scope', '4'],
    ]);
    const html = await response.text();
    expect(response.status).toBe(400);
    expect(html).toMatch(/role="alert">[^<]*at least one ad account/);
    expect(html.match(/ checked/g)).toHaveLength(1);
  });

  it('redirects a refusal with the state', async () => {
    const response = await submit(pathTo(), [['decision', 'decline']]);
    const url = new URL(response.headers.get('location')!);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ error: 'access_denied', state: 'x' });
  });

  it('offers each person their own ad accounts', async () => {
    const { users } = await tiktok.control('GET', '/users');
    const analyst = users.find((user: { display_name: string }) => user.display_name === 'Ana Analyst');
    const html = await (await tiktok.raw(pathTo({ sim_user_id: analyst.id }))).text();
    expect(boxes(html, 'advertiser_ids').sort()).toEqual(Object.keys(analyst.roles).sort());
    expect(html).toMatch(/aria-current="true">Ana Analyst/);
  });

  it.each([{ app_id: '1' }, { app_id: '' }, { redirect_uri: 'http://evil.test/' }, { redirect_uri: '' }])(
    'shows an error and never redirects for %j',
    async (query) => {
      for (const response of [
        await tiktok.raw(pathTo(query)),
        await submit(pathTo(query), [['decision', 'approve']]),
      ]) {
        expect(response.status).toBe(400);
        expect(response.headers.get('location')).toBeNull();
        expect(await response.text()).toContain('Authorization not possible');
      }
    },
  );

  it('escapes what comes from the URL', async () => {
    const html = await (await tiktok.raw(pathTo({ app_id: '<script>alert(1)</script>' }))).text();
    expect(html).not.toContain('<script>');
    const named = await tiktok.control('POST', '/apps', { name: '<b>"App"</b>', redirect_uris: [CALLBACK] });
    expect(await (await tiktok.raw(pathTo({ app_id: named.id }))).text()).not.toContain('<b>');
  });

  it('asks for a TikTok account under its own path', async () => {
    const { app_id: client_key } = tiktok.ready;
    const query = {
      client_key,
      response_type: 'code',
      scope: 'user.info.basic,video.list',
      redirect_uri: CALLBACK,
      state: 'y',
    };
    const path = `/v2/auth/authorize/?${new URLSearchParams(query)}`;
    const html = await (await tiktok.raw(path)).text();
    expect(boxes(html, 'scope')).toEqual(['user.info.basic', 'video.list']);
    expect(boxes(html, 'advertiser_ids')).toEqual([]);
    const response = await submit(path, [
      ['scope', 'video.list'],
      ['decision', 'approve'],
    ]);
    const url = new URL(response.headers.get('location')!);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ scopes: 'video.list', state: 'y' });
    expect((await tiktok.raw(path.replace('response_type=code', 'response_type=token'))).status).toBe(400);
  });
});

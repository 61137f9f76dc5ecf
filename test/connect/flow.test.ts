import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTokens } from '../../src/core/auth/credentials.ts';
import type { PolyadError } from '../../src/core/errors/index.ts';
import { putIntegration, updateWorkspace } from '../../src/core/store/repositories/index.ts';
import {
  asked,
  Browser,
  comeBack,
  connectOnce,
  linkOf,
  PUBLIC_URL,
  startWorld,
  toPlatform,
  type World,
} from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const text = (html: string): string =>
  html
    .replace(/<style[\s\S]*?<\/style>/, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');
const start = (query = {}) => world.connect.start(world.workspace.id, 'loopads', query);

describe('from link to connection', () => {
  it('shows who asks, for what and why, and what is not asked', async () => {
    const { url } = await start({ scopes: ['ads_organization_read', 'ads_campaign_read'] });
    const answer = await world.connect.page(linkOf(url), asked(new Browser()));
    const page = text(answer.body);
    expect(answer.status).toBe(200);
    expect(page).toContain('Acme &amp; &lt;Sons&gt; asks to connect to your Loop Ads account');
    expect(page).toContain('Live account');
    expect(page).toContain('Ad accounts to know your &quot;Loop&quot; accounts View');
    expect(page).toMatch(/Campaigns .+ View/);
    expect(page).not.toContain('View and change');
    expect(page).toContain('asks to look only');
    expect(page).toContain('Your password');
    expect(page).toContain('Continue to Loop Ads');
    expect(answer.body).not.toContain('<script');
    expect(answer.headers['set-cookie']).toMatch(
      /^__Secure-polyad_connect=[\w-]{43}; Path=\/connect; Max-Age=1200; HttpOnly; SameSite=Lax; Secure$/,
    );
    const policy = answer.headers['content-security-policy'] as string;
    const nonce = /style-src 'nonce-([^']+)'/.exec(policy)?.[1];
    expect(answer.body).toContain(`<style nonce="${nonce}">`);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain(new URL(world.platform.url).origin);
    expect(answer.headers['referrer-policy']).toBe('no-referrer');
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('asks for changes in words when it asks for them', async () => {
    const { url } = await start({ scopes: ['ads_campaign_read', 'ads_campaign_write'] });
    const page = text((await world.connect.page(linkOf(url), asked(new Browser()))).body);
    expect(page).toMatch(/Campaigns .+ View and change/);
    expect(page).not.toContain('asks to look only');
  });

  it('leads to the platform with redirect, state and PKCE, and back to the caller with id and state', async () => {
    const browser = new Browser();
    const authorize = new URL(
      await toPlatform(world.connect, world.workspace.id, browser, {
        success_redirect: 'https://app.example/done?tab=1#x',
        state: 'my state/&=',
        external_xref: 'customer-7',
        scopes: ['ads_campaign_read', 'ads_organization_read'],
      }),
    );
    expect(authorize.origin + authorize.pathname).toBe(`${world.platform.url}/authorize`);
    expect(authorize.searchParams.get('app_id')).toBe('app-1');
    expect(authorize.searchParams.get('redirect_uri')).toBe(`${PUBLIC_URL}/connect/callback/loopads`);
    expect(authorize.searchParams.get('scope')).toBe('10 20');
    expect(authorize.searchParams.get('code_challenge')).toMatch(/^[\w-]{43}$/);
    expect(authorize.searchParams.get('code_challenge_method')).toBe('S256');
    expect(authorize.href).not.toContain('very-secret-secret');

    const answer = await comeBack(world.connect, world.platform.decide(authorize.href), browser);
    const location = answer.headers['location'] as string;
    expect(answer.status).toBe(302);
    expect(location).toMatch(/^https:\/\/app\.example\/done\?tab=1&id=[0-9a-f]{24}&state=my%20state%2F%26%3D#x$/);

    const id = new URL(location).searchParams.get('id') as string;
    const connection = await world.connections.get(world.workspace, id);
    expect(connection).toMatchObject({
      id,
      workspace_id: world.workspace.id,
      integration_type: 'loopads',
      integration_name: 'Loop Ads',
      environment: 'Production',
      external_xref: 'customer-7',
      categories: ['ads', 'passthrough'],
      permissions: ['ads_organization_read', 'ads_campaign_read'],
      is_paused: false,
      health: { state: 'healthy' },
      auth: {
        name: 'Name of user-1',
        user_id: 'user-1',
        expiry_date: '2026-11-22T13:00:00.000Z',
        refresh_token_expires_date: '2027-11-22T12:00:00.000Z',
        meta: { grant: 'main', organization_ids: ['acc-1', 'acc-2'], scopes: ['1'] },
      },
    });
    const grant = world.platform.grants.at(-1);
    expect(JSON.stringify(connection)).not.toContain(grant?.access);
    expect(JSON.stringify(connection)).not.toContain(grant?.refresh);
    const row = await world.row(id);
    expect(JSON.stringify(row)).not.toContain(grant?.access);
    expect((await openTokens(world.secrets, world.store.db, row))?.tokens).toMatchObject({
      access_token: grant?.access,
      refresh_token: grant?.refresh,
      kind: 'expiring_rotating_refresh',
    });
    expect(await world.events('connection.created')).toHaveLength(1);
  });

  it('ends on a page of ours when the caller names none', async () => {
    const browser = new Browser();
    const authorize = await toPlatform(world.connect, world.workspace.id, browser);
    const answer = await comeBack(world.connect, world.platform.decide(authorize), browser);
    expect(answer.status).toBe(200);
    expect(text(answer.body)).toMatch(/Connected .*can use your Loop Ads account now.* [0-9a-f]{24}/);
  });

  it('takes the code from `code` when the platform’s own name is missing', async () => {
    const browser = new Browser();
    const authorize = await toPlatform(world.connect, world.workspace.id, browser, {
      success_redirect: 'https://app.example/',
    });
    const back = new URL(world.platform.decide(authorize));
    back.searchParams.delete('auth_code');
    const answer = await comeBack(world.connect, back.href, browser);
    expect(answer.headers['location']).toContain('https://app.example/?id=');
  });

  it('uses another grant recipe when asked, with its own redirect address', async () => {
    world.platform.consent.expiresIn = undefined;
    const browser = new Browser();
    const authorize = await toPlatform(world.connect, world.workspace.id, browser, {
      grant: 'account',
      success_redirect: 'https://app.example/',
    });
    expect(new URL(authorize).searchParams.get('redirect_uri')).toBe(`${PUBLIC_URL}/connect/callback/loopads/`);
    expect(new URL(authorize).searchParams.has('code_challenge')).toBe(false);
    const answer = await comeBack(world.connect, world.platform.decide(authorize), browser);
    const connection = await world.connections.get(
      world.workspace,
      new URL(answer.headers['location'] as string).searchParams.get('id') as string,
    );
    expect(connection.auth?.meta).toMatchObject({ grant: 'account' });
    expect(connection.auth).not.toHaveProperty('expiry_date');
    world.platform.consent.expiresIn = 3600;
    await expect(start({ grant: 'nonsense' })).rejects.toMatchObject({ code: 'input_invalid' });
  });

  it('lets the same browser press Continue again', async () => {
    const browser = new Browser();
    const { url } = await start({ success_redirect: 'https://app.example/' });
    browser.take(await world.connect.page(linkOf(url), asked(browser)));
    const first = await world.connect.submit(linkOf(url), {}, asked(browser));
    const second = await world.connect.submit(linkOf(url), {}, asked(browser));
    expect(second.headers['location']).toBe(first.headers['location']);
    const answer = await comeBack(world.connect, world.platform.decide(second.headers['location'] as string), browser);
    expect(answer.headers['location']).toContain('id=');
  });

  it('gives the permissions that the platform really granted', async () => {
    world.platform.consent.scopes = ['20'];
    const params = await connectOnce(world);
    world.platform.consent.scopes = ['1'];
    expect((await world.row(params.get('id') as string)).permissions).toEqual(['ads_campaign_read']);
  });

  it('connects several people at once in one browser', async () => {
    const browser = new Browser();
    const one = await toPlatform(world.connect, world.workspace.id, browser, {
      success_redirect: 'https://app.example/',
      state: 'one',
    });
    const two = await toPlatform(world.connect, world.workspace.id, browser, {
      success_redirect: 'https://app.example/',
      state: 'two',
    });
    const answers = await Promise.all([
      comeBack(world.connect, world.platform.decide(two), browser),
      comeBack(world.connect, world.platform.decide(one), browser),
    ]);
    expect(answers.map((answer) => new URL(answer.headers['location'] as string).searchParams.get('state'))).toEqual([
      'two',
      'one',
    ]);
  });
});

describe('when it does not work out', () => {
  const failure = {
    success_redirect: 'https://app.example/ok',
    failure_redirect: 'https://app.example/no?a=1',
    state: 's-1',
  };

  async function ended(query = {}, tamper: (address: string) => string = (address) => address, yes = true) {
    const before = await world.connections.list(world.workspace, { limit: 1000 });
    const browser = new Browser();
    const authorize = await toPlatform(world.connect, world.workspace.id, browser, { ...failure, ...query });
    const answer = await comeBack(world.connect, tamper(world.platform.decide(authorize, yes)), browser);
    expect(await world.connections.list(world.workspace, { limit: 1000 })).toHaveLength(before.length);
    return answer;
  }

  it('tells the caller that the customer said no, at the platform or on our page', async () => {
    const answer = await ended({}, undefined, false);
    const location = new URL(answer.headers['location'] as string);
    expect(location.href).toMatch(/^https:\/\/app\.example\/no\?a=1&error=oauth_denied&/);
    expect(location.searchParams.get('state')).toBe('s-1');
    expect(location.searchParams.has('id')).toBe(false);

    const browser = new Browser();
    const { url } = await start(failure);
    browser.take(await world.connect.page(linkOf(url), asked(browser)));
    const cancelled = await world.connect.submit(linkOf(url), { action: 'cancel' }, asked(browser));
    expect(cancelled.headers['location']).toContain('error=oauth_denied');
    expect((await world.connect.page(linkOf(url), asked(browser))).status).toBe(400);

    const plain = await start();
    const other = new Browser();
    other.take(await world.connect.page(linkOf(plain.url), asked(other)));
    const page = await world.connect.submit(linkOf(plain.url), { action: 'cancel' }, asked(other));
    expect(page.status).toBe(200);
    expect(text(page.body)).toContain('Nothing was connected');
  });

  it('tells it when the platform sends no code', async () => {
    const answer = await ended({}, (address) => {
      const url = new URL(address);
      url.searchParams.delete('auth_code');
      url.searchParams.delete('code');
      return url.href;
    });
    expect(answer.headers['location']).toContain('error=oauth_denied');
  });

  it('tells it when the code is refused, without repeating code or secret anywhere', async () => {
    const answer = await ended({}, (address) => address.replaceAll(/code-[0-9a-f]+/g, 'code-stolen-elsewhere'));
    const location = answer.headers['location'] as string;
    expect(location).toContain('error=oauth_exchange_failed');
    expect(location).not.toContain('stolen');
    expect(decodeURIComponent(location)).toContain('[hidden]');
    expect(world.lines.join('\n')).not.toContain('stolen');
  });

  it('tells it when app id or secret are wrong, without showing them', async () => {
    await world.apps.put(world.workspace.id, world.module, 'production', {
      app_id: 'app-1',
      secret: 'wrong-secret-value',
    });
    const answer = await ended();
    await world.apps.put(world.workspace.id, world.module, 'production', {
      app_id: 'app-1',
      secret: world.platform.app.client_secret,
    });
    expect(answer.headers['location']).toContain('error=platform_app_invalid');
    expect(answer.headers['location']).not.toContain('wrong-secret-value');
    expect(world.lines.join('\n')).not.toContain('wrong-secret-value');
  });

  it('stores nothing when the test of the connection fails', async () => {
    world.platform.faults.push({ path: '/me', status: 200, body: { code: 'E_REVOKED', message: 'gone already' } });
    const answer = await ended();
    const location = new URL(answer.headers['location'] as string);
    expect(location.searchParams.get('error')).toBe('connection_test_failed');
    expect(location.searchParams.get('error_description')).toContain('gone already');
  });

  it('exchanges a code once, even when the platform is in trouble', async () => {
    const before = world.platform.count('/token');
    world.platform.faults.push({
      path: '/token',
      status: 500,
      body: '<html>oops</html>',
      headers: { 'content-type': 'text/html' },
    });
    const answer = await ended();
    expect(answer.headers['location']).toContain('error=platform_unavailable');
    expect(world.platform.count('/token')).toBe(before + 1);
  });

  it('shows a page with code and request id when the caller named no page for failures', async () => {
    const browser = new Browser();
    const authorize = await toPlatform(world.connect, world.workspace.id, browser);
    const answer = await comeBack(world.connect, world.platform.decide(authorize, false), browser);
    expect(answer.status).toBe(403);
    expect(text(answer.body)).toMatch(/Not connected .*oauth_denied · req-1/);
    expect(answer.body).not.toContain('<no>');
  });
});

describe('what a flow may begin with', () => {
  const refused = (query: object, type = 'loopads') =>
    world.connect.start(world.workspace.id, type, query).then(
      () => 'started',
      (error: PolyadError) => error.code,
    );

  it('refuses unknown workspaces, types, environments, permissions and redirect targets', async () => {
    await expect(world.connect.start('f'.repeat(24), 'loopads', {})).rejects.toMatchObject({
      code: 'workspace_not_found',
    });
    expect(await refused({}, 'nonsense')).toBe('integration_not_found');
    expect(await refused({ env: 'staging' })).toBe('environment_unsupported');
    expect(await refused({ env: 'simulator' })).toBe('environment_unsupported');
    expect(await refused({ scopes: ['everything'] })).toBe('input_invalid');
    expect(await refused({ success_redirect: 'https://evil.example/' })).toBe('oauth_redirect_not_allowed');
    expect(await refused({ failure_redirect: '//evil.example/' })).toBe('oauth_redirect_not_allowed');
    expect(await refused({ success_redirect: 'http://localhost:3000/' })).toBe('oauth_redirect_not_allowed');
    expect(await refused({ state: 'x'.repeat(2049) })).toBe('input_invalid');
  });

  it('accepts aliases and any letter case of the environment', async () => {
    expect(await refused({ env: 'Production' }, 'loopy')).toBe('started');
    expect(await refused({ env: 'PRODUCTION', success_redirect: `${PUBLIC_URL}/dashboard` })).toBe('started');
  });

  it('takes targets that the workspace or the integration lists', async () => {
    await putIntegration(world.store.db, world.workspace.id, 'loopads', 'production', {
      settings: { redirect_uris: ['https://partner.example/back'] },
    });
    expect(await refused({ success_redirect: 'https://partner.example/back?x=1' })).toBe('started');
    await updateWorkspace(world.store.db, world.workspace.id, {
      settings: { redirect_origins: ['https://app.example', 'http://localhost:*'] },
    });
    expect(await refused({ success_redirect: 'http://localhost:3000/' })).toBe('started');
  });

  it('refuses integrations that are switched off, and says how to configure one', async () => {
    await world.apps.put(world.workspace.id, world.module, 'production', { is_active: false });
    expect(await refused({})).toBe('integration_not_configured');
    await world.apps.put(world.workspace.id, world.module, 'production', { is_active: true });
    expect(await refused({})).toBe('started');
  });

  it('answers every language that the contract names, in English where there is no translation, and says so', async () => {
    for (const lang of ['en', 'fr', 'zh', 'hi', 'xx']) {
      const { url } = await start({ lang });
      const answer = await world.connect.page(linkOf(url), asked(new Browser()));
      expect(answer.body).toContain('<html lang="en">');
      expect(answer.headers['content-language']).toBe('en');
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BrowserAnswer } from '../../src/core/auth/connect-page.ts';
import { FLOW_LIFE_MS } from '../../src/core/auth/connect-state.ts';
import { Signer } from '../../src/core/auth/signing.ts';
import { createWorkspace, getOAuthState } from '../../src/core/store/repositories/index.ts';
import { asked, Browser, comeBack, linkOf, startWorld, toPlatform, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const targets = { success_redirect: 'https://app.example/ok', failure_redirect: 'https://app.example/no' };

/** A flow whose person has said yes: the address that the platform sends the browser to. */
async function ready(query = {}, browser = new Browser()) {
  const authorize = await toPlatform(world.connect, world.workspace.id, browser, { ...targets, ...query });
  return { browser, authorize, address: world.platform.decide(authorize) };
}

const connections = async (): Promise<number> =>
  (await world.connections.list(world.workspace, { limit: 1000 })).length;

/** Nothing was connected, nobody was sent anywhere, no code was spent. */
async function refused(attempt: () => Promise<BrowserAnswer>, code = 'oauth_state_invalid'): Promise<void> {
  const before = [await connections(), world.platform.count('/token')];
  const answer = await attempt();
  expect(answer.status).toBe(400);
  expect(answer.headers['location']).toBeUndefined();
  expect(answer.body).toContain(code);
  expect([await connections(), world.platform.count('/token')]).toEqual(before);
}

const withState = (address: string, state: string): string => {
  const url = new URL(address);
  url.searchParams.set('state', state);
  return url.href;
};
const stateOf = (address: string): string => new URL(address).searchParams.get('state') as string;

describe('attacks on the callback', () => {
  it('takes a state once: the same callback again sees the first one’s outcome, and nothing is done twice', async () => {
    const { browser, address } = await ready();
    const before = [await connections(), world.platform.count('/token')] as const;
    const first = await comeBack(world.connect, address, browser);
    expect(first.status).toBe(302);
    for (let again = 0; again < 3; again += 1) {
      const answer = await comeBack(world.connect, address, browser);
      expect([answer.status, answer.headers['location']]).toEqual([302, first.headers['location']]);
    }
    expect([await connections(), world.platform.count('/token')]).toEqual([before[0] + 1, before[1] + 1]);
  });

  it('makes one connection for an impatient person, whose both clicks succeed', async () => {
    const { browser, address } = await ready();
    const before = [await connections(), world.platform.count('/token')] as const;
    const answers = await Promise.all([
      comeBack(world.connect, address, browser),
      comeBack(world.connect, address, browser),
      comeBack(world.connect, address, browser),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([302, 302, 302]);
    expect(new Set(answers.map((answer) => answer.headers['location'])).size).toBe(1);
    expect([await connections(), world.platform.count('/token')]).toEqual([before[0] + 1, before[1] + 1]);
  });

  it('goes on when the browser that began no longer waits, and the reload sees the success', async () => {
    const { browser, address } = await ready();
    let open = (): void => undefined;
    world.platform.gate = new Promise((resolve) => {
      open = resolve;
    });
    const gone = new AbortController();
    const query = Object.fromEntries(new URL(address).searchParams);
    const before = world.platform.count('/token');
    const first = world.connect.callback('loopads', query, { ...asked(browser), signal: gone.signal });
    await expect.poll(() => world.platform.count('/token')).toBe(before + 1);
    gone.abort();
    const second = comeBack(world.connect, address, browser);
    open();
    world.platform.gate = undefined;
    expect((await second).headers['location']).toMatch(/ok\?id=[0-9a-f]{24}$/);
    expect((await first).headers['location']).toBe((await second).headers['location']);
  });

  it('tells the outcome on another node too, later and while the work goes on', async () => {
    const other = world.twin();
    const { browser, address } = await ready();
    let open = (): void => undefined;
    world.platform.gate = new Promise((resolve) => {
      open = resolve;
    });
    const before = world.platform.count('/token');
    const first = comeBack(world.connect, address, browser);
    await expect.poll(() => world.platform.count('/token')).toBe(before + 1);
    const second = comeBack(other.connect, address, browser);
    open();
    world.platform.gate = undefined;
    const { location } = (await first).headers;
    await world.clock.advance(1_000);
    expect((await second).headers['location']).toBe(location);
    expect((await comeBack(other.connect, address, browser)).headers['location']).toBe(location);
    expect(world.platform.count('/token')).toBe(before + 1);
  });

  it('tells the outcome to nobody else: other codes, browsers, platforms, and nobody after ten minutes', async () => {
    const { browser, address } = await ready();
    expect((await comeBack(world.connect, address, browser)).status).toBe(302);
    const changed = (name: string, value: string): string => {
      const url = new URL(address);
      url.searchParams.set(name, value);
      return url.href;
    };
    const code = world.module.auth.grants[0]?.codeParams[0] as string;
    await refused(() => comeBack(world.connect, changed(code, 'another-code'), browser));
    await refused(() => comeBack(world.connect, changed('error', 'access_denied'), browser));
    await refused(() => comeBack(world.connect, address, new Browser()));
    const forged = new Browser();
    forged.cookie = `__Secure-polyad_connect=${'B'.repeat(43)}`;
    await refused(() => comeBack(world.connect, address, forged));
    await refused(() => comeBack(world.connect, address, browser, 'otherads'));
    await world.clock.advance(FLOW_LIFE_MS);
    await refused(() => comeBack(world.connect, address, browser));
  });

  it('keeps nothing secret of a used flow', async () => {
    const { browser, address } = await ready();
    const [workspaceId, rowId] = world.signer.verify('state', stateOf(address)) as [string, string];
    expect((await getOAuthState(world.store.db, workspaceId, rowId))?.payload['verifier']).toBeTruthy();
    await comeBack(world.connect, address, browser);
    const used = await getOAuthState(world.store.db, workspaceId, rowId);
    expect(used?.payload['verifier']).toBeUndefined();
    const code = new URL(address).searchParams.get(world.module.auth.grants[0]?.codeParams[0] as string) as string;
    expect(JSON.stringify(used)).not.toContain(code);
  });

  it('connects nobody who said no, however often the browser says it', async () => {
    const authorize = await toPlatform(world.connect, world.workspace.id, new Browser(), targets);
    const browser = new Browser();
    const own = await toPlatform(world.connect, world.workspace.id, browser, targets);
    expect(authorize).not.toBe(own);
    const address = world.platform.decide(own, false);
    const before = [await connections(), world.platform.count('/token')];
    for (let again = 0; again < 2; again += 1)
      expect((await comeBack(world.connect, address, browser)).headers['location']).toContain('no?error=oauth_denied');
    expect([await connections(), world.platform.count('/token')]).toEqual(before);
  });

  const setAll = (url: URL, names: readonly string[], value: string): void => {
    for (const name of names) url.searchParams.set(name, value);
  };
  const removeAll = (url: URL, names: readonly string[]): void => {
    for (const name of names) url.searchParams.delete(name);
  };
  it.each([
    ['an error beside a code', (url: URL) => setAll(url, ['error'], 'access_denied')],
    ['no code', removeAll],
    ['an empty code', (url: URL, codes: readonly string[]) => setAll(url, codes, '')],
  ])('does not exchange anything for %s', async (_name, change) => {
    const { browser, address } = await ready();
    const url = new URL(address);
    change(url, world.module.auth.grants[0]?.codeParams as readonly string[]);
    const before = [await connections(), world.platform.count('/token')];
    const answer = await comeBack(world.connect, url.href, browser);
    expect(answer.headers['location']).toContain('https://app.example/no?error=oauth_denied');
    expect([await connections(), world.platform.count('/token')]).toEqual(before);
  });

  it('does not take another browser’s flow, with or without a cookie of its own, and leaves it usable', async () => {
    const { browser, address } = await ready();
    const other = new Browser();
    await toPlatform(world.connect, world.workspace.id, other);
    await refused(() => comeBack(world.connect, address, other));
    await refused(() => comeBack(world.connect, address, new Browser()));
    const forged = new Browser();
    forged.cookie = `__Secure-polyad_connect=${'A'.repeat(43)}`;
    await refused(() => comeBack(world.connect, address, forged));
    expect((await comeBack(world.connect, address, browser)).status).toBe(302);
  });

  it('does not take a state that no browser has taken up', async () => {
    const { url } = await world.connect.start(world.workspace.id, 'loopads', targets);
    const [workspaceId, rowId] = world.signer.verify('link', linkOf(url)) as [string, string];
    const browser = new Browser();
    browser.take(await world.connect.page(linkOf(url), asked(browser)));
    const state = world.signer.sign('state', workspaceId, rowId);
    await refused(() => comeBack(world.connect, `https://x.example/?code=c&state=${state}`, browser));
  });

  it('lets flows end after ten minutes, on our page and at the platform', async () => {
    const { url } = await world.connect.start(world.workspace.id, 'loopads', targets);
    const { browser, address } = await ready();
    await world.clock.advance(FLOW_LIFE_MS - 1000);
    expect((await world.connect.page(linkOf(url), asked(new Browser()))).status).toBe(200);
    await world.clock.advance(1000);
    await refused(() => world.connect.page(linkOf(url), asked(new Browser())));
    await refused(() => world.connect.submit(linkOf(url), {}, asked(browser)));
    await refused(() => comeBack(world.connect, address, browser));
  });

  it('does not take forged, cut, or foreign states, nor a link in place of a state', async () => {
    const { browser, address } = await ready();
    const state = stateOf(address);
    const { url } = await world.connect.start(world.workspace.id, 'loopads', targets);
    const stranger = new Signer([Buffer.alloc(32, 66)]);
    const [workspaceId, rowId] = world.signer.verify('state', state) as [string, string];
    const wrong = [
      '',
      'x',
      state.slice(0, -1),
      `${state}A`,
      state.replace(/^./, (char) => (char === '0' ? '1' : '0')),
      linkOf(url),
      stranger.sign('state', workspaceId, rowId),
      world.signer.sign('reauth', workspaceId, rowId),
      world.signer.sign('state', workspaceId, 'f'.repeat(24)),
      "' or 1=1 --",
    ];
    for (const forged of wrong) await refused(() => comeBack(world.connect, withState(address, forged), browser));
    const bare = new URL(address);
    bare.searchParams.delete('state');
    await refused(() => comeBack(world.connect, bare.href, browser));
    expect((await comeBack(world.connect, address, browser)).status).toBe(302);
  });

  it('does not take a state of another workspace’s row', async () => {
    const { browser, address } = await ready();
    const [, rowId] = world.signer.verify('state', stateOf(address)) as [string, string];
    const other = await createWorkspace(world.store.db, { name: 'Other' });
    await refused(() =>
      comeBack(world.connect, withState(address, world.signer.sign('state', other.id, rowId)), browser),
    );
  });

  it('does not take the callback of another integration', async () => {
    const { browser, address } = await ready();
    for (const type of ['otherads', '', '../loopads'])
      await refused(() => comeBack(world.connect, address, browser, type));
    expect((await comeBack(world.connect, address, browser)).status).toBe(302);
  });

  it('does not connect a code that belongs to another flow: the proof key does not fit', async () => {
    const victim = await ready();
    const attacker = await ready();
    const mixed = withState(attacker.address, stateOf(victim.address));
    const before = await connections();
    const answer = await comeBack(world.connect, mixed, victim.browser);
    expect(answer.headers['location']).toContain('https://app.example/no?error=oauth_exchange_failed');
    expect(await connections()).toBe(before);
  });

  it('never sends a browser where the callback’s own query says', async () => {
    const { browser, address } = await ready();
    const url = new URL(address);
    for (const name of ['success_redirect', 'failure_redirect', 'redirect_uri'])
      url.searchParams.set(name, 'https://evil.example/');
    const answer = await comeBack(world.connect, url.href, browser);
    expect(answer.headers['location']).toMatch(/^https:\/\/app\.example\/ok\?id=[0-9a-f]{24}$/);
  });
});

describe('attacks on the page', () => {
  it('does not go on without the cookie that the page sets', async () => {
    const { url } = await world.connect.start(world.workspace.id, 'loopads', targets);
    for (const action of ['continue', 'cancel'])
      await refused(() => world.connect.submit(linkOf(url), { action }, asked(new Browser())), 'oauth_cookie_missing');
    expect((await world.connect.page(linkOf(url), asked(new Browser()))).status).toBe(200);
  });

  it('belongs to the browser that pressed Continue first', async () => {
    const { url } = await world.connect.start(world.workspace.id, 'loopads', targets);
    const [first, second] = [new Browser(), new Browser()];
    for (const browser of [first, second]) browser.take(await world.connect.page(linkOf(url), asked(browser)));
    expect((await world.connect.submit(linkOf(url), {}, asked(second))).status).toBe(302);
    await refused(() => world.connect.submit(linkOf(url), {}, asked(first)));
    await refused(() => world.connect.page(linkOf(url), asked(first)));
    await refused(() => world.connect.submit(linkOf(url), { action: 'cancel' }, asked(first)));
  });

  it('takes only one of two browsers that press Continue at the same time', async () => {
    const { url } = await world.connect.start(world.workspace.id, 'loopads', targets);
    const browsers = [new Browser(), new Browser()];
    for (const browser of browsers) browser.take(await world.connect.page(linkOf(url), asked(browser)));
    const answers = await Promise.all(browsers.map((browser) => world.connect.submit(linkOf(url), {}, asked(browser))));
    expect(answers.map((answer) => answer.status).sort()).toEqual([302, 400]);
  });

  it('shows nothing for links that we did not make', async () => {
    const { address } = await ready();
    for (const link of ['', 'x', stateOf(address), '../../etc/passwd', world.signer.sign('link', 'a', 'b', 'c')])
      await refused(() => world.connect.page(link, asked(new Browser())));
  });

  it('ignores cookies that are not of our form', async () => {
    const { url } = await world.connect.start(world.workspace.id, 'loopads', targets);
    const browser = new Browser();
    browser.cookie = '__Secure-polyad_connect=short; other=1';
    expect((await world.connect.page(linkOf(url), asked(browser))).headers['set-cookie']).toContain('polyad_connect=');
  });
});

describe('attacks on re-authorization', () => {
  const connected = async () => {
    const { browser, address } = await ready();
    const answer = await comeBack(world.connect, address, browser);
    const id = new URL(answer.headers['location'] as string).searchParams.get('id') as string;
    return { id, token: new URL(world.reconnect.url(await world.row(id))).searchParams.get('reauth_token') as string };
  };
  const start = (query: Record<string, string>): Promise<unknown> =>
    world.connect.start(world.workspace.id, 'loopads', { ...targets, ...query });

  it('needs the link’s own token, for that connection', async () => {
    const [mine, theirs] = [await connected(), await connected()];
    await expect(start({ connection_id: mine.id })).rejects.toMatchObject({ status: 400 });
    await expect(start({ connection_id: mine.id, reauth_token: theirs.token })).rejects.toMatchObject({ status: 400 });
    await expect(start({ connection_id: mine.id, reauth_token: `${mine.token}A` })).rejects.toMatchObject({
      status: 400,
    });
    await expect(
      start({ connection_id: mine.id, reauth_token: new Signer([Buffer.alloc(32, 66)]).sign('reauth', mine.id) }),
    ).rejects.toMatchObject({ status: 400 });
    await expect(start({ connection_id: mine.id, reauth_token: mine.token })).resolves.toBeTruthy();
  });

  it('lets no other account slip into a connection', async () => {
    const { id, token } = await connected();
    const before = await world.row(id);
    const present = { ...world.platform.consent };
    Object.assign(world.platform.consent, { user: 'somebody-else', accounts: ['acc-9'] });
    const { browser, address } = await ready({ connection_id: id, reauth_token: token });
    const answer = await comeBack(world.connect, address, browser);
    Object.assign(world.platform.consent, present);
    expect(answer.headers['location']).toContain('no?error=oauth_account_mismatch');
    expect((await world.row(id)).account).toEqual(before.account);
  });
});

describe('attacks on where the browser goes', () => {
  it.each([
    'https://evil.example/',
    'https://app.example.evil.example/',
    'https://app.example@evil.example/',
    'https://evil.example\\@app.example/',
    'https://app.example:444/',
    'http://app.example/',
    '//evil.example/',
    'javascript:alert(1)//https://app.example',
    'data:text/html,x',
    ' https://app.example/',
    'https://app.example\r\nSet-Cookie: a=b/',
  ])('does not begin a flow that would end at %j', async (target) => {
    for (const name of ['success_redirect', 'failure_redirect'])
      await expect(world.connect.start(world.workspace.id, 'loopads', { [name]: target })).rejects.toMatchObject({
        code: 'oauth_redirect_not_allowed',
      });
  });
});

describe('secrets', () => {
  it('never reach log lines', () => {
    const lines = world.lines.join('\n');
    expect(lines.length).toBeGreaterThan(0);
    for (const secret of [
      'very-secret-secret',
      ...world.platform.grants.flatMap((grant) => [grant.access, grant.refresh ?? 'none']),
    ])
      expect(lines).not.toContain(secret);
    expect(lines).not.toMatch(/code-[0-9a-f]{8}/);
  });
});

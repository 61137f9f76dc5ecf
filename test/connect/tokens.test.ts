import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openTokens } from '../../src/core/auth/credentials.ts';
import { noLease } from '../../src/core/auth/life/lease.ts';
import type { Classification } from '../../src/core/connector/types.ts';
import { PolyadError } from '../../src/core/errors/index.ts';
import { HttpClient } from '../../src/core/http/client.ts';
import { listEvents, updateConnection } from '../../src/core/store/repositories/index.ts';
import type { ConnectionRow } from '../../src/core/store/schema.ts';
import { settle } from '../support/virtual-clock.ts';
import { asked, Browser, comeBack, connectOnce, linkOf, PUBLIC_URL, startWorld, type World } from './support/world.ts';

const HOUR = 3_600_000;
let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
afterEach(() => {
  world.platform.gate = undefined;
  world.platform.faults.length = 0;
  Object.assign(world.platform.consent, { user: 'user-1', accounts: ['acc-1', 'acc-2'], expiresIn: 3600 });
});

/** A fresh connection, and the platform's own record of its grant. */
async function connected() {
  const row = await world.row((await connectOnce(world)).get('id') as string);
  const grant = world.platform.grants.at(-1);
  if (grant === undefined) throw new Error('no grant');
  return { row, grant };
}

const sealed = async (row: ConnectionRow) => (await openTokens(world.secrets, world.store.db, row))?.tokens;
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: PolyadError) => error.code,
  );

describe('renewal', () => {
  it('asks the platform for nothing while the token lives', async () => {
    const { row, grant } = await connected();
    const before = world.platform.count('/token/refresh');
    await world.clock.advance(HOUR - 360_001);
    expect((await world.tokens.tokenFor(row)).accessToken).toBe(grant.access);
    expect(world.platform.count('/token/refresh')).toBe(before);
  });

  it('renews early while callers go on with the token that still works, and stores the new one before anyone uses it', async () => {
    const { row, grant } = await connected();
    const old = { access: grant.access, refresh: grant.refresh };
    await world.clock.advance(HOUR - 60_000);
    const before = world.platform.count('/token/refresh');
    const given = await Promise.all(Array.from({ length: 50 }, () => world.tokens.tokenFor(row)));
    expect(new Set(given.map((token) => token.accessToken))).toEqual(new Set([old.access]));
    await expect.poll(async () => (await world.tokens.tokenFor(row)).accessToken).not.toBe(old.access);
    expect(world.platform.count('/token/refresh')).toBe(before + 1);
    expect(grant.refresh).not.toBe(old.refresh);
    expect(await sealed(row)).toMatchObject({ access_token: grant.access, refresh_token: grant.refresh });
    expect((await world.row(row.id)).token_expires_at?.getTime()).toBe(grant.accessEnds);
  });

  it('renews once for fifty callers whose token is over, and gives the new one to all', async () => {
    const { row, grant } = await connected();
    await world.clock.advance(HOUR);
    const before = world.platform.count('/token/refresh');
    const given = await Promise.all(Array.from({ length: 50 }, () => world.tokens.tokenFor(row)));
    expect(world.platform.count('/token/refresh')).toBe(before + 1);
    expect(new Set(given.map((token) => token.accessToken))).toEqual(new Set([grant.access]));
    expect(await sealed(row)).toMatchObject({ access_token: grant.access, refresh_token: grant.refresh });
  });

  it('renews a token that the platform calls expired, once, and repeats the call', async () => {
    const { row, grant } = await connected();
    grant.accessEnds = world.clock.now().getTime() - 1;
    const before = [world.platform.count('/me'), world.platform.count('/token/refresh')] as const;
    await expect(world.me(row)).resolves.toMatchObject({ id: 'user-1' });
    expect(world.platform.count('/token/refresh')).toBe(before[1] + 1);
    expect(world.platform.count('/me')).toBe(before[0] + 2);
  });

  it('does not refresh a token that somebody else has just replaced', async () => {
    const { row, grant } = await connected();
    const stale = grant.access;
    await world.clock.advance(HOUR);
    await world.tokens.tokenFor(row);
    const before = world.platform.count('/token/refresh');
    expect((await world.tokens.tokenFor(row, stale)).accessToken).toBe(grant.access);
    expect(world.platform.count('/token/refresh')).toBe(before);
  });

  it('uses what another process has stored meanwhile when its own refresh is refused', async () => {
    const { row, grant } = await connected();
    // A process that has lost its lease and does not know it.
    const other = world.twin({ lease: noLease(world.store) });
    await world.clock.advance(HOUR);
    let open: () => void = () => undefined;
    world.platform.gate = new Promise((resolve) => {
      open = resolve;
    });
    const before = world.platform.count('/token/refresh');
    const late = other.tokens.tokenFor(row);
    while (world.platform.count('/token/refresh') === before) await settle();
    world.platform.gate = undefined;
    await world.tokens.tokenFor(row);
    open();
    // Both asked with the same refresh token and the late one was refused: it must find the winner's, not a dead grant.
    expect((await late).accessToken).toBe(grant.access);
    expect(world.platform.count('/token/refresh')).toBe(before + 2);
    expect((await world.row(row.id)).health_state).toBe('healthy');
  });

  it('keeps a rotated token that the database did not take, and stores it at the next call', async () => {
    const { row, grant } = await connected();
    await world.clock.advance(HOUR);
    const { transaction } = world.store.db;
    let failures = 1;
    world.store.db.transaction = () => {
      if (failures-- > 0) throw new PolyadError('store_unavailable');
      return transaction.call(world.store.db);
    };
    try {
      expect(await codeOf(world.tokens.tokenFor(row))).toBe('store_unavailable');
    } finally {
      world.store.db.transaction = transaction;
    }
    const before = world.platform.count('/token/refresh');
    expect((await world.tokens.tokenFor(row)).accessToken).toBe(grant.access);
    expect(world.platform.count('/token/refresh')).toBe(before);
    expect(await sealed(row)).toMatchObject({ access_token: grant.access, refresh_token: grant.refresh });
  });

  it('does not take an outage of the token endpoint for a dead grant', async () => {
    const { row, grant } = await connected();
    await world.clock.advance(HOUR);
    for (let n = 0; n < 2; n += 1)
      world.platform.faults.push({ path: '/token/refresh', status: 503, body: '<html>busy</html>' });
    const attempt = codeOf(world.tokens.tokenFor(row));
    while ((await Promise.race([attempt, settle().then(() => undefined)])) === undefined) await world.clock.step();
    expect(await attempt).toBe('platform_unavailable');
    expect((await world.row(row.id)).health_state).toBe('healthy');
    expect((await world.tokens.tokenFor(row)).accessToken).toBe(grant.access);
  });

  it('goes on with the present token when an early renewal fails, and does not ask at every call', async () => {
    const { row, grant } = await connected();
    await world.clock.advance(HOUR - 200_000);
    world.platform.faults.push({ path: '/token/refresh', status: 200, body: { code: 'E_PATH', message: 'odd' } });
    const before = world.platform.count('/token/refresh');
    for (let n = 0; n < 3; n += 1) expect((await world.tokens.tokenFor(row)).accessToken).toBe(grant.access);
    await expect.poll(async () => (await world.row(row.id)).life).toBe('degraded');
    for (let n = 0; n < 3; n += 1) expect((await world.tokens.tokenFor(row)).accessToken).toBe(grant.access);
    expect(world.platform.count('/token/refresh')).toBe(before + 1);
    const present = grant.access;
    await world.clock.advance(31_000);
    await expect.poll(async () => (await world.tokens.tokenFor(row)).accessToken).not.toBe(present);
    expect((await world.row(row.id)).life).toBe('healthy');
  });

  it('does not blame the customer for wrong app credentials', async () => {
    const { row } = await connected();
    await world.clock.advance(HOUR);
    await world.apps.put(world.workspace.id, world.module, 'production', { secret: 'another-secret-value' });
    expect(await codeOf(world.tokens.tokenFor(row))).toBe('platform_app_invalid');
    await world.apps.put(world.workspace.id, world.module, 'production', { secret: world.platform.app.client_secret });
    expect((await world.row(row.id)).health_state).toBe('healthy');
    expect(await codeOf(world.tokens.tokenFor(row))).toBe('no error');
  });

  it('asks for re-authorization when the refresh token’s year is over, without asking the platform', async () => {
    const { row } = await connected();
    await world.clock.advance(366 * 24 * HOUR);
    const before = world.platform.seen.length;
    expect(await codeOf(world.tokens.tokenFor(row))).toBe('connection_reconnect_required');
    expect(world.platform.seen.length).toBe(before);
    expect(await world.row(row.id)).toMatchObject({ health_state: 'reconnect_required' });
  });

  it('refuses paused connections before anything else', async () => {
    const { row } = await connected();
    const paused = await updateConnection(world.store.db, world.workspace.id, row.id, { is_paused: true });
    expect(await codeOf(world.tokens.tokenFor(paused))).toBe('connection_paused');
  });
});

describe('a revoked grant', () => {
  it('stops all calls at once: one refusal, one event, then local answers with the link', async () => {
    const { row, grant } = await connected();
    grant.revoked = true;
    const events = (await world.events('connection.reconnect_required')).length;
    const first = await Promise.allSettled(Array.from({ length: 20 }, () => world.me(row)));
    expect(
      new Set(first.map((one) => (one.status === 'rejected' ? (one.reason as PolyadError).code : 'fine'))),
    ).toEqual(new Set(['connection_reconnect_required']));
    const asked = world.platform.count('/me');
    const again = await world.me(row).catch((error: PolyadError) => error);
    expect(again).toMatchObject({
      code: 'connection_reconnect_required',
      retry: 'never',
      actor: 'customer',
      details: {
        connection_id: row.id,
        reconnect_url: expect.stringContaining(`${PUBLIC_URL}/unified/integration/auth/${world.workspace.id}/loopads?`),
      },
    });
    expect(await codeOf(world.me(await world.row(row.id)))).toBe('connection_reconnect_required');
    expect(world.platform.count('/me')).toBe(asked);
    expect((await world.events('connection.reconnect_required')).length).toBe(events + 1);

    const wire = await world.connections.get(world.workspace, row.id);
    expect(wire).toMatchObject({
      last_unhealthy_code: 'connection_reconnect_required',
      last_unhealthy_at: world.clock.now().toISOString(),
      health: {
        state: 'unhealthy',
        code: 'connection_reconnect_required',
        who: 'customer',
        reconnect_url: expect.stringContaining('reauth_token='),
        message: expect.stringContaining('revoked'),
      },
    });
  });

  it('is refused in another process too', async () => {
    const { row, grant } = await connected();
    const other = world.twin();
    await other.me(row);
    grant.revoked = true;
    await codeOf(world.me(row));
    const before = world.platform.seen.length;
    expect(await codeOf(other.me(await world.row(row.id)))).toBe('connection_reconnect_required');
    expect(world.platform.seen.length).toBe(before);
  });

  it('is not what losing one ad account is', async () => {
    const { row } = await connected();
    world.platform.faults.push({ path: '/me', status: 200, body: { code: 'E_LOST', message: 'no access to acc-2' } });
    expect(await codeOf(world.me(row))).toBe('organization_access_lost');
    expect((await world.row(row.id)).health_state).toBe('healthy');
    const lost: Classification = {
      code: 'organization_access_lost',
      retry: 'never',
      scope: 'organization',
      native: {},
    };
    await world.tokens.reportRevoked(row, lost);
    expect((await world.row(row.id)).health_state).toBe('healthy');
  });

  it('is noticed when the refresh is refused', async () => {
    const { row, grant } = await connected();
    grant.revoked = true;
    await world.clock.advance(HOUR);
    const error = (await world.me(row).catch((thrown: unknown) => thrown)) as PolyadError;
    expect(error).toMatchObject({ code: 'connection_reconnect_required', platform: { code: 'E_REFRESH' } });
    expect(JSON.stringify([error, error.details, error.platform, error.message])).not.toContain(grant.refresh);
    expect((await world.row(row.id)).health_state).toBe('reconnect_required');
  });

  it('heals in place by the link: same id, new token, health and event', async () => {
    const { row, grant } = await connected();
    grant.revoked = true;
    await world.clock.advance(1000);
    const error = (await world.me(row).catch((thrown: unknown) => thrown)) as PolyadError;
    const link = new URL(error.details?.['reconnect_url'] as string);
    await world.clock.advance(1000);
    const params = await connectOnce(world, { ...Object.fromEntries(link.searchParams), scopes: undefined });
    expect(params.get('id')).toBe(row.id);
    const healed = await world.row(row.id);
    expect(healed).toMatchObject({
      health_state: 'healthy',
      unhealthy_code: null,
      external_xref: row.external_xref,
      permissions: row.permissions,
    });
    await expect(world.me(healed)).resolves.toMatchObject({ id: 'user-1' });
    const events = await listEvents(world.store.db, world.workspace.id, { connection_id: row.id, order: 'asc' });
    expect(events.map((event) => event.type)).toEqual([
      'connection.created',
      'connection.reconnect_required',
      'connection.reconnected',
    ]);
  });

  it('does not heal with another account, and keeps the old grant', async () => {
    const { row, grant } = await connected();
    const token = world.reconnect.token(row);
    world.platform.consent.user = 'user-2';
    const browser = new Browser();
    const { url } = await world.connect.start(world.workspace.id, 'loopads', {
      connection_id: row.id,
      reauth_token: token,
      success_redirect: 'https://app.example/ok',
      failure_redirect: 'https://app.example/no',
    });
    const page = browser.take(await world.connect.page(linkOf(url), asked(browser)));
    expect(page.body).toContain('authorize your Loop Ads connection again');
    const on = await world.connect.submit(linkOf(url), {}, asked(browser));
    const answer = await comeBack(world.connect, world.platform.decide(on.headers['location'] as string), browser);
    expect(answer.headers['location']).toContain('error=oauth_account_mismatch');
    expect(await sealed(row)).toMatchObject({ access_token: grant.access });
    await expect(world.me(await world.row(row.id))).resolves.toMatchObject({ id: 'user-1' });
  });

  it('does not let a refusal of the old token kill the new one', async () => {
    const { row, grant } = await connected();
    await world.me(row);
    const late: Classification = {
      code: 'connection_reconnect_required',
      retry: 'never',
      scope: 'connection',
      native: { message: 'late' },
    };
    await connectOnce(world, { connection_id: row.id, reauth_token: world.reconnect.token(row) });
    grant.revoked = true;
    expect(await world.tokens.reportRevoked(row, late, grant.access)).toMatchObject({ replaced: true });
    const current = await world.row(row.id);
    expect(current.health_state).toBe('healthy');
    expect(await codeOf(world.me(current))).toBe('no error');
  });

  it('is not what the refusal of a token is that was renewed while the call was under way: the call is repeated', async () => {
    const { row, grant } = await connected();
    await world.me(row);
    world.platform.faults.push({ path: '/me', status: 200, body: { code: 'E_REVOKED', message: 'an old token' } });
    const { sendWhole } = HttpClient.prototype;
    let first = true;
    HttpClient.prototype.sendWhole = async function (request, most, tooLarge) {
      const answer = await sendWhole.call(this, request, most, tooLarge);
      // Between the platform's refusal and our reading of it, the token is renewed by another call.
      if (first && request.url.endsWith('/me')) {
        first = false;
        grant.accessEnds = world.clock.now().getTime() + 1;
        await world.tokens.tokenFor(row, grant.access);
      }
      return answer;
    };
    try {
      await expect(world.me(row)).resolves.toMatchObject({ id: 'user-1' });
    } finally {
      HttpClient.prototype.sendWhole = sendWhole;
    }
    expect((await world.row(row.id)).health_state).toBe('healthy');
  });
});

describe('re-authorization tokens', () => {
  it('belong to one connection, one workspace, and end', async () => {
    const [one, two] = [(await connected()).row, (await connected()).row];
    const token = world.reconnect.token(one);
    const start = (query: object) => codeOf(world.connect.start(world.workspace.id, 'loopads', query));
    expect(await start({ connection_id: one.id, reauth_token: token })).toBe('no error');
    expect(await start({ connection_id: two.id, reauth_token: token })).toBe('reauth_token_invalid');
    expect(await start({ connection_id: one.id, reauth_token: `${token}x` })).toBe('reauth_token_invalid');
    expect(await start({ connection_id: one.id })).toBe('reauth_token_invalid');
    expect(await start({ reauth_token: token })).toBe('reauth_token_invalid');
    expect(await start({ connection_id: one.id, reauth_token: token, env: 'sandbox' })).toBe('environment_crossed');
    await world.clock.advance(14 * 24 * HOUR);
    expect(await start({ connection_id: one.id, reauth_token: token })).toBe('reauth_token_invalid');
  });
});

describe('health', () => {
  it('is noted now and then, not at every call', async () => {
    const { row } = await connected();
    for (let n = 0; n < 20; n += 1) await world.me(row);
    expect((await world.row(row.id)).version).toBe(row.version);
    await world.clock.advance(6 * 60_000);
    for (let n = 0; n < 5; n += 1) await world.me(row);
    await expect.poll(async () => (await world.row(row.id)).last_healthy_at).toEqual(world.clock.now());
    // What is cached by version (look-up tables, tokens) stays.
    expect((await world.row(row.id)).version).toBe(row.version);
  });
});

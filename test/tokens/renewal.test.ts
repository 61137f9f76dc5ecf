/** Renewals when something goes wrong at the worst moment, on one database and with a second process beside. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTokens } from '../../src/core/auth/credentials.ts';
import { noLease } from '../../src/core/auth/life/lease.ts';
import { OUTAGE_AFTER } from '../../src/core/auth/life/outages.ts';
import { TokenSweep } from '../../src/core/auth/life/sweep.ts';
import { PlatformRegistry } from '../../src/core/connector/registry.ts';
import { PolyadError } from '../../src/core/errors/index.ts';
import { getTokenLife, listEvents, updateConnection } from '../../src/core/store/repositories/index.ts';
import type { ConnectionRow } from '../../src/core/store/schema.ts';
import { asked, Browser, comeBack, connectOnce, linkOf, startWorld, type World } from '../connect/support/world.ts';
import { settle } from '../support/virtual-clock.ts';

const HOUR = 3_600_000;
const REFRESH = '/token/refresh';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  // Time goes on for whoever waits for it.
  pump = setInterval(() => void (world.clock.sleeping > 0 && world.clock.step()), 5);
});
afterEach(async () => {
  clearInterval(pump);
  world.platform.gate = undefined;
  world.platform.faults.length = 0;
  await world.store.db.deleteFrom('connections').execute();
  await world.store.db.deleteFrom('token_outages').execute();
  await world.tokens.outages.load();
});
let pump: NodeJS.Timeout;

async function connected() {
  const row = await world.row((await connectOnce(world)).get('id') as string);
  const grant = world.platform.grants.at(-1);
  if (grant === undefined) throw new Error('no grant');
  return { row, grant };
}

const sweepOf = (tokens = world.tokens): TokenSweep =>
  new TokenSweep({
    store: world.store,
    registry: new PlatformRegistry([world.module]),
    clock: world.clock,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    tokens,
    probe: async () => ({}),
  });
const sealed = async (row: ConnectionRow) => (await openTokens(world.secrets, world.store.db, row))?.tokens;
const health = async (id: string) => (await world.connections.get(world.workspace, id)).health;
const failure = (work: Promise<unknown>): Promise<PolyadError | undefined> =>
  work.then(
    () => undefined,
    (error: PolyadError) => error,
  );
const reasons = async (id: string, type: string) =>
  (await listEvents(world.store.db, world.workspace.id, { connection_id: id, type })).map(
    (event) => event.payload['reason'],
  );

describe('a platform’s answer that is lost', () => {
  it('is asked for once more at once, which a forgiving platform answers', async () => {
    const { row, grant } = await connected();
    await world.clock.advance(HOUR);
    world.platform.faults.push({ path: REFRESH, status: 200, body: '', drop: true });
    const before = world.platform.count(REFRESH);
    expect((await world.tokens.tokenFor(row)).accessToken).toBe(grant.access);
    expect(world.platform.count(REFRESH)).toBe(before + 2);
  });

  it('is asked for once more only: a third time would not help, and the renewal is put off', async () => {
    const { row } = await connected();
    await world.clock.advance(HOUR);
    for (let n = 0; n < 5; n += 1) world.platform.faults.push({ path: REFRESH, status: 200, body: '', drop: true });
    const before = world.platform.count(REFRESH);
    expect(await failure(world.tokens.tokenFor(row))).toMatchObject({ code: 'platform_unavailable' });
    expect(world.platform.count(REFRESH)).toBe(before + 2);
    expect(await world.row(row.id)).toMatchObject({ health_state: 'healthy', life: 'degraded' });
    // On record as spent: should the platform refuse it now, the reason is known.
    expect(await getTokenLife(world.store.db, row.id)).toMatchObject({ failures: 1, spending_version: 1 });
  });

  it('costs a grant at a strict platform no earlier than it must, and the connection says what happened', async () => {
    const { row, grant } = await connected();
    await world.clock.advance(HOUR - 200_000);
    // It rotated, the answer broke off, and now it knows the old refresh token no more.
    grant.refresh = 'rt-that-never-arrived';
    world.platform.faults.push({ path: REFRESH, status: 200, body: '', drop: true });
    expect((await world.tokens.tokenFor(row)).accessToken).toBe(grant.access);
    await expect.poll(async () => (await health(row.id))?.lifecycle).toBe('reauthorization_due');
    expect(await health(row.id)).toMatchObject({
      state: 'healthy',
      who: 'customer',
      reauthorize_by: new Date(grant.accessEnds as number).toISOString(),
      reconnect_url: expect.stringContaining('reauth_token='),
    });
    expect(await reasons(row.id, 'connection.reauthorization_due')).toEqual(['refresh_answer_lost']);
    // The access token serves to its end, and nobody asks the platform about the refresh token again.
    const before = world.platform.count(REFRESH);
    await expect(world.me(row)).resolves.toMatchObject({ id: 'user-1' });
    await sweepOf().run();
    expect(world.platform.count(REFRESH)).toBe(before);
    await world.clock.advance(200_000);
    expect(await failure(world.me(row))).toMatchObject({ code: 'connection_reconnect_required' });
    expect(world.platform.count(REFRESH)).toBe(before);
    expect((await health(row.id))?.message).toContain('its answer never arrived');
  });
});

describe('two processes that both believe they hold the lease', () => {
  it('keep the refresh token that came late, and live on it when the stored one is refused', async () => {
    const { row, grant } = await connected();
    const other = world.twin({ lease: noLease(world.store) });
    await world.clock.advance(HOUR);
    let open: () => void = () => undefined;
    world.platform.gate = new Promise((resolve) => {
      open = resolve;
    });
    // The platform answers both, as one with a time of grace does; the second answer is the one that lives.
    const [first, second] = [
      { access_token: 'at-first', refresh_token: 'rt-first', expires_in: 3600, scope: ['1'], accounts: [] },
      { access_token: 'at-second', refresh_token: 'rt-second', expires_in: 3600, scope: ['1'], accounts: [] },
    ];
    const before = world.platform.count(REFRESH);
    world.platform.faults.push({ path: REFRESH, status: 200, body: second });
    const late = other.tokens.tokenFor(row);
    while (world.platform.count(REFRESH) === before) await settle();
    world.platform.gate = undefined;
    world.platform.faults.push({ path: REFRESH, status: 200, body: first });
    expect((await world.tokens.tokenFor(row)).accessToken).toBe('at-first');
    open();
    expect((await late).accessToken).toBe('at-first');
    expect(await sealed(row)).toMatchObject({ refresh_token: 'rt-first' });

    grant.refresh = 'rt-second';
    await world.clock.advance(HOUR);
    expect((await world.tokens.tokenFor(await world.row(row.id))).accessToken).toBe(grant.access);
    expect(await sealed(row)).toMatchObject({ access_token: grant.access, refresh_token: grant.refresh });
    expect(await world.row(row.id)).toMatchObject({ health_state: 'healthy', life: 'healthy' });
    expect(await world.events('connection.reconnect_required')).not.toContain(row.id);
  });
});

describe('a database that does not take the new tokens', () => {
  it('gets them as soon as it is back, although nobody calls, and nobody else spends the old ones meanwhile', async () => {
    const { row, grant } = await connected();
    await world.clock.advance(HOUR);
    const { transaction } = world.store.db;
    let failures = 1;
    world.store.db.transaction = () => {
      if (failures-- > 0) throw new PolyadError('store_unavailable');
      return transaction.call(world.store.db);
    };
    try {
      expect(await failure(world.tokens.tokenFor(row))).toMatchObject({ code: 'store_unavailable' });
    } finally {
      world.store.db.transaction = transaction;
    }
    expect((await getTokenLife(world.store.db, row.id))?.holder).not.toBeNull();
    await expect.poll(() => sealed(row), { timeout: 5_000 }).toMatchObject({ refresh_token: grant.refresh });
    expect(await getTokenLife(world.store.db, row.id)).toMatchObject({ holder: null, spending_version: null });
  });
});

describe('an outage of the token endpoint', () => {
  it('stops all renewals of the platform on every node after a few, but for one try now and then', async () => {
    const connections: Awaited<ReturnType<typeof connected>>[] = [];
    for (let n = 0; n < 10; n += 1) connections.push(await connected());
    await world.clock.advance(HOUR);
    for (let n = 0; n < 100; n += 1)
      world.platform.faults.push({ path: REFRESH, status: 502, body: '<html>bad</html>' });
    const before = world.platform.count(REFRESH);
    const ask = (at: World['tokens']) =>
      Promise.all(connections.map(({ row }) => failure(at.tokenFor(row)).then((error) => error?.code)));
    expect(new Set(await ask(world.tokens))).toEqual(new Set(['platform_unavailable']));
    const known = world.platform.count(REFRESH);
    // Ten at once do not know of each other; from then on nobody asks.
    expect(known - before).toBeLessThanOrEqual(20);
    expect(await world.store.db.selectFrom('token_outages').selectAll().execute()).toMatchObject([
      { integration_type: 'loopads', environment: 'production', failures: 10 },
    ]);
    const [refused] = await Promise.all([
      failure(world.tokens.tokenFor((connections[0] as { row: ConnectionRow }).row)),
    ]);
    expect(refused?.retryAfterMs).toBeGreaterThan(0);
    const twin = world.twin();
    await sweepOf(twin.tokens).run();
    expect(new Set(await ask(twin.tokens))).toEqual(new Set(['platform_unavailable']));
    expect(world.platform.count(REFRESH)).toBe(known);

    await world.clock.advance(6 * 60_000);
    await Promise.all([ask(world.tokens), ask(twin.tokens)]);
    // One try of all nodes together, repeated once as every lost answer.
    expect(world.platform.count(REFRESH)).toBeLessThanOrEqual(known + 2);
    for (const { row } of connections) expect((await world.row(row.id)).health_state).toBe('healthy');

    world.platform.faults.length = 0;
    await world.clock.advance(6 * 60_000);
    for (let n = 0; n < 10; n += 1) {
      await sweepOf().run();
      await world.clock.advance(60_000);
    }
    expect(await world.store.db.selectFrom('token_outages').selectAll().execute()).toEqual([]);
    for (const { row } of connections) expect((await world.row(row.id)).life).toBe('healthy');
  });

  it('is not what one connection’s trouble is', async () => {
    const { row } = await connected();
    const other = await connected();
    await world.clock.advance(HOUR);
    for (let n = 0; n < 2 * OUTAGE_AFTER; n += 1) {
      world.platform.faults.push({ path: REFRESH, status: 200, body: { code: 'E_PATH', message: 'odd' } });
      await failure(world.tokens.tokenFor(row));
    }
    expect((await world.tokens.tokenFor(other.row)).accessToken).toBe(other.grant.access);
  });
});

describe('the sweep', () => {
  it('renews before callers would have to, one node each', async () => {
    const { row, grant } = await connected();
    const before = world.platform.count(REFRESH);
    const old = grant.access;
    await world.clock.advance(HOUR - 6 * 60_000 - 1_000);
    const twin = world.twin();
    await Promise.all([sweepOf().run(), sweepOf(twin.tokens).run()]);
    expect(grant.access).not.toBe(old);
    expect((await sealed(row))?.access_token).toBe(grant.access);
    expect(world.platform.count(REFRESH)).toBe(before + 1);
  });

  it('goes on after a node that died with what it had taken', async () => {
    const { row, grant } = await connected();
    const old = grant.access;
    await world.clock.advance(HOUR - 6 * 60_000);
    // Taken, and nothing happened after that.
    const later = new Date(world.clock.now().getTime() + 5 * 60_000);
    await world.store.db
      .updateTable('token_lives')
      .set({ next_at: later })
      .where('connection_id', '=', row.id)
      .execute();
    await sweepOf().run();
    expect(grant.access).toBe(old);
    await world.clock.advance(5 * 60_000);
    await sweepOf().run();
    expect(grant.access).not.toBe(old);
  });

  it('leaves a paused connection alone as long as its grant does not die of it', async () => {
    const { row, grant } = await connected();
    await world.connections.update(
      world.workspace,
      row.id,
      { is_paused: true },
      { requestId: 'r', signal: new AbortController().signal },
    );
    expect((await health(row.id))?.lifecycle).toBe('paused');
    const old = grant.access;
    await world.clock.advance(300 * 24 * HOUR);
    await sweepOf().run();
    expect(grant.access).toBe(old);
    await world.clock.advance(59 * 24 * HOUR);
    await sweepOf().run();
    expect(grant.access).not.toBe(old);
    expect(await world.row(row.id)).toMatchObject({ is_paused: true, life: 'paused', health_state: 'healthy' });
    await world.connections.update(
      world.workspace,
      row.id,
      { is_paused: false },
      { requestId: 'r', signal: new AbortController().signal },
    );
    expect((await health(row.id))?.lifecycle).toBe('healthy');
  });
});

describe('a weak sign that a grant is gone', () => {
  const bare = { path: '/me', status: 401, body: { code: 'E_BARE', message: 'unauthorized' } };

  it('is forgotten when the next try works', async () => {
    const { row } = await connected();
    world.platform.faults.push(bare, bare);
    const before = world.platform.count('/me');
    await expect(world.me(row)).resolves.toMatchObject({ id: 'user-1' });
    expect(world.platform.count('/me')).toBe(before + 3);
    expect((await world.row(row.id)).health_state).toBe('healthy');
  });

  it('counts when it comes three times', async () => {
    const { row } = await connected();
    world.platform.faults.push(bare, bare, bare);
    expect(await failure(world.me(row))).toMatchObject({ code: 'connection_reconnect_required' });
    const before = world.platform.seen.length;
    expect(await failure(world.me(row))).toMatchObject({ code: 'connection_reconnect_required' });
    expect(world.platform.seen.length).toBe(before);
  });
});

describe('authorizing again', () => {
  it('shows what was gained and lost, tells it in the event, and records what is missing', async () => {
    world.platform.consent.scopes = ['10', '21'];
    world.platform.consent.accounts = ['acc-1', 'acc-2'];
    const { row } = await connected();
    expect((await health(row.id))?.missing_permissions).toEqual(expect.arrayContaining(['ads_campaign_read']));
    expect(await health(row.id)).toMatchObject({ state: 'healthy', reconnect_url: expect.stringContaining('reauth') });
    const wire = await world.connections.get(world.workspace, row.id);
    expect(wire.auth?.meta).toMatchObject({ scopes: ['10', '21'], needed_scopes: ['10', '20', '21'] });

    world.platform.consent.scopes = ['10', '20'];
    world.platform.consent.accounts = ['acc-2', 'acc-3'];
    const browser = new Browser();
    const { url } = await world.connect.start(world.workspace.id, 'loopads', {
      connection_id: row.id,
      reauth_token: world.reconnect.token(row),
    });
    browser.take(await world.connect.page(linkOf(url), asked(browser)));
    const on = await world.connect.submit(linkOf(url), { action: 'continue' }, asked(browser));
    const done = await comeBack(world.connect, world.platform.decide(on.headers['location'] as string), browser);
    Object.assign(world.platform.consent, { scopes: ['1'], accounts: ['acc-1', 'acc-2'] });
    expect(done.status).toBe(200);
    const text = done.body.replace(/<style[\s\S]*?<\/style>/, '').replace(/<[^>]+>/g, '|');
    expect(text).toMatch(/New with this authorization.*Campaigns: view.*Ad account acc-3/s);
    expect(text).toMatch(/No longer allowed.*Campaigns: view and change.*Ad account acc-1/s);
    expect(text).not.toContain('Asked for by');
    const [event] = await listEvents(world.store.db, world.workspace.id, {
      connection_id: row.id,
      type: 'connection.reconnected',
    });
    expect(event?.payload).toMatchObject({
      permissions_gained: ['ads_campaign_read'],
      permissions_lost: ['ads_campaign_write'],
      organizations_gained: ['acc-3'],
      organizations_lost: ['acc-1'],
    });
  });

  it('ends what was known of the old grant: refusals, rescued tokens, warnings, lost ad accounts', async () => {
    const { row, grant } = await connected();
    grant.refresh = 'rt-other';
    await world.clock.advance(HOUR - 200_000);
    await world.tokens.tokenFor(row);
    await expect.poll(async () => (await getTokenLife(world.store.db, row.id))?.refused_version).toBe(1);
    await world.tokens.organizations.lost(await world.row(row.id), 'acc-1', { code: 'X' });
    expect((await health(row.id))?.organizations).toHaveLength(1);
    await connectOnce(world, { connection_id: row.id, reauth_token: world.reconnect.token(row) });
    expect(await getTokenLife(world.store.db, row.id)).toMatchObject({ refused_version: null, warned_days: null });
    expect(await health(row.id)).toMatchObject({ state: 'healthy', lifecycle: 'healthy' });
    expect(await health(row.id)).not.toHaveProperty('organizations');
    const fresh = world.platform.grants.at(-1);
    await world.clock.advance(HOUR);
    expect((await world.tokens.tokenFor(await world.row(row.id))).accessToken).toBe(fresh?.access);
  });
});

describe('an import whose access token has run out', () => {
  const caller = { requestId: 'r', signal: new AbortController().signal };
  const bring = (grant: { access: string; refresh?: string }) =>
    world.connections.create(
      world.workspace,
      {
        integration_type: 'loopads',
        environment: 'production',
        auth: { access_token: grant.access, refresh_token: grant.refresh, expires_in: -60 },
      },
      caller,
    );

  it('is renewed before its test, and what is stored is the renewed token', async () => {
    const { grant } = await connected();
    grant.accessEnds = world.clock.now().getTime() - 60_000;
    const old = { ...grant };
    const made = await bring(grant);
    expect(grant.refresh).not.toBe(old.refresh);
    const row = await world.row(made.id as string);
    expect(await sealed(row)).toMatchObject({ access_token: grant.access, refresh_token: grant.refresh });
    await expect(world.me(row)).resolves.toMatchObject({ id: 'user-1' });
  });

  it('is kept when the platform stumbles after the renewal: its old refresh token is worth nothing any more', async () => {
    const { grant } = await connected();
    grant.accessEnds = world.clock.now().getTime() - 60_000;
    for (let n = 0; n < 20; n += 1) world.platform.faults.push({ path: '/me', status: 503, body: {} });
    const made = await bring(grant);
    expect(await sealed(await world.row(made.id as string))).toMatchObject({ refresh_token: grant.refresh });
  });
});

it('notes of health do not undo a pause that came between', async () => {
  const { row } = await connected();
  await updateConnection(world.store.db, world.workspace.id, row.id, { is_paused: true });
  await world.clock.advance(6 * 60_000);
  world.tokens.reportHealthy(row);
  await expect.poll(async () => (await world.row(row.id)).last_healthy_at).toEqual(world.clock.now());
  expect(await world.row(row.id)).toMatchObject({ is_paused: true, version: row.version + 1 });
});

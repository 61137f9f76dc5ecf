/** Refresh tokens that came too late to be stored: when they are tried, in which order, and when they are forgotten. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTokens, type SealedTokens } from '../../src/core/auth/credentials.ts';
import { keepRescued, rescuedTokens } from '../../src/core/auth/life/rescue.ts';
import { getTokenLife } from '../../src/core/store/repositories/index.ts';
import type { ConnectionRow } from '../../src/core/store/schema.ts';
import { connectOnce, startWorld, type World } from '../connect/support/world.ts';

const HOUR = 3_600_000;
const REFRESH = '/token/refresh';

let world: World;
let pump: NodeJS.Timeout;
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
  world.platform.faults.length = 0;
  world.platform.grants.length = 0;
  await world.store.db.deleteFrom('connections').execute();
  await world.store.db.deleteFrom('token_outages').execute();
  await world.tokens.outages.load();
});

/** A connection whose stored refresh token the platform no longer knows, and whose access token is over. */
async function abandoned() {
  const row = await world.row((await connectOnce(world)).get('id') as string);
  const grant = world.platform.grants.at(-1);
  if (grant === undefined) throw new Error('no grant');
  const stored = (await openTokens(world.secrets, world.store.db, row))?.tokens as SealedTokens;
  grant.refresh = 'rt-living';
  await world.clock.advance(HOUR);
  return { row, grant, stored };
}
const late = (row: ConnectionRow, stored: SealedTokens, refresh_token: string, other: Partial<SealedTokens> = {}) =>
  keepRescued(world.secrets, world.store.db, row, { ...stored, ...other, refresh_token }, world.clock.now());
const kept = async (row: ConnectionRow, stored: SealedTokens): Promise<(string | undefined)[]> =>
  (await rescuedTokens(world.secrets, world.store.db, row, stored)).map((one) => one.refresh_token);
/** The refresh tokens that the platform was asked with, in order. */
const tried = (): (string | undefined)[] =>
  world.platform.seen.filter((one) => one.path === REFRESH).map((one) => one.body['refresh_token']);
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: { code: string }) => error.code,
  );

describe('late refresh tokens', () => {
  it('are tried newest first, after the stored one, until one lives; then all are forgotten', async () => {
    const { row, grant, stored } = await abandoned();
    await late(row, stored, 'rt-older');
    await late(row, stored, 'rt-living');
    await late(row, stored, 'rt-newest');
    const from = tried().length;
    expect((await world.tokens.tokenFor(row)).accessToken).toBe(grant.access);
    expect(tried().slice(from)).toEqual([stored.refresh_token, 'rt-newest', 'rt-living']);
    expect(await kept(row, stored)).toEqual([]);
    const after = (await openTokens(world.secrets, world.store.db, row))?.tokens;
    expect(after).toMatchObject({ access_token: grant.access, refresh_token: grant.refresh });
    expect(await world.row(row.id)).toMatchObject({ health_state: 'healthy', life: 'healthy' });
  });

  it('that are all refused end the grant, and are not tried a second time', async () => {
    const { row, stored } = await abandoned();
    await late(row, stored, 'rt-dead-1');
    await late(row, stored, 'rt-dead-2');
    const from = tried().length;
    expect(await failure(world.tokens.tokenFor(row))).toBe('connection_reconnect_required');
    expect(tried().slice(from)).toEqual([stored.refresh_token, 'rt-dead-2', 'rt-dead-1']);
    expect(await kept(row, stored)).toEqual([]);
    expect(await failure(world.tokens.tokenFor(await world.row(row.id)))).toBe('connection_reconnect_required');
    expect(tried()).toHaveLength(from + 3);
  });

  it('are kept when the platform stumbles while they are tried: nobody is told anything, and it goes on later', async () => {
    const { row, grant, stored } = await abandoned();
    await late(row, stored, 'rt-living');
    // The stored one is refused; then the platform is out.
    world.platform.faults.push({ path: REFRESH, status: 200, body: { code: 'E_REFRESH', message: 'dead' } });
    for (let n = 0; n < 4; n += 1) world.platform.faults.push({ path: REFRESH, status: 503, body: {} });
    expect(await failure(world.tokens.tokenFor(row))).toBe('platform_unavailable');
    expect(await kept(row, stored)).toEqual(['rt-living']);
    expect(await world.row(row.id)).toMatchObject({ health_state: 'healthy', life: 'degraded' });
    // Should it be refused in the end, the reason is known: an answer was lost.
    expect(await getTokenLife(world.store.db, row.id)).toMatchObject({ failures: 1, spending_version: 1 });
    world.platform.faults.length = 0;
    await world.clock.advance(10 * 60_000);
    expect((await world.tokens.tokenFor(await world.row(row.id))).accessToken).toBe(grant.access);
  });

  it('of an authorization before this one are never tried: they may be another account’s', async () => {
    const { row, stored } = await abandoned();
    await late(row, stored, 'rt-living', { authorized_at: '2020-01-01T00:00:00.000Z' });
    const from = tried().length;
    expect(await failure(world.tokens.tokenFor(row))).toBe('connection_reconnect_required');
    expect(tried().slice(from)).toEqual([stored.refresh_token]);
  });

  it('are kept once each, the newest five, sealed', async () => {
    const { row, stored } = await abandoned();
    for (const number of [1, 2, 3, 3, 4, 5, 6, 2]) await late(row, stored, `rt-late-${number}`);
    expect(await kept(row, stored)).toEqual([2, 6, 5, 4, 3].map((number) => `rt-late-${number}`));
    const rows = await world.store.db.selectFrom('secrets').selectAll().where('owner_id', '=', row.id).execute();
    expect(rows.map(({ kind }) => kind).sort()).toEqual(['tokens', 'tokens_rescued']);
    expect(JSON.stringify(rows)).not.toContain('rt-late');
  });

  it('of two that come at the same moment are both kept', async () => {
    const { row, stored } = await abandoned();
    await Promise.all(['rt-a', 'rt-b', 'rt-c'].map((token) => late(row, stored, token)));
    expect((await kept(row, stored)).sort()).toEqual(['rt-a', 'rt-b', 'rt-c']);
  });
});

describe('trouble that says nothing about the grant', () => {
  it.each([
    ['our app is unknown to the platform', { code: 'E_APP', message: 'app is unknown' }, 200],
    ['an answer that is no token', [], 200],
    ['a page of a gateway', '<html>bad gateway</html>', 502],
  ])('%s: the token is used to its end, and no customer is told', async (_what, body, status) => {
    const row = await world.row((await connectOnce(world)).get('id') as string);
    const grant = world.platform.grants.at(-1);
    await world.clock.advance(HOUR - 200_000);
    for (let n = 0; n < 8; n += 1) world.platform.faults.push({ path: REFRESH, status, body });
    expect((await world.tokens.tokenFor(row)).accessToken).toBe(grant?.access);
    await expect.poll(async () => (await world.row(row.id)).life).toBe('degraded');
    expect(await world.row(row.id)).toMatchObject({ health_state: 'healthy' });
    expect((await getTokenLife(world.store.db, row.id))?.refused_version).toBeNull();
    expect((await world.tokens.tokenFor(row)).accessToken).toBe(grant?.access);
  });

  it('never lets a renewal of one connection wait for that of another', async () => {
    const slow = await world.row((await connectOnce(world)).get('id') as string);
    const quick = await world.row((await connectOnce(world)).get('id') as string);
    await world.clock.advance(HOUR);
    let open: () => void = () => undefined;
    world.platform.gate = new Promise((resolve) => {
      open = resolve;
    });
    const before = world.platform.count(REFRESH);
    const waiting = world.tokens.tokenFor(slow);
    await expect.poll(() => world.platform.count(REFRESH)).toBe(before + 1);
    world.platform.gate = undefined;
    expect((await world.tokens.tokenFor(quick)).accessToken).toBe(world.platform.grants.at(-1)?.access);
    open();
    await waiting;
  });
});

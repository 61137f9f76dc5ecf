/** The customer withdraws the grant at TikTok: what callers hear, what TikTok sees, how it heals. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listEvents } from '../../src/core/store/repositories/index.ts';
import { type Answer, startTestApp, type TestApp } from '../support/app.ts';

let polyad: TestApp;
let connection: string;
beforeAll(async () => {
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual' });
});
afterAll(() => polyad.close());
beforeEach(async () => {
  connection = (await polyad.connect()).get('id') as string;
  expect((await campaigns()).status).toBe(200);
});

const organization = (): string => (polyad.simulator.ready['advertiser_ids'] as string[])[0] as string;
const campaigns = (): Promise<Answer> => polyad.call('GET', `/ads/${connection}/campaign?org_id=${organization()}`);
/** One call of every kind. */
const everything = (): Promise<Answer>[] => [
  campaigns(),
  polyad.call('GET', `/ads/${connection}/organization`),
  polyad.call('GET', `/ads/${connection}/ad/1234567890`),
  polyad.call('GET', `/ads/${connection}/report?org_id=${organization()}`),
  polyad.call('POST', `/ads/${connection}/campaign`, {
    organization_id: organization(),
    name: 'Never made',
    goal: 'REACH',
  }),
  polyad.call('DELETE', `/ads/${connection}/campaign/1234567890?org_id=${organization()}`),
  polyad.call('GET', `/passthrough/${connection}/open_api/v1.3/user/info/`),
];
const revoke = async (): Promise<void> => {
  await polyad.control('POST', '/grants/revoke', { app_id: polyad.simulator.ready['app_id'] });
  await polyad.clearLog();
};
/** Calls that carried a token. */
const asked = async () => (await polyad.requests()).filter(({ token }) => token !== null);

describe('a revoked grant', () => {
  it('is asked once; every further call of any kind is refused here, with the way out', async () => {
    await revoke();
    const first = await campaigns();
    expect(first).toMatchObject({
      status: 403,
      body: {
        code: 'connection_reconnect_required',
        actor: 'customer',
        retry: 'never',
        platform: { integration_type: 'tiktokads', code: '40105' },
        details: { connection_id: connection },
      },
    });
    for (let round = 0; round < 5; round += 1)
      for (const answer of await Promise.all(everything())) {
        expect({ status: answer.status, code: answer.body.code }).toEqual({
          status: 403,
          code: 'connection_reconnect_required',
        });
        expect(answer.body.details.reconnect_url).toContain(`connection_id=${connection}`);
      }
    // Not after days either.
    polyad.advance(5 * 86_400_000);
    expect((await campaigns()).body.code).toBe('connection_reconnect_required');
    expect(await asked()).toHaveLength(1);
  });

  it('shows on the connection and is told by one event', async () => {
    await revoke();
    await Promise.all(Array.from({ length: 20 }, campaigns));
    const seen = await polyad.ok('GET', `/unified/connection/${connection}`);
    expect(seen).toMatchObject({
      last_unhealthy_code: 'connection_reconnect_required',
      health: { state: 'unhealthy', code: 'connection_reconnect_required', who: 'customer' },
    });
    expect(seen.health.reconnect_url).toMatch(/^http/);
    const events = await listEvents(polyad.app.store.db, polyad.workspace.id, {
      type: 'connection.reconnect_required',
    });
    expect(events.filter((event) => event.connection_id === connection)).toHaveLength(1);
  });

  it('in the middle of a crowd: only what was under way reaches TikTok, and silence after', async () => {
    polyad.advance(2_000);
    const release = polyad.hold();
    const crowd = Array.from({ length: 200 }, campaigns);
    await polyad.queued(190);
    // Ten are through, the others wait for their turn with the grant still good.
    await revoke();
    release();
    const answers = await Promise.all(crowd);
    const codes = new Set(answers.map(({ status, body }) => (status === 200 ? 'ok' : body.code)));
    expect(codes).toEqual(new Set(['ok', 'connection_reconnect_required']));
    // No more at once than the quota lets out in a second.
    expect((await asked()).filter(({ code }) => code === 40105).length).toBeLessThanOrEqual(10);
    await polyad.clearLog();
    await Promise.all(everything());
    expect(await asked()).toHaveLength(0);
  });

  it('of one customer leaves the others alone', async () => {
    const { grants } = await polyad.control('GET', '/grants');
    const mine = grants.filter((grant: { revoked_at: string | null }) => grant.revoked_at === null).at(-1);
    const revoked = connection;
    connection = (await polyad.connect()).get('id') as string;
    await polyad.control('POST', '/grants/revoke', { access_token: mine.token });
    expect((await polyad.call('GET', `/ads/${revoked}/organization`)).status).toBe(403);
    expect((await campaigns()).status).toBe(200);
  });

  it('heals in place by the link: same connection, same id, calls work again', async () => {
    await revoke();
    const { body } = await campaigns();
    const { redirect: _redirect, ...query } = Object.fromEntries(new URL(body.details.reconnect_url).searchParams);
    expect((await polyad.connect({ query })).get('id')).toBe(connection);
    expect((await campaigns()).status).toBe(200);
    const seen = await polyad.ok('GET', `/unified/connection/${connection}`);
    expect(seen.health.state).toBe('healthy');
    for (const key of ['reconnect_url', 'code', 'who']) expect(seen.health).not.toHaveProperty(key);
  });
});

describe('one ad account taken out of a grant', () => {
  it('is no revocation: that account is refused, the rest goes on', async () => {
    const [lost, kept] = polyad.simulator.ready['advertiser_ids'] as string[];
    await polyad.control('POST', '/grants/remove_advertiser', { advertiser_id: lost });
    const refused = await campaigns();
    expect(refused).toMatchObject({ status: 403, body: { code: 'organization_access_lost', actor: 'customer' } });
    expect((await polyad.call('GET', `/ads/${connection}/campaign?org_id=${kept}`)).status).toBe(200);
    expect((await polyad.ok('GET', `/unified/connection/${connection}`)).health.state).toBe('healthy');
  });
});

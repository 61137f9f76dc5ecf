/**
 * A year in the life of tokens that end, in virtual time, against the TikTok simulator: renewals, warnings on their days,
 * the end, and the way back; and what outages, revocation and single lost ad accounts do.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const REFRESH = 'tt_user/oauth2/refresh_token';

let polyad: TestApp;
beforeAll(async () => {
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual' });
});
afterAll(() => polyad?.close());
beforeEach(async () => {
  await polyad.control('DELETE', '/faults');
  await polyad.control('PATCH', '/settings', { token_model: 'guide', refresh_rotation: false });
});

afterEach(async () => {
  for (const { id } of await polyad.ok('GET', '/unified/connection?limit=100'))
    await polyad.ok('DELETE', `/unified/connection/${id}`);
  await polyad.app.services.connections.settle();
  await polyad.reset();
});

const sweep = () => polyad.app.tokenSweep.run();
const connection = (id: string) => polyad.ok('GET', `/unified/connection/${id}`);
const advertisers = () => polyad.simulator.ready['advertiser_ids'] as string[];
const campaigns = (id: string, advertiser = advertisers()[0]) =>
  polyad.call('GET', `/ads/${id}/campaign?org_id=${advertiser}&limit=1`);
const connect = async (consent: Record<string, unknown> = {}, query: Record<string, string> = {}): Promise<string> =>
  (await polyad.connect({ consent, query })).get('id') as string;
interface Event {
  type: string;
  payload: Record<string, unknown>;
  created_at: string;
}
const events = (id: string, type?: string): Promise<Event[]> =>
  polyad.ok('GET', `/v1/events?connection_id=${id}&order=asc&limit=100${type === undefined ? '' : `&type=${type}`}`);
const types = async (id: string) => (await events(id)).map((event) => event.type);

/** Lets time pass in steps of `step`, tokens looked after at each. */
async function pass(ms: number, step: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += step) {
    polyad.advance(Math.min(step, ms - gone));
    await sweep();
  }
}

describe('a year with a refresh token that ends', () => {
  it('renews day by day unasked, warns on its days, stops at the end, and comes back by the link with the same id', async () => {
    const account = { kind: 'tt_user', app_id: polyad.simulator.ready['app_id'], scope: undefined };
    const marketing = await connect();
    const user = await connect(account, { grant: 'tt_user' });
    const begun = polyad.now().getTime();
    await polyad.clearLog();

    // Nobody calls for three months: the tokens stay alive all the same.
    await pass(90 * DAY, 5 * HOUR);
    const quarter = (await polyad.requests(REFRESH)).length;
    expect(quarter).toBeGreaterThanOrEqual(2 * 90);
    expect(quarter).toBeLessThanOrEqual(2 * 90 * 1.4);
    const ends = (await connection(marketing)).health.reauthorize_by;
    expect(Date.parse(ends)).toBeGreaterThanOrEqual(begun + 365 * DAY - 60_000);
    expect(Date.parse(ends)).toBeLessThanOrEqual(begun + 365 * DAY + 60_000);
    expect((await connection(marketing)).health).toMatchObject({ state: 'healthy', lifecycle: 'healthy' });
    expect((await connection(marketing)).health).not.toHaveProperty('reconnect_url');

    await pass(274 * DAY, 5 * HOUR);
    for (const id of [marketing, user]) {
      const warned = await events(id, 'connection.reauthorization_due');
      expect(warned.map((event) => event.payload['warning_days'])).toEqual([60, 30, 14, 7, 1]);
      for (const { payload, created_at } of warned) {
        const late =
          Date.parse(created_at) - (Date.parse(String(payload['ends_at'])) - Number(payload['warning_days']) * DAY);
        expect(late).toBeGreaterThanOrEqual(0);
        expect(late).toBeLessThanOrEqual(5 * HOUR);
        expect(payload).toMatchObject({ integration_type: 'tiktokads', environment: 'simulator', reason: 'end_near' });
      }
    }
    const { health } = await connection(marketing);
    expect(health).toMatchObject({
      state: 'healthy',
      lifecycle: 'reauthorization_due',
      reauthorize_by: ends,
      reauthorize_in_days: 1,
      who: 'customer',
      message: expect.stringContaining(ends),
      reconnect_url: expect.stringContaining('reauth_token='),
    });
    expect((await campaigns(marketing)).status).toBe(200);

    await pass(2 * DAY, 5 * HOUR);
    const asked = (await polyad.requests(REFRESH)).length;
    await polyad.clearLog();
    await pass(10 * DAY, 5 * HOUR);
    expect(await polyad.requests()).toEqual([]);
    expect(asked).toBeLessThanOrEqual(2 * 366 * 1.4);
    const dead = await campaigns(marketing);
    expect(dead).toMatchObject({ status: 403, body: { code: 'connection_reconnect_required', actor: 'customer' } });
    expect((await connection(user)).health).toMatchObject({ state: 'unhealthy', lifecycle: 'revoked' });
    expect((await events(user, 'connection.reconnect_required')).map((event) => event.payload['reason'])).toEqual([
      'authorization_ended',
    ]);
    expect(await polyad.requests()).toEqual([]);

    const link = new URL(dead.body.details.reconnect_url);
    const query = Object.fromEntries(
      ['connection_id', 'reauth_token'].map((name) => [name, link.searchParams.get(name) as string]),
    );
    expect((await polyad.connect({ query })).get('id')).toBe(marketing);
    expect((await campaigns(marketing)).status).toBe(200);
    expect((await connection(marketing)).health).toMatchObject({ state: 'healthy', lifecycle: 'healthy' });
    // A new year: the old warnings do not count against it.
    await pass(2 * DAY, 5 * HOUR);
    expect(await types(marketing)).toEqual([
      'connection.created',
      ...Array(5).fill('connection.reauthorization_due'),
      'connection.reconnect_required',
      'connection.reconnected',
    ]);
    expect((await campaigns(marketing)).status).toBe(200);
  });

  it('warns of nothing while renewals move the end on', async () => {
    await polyad.control('PATCH', '/settings', { refresh_rotation: true });
    const id = await connect();
    await pass(20 * DAY, 5 * HOUR);
    expect((await connection(id)).health).not.toHaveProperty('reauthorize_by');
    expect((await connection(id)).health).toMatchObject({ lifecycle: 'healthy' });
    expect(await types(id)).toEqual(['connection.created']);
  });
});

describe('six hours without a token endpoint', () => {
  it('lose no connection, cost the platform little, and end by themselves', async () => {
    await polyad.control('PATCH', '/settings', { refresh_rotation: true });
    const ids: string[] = [];
    for (let number = 0; number < 12; number += 1) ids.push(await connect());
    await polyad.control('POST', '/faults', { kind: 'server_error', path: REFRESH });
    await polyad.clearLog();
    // Every token comes to its end within these hours.
    polyad.advance(17 * HOUR);
    await pass(7 * HOUR, 2 * 60_000);
    const tries = (await polyad.requests(REFRESH)).length;
    // 12 connections over six hours: one try every five minutes for all of them together, once the outage is known.
    expect(tries).toBeLessThan(2 * (12 + (7 * 60) / 3.75));
    const rows = await Promise.all(ids.map(connection));
    for (const { health } of rows) {
      expect(health.state).toBe('healthy');
      expect(['degraded', 'expiring']).toContain(health.lifecycle);
    }
    polyad.advance(HOUR);
    // Over now, and the platform out: refused with a time, by this side alone.
    const refused = await campaigns(ids[0] as string);
    expect(refused).toMatchObject({ status: 503, body: { code: 'platform_unavailable', retry: 'after' } });
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(300);

    await polyad.control('DELETE', '/faults');
    await pass(20 * 60_000, 60_000);
    for (const id of ids) {
      expect((await connection(id)).health).toMatchObject({ state: 'healthy', lifecycle: 'healthy' });
      expect((await campaigns(id)).status).toBe(200);
      expect(await types(id)).toEqual(['connection.created']);
    }
  });

  it('fails no caller whose token still lives', async () => {
    const id = await connect();
    await polyad.control('POST', '/faults', { kind: 'html_gateway', path: REFRESH });
    polyad.advance(DAY - 10 * 60_000);
    const answers = await Promise.all(Array.from({ length: 20 }, () => campaigns(id)));
    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
    await sweep();
    expect((await campaigns(id)).status).toBe(200);
    expect((await connection(id)).health).toMatchObject({ state: 'healthy', lifecycle: 'degraded' });
  });
});

describe('a revoked grant', () => {
  it('costs the platform one call, whoever asks afterwards and however long', async () => {
    const id = await connect();
    await campaigns(id);
    await polyad.control('POST', '/grants/revoke', { app_id: polyad.simulator.ready['app_id'] });
    await polyad.clearLog();
    for (let number = 0; number < 10; number += 1)
      expect(await campaigns(id)).toMatchObject({ status: 403, body: { code: 'connection_reconnect_required' } });
    await pass(3 * DAY, 5 * HOUR);
    expect((await polyad.requests()).length).toBe(1);
    expect((await connection(id)).health).toMatchObject({ state: 'unhealthy', lifecycle: 'revoked' });
  });

  it('costs two when the refusal to renew comes first: that call, and the one that finds the access token dead', async () => {
    const id = await connect();
    await polyad.control('POST', '/grants/revoke', { app_id: polyad.simulator.ready['app_id'] });
    await polyad.clearLog();
    await pass(DAY - HOUR / 2, HOUR);
    expect((await polyad.requests()).map((request) => request.path)).toEqual([expect.stringContaining(REFRESH)]);
    expect((await connection(id)).health).toMatchObject({ lifecycle: 'reauthorization_due', reauthorize_in_days: 1 });
    expect((await events(id, 'connection.reauthorization_due')).map((event) => event.payload['reason'])).toEqual([
      'refresh_refused',
    ]);
    for (let number = 0; number < 5; number += 1) expect((await campaigns(id)).status).toBe(403);
    await pass(2 * DAY, 5 * HOUR);
    expect((await polyad.requests()).length).toBe(2);
  });

  it('is noticed by pass-through calls too, whose answer stays as the platform gave it', async () => {
    const id = await connect();
    await polyad.control('POST', '/grants/revoke', { app_id: polyad.simulator.ready['app_id'] });
    await polyad.clearLog();
    const path = `/passthrough/${id}/open_api/v1.3/user/info/`;
    expect(await polyad.call('GET', path)).toMatchObject({ status: 200, body: { code: 40105 } });
    expect(await polyad.call('GET', path)).toMatchObject({
      status: 403,
      body: { code: 'connection_reconnect_required' },
    });
    expect((await polyad.requests()).length).toBe(1);
  });
});

describe('an expired token', () => {
  it('is renewed for the next pass-through call', async () => {
    const id = await connect();
    const { grants } = await polyad.control('GET', '/grants');
    await polyad.control('POST', '/grants/expire', { access_token: grants.at(-1).token });
    const path = `/passthrough/${id}/open_api/v1.3/user/info/`;
    expect((await polyad.call('GET', path)).body.code).toBe(40102);
    expect((await polyad.call('GET', path)).body.code).toBe(0);
  });
});

describe('a token without an end', () => {
  it('is tested once a day, gently, and its revocation is noticed although nobody calls', async () => {
    await polyad.control('PATCH', '/settings', { token_model: 'official' });
    const id = await connect();
    await polyad.clearLog();
    await pass(10 * DAY, HOUR);
    const asked = await polyad.requests('user/info');
    expect(asked.length).toBeGreaterThanOrEqual(9);
    expect(asked.length).toBeLessThanOrEqual(10);
    await polyad.control('POST', '/grants/revoke', { app_id: polyad.simulator.ready['app_id'] });
    await polyad.clearLog();
    await pass(3 * DAY, HOUR);
    expect((await polyad.requests()).length).toBe(1);
    expect((await connection(id)).health).toMatchObject({ state: 'unhealthy', lifecycle: 'revoked' });
  });
});

describe('one ad account of several', () => {
  it('may be lost and come back without the grant being touched', async () => {
    const id = await connect();
    const [first, second] = advertisers() as [string, string];
    expect((await campaigns(id, first)).status).toBe(200);
    polyad.advance(1_000);
    const { users } = await polyad.control('GET', '/users');
    const user = users.find((one: { roles: Record<string, string> }) => one.roles[first] !== undefined);
    await polyad.control('PATCH', `/users/${user.id}`, { roles: { [first]: null } });
    const since = polyad.now().toISOString();
    for (let number = 0; number < 3; number += 1)
      expect(await campaigns(id, first)).toMatchObject({ status: 403, body: { code: 'organization_access_lost' } });
    expect((await campaigns(id, second)).status).toBe(200);
    const { health } = await connection(id);
    expect(health).toMatchObject({ state: 'healthy', lifecycle: 'healthy' });
    expect(health.organizations).toEqual([
      {
        id: first,
        code: 'organization_access_lost',
        since,
        platform_code: '40001',
        message: expect.stringContaining(first),
      },
    ]);
    await polyad.control('PATCH', `/users/${user.id}`, { roles: { [first]: user.roles[first] } });
    // Lists of ad accounts are remembered for five minutes.
    polyad.advance(6 * 60_000);
    expect((await campaigns(id, first)).status).toBe(200);
    await expect.poll(async () => (await connection(id)).health).not.toHaveProperty('organizations');
    expect(await types(id)).toEqual([
      'connection.created',
      'connection.organization_access_lost',
      'connection.organization_access_recovered',
    ]);
  });
});

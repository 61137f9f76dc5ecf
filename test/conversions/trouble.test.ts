/** Conversion events when something is wrong: one of them, the platform, the credential, the time, or the server. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dueDestinations, leaseBatch } from '../../src/core/store/repositories/index.ts';
import type { Json } from '../support/app.ts';
import { type ConversionWorld, openWorld } from './world.ts';

const DAY = 86_400_000;
/** A member that TikTok's validation refuses and that our shape does not have. */
const POISON = { raw: { properties: { value: 'a lot' } } };

let world: ConversionWorld;
const fault = (body: Json) => world.app.control('POST', '/faults', body);
const destination = () => world.app.ok('GET', `/v1/conversion_destinations/${world.web.id}`);
const many = (count: number): Json[] => Array.from({ length: count }, () => world.purchase());

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());
beforeEach(() => world.app.clearLog());
afterEach(async () => {
  await world.app.control('POST', '/faults/clear');
  world.app.tap.clear();
});

describe('one bad event in a batch', () => {
  it('that the platform names harms only itself', async () => {
    const events = many(60);
    const bad = [17, 42].map((index) => Object.assign(events[index], { ...POISON }).event_id);
    const before = await world.received();
    expect((await world.send({ events })).body.summary.waiting).toBe(60);
    await world.drain();
    expect((await world.received()).accepted).toBe(before.accepted + 58);
    expect(await world.requests()).toBe(3);
    const refused = await world.fates('state=REFUSED');
    expect(refused.map(({ event_id }) => event_id).sort()).toEqual([...bad].sort());
    expect(refused[0]).toMatchObject({ reason_code: 'conversion_refused', replayable: true });
    expect(refused[0].reason).toMatch(/^TikTok Ads answered 40002: Batch\.\d+\.properties\.value/);
    expect((await destination()).events).toMatchObject({ waiting: 0, refused: 2 });
    expect((await destination()).health).toBe('HEALTHY');
  });

  it('that the platform does not name is found by halves', async () => {
    world.app.tap.change('/event/track/', (json) => {
      if (json.code === 40002) json.message = 'Invalid parameters';
    });
    const events = many(64);
    const [bad] = [Object.assign(events[40], { ...POISON }).event_id];
    const before = await world.received();
    await world.send({ events });
    await world.drain();
    expect((await world.received()).accepted).toBe(before.accepted + 63);
    // Each half that is whole is taken at once: far fewer requests than events.
    expect(await world.requests()).toBeLessThanOrEqual(1 + 2 * Math.log2(64));
    expect(await world.fateOf(bad)).toMatchObject({ state: 'REFUSED' });
  });

  it('leaves nothing of the person in its reason', async () => {
    world.app.tap.change('/event/track/', (json) => {
      if (json.code === 40002) json.message = 'Batch.0.user: alice_abc@gmail.com at 203.0.113.77 is not valid';
    });
    const event = world.purchase({ user: { email: 'alice_abc@gmail.com', ip_address: '203.0.113.77' }, ...POISON });
    await world.send(event);
    await world.drain();
    const { reason } = await world.fateOf(event.event_id);
    expect(reason).toBe('TikTok Ads answered 40002: Batch.0.user: [hidden] at [hidden] is not valid');
  });
});

describe('an outage of the platform', () => {
  it('keeps events waiting, says why, and ends with all of them accepted once', async () => {
    await fault({ kind: 'server_error', path: '/event/track/' });
    const events = many(20);
    const before = await world.received();
    await world.send({ events });
    await world.drain();
    const [first] = events;
    expect(await world.fateOf(first.event_id)).toMatchObject({ state: 'WAITING', reason_code: 'platform_unavailable' });
    expect(await destination()).toMatchObject({ health: 'RESTING', problem: { code: 'platform_unavailable' } });
    // It rests: nobody asks again before its time.
    const asked = await world.requests();
    await world.drain();
    expect(await world.requests()).toBe(asked);
    await world.app.control('POST', '/faults/clear');
    world.app.advance(10 * 60_000);
    await world.drain();
    expect(await world.fateOf(first.event_id)).toMatchObject({ state: 'ACCEPTED' });
    const after = await world.received();
    expect([after.accepted - before.accepted, after.duplicates - before.duplicates]).toEqual([20, 0]);
    expect(await destination()).toMatchObject({ health: 'HEALTHY' });
    const told = await world.app.app.store.db.selectFrom('events').select(['type', 'payload']).execute();
    expect(told).toEqual(
      expect.arrayContaining([
        {
          type: 'CONVERSION_DESTINATION_UNHEALTHY',
          payload: expect.objectContaining({ code: 'platform_unavailable' }),
        },
        {
          type: 'CONVERSION_DESTINATION_HEALTHY',
          payload: { destination_id: world.web.id, after: 'platform_unavailable' },
        },
      ]),
    );
  });

  it('that swallows answers has the same events sent again, which the platform counts once', async () => {
    await fault({ kind: 'drop_after', path: '/event/track/', times: 1 });
    const events = many(10);
    const before = await world.received();
    await world.send({ events });
    await world.drain();
    world.app.advance(10 * 60_000);
    await world.drain();
    const after = await world.received();
    expect([after.accepted - before.accepted, after.duplicates - before.duplicates]).toEqual([10, 10]);
    expect((await world.fateOf(events[3].event_id)).state).toBe('ACCEPTED');
  });

  it('lets other destinations go on', async () => {
    const app = await world.destination('app');
    world.app.tap.answer('/event/track/', {
      body: { code: 40001, message: 'No permission to operate pixel code: X.' },
    });
    const stuck = world.purchase();
    await world.send(stuck);
    await world.drain();
    world.app.tap.clear();
    const free = { event: 'LOGIN', event_id: 'login-1', occurred_at: world.app.now().toISOString(), app: { id: '1' } };
    await world.send(free, app.id);
    await world.drain();
    expect((await world.fateOf('login-1')).state).toBe('ACCEPTED');
    expect(await world.fateOf(stuck.event_id)).toMatchObject({ state: 'WAITING', reason_code: 'permission_missing' });
    // Whoever puts it right need not wait for the next try.
    await world.app.ok('PATCH', `/v1/conversion_destinations/${world.web.id}`, { name: 'again' });
    await world.drain();
    expect((await world.fateOf(stuck.event_id)).state).toBe('ACCEPTED');
  });
});

describe('quotas', () => {
  it('of the platform for one pixel are kept to, and no event is lost by them', async () => {
    await world.app.control('PATCH', '/settings', { limits: 'on', pixel_code_qps: 2 });
    const before = await world.received();
    for (let call = 0; call < 8; call += 1) {
      await world.send(world.purchase({ test_code: `T${call}` }));
      await world.send(world.purchase());
    }
    await world.drain();
    world.app.advance(10 * 60_000);
    await world.drain();
    await world.app.control('PATCH', '/settings', { limits: 'off', pixel_code_qps: null });
    const after = await world.received();
    expect([after.accepted - before.accepted, after.test_events - before.test_events]).toEqual([8, 8]);
    expect((await destination()).events.waiting).toBe(0);
  });
});

describe('what operators see', () => {
  it('has numbers of what waits and of what became of events', async () => {
    await world.app.ok('PATCH', `/v1/conversion_destinations/${world.web.id}`, { is_paused: true });
    await world.send({ events: many(3) });
    const text = String((await world.app.call('GET', '/metrics')).body);
    expect(text).toContain('polyad_conversion_waiting{platform="tiktokads",environment="simulator"} 3');
    expect(text).toMatch(/polyad_conversion_events\{platform="tiktokads",state="accepted"\} [1-9]/);
    expect(text).toContain('polyad_conversion_oldest_waiting_seconds{');
    await world.app.ok('PATCH', `/v1/conversion_destinations/${world.web.id}`, { is_paused: false });
    await world.drain();
    expect((await destination()).events.waiting).toBe(0);
  });

  it('has conversions in the capability map of the platform', async () => {
    const [integration] = await world.app.ok('GET', '/unified/integration?type=tiktokads');
    expect(integration.support.ads_conversion).toMatchObject({
      methods: { list: true, get: true, create: true },
      outbound_fields: { 'ad.group_id': 'ad.ad_id', 'ad.ad_id': 'ad.creative_id', 'user.email': 'user.email' },
      conversion_sources: ['WEB', 'APP', 'OFFLINE', 'CRM'],
    });
  });
});

describe('a batch whose sender died', () => {
  it('waits for the end of the lease and is then sent again as it was', async () => {
    const { db } = world.app.app.store;
    await world.send({ events: many(5) });
    await world.send({ events: many(7) });
    const now = world.app.now();
    const [due] = await dueDestinations(db, now);
    const until = new Date(now.getTime() + 60_000);
    const dead = await leaseBatch(db, due?.destination as string, { id: 'dead', until }, 1_000, now);
    expect(dead?.chunks.map(({ count }) => count)).toEqual([5, 7]);
    // What comes in meanwhile does not join the batch.
    await world.send(world.purchase());
    const before = await world.received();
    await world.drain();
    expect((await world.received()).accepted).toBe(before.accepted + 1);
    world.app.advance(61_000);
    await world.drain();
    expect((await world.received()).accepted).toBe(before.accepted + 13);
    expect(await world.requests()).toBe(2);
  });
});

describe('time', () => {
  it('makes events too old to count: when they come in, and while they wait', async () => {
    const old = world.purchase({ occurred_at: new Date(world.app.now().getTime() - 29 * DAY).toISOString() });
    expect((await world.send(old)).body.results[0]).toMatchObject({
      state: 'EXPIRED',
      error: { code: 'conversion_expired' },
    });
    const ahead = world.purchase({ occurred_at: new Date(world.app.now().getTime() + DAY).toISOString() });
    expect((await world.send(ahead)).body.code).toBe('input_value_invalid');
    await world.app.ok('PATCH', `/v1/conversion_destinations/${world.web.id}`, { is_paused: true });
    const waits = world.purchase();
    const young = world.purchase({ occurred_at: new Date(world.app.now().getTime() + 5 * 60_000).toISOString() });
    await world.send({ events: [waits, young] });
    await world.drain();
    expect((await world.fateOf(waits.event_id)).state).toBe('WAITING');
    world.app.advance(28 * DAY + 60_000);
    await world.app.app.services.conversions.tidy({ fates: new Date(0), contents: new Date(0) });
    expect(await world.fateOf(waits.event_id)).toMatchObject({ state: 'EXPIRED', reason_code: 'conversion_expired' });
    await world.app.ok('PATCH', `/v1/conversion_destinations/${world.web.id}`, { is_paused: false });
    await world.drain();
    expect((await world.fateOf(young.event_id)).state).toBe('ACCEPTED');
  });

  it('is looked at again just before sending', async () => {
    const event = world.purchase({
      occurred_at: new Date(world.app.now().getTime() - 28 * DAY + 60_000).toISOString(),
    });
    await world.send({ events: [event, world.purchase()] });
    world.app.advance(2 * 60_000);
    const before = await world.received();
    await world.drain();
    expect((await world.received()).accepted).toBe(before.accepted + 1);
    expect((await world.fateOf(event.event_id)).state).toBe('EXPIRED');
  });

  it('ends what is kept: content of refused events first, then what became of them', async () => {
    const { conversions } = world.app.app.services;
    const event = world.purchase(POISON);
    await world.send(event);
    await world.drain();
    const later = () => new Date(world.app.now().getTime() + 1_000);
    await conversions.tidy({ fates: new Date(0), contents: later() });
    expect((await world.fateOf(event.event_id)).replayable).toBeUndefined();
    const bare = await world.app.ok('POST', '/v1/conversions/replay', { destination_id: world.web.id });
    expect(bare.replayed).toBe(0);
    expect(bare.content_gone).toBeGreaterThan(0);
    await conversions.tidy({ fates: later(), contents: later() });
    expect(await world.fates('limit=10')).toEqual([]);
    // Forgotten, it is a new event.
    expect((await world.send(world.purchase({ event_id: event.event_id }))).body.results[0].state).toBe('WAITING');
    await world.drain();
  });
});

describe('another try', () => {
  it('sends refused events as they were, after what refused them was put right', async () => {
    world.app.tap.answer('/event/track/', {
      body: { code: 40002, message: 'Batch.0.event: not a valid event', request_id: 'r', data: {} },
    });
    const events = many(3);
    await world.send({ events });
    await world.drain();
    expect((await world.fates('state=REFUSED')).map(({ event_id }) => event_id)).toEqual(
      expect.arrayContaining(events.map(({ event_id }) => event_id)),
    );
    world.app.tap.clear();
    const [one] = await world.fates(`event_id=${events[0].event_id}`);
    const before = await world.received();
    const first = { destination_id: world.web.id, ids: [one.id] };
    expect(await world.app.ok('POST', '/v1/conversions/replay', first)).toEqual({ replayed: 1, content_gone: 0 });
    expect(await world.app.ok('POST', '/v1/conversions/replay', { destination_id: world.web.id })).toMatchObject({
      replayed: 2,
    });
    await world.drain();
    expect((await world.received()).accepted).toBe(before.accepted + 3);
    expect(await world.fates('state=REFUSED')).toEqual([]);
    expect((await world.fateOf(events[0].event_id)).id).toBe(one.id);
  });
});

describe('what is exported', () => {
  it('is every event, by line or as a table, and nothing of any person', async () => {
    await world.send({ events: [world.purchase({ event_id: 'quote "me", please' }), world.purchase(POISON)] });
    await world.drain();
    const lines = String((await world.app.call('GET', '/v1/conversions/export?format=ndjson')).body)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const listed = await world.fates('limit=100');
    expect(lines.map(({ id }) => id).sort()).toEqual(listed.map(({ id }) => id).sort());
    const table = String((await world.app.call('GET', '/v1/conversions/export?format=csv&state=ACCEPTED')).body);
    expect(table.split('\r\n')[0]).toContain('id,destination_id,connection_id,event,event_id');
    expect(table).toContain('"quote ""me"", please"');
    expect(table.trim().split('\r\n')).toHaveLength(1 + lines.filter(({ state }) => state === 'ACCEPTED').length);
    expect(JSON.stringify(lines) + table).not.toMatch(/gmail|848a7714/);
  });
});

describe('a destination that is removed', () => {
  it('sends no more; its waiting events say so, and its credential is gone', async () => {
    const crm = await world.destination('crm');
    const event = { event: 'won', event_id: 'crm-1', occurred_at: world.app.now().toISOString(), lead: { id: '7' } };
    await world.send(event, crm.id);
    await world.app.ok('DELETE', `/v1/conversion_destinations/${crm.id}`);
    await world.drain();
    expect(await world.fateOf('crm-1')).toMatchObject({
      state: 'REFUSED',
      reason_code: 'conversion_destination_removed',
    });
    expect(await world.requests()).toBe(0);
    const { db } = world.app.app.store;
    expect(await db.selectFrom('secrets').select('id').where('owner_id', '=', crm.id).execute()).toEqual([]);
  });
});

describe('personal data', () => {
  it('is in no log line, no row of the call log, no audit row, no event', async () => {
    const secret = { email: 'carla.unique@example.com', phone: '+4930123456789', ip_address: '198.51.100.42' };
    await fault({ kind: 'server_error', path: '/event/track/', times: 6 });
    await world.send(world.purchase({ user: secret }));
    await world.send(world.purchase({ user: { ...secret, phone: '030123456789x' } }));
    await world.drain();
    await world.app.app.services.callLog.flush();
    const { db } = world.app.app.store;
    const rows = [
      ...(await db.selectFrom('api_calls').selectAll().execute()),
      ...(await db.selectFrom('audit_log').selectAll().execute()),
      ...(await db.selectFrom('events').selectAll().execute()),
      ...(await db.selectFrom('conversion_destinations').selectAll().execute()),
    ];
    const all = JSON.stringify(rows) + world.app.lines.join('\n');
    expect(rows.length).toBeGreaterThan(3);
    for (const text of ['carla.unique', '4930123456789', '198.51.100.42', '030123456789x', world.token])
      expect(all).not.toContain(text);
  });
});

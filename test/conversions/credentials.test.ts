/** Credentials of conversion destinations: each of the kind that it is given as, and used for events alone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiKey, createWorkspace, tokenFingerprint } from '../../src/core/store/repositories/index.ts';
import type { Json } from '../support/app.ts';
import { type ConversionWorld, openWorld } from './world.ts';

let world: ConversionWorld;
let oauthToken: string;

const create = (body: Json) =>
  world.app.call('POST', '/v1/conversion_destinations', {
    connection_id: world.connection,
    source: 'WEB',
    source_id: 'C5ABCDEFGHIJKLMNOP',
    ...body,
  });

beforeAll(async () => {
  world = await openWorld();
  // The grant of the connection, as the simulator gave it out.
  const grants: Json = await world.app.control('GET', '/grants');
  const origins = await world.app.app.store.db.selectFrom('token_origins').select('fingerprint').execute();
  const known = new Set(origins.map(({ fingerprint }) => fingerprint));
  const list: Json[] = Array.isArray(grants) ? grants : Object.values<Json[]>(grants).flat();
  oauthToken = list
    .map((one) => String(one.access_token ?? one.token))
    .find((one) => known.has(tokenFingerprint('tiktokads', one))) as string;
  expect(oauthToken).toBeTruthy();
});
afterAll(() => world?.close());

describe('the kind of a credential', () => {
  it('is checked by name: an OAuth token is no events token', async () => {
    await world.app.clearLog();
    const answer = await create({ credential: { kind: 'events_token', token: oauthToken } });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({
      code: 'conversion_credential_wrong_kind',
      details: { expected: ['events_token', 'connection'] },
    });
    expect(JSON.stringify(answer.body)).not.toContain(oauthToken);
    expect(await world.requests()).toBe(0);
  });

  it('is checked the other way as well: an events token is no grant', async () => {
    await world.app.clearLog();
    const answer = await world.app.call('POST', '/unified/connection', {
      integration_type: 'tiktokads',
      environment: 'simulator',
      categories: ['ads'],
      permissions: ['ads_campaign_read'],
      auth: { access_token: world.token, meta: { advertiser_ids: ['7001035076276387841'] } },
    });
    expect(answer.status).toBe(422);
    expect(answer.body.code).toBe('conversion_credential_wrong_kind');
    expect(JSON.stringify(answer.body)).not.toContain(world.token);
    expect((await world.app.requests()).length).toBe(0);
  });

  it('must be one that the platform has', async () => {
    const answer = await create({ credential: { kind: 'pixel_password', token: 'a-long-secret' } });
    expect([answer.status, answer.body.code]).toEqual([422, 'conversion_credential_wrong_kind']);
    expect(answer.body.details.instruction).toContain('Generate Access Token');
  });

  it('may be the connection’s grant where an operator says so and the grant has the scope', async () => {
    const { db } = world.app.app.store;
    const scoped = (scopes: string[]) =>
      db.updateTable('connections').set({ native_scopes: scopes }).where('id', '=', world.connection).execute();
    const [row] = await db
      .selectFrom('connections')
      .select('native_scopes')
      .where('id', '=', world.connection)
      .execute();
    await scoped(['200', '210']);
    const refused = await create({ credential: 'connection' });
    expect(refused.status).toBe(403);
    expect(refused.body).toMatchObject({ code: 'permission_missing' });
    expect(refused.body.details.needed).toContain('5');
    await scoped(row?.native_scopes as string[]);
    const changed = await world.app.ok('PATCH', `/v1/conversion_destinations/${world.web.id}`, {
      credential: 'connection',
    });
    expect(changed.credential).toEqual({ kind: 'connection' });
    const event = world.purchase();
    const before = await world.received();
    await world.send(event);
    await world.drain();
    expect((await world.received()).accepted).toBe(before.accepted + 1);
    await world.app.ok('PATCH', `/v1/conversion_destinations/${world.web.id}`, {
      credential: { kind: 'events_token', token: world.token },
    });
  });
});

describe('the credential', () => {
  it('is shown by nothing and lies in the database encrypted', async () => {
    const shown = JSON.stringify([
      await world.app.ok('GET', '/v1/conversion_destinations'),
      await world.app.ok('GET', `/v1/conversion_destinations/${world.web.id}`),
      await world.app.app.store.db.selectFrom('secrets').selectAll().execute(),
      await world.app.app.store.db.selectFrom('conversion_destinations').selectAll().execute(),
    ]);
    expect(shown).not.toContain(world.token);
  });

  it('that is withdrawn stops its events and nothing else; a new one takes them up again', async () => {
    const { token } = await world.app.control('POST', '/events/tokens', { event_source_id: world.sources.web });
    await world.app.ok('PATCH', `/v1/conversion_destinations/${world.web.id}`, {
      credential: { kind: 'events_token', token },
    });
    await world.app.control('POST', '/events/tokens/revoke', { token });
    const event = world.purchase();
    await world.send(event);
    await world.drain();
    expect(await world.fateOf(event.event_id)).toMatchObject({
      state: 'WAITING',
      reason_code: 'conversion_credential_refused',
    });
    expect(await world.app.ok('GET', `/v1/conversion_destinations/${world.web.id}`)).toMatchObject({
      health: 'RESTING',
      problem: { code: 'conversion_credential_refused', platform_code: '40105' },
    });
    const connection = await world.app.ok('GET', `/unified/connection/${world.connection}`);
    expect(connection.last_unhealthy_at).toBeUndefined();
    await world.app.ok('PATCH', `/v1/conversion_destinations/${world.web.id}`, {
      credential: { kind: 'events_token', token: world.token },
    });
    await world.drain();
    expect(await world.fateOf(event.event_id)).toMatchObject({ state: 'ACCEPTED' });
  });
});

describe('a destination', () => {
  it('is one per source of the workspace', async () => {
    const answer = await create({
      source_id: world.sources.web,
      credential: { kind: 'events_token', token: world.token },
    });
    expect([answer.status, answer.body.code]).toEqual([409, 'conversion_destination_exists']);
    expect(answer.body.details.destination_id).toBe(world.web.id);
  });

  it('needs an id of the form that its platform has', async () => {
    const answer = await create({ source_id: '123', credential: { kind: 'events_token', token: 'some-events-token' } });
    expect([answer.status, answer.body.code]).toEqual([422, 'input_value_invalid']);
    expect(answer.body.message).toContain('not the numeric pixel id');
  });

  it('exists where the platform takes events: not in TikTok’s sandbox', async () => {
    const answer = await world.app.call('POST', '/v1/conversion_destinations', {
      integration_type: 'tiktokads',
      environment: 'sandbox',
      source: 'WEB',
      source_id: 'C5ABCDEFGHIJKLMNOP',
      credential: { kind: 'events_token', token: 'some-events-token' },
    });
    expect([answer.status, answer.body.code]).toEqual([422, 'platform_environment_unsupported']);
  });

  it('does without a connection, for customers who give an events token alone', async () => {
    const { token } = await world.app.control('POST', '/events/tokens', { event_source_id: world.sources.offline });
    const made = await world.app.ok('POST', '/v1/conversion_destinations', {
      integration_type: 'tiktokads',
      environment: 'simulator',
      source: 'OFFLINE',
      source_id: world.sources.offline,
      credential: { kind: 'events_token', token },
    });
    const event = world.purchase();
    const answer = await world.app.call('POST', '/v1/conversions', { events: [event], destination_ids: [made.id] });
    expect(answer.status).toBe(202);
    await world.drain();
    expect((await world.received('offline')).accepted).toBe(1);
  });

  it('is not there for other workspaces, nor for keys of other connections', async () => {
    const { db } = world.app.app.store;
    const other = await createWorkspace(db, { name: 'Other' });
    const foreign = await createApiKey(db, other.id, { name: 'x', scopes: ['admin'] });
    const narrow = await createApiKey(db, world.app.workspace.id, {
      name: 'narrow',
      scopes: ['write'],
      connection_ids: ['000000000000000000000000'],
    });
    for (const [key, code] of [
      [foreign.key, 'record_not_found'],
      [narrow.key, 'key_connection'],
    ] as const) {
      const headers = { authorization: key };
      const read = await world.app.call('GET', `/v1/conversion_destinations/${world.web.id}`, undefined, headers);
      expect(read.body.code).toBe(code);
      const body = { events: [world.purchase()], destination_ids: [world.web.id] };
      expect((await world.app.call('POST', '/v1/conversions', body, headers)).body.code).toBe(code);
      expect((await world.app.call('GET', '/v1/conversions', undefined, headers)).body).toEqual([]);
      expect((await world.app.call('GET', '/v1/conversions/export', undefined, headers)).body).toBeFalsy();
    }
    const create = await world.app.call(
      'POST',
      '/v1/conversion_destinations',
      { source: 'WEB', source_id: 'x', credential: 'connection' },
      { authorization: narrow.key },
    );
    expect(create.body.code).toBe('key_scope');
  });
});

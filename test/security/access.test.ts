/** Access to polyad itself: what keys may do, which connections, for how long; who is kept out; what the audit log says. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuditRecord, verifyChain } from '../../src/core/audit/chain.ts';
import { isAct } from '../../src/server/operation.ts';
import { OPERATIONS } from '../../src/server/operations.ts';
import { type Answer, type Json, startTestApp, type TestApp } from '../support/app.ts';

let app: TestApp;
let connection: string;
let organization: string;
let other: string;
beforeAll(async () => {
  app = await startTestApp({ platform: 'tiktok', clock: 'virtual' });
  connection = (await app.connect()).get('id') as string;
  other = (await app.connect()).get('id') as string;
  organization = (await app.ok('GET', `/ads/${connection}/organization`))[0].id;
}, 120_000);
afterAll(() => app.close());

const made = (body: Json): Promise<Json> => app.ok('POST', '/v1/keys', { name: 'k', ...body });
const as = (key: string, method: string, path: string, body?: unknown): Promise<Answer> =>
  app.call(method, path, body, { authorization: key });
const outcome = ({ status, body }: Answer) => (status === 200 ? 'ok' : body.code);
const audit = async (query = ''): Promise<AuditRecord[]> => {
  const answer = await app.call('GET', `/v1/audit?${query}`);
  return (typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
    .split('\n')
    .filter((line: string) => line !== '')
    .map((line: string) => JSON.parse(line));
};

const campaign = (fields: Json = {}): Json => ({
  name: `Campaign ${Math.random()}`,
  organization_id: organization,
  goal: 'WEBSITE_TRAFFIC',
  budget_amount: 100,
  budget_period: 'DAILY',
  ...fields,
});

describe('a key without the scope `spend`', () => {
  let key: string;
  let paused: Json;
  beforeAll(async () => {
    key = (await made({ scopes: ['read', 'write'] })).key;
    paused = await app.ok('POST', `/ads/${connection}/campaign`, campaign({ status: 'PAUSED' }));
  });
  const change = async (body: Json): Promise<string> =>
    outcome(await as(key, 'PUT', `/ads/${connection}/campaign/${paused.id}`, body));

  it('creates what is paused, and nothing that could run', async () => {
    const create = async (fields: Json) =>
      outcome(await as(key, 'POST', `/ads/${connection}/campaign`, campaign(fields)));
    expect(await create({ status: 'PAUSED' })).toBe('ok');
    expect(await create({ status: 'ACTIVE' })).toBe('key_scope');
    expect(await create({})).toBe('key_scope');
    // Native members may say the opposite of the unified ones.
    expect(await create({ status: 'PAUSED', raw: { operation_status: 'ENABLE' } })).toBe('key_scope');
  });

  it('changes names, lowers budgets, pauses; raises nothing and starts nothing', async () => {
    expect(await change({ name: 'Renamed' })).toBe('ok');
    expect(await change({ budget_amount: 90 })).toBe('ok');
    expect(await change({ budget_amount: 90 })).toBe('ok');
    expect(await change({ status: 'PAUSED' })).toBe('ok');
    expect(await change({ budget_amount: 90.01 })).toBe('key_scope');
    expect(await change({ status: 'ACTIVE' })).toBe('key_scope');
    expect(await change({ name: 'x', raw: { budget: 5000 } })).toBe('key_scope');
    const now = await app.ok('GET', `/ads/${connection}/campaign/${paused.id}`);
    expect(now).toMatchObject({ name: 'Renamed', budget_amount: 90, status: 'PAUSED' });
  });

  it('is told which members it may not raise, also by a dry run', async () => {
    const answer = await as(key, 'PUT', `/ads/${connection}/campaign/${paused.id}?dry_run=true`, {
      budget_amount: 500,
    });
    expect(answer.body).toMatchObject({ code: 'key_scope', details: { needed: 'spend', members: ['budget_amount'] } });
  });

  it('does not get round it by the other doors', async () => {
    expect(outcome(await as(key, 'POST', `/passthrough/${connection}/open_api/v1.3/campaign/status/update/`, {}))).toBe(
      'key_scope',
    );
    expect(outcome(await as(key, 'PATCH', `/ads/${connection}/campaign/${paused.id}`, { status: 'ACTIVE' }))).toBe(
      'key_scope',
    );
    expect(outcome(await as(key, 'POST', '/v1/keys', { name: 'x', scopes: ['spend'] }))).toBe('key_scope');
  });

  it('starts no ad by the creative that it is on platforms without creatives of their own', async () => {
    const [ad] = await app.ok('GET', `/ads/${connection}/ad?org_id=${organization}&limit=1`);
    await app.ok('PATCH', `/ads/${connection}/ad/${ad.id}?org_id=${organization}`, { status: 'PAUSED' });
    const at = `/ads/${connection}/creative/${ad.id}?org_id=${organization}`;
    expect(outcome(await as(key, 'PATCH', at, { status: 'ACTIVE' }))).toBe('key_scope');
    expect(outcome(await as(key, 'PATCH', at, { raw: { operation_status: 'ENABLE' } }))).toBe('key_scope');
    expect(outcome(await as(key, 'PATCH', at, { status: 'PAUSED' }))).toBe('ok');
  });

  it('spends when it is given the scope besides, and not by that scope alone', async () => {
    const both = (await made({ scopes: ['write', 'spend'] })).key;
    expect(outcome(await as(both, 'PUT', `/ads/${connection}/campaign/${paused.id}`, { budget_amount: 120 }))).toBe(
      'ok',
    );
    const alone = (await made({ scopes: ['read', 'spend'] })).key;
    expect(outcome(await as(alone, 'PUT', `/ads/${connection}/campaign/${paused.id}`, { budget_amount: 130 }))).toBe(
      'key_scope',
    );
  });

  it('uses no Idempotency-Key up by what it may not: a key that may does the write under it', async () => {
    const [body, name] = [campaign({ status: 'ACTIVE' }), { 'idempotency-key': 'spend-once' }];
    const path = `/ads/${connection}/campaign`;
    const send = (by: string) => app.call('POST', path, body, { authorization: by, ...name });
    expect(outcome(await send(key))).toBe('key_scope');
    expect(outcome(await send(key))).toBe('key_scope');
    const done = await send(app.key);
    expect(done.status).toBe(200);
    expect(done.headers.get('idempotency-replayed')).toBeNull();
    // In bulk as well, for single writes and for those that travel together.
    const again = await app.ok('POST', path, campaign({ status: 'PAUSED' }));
    const items = [
      { method: 'create', body: campaign({ status: 'ACTIVE' }), idempotency_key: 'spend-bulk-create' },
      { method: 'update', id: again.id, body: { budget_amount: 500 }, idempotency_key: 'spend-bulk-update' },
      { method: 'status', id: again.id, status: 'ACTIVE', idempotency_key: 'spend-bulk-status' },
    ];
    const bulk = (by: string) => app.call('POST', `/v1/bulk/${connection}/campaign`, { items }, { authorization: by });
    for (let n = 0; n < 2; n += 1)
      expect((await bulk(key)).body.results.map((one: Json) => one.error?.code)).toEqual(Array(3).fill('key_scope'));
    const { results } = (await bulk(app.key)).body;
    expect(results.map((one: Json) => [one.status, one.replayed])).toEqual(Array(3).fill([200, undefined]));
  });

  it('leaves keys that name no scopes as able as they were', async () => {
    const plain = await made({});
    expect(plain.scopes).toEqual(['read', 'write', 'spend']);
  });
});

describe('a key for certain connections', () => {
  let key: string;
  beforeAll(async () => {
    key = (await made({ scopes: ['read', 'write'], connection_ids: [connection] })).key;
  });

  it('uses those and no others, whether they exist or not', async () => {
    expect(outcome(await as(key, 'GET', `/ads/${connection}/organization`))).toBe('ok');
    expect(outcome(await as(key, 'GET', `/unified/connection/${connection}`))).toBe('ok');
    for (const id of [other, 'f'.repeat(24)])
      for (const [method, path] of [
        ['GET', `/ads/${id}/organization`],
        ['POST', `/ads/${id}/campaign`],
        ['GET', `/passthrough/${id}/open_api/v1.3/user/info/`],
        ['GET', `/unified/connection/${id}`],
        ['PATCH', `/unified/connection/${id}`],
        ['DELETE', `/unified/connection/${id}`],
      ] as const)
        expect([method, path, outcome(await as(key, method, path, method === 'GET' ? undefined : {}))]).toEqual([
          method,
          path,
          'key_connection',
        ]);
  });

  it('lists those, and their calls and events', async () => {
    await app.ok('GET', `/ads/${other}/organization`);
    await app.app.services.callLog.flush();
    expect((await as(key, 'GET', '/unified/connection')).body.map((row: Json) => row.id)).toEqual([connection]);
    const calls = (await as(key, 'GET', '/unified/apicall')).body as Json[];
    expect(calls.length).toBeGreaterThan(0);
    expect(new Set(calls.map((row) => row.connection_id))).toEqual(new Set([connection]));
    const foreign = (await app.ok('GET', `/unified/apicall?connection_id=${other}`))[0].id;
    expect(outcome(await as(key, 'GET', `/unified/apicall/${foreign}`))).toBe('record_not_found');
    const events = (await as(key, 'GET', '/v1/events')).body as Json[];
    expect(new Set(events.map((row) => row.connection_id))).toEqual(new Set([connection]));
  });

  it('makes no connections, and cannot be one that makes keys', async () => {
    expect(outcome(await as(key, 'POST', '/unified/connection', { integration_type: 'tiktokads' }))).toBe(
      'key_connection',
    );
    for (const scope of ['admin', 'operator'])
      expect(
        (await app.call('POST', '/v1/keys', { name: 'x', scopes: [scope], connection_ids: [connection] })).status,
      ).toBeGreaterThanOrEqual(400);
    const unknown = await app.call('POST', '/v1/keys', { name: 'x', connection_ids: ['f'.repeat(24)] });
    expect(unknown.body).toMatchObject({ code: 'input_invalid', details: { issues: [{ path: 'connection_ids' }] } });
  });
});

describe('rotation', () => {
  it('gives a new key that may do the same, and lets the old one work on for the overlap', async () => {
    const old = await made({ scopes: ['read'], connection_ids: [connection] });
    const next = await app.ok('POST', `/v1/keys/${old.id}/rotate`, { overlap_seconds: 3600 });
    expect(next).toMatchObject({ name: 'k', scopes: ['read'], connection_ids: [connection], rotated_from: old.id });
    expect(next.key).not.toBe(old.key);
    const works = async (key: string) => outcome(await as(key, 'GET', `/unified/connection/${connection}`));
    expect([await works(old.key), await works(next.key)]).toEqual(['ok', 'ok']);
    app.advance(3_599_000);
    expect(await works(old.key)).toBe('ok');
    app.advance(2_000);
    expect([await works(old.key), await works(next.key)]).toEqual(['key_expired', 'ok']);
    expect((await app.call('POST', `/v1/keys/${old.id}/rotate`)).body.code).toBe('record_conflict');
  });

  it('never lengthens a life: the old key keeps its end, the new one lives as long as the old one was to', async () => {
    const day = 86_400_000;
    const old = await made({ scopes: ['read'], expires_at: new Date(app.now().getTime() + day).toISOString() });
    app.advance(day / 2);
    const next = await app.ok('POST', `/v1/keys/${old.id}/rotate`, { overlap_seconds: 86_400 });
    const keys = (await app.ok('GET', '/v1/keys')) as Json[];
    expect(keys.find((row) => row.id === old.id).expires_at).toBe(old.expires_at);
    expect(Date.parse(next.expires_at) - Date.parse(next.created_at)).toBe(day);
    const now = await app.ok('POST', `/v1/keys/${next.id}/rotate`, { overlap_seconds: 0 });
    expect(outcome(await as(next.key, 'GET', '/unified/connection'))).toBe('key_expired');
    expect(outcome(await as(now.key, 'GET', '/unified/connection'))).toBe('ok');
  });

  it('gives nobody a key of more power than his own', async () => {
    const { db } = app.app.store;
    const { createApiKey } = await import('../../src/core/store/repositories/index.ts');
    const { row } = await createApiKey(db, app.workspace.id, { name: 'operator', scopes: ['operator'] });
    expect((await app.call('POST', `/v1/keys/${row.id}/rotate`)).body).toMatchObject({
      code: 'key_scope',
      details: { needed: ['operator'] },
    });
    expect((await app.call('POST', `/v1/keys/${'f'.repeat(24)}/rotate`)).body.code).toBe('record_not_found');
  });
});

describe('wrong keys', () => {
  it('make their address wait, and shut out nobody whose key is known', async () => {
    const good = (await made({ scopes: ['read'] })).key;
    expect(outcome(await as(good, 'GET', '/unified/connection'))).toBe('ok');
    const fresh = (await made({ scopes: ['read'] })).key;
    const answers: string[] = [];
    for (let n = 0; n < 40; n += 1) answers.push(outcome(await as(`polyad_${n}`, 'GET', '/unified/connection')));
    expect(answers.slice(0, 31)).toEqual(Array.from({ length: 31 }, () => 'key_invalid'));
    expect(answers.slice(31)).toEqual(Array.from({ length: 9 }, () => 'key_guessing'));
    const last = await as('polyad_x', 'GET', '/unified/connection');
    expect(last.status).toBe(429);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(outcome(await as(good, 'GET', '/unified/connection'))).toBe('ok');
    expect(outcome(await as(fresh, 'GET', '/unified/connection'))).toBe('key_guessing');
    const signIn = await fetch(`${app.url}/dashboard/sign-in`, {
      method: 'POST',
      headers: { origin: app.url, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'key=polyad_nothing',
    });
    expect([signIn.status, signIn.headers.get('retry-after') !== null]).toEqual([429, true]);
    app.advance(61_000);
    expect(outcome(await as(fresh, 'GET', '/unified/connection'))).toBe('ok');
    expect(app.lines.join('\n')).toContain('too many wrong keys');
  });
});

describe('the dashboard’s session', () => {
  const signIn = async (key: string, cookie = ''): Promise<{ status: number; cookie: string; set: string }> => {
    const answer = await fetch(`${app.url}/dashboard/sign-in`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: app.url, cookie, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ key }).toString(),
    });
    const set = answer.headers.get('set-cookie') ?? '';
    return { status: answer.status, set, cookie: set.split(';', 1)[0] as string };
  };
  const page = async (cookie: string): Promise<number> =>
    (await fetch(`${app.url}/dashboard`, { redirect: 'manual', headers: { cookie } })).status;

  it('ends for every copy of its cookie when somebody signs out', async () => {
    const { key } = await made({ scopes: ['admin'] });
    const first = await signIn(key);
    expect(first.status).toBe(303);
    expect(first.set).toMatch(/HttpOnly/);
    expect(first.set).toMatch(/SameSite=Strict/);
    expect(first.set).toMatch(/Path=\/dashboard/);
    expect(await page(first.cookie)).toBe(200);
    await fetch(`${app.url}/dashboard/sign-out`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: app.url, cookie: first.cookie },
    });
    expect(await page(first.cookie)).toBe(303);
  });

  it('is new at each sign-in, and cannot be put into somebody’s browser before', async () => {
    const { key } = await made({ scopes: ['admin'] });
    const first = await signIn(key);
    const second = await signIn(key, first.cookie);
    expect(second.cookie).not.toBe(first.cookie);
    expect(await page(first.cookie)).toBe(303);
    expect(await page(second.cookie)).toBe(200);
    const made_up = `polyad_session=${app.app.services.signer.sign('session', 'A'.repeat(43))}`;
    const third = await signIn(key, made_up);
    expect(third.cookie).not.toBe(made_up);
    expect(await page(made_up)).toBe(303);
  });

  it('ends after an hour without use, after twelve hours in any case, and with its key', async () => {
    const { key, id } = await made({ scopes: ['admin'] });
    const idle = await signIn(key);
    app.advance(61 * 60_000);
    expect(await page(idle.cookie)).toBe(303);
    const busy = await signIn(key);
    for (let half = 0; half < 23; half += 1) {
      app.advance(30 * 60_000);
      expect(await page(busy.cookie)).toBe(200);
    }
    app.advance(31 * 60_000);
    expect(await page(busy.cookie)).toBe(303);
    const last = await signIn(key);
    await app.ok('DELETE', `/v1/keys/${id}`);
    expect(await page(last.cookie)).toBe(303);
  });

  it('is not stored in a form that could be used, and is not given to keys that may not administer', async () => {
    const { key } = await made({ scopes: ['admin'] });
    const { cookie } = await signIn(key);
    const id = decodeURIComponent(cookie.split('=')[1] as string).split('.')[0] as string;
    const rows = JSON.stringify(await app.app.store.db.selectFrom('dashboard_sessions').selectAll().execute());
    expect(id.length).toBeGreaterThan(40);
    expect(rows).not.toContain(id);
    expect((await signIn((await made({ scopes: ['read'] })).key)).status).toBe(401);
  });

  it('tells browsers to keep none of its pages', async () => {
    const { cookie } = await signIn((await made({ scopes: ['admin'] })).key);
    for (const path of ['/dashboard', '/dashboard/sign-in']) {
      const { headers } = await fetch(`${app.url}${path}`, { redirect: 'manual', headers: { cookie } });
      if (headers.get('location') === null) expect(headers.get('cache-control')).toBe('no-store');
    }
    expect((await fetch(`${app.url}/dashboard`, { headers: { cookie } })).headers.get('cache-control')).toBe(
      'no-store',
    );
  });

  it('takes forms of its own pages alone', async () => {
    const { key } = await made({ scopes: ['admin'] });
    for (const origin of ['https://evil.example', 'null', undefined]) {
      const answer = await fetch(`${app.url}/dashboard/sign-in`, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          ...(origin === undefined ? {} : { origin }),
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({ key }).toString(),
      });
      expect([origin, answer.status]).toEqual([origin, 400]);
    }
  });
});

describe('the audit log', () => {
  it('has every act of administration: nothing that changes something is left out by mistake', () => {
    const silent = OPERATIONS.filter((one) => one.method !== 'GET' && !isAct(one)).map(({ id }) => id);
    // These leave one row per object that they write; pass-through leaves one when it is over. Conversion events have a
    // record each of what became of them.
    expect(silent.filter((id) => !/^(create|update|patch|remove)Ads[A-Z]/.test(id))).toEqual([
      'bulkWrite',
      'createConversions',
    ]);
  });

  it('says who made, rotated and revoked which key', async () => {
    const key = await made({ name: 'audited', scopes: ['read'] });
    const next = await app.ok('POST', `/v1/keys/${key.id}/rotate`, {});
    await app.ok('DELETE', `/v1/keys/${next.id}`);
    const rows = (await audit()).filter(({ object_id }) => object_id === key.id || object_id === next.id);
    expect(rows.map(({ action, outcome: how }) => [action, how])).toEqual([
      ['createApiKey', 'ok'],
      ['rotateApiKey', 'ok'],
      ['revokeApiKey', 'ok'],
    ]);
    expect(rows[0]).toMatchObject({ actor_kind: 'api_key', actor_name: 'test', ip_address: '127.0.0.1' });
    expect(rows[0]?.details).toMatchObject({ after: { name: 'audited', scopes: ['read'] } });
    expect(JSON.stringify(rows)).not.toContain(key.key);
  });

  it('has every write with what was before and after', async () => {
    const created = await app.ok('POST', `/ads/${connection}/campaign`, campaign({ name: 'Before', status: 'PAUSED' }));
    await app.ok('PUT', `/ads/${connection}/campaign/${created.id}`, { name: 'After', budget_amount: 150 });
    await app.call('PUT', `/ads/${connection}/campaign/${created.id}`, { budget_amount: 0.01 });
    await app.ok('DELETE', `/ads/${connection}/campaign/${created.id}`);
    const rows = (await audit()).filter(({ object_id }) => object_id === created.id);
    expect(rows.map(({ action }) => action)).toEqual([
      'createAdsCampaign',
      'updateAdsCampaign',
      'updateAdsCampaign',
      'removeAdsCampaign',
    ]);
    const [create, update, failed, remove] = rows as [AuditRecord, AuditRecord, AuditRecord, AuditRecord];
    expect(create).toMatchObject({ connection_id: connection, object_type: 'campaign', outcome: 'ok' });
    expect(create.details).toMatchObject({ after: { name: 'Before', budget_amount: 100 } });
    expect(update.details).toMatchObject({
      before: { name: 'Before', budget_amount: 100 },
      after: { name: 'After', budget_amount: 150 },
    });
    expect(failed.outcome).toBe('platform_rejected');
    expect(remove.details).toMatchObject({ before: { name: 'After' } });
    expect(remove.request_id).toBeTruthy();
  });

  it.each(['application/json', 'application/x-ndjson'])(
    'has one row for each write of a call in bulk, and none besides (%s)',
    async (accept) => {
      const path = `/ads/${connection}/campaign`;
      const made = await Promise.all([1, 2, 3, 4].map(() => app.ok('POST', path, campaign({ status: 'PAUSED' }))));
      const [changed, removed, ...started] = made.map(({ id }: Json) => id) as string[];
      const from = (await audit()).length;
      const items = [
        { method: 'create', body: campaign({ status: 'PAUSED', name: 'In bulk' }) },
        { method: 'create', body: campaign({ budget_amount: 0.01 }) },
        { method: 'update', id: changed, body: { name: 'Changed in bulk' } },
        { method: 'remove', id: removed },
        ...started.map((id) => ({ method: 'status', id, status: 'ACTIVE' })),
      ];
      const { status, headers } = await app.call('POST', `/v1/bulk/${connection}/campaign`, { items }, { accept });
      expect([status, headers.get('content-type')?.split(';', 1)[0]]).toEqual([200, accept]);
      const rows = (await audit())
        .slice(from)
        // Exports of the log itself, and the counts of each minute.
        .filter(({ action }) => action !== 'exportAuditLog' && action !== 'useCredentials');
      expect(rows.map(({ action, outcome: how }) => `${action} ${how}`).sort()).toEqual([
        'createAdsCampaign ok',
        'createAdsCampaign platform_rejected',
        'removeAdsCampaign ok',
        'updateAdsCampaign ok',
        'updateAdsCampaign ok',
        'updateAdsCampaign ok',
      ]);
      const of = (id: string | undefined) => rows.filter(({ object_id }) => object_id === id);
      for (const id of [changed, removed, ...started]) expect(of(id)).toHaveLength(1);
      expect(of(started[0])[0]?.details).toMatchObject({ after: { status: 'ACTIVE' } });
    },
  );

  it('has no rows of dry runs, nor of repetitions that write nothing', async () => {
    const before = (await audit('action=createAdsCampaign')).length;
    await app.ok('POST', `/ads/${connection}/campaign?dry_run=true`, campaign());
    const body = campaign({ status: 'PAUSED' });
    for (let n = 0; n < 3; n += 1)
      await app.call('POST', `/ads/${connection}/campaign`, body, { 'idempotency-key': `audit-${before}` });
    expect(await audit('action=createAdsCampaign')).toHaveLength(before + 1);
  });

  it('has what was refused for lack of rights', async () => {
    const { key, id } = await made({ scopes: ['read', 'write'], connection_ids: [connection] });
    await as(key, 'POST', '/v1/keys', { name: 'x' });
    await as(key, 'GET', `/ads/${other}/campaign`);
    await as(key, 'POST', `/ads/${connection}/campaign`, campaign({ status: 'ACTIVE' }));
    await expect
      .poll(async () =>
        (await audit())
          .filter(({ actor_id }) => actor_id === id)
          .map(({ action, outcome: how }) => `${action} ${how}`)
          .sort(),
      )
      .toEqual(['createAdsCampaign key_scope', 'createApiKey key_scope', 'listAdsCampaigns key_connection']);
  });

  it('has changes of connections and app credentials, without the secrets', async () => {
    const third = (await app.connect()).get('id') as string;
    await app.ok('PATCH', `/unified/connection/${third}`, { is_paused: true });
    await app.ok('DELETE', `/unified/connection/${third}`);
    const rows = await audit(`connection_id=${third}`);
    expect(rows.map(({ action, actor_kind }) => [action, actor_kind])).toEqual([
      ['authorizeConnection', 'customer'],
      ['patchUnifiedConnection', 'api_key'],
      ['removeUnifiedConnection', 'api_key'],
    ]);
    expect(rows[1]?.details).toMatchObject({ before: { is_paused: false }, after: { is_paused: true } });
    const stored = await audit('action=putIntegrationApp');
    expect(stored[0]?.details).toMatchObject({ fields: expect.arrayContaining(['secret']) });
    expect(JSON.stringify(stored)).not.toContain(app.simulator.ready['secret'] as string);
  });

  it('counts the uses of customers’ credentials by purpose', async () => {
    await app.ok('GET', `/ads/${connection}/campaign?limit=1`);
    await app.call('GET', `/passthrough/${connection}/open_api/v1.3/user/info/`);
    await app.app.services.audit.flush();
    const uses = (await audit('action=useCredentials')).flatMap(
      ({ details }) => (details as { uses: { connection_id?: string; purpose: string }[] }).uses,
    );
    const purposes = new Set(uses.filter((use) => use.connection_id === connection).map(({ purpose }) => purpose));
    expect([...purposes].sort()).toEqual(expect.arrayContaining(['call', 'passthrough']));
    expect(uses.map(({ purpose }) => purpose)).toEqual(expect.arrayContaining(['exchange', 'test']));
  });

  it('has sign-ins, good and refused, and writes by pass-through', async () => {
    const rows = await audit();
    const sessions = rows.filter(({ object_type }) => object_type === 'Session');
    expect(new Set(sessions.map(({ action, outcome: how }) => `${action} ${how}`))).toEqual(
      new Set(['openSession ok', 'openSession key_scope', 'closeSession ok']),
    );
    await app.call('POST', `/passthrough/${connection}/open_api/v1.3/campaign/status/update/`, {
      advertiser_id: organization,
      campaign_ids: ['1'],
      operation_status: 'DISABLE',
    });
    await expect
      .poll(async () => (await audit('action=createPassthrough')).at(-1)?.details)
      .toMatchObject({ method: 'POST', path: expect.stringContaining('/campaign/status/update/') });
  });

  it('is whole, says where it ends, and can be verified without the server', async () => {
    const answer = await app.call('GET', '/v1/audit');
    const head = answer.headers.get('x-polyad-audit-head') as string;
    expect(answer.headers.get('content-type')).toContain('application/x-ndjson');
    const rows = await audit();
    expect(await verifyChain(rows)).toMatchObject({ ok: true, first: 1 });
    expect(await app.ok('GET', `/v1/audit/verify?head=${head}`)).toMatchObject({ ok: true, sealed: true });
    const lie = head.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    expect(await app.ok('GET', `/v1/audit/verify?head=${lie}`)).toMatchObject({ ok: false });
    expect((await audit(`after=${rows.length - 1}`)).length).toBeGreaterThan(0);
  });

  it('is for those who administer, of their own workspace', async () => {
    const { key } = await made({ scopes: ['read', 'write', 'spend'] });
    expect(outcome(await as(key, 'GET', '/v1/audit'))).toBe('key_scope');
    expect(outcome(await app.call('GET', `/v1/audit?workspace_id=${'f'.repeat(24)}`))).toBe('workspace_not_found');
  });
});

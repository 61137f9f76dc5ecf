/** Bulk writes and dry runs over HTTP. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Json, startTestApp, type TestApp } from '../support/app.ts';

let polyad: TestApp;
let connection: string;
let organization: string;

beforeAll(async () => {
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual' });
  [organization] = polyad.simulator.ready['advertiser_ids'] as [string];
  connection = (await polyad.connect()).get('id') as string;
});
afterAll(() => polyad.close());
beforeEach(async () => {
  await polyad.control('POST', '/faults/clear');
  await polyad.clearLog();
});

const campaign = (name: string, more: Json = {}): Json => ({
  organization_id: organization,
  name,
  goal: 'WEBSITE_TRAFFIC',
  budget_amount: 100,
  budget_period: 'DAILY',
  ...more,
});
const bulk = (items: Json[], headers: Record<string, string> = {}, query = '') =>
  polyad.call('POST', `/v1/bulk/${connection}/campaign${query}`, { items }, headers);
const sent = async (path: string): Promise<Json[]> => polyad.requests(path);
const made = async (count: number, prefix: string): Promise<string[]> => {
  const items = Array.from({ length: count }, (_, index) => ({
    method: 'create',
    body: campaign(`${prefix} ${index}`),
  }));
  const { body } = await bulk(items);
  return body.results.map(({ id }: Json) => id);
};

describe('bulk writes', () => {
  it('give every item its own result, in the order of the items', async () => {
    const { status, body } = await bulk([
      { method: 'create', body: campaign('Bulk A') },
      { method: 'create', body: campaign('Bulk B', { budget_amount: 1 }) },
      { method: 'create', body: campaign('Bulk C') },
      { method: 'update', id: '1', body: { name: 'Nobody' } },
    ]);
    expect(status).toBe(200);
    expect(body.summary).toEqual({ total: 4, succeeded: 2, failed: 2, replayed: 0 });
    expect(body.results.map(({ index, status: own }: Json) => [index, own])).toEqual([
      [0, 200],
      [1, 422],
      [2, 200],
      [3, 404],
    ]);
    expect(body.results[0].object).toMatchObject({ name: 'Bulk A', id: body.results[0].id });
    expect(body.results[1].error).toMatchObject({ actor: 'caller', platform: { code: expect.any(String) } });
  });

  it('refuse one key for two items, by name, and send nothing', async () => {
    await polyad.clearLog();
    const item = { method: 'create', body: campaign('Shared key'), idempotency_key: 'shared' };
    for (const headers of [{}, { accept: 'application/x-ndjson' }]) {
      const { status, body } = await bulk([item, { method: 'create', body: campaign('Beside it') }, item], headers);
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'input_invalid', message: 'Items 0 and 2 have the same idempotency_key.' });
    }
    expect(await sent('campaign/create')).toHaveLength(0);
    // Keys of different verbs are different keys.
    const [id] = (await made(1, 'Verbs')) as [string];
    const status = { method: 'status', id, status: 'PAUSED', idempotency_key: 'shared' };
    expect((await bulk([item, status])).body.summary).toMatchObject({ succeeded: 2 });
    const update = { method: 'update', id, body: { name: 'Verbs 2' }, idempotency_key: 'shared' };
    expect((await bulk([status, update])).status).toBe(400);
  });

  it('change status in the platform’s own batches, whole or in part', async () => {
    const ids = await made(45, 'Paused');
    await polyad.clearLog();
    const items = ids.map((id) => ({ method: 'status', id, status: 'PAUSED' }));
    const { body } = await bulk(items);
    expect(body.summary).toMatchObject({ total: 45, succeeded: 45 });
    expect(await sent('campaign/status/update')).toHaveLength(3);
    const rows: Json[] = await polyad.ok('GET', `/ads/${connection}/campaign?org_id=${organization}&query=Paused%20`);
    for (const row of rows) expect(row.status).toBe('PAUSED');

    const mixed = await bulk([
      ...ids.slice(0, 3).map((id) => ({ method: 'status', id, status: 'ACTIVE' })),
      { method: 'status', id: '1999999999999999', status: 'ACTIVE' },
    ]);
    expect(mixed.body.results.map(({ status }: Json) => status)).toEqual([200, 200, 200, 404]);
  });

  it('answer a status that cannot be, or an object that has none, item by item', async () => {
    const [id, other] = (await made(2, 'Odd')) as [string, string];
    const items = [
      { method: 'status', id, status: 'NONSENSE' },
      { method: 'status', id: other, status: 'PAUSED' },
      { method: 'create', body: campaign('Beside') },
    ];
    const first = await bulk(items, { 'idempotency-key': 'odd' });
    expect(first.body.results.map(({ status }: Json) => status)).toEqual([422, 200, 200]);
    expect(first.body.results[0].error.code).toBe('input_value_unsupported');
    // The key is not busy for ever, and of what was refused before anything was sent it is free.
    const again = await bulk(items, { 'idempotency-key': 'odd' });
    expect(again.body.summary).toEqual({ total: 3, succeeded: 2, failed: 1, replayed: 2 });
    const corrected = [{ method: 'status', id, status: 'PAUSED' }, ...items.slice(1)];
    const { body: right } = await bulk(corrected, { 'idempotency-key': 'odd' });
    expect(right.summary).toEqual({ total: 3, succeeded: 3, failed: 0, replayed: 2 });
    const { body } = await polyad.call('POST', `/v1/bulk/${connection}/audience?org_id=${organization}`, {
      items: [
        { method: 'status', id: '1', status: 'PAUSED' },
        { method: 'create', body: { name: 'Beside', type: 'STREAM' } },
      ],
    });
    expect(body.results.map(({ status }: Json) => status)).toEqual([405, 200]);
  });

  it('leave the server alone when their caller goes while items wait for quota', async () => {
    await polyad.control('PATCH', '/settings', { limits: 'on' });
    const release = polyad.hold();
    try {
      const items = Array.from({ length: 400 }, (_, index) => ({ method: 'create', body: campaign(`Gone ${index}`) }));
      const caller = new AbortController();
      const answer = fetch(`${polyad.url}/v1/bulk/${connection}/campaign`, {
        method: 'POST',
        headers: { authorization: polyad.key, 'content-type': 'application/json' },
        body: JSON.stringify({ items }),
        signal: caller.signal,
      });
      await polyad.queued(1);
      caller.abort();
      await expect(answer).rejects.toThrow();
    } finally {
      release();
      await polyad.control('PATCH', '/settings', { limits: 'off' });
    }
    expect((await bulk([{ method: 'create', body: campaign('After') }])).status).toBe(200);
  });

  it('are idempotent item by item', async () => {
    const items = Array.from({ length: 30 }, (_, index) => ({ method: 'create', body: campaign(`Once ${index}`) }));
    await polyad.control('POST', '/faults', { kind: 'drop_after', rate: 0.3, path: 'campaign/create' });
    const first = await bulk(items, { 'idempotency-key': 'batch-1' });
    await polyad.control('POST', '/faults/clear');
    expect(first.body.summary).toMatchObject({ succeeded: 30 });
    const second = await bulk(items, { 'idempotency-key': 'batch-1' });
    expect(second.body.summary).toEqual({ total: 30, succeeded: 30, failed: 0, replayed: 30 });
    const ids = (answer: Json) => answer.body.results.map(({ id }: Json) => id);
    expect(ids(second)).toEqual(ids(first));
    const rows = await polyad.ok('GET', `/ads/${connection}/campaign?org_id=${organization}&query=Once%20`);
    expect(rows).toHaveLength(30);

    const own = await bulk([{ method: 'create', body: campaign('Own key'), idempotency_key: 'own' }]);
    const single = await polyad.call('POST', `/ads/${connection}/campaign`, campaign('Own key'), {
      'idempotency-key': 'own',
    });
    expect(single.headers.get('idempotency-replayed')).toBe('true');
    expect(single.body).toEqual(own.body.results[0].object);
  });

  it('tell each result as a line when that is asked', async () => {
    const { body, headers } = await bulk(
      [
        { method: 'create', body: campaign('Line A') },
        { method: 'create', body: campaign('Line B') },
      ],
      { accept: 'application/x-ndjson' },
    );
    expect(headers.get('content-type')).toContain('application/x-ndjson');
    const lines = (body as string)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(3);
    expect(lines.slice(0, 2).map(({ index }: Json) => index)).toEqual(expect.arrayContaining([0, 1]));
    expect(lines[2]).toEqual({ summary: { total: 2, succeeded: 2, failed: 0, replayed: 0 } });
  });

  it('wait for quota instead of failing', async () => {
    await polyad.control('PATCH', '/settings', { limits: 'on' });
    try {
      const items = Array.from({ length: 60 }, (_, index) => ({ method: 'create', body: campaign(`Quota ${index}`) }));
      const { body } = await bulk(items);
      expect(body.summary).toMatchObject({ total: 60, succeeded: 60 });
      const refused = (await sent('campaign/create')).filter(({ code }) => code === 40100);
      expect(refused).toEqual([]);
    } finally {
      await polyad.control('PATCH', '/settings', { limits: 'off' });
    }
  });

  it('are checked before anything is done', async () => {
    const wrong = async (items: Json[], object = 'campaign') =>
      polyad.call('POST', `/v1/bulk/${connection}/${object}`, { items });
    expect((await wrong([])).body.code).toBe('input_invalid');
    expect((await wrong(Array(1_001).fill({ method: 'remove', id: '1' }))).body.code).toBe('input_invalid');
    expect((await wrong([{ method: 'remove', id: '1' }], 'report')).body.code).toBe('input_invalid');
    const { body } = await wrong([
      { method: 'create', body: campaign('Fine') },
      { method: 'create', body: campaign('Wrong', { budget_amount: 'much' }) },
    ]);
    expect(body).toMatchObject({ code: 'input_invalid', details: { index: 1 } });
    expect(await sent('campaign/create')).toEqual([]);
  });
});

describe('dry runs', () => {
  const dry = (method: string, path: string, body?: Json) =>
    polyad.ok(method, `/ads/${connection}/${path}${path.includes('?') ? '&' : '?'}dry_run=true`, body);

  it('show the native requests of every kind of write, and send none', async () => {
    const [id] = (await made(1, 'Dry')) as [string];
    await polyad.clearLog();
    const url = (endpoint: string) => `${polyad.simulator.url}/open_api/v1.3/${endpoint}/`;
    const created = await dry('POST', 'campaign', campaign('Not made'));
    expect(created).toMatchObject({
      name: 'Not made',
      raw: { campaign_name: 'Not made' },
      dry_run: {
        complete: true,
        requests: [
          {
            method: 'POST',
            url: url('campaign/create'),
            body: { advertiser_id: organization, campaign_name: 'Not made', objective_type: 'TRAFFIC', budget: 100 },
          },
        ],
      },
    });
    const changed = await dry('PATCH', `campaign/${id}`, { budget_amount: 200, status: 'PAUSED' });
    expect(changed.dry_run.requests.map(({ url: to }: Json) => to)).toEqual([
      url('campaign/status/update'),
      url('campaign/update'),
    ]);
    expect(changed.dry_run.requests[0].body).toMatchObject({ campaign_ids: [id], operation_status: 'DISABLE' });
    const removed = await dry('DELETE', `campaign/${id}`);
    expect(removed.dry_run.requests).toMatchObject([{ method: 'POST', body: { operation_status: 'DELETE' } }]);
    expect(JSON.stringify([created, changed, removed])).not.toContain(polyad.simulator.ready['access_token']);
    const log: Json[] = await polyad.requests();
    expect(log.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('go through files that would be uploaded first', async () => {
    const groups: Json[] = await polyad.ok('GET', `/ads/${connection}/group?org_id=${organization}&limit=1`);
    const identities: Json[] = await polyad.ok(
      'GET',
      `/ads/${connection}/promoted?org_id=${organization}&type=PAGE_ID`,
    );
    const shown = await dry('POST', 'creative', {
      organization_id: organization,
      group_id: groups[0].id,
      name: 'Dry creative',
      body: 'Hello',
      asset_urls: ['https://cdn.example.com/clip.mp4', 'https://cdn.example.com/cover.jpg'],
      link_url: 'https://example.com',
      promoted: [{ type: 'PAGE_ID', id: identities[0].id }],
    });
    expect(shown.dry_run.requests.map(({ url }: Json) => url.split('/v1.3/')[1])).toEqual([
      'file/video/ad/upload/',
      'file/image/ad/upload/',
      'ad/create/',
    ]);
  });

  it('refuse what would be refused', async () => {
    const path = `/ads/${connection}/campaign?dry_run=true`;
    expect((await polyad.call('POST', path, campaign('Wrong', { goal: 'NOTHING' }))).status).toBe(422);
    expect((await polyad.call('POST', path, campaign('Wrong', { colour: 'red' }))).status).toBe(400);
  });

  it('are possible in bulk', async () => {
    const { body } = await bulk([{ method: 'create', body: campaign('Dry bulk') }], {}, '?dry_run=true');
    expect(body.results[0].object.dry_run.requests).toHaveLength(1);
    expect(await sent('campaign/create')).toEqual([]);
  });

  it('show what is sent later: batches of status changes, and the token of the key', async () => {
    const ids = await made(25, 'Rehearsed');
    const items = ids.map((id) => ({ method: 'status', id, status: 'PAUSED' }));
    await polyad.clearLog();
    const { body } = await bulk(items, {}, '?dry_run=true');
    expect(await sent('campaign/status/update')).toEqual([]);
    const shown = new Set<string>(
      body.results.map(({ object }: Json) => JSON.stringify(object.dry_run.requests.map((one: Json) => one.body))),
    );
    await bulk(items);
    const really = (await sent('campaign/status/update')).map((one) => JSON.stringify([one.body]));
    expect([...shown].map((text) => JSON.parse(text))).toEqual(really.map((text) => JSON.parse(text)));

    const key = { 'idempotency-key': 'rehearsed' };
    const path = `/ads/${connection}/campaign`;
    const dry = await polyad.call('POST', `${path}?dry_run=true`, campaign('Token'), key);
    await polyad.call('POST', path, campaign('Token'), key);
    const [create] = await sent('campaign/create');
    expect(create?.body).toEqual(dry.body.dry_run.requests[0].body);
  });

  it('name one ad account', async () => {
    const [elsewhere] = (polyad.simulator.ready['advertiser_ids'] as string[]).slice(1);
    const body = campaign('Two accounts', { organization_id: elsewhere });
    const wrong = { status: 422, body: { code: 'input_value_invalid', details: { field: 'organization_id' } } };
    const at = `/ads/${connection}/campaign`;
    expect(await polyad.call('POST', `${at}?org_id=${organization}`, body)).toMatchObject(wrong);
    const change = { name: 'Elsewhere', organization_id: elsewhere };
    expect(await polyad.call('PATCH', `${at}/1?org_id=${organization}`, change)).toMatchObject(wrong);
    const inBulk = await bulk([{ method: 'create', body }], {}, `?org_id=${organization}`);
    expect(inBulk.body.results[0].error.code).toBe('input_value_invalid');
  });
});

describe('open writes', () => {
  it('are listed with what to check', async () => {
    await polyad.control('POST', '/faults', { kind: 'drop_before', path: 'campaign/create' });
    const lost = await polyad.call('POST', `/ads/${connection}/campaign`, campaign('Open'), {
      'idempotency-key': 'open',
    });
    expect(lost.body.code).toBe('write_outcome_unknown');
    const [write] = await polyad.ok('GET', '/v1/writes');
    expect(write).toMatchObject({
      connection_id: connection,
      route: 'create campaign',
      idempotency_key: 'open',
      state: 'unknown',
      name: 'Open',
      error: { code: 'write_outcome_unknown', details: { check: expect.stringContaining('Ads Manager') } },
    });
    await polyad.control('POST', '/faults/clear');
    const again = await polyad.call('POST', `/ads/${connection}/campaign`, campaign('Open'), {
      'idempotency-key': 'open',
    });
    expect(again.status).toBe(200);
    expect(await polyad.ok('GET', '/v1/writes')).toEqual([]);
  });

  const lose = async (name: string, key: string): Promise<Json> => {
    await polyad.control('POST', '/faults', { kind: 'drop_before', path: 'campaign/create' });
    const { body } = await create(name, key);
    expect(body.code).toBe('write_outcome_unknown');
    await polyad.control('POST', '/faults/clear');
    const open: Json[] = await polyad.ok('GET', '/v1/writes');
    return open.find((one) => one.idempotency_key === key);
  };
  const create = (name: string, key: string) =>
    polyad.call('POST', `/ads/${connection}/campaign`, campaign(name), { 'idempotency-key': key });
  const settle = (id: string, finding: Json) =>
    polyad.call('POST', `/v1/connections/${connection}/writes/${id}/settle`, finding);

  it('can be settled by a person who has looked', async () => {
    const lost = await lose('By hand', 'by-hand');
    expect(lost).toMatchObject({ organization_id: organization, check: expect.stringContaining('Ads Manager') });
    const [found, taken] = (await made(2, 'Found')) as [string, string];
    // Those were made by other writes of polyad.
    expect((await settle(lost.id, { outcome: 'done', object_id: taken })).body.code).toBe('input_invalid');
    expect((await settle(lost.id, { outcome: 'done' })).body.code).toBe('input_invalid');
    expect((await settle(lost.id, { outcome: 'done', object_id: '1' })).body.code).toBe('platform_not_found');
    expect((await settle(lost.id, { outcome: 'not_done' })).status).toBe(200);
    expect((await settle(lost.id, { outcome: 'not_done' })).body.code).toBe('record_not_found');
    const again = await create('By hand', 'by-hand');
    expect(again.status).toBe(200);
    expect(again.body.id).not.toBe(found);
  });

  it('answer the object that the person has found', async () => {
    const lost = await lose('Renamed meanwhile', 'renamed');
    const { ready, url } = polyad.simulator;
    const answer = await fetch(`${url}/open_api/v1.3/campaign/create/`, {
      method: 'POST',
      headers: { 'access-token': ready['access_token'] as string, 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ advertiser_id: organization, campaign_name: 'Another name', objective_type: 'TRAFFIC' },
        ...{ budget_mode: 'BUDGET_MODE_DAY', budget: 100 },
      }),
    });
    const { data } = (await answer.json()) as Json;
    expect((await settle(lost.id, { outcome: 'done', object_id: data.campaign_id })).status).toBe(200);
    const { body, headers } = await create('Renamed meanwhile', 'renamed');
    expect(body).toMatchObject({ id: data.campaign_id, name: 'Another name' });
    expect(headers.get('idempotency-replayed')).toBe('true');
  });

  it('are in the list of those keys alone that may see the connection', async () => {
    await lose('Elsewhere', 'elsewhere');
    const facts = { access_token: polyad.simulator.ready['access_token'] };
    const other = await polyad.ok('POST', '/unified/connection', {
      ...{ integration_type: 'tiktokads', environment: 'simulator', permissions: [], categories: ['ads'], auth: facts },
    });
    const limited = { name: 'k', scopes: ['read', 'write'], connection_ids: [other.id] };
    const { key } = await polyad.ok('POST', '/v1/keys', limited);
    expect((await polyad.call('GET', '/v1/writes', undefined, { authorization: key })).body).toEqual([]);
  });
});

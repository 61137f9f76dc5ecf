/** Idempotency-Key over HTTP: one write, however often it is asked for. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, type Json, startTestApp, type TestApp } from '../support/app.ts';

const HOUR = 3_600_000;

let polyad: TestApp;
let connection: string;
let organization: string;

beforeAll(async () => {
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual', tap: true });
  const { ready } = polyad.simulator;
  [organization] = ready['advertiser_ids'] as [string];
  connection = (await polyad.connect()).get('id') as string;
});
afterAll(() => polyad.close());
beforeEach(async () => {
  polyad.tap.clear();
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
const write = (method: string, path: string, key: string | undefined, body?: Json): Promise<Answer> =>
  polyad.call(method, `/ads/${connection}/${path}`, body, key === undefined ? {} : { 'idempotency-key': key });
const create = (key: string | undefined, name: string, more: Json = {}): Promise<Answer> =>
  write('POST', 'campaign', key, campaign(name, more));
const named = async (name: string): Promise<Json[]> =>
  polyad.ok('GET', `/ads/${connection}/campaign?org_id=${organization}&query=${encodeURIComponent(name)}`);
const sent = async (path = 'campaign/create'): Promise<number> => (await polyad.requests(path)).length;

describe('a repetition', () => {
  it('gets the first answer, says so, and sends nothing', async () => {
    const first = await create('replay-1', 'Replayed');
    expect(first.status).toBe(200);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    const second = await create('replay-1', 'Replayed');
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(second).toMatchObject({ status: 200, body: first.body });
    expect(await sent()).toBe(1);
  });

  it('may write its JSON differently', async () => {
    const body = campaign('Reordered');
    const first = await write('POST', 'campaign', 'order', body);
    const turned = Object.fromEntries(Object.entries(body).reverse());
    expect((await write('POST', 'campaign', 'order', turned)).body).toEqual(first.body);
    expect(await sent()).toBe(1);
  });

  it('with another body is a conflict', async () => {
    await create('conflict', 'First');
    const other = await create('conflict', 'Second');
    expect(other).toMatchObject({ status: 409, body: { code: 'idempotency_key_conflict', retry: 'never' } });
    expect(await sent()).toBe(1);
  });

  it('of a refused request gets the refusal, word for word', async () => {
    const first = await create('refused', 'Refused', { budget_amount: 1 });
    expect(first.status).toBe(422);
    const second = await create('refused', 'Refused', { budget_amount: 1 });
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(second).toMatchObject({ status: 422, body: first.body });
    expect(await sent()).toBe(1);
  });

  it('of one that was refused before anything was sent may be corrected', async () => {
    const wrong = await create('corrected', 'Corrected', { goal: 'NO_SUCH_GOAL' });
    expect(wrong).toMatchObject({ status: 422, body: { code: 'input_value_unsupported' } });
    expect(await create('corrected', 'Corrected', { goal: 'NO_SUCH_GOAL' })).toMatchObject({ status: 422 });
    const right = await create('corrected', 'Corrected');
    expect(right.status).toBe(200);
    // From here on the key stands for what was sent.
    expect(await create('corrected', 'Corrected', { goal: 'NO_SUCH_GOAL' })).toMatchObject({ status: 409 });
    expect((await create('corrected', 'Corrected')).body).toEqual(right.body);
    expect(await sent()).toBe(1);
  });

  it('of one that the platform could not serve is tried again: nothing was carried out', async () => {
    const gone = polyad.tap.answer('campaign/create', { body: { code: 40100, message: 'App reaches the QPD limit.' } });
    const first = await create('limited', 'Limited');
    expect(first).toMatchObject({ status: 429, body: { code: 'platform_rate_limited' } });
    polyad.tap.clear();
    polyad.advance(25 * HOUR);
    const second = await create('limited', 'Limited');
    expect(second.status).toBe(200);
    expect(second.headers.get('idempotency-replayed')).toBeNull();
    expect(gone.hits).toBeGreaterThan(0);
    expect(await named('Limited')).toHaveLength(1);
  });

  it('is one for each verb, object and connection apart', async () => {
    const made = await create('shared', 'Shared');
    const changed = await write('PATCH', `campaign/${made.body.id}`, 'shared', { name: 'Shared, changed' });
    expect(changed).toMatchObject({ status: 200, body: { name: 'Shared, changed' } });
    const facts = { access_token: polyad.simulator.ready['access_token'] };
    const other = await polyad.ok('POST', '/unified/connection', {
      integration_type: 'tiktokads',
      environment: 'simulator',
      permissions: [],
      categories: ['ads'],
      auth: facts,
    });
    const elsewhere = await polyad.call('POST', `/ads/${other.id}/campaign`, campaign('Shared'), {
      'idempotency-key': 'shared',
    });
    expect(elsewhere.status).toBe(200);
    expect(elsewhere.body.id).not.toBe(made.body.id);
  });

  it('after a day is a new request', async () => {
    const first = await create('old', 'Daily');
    polyad.advance(24 * HOUR + 1);
    const second = await create('old', 'Daily');
    expect(second.headers.get('idempotency-replayed')).toBeNull();
    expect(second.body.id).not.toBe(first.body.id);
  });
});

describe('updates and removals', () => {
  it('are done once under a key', async () => {
    const { body } = await create(undefined, 'Changed once');
    const change = () => write('PATCH', `campaign/${body.id}`, 'change', { budget_amount: 150 });
    const first = await change();
    expect(first.body.budget_amount).toBe(150);
    expect((await change()).body).toEqual(first.body);
    expect(await sent('campaign/update')).toBe(1);
    expect(await write('DELETE', `campaign/${body.id}`, 'gone')).toMatchObject({ status: 200, body: {} });
    const again = await write('DELETE', `campaign/${body.id}`, 'gone');
    expect(again).toMatchObject({ status: 200, body: {} });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await sent('campaign/status/update')).toBe(1);
  });

  it('answer a removal that went through though nobody heard of it', async () => {
    const { body } = await create(undefined, 'Removed, not heard');
    await polyad.control('POST', '/faults', { kind: 'drop_after', path: 'campaign/status/update' });
    expect((await write('DELETE', `campaign/${body.id}`, 'unheard')).status).toBe(503);
    await polyad.control('POST', '/faults/clear');
    polyad.advance(60_000);
    expect(await write('DELETE', `campaign/${body.id}`, 'unheard')).toMatchObject({ status: 200, body: {} });
    // Another request to remove what is gone is refused as before.
    expect((await write('DELETE', `campaign/${body.id}`, 'once more')).status).toBe(422);
  });

  it('under one key are for one object', async () => {
    const [a, b] = [await create(undefined, 'A'), await create(undefined, 'B')];
    await write('PATCH', `campaign/${a.body.id}`, 'one-object', { name: 'A2' });
    const other = await write('PATCH', `campaign/${b.body.id}`, 'one-object', { name: 'A2' });
    expect(other.body.code).toBe('idempotency_key_conflict');
  });
});

describe('at the same time', () => {
  it('100 callers with one key: one creation, everybody else its answer or a wait', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => create('crowd', 'Crowded')));
    const won = answers.filter(({ status }) => status === 200);
    expect(await sent()).toBe(1);
    expect(new Set(won.map(({ body }) => body.id)).size).toBe(1);
    for (const { status, body, headers } of answers) {
      if (status === 200) continue;
      expect({ status, code: body.code }).toEqual({ status: 409, code: 'idempotency_in_flight' });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await create('crowd', 'Crowded')).body).toEqual(won[0]?.body);
    expect(await named('Crowded')).toHaveLength(1);
  });

  it('callers without keys are not confused: fifty creations of one name are fifty objects', async () => {
    // Who hears at once that the quota leaves no turn in time comes again, as any client does.
    const persist = async (tries = 5): Promise<Answer> => {
      const answer = await create(undefined, 'Twins');
      if (answer.body.code !== 'quota_wait' || tries === 1) return answer;
      await polyad.app.runtime.clock.sleep(answer.body.retry_after_ms);
      return persist(tries - 1);
    };
    const answers = await Promise.all(Array.from({ length: 50 }, () => persist()));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(50);
    expect(await named('Twins')).toHaveLength(50);
  });
});

describe('dry runs', () => {
  it('use no key up', async () => {
    const path = `/ads/${connection}/campaign?dry_run=true`;
    const dry = await polyad.call('POST', path, campaign('Dry first'), { 'idempotency-key': 'dry' });
    expect(dry.body.dry_run).toMatchObject({ complete: true, requests: [{ method: 'POST' }] });
    expect(await sent()).toBe(0);
    expect((await create('dry', 'Wet then')).status).toBe(200);
  });
});

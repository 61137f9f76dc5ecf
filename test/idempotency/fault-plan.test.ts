/**
 * Many creations (`npm run test:idempotency`: a thousand) while requests and answers are lost in every way: each exists once at the end, or is a named
 * unknown until a person (here: time) has settled it. `POLYAD_TEST_CREATES` changes the number.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, type Json, startTestApp, type TestApp } from '../support/app.ts';

const CREATES = Number(process.env['POLYAD_TEST_CREATES'] ?? 250);
const SETTLED_MS = 120_000;

let polyad: TestApp;
let connection: string;
let organization: string;

beforeAll(async () => {
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual', tap: true });
  [organization] = polyad.simulator.ready['advertiser_ids'] as [string];
  connection = (await polyad.connect()).get('id') as string;
});
afterAll(() => polyad.close());
beforeEach(async () => {
  polyad.tap.clear();
  await polyad.control('POST', '/faults/clear');
});

const body = (name: string): Json => ({
  organization_id: organization,
  name,
  goal: 'WEBSITE_TRAFFIC',
  budget_amount: 100,
  budget_period: 'DAILY',
});
const create = (key: string, name: string): Promise<Answer> =>
  polyad.call('POST', `/ads/${connection}/campaign`, body(name), { 'idempotency-key': key });
/** What the platform itself has, asked without polyad. */
const all = async (prefix: string): Promise<{ id: string; name: string }[]> => {
  const rows: { id: string; name: string }[] = [];
  for (let page = 1; ; page += 1) {
    const query = new URLSearchParams({
      advertiser_id: organization,
      filtering: JSON.stringify({ primary_status: 'STATUS_ALL' }),
      page: String(page),
      page_size: '1000',
    });
    const answer = await fetch(`${polyad.simulator.url}/open_api/v1.3/campaign/get/?${query}`, {
      headers: { 'access-token': polyad.simulator.ready['access_token'] as string },
    });
    const { data } = (await answer.json()) as Json;
    for (const row of data.list) rows.push({ id: row.campaign_id, name: row.campaign_name });
    if (page >= data.page_info.total_page) return rows.filter(({ name }) => name.startsWith(prefix));
  }
};
const fault = (kind: string, rate: number, path: string): Promise<Json> =>
  polyad.control('POST', '/faults', { kind, rate, path });

/** A careful client: repeats what it may repeat under the same key, a few times. */
async function insist(key: string, name: string): Promise<Answer> {
  let answer = await create(key, name);
  for (let round = 0; round < 4 && answer.status !== 200; round += 1) {
    const { code, retry } = answer.body;
    if (code !== 'write_outcome_unknown' && retry === 'never')
      throw new Error(`${name}: ${JSON.stringify(answer.body)}`);
    answer = await create(key, name);
  }
  return answer;
}

/** Work on a list, a few at a time. */
async function each<T, R>(list: readonly T[], parallel: number, work: (one: T) => Promise<R>): Promise<R[]> {
  const out: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < list.length) {
      const index = next++;
      out[index] = await work(list[index] as T);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return out;
}

describe('creations under a fault plan', () => {
  it(`${CREATES}: exactly as many objects, or a named unknown`, { timeout: 300_000 }, async () => {
    for (const path of ['campaign/create', 'campaign/get'])
      for (const [kind, rate] of [
        ['drop_after', 0.06],
        ['drop_before', 0.06],
        ['truncate', 0.03],
        ['server_error', 0.03],
        ['html_gateway', 0.03],
      ] as const)
        await fault(kind, rate, path);
    // A 5xx after the platform has carried the request out.
    const spoiled = polyad.tap.spoil('campaign/create', { status: 503, body: '<html>gateway</html>' }, 20);
    const names = Array.from({ length: CREATES }, (_, index) => `Plan ${index}`);
    const answers = await each(names, 8, (name) => insist(`plan/${name}`, name));
    expect(spoiled.hits).toBeGreaterThan(CREATES / 40);

    const unknown = answers.flatMap((answer, index) => (answer.status === 200 ? [] : [{ answer, index }]));
    for (const { answer, index } of unknown)
      expect(answer.body).toMatchObject({
        code: 'write_outcome_unknown',
        details: { object: 'campaign', name: names[index], organization_id: organization, check: expect.any(String) },
      });
    expect(unknown.length).toBeLessThanOrEqual(CREATES / 50);

    await polyad.control('POST', '/faults/clear');
    polyad.tap.clear();
    const before = await all('Plan ');
    expect(new Set(before.map(({ name }) => name)).size).toBe(before.length);
    // What was unknown settles with time, under the same key.
    polyad.advance(SETTLED_MS);
    const settled = await each(unknown, 4, ({ index }) => create(`plan/${names[index]}`, names[index] as string));
    for (const answer of settled) expect(answer.status).toBe(200);

    const rows = await all('Plan ');
    expect(rows.map(({ name }) => name).sort()).toEqual([...names].sort());
    const ids = new Map(rows.map(({ id, name }) => [name, id]));
    for (const [index, answer] of answers.entries())
      if (answer.status === 200) expect(answer.body.id).toBe(ids.get(names[index] as string));
  });

  it('creations of one name do not take one another’s objects', async () => {
    await fault('drop_after', 0.3, 'campaign/create');
    await fault('drop_before', 0.2, 'campaign/create');
    const keys = Array.from({ length: 30 }, (_, index) => `same/${index}`);
    await each(keys, 6, (key) => insist(key, 'Same name'));
    await polyad.control('POST', '/faults/clear');
    polyad.advance(SETTLED_MS);
    const answers = await each(keys, 1, (key) => insist(key, 'Same name'));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(30);
    const rows = await all('Same name');
    expect(rows).toHaveLength(30);
    expect(new Set(answers.map(({ body }) => body.id))).toEqual(new Set(rows.map(({ id }) => id)));
  });
});

describe('a lost creation', () => {
  it('is not confused with an older object of its name', async () => {
    const { body: older } = await create('older', 'Namesake');
    await fault('drop_before', 1, 'campaign/create');
    const lost = await create('newer', 'Namesake');
    expect(lost.body.code).toBe('write_outcome_unknown');
    await polyad.control('POST', '/faults/clear');
    const { body } = await create('newer', 'Namesake');
    expect(body.id).not.toBe(older.id);
    expect(await all('Namesake')).toHaveLength(2);
  });

  it('stays unknown when somebody else made an object of its name just before', async () => {
    const { ready } = polyad.simulator;
    const made = await fetch(`${polyad.simulator.url}/open_api/v1.3/campaign/create/`, {
      method: 'POST',
      headers: { 'access-token': ready['access_token'] as string, 'content-type': 'application/json' },
      body: JSON.stringify({
        advertiser_id: organization,
        campaign_name: 'Made by hand',
        objective_type: 'TRAFFIC',
        budget_mode: 'BUDGET_MODE_DAY',
        budget: 100,
      }),
    });
    const { data } = (await made.json()) as Json;
    polyad.advance(10_000);
    await fault('drop_before', 1, 'campaign/create');
    const lost = await create('by-hand', 'Made by hand');
    expect(lost.body).toMatchObject({
      code: 'write_outcome_unknown',
      details: { candidates: [data.campaign_id], name: 'Made by hand' },
    });
    await polyad.control('POST', '/faults/clear');
    polyad.advance(SETTLED_MS);
    expect((await create('by-hand', 'Made by hand')).body.code).toBe('write_outcome_unknown');
    expect(await all('Made by hand')).toHaveLength(1);
  });

  it('is found although lists show it late', async () => {
    await fault('drop_after', 1, 'campaign/create');
    await polyad.control('POST', '/faults', { kind: 'stale_reads', path: 'campaign/get', ms: 60_000, times: 2 });
    const { status, body } = await create('late', 'Shown late');
    expect(status).toBe(200);
    const [campaign, another] = await all('Shown late');
    expect(campaign?.id).toBe(body.id);
    expect(another).toBeUndefined();
  });

  it('of an ad group and a creative is found as well', async () => {
    const { body: campaign } = await create('parent', 'Parent');
    await fault('drop_after', 1, 'adgroup/create');
    await fault('drop_after', 1, 'ad/create');
    const start = new Date(polyad.now().getTime() + 3_600_000).toISOString();
    const group = await polyad.call(
      'POST',
      `/ads/${connection}/group`,
      {
        campaign_id: campaign.id,
        name: 'Lost group',
        budget_amount: 50,
        budget_period: 'DAILY',
        start_at: start,
        optimization_goal: 'LINK_CLICKS',
        targeting: { geographic: { countries: [{ id: '6252001' }] } },
      },
      { 'idempotency-key': 'group' },
    );
    expect(group).toMatchObject({ status: 200, body: { name: 'Lost group', campaign_id: campaign.id } });
    const groups: Json[] = await polyad.ok('GET', `/ads/${connection}/group?campaign_id=${campaign.id}`);
    expect(groups).toHaveLength(1);
    const identities: Json[] = await polyad.ok(
      'GET',
      `/ads/${connection}/promoted?org_id=${organization}&type=PAGE_ID`,
    );
    const videos: Json[] = await polyad.ok('GET', `/ads/${connection}/asset?org_id=${organization}&type=VIDEO`);
    const images: Json[] = await polyad.ok('GET', `/ads/${connection}/asset?org_id=${organization}&type=IMAGE`);
    const creative = await polyad.call(
      'POST',
      `/ads/${connection}/creative`,
      {
        organization_id: organization,
        group_id: group.body.id,
        name: 'Lost creative',
        body: 'Hello',
        asset_urls: [videos[0].id, images[0].id],
        link_url: 'https://example.com',
        promoted: [{ type: 'PAGE_ID', id: identities[0].id }],
      },
      { 'idempotency-key': 'creative' },
    );
    expect(creative).toMatchObject({ status: 200, body: { name: 'Lost creative', group_id: group.body.id } });
    expect(await polyad.ok('GET', `/ads/${connection}/ad?group_id=${group.body.id}`)).toHaveLength(1);
  });

  it('is found although its caller hung up: a write once sent is brought to its end', async () => {
    await polyad.control('POST', '/faults', { kind: 'latency', path: 'campaign/create', ms: 400, times: 1 });
    const caller = new AbortController();
    const gone = fetch(`${polyad.url}/ads/${connection}/campaign`, {
      method: 'POST',
      headers: { authorization: polyad.key, 'content-type': 'application/json', 'idempotency-key': 'gone' },
      body: JSON.stringify(body('Hung up')),
      signal: caller.signal,
    });
    setTimeout(() => caller.abort(), 200);
    await expect(gone).rejects.toThrow();
    let answer = await create('gone', 'Hung up');
    while (answer.body.code === 'idempotency_in_flight') {
      await new Promise((resolve) => setTimeout(resolve, 50));
      answer = await create('gone', 'Hung up');
    }
    expect(answer.status).toBe(200);
    expect(answer.headers.get('idempotency-replayed')).toBe('true');
    expect(await all('Hung up')).toHaveLength(1);
  });
});

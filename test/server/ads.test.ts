import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from './support/harness.ts';
import { json } from './support/upstream.ts';

let h: Harness;
let bodies: Record<string, unknown>[];
let ads: string;

beforeAll(async () => {
  h = await startHarness();
  ads = `/ads/${h.connection.id}`;
});
afterAll(() => h.close());

beforeEach(() => {
  bodies = [];
  h.upstream.seen.length = 0;
  h.upstream.answer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    let text = '';
    for await (const chunk of request) text += chunk;
    if (text !== '') bodies.push(JSON.parse(text) as Record<string, unknown>);
    const row = { id: 'a/b', name: 'One', budget: '12.50', secret_null: null };
    switch (pathname) {
      case '/v1/accounts':
        return json(response, { rows: [{ id: 'o1', name: 'Shop', currency: 'EUR', timezone: 'Etc/UTC' }] });
      case '/v1/campaigns':
        return json(response, { rows: [row, { id: 2, name: 'Two', budget: 0 }] });
      case '/v1/campaign':
        if (request.method === 'POST') return json(response, { row: { ...bodies.at(-1), id: '9' } });
        return searchParams.get('id') === 'a/b' ? json(response, { row }) : json(response, {}, 404);
      case '/v1/campaign/update':
        return json(response, { row: { ...row, ...bodies.at(-1) } });
      case '/v1/campaign/delete':
        return json(response, {});
      case '/v1/report':
        return json(response, { rows: [{ id: 'a/b', name: 'One', clicks: '7' }] });
      default:
        return json(response, { oops: pathname }, 404);
    }
  });
});

describe('lists', () => {
  it('answer a bare array, 200, JSON in UTF-8, with ids as text and without nulls', async () => {
    const answer = await h.fetch(`${ads}/campaign`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await answer.json()).toEqual([
      { id: 'a/b', name: 'One', budget_amount: 12.5, organization_id: 'o1', currency: 'EUR' },
      { id: '2', name: 'Two', organization_id: 'o1', currency: 'EUR' },
    ]);
  });

  it('give the fields that are asked for, repeated or joined by commas, and `raw` only then', async () => {
    const repeated = await (await h.fetch(`${ads}/campaign?fields=name&fields=raw.secret_null`)).json();
    const joined = await (await h.fetch(`${ads}/campaign?fields=name,raw.secret_null`)).json();
    expect(repeated).toEqual(joined);
    expect(joined[0]).toEqual({ id: 'a/b', name: 'One', raw: { secret_null: null } });
  });

  it('refuse an unknown parameter by name and say which there are', async () => {
    const answer = await h.fetch(`${ads}/campaign?campain_id=1`);
    const body = await answer.json();
    expect(answer.status).toBe(400);
    expect(body).toMatchObject({ code: 'input_invalid', statusCode: 400 });
    expect(JSON.stringify(body.details)).toContain('campain_id');
    expect(JSON.stringify(body.details)).toContain('"org_id"');
    expect(h.upstream.seen).toHaveLength(0);
  });

  it('say that a connection does not exist, or is paused', async () => {
    const unknown = await h.call('GET', '/ads/0123456789abcdef01234567/campaign');
    expect(unknown).toMatchObject({ status: 404, body: { code: 'connection_not_found' } });
    await h.call('PATCH', `/unified/connection/${h.connection.id}`, { body: { is_paused: true } });
    expect(await h.call('GET', `${ads}/campaign`)).toMatchObject({ status: 403, body: { code: 'connection_paused' } });
    await h.call('PATCH', `/unified/connection/${h.connection.id}`, { body: { is_paused: false } });
    expect(await h.call('GET', `${ads}/campaign?org_id=o1`)).toMatchObject({ status: 200 });
  });
});

describe('single objects', () => {
  it('are found by an id with a slash in it', async () => {
    const answer = await h.fetch(`${ads}/campaign/a%2Fb?org_id=o1`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ id: 'a/b', budget_amount: 12.5 });
  });

  it('are created with 200 and only what was sent', async () => {
    const answer = await h.fetch(`${ads}/campaign`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'New', budget_amount: 5 }),
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ id: '9', name: 'New', budget_amount: 5 });
    expect(bodies).toEqual([{ name: 'New', budget: expect.anything() }]);
  });

  it('keep their id: a body that names another one is refused', async () => {
    const answer = await h.call('PATCH', `${ads}/campaign/c1?org_id=o1`, { body: { id: 'c2', name: 'x' } });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: 'input_field_immutable', details: { field: 'id' } });
  });

  it.each(['PUT', 'PATCH'])('are changed in part by %s', async (method) => {
    const answer = await h.fetch(`${ads}/campaign/a%2Fb?org_id=o1`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Renamed' }),
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ id: 'a/b', name: 'Renamed', budget_amount: 12.5 });
    expect(bodies).toEqual([{ name: 'Renamed', id: 'a/b' }]);
  });

  it('are removed with 200 and an empty object', async () => {
    const answer = await h.fetch(`${ads}/campaign/a%2Fb?org_id=o1`, { method: 'DELETE' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await answer.text()).toBe('{}');
  });

  it('are not written in a dry run, which says what would be sent', async () => {
    const answer = await h.fetch(`${ads}/campaign?dry_run=true`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'New' }),
    });
    expect(answer.status).toBe(200);
    expect((await answer.json()).raw).toEqual({ name: 'New' });
    expect(bodies).toEqual([]);
  });

  it('refuse a wrong type, an unknown field, an unsupported field and a wrong body by name', async () => {
    const send = async (body: string) => {
      const answer = await h.fetch(`${ads}/campaign`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      return { status: answer.status, body: await answer.json() };
    };
    const type = await send('{"name":"x","budget_amount":"10"}');
    expect(type).toMatchObject({ status: 400, body: { code: 'input_invalid' } });
    expect(type.body.details.issues[0].path).toBe('budget_amount');
    expect(await send('{"name":"x","nmae":1}')).toMatchObject({ status: 400, body: { code: 'input_field_unknown' } });
    expect(await send('{"name":"x","category":"c"}')).toMatchObject({
      status: 422,
      body: { code: 'input_field_unsupported' },
    });
    for (const bad of ['[1]', '"x"', '{', '{"__proto__":{"a":1}}'])
      expect(await send(bad)).toMatchObject({ status: 400, body: { code: 'input_body_invalid' } });
    expect(bodies).toEqual([]);
  });

  it('tell apart what the platform lacks, what the contract lacks, and what does not exist', async () => {
    const lacking = await h.fetch(`${ads}/group`);
    expect(lacking.status).toBe(405);
    expect((await lacking.json()).code).toBe('method_unsupported');
    const contract = await h.fetch(`${ads}/asset/1`, { method: 'DELETE' });
    expect(contract.status).toBe(405);
    expect(contract.headers.get('allow')).toBe('GET');
    for (const [path, method] of [
      ['nothing', 'GET'],
      ['campaign/', 'GET'],
      ['campaign/', 'DELETE'],
    ] as const) {
      const nothing = await h.fetch(`${ads}/${path}`, { method });
      expect([path, nothing.status, (await nothing.json()).code]).toEqual([path, 404, 'route_unknown']);
    }
  });
});

describe('reports', () => {
  it('are streamed as a JSON array', async () => {
    const answer = await h.fetch(`${ads}/report?org_id=o1&start_gte=2026-01-01&end_lt=2026-01-08`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const [row] = await answer.json();
    expect(row.metrics[0]).toMatchObject({ type: 'CLICKS', value: 7 });
  });

  it('are streamed as lines when asked', async () => {
    const answer = await h.fetch(`${ads}/report?org_id=o1`, { headers: { accept: 'application/x-ndjson' } });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    const lines = (await answer.text()).split('\n');
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[0] as string).metrics[0].value).toBe(7);
  });

  it('fail with the status of what went wrong before the first row', async () => {
    const answer = await h.fetch(`${ads}/report?org_id=other`);
    expect(answer.status).toBe(404);
    expect((await answer.json()).code).toBe('organization_unknown');
  });
});

describe('headers and the call log', () => {
  /** The row of a request; it is given to the log when the answer is complete, which the client may see a moment before. */
  const logged = async (id: string) => {
    const find = async () => (await h.calls()).find((call) => call.request_id === id);
    await expect.poll(find).toBeDefined();
    return find();
  };

  it('carry the caller’s request id, the times, and one row with the same numbers', async () => {
    const answer = await h.fetch(`${ads}/campaign?org_id=o1`, {
      headers: { 'x-request-id': 'mine-1', 'user-agent': 'test-agent' },
    });
    const text = await answer.text();
    expect(answer.headers.get('x-request-id')).toBe('mine-1');
    const [total, platform, ours] = ['x-response-time', 'x-endapi-response-time', 'x-unified-response-time'].map(
      (name) => Number(answer.headers.get(name) ?? Number.NaN),
    ) as [number, number, number];
    expect(platform + ours).toBe(total);
    const row = await logged('mine-1');
    expect(row).toMatchObject({
      workspace_id: h.workspace.id,
      connection_id: h.connection.id,
      integration_type: 'testads',
      environment: 'production',
      method: 'GET',
      name: 'listAdsCampaigns',
      status: '200',
      type: 'inbound',
      error: null,
      external_xref: 'customer-7',
      request_id: 'mine-1',
      user_agent: 'test-agent',
    });
    expect(row?.size).toBe(Buffer.byteLength(text));
    expect(row?.endapi_ms).toBe(platform);
  });

  it('keep an id that is not sane out of logs and answers', async () => {
    const answer = await h.fetch(`${ads}/campaign?org_id=o1`, { headers: { 'x-request-id': 'a b"<script>' } });
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f]{24}$/);
  });

  it('log failures with their code, and say when the platform was not called', async () => {
    const answer = await h.fetch(`${ads}/campaign?nope=1&access_token=abc`, { headers: { 'x-request-id': 'mine-2' } });
    await answer.text();
    expect(answer.headers.get('x-endapi-response-time')).toBeNull();
    expect(answer.headers.get('x-response-time')).toMatch(/^\d+$/);
    const row = await logged('mine-2');
    expect(row).toMatchObject({ status: '400', endapi_ms: null, path: `${ads}/campaign?nope=1&access_token=[hidden]` });
    expect(row?.error).toMatch(/^input_invalid: /);
  });

  it('pass the platform’s wait on as whole seconds and as milliseconds', async () => {
    h.upstream.answer((_request, response) => {
      response.writeHead(429).end('slow down');
    });
    const answer = await h.fetch(`${ads}/campaign?org_id=o1`);
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBe(2);
    expect(Number(answer.headers.get('retry-after-ms'))).toBe(1500);
    expect(await answer.json()).toMatchObject({ code: 'platform_rate_limited', retry_after_ms: 1500 });
  });
});

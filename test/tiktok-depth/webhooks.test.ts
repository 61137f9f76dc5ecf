/** Webhooks of TikTok: asked for, signed, counted once, turned into events of the right connection. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestApp, type TestApp } from '../support/app.ts';

let app: TestApp;
let connection: string;
let org: string;
let hook: string;
let secret: string;

beforeAll(async () => {
  app = await startTestApp({ platform: 'tiktok', clock: 'virtual' });
  connection = (await app.connect()).get('id') as string;
  org = (await app.ok('GET', `/ads/${connection}/organization`))[0].id;
  hook = `${app.url}/webhooks/${app.workspace.id}/tiktokads/simulator`;
  secret = app.simulator.ready['secret'] as string;
});
afterAll(() => app.close());

const events = (type: string): Promise<Json[]> => app.ok('GET', `/v1/events?type=${type}&limit=100`);

async function post(body: string, signature?: string): Promise<{ status: number; body: Json }> {
  const answer = await fetch(hook, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(signature === undefined ? {} : { 'x-open-signature': signature }),
    },
    body,
  });
  return { status: answer.status, body: await answer.json() };
}
const escaped = (body: string): string =>
  body.replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
const sign = (body: string, key = secret): string => createHmac('sha256', key).update(escaped(body)).digest('hex');

describe('subscriptions', () => {
  it('are made with the app’s secret and the token, neither of which is anywhere to be seen', async () => {
    const made = await app.ok('POST', `/v1/connections/${connection}/subscriptions`, {
      kind: 'lead',
      organization_id: org,
    });
    expect(made.callback_url).toBe(hook);
    const list = await app.ok('GET', `/v1/connections/${connection}/subscriptions?kind=lead`);
    expect(list).toEqual([expect.objectContaining({ id: made.id, kind: 'lead', organization_ids: [org] })]);
    const calls = await app.ok('GET', '/unified/apicall?limit=100');
    for (const text of [app.lines.join('\n'), JSON.stringify(calls), JSON.stringify(list)])
      expect(text).not.toContain(secret);
  });

  it('of an ad account that is not the connection’s are refused', async () => {
    const refused = await app.call('POST', `/v1/connections/${connection}/subscriptions`, {
      kind: 'lead',
      organization_id: '1',
    });
    expect(refused.body.code).toBe('organization_unknown');
  });

  it('deliver: a lead becomes an event of the connection', async () => {
    const { body: forms } = await app.call(
      'GET',
      `/passthrough/${connection}/open_api/v1.3/page/get/?advertiser_id=${org}&business_type=LEAD_GEN`,
    );
    const form = forms.data.list[0].page_id;
    await app.control('POST', '/leads', { page_id: form, count: 2 });
    await app.control('POST', '/webhooks/deliver', {});
    const found = await events('platform.lead');
    expect(found).toHaveLength(2);
    for (const event of found) {
      expect(event.connection_id).toBe(connection);
      expect(event.payload).toMatchObject({ organization_id: org, form_id: form, environment: 'simulator' });
      expect(event.payload.lead_id).toMatch(/^\d{15,}$/);
      expect(event.payload.fields.length).toBeGreaterThan(0);
    }
    expect(new Set(found.map((event) => event.payload.lead_id)).size).toBe(2);
  });

  it('are downloaded as well, with what was filled in', async () => {
    const forms = await app.ok('GET', `/ads/${connection}/lead_form?org_id=${org}`);
    expect(forms[0]).toMatchObject({ id: expect.any(String), name: expect.any(String) });
    const found = await app.ok('GET', `/ads/${connection}/lead?org_id=${org}&form_id=${forms[0].id}`);
    const told = await events('platform.lead');
    expect(found.map((lead: Json) => lead.id).sort()).toEqual(told.map((event) => event.payload.lead_id).sort());
    expect(found[0].fields.map(({ name }: Json) => name)).toContain('email');
    // Passed on, never kept.
    const calls = JSON.stringify(await app.ok('GET', '/unified/apicall?limit=100'));
    for (const { value } of found[0].fields)
      for (const text of [app.lines.join('\n'), calls]) expect(text).not.toContain(value);
    const wrong = await app.call('GET', `/ads/${connection}/lead?org_id=${org}&form_id=1`);
    expect(wrong.status).toBeGreaterThanOrEqual(400);
  });

  it('end', async () => {
    const [first] = await app.ok('GET', `/v1/connections/${connection}/subscriptions?kind=lead`);
    await app.ok('DELETE', `/v1/connections/${connection}/subscriptions/${first.id}`);
    expect(await app.ok('GET', `/v1/connections/${connection}/subscriptions?kind=lead`)).toEqual([]);
  });
});

describe('a callback', () => {
  const rejected = (log: string, reason = 'Misleading'): string =>
    `{"request_id":"r","object":3,"time":1763770000,"entry":[{"log_id":${log},"adv_id":${org},"campaign_id":1812345678901234567,"adgroup_id":1812345678901234568,"ad_id":1812345678901234569,"ad_name":"Größe","reject_reason":"${reason}"}]}`;

  it('without the right signature is refused, and does nothing', async () => {
    const body = rejected('9007199254740993001');
    for (const signature of [undefined, '', 'zz', sign(body, 'another secret'), sign(`${body} `)]) {
      const answer = await post(body, signature);
      expect(answer.status).toBe(401);
      expect(answer.body.code).toBe('hook_signature_wrong');
    }
    expect(await events('platform.ad_rejected')).toEqual([]);
  });

  it('counts once, however often it comes; ids beyond 2^53 stay what they are', async () => {
    const body = rejected('9007199254740993001');
    expect((await post(body, sign(body))).body).toEqual({ fresh: 1, repeated: 0, unknown: 0, events: 1 });
    expect((await post(body, sign(body))).body).toEqual({ fresh: 0, repeated: 1, unknown: 0, events: 0 });
    const [event] = await events('platform.ad_rejected');
    expect(event.payload).toMatchObject({ ad_id: '1812345678901234569', name: 'Größe', reason: 'Misleading' });
    expect(event.connection_id).toBe(connection);
  });

  it('of many at once in a race makes one event each', async () => {
    const body = rejected('9007199254740993777');
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => post(body, sign(body))));
    expect(outcomes.reduce((sum, { body: { fresh } }) => sum + fresh, 0)).toBe(1);
  });

  it('about an ad account that no connection reaches is kept without one; unknown kinds are counted', async () => {
    const body = '{"object":1,"entry":[{"id":"77","advertiser_id":"42","page_id":"5"}]}';
    await post(body, sign(body));
    const [event] = await events('platform.lead');
    expect(event).toMatchObject({ payload: { lead_id: '77', organization_ids: ['42'] } });
    expect(event.connection_id ?? null).toBeNull();
    const strange = '{"object":99,"entry":[{"a":1},{"b":2}]}';
    expect((await post(strange, sign(strange))).body).toMatchObject({ fresh: 0, unknown: 2 });
    const broken = '{';
    expect((await post(broken, sign(broken))).body.code).toBe('input_body_invalid');
  });

  it('to an unknown workspace, platform or environment tells nothing', async () => {
    const body = rejected('1');
    for (const path of ['000000000000000000000000/tiktokads/simulator', `${app.workspace.id}/tiktokads/production`]) {
      const answer = await fetch(`${app.url}/webhooks/${path}`, {
        method: 'POST',
        body,
        headers: { 'x-open-signature': sign(body) },
      });
      expect(((await answer.json()) as Json).code).toBe('integration_not_configured');
    }
    const platform = await fetch(`${app.url}/webhooks/${app.workspace.id}/nothing/simulator`, { method: 'POST', body });
    expect(((await platform.json()) as Json).code).toBe('integration_not_found');
  });
});

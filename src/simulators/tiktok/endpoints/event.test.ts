import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ok } from '../../../../test/support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../../../../test/support/tiktok-simulator.ts';

type Row = Record<string, unknown>;
type Sources = Record<'web' | 'app' | 'offline' | 'crm', string>;

// The official vectors of the Events API.
const EMAIL = '848a771458438fc2ec420560d769fb9b9b86851ee338ec56517baabd79d3bb4f';
const PHONE = '9f7ec22d72092cd3c0b58726ed9c2d91b92e51a3f29837508fb2948bb22dd2fd';

let tiktok: TestTikTok;
let sources: Sources;
let token = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  const ready = tiktok.running.ready as Row;
  sources = ready['event_source_ids'] as Sources;
  token = String(ready['events_access_token']);
});
afterAll(() => tiktok.close());
beforeEach(() => tiktok.control('DELETE', '/events'));

let serial = 0;
const event = (more: Row = {}): Row => ({
  event: 'Purchase',
  event_time: 1_769_040_000,
  event_id: `order-${++serial}`,
  user: { email: EMAIL, phone: [PHONE], ip: '203.0.113.1', user_agent: 'Mozilla/5.0' },
  page: { url: 'https://acme.test/thanks' },
  properties: { currency: 'USD', value: 46.5, contents: [{ content_id: '1', price: 8, quantity: 2 }] },
  ...more,
});
const track = (data: unknown, more: Row = {}, options = {}) =>
  tiktok.post('event/track', { event_source: 'web', event_source_id: sources.web, data, ...more }, options);
const counts = (id = sources.web) => tiktok.control('GET', `/events/sources/${id}`);

describe('event/track', () => {
  it('takes events of all four sources and answers nothing about single ones', async () => {
    expect(ok(await track([event(), event()]))).toEqual({});
    const app = { app_id: '343200656', app_name: 'Flying' };
    const user = { idfa: 'EA7583CD-A667-48BC-B806-42ECB2B48606', att_status: 'AUTHORIZED' };
    ok(
      await track([{ event: 'InstallApp', event_time: 1_769_040_000, user, app }], {
        event_source: 'app',
        event_source_id: sources.app,
      }),
    );
    ok(await track([event()], { event_source: 'offline', event_source_id: sources.offline }));
    const lead = { lead_id: '7429999999999999999', lead_event_source: 'Salesforce' };
    ok(
      await track([{ event: 'qualified_lead', event_time: 1_769_040_000, event_id: 'c-7', lead }], {
        event_source: 'crm',
        event_source_id: sources.crm,
      }),
    );
    expect(await counts()).toMatchObject({ accepted: 2, duplicates: 0, by_event: { Purchase: 2 } });
    expect(await counts(sources.app)).toMatchObject({ accepted: 1, without_id: 1 });
    expect(await counts(sources.offline)).toMatchObject({ accepted: 1 });
    expect(await counts(sources.crm)).toMatchObject({ accepted: 1, by_event: { qualified_lead: 1 } });
  });

  it('counts a source, name and id once, in one request or in two', async () => {
    const [first, second] = [event(), event()];
    ok(await track([first, second, first]));
    ok(await track([second]));
    ok(await track([{ ...second, event: 'AddToCart' }]));
    expect(await counts()).toMatchObject({
      accepted: 3,
      duplicates: 2,
      by_event: { Purchase: 2, AddToCart: 1 },
    });
    const answer = await tiktok.control('GET', `/events/accepted?event_source_id=${sources.web}`);
    expect(answer).toEqual({
      ids: { Purchase: [first['event_id'], second['event_id']], AddToCart: [second['event_id']] },
      total: 3,
      next: null,
    });
  });

  it('lists accepted ids page by page', async () => {
    const ids = Array.from({ length: 25 }, (_, i) => `page-${i}`);
    ok(await track(ids.map((event_id, i) => event({ event_id, event: i % 2 === 0 ? 'Purchase' : 'Search' }))));
    const seen: string[] = [];
    let next: number | null = 0;
    while (next !== null) {
      const page: { ids: Record<string, string[]>; next: number | null } = await tiktok.control(
        'GET',
        `/events/accepted?event_source_id=${sources.web}&offset=${next}&limit=7`,
      );
      seen.push(...Object.values(page.ids).flat());
      next = page.next;
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
    const only = await tiktok.control('GET', `/events/accepted?event_source_id=${sources.web}&event=Search`);
    expect(only.total).toBe(12);
  });

  it('keeps test events apart', async () => {
    const one = event();
    ok(await track([one], { test_event_code: 'TEST12345' }));
    expect(await counts()).toMatchObject({ accepted: 0, test_events: 1 });
    ok(await track([one]));
    expect(await counts()).toMatchObject({ accepted: 1, duplicates: 0, test_events: 1 });
    const { test_events } = await tiktok.control('GET', `/events/test?event_source_id=${sources.web}`);
    expect(test_events.at(-1)).toMatchObject({
      test_event_code: 'TEST12345',
      event: 'Purchase',
      event_id: one['event_id'],
      user_fields: ['email', 'phone', 'ip', 'user_agent'],
    });
  });

  it('refuses more than 1,000 events whole, and takes 1,000', async () => {
    const many = Array.from({ length: 1001 }, () => event());
    expect(await track(many)).toMatchObject({ code: 40002, message: expect.stringMatching(/^data: Longer/) });
    expect(await counts()).toMatchObject({ accepted: 0 });
    ok(await track(many.slice(1)));
    expect(await counts()).toMatchObject({ accepted: 1000 });
    expect(await track([])).toMatchObject({ code: 40002 });
  });

  it.each<[string, unknown, string]>([
    ['no time', { event_time: undefined }, 'Batch.1.event_time: Missing data for required field.'],
    ['no name', { event: undefined }, 'Batch.1.event: Missing data for required field.'],
    ['a time in milliseconds', { event_time: 1_769_040_000_000 }, 'Batch.1.event_time: '],
    ['a time as text', { event_time: '1769040000' }, 'Batch.1.event_time: Not a valid integer'],
    [
      'a product id as number',
      { properties: { contents: [{ content_id: 'a' }, { content_id: 5 }] } },
      'Batch.1.properties.contents.1.content_id: Not a valid string',
    ],
    ['a value as text', { properties: { value: '46.00' } }, 'Batch.1.properties.value: Not a valid number'],
    ['a currency that is none', { properties: { currency: 'usd' } }, 'Batch.1.properties.currency: Invalid value'],
    ['an e-mail that is no text', { user: { email: [EMAIL, 5] } }, 'Batch.1.user.email.1: Not a valid string'],
    ['a share above one', { ad: { attribution_share: 1.5 } }, 'Batch.1.ad.attribution_share: '],
    ['a page without address', { page: { referrer: 'https://acme.test' } }, 'Batch.1.page.url: Missing data'],
    ['a lead without id', { lead: { lead_event_source: 'HubSpot' } }, 'Batch.1.lead.lead_id: Missing data'],
  ])('%s refuses the whole request and is named by its place', async (_, more, message) => {
    const answer = await track([event(), event(more as Row)]);
    expect(answer.code).toBe(40002);
    expect(answer.message.slice(0, message.length)).toBe(message);
    expect(await counts()).toMatchObject({ accepted: 0 });
  });

  it('names an event that is no object', async () => {
    expect(await track([event(), 'Purchase'])).toMatchObject({ code: 40002, message: 'Batch.1: Not a valid object' });
  });

  it('refuses an unknown kind of source, and an app event without its app', async () => {
    expect(await track([event()], { event_source: 'shop' })).toMatchObject({ code: 40002 });
    const place = { event_source: 'app', event_source_id: sources.app };
    expect((await track([event()], place)).message).toMatch(/^Batch\.0\.app: Missing/);
  });

  it('is lenient by default and strict by a switch', async () => {
    const offline = { event_source: 'offline', event_source_id: sources.offline };
    const lax: [Row, Row, string][] = [
      [event({ page: undefined }), {}, 'Batch.0.page'],
      [event({ event: 'my_event' }), offline, 'Batch.0.event'],
      [event({ user: { external_id: EMAIL } }), offline, 'Batch.0.user'],
    ];
    for (const [item, place] of lax) ok(await track([item], place));
    await tiktok.control('PATCH', '/settings', { events_strict: true });
    for (const [item, place, path] of lax) {
      const answer = await track([item], place);
      expect([answer.code, answer.message.startsWith(path)]).toEqual([40002, true]);
    }
    ok(await track([event()]));
    await tiktok.control('PATCH', '/settings', { events_strict: false });
  });

  it('counts identifiers that are not hashed, takes them, and keeps none of them anywhere', async () => {
    ok(await track([event({ user: { email: ['alice@example.com', EMAIL], phone: EMAIL.toUpperCase() } })]));
    ok(await track([event({ user: { email: 'alice@example.com' } })], { test_event_code: 'T' }));
    expect(await counts()).toMatchObject({ accepted: 1, unhashed_values: 3 });
    const everything = await Promise.all(
      ['/log?limit=20000', '/events/sources', '/state', `/events/test?event_source_id=${sources.web}`].map((path) =>
        tiktok.control('GET', path),
      ),
    );
    expect(JSON.stringify(everything)).not.toMatch(/alice|848a7714/i);
  });

  it('limits one event source by a switch: 40132', async () => {
    await tiktok.control('PATCH', '/settings', { pixel_code_qps: 2, limits: 'on' });
    tiktok.running.clock.freeze(true);
    const answers = await Promise.all([1, 2, 3].map(() => track([event()], {}, { token })));
    expect(answers.map(({ code }) => code).toSorted()).toEqual([0, 0, 40132]);
    expect(answers.find(({ code }) => code === 40132)?.message).toBe(
      "The request QPS is limited by pixel_code's value.",
    );
    ok(await track([event()], { event_source: 'crm', event_source_id: sources.crm }, { token }));
    tiktok.running.clock.advance(1000);
    ok(await track([event()], {}, { token }));
    tiktok.running.clock.freeze(false);
    await tiktok.control('PATCH', '/settings', { pixel_code_qps: null, limits: 'off' });
  });
});

describe('who may report', () => {
  const denied = {
    code: 40001,
    message: expect.stringMatching(/^No permission to operate pixel code: \w+\. You must be an admin or operator/),
  };

  it('a token of the Events Manager reports events and does nothing else', async () => {
    ok(await track([event()], {}, { token }));
    ok(await track([event()], { event_source: 'crm', event_source_id: sources.crm }, { token }));
    const advertiser_id = tiktok.ready.advertiser_ids[0];
    expect((await tiktok.get('campaign/get', { advertiser_id }, { token })).code).toBe(40001);
    expect((await tiktok.get('pixel/list', { advertiser_id }, { token })).code).toBe(40001);
    expect((await tiktok.get('user/info', {}, { token })).code).toBe(40001);
  });

  it('a token of one ad account does not reach the pixel of another', async () => {
    const { sources: all } = await tiktok.control(
      'GET',
      `/events/sources?advertiser_id=${tiktok.ready.advertiser_ids[1]}`,
    );
    const { event_source_id } = all.find((row: Row) => row['event_source'] === 'web');
    expect(await track([event()], { event_source_id }, { token })).toMatchObject(denied);
    ok(await track([event()], { event_source_id }));
    expect(await track([event()], { event_source_id: 'CNOSUCHPIXEL' })).toMatchObject(denied);
  });

  it('its user must be admin or operator of the ad account', async () => {
    const { users } = await tiktok.control('GET', '/users');
    const account = tiktok.ready.advertiser_ids[0]!;
    const analyst = users.find((user: { roles: Row }) => user.roles[account] === 'ANALYST').id;
    const made = await tiktok.control('POST', '/events/tokens', { event_source_id: sources.web, user_id: analyst });
    expect(await track([event()], {}, { token: made.token })).toMatchObject(denied);
    await tiktok.control('PATCH', `/users/${analyst}`, { roles: { [account]: 'OPERATOR' } });
    ok(await track([event()], {}, { token: made.token }));
    await tiktok.control('PATCH', `/users/${analyst}`, { roles: { [account]: 'ANALYST' } });
  });

  it('a withdrawn or unknown token is 40105, none is 40104', async () => {
    const made = await tiktok.control('POST', '/events/tokens', { event_source_id: sources.web });
    ok(await track([event()], {}, { token: made.token }));
    await tiktok.control('POST', '/events/tokens/revoke', { token: made.token });
    expect(await track([event()], {}, { token: made.token })).toMatchObject({ code: 40105 });
    expect(await track([event()], {}, { token: 'f'.repeat(40) })).toMatchObject({ code: 40105 });
    expect(await track([event()], {}, { token: null })).toMatchObject({ code: 40104 });
  });

  it('an OAuth token needs a Measurement permission, of the right kind', async () => {
    const { access_token, app_id, secret } = tiktok.ready;
    const consent = async (scope: string[]) => {
      const { redirect_url } = await tiktok.control('POST', '/authorize', {
        app_id,
        redirect_uri: 'https://acme.test/callback',
        scope,
        advertiser_ids: [tiktok.ready.advertiser_ids[0]],
      });
      const auth_code = new URL(redirect_url).searchParams.get('auth_code');
      return ok(await tiktok.post('oauth2/access_token', { app_id, secret, auth_code })).access_token as string;
    };
    expect(access_token).toBeDefined();
    expect((await track([event()], {}, { token: await consent(['2', '4', '8']) })).code).toBe(40001);
    ok(await track([event()], {}, { token: await consent(['7224195155857866754']) }));
    const offline = await consent(['7043626160646946818']);
    expect(await track([event()], {}, { token: offline })).toMatchObject({ code: 40001 });
    ok(await track([event()], { event_source: 'offline', event_source_id: sources.offline }, { token: offline }));
  });

  it('the sandbox host has no events', async () => {
    expect(await track([event()], {}, { sandbox: true })).toMatchObject({ code: 40009 });
    expect(await track([event()], {}, { sandbox: true, token })).toMatchObject({ code: 40105 });
  });
});

describe('the first generation', () => {
  const legacy = (more: Row = {}): Row => ({
    event: 'CompletePayment',
    event_id: `legacy-${++serial}`,
    timestamp: '2026-09-17T19:49:27Z',
    context: {
      ad: { callback: 'E.C.P.v3' },
      page: { url: 'https://acme.test/purchase' },
      user: { email: EMAIL, phone_number: PHONE },
      ip: '203.0.113.7',
    },
    properties: { contents: [{ price: 8, quantity: 2, content_type: 'product', content_id: '1' }], value: 46 },
    ...more,
  });
  const pixel_code = () => sources.web;

  it('pixel/track takes one event, and shares ids with the second generation', async () => {
    const one = legacy();
    ok(await tiktok.post('pixel/track', { pixel_code: pixel_code(), ...one }));
    ok(await track([event({ event: 'CompletePayment', event_id: one['event_id'] })]));
    expect(await counts()).toMatchObject({ accepted: 1, duplicates: 1, unhashed_values: 0 });
  });

  it('pixel/batch takes 50', async () => {
    const batch = Array.from({ length: 51 }, () => legacy({ type: 'track' }));
    expect((await tiktok.post('pixel/batch', { pixel_code: pixel_code(), batch })).code).toBe(40002);
    ok(await tiktok.post('pixel/batch', { pixel_code: pixel_code(), batch: batch.slice(1) }, { token }));
    expect(await counts()).toMatchObject({ accepted: 50 });
    const wrong = [legacy(), legacy({ timestamp: 'yesterday' })];
    expect((await tiktok.post('pixel/batch', { pixel_code: pixel_code(), batch: wrong })).message).toBe(
      'Batch.1.timestamp: Not a valid datetime.',
    );
  });

  it('takes the empty event by which a client checks its credentials', async () => {
    ok(await tiktok.post('pixel/track', { pixel_code: pixel_code(), event: 'Test Event', timestamp: '', context: {} }));
    expect((await tiktok.post('pixel/track', { pixel_code: 'NOPE', event: 'Test Event' })).code).toBe(40001);
  });

  it('has app and offline forms', async () => {
    ok(await tiktok.post('app/track', { tiktok_app_id: sources.app, ...legacy({ event: 'Registration' }) }));
    ok(await tiktok.post('offline/batch', { event_set_id: sources.offline, batch: [legacy(), legacy()] }));
    expect(await counts(sources.app)).toMatchObject({ accepted: 1 });
    expect(await counts(sources.offline)).toMatchObject({ accepted: 2 });
  });
});

describe('the Events Manager', () => {
  it('makes a token, shows it once, and only to who may operate the source', async () => {
    const page = await (await tiktok.raw('/events_manager')).text();
    expect(page).toContain(sources.web);
    expect(page).not.toContain(token);
    const form = { method: 'POST', body: new URLSearchParams({ event_source_id: sources.web }) };
    const answer = await tiktok.raw('/events_manager', form);
    const made = /id="token">([0-9a-f]{40})</.exec(await answer.text())?.[1];
    ok(await track([event()], {}, { token: made! }));
    expect(await (await tiktok.raw('/events_manager')).text()).not.toContain(made);
    const { users } = await tiktok.control('GET', '/users');
    const analyst = users.find((user: { display_name: string }) => user.display_name === 'Ana Analyst').id;
    expect((await tiktok.raw(`/events_manager?user_id=${analyst}`, form)).status).toBe(403);
  });
});

it('what was accepted is there after a restart, and gone after a reset', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'polyad-events-'));
  const start = () => startTikTok({ dataDir });
  const body = { event_source: 'web', event_source_id: sources.web, data: [event({ event_id: 'kept' }), event()] };
  let own = await start();
  try {
    ok(await own.post('event/track', body));
    const before = await own.control('GET', `/events/sources/${sources.web}`);
    await own.close();
    own = await start();
    expect(await own.control('GET', `/events/sources/${sources.web}`)).toEqual(before);
    ok(await own.post('event/track', body));
    expect(await own.control('GET', `/events/sources/${sources.web}`)).toMatchObject({ accepted: 2, duplicates: 2 });
    await own.control('POST', '/reset');
    expect(await own.control('GET', `/events/sources/${sources.web}`)).toMatchObject({ accepted: 0, duplicates: 0 });
  } finally {
    await own.close();
    await rm(dataDir, { recursive: true });
  }
});

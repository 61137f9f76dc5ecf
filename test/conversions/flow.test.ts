/** Conversion events by HTTP, from the call to what TikTok's simulator has received. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../support/app.ts';
import { type ConversionWorld, fresh, openWorld } from './world.ts';

const ALICE = '848a771458438fc2ec420560d769fb9b9b86851ee338ec56517baabd79d3bb4f';
const PHONE = '9f7ec22d72092cd3c0b58726ed9c2d91b92e51a3f29837508fb2948bb22dd2fd';

let world: ConversionWorld;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());
beforeEach(async () => {
  await world.drain();
  await world.app.clearLog();
});

describe('one event', () => {
  it('is committed before it is answered, sent once, and its fate says so', async () => {
    const event = world.purchase({ value: '46.10', currency: 'USD' });
    const before = await world.received();
    const answer = await world.send(event);
    expect(answer.status).toBe(202);
    expect(answer.body.results).toEqual([
      { index: 0, destination_id: world.web.id, event_id: event.event_id, state: 'WAITING', id: expect.any(String) },
    ]);
    expect(answer.body.summary).toMatchObject({ total: 1, waiting: 1, refused: 0 });
    expect(await world.requests()).toBe(0);
    const { id } = answer.body.results[0];
    expect(await world.app.ok('GET', `/ads/${world.connection}/conversion/${id}`)).toMatchObject({
      ...{ id, state: 'WAITING', event: 'Purchase', event_id: event.event_id, occurred_at: event.occurred_at },
    });
    await world.drain();
    expect(await world.fateOf(event.event_id)).toMatchObject({ state: 'ACCEPTED', id });
    expect((await world.received()).accepted).toBe(before.accepted + 1);
    expect(await world.requests()).toBe(1);
    await world.drain();
    expect(await world.requests()).toBe(1);
  });

  it('leaves no content behind once it is accepted', async () => {
    await world.send(world.purchase({ user: { email: 'nobody@example.com', ip_address: '203.0.113.9' } }));
    await world.drain();
    const { db } = world.app.app.store;
    const chunks = await db
      .selectFrom('conversion_chunks')
      .select('payload')
      .where('payload', 'is not', null)
      .execute();
    const events = await db
      .selectFrom('conversion_events')
      .select('payload')
      .where('payload', 'is not', null)
      .execute();
    expect([...chunks, ...events]).toEqual([]);
  });

  it('is refused by name when the platform’s rules refuse it, and is not kept', async () => {
    const event = world.purchase({ user: { phone: '030 9876 5432' } });
    const answer = await world.send(event);
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: 'input_value_invalid', details: { field: 'user.phone' } });
    expect(JSON.stringify(answer.body)).not.toContain('9876');
    expect(await world.fates(`event_id=${event.event_id}`)).toEqual([]);
  });

  it('without a destination to go to is an error that names those there are', async () => {
    const answer = await world.app.call(
      'POST',
      `/ads/${world.connection}/conversion?destination_id=nope`,
      world.purchase(),
    );
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      code: 'conversion_destination_required',
      details: { destinations: [{ id: world.web.id, source: 'WEB', source_id: world.sources.web }] },
    });
  });
});

describe('the native form', () => {
  const native = async (event: Json, destination?: string): Promise<Json> => {
    const answer = await world.send(event, destination, '&dry_run=true');
    expect(answer.status).toBe(200);
    expect(answer.body.dry_run.requests).toHaveLength(1);
    return answer.body.dry_run.requests[0].body;
  };
  const at = (): { occurred_at: string; event_time: number } => ({
    occurred_at: world.app.now().toISOString(),
    event_time: Math.floor(world.app.now().getTime() / 1000),
  });

  it('of a web event is that of TikTok’s own example', async () => {
    const { occurred_at, event_time } = at();
    const body = await native({
      event: 'PURCHASE',
      event_id: 'ord_991',
      occurred_at,
      user: {
        email: ' Alice_ABC@gmail.com ',
        phone: '+1 (213) 373-4253',
        click_ids: { ttclid: 'E.C.P.v3fQ2R', fbclid: 'not-for-this-platform' },
        browser_ids: { ttp: '94e2a4j9-h3ss-k2h5-98cc-c84n745mk09d' },
        ip_address: '203.0.113.1',
        user_agent: 'Mozilla/5.0',
      },
      page: { url: 'https://acme.test/thanks?ttclid=E.C.P.v3fQ2R', referrer: 'https://acme.test/cart' },
      currency: 'USD',
      value: '46.00',
      content_type: 'PRODUCT',
      order_id: 'ord_991',
      contents: [{ id: '1077218', name: 'running shoes', price: '8', quantity: 2 }],
    });
    expect(body).toEqual({
      event_source: 'web',
      event_source_id: world.sources.web,
      partner_name: 'polyad',
      data: [
        {
          event: 'Purchase',
          event_time,
          event_id: 'ord_991',
          user: {
            email: ALICE,
            phone: PHONE,
            ttclid: 'E.C.P.v3fQ2R',
            ttp: '94e2a4j9-h3ss-k2h5-98cc-c84n745mk09d',
            ip: '203.0.113.1',
            user_agent: 'Mozilla/5.0',
          },
          page: { url: 'https://acme.test/thanks?ttclid=E.C.P.v3fQ2R', referrer: 'https://acme.test/cart' },
          properties: {
            currency: 'USD',
            value: 46,
            content_type: 'product',
            order_id: 'ord_991',
            contents: [{ content_id: '1077218', content_name: 'running shoes', price: 8, quantity: 2 }],
          },
          limited_data_use: false,
        },
      ],
    });
    expect(await world.fates('event_id=ord_991')).toEqual([]);
    await world.drain();
    expect(await world.requests()).toBe(0);
  });

  it('of an app event names the ad group as ad_id and the ad as creative_id, and leaves device ids readable', async () => {
    const destination = await world.destination('app');
    const { occurred_at } = at();
    const body = await native(
      {
        event: 'INSTALL',
        event_id: 'i-1',
        occurred_at,
        device: { idfa: 'ea7583cd-a667-48bc-b806-42ecb2b48606', att_status: 'AUTHORIZED' },
        app: { id: '343200656', name: 'Flying', version: '3.0.2' },
        ad: { campaign_id: '1', group_id: '2', ad_id: '3', attributed: true, is_retargeting: false },
      },
      destination.id,
    );
    expect(body.event_source).toBe('app');
    expect(body.data[0]).toMatchObject({
      event: 'InstallApp',
      user: { idfa: 'EA7583CD-A667-48BC-B806-42ECB2B48606', att_status: 'AUTHORIZED' },
      app: { app_id: '343200656', app_name: 'Flying', app_version: '3.0.2' },
      ad: { campaign_id: '1', ad_id: '2', creative_id: '3', attributed: true, is_retargeting: false },
    });
  });

  it('of offline and CRM events follows their own rules', async () => {
    const offline = await world.destination('offline');
    const crm = await world.destination('crm');
    const { occurred_at } = at();
    const base = { event_id: 'o-1', occurred_at };
    const body = await native({ ...base, event: 'PURCHASE', user: { phone: PHONE }, shop_id: '12' }, offline.id);
    expect(body.data[0]).toEqual({
      ...{ event: 'Purchase', event_time: at().event_time, event_id: 'o-1' },
      ...{ user: { phone: PHONE }, properties: { shop_id: '12' } },
    });
    const lead = { id: '7429999999999999999', source: 'Salesforce' };
    const own = await native({ ...base, event: 'qualified_lead', lead }, crm.id);
    expect(own.data[0]).toMatchObject({
      event: 'qualified_lead',
      lead: { lead_id: '7429999999999999999', lead_event_source: 'Salesforce' },
    });
    for (const [destination, event, code] of [
      [offline, { event: 'PURCHASE' }, 'input_field_required'],
      [offline, { event: 'my_own', user: { email: ALICE } }, 'input_value_unsupported'],
      [offline, { event: 'PURCHASE', user: { email: ALICE, ip_address: '203.0.113.1' } }, 'input_field_unsupported'],
      [crm, { event: 'PURCHASE', lead }, 'input_value_unsupported'],
      [crm, { event: 'qualified_lead' }, 'input_field_required'],
    ] as const) {
      const answer = await world.send({ ...base, ...event }, destination.id);
      expect([answer.status, answer.body.code]).toEqual([422, code]);
    }
  });

  it('takes members that this shape lacks as raw, but none past the rules', async () => {
    const event = { ...world.purchase(), raw: { properties: { delivery_category: 'home' } } };
    expect((await native(event)).data[0].properties).toEqual({ delivery_category: 'home' });
    for (const raw of [{ user: { email: 'plain@example.com' } }, { event_time: 1 }, { user: 'x' }]) {
      const answer = await world.send({ ...world.purchase(), raw });
      expect([answer.status, answer.body.code]).toEqual([422, 'input_value_invalid']);
    }
  });
});

describe('many events', () => {
  it('go in batches of a thousand', async () => {
    const events = Array.from({ length: 2_500 }, () => world.purchase());
    const before = await world.received();
    for (let start = 0; start < events.length; start += 500)
      expect((await world.send({ events: events.slice(start, start + 500) })).body.summary.waiting).toBe(500);
    await world.drain();
    expect((await world.received()).accepted).toBe(before.accepted + 2_500);
    expect(await world.requests()).toBe(3);
  });

  it('of many callers at once share batches and commits', async () => {
    const before = await world.received();
    await Promise.all(Array.from({ length: 60 }, () => world.send(world.purchase())));
    await world.drain();
    expect((await world.received()).accepted).toBe(before.accepted + 60);
    expect(await world.requests()).toBe(1);
    const { db } = world.app.app.store;
    const { n } = await db
      .selectFrom('conversion_chunks')
      .select((eb) => eb.fn.countAll<string>().as('n'))
      .where('count', '>', 0)
      .executeTakeFirstOrThrow();
    expect(Number(n)).toBeLessThan(60);
  });

  it('are all refused when one is malformed, by its position', async () => {
    const events = [world.purchase(), world.purchase({ value: 'ten', currency: 'USD' })];
    const answer = await world.send({ events });
    expect(answer.status).toBe(400);
    expect(answer.body.details.issues[0].path).toBe('events.1.value');
    expect(await world.fates(`event_id=${events[0].event_id}`)).toEqual([]);
  });

  it('have each their own fate where rules of the platform refuse some', async () => {
    const good = world.purchase();
    const bad = world.purchase({ user: { phone: '12' } });
    const answer = await world.send({ events: [good, bad] });
    expect(answer.status).toBe(202);
    expect(answer.body.summary).toMatchObject({ total: 2, waiting: 1, refused: 1 });
    expect(answer.body.results[1]).toMatchObject({ state: 'REFUSED', error: { code: 'input_value_invalid' } });
    expect(await world.fateOf(bad.event_id)).toMatchObject({ state: 'REFUSED', reason_code: 'input_value_invalid' });
    // Corrected under the same id it is the same event.
    const again = await world.send({ ...bad, user: { phone: '+12133734253' } });
    expect(again.body.results[0].state).toBe('WAITING');
    await world.drain();
    expect(await world.fateOf(bad.event_id)).toMatchObject({ state: 'ACCEPTED' });
    expect(await world.fates(`event_id=${bad.event_id}`)).toHaveLength(1);
  });

  it('go to several destinations in one call, each with a fate of its own', async () => {
    const [offline] = await world.app.ok('GET', '/v1/conversion_destinations?source=OFFLINE');
    const event = world.purchase({ page: { url: 'https://acme.test/' } });
    const plain = world.purchase();
    const answer = await world.app.call('POST', '/v1/conversions', {
      events: [event, plain],
      destination_ids: [world.web.id, offline.id],
    });
    expect(answer.status).toBe(202);
    expect(answer.body.results.map(({ index, destination_id, state }: Json) => [index, destination_id, state])).toEqual(
      [
        [0, world.web.id, 'WAITING'],
        [0, offline.id, 'REFUSED'],
        [1, world.web.id, 'WAITING'],
        [1, offline.id, 'WAITING'],
      ],
    );
    await world.drain();
    const fates = await world.app.ok('GET', `/v1/conversions?event_id=${plain.event_id}`);
    expect(fates.map(({ state }: Json) => state)).toEqual(['ACCEPTED', 'ACCEPTED']);
    expect((await world.received('offline')).accepted).toBe(1);
  });
});

describe('the same event again', () => {
  it('is counted once, in one call, in several, at once and after it was accepted', async () => {
    const event = world.purchase();
    const before = await world.received();
    const twice = await world.send({ events: [event, event] });
    expect(twice.body.results.map(({ state }: Json) => state)).toEqual(['WAITING', 'DUPLICATE']);
    const many = await Promise.all(Array.from({ length: 5 }, () => world.send(event)));
    expect(many.every(({ body }) => body.results[0].state === 'DUPLICATE')).toBe(true);
    await world.drain();
    const late = await world.send(event);
    expect(late.body.results[0]).toMatchObject({ state: 'DUPLICATE', id: twice.body.results[0].id });
    await world.drain();
    expect(await world.fateOf(event.event_id)).toMatchObject({ state: 'ACCEPTED', duplicates: 7 });
    const after = await world.received();
    expect([after.accepted - before.accepted, after.duplicates - before.duplicates]).toEqual([1, 0]);
  });

  it('is another event under another name or at another destination', async () => {
    const id = fresh();
    await world.send({
      events: [world.purchase({ event_id: id }), world.purchase({ event_id: id, event: 'SUBSCRIBE' })],
    });
    await world.drain();
    expect((await world.fates(`event_id=${id}`)).map(({ state }) => state)).toEqual(['ACCEPTED', 'ACCEPTED']);
  });
});

describe('test codes', () => {
  it('show events in the test view, where they count for nothing', async () => {
    const before = await world.received();
    const tested = world.purchase({ test_code: 'TEST123' });
    await world.send({ events: [tested, world.purchase()] });
    await world.drain();
    const after = await world.received();
    expect(after.accepted).toBe(before.accepted + 1);
    expect(after.test_events).toBe(before.test_events + 1);
    expect(await world.requests()).toBe(2);
    expect(await world.fateOf(tested.event_id)).toMatchObject({ state: 'ACCEPTED', test_code: 'TEST123' });
    const seen = await world.app.control('GET', `/events/test?event_source_id=${world.sources.web}`);
    expect(seen.test_events).toMatchObject([
      { test_event_code: 'TEST123', event: 'Purchase', event_id: tested.event_id },
    ]);
  });
});

describe('consent', () => {
  it('that is denied keeps an event here', async () => {
    const event = world.purchase({ consent: { ad_user_data: 'DENIED' } });
    const answer = await world.send(event);
    expect(answer.body.results[0]).toMatchObject({ state: 'WITHHELD', error: { code: 'conversion_consent_missing' } });
    await world.drain();
    expect(await world.requests()).toBe(0);
    expect(await world.fateOf(event.event_id)).toMatchObject({
      state: 'WITHHELD',
      reason_code: 'conversion_consent_missing',
    });
    expect((await world.send({ ...event, consent: { ad_user_data: 'GRANTED' } })).body.results[0].state).toBe(
      'WAITING',
    );
  });

  it('that limits is told to the platform, or the event is withheld where it cannot be', async () => {
    const event = world.purchase({ consent: { limited_data_use: true } });
    const shown = await world.send(event, world.web.id, '&dry_run=true');
    expect(shown.body.results[0].native.limited_data_use).toBe(true);
    const [offline] = await world.app.ok('GET', '/v1/conversion_destinations?source=OFFLINE');
    expect((await world.send(event, offline.id)).body.results[0].state).toBe('WITHHELD');
  });

  it('is wanted in so many words where the destination says so', async () => {
    await world.app.ok('PATCH', `/v1/conversion_destinations/${world.web.id}`, { require_consent: true });
    expect((await world.send(world.purchase())).body.results[0].state).toBe('WITHHELD');
    const granted = await world.send(world.purchase({ consent: { ad_user_data: 'GRANTED' } }));
    expect(granted.body.results[0].state).toBe('WAITING');
    await world.app.ok('PATCH', `/v1/conversion_destinations/${world.web.id}`, { require_consent: false });
  });
});

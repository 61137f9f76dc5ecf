/** Spend guards over HTTP, and the ways around them. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Json, startTestApp, type TestApp } from '../support/app.ts';

let polyad: TestApp;
let connection: string;
let organization: string;
let yen: string;

beforeAll(async () => {
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual' });
  [organization] = polyad.simulator.ready['advertiser_ids'] as [string];
  connection = (await polyad.connect()).get('id') as string;
  const accounts: Json[] = await polyad.ok('GET', `/ads/${connection}/organization`);
  yen = accounts.find(({ currency }) => currency === 'JPY').id;
});
afterAll(() => polyad.close());
beforeEach(() => polyad.clearLog());

const campaign = (name: string, more: Json = {}): Json => ({
  organization_id: organization,
  name,
  goal: 'WEBSITE_TRAFFIC',
  budget_amount: 100,
  budget_period: 'DAILY',
  ...more,
});
const bulk = (items: Json[]) => polyad.call('POST', `/v1/bulk/${connection}/campaign`, { items });
const sent = async (path: string): Promise<Json[]> => polyad.requests(path);

describe('spend guards', () => {
  const guard = (rules: Json) => polyad.call('PUT', '/v1/spend_guards', rules);
  const create = (more: Json, query = '') =>
    polyad.call('POST', `/ads/${connection}/campaign${query}`, campaign('Guarded', more));
  afterEach(async () => {
    await polyad.ok('DELETE', '/v1/spend_guards');
    await polyad.ok('DELETE', `/v1/spend_guards?integration_type=tiktokads&organization_id=${organization}`);
  });

  it('are stored as they are set, per workspace and ad account', async () => {
    expect(await polyad.ok('GET', '/v1/spend_guards')).toEqual([]);
    await guard({ max_daily_budget: { USD: '250.50', JPY: 30000 }, create_paused: true });
    const own = { integration_type: 'tiktok', organization_id: organization, max_increase_percent: 20 };
    expect((await guard(own)).body).toMatchObject({ integration_type: 'tiktokads', max_increase_percent: 20 });
    expect(await polyad.ok('GET', '/v1/spend_guards')).toMatchObject([
      { max_daily_budget: { USD: '250.5', JPY: '30000' }, create_paused: true },
      { integration_type: 'tiktokads', organization_id: organization },
    ]);
    for (const wrong of [
      { max_daily_budget: { usd: 1 } },
      { max_daily_budget: {} },
      { max_daily_budget: { USD: -1 } },
      { organization_id: organization },
      { max: 1 },
    ])
      expect((await guard(wrong)).status).toBe(400);
  });

  it('refuse budgets over the limit before anything is sent, dry runs too', async () => {
    await guard({ max_daily_budget: { USD: 200 }, max_total_budget: { USD: 5_000 } });
    for (const query of ['', '?dry_run=true']) {
      const over = await create({ budget_amount: 200.01 }, query);
      expect(over).toMatchObject({
        status: 403,
        body: {
          code: 'spend_guard_exceeded',
          actor: 'operator',
          details: { rule: 'max_daily_budget', limit: '200', amount: '200.01', currency: 'USD', guard: 'workspace' },
        },
      });
    }
    const total = await create({ budget_amount: 5_001, budget_period: 'LIFETIME' });
    expect(total.body.details).toMatchObject({ rule: 'max_total_budget' });
    // Native members do not get around it.
    const raw = await create({
      budget_amount: undefined,
      budget_period: undefined,
      raw: { budget: 900, budget_mode: 'BUDGET_MODE_DAY' },
    });
    expect(raw.body.code).toBe('spend_guard_exceeded');
    expect(await sent('campaign/create')).toEqual([]);
    expect((await create({ budget_amount: 200 })).status).toBe(200);
  });

  it('refuse changes that add too much', async () => {
    const { body } = await create({ budget_amount: 100 });
    await guard({ integration_type: 'tiktokads', organization_id: organization, max_increase_percent: 50 });
    const change = (amount: number) =>
      polyad.call('PATCH', `/ads/${connection}/campaign/${body.id}`, { budget_amount: amount });
    expect(await change(151)).toMatchObject({
      status: 403,
      body: {
        code: 'spend_guard_exceeded',
        details: { rule: 'max_increase_percent', current: '100', guard: 'organization' },
      },
    });
    // Rounded away from the limit: it must not read as if the change were within it.
    expect((await change(150.01)).body.message).toContain('(+50.01 %) is more than the 50 %');
    expect((await change(150)).status).toBe(200);
    expect((await change(60)).status).toBe(200);
    expect((await change(91)).body.details).toMatchObject({ current: '60', limit: '90' });
    const inBulk = await bulk([{ method: 'update', id: body.id, body: { budget_amount: 500 } }]);
    expect(inBulk.body.results[0].error.code).toBe('spend_guard_exceeded');
    expect((await polyad.call('PATCH', `/ads/${connection}/campaign/${body.id}`, { name: 'Renamed' })).status).toBe(
      200,
    );
  });

  it('refuse currencies they do not name', async () => {
    await guard({ max_daily_budget: { USD: 200 } });
    const over = await create({ organization_id: yen, budget_amount: 20_000 });
    expect(over).toMatchObject({ status: 403, body: { code: 'spend_guard_currency', details: { currency: 'JPY' } } });
  });

  it('make new objects paused unless the caller says otherwise', async () => {
    await guard({ create_paused: true });
    expect((await create({})).body.status).toBe('PAUSED');
    expect((await create({ status: 'ACTIVE' })).body.status).toBe('ACTIVE');
    expect((await create({}, '?dry_run=true')).body).toMatchObject({ status: 'PAUSED' });
    await guard({ integration_type: 'tiktokads', organization_id: organization, create_paused: false });
    expect((await create({})).body.status).toBe('ACTIVE');
  });

  it('are not got around by taking a budget away', async () => {
    const { body } = await create({ budget_amount: 100 });
    await guard({ max_increase_percent: 50 });
    const change = (more: Json) => polyad.call('PATCH', `/ads/${connection}/campaign/${body.id}`, more);
    await polyad.clearLog();
    for (const more of [
      { raw: { budget: null } },
      { raw: { budget: 0 } },
      { raw: { budget: '0' } },
      { budget_amount: 0 },
    ])
      expect(await change(more)).toMatchObject({
        status: 403,
        body: { code: 'spend_guard_exceeded', details: { rule: 'max_increase_percent', current: '100' } },
      });
    // What cannot be judged is not let through.
    for (const budget of [[900], { amount: 900 }, '0x384', '9,000'])
      expect(await change({ raw: { budget } })).toMatchObject({
        status: 422,
        body: { code: 'input_value_invalid', details: { field: 'raw.budget' } },
      });
    expect(await sent('campaign/update')).toEqual([]);
  });

  it('are not got around by copies', async () => {
    const lifetime = (await create({ budget_amount: 5_000, budget_period: 'LIFETIME' })).body.id;
    const daily = (await create({ budget_amount: 100 })).body.id;
    const none = (await create({ budget_amount: undefined, budget_period: undefined })).body.id;
    const places: Json[] = await polyad.ok('GET', `/ads/${connection}/target?org_id=${organization}&type=COUNTRY`);
    await polyad.ok('POST', `/ads/${connection}/group`, {
      ...{ campaign_id: none, name: 'Below', optimization_goal: 'LINK_CLICKS', budget_amount: 70 },
      ...{ budget_period: 'DAILY', targeting: { geographic: { countries: [{ id: places[0].id }] } } },
    });
    const copy = (of: string, more: Json = {}) =>
      polyad.call('POST', `/ads/${connection}/campaign_copy`, {
        ...{ organization_id: organization, campaign_id: of, name: 'Copy', ...more },
      });
    await guard({ max_total_budget: { USD: 6_000 } });
    for (const more of [{ budget_amount: 100_000 }, { raw: { budget: 100_000 } }])
      expect((await copy(lifetime, more)).body).toMatchObject({
        code: 'spend_guard_exceeded',
        details: { rule: 'max_total_budget' },
      });
    // A copy has the budgets of what it copies.
    await guard({ max_daily_budget: { USD: 60 } });
    for (const of of [daily, none])
      expect((await copy(of)).body).toMatchObject({
        code: 'spend_guard_exceeded',
        details: { rule: 'max_daily_budget' },
      });
    expect(await sent('campaign/copy/task/create')).toEqual([]);
    expect((await copy(daily, { budget_amount: 60 })).status).toBe(200);
    expect((await copy(lifetime)).status).toBe(200);
  });

  it('leave a row in the audit log when they refuse', async () => {
    await guard({ max_daily_budget: { USD: 60 } });
    await create({ budget_amount: 61 });
    const { body } = await polyad.call('GET', '/v1/audit?action=createAdsCampaign');
    const rows: Json[] = String(body)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.at(-1)).toMatchObject({ outcome: 'spend_guard_exceeded', details: { asked: { budget_amount: 61 } } });
  });
});

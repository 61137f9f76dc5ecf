/** Ad accounts and campaigns of TikTok, written and read back over HTTP against the simulator. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makersOf } from './support/makers.ts';
import { startWorld, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.sent.length = 0;
});
const { later, failure, operations, body, campaignOf } = makersOf(() => world);

describe('ad accounts', () => {
  it('lists what the customer ticked, with currency, zone and Business Center', async () => {
    const list = await world.list('organization');
    expect(list.map(({ id }) => id).sort()).toEqual([...world.simulator.ready.advertiser_ids].sort());
    const japan = list.find(({ name }) => name === 'Acme Japan');
    expect(japan).toMatchObject({ currency: 'JPY', timezone: 'Asia/Tokyo', status: 'ACTIVE' });
    expect(japan.parent_id).toMatch(/^\d{19}$/);
    expect(list.find(({ name }) => name === 'Acme Outlet').status).toBe('PAUSED');
    expect(operations()).toEqual(['oauth2/advertiser/get', 'advertiser/info']);
    expect(world.sent[0]?.appParams).toEqual({ app_id: 'client_id', secret: 'client_secret' });
  });

  it('finds one by id, and none by an id it does not have', async () => {
    expect(await world.get('organization', world.organization)).toMatchObject({ id: world.organization });
    expect((await failure(world.get('organization', '123'))).code).toBe('platform_not_found');
  });

  it('knows in the sandbox what came with the token, and asks nothing', async () => {
    const list = await world.list('organization', {}, 'sandbox');
    expect(list).toEqual([
      { id: world.simulator.ready.sandbox_advertiser_id, account_number: world.simulator.ready.sandbox_advertiser_id },
    ]);
    expect(world.sent).toEqual([]);
  });
});

describe('campaigns', () => {
  it('reads back field by field what was written', async () => {
    const written = {
      organization_id: world.organization,
      name: 'Ünïcode – キャンペーン',
      goal: 'SALES',
      budget_amount: 100.5,
      budget_period: 'DAILY',
      status: 'PAUSED',
      category: 'HOUSING,CREDIT',
    };
    const created = await world.create('campaign', written);
    expect(created).toMatchObject({ ...written, currency: 'USD', effective_status: 'PAUSED' });
    expect(await world.get('campaign', created.id)).toEqual(created);
    expect(created.created_at).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(body('campaign/create')).toMatchObject({
      advertiser_id: world.organization,
      objective_type: 'WEB_CONVERSIONS',
      budget: 100.5,
      budget_mode: 'BUDGET_MODE_DAY',
      operation_status: 'DISABLE',
      special_industries: ['HOUSING', 'CREDIT'],
    });
    expect(body('campaign/create').request_id).toMatch(/^\d+$/);
  });

  it.each([
    ['Acme Japan', 'JPY', 5_000],
    ['Acme Kuwait', 'KWD', 100.125],
  ])('takes and gives money of %s in whole and thousandth units (%s)', async (name, currency, budget_amount) => {
    const { id: organization_id } = (await world.list('organization')).find((one) => one.name === name);
    const created = await campaignOf({ organization_id, budget_amount, budget_period: 'LIFETIME' });
    expect(created).toMatchObject({ currency, budget_amount, budget_period: 'LIFETIME' });
    expect((await world.get('campaign', created.id)).budget_amount).toBe(budget_amount);
    const fine = await failure(
      campaignOf({ organization_id, budget_amount: budget_amount + 0.0005, budget_period: 'LIFETIME' }),
    );
    expect(fine.code).toBe('input_value_invalid');
  });

  it('has no budget members when there is no budget, and needs both or none', async () => {
    const created = await campaignOf();
    expect(created).not.toHaveProperty('budget_amount');
    expect(created).not.toHaveProperty('budget_period');
    expect((await failure(campaignOf({ budget_amount: 100 }))).details).toEqual({ missing: ['budget_period'] });
    expect((await failure(campaignOf({ budget_period: 'DAILY' }))).details).toEqual({ missing: ['budget_amount'] });
  });

  it('changes only what was sent, and refuses what TikTok fixes at creation', async () => {
    const created = await campaignOf({ budget_amount: 100, budget_period: 'DAILY' });
    world.sent.length = 0;
    const changed = await world.update('campaign', created.id, { name: 'Renamed' });
    expect(body('campaign/update')).toEqual({
      advertiser_id: world.organization,
      campaign_id: created.id,
      campaign_name: 'Renamed',
    });
    const { updated_at: _a, ...rest } = changed;
    const { updated_at: _b, ...before } = created;
    expect(rest).toEqual({ ...before, name: 'Renamed' });
    expect(await failure(world.update('campaign', created.id, { goal: 'SALES' }))).toMatchObject({
      code: 'input_field_immutable',
      details: { field: 'goal' },
    });
    expect((await failure(world.update('campaign', created.id, { budget_period: 'LIFETIME' }))).code).toBe(
      'input_field_immutable',
    );
  });

  it('takes back the whole object as it was read', async () => {
    const created = await campaignOf({ budget_amount: 100, budget_period: 'DAILY' });
    const read = await world.get('campaign', created.id, { fields: 'raw' });
    const whole = { ...created, raw: read.raw, name: 'Renamed' };
    expect((await world.update('campaign', created.id, whole)).name).toBe('Renamed');
  });

  it('pauses before it changes, and activates after', async () => {
    const { id } = await campaignOf({ budget_amount: 100, budget_period: 'DAILY' });
    world.sent.length = 0;
    expect(await world.update('campaign', id, { status: 'PAUSED', budget_amount: 120 })).toMatchObject({
      status: 'PAUSED',
      budget_amount: 120,
    });
    expect(operations()).toEqual(['campaign/status/update', 'campaign/update', 'campaign/get']);
    world.sent.length = 0;
    expect((await world.update('campaign', id, { status: 'ACTIVE', budget_amount: 130 })).status).toBe('ACTIVE');
    expect(operations()).toEqual(['campaign/update', 'campaign/status/update', 'campaign/get']);
    expect(await failure(world.update('campaign', id, { status: 'ARCHIVED' }))).toMatchObject({
      code: 'input_value_unsupported',
      details: { allowed: ['ACTIVE', 'PAUSED'] },
    });
  });

  it('says what is changed when the rest is refused', async () => {
    const { id } = await campaignOf({ budget_amount: 100, budget_period: 'DAILY' });
    expect(await failure(world.update('campaign', id, { status: 'PAUSED', budget_amount: 1 }))).toMatchObject({
      code: 'platform_rejected',
      message: expect.stringContaining('Changed before that: `operation_status`.'),
      details: { applied: ['operation_status'] },
      platform: { code: '40002' },
    });
    const alone = await failure(world.update('campaign', id, { status: 'ACTIVE', budget_amount: 1 }));
    expect(alone.details).not.toHaveProperty('applied');
    expect(await world.get('campaign', id)).toMatchObject({ status: 'PAUSED', budget_amount: 100 });
  });

  it('removes softly: gone from lists, still found by id', async () => {
    const { id } = await campaignOf({ name: 'Short life' });
    await world.remove('campaign', id);
    expect(body('campaign/status/update')).toMatchObject({ campaign_ids: [id], operation_status: 'DELETE' });
    expect(await world.get('campaign', id)).toMatchObject({ status: 'ARCHIVED', effective_status: 'REMOVED' });
    const listed = async (query: Record<string, string>) =>
      (await world.list('campaign', { org_id: world.organization, limit: '1000', ...query })).map((one) => one.id);
    expect(await listed({})).not.toContain(id);
    expect(await listed({ status: 'ARCHIVED' })).toContain(id);
    expect(await listed({ effective_status: 'REMOVED' })).toContain(id);
    expect((await failure(world.get('campaign', 'no-number'))).code).toBe('platform_not_found');
  });

  it('honours every filter it declares', async () => {
    const leads = await campaignOf({ name: 'Zebra leads', goal: 'LEADS', status: 'PAUSED' });
    const query = { org_id: world.organization, limit: '1000' };
    const ids = async (more: Record<string, string>) =>
      (await world.list('campaign', { ...query, ...more })).map(({ id }) => id);
    expect(await ids({ query: 'zebra' })).toEqual([leads.id]);
    expect(await ids({ goal: 'LEADS' })).toContain(leads.id);
    expect(await ids({ goal: 'SALES' })).not.toContain(leads.id);
    expect(await ids({ status: 'PAUSED' })).toContain(leads.id);
    expect(await ids({ status: 'ACTIVE' })).not.toContain(leads.id);
    expect(await ids({ effective_status: 'PAUSED' })).toContain(leads.id);
    expect(await ids({ updated_gte: leads.updated_at })).toContain(leads.id);
    expect(await ids({ updated_gte: later(1) })).toEqual([]);
    expect(await ids({ end_lt: '2020-01-01T00:00:00Z' })).toEqual([]);
  });

  it('pages: every object once, whatever the window', async () => {
    const query = { org_id: world.organization };
    const all = (await world.list('campaign', { ...query, limit: '1000' })).map(({ id }) => id);
    expect(all.length).toBeGreaterThan(5);
    const windows: string[] = [];
    for (let offset = 0; offset < all.length + 3; offset += 3)
      windows.push(
        ...(await world.list('campaign', { ...query, limit: '3', offset: String(offset) })).map(({ id }) => id),
      );
    expect(windows).toEqual(all);
  });

  it('shows what would be sent without sending it', async () => {
    const dry = await world.create(
      'campaign',
      { organization_id: world.organization, name: 'Dry', goal: 'APP_PROMOTION' },
      { dryRun: true },
    );
    expect(dry.raw).toMatchObject({
      objective_type: 'APP_PROMOTION',
      app_promotion_type: 'APP_INSTALL',
      budget_mode: 'BUDGET_MODE_INFINITE',
    });
    expect(operations()).not.toContain('campaign/create');
  });
});

/** Ad accounts, campaigns, ad groups and ads of TikTok, written and read back over HTTP against the simulator. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Any, startWorld, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.sent.length = 0;
});

/** An hour or more from the simulator's now, whole seconds, in the form the module answers. */
const later = (hours: number): string =>
  `${new Date(world.simulator.running.clock.now().getTime() + hours * 3_600_000).toISOString().slice(0, 19)}Z`;
const failure = async (work: Promise<unknown>): Promise<Any> => {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was refused');
};
const operations = (): string[] => world.sent.map(({ operation }) => operation);
const body = (operation: string): Any => world.sent.find((request) => request.operation === operation)?.json;
const campaignOf = (more: Any = {}): Promise<Any> =>
  world.create('campaign', {
    organization_id: world.organization,
    name: 'US – Sales',
    goal: 'WEBSITE_TRAFFIC',
    ...more,
  });
const groupOf = async (more: Any = {}): Promise<Any> =>
  world.create('group', {
    campaign_id: more.campaign_id ?? (await campaignOf()).id,
    organization_id: world.organization,
    name: 'US 25-44',
    optimization_goal: 'LINK_CLICKS',
    budget_amount: 50,
    budget_period: 'DAILY',
    start_at: later(1),
    targeting: { geographic: { countries: [{ id: '6252001' }] } },
    ...more,
  });
const identity = async (): Promise<string> => {
  const list = await world.list('promoted', { org_id: world.organization, type: 'PAGE_ID' });
  return list.find(({ id }) => id.startsWith('TT_USER:')).id;
};
const video = async (): Promise<string> =>
  (await world.list('asset', { org_id: world.organization, type: 'VIDEO' }))[0].id;
const image = async (): Promise<string> =>
  (await world.list('asset', { org_id: world.organization, type: 'IMAGE' }))[0].id;
const adOf = async (more: Any = {}): Promise<Any> =>
  world.create('ad', {
    group_id: more.group_id ?? (await groupOf({ targeting: onTikTok })).id,
    organization_id: world.organization,
    name: 'Ad A',
    ad_type: 'VIDEO',
    ad_copy: 'New shoes',
    cta: 'SHOP_NOW',
    final_url: 'https://acme.test/p',
    creative_ids: [await video(), await image()],
    promoted: [{ type: 'PAGE_ID', id: await identity() }],
    ...more,
  });
const onTikTok = {
  geographic: { countries: [{ id: '6252001' }] },
  placement: { platforms: ['PLACEMENT_TIKTOK'] },
};

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

describe('ad groups', () => {
  const targeting = {
    geographic: { countries: [{ id: '6252001' }], regions: [{ id: '4829764' }] },
    demographic: { age_min: 25, age_max: 44, female: true, male: false },
    language: [{ id: 'en' }, { id: 'es' }],
    device: { user_os: [{ id: 'IOS_14.0' }] },
    placement: { platforms: ['PLACEMENT_TIKTOK'] },
    brand_safety: { publisher_visibility_categories: ['standard'] },
    schedule: [
      { day_of_week: 'MONDAY', start_hour: 9, end_hour: 17, end_minute: 30 },
      { day_of_week: 'SUNDAY', start_hour: 0, end_hour: 24 },
    ],
  };

  it('reads back field by field what was written', async () => {
    const interests = (await world.list('target', { org_id: world.organization, type: 'INTEREST' })).slice(0, 2);
    const behaviors = (await world.list('target', { org_id: world.organization, type: 'BEHAVIOR' })).slice(0, 2);
    const written = {
      name: 'Whole',
      optimization_goal: 'LINK_CLICKS',
      billing_event: 'LINK_CLICKS',
      budget_amount: 50.25,
      budget_period: 'DAILY',
      bid_amount: 1.5,
      status: 'PAUSED',
      start_at: later(2),
      end_at: later(200),
      pacing: { type: 'PACING_MODE_SMOOTH' },
      targeting: {
        ...targeting,
        audience: {
          interests: interests.map(({ id }) => ({ id })),
          behaviors: behaviors.map(({ id }) => ({ id })),
        },
      },
    };
    const created = await groupOf(written);
    expect(created).toMatchObject(written);
    expect(created.bid_strategy).toEqual({ type: 'FIXED_BID', fixed_bid_amount: 1.5 });
    expect(await world.get('group', created.id)).toEqual(created);
    expect(body('adgroup/create')).toMatchObject({
      location_ids: ['6252001', '4829764'],
      age_groups: ['AGE_25_34', 'AGE_35_44'],
      gender: 'GENDER_FEMALE',
      operating_systems: ['IOS'],
      min_ios_version: '14.0',
      billing_event: 'CPC',
      bid_type: 'BID_TYPE_CUSTOM',
      bid_price: 1.5,
      schedule_type: 'SCHEDULE_START_END',
      brand_safety_type: 'STANDARD_INVENTORY',
    });
    expect(body('adgroup/create').dayparting).toHaveLength(336);
    const listed = await world.list('group', { campaign_id: created.campaign_id });
    expect(listed).toEqual([created]);
  });

  it('sets what a caller need not know: billing, pacing, placements, schedule', async () => {
    const created = await groupOf({ start_at: undefined });
    expect(body('adgroup/create')).toMatchObject({
      billing_event: 'CPC',
      bid_type: 'BID_TYPE_NO_BID',
      pacing: 'PACING_MODE_SMOOTH',
      placement_type: 'PLACEMENT_TYPE_AUTOMATIC',
      promotion_type: 'WEBSITE',
      schedule_type: 'SCHEDULE_FROM_NOW',
    });
    expect(created).not.toHaveProperty('end_at');
    expect(created.bid_strategy).toEqual({ type: 'MAXIMIZE_SPEND' });
    expect(created.targeting.optimization.advantage_placements).toBe(true);
  });

  it('bids per action where billing is OCPM, and shows the pixel and event it optimises for', async () => {
    const [pixel] = await world.list('promoted', { org_id: world.organization, type: 'PIXEL_ID' });
    const campaign = await campaignOf({ goal: 'SALES' });
    const promoted = [
      { type: 'PIXEL_ID', id: pixel.id },
      { type: 'EVENT_ID', id: 'SHOPPING' },
    ];
    const created = await groupOf({
      campaign_id: campaign.id,
      optimization_goal: 'CONVERSIONS',
      billing_event: 'IMPRESSIONS',
      bid_strategy: { type: 'PERFORMANCE_GOAL', performance_goal_type: 'CPA', performance_goal_amount: 12.5 },
      promoted,
    });
    expect(body('adgroup/create')).toMatchObject({
      optimization_goal: 'CONVERT',
      billing_event: 'OCPM',
      conversion_bid_price: 12.5,
      pixel_id: pixel.id,
      optimization_event: 'SHOPPING',
    });
    expect(created).toMatchObject({
      bid_amount: 12.5,
      bid_strategy: { type: 'PERFORMANCE_GOAL', performance_goal_type: 'CPA', performance_goal_amount: 12.5 },
      optimization_goal: 'CONVERSIONS',
      billing_event: 'IMPRESSIONS',
      promoted,
    });
    world.sent.length = 0;
    expect((await world.update('group', created.id, { bid_amount: 14 })).bid_amount).toBe(14);
    expect(body('adgroup/update')).toMatchObject({ conversion_bid_price: 14 });
    expect(body('adgroup/update')).not.toHaveProperty('bid_price');
  });

  it('changes only what was sent, also where one native member serves several fields', async () => {
    const created = await groupOf({ targeting });
    world.sent.length = 0;
    const changed = await world.update('group', created.id, {
      targeting: { geographic: { regions: [{ id: '5879092' }] }, demographic: { age_max: 54 } },
    });
    expect(body('adgroup/update')).toEqual({
      advertiser_id: world.organization,
      adgroup_id: created.id,
      location_ids: ['5879092', '6252001'],
      age_groups: ['AGE_25_34', 'AGE_35_44', 'AGE_45_54'],
    });
    const { updated_at: _a, targeting: after, ...rest } = changed;
    const { updated_at: _b, targeting: before, ...same } = created;
    expect(rest).toEqual(same);
    expect(after).toEqual({
      ...before,
      demographic: { ...before.demographic, age_max: 54 },
      geographic: { countries: [{ id: '6252001' }], regions: [{ id: '5879092' }] },
    });
  });

  it('takes back the whole object as it was read', async () => {
    const created = await groupOf({ targeting, end_at: later(100) });
    const read = await world.get('group', created.id, { fields: 'raw' });
    const changed = await world.update('group', created.id, { ...created, raw: read.raw, name: 'Renamed' });
    expect(changed).toMatchObject({ ...created, name: 'Renamed', updated_at: changed.updated_at });
  });

  it('refuses by name what TikTok cannot take', async () => {
    const refused = async (more: Any) => (await failure(groupOf({ targeting: { ...onTikTok, ...more } }))) as Any;
    expect(await refused({ geographic: { excluded_regions: [{ id: '1' }] } })).toMatchObject({
      code: 'input_field_unsupported',
      details: { field: 'targeting.geographic.excluded_regions' },
    });
    expect(await refused({ content: { keywords: [{ text: 'x' }] } })).toMatchObject({
      code: 'input_field_unsupported',
      details: { field: 'targeting.content.keywords' },
    });
    expect(await refused({ demographic: { age_min: 21 } })).toMatchObject({
      code: 'input_value_invalid',
      details: { field: 'targeting.demographic.age_min' },
    });
    expect((await refused({ geographic: { cities: [{ id: '1', radius: 5 }] } })).message).toContain('radius');
    expect((await refused({ audience: { behaviors: [{ id: '999999' }] } })).code).toBe('input_value_invalid');
    const { id } = await groupOf({ targeting: onTikTok });
    expect(
      await failure(world.update('group', id, { targeting: { placement: { platforms: ['PLACEMENT_PANGLE'] } } })),
    ).toMatchObject({ code: 'input_field_immutable' });
    expect(operations()).not.toContain('adgroup/update');
  });

  it.each([
    ['REACH', 'REACH', {}],
    ['BRAND_AWARENESS', 'VIDEO_VIEWS', {}],
    ['WEBSITE_TRAFFIC', 'LANDING_PAGE_VIEWS', { pixel: true }],
    ['ENGAGEMENT', 'PAGE_LIKES', {}],
    ['ENGAGEMENT', 'ENGAGEMENT', {}],
    ['LEADS', 'LEAD_GENERATION', {}],
    ['APP_PROMOTION', 'APP_INSTALLS', { app: true }],
    ['SALES', 'CONVERSIONS', { pixel: true, event: 'SHOPPING' }],
  ] as [string, string, { pixel?: boolean; app?: boolean; event?: string }][])(
    'launches %s campaigns that optimise for %s',
    async (goal, optimization_goal, { pixel, app, event }) => {
      const first = async (type: string) => (await world.list('promoted', { org_id: world.organization, type }))[0].id;
      const promoted = [
        ...(pixel ? [{ type: 'PIXEL_ID', id: await first('PIXEL_ID') }] : []),
        ...(app ? [{ type: 'APP_ID', id: await first('APP_ID') }] : []),
        ...(event ? [{ type: 'EVENT_ID', id: event }] : []),
      ];
      const campaign = await campaignOf({ goal });
      const more = promoted.length > 0 ? { promoted } : {};
      const group = await groupOf({ campaign_id: campaign.id, optimization_goal, targeting: onTikTok, ...more });
      expect(group).toMatchObject({ optimization_goal, ...more });
      expect(campaign.goal).toBe(goal);
    },
  );

  it('caps how often one person sees the ads, in days as TikTok counts', async () => {
    const campaign = await campaignOf({ goal: 'REACH' });
    const frequency_cap = { max_impressions: 3, time_unit: 'DAYS', time_unit_count: 7 };
    const created = await groupOf({ campaign_id: campaign.id, optimization_goal: 'REACH', frequency_cap });
    expect(created.frequency_cap).toEqual(frequency_cap);
    expect(body('adgroup/create')).toMatchObject({ frequency: 3, frequency_schedule: 7, billing_event: 'CPM' });
    const weekly = { max_impressions: 3, time_unit: 'WEEKS', time_unit_count: 1 };
    const refused = await failure(
      groupOf({ campaign_id: campaign.id, optimization_goal: 'REACH', frequency_cap: weekly }),
    );
    expect(refused.details.allowed).toEqual(['DAYS']);
  });

  it('moves its end, and keeps what was not sent', async () => {
    const created = await groupOf({ end_at: later(100), bid_amount: 1.5 });
    world.sent.length = 0;
    const end_at = later(200);
    expect(await world.update('group', created.id, { end_at })).toEqual({
      ...created,
      end_at,
      updated_at: expect.any(String),
    });
    expect(Object.keys(body('adgroup/update')).sort()).toEqual([
      'adgroup_id',
      'advertiser_id',
      'schedule_end_time',
      'schedule_type',
    ]);
  });

  it('takes countries by ISO code or name', async () => {
    const created = await groupOf({ targeting: { geographic: { countries: [{ id: 'us' }, { name: 'Japan' }] } } });
    expect(created.targeting.geographic.countries).toEqual([{ id: '6252001' }, { id: '1861060' }]);
    const unknown = await failure(groupOf({ targeting: { geographic: { countries: [{ id: 'Atlantis' }] } } }));
    expect(unknown).toMatchObject({
      code: 'input_value_invalid',
      details: { field: 'targeting.geographic.countries' },
    });
  });

  it('follows the deletion of its campaign', async () => {
    const group = await groupOf();
    await world.remove('campaign', group.campaign_id);
    expect(await world.get('group', group.id)).toMatchObject({ effective_status: 'REMOVED' });
    expect(await world.list('group', { org_id: world.organization, campaign_id: group.campaign_id })).toEqual([]);
  });
});

describe('ads and creatives', () => {
  it('reads back field by field what was written', async () => {
    const promoted = [{ type: 'PAGE_ID', id: await identity() }];
    const created = await adOf({ promoted, status: 'PAUSED' });
    expect(created).toMatchObject({
      name: 'Ad A',
      ad_type: 'VIDEO',
      ad_copy: 'New shoes',
      cta: 'SHOP_NOW',
      final_url: 'https://acme.test/p',
      status: 'PAUSED',
      promoted,
      organization_id: world.organization,
    });
    expect(created.creative_ids).toEqual([created.id]);
    expect(await world.get('ad', created.id)).toEqual(created);
    expect(body('ad/create').creatives).toHaveLength(1);
    expect(body('ad/create').creatives[0]).toMatchObject({ identity_type: 'TT_USER', ad_format: 'SINGLE_VIDEO' });
    expect(await world.list('ad', { group_id: created.group_id })).toEqual([created]);
    expect(await world.list('ad', { org_id: world.organization, campaign_id: created.campaign_id })).toEqual([created]);
  });

  it('patches what TikTok can patch', async () => {
    const created = await adOf();
    world.sent.length = 0;
    const changed = await world.update('ad', created.id, { name: 'Ad B', ad_copy: 'Newer shoes' });
    expect(body('ad/update')).toEqual({
      advertiser_id: world.organization,
      adgroup_id: created.group_id,
      patch_update: true,
      creatives: [{ ad_id: created.id, ad_name: 'Ad B', ad_text: 'Newer shoes' }],
    });
    expect(changed).toEqual({ ...created, name: 'Ad B', ad_copy: 'Newer shoes', updated_at: changed.updated_at });
  });

  it('sends the whole creative where TikTok would lose the rest', async () => {
    const created = await adOf();
    const before = (await world.get('ad', created.id, { fields: 'raw' })).raw;
    world.sent.length = 0;
    const changed = await world.update('ad', created.id, { cta: 'LEARN_MORE' });
    expect(body('ad/update')).not.toHaveProperty('patch_update');
    expect(body('ad/update').creatives[0]).toMatchObject({
      ad_id: created.id,
      call_to_action: 'LEARN_MORE',
      ad_name: 'Ad A',
      ad_text: 'New shoes',
      video_id: before.video_id,
      landing_page_url: 'https://acme.test/p',
      identity_id: before.identity_id,
    });
    expect(changed).toEqual({ ...created, cta: 'LEARN_MORE', updated_at: changed.updated_at });
  });

  it('checks a campaign named beside the group', async () => {
    const other = await campaignOf();
    const refused = await failure(adOf({ campaign_id: other.id }));
    expect(refused).toMatchObject({ code: 'input_value_invalid', details: { field: 'campaign_id' } });
    expect(operations()).not.toContain('ad/create');
  });

  it('asks which identity is meant when there are several, naming them', async () => {
    const refused = await failure(adOf({ promoted: undefined }));
    expect(refused.code).toBe('input_field_required');
    expect(refused.details.allowed).toContainEqual({ type: 'PAGE_ID', id: await identity(), name: 'Acme US' });
  });

  it('takes an identity by its plain id', async () => {
    const whole = await identity();
    const created = await adOf({ promoted: [{ type: 'PAGE_ID', id: whole.split(':')[1] }] });
    expect(created.promoted).toEqual([{ type: 'PAGE_ID', id: whole }]);
  });

  it('makes a creative as a paused ad, and an ad as a copy of a creative', async () => {
    const group = await groupOf({ targeting: onTikTok });
    const assets = [await video(), await image()];
    const creative = await world.create('creative', {
      organization_id: world.organization,
      group_id: group.id,
      name: 'Summer',
      creative_type: 'VIDEO',
      body: 'New shoes',
      cta: 'SHOP_NOW',
      link_url: 'https://acme.test/p',
      url_tags: 'utm_source=tiktok&utm_campaign=__CAMPAIGN_NAME__',
      asset_urls: assets,
      promoted: [{ type: 'PAGE_ID', id: await identity() }],
    });
    expect(creative).toMatchObject({
      status: 'PAUSED',
      group_id: group.id,
      creative_type: 'VIDEO',
      asset_urls: assets,
      url_tags: 'utm_source=tiktok&utm_campaign=__CAMPAIGN_NAME__',
    });
    expect(await world.get('creative', creative.id)).toEqual(creative);
    const ad = await world.create('ad', {
      organization_id: world.organization,
      group_id: group.id,
      name: 'From creative',
      creative_ids: [creative.id],
    });
    expect(ad).toMatchObject({ name: 'From creative', ad_copy: 'New shoes', cta: 'SHOP_NOW', status: 'ACTIVE' });
    expect(ad.id).not.toBe(creative.id);
    expect(await world.get('creative', ad.creative_ids[0])).toMatchObject({ asset_urls: assets, body: 'New shoes' });
    const changed = await world.update('creative', creative.id, { body: 'Other words' });
    expect(changed).toEqual({ ...creative, body: 'Other words', updated_at: changed.updated_at });
    const refused = await failure(world.remove('creative', creative.id));
    expect(refused.code).toBe('method_unsupported');
    expect(refused.details.instead).toContain('remove the ad');
  });

  it('shows the form and the pixel of an ad, whose ids are numbers beyond 2^53 at TikTok', async () => {
    const [pixel] = await world.list('promoted', { org_id: world.organization, type: 'PIXEL_ID' });
    const campaign = await campaignOf({ goal: 'LEADS' });
    const group = await groupOf({
      campaign_id: campaign.id,
      optimization_goal: 'LEAD_GENERATION',
      targeting: onTikTok,
    });
    const [form] = await world.list('promoted', { org_id: world.organization, type: 'LEAD_FORM_ID' });
    expect(Number.isSafeInteger(Number(form.id))).toBe(false);
    const promoted = [
      { type: 'PAGE_ID', id: await identity() },
      { type: 'LEAD_FORM_ID', id: form.id },
      { type: 'PIXEL_ID', id: pixel.id },
    ];
    const created = await adOf({ group_id: group.id, final_url: undefined, promoted });
    const [creative] = body('ad/create').creatives;
    // Number literals, as TikTok declares them, and exact.
    expect(JSON.stringify(creative)).toContain(`"page_id":${form.id}`);
    expect(JSON.stringify(creative)).toContain(`"tracking_pixel_id":${pixel.id}`);
    expect(created.promoted.map(({ type }: Any) => type)).toEqual(['PAGE_ID', 'LEAD_FORM_ID', 'PIXEL_ID']);
    const changed = await world.update('ad', created.id, { cta: 'SIGN_UP', promoted: promoted.slice(0, 2) });
    expect(changed.promoted.map(({ type }: Any) => type)).toEqual(['PAGE_ID', 'LEAD_FORM_ID']);
    expect(changed.cta).toBe('SIGN_UP');
  });

  it('takes members of TikTok that the unified model lacks in raw, and copies of whole rows', async () => {
    const created = await campaignOf({ raw: { po_number: 'PO-7' }, budget_amount: 100, budget_period: 'DAILY' });
    const { raw } = await world.get('campaign', created.id, { fields: 'raw' });
    expect(raw.po_number).toBe('PO-7');
    const copy = await campaignOf({ name: 'Copy', raw });
    expect(copy).toMatchObject({ name: 'Copy', budget_amount: 100, budget_period: 'DAILY' });
    expect(copy.id).not.toBe(created.id);
  });

  it('lists ads by change, status and name', async () => {
    const created = await adOf({ name: 'Quite unique', status: 'PAUSED' });
    const ids = async (query: Record<string, string>) =>
      (await world.list('ad', { org_id: world.organization, limit: '1000', ...query })).map(({ id }) => id);
    expect(await ids({ query: 'quite unique' })).toEqual([created.id]);
    expect(await ids({ updated_gte: created.updated_at })).toContain(created.id);
    expect(await ids({ updated_gte: later(1) })).toEqual([]);
    expect(await ids({ status: 'PAUSED', query: 'quite unique' })).toEqual([created.id]);
    await world.remove('ad', created.id);
    expect(await ids({ query: 'quite unique' })).toEqual([]);
    expect((await world.get('ad', created.id)).status).toBe('ARCHIVED');
  });
});

/** Ad groups of TikTok, written and read back over HTTP against the simulator. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makersOf } from './support/makers.ts';
import { type Any, startWorld, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.sent.length = 0;
});
const { later, failure, operations, body, campaignOf, groupOf, onTikTok } = makersOf(() => world);

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

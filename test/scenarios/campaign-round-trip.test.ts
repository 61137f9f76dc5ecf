/**
 * A campaign, its ad group and its ad, made by us: they read back as they were written, field by field, and an update
 * changes at TikTok what was sent and nothing else. In currencies of no, two and three decimals.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestApp, type TestApp } from '../support/app.ts';
import type { TikTokReady } from '../support/tiktok-simulator.ts';

const DAY = 86_400_000;

let polyad: TestApp;
let ready: TikTokReady;
let connection: string;
beforeAll(async () => {
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual' });
  ready = polyad.simulator.ready as unknown as TikTokReady;
  connection = (await polyad.connect()).get('id') as string;
});
afterAll(() => polyad.close());

/** The row as TikTok has it, asked without our help. */
async function native(level: 'campaign' | 'adgroup' | 'ad', organization: string, id: string): Promise<Json> {
  const search = new URLSearchParams({
    advertiser_id: organization,
    filtering: JSON.stringify({ [`${level}_ids`]: [id], primary_status: 'STATUS_ALL' }),
  });
  const answer = await fetch(`${polyad.simulator.url}/open_api/v1.3/${level}/get/?${search}`, {
    headers: { 'Access-Token': ready.access_token },
  });
  const { data } = (await answer.json()) as Json;
  expect(data.list).toHaveLength(1);
  return data.list[0];
}

/** Names of members that differ. */
const differing = (before: Json, after: Json): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .filter((name) => name !== 'modify_time')
    .sort();

const iso = (ms: number): string => new Date(ms).toISOString().replace('.000', '');

describe.each([
  { currency: 'USD', index: 0, country: 'US', budget: 99.99, bid: 1.25, raised: 120.5 },
  { currency: 'JPY', index: 1, country: 'JP', budget: 12_345, bid: 150, raised: 20_001 },
  { currency: 'KWD', index: 3, country: 'KW', budget: 45.125, bid: 0.375, raised: 50.005 },
])('in $currency', ({ currency, index, country, budget, bid, raised }) => {
  let organization: string;
  let campaign: Json;
  let group: Json;
  let ad: Json;
  const path = (object: string, id?: string): string =>
    `/ads/${connection}/${object}${id === undefined ? '' : `/${id}`}`;
  const make = async (object: string, body: Json): Promise<Json> => {
    const made = await polyad.ok('POST', path(object), { organization_id: organization, ...body });
    const seen = await polyad.ok('GET', path(object, made.id));
    // What the creation answered is what a read answers.
    const { updated_at: _one, effective_status: _two, ...stable } = made;
    expect(seen).toMatchObject(stable);
    return seen;
  };
  /** Updates and answers what changed at TikTok. */
  const change = async (
    object: 'campaign' | 'group' | 'ad',
    row: Json,
    body: Json,
    method = 'PATCH',
  ): Promise<{ row: Json; changed: string[] }> => {
    const level = object === 'group' ? 'adgroup' : object;
    const before = await native(level, organization, row.id);
    polyad.advance(61_000);
    const updated = await polyad.ok(method, path(object, row.id), body);
    expect(updated).toMatchObject(body);
    return { row: updated, changed: differing(before, await native(level, organization, row.id)) };
  };

  beforeAll(async () => {
    organization = ready.advertiser_ids[index] as string;
  });

  it('a campaign reads back as it was written', async () => {
    const sent = {
      name: `Round trip ${currency} – 往復`,
      goal: 'WEBSITE_TRAFFIC',
      budget_amount: budget,
      budget_period: 'DAILY',
      status: 'PAUSED',
    };
    campaign = await make('campaign', sent);
    expect(campaign).toMatchObject({ ...sent, organization_id: organization, currency });
    expect(await native('campaign', organization, campaign.id)).toMatchObject({
      campaign_name: sent.name,
      objective_type: 'TRAFFIC',
      budget,
      budget_mode: 'BUDGET_MODE_DAY',
      operation_status: 'DISABLE',
    });
  });

  it('an ad group reads back as it was written', async () => {
    // A campaign without a budget of its own, so that the ad group has one.
    const parent = await make('campaign', { name: `Parent ${currency}`, goal: 'WEBSITE_TRAFFIC', status: 'ACTIVE' });
    const start = Math.ceil(polyad.now().getTime() / 1000) * 1000 + DAY;
    const sent = {
      campaign_id: parent.id,
      name: `Group ${currency}`,
      optimization_goal: 'LINK_CLICKS',
      billing_event: 'LINK_CLICKS',
      budget_amount: budget,
      budget_period: 'DAILY',
      bid_amount: bid,
      start_at: iso(start),
      end_at: iso(start + 21 * DAY),
      status: 'ACTIVE',
      targeting: {
        geographic: { countries: [{ id: country }] },
        demographic: { age_min: 25, age_max: 44, female: true, male: false },
        language: [{ id: 'en' }],
        placement: { platforms: ['PLACEMENT_TIKTOK'] },
      },
    };
    group = await make('group', sent);
    const { targeting, start_at, end_at, ...flat } = sent;
    expect(group).toMatchObject({ ...flat, organization_id: organization });
    expect([Date.parse(group.start_at), Date.parse(group.end_at)]).toEqual([start, start + 21 * DAY]);
    expect([start_at, end_at].map((at) => Date.parse(at))).toEqual([start, start + 21 * DAY]);
    expect(group.targeting.demographic).toMatchObject({ age_min: 25, age_max: 44, female: true });
    expect(group.targeting.geographic.countries).toHaveLength(1);
    expect(group.targeting.placement).toMatchObject(targeting.placement);
    const row = await native('adgroup', organization, group.id);
    expect(row).toMatchObject({
      budget,
      bid_price: bid,
      age_groups: ['AGE_25_34', 'AGE_35_44'],
      gender: 'GENDER_FEMALE',
      placements: ['PLACEMENT_TIKTOK'],
    });
    expect(`${row.schedule_start_time}Z`.replace(' ', 'T')).toBe(iso(start));
  });

  it('an ad reads back as it was written', async () => {
    const video = await polyad.ok('POST', path('asset'), {
      organization_id: organization,
      name: `clip-${currency}.mp4`,
      type: 'VIDEO',
      url: 'https://media.test/clip.mp4',
    });
    polyad.advance(60_000);
    const promoted = await polyad.ok('GET', `${path('promoted')}?org_id=${organization}&limit=100`);
    const identity = promoted.find(({ id }: Json) => String(id).startsWith('TT_USER:'));
    expect(identity).toBeDefined();
    const sent = {
      group_id: group.id,
      name: `Ad ${currency}`,
      ad_copy: 'Fresh looks for the season',
      cta: 'SHOP_NOW',
      final_url: 'https://acme.test/shop?a=1&b=%20c',
      ad_type: 'VIDEO',
      status: 'ACTIVE',
      promoted: [{ type: 'PAGE_ID', id: identity.id }],
    };
    ad = await make('ad', { ...sent, creative_asset_url: video.id });
    expect(ad).toMatchObject({ ...sent, organization_id: organization, campaign_id: group.campaign_id });
    expect(await native('ad', organization, ad.id)).toMatchObject({
      ad_name: sent.name,
      ad_text: sent.ad_copy,
      call_to_action: sent.cta,
      landing_page_url: sent.final_url,
      ad_format: 'SINGLE_VIDEO',
      identity_type: 'TT_USER',
    });
  });

  it('an update of a campaign changes what was sent', async () => {
    expect((await change('campaign', campaign, { name: 'Renamed' })).changed).toEqual(['campaign_name']);
    expect((await change('campaign', campaign, { budget_amount: raised }, 'PUT')).changed).toEqual(['budget']);
    expect((await change('campaign', campaign, { status: 'ACTIVE' })).changed).toEqual([
      'operation_status',
      'secondary_status',
    ]);
    expect(await polyad.ok('GET', path('campaign', campaign.id))).toMatchObject({
      name: 'Renamed',
      budget_amount: raised,
      status: 'ACTIVE',
      goal: campaign.goal,
    });
  });

  it('an update of an ad group changes what was sent', async () => {
    expect((await change('group', group, { name: 'Group renamed' })).changed).toEqual(['adgroup_name']);
    expect((await change('group', group, { budget_amount: raised }, 'PUT')).changed).toEqual(['budget']);
    expect((await change('group', group, { bid_amount: bid * 2 })).changed).toEqual(['bid_price']);
    const later = iso(Date.parse(group.end_at) + DAY);
    expect((await change('group', group, { end_at: later })).changed).toEqual(['schedule_end_time']);
    expect((await change('group', group, { targeting: { demographic: { age_max: 54 } } })).changed).toEqual([
      'age_groups',
    ]);
    const seen = await polyad.ok('GET', path('group', group.id));
    expect(seen.targeting.demographic).toMatchObject({ age_min: 25, age_max: 54, female: true });
    expect(seen.targeting.language).toEqual(group.targeting.language);
  });

  it('an update of an ad changes what was sent, also what needs the whole creative', async () => {
    const reviewed = (changed: string[]): string[] => changed.filter((name) => name !== 'secondary_status');
    expect(reviewed((await change('ad', ad, { name: 'Ad renamed' })).changed)).toEqual(['ad_name']);
    expect(reviewed((await change('ad', ad, { ad_copy: 'Another text' }, 'PUT')).changed)).toEqual(['ad_text']);
    expect(reviewed((await change('ad', ad, { final_url: 'https://acme.test/other' })).changed)).toEqual([
      'landing_page_url',
    ]);
    expect(reviewed((await change('ad', ad, { cta: 'LEARN_MORE' })).changed)).toEqual(['call_to_action']);
    expect(reviewed((await change('ad', ad, { status: 'PAUSED' })).changed)).toEqual(['operation_status']);
  });

  it('sending back what was read changes nothing', async () => {
    for (const [object, level, row] of [
      ['campaign', 'campaign', campaign],
      ['group', 'adgroup', group],
      ['ad', 'ad', ad],
    ] as const) {
      const seen = await polyad.ok('GET', path(object, row.id));
      const before = await native(level, organization, row.id);
      polyad.advance(61_000);
      await polyad.ok('PUT', path(object, row.id), seen);
      const changed = differing(before, await native(level, organization, row.id));
      expect({ object, changed: changed.filter((name) => name !== 'secondary_status') }).toEqual({
        object,
        changed: [],
      });
    }
  });

  it('amounts finer than the currency are refused by name, before TikTok is asked', async () => {
    await polyad.clearLog();
    const fine = currency === 'JPY' ? 0.5 : currency === 'KWD' ? 0.0005 : 0.005;
    for (const [object, row] of [
      ['campaign', campaign],
      ['group', group],
    ] as const) {
      const { status, body } = await polyad.call('PATCH', path(object, row.id), { budget_amount: raised + fine });
      expect({ status, code: body.code, field: body.details?.field }).toEqual({
        status: 422,
        code: 'input_value_invalid',
        field: 'budget_amount',
      });
    }
    expect(await polyad.requests('/update/')).toHaveLength(0);
  });

  it('removed means deleted at TikTok, still to be read', async () => {
    for (const [object, level, row] of [
      ['ad', 'ad', ad],
      ['group', 'adgroup', group],
      ['campaign', 'campaign', campaign],
    ] as const) {
      expect((await polyad.call('DELETE', path(object, row.id))).status).toBe(200);
      expect((await native(level, organization, row.id)).operation_status).toBe('DELETE');
      expect((await polyad.ok('GET', path(object, row.id))).id).toBe(row.id);
      const listed = await polyad.ok('GET', `${path(object)}?org_id=${organization}&limit=1000&fields=id`);
      expect(listed.map(({ id }: Json) => id)).not.toContain(row.id);
    }
  });
});

/** An ad account of three generations of automation, live and deleted: read without loss, written by the right endpoints. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Json, startTestApp, type TestApp } from '../support/app.ts';

let polyad: TestApp;
let id: string;
let org: string;
/** What the simulator says there is, by kind and generation. */
let objects: Json;
beforeAll(async () => {
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual', limits: 'on' });
  org = (await polyad.control('POST', '/seed', { smart_plus: true })).smart_plus.advertiser_id;
  objects = await polyad.control('GET', `/objects?advertiser_id=${org}`);
  id = (await polyad.connect()).get('id') as string;
});
afterAll(() => polyad.close());
beforeEach(() => polyad.clearLog());

const at = (path: string): string => `/ads/${id}/${path}`;
const AUTOMATION: Record<string, string> = {
  MANUAL: 'manual',
  SMART_PLUS: 'smart_plus_legacy',
  UPGRADED_SMART_PLUS: 'smart_plus',
};
/** Every page of a list. */
async function all(object: string, query = '', limit = 7): Promise<Json[]> {
  const out: Json[] = [];
  for (;;) {
    const page = await polyad.ok('GET', at(`${object}?org_id=${org}&limit=${limit}&offset=${out.length}${query}`));
    out.push(...page);
    if (page.length < limit) return out;
  }
}
/** Ids by generation, sorted. */
const byAutomation = (rows: readonly Json[]): Json => {
  const out: Record<string, string[]> = {};
  for (const { id: one, automation } of rows) out[automation] = [...(out[automation] ?? []), one];
  return Object.fromEntries(Object.entries(out).map(([name, ids]) => [name, ids.sort()]));
};
const expected = (kind: string, state: 'live' | 'deleted'): Json =>
  Object.fromEntries(
    Object.entries(objects[kind] as Record<string, Json>).map(([native, ids]) => [
      AUTOMATION[native],
      [...ids[state]].sort(),
    ]),
  );
const writes = async (): Promise<string[]> =>
  (await polyad.requests(undefined, 'POST')).map(({ path }) => path.replace('/open_api/v1.3/', '').replace(/\/$/, ''));

describe('lists', () => {
  it.each([
    ['campaign', 'campaigns'],
    ['group', 'adgroups'],
    ['ad', 'ads_v2'],
  ])('hold every %s once, each marked with its generation; deleted ones where asked', async (object, kind) => {
    // What is not deleted itself may still stand below something that is.
    const live = await all(object, '', 1000);
    const gone = await all(object, '&status=ARCHIVED', 1000);
    const both = [...live, ...gone.filter(({ id: one }) => !live.some((other) => other.id === one))];
    const everything = Object.fromEntries(
      Object.entries(expected(kind, 'live')).map(([name, ids]) => [
        name,
        [...(ids as string[]), ...expected(kind, 'deleted')[name]].sort(),
      ]),
    );
    expect(byAutomation(live)).toEqual(expected(kind, 'live'));
    const found = byAutomation(both);
    // Deleted objects come by status; children of deleted parents that are not deleted themselves are got by id.
    for (const [name, ids] of Object.entries(everything))
      for (const one of ids as string[])
        if (!found[name]?.includes(one))
          expect(await polyad.ok('GET', at(`${object}/${one}?org_id=${org}`)), one).toMatchObject({
            effective_status: 'REMOVED',
            automation: name,
          });
    expect(new Set(live.map(({ id: one }) => one)).size).toBe(live.length);
  });

  it('are the same page by page as whole', async () => {
    const whole = await all('ad', '', 1000);
    expect((await all('ad', '', 5)).map((one) => one.id)).toEqual(whole.map((one) => one.id));
  });

  it('narrow ads of all generations by campaign and group alike', async () => {
    for (const ad of [...(await all('ad', '', 1000))].filter((_one, index) => index % 5 === 0)) {
      const inGroup = await polyad.ok('GET', at(`ad?org_id=${org}&group_id=${ad.group_id}`));
      expect(inGroup.map((one: Json) => one.id)).toContain(ad.id);
      expect(new Set(inGroup.map((one: Json) => one.group_id))).toEqual(new Set([ad.group_id]));
    }
  });

  it('answer by id what the list has', async () => {
    for (const object of ['campaign', 'group', 'ad'])
      for (const row of (await all(object, '', 1000)).filter((_one, index) => index % 4 === 0))
        expect(await polyad.ok('GET', at(`${object}/${row.id}?org_id=${org}`))).toEqual(row);
  });

  it('show what an ad of Smart+ chooses from, and each as a creative', async () => {
    const ad = (await all('ad', '', 1000)).find((one) => one.automation === 'smart_plus');
    expect(ad.materials.length).toBeGreaterThan(1);
    expect(ad.materials[0]).toMatchObject({ id: expect.any(String), type: 'VIDEO', status: expect.any(String) });
    expect(ad.ad_copies[0]).toBe(ad.ad_copy);
    const creatives = (await all('creative', `&group_id=${ad.group_id}`, 1000)).filter((one) => one.ad_id === ad.id);
    const shown = ad.materials.filter((one: Json) => one.status !== 'ARCHIVED');
    expect(creatives).toHaveLength(shown.length);
    expect(creatives.map((one) => one.status).sort()).toEqual(shown.map((one: Json) => one.status).sort());
  });
});

describe('reports', () => {
  const range = (): string => {
    const day = (back: number): string =>
      new Date(polyad.now().getTime() - back * 86_400_000).toISOString().slice(0, 10);
    return `&start_gte=${day(60)}&end_lt=${day(0)}`;
  };
  it.each([
    ['campaign', 'campaign'],
    ['group', 'adgroup'],
    ['ad', 'ad_v2'],
  ])('by %s add up to the ledger, row by row, deleted ones included', async (level, native) => {
    const day = (back: number): string =>
      new Date(polyad.now().getTime() - back * 86_400_000).toISOString().slice(0, 10);
    const ledger = await polyad.control(
      'GET',
      `/ledger?advertiser_id=${org}&level=${native}&start_date=${day(60)}&end_date=${day(1)}`,
    );
    const rows: Json[] = await polyad.ok(
      'GET',
      at(`report?org_id=${org}&level=${level}&type=IMPRESSIONS,COST${range()}`),
    );
    const got = new Map<string, { impressions: number; cost: number }>();
    for (const { metrics } of rows)
      for (const { type, value, [level]: about } of metrics) {
        const row = got.get(about.id) ?? { impressions: 0, cost: 0 };
        if (type === 'IMPRESSIONS') row.impressions += value;
        if (type === 'COST') row.cost += Math.round(value * 100);
        got.set(about.id, row);
      }
    const wanted = new Map(
      ledger.rows
        .filter((row: Json) => row.impressions > 0)
        .map((row: Json) => [row.id, { impressions: row.impressions, cost: Math.round(row.spend * 100) }]),
    );
    expect(wanted.size).toBeGreaterThan(7);
    for (const [one, row] of [...got]) if (row.impressions === 0) got.delete(one);
    expect(Object.fromEntries([...got].sort())).toEqual(Object.fromEntries([...wanted].sort()));
    // Every ad of the report is an ad of the list.
    const kind = { campaign: 'campaigns', group: 'adgroups', ad: 'ads_v2' }[level] as string;
    const known = Object.values(objects[kind] as Record<string, Json>).flatMap(({ live, deleted }) => [
      ...live,
      ...deleted,
    ]);
    for (const one of got.keys()) expect(known).toContain(one);
  });
});

describe('writes', () => {
  const smart = async (object: string): Promise<Json> =>
    (await all(object, '', 1000)).find((one) => one.automation === 'smart_plus' && one.status === 'ACTIVE');

  it('go to the endpoints of each generation', async () => {
    const rows = await all('campaign', '', 1000);
    const seen: Record<string, string[]> = {};
    for (const automation of Object.values(AUTOMATION)) {
      const row = rows.find((one) => one.automation === automation && one.status === 'ACTIVE');
      await polyad.clearLog();
      expect(await polyad.ok('PATCH', at(`campaign/${row.id}?org_id=${org}`), { name: `${row.name} x` })).toMatchObject(
        {
          name: `${row.name} x`,
          automation,
        },
      );
      seen[automation] = await writes();
    }
    expect(seen).toEqual({
      manual: ['campaign/update'],
      smart_plus: ['smart_plus/campaign/update'],
      smart_plus_legacy: ['campaign/spc/update'],
    });
  });

  it('set statuses of mixed objects in bulk, one request per generation', async () => {
    const rows = (await all('campaign', '', 1000)).filter(
      (one) => one.status === 'ACTIVE' && one.automation !== 'smart_plus_legacy',
    );
    const operations = rows.map((row, index) => ({
      method: 'update',
      object: 'campaign',
      id: row.id,
      body: { status: 'PAUSED' },
      op: String(index),
    }));
    expect(operations.length).toBeGreaterThan(1);
    for (const row of rows) {
      const paused = await polyad.ok('PATCH', at(`campaign/${row.id}?org_id=${org}`), { status: 'PAUSED' });
      expect(paused.status).toBe('PAUSED');
      await polyad.ok('PATCH', at(`campaign/${row.id}?org_id=${org}`), { status: 'ACTIVE' });
    }
    expect(new Set(await writes())).toEqual(new Set(['campaign/status/update', 'smart_plus/campaign/status/update']));
  });

  it('make a campaign, a group and an ad of Smart+ by the same calls as manual ones', async () => {
    const main = (polyad.simulator.ready['advertiser_ids'] as string[])[0] as string;
    const assets = (type: string): Promise<Json[]> => polyad.ok('GET', at(`asset?org_id=${main}&type=${type}`));
    const campaign = await polyad.ok('POST', at('campaign'), {
      organization_id: main,
      name: 'Sales by Smart+',
      goal: 'SALES',
      automation: 'smart_plus',
      budget_amount: 120,
      budget_period: 'DAILY',
    });
    expect(campaign).toMatchObject({
      automation: 'smart_plus',
      budget_amount: 120,
      budget_period: 'DAILY',
      goal: 'SALES',
    });
    const [pixel] = await polyad.ok('GET', at(`promoted?org_id=${main}&type=PIXEL_ID`));
    const group = await polyad.ok('POST', at('group'), {
      campaign_id: campaign.id,
      name: 'Everybody',
      optimization_goal: 'CONVERSIONS',
      start_at: `${new Date(polyad.now().getTime() + 3_600_000).toISOString().slice(0, 19)}Z`,
      promoted: [pixel, { type: 'EVENT_ID', id: 'ON_WEB_ORDER' }]
        .filter((one) => one !== undefined)
        .map(({ type, id: one }) => ({ type, id: one })),
      targeting: { geographic: { countries: [{ id: '6252001' }] } },
    });
    expect(group).toMatchObject({ automation: 'smart_plus', campaign_id: campaign.id });
    expect(group.targeting.geographic.countries[0].id).toBe('6252001');
    expect(JSON.stringify(await polyad.requests('smart_plus/adgroup/create'))).toContain('targeting_spec');

    const [video] = await assets('VIDEO');
    const [image] = await assets('IMAGE');
    const identity = (await polyad.ok('GET', at(`identity?org_id=${main}&type=OWN_ACCOUNT`))).find(
      (one: Json) => one.can_push,
    );
    const made = await polyad.control('POST', '/spark_posts', { tiktok_name: 'mia' });
    const post = await polyad.ok('POST', at('creator_authorization'), { code: made.auth_code, organization_id: main });
    const ad = await polyad.ok('POST', at('ad'), {
      group_id: group.id,
      name: 'Smart ad',
      promoted: [{ type: 'PAGE_ID', id: identity.id }],
      materials: [{ asset_ids: [video.id, image.id], name: 'Ours' }, { item_id: post.item_id }],
      ad_copies: ['One', 'Two'],
      ctas: ['SHOP_NOW', 'LEARN_MORE'],
      final_url: 'https://acme.test/p',
    });
    expect(ad).toMatchObject({
      automation: 'smart_plus',
      ad_copies: ['One', 'Two'],
      ctas: ['SHOP_NOW', 'LEARN_MORE'],
      final_url: 'https://acme.test/p',
    });
    expect(ad.materials).toEqual([
      expect.objectContaining({ asset_ids: [video.id, image.id], identity_id: identity.id, status: 'ACTIVE' }),
      expect.objectContaining({ item_id: post.item_id, identity_id: post.identity_id, status: 'ACTIVE' }),
    ]);
    expect((await writes()).filter((one) => one.includes('create'))).toEqual([
      'smart_plus/campaign/create',
      'smart_plus/adgroup/create',
      'smart_plus/ad/create',
    ]);

    // Two writes to one ad: the second waits until five seconds are over.
    const before = polyad.now().getTime();
    await polyad.ok('PATCH', at(`ad/${ad.id}`), { ad_copies: ['Three'] });
    await polyad.ok('PATCH', at(`ad/${ad.id}`), { status: 'PAUSED' });
    expect(polyad.now().getTime() - before).toBeGreaterThanOrEqual(5_000);
    expect(await polyad.ok('GET', at(`ad/${ad.id}`))).toMatchObject({ ad_copies: ['Three'], status: 'PAUSED' });

    const refused = await polyad.call('PATCH', at(`ad/${ad.id}`), { item_id: '7100000000000000000' });
    expect(refused.body.details).toMatchObject({ instead: 'materials' });
    // One more material: those that are there stay as they are.
    const kept = ad.materials.map(({ id: one }: Json) => ({ id: one }));
    const image2 = (await assets('IMAGE'))[1] ?? image;
    const more = await polyad.ok('PATCH', at(`ad/${ad.id}`), {
      materials: [...kept, { asset_ids: [video.id, image2.id], name: 'Another' }],
    });
    expect(more.materials).toHaveLength(3);
    expect(more.materials[1]).toMatchObject({ item_id: post.item_id });
    // The whole object, as it was read, changes nothing.
    const whole = await polyad.ok('GET', at(`ad/${ad.id}`));
    await polyad.clearLog();
    expect(await polyad.ok('PATCH', at(`ad/${ad.id}`), { ...whole, name: whole.name })).toEqual(whole);
    expect((await writes()).filter((one) => one === 'smart_plus/ad/update')).toEqual([]);
  });

  it('pause a material through its creative', async () => {
    const ad = await smart('ad');
    const creative = (await all('creative', `&group_id=${ad.group_id}`, 1000)).find(
      (one) => one.ad_id === ad.id && one.status === 'ACTIVE',
    );
    await polyad.clearLog();
    expect(await polyad.ok('PATCH', at(`creative/${creative.id}?org_id=${org}`), { status: 'PAUSED' })).toMatchObject({
      id: creative.id,
      status: 'PAUSED',
      automation: 'smart_plus',
    });
    expect(await writes()).toEqual(['smart_plus/ad/material_status/update']);
    const { materials } = await polyad.ok('GET', at(`ad/${ad.id}?org_id=${org}`));
    expect(materials.filter((one: Json) => one.status === 'PAUSED').length).toBeGreaterThan(0);
    const refused = await polyad.call('PATCH', at(`creative/${creative.id}?org_id=${org}`), { body: 'Other words' });
    expect(refused.body).toMatchObject({ code: 'input_field_immutable', details: { allowed: ['status'] } });
    const reviewed = await polyad.ok('GET', at(`creative/${creative.id}?org_id=${org}&fields=review`));
    expect(reviewed.review).toMatchObject({ ad_material_id: expect.any(String) });
  });

  it('refuse what belongs to another generation, by name', async () => {
    const manual = (await all('group', '', 1000)).find((one) => one.automation === 'manual' && one.status === 'ACTIVE');
    const texts = await polyad.call('POST', at('ad'), {
      organization_id: org,
      group_id: manual.id,
      name: 'x',
      ad_copies: ['a'],
    });
    expect(texts.body).toMatchObject({
      code: 'input_field_unsupported',
      details: { field: 'ad_copies', instead: 'ad_copy' },
    });
    const goal = await polyad.call('POST', at('campaign'), {
      organization_id: org,
      name: 'x',
      goal: 'REACH',
      automation: 'smart_plus',
    });
    expect(goal.body).toMatchObject({ code: 'input_value_unsupported', details: { field: 'goal' } });
    const legacy = await polyad.call('POST', at('campaign'), {
      organization_id: org,
      name: 'x',
      goal: 'SALES',
      automation: 'smart_plus_legacy',
    });
    expect(legacy.body).toMatchObject({ code: 'input_value_unsupported', details: { field: 'automation' } });
    expect(await writes()).toEqual([]);
  });

  it('remove by the endpoint of the generation', async () => {
    const { id: gone } = await polyad.ok('POST', at('campaign'), {
      organization_id: org,
      name: 'Short life',
      goal: 'SALES',
      automation: 'smart_plus',
    });
    await polyad.clearLog();
    await polyad.ok('DELETE', at(`campaign/${gone}?org_id=${org}`));
    expect(await writes()).toEqual(['smart_plus/campaign/status/update']);
    expect(await polyad.ok('GET', at(`campaign/${gone}?org_id=${org}`))).toMatchObject({ status: 'ARCHIVED' });
  });

  it.each(['manual', 'smart_plus'])('copy a campaign (%s), step by step', async (automation) => {
    const campaign = (await all('campaign', '', 1000)).find(
      (one) => one.automation === automation && one.status === 'ACTIVE',
    );
    const copy = await polyad.ok('POST', at('campaign_copy'), {
      organization_id: org,
      campaign_id: campaign.id,
      name: 'The copy',
    });
    expect(copy).toMatchObject({ state: 'RUNNING', name: 'The copy' });
    polyad.advance(10 * 60_000);
    const done = await polyad.ok('GET', at(`campaign_copy/${copy.id}?org_id=${org}`));
    expect(done).toMatchObject({ state: 'DONE', new_campaign_id: expect.stringMatching(/^\d+$/) });
    expect(await polyad.ok('GET', at(`campaign/${done.new_campaign_id}?org_id=${org}`))).toMatchObject({
      automation,
      name: 'The copy',
      status: 'PAUSED',
    });
  });
});

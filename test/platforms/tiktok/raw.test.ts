/** Native parameters and members that callers add: they reach TikTok, and never turn a call to another object or account. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makersOf } from './support/makers.ts';
import { type Any, startWorld, type World } from './support/world.ts';

let world: World;
let other: string;
beforeAll(async () => {
  world = await startWorld();
  other = world.simulator.ready.advertiser_ids[1] as string;
});
afterAll(() => world.close());
beforeEach(() => {
  world.sent.length = 0;
});
const { failure, campaignOf, groupOf, adOf, operations } = makersOf(() => world);

const rawOf = (params: Record<string, unknown>): string =>
  new URLSearchParams(
    Object.entries(params).map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  ).toString();

describe('`raw` of a list', () => {
  it('adds native filters to those of the call', async () => {
    await campaignOf({ name: 'Raw reach', goal: 'REACH' });
    await campaignOf({ name: 'Raw traffic', goal: 'WEBSITE_TRAFFIC' });
    const asked = { org_id: world.organization, query: 'raw ', sort: 'name' };
    expect((await world.list('campaign', asked)).map(({ name }) => name)).toEqual(['Raw reach', 'Raw traffic']);
    const raw = rawOf({ filtering: { objective_type: 'TRAFFIC' } });
    expect((await world.list('campaign', { ...asked, raw })).map(({ name }) => name)).toEqual(['Raw traffic']);
  });

  it('is refused where it contradicts the call, or moves its page', async () => {
    const org_id = world.organization;
    const refused = async (query: Any): Promise<Any> => {
      const error = await failure(world.list('campaign', { org_id, ...query }));
      expect(error.code).toBe('input_invalid');
      return error.details['issues'];
    };
    expect(await refused({ raw: rawOf({ advertiser_id: other }) })).toMatchObject([{ path: 'raw' }]);
    expect(await refused({ raw: 'page=2' })).toMatchObject([{ reason: '`page` use `offset` and `limit`' }]);
    expect(await refused({ raw: 'filtering=nonsense' })).toMatchObject([{ reason: '`filtering` is not valid JSON' }]);
    expect(await refused({ raw: rawOf({ filtering: [] }) })).toMatchObject([{ path: 'raw' }]);
    await refused({ query: 'a', raw: rawOf({ filtering: { campaign_name: 'b' } }) });
    expect(world.sent).toEqual([]);
    expect(await world.list('campaign', { org_id, raw: rawOf({ advertiser_id: org_id }) })).not.toEqual([]);
  });
});

describe('`raw` of a get', () => {
  it('reaches the platform beside what the call asks', async () => {
    const { id } = await campaignOf({ name: 'Raw one', goal: 'REACH' });
    world.sent.length = 0;
    const raw = rawOf({ fields: ['campaign_id', 'campaign_name'] });
    const answer = await world.get('campaign', id, { org_id: world.organization, fields: 'id,name,goal,raw', raw });
    const [sent] = world.sent.filter(({ operation }) => operation === 'campaign/get');
    expect(sent?.query).toMatchObject({ fields: '["campaign_id","campaign_name"]', filtering: { campaign_ids: [id] } });
    expect(answer).toMatchObject({ id, name: 'Raw one' });
    // The platform has answered these members alone.
    expect(answer).not.toHaveProperty('goal');
    expect(Object.keys(answer.raw).sort()).toEqual(['campaign_id', 'campaign_name']);
  });

  it('cannot turn it to another account or object', async () => {
    const { id } = await campaignOf({ name: 'Raw two', goal: 'REACH' });
    world.sent.length = 0;
    for (const raw of [{ advertiser_id: other }, { filtering: { campaign_ids: ['1'] } }]) {
      const error = await failure(world.get('campaign', id, { org_id: world.organization, raw: rawOf(raw) }));
      expect([raw, error.code]).toEqual([raw, 'input_invalid']);
    }
    expect(operations()).not.toContain('campaign/get');
  });
});

describe('`raw` of a report', () => {
  const base = { start_gte: '2026-10-01', end_lt: '2026-10-05', type: 'COST', level: 'campaign' };

  it('reads back as native rows that name their object', async () => {
    const asked = { ...base, org_id: world.organization, dimension: 'DATE', fields: 'metrics,raw' };
    const [row] = await world.report(asked);
    const { id } = row.metrics[0].campaign;
    expect(row.raw.rows.length).toBeGreaterThan(0);
    for (const { dimensions } of row.raw.rows)
      expect(dimensions).toEqual({ campaign_id: id, stat_time_day: expect.stringMatching(/^2026-10-0\d$/) });
  });

  it('adds native filters', async () => {
    const whole = await world.report({ ...base, org_id: world.organization });
    const wanted = whole.find(({ metrics }) => metrics[0].value > 0).metrics[0].campaign.id;
    const filter = { field_name: 'campaign_ids', filter_type: 'IN', filter_value: JSON.stringify([wanted]) };
    const rows = await world.report({ ...base, org_id: world.organization, raw: rawOf({ filtering: [filter] }) });
    expect(rows.map(({ metrics }) => metrics[0].campaign.id)).toEqual([wanted]);
  });

  it.each([
    ['advertiser_ids', () => [other]],
    ['advertiser_id', () => other],
    ['query_lifetime', () => true],
    ['start_date', () => '2026-10-04'],
    ['metrics', () => ['clicks']],
    ['page', () => '2'],
    ['filtering', () => [{ field_name: 'campaign_status', filter_type: 'IN', filter_value: '["STATUS_ALL"]' }]],
  ])('cannot set %s: the numbers would not be what their row says', async (name, value) => {
    const raw = rawOf({ [name]: value() });
    const error = await failure(world.report({ ...base, org_id: world.organization, raw }));
    expect([error.code, error.details['field']]).toEqual(['input_value_invalid', `raw.${name}`]);
    expect(operations()).not.toContain('report/integrated/get');
  });
});

describe('`raw` in a body', () => {
  it('does not turn an update to another object or account', async () => {
    const [one, two] = [await campaignOf({ name: 'One' }), await campaignOf({ name: 'Two' })];
    const group = await groupOf();
    const ad = await adOf();
    world.sent.length = 0;
    for (const [object, row, raw] of [
      ['campaign', one, { campaign_id: two.id }],
      ['campaign', one, { advertiser_id: other }],
      ['group', group, { adgroup_id: '1' }],
      ['group', group, { advertiser_id: other }],
      ['ad', ad, { ad_id: '1' }],
      ['ad', ad, { adgroup_id: '1' }],
    ] as const) {
      const error = await failure(world.update(object, row.id, { name: 'Changed', raw }));
      expect([object, raw, error.code]).toEqual([object, raw, 'input_field_immutable']);
      expect(error.details['field']).toBe(Object.keys(raw)[0]);
    }
    expect(operations().filter((operation) => operation.endsWith('update'))).toEqual([]);
    const repeated = { campaign_id: one.id, advertiser_id: world.organization };
    expect(await world.update('campaign', one.id, { name: 'Changed', raw: repeated })).toMatchObject({
      id: one.id,
      name: 'Changed',
    });
    expect((await world.get('campaign', two.id)).name).toBe('Two');
  });
});

describe('`promoted` of an ad', () => {
  it('cannot be emptied, as an ad has an identity', async () => {
    const ad = await adOf();
    for (const object of ['ad', 'creative'] as const) {
      const error = await failure(world.update(object, ad.id, { promoted: [] }));
      expect([error.code, error.details['field']]).toEqual(['input_value_invalid', 'promoted']);
    }
  });
});

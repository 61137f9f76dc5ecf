/** Reports of TikTok over HTTP against the simulator: nothing cut off, nothing left out, sums to the cent. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addDecimals } from '../../../src/core/model/decimal.ts';
import { type Any, startWorld, type World } from './support/world.ts';

let world: World;
let accounts: Record<string, Any>;
beforeAll(async () => {
  world = await startWorld();
  accounts = Object.fromEntries((await world.list('organization')).map((one) => [one.name, one]));
}, 60_000);
afterAll(() => world.close());
beforeEach(() => {
  world.sent.length = 0;
});

const day = (ago: number): string =>
  new Date(world.simulator.running.clock.now().getTime() - ago * 86_400_000).toISOString().slice(0, 10);
const values = (report: Any, type: string): Any[] => report.metrics.filter((one: Any) => one.type === type);
const sum = (reports: Any[], type: string): string =>
  reports.flatMap((one) => values(one, type)).reduce((total, { value }) => addDecimals(total, String(value)), '0');
const seed = (advertiser_id: string, volume: number, deleted_share: number) =>
  world.simulator.control('POST', '/seed', { volume, advertiser_id, deleted_share });
const reports = (): Any[] => world.sent.filter(({ operation }) => operation === 'report/integrated/get');

describe('windows, levels, breakdowns', () => {
  it('adds up over levels, and over the days of a window longer than TikTok takes', async () => {
    const base = { org_id: world.organization, start_gte: day(70), end_lt: day(0), type: 'COST,IMPRESSIONS' };
    const [total] = await world.report({ ...base, level: 'organization' });
    expect(Number(values(total, 'COST')[0].value)).toBeGreaterThan(0);
    expect(values(total, 'COST')[0]).toMatchObject({ unit: 'currency', currency: 'USD', native: ['spend'] });
    const expected = sum([total], 'COST');
    for (const level of ['campaign', 'group', 'ad']) {
      expect([level, sum(await world.report({ ...base, level }), 'COST')]).toEqual([level, expected]);
      world.sent.length = 0;
      const daily = await world.report({ ...base, level, dimension: 'DATE' });
      expect([level, sum(daily, 'COST')]).toEqual([level, expected]);
      expect(new Set(reports().map(({ query }) => query.start_date)).size).toBe(3);
      for (const one of daily.flatMap((row) => row.metrics))
        expect(one).toMatchObject({ dimension: 'DATE', dimension_value: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) });
    }
  });

  it('names what it counts', async () => {
    const [row] = await world.report({ org_id: world.organization, level: 'ad', start_gte: day(20), type: 'CLICKS' });
    const { ad } = row.metrics[0];
    expect(await world.get('ad', ad.id)).toMatchObject({ id: ad.id, name: ad.name });
    const [whole] = await world.report({ org_id: world.organization, level: 'organization', type: 'CLICKS' });
    expect(whole.organization_id).toBe(world.organization);
  });

  it('computes ratios from the sums, not from TikTok’s ratios', async () => {
    const [row] = await world.report({
      org_id: world.organization,
      level: 'campaign',
      start_gte: day(60),
      dimension: '',
      type: 'CTR,CPC,CPM,CPA,ROAS,COST,CLICKS,IMPRESSIONS',
    } as Any);
    const value = (type: string) => values(row, type)[0]?.value;
    expect(value('CTR')).toBeCloseTo(value('CLICKS') / value('IMPRESSIONS'), 5);
    expect(value('CPC')).toBeCloseTo(value('COST') / value('CLICKS'), 5);
    expect(value('CPM')).toBeCloseTo((1_000 * value('COST')) / value('IMPRESSIONS'), 4);
    expect(values(row, 'CTR')[0]).toMatchObject({ computed: true, unit: 'ratio' });
  });

  it('breaks down by where and on what the ads were shown', async () => {
    const base = {
      org_id: world.organization,
      level: 'campaign',
      start_gte: day(20),
      end_lt: day(2),
      type: 'IMPRESSIONS',
    };
    const whole = sum(await world.report(base), 'IMPRESSIONS');
    for (const dimension of ['PLATFORM', 'DEVICE']) {
      world.sent.length = 0;
      const rows = await world.report({ ...base, dimension });
      expect([dimension, sum(rows, 'IMPRESSIONS')]).toEqual([dimension, whole]);
      expect(reports()[0].query).toMatchObject({ report_type: 'AUDIENCE' });
    }
    await expect(world.report({ ...base, dimension: 'PLATFORM_POSITION' })).rejects.toMatchObject({
      code: 'input_value_unsupported',
      details: { allowed: expect.arrayContaining(['DATE', 'HOUR', 'PLATFORM', 'DEVICE', 'AGE']) },
    });
  });

  it('restricts to what the filters name', async () => {
    const base = { org_id: world.organization, start_gte: day(20), type: 'IMPRESSIONS' };
    const all = await world.report({ ...base, level: 'ad' });
    const ad = all[0].metrics[0].ad.id;
    const { group_id, campaign_id } = await world.get('ad', ad);
    const ids = (rows: Any[]) => rows.map((row) => row.metrics[0].ad.id);
    expect(ids(await world.report({ ...base, ad_id: ad }))).toEqual([ad]);
    const inGroup = ids(await world.report({ ...base, level: 'ad', group_id }));
    const inCampaign = ids(await world.report({ ...base, level: 'ad', campaign_id }));
    expect(inGroup).toContain(ad);
    expect(inCampaign).toEqual(expect.arrayContaining(inGroup));
    expect(inCampaign.length).toBeLessThan(all.length);
  });

  it('asks every metric it declares, and TikTok knows each', async () => {
    const { report } = (await import('../../../src/platforms/tiktok/reports.ts')) as Any;
    // Reports of GMV Max have it alone.
    const names = Object.keys(report.metrics).filter((name) => name !== 'NET_COST');
    const rows = await world.report({
      org_id: world.organization,
      level: 'campaign',
      start_gte: day(10),
      type: names.join(','),
    });
    expect(rows.length).toBeGreaterThan(0);
    for (const { type, value } of rows[0].metrics) expect([type, typeof value]).toEqual([type, 'number']);
  });

  it('tells callers who use TikTok’s words the level', async () => {
    const rows = await world.report({ org_id: world.organization, raw: 'data_level=AUCTION_ADGROUP', type: 'CLICKS' });
    expect(rows[0].metrics[0].group.id).toMatch(/^\d+$/);
  });
});

describe('what TikTok would leave out', () => {
  it('counts the spend of deleted ads', async () => {
    const { id } = accounts['Acme Deutschland'];
    await seed(id, 300, 0.5);
    const base = { org_id: id, start_gte: day(40), end_lt: day(10), type: 'COST', level: 'ad' };
    const rows = await world.report(base);
    const [total] = await world.report({ ...base, level: 'organization' });
    expect(sum(rows, 'COST')).toBe(sum([total], 'COST'));
    const deleted = await world.list('ad', { org_id: id, status: 'ARCHIVED', limit: '1000' });
    const gone = new Set(deleted.map((one) => one.id));
    const spent = rows.filter((row) => gone.has(row.metrics[0]?.ad.id));
    expect(Number(sum(spent, 'COST'))).toBeGreaterThan(0);
  }, 60_000);

  it.each([
    ['Acme Japan', 'JPY', 'Asia/Tokyo'],
    ['Acme Kuwait', 'KWD', 'Asia/Kuwait'],
  ])(
    'misses none of 25,000 ads, some deleted, over 90 days, day by day (%s)',
    async (name, currency, zone) => {
      const { id } = accounts[name];
      await seed(id, 25_000, 0.1);
      const base = { org_id: id, start_gte: day(95), end_lt: day(5), type: 'COST', dimension: 'DATE' };
      const [total] = await world.report({ ...base, level: 'organization' });
      world.sent.length = 0;
      const rows = await world.report({ ...base, level: 'ad' });
      expect(sum(rows, 'COST')).toBe(sum([total], 'COST'));
      expect(rows[0]).toMatchObject({ currency, time_zone: zone });
      const filters = reports().flatMap(({ query }) => query.filtering.map((one: Any) => one.field_name));
      expect(new Set(filters)).toContain('campaign_ids');
      for (const { query } of reports())
        for (const { filter_value } of query.filtering)
          expect(JSON.parse(filter_value).length).toBeLessThanOrEqual(100);
    },
    240_000,
  );

  it('refuses in the sandbox what the sandbox does not have, before it is sent', async () => {
    await expect(world.report({ level: 'organization', type: 'COST' }, 'sandbox')).rejects.toMatchObject({
      code: 'platform_environment_unsupported',
    });
    expect(world.sent).toEqual([]);
  });
});

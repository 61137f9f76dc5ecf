import { beforeAll, describe, expect, it } from 'vitest';
import { BUSY_DAYS, busyWorld, filter, ReportWorld, sum } from '../../../../test/support/tiktok-report-world.ts';

const DAY = 86_400_000;
const span = BUSY_DAYS;
const ALL = [filter('ad_status', 'IN', '["STATUS_ALL"]')];

let world: ReportWorld;
beforeAll(() => {
  world = busyWorld();
});

describe('deleted objects and filters', () => {
  const ids = (params: Record<string, unknown>, dimension: string) =>
    new Set(world.report({ ...span, ...params }).list.map((row) => row.dimensions[dimension]));

  it('hides what was deleted below the advertiser level unless STATUS_ALL is asked for', () => {
    const campaign = { data_level: 'AUCTION_CAMPAIGN', dimensions: ['campaign_id'] };
    expect(ids(campaign, 'campaign_id').size).toBe(3);
    const status = (value: string) => ({ filtering: [filter('campaign_status', 'IN', `["${value}"]`)] });
    expect(ids({ ...campaign, ...status('STATUS_ALL') }, 'campaign_id').size).toBe(4);
    expect(ids({ ...campaign, ...status('STATUS_NOT_DELETE') }, 'campaign_id').size).toBe(3);
    expect(ids({ ...campaign, ...status('STATUS_DELETE') }, 'campaign_id').size).toBe(1);
    const ad = { data_level: 'AUCTION_AD', dimensions: ['ad_id'] };
    // 24 ads: 6 in the deleted campaign, 3 in the deleted ad group, one by itself.
    expect(ids(ad, 'ad_id').size).toBe(24 - 6 - 3 - 1);
    expect(ids({ ...ad, filtering: ALL }, 'ad_id').size).toBe(24);
    const spend = (params: object) => sum(world.report({ ...span, ...params }).list, 'spend', 2);
    const whole = spend({ data_level: 'AUCTION_ADVERTISER', dimensions: ['advertiser_id'] });
    expect(spend(ad)).toBeLessThan(spend(campaign));
    expect(spend(campaign)).toBeLessThan(whole);
  });

  it('filters by ids, names, properties, metrics and labels', () => {
    const [first, second] = [...world.world.campaigns.values()] as unknown as [{ id: string }, { id: string }];
    const campaign = { data_level: 'AUCTION_CAMPAIGN', dimensions: ['campaign_id'] };
    const by = (...filtering: object[]) => [...ids({ ...campaign, filtering }, 'campaign_id')].sort();
    expect(by(filter('campaign_ids', 'IN', `["${first.id}","${second.id}"]`))).toEqual([first.id, second.id].sort());
    expect(
      by(filter('campaign_ids', 'IN', `[${JSON.stringify(first.id)}]`), filter('objective_type', 'IN', '["REACH"]')),
    ).toEqual([]);
    expect(by(filter('objective_type', 'IN', '["APP_PROMOTION"]'))).toEqual([second.id]);
    expect(by(filter('campaign_name', 'MATCH', first.id.slice(-6)))).toEqual([first.id]);
    const adsOfFirst = world.world.ads.by('campaign', first.id).map(({ id }) => id);
    expect(by(filter('ad_ids', 'IN', JSON.stringify(adsOfFirst)))).toEqual([first.id]);
    const rows = (...filtering: object[]) =>
      world.report({
        ...span,
        data_level: 'AUCTION_AD',
        dimensions: ['ad_id', 'stat_time_day'],
        metrics: ['clicks'],
        filtering,
      }).list;
    const clicks = rows(filter('clicks', 'BETWEEN', '[20, 40]')).map((row) => Number(row.metrics['clicks']));
    expect(clicks.length).toBeGreaterThan(0);
    for (const n of clicks) expect(n >= 20 && n <= 40).toBe(true);
    expect(rows(filter('clicks', 'GREATER_EQUAL', '0')).length).toBe(rows().length);
    expect(
      rows(filter('clicks', 'LOWER_THAN', '20')).length + rows(filter('clicks', 'GREATER_EQUAL', '20')).length,
    ).toBe(rows().length);
    const men = world.report({
      ...span,
      report_type: 'AUDIENCE',
      data_level: 'AUCTION_ADVERTISER',
      dimensions: ['advertiser_id', 'gender', 'age'],
      filtering: [filter('gender', 'IN', '["MALE"]')],
    }).list;
    expect(new Set(men.map((row) => row.dimensions['gender']))).toEqual(new Set(['MALE']));
  });
});

describe('rules', () => {
  const good = { ...span, data_level: 'AUCTION_CAMPAIGN', dimensions: ['campaign_id', 'stat_time_day'] };

  it.each<[string, Record<string, unknown>, number, RegExp]>([
    ['no dimensions', { dimensions: undefined }, 40002, /Missing required field\(s\): dimensions/],
    ['no level', { data_level: undefined }, 40002, /data_level/],
    ['no account', { advertiser_id: undefined }, 40002, /advertiser_id/],
    ['unknown report type', { report_type: 'FANCY' }, 40002, /report_type/],
    [
      'unknown metric',
      { metrics: ['spend', 'complete_payment_value'] },
      40002,
      /^Please correct the information in invalid metric fields and try again\. Invalid metric fields: \['complete_payment_value'\]\. $/,
    ],
    ['unknown dimension', { dimensions: ['campaign_id', 'moon_phase'] }, 40002, /\['moon_phase'\]/],
    ['dimension of another report', { dimensions: ['campaign_id', 'age'] }, 40002, /\['age'\]/],
    ['id of another level', { dimensions: ['ad_id'] }, 40002, /\['ad_id'\]/],
    [
      'id of a level above',
      { data_level: 'AUCTION_AD', dimensions: ['ad_id', 'campaign_id'] },
      40002,
      /\['campaign_id'\]/,
    ],
    ['two ids', { data_level: 'AUCTION_AD', dimensions: ['ad_id', 'ad_id_v2'] }, 40002, /one ID dimension/],
    ['two times', { dimensions: ['campaign_id', 'stat_time_day', 'stat_time_hour'] }, 40002, /one time dimension/],
    [
      'attribute without id',
      { dimensions: ['stat_time_day'], metrics: ['campaign_name'] },
      40002,
      /\['campaign_name'\]/,
    ],
    ['currency without id', { dimensions: ['stat_time_day'], metrics: ['currency'] }, 40002, /\['currency'\]/],
    ['31 days by day', { start_date: '2026-10-23' }, 40002, /^max time span is 30 days when use stat_time_day$/],
    [
      'two days by hour',
      { dimensions: ['campaign_id', 'stat_time_hour'], start_date: '2026-11-21' },
      40002,
      /^max time span is 1 day when use stat_time_hour$/,
    ],
    ['366 days', { dimensions: ['campaign_id'], start_date: '2025-11-22' }, 40002, /^max time span is 365 days$/],
    ['end before start', { start_date: '2026-11-22', end_date: '2026-11-21' }, 40002, /start_date/],
    ['no such day', { end_date: '2026-02-30' }, 40002, /end_date/],
    ['no dates', { start_date: undefined, end_date: undefined }, 40002, /start_date, end_date/],
    ['lifetime by day', { query_lifetime: true }, 40002, /query_lifetime/],
    [
      'lifetime by country',
      { query_lifetime: true, dimensions: ['campaign_id', 'country_code'] },
      40002,
      /country_code/,
    ],
    [
      'lifetime of an audience',
      { report_type: 'AUDIENCE', query_lifetime: true, dimensions: ['campaign_id'] },
      40002,
      /query_lifetime/,
    ],
    [
      'audience by hour',
      { report_type: 'AUDIENCE', dimensions: ['campaign_id', 'stat_time_hour'] },
      40002,
      /stat_time_hour/,
    ],
    [
      'lifetime cash',
      { query_lifetime: true, dimensions: ['campaign_id'], metrics: ['cash_spend', 'voucher_spend'] },
      40002,
      /\['cash_spend', 'voucher_spend'\]/,
    ],
    ['order by attribute', { order_field: 'campaign_name' }, 40002, /order_field/],
    ['order by nothing known', { order_field: 'foo' }, 40002, /order_field/],
    ['reservation level', { data_level: 'RESERVATION_CAMPAIGN' }, 40002, /RESERVATION_CAMPAIGN/],
    ['too large a page', { page_size: 1001 }, 40002, /page_size/],
    ['page 0', { page: 0 }, 40002, /page/],
    ['unknown filter', { filtering: [filter('mood', 'IN', '["x"]')] }, 40002, /field_name: mood/],
    ['unknown filter type', { filtering: [filter('campaign_ids', 'NOT', '["1"]')] }, 40002, /filter_type/],
    ['filter value as bare text', { filtering: [filter('campaign_ids', 'IN', '1,2')] }, 40002, /JSON array/],
    [
      'filter value as a list',
      { filtering: [{ field_name: 'campaign_ids', filter_type: 'IN', filter_value: ['1'] }] },
      40002,
      /filter_value/,
    ],
    ['odd id', { filtering: [filter('campaign_ids', 'IN', '["abc"]')] }, 40002, /abc/],
    [
      '101 ids',
      { filtering: [filter('campaign_ids', 'IN', JSON.stringify(Array.from({ length: 101 }, (_, i) => String(i))))] },
      40011,
      /100/,
    ],
    ['odd status', { filtering: [filter('campaign_status', 'IN', '["ALIVE"]')] }, 40002, /ALIVE/],
    ['label that is no dimension', { filtering: [filter('gender', 'IN', '["MALE"]')] }, 40002, /gender/],
    ['other account', { advertiser_id: '999' }, 40001, /999/],
    ['six accounts', { advertiser_ids: ['1', '2', '3', '4', '5', '6'] }, 40011, /5/],
    ['BC report without bc_id', { report_type: 'BC' }, 40002, /bc_id/],
    ['BC report of others', { report_type: 'BC', bc_id: '1', data_level: undefined }, 40001, /Business Center/],
    ['GMV Max report', { report_type: 'TT_SHOP' }, 40118, /TT_SHOP/],
  ])('refuses %s', (_name, change, code, message) => {
    const refusal = world.refusal({ ...good, ...change });
    expect(refusal.message).toMatch(message);
    expect(refusal.code).toBe(code);
  });

  it('takes what is just inside the limits', () => {
    expect(world.report(good).list.length).toBeGreaterThan(0);
    expect(
      world.report({ ...good, dimensions: ['campaign_id'], start_date: '2025-11-23' }).list.length,
    ).toBeGreaterThan(0);
    const cash = world.report({
      ...span,
      data_level: 'AUCTION_ADVERTISER',
      dimensions: ['advertiser_id', 'stat_time_day'],
      metrics: ['spend', 'cash_spend', 'voucher_spend', 'billed_cost'],
    }).list;
    for (const { metrics } of cash) expect(metrics['cash_spend']).toBe(metrics['spend']);
    expect(world.report({ ...good, service_type: 'RESERVATION', data_level: 'RESERVATION_CAMPAIGN' }).list).toEqual([]);
  });

  it('keeps catalog and playable reports to ads of that kind', () => {
    const own = new ReportWorld('2026-11-01T00:00:00Z');
    const campaign = own.campaign('2026-11-01 00:00:00', { objective_type: 'PRODUCT_SALES' });
    const plain = own.adgroup(campaign, '2026-11-01 00:00:00');
    const catalog = own.adgroup(campaign, '2026-11-01 00:00:00', { catalog_id: '88' });
    own.ad(plain, '2026-11-01 00:00:00', { playable_url: 'https://x.test/game.zip' });
    const ad = own.ad(catalog, '2026-11-01 00:00:00', { product_set_id: '99' });
    own.clock.advance(3 * DAY);
    const dates = { start_date: '2026-11-01', end_date: '2026-11-03' };
    const asked = {
      ...dates,
      report_type: 'CATALOG',
      data_level: 'AUCTION_AD',
      dimensions: ['ad_id', 'catalog_id', 'product_set_id'],
    };
    expect(own.report(asked).list.map((row) => row.dimensions)).toEqual([
      { ad_id: ad.id, catalog_id: '88', product_set_id: '99' },
    ]);
    const playable = own.report({
      ...dates,
      report_type: 'PLAYABLE_MATERIAL',
      dimensions: ['playable_id', 'country_code'],
    });
    expect(playable.list.map((row) => row.dimensions['country_code'])).toEqual(['US']);
    expect(Number(playable.list[0]!.metrics['spend'])).toBeGreaterThan(0);
    expect(world.report({ ...span, report_type: 'PLAYABLE_MATERIAL', dimensions: ['playable_id'] }).list).toEqual([]);
  });
});

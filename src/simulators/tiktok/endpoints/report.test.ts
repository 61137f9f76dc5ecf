import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { minor, ReportWorld, sum } from '../../../../test/support/tiktok-report-world.ts';
import { formatDay } from '../../kit/local-days.ts';
import { DIMENSIONS } from '../report-dimensions.ts';
import { REPORT_METRICS } from '../report-metrics-table.ts';

const DAY = 86_400_000;
const span = { start_date: '2026-10-24', end_date: '2026-11-22' };
const ALL = [{ field_name: 'ad_status', filter_type: 'IN', filter_value: '["STATUS_ALL"]' }];
const filter = (field_name: string, filter_type: string, filter_value: string) => ({
  field_name,
  filter_type,
  filter_value,
});
const NUMBERS = [
  'spend',
  'impressions',
  'clicks',
  'conversion',
  'result',
  'video_play_actions',
  'video_views_p100',
  'likes',
  'complete_payment',
  'total_complete_payment_rate',
  'total_purchase',
  'onsite_shopping',
];
const money = new Set(['spend', 'total_complete_payment_rate']);

/** Several channels, pauses and deletions at every level, over two months in Los Angeles. */
function busy(): ReportWorld {
  const world = new ReportWorld('2026-11-22T21:10:00Z');
  const objectives = ['WEB_CONVERSIONS', 'APP_PROMOTION', 'PRODUCT_SALES', 'REACH'];
  objectives.forEach((objective, c) => {
    const campaign = world.campaign('2026-09-20 03:00:00', {
      objective_type: objective,
      ...(objective === 'PRODUCT_SALES' ? { campaign_product_source: 'STORE' } : {}),
    });
    for (let g = 0; g < 2; g++) {
      const group = world.adgroup(campaign, '2026-10-01 03:00:00', {
        promotion_type: objective === 'APP_PROMOTION' ? 'APP_ANDROID' : 'WEBSITE',
        location_ids: ['6252001', '2635167'],
      });
      for (let a = 0; a < 3; a++) world.ad(group, `2026-10-${10 + a * 5} 1${c}:20:00`);
    }
  });
  const campaigns = [...world.world.campaigns.values()];
  const groups = [...world.world.adgroups.values()];
  const ads = [...world.world.ads.values()];
  const removed = { operation_status: 'DELETE', modify_time: '2026-11-10 12:34:56' };
  world.world.campaigns.put({ ...campaigns[3]! });
  const put = (kind: 'campaigns' | 'adgroups' | 'ads', id: string) =>
    world.world[kind].put({ ...world.world[kind].get(id)!, ...removed });
  world.clock.set(new Date('2026-11-10T12:34:56Z'));
  put('campaigns', campaigns[2]!.id);
  put('adgroups', groups[1]!.id);
  put('ads', ads[0]!.id);
  world.clock.set(new Date('2026-11-22T21:10:00Z'));
  return world;
}

let world: ReportWorld;
beforeAll(() => {
  world = busy();
});

/** Sum of a report over its rows, one text per metric. */
const totals = (params: Record<string, unknown>, metrics = NUMBERS): Record<string, string> => {
  const { list, page_info } = world.report({ metrics, ...params });
  expect(page_info.total_page).toBeLessThanOrEqual(1);
  return Object.fromEntries(metrics.map((name) => [name, String(sum(list, name, money.has(name) ? 2 : 0))]));
};

describe('adding up', () => {
  it('is the same at every level when deleted objects count', () => {
    const whole = totals({ ...span, data_level: 'AUCTION_ADVERTISER', dimensions: ['advertiser_id'] });
    expect(Number(whole['spend'])).toBeGreaterThan(10_000);
    for (const name of NUMBERS) expect(BigInt(whole[name]!), name).toBeGreaterThan(0n);
    for (const level of ['campaign', 'adgroup', 'ad']) {
      const asked = { ...span, data_level: `AUCTION_${level.toUpperCase()}`, filtering: ALL };
      expect(totals({ ...asked, dimensions: [`${level}_id`] })).toEqual(whole);
      expect(totals({ ...asked, dimensions: [`${level}_id`, 'stat_time_day'] })).toEqual(whole);
      expect(totals({ ...asked, dimensions: ['stat_time_day'] })).toEqual(whole);
    }
  });

  it('hours add up to their day, days to the lifetime', () => {
    const level = { data_level: 'AUCTION_CAMPAIGN', filtering: ALL };
    for (const date of ['2026-10-25', '2026-11-01', '2026-11-10', '2026-11-22']) {
      const one = { ...level, start_date: date, end_date: date };
      const day = totals({ ...one, dimensions: ['campaign_id', 'stat_time_day'] });
      expect(totals({ ...one, dimensions: ['campaign_id', 'stat_time_hour'] }), date).toEqual(day);
    }
    const lifetime = totals({ ...level, query_lifetime: true, dimensions: ['campaign_id'] });
    const parts = ['2026-09-01', '2026-10-01', '2026-10-31'].map((start_date) => {
      const end = formatDay(Date.parse(start_date) / DAY + 29);
      return totals({ ...level, start_date, end_date: end, dimensions: ['campaign_id', 'stat_time_day'] });
    });
    for (const name of NUMBERS) {
      expect(String(parts.reduce((all, part) => all + BigInt(part[name]!), 0n)), name).toBe(lifetime[name]);
    }
  });

  it('every breakdown, alone or crossed, adds up to the whole', () => {
    const names = [...DIMENSIONS.values()];
    const audience = names.filter(({ reports }) => reports.includes('AUDIENCE')).map(({ name }) => name);
    const basic = names.filter(({ reports }) => reports.includes('BASIC')).map(({ name }) => name);
    const level = { ...span, data_level: 'AUCTION_ADVERTISER' };
    const whole = totals({ ...level, dimensions: ['advertiser_id'] });
    for (const name of basic) {
      expect(totals({ ...level, dimensions: ['advertiser_id', name] }), name).toEqual(whole);
    }
    const cross = [
      ...audience.map((name) => [name]),
      ['age', 'gender'],
      ['country_code', 'platform'],
      ['age', 'stat_time_day'],
    ];
    for (const dimensions of cross) {
      const asked = { ...level, report_type: 'AUDIENCE', dimensions: ['advertiser_id', ...dimensions] };
      expect(totals(asked), dimensions.join()).toEqual(whole);
    }
  });

  it('a crossed breakdown agrees with each of its sides', () => {
    const level = { ...span, data_level: 'AUCTION_ADVERTISER', report_type: 'AUDIENCE', metrics: ['impressions'] };
    const side = (dimensions: string[], by: string) => {
      const found: Record<string, number> = {};
      for (const row of world.report({ ...level, dimensions: ['advertiser_id', ...dimensions] }).list) {
        const label = row.dimensions[by]!;
        found[label] = (found[label] ?? 0) + Number(row.metrics['impressions']);
      }
      return found;
    };
    for (const by of ['age', 'gender']) expect(side(['age', 'gender'], by)).toEqual(side([by], by));
    expect(Object.keys(side(['gender'], 'gender')).length).toBe(3);
    expect(Object.keys(side(['country_code'], 'country_code')).sort()).toEqual(['GB', 'US']);
  });

  it('any two neighbouring spans add up to the one over both', () => {
    const day = fc.integer({ min: 0, max: 60 });
    fc.assert(
      fc.property(day, day, day, (a, b, c) => {
        const [from, mid, to] = [a, b, c].sort((x, y) => x - y) as [number, number, number];
        const at = (n: number) => formatDay(Date.UTC(2026, 8, 24) / DAY + n);
        const spend = (x: number, y: number) =>
          minor(
            world.report({
              data_level: 'AUCTION_ADVERTISER',
              dimensions: ['advertiser_id'],
              start_date: at(x),
              end_date: at(y),
            }).list[0]!.metrics['spend']!,
            2,
          );
        expect(spend(from, mid) + spend(mid + 1, to + 1)).toBe(spend(from, to + 1));
      }),
      { numRuns: 25 },
    );
  });
});

describe('rows', () => {
  it('has text metrics, day and hour texts, and newest objects first', () => {
    const { list, page_info } = world.report({
      ...span,
      data_level: 'AUCTION_AD',
      dimensions: ['ad_id', 'stat_time_day'],
      metrics: ['spend', 'impressions', 'ctr', 'cpc', 'ad_name', 'campaign_id', 'currency'],
      page_size: 10,
    });
    expect(list).toHaveLength(10);
    expect(page_info).toMatchObject({ page: 1, page_size: 10, total_page: Math.ceil(page_info.total_number / 10) });
    const row = list[0]!;
    expect(row.dimensions['stat_time_day']).toMatch(/^2026-\d\d-\d\d 00:00:00$/);
    expect(row.metrics['spend']).toMatch(/^\d+\.\d\d$/);
    expect(row.metrics['impressions']).toMatch(/^\d+$/);
    expect(row.metrics['ctr']).toMatch(/^\d+\.\d\d$/);
    expect(row.metrics['currency']).toBe('USD');
    const ad = world.world.ads.get(row.dimensions['ad_id']!)!;
    expect(row.metrics['ad_name']).toBe(ad['ad_name']);
    expect(row.metrics['campaign_id']).toBe(ad['campaign_id']);
    const percent = (100 * Number(row.metrics['clicks'] ?? 0)) / Number(row.metrics['impressions']);
    expect(Number.isFinite(percent)).toBe(true);
    const hour = world.report({
      start_date: '2026-11-21',
      end_date: '2026-11-21',
      data_level: 'AUCTION_CAMPAIGN',
      dimensions: ['campaign_id', 'stat_time_hour'],
    }).list[0]!;
    expect(hour.dimensions['stat_time_hour']).toMatch(/^2026-11-21 \d\d:00:00$/);
    expect(Object.keys(hour.metrics)).toEqual(['spend', 'impressions']);
  });

  it('pages without gaps or doubles', () => {
    const asked = { ...span, data_level: 'AUCTION_AD', dimensions: ['ad_id', 'stat_time_day'] };
    const one = world.report(asked).list.map((row) => JSON.stringify(row));
    const paged: string[] = [];
    for (let page = 1; ; page++) {
      const { list, page_info } = world.report({ ...asked, page, page_size: 7 });
      paged.push(...list.map((row) => JSON.stringify(row)));
      if (page >= page_info.total_page) break;
    }
    expect(paged).toEqual(one);
    expect(new Set(one).size).toBe(one.length);
    expect(world.report({ ...asked, page: 9999 }).list).toEqual([]);
  });

  it('leaves out silent days, lists silent objects with zeros when only an id is asked for', () => {
    const before = { start_date: '2026-09-25', end_date: '2026-09-30', data_level: 'AUCTION_CAMPAIGN' };
    expect(world.report({ ...before, dimensions: ['campaign_id', 'stat_time_day'] }).list).toEqual([]);
    const { list } = world.report({ ...before, dimensions: ['campaign_id'], metrics: ['spend', 'clicks', 'ctr'] });
    expect(list).toHaveLength(3);
    expect(list[0]!.metrics).toEqual({ spend: '0.00', clicks: '0', ctr: '0.00' });
    const ever = world.report({ ...before, report_type: 'AUDIENCE', dimensions: ['campaign_id', 'gender'] });
    expect(ever).toEqual({
      list: [],
      page_info: { page: 1, page_size: 1000, total_number: 0, total_page: 0 },
      total_metrics: null,
    });
  });

  it('orders by any metric, descending unless said', () => {
    const asked = {
      ...span,
      data_level: 'AUCTION_AD',
      dimensions: ['ad_id', 'stat_time_day'],
      metrics: ['impressions'],
    };
    const values = (more: object) =>
      world
        .report({ ...asked, metrics: ['impressions', 'cpc'], ...more })
        .list.map((row) => Number(row.metrics['impressions']));
    const down = values({ order_field: 'impressions' });
    expect(down).toEqual([...down].sort((a, b) => b - a));
    const up = values({ order_field: 'impressions', order_type: 'ASC' });
    expect(up).toEqual([...down].reverse().sort((a, b) => a - b));
    // Not among the requested metrics.
    expect(world.report({ ...asked, order_field: 'spend' }).list[0]!.metrics).not.toHaveProperty('spend');
  });

  it('answers every metric name there is, with a text', () => {
    const names = REPORT_METRICS.map(([name]) => name);
    expect(names).toHaveLength(826);
    const { list } = world.report({
      ...span,
      data_level: 'AUCTION_AD',
      dimensions: ['ad_id', 'stat_time_day'],
      metrics: names,
      page_size: 20,
    });
    for (const row of list) {
      expect(Object.keys(row.metrics)).toEqual(names);
      for (const name of names) expect(row.metrics[name], name).toMatch(/./);
      for (const name of names) expect(row.metrics[name], name).not.toMatch(/NaN|undefined|Infinity|null|object/);
    }
  });

  it('computes ratios from the sums it shows', () => {
    const metrics = ['spend', 'impressions', 'clicks', 'ctr', 'cpc', 'cpm', 'conversion', 'cost_per_conversion'];
    const value = ['conversion_rate_v2', 'complete_payment', 'complete_payment_roas', 'total_complete_payment_rate'];
    const rows = world.report({
      ...span,
      data_level: 'AUCTION_CAMPAIGN',
      dimensions: ['campaign_id'],
      metrics: [...metrics, ...value, 'reach', 'frequency', 'video_play_actions', 'average_video_play'],
    }).list;
    for (const { metrics: m } of rows) {
      const n = (name: string) => Number(m[name]);
      const ratio = (a: number, b: number) => (b === 0 ? '0.00' : (a / b).toFixed(2));
      expect(m['ctr']).toBe(ratio(n('clicks') * 100, n('impressions')));
      expect(m['cpc']).toBe(ratio(n('spend'), n('clicks')));
      expect(m['cpm']).toBe(ratio(n('spend') * 1000, n('impressions')));
      expect(m['cost_per_conversion']).toBe(ratio(n('spend'), n('conversion')));
      expect(m['conversion_rate_v2']).toBe(ratio(n('conversion') * 100, n('impressions')));
      expect(m['complete_payment_roas']).toBe(ratio(n('total_complete_payment_rate'), n('spend')));
      expect(m['frequency']).toBe(ratio(n('impressions'), n('reach')));
      expect(n('reach')).toBeLessThanOrEqual(n('impressions'));
      if (n('complete_payment') > 0) expect(n('total_complete_payment_rate')).toBeGreaterThan(n('complete_payment'));
    }
  });

  it('counts conversions in the leg of their channel alone', () => {
    const legs = [
      'complete_payment',
      'total_purchase',
      'onsite_shopping',
      'onsite_total_purchase',
      'offline_shopping_events',
    ];
    const rows = world.report({
      ...span,
      data_level: 'AUCTION_CAMPAIGN',
      dimensions: ['campaign_id'],
      metrics: ['objective_type', 'app_install', 'web_event_add_to_cart', 'app_event_add_to_cart', ...legs],
      filtering: [filter('campaign_status', 'IN', '["STATUS_ALL"]')],
    }).list;
    const filled = Object.fromEntries(
      rows.map(({ metrics }) => [metrics['objective_type'], legs.filter((leg) => Number(metrics[leg]) > 0)]),
    );
    expect(filled).toEqual({
      WEB_CONVERSIONS: ['complete_payment'],
      APP_PROMOTION: ['total_purchase'],
      PRODUCT_SALES: ['onsite_shopping'],
      REACH: [],
    });
    const web = rows.find(({ metrics }) => metrics['objective_type'] === 'WEB_CONVERSIONS')!.metrics;
    expect(Number(web['web_event_add_to_cart'])).toBeGreaterThan(0);
    expect(web['app_event_add_to_cart']).toBe('0');
  });

  it('adds totals over all pages when asked', () => {
    const asked = { ...span, data_level: 'AUCTION_CAMPAIGN', metrics: ['spend', 'clicks', 'campaign_name'] };
    const answer = world.report({
      ...asked,
      dimensions: ['campaign_id', 'stat_time_day'],
      enable_total_metrics: true,
      page_size: 1,
    });
    const whole = totals({ ...asked, dimensions: ['campaign_id', 'stat_time_day'] }, ['spend', 'clicks']);
    expect(String(minor(answer.total_metrics!['spend']!, 2))).toBe(whole['spend']);
    expect(answer.total_metrics).toMatchObject({ clicks: whole['clicks'], campaign_name: '-' });
    expect(world.report({ ...asked, dimensions: ['campaign_id'] }).total_metrics).toBeNull();
  });
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

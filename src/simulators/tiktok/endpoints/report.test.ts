import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  BUSY_DAYS,
  busyWorld,
  filter,
  minor,
  type ReportWorld,
  sum,
} from '../../../../test/support/tiktok-report-world.ts';
import { formatDay } from '../../kit/local-days.ts';
import { DIMENSIONS } from '../report-dimensions.ts';
import { REPORT_METRICS } from '../report-metrics-table.ts';

const DAY = 86_400_000;
const span = BUSY_DAYS;
const ALL = [filter('ad_status', 'IN', '["STATUS_ALL"]')];
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

let world: ReportWorld;
beforeAll(() => {
  world = busyWorld();
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

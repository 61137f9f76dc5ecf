import { describe, expect, it } from 'vitest';
import { minor, ReportWorld, sum } from '../../../../test/support/tiktok-report-world.ts';

const NUMBERS = [
  'spend',
  'impressions',
  'clicks',
  'video_play_actions',
  'complete_payment',
  'total_complete_payment_rate',
];
const money = new Set(['spend', 'total_complete_payment_rate']);

describe('accounts', () => {
  it('writes money in the decimals of the currency, and adds up in it', () => {
    const accounts = [
      { id: '7001', currency: 'JPY', display_timezone: 'Asia/Tokyo', country: 'JP' },
      { id: '7002', currency: 'KWD', display_timezone: 'Asia/Kuwait', country: 'KW' },
    ];
    const own = new ReportWorld('2026-11-01T00:00:00Z', accounts);
    own.tree('2026-11-01 00:00:00', { campaigns: 2, groups: 1, ads: 2 }, '7001');
    own.tree('2026-11-01 00:00:00', { campaigns: 2, groups: 1, ads: 2 }, '7002');
    for (const group of own.world.adgroups.values()) {
      own.world.adgroups.put({ ...group, budget: group.advertiser_id === '7001' ? 20_000 : 40.125 });
    }
    own.clock.set(new Date('2026-11-12T10:00:00Z'));
    for (const [advertiser_id, digits, form] of [
      ['7001', 0, /^\d+$/],
      ['7002', 3, /^\d+\.\d{3}$/],
    ] as const) {
      const asked = { advertiser_id, start_date: '2026-11-01', end_date: '2026-11-12' };
      const whole = own.report({ ...asked, data_level: 'AUCTION_ADVERTISER', dimensions: ['advertiser_id'] }).list;
      const ads = own.report({ ...asked, data_level: 'AUCTION_AD', dimensions: ['ad_id', 'stat_time_day'] }).list;
      expect(whole[0]!.metrics['spend']).toMatch(form);
      for (const row of ads) expect(row.metrics['spend']).toMatch(form);
      expect(sum(ads, 'spend', digits)).toBe(sum(whole, 'spend', digits));
      expect(sum(whole, 'spend', digits)).toBeGreaterThan(0n);
    }
  });

  it('several accounts: currency, timezone and account join the metrics, money has no decimals', () => {
    const accounts = [
      { id: '7001', currency: 'USD', display_timezone: 'America/Los_Angeles' },
      { id: '7002', currency: 'KWD', display_timezone: 'Asia/Kuwait' },
    ];
    const own = new ReportWorld('2026-11-01T00:00:00Z', accounts);
    own.tree('2026-11-01 00:00:00', { campaigns: 1, groups: 1, ads: 2 }, '7001');
    own.tree('2026-11-01 00:00:00', { campaigns: 1, groups: 1, ads: 2 }, '7002');
    own.clock.set(new Date('2026-11-12T10:00:00Z'));
    const asked = {
      advertiser_id: undefined,
      advertiser_ids: ['7001', '7002'],
      start_date: '2026-11-01',
      end_date: '2026-11-12',
    };
    const { list } = own.report({ ...asked, data_level: 'AUCTION_CAMPAIGN', dimensions: ['campaign_id'] });
    expect(list.map((row) => row.metrics['currency']).sort()).toEqual(['KWD', 'USD']);
    for (const { metrics } of list) {
      expect(metrics['spend']).toMatch(/^\d+$/);
      expect(['7001', '7002']).toContain(metrics['advertiser_id']);
      expect(metrics['timezone']).toMatch(/^Etc\/GMT[+-]\d/);
    }
    const [all] = own.report({ ...asked, data_level: 'AUCTION_CAMPAIGN', dimensions: ['stat_time_day'] }).list;
    expect(all!.metrics).toMatchObject({ spend: '-', currency: '0', timezone: '0', advertiser_id: '0' });
    const wide = { ...asked, start_date: '2026-10-30', end_date: '2026-11-14' };
    const clicks = (params: object) =>
      sum(
        own.report({ ...wide, data_level: 'AUCTION_ADVERTISER', metrics: ['impressions'], ...params }).list,
        'impressions',
      );
    expect(clicks({ dimensions: ['advertiser_id', 'stat_time_day'], multi_adv_report_in_utc_time: true })).toBe(
      clicks({ dimensions: ['advertiser_id', 'stat_time_day'] }),
    );
  });

  it('days have 23 and 25 hours when the clocks change, and still add up', () => {
    const own = new ReportWorld('2026-03-01T12:00:00Z');
    own.tree('2026-03-01 12:00:00', { campaigns: 1, groups: 2, ads: 2 });
    own.clock.set(new Date('2026-11-05T12:00:00Z'));
    for (const [date, hours] of [
      ['2026-03-08', 23],
      ['2026-11-01', 24],
    ] as const) {
      const one = { start_date: date, end_date: date, data_level: 'AUCTION_ADVERTISER', metrics: NUMBERS };
      const byHour = own.report({ ...one, dimensions: ['advertiser_id', 'stat_time_hour'] }).list;
      const [whole] = own.report({ ...one, dimensions: ['advertiser_id'] }).list;
      const labels = byHour.map((row) => row.dimensions['stat_time_hour']!);
      expect(new Set(labels).size).toBe(labels.length);
      expect(labels.length).toBe(hours);
      if (date === '2026-03-08') expect(labels).not.toContain('2026-03-08 02:00:00');
      for (const name of NUMBERS) {
        const digits = money.has(name) ? 2 : 0;
        expect(sum(byHour, name, digits), name).toBe(minor(whole!.metrics[name]!, digits));
      }
    }
  });
});

describe('the sandbox host', () => {
  const mock = {
    start_date: '2020-12-08',
    end_date: '2020-12-19',
    data_level: 'AUCTION_CAMPAIGN',
    dimensions: ['campaign_id', 'stat_time_day'],
  };
  const sandbox = () => {
    const own = new ReportWorld('2026-11-01T00:00:00Z', [{ id: '7001', sandbox: true }]);
    return own;
  };

  it('has mock data of twelve days of 2020 once there is a campaign, an ad group and an ad', () => {
    const own = sandbox();
    const campaign = own.campaign('2026-10-31 00:00:00');
    const group = own.adgroup(campaign, '2026-10-31 00:00:00');
    expect(own.report(mock, 'sandbox').list).toEqual([]);
    own.ad(group, '2026-10-31 00:00:00');
    const { list } = own.report(mock, 'sandbox');
    expect(list).toHaveLength(12);
    const days = own.report({ ...mock, start_date: '2020-12-01', end_date: '2020-12-30' }, 'sandbox').list;
    expect(days).toEqual(list);
    const lifetime = own.report(
      { data_level: 'AUCTION_AD', dimensions: ['ad_id'], query_lifetime: true },
      'sandbox',
    ).list;
    expect(sum(lifetime, 'spend', 2)).toBe(sum(list, 'spend', 2));
    expect(own.report({ ...mock, start_date: '2026-10-20', end_date: '2026-11-01' }, 'sandbox').list).toEqual([]);
    const ordered = own.report({ ...mock, order_field: 'spend' }, 'sandbox').list;
    expect(ordered).toEqual(list);
    const people = { ...mock, report_type: 'AUDIENCE', dimensions: ['campaign_id', 'gender'] };
    expect(sum(own.report(people, 'sandbox').list, 'spend', 2)).toBe(sum(list, 'spend', 2));
  });

  it('refuses what it does not know', () => {
    const own = sandbox();
    const level = own.refusal({ ...mock, data_level: 'AUCTION_ADVERTISER', dimensions: ['advertiser_id'] }, 'sandbox');
    expect(level).toEqual({
      code: 40009,
      message: 'Unsupported data_level in sandbox environment: AUCTION_ADVERTISER.',
    });
    expect(own.refusal({ ...mock, report_type: 'CATALOG' }, 'sandbox').code).toBe(40014);
    expect(own.refusal({ ...mock, enable_total_metrics: true }, 'sandbox').code).toBe(40014);
  });
});

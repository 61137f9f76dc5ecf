import { describe, expect, it } from 'vitest';
import { minor, ReportWorld, sum } from '../../../test/support/tiktok-report-world.ts';
import { spendingOf } from './delivery.ts';

const DAY = 86_400_000;
const daily = { data_level: 'AUCTION_AD', dimensions: ['ad_id', 'stat_time_day'], metrics: ['spend', 'impressions'] };
const week = { start_date: '2026-11-01', end_date: '2026-11-21' };
const all = [{ field_name: 'ad_status', filter_type: 'IN', filter_value: '["STATUS_ALL"]' }];

function oneAd(members: Record<string, unknown> = {}, group: Record<string, unknown> = {}) {
  const world = new ReportWorld('2026-11-10T20:00:00Z');
  const campaign = world.campaign('2026-11-10 20:00:00');
  const adgroup = world.adgroup(campaign, '2026-11-10 20:00:00', group);
  const ad = world.ad(adgroup, '2026-11-10 20:00:00', members);
  return { world, campaign, adgroup, ad };
}

describe('when an ad delivers', () => {
  it('begins in the half-hour after it was made and not before its review is over', () => {
    const { world } = oneAd();
    world.clock.advance(29 * 60_000);
    expect(world.report({ ...daily, ...week }).list).toEqual([]);
    world.clock.advance(3 * 3_600_000);
    const [row] = world.report({ ...daily, ...week }).list;
    expect(Number(row?.metrics['impressions'])).toBeGreaterThan(0);
    expect(row?.dimensions['stat_time_day']).toBe('2026-11-10 00:00:00');
  });

  it('grows during the day and never shrinks', () => {
    const { world } = oneAd();
    let before = 0n;
    for (let hour = 0; hour < 50; hour++) {
      world.clock.advance(3_600_000);
      const now = sum(world.report({ ...daily, ...week }).list, 'spend', 2);
      expect(now).toBeGreaterThanOrEqual(before);
      before = now;
    }
    expect(before).toBeGreaterThan(0n);
  });

  it('stops at a pause, keeps what it spent, and goes on when it is resumed', () => {
    const { world, ad } = oneAd();
    world.clock.advance(2 * DAY);
    const before = world.report({ ...daily, ...week }).list;
    world.change('ads', ad.id, { operation_status: 'DISABLE' });
    world.clock.advance(3 * DAY);
    expect(world.report({ ...daily, ...week }).list).toEqual(before);
    // A rename while paused does not make it deliver in hindsight.
    world.change('ads', ad.id, { ad_name: 'renamed' });
    world.clock.advance(DAY);
    expect(world.report({ ...daily, ...week }).list).toEqual(before);
    world.change('ads', ad.id, { operation_status: 'ENABLE' });
    world.clock.advance(2 * DAY);
    const after = world.report({ ...daily, ...week }).list;
    expect(after.length).toBeGreaterThan(before.length);
    expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, before.length - 1));
    expect(after.map((row) => row.dimensions['stat_time_day'])).not.toContain('2026-11-14 00:00:00');
  });

  it.each(['campaigns', 'adgroups', 'ads'] as const)('stops when %s are deleted and keeps the spend', (kind) => {
    const { world, campaign, adgroup, ad } = oneAd();
    world.clock.advance(2 * DAY);
    const before = world.report({ ...daily, ...week }).list;
    const id = { campaigns: campaign.id, adgroups: adgroup.id, ads: ad.id }[kind];
    world.change(kind, id, { operation_status: 'DELETE' });
    world.clock.advance(3 * DAY);
    expect(world.report({ ...daily, ...week }).list).toEqual([]);
    expect(world.report({ ...daily, ...week, filtering: all }).list).toEqual(before);
  });

  it('keeps to the schedule of its ad group', () => {
    const { world } = oneAd(
      {},
      {
        schedule_start_time: '2026-11-12 08:00:00',
        schedule_end_time: '2026-11-14 08:00:00',
      },
    );
    world.clock.advance(9 * DAY);
    const days = world.report({ ...daily, ...week }).list.map((row) => row.dimensions['stat_time_day']);
    expect(days).toEqual(['2026-11-12 00:00:00', '2026-11-13 00:00:00']);
  });

  it('keeps to day-parting', () => {
    // Mornings from 06:00 to 12:00 on every day.
    const dayparting = `${'0'.repeat(12)}${'1'.repeat(12)}${'0'.repeat(24)}`.repeat(7);
    const { world } = oneAd({}, { dayparting });
    world.clock.advance(3 * DAY);
    const hours = world
      .report({
        data_level: 'AUCTION_AD',
        dimensions: ['ad_id', 'stat_time_hour'],
        start_date: '2026-11-12',
        end_date: '2026-11-12',
      })
      .list.map((row) => Number(row.dimensions['stat_time_hour']!.slice(11, 13)));
    expect(hours.length).toBeGreaterThan(0);
    for (const hour of hours) expect(hour >= 6 && hour < 12).toBe(true);
  });

  it('does not begin when it was made paused, was refused by review, or the account is limited', () => {
    const made = oneAd({ operation_status: 'DISABLE' });
    made.world.clock.advance(3 * DAY);
    expect(made.world.report({ ...daily, ...week }).list).toEqual([]);
    const refused = oneAd({ ad_text: 'nice [reject]' });
    refused.world.clock.advance(3 * DAY);
    expect(refused.world.report({ ...daily, ...week }).list).toEqual([]);
    const limited = new ReportWorld('2026-11-10T20:00:00Z', [{ id: '7001', status: 'STATUS_LIMIT' }]);
    limited.tree('2026-11-10 20:00:00', { campaigns: 1, groups: 1, ads: 1 });
    limited.clock.advance(3 * DAY);
    expect(limited.report({ ...daily, ...week }).list).toEqual([]);
  });

  it('stops with its account, which keeps the spend, and goes on with it', () => {
    const { world } = oneAd();
    world.clock.advance(3 * DAY);
    const before = world.report({ ...daily, ...week }).list;
    const account = world.world.advertisers.get('7001')!;
    world.world.advertisers.put({ ...account, status: 'STATUS_DISABLE' });
    world.clock.advance(3 * DAY);
    expect(world.report({ ...daily, ...week }).list).toEqual(before);
    world.world.advertisers.put(account);
    world.clock.advance(2 * DAY);
    expect(world.report({ ...daily, ...week }).list.length).toBeGreaterThan(before.length);
  });
});

describe('budgets', () => {
  it('bound the spend of a day across the ads of a group, and a new budget does not change days past', () => {
    const world = new ReportWorld('2026-11-01T12:00:00Z');
    const campaign = world.campaign('2026-11-01 12:00:00');
    const group = world.adgroup(campaign, '2026-11-01 12:00:00', { budget: 20 });
    for (let i = 0; i < 6; i++) world.ad(group, '2026-11-01 12:00:00');
    world.clock.advance(6 * DAY);
    const asked = {
      data_level: 'AUCTION_ADGROUP',
      dimensions: ['adgroup_id', 'stat_time_day'],
      start_date: '2026-11-01',
      end_date: '2026-11-20',
    };
    const before = world.report(asked).list;
    expect(before.length).toBe(7);
    for (const row of before) expect(minor(row.metrics['spend']!, 2)).toBeLessThanOrEqual(2000n);
    world.change('adgroups', group.id, { budget: 500 });
    expect(world.report(asked).list).toEqual(before);
    world.clock.advance(3 * DAY);
    const after = world.report(asked).list;
    expect(after.slice(0, 6)).toEqual(before.slice(0, 6));
    expect(Math.max(...after.slice(7).map((row) => Number(row.metrics['spend'])))).toBeGreaterThan(20);
  });

  it('bound a campaign with campaign budget optimisation', () => {
    const world = new ReportWorld('2026-11-01T12:00:00Z');
    const campaign = world.campaign('2026-11-01 12:00:00', { budget_mode: 'BUDGET_MODE_DAY', budget: 50 });
    for (let g = 0; g < 3; g++) {
      const group = world.adgroup(campaign, '2026-11-01 12:00:00', { budget_mode: 'BUDGET_MODE_INFINITE', budget: 0 });
      for (let i = 0; i < 3; i++) world.ad(group, '2026-11-01 12:00:00');
    }
    world.clock.advance(6 * DAY);
    const rows = world.report({
      data_level: 'AUCTION_CAMPAIGN',
      dimensions: ['campaign_id', 'stat_time_day'],
      start_date: '2026-11-01',
      end_date: '2026-11-20',
    }).list;
    for (const row of rows) expect(minor(row.metrics['spend']!, 2)).toBeLessThanOrEqual(5000n);
    expect(Number(rows[2]!.metrics['spend'])).toBeGreaterThan(20);
  });

  it('a lifetime budget is never exceeded, and ends some time', () => {
    const world = new ReportWorld('2026-06-01T12:00:00Z');
    const group = world.adgroup(world.campaign('2026-06-01 12:00:00'), '2026-06-01 12:00:00', {
      budget_mode: 'BUDGET_MODE_TOTAL',
      budget: 100,
    });
    world.ad(group, '2026-06-01 12:00:00');
    world.clock.advance(5 * DAY);
    const early = spendingOf(world.world, '7001').of('adgroup', group.id);
    expect(early.lifetime).toBeGreaterThan(5);
    expect(early.lifetime).toBeLessThan(100);
    world.clock.advance(160 * DAY);
    const late = spendingOf(world.world, '7001').of('adgroup', group.id);
    expect(late).toEqual({ today: 0, lifetime: 100 });
  });

  it('tells the status what was spent, as the report says it', () => {
    const world = new ReportWorld('2026-11-10T20:00:00Z');
    const group = world.adgroup(world.campaign('2026-11-10 20:00:00'), '2026-11-10 20:00:00');
    world.ad(group, '2026-11-10 20:00:00');
    world.clock.advance(DAY);
    const rows = world.report({
      data_level: 'AUCTION_ADGROUP',
      dimensions: ['adgroup_id', 'stat_time_day'],
      ...week,
    }).list;
    const spent = spendingOf(world.world, '7001').of('adgroup', group.id);
    expect(minor(String(spent.lifetime), 2)).toBe(sum(rows, 'spend', 2));
    expect(spent.today).toBe(Number(rows.at(-1)!.metrics['spend']));
  });
});

import { describe, expect, it } from 'vitest';
import { createClock } from '../kit/clock.ts';
import { openStore } from '../kit/store.ts';
import {
  adgroupStatus,
  adStatus,
  campaignStatus,
  isGone,
  matchesPrimary,
  primaryStatus,
  type Spending,
  statusContext,
} from './status.ts';
import type { Native } from './types.ts';
import { createWorld } from './world.ts';

const NOW = new Date('2026-11-22T12:00:00Z');
const ACCOUNT = '7001';

/** One account with a campaign, an ad group and an ad that has passed its review. */
function setUp() {
  const clock = createClock({});
  clock.set(NOW);
  clock.freeze(true);
  const world = createWorld(openStore({ now: () => clock.now().getTime() }), clock);
  world.advertisers.put({
    id: ACCOUNT,
    name: 'Acme',
    company: 'Acme',
    currency: 'USD',
    timezone: 'Etc/GMT+8',
    display_timezone: 'America/Los_Angeles',
    country: 'US',
    language: 'en',
    industry: '1',
    status: 'STATUS_ENABLE',
    role: 'ROLE_ADVERTISER',
    balance: 100,
    create_time: 0,
    sandbox: false,
  });
  const row = (id: string, members: Record<string, unknown>): Native => ({
    id,
    advertiser_id: ACCOUNT,
    operation_status: 'ENABLE',
    create_time: '2026-11-01 00:00:00',
    ...members,
  });
  const rows = {
    campaign: row('1', { campaign_id: '1' }),
    adgroup: row('2', {
      campaign_id: '1',
      adgroup_id: '2',
      schedule_start_time: '2026-11-01 00:00:00',
      schedule_end_time: '2026-12-01 00:00:00',
    }),
    ad: row('3', { campaign_id: '1', adgroup_id: '2', ad_id: '3', ad_text: 'Hello' }),
  };
  const save = () => {
    world.campaigns.put(rows.campaign);
    world.adgroups.put(rows.adgroup);
    world.ads.put(rows.ad);
  };
  const statuses = (spending?: Spending) => {
    const context = { ...statusContext(world, ACCOUNT), ...(spending ? { spending } : {}) };
    return [campaignStatus(context, rows.campaign), adgroupStatus(context, rows.adgroup), adStatus(context, rows.ad)];
  };
  save();
  return {
    world,
    clock,
    rows,
    statuses,
    change(level: keyof typeof rows, members: Record<string, unknown>) {
      rows[level] = { ...rows[level], ...members };
      save();
    },
    account(members: Record<string, unknown>) {
      world.advertisers.put({ ...world.advertisers.get(ACCOUNT)!, ...members });
    },
  };
}

describe('secondary status', () => {
  it('is delivering when nothing is in the way', () => {
    expect(setUp().statuses()).toEqual([
      'CAMPAIGN_STATUS_ENABLE',
      'ADGROUP_STATUS_DELIVERY_OK',
      'AD_STATUS_DELIVERY_OK',
    ]);
  });

  it.each([
    [
      'campaign',
      'DISABLE',
      ['CAMPAIGN_STATUS_DISABLE', 'ADGROUP_STATUS_CAMPAIGN_DISABLE', 'AD_STATUS_CAMPAIGN_DISABLE'],
    ],
    ['adgroup', 'DISABLE', ['CAMPAIGN_STATUS_ENABLE', 'ADGROUP_STATUS_DISABLE', 'AD_STATUS_ADGROUP_DISABLE']],
    ['ad', 'DISABLE', ['CAMPAIGN_STATUS_ENABLE', 'ADGROUP_STATUS_DELIVERY_OK', 'AD_STATUS_DISABLE']],
    ['campaign', 'DELETE', ['CAMPAIGN_STATUS_DELETE', 'ADGROUP_STATUS_CAMPAIGN_DELETE', 'AD_STATUS_CAMPAIGN_DELETE']],
    ['adgroup', 'DELETE', ['CAMPAIGN_STATUS_ENABLE', 'ADGROUP_STATUS_DELETE', 'AD_STATUS_ADGROUP_DELETE']],
    // The ad group is left without ads.
    ['ad', 'DELETE', ['CAMPAIGN_STATUS_ENABLE', 'ADGROUP_STATUS_CREATE', 'AD_STATUS_DELETE']],
  ] as const)('%s %s reaches what is below it', (level, operation_status, expected) => {
    const world = setUp();
    world.change(level, { operation_status });
    expect(world.statuses()).toEqual(expected);
  });

  it('a parent that is deleted leaves the own operation_status alone', () => {
    const { change, rows } = setUp();
    change('campaign', { operation_status: 'DELETE' });
    expect([rows.adgroup['operation_status'], rows.ad['operation_status']]).toEqual(['ENABLE', 'ENABLE']);
  });

  it('an ad group without ads is CREATE, even a paused one', () => {
    const { world, change, rows, statuses } = setUp();
    world.ads.delete(rows.ad.id);
    const context = () => statusContext(world, ACCOUNT);
    expect(adgroupStatus(context(), rows.adgroup)).toBe('ADGROUP_STATUS_CREATE');
    change('adgroup', { operation_status: 'DISABLE' });
    world.ads.delete(rows.ad.id);
    expect(adgroupStatus(context(), rows.adgroup)).toBe('ADGROUP_STATUS_CREATE');
    expect(statuses()[0]).toBe('CAMPAIGN_STATUS_ENABLE');
  });

  it('follows the review on the clock', () => {
    const { world, clock, change, statuses } = setUp();
    change('ad', { create_time: world.stamp() });
    expect(statuses().slice(1)).toEqual(['ADGROUP_STATUS_AUDIT', 'AD_STATUS_AUDIT']);
    clock.advance(world.settings.review_delay_ms - 1000);
    expect(statuses()[2]).toBe('AD_STATUS_AUDIT');
    clock.advance(1000);
    expect(statuses().slice(1)).toEqual(['ADGROUP_STATUS_DELIVERY_OK', 'AD_STATUS_DELIVERY_OK']);
    change('ad', { _review_from: world.stamp() });
    expect(statuses()[2]).toBe('AD_STATUS_AUDIT');
  });

  it('a marked text is refused, alone or beside one that is not', () => {
    const { world, change, rows, statuses } = setUp();
    change('ad', { ad_text: 'Buy now [reject]' });
    expect(statuses().slice(1)).toEqual(['ADGROUP_STATUS_AUDIT_DENY', 'AD_STATUS_AUDIT_DENY']);
    world.ads.put({ ...rows.ad, id: '4', ad_id: '4', ad_text: 'Fine' });
    expect(statuses()[1]).toBe('ADGROUP_STATUS_PARTIAL_AUDIT_DELIVERY_OK');
    world.ads.put({ ...rows.ad, id: '4', ad_id: '4', ad_text: 'Fine', create_time: world.stamp() });
    expect(statuses()[1]).toBe('ADGROUP_STATUS_PARTIAL_AUDIT_NO_DELIVERY');
  });

  it('follows the schedule on the clock', () => {
    const { clock, change, statuses } = setUp();
    change('adgroup', { schedule_start_time: '2026-11-23 00:00:00' });
    expect(statuses().slice(1)).toEqual(['ADGROUP_STATUS_NOT_START', 'AD_STATUS_NOT_START']);
    clock.set(new Date('2026-11-23T00:00:00Z'));
    expect(statuses().slice(1)).toEqual(['ADGROUP_STATUS_DELIVERY_OK', 'AD_STATUS_DELIVERY_OK']);
    clock.set(new Date('2026-12-01T00:00:00Z'));
    expect(statuses().slice(1)).toEqual(['ADGROUP_STATUS_TIME_DONE', 'AD_STATUS_DONE']);
  });

  const spent = (level: string, today: number, lifetime: number): Spending => ({
    of: (asked) => (asked === level ? { today, lifetime } : { today: 0, lifetime: 0 }),
  });

  it.each([
    [
      'campaign',
      'BUDGET_MODE_DAY',
      50,
      400,
      ['CAMPAIGN_STATUS_BUDGET_EXCEED', 'ADGROUP_STATUS_CAMPAIGN_EXCEED', 'AD_STATUS_CAMPAIGN_EXCEED'],
    ],
    [
      'campaign',
      'BUDGET_MODE_DAY',
      49.99,
      400,
      ['CAMPAIGN_STATUS_ENABLE', 'ADGROUP_STATUS_DELIVERY_OK', 'AD_STATUS_DELIVERY_OK'],
    ],
    [
      'adgroup',
      'BUDGET_MODE_TOTAL',
      1,
      50,
      ['CAMPAIGN_STATUS_ENABLE', 'ADGROUP_STATUS_BUDGET_EXCEED', 'AD_STATUS_BUDGET_EXCEED'],
    ],
    // One day may reach 125 %.
    [
      'adgroup',
      'BUDGET_MODE_DYNAMIC_DAILY_BUDGET',
      60,
      400,
      ['CAMPAIGN_STATUS_ENABLE', 'ADGROUP_STATUS_DELIVERY_OK', 'AD_STATUS_DELIVERY_OK'],
    ],
    [
      'adgroup',
      'BUDGET_MODE_DYNAMIC_DAILY_BUDGET',
      62.5,
      400,
      ['CAMPAIGN_STATUS_ENABLE', 'ADGROUP_STATUS_BUDGET_EXCEED', 'AD_STATUS_BUDGET_EXCEED'],
    ],
  ] as const)(
    'budget of the %s by %s with %d spent today, %d ever',
    (level, budget_mode, today, lifetime, expected) => {
      const world = setUp();
      world.change(level, { budget: 50, budget_mode });
      expect(world.statuses(spent(level, today, lifetime))).toEqual(expected);
    },
  );

  it('an account without money delivers nothing', () => {
    const { account, statuses } = setUp();
    account({ balance: 0 });
    expect(statuses().slice(1)).toEqual(['ADGROUP_STATUS_BALANCE_EXCEED', 'AD_STATUS_BALANCE_EXCEED']);
  });

  it.each([
    ['STATUS_LIMIT', ['ADVERTISER_ACCOUNT_PUNISH', 'ADVERTISER_ACCOUNT_PUNISH', 'ADVERTISER_ACCOUNT_PUNISH']],
    [
      'STATUS_CONTRACT_PENDING',
      ['ADVERTISER_CONTRACT_PENDING', 'ADVERTISER_CONTRACT_PENDING', 'ADVERTISER_CONTRACT_PENDING'],
    ],
    [
      'STATUS_PENDING_CONFIRM',
      ['CAMPAIGN_STATUS_ADVERTISER_AUDIT', 'ADGROUP_STATUS_ADVERTISER_AUDIT', 'AD_STATUS_ADVERTISER_AUDIT'],
    ],
    [
      'STATUS_CONFIRM_FAIL',
      [
        'CAMPAIGN_STATUS_ADVERTISER_AUDIT_DENY',
        'ADGROUP_STATUS_ADVERTISER_AUDIT_DENY',
        'AD_STATUS_ADVERTISER_AUDIT_DENY',
      ],
    ],
  ])('an account in %s', (status, expected) => {
    const { account, statuses } = setUp();
    account({ status });
    expect(statuses()).toEqual(expected);
  });

  it('a pixel that is gone has TikTok’s own misspelling', () => {
    const { world, change, statuses } = setUp();
    world.pixels.put({ id: '9', advertiser_id: ACCOUNT, _unbound: true });
    change('adgroup', { pixel_id: '9' });
    expect(statuses().slice(1)).toEqual(['ADGROUP_STATUS_PIXEL_UNBIND', 'AD_STAUS_PIXEL_UNBIND']);
  });
});

describe('primary status', () => {
  it.each([
    ['CAMPAIGN_STATUS_ENABLE', 'STATUS_DELIVERY_OK'],
    ['ADGROUP_STATUS_DELIVERY_OK', 'STATUS_DELIVERY_OK'],
    ['ADGROUP_STATUS_PARTIAL_AUDIT_DELIVERY_OK', 'STATUS_DELIVERY_PARTIAL'],
    ['AD_STATUS_CAMPAIGN_DISABLE', 'STATUS_DISABLE'],
    ['AD_STATUS_ADGROUP_DELETE', 'STATUS_DELETE'],
    ['AD_STATUS_DONE', 'STATUS_TIME_DONE'],
    ['ADGROUP_STATUS_TIME_DONE', 'STATUS_TIME_DONE'],
    ['ADGROUP_STATUS_FROZEN', 'STATUS_FROZEN'],
    ['ADGROUP_STATUS_RF_CLOSED_OTHERS', 'STATUS_RF_CLOSED'],
    ['AD_STATUS_AUDIT_DENY', 'STATUS_NOT_DELIVERY'],
    ['CAMPAIGN_STATUS_BUDGET_EXCEED', 'STATUS_NOT_DELIVERY'],
    ['AD_STATUS_NOT_START', 'STATUS_NOT_DELIVERY'],
    ['ADVERTISER_ACCOUNT_PUNISH', 'STATUS_NOT_DELIVERY'],
  ])('%s is %s', (secondary, primary) => {
    expect(primaryStatus(secondary)).toBe(primary);
    expect(matchesPrimary(secondary, primary)).toBe(true);
    expect(matchesPrimary(secondary, 'STATUS_ALL')).toBe(true);
    expect(matchesPrimary(secondary, 'STATUS_NOT_DELETE')).toBe(primary !== 'STATUS_DELETE');
  });

  it('isGone looks at the parents without a full status', () => {
    const { world, change, rows } = setUp();
    change('adgroup', { operation_status: 'DELETE' });
    const context = statusContext(world, ACCOUNT);
    expect([
      isGone(context, 'campaign', rows.campaign),
      isGone(context, 'adgroup', rows.adgroup),
      isGone(context, 'ad', rows.ad),
    ]).toEqual([false, true, true]);
  });
});

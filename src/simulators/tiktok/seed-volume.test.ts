import { beforeAll, describe, expect, it } from 'vitest';
import { ReportWorld, sum } from '../../../test/support/tiktok-report-world.ts';
import { hash32 } from '../kit/random.ts';
import { ledgerOf } from './ledger.ts';
import { seedVolume, type VolumeSummary } from './seed-volume.ts';
import { parseStamp } from './stamp.ts';

const TODAY = Date.UTC(2026, 10, 22) / 86_400_000;
const NOW = '2026-11-22T12:00:00Z';
const month = { start_date: '2026-10-24', end_date: '2026-11-22' };
const daily = { ...month, data_level: 'AUCTION_AD', dimensions: ['ad_id', 'stat_time_day'] };

describe('a large account', () => {
  let world: ReportWorld;
  let made: VolumeSummary;
  let tookMs: number;
  beforeAll(() => {
    world = new ReportWorld(NOW);
    const start = performance.now();
    made = seedVolume(world.world, { ads: 25_000, deletedShare: 0.1 });
    tookMs = performance.now() - start;
  });

  it('is made in seconds, with objects deleted and paused at every level', () => {
    expect(tookMs).toBeLessThan(5000);
    expect(made.ads).toBe(25_000);
    expect([...world.world.ads.values()].length).toBe(25_000);
    for (const kind of ['campaigns', 'adgroups', 'ads'] as const) {
      const states = new Map<unknown, number>();
      for (const row of world.world[kind].values()) {
        states.set(row['operation_status'], (states.get(row['operation_status']) ?? 0) + 1);
      }
      expect([...states.keys()].sort()).toEqual(['DELETE', 'DISABLE', 'ENABLE']);
    }
    const own = [...world.world.ads.values()].filter((ad) => ad['operation_status'] === 'DELETE').length;
    expect(own / 25_000).toBeGreaterThan(0.09);
    expect(own / 25_000).toBeLessThan(0.11);
    expect(made.deletedAds).toBeGreaterThan(own);
    const largest = Math.max(
      ...[...world.world.campaigns.values()].map(({ id }) => world.world.ads.by('campaign', id).length),
    );
    expect(largest).toBe(2000);
  });

  it('has parents before children, dates within four months, and ids that grow with creation', () => {
    const created = (row: Record<string, unknown> | undefined) => parseStamp(String(row?.['create_time']))!.getTime();
    const now = world.clock.now().getTime();
    let last = 0;
    for (const ad of world.world.ads.values()) {
      const adgroup = world.world.adgroups.get(String(ad['adgroup_id']))!;
      const campaign = world.world.campaigns.get(String(ad['campaign_id']))!;
      expect(adgroup['campaign_id']).toBe(campaign.id);
      expect(created(ad) >= created(adgroup) && created(adgroup) >= created(campaign)).toBe(true);
      expect(created(ad) >= last && created(ad) <= now).toBe(true);
      expect(now - created(campaign)).toBeLessThanOrEqual(120 * 86_400_000 + 1000);
      last = created(ad);
    }
  });

  it('delivers on eight to twelve days per ad in three months', () => {
    const advertiser = world.world.advertisers.get('7001')!;
    let days = 0;
    for (const campaign of world.world.campaigns.values()) {
      const ledger = ledgerOf(world.world, advertiser, campaign, TODAY);
      for (let i = 0; i < ledger.length; i++) if (ledger.day[i]! > TODAY - 90) days++;
    }
    expect(days / 25_000).toBeGreaterThan(8);
    expect(days / 25_000).toBeLessThan(12);
  });

  it('is cut to the newest 20,000 ids, and says so', () => {
    const all = world.report({ ...month, data_level: 'AUCTION_AD', dimensions: ['ad_id'], page: 20 });
    expect(all.page_info.total_number).toBe(20_000);
    expect(world.headers).toEqual({ 'X-Tt-Ads-Throttle': 'true' });
    const kept = new Set<string>();
    for (let page = 1; page <= 20; page++) {
      for (const row of world.report({ ...month, data_level: 'AUCTION_AD', dimensions: ['ad_id'], page }).list) {
        kept.add(row.dimensions['ad_id']!);
      }
    }
    const oldest = [...kept].sort()[0]!;
    const gone = (id: string) => {
      const ad = world.world.ads.get(id)!;
      const rows = [
        ad,
        world.world.adgroups.get(String(ad['adgroup_id']))!,
        world.world.campaigns.get(String(ad['campaign_id']))!,
      ];
      return rows.some((row) => row['operation_status'] === 'DELETE');
    };
    for (const { id } of world.world.ads.values()) if (id > oldest) expect(kept.has(id)).toBe(!gone(id));
    world.report({ ...month, data_level: 'AUCTION_CAMPAIGN', dimensions: ['campaign_id'] });
    expect(world.headers).toEqual({});
    const [some] = [...world.world.ads.values()];
    const one = [{ field_name: 'ad_ids', filter_type: 'IN', filter_value: JSON.stringify([some!.id]) }];
    world.report({ ...daily, filtering: one });
    expect(world.headers).toEqual({});
  });

  it('pages through a daily report quickly once the first page is there', () => {
    const first = world.report(daily);
    expect(first.page_info.total_number).toBeGreaterThan(50_000);
    for (const page of [2, 30, first.page_info.total_page]) {
      const start = performance.now();
      const { list } = world.report({ ...daily, page });
      expect(performance.now() - start).toBeLessThan(300);
      expect(list.length).toBeGreaterThan(0);
    }
    // A change is seen at once.
    const gone = first.list[0]!.dimensions['ad_id']!;
    world.change('ads', gone, { operation_status: 'DELETE' });
    expect(world.report(daily).list[0]!.dimensions['ad_id']).not.toBe(gone);
  });
});

describe('the same for any account', () => {
  it('is deterministic', () => {
    const rows = (seed?: string) => {
      const world = new ReportWorld(NOW);
      seedVolume(world.world, { ads: 300, ...(seed ? { seed } : {}) });
      return JSON.stringify([...world.world.ads.values(), ...world.world.campaigns.values()]);
    };
    // As hashes: a difference of hundreds of rows would drown the report of the failure.
    const first = hash32(rows());
    expect(hash32(rows())).toBe(first);
    expect(hash32(rows('other'))).not.toBe(first);
  });

  it.each([
    ['JPY', 'Asia/Tokyo', 'JP', 0],
    ['KWD', 'Asia/Kuwait', 'KW', 3],
    ['AUD', 'Pacific/Auckland', 'AU', 2],
  ])('adds up in %s in %s', (currency, display_timezone, country, digits) => {
    const world = new ReportWorld(NOW, [{ id: '7001', currency, display_timezone, country }]);
    seedVolume(world.world, { advertiser_id: '7001', ads: 400 });
    for (const { budget } of [...world.world.adgroups.values()] as unknown as { budget: number }[]) {
      expect(Number(budget.toFixed(digits))).toBe(budget);
    }
    const all = [{ field_name: 'ad_status', filter_type: 'IN', filter_value: '["STATUS_ALL"]' }];
    const whole = world.report({ ...month, data_level: 'AUCTION_ADVERTISER', dimensions: ['advertiser_id'] }).list;
    let spend = 0n;
    for (let page = 1; ; page++) {
      const { list, page_info } = world.report({ ...daily, filtering: all, page });
      spend += sum(list, 'spend', digits);
      if (page >= page_info.total_page) break;
    }
    expect(spend).toBe(sum(whole, 'spend', digits));
    expect(spend).toBeGreaterThan(0n);
  });

  it('needs an account that exists', () => {
    const world = new ReportWorld(NOW, [{ id: '7001', status: 'STATUS_LIMIT' }]);
    expect(() => seedVolume(world.world)).toThrow(/no such ad account/);
    expect(() => seedVolume(world.world, { advertiser_id: '1' })).toThrow('no such ad account: 1');
    expect(seedVolume(world.world, { advertiser_id: '7001', ads: 0 }).ads).toBe(0);
  });
});

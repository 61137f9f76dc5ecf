import { createClock, type KitClock } from '../../src/simulators/kit/clock.ts';
import { openStore } from '../../src/simulators/kit/store.ts';
import { endpoints } from '../../src/simulators/tiktok/endpoints/report.ts';
import type { ReportRow } from '../../src/simulators/tiktok/report-run.ts';
import { makeAdvertiser } from '../../src/simulators/tiktok/seed.ts';
import { type Advertiser, type Call, type Native, TikTokError, type World } from '../../src/simulators/tiktok/types.ts';
import { decodeText, validateParams } from '../../src/simulators/tiktok/validate.ts';
import { createWorld } from '../../src/simulators/tiktok/world.ts';

/** The answer of report/integrated/get. */
export interface ReportAnswer {
  list: ReportRow[];
  page_info: { page: number; page_size: number; total_number: number; total_page: number };
  total_metrics: Record<string, string> | null;
}

/** A frozen simulator world with one ad account, and the report endpoints called without HTTP. */
export class ReportWorld {
  readonly clock: KitClock;
  readonly world: World;
  /** Headers of the last answer. */
  headers: Record<string, string> = {};

  constructor(now: string, accounts: (Partial<Advertiser> & { id: string })[] = [{ id: '7001' }]) {
    this.clock = createClock();
    // Frozen first: between the two calls a running clock could move on by a millisecond.
    this.clock.freeze(true);
    this.clock.set(new Date(now));
    const store = openStore({ now: () => this.clock.now().getTime() });
    this.world = createWorld(store, this.clock);
    for (const account of accounts) {
      const base = { name: `Account ${account.id}`, currency: 'USD', display_timezone: 'America/Los_Angeles' };
      this.world.advertisers.put(makeAdvertiser(this.world, { ...base, ...account }));
    }
    const roles = Object.fromEntries(accounts.map(({ id }) => [id, 'ADMIN' as const]));
    this.world.users.put({ id: 'u', display_name: 'U', email: 'u@x.test', avatar_url: '', roles, bc_roles: {} });
  }

  /** A row made `created` (`YYYY-MM-DD HH:MM:SS`, UTC), its parents named by their rows. */
  private row(kind: 'campaign' | 'adgroup' | 'ad', created: string, members: Record<string, unknown>): Native {
    const id = this.world.nextId();
    return {
      id,
      advertiser_id: '7001',
      [`${kind}_id`]: id,
      [`${kind}_name`]: `${kind} ${id.slice(-6)}`,
      operation_status: 'ENABLE',
      create_time: created,
      modify_time: created,
      ...members,
    };
  }

  campaign(created: string, members: Record<string, unknown> = {}): Native {
    const row = this.row('campaign', created, {
      objective_type: 'WEB_CONVERSIONS',
      budget_mode: 'BUDGET_MODE_INFINITE',
      budget: 0,
      ...members,
    });
    this.world.campaigns.put(row);
    return row;
  }

  adgroup(campaign: Native, created: string, members: Record<string, unknown> = {}): Native {
    const row = this.row('adgroup', created, {
      advertiser_id: campaign.advertiser_id,
      campaign_id: campaign.id,
      promotion_type: 'WEBSITE',
      location_ids: ['6252001'],
      placements: ['PLACEMENT_TIKTOK'],
      budget_mode: 'BUDGET_MODE_DAY',
      budget: 200,
      schedule_start_time: created,
      optimization_goal: 'CONVERT',
      optimization_event: 'SHOPPING',
      billing_event: 'OCPM',
      ...members,
    });
    this.world.adgroups.put(row);
    return row;
  }

  ad(adgroup: Native, created: string, members: Record<string, unknown> = {}): Native {
    const row = this.row('ad', created, {
      advertiser_id: adgroup.advertiser_id,
      campaign_id: adgroup['campaign_id'],
      adgroup_id: adgroup.id,
      ad_text: 'text',
      ...members,
    });
    this.world.ads.put(row);
    return row;
  }

  /** Campaigns with ad groups and ads, all made at `created`. */
  tree(created: string, shape: { campaigns: number; groups: number; ads: number }, advertiserId = '7001'): void {
    for (let c = 0; c < shape.campaigns; c++) {
      const campaign = this.campaign(created, { advertiser_id: advertiserId });
      for (let g = 0; g < shape.groups; g++) {
        const group = this.adgroup(campaign, created);
        for (let a = 0; a < shape.ads; a++) this.ad(group, created);
      }
    }
  }

  /** Changes a row as the API does: a new row with a new modify_time. */
  change(kind: 'campaigns' | 'adgroups' | 'ads', id: string, members: Record<string, unknown>): void {
    const rows = this.world[kind];
    rows.put({ ...rows.get(id)!, ...members, modify_time: this.world.stamp() });
  }

  /** Calls an endpoint with its validation, as the dispatcher does. */
  call(path: string, params: Record<string, unknown>, host: Call['host'] = 'production'): unknown {
    const endpoint = endpoints.find((one) => one.path === path)!;
    const given = { advertiser_id: '7001', ...params };
    const decoded = endpoint.method === 'GET' ? decodeText(given, endpoint.params) : given;
    validateParams(decoded, endpoint.params);
    this.headers = {};
    const ids = [...this.world.advertisers.values()].map(({ id }) => id);
    return endpoint.handle({
      world: this.world,
      endpoint,
      host,
      params: decoded,
      files: [],
      origin: 'http://simulator.test',
      limitSource: () => undefined,
      grant: {
        id: 't',
        kind: 'marketing',
        app_id: 'a',
        user_id: 'u',
        advertiser_ids: ids,
        scope: [],
        created_at: '',
      },
      now: this.clock.now(),
      setHeader: (name, value) => {
        this.headers[name] = value;
      },
    });
  }

  /** report/integrated/get: BASIC, 1000 rows. */
  report(params: Record<string, unknown>, host: Call['host'] = 'production'): ReportAnswer {
    return this.call(
      'report/integrated/get',
      { report_type: 'BASIC', page_size: 1000, ...params },
      host,
    ) as ReportAnswer;
  }

  /** The error that a report ends with. */
  refusal(params: Record<string, unknown>, host: Call['host'] = 'production'): { code: number; message: string } {
    try {
      this.report(params, host);
    } catch (error) {
      if (error instanceof TikTokError) return { code: error.code, message: error.message };
      throw error;
    }
    throw new Error('the report was not refused');
  }
}

/** The days in which `busyWorld` has objects of every kind. */
export const BUSY_DAYS = { start_date: '2026-10-24', end_date: '2026-11-22' };

/** Several channels, pauses and deletions at every level, over two months in Los Angeles. */
export function busyWorld(): ReportWorld {
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

/** A filter as reports take it. */
export const filter = (field_name: string, filter_type: string, filter_value: string) => ({
  field_name,
  filter_type,
  filter_value,
});

/** A metric over all rows, in minor units of a currency with so many decimals (counts: 0). */
export function sum(rows: readonly ReportRow[], metric: string, digits = 0): bigint {
  return rows.reduce((total, row) => total + minor(row.metrics[metric]!, digits), 0n);
}

/** A decimal text as whole minor units, without going through a binary float. */
export function minor(text: string, digits: number): bigint {
  const [whole, fraction = ''] = text.split('.') as [string, string?];
  return BigInt(whole + fraction.padEnd(digits, '0').slice(0, digits));
}

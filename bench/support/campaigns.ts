/** Fixed answers of a TikTok-like upstream, in the platform's own shape and about its size. */

/** A row of campaign/get. */
export function campaignRow(index: number): Record<string, unknown> {
  return {
    advertiser_id: '7000000000000000001',
    campaign_id: String(1_800_000_000_000_000n + BigInt(index)),
    campaign_system_origin: 'TT_ADS_PLATFORM',
    create_time: '2026-03-02 08:15:42',
    modify_time: '2026-10-28 17:20:09',
    objective_type: index % 2 === 0 ? 'TRAFFIC' : 'WEB_CONVERSIONS',
    app_promotion_type: 'UNSET',
    virtual_objective_type: null,
    sales_destination: null,
    is_search_campaign: false,
    is_smart_performance_campaign: false,
    campaign_type: 'REGULAR_CAMPAIGN',
    campaign_name: `Spring sale ${index} · prospecting`,
    budget: 125.5 + index,
    budget_mode: 'BUDGET_MODE_DAY',
    budget_optimize_on: false,
    is_new_structure: true,
    operation_status: index % 5 === 0 ? 'DISABLE' : 'ENABLE',
    secondary_status: index % 5 === 0 ? 'CAMPAIGN_STATUS_DISABLE' : 'CAMPAIGN_STATUS_ENABLE',
    special_industries: [],
    rta_id: null,
    rta_bid_enabled: null,
    rta_product_selection_enabled: null,
    catalog_enabled: false,
    bid_align_type: null,
    deep_bid_type: null,
    roas_bid: 0,
    optimization_goal: null,
    postback_window_mode: null,
    rf_campaign_type: 'STANDARD',
    disable_skan_campaign: null,
    is_advanced_dedicated_campaign: null,
  };
}

const envelope = (data: unknown): string =>
  JSON.stringify({ code: 0, message: 'OK', request_id: '20261122120000B0A1C2D3E4F5061728', data });

const pageInfo = (page: number, size: number, total: number) => ({
  page,
  page_size: size,
  total_number: total,
  total_page: Math.ceil(total / size),
});

/** One page of 50 campaigns, the only one. */
export function campaignPage(count = 50): string {
  return envelope({
    list: Array.from({ length: count }, (_, index) => campaignRow(index)),
    page_info: pageInfo(1, count, count),
  });
}

/** Ids of the ad accounts behind every token. */
export const ADVERTISER = '7000000000000000001';

export const granted = (): string => envelope({ list: [{ advertiser_id: ADVERTISER, advertiser_name: 'Bench' }] });

export const advertiserInfo = (): string =>
  envelope({
    list: [
      {
        advertiser_id: ADVERTISER,
        name: 'Bench',
        currency: 'USD',
        timezone: 'America/New_York',
        display_timezone: 'America/New_York',
        status: 'STATUS_ENABLE',
        role: 'ROLE_ADVERTISER',
        country: 'US',
        create_time: 1_700_000_000,
      },
    ],
  });

export const userInfo = (): string =>
  envelope({ core_user_id: '7100000000000000001', display_name: 'Bench', email: 'b***h@example.com' });

const daysFrom = (start: string, end: string): string[] => {
  const out: string[] = [];
  for (let ms = Date.parse(start); ms <= Date.parse(end); ms += 86_400_000)
    out.push(new Date(ms).toISOString().slice(0, 10));
  return out;
};

/**
 * One page of a report of `entities` objects, by day where that is asked. Rows of one object do not lie together: the
 * pages go by day, as a platform that sorts by time gives them.
 */
export function reportPage(query: URLSearchParams, entities: number): string {
  const dimensions = JSON.parse(query.get('dimensions') ?? '[]') as string[];
  const metrics = JSON.parse(query.get('metrics') ?? '[]') as string[];
  const page = Number(query.get('page') ?? 1);
  const size = Number(query.get('page_size') ?? 1000);
  const id = dimensions[0] as string;
  const daily = dimensions.includes('stat_time_day');
  const days = daily ? daysFrom(query.get('start_date') ?? '', query.get('end_date') ?? '') : [undefined];
  const total = entities * days.length;
  const list: unknown[] = [];
  for (let at = (page - 1) * size; at < Math.min(total, page * size); at += 1) {
    const entity = at % entities;
    const day = days[Math.floor(at / entities)];
    list.push({
      dimensions: {
        [id]: String(1_800_000_000_000_000n + BigInt(entity)),
        ...(day === undefined ? {} : { stat_time_day: `${day} 00:00:00` }),
      },
      metrics: Object.fromEntries(
        metrics.map((name) => [
          name,
          name.endsWith('_name') ? `Ad ${entity} of the spring sale` : name === 'spend' ? '12.34' : String(entity % 97),
        ]),
      ),
    });
  }
  return envelope({ list, page_info: pageInfo(page, size, total) });
}

import { hash32, unit } from '../../kit/random.ts';
import { page } from '../paging.ts';
import { advertiserId, advertiserIdOf, paging } from '../params.ts';
import { invalid, owned } from '../rules.ts';
import { isGone, statusContext } from '../status.ts';
import type { Call, Endpoint, Native, Param } from '../types.ts';

/**
 * Tools that advise: tool/{open_url,vbo_status,content_exclusion/*,diagnosis/*,search_keyword/*}, campaign quotas. Facts:
 * official yml tool_open_url, tool_vbo_status; an independent transcription for the rest. What is advised is made up from
 * the objects; names of results that no source has are (unverified).
 */

const OPEN: Readonly<Record<string, RegExp>> = {
  USER_PROFILE: /tiktok\.com\/@[\w.]+\/?$/,
  VIDEO: /tiktok\.com\/@[\w.]+\/video\/\d+/,
  HASHTAG_CHALLENGE: /tiktok\.com\/tag\/\w+/,
  MUSIC: /tiktok\.com\/music\//,
  STICKER: /tiktok\.com\/sticker\//,
  STICKER_SHOOTER: /tiktok\.com\/sticker\//,
};

function openUrl(call: Call): unknown {
  const type = String(call.params['url_type']);
  const url = String(call.params['url']);
  if (!OPEN[type]?.test(url)) invalid(`url: Not a valid URL of type ${type}.`);
  return {
    open_url: `snssdk1180://${type.toLowerCase()}/${hash32('open', url)}`,
    supported_regions: ['US', 'GB', 'DE', 'JP'],
  };
}

/** Value-based optimisation opens with enough purchases: here, for accounts with a pixel or an app. */
function vbo(call: Call): unknown {
  const { world, params } = call;
  const id = advertiserIdOf(call);
  const app = params['app_id'];
  const pixel = params['pixel_id'];
  if (app !== undefined) owned(world.mobileApps, 'app', app, id);
  if (pixel !== undefined) owned(world.pixels, 'pixel', pixel, id);
  const open = app !== undefined || pixel !== undefined;
  return {
    vo_status: open,
    vo_min: open,
    vo_min_roas: open,
    vo_highest_value: open,
    vo_iaa_min_roas: false,
    vo_iaa_highest_value: false,
    vo_iaa_min_roas_zero_day: false,
    vo_iaa_highest_value_zero_day: false,
    roas_status_day0: open,
    roas_status_day7: open,
    highest_value_status_day0: open,
    highest_value_status_day7: open,
  };
}

const category = (category_id: string, category_name: string, category_type: string) => ({
  category_id,
  category_name,
  supported_regions: ['US', 'GB', 'DE', 'FR', 'JP', 'AU'],
  description: `Keeps ads away from content about ${category_name.toLowerCase()}.`,
  category_type,
});
const EXCLUSIONS = [
  category('7100001', 'Gambling and lotteries', 'CATEGORY_TYPE_EXCLUSION'),
  category('7100002', 'Violent video games', 'CATEGORY_TYPE_EXCLUSION'),
  category('7100003', 'Combat sports', 'CATEGORY_TYPE_EXCLUSION'),
  category('7100004', 'Youth content', 'CATEGORY_TYPE_EXCLUSION'),
];
const VERTICALS = [
  category('7200001', 'Beauty', 'CATEGORY_TYPE_VERTICAL'),
  category('7200002', 'Food', 'CATEGORY_TYPE_VERTICAL'),
  category('7200003', 'Pets', 'CATEGORY_TYPE_VERTICAL'),
];

function exclusionInfo(call: Call): unknown {
  const all = [...EXCLUSIONS, ...VERTICALS];
  return {
    content_exclusion_list: (call.params['category_ids'] as string[]).map(
      (id) => all.find((one) => one.category_id === id) ?? invalid(`category_ids: Invalid value: ${id}.`),
    ),
  };
}

/** Advice for ad groups: those with a small budget are told to raise it. */
function diagnosis(call: Call): unknown {
  const { world, params } = call;
  const id = advertiserIdOf(call);
  const filter = (params['filtering'] ?? {}) as { adgroup_ids?: string[]; issue_category?: string[] };
  const context = statusContext(world, id);
  const rows = filter.adgroup_ids
    ? filter.adgroup_ids.map((one) => owned(world.adgroups, 'ad group', one, id))
    : world.adgroups.by('advertiser', id).filter((row) => !isGone(context, 'adgroup', row));
  const wanted = (name: string) => !filter.issue_category || filter.issue_category.includes(name);
  const at = world.stamp(call.now);
  const small = (row: Native) => Number(row['budget'] ?? 0) > 0 && Number(row['budget']) < 100;
  return {
    results: rows.slice(0, 100).map((row) => ({
      adgroup_id: row.id,
      adgroup_name: row['adgroup_name'],
      diagnosis: {
        diagnosis_time: at,
        suggestions: {
          creative: [],
          bid_and_budget:
            small(row) && wanted('BID_AND_BUDGET')
              ? [
                  {
                    suggestion_time: at,
                    suggestion_id: `${row.id}1`,
                    issue_suggestion: 'SUGGEST_BUDGET',
                    budget: row['budget'],
                    suggest_budget: Number(row['budget']) * 2,
                  },
                ]
              : [],
          event_track: [],
        },
      },
    })),
  };
}

function searchHealth(call: Call): unknown {
  const id = call.params['adgroup_id'];
  if (id !== undefined) owned(call.world.adgroups, 'ad group', id, advertiserIdOf(call));
  return { search_health_status: 'NO_DATA', search_volumn: null, keyword_relevance: null, bid_budget: null };
}

const ENDINGS = ['', ' near me', ' sale', ' review', ' for beginners', ' outfit', ' ideas', ' 2026', ' cheap', ' best'];

const idea = (keyword: string) => {
  const volume = 100 + Math.floor(unit('keyword', keyword) ** 2 * 50_000);
  return {
    recommended_keyword: keyword,
    avg_monthly_searches_lower: Math.floor(volume * 0.8),
    avg_monthly_searches_upper: Math.ceil(volume * 1.2),
    three_month_change: Math.round((unit('3m', keyword) - 0.4) * 100) / 100,
    year_over_year_change: Math.round((unit('1y', keyword) - 0.4) * 100) / 100,
    competition: ['LOW', 'MEDIUM', 'HIGH'][hash32('competition', keyword) % 3],
    estimated_cpc_lower: 0.2,
    estimated_cpc_upper: 1.5,
  };
};

function ideas(call: Call): unknown {
  const keywords = (call.params['keywords'] as string[]).flatMap((word) => ENDINGS.map((end) => idea(word + end)));
  const sum = (name: 'avg_monthly_searches_lower' | 'avg_monthly_searches_upper') =>
    keywords.reduce((all, one) => all + one[name], 0);
  return {
    total_search_volume_lower: sum('avg_monthly_searches_lower'),
    total_search_volume_upper: sum('avg_monthly_searches_upper'),
    keywords,
  };
}

function recommended(call: Call): unknown {
  const { params } = call;
  const words = (params['search_queries'] as string[] | undefined) ?? [];
  if (words.length + ((params['ad_ids'] as string[] | undefined) ?? []).length === 0 && !params['landing_page_urls']) {
    invalid('Missing required field(s): search_queries.');
  }
  const base = words.length > 0 ? words : ['gift'];
  const rows = base.flatMap((word) =>
    ENDINGS.map((end) => ({
      recommended_keyword: word + end,
      monthly_searches: idea(word + end).avg_monthly_searches_upper,
    })),
  );
  const found = page(rows, call, 100);
  return { recommended_search_keywords: found.list, page_info: found.page_info };
}

const strings = (name: string, more: Partial<Param> = {}): Param => ({
  name,
  type: 'array',
  items: { type: 'string' },
  ...more,
});
const text = (name: string, required = false): Param => ({ name, type: 'string', required });
const read = { method: 'GET', auth: 'token' } as const;

/** Tools that advise. */
export const endpoints: Endpoint[] = [
  {
    ...read,
    path: 'tool/open_url',
    params: [advertiserId, text('url', true), { ...text('url_type', true), enum: Object.keys(OPEN) }],
    handle: openUrl,
  },
  {
    ...read,
    path: 'tool/vbo_status',
    params: [
      advertiserId,
      text('objective_type', true),
      text('promotion_type', true),
      strings('placements', { required: true }),
      text('pixel_id'),
      text('app_id'),
    ],
    handle: vbo,
  },
  {
    ...read,
    path: 'tool/content_exclusion/get',
    params: [advertiserId, text('objective_type'), text('brand_safety_type')],
    handle: () => ({ excluded_category_list: EXCLUSIONS, vertical_sensitivity_list: VERTICALS }),
  },
  {
    ...read,
    path: 'tool/content_exclusion/info',
    params: [advertiserId, strings('category_ids', { required: true, min: 1 })],
    handle: exclusionInfo,
  },
  {
    ...read,
    path: 'tool/diagnosis/get',
    params: [
      advertiserId,
      { name: 'filtering', type: 'object', fields: [strings('adgroup_ids'), strings('issue_category')] },
    ],
    handle: diagnosis,
  },
  {
    ...read,
    path: 'tool/diagnosis/search/health',
    params: [advertiserId, text('adgroup_id'), strings('ad_ids')],
    handle: searchHealth,
  },
  {
    ...read,
    path: 'tool/search_keyword/keyword_idea',
    params: [advertiserId, strings('keywords', { required: true, min: 1, max: 20 })],
    handle: ideas,
  },
  {
    ...read,
    path: 'tool/search_keyword/recommend',
    params: [
      advertiserId,
      strings('search_queries'),
      strings('ad_ids'),
      strings('landing_page_urls'),
      strings('regions'),
      ...paging,
    ],
    handle: recommended,
  },
];

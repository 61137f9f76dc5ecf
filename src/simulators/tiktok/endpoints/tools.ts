import { hash32 } from '../../kit/random.ts';
import { currencyDigits, minorPerUsd } from '../currency.ts';
import { OBJECTIVES } from '../enums-table.ts';
import { advertiserId } from '../params.ts';
import { COUNTRIES } from '../regions-table.ts';
import { invalid } from '../rules.ts';
import { carriers, devices, interests, type Region, regions } from '../targeting.ts';
import { ACTIONS, KEYWORDS, LANGUAGES, OS_VERSIONS, TIME_ZONES } from '../tools-table.ts';
import type { Call, Endpoint, Param } from '../types.ts';

/** Targeting tools: tool/region, search/region, tool/{interest_category,action_category,language,...}. Shapes: the yml documents of the same names. */

const LEVELS: Readonly<Record<string, readonly Region['level'][]>> = {
  ALL: ['COUNTRY', 'PROVINCE', 'CITY'],
  TO_COUNTRY: ['COUNTRY'],
  TO_PROVINCE: ['COUNTRY', 'PROVINCE'],
  TO_CITY: ['COUNTRY', 'PROVINCE', 'CITY'],
  TO_DISTRICT: ['COUNTRY', 'PROVINCE', 'CITY'],
};

function region(call: Call): unknown {
  const levels = LEVELS[String(call.params['level_range'] ?? 'ALL')]!;
  const found = [...regions().values()].filter((row) => levels.includes(row.level));
  return {
    region_info: found,
    region_list: found.map((row) => row.location_id),
  };
}

const searchRegion = () => ({
  region_list: [...regions().values()].map((row) => ({
    region_id: row.location_id,
    region_name: row.name,
    region_level: row.level,
    area_type: row.area_type,
    country_code: row.country_code,
    parent_id: row.parent_id,
    support_below_18: row.support_below_18,
  })),
});

const SPECIAL: readonly string[] = [];

function interestCategories(call: Call): unknown {
  const placements = (call.params['placements'] as string[] | undefined) ?? ['PLACEMENT_TIKTOK', 'PLACEMENT_PANGLE'];
  // Version 2 is the current tree and the default; the older one is gone (unverified).
  return { interest_categories: interests().map((row) => ({ ...row, special_industries: SPECIAL, placements })) };
}

function actionCategories(): unknown {
  const rows = ACTIONS.flatMap(([id, scene, name, children]) => [
    {
      action_category_id: id,
      action_scene: scene,
      name,
      level: 1,
      sub_category_ids: children.map((child) => child[0]),
    },
    ...children.map(([childId, childName]) => ({
      action_category_id: childId,
      action_scene: scene,
      name: childName,
      level: 2,
      sub_category_ids: [],
    })),
  ]);
  return { action_categories: rows.map((row) => ({ ...row, description: row.name, special_industries: SPECIAL })) };
}

/** Ids of keywords are made of the word; a word that is not in the table gets one when it is searched for. */
const keywordId = (kind: string, word: string) =>
  `7${String(hash32(kind, word)).padStart(10, '0')}${String(hash32(word, kind)).padStart(8, '0').slice(0, 8)}`;

/** Known words that begin with or contain the searched ones, nearest first. */
function suggest(input: string, limit: number): string[] {
  const word = input.trim().toLowerCase();
  const starts = KEYWORDS.filter((known) => known.startsWith(word));
  const holds = KEYWORDS.filter((known) => !known.startsWith(word) && known.includes(word));
  return [...new Set([...starts, ...holds])].slice(0, limit);
}

function interestKeywords(call: Call): unknown {
  const { params } = call;
  const inputs = (params['keywords'] as string[] | undefined) ?? [String(params['keyword'] ?? '')];
  if (inputs.every((input) => input.trim() === '')) return invalid('Missing required field(s): keyword.');
  const kind = String(params['audience_type'] ?? 'GENERAL_INTEREST');
  const language = String(params['language'] ?? 'en');
  return {
    recommended_keywords: inputs.flatMap((input_keyword) =>
      suggest(input_keyword, Number(params['limit'] ?? 10)).map((keyword) => ({
        keyword,
        keyword_id: keywordId(kind, keyword),
        language,
        status: 'EFFECTIVE',
        input_keyword,
      })),
    ),
  };
}

const wordOf = (kind: string, id: string) => KEYWORDS.find((word) => keywordId(kind, word) === id);

function interestKeywordsById(call: Call): unknown {
  const kind =
    (call.params['filtering'] as { audience_type?: string } | undefined)?.audience_type ?? 'GENERAL_INTEREST';
  const query = (call.params['keyword_query'] as { keyword_id: string; language?: string }[] | undefined) ?? [];
  return {
    keywords: query.map(({ keyword_id, language = 'en' }) => {
      const keyword = wordOf(kind, keyword_id);
      return { keyword_id, keyword: keyword ?? '', language, status: keyword ? 'EFFECTIVE' : 'INEFFECTIVE' };
    }),
  };
}

function hashtags(call: Call): unknown {
  return {
    // The yml names the member so; an independent client reads `recommended_keywords`.
    recommend_keywords: (call.params['keywords'] as string[]).flatMap((input_keyword) =>
      suggest(input_keyword, 10).map((word) => {
        const keyword = word.replaceAll(' ', '');
        return { input_keyword, keyword, keyword_id: keywordId('HASHTAG', word), keyword_status: 'ONLINE' };
      }),
    ),
  };
}

function hashtagsById(call: Call): unknown {
  return {
    keywords_status: (call.params['keyword_ids'] as string[]).map((keyword_id) => {
      const word = wordOf('HASHTAG', keyword_id);
      return { keyword_id, keyword: word?.replaceAll(' ', '') ?? '', keyword_status: word ? 'ONLINE' : 'OFFLINE' };
    }),
  };
}

function osVersions(call: Call): unknown {
  const type = call.params['os_type'] as 'ANDROID' | 'IOS';
  return {
    os_versions: OS_VERSIONS[type].map(([version, name]) => ({
      os_id: String(1000 + (hash32('os', type, version) % 9000)),
      os_type: type,
      version,
      name,
    })),
  };
}

/** `GMT+09:00` of a zone now: the offset that the account would have today. */
function gmtOffset(timeZone: string, now: Date): string {
  const part = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
    .formatToParts(now)
    .find((candidate) => candidate.type === 'timeZoneName');
  return part?.value === 'GMT' ? 'GMT+00:00' : (part?.value ?? 'GMT+00:00');
}

function validateUrl(call: Call): unknown {
  const text = String(call.params['url']);
  const url = URL.parse(text);
  const web = url !== null && /^https?:$/.test(url.protocol) && /\.|^localhost$/.test(url.hostname);
  const scheme = url !== null && !/^https?:$/.test(url.protocol);
  return { url_info: { validate_info: { is_valid_url: web, is_scheme_link: scheme, is_valid_scheme: scheme } } };
}

/** US dollars per result that each objective suggests; times the currency's worth. Invented, deterministic figures. */
const SUGGESTED: Readonly<Record<string, number>> = {
  APP_PROMOTION: 2.5,
  LEAD_GENERATION: 6,
  WEB_CONVERSIONS: 8,
  PRODUCT_SALES: 7,
  TRAFFIC: 0.4,
  REACH: 4,
  RF_REACH: 4,
  VIDEO_VIEWS: 0.02,
  ENGAGEMENT: 0.6,
};

function recommendBid(call: Call): unknown {
  const { params } = call;
  const advertiser = call.world.advertisers.get(String(params['advertiser_id']))!;
  const places = (params['location_ids'] as string[]).toSorted().join();
  const factor = 0.8 + (hash32('bid', places, String(params['external_action'] ?? '')) % 40) / 100;
  const minor = Math.round(
    (SUGGESTED[String(params['objective_type'])] ?? 1) * factor * minorPerUsd(advertiser.currency),
  );
  return { bid: Math.max(1, minor) / 10 ** currencyDigits(advertiser.currency) };
}

const list = (name: string, more: Partial<Param> = {}): Param => ({
  name,
  type: 'array',
  items: { type: 'string' },
  ...more,
});
const text = (name: string, more: Partial<Param> = {}): Param => ({ name, type: 'string', ...more });

/** These tools need a token and no permission (tiktok reference index); hence no scopes. */
const tool = (path: string, params: readonly Param[], handle: Endpoint['handle']): Endpoint => ({
  method: 'GET',
  path,
  auth: 'token',
  scopes: [],
  params: [advertiserId, ...params],
  handle,
});

/** The targeting tools without parameters of much weight. */
export const endpoints: Endpoint[] = [
  tool(
    'tool/region',
    [
      list('placements', { required: true }),
      text('objective_type', { required: true, enum: OBJECTIVES }),
      text('level_range', { enum: Object.keys(LEVELS) }),
      text('operating_system'),
      text('promotion_target_type'),
      text('brand_safety_type'),
      text('brand_safety_partner'),
      text('rf_campaign_type'),
      text('language'),
    ],
    region,
  ),
  tool('search/region', [text('language')], searchRegion),
  tool(
    'tool/interest_category',
    [{ name: 'version', type: 'number' }, list('placements'), list('special_industries'), text('language')],
    interestCategories,
  ),
  tool('tool/action_category', [list('special_industries'), text('language')], actionCategories),
  tool(
    'tool/interest_keyword/recommend',
    [
      text('keyword'),
      list('keywords'),
      text('language'),
      { name: 'limit', type: 'integer', min: 1, max: 50 },
      text('mode'),
      text('audience_type', { enum: ['GENERAL_INTEREST', 'PURCHASE_INTENTION'] }),
    ],
    interestKeywords,
  ),
  tool(
    'tool/interest_keyword/get',
    [
      {
        name: 'filtering',
        type: 'object',
        fields: [text('audience_type', { enum: ['GENERAL_INTEREST', 'PURCHASE_INTENTION'] })],
      },
      {
        name: 'keyword_query',
        type: 'array',
        min: 1,
        max: 50,
        items: { type: 'object', fields: [text('keyword_id', { required: true }), text('language')] },
      },
    ],
    interestKeywordsById,
  ),
  tool(
    'tool/hashtag/recommend',
    [list('keywords', { required: true, min: 1, max: 10 }), text('operator', { enum: ['AND', 'OR'] })],
    hashtags,
  ),
  tool('tool/hashtag/get', [list('keyword_ids', { required: true })], hashtagsById),
  tool('tool/language', [], () => ({ languages: LANGUAGES.map(([code, name]) => ({ code, name })) })),
  tool('tool/carrier', [], () => ({ countries: carriers() })),
  tool('tool/device_model', [], () => ({ device_models: devices() })),
  tool('tool/os_version', [text('os_type', { required: true, enum: ['ANDROID', 'IOS'] })], osVersions),
  tool('tool/timezone', [], (call) => ({
    timezones: TIME_ZONES.map((timezone) => ({ timezone, gmt_offset: gmtOffset(timezone, call.now) })),
  })),
  tool('tool/phone_region_code', [], () => ({
    phone_region_code_infos: COUNTRIES.filter((row) => row[3] !== '').map(([code, , name, calling]) => ({
      phone_region_name: name,
      phone_region_code: code,
      phone_region_calling_code: `+${calling}`,
    })),
  })),
  tool('tool/url_validate', [text('url', { required: true })], validateUrl),
  {
    ...tool(
      'tool/bid/recommend',
      [
        list('location_ids', { required: true, min: 1 }),
        text('objective_type', { required: true, enum: Object.keys(SUGGESTED) }),
        text('campaign_id'),
        text('external_action'),
      ],
      recommendBid,
    ),
    method: 'POST',
  },
];

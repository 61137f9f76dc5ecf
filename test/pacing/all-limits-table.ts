/**
 * Every limit of calls that the platforms' documents name, with the bucket that expresses it. A limit is judged by what the
 * platform is taken to count (`judge`): sliding windows unless its documents say otherwise. Facts marked (unverified) in
 * the source keep the word. What is no matter of pacing (sizes of requests, numbers of objects) is in
 * `other-limits-table.ts`.
 */
import type { Environment, QuotaBucket, UsageReader } from '../../src/core/connector/types.ts';

export interface LimitRow {
  platform: string;
  /** What the documents say, in our words. */
  says: string;
  bucket: QuotaBucket;
  /** How the platform counts; default `sliding`. `hidden`: unpublished, this many per window. */
  judge?:
    | { kind: 'sliding' | 'fixed' | 'leak' | 'concurrent' }
    | { kind: 'hidden'; limit: number; counts?: 'sliding' | 'leak' | 'concurrent' };
  /** Start of the next window after `AT`, for windows that the platform aligns: looked up by hand, not computed. */
  resets?: string;
  /** Numbers that the limit grows with, and what it is then. */
  facts?: Readonly<Record<string, number>>;
  grown?: number;
  /** The level has no such limit: nothing is claimed. */
  none?: true;
  /** Default production. */
  environment?: Environment;
  /** Units of one call, for buckets that count something else than calls. */
  units?: number;
  /** The call is a write. */
  write?: true;
  operation?: string;
  tier?: string;
}

const S = 1_000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;
const NEXT = 'next_window' as const;
const PACIFIC = { at: '00:00', zone: 'America/Los_Angeles' };
const APP = ['app'] as const;
const APP_ORG = ['app', 'organization'] as const;
const APP_USER = ['app', 'user'] as const;
/** 2026-11-22T12:00:00Z, a Sunday: the time at which everything here begins. */
export const AT = 1_795_348_800_000;
const MIDNIGHT_UTC = '2026-11-23T00:00:00Z';
const MIDNIGHT_PACIFIC = '2026-11-23T08:00:00Z';
/** Nobody says when a place is free again: it is asked for a moment later. */
const SOON = { restMs: 5 * S };

const bucket = (
  name: string,
  keyedBy: QuotaBucket['keyedBy'],
  limit: number,
  windowMs: number,
  more: Partial<QuotaBucket> = {},
): QuotaBucket => ({ name, keyedBy, limit, windowMs, recovery: NEXT, ...more });

/** Per second, minute and day, as TikTok writes its limits. */
function three(
  says: string,
  limits: Record<string, readonly [number, number, number]>,
  keyedBy: QuotaBucket['keyedBy'],
  operation?: string,
  environment?: Environment,
): LimitRow[] {
  const [[, base], ...levels] = Object.entries(limits) as [
    [string, readonly [number, number, number]],
    ...[string, readonly [number, number, number]][],
  ];
  const tiers = (at: 0 | 1 | 2) => Object.fromEntries(levels.map(([level, limit]) => [level, limit[at]]));
  const scope = {
    ...(operation === undefined ? {} : { operations: [operation] }),
    ...(environment === undefined ? {} : { environments: [environment] }),
  };
  const rows: [string, number, QuotaBucket['recovery'], 0 | 1 | 2][] = [
    ['second', S, NEXT, 0],
    ['minute', M, { restMs: 5 * M }, 1],
    ['day', D, 'utc_midnight', 2],
  ];
  return [undefined, ...levels.map(([level]) => level)].flatMap((tier) =>
    rows.map(([period, windowMs, recovery, at]) => ({
      platform: 'tiktok',
      says: `${says}, per ${period}${tier === undefined ? '' : `, ${tier}`}`,
      bucket: bucket(`${says} per ${period}`, keyedBy, base[at], windowMs, { recovery, tiers: tiers(at), ...scope }),
      ...(operation === undefined ? {} : { operation }),
      ...(environment === undefined ? {} : { environment }),
      ...(tier === undefined ? {} : { tier }),
    })),
  );
}

const EVENTS = [
  'event/track',
  'app/track',
  'app/batch',
  'pixel/track',
  'pixel/batch',
  'offline/track',
  'offline/batch',
];
const one = (limit: readonly [number, number, number]) => ({ Basic: limit });

const tiktok: LimitRow[] = [
  ...three(
    'app',
    {
      Basic: [10, 600, 864_000],
      Advanced: [20, 1_200, 1_728_000],
      Premium: [30, 1_800, 2_592_000],
      Ultimate: [50, 3_000, 4_320_000],
    },
    APP,
  ),
  ...three(
    'ad/create',
    {
      Basic: [5, 150, 86_400],
      Advanced: [10, 200, 86_400],
      Premium: [10, 300, 86_400],
      Ultimate: [15, 300, 86_400],
    },
    ['app', 'endpoint'],
    'ad/create',
  ),
  ...three('report/task/create', one([2, 60, 4_500]), ['app', 'endpoint'], 'report/task/create'),
  ...three('campaign/copy/task/create', one([1, 30, 432_000]), ['app', 'endpoint'], 'campaign/copy/task/create'),
  ...three('campaign/copy/task/check', one([2, 60, 864_000]), ['app', 'endpoint'], 'campaign/copy/task/check'),
  ...three(
    'gmv_max/report/get',
    { Basic: [8, 240, 20_000], Advanced: [12, 360, 30_000], Premium: [20, 600, 50_000], Ultimate: [20, 600, 50_000] },
    ['app', 'endpoint'],
    'gmv_max/report/get',
  ),
  ...['catalog/product/file', 'catalog/product/upload'].flatMap((name) =>
    three(
      name,
      {
        Basic: [5, 300, 432_000],
        Advanced: [5, 300, 432_000],
        Premium: [10, 600, 864_000],
        Ultimate: [10, 600, 864_000],
      },
      ['app', 'endpoint'],
      name,
    ),
  ),
  ...['catalog/product/update', 'catalog/product/delete'].flatMap((name) =>
    three(
      name,
      {
        Basic: [2, 120, 172_800],
        Advanced: [2, 120, 172_800],
        Premium: [5, 300, 432_000],
        Ultimate: [5, 300, 432_000],
      },
      ['app', 'endpoint'],
      name,
    ),
  ),
  ...['creative/quick_optimization/create', 'creative/smart_video/create', 'video_template/task/create'].flatMap(
    (name) =>
      three(
        name,
        { Basic: [1, 30, 5_000], Advanced: [2, 60, 10_000], Premium: [3, 180, 15_000], Ultimate: [3, 180, 15_000] },
        ['app', 'endpoint'],
        name,
      ),
  ),
  ...EVENTS.flatMap((name) => three(name, one([1_000, 600_000, 86_400_000]), ['app', 'endpoint'], name)),
  ...['segment/mapping', 'segment/audience'].flatMap((name) =>
    three(
      `${name} (streaming audiences)`,
      {
        Basic: [10_000, 600_000, 864_000_000],
        Advanced: [20_000, 1_200_000, 1_728_000_000],
        Premium: [30_000, 1_800_000, 2_592_000_000],
        Ultimate: [50_000, 3_000_000, 4_320_000_000],
      },
      ['app', 'endpoint'],
      name,
    ),
  ),
  ...three('sandbox, each endpoint', one([1, 30, 1_000]), ['app', 'endpoint'], undefined, 'sandbox'),
  {
    platform: 'tiktok',
    says: 'the seed article: 600 per minute and endpoint, sliding (official pages: per app, as above)',
    bucket: bucket('endpoint minute', ['app', 'endpoint'], 600, M),
  },
  {
    platform: 'tiktok',
    says: 'the seed article: quotas per token, no number (no official page has them)',
    bucket: bucket('token minute', ['token'], 600, M, { learn: { min: 10, max: 600 } }),
    judge: { kind: 'hidden', limit: 400 },
  },
  {
    platform: 'tiktok',
    says: 'unpublished limit per advertiser and path (40133)',
    bucket: bucket('advertiser endpoint', ['app', 'organization', 'endpoint'], 10, S, { learn: { min: 1, max: 50 } }),
    judge: { kind: 'hidden', limit: 4 },
  },
  {
    platform: 'tiktok',
    says: 'unpublished limit per pixel code (40132)',
    bucket: bucket('pixel', ['app', 'object'], 20, S, { learn: { min: 1, max: 1_000 } }),
    judge: { kind: 'hidden', limit: 12 },
  },
  {
    platform: 'tiktok',
    says: 'Smart+: one write per ad in five seconds',
    bucket: bucket('ad writes', ['object'], 1, 5 * S, { access: 'write' }),
    write: true,
  },
];

const meta: LimitRow[] = [
  ...(
    [
      ['Limited', 60, 300 * S],
      ['Full', 9_000, 60 * S],
    ] as const
  ).flatMap(([tier, limit, restMs]): LimitRow[] =>
    (['read', 'write'] as const).map((access) => ({
      platform: 'meta',
      says: `score per ad account, ${tier}: ${access === 'read' ? 'reads cost 1' : 'writes cost 3'}, decays over 300 s, block ${restMs / S} s`,
      // Whether points end evenly or all at once is not said: a log of them stays within both.
      bucket: bucket('account score', APP_ORG, limit, 300 * S, {
        cost: { read: 1, write: 3 },
        recovery: { restMs },
      }),
      judge: { kind: 'leak' },
      ...(access === 'write' ? { write: true as const } : {}),
    })),
  ),
  {
    platform: 'meta',
    says: 'writes per second and ad account: 100 (613/5044001)',
    bucket: bucket('writes per second', APP_ORG, 100, S, { access: 'write' }),
    write: true,
  },
  ...(
    [
      ['ads_management, Limited: 300 + 40 per active ad', 300, 'active_ads', 40, 780],
      ['ads_management, Full: 100,000 + 40 per active ad', 100_000, 'active_ads', 40, 100_480],
      ['custom_audience, Limited: 5,000 + 40 per active audience', 5_000, 'active_audiences', 40, 5_480],
      ['custom_audience, Full: 190,000 + 40 per active audience', 190_000, 'active_audiences', 40, 190_480],
    ] as const
  ).map(
    ([says, limit, by, each, grown]): LimitRow => ({
      platform: 'meta',
      says: `use case ${says}, rolling hour`,
      bucket: bucket(`buc ${says.split(',')[0]}`, APP_ORG, limit, H, {
        grows: { terms: [{ by, each }], ...(by === 'active_audiences' ? { most: 700_000 } : {}) },
      }),
      facts: { [by]: 12 },
      grown,
    }),
  ),
  {
    platform: 'meta',
    says: 'use case custom_audience: never more than 700,000',
    bucket: bucket('buc custom_audience', APP_ORG, 190_000, H, {
      grows: { terms: [{ by: 'active_audiences', each: 40 }], most: 700_000 },
    }),
    facts: { active_audiences: 20_000 },
    grown: 700_000,
  },
  ...(
    [
      ['Limited', 600, 5_398],
      ['Full', 190_000, 194_798],
    ] as const
  ).map(
    ([level, limit, grown]): LimitRow => ({
      platform: 'meta',
      says: `use case ads_insights, ${level}: ${limit} + 400 per active ad - 0.001 per user error, rolling hour`,
      bucket: bucket('buc ads_insights', APP_ORG, limit, H, {
        grows: {
          terms: [
            { by: 'active_ads', each: 400 },
            { by: 'user_errors', each: -0.001 },
          ],
        },
      }),
      facts: { active_ads: 12, user_errors: 2_000 },
      grown,
    }),
  ),
  ...(
    [
      ['pages (80001, number of the code unverified)', 'pages', ['app', 'object']],
      ['instagram (80002, unverified)', 'instagram', ['app', 'object']],
      ['leadgen (80005, unverified)', 'leadgen', ['app', 'object']],
      ['messenger (80006, unverified)', 'messenger', ['app', 'object']],
      ['whatsapp (80008, unverified)', 'whatsapp', ['app', 'object']],
    ] as const
  ).map(
    ([says, name, keyedBy]): LimitRow => ({
      platform: 'meta',
      says: `use case ${says}, rolling hour, size not in the sheet`,
      bucket: bucket(`buc ${name}`, keyedBy, 200, H, { learn: { min: 10, max: 1_000_000 } }),
      judge: { kind: 'hidden', limit: 150 },
    }),
  ),
  {
    platform: 'meta',
    says: 'catalog: 20,000 + 20,000 log2(unique users) per business and catalog (80009, unverified)',
    bucket: bucket('catalog', ['object'], 20_000, H, {
      grows: { terms: [{ by: 'unique_users', each: 20_000, log2: true }] },
    }),
    facts: { unique_users: 1_024 },
    grown: 220_000,
  },
  {
    platform: 'meta',
    says: 'catalog batch: 200 + 200 log2(unique users) (80014)',
    bucket: bucket('catalog batch', ['object'], 200, H, {
      operations: ['items_batch'],
      grows: { terms: [{ by: 'unique_users', each: 200, log2: true }] },
    }),
    operation: 'items_batch',
    facts: { unique_users: 1_024 },
    grown: 2_200,
  },
  {
    platform: 'meta',
    says: 'platform: 200 × daily users of the app per rolling hour (4)',
    bucket: bucket('platform', APP, 200, H, { grows: { terms: [{ by: 'daily_users', each: 200, beyond: 1 }] } }),
    facts: { daily_users: 30 },
    grown: 6_000,
  },
  {
    platform: 'meta',
    says: 'platform: the app as a whole, temporary (341), unpublished',
    bucket: bucket('app for a time', APP, 200, H, { learn: { min: 20, max: 10_000 } }),
    judge: { kind: 'hidden', limit: 150 },
  },
  {
    platform: 'meta',
    says: 'per user (code 17), unpublished',
    bucket: bucket('user', APP_USER, 200, H, { learn: { min: 20, max: 10_000 } }),
    judge: { kind: 'hidden', limit: 150 },
  },
  {
    platform: 'meta',
    says: 'guard against abuse (613 without subcode, 613/1996 inconsistent volume), unpublished',
    bucket: bucket('abuse', APP_ORG, 200, H, { learn: { min: 20, max: 10_000 } }),
    judge: { kind: 'hidden', limit: 150 },
  },
  {
    platform: 'meta',
    says: 'creation of ads (613/1487225), unpublished',
    bucket: bucket('ad creation', APP_ORG, 200, H, { operations: ['ads/create'], learn: { min: 20, max: 10_000 } }),
    operation: 'ads/create',
    judge: { kind: 'hidden', limit: 150 },
  },
  {
    platform: 'meta',
    says: 'insights of the app as a whole (X-FB-Ads-Insights-Throttle, app_id_util_pct), unpublished',
    bucket: bucket('insights app', APP, 200, H, { operations: ['insights'], learn: { min: 20, max: 1_000_000 } }),
    operation: 'insights',
    judge: { kind: 'hidden', limit: 150 },
  },
  {
    platform: 'meta',
    says: 'insights with reach (x-Fb-Ads-Insights-Reach-Throttle), unpublished',
    bucket: bucket('insights reach', APP_ORG, 200, H, {
      operations: ['insights/reach'],
      learn: { min: 20, max: 1_000_000 },
    }),
    operation: 'insights/reach',
    judge: { kind: 'hidden', limit: 150 },
  },
  {
    platform: 'meta',
    says: 'budget of an ad set: 4 changes an hour (613/1487632)',
    bucket: bucket('ad set budget', ['object'], 4, H, { operations: ['adset/budget'] }),
    operation: 'adset/budget',
  },
  {
    platform: 'meta',
    says: 'spend cap of an account: 10 changes a day (17/1885172)',
    bucket: bucket('account spend cap', ['organization'], 10, D, { operations: ['account/spend_cap'] }),
    operation: 'account/spend_cap',
  },
  {
    platform: 'meta',
    says: 'async breakdown reports: min(10, ad groups) in 24 hours',
    bucket: bucket('async breakdowns', APP_ORG, 1, D, {
      operations: ['insights/async'],
      grows: { terms: [{ by: 'ad_groups', each: 1, beyond: 1 }], most: 10 },
    }),
    operation: 'insights/async',
    facts: { ad_groups: 4 },
    grown: 4,
  },
  {
    platform: 'meta',
    says: 'reach with breakdowns beyond 13 months: 10 async reports a day',
    bucket: bucket('async reach', APP_ORG, 10, D, { operations: ['insights/old_reach'] }),
    operation: 'insights/old_reach',
  },
  {
    platform: 'meta',
    says: 'batch: each of up to 50 items counts as a call',
    bucket: bucket('platform', APP, 200, H, { cost: { operations: { batch: 50 } } }),
    operation: 'batch',
  },
  {
    platform: 'meta',
    says: 'sandbox ad accounts: other limits, not in the sheet (unverified)',
    bucket: bucket('sandbox', APP_ORG, 60, 300 * S, { environments: ['sandbox'], learn: { min: 5, max: 9_000 } }),
    environment: 'sandbox',
    judge: { kind: 'hidden', limit: 40 },
  },
];

/** Display & Video 360 counts each of these as five writes. */
const INTENSIVE = [
  'customBiddingAlgorithms.scripts.create',
  'customBiddingAlgorithms.uploadScript',
  'firstPartyAndPartnerAudiences.create',
  'firstPartyAndPartnerAudiences.editCustomerMatchMembers',
  'media.upload',
];

const google: LimitRow[] = [
  ...(
    [
      ['Test', 15_000, undefined],
      ['Basic', 15_000, 'Basic'],
    ] as const
  ).map(
    ([says, limit, tier]): LimitRow => ({
      platform: 'google-ads',
      says: `operations in sliding 24 hours, ${says} access; each changed item is one`,
      bucket: bucket('operations', APP, limit, D, { counts: 'operations', tiers: { Basic: limit, Standard: null } }),
      units: 10,
      ...(tier === undefined ? {} : { tier }),
    }),
  ),
  {
    platform: 'google-ads',
    says: 'operations, Standard access: no such limit',
    bucket: bucket('operations', APP, 15_000, D, { counts: 'operations', tiers: { Basic: 15_000, Standard: null } }),
    units: 10,
    tier: 'Standard',
    none: true,
  },
  ...(
    [
      ['Explorer access, production accounts', 2_880, 'production'],
      ['Explorer access, test accounts', 15_000, 'sandbox'],
    ] as const
  ).map(
    ([says, limit, environment]): LimitRow => ({
      platform: 'google-ads',
      says: `operations in sliding 24 hours, ${says}`,
      bucket: bucket(`operations ${environment}`, APP, limit, D, {
        counts: 'operations',
        environments: [environment],
      }),
      units: 10,
      environment,
    }),
  ),
  ...(
    [
      ['customer', APP_ORG],
      ['project', APP],
    ] as const
  ).map(
    ([name, keyedBy]): LimitRow => ({
      platform: 'google-ads',
      says: `short-term token bucket per ${name}, unpublished`,
      bucket: bucket(name, keyedBy, 20, S, { learn: { min: 1, max: 200 } }),
      judge: { kind: 'hidden', limit: 12, counts: 'leak' },
    }),
  ),
  ...(
    [
      ['SHORT', M],
      ['LONG', H],
    ] as const
  ).map(
    ([term, windowMs]): LimitRow => ({
      platform: 'google-ads',
      says: `what queries consume (EXCESSIVE_${term}_TERM_QUERY_RESOURCE_CONSUMPTION), told by queryResourceConsumption, unpublished`,
      bucket: bucket(`consumption ${term.toLowerCase()}`, APP_ORG, 10_000, windowMs, {
        operations: ['search'],
        counts: 'consumption',
        learn: { min: 100, max: 100_000_000 },
      }),
      operation: 'search',
      units: 120,
      judge: { kind: 'hidden', limit: 8_000 },
    }),
  ),
  {
    platform: 'google-ads',
    says: 'planning services (keyword ideas, reach plan): 1 per second per customer and project',
    bucket: bucket('planning', APP_ORG, 1, S, { operations: ['keywordPlanIdeas', 'reachPlan'] }),
    operation: 'keywordPlanIdeas',
  },
  {
    platform: 'google-ads',
    says: 'heavy traffic on test accounts may be throttled without notice',
    bucket: bucket('test accounts', APP_ORG, 10, S, { environments: ['sandbox'], learn: { min: 1, max: 100 } }),
    environment: 'sandbox',
    judge: { kind: 'hidden', limit: 6 },
  },
  ...(
    [
      ['dv360', 'all calls of a project', APP, 1_500, undefined],
      ['dv360', 'writes of a project', APP, 700, 'write'],
      ['dv360', 'all calls of an advertiser', APP_ORG, 300, undefined],
      ['dv360', 'writes of an advertiser', APP_ORG, 150, 'write'],
    ] as const
  ).map(
    ([platform, says, keyedBy, limit, access]): LimitRow => ({
      platform,
      says: `${says}: ${limit} per minute`,
      bucket: bucket(says, keyedBy, limit, M, access === undefined ? {} : { access }),
      ...(access === undefined ? {} : { write: true as const }),
    }),
  ),
  ...INTENSIVE.flatMap((operation) =>
    (
      [
        ['project', APP, 700],
        ['advertiser', APP_ORG, 150],
      ] as const
    ).map(
      ([of, keyedBy, limit]): LimitRow => ({
        platform: 'dv360',
        says: `${operation} counts as five writes of its ${of}`,
        bucket: bucket(`writes of ${of}`, keyedBy, limit, M, {
          access: 'write',
          cost: { operations: Object.fromEntries(INTENSIVE.map((name) => [name, 5])) },
        }),
        write: true,
        operation,
      }),
    ),
  ),
  {
    platform: 'dv360',
    says: 'no two writes to one line item at a time',
    bucket: bucket('line item writes', ['object'], 1, 10 * M, {
      access: 'write',
      rule: { kind: 'concurrency', holds: 'call' },
      recovery: SOON,
    }),
    write: true,
    judge: { kind: 'concurrent' },
  },
  {
    platform: 'dv360',
    says: 'Bid Manager: 2,000 a day, from midnight Pacific; errors count too',
    bucket: bucket('bid manager day', APP, 2_000, D, {
      rule: { kind: 'fixed', align: PACIFIC },
      recovery: PACIFIC,
    }),
    judge: { kind: 'fixed' },
    resets: MIDNIGHT_PACIFIC,
  },
  {
    platform: 'dv360',
    says: 'Bid Manager: 4 per second (240 per minute)',
    bucket: bucket('bid manager second', APP, 4, S),
  },
  {
    platform: 'dv360',
    says: 'Bid Manager: 240 per minute',
    bucket: bucket('bid manager minute', APP, 240, M),
  },
  ...(['user', 'object'] as const).map(
    (key): LimitRow => ({
      platform: 'dv360',
      says: `reporting: further quotas of the product per ${key === 'user' ? 'user' : 'partner'}, unpublished`,
      bucket: bucket(`reporting ${key}`, [key], 30, M, { operations: ['queries.run'], learn: { min: 1, max: 300 } }),
      operation: 'queries.run',
      judge: { kind: 'hidden', limit: 20 },
    }),
  ),
  {
    platform: 'cm360',
    says: '50,000 requests a day, from midnight Pacific',
    bucket: bucket('day', APP, 50_000, D, { rule: { kind: 'fixed', align: PACIFIC }, recovery: PACIFIC }),
    judge: { kind: 'fixed' },
    resets: MIDNIGHT_PACIFIC,
  },
  { platform: 'cm360', says: '1 request per second', bucket: bucket('second', APP, 1, S) },
  { platform: 'cm360', says: '60 per minute and user', bucket: bucket('user minute', APP_USER, 60, M) },
  {
    platform: 'cm360',
    says: 'raised: 600 per minute and user',
    bucket: bucket('user minute', APP_USER, 600, M),
  },
  { platform: 'cm360', says: 'raised: 10 requests per second', bucket: bucket('second', APP, 10, S) },
  {
    platform: 'cm360',
    says: 'Report Builder: further limits per account (403 quotaExceeded), unpublished',
    bucket: bucket('report builder', ['object'], 30, M, { operations: ['reports.run'], learn: { min: 1, max: 300 } }),
    operation: 'reports.run',
    judge: { kind: 'hidden', limit: 20 },
  },
  ...(
    [
      ['3,000 searches per minute and user', APP_USER, 3_000, M],
      ['3,000 searches per minute and project', APP, 3_000, M],
      ['150,000 searches per day and project', APP, 150_000, D],
    ] as const
  ).map(
    ([says, keyedBy, limit, windowMs]): LimitRow => ({
      platform: 'sa360',
      says: `${says}; follow-up pages are not counted`,
      bucket: bucket(says, keyedBy, limit, windowMs, {
        operations: ['search', 'searchStream'],
        counts: 'searches',
      }),
      operation: 'search',
    }),
  ),
  {
    platform: 'sa360',
    says: 'v23 changes: not published (unverified)',
    bucket: bucket('v23 changes', APP, 10, S, { access: 'write', learn: { min: 1, max: 100 } }),
    write: true,
    judge: { kind: 'hidden', limit: 6 },
  },
  ...(['Reports.generate', 'Reports.request', undefined] as const).map(
    (operation): LimitRow => ({
      platform: 'sa360',
      says: `legacy API, ${operation ?? 'all else, conversions included'}: daily from midnight Pacific, numbers in the console`,
      bucket: bucket(`legacy ${operation ?? 'default'}`, APP, 1_000, D, {
        rule: { kind: 'fixed', align: PACIFIC },
        ...(operation === undefined
          ? { except: ['Reports.generate', 'Reports.request'] }
          : { operations: [operation] }),
        learn: { min: 10, max: 100_000 },
        recovery: PACIFIC,
      }),
      ...(operation === undefined ? {} : { operation }),
      judge: { kind: 'fixed' },
      resets: MIDNIGHT_PACIFIC,
    }),
  ),
];

const others: LimitRow[] = [
  {
    platform: 'amazon',
    says: 'per endpoint, account and region (an account is of one region), dynamic, unpublished',
    bucket: bucket('endpoint', ['app', 'organization', 'endpoint'], 10, S, { learn: { min: 1, max: 100 } }),
    judge: { kind: 'hidden', limit: 6 },
  },
  {
    platform: 'amazon',
    says: 'lists with extended data count five-fold',
    bucket: bucket('endpoint', ['app', 'organization', 'endpoint'], 50, S, {
      cost: { operations: { 'campaigns/list-extended': 5 } },
      learn: { min: 5, max: 100 },
    }),
    operation: 'campaigns/list-extended',
    judge: { kind: 'hidden', limit: 30 },
  },
  {
    platform: 'amazon',
    says: 'v1: calls per second and ad product, unpublished',
    // One such bucket for each ad product: its operations are named after it.
    bucket: bucket('v1 sponsored products', APP_ORG, 10, S, {
      operations: ['v1/campaigns/SPONSORED_PRODUCTS'],
      learn: { min: 1, max: 100 },
    }),
    operation: 'v1/campaigns/SPONSORED_PRODUCTS',
    judge: { kind: 'hidden', limit: 8 },
  },
  {
    platform: 'amazon',
    says: 'reports: tiers by the length of a queue, for each region (the object), unpublished',
    bucket: bucket('reports', ['app', 'object'], 10, M, { operations: ['reports'], learn: { min: 1, max: 60 } }),
    operation: 'reports',
    judge: { kind: 'hidden', limit: 6 },
  },
  { platform: 'criteo', says: 'client credentials: 250 per minute', bucket: bucket('minute', APP, 250, M) },
  {
    platform: 'criteo',
    says: 'client credentials: 40 reports per minute',
    bucket: bucket('reports', APP, 40, M, {
      operations: ['statistics/report', 'placements/report', 'transactions/report', 'log-level/report'],
    }),
    operation: 'statistics/report',
  },
  {
    platform: 'criteo',
    says: 'authorization code: 10 per minute × consented accounts, pooled',
    bucket: bucket('pool', APP_USER, 10, M, {
      grows: { terms: [{ by: 'consented_accounts', each: 10, beyond: 1 }] },
    }),
    facts: { consented_accounts: 3 },
    grown: 30,
  },
  {
    platform: 'criteo',
    says: 'older versions: 35 per minute and token',
    bucket: bucket('token', ['token'], 35, M),
  },
  {
    platform: 'linkedin',
    says: 'per application and endpoint, daily from midnight UTC, unpublished',
    bucket: bucket('application day', ['app', 'endpoint'], 1_000, D, {
      rule: { kind: 'fixed', align: { at: '00:00', zone: 'UTC' } },
      learn: { min: 10, max: 1_000_000 },
      recovery: 'utc_midnight',
    }),
    judge: { kind: 'fixed' },
    resets: MIDNIGHT_UTC,
  },
  {
    platform: 'linkedin',
    says: 'per member, application and endpoint, daily from midnight UTC, unpublished',
    bucket: bucket('member day', ['app', 'user', 'endpoint'], 500, D, {
      rule: { kind: 'fixed', align: { at: '00:00', zone: 'UTC' } },
      learn: { min: 10, max: 1_000_000 },
      recovery: 'utc_midnight',
    }),
    judge: { kind: 'fixed' },
    resets: MIDNIGHT_UTC,
  },
  {
    platform: 'linkedin',
    says: 'adAnalytics: 45 million metric values in five minutes; how many they were, the answer tells',
    bucket: bucket('metric values', APP, 45_000_000, 5 * M, {
      counts: 'metric_values',
      operations: ['adAnalytics'],
    }),
    operation: 'adAnalytics',
    units: 300_000,
  },
  ...(
    [
      ['600 per minute (third-party documents)', 600, M],
      ['300 per minute (a connector assumes so)', 300, M],
      ['300,000 a day (third-party documents)', 300_000, D],
      ['500,000 a day (later third-party documents)', 500_000, D],
    ] as const
  ).map(
    ([says, limit, windowMs]): LimitRow => ({
      platform: 'linkedin',
      says: `conversions: ${says}`,
      bucket: bucket('conversions', APP, limit, windowMs, { operations: ['conversionEvents'] }),
      operation: 'conversionEvents',
    }),
  ),
  ...(['user', 'object'] as const).map(
    (key): LimitRow => ({
      platform: 'microsoft',
      says: `sliding 60 seconds per ${key === 'user' ? 'user' : 'customer (the object)'}, unpublished; wait 60 s after 117`,
      bucket: bucket(`per ${key}`, [key], 60, M, { learn: { min: 5, max: 1_000 }, recovery: { restMs: 60 * S } }),
      judge: { kind: 'hidden', limit: 40 },
    }),
  ),
  {
    platform: 'microsoft',
    says: 'reports pending per user (207), unpublished',
    bucket: bucket('reports', ['user'], 5, H, {
      operations: ['SubmitGenerateReport'],
      rule: { kind: 'concurrency', holds: 'job' },
      learn: { min: 1, max: 20 },
      recovery: { restMs: 60 * S },
    }),
    operation: 'SubmitGenerateReport',
    judge: { kind: 'hidden', limit: 3, counts: 'concurrent' },
  },
  {
    platform: 'microsoft',
    says: 'five (or six) concurrent bulk uploads',
    bucket: bucket('uploads', ['user'], 5, H, {
      operations: ['BulkUpload'],
      rule: { kind: 'concurrency', holds: 'job' },
      recovery: SOON,
    }),
    operation: 'BulkUpload',
    judge: { kind: 'concurrent' },
  },
  {
    platform: 'microsoft',
    says: 'bulk calls in a time, unpublished; wait up to 15 minutes after 4204 (3227 for uploads)',
    bucket: bucket('bulk', ['user'], 60, 15 * M, {
      operations: ['BulkDownload', 'BulkUpload'],
      learn: { min: 5, max: 1_000 },
      recovery: { restMs: 15 * M },
    }),
    operation: 'BulkDownload',
    judge: { kind: 'hidden', limit: 40 },
  },
  {
    platform: 'microsoft',
    says: 'appeals in 24 hours (1711), unpublished',
    bucket: bucket('appeals', ['user'], 20, D, { operations: ['Appeal'], learn: { min: 1, max: 1_000 } }),
    operation: 'Appeal',
    judge: { kind: 'hidden', limit: 12 },
  },
  {
    platform: 'microsoft',
    says: 'sandbox: one call at a time',
    bucket: bucket('sandbox', ['platform'], 1, 10 * M, {
      rule: { kind: 'concurrency', holds: 'call' },
      environments: ['sandbox'],
      recovery: SOON,
    }),
    environment: 'sandbox',
    judge: { kind: 'concurrent' },
  },
  ...(['organization', 'ip'] as const).flatMap((key): LimitRow[] => [
    {
      platform: 'openai-ads',
      says: `600 per minute and endpoint, per ${key}`,
      bucket: bucket(`${key} endpoint`, [key, 'endpoint'], 600, M),
    },
    { platform: 'openai-ads', says: `1,200 per minute, per ${key}`, bucket: bucket(`${key} all`, [key], 1_200, M) },
  ]),
  {
    platform: 'openai-ads',
    says: 'bulk jobs: 10 in 10 seconds per account',
    bucket: bucket('bulk', ['organization'], 10, 10 * S, { operations: ['bulk_mutation_jobs'] }),
    operation: 'bulk_mutation_jobs',
  },
  ...(
    [
      ['universal', 100, S],
      ['ads_read', 1_000, M],
      ['ads_write', 400, M],
      ['ads_analytics', 300, M],
      ['org_read', 1_000, M],
      ['org_write', 100, M],
      ['org_analytics', 60, M],
      ['catalogs_read', 100, M],
      ['catalogs_write', 100, M],
    ] as const
  ).map(
    ([name, limit, windowMs]): LimitRow => ({
      platform: 'pinterest',
      says: `${name}: ${limit} per ${windowMs === S ? 'second' : 'minute'}, user and app, Standard access`,
      // Trial access is bounded by its days; these never bind there.
      bucket: bucket(name, APP_USER, limit, windowMs),
      tier: 'Standard',
    }),
  ),
  ...(
    [
      ['universal', 1_000, APP_USER],
      ['ads_read', 1_000, APP_USER],
      ['ads_write', 300, APP_USER],
      ['ads_analytics', 1_000, APP_USER],
      ['ads_conversions', 1_000, APP_ORG],
      ['org_write', 300, APP_USER],
    ] as const
  ).flatMap(([name, limit, keyedBy]): LimitRow[] => {
    const day = bucket(`${name} per day`, keyedBy, limit, D, { tiers: { Standard: null } });
    return [
      { platform: 'pinterest', says: `${name}: ${limit} a day, Trial access`, bucket: day },
      {
        platform: 'pinterest',
        says: `${name}: no limit of days, Standard access`,
        bucket: day,
        tier: 'Standard',
        none: true,
      },
    ];
  }),
  {
    platform: 'pinterest',
    says: 'conversions: 120,000 per minute, ad account and app',
    bucket: bucket('conversions', APP_ORG, 120_000, M, { operations: ['events'] }),
    operation: 'events',
  },
  {
    platform: 'pinterest',
    says: 'conversions: 5,000 per minute and ad account (text of the endpoint)',
    bucket: bucket('conversions endpoint', ['organization'], 5_000, M, { operations: ['events'] }),
    operation: 'events',
  },
  { platform: 'pinterest', says: 'test events: 10 per second', bucket: bucket('test events', APP_ORG, 10, S) },
  ...(
    [
      ['ads-campaign-management-read', 400, 60],
      ['ads-campaign-management-write', 200, 60],
      ['ads-creative-management', 200, 60],
      ['ads-reporting', 60, 60],
      ['ads-targeting-taxonomy', 100, 60],
      ['ads-business-manager', 100, 60],
      ['ads-keyword-suggestions', 100, 60],
      ['ads-conversion-signals', 30, 60],
      ['ads-funding-instruments', 30, 60],
      ['ads-forecasting', 30, 60],
      ['ads-leads', 20, 60],
      ['ads-privacy', 60, 60],
      ['custom-audience-ingestion', 3_000, 900],
      ['custom-audience-ingestion burst', 500, 60],
      ['ads-product-catalog', 7_000, 300],
      ['ads-product-catalog burst', 3_000, 60],
      ['ads-product-catalog batch (window not given: that of the policy)', 150, 300],
      ['CAPI requests', 1_000, 1],
      ['test events', 10, 1],
    ] as const
  ).map(
    ([name, limit, seconds]): LimitRow => ({
      platform: 'reddit',
      says: `${name}: ${limit} in ${seconds} s, user and app (exact key unverified)`,
      bucket: bucket(name, APP_USER, limit, seconds * S),
    }),
  ),
  {
    platform: 'reddit',
    says: 'CAPI: 10,000 events per second',
    bucket: bucket('CAPI events', APP_USER, 10_000, S, { counts: 'events' }),
    units: 100,
  },
  {
    platform: 'reddit',
    says: 'token calls of www.reddit.com, unpublished; x-ratelimit-used, -remaining, -reset tell',
    bucket: bucket('token calls', APP, 60, M, { operations: ['oauth/token'], learn: { min: 5, max: 1_000 } }),
    operation: 'oauth/token',
    judge: { kind: 'hidden', limit: 40 },
  },
  {
    platform: 'reddit',
    says: 'hidden throttle of poor user agents',
    bucket: bucket('hidden', ['ip'], 10, S, { learn: { min: 1, max: 100 } }),
    judge: { kind: 'hidden', limit: 6 },
  },
  { platform: 'snapchat', says: '20 per second and app', bucket: bucket('app', APP, 20, S) },
  { platform: 'snapchat', says: '10 per second and token', bucket: bucket('token', ['token'], 10, S) },
  ...(
    [
      ['entity writes', 83],
      ['media', 25],
      ['stats', 1_666],
    ] as const
  ).map(
    ([name, limit]): LimitRow => ({
      platform: 'snapchat',
      says: `${name}: ${limit} in windows of five seconds, aligned (recorded headers)`,
      bucket: bucket(name, ['token'], limit, 5 * S, { rule: { kind: 'fixed', align: 'epoch' } }),
      judge: { kind: 'fixed' },
      resets: '2026-11-22T12:00:05Z',
    }),
  ),
  { platform: 'snapchat', says: 'CAPI: 10 per second', bucket: bucket('capi', ['token'], 10, S) },
  {
    platform: 'snapchat',
    says: 'CAPI, long-lived tokens: 1,000 per second',
    bucket: bucket('capi', ['token'], 1_000, S),
  },
  {
    platform: 'snapchat',
    says: 'token calls may be refused with 429 (a connector repeats them), unpublished',
    bucket: bucket('token calls', APP, 60, M, { operations: ['oauth/token'], learn: { min: 5, max: 1_000 } }),
    operation: 'oauth/token',
    judge: { kind: 'hidden', limit: 40 },
  },
  {
    platform: 'spotify',
    says: 'insight reports that were refused for too little data (422): once a day is advised',
    bucket: bucket('insights', ['object'], 1, D, { operations: ['insight_reports'] }),
    operation: 'insight_reports',
  },
  {
    platform: 'spotify',
    says: '1,500 in 30 s, client and user',
    bucket: bucket('all', APP_USER, 1_500, 30 * S),
  },
  {
    platform: 'spotify',
    says: 'reporting: 150 in 30 s, client and user (the docs also print 50 a second, which contradicts)',
    bucket: bucket('reporting', APP_USER, 150, 30 * S, { operations: ['reports'] }),
    operation: 'reports',
  },
  {
    platform: 'thetradedesk',
    says: 'per endpoint and user account, per minute, unpublished (100 for a simulator, unverified)',
    bucket: bucket('endpoint', ['user', 'endpoint'], 60, M, { learn: { min: 5, max: 1_000 } }),
    judge: { kind: 'hidden', limit: 100 },
  },
  {
    platform: 'thetradedesk',
    says: 'GraphQL, counted apart from REST, per user account, unpublished',
    bucket: bucket('GraphQL', ['user'], 60, M, { operations: ['graphql'], learn: { min: 5, max: 1_000 } }),
    operation: 'graphql',
    judge: { kind: 'hidden', limit: 100 },
  },
  {
    platform: 'thetradedesk',
    says: 'at most four calls at a time per endpoint',
    bucket: bucket('at a time', ['user', 'endpoint'], 4, 10 * M, {
      rule: { kind: 'concurrency', holds: 'call' },
      recovery: SOON,
    }),
    judge: { kind: 'concurrent' },
  },
  {
    platform: 'thetradedesk',
    says: 'logins are limited too, unpublished',
    bucket: bucket('logins', ['user'], 60, M, { operations: ['authentication'], learn: { min: 5, max: 1_000 } }),
    operation: 'authentication',
    judge: { kind: 'hidden', limit: 40 },
  },
  {
    platform: 'thetradedesk',
    says: 'one login in 24 hours is advised',
    bucket: bucket('login', ['user'], 1, D, { operations: ['authentication'] }),
    operation: 'authentication',
  },
  {
    platform: 'x',
    says: 'all writes: 450 per minute and user token',
    bucket: bucket('writes', ['token'], 450, M, { access: 'write', except: ['custom_audiences/users'] }),
    write: true,
  },
  {
    platform: 'x',
    says: 'audience writes: 1,500 per minute and endpoint',
    bucket: bucket('audience writes', ['token', 'endpoint'], 1_500, M, { operations: ['custom_audiences/users'] }),
    write: true,
    operation: 'custom_audiences/users',
  },
  ...(
    [
      ['sync analytics', ['token'], 250],
      ['core entity reads', ['organization', 'endpoint'], 10_000],
      ['other account reads', ['organization', 'endpoint'], 2_000],
      ['other account reads that are not counted per account', ['token', 'endpoint'], 2_000],
      ['reads with with_total_count=true', ['organization', 'endpoint'], 200],
      ['targeting search', ['token'], 400],
      ['targeting search of tv', ['token'], 2_000],
      ['audience insights', ['token'], 400],
      ['keyword insights', ['token'], 500],
      ['global reads', ['token', 'endpoint'], 5],
      ['conversions', ['organization'], 60_000],
      ['conversions (page of the endpoint)', ['organization'], 100_000],
    ] as const
  ).map(
    ([name, keyedBy, limit]): LimitRow => ({
      platform: 'x',
      says: `${name}: ${limit} in 15 minutes`,
      bucket: bucket(name, keyedBy, limit, 15 * M),
    }),
  ),
  {
    platform: 'x',
    says: 'async statistics: 100 jobs in progress per ad account',
    bucket: bucket('stats jobs', ['organization'], 100, D, {
      operations: ['stats/jobs'],
      rule: { kind: 'concurrency', holds: 'job' },
      recovery: SOON,
    }),
    operation: 'stats/jobs',
    judge: { kind: 'concurrent' },
  },
  {
    platform: 'x',
    says: 'posts (TWEET_RATE_LIMIT_EXCEEDED), unpublished',
    bucket: bucket('posts', ['object'], 60, H, { operations: ['tweet'], learn: { min: 5, max: 1_000 } }),
    operation: 'tweet',
    judge: { kind: 'hidden', limit: 40 },
  },
];

/** The commercial API whose wire form we follow, as third parties report it (unconfirmed): for whom calls it from here. */
const unified: LimitRow[] = [
  {
    platform: 'unified',
    says: '100 requests per second and workspace (third-party notes, unconfirmed)',
    bucket: bucket('workspace', ['workspace'], 100, S),
  },
  {
    platform: 'unified',
    says: '50 webhook deliveries per second (third-party notes, unconfirmed)',
    bucket: bucket('deliveries', ['workspace'], 50, S, { operations: ['delivery'] }),
    operation: 'delivery',
  },
];

/** All of them. */
export const LIMITS: readonly LimitRow[] = [...tiktok, ...meta, ...google, ...others, ...unified];

/** What platforms report about use, with an answer as they send it and what must be read from it. */
export interface UsageRow {
  platform: string;
  reader: UsageReader;
  headers?: Record<string, string>;
  json?: unknown;
  /** Bucket and view read from the headers, or the wait or the units read from the body. */
  reads: readonly [bucket: string, view: Record<string, number>][] | number;
}

export const USAGE: readonly UsageRow[] = [
  {
    platform: 'meta',
    reader: {
      kind: 'percent',
      header: 'x-app-usage',
      fields: ['call_count', 'total_time', 'total_cputime'],
      buckets: { '*': 'platform' },
      slowAt: 75,
      stopAt: 95,
    },
    headers: { 'x-app-usage': '{"call_count":28,"total_time":25,"total_cputime":25}' },
    reads: [['platform', { fraction: 0.28, slowAt: 0.75, stopAt: 0.95 }]],
  },
  {
    platform: 'meta',
    reader: {
      kind: 'percent',
      header: 'x-ad-account-usage',
      fields: ['acc_id_util_pct'],
      buckets: { '*': 'account score' },
      resetField: 'reset_time_duration',
      resetUnit: 'seconds',
      slowAt: 75,
      stopAt: 95,
    },
    headers: {
      'x-ad-account-usage':
        '{"acc_id_util_pct":9.67,"reset_time_duration":100,"ads_api_access_tier":"standard_access"}',
    },
    reads: [['account score', { fraction: 0.0967, slowAt: 0.75, stopAt: 0.95, resetMs: 100_000 }]],
  },
  {
    platform: 'meta',
    reader: {
      kind: 'percent',
      header: 'x-business-use-case-usage',
      fields: ['call_count', 'total_cputime', 'total_time'],
      keyed: true,
      typeField: 'type',
      buckets: {
        ads_management: 'buc ads_management',
        ads_insights: 'buc ads_insights',
        custom_audience: 'buc custom_audience',
        // Names of the types below are not in the sheet (unverified).
        pages: 'buc pages',
        instagram: 'buc instagram',
        leadgen: 'buc leadgen',
        messenger: 'buc messenger',
        whatsapp: 'buc whatsapp',
      },
      resetField: 'estimated_time_to_regain_access',
      resetUnit: 'minutes',
      slowAt: 75,
      stopAt: 95,
    },
    headers: {
      'x-business-use-case-usage':
        '{"1029384756":[{"type":"ads_management","call_count":100,"total_cputime":12,"total_time":15,"estimated_time_to_regain_access":19,"ads_api_access_tier":"development_access"}]}',
    },
    reads: [['buc ads_management', { fraction: 1, slowAt: 0.75, stopAt: 0.95, resetMs: 1_140_000 }]],
  },
  ...(
    [
      ['app_id_util_pct', 'insights app', 1],
      ['acc_id_util_pct', 'buc ads_insights', 0.1],
    ] as const
  ).map(
    ([field, name, fraction]): UsageRow => ({
      platform: 'meta',
      reader: {
        ...{ kind: 'percent', header: 'x-fb-ads-insights-throttle', fields: [field], buckets: { '*': name } },
        ...{ slowAt: 75, stopAt: 95 },
      },
      headers: {
        'x-fb-ads-insights-throttle':
          '{"app_id_util_pct":100,"acc_id_util_pct":10,"ads_api_access_tier":"standard_access"}',
      },
      reads: [[name, { fraction, slowAt: 0.75, stopAt: 0.95 }]],
    }),
  ),
  {
    platform: 'meta',
    reader: {
      kind: 'percent',
      header: 'x-fb-ads-insights-reach-throttle',
      // The same members as the header above (unverified).
      fields: ['app_id_util_pct', 'acc_id_util_pct'],
      buckets: { '*': 'insights reach' },
      slowAt: 75,
      stopAt: 95,
    },
    headers: { 'x-fb-ads-insights-reach-throttle': '{"app_id_util_pct":12,"acc_id_util_pct":80}' },
    reads: [['insights reach', { fraction: 0.8, slowAt: 0.75, stopAt: 0.95 }]],
  },
  {
    platform: 'reddit',
    reader: { kind: 'ietf', policies: { 'ads-campaign-management-read': 'ads-campaign-management-read' } },
    headers: {
      'ratelimit-policy': '"ads-campaign-management-read";q=400;w=60, "ads-burst";q=10;w=1',
      ratelimit: '"ads-campaign-management-read";r=399;t=42, "ads-burst";r=3;t=1',
    },
    reads: [['ads-campaign-management-read', { limit: 400, remaining: 399, resetMs: 42_000 }]],
  },
  ...(
    [
      ['criteo', 'minute', 'x-ratelimit', 'epoch_s', '1795348860', 60_000],
      ['pinterest', 'ads_read', 'x-ratelimit', 'seconds', '37', 37_000],
      ['snapchat', 'entity writes', 'x-rate-limit', 'epoch_ms', '1795348805000', 5_000],
      ['spotify', 'all', 'x-ratelimit', 'seconds', '12', 12_000],
      ['x', 'core entity reads', 'x-account-rate-limit', 'epoch_s', '1795348860', 60_000],
      ['x', 'writes', 'x-rate-limit', 'epoch_s', '1795348860', 60_000],
    ] as const
  ).map(
    ([platform, name, prefix, resetUnit, reset, resetMs]): UsageRow => ({
      platform,
      reader: {
        kind: 'headers',
        bucket: name,
        limit: `${prefix}-limit`,
        remaining: `${prefix}-remaining`,
        reset: `${prefix}-reset`,
        resetUnit,
      },
      headers: { [`${prefix}-limit`]: '400', [`${prefix}-remaining`]: '0', [`${prefix}-reset`]: reset },
      reads: [[name, { limit: 400, remaining: 0, resetMs }]],
    }),
  ),
  {
    platform: 'reddit',
    reader: { kind: 'headers', bucket: 'token calls', remaining: 'x-ratelimit-remaining', reset: 'x-ratelimit-reset' },
    headers: { 'x-ratelimit-used': '4', 'x-ratelimit-remaining': '56.0', 'x-ratelimit-reset': '31' },
    reads: [['token calls', { remaining: 56, resetMs: 31_000 }]],
  },
  {
    platform: 'google-ads',
    reader: { kind: 'units', bucket: 'consumption short', path: 'queryResourceConsumption' },
    json: { results: [], queryResourceConsumption: '120' },
    reads: 120,
  },
  {
    // searchStream: an array of such answers.
    platform: 'google-ads',
    reader: { kind: 'units', bucket: 'consumption long', path: '*.queryResourceConsumption' },
    json: [{ queryResourceConsumption: '120' }, { queryResourceConsumption: '30' }],
    reads: 150,
  },
  {
    // Values of metrics, one by one; the two members that name a row are counted as well.
    platform: 'linkedin',
    reader: { kind: 'units', bucket: 'metric values', path: 'elements.*.*', count: true },
    json: { elements: [{ impressions: 120, clicks: 3 }, { impressions: 4 }] },
    reads: 3,
  },
  ...(['google-ads', 'sa360'] as const).map(
    (platform): UsageRow => ({
      platform,
      reader: {
        kind: 'body_wait',
        path: 'error.details.*.errors.*.details.quotaErrorDetails.retryDelay',
        unit: 'duration',
      },
      json: {
        error: {
          code: 429,
          details: [{ errors: [{ details: { quotaErrorDetails: { rateScope: 'ACCOUNT', retryDelay: '30s' } } }] }],
        },
      },
      reads: 30_000,
    }),
  ),
  ...(['amazon', 'thetradedesk', 'microsoft', 'openai-ads', 'linkedin'] as const).map(
    (platform): UsageRow => ({
      platform,
      // Read by the core of every platform's refusals.
      reader: { kind: 'body_wait', path: 'none', unit: 'seconds' },
      headers: { 'retry-after': '30' },
      reads: 30_000,
    }),
  ),
];

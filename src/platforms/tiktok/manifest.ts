/** TikTok for Business, Marketing API v1.3: hosts, versions, quotas, and how its wire reads. */
import type { Manifest, QuotaBucket } from '../../core/connector/types.ts';

/** Path prefix of every Marketing API endpoint. Paths end in `/`: without it TikTok answers 404. */
export const API = '/open_api/v1.3';

const SECOND = 1_000;
const MINUTE = 60_000;
const DAY = 86_400_000;

type Limit = readonly [qps: number, qpm: number, qpd: number];

/** Access levels above Basic, as POLYAD_QUOTA_TIERS names them. Source: TikTok docs 1740029171730433. */
const LEVELS = ['Advanced', 'Premium', 'Ultimate'] as const;

/** Calls of an app as a whole: Basic, then the levels above. */
const APP_LIMITS: readonly Limit[] = [
  [10, 600, 864_000],
  [20, 1_200, 1_728_000],
  [30, 1_800, 2_592_000],
  [50, 3_000, 4_320_000],
];

/**
 * Calls per second, minute and day, counted per developer app, where an endpoint has a limit of its own below the app's:
 * Basic, then the levels above, or one that holds at all levels. Source: TikTok docs 1740029171730433.
 */
const ENDPOINT_LIMITS: Readonly<Record<string, readonly Limit[]>> = {
  'ad/create': [
    [5, 150, 86_400],
    [10, 200, 86_400],
    [10, 300, 86_400],
    [15, 300, 86_400],
  ],
  'report/task/create': [[2, 60, 4_500]],
  'campaign/copy/task/create': [[1, 30, 432_000]],
  'campaign/copy/task/check': [[2, 60, 864_000]],
  'gmv_max/report/get': [
    [8, 240, 20_000],
    [12, 360, 30_000],
    [20, 600, 50_000],
    [20, 600, 50_000],
  ],
  'catalog/product/file': [
    [5, 300, 432_000],
    [5, 300, 432_000],
    [10, 600, 864_000],
    [10, 600, 864_000],
  ],
  'catalog/product/upload': [
    [5, 300, 432_000],
    [5, 300, 432_000],
    [10, 600, 864_000],
    [10, 600, 864_000],
  ],
  'catalog/product/update': [
    [2, 120, 172_800],
    [2, 120, 172_800],
    [5, 300, 432_000],
    [5, 300, 432_000],
  ],
  'catalog/product/delete': [
    [2, 120, 172_800],
    [2, 120, 172_800],
    [5, 300, 432_000],
    [5, 300, 432_000],
  ],
  'creative/quick_optimization/create': [
    [1, 30, 5_000],
    [2, 60, 10_000],
    [3, 180, 15_000],
    [3, 180, 15_000],
  ],
  'creative/smart_video/create': [
    [1, 30, 5_000],
    [2, 60, 10_000],
    [3, 180, 15_000],
    [3, 180, 15_000],
  ],
  'video_template/task/create': [
    [1, 30, 5_000],
    [2, 60, 10_000],
    [3, 180, 15_000],
    [3, 180, 15_000],
  ],
};

/**
 * Endpoints of both generations of the Events API. They have 1,000 calls a second at every level, more than the app as a
 * whole, so the app's limits cannot be counting them (an inference: no document says so).
 */
const EVENT_ENDPOINTS = [
  'event/track',
  'pixel/track',
  'pixel/batch',
  'app/track',
  'app/batch',
  'offline/track',
  'offline/batch',
] as const;
const EVENT_LIMIT: readonly Limit[] = [[1_000, 600_000, 86_400_000]];

/** Streaming audiences. Their limits are above the app's too, so the same is inferred of them. */
const STREAMING_ENDPOINTS = ['segment/audience', 'segment/mapping'] as const;
const STREAMING_LIMITS: readonly Limit[] = [
  [10_000, 600_000, 864_000_000],
  [20_000, 1_200_000, 1_728_000_000],
  [30_000, 1_800_000, 2_592_000_000],
  [50_000, 3_000_000, 4_320_000_000],
];

/** Name of the bucket behind code 40132: a limit per pixel code that TikTok does not publish. */
export const PIXEL_BUCKET = 'pixel code per second';

/** Name of the bucket behind code 40133: a limit per ad account and path that TikTok does not publish. */
export const ADVERTISER_BUCKET = 'advertiser endpoint per second';

/** Begins the names of the sandbox's buckets, which are counted for each endpoint. */
export const SANDBOX_BUCKET = 'sandbox endpoint';

/** The endpoints that have buckets of their own, named `<endpoint> per second|minute|day`. */
export const LIMITED_OPERATIONS: ReadonlySet<string> = new Set([
  ...Object.keys(ENDPOINT_LIMITS),
  ...EVENT_ENDPOINTS,
  ...STREAMING_ENDPOINTS,
]);

/**
 * Three buckets for one limit. Recovery is TikTok's rule: over the limit per second, go on in the next second; per
 * minute, rest five minutes; per day, rest until midnight UTC.
 */
function limits(
  name: string,
  levels: readonly Limit[],
  scope: Pick<QuotaBucket, 'keyedBy' | 'operations' | 'except' | 'environments'>,
): QuotaBucket[] {
  const of = (at: 0 | 1 | 2) => ({
    limit: (levels[0] as Limit)[at],
    ...(levels.length === 1
      ? {}
      : { tiers: Object.fromEntries(LEVELS.map((level, index) => [level, (levels[index + 1] as Limit)[at]])) }),
  });
  return [
    { name: `${name} per second`, ...of(0), windowMs: SECOND, recovery: 'next_window', ...scope },
    { name: `${name} per minute`, ...of(1), windowMs: MINUTE, recovery: { restMs: 5 * MINUTE }, ...scope },
    { name: `${name} per day`, ...of(2), windowMs: DAY, recovery: 'utc_midnight', ...scope },
  ];
}

const LIVE = ['production', 'simulator'] as const;

/** The manifest of the TikTok module. */
export const manifest: Manifest = {
  id: 'tiktok',
  type: 'tiktokads',
  typeAliases: ['tiktok'],
  name: 'TikTok Ads',
  color: '#000000',
  textColor: '#ffffff',
  docsUrl: 'https://business-api.tiktok.com/portal/docs',
  webUrl: 'https://ads.tiktok.com',
  description: 'Campaigns, ad groups, ads, media, targeting and reports of TikTok ad accounts.',
  rateLimitDescription:
    'Per developer app: 10 requests per second, 600 per minute, 864,000 per day (Basic level), with lower limits on some endpoints; conversion events and streaming audiences apart, 1,000 and 10,000 calls per second. Sandbox: 1 per second, 30 per minute, 1,000 per day for each endpoint.',
  apiVersions: [
    {
      version: 'v1.3',
      released: '2022-08-15',
      sunset: null,
      default: true,
      source: 'https://business-api.tiktok.com/portal/docs?id=1735713875563521',
    },
  ],
  hosts: {
    production: { api: 'https://business-api.tiktok.com', account: 'https://www.tiktok.com' },
    sandbox: { api: 'https://sandbox-ads.tiktok.com', account: 'https://www.tiktok.com' },
  },
  quotas: [
    ...limits('app', APP_LIMITS, {
      keyedBy: ['app'],
      except: [...EVENT_ENDPOINTS, ...STREAMING_ENDPOINTS],
      environments: LIVE,
    }),
    ...EVENT_ENDPOINTS.flatMap((operation) =>
      limits(operation, EVENT_LIMIT, { keyedBy: ['app', 'endpoint'], operations: [operation], environments: LIVE }),
    ),
    ...STREAMING_ENDPOINTS.flatMap((operation) =>
      limits(operation, STREAMING_LIMITS, {
        keyedBy: ['app', 'endpoint'],
        operations: [operation],
        environments: LIVE,
      }),
    ),
    {
      // Unpublished: begins low, for a call carries up to a thousand events; sinks with each 40132.
      name: PIXEL_BUCKET,
      keyedBy: ['app', 'object'],
      limit: 20,
      windowMs: SECOND,
      operations: EVENT_ENDPOINTS,
      learn: { min: 1, max: 1_000 },
      recovery: 'next_window',
      environments: LIVE,
    },
    ...Object.entries(ENDPOINT_LIMITS).flatMap(([operation, limit]) =>
      limits(operation, limit, { keyedBy: ['app', 'endpoint'], operations: [operation], environments: LIVE }),
    ),
    {
      // Unpublished: begins at the app's own rate, sinks with each 40133.
      name: ADVERTISER_BUCKET,
      keyedBy: ['app', 'organization', 'endpoint'],
      limit: 10,
      tiers: { Advanced: 20, Premium: 30, Ultimate: 50 },
      windowMs: SECOND,
      learn: { min: 1, max: 50 },
      recovery: 'next_window',
      environments: LIVE,
    },
    {
      // TikTok publishes no cap on tasks in progress (unverified): ours keeps one ad account from filling its queue. A place
      // whose holder was killed is free again after the window.
      name: 'report tasks in progress',
      keyedBy: ['app', 'organization'],
      limit: 20,
      windowMs: 15 * MINUTE,
      rule: { kind: 'concurrency', holds: 'job' },
      operations: ['report/task/create'],
      recovery: 'next_window',
      environments: LIVE,
    },
    {
      // One write per ad in five seconds (TikTok docs, Upgraded Smart+).
      name: 'Smart+ ad write per 5 seconds',
      keyedBy: ['object'],
      limit: 1,
      windowMs: 5 * SECOND,
      operations: ['smart_plus/ad/update', 'smart_plus/ad/status/update', 'smart_plus/ad/material_status/update'],
      recovery: 'next_window',
      environments: LIVE,
    },
    ...limits(SANDBOX_BUCKET, [[1, 30, 1_000]], { keyedBy: ['app', 'endpoint'], environments: ['sandbox'] }),
  ],
  queryStyle: 'json',
  money: 'Decimal numbers in units of the ad account’s currency; an unset budget or bid is 0.',
  time: 'Creation, change and schedule times are UTC. Report days and dayparting are in the ad account’s time zone.',
  requestIdHeaders: ['x-tt-logid', 'x-tt-trace-id'],
  secretParams: ['secret', 'access_token', 'access-token', 'client_secret', 'refresh_token', 'auth_code'],
};

/** TikTok for Business, Marketing API v1.3: hosts, versions, quotas, and how its wire reads. */
import type { Manifest, QuotaBucket } from '../../core/connector/types.ts';

/** Path prefix of every Marketing API endpoint. Paths end in `/`: without it TikTok answers 404. */
export const API = '/open_api/v1.3';

const SECOND = 1_000;
const MINUTE = 60_000;
const DAY = 86_400_000;

/**
 * Calls per second, minute and day on the Basic level, counted per developer app, where an endpoint has a limit of its
 * own below the app's. Source: TikTok docs 1740029171730433. Endpoints with higher limits than the app as a whole (the
 * Events API, streaming audiences) are left out: the app-wide buckets bound them here.
 */
const ENDPOINT_LIMITS: Readonly<Record<string, readonly [qps: number, qpm: number, qpd: number]>> = {
  'ad/create': [5, 150, 86_400],
  'report/task/create': [2, 60, 4_500],
  'campaign/copy/task/create': [1, 30, 432_000],
  'campaign/copy/task/check': [2, 60, 864_000],
  'gmv_max/report/get': [8, 240, 20_000],
  'catalog/product/file': [5, 300, 432_000],
  'catalog/product/upload': [5, 300, 432_000],
  'catalog/product/update': [2, 120, 172_800],
  'catalog/product/delete': [2, 120, 172_800],
  'creative/quick_optimization/create': [1, 30, 5_000],
  'creative/smart_video/create': [1, 30, 5_000],
  'video_template/task/create': [1, 30, 5_000],
};

/** The endpoints that have buckets of their own, named `<endpoint> per second|minute|day`. */
export const LIMITED_OPERATIONS: ReadonlySet<string> = new Set(Object.keys(ENDPOINT_LIMITS));

/**
 * Three buckets for one limit. Recovery is TikTok's rule: over the limit per second, go on in the next second; per
 * minute, rest five minutes; per day, rest until midnight UTC.
 */
function limits(
  name: string,
  [qps, qpm, qpd]: readonly [number, number, number],
  scope: Pick<QuotaBucket, 'keyedBy' | 'operations' | 'environments'>,
): QuotaBucket[] {
  return [
    { name: `${name} per second`, limit: qps, windowMs: SECOND, recovery: 'next_window', ...scope },
    { name: `${name} per minute`, limit: qpm, windowMs: MINUTE, recovery: { restMs: 5 * MINUTE }, ...scope },
    { name: `${name} per day`, limit: qpd, windowMs: DAY, recovery: 'utc_midnight', ...scope },
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
    'Per developer app: 10 requests per second, 600 per minute, 864,000 per day (Basic level), with lower limits on some endpoints. Sandbox: 1 per second, 30 per minute, 1,000 per day for each endpoint.',
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
    ...limits('app', [10, 600, 864_000], { keyedBy: ['app'], environments: LIVE }),
    ...Object.entries(ENDPOINT_LIMITS).flatMap(([operation, limit]) =>
      limits(operation, limit, { keyedBy: ['app', 'endpoint'], operations: [operation], environments: LIVE }),
    ),
    ...limits('sandbox endpoint', [1, 30, 1_000], { keyedBy: ['app', 'endpoint'], environments: ['sandbox'] }),
  ],
  queryStyle: 'json',
  money: 'Decimal numbers in units of the ad account’s currency; an unset budget or bid is 0.',
  time: 'Creation, change and schedule times are UTC. Report days and dayparting are in the ad account’s time zone.',
  requestIdHeaders: ['x-tt-logid', 'x-tt-trace-id'],
  secretParams: ['secret', 'access_token', 'access-token', 'client_secret', 'refresh_token', 'auth_code'],
};

/**
 * How often an app may call. Facts: TikTok docs on rate limits (levels, endpoint table, recovery rules, sandbox) and
 * the messages seen in the wild. Unverified: that windows are calendar seconds, minutes and UTC days; that calls refused
 * for their QPS count towards QPM and QPD (the published numbers, 600 a minute at 10 a second, could not be passed
 * otherwise); which message belongs to which limit.
 */
import { createLimiter, type Limiter, type RateBucket, type RateRefusal, type RateRule } from '../kit/limiter.ts';
import type { VirtualClock } from '../kit/types.ts';
import { type App, TikTokError, type World } from './types.ts';

type Level = App['level'];
/** Calls per second, minute and day. */
type Rates = readonly [qps: number, qpm: number, qpd: number];

/** The QPS rule: above it, calls are refused until the next second. */
export const qpsRule = (limit: number): RateRule => ({ name: 'QPS', windowMs: 1_000, limit });
/** The QPM rule: above it, calls are refused for five minutes. */
export const qpmRule = (limit: number): RateRule => ({
  name: 'QPM',
  windowMs: 60_000,
  limit,
  lockMs: 300_000,
  countsRefused: true,
});
/** The QPD rule: above it, calls are refused until 00:00 UTC. */
export const qpdRule = (limit: number): RateRule => ({
  name: 'QPD',
  windowMs: 86_400_000,
  limit,
  countsRefused: true,
});

const rulesOf = ([qps, qpm, qpd]: Rates): RateRule[] => [qpsRule(qps), qpmRule(qpm), qpdRule(qpd)];

/** Per app, all endpoints together. */
const APP_LEVELS: Record<Level, Rates> = {
  Basic: [10, 600, 864_000],
  Advanced: [20, 1_200, 1_728_000],
  Premium: [30, 1_800, 2_592_000],
  Ultimate: [50, 3_000, 4_320_000],
};

/** Per app and endpoint on the sandbox host. */
const SANDBOX: Rates = [1, 30, 1_000];

const levels = (basic: Rates, advanced = basic, premium = advanced, ultimate = premium): Record<Level, Rates> => ({
  Basic: basic,
  Advanced: advanced,
  Premium: premium,
  Ultimate: ultimate,
});

const CREATIVE_TASK = levels([1, 30, 5_000], [2, 60, 10_000], [3, 180, 15_000]);
const PRODUCT_FILE = levels([5, 300, 432_000], [5, 300, 432_000], [10, 600, 864_000]);
const PRODUCT_CHANGE = levels([2, 120, 172_800], [2, 120, 172_800], [5, 300, 432_000]);
const EVENTS = levels([1_000, 600_000, 86_400_000]);
const STREAMING = levels(
  [10_000, 600_000, 864_000_000],
  [20_000, 1_200_000, 1_728_000_000],
  [30_000, 1_800_000, 2_592_000_000],
  [50_000, 3_000_000, 4_320_000_000],
);

/** Endpoints with limits of their own. */
const ENDPOINT_LEVELS: Record<string, Record<Level, Rates>> = {
  'creative/quick_optimization/create': CREATIVE_TASK,
  'creative/smart_video/create': CREATIVE_TASK,
  'video_template/task/create': CREATIVE_TASK,
  'ad/create': levels([5, 150, 86_400], [10, 200, 86_400], [10, 300, 86_400], [15, 300, 86_400]),
  'catalog/product/file': PRODUCT_FILE,
  'catalog/product/upload': PRODUCT_FILE,
  'catalog/product/update': PRODUCT_CHANGE,
  'catalog/product/delete': PRODUCT_CHANGE,
  'report/task/create': levels([2, 60, 4_500]),
  'event/track': EVENTS,
  'app/track': EVENTS,
  'app/batch': EVENTS,
  'pixel/track': EVENTS,
  'pixel/batch': EVENTS,
  'offline/track': EVENTS,
  'offline/batch': EVENTS,
  'segment/audience': STREAMING,
  'segment/mapping': STREAMING,
  'campaign/copy/task/create': levels([1, 30, 432_000]),
  'campaign/copy/task/check': levels([2, 60, 864_000]),
  'gmv_max/report/get': levels([8, 240, 20_000], [12, 360, 30_000], [20, 600, 50_000]),
};

/**
 * The buckets of one call. An endpoint limit below the app's is an extra limit; one far above it (events, streaming
 * audiences) stands in its place, since the app's would make it meaningless (unverified).
 */
export function bucketsOf(app: App, path: string, host: 'production' | 'sandbox'): RateBucket[] {
  if (host === 'sandbox') return [{ key: `sandbox:${app.id}:${path}`, rules: rulesOf(SANDBOX) }];
  const own = ENDPOINT_LEVELS[path]?.[app.level];
  const ofApp = { key: `app:${app.id}`, rules: rulesOf(APP_LEVELS[app.level]) };
  if (!own) return [ofApp];
  const ofEndpoint = { key: `app:${app.id}:${path}`, rules: rulesOf(own) };
  return own[0] > APP_LEVELS[app.level][0] ? [ofEndpoint] : [ofApp, ofEndpoint];
}

function messageOf({ rule }: RateRefusal): string {
  if (rule.name === 'QPS') return 'App reaches the QPS limit.';
  if (rule.name === 'QPM') return 'Due to too many requests, requests from App are temporarily restricted.';
  return 'Too many requests. Please retry in some time.';
}

/** The answer of a refused call, also for the `rate_limited` fault. There are no headers that say when to retry. */
export const RATE_LIMITED = { code: 40100, message: 'App reaches the QPS limit.' } as const;

/** The rate limits of the simulator. */
export interface Limits {
  /** @throws TikTokError 40100 when the app has called too often; nothing when limits are switched off. */
  ofApp(world: World, app: App, path: string, host: 'production' | 'sandbox'): void;
  /** @throws TikTokError 40133 when one ad account was called too often on one path; only if that limit is set. */
  ofAdvertiser(world: World, advertiserId: string, path: string): void;
  /** @throws TikTokError 40100: a token of the Events Manager has no app, so the limit of an app counts for the token (unverified). */
  ofEventsToken(world: World, token: string): void;
  /** @throws TikTokError 40132 when one event source was called too often; only if that limit is set. */
  ofSource(world: World, eventSourceId: string): void;
  clear(): void;
}

/** Limits on the virtual clock. */
export function createLimits(clock: VirtualClock): Limits {
  const limiter: Limiter = createLimiter(clock);
  return {
    ofApp(world, app, path, host) {
      if (world.settings.limits === 'off') return;
      const refusal = limiter.take(bucketsOf(app, path, host));
      if (refusal) throw new TikTokError(RATE_LIMITED.code, messageOf(refusal));
    },
    ofAdvertiser(world, advertiserId, path) {
      const limit = world.settings.advertiser_path_qps;
      if (limit === null || world.settings.limits === 'off') return;
      const refusal = limiter.take([{ key: `advertiser:${advertiserId}:${path}`, rules: [qpsRule(limit)] }]);
      if (!refusal) return;
      throw new TikTokError(
        40133,
        `Advertiser (${advertiserId})'s QPS (${refusal.used}) reaches QPS limit ${limit} for current path, request is temporarily restricted.`,
      );
    },
    ofEventsToken(world, token) {
      if (world.settings.limits === 'off') return;
      const refusal = limiter.take([{ key: `events:${token}`, rules: rulesOf(EVENTS.Basic) }]);
      if (refusal) throw new TikTokError(RATE_LIMITED.code, messageOf(refusal));
    },
    ofSource(world, eventSourceId) {
      const limit = world.settings.pixel_code_qps;
      if (limit === null || world.settings.limits === 'off') return;
      const refusal = limiter.take([{ key: `source:${eventSourceId}`, rules: [qpsRule(limit)] }]);
      if (refusal) throw new TikTokError(40132, "The request QPS is limited by pixel_code's value.");
    },
    clear: () => limiter.clear(),
  };
}

/** What TikTok's answers mean. The envelope's code goes before the HTTP status: most failures come with HTTP 200. */
import type { Classification, ErrorSpec, PlatformRequest, PlatformResponse } from '../../core/connector/types.ts';
import { CREATOR_ACTION, codeRefusal } from './creator-texts.ts';
import { ERROR_TABLE, SUCCESS_CODES } from './error-table.ts';
import { ADVERTISER_BUCKET, LIMITED_OPERATIONS, PIXEL_BUCKET, SANDBOX_BUCKET } from './manifest.ts';

/** Messages that say that the object named in a request is not there, though the code is the general 40002. */
const MISSING_OBJECT = /\b(campaign|ad ?group|ad|advertiser)s?\b[^.]*\b(do(es)? not|doesn't|don't|not) exist/i;
/** Operations whose only object is the one named by id, so that "does not exist" can mean nothing else. */
const NAMES_ONE_OBJECT = /\/(status\/)?update$/;

/** A refusal of 40001 that is about something else than the ad account: a scope of the token, a catalog, a pixel. */
const isOtherPermission = (message: string): boolean =>
  /\b(scopes?|permissions? \d|to call|catalog|pixel|business center|bc)\b/i.test(message) &&
  !/\b(advertiser|ad account)\b/i.test(message);

/** Codes under which TikTok refuses what a creator gave, rather than the call. */
const REFUSES_CODE: ReadonlySet<string> = new Set(['platform_rejected', 'platform_not_found', 'platform_conflict']);

/** An answer's envelope: code, message and request id, whatever of it is there. */
interface Envelope {
  code: number | undefined;
  message: string | undefined;
  requestId: string | undefined;
}

function envelope(response: PlatformResponse): Envelope {
  const { json, headers } = response;
  const body = json !== null && typeof json === 'object' ? (json as Record<string, unknown>) : {};
  const code = typeof body['code'] === 'string' && body['code'] !== '' ? Number(body['code']) : body['code'];
  const requestId = body['request_id'] ?? headers['x-tt-logid'] ?? headers['x-tt-trace-id'];
  return {
    code: typeof code === 'number' && Number.isInteger(code) ? code : undefined,
    message: typeof body['message'] === 'string' ? body['message'] : undefined,
    requestId: typeof requestId === 'string' && requestId !== '' ? requestId : undefined,
  };
}

function native(facts: Envelope, message = facts.message): Classification['native'] {
  return {
    ...(facts.code === undefined ? {} : { code: String(facts.code) }),
    ...(message === undefined ? {} : { message }),
    ...(facts.requestId === undefined ? {} : { requestId: facts.requestId }),
  };
}

/**
 * The quotas that may be full, from the words of the message, for TikTok sends no Retry-After: per second; per day; per
 * minute where an app is "temporarily restricted" (five minutes is the rule that fits, unverified). "Please retry in some
 * time" names no period: the minute, and when its five minutes did not help, the day. An endpoint with limits of its own
 * reaches those first, and when they rested in vain it is the app's; on the sandbox every endpoint has its own, and none
 * of the app's count.
 */
function fullBuckets(message: string, operation: string): string[] {
  const periods = /\bQPS\b/i.test(message)
    ? ['second']
    : /\bQPD\b|\bday\b|daily/i.test(message)
      ? ['day']
      : /\bQPM\b|restricted/i.test(message)
        ? ['minute']
        : ['minute', 'day'];
  const names = [...(LIMITED_OPERATIONS.has(operation) ? [operation] : []), 'app', SANDBOX_BUCKET];
  return names.flatMap((name) => periods.map((period) => `${name} per ${period}`));
}

function byCode(request: PlatformRequest, facts: Envelope & { code: number }): Classification {
  const rule = ERROR_TABLE[facts.code];
  const message = facts.message ?? '';
  if (rule === undefined)
    return {
      // Families that TikTok documents: 5xxxx is a fault of its own, everything else is about the request.
      code: facts.code >= 50_000 && facts.code < 70_000 ? 'platform_unavailable' : 'platform_unknown_error',
      retry: facts.code >= 50_000 && facts.code < 70_000 ? 'after' : 'never',
      scope: 'platform',
      native: native(facts),
    };
  const { means, ...classified } = rule;
  const out: Classification = { ...classified, native: native(facts), details: { meaning: means } };
  if (rule.code === 'platform_rate_limited') {
    if (facts.code === 40132 || facts.code === 40133) out.retryAfterMs = 1_000;
    if (facts.code === 40133) out.bucket = ADVERTISER_BUCKET;
    else if (facts.code === 40132 && request.quotaObject !== undefined) out.bucket = PIXEL_BUCKET;
    else if (facts.code !== 40132) out.bucket = fullBuckets(message, request.operation);
  }
  // 40001 is said of the ad account, and of scopes, catalogs and so on: only the former is lost access to the account.
  if (facts.code === 40001 && (request.organizationId === undefined || isOtherPermission(message))) {
    out.code = 'permission_missing';
    out.scope = 'request';
  }
  if (facts.code === 40002 && NAMES_ONE_OBJECT.test(request.operation) && MISSING_OBJECT.test(message))
    out.code = 'platform_not_found';
  if (request.operation === 'tt_video/authorize' && REFUSES_CODE.has(out.code)) {
    out.code = codeRefusal(message);
    const action = CREATOR_ACTION[out.code];
    if (action !== undefined) out.details = { ...out.details, creator_action: action };
  }
  return out;
}

/** Retry-After in whole seconds, as gateways send it; TikTok itself does not. */
function retryAfter(response: PlatformResponse): { retryAfterMs?: number } {
  const seconds = Number(response.headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: seconds * 1_000 } : {};
}

function byStatus(request: PlatformRequest, response: PlatformResponse, facts: Envelope): Classification {
  const { status, text } = response;
  const said = (message: string): Classification['native'] => native(facts, facts.message ?? message);
  const unavailable = (message: string): Classification => ({
    code: 'platform_unavailable',
    retry: 'after',
    scope: 'platform',
    native: said(message),
    ...retryAfter(response),
  });
  if (status === 429)
    return {
      code: 'platform_rate_limited',
      retry: 'after',
      scope: 'app',
      native: said('HTTP 429'),
      // Calls that do not count against the app's minute (events, streaming audiences, the sandbox) have one of their own.
      bucket: ['app', request.operation, SANDBOX_BUCKET].map((name) => `${name} per minute`),
      ...retryAfter(response),
    };
  if (status === 404 || status === 405)
    return {
      code: 'platform_not_found',
      retry: 'never',
      scope: 'request',
      native: said(text.trim().slice(0, 200) || `HTTP ${status}`),
      details: { meaning: 'no such path or method at TikTok; every path ends in a slash' },
    };
  if (status === 401 || status === 403)
    return { code: 'platform_blocked', retry: 'never', scope: 'app', native: said(`HTTP ${status} from the gateway`) };
  if (status >= 500) return unavailable(`HTTP ${status}`);
  if (status >= 300)
    return { code: 'platform_unknown_error', retry: 'never', scope: 'platform', native: said(`HTTP ${status}`) };
  if (text === '') return unavailable('an empty answer');
  if (/^\s*</.test(text)) return unavailable('a page of the gateway instead of an answer');
  return unavailable('an answer that is cut off or not JSON');
}

/** TikTok's errors (TikTok docs 1737172488964097). */
export const errors: ErrorSpec = {
  classify(request, response) {
    const facts = envelope(response);
    if (facts.code !== undefined && !SUCCESS_CODES.has(facts.code))
      return byCode(request, { ...facts, code: facts.code });
    if (response.status >= 400) return byStatus(request, response, facts);
    // Success has an envelope; oauth/token answers a flat object instead.
    if (response.status < 300 && response.json !== null && typeof response.json === 'object') return null;
    return byStatus(request, response, facts);
  },
};

import { describe, expect, it } from 'vitest';
import type { PlatformRequest, PlatformResponse } from '../../core/connector/types.ts';
import { ERRORS } from '../../core/errors/index.ts';
import { ERROR_TABLE, SUCCESS_CODES } from './error-table.ts';
import { errors } from './errors.ts';
import { ADVERTISER_BUCKET, manifest } from './manifest.ts';

/** The 72 codes of TikTok's page of return codes. */
const DOCUMENTED = [
  20001, 40000, 40001, 40002, 40006, 40010, 40051, 40007, 40008, 40009, 40011, 40013, 40014, 40050, 40052, 40053, 40016,
  40100, 40133, 40502, 40132, 40110, 40101, 40102, 40104, 40105, 40106, 40103, 40107, 40108, 40109, 40112, 40113, 40115,
  40116, 40117, 40118, 40119, 40121, 40122, 40124, 40125, 41001, 41002, 40065, 40200, 40201, 40202, 40300, 40301, 40700,
  40901, 40902, 40903, 40913, 40905, 40906, 40907, 40910, 40914, 40908, 40900, 40909, 40911, 40904, 40912, 40915, 41000,
  50000, 50002, 51305, 60001,
];

const request = (more: Partial<PlatformRequest> = {}): PlatformRequest => ({
  method: 'GET',
  path: '/open_api/v1.3/campaign/get/',
  operation: 'campaign/get',
  organizationId: '7001',
  ...more,
});
const answer = (code: unknown, message = 'm', status = 200): PlatformResponse => ({
  status,
  headers: {},
  json: { code, message, request_id: 'r1', data: {} },
  text: '',
});
const plain = (status: number, text: string, headers: Record<string, string> = {}): PlatformResponse => ({
  status,
  headers,
  json: undefined,
  text,
});
const classify = (response: PlatformResponse, more: Partial<PlatformRequest> = {}) =>
  errors.classify(request(more), response);

describe('TikTok return codes', () => {
  it('classifies all 72 documented codes, and every one into a code of the error table', () => {
    expect(new Set(DOCUMENTED).size).toBe(72);
    for (const code of DOCUMENTED) {
      const found = classify(answer(code));
      if (SUCCESS_CODES.has(code)) expect(found).toBeNull();
      else {
        expect(ERROR_TABLE[code], String(code)).toBeDefined();
        expect(found?.code === undefined ? undefined : ERRORS[found.code], String(code)).toBeDefined();
        expect(found?.code).not.toBe('platform_unknown_error');
        expect(found?.native).toEqual({ code: String(code), message: 'm', requestId: 'r1' });
      }
    }
  });

  it.each([
    [40105, 'connection_reconnect_required', 'connection', 'never'],
    [40106, 'connection_reconnect_required', 'connection', 'never'],
    [40103, 'connection_reconnect_required', 'connection', 'never'],
    [40107, 'connection_reconnect_required', 'connection', 'never'],
    [40119, 'connection_reconnect_required', 'connection', 'never'],
    [40001, 'organization_access_lost', 'organization', 'never'],
    [40300, 'organization_access_lost', 'organization', 'never'],
    [40125, 'permission_missing', 'app', 'never'],
    [40118, 'platform_feature_restricted', 'app', 'never'],
    [40002, 'platform_rejected', 'request', 'never'],
    [40007, 'platform_not_found', 'request', 'never'],
    [40014, 'platform_environment_unsupported', 'request', 'never'],
    [40050, 'platform_duplicate', 'request', 'never'],
    [40202, 'platform_conflict', 'request', 'after'],
    [40502, 'platform_quota_reached', 'organization', 'never'],
    [40065, 'platform_policy', 'request', 'never'],
    [40901, 'platform_not_ready', 'request', 'after'],
    [40911, 'platform_conflict', 'request', 'never'],
    [40902, 'platform_media_unreachable', 'request', 'after'],
    [40900, 'platform_media_invalid', 'request', 'never'],
    [41000, 'platform_blocked', 'app', 'never'],
    [40051, 'platform_version_sunset', 'app', 'never'],
    [40113, 'platform_app_invalid', 'app', 'never'],
    [40110, 'oauth_exchange_failed', 'request', 'never'],
    [50000, 'platform_unavailable', 'platform', 'after'],
    [60001, 'platform_unavailable', 'platform', 'after'],
  ] as const)('%i is %s of the %s, retry %s', (code, expected, scope, retry) => {
    expect(classify(answer(code))).toMatchObject({ code: expected, scope, retry });
  });

  it('asks for one refresh when the access token has run out, and for none when it was revoked', () => {
    expect(classify(answer(40102))).toMatchObject({ tokenExpired: true, scope: 'connection' });
    expect(classify(answer(40105))?.tokenExpired).toBeUndefined();
  });

  it('takes 40001 without an ad account as a missing permission, not as lost access', () => {
    const found = errors.classify({ method: 'GET', path: '', operation: 'user/info' }, answer(40001));
    expect(found).toMatchObject({ code: 'permission_missing', scope: 'request' });
  });

  it.each([
    ['No permission to operate advertiser 7001.', 'organization_access_lost', 'organization'],
    ["You don't have permission to operate this catalog:12", 'permission_missing', 'request'],
    [
      'No permission to call /dmp/custom_audience/list/. It needs one of the permissions 30.',
      'permission_missing',
      'request',
    ],
  ])('tells lost access from a missing permission: %s', (message, code, scope) => {
    expect(classify(answer(40001, message))).toMatchObject({ code, scope });
  });

  it('tells an object that is not there from other parameter errors', () => {
    const said = 'The ad group 12 does not exist.';
    expect(classify(answer(40002, said), { operation: 'adgroup/status/update' })?.code).toBe('platform_not_found');
    expect(classify(answer(40002, said), { operation: 'ad/create' })?.code).toBe('platform_rejected');
    expect(classify(answer(40002, 'budget is too low'), { operation: 'adgroup/update' })?.code).toBe(
      'platform_rejected',
    );
  });

  it.each([
    ['App reaches the QPS limit.', 'campaign/get', ['app per second']],
    ['App reaches the QPM limit.', 'campaign/get', ['app per minute']],
    ['App reaches the QPD limit.', 'campaign/get', ['app per day']],
    ['Due to too many requests, requests from App are temporarily restricted.', 'campaign/get', ['app per minute']],
    ['Too many requests. Please retry in some time.', 'campaign/get', ['app per minute', 'app per day']],
    ['App reaches the QPS limit.', 'ad/create', ['ad/create per second', 'app per second']],
    ['App reaches the QPM limit.', 'segment/mapping', ['segment/mapping per minute', 'app per minute']],
  ])('%s on %s fills “%s”, or the sandbox’s of the same length', (message, operation, buckets) => {
    const found = classify(answer(40100, message), { operation });
    const sandbox = buckets.map((name) => name.replace(/^.* per/, 'sandbox endpoint per'));
    const expected = [...new Set([...buckets, ...sandbox])];
    expect(found).toMatchObject({ code: 'platform_rate_limited', bucket: expected });
    expect(found?.retryAfterMs).toBeUndefined();
    expect(manifest.quotas.map(({ name }) => name)).toEqual(expect.arrayContaining(expected));
  });

  it('keeps a limit of one advertiser and path away from the app’s buckets', () => {
    const message =
      "Advertiser (7001)'s QPS (11) reaches QPS limit 10 for current path, request is temporarily restricted.";
    const found = classify(answer(40133, message));
    expect(found).toMatchObject({ code: 'platform_rate_limited', scope: 'organization', retryAfterMs: 1_000 });
    expect(found?.bucket).toBe(ADVERTISER_BUCKET);
  });

  it('lets the code in the body go before the HTTP status, as number or text', () => {
    expect(classify(answer(40105, 'revoked', 500))?.code).toBe('connection_reconnect_required');
    expect(classify(answer('40105'))?.code).toBe('connection_reconnect_required');
    expect(classify(answer(0))).toBeNull();
    expect(classify(answer(0, 'OK', 502))?.code).toBe('platform_unavailable');
  });

  it('does not lose a code that nobody documented', () => {
    expect(classify(answer(49999, 'new'))).toMatchObject({
      code: 'platform_unknown_error',
      native: { code: '49999', message: 'new' },
    });
    expect(classify(answer(50999))?.code).toBe('platform_unavailable');
  });
});

describe('answers without an envelope', () => {
  it('404 text/plain is a path that TikTok does not have', () => {
    expect(classify(plain(404, '404 page not found'))).toMatchObject({
      code: 'platform_not_found',
      retry: 'never',
      native: { message: '404 page not found' },
    });
  });

  it.each([
    ['an HTML page of the gateway', plain(502, '<html><body>502 Bad Gateway</body></html>')],
    ['an HTML page with status 200', plain(200, '  <!DOCTYPE html><html></html>')],
    ['an empty body', plain(200, '')],
    ['a truncated body', plain(200, '{"code":0,"message":"OK","data":{"list":[{"campa')],
    ['an empty 503', plain(503, '')],
    ['a JSON value that is no object', { status: 200, headers: {}, json: 'OK', text: '' }],
    ['JSON null', { status: 200, headers: {}, json: null, text: '' }],
  ])('%s means that TikTok is not available', (_what, response) => {
    expect(classify(response)).toMatchObject({ code: 'platform_unavailable', retry: 'after', scope: 'platform' });
  });

  it('honours Retry-After of a gateway', () => {
    expect(classify(plain(503, 'busy', { 'retry-after': '7' }))?.retryAfterMs).toBe(7_000);
    expect(classify(plain(429, 'slow', { 'retry-after': '3' }))).toMatchObject({
      code: 'platform_rate_limited',
      retryAfterMs: 3_000,
    });
  });

  it('takes the request id from the headers where the body has none', () => {
    expect(classify(plain(500, 'x', { 'x-tt-logid': 'L1' }))?.native.requestId).toBe('L1');
  });

  it('takes the flat answer of oauth/token as a success', () => {
    expect(classify({ status: 200, headers: {}, json: { access_token: 'a' }, text: '' })).toBeNull();
  });
});

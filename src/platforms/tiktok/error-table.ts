/**
 * What each of TikTok's documented return codes means for a caller. TikTok answers nearly every failure with HTTP 200
 * and one of these in the envelope. Source: TikTok docs 1737172488964097 (return codes), read 2026-08-13: 72 codes,
 * 20001 (partial success) among them; 51021 is not documented but seen in the wild.
 */
import type { Classification } from '../../core/connector/types.ts';

/** How one return code is classified. */
export interface ErrorRule extends Pick<Classification, 'code' | 'retry' | 'scope'> {
  /** What the code stands for, in a few words. */
  means: string;
  retryAfterMs?: number;
  tokenExpired?: boolean;
}

type Scope = Classification['scope'];
type Retry = Classification['retry'];

const rule = (
  code: Classification['code'],
  scope: Scope,
  retry: Retry,
  means: string,
  more: Pick<ErrorRule, 'retryAfterMs' | 'tokenExpired'> = {},
): ErrorRule => ({ code, scope, retry, means, ...more });

const rejected = (means: string): ErrorRule => rule('platform_rejected', 'request', 'never', means);
const revoked = (means: string): ErrorRule => rule('connection_reconnect_required', 'connection', 'never', means);
const expired = (means: string): ErrorRule =>
  rule('connection_reconnect_required', 'connection', 'never', means, { tokenExpired: true });
const badApp = (means: string): ErrorRule => rule('platform_app_invalid', 'app', 'never', means);
const badExchange = (means: string): ErrorRule => rule('oauth_exchange_failed', 'request', 'never', means);
const noSandbox = (means: string): ErrorRule => rule('platform_environment_unsupported', 'request', 'never', means);
const badFile = (means: string): ErrorRule => rule('platform_media_invalid', 'request', 'never', means);
const unfetched = (means: string): ErrorRule =>
  rule('platform_media_unreachable', 'request', 'after', means, { retryAfterMs: 2_000 });
const limited = (scope: Scope, means: string): ErrorRule => rule('platform_rate_limited', scope, 'after', means);
const down = (means: string, retryAfterMs?: number): ErrorRule =>
  rule('platform_unavailable', 'platform', 'after', means, retryAfterMs === undefined ? {} : { retryAfterMs });
const noAccount = (means: string): ErrorRule => rule('organization_access_lost', 'organization', 'never', means);

/** Codes of the envelope that are not failures: 20001 carries its failures in the data, per object. */
export const SUCCESS_CODES: ReadonlySet<number> = new Set([0, 20001]);

/** Return code -> rule. Rate limits get their wait and bucket from the message (errors.ts). */
export const ERROR_TABLE: Readonly<Record<number, ErrorRule>> = {
  // general
  40000: rejected('invalid parameters'),
  40001: noAccount('no permission for this operation'),
  40002: rejected('parameter error'),
  40006: rejected('parameters that this API version does not know'),
  40007: rule('platform_not_found', 'request', 'never', 'the operation or object does not exist'),
  40008: noSandbox('this host does not have the endpoint'),
  40009: noSandbox('the parameter or method is not supported in the sandbox'),
  40010: rejected('the API is not served under this domain'),
  40011: rejected('too many ids in one request'),
  40013: noAccount('the sandbox account does not exist'),
  40014: noSandbox('the functionality is not supported in the sandbox'),
  40016: limited('app', 'requests too frequent'),
  40050: rule('platform_duplicate', 'request', 'never', 'the same request was sent twice'),
  40051: rule('platform_version_sunset', 'app', 'never', 'invalid API version'),
  40052: rule('platform_conflict', 'request', 'never', 'the material exists already'),
  40053: rejected('invalid video id'),
  40065: rule('platform_policy', 'request', 'never', 'targeting not allowed for ages 13 to 17 in the US'),
  // authentication
  40100: limited('app', 'requests too frequent'),
  40101: badExchange('app id, secret or authorization code do not fit each other'),
  40102: expired('the access token has expired'),
  40103: revoked('the refresh token has expired'),
  40104: expired('no access token'),
  40105: revoked('the access token is wrong or has been revoked'),
  40106: revoked('the user behind the token is not valid any more'),
  40107: revoked('the refresh token is not valid'),
  40108: badApp('grant type not supported'),
  40109: badApp('credentials could not be deciphered'),
  40110: badExchange('the authorization code is cancelled, used or expired'),
  40112: badApp('wrong password'),
  40113: badApp('the app is blocked, does not exist, or is not the app of the token'),
  40115: badExchange('the authorization is too old, or was made for another endpoint'),
  40116: badApp('invalid signature'),
  40117: badApp('this method of authentication cannot be used'),
  40118: rule('platform_feature_restricted', 'app', 'never', 'offered to allow-listed apps or advertisers only'),
  40119: revoked('developer and advertiser do not belong to the same company'),
  40121: rejected('the user is no TikTok Creator Marketplace creator'),
  40122: rejected('the creator is in a region that is not served'),
  40124: rule('permission_missing', 'app', 'never', 'the developer profile is not filled in and approved'),
  40125: rule('permission_missing', 'app', 'never', 'the app lacks the permission'),
  40132: limited('request', 'requests too frequent for one value, such as a pixel code'),
  40133: limited('organization', 'requests too frequent for this advertiser and path'),
  // tasks and writes
  40200: rule('platform_unavailable', 'request', 'after', 'the task failed'),
  40201: rule('platform_not_ready', 'request', 'after', 'the task is not ready', { retryAfterMs: 5_000 }),
  40202: rule('platform_conflict', 'request', 'after', 'two writes to one object met', { retryAfterMs: 1_000 }),
  40300: noAccount('the advertiser does not exist or was deleted'),
  40301: noAccount('the advertiser cannot be matched'),
  40502: rule('platform_quota_reached', 'organization', 'never', 'the limit on ads is reached'),
  40700: down('internal validation failed at TikTok'),
  // files
  40900: badFile('the signature does not fit the file'),
  40901: rule('platform_not_ready', 'request', 'after', 'the video is still being transcoded', {
    retryAfterMs: 10_000,
  }),
  40902: unfetched('the URL could not be fetched'),
  40903: unfetched('the image URL is not available'),
  40904: badFile('image content or format not supported'),
  40905: rule('platform_not_found', 'request', 'never', 'the file does not exist'),
  40906: badFile('the file is empty'),
  40907: badFile('the file is too large'),
  40908: badFile('the file type is not supported'),
  40909: badFile('the kind of encryption is not supported'),
  40910: badFile('the file has expired'),
  40911: rule('platform_conflict', 'request', 'never', 'another file of the account has this name'),
  40912: unfetched('the image URL is not available'),
  40913: unfetched('the image could not be fetched'),
  40914: badFile('the file is not valid'),
  40915: badFile('the file does not meet the specifications'),
  // blocked and offline
  41000: rule('platform_blocked', 'app', 'never', 'calls from this country are blocked'),
  41001: rule('platform_version_sunset', 'app', 'never', 'the endpoint is offline'),
  41002: rejected('members that are no longer in use'),
  // system
  50000: down('system error'),
  50002: down('error while processing'),
  51021: limited('app', 'too many requests'),
  51305: down('error of a service behind the API'),
  60001: down('maintenance', 300_000),
};

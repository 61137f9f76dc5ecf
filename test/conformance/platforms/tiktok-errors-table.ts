/**
 * TikTok's documented return codes (TikTok docs 1737172488964097: 72 codes) and what each is for a caller, decided from
 * the documentation. Null = no failure.
 */
import type { ErrorCode } from '../../../src/core/errors/index.ts';

const all = (codes: readonly number[], code: ErrorCode | null): [string, ErrorCode | null][] =>
  codes.map((native) => [String(native), code]);

export const TIKTOK_ERRORS: Readonly<Record<string, ErrorCode | null>> = Object.fromEntries([
  ...all([20001], null),
  // General: parameters, hosts, versions.
  ...all([40000, 40002, 40006, 40010, 40011, 40053, 40121, 40122, 41002], 'platform_rejected'),
  ...all([40007, 40905], 'platform_not_found'),
  ...all([40008, 40009, 40014], 'platform_environment_unsupported'),
  ...all([40051, 41001], 'platform_version_sunset'),
  ...all([40050], 'platform_duplicate'),
  ...all([40052, 40202, 40911], 'platform_conflict'),
  ...all([40065], 'platform_policy'),
  // The ad account is out of reach; the grant itself stands.
  ...all([40001, 40013, 40300, 40301], 'organization_access_lost'),
  // Pace.
  ...all([40016, 40100, 40132, 40133], 'platform_rate_limited'),
  ...all([40502], 'platform_quota_reached'),
  // The grant has ended, or its token with nothing to renew it.
  ...all([40102, 40103, 40104, 40105, 40106, 40107, 40119], 'connection_reconnect_required'),
  // Of the exchange of a code.
  ...all([40101, 40110, 40115], 'oauth_exchange_failed'),
  // The app.
  ...all([40108, 40109, 40112, 40113, 40116, 40117], 'platform_app_invalid'),
  ...all([40118], 'platform_feature_restricted'),
  ...all([40124, 40125], 'permission_missing'),
  ...all([41000], 'platform_blocked'),
  // Work under way.
  ...all([40201, 40901], 'platform_not_ready'),
  // Files.
  ...all([40902, 40903, 40912, 40913], 'platform_media_unreachable'),
  ...all([40900, 40904, 40906, 40907, 40908, 40909, 40910, 40914, 40915], 'platform_media_invalid'),
  // TikTok itself.
  ...all([40200, 40700, 50000, 50002, 51305, 60001], 'platform_unavailable'),
]);

/**
 * Families of TikTok's endpoints: the first part of their paths. Source: TikTok's official SDK (its specification files), and
 * for those that it lacks the API for Business docs. A circuit breaker watches over each.
 */
export const ENDPOINT_FAMILIES: ReadonlySet<string> = new Set([
  ...['advertiser', 'app', 'asset', 'bc', 'blockedword', 'business', 'catalog', 'changelog'],
  ...['comment', 'commerce', 'creative', 'creative_fatigue', 'crm', 'diagnostic', 'dmp'],
  ...['dynamic_scene', 'event', 'file', 'gmv_max', 'identity', 'oauth2', 'offline', 'optimizer', 'page'],
  ...['pangle_audience_package', 'pangle_block_list', 'pixel', 'playable', 'report', 'rf', 'search_ad', 'segment'],
  ...['showcase', 'smart_plus', 'split_test', 'store', 'subscription', 'tcm', 'term', 'tool', 'tt_video'],
  ...['user', 'video', 'video_template'],
]);

/** Posts that an ad account sees behind an identity. */
import { type Post, postsOf, pushedItem } from './posts.ts';
import { authorizations, authorizedPost } from './spark.ts';
import { parseStamp } from './stamp.ts';
import { hasRejectMark } from './status.ts';
import type { Native, World } from './types.ts';

/** Videos that approved Spark Ads published under the account (`dark_post_status` OFF). */
function pushed(world: World, identity: Native, now: number): Post[] {
  const approved = (ad: Native) =>
    (parseStamp(String(ad['_review_from'] ?? ad['create_time']))?.getTime() ?? 0) + world.settings.review_delay_ms <=
      now && !hasRejectMark(ad);
  return world.ads
    .by('advertiser', identity.advertiser_id)
    .filter((ad) => ad['identity_id'] === identity.id && ad['dark_post_status'] === 'OFF' && !ad['tiktok_item_id'])
    .filter(approved)
    .map(pushedItem)
    .reverse();
}

/** Posts of a linked account, newest first, or those that a creator unlocked by codes; `now` is epoch ms. */
export function postsFor(world: World, identity: Native, now: number): Post[] {
  if (identity['identity_type'] !== 'AUTH_CODE') {
    const own = postsOf(identity);
    return own.length === 0 ? own : [...pushed(world, identity, now), ...own];
  }
  return authorizations(world)
    .by('advertiser', identity.advertiser_id)
    .filter((row) => row.identity_id === identity.id)
    .map((row) => authorizedPost(world, row.advertiser_id, row.item_id, now)?.post)
    .filter((post) => post !== undefined)
    .reverse();
}

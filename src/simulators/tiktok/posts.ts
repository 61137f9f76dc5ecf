import { hash32, unit } from '../kit/random.ts';
import type { Collection } from '../kit/types.ts';
import { parseStamp, stamp } from './stamp.ts';
import type { Native, World } from './types.ts';

/**
 * TikTok posts: what a linked account has published, and single posts of creators that a code unlocks for Spark Ads.
 * Shapes: TikTok docs 1738958351620097 (identity/video/info) and the tt_video endpoints; sample values in the docs.
 */

/** A post as identity/video/get and tt_video/list answer it. */
export interface Post {
  item_id: string;
  item_type: 'VIDEO' | 'CAROUSEL';
  text: string;
  /** HESITATE_RECOMMEND is the ordinary state of a public post. */
  status: string;
  width: number;
  height: number;
  /** Seconds. */
  duration: number;
  size: number;
  bit_rate: number;
}

const TEXTS = [
  'Three ways to wear it this week',
  'Unboxing what you asked for',
  'Behind the scenes of our new drop',
  'How we make it, start to end',
  'Reply to a question we get a lot',
  'Before and after, no filter',
  'A day in the studio',
  'Our five favourites this season',
  'Pack an order with us',
  'You asked, we tested',
  'Small details, big difference',
  'Weekend plans sorted',
];

const digits = (count: number, ...parts: (string | number)[]) => {
  let text = '';
  for (let i = 0; text.length < count; i++) text += String(hash32(...parts, i)).padStart(10, '0');
  return text.slice(0, count);
};

/** How many posts a linked account has. */
const POSTS = TEXTS.length;

function makePost(n: number, itemId: string): Post {
  const duration = Math.round((8 + unit('duration', itemId) * 40) * 1000) / 1000;
  const bit_rate = 1_500_000 + (hash32('rate', itemId) % 7_000_000);
  return {
    item_id: itemId,
    // Every fourth post is a photo post.
    item_type: n % 4 === 3 ? 'CAROUSEL' : 'VIDEO',
    text: TEXTS[n % TEXTS.length]!,
    status: 'HESITATE_RECOMMEND',
    width: 720,
    height: 1280,
    duration,
    size: Math.round((bit_rate * duration) / 8),
    bit_rate,
  };
}

/** Posts of a linked TikTok account, newest first. The same for ever: nothing is stored. Custom identities have none. */
export function postsOf(identity: Native): Post[] {
  if (identity['identity_type'] !== 'TT_USER' && identity['identity_type'] !== 'BC_AUTH_TT') return [];
  return Array.from({ length: POSTS }, (_, i) => {
    const n = POSTS - i;
    return makePost(n, `71${String(10 + n)}${digits(15, 'post', identity.id, n)}`);
  });
}

/** A creator's post for which a code has been made; `id` is the item_id. */
export interface CreatorPost {
  id: string;
  auth_code: string;
  tiktok_name: string;
  /** End of the time that the creator allowed, `YYYY-MM-DD HH:MM:SS` UTC. */
  auth_end_time: string;
  post: Post;
}

/** What an advertiser got by redeeming a code; `id` is `<advertiser_id>:<item_id>`. */
export interface Authorization {
  id: string;
  advertiser_id: string;
  item_id: string;
  identity_id: string;
  auth_start_time: string;
  unbound?: boolean;
}

/** Creators' posts that have a code. */
export const creatorPosts = (world: World): Collection<CreatorPost> =>
  world.store.collection<CreatorPost>('creator_posts', { code: (row) => row.auth_code });

/** Codes that advertisers have redeemed. */
export const authorizations = (world: World): Collection<Authorization> =>
  world.store.collection<Authorization>('spark_authorizations', { advertiser: (row) => row.advertiser_id });

/** The post of a creator that the advertiser may use at `now` (epoch ms), if it may. */
export function authorizedPost(
  world: World,
  advertiserId: string,
  itemId: string,
  now: number,
): (CreatorPost & Authorization) | undefined {
  const authorization = authorizations(world).get(`${advertiserId}:${itemId}`);
  const post = creatorPosts(world).get(itemId);
  if (!authorization || authorization.unbound || !post) return undefined;
  const end = parseStamp(post.auth_end_time)?.getTime() ?? 0;
  return now < end ? { ...post, ...authorization } : undefined;
}

/** Makes a code for a creator's post, as the creator does in the app; `days` may be negative for one that has run out. */
export function makeCreatorPost(world: World, n: number, creator: string, authCode: string, days: number): CreatorPost {
  const itemId = `71${digits(17, 'creator post', creator, n)}`;
  const row: CreatorPost = {
    id: itemId,
    auth_code: authCode,
    tiktok_name: creator,
    auth_end_time: stamp(new Date(world.clock.now().getTime() + days * 86_400_000)),
    post: makePost(n * 4, itemId),
  };
  creatorPosts(world).put(row);
  return row;
}

/** identity_id under which an advertiser sees a creator. */
export const creatorIdentityId = (advertiserId: string, creator: string) =>
  `71${digits(17, 'creator', advertiserId, creator)}`;

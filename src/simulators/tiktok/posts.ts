import { hash32, unit } from '../kit/random.ts';
import type { Native } from './types.ts';

/**
 * TikTok posts: what linked accounts and creators have published. Which posts an advertiser may use is in `spark.ts`.
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

/** The `n`th post of all creators: a video, or photos. */
export const creatorItem = (n: number, creator: string, photos = false): Post =>
  makePost(n * 4 + (photos ? 3 : 0), `71${digits(17, 'creator post', creator, n)}`);

/** The post that a pushed video became: Spark Ads that are published under the account, not as ads only. */
export const pushedItem = (ad: Native): Post => ({
  ...makePost(0, `71${digits(17, 'pushed', ad.id)}`),
  text: String(ad['ad_text'] ?? ''),
});

/** identity_id under which an advertiser sees a creator. */
export const creatorIdentityId = (advertiserId: string, creator: string) =>
  `71${digits(17, 'creator', advertiserId, creator)}`;

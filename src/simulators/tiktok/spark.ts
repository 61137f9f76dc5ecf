/**
 * Spark Ads: what creators and owners of TikTok accounts allow, when, and what ends with it. A creator unlocks one post
 * for a number of days with a code; an advertiser redeems the code; a linked account allows all its posts until its
 * owner unlinks it. Facts: TikTok docs 1739470744631298 (Spark Ads), the endpoints tt_video/* and
 * business/post/authorize/*. Where codes die earlier than their days, and the wording of refusals, is (unverified).
 */
import { hex } from '../kit/random.ts';
import type { Collection } from '../kit/types.ts';
import { creatorItem, type Post } from './posts.ts';
import { stamp } from './stamp.ts';
import type { Native, World } from './types.ts';

const DAY_MS = 86_400_000;
const FOR_EVER = Number.MAX_SAFE_INTEGER;

/** A stretch of time, epoch milliseconds: [from, to). */
export type Spell = readonly [number, number];

/** Days that a creator can choose in the app; the account endpoints take all but 180. */
export const APP_DAYS = [7, 30, 60, 180, 365];
/** Days that `business/post/authorize` takes. */
export const API_DAYS = [7, 30, 60, 365];

/** Posts with one of these states can be seen by everyone. */
const PUBLIC = ['HESITATE_RECOMMEND', 'ITEM_STATUS_HESITATE_RECOMMEND'];

/** A creator's post; `id` is the item_id. */
export interface CreatorPost {
  id: string;
  /** The code, while there is one or the last one was deleted. */
  auth_code?: string;
  tiktok_name: string;
  authorization_days?: number;
  /** When the code was made, `YYYY-MM-DD HH:MM:SS` UTC. */
  auth_start_time?: string;
  /** End of the time that the creator allowed. */
  auth_end_time?: string;
  /** The creator deleted the code or switched ad authorization off. */
  code_deleted?: boolean;
  /** When ads could use the post, ascending. */
  periods: readonly Spell[];
  /** item_id of the post that this one stitches or answers: its code is needed, too. */
  original_item_id?: string;
  original_kind?: 'STITCH' | 'DUET';
  /** What the music of the post may be used for. */
  music: 'WITHOUT_SONG_ID' | 'AUTHORIZATION_MISSING' | 'WITH_FULL_AUTHORIZATION';
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
  /** From redeeming to unbinding, ascending. */
  spells: readonly Spell[];
}

/** When a linked TikTok account could not be used; `id` is the identity_id. */
interface Loss {
  id: string;
  spells: readonly Spell[];
}

/** Creators' posts. */
export const creatorPosts = (world: World): Collection<CreatorPost> =>
  world.store.collection<CreatorPost>('creator_posts', {
    code: (row) => row.auth_code,
    creator: (row) => row.tiktok_name,
  });

/** Codes that advertisers have redeemed. */
export const authorizations = (world: World): Collection<Authorization> =>
  world.store.collection<Authorization>('spark_authorizations', {
    advertiser: (row) => row.advertiser_id,
    item: (row) => row.item_id,
  });

const losses = (world: World): Collection<Loss> => world.store.collection<Loss>('identity_losses');

/** Grows with every change of what may be used: for caches of delivery. */
export const sparkVersion = (world: World): number =>
  creatorPosts(world).version + authorizations(world).version + losses(world).version;

const covers = (spells: readonly Spell[], at: number) => spells.some(([from, to]) => from <= at && at < to);
const close = (spells: readonly Spell[], at: number): Spell[] =>
  spells.filter(([from]) => from < at).map(([from, to]): Spell => [from, Math.min(to, at)]);
const nowOf = (world: World) => world.clock.now().getTime();

/** Can everyone see the post? Others cannot be advertised. */
export const isPublic = (row: CreatorPost) => PUBLIC.includes(row.post.status);

/** `auth_code_status` of a post's code; undefined if it never had one. */
export function codeStatus(world: World, row: CreatorPost): 'NOT_USED' | 'IN_USE' | 'EXPIRED' | 'DELETED' | undefined {
  if (row.auth_code === undefined) return undefined;
  if (row.code_deleted) return 'DELETED';
  if (world.stamp() >= String(row.auth_end_time)) return 'EXPIRED';
  return authorizations(world)
    .by('item', row.id)
    .some((one) => !one.unbound)
    ? 'IN_USE'
    : 'NOT_USED';
}

/** A redeemed post. */
export type AuthorizedPost = CreatorPost & Authorization;

/** What an advertiser redeemed and did not give back, whether it can still be used or not. */
export function redeemedPost(world: World, advertiserId: string, itemId: string): AuthorizedPost | undefined {
  const authorization = authorizations(world).get(`${advertiserId}:${itemId}`);
  const post = creatorPosts(world).get(itemId);
  return authorization && !authorization.unbound && post ? { ...post, ...authorization } : undefined;
}

/** The post of a creator that the advertiser may use at `now` (epoch ms), if it may. */
export function authorizedPost(
  world: World,
  advertiserId: string,
  itemId: string,
  now: number,
): AuthorizedPost | undefined {
  const found = redeemedPost(world, advertiserId, itemId);
  return found && covers(found.periods, now) ? found : undefined;
}

/** Redeems a code for an ad account. The caller has checked that it may. */
export function redeem(world: World, advertiserId: string, post: CreatorPost, identityId: string): void {
  const id = `${advertiserId}:${post.id}`;
  const before = authorizations(world).get(id);
  if (before && !before.unbound) return;
  authorizations(world).put({
    id,
    advertiser_id: advertiserId,
    item_id: post.id,
    identity_id: identityId,
    auth_start_time: world.stamp(),
    spells: [...(before?.spells ?? []), [nowOf(world), FOR_EVER]],
  });
}

/** Gives a redeemed post back. @returns whether there was one. */
export function unbindPost(world: World, advertiserId: string, itemId: string): boolean {
  const row = authorizations(world).get(`${advertiserId}:${itemId}`);
  if (!row || row.unbound) return false;
  authorizations(world).put({ ...row, unbound: true, spells: close(row.spells, nowOf(world)) });
  return true;
}

/** Publishes a post of a creator, without a code. */
export function publishPost(
  world: World,
  creator: string,
  more: Partial<CreatorPost> = {},
  photos = false,
): CreatorPost {
  const post = creatorItem(creatorPosts(world).size + 1, creator, photos);
  const row: CreatorPost = {
    id: post.item_id,
    tiktok_name: creator,
    periods: [],
    music: 'WITHOUT_SONG_ID',
    post,
    ...more,
  };
  creatorPosts(world).put(row);
  return row;
}

/** Makes a code for a post, or lets the one it has last longer. `days` may be negative: a code that has run out. */
export function allowPost(
  world: World,
  row: CreatorPost,
  days: number,
  code = row.code_deleted ? undefined : row.auth_code,
): CreatorPost {
  const now = nowOf(world);
  const alive = codeStatus(world, row) === 'NOT_USED' || codeStatus(world, row) === 'IN_USE';
  // A code that still works is extended from its end on, so that days that were promised are not lost (unverified).
  const from = alive ? Date.parse(`${String(row.auth_end_time).replace(' ', 'T')}Z`) : now;
  const end = Math.floor(from / 1000) * 1000 + days * DAY_MS;
  const earlier = close(row.periods, now);
  const last = earlier.at(-1);
  const open: Spell = alive && last?.[1] === now ? [last[0], end] : [now, end];
  const { code_deleted: _gone, ...kept } = row;
  const after: CreatorPost = {
    ...kept,
    auth_code: code ?? `#${hex(22, 'code', row.id, now)}+/=`,
    authorization_days: days,
    auth_start_time: alive ? String(row.auth_start_time) : stamp(new Date(now)),
    auth_end_time: stamp(new Date(end)),
    periods: end > now && isPublic(row) ? [...(open[0] === now ? earlier : earlier.slice(0, -1)), open] : row.periods,
  };
  creatorPosts(world).put(after);
  return after;
}

/** The creator deletes the code: nobody may use the post any more. */
export function deleteCode(world: World, row: CreatorPost): CreatorPost {
  const after: CreatorPost = { ...row, code_deleted: true, periods: close(row.periods, nowOf(world)) };
  creatorPosts(world).put(after);
  return after;
}

/** The creator makes the post private, deletes it, or shows it again. */
export function setPostStatus(world: World, row: CreatorPost, status: string): CreatorPost {
  const now = nowOf(world);
  const after: CreatorPost = { ...row, post: { ...row.post, status } };
  const end = row.auth_end_time === undefined ? 0 : Date.parse(`${row.auth_end_time.replace(' ', 'T')}Z`);
  if (!isPublic(after)) after.periods = close(row.periods, now);
  else if (!isPublic(row) && !row.code_deleted && end > now) after.periods = [...row.periods, [now, end]];
  creatorPosts(world).put(after);
  return after;
}

/** Ads that use the post and are not deleted, of any ad account that redeemed it. */
export function adsUsing(world: World, itemId: string): Native[] {
  return authorizations(world)
    .by('item', itemId)
    .flatMap((row) => world.ads.by('advertiser', row.advertiser_id))
    .filter((ad) => ad['tiktok_item_id'] === itemId && ad['operation_status'] !== 'DELETE');
}

/** The owner of a linked account takes it away from advertisers (`usable` false) or lets them use it again. */
export function setIdentityUsable(world: World, identityId: string, usable: boolean): void {
  const now = nowOf(world);
  const spells = losses(world).get(identityId)?.spells ?? [];
  if (covers(spells, now) === !usable) return;
  losses(world).put({ id: identityId, spells: usable ? close(spells, now) : [...spells, [now, FOR_EVER]] });
}

/** Does the ad live from somebody's permission? */
export const isSpark = (ad: Native): boolean =>
  ad['identity_type'] === 'AUTH_CODE' || ad['identity_type'] === 'TT_USER' || ad['identity_type'] === 'BC_AUTH_TT';

/** Times at which the ad's post or account could be used; undefined = always. */
export function permittedSpells(world: World, ad: Native): readonly Spell[] | undefined {
  if (ad['identity_type'] === 'AUTH_CODE') {
    const itemId = String(ad['tiktok_item_id']);
    const redeemed = authorizations(world).get(`${ad.advertiser_id}:${itemId}`)?.spells ?? [];
    const allowed = creatorPosts(world).get(itemId)?.periods ?? [];
    const both: Spell[] = [];
    for (const [from, to] of redeemed) {
      for (const [from2, to2] of allowed) {
        if (Math.max(from, from2) < Math.min(to, to2)) both.push([Math.max(from, from2), Math.min(to, to2)]);
      }
    }
    return both;
  }
  const lost = isSpark(ad) ? losses(world).get(String(ad['identity_id']))?.spells : undefined;
  if (!lost) return undefined;
  const open: Spell[] = [];
  let from = 0;
  for (const [start, end] of lost) {
    if (start > from) open.push([from, start]);
    from = end;
  }
  if (from < FOR_EVER) open.push([from, FOR_EVER]);
  return open;
}

/**
 * Why the ad cannot use its post or account at `now` (epoch ms): the suffix of its status, or undefined if it can. That
 * a withdrawn or expired code is the one and a hidden post or an unlinked account the other is (unverified).
 */
export function lostPermission(
  world: World,
  ad: Native,
  now: number,
): 'CREATOR_AUTHORIZATION_REVOKED' | 'ASSET_AUTHORIZATION_LOST' | undefined {
  const spells = permittedSpells(world, ad);
  if (!spells || covers(spells, now)) return undefined;
  if (ad['identity_type'] !== 'AUTH_CODE') return 'ASSET_AUTHORIZATION_LOST';
  const post = creatorPosts(world).get(String(ad['tiktok_item_id']));
  return post && !isPublic(post) ? 'ASSET_AUTHORIZATION_LOST' : 'CREATOR_AUTHORIZATION_REVOKED';
}

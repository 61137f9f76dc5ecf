/** What creators do in the TikTok app, by the control API: posts, codes for Spark Ads, and taking them back. */
import { bad, type ControlCall, ControlError, type ControlRoute, found, reader } from '../kit/control.ts';
import {
  APP_DAYS,
  adsUsing,
  allowPost,
  authorizations,
  type CreatorPost,
  codeStatus,
  creatorPosts,
  deleteCode,
  isPublic,
  publishPost,
  setPostStatus,
} from './spark.ts';
import type { World } from './types.ts';

/** States of a post that its creator or TikTok can give it. */
export const POST_STATUSES = [
  'HESITATE_RECOMMEND',
  'ONLY_AUTHOR_SEE',
  'ONLY_FRIEND_SEE',
  'ONLY_USER_PASS',
  'REVIEW_PENDING',
  'USER_DELETE',
  'AUDIT_DELETE',
];
const MUSIC = ['WITHOUT_SONG_ID', 'AUTHORIZATION_MISSING', 'WITH_FULL_AUTHORIZATION'] as const;

/** A creator's post as the control API shows it. */
const view = (world: World, row: CreatorPost) => ({
  ...row,
  auth_code_status: codeStatus(world, row) ?? null,
  redeemed_by: authorizations(world)
    .by('item', row.id)
    .filter((one) => !one.unbound)
    .map((one) => one.advertiser_id),
  ads: adsUsing(world, row.id).map((ad) => ad.id),
});

/** Whole days from -3650 to 3650. What the app offers is 7, 30, 60, 180 and 365; tests may want an hour. */
function days(read: ReturnType<typeof reader>, fallback: number): number {
  const n = read.number('days') ?? fallback;
  if (Math.abs(n) > 3650 || n === 0) bad(`days must be a number up to 3650; the app offers ${APP_DAYS.join(', ')}`);
  return n;
}

/**
 * - `GET /spark_posts?tiktok_name=`: creators' posts with their codes and who redeemed them.
 * - `POST /spark_posts` `{ tiktok_name, days?, auth_code?, code?, item_type?, original_item_id?, original_kind?, music? }`
 *   publishes a post and makes a code for it (30 days; a negative number makes one that has run out; `code: false` makes
 *   none). `original_item_id` is the post that this one stitches or answers: its code is needed, too.
 * - `POST /spark_posts/:id/code` `{ days?, auth_code? }`: a new code, or more days for the one that works.
 * - `DELETE /spark_posts/:id/code` `{ force? }`: the creator deletes the code; refused while an ad uses the post, as the
 *   app does, unless forced.
 * - `PATCH /spark_posts/:id` `{ status?, music? }`: `ONLY_AUTHOR_SEE` makes the post private, `USER_DELETE` deletes it,
 *   `HESITATE_RECOMMEND` shows it again.
 */
export function sparkRoutes(world: World): ControlRoute[] {
  const postOf = ({ params }: ControlCall) => found(creatorPosts(world).get(params['id']!), `post ${params['id']}`);
  const checkCode = (code: string | undefined) => {
    if (code !== undefined && creatorPosts(world).by('code', code).length > 0) bad(`auth_code ${code} exists already`);
    return code;
  };
  const musicOf = (value: string | undefined) =>
    value === undefined
      ? undefined
      : (MUSIC.find((one) => one === value) ?? bad(`music must be one of ${MUSIC.join(', ')}`));

  const publish = ({ body }: ControlCall) => {
    const read = reader(body);
    const code = checkCode(read.text('auth_code'));
    const original = read.text('original_item_id');
    if (original !== undefined) found(creatorPosts(world).get(original), `post ${original}`);
    const music = musicOf(read.text('music'));
    const wanted = days(read, 30);
    const row = publishPost(
      world,
      read.need('tiktok_name'),
      {
        ...(original === undefined
          ? {}
          : { original_item_id: original, original_kind: read.text('original_kind') === 'DUET' ? 'DUET' : 'STITCH' }),
        ...(music === undefined ? {} : { music }),
      },
      read.text('item_type') === 'CAROUSEL',
    );
    return view(world, read.flag('code') === false ? row : allowPost(world, row, wanted, code));
  };
  const allow = (call: ControlCall) => {
    const read = reader(call.body);
    const row = postOf(call);
    if (!isPublic(row)) throw new ControlError(409, `the post is not public: ${row.post.status}`);
    const code = checkCode(read.text('auth_code'));
    return view(
      world,
      code === undefined ? allowPost(world, row, days(read, 30)) : allowPost(world, row, days(read, 30), code),
    );
  };
  const forbid = (call: ControlCall) => {
    const row = postOf(call);
    const used = adsUsing(world, row.id);
    if (used.length > 0 && reader(call.body).flag('force') !== true) {
      throw new ControlError(409, `ads use the post: ${used.map((ad) => ad.id).join(', ')}; add "force": true`);
    }
    return view(world, deleteCode(world, row));
  };
  const change = (call: ControlCall) => {
    const read = reader(call.body);
    let row = postOf(call);
    const music = musicOf(read.text('music'));
    if (music !== undefined) {
      row = { ...row, music };
      creatorPosts(world).put(row);
    }
    const status = read.text('status');
    if (status !== undefined && !POST_STATUSES.includes(status))
      bad(`status must be one of ${POST_STATUSES.join(', ')}`);
    return view(world, status === undefined ? row : setPostStatus(world, row, status));
  };
  const list = ({ query }: ControlCall) => {
    const name = query['tiktok_name'];
    const rows = name === undefined ? [...creatorPosts(world).values()] : creatorPosts(world).by('creator', name);
    return { posts: rows.map((row) => view(world, row)) };
  };
  return [
    { method: 'GET', path: '/spark_posts', summary: 'creators’ posts with their Spark Ads codes', handle: list },
    { method: 'POST', path: '/spark_posts', summary: 'publish a creator’s post, with a code', handle: publish },
    {
      method: 'PATCH',
      path: '/spark_posts/:id',
      summary: 'make a post private, delete it, show it again',
      handle: change,
    },
    { method: 'POST', path: '/spark_posts/:id/code', summary: 'new code, or more days for the old one', handle: allow },
    { method: 'DELETE', path: '/spark_posts/:id/code', summary: 'the creator deletes the code', handle: forbid },
  ];
}

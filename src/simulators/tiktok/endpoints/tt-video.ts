import { page } from '../paging.ts';
import { advertiserId, advertiserIdOf, paging } from '../params.ts';
import { creatorIdentityId } from '../posts.ts';
import { invalid, missing } from '../rules.ts';
import {
  type AuthorizedPost,
  authorizations,
  type CreatorPost,
  codeStatus,
  creatorPosts,
  isPublic,
  redeem,
  redeemedPost,
  unbindPost,
} from '../spark.ts';
import type { Call, Endpoint, Param } from '../types.ts';
import { itemInfo, videoInfo } from './identity.ts';

/** Spark Ads by a creator's code: tt_video/{authorize,info,list,unbind}. Facts: the endpoints' TikTok docs; error codes (unverified). */

function byCode(call: Call, name = 'auth_code'): CreatorPost {
  const post = creatorPosts(call.world).by('code', String(call.params[name]))[0];
  return post ?? invalid(`${name}: The authorization code is invalid.`);
}

/** A code that can be redeemed, or 40002 with the reason. */
function redeemable(call: Call, name = 'auth_code'): CreatorPost {
  const post = byCode(call, name);
  switch (codeStatus(call.world, post)) {
    case 'DELETED':
      return invalid(`${name}: The authorization code has been deleted by the creator.`);
    case 'EXPIRED':
      return invalid(`${name}: The authorization code has expired.`);
  }
  if (!isPublic(post)) invalid(`${name}: The post cannot be used for ads: its status is ${post.post.status}.`);
  return post;
}

const idOf = (call: Call, itemId: unknown) => `${advertiserIdOf(call)}:${String(itemId)}`;

function authorize(call: Call): unknown {
  const { world, params } = call;
  const advertiserId = advertiserIdOf(call);
  const post = redeemable(call);
  const taken = authorizations(world)
    .by('item', post.id)
    .some((row) => !row.unbound && row.advertiser_id !== advertiserId);
  // Redeeming it again for the same account changes nothing (unverified).
  if (taken) invalid('auth_code: The authorization code has already been used by another ad account.');
  if (post.original_item_id !== undefined) {
    if (!params['original_post_auth_code']) missing('original_post_auth_code');
    if (redeemable(call, 'original_post_auth_code').id !== post.original_item_id) {
      invalid('original_post_auth_code: It is not the code of the original post.');
    }
  }
  const identityId = creatorIdentityId(advertiserId, post.tiktok_name);
  world.identities.put({
    id: identityId,
    advertiser_id: advertiserId,
    identity_id: identityId,
    identity_type: 'AUTH_CODE',
    display_name: post.tiktok_name,
    username: post.tiktok_name,
    profile_image: `${call.origin}/media/post/${post.id}0.png`,
    available_status: 'AVAILABLE',
    can_push_video: false,
    can_pull_video: true,
  });
  redeem(world, advertiserId, post, identityId);
  return {};
}

/** AUTHORIZED is documented; the names of the other states are (unverified). */
function authStatus(call: Call, row: AuthorizedPost): string {
  const status = codeStatus(call.world, row);
  if (status === 'DELETED') return 'CANCELED';
  return status === 'EXPIRED' ? 'EXPIRED' : 'AUTHORIZED';
}

function view(call: Call, row: AuthorizedPost) {
  const { post } = row;
  const { origin } = call;
  const stitch = row.original_kind === 'DUET' ? 'duet_original_item_id' : 'stitch_original_item_id';
  return {
    item_info: {
      ...itemInfo(origin, post, row.auth_code ?? null),
      ...(row.original_item_id === undefined ? {} : { [stitch]: row.original_item_id }),
    },
    auth_info: {
      ad_auth_status: authStatus(call, row),
      auth_start_time: row.auth_start_time,
      auth_end_time: row.auth_end_time,
      invite_start_time: creatorPosts(call.world).get(post.item_id)?.auth_start_time ?? row.auth_start_time,
    },
    user_info: { identity_id: row.identity_id, identity_type: 'AUTH_CODE', tiktok_name: row.tiktok_name },
    video_info: post.item_type === 'VIDEO' ? videoInfo(origin, post) : null,
  };
}

function info(call: Call): unknown {
  const post = byCode(call);
  const found = redeemedPost(call.world, advertiserIdOf(call), post.id);
  return found
    ? view(call, found)
    : invalid('auth_code: The authorization code has not been applied to this ad account.');
}

function list(call: Call): unknown {
  const { world, params } = call;
  const advertiserId = advertiserIdOf(call);
  const types = params['item_types'] as string[] | undefined;
  const keyword = String(params['keyword'] ?? '').toLowerCase();
  const rows = authorizations(world)
    .by('advertiser', advertiserId)
    .map((row) => redeemedPost(world, advertiserId, row.item_id))
    .filter((row) => row !== undefined)
    .filter((row) => (!types || types.includes(row.post.item_type)) && row.post.text.toLowerCase().includes(keyword));
  const { list, page_info } = page(rows, { ...call, params: { page_size: 20, ...params } }, 50);
  return { list: list.map((row) => view(call, row)), page_info };
}

function unbind(call: Call): unknown {
  const itemId = String(call.params['item_id']);
  if (!authorizations(call.world).get(idOf(call, itemId)) || !unbindPost(call.world, advertiserIdOf(call), itemId)) {
    return invalid(`item_id: The post ${itemId} is not authorized.`);
  }
  return {};
}

const authCode: Param = { name: 'auth_code', type: 'string', required: true };

/** Spark Ads by code. */
export const endpoints: Endpoint[] = [
  {
    method: 'POST',
    path: 'tt_video/authorize',
    auth: 'token',
    scopes: ['691'],
    write: true,
    params: [advertiserId, authCode, { name: 'original_post_auth_code', type: 'string' }],
    handle: authorize,
  },
  {
    method: 'GET',
    path: 'tt_video/info',
    auth: 'token',
    scopes: ['690'],
    params: [advertiserId, authCode],
    handle: info,
  },
  {
    method: 'GET',
    path: 'tt_video/list',
    auth: 'token',
    scopes: ['690', '691'],
    params: [
      advertiserId,
      { name: 'item_types', type: 'array', items: { type: 'string', enum: ['VIDEO', 'CAROUSEL'] } },
      { name: 'keyword', type: 'string' },
      ...paging,
    ],
    handle: list,
  },
  {
    method: 'POST',
    path: 'tt_video/unbind',
    auth: 'token',
    scopes: ['691'],
    write: true,
    params: [advertiserId, { name: 'item_id', type: 'string', required: true }],
    handle: unbind,
  },
];

import { page } from '../paging.ts';
import { advertiserId, advertiserIdOf, paging } from '../params.ts';
import {
  type Authorization,
  authorizations,
  authorizedPost,
  type CreatorPost,
  creatorIdentityId,
  creatorPosts,
} from '../posts.ts';
import { invalid } from '../rules.ts';
import type { Call, Endpoint, Param } from '../types.ts';
import { itemInfo, videoInfo } from './identity.ts';

/** Spark Ads by a creator's code: tt_video/{authorize,info,list,unbind}. Facts: the endpoints' TikTok docs; error codes (unverified). */

function byCode(call: Call): CreatorPost {
  const code = String(call.params['auth_code']);
  const post = creatorPosts(call.world).by('code', code)[0];
  if (!post) return invalid('auth_code: The authorization code is invalid.');
  if (call.world.stamp(call.now) >= post.auth_end_time)
    return invalid('auth_code: The authorization code has expired.');
  return post;
}

const idOf = (call: Call, itemId: unknown) => `${advertiserIdOf(call)}:${String(itemId)}`;

function authorize(call: Call): unknown {
  const { world } = call;
  const advertiserId = advertiserIdOf(call);
  const post = byCode(call);
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
  authorizations(world).put({
    id: idOf(call, post.id),
    advertiser_id: advertiserId,
    item_id: post.id,
    identity_id: identityId,
    auth_start_time: world.stamp(call.now),
  });
  return {};
}

function view(origin: string, row: CreatorPost & Authorization) {
  const { post } = row;
  return {
    item_info: itemInfo(origin, post, row.auth_code),
    auth_info: {
      ad_auth_status: 'AUTHORIZED',
      auth_start_time: row.auth_start_time,
      auth_end_time: row.auth_end_time,
      invite_start_time: row.auth_start_time,
    },
    user_info: { identity_id: row.identity_id, identity_type: 'AUTH_CODE', tiktok_name: row.tiktok_name },
    video_info: post.item_type === 'VIDEO' ? videoInfo(origin, post) : null,
  };
}

function info(call: Call): unknown {
  const post = byCode(call);
  const found = authorizedPost(call.world, advertiserIdOf(call), post.id, call.now.getTime());
  if (!found) return invalid('auth_code: The authorization code has not been applied to this ad account.');
  return view(call.origin, found);
}

function list(call: Call): unknown {
  const { world, params } = call;
  const advertiserId = advertiserIdOf(call);
  const types = params['item_types'] as string[] | undefined;
  const keyword = String(params['keyword'] ?? '').toLowerCase();
  const rows = authorizations(world)
    .by('advertiser', advertiserId)
    .map((row) => authorizedPost(world, advertiserId, row.item_id, call.now.getTime()))
    .filter((row) => row !== undefined)
    .filter((row) => (!types || types.includes(row.post.item_type)) && row.post.text.toLowerCase().includes(keyword));
  const { list, page_info } = page(rows, { ...call, params: { page_size: 20, ...params } }, 50);
  return { list: list.map((row) => view(call.origin, row)), page_info };
}

function unbind(call: Call): unknown {
  const row = authorizations(call.world).get(idOf(call, call.params['item_id']));
  if (!row || row.unbound) return invalid(`item_id: The post ${String(call.params['item_id'])} is not authorized.`);
  authorizations(call.world).put({ ...row, unbound: true });
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

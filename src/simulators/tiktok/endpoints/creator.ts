import { invalid } from '../rules.ts';
import {
  API_DAYS,
  adsUsing,
  allowPost,
  type CreatorPost,
  codeStatus,
  creatorPosts,
  deleteCode,
  isPublic,
} from '../spark.ts';
import { type Call, type Endpoint, type Param, TikTokError } from '../types.ts';

/**
 * The creator's side of Spark Ads, with the token of a TikTok account: business/post/authorize{,/setting,/status,/delete}
 * and business/video/list to find the posts. Members and states: an independent transcription of the reference; which
 * call makes a code, and the codes of refusals, are (unverified).
 */

/** Under which name the TikTok account of a user publishes. */
export const handleOf = (displayName: string): string => displayName.toLowerCase().trim().replace(/\W+/g, '.');

/** The account behind the token; `business_id` must be its open_id. */
function creatorOf(call: Call): string {
  const { grant, params, world } = call;
  if (grant?.kind !== 'tt_user' || grant.open_id !== params['business_id']) {
    throw new TikTokError(40001, `No permission to operate the TikTok account ${String(params['business_id'])}.`);
  }
  return handleOf(world.users.get(grant.user_id)!.display_name);
}

function postOf(call: Call): CreatorPost {
  const creator = creatorOf(call);
  const row = creatorPosts(call.world).get(String(call.params['item_id']));
  if (row?.tiktok_name !== creator)
    return invalid(`item_id: The post ${String(call.params['item_id'])} does not exist.`);
  return row;
}

const answer = (call: Call, row: CreatorPost) => ({
  item_id: row.id,
  auth_code: row.auth_code ?? null,
  auth_code_start_time: row.auth_start_time ?? null,
  auth_code_end_time: row.auth_end_time ?? null,
  authorization_days: row.authorization_days ?? null,
  auth_code_status: codeStatus(call.world, row) ?? null,
});

function daysOf(call: Call): number {
  const days = call.params['authorization_days'] ?? 30;
  if (!API_DAYS.includes(Number(days))) {
    invalid(`authorization_days: Invalid value: ${String(days)}. It should be one of [${API_DAYS.join(', ')}].`);
  }
  return Number(days);
}

/** Ad authorization cannot be switched off while the post is used in an ad. */
function refuseInUse(call: Call, row: CreatorPost): void {
  if (adsUsing(call.world, row.id).length > 0) {
    invalid(`item_id: The post ${row.id} is used in an ad: its authorization cannot be switched off.`);
  }
}

function setting(call: Call): unknown {
  const row = postOf(call);
  const days = daysOf(call);
  if (call.params['is_ad_promotable'] !== true) {
    refuseInUse(call, row);
    return answer(call, row.auth_code === undefined ? row : deleteCode(call.world, row));
  }
  if (!isPublic(row)) invalid(`item_id: The post cannot be used for ads: its status is ${row.post.status}.`);
  const status = codeStatus(call.world, row);
  return answer(call, status === 'NOT_USED' || status === 'IN_USE' ? row : allowPost(call.world, row, days));
}

function extend(call: Call): unknown {
  const row = postOf(call);
  if (row.auth_code === undefined || row.code_deleted) {
    invalid(`item_id: Ad authorization is not switched on for the post ${row.id}.`);
  }
  if (!isPublic(row)) invalid(`item_id: The post cannot be used for ads: its status is ${row.post.status}.`);
  return answer(call, allowPost(call.world, row, daysOf(call)));
}

function remove(call: Call): unknown {
  const row = postOf(call);
  const status = codeStatus(call.world, row);
  if (status === undefined || status === 'DELETED') invalid(`item_id: The post ${row.id} has no authorization code.`);
  refuseInUse(call, row);
  return answer(call, deleteCode(call.world, row));
}

function videos(call: Call): unknown {
  const rows = creatorPosts(call.world).by('creator', creatorOf(call));
  const ids = (call.params['filters'] as { video_ids?: string[] } | undefined)?.video_ids;
  const found = rows.filter((row) => row.post.status !== 'USER_DELETE' && (!ids || ids.includes(row.id))).reverse();
  const from = Number(call.params['cursor'] ?? 0);
  const to = from + Number(call.params['max_count'] ?? 10);
  return {
    videos: found.slice(from, to).map((row) => ({
      item_id: row.id,
      media_type: row.post.item_type === 'VIDEO' ? 'VIDEO' : 'PHOTO',
      is_ad: false,
      thumbnail_url: `${call.origin}/media/post/${row.id}.png`,
      share_url: `${call.origin}/media/post/${row.id}.mp4`,
      caption: row.post.text,
      video_duration: row.post.duration,
    })),
    cursor: Math.min(to, found.length),
    has_more: to < found.length,
  };
}

const business: Param = { name: 'business_id', type: 'string', required: true };
const item: Param = { name: 'item_id', type: 'string', required: true };
const authorizationDays: Param = { name: 'authorization_days', type: 'integer' };

/** The creator's side of Spark Ads. */
export const endpoints: Endpoint[] = [
  {
    method: 'POST',
    path: 'business/post/authorize/setting',
    auth: 'token',
    scopes: [],
    params: [business, item, { name: 'is_ad_promotable', type: 'boolean', required: true }, authorizationDays],
    handle: setting,
  },
  {
    method: 'POST',
    path: 'business/post/authorize',
    auth: 'token',
    scopes: [],
    params: [business, item, authorizationDays],
    handle: extend,
  },
  {
    method: 'GET',
    path: 'business/post/authorize/status',
    auth: 'token',
    scopes: [],
    params: [business, item],
    handle: (call) => answer(call, postOf(call)),
  },
  {
    method: 'POST',
    path: 'business/post/authorize/delete',
    auth: 'token',
    scopes: [],
    params: [business, item],
    handle: remove,
  },
  {
    method: 'GET',
    path: 'business/video/list',
    auth: 'token',
    scopes: [],
    params: [
      business,
      { name: 'fields', type: 'array', items: { type: 'string' } },
      {
        name: 'filters',
        type: 'object',
        fields: [
          { name: 'video_ids', type: 'array', items: { type: 'string' } },
          { name: 'ad_post_only', type: 'boolean' },
        ],
      },
      { name: 'cursor', type: 'integer', min: 0 },
      { name: 'max_count', type: 'integer', min: 1, max: 20 },
    ],
    handle: videos,
  },
];

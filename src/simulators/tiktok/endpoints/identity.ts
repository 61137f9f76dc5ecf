import { hash32 } from '../../kit/random.ts';
import { postsFor } from '../identity-posts.ts';
import { page } from '../paging.ts';
import { advertiserId, advertiserIdOf, paging } from '../params.ts';
import type { Post } from '../posts.ts';
import { given, invalid, missing } from '../rules.ts';
import { creatorPosts } from '../spark.ts';
import { type Call, type Endpoint, type Native, type Param, TikTokError } from '../types.ts';

/** Identities: identity/{get,create,delete,info,video/get,video/info,live/get,music/authorization}. Facts: TikTok docs 1740218420781057, 1740654203526146, 1738958351620097. */

const TYPES = ['CUSTOMIZED_USER', 'TT_USER', 'BC_AUTH_TT', 'AUTH_CODE'];

const identityView = (origin: string) => (row: Native) => ({
  identity_id: row.id,
  identity_type: row['identity_type'],
  identity_authorized_bc_id: row['identity_authorized_bc_id'] ?? null,
  identity_authorized_shop_id: null,
  display_name: row['display_name'] ?? '',
  username: row['username'] ?? null,
  profile_image: row['profile_image'] ?? `${origin}/media/post/${row.id}.png`,
  available_status: row['available_status'] ?? 'AVAILABLE',
  can_push_video: row['can_push_video'] ?? false,
  can_pull_video: row['can_pull_video'] ?? false,
  can_use_live_ads: row['can_use_live_ads'] ?? false,
  can_manage_message: row['can_manage_message'] ?? false,
  ads_only_mode: row['ads_only_mode'] ?? false,
  is_gpppa: false,
  shop_id: null,
  is_running_custom_shop_ads: false,
  product_gmv_max_available: false,
  live_gmv_max_available: false,
  unavailable_reason: null,
});

function list(call: Call): unknown {
  const { world, params } = call;
  const type = params['identity_type'];
  const bc = params['identity_authorized_bc_id'];
  const keyword = (params['filtering'] as { keyword?: string } | undefined)?.keyword?.toLowerCase();
  if (keyword !== undefined && type !== undefined && type !== 'CUSTOMIZED_USER') {
    invalid('filtering.keyword: It can only be used for CUSTOMIZED_USER or without identity_type.');
  }
  const rows = world.identities
    .by('advertiser', advertiserIdOf(call))
    .filter((row) => type === undefined || row['identity_type'] === type)
    .filter((row) => bc === undefined || row['identity_authorized_bc_id'] === bc)
    .filter((row) => !keyword || String(row['display_name']).toLowerCase().includes(keyword));
  // The official example of this type answers everything at once, with zeros for the paging.
  if (type === 'BC_AUTH_TT') {
    return {
      identity_list: rows.map(identityView(call.origin)),
      page_info: { page: 0, page_size: 0, total_number: 0, total_page: 0 },
    };
  }
  const { list, page_info } = page(rows, { ...call, params: { page_size: 20, ...params } }, 100);
  return { identity_list: list.map(identityView(call.origin)), page_info };
}

function create(call: Call): unknown {
  const { world, params } = call;
  const advertiserId = advertiserIdOf(call);
  const image = world.images.get(String(params['image_uri']));
  if (image?.advertiser_id !== advertiserId) {
    throw new TikTokError(40905, `The image ${String(params['image_uri'])} does not exist.`);
  }
  if (image['width'] !== image['height']) invalid('image_uri: The aspect ratio of the image must be 1:1.');
  const id = world.nextId();
  world.identities.put({
    id,
    advertiser_id: advertiserId,
    identity_id: id,
    identity_type: 'CUSTOMIZED_USER',
    display_name: params['display_name'],
    profile_image: `${call.origin}/media/image/${image.id}`,
    available_status: 'AVAILABLE',
    create_time: world.stamp(call.now),
  });
  return { identity_id: id };
}

/** The identity a call names by id and type, or 40002 (which code TikTok uses here is unverified). */
function named(call: Call): Native {
  const { world, params } = call;
  const row = world.identities.get(String(params['identity_id']));
  if (!row || row.advertiser_id !== params['advertiser_id'] || row['identity_type'] !== params['identity_type']) {
    return invalid(`identity_id: The identity ${String(params['identity_id'])} does not exist.`);
  }
  if (row['identity_type'] === 'BC_AUTH_TT') {
    if (!given(params, 'identity_authorized_bc_id')) missing('identity_authorized_bc_id');
    if (row['identity_authorized_bc_id'] !== params['identity_authorized_bc_id']) {
      invalid(`identity_authorized_bc_id: The identity ${row.id} is not authorized to this Business Center.`);
    }
  }
  return row;
}

function remove(call: Call): unknown {
  const row = named({ ...call, params: { identity_type: 'CUSTOMIZED_USER', ...call.params } });
  // Linked accounts are unlinked by their owners, not by the advertiser (unverified).
  if (row['identity_type'] !== 'CUSTOMIZED_USER')
    invalid('identity_type: Only CUSTOMIZED_USER identities can be deleted.');
  call.world.identities.delete(row.id);
  return {};
}

/** The part of a post that says what its video is. Addresses of the pictures are the simulator's own. */
export const videoInfo = (origin: string, post: Post) => ({
  bit_rate: post.bit_rate,
  duration: post.duration,
  size: post.size,
  width: post.width,
  height: post.height,
  video_id: `v10033g5${post.item_id.slice(0, 12)}`,
  file_name: `${post.item_id}.mp4`,
  poster_url: `${origin}/media/post/${post.item_id}.png`,
  preview_url: `${origin}/media/post/${post.item_id}.mp4`,
  url: `${origin}/media/post/${post.item_id}.mp4`,
  signature: post.item_id.padStart(32, '0'),
  format: 'mp4',
});

/** The part of a post that says what its photos are. */
const carouselInfo = (origin: string, post: Post) => ({
  image_info: [1, 2, 3].map((n) => ({
    image_id: `ad-site-i18n-sg/${post.item_id}${n}`,
    image_url: `${origin}/media/post/${post.item_id}${n}.png`,
    image_width: post.width,
    image_height: post.height,
  })),
  music_info: [],
});

/** A post without its video and authorization, which some answers have beside it. */
export const itemInfo = (origin: string, post: Post, authCode: string | null) => ({
  item_id: post.item_id,
  item_type: post.item_type,
  text: post.text,
  status: post.status,
  auth_code: authCode,
  anchor_list: null,
  stitch_original_item_id: null,
  duet_original_item_id: null,
  is_multi_duet_stitch: false,
  mentioned_item_ids: [],
  exclude_adsonly: false,
  carousel_info: post.item_type === 'CAROUSEL' ? carouselInfo(origin, post) : null,
});

const postView = (origin: string, post: Post) => ({
  ...itemInfo(origin, post, null),
  video_info: post.item_type === 'VIDEO' ? videoInfo(origin, post) : null,
  auth_info: null,
});

function videos(call: Call): unknown {
  const { params } = call;
  const type = params['item_type'] ?? 'VIDEO';
  const keyword = String(params['keyword'] ?? '').toLowerCase();
  const posts = postsFor(call.world, named(call), call.now.getTime()).filter(
    (post) => post.item_type === type && post.text.toLowerCase().includes(keyword),
  );
  const cursor = String(params['cursor'] ?? '0');
  if (!/^\d+$/.test(cursor)) invalid('cursor: Not a valid cursor.');
  const from = Number(cursor);
  const to = from + Number(params['count'] ?? 10);
  return {
    video_list: posts.slice(from, to).map((post) => postView(call.origin, post)),
    has_more: to < posts.length,
    cursor: String(Math.min(to, posts.length)),
  };
}

function video(call: Call): unknown {
  const ids = (call.params['item_ids'] as string[] | undefined) ?? [];
  const id = call.params['item_id'];
  if (id === undefined && ids.length === 0) missing('item_id');
  const posts = postsFor(call.world, named(call), call.now.getTime());
  const find = (itemId: unknown) => {
    const post = posts.find((candidate) => candidate.item_id === itemId);
    return post ? postView(call.origin, post) : invalid(`item_id: The post ${String(itemId)} does not exist.`);
  };
  return id === undefined ? { video_details: ids.map(find) } : { video_detail: find(id) };
}

/** LIVE videos: the accounts of the simulator are never on air. */
function live(call: Call): unknown {
  named(call);
  return { cursor: String(call.params['cursor'] ?? '0'), has_more: false, live_list: [] };
}

/** What the music of a post may be used for. Posts of linked accounts: one in five lacks the authorization. */
function musicStatus(call: Call, itemId: string): string {
  const own = creatorPosts(call.world).get(itemId);
  if (own) return own.music;
  const draw = hash32('music', itemId) % 5;
  return draw === 0 ? 'AUTHORIZATION_MISSING' : draw === 1 ? 'WITH_FULL_AUTHORIZATION' : 'WITHOUT_SONG_ID';
}

/** Whether the music of a post may be used in ads. That `video_id` is the post's item_id is (unverified). */
function music(call: Call): unknown {
  const { params } = call;
  const post = postsFor(call.world, named(call), call.now.getTime()).find((one) => one.item_id === params['video_id']);
  if (!post) return invalid(`video_id: The post ${String(params['video_id'])} does not exist.`);
  const music_status = musicStatus(call, post.item_id);
  const song = {
    music_id: String(7_000_000_000_000_000_000n + BigInt(hash32('song', post.item_id))),
    author: 'Example Artist',
    title: 'Example Song',
    labels: ['Example Records'],
    lyricist: '',
    composer: '',
    publisher: '',
    authorization_type: music_status === 'WITH_FULL_AUTHORIZATION' ? 'AUTHORIZED' : 'NOT_AUTHORIZED',
  };
  const authorization_infos = music_status === 'WITHOUT_SONG_ID' ? [] : [song];
  return { music_authorization: [{ video_id: post.item_id, music_status, authorization_infos }] };
}

const identity: Param[] = [
  advertiserId,
  { name: 'identity_type', type: 'string', required: true, enum: TYPES },
  { name: 'identity_id', type: 'string', required: true },
  { name: 'identity_authorized_bc_id', type: 'string' },
];

/** The identity family. */
export const endpoints: Endpoint[] = [
  {
    method: 'GET',
    path: 'identity/get',
    auth: 'token',
    scopes: ['693'],
    sandbox: true,
    params: [
      advertiserId,
      { name: 'identity_type', type: 'string', enum: TYPES },
      { name: 'identity_authorized_bc_id', type: 'string' },
      { name: 'filtering', type: 'object', fields: [{ name: 'keyword', type: 'string' }] },
      ...paging,
    ],
    handle: list,
  },
  {
    method: 'POST',
    path: 'identity/create',
    auth: 'token',
    scopes: ['692'],
    sandbox: true,
    write: true,
    params: [
      advertiserId,
      { name: 'display_name', type: 'string', required: true, min: 1, max: 100 },
      { name: 'image_uri', type: 'string', required: true },
    ],
    handle: create,
  },
  {
    method: 'POST',
    path: 'identity/delete',
    auth: 'token',
    scopes: ['692', '7176842096345694209'],
    sandbox: true,
    write: true,
    params: [
      advertiserId,
      { name: 'identity_id', type: 'string', required: true },
      { name: 'identity_type', type: 'string', enum: TYPES },
    ],
    handle: remove,
  },
  {
    method: 'GET',
    path: 'identity/info',
    auth: 'token',
    scopes: ['693'],
    params: identity,
    handle: (call) => ({ identity_info: identityView(call.origin)(named(call)) }),
  },
  {
    method: 'GET',
    path: 'identity/video/get',
    auth: 'token',
    scopes: ['693'],
    params: [
      ...identity,
      { name: 'item_type', type: 'string', enum: ['VIDEO', 'CAROUSEL'] },
      { name: 'keyword', type: 'string' },
      { name: 'cursor', type: 'string' },
      { name: 'count', type: 'integer', min: 1, max: 20 },
    ],
    handle: videos,
  },
  {
    method: 'GET',
    path: 'identity/video/info',
    auth: 'token',
    scopes: ['693'],
    params: [
      ...identity,
      { name: 'item_id', type: 'string' },
      { name: 'item_ids', type: 'array', items: { type: 'string' }, min: 1, max: 20 },
    ],
    handle: video,
  },
  {
    method: 'GET',
    path: 'identity/live/get',
    auth: 'token',
    scopes: ['693'],
    params: [...identity, { name: 'cursor', type: 'string' }],
    handle: live,
  },
  {
    method: 'GET',
    path: 'identity/music/authorization',
    auth: 'token',
    scopes: ['693'],
    params: [
      ...identity,
      { name: 'video_id', type: 'string', required: true },
      { name: 'locations', type: 'array', items: { type: 'string' } },
      { name: 'start_time', type: 'string' },
      { name: 'end_time', type: 'string' },
    ],
    handle: music,
  },
];

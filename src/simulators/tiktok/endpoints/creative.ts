import { hash32 } from '../../kit/random.ts';
import { requireAdvertiser } from '../auth.ts';
import { fileById, filePart } from '../files.ts';
import { md5 } from '../media.ts';
import { ownMusic } from '../music.ts';
import { MUSIC } from '../music-table.ts';
import { page } from '../paging.ts';
import { advertiserId, advertiserIdOf, paging } from '../params.ts';
import { given, invalid } from '../rules.ts';
import type { Call, Endpoint, Native } from '../types.ts';

/**
 * Creative portfolios (call-to-action sets, cards), the music library and shared assets: creative/portfolio/{create,get,list,
 * delete}, file/music/{get,upload}, creative/asset/share.
 */

const portfolios = (call: Call) =>
  call.world.store.collection<Native>('portfolios', { advertiser: (row) => row.advertiser_id });

/** Portfolio kinds (yml creative_portfolio_create). */
const TYPES =
  'CARD COUNTDOWN_STICKER CTA DESTINATION_CARD DOWNLOAD_CARD DYNAMIC_ADD_ON FLIGHT_CARD GESTURE GIFTCODE_STICKER HOTEL_CARD INVENTORY_CARD LIVE_REMINDER_COUNTDOWN_STICKER MEDIA_CARD NON_CLICK_SUPER_LIKE PREMIUM_BADGE PRODUCT_CARD PRODUCT_INFO_CARD PRODUCT_SHOWCASE_TILE PRODUCT_TILE REMINDER_COUNTDOWN_STICKER SHAKE_SURPRISE SHOPIFY_PRODUCT_CARD STICKER SUPER_LIKE WEB_INFO_CARD'.split(
    ' ',
  );

function create(call: Call): unknown {
  const id = call.world.nextId();
  portfolios(call).put({
    id,
    advertiser_id: advertiserIdOf(call),
    creative_portfolio_type: call.params['creative_portfolio_type'] ?? 'CTA',
    portfolio_content: call.params['portfolio_content'],
  });
  return { creative_portfolio_id: id };
}

const view = (row: Native) => ({
  creative_portfolio_id: row.id,
  creative_portfolio_type: row['creative_portfolio_type'],
  portfolio_content: row['portfolio_content'],
});

function get(call: Call): unknown {
  const row = portfolios(call).get(String(call.params['creative_portfolio_id']));
  if (row?.advertiser_id !== advertiserIdOf(call)) {
    return invalid(
      `creative_portfolio_id: The portfolio ${String(call.params['creative_portfolio_id'])} does not exist.`,
    );
  }
  return view(row);
}

function list(call: Call): unknown {
  const filter = (call.params['filtering'] ?? {}) as {
    creative_portfolio_ids?: string[];
    creative_portfolio_types?: string[];
  };
  const rows = portfolios(call)
    .by('advertiser', advertiserIdOf(call))
    .filter((row) => !filter.creative_portfolio_ids || filter.creative_portfolio_ids.includes(row.id))
    .filter(
      (row) =>
        !filter.creative_portfolio_types ||
        filter.creative_portfolio_types.includes(String(row['creative_portfolio_type'])),
    );
  const found = page(rows.toReversed(), { ...call, params: { page_size: 20, ...call.params } }, 100);
  return { creative_portfolios: found.list.map(listView), page_info: found.page_info };
}

/** In the list the members of the content stand beside the id (yml creative_portfolio_list). */
function listView(row: Native): Record<string, unknown> {
  const content = (row['portfolio_content'] as Record<string, unknown>[] | undefined)?.[0] ?? {};
  return {
    creative_portfolio_id: row.id,
    creative_portfolio_type: row['creative_portfolio_type'],
    // No preview picture is made, and nulls are dropped here (yml: pop_resp_nullvalue).
    ...content,
  };
}

function music(call: Call): unknown {
  const filter = (call.params['filtering'] ?? {}) as { keyword?: string; music_ids?: string[]; styles?: string[] };
  const keyword = filter.keyword?.toLowerCase();
  const rows = MUSIC.filter(([id]) => !given(filter, 'music_ids') || filter.music_ids!.includes(id))
    .filter(([, title, author]) => !keyword || `${title} ${author}`.toLowerCase().includes(keyword))
    .filter(([, , , style]) => !given(filter, 'styles') || filter.styles!.includes(style));
  const own = ownMusic(call.world)
    .by('advertiser', advertiserIdOf(call))
    .filter((row) => !given(filter, 'music_ids') || filter.music_ids!.includes(row.id))
    .filter((row) => !keyword || String(row['file_name']).toLowerCase().includes(keyword))
    .map((row) => musicView(call, row));
  const library = rows.map(([music_id, file_name, author, style, duration]) => ({
    music_id,
    material_id: `7${music_id.slice(1)}`,
    sources: ['SYSTEM'],
    author,
    liked: false,
    cover_url: `${call.origin}/media/post/${music_id}.png`,
    url: `${call.origin}/media/post/${music_id}.mp4`,
    duration,
    style,
    signature: hash32('music', music_id).toString(16).padStart(32, '0'),
    file_name,
    copyright: 'Commercial Music Library',
    create_time: '2025-01-01 00:00:00',
    modify_time: '2025-01-01 00:00:00',
  }));
  const { list: musics, page_info } = page(
    [...own.reverse(), ...library],
    { ...call, params: { page_size: 20, ...call.params } },
    100,
  );
  return { musics, page_info };
}

/** Music that an advertiser brought, as file/music/get shows it. */
const musicView = (call: Call, row: Native) => ({
  music_id: row.id,
  material_id: row['material_id'],
  sources: ['USER'],
  author: '',
  liked: false,
  cover_url: `${call.origin}/media/post/${row.id}.png`,
  url: `${call.origin}/media/post/${row.id}.mp4`,
  duration: row['duration'],
  style: '',
  signature: row['signature'],
  file_name: row['file_name'],
  copyright: '',
  create_time: row['create_time'],
  modify_time: row['create_time'],
});

/** The length is taken from the size, as of music with 128 kbit/s: no decoder is at hand. */
const BYTES_PER_SECOND = 16_000;

function uploadMusic(call: Call): unknown {
  const { world, params } = call;
  const source =
    params['upload_type'] === 'UPLOAD_BY_FILE_ID'
      ? fileById(call, advertiserIdOf(call))
      : filePart(call, 'music_file', 'music_signature');
  const id = world.nextId();
  const row: Native = {
    id,
    advertiser_id: advertiserIdOf(call),
    material_id: world.nextId(),
    file_name: params['file_name'] ?? source.name,
    duration: Math.max(1, Math.round(source.bytes.length / BYTES_PER_SECOND)),
    signature: md5(source.bytes),
    create_time: world.stamp(call.now),
  };
  ownMusic(world).put(row);
  return musicView(call, row);
}

function removePortfolios(call: Call): unknown {
  const ids = call.params['creative_portfolio_ids'] as string[];
  const strange = ids.find((id) => portfolios(call).get(id)?.advertiser_id !== advertiserIdOf(call));
  if (strange !== undefined) invalid(`creative_portfolio_ids: The portfolio ${strange} does not exist.`);
  for (const id of ids) portfolios(call).delete(id);
  return {};
}

/** Copies pictures and videos to other ad accounts of the caller; what could not be shared is named (its form is unverified). */
function share(call: Call): unknown {
  const { world, params } = call;
  const from = advertiserIdOf(call);
  const kind = params['asset_type'] ?? 'VIDEO';
  if (kind === 'MUSIC') invalid('asset_type: Music cannot be shared.');
  const rows = kind === 'IMAGE' ? world.images : world.videos;
  const failed: Record<string, string[]> = {};
  const targets = params['shared_advertiser_ids'] as string[];
  for (const target of targets) requireAdvertiser(call, target, true);
  for (const materialId of params['material_ids'] as string[]) {
    const row = rows.by('advertiser', from).find((one) => one['material_id'] === materialId);
    if (!row) {
      failed[materialId] = targets;
      continue;
    }
    for (const target of targets) {
      const id = `${row.id}${hash32('shared', row.id, target).toString(16)}`;
      rows.put({ ...row, id, advertiser_id: target, material_id: world.nextId() });
    }
  }
  return { failed_infos: failed };
}

/** Portfolios and music. */
export const endpoints: Endpoint[] = [
  {
    method: 'POST',
    path: 'creative/portfolio/create',
    auth: 'token',
    write: true,
    params: [
      advertiserId,
      { name: 'creative_portfolio_type', type: 'string', enum: TYPES },
      { name: 'portfolio_content', type: 'array', required: true, min: 1, items: { type: 'object' } },
    ],
    handle: create,
  },
  {
    method: 'GET',
    path: 'creative/portfolio/get',
    auth: 'token',
    params: [advertiserId, { name: 'creative_portfolio_id', type: 'string', required: true }],
    handle: get,
  },
  {
    method: 'GET',
    path: 'creative/portfolio/list',
    auth: 'token',
    params: [
      advertiserId,
      {
        name: 'filtering',
        type: 'object',
        fields: [
          { name: 'creative_portfolio_ids', type: 'array', items: { type: 'string' } },
          { name: 'creative_portfolio_types', type: 'array', items: { type: 'string', enum: TYPES } },
        ],
      },
      ...paging,
    ],
    handle: list,
  },
  {
    method: 'GET',
    path: 'file/music/get',
    auth: 'token',
    scopes: ['630'],
    params: [
      advertiserId,
      { name: 'music_scene', type: 'string', enum: ['CREATIVE_ASSET', 'CAROUSEL_ADS', 'CATALOG_CAROUSEL'] },
      { name: 'search_type', type: 'string' },
      { name: 'filtering', type: 'object' },
      ...paging,
    ],
    handle: music,
  },
  {
    method: 'POST',
    path: 'creative/portfolio/delete',
    auth: 'token',
    write: true,
    params: [
      advertiserId,
      { name: 'creative_portfolio_ids', type: 'array', required: true, min: 1, items: { type: 'string' } },
    ],
    handle: removePortfolios,
  },
  {
    method: 'POST',
    path: 'file/music/upload',
    auth: 'token',
    scopes: ['631'],
    write: true,
    params: [
      advertiserId,
      { name: 'music_scene', type: 'string', enum: ['CREATIVE_ASSET', 'CAROUSEL_ADS', 'CATALOG_CAROUSEL'] },
      { name: 'upload_type', type: 'string', enum: ['UPLOAD_BY_FILE', 'UPLOAD_BY_FILE_ID'] },
      { name: 'music_signature', type: 'string' },
      { name: 'file_name', type: 'string', min: 1, max: 100 },
      { name: 'file_id', type: 'string' },
    ],
    handle: uploadMusic,
  },
  {
    method: 'POST',
    path: 'creative/asset/share',
    auth: 'token',
    write: true,
    params: [
      advertiserId,
      { name: 'asset_type', type: 'string', enum: ['VIDEO', 'IMAGE', 'MUSIC'] },
      {
        name: 'material_ids',
        type: 'array',
        required: true,
        min: 1,
        max: 20,
        items: { type: 'string', numeric: true },
      },
      {
        name: 'shared_advertiser_ids',
        type: 'array',
        required: true,
        min: 1,
        max: 10,
        items: { type: 'string', numeric: true },
      },
    ],
    handle: share,
  },
];

import { page } from '../paging.ts';
import { paging } from '../params.ts';
import { given } from '../rules.ts';
import type { Call, Endpoint, Native } from '../types.ts';
import { requireBcMember } from './bc-access.ts';
import { formsOf } from './lead.ts';

/** Reads of catalogs and instant pages: catalog/get (yml catalog_get), page/get. */

function catalogs(call: Call): unknown {
  const { world, params } = call;
  const bc = requireBcMember(call, String(params['bc_id']));
  const rows = [...world.catalogs.values()]
    .filter((row) => row['bc_id'] === bc.id)
    .filter((row) => !given(params, 'catalog_id') || row.id === params['catalog_id']);
  const { list, page_info } = page(rows, call, 1000);
  return {
    list: list.map((row) => ({
      catalog_id: row.id,
      catalog_name: row['catalog_name'],
      catalog_type: row['catalog_type'] ?? 'ECOM',
      ad_creation_eligible: row['ad_creation_eligible'] ?? 'AVAILABLE',
      catalog_conf: row['catalog_conf'],
      ...(row['creative_asset_type'] === undefined ? {} : { creative_asset_type: row['creative_asset_type'] }),
      bc_info: { bc_id: bc.id, bc_name: bc.name, picture_url: '' },
      create_time: row['create_time'],
      update_time: row['modify_time'] ?? row['create_time'],
    })),
    page_info,
  };
}

const pageView = (origin: string) => (row: Native) => ({
  page_id: row.id,
  title: row['title'],
  status: row['status'] ?? 'PUBLISHED',
  business_type: row['business_type'] ?? 'LEAD_GEN',
  create_time: row['create_time'],
  update_time: row['modify_time'] ?? row['create_time'],
  publish_time: row['publish_time'] ?? row['create_time'],
  preview_url: `${origin}/media/post/${row.id}.png`,
  thumbnail: `${origin}/media/post/${row.id}.png`,
  template_id: null,
  template_name: null,
  app_id: null,
  has_cpp: false,
  destination_urls: [],
  messaging_app_type: null,
  messaging_app_account_id: null,
  transfer_status: row['transfer_status'] ?? null,
  user_id: null,
  is_associated: false,
  duplicate_id: null,
  supported_objectives: row['supported_objectives'] ?? ['LEAD_GENERATION'],
});

function pages(call: Call): unknown {
  const { params } = call;
  const types =
    (params['business_types'] as string[] | undefined) ??
    (given(params, 'business_type') ? [String(params['business_type'])] : undefined);
  const range = params['update_time_range'] as { start?: string; end?: string } | undefined;
  const title = String(params['title'] ?? '').toLowerCase();
  const rows = formsOf(call)
    .filter((row) => !types || types.includes(String(row['business_type'] ?? 'LEAD_GEN')))
    .filter((row) => !given(params, 'page_status') || (row['status'] ?? 'PUBLISHED') === params['page_status'])
    .filter((row) => String(row['title']).toLowerCase().includes(title))
    .filter((row) => !range?.start || String(row['modify_time'] ?? row['create_time']) >= range.start)
    .filter((row) => !range?.end || String(row['modify_time'] ?? row['create_time']) <= range.end);
  const { list, page_info } = page(rows.toReversed(), call, 100);
  return { list: list.map(pageView(call.origin)), page_info };
}

const BUSINESS_TYPES = [
  'LEAD_GEN',
  'STORE_FRONT',
  'APP_PROFILE_PAGE',
  'TIKTOK_INSTANT_PAGE',
  'SHOP_ADS_PLP',
  'SHOP_ADS_PDP',
  'POP_UP_FORM',
];

/** Reads of catalogs and instant pages. */
export const endpoints: Endpoint[] = [
  {
    method: 'GET',
    path: 'catalog/get',
    auth: 'token',
    params: [{ name: 'bc_id', type: 'string', required: true }, { name: 'catalog_id', type: 'string' }, ...paging],
    handle: catalogs,
  },
  {
    method: 'GET',
    path: 'page/get',
    auth: 'token',
    scopes: ['680'],
    params: [
      { name: 'advertiser_id', type: 'string' },
      { name: 'library_id', type: 'string' },
      { name: 'page_status', type: 'string', enum: ['DRAFT', 'READY', 'EDITED', 'PUBLISHED'] },
      { name: 'title', type: 'string' },
      {
        name: 'update_time_range',
        type: 'object',
        fields: [
          { name: 'start', type: 'string' },
          { name: 'end', type: 'string' },
        ],
      },
      { name: 'business_type', type: 'string', enum: BUSINESS_TYPES },
      { name: 'business_types', type: 'array', items: { type: 'string', enum: BUSINESS_TYPES } },
      ...paging,
    ],
    handle: pages,
  },
];

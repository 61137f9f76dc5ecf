import { hash32 } from '../../kit/random.ts';
import {
  audit,
  CATALOG,
  catalogOf,
  get,
  KEYS,
  ofCatalog,
  post,
  productsOf,
  type Row,
  strings,
  UPLOAD_MS,
} from '../catalogs.ts';
import { page } from '../paging.ts';
import { invalid, missing } from '../rules.ts';
import { type Call, type Endpoint, type Native, type Param, TikTokError } from '../types.ts';
import { id, paging, text } from './bc-access.ts';

/** Products and feeds of catalogs: catalog/product/*, catalog/feed/*. Facts: official yml catalog_*; the members of products from an independent transcription. */

type Values = Record<string, unknown>;

/** What a product must have (TikTok's product parameters for ECOM). */
const REQUIRED = ['sku_id', 'title', 'availability', 'image_url'];

interface UploadResult {
  added: number;
  updated: number;
  removed: number;
  errors: { index: number; product: Values; field: string }[];
}

/** Puts products into a catalog and writes the log of the upload. @returns feed_log_id */
function upload(call: Call, catalog: Native, products: readonly Values[], mode: string, feedId?: string): string {
  const { world } = call;
  const rows = ofCatalog(world, 'products');
  const result: UploadResult = { added: 0, updated: 0, removed: 0, errors: [] };
  const done = call.now.getTime() + UPLOAD_MS;
  const seen = new Set<string>();
  for (const [index, product] of products.entries()) {
    const field = REQUIRED.find((name) => text(product[name]) === undefined);
    if (field !== undefined) {
      result.errors.push({ index, product, field });
      continue;
    }
    const rowId = `${catalog.id}:${String(product['sku_id'])}`;
    const before = rows.get(rowId);
    seen.add(rowId);
    if (before) result.updated++;
    else result.added++;
    rows.put({
      ...before,
      ...product,
      id: rowId,
      advertiser_id: '',
      catalog_id: catalog.id,
      product_id: before?.['product_id'] ?? world.nextId(),
      _from: before?.['_from'] ?? done,
    });
  }
  if (mode === 'OVERWRITE') {
    for (const row of [...rows.by('catalog', catalog.id)]) {
      if (seen.has(row.id)) continue;
      rows.delete(row.id);
      result.removed++;
    }
  }
  return writeLog(call, catalog, result, mode, feedId);
}

function writeLog(call: Call, catalog: Native, result: UploadResult, mode: string, feedId?: string): string {
  const logId = call.world.nextId();
  ofCatalog(call.world, 'logs').put({
    id: logId,
    advertiser_id: '',
    catalog_id: catalog.id,
    feed_id: feedId ?? '',
    mode,
    started: call.now.getTime(),
    ...result,
  });
  return logId;
}

function uploadProducts(call: Call): unknown {
  const catalog = catalogOf(call, true);
  const feed = text(call.params['feed_id']);
  if (feed !== undefined) feedOf(call, catalog, feed);
  return { feed_log_id: upload(call, catalog, call.params['products'] as Values[], 'INCREMENTAL', feed) };
}

/** A file is not fetched: what it would hold is made from its address, ten products (simulator's own). */
function uploadFile(call: Call): unknown {
  const catalog = catalogOf(call, true);
  const url = String(call.params['file_url']);
  if (!/^https?:/.test(URL.parse(url)?.protocol ?? '')) invalid('file_url: Not a valid URL.');
  const products = Array.from({ length: 10 }, (_, i) => ({
    sku_id: `SKU-${hash32(url, i)}`,
    title: `Product ${i + 1} of ${url.split('/').at(-1)}`,
    description: 'From a product file',
    availability: 'IN_STOCK',
    image_url: `${url}#${i + 1}.png`,
    link: `https://shop.example/products/${i + 1}`,
  }));
  const feed = call.params['feed_id'] === undefined ? undefined : String(call.params['feed_id']);
  return { feed_log_id: upload(call, catalog, products, String(call.params['update_mode'] ?? 'INCREMENTAL'), feed) };
}

function deleteProducts(call: Call): unknown {
  const catalog = catalogOf(call, true);
  const ids = KEYS.flatMap((name) => (call.params[name] ?? []) as string[]);
  if (ids.length === 0) missing('sku_ids');
  const rows = ofCatalog(call.world, 'products');
  let removed = 0;
  for (const one of ids) {
    if (!rows.get(`${catalog.id}:${one}`)) continue;
    rows.delete(`${catalog.id}:${one}`);
    removed++;
  }
  return { feed_log_id: writeLog(call, catalog, { added: 0, updated: 0, removed, errors: [] }, 'INCREMENTAL') };
}

function updateProducts(call: Call): unknown {
  const catalog = catalogOf(call, true);
  const rows = ofCatalog(call.world, 'products');
  const products = (call.params['products'] as Values[]).map((product) => ({
    ...rows.get(`${catalog.id}:${String(product['sku_id'])}`),
    ...product,
  }));
  return { feed_log_id: upload(call, catalog, products, 'INCREMENTAL') };
}

const productView = ({ id: _id, advertiser_id: _a, _from, ...row }: Row) => ({
  ...row,
  audit: { audit_status: audit(row as Row), reject_info: [] },
  ad_creation_eligible: audit(row as Row) === 'approved' ? 'AVAILABLE' : 'NOT_AVAILABLE',
  active_status: 'ACTIVATED',
});

function products(call: Call): unknown {
  const catalog = catalogOf(call);
  const rows = productsOf(call, catalog.id);
  const { list, page_info } = page(rows, call, 500);
  return { products: list.map(productView), page_info };
}

/** The log of one upload: counts are known when it is over. */
function productLog(call: Call): unknown {
  const catalog = catalogOf(call);
  const row = ofCatalog(call.world, 'logs').get(String(call.params['feed_log_id']));
  if (row?.catalog_id !== catalog.id) {
    throw new TikTokError(40007, `The feed log ${String(call.params['feed_log_id'])} does not exist.`);
  }
  const done = call.now.getTime() >= Number(row['started']) + UPLOAD_MS;
  const errors = row['errors'] as UploadResult['errors'];
  const at = (ms: number) => call.world.stamp(new Date(ms));
  return {
    product_feed_log: {
      catalog_id: catalog.id,
      feed_id: row['feed_id'],
      add_count: done ? row['added'] : 0,
      update_count: done ? row['updated'] : 0,
      delete_count: done ? row['removed'] : 0,
      error_count: done ? errors.length : 0,
      warn_count: 0,
      process_status: done ? 'SUCCESS' : 'PROCESSING',
      update_mode: row['mode'] === 'OVERWRITE' ? 'REPLACE' : 'INCREASE',
      start_time: at(Number(row['started'])),
      end_time: done ? at(Number(row['started']) + UPLOAD_MS) : '',
      feed_log_data: {
        download_path: {},
        error_affected_products: (done ? errors : []).map(({ index, product, field }) => ({
          affected_product_count: 1,
          affected_product_item_list: [affected(index, product)],
          field,
          issue: `${field} is missing.`,
          suggestion: `Add ${field}.`,
        })),
        warn_affected_products: [],
      },
    },
  };
}

const affected = (index: number, product: Values): Values => ({
  index,
  sku_id: product['sku_id'] ?? '',
  title: product['title'] ?? '',
  ...Object.fromEntries(
    ['airline_company', 'brand', 'description', 'flight_id', 'home_listing_id', 'hotel_id', 'make', 'media_title_id']
      .concat('name', 'product_url', 'series_id', 'value', 'vehicle_id')
      .map((name) => [name, String(product[name] ?? '')]),
  ),
});

function feedOf(call: Call, catalog: Native, feedId: unknown): Row {
  const row = ofCatalog(call.world, 'feeds').get(String(feedId));
  if (row?.catalog_id !== catalog.id) throw new TikTokError(40007, `The feed ${String(feedId)} does not exist.`);
  return row;
}

/** A feed as answered. A password is never given back. */
function feedView(call: Call, row: Row): Values {
  const schedule = (row['schedule_param'] ?? {}) as Values;
  const { password: _secret, ...source } = (schedule['source'] ?? {}) as Values;
  return {
    feed_id: row.id,
    feed_name: row['feed_name'],
    status: row['status'],
    last_update_param: { ...schedule, source },
    next_update_time: row['status'] === 'ON' ? call.world.stamp(new Date(call.now.getTime() + 86_400_000)) : '',
    number_of_products: productsOf(call, row.catalog_id).length,
  };
}

function putFeed(call: Call): unknown {
  const { world, params } = call;
  const catalog = catalogOf(call, true);
  const before = params['feed_id'] === undefined ? undefined : feedOf(call, catalog, params['feed_id']);
  const row: Row = {
    status: 'ON',
    ...before,
    id: before?.id ?? world.nextId(),
    advertiser_id: '',
    catalog_id: catalog.id,
    feed_name: params['feed_name'],
    update_mode: params['update_mode'],
    schedule_param: params['schedule_param'] ?? before?.['schedule_param'] ?? {},
  };
  ofCatalog(world, 'feeds').put(row);
  return feedView(call, row);
}

const objects = (name: string): Param => ({
  name,
  type: 'array',
  required: true,
  min: 1,
  max: 5_000,
  items: { type: 'object' },
});
const FEED: readonly Param[] = [
  ...CATALOG,
  { name: 'feed_name', type: 'string', required: true },
  { name: 'update_mode', type: 'string', required: true, enum: ['INCREMENTAL', 'OVERWRITE'] },
  { name: 'schedule_param', type: 'object' },
];

/** Products and feeds. */
export const endpoints: Endpoint[] = [
  post('product/upload', [...CATALOG, id('feed_id', false), objects('products')], uploadProducts),
  post(
    'product/file',
    [
      ...CATALOG,
      { name: 'feed_id', type: 'integer' },
      { name: 'file_url', type: 'string', required: true },
      { name: 'update_mode', type: 'string', enum: ['INCREMENTAL', 'OVERWRITE'] },
    ],
    uploadFile,
  ),
  post('product/update', [...CATALOG, objects('products')], updateProducts),
  post('product/delete', [...CATALOG, id('feed_id', false), ...KEYS.map((key) => strings(key))], deleteProducts),
  get('product/get', [...CATALOG, ...paging], products),
  get('product/log', [...CATALOG, id('feed_log_id')], productLog),
  post('feed/create', FEED, (call) => putFeed({ ...call, params: { ...call.params, feed_id: undefined } })),
  post('feed/update', [...FEED, id('feed_id')], putFeed),
  post('feed/delete', [...CATALOG, id('feed_id')], (call) => {
    const row = feedOf(call, catalogOf(call, true), call.params['feed_id']);
    ofCatalog(call.world, 'feeds').delete(row.id);
    return { feed_id: row.id };
  }),
  post(
    'feed/switch',
    [...CATALOG, id('feed_id'), { name: 'status', type: 'string', required: true, enum: ['ON', 'OFF'] }],
    (call) => {
      const row = feedOf(call, catalogOf(call, true), call.params['feed_id']);
      ofCatalog(call.world, 'feeds').put({ ...row, status: call.params['status'] });
      return {};
    },
  ),
  get('feed/get', [...CATALOG, id('feed_id', false)], (call) => {
    const catalog = catalogOf(call);
    const only = text(call.params['feed_id']);
    const rows = ofCatalog(call.world, 'feeds').by('catalog', catalog.id);
    return { feed_list: rows.filter((row) => !only || row.id === only).map((row) => feedView(call, row)) };
  }),
  get('feed/log', [...CATALOG, id('feed_id')], (call) => {
    const feed = feedOf(call, catalogOf(call), call.params['feed_id']);
    const logs = ofCatalog(call.world, 'logs')
      .by('catalog', feed.catalog_id)
      .filter((row) => row['feed_id'] === feed.id && call.now.getTime() >= Number(row['started']) + UPLOAD_MS)
      .slice(-10);
    return {
      feed_logs: logs.map((row) => ({
        update_status: {
          add_count: row['added'],
          error_count: (row['errors'] as unknown[]).length,
          remove_count: row['removed'],
          process_status: 'SUCCESS',
          update_count: row['updated'],
          warn_count: 0,
        },
        update_time: {
          start_time: call.world.stamp(new Date(Number(row['started']))),
          end_time: call.world.stamp(new Date(Number(row['started']) + UPLOAD_MS)),
        },
      })),
    };
  }),
];

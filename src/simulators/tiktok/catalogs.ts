/**
 * Catalogs of Business Centers, their products, and the parameters that all catalog endpoints share. Facts: official yml catalog_*; the members of products from an independent transcription. Uploads
 * are worked off on the virtual clock. Codes of refusals are (unverified).
 */
import { bcOf, id } from './endpoints/bc-access.ts';
import { type Call, type Endpoint, type Native, type Param, TikTokError, type World } from './types.ts';

/** How long an upload of products is under way, in ms. */
export const UPLOAD_MS = 10_000;
/** Which list of ids a kind of catalog deletes by. */
export const KEYS = [
  'sku_ids',
  'hotel_ids',
  'flight_ids',
  'destination_ids',
  'media_title_ids',
  'vehicle_ids',
  'series_ids',
];

/** A row of a catalog's own collections: products, feeds, sets, upload logs. */
export type Row = Native & { catalog_id: string };

/** One kind of a catalog's rows. */
export const ofCatalog = (world: World, name: string) =>
  world.store.collection<Row>(`catalog_${name}`, { catalog: (row: Row) => row.catalog_id });

/** The catalog that a call names, of the Business Center it names. Writes are for administrators. */
export function catalogOf(call: Call, write = false): Native {
  const bc = bcOf(call, write);
  const row = call.world.catalogs.get(String(call.params['catalog_id']));
  if (row?.['bc_id'] !== bc.id || row['_deleted'] === true) {
    throw new TikTokError(40007, `The catalog ${String(call.params['catalog_id'])} does not exist.`);
  }
  return row;
}

/** Products that are there at `now`; what an upload brings shows when the upload is over. */
export const productsOf = (call: Call, catalogId: string): Row[] =>
  ofCatalog(call.world, 'products')
    .by('catalog', catalogId)
    .filter((row) => Number(row['_from']) <= call.now.getTime());

/** Audit of a product: a title with the reject mark is refused, the others pass. */
export const audit = (row: Row): string => (String(row['title']).includes('[reject]') ? 'rejected' : 'approved');

const catalogId = id('catalog_id');
/** The Business Center and the catalog of a call. */
export const CATALOG: readonly Param[] = [id('bc_id'), catalogId];
/** A list of texts. */
export const strings = (name: string, more: Partial<Param> = {}): Param => ({
  name,
  type: 'array',
  items: { type: 'string' },
  ...more,
});
/** A read of the catalog family. */
export const get = (path: string, params: readonly Param[], handle: Endpoint['handle']): Endpoint => ({
  method: 'GET',
  path: `catalog/${path}`,
  auth: 'token',
  params,
  handle,
});
/** A write of the catalog family. */
export const post = (path: string, params: readonly Param[], handle: Endpoint['handle']): Endpoint => ({
  method: 'POST',
  path: `catalog/${path}`,
  auth: 'token',
  params,
  handle,
});

import { audit, CATALOG, catalogOf, get, ofCatalog, post, productsOf } from '../catalogs.ts';
import { invalid } from '../rules.ts';
import { type Call, type Endpoint, type Param, TikTokError } from '../types.ts';
import { bcOf, id, text } from './bc-access.ts';

/** Catalogs: catalog/{create,update,delete,overview,eventsource/*,…}; catalog/get is in `catalog-page.ts`. Facts: official yml catalog_*; the members of products from an independent transcription. */

type Values = Record<string, unknown>;

const TYPES = ['ECOM', 'HOTEL', 'FLIGHT', 'DESTINATION', 'ENTERTAINMENT', 'AUTO', 'MINI_SERIES'];

function create(call: Call): unknown {
  const { world, params } = call;
  const bc = bcOf(call, true);
  const conf = params['catalog_conf'] as Values;
  if (!/^[A-Z]{3}$/.test(String(conf['currency']))) invalid('catalog_conf.currency: Not a valid currency.');
  const catalogId = world.nextId();
  const at = world.stamp(call.now);
  world.catalogs.put({
    id: catalogId,
    advertiser_id: '',
    catalog_id: catalogId,
    bc_id: bc.id,
    catalog_name: params['name'],
    catalog_type: params['catalog_type'],
    catalog_conf: { channel: '', country: conf['region_code'] ?? '', ...conf },
    create_time: at,
    modify_time: at,
  });
  return { catalog_id: catalogId };
}

function change(call: Call, patch: Values): unknown {
  const row = catalogOf(call, true);
  call.world.catalogs.put({ ...row, ...patch, modify_time: call.world.stamp(call.now) });
  return { catalog_id: row.id };
}

function remove(call: Call): unknown {
  const row = catalogOf(call, true);
  const used = [...call.world.adgroups.values()].some(
    (adgroup) => adgroup['catalog_id'] === row.id && adgroup['operation_status'] !== 'DELETE',
  );
  if (used) invalid(`The catalog ${row.id} is used by ad groups and cannot be deleted.`);
  call.world.catalogs.delete(row.id);
  return { catalog_id: row.id };
}

function overview(call: Call): unknown {
  const catalog = catalogOf(call);
  const all = ofCatalog(call.world, 'products').by('catalog', catalog.id);
  const there = productsOf(call, catalog.id);
  const approved = there.filter((row) => audit(row) === 'approved').length;
  return { approved, rejected: there.length - approved, processing: all.length - there.length };
}

/** Binds a pixel or an app of an ad account to the catalog, or frees it. */
function bind(call: Call, on: boolean): unknown {
  const { world, params } = call;
  const catalog = catalogOf(call);
  const pixel = text(params['pixel_code']);
  const app = text(params['app_id']);
  if ((pixel === undefined) === (app === undefined)) invalid('Exactly one of pixel_code and app_id is required.');
  const row =
    pixel === undefined
      ? world.mobileApps.get(app!)
      : world.pixels.by('advertiser', String(params['advertiser_id'])).find((one) => one['pixel_code'] === pixel);
  if (!row || row.advertiser_id !== params['advertiser_id']) {
    throw new TikTokError(40007, `The event source ${pixel ?? app} does not exist.`);
  }
  const bound = ((catalog['_event_sources'] ?? []) as Values[]).filter(
    (one) => one['pixel_code'] !== (pixel ?? null) || one['app_id'] !== (app ?? null),
  );
  const name = String(row['pixel_name'] ?? row['app_name'] ?? row.id);
  if (on) bound.push({ event_source_name: name, pixel_code: pixel ?? null, app_id: app ?? null });
  world.catalogs.put({ ...catalog, _event_sources: bound });
  return {};
}

const advertiser = id('advertiser_id');
const name: Param = { name: 'name', type: 'string', required: true, min: 1, max: 100 };

/** Catalogs and their event sources. */
export const endpoints: Endpoint[] = [
  post(
    'create',
    [
      id('bc_id'),
      name,
      { name: 'catalog_type', type: 'string', required: true, enum: TYPES },
      {
        name: 'catalog_conf',
        type: 'object',
        required: true,
        fields: [
          { name: 'currency', type: 'string', required: true },
          { name: 'region_code', type: 'string' },
        ],
      },
    ],
    create,
  ),
  post('update', [...CATALOG, name], (call) => change(call, { catalog_name: call.params['name'] })),
  post('delete', CATALOG, remove),
  get('overview', CATALOG, overview),
  post(
    'eventsource/bind',
    [advertiser, ...CATALOG, { name: 'pixel_code', type: 'string' }, { name: 'app_id', type: 'string' }],
    (call) => bind(call, true),
  ),
  post(
    'eventsource/unbind',
    [advertiser, ...CATALOG, { name: 'pixel_code', type: 'string' }, { name: 'app_id', type: 'string' }],
    (call) => bind(call, false),
  ),
  get('eventsource_bind/get', CATALOG, (call) => {
    const row = catalogOf(call);
    return { catalog_id: row.id, event_sources: row['_event_sources'] ?? [] };
  }),
  get('available_country/get', [id('bc_id')], (call) => {
    bcOf(call);
    return { region_codes: ['US', 'CA', 'GB', 'DE', 'FR', 'ES', 'IT', 'JP', 'AU', 'BR', 'MX', 'ID', 'TH', 'VN'] };
  }),
  get('location_currency/get', [], () => ({
    list: [
      { region_code: 'US', currency: 'USD' },
      { region_code: 'GB', currency: 'GBP' },
      { region_code: 'DE', currency: 'EUR' },
      { region_code: 'JP', currency: 'JPY' },
      { region_code: 'AU', currency: 'AUD' },
    ],
  })),
];

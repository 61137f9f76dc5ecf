import { CATALOG, catalogOf, get, ofCatalog, post, productsOf, type Row, strings } from '../catalogs.ts';
import { page } from '../paging.ts';
import { type Call, type Endpoint, type Native, TikTokError } from '../types.ts';
import { id, paging, text } from './bc-access.ts';

/** Product sets of catalogs: catalog/set/*. Facts: official yml catalog_*; the members of products from an independent transcription. */

type Values = Record<string, unknown>;

/** Sets: conditions are kept, and all products that meet the ones on text members count. */
function inSet(call: Call, set: Row): Row[] {
  const conditions = (set['conditions'] ?? {}) as Record<string, Values[]>;
  const meets = (product: Row, condition: Values): boolean => {
    const own = String(product[String(condition['field'])] ?? '');
    const value = String(condition['value'] ?? '');
    switch (condition['operation'] ?? condition['operator']) {
      case 'EQ':
      case 'EQUALS':
        return own === value;
      case 'CONTAIN':
        return own.toLowerCase().includes(value.toLowerCase());
      case 'NOT_CONTAIN':
      case 'DOES_NOT_CONTAIN':
        return !own.toLowerCase().includes(value.toLowerCase());
      case 'START_WITH':
        return own.startsWith(value);
      case 'GT':
        return Number(own) > Number(value);
      case 'LT':
        return Number(own) < Number(value);
      case 'GTE':
        return Number(own) >= Number(value);
      case 'LTE':
        return Number(own) <= Number(value);
      default:
        return true;
    }
  };
  return productsOf(call, set.catalog_id).filter(
    (product) =>
      (conditions['and'] ?? []).every((one) => meets(product, one)) &&
      (!conditions['or'] || conditions['or'].some((one) => meets(product, one))),
  );
}

function setOf(call: Call, catalog: Native, setId: unknown): Row {
  const row = ofCatalog(call.world, 'sets').get(String(setId));
  if (row?.catalog_id !== catalog.id) throw new TikTokError(40007, `The product set ${String(setId)} does not exist.`);
  return row;
}

function putSet(call: Call): unknown {
  const { world, params } = call;
  const catalog = catalogOf(call, true);
  const before = params['product_set_id'] === undefined ? undefined : setOf(call, catalog, params['product_set_id']);
  const row: Row = {
    ...before,
    id: before?.id ?? world.nextId(),
    advertiser_id: '',
    catalog_id: catalog.id,
    product_set_name: params['product_set_name'] ?? before?.['product_set_name'],
    conditions: params['conditions'] ?? before?.['conditions'] ?? {},
  };
  ofCatalog(world, 'sets').put(row);
  return {
    product_set_id: row.id,
    product_set_name: row['product_set_name'],
    product_count: inSet(call, row).length,
  };
}

function sets(call: Call): unknown {
  const catalog = catalogOf(call);
  const only = text(call.params['product_set_id']);
  return {
    list: ofCatalog(call.world, 'sets')
      .by('catalog', catalog.id)
      .filter((row) => only === undefined || row.id === only)
      .map((row) => ({
        product_set_id: row.id,
        catalog_id: catalog.id,
        product_set_name: row['product_set_name'],
        conditions: row['conditions'],
        ...(call.params['return_product_count'] === false ? {} : { product_count: inSet(call, row).length }),
      })),
  };
}

function setProducts(call: Call): unknown {
  const catalog = catalogOf(call);
  const set = setOf(call, catalog, call.params['product_set_id']);
  const rows = inSet(call, set);
  const { list, page_info } = page(rows, { ...call, params: { page_size: 20, ...call.params } }, 100);
  return {
    catalog_id: catalog.id,
    product_set_id: set.id,
    product_count: rows.length,
    products: list.map((row) => ({ product_id: row['product_id'], product_name: row['title'], sku_id: row['sku_id'] })),
    page_info,
  };
}

function deleteSets(call: Call): unknown {
  const catalog = catalogOf(call, true);
  const ids = call.params['product_set_ids'] as string[];
  for (const one of ids) setOf(call, catalog, one);
  for (const one of ids) ofCatalog(call.world, 'sets').delete(one);
  return { product_set_ids: ids };
}

/** Product sets. */
export const endpoints: Endpoint[] = [
  post(
    'set/create',
    [
      ...CATALOG,
      { name: 'product_set_name', type: 'string', required: true, min: 1, max: 28 },
      { name: 'conditions', type: 'object', required: true },
    ],
    (call) => putSet({ ...call, params: { ...call.params, product_set_id: undefined } }),
  ),
  post(
    'set/update',
    [
      ...CATALOG,
      id('product_set_id'),
      { name: 'product_set_name', type: 'string', min: 1, max: 28 },
      { name: 'conditions', type: 'object' },
    ],
    putSet,
  ),
  get('set/get', [...CATALOG, id('product_set_id', false), { name: 'return_product_count', type: 'boolean' }], sets),
  get(
    'set/product/get',
    [...CATALOG, { name: 'product_set_id', type: 'string', required: true }, ...paging],
    setProducts,
  ),
  post('set/delete', [...CATALOG, strings('product_set_ids', { required: true, min: 1, max: 10 })], deleteSets),
];

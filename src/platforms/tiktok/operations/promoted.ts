/** Promoted things: pixels, apps, identities, catalogs, instant pages and lead forms. */
import type { ListFilters, ObjectSpec, OperationInput } from '../../../core/connector/object-spec.ts';
import type { Native } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { promotedFields } from '../entities/promoted.ts';
import { IDENTITY_REF, identityRef } from '../entities/promoted-refs.ts';
import { pages } from '../request.ts';
import { apps } from './apps.ts';
import { identities } from './identities.ts';
import { isNotOffered } from './shared.ts';

type Rows = AsyncIterable<Native> | Iterable<Native>;

/** One kind of promoted thing: its list, and what of a row is id and name. */
interface Kind {
  type: string;
  rows(input: OperationInput): Rows | Promise<Rows>;
  id(row: Native): unknown;
  name(row: Native): unknown;
}

/** Pages of the Business Center's catalogs, which know no ad account; accounts outside a Business Center have none. */
function catalogs(input: OperationInput): Rows {
  const bc_id = input.organization.parentId;
  return bc_id === undefined
    ? []
    : pages(input, 'catalog/get', { rows: 'list', size: 100, query: { bc_id, advertiser_id: undefined } });
}

/** Instant pages of some business types (page/get); the answer does not say which type a page has. */
const pagesOf = (input: OperationInput, business_types: readonly string[]): Rows =>
  pages(input, 'page/get', { rows: 'list', size: 100, query: { business_types } });

const KINDS: readonly Kind[] = [
  {
    type: 'PIXEL_ID',
    // At most 20 a page (official SDK yml).
    rows: (input) => pages(input, 'pixel/list', { rows: 'pixels', size: 20 }),
    id: (row) => row['pixel_id'],
    name: (row) => row['pixel_name'],
  },
  { type: 'APP_ID', rows: apps, id: (row) => row['app_id'], name: (row) => row['app_name'] },
  { type: 'PAGE_ID', rows: identities, id: identityRef, name: (row) => row['display_name'] },
  { type: 'CATALOG_ID', rows: catalogs, id: (row) => row['catalog_id'], name: (row) => row['catalog_name'] },
  {
    type: 'PAGE_ID',
    rows: (input) => pagesOf(input, ['STORE_FRONT', 'TIKTOK_INSTANT_PAGE']),
    id: (row) => row['page_id'],
    name: (row) => row['title'],
  },
  {
    type: 'LEAD_FORM_ID',
    rows: (input) => pagesOf(input, ['LEAD_GEN']),
    id: (row) => row['page_id'],
    name: (row) => row['title'],
  },
];

/** Types of promoted things that TikTok lists. */
export const PROMOTED_TYPES: readonly string[] = [...new Set(KINDS.map(({ type }) => type))];

async function* rowsOfKind(input: OperationInput, kind: Kind): AsyncGenerator<Native, void, undefined> {
  // Not enumerable: the unified members are ours, `raw` shows TikTok's.
  for await (const row of await kind.rows(input))
    yield Object.defineProperty({ ...row }, 'lookup', {
      value: { type: kind.type, id: kind.id(row), name: kind.name(row) },
      enumerable: false,
    });
}

async function* list(input: OperationInput, { type }: ListFilters): AsyncGenerator<Native, void, undefined> {
  if (type !== undefined && !PROMOTED_TYPES.includes(type))
    throw new PolyadError('input_value_unsupported', {
      message: `TikTok has no promoted things of type \`${type}\`.`,
      details: { field: 'type', value: type, allowed: PROMOTED_TYPES },
    });
  let refused: PolyadError | undefined;
  let listed = 0;
  for (const kind of KINDS.filter((one) => type === undefined || one.type === type)) {
    try {
      yield* rowsOfKind(input, kind);
      listed += 1;
    } catch (error) {
      if (!isNotOffered(error)) throw error;
      refused ??= error;
      input.ctx.log.warn({ type: kind.type, code: error.code }, 'TikTok does not list these promoted things here');
    }
  }
  // Asked for one type, or for all and allowed none: the refusal is the answer.
  if (refused !== undefined && (listed === 0 || (type !== undefined && type !== 'PAGE_ID'))) throw refused;
}

/** TikTok's promoted things as unified ones. */
export const promoted: ObjectSpec = {
  native: 'pixel, app, identity, catalog, page',
  scope: 'organization',
  fields: promotedFields,
  list: {
    request: () => {
      throw new PolyadError('internal', { message: 'promoted things come from several lists' });
    },
    rows: 'data.list',
    paging: { kind: 'none' },
    filters: { type: { kind: 'local' }, query: { kind: 'local' } },
    run: list,
  },
  async get(input, id) {
    const fits = (row: Native): boolean => String((row['lookup'] as Native)['id']) === id;
    for await (const row of list(input, IDENTITY_REF.test(id) ? { type: 'PAGE_ID' } : {})) if (fits(row)) return row;
    return undefined;
  },
};

/** Targetable values: look-ups of the tool family, and the audiences of an ad account. */
import type { ListFilters, ObjectSpec, OperationInput } from '../../../core/connector/object-spec.ts';
import type { Native } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { targetFields } from '../entities/target.ts';
import { type PlaceKind, places } from '../places.ts';
import { call, dataOf, pages, read, rowsOf } from '../request.ts';
import { isNotOffered } from './shared.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** One row in the module's own words, with the native row behind it. */
function target(
  type: string,
  row: Native,
  facts: { id: unknown; name: unknown; parent?: unknown; active?: unknown; count?: unknown },
): Native {
  // Not enumerable: the unified members are ours, `raw` shows TikTok's.
  return Object.defineProperty({ ...row }, 'lookup', { value: { type, ...facts }, enumerable: false });
}

/** child id -> parent id, from rows that name their children. */
function parents(rows: readonly Native[], id: string, children: string): Map<string, string> {
  const out = new Map<string, string>();
  for (const row of rows)
    for (const child of Array.isArray(row[children]) ? (row[children] as unknown[]) : [])
      out.set(String(child), String(row[id]));
  return out;
}

const PLACE_TYPES: Readonly<Record<string, PlaceKind>> = {
  COUNTRY: 'countries',
  REGION: 'regions',
  CITY: 'cities',
  US_DMA: 'us_dmas',
};

async function interests(input: OperationInput): Promise<Native[]> {
  const rows = rowsOf(await read(input, 'tool/interest_category', { version: 2 }), 'interest_categories');
  const above = parents(rows, 'interest_category_id', 'sub_category_ids');
  return rows.map((row) => {
    const id = row['interest_category_id'];
    return target('INTEREST', row, { id, name: row['interest_category_name'], parent: above.get(String(id)) });
  });
}

async function behaviors(input: OperationInput): Promise<Native[]> {
  const rows = rowsOf(await read(input, 'tool/action_category'), 'action_categories');
  const above = parents(rows, 'action_category_id', 'sub_category_ids');
  return rows.map((row) => {
    const id = row['action_category_id'];
    return target('BEHAVIOR', row, { id, name: row['name'], parent: above.get(String(id)) });
  });
}

async function languages(input: OperationInput): Promise<Native[]> {
  return rowsOf(await read(input, 'tool/language'), 'languages').map((row) =>
    target('LOCALE', row, { id: row['code'], name: row['name'] }),
  );
}

async function carriers(input: OperationInput): Promise<Native[]> {
  return rowsOf(await read(input, 'tool/carrier'), 'countries').flatMap((country) =>
    rowsOf(country, 'carriers').map((row) =>
      target('CARRIER', row, {
        id: row['carrier_id'],
        name: row['name'],
        parent: country['country_code'],
        active: row['in_use'],
      }),
    ),
  );
}

async function devices(input: OperationInput): Promise<Native[]> {
  const rows = rowsOf(await read(input, 'tool/device_model'), 'device_models');
  const above = parents(rows, 'device_model_id', 'child_device_ids');
  return rows.map((row) => {
    const id = row['device_model_id'];
    return target('DEVICE_MODEL', row, {
      id,
      name: row['device_model_name'],
      parent: above.get(String(id)),
      active: row['is_active'],
    });
  });
}

async function systems(input: OperationInput): Promise<Native[]> {
  const out: Native[] = [];
  // What `targeting.device.user_os` takes: system and lowest version in one.
  for (const os_type of ['ANDROID', 'IOS'])
    for (const row of rowsOf(await read(input, 'tool/os_version', { os_type }), 'os_versions'))
      out.push(
        target('OS_VERSION', row, { id: `${os_type}_${String(row['version'])}`, name: row['name'], parent: os_type }),
      );
  return out;
}

async function placesOf(input: OperationInput, kind: PlaceKind, type: string): Promise<Native[]> {
  return [...(await places(input)).values()]
    .filter((place) => place.kind === kind)
    .map((place) => target(type, place.row, { id: place.id, name: place.name, parent: place.parentId }));
}

const audience = (row: Native): Native =>
  target('USER_LIST', row, {
    id: row['audience_id'],
    name: row['name'],
    active: row['is_valid'],
    count: row['cover_num'],
  });

async function* audiences(input: OperationInput): AsyncGenerator<Native, void, undefined> {
  for await (const row of pages(input, 'dmp/custom_audience/list', { rows: 'list', size: 100 })) yield audience(row);
}

/** Postal codes can only be searched for (tool/targeting/search, TikTok docs 1761236883355649), never listed. */
async function postalCodes(input: OperationInput, query: string | undefined): Promise<Native[]> {
  if (query === undefined)
    throw new PolyadError('input_filter_required', {
      message: 'TikTok’s postal codes cannot be listed, only searched: pass `query`.',
      details: { needed: 'query' },
    });
  const response = await input.ctx.request(
    call(input.ctx, {
      method: 'POST',
      endpoint: 'tool/targeting/search',
      organizationId: input.organization.id,
      json: {
        advertiser_id: input.organization.id,
        keywords: [query],
        placements: ['PLACEMENT_TIKTOK'],
        objective_type: 'TRAFFIC',
        search_type: 'FUZZY_SEARCH',
        geo_types: ['ZIP_CODE'],
      },
      idempotent: true,
    }),
  );
  return rowsOf(dataOf(response), 'targeting_tag_list').flatMap((row) => {
    const geo = row['geo'] as Native | undefined;
    return geo?.['geo_id'] === undefined
      ? []
      : [target('ZIP', row, { id: geo['geo_id'], name: row['name'], parent: geo['parent_id'] })];
  });
}

/** Look-ups by type. Tables change seldom and are remembered; audiences are the account's own and are not. */
const TABLES: Readonly<Record<string, (input: OperationInput) => Promise<Native[]>>> = {
  INTEREST: interests,
  BEHAVIOR: behaviors,
  LOCALE: languages,
  CARRIER: carriers,
  DEVICE_MODEL: devices,
  OS_VERSION: systems,
  ...Object.fromEntries(
    Object.entries(PLACE_TYPES).map(([type, kind]) => [type, (input: OperationInput) => placesOf(input, kind, type)]),
  ),
};

/** Unified target types that TikTok has. */
export const TARGET_TYPES: readonly string[] = [...Object.keys(TABLES), 'ZIP', 'USER_LIST'];

function table(input: OperationInput, type: string): Promise<Native[]> {
  return input.ctx.remember(
    `tiktok/target/${type}/${input.organization.id}`,
    type in PLACE_TYPES ? HOUR : DAY,
    () => TABLES[type]?.(input) ?? Promise.resolve([]),
  );
}

async function* list(input: OperationInput, filters: ListFilters): AsyncGenerator<Native, void, undefined> {
  const { type, query } = filters;
  if (type !== undefined && !TARGET_TYPES.includes(type))
    throw new PolyadError('input_value_unsupported', {
      message: `TikTok has no targets of type \`${type}\`.`,
      details: { field: 'type', value: type, allowed: TARGET_TYPES },
    });
  if (type === 'ZIP') yield* await postalCodes(input, query);
  else if (type === 'USER_LIST') yield* audiences(input);
  else for (const one of type === undefined ? Object.keys(TABLES) : [type]) yield* await table(input, one);
  if (type !== undefined) return;
  try {
    yield* audiences(input);
  } catch (error) {
    if (!isNotOffered(error)) throw error;
    input.ctx.log.warn({ type: 'USER_LIST', code: error.code }, 'TikTok does not list audiences here');
  }
}

/**
 * Behaviour references with the scene of their category, which TikTok wants beside the id.
 *
 * @throws PolyadError `input_value_invalid` for ids that are no behaviour category.
 */
export async function behaviorScenes(input: OperationInput, refs: readonly unknown[]): Promise<Native[]> {
  const known = await table(input, 'BEHAVIOR');
  return refs.flatMap((ref) => {
    const id = String((ref as Native | null)?.['id'] ?? '');
    const scenes = known.filter((row) => String(row['action_category_id']) === id).map((row) => row['action_scene']);
    if (scenes.length === 0)
      throw new PolyadError('input_value_invalid', {
        message: `\`targeting.audience.behaviors\` names no behaviour category of TikTok: ${id}.`,
        details: {
          field: 'targeting.audience.behaviors',
          reason: 'unknown id',
          instead: 'GET target with type BEHAVIOR lists the ids.',
        },
      });
    return scenes.map((scene) => ({ ...(ref as Native), id, scene }));
  });
}

/** TikTok's targetable values as unified targets. */
export const targets: ObjectSpec = {
  native: 'tool',
  scope: 'organization',
  fields: targetFields,
  list: {
    request: ({ ctx, organization }) =>
      call(ctx, {
        endpoint: 'tool/interest_category',
        organizationId: organization.id,
        query: { advertiser_id: organization.id },
      }),
    rows: 'data.interest_categories',
    paging: { kind: 'none' },
    filters: { type: { kind: 'local' }, query: { kind: 'local' } },
    run: list,
  },
  async get(input, id) {
    const fits = (row: Native): boolean => String((row['lookup'] as Native)['id']) === id;
    // Languages and systems are words, all else numbers: the right tables first, each read once a day at most.
    const types = /^\d+$/.test(id)
      ? ['COUNTRY', 'REGION', 'CITY', 'US_DMA', 'INTEREST', 'BEHAVIOR', 'CARRIER', 'DEVICE_MODEL']
      : ['LOCALE', 'OS_VERSION', 'DEVICE_MODEL', 'CARRIER'];
    for (const type of types) {
      const found = (await table(input, type)).find(fits);
      if (found !== undefined) return found;
    }
    if (!/^\d+$/.test(id)) return undefined;
    try {
      const data = await read(input, 'dmp/custom_audience/list', { custom_audience_ids: [id], page: 1, page_size: 10 });
      return rowsOf(data, 'list').map(audience).find(fits);
    } catch (error) {
      if (isNotOffered(error) || (error instanceof PolyadError && error.code === 'platform_rejected')) return undefined;
      throw error;
    }
  },
};

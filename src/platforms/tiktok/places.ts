/**
 * Places. TikTok has one list of location ids for all kinds of places; which kind an id is, only its look-up tells. The
 * look-up also takes ISO country codes and names, so that callers need not know TikTok's numbers.
 */
import { invalid } from '../../core/connector/codecs.ts';
import type { OperationInput } from '../../core/connector/object-spec.ts';
import type { Native } from '../../core/connector/types.ts';
import { read, rowsOf } from './request.ts';

/** Kinds of places that the unified model tells apart, as names of its lists and of target types. */
export type PlaceKind = 'countries' | 'regions' | 'cities' | 'us_dmas';

/** One place of TikTok's look-up. */
export interface Place {
  id: string;
  kind: PlaceKind;
  name: string;
  /** ISO 3166 code of a country, or TikTok's code of a smaller place. */
  code: string | undefined;
  parentId: string | undefined;
  row: Native;
}

/** Members of `targeting.geographic` that go into `location_ids`, in the order they are written. */
export const PLACE_KINDS: readonly PlaceKind[] = ['countries', 'regions', 'cities', 'us_dmas'];

const DAY = 86_400_000;

const KINDS: Readonly<Record<string, PlaceKind>> = {
  COUNTRY: 'countries',
  PROVINCE: 'regions',
  CITY: 'cities',
  // Parts of cities; the unified model has nothing smaller than a city.
  DISTRICT: 'cities',
};

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;

/**
 * Reads one row of tool/region or search/region, whose members are named differently (`location_id`, `name`, `level` and
 * `region_id`, `region_name`, `region_level`).
 */
function placeOf(row: Native): Place | undefined {
  const id = text(row['location_id']) ?? text(row['region_id']);
  if (id === undefined) return undefined;
  const level = text(row['level']) ?? text(row['region_level']) ?? '';
  return {
    id,
    kind: row['area_type'] === 'METROPOLITAN_OR_DMA' ? 'us_dmas' : (KINDS[level] ?? 'regions'),
    name: text(row['name']) ?? text(row['region_name']) ?? '',
    code: text(row['region_code']) ?? text(row['country_code']),
    parentId: row['parent_id'] === '0' ? undefined : text(row['parent_id']),
    row,
  };
}

/**
 * All places that ads can be aimed at (tool/region, TikTok docs 1737189539571713), by id. TikTok wants placement and
 * objective named; TikTok itself and traffic are the widest choice. The sandbox has no look-up: no places are known.
 */
export async function places(input: OperationInput): Promise<ReadonlyMap<string, Place>> {
  if (input.ctx.environment === 'sandbox') return new Map();
  return input.ctx.remember(`tiktok/places/${input.organization.id}`, DAY, async () => {
    const data = await read(input, 'tool/region', {
      placements: ['PLACEMENT_TIKTOK'],
      objective_type: 'TRAFFIC',
      level_range: 'ALL',
    });
    const found = rowsOf(data, 'region_info').flatMap((row) => placeOf(row) ?? []);
    return new Map(found.map((place) => [place.id, place]));
  });
}

interface Ref {
  id?: unknown;
  name?: unknown;
}

/** The location id that a reference means: TikTok's number, an ISO country code, or the name of a place of that kind. */
function resolve(ref: Ref, kind: PlaceKind, known: ReadonlyMap<string, Place>, field: string): string {
  const id = text(ref.id);
  if (id !== undefined && /^\d+$/.test(id)) return id;
  const wanted = (id ?? text(ref.name) ?? '').toLowerCase();
  if (wanted === '') throw invalid({ field }, 'needs an `id` in every member');
  const fits = [...known.values()].filter(
    (place) =>
      place.kind === kind && (place.name.toLowerCase() === wanted || (place.code ?? '').toLowerCase() === wanted),
  );
  const [place, another] = fits;
  if (place === undefined || another !== undefined)
    throw invalid({ field }, `names ${place === undefined ? 'no place' : 'several places'}: ${id ?? text(ref.name)}`, {
      candidates: fits.slice(0, 20).map((one) => ({ id: one.id, name: one.name, parent_id: one.parentId })),
      instead: 'GET target with type COUNTRY, REGION, CITY or US_DMA lists the ids.',
    });
  return place.id;
}

/** A copy of unified targeting whose places are all TikTok's numbers. Looks nothing up when they are already. */
export async function withPlaceIds(input: OperationInput, targeting: Native): Promise<Native> {
  const geographic = targeting['geographic'] as Partial<Record<string, Ref[]>> | undefined;
  if (geographic === undefined) return targeting;
  const lists = PLACE_KINDS.filter((kind) => Array.isArray(geographic[kind]));
  const refs = (kind: PlaceKind): Ref[] => geographic[kind] ?? [];
  if (!lists.some((kind) => refs(kind).some((ref) => !/^\d+$/.test(text(ref?.id) ?? '')))) return targeting;
  const known = await places(input);
  const resolved = Object.fromEntries(
    lists.map((kind) => [
      kind,
      refs(kind).map((ref) => ({
        ...ref,
        id: resolve(ref ?? {}, kind, known, `targeting.geographic.${kind}`),
      })),
    ]),
  );
  return { ...targeting, geographic: { ...geographic, ...resolved } };
}

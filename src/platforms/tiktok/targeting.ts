/**
 * Targeting of an ad group, member by member. What has no rule here (excluded places, keywords, lookalikes, facebook
 * positions and so on) TikTok cannot take, and is refused by name.
 */
import {
  boolean,
  type Codec,
  type CodecContext,
  custom,
  enums,
  invalid,
  refs,
  textList,
} from '../../core/connector/codecs.ts';
import type { FieldRule } from '../../core/connector/fields.ts';
import type { Native } from '../../core/connector/types.ts';
import { AGE_PATHS, ages } from './ages.ts';
import { dayparting } from './dayparting.ts';
import { PLACE_KINDS, type Place, type PlaceKind } from './places.ts';

/** Non-enumerable member of a native ad group that holds the places its location ids mean. */
export const PLACES = '$places';

const GEO = 'targeting.geographic';
const GEO_PATHS = PLACE_KINDS.map((kind) => `${GEO}.${kind}`);

/** Encodes a list by a codec that makes lists of strings. */
const strings = (codec: Codec, value: unknown, ctx: CodecContext): string[] => codec.encode!(value, ctx) as string[];

const ids = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** Location ids by kind of place; ids that the look-up does not know stand among the regions. */
export function byKind(
  locationIds: unknown,
  known: ReadonlyMap<string, Place> | undefined,
): Partial<Record<PlaceKind, string[]>> {
  const out: Partial<Record<PlaceKind, string[]>> = {};
  for (const id of ids(locationIds)) {
    const kind = known?.get(id)?.kind ?? 'regions';
    out[kind] = [...(out[kind] ?? []), id];
  }
  return out;
}

const geographic: Codec = custom({
  name: 'tiktok.locations',
  decode(native, ctx) {
    const sorted = byKind(native, ctx.row?.[PLACES] as ReadonlyMap<string, Place> | undefined);
    return Object.fromEntries(
      Object.entries(sorted).map(([kind, members]) => [`${GEO}.${kind}`, members.map((id) => ({ id }))]),
    );
  },
  encode(unified, ctx) {
    const given = unified as Record<string, unknown>;
    const locations = GEO_PATHS.flatMap((field) => {
      const members = given[field];
      if (members === undefined) return [];
      for (const member of Array.isArray(members) ? (members as Native[]) : [])
        if (member?.['radius'] !== undefined || member?.['radius_unit'] !== undefined)
          throw invalid({ ...ctx, field }, 'cannot have a radius: TikTok targets whole places');
      return strings(refs, members, { ...ctx, field });
    });
    return [...new Set(locations)];
  },
});

const GENDER = ['targeting.demographic.male', 'targeting.demographic.female'] as const;

const gender: Codec = custom({
  name: 'tiktok.gender',
  decode(native) {
    if (native === 'GENDER_MALE') return { [GENDER[0]]: true, [GENDER[1]]: false };
    if (native === 'GENDER_FEMALE') return { [GENDER[0]]: false, [GENDER[1]]: true };
    return native === 'GENDER_UNLIMITED' ? { [GENDER[0]]: true, [GENDER[1]]: true } : {};
  },
  encode(unified, ctx) {
    const { [GENDER[0]]: male, [GENDER[1]]: female } = unified as Record<string, unknown>;
    for (const value of [male, female]) if (value !== undefined) boolean.encode?.(value, ctx);
    // One of the two alone says that the other is not wanted, unless it says "not this one".
    const men = male ?? female === false;
    const women = female ?? male === false;
    if (!men && !women) throw invalid({ ...ctx, field: 'targeting.demographic' }, 'must include men, women, or both');
    return men && women ? 'GENDER_UNLIMITED' : men ? 'GENDER_MALE' : 'GENDER_FEMALE';
  },
});

/** A behaviour as `prepare` hands it on: the category with the scene it belongs to. */
export interface BehaviorRef {
  id: string;
  scene?: string;
}

/**
 * What people must have done, and in how many days: TikTok wants both beside the category. The unified model has neither,
 * so all interactions of the scene in the longer period stand in (which are valid per scene: unverified).
 */
const ACTION_DEFAULTS: Readonly<Record<string, Native>> = {
  VIDEO_RELATED: { action_period: 15, video_user_actions: ['WATCHED_TO_END', 'LIKED', 'COMMENTED', 'SHARED'] },
  CREATOR_RELATED: { action_period: 15, video_user_actions: ['FOLLOWING', 'VIEW_HOMEPAGE'] },
  HASHTAG_RELATED: { action_period: 7, video_user_actions: ['VIEW_HASHTAG'] },
};

const behaviors: Codec = custom({
  name: 'tiktok.actions',
  decode(native) {
    if (!Array.isArray(native)) return undefined;
    const categories = native.flatMap((action) => ids((action as Native | null)?.['action_category_ids']));
    return categories.length === 0 ? undefined : [...new Set(categories)].map((id) => ({ id }));
  },
  encode(unified, ctx) {
    refs.encode?.(unified, ctx);
    const byScene = new Map<string, string[]>();
    for (const { id, scene } of unified as BehaviorRef[]) {
      if (scene === undefined) throw invalid(ctx, `names no behaviour category: ${id}`);
      byScene.set(scene, [...(byScene.get(scene) ?? []), id]);
    }
    return [...byScene].map(([action_scene, action_category_ids]) => ({
      action_scene,
      ...ACTION_DEFAULTS[action_scene],
      action_category_ids: [...new Set(action_category_ids)],
    }));
  },
});

/** Actions of an update, keeping period and interactions of categories that were there before. */
export function mergeActions(wanted: readonly Native[], current: unknown): Native[] {
  const kept: Native[] = [];
  const covered = new Set<string>();
  const all = new Set(wanted.flatMap((action) => ids(action['action_category_ids'])));
  for (const action of Array.isArray(current) ? (current as Native[]) : []) {
    const still = ids(action['action_category_ids']).filter((id) => all.has(id));
    if (still.length === 0) continue;
    for (const id of still) covered.add(id);
    kept.push({ ...action, action_category_ids: still });
  }
  for (const action of wanted) {
    const fresh = ids(action['action_category_ids']).filter((id) => !covered.has(id));
    if (fresh.length > 0) kept.push({ ...action, action_category_ids: fresh });
  }
  return kept;
}

const SYSTEMS = { ANDROID: 'min_android_version', IOS: 'min_ios_version' } as const;
type System = keyof typeof SYSTEMS;

/** `IOS` or `IOS_14.0` (that version or newer), as the targets of type OS_VERSION are called. */
const OS_REF = /^(ANDROID|IOS)(?:_(\d+(?:\.\d+)*))?$/;

const system: Codec = custom({
  name: 'tiktok.operatingSystems',
  allowed: ['ANDROID', 'IOS', 'ANDROID_<version>', 'IOS_<version>'],
  decode(native) {
    const row = native as Record<string, unknown>;
    const list = ids(row['operating_systems']).filter((name) => name !== 'ALL');
    if (list.length === 0) return undefined;
    return list.map((name) => {
      const version = row[SYSTEMS[name as System] ?? ''];
      return { id: typeof version === 'string' && /^\d/.test(version) ? `${name}_${version}` : name };
    });
  },
  encode(unified, ctx) {
    const out: Native & { operating_systems: string[] } = { operating_systems: [] };
    for (const id of strings(refs, unified, ctx)) {
      const [, name, version] = OS_REF.exec(id.toUpperCase()) ?? [];
      if (name === undefined) throw invalid(ctx, `does not know the system ${id}`, { allowed: system.allowed ?? [] });
      if (out.operating_systems.includes(name)) throw invalid(ctx, `names ${name} twice`);
      out.operating_systems.push(name);
      if (version !== undefined) out[SYSTEMS[name as System]] = version;
    }
    return out;
  },
});

const PLACEMENT = ['targeting.placement.platforms', 'targeting.optimization.advantage_placements'] as const;
const PLACEMENTS = ['PLACEMENT_TIKTOK', 'PLACEMENT_PANGLE', 'PLACEMENT_GLOBAL_APP_BUNDLE'];

/** placement_type and placements <-> platforms, and advantage_placements for TikTok's automatic choice. */
const placement: Codec = custom({
  name: 'tiktok.placements',
  allowed: PLACEMENTS,
  decode(native) {
    const { placement_type: type, placements: list } = native as Record<string, unknown>;
    if (type === 'PLACEMENT_TYPE_AUTOMATIC') return { [PLACEMENT[1]]: true };
    const chosen = textList.decode(list, {});
    return chosen === undefined ? {} : { [PLACEMENT[0]]: chosen, [PLACEMENT[1]]: false };
  },
  encode(unified, ctx) {
    const { [PLACEMENT[0]]: platforms, [PLACEMENT[1]]: automatic } = unified as Record<string, unknown>;
    if (automatic !== undefined) boolean.encode?.(automatic, { ...ctx, field: PLACEMENT[1] });
    if (platforms === undefined)
      return automatic === true
        ? { placement_type: 'PLACEMENT_TYPE_AUTOMATIC' }
        : { placement_type: 'PLACEMENT_TYPE_NORMAL', placements: ['PLACEMENT_TIKTOK'] };
    const at: CodecContext = { ...ctx, field: PLACEMENT[0] };
    if (automatic === true) throw invalid(at, 'cannot be given together with advantage_placements');
    const placements = strings(textList, platforms, at).map((name) => {
      const native = /^PLACEMENT_/i.test(name) ? name.toUpperCase() : `PLACEMENT_${name.toUpperCase()}`;
      if (!PLACEMENTS.includes(native))
        throw invalid(at, `does not know the placement ${name}`, { allowed: PLACEMENTS });
      return native;
    });
    if (placements.length === 0) throw invalid(at, 'must name at least one placement');
    return { placement_type: 'PLACEMENT_TYPE_NORMAL', placements };
  },
});

const SAFETY = ['publisher_visibility_categories', 'brand_safety_content_filter_levels'].map(
  (name) => `targeting.brand_safety.${name}`,
) as [string, string];

const INVENTORY = enums({
  EXPANDED_INVENTORY: 'expanded',
  STANDARD_INVENTORY: 'standard',
  LIMITED_INVENTORY: 'limited',
});
const OTHER_SAFETY = ['NO_BRAND_SAFETY', 'THIRD_PARTY'];

/** brand_safety_type <-> the inventory filter; what is no inventory tier stands under its native name. */
const safety: Codec = custom({
  name: 'tiktok.brandSafety',
  allowed: [...(INVENTORY.allowed ?? []), ...OTHER_SAFETY],
  decode(native) {
    if (typeof native !== 'string' || native === '') return {};
    const tier = INVENTORY.decode(native, {}) as string;
    return tier === native ? { [SAFETY[1]]: [native] } : { [SAFETY[0]]: [tier] };
  },
  encode(unified, ctx) {
    const given = unified as Record<string, unknown>;
    const [tier, other] = SAFETY.map((field) => {
      if (given[field] === undefined) return undefined;
      const list = strings(textList, given[field], { ...ctx, field });
      if (list.length !== 1) throw invalid({ ...ctx, field }, 'must hold exactly one value');
      return list[0];
    });
    if (tier !== undefined && other !== undefined)
      throw invalid({ ...ctx, field: SAFETY[1] }, `cannot be given together with \`${SAFETY[0]}\``);
    if (tier !== undefined) return INVENTORY.encode?.(tier, { ...ctx, field: SAFETY[0] });
    if (!OTHER_SAFETY.includes(other as string))
      throw invalid({ ...ctx, field: SAFETY[1] }, `does not know ${String(other)}`, { allowed: OTHER_SAFETY });
    return other;
  },
});

const audience = (member: string, native: string): FieldRule => ({
  unified: `targeting.audience.${member}`,
  native,
  codec: refs,
  access: 'write',
});

/** Field rules of `targeting`. Source: adgroup/get and adgroup/create, TikTok docs 1739314558673922, 1739499616346114. */
export const targetingFields: readonly FieldRule[] = [
  {
    unified: GEO_PATHS,
    native: 'location_ids',
    codec: geographic,
    access: 'write',
    note: 'Ids as GET target lists them; countries also by ISO code. Places of unknown kind read as regions.',
  },
  { unified: `${GEO}.postal_codes`, native: 'zipcode_ids', codec: refs, access: 'write' },
  {
    unified: AGE_PATHS,
    native: 'age_groups',
    codec: ages,
    access: 'write',
    note: 'TikTok knows the groups 13–17, 18–24, 25–34, 35–44, 45–54 and 55–100; other ages are refused.',
  },
  { unified: GENDER, native: 'gender', codec: gender, access: 'write' },
  { unified: 'targeting.language', native: 'languages', codec: refs, access: 'write' },
  audience('interests', 'interest_category_ids'),
  {
    ...audience('behaviors', 'actions'),
    codec: behaviors,
    note: 'Categories of tool/action_category; new ones get all interactions of their scene in the longest period.',
  },
  audience('custom_audiences', 'audience_ids'),
  audience('excluded_custom_audiences', 'excluded_audience_ids'),
  { unified: 'targeting.device.user_device', native: 'device_model_ids', codec: refs, access: 'write' },
  {
    unified: 'targeting.device.user_os',
    native: ['operating_systems', 'min_android_version', 'min_ios_version'],
    codec: system,
    access: 'write',
    note: 'ANDROID, IOS, or with a lowest version: IOS_14.0.',
  },
  { unified: 'targeting.device.carriers', native: 'carrier_ids', codec: refs, access: 'write' },
  {
    unified: PLACEMENT,
    native: ['placement_type', 'placements'],
    codec: placement,
    // Fixed at creation; an update may repeat what is there, which only the update itself can see.
    access: 'write',
    note: 'Fixed at creation.',
  },
  {
    unified: 'targeting.optimization.advantage_audience',
    native: 'smart_audience_enabled',
    codec: boolean,
    access: 'write',
  },
  { unified: SAFETY, native: 'brand_safety_type', codec: safety, access: 'write' },
  {
    unified: 'targeting.brand_safety.excluded_content_labels',
    native: 'category_exclusion_ids',
    codec: textList,
    access: 'write',
    note: 'Ids of tool/content_exclusion.',
  },
  { unified: 'targeting.schedule', native: 'dayparting', codec: dayparting, access: 'write' },
];

/** Ages: TikTok knows six groups, the unified model a lowest and a highest age. */
import { type Codec, type CodecContext, custom, invalid } from '../../core/connector/codecs.ts';

/** TikTok's age groups, youngest first, with their ages inclusive. AGE_55_100 is everyone from 55 on. */
const GROUPS = [
  ['AGE_13_17', 13, 17],
  ['AGE_18_24', 18, 24],
  ['AGE_25_34', 25, 34],
  ['AGE_35_44', 35, 44],
  ['AGE_45_54', 45, 54],
  ['AGE_55_100', 55, 100],
] as const;

const LOWEST = GROUPS.map(([, from]) => from);
const HIGHEST = GROUPS.map(([, , to]) => to);

/** Unified paths that one native list serves. */
export const AGE_PATHS = ['targeting.demographic.age_min', 'targeting.demographic.age_max'] as const;

/** Lowest and highest age of a list of groups; undefined for "all ages" and for lists with a gap. */
export function agesOf(groups: unknown): { min: number; max: number } | undefined {
  if (!Array.isArray(groups) || groups.length === 0) return undefined;
  const wanted = new Set(groups.map((group) => String(group).trim()));
  const chosen = GROUPS.map(([name], index) => (wanted.has(name) ? index : -1)).filter((index) => index >= 0);
  const first = chosen[0];
  const last = chosen.at(-1);
  if (first === undefined || last === undefined || chosen.length !== wanted.size) return undefined;
  if (last - first + 1 !== chosen.length) return undefined;
  return { min: LOWEST[first] as number, max: HIGHEST[last] as number };
}

/**
 * The groups from a lowest to a highest age. Ages inside a group are refused: rounding them would address other people
 * than the caller wants.
 */
export function groupsOf(min: unknown, max: unknown, ctx: CodecContext): string[] {
  const first = min === undefined ? 0 : LOWEST.indexOf(min as never);
  const last = max === undefined ? GROUPS.length - 1 : HIGHEST.indexOf(max as never);
  if (first < 0)
    throw invalid({ ...ctx, field: AGE_PATHS[0] }, 'must be an age at which one of TikTok’s age groups begins', {
      allowed: LOWEST,
    });
  if (last < 0)
    throw invalid({ ...ctx, field: AGE_PATHS[1] }, 'must be an age at which one of TikTok’s age groups ends', {
      allowed: HIGHEST,
    });
  if (first > last) throw invalid({ ...ctx, field: AGE_PATHS[1] }, 'must not be below age_min');
  return GROUPS.slice(first, last + 1).map(([name]) => name);
}

/** age_groups <-> age_min and age_max. */
export const ages: Codec = custom({
  name: 'tiktok.ageGroups',
  decode(native) {
    const range = agesOf(native);
    return range === undefined ? {} : { [AGE_PATHS[0]]: range.min, [AGE_PATHS[1]]: range.max };
  },
  encode(unified, ctx) {
    const given = unified as Record<string, unknown>;
    return groupsOf(given[AGE_PATHS[0]], given[AGE_PATHS[1]], ctx);
  },
});

/**
 * Dimensions of the integrated report besides ids and time. Which dimension belongs to which report type: TikTok docs
 * 1751087777884161 (reporting overview) and the pages of the report types; the label texts of `platform`,
 * `ac`, `placement` and `device_brand_id` are (unverified).
 *
 * A label is either a property of the ad or drawn for each half-hour slot from what the ad group targets, by a hash:
 * every breakdown is a grouping of the same slots.
 */
import { mix } from '../kit/delivery.ts';
import { hash32, unit } from '../kit/random.ts';
import type { Run } from './ledger.ts';
import { CITIES, COUNTRIES, PROVINCES, US_DMAS } from './regions-table.ts';
import { INTERESTS } from './tools-table.ts';
import type { Advertiser, Native } from './types.ts';

export type ReportType = 'BASIC' | 'AUDIENCE' | 'CATALOG' | 'PLAYABLE_MATERIAL';

/** Stands where a dimension does not apply to a row. */
export const NO_LABEL = '-';

interface Slot {
  run: Run;
  advertiser: Advertiser;
  /** 0 <= value < 1, of this slot; another `salt` is another draw. */
  draw(salt: number): number;
}

/** One breakdown. */
export interface Dimension {
  name: string;
  reports: readonly ReportType[];
  /** Drawn per slot; otherwise the same for all of an ad's delivery. */
  perSlot: boolean;
  label(slot: Slot): string;
}

/** A label with its weight. */
type Choice = readonly (readonly [string, number])[];

function choose(choice: Choice, draw: number): string {
  let sum = 0;
  for (const [, weight] of choice) sum += weight;
  let rest = draw * sum;
  for (const [label, weight] of choice) {
    rest -= weight;
    if (rest < 0) return label;
  }
  return choice.at(-1)?.[0] ?? NO_LABEL;
}

/** Equal parts would look drawn by a ruler: the first label gets most. */
const falling = (labels: readonly string[]): Choice => labels.map((label, i) => [label, 1 / (i + 1)] as const);

const list = (row: Native, field: string): readonly string[] => {
  const value = row[field];
  return Array.isArray(value) ? value.map(String) : [];
};

const countryOfPlace = new Map<string, string>();
const provinceOfPlace = new Map<string, string>();
for (const [code, id] of COUNTRIES) countryOfPlace.set(id, code);
for (const [code, provinces] of Object.entries(PROVINCES)) {
  for (const [id] of provinces) {
    countryOfPlace.set(id, code);
    provinceOfPlace.set(id, id);
  }
}
for (const [id, , province] of CITIES) {
  const code = countryOfPlace.get(province);
  if (code) countryOfPlace.set(id, code);
  provinceOfPlace.set(id, province);
}
for (const [id] of US_DMAS) countryOfPlace.set(id, 'US');

/** Choices are asked for once per slot; ad groups are replaced, never changed, so they can be kept by row. */
const remembered = new WeakMap<Native, Map<string, Choice>>();
function kept(row: Native, name: string, make: () => Choice): Choice {
  let choices = remembered.get(row);
  if (!choices) {
    choices = new Map();
    remembered.set(row, choices);
  }
  let choice = choices.get(name);
  if (!choice) {
    choice = make();
    choices.set(name, choice);
  }
  return choice;
}

const country = ({ run, advertiser, draw }: Slot): string =>
  choose(
    kept(run.adgroup, 'country', () => {
      const codes = new Set<string>();
      for (const place of list(run.adgroup, 'location_ids')) {
        const code = countryOfPlace.get(place);
        if (code) codes.add(code);
      }
      return falling(codes.size > 0 ? [...codes] : [advertiser.country]);
    }),
    draw(1),
  );

const province = (slot: Slot): string => {
  const code = country(slot);
  const { adgroup } = slot.run;
  const choice = kept(adgroup, `province ${code}`, () => {
    const targeted = new Set<string>();
    for (const place of list(adgroup, 'location_ids')) {
      const id = provinceOfPlace.get(place);
      if (id && countryOfPlace.get(id) === code) targeted.add(id);
    }
    const places = targeted.size > 0 ? [...targeted] : (PROVINCES[code] ?? []).map(([id]) => id);
    // The table is in alphabetical order: by its place in it, Alabama would be the largest state.
    return places.map((id) => [id, 0.05 + unit('province', id) ** 3] as const);
  });
  return choice.length === 0 ? NO_LABEL : choose(choice, slot.draw(2));
};

const ALL_AGES: Choice = [
  ['AGE_18_24', 31],
  ['AGE_25_34', 33],
  ['AGE_35_44', 17],
  ['AGE_45_54', 9],
  ['AGE_55_100', 6],
  ['NONE', 4],
];

const age = ({ run, draw }: Slot): string =>
  choose(
    kept(run.adgroup, 'age', () => {
      const groups = list(run.adgroup, 'age_groups');
      return groups.length === 0 ? ALL_AGES : groups.map((group) => [group, 1] as const);
    }),
    draw(3),
  );

const GENDERS: Choice = [
  ['FEMALE', 53],
  ['MALE', 45],
  ['NONE', 2],
];

const gender = ({ run, draw }: Slot): string => {
  const targeted = run.adgroup['gender'];
  if (targeted === 'GENDER_MALE' || targeted === 'GENDER_FEMALE') return targeted.slice('GENDER_'.length);
  return choose(GENDERS, draw(4));
};

const platform = ({ run, draw }: Slot): string =>
  choose(
    kept(run.adgroup, 'platform', () => {
      const systems = list(run.adgroup, 'operating_systems');
      const promotion = run.adgroup['promotion_type'];
      const android = systems.includes('ANDROID') || promotion === 'APP_ANDROID';
      const ios = systems.includes('IOS') || promotion === 'APP_IOS';
      const both = android === ios;
      const choice: [string, number][] = [];
      if (both || android) choice.push(['ANDROID', 48]);
      if (both || ios) choice.push(['IPHONE', 46], ['IPAD', 6]);
      return choice;
    }),
    draw(5),
  );

const NETWORKS: Choice = [
  ['WIFI', 56],
  ['4G', 24],
  ['5G', 18],
  ['3G', 2],
];

const network = ({ run, draw }: Slot): string =>
  choose(
    kept(run.adgroup, 'ac', () => {
      const types = list(run.adgroup, 'network_types');
      return types.length === 0 ? NETWORKS : types.map((type) => [type, 1] as const);
    }),
    draw(6),
  );

const LANGUAGE_OF: Readonly<Record<string, string>> = {
  JP: 'ja',
  DE: 'de',
  AT: 'de',
  FR: 'fr',
  ES: 'es',
  MX: 'es',
  IT: 'it',
  BR: 'pt',
  PT: 'pt',
  KW: 'ar',
  SA: 'ar',
  AE: 'ar',
  KR: 'ko',
  TH: 'th',
  VN: 'vi',
  ID: 'id',
  TR: 'tr',
  PL: 'pl',
};

const language = (slot: Slot): string => {
  const targeted = list(slot.run.adgroup, 'languages');
  if (targeted.length > 0) return targeted[Math.floor(slot.draw(7) * targeted.length)]!;
  const own = LANGUAGE_OF[country(slot)];
  return own === undefined || slot.draw(7) < 0.12 ? 'en' : own;
};

const placement = ({ run, draw }: Slot): string =>
  choose(
    kept(run.adgroup, 'placement', () => {
      const placements = list(run.adgroup, 'placements');
      return falling(placements.length > 0 ? placements : ['PLACEMENT_TIKTOK', 'PLACEMENT_PANGLE']);
    }),
    draw(8),
  );

const INTEREST_IDS = INTERESTS.map(([id]) => id);

const interest = ({ run, draw }: Slot): string =>
  choose(
    kept(run.adgroup, 'interest', () => {
      const targeted = list(run.adgroup, 'interest_category_ids');
      return falling(targeted.length > 0 ? targeted : INTEREST_IDS);
    }),
    draw(9),
  );

const DMAS = falling(US_DMAS.map(([id]) => id));
const BRANDS = falling(['Apple', 'Samsung', 'Xiaomi', 'OPPO', 'vivo', 'Google', 'HONOR', 'Motorola']);
const TERMS = falling(['running shoes', 'gift ideas', 'skin care routine', 'best deals', 'how to']);

const property =
  (row: 'ad' | 'adgroup' | 'campaign', ...fields: readonly string[]) =>
  ({ run }: Slot): string => {
    for (const field of fields) {
      const value = run[row][field];
      const first = Array.isArray(value) ? value[0] : value;
      if (first !== undefined && first !== null && first !== '' && first !== 0) return String(first);
    }
    return NO_LABEL;
  };

const none = () => NO_LABEL;
/** Part of the delivery on search result pages, for ad groups that are open to them. */
const onSearch = ({ run, draw }: Slot) => run.adgroup['search_result_enabled'] === true && draw(10) < 0.1;

const AUDIENCE: readonly ReportType[] = ['AUDIENCE'];
const BASIC: readonly ReportType[] = ['BASIC'];
const CATALOG: readonly ReportType[] = ['CATALOG'];

const dimension = (
  name: string,
  reports: readonly ReportType[],
  perSlot: boolean,
  label: Dimension['label'],
): Dimension => ({ name, reports, perSlot, label });

/** All breakdowns by name. */
export const DIMENSIONS: ReadonlyMap<string, Dimension> = new Map(
  [
    dimension('country_code', ['BASIC', 'AUDIENCE', 'PLAYABLE_MATERIAL'], true, country),
    dimension('ad_type', BASIC, true, (slot) => (onSearch(slot) ? 'Search' : NO_LABEL)),
    dimension('search_terms', BASIC, true, (slot) => (onSearch(slot) ? choose(TERMS, slot.draw(11)) : NO_LABEL)),
    dimension('search_keyword', BASIC, false, none),
    dimension('match_type', BASIC, false, none),
    dimension('custom_event_type', BASIC, false, property('adgroup', 'optimization_event')),
    dimension('event_source_id', BASIC, false, property('adgroup', 'pixel_id', 'app_id')),
    dimension('page_id', BASIC, false, property('ad', 'page_id')),
    dimension('component_name', BASIC, false, none),
    dimension('room_id', BASIC, false, none),
    dimension('post_id', BASIC, false, property('ad', 'tiktok_item_id')),
    dimension('image_id', BASIC, false, property('ad', 'image_ids')),
    dimension('video_material_id', BASIC, false, property('ad', 'video_id')),
    dimension('minis_id', BASIC, false, none),
    dimension('skan_postback_sequence', BASIC, false, none),
    dimension('age', AUDIENCE, true, age),
    dimension('gender', AUDIENCE, true, gender),
    dimension('language', AUDIENCE, true, language),
    dimension('platform', AUDIENCE, true, platform),
    dimension('ac', AUDIENCE, true, network),
    dimension('interest_category', AUDIENCE, true, interest),
    dimension('interest_category_v2', AUDIENCE, true, interest),
    dimension('placement', AUDIENCE, true, placement),
    dimension('province_id', AUDIENCE, true, province),
    dimension('dma', AUDIENCE, true, (slot) => (country(slot) === 'US' ? choose(DMAS, slot.draw(12)) : NO_LABEL)),
    dimension('device_brand_id', AUDIENCE, true, ({ draw }) => choose(BRANDS, draw(13))),
    dimension('contextual_tag', AUDIENCE, false, property('adgroup', 'contextual_tag_ids')),
    dimension('catalog_id', CATALOG, false, property('adgroup', 'catalog_id')),
    dimension('product_set_id', CATALOG, false, property('ad', 'product_set_id')),
    dimension('product_id', CATALOG, false, property('ad', 'sku_ids', 'item_group_ids')),
    dimension('playable_id', ['PLAYABLE_MATERIAL'], false, ({ run }) => String(hash32(String(run.ad['playable_url'])))),
  ].map((one) => [one.name, one]),
);

/** Draws for one slot of one ad's day. */
export function slotDraw(run: Run, day: number, slot: number): (salt: number) => number {
  const key = mix(run.profile.key, day * 64 + slot + 0x8000000);
  return (salt) => mix(key, salt) / 0x1_0000_0000;
}

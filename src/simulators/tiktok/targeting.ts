import { hash32 } from '../kit/random.ts';
import { CITIES, COUNTRIES, PROVINCES, US_DMAS } from './regions-table.ts';
import { ACTIONS, CARRIERS, DEVICES, INTERESTS, type InterestNode, LANGUAGES } from './tools-table.ts';

/** The targeting tables as things that can be looked up by id. Pure; built on first use. */

/** One place as tool/region answers it (TikTok docs 1737189539571713). */
export interface Region {
  location_id: string;
  name: string;
  level: 'COUNTRY' | 'PROVINCE' | 'CITY';
  parent_id: string;
  region_code: string;
  country_code: string;
  next_level_ids: string[];
  area_type: 'ADMIN' | 'METROPOLITAN_OR_DMA';
  support_below_18: boolean;
}

const once = <T>(make: () => T): (() => T) => {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

/** Every place, countries first, by location id. */
export const regions: () => ReadonlyMap<string, Region> = once(() => {
  const all = new Map<string, Region>();
  const add = (region: Omit<Region, 'next_level_ids' | 'support_below_18'>) => {
    // Ads to people below 18 are not delivered in the United States (code 40065) and the EU; the rest (unverified).
    all.set(region.location_id, {
      ...region,
      next_level_ids: [],
      support_below_18: !NO_MINORS.has(region.country_code),
    });
    all.get(region.parent_id)?.next_level_ids.push(region.location_id);
  };
  for (const [code, id, name] of COUNTRIES) {
    add({
      location_id: id,
      name,
      level: 'COUNTRY',
      parent_id: '0',
      region_code: code,
      country_code: code,
      area_type: 'ADMIN',
    });
  }
  for (const [code, provinces] of Object.entries(PROVINCES)) {
    const country = COUNTRIES.find((row) => row[0] === code)!;
    for (const [id, name] of provinces) {
      add({
        location_id: id,
        name,
        level: 'PROVINCE',
        parent_id: country[1],
        region_code: code,
        country_code: code,
        area_type: 'ADMIN',
      });
    }
  }
  for (const [id, name, parent] of CITIES) {
    const code = all.get(parent)!.country_code;
    add({
      location_id: id,
      name,
      level: 'CITY',
      parent_id: parent,
      region_code: code,
      country_code: code,
      area_type: 'ADMIN',
    });
  }
  for (const [id, name] of US_DMAS) {
    add({
      location_id: id,
      name,
      level: 'PROVINCE',
      parent_id: '6252001',
      region_code: 'US',
      country_code: 'US',
      area_type: 'METROPOLITAN_OR_DMA',
    });
  }
  return all;
});

const NO_MINORS = new Set(
  'US AT BE BG CH CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK'.split(' '),
);

/** Names of places above a place, nearest first: `California, United States`. */
export function describeRegion(region: Region): string {
  const names: string[] = [];
  for (let at = regions().get(region.parent_id); at; at = regions().get(at.parent_id)) names.push(at.name);
  return names.join(', ');
}

/** One interest category as tool/interest_category answers it. */
export interface Interest {
  interest_category_id: string;
  interest_category_name: string;
  level: number;
  sub_category_ids: string[];
}

/** Every interest category, parents before children. */
export const interests: () => readonly Interest[] = once(() => {
  const all: Interest[] = [];
  const walk = ([id, name, children = []]: InterestNode, level: number) => {
    all.push({
      interest_category_id: id,
      interest_category_name: name,
      level,
      sub_category_ids: children.map((child) => child[0]),
    });
    for (const child of children) walk(child, level + 1);
  };
  for (const root of INTERESTS) walk(root, 1);
  return all;
});

/** Carriers by country, with ids that do not change between runs. */
export const carriers = once(() =>
  Object.entries(CARRIERS).map(([country_code, rows]) => ({
    country_code,
    carriers: rows.map(([name, networks]) => ({
      carrier_id: String(10_000 + (hash32('carrier', country_code, name) % 89_999)),
      in_use: true,
      name,
      value: networks.map((hni_id) => ({ hni_id, in_use: true })),
    })),
  })),
);

/** One brand, series or model as tool/device_model answers it. */
export interface Device {
  device_model_id: string;
  device_model_name: string;
  child_device_ids: string[];
  is_active: boolean;
  level: 'BRAND' | 'SERIES' | 'MODEL';
  os_type: 'ANDROID' | 'IOS';
}

/** Every device, parents before children. */
export const devices: () => readonly Device[] = once(() => {
  const all: Device[] = [];
  const add = (level: Device['level'], os_type: Device['os_type'], path: string[]): Device => {
    const device: Device = {
      device_model_id: String(1_000_000_000 + hash32('device', ...path)),
      device_model_name: path.at(-1)!,
      child_device_ids: [],
      is_active: true,
      level,
      os_type,
    };
    all.push(device);
    return device;
  };
  for (const [brand, os, series] of DEVICES) {
    const top = add('BRAND', os, [brand]);
    for (const [name, models] of series) {
      const middle = add('SERIES', os, [brand, name]);
      top.child_device_ids.push(middle.device_model_id);
      for (const model of models) middle.child_device_ids.push(add('MODEL', os, [brand, name, model]).device_model_id);
    }
  }
  return all;
});

const idSets = {
  location_ids: once(() => new Set(regions().keys())),
  interest_category_ids: once(() => new Set(interests().map((row) => row.interest_category_id))),
  languages: once(() => new Set(LANGUAGES.map((row) => row[0]))),
  carrier_ids: once(() => new Set(carriers().flatMap((row) => row.carriers.map((carrier) => carrier.carrier_id)))),
  device_model_ids: once(() => new Set(devices().map((row) => row.device_model_id))),
  action_category_ids: once(() => new Set(ACTIONS.flatMap((row) => [row[0], ...row[3].map((child) => child[0])]))),
};

/** The members of a targeting list that no tool offers. */
export function unknownTargets(list: keyof typeof idSets, ids: readonly unknown[]): string[] {
  const known = idSets[list]();
  return ids.map(String).filter((id) => !known.has(id));
}

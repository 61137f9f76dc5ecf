import { hash32 } from '../../kit/random.ts';
import { advertiserId } from '../params.ts';
import { describeRegion, type Region, regions } from '../targeting.ts';
import type { Call, Endpoint, Param } from '../types.ts';

/** Search for places and internet providers: tool/targeting/{search,info,list}. Shapes: yml tool_targeting_search, _info, _list. */

/** Internet providers by country; their names are real, their ids the simulator's own. */
const PROVIDERS: Readonly<Record<string, readonly string[]>> = {
  US: ['Comcast', 'Charter', 'AT&T Internet', 'Verizon Fios'],
  GB: ['BT', 'Sky Broadband', 'Virgin Media'],
  DE: ['Deutsche Telekom', 'Vodafone Kabel', '1&1'],
  JP: ['NTT Flets', 'SoftBank Hikari'],
  FR: ['Orange', 'Free', 'SFR'],
};

const ENABLED = { status: 'ENABLED', reason: '' };

const geo = (row: Region) => ({
  geo_id: row.location_id,
  geo_type: row.area_type === 'METROPOLITAN_OR_DMA' ? 'DMA' : row.level,
  description: describeRegion(row),
  region_code: row.region_code,
  parent_id: row.parent_id,
});

const tag = (row: Region) => ({
  targeting_type: 'GEO',
  name: row.name,
  status_info: ENABLED,
  geo: geo(row),
  isp: null,
});

/** The places above the found ones, each once. */
function parentsOf(rows: readonly Region[]) {
  const parents = new Map<string, Region>();
  for (const row of rows) {
    for (let at = regions().get(row.parent_id); at; at = regions().get(at.parent_id)) parents.set(at.location_id, at);
  }
  return [...parents.values()].map(tag);
}

/** One keyword's places: names that begin with it for a fuzzy search, that are it (or have its id) for a batch. */
function find(keyword: string, fuzzy: boolean, accept: (row: Region) => boolean): Region[] {
  const word = keyword.trim().toLowerCase();
  const found: Region[] = [];
  for (const row of regions().values()) {
    const name = row.name.toLowerCase();
    const hit = fuzzy ? name.startsWith(word) || name.includes(` ${word}`) : name === word || row.location_id === word;
    if (hit && accept(row)) found.push(row);
    if (found.length >= 50) break;
  }
  return found;
}

function search(call: Call): unknown {
  const { params } = call;
  const types = params['geo_types'] as string[] | undefined;
  const codes = params['region_codes'] as string[] | undefined;
  const accept = (row: Region) =>
    (!types || types.includes(geo(row).geo_type)) && (!codes || codes.includes(row.region_code));
  // Postcodes are in no table here: that search finds nothing.
  const kind = params['search_type'];
  const hits = (params['keywords'] as string[]).map((keyword) => ({
    keyword,
    rows: kind === 'BATCH_ZIPCODE_SEARCH' ? [] : find(keyword, kind === 'FUZZY_SEARCH', accept),
  }));
  return {
    targeting_tag_list: hits.flatMap(({ keyword, rows }) => rows.map((row) => ({ keyword, ...tag(row) }))),
    parent_tags: parentsOf(hits.flatMap((hit) => hit.rows)),
  };
}

interface Provider {
  isp_id: string;
  name: string;
  location_id: string;
  region_code: string;
}

function providers(): Provider[] {
  return Object.entries(PROVIDERS).flatMap(([region_code, names]) => {
    const country = [...regions().values()].find((row) => row.level === 'COUNTRY' && row.region_code === region_code)!;
    return names.map((name) => ({
      isp_id: String(2_000_000 + (hash32('isp', region_code, name) % 1_000_000)),
      name,
      location_id: country.location_id,
      region_code,
    }));
  });
}

const providerTag = ({ name, ...isp }: Provider) => ({
  targeting_type: 'ISP',
  name,
  status_info: ENABLED,
  geo: null,
  isp,
});

function info(call: Call): unknown {
  const ids = call.params['targeting_ids'] as string[];
  if (call.params['scene'] === 'ISP') {
    return {
      targeting_tag_list: providers()
        .filter((row) => ids.includes(row.isp_id))
        .map(providerTag),
      parent_tags: [],
    };
  }
  const rows = ids.map((id) => regions().get(id)).filter((row) => row !== undefined);
  return { targeting_tag_list: rows.map(tag), parent_tags: parentsOf(rows) };
}

function list(call: Call): unknown {
  const ids = call.params['location_ids'] as string[];
  const codes = new Set(ids.map((id) => regions().get(id)?.region_code));
  return {
    targeting_tag_list: providers()
      .filter((row) => codes.has(row.region_code))
      .map(providerTag),
    parent_tags: [],
  };
}

const words = (name: string, required = false): Param => ({
  name,
  type: 'array',
  required,
  items: { type: 'string' },
  max: 1000,
});
const common: Param[] = [
  { name: 'operating_system', type: 'string', enum: ['ANDROID', 'IOS'] },
  { name: 'promotion_type', type: 'string' },
  { name: 'brand_safety_type', type: 'string' },
  { name: 'brand_safety_partner', type: 'string' },
];

/** Search for places and providers. */
export const endpoints: Endpoint[] = [
  {
    method: 'POST',
    path: 'tool/targeting/search',
    auth: 'token',
    scopes: [],
    params: [
      advertiserId,
      words('keywords', true),
      words('placements', true),
      { name: 'objective_type', type: 'string', required: true },
      {
        name: 'search_type',
        type: 'string',
        required: true,
        enum: ['FUZZY_SEARCH', 'BATCH_REGION_SEARCH', 'BATCH_ZIPCODE_SEARCH'],
      },
      {
        name: 'geo_types',
        type: 'array',
        items: {
          type: 'string',
          enum: ['CITY', 'COUNTRY', 'DISTRICT', 'DMA', 'POST_TOWN', 'PROVINCE', 'TOWN', 'ZIP_CODE'],
        },
      },
      words('region_codes'),
      ...common,
    ],
    handle: search,
  },
  {
    method: 'POST',
    path: 'tool/targeting/info',
    auth: 'token',
    scopes: [],
    params: [
      advertiserId,
      words('targeting_ids', true),
      { name: 'scene', type: 'string', enum: ['GEO', 'ISP'] },
      words('placements'),
      { name: 'objective_type', type: 'string' },
      ...common,
    ],
    handle: info,
  },
  {
    method: 'GET',
    path: 'tool/targeting/list',
    auth: 'token',
    scopes: [],
    params: [
      advertiserId,
      { name: 'scene', type: 'string', required: true, enum: ['ISP'] },
      words('location_ids', true),
    ],
    handle: list,
  },
];

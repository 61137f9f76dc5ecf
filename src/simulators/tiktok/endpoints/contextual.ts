import { advertiserId } from '../params.ts';
import { COUNTRIES } from '../regions-table.ts';
import { interests } from '../targeting.ts';
import { ACTIONS } from '../tools-table.ts';
import type { Call, Endpoint } from '../types.ts';

/** Contextual tags and recommended categories: tool/contextual_tag/{get,info}, tool/targeting_category/recommend. Shapes: the yml documents. */

const OBJECTIVES = ['REACH', 'VIDEO_VIEWS', 'RF_REACH'];

/** Kinds of videos that ads can appear next to: [id, name, premium]. Names and ids (unverified). */
const TAGS: readonly (readonly [string, string, boolean])[] = [
  ['7210000000000000101', 'Beauty & Personal Care', false],
  ['7210000000000000102', 'Food & Beverage', false],
  ['7210000000000000103', 'Gaming', false],
  ['7210000000000000104', 'Sports & Recreation', false],
  ['7210000000000000105', 'Automotive', false],
  ['7210000000000000106', 'Travel', false],
  ['7210000000000000201', 'Max Pulse', true],
  ['7210000000000000202', 'Fashion Pulse', true],
];

const view = ([contextual_tag_id, name, premium]: (typeof TAGS)[number]) => ({
  contextual_tag_id,
  name,
  description: `Videos about ${name.toLowerCase()}`,
  type: premium ? 'PREMIUM' : 'GENERAL',
  content_lineup_type: premium ? 'MAX_PULSE' : 'CUSTOM',
  status: 'ONLINE',
  objective_types: OBJECTIVES,
  region_codes: ['US', 'GB', 'DE', 'FR', 'JP', 'AU', 'CA'],
});

function recommend(call: Call): unknown {
  const codes = (call.params['region_codes'] as string[] | undefined) ?? [];
  // The same for the same places: a slice of the trees that starts where the places say.
  const start = codes.reduce((sum, code) => sum + COUNTRIES.findIndex((row) => row[0] === code) + 1, 0);
  const roots = interests().filter((row) => row.level === 1);
  return {
    interest_categories: [0, 1, 2].map((i) => ({
      ...roots[(start + i * 5) % roots.length],
      special_industries: [],
      placements: ['PLACEMENT_TIKTOK'],
    })),
    action_categories: [0, 1].map((i) => {
      const [action_category_id, action_scene, name, children] = ACTIONS[(start + i * 3) % ACTIONS.length]!;
      const sub_category_ids = children.map((child) => child[0]);
      return {
        action_category_id,
        action_scene,
        name,
        description: name,
        level: 1,
        sub_category_ids,
        special_industries: [],
      };
    }),
  };
}

/** Contextual tags and recommended categories. */
export const endpoints: Endpoint[] = [
  {
    method: 'GET',
    path: 'tool/contextual_tag/get',
    auth: 'token',
    scopes: [],
    params: [
      advertiserId,
      { name: 'objective_type', type: 'string', required: true, enum: OBJECTIVES },
      { name: 'region_codes', type: 'array', items: { type: 'string' } },
      { name: 'brand_safety_type', type: 'string' },
      { name: 'rf_campaign_type', type: 'string', enum: ['PULSE', 'STANDARD'] },
    ],
    handle(call) {
      const codes = call.params['region_codes'] as string[] | undefined;
      const tags = TAGS.map(view).filter((tag) => !codes || codes.every((code) => tag.region_codes.includes(code)));
      return { contextual_tag_list: tags };
    },
  },
  {
    method: 'GET',
    path: 'tool/contextual_tag/info',
    auth: 'token',
    scopes: [],
    params: [advertiserId, { name: 'contextual_tag_ids', type: 'array', required: true, items: { type: 'string' } }],
    handle(call) {
      const ids = call.params['contextual_tag_ids'] as string[];
      return { contextual_tag_list: TAGS.filter((tag) => ids.includes(tag[0])).map(view) };
    },
  },
  {
    method: 'POST',
    path: 'tool/targeting_category/recommend',
    auth: 'token',
    scopes: [],
    params: [
      advertiserId,
      { name: 'app_id', type: 'string' },
      { name: 'region_codes', type: 'array', items: { type: 'string' } },
    ],
    handle: recommend,
  },
];

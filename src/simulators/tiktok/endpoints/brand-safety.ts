import { hash32 } from '../../kit/random.ts';
import { reads, textsOf, writes } from '../declared.ts';
import { fatigueOf } from '../fatigue.ts';
import { page } from '../paging.ts';
import { advertiserIdOf } from '../params.ts';
import { given, invalid, owned, readTime } from '../rules.ts';
import type { Call, Endpoint, Native } from '../types.ts';

/**
 * Where ads may stand, and how tired their viewers are: tiktok_inventory_filters/* and creative_fatigue/get (independent
 * transcription of the reference), pangle_block_list/*, pangle_audience_package/get,
 * tool/brand_safety/partner/authorize/status (yml of each).
 */

interface AccountSettings extends Native {
  inventory: Record<string, unknown>;
  blocked_apps: string[];
  blocked_time: string | null;
}

const DEFAULT_INVENTORY = {
  cover_all_ad_objectives: false,
  brand_safety_type: 'EXPANDED_INVENTORY',
  category_exclusion_ids: [],
  vertical_sensitivity_id: null,
};

const collection = (call: Call) => call.world.store.collection<AccountSettings>('brand_safety');

const settingsOf = (call: Call): AccountSettings =>
  collection(call).get(advertiserIdOf(call)) ?? {
    id: advertiserIdOf(call),
    advertiser_id: advertiserIdOf(call),
    inventory: DEFAULT_INVENTORY,
    blocked_apps: [],
    blocked_time: null,
  };

function updateInventory(call: Call): unknown {
  const row = settingsOf(call);
  const inventory = { ...row.inventory };
  for (const name of Object.keys(DEFAULT_INVENTORY)) if (given(call.params, name)) inventory[name] = call.params[name];
  collection(call).put({ ...row, inventory });
  return inventory;
}

function updateBlockList(call: Call): unknown {
  const row = settingsOf(call);
  const add = textsOf(call, 'add_app_list') ?? [];
  const remove = textsOf(call, 'delete_app_list') ?? [];
  const clear = call.params['clear_old_app'] === true;
  if (add.length === 0 && remove.length === 0 && !clear) invalid('Missing required field(s): add_app_list.');
  const before = clear ? [] : row.blocked_apps;
  const kept = before.filter((app) => !remove.includes(app));
  const added = [...new Set(add)].filter((app) => !kept.includes(app));
  collection(call).put({ ...row, blocked_apps: [...kept, ...added], blocked_time: call.world.stamp(call.now) });
  return { success_count: added.length + (before.length - kept.length) };
}

const blockList = (call: Call) => {
  const { blocked_apps, blocked_time } = settingsOf(call);
  const app_package_id = blocked_apps.length === 0 ? null : `72${hash32('block list', advertiserIdOf(call))}`;
  return { app_list: blocked_apps, app_package_id, modify_time: blocked_time };
};

const PACKAGES = [
  ['Casual games', 'INCLUDE'],
  ['Utilities', 'EXCLUDE'],
] as const;

function packages(call: Call): unknown {
  return {
    packages: PACKAGES.map(([package_name, bind_type]) => ({
      package_id: `73${hash32('pangle package', advertiserIdOf(call), package_name)}`,
      package_name,
      bind_type,
    })),
  };
}

/** One row for each day of the range: tired on the days that the control API named. At most 30 days (unverified). */
function fatigue(call: Call): unknown {
  const { world, params } = call;
  const ad = owned(world.ads, 'ad', params['ad_id'], advertiserIdOf(call));
  const { start_date, end_date } = (params['filtering'] ?? {}) as { start_date?: string; end_date?: string };
  const today = world.stamp(call.now).slice(0, 10);
  const from = readTime('filtering.start_date', `${start_date ?? today} 00:00:00`).getTime();
  const to = readTime('filtering.end_date', `${end_date ?? today} 00:00:00`).getTime();
  if (to < from) invalid('filtering.end_date: It must not be earlier than start_date.');
  if (to - from > 30 * 86_400_000) invalid('filtering: The range must not be longer than 30 days.');
  const rows: Record<string, unknown>[] = [];
  for (let at = from; at <= to; at += 86_400_000) {
    const date = world.stamp(new Date(at)).slice(0, 10);
    const marked = fatigueOf(world).get(`${ad.id}:${date}`);
    const fatigue_index = marked?.fatigue_index ?? hash32('fatigue', ad.id, date) % 40;
    const dnu = 500 + (hash32('dnu', ad.id, date) % 4_000);
    rows.push({
      adgroup_id: ad['adgroup_id'],
      ad_id: ad.id,
      date,
      metrics: {
        has_fatigue: marked !== undefined,
        fatigue_index,
        dnu,
        dnu_ratio: Number(((100 - fatigue_index) / 100).toFixed(2)),
        spend: 0,
        cost_per_conversion: 0,
        skan_cost_per_conversion: 0,
      },
    });
  }
  return page(rows, call, 100);
}

/** Brand safety and creative fatigue. */
export const endpoints: Endpoint[] = [
  reads('tiktok_inventory_filters/get', (call) => settingsOf(call).inventory),
  writes('tiktok_inventory_filters/update', updateInventory),
  reads('pangle_block_list/get', blockList),
  writes('pangle_block_list/update', updateBlockList),
  reads('pangle_audience_package/get', packages),
  reads('tool/brand_safety/partner/authorize/status', () => ({ status: 'UNAUTHORIZED' })),
  reads('creative_fatigue/get', fatigue),
];

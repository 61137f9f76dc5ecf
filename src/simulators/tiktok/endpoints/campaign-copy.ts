import { advertiserId, advertiserIdOf } from '../params.ts';
import { checkBudget, checkName, checkRequestId, given, invalid, missing, owned, readTime } from '../rules.ts';
import { type Creative, creativesOf, isLegacy, isUpgraded, putSmartAd, smartAds } from '../smart-plus.ts';
import { type Call, type Endpoint, type Native, type Param, TikTokError, type World } from '../types.ts';

/**
 * Copies of campaigns with their ad groups and ads: campaign/copy/task/* and smart_plus/campaign/copy/task/*. A task runs
 * for a few seconds of the virtual clock. Members: an independent transcription of the reference; the time and the codes
 * are (unverified).
 */

type Values = Record<string, unknown>;

/** How long a copy is under way, in ms. */
const RUNS_MS = 3_000;

interface CopyTask {
  id: string;
  advertiser_id: string;
  smart: boolean;
  ends: number;
  result: Values;
  ads: number;
}

const tasks = (world: World) => world.store.collection<CopyTask>('copy_tasks');

const live = (rows: readonly Native[]) => rows.filter((row) => row['operation_status'] !== 'DELETE');

interface AdgroupWish {
  adgroup_id: string;
  adgroup_name?: string;
  operation_status?: string;
  budget?: number;
}

function create(call: Call, smart: boolean): unknown {
  const { world, params } = call;
  if (!given(params, 'request_id')) missing('request_id');
  const advertiser = world.advertisers.get(advertiserIdOf(call))!;
  const source = owned(world.campaigns, 'campaign', params['campaign_id'], advertiser.id);
  if (isUpgraded(source) !== smart || isLegacy(source)) {
    throw new TikTokError(40007, `The campaign ${source.id} does not exist.`);
  }
  if (source['operation_status'] === 'DELETE')
    invalid(`The campaign ${source.id} has been deleted and cannot be copied.`);
  checkName('campaign_name', params['campaign_name']);
  if (given(params, 'budget')) checkBudget('campaign', 'budget', params['budget'], advertiser);
  for (const name of ['schedule_start_time', 'schedule_end_time'])
    if (given(params, name)) readTime(name, params[name]);
  const request = checkRequestId(params['request_id'], world.campaigns.by('advertiser', advertiser.id), call.now);
  const wishes = params['adgroup_list'] as AdgroupWish[] | undefined;
  const groups = live(world.adgroups.by('campaign', source.id));
  const errors = (wishes ?? [])
    .filter((wish) => !groups.some((row) => row.id === wish.adgroup_id))
    .map((wish) => ({
      adgroup_id: wish.adgroup_id,
      error_message: `The ad group ${wish.adgroup_id} does not exist.`,
    }));
  const at = world.stamp(call.now);
  const fresh = { create_time: at, modify_time: at };
  const campaignId = world.nextId();
  const campaign: Native = {
    ...source,
    ...fresh,
    id: campaignId,
    campaign_id: campaignId,
    campaign_name: params['campaign_name'] ?? `${String(source['campaign_name'])} - Copy`,
    operation_status: params['operation_status'] ?? 'ENABLE',
    ...(given(params, 'budget') ? { budget: params['budget'] } : {}),
    ...request,
  };
  world.campaigns.put(campaign);
  let ads = 0;
  const adgroup_result_list = groups
    .filter((row) => wishes === undefined || wishes.some((wish) => wish.adgroup_id === row.id))
    .map((row) => {
      const wish = wishes?.find((one) => one.adgroup_id === row.id);
      const adgroupId = world.nextId();
      const schedule = Object.fromEntries(
        ['schedule_type', 'schedule_start_time', 'schedule_end_time'].flatMap((name) =>
          given(params, name) ? [[name, params[name]]] : [],
        ),
      );
      const { _request_id: _r, _request_ms: _m, ...members } = row;
      const copy: Native = {
        ...members,
        ...fresh,
        ...schedule,
        id: adgroupId,
        advertiser_id: advertiser.id,
        adgroup_id: adgroupId,
        campaign_id: campaignId,
        ...(wish?.adgroup_name === undefined ? {} : { adgroup_name: wish.adgroup_name }),
        ...(wish?.budget === undefined ? {} : { budget: wish.budget }),
        operation_status: wish?.operation_status ?? row['operation_status'],
      };
      world.adgroups.put(copy);
      const results = smart ? copySmartAds(world, row, copy) : copyAds(world, row, copy);
      ads += results.length;
      return {
        adgroup_id: adgroupId,
        adgroup_name: copy['adgroup_name'],
        total_ad_count: results.length,
        success_ad_count: results.length,
        adgroup_error_list: [],
        ad_status: 'SUCCESS',
        ...(smart ? { ad_result_list: results } : { is_smart_creative: false, ad_list_result: results }),
      };
    });
  const task: CopyTask = {
    id: world.nextId(),
    advertiser_id: advertiser.id,
    smart,
    ends: call.now.getTime() + RUNS_MS,
    ads,
    result: {
      campaign_id: campaignId,
      campaign_name: campaign['campaign_name'],
      campaign_error_infos: [],
      adgroup_result_list,
    },
  };
  tasks(world).put(task);
  return { task_id: task.id, adgroup_error_list: errors };
}

function copyAds(world: World, from: Native, to: Native): Values[] {
  const at = to['create_time'];
  return live(world.ads.by('adgroup', from.id)).map((row) => {
    const id = world.nextId();
    const { _review_from: _r, _status_time: _s, ...members } = row;
    world.ads.put({
      ...members,
      id,
      advertiser_id: row.advertiser_id,
      ad_id: id,
      campaign_id: to['campaign_id'],
      adgroup_id: to.id,
      create_time: at,
      modify_time: at,
    });
    return { is_success: true, ad_id: id, ad_name: row['ad_name'], ad_error_list: [] };
  });
}

function copySmartAds(world: World, from: Native, to: Native): Values[] {
  const at = to['create_time'];
  return live(smartAds(world).by('adgroup', from.id)).map((row) => {
    const id = world.nextId();
    const creative_list = creativesOf(row).map(
      (one): Creative => ({ ...one, ad_material_id: world.nextId(), _creative_id: world.nextId() }),
    );
    putSmartAd(world, {
      ...row,
      id,
      smart_plus_ad_id: id,
      ad_id_v2: id,
      campaign_id: to['campaign_id'],
      adgroup_id: to.id,
      creative_list,
      create_time: at,
      modify_time: at,
    });
    return { is_success: true, smart_plus_ad_id: id, ad_name: row['ad_name'], ad_error_list: [] };
  });
}

function check(call: Call, smart: boolean): unknown {
  const task = tasks(call.world).get(String(call.params['task_id']));
  if (task?.advertiser_id !== advertiserIdOf(call) || task.smart !== smart) {
    throw new TikTokError(40007, `The task ${String(call.params['task_id'])} does not exist.`);
  }
  const done = call.now.getTime() >= task.ends;
  return {
    task_status: done ? 'SUCCESS' : 'RUNNING',
    task_info: { total_ad_count: task.ads, success_ad_count: done ? task.ads : 0 },
    ...(done ? { task_result: task.result } : {}),
  };
}

const CREATE: readonly Param[] = [
  advertiserId,
  { name: 'campaign_id', type: 'string', required: true },
  { name: 'request_id', type: 'string' },
  { name: 'operation_status', type: 'string', enum: ['ENABLE', 'DISABLE'] },
  { name: 'campaign_name', type: 'string' },
  { name: 'budget', type: 'number' },
  { name: 'schedule_type', type: 'string', enum: ['SCHEDULE_FROM_NOW', 'SCHEDULE_START_END'] },
  { name: 'schedule_start_time', type: 'string' },
  { name: 'schedule_end_time', type: 'string' },
  { name: 'deep_copy_mode', type: 'string' },
  {
    name: 'adgroup_list',
    type: 'array',
    items: {
      type: 'object',
      fields: [
        { name: 'adgroup_id', type: 'string', required: true },
        { name: 'adgroup_name', type: 'string' },
        { name: 'operation_status', type: 'string', enum: ['ENABLE', 'DISABLE'] },
        { name: 'budget', type: 'number' },
      ],
    },
  },
];

const both = (smart: boolean): Endpoint[] => {
  const prefix = smart ? 'smart_plus/' : '';
  return [
    {
      method: 'POST',
      path: `${prefix}campaign/copy/task/create`,
      auth: 'token',
      scopes: ['201'],
      write: true,
      params: CREATE,
      handle: (call) => create(call, smart),
    },
    {
      method: 'GET',
      path: `${prefix}campaign/copy/task/check`,
      auth: 'token',
      scopes: ['200'],
      params: [advertiserId, { name: 'task_id', type: 'string', required: true }],
      handle: (call) => check(call, smart),
    },
  ];
};

/** Copies of campaigns, manual and Smart+. */
export const endpoints: Endpoint[] = [...both(false), ...both(true)];

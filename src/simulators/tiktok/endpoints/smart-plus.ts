import { checkAdgroupBudget, checkCommon, checkPlacement, checkPurpose, checkSchedule } from '../adgroup-rules.ts';
import { campaignRow, type ListSpec, listObjects, listParams, view } from '../objects.ts';
import { advertiserId, advertiserIdOf } from '../params.ts';
import { changeable, checkBudget, checkName, checkRequestId, given, invalid, missing, owned } from '../rules.ts';
import { isUpgraded } from '../smart-plus.ts';
import {
  SP_ADGROUP_CREATE,
  SP_ADGROUP_FILTERING,
  SP_ADGROUP_UPDATE,
  SP_CAMPAIGN_CREATE,
  SP_CAMPAIGN_FILTERING,
  SP_CAMPAIGN_UPDATE,
} from '../smart-plus-table.ts';
import { statusContext } from '../status.ts';
import { type Advertiser, type Call, type Endpoint, type Native, TikTokError } from '../types.ts';
import { ADGROUPS } from './adgroup.ts';
import { fieldsOf, statusParams } from './campaign.ts';

/**
 * Campaigns and ad groups of Upgraded Smart+: smart_plus/{campaign,adgroup}/*. Facts: official SDK yml, TikTok docs
 * 1843312818332930, 1843314879617026, 1843317378982914, 1843312888885314. Rules shared with manual objects are those of
 * the manual endpoints; that they are the same here is (unverified) where the yml does not say it.
 */

type Values = Record<string, unknown>;

const nulls = (names: readonly string[]): Values => Object.fromEntries(names.map((name) => [name, null]));

/** How smart_plus/campaign/get lists campaigns: Smart+ ones alone, nulls dropped. */
const CAMPAIGNS: ListSpec = {
  level: 'campaign',
  idField: 'campaign_id',
  nameField: 'campaign_name',
  rows: (call) => call.world.campaigns,
  only: isUpgraded,
  dropNulls: true,
  filtering: SP_CAMPAIGN_FILTERING,
  defaults: {
    ...nulls(['advertiser_id', 'campaign_id', 'create_time', 'modify_time', 'objective_type', 'app_promotion_type']),
    ...nulls(['sales_destination', 'app_id', 'bid_align_type', 'campaign_app_profile_page_state']),
    campaign_type: 'REGULAR_CAMPAIGN',
    is_advanced_dedicated_campaign: null,
    disable_skan_campaign: null,
    catalog_enabled: false,
    ...nulls(['catalog_type', 'campaign_name', 'special_industries']),
    budget_optimize_on: true,
    ...nulls(['budget_mode', 'budget_auto_adjust_strategy', 'budget', 'current_budget']),
    operation_status: 'ENABLE',
    secondary_status: null,
    smart_plus_adgroup_mode: 'MULTIPLE',
    ...nulls(['postback_window_mode', 'po_number', 'is_promotional_campaign', 'rta_id', 'rta_bid_enabled']),
    rta_product_selection_enabled: null,
  },
};

/** Members of an answered Smart+ ad group besides its input members. */
const SMART_ADGROUPS: ListSpec = {
  level: 'adgroup',
  idField: 'adgroup_id',
  nameField: 'adgroup_name',
  rows: (call) => call.world.adgroups,
  only: isUpgraded,
  dropNulls: true,
  filtering: SP_ADGROUP_FILTERING,
  defaults: {
    ...nulls(['advertiser_id', 'campaign_id', 'campaign_name', 'adgroup_id', 'adgroup_name']),
    ...nulls(SP_ADGROUP_CREATE.map((param) => param.name).filter((name) => name !== 'request_id')),
    operation_status: 'ENABLE',
    ...nulls(['pacing', 'current_budget', 'create_time', 'modify_time', 'secondary_status', 'skip_learning_phase']),
  },
  derived: (context, row) => ({
    campaign_name: campaignRow(context, row)?.['campaign_name'],
    // It is `deep_cpa_bid` in the manual endpoints (official yml).
    deep_cpabid: row['deep_cpa_bid'],
  }),
  matches: (context, row, name, value) => ADGROUPS.matches?.(context, row, name, value),
};

const advertiserOf = (call: Call): Advertiser => call.world.advertisers.get(advertiserIdOf(call))!;

const answer = (call: Call, spec: ListSpec, row: Native): Values =>
  Object.fromEntries(
    Object.entries(view(spec, statusContext(call.world, row.advertiser_id), row)).filter(([, value]) => value !== null),
  );

/** The Smart+ object that a call names; manual ones are not there for these endpoints (the code is unverified). */
function smart(call: Call, level: 'campaign' | 'adgroup', id: unknown, change = true): Native {
  const rows = level === 'campaign' ? call.world.campaigns : call.world.adgroups;
  const kind = level === 'campaign' ? 'campaign' : 'ad group';
  const row = (change ? changeable : owned)(rows, kind, id, advertiserIdOf(call));
  if (!isUpgraded(row)) throw new TikTokError(40007, `The Smart+ ${kind} ${row.id} does not exist.`);
  return row;
}

/** `request_id` is required here: without it the answer is 40002 (TikTok docs 1843312818332930). */
function requestOf(call: Call, siblings: readonly Native[]): Values {
  if (!given(call.params, 'request_id')) missing('request_id');
  return checkRequestId(call.params['request_id'], siblings, call.now);
}

function createCampaign(call: Call): unknown {
  const { world, params } = call;
  const advertiser = advertiserOf(call);
  checkName('campaign_name', params['campaign_name']);
  const shared = params['budget_optimize_on'] !== false;
  if (shared) {
    if (!given(params, 'budget_mode')) missing('budget_mode');
    if (!given(params, 'budget')) missing('budget');
    checkBudget('campaign', 'budget', params['budget'], advertiser);
  } else if (given(params, 'budget')) {
    invalid('budget: The budget can be set only when budget_optimize_on is true.');
  }
  if (params['objective_type'] === 'APP_PROMOTION') {
    if (!given(params, 'app_promotion_type')) missing('app_promotion_type');
    if (!given(params, 'app_id')) missing('app_id');
  }
  if (given(params, 'app_id')) owned(world.mobileApps, 'app', params['app_id'], advertiser.id);
  const request = requestOf(call, world.campaigns.by('advertiser', advertiser.id));
  const id = world.nextId();
  const at = world.stamp(call.now);
  const row: Native = {
    id,
    advertiser_id: advertiser.id,
    ...fieldsOf(params, SP_CAMPAIGN_CREATE),
    campaign_id: id,
    campaign_automation_type: 'UPGRADED_SMART_PLUS',
    budget_optimize_on: shared,
    ...(shared ? {} : { budget: 0, budget_mode: 'BUDGET_MODE_INFINITE' }),
    operation_status: params['operation_status'] ?? 'ENABLE',
    create_time: at,
    modify_time: at,
    ...request,
  };
  world.campaigns.put(row);
  return answer(call, CAMPAIGNS, row);
}

function updateCampaign(call: Call): unknown {
  const { world, params } = call;
  const before = smart(call, 'campaign', params['campaign_id']);
  checkName('campaign_name', params['campaign_name']);
  if (given(params, 'budget')) {
    if (before['budget_optimize_on'] !== true) {
      invalid('budget: The budget can be set only when budget_optimize_on is true.');
    }
    checkBudget('campaign', 'budget', params['budget'], advertiserOf(call));
  }
  const row: Native = { ...before, ...fieldsOf(params, SP_CAMPAIGN_UPDATE), modify_time: world.stamp(call.now) };
  world.campaigns.put(row);
  return answer(call, CAMPAIGNS, row);
}

/** Changes the status of each object that can be changed; the others are listed with the reason. */
function statusUpdate(call: Call, level: 'campaign' | 'adgroup'): unknown {
  const { world, params } = call;
  const status = params['operation_status'];
  const at = world.stamp(call.now);
  const rows: Native[] = [];
  const error_list: Values[] = [];
  for (const id of new Set(params[`${level}_ids`] as string[])) {
    try {
      const row = smart(call, level, id);
      const mode = params['postback_window_mode'] ?? row['postback_window_mode'];
      rows.push({
        ...row,
        operation_status: status,
        modify_time: at,
        ...(mode === undefined ? {} : { postback_window_mode: mode }),
      });
    } catch (error) {
      if (!(error instanceof TikTokError)) throw error;
      error_list.push({ [`${level}_id`]: id, error_message: error.message });
    }
  }
  (level === 'campaign' ? world.campaigns : world.adgroups).putAll(rows);
  const list = rows.map((row) => ({
    [`${level}_id`]: row.id,
    status,
    ...(level === 'campaign' && given(row, 'postback_window_mode')
      ? { postback_window_mode: row['postback_window_mode'] }
      : {}),
  }));
  return { [`${level}_list`]: list, error_list };
}

/** The members of a Smart+ ad group as a manual one has them: what the rules, delivery and adgroup/get go by. */
function flat(params: Values): Values {
  const values: Values = { ...params, ...((params['targeting_spec'] ?? {}) as Values) };
  if (given(params, 'deep_cpabid')) values['deep_cpa_bid'] = params['deep_cpabid'];
  // An age that only Smart+ has; everyone above eighteen are the five groups of the manual endpoints.
  if (given(values, 'spc_audience_age')) {
    const groups = ['AGE_18_24', 'AGE_25_34', 'AGE_35_44', 'AGE_45_54', 'AGE_55_100'];
    values['age_groups'] = values['spc_audience_age'] === 'OVER_EIGHTEEN' ? groups : groups.slice(1);
  }
  delete values['request_id'];
  delete values['deep_cpabid'];
  return values;
}

const EVERYWHERE = ['PLACEMENT_TIKTOK', 'PLACEMENT_PANGLE', 'PLACEMENT_GLOBAL_APP_BUNDLE'];

function createAdgroup(call: Call): unknown {
  const { world, params } = call;
  const advertiser = advertiserOf(call);
  const campaign = smart(call, 'campaign', params['campaign_id'], false);
  if (campaign['operation_status'] === 'DELETE') invalid(`The campaign ${campaign.id} has been deleted.`);
  const values: Values = {
    ...flat(params),
    placement_type: params['placement_type'] ?? 'PLACEMENT_TYPE_AUTOMATIC',
    targeting_optimization_mode: params['targeting_optimization_mode'] ?? 'AUTOMATIC',
  };
  const shared = campaign['budget_optimize_on'] === true;
  if (!shared) checkAdgroupBudget(values, campaign, advertiser);
  checkPurpose(world, values, campaign, advertiser);
  checkPlacement(values);
  const schedule = checkSchedule(values, call.now, true);
  checkCommon(values, advertiser.currency, () => true);
  const request = requestOf(call, world.adgroups.by('advertiser', advertiser.id));
  const id = world.nextId();
  const at = world.stamp(call.now);
  const row: Native = {
    ...values,
    id,
    advertiser_id: advertiser.id,
    adgroup_id: id,
    _nulls: ['creative_material_mode'],
    campaign_automation_type: 'UPGRADED_SMART_PLUS',
    bid_type: params['bid_type'] ?? (given(params, 'conversion_bid_price') ? 'BID_TYPE_CUSTOM' : 'BID_TYPE_NO_BID'),
    ...(values['placement_type'] === 'PLACEMENT_TYPE_AUTOMATIC' ? { placements: EVERYWHERE } : {}),
    ...(shared ? { budget: 0, budget_mode: 'BUDGET_MODE_INFINITE' } : {}),
    pacing: 'PACING_MODE_SMOOTH',
    operation_status: params['operation_status'] ?? 'ENABLE',
    create_time: at,
    modify_time: at,
    ...schedule,
    ...request,
  };
  world.adgroups.put(row);
  return answer(call, SMART_ADGROUPS, row);
}

function updateAdgroup(call: Call): unknown {
  const { world, params } = call;
  const before = smart(call, 'adgroup', params['adgroup_id']);
  const patch = fieldsOf(params, SP_ADGROUP_UPDATE);
  // A targeting_spec replaces the one before as a whole (unverified).
  const dropped = given(params, 'targeting_spec') ? nulls(Object.keys((before['targeting_spec'] ?? {}) as Values)) : {};
  const row: Native = { ...before, ...dropped, ...flat(patch), modify_time: world.stamp(call.now) } as Native;
  if (given(params, 'budget')) {
    if (row['budget_mode'] === 'BUDGET_MODE_INFINITE') {
      invalid('budget: The budget cannot be set when the budget mode is BUDGET_MODE_INFINITE.');
    }
    checkBudget('adgroup', 'budget', params['budget'], advertiserOf(call));
  }
  if (['schedule_type', 'schedule_start_time', 'schedule_end_time', 'dayparting'].some((name) => given(params, name))) {
    const moved =
      given(params, 'schedule_start_time') && params['schedule_start_time'] !== before['schedule_start_time'];
    Object.assign(row, checkSchedule(row, call.now, moved));
  }
  const targets = Object.keys((params['targeting_spec'] ?? {}) as Values);
  checkCommon(row, advertiserOf(call).currency, (name) => given(params, name) || targets.includes(name));
  world.adgroups.put(row);
  return answer(call, SMART_ADGROUPS, row);
}

function updateBudgets(call: Call): unknown {
  const { world, params } = call;
  const at = world.stamp(call.now);
  const rows = (params['budget'] as { adgroup_id: string; budget: number }[]).map(({ adgroup_id, budget }) => {
    const row = smart(call, 'adgroup', adgroup_id);
    if (row['budget_mode'] === 'BUDGET_MODE_INFINITE') {
      invalid(`budget: The budget of the ad group ${row.id} cannot be set: its budget mode is BUDGET_MODE_INFINITE.`);
    }
    checkBudget('adgroup', 'budget', budget, advertiserOf(call));
    return { ...row, budget, modify_time: at };
  });
  world.adgroups.putAll(rows);
  return {};
}

const post = (path: string, scope: string, params: Endpoint['params'], handle: Endpoint['handle']): Endpoint => ({
  method: 'POST',
  path: `smart_plus/${path}`,
  auth: 'token',
  scopes: [scope],
  write: true,
  params,
  handle,
});

const POSTBACK = ['POSTBACK_WINDOW_MODE1', 'POSTBACK_WINDOW_MODE2', 'POSTBACK_WINDOW_MODE3', 'UNSET'];

/** Campaigns and ad groups of Upgraded Smart+. */
export const endpoints: Endpoint[] = [
  {
    method: 'GET',
    path: 'smart_plus/campaign/get',
    auth: 'token',
    scopes: ['200'],
    params: listParams(SP_CAMPAIGN_FILTERING),
    handle: (call) => listObjects(CAMPAIGNS, call),
  },
  post('campaign/create', '201', SP_CAMPAIGN_CREATE, createCampaign),
  post('campaign/update', '201', SP_CAMPAIGN_UPDATE, updateCampaign),
  post(
    'campaign/status/update',
    '201',
    [...statusParams('campaign_ids'), { name: 'postback_window_mode', type: 'string', enum: POSTBACK }],
    (call) => statusUpdate(call, 'campaign'),
  ),
  {
    method: 'GET',
    path: 'smart_plus/adgroup/get',
    auth: 'token',
    scopes: ['210'],
    params: listParams(SP_ADGROUP_FILTERING),
    handle: (call) => listObjects(SMART_ADGROUPS, call),
  },
  post('adgroup/create', '211', SP_ADGROUP_CREATE, createAdgroup),
  post('adgroup/update', '211', SP_ADGROUP_UPDATE, updateAdgroup),
  post('adgroup/status/update', '211', statusParams('adgroup_ids'), (call) => statusUpdate(call, 'adgroup')),
  post(
    'adgroup/budget/update',
    '211',
    [
      advertiserId,
      {
        name: 'budget',
        type: 'array',
        required: true,
        min: 1,
        max: 20,
        items: {
          type: 'object',
          fields: [
            { name: 'adgroup_id', type: 'string', required: true },
            { name: 'budget', type: 'number', required: true },
          ],
        },
      },
    ],
    updateBudgets,
  ),
];

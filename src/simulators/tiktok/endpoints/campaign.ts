import { CAMPAIGN_CREATE, CAMPAIGN_DEFAULTS, CAMPAIGN_FILTERING, CAMPAIGN_UPDATE } from '../campaign-table.ts';
import { type ListSpec, listObjects, listParams, view } from '../objects.ts';
import { advertiserIdOf } from '../params.ts';
import {
  changeable,
  checkBudget,
  checkName,
  checkRequestId,
  checkRoas,
  given,
  invalid,
  missing,
  owned,
  refuseOthers,
} from '../rules.ts';
import { isLegacy, refuseSmartPlus } from '../smart-plus.ts';
import { statusContext } from '../status.ts';
import type { Advertiser, Call, Endpoint, Native, Param } from '../types.ts';

/** Campaigns: campaign/{get,create,update,status/update}. Facts: TikTok docs 1739315828649986, 1739318962329602. */

/** How campaign/get lists campaigns. */
export const CAMPAIGNS: ListSpec = {
  level: 'campaign',
  idField: 'campaign_id',
  nameField: 'campaign_name',
  rows: (call) => call.world.campaigns,
  filtering: CAMPAIGN_FILTERING,
  defaults: CAMPAIGN_DEFAULTS,
  derived: (_context, row) => ({
    objective: String(row['objective_type']).includes('APP_') ? 'APP' : 'LANDING_PAGE',
  }),
  // TikTok docs 1739315828649986.
  onlyWhenTrue: ['budget_optimize_on'],
};

const advertiserOf = (call: Call): Advertiser => call.world.advertisers.get(advertiserIdOf(call))!;

/** Objectives that existing campaigns may have and new ones no longer (TikTok docs 1739318962329602). */
const LEGACY_OBJECTIVES = [
  'APP_INSTALL',
  'CONVERSIONS',
  'CATALOG_SALES',
  'SHOP_PURCHASES',
  'RF_APP_INSTALL',
  'RF_ENGAGEMENT',
  'RF_TRAFFIC',
  'RF_VIDEO_VIEW',
];

/** One answered campaign. */
export function campaignView(call: Call, row: Native): Record<string, unknown> {
  return view(CAMPAIGNS, statusContext(call.world, row.advertiser_id), row);
}

function checkObjective(values: Record<string, unknown>): void {
  const objective = String(values['objective_type']);
  if (LEGACY_OBJECTIVES.includes(objective)) {
    invalid(`objective_type: ${objective} is no longer supported for new campaigns.`);
  }
  if (objective === 'APP_PROMOTION') {
    if (!given(values, 'app_promotion_type')) missing('app_promotion_type');
    if (values['app_promotion_type'] === 'UNSET') invalid('app_promotion_type: Invalid value: UNSET.');
  }
  if (objective === 'PRODUCT_SALES' && !given(values, 'campaign_product_source')) missing('campaign_product_source');
  if (values['virtual_objective_type'] === 'SALES' && !given(values, 'sales_destination')) missing('sales_destination');
  if (values['campaign_type'] === 'IOS14_CAMPAIGN') {
    if (objective !== 'APP_PROMOTION') invalid('campaign_type: IOS14_CAMPAIGN requires the objective APP_PROMOTION.');
    if (!given(values, 'app_id')) missing('app_id');
  }
}

function checkCampaignBudget(values: Record<string, unknown>, advertiser: Advertiser): void {
  const mode = values['budget_mode'];
  const reserved = values['objective_type'] === 'RF_REACH' || values['objective_type'] === 'TOPVIEW_REACH';
  if (!given(values, 'budget_mode')) {
    if (!reserved) missing('budget_mode');
    return;
  }
  if (mode === 'BUDGET_MODE_INFINITE') {
    if (values['budget_optimize_on'] === true) {
      invalid('budget_mode: BUDGET_MODE_INFINITE cannot be used when budget_optimize_on is true.');
    }
    return;
  }
  if (!given(values, 'budget')) missing('budget');
  checkBudget('campaign', 'budget', values['budget'], advertiser);
}

function create(call: Call): unknown {
  const { world, params } = call;
  const advertiser = advertiserOf(call);
  checkName('campaign_name', params['campaign_name']);
  checkObjective(params);
  checkCampaignBudget(params, advertiser);
  checkRoas(params['roas_bid']);
  if (given(params, 'app_id')) owned(world.mobileApps, 'app', params['app_id'], advertiser.id);
  const request = checkRequestId(params['request_id'], world.campaigns.by('advertiser', advertiser.id), call.now);

  const id = world.nextId();
  const at = world.stamp(call.now);
  const row: Native = {
    id,
    advertiser_id: advertiser.id,
    ...fieldsOf(params, CAMPAIGN_CREATE),
    campaign_id: id,
    operation_status: params['operation_status'] ?? 'ENABLE',
    create_time: at,
    modify_time: at,
    ...request,
  };
  if (params['budget_mode'] === 'BUDGET_MODE_INFINITE') row['budget'] = 0;
  world.campaigns.put(row);
  return campaignView(call, row);
}

/** The declared members that were given; those that steer the call alone are not part of the object. */
export function fieldsOf(values: Record<string, unknown>, params: readonly Param[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const { name } of params) {
    if (name !== 'request_id' && name !== 'advertiser_id' && values[name] !== undefined) fields[name] = values[name];
  }
  return fields;
}

function update(call: Call): unknown {
  const { world, params } = call;
  refuseOthers(params, CAMPAIGN_UPDATE);
  const advertiser = advertiserOf(call);
  const before = changeable(world.campaigns, 'campaign', params['campaign_id'], advertiser.id);
  refuseSmartPlus(before, 'campaign', 'campaign/update');
  if (isLegacy(before)) invalid(`The campaign ${before.id} is a Smart+ campaign. Use /campaign/spc/update/.`);
  checkName('campaign_name', params['campaign_name']);
  if (given(params, 'budget')) {
    if ((before['budget_mode'] ?? 'BUDGET_MODE_INFINITE') === 'BUDGET_MODE_INFINITE') {
      invalid('budget: The budget cannot be set when the budget mode is BUDGET_MODE_INFINITE.');
    }
    checkBudget('campaign', 'budget', params['budget'], advertiser);
  }
  const row: Native = { ...before, ...fieldsOf(params, CAMPAIGN_UPDATE), modify_time: world.stamp(call.now) };
  world.campaigns.put(row);
  return campaignView(call, row);
}

function statusUpdate(call: Call): unknown {
  const { world, params } = call;
  const advertiserId = advertiserIdOf(call);
  const ids = params['campaign_ids'] as string[];
  const status = params['operation_status'];
  const at = world.stamp(call.now);
  // All are checked before the first is changed: the call succeeds or fails as a whole.
  const rows = [...new Set(ids)].map((id): Native => {
    const row = changeable(world.campaigns, 'campaign', id, advertiserId);
    refuseSmartPlus(row, 'campaign', 'campaign/status/update');
    const mode = params['postback_window_mode'] ?? row['postback_window_mode'];
    return {
      ...row,
      operation_status: status,
      modify_time: at,
      _status_time: row['operation_status'] === status ? (row['_status_time'] ?? at) : at,
      ...(mode === undefined ? {} : { postback_window_mode: mode }),
    };
  });
  world.campaigns.putAll(rows);
  return {
    campaign_ids: ids,
    status,
    campaign_list: rows.map((row) => ({
      campaign_id: row.id,
      status,
      postback_window_mode: row['postback_window_mode'] ?? null,
    })),
  };
}

/** Members of a status update of up to 20 objects (TikTok docs 1739320994354178). */
export const statusParams = (ids: string, statuses: readonly string[] = ['ENABLE', 'DISABLE', 'DELETE']): Param[] => [
  { name: 'advertiser_id', type: 'string', required: true },
  { name: ids, type: 'array', required: true, items: { type: 'string' }, min: 1, max: 20 },
  { name: 'operation_status', type: 'string', required: true, enum: statuses },
];

/** The campaign family. */
export const endpoints: Endpoint[] = [
  {
    method: 'GET',
    path: 'campaign/get',
    auth: 'token',
    scopes: ['200'],
    sandbox: true,
    params: listParams(CAMPAIGN_FILTERING),
    handle: (call) => listObjects(CAMPAIGNS, call),
  },
  {
    method: 'POST',
    path: 'campaign/create',
    auth: 'token',
    scopes: ['201'],
    sandbox: true,
    write: true,
    params: CAMPAIGN_CREATE,
    handle: create,
  },
  {
    method: 'POST',
    path: 'campaign/update',
    auth: 'token',
    scopes: ['201'],
    sandbox: true,
    write: true,
    params: CAMPAIGN_UPDATE,
    handle: update,
  },
  {
    method: 'POST',
    path: 'campaign/status/update',
    auth: 'token',
    scopes: ['201'],
    sandbox: true,
    write: true,
    params: [
      ...statusParams('campaign_ids'),
      {
        name: 'postback_window_mode',
        type: 'string',
        enum: ['POSTBACK_WINDOW_MODE1', 'POSTBACK_WINDOW_MODE2', 'POSTBACK_WINDOW_MODE3'],
      },
    ],
    handle: statusUpdate,
  },
];

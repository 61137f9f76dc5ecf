import { checkAdgroupBudget, checkCommon, checkPlacement, checkPurpose, checkSchedule } from '../adgroup-rules.ts';
import { ADGROUP_CREATE, ADGROUP_DEFAULTS, ADGROUP_FILTERING, ADGROUP_UPDATE } from '../adgroup-table.ts';
import { checkAudiences } from '../audiences.ts';
import { campaignRow, type ListSpec, listObjects, listParams, view } from '../objects.ts';
import { advertiserIdOf } from '../params.ts';
import { changeable, checkBudget, checkRequestId, given, invalid, owned, refuseOthers } from '../rules.ts';
import { refuseSmartPlus } from '../smart-plus.ts';
import { type StatusContext, statusContext } from '../status.ts';
import { type Advertiser, type Call, type Endpoint, type Native, TikTokError } from '../types.ts';
import { fieldsOf, statusParams } from './campaign.ts';

/** Ad groups: adgroup/{get,create,update,status/update,budget/update,quota}. Facts: TikTok docs 1739314558673922, 1739499616346114. */

const PROMOTION_GROUPS: Readonly<Record<string, (type: string) => boolean>> = {
  APP: (type) => type === 'APP_ANDROID' || type === 'APP_IOS',
  INSTANT_FORM: (type) => type === 'LEAD_GENERATION',
};

/** How adgroup/get lists ad groups. */
export const ADGROUPS: ListSpec = {
  level: 'adgroup',
  idField: 'adgroup_id',
  nameField: 'adgroup_name',
  rows: (call) => call.world.adgroups,
  filtering: ADGROUP_FILTERING,
  defaults: ADGROUP_DEFAULTS,
  derived: (context, row) => ({
    campaign_name: campaignRow(context, row)?.['campaign_name'],
    ...scheduledBudget(context, row),
  }),
  matches(_context, row, name, value) {
    if (name === 'billing_events') return (value as string[]).includes(String(row['billing_event']));
    if (name === 'promotion_type') {
      const own = String(row['promotion_type'] ?? '');
      return own === value || PROMOTION_GROUPS[String(value)]?.(own) === true;
    }
    if (name === 'bid_strategy') return bidStrategy(row) === value;
    return undefined;
  },
};

/** The strategy that bid type and billing event amount to (unverified as a table). */
function bidStrategy(row: Native): string {
  const optimised = row['billing_event'] === 'OCPM' || row['billing_event'] === 'OCPC';
  if (row['bid_type'] === 'BID_TYPE_CUSTOM') return optimised ? 'BID_STRATEGY_COST_CAP' : 'BID_STRATEGY_BID_CAP';
  return optimised ? 'BID_STRATEGY_MAX_CONVERSION' : 'BID_STRATEGY_LOWEST_COST';
}

/** A budget that was scheduled for the next day takes the budget's place when that day has come. */
function scheduledBudget(context: StatusContext, row: Native): Record<string, unknown> {
  const from = row['_scheduled_from'];
  if (typeof from !== 'number' || context.now < from) return {};
  return { budget: row['scheduled_budget'], scheduled_budget: 0 };
}

/** The ad group that a call changes, with a scheduled budget that has come into force made its own. */
function changing(call: Call, id: unknown): Native {
  const row = changeable(call.world.adgroups, 'ad group', id, advertiserIdOf(call));
  refuseSmartPlus(row, 'ad group', call.endpoint.path);
  const from = row['_scheduled_from'];
  if (typeof from !== 'number' || call.now.getTime() < from) return row;
  return unschedule({ ...row, budget: row['scheduled_budget'] });
}

const advertiserOf = (call: Call): Advertiser => call.world.advertisers.get(advertiserIdOf(call))!;

const adgroupView = (call: Call, row: Native) => view(ADGROUPS, statusContext(call.world, row.advertiser_id), row);

/** Ad groups that are not deleted an account may have. The number is TikTok's affair and (unverified). */
const ADGROUP_QUOTA = 10_000;

function used(call: Call): number {
  let count = 0;
  for (const row of call.world.adgroups.by('advertiser', advertiserIdOf(call))) {
    if (row['operation_status'] !== 'DELETE') count++;
  }
  return count;
}

const AUTOMATIC = ['PLACEMENT_TIKTOK', 'PLACEMENT_PANGLE', 'PLACEMENT_GLOBAL_APP_BUNDLE'];

function create(call: Call): unknown {
  const { world, params } = call;
  const advertiser = advertiserOf(call);
  const campaign = owned(world.campaigns, 'campaign', params['campaign_id'], advertiser.id);
  refuseSmartPlus(campaign, 'campaign', 'adgroup/create');
  if (campaign['operation_status'] === 'DELETE') invalid(`The campaign ${campaign.id} has been deleted.`);
  const byCampaign = campaign['budget_optimize_on'] === true;
  if (!byCampaign) checkAdgroupBudget(params, campaign, advertiser);
  checkPurpose(world, params, campaign, advertiser);
  checkAudiences(world, params, advertiser.id);
  checkPlacement(params);
  const schedule = checkSchedule(params, call.now, true);
  checkCommon(params, advertiser.currency, () => true);
  if (used(call) >= ADGROUP_QUOTA) throw new TikTokError(40002, 'The number of ad groups has reached the limit.');
  const request = checkRequestId(params['request_id'], world.adgroups.by('advertiser', advertiser.id), call.now);

  const id = world.nextId();
  const at = world.stamp(call.now);
  const app = given(params, 'app_id') ? world.mobileApps.get(String(params['app_id'])) : undefined;
  const row: Native = {
    id,
    advertiser_id: advertiser.id,
    ...fieldsOf(params, ADGROUP_CREATE),
    adgroup_id: id,
    promotion_type: params['promotion_type'] ?? 'WEBSITE',
    placement_type: params['placement_type'] ?? 'PLACEMENT_TYPE_NORMAL',
    bid_type:
      params['bid_type'] ??
      (given(params, 'bid_price') || given(params, 'conversion_bid_price') ? 'BID_TYPE_CUSTOM' : 'BID_TYPE_NO_BID'),
    operation_status: params['operation_status'] ?? 'ENABLE',
    create_time: at,
    modify_time: at,
    ...schedule,
    ...request,
  };
  if (row['placement_type'] === 'PLACEMENT_TYPE_AUTOMATIC') row['placements'] = AUTOMATIC;
  // Campaign budget optimisation takes the budget away from the ad groups (TikTok docs 1739314558673922).
  if (byCampaign) Object.assign(row, { budget: 0, budget_mode: 'BUDGET_MODE_INFINITE' });
  if (app) Object.assign(row, { app_type: `APP_${String(app['platform'])}`, app_download_url: app['download_url'] });
  world.adgroups.put(row);
  return adgroupView(call, row);
}

function update(call: Call): unknown {
  const { world, params } = call;
  refuseOthers(params, ADGROUP_UPDATE);
  const advertiser = advertiserOf(call);
  const before = changing(call, params['adgroup_id']);
  const patch = fieldsOf(params, ADGROUP_UPDATE);
  const row: Native = { ...before, ...patch, modify_time: world.stamp(call.now) };
  if (given(params, 'budget')) {
    if (row['budget_mode'] === 'BUDGET_MODE_INFINITE') {
      invalid('budget: The budget cannot be set when the budget mode is BUDGET_MODE_INFINITE.');
    }
    checkBudget('adgroup', 'budget', params['budget'], advertiser);
    Object.assign(row, unschedule(row));
  }
  const scheduled = ['schedule_type', 'schedule_start_time', 'schedule_end_time', 'dayparting'].some((name) =>
    given(params, name),
  );
  if (scheduled) {
    const moved =
      given(params, 'schedule_start_time') && params['schedule_start_time'] !== before['schedule_start_time'];
    Object.assign(row, checkSchedule(row, call.now, moved));
  }
  checkAudiences(world, params, advertiser.id);
  checkCommon(row, advertiser.currency, (name) => given(params, name));
  world.adgroups.put(row);
  return adgroupView(call, row);
}

const unschedule = (row: Native): Native => ({ ...row, scheduled_budget: 0, _scheduled_from: undefined });

function statusUpdate(call: Call): unknown {
  const { world, params } = call;
  const status = params['operation_status'];
  const at = world.stamp(call.now);
  const rows: Native[] = [];
  const errors: { adgroup_id: string; error_message: string }[] = [];
  for (const id of new Set(params['adgroup_ids'] as string[])) {
    try {
      const row = changing(call, id);
      const since = row['operation_status'] === status ? (row['_status_time'] ?? at) : at;
      rows.push({ ...row, operation_status: status, modify_time: at, _status_time: since });
    } catch (error) {
      if (!(error instanceof TikTokError) || params['allow_partial_success'] !== true) throw error;
      errors.push({ adgroup_id: id, error_message: error.message });
    }
  }
  world.adgroups.putAll(rows);
  const data = { adgroup_ids: rows.map((row) => row.id), status, error_list: errors };
  // 20001 is the documented code of partial success; that it stands here too when all failed is (unverified).
  if (errors.length > 0) throw new TikTokError(20001, 'Partial success.', data);
  return data;
}

interface BudgetItem {
  adgroup_id: string;
  budget?: number;
  schedule_budget?: number;
}

/** First moment of the next day in the account's time zone, epoch ms. */
function nextDay(now: Date, timeZone: string): number {
  const day = new Intl.DateTimeFormat('en-CA', { timeZone });
  const today = day.format(now);
  // Full hours and quarter hours are the only places where a day can begin.
  const step = 900_000;
  let at = Math.floor(now.getTime() / step) * step + step;
  while (day.format(at) === today) at += step;
  return at;
}

function budgetUpdate(call: Call): unknown {
  const { world, params } = call;
  const advertiser = advertiserOf(call);
  const now = (params['budget'] ?? []) as BudgetItem[];
  const later = (params['schedule_budget'] ?? []) as BudgetItem[];
  if (now.length + later.length === 0) invalid('Missing required field(s): budget.');
  const changed = new Map<string, Native>();
  const read = (item: BudgetItem, field: string, amount: unknown): Native => {
    const row = changed.get(item.adgroup_id) ?? { ...changing(call, item.adgroup_id) };
    if ((row['budget_mode'] ?? 'BUDGET_MODE_INFINITE') === 'BUDGET_MODE_INFINITE') {
      invalid(`${field}: The budget of the ad group ${row.id} cannot be set: its budget mode is BUDGET_MODE_INFINITE.`);
    }
    checkBudget('adgroup', field, amount, advertiser);
    row['modify_time'] = world.stamp(call.now);
    changed.set(row.id, row);
    return row;
  };
  for (const item of now) {
    const row = read(item, 'budget.budget', item.budget);
    row['budget'] = item.budget;
  }
  for (const item of later) {
    // The reference names the member schedule_budget, its prose budget.
    const amount = item.schedule_budget ?? item.budget;
    const row = read(item, 'schedule_budget.schedule_budget', amount);
    if (row['budget_mode'] === 'BUDGET_MODE_TOTAL') {
      invalid('schedule_budget: Only daily budgets can be scheduled.');
    }
    if (amount === undefined) invalid('Missing required field(s): schedule_budget.schedule_budget.');
    row['scheduled_budget'] = amount;
    row['_scheduled_from'] = nextDay(call.now, advertiser.display_timezone);
  }
  world.adgroups.putAll([...changed.values()]);
  return {};
}

const budgetItems = (name: string, amounts: readonly string[]) =>
  ({
    name,
    type: 'array',
    max: 20,
    items: {
      type: 'object',
      fields: [
        { name: 'adgroup_id', type: 'string', required: true },
        ...amounts.map((amount) => ({ name: amount, type: 'number' as const, required: amounts.length === 1 })),
      ],
    },
  }) as const;

/** The ad group family. */
export const endpoints: Endpoint[] = [
  {
    method: 'GET',
    path: 'adgroup/get',
    auth: 'token',
    scopes: ['210'],
    sandbox: true,
    params: listParams(ADGROUP_FILTERING),
    handle: (call) => listObjects(ADGROUPS, call),
  },
  {
    method: 'POST',
    path: 'adgroup/create',
    auth: 'token',
    scopes: ['211'],
    sandbox: true,
    write: true,
    params: ADGROUP_CREATE,
    handle: create,
  },
  {
    method: 'POST',
    path: 'adgroup/update',
    auth: 'token',
    scopes: ['211'],
    sandbox: true,
    write: true,
    params: ADGROUP_UPDATE,
    handle: update,
  },
  {
    method: 'POST',
    path: 'adgroup/status/update',
    auth: 'token',
    scopes: ['211'],
    sandbox: true,
    write: true,
    params: [...statusParams('adgroup_ids'), { name: 'allow_partial_success', type: 'boolean' }],
    handle: statusUpdate,
  },
  {
    method: 'POST',
    path: 'adgroup/budget/update',
    auth: 'token',
    scopes: ['211'],
    write: true,
    params: [
      { name: 'advertiser_id', type: 'string', required: true },
      budgetItems('budget', ['budget']),
      budgetItems('schedule_budget', ['schedule_budget', 'budget']),
    ],
    handle: budgetUpdate,
  },
  {
    method: 'GET',
    path: 'adgroup/quota',
    auth: 'token',
    scopes: ['210'],
    params: [{ name: 'advertiser_id', type: 'string', required: true }],
    handle: (call) => ({ total_adgroup_quota: ADGROUP_QUOTA, used_adgroup_quota: used(call) }),
  },
];

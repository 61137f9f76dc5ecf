/** Campaigns: campaign/{get,create,update,status/update}. */
import type { ObjectSpec, OperationInput } from '../../../core/connector/object-spec.ts';
import type { Native, Unified } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { CAMPAIGN_READ_ONLY, CAMPAIGN_UPDATE } from '../body-table.ts';
import { campaignFields } from '../entities/campaign.ts';
import { write as send } from '../request.ts';
import { LEGACY_CAMPAIGN_UPDATE, SMART_CAMPAIGN_CREATE, SMART_CAMPAIGN_UPDATE } from '../smart-plus-table.ts';
import { effectiveStatusFilter } from '../statuses.ts';
import { generationOf, generationOfCampaign, learn } from './automation.ts';
import {
  bodyOf,
  budgetDefaults,
  CAMPAIGN,
  created,
  creationBody,
  findCreated,
  getById,
  listOf,
  REQUEST_ID,
  rawOf,
  updateInOrder,
  withDefaults,
  withoutEchoes,
} from './shared.ts';
import { smartBody, smartWrite } from './smart-plus.ts';
import { mixedStatusBatch, setStatusOf } from './status.ts';

/** Objectives that Upgraded Smart+ has; others are made by hand (TikTok docs, Upgraded Smart+). */
const SMART_GOALS: ReadonlySet<unknown> = new Set(['SALES', 'LEADS', 'APP_PROMOTION']);

const isSmart = (unified: Unified): boolean => unified['automation'] === 'smart_plus';

/** Creates a campaign of Smart+: the budget of a day is an average there, and the campaign's own unless none is named. */
async function createSmart(input: OperationInput, native: Native, given: Native, defaults: Native): Promise<Native> {
  const { budget_mode: mode, ...rest } = native;
  const budget: Native =
    mode === undefined || mode === 'BUDGET_MODE_INFINITE'
      ? { budget_optimize_on: false }
      : {
          budget_mode: mode === 'BUDGET_MODE_DAY' ? 'BUDGET_MODE_DYNAMIC_DAILY_BUDGET' : mode,
          budget_optimize_on: true,
        };
  const destination = native['objective_type'] === 'WEB_CONVERSIONS' ? { sales_destination: 'WEBSITE' } : {};
  const body = smartBody({ ...destination, ...rest, ...budget }, SMART_CAMPAIGN_CREATE, given, defaults);
  return {
    campaign_automation_type: 'UPGRADED_SMART_PLUS',
    ...(await smartWrite(input, 'smart_plus/campaign/create', body)),
  };
}

/** TikTok's campaigns as unified campaigns. */
export const campaign: ObjectSpec = {
  native: 'campaign',
  scope: 'organization',
  fields: campaignFields,
  list: listOf(CAMPAIGN, {
    effective_status: effectiveStatusFilter,
    // One unified goal is several objectives, of which the native filter takes one: only LEADS is a single one.
    goal: {
      kind: 'native_then_local',
      apply: (value, query) => {
        if (value === 'LEADS') query['objective_type'] = 'LEAD_GENERATION';
      },
    },
    // Campaigns have no schedule at TikTok: they run from their creation on.
    start_gte: { kind: 'local' },
    end_lt: { kind: 'local' },
  }),
  get: (input, id) => getById(input, CAMPAIGN, id),
  async prepare(_input, unified, verb) {
    if (verb === 'update') return unified;
    if (isSmart(unified) && unified['goal'] !== undefined && !SMART_GOALS.has(unified['goal']))
      throw new PolyadError('input_value_unsupported', {
        message: `Smart+ has no campaigns for ${JSON.stringify(unified['goal'])}.`,
        details: { field: 'goal', value: unified['goal'], allowed: [...SMART_GOALS], automation: 'smart_plus' },
      });
    return withDefaults(unified, {
      ...budgetDefaults(unified, 'campaign'),
      ...(unified['goal'] === 'APP_PROMOTION' ? { app_promotion_type: 'APP_INSTALL' } : {}),
    });
  },
  async create(input, native, { requestToken, unified }) {
    const body = { ...creationBody(native, CAMPAIGN_READ_ONLY), request_id: requestToken };
    if (!isSmart(unified)) {
      const made = await created(input, CAMPAIGN, await send(input, 'campaign/create', body));
      await learn(input, CAMPAIGN, String(made.row['campaign_id']), generationOf(made.row) ?? 'manual');
      return made;
    }
    const row = await createSmart(input, body, rawOf(unified), { budget: 0 });
    await learn(input, CAMPAIGN, String(row['campaign_id']), 'smart_plus');
    return created(input, CAMPAIGN, row);
  },
  async update(input, id, native, write) {
    const generation = await generationOfCampaign(input, id, write.current);
    const { operation_status: status, ...rest } = await withoutEchoes(native, write);
    const allowed = {
      manual: CAMPAIGN_UPDATE,
      smart_plus: SMART_CAMPAIGN_UPDATE,
      smart_plus_legacy: LEGACY_CAMPAIGN_UPDATE,
    }[generation];
    const body = await bodyOf(rest, allowed, write, 'a campaign');
    return updateInOrder(
      input,
      CAMPAIGN,
      id,
      status === undefined ? body : { ...body, operation_status: status },
      async (changes) => {
        const sent = { campaign_id: id, ...changes };
        if (generation === 'smart_plus') {
          await smartWrite(input, 'smart_plus/campaign/update', sent, { idempotent: true });
          return undefined;
        }
        if (generation === 'manual') return send(input, 'campaign/update', sent, true);
        await send(input, 'campaign/spc/update', sent, true);
        return undefined;
      },
      (wanted) => setStatusOf(input, CAMPAIGN, id, generation, wanted),
    );
  },
  remove: async (input, id, write) =>
    setStatusOf(input, CAMPAIGN, id, generationOf(await write.current()) ?? 'manual', 'DELETE'),
  idempotency: { ...findCreated(CAMPAIGN, undefined), aid: REQUEST_ID },
  statusBatch: mixedStatusBatch(CAMPAIGN),
};

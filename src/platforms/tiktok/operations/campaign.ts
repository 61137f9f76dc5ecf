/** Campaigns: campaign/{get,create,update,status/update}. */
import type { ObjectSpec } from '../../../core/connector/types.ts';
import { CAMPAIGN_READ_ONLY, CAMPAIGN_UPDATE } from '../body-table.ts';
import { campaignFields } from '../entities/campaign.ts';
import { write as send } from '../request.ts';
import { effectiveStatusFilter } from '../statuses.ts';
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
  setStatus,
  statusBatch,
  updateInOrder,
  withDefaults,
  withoutEchoes,
} from './shared.ts';

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
    return withDefaults(unified, {
      ...budgetDefaults(unified, 'campaign'),
      ...(unified['goal'] === 'APP_PROMOTION' ? { app_promotion_type: 'APP_INSTALL' } : {}),
    });
  },
  async create(input, native, { requestToken }) {
    const body = { ...creationBody(native, CAMPAIGN_READ_ONLY), request_id: requestToken };
    return created(input, CAMPAIGN, await send(input, 'campaign/create', body));
  },
  async update(input, id, native, write) {
    const { operation_status: status, ...rest } = await withoutEchoes(native, write);
    const body = await bodyOf(rest, CAMPAIGN_UPDATE, write, 'a campaign');
    return updateInOrder(
      input,
      CAMPAIGN,
      id,
      status === undefined ? body : { ...body, operation_status: status },
      (changes) => send(input, 'campaign/update', { campaign_id: id, ...changes }, true),
    );
  },
  remove: (input, id) => setStatus(input, CAMPAIGN, id, 'DELETE'),
  idempotency: { ...findCreated(CAMPAIGN, undefined), aid: REQUEST_ID },
  statusBatch: statusBatch(CAMPAIGN),
};

/** Ad accounts of a connection: which ones (`oauth2/advertiser/get`), and what they are (`advertiser/info`). */
import type { Native, ObjectSpec, OperationInput } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { organizationFields } from '../entities/organization.ts';
import { call, chunks, dataOf, rowsOf } from '../request.ts';

/** Most ids in one advertiser/info call (TikTok docs 1739593083610113). */
const BATCH = 100;

/** Refusals that concern accounts named in a call, not the call itself. */
const ACCOUNT_REFUSED: ReadonlySet<string> = new Set([
  'organization_access_lost',
  'permission_missing',
  'platform_rejected',
]);

async function info(input: OperationInput, ids: readonly string[]): Promise<Native[]> {
  const response = await input.ctx.request(
    call(input.ctx, { endpoint: 'advertiser/info', query: { advertiser_ids: ids } }),
  );
  return rowsOf(dataOf(response), 'list');
}

/**
 * Facts of many accounts. One account that the token may not see makes TikTok refuse the whole batch, so a refused batch
 * is halved until the account is found; that one is then known by id and name alone.
 */
async function infoOf(input: OperationInput, ids: readonly string[]): Promise<Native[]> {
  try {
    return await info(input, ids);
  } catch (error) {
    if (!(error instanceof PolyadError) || !ACCOUNT_REFUSED.has(error.code)) throw error;
    if (ids.length === 1) return [];
    const middle = Math.ceil(ids.length / 2);
    return [...(await infoOf(input, ids.slice(0, middle))), ...(await infoOf(input, ids.slice(middle)))];
  }
}

/** Ids and names of the accounts that the customer ticked. The app's secret travels in the query: never log it. */
async function granted(input: OperationInput): Promise<{ id: string; name: unknown }[]> {
  const response = await input.ctx.request(
    call(input.ctx, {
      endpoint: 'oauth2/advertiser/get',
      appParams: { app_id: 'client_id', secret: 'client_secret' },
    }),
  );
  return rowsOf(dataOf(response), 'list').map((row) => ({
    id: String(row['advertiser_id']),
    name: row['advertiser_name'],
  }));
}

async function* list(input: OperationInput): AsyncGenerator<Native, void, undefined> {
  if (input.ctx.environment === 'sandbox') {
    // The sandbox can neither list accounts nor describe them: all there is to know came with the token.
    for (const advertiser_id of input.ctx.knownOrganizationIds) yield { advertiser_id };
    return;
  }
  for (const batch of chunks(await granted(input), BATCH)) {
    const known = await infoOf(
      input,
      batch.map(({ id }) => id),
    );
    const byId = new Map(known.map((row) => [String(row['advertiser_id']), row]));
    for (const { id, name } of batch) yield byId.get(id) ?? { advertiser_id: id, name };
  }
}

/** TikTok's ad accounts as unified organizations. */
export const organization: ObjectSpec = {
  native: 'advertiser',
  scope: 'connection',
  fields: organizationFields,
  list: {
    request: ({ ctx }) => call(ctx, { endpoint: 'advertiser/info' }),
    rows: 'data.list',
    paging: { kind: 'none' },
    filters: {
      parent_id: { kind: 'local' },
      query: { kind: 'local' },
    },
    run: (input) => list(input),
  },
  async get(input, id) {
    for await (const row of list(input)) if (row['advertiser_id'] === id) return row;
    return undefined;
  },
  refusals: {
    create: 'Create ad accounts in Business Center, or by pass-through: POST open_api/v1.3/bc/advertiser/create/.',
    update: 'Change ad accounts in Ads Manager, or by pass-through: POST open_api/v1.3/advertiser/update/.',
    remove: 'Disable ad accounts in Business Center, or by pass-through: POST open_api/v1.3/bc/advertiser/disable/.',
  },
};

/** Ad accounts of a connection: which ones (`oauth2/advertiser/get`), and what they are (`advertiser/info`). */
import type { ObjectSpec, OperationInput } from '../../../core/connector/object-spec.ts';
import type { Native } from '../../../core/connector/types.ts';
import { ADVERTISER_BATCH, advertiserFacts, grantedAdvertisers } from '../advertisers.ts';
import { organizationFields } from '../entities/organization.ts';
import { call, chunks } from '../request.ts';

async function* list(input: OperationInput): AsyncGenerator<Native, void, undefined> {
  if (input.ctx.environment === 'sandbox') {
    // The sandbox can neither list accounts nor describe them: all there is to know came with the token.
    for (const advertiser_id of input.ctx.knownOrganizationIds) yield { advertiser_id };
    return;
  }
  for (const batch of chunks(await grantedAdvertisers(input.ctx), ADVERTISER_BATCH)) {
    const known = await advertiserFacts(
      input.ctx,
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

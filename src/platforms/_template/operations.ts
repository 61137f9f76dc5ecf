/** What can be done with each object, and by which request. */
import type { ObjectSpec } from '../../core/connector/object-spec.ts';
import type { CallContext, Native, PlatformRequest } from '../../core/connector/types.ts';
import { campaignFields, organizationFields } from './entities.ts';
import { API } from './manifest.ts';

/** `operation` names the call in logs and quotas; `organizationId` is the ad account that it is about. */
const get = (path: string, operation: string, organizationId?: string): PlatformRequest => ({
  method: 'GET',
  path: `${API}${path}`,
  operation,
  ...(organizationId === undefined ? {} : { organizationId }),
});

async function read(ctx: CallContext, request: PlatformRequest): Promise<Native> {
  return (await ctx.request(request)).json as Native;
}

/** Acme's ad accounts as unified organizations. */
export const organization: ObjectSpec = {
  native: 'account',
  // The only object that belongs to the connection itself; all others belong to an ad account.
  scope: 'connection',
  fields: organizationFields,
  list: {
    request: () => get('/accounts', 'accounts/list'),
    rows: 'items',
    paging: { kind: 'cursor', cursor: 'cursor', next: 'next_cursor', size: 'limit', maxSize: 100 },
    filters: { query: { kind: 'local' } },
  },
  get: ({ ctx }, id) => read(ctx, get(`/accounts/${encodeURIComponent(id)}`, 'accounts/get')),
  refusals: {
    create: 'Create ad accounts in Acme’s own interface.',
    update: 'Change ad accounts in Acme’s own interface.',
    remove: 'Close ad accounts in Acme’s own interface.',
  },
};

const campaignPath = (account: string, id?: string): string =>
  `/accounts/${encodeURIComponent(account)}/campaigns${id === undefined ? '' : `/${encodeURIComponent(id)}`}`;

/** Acme's campaigns as unified campaigns. */
export const campaign: ObjectSpec = {
  native: 'campaign',
  scope: 'organization',
  fields: campaignFields,
  list: {
    request: ({ organization: { id } }) => get(campaignPath(id), 'campaigns/list', id),
    rows: 'items',
    paging: { kind: 'cursor', cursor: 'cursor', next: 'next_cursor', size: 'limit', maxSize: 100 },
    filters: {
      // `native`: the platform filters. `local`: the core does, after reading all. What is not here is refused by name.
      status: {
        kind: 'native',
        apply: (value, query) => {
          query['status'] = value === 'ACTIVE' ? 'on' : 'off';
        },
      },
      query: { kind: 'local' },
    },
  },
  get: ({ ctx, organization: { id: account } }, id) =>
    read(ctx, get(campaignPath(account, id), 'campaigns/get', account)),
  async create({ ctx, organization: { id: account } }, native) {
    const request: PlatformRequest = {
      method: 'POST',
      path: `${API}${campaignPath(account)}`,
      operation: 'campaigns/create',
      organizationId: account,
      json: native,
    };
    return { row: await read(ctx, request) };
  },
  async update({ ctx, organization: { id: account } }, id, native) {
    const request: PlatformRequest = {
      method: 'PATCH',
      path: `${API}${campaignPath(account, id)}`,
      operation: 'campaigns/update',
      organizationId: account,
      json: native,
      // The same change twice does no harm, so the core may repeat it.
      idempotent: true,
    };
    return { row: await read(ctx, request) };
  },
  refusals: { remove: 'Acme cannot delete campaigns: set `status` to PAUSED.' },
};

/**
 * Ad accounts of Business Centers: bc/advertiser/{create,disable}, billing groups. Facts: official yml bc_*; TikTok docs
 * 1739939020318721. Wordings and codes of refusals are (unverified).
 */
import { page } from '../paging.ts';
import { invalid } from '../rules.ts';
import { makeAdvertiser } from '../seed.ts';
import { seedAssets } from '../seed-assets.ts';
import { type Call, type Endpoint, type Native, type Param, TikTokError } from '../types.ts';
import { bcOf, filtering, id, matches, paging, text } from './bc-access.ts';
import { accounts, endpoint, filter } from './bc-money.ts';

type Values = Record<string, unknown>;

/** Opens an ad account in a Business Center; the caller is its administrator and reaches it at once (unverified). */
function createAccount(call: Call): unknown {
  const { world, params, grant } = call;
  const bc = bcOf(call, true);
  const account = params['advertiser_info'] as Values;
  const customer = params['customer_info'] as Values;
  const zone = String(account['timezone']);
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
  } catch {
    invalid('advertiser_info.timezone: Not a valid time zone.');
  }
  if (!/^[A-Z]{3}$/.test(String(account['currency']))) invalid('advertiser_info.currency: Not a valid currency.');
  const row = makeAdvertiser(world, {
    id: world.nextId(),
    name: String(account['name']),
    currency: String(account['currency']),
    display_timezone: zone,
    company: String(customer['company']),
    country: String(customer['registered_area']),
    industry: String(customer['industry']),
    status: 'STATUS_PENDING_CONFIRM',
    balance: 0,
    owner_bc_id: bc.id,
  });
  world.advertisers.put(row);
  seedAssets(world, row);
  const user = world.users.get(grant!.user_id)!;
  world.users.put({ ...user, roles: { ...user.roles, [row.id]: 'ADMIN' } });
  world.grants.put({ ...grant!, advertiser_ids: [...grant!.advertiser_ids, row.id] });
  return { advertiser_id: row.id };
}

function disable(call: Call): unknown {
  const { world } = call;
  const bc = bcOf(call, true);
  const disabled: string[] = [];
  const failed: Record<string, string> = {};
  for (const one of call.params['advertiser_ids'] as string[]) {
    const row = world.advertisers.get(one);
    if (row?.owner_bc_id !== bc.id) {
      failed[one] = `The advertiser ${one} does not belong to the Business Center.`;
      continue;
    }
    world.advertisers.put({ ...row, status: 'STATUS_DISABLE' });
    disabled.push(one);
  }
  return { disabled_advertiser_ids: disabled, failed_infos: failed };
}

const billingGroups = (call: Call) =>
  call.world.store.collection<Native>('bc_billing_groups', { bc: (row: Native) => String(row['bc_id']) });

function createBillingGroup(call: Call): unknown {
  const bc = bcOf(call, true);
  const ids = ownAccounts(call, bc.id, call.params['advertiser_ids'] as string[]);
  const groupId = call.world.nextId();
  billingGroups(call).put({
    id: groupId,
    advertiser_id: '',
    bc_id: bc.id,
    billing_group_id: groupId,
    billing_group_name: call.params['billing_group_name'],
    billing_group_type: call.params['billing_group_type'] ?? 'AUCTION',
    billing_group_emails: call.params['billing_group_emails'] ?? [],
    is_primary: call.params['is_primary'] ?? false,
    advertiser_ids: ids,
  });
  return { billing_group_id: groupId };
}

function ownAccounts(call: Call, bcId: string, ids: readonly string[]): readonly string[] {
  const strange = ids.find((one) => call.world.advertisers.get(one)?.owner_bc_id !== bcId);
  if (strange !== undefined) throw new TikTokError(40001, `No permission to operate advertiser ${strange}.`);
  return ids;
}

function updateBillingGroup(call: Call): unknown {
  const { params } = call;
  const bc = bcOf(call, true);
  const row = billingGroups(call).get(String(params['billing_group_id']));
  if (row?.['bc_id'] !== bc.id) {
    throw new TikTokError(40007, `The billing group ${String(params['billing_group_id'])} does not exist.`);
  }
  const added = ownAccounts(call, bc.id, (params['add_advertiser_ids'] ?? []) as string[]);
  const gone = (params['delete_advertiser_ids'] ?? []) as string[];
  billingGroups(call).put({
    ...row,
    billing_group_name: params['new_billing_group_name'] ?? row['billing_group_name'],
    billing_group_emails: params['new_billing_group_emails'] ?? row['billing_group_emails'],
    is_primary: params['is_primary'] ?? row['is_primary'],
    advertiser_ids: [...new Set([...(row['advertiser_ids'] as string[]), ...added])].filter(
      (one) => !gone.includes(one),
    ),
  });
  return {};
}

function listBillingGroups(call: Call): unknown {
  const bc = bcOf(call);
  const filter = filtering(call);
  const rows = billingGroups(call)
    .by('bc', bc.id)
    .filter((row) => !text(filter['billing_group_id']) || row.id === filter['billing_group_id'])
    .filter((row) => matches(filter['billing_group_name'], String(row['billing_group_name'])));
  const { list, page_info } = page(rows, call, 50);
  return {
    list: list.map((row) => ({
      billing_group_id: row.id,
      billing_group_name: row['billing_group_name'],
      billing_group_type: row['billing_group_type'],
      billing_group_emails: row['billing_group_emails'],
      billed_to_type: 'ADVERTISER',
      invoice_group_by: 'ACCOUNT',
      invoice_object_name: bc.company,
      is_primary: row['is_primary'],
      currency: bc.currency,
      status: 1,
      advertisers: (row['advertiser_ids'] as string[]).map((one) => ({
        advertiser_id: one,
        advertiser_name: call.world.advertisers.get(one)?.name ?? '',
      })),
    })),
    page_info,
  };
}

const emails = (name: string): Param => ({ name, type: 'array', max: 20, items: { type: 'string' } });

/** Ad accounts and billing groups. */
export const endpoints: Endpoint[] = [
  endpoint(
    'POST',
    'bc/advertiser/create',
    [
      id('bc_id'),
      {
        name: 'advertiser_info',
        type: 'object',
        required: true,
        fields: [
          { name: 'name', type: 'string', required: true, min: 1 },
          { name: 'currency', type: 'string', required: true },
          { name: 'timezone', type: 'string', required: true },
          { name: 'type', type: 'string', enum: ['AUCTION', 'RESERVATION'] },
        ],
      },
      {
        name: 'customer_info',
        type: 'object',
        required: true,
        fields: [
          { name: 'company', type: 'string', required: true },
          { name: 'registered_area', type: 'string', required: true },
        ],
      },
    ],
    createAccount,
  ),
  endpoint(
    'POST',
    'bc/advertiser/disable',
    [id('bc_id'), accounts('advertiser_ids', { required: true, min: 1 })],
    disable,
  ),
  endpoint(
    'POST',
    'bc/billing_group/create',
    [
      id('bc_id'),
      accounts('advertiser_ids', { required: true, min: 1, max: 100 }),
      { name: 'billing_group_name', type: 'string', required: true, min: 1, max: 100 },
      { name: 'billing_group_type', type: 'string', enum: ['AUCTION', 'RESERVATION'] },
      emails('billing_group_emails'),
      { name: 'is_primary', type: 'boolean' },
    ],
    createBillingGroup,
  ),
  endpoint(
    'POST',
    'bc/billing_group/update',
    [
      id('bc_id'),
      id('billing_group_id'),
      accounts('add_advertiser_ids'),
      accounts('delete_advertiser_ids'),
      { name: 'new_billing_group_name', type: 'string', min: 1, max: 100 },
      emails('new_billing_group_emails'),
      { name: 'is_primary', type: 'boolean' },
    ],
    updateBillingGroup,
  ),
  endpoint(
    'GET',
    'bc/billing_group/get',
    [id('bc_id'), filter([id('billing_group_id', false), { name: 'billing_group_name', type: 'string' }]), ...paging],
    listBillingGroups,
  ),
];

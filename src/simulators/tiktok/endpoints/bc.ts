/** Business Centers: reads. Facts: official yml bc_*; the shape of advertiser/balance/get from TikTok docs 1739939106470913. */
import { page, pickFields } from '../paging.ts';
import { stamp } from '../stamp.ts';
import { type Advertiser, type BusinessCenter, type Call, type Endpoint, TikTokError, type User } from '../types.ts';
import {
  assetType,
  bcOf,
  filtering,
  id,
  keywordFilter,
  matches,
  membersOf,
  memberView,
  PAGE_SIZE,
  paging,
  partnerView,
  requireBcMember,
  self,
  text,
} from './bc-access.ts';
import { adminAssetView, assetsOf } from './bc-asset.ts';
import { financeRole, invites } from './bc-member.ts';

const bcInfo = (bc: BusinessCenter) => ({
  bc_id: bc.id,
  name: bc.name,
  company: bc.company,
  currency: bc.currency,
  registered_area: bc.registered_area,
  status: bc.status,
  timezone: bc.timezone,
  type: bc.type,
  // Which values it may have is unverified.
  organization_type: 'ADVERTISER',
  verification_status: bc.verification_status,
});

const extRole = (call: Call, bcId: string, user: User) => ({ finance_role: financeRole(call.world, bcId, user) });

/** bc/get: the gateway drops null members of this one, so `parent_bc` and `binding_status` appear only when set. */
const get: Endpoint = {
  method: 'GET',
  path: 'bc/get',
  auth: 'token',
  params: [
    id('bc_id', false),
    { name: 'scene', type: 'string', enum: ['SINGLE_ACCOUNT', 'TIERED_ACCOUNT'] },
    {
      name: 'filtering',
      type: 'object',
      fields: [
        { name: 'keyword', type: 'string' },
        { name: 'keyword_type', type: 'string', enum: ['ASSET', 'MEMBER', 'PARTNER', 'TIER'] },
        { name: 'relation_type', type: 'string', enum: ['CHILD', 'PARENT'] },
      ],
    },
    ...paging,
  ],
  handle(call) {
    const { world, params } = call;
    const only = text(params['bc_id']);
    if (only !== undefined) requireBcMember(call, only);
    const roles = self(call).bc_roles;
    const { keyword, relation_type: relation } = filtering(call);
    const rows = [...world.businessCenters.values()]
      .filter((bc) => roles[bc.id] && (only === undefined || bc.id === only))
      .filter((bc) => relation === undefined && matches(keyword, bc.name, bc.id))
      .map((bc) => ({
        bc_info: bcInfo(bc),
        user_role: roles[bc.id]!,
        ext_user_role: extRole(call, bc.id, self(call)),
      }));
    return page(rows, call, PAGE_SIZE);
  },
};

const memberGet: Endpoint = {
  method: 'GET',
  path: 'bc/member/get',
  auth: 'token',
  params: [
    id('bc_id'),
    id('child_bc_id', false),
    {
      name: 'filtering',
      type: 'object',
      fields: [
        { name: 'keyword', type: 'string' },
        { name: 'relation_status', type: 'string', enum: ['BOUND', 'PENDING', 'REJECTED', 'UNBOUND'] },
        { name: 'user_role', type: 'string', enum: ['ADMIN', 'STANDARD'] },
      ],
    },
    ...paging,
  ],
  handle(call) {
    const bc = bcOf(call);
    const filter = filtering(call);
    const members = membersOf(call, bc.id).map((user) => ({
      ...memberView(user, bc.id),
      ext_user_role: extRole(call, bc.id, user),
    }));
    // Who was invited and has not accepted is known by address alone.
    const pending = invites(call.world)
      .by('bc', bc.id)
      .map((invite) => ({
        user_id: null,
        user_name: '',
        user_email: invite.email,
        user_role: invite.user_role,
        relation_status: 'PENDING',
        ext_user_role: { finance_role: invite.finance_role ?? 'ANALYST' },
      }));
    const rows = [...members, ...pending]
      .filter((row) => matches(filter['keyword'], row.user_name, row.user_email))
      .filter((row) => filter['user_role'] === undefined || row.user_role === filter['user_role'])
      .filter((row) => filter['relation_status'] === undefined || row.relation_status === filter['relation_status']);
    return page(rows, call, PAGE_SIZE);
  },
};

/** Both directions: whom this Business Center shares with, and who shares with it. */
function partnerIdsOf(call: Call, bc: BusinessCenter): string[] {
  const ids = new Set(Object.keys(bc.partners ?? {}));
  for (const other of call.world.businessCenters.values()) if (other.partners?.[bc.id]) ids.add(other.id);
  return [...ids];
}

const partnerGet: Endpoint = {
  method: 'GET',
  path: 'bc/partner/get',
  auth: 'token',
  params: [id('bc_id'), { name: 'filtering', type: 'object', fields: [{ name: 'name', type: 'string' }] }, ...paging],
  handle(call) {
    const rows = partnerIdsOf(call, bcOf(call))
      .map((partnerId) => partnerView(call, partnerId))
      .filter((partner) => matches(filtering(call)['name'], partner.bc_name));
    return page(rows, call, PAGE_SIZE);
  },
};

/** SHARING = what we share with the partner, SHARED = what it shares with us (unverified which is which). */
const partnerAssetGet: Endpoint = {
  method: 'GET',
  path: 'bc/partner/asset/get',
  auth: 'token',
  params: [
    id('bc_id'),
    id('partner_id'),
    assetType,
    { name: 'share_type', type: 'string', required: true, enum: ['SHARED', 'SHARING'] },
    keywordFilter,
    ...paging,
  ],
  handle(call) {
    const bc = bcOf(call);
    const partnerId = call.params['partner_id'] as string;
    if (!partnerIdsOf(call, bc).includes(partnerId)) {
      throw new TikTokError(40007, `The partner ${partnerId} does not exist.`);
    }
    const [owner, guest] =
      call.params['share_type'] === 'SHARING' ? [bc, partnerId] : [call.world.businessCenters.get(partnerId)!, bc.id];
    const rows = assetsOf(call, owner, call.params['asset_type'] as string)
      .filter((asset) => owner.partners?.[guest]?.includes(asset.asset_id))
      .filter((asset) => matches(filtering(call)['keyword'], asset.asset_name, asset.asset_id))
      .map((asset) => adminAssetView(asset, self(call)));
    return page(rows, call, PAGE_SIZE);
  },
};

/** Balance members that a Business Center and an ad account have in common: all cash, nothing frozen. */
const balances = (cash: number) => ({
  account_balance: cash,
  valid_account_balance: cash,
  frozen_balance: 0,
  tax: 0,
  cash_balance: cash,
  valid_cash_balance: cash,
  grant_balance: 0,
  valid_grant_balance: 0,
});

const balanceGet: Endpoint = {
  method: 'GET',
  path: 'bc/balance/get',
  auth: 'token',
  params: [id('bc_id'), id('child_bc_id', false)],
  handle(call) {
    const bc = bcOf(call);
    return { bc_id: bc.id, currency: bc.currency, ...balances(bc.balance ?? 0) };
  },
};

const BALANCE_FIELDS = [
  'budget_remaining',
  'budget_frequency_restriction',
  'budget_amount_restriction',
  'min_transferable_amount',
];

function accountBalance(row: Advertiser, now: Date) {
  const days = Math.floor((now.getTime() / 1000 - row.create_time) / 86_400);
  const unlimited = (row.budget_mode ?? 'UNLIMITED') === 'UNLIMITED';
  return {
    advertiser_id: row.id,
    advertiser_name: row.name,
    advertiser_status: row.status,
    advertiser_type: 'AUCTION',
    timezone: row.display_timezone,
    currency: row.currency,
    account_open_days: Math.max(0, days),
    balance_reminder: false,
    company: row.company,
    contact_name: row.contact_name ?? '',
    contact_email: row.contact_email ?? '',
    create_time: stamp(new Date(row.create_time * 1000)),
    ...balances(row.balance),
    transferable_amount: row.balance,
    budget_mode: row.budget_mode ?? 'UNLIMITED',
    budget: row.budget ?? 0,
    budget_cost: 0,
    ...(unlimited ? {} : { budget_remaining: row.budget ?? 0 }),
  };
}

/** advertiser/balance/get: what the ad accounts of a Business Center hold. */
const advertiserBalanceGet: Endpoint = {
  method: 'GET',
  path: 'advertiser/balance/get',
  auth: 'token',
  params: [
    id('bc_id'),
    id('child_bc_id', false),
    {
      name: 'filtering',
      type: 'object',
      fields: [
        { name: 'keyword', type: 'string' },
        { name: 'advertiser_status', type: 'array', items: { type: 'string' } },
      ],
    },
    // Extra members to return; the members above are always there.
    { name: 'fields', type: 'array', items: { type: 'string' } },
    ...paging,
  ],
  handle(call) {
    const filter = filtering(call);
    pickFields({}, call.params['fields'], BALANCE_FIELDS);
    const statuses = filter['advertiser_status'] as string[] | undefined;
    const rows = call.world.advertisers
      .by('bc', bcOf(call).id)
      .filter((row) => matches(filter['keyword'], row.name, row.id))
      .filter((row) => statuses === undefined || statuses.length === 0 || statuses.includes(row.status))
      .map((row) => accountBalance(row, call.now));
    const { list, page_info } = page(rows, call, PAGE_SIZE);
    return { advertiser_account_list: list, page_info };
  },
};

/** The Business Center family. */
export const endpoints: Endpoint[] = [get, memberGet, partnerGet, partnerAssetGet, balanceGet, advertiserBalanceGet];

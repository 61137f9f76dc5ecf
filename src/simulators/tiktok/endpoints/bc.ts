/** Business Centers: reads. Facts: official yml bc_*; the shape of advertiser/balance/get from TikTok docs 1739939106470913. */
import { page, pickFields } from '../paging.ts';
import {
  type Advertiser,
  type BusinessCenter,
  type Call,
  type Endpoint,
  type Param,
  TikTokError,
  type User,
} from '../types.ts';
import { stamp } from '../world.ts';
import { requireBcMember } from './bc-access.ts';

const PAGE_SIZE = 50;
const ASSET_TYPES = ['ADVERTISER', 'CATALOG', 'DOMAIN', 'LEAD', 'PIXEL', 'STOREFRONT', 'TIKTOK_SHOP', 'TT_ACCOUNT'];

const id = (name: string, required = true): Param => ({ name, type: 'string', required, numeric: true });
const paging: Param[] = [
  { name: 'page', type: 'integer' },
  { name: 'page_size', type: 'integer' },
];
const keywordFilter: Param = { name: 'filtering', type: 'object', fields: [{ name: 'keyword', type: 'string' }] };
const assetType: Param = { name: 'asset_type', type: 'string', required: true, enum: ASSET_TYPES };

const filtering = (call: Call) => (call.params['filtering'] ?? {}) as Record<string, unknown>;
const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
/** Keywords match a part of a name, in any case, or a whole id. */
const matches = (keyword: unknown, ...names: string[]) => {
  const wanted = text(keyword)?.toLowerCase();
  return wanted === undefined || names.some((name) => name.toLowerCase().includes(wanted));
};
const self = (call: Call): User => call.world.users.get(call.grant!.user_id)!;
const bcOf = (call: Call, admin = false) => {
  const bc = requireBcMember(call, call.params['bc_id'] as string, admin);
  const child = text(call.params['child_bc_id']);
  // No Business Center here has children: naming one is naming one that the caller does not have.
  if (child !== undefined) requireBcMember(call, child, admin);
  return bc;
};
const membersOf = (call: Call, bcId: string) => [...call.world.users.values()].filter((user) => user.bc_roles[bcId]);

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

const extRole = (role: 'ADMIN' | 'STANDARD') => ({ finance_role: role === 'ADMIN' ? 'MANAGER' : 'ANALYST' });

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
      .map((bc) => ({ bc_info: bcInfo(bc), user_role: roles[bc.id]!, ext_user_role: extRole(roles[bc.id]!) }));
    return page(rows, call, PAGE_SIZE);
  },
};

interface Asset {
  asset_id: string;
  asset_name: string;
  asset_type: string;
  relation_type: string;
  owner_bc_name: string | null;
  advertiser?: Advertiser;
  pixel_code?: string;
}

/** The assets of a type that a Business Center owns or was given by a partner. */
function assetsOf(call: Call, bc: BusinessCenter, type: string): Asset[] {
  const { world } = call;
  const own = world.advertisers.by('bc', bc.id);
  const asset = (rest: Partial<Asset> & Pick<Asset, 'asset_id' | 'asset_name'>): Asset => ({
    asset_type: type,
    relation_type: 'OWNER_BC',
    owner_bc_name: bc.name,
    ...rest,
  });
  if (type === 'ADVERTISER') {
    const shared = [...world.businessCenters.values()].flatMap((partner) =>
      (partner.partners?.[bc.id] ?? []).flatMap((advertiserId) => {
        const advertiser = world.advertisers.get(advertiserId);
        return advertiser ? [{ advertiser, partner }] : [];
      }),
    );
    return [
      ...own.map((row) => asset({ asset_id: row.id, asset_name: row.name, advertiser: row })),
      ...shared.map(({ advertiser, partner }) =>
        asset({
          asset_id: advertiser.id,
          asset_name: advertiser.name,
          advertiser,
          relation_type: 'OWNER_PARTNER',
          owner_bc_name: partner.name,
        }),
      ),
    ];
  }
  const advertiserIds = new Set(own.map((row) => row.id));
  const source = type === 'PIXEL' ? world.pixels : type === 'CATALOG' ? world.catalogs : undefined;
  if (!source) return [];
  return [...source.values()]
    .filter((row) => advertiserIds.has(row.advertiser_id) || row['bc_id'] === bc.id)
    .map((row) =>
      asset({
        asset_id: row.id,
        asset_name: String(row['pixel_name'] ?? row['catalog_name'] ?? row['name'] ?? row.id),
        ...(typeof row['pixel_code'] === 'string' ? { pixel_code: row['pixel_code'] } : {}),
      }),
    );
}

/** Members of an asset that all asset lists show; what does not apply is null. */
function assetView(asset: Asset, user: User | undefined) {
  const isAccount = asset.advertiser !== undefined;
  return {
    asset_id: asset.asset_id,
    asset_name: asset.asset_name,
    asset_type: asset.asset_type,
    advertiser_role: isAccount ? (user?.roles[asset.asset_id] ?? null) : null,
    advertiser_account_type: isAccount ? 'AUCTION' : null,
    catalog_role: asset.asset_type === 'CATALOG' ? 'AD_PROMOTE' : null,
    ad_creation_eligible: asset.asset_type === 'CATALOG' ? 'AVAILABLE' : null,
    store_role: null,
    tt_account_roles: null,
    owner_bc_name: asset.owner_bc_name,
  };
}

const adminAssetView = (asset: Asset, user: User) => ({
  ...assetView(asset, user),
  advertiser_status: asset.advertiser?.status ?? null,
  relation_type: asset.relation_type,
  relation_status: 'BOUND',
  pixel_code: asset.pixel_code ?? null,
});

/** What the user behind the token (or, for administrators, another member) can see. */
const assetGet: Endpoint = {
  method: 'GET',
  path: 'bc/asset/get',
  auth: 'token',
  params: [
    id('bc_id'),
    assetType,
    id('child_bc_id', false),
    {
      name: 'filtering',
      type: 'object',
      fields: [
        { name: 'keyword', type: 'string' },
        { name: 'user_email', type: 'string' },
        { name: 'user_id', type: 'string', numeric: true },
      ],
    },
    ...paging,
  ],
  handle(call) {
    const { keyword, user_email: email, user_id: userId } = filtering(call);
    const other = text(email) ?? text(userId);
    const bc = bcOf(call, other !== undefined);
    const user =
      other === undefined
        ? self(call)
        : membersOf(call, bc.id).find((member) => member.id === other || member.email === other);
    const rows = assetsOf(call, bc, call.params['asset_type'] as string)
      .filter((asset) => user && (asset.advertiser === undefined || user.roles[asset.asset_id]))
      .filter((asset) => matches(keyword, asset.asset_name, asset.asset_id))
      .map((asset) => assetView(asset, user));
    return page(rows, call, PAGE_SIZE);
  },
};

/** How an account's status shows in `advertiser_show_status` (the grouping is unverified). */
function showStatus(status: string): string {
  if (status === 'STATUS_ENABLE') return 'SHOW_ACCOUNT_STATUS_APPROVED';
  if (status === 'STATUS_LIMIT' || status === 'STATUS_DISABLE') return 'SHOW_ACCOUNT_STATUS_PUNISHED';
  return status.includes('FAIL') ? 'SHOW_ACCOUNT_STATUS_NOT_APPROVED' : 'SHOW_ACCOUNT_STATUS_IN_REVIEW';
}

/** Everything, for administrators of the Business Center. */
const assetAdminGet: Endpoint = {
  method: 'GET',
  path: 'bc/asset/admin/get',
  auth: 'token',
  params: [
    id('bc_id'),
    id('child_bc_id', false),
    assetType,
    {
      name: 'filtering',
      type: 'object',
      fields: [
        { name: 'keyword', type: 'string' },
        {
          name: 'advertiser_show_status',
          type: 'string',
          enum: ['APPROVED', 'IN_REVIEW', 'NOT_APPROVED', 'PUNISHED'].map((s) => `SHOW_ACCOUNT_STATUS_${s}`),
        },
        { name: 'relation_status', type: 'string', enum: ['BOUND', 'PENDING', 'REJECT', 'REJECTED', 'UNBOUND'] },
        { name: 'relation_type', type: 'string', enum: ['OWNER_BC', 'OWNER_INDIVIDUAL', 'OWNER_PARTNER'] },
      ],
    },
    ...paging,
  ],
  handle(call) {
    const filter = filtering(call);
    const rows = assetsOf(call, bcOf(call, true), call.params['asset_type'] as string)
      .map((asset) => adminAssetView(asset, self(call)))
      .filter((row) => matches(filter['keyword'], row.asset_name, row.asset_id))
      .filter((row) => filter['relation_type'] === undefined || row.relation_type === filter['relation_type'])
      .filter((row) => filter['relation_status'] === undefined || row.relation_status === filter['relation_status'])
      .filter(
        (row) =>
          filter['advertiser_show_status'] === undefined ||
          (row.advertiser_status !== null && showStatus(row.advertiser_status) === filter['advertiser_show_status']),
      );
    return page(rows, call, PAGE_SIZE);
  },
};

/** The asset named by asset_type and asset_id. @throws TikTokError 40007 if the Business Center has none such. */
function namedAsset(call: Call, bc: BusinessCenter): Asset {
  const { asset_type: type, asset_id: assetId } = call.params;
  const asset = assetsOf(call, bc, type as string).find((row) => row.asset_id === assetId);
  if (!asset) throw new TikTokError(40007, `The asset ${assetId} does not exist.`);
  return asset;
}

const memberView = (user: User, bcId: string) => ({
  user_id: user.id,
  user_name: user.display_name,
  user_email: user.email,
  user_role: user.bc_roles[bcId],
  relation_status: 'BOUND',
});

const assetMemberGet: Endpoint = {
  method: 'GET',
  path: 'bc/asset/member/get',
  auth: 'token',
  params: [id('bc_id'), assetType, id('asset_id'), keywordFilter, ...paging],
  handle(call) {
    const bc = bcOf(call);
    const asset = namedAsset(call, bc);
    const rows = membersOf(call, bc.id)
      .filter((user) => asset.advertiser === undefined || user.roles[asset.asset_id])
      .filter((user) => matches(filtering(call)['keyword'], user.display_name, user.email))
      .map((user) => ({
        ...memberView(user, bc.id),
        advertiser_role: user.roles[asset.asset_id] ?? null,
        catalog_role: asset.asset_type === 'CATALOG' ? 'AD_PROMOTE' : null,
      }));
    return page(rows, call, 20);
  },
};

const partnerView = (call: Call, bcId: string) => ({
  bc_id: bcId,
  bc_name: call.world.businessCenters.get(bcId)?.name ?? bcId,
});

const assetPartnerGet: Endpoint = {
  method: 'GET',
  path: 'bc/asset/partner/get',
  auth: 'token',
  params: [id('bc_id'), assetType, id('asset_id'), keywordFilter, ...paging],
  handle(call) {
    const bc = bcOf(call);
    const asset = namedAsset(call, bc);
    const rows = Object.entries(bc.partners ?? {})
      .filter(([, shared]) => shared.includes(asset.asset_id))
      .map(([partnerId]) => partnerView(call, partnerId))
      .filter((partner) => matches(filtering(call)['keyword'], partner.bc_name, partner.bc_id));
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
    const rows = membersOf(call, bc.id)
      .map((user) => ({ ...memberView(user, bc.id), ext_user_role: extRole(user.bc_roles[bc.id]!) }))
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

/** How many members and partners an asset may still be given to; the total is the simulator's own (unverified). */
const ASSET_BIND_QUOTA = 4_000;

const bindQuota: Endpoint = {
  method: 'GET',
  path: 'asset/bind/quota',
  auth: 'token',
  params: [id('bc_id'), { ...assetType, enum: [...ASSET_TYPES, 'MANAGED_BUSINESS_ACCOUNT'] }, id('asset_id')],
  handle(call) {
    const bc = bcOf(call);
    const asset = namedAsset(call, bc);
    const members = membersOf(call, bc.id).filter((user) => user.roles[asset.asset_id]).length;
    const partners = Object.values(bc.partners ?? {}).filter((shared) => shared.includes(asset.asset_id)).length;
    const used_quota = members + partners;
    return { total_quota: ASSET_BIND_QUOTA, used_quota, available_quota: ASSET_BIND_QUOTA - used_quota };
  },
};

/** The Business Center family. */
export const endpoints: Endpoint[] = [
  get,
  assetGet,
  assetAdminGet,
  assetMemberGet,
  assetPartnerGet,
  memberGet,
  partnerGet,
  partnerAssetGet,
  balanceGet,
  advertiserBalanceGet,
  bindQuota,
];

/** Assets of Business Centers. Facts: official yml bc_asset_*. */
import { page } from '../paging.ts';
import { type Advertiser, type BusinessCenter, type Call, type Endpoint, TikTokError, type User } from '../types.ts';
import {
  ASSET_TYPES,
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
  self,
  text,
} from './bc-access.ts';

/** An asset as the simulator knows it, before it is shown. */
export interface Asset {
  asset_id: string;
  asset_name: string;
  asset_type: string;
  relation_type: string;
  owner_bc_name: string | null;
  advertiser?: Advertiser;
  pixel_code?: string;
}

/** The assets of a type that a Business Center owns or was given by a partner. */
export function assetsOf(call: Call, bc: BusinessCenter, type: string): Asset[] {
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

/** An asset as administrators see it. */
export const adminAssetView = (asset: Asset, user: User) => ({
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

/** Assets of Business Centers. */
export const endpoints: Endpoint[] = [assetGet, assetAdminGet, assetMemberGet, assetPartnerGet, bindQuota];

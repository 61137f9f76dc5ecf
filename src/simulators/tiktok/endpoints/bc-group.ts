/**
 * Asset groups of Business Centers (bc/asset_group/*) and the link under which owners of TikTok accounts allow a Business
 * Center to use them (bc/asset/account/authorization, bc/asset/advertiser/*). Facts: official yml bc_asset_group_*, an
 * independent transcription for the rest; codes (unverified).
 */
import { accountsOf } from '../agency.ts';
import { page } from '../paging.ts';
import { missing } from '../rules.ts';
import { type Call, type Endpoint, type Native, type Param, TikTokError } from '../types.ts';
import { bcOf, filtering, id, keywordFilter, matches, membersOf, paging } from './bc-access.ts';
import { endpoint } from './bc-money.ts';

type Values = Record<string, unknown>;
interface Asset {
  asset_id: string;
  asset_type?: string;
}
interface Member {
  member_id: string;
  asset_roles?: Values;
}
type Group = Native & { bc_id: string; assets: Asset[]; members: Member[] };

const groups = (call: Call) => call.world.store.collection<Group>('bc_asset_groups', { bc: (row: Group) => row.bc_id });

function groupOf(call: Call, bcId: string, groupId: unknown): Group {
  const row = groups(call).get(String(groupId));
  if (row?.bc_id !== bcId) throw new TikTokError(40007, `The asset group ${String(groupId)} does not exist.`);
  return row;
}

/** Ad accounts of the Business Center. @throws TikTokError 40007 naming the first that is none. */
function checkAssets(call: Call, bcId: string, assets: readonly Asset[]): void {
  const own = accountsOf(call.world, bcId);
  const strange = assets.find((one) => !own.has(one.asset_id));
  if (strange) throw new TikTokError(40007, `The asset ${strange.asset_id} does not exist.`);
}

function checkMembers(call: Call, bcId: string, members: readonly Member[]): void {
  const own = new Set(membersOf(call, bcId).map((user) => user.id));
  const strange = members.find((one) => !own.has(one.member_id));
  if (strange) throw new TikTokError(40007, `The member ${strange.member_id} does not exist.`);
}

/** Members of a group have its roles on its ad accounts. */
function applyRoles(call: Call, row: Group): void {
  const { world } = call;
  for (const member of row.members) {
    const role = member.asset_roles?.['advertiser_role'] ?? member.asset_roles?.['ADVERTISER'];
    if (role !== 'ADMIN' && role !== 'OPERATOR' && role !== 'ANALYST') continue;
    const user = world.users.get(member.member_id)!;
    const roles = { ...user.roles };
    for (const asset of row.assets) roles[asset.asset_id] = role;
    world.users.put({ ...user, roles });
  }
}

function create(call: Call): unknown {
  const bc = bcOf(call, true);
  const assets = call.params['assets'] as Asset[];
  const members = call.params['members'] as Member[];
  checkAssets(call, bc.id, assets);
  checkMembers(call, bc.id, members);
  const groupId = call.world.nextId();
  const row: Group = {
    id: groupId,
    advertiser_id: '',
    bc_id: bc.id,
    asset_group_name: call.params['asset_group_name'],
    assets,
    members,
  };
  groups(call).put(row);
  applyRoles(call, row);
  return { asset_group_id: groupId };
}

function update(call: Call): unknown {
  const { params } = call;
  const bc = bcOf(call, true);
  const row = groupOf(call, bc.id, params['asset_group_id']);
  const entity = params['update_entity'];
  const adding = params['action'] === 'ADD';
  if (entity !== 'NAME' && params['action'] === undefined) missing('action');
  let after: Group = row;
  if (entity === 'NAME') {
    if (params['asset_group_name'] === undefined) missing('asset_group_name');
    after = { ...row, asset_group_name: params['asset_group_name'] };
  } else if (entity === 'ASSET') {
    const assets = (params['assets'] ?? missing('assets')) as Asset[];
    const ids = assets.map((one) => one.asset_id);
    if (adding) checkAssets(call, bc.id, assets);
    const others = row.assets.filter((one) => !ids.includes(one.asset_id));
    after = { ...row, assets: adding ? [...others, ...assets] : others };
  } else {
    const members = (params['members'] ?? missing('members')) as Member[];
    const ids = members.map((one) => one.member_id);
    if (adding) checkMembers(call, bc.id, members);
    const others = row.members.filter((one) => !ids.includes(one.member_id));
    after = { ...row, members: adding ? [...others, ...members] : others };
  }
  groups(call).put(after);
  applyRoles(call, after);
  return {};
}

const assetView = (call: Call, bcId: string, asset: Asset): Values => {
  const account = call.world.advertisers.get(asset.asset_id);
  return {
    asset_id: asset.asset_id,
    asset_type: 'ADVERTISER',
    asset_name: account?.name ?? '',
    relation_type: account?.owner_bc_id === bcId ? 'OWNER_BC' : 'OWNER_PARTNER',
    advertiser_status: account?.status ?? null,
  };
};

function get(call: Call): unknown {
  const bc = bcOf(call);
  const row = groupOf(call, bc.id, call.params['asset_group_id']);
  const byAsset = call.params['query_entity'] === 'ASSET';
  const keyword = filtering(call)['keyword'];
  const assets = row.assets
    .map((one) => assetView(call, bc.id, one))
    .filter((one) => matches(keyword, String(one['asset_name']), String(one['asset_id'])));
  const found = page<unknown>(byAsset ? assets : row.members, call, 50);
  return {
    asset_group: {
      asset_group_id: row.id,
      asset_group_name: row['asset_group_name'],
      ...(byAsset ? { assets: found.list } : { members: found.list }),
    },
    page_info: found.page_info,
  };
}

function list(call: Call): unknown {
  const bc = bcOf(call);
  const rows = groups(call)
    .by('bc', bc.id)
    .filter((row) => matches(filtering(call)['keyword'], String(row['asset_group_name'])));
  const found = page(rows, call, 50);
  return {
    asset_groups: found.list.map((row) => ({
      asset_group_id: row.id,
      asset_group_name: row['asset_group_name'],
      assets: row.assets.map((one) => assetView(call, bc.id, one)),
      members: row.members,
    })),
    page_info: found.page_info,
  };
}

/** TikTok accounts that are linked to an ad account through the Business Center. */
function linked(call: Call): unknown {
  const bc = bcOf(call);
  const assetId = String(call.params['asset_id']);
  const rows = [...call.world.identities.values()].filter(
    (row) => row['identity_authorized_bc_id'] === bc.id && row.id === assetId,
  );
  const found = page(rows, call, 50);
  return {
    list: found.list.map((row) => ({
      advertiser_id: row.advertiser_id,
      advertiser_name: call.world.advertisers.get(row.advertiser_id)?.name ?? '',
    })),
    page_info: found.page_info,
  };
}

/** Where the owner of a TikTok account allows it: a page of the simulator's own kind, named in the QR code. */
function authorization(call: Call): unknown {
  const bc = bcOf(call, true);
  return { bc_auth_qr_code: `${call.origin}/creator?bc_id=${bc.id}` };
}

const assets: Param = {
  name: 'assets',
  type: 'array',
  min: 1,
  max: 200,
  items: { type: 'object', fields: [{ name: 'asset_id', type: 'string', required: true }] },
};
const members: Param = {
  name: 'members',
  type: 'array',
  min: 1,
  max: 50,
  items: { type: 'object', fields: [{ name: 'member_id', type: 'string', required: true }] },
};
const groupName: Param = { name: 'asset_group_name', type: 'string' };

/** Asset groups, and TikTok accounts of a Business Center. */
export const endpoints: Endpoint[] = [
  endpoint(
    'POST',
    'bc/asset_group/create',
    [id('bc_id'), { ...groupName, required: true }, { ...assets, required: true }, { ...members, required: true }],
    create,
  ),
  endpoint(
    'POST',
    'bc/asset_group/update',
    [
      id('bc_id'),
      id('asset_group_id'),
      { name: 'update_entity', type: 'string', required: true, enum: ['ASSET', 'MEMBER', 'NAME'] },
      { name: 'action', type: 'string', enum: ['ADD', 'DELETE'] },
      groupName,
      assets,
      members,
    ],
    update,
  ),
  endpoint(
    'POST',
    'bc/asset_group/delete',
    [
      id('bc_id'),
      {
        name: 'asset_group_ids',
        type: 'array',
        required: true,
        min: 1,
        max: 1,
        items: { type: 'string', numeric: true },
      },
    ],
    (call) => {
      const bc = bcOf(call, true);
      for (const one of call.params['asset_group_ids'] as string[]) groups(call).delete(groupOf(call, bc.id, one).id);
      return {};
    },
  ),
  endpoint(
    'GET',
    'bc/asset_group/get',
    [
      id('bc_id'),
      id('asset_group_id'),
      { name: 'query_entity', type: 'string', required: true, enum: ['ASSET', 'MEMBER'] },
      keywordFilter,
      ...paging,
    ],
    get,
  ),
  endpoint('GET', 'bc/asset_group/list', [id('bc_id'), keywordFilter, ...paging], list),
  endpoint('GET', 'bc/asset/account/authorization', [id('bc_id')], authorization),
  endpoint('GET', 'bc/asset/advertiser/assigned', [id('bc_id'), id('asset_id'), ...paging], linked),
];

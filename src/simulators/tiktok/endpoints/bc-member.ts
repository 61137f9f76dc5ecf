/** Members, partners and their rights in Business Centers: writes. Facts: official yml bc_member_*, bc_partner_*, bc_asset_*. */
import { accountsOf, endShare, leave } from '../agency.ts';
import { missing } from '../rules.ts';
import {
  type BusinessCenter,
  type Call,
  type Endpoint,
  type Param,
  TikTokError,
  type User,
  type World,
} from '../types.ts';
import { assetType, bcOf, id, text } from './bc-access.ts';
import { assetsOf } from './bc-asset.ts';

type AdRole = 'ADMIN' | 'OPERATOR' | 'ANALYST';
type Finance = 'MANAGER' | 'ANALYST';

/** An invitation that nobody has accepted yet; `id` is `<bc_id>:<email>`. */
export interface Invite {
  id: string;
  bc_id: string;
  email: string;
  user_role: 'ADMIN' | 'STANDARD';
  finance_role?: Finance;
  advertiser_role: AdRole;
  asset_ids: string[];
}

/** Invitations that are pending. */
export const invites = (world: World) => world.store.collection<Invite>('bc_invites', { bc: (row) => row.bc_id });

/** Finance roles that differ from what the user's role brings; `id` is `<bc_id>:<user_id>`. */
const financeRoles = (world: World) => world.store.collection<{ id: string; role: Finance }>('bc_finance_roles');

/** The finance role of a member: managers are administrators unless it was set otherwise (unverified). */
export const financeRole = (world: World, bcId: string, user: User): Finance =>
  financeRoles(world).get(`${bcId}:${user.id}`)?.role ?? (user.bc_roles[bcId] === 'ADMIN' ? 'MANAGER' : 'ANALYST');

/** @throws TikTokError 40001 unless the caller manages the money of the Business Center. */
export function requireFinance(call: Call, bc: BusinessCenter): void {
  const user = call.world.users.get(call.grant!.user_id)!;
  if (financeRole(call.world, bc.id, user) !== 'MANAGER') {
    throw new TikTokError(40001, `You must be a finance manager of the Business Center ${bc.id}.`);
  }
}

/** The person with this address accepts; undefined if there is no invitation or no such user. */
export function acceptInvite(world: World, bcId: string, email: string): User | undefined {
  const invite = invites(world).get(`${bcId}:${email}`);
  const user = [...world.users.values()].find((one) => one.email === email);
  if (!invite || !user) return undefined;
  const roles = { ...user.roles };
  for (const assetId of invite.asset_ids) roles[assetId] = invite.advertiser_role;
  const after = { ...user, roles, bc_roles: { ...user.bc_roles, [bcId]: invite.user_role } };
  world.users.put(after);
  if (invite.finance_role) financeRoles(world).put({ id: `${bcId}:${user.id}`, role: invite.finance_role });
  invites(world).delete(invite.id);
  return after;
}

/** A member by id. @throws TikTokError 40007 if there is none. */
function memberOf(call: Call, bc: BusinessCenter, userId: unknown): User {
  const user = call.world.users.get(String(userId));
  if (!user?.bc_roles[bc.id]) throw new TikTokError(40007, `The member ${String(userId)} does not exist.`);
  return user;
}

/** The ids that name assets of the Business Center. @throws TikTokError 40007 naming the first that does not. */
function ownAssets(call: Call, bc: BusinessCenter, type: string, ids: readonly string[]): readonly string[] {
  const known =
    type === 'ADVERTISER'
      ? accountsOf(call.world, bc.id)
      : new Set(assetsOf(call, bc, type).map((row) => row.asset_id));
  const strange = ids.find((one) => !known.has(one));
  if (strange !== undefined) throw new TikTokError(40007, `The asset ${strange} does not exist.`);
  return ids;
}

function assign(call: Call): unknown {
  const { world, params } = call;
  const bc = bcOf(call, true);
  const user = memberOf(call, bc, params['user_id']);
  const type = String(params['asset_type']);
  const [assetId] = ownAssets(call, bc, type, [String(params['asset_id'])]);
  const role = {
    ADVERTISER: 'advertiser_role',
    CATALOG: 'catalog_role',
    STOREFRONT: 'store_role',
    TIKTOK_SHOP: 'store_role',
  }[type];
  if (role !== undefined && params[role] === undefined) missing(role);
  if (type === 'ADVERTISER') {
    world.users.put({ ...user, roles: { ...user.roles, [assetId!]: params['advertiser_role'] as AdRole } });
  }
  return {};
}

function unassign(call: Call): unknown {
  const { world, params } = call;
  const bc = bcOf(call, true);
  const user = memberOf(call, bc, params['user_id']);
  const [assetId] = ownAssets(call, bc, String(params['asset_type']), [String(params['asset_id'])]);
  const { [assetId!]: _role, ...roles } = user.roles;
  world.users.put({ ...user, roles });
  return {};
}

/** The Business Center gives assets away: ad accounts live on without it, and its members lose them. */
function deleteAssets(call: Call): unknown {
  const { world, params } = call;
  const bc = bcOf(call, true);
  const ids = ownAssets(call, bc, String(params['asset_type']), params['asset_ids'] as string[]);
  if (params['asset_type'] !== 'ADVERTISER') return {};
  for (const id of ids) {
    const row = world.advertisers.get(id)!;
    if (row.owner_bc_id !== bc.id) {
      // Shared by a partner: the share ends from this side.
      const owner = world.businessCenters.get(row.owner_bc_id ?? '');
      if (owner) endShare(world, owner, bc.id, [id]);
      continue;
    }
    const { owner_bc_id: _bc, ...free } = row;
    world.advertisers.put(free);
    for (const user of [...world.users.values()].filter((one) => one.bc_roles[bc.id] && one.roles[id])) {
      const { [id]: _role, ...roles } = user.roles;
      world.users.put({ ...user, roles });
    }
  }
  return {};
}

function addPartner(call: Call): unknown {
  const { world, params } = call;
  const bc = bcOf(call, true);
  const partnerId = text(params['partner_id']) ?? missing('partner_id');
  if (!world.businessCenters.get(partnerId) || partnerId === bc.id) {
    throw new TikTokError(40007, `The Business Center ${partnerId} does not exist.`);
  }
  const wanted = (params['asset_ids'] ?? []) as string[];
  const own = world.advertisers.by('bc', bc.id).map((row) => row.id);
  const strange = wanted.find((one) => !own.includes(one));
  if (strange !== undefined) throw new TikTokError(40001, `The Business Center does not own the asset ${strange}.`);
  const shared = new Set([...(bc.partners?.[partnerId] ?? []), ...wanted]);
  world.businessCenters.put({ ...bc, partners: { ...bc.partners, [partnerId]: [...shared] } });
  // The partner's administrators can use what was shared at once, with the role that was given.
  const role = (params['advertiser_role'] ?? 'ANALYST') as AdRole;
  for (const user of [...world.users.values()].filter((one) => one.bc_roles[partnerId] === 'ADMIN')) {
    const roles = { ...user.roles };
    for (const one of wanted) roles[one] ??= role;
    world.users.put({ ...user, roles });
  }
  return {};
}

function partnerOf(call: Call, bc: BusinessCenter): string {
  const partnerId = String(call.params['partner_id']);
  const theirs = call.world.businessCenters.get(partnerId)?.partners?.[bc.id];
  if (!bc.partners?.[partnerId] && !theirs) {
    throw new TikTokError(40007, `The partner ${partnerId} does not exist.`);
  }
  return partnerId;
}

function deletePartnerAssets(call: Call): unknown {
  const bc = bcOf(call, true);
  endShare(call.world, bc, partnerOf(call, bc), call.params['asset_ids'] as string[]);
  return {};
}

function deletePartner(call: Call): unknown {
  const bc = bcOf(call, true);
  const partnerId = partnerOf(call, bc);
  endShare(call.world, bc, partnerId);
  const partner = call.world.businessCenters.get(partnerId);
  if (partner) endShare(call.world, partner, bc.id);
  return {};
}

const EMAIL = /^[^@\s]+@[^@\s]+\.[^@\s]+$/;

function invite(call: Call): unknown {
  const { world, params } = call;
  const bc = bcOf(call, true);
  const emails = params['emails'] as string[];
  const wrong = emails.find((email) => !EMAIL.test(email));
  if (wrong !== undefined) throw new TikTokError(40002, `emails: Not a valid email address: ${wrong}.`);
  const asset_ids = [...ownAssets(call, bc, 'ADVERTISER', (params['asset_ids'] ?? []) as string[])];
  const finance = (params['ext_user_role'] as { finance_role?: Finance } | undefined)?.finance_role;
  for (const email of emails) {
    invites(world).put({
      id: `${bc.id}:${email}`,
      bc_id: bc.id,
      email,
      user_role: (params['user_role'] ?? 'STANDARD') as Invite['user_role'],
      ...(finance === undefined ? {} : { finance_role: finance }),
      advertiser_role: (params['advertiser_role'] ?? 'ANALYST') as AdRole,
      asset_ids,
    });
  }
  return {};
}

/** A Business Center must keep an administrator. */
function keepOneAdmin(call: Call, bc: BusinessCenter, leaving: User): void {
  const others = [...call.world.users.values()].some((one) => one.id !== leaving.id && one.bc_roles[bc.id] === 'ADMIN');
  if (leaving.bc_roles[bc.id] === 'ADMIN' && !others) {
    throw new TikTokError(40002, `The Business Center ${bc.id} must have at least one admin.`);
  }
}

function updateMember(call: Call): unknown {
  const { world, params } = call;
  const bc = bcOf(call, true);
  const user = memberOf(call, bc, params['user_id']);
  const role = params['user_role'] as 'ADMIN' | 'STANDARD' | undefined;
  if (role === 'STANDARD') keepOneAdmin(call, bc, user);
  world.users.put({
    ...user,
    display_name: text(params['user_name']) ?? user.display_name,
    bc_roles: { ...user.bc_roles, ...(role === undefined ? {} : { [bc.id]: role }) },
  });
  const finance = (params['ext_user_role'] as { finance_role?: Finance } | undefined)?.finance_role;
  if (finance) financeRoles(world).put({ id: `${bc.id}:${user.id}`, role: finance });
  return {};
}

function deleteMember(call: Call): unknown {
  const { world, params } = call;
  const bc = bcOf(call, true);
  const email = text(params['user_email']);
  if (!text(params['user_id']) && !email) missing('user_id');
  const pending = email === undefined ? undefined : invites(world).get(`${bc.id}:${email}`);
  if (pending) {
    invites(world).delete(pending.id);
    return {};
  }
  const byEmail = email === undefined ? undefined : [...world.users.values()].find((one) => one.email === email);
  const user = memberOf(call, bc, text(params['user_id']) ?? byEmail?.id ?? email);
  keepOneAdmin(call, bc, user);
  leave(world, user, bc.id);
  return {};
}

const advertiserRole: Param = { name: 'advertiser_role', type: 'string', enum: ['ADMIN', 'ANALYST', 'OPERATOR'] };
const userRole: Param = { name: 'user_role', type: 'string', enum: ['ADMIN', 'STANDARD'] };
const extUserRole: Param = {
  name: 'ext_user_role',
  type: 'object',
  fields: [{ name: 'finance_role', type: 'string', enum: ['ANALYST', 'MANAGER'] }],
};
const assetIds = (more: Partial<Param> = {}): Param => ({
  name: 'asset_ids',
  type: 'array',
  items: { type: 'string', numeric: true },
  ...more,
});

const post = (path: string, params: readonly Param[], handle: Endpoint['handle']): Endpoint => ({
  method: 'POST',
  path: `bc/${path}`,
  auth: 'token',
  params: [id('bc_id'), ...params],
  handle,
});

/** Members, partners, rights. */
export const endpoints: Endpoint[] = [
  post(
    'asset/assign',
    [
      id('user_id'),
      id('asset_id'),
      assetType,
      advertiserRole,
      { name: 'catalog_role', type: 'string', enum: ['ADMIN', 'AD_PROMOTE'] },
      { name: 'store_role', type: 'string', enum: ['AD_PROMOTION', 'MANAGER'] },
      { name: 'form_library_role', type: 'string', enum: ['ADMIN'] },
      {
        name: 'tt_account_roles',
        type: 'array',
        items: { type: 'string', enum: ['DIRECT_MESSAGE', 'LIVE', 'POST'] },
      },
    ],
    assign,
  ),
  post('asset/unassign', [id('user_id'), id('asset_id'), assetType], unassign),
  post('asset/admin/delete', [id('child_bc_id', false), assetType, assetIds({ required: true, min: 1 })], deleteAssets),
  post(
    'partner/add',
    [
      id('partner_id', false),
      { name: 'asset_type', type: 'string', enum: ['ADVERTISER'] },
      assetIds({ max: 50 }),
      advertiserRole,
      { name: 'catalog_role', type: 'string', enum: ['ADMIN', 'AD_PROMOTE'] },
    ],
    addPartner,
  ),
  post('partner/asset/delete', [id('partner_id'), assetType, assetIds({ required: true })], deletePartnerAssets),
  post('partner/delete', [id('partner_id')], deletePartner),
  post(
    'member/invite',
    [
      { name: 'emails', type: 'array', required: true, min: 1, max: 50, items: { type: 'string' } },
      userRole,
      extUserRole,
      { name: 'asset_type', type: 'string', enum: ['ADVERTISER'] },
      assetIds(),
      advertiserRole,
    ],
    invite,
  ),
  post(
    'member/update',
    [id('user_id'), id('child_bc_id', false), { name: 'user_name', type: 'string', max: 250 }, userRole, extUserRole],
    updateMember,
  ),
  post(
    'member/delete',
    [id('user_id', false), id('child_bc_id', false), { name: 'user_email', type: 'string' }],
    deleteMember,
  ),
];

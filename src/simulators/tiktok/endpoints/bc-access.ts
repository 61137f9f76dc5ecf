/** What all Business Center endpoints share: who may ask, common parameters, members. */
import { type BusinessCenter, type Call, type Param, TikTokError, type User } from '../types.ts';

/**
 * The Business Center, if the user behind the token is a member of it.
 * @param admin Only administrators may.
 * @throws TikTokError 40001 otherwise (TikTok docs: a non-member has no permission; wording unverified).
 */
export function requireBcMember(call: Call, bcId: string, admin = false): BusinessCenter {
  const role = call.world.users.get(call.grant!.user_id)?.bc_roles[bcId];
  const bc = call.world.businessCenters.get(bcId);
  if (!bc || !role) throw new TikTokError(40001, `No permission to operate Business Center ${bcId}.`);
  if (admin && role !== 'ADMIN') {
    throw new TikTokError(40001, `You must be an admin of the Business Center ${bcId}.`);
  }
  return bc;
}

/** The largest page of most lists of a Business Center. */
export const PAGE_SIZE = 50;
/** Kinds of assets, as the official yml has them. */
export const ASSET_TYPES = [
  'ADVERTISER',
  'CATALOG',
  'DOMAIN',
  'LEAD',
  'PIXEL',
  'STOREFRONT',
  'TIKTOK_SHOP',
  'TT_ACCOUNT',
];

/** An id parameter: a string that must be a 64-bit integer. */
export const id = (name: string, required = true): Param => ({ name, type: 'string', required, numeric: true });
/** `page` and `page_size`; their bounds are checked where they are read. */
export const paging: Param[] = [
  { name: 'page', type: 'integer' },
  { name: 'page_size', type: 'integer' },
];
/** `filtering` with nothing but a keyword. */
export const keywordFilter: Param = {
  name: 'filtering',
  type: 'object',
  fields: [{ name: 'keyword', type: 'string' }],
};
/** `asset_type`, required. */
export const assetType: Param = { name: 'asset_type', type: 'string', required: true, enum: ASSET_TYPES };

/** The `filtering` of a call. */
export const filtering = (call: Call) => (call.params['filtering'] ?? {}) as Record<string, unknown>;
/** A text that is not empty. */
export const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
/** Keywords match a part of a name, in any case, or a whole id. */
export const matches = (keyword: unknown, ...names: string[]) => {
  const wanted = text(keyword)?.toLowerCase();
  return wanted === undefined || names.some((name) => name.toLowerCase().includes(wanted));
};
/** The user behind the token. */
export const self = (call: Call): User => call.world.users.get(call.grant!.user_id)!;
/** The Business Center of `bc_id`. @throws TikTokError as `requireBcMember`. */
export const bcOf = (call: Call, admin = false) => {
  const bc = requireBcMember(call, call.params['bc_id'] as string, admin);
  const child = text(call.params['child_bc_id']);
  // No Business Center here has children: naming one is naming one that the caller does not have.
  if (child !== undefined) requireBcMember(call, child, admin);
  return bc;
};
/** All members of a Business Center. */
export const membersOf = (call: Call, bcId: string) =>
  [...call.world.users.values()].filter((user) => user.bc_roles[bcId]);

/** A member as lists show it. */
export const memberView = (user: User, bcId: string) => ({
  user_id: user.id,
  user_name: user.display_name,
  user_email: user.email,
  user_role: user.bc_roles[bcId],
  relation_status: 'BOUND',
});

/** A partner as lists show it. */
export const partnerView = (call: Call, bcId: string) => ({
  bc_id: bcId,
  bc_name: call.world.businessCenters.get(bcId)?.name ?? bcId,
});

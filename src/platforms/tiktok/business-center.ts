/**
 * Business Centers above advertisers. A customer needs none to be reached: any user with a role on an ad account can
 * authorise. Where there is one, it owns and shares ad accounts, and its people have roles on them.
 * Sources: bc/get, bc/asset/get, advertiser/info 1739593083610113 of the TikTok API for Business docs.
 */
import type {
  AccountGap,
  AccountNode,
  AccountRole,
  AccountStatus,
  AccountsSpec,
} from '../../core/connector/accounts-spec.ts';
import type { CallContext, Native } from '../../core/connector/types.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { ADVERTISER_BATCH, advertiserFacts, grantedAdvertisers } from './advertisers.ts';
import { businessActions } from './business-actions.ts';
import { call, chunks, dataOf, numbered, type Page } from './request.ts';

/** Most rows of a page of bc/* lists. */
const PAGE = 50;
/** Scope of bc/get. */
const READ_BUSINESS_CENTER = '150';

const ADVERTISER_STATUS: Readonly<Record<string, AccountStatus>> = {
  STATUS_ENABLE: 'active',
  STATUS_LIMIT: 'suspended',
  STATUS_DISABLE: 'suspended',
  STATUS_CONFIRM_FAIL: 'rejected',
  STATUS_CONFIRM_FAIL_END: 'rejected',
  STATUS_CONFIRM_MODIFY_FAIL: 'rejected',
};
/** bc status: ENABLE, REVIEWING, DENY, PUNISH. */
const CENTER_STATUS: Readonly<Record<string, AccountStatus>> = {
  ENABLE: 'active',
  REVIEWING: 'pending',
  DENY: 'rejected',
  PUNISH: 'suspended',
};
const ROLES: Readonly<Record<string, AccountRole>> = {
  ADMIN: 'admin',
  OPERATOR: 'operator',
  ANALYST: 'analyst',
  STANDARD: 'member',
};

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;

const statusOf = (native: string | undefined, table: Readonly<Record<string, AccountStatus>>): AccountStatus =>
  native === undefined
    ? 'unknown'
    : (table[native] ?? (/PENDING|WAIT|UNAUDITED|CONTRACT/.test(native) ? 'pending' : 'unknown'));

/** Members that have a value. */
const given = <T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;

async function* rows(ctx: CallContext, endpoint: string, query: Native): AsyncGenerator<Native> {
  const read = async (page: Page) => dataOf(await ctx.request(call(ctx, { endpoint, query: { ...query, ...page } })));
  for await (const list of numbered({ rows: 'list', size: PAGE }, read)) yield* list;
}

/** Advertisers that the customer ticked, with what they are. */
async function granted(ctx: CallContext): Promise<Map<string, AccountNode>> {
  const list =
    ctx.environment === 'sandbox'
      ? ctx.knownOrganizationIds.map((id) => ({ id, name: undefined }))
      : await grantedAdvertisers(ctx);
  const nodes = new Map<string, AccountNode>();
  for (const { id, name } of list) {
    nodes.set(id, {
      ...{ id, kind: 'organization', status: 'unknown', role: 'none', parent_ids: [], granted: true },
      ...given({ name: textOf(name) }),
    });
  }
  if (ctx.environment === 'sandbox') return nodes;
  for (const batch of chunks([...nodes.keys()], ADVERTISER_BATCH))
    for (const row of await advertiserFacts(ctx, batch)) {
      const node = nodes.get(String(row['advertiser_id']));
      if (node === undefined) continue;
      const native = textOf(row['status']);
      Object.assign(
        node,
        { status: statusOf(native, ADVERTISER_STATUS) },
        given({
          name: textOf(row['name']),
          native_status: native,
          owner_id: textOf(row['owner_bc_id']),
          currency: textOf(row['currency']),
          time_zone: textOf(row['display_timezone']) ?? textOf(row['timezone']),
        }),
      );
    }
  return nodes;
}

/** Why a part could not be read; other errors go on. */
function gapOf(part: string, error: unknown): AccountGap {
  if (
    !(error instanceof PolyadError) ||
    ![
      'permission_missing',
      'platform_feature_restricted',
      'platform_environment_unsupported',
      'platform_rejected',
      'organization_access_lost',
    ].includes(error.code)
  )
    throw error;
  return {
    part,
    reason: error.message,
    ...(error.code === 'permission_missing' ? { scope: READ_BUSINESS_CENTER } : {}),
  };
}

/** The Business Centers of the user who granted. */
async function centers(ctx: CallContext): Promise<AccountNode[]> {
  const found: AccountNode[] = [];
  for await (const row of rows(ctx, 'bc/get', {})) {
    const info = (row['bc_info'] ?? {}) as Native;
    const id = textOf(info['bc_id']);
    if (id === undefined) continue;
    const [status, role] = [textOf(info['status']), textOf(row['user_role'])];
    found.push({
      ...{ id, kind: 'business', parent_ids: [], granted: true },
      status: statusOf(status, CENTER_STATUS),
      role: ROLES[role ?? ''] ?? 'none',
      ...given({
        name: textOf(info['name']),
        native_status: status,
        native_role: role,
        currency: textOf(info['currency']),
        time_zone: textOf(info['timezone']),
      }),
    });
  }
  return found;
}

/** Puts the advertisers of one Business Center into `nodes`: the user's role on each, and those that were not ticked. */
async function assets(ctx: CallContext, center: AccountNode, nodes: Map<string, AccountNode>): Promise<void> {
  for await (const row of rows(ctx, 'bc/asset/get', { bc_id: center.id, asset_type: 'ADVERTISER' })) {
    const id = textOf(row['asset_id']);
    if (id === undefined) continue;
    const role = textOf(row['advertiser_role']);
    const node: AccountNode = nodes.get(id) ?? {
      ...{ id, kind: 'organization', status: 'unknown', role: 'none', parent_ids: [], granted: false },
      ...given({ name: textOf(row['asset_name']) }),
    };
    nodes.set(id, node);
    node.parent_ids.push(center.id);
    // Of several ways to an account the strongest role counts.
    const ranks: readonly AccountRole[] = ['none', 'member', 'analyst', 'operator', 'admin'];
    const common = ROLES[role ?? ''] ?? 'none';
    if (ranks.indexOf(common) > ranks.indexOf(node.role))
      Object.assign(node, { role: common }, given({ native_role: role }));
    const owner = textOf(row['owner_bc_name']);
    if (owner !== undefined) node.owner_name = owner;
  }
}

async function read(ctx: CallContext): Promise<{ nodes: AccountNode[]; gaps: AccountGap[] }> {
  const advertisers = await granted(ctx);
  const gaps: AccountGap[] = [];
  let businesses: AccountNode[] = [];
  try {
    businesses = await centers(ctx);
  } catch (error) {
    gaps.push(gapOf('businesses', error));
  }
  for (const center of businesses)
    try {
      await assets(ctx, center, advertisers);
    } catch (error) {
      gaps.push(gapOf(center.id, error));
    }
  return { nodes: [...businesses, ...advertisers.values()], gaps };
}

/** Business Centers as what lies above ad accounts. */
export const accounts: AccountsSpec = {
  business: 'Business Center',
  read,
  writes: ['admin', 'operator'],
  actions: businessActions,
  beginning: [
    {
      text: 'Sign in to TikTok Business Center with a TikTok for Business account.',
      url: 'https://business.tiktok.com',
    },
    { text: 'Create a Business Center: name, time zone, type of business.' },
    {
      text: 'Under Accounts > Advertiser accounts, add the ad accounts: create them, request access to existing ones, or accept those that a partner shares.',
    },
    { text: 'Give the person who will authorise the role Admin or Operator on each ad account.' },
    { text: 'Authorise again, and tick the ad accounts on TikTok’s page.' },
  ],
  restore: {
    business:
      'The Business Center took its ad accounts away. Ask its administrator to share them again, then have the customer authorise again.',
    organization:
      'Ask the owner of the ad account for a role on it, then have the customer authorise again and tick it.',
    role: 'Ask the owner for the role Admin or Operator: an Analyst only reads.',
    notGranted: 'The customer has this ad account and did not tick it: have them authorise again and tick it.',
  },
};

/**
 * Who reaches which ad account through which Business Center, and what a departure takes away: members who leave, shares
 * that end, Business Centers that withdraw an app. Facts: TikTok docs on Business Center roles by way of the official yml
 * bc_*; that a user loses the accounts of a Business Center with the membership is TikTok's own rule, that each account
 * then answers 40001 is documented for accounts without access.
 */
import type { BusinessCenter, Grant, User, World } from './types.ts';

/** ad accounts that a Business Center owns or was given by a partner. */
export function accountsOf(world: World, bcId: string): Set<string> {
  const ids = new Set(world.advertisers.by('bc', bcId).map((row) => row.id));
  for (const partner of world.businessCenters.values()) for (const id of partner.partners?.[bcId] ?? []) ids.add(id);
  return ids;
}

/** Takes from a user the ad accounts of `lost` that no other membership still gives. @returns what was taken. */
function takeRoles(world: World, user: User, lost: Iterable<string>, bcRoles = user.bc_roles): string[] {
  const kept = new Set(Object.keys(bcRoles).flatMap((bcId) => [...accountsOf(world, bcId)]));
  const taken = [...lost].filter((id) => user.roles[id] !== undefined && !kept.has(id));
  const roles = { ...user.roles };
  for (const id of taken) delete roles[id];
  world.users.put({ ...user, roles, bc_roles: bcRoles });
  return taken;
}

/** A member leaves a Business Center, or is removed. @returns the ad accounts lost with it. */
export function leave(world: World, user: User, bcId: string): string[] {
  const { [bcId]: _role, ...rest } = user.bc_roles;
  return takeRoles(world, user, accountsOf(world, bcId), rest);
}

/** A Business Center stops sharing ad accounts (all of them if none is named) with a partner. */
export function endShare(world: World, owner: BusinessCenter, partnerId: string, ids?: readonly string[]): string[] {
  const shared = owner.partners?.[partnerId] ?? [];
  const ended = ids === undefined ? shared : shared.filter((id) => ids.includes(id));
  const left = shared.filter((id) => !ended.includes(id));
  const { [partnerId]: _all, ...others } = owner.partners ?? {};
  world.businessCenters.put({ ...owner, partners: left.length > 0 ? { ...others, [partnerId]: left } : others });
  const taken = new Set<string>();
  for (const user of [...world.users.values()]) {
    if (user.bc_roles[partnerId]) for (const id of takeRoles(world, user, ended)) taken.add(id);
  }
  return [...taken];
}

/** A Business Center withdraws an app (all apps if none is named): its ad accounts leave every consent. */
export function withdrawApp(world: World, bcId: string, appId?: string): { grants: number; advertiser_ids: string[] } {
  const own = accountsOf(world, bcId);
  const taken = new Set<string>();
  const changed: Grant[] = [];
  for (const grant of world.grants.values()) {
    if (appId !== undefined && grant.app_id !== appId) continue;
    const lost = grant.advertiser_ids.filter((id) => own.has(id));
    if (lost.length === 0) continue;
    for (const id of lost) taken.add(id);
    changed.push({ ...grant, advertiser_ids: grant.advertiser_ids.filter((id) => !own.has(id)) });
  }
  world.grants.putAll(changed);
  return { grants: changed.length, advertiser_ids: [...taken] };
}

/** The user who runs the seeded agency. */
export const AGENCY_USER = '7010000000000000007';
const AGENCY_BCS = [
  ['7100000000000000303', 'Northwind Agency', 'USD', 'America/New_York', 'US', 1_000],
  ['7100000000000000404', 'Northwind Europe', 'EUR', 'Europe/London', 'GB', 900],
  ['7100000000000000505', 'Northwind Asia', 'JPY', 'Asia/Tokyo', 'JP', 600],
] as const;
/** Ids of the agency's ad accounts: fixed, so that they are the same after a reset. */
const FIRST_ACCOUNT = 7_002_000_000_000_000_001n;
const BRANDS = ['Alder', 'Birch', 'Cedar', 'Dogwood', 'Elm', 'Fir', 'Ginkgo', 'Hazel', 'Ivy', 'Juniper', 'Kapok'];
const TRADES = ['Outfitters', 'Foods', 'Fitness', 'Travel', 'Beauty', 'Games', 'Home', 'Pets', 'Music', 'Books'];

/** Shape of a seeded agency. */
export interface AgencySummary {
  user_id: string;
  business_centers: { bc_id: string; name: string; advertiser_ids: string[] }[];
}

/**
 * An agency: one user, administrator of three Business Centers with 2,500 ad accounts between them. Made when it is asked
 * for; a second time gives what is there.
 * @param makeAccount Completes an ad account.
 */
export function seedAgency(
  world: World,
  makeAccount: (given: {
    id: string;
    name: string;
    company: string;
    currency: string;
    display_timezone: string;
    country: string;
    owner_bc_id: string;
    create_time: number;
  }) => Parameters<World['advertisers']['put']>[0],
): AgencySummary {
  const summary: AgencySummary = { user_id: AGENCY_USER, business_centers: [] };
  const there = world.users.get(AGENCY_USER) !== undefined;
  const opened = Math.floor(world.clock.now().getTime() / 1000) - 300 * 86_400;
  const roles: User['roles'] = {};
  let n = 0;
  for (const [bcId, name, currency, zone, country, size] of AGENCY_BCS) {
    const ids: string[] = [];
    const rows = [];
    for (let i = 0; i < size; i++, n++) {
      const id = String(FIRST_ACCOUNT + BigInt(n) * 131n);
      ids.push(id);
      roles[id] = 'ADMIN';
      if (there) continue;
      const brand = `${BRANDS[n % BRANDS.length]} ${TRADES[Math.floor(n / BRANDS.length) % TRADES.length]}`;
      rows.push(
        makeAccount({
          id,
          name: `${brand} ${String(n + 1).padStart(4, '0')}`,
          company: `${brand} Ltd`,
          currency,
          display_timezone: zone,
          country,
          owner_bc_id: bcId,
          create_time: opened,
        }),
      );
    }
    summary.business_centers.push({ bc_id: bcId, name, advertiser_ids: ids });
    if (there) continue;
    world.advertisers.putAll(rows);
    world.businessCenters.put({
      id: bcId,
      name,
      company: 'Northwind Group',
      currency,
      registered_area: country,
      status: 'ENABLE',
      timezone: zone,
      type: 'AGENCY',
      verification_status: 'VERIFIED',
      balance: 100_000,
    });
  }
  if (!there) {
    world.users.put({
      id: AGENCY_USER,
      display_name: 'Nora Northwind',
      email: 'nora@northwind.test',
      avatar_url: `https://p16-sign.example.test/avatar/${AGENCY_USER}.jpeg`,
      roles,
      bc_roles: Object.fromEntries(AGENCY_BCS.map(([bcId]) => [bcId, 'ADMIN' as const])),
      create_time: opened,
    });
  }
  return summary;
}

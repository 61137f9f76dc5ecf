/**
 * The base seed: one app, three people, two Business Centers, six ad accounts in five currencies and zones on both
 * sides of UTC, one sandbox account, and a long-lived token that is the same after every reset. Names and ids are
 * invented; ids have the length of real ones.
 */
import { hex } from '../kit/random.ts';
import { eventsTokens } from './event-sources.ts';
import { assetId, seedAssets, seedCreatorPosts } from './seed-assets.ts';
import { pixelCode, seedObjects } from './seed-objects.ts';
import type { Advertiser, App, BusinessCenter, Grant, User, World } from './types.ts';

const DAY_MS = 86_400_000;
/** How long before the first start the accounts were opened. */
const OPENED_DAYS_AGO = 420;

/** The app that a developer has before doing anything. */
export const TEST_APP: App = {
  id: '7351111111111111111',
  secret: hex(40, 'tiktok', 'app', 'secret'),
  name: 'Simulated test app',
  redirect_uris: ['http://127.0.0.1:*/*', 'http://localhost:*/*', 'https://*/*'],
  // A mix of levels, as real tokens have it. '3' is audiences; '18000000' TikTok accounts.
  scope: [
    ...['1', '2', '3', '4', '5', '6', '7', '8', '9', '44', '200', '201', '210', '220'],
    ...['12000000', '15000000', '17000000', '18000000'],
    ...['7043626160646946818', '7224195155857866754', '7294180478502830081'],
  ],
  level: 'Basic',
};

/** Tokens of the base seed. */
export const TEST_TOKEN = hex(40, 'tiktok', 'access token');
export const SANDBOX_TOKEN = hex(40, 'tiktok', 'sandbox token');

/** Made in the Events Manager for the first ad account's pixel. */
export const TEST_EVENTS_TOKEN = hex(40, 'tiktok', 'events token');

const BC_NORTH = '7100000000000000101';
const BC_SOUTH = '7100000000000000202';

/** advertiser_ids of the base seed, by what is special about each. */
export const ACCOUNTS = {
  usd: '7001035076276387841',
  jpy: '7001035076276387969',
  eur: '7001035076276388097',
  kwd: '7001035076276388225',
  aud: '7001035076276388353',
  limited: '7001035076276388481',
  sandbox: '7001035076276399999',
} as const;

const USERS = {
  admin: '7010000000000000001',
  operator: '7010000000000000003',
  analyst: '7010000000000000005',
} as const;

/** Minutes east of UTC of a zone at an instant. */
function offsetMinutes(zone: string, at: Date): number {
  const name = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
    .formatToParts(at)
    .find((part) => part.type === 'timeZoneName')!.value;
  const match = /GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(name);
  const minutes = Number(match?.[2] ?? 0) * 60 + Number(match?.[3] ?? 0);
  return match?.[1] === '-' ? -minutes : minutes;
}

/**
 * An IANA zone as TikTok writes the `timezone` of an ad account: `Etc/GMT+8` for eight hours *behind* UTC, by standard
 * time. Zones that are not whole hours from UTC have no such name and stay as they are.
 */
export function tiktokTimezone(iana: string, year = 2026): string {
  const standard = Math.min(...[0, 6].map((month) => offsetMinutes(iana, new Date(Date.UTC(year, month, 15)))));
  if (standard % 60 !== 0) return iana;
  if (standard === 0) return 'Etc/GMT';
  return `Etc/GMT${standard < 0 ? '+' : '-'}${Math.abs(standard / 60)}`;
}

/** What must be said of an ad account; the rest has defaults. */
export type NewAdvertiser = Pick<Advertiser, 'id' | 'name' | 'currency' | 'display_timezone'> & Partial<Advertiser>;

/** A complete ad account. */
export function makeAdvertiser(world: World, given: NewAdvertiser): Advertiser {
  return {
    company: 'Acme Inc',
    country: 'US',
    language: 'en',
    industry: '291905',
    status: 'STATUS_ENABLE',
    role: 'ROLE_ADVERTISER',
    balance: 10_000,
    create_time: Math.floor(world.clock.now().getTime() / 1000),
    sandbox: false,
    timezone: tiktokTimezone(given.display_timezone),
    ...given,
  };
}

const account = (
  id: string,
  name: string,
  currency: string,
  zone: string,
  rest: Partial<Advertiser>,
): NewAdvertiser => ({
  id,
  name,
  currency,
  display_timezone: zone,
  ...rest,
});

const ADVERTISERS: readonly NewAdvertiser[] = [
  account(ACCOUNTS.usd, 'Acme US', 'USD', 'America/Los_Angeles', {
    owner_bc_id: BC_NORTH,
    address: '100 Example Street, Mountain View',
    contact_name: 'Ada Lane',
    contact_email: 'ada@acme.test',
  }),
  account(ACCOUNTS.jpy, 'Acme Japan', 'JPY', 'Asia/Tokyo', {
    owner_bc_id: BC_NORTH,
    company: 'Acme KK',
    country: 'JP',
    language: 'ja',
    balance: 1_500_000,
  }),
  account(ACCOUNTS.eur, 'Acme Deutschland', 'EUR', 'Europe/Berlin', {
    owner_bc_id: BC_SOUTH,
    company: 'Acme GmbH',
    country: 'DE',
    language: 'de',
  }),
  account(ACCOUNTS.kwd, 'Acme Kuwait', 'KWD', 'Asia/Kuwait', {
    company: 'Acme WLL',
    country: 'KW',
    balance: 3_000.125,
  }),
  account(ACCOUNTS.aud, 'Acme Australia', 'AUD', 'Australia/Sydney', {
    owner_bc_id: BC_SOUTH,
    company: 'Acme Pty Ltd',
    country: 'AU',
  }),
  account(ACCOUNTS.limited, 'Acme Outlet', 'USD', 'America/New_York', { status: 'STATUS_LIMIT', balance: 0 }),
];

const BUSINESS_CENTERS: readonly BusinessCenter[] = [
  {
    id: BC_NORTH,
    name: 'Acme North',
    company: 'Acme Inc',
    currency: 'USD',
    registered_area: 'US',
    status: 'ENABLE',
    timezone: 'America/Los_Angeles',
    type: 'NORMAL',
    verification_status: 'VERIFIED',
    balance: 25_000,
    partners: { [BC_SOUTH]: [ACCOUNTS.jpy] },
  },
  {
    id: BC_SOUTH,
    name: 'Acme South',
    company: 'Acme GmbH',
    currency: 'EUR',
    registered_area: 'DE',
    status: 'ENABLE',
    timezone: 'Europe/Berlin',
    type: 'AGENCY',
    verification_status: 'REVIEWING',
    balance: 12_500.5,
  },
];

const people = (created: number): readonly User[] => {
  const real = Object.values(ACCOUNTS);
  const user = (id: string, name: string, roles: User['roles'], bcRoles: User['bc_roles']): User => ({
    id,
    display_name: name,
    email: `${name.split(' ')[0]!.toLowerCase()}@acme.test`,
    avatar_url: `https://p16-sign.example.test/avatar/${id}.jpeg`,
    roles,
    bc_roles: bcRoles,
    create_time: created,
  });
  return [
    user(USERS.admin, 'Ada Admin', Object.fromEntries(real.map((id) => [id, 'ADMIN'])), {
      [BC_NORTH]: 'ADMIN',
      [BC_SOUTH]: 'ADMIN',
    }),
    user(
      USERS.operator,
      'Omar Operator',
      { [ACCOUNTS.usd]: 'OPERATOR', [ACCOUNTS.eur]: 'OPERATOR', [ACCOUNTS.kwd]: 'OPERATOR' },
      { [BC_NORTH]: 'STANDARD' },
    ),
    user(
      USERS.analyst,
      'Ana Analyst',
      { [ACCOUNTS.usd]: 'ANALYST', [ACCOUNTS.jpy]: 'ANALYST' },
      { [BC_NORTH]: 'STANDARD' },
    ),
  ];
};

/** Opens a sandbox ad account for an app: its own advertiser and a token that works on the sandbox host alone. */
export function openSandbox(
  world: World,
  app: App,
  given: NewAdvertiser,
  token: string,
  userId: string = USERS.admin,
): { advertiser: Advertiser; grant: Grant } {
  const advertiser = makeAdvertiser(world, { ...given, sandbox: true });
  const user = world.users.get(userId)!;
  const grant: Grant = {
    id: token,
    kind: 'sandbox',
    app_id: app.id,
    user_id: user.id,
    advertiser_ids: [advertiser.id],
    scope: app.scope,
    created_at: world.clock.now().toISOString(),
  };
  world.advertisers.put(advertiser);
  seedAssets(world, advertiser);
  world.users.put({ ...user, roles: { ...user.roles, [advertiser.id]: 'ADMIN' } });
  world.grants.put(grant);
  return { advertiser, grant };
}

/** Event sources of the first ad account, as `event_source_id` names them. */
const EVENT_SOURCE_IDS = {
  web: pixelCode(ACCOUNTS.usd),
  app: assetId('app IOS', ACCOUNTS.usd),
  offline: assetId('offline events', ACCOUNTS.usd),
  crm: assetId('crm events', ACCOUNTS.usd),
};

/** Fills an empty world. */
export function seedBase(world: World): void {
  const opened = Math.floor((world.clock.now().getTime() - OPENED_DAYS_AGO * DAY_MS) / 1000);
  world.apps.put(TEST_APP);
  world.users.putAll(people(opened));
  world.businessCenters.putAll(BUSINESS_CENTERS);
  world.advertisers.putAll(ADVERTISERS.map((row) => makeAdvertiser(world, { create_time: opened, ...row })));
  world.grants.put({
    id: TEST_TOKEN,
    kind: 'marketing',
    app_id: TEST_APP.id,
    user_id: USERS.admin,
    advertiser_ids: ADVERTISERS.map((row) => row.id),
    scope: TEST_APP.scope,
    created_at: world.clock.now().toISOString(),
    authorization_id: 'base',
  });
  openSandbox(
    world,
    TEST_APP,
    account(ACCOUNTS.sandbox, 'Acme sandbox', 'USD', 'America/Los_Angeles', { create_time: opened }),
    SANDBOX_TOKEN,
  );
  for (const { id } of ADVERTISERS) {
    const advertiser = world.advertisers.get(id)!;
    seedObjects(world, advertiser, id === ACCOUNTS.usd);
    seedAssets(world, advertiser);
  }
  seedCreatorPosts(world);
  eventsTokens(world).put({
    id: TEST_EVENTS_TOKEN,
    user_id: USERS.admin,
    event_source: 'web',
    event_source_id: EVENT_SOURCE_IDS.web,
    advertiser_id: ACCOUNTS.usd,
    created_at: world.clock.now().toISOString(),
  });
}

/** The part of the ready line that an integrator needs for a first call. */
export function readyInfo(): Record<string, unknown> {
  return {
    app_id: TEST_APP.id,
    secret: TEST_APP.secret,
    access_token: TEST_TOKEN,
    advertiser_ids: ADVERTISERS.map((row) => row.id),
    sandbox_access_token: SANDBOX_TOKEN,
    sandbox_advertiser_id: ACCOUNTS.sandbox,
    user_id: USERS.admin,
    bc_ids: BUSINESS_CENTERS.map((row) => row.id),
    events_access_token: TEST_EVENTS_TOKEN,
    event_source_ids: EVENT_SOURCE_IDS,
  };
}

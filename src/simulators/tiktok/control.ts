/** What the TikTok simulator adds to the control API. */
import { randomBytes } from 'node:crypto';
import {
  bad,
  type ControlCall,
  ControlError,
  type ControlParts,
  type ControlRoute,
  found,
  oneOf,
  reader,
} from '../kit/control.ts';
import { revokeGrant, scopeName } from './auth.ts';
import { ConsentError, decide, readConsentRequest } from './consent.ts';
import { seedByControl } from './control-seed.ts';
import type { Limits } from './limits.ts';
import { makeAdvertiser, type NewAdvertiser, openSandbox, TEST_APP } from './seed.ts';
import { seedAssets } from './seed-assets.ts';
import type { App, Grant, Settings, User, World } from './types.ts';
import { DEFAULT_SETTINGS } from './world.ts';

const ROLES = ['ADMIN', 'OPERATOR', 'ANALYST'] as const;
const LEVELS = ['Basic', 'Advanced', 'Premium', 'Ultimate'] as const;
const CHOICES: Partial<Record<keyof Settings, readonly string[]>> = {
  limits: ['on', 'off'],
  token_model: ['official', 'guide'],
  webhook_delivery: ['auto', 'manual'],
};

/** @throws ControlError 400 for a setting or value that is not known. */
function checkSettings(patch: Record<string, unknown>): Partial<Settings> {
  for (const [name, value] of Object.entries(patch)) {
    if (!(name in DEFAULT_SETTINGS)) bad(`no setting ${name}; there are ${Object.keys(DEFAULT_SETTINGS).join(', ')}`);
    const choices = CHOICES[name as keyof Settings];
    if (choices && !choices.includes(String(value))) bad(`${name} must be one of ${choices.join(', ')}`);
    if (choices) continue;
    const example = DEFAULT_SETTINGS[name as keyof Settings];
    if (name === 'advertiser_path_qps' || name === 'pixel_code_qps') {
      if (value !== null && !(Number.isInteger(value) && Number(value) > 0)) bad(`${name} must be a number or null`);
    } else if (typeof value !== typeof example || (typeof value === 'number' && value < 0)) {
      bad(
        `${name} must be a ${typeof example !== 'number' ? typeof example : name.endsWith('_ms') ? 'number of milliseconds' : 'number'}`,
      );
    }
  }
  return patch as Partial<Settings>;
}

/** A token as lists show it: all but the secret part, which only `token` has. */
const grantView = (grant: Grant) => ({
  token: grant.id,
  kind: grant.kind,
  app_id: grant.app_id,
  user_id: grant.user_id,
  advertiser_ids: grant.advertiser_ids,
  scope: grant.scope,
  created_at: grant.created_at,
  expires_at: grant.expires_at ?? null,
  revoked_at: grant.revoked_at ?? null,
});

/** What the routes work on. */
export interface TikTokControlParts {
  world: World;
  limits: Limits;
  /** Forgets everything and seeds anew. */
  reset(): void;
}

/**
 * Routes of this simulator besides those of the kit:
 * - `POST /authorize` `{ app_id, redirect_uri, state?, user_id?, advertiser_ids?, scope?, decline?, kind? }` →
 *   `{ redirect_url }`: the consent page without a browser. `kind` is `marketing` (default) or `tt_user`.
 * - `GET /apps`, `POST /apps` `{ app_id?, secret?, name?, redirect_uris?, scope?, level? }`, `PATCH /apps/:id`,
 *   `DELETE /apps/:id` (its tokens answer 40113 from then on).
 * - `POST /apps/:id/sandbox` `{ name?, currency?, country?, timezone? }` → `{ advertiser_id, access_token }`.
 * - `GET /users`, `POST /users` `{ display_name, email?, roles?, bc_roles? }`, `PATCH /users/:id` `{ roles?, bc_roles? }`
 *   (a role of null takes it away), `DELETE /users/:id` (40106 from then on).
 * - `GET /grants?user_id=&app_id=`, `POST /grants/revoke` `{ access_token | advertiser_id | user_id | app_id }`,
 *   `POST /grants/remove_advertiser` `{ advertiser_id, access_token? }`, `POST /grants/expire` `{ access_token }`.
 * - `GET /advertisers`, `POST /advertisers` `{ name, currency, timezone, country?, status?, bc_id?, user_id?, role? }`,
 *   `PATCH /advertisers/:id` `{ status?, balance?, name?, bc_id? }`.
 * - `POST /limits/clear`: all counters and locks at zero.
 * - `POST /seed` `{ volume?, advertiser_id?, deleted_share?, paused_share?, days?, seed? }`: `volume` ads with their
 *   campaigns and ad groups; `{ advertisers?, grant_to? }`: so many ad accounts, ticked in the test token (or another).
 */
export function createTikTokControl({ world, limits, reset }: TikTokControlParts): {
  parts: Pick<ControlParts, 'reset' | 'state' | 'seed' | 'settings'>;
  routes: ControlRoute[];
} {
  const appOf = ({ params }: ControlCall) => found(world.apps.get(params['id']!), `app ${params['id']}`);
  const userOf = ({ params }: ControlCall) => found(world.users.get(params['id']!), `user ${params['id']}`);

  const authorize = ({ body }: ControlCall) => {
    const read = reader(body);
    const kind = oneOf('kind', read.text('kind'), ['marketing', 'tt_user'], 'marketing');
    const state = read.text('state');
    const scope = read.ids('scope');
    const user = read.text('user_id');
    const advertisers = read.texts('advertiser_ids');
    try {
      const request = readConsentRequest(world, kind, {
        app_id: read.need('app_id'),
        redirect_uri: read.need('redirect_uri'),
        ...(state === undefined ? {} : { state }),
        ...(kind === 'tt_user' && scope ? { scope: scope.join(',') } : {}),
      });
      const redirect_url = decide(world, request, {
        decline: read.flag('decline') ?? false,
        ...(scope ? { scope } : {}),
        ...(user === undefined ? {} : { user_id: user }),
        ...(advertisers ? { advertiser_ids: advertisers } : {}),
      });
      return { redirect_url };
    } catch (error) {
      if (error instanceof ConsentError) throw new ControlError(400, error.message);
      throw error;
    }
  };

  const putApp = (before: App, { body }: ControlCall): App => {
    const read = reader(body);
    const scope = read.ids('scope') ?? before.scope;
    const strange = scope.find((id) => !scopeName.has(id));
    if (strange !== undefined) bad(`no permission ${strange}`);
    const app: App = {
      ...before,
      secret: read.text('secret') ?? before.secret,
      name: read.text('name') ?? before.name,
      redirect_uris: read.texts('redirect_uris') ?? before.redirect_uris,
      scope,
      level: oneOf('level', read.text('level'), LEVELS, before.level),
    };
    world.apps.put(app);
    return app;
  };
  const createApp = (call: ControlCall) => {
    const id = reader(call.body).text('app_id') ?? world.nextId();
    if (world.apps.get(id)) throw new ControlError(409, `there is an app ${id} already`);
    return putApp({ ...TEST_APP, id, secret: randomBytes(20).toString('hex'), name: `App ${id}` }, call);
  };

  const createSandbox = (call: ControlCall) => {
    const app = appOf(call);
    const read = reader(call.body);
    // TikTok gives each app one sandbox account.
    if ([...world.grants.values()].some((grant) => grant.kind === 'sandbox' && grant.app_id === app.id)) {
      throw new ControlError(409, `the app ${app.id} has its sandbox account already`);
    }
    const { advertiser, grant } = openSandbox(
      world,
      app,
      {
        id: world.nextId(),
        name: read.text('name') ?? `${app.name} sandbox`,
        currency: read.text('currency') ?? 'USD',
        country: read.text('country') ?? 'US',
        display_timezone: zone(read.text('timezone') ?? 'America/Los_Angeles'),
      },
      randomBytes(20).toString('hex'),
      found([...world.users.values()][0], 'user to own the sandbox account').id,
    );
    return { advertiser_id: advertiser.id, access_token: grant.id };
  };

  const zone = (name: string): string => {
    try {
      new Intl.DateTimeFormat('en-US', { timeZone: name });
      return name;
    } catch {
      return bad(`timezone ${name} is not an IANA time zone`);
    }
  };

  /** Merges role changes; a role of null takes it away. */
  const mergeRoles = <T extends string>(
    before: Record<string, T>,
    patch: unknown,
    known: readonly T[],
    name: string,
  ): Record<string, T> => {
    if (patch === undefined) return before;
    if (typeof patch !== 'object' || patch === null) return bad(`${name} must be an object of id and role`);
    const merged = { ...before };
    for (const [id, role] of Object.entries(patch)) {
      if (role === null) delete merged[id];
      else merged[id] = oneOf(name, String(role), known, known[0]!);
    }
    return merged;
  };
  const putUser = (before: User, { body }: ControlCall): User => {
    const read = reader(body);
    const user: User = {
      ...before,
      display_name: read.text('display_name') ?? before.display_name,
      email: read.text('email') ?? before.email,
      roles: mergeRoles(before.roles, body['roles'], ROLES, 'roles'),
      bc_roles: mergeRoles(before.bc_roles, body['bc_roles'], ['ADMIN', 'STANDARD'], 'bc_roles'),
    };
    world.users.put(user);
    return user;
  };
  const createUser = (call: ControlCall) => {
    const id = reader(call.body).text('user_id') ?? world.nextId();
    return putUser(
      {
        id,
        display_name: reader(call.body).need('display_name'),
        email: `user${id.slice(-4)}@acme.test`,
        avatar_url: `https://p16-sign.example.test/avatar/${id}.jpeg`,
        roles: {},
        bc_roles: {},
        create_time: Math.floor(world.clock.now().getTime() / 1000),
      },
      call,
    );
  };

  const revoke = ({ body }: ControlCall) => {
    const read = reader(body);
    const token = read.text('access_token');
    const advertiser = read.text('advertiser_id');
    const user = read.text('user_id');
    const app = read.text('app_id');
    if ([token, advertiser, user, app].every((given) => given === undefined)) {
      bad('give access_token, advertiser_id, user_id or app_id');
    }
    const hit = [...world.grants.values()].filter(
      (grant) =>
        grant.revoked_at === undefined &&
        (token === undefined || grant.id === token) &&
        (advertiser === undefined || grant.advertiser_ids.includes(advertiser)) &&
        (user === undefined || grant.user_id === user) &&
        (app === undefined || grant.app_id === app),
    );
    if (token !== undefined && hit.length === 0) throw new ControlError(404, 'no such live access_token');
    for (const grant of hit) revokeGrant(world, grant);
    return { revoked: hit.length };
  };

  const removeAdvertiser = ({ body }: ControlCall) => {
    const read = reader(body);
    const advertiser = read.need('advertiser_id');
    const token = read.text('access_token');
    const hit = [...world.grants.values()].filter(
      (grant) => grant.advertiser_ids.includes(advertiser) && (token === undefined || grant.id === token),
    );
    world.grants.putAll(
      hit.map((grant) => ({ ...grant, advertiser_ids: grant.advertiser_ids.filter((id) => id !== advertiser) })),
    );
    return { changed: hit.length };
  };

  const expire = ({ body }: ControlCall) => {
    const grant = found(world.grants.get(reader(body).need('access_token')), 'such access_token');
    world.grants.put({ ...grant, expires_at: world.clock.now().toISOString() });
    return grantView(world.grants.get(grant.id)!);
  };

  const createAdvertiser = ({ body }: ControlCall) => {
    const read = reader(body);
    const bc = read.text('bc_id');
    if (bc !== undefined) found(world.businessCenters.get(bc), `Business Center ${bc}`);
    const optional: Partial<NewAdvertiser> = {};
    for (const name of ['country', 'status', 'company', 'language'] as const) {
      const value = read.text(name);
      if (value !== undefined) optional[name] = value;
    }
    const balance = read.number('balance');
    const currency = read.need('currency');
    if (!/^[A-Z]{3}$/.test(currency)) bad('currency must be an ISO 4217 code');
    const advertiser = makeAdvertiser(world, {
      id: read.text('advertiser_id') ?? world.nextId(),
      name: read.need('name'),
      currency,
      display_timezone: zone(read.need('timezone')),
      ...optional,
      ...(balance === undefined ? {} : { balance }),
      ...(bc === undefined ? {} : { owner_bc_id: bc }),
    });
    const userId = read.text('user_id') ?? [...world.users.values()][0]?.id ?? '';
    const user = found(world.users.get(userId), `user ${userId}`);
    const role = oneOf('role', read.text('role'), ROLES, 'ADMIN');
    world.advertisers.put(advertiser);
    seedAssets(world, advertiser);
    world.users.put({ ...user, roles: { ...user.roles, [advertiser.id]: role } });
    // As in life, an app reaches a new account only after a new consent; `grant_to` spares a test that step.
    const token = read.text('grant_to');
    if (token !== undefined) {
      const grant = found(world.grants.get(token), 'such access_token');
      world.grants.put({ ...grant, advertiser_ids: [...grant.advertiser_ids, advertiser.id] });
    }
    return advertiser;
  };
  const patchAdvertiser = ({ params, body }: ControlCall) => {
    const before = found(world.advertisers.get(params['id']!), `advertiser ${params['id']}`);
    const read = reader(body);
    const bc = read.text('bc_id');
    const after = {
      ...before,
      status: read.text('status') ?? before.status,
      name: read.text('name') ?? before.name,
      balance: read.number('balance') ?? before.balance,
      ...(bc === undefined ? {} : { owner_bc_id: bc }),
    };
    world.advertisers.put(after);
    return after;
  };

  const counts = () => ({
    apps: world.apps.size,
    users: world.users.size,
    business_centers: world.businessCenters.size,
    advertisers: world.advertisers.size,
    grants: world.grants.size,
    campaigns: world.campaigns.size,
    adgroups: world.adgroups.size,
    ads: world.ads.size,
    identities: world.identities.size,
    images: world.images.size,
    videos: world.videos.size,
    pixels: world.pixels.size,
  });

  const route = (
    method: ControlRoute['method'],
    path: string,
    summary: string,
    handle: ControlRoute['handle'],
  ): ControlRoute => ({ method, path, summary, handle });

  return {
    parts: {
      reset,
      state: () => ({ counts: counts(), settings: world.settings }),
      seed: (body) => seedByControl(world, body),
      settings: {
        read: () => ({ ...world.settings }),
        update: (patch) => world.updateSettings(checkSettings(patch)),
      },
    },
    routes: [
      route('POST', '/authorize', 'consent without a browser → { redirect_url }', authorize),
      route('GET', '/apps', 'developer apps', () => ({ apps: [...world.apps.values()] })),
      route('POST', '/apps', 'create an app', createApp),
      route('PATCH', '/apps/:id', 'change an app', (call) => putApp(appOf(call), call)),
      route('DELETE', '/apps/:id', 'delete an app: its tokens answer 40113', (call) => {
        world.apps.delete(appOf(call).id);
      }),
      route('POST', '/apps/:id/sandbox', 'open a sandbox ad account with its token', createSandbox),
      route('GET', '/users', 'TikTok for Business users', () => ({ users: [...world.users.values()] })),
      route('POST', '/users', 'create a user', createUser),
      route('PATCH', '/users/:id', 'change roles; null takes one away', (call) => putUser(userOf(call), call)),
      route('DELETE', '/users/:id', 'delete a user: tokens answer 40106', (call) => {
        world.users.delete(userOf(call).id);
      }),
      route('GET', '/grants', 'access tokens: ?user_id=&app_id=', ({ query }) => ({
        grants: [...world.grants.values()]
          .filter((grant) => query['user_id'] === undefined || grant.user_id === query['user_id'])
          .filter((grant) => query['app_id'] === undefined || grant.app_id === query['app_id'])
          .map(grantView),
      })),
      route('POST', '/grants/revoke', 'withdraw the consent behind tokens', revoke),
      route('POST', '/grants/remove_advertiser', 'take one ad account out of tokens', removeAdvertiser),
      route('POST', '/grants/expire', 'let a token expire now', expire),
      route('GET', '/advertisers', 'ad accounts', () => ({ advertisers: [...world.advertisers.values()] })),
      route('POST', '/advertisers', 'create an ad account', createAdvertiser),
      route('PATCH', '/advertisers/:id', 'change an ad account', patchAdvertiser),
      route('POST', '/limits/clear', 'all counters and locks at zero', () => limits.clear()),
    ],
  };
}

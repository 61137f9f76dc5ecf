/**
 * Who may do what: scopes, tokens, roles, and the life of authorization codes, access tokens and refresh tokens.
 * Facts: TikTok docs on authentication and the official permission scope page; the meaning of the codes is that of the
 * official list of return codes, their wording is sourced for 40104, 40105 and 40113 and unverified for the rest.
 */
import { randomBytes } from 'node:crypto';
import { CATALOGUE, SCOPES } from './catalogue-table.ts';
import { type App, type Call, type EventsToken, type Grant, TikTokError, type User, type World } from './types.ts';

/** An authorization code lives one hour and works once. */
const AUTH_CODE_MS = 3_600_000;
/** TikTok-account tokens, and marketing tokens of the guide's model: 24 hours and one year. */
export const ACCESS_TOKEN_SECONDS = 86_400;
export const REFRESH_TOKEN_SECONDS = 31_536_000;

/** What a person agreed to on the consent page, waiting for the app to fetch its token. */
interface AuthCode {
  /** The code itself. */
  id: string;
  kind: 'marketing' | 'tt_user';
  app_id: string;
  user_id: string;
  advertiser_ids: string[];
  scope: string[];
  redirect_uri: string;
  created_at: string;
  used_at?: string;
}

/** A refresh token; `replaced_at` is when a rotation took its place. */
interface RefreshToken {
  /** The token itself. */
  id: string;
  authorization_id: string;
  expires_at: string;
  replaced_at?: string;
}

const codes = (world: World) => world.store.collection<AuthCode>('auth_codes');
const refreshTokens = (world: World) =>
  world.store.collection<RefreshToken>('refresh_tokens', { authorization: (row) => row.authorization_id });

const secret = (bytes: number) => randomBytes(bytes).toString('hex');

const parentOf = new Map(SCOPES.flatMap(([id, , parent]) => (parent === undefined ? [] : [[id, parent] as const])));
const scopesOf = new Map(CATALOGUE.map(([, path, scopes]) => [path, scopes]));

/** Name of a permission, for the consent page. */
export const scopeName = new Map(SCOPES.map(([id, name]) => [id, name]));

/** The scopes of which a documented path needs one; empty if it needs none or is unknown. */
export function scopesOfPath(path: string): readonly string[] {
  return scopesOf.get(path) ?? [];
}

/** Whether `granted` holds `required` or a scope above it in the tree. */
export function scopeIncludes(granted: readonly string[], required: string): boolean {
  for (let id: string | undefined = required; id !== undefined; id = parentOf.get(id)) {
    if (granted.includes(id)) return true;
  }
  return false;
}

/**
 * @throws TikTokError 40125 if the app itself was never given one of `scopes`, 40001 if the advertiser did not grant
 * one to it (which of the two codes TikTok uses when is unverified).
 */
export function requireScopes(app: App, grant: Grant, scopes: readonly string[], path: string): void {
  if (scopes.length === 0) return;
  const names = scopes.map((id) => `${scopeName.get(id) ?? id} (${id})`).join(' or ');
  if (!scopes.some((id) => scopeIncludes(app.scope, id))) {
    throw new TikTokError(40125, `The app does not have the permission to call /${path}/. It needs: ${names}.`);
  }
  if (!scopes.some((id) => scopeIncludes(grant.scope, id))) {
    throw new TikTokError(40001, `No permission to call /${path}/. The authorization does not include: ${names}.`);
  }
}

/**
 * What an access token stands for.
 * @throws TikTokError 40104 none given; 40105 unknown, revoked, or of the other host; 40102 expired; 40113 the app is
 * gone; 40106 the user is gone.
 */
export function resolveToken(
  world: World,
  token: string | undefined,
  host: Call['host'],
): { grant: Grant; app: App; user: User } {
  if (!token) {
    throw new TikTokError(40104, 'Access token is null, you should set it in http header with key Access-Token.');
  }
  const grant = world.grants.get(token);
  if (!grant || grant.revoked_at !== undefined || (grant.kind === 'sandbox') !== (host === 'sandbox')) {
    throw new TikTokError(40105, 'Access token is incorrect or has been revoked.');
  }
  if (grant.expires_at !== undefined && new Date(grant.expires_at) <= world.clock.now()) {
    throw new TikTokError(40102, 'Access token has expired.');
  }
  const app = world.apps.get(grant.app_id);
  if (!app) throw new TikTokError(40113, 'The app does not exist or has been blocked.');
  const user = world.users.get(grant.user_id);
  if (!user) throw new TikTokError(40106, 'The user who authorized the app is no longer valid.');
  return { grant, app, user };
}

/**
 * The token of the Events Manager that a call carries; undefined for any other token.
 * @throws TikTokError 40105 revoked, or on the sandbox host; 40106 its user is gone.
 */
export function resolveEventsToken(
  world: World,
  token: string | undefined,
  host: Call['host'],
): EventsToken | undefined {
  const row = token === undefined ? undefined : world.store.collection<EventsToken>('events_tokens').get(token);
  if (!row) return undefined;
  if (row.revoked_at !== undefined || host === 'sandbox') {
    throw new TikTokError(40105, 'Access token is incorrect or has been revoked.');
  }
  if (!world.users.get(row.user_id)) {
    throw new TikTokError(40106, 'The user who authorized the app is no longer valid.');
  }
  return row;
}

/**
 * The caller may use this ad account: the consent covers it and the user (still) has a role on it.
 * @throws TikTokError 40001 otherwise, or if `write` and the role is ANALYST (wording unverified).
 */
export function requireAdvertiser(call: Call, advertiserId: string, write = false): void {
  const { world, grant } = call;
  const role = grant && world.users.get(grant.user_id)?.roles[advertiserId];
  const exists = world.advertisers.get(advertiserId) !== undefined;
  if (!exists || !role || !grant.advertiser_ids.includes(advertiserId)) {
    throw new TikTokError(40001, `No permission to operate advertiser ${advertiserId}.`);
  }
  if (write && role === 'ANALYST') {
    throw new TikTokError(40001, `You must be an admin or operator of the advertiser account ${advertiserId}.`);
  }
}

/**
 * The app of an id and secret.
 * @throws TikTokError 40113 no such app; 40101 the secret is not the app's.
 */
export function authenticateApp(world: World, appId: unknown, appSecret: unknown): App {
  const app = typeof appId === 'string' ? world.apps.get(appId) : undefined;
  if (!app) throw new TikTokError(40113, 'The app does not exist or has been blocked.');
  if (app.secret !== appSecret) throw new TikTokError(40101, 'The app_id and secret do not match.');
  return app;
}

/** `https://*\/*` and `http://localhost:*\/*` are patterns of the simulator; anything else must match to the letter. */
export function redirectAllowed(app: App, redirectUri: string): boolean {
  let url: URL;
  try {
    url = new URL(redirectUri);
  } catch {
    return false;
  }
  return app.redirect_uris.some((entry) => {
    const pattern = /^(https?):\/\/([^/*:]+|\*)(:\*)?\/\*$/.exec(entry);
    if (!pattern) return entry === redirectUri;
    const [, scheme, host, port] = pattern;
    if (url.protocol !== `${scheme}:` || url.username !== '' || url.password !== '') return false;
    return (host === '*' || host === url.hostname) && (port !== undefined || host === '*' || url.port === '');
  });
}

/** What the consent page (or the control API in its place) decided. */
export interface Consent {
  kind: AuthCode['kind'];
  app_id: string;
  user_id: string;
  advertiser_ids: string[];
  scope: string[];
  redirect_uri: string;
}

/** Makes the authorization code of a consent. */
export function issueAuthCode(world: World, consent: Consent): string {
  const code = secret(20);
  codes(world).put({ ...consent, id: code, created_at: world.clock.now().toISOString() });
  return code;
}

const after = (world: World, seconds: number) => new Date(world.clock.now().getTime() + seconds * 1000).toISOString();

/** A new access token of a consent; with `expiring` it has a lifetime and a refresh token. */
function issueGrant(
  world: World,
  from: Omit<Consent, 'redirect_uri'>,
  authorizationId: string,
  expiring: boolean,
): Grant {
  const account = from.kind === 'tt_user';
  const grant: Grant = {
    id: account ? `act.${secret(24)}` : secret(20),
    kind: from.kind,
    app_id: from.app_id,
    user_id: from.user_id,
    advertiser_ids: from.advertiser_ids,
    scope: from.scope,
    created_at: world.clock.now().toISOString(),
    authorization_id: authorizationId,
    ...(account ? { open_id: openId(from.user_id, from.app_id) } : {}),
    ...(expiring ? { expires_at: after(world, ACCESS_TOKEN_SECONDS) } : {}),
  };
  return grant;
}

/** The id under which an app knows a TikTok account: another app sees another one. */
function openId(userId: string, appId: string): string {
  return `-000${Buffer.from(`${userId}.${appId}`).toString('base64url').slice(0, 32)}`;
}

function withRefreshToken(world: World, grant: Grant): Grant {
  const token: RefreshToken = {
    id: `rft.${secret(28)}`,
    authorization_id: grant.authorization_id!,
    expires_at: after(world, REFRESH_TOKEN_SECONDS),
  };
  refreshTokens(world).put(token);
  return { ...grant, refresh_token: token.id, refresh_expires_at: token.expires_at };
}

/**
 * Trades an authorization code for an access token.
 * @param redirectUri Must be the one of the authorization, where the flow sends it again.
 * @throws TikTokError 40101 no such code for this app; 40110 used or older than an hour.
 */
export function exchangeAuthCode(
  world: World,
  app: App,
  code: unknown,
  kind: AuthCode['kind'],
  redirectUri?: unknown,
): Grant {
  const row = typeof code === 'string' ? codes(world).get(code) : undefined;
  if (!row || row.app_id !== app.id || row.kind !== kind) throw new TikTokError(40101, 'The auth_code is incorrect.');
  if (redirectUri !== undefined && redirectUri !== row.redirect_uri) {
    throw new TikTokError(40002, 'redirect_uri: It is not the one used for the authorization.');
  }
  const age = world.clock.now().getTime() - new Date(row.created_at).getTime();
  if (row.used_at !== undefined || age >= AUTH_CODE_MS) {
    throw new TikTokError(40110, 'The auth_code has been used, cancelled or has expired.');
  }
  const expiring = kind === 'tt_user' || world.settings.token_model === 'guide';
  let grant = issueGrant(world, row, world.nextId(), expiring);
  if (expiring) grant = withRefreshToken(world, grant);
  // The token first: a death in between must leave a code that still works rather than a code lost for nothing.
  world.grants.put(grant);
  codes(world).put({ ...row, used_at: world.clock.now().toISOString() });
  return grant;
}

/**
 * Trades a refresh token for a new access token, and for a new refresh token if rotation is on.
 * @param kind The kind of token that the endpoint refreshes; any if absent.
 * @throws TikTokError 40107 unknown, of another app or kind, revoked or replaced, or the access token of a long-lived
 * grant; 40103 expired.
 */
export function refreshGrant(world: World, app: App, token: unknown, kind?: AuthCode['kind']): Grant {
  const invalid = () =>
    new TikTokError(40107, 'The refresh token is invalid. Long-term access tokens cannot be refreshed.');
  const row = typeof token === 'string' ? refreshTokens(world).get(token) : undefined;
  if (!row) throw invalid();
  const before = grantsOf(world, row.authorization_id).at(-1);
  if (!before || before.app_id !== app.id || before.kind === 'sandbox' || before.revoked_at !== undefined)
    throw invalid();
  if (kind !== undefined && before.kind !== kind) throw invalid();
  const now = world.clock.now().getTime();
  if (row.replaced_at !== undefined && now - new Date(row.replaced_at).getTime() >= world.settings.refresh_grace_ms) {
    throw invalid();
  }
  if (new Date(row.expires_at).getTime() <= now) throw new TikTokError(40103, 'The refresh token has expired.');
  let grant = issueGrant(world, { ...before, kind: before.kind }, row.authorization_id, true);
  if (world.settings.refresh_rotation) {
    grant = withRefreshToken(world, grant);
    if (row.replaced_at === undefined)
      refreshTokens(world).put({ ...row, replaced_at: world.clock.now().toISOString() });
  } else {
    grant = { ...grant, refresh_token: row.id, refresh_expires_at: row.expires_at };
  }
  world.grants.put(grant);
  return grant;
}

/** All access tokens of one consent, oldest first. */
export function grantsOf(world: World, authorizationId: string): Grant[] {
  return [...world.grants.by('authorization', authorizationId)];
}

/** Ends a consent: every access and refresh token of it is dead from now on. */
export function revokeGrant(world: World, grant: Grant): void {
  const revoked_at = world.clock.now().toISOString();
  const all = grant.authorization_id === undefined ? [grant] : grantsOf(world, grant.authorization_id);
  world.grants.putAll(all.filter((row) => row.revoked_at === undefined).map((row) => ({ ...row, revoked_at })));
}

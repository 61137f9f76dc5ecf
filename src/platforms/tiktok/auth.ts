/**
 * How connections to TikTok are authorised: the advertiser flow of the Marketing API (`marketing`) and the TikTok-account
 * flow (`tt_user`), which is another product on the same host.
 */
import type { AuthSpec, GrantRecipe, ProbeResult, TokenModel, TokenSet } from '../../core/connector/auth-spec.ts';
import type { CallContext } from '../../core/connector/types.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { errors } from './errors.ts';
import { API } from './manifest.ts';
import { call, dataOf } from './request.ts';
import { SCOPES } from './scopes-table.ts';

/**
 * Scope ids beyond 2^53 that a JSON reader has rounded, by their rounded value: the ids TikTok documents differ enough
 * for that to be unique.
 */
const ROUNDED = new Map(Object.keys(SCOPES).map((scope) => [Number(scope), scope]));

function readScopes(value: unknown): string[] {
  if (typeof value === 'string')
    return value
      .split(',')
      .map((scope) => scope.trim())
      .filter((scope) => scope !== '');
  if (!Array.isArray(value)) return [];
  return value.flatMap((scope) =>
    typeof scope === 'number' ? [ROUNDED.get(scope) ?? String(scope)] : typeof scope === 'string' ? [scope] : [],
  );
}

const seconds = (value: unknown): number | undefined => {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? number : undefined;
};

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/**
 * Reads the answer of every token endpoint TikTok has: `oauth2/access_token` (envelope; token, advertiser ids, numeric
 * scopes), `oauth/token` (flat), `tt_user/oauth2/*` (envelope; expiry, refresh token, open id).
 *
 * @throws PolyadError what the answer's return code stands for; `oauth_exchange_failed` when it holds no token.
 */
function readTokens(answer: unknown): TokenSet {
  const failure = errors.classify(
    { method: 'POST', path: '', operation: 'oauth2/access_token' },
    { status: 200, headers: {}, json: answer, text: '' },
  );
  if (failure !== null)
    throw new PolyadError(failure.code, {
      ...(failure.native.message === undefined ? {} : { message: `TikTok answered: ${failure.native.message}` }),
    });
  const body = answer as Record<string, unknown>;
  const data = (body['data'] !== null && typeof body['data'] === 'object' ? body['data'] : body) as Record<
    string,
    unknown
  >;
  const accessToken = textOf(data['access_token']);
  if (accessToken === undefined)
    throw new PolyadError('oauth_exchange_failed', { message: 'TikTok’s answer holds no access token.' });
  const expiresIn = seconds(data['expires_in']);
  const refreshToken = textOf(data['refresh_token']);
  const refreshExpiresIn = seconds(data['refresh_token_expires_in'] ?? data['refresh_expires_in']);
  const accountId = textOf(data['open_id']);
  const advertisers = data['advertiser_ids'];
  return {
    accessToken,
    scopes: readScopes(data['scope']),
    ...(expiresIn === undefined ? {} : { expiresIn }),
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(refreshExpiresIn === undefined ? {} : { refreshExpiresIn }),
    ...(accountId === undefined ? {} : { accountId }),
    ...(Array.isArray(advertisers) ? { organizationIds: advertisers.map(String) } : {}),
  };
}

/**
 * The official Marketing API gives a token that lives until it is revoked. Some integrators describe a token of a day
 * with a refresh token of a year, as TikTok accounts have. The answer decides: a refresh token makes it the latter.
 */
function tokenModel(tokens: TokenSet): TokenModel {
  return tokens.refreshToken === undefined ? { kind: 'long_lived' } : { kind: 'expiring_rotating_refresh' };
}

/** The only refresh TikTok has (TikTok docs 1738084387220481); the refresh token may rotate. */
const refresh: NonNullable<GrantRecipe['refresh']> = {
  host: 'api',
  method: 'POST',
  path: `${API}/tt_user/oauth2/refresh_token/`,
  encoding: 'json',
  params: {
    client_id: '{client_id}',
    client_secret: '{client_secret}',
    grant_type: 'refresh_token',
    refresh_token: '{refresh_token}',
  },
};

/** Advertiser authorization (TikTok docs 1738373141733378); permissions are chosen on the app, not in the URL. */
const marketing: GrantRecipe = {
  id: 'marketing',
  title: 'TikTok ad accounts',
  authorize: {
    host: 'api',
    path: '/portal/auth',
    params: { app_id: '{client_id}', redirect_uri: '{redirect_uri}', state: '{state}' },
  },
  codeParams: ['auth_code', 'code'],
  exchange: {
    host: 'api',
    method: 'POST',
    path: `${API}/oauth2/access_token/`,
    encoding: 'json',
    params: { app_id: '{client_id}', secret: '{client_secret}', auth_code: '{code}' },
  },
  refresh,
  revoke: {
    host: 'api',
    method: 'POST',
    path: `${API}/oauth2/revoke_token/`,
    encoding: 'json',
    params: { app_id: '{client_id}', secret: '{client_secret}', access_token: '{access_token}' },
  },
  readTokens,
  tokenModel,
  // The sandbox has no authorization flow: its token is made in the developer portal and imported.
  environments: ['production', 'simulator'],
};

/** TikTok-account authorization (TikTok docs 1738083939371009); redirect URLs of this flow must end in `/`. */
const ttUser: GrantRecipe = {
  id: 'tt_user',
  title: 'TikTok account',
  authorize: {
    host: 'account',
    path: '/v2/auth/authorize/',
    params: {
      client_key: '{client_id}',
      response_type: 'code',
      scope: 'user.info.basic,video.list',
      redirect_uri: '{redirect_uri}',
      state: '{state}',
    },
  },
  codeParams: ['code', 'auth_code'],
  exchange: {
    host: 'api',
    method: 'POST',
    path: `${API}/tt_user/oauth2/token/`,
    encoding: 'json',
    params: {
      client_id: '{client_id}',
      client_secret: '{client_secret}',
      grant_type: 'authorization_code',
      auth_code: '{code}',
      redirect_uri: '{redirect_uri}',
    },
  },
  refresh,
  revoke: {
    host: 'api',
    method: 'POST',
    path: `${API}/tt_user/oauth2/revoke/`,
    encoding: 'json',
    params: { client_id: '{client_id}', client_secret: '{client_secret}', access_token: '{access_token}' },
  },
  readTokens,
  tokenModel,
  environments: ['production', 'simulator'],
  callbackSlash: true,
  // An account's token opens none of the Marketing API's calls; the exchange that has just succeeded is its test.
  probe: async () => ({}),
};

/**
 * Asks who granted (`user/info`, which the sandbox has too) and which ad accounts the grant reaches
 * (`oauth2/advertiser/get`, which it has not).
 */
async function probe(ctx: CallContext): Promise<ProbeResult> {
  const user = dataOf(await ctx.request(call(ctx, { endpoint: 'user/info' })));
  const accountId = textOf(user['core_user_id']) ?? textOf(user['id']);
  const accountName = textOf(user['display_name']);
  const who = {
    ...(accountId === undefined ? {} : { accountId }),
    ...(accountName === undefined ? {} : { accountName }),
  };
  if (ctx.environment === 'sandbox') return who;
  const granted = dataOf(
    await ctx.request(
      call(ctx, { endpoint: 'oauth2/advertiser/get', appParams: { app_id: 'client_id', secret: 'client_secret' } }),
    ),
  );
  const list = Array.isArray(granted['list']) ? (granted['list'] as Record<string, unknown>[]) : [];
  return { ...who, organizationIds: list.map((row) => String(row['advertiser_id'])) };
}

/** Authorization at TikTok. */
export const auth: AuthSpec = {
  grants: [marketing, ttUser],
  header: { name: 'Access-Token', value: '{access_token}' },
  credentialAliases: {
    app_id: 'client_id',
    client_key: 'client_id',
    client_id: 'client_id',
    secret: 'client_secret',
    app_secret: 'client_secret',
    client_secret: 'client_secret',
  },
  // Look-ups of targetable values need no permission beside a token.
  permissions: {
    ads_organization_read: ['100'],
    ads_campaign_read: ['200'],
    ads_campaign_write: ['201'],
    ads_group_read: ['210'],
    ads_group_write: ['211'],
    ads_ad_read: ['220'],
    ads_ad_write: ['221'],
    ads_creative_read: ['220'],
    ads_creative_write: ['221'],
    ads_asset_read: ['600', '610'],
    ads_asset_write: ['601', '611'],
    ads_promoted_read: ['800', '700', '693', '900', '680'],
    ads_report_read: ['44'],
  },
  scopeParents: Object.fromEntries(
    Object.entries(SCOPES).flatMap(([scope, { parent }]) => (parent === undefined ? [] : [[scope, parent]])),
  ),
  scopeTexts: {
    ads_organization_read: 'See your ad accounts: name, currency, time zone, status',
    ads_campaign_read: 'See your campaigns',
    ads_campaign_write: 'Create, change, pause and delete campaigns',
    ads_group_read: 'See your ad groups',
    ads_group_write: 'Create, change, pause and delete ad groups',
    ads_ad_read: 'See your ads',
    ads_ad_write: 'Create, change, pause and delete ads',
    ads_creative_read: 'See what your ads show',
    ads_creative_write: 'Create and change what your ads show',
    ads_asset_read: 'See the images and videos of your ad accounts',
    ads_asset_write: 'Upload images and videos',
    ads_promoted_read: 'See your pixels, apps, identities, catalogs and forms',
    ads_target_read: 'Look up interests, places and audiences for targeting',
    ads_report_read: 'See the results of your ads',
  },
  tokenImport: {
    accessToken: {
      label: 'Access token',
      instruction:
        'In TikTok for Business (business-api.tiktok.com), open My Apps > your app > Sandbox Ad Account and copy the access token shown there.',
    },
    organizationId: {
      label: 'Advertiser ID',
      instruction: 'The sandbox advertiser ID shown on the same page, a number of 19 digits.',
    },
  },
  probe,
};

/**
 * Tokens. Facts: TikTok API reference (oauth2/access_token, oauth/token, oauth2/revoke_token, oauth2/advertiser/get,
 * tt_user/*); the shapes of the flat `oauth/token` answer and of `tt_user/*` come from an independent client's
 * transcription of the reference.
 */
import {
  ACCESS_TOKEN_SECONDS,
  authenticateApp,
  exchangeAuthCode,
  REFRESH_TOKEN_SECONDS,
  refreshGrant,
  revokeGrant,
} from '../auth.ts';
import { type App, type Call, type Endpoint, type Grant, type Param, RawAnswer, TikTokError } from '../types.ts';

const text = (name: string, required = true): Param => ({ name, type: 'string', required });

/** A number of up to 19 digits, written into JSON to the digit: scope ids are above 2^53. */
const exactNumber = (digits: string): unknown =>
  (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(digits);

const secondsLeft = (call: Call, until: string) =>
  Math.max(0, Math.round((new Date(until).getTime() - call.now.getTime()) / 1000));

/** The members that only the guide's token model has. */
function refreshMembers(call: Call, grant: Grant) {
  if (grant.refresh_token === undefined) return {};
  return {
    expires_in: ACCESS_TOKEN_SECONDS,
    refresh_token: grant.refresh_token,
    refresh_token_expires_in:
      grant.refresh_expires_at === undefined ? REFRESH_TOKEN_SECONDS : secondsLeft(call, grant.refresh_expires_at),
  };
}

function marketingToken(call: Call, grant: Grant, withAdvertisers: boolean) {
  return {
    access_token: grant.id,
    ...(withAdvertisers ? { advertiser_ids: grant.advertiser_ids } : {}),
    scope: grant.scope.map(exactNumber),
    ...refreshMembers(call, grant),
  };
}

function accountToken(call: Call, grant: Grant) {
  return {
    access_token: grant.id,
    token_type: 'Bearer',
    scope: grant.scope.join(','),
    ...refreshMembers(call, grant),
    open_id: grant.open_id,
  };
}

/** A marketing grant by code or, where `grant_type` says so, by refresh token. */
function marketingGrant(call: Call, app: App, code: unknown): Grant {
  const { grant_type: grantType, refresh_token: refreshToken } = call.params;
  if (grantType === 'refresh_token') {
    if (refreshToken === undefined) throw new TikTokError(40002, 'Missing required field(s): refresh_token.');
    return refreshGrant(call.world, app, refreshToken, 'marketing');
  }
  if (code === undefined) {
    throw new TikTokError(
      40002,
      `Missing required field(s): ${call.endpoint.path === 'oauth/token' ? 'code' : 'auth_code'}.`,
    );
  }
  return exchangeAuthCode(call.world, app, code, 'marketing');
}

const grantTypes = (name: string): Param => ({
  name,
  type: 'string',
  enum: ['authorization_code', 'auth_code', 'refresh_token'],
});

const accessToken: Endpoint = {
  method: 'POST',
  path: 'oauth2/access_token',
  auth: 'app',
  params: [
    text('app_id'),
    text('secret'),
    text('auth_code', false),
    { name: 'return_advertiser_ids', type: 'boolean' },
    grantTypes('grant_type'),
    text('refresh_token', false),
  ],
  handle(call) {
    const app = authenticateApp(call.world, call.params['app_id'], call.params['secret']);
    const grant = marketingGrant(call, app, call.params['auth_code']);
    return marketingToken(call, grant, call.params['return_advertiser_ids'] !== false);
  },
};

/** The OAuth-style twin: client_id and client_secret, flat answer (that it has no envelope is unverified). */
const flatToken: Endpoint = {
  method: 'POST',
  path: 'oauth/token',
  auth: 'app',
  params: [
    text('client_id'),
    text('client_secret'),
    text('code', false),
    { ...grantTypes('grant_type'), required: true },
    text('refresh_token', false),
  ],
  handle(call) {
    const app = authenticateApp(call.world, call.params['client_id'], call.params['client_secret']);
    const grant = marketingGrant(call, app, call.params['code']);
    const body = { ...marketingToken(call, grant, true), token_type: 'Bearer' };
    return new RawAnswer(200, 'application/json', JSON.stringify(body));
  },
};

const revokeToken: Endpoint = {
  method: 'POST',
  path: 'oauth2/revoke_token',
  auth: 'app',
  params: [text('app_id'), text('secret'), text('access_token')],
  handle(call) {
    const app = authenticateApp(call.world, call.params['app_id'], call.params['secret']);
    const grant = call.world.grants.get(call.params['access_token'] as string);
    if (grant?.kind !== 'marketing' || grant.app_id !== app.id || grant.revoked_at !== undefined) {
      throw new TikTokError(40105, 'Access token is incorrect or has been revoked.');
    }
    revokeGrant(call.world, grant);
    return { app_id: app.id, advertiser_ids: grant.advertiser_ids };
  },
};

/** The ad accounts that the consent covers and on which the user still has a role. */
const authorizedAdvertisers: Endpoint = {
  method: 'GET',
  path: 'oauth2/advertiser/get',
  auth: 'token',
  params: [text('app_id'), text('secret')],
  handle({ world, params, grant, app }) {
    if (params['app_id'] !== app!.id) {
      throw new TikTokError(
        40113,
        "The app_id is inconsistent with the token's app information. Check the app_id and the access token.",
      );
    }
    authenticateApp(world, params['app_id'], params['secret']);
    const roles = world.users.get(grant!.user_id)?.roles ?? {};
    return {
      list: grant!.advertiser_ids.flatMap((id) => {
        const advertiser = world.advertisers.get(id);
        return advertiser && roles[id] ? [{ advertiser_id: id, advertiser_name: advertiser.name }] : [];
      }),
    };
  },
};

const accountApp = (call: Call) => authenticateApp(call.world, call.params['client_id'], call.params['client_secret']);

const accountTokenByCode: Endpoint = {
  method: 'POST',
  path: 'tt_user/oauth2/token',
  auth: 'app',
  params: [
    text('client_id'),
    text('client_secret'),
    { name: 'grant_type', type: 'string', required: true, enum: ['authorization_code'] },
    text('auth_code'),
    text('redirect_uri'),
  ],
  handle(call) {
    const { auth_code: code, redirect_uri: redirectUri } = call.params;
    return accountToken(call, exchangeAuthCode(call.world, accountApp(call), code, 'tt_user', redirectUri));
  },
};

const accountTokenByRefresh: Endpoint = {
  method: 'POST',
  path: 'tt_user/oauth2/refresh_token',
  auth: 'app',
  params: [
    text('client_id'),
    text('client_secret'),
    { name: 'grant_type', type: 'string', required: true, enum: ['refresh_token'] },
    text('refresh_token'),
  ],
  handle(call) {
    const app = accountApp(call);
    const token = call.params['refresh_token'];
    // The guide's model refreshes marketing tokens by this path too; in the official one they have none to send.
    if (call.world.settings.token_model === 'guide') {
      const grant = refreshGrant(call.world, app, token);
      return grant.kind === 'tt_user' ? accountToken(call, grant) : marketingToken(call, grant, true);
    }
    return accountToken(call, refreshGrant(call.world, app, token, 'tt_user'));
  },
};

const accountTokenRevoke: Endpoint = {
  method: 'POST',
  path: 'tt_user/oauth2/revoke',
  auth: 'app',
  params: [text('client_id'), text('client_secret'), text('access_token')],
  handle(call) {
    const app = accountApp(call);
    const grant = call.world.grants.get(call.params['access_token'] as string);
    if (grant?.kind !== 'tt_user' || grant.app_id !== app.id || grant.revoked_at !== undefined) {
      throw new TikTokError(40105, 'Access token is incorrect or has been revoked.');
    }
    revokeGrant(call.world, grant);
    return {};
  },
};

const accountTokenInfo: Endpoint = {
  method: 'POST',
  path: 'tt_user/token_info/get',
  auth: 'none',
  params: [text('app_id'), text('access_token')],
  handle({ world, params, now }) {
    const grant = world.grants.get(params['access_token'] as string);
    if (grant?.kind !== 'tt_user' || grant.revoked_at !== undefined) {
      throw new TikTokError(40105, 'Access token is incorrect or has been revoked.');
    }
    if (grant.expires_at !== undefined && new Date(grant.expires_at) <= now) {
      throw new TikTokError(40102, 'Access token has expired.');
    }
    if (grant.app_id !== params['app_id']) {
      throw new TikTokError(40113, "The app_id is inconsistent with the token's app information.");
    }
    return { app_id: grant.app_id, scope: grant.scope.join(','), creator_id: grant.open_id };
  },
};

/** The token family. */
export const endpoints: Endpoint[] = [
  accessToken,
  flatToken,
  revokeToken,
  authorizedAdvertisers,
  accountTokenByCode,
  accountTokenByRefresh,
  accountTokenRevoke,
  accountTokenInfo,
];

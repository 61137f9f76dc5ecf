/** How a connection to Acme is authorised. Values in braces are filled by the core: this code never sees a secret. */
import type { AuthSpec, GrantRecipe, ProbeResult, TokenSet } from '../../core/connector/auth-spec.ts';
import type { CallContext } from '../../core/connector/types.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { API } from './manifest.ts';

/** Reads the answer of the token endpoint. Source: https://docs.acme.example/oauth. */
function readTokens(answer: unknown): TokenSet {
  const body = (answer ?? {}) as Record<string, unknown>;
  if (typeof body['access_token'] !== 'string')
    throw new PolyadError('oauth_exchange_failed', { message: 'Acme’s answer holds no access token.' });
  return {
    accessToken: body['access_token'],
    scopes: typeof body['scope'] === 'string' ? body['scope'].split(' ').filter((scope) => scope !== '') : [],
    ...(typeof body['expires_in'] === 'number' ? { expiresIn: body['expires_in'] } : {}),
    ...(typeof body['refresh_token'] === 'string' ? { refreshToken: body['refresh_token'] } : {}),
  };
}

const oauth: GrantRecipe = {
  id: 'oauth',
  title: 'Acme ad accounts',
  authorize: {
    host: 'login',
    path: '/oauth/authorize',
    params: { client_id: '{client_id}', redirect_uri: '{redirect_uri}', state: '{state}', response_type: 'code' },
    pkce: true,
  },
  codeParams: ['code'],
  exchange: {
    host: 'login',
    method: 'POST',
    path: '/oauth/token',
    encoding: 'form',
    params: {
      grant_type: 'authorization_code',
      client_id: '{client_id}',
      client_secret: '{client_secret}',
      code: '{code}',
      redirect_uri: '{redirect_uri}',
      code_verifier: '{code_verifier}',
    },
  },
  refresh: {
    host: 'login',
    method: 'POST',
    path: '/oauth/token',
    encoding: 'form',
    params: {
      grant_type: 'refresh_token',
      client_id: '{client_id}',
      client_secret: '{client_secret}',
      refresh_token: '{refresh_token}',
    },
  },
  readTokens,
  // Decide by what the answer holds; say where the platform documents it.
  tokenModel: ({ refreshToken }) =>
    refreshToken === undefined ? { kind: 'long_lived' } : { kind: 'expiring_rotating_refresh' },
  environments: ['production', 'simulator'],
};

/** Who granted. Cheap and read-only: it runs right after the exchange and whenever health is asked. */
async function probe(ctx: CallContext): Promise<ProbeResult> {
  const { json } = await ctx.request({ method: 'GET', path: `${API}/me`, operation: 'me' });
  const { id, name } = json as { id: string; name?: string };
  return { accountId: id, ...(name === undefined ? {} : { accountName: name }) };
}

/** Authorization at Acme. */
export const auth: AuthSpec = {
  grants: [oauth],
  header: { name: 'Authorization', value: 'Bearer {access_token}' },
  credentialAliases: { client_id: 'client_id', client_secret: 'client_secret' },
  permissions: {
    ads_organization_read: ['accounts:read'],
    ads_campaign_read: ['campaigns:read', 'campaigns:write'],
    ads_campaign_write: ['campaigns:write'],
    ads_report_read: ['reports:read'],
  },
  probe,
};

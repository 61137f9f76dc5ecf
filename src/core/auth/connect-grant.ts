/** The connect flow at the platform: the address of its page, what it sends back without a code, tokens for the code. */
import type { CredentialUse } from '../audit/uses.ts';
import { encodeQuery } from '../calls/encode.ts';
import type { AppCredentials } from '../calls/ports.ts';
import type { GrantRecipe, TokenSet } from '../connector/auth-spec.ts';
import type { Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { callbackUrl } from '../integrations/integrations.ts';
import { getIntegration } from '../store/repositories/index.ts';
import type { StartParts } from './connect-start.ts';
import type { FoundFlow } from './connect-state.ts';
import { nativeScopes } from './permissions.ts';
import { challengeOf } from './pkce.ts';
import { failureOf, fillParams, runTokenCall, type TokenCallTools } from './token-calls.ts';

export interface GrantParts extends TokenCallTools, Pick<StartParts, 'store' | 'apps' | 'hosts' | 'publicUrl'> {
  /** Told of each use of a customer's credential. */
  used?: ((use: CredentialUse) => void) | undefined;
}

/**
 * Address of the platform's page for a flow.
 *
 * @throws PolyadError `integration_not_configured`
 */
export async function authorizeUrl(
  parts: GrantParts,
  found: FoundFlow,
  grant: GrantRecipe,
  state: string,
): Promise<string> {
  const { flow, platform, environment, workspace } = found;
  const app = await appOf(parts, found);
  const integration = await getIntegration(parts.store.db, workspace.id, platform.manifest.type, environment);
  const params = fillParams(grant.authorize.params, {
    client_id: app.client_id,
    redirect_uri: callbackUrl(parts.publicUrl(), platform, grant.callbackSlash === true),
    state,
    scope: (integration?.settings.scopes ?? nativeScopes(platform, flow.permissions)).join(' '),
    code_challenge: flow.verifier === undefined ? undefined : challengeOf(flow.verifier),
  });
  if (flow.verifier !== undefined) {
    params['code_challenge'] ??= challengeOf(flow.verifier);
    params['code_challenge_method'] ??= 'S256';
  }
  const base = parts.hosts(platform, environment)[grant.authorize.host] as string;
  return `${base.replace(/\/+$/, '')}${grant.authorize.path}?${encodeQuery(params, platform.manifest.queryStyle)}`;
}

/**
 * Tokens for the code that a callback brought.
 *
 * @throws PolyadError `integration_not_configured`, `oauth_exchange_failed`, or what the failure of the app or of the
 *   platform means.
 */
export async function exchangeCode(
  parts: GrantParts,
  found: FoundFlow,
  grant: GrantRecipe,
  code: string,
  signal: AbortSignal,
): Promise<TokenSet> {
  const { hosts, publicUrl } = parts;
  const { platform, environment, workspace, flow } = found;
  const app = await appOf(parts, found);
  try {
    parts.used?.({ workspaceId: workspace.id, connectionId: flow.connection_id, purpose: 'exchange' });
    const answer = await runTokenCall(
      {
        platform,
        environment,
        hosts: hosts(platform, environment),
        call: grant.exchange,
        values: {
          ...app,
          code,
          redirect_uri: callbackUrl(publicUrl(), platform, grant.callbackSlash === true),
          code_verifier: flow.verifier,
        },
        repeatable: false,
        signal,
      },
      parts,
    );
    return grant.readTokens(answer);
  } catch (error) {
    const failure = failureOf(error);
    if (
      !(error instanceof PolyadError) ||
      failure === undefined ||
      failure.scope === 'app' ||
      failure.scope === 'platform'
    )
      throw error;
    throw new PolyadError('oauth_exchange_failed', {
      message: error.message,
      ...(error.platform === undefined ? {} : { platform: error.platform }),
      cause: error,
    });
  }
}

async function appOf(parts: GrantParts, { workspace, platform, environment }: FoundFlow): Promise<AppCredentials> {
  const app = await parts.apps.get(workspace.id, platform.manifest.type, environment);
  if (app === undefined)
    throw new PolyadError('integration_not_configured', {
      details: { integration_type: platform.manifest.type, environment },
    });
  return app;
}

/** The platform sent the customer back without a code. What it says goes on as its words, not as ours. */
export function denied(platform: Platform, query: Record<string, string | undefined>): PolyadError {
  const words = (query['error_description'] ?? query['error'])?.slice(0, 300);
  return new PolyadError('oauth_denied', {
    platform: {
      integration_type: platform.manifest.type,
      ...(query['error'] === undefined ? {} : { code: query['error'].slice(0, 100) }),
      ...(words === undefined ? {} : { message: words }),
    },
  });
}

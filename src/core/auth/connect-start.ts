/** How a connect flow begins: everything the caller asks is checked here, before anyone sees a page. */
import type { GrantRecipe } from '../connector/auth-spec.ts';
import { parseEnvironment } from '../connector/hosts.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { Environment, Hosts, Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { AppCredentialsService } from '../integrations/app-credentials.ts';
import { isActive } from '../integrations/integrations.ts';
import type { Store } from '../store/port.ts';
import { getConnection, getIntegration, getWorkspace } from '../store/repositories/index.ts';
import type { ConnectionRow, IntegrationRow, WorkspaceRow } from '../store/schema.ts';
import type { Flow } from './connect-state.ts';
import { askedPermissions } from './permissions.ts';
import type { Reconnect } from './reconnect.ts';
import { checkRedirect } from './redirects.ts';

/** The query of `/unified/integration/auth/{workspace_id}/{type}`. */
export interface StartQuery {
  success_redirect?: string | undefined;
  failure_redirect?: string | undefined;
  /** Given back unchanged. */
  state?: string | undefined;
  external_xref?: string | undefined;
  scopes?: readonly string[] | undefined;
  env?: string | undefined;
  lang?: string | undefined;
  connection_id?: string | undefined;
  reauth_token?: string | undefined;
  /** Addition of polyad: id of a grant recipe other than the platform's first. */
  grant?: string | undefined;
}

export interface StartParts {
  store: Store;
  registry: PlatformRegistry;
  reconnect: Reconnect;
  apps: AppCredentialsService;
  hosts(platform: Platform, environment: Environment): Hosts;
  publicUrl(): string;
}

/** Longest `state` and `external_xref`, in characters. */
const MAX_TEXT = 2048;

/**
 * Checks what is asked and answers what the flow must remember.
 *
 * @throws PolyadError `workspace_not_found`, `integration_not_found`, `integration_not_configured`,
 *   `environment_unsupported`, `environment_crossed`, `oauth_redirect_not_allowed`, `reauth_token_invalid`,
 *   `connection_not_found`, `input_invalid`.
 */
export async function startFlow(
  parts: StartParts,
  workspaceId: string,
  type: string,
  query: StartQuery,
): Promise<{ workspace: WorkspaceRow; platform: Platform; environment: Environment; flow: Flow }> {
  const { store, registry, hosts, publicUrl } = parts;
  const workspace = await getWorkspace(store.db, workspaceId);
  if (workspace === undefined) throw new PolyadError('workspace_not_found');
  const platform = registry.get(type);
  const replaced = await connectionToReplace(parts, workspace, platform, query);
  const asked = parseEnvironment(query.env);
  const environment = (replaced?.environment ?? asked ?? workspace.default_environment) as Environment;
  if (asked !== undefined && asked !== environment)
    throw new PolyadError('environment_crossed', { details: { expected: environment } });
  hosts(platform, environment);
  const integration = await getIntegration(store.db, workspace.id, platform.manifest.type, environment);
  for (const name of ['success_redirect', 'failure_redirect'] as const)
    checkRedirect(name, query[name], {
      origins: workspace.settings.redirect_origins,
      uris: integration?.settings.redirect_uris,
      own: new URL(publicUrl()).origin,
    });
  for (const name of ['state', 'external_xref'] as const)
    if ((query[name]?.length ?? 0) > MAX_TEXT)
      throw new PolyadError('input_invalid', {
        details: { issues: [{ path: name, reason: `must be at most ${MAX_TEXT} characters` }] },
      });
  const grant = chooseGrant(platform, environment, query.grant ?? (replaced?.account['grant'] as string | undefined));
  await checkConfigured(parts, workspace, platform, environment, integration, grant);
  // Authorising again asks for what was asked before, not for what was granted: a customer may have granted too little.
  const scopes = query.scopes ?? (replaced?.account['asked'] as string[] | undefined);
  const flow: Flow = {
    permissions: askedPermissions(platform, scopes),
    grant: grant?.id ?? null,
    ...pick(query, ['success_redirect', 'failure_redirect', 'state', 'external_xref', 'lang']),
    ...(replaced === undefined ? {} : { connection_id: replaced.id }),
  };
  return { workspace, platform, environment, flow };
}

async function connectionToReplace(
  { store, reconnect }: StartParts,
  workspace: WorkspaceRow,
  platform: Platform,
  query: StartQuery,
): Promise<ConnectionRow | undefined> {
  const { connection_id: id, reauth_token: token } = query;
  if (id === undefined && token === undefined) return undefined;
  if (id === undefined || token === undefined)
    throw new PolyadError('reauth_token_invalid', { message: '`connection_id` and `reauth_token` belong together.' });
  reconnect.check(token, workspace.id, id);
  const row = await getConnection(store.db, workspace.id, id);
  if (row === undefined || row.integration_type !== platform.manifest.type)
    throw new PolyadError('connection_not_found');
  return row;
}

/** Switched on, and with an app of the workspace where the platform's sign-in needs one. */
async function checkConfigured(
  { apps }: StartParts,
  workspace: WorkspaceRow,
  platform: Platform,
  environment: Environment,
  integration: IntegrationRow | undefined,
  grant: GrantRecipe | undefined,
): Promise<void> {
  const { type, name } = platform.manifest;
  const details = { integration_type: type, environment };
  if (integration?.is_active === false)
    throw new PolyadError('integration_not_configured', {
      message: `${name} is switched off in this workspace.`,
      details,
    });
  if (grant === undefined) return;
  const app = isActive(platform, environment, integration)
    ? await apps.get(workspace.id, type, environment)
    : undefined;
  if (app === undefined) throw new PolyadError('integration_not_configured', { details });
}

/** The recipe asked for, or the first that the environment has; undefined where it has none (tokens are pasted). */
function chooseGrant(platform: Platform, environment: Environment, id: string | undefined): GrantRecipe | undefined {
  const here = platform.auth.grants.filter((grant) => grant.environments.includes(environment));
  if (id === undefined) return here[0];
  const found = here.find((grant) => grant.id === id);
  // An import names the recipe whose rules its tokens follow, also where that recipe's sign-in does not exist.
  if (found === undefined && !(here.length === 0 && platform.auth.grants.some((grant) => grant.id === id)))
    throw new PolyadError('input_invalid', {
      details: {
        issues: [{ path: 'grant', reason: 'is not one of this environment' }],
        allowed: here.map((grant) => grant.id),
      },
    });
  return found;
}

function pick<T extends object, K extends keyof T & string>(
  from: T,
  names: readonly K[],
): { [N in K]?: NonNullable<T[N]> } {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]]))) as {
    [N in K]?: NonNullable<T[N]>;
  };
}

/**
 * The connect flow: link → our page → the platform's page → callback → exchange → test → connection.
 *
 * What keeps it safe: the link and the OAuth state are random row ids under our signature (two purposes, so one cannot
 * stand for the other); the row is taken up by one browser, known by a cookie that our page set, and used once, within ten
 * minutes; where to return to was checked against the allow list when the flow began and lies in the row since; a callback
 * that fails any of this is answered with a page and never with a redirect.
 */
import { createHash, randomBytes } from 'node:crypto';
import { encodeQuery } from '../calls/encode.ts';
import type { Clock } from '../clock.ts';
import { parseEnvironment } from '../connector/hosts.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { Environment, GrantRecipe, Hosts, Platform, TokenSet } from '../connector/types.ts';
import { asPolyadError, PolyadError } from '../errors/index.ts';
import type { HttpClient } from '../http/client.ts';
import type { AppCredentialsService } from '../integrations/app-credentials.ts';
import { callbackUrl, isActive } from '../integrations/integrations.ts';
import type { Permission } from '../model/permissions.ts';
import type { Store, StoreLog } from '../store/port.ts';
import {
  bindOAuthState,
  consumeOAuthState,
  createOAuthState,
  getConnection,
  getIntegration,
  getOAuthState,
  getWorkspace,
  UNBOUND,
} from '../store/repositories/index.ts';
import type { ConnectionRow, OAuthStateRow, WorkspaceRow } from '../store/schema.ts';
import type { Admission } from './admission.ts';
import {
  type BrowserAnswer,
  cancelledPage,
  consentPage,
  donePage,
  errorPage,
  importPage,
  redirectTo,
} from './connect-page.ts';
import { toSealed } from './credentials.ts';
import { importForm } from './import-form.ts';
import { readImport } from './import-tokens.ts';
import { askedPermissions, nativeScopes } from './permissions.ts';
import { challengeOf, newVerifier } from './pkce.ts';
import type { Reconnect } from './reconnect.ts';
import { checkRedirect, type RedirectRules, withParams } from './redirects.ts';
import type { Signer } from './signing.ts';
import { failureOf, fillParams, runTokenCall } from './token-calls.ts';

/** How long a link, and after Continue the way through the platform, may take, in ms. */
export const FLOW_LIFE_MS = 10 * 60_000;
/** The cookie that binds a flow to a browser. */
export const BROWSER_COOKIE = 'polyad_connect';
const MAX_TEXT = 2048;

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
  /** Addition of polyad: id of a grant recipe other than the platform's first, for example `tt_user`. */
  grant?: string | undefined;
}

/** What a route knows of the browser's request. */
export interface BrowserRequest {
  /** The `Cookie` header. */
  cookie: string | undefined;
  requestId: string;
  signal: AbortSignal;
}

export interface ConnectParts {
  store: Store;
  registry: PlatformRegistry;
  http: HttpClient;
  clock: Clock;
  log: StoreLog;
  signer: Signer;
  reconnect: Reconnect;
  admission: Admission;
  apps: AppCredentialsService;
  hosts(platform: Platform, environment: Environment): Hosts;
  publicUrl(): string;
}

/** What the row of a flow remembers. */
interface Flow extends Record<string, unknown> {
  permissions: Permission[];
  /** Null: no sign-in in this environment, the page takes tokens. */
  grant: string | null;
  success_redirect?: string;
  failure_redirect?: string;
  state?: string;
  external_xref?: string;
  lang?: string;
  connection_id?: string;
  /** PKCE. */
  verifier?: string;
}

interface Found {
  row: OAuthStateRow;
  flow: Flow;
  workspace: WorkspaceRow;
  platform: Platform;
  environment: Environment;
}

export class ConnectFlow {
  readonly #parts: ConnectParts;

  constructor(parts: ConnectParts) {
    this.#parts = parts;
  }

  /**
   * Begins a flow and answers the address of our page for it.
   *
   * @throws PolyadError `workspace_not_found`, `integration_not_found`, `integration_not_configured`,
   *   `environment_unsupported`, `environment_crossed`, `oauth_redirect_not_allowed`, `reauth_token_invalid`,
   *   `connection_not_found`, `input_invalid`.
   */
  async start(workspaceId: string, type: string, query: StartQuery): Promise<{ url: string }> {
    const { store, registry, clock, signer, publicUrl } = this.#parts;
    const workspace = await getWorkspace(store.db, workspaceId);
    if (workspace === undefined) throw new PolyadError('workspace_not_found');
    const platform = registry.get(type);
    const replaced = await this.#replaced(workspace, platform, query);
    const environment = (replaced?.environment ??
      parseEnvironment(query.env) ??
      workspace.default_environment) as Environment;
    if (replaced !== undefined && (parseEnvironment(query.env) ?? environment) !== environment)
      throw new PolyadError('environment_crossed', { details: { expected: environment } });
    this.#parts.hosts(platform, environment);
    const integration = await getIntegration(store.db, workspace.id, platform.manifest.type, environment);
    const rules: RedirectRules = {
      origins: workspace.settings.redirect_origins,
      uris: integration?.settings.redirect_uris,
      own: new URL(publicUrl()).origin,
    };
    for (const name of ['success_redirect', 'failure_redirect'] as const) checkRedirect(name, query[name], rules);
    for (const name of ['state', 'external_xref'] as const)
      if ((query[name]?.length ?? 0) > MAX_TEXT)
        throw new PolyadError('input_invalid', {
          details: { issues: [{ path: name, message: `must be at most ${MAX_TEXT} characters` }] },
        });
    const grant = chooseGrant(platform, environment, query.grant ?? (replaced?.account['grant'] as string | undefined));
    if (
      integration?.is_active === false ||
      (grant !== undefined &&
        (!isActive(platform, environment, integration) || !(await this.#app(workspace.id, platform, environment))))
    )
      throw new PolyadError('integration_not_configured', {
        ...(integration?.is_active === false
          ? { message: `${platform.manifest.name} is switched off in this workspace.` }
          : {}),
        details: { integration_type: platform.manifest.type, environment },
      });
    const scopes =
      query.scopes ?? (replaced === undefined || replaced.permissions.length === 0 ? undefined : replaced.permissions);
    const flow: Flow = {
      permissions: askedPermissions(platform, scopes),
      grant: grant?.id ?? null,
      ...pick(query, ['success_redirect', 'failure_redirect', 'state', 'external_xref', 'lang']),
      ...(replaced === undefined ? {} : { connection_id: replaced.id }),
    };
    const row = await createOAuthState(store.db, workspace.id, {
      type: platform.manifest.type,
      environment,
      payload: flow,
      browser_hash: UNBOUND,
      expires_at: new Date(clock.now().getTime() + FLOW_LIFE_MS),
    });
    return { url: `${publicUrl()}/connect/${signer.sign('link', workspace.id, row.id)}` };
  }

  /** `GET /connect/<link>`: the page. Also sets the cookie that the rest of the flow is bound to. */
  page(link: string, request: BrowserRequest): Promise<BrowserAnswer> {
    return this.#answered(request, async () => {
      const browser = readCookie(request.cookie);
      const found = await this.#find('link', link);
      this.#usable(found, browser);
      const answer = this.#page(found);
      return browser === undefined ? this.#withCookie(answer, randomBytes(32).toString('base64url')) : answer;
    });
  }

  /** `POST /connect/<link>`: Continue, Cancel, or pasted tokens. */
  submit(link: string, form: Record<string, string | undefined>, request: BrowserRequest): Promise<BrowserAnswer> {
    return this.#answered(request, async () => {
      const browser = readCookie(request.cookie);
      const found = await this.#find('link', link);
      this.#usable(found, browser);
      // Only a browser that was shown the page may go on: a form on another site cannot skip it.
      if (browser === undefined) return redirectTo(`${this.#parts.publicUrl()}/connect/${link}`);
      if (form['action'] === 'cancel') {
        const bound = await this.#bind(found, browser);
        await this.#consume(bound, browser);
        return this.#failed(bound.flow, new PolyadError('oauth_denied'), cancelledPage(bound.flow.lang));
      }
      return found.flow.grant === null ? this.#import(found, browser, form, request) : this.#toPlatform(found, browser);
    });
  }

  /** `GET /connect/callback/<type>`: the platform sends the browser back. */
  callback(type: string, query: Record<string, string | undefined>, request: BrowserRequest): Promise<BrowserAnswer> {
    return this.#answered(request, async () => {
      const browser = readCookie(request.cookie);
      const found = await this.#find('state', query['state'] ?? '');
      this.#usable(found, browser);
      if (
        browser === undefined ||
        found.row.browser_hash !== hashOf(browser) ||
        found.row.type !== this.#parts.registry.find(type)?.manifest.type
      )
        throw new PolyadError('oauth_state_invalid');
      const { flow, platform } = found;
      const grant = platform.auth.grants.find((recipe) => recipe.id === flow.grant);
      if (grant === undefined) throw new PolyadError('oauth_state_invalid');
      await this.#consume(found, browser);
      return this.#settled(found, request, async () => {
        const code = grant.codeParams.map((name) => query[name]).find((value) => value !== undefined && value !== '');
        if (query['error'] !== undefined || code === undefined) throw denied(platform, query);
        const tokens = await this.#exchange(found, grant, code, request.signal);
        return this.#admit(found, grant, tokens, request);
      });
    });
  }

  // ------------------------------------------------------------------------------------------------ steps

  async #replaced(workspace: WorkspaceRow, platform: Platform, query: StartQuery): Promise<ConnectionRow | undefined> {
    const { connection_id: id, reauth_token: token } = query;
    if (id === undefined && token === undefined) return undefined;
    if (id === undefined || token === undefined)
      throw new PolyadError('reauth_token_invalid', { message: '`connection_id` and `reauth_token` belong together.' });
    this.#parts.reconnect.check(token, workspace.id, id);
    const row = await getConnection(this.#parts.store.db, workspace.id, id);
    if (row === undefined || row.integration_type !== platform.manifest.type)
      throw new PolyadError('connection_not_found');
    return row;
  }

  async #app(workspaceId: string, platform: Platform, environment: Environment) {
    return this.#parts.apps.get(workspaceId, platform.manifest.type, environment);
  }

  async #find(purpose: 'link' | 'state', token: string): Promise<Found> {
    const { signer, store, registry } = this.#parts;
    const [workspaceId, stateId, ...rest] = signer.verify(purpose, token) ?? [];
    if (workspaceId === undefined || stateId === undefined || rest.length > 0)
      throw new PolyadError('oauth_state_invalid');
    const row = await getOAuthState(store.db, workspaceId, stateId);
    const workspace = row === undefined ? undefined : await getWorkspace(store.db, workspaceId);
    const platform = row === undefined ? undefined : registry.find(row.type);
    if (row === undefined || workspace === undefined || platform === undefined)
      throw new PolyadError('oauth_state_invalid');
    return { row, flow: row.payload as Flow, workspace, platform, environment: row.environment as Environment };
  }

  /** Not used, not over, and not another browser's. */
  #usable({ row }: Found, browser: string | undefined): void {
    const foreign = row.browser_hash !== UNBOUND && (browser === undefined || row.browser_hash !== hashOf(browser));
    if (row.used_at !== null || row.expires_at <= this.#parts.clock.now() || foreign)
      throw new PolyadError('oauth_state_invalid');
  }

  /** Takes the flow up for this browser; pressing Continue twice in one browser is harmless. */
  async #bind(found: Found, browser: string): Promise<Found> {
    if (found.row.browser_hash === hashOf(browser)) return found;
    const { store, clock } = this.#parts;
    const grant = found.platform.auth.grants.find((recipe) => recipe.id === found.flow.grant);
    const flow: Flow = { ...found.flow, ...(grant?.authorize.pkce === true ? { verifier: newVerifier() } : {}) };
    const now = clock.now();
    const row = await bindOAuthState(
      store.db,
      found.workspace.id,
      found.row.id,
      { browser_hash: hashOf(browser), payload: flow, expires_at: new Date(now.getTime() + FLOW_LIFE_MS) },
      now,
    );
    if (row === undefined) throw new PolyadError('oauth_state_invalid');
    return { ...found, row, flow };
  }

  async #consume(found: Found, browser: string): Promise<void> {
    const { store, clock } = this.#parts;
    const taken = await consumeOAuthState(store.db, found.workspace.id, found.row.id, hashOf(browser), clock.now());
    if (taken === undefined) throw new PolyadError('oauth_state_invalid');
  }

  #page(found: Found, failed?: { error: string; values: Record<string, string> }): BrowserAnswer {
    const { workspace, platform, environment, flow } = found;
    const subject = { workspace: workspace.name, platform, environment, lang: flow.lang };
    const returns = [flow.success_redirect, flow.failure_redirect].flatMap((url) =>
      url === undefined ? [] : [new URL(url).origin],
    );
    const form = flow.grant === null ? importForm(platform, environment) : undefined;
    if (form !== undefined) return importPage({ ...subject, form, formTargets: returns, ...failed });
    const grant = platform.auth.grants.find((recipe) => recipe.id === flow.grant);
    const authorize = this.#parts.hosts(platform, environment)[grant?.authorize.host ?? 'api'];
    return consentPage({
      ...subject,
      permissions: flow.permissions,
      again: flow.connection_id !== undefined,
      // Platforms pass the browser through sign-in hosts of their own, so any https page may follow.
      formTargets: ['https:', ...(authorize === undefined ? [] : [new URL(authorize).origin]), ...returns],
    });
  }

  async #toPlatform(found: Found, browser: string): Promise<BrowserAnswer> {
    const { row, flow, platform, environment, workspace } = await this.#bind(found, browser);
    const grant = platform.auth.grants.find((recipe) => recipe.id === flow.grant);
    const app = await this.#app(workspace.id, platform, environment);
    if (grant === undefined || app === undefined)
      throw new PolyadError('integration_not_configured', {
        details: { integration_type: platform.manifest.type, environment },
      });
    const integration = await getIntegration(this.#parts.store.db, workspace.id, platform.manifest.type, environment);
    const params = fillParams(grant.authorize.params, {
      client_id: app.client_id,
      redirect_uri: callbackUrl(this.#parts.publicUrl(), platform, grant.callbackSlash === true),
      state: this.#parts.signer.sign('state', workspace.id, row.id),
      scope: (integration?.settings.scopes ?? nativeScopes(platform, flow.permissions)).join(' '),
      code_challenge: flow.verifier === undefined ? undefined : challengeOf(flow.verifier),
    });
    if (flow.verifier !== undefined) {
      params['code_challenge'] ??= challengeOf(flow.verifier);
      params['code_challenge_method'] ??= 'S256';
    }
    const base = this.#parts.hosts(platform, environment)[grant.authorize.host] as string;
    return redirectTo(
      `${base.replace(/\/+$/, '')}${grant.authorize.path}?${encodeQuery(params, platform.manifest.queryStyle)}`,
    );
  }

  async #exchange(found: Found, grant: GrantRecipe, code: string, signal: AbortSignal): Promise<TokenSet> {
    const { http, clock, hosts, publicUrl } = this.#parts;
    const { platform, environment, workspace, flow } = found;
    const app = await this.#app(workspace.id, platform, environment);
    if (app === undefined)
      throw new PolyadError('integration_not_configured', {
        details: { integration_type: platform.manifest.type, environment },
      });
    try {
      const answer = await runTokenCall(
        {
          platform,
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
        { http, clock },
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

  async #admit(found: Found, grant: GrantRecipe, tokens: TokenSet, request: BrowserRequest): Promise<BrowserAnswer> {
    const { platform, environment, workspace, flow } = found;
    const replacing =
      flow.connection_id === undefined
        ? undefined
        : await getConnection(this.#parts.store.db, workspace.id, flow.connection_id);
    if (flow.connection_id !== undefined && replacing === undefined) throw new PolyadError('connection_not_found');
    const row = await this.#parts.admission.admit({
      workspace,
      platform,
      environment,
      tokens: toSealed(grant, tokens, this.#parts.clock.now()),
      nativeScopes: tokens.scopes,
      asked: flow.permissions,
      organizationIds: tokens.organizationIds,
      accountId: tokens.accountId,
      externalXref: flow.external_xref,
      replacing,
      requestId: request.requestId,
      signal: request.signal,
    });
    return this.#done(found, row.id);
  }

  /** Pasted tokens: a wrong one is said on the form, so that the person can correct it; only success uses the flow up. */
  async #import(
    found: Found,
    browser: string,
    form: Record<string, string | undefined>,
    request: BrowserRequest,
  ): Promise<BrowserAnswer> {
    const bound = await this.#bind(found, browser);
    const { workspace, platform, environment, flow } = bound;
    const organizationId = form['organization_id']?.trim() ?? '';
    try {
      const given = readImport(
        platform,
        environment,
        {
          access_token: form['access_token']?.trim() ?? '',
          meta: { organization_ids: organizationId === '' ? [] : [organizationId] },
        },
        this.#parts.clock.now(),
      );
      const replacing =
        flow.connection_id === undefined
          ? undefined
          : await getConnection(this.#parts.store.db, workspace.id, flow.connection_id);
      const row = await this.#parts.admission.admit({
        workspace,
        platform,
        environment,
        ...given,
        asked: flow.permissions,
        externalXref: flow.external_xref,
        replacing,
        requestId: request.requestId,
        signal: request.signal,
        confirm: () => this.#consume(bound, browser),
      });
      return this.#done(bound, row.id);
    } catch (thrown) {
      const error = asPolyadError(thrown);
      if (error.code === 'oauth_state_invalid' || error.code === 'internal') throw error;
      return this.#page(bound, { error: error.message, values: { organization_id: organizationId } });
    }
  }

  // ------------------------------------------------------------------------------------------------ ends

  #done(found: Found, connectionId: string): BrowserAnswer {
    const { flow, workspace, platform, environment } = found;
    return flow.success_redirect === undefined
      ? donePage({ workspace: workspace.name, platform, environment, lang: flow.lang }, connectionId)
      : redirectTo(withParams(flow.success_redirect, { id: connectionId, state: flow.state }));
  }

  /** To the caller's own page, or to `otherwise`. */
  #failed(flow: Flow, error: PolyadError, otherwise: BrowserAnswer): BrowserAnswer {
    return flow.failure_redirect === undefined
      ? otherwise
      : redirectTo(
          withParams(flow.failure_redirect, { error: error.code, error_description: error.message, state: flow.state }),
        );
  }

  /** After the state was used up, every failure ends at the caller's page, if it named one. */
  async #settled(found: Found, request: BrowserRequest, work: () => Promise<BrowserAnswer>): Promise<BrowserAnswer> {
    try {
      return await work();
    } catch (thrown) {
      const error = this.#noted(thrown, request);
      const { flow, workspace, platform } = found;
      const who = { lang: flow.lang, workspace: workspace.name, platform: platform.manifest.name };
      return this.#failed(flow, error, errorPage(error, request.requestId, who));
    }
  }

  async #answered(request: BrowserRequest, work: () => Promise<BrowserAnswer>): Promise<BrowserAnswer> {
    try {
      return await work();
    } catch (thrown) {
      return errorPage(this.#noted(thrown, request), request.requestId);
    }
  }

  #noted(thrown: unknown, request: BrowserRequest): PolyadError {
    const error = asPolyadError(thrown);
    const facts = {
      code: error.code,
      request_id: request.requestId,
      ...(error.code === 'internal' ? { err: thrown } : {}),
    };
    this.#parts.log[error.code === 'internal' ? 'error' : 'info'](facts, 'a connect flow did not succeed');
    return error;
  }

  #withCookie(answer: BrowserAnswer, value: string): BrowserAnswer {
    const secure = this.#parts.publicUrl().startsWith('https:') ? '; Secure' : '';
    // As long as a link and the way through the platform together.
    const life = (2 * FLOW_LIFE_MS) / 1000;
    const cookie = `${BROWSER_COOKIE}=${value}; Path=/connect; Max-Age=${life}; HttpOnly; SameSite=Lax${secure}`;
    return { ...answer, headers: { ...answer.headers, 'set-cookie': cookie } };
  }
}

/** SHA-256 of the browser's cookie, in hexadecimal: what the row of a flow holds. */
const hashOf = (browser: string): string => createHash('sha256').update(browser).digest('hex');

/** Our cookie, if it is of the form that we set. */
function readCookie(header: string | undefined): string | undefined {
  const value = header
    ?.split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${BROWSER_COOKIE}=`))
    ?.slice(BROWSER_COOKIE.length + 1);
  return value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : undefined;
}

/** The recipe asked for, or the first that the environment has; undefined where it has none (tokens are pasted). */
function chooseGrant(platform: Platform, environment: Environment, id: string | undefined): GrantRecipe | undefined {
  const here = platform.auth.grants.filter((grant) => grant.environments.includes(environment));
  if (id === undefined) return here[0];
  const found = here.find((grant) => grant.id === id);
  if (found === undefined && !(here.length === 0 && platform.auth.grants.some((grant) => grant.id === id)))
    throw new PolyadError('input_invalid', {
      details: {
        issues: [{ path: 'grant', message: 'is not one of this environment' }],
        allowed: here.map((grant) => grant.id),
      },
    });
  return found;
}

/** The platform sent the customer back without a code. What it says goes on as its words, not as ours. */
function denied(platform: Platform, query: Record<string, string | undefined>): PolyadError {
  const words = (query['error_description'] ?? query['error'])?.slice(0, 300);
  return new PolyadError('oauth_denied', {
    platform: {
      integration_type: platform.manifest.type,
      ...(query['error'] === undefined ? {} : { code: query['error'].slice(0, 100) }),
      ...(words === undefined ? {} : { message: words }),
    },
  });
}

function pick<T extends object, K extends keyof T & string>(
  from: T,
  names: readonly K[],
): { [N in K]?: NonNullable<T[N]> } {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]]))) as {
    [N in K]?: NonNullable<T[N]>;
  };
}

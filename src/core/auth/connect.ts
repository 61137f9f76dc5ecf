/**
 * The connect flow: link → our page → the platform's page → callback → exchange → test → connection.
 *
 * What keeps it safe: the link and the OAuth state are random row ids under our signature (two purposes, so one cannot
 * stand for the other); the row is taken up by one browser, known by a cookie that our page set, and used once, within ten
 * minutes; where to return to was checked against the allow list when the flow began and lies in the row since; a callback
 * that fails any of this is answered with a page and never with a redirect.
 */
import type { GrantRecipe, TokenSet } from '../connector/auth-spec.ts';
import { asPolyadError, PolyadError } from '../errors/index.ts';
import type { Permission } from '../model/permissions.ts';
import type { StoreLog } from '../store/port.ts';
import { getConnection } from '../store/repositories/index.ts';
import type { ConnectionRow } from '../store/schema.ts';
import type { Admission } from './admission.ts';
import { authorizeUrl, denied, exchangeCode, type GrantParts } from './connect-grant.ts';
import { CallbackOnce, sentHash } from './connect-once.ts';
import {
  type BrowserAnswer,
  cancelledPage,
  consentPage,
  donePage,
  errorPage,
  importPage,
  redirectTo,
} from './connect-page.ts';
import { type StartParts, type StartQuery, startFlow } from './connect-start.ts';
import { ConnectStates, type Flow, type FoundFlow, newBrowserCookie, readBrowserCookie } from './connect-state.ts';
import { toSealed } from './credentials.ts';
import { importForm } from './import-form.ts';
import { readImport } from './import-tokens.ts';
import { grantChanges, missingPermissions } from './life/changes.ts';
import { withParams } from './redirects.ts';
import type { Signer } from './signing.ts';

/** What a route knows of the browser's request. */
export interface BrowserRequest {
  /** The `Cookie` header. */
  cookie: string | undefined;
  requestId: string;
  ipAddress?: string;
  signal: AbortSignal;
}

/** A customer authorised a connection. */
export interface CustomerAct {
  connection: ConnectionRow;
  /** It was there before. */
  again: boolean;
  requestId: string;
  ipAddress: string | undefined;
}

export interface ConnectParts extends StartParts, GrantParts {
  log: StoreLog;
  signer: Signer;
  admission: Admission;
  /** Told of each connection that a customer authorised. */
  acted?: ((act: CustomerAct) => Promise<void>) | undefined;
}

export class ConnectFlow {
  readonly #parts: ConnectParts;
  readonly #states: ConnectStates;
  readonly #once: CallbackOnce;

  constructor(parts: ConnectParts) {
    this.#parts = parts;
    this.#states = new ConnectStates(parts);
    this.#once = new CallbackOnce(parts);
  }

  /** Waits for connections that are being made although nobody waits for them any more. */
  settle(): Promise<void> {
    return this.#once.settle();
  }

  /**
   * Begins a flow and answers the address of our page for it.
   *
   * @throws PolyadError what `startFlow` throws.
   */
  async start(workspaceId: string, type: string, query: StartQuery): Promise<{ url: string }> {
    const { workspace, platform, environment, flow } = await startFlow(this.#parts, workspaceId, type, query);
    const link = await this.#states.create(workspace.id, platform, environment, flow);
    return { url: `${this.#parts.publicUrl()}/connect/${link}` };
  }

  /** `GET /connect/<link>`: the page. Also sets the cookie that the rest of the flow is bound to. */
  page(link: string, request: BrowserRequest): Promise<BrowserAnswer> {
    return this.#answered(request, async () => {
      const browser = readBrowserCookie(request.cookie, this.#parts.publicUrl());
      const answer = this.#page(await this.#states.find('link', link, browser));
      if (browser !== undefined) return answer;
      return { ...answer, headers: { ...answer.headers, 'set-cookie': newBrowserCookie(this.#parts.publicUrl()) } };
    });
  }

  /** `POST /connect/<link>`: Continue, Cancel, or pasted tokens. */
  submit(link: string, form: Record<string, string | undefined>, request: BrowserRequest): Promise<BrowserAnswer> {
    return this.#answered(request, async () => {
      const browser = readBrowserCookie(request.cookie, this.#parts.publicUrl());
      const found = await this.#states.find('link', link, browser);
      // Only a browser that was shown the page may go on: a form on another site cannot skip it.
      if (browser === undefined) throw new PolyadError('oauth_cookie_missing');
      if (form['action'] === 'cancel') {
        const bound = await this.#states.bind(found, browser);
        await this.#states.consume(bound, browser);
        return this.#failed(bound.flow, new PolyadError('oauth_denied'), cancelledPage(bound.flow.lang));
      }
      return found.grant === undefined
        ? this.#import(found, browser, form, request)
        : this.#toPlatform(found, found.grant, browser);
    });
  }

  /** `GET /connect/callback/<type>`: the platform sends the browser back. */
  callback(type: string, query: Record<string, string | undefined>, request: BrowserRequest): Promise<BrowserAnswer> {
    return this.#answered(request, async () => {
      const browser = readBrowserCookie(request.cookie, this.#parts.publicUrl());
      const state = query['state'] ?? '';
      const sent = sentHash(query);
      const used = await this.#states.used(state, browser, type);
      if (used !== undefined) return this.#once.again(used, sent, request.signal);
      const found = await this.#states.find('state', state, browser);
      const { platform, grant } = found;
      if (browser === undefined || grant === undefined || this.#parts.registry.find(type) !== platform)
        throw new PolyadError('oauth_state_invalid');
      const work = (signal: AbortSignal): Promise<BrowserAnswer> =>
        this.#settled(found, request, async () => {
          const code = grant.codeParams.map((name) => query[name]).find((value) => value !== undefined && value !== '');
          if (query['error'] !== undefined || code === undefined) throw denied(platform, query);
          const tokens = await exchangeCode(this.#parts, found, grant, code, signal);
          return this.#admit(found, grant, tokens, { ...request, signal });
        });
      return this.#once.run(found.row, browser, sent, work, request.signal);
    });
  }

  // ------------------------------------------------------------------------------------------------ steps

  #page(found: FoundFlow, failed?: { error: string; values: Record<string, string> }): BrowserAnswer {
    const { workspace, platform, environment, flow, grant } = found;
    const subject = { workspace: workspace.name, platform, environment, lang: flow.lang };
    const returns = [flow.success_redirect, flow.failure_redirect].flatMap((url) =>
      url === undefined ? [] : [new URL(url).origin],
    );
    const again = flow.connection_id !== undefined;
    // Browsers hold every redirect after a form to this list. Sign-in hosts and landing pages pass people on to others, so
    // any https page may follow.
    const formTargets = ['https:', ...returns];
    const form = grant === undefined ? importForm(platform, environment) : undefined;
    if (form !== undefined) return importPage({ ...subject, form, again, formTargets, ...failed });
    const authorize = this.#parts.hosts(platform, environment)[grant?.authorize.host ?? 'api'];
    return consentPage({
      ...subject,
      permissions: flow.permissions,
      again,
      formTargets: [...formTargets, ...(authorize === undefined ? [] : [new URL(authorize).origin])],
    });
  }

  async #toPlatform(found: FoundFlow, grant: GrantRecipe, browser: string): Promise<BrowserAnswer> {
    const bound = await this.#states.bind(found, browser);
    return redirectTo(await authorizeUrl(this.#parts, bound, grant, this.#states.stateOf(bound)));
  }

  async #admit(
    found: FoundFlow,
    grant: GrantRecipe,
    tokens: TokenSet,
    request: BrowserRequest,
  ): Promise<BrowserAnswer> {
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
    return this.#done(found, row, replacing, request);
  }

  /** Pasted tokens: a wrong one is said on the form, so that the person can correct it; only success uses the flow up. */
  async #import(
    found: FoundFlow,
    browser: string,
    form: Record<string, string | undefined>,
    request: BrowserRequest,
  ): Promise<BrowserAnswer> {
    const bound = await this.#states.bind(found, browser);
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
        confirm: () => this.#states.consume(bound, browser),
      });
      return this.#done(bound, row, replacing, request);
    } catch (thrown) {
      const error = asPolyadError(thrown);
      if (error.code === 'oauth_state_invalid' || error.code === 'internal') throw error;
      return this.#page(bound, { error: error.message, values: { organization_id: organizationId } });
    }
  }

  // ------------------------------------------------------------------------------------------------ ends

  async #done(
    found: FoundFlow,
    row: ConnectionRow,
    before: ConnectionRow | undefined,
    { requestId, ipAddress }: BrowserRequest,
  ): Promise<BrowserAnswer> {
    const { flow, workspace, platform, environment } = found;
    await this.#parts.acted?.({ connection: row, again: before !== undefined, requestId, ipAddress });
    if (flow.success_redirect !== undefined)
      return redirectTo(withParams(flow.success_redirect, { id: row.id, state: flow.state }));
    return donePage({
      workspace: workspace.name,
      platform,
      environment,
      lang: flow.lang,
      connectionId: row.id,
      missing: missingPermissions(row) as Permission[],
      ...(before === undefined ? {} : { changes: grantChanges(before, row) }),
    });
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
  async #settled(
    found: FoundFlow,
    request: BrowserRequest,
    work: () => Promise<BrowserAnswer>,
  ): Promise<BrowserAnswer> {
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
}

/**
 * The memory of a connect flow between its steps: one row, found by a signed token, taken up by one browser, used once.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { GrantRecipe } from '../connector/auth-spec.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { Environment, Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { Permission } from '../model/permissions.ts';
import type { Store } from '../store/port.ts';
import {
  bindOAuthState,
  consumeOAuthState,
  createOAuthState,
  getOAuthState,
  getWorkspace,
  UNBOUND,
} from '../store/repositories/index.ts';
import type { OAuthStateRow, WorkspaceRow } from '../store/schema.ts';
import { newVerifier } from './pkce.ts';
import type { Signer } from './signing.ts';

/** How long a link, and after Continue the way through the platform, may take, in ms. */
export const FLOW_LIFE_MS = 10 * 60_000;
/**
 * The cookie that binds a flow to a browser. Over https its name says that it came over https: browsers take such a name
 * from nobody else, so no other host of the domain and no plain http can put one in.
 */
const cookieName = (publicUrl: string): string =>
  publicUrl.startsWith('https:') ? '__Secure-polyad_connect' : 'polyad_connect';

/** What the row of a flow remembers. */
export interface Flow extends Record<string, unknown> {
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

/** A flow with everything that its row names. */
export interface FoundFlow {
  row: OAuthStateRow;
  flow: Flow;
  workspace: WorkspaceRow;
  platform: Platform;
  environment: Environment;
  /** Undefined where tokens are pasted. */
  grant: GrantRecipe | undefined;
}

export interface ConnectStatesParts {
  store: Store;
  registry: PlatformRegistry;
  clock: Clock;
  signer: Signer;
}

export class ConnectStates {
  readonly #parts: ConnectStatesParts;

  constructor(parts: ConnectStatesParts) {
    this.#parts = parts;
  }

  /** Begins a flow that no browser has taken up yet; answers the token of its link. */
  async create(workspaceId: string, platform: Platform, environment: Environment, flow: Flow): Promise<string> {
    const { store, clock, signer } = this.#parts;
    const row = await createOAuthState(store.db, workspaceId, {
      type: platform.manifest.type,
      environment,
      payload: flow,
      browser_hash: UNBOUND,
      expires_at: new Date(clock.now().getTime() + FLOW_LIFE_MS),
    });
    return signer.sign('link', workspaceId, row.id);
  }

  /** What goes to the platform as `state`. */
  stateOf({ workspace, row }: FoundFlow): string {
    return this.#parts.signer.sign('state', workspace.id, row.id);
  }

  /**
   * The flow of a link or a state, as long as it is not used, not over, and not another browser's.
   *
   * @throws PolyadError `oauth_state_invalid`
   */
  async find(purpose: 'link' | 'state', token: string, browser: string | undefined): Promise<FoundFlow> {
    const { store, registry } = this.#parts;
    const row = await this.#row(purpose, token, browser);
    if (row.used_at !== null) throw invalid();
    const workspace = await getWorkspace(store.db, row.workspace_id);
    const platform = registry.find(row.type);
    if (workspace === undefined || platform === undefined) throw invalid();
    const flow = row.payload as Flow;
    const grant = platform.auth.grants.find((recipe) => recipe.id === flow.grant);
    if (grant === undefined && flow.grant !== null) throw invalid();
    return { row, flow, workspace, platform, environment: row.environment as Environment, grant };
  }

  /** The row of a flow that this browser has used already, for the platform of `type`; undefined for all others. */
  async used(token: string, browser: string | undefined, type: string): Promise<OAuthStateRow | undefined> {
    const row = await this.#row('state', token, browser).catch(() => undefined);
    const platform = this.#parts.registry.find(type);
    return row === undefined || row.used_at === null || row.type !== platform?.manifest.type ? undefined : row;
  }

  async #row(purpose: 'link' | 'state', token: string, browser: string | undefined): Promise<OAuthStateRow> {
    const { signer, store, clock } = this.#parts;
    const [workspaceId, stateId, ...rest] = signer.verify(purpose, token) ?? [];
    if (workspaceId === undefined || stateId === undefined || rest.length > 0) throw invalid();
    const row = await getOAuthState(store.db, workspaceId, stateId);
    if (row === undefined || row.expires_at <= clock.now()) throw invalid();
    const bound = row.browser_hash !== UNBOUND;
    const own = browser !== undefined && row.browser_hash === hashOf(browser);
    // A link may be opened by any browser until one goes on; a state exists only after that.
    if (purpose === 'state' ? !own : bound && !own) throw invalid();
    return row;
  }

  /**
   * Takes the flow up for this browser; pressing Continue twice in one browser is harmless.
   *
   * @throws PolyadError `oauth_state_invalid` when another browser was first.
   */
  async bind(found: FoundFlow, browser: string): Promise<FoundFlow> {
    if (found.row.browser_hash === hashOf(browser)) return found;
    const { store, clock } = this.#parts;
    const flow = { ...found.flow, ...(found.grant?.authorize.pkce === true ? { verifier: newVerifier() } : {}) };
    const now = clock.now();
    const row = await bindOAuthState(
      store.db,
      found.workspace.id,
      found.row.id,
      { browser_hash: hashOf(browser), payload: flow, expires_at: new Date(now.getTime() + FLOW_LIFE_MS) },
      now,
    );
    if (row !== undefined) return { ...found, row, flow };
    // Two presses at once in one browser: the one that came second finds the other's row.
    const meanwhile = await getOAuthState(store.db, found.workspace.id, found.row.id);
    if (meanwhile === undefined || meanwhile.used_at !== null || meanwhile.browser_hash !== hashOf(browser))
      throw invalid();
    return { ...found, row: meanwhile, flow: meanwhile.payload as Flow };
  }

  /** Uses the flow up: succeeds for exactly one caller. @throws PolyadError `oauth_state_invalid` for all others. */
  async consume(found: FoundFlow, browser: string): Promise<void> {
    const { store, clock } = this.#parts;
    const taken = await consumeOAuthState(store.db, found.workspace.id, found.row.id, hashOf(browser), clock.now());
    if (taken === undefined) throw invalid();
  }
}

const invalid = (): PolyadError => new PolyadError('oauth_state_invalid');

/** SHA-256 of the browser's cookie, in hexadecimal: what the row of a flow holds. */
export const hashOf = (browser: string): string => createHash('sha256').update(browser).digest('hex');

/** A `Set-Cookie` line that makes a browser known. Lives as long as a link and the way through the platform together. */
export function newBrowserCookie(publicUrl: string): string {
  const { protocol, pathname } = new URL(publicUrl);
  const path = `${pathname.replace(/\/+$/, '')}/connect`;
  const life = (2 * FLOW_LIFE_MS) / 1000;
  const value = randomBytes(32).toString('base64url');
  const secure = protocol === 'https:' ? '; Secure' : '';
  return `${cookieName(publicUrl)}=${value}; Path=${path}; Max-Age=${life}; HttpOnly; SameSite=Lax${secure}`;
}

/** Our cookie in a `Cookie` header, if it is of the form that we set. */
export function readBrowserCookie(header: string | undefined, publicUrl: string): string | undefined {
  const name = cookieName(publicUrl);
  const value = header
    ?.split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);
  return value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : undefined;
}

/**
 * How access to a platform is asked for, proved and renewed: grants, token calls and permissions as data. `core/auth`
 * carries it out.
 */
import type { CallContext, Environment } from './types.ts';

/** How long tokens live and whether refresh tokens rotate. Decides what the token life-cycle does. */
export type TokenModel =
  | { kind: 'long_lived' }
  | { kind: 'expiring_stable_refresh' }
  | { kind: 'expiring_rotating_refresh' }
  | { kind: 'exchange_to_extend' }
  | { kind: 'api_key' };

/**
 * A request of the auth flow as data. Values are templates over `{client_id} {client_secret} {code} {redirect_uri}
 * {refresh_token} {access_token} {code_verifier} {state}`: the core fills them, so that platform code never holds a secret.
 */
export interface TokenCall {
  /** Name of a host in `Hosts`. */
  host: string;
  method: 'GET' | 'POST';
  path: string;
  encoding: 'json' | 'form' | 'query';
  params: Record<string, string>;
  headers?: Record<string, string>;
}

/** What a token endpoint gave, in common terms. */
export interface TokenSet {
  accessToken: string;
  /** Seconds from now; absent = the platform named no expiry. */
  expiresIn?: number;
  refreshToken?: string;
  refreshExpiresIn?: number;
  /** Native scope names or numbers as strings, as granted. */
  scopes: readonly string[];
  /** Ad account ids, if the answer names them. */
  organizationIds?: readonly string[];
  /** Native id of who granted, to recognise the same account on re-authorization. */
  accountId?: string;
}

/** One way of getting a grant. The first of a platform is its default. */
export interface GrantRecipe {
  id: string;
  title: string;
  authorize: { host: string; path: string; params: Record<string, string>; pkce?: boolean };
  /** Query members in which the callback brings the code, in order of preference. */
  codeParams: readonly string[];
  exchange: TokenCall;
  refresh?: TokenCall;
  revoke?: TokenCall;
  /** Reads the answer of exchange and refresh. May throw what `ErrorSpec.classify` would report for it. */
  readTokens(answer: unknown): TokenSet;
  /**
   * Which token model an answer belongs to. A platform whose sources disagree decides by what the answer holds
   * (an expiry, a refresh token), never by assumption.
   */
  tokenModel(tokens: TokenSet): TokenModel;
  /** Environments in which this flow exists. */
  environments: readonly Environment[];
  /** The platform wants the redirect URL of this flow to end in `/`. */
  callbackSlash?: boolean;
  /** Test of a connection made this way, where its tokens cannot call what `AuthSpec.probe` calls. */
  probe?(ctx: CallContext): Promise<ProbeResult>;
}

export interface AuthSpec {
  grants: readonly GrantRecipe[];
  /** Header that carries the token; template over `{access_token}`. */
  header: { name: string; value: string };
  /** Names under which app credentials are known at this platform, for forms and aliases: `app_id` -> `client_id`. */
  credentialAliases: Record<string, 'client_id' | 'client_secret'>;
  /** Unified permission (`ads_campaign_read`) -> native scopes any of which gives it. Absent entry = none needed. */
  permissions: Record<string, readonly string[]>;
  /** Native scope -> its parent, for platforms whose scopes form a tree. */
  scopeParents?: Record<string, string>;
  /** What the consent page says is asked, per unified permission. */
  scopeTexts?: Record<string, string>;
  /** Words of the form that takes tokens where no grant exists, such as a platform's own sandbox. */
  tokenImport?: Record<'accessToken' | 'organizationId', { label: string; instruction: string }>;
  /** Test of a connection right after the exchange, and the health probe later. Must be cheap and read-only. */
  probe(ctx: CallContext): Promise<ProbeResult>;
}

export interface ProbeResult {
  /** Who granted: shown on the connection and compared on re-authorization. */
  accountId?: string;
  accountName?: string;
  /** Ad accounts reachable, as far as the probe learned them. */
  organizationIds?: readonly string[];
}

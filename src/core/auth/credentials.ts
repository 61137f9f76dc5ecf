/** What lies sealed in the vault, and how a platform's token answer becomes it. */
import type { AppCredentials } from '../calls/ports.ts';
import type { GrantRecipe, TokenModel, TokenSet } from '../connector/auth-spec.ts';
import type { Platform } from '../connector/types.ts';
import type { SecretOwner } from '../store/repositories/index.ts';
import type { Db } from '../store/schema.ts';
import type { SecretStore } from './secret-store.ts';

/** Kind of the secret that holds a connection's tokens. */
export const TOKENS = 'tokens';
/** Kind of the secret that holds an integration's app credentials. */
export const APP = 'app';

/** A connection's tokens as they are sealed. Times are ISO 8601. */
export interface SealedTokens {
  /** Id of the grant recipe that they belong to; it says how to refresh and revoke them. */
  grant: string;
  /** Token model that the platform's own answer showed. */
  kind: TokenModel['kind'];
  access_token: string;
  refresh_token?: string;
  obtained_at: string;
  /** When the customer authorised; renewals keep it, so it tells one authorization's tokens from the next one's. */
  authorized_at?: string;
  /** Absent: the access token does not expire by itself, or nobody said when. */
  expires_at?: string;
  refresh_expires_at?: string;
  /** Brought in by somebody who holds them elsewhere too: never revoked at the platform by us. */
  imported?: boolean;
}

/** Where a connection's secrets hang. */
export function connectionOwner(connection: { workspace_id: string; id: string }): SecretOwner {
  return { workspaceId: connection.workspace_id, kind: 'connection', id: connection.id };
}

/** Where an integration's secrets hang. */
export function integrationOwner(integration: { workspace_id: string; id: string }): SecretOwner {
  return { workspaceId: integration.workspace_id, kind: 'integration', id: integration.id };
}

/** The tokens of a connection and the version of their secret; undefined when it has none. */
export async function openTokens(
  secrets: SecretStore,
  db: Db,
  connection: { workspace_id: string; id: string },
): Promise<{ tokens: SealedTokens; version: number } | undefined> {
  const stored = await secrets.get(db, connectionOwner(connection), TOKENS);
  return stored === undefined
    ? undefined
    : { tokens: stored.plain as unknown as SealedTokens, version: stored.version };
}

/** The app credentials of an integration; undefined when it has none. */
export async function openApp(
  secrets: SecretStore,
  db: Db,
  integration: { workspace_id: string; id: string },
): Promise<AppCredentials | undefined> {
  const stored = await secrets.get(db, integrationOwner(integration), APP);
  return stored === undefined ? undefined : (stored.plain as unknown as AppCredentials);
}

/** `seconds` after `from`, as ISO text; undefined stays undefined. */
const after = (from: Date, seconds: number | undefined): string | undefined =>
  seconds === undefined ? undefined : new Date(from.getTime() + seconds * 1000).toISOString();

/**
 * A token answer in the form that is sealed. What the answer does not repeat is kept from `previous`: platforms with a
 * stable refresh token answer a refresh without it.
 */
export function toSealed(grant: GrantRecipe, tokens: TokenSet, now: Date, previous?: SealedTokens): SealedTokens {
  const expires = after(now, tokens.expiresIn);
  const refreshToken = tokens.refreshToken ?? previous?.refresh_token;
  const refreshExpires =
    after(now, tokens.refreshExpiresIn) ??
    (tokens.refreshToken === undefined || tokens.refreshToken === previous?.refresh_token
      ? previous?.refresh_expires_at
      : undefined);
  const authorized = previous === undefined ? now.toISOString() : previous.authorized_at;
  return {
    grant: grant.id,
    kind: previous?.kind ?? grant.tokenModel(tokens).kind,
    access_token: tokens.accessToken,
    obtained_at: now.toISOString(),
    ...(authorized === undefined ? {} : { authorized_at: authorized }),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    ...(expires === undefined ? {} : { expires_at: expires }),
    ...(refreshExpires === undefined ? {} : { refresh_expires_at: refreshExpires }),
    ...(previous?.imported === true ? { imported: true } : {}),
  };
}

/** The connection's columns that say when its tokens end. */
export function expiryColumns(tokens: SealedTokens): {
  token_expires_at: Date | null;
  refresh_expires_at: Date | null;
} {
  const date = (text: string | undefined): Date | null => (text === undefined ? null : new Date(text));
  return { token_expires_at: date(tokens.expires_at), refresh_expires_at: date(tokens.refresh_expires_at) };
}

/** The recipe by its id; undefined when the platform no longer has it. */
export function grantOf(platform: Platform, id: string): GrantRecipe | undefined {
  return platform.auth.grants.find((grant) => grant.id === id);
}

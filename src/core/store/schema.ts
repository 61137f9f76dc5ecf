import type { ColumnType, Kysely, Selectable } from 'kysely';

/**
 * The tables as Kysely sees them. The SQL that makes them is in `migrations/`; names are snake_case on both sides, so a
 * row is what the database holds. Timestamps have millisecond precision, as a JavaScript `Date` has: a time that was read
 * can be used in a comparison again.
 */

/** A timestamptz(3) column. */
type Timestamp = ColumnType<Date, Date, Date>;
type NullableTimestamp = ColumnType<Date | null, Date | null | undefined, Date | null>;
/**
 * A jsonb column. It is written as JSON text (see {@link json}), because the two engines' clients guess differently what
 * to do with a bare array or string.
 */
type Json<T> = ColumnType<T, string, string>;

/** JSON text for a jsonb column. Postgres stores no NUL character and no lone surrogate, so both are replaced. */
export function json(value: unknown): string {
  return JSON.stringify(value, (_key, member) => (typeof member === 'string' ? storableText(member) : member));
}

/** `text` with what Postgres cannot store (NUL, lone surrogates) replaced by U+FFFD. */
export function storableText(text: string): string {
  return text.replaceAll('\u0000', '\uFFFD').toWellFormed();
}

/** What a workspace may set. Every member is optional; readers supply their own defaults. */
export interface WorkspaceSettings {
  /** Origins (scheme, host, port) that a connect flow may send the customer back to. */
  redirect_origins?: string[];
  [name: string]: unknown;
}

export interface WorkspaceTable {
  id: string;
  name: string;
  /** Environment of calls that name none. */
  default_environment: string;
  settings: Json<WorkspaceSettings>;
  created_at: Timestamp;
  updated_at: Timestamp;
}

export interface ApiKeyTable {
  id: string;
  workspace_id: string;
  name: string;
  /** The key's first characters, for recognition in lists; not enough to use or guess it. */
  prefix: string;
  /** SHA-256 of the key in hexadecimal. A plain hash suffices because the key itself is random and long. */
  hash: string;
  scopes: string[];
  created_at: Timestamp;
  last_used_at: NullableTimestamp;
  revoked_at: NullableTimestamp;
  expires_at: NullableTimestamp;
}

/** Settings of an integration in one workspace and environment. Never secrets: those go through the secret store. */
export interface IntegrationSettings {
  /** Base URLs that replace the platform module's own, by the module's name for them. */
  base_urls?: Record<string, string>;
  /** Native scopes to ask for instead of those that follow from the permissions. */
  scopes?: string[];
  /** Redirect targets allowed for this integration beyond the workspace's origins. */
  redirect_uris?: string[];
  [name: string]: unknown;
}

export interface IntegrationTable {
  id: string;
  workspace_id: string;
  /** Platform slug: the wire contract's `integration_type`. */
  type: string;
  environment: string;
  is_active: boolean;
  settings: Json<IntegrationSettings>;
  created_at: Timestamp;
  updated_at: Timestamp;
}

/** Who authorised a connection, and which ad accounts it was seen to reach. */
export interface ConnectionAccount {
  /** The platform's id of the user who granted access. */
  user_id?: string;
  name?: string;
  emails?: string[];
  /** Ids of the organizations (ad accounts) seen with this grant. */
  organization_ids?: string[];
  [name: string]: unknown;
}

/** `reconnect_required`: the grant is gone and only the customer can restore it. */
export type HealthState = 'unknown' | 'healthy' | 'unhealthy' | 'reconnect_required';

export interface ConnectionTable {
  id: string;
  workspace_id: string;
  integration_type: string;
  environment: string;
  external_xref: string | null;
  permissions: string[];
  categories: string[];
  is_paused: boolean;
  native_scopes: string[];
  account: Json<ConnectionAccount>;
  /** When the access token expires; null = it does not, or is not known. */
  token_expires_at: NullableTimestamp;
  /** When the refresh token expires; null = none, never, or not known. */
  refresh_expires_at: NullableTimestamp;
  /** Counts every update; writers that must not overwrite another's change name the version they read. */
  version: number;
  health_state: HealthState;
  /** Error code (a key of the error table) of the last failure. */
  unhealthy_code: string | null;
  unhealthy_message: string | null;
  last_healthy_at: NullableTimestamp;
  last_unhealthy_at: NullableTimestamp;
  created_at: Timestamp;
  updated_at: Timestamp;
  deleted_at: NullableTimestamp;
}

export type SecretOwnerKind = 'integration' | 'connection';

/** An encrypted secret. Only `auth/vault.ts` reads inside; everything in it is safe to keep in a back-up. */
export interface Envelope {
  /** Format version. */
  v: 1;
  /** Id of the master key that wraps the data key. */
  kid: string;
  /** The wrapped data key: nonce, ciphertext and tag, base64url. */
  dek: string;
  /** The encrypted secret: nonce, ciphertext and tag, base64url. */
  ct: string;
}

export interface SecretTable {
  id: string;
  workspace_id: string;
  owner_kind: SecretOwnerKind;
  owner_id: string;
  /** What the secret is, for example `app` or `tokens`. One of each kind per owner. */
  kind: string;
  /** Counts every write of this secret; part of what the ciphertext is bound to. */
  version: number;
  key_id: string;
  envelope: Json<Envelope>;
  created_at: Timestamp;
}

/** Ids of the master keys that nodes have started with. Never the keys. */
export interface MasterKeyTable {
  id: string;
  first_used_at: Timestamp;
}

export interface OAuthStateTable {
  id: string;
  workspace_id: string;
  type: string;
  environment: string;
  /** What the callback needs to go on. May hold a PKCE verifier, so it is deleted soon after use. */
  payload: Json<Record<string, unknown>>;
  /** Hash of the cookie that binds the flow to the browser that began it. */
  browser_hash: string;
  expires_at: Timestamp;
  used_at: NullableTimestamp;
}

/** `type` of the wire contract's ApiCall. */
export type ApiCallType = 'login' | 'webhook' | 'inbound' | 'mcp';

export interface ApiCallTable {
  id: string;
  workspace_id: string;
  connection_id: string | null;
  integration_type: string;
  environment: string;
  method: string;
  name: string;
  path: string;
  status: string;
  type: ApiCallType;
  /** Error code and message; null = success. */
  error: string | null;
  /** Bytes of the answer. */
  size: number | null;
  /** Milliseconds spent waiting for the platform. */
  endapi_ms: number | null;
  /** Milliseconds of the whole call. */
  unified_ms: number | null;
  ip_address: string | null;
  user_agent: string | null;
  external_xref: string | null;
  request_id: string | null;
  created_at: Timestamp;
}

export interface EventTable {
  id: string;
  workspace_id: string;
  connection_id: string | null;
  type: string;
  payload: Json<Record<string, unknown>>;
  created_at: Timestamp;
}

/** The migrations that this database has seen. */
export interface MigrationTable {
  id: string;
  checksum: string;
  applied_at: Timestamp;
}

/** All tables. */
export interface Database {
  workspaces: WorkspaceTable;
  api_keys: ApiKeyTable;
  integrations: IntegrationTable;
  connections: ConnectionTable;
  secrets: SecretTable;
  master_keys: MasterKeyTable;
  oauth_states: OAuthStateTable;
  api_calls: ApiCallTable;
  events: EventTable;
  polyad_migrations: MigrationTable;
}

/**
 * What repositories run on: the store's database or a transaction of it. Inside `db.transaction().execute(async (trx) =>
 * …)` use `trx` only: the embedded engine has one connection, so a query on `db` would wait for its own transaction.
 */
export type Db = Kysely<Database>;

export type WorkspaceRow = Selectable<WorkspaceTable>;
/** An API key as it may be shown: without its hash. */
export type ApiKeyRow = Omit<Selectable<ApiKeyTable>, 'hash'>;
export type IntegrationRow = Selectable<IntegrationTable>;
export type ConnectionRow = Selectable<ConnectionTable>;
export type SecretRow = Selectable<SecretTable>;
export type OAuthStateRow = Selectable<OAuthStateTable>;
export type ApiCallRow = Selectable<ApiCallTable>;
export type EventRow = Selectable<EventTable>;

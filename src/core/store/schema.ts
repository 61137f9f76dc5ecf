import type { ColumnType, Kysely, Selectable } from 'kysely';
import type { Json, NullableTimestamp, Timestamp } from './schema-columns.ts';
import type {
  ConnectionTable,
  OAuthStateTable,
  TokenLifeTable,
  TokenOriginTable,
  TokenOutageTable,
} from './schema-connections.ts';
import type {
  AccountTable,
  AccountTreeTable,
  ConversionChunkTable,
  ConversionDestinationTable,
  ConversionEventTable,
  CreatorAuthorizationTable,
  HookReceiptTable,
  LaunchAnswerTable,
  LaunchSubmissionTable,
  PlatformMinuteTable,
  PlatformUsageTable,
} from './schema-platforms.ts';
import type { ReportChunkTable, ReportJobTable, ReportRefusalTable, ReportSegmentTable } from './schema-reports.ts';
import type { MasterKeyTable, SecretTable, TombstoneTable, VaultJobTable, VaultNodeTable } from './schema-secrets.ts';

export * from './schema-connections.ts';
export * from './schema-platforms.ts';
export * from './schema-reports.ts';
export * from './schema-secrets.ts';

/**
 * The tables as Kysely sees them. The SQL that makes them is in `migrations/`; names are snake_case on both sides, so a
 * row is what the database holds. Timestamps have millisecond precision, as a JavaScript `Date` has: a time that was read
 * can be used in a comparison again.
 */

/** The escapes of NUL and of lone surrogates. */
const UNSTORABLE = /\\u(?:0000|d[89a-f])/i;

/** JSON text for a jsonb column. Postgres stores no NUL character and no lone surrogate, so both are replaced. */
export function json(value: unknown): string {
  const text = JSON.stringify(value);
  // JSON writes both as escapes; most values have neither, and a look at each member would cost more than all the rest.
  if (text === undefined || !UNSTORABLE.test(text)) return text;
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
  /** The connections that the key may use; null = all of the workspace. */
  connection_ids: string[] | null;
  /** Id of the key that this one replaces. */
  rotated_from: string | null;
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

/**
 * `in_flight`: a node is at it, until `lease_until`. `unknown`: it may or may not have been carried out. `done`: the
 * answer is kept.
 */
export type WriteState = 'in_flight' | 'unknown' | 'done';

/** One write at a platform, from before it is sent until its key is forgotten. */
export interface WriteTable {
  id: string;
  workspace_id: string;
  connection_id: string;
  /** Verb and object: `create campaign`. */
  route: string;
  /** The caller's Idempotency-Key; null = it sent none. */
  key: string | null;
  /** Digest of what was asked. */
  fingerprint: string;
  /** Handed to platforms that have an aid against doing a write twice. */
  request_token: string;
  state: WriteState;
  /** Node and run that are at it. */
  holder: string | null;
  lease_until: NullableTimestamp;
  /** When the first request that changes something may have left; null = nothing was sent. */
  sent_at: NullableTimestamp;
  /** Where the new object lies: platform, environment, ad account and native kind. */
  target: string | null;
  /** What the new object is looked for by, such as its name. */
  marker: string | null;
  /** Id of the object that this write created. */
  platform_id: string | null;
  /** Status and body of the answer. */
  status: number | null;
  answer: ColumnType<unknown, string | null | undefined, string | null>;
  created_at: Timestamp;
  updated_at: Timestamp;
}

/** Amounts by currency (ISO 4217), decimals as text. */
export type Amounts = Record<string, string>;

/** Limits to what writes may spend. Absent = no limit. */
export interface SpendRules {
  /** Largest daily budget of one object. */
  max_daily_budget?: Amounts;
  /** Largest total (lifetime) budget of one object. */
  max_total_budget?: Amounts;
  /** Largest increase of a budget by one change, in percent of what it was. */
  max_increase_percent?: number;
  /** Objects are created paused unless the caller names a status. */
  create_paused?: boolean;
}

export interface SpendGuardTable {
  workspace_id: string;
  /** Empty with an empty `organization_id`. */
  integration_type: string;
  /** Ad account; empty = all of the workspace. */
  organization_id: string;
  rules: Json<SpendRules>;
  updated_at: Timestamp;
}

/** Somebody who is signed in to the dashboard. */
export interface DashboardSessionTable {
  /** SHA-256 of the id in the cookie, in hexadecimal. */
  id: string;
  workspace_id: string;
  key_id: string;
  created_at: Timestamp;
  seen_at: Timestamp;
  expires_at: Timestamp;
}

/**
 * Who did something: an API key, somebody signed in to the dashboard, an end customer in the connect flow, the server of its
 * own accord, or somebody at the machine (CLI with the database opened).
 */
export type AuditActorKind = 'api_key' | 'session' | 'customer' | 'system' | 'console';

/** A row of the audit log. Written by `audit/log.ts` alone, never changed. */
export interface AuditTable {
  workspace_id: string;
  /** 1, 2, 3 … without gaps in each workspace. */
  seq: number;
  at: Timestamp;
  actor_kind: AuditActorKind;
  actor_id: string | null;
  actor_name: string | null;
  /** What was done: `key.create`, `campaign.update`. */
  action: string;
  object_type: string | null;
  object_id: string | null;
  connection_id: string | null;
  /** `ok`, or the code of the error that it ended with. */
  outcome: string;
  request_id: string | null;
  ip_address: string | null;
  /** JSON. */
  details: string;
  previous_hash: string;
  hash: string;
}

/** The end of a workspace's chain. */
export interface AuditHeadTable {
  workspace_id: string;
  seq: number;
  hash: string;
  /** Signature over workspace, number and hash, by a key that is not in the database. */
  seal: string;
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
  token_lives: TokenLifeTable;
  token_outages: TokenOutageTable;
  secrets: SecretTable;
  master_keys: MasterKeyTable;
  vault_nodes: VaultNodeTable;
  vault_jobs: VaultJobTable;
  secret_tombstones: TombstoneTable;
  oauth_states: OAuthStateTable;
  api_calls: ApiCallTable;
  events: EventTable;
  writes: WriteTable;
  spend_guards: SpendGuardTable;
  dashboard_sessions: DashboardSessionTable;
  audit_log: AuditTable;
  audit_heads: AuditHeadTable;
  token_origins: TokenOriginTable;
  report_jobs: ReportJobTable;
  report_chunks: ReportChunkTable;
  report_segments: ReportSegmentTable;
  report_refusals: ReportRefusalTable;
  hook_receipts: HookReceiptTable;
  accounts: AccountTable;
  account_trees: AccountTreeTable;
  platform_usage: PlatformUsageTable;
  platform_minutes: PlatformMinuteTable;
  launch_answers: LaunchAnswerTable;
  launch_submissions: LaunchSubmissionTable;
  conversion_destinations: ConversionDestinationTable;
  conversion_chunks: ConversionChunkTable;
  conversion_events: ConversionEventTable;
  creator_authorizations: CreatorAuthorizationTable;
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
export type TokenLifeRow = Selectable<TokenLifeTable>;
export type TokenOutageRow = Selectable<TokenOutageTable>;
export type SecretRow = Selectable<SecretTable>;
export type VaultJobRow = Selectable<VaultJobTable>;
export type OAuthStateRow = Selectable<OAuthStateTable>;
export type ApiCallRow = Selectable<ApiCallTable>;
export type EventRow = Selectable<EventTable>;
export type WriteRow = Selectable<WriteTable>;
export type SpendGuardRow = Selectable<SpendGuardTable>;
export type DashboardSessionRow = Selectable<DashboardSessionTable>;
export type AuditRow = Selectable<AuditTable>;
export type ReportJobRow = Selectable<ReportJobTable>;
export type ReportChunkRow = Selectable<ReportChunkTable>;
export type ReportSegmentRow = Selectable<ReportSegmentTable>;
export type AccountRow = Selectable<AccountTable>;
export type AccountTreeRow = Selectable<AccountTreeTable>;
export type LaunchAnswerRow = Selectable<LaunchAnswerTable>;
export type LaunchSubmissionRow = Selectable<LaunchSubmissionTable>;
export type ConversionDestinationRow = Selectable<ConversionDestinationTable>;
export type ConversionEventRow = Selectable<ConversionEventTable>;
export type CreatorAuthorizationRow = Selectable<CreatorAuthorizationTable>;

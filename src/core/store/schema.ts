import type { ColumnType, Generated, Kysely, Selectable } from 'kysely';
import type { AccountGap, AccountNode } from '../connector/accounts-spec.ts';

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

/** Who authorised a connection, and which ad accounts it was seen to reach. */
export interface ConnectionAccount {
  /** The platform's id of the user who granted access. */
  user_id?: string;
  name?: string;
  emails?: string[];
  /** Ids of the organizations (ad accounts) seen with this grant. */
  organization_ids?: string[];
  /** Those that the customer or the workspace chose to use; absent = all. */
  selected_organization_ids?: string[];
  [name: string]: unknown;
}

/** `reconnect_required`: the grant is gone and only the customer can restore it. */
export type HealthState = 'unknown' | 'healthy' | 'unhealthy' | 'reconnect_required';

/**
 * Where a connection stands in the life of its tokens; `auth/life/state.ts` has the rules. Stored is what happened; what
 * follows from the clock alone (a token that has come near its end) is worked out when it is shown.
 */
export type LifeState =
  | 'healthy'
  | 'expiring'
  | 'refreshing'
  | 'degraded'
  | 'reauthorization_due'
  | 'revoked'
  | 'paused';

/** An ad account that the platform no longer lets a connection use, while the grant itself works. */
export interface LostOrganization {
  /** ISO 8601. */
  since: string;
  /** The platform's own code and words, as far as it gave any. */
  platform_code?: string;
  message?: string;
}

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
  life: ColumnType<LifeState, LifeState | undefined, LifeState>;
  life_since: NullableTimestamp;
  /** When the customer must have authorised again, as far as that is known; null = no such end is known. */
  reauthorize_by: NullableTimestamp;
  /** By id of the ad account. */
  lost_organizations: ColumnType<Record<string, LostOrganization>, string | undefined, string>;
  created_at: Timestamp;
  updated_at: Timestamp;
  deleted_at: NullableTimestamp;
}

/** Who renews a connection's tokens, when to look at them again, and what was warned of. */
export interface TokenLifeTable {
  connection_id: string;
  integration_type: string;
  environment: string;
  /** When to look again; null = never, until something changes. */
  next_at: NullableTimestamp;
  /** Renewals in a row that failed without an answer about the grant. */
  failures: Generated<number>;
  /**
   * Version of the tokens whose refresh token is being spent. Still set when a lease is taken = whoever spent it died, and
   * the platform's answer was lost.
   */
  spending_version: number | null;
  spending_since: NullableTimestamp;
  /** Version of the tokens whose refresh token the platform has refused: it is not asked again. */
  refused_version: number | null;
  /** Whether renewals move the end of the refresh token; null = not seen yet. */
  end_moves: boolean | null;
  /** The end and the threshold in days that were warned of last. */
  warned_end: NullableTimestamp;
  warned_days: number | null;
  /** Last gentle test of a token without an end. */
  probed_at: NullableTimestamp;
  /** Owner token of the lease; free when `lease_until` (the database's clock) is over. */
  holder: string | null;
  lease_until: NullableTimestamp;
}

/** A token endpoint that does not answer. */
export interface TokenOutageTable {
  integration_type: string;
  environment: string;
  since: Timestamp;
  /** When one renewal may try whether it answers again. */
  next_try_at: Timestamp;
  failures: number;
}

export type SecretOwnerKind = 'integration' | 'connection' | 'destination';

/** An encrypted secret. Only `auth/vault.ts` reads inside; everything in it is safe to keep in a back-up. */
export interface SealedEnvelope {
  /** Format version. 1 bound the secret itself to its master key; 2 does not, so that re-wrapping its data key suffices. */
  v: 1 | 2;
  /** Id of the master key that wraps the data key. */
  kid: string;
  /** The wrapped data key: nonce, ciphertext and tag, base64url. */
  dek: string;
  /** The encrypted secret: nonce, ciphertext and tag, base64url. */
  ct: string;
  /** The store that did not take it; it is moved there when it does. */
  meant?: ManagedStore;
}

/** Stores beside the database that can hold secrets. */
export const MANAGED_STORES = ['aws', 'azure', 'gcp'] as const;
export type ManagedStore = (typeof MANAGED_STORES)[number];

/** Where a secret lies that a secret manager keeps. Only `auth/secrets/managed.ts` reads inside. */
export interface ManagedEnvelope {
  v: 1;
  store: ManagedStore;
  /** Name of the secret there. */
  name: string;
  /** The version of it that this row stands for; versions never change. */
  ref: string;
  /** SHA-256 of what was written there, base64url. It is salted, so it says nothing of the secret. */
  sum: string;
}

/** What a row of `secrets` holds. */
export type Envelope = SealedEnvelope | ManagedEnvelope;

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

/** A master key as a key management service wrapped it. */
export interface WrappedKey {
  /** Address of the service's key, as in POLYAD_MASTER_KEY. */
  by: string;
  /** What the service answered, base64. */
  text: string;
  /** Version of the service's key, where unwrapping must name it (Azure). */
  version?: string;
}

/** Ids of the master keys that nodes have started with. Never the keys, unless wrapped by a key management service. */
export interface MasterKeyTable {
  id: string;
  /** Since when a node encrypts with it; null = no node ever did. */
  first_used_at: NullableTimestamp;
  /** Only for keys of a key management service. */
  wrapped: ColumnType<WrappedKey | null, string | null | undefined, string | null>;
  /** Since when nothing needs it. */
  retired_at: NullableTimestamp;
}

/** A running server and the keys it has. */
export interface VaultNodeTable {
  id: string;
  /** Id of the key that it encrypts with. */
  active_key: string;
  key_ids: string[];
  seen_at: Timestamp;
}

export type VaultJobName = 'rotate' | 'reencrypt' | 'migrate';
/** `stopping`: asked to stop, and still at it. `failed`: through, but some secrets could not be done. */
export type VaultJobState = 'running' | 'stopping' | 'stopped' | 'done' | 'failed';

/** A job over all secrets. */
export interface VaultJobTable {
  name: VaultJobName;
  /** `rotate`, `reencrypt`: id of the master key; `migrate`: the store. */
  target: string;
  state: VaultJobState;
  /** Id of the last secret that was dealt with; empty = none yet. */
  cursor: string;
  done: number;
  failed: number;
  /** Last failure, in words. */
  error: string | null;
  /** Who works on it, until `lease_until`. */
  holder: string | null;
  lease_until: NullableTimestamp;
  started_at: Timestamp;
  updated_at: Timestamp;
  finished_at: NullableTimestamp;
}

/** Something to destroy in a secret manager. */
export interface TombstoneTable {
  id: Generated<string>;
  store: ManagedStore;
  name: string;
  /** Null: the whole secret. */
  ref: string | null;
  due_at: Timestamp;
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

/** In which environment a token was issued. */
export interface TokenOriginTable {
  /** Hash of platform and token. */
  fingerprint: string;
  environment: string;
  created_at: Timestamp;
}

/** An entry of a platform's webhook that was handed on. */
export interface HookReceiptTable {
  workspace_id: string;
  digest: string;
  received_at: Timestamp;
}

/** A business or ad account that a connection's user reaches. */
export interface AccountTable {
  connection_id: string;
  id: string;
  kind: 'business' | 'organization';
  name: string | null;
  /** Business that owns it. */
  owner_id: string | null;
  node: Json<AccountNode>;
  /** Since when it is not among them any more. */
  lost_at: NullableTimestamp;
  /** Business with which it was lost. */
  lost_with: string | null;
  seen_at: Timestamp;
}

/** When the accounts of a connection were read. */
export interface AccountTreeTable {
  connection_id: string;
  read_at: Timestamp;
  gaps: Json<AccountGap[]>;
}

/** Calls of one operation on one day with one outcome. */
export interface PlatformUsageTable {
  workspace_id: string;
  integration_type: string;
  environment: string;
  operation: string;
  /** Code of the error; empty = done. */
  outcome: string;
  /** UTC. */
  day: ColumnType<string, string, never>;
  calls: string;
}

/** Calls of one minute. */
export interface PlatformMinuteTable {
  workspace_id: string;
  integration_type: string;
  environment: string;
  minute: Timestamp;
  calls: string;
}

/** What the operator said about the app and the company, for a platform's review. */
export interface LaunchAnswerTable {
  workspace_id: string;
  integration_type: string;
  key: string;
  value: Json<unknown>;
  answered_at: Timestamp;
  /** Name of the key or person. */
  answered_by: string;
}

/** What was submitted to a platform's review: changes of these need another one. */
export interface LaunchSnapshot {
  scopes: string[];
  redirect_uris: string[];
  privacy_policy?: string;
}

/** A review that was asked for. */
export interface LaunchSubmissionTable {
  id: string;
  workspace_id: string;
  integration_type: string;
  submitted_at: Timestamp;
  outcome: 'waiting' | 'approved' | 'refused';
  outcome_at: NullableTimestamp;
  note: string;
  snapshot: Json<LaunchSnapshot>;
}

/** What a report job is made as. */
export type ReportFormat = 'ndjson' | 'csv' | 'parquet';
/** How its rows come: as the planner decides, by the platform's report tasks, or by calls alone. */
export type ReportRoute = 'auto' | 'tasks' | 'calls';
/** `waiting`: nobody is at it. `running`: a worker is, until `lease_until`. */
export type ReportJobState = 'waiting' | 'running' | 'done' | 'failed' | 'canceled';

/** A report that is made in the background. */
export interface ReportJobTable {
  id: string;
  workspace_id: string;
  connection_id: string;
  /** Query parameters as the caller sent them. */
  query: Json<Record<string, string | string[]>>;
  format: ReportFormat;
  route: ReportRoute;
  /** Whether rows kept of closed days may be used and are kept. */
  cache: boolean;
  /** How urgent its calls are. */
  priority: string;
  state: ReportJobState;
  cancel_asked: Generated<boolean>;
  /** Decided when work begins, so that a job which is taken up again is still about the same days. */
  plan: ColumnType<ReportJobPlan | null, string | null | undefined, string | null>;
  /** Runs that ended early since the last piece was finished. */
  attempts: Generated<number>;
  /** Not to be taken up earlier, because the platform asked to wait. */
  run_after: NullableTimestamp;
  /** Worker and run that are at it. */
  holder: string | null;
  lease_until: NullableTimestamp;
  /** Name of the result's file. */
  file: string | null;
  /** Rows and bytes of the result. */
  rows: number | null;
  bytes: number | null;
  /** What it failed of, in the form of every error. */
  error: ColumnType<Record<string, unknown> | null, string | null | undefined, string | null>;
  request_id: string | null;
  created_at: Timestamp;
  started_at: NullableTimestamp;
  finished_at: NullableTimestamp;
  /** When the result is removed. */
  expires_at: NullableTimestamp;
}

/** What a job is about, once known. */
export interface ReportJobPlan {
  /** Instant that "today" was taken from, ISO 8601. */
  planned_at: string;
  organizations: { id: string; name?: string; currency?: string; timeZone?: string; parentId?: string }[];
}

/** Some days of one ad account: the unit in which a job is done, and taken up again. */
export interface ReportChunkTable {
  job_id: string;
  /** 0, 1, 2 … in the order of ad accounts and days. */
  number: number;
  organization_id: string;
  /** Account days, both included. */
  start_date: string;
  end_date: string;
  /** Whether the platform has finished counting these days. */
  closed: boolean;
  state: 'waiting' | 'done';
  /** How its rows came. */
  route: 'tasks' | 'calls' | null;
  /** The platform's task that makes its rows. */
  task_id: string | null;
  task_failures: Generated<number>;
  segment_id: string | null;
  /** The rows were kept from an earlier report. */
  reused: Generated<boolean>;
  rows: number | null;
}

/** Rows of some days of one ad account, in a file. */
export interface ReportSegmentTable {
  id: string;
  workspace_id: string;
  connection_id: string;
  organization_id: string;
  /** Digest of everything that the rows depend on but their days. */
  key: string;
  start_date: string;
  end_date: string;
  /** Name of the file. */
  file: string;
  rows: number;
  bytes: number;
  /** For later reports too. */
  kept: boolean;
  /** Day -> the ad account's own numbers when the rows were read; other ones mean that the rows have changed. */
  checks: ColumnType<Record<string, string> | null, string | null | undefined, string | null>;
  read_at: Timestamp;
  used_at: Timestamp;
}

/** An app that a platform does not let make report tasks. */
export interface ReportRefusalTable {
  platform: string;
  environment: string;
  /** Digest of the app, or of the connection where no app is known. */
  app: string;
  /** Code of our error. */
  code: string;
  refused_at: Timestamp;
}

/** Why a conversion destination sends nothing at the moment. Never secrets or personal data. */
export interface DestinationProblem {
  /** Code of the error table. */
  code: string;
  message: string;
  /** The platform's own code and request id, as far as it gave any. */
  platform_code?: string;
  platform_request_id?: string;
  /** ISO 8601. */
  since: string;
}

/** Where conversion events go: one pixel, app or event set, with a credential of its own. */
export interface ConversionDestinationTable {
  id: string;
  /** What events refer to. Bigints come as text. */
  num: Generated<string>;
  workspace_id: string;
  connection_id: string | null;
  integration_type: string;
  environment: string;
  source: string;
  /** Id at the platform. */
  source_id: string;
  name: string | null;
  /** Kind of its own credential (see the platform's module), or `connection`. */
  credential_kind: string;
  /** Digest of platform and credential, to recognise one that is given as another kind. */
  credential_fingerprint: string | null;
  /** Events that say nothing of consent are withheld. */
  require_consent: Generated<boolean>;
  /** Longest time, in ms, that an event waits for others to fill its batch. */
  batch_delay_ms: number;
  is_paused: Generated<boolean>;
  /** Batches in a row that failed for no fault of an event. */
  failures: Generated<number>;
  hold_until: NullableTimestamp;
  problem: ColumnType<DestinationProblem | null, string | null | undefined, string | null>;
  last_sent_at: NullableTimestamp;
  created_at: Timestamp;
  updated_at: Timestamp;
  deleted_at: NullableTimestamp;
}

/** Conversion events that were accepted together, and are sent together. */
export interface ConversionChunkTable {
  id: Generated<string>;
  destination: string;
  /** Events whose fate is that of the chunk. */
  count: number;
  /** Earliest `occurred_at` among them. */
  oldest: Timestamp;
  test_code: string | null;
  /** A line of native JSON per event; null = all have their fate. */
  payload: string | null;
  /** Chunks with the same number were sent in one request, and are sent so again. */
  batch: string | null;
  holder: string | null;
  lease_until: NullableTimestamp;
  attempts: Generated<number>;
  created_at: Timestamp;
  done_at: NullableTimestamp;
}

/** A conversion event and its fate, where that is not the fate of its chunk. */
export interface ConversionEventTable {
  id: Generated<string>;
  destination: string;
  /** Digest of name and event id, as a UUID. */
  key: string;
  chunk: string;
  /** Line of the chunk's payload; null = it has none. */
  position: number | null;
  /** As the platform names it. */
  event: string;
  event_id: string;
  occurred_at: Timestamp;
  state: 'refused' | 'withheld' | 'expired' | null;
  reason_code: string | null;
  reason: string | null;
  /** Kept for a while of events that the platform refused, so that they can be sent again. */
  payload: string | null;
  duplicates: Generated<number>;
  updated_at: NullableTimestamp;
}

/** A creator's authorization that polyad keeps an eye on. */
export interface CreatorAuthorizationTable {
  connection_id: string;
  organization_id: string;
  /** Id of the post. */
  item_id: string;
  workspace_id: string;
  /** As the unified object has it, or REMOVED. */
  state: string;
  ends_at: NullableTimestamp;
  /** When to look again; null = never, until it is seen once more. */
  next_at: NullableTimestamp;
  /** The end and the threshold in days that were warned of last. */
  warned_end: NullableTimestamp;
  warned_days: ColumnType<number | null, number | null | undefined, number | null>;
  /** That it is over was told, or it was over when it was first seen. */
  told_end: Generated<boolean>;
  seen_at: Timestamp;
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

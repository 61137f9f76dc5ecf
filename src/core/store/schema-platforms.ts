/** Tables of what platforms have beside objects: businesses, conversions, creators, webhooks, the way to production. `schema.ts` is where they are imported from. */
import type { ColumnType, Generated } from 'kysely';
import type { AccountGap, AccountNode } from '../connector/accounts-spec.ts';
import type { Json, NullableTimestamp, Timestamp } from './schema-columns.ts';

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

/** Tables of connections: their grants and health, the life of their tokens, flows that are under way. `schema.ts` is where they are imported from. */
import type { ColumnType, Generated } from 'kysely';
import type { Json, NullableTimestamp, Timestamp } from './schema-columns.ts';

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

/** In which environment a token was issued. */
export interface TokenOriginTable {
  /** Hash of platform and token. */
  fingerprint: string;
  environment: string;
  created_at: Timestamp;
}

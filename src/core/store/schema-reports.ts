/** Tables of report jobs and of rows that are kept. `schema.ts` is where they are imported from. */
import type { ColumnType, Generated } from 'kysely';
import type { Json, NullableTimestamp, Timestamp } from './schema-columns.ts';

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

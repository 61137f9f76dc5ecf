import { sql } from 'kysely';
import { type Db, json } from '../schema.ts';

/** Calls of one operation with one outcome in one minute. */
export interface CountedCalls {
  workspace_id: string;
  integration_type: string;
  environment: string;
  operation: string;
  /** Code of the error; empty = done. */
  outcome: string;
  /** Its begin, in ms since 1970. */
  minute: number;
  calls: number;
}

/**
 * Adds to the counters of days and of minutes, to both or to none. Rows of workspaces that were removed meanwhile are left
 * out. The order keeps two nodes from waiting for each other.
 */
export async function addPlatformCalls(db: Db, rows: readonly CountedCalls[]): Promise<void> {
  await sql`with r as (
      select given.workspace_id, integration_type, environment, operation, outcome,
        to_timestamp(minute / 1000.0) as minute, calls
      from jsonb_to_recordset(${json(rows)}::jsonb) as given (workspace_id text, integration_type text, environment text,
        operation text, outcome text, minute bigint, calls bigint)
      join workspaces w on w.id = given.workspace_id),
    days as (
      insert into platform_usage (workspace_id, integration_type, environment, day, operation, outcome, calls)
      select workspace_id, integration_type, environment, (minute at time zone 'UTC')::date, operation, outcome, sum(calls)
      from r group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
      on conflict (workspace_id, integration_type, environment, day, operation, outcome)
      do update set calls = platform_usage.calls + excluded.calls)
    insert into platform_minutes (workspace_id, integration_type, environment, minute, calls)
    select workspace_id, integration_type, environment, minute, sum(calls) from r group by 1, 2, 3, 4 order by 1, 2, 3, 4
    on conflict (workspace_id, integration_type, environment, minute)
    do update set calls = platform_minutes.calls + excluded.calls`.execute(db);
}

/** Calls of one operation in one environment with one outcome. */
export interface UsageTotal {
  environment: string;
  operation: string;
  /** Code of the error; empty = done. */
  outcome: string;
  calls: number;
  /** ISO days. */
  first_day: string;
  last_day: string;
}

/** What a workspace called at one platform, since the day it began. */
export async function usageTotals(db: Db, workspaceId: string, type: string): Promise<UsageTotal[]> {
  const rows = await db
    .selectFrom('platform_usage')
    .select(['environment', 'operation', 'outcome'])
    .select(sql<string>`sum(calls)`.as('calls'))
    .select([sql<string>`min(day)::text`.as('first_day'), sql<string>`max(day)::text`.as('last_day')])
    .where('workspace_id', '=', workspaceId)
    .where('integration_type', '=', type)
    .groupBy(['environment', 'operation', 'outcome'])
    .orderBy('operation')
    .orderBy('environment')
    .orderBy('outcome')
    .execute();
  return rows.map((row) => ({ ...row, calls: Number(row.calls) }));
}

/** Most calls in one minute and in one day, by environment. */
export interface TrafficPeak {
  environment: string;
  per_minute: number;
  per_day: number;
}

export async function trafficPeaks(db: Db, workspaceId: string, type: string): Promise<TrafficPeak[]> {
  const minutes = await db
    .selectFrom('platform_minutes')
    .select('environment')
    .select(sql<string>`max(calls)`.as('most'))
    .where('workspace_id', '=', workspaceId)
    .where('integration_type', '=', type)
    .groupBy('environment')
    .execute();
  const days = await sql<{ environment: string; most: string }>`
    select environment, max(calls) as most from (
      select environment, day, sum(calls) as calls from platform_usage
      where workspace_id = ${workspaceId} and integration_type = ${type} group by environment, day
    ) as daily group by environment`.execute(db);
  return minutes.map(({ environment, most }) => ({
    environment,
    per_minute: Number(most),
    per_day: Number(days.rows.find((row) => row.environment === environment)?.most ?? 0),
  }));
}

/** Deletes what is older (housekeeping). Answers how many rows. */
export async function prunePlatformUsage(db: Db, daysBefore: Date, minutesBefore: Date): Promise<number> {
  const days = await sql`delete from platform_usage where day < ${daysBefore.toISOString().slice(0, 10)}::date`.execute(
    db,
  );
  const minutes = await db.deleteFrom('platform_minutes').where('minute', '<', minutesBefore).executeTakeFirst();
  return Number(days.numAffectedRows ?? 0n) + Number(minutes.numDeletedRows);
}

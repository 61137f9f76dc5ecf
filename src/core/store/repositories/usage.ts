import { sql } from 'kysely';
import { type Db, json } from '../schema.ts';

/** Rows to be added to counters; every member as text, but the count. */
type Counted = Record<string, string | number | undefined>;

// Rows of workspaces that were removed meanwhile are left out. The order keeps two nodes from waiting for each other.
export async function addPlatformUsage(db: Db, rows: readonly Counted[]): Promise<void> {
  await sql`insert into platform_usage (workspace_id, integration_type, environment, operation, outcome, day, calls)
    select r.workspace_id, r.integration_type, r.environment, r.operation, r.outcome, r.day, r.calls
    from jsonb_populate_recordset(null::platform_usage, ${json(rows)}::jsonb) r join workspaces w on w.id = r.workspace_id
    order by 1, 2, 3, 6, 4, 5
    on conflict (workspace_id, integration_type, environment, day, operation, outcome)
    do update set calls = platform_usage.calls + excluded.calls`.execute(db);
}

export async function addPlatformMinutes(db: Db, rows: readonly Counted[]): Promise<void> {
  await sql`insert into platform_minutes (workspace_id, integration_type, environment, minute, calls)
    select r.workspace_id, r.integration_type, r.environment, r.minute, r.calls
    from jsonb_populate_recordset(null::platform_minutes, ${json(rows)}::jsonb) r
      join workspaces w on w.id = r.workspace_id
    order by 1, 2, 3, 4
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

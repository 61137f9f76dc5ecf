import { sql } from 'kysely';
import { newId } from '../ids.ts';
import { type Db, json, type LaunchAnswerRow, type LaunchSnapshot, type LaunchSubmissionRow } from '../schema.ts';

/** What the operator has answered for one platform. */
export function listLaunchAnswers(db: Db, workspaceId: string, type: string): Promise<LaunchAnswerRow[]> {
  return db
    .selectFrom('launch_answers')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('integration_type', '=', type)
    .orderBy('key')
    .execute();
}

/** Stores answers; null takes one back. */
export async function putLaunchAnswers(
  db: Db,
  workspaceId: string,
  type: string,
  answers: Readonly<Record<string, unknown>>,
  by: string,
  now: Date,
): Promise<void> {
  for (const [key, value] of Object.entries(answers)) {
    if (value === null)
      await db
        .deleteFrom('launch_answers')
        .where('workspace_id', '=', workspaceId)
        .where('integration_type', '=', type)
        .where('key', '=', key)
        .execute();
    else {
      const set = { value: json(value), answered_at: now, answered_by: by };
      await db
        .insertInto('launch_answers')
        .values({ workspace_id: workspaceId, integration_type: type, key, ...set })
        .onConflict((conflict) => conflict.columns(['workspace_id', 'integration_type', 'key']).doUpdateSet(set))
        .execute();
    }
  }
}

/** Submissions, newest first. */
export function listLaunchSubmissions(db: Db, workspaceId: string, type: string): Promise<LaunchSubmissionRow[]> {
  return db
    .selectFrom('launch_submissions')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('integration_type', '=', type)
    .orderBy('submitted_at', 'desc')
    .orderBy('id', 'desc')
    .limit(100)
    .execute();
}

/** Notes that the dossier was submitted, with what it stood for. */
export function addLaunchSubmission(
  db: Db,
  workspaceId: string,
  type: string,
  input: { submittedAt: Date; note: string; snapshot: LaunchSnapshot },
): Promise<LaunchSubmissionRow> {
  return db
    .insertInto('launch_submissions')
    .values({
      id: newId(input.submittedAt.getTime()),
      workspace_id: workspaceId,
      integration_type: type,
      submitted_at: input.submittedAt,
      outcome: 'waiting',
      note: input.note,
      snapshot: json(input.snapshot),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Notes how a review ended; undefined when there is no such submission. */
export function decideLaunchSubmission(
  db: Db,
  workspaceId: string,
  id: string,
  outcome: 'approved' | 'refused',
  note: string | undefined,
  now: Date,
): Promise<LaunchSubmissionRow | undefined> {
  return db
    .updateTable('launch_submissions')
    .set({ outcome, outcome_at: now, ...(note === undefined ? {} : { note }) })
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** How often customers went through the connect flow, by environment. */
export async function consentCounts(
  db: Db,
  workspaceId: string,
  type: string,
): Promise<{ environment: string; count: number; last: Date }[]> {
  const { rows } = await sql<{ environment: string; count: string; last: Date }>`
    select (details::jsonb)->>'environment' as environment, count(*) as count, max(at) as last from audit_log
    where workspace_id = ${workspaceId} and action in ('authorizeConnection', 'reauthorizeConnection')
      and outcome = 'ok' and (details::jsonb)->>'integration_type' = ${type}
    group by 1 order by 1`.execute(db);
  return rows.map((row) => ({ ...row, count: Number(row.count), last: new Date(row.last) }));
}

/** How often a grant was found withdrawn, and how many of those connections were called since, by environment. */
export async function revocationCounts(
  db: Db,
  workspaceId: string,
  type: string,
): Promise<{ environment: string; count: number; last: Date }[]> {
  const { rows } = await sql<{ environment: string; count: string; last: Date }>`
    select c.environment, count(*) as count, max(e.created_at) as last
    from events e join connections c on c.id = e.connection_id
    where e.workspace_id = ${workspaceId} and e.type = 'connection.reconnect_required'
      and c.integration_type = ${type}
    group by 1 order by 1`.execute(db);
  return rows.map((row) => ({ ...row, count: Number(row.count), last: new Date(row.last) }));
}

/** Connections of a platform that are in use. */
export async function countConnections(
  db: Db,
  workspaceId: string,
  type: string,
  environment: string,
): Promise<number> {
  const row = await db
    .selectFrom('connections')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('workspace_id', '=', workspaceId)
    .where('integration_type', '=', type)
    .where('environment', '=', environment)
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** What production does not take over: connections elsewhere, and guards for ad accounts that only those reach. */
export async function leftBehind(
  db: Db,
  workspaceId: string,
  type: string,
): Promise<{ connections: { environment: string; count: number }[]; spend_guards: string[] }> {
  const connections = await db
    .selectFrom('connections')
    .select('environment')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('workspace_id', '=', workspaceId)
    .where('integration_type', '=', type)
    .where('environment', '<>', 'production')
    .where('deleted_at', 'is', null)
    .groupBy('environment')
    .orderBy('environment')
    .execute();
  const guards = await sql<{ organization_id: string }>`
    select g.organization_id from spend_guards g
    where g.workspace_id = ${workspaceId} and g.integration_type = ${type} and g.organization_id <> ''
      and not exists (select 1 from connections c where c.workspace_id = g.workspace_id
        and c.integration_type = g.integration_type and c.environment = 'production' and c.deleted_at is null
        and c.account->'organization_ids' ? g.organization_id)
    order by 1`.execute(db);
  return {
    connections: connections.map(({ environment, count }) => ({ environment, count: Number(count) })),
    spend_guards: guards.rows.map((row) => row.organization_id),
  };
}

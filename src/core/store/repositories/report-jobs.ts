import { type SqlBool, sql } from 'kysely';
import { newId } from '../ids.ts';
import {
  type Db,
  json,
  type ReportChunkRow,
  type ReportFormat,
  type ReportJobPlan,
  type ReportJobRow,
  type ReportJobState,
  type ReportRoute,
} from '../schema.ts';
import { type ListOptions, page } from './list.ts';

export interface NewReportJob {
  connection_id: string;
  query: Record<string, string | string[]>;
  format: ReportFormat;
  route: ReportRoute;
  cache: boolean;
  priority: string;
  request_id: string | null;
}

/** Records a job that nobody is at yet. */
export function createReportJob(db: Db, workspaceId: string, input: NewReportJob, now: Date): Promise<ReportJobRow> {
  return db
    .insertInto('report_jobs')
    .values({
      ...input,
      id: newId(now.getTime()),
      workspace_id: workspaceId,
      query: json(input.query),
      state: 'waiting',
      created_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export function getReportJob(db: Db, workspaceId: string, id: string): Promise<ReportJobRow | undefined> {
  return db
    .selectFrom('report_jobs')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** Jobs never change their order, so they sort by `created_at` alone. */
export interface ReportJobFilter extends ListOptions<'created_at'> {
  /** Only of these connections; null = of all. */
  connection_ids?: readonly string[] | null | undefined;
  connection_id?: string | undefined;
  state?: ReportJobState | undefined;
}

export function listReportJobs(db: Db, workspaceId: string, filter: ReportJobFilter): Promise<ReportJobRow[]> {
  const { limit, offset, order } = page(filter);
  let query = db.selectFrom('report_jobs').selectAll().where('workspace_id', '=', workspaceId);
  if (filter.connection_id !== undefined) query = query.where('connection_id', '=', filter.connection_id);
  if (filter.connection_ids !== undefined && filter.connection_ids !== null)
    query = query.where('connection_id', '=', sql<string>`any(${[...filter.connection_ids]}::text[])`);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  return query.orderBy('created_at', order).orderBy('id', order).limit(limit).offset(offset).execute();
}

/**
 * Takes the job that is to be done next: one that waits, or one whose worker is gone. Of several workers each gets
 * another; workspaces with fewer jobs in progress go first. Leases go by the database's clock, which all workers share.
 */
export function claimReportJob(db: Db, holder: string, leaseMs: number, now: Date): Promise<ReportJobRow | undefined> {
  const next = sql<string>`(
    select id from report_jobs as one
    where (state = 'waiting' and (run_after is null or run_after <= ${now}))
       or (state = 'running' and lease_until < now())
    order by (select count(*) from report_jobs as other
              where other.workspace_id = one.workspace_id and other.state = 'running' and other.lease_until >= now()),
             created_at, id
    limit 1 for update skip locked)`;
  return db
    .updateTable('report_jobs')
    .set({
      state: 'running',
      holder,
      lease_until: sql<Date>`now() + ${leaseMs} * interval '1 millisecond'`,
      started_at: sql<Date>`coalesce(started_at, ${now})`,
      run_after: null,
      attempts: sql<number>`attempts + 1`,
    })
    .where('id', '=', next)
    .returningAll()
    .executeTakeFirst();
}

/** Holds on to a job. False = it is somebody else's now, or gone. */
export async function renewReportJob(
  db: Db,
  id: string,
  holder: string,
  leaseMs: number,
): Promise<{ cancel: boolean } | undefined> {
  const row = await db
    .updateTable('report_jobs')
    .set({ lease_until: sql<Date>`now() + ${leaseMs} * interval '1 millisecond'` })
    .where('id', '=', id)
    .where('holder', '=', holder)
    .where('state', '=', 'running')
    .returning('cancel_asked')
    .executeTakeFirst();
  return row === undefined ? undefined : { cancel: row.cancel_asked };
}

/** Members that change while a worker is at a job. */
export interface ReportJobEnd {
  state: ReportJobState;
  run_after?: Date | null;
  error?: Record<string, unknown> | null;
  file?: string | null;
  rows?: number | null;
  bytes?: number | null;
  finished_at?: Date | null;
  expires_at?: Date | null;
}

/** Writes how a run ended. False = the job is no longer this worker's. */
export async function endReportJob(db: Db, id: string, holder: string, end: ReportJobEnd): Promise<boolean> {
  const { error, ...rest } = end;
  const row = await db
    .updateTable('report_jobs')
    .set({
      ...rest,
      ...(error === undefined ? {} : { error: error === null ? null : json(error) }),
      holder: null,
      lease_until: null,
    })
    .where('id', '=', id)
    .where('holder', '=', holder)
    .where('state', '=', 'running')
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Gives a job back that was not finished, without counting the run against it: the worker stops. */
export async function releaseReportJob(db: Db, id: string, holder: string): Promise<void> {
  await db
    .updateTable('report_jobs')
    .set({ state: 'waiting', holder: null, lease_until: null, attempts: sql<number>`greatest(attempts - 1, 0)` })
    .where('id', '=', id)
    .where('holder', '=', holder)
    .where('state', '=', 'running')
    .execute();
}

/** Takes every job from its worker: for a process that knows that there is no other. */
export async function freeReportJobs(db: Db): Promise<void> {
  await db
    .updateTable('report_jobs')
    .set({ state: 'waiting', holder: null, lease_until: null })
    .where('state', '=', 'running')
    .execute();
}

/** Asks whoever is at the job to stop; one that nobody is at is canceled at once. */
export function cancelReportJob(db: Db, workspaceId: string, id: string, now: Date): Promise<ReportJobRow | undefined> {
  const idle = sql<SqlBool>`(state = 'waiting' or lease_until < now())`;
  return db
    .updateTable('report_jobs')
    .set({
      cancel_asked: true,
      finished_at: sql<Date | null>`case when ${idle} then ${now} else finished_at end`,
      state: sql<ReportJobState>`case when ${idle} then 'canceled' else state end`,
    })
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .where('state', 'in', ['waiting', 'running'])
    .returningAll()
    .executeTakeFirst();
}

/** Removes a job that is over. Answers its row, for its files. */
export function removeReportJob(db: Db, workspaceId: string, id: string): Promise<ReportJobRow | undefined> {
  return db
    .deleteFrom('report_jobs')
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .where('state', 'not in', ['waiting', 'running'])
    .returningAll()
    .executeTakeFirst();
}

/** Writes what a job is about, once: its plan and its pieces. */
export async function planReportJob(
  db: Db,
  id: string,
  holder: string,
  plan: ReportJobPlan,
  chunks: readonly Omit<ReportChunkRow, 'job_id' | 'task_failures'>[],
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const row = await trx
      .updateTable('report_jobs')
      .set({ plan: json(plan) })
      .where('id', '=', id)
      .where('holder', '=', holder)
      .where('state', '=', 'running')
      .where('plan', 'is', null)
      .returning('id')
      .executeTakeFirst();
    if (row === undefined) return false;
    // Postgres takes 65,535 parameters in one statement.
    for (let from = 0; from < chunks.length; from += 2_000)
      await trx
        .insertInto('report_chunks')
        .values(chunks.slice(from, from + 2_000).map((chunk) => ({ ...chunk, job_id: id })))
        .execute();
    return true;
  });
}

export function listReportChunks(db: Db, jobId: string): Promise<ReportChunkRow[]> {
  return db.selectFrom('report_chunks').selectAll().where('job_id', '=', jobId).orderBy('number').execute();
}

/** Changes a piece of a job. */
export async function updateReportChunk(
  db: Db,
  jobId: string,
  number: number,
  change: Partial<Omit<ReportChunkRow, 'job_id' | 'number'>>,
): Promise<void> {
  await db.updateTable('report_chunks').set(change).where('job_id', '=', jobId).where('number', '=', number).execute();
}

/** How far a job is. */
export interface ReportProgress {
  chunks: number;
  done: number;
  reused: number;
  rows: number;
  /** How rows came, as far as they have. */
  routes: readonly string[];
}

/** Progress of several jobs by id. Jobs that are not planned yet have none. */
export async function reportProgress(db: Db, jobIds: readonly string[]): Promise<Map<string, ReportProgress>> {
  if (jobIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('report_chunks')
    .select((of) => [
      'job_id',
      of.fn.countAll().as('chunks'),
      sql<string>`count(*) filter (where state = 'done')`.as('done'),
      sql<string>`count(*) filter (where reused)`.as('reused'),
      sql<string>`coalesce(sum(rows), 0)`.as('rows'),
      sql<string | null>`string_agg(distinct route, ',' order by route)`.as('routes'),
    ])
    .where('job_id', 'in', [...jobIds])
    .groupBy('job_id')
    .execute();
  return new Map(
    rows.map((row) => [
      row.job_id,
      {
        chunks: Number(row.chunks),
        done: Number(row.done),
        reused: Number(row.reused),
        rows: Number(row.rows),
        routes: (row.routes ?? '').split(',').filter((name) => name !== ''),
      },
    ]),
  );
}

/** Jobs by state, for metrics. */
export async function countReportJobs(db: Db): Promise<Record<ReportJobState, number>> {
  const rows = await db
    .selectFrom('report_jobs')
    .select((of) => ['state', of.fn.countAll().as('count')])
    .groupBy('state')
    .execute();
  const counts: Record<ReportJobState, number> = { waiting: 0, running: 0, done: 0, failed: 0, canceled: 0 };
  for (const { state, count } of rows) counts[state] = Number(count);
  return counts;
}

/** Jobs whose results are to be removed, and those that ended without one before `before`. Removed; answers their files. */
export async function pruneReportJobs(db: Db, now: Date, before: Date): Promise<string[]> {
  const rows = await db
    .deleteFrom('report_jobs')
    .where('state', 'not in', ['waiting', 'running'])
    .where((where) => where.or([where('expires_at', '<=', now), where('finished_at', '<=', before)]))
    .returning('file')
    .execute();
  return rows.flatMap(({ file }) => (file === null ? [] : [file]));
}

/** When an app was refused report tasks, if that was after `since`. */
export async function findReportRefusal(
  db: Db,
  key: { platform: string; environment: string; app: string },
  since: Date,
): Promise<{ code: string; refused_at: Date } | undefined> {
  return db
    .selectFrom('report_refusals')
    .select(['code', 'refused_at'])
    .where('platform', '=', key.platform)
    .where('environment', '=', key.environment)
    .where('app', '=', key.app)
    .where('refused_at', '>', since)
    .executeTakeFirst();
}

/** Remembers that an app was refused report tasks. */
export async function noteReportRefusal(
  db: Db,
  key: { platform: string; environment: string; app: string },
  code: string,
  now: Date,
): Promise<void> {
  await db
    .insertInto('report_refusals')
    .values({ ...key, code, refused_at: now })
    .onConflict((conflict) =>
      conflict.columns(['platform', 'environment', 'app']).doUpdateSet({ code, refused_at: now }),
    )
    .execute();
}

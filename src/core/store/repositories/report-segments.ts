import { sql } from 'kysely';
import { type Db, json, type ReportSegmentRow } from '../schema.ts';

export interface NewReportSegment {
  id: string;
  workspace_id: string;
  connection_id: string;
  organization_id: string;
  key: string;
  start_date: string;
  end_date: string;
  file: string;
  rows: number;
  bytes: number;
  kept: boolean;
  checks: Record<string, string> | null;
}

/** Records the rows of a piece of a job, and the piece as done, in one transaction. */
export async function finishReportChunk(
  db: Db,
  chunk: { job_id: string; number: number; route: 'tasks' | 'calls' },
  segment: NewReportSegment,
  now: Date,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx
      .insertInto('report_segments')
      .values({
        ...segment,
        checks: segment.checks === null ? null : json(segment.checks),
        read_at: now,
        used_at: now,
      })
      .execute();
    await trx
      .updateTable('report_chunks')
      .set({ state: 'done', segment_id: segment.id, rows: segment.rows, route: chunk.route, task_id: null })
      .where('job_id', '=', chunk.job_id)
      .where('number', '=', chunk.number)
      .execute();
    // What was finished is a sign that the job gets on.
    await trx.updateTable('report_jobs').set({ attempts: 0 }).where('id', '=', chunk.job_id).execute();
  });
}

/** Segments that hold rows of these days under one key, newest first. */
export function findKeptSegments(
  db: Db,
  key: string,
  days: { start: string; end: string },
  readSince: Date,
): Promise<ReportSegmentRow[]> {
  return db
    .selectFrom('report_segments')
    .selectAll()
    .where('key', '=', key)
    .where('kept', '=', true)
    .where('start_date', '<=', days.end)
    .where('end_date', '>=', days.start)
    .where('read_at', '>', readSince)
    .orderBy('read_at', 'desc')
    .orderBy('id')
    .execute();
}

export function getReportSegments(db: Db, ids: readonly string[]): Promise<ReportSegmentRow[]> {
  if (ids.length === 0) return Promise.resolve([]);
  return db
    .selectFrom('report_segments')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute();
}

/** Notes that kept rows were used, so that others are given up first. */
export async function touchReportSegments(db: Db, ids: readonly string[], now: Date): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable('report_segments')
    .set({ used_at: now })
    .where('id', 'in', [...ids])
    .execute();
}

/** Rows that no later report may use: those that were read of a connection, or some by id. Jobs under way keep theirs. */
export async function forgetKeptSegments(
  db: Db,
  which: { connection_id: string } | { ids: readonly string[] },
): Promise<number> {
  let query = db.updateTable('report_segments').set({ kept: false }).where('kept', '=', true);
  if ('connection_id' in which) query = query.where('connection_id', '=', which.connection_id);
  else if (which.ids.length === 0) return 0;
  else query = query.where('id', 'in', [...which.ids]);
  const { numUpdatedRows } = await query.executeTakeFirst();
  return Number(numUpdatedRows);
}

/** True while no unfinished job needs the segment. */
const unused = sql<boolean>`not exists (
  select 1 from report_chunks join report_jobs on report_jobs.id = report_chunks.job_id
  where report_chunks.segment_id = report_segments.id and report_jobs.state in ('waiting', 'running'))`;

/**
 * Removes segments that nobody needs: those not kept, those of connections that are gone, those read before `readBefore`,
 * and of the rest the least recently used until `maxBytes` are left. Answers their files.
 */
export async function pruneReportSegments(db: Db, readBefore: Date, maxBytes: number): Promise<string[]> {
  const gone = await db
    .deleteFrom('report_segments')
    .where((where) =>
      where.or([
        where('kept', '=', false),
        where('read_at', '<=', readBefore),
        sql<boolean>`not exists (select 1 from connections where connections.id = report_segments.connection_id
                                 and connections.deleted_at is null)`,
      ]),
    )
    .where(unused)
    .returning('file')
    .execute();
  const over = await sql<{ id: string }>`
    select id from (
      select id, sum(bytes) over (order by used_at desc, id) as held from report_segments where kept
    ) as ranked where held > ${maxBytes}`.execute(db);
  const ids = over.rows.map(({ id }) => id);
  if (ids.length > 0)
    gone.push(
      ...(await db.deleteFrom('report_segments').where('id', 'in', ids).where(unused).returning('file').execute()),
    );
  return gone.map(({ file }) => file);
}

/** Which of these files have a row. */
export async function knownReportFiles(db: Db, files: readonly string[]): Promise<Set<string>> {
  if (files.length === 0) return new Set();
  const names = sql<string>`any(${[...files]}::text[])`;
  const [segments, jobs] = await Promise.all([
    db.selectFrom('report_segments').select('file').where('file', '=', names).execute(),
    db.selectFrom('report_jobs').select('file').where('file', '=', names).execute(),
  ]);
  return new Set([...segments, ...jobs].flatMap(({ file }) => (file === null ? [] : [file])));
}

/** Bytes of kept rows, for metrics. */
export async function keptReportBytes(db: Db): Promise<number> {
  const row = await db
    .selectFrom('report_segments')
    .select((of) => of.fn.sum('bytes').as('bytes'))
    .where('kept', '=', true)
    .executeTakeFirst();
  return Number(row?.bytes ?? 0);
}

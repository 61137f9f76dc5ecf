/** Report jobs as callers see them: ask for one, look at it, cancel it, fetch its result. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Scope } from '../calls/scope.ts';
import type { Clock } from '../clock.ts';
import { PolyadError } from '../errors/index.ts';
import { daysBetween } from '../model/time.ts';
import type { ReportService } from '../reports/service.ts';
import type { Store } from '../store/port.ts';
import {
  cancelReportJob,
  countReportJobs,
  createReportJob,
  getReportJob,
  keptReportBytes,
  knownReportFiles,
  listReportJobs,
  pruneReportJobs,
  pruneReportSegments,
  type ReportJobFilter,
  type ReportProgress,
  removeReportJob,
  reportProgress,
} from '../store/repositories/index.ts';
import type { ReportFormat, ReportJobRow, ReportJobState, ReportRoute } from '../store/schema.ts';
import type { ReportFiles } from './files.ts';
import { FORMATS } from './formats-table.ts';
import { REPORT_JOB_NEWS } from './runner.ts';
import { jobQuery } from './work.ts';

/** Longest window of a job, in days: some eleven years. */
const MAX_DAYS = 4_000;
/** Rows kept of closed days are read again after so long, in ms. */
const SEGMENT_AGE_MS = 30 * 86_400_000;

export interface ReportJobOptions {
  query: Record<string, string | string[]>;
  format: ReportFormat;
  route: ReportRoute;
  cache: boolean;
}

/** A job with how far it is. */
export interface ReportJob {
  row: ReportJobRow;
  progress: ReportProgress | undefined;
}

export interface ReportJobsParts {
  store: Store;
  reports: ReportService;
  files: ReportFiles;
  clock: Clock;
  /** How long jobs and their results are kept, in ms. */
  keepMs: number;
  /** Most bytes of rows of closed days. */
  cacheBytes: number;
}

/** A result, or a part of it, to be sent. */
export interface ReportResult {
  job: ReportJobRow;
  type: string;
  /** Name to save it under. */
  name: string;
  size: number;
  /** Bytes from `start` to `end`, both included. */
  open(start: number, end: number): Readable;
}

export class ReportJobs {
  readonly #parts: ReportJobsParts;

  constructor(parts: ReportJobsParts) {
    this.#parts = parts;
  }

  /**
   * Records a job. Everything that can be checked without reading the report is checked now.
   *
   * @throws PolyadError what a list of reports refuses
   */
  async create(scope: Scope, { query, format, route, cache }: ReportJobOptions): Promise<ReportJob> {
    const { store, reports, clock } = this.#parts;
    const parsed = jobQuery(query);
    if (parsed.fields !== undefined && format !== 'ndjson')
      throw new PolyadError('input_invalid', {
        message: '`fields` chooses members of JSON rows; a table has one column for each metric asked for.',
        details: { issues: [{ path: 'query.fields', reason: 'goes with format ndjson alone' }] },
      });
    const { parts } = await reports.prepare(scope, parsed);
    if (parts.length === 0)
      throw new PolyadError('organization_unknown', { message: 'This connection reaches no ad account to report on.' });
    for (const { plan } of parts)
      if (daysBetween(plan.startDate, plan.endDate) >= MAX_DAYS)
        throw new PolyadError('input_invalid', {
          message: `A report job covers at most ${MAX_DAYS} days.`,
          details: { issues: [{ path: 'query.start_gte', reason: `at most ${MAX_DAYS} days before end_lt` }] },
        });
    const row = await createReportJob(
      store.db,
      scope.workspace.id,
      {
        ...{ query, format, route },
        connection_id: scope.connection.id,
        cache: cache && this.#parts.cacheBytes > 0,
        priority: scope.priority ?? 'backfill',
        request_id: scope.requestId,
      },
      clock.now(),
    );
    await store.publishInvalidation(REPORT_JOB_NEWS, row.id);
    return { row, progress: undefined };
  }

  /** @throws PolyadError `report_job_not_found` */
  async get(workspaceId: string, id: string): Promise<ReportJob> {
    const { db } = this.#parts.store;
    const row = await getReportJob(db, workspaceId, id);
    if (row === undefined) throw notFound(id);
    return { row, progress: (await reportProgress(db, [row.id])).get(row.id) };
  }

  async list(workspaceId: string, filter: ReportJobFilter): Promise<ReportJob[]> {
    const { db } = this.#parts.store;
    const rows = await listReportJobs(db, workspaceId, filter);
    const progress = await reportProgress(
      db,
      rows.map(({ id }) => id),
    );
    return rows.map((row) => ({ row, progress: progress.get(row.id) }));
  }

  /**
   * Asks a job to stop. Whoever is at it stops within seconds.
   *
   * @throws PolyadError `report_job_not_found`, `report_job_over`
   */
  async cancel(workspaceId: string, id: string): Promise<ReportJob> {
    const { store, clock } = this.#parts;
    const canceled = await cancelReportJob(store.db, workspaceId, id, clock.now());
    if (canceled !== undefined) await store.publishInvalidation(REPORT_JOB_NEWS, id);
    const job = await this.get(workspaceId, id);
    if (canceled === undefined && job.row.state !== 'canceled')
      throw new PolyadError('report_job_over', { details: { state: job.row.state } });
    return job;
  }

  /**
   * Removes a job that is over, with its result.
   *
   * @throws PolyadError `report_job_not_found`, `report_job_running`
   */
  async remove(workspaceId: string, id: string): Promise<void> {
    const { store, files } = this.#parts;
    const row = await removeReportJob(store.db, workspaceId, id);
    if (row === undefined) {
      const { row: present } = await this.get(workspaceId, id);
      throw new PolyadError('report_job_running', { details: { state: present.state } });
    }
    if (row.file !== null) await files.remove([row.file]);
  }

  /**
   * The result of a job.
   *
   * @throws PolyadError `report_job_not_found`, `report_job_not_ready`, `report_job_expired`, `report_result_missing`
   */
  async result(workspaceId: string, id: string): Promise<ReportResult> {
    const { files, clock } = this.#parts;
    const { row } = await this.get(workspaceId, id);
    if (row.state !== 'done' || row.file === null)
      throw new PolyadError('report_job_not_ready', {
        message:
          row.state === 'failed' || row.state === 'canceled'
            ? `The job was ${row.state === 'failed' ? 'not finished: see its `error`' : 'canceled'}; there is no result.`
            : 'The job is not done yet.',
        details: { state: row.state },
        ...(row.state === 'waiting' || row.state === 'running' ? { retryAfterMs: 5_000 } : {}),
      });
    if (row.expires_at !== null && row.expires_at <= clock.now()) throw new PolyadError('report_job_expired');
    const { file } = row;
    const size = await files.size(file);
    if (size === undefined || size !== row.bytes) throw new PolyadError('report_result_missing');
    return {
      job: row,
      size,
      type: FORMATS[row.format].type,
      name: `report-${row.id}.${FORMATS[row.format].ending}`,
      open: (start, end) => createReadStream(files.path(file), { start, end }),
    };
  }

  /** Removes what is past its time: results, rows of closed days beyond the limit, files that nothing knows of. */
  async tidy(): Promise<{ files: number }> {
    const { store, files, clock, keepMs, cacheBytes } = this.#parts;
    const now = clock.now();
    const gone = [
      ...(await pruneReportJobs(store.db, now, new Date(now.getTime() - keepMs))),
      ...(await pruneReportSegments(store.db, new Date(now.getTime() - SEGMENT_AGE_MS), cacheBytes)),
    ];
    const old = await files.old(Date.now());
    const known = await knownReportFiles(store.db, old);
    gone.push(...old.filter((name) => !known.has(name)));
    await files.remove(gone);
    return { files: gone.length };
  }

  /** Jobs by state. */
  counts(): Promise<Record<ReportJobState, number>> {
    return countReportJobs(this.#parts.store.db);
  }

  /** Bytes of rows kept of closed days. */
  keptBytes(): Promise<number> {
    return keptReportBytes(this.#parts.store.db);
  }
}

const notFound = (id: string): PolyadError =>
  new PolyadError('report_job_not_found', { details: { id: id.slice(0, 64) } });

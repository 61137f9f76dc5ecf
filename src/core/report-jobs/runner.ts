/**
 * Does report jobs: takes one, reads its pieces, makes the result. Several workers share the jobs by leases in the
 * database; a worker that is killed loses its lease, and another goes on after the last piece that was finished.
 */
import { Meter, type Scope } from '../calls/scope.ts';
import { asPolyadError, errorBody, PolyadError } from '../errors/index.ts';
import { PRIORITIES, type Priority } from '../pacing/bucket.ts';
import type { ReportService } from '../reports/service.ts';
import { newId } from '../store/ids.ts';
import type { Store, StoreLog } from '../store/port.ts';
import {
  appendEvent,
  claimReportJob,
  endReportJob,
  freeReportJobs,
  getConnection,
  getReportSegments,
  getWorkspace,
  listReportChunks,
  planReportJob,
  releaseReportJob,
  renewReportJob,
  updateReportChunk,
} from '../store/repositories/index.ts';
import type { ReportChunkRow, ReportJobRow } from '../store/schema.ts';
import { type ChunkParts, ChunkReader, planChunks } from './chunks.ts';
import { storageError } from './files.ts';
import type { FinishInput } from './finish.ts';
import { finishInThread } from './finish-thread.ts';
import { FORMATS } from './formats-table.ts';
import { cancelTasks } from './tasks.ts';
import { type JobWork, jobQuery, partOf, workOf } from './work.ts';

/** Jobs of one process at a time. */
const JOBS_AT_ONCE = 2;
/** Pieces of one job at a time: several tasks are in the platform's queue, several windows under way. */
const CHUNKS_AT_ONCE = 4;
/** A job is taken over when its worker has not been heard of for so long, in ms. */
const LEASE_MS = 20_000;
const RENEW_MS = 5_000;
/** How often work is looked for when nobody tells of any, in ms of the machine. */
const LOOK_MS = 10_000;
/** Runs without a finished piece after which a job has failed. */
const MAX_ATTEMPTS = 10;
/** Pause after a failure that may pass: doubled with each, up to the longest. */
const PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 10 * 60_000;
/** How long one platform call of a job may wait for its turn: nobody looks at the clock. */
const PATIENCE_MS = 15 * 60_000;

/** What the announcement of new work is called among invalidations. */
export const REPORT_JOB_NEWS = 'report_job';

export interface RunnerParts extends Omit<ChunkParts, 'db' | 'log' | 'got'> {
  store: Store;
  reports: ReportService;
  log: StoreLog;
  /** How long results are kept, in ms. */
  keepMs: number;
  /** Told of calls with a customer's credentials. */
  used?(use: { workspaceId: string; connectionId: string; purpose: 'report'; count: number }): void;
}

/** What a process has done since it began, for metrics. */
export interface RunnerCounts {
  jobs: Record<'done' | 'failed' | 'canceled', number>;
  pieces: Record<'tasks' | 'calls' | 'kept', number>;
  rows: number;
}

class Canceled extends Error {}
class LeaseLost extends Error {}

export class ReportRunner {
  readonly counts: RunnerCounts = {
    jobs: { done: 0, failed: 0, canceled: 0 },
    pieces: { tasks: 0, calls: 0, kept: 0 },
    rows: 0,
  };
  readonly #parts: RunnerParts;
  readonly #chunkParts: ChunkParts;
  /** Loops that wait for work. */
  readonly #idle = new Set<() => void>();
  /** Announcements of work so far. */
  #news = 0;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    const { clock, files, appOf, log, store } = parts;
    this.#chunkParts = {
      ...{ clock, files, appOf, log, db: store.db },
      got: (route, rows) => {
        this.counts.pieces[route] += 1;
        if (route !== 'kept') this.counts.rows += rows;
      },
    };
  }

  /** Does every job that can be done now. Answers how many were taken. */
  async run(signal: AbortSignal): Promise<number> {
    let taken = 0;
    while (!signal.aborted) {
      // Each run is a holder of its own, so that no two of this process take themselves for one.
      const job = await claimReportJob(this.#parts.store.db, newId(), LEASE_MS, this.#parts.clock.now());
      if (job === undefined) break;
      taken += 1;
      await this.#job(job, signal);
    }
    return taken;
  }

  /** Looks for work until the function it answers is called; that resolves when nothing is under way any more. */
  start(): () => Promise<void> {
    const stopping = new AbortController();
    const unlisten = this.#parts.store.listenInvalidations((news) => {
      if (news.event !== 'changed' || news.kind === REPORT_JOB_NEWS) this.#wake();
    });
    const { store, log } = this.#parts;
    // The embedded database serves one process alone: whoever had jobs in it is gone.
    const freed =
      store.engine === 'pglite'
        ? freeReportJobs(store.db).catch((error: unknown) =>
            log.warn({ err: error }, 'jobs could not be taken up again'),
          )
        : Promise.resolve();
    const loops = Array.from({ length: JOBS_AT_ONCE }, () => this.#loop(stopping.signal, freed));
    return async () => {
      stopping.abort(new Error('the server stops'));
      this.#wake();
      unlisten();
      await Promise.all(loops);
    };
  }

  async #loop(signal: AbortSignal, first: Promise<unknown>): Promise<void> {
    await first;
    while (!signal.aborted) {
      const heard = this.#news;
      try {
        await this.run(signal);
      } catch (error) {
        if (!signal.aborted) this.#parts.log.warn({ err: error }, 'report jobs could not be looked for; tried again');
      }
      if (signal.aborted) return;
      // Announced while this loop looked, so perhaps not seen.
      if (this.#news !== heard) continue;
      await new Promise<void>((resolve) => {
        const go = (): void => {
          clearTimeout(timer);
          this.#idle.delete(go);
          resolve();
        };
        const timer = setTimeout(go, LOOK_MS * (0.8 + Math.random() * 0.4));
        timer.unref();
        this.#idle.add(go);
      });
    }
  }

  #wake(): void {
    this.#news += 1;
    for (const go of this.#idle) go();
  }

  async #job(job: ReportJobRow, stopping: AbortSignal): Promise<void> {
    const { store, log } = this.#parts;
    const ending = new AbortController();
    const signal = AbortSignal.any([stopping, ending.signal]);
    const renew = (): void => {
      renewReportJob(store.db, job.id, job.holder as string, LEASE_MS).then(
        (held) => {
          if (held === undefined) ending.abort(new LeaseLost('the job is somebody else’s'));
          else if (held.cancel) ending.abort(new Canceled('canceled'));
        },
        (error: unknown) => log.warn({ err: error, job: job.id }, 'the lease of a report job could not be renewed'),
      );
    };
    const lease = setInterval(renew, RENEW_MS);
    // Somebody asks it to stop, perhaps.
    const unlisten = store.listenInvalidations((news) => {
      if (news.event === 'changed' && news.kind === REPORT_JOB_NEWS && news.id === job.id) renew();
    });
    const meter = new Meter();
    try {
      if (job.cancel_asked) throw new Canceled('canceled');
      await this.#work(job, signal, meter);
    } catch (error) {
      await this.#failed(job, error, ending.signal, stopping).catch((failure: unknown) =>
        log.warn({ err: failure, job: job.id }, 'how a report job ended could not be written'),
      );
    } finally {
      clearInterval(lease);
      unlisten();
      const { workspace_id: workspaceId, connection_id: connectionId } = job;
      if (meter.calls > 0) this.#parts.used?.({ workspaceId, connectionId, purpose: 'report', count: meter.calls });
    }
  }

  async #open(job: ReportJobRow, signal: AbortSignal, meter: Meter): Promise<JobWork> {
    const { db } = this.#parts.store;
    const workspace = await getWorkspace(db, job.workspace_id);
    const connection = await getConnection(db, job.workspace_id, job.connection_id);
    if (workspace === undefined || connection === undefined)
      throw new PolyadError('connection_not_found', { details: { connection_id: job.connection_id } });
    const scope: Scope = {
      ...{ workspace, connection, signal, meter },
      requestId: job.request_id ?? job.id,
      priority: PRIORITIES.find((one): one is Priority => one === job.priority) ?? 'backfill',
      patienceMs: PATIENCE_MS,
    };
    const query = jobQuery(job.query);
    const fixed =
      job.plan === null ? undefined : { at: new Date(job.plan.planned_at), organizations: job.plan.organizations };
    return workOf(job, scope, query, await this.#parts.reports.prepare(scope, query, fixed));
  }

  async #work(job: ReportJobRow, signal: AbortSignal, meter: Meter): Promise<void> {
    const { store } = this.#parts;
    const work = await this.#open(job, signal, meter);
    const reader = new ChunkReader(this.#chunkParts, work);
    if (job.plan === null) {
      const plan = {
        planned_at: work.prepared.at.toISOString(),
        organizations: [...work.parts.values()].map(({ organization }) => organization),
      };
      const chunks = await planChunks(this.#chunkParts, work, reader);
      if (!(await planReportJob(store.db, job.id, job.holder as string, plan, chunks)))
        throw new LeaseLost('the job is somebody else’s');
    }
    let chunks = await this.#whole(job);
    while (chunks.some(({ state }) => state === 'waiting')) {
      await this.#read(
        reader,
        chunks.filter(({ state }) => state === 'waiting'),
        signal,
      );
      chunks = await this.#whole(job);
    }
    await this.#finish(work, chunks, signal);
  }

  /** The pieces of a job; those whose file this node does not have are to be read again. */
  async #whole(job: ReportJobRow): Promise<ReportChunkRow[]> {
    const { store, files } = this.#parts;
    const chunks = await listReportChunks(store.db, job.id);
    const segments = await getReportSegments(store.db, ids(chunks));
    const sizes = new Map<string, boolean>();
    for (const { id, file, bytes } of segments) sizes.set(id, (await files.size(file)) === bytes);
    for (const chunk of chunks) {
      if (chunk.state !== 'done' || sizes.get(chunk.segment_id ?? '') === true) continue;
      Object.assign(chunk, { state: 'waiting', segment_id: null, reused: false, rows: null });
      await updateReportChunk(store.db, job.id, chunk.number, {
        ...{ state: 'waiting', segment_id: null, reused: false, rows: null },
      });
    }
    return chunks;
  }

  /** Reads pieces side by side. After a failure no other is begun; those under way are finished first. */
  async #read(reader: ChunkReader, waiting: ReportChunkRow[], signal: AbortSignal): Promise<void> {
    const queue = [...waiting];
    const failures: unknown[] = [];
    const lane = async (): Promise<void> => {
      for (let chunk = queue.shift(); chunk !== undefined; chunk = queue.shift()) {
        if (signal.aborted || failures.length > 0) return;
        try {
          await reader.read(chunk);
        } catch (error) {
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: CHUNKS_AT_ONCE }, lane));
    signal.throwIfAborted();
    if (failures.length > 0) throw failures[0];
  }

  async #finish(work: JobWork, chunks: readonly ReportChunkRow[], signal: AbortSignal): Promise<void> {
    const { store, files, clock, keepMs, log } = this.#parts;
    const { job, query, prepared } = work;
    const segments = new Map((await getReportSegments(store.db, ids(chunks))).map((one) => [one.id, one]));
    const name = `${job.id}.${FORMATS[job.format].ending}`;
    const input: FinishInput = {
      format: job.format,
      path: await files.partPath(name),
      metrics: prepared.spec.metrics,
      ...(query.fields === undefined ? {} : { fields: query.fields.paths }),
      withRaw: query.fields?.wants('raw') === true,
      reports: [...work.parts.keys()].map((id) => {
        const { plan, organization } = partOf(work, id);
        return {
          organization,
          // What cannot be handed to a thread has been applied when the rows were written.
          plan: {
            ...plan,
            dimensions: plan.dimensions.map(({ name: unified, native }) => ({ name: unified, native })),
          },
          parts: chunks
            .filter(({ organization_id }) => organization_id === id)
            .map((chunk) => {
              const segment = segments.get(chunk.segment_id ?? '');
              if (segment === undefined) throw new Error('rows of a report job went missing');
              const whole = segment.start_date === chunk.start_date && segment.end_date === chunk.end_date;
              const days = { start: chunk.start_date, end: chunk.end_date };
              return { path: files.path(segment.file), ...(whole ? {} : { days }) };
            }),
        };
      }),
    };
    let rows: number;
    let bytes: number;
    try {
      ({ rows } = await finishInThread(input, signal));
      bytes = await files.settle(name);
    } catch (error) {
      signal.throwIfAborted();
      throw /^E[A-Z]+$/.test(String((error as NodeJS.ErrnoException).code)) ? storageError(error) : error;
    }
    const now = clock.now();
    const end = { file: name, rows, bytes, finished_at: now, expires_at: new Date(now.getTime() + keepMs) };
    if (!(await endReportJob(store.db, job.id, job.holder as string, { state: 'done', error: null, ...end })))
      throw new LeaseLost('the job is somebody else’s');
    this.counts.jobs.done += 1;
    log.info({ job: job.id, rows, bytes }, 'a report job is done');
    await this.#tell(job, 'report_job.done', { rows, bytes });
  }

  async #failed(job: ReportJobRow, thrown: unknown, ended: AbortSignal, stopping: AbortSignal): Promise<void> {
    const { store, clock, log } = this.#parts;
    const reason: unknown = ended.aborted ? ended.reason : thrown;
    if (reason instanceof LeaseLost) return;
    const now = clock.now();
    if (reason instanceof Canceled) {
      await this.#cancel(job);
      if (await endReportJob(store.db, job.id, job.holder as string, { state: 'canceled', finished_at: now }))
        this.counts.jobs.canceled += 1;
      return;
    }
    if (stopping.aborted) return releaseReportJob(store.db, job.id, job.holder as string);
    const error = asPolyadError(thrown);
    if (error.code === 'internal') log.error({ err: thrown, job: job.id }, 'a report job failed unexpectedly');
    const body = errorBody(error, job.request_id ?? job.id) as unknown as Record<string, unknown>;
    // Rows finished in this run have set the count back.
    const { attempts } = (await store.db
      .selectFrom('report_jobs')
      .select('attempts')
      .where('id', '=', job.id)
      .executeTakeFirst()) ?? { attempts: MAX_ATTEMPTS };
    if (error.retry !== 'never' && attempts < MAX_ATTEMPTS) {
      const pause = Math.max(error.retryAfterMs ?? 0, Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** attempts));
      log.warn({ job: job.id, code: error.code, pause_ms: pause }, 'a report job pauses');
      const run_after = new Date(now.getTime() + pause);
      await endReportJob(store.db, job.id, job.holder as string, { state: 'waiting', run_after, error: body });
      return;
    }
    if (
      await endReportJob(store.db, job.id, job.holder as string, { state: 'failed', error: body, finished_at: now })
    ) {
      this.counts.jobs.failed += 1;
      await this.#tell(job, 'report_job.failed', { code: error.code });
    }
  }

  /** Gives up the platform's tasks of a canceled job. Best effort: they harm nobody. */
  async #cancel(job: ReportJobRow): Promise<void> {
    const chunks = (await listReportChunks(this.#parts.store.db, job.id)).filter(({ task_id }) => task_id !== null);
    if (chunks.length === 0) return;
    try {
      const signal = AbortSignal.timeout(30_000);
      const meter = new Meter();
      const row = { ...job, plan: job.plan ?? (await this.#planOf(job)) };
      await cancelTasks(await this.#open(row, signal, meter), chunks);
    } catch (error) {
      this.#parts.log.warn({ err: error, job: job.id }, 'the platform’s tasks of a canceled job go on');
    }
  }

  async #planOf(job: ReportJobRow): Promise<ReportJobRow['plan']> {
    const { db } = this.#parts.store;
    return (
      (await db.selectFrom('report_jobs').select('plan').where('id', '=', job.id).executeTakeFirst())?.plan ?? null
    );
  }

  async #tell(job: ReportJobRow, type: string, facts: Record<string, unknown>): Promise<void> {
    const event = { type, connection_id: job.connection_id, payload: { report_job_id: job.id, ...facts } };
    await appendEvent(this.#parts.store.db, job.workspace_id, event, this.#parts.clock.now()).catch((error: unknown) =>
      this.#parts.log.warn({ err: error, job: job.id }, 'an event could not be written'),
    );
  }
}

const ids = (chunks: readonly ReportChunkRow[]): string[] =>
  chunks.flatMap(({ segment_id }) => (segment_id === null ? [] : [segment_id]));

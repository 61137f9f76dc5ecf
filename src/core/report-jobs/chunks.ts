/** The pieces of a job: which there are, and how the rows of one come into a file. */

import type { ReportRow } from '../connector/report-spec.ts';
import { PolyadError } from '../errors/index.ts';
import { compareDecimals, multiplyDecimals } from '../model/decimal.ts';
import { newId } from '../store/ids.ts';
import { finishReportChunk, updateReportChunk } from '../store/repositories/index.ts';
import type { ReportChunkRow } from '../store/schema.ts';
import { type ReportFiles, storageError } from './files.ts';
import { type DayChecks, keepable, readChecks, reusable } from './kept.ts';
import { segmentStream } from './segments.ts';
import { type TaskParts, taskRows, wantsTask } from './tasks.ts';
import { type AccountPart, chunkFetch, type JobWork, partOf, piecesOf } from './work.ts';

/** Share of the ad account's own number that a task may miss by rounding; more means that it left objects out. */
const TASK_SHARE = '0.999';

export interface ChunkParts extends TaskParts {
  files: ReportFiles;
  /** Told how each piece was got, for metrics. */
  got(route: 'tasks' | 'calls' | 'kept', rows: number): void;
}

type NewChunk = Omit<ReportChunkRow, 'job_id' | 'task_failures'>;

/** The pieces of a job, in order; rows that are at hand from earlier reports are pieces that are done. */
export async function planChunks(parts: ChunkParts, work: JobWork): Promise<NewChunk[]> {
  const chunks: NewChunk[] = [];
  for (const part of work.parts.values()) {
    const checks = keepable(work, part) ? await readChecks(work, part) : undefined;
    const common = { organization_id: part.organization.id, route: null, task_id: null } as const;
    for (const piece of piecesOf(part.plan)) {
      const days =
        checks !== undefined && piece.closed
          ? await reusable({ db: parts.db, files: parts.files, now: parts.clock.now() }, part, piece, checks)
          : { reused: [], missing: [piece] };
      const found: Omit<NewChunk, 'number'>[] = [
        ...days.missing.map((one) => ({
          ...common,
          ...{ start_date: one.start, end_date: one.end, closed: one.closed },
          ...{ state: 'waiting' as const, segment_id: null, reused: false, rows: null },
        })),
        ...days.reused.map(({ start, end, segment }) => {
          const rows = segment.start_date === start && segment.end_date === end ? segment.rows : null;
          parts.got('kept', rows ?? 0);
          return {
            ...common,
            ...{ start_date: start, end_date: end, closed: true },
            ...{ state: 'done' as const, segment_id: segment.id, reused: true, rows },
          };
        }),
      ];
      found.sort((a, b) => (a.start_date < b.start_date ? -1 : 1));
      for (const one of found) chunks.push({ ...one, number: chunks.length });
    }
  }
  return chunks;
}

/** Reads pieces of one run of a job. The ad accounts' own numbers are read once each, before any rows. */
export class ChunkReader {
  readonly #parts: ChunkParts;
  readonly #work: JobWork;
  readonly #checks = new Map<string, Promise<DayChecks | undefined>>();

  constructor(parts: ChunkParts, work: JobWork) {
    this.#parts = parts;
    this.#work = work;
  }

  #checksOf(part: AccountPart): Promise<DayChecks | undefined> {
    let checks = this.#checks.get(part.organization.id);
    if (checks === undefined) {
      checks = readChecks(this.#work, part);
      checks.catch(() => this.#checks.delete(part.organization.id));
      this.#checks.set(part.organization.id, checks);
    }
    return checks;
  }

  /** Gets the rows of a piece into a file and notes it as done. Repeating it does no harm: the first file is forgotten. */
  async read(chunk: ReportChunkRow): Promise<void> {
    const part = partOf(this.#work, chunk.organization_id);
    const checks = chunk.closed && keepable(this.#work, part) ? await this.#checksOf(part) : undefined;
    while (await wantsTask(this.#parts, this.#work, chunk)) if (await this.#byTask(chunk, part, checks)) return;
    const { spec, ctx } = this.#work.prepared;
    await this.#keep(chunk, part, checks, 'calls', spec.fetch(ctx, chunkFetch(this.#work, chunk)));
  }

  /** True when the piece is done; false when it is to be tried again, or by calls. */
  async #byTask(chunk: ReportChunkRow, part: AccountPart, checks: DayChecks | undefined): Promise<boolean> {
    const { job, prepared } = this.#work;
    const watched = prepared.spec.tasks?.checkMetric;
    try {
      const rows = await taskRows(this.#parts, this.#work, chunk, watched === undefined ? [] : [watched]);
      return rows !== undefined && (await this.#keep(chunk, part, checks, 'tasks', rows, watched));
    } catch (error) {
      // A download that is gone for good, for example: the task is of no more use.
      if (!(error instanceof PolyadError) || error.retry !== 'never' || error.actor !== 'caller') throw error;
      chunk.task_id = null;
      chunk.task_failures += 1;
      this.#parts.log.warn({ job: job.id, code: error.code }, 'a report task of the platform could not be read');
      await updateReportChunk(this.#parts.db, job.id, chunk.number, {
        task_id: null,
        task_failures: chunk.task_failures,
      });
      return false;
    }
  }

  /** Writes rows. False = a task brought less than the ad account says there is, so nothing was kept. */
  async #keep(
    chunk: ReportChunkRow,
    part: AccountPart,
    checks: DayChecks | undefined,
    route: 'tasks' | 'calls',
    rows: AsyncIterable<ReportRow>,
    watched?: string,
  ): Promise<boolean> {
    const { db, files, clock, got, log } = this.#parts;
    const { job } = this.#work;
    const id = newId(clock.now().getTime());
    const file = `${id}.rows.gz`;
    const { streams, tally } = segmentStream(rows, part.plan, watched);
    let bytes: number;
    try {
      bytes = await files.write(file, streams);
    } catch (error) {
      throw (error as NodeJS.ErrnoException).syscall === undefined ? error : storageError(error);
    }
    if (watched !== undefined && (await this.#fallsShort(chunk, part, watched, tally.sum))) {
      await files.remove([file]);
      log.warn({ job: job.id }, 'a report task left something out that the ad account counts: read by calls');
      chunk.task_id = null;
      chunk.task_failures = Number.MAX_SAFE_INTEGER;
      await updateReportChunk(db, job.id, chunk.number, { task_id: null, task_failures: 1_000 });
      return false;
    }
    const days: Record<string, string> = {};
    for (const [day, check] of checks ?? []) if (day >= chunk.start_date && day <= chunk.end_date) days[day] = check;
    await finishReportChunk(
      db,
      { job_id: job.id, number: chunk.number, route },
      {
        ...{ id, file, bytes, rows: tally.rows, key: part.key },
        ...{ workspace_id: job.workspace_id, connection_id: job.connection_id },
        ...{ organization_id: chunk.organization_id, start_date: chunk.start_date, end_date: chunk.end_date },
        ...{ kept: checks !== undefined, checks: checks === undefined ? null : days },
      },
      clock.now(),
    );
    got(route, tally.rows);
    return true;
  }

  /** Whether the rows of a task over a whole ad account add up to clearly less than the account's own number. */
  async #fallsShort(chunk: ReportChunkRow, part: AccountPart, watched: string, sum: string): Promise<boolean> {
    const { prepared, query } = this.#work;
    const { spec, ctx } = prepared;
    const { campaign_id, group_id, ad_id } = query.filters;
    if (part.plan.level === 'organization' || (campaign_id ?? group_id ?? ad_id) !== undefined) return false;
    let own = '0';
    const fetch = chunkFetch(this.#work, chunk);
    for await (const row of spec.fetch(ctx, { ...fetch, level: 'organization', metrics: [watched], dimensions: [] }))
      own = row.metrics[watched] ?? own;
    return compareDecimals(sum, multiplyDecimals(own, TASK_SHARE)) < 0;
  }
}

/** The pieces of a job: which there are, and how the rows of one come into a file. */

import type { ReportRow } from '../connector/report-spec.ts';
import { PolyadError } from '../errors/index.ts';
import { addDecimals, compareDecimals, multiplyDecimals, parseDecimal } from '../model/decimal.ts';
import { newId } from '../store/ids.ts';
import { finishReportChunk, updateReportChunk } from '../store/repositories/index.ts';
import type { ReportChunkRow } from '../store/schema.ts';
import { type ReportFiles, storageError } from './files.ts';
import { type DayChecks, keepable, readChecks, reusable } from './kept.ts';
import { segmentStream } from './segments.ts';
import { type TaskParts, taskRows, wantsTask } from './tasks.ts';
import { type AccountPart, chunkFetch, type JobWork, partOf, piecesOf } from './work.ts';

/** Shares of the ad account's own number between which the rows of a task are whole: objects are rounded one by one. */
const LEAST_SHARE = '0.999';
const LARGEST_SHARE = '1.001';
/** As many failures of tasks as no piece has: calls alone are made for it. */
const GIVEN_UP = 1_000;

export interface ChunkParts extends TaskParts {
  files: ReportFiles;
  /** Told how each piece was got, for metrics. */
  got(route: 'tasks' | 'calls' | 'kept', rows: number): void;
}

type NewChunk = Omit<ReportChunkRow, 'job_id' | 'task_failures'>;

/** The pieces of a job, in order; rows that are at hand from earlier reports are pieces that are done. */
export async function planChunks(parts: ChunkParts, work: JobWork, reader: ChunkReader): Promise<NewChunk[]> {
  const chunks: NewChunk[] = [];
  for (const part of work.parts.values()) {
    const checks = keepable(work, part) ? await reader.checksOf(part) : undefined;
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

/** Rows of a task, and where they add up to less than the ad account's own number, those that tasks leave out. */
class WholeRows implements AsyncIterable<ReportRow> {
  readonly #rows: AsyncIterable<ReportRow>;
  readonly #watched: string;
  readonly #own: string;
  readonly #rest: () => AsyncIterable<ReportRow> | undefined;
  #sum = '0';

  constructor(
    rows: AsyncIterable<ReportRow>,
    watched: string,
    own: string,
    rest: () => AsyncIterable<ReportRow> | undefined,
  ) {
    this.#rows = rows;
    this.#watched = watched;
    this.#own = own;
    this.#rest = rest;
  }

  /** Whether what was read adds up to the ad account's own number. */
  get fits(): boolean {
    return !this.#short && compareDecimals(this.#sum, multiplyDecimals(this.#own, LARGEST_SHARE)) <= 0;
  }

  get #short(): boolean {
    return compareDecimals(this.#sum, multiplyDecimals(this.#own, LEAST_SHARE)) < 0;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ReportRow> {
    yield* this.#counted(this.#rows);
    const rest = this.#short ? this.#rest() : undefined;
    if (rest !== undefined) yield* this.#counted(rest);
  }

  async *#counted(rows: AsyncIterable<ReportRow>): AsyncGenerator<ReportRow> {
    for await (const row of rows) {
      const value = parseDecimal(row.metrics[this.#watched] ?? '');
      if (value !== undefined) this.#sum = addDecimals(this.#sum, value);
      yield row;
    }
  }
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

  /** The ad account's own numbers of the closed days of a part. */
  checksOf(part: AccountPart): Promise<DayChecks | undefined> {
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
    const checks = chunk.closed && keepable(this.#work, part) ? await this.checksOf(part) : undefined;
    while (await wantsTask(this.#parts, this.#work, chunk)) if (await this.#byTask(chunk, part, checks)) return;
    const { spec, ctx } = this.#work.prepared;
    await this.#keep(chunk, part, checks, 'calls', spec.fetch(ctx, chunkFetch(this.#work, chunk)));
  }

  /** True when the piece is done; false when it is to be tried again, or by calls. */
  async #byTask(chunk: ReportChunkRow, part: AccountPart, checks: DayChecks | undefined): Promise<boolean> {
    const { job, prepared } = this.#work;
    const watched = this.#watched(part);
    try {
      const rows = await taskRows(this.#parts, this.#work, chunk, watched === undefined ? [] : [watched]);
      if (rows === undefined) return false;
      if (watched === undefined) return await this.#keep(chunk, part, checks, 'tasks', rows);
      const whole = new WholeRows(rows, watched, await this.#ownNumber(chunk, watched), () =>
        prepared.spec.tasks?.rest?.(prepared.ctx, {
          ...chunkFetch(this.#work, chunk),
          metrics: [...new Set([...part.plan.nativeMetrics, watched])],
        }),
      );
      return await this.#keep(chunk, part, checks, 'tasks', whole, whole);
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

  /** The metric that tells whether a task is whole; only reports of a whole ad account can be held against its number. */
  #watched(part: AccountPart): string | undefined {
    const { campaign_id, group_id, ad_id } = this.#work.query.filters;
    if (part.plan.level === 'organization' || (campaign_id ?? group_id ?? ad_id) !== undefined) return undefined;
    return this.#work.prepared.spec.tasks?.checkMetric;
  }

  /** The ad account's own number for the days of a piece. */
  async #ownNumber(chunk: ReportChunkRow, metric: string): Promise<string> {
    const { spec, ctx } = this.#work.prepared;
    const fetch = chunkFetch(this.#work, chunk);
    let own = '0';
    for await (const row of spec.fetch(ctx, { ...fetch, level: 'organization', metrics: [metric], dimensions: [] }))
      own = parseDecimal(row.metrics[metric] ?? '') ?? own;
    return own;
  }

  /** Writes rows. False = they are not what the ad account says there is, so nothing was kept. */
  async #keep(
    chunk: ReportChunkRow,
    part: AccountPart,
    checks: DayChecks | undefined,
    route: 'tasks' | 'calls',
    rows: AsyncIterable<ReportRow>,
    whole?: WholeRows,
  ): Promise<boolean> {
    const { db, files, clock, got, log } = this.#parts;
    const { job } = this.#work;
    const id = newId(clock.now().getTime());
    const file = `${id}.rows.gz`;
    const { streams, tally } = segmentStream(rows, part.plan);
    let bytes: number;
    try {
      bytes = await files.write(file, streams);
    } catch (error) {
      throw (error as NodeJS.ErrnoException).syscall === undefined ? error : storageError(error);
    }
    if (whole?.fits === false) {
      await files.remove([file]);
      log.warn({ job: job.id }, 'a report task does not add up to what the ad account counts: read by calls');
      chunk.task_id = null;
      chunk.task_failures = GIVEN_UP;
      await updateReportChunk(db, job.id, chunk.number, { task_id: null, task_failures: GIVEN_UP });
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
}

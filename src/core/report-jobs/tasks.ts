/** When a piece is made as a task of the platform, and the wait for it. */
import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { ReportFetch, ReportRow, ReportTaskState } from '../connector/report-spec.ts';
import { PolyadError } from '../errors/index.ts';
import { daysBetween } from '../model/time.ts';
import { findReportRefusal, noteReportRefusal, updateReportChunk } from '../store/repositories/index.ts';
import type { ConnectionRow, Db, ReportChunkRow } from '../store/schema.ts';
import { chunkFetch, type JobWork } from './work.ts';

/** How long an app that was refused tasks is not asked for them again: platforms change their allow lists in days. */
const REFUSED_MS = 24 * 3_600_000;
/** Pauses between two looks at a task: at first, and at most. */
const LOOK_MS = 5_000;
const LONGEST_LOOK_MS = 30_000;
/** A task that takes longer is given up, and its piece read by calls. */
const PATIENCE_MS = 3 * 3_600_000;
/** Tasks that may fail before a piece is read by calls. */
const MAX_FAILURES = 2;

/** Refusals that are about who asks and not about what. */
const REFUSALS: ReadonlySet<string> = new Set([
  'platform_feature_restricted',
  'permission_missing',
  'platform_environment_unsupported',
]);

export interface TaskParts {
  db: Db;
  clock: Clock;
  log: { warn(facts: object, text: string): void };
  /** Client id of the platform app behind a connection. */
  appOf(connection: ConnectionRow): Promise<string | undefined>;
}

/** Whose refusal is remembered: the app's, or the connection's where a permission or the app is lacking. */
async function refusalKey({ appOf }: TaskParts, { scope, prepared }: JobWork, own: boolean) {
  const app = own ? undefined : await appOf(scope.connection);
  return {
    platform: prepared.platform.manifest.id,
    environment: scope.connection.environment,
    app: createHash('sha256')
      .update(app === undefined ? `connection ${scope.connection.id}` : `app ${app}`)
      .digest('hex'),
  };
}

/** True when the piece is to be a task: the platform offers it, nobody has refused it, and it pays. */
export async function wantsTask(parts: TaskParts, work: JobWork, chunk: ReportChunkRow): Promise<boolean> {
  const { job, prepared } = work;
  const { tasks } = prepared.spec;
  if (tasks === undefined || job.route === 'calls' || chunk.task_failures >= MAX_FAILURES) return false;
  const fetch = chunkFetch(work, chunk);
  if (!tasks.suits(fetch)) return false;
  const since = new Date(parts.clock.now().getTime() - REFUSED_MS);
  for (const own of [false, true])
    if ((await findReportRefusal(parts.db, await refusalKey(parts, work, own), since)) !== undefined) return false;
  if (job.route === 'tasks' || chunk.task_id !== null) return true;
  return (await expectedRows(work, fetch)) >= tasks.fromRows;
}

/** Most rows that a fetch can have: objects times days or hours. Breakdowns only add to it. */
async function expectedRows(work: JobWork, fetch: ReportFetch): Promise<number> {
  const { spec, ctx, parts } = work.prepared;
  const objects = (await spec.objects?.(ctx, fetch)) ?? 0;
  const plan = parts.find(({ organization }) => organization.id === fetch.organization.id)?.plan;
  const days = plan?.daily === true ? daysBetween(fetch.startDate, fetch.endDate) + 1 : 1;
  return objects * days * (plan?.dimensions.some(({ name }) => name === 'HOUR') === true ? 24 : 1);
}

/**
 * Has a task made, or goes on waiting for the one that an earlier run began, and answers its rows; undefined = read the
 * piece by calls.
 */
export async function taskRows(
  parts: TaskParts,
  work: JobWork,
  chunk: ReportChunkRow,
  extra: readonly string[],
): Promise<AsyncIterable<ReportRow> | undefined> {
  const { db, clock, log } = parts;
  const { ctx, spec } = work.prepared;
  const tasks = spec.tasks as NonNullable<typeof spec.tasks>;
  const plain = chunkFetch(work, chunk);
  const fetch = { ...plain, metrics: [...new Set([...plain.metrics, ...extra])] };
  const begun = clock.now().getTime();
  for (;;) {
    if (chunk.task_id === null) {
      if (chunk.task_failures >= MAX_FAILURES) return undefined;
      try {
        chunk.task_id = await tasks.create(ctx, fetch);
      } catch (error) {
        if (!(error instanceof PolyadError) || !REFUSALS.has(error.code)) throw error;
        const key = await refusalKey(parts, work, error.code === 'permission_missing');
        await noteReportRefusal(db, key, error.code, clock.now());
        log.warn(
          { job: work.job.id, code: error.code },
          'the platform makes no report tasks for this app: read by calls',
        );
        return undefined;
      }
      await updateReportChunk(db, work.job.id, chunk.number, { task_id: chunk.task_id, route: 'tasks' });
    }
    const taskId = chunk.task_id;
    const state = await wait(parts, work, fetch, taskId, begun);
    await tasks.ended(ctx, fetch);
    if (state === 'done') return tasks.rows(ctx, fetch, taskId);
    if (state === 'late') await tasks.cancel(ctx, fetch, taskId).catch(() => undefined);
    chunk.task_id = null;
    chunk.task_failures += state === 'late' ? MAX_FAILURES : 1;
    log.warn({ job: work.job.id, task: taskId, state }, 'a report task of the platform came to nothing');
    await updateReportChunk(db, work.job.id, chunk.number, { task_id: null, task_failures: chunk.task_failures });
  }
}

/** Looks at a task until it is over. `lost`: the platform does not know it any more. */
async function wait(
  { clock }: TaskParts,
  work: JobWork,
  fetch: ReportFetch,
  taskId: string,
  begun: number,
): Promise<'done' | 'failed' | 'lost' | 'late'> {
  const { ctx, spec } = work.prepared;
  for (let pause = LOOK_MS; ; pause = Math.min(LONGEST_LOOK_MS, pause * 1.5)) {
    let found: ReportTaskState;
    try {
      found = await (spec.tasks as NonNullable<typeof spec.tasks>).check(ctx, fetch, taskId);
    } catch (error) {
      // Only what is for good, and about the task: a withdrawn grant or a platform that is down is for the job to meet.
      if (!(error instanceof PolyadError) || error.retry !== 'never' || error.actor !== 'caller') throw error;
      return 'lost';
    }
    if (found.state === 'done') return 'done';
    if (found.state === 'failed' || found.state === 'canceled') return 'failed';
    if (clock.now().getTime() - begun > PATIENCE_MS) return 'late';
    await clock.sleep(pause, work.scope.signal);
  }
}

/** A job is canceled: so are its tasks, as far as the platform still can. */
export async function cancelTasks(work: JobWork, chunks: readonly ReportChunkRow[]): Promise<void> {
  const { ctx, spec } = work.prepared;
  for (const chunk of chunks) {
    if (chunk.task_id === null || spec.tasks === undefined) continue;
    const fetch = chunkFetch(work, chunk);
    await spec.tasks.cancel(ctx, fetch, chunk.task_id).catch(() => undefined);
    await spec.tasks.ended(ctx, fetch).catch(() => undefined);
  }
}

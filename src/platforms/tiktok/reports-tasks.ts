/**
 * Reports as tasks: report/task/create, check, download, cancel (TikTok docs 1740302766489602, 1738864800380930). For apps
 * on an allow list only; others are answered 40118. A task has no pages, no cap on ids and none on days.
 */
import { pipeline, Readable } from 'node:stream';
import { parse } from 'csv-parse';
import type { ReportFetch, ReportRow, ReportTasks } from '../../core/connector/report-spec.ts';
import type { CallContext, Native, PlatformRequest } from '../../core/connector/types.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { dimensionValue, filter, LEVELS, metricValue, query, type Scope, sourceOf } from './reports-query.ts';
import { call, dataOf, MAX_FILTER_IDS } from './request.ts';

/**
 * Rows from which a task is worth its wait: thirty pages of calls, which take some four seconds at TikTok's lowest quota,
 * while a task waits in TikTok's queue for minutes.
 */
const FROM_ROWS = 30_000;

/** The report types that tasks have. */
const TYPES: ReadonlySet<string> = new Set(['BASIC', 'AUDIENCE', 'CATALOG']);

/** Ids that a fetch is restricted to: the only filters that tasks take. */
function scopeOf({ campaignIds, groupIds, adIds }: ReportFetch): Scope {
  return {
    ...(campaignIds === undefined ? {} : { campaign_ids: campaignIds }),
    ...(groupIds === undefined ? {} : { adgroup_ids: groupIds }),
    ...(adIds === undefined ? {} : { ad_ids: adIds }),
  };
}

/** The request that begins a task. Statuses cannot be filtered by, so whether deleted objects are in it is TikTok's affair. */
function createRequest(ctx: CallContext, fetch: ReportFetch): PlatformRequest {
  const { filtering: _statuses, ...native } = query(fetch, {});
  const ids = Object.entries(scopeOf(fetch)).map(([field, values]) => filter(field, values));
  return call(ctx, {
    method: 'POST',
    endpoint: 'report/task/create',
    organizationId: fetch.organization.id,
    json: {
      ...native,
      ...(ids.length === 0 ? {} : { filtering: ids }),
      output_format: 'CSV_STRING',
      // Column names as in the request, not in the language of the account.
      enable_report_title_translation: false,
    },
    // A task made twice costs quota and nothing else.
    idempotent: true,
  });
}

const about = (fetch: ReportFetch, taskId: string): Native => ({
  advertiser_id: fetch.organization.id,
  task_id: taskId,
});

const STATES: Readonly<Record<string, 'waiting' | 'running' | 'done' | 'failed' | 'canceled'>> = {
  QUEUING: 'waiting',
  PROCESSING: 'running',
  SUCCESS: 'done',
  FAILED: 'failed',
  CANCELED: 'canceled',
};

/** A line of the file in common terms. */
function rowOf(line: Readonly<Record<string, string>>, fetch: ReportFetch): ReportRow {
  const words = LEVELS[fetch.level];
  const dimensions: Record<string, string> = {};
  for (const name of fetch.dimensions) dimensions[name] = dimensionValue(name, line[name] ?? '');
  const metrics: Record<string, string | undefined> = {};
  for (const name of fetch.metrics) metrics[name] = metricValue(line[name]);
  const name = words.name === undefined ? fetch.organization.name : metricValue(line[words.name]);
  return {
    entityId: line[words.id] ?? fetch.organization.id,
    ...(name === undefined ? {} : { entityName: name }),
    dimensions,
    metrics,
  };
}

async function* download(ctx: CallContext, fetch: ReportFetch, taskId: string): AsyncGenerator<ReportRow> {
  const { body } = await ctx.stream(
    call(ctx, {
      endpoint: 'report/task/download',
      organizationId: fetch.organization.id,
      query: about(fetch, taskId),
    }),
  );
  const needed = [LEVELS[fetch.level].id, ...fetch.dimensions, ...fetch.metrics];
  const lines = parse({ columns: true, bom: true, skip_empty_lines: true });
  // Errors of either end are those of the iteration below.
  pipeline(Readable.from(body, { objectMode: false }), lines, () => undefined);
  let checked = false;
  try {
    for await (const line of lines as AsyncIterable<Record<string, string>>) {
      const missing = checked ? undefined : needed.find((name) => line[name] === undefined);
      if (missing !== undefined)
        throw new PolyadError('platform_rejected', {
          message: `The file of a TikTok report task lacks the column \`${missing}\`.`,
          details: { columns: Object.keys(line).slice(0, 100) },
        });
      checked = true;
      yield rowOf(line, fetch);
    }
  } catch (error) {
    if (error instanceof PolyadError || ctx.signal.aborted) throw error;
    throw new PolyadError('platform_unavailable', {
      message: 'The file of a TikTok report task broke off or cannot be read.',
      retryAfterMs: 5_000,
      cause: error,
    });
  } finally {
    lines.destroy();
  }
}

/** Report tasks of TikTok. */
export const tasks: ReportTasks = {
  fromRows: FROM_ROWS,
  suits: (fetch) =>
    TYPES.has(sourceOf(fetch)) &&
    // By hour only calls are documented; raw parameters are those of calls.
    !fetch.dimensions.includes('stat_time_hour') &&
    Object.keys(fetch.raw).length === 0 &&
    Object.values(scopeOf(fetch)).every((ids) => ids.length <= MAX_FILTER_IDS),
  async create(ctx, fetch) {
    const id = dataOf(await ctx.request(createRequest(ctx, fetch)))['task_id'];
    if (id === undefined || id === null || id === '')
      throw new PolyadError('platform_unknown_error', { message: 'TikTok began a report task and did not name it.' });
    return String(id);
  },
  async check(ctx, fetch, taskId) {
    const request = call(ctx, {
      endpoint: 'report/task/check',
      organizationId: fetch.organization.id,
      query: about(fetch, taskId),
    });
    const { status, message } = dataOf(await ctx.request(request));
    return {
      // A state that is new to us is not an end.
      state: STATES[String(status)] ?? 'running',
      ...(typeof message === 'string' && message !== '' ? { message } : {}),
    };
  },
  rows: download,
  async cancel(ctx, fetch, taskId) {
    await ctx.request(
      call(ctx, {
        method: 'POST',
        endpoint: 'report/task/cancel',
        organizationId: fetch.organization.id,
        json: about(fetch, taskId),
        idempotent: true,
      }),
    );
  },
  ended: (ctx, fetch) => ctx.jobEnded(createRequest(ctx, fetch)),
  checkMetric: 'spend',
};

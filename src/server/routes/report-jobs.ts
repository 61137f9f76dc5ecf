/** `/v1/report_jobs`: reports too large to wait for, made in the background. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { reaches } from '../../core/auth/key-scopes.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { toWire } from '../../core/model/index.ts';
import { listParameterNames } from '../../core/model/list-query.ts';
import { PRIORITIES } from '../../core/pacing/bucket.ts';
import type { ReportJob, ReportResult } from '../../core/report-jobs/service.ts';
import { requireConnection } from '../authentication.ts';
import type { Deps } from '../deps.ts';
import { limitOf, offsetOf } from '../input.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { principalOf } from '../request.ts';
import { countBytes } from '../streams.ts';

const QUERY_NAMES = listParameterNames('report').filter((name) => name !== 'limit' && name !== 'offset');
const FORMATS = ['ndjson', 'csv', 'parquet'] as const;
const STATES = ['waiting', 'running', 'done', 'failed', 'canceled'] as const;

const query = z
  .record(z.string(), z.union([z.string().max(8_000), z.array(z.string().max(200)).max(200)]))
  .describe(`As for the list of reports: ${QUERY_NAMES.join(', ')}.`);

const jobSchema = z
  .object({
    id: z.string(),
    connection_id: z.string(),
    state: z.enum(STATES).describe('`failed`: see `error`. A job that waits because of an error says so too.'),
    format: z.enum(FORMATS),
    query: z.record(z.string(), z.unknown()),
    route: z.enum(['auto', 'tasks', 'calls']).describe('As it was asked for.'),
    cache: z.boolean().describe('Whether rows kept of closed days may be used.'),
    priority: z.enum(PRIORITIES).describe('How urgent its platform calls are when quota is short.'),
    progress: z
      .object({
        pieces: z.number().int().describe('Pieces of the job: some days of one ad account each.'),
        pieces_done: z.number().int(),
        pieces_kept: z.number().int().describe('Of those done: rows that were kept of closed days.'),
        rows: z.number().describe('Native rows read so far.'),
        percent: z.number().describe('Pieces done, in percent.'),
        routes: z.array(z.string()).describe('How rows came so far: `tasks` of the platform, `calls`.'),
      })
      .optional()
      .describe('Absent until the job is planned.'),
    result: z
      .object({
        rows: z.number().describe('Lines of the result.'),
        bytes: z.number(),
        path: z.string().describe('Where it is fetched from.'),
        expires_at: z.string().describe('Until when it is kept.'),
      })
      .optional(),
    error: z.record(z.string(), z.unknown()).optional().describe('In the form of every error.'),
    next_try_at: z.string().optional().describe('When a job that met an error goes on.'),
    created_at: z.string(),
    started_at: z.string().optional(),
    finished_at: z.string().optional(),
  })
  .meta({ id: 'ReportJob', description: 'A report that is made in the background.' });

const base = { tag: 'Report', access: 'read' } as const;
const params = { id: 'Id of the job.' };
const one = { description: 'The job.', schema: jobSchema };

const operations = {
  create: operation({
    ...base,
    id: 'createReportJob',
    method: 'POST',
    path: '/v1/report_jobs',
    summary: 'Make a report in the background',
    description:
      'For reports of many objects and days. The job survives restarts, waits for quotas behind interactive calls, and uses the platform’s own report tasks where they are to be had. Permission: `ads_report_read`.',
    query: z.object({}),
    body: z.strictObject({
      connection_id: z.string().min(1),
      query: query.default({}),
      format: z
        .enum(FORMATS)
        .default('ndjson')
        .describe('`ndjson`: the rows of the list of reports. `csv`, `parquet`: a table.'),
      route: z
        .enum(['auto', 'tasks', 'calls'])
        .default('auto')
        .describe(
          '`tasks`: the platform’s report tasks for reports of any size; `calls`: never. Where an app may not use tasks, calls are made in any case.',
        ),
      cache: z.boolean().default(true).describe('false: every day is read again.'),
      priority: z.enum(PRIORITIES).default('backfill').describe('How urgent its calls are when quota is short.'),
    }),
    answer: { ...one, status: 201 },
  }),
  list: operation({
    ...base,
    id: 'listReportJobs',
    method: 'GET',
    path: '/v1/report_jobs',
    summary: 'List report jobs',
    query: z.object({
      connection_id: z.string().optional().describe('Jobs of this connection.'),
      state: z.enum(STATES).optional().describe('Jobs in this state.'),
      limit: limitOf,
      offset: offsetOf,
      order: z.enum(['asc', 'desc']).optional().describe('Direction of the sort by creation. Default desc.'),
    }),
    answer: { description: 'The jobs, newest first.', schema: z.array(jobSchema) },
  }),
  get: operation({
    ...base,
    id: 'getReportJob',
    method: 'GET',
    path: '/v1/report_jobs/:id',
    summary: 'Get a report job',
    params,
    query: z.object({}),
    answer: one,
  }),
  cancel: operation({
    ...base,
    id: 'cancelReportJob',
    method: 'POST',
    path: '/v1/report_jobs/:id/cancel',
    summary: 'Cancel a report job',
    description: 'Whoever is at it stops within seconds; tasks that it began at the platform are canceled too.',
    params,
    query: z.object({}),
    answer: one,
  }),
  remove: operation({
    ...base,
    id: 'removeReportJob',
    method: 'DELETE',
    path: '/v1/report_jobs/:id',
    summary: 'Remove a report job that is over, with its result',
    params,
    query: z.object({}),
    answer: { description: 'Removed. The body is an empty object.', schema: z.object({}) },
  }),
  download: operation({
    ...base,
    id: 'downloadReportJob',
    method: 'GET',
    path: '/v1/report_jobs/:id/download',
    summary: 'Fetch the result of a report job',
    description:
      'The file as it is. `Range: bytes=…` fetches a part, so that a download that broke off can go on (with If-Range: the ETag).',
    params,
    query: z.object({}),
    headers: { Range: 'One range of bytes.', 'If-Range': 'Gives the whole file if it is not the one with this ETag.' },
    answer: {
      description: 'The result.',
      contentType: 'application/x-ndjson',
      alternatives: ['text/csv', 'application/vnd.apache.parquet'],
    },
  }),
};

/** Operations of report jobs. */
export const REPORT_JOB_OPERATIONS: readonly Operation[] = Object.values(operations);

function toJob({ row, progress }: ReportJob): unknown {
  return toWire({
    id: row.id,
    connection_id: row.connection_id,
    state: row.state,
    ...{ format: row.format, query: row.query, route: row.route, cache: row.cache, priority: row.priority },
    progress:
      progress === undefined
        ? undefined
        : {
            pieces: progress.chunks,
            pieces_done: progress.done,
            pieces_kept: progress.reused,
            rows: progress.rows,
            percent: progress.chunks === 0 ? 100 : Math.floor((100 * progress.done) / progress.chunks),
            routes: progress.routes,
          },
    result:
      row.state === 'done'
        ? {
            rows: row.rows,
            bytes: row.bytes,
            path: `/v1/report_jobs/${row.id}/download`,
            expires_at: row.expires_at,
          }
        : undefined,
    error: row.error,
    next_try_at: row.run_after,
    created_at: row.created_at,
    started_at: row.started_at,
    finished_at: row.finished_at,
  });
}

/** One range of bytes (RFC 9110 §14.1.2); undefined = the whole file. */
function rangeOf(
  request: FastifyRequest,
  { size }: ReportResult,
  tag: string,
): [start: number, end: number] | undefined {
  const condition = request.headers['if-range'];
  const match = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '');
  if (match === null || (condition !== undefined && condition !== tag)) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start > end || start >= size) throw new PolyadError('report_range_unsatisfiable', { details: { size } });
  return [start, end];
}

function send(request: FastifyRequest, reply: FastifyReply, result: ReportResult): FastifyReply {
  const tag = `"${result.job.id}-${result.size}"`;
  const range = rangeOf(request, result, tag);
  const [start, end] = range ?? [0, result.size - 1];
  reply
    .code(range === undefined ? 200 : 206)
    .header('content-type', result.type)
    .header('content-length', end - start + 1)
    .header('content-disposition', `attachment; filename="${result.name}"`)
    .header('accept-ranges', 'bytes')
    .header('etag', tag);
  if (range !== undefined) reply.header('content-range', `bytes ${start}-${end}/${result.size}`);
  countBytes(reply, request.state);
  return result.size === 0 ? reply.send('') : reply.send(result.open(start, end));
}

/** Registers the routes of report jobs. */
export function reportJobRoutes(app: FastifyInstance, { services }: Deps): void {
  /** The job, when the key may see it. */
  const seen = async (request: FastifyRequest, id: string): Promise<ReportJob> => {
    const { key, workspace } = principalOf(request);
    const job = await services.reportJobs.get(workspace.id, id);
    if (!reaches(key, job.row.connection_id))
      throw new PolyadError('report_job_not_found', { details: { id: id.slice(0, 64) } });
    return job;
  };

  serve(app, operations.create, async ({ request, reply, body }) => {
    const principal = principalOf(request);
    const { workspace } = principal;
    requireConnection(principal, body.connection_id);
    const connection = await services.cache.connection(workspace.id, body.connection_id);
    if (connection === undefined)
      throw new PolyadError('connection_not_found', { details: { connection_id: body.connection_id.slice(0, 64) } });
    request.state.connection = connection;
    const { signal, meter } = request.state;
    const job = await services.reportJobs.create(
      { workspace, connection, requestId: request.id, priority: body.priority, signal, meter },
      { query: body.query, format: body.format, route: body.route, cache: body.cache },
    );
    reply.code(201).header('location', `/v1/report_jobs/${job.row.id}`);
    return toJob(job);
  });

  serve(app, operations.list, async ({ request, query: asked }) => {
    const { key, workspace } = principalOf(request);
    const jobs = await services.reportJobs.list(workspace.id, { ...asked, connection_ids: key.connection_ids });
    return jobs.map(toJob);
  });

  serve(app, operations.get, async ({ request, params: { id } }) => toJob(await seen(request, id as string)));

  serve(app, operations.cancel, async ({ request, params: { id } }) => {
    const { row } = await seen(request, id as string);
    return toJob(await services.reportJobs.cancel(row.workspace_id, row.id));
  });

  serve(app, operations.remove, async ({ request, params: { id } }) => {
    const { row } = await seen(request, id as string);
    await services.reportJobs.remove(row.workspace_id, row.id);
    return {};
  });

  serve(app, operations.download, async ({ request, reply, params: { id } }) => {
    const { row } = await seen(request, id as string);
    return send(request, reply, await services.reportJobs.result(row.workspace_id, row.id));
  });
}

/** `/v1/quotas`: what is left of the platforms' quotas, and what calls would take. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { Meter, type Scope } from '../../core/calls/scope.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { toWire } from '../../core/model/index.ts';
import { requireConnection } from '../authentication.ts';
import type { Deps } from '../deps.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { principalOf } from '../request.ts';
import { countBytes, rowStream } from '../streams.ts';

const base = { tag: 'Administration' } as const;

const list = operation({
  ...base,
  access: 'operator',
  id: 'listQuotas',
  method: 'GET',
  path: '/v1/quotas',
  summary: 'Quotas of the platforms, as all nodes together count them',
  query: z.object({}),
  answer: {
    description: 'Buckets that were used lately.',
    schema: z.array(
      z
        .object({
          bucket: z.string().describe('Platform and bucket.'),
          key: z.string().describe('Environment and what the bucket is counted by; apps and people appear as digests.'),
          used: z.number().describe('Units in use, those of others included.'),
          limit: z.number().describe('Units per window, as it holds now.'),
          window_ms: z.number().int(),
          used_by_others: z.number().describe('Units that other clients of the same quota were seen to use.'),
          learned: z.boolean().describe('The limit was learned, or lowered after the platform refused.'),
          resting_until: z.string().optional().describe('Nothing is sent before, because the platform refused.'),
        })
        .meta({ id: 'Quota', description: 'One quota bucket of a platform.' }),
    ),
  },
});

const plan = operation({
  ...base,
  access: 'read',
  id: 'planQuotas',
  method: 'POST',
  path: '/v1/quotas/plan',
  summary: 'How long would these calls take?',
  description:
    'Counts platform calls against what is left of the quotas now, as if nobody else called meanwhile. Nothing is sent and nothing is reserved.',
  query: z.object({}),
  body: z.strictObject({
    calls: z
      .array(
        z.strictObject({
          connection_id: z.string().describe('Connection that the calls are made on.'),
          operation: z
            .string()
            .min(1)
            .max(200)
            .describe('Operation of the platform as the call log names it (`campaign/get`), or a path of its API.'),
          count: z.number().int().min(1).max(100_000_000).describe('Number of calls.'),
          org_id: z.string().optional().describe('Ad account that they are about.'),
          access: z.enum(['read', 'write']).optional().describe('Whether they read or write. Default read.'),
          units: z
            .record(z.string(), z.number().nonnegative())
            .optional()
            .describe('Per call, for quotas that count something else than calls.'),
        }),
      )
      .min(1)
      .max(1_000),
  }),
  answer: {
    description: 'When the last call could go.',
    schema: z
      .object({
        calls: z.number().int(),
        wait_ms: z.number().int().describe('Milliseconds until the last call could go.'),
        finished_at: z.string().describe('The same as a time.'),
        bucket: z.string().optional().describe('The quota that decides.'),
        buckets: z.array(
          z.object({
            bucket: z.string(),
            key: z.string(),
            units: z.number(),
            limit: z.number(),
            window_ms: z.number().int(),
            wait_ms: z.number().int().describe('Milliseconds, if this quota alone counted.'),
          }),
        ),
      })
      .meta({ id: 'QuotaPlan', description: 'What a list of calls would take.' }),
  },
});

/** Operations about quotas. */
export const QUOTA_OPERATIONS: readonly Operation[] = [list, plan];

function* wired(rows: Iterable<object>): Generator<unknown, void, undefined> {
  for (const row of rows) yield toWire(row);
}

export function quotaRoutes(app: FastifyInstance, { runtime, services }: Deps): void {
  serve(app, list, async ({ request, reply }) => {
    const rows = wired(await runtime.pacer.inspect());
    countBytes(reply, request.state);
    return reply.header('content-type', 'application/json; charset=utf-8').send(rowStream(rows, 'json'));
  });

  serve(app, plan, async ({ request, body }) => {
    const principal = principalOf(request);
    const { workspace } = principal;
    const planned = await Promise.all(
      body.calls.map(async ({ connection_id, operation: name, count, org_id, access, units }) => {
        requireConnection(principal, connection_id);
        const connection = await services.cache.connection(workspace.id, connection_id);
        if (connection === undefined)
          throw new PolyadError('connection_not_found', { details: { connection_id: connection_id.slice(0, 64) } });
        const platform = runtime.registry.get(connection.integration_type);
        const scope: Scope = {
          workspace,
          connection,
          requestId: request.id,
          signal: request.state.signal,
          meter: new Meter(),
        };
        return {
          scope,
          count,
          request: {
            operation: name.startsWith('/') ? (platform.operationOfPath?.(name) ?? name) : name,
            access: access ?? ('read' as const),
            ...(org_id === undefined ? {} : { organizationId: org_id }),
            ...(units === undefined ? {} : { quotaUnits: units }),
          },
        };
      }),
    );
    const answer = await runtime.plan(planned);
    return toWire({ ...answer, finished_at: new Date(runtime.clock.now().getTime() + answer.wait_ms) });
  });
}

/** Whether the server lives, whether it can serve, and its numbers: what every role answers. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { ROLES } from '../../core/config.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { keyFrom } from '../authentication.ts';
import type { Deps } from '../deps.ts';
import type { Metrics } from '../metrics.ts';
import { VERSION } from '../openapi/document.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { Readiness } from '../readiness.ts';

const open = { tag: 'System', access: 'none' } as const;
const health = z
  .object({ status: z.string(), version: z.string(), role: z.enum(ROLES) })
  .meta({ id: 'Health', description: 'State of the server.' });

const readiness = z
  .object({
    status: z.enum(['ready', 'degraded']),
    version: z.string(),
    role: z.enum(ROLES),
    dependencies: z
      .record(
        z.string(),
        z.object({
          state: z.enum(['up', 'degraded']),
          effect: z.string().optional().describe('What it costs that it is not up.'),
        }),
      )
      .describe('`database`, and `redis` where there is one.'),
    circuits: z
      .array(
        z.object({
          platform: z.string(),
          environment: z.string(),
          endpoints: z.string().describe('Endpoints that fail together.'),
          state: z.enum(['open', 'half_open']),
          open_since: z.string(),
          probe_at: z.string().describe('When the platform is tried again.'),
        }),
      )
      .describe('Parts of platforms that fail at the moment and are not asked. They do not make this server unready.'),
  })
  .meta({ id: 'Readiness', description: 'State of the server and of the platforms behind it.' });

const healthz = operation({
  ...open,
  id: 'getHealth',
  method: 'GET',
  path: '/healthz',
  summary: 'Is the process alive?',
  answer: { description: 'It is.', schema: health },
});
const readyz = operation({
  ...open,
  id: 'getReadiness',
  method: 'GET',
  path: '/readyz',
  summary: 'Can it serve requests?',
  description:
    'Asks the database. 503 when the node should get no requests: it is stopping, or it lacks what it cannot do without. 200 with `degraded` when it goes on without something. Names the parts of platforms that are down, as this node sees them.',
  answer: { description: 'It can.', schema: readiness },
});
const metricsOperation = operation({
  ...open,
  id: 'getMetrics',
  method: 'GET',
  path: '/metrics',
  summary: 'Numbers for Prometheus',
  description: 'Wants POLYAD_METRICS_TOKEN as bearer token when that is set.',
  answer: { description: 'Prometheus text format.', contentType: 'text/plain' },
});

/** Operations that every role serves. */
export const HEALTH_OPERATIONS: readonly Operation[] = [healthz, readyz, metricsOperation];

/** @param isLeaving true from the moment the server is asked to stop, also while it still takes requests */
export function healthRoutes(app: FastifyInstance, deps: Deps, metrics: Metrics, isLeaving: () => boolean): void {
  const { config } = deps.runtime;
  const readiness = new Readiness(deps.runtime);
  app.addHook('onClose', async () => readiness.close());

  serve(app, healthz, () => ({ status: 'ok', version: VERSION, role: config.role }));
  serve(app, readyz, async () => {
    if (isLeaving()) throw new PolyadError('server_stopping', { retryAfterMs: 1000 });
    const report = await readiness.report();
    const circuits = deps.runtime.breakers
      .report()
      .filter(({ state }) => state !== 'closed')
      .map(({ platform, environment, endpoints, state, open_since, probe_at }) => ({
        platform,
        environment,
        endpoints,
        state,
        open_since: open_since?.toISOString(),
        probe_at: probe_at?.toISOString(),
      }));
    return { ...report, version: VERSION, role: config.role, circuits };
  });
  serve(app, metricsOperation, async ({ request, reply }) => {
    if (config.metricsToken !== undefined) {
      const token = keyFrom(request.headers.authorization);
      if (token === undefined)
        throw new PolyadError('key_missing', { message: 'Send the metrics token as bearer token.' });
      deps.services.authentication.secret(token, config.metricsToken, request.ip, 'This is not the metrics token.');
    }
    return reply.header('content-type', metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}

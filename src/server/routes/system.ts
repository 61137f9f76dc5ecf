/** Health, numbers, the API document and its pages. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { PolyadError } from '../../core/errors/index.ts';
import { keyFrom, sameText } from '../authentication.ts';
import type { Deps } from '../deps.ts';
import type { Metrics } from '../metrics.ts';
import { openApiDocument, VERSION } from '../openapi/document.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { ICON, STYLE, sendPage } from '../page.ts';
import { errorsPage } from '../pages/errors.ts';
import { landingPage } from '../pages/landing.ts';

const open = { tag: 'System', access: 'none' } as const;
const health = z
  .object({ status: z.string(), version: z.string() })
  .meta({ id: 'Health', description: 'State of the server.' });

const readiness = z
  .object({
    status: z.string(),
    version: z.string(),
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
    'Asks the database and answers 503 when it does not answer, or when the server is stopping. Names the parts of platforms that are down, as this node sees them.',
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
const document = operation({
  ...open,
  id: 'getOpenApi',
  method: 'GET',
  path: '/openapi.json',
  summary: 'This document',
  anyOrigin: true,
  answer: { description: 'OpenAPI 3.1.', schema: z.object({ openapi: z.string() }) },
});

/** Operations of the server itself. */
export const SYSTEM_OPERATIONS: readonly Operation[] = [healthz, readyz, metricsOperation, document];

/** Longest wait for the database's answer to a readiness probe. */
const PING_MS = 2000;

/** The reference page needs scripts and inline styles of the bundle; it still loads nothing from other hosts. */
const REFERENCE_POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; " +
  "img-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const asset = (reply: FastifyReply, type: string, body: string): FastifyReply =>
  reply.header('content-type', type).header('cache-control', 'public, max-age=3600').send(body);

export function systemRoutes(
  app: FastifyInstance,
  deps: Deps,
  metrics: Metrics,
  operations: readonly Operation[],
  isStopping: () => boolean,
): void {
  const { config, store } = deps.runtime;

  serve(app, healthz, () => ({ status: 'ok', version: VERSION }));
  serve(app, readyz, async () => {
    if (isStopping()) throw new PolyadError('server_stopping', { retryAfterMs: 1000 });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new PolyadError('store_unavailable', { retryAfterMs: 1000 })), PING_MS);
    });
    try {
      // The store is opened with its migrations applied, so an answer means that the tables are there too.
      await Promise.race([store.ping(), late]);
    } finally {
      clearTimeout(timer);
    }
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
    return { status: 'ready', version: VERSION, circuits };
  });
  serve(app, metricsOperation, async ({ request, reply }) => {
    if (config.metricsToken !== undefined) {
      const token = keyFrom(request.headers.authorization);
      if (token === undefined)
        throw new PolyadError('key_missing', { message: 'Send the metrics token as bearer token.' });
      if (!sameText(token, config.metricsToken))
        throw new PolyadError('key_invalid', { message: 'This is not the metrics token.' });
    }
    return reply.header('content-type', metrics.registry.contentType).send(await metrics.registry.metrics());
  });

  const text = JSON.stringify(openApiDocument(operations));
  serve(app, document, ({ reply }) => {
    reply.header('content-type', 'application/json; charset=utf-8');
    return reply.send(text);
  });

  const page = { config: { access: 'none' } } as const;
  app.get('/', page, (_request, reply) => sendPage(reply, landingPage(deps.services.publicUrl())));
  app.get('/docs/errors', page, (request, reply) =>
    /\bapplication\/json\b/.test(request.headers.accept ?? '') && !/\btext\/html\b/.test(request.headers.accept ?? '')
      ? reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(errorsPage.json()))
      : sendPage(reply, errorsPage.html()),
  );
  app.get('/assets/polyad.css', page, (_request, reply) => asset(reply, 'text/css; charset=utf-8', STYLE));
  app.get('/assets/icon.svg', page, (_request, reply) => asset(reply, 'image/svg+xml', ICON));
  app.get('/favicon.ico', page, (_request, reply) => asset(reply, 'image/svg+xml', ICON));
  app.get('/robots.txt', page, (_request, reply) =>
    asset(reply, 'text/plain; charset=utf-8', 'User-agent: *\nDisallow: /\n'),
  );

  app.register(async (docs) => {
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'none' };
    });
    docs.addHook('onSend', (_request, reply, payload, done) => {
      reply.header('content-security-policy', REFERENCE_POLICY);
      done(null, payload);
    });
    // Loaded when the server starts and not before: the bundle is some megabytes.
    const { default: reference } = await import('@scalar/fastify-api-reference');
    await docs.register(reference, {
      routePrefix: '/docs',
      configuration: {
        url: '/openapi.json',
        pageTitle: 'polyad API reference',
        favicon: '/assets/icon.svg',
        // Fonts and request proxy of other hosts: this page must work without the internet.
        withDefaultFonts: false,
        proxyUrl: '',
        telemetry: false,
        hideClientButton: true,
        // Buttons that lead to services of the page's maker.
        showDeveloperTools: 'never',
        agent: { disabled: true },
        mcp: { disabled: true },
        defaultOpenAllTags: false,
      },
    });
  });
}

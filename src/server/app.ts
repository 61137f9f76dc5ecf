/** The HTTP server: hooks, limits and routes over the runtime and the services. */
import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyInstance } from 'fastify';
import { PolyadError } from '../core/errors/index.ts';
import type { Runtime } from '../core/runtime.ts';
import { newId } from '../core/store/ids.ts';
import { act } from './audit.ts';
import type { Deps } from './deps.ts';
import { answerUnparsable, answerUnroutable, handleErrors } from './errors.ts';
import { installHooks } from './hooks.ts';
import { Metrics } from './metrics.ts';
import { RouteTable } from './not-found.ts';
import { OPERATIONS } from './operations.ts';
import { reportMetrics } from './report-metrics.ts';
import { saneRequestId } from './request.ts';
import { accountRoutes } from './routes/accounts.ts';
import { adminRoutes } from './routes/admin.ts';
import { adsRoutes } from './routes/ads.ts';
import { apicallRoutes } from './routes/apicall.ts';
import { audienceRoutes } from './routes/audiences.ts';
import { auditRoutes } from './routes/audit.ts';
import { bulkRoutes } from './routes/bulk.ts';
import { connectRoutes } from './routes/connect.ts';
import { connectionRoutes } from './routes/connection.ts';
import { conversionDestinationRoutes } from './routes/conversion-destinations.ts';
import { conversionRoutes } from './routes/conversions.ts';
import { dashboardRoutes } from './routes/dashboard.ts';
import { guardRoutes } from './routes/guards.ts';
import { healthRoutes } from './routes/health.ts';
import { hookRoutes } from './routes/hooks.ts';
import { integrationRoutes } from './routes/integration.ts';
import { launchRoutes } from './routes/launch.ts';
import { leadRoutes } from './routes/leads.ts';
import { mediaRoutes } from './routes/media.ts';
import { passthroughRoutes } from './routes/passthrough.ts';
import { quotaRoutes } from './routes/quotas.ts';
import { reportJobRoutes } from './routes/report-jobs.ts';
import { systemRoutes } from './routes/system.ts';
import { vaultRoutes } from './routes/vault.ts';
import { installSecurityHeaders } from './security-headers.ts';
import type { Services } from './services.ts';
import { Shutdown, STOP_DEADLINE_MS, type StopReport } from './shutdown.ts';

/** Largest request head that Node reads: the address with its query, and all headers. */
const MAX_HEAD = 32_768;
/** Longest time for a request's headers to arrive. Bodies may take as long as they flow (`stalls.ts`). */
const HEADERS_TIMEOUT_MS = 30_000;
/** Silence of a connection after which the system asks whether the other side is still there. */
const TCP_PROBE_MS = 60_000;
/** How long a connection that nobody uses stays open; a proxy in front must give up its own sooner. */
export const KEEP_ALIVE_MS = 65_000;

declare module 'fastify' {
  interface FastifyInstance {
    /** Stops taking requests, finishes those under way, cuts off what outlasts the deadline. */
    stop(deadlineMs?: number): Promise<StopReport>;
    /** Says that the server is leaving, while it still takes requests: before `stop`, for load balancers to notice. */
    drain(): void;
    /** Every route of this server. */
    routeTable: RouteTable;
  }
}

/**
 * Builds the server; `listen` is the caller's. Closing it (`stop`) leaves runtime and store open: whoever opened them
 * closes them after.
 */
export async function buildServer(runtime: Runtime, services: Services): Promise<FastifyInstance> {
  const { config, log } = runtime;
  const { trustProxy } = config;
  const shutdown = new Shutdown();
  const routes = new RouteTable();
  const metrics = new Metrics({
    callLogDepth: () => services.callLog.pending,
    callLogDropped: () => services.callLog.dropped,
    pacer: runtime.pacer,
    conversions: services.conversions,
    circuits: () => runtime.breakers.report(),
    retryBudgets: () => runtime.budgets.report(),
  });

  reportMetrics(metrics.registry, services);

  const app = Fastify({
    logger: false,
    bodyLimit: config.bodyLimit,
    // By number: as many proxies as the operator has, counted from the one that connects.
    trustProxy: typeof trustProxy === 'number' ? (_address, hop) => hop < trustProxy : (trustProxy ?? false),
    // A request id that the caller chose is kept when logs and headers take it; else one is made.
    genReqId: (request) => saneRequestId(request.headers['x-request-id']) ?? newId(),
    routerOptions: { maxParamLength: MAX_HEAD },
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    // Ours answers in our form, with request id and headers.
    return503OnClosing: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: {
      maxHeaderSize: MAX_HEAD,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: 0,
      // A client whose machine is gone says nothing: the system asks for it, or its connection would stay for ever.
      keepAlive: true,
      keepAliveInitialDelay: TCP_PROBE_MS,
    },
    frameworkErrors: answerUnroutable,
    clientErrorHandler: (error, socket) => answerUnparsable(error, socket),
  });
  shutdown.attach(app);

  const deps: Deps = { runtime, services };
  app.decorate('act', (request, definition, work) => act(deps, request, definition, work));

  app.addHook('onRoute', (route) => routes.add(route));
  installSecurityHeaders(app, config.publicUrl?.startsWith('https:') === true);
  installHooks(app, {
    deps,
    metrics,
    isStopping: () => shutdown.stopping,
    isLeaving: () => shutdown.leaving,
    begun: (state) => {
      shutdown.begun(state);
      metrics.begun();
    },
    ended: (state) => shutdown.ended(state),
  });
  handleErrors(app, log);

  // An empty body of a DELETE or an action is no body; everything else must be an object.
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser(
    /^application\/(?:json|[a-z0-9.+-]+\+json)(?:;|$)/i,
    { parseAs: 'string' },
    (request, text, done) => {
      if (text === '') return done(null, undefined);
      return app.getDefaultJsonParser('error', 'error')(request, text as string, done);
    },
  );
  app.removeContentTypeParser('text/plain');

  await app.register(cookie);
  await app.register(formbody, { bodyLimit: 65_536 });
  await app.register(rateLimit, {
    global: true,
    max: config.rateLimitPerMinute,
    timeWindow: 60_000,
    // After the key has been checked: a stranger cannot use up the limit of a key.
    keyGenerator: (request) => request.state.principal?.key.id ?? `address ${request.ip}`,
    allowList: (request) => ['/healthz', '/readyz', '/metrics'].includes(request.url),
    errorResponseBuilder: (_request, context) =>
      new PolyadError('rate_limited', {
        message: `Too many requests: this server takes ${context.max} per minute and key.`,
        retryAfterMs: Math.max(1, context.ttl),
        details: { limit: context.max, window_ms: 60_000 },
      }),
  });

  app.setNotFoundHandler((request) => {
    throw routes.errorFor(request);
  });

  healthRoutes(app, deps, metrics, () => shutdown.leaving);
  app.decorate('routeTable', routes);
  app.decorate('drain', () => shutdown.drain());
  app.decorate('stop', (deadlineMs = STOP_DEADLINE_MS) => shutdown.stop(deadlineMs));
  // Whoever only works in the background has nothing to answer but how it is.
  if (config.role === 'worker') {
    await app.ready();
    return app;
  }

  adsRoutes(app, deps);
  bulkRoutes(app, deps);
  conversionRoutes(app, deps);
  conversionDestinationRoutes(app, deps);
  passthroughRoutes(app, deps);
  connectionRoutes(app, deps);
  integrationRoutes(app, deps);
  connectRoutes(app, deps);
  apicallRoutes(app, deps);
  adminRoutes(app, deps);
  quotaRoutes(app, deps);
  reportJobRoutes(app, deps);
  guardRoutes(app, deps);
  auditRoutes(app, deps);
  vaultRoutes(app, deps);
  accountRoutes(app, deps);
  audienceRoutes(app, deps);
  hookRoutes(app, deps);
  leadRoutes(app, deps);
  mediaRoutes(app, deps);
  launchRoutes(app, deps);
  dashboardRoutes(app, deps);
  systemRoutes(app, deps, OPERATIONS);

  await app.ready();
  return app;
}

/** `/dashboard`: the status page and its sign-in. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ENVIRONMENTS, wireEnvironment } from '../../core/connector/hosts.ts';
import { asPolyadError, PolyadError } from '../../core/errors/index.ts';
import { html } from '../../core/http/html.ts';
import { listApiCalls } from '../../core/store/repositories/index.ts';
import { keyFrom, requireScope } from '../authentication.ts';
import type { Deps } from '../deps.ts';
import { sendPage } from '../page.ts';
import { type DashboardFacts, dashboardPage, signInPage } from '../pages/dashboard.ts';
import type { Principal } from '../request.ts';
import { closeSession, openSession, sessionCookie, sessionOf, useSessions } from '../session.ts';
import { apiCallToWire } from './apicall.ts';

const CALLS_SHOWN = 25;

/** Forms of other sites cannot act here: SameSite keeps the cookie back, and this refuses the request itself. */
function sameOrigin(request: FastifyRequest, publicUrl: string): void {
  const { origin, host } = request.headers;
  const from = origin === undefined || origin === 'null' ? null : URL.parse(origin);
  // A proxy may give the server another name than browsers use.
  if (from !== null && (from.host === host || from.origin === URL.parse(publicUrl)?.origin)) return;
  // Browsers leave Origin out of no form post; other programs have no business here.
  throw new PolyadError('input_invalid', { message: 'This form was not sent from this server’s own page.' });
}

function noticeOf(query: Record<string, unknown>): DashboardFacts['notice'] {
  // Here the person who declined and the one who reads are the same.
  if (query['error'] === 'oauth_denied')
    return { bad: true, text: 'Not connected: the access was not allowed. Press Connect to try again.' };
  if (typeof query['error'] === 'string') {
    const words = typeof query['error_description'] === 'string' ? query['error_description'] : query['error'];
    return { bad: true, text: `Not connected: ${words.slice(0, 300)}` };
  }
  return typeof query['id'] === 'string' ? { bad: false, text: 'Connected.' } : undefined;
}

/** In a context of their own: other routes know no sessions. */
export function dashboardRoutes(root: FastifyInstance, deps: Deps): void {
  root.register(async (app) => {
    await useSessions(app, deps);
    signedInRoutes(app, deps);
  });
}

function signedInRoutes(app: FastifyInstance, deps: Deps): void {
  const { services, runtime } = deps;
  const page = { config: { access: 'none' } } as const;

  const facts = async ({ workspace, key }: Principal, query: Record<string, unknown>): Promise<DashboardFacts> => {
    await services.callLog.flush();
    const [connections, calls, ...offers] = await Promise.all([
      services.connections.list(workspace, { limit: 100 }),
      listApiCalls(runtime.store.db, workspace.id, { limit: CALLS_SHOWN }),
      ...ENVIRONMENTS.map((environment) => services.integrations.list(workspace, { environment, summary: true })),
    ]);
    const back = `${deps.services.publicUrl()}/dashboard`;
    const notice = noticeOf(query);
    return {
      workspace,
      keyName: key.name,
      connections,
      calls: calls.map(apiCallToWire),
      offers: offers.flatMap((integrations, index) => {
        const environment = wireEnvironment(ENVIRONMENTS[index] as string);
        return integrations.map((integration) => ({
          environment,
          integration,
          href: `/unified/integration/auth/${workspace.id}/${encodeURIComponent(integration.type)}?${new URLSearchParams(
            {
              env: environment,
              redirect: 'true',
              success_redirect: back,
              failure_redirect: back,
            },
          )}`,
        }));
      }),
      ...(notice === undefined ? {} : { notice }),
    };
  };

  app.get('/dashboard', page, async (request, reply) => {
    const principal = await sessionOf(deps, request);
    const query = request.query as Record<string, unknown>;
    if (principal !== undefined) return sendPage(reply, dashboardPage(await facts(principal, query)));
    // Coming back from a platform, the browser keeps a SameSite=Strict cookie to itself; a step of our own brings it.
    if ((typeof query['id'] === 'string' || typeof query['error'] === 'string') && query['again'] === undefined) {
      const { id, error, error_description: words } = query;
      const given = Object.entries({ id, error, error_description: words, again: '1' });
      const next = new URLSearchParams(
        given.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as [string, string]] : [])),
      );
      return sendPage(reply, {
        title: 'One moment',
        body: html`<p class="lead">One moment. <a href="/dashboard?${next.toString()}">Go on</a></p>`,
        next: `/dashboard?${next}`,
      });
    }
    return reply.redirect('/dashboard/sign-in', 303);
  });

  app.get('/dashboard/sign-in', page, async (request, reply) =>
    (await sessionOf(deps, request)) === undefined ? sendPage(reply, signInPage()) : reply.redirect('/dashboard', 303),
  );

  const noteSession = (request: FastifyRequest, action: string, { key }: Principal, outcome?: string): Promise<void> =>
    services.audit.append({
      workspaceId: key.workspace_id,
      actor: { kind: 'session', id: key.id, name: key.name },
      action,
      objectType: 'Session',
      outcome,
      requestId: request.id,
      ipAddress: request.ip,
    });

  app.post('/dashboard/sign-in', page, async (request, reply) => {
    sameOrigin(request, services.publicUrl());
    const given = (request.body as Record<string, unknown> | undefined)?.['key'];
    let principal: Principal | undefined;
    try {
      principal = await services.authentication.principal(
        keyFrom(typeof given === 'string' ? given : undefined),
        request.ip,
      );
      requireScope(principal, 'admin');
    } catch (thrown) {
      const error = asPolyadError(thrown);
      if (error.status >= 500) throw thrown;
      if (principal !== undefined) await noteSession(request, 'openSession', principal, error.code);
      if (error.retryAfterMs !== undefined)
        reply.code(error.status).header('retry-after', String(Math.ceil(error.retryAfterMs / 1000)));
      return sendPage(reply, {
        ...signInPage(error.message),
        ...(reply.statusCode === 200 ? {} : { status: error.status }),
      });
    }
    await openSession(request, principal);
    await noteSession(request, 'openSession', principal);
    return reply.redirect('/dashboard', 303);
  });

  app.post('/dashboard/sign-out', page, async (request, reply) => {
    sameOrigin(request, services.publicUrl());
    const principal = await sessionOf(deps, request);
    await closeSession(request);
    const { name, path } = sessionCookie(runtime.config.publicUrl);
    reply.clearCookie(name, { path, secure: path === '/' });
    if (principal !== undefined) await noteSession(request, 'closeSession', principal);
    return reply.redirect('/dashboard/sign-in', 303);
  });
}

/** `/dashboard`: the status page and its sign-in. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ENVIRONMENTS, wireEnvironment } from '../../core/connector/hosts.ts';
import { asPolyadError, PolyadError } from '../../core/errors/index.ts';
import { html } from '../../core/http/html.ts';
import { listApiCalls } from '../../core/store/repositories/index.ts';
import { authenticate, keyFrom, requireScope } from '../authentication.ts';
import type { Deps } from '../deps.ts';
import { sendPage } from '../page.ts';
import { type DashboardFacts, dashboardPage, signInPage } from '../pages/dashboard.ts';
import type { Principal } from '../request.ts';
import { closeSession, openSession, sessionOf } from '../session.ts';
import { apiCallToWire } from './apicall.ts';

/** Tries to sign in per address and minute. */
const SIGN_IN_TRIES = 30;
const CALLS_SHOWN = 25;

/** Forms of other sites cannot act here: SameSite keeps the cookie back, and this refuses the request itself. */
function sameOrigin(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  if (origin !== undefined && origin !== 'null' && URL.parse(origin)?.host === host) return;
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

export function dashboardRoutes(app: FastifyInstance, deps: Deps): void {
  const { services, runtime } = deps;
  const page = { config: { access: 'none' } } as const;

  const facts = async ({ workspace, key }: Principal, query: Record<string, unknown>): Promise<DashboardFacts> => {
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

  app.post(
    '/dashboard/sign-in',
    {
      config: {
        access: 'none',
        rateLimit: {
          max: SIGN_IN_TRIES,
          timeWindow: 60_000,
          keyGenerator: (request: FastifyRequest) => `sign-in ${request.ip}`,
        },
      },
    },
    async (request, reply) => {
      sameOrigin(request);
      const given = (request.body as Record<string, unknown> | undefined)?.['key'];
      try {
        const key = keyFrom(typeof given === 'string' ? given : undefined);
        const principal = await authenticate(key, services.cache.apiKey, runtime.clock);
        requireScope(principal, 'admin');
        openSession(deps, reply, principal);
      } catch (thrown) {
        const error = asPolyadError(thrown);
        if (error.status >= 500) throw thrown;
        return sendPage(reply, signInPage(error.message));
      }
      return reply.redirect('/dashboard', 303);
    },
  );

  app.post('/dashboard/sign-out', page, async (request, reply) => {
    sameOrigin(request);
    closeSession(deps, reply);
    return reply.redirect('/dashboard/sign-in', 303);
  });
}

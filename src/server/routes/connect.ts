/** The connect flow for browsers: the auth address, the hosted page, the platform's way back. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type BrowserAnswer, errorPage } from '../../core/auth/connect-page.ts';
import { asPolyadError } from '../../core/errors/index.ts';
import { redactAnswer } from '../../core/http/redact.ts';
import type { Deps } from '../deps.ts';
import { flagOf, manyOf } from '../input.ts';
import { type Operation, operation, serve } from '../operation.ts';

const text = (what: string) => z.string().optional().describe(what);

const auth = operation({
  id: 'getUnifiedIntegrationAuth',
  method: 'GET',
  path: '/unified/integration/auth/:workspace_id/:integration_type',
  tag: 'Integration',
  summary: 'Get the address at which a customer connects',
  description:
    'Send the customer’s browser there. When the connection has been made and tested, the browser comes back to `success_redirect` with `id` and `state`, or to `failure_redirect` with `error`. The address lives ten minutes and works once, in one browser.',
  access: 'none',
  anyOrigin: true,
  params: { workspace_id: 'Id of the workspace.', integration_type: 'Type slug of the integration.' },
  query: z.object({
    connection_id: text('Connection to authorise again in place; together with `reauth_token`.'),
    env: text('Environment. Default: that of the workspace.'),
    external_xref: text('Your id of the customer, kept on the connection.'),
    failure_redirect: text('Where the customer lands on failure; `error` is appended.'),
    grant: text('Another kind of grant than the platform’s usual one. An addition of polyad.'),
    lang: text('Language of the page: en, fr, es, it, pt, zh, hi.'),
    reauth_token: text('Token of the re-connect link.'),
    redirect: flagOf('true: send the browser there at once instead of answering the address.'),
    region: text('Region of the platform’s API; ignored where it has one.'),
    scopes: manyOf('Permissions to ask for. Repeated or joined by commas; default: all that the platform offers.'),
    state: text('Given back unchanged.'),
    subdomain: text('Tenant host; ignored where the platform has none.'),
    success_redirect: text('Where the customer lands; `id` and `state` are appended.'),
  }),
  answer: { description: 'The address.', contentType: 'text/plain' },
});

/** Operations of the connect flow that programs call; the pages are for browsers. */
export const CONNECT_OPERATIONS: readonly Operation[] = [auth];

const browserAnswer = (reply: FastifyReply, answer: BrowserAnswer): FastifyReply =>
  reply.code(answer.status).headers(answer.headers).send(redactAnswer(answer.body));

/** One value per name: the first, where a name is repeated. */
const first = (values: unknown): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries((values ?? {}) as Record<string, unknown>).map(([name, value]) => {
      const one: unknown = Array.isArray(value) ? value[0] : value;
      return [name, typeof one === 'string' ? one : undefined];
    }),
  );

export function connectRoutes(app: FastifyInstance, { services: { connect } }: Deps): void {
  serve(app, auth, async ({ request, reply, params, query: { redirect, region: _, subdomain: __, ...query } }) => {
    try {
      const { url } = await connect.start(
        params['workspace_id'] as string,
        params['integration_type'] as string,
        query,
      );
      if (redirect === true) return reply.header('cache-control', 'no-store').redirect(url, 302);
      return reply.header('content-type', 'text/plain; charset=utf-8').header('cache-control', 'no-store').send(url);
    } catch (thrown) {
      const error = asPolyadError(thrown);
      // A person followed the link: a page says it better than JSON.
      if (redirect !== true || error.code === 'internal' || !/\btext\/html\b/.test(request.headers.accept ?? ''))
        throw thrown;
      request.state.error = error;
      return browserAnswer(reply, errorPage(error, request.id, { lang: query.lang }));
    }
  });

  const browser = (request: FastifyRequest) => ({
    cookie: request.headers.cookie,
    requestId: request.id,
    ipAddress: request.ip,
    signal: request.state.signal,
  });
  const page = { config: { access: 'none' } } as const;
  app.get('/connect/:link', page, async (request, reply) => {
    const { link } = request.params as { link: string };
    return browserAnswer(reply, await connect.page(link, browser(request)));
  });
  app.post('/connect/:link', page, async (request, reply) => {
    const { link } = request.params as { link: string };
    return browserAnswer(reply, await connect.submit(link, first(request.body), browser(request)));
  });
  // Some platforms want the redirect address to end in a slash.
  for (const path of ['/connect/callback/:type', '/connect/callback/:type/'])
    app.get(path, page, async (request, reply) => {
      const { type } = request.params as { type: string };
      return browserAnswer(reply, await connect.callback(type, first(request.query), browser(request)));
    });
}

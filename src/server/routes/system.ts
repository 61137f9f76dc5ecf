/** The API document and the pages around it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../deps.ts';
import { openApiDocument } from '../openapi/document.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { ICON, STYLE, sendPage } from '../page.ts';
import { errorsPage } from '../pages/errors.ts';
import { landingPage } from '../pages/landing.ts';
import { HEALTH_OPERATIONS } from './health.ts';

const open = { tag: 'System', access: 'none' } as const;

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
export const SYSTEM_OPERATIONS: readonly Operation[] = [...HEALTH_OPERATIONS, document];

/** The reference page needs scripts and inline styles of the bundle; it still loads nothing from other hosts. */
const REFERENCE_POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; " +
  "img-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const asset = (reply: FastifyReply, type: string, body: string): FastifyReply =>
  reply.header('content-type', type).header('cache-control', 'public, max-age=3600').send(body);

export function systemRoutes(app: FastifyInstance, deps: Deps, operations: readonly Operation[]): void {
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

  // Made when somebody first looks at it: its bundle would be an eighth of what a node takes that serves nobody's browser.
  let reference: Promise<FastifyInstance> | undefined;
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    reference ??= referencePages();
    const made = await (await reference).inject({ method: 'GET', url: request.url });
    for (const [name, value] of Object.entries(made.headers))
      if (value !== undefined && !OWN_HEADERS.has(name)) reply.header(name, value);
    return reply.code(made.statusCode).header('content-security-policy', REFERENCE_POLICY).send(made.rawPayload);
  };
  app.get('/docs', page, answer);
  app.get('/docs/*', page, answer);
}

/** Headers that the connection's own server writes. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['connection', 'content-length', 'date', 'keep-alive']);

/** The reference page and its files, as a server that listens nowhere. */
async function referencePages(): Promise<FastifyInstance> {
  const [{ default: Fastify }, { default: plugin }] = await Promise.all([
    import('fastify'),
    import('@scalar/fastify-api-reference'),
  ]);
  const pages = Fastify({ logger: false });
  await pages.register(plugin, {
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
  await pages.ready();
  return pages;
}

/** `/unified/connection`: authorizations of end customers. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Connection, connection } from '../../core/model/index.ts';
import type { Deps } from '../deps.ts';
import { instantOf, limitOf, manyOf, offsetOf } from '../input.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { principalOf } from '../request.ts';

const base = { tag: 'Connection' } as const;
const id = { id: 'Id of the connection.' };
const none = z.object({});
/** What may be sent: every member, none required, nothing unknown. */
const body = z.strictObject(connection.partial().shape);

const list = operation({
  ...base,
  id: 'listUnifiedConnections',
  method: 'GET',
  path: '/unified/connection',
  summary: 'List connections',
  description: 'Newest first unless `order` says otherwise.',
  access: 'read',
  query: z.object({
    categories: manyOf('Connections with one of these categories. Repeated or joined by commas.'),
    env: z.string().optional().describe('Connections in this environment.'),
    external_xref: z.string().optional().describe('Connections with this reference of yours.'),
    integration_type: z.string().optional().describe('Connections to this platform. An addition of polyad.'),
    limit: limitOf,
    offset: offsetOf,
    order: z.enum(['asc', 'desc']).optional().describe('Direction of the sort.'),
    sort: z.enum(['name', 'created_at', 'updated_at']).optional().describe('Member to sort by.'),
    updated_gte: instantOf('Connections changed at or after this instant. No zone means UTC.'),
  }),
  answer: { description: 'The connections.', schema: z.array(connection) },
});

const get = operation({
  ...base,
  id: 'getUnifiedConnection',
  method: 'GET',
  path: '/unified/connection/:id',
  summary: 'Get a connection',
  access: 'read',
  params: id,
  query: none,
  answer: { description: 'The connection.', schema: connection },
});

const create = operation({
  ...base,
  id: 'createUnifiedConnection',
  method: 'POST',
  path: '/unified/connection',
  summary: 'Import a connection from credentials you hold',
  description:
    'The credentials in `auth` (`access_token`, `refresh_token`, `expires_in`, `meta`) are tested at the platform and then stored encrypted; they are never answered.',
  access: 'write',
  query: none,
  body,
  answer: { description: 'The connection.', schema: connection },
});

const change = (operationId: string, method: 'PUT' | 'PATCH') =>
  operation({
    ...base,
    id: operationId,
    method,
    path: '/unified/connection/:id',
    summary: 'Change a connection',
    description:
      'Changes what is sent and nothing else; PUT and PATCH do the same. `is_paused` stops and restarts calls.',
    access: 'write',
    params: id,
    query: none,
    body,
    answer: { description: 'The connection as it now is.', schema: connection },
  });
const changes = [change('updateUnifiedConnection', 'PUT'), change('patchUnifiedConnection', 'PATCH')];

const remove = operation({
  ...base,
  id: 'removeUnifiedConnection',
  method: 'DELETE',
  path: '/unified/connection/:id',
  summary: 'Delete a connection and its credentials',
  access: 'write',
  params: id,
  query: none,
  answer: { description: 'Deleted. The body is an empty object.', schema: none },
});

/** All operations under `/unified/connection`. */
export const CONNECTION_OPERATIONS: readonly Operation[] = [list, get, create, ...changes, remove];

export function connectionRoutes(app: FastifyInstance, { services: { connections } }: Deps): void {
  const caller = (request: FastifyRequest) => ({ requestId: request.id, signal: request.state.signal });
  serve(app, list, ({ request, query }) => connections.list(principalOf(request).workspace, query));
  serve(app, get, ({ request, params }) => connections.get(principalOf(request).workspace, params['id'] as string));
  serve(app, create, ({ request, body: given }) =>
    connections.create(principalOf(request).workspace, given as Partial<Connection>, caller(request)),
  );
  for (const one of changes)
    serve(app, one, ({ request, params, body: given }) =>
      connections.update(
        principalOf(request).workspace,
        params['id'] as string,
        given as Partial<Connection>,
        caller(request),
      ),
    );
  serve(app, remove, async ({ request, params }) => {
    await connections.remove(principalOf(request).workspace, params['id'] as string);
    return {};
  });
}

/** `/unified/connection`: authorizations of end customers. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { PolyadError } from '../../core/errors/index.ts';
import { type Connection, connection } from '../../core/model/index.ts';
import { noteAct } from '../audit.ts';
import { requireConnection } from '../authentication.ts';
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

/** What the audit log keeps of a connection. */
const shown = ({ integration_type, environment, external_xref, permissions, is_paused }: Connection) => ({
  ...{ integration_type, environment, external_xref, permissions, is_paused },
});

export function connectionRoutes(app: FastifyInstance, { services: { connections } }: Deps): void {
  const caller = (request: FastifyRequest) => ({ requestId: request.id, signal: request.state.signal });
  /** The workspace of a call about one connection, and that connection's id. */
  const about = (request: FastifyRequest, params: Record<string, string>) => {
    const principal = principalOf(request);
    const connectionId = params['id'] as string;
    requireConnection(principal, connectionId);
    noteAct(request, { connectionId });
    return [principal.workspace, connectionId] as const;
  };
  serve(app, list, ({ request, query }) => {
    const { key, workspace } = principalOf(request);
    return connections.list(workspace, { ...query, connection_ids: key.connection_ids });
  });
  serve(app, get, ({ request, params }) => connections.get(...about(request, params)));
  serve(app, create, async ({ request, body: given }) => {
    const { key, workspace } = principalOf(request);
    // It could not use what it makes.
    if (key.connection_ids !== null)
      throw new PolyadError('key_connection', {
        message: 'A key for certain connections makes no others.',
        details: { connection_ids: key.connection_ids },
      });
    const made = await connections.create(workspace, given as Partial<Connection>, caller(request));
    noteAct(request, { connectionId: made.id as string, details: { after: shown(made) } });
    return made;
  });
  for (const one of changes)
    serve(app, one, async ({ request, params, body: given }) => {
      const [workspace, id] = about(request, params);
      const before = await connections.get(workspace, id);
      const after = await connections.update(workspace, id, given as Partial<Connection>, caller(request));
      const fields = Object.keys(given);
      noteAct(request, { details: { fields, before: shown(before), after: shown(after) } });
      return after;
    });
  serve(app, remove, async ({ request, params }) => {
    const [workspace, id] = about(request, params);
    noteAct(request, { details: { before: shown(await connections.get(workspace, id)) } });
    await connections.remove(workspace, id);
    return {};
  });
}

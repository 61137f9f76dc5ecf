/** `/unified/apicall`: the call log. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { reaches } from '../../core/auth/key-scopes.ts';
import { parseEnvironment, wireEnvironment } from '../../core/connector/hosts.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { type ApiCall, apiCall, toWire } from '../../core/model/index.ts';
import { getApiCall, listApiCalls } from '../../core/store/repositories/index.ts';
import type { ApiCallRow } from '../../core/store/schema.ts';
import type { Deps } from '../deps.ts';
import { flagOf, instantOf, limitOf, offsetOf } from '../input.ts';
import { operation, serve } from '../operation.ts';
import { principalOf } from '../request.ts';

/** A row of the log in the form of the wire contract. */
export function apiCallToWire(row: ApiCallRow): ApiCall {
  return toWire({
    id: row.id,
    created_at: row.created_at,
    workspace_id: row.workspace_id,
    connection_id: row.connection_id,
    integration_type: row.integration_type,
    environment: wireEnvironment(row.environment),
    external_xref: row.external_xref,
    name: row.name,
    method: row.method,
    path: row.path,
    status: row.status,
    type: row.type,
    error: row.error,
    size: row.size,
    endapi_response_time: row.endapi_ms,
    unified_response_time: row.unified_ms,
    ip_address: row.ip_address,
    user_agent: row.user_agent,
    is_billable: false,
  }) as ApiCall;
}

const list = operation({
  id: 'listUnifiedApicalls',
  method: 'GET',
  path: '/unified/apicall',
  tag: 'Apicall',
  summary: 'List calls of the log',
  description:
    'Newest first unless `order` says otherwise. A call appears at once where the same node answered it, else ' +
    'within two seconds.',
  access: 'read',
  query: z.object({
    connection_id: z.string().optional().describe('Calls of this connection.'),
    env: z.string().optional().describe('Calls in this environment.'),
    error: flagOf('true: failed calls only. false: successful ones only.'),
    external_xref: z.string().optional().describe('Calls of connections with this reference.'),
    integration_type: z.string().optional().describe('Calls to this platform.'),
    is_billable: flagOf('polyad charges nothing: true gives an empty list.'),
    limit: limitOf,
    offset: offsetOf,
    order: z.enum(['asc', 'desc']).optional().describe('Direction of the sort.'),
    request_id: z.string().optional().describe('The call with this request id. An addition of polyad.'),
    sort: z.enum(['name', 'created_at', 'updated_at']).optional().describe('Member to sort by.'),
    type: z.string().optional().describe('Kind of call.'),
    updated_gte: instantOf('Calls at or after this instant. No zone means UTC.'),
    webhook_id: z.string().optional().describe('Calls of this webhook.'),
  }),
  answer: { description: 'The calls.', schema: z.array(apiCall) },
});

const get = operation({
  id: 'getUnifiedApicall',
  method: 'GET',
  path: '/unified/apicall/:id',
  tag: 'Apicall',
  summary: 'Get a call of the log',
  access: 'read',
  params: { id: 'Id of the entry.' },
  query: z.object({}),
  answer: { description: 'The call.', schema: apiCall },
});

/** All operations under `/unified/apicall`. */
export const APICALL_OPERATIONS = [list, get];

export function apicallRoutes(app: FastifyInstance, { runtime, services }: Deps): void {
  serve(app, list, async ({ request, query }) => {
    const { key, workspace } = principalOf(request);
    const { env, is_billable, webhook_id, integration_type, ...filter } = query;
    // Nothing is billable and no call was made by a webhook: honest answers to those two filters are empty.
    if (is_billable === true || webhook_id !== undefined) return [];
    const environment = parseEnvironment(env);
    const type =
      integration_type === undefined
        ? undefined
        : (runtime.registry.find(integration_type)?.manifest.type ?? integration_type);
    await services.callLog.flush();
    const rows = await listApiCalls(runtime.store.db, workspace.id, {
      ...{ ...filter, environment, integration_type: type, connection_ids: key.connection_ids },
    });
    return rows.map(apiCallToWire);
  });
  serve(app, get, async ({ request, params }) => {
    const { key, workspace } = principalOf(request);
    await services.callLog.flush();
    const row = await getApiCall(runtime.store.db, workspace.id, params['id'] as string);
    if (row === undefined || !reaches(key, row.connection_id ?? ''))
      throw new PolyadError('record_not_found', { message: 'There is no such call in the log.' });
    return apiCallToWire(row);
  });
}

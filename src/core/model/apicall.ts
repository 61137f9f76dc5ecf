import { z } from 'zod';
import { dateTime, id, openEnum } from './common.ts';
import { API_CALL_TYPES } from './enums-connection.ts';

const text = (what: string) => z.string().optional().describe(what);

/** One entry of the call log. */
export const apiCall = z
  .object({
    connection_id: text('Id of the connection.'),
    created_at: dateTime.optional().describe('When the call arrived.'),
    endapi_response_time: z.number().optional().describe('Time spent at the platform, in milliseconds.'),
    environment: text('Environment of the connection.'),
    error: text('Message of a failed call.'),
    external_xref: text('Your own id of the end customer.'),
    id: id.optional().describe('Id of the entry.'),
    integration_type: z.string().describe('Type slug of the integration; empty when no connection was involved.'),
    ip_address: text('Address of the caller.'),
    is_billable: z.boolean().optional().describe('Always false: polyad charges nothing.'),
    method: z.string().describe('HTTP method.'),
    name: z.string().describe('Name of the operation.'),
    path: z.string().describe('Path of the request, without secrets.'),
    size: z.number().optional().describe('Size of the answer in bytes.'),
    status: z.string().describe('HTTP status, as text.'),
    type: openEnum(API_CALL_TYPES).describe('Kind of call.'),
    unified_response_time: z.number().optional().describe('Time spent in polyad, in milliseconds.'),
    user_agent: text('User agent of the caller.'),
    webhook_id: text('Id of the webhook, for deliveries.'),
    workspace_id: text('Id of the workspace.'),
  })
  .meta({ id: 'ApiCall', description: 'One entry of the call log.' });
export type ApiCall = z.infer<typeof apiCall>;

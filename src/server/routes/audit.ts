/** `/v1/audit`: the audit log, for export and verification. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { BEGINNING } from '../../core/audit/chain.ts';
import { hasScope } from '../../core/auth/key-scopes.ts';
import { PolyadError } from '../../core/errors/index.ts';
import type { Deps } from '../deps.ts';
import { instantOf } from '../input.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { type Principal, principalOf } from '../request.ts';
import { countBytes, primed, rowStream } from '../streams.ts';

const base = { tag: 'Administration', access: 'admin', method: 'GET' } as const;
const workspaceId = z.string().optional().describe('Another workspace than the key’s own: needs the scope `operator`.');

const record = z
  .object({
    workspace_id: z.string(),
    seq: z.number().int().describe('1, 2, 3 … without gaps in each workspace.'),
    at: z.string(),
    actor_kind: z
      .enum(['api_key', 'session', 'customer', 'system', 'console'])
      .describe('An API key, the dashboard, an end customer, the server itself, or somebody at the machine.'),
    actor_id: z.string().nullable().describe('Id of the API key.'),
    actor_name: z.string().nullable(),
    action: z.string().describe('The operation: `createApiKey`, `updateAdsCampaign`, `useCredentials` …'),
    object_type: z.string().nullable(),
    object_id: z.string().nullable(),
    connection_id: z.string().nullable(),
    outcome: z.string().describe('`ok`, or the code of the error.'),
    request_id: z.string().nullable(),
    ip_address: z.string().nullable(),
    details: z.record(z.string(), z.unknown()).describe('`before` and `after` of a write, and what else is known.'),
    previous_hash: z.string(),
    hash: z
      .string()
      .describe('SHA-256 over the compact JSON array of all members above, `previous_hash` first, then in this order.'),
  })
  .meta({ id: 'AuditRecord', description: 'Something that was done. Each hash covers the one before it.' });

const exportRows = operation({
  ...base,
  id: 'exportAuditLog',
  path: '/v1/audit',
  summary: 'Export the audit log',
  description:
    'One JSON object a line, oldest first. `X-Polyad-Audit-Head` is the number and the hash of the last row, as `12:3f…`: note it elsewhere to be able to show later that nothing before it was changed.',
  query: z.object({
    after: z.coerce.number().int().min(0).optional().describe('Rows after this number: for taking up an export again.'),
    action: z.string().optional().describe('Rows of this action. The chain of a filtered export has gaps.'),
    connection_id: z.string().optional().describe('Rows about this connection.'),
    at_gte: instantOf('Rows at or after this instant. No zone means UTC.'),
    at_lt: instantOf('Rows before this instant. No zone means UTC.'),
    workspace_id: workspaceId,
  }),
  answer: { description: 'The rows.', contentType: 'application/x-ndjson', schema: record },
  audit: 'always',
});

const verify = operation({
  ...base,
  id: 'verifyAuditLog',
  path: '/v1/audit/verify',
  summary: 'Check that the audit log is whole',
  query: z.object({
    head: z
      .string()
      .regex(/^\d{1,10}:[0-9a-f]{64}$/, 'must be number and hash of a row, as X-Polyad-Audit-Head has them')
      .optional()
      .describe('A head that was noted before.'),
    workspace_id: workspaceId,
  }),
  answer: {
    description: 'What was found.',
    schema: z
      .object({
        ok: z.boolean(),
        rows: z.number().int(),
        first: z.number().int().optional(),
        last: z.number().int().optional(),
        hash: z.string(),
        sealed: z.boolean().describe('The end carries a signature of this installation’s master key.'),
        fault: z.object({ seq: z.number().int(), reason: z.string() }).optional(),
      })
      .meta({ id: 'AuditVerification', description: 'Whether every row follows the one before it.' }),
  },
});

/** Operations of the audit log. */
export const AUDIT_OPERATIONS: readonly Operation[] = [exportRows, verify];

function targetOf({ key, workspace }: Principal, named: string | undefined): string {
  if (named === undefined || named === workspace.id || hasScope(key.scopes, 'operator')) return named ?? workspace.id;
  throw new PolyadError('workspace_not_found', { details: { workspace_id: named.slice(0, 64) } });
}

export function auditRoutes(app: FastifyInstance, { services: { audit } }: Deps): void {
  serve(app, exportRows, async ({ request, reply, query: { workspace_id, ...filters } }) => {
    const workspace = targetOf(principalOf(request), workspace_id);
    const rows = await primed(audit.rows(workspace, filters));
    const end = await audit.end(workspace);
    reply.header('x-polyad-audit-head', `${end?.seq ?? 0}:${end?.hash ?? BEGINNING}`);
    reply.header('content-type', 'application/x-ndjson; charset=utf-8');
    countBytes(reply, request.state);
    return reply.send(rowStream(rows, 'ndjson'));
  });
  serve(app, verify, ({ request, query: { head, workspace_id } }) => {
    const [seq, hash] = head?.split(':') ?? [];
    const anchor = seq === undefined || hash === undefined ? undefined : { seq: Number(seq), hash };
    return audit.verify(targetOf(principalOf(request), workspace_id), anchor);
  });
}

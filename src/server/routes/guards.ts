/** `/v1/spend_guards` and `/v1/writes`: limits to what writes may spend, and writes whose outcome is open. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { PlatformRegistry } from '../../core/connector/registry.ts';
import type { ObjectName } from '../../core/connector/types.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { settleWrite } from '../../core/idempotency/settle.ts';
import { parseDecimal } from '../../core/model/decimal.ts';
import { toWire } from '../../core/model/index.ts';
import {
  type GuardScope,
  listOpenWrites,
  listSpendGuards,
  putSpendGuard,
  removeSpendGuard,
} from '../../core/store/repositories/index.ts';
import type { SpendGuardRow, SpendRules, WriteRow } from '../../core/store/schema.ts';
import { noteAct } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { limitOf, offsetOf } from '../input.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { principalOf } from '../request.ts';
import { scopeOf } from '../scope.ts';

const amount = z
  .union([z.string(), z.number()])
  .refine((value) => /^\d/.test(parseDecimal(value) ?? ''), 'must be an amount of 0 or more, such as "250.50"')
  .transform((value) => parseDecimal(value) as string);

const amounts = (what: string) =>
  z
    .record(z.string().regex(/^[A-Z]{3}$/, 'must be a currency, such as USD'), amount)
    .refine((value) => Object.keys(value).length > 0, 'must name at least one currency')
    .optional()
    .describe(`${what}, by currency. Ad accounts in a currency that is not named are refused.`);

const scope = {
  integration_type: z.string().optional().describe('With `organization_id`: the platform of the ad account.'),
  organization_id: z.string().min(1).optional().describe('An ad account. Absent: every ad account of the workspace.'),
};
const rules = {
  max_daily_budget: amounts('Largest daily budget of one campaign, group or ad'),
  max_total_budget: amounts('Largest total budget of one campaign, group or ad'),
  max_increase_percent: z
    .number()
    .min(0)
    .max(1_000_000)
    .optional()
    .describe('Most that one change may add to a budget, in percent of what it was.'),
  create_paused: z.boolean().optional().describe('New objects are paused unless the caller names a status.'),
};

const guard = z
  .object({ ...scope, ...rules, updated_at: z.string() })
  .meta({ id: 'SpendGuard', description: 'Limits to what writes may spend.' });

const base = { tag: 'Administration', access: 'admin' } as const;

const guards = {
  list: operation({
    ...base,
    access: 'read',
    id: 'listSpendGuards',
    method: 'GET',
    path: '/v1/spend_guards',
    summary: 'List spend guards',
    query: z.object({}),
    answer: { description: 'The guards, the workspace’s own first.', schema: z.array(guard) },
  }),
  put: operation({
    ...base,
    id: 'putSpendGuard',
    method: 'PUT',
    path: '/v1/spend_guards',
    summary: 'Set the spend guard of the workspace or of one ad account',
    description:
      'Replaces all rules of that scope. A write must pass the guards of both. They hold for everything under `/ads` and `/v1/bulk`, before anything is sent, dry runs included; pass-through is not looked into.',
    query: z.object({}),
    body: z.strictObject({ ...scope, ...rules }),
    answer: { description: 'The guard as it now is.', schema: guard },
  }),
  remove: operation({
    ...base,
    id: 'removeSpendGuard',
    method: 'DELETE',
    path: '/v1/spend_guards',
    summary: 'Remove the spend guard of the workspace or of one ad account',
    query: z.object(scope),
    answer: { description: 'Removed. The body is an empty object.', schema: z.object({}) },
  }),
};

const openWrites = operation({
  tag: 'Administration',
  access: 'read',
  id: 'listOpenWrites',
  method: 'GET',
  path: '/v1/writes',
  summary: 'Writes whose outcome is open',
  description:
    'Those that are under way, and those whose answer was lost and which could not be settled: `check` says where to look. Repeating one under its key looks again.',
  query: z.object({ limit: limitOf, offset: offsetOf }),
  answer: {
    description: 'Oldest first.',
    schema: z.array(
      z
        .object({
          id: z.string(),
          connection_id: z.string(),
          route: z.string().describe('Verb and object.'),
          idempotency_key: z.string().optional(),
          state: z.enum(['in_flight', 'unknown']),
          name: z.string().optional().describe('Name of the object.'),
          sent_at: z.string().optional().describe('When the first request may have left.'),
          created_at: z.string(),
          organization_id: z.string().optional().describe('Ad account in which it creates.'),
          check: z.string().optional().describe('Where to look.'),
          error: z.record(z.string(), z.unknown()).optional().describe('What the caller was answered.'),
        })
        .meta({ id: 'OpenWrite', description: 'A write whose outcome is open.' }),
    ),
  },
});

const settle = operation({
  tag: 'Administration',
  access: 'write',
  id: 'settleWrite',
  method: 'POST',
  path: '/v1/connections/:connection_id/writes/:id/settle',
  summary: 'Say what became of a write whose outcome is open',
  description:
    'For a person who has looked at the platform. Done: a repetition under its key is answered the object. Not done: its key is free.',
  params: { connection_id: 'Id of the connection.', id: 'Id of the write.' },
  query: z.object({}),
  body: z.strictObject({
    outcome: z.enum(['done', 'not_done']).describe('Whether the platform carried it out.'),
    object_id: z.string().min(1).max(128).optional().describe('For a creation that was done: the id of the object.'),
  }),
  answer: { description: 'Closed. The body is an empty object.', schema: z.object({}) },
});

/** Operations of spend guards and open writes. */
export const GUARD_OPERATIONS: readonly Operation[] = [...Object.values(guards), openWrites, settle];

const guardToWire = ({ integration_type, organization_id, rules: own, updated_at }: SpendGuardRow) =>
  toWire({
    integration_type: integration_type === '' ? undefined : integration_type,
    organization_id: organization_id === '' ? undefined : organization_id,
    ...own,
    updated_at,
  });

function writeToWire(registry: PlatformRegistry, row: WriteRow) {
  const { id, connection_id, route, key, state, target, marker, sent_at, created_at, answer } = row;
  // Of a creation: platform/environment/ad account/native name.
  const [type, , organization] = target?.split('/') ?? [];
  const object = route.split(' ')[1] as ObjectName;
  const platform = type === undefined ? undefined : registry.find(type);
  return toWire({
    id,
    connection_id,
    route,
    idempotency_key: key ?? undefined,
    state,
    name: marker ?? undefined,
    organization_id: organization || undefined,
    sent_at: sent_at ?? undefined,
    created_at,
    check: platform?.objects[object]?.idempotency?.check,
    error: answer ?? undefined,
  });
}

/** Registers the routes. */
export function guardRoutes(app: FastifyInstance, deps: Deps): void {
  const { runtime } = deps;
  const { db } = runtime.store;

  const scopeFrom = (named: {
    integration_type?: string | undefined;
    organization_id?: string | undefined;
  }): GuardScope => {
    const { integration_type: type, organization_id: organization } = named;
    if ((type === undefined) !== (organization === undefined))
      throw new PolyadError('input_invalid', {
        message: '`integration_type` and `organization_id` go together.',
        details: {
          issues: [{ path: type === undefined ? 'integration_type' : 'organization_id', reason: 'is missing' }],
        },
      });
    return {
      integration_type: type === undefined ? '' : runtime.registry.get(type).manifest.type,
      organization_id: organization ?? '',
    };
  };

  serve(app, guards.list, async ({ request }) =>
    (await listSpendGuards(db, principalOf(request).workspace.id)).map(guardToWire),
  );
  serve(app, guards.put, async ({ request, body }) => {
    const { integration_type, organization_id, ...own } = body;
    const { workspace } = principalOf(request);
    const at = scopeFrom({ integration_type, organization_id });
    return guardToWire(await putSpendGuard(db, workspace.id, at, own as SpendRules, runtime.clock.now()));
  });
  serve(app, guards.remove, async ({ request, query }) => {
    await removeSpendGuard(db, principalOf(request).workspace.id, scopeFrom(query));
    return {};
  });
  serve(app, openWrites, async ({ request, query }) => {
    const { limit = 100, offset = 0 } = query;
    const { workspace, key } = principalOf(request);
    const rows = await listOpenWrites(db, workspace.id, key.connection_ids, limit, offset);
    return rows.map((row) => writeToWire(runtime.registry, row));
  });
  serve(app, settle, async ({ request, params, body }) => {
    const { outcome, object_id: objectId } = body;
    const scope = await scopeOf(deps, request);
    const finding = { done: outcome === 'done', objectId };
    const row = await settleWrite(runtime, runtime.objects, scope, params['id'] as string, finding);
    noteAct(request, { connectionId: row.connection_id, details: { ...body, route: row.route } });
    return {};
  });
}

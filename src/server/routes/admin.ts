/** `/v1/workspaces` and `/v1/events`: administration of workspaces, and what happened in them. Not part of the wire contract. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { hasScope } from '../../core/auth/key-scopes.ts';
import { DEFAULT_REDIRECT_ORIGINS, parseOrigin } from '../../core/auth/redirects.ts';
import { ENVIRONMENTS, parseEnvironment, wireEnvironment } from '../../core/connector/hosts.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { toWire } from '../../core/model/index.ts';
import {
  createWorkspace,
  deleteWorkspace,
  listEvents,
  listWorkspaces,
  updateWorkspace,
} from '../../core/store/repositories/index.ts';
import type { EventRow, WorkspaceRow } from '../../core/store/schema.ts';
import { noteAct } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { instantOf, limitOf, nameOf, offsetOf } from '../input.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { principalOf } from '../request.ts';
import { workspaceOf } from '../workspace.ts';
import { KEY_OPERATIONS, keyRoutes } from './keys.ts';

const environmentName = z
  .string()
  .refine(
    (value) => (ENVIRONMENTS as readonly string[]).includes(value.toLowerCase()),
    `must be one of ${ENVIRONMENTS.join(', ')}`,
  );

const origins = z
  .array(
    z
      .string()
      .refine((value) => parseOrigin(value) !== undefined, 'must be an origin, such as https://app.example.com'),
  )
  .max(100)
  .describe(
    `Origins a connect flow may send customers back to. Without the list: ${DEFAULT_REDIRECT_ORIGINS.slice(0, 2).join(', ')} and the like.`,
  );

const WEIGHT =
  'Share of platform quota relative to other workspaces that use the same app, when it is short. Default 1.';
const quotaWeight = z.number().min(0.01).max(100).describe(WEIGHT);

const workspaceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    default_environment: z.string().describe('Environment of calls that name none.'),
    redirect_origins: origins.optional(),
    quota_weight: z.number().optional().describe(WEIGHT),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Workspace', description: 'A user of polyad: owns keys, app credentials and connections.' });

const eventSchema = z
  .object({
    id: z.string(),
    workspace_id: z.string(),
    connection_id: z.string().optional(),
    type: z.string(),
    payload: z.record(z.string(), z.unknown()),
    created_at: z.string(),
  })
  .meta({ id: 'Event', description: 'Something that happened in a workspace.' });

const id = { id: 'Id.' };
const none = z.object({});
const base = { tag: 'Administration', access: 'admin' } as const;

const workspaces = {
  list: operation({
    ...base,
    id: 'listWorkspaces',
    method: 'GET',
    path: '/v1/workspaces',
    summary: 'List workspaces',
    description: 'The key’s own workspace; all of them with the scope `operator`.',
    query: z.object({ limit: limitOf, offset: offsetOf }),
    answer: { description: 'The workspaces.', schema: z.array(workspaceSchema) },
  }),
  get: operation({
    ...base,
    id: 'getWorkspace',
    method: 'GET',
    path: '/v1/workspaces/:id',
    summary: 'Get a workspace',
    params: id,
    query: none,
    answer: { description: 'The workspace.', schema: workspaceSchema },
  }),
  create: operation({
    ...base,
    access: 'operator',
    id: 'createWorkspace',
    method: 'POST',
    path: '/v1/workspaces',
    summary: 'Create a workspace',
    description: 'Make its first key with POST /v1/keys and its `workspace_id`.',
    query: none,
    body: z.strictObject({
      name: nameOf('Name; customers see it on the consent page.'),
      default_environment: environmentName
        .optional()
        .describe('Environment of calls that name none. Default Production.'),
      redirect_origins: origins.optional(),
      quota_weight: quotaWeight.optional(),
    }),
    answer: { description: 'The workspace.', schema: workspaceSchema },
  }),
  update: operation({
    ...base,
    id: 'updateWorkspace',
    method: 'PATCH',
    path: '/v1/workspaces/:id',
    summary: 'Change a workspace',
    params: id,
    query: none,
    body: z.strictObject({
      name: nameOf('Name; customers see it on the consent page.').optional(),
      default_environment: environmentName.optional().describe('Environment of calls that name none.'),
      redirect_origins: origins.optional(),
      quota_weight: quotaWeight.optional(),
    }),
    answer: { description: 'The workspace as it now is.', schema: workspaceSchema },
  }),
  remove: operation({
    ...base,
    access: 'operator',
    id: 'removeWorkspace',
    method: 'DELETE',
    path: '/v1/workspaces/:id',
    summary: 'Delete a workspace with everything in it',
    params: id,
    query: none,
    answer: { description: 'Deleted. The body is an empty object.', schema: none },
  }),
};

const events = operation({
  ...base,
  access: 'read',
  id: 'listEvents',
  method: 'GET',
  path: '/v1/events',
  summary: 'List events',
  description: 'What happened to connections and integrations, newest first unless `order` says otherwise.',
  query: z.object({
    connection_id: z.string().optional().describe('Events of this connection.'),
    type: z.string().optional().describe('Events of this type.'),
    created_gte: instantOf('Events at or after this instant. No zone means UTC.'),
    limit: limitOf,
    offset: offsetOf,
    order: z.enum(['asc', 'desc']).optional().describe('Direction of the sort.'),
  }),
  answer: { description: 'The events.', schema: z.array(eventSchema) },
});

/** Operations of workspaces, keys and events. */
export const ADMIN_OPERATIONS: readonly Operation[] = [...Object.values(workspaces), ...KEY_OPERATIONS, events];

/** The settings that a body names. */
const settingsOf = ({
  redirect_origins,
  quota_weight,
}: {
  redirect_origins?: string[] | undefined;
  quota_weight?: number | undefined;
}) => ({
  ...(redirect_origins === undefined ? {} : { redirect_origins }),
  ...(quota_weight === undefined ? {} : { quota_weight }),
});

const workspaceToWire = (row: WorkspaceRow) =>
  toWire({
    id: row.id,
    name: row.name,
    default_environment: wireEnvironment(row.default_environment),
    redirect_origins: row.settings.redirect_origins,
    quota_weight: row.settings['quota_weight'],
    created_at: row.created_at,
    updated_at: row.updated_at,
  });

const eventToWire = (row: EventRow) => toWire(row);

/** Registers the routes of workspaces, keys and events. */
export function adminRoutes(app: FastifyInstance, deps: Deps): void {
  const { runtime } = deps;
  const { db } = runtime.store;
  const now = (): Date => runtime.clock.now();

  serve(app, workspaces.list, async ({ request, query }) => {
    const principal = principalOf(request);
    if (!hasScope(principal.key.scopes, 'operator'))
      return [workspaceToWire(await workspaceOf(db, principal, undefined))];
    return (await listWorkspaces(db, { ...query, order: 'asc' })).map(workspaceToWire);
  });
  serve(app, workspaces.get, async ({ request, params }) =>
    workspaceToWire(await workspaceOf(db, principalOf(request), params['id'])),
  );
  serve(app, workspaces.create, async ({ body }) => {
    const { name, default_environment } = body;
    const row = await createWorkspace(
      db,
      {
        name,
        default_environment: parseEnvironment(default_environment),
        settings: settingsOf(body),
      },
      now(),
    );
    return workspaceToWire(row);
  });
  serve(app, workspaces.update, async ({ request, params, body }) => {
    const row = await workspaceOf(db, principalOf(request), params['id']);
    const { name, default_environment } = body;
    const settings = settingsOf(body);
    const changed = await updateWorkspace(
      db,
      row.id,
      {
        name,
        default_environment: parseEnvironment(default_environment),
        settings: Object.keys(settings).length === 0 ? undefined : { ...row.settings, ...settings },
      },
      now(),
    );
    const after = workspaceToWire(changed);
    noteAct(request, { workspaceId: row.id, details: { before: workspaceToWire(row), after } });
    return after;
  });
  serve(app, workspaces.remove, async ({ request, params }) => {
    const principal = principalOf(request);
    if (params['id'] === principal.workspace.id)
      throw new PolyadError('input_invalid', { message: 'A key cannot delete its own workspace.' });
    const before = workspaceToWire(await workspaceOf(db, principal, params['id']));
    await deleteWorkspace(db, params['id'] as string);
    noteAct(request, { details: { before } });
    return {};
  });

  keyRoutes(app, deps);

  serve(app, events, async ({ request, query }) => {
    const { key, workspace } = principalOf(request);
    return (await listEvents(db, workspace.id, { ...query, connection_ids: key.connection_ids })).map(eventToWire);
  });
}

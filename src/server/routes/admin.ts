/** `/v1`: administration of workspaces, keys and settings. Not part of the wire contract. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { hasScope, KEY_SCOPES, type KeyScope } from '../../core/auth/key-scopes.ts';
import { DEFAULT_REDIRECT_ORIGINS, parseOrigin } from '../../core/auth/redirects.ts';
import { ENVIRONMENTS, parseEnvironment, wireEnvironment } from '../../core/connector/hosts.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { toWire } from '../../core/model/index.ts';
import {
  createApiKey,
  createWorkspace,
  deleteWorkspace,
  getWorkspace,
  listApiKeys,
  listConnections,
  listEvents,
  listWorkspaces,
  revokeApiKey,
  rotateApiKey,
  updateWorkspace,
} from '../../core/store/repositories/index.ts';
import type { ApiKeyRow, EventRow, WorkspaceRow } from '../../core/store/schema.ts';
import { noteAct } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { instantOf, limitOf, offsetOf } from '../input.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { type Principal, principalOf } from '../request.ts';

const text = (what: string, max = 200) => z.string().trim().min(1).max(max).describe(what);

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

const keySchema = z
  .object({
    id: z.string(),
    workspace_id: z.string(),
    name: z.string(),
    prefix: z.string().describe('First characters of the key.'),
    scopes: z.array(z.enum(KEY_SCOPES)),
    connection_ids: z
      .array(z.string())
      .optional()
      .describe('The connections it may use. Absent: all of the workspace.'),
    key: z.string().optional().describe('The key itself: in the answer that creates it and never again.'),
    created_at: z.string(),
    last_used_at: z.string().optional(),
    expires_at: z.string().optional(),
    revoked_at: z.string().optional(),
    rotated_from: z.string().optional().describe('Id of the key that it replaces.'),
  })
  .meta({ id: 'ApiKey', description: 'A key of a workspace.' });

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
      name: text('Name; customers see it on the consent page.'),
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
      name: text('Name; customers see it on the consent page.').optional(),
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

const MAX_OVERLAP_SECONDS = 90 * 86_400;
const DEFAULT_OVERLAP_SECONDS = 86_400;

const workspaceId = z.string().optional().describe('Another workspace than the key’s own: needs the scope `operator`.');

const keys = {
  list: operation({
    ...base,
    id: 'listApiKeys',
    method: 'GET',
    path: '/v1/keys',
    summary: 'List keys',
    query: z.object({ workspace_id: workspaceId }),
    answer: { description: 'The keys, newest first, revoked ones included.', schema: z.array(keySchema) },
  }),
  create: operation({
    ...base,
    id: 'createApiKey',
    method: 'POST',
    path: '/v1/keys',
    summary: 'Create a key',
    description: 'A key can only be given scopes that the creating key has.',
    query: none,
    body: z.strictObject({
      name: text('Name, for people.'),
      scopes: z
        .array(z.enum(KEY_SCOPES))
        .min(1)
        .optional()
        .describe('Default: read, write and spend. Without `spend`, writes that raise what is spent are refused.'),
      connection_ids: z
        .array(z.string())
        .min(1)
        .max(1000)
        .optional()
        .describe('The connections it may use; default: all of the workspace. Not with the scopes admin and operator.'),
      expires_at: instantOf('When the key stops working.'),
      workspace_id: workspaceId,
    }),
    answer: { description: 'The key; `key` is shown this once.', schema: keySchema },
  }),
  rotate: operation({
    ...base,
    id: 'rotateApiKey',
    method: 'POST',
    path: '/v1/keys/:id/rotate',
    summary: 'Replace a key by a new one that may do the same',
    description:
      'Both keys work during the overlap; then the old one ends. The new one lives as long as the old one was made to.',
    params: id,
    query: none,
    body: z
      .strictObject({
        overlap_seconds: z
          .number()
          .int()
          .min(0)
          .max(MAX_OVERLAP_SECONDS)
          .optional()
          .describe('How long the old key still works. Default 86400 (a day); 0 ends it at once.'),
        expires_at: instantOf('When the new key stops working.'),
        workspace_id: workspaceId,
      })
      .optional(),
    answer: { description: 'The new key; `key` is shown this once.', schema: keySchema },
  }),
  revoke: operation({
    ...base,
    id: 'revokeApiKey',
    method: 'DELETE',
    path: '/v1/keys/:id',
    summary: 'Revoke a key, at once and for good',
    params: id,
    query: z.object({ workspace_id: workspaceId }),
    answer: { description: 'The key as it now is.', schema: keySchema },
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
export const ADMIN_OPERATIONS: readonly Operation[] = [...Object.values(workspaces), ...Object.values(keys), events];

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

const keyToWire = (row: ApiKeyRow, key?: string) => toWire({ ...row, key });

const eventToWire = (row: EventRow) => toWire(row);

const invalid = (path: string, reason: string): PolyadError =>
  new PolyadError('input_invalid', { message: `\`${path}\` ${reason}.`, details: { issues: [{ path, reason }] } });

/** The workspace that a call is about: the caller's own, or for operators the one named. */
function targetOf(principal: Principal, named: string | undefined): string {
  if (named === undefined || named === principal.workspace.id) return principal.workspace.id;
  if (hasScope(principal.key.scopes, 'operator')) return named;
  // The same answer as for an id that does not exist: keys of one workspace learn nothing of another.
  throw new PolyadError('workspace_not_found', { details: { workspace_id: named.slice(0, 64) } });
}

export function adminRoutes(app: FastifyInstance, { runtime }: Deps): void {
  const { db } = runtime.store;
  const now = (): Date => runtime.clock.now();

  const existing = async (principal: Principal, named: string | undefined): Promise<WorkspaceRow> => {
    const row = await getWorkspace(db, targetOf(principal, named));
    if (row === undefined)
      throw new PolyadError('workspace_not_found', { details: { workspace_id: named?.slice(0, 64) } });
    return row;
  };

  serve(app, workspaces.list, async ({ request, query }) => {
    const principal = principalOf(request);
    if (!hasScope(principal.key.scopes, 'operator')) return [workspaceToWire(await existing(principal, undefined))];
    return (await listWorkspaces(db, { ...query, order: 'asc' })).map(workspaceToWire);
  });
  serve(app, workspaces.get, async ({ request, params }) =>
    workspaceToWire(await existing(principalOf(request), params['id'])),
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
    const row = await existing(principalOf(request), params['id']);
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
    const before = workspaceToWire(await existing(principal, params['id']));
    await deleteWorkspace(db, params['id'] as string);
    noteAct(request, { details: { before } });
    return {};
  });

  serve(app, keys.list, async ({ request, query }) => {
    const { id: target } = await existing(principalOf(request), query.workspace_id);
    return (await listApiKeys(db, target)).map((row) => keyToWire(row));
  });
  /** Nobody gives more than he has. */
  const givable = (principal: Principal, scopes: readonly string[]): void => {
    const beyond = scopes.filter((scope) => !hasScope(principal.key.scopes, scope as KeyScope));
    if (beyond.length > 0)
      throw new PolyadError('key_scope', {
        message: `This key cannot give what it does not have: ${beyond.join(', ')}.`,
        details: { needed: beyond, scopes: principal.key.scopes },
      });
  };
  const inFuture = (instant: Date | undefined): void => {
    if (instant !== undefined && instant <= now()) throw invalid('expires_at', 'must be in the future');
  };
  serve(app, keys.create, async ({ request, body }) => {
    const principal = principalOf(request);
    const { name, expires_at, connection_ids, scopes = ['read', 'write', 'spend'] } = body;
    givable(principal, scopes);
    inFuture(expires_at);
    const { id: target } = await existing(principal, body.workspace_id);
    if (connection_ids !== undefined) {
      // Who may make keys can make one without a list.
      if (hasScope(scopes, 'admin'))
        throw invalid('connection_ids', 'is not possible with the scope admin or operator');
      const known = await listConnections(db, target, { connection_ids, limit: connection_ids.length });
      const unknown = connection_ids.filter((one) => !known.some(({ id: other }) => other === one));
      if (unknown.length > 0) throw invalid('connection_ids', `names unknown connections: ${unknown.join(', ')}`);
    }
    const made = await createApiKey(db, target, { name, scopes, expires_at, connection_ids }, now());
    noteAct(request, { workspaceId: target, details: { after: keyToWire(made.row) } });
    return keyToWire(made.row, made.key);
  });
  serve(app, keys.rotate, async ({ request, params, body }) => {
    const principal = principalOf(request);
    const { overlap_seconds: overlap = DEFAULT_OVERLAP_SECONDS, expires_at, workspace_id } = body ?? {};
    inFuture(expires_at);
    const { id: target } = await existing(principal, workspace_id);
    const keyId = params['id'] as string;
    const present = (await listApiKeys(db, target)).find((row) => row.id === keyId);
    // The new key is shown to whoever asks for it, so asking is as good as making one.
    if (present !== undefined) givable(principal, present.scopes);
    const made = await rotateApiKey(db, target, keyId, { overlapMs: overlap * 1000, expires_at }, now());
    noteAct(request, {
      ...{ workspaceId: target, objectId: keyId },
      details: { after: keyToWire(made.row), old_key_ends: made.old.expires_at?.toISOString() },
    });
    return keyToWire(made.row, made.key);
  });
  serve(app, keys.revoke, async ({ request, params, query }) => {
    const { id: target } = await existing(principalOf(request), query.workspace_id);
    const revoked = keyToWire(await revokeApiKey(db, target, params['id'] as string, now()));
    noteAct(request, { workspaceId: target, details: { after: revoked } });
    return revoked;
  });

  serve(app, events, async ({ request, query }) => {
    const { key, workspace } = principalOf(request);
    return (await listEvents(db, workspace.id, { ...query, connection_ids: key.connection_ids })).map(eventToWire);
  });
}

/** `/v1/keys`: the keys of a workspace. Not part of the wire contract. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { hasScope, KEY_SCOPES, type KeyScope } from '../../core/auth/key-scopes.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { toWire } from '../../core/model/index.ts';
import {
  createApiKey,
  listApiKeys,
  listConnections,
  revokeApiKey,
  rotateApiKey,
} from '../../core/store/repositories/index.ts';
import type { ApiKeyRow } from '../../core/store/schema.ts';
import { noteAct } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { instantOf, nameOf } from '../input.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { type Principal, principalOf } from '../request.ts';
import { workspaceOf } from '../workspace.ts';

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

const id = { id: 'Id.' };
const base = { tag: 'Administration', access: 'admin' } as const;

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
    query: z.object({}),
    body: z.strictObject({
      name: nameOf('Name, for people.'),
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
    query: z.object({}),
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

/** Operations of keys. */
export const KEY_OPERATIONS: readonly Operation[] = Object.values(keys);

const keyToWire = (row: ApiKeyRow, key?: string) => toWire({ ...row, key });

const invalid = (path: string, reason: string): PolyadError =>
  new PolyadError('input_invalid', { message: `\`${path}\` ${reason}.`, details: { issues: [{ path, reason }] } });

/** Registers the routes. */
export function keyRoutes(app: FastifyInstance, { runtime }: Deps): void {
  const { db } = runtime.store;
  const now = (): Date => runtime.clock.now();

  serve(app, keys.list, async ({ request, query }) => {
    const { id: target } = await workspaceOf(db, principalOf(request), query.workspace_id);
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
    const { id: target } = await workspaceOf(db, principal, body.workspace_id);
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
    const { id: target } = await workspaceOf(db, principal, workspace_id);
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
    const { id: target } = await workspaceOf(db, principalOf(request), query.workspace_id);
    const revoked = keyToWire(await revokeApiKey(db, target, params['id'] as string, now()));
    noteAct(request, { workspaceId: target, details: { after: revoked } });
    return revoked;
  });
}

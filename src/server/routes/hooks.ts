/** Webhooks of platforms: the address they are sent to, and what is asked for. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Scope } from '../../core/calls/scope.ts';
import { parseEnvironment } from '../../core/connector/hosts.ts';
import type { Environment, PlatformRequest } from '../../core/connector/types.ts';
import { HOOK_KINDS } from '../../core/connector/webhook-spec.ts';
import { DryRun, type DryRunReport } from '../../core/objects/dry-run.ts';
import { noteAct } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { scopeOf } from '../scope.ts';
import { DRY_RUN_FLAG, dryRunReport } from './ads.ts';

/** Largest callback in bytes: a thousand entries. */
const LARGEST = 8 * 1_048_576;

const subscription = z
  .object({
    id: z.string(),
    kind: z.enum(HOOK_KINDS).optional(),
    native_kind: z.string(),
    callback_url: z.string(),
    organization_ids: z.array(z.string()),
  })
  .meta({ id: 'HookSubscription', description: 'Something that a platform tells by webhook.' });

const made = z.object({
  id: z.string().optional().describe('Absent in a dry run.'),
  callback_url: z.string(),
  dry_run: dryRunReport.optional(),
});

const base = { tag: 'Webhook', params: { connection_id: 'Id of the connection.' } } as const;
const ROOT = '/v1/connections/:connection_id/subscriptions';

const hooks = {
  list: operation({
    ...base,
    id: 'listHookSubscriptions',
    method: 'GET',
    path: ROOT,
    summary: 'List what a platform tells this app by webhook',
    access: 'read',
    query: z.object({ kind: z.enum(HOOK_KINDS).optional() }),
    answer: { description: 'Subscriptions of the app, for all its connections.', schema: z.array(subscription) },
  }),
  create: operation({
    ...base,
    id: 'createHookSubscription',
    method: 'POST',
    path: ROOT,
    summary: 'Have a platform tell something by webhook',
    description:
      'Callbacks come to this server, are checked, and become events `platform.<kind>` of the connections that reach the ad account. The server must be reachable by https (POLYAD_PUBLIC_URL).',
    access: 'write',
    query: z.object({ dry_run: DRY_RUN_FLAG }),
    body: z.strictObject({
      kind: z.enum(HOOK_KINDS),
      organization_id: z.string().min(1).max(64),
      raw: z
        .record(z.string(), z.unknown())
        .optional()
        .describe('Further members of the platform, such as the id of a form.'),
    }),
    answer: { description: 'Its id.', schema: made },
  }),
  remove: operation({
    ...base,
    id: 'removeHookSubscription',
    method: 'DELETE',
    path: `${ROOT}/:id`,
    summary: 'End a subscription',
    access: 'write',
    params: { ...base.params, id: 'Id of the subscription.' },
    query: z.object({ dry_run: DRY_RUN_FLAG }),
    answer: {
      description: 'Ended. The body is an empty object.',
      schema: z.object({ dry_run: dryRunReport.optional() }),
    },
  }),
};

/** Operations on subscriptions; callbacks are no part of the API. */
export const HOOK_OPERATIONS: readonly Operation[] = Object.values(hooks);

export function hookRoutes(root: FastifyInstance, deps: Deps): void {
  const { services, runtime } = deps;
  const about = async (request: Parameters<typeof scopeOf>[1]) => {
    const scope = await scopeOf(deps, request);
    const { connection, workspace } = scope;
    const spec = services.hooks.spec(connection.integration_type);
    const url = `${services.publicUrl()}/webhooks/${workspace.id}/${connection.integration_type}/${connection.environment}`;
    return { scope, spec, url, ctx: runtime.context(scope) };
  };

  serve(root, hooks.list, async ({ request, query }) => {
    const { spec, ctx } = await about(request);
    const found = [];
    for (const kind of query.kind === undefined ? spec.kinds : [query.kind])
      found.push(...spec.listed((await ctx.request(spec.list(kind))).json));
    return found;
  });
  const shown = (scope: Scope, native: PlatformRequest): Promise<DryRunReport> => {
    const recorder = new DryRun();
    return recorder.run(() => runtime.context({ ...scope, recorder }).request(native));
  };

  serve(root, hooks.create, async ({ request, query, body }) => {
    const { scope, spec, ctx, url } = await about(request);
    await ctx.organization(body.organization_id);
    const { kind, organization_id } = body;
    const dryRun = query.dry_run === true;
    noteAct(request, { connectionId: scope.connection.id, details: { kind, organization_id }, dryRun });
    const native = spec.subscribe(kind, organization_id, url, body.raw ?? {});
    if (dryRun) return { callback_url: url, dry_run: await shown(scope, native) };
    const id = spec.subscribed((await ctx.request(native)).json);
    noteAct(request, { objectId: id });
    return { id, callback_url: url };
  });
  serve(root, hooks.remove, async ({ request, query, params }) => {
    const { scope, spec, ctx } = await about(request);
    const dryRun = query.dry_run === true;
    noteAct(request, { connectionId: scope.connection.id, dryRun });
    const native = spec.unsubscribe(params['id'] as string);
    if (dryRun) return { dry_run: await shown(scope, native) };
    await ctx.request(native);
    return {};
  });

  // Bodies are needed as they came: their bytes are signed.
  root.register(async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    app.post(
      '/webhooks/:workspace_id/:type/:environment',
      { bodyLimit: LARGEST, config: { access: 'none', operation: 'receivePlatformHook' } },
      async (request, reply) => {
        const { workspace_id: workspaceId, type, environment } = request.params as Record<string, string>;
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const outcome = await services.hooks.receive(
          {
            workspaceId: workspaceId as string,
            type: type as string,
            environment: parseEnvironment(environment) as Environment,
          },
          request.headers,
          body,
        );
        return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(outcome));
      },
    );
  });
}

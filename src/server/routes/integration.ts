/** `/unified/integration` and the app credentials behind it. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseEnvironment } from '../../core/connector/hosts.ts';
import type { Environment } from '../../core/connector/types.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { integration } from '../../core/model/index.ts';
import { getWorkspace } from '../../core/store/repositories/index.ts';
import type { Deps } from '../deps.ts';
import { flagOf, instantOf, limitOf, manyOf, offsetOf } from '../input.ts';
import { operation, serve } from '../operation.ts';
import { principalOf } from '../request.ts';

const filters = {
  active: flagOf('true: those switched on in the workspace. false: those that are not.'),
  categories: manyOf('Integrations with one of these categories. Repeated or joined by commas.'),
  env: z.string().optional().describe('Environment. Default: that of the workspace.'),
  limit: limitOf,
  offset: offsetOf,
  summary: flagOf('true: names and looks without the capability map.'),
  updated_gte: instantOf('Those changed in the workspace at or after this instant. No zone means UTC.'),
};

const list = operation({
  id: 'listUnifiedIntegrations',
  method: 'GET',
  path: '/unified/integration',
  tag: 'Integration',
  summary: 'List integrations',
  description: '`support` says per object what works on the platform: methods, fields, list options.',
  access: 'read',
  query: z.object({ ...filters, type: z.string().optional().describe('That integration alone.') }),
  answer: { description: 'The integrations.', schema: z.array(integration) },
});

const ofWorkspace = operation({
  id: 'listUnifiedIntegrationWorkspaces',
  method: 'GET',
  path: '/unified/integration/workspace/:workspace_id',
  tag: 'Integration',
  summary: 'List the integrations of a workspace, for its customers',
  description: 'Needs no key: a page of yours can call it to show what customers can connect.',
  access: 'none',
  anyOrigin: true,
  params: { workspace_id: 'Id of the workspace.' },
  query: z.object(filters),
  answer: { description: 'The integrations.', schema: z.array(integration) },
});

const app = z
  .object({
    integration_type: z.string(),
    environment: z.string(),
    is_active: z.boolean(),
    has_credentials: z.boolean(),
    client_id: z.string().optional(),
    client_secret_hint: z.string().optional().describe('Last characters of the secret. The secret is never answered.'),
    settings: z.record(z.string(), z.unknown()),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'IntegrationApp', description: 'The workspace’s own app on a platform, in one environment.' });

const appParams = { type: 'Type slug of the integration.', environment: 'production, sandbox or simulator.' };
const appBase = {
  tag: 'Administration',
  access: 'admin',
  params: appParams,
  path: '/v1/integrations/:type/:environment',
} as const;

const apps = {
  get: operation({
    ...appBase,
    id: 'getIntegrationApp',
    method: 'GET',
    summary: 'Get the app credentials of an integration, masked',
    query: z.object({}),
    answer: { description: 'What may be shown of the app.', schema: app },
  }),
  put: operation({
    ...appBase,
    id: 'putIntegrationApp',
    method: 'PUT',
    summary: 'Store the app credentials of an integration',
    description:
      'Id and secret are given together, under these names or the platform’s own (`app_id`, `secret`). They are encrypted and never answered again.',
    query: z.object({}),
    body: z.looseObject({
      client_id: z.string().optional().describe('Id of your app on the platform.'),
      client_secret: z.string().optional().describe('Secret of your app.'),
      is_active: z.boolean().optional().describe('Offered to customers. Default true.'),
      scopes: z
        .array(z.string())
        .optional()
        .describe('Native scopes to ask for, instead of those that follow from the permissions.'),
      redirect_uris: z
        .array(z.string())
        .optional()
        .describe('Redirect targets allowed beyond the origins of the workspace.'),
    }),
    answer: { description: 'What may be shown of the app.', schema: app },
  }),
  remove: operation({
    ...appBase,
    id: 'removeIntegrationApp',
    method: 'DELETE',
    summary: 'Delete the app credentials of an integration',
    query: z.object({}),
    answer: { description: 'Deleted. The body is an empty object.', schema: z.object({}) },
  }),
};

/** Operations on integrations; authorization is in `connect.ts`. */
export const INTEGRATION_OPERATIONS = [list, ofWorkspace];
export const INTEGRATION_APP_OPERATIONS = Object.values(apps);

export function integrationRoutes(server: FastifyInstance, { runtime, services }: Deps): void {
  const { registry, store } = runtime;

  serve(server, list, async ({ request, query: { env, ...query } }) =>
    services.integrations.list(principalOf(request).workspace, { ...query, environment: parseEnvironment(env) }),
  );
  serve(server, ofWorkspace, async ({ params, query: { env, ...query } }) => {
    const workspace = await getWorkspace(store.db, params['workspace_id'] as string);
    if (workspace === undefined) throw new PolyadError('workspace_not_found');
    const offered = await services.integrations.list(workspace, { ...query, environment: parseEnvironment(env) });
    // How many customers a workspace has is not for everybody to read.
    return offered.map(({ active_healthy_connections: _, ...rest }) => rest);
  });

  const target = (params: Record<string, string>) => ({
    platform: registry.get(params['type'] as string),
    environment: parseEnvironment(params['environment']) as Environment,
  });
  const absent = (): PolyadError =>
    new PolyadError('record_not_found', { message: 'The workspace has no app credentials there.' });

  serve(server, apps.get, async ({ request, params }) => {
    const { platform, environment } = target(params);
    const hint = await services.apps.hint(principalOf(request).workspace.id, platform.manifest.type, environment);
    if (hint === undefined) throw absent();
    return hint;
  });
  serve(server, apps.put, async ({ request, params, body }) => {
    const { platform, environment } = target(params);
    return services.apps.put(principalOf(request).workspace.id, platform, environment, body);
  });
  serve(server, apps.remove, async ({ request, params }) => {
    const { platform, environment } = target(params);
    if (!(await services.apps.remove(principalOf(request).workspace.id, platform.manifest.type, environment)))
      throw absent();
    return {};
  });
}

/** `/v1/connections/{id}/accounts`: businesses and ad accounts that a connection reaches. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { selectOrganizations } from '../../core/accounts/selection.ts';
import { ACCOUNT_HEALTH, accountWire } from '../../core/accounts/wire.ts';
import { type BrowserAnswer, errorPage } from '../../core/auth/connect-page.ts';
import { asPolyadError } from '../../core/errors/index.ts';
import { redactAnswer } from '../../core/http/redact.ts';
import { noteAct } from '../audit.ts';
import { requireScope } from '../authentication.ts';
import type { Deps } from '../deps.ts';
import { flagOf, offsetOf } from '../input.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { principalOf } from '../request.ts';
import { scopeOf } from '../scope.ts';
import { answerWrite, DRY_RUN_FLAG, idempotencyKey } from './ads.ts';

const account = z
  .object({
    id: z.string(),
    kind: z.enum(['business', 'organization']),
    name: z.string().optional(),
    status: z.enum(['active', 'pending', 'suspended', 'rejected', 'unknown']),
    native_status: z.string().optional(),
    role: z.enum(['admin', 'operator', 'analyst', 'member', 'none']).describe('Of the person who authorised.'),
    native_role: z.string().optional(),
    owner_id: z.string().optional().describe('Business that owns the ad account.'),
    owner_name: z.string().optional(),
    parent_ids: z.array(z.string()).describe('Businesses through which it is reached.'),
    currency: z.string().optional(),
    timezone: z.string().optional(),
    granted: z.boolean().optional().describe('Whether the customer ticked the ad account.'),
    selected: z.boolean().optional().describe('Whether this connection uses the ad account.'),
    health: z.enum(ACCOUNT_HEALTH),
    fix: z.string().optional().describe('What has to be done, where something has.'),
    lost_at: z.string().optional(),
    lost_with: z.string().optional().describe('Business that took the ad account with it.'),
    seen_at: z.string(),
  })
  .meta({ id: 'Account', description: 'A business or an ad account, as the person who authorised reaches it.' });

const field = z.object({
  name: z.string(),
  kind: z.string(),
  required: z.boolean(),
  text: z.string(),
  choices: z.array(z.string()).optional(),
  most: z.number().optional(),
});

const tree = z
  .object({
    connection_id: z.string(),
    read_at: z.string(),
    counts: z.object({
      businesses: z.number(),
      organizations: z.number(),
      granted: z.number(),
      lost: z.number(),
      selected: z.number().optional().describe('Absent: all are used.'),
    }),
    businesses: z.array(account),
    gaps: z
      .array(z.object({ part: z.string(), reason: z.string(), scope: z.string().optional() }))
      .describe('What could not be read.'),
    beginning: z
      .array(z.object({ text: z.string(), url: z.string().optional() }))
      .optional()
      .describe('How a customer without a business makes one; absent where there is one.'),
    actions: z.array(z.object({ name: z.string(), title: z.string(), money: z.boolean(), fields: z.array(field) })),
    picker_url: z.string().describe('Page on which the customer chooses ad accounts; the link lives fourteen days.'),
  })
  .meta({ id: 'AccountTree', description: 'What lies above the ad accounts of a connection.' });

const base = { tag: 'Accounts', params: { connection_id: 'Id of the connection.' } } as const;
const ROOT = '/v1/connections/:connection_id';

const accounts = {
  tree: operation({
    ...base,
    id: 'getAccountTree',
    method: 'GET',
    path: `${ROOT}/account_tree`,
    summary: 'Get the businesses above a connection’s ad accounts',
    description: 'As it was read last; read now when it never was, or with `refresh=true`.',
    access: 'read',
    query: z.object({ refresh: flagOf('true: read it now.') }),
    answer: { description: 'Businesses, counts, what is missing, what can be done.', schema: tree },
  }),
  list: operation({
    ...base,
    id: 'listAccounts',
    method: 'GET',
    path: `${ROOT}/accounts`,
    summary: 'List businesses and ad accounts, with how each is',
    access: 'read',
    query: z.object({
      kind: z.enum(['business', 'organization']).optional(),
      query: z.string().max(200).optional().describe('Part of a name or id.'),
      parent_id: z
        .string()
        .max(64)
        .optional()
        .describe('Those that this business owns, or through which they are reached.'),
      lost: flagOf('true: those that are lost; false: the others.'),
      limit: z.coerce
        .number()
        .int()
        .min(1)
        .max(1000)
        .optional()
        .describe('Most rows to answer: 1 to 1,000. Default 100.'),
      offset: offsetOf,
    }),
    answer: { description: 'Businesses first, by name.', schema: z.array(account) },
  }),
  select: operation({
    ...base,
    id: 'selectAccounts',
    method: 'PUT',
    path: `${ROOT}/accounts/selection`,
    summary: 'Choose the ad accounts that a connection uses',
    description:
      'Lists, look-ups and reports of the connection keep to them; another one is refused. `null` = all, those to come included.',
    access: 'write',
    query: z.object({}),
    body: z.strictObject({ organization_ids: z.array(z.string().min(1).max(64)).max(50_000).nullable() }),
    answer: {
      description: 'How many are used.',
      schema: z.object({ selected: z.number(), of: z.number() }),
    },
  }),
  act: operation({
    ...base,
    id: 'runAccountAction',
    method: 'POST',
    path: `${ROOT}/accounts/actions/:action`,
    summary: 'Request, assign or share ad accounts',
    description:
      '`actions` of the tree lists them with the members of their bodies. One that moves money needs the scope `spend` and an Idempotency-Key, and is sent a single time: when its answer is lost, the outcome is unknown and says so.',
    access: 'write',
    params: { ...base.params, action: 'Name of the action.' },
    query: z.object({ dry_run: DRY_RUN_FLAG }),
    headers: { 'Idempotency-Key': 'Makes repetitions of the action safe. Needed where money moves.' },
    body: z.looseObject({}),
    answer: { description: 'What the platform answered.', schema: z.looseObject({}) },
  }),
};

/** Operations on businesses and ad accounts. */
export const ACCOUNT_OPERATIONS: readonly Operation[] = Object.values(accounts);

export function accountRoutes(app: FastifyInstance, deps: Deps): void {
  const { trees, actions, picker } = deps.services.accounts;
  const { store, clock } = deps.runtime;

  serve(app, accounts.tree, async ({ request, query }) => {
    const scope = await scopeOf(deps, request);
    const { connection } = scope;
    const spec = trees.spec(connection);
    const known = await trees.known(scope, { refresh: query.refresh === true });
    const selected = connection.account.selected_organization_ids?.length;
    return {
      connection_id: connection.id,
      read_at: known.read_at.toISOString(),
      counts: { ...known.counts, ...(selected === undefined ? {} : { selected }) },
      businesses: known.businesses.map((row) => accountWire(row, connection, spec)),
      gaps: known.gaps,
      ...(known.counts.businesses === 0 && known.gaps.length === 0 ? { beginning: spec.beginning } : {}),
      actions: Object.entries(spec.actions).map(([name, { title, fields, money }]) => ({
        ...{ name, title, money: money === true, fields },
      })),
      picker_url: picker.url(connection),
    };
  });

  serve(app, accounts.list, async ({ request, query }) => {
    const scope = await scopeOf(deps, request);
    const spec = trees.spec(scope.connection);
    const { limit = 100, ...filter } = query;
    const rows = await trees.list(scope, { ...filter, limit });
    return rows.map((row) => accountWire(row, scope.connection, spec));
  });

  serve(app, accounts.select, async ({ request, body }) => {
    const { connection } = await scopeOf(deps, request);
    trees.spec(connection);
    const row = await selectOrganizations(store, connection, body.organization_ids ?? undefined, clock.now());
    const of = row.account.organization_ids?.length ?? 0;
    const selected = row.account.selected_organization_ids?.length ?? of;
    noteAct(request, { connectionId: row.id, details: { selected, of } });
    return { selected, of };
  });

  serve(app, accounts.act, async ({ request, reply, params, query, body }) => {
    const name = params['action'] as string;
    const scope = await scopeOf(deps, request);
    const action = actions.action(scope, name);
    if (action.money === true) requireScope(principalOf(request), 'spend', 'this action moves money');
    // Ids alone: addresses of people are nobody's business later.
    const { emails: _, ...details } = body;
    const dryRun = query.dry_run === true;
    noteAct(request, { connectionId: scope.connection.id, details: { action: name, ...details }, dryRun });
    const options = { idempotencyKey: idempotencyKey(request), dryRun };
    return answerWrite(request, reply, await actions.run(scope, name, body, options));
  });

  const page = { config: { access: 'none' } } as const;
  const answer = (reply: FastifyReply, found: BrowserAnswer): FastifyReply =>
    reply.code(found.status).headers(found.headers).send(redactAnswer(found.body));
  const shown = async (request: FastifyRequest, reply: FastifyReply, work: () => Promise<BrowserAnswer>) => {
    try {
      return answer(reply, await work());
    } catch (thrown) {
      const error = asPolyadError(thrown);
      request.state.error = error;
      return answer(reply, errorPage(error, request.id));
    }
  };
  const tokenOf = (request: FastifyRequest): string => (request.params as { token: string }).token;
  app.get('/connect/accounts/:token', page, (request, reply) => {
    const query = request.query as Record<string, string | undefined>;
    return shown(request, reply, () =>
      picker.show(tokenOf(request), query, query['saved'] === '1' ? 'Saved.' : undefined),
    );
  });
  app.post('/connect/accounts/:token', page, (request, reply) =>
    shown(request, reply, () =>
      picker.submit(tokenOf(request), (request.body ?? {}) as Record<string, string | string[]>),
    ),
  );
}

/** `/v1/conversion_destinations`: where conversion events go, each with a credential of its own. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CONVERSION_SOURCES, type ConversionSource } from '../../core/connector/conversion-spec.ts';
import { parseEnvironment, wireEnvironment } from '../../core/connector/hosts.ts';
import { GRANT } from '../../core/conversions/credentials.ts';
import { toWire } from '../../core/model/index.ts';
import type { FateCounts } from '../../core/store/repositories/index.ts';
import { listDestinations } from '../../core/store/repositories/index.ts';
import type { ConversionDestinationRow } from '../../core/store/schema.ts';
import { requireConnection } from '../authentication.ts';
import type { Deps } from '../deps.ts';
import { limitOf, offsetOf } from '../input.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { principalOf } from '../request.ts';

const source = z.enum(CONVERSION_SOURCES.map((one) => one.toUpperCase()) as ['WEB', 'APP', 'OFFLINE', 'CRM']);

const credential = z
  .union([
    z.literal(GRANT),
    z.strictObject({
      kind: z.string().min(1).max(64).describe('Kind of credential, as the platform’s page of the reference names it.'),
      token: z.string().trim().min(8).max(4_096).describe('Never answered by anything.'),
    }),
  ])
  .describe(
    'The credential that the platform gives out for events alone. `"connection"` uses the grant of the connection instead, where that has the scope for it.',
  );

const settings = {
  name: z.string().min(1).max(200).optional().describe('For people.'),
  require_consent: z
    .boolean()
    .optional()
    .describe('Withhold events that do not say `consent.ad_user_data: GRANTED`. Default false.'),
  batch_delay_ms: z
    .number()
    .int()
    .min(0)
    .max(60_000)
    .optional()
    .describe('How long an event may wait for others to fill its batch. Default 500.'),
};

const problem = z
  .object({
    code: z.string().describe('Code of docs/errors.md.'),
    message: z.string(),
    platform_code: z.string().optional(),
    platform_request_id: z.string().optional(),
    since: z.string(),
    retry_at: z.string().optional().describe('When it is tried again.'),
  })
  .optional()
  .describe('Why events wait.');

const destination = z
  .object({
    id: z.string(),
    connection_id: z.string().optional(),
    integration_type: z.string(),
    environment: z.string(),
    source,
    source_id: z.string().describe('Id of the pixel, app or event set at the platform.'),
    name: z.string().optional(),
    credential: z.object({ kind: z.string() }).describe('What it sends events with. The token itself is never shown.'),
    require_consent: z.boolean(),
    batch_delay_ms: z.number().int(),
    is_paused: z.boolean().describe('Events are taken in and wait.'),
    health: z.enum(['HEALTHY', 'RESTING', 'PAUSED']),
    problem,
    events: z
      .object({
        waiting: z.number().int(),
        accepted: z.number().int(),
        refused: z.number().int(),
        withheld: z.number().int(),
        expired: z.number().int(),
        oldest_waiting_at: z.string().optional(),
      })
      .optional()
      .describe('How many events are in each state, of those that are still kept. Single destinations alone.'),
    last_sent_at: z.string().optional().describe('About when a batch was last taken.'),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'ConversionDestination', description: 'Where conversion events go.' });

const base = { tag: 'Conversions', access: 'admin' } as const;
const path = '/v1/conversion_destinations';
const params = { id: 'Id of the destination.' };

const operations = {
  list: operation({
    ...base,
    access: 'read',
    id: 'listConversionDestinations',
    method: 'GET',
    path,
    summary: 'List conversion destinations',
    query: z.object({
      connection_id: z.string().optional(),
      integration_type: z.string().optional(),
      env: z.string().optional().describe('Environment.'),
      source: source.optional(),
      limit: limitOf,
      offset: offsetOf,
    }),
    answer: { description: 'Newest first.', schema: z.array(destination) },
  }),
  create: operation({
    ...base,
    id: 'createConversionDestination',
    method: 'POST',
    path,
    summary: 'Make a conversion destination',
    description:
      'A pixel, app, offline or CRM event set with the credential that its events are sent with. The credential is kept like every secret, apart from the grants of connections; one that is known to be of another kind is refused by name, before anything is sent.',
    query: z.object({}),
    body: z.strictObject({
      connection_id: z
        .string()
        .optional()
        .describe('The connection it belongs to. Without one, say platform and environment.'),
      integration_type: z.string().optional(),
      environment: z.string().optional(),
      source,
      source_id: z.string().trim().min(1).max(128),
      credential,
      ...settings,
    }),
    answer: { description: 'The destination.', schema: destination },
  }),
  get: operation({
    ...base,
    access: 'read',
    id: 'getConversionDestination',
    method: 'GET',
    path: `${path}/:id`,
    summary: 'Get a conversion destination',
    params,
    query: z.object({}),
    answer: { description: 'The destination, with the numbers of its events.', schema: destination },
  }),
  update: operation({
    ...base,
    id: 'updateConversionDestination',
    method: 'PATCH',
    path: `${path}/:id`,
    summary: 'Change a conversion destination',
    description: 'Changes what is sent and nothing else. Whatever it was held up by is tried again at once.',
    params,
    query: z.object({}),
    body: z.strictObject({ ...settings, credential: credential.optional(), is_paused: z.boolean().optional() }),
    answer: { description: 'The destination as it now is.', schema: destination },
  }),
  remove: operation({
    ...base,
    id: 'removeConversionDestination',
    method: 'DELETE',
    path: `${path}/:id`,
    summary: 'Remove a conversion destination',
    description: 'Its credential is destroyed. Events that wait are not sent any more; their fate says so.',
    params,
    query: z.object({}),
    answer: { description: 'Removed. The body is an empty object.', schema: z.object({}) },
  }),
};

/** Operations on conversion destinations. */
export const CONVERSION_DESTINATION_OPERATIONS: readonly Operation[] = Object.values(operations);

function wire(row: ConversionDestinationRow, now: Date, counts?: FateCounts): unknown {
  const { hold_until: until, problem: found, is_paused } = row;
  const resting = until !== null && until > now;
  const { oldest_waiting, ...events } = counts ?? { oldest_waiting: null };
  return toWire({
    id: row.id,
    connection_id: row.connection_id,
    integration_type: row.integration_type,
    environment: wireEnvironment(row.environment),
    source: row.source.toUpperCase(),
    source_id: row.source_id,
    name: row.name,
    credential: { kind: row.credential_kind },
    require_consent: row.require_consent,
    batch_delay_ms: row.batch_delay_ms,
    is_paused,
    health: is_paused ? 'PAUSED' : found === null ? 'HEALTHY' : 'RESTING',
    problem: found === null ? undefined : { ...found, ...(resting ? { retry_at: until } : {}) },
    events: counts === undefined ? undefined : { ...events, oldest_waiting_at: oldest_waiting },
    last_sent_at: row.last_sent_at,
    created_at: row.created_at,
    updated_at: row.updated_at,
  });
}

/** The key may use the destination: that of a connection on its list, or any if it has no list. */
export function requireDestination(
  request: FastifyRequest,
  row: Pick<ConversionDestinationRow, 'connection_id'>,
): void {
  requireConnection(principalOf(request), row.connection_id ?? '');
}

/** Registers the routes. */
export function conversionDestinationRoutes(app: FastifyInstance, { runtime, services }: Deps): void {
  const { conversions } = services;
  const { destinations, sender } = conversions;
  const now = (): Date => runtime.clock.now();
  const workspaceOf = (request: FastifyRequest): string => principalOf(request).workspace.id;

  const found = async (request: FastifyRequest, id: string): Promise<ConversionDestinationRow> => {
    const row = await destinations.get(workspaceOf(request), id);
    requireDestination(request, row);
    return row;
  };

  serve(app, operations.list, async ({ request, query }) => {
    const { env, source: wanted, ...filter } = query;
    const rows = await listDestinations(runtime.store.db, workspaceOf(request), {
      ...filter,
      environment: parseEnvironment(env),
      source: wanted?.toLowerCase(),
      connection_ids: principalOf(request).key.connection_ids,
    });
    return rows.map((row) => wire(row, now()));
  });
  serve(app, operations.create, async ({ request, body }) => {
    requireDestination(request, { connection_id: body.connection_id ?? null });
    return wire(
      await destinations.create(workspaceOf(request), {
        ...body,
        source: body.source.toLowerCase() as ConversionSource,
      }),
      now(),
    );
  });
  serve(app, operations.get, async ({ request, params: { id } }) => {
    const row = await found(request, id as string);
    return wire(row, now(), (await conversions.counted([row])).get(row.num));
  });
  serve(app, operations.update, async ({ request, params: { id }, body }) => {
    const row = await found(request, id as string);
    const changed = await destinations.change(workspaceOf(request), row.id, body);
    sender.nudge(0);
    return wire(changed, now());
  });
  serve(app, operations.remove, async ({ request, params: { id } }) => {
    const row = await found(request, id as string);
    await destinations.remove(workspaceOf(request), row.id);
    return {};
  });
}

/** `/ads/{connection_id}/conversion` and `/v1/conversions`: events in, and what became of them. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { breathe } from '../../core/breathe.ts';
import { PolyadError } from '../../core/errors/index.ts';
import {
  type AdsConversion,
  adsConversion,
  CONVERSION_STATES,
  conversionAnswer,
  conversionFate,
} from '../../core/model/conversion.ts';
import type { ParameterDoc } from '../../core/model/json-schema.ts';
import {
  countBare,
  type FateFilter,
  type FateRow,
  fatesAfter,
  type KeptState,
  listDestinations,
  listFates,
  requeue,
} from '../../core/store/repositories/index.ts';
import type { ConversionDestinationRow } from '../../core/store/schema.ts';
import type { Deps } from '../deps.ts';
import { flagOf, instantOf, limitOf, manyOf, offsetOf, readBody } from '../input.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { principalOf } from '../request.ts';
import { scopeOf } from '../scope.ts';
import { countBytes, rowStream } from '../streams.ts';
import { requireDestination } from './conversion-destinations.ts';

/** Most events, and destinations, of one call. */
const MAX_EVENTS = 1_000;
const MAX_DESTINATIONS = 20;
/** Rows per query of an export, and events per transaction of a replay. */
const EXPORT_ROWS = 1_000;
const REPLAY_EVENTS = 1_000;

const KEPT = CONVERSION_STATES.filter((state): state is KeptState => state !== 'DUPLICATE');
const id = z.string().min(1).max(64);
const tag = 'Conversions';

const filters = {
  state: z
    .enum(KEPT as [KeptState, ...KeptState[]])
    .optional()
    .describe('Events in this state.'),
  event: z.string().optional().describe('Events of this name, as it is at the platform.'),
  event_id: z.string().optional().describe('Events with this id of yours.'),
  reason_code: z.string().optional().describe('Events with this reason.'),
  created_gte: instantOf('Events that came in at or after this instant.'),
  created_lt: instantOf('Events that came in before it.'),
};
const destinationIds = manyOf('Ids of destinations, repeated or joined by commas. Default: all.');
const dryRun = flagOf(
  'true: everything is checked and hashed, and the answer shows the native requests; nothing is kept or sent.',
);
const DRY_RUN: ParameterDoc = {
  name: 'dry_run',
  in: 'query',
  required: false,
  description:
    'true: everything is checked and hashed, and the answer shows the native requests; nothing is kept or sent.',
  schema: { type: 'boolean', default: false },
};

const ids = z.array(id).min(1).max(MAX_DESTINATIONS);
const events = z.array(z.unknown()).min(1).max(MAX_EVENTS);
const testCode = z.string().min(1).max(64).optional().describe('For all events that name none of their own.');
const envelope = z.strictObject({ events, destination_id: id.optional(), test_code: testCode });
const fanOut = z.strictObject({ events, destination_ids: ids, test_code: testCode });
const listed = z.array(adsConversion).min(1).max(MAX_EVENTS);

const taken = {
  description: 'Taken in: what is WAITING is committed and will be sent. A dry run answers 200.',
  schema: conversionAnswer,
  status: 202,
} as const;

const operations = {
  send: operation({
    tag,
    access: 'write',
    audit: 'never',
    logged: true,
    id: 'createAdsConversion',
    method: 'POST',
    path: '/ads/:connection_id/conversion',
    summary: 'Send conversion events through a connection',
    description: `One event as the body, or up to ${MAX_EVENTS} as \`events\`. Each is checked, normalised and hashed as the platform wants it, and committed before this answers; it is sent in a batch soon after, once, whatever happens in between. Which of several destinations: \`destination_id\`, in the query or beside \`events\`. One malformed event refuses the call; events that only the platform's rules refuse have their fate in \`results\` (a single one is an error).`,
    params: { connection_id: 'Id of the connection.' },
    parameters: [
      DRY_RUN,
      {
        name: 'destination_id',
        in: 'query',
        required: false,
        description: 'Needed where the connection has several destinations.',
        schema: { type: 'string' },
      },
    ],
    bodySchema: z.union([adsConversion, envelope.extend({ events: listed })]),
    answer: taken,
  }),
  list: operation({
    tag,
    access: 'read',
    logged: true,
    id: 'listAdsConversions',
    method: 'GET',
    path: '/ads/:connection_id/conversion',
    summary: 'What became of conversion events of a connection',
    params: { connection_id: 'Id of the connection.' },
    query: z.object({ destination_id: destinationIds, ...filters, limit: limitOf, offset: offsetOf }),
    answer: { description: 'Newest first.', schema: z.array(conversionFate) },
  }),
  get: operation({
    tag,
    access: 'read',
    logged: true,
    id: 'getAdsConversion',
    method: 'GET',
    path: '/ads/:connection_id/conversion/:id',
    summary: 'What became of one conversion event',
    params: { connection_id: 'Id of the connection.', id: 'Id of the event here.' },
    query: z.object({}),
    answer: { description: 'Its fate.', schema: conversionFate },
  }),
  fan: operation({
    tag,
    access: 'write',
    audit: 'never',
    logged: true,
    id: 'createConversions',
    method: 'POST',
    path: '/v1/conversions',
    summary: 'Send conversion events to several destinations',
    description: `Up to ${MAX_EVENTS} events to up to ${MAX_DESTINATIONS} destinations, of any platforms, in one transaction. Each destination has its own result for each event.`,
    parameters: [DRY_RUN],
    bodySchema: fanOut.extend({ events: listed }),
    answer: taken,
  }),
  all: operation({
    tag,
    access: 'read',
    id: 'listConversions',
    method: 'GET',
    path: '/v1/conversions',
    summary: 'What became of conversion events',
    query: z.object({ destination_id: destinationIds, ...filters, limit: limitOf, offset: offsetOf }),
    answer: { description: 'Newest first.', schema: z.array(conversionFate) },
  }),
  export: operation({
    tag,
    access: 'read',
    id: 'exportConversions',
    method: 'GET',
    path: '/v1/conversions/export',
    summary: 'Export what became of conversion events',
    description: 'Every event, oldest first by destination, streamed. Holds no personal data.',
    query: z.object({
      destination_id: destinationIds,
      ...filters,
      format: z.enum(['ndjson', 'csv']).optional().describe('Default ndjson.'),
    }),
    answer: { description: 'One event per line.', contentType: 'application/x-ndjson', alternatives: ['text/csv'] },
  }),
  replay: operation({
    tag,
    access: 'write',
    id: 'replayConversions',
    method: 'POST',
    path: '/v1/conversions/replay',
    summary: 'Send refused conversion events again',
    description:
      'Those of one destination that match, as they were: after what refused them was put right. Their content is kept for some days only; the answer says of how many it is gone. An event that is corrected is sent as new, under the same event id.',
    body: z.strictObject({
      destination_id: id,
      ids: z
        .array(z.string().regex(/^\d{1,19}$/))
        .min(1)
        .max(10_000)
        .optional()
        .describe('Ids of events here. Default: all that match.'),
      event: z.string().optional(),
      reason_code: z.string().optional(),
    }),
    answer: {
      description: 'How many wait again, and of how many the content is gone.',
      schema: z
        .object({ replayed: z.number().int(), content_gone: z.number().int() })
        .meta({ id: 'ConversionReplay', description: 'Events that are sent again.' }),
    },
  }),
};

/** Operations on conversion events. */
export const CONVERSION_OPERATIONS: readonly Operation[] = Object.values(operations);

/** Events as the model reads them; what is wrong is said with the position of the event. */
async function readEvents(raw: readonly unknown[], code: string | undefined): Promise<AdsConversion[]> {
  const read: AdsConversion[] = [];
  for (const [index, one] of raw.entries()) {
    const event = readAt(one, raw.length === 1 ? undefined : index);
    read.push(code === undefined || event.test_code !== undefined ? event : { ...event, test_code: code });
    const pause = breathe();
    if (pause !== undefined) await pause;
  }
  return read;
}

function readAt(raw: unknown, index: number | undefined): AdsConversion {
  try {
    return readBody(raw, adsConversion);
  } catch (error) {
    if (index === undefined || !(error instanceof PolyadError)) throw error;
    const issues = ((error.details?.['issues'] ?? []) as { path: string; reason: string }[]).map(
      ({ path, reason }) => ({
        path: path === '' ? `events.${index}` : `events.${index}.${path}`,
        reason,
      }),
    );
    throw new PolyadError(error.code, { message: `Event ${index}: ${error.message}`, details: { index, issues } });
  }
}

const flag = (request: FastifyRequest): boolean => {
  const value = (request.query as Record<string, unknown>)['dry_run'];
  const read = dryRun.safeParse(value);
  if (read.success) return read.data ?? false;
  throw new PolyadError('input_invalid', {
    message: '`dry_run` must be true or false.',
    details: { issues: [{ path: 'dry_run', reason: 'must be true or false' }] },
  });
};

function refuseQuery(request: FastifyRequest, known: readonly string[]): void {
  const unknown = Object.keys(request.query as object).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new PolyadError('input_invalid', {
      message: `\`${unknown[0]}\`: is not known here.`,
      details: { issues: unknown.map((path) => ({ path, reason: 'is not known here' })), known },
    });
}

function fateToWire(
  row: FateRow,
  destinations: ReadonlyMap<string, ConversionDestinationRow>,
): Record<string, unknown> {
  const destination = destinations.get(row.destination);
  const waits = row.state === 'WAITING' ? destination?.problem : undefined;
  const code = row.reason_code ?? waits?.code;
  const reason = row.reason ?? waits?.message;
  return {
    id: row.id,
    destination_id: destination?.id ?? '',
    ...(destination?.connection_id == null ? {} : { connection_id: destination.connection_id }),
    event: row.event,
    event_id: row.event_id,
    occurred_at: row.occurred_at.toISOString(),
    state: row.state,
    ...(row.test_code === null ? {} : { test_code: row.test_code }),
    ...(code === undefined ? {} : { reason_code: code }),
    ...(reason === undefined ? {} : { reason }),
    ...(row.duplicates === 0 ? {} : { duplicates: row.duplicates }),
    ...(row.replayable ? { replayable: true } : {}),
    created_at: row.created_at.toISOString(),
    ...(row.updated_at === null ? {} : { updated_at: row.updated_at.toISOString() }),
  };
}

const COLUMNS = [
  'id',
  'destination_id',
  'connection_id',
  'event',
  'event_id',
  'occurred_at',
  'state',
  'test_code',
  'reason_code',
  'reason',
  'duplicates',
  'created_at',
  'updated_at',
];

const cell = (value: unknown): string => {
  const text = value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

async function* csv(rows: AsyncIterable<Record<string, unknown>>): AsyncGenerator<string> {
  let piece = `${COLUMNS.join(',')}\r\n`;
  for await (const row of rows) {
    piece += `${COLUMNS.map((name) => cell(row[name])).join(',')}\r\n`;
    if (piece.length < 65_536) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

/** Registers the routes. */
export function conversionRoutes(app: FastifyInstance, deps: Deps): void {
  const { runtime, services } = deps;
  const { conversions } = services;
  const { db } = runtime.store;

  /** Destinations of the workspace that the key may use, deleted ones included: their fates are still there. */
  const reachable = async (
    request: FastifyRequest,
    wanted: readonly string[] | undefined,
    connection?: string,
  ): Promise<Map<string, ConversionDestinationRow>> => {
    const { workspace, key } = principalOf(request);
    const rows = await listDestinations(db, workspace.id, {
      deleted: true,
      limit: 100_000,
      connection_id: connection,
      connection_ids: key.connection_ids,
    });
    const found = wanted === undefined ? rows : rows.filter((row) => wanted.includes(row.id));
    const unknown = wanted?.find((one) => !found.some((row) => row.id === one));
    if (unknown !== undefined)
      throw new PolyadError('record_not_found', {
        message: 'There is no such conversion destination.',
        details: { destination_id: unknown.slice(0, 64) },
      });
    return new Map(found.map((row) => [row.num, row]));
  };

  const answer = async (
    request: FastifyRequest,
    reply: FastifyReply,
    rows: readonly ConversionDestinationRow[],
    read: readonly AdsConversion[],
    single: boolean,
  ): Promise<unknown> => {
    const dry = flag(request);
    const found = await conversions.take(rows, read, { dryRun: dry, single, requestId: request.id });
    if (!dry) reply.code(202);
    return found;
  };

  serve(app, operations.send, async ({ request, reply }) => {
    refuseQuery(request, ['dry_run', 'destination_id']);
    const { connection } = await scopeOf(deps, request);
    const raw = request.body as Record<string, unknown> | undefined;
    const many = raw !== null && typeof raw === 'object' && 'events' in raw;
    const given = many ? readBody(raw, envelope) : { events: [raw] };
    const read = await readEvents(given.events, 'test_code' in given ? given.test_code : undefined);
    const named =
      ('destination_id' in given ? given.destination_id : undefined) ??
      (request.query as Record<string, string>)['destination_id'];
    const row = await only(request, connection.id, named);
    return answer(request, reply, [row], read, !many);
  });

  /** The destination named, or the only one that the connection has. */
  const only = async (request: FastifyRequest, connectionId: string, named: string | undefined) => {
    const all = await listDestinations(db, principalOf(request).workspace.id, {
      connection_id: connectionId,
      limit: 1000,
    });
    const found = named === undefined ? (all.length === 1 ? all[0] : undefined) : all.find((row) => row.id === named);
    if (found !== undefined) return found;
    throw new PolyadError('conversion_destination_required', {
      message:
        named !== undefined
          ? `\`${named.slice(0, 64)}\` is not a conversion destination of this connection.`
          : all.length === 0
            ? 'The connection has no conversion destination.'
            : `The connection has ${all.length} conversion destinations.`,
      details: {
        destinations: all
          .slice(0, 50)
          .map(({ id: one, source, source_id }) => ({ id: one, source: source.toUpperCase(), source_id })),
      },
    });
  };

  serve(app, operations.fan, async ({ request, reply }) => {
    refuseQuery(request, ['dry_run']);
    const given = readBody(request.body, fanOut);
    const rows: ConversionDestinationRow[] = [];
    for (const one of new Set(given.destination_ids)) {
      const row = await conversions.destinations.get(principalOf(request).workspace.id, one);
      requireDestination(request, row);
      rows.push(row);
    }
    return answer(request, reply, rows, await readEvents(given.events, given.test_code), false);
  });

  const page = async (
    request: FastifyRequest,
    {
      destination_id,
      limit = 100,
      offset = 0,
      ...filter
    }: FateFilter & { destination_id?: string[] | undefined; limit?: number | undefined; offset?: number | undefined },
    connection?: string,
  ): Promise<unknown> => {
    const found = await reachable(request, destination_id, connection);
    return (await listFates(db, [...found.keys()], filter, { limit, offset })).map((row) => fateToWire(row, found));
  };

  serve(app, operations.list, async ({ request, query }) => {
    const { connection } = await scopeOf(deps, request);
    return page(request, query, connection.id);
  });
  serve(app, operations.get, async ({ request, params: { id: wanted } }) => {
    const { connection } = await scopeOf(deps, request);
    const found = await reachable(request, undefined, connection.id);
    const place = { limit: 1, offset: 0 };
    const numeric = /^\d{1,18}$/.test(wanted as string);
    const [row] = numeric ? await listFates(db, [...found.keys()], { ids: [wanted as string] }, place) : [];
    if (row === undefined)
      throw new PolyadError('record_not_found', { details: { id: (wanted as string).slice(0, 64) } });
    return fateToWire(row, found);
  });
  serve(app, operations.all, ({ request, query }) => page(request, query));

  serve(app, operations.export, async ({ request, reply, query }) => {
    const { destination_id, format, ...filter } = query;
    const found = await reachable(request, destination_id);
    const rows = async function* (): AsyncGenerator<Record<string, unknown>> {
      for (const num of found.keys())
        for (let after = '0'; ; ) {
          const some = await fatesAfter(db, num, filter, after, EXPORT_ROWS);
          for (const row of some) yield fateToWire(row, found);
          if (some.length < EXPORT_ROWS) break;
          after = (some.at(-1) as FateRow).id;
        }
    };
    const type = format === 'csv' ? 'text/csv' : 'application/x-ndjson';
    reply.header('content-type', `${type}; charset=utf-8`);
    countBytes(reply, request.state);
    return reply.send(
      format === 'csv' ? Readable.from(csv(rows()), { objectMode: false }) : rowStream(rows(), 'ndjson'),
    );
  });

  serve(app, operations.replay, async ({ request, body }) => {
    const { destination_id, ...filter } = body;
    const row = await conversions.destinations.get(principalOf(request).workspace.id, destination_id);
    requireDestination(request, row);
    const gone = await countBare(db, row.num, filter);
    let replayed = 0;
    // By id, so that what is refused again meanwhile does not come round for ever.
    for (let after = '0'; ; ) {
      const { events: again, last } = await requeue(db, row.num, filter, after, REPLAY_EVENTS, runtime.clock.now());
      replayed += again;
      after = last;
      if (again < REPLAY_EVENTS) break;
    }
    conversions.sender.nudge(0);
    return { replayed, content_gone: gone };
  });
}

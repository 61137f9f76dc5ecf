/** `/ads/{connection_id}/conversion` and `/v1/conversions`: events in, and what became of them. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { breathe } from '../../core/breathe.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { type AdsConversion, adsConversion } from '../../core/model/conversion.ts';
import {
  countRefused,
  type FateFilter,
  type FateRow,
  fatesAfter,
  listDestinations,
  listFates,
  requeue,
} from '../../core/store/repositories/index.ts';
import type { ConversionDestinationRow } from '../../core/store/schema.ts';
import { noteAct } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { readBody, readFlag } from '../input.ts';
import { serve } from '../operation.ts';
import { principalOf } from '../request.ts';
import { scopeOf } from '../scope.ts';
import { countBytes, rowStream } from '../streams.ts';
import { requireDestination } from './conversion-destinations.ts';
import { envelope, fanOut, operations } from './conversion-operations.ts';

/** Rows per query of an export, and events per transaction of a replay. */
const EXPORT_ROWS = 1_000;
const REPLAY_EVENTS = 1_000;

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
    const dry = readFlag(request.query as Record<string, unknown>, 'dry_run');
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

  serve(app, operations.replay, async ({ request, query, body }) => {
    const { destination_id, ...filter } = body;
    const row = await conversions.destinations.get(principalOf(request).workspace.id, destination_id);
    requireDestination(request, row);
    const { bare: gone, whole } = await countRefused(db, row.num, filter);
    if (query.dry_run === true) {
      noteAct(request, { dryRun: true });
      return { replayed: whole, content_gone: gone, dry_run: true };
    }
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

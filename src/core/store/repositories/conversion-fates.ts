/** What became of conversion events: lists, counts, another try, and forgetting. */
import { sql } from 'kysely';
import type { ConversionState } from '../../model/conversion.ts';
import type { Db } from '../schema.ts';

/** An event as lists show it. */
export interface FateRow {
  id: string;
  destination: string;
  event: string;
  event_id: string;
  occurred_at: Date;
  state: ConversionState;
  reason_code: string | null;
  reason: string | null;
  duplicates: number;
  replayable: boolean;
  test_code: string | null;
  created_at: Date;
  updated_at: Date | null;
}

/** States that an event is kept in; a duplicate is counted on the event that was first. */
export type KeptState = Exclude<ConversionState, 'DUPLICATE'>;

export interface FateFilter {
  state?: KeptState | undefined;
  /** As the platform names it. */
  event?: string | undefined;
  event_id?: string | undefined;
  ids?: readonly string[] | undefined;
  reason_code?: string | undefined;
  created_gte?: Date | undefined;
  created_lt?: Date | undefined;
}

const SHOWN = sql`e.id::text as id, e.destination::text as destination, e.event, e.event_id, e.occurred_at,
  case when e.state is not null then upper(e.state) when c.done_at is null then 'WAITING' else 'ACCEPTED' end as state,
  e.reason_code, e.reason, e.duplicates, e.payload is not null as replayable, c.test_code, c.created_at,
  coalesce(e.updated_at, c.done_at) as updated_at`;

function conditions(filter: FateFilter) {
  const all = [sql`true`];
  const { state, event, event_id, ids, reason_code, created_gte, created_lt } = filter;
  if (state === 'WAITING') all.push(sql`e.state is null and c.done_at is null`);
  else if (state === 'ACCEPTED') all.push(sql`e.state is null and c.done_at is not null`);
  else if (state !== undefined) all.push(sql`e.state = ${state.toLowerCase()}`);
  if (event !== undefined) all.push(sql`e.event = ${event}`);
  if (event_id !== undefined) all.push(sql`e.event_id = ${event_id}`);
  if (ids !== undefined) all.push(sql`e.id = any(${[...ids]}::text[]::bigint[])`);
  if (reason_code !== undefined) all.push(sql`e.reason_code = ${reason_code}`);
  if (created_gte !== undefined) all.push(sql`c.created_at >= ${created_gte}`);
  if (created_lt !== undefined) all.push(sql`c.created_at < ${created_lt}`);
  return sql.join(all, sql` and `);
}

/** Events of some destinations, newest first. */
export async function listFates(
  db: Db,
  destinations: readonly string[],
  filter: FateFilter,
  { limit, offset }: { limit: number; offset: number },
): Promise<FateRow[]> {
  if (destinations.length === 0) return [];
  // By destination, so that each is read along its own index and only as far as the page reaches.
  const { rows } = await sql<FateRow>`
    select found.* from unnest(${[...destinations]}::text[]) as n(num), lateral (
      select ${SHOWN}, e.id as place from conversion_events e join conversion_chunks c on c.id = e.chunk
      where e.destination = n.num::bigint and ${conditions(filter)}
      order by e.id desc limit ${limit + offset}) as found
    order by found.place desc limit ${limit} offset ${offset}`.execute(db);
  return rows.map(({ ...row }) => row);
}

/** Events of one destination after the one named, oldest first: for exports, which take up again where they were. */
export async function fatesAfter(
  db: Db,
  destination: string,
  filter: FateFilter,
  after: string,
  limit: number,
): Promise<FateRow[]> {
  const { rows } = await sql<FateRow>`
    select ${SHOWN} from conversion_events e join conversion_chunks c on c.id = e.chunk
    where e.destination = ${destination}::text::bigint and e.id > ${after}::text::bigint and ${conditions(filter)}
    order by e.id limit ${limit}`.execute(db);
  return rows;
}

/** How many events of a destination are in each state, and since when the oldest waits. */
export interface FateCounts {
  waiting: number;
  accepted: number;
  refused: number;
  withheld: number;
  expired: number;
  oldest_waiting: Date | null;
}

/** Counts by destination. Reads chunks and exceptions, not every event. */
export async function countFates(db: Db, destinations: readonly string[]): Promise<Map<string, FateCounts>> {
  const counts = new Map<string, FateCounts>(
    destinations.map((num) => [
      num,
      { waiting: 0, accepted: 0, refused: 0, withheld: 0, expired: 0, oldest_waiting: null },
    ]),
  );
  if (destinations.length === 0) return counts;
  const nums = sql`${[...destinations]}::text[]::bigint[]`;
  const chunks = await sql<{ num: string; waiting: string | null; accepted: string | null; oldest: Date | null }>`
    select destination::text as num, (sum(count) filter (where done_at is null))::text as waiting,
      (sum(count) filter (where done_at is not null))::text as accepted,
      min(created_at) filter (where done_at is null and count > 0) as oldest
    from conversion_chunks where destination = any(${nums}) group by destination`.execute(db);
  for (const { num, waiting, accepted, oldest } of chunks.rows)
    Object.assign(counts.get(num) ?? {}, {
      waiting: Number(waiting ?? 0),
      accepted: Number(accepted ?? 0),
      oldest_waiting: oldest,
    });
  const others = await sql<{ num: string; state: 'refused' | 'withheld' | 'expired'; n: string }>`
    select destination::text as num, state, count(*)::text as n from conversion_events
    where destination = any(${nums}) and state is not null group by destination, state`.execute(db);
  for (const { num, state, n } of others.rows) Object.assign(counts.get(num) ?? {}, { [state]: Number(n) });
  return counts;
}

/** Events that wait, and since when, by platform and environment: for metrics. */
export async function waitingByPlatform(
  db: Db,
): Promise<{ integration_type: string; environment: string; events: number; oldest: Date }[]> {
  const { rows } = await sql<{ integration_type: string; environment: string; events: string; oldest: Date }>`
    select d.integration_type, d.environment, sum(c.count)::text as events, min(c.created_at) as oldest
    from conversion_chunks c join conversion_destinations d on d.num = c.destination
    where c.done_at is null group by d.integration_type, d.environment`.execute(db);
  return rows.map((row) => ({ ...row, events: Number(row.events) }));
}

/**
 * Puts refused events whose content is kept back into the queue: those after the id given, `most` at the most. Answers how
 * many, and the id of the last. Those that match and whose content is gone stay as they are.
 */
export function requeue(
  db: Db,
  destination: string,
  filter: Pick<FateFilter, 'ids' | 'event' | 'reason_code'>,
  after: string,
  most: number,
  now: Date,
): Promise<{ events: number; last: string }> {
  return db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ id: string; payload: string; occurred_at: Date; test_code: string | null }>`
      select e.id::text as id, e.payload, e.occurred_at, c.test_code
      from conversion_events e join conversion_chunks c on c.id = e.chunk
      where e.destination = ${destination}::text::bigint and e.id > ${after}::text::bigint and e.payload is not null
        and ${conditions({ ...filter, state: 'REFUSED' })}
      order by e.id limit ${most} for update of e`.execute(trx);
    const byTest = Map.groupBy(rows, ({ test_code }) => test_code);
    for (const [testCode, events] of byTest) {
      const oldest = new Date(Math.min(...events.map(({ occurred_at }) => occurred_at.getTime())));
      await sql`
        with chunk as (
          insert into conversion_chunks (destination, count, oldest, test_code, payload, created_at)
          values (${destination}::text::bigint, ${events.length}::int, ${oldest}, ${testCode},
            ${events.map(({ payload }) => payload).join('\n')}::text, ${now}) returning id)
        update conversion_events e set chunk = chunk.id, position = (x.place - 1)::smallint, state = null,
          reason_code = null, reason = null, payload = null, updated_at = ${now}
        from chunk, unnest(${events.map(({ id }) => id)}::text[]) with ordinality as x(id, place)
        where e.destination = ${destination}::text::bigint and e.id = x.id::bigint`.execute(trx);
    }
    return { events: rows.length, last: rows.at(-1)?.id ?? after };
  });
}

/** Refused events of a destination that match: `whole` can be sent again, of `bare` ones the content is not kept any more. */
export async function countRefused(
  db: Db,
  destination: string,
  filter: Pick<FateFilter, 'ids' | 'event' | 'reason_code'>,
): Promise<{ whole: number; bare: number }> {
  const { rows } = await sql<{ whole: string; bare: string }>`
    select count(e.payload)::text as whole, (count(*) - count(e.payload))::text as bare
    from conversion_events e join conversion_chunks c on c.id = e.chunk
    where e.destination = ${destination}::text::bigint and ${conditions({ ...filter, state: 'REFUSED' })}`.execute(db);
  return { whole: Number(rows[0]?.whole ?? 0), bare: Number(rows[0]?.bare ?? 0) };
}

/** Deletes the content of refused events that were refused before `before`. Answers how many. */
export async function dropEventContents(db: Db, before: Date): Promise<number> {
  const { numAffectedRows } = await sql`update conversion_events set payload = null
    where payload is not null and updated_at < ${before}`.execute(db);
  return Number(numAffectedRows ?? 0n);
}

/** Chunks per statement when old fates are forgotten. */
const PRUNE_CHUNKS = 500;

/** Forgets events that came in before `before` and do not wait any more. Answers how many. */
export async function pruneFates(db: Db, before: Date): Promise<number> {
  let events = 0;
  for (;;) {
    const removed = await db.transaction().execute(async (trx) => {
      const { rows } = await sql<{ id: string }>`select id::text as id from conversion_chunks
        where created_at < ${before} and done_at is not null order by created_at
        limit ${sql.lit(PRUNE_CHUNKS)} for update skip locked`.execute(trx);
      if (rows.length === 0) return undefined;
      const chunks = sql`${rows.map(({ id }) => id)}::text[]::bigint[]`;
      const gone = await sql`delete from conversion_events where chunk = any(${chunks})`.execute(trx);
      await sql`delete from conversion_chunks where id = any(${chunks})`.execute(trx);
      return Number(gone.numAffectedRows ?? 0n);
    });
    if (removed === undefined) break;
    events += removed;
  }
  await sql`delete from conversion_destinations d where d.deleted_at < ${before}
    and not exists (select 1 from conversion_chunks c where c.destination = d.num)`.execute(db);
  return events;
}

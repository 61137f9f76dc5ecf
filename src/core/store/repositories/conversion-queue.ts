/** The queue of conversion events: chunks in, batches out. Bigints are text on our side, whatever the engine gives. */
import { sql } from 'kysely';
import { type Db, json, storableText } from '../schema.ts';

/** An event that is taken in. */
export interface QueuedEvent {
  /** Digest of name and event id, as a UUID. Different for every event of a chunk. */
  key: string;
  event: string;
  eventId: string;
  occurredAt: Date;
  /** Native JSON on one line; absent where the event is not to be sent. */
  line?: string;
  /** Its fate, where that is known at once. */
  fate?: { state: 'refused' | 'withheld' | 'expired'; code: string; reason: string };
  /** How often it came again in the same call. */
  repeats: number;
}

export interface NewChunk {
  destination: string;
  testCode: string | null;
  events: readonly QueuedEvent[];
}

/** What became of an event that came in. `taken` false = it was there before. */
export interface Taken {
  key: string;
  id: string;
  taken: boolean;
}

const ids = (list: readonly string[]) => sql`${[...list]}::text[]::bigint[]`;

/**
 * Takes a chunk in. Events that are there already are counted on the row they have; one whose fate was refused, withheld
 * or expired is taken again, in the place of what was. Run it in a transaction.
 */
export async function insertChunk(trx: Db, chunk: NewChunk, now: Date): Promise<Taken[]> {
  // In the order of their keys, so that two writers of the same events wait for each other and do not lock up.
  const events = [...chunk.events].sort((left, right) => (left.key < right.key ? -1 : 1));
  const lines: string[] = [];
  const positions = new Map<string, number>();
  let oldest = Number.POSITIVE_INFINITY;
  const rows = events.map((event) => {
    let position: number | undefined;
    if (event.line !== undefined && event.fate === undefined) {
      position = lines.push(event.line) - 1;
      positions.set(event.key, position);
      oldest = Math.min(oldest, event.occurredAt.getTime());
    }
    return {
      k: event.key,
      e: event.event,
      i: event.eventId,
      t: event.occurredAt.toISOString(),
      n: event.repeats,
      ...(position === undefined ? {} : { p: position }),
      ...(event.fate === undefined ? {} : { s: event.fate.state, c: event.fate.code, r: event.fate.reason }),
    };
  });
  const payload = lines.length === 0 ? null : storableText(lines.join('\n'));
  const { rows: found } = await sql<{ key: string; id: string; chunk: string; taken: boolean }>`
    with chunk as (
      insert into conversion_chunks (destination, count, oldest, test_code, payload, created_at, done_at)
      values (${chunk.destination}::text::bigint, ${lines.length}::int, ${new Date(lines.length === 0 ? now.getTime() : oldest)},
        ${chunk.testCode}, ${payload}::text, ${now}, ${lines.length === 0 ? now : null}::timestamptz)
      returning id)
    insert into conversion_events as had
      (destination, key, chunk, position, event, event_id, occurred_at, state, reason_code, reason, duplicates, updated_at)
    select ${chunk.destination}::text::bigint, x.k, chunk.id, x.p, x.e, x.i, x.t, x.s, x.c, x.r, x.n,
      case when x.s is null then null else ${now}::timestamptz end
    from chunk, jsonb_to_recordset(${json(rows)}::jsonb)
      as x(k uuid, p smallint, e text, i text, t timestamptz, s text, c text, r text, n int)
    order by x.k
    on conflict (destination, key) do update set
      duplicates = had.duplicates + excluded.duplicates + case when had.state is null then 1 else 0 end,
      chunk = case when had.state is null then had.chunk else excluded.chunk end,
      position = case when had.state is null then had.position else excluded.position end,
      occurred_at = case when had.state is null then had.occurred_at else excluded.occurred_at end,
      reason_code = case when had.state is null then null else excluded.reason_code end,
      reason = case when had.state is null then null else excluded.reason end,
      payload = null,
      updated_at = case when had.state is null then had.updated_at else ${now}::timestamptz end,
      state = case when had.state is null then null else excluded.state end
    returning key::text as key, id::text as id, (select id::text from chunk) as chunk,
      chunk = (select id from chunk) as taken`.execute(trx);
  const refused = found.filter(({ taken }) => !taken);
  if (refused.length > 0) await forget(trx, found, refused, positions, lines, now);
  return found;
}

/** Takes the lines of events that were there before out of the chunk: blank, so that the others keep their place. */
async function forget(
  trx: Db,
  found: readonly { chunk: string }[],
  refused: readonly { key: string }[],
  positions: ReadonlyMap<string, number>,
  lines: string[],
  now: Date,
): Promise<void> {
  let blanked = 0;
  for (const { key } of refused) {
    const position = positions.get(key);
    if (position === undefined) continue;
    lines[position] = '';
    blanked += 1;
  }
  const left = lines.length - blanked;
  const chunk = found[0]?.chunk as string;
  if (refused.length === found.length) {
    await sql`delete from conversion_chunks where id = ${chunk}::text::bigint`.execute(trx);
    return;
  }
  if (blanked === 0) return;
  await sql`update conversion_chunks set count = ${left}::int, payload = ${left === 0 ? null : storableText(lines.join('\n'))}::text,
      done_at = ${left === 0 ? now : null}::timestamptz
    where id = ${chunk}::text::bigint`.execute(trx);
}

/** A destination with something to send. */
export interface Due {
  destination: string;
  /** Events that wait, counted up to some thousands. */
  events: number;
  /** When the first of them came in. */
  since: Date;
  /** Among them are some that were sent before, or are to be. */
  again: boolean;
}

/** How many chunks of one destination are looked at: as many as fill a batch if each holds one event. */
const LOOK = 1_000;

/** Destinations with events that nobody is at. Its cost depends on how many destinations wait, not on how many events. */
export async function dueDestinations(db: Db, now: Date): Promise<Due[]> {
  const { rows } = await sql<{ destination: string; events: string; since: Date; again: boolean }>`
    with recursive waiting as (
      select min(destination) as num from conversion_chunks where done_at is null
      union all
      select (select min(destination) from conversion_chunks where done_at is null and destination > waiting.num)
      from waiting where waiting.num is not null)
    select waiting.num::text as destination, sum(w.count)::text as events, min(w.created_at) as since,
      bool_or(w.batch is not null) as again
    from waiting
    join conversion_destinations d on d.num = waiting.num and not d.is_paused and d.deleted_at is null
      and (d.hold_until is null or d.hold_until <= ${now}),
    lateral (
      select count, created_at, batch from conversion_chunks c
      where c.destination = waiting.num and c.done_at is null and (c.lease_until is null or c.lease_until <= ${now})
      order by c.id limit ${sql.lit(LOOK)}) w
    group by waiting.num`.execute(db);
  return rows.map(({ events, ...one }) => ({ ...one, events: Number(events) }));
}

/** A chunk that somebody took to send. */
export interface LeasedChunk {
  id: string;
  /** Lines of its payload; empty ones have no event. */
  payload: string;
  count: number;
  oldest: Date;
  attempts: number;
}

export interface LeasedBatch {
  batch: string;
  testCode: string | null;
  chunks: LeasedChunk[];
}

/**
 * Takes the oldest events of a destination that nobody is at, `most` at the most. What was sent together before is taken
 * together again. Undefined = there is nothing.
 */
export function leaseBatch(
  db: Db,
  destination: string,
  holder: { id: string; until: Date },
  most: number,
  now: Date,
): Promise<LeasedBatch | undefined> {
  return db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ id: string; batch: string | null; count: number; test_code: string | null }>`
      select id::text as id, batch::text as batch, count, test_code from conversion_chunks
      where destination = ${destination}::text::bigint and done_at is null and (lease_until is null or lease_until <= ${now})
      order by id limit ${sql.lit(LOOK)} for update skip locked`.execute(trx);
    const [first] = rows;
    if (first === undefined) return undefined;
    let taken: string[];
    if (first.batch === null) {
      taken = [];
      let events = 0;
      for (const { id, batch, count, test_code } of rows) {
        if (batch !== null || test_code !== first.test_code) continue;
        if (events + count > most && taken.length > 0) break;
        events += count;
        taken.push(id);
      }
    } else {
      const again = await sql<{ id: string }>`select id::text as id from conversion_chunks
        where batch = ${first.batch}::text::bigint and done_at is null for update`.execute(trx);
      taken = again.rows.map(({ id }) => id);
    }
    const leased = await sql<LeasedChunk & { payload: string | null }>`
      update conversion_chunks set holder = ${holder.id}, lease_until = ${holder.until}, attempts = attempts + 1,
        batch = coalesce(batch, ${first.id}::text::bigint)
      where id = any(${ids(taken)})
      returning id::text as id, payload, count, oldest, attempts`.execute(trx);
    const chunks = leased.rows
      .map((chunk) => ({ ...chunk, payload: chunk.payload ?? '' }))
      .sort((left, right) => (BigInt(left.id) < BigInt(right.id) ? -1 : 1));
    return { batch: first.batch ?? first.id, testCode: first.test_code, chunks };
  });
}

/** Lines of chunks whose events have a fate of their own already. */
export async function settledLines(db: Db, chunks: readonly string[]): Promise<{ chunk: string; position: number }[]> {
  const { rows } = await sql<{ chunk: string; position: number }>`
    select chunk::text as chunk, position from conversion_events
    where chunk = any(${ids(chunks)}) and state is not null and position is not null`.execute(db);
  return rows;
}

/** The fate of one event of a chunk. */
export interface LineFate {
  chunk: string;
  position: number;
  state: 'refused' | 'expired';
  code: string;
  reason: string;
  /** The event, to be kept for another try. */
  line?: string;
}

/** Writes fates that differ from that of the chunk. A second time changes nothing. */
export async function settleLines(db: Db, fates: readonly LineFate[], now: Date): Promise<void> {
  if (fates.length === 0) return;
  const rows = fates.map(({ chunk, position, state, code, reason, line }) => ({
    ...{ h: chunk, p: position, s: state, c: code, r: reason },
    ...(line === undefined ? {} : { l: line }),
  }));
  await sql`
    with settled as (
      update conversion_events e set state = x.s, reason_code = x.c, reason = x.r, payload = x.l, updated_at = ${now}
      from jsonb_to_recordset(${json(rows)}::jsonb) as x(h bigint, p smallint, s text, c text, r text, l text)
      where e.chunk = x.h and e.position = x.p and e.state is null
      returning e.chunk)
    update conversion_chunks c set count = c.count - s.n
    from (select chunk, count(*)::int as n from settled group by chunk) s where c.id = s.chunk`.execute(db);
}

/** Lines of chunks whose events happened before `before` and have no fate yet. */
export async function overdueLines(
  db: Db,
  chunks: readonly string[],
  before: Date,
): Promise<{ chunk: string; position: number }[]> {
  const { rows } = await sql<{ chunk: string; position: number }>`
    select chunk::text as chunk, position from conversion_events
    where chunk = any(${ids(chunks)}) and state is null and position is not null and occurred_at < ${before}`.execute(
    db,
  );
  return rows;
}

/** All that is left of these chunks was accepted; their content is deleted. False = another holder has them. */
export async function finishChunks(db: Db, chunks: readonly string[], holder: string, now: Date): Promise<boolean> {
  const { rows } = await sql<{ id: string }>`
    update conversion_chunks set done_at = ${now}, payload = null, holder = null, lease_until = null
    where id = any(${ids(chunks)}) and holder = ${holder} and done_at is null returning id`.execute(db);
  return rows.length === chunks.length;
}

/** Gives chunks back: they wait, to be sent together again. */
export async function releaseChunks(db: Db, chunks: readonly string[], holder: string): Promise<void> {
  await sql`update conversion_chunks set holder = null, lease_until = null
    where id = any(${ids(chunks)}) and holder = ${holder} and done_at is null`.execute(db);
}

/** Prolongs a lease. False = another holder has taken some of them over. */
export async function renewChunks(db: Db, chunks: readonly string[], holder: string, until: Date): Promise<boolean> {
  const { rows } = await sql<{ id: string }>`update conversion_chunks set lease_until = ${until}
    where id = any(${ids(chunks)}) and holder = ${holder} and done_at is null returning id`.execute(db);
  return rows.length === chunks.length;
}

/** Prolongs all leases of a holder. */
export async function renewLeases(db: Db, holder: string, until: Date): Promise<void> {
  await sql`update conversion_chunks set lease_until = ${until} where holder = ${holder} and done_at is null`.execute(
    db,
  );
}

/** Ends every lease: for a database that one process alone can open, at its start. */
export async function endChunkLeases(db: Db): Promise<void> {
  await sql`update conversion_chunks set holder = null, lease_until = null
    where done_at is null and holder is not null`.execute(db);
}

/** Chunks of a destination that wait, with an event older than `before`. */
export async function overdueChunks(db: Db, destination: string, before: Date, now: Date): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id::text as id from conversion_chunks
    where destination = ${destination}::text::bigint and done_at is null and oldest < ${before}
      and (lease_until is null or lease_until <= ${now})
    order by id limit ${sql.lit(LOOK)}`.execute(db);
  return rows.map(({ id }) => id);
}

/** Closes chunks in which no event waits any more. */
export async function closeEmptyChunks(db: Db, chunks: readonly string[], now: Date): Promise<void> {
  await sql`update conversion_chunks set done_at = ${now}, payload = null, holder = null, lease_until = null
    where id = any(${ids(chunks)}) and count <= 0 and done_at is null`.execute(db);
}

/** Ends all that waits at a destination with one fate. */
export async function settleDestination(
  db: Db,
  destination: string,
  fate: { state: 'refused' | 'expired'; code: string; reason: string },
  now: Date,
): Promise<void> {
  await sql`update conversion_events e set state = ${fate.state}, reason_code = ${fate.code}, reason = ${fate.reason},
      updated_at = ${now}
    from conversion_chunks c
    where c.destination = ${destination}::text::bigint and c.done_at is null and e.chunk = c.id and e.state is null`.execute(
    db,
  );
  await sql`update conversion_chunks set done_at = ${now}, payload = null, count = 0, holder = null, lease_until = null
    where destination = ${destination}::text::bigint and done_at is null`.execute(db);
}

import { sql } from 'kysely';
import { newId } from '../ids.ts';
import { type Db, json, type WriteRow, type WriteState } from '../schema.ts';

/** What a key is unique within, and what it stands for. */
export interface NewWrite {
  workspace_id: string;
  connection_id: string;
  route: string;
  key: string | null;
  fingerprint: string;
  request_token: string;
  holder: string;
  lease_until: Date;
}

/** Records a write. Of several with the same key one wins; the others get undefined. */
export function insertWrite(db: Db, input: NewWrite, now: Date): Promise<WriteRow | undefined> {
  return db
    .insertInto('writes')
    .values({ id: newId(now.getTime()), ...input, state: 'in_flight', created_at: now, updated_at: now })
    .onConflict((conflict) => conflict.columns(['workspace_id', 'connection_id', 'route', 'key']).doNothing())
    .returningAll()
    .executeTakeFirst();
}

/** The write recorded under a key. */
export function findWrite(
  db: Db,
  { workspace_id, connection_id, route, key }: Pick<NewWrite, 'workspace_id' | 'connection_id' | 'route' | 'key'>,
): Promise<WriteRow | undefined> {
  return db
    .selectFrom('writes')
    .selectAll()
    .where('workspace_id', '=', workspace_id)
    .where('connection_id', '=', connection_id)
    .where('route', '=', route)
    .where('key', '=', key)
    .executeTakeFirst();
}

/** Takes over a write that nobody is at any more. Undefined = somebody is, or it is done. */
export function takeOverWrite(
  db: Db,
  id: string,
  holder: string,
  leaseUntil: Date,
  now: Date,
): Promise<WriteRow | undefined> {
  return db
    .updateTable('writes')
    .set({ state: 'in_flight', holder, lease_until: leaseUntil, updated_at: now })
    .where('id', '=', id)
    .where('state', '<>', 'done')
    .where((where) => where.or([where('holder', 'is', null), where('lease_until', '<=', now)]))
    .returningAll()
    .executeTakeFirst();
}

/**
 * Notes that a request is about to leave. Answers when the first one of this write did; undefined = another holder has
 * taken the write over, so nothing may be sent.
 */
export async function markSent(
  db: Db,
  id: string,
  holder: string,
  change: { target: string | null; marker: string | null; leaseUntil: Date },
  now: Date,
): Promise<Date | undefined> {
  const row = await db
    .updateTable('writes')
    .set((set) => ({
      sent_at: set.fn.coalesce('sent_at', sql<Date>`${now}`),
      target: change.target,
      marker: change.marker,
      lease_until: change.leaseUntil,
      updated_at: now,
    }))
    .where('id', '=', id)
    .where('holder', '=', holder)
    .where('state', '=', 'in_flight')
    .returning('sent_at')
    .executeTakeFirst();
  return row?.sent_at ?? undefined;
}

/** Notes that nothing of this write has been carried out, so that it begins anew. */
export async function unmarkSent(db: Db, id: string, holder: string, now: Date): Promise<void> {
  await db
    .updateTable('writes')
    .set({ sent_at: null, updated_at: now })
    .where('id', '=', id)
    .where('holder', '=', holder)
    .execute();
}

/** Keeps the answer of a write. False = another holder has taken it over. */
export async function finishWrite(
  db: Db,
  id: string,
  holder: string,
  result: { state: WriteState; status: number | null; answer: unknown; platform_id?: string | undefined },
  now: Date,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('writes')
    .set({
      state: result.state,
      holder: null,
      lease_until: null,
      status: result.status,
      answer: result.answer === undefined ? null : json(result.answer),
      ...(result.platform_id === undefined ? {} : { platform_id: result.platform_id }),
      updated_at: now,
    })
    .where('id', '=', id)
    .where('holder', '=', holder)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Forgets a write of which nothing was carried out: its key is free. */
export async function dropWrite(db: Db, id: string, holder: string | null): Promise<void> {
  const query = db.deleteFrom('writes').where('id', '=', id);
  await (holder === null ? query.where('holder', 'is', null) : query.where('holder', '=', holder)).execute();
}

/** Of `ids`, those that other writes have created. */
export async function claimedIds(
  db: Db,
  target: string,
  ids: readonly string[],
  exceptId: string,
): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db
    .selectFrom('writes')
    .select('platform_id')
    .where('target', '=', target)
    .where('platform_id', 'in', [...ids])
    .where('id', '<>', exceptId)
    .execute();
  return new Set(rows.map((row) => row.platform_id as string));
}

/** Other writes that are looked for by the same marker and whose outcome is open. */
export function openRivals(
  db: Db,
  target: string,
  marker: string,
  exceptId: string,
): Promise<Pick<WriteRow, 'id' | 'state' | 'fingerprint' | 'lease_until' | 'sent_at'>[]> {
  return db
    .selectFrom('writes')
    .select(['id', 'state', 'fingerprint', 'lease_until', 'sent_at'])
    .where('target', '=', target)
    .where('marker', '=', marker)
    .where('state', '<>', 'done')
    .where('sent_at', 'is not', null)
    .where('id', '<>', exceptId)
    .orderBy('sent_at')
    .execute();
}

/** Takes an object as the one that this write created, unless another write has it. Answers whether it was taken. */
export function claimId(
  db: Db,
  write: { id: string; holder: string; target: string; platform_id: string },
  now: Date,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    // Two writes with the same marker that look at the same moment must not take the same object.
    await sql`select pg_advisory_xact_lock(hashtext('polyad_writes'), hashtext(${write.target}))`.execute(trx);
    const claimed = await claimedIds(trx, write.target, [write.platform_id], write.id);
    if (claimed.size > 0) return false;
    const { numUpdatedRows } = await trx
      .updateTable('writes')
      .set({ platform_id: write.platform_id, updated_at: now })
      .where('id', '=', write.id)
      .where('holder', '=', write.holder)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  });
}

/** Prolongs the leases of all writes that a node is at. */
export async function renewWriteLeases(db: Db, holders: readonly string[], leaseUntil: Date): Promise<void> {
  if (holders.length === 0) return;
  await db
    .updateTable('writes')
    .set({ lease_until: leaseUntil })
    .where('holder', 'in', [...holders])
    .where('state', '=', 'in_flight')
    .execute();
}

/** Ends every lease: for a database that one process alone can open, at its start. Answers how many there were. */
export async function endWriteLeases(db: Db, now: Date): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable('writes')
    .set({ holder: null, lease_until: null, updated_at: now })
    .where('state', '=', 'in_flight')
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** Writes of a workspace whose outcome is open. */
const openWrites = (db: Db, workspaceId: string) =>
  db
    .selectFrom('writes')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('state', '<>', 'done')
    .where('sent_at', 'is not', null);

/** One of them. */
export function findOpenWrite(
  db: Db,
  workspaceId: string,
  connectionId: string,
  id: string,
): Promise<WriteRow | undefined> {
  return openWrites(db, workspaceId).where('connection_id', '=', connectionId).where('id', '=', id).executeTakeFirst();
}

/** All of them, oldest first. `connectionIds`: only of these connections; null = of all. */
export function listOpenWrites(
  db: Db,
  workspaceId: string,
  connectionIds: readonly string[] | null,
  limit: number,
  offset: number,
): Promise<WriteRow[]> {
  const query = openWrites(db, workspaceId);
  const own =
    connectionIds === null ? query : query.where('connection_id', '=', sql<string>`any(${[...connectionIds]}::text[])`);
  return own.orderBy('created_at').orderBy('id').limit(limit).offset(offset).execute();
}

/**
 * Deletes writes that were begun before `before`, of all workspaces (housekeeping); those whose outcome is open only
 * when they are older than `openBefore`. Answers how many.
 */
export async function pruneWrites(db: Db, before: Date, openBefore: Date): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('writes')
    .where('created_at', '<', before)
    .where((where) =>
      where.or([where('state', '=', 'done'), where('sent_at', 'is', null), where('created_at', '<', openBefore)]),
    )
    .where((where) => where.or([where('holder', 'is', null), where('created_at', '<', openBefore)]))
    .executeTakeFirst();
  return Number(numDeletedRows);
}

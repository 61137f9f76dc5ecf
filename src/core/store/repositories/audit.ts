import { sql } from 'kysely';
import { type AuditHeadTable, type AuditRow, type Db, json } from '../schema.ts';

/** The end of a workspace's chain; undefined when nothing was written yet. */
export function getAuditHead(db: Db, workspaceId: string): Promise<AuditHeadTable | undefined> {
  return db.selectFrom('audit_heads').selectAll().where('workspace_id', '=', workspaceId).executeTakeFirst();
}

/**
 * The ends of these workspaces' chains, held until the transaction ends: whoever else wants to add to one of them waits.
 * Made where there is none. Two statements, however many workspaces, and both go through them in the same order as those
 * of every other node, so that two that hold some never wait for each other. Whoever had to wait for an end gets it as the
 * other left it, since the rows are read again when they are locked.
 *
 * @param beginning what the first row of a chain follows
 */
export async function holdAuditHeads(
  trx: Db,
  workspaceIds: readonly string[],
  beginning: string,
): Promise<AuditHeadTable[]> {
  const ids = [...workspaceIds];
  await sql`insert into audit_heads (workspace_id, seq, hash, seal)
    select id, 0, ${beginning}, '' from unnest(${ids}::text[]) as given (id) order by id
    on conflict (workspace_id) do nothing`.execute(trx);
  return trx
    .selectFrom('audit_heads')
    .selectAll()
    .where('workspace_id', '=', sql<string>`any(${ids}::text[])`)
    .orderBy('workspace_id')
    .forUpdate()
    .execute();
}

/** Adds rows and moves the ends of their chains. Only while these are held. */
export async function insertAuditRows(
  trx: Db,
  rows: readonly AuditRow[],
  heads: readonly AuditHeadTable[],
): Promise<void> {
  await sql`insert into audit_log
    select * from jsonb_populate_recordset(null::audit_log, ${json(rows)}::jsonb)`.execute(trx);
  await sql`update audit_heads as head set seq = given.seq, hash = given.hash, seal = given.seal
    from jsonb_to_recordset(${json(heads)}::jsonb) as given (workspace_id text, seq integer, hash text, seal text)
    where head.workspace_id = given.workspace_id`.execute(trx);
}

export interface AuditFilter {
  /** Rows after this number. */
  after?: number | undefined;
  /** Rows up to this number. */
  upTo?: number | undefined;
  action?: string | undefined;
  connection_id?: string | undefined;
  at_gte?: Date | undefined;
  at_lt?: Date | undefined;
  limit: number;
}

/** Rows of a workspace, oldest first. */
export function listAuditRows(db: Db, workspaceId: string, filter: AuditFilter): Promise<AuditRow[]> {
  let query = db.selectFrom('audit_log').selectAll().where('workspace_id', '=', workspaceId);
  if (filter.after !== undefined) query = query.where('seq', '>', filter.after);
  if (filter.upTo !== undefined) query = query.where('seq', '<=', filter.upTo);
  if (filter.action !== undefined) query = query.where('action', '=', filter.action);
  if (filter.connection_id !== undefined) query = query.where('connection_id', '=', filter.connection_id);
  if (filter.at_gte !== undefined) query = query.where('at', '>=', filter.at_gte);
  if (filter.at_lt !== undefined) query = query.where('at', '<', filter.at_lt);
  return query.orderBy('seq').limit(filter.limit).execute();
}

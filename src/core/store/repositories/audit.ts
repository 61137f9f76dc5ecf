import type { AuditHeadTable, AuditRow, Db } from '../schema.ts';

/** The end of a workspace's chain; undefined when nothing was written yet. */
export function getAuditHead(db: Db, workspaceId: string): Promise<AuditHeadTable | undefined> {
  return db.selectFrom('audit_heads').selectAll().where('workspace_id', '=', workspaceId).executeTakeFirst();
}

/** The same, held until the transaction ends: whoever else wants to add waits. Made when there is none. */
export async function holdAuditHead(trx: Db, workspaceId: string, beginning: string): Promise<AuditHeadTable> {
  await trx
    .insertInto('audit_heads')
    .values({ workspace_id: workspaceId, seq: 0, hash: beginning, seal: '' })
    .onConflict((conflict) => conflict.column('workspace_id').doNothing())
    .execute();
  return trx
    .selectFrom('audit_heads')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .forUpdate()
    .executeTakeFirstOrThrow();
}

/** Adds rows and moves the end of the chain. Only while the head is held. */
export async function insertAuditRows(trx: Db, rows: readonly AuditRow[], head: AuditHeadTable): Promise<void> {
  await trx
    .insertInto('audit_log')
    .values([...rows])
    .execute();
  const { workspace_id, ...end } = head;
  await trx.updateTable('audit_heads').set(end).where('workspace_id', '=', workspace_id).execute();
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

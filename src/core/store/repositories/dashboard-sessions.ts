import type { DashboardSessionRow, Db } from '../schema.ts';

/** Writes a session, or moves the end of one that is there. */
export async function putDashboardSession(db: Db, row: DashboardSessionRow): Promise<void> {
  const { seen_at, expires_at } = row;
  await db
    .insertInto('dashboard_sessions')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ seen_at, expires_at }))
    .execute();
}

/** The session, also when it is over. */
export function getDashboardSession(db: Db, id: string): Promise<DashboardSessionRow | undefined> {
  return db.selectFrom('dashboard_sessions').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Ends a session: whoever still has its cookie is signed in no longer. */
export async function deleteDashboardSession(db: Db, id: string): Promise<void> {
  await db.deleteFrom('dashboard_sessions').where('id', '=', id).execute();
}

/** Removes sessions that were over before `before`. Answers how many. */
export async function pruneDashboardSessions(db: Db, before: Date): Promise<number> {
  const result = await db.deleteFrom('dashboard_sessions').where('expires_at', '<', before).executeTakeFirst();
  return Number(result.numDeletedRows);
}

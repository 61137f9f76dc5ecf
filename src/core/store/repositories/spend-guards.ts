import { type Db, json, type SpendGuardRow, type SpendRules } from '../schema.ts';

/** What a guard is for: one ad account, or (both empty) every ad account of the workspace. */
export interface GuardScope {
  integration_type: string;
  organization_id: string;
}

/** All guards of a workspace, its own first. */
export function listSpendGuards(db: Db, workspaceId: string): Promise<SpendGuardRow[]> {
  return db
    .selectFrom('spend_guards')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .orderBy('integration_type')
    .orderBy('organization_id')
    .execute();
}

/** The guards that a write in one ad account must pass. */
export function guardsOf(db: Db, workspaceId: string, scope: GuardScope): Promise<SpendGuardRow[]> {
  return db
    .selectFrom('spend_guards')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where((where) =>
      where.or([
        where('organization_id', '=', ''),
        where.and([
          where('integration_type', '=', scope.integration_type),
          where('organization_id', '=', scope.organization_id),
        ]),
      ]),
    )
    .execute();
}

/** Sets the rules of one scope, all of them; rules that are not named no longer hold. */
export function putSpendGuard(
  db: Db,
  workspaceId: string,
  scope: GuardScope,
  rules: SpendRules,
  now: Date,
): Promise<SpendGuardRow> {
  return db
    .insertInto('spend_guards')
    .values({ workspace_id: workspaceId, ...scope, rules: json(rules), updated_at: now })
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'integration_type', 'organization_id'])
        .doUpdateSet({ rules: json(rules), updated_at: now }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Removes the rules of one scope. Answers whether there were any. */
export async function removeSpendGuard(db: Db, workspaceId: string, scope: GuardScope): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('spend_guards')
    .where('workspace_id', '=', workspaceId)
    .where('integration_type', '=', scope.integration_type)
    .where('organization_id', '=', scope.organization_id)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

import { sql } from 'kysely';
import type { Db } from '../schema.ts';

/** Notes entries as received; answers those that had not been. */
export async function receiveHooks(
  db: Db,
  workspaceId: string,
  digests: readonly string[],
  now: Date,
): Promise<Set<string>> {
  if (digests.length === 0) return new Set();
  const rows = await db
    .insertInto('hook_receipts')
    .values([...new Set(digests)].sort().map((digest) => ({ workspace_id: workspaceId, digest, received_at: now })))
    .onConflict((conflict) => conflict.columns(['workspace_id', 'digest']).doNothing())
    .returning('digest')
    .execute();
  return new Set(rows.map(({ digest }) => digest));
}

/** Forgets receipts older than platforms repeat. Answers how many. */
export async function pruneHookReceipts(db: Db, before: Date): Promise<number> {
  const { numDeletedRows } = await db.deleteFrom('hook_receipts').where('received_at', '<', before).executeTakeFirst();
  return Number(numDeletedRows);
}

/** Connections of a platform and environment that reach one of these ad accounts, with those of them that it reaches. */
export async function connectionsReaching(
  db: Db,
  workspaceId: string,
  type: string,
  environment: string,
  organizationIds: readonly string[],
): Promise<{ id: string; external_xref: string | null; organization_ids: string[] }[]> {
  const { rows } = await sql<{ id: string; external_xref: string | null; organization_ids: string[] }>`
    select c.id, c.external_xref, array(select jsonb_array_elements_text(coalesce(c.account->'organization_ids', '[]'::jsonb))
      intersect select unnest(${[...organizationIds]}::text[])) as organization_ids
    from connections c
    where c.workspace_id = ${workspaceId} and c.integration_type = ${type} and c.environment = ${environment}
      and c.deleted_at is null
      and jsonb_exists_any(coalesce(c.account->'organization_ids', '[]'::jsonb), ${[...organizationIds]}::text[])
    order by c.id`.execute(db);
  return rows;
}

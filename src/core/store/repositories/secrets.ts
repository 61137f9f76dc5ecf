import { newId } from '../ids.ts';
import { type Db, type Envelope, json, type SecretOwnerKind, type SecretRow } from '../schema.ts';

/** Whose secret it is. */
export interface SecretOwner {
  workspaceId: string;
  kind: SecretOwnerKind;
  id: string;
}

/** The secret of this kind, still encrypted, or undefined. */
export function getSecret(db: Db, owner: SecretOwner, kind: string): Promise<SecretRow | undefined> {
  return db
    .selectFrom('secrets')
    .selectAll()
    .where('workspace_id', '=', owner.workspaceId)
    .where('owner_kind', '=', owner.kind)
    .where('owner_id', '=', owner.id)
    .where('kind', '=', kind)
    .executeTakeFirst();
}

/**
 * Writes version `version` of a secret if the stored one is version `version - 1` (0 = none is stored yet).
 * Answers whether it was written; false = another writer was first.
 */
export async function putSecret(
  db: Db,
  owner: SecretOwner,
  kind: string,
  version: number,
  envelope: Envelope,
  now: Date = new Date(),
): Promise<boolean> {
  const written = { version, key_id: envelope.kid, envelope: json(envelope), created_at: now };
  if (version === 1) {
    const inserted = await db
      .insertInto('secrets')
      .values({
        id: newId(now.getTime()),
        workspace_id: owner.workspaceId,
        owner_kind: owner.kind,
        owner_id: owner.id,
        kind,
        ...written,
      })
      .onConflict((oc) => oc.columns(['owner_kind', 'owner_id', 'kind']).doNothing())
      .returning('id')
      .executeTakeFirst();
    return inserted !== undefined;
  }
  const updated = await db
    .updateTable('secrets')
    .set(written)
    .where('workspace_id', '=', owner.workspaceId)
    .where('owner_kind', '=', owner.kind)
    .where('owner_id', '=', owner.id)
    .where('kind', '=', kind)
    .where('version', '=', version - 1)
    .returning('id')
    .executeTakeFirst();
  return updated !== undefined;
}

/** Deletes one kind of secret of an owner, or all. Answers how many. */
export async function deleteSecrets(db: Db, owner: SecretOwner, kind?: string): Promise<number> {
  let query = db
    .deleteFrom('secrets')
    .where('workspace_id', '=', owner.workspaceId)
    .where('owner_kind', '=', owner.kind)
    .where('owner_id', '=', owner.id);
  if (kind !== undefined) query = query.where('kind', '=', kind);
  return Number((await query.executeTakeFirst()).numDeletedRows);
}

/** Ids of the master keys that stored secrets need, of all workspaces: for the check at start, which reads no secret. */
export async function keyIdsInUse(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('secrets').select('key_id').distinct().orderBy('key_id').execute();
  return rows.map((row) => row.key_id);
}

import { sql } from 'kysely';
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

/** Holds, until the transaction ends, whoever else wants to settle on a master key. */
export async function lockMasterKeys(trx: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('polyad_master_keys'), hashtext(current_schema()))`.execute(trx);
}

/** The master key id that a node registered last, or undefined when none ever did. */
export async function newestMasterKeyId(db: Db): Promise<string | undefined> {
  const row = await db
    .selectFrom('master_keys')
    .select('id')
    .orderBy('first_used_at', 'desc')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}

/** Registers the id of the key that a node encrypts with; a second time changes nothing. */
export async function registerMasterKeyId(db: Db, id: string, now: Date = new Date()): Promise<void> {
  await db
    .insertInto('master_keys')
    .values({ id, first_used_at: now })
    .onConflict((oc) => oc.column('id').doNothing())
    .execute();
}

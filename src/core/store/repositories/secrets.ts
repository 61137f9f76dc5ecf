import { sql } from 'kysely';
import { newId } from '../ids.ts';
import {
  type Db,
  type Envelope,
  json,
  type ManagedStore,
  type SecretOwnerKind,
  type SecretRow,
  type WrappedKey,
} from '../schema.ts';

/** Whose secret it is. */
export interface SecretOwner {
  workspaceId: string;
  kind: SecretOwnerKind;
  id: string;
}

/** What `key_id` says of a secret that lies in a secret manager. No master key has such an id. */
export const managedKeyId = (store: ManagedStore): string => `store:${store}`;

/** The value of `key_id` for an envelope. */
export const keyIdOf = (envelope: Envelope): string =>
  'store' in envelope ? managedKeyId(envelope.store) : envelope.kid;

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
  const written = { version, key_id: keyIdOf(envelope), envelope: json(envelope), created_at: now };
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
  const rows = await db
    .selectFrom('secrets')
    .select('key_id')
    .distinct()
    .where('key_id', 'not like', 'store:%')
    .orderBy('key_id')
    .execute();
  return rows.map((row) => row.key_id);
}

/** Holds, until the transaction ends, whoever else wants to settle on a master key. */
export async function lockMasterKeys(trx: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('polyad_master_keys'), hashtext(current_schema()))`.execute(trx);
}

/** The master key id that nodes encrypt with since the latest change, or undefined when none ever did. */
export async function newestMasterKeyId(db: Db): Promise<string | undefined> {
  const row = await db
    .selectFrom('master_keys')
    .select('id')
    .where('first_used_at', 'is not', null)
    .where('retired_at', 'is', null)
    .orderBy('first_used_at', 'desc')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}

/** Registers the id of the key that nodes encrypt with; a second time changes nothing, unless it was retired. */
export async function registerMasterKeyId(db: Db, id: string, now: Date = new Date()): Promise<void> {
  await db
    .insertInto('master_keys')
    .values({ id, first_used_at: now })
    .onConflict((oc) =>
      oc
        .column('id')
        .doUpdateSet({ first_used_at: now, retired_at: null })
        .where((eb) =>
          eb.or([eb('master_keys.first_used_at', 'is', null), eb('master_keys.retired_at', 'is not', null)]),
        ),
    )
    .execute();
}

/** A master key as a key management service wrapped it; undefined when there is none of that id. */
export async function getWrappedKey(db: Db, id: string): Promise<WrappedKey | undefined> {
  const row = await db.selectFrom('master_keys').select('wrapped').where('id', '=', id).executeTakeFirst();
  return row?.wrapped ?? undefined;
}

/** Keeps a wrapped master key. A key that is there already is never overwritten: secrets may need it. */
export async function putWrappedKey(db: Db, id: string, wrapped: WrappedKey): Promise<void> {
  const written = await db
    .insertInto('master_keys')
    .values({ id, wrapped: json(wrapped) })
    .onConflict((oc) =>
      oc
        .column('id')
        .doUpdateSet({ wrapped: json(wrapped) })
        .where('master_keys.wrapped', 'is', null),
    )
    .returning('id')
    .executeTakeFirst();
  if (written === undefined) throw new Error(`the wrapped master key ${id} exists already`);
}

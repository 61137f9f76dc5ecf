import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import { breathe } from '../../breathe.ts';
import { PolyadError } from '../../errors/index.ts';
import { newId } from '../ids.ts';
import { type ApiKeyRow, type Db, json, type WorkspaceRow } from '../schema.ts';
import { getWorkspace } from './workspaces.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 40 characters of 62 are 238 bits: no salt or slow hash is needed to protect the stored form. */
const RANDOM_LENGTH = 40;
/** `polyad_` and five characters of the random part. */
const PREFIX_LENGTH = 12;

const COLUMNS = [
  'id',
  'workspace_id',
  'name',
  'prefix',
  'scopes',
  'created_at',
  'last_used_at',
  'revoked_at',
  'expires_at',
  'connection_ids',
  'rotated_from',
] as const;

/** A new random key: `polyad_` and 40 base-62 characters. */
export function newApiKey(): string {
  let random = '';
  while (random.length < RANDOM_LENGTH) {
    for (const byte of randomBytes(64)) {
      // 248 is the largest multiple of 62 in a byte: the rest is thrown away so that every character is equally likely.
      if (byte < 248 && random.length < RANDOM_LENGTH) random += ALPHABET[byte % 62];
    }
  }
  return `polyad_${random}`;
}

/** The stored form of a key: SHA-256 in hexadecimal. */
export function hashApiKey(key: string): string {
  return hash('sha256', key, 'hex');
}

export interface NewApiKey {
  name: string;
  /** What the key may do; an empty list grants nothing. */
  scopes: readonly string[];
  expires_at?: Date | null | undefined;
  /** Connections that it may use; absent = all of the workspace. */
  connection_ids?: readonly string[] | null | undefined;
  /** The key that it replaces. */
  rotated_from?: string | undefined;
  /** A key that exists already (imports, fixed demo keys); otherwise one is made. Must carry enough randomness. */
  key?: string | undefined;
}

/** Makes a key. `key` is the only time the plain key is seen: the database keeps its hash. */
export async function createApiKey(
  db: Db,
  workspaceId: string,
  input: NewApiKey,
  now: Date = new Date(),
): Promise<{ key: string; row: ApiKeyRow }> {
  const key = input.key ?? newApiKey();
  const row = await db
    .insertInto('api_keys')
    .values({
      id: newId(now.getTime()),
      workspace_id: workspaceId,
      name: input.name,
      prefix: key.slice(0, PREFIX_LENGTH),
      hash: hashApiKey(key),
      scopes: [...input.scopes],
      created_at: now,
      expires_at: input.expires_at ?? null,
      connection_ids:
        input.connection_ids === undefined || input.connection_ids === null ? null : [...input.connection_ids],
      rotated_from: input.rotated_from ?? null,
    })
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
  return { key, row };
}

/** Keys of any workspace that work at `now` and may make further keys, oldest first, with the names of their workspaces. */
export function listRulingKeys(db: Db, now: Date): Promise<(ApiKeyRow & { workspace: string })[]> {
  return db
    .selectFrom('api_keys')
    .innerJoin('workspaces', 'workspaces.id', 'api_keys.workspace_id')
    .select(COLUMNS.map((name) => `api_keys.${name}` as const))
    .select('workspaces.name as workspace')
    .where('revoked_at', 'is', null)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .where(sql<boolean>`api_keys.scopes && array['admin', 'operator']`)
    .orderBy('api_keys.created_at')
    .execute();
}

/** What every random key of ours compares with when there is none: the same work is done either way. */
const NO_HASH = '0'.repeat(64);

/**
 * The key with this hash and its workspace, revoked and expired ones included: the caller says which of the two errors it
 * is. The one look-up that names no workspace, since the key itself is what names it.
 */
export async function findApiKeyByHash(
  db: Db,
  hash: string,
): Promise<{ key: ApiKeyRow; workspace: WorkspaceRow } | undefined> {
  const found = await db
    .selectFrom('api_keys')
    .select([...COLUMNS, 'hash'])
    .where('hash', '=', hash)
    .executeTakeFirst();
  // An index may tell how far a hash agrees with a stored one; whoever sends keys does not choose their hashes, and the
  // last word is a comparison that takes the same time whatever it finds.
  const same = timingSafeEqual(Buffer.from(found?.hash ?? NO_HASH), Buffer.from(hash));
  if (found === undefined || !same) return undefined;
  const { hash: _, ...key } = found;
  const workspace = await getWorkspace(db, key.workspace_id);
  return workspace === undefined ? undefined : { key, workspace };
}

/** The workspace's keys, newest first, revoked ones included. */
export function listApiKeys(db: Db, workspaceId: string): Promise<ApiKeyRow[]> {
  return db
    .selectFrom('api_keys')
    .select(COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
}

/**
 * Revokes a key at once and for good; revoking it again keeps the first time.
 *
 * @throws PolyadError `record_not_found`
 */
export async function revokeApiKey(
  db: Db,
  workspaceId: string,
  keyId: string,
  now: Date = new Date(),
): Promise<ApiKeyRow> {
  const row = await db
    .updateTable('api_keys')
    .set((eb) => ({ revoked_at: eb.fn.coalesce('revoked_at', eb.val(now)) }))
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', keyId)
    .returning(COLUMNS)
    .executeTakeFirst();
  if (row === undefined) throw new PolyadError('record_not_found', { details: { api_key_id: keyId } });
  return row;
}

export interface KeyRotation {
  /** How long the old key still works, in ms; it never works longer than it would have. */
  overlapMs: number;
  /** When the new key ends; absent = after as long a life as the old one's, null = never. */
  expires_at?: Date | null | undefined;
}

/**
 * Makes a key that may do what another may, and lets the old one end after an overlap, so that whoever uses it can change
 * over without a gap. May be repeated: then the key made last is one more.
 *
 * @throws PolyadError `record_not_found`, `record_conflict` (revoked or over)
 */
export async function rotateApiKey(
  db: Db,
  workspaceId: string,
  keyId: string,
  rotation: KeyRotation,
  now: Date = new Date(),
): Promise<{ key: string; row: ApiKeyRow; old: ApiKeyRow }> {
  return db.transaction().execute(async (trx) => {
    const present = await trx
      .selectFrom('api_keys')
      .select(COLUMNS)
      .where('workspace_id', '=', workspaceId)
      .where('id', '=', keyId)
      .forUpdate()
      .executeTakeFirst();
    if (present === undefined) throw new PolyadError('record_not_found', { details: { api_key_id: keyId } });
    const { expires_at: ends } = present;
    if (present.revoked_at !== null || (ends !== null && ends <= now))
      throw new PolyadError('record_conflict', {
        message: `A key that ${present.revoked_at === null ? 'has expired' : 'was revoked'} cannot be rotated: make a new one.`,
        details: { api_key_id: keyId },
      });
    const life = ends === null ? undefined : ends.getTime() - present.created_at.getTime();
    const made = await createApiKey(
      trx,
      workspaceId,
      {
        name: present.name,
        scopes: present.scopes,
        connection_ids: present.connection_ids,
        rotated_from: present.id,
        expires_at:
          rotation.expires_at !== undefined
            ? rotation.expires_at
            : life === undefined
              ? null
              : new Date(now.getTime() + life),
      },
      now,
    );
    const end = new Date(now.getTime() + rotation.overlapMs);
    const old = await trx
      .updateTable('api_keys')
      .set({ expires_at: ends !== null && ends < end ? ends : end })
      .where('id', '=', present.id)
      .returning(COLUMNS)
      .executeTakeFirstOrThrow();
    return { ...made, old };
  });
}

/** Keys in one statement. */
const TOUCHED = 500;

/**
 * Notes when keys were last used, many in one statement: with thousands of tenants a statement for each would be most of
 * the database's work. Called by the call log now and then; does not invalidate cached keys.
 */
export async function touchApiKeys(db: Db, used: ReadonlyMap<string, Date>): Promise<void> {
  let rows: { id: string; at: Date }[] = [];
  const write = async (): Promise<void> => {
    if (rows.length === 0) return;
    await sql`update api_keys set last_used_at = used.at
      from jsonb_to_recordset(${json(rows)}::jsonb) as used(id text, at timestamptz)
      where api_keys.id = used.id and (last_used_at is null or last_used_at < used.at)`.execute(db);
    rows = [];
    await breathe();
  };
  for (const [id, at] of used) if (rows.push({ id, at }) >= TOUCHED) await write();
  await write();
}

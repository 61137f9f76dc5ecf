/** Rows of the vault: which node has which master key, jobs over all secrets, and what is to be destroyed. */
import { sql } from 'kysely';
import type { Db, Envelope, ManagedStore, SecretRow, VaultJobName, VaultJobRow } from '../schema.ts';
import { keyIdOf } from './secrets.ts';

/** A running server and the master keys it has. */
export interface VaultNode {
  id: string;
  active_key: string;
  key_ids: string[];
}

/** Says that this node lives and what it has. */
export async function seeVaultNode(db: Db, node: VaultNode, now: Date): Promise<void> {
  const { active_key, key_ids } = node;
  await db
    .insertInto('vault_nodes')
    .values({ ...node, seen_at: now })
    .onConflict((oc) => oc.column('id').doUpdateSet({ active_key, key_ids, seen_at: now }))
    .execute();
}

/** A node has stopped. */
export async function dropVaultNode(db: Db, id: string): Promise<void> {
  await db.deleteFrom('vault_nodes').where('id', '=', id).execute();
}

/** Nodes that were seen at or after `since`; the others are forgotten. */
export async function liveVaultNodes(db: Db, since: Date): Promise<VaultNode[]> {
  await db.deleteFrom('vault_nodes').where('seen_at', '<', since).execute();
  return db.selectFrom('vault_nodes').select(['id', 'active_key', 'key_ids']).orderBy('id').execute();
}

/** How many secrets each master key or secret manager (`store:…`) has, by `key_id`. */
export async function countSecretsByKey(db: Db): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('secrets')
    .select(['key_id', (eb) => eb.fn.countAll().as('count')])
    .groupBy('key_id')
    .execute();
  return new Map(rows.map((row) => [row.key_id, Number(row.count)]));
}

/** The master keys that this database has seen. */
export function listMasterKeys(
  db: Db,
): Promise<{ id: string; first_used_at: Date | null; retired_at: Date | null; wrapped_by: string | null }[]> {
  return db
    .selectFrom('master_keys')
    .select(['id', 'first_used_at', 'retired_at', sql<string | null>`wrapped ->> 'by'`.as('wrapped_by')])
    .orderBy('first_used_at', 'desc')
    .orderBy('id')
    .execute();
}

/**
 * Retires every key that was used and that neither a secret nor a live node's writes need. Answers their ids. Call it with
 * the master keys locked: a node that comes up meanwhile then sees the outcome.
 */
export async function retireMasterKeys(trx: Db, keep: readonly string[], now: Date): Promise<string[]> {
  const rows = await trx
    .updateTable('master_keys')
    .set({ retired_at: now })
    .where('retired_at', 'is', null)
    .where('first_used_at', 'is not', null)
    .where('id', 'not in', keep.length === 0 ? [''] : [...keep])
    .where('id', 'not in', (eb) => eb.selectFrom('secrets').select('key_id'))
    .where('id', 'not in', (eb) => eb.selectFrom('vault_nodes').select('active_key'))
    .returning('id')
    .execute();
  return rows.map((row) => row.id).sort();
}

/** A key that a secret needs again (written by a node that was behind) is not retired. */
export async function recallMasterKeys(db: Db): Promise<void> {
  await db
    .updateTable('master_keys')
    .set({ retired_at: null })
    .where('retired_at', 'is not', null)
    .where('id', 'in', (eb) => eb.selectFrom('secrets').select('key_id'))
    .execute();
}

/** Which secrets a job deals with: those that are not yet where it takes them. */
export interface SecretSelection {
  /** Only secrets whose `key_id` is another one. */
  notKey?: string | undefined;
  /** `sealed`: in the database; `managed`: in a secret manager. Default: both. */
  where?: 'sealed' | 'managed' | undefined;
}

const selected = (db: Db, { notKey, where }: SecretSelection) => {
  let query = db.selectFrom('secrets');
  if (notKey !== undefined) query = query.where('key_id', '!=', notKey);
  if (where === 'sealed') query = query.where('key_id', 'not like', 'store:%');
  if (where === 'managed') query = query.where('key_id', 'like', 'store:%');
  return query;
};

/** The next secrets of all workspaces in the order of their ids, after `cursor`. For jobs of the operator alone. */
export function nextSecrets(db: Db, selection: SecretSelection, cursor: string, limit: number): Promise<SecretRow[]> {
  return selected(db, selection).selectAll().where('id', '>', cursor).orderBy('id').limit(limit).execute();
}

/** How many there are. */
export async function countSecrets(db: Db, selection: SecretSelection): Promise<number> {
  const row = await selected(db, selection)
    .select((eb) => eb.fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** A secret and the envelope that shall replace its present one. */
export interface Resealed {
  row: SecretRow;
  envelope: Envelope;
}

/**
 * Replaces envelopes of secrets that have not changed since they were read; the rest are left as they are, since whoever
 * wrote them used the active key. One statement. Answers the ids of those that were replaced.
 */
export async function replaceEnvelopes(db: Db, batch: readonly Resealed[]): Promise<Set<string>> {
  if (batch.length === 0) return new Set();
  const { rows } = await sql<{ id: string }>`
    update secrets s set envelope = n.envelope, key_id = n.key_id
    from jsonb_to_recordset(${JSON.stringify(
      batch.map(({ row, envelope }) => ({
        id: row.id,
        version: row.version,
        was: keyIdOf(row.envelope),
        was_name: 'name' in row.envelope ? row.envelope.name : '',
        key_id: keyIdOf(envelope),
        envelope,
      })),
    )}::text::jsonb) as n(id text, version integer, was text, was_name text, key_id text, envelope jsonb)
    where s.id = n.id and s.version = n.version and s.key_id = n.was and coalesce(s.envelope ->> 'name', '') = n.was_name
    returning s.id`.execute(db);
  return new Set(rows.map((row) => row.id));
}

/** All jobs that were ever started. */
export function listVaultJobs(db: Db): Promise<VaultJobRow[]> {
  return db.selectFrom('vault_jobs').selectAll().orderBy('name').execute();
}

/**
 * Takes a job: starts it, or goes on where it was stopped or its worker died when its target is the same. Answers undefined
 * while somebody else works on it. `alone`: no other process can be at it, so whoever held it is dead.
 */
export async function takeVaultJob(
  db: Db,
  name: VaultJobName,
  target: string,
  { holder, now, leaseMs, alone }: { holder: string; now: Date; leaseMs: number; alone: boolean },
): Promise<VaultJobRow | undefined> {
  const fresh = { target, cursor: '', done: 0, failed: 0, error: null, started_at: now };
  const held = { state: 'running' as const, holder, lease_until: new Date(now.getTime() + leaseMs), updated_at: now };
  return db.transaction().execute(async (trx) => {
    await trx
      .insertInto('vault_jobs')
      .values({ name, ...fresh, state: 'stopped', holder: null, lease_until: null, updated_at: now, finished_at: null })
      .onConflict((oc) => oc.column('name').doNothing())
      .execute();
    const row = await trx
      .selectFrom('vault_jobs')
      .selectAll()
      .where('name', '=', name)
      .forUpdate()
      .executeTakeFirstOrThrow();
    if (!alone && row.holder !== null && row.lease_until !== null && row.lease_until > now) return undefined;
    const resumes = row.target === target && row.finished_at === null;
    return trx
      .updateTable('vault_jobs')
      .set({ ...(resumes ? {} : fresh), ...held, finished_at: null })
      .where('name', '=', name)
      .returningAll()
      .executeTakeFirstOrThrow();
  });
}

/** Holds the job for longer. Answers as {@link advanceVaultJob}. */
export async function renewVaultJob(
  db: Db,
  name: VaultJobName,
  holder: string,
  now: Date,
  leaseMs: number,
): Promise<VaultJobRow['state'] | undefined> {
  const row = await db
    .updateTable('vault_jobs')
    .set({ lease_until: new Date(now.getTime() + leaseMs) })
    .where('name', '=', name)
    .where('holder', '=', holder)
    .returning('state')
    .executeTakeFirst();
  return row?.state;
}

/** What a worker writes after each batch. Answers the state (`stopping` = somebody asks it to stop), undefined = not its job any more. */
export async function advanceVaultJob(
  db: Db,
  name: VaultJobName,
  holder: string,
  step: { cursor: string; done: number; failed: number; error: string | null },
  now: Date,
): Promise<VaultJobRow['state'] | undefined> {
  const row = await db
    .updateTable('vault_jobs')
    .set({ ...step, updated_at: now })
    .where('name', '=', name)
    .where('holder', '=', holder)
    .returning('state')
    .executeTakeFirst();
  return row?.state;
}

/** Gives a job up: through, or stopped on the way. */
export async function endVaultJob(
  db: Db,
  name: VaultJobName,
  holder: string,
  state: 'done' | 'failed' | 'stopped',
  now: Date,
  error?: string,
): Promise<VaultJobRow | undefined> {
  return db
    .updateTable('vault_jobs')
    .set({
      state,
      holder: null,
      lease_until: null,
      updated_at: now,
      ...(state === 'stopped' ? {} : { finished_at: now }),
      ...(error === undefined ? {} : { error }),
    })
    .where('name', '=', name)
    .where('holder', '=', holder)
    .returningAll()
    .executeTakeFirst();
}

/** Asks jobs to stop after the batch they are at; one whose worker is gone is stopped at once. Answers their names. */
export async function stopVaultJobs(db: Db, names: readonly VaultJobName[], now: Date): Promise<VaultJobName[]> {
  const rows = await db
    .updateTable('vault_jobs')
    .set({
      state: sql<
        VaultJobRow['state']
      >`case when lease_until is null or lease_until < ${now} then 'stopped' else 'stopping' end`,
      updated_at: now,
    })
    .where('name', 'in', [...names])
    .where('state', 'in', ['running', 'stopping'])
    .returning('name')
    .execute();
  return rows.map((row) => row.name).sort();
}

/** Notes that something in a secret manager is to be destroyed at `due`, unless a secret points at it then. */
export async function burySecret(db: Db, store: ManagedStore, name: string, due: Date): Promise<string> {
  const row = await db
    .insertInto('secret_tombstones')
    .values({ store, name, ref: null, due_at: due })
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id;
}

/** Takes notes back: what they spoke of is gone, or in use. */
export async function clearTombstones(db: Db, ids: readonly string[]): Promise<void> {
  if (ids.length > 0)
    await db
      .deleteFrom('secret_tombstones')
      .where('id', 'in', [...ids])
      .execute();
}

/** What is due, for this caller alone until `again`: whoever dies over it leaves it to the next. */
export function claimTombstones(
  db: Db,
  now: Date,
  again: Date,
  limit: number,
): Promise<{ id: string; store: ManagedStore; name: string; ref: string | null }[]> {
  return db
    .updateTable('secret_tombstones')
    .set({ due_at: again })
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('secret_tombstones')
        .select('id')
        .where('due_at', '<=', now)
        .orderBy('due_at')
        .limit(limit)
        .forUpdate()
        .skipLocked(),
    )
    .returning(['id', 'store', 'name', 'ref'])
    .execute();
}

/** Secrets that the database keeps because their manager did not take them. */
export function waitingSecrets(db: Db, store: ManagedStore, limit: number): Promise<SecretRow[]> {
  return db
    .selectFrom('secrets')
    .selectAll()
    .where(sql`envelope ->> 'meant'`, '=', store)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** How many wait like that, whatever their manager. */
export async function countWaitingSecrets(db: Db): Promise<number> {
  const row = await db
    .selectFrom('secrets')
    .select((eb) => eb.fn.countAll().as('count'))
    .where(sql`envelope ->> 'meant'`, 'is not', null)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** How many wait, due or not. */
export async function countTombstones(db: Db): Promise<number> {
  const row = await db
    .selectFrom('secret_tombstones')
    .select((eb) => eb.fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** The version of a managed secret that a row points at; undefined when none does. */
export async function managedRefInUse(db: Db, store: ManagedStore, name: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('secrets')
    .select(sql<string>`envelope ->> 'ref'`.as('ref'))
    .where(sql`envelope ->> 'store'`, '=', store)
    .where(sql`envelope ->> 'name'`, '=', name)
    .executeTakeFirst();
  return row?.ref;
}

/** Which of these names a row points at. */
export async function managedNamesInUse(db: Db, store: ManagedStore, names: readonly string[]): Promise<Set<string>> {
  if (names.length === 0) return new Set();
  const rows = await db
    .selectFrom('secrets')
    .select(sql<string>`envelope ->> 'name'`.as('name'))
    .where(sql`envelope ->> 'store'`, '=', store)
    .where(sql`envelope ->> 'name'`, 'in', [...names])
    .execute();
  return new Set(rows.map((row) => row.name));
}

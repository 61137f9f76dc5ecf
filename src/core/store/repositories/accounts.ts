import { sql } from 'kysely';
import type { AccountGap, AccountNode } from '../../connector/accounts-spec.ts';
import {
  type AccountRow,
  type AccountTreeRow,
  type ConnectionRow,
  type Db,
  json,
  type LostOrganization,
} from '../schema.ts';

/** When the tree was read last, and what of it could not be; undefined = never. */
export function getAccountTree(db: Db, connectionId: string): Promise<AccountTreeRow | undefined> {
  return db.selectFrom('account_trees').selectAll().where('connection_id', '=', connectionId).executeTakeFirst();
}

export interface AccountFilter {
  kind?: 'business' | 'organization' | undefined;
  /** Part of the name or of the id, in any letter case. */
  query?: string | undefined;
  /** Owned by this business, or reached through it. */
  parent_id?: string | undefined;
  /** Lost ones alone, or those that are not. */
  lost?: boolean | undefined;
  limit?: number | undefined;
  offset?: number | undefined;
}

/** Accounts, businesses first, by name. */
export function listAccounts(db: Db, connectionId: string, filter: AccountFilter = {}): Promise<AccountRow[]> {
  let query = db.selectFrom('accounts').selectAll().where('connection_id', '=', connectionId);
  const { kind, query: text, parent_id: parent, lost, limit, offset = 0 } = filter;
  if (kind !== undefined) query = query.where('kind', '=', kind);
  if (text !== undefined) {
    const part = `%${text.replace(/[\\%_]/g, '\\$&')}%`;
    query = query.where((where) => where.or([where('name', 'ilike', part), where('id', 'ilike', part)]));
  }
  if (parent !== undefined)
    query = query.where((where) =>
      where.or([where('owner_id', '=', parent), sql<boolean>`jsonb_exists(node->'parent_ids', ${parent})`]),
    );
  if (lost !== undefined) query = query.where('lost_at', lost ? 'is not' : 'is', null);
  query = query.orderBy('kind').orderBy(sql`lower(coalesce(name, id))`).orderBy('id').offset(offset);
  return (limit === undefined ? query : query.limit(limit)).execute();
}

/** How many accounts there are, by kind and fate. */
export async function countAccounts(
  db: Db,
  connectionId: string,
): Promise<{ businesses: number; organizations: number; lost: number; granted: number }> {
  const { rows } = await sql<Record<'businesses' | 'organizations' | 'lost' | 'granted', string>>`
    select count(*) filter (where kind = 'business' and lost_at is null) as businesses,
      count(*) filter (where kind = 'organization' and lost_at is null) as organizations,
      count(*) filter (where kind = 'organization' and lost_at is not null) as lost,
      count(*) filter (where kind = 'organization' and lost_at is null and (node->>'granted')::boolean) as granted
    from accounts where connection_id = ${connectionId}`.execute(db);
  const [row] = rows;
  return Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)])) as never;
}

/** Everything that was read, in a handful of statements however many accounts there are. */
export async function putAccounts(
  trx: Db,
  connectionId: string,
  nodes: readonly AccountNode[],
  gaps: readonly AccountGap[],
  now: Date,
): Promise<void> {
  const rows = nodes.map((node) => ({
    connection_id: connectionId,
    id: node.id,
    kind: node.kind,
    name: node.name ?? null,
    owner_id: node.owner_id ?? null,
    node,
    seen_at: now.toISOString(),
  }));
  await sql`insert into accounts (connection_id, id, kind, name, owner_id, node, seen_at)
    select r.connection_id, r.id, r.kind, r.name, r.owner_id, r.node, r.seen_at
    from jsonb_populate_recordset(null::accounts, ${json(rows)}::jsonb) r order by r.kind, r.id
    on conflict (connection_id, kind, id) do update set name = excluded.name, owner_id = excluded.owner_id,
      node = excluded.node, seen_at = excluded.seen_at, lost_at = null, lost_with = null`.execute(trx);
  const tree = { read_at: now, gaps: json(gaps) };
  await trx
    .insertInto('account_trees')
    .values({ connection_id: connectionId, ...tree })
    .onConflict((conflict) => conflict.column('connection_id').doUpdateSet(tree))
    .execute();
}

/** Marks accounts lost; `lostWith`: the business that they went with, by account. */
export async function loseAccounts(
  trx: Db,
  connectionId: string,
  lost: readonly { kind: 'business' | 'organization'; id: string; lost_with?: string | undefined }[],
  now: Date,
): Promise<void> {
  await sql`update accounts a set lost_at = ${now}, lost_with = l.lost_with
    from jsonb_to_recordset(${json(lost)}::jsonb) as l(kind text, id text, lost_with text)
    where a.connection_id = ${connectionId} and a.kind = l.kind and a.id = l.id and a.lost_at is null`.execute(trx);
}

/** Forgets accounts that were never granted and are gone: there is nothing to say about them. */
export async function dropAccounts(trx: Db, connectionId: string, ids: readonly string[]): Promise<void> {
  await trx
    .deleteFrom('accounts')
    .where('connection_id', '=', connectionId)
    .where('kind', '=', 'organization')
    .where(sql<boolean>`id = any(${[...ids]}::text[])`)
    .execute();
}

/** Notes on the connection which ad accounts are lost, and takes notes back, all at once. */
export function setLostOrganizations(
  trx: Db,
  connectionId: string,
  lost: Readonly<Record<string, LostOrganization>>,
  found: readonly string[],
  now: Date,
): Promise<ConnectionRow | undefined> {
  return trx
    .updateTable('connections')
    .set((eb) => ({
      lost_organizations: sql<string>`(${json(lost)}::jsonb || lost_organizations) - ${[...found]}::text[]`,
      version: eb('version', '+', 1),
      updated_at: now,
    }))
    .where('id', '=', connectionId)
    .where('deleted_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

/** The connection's row, held until the transaction ends. */
export function holdConnection(trx: Db, connectionId: string): Promise<ConnectionRow | undefined> {
  return trx
    .selectFrom('connections')
    .selectAll()
    .where('id', '=', connectionId)
    .where('deleted_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
}

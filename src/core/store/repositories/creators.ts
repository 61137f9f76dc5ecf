import { sql } from 'kysely';
import type { CreatorAuthorizationRow, Db } from '../schema.ts';

/** An authorization as it was seen. */
export type SeenAuthorization = Pick<
  CreatorAuthorizationRow,
  'connection_id' | 'organization_id' | 'item_id' | 'workspace_id' | 'state' | 'ends_at' | 'next_at' | 'seen_at'
> & { told_end: boolean };

/** Rows of one statement: eight members each, far below PostgreSQL's 65,535 parameters. */
const ROWS = 1_000;

/**
 * Notes authorizations as they are. One that is looked at for the first time when it is over has nobody to be told of it;
 * for one that is known, what was told stays, until it is authorised again.
 */
export async function noteAuthorizations(db: Db, seen: readonly SeenAuthorization[]): Promise<void> {
  for (let start = 0; start < seen.length; start += ROWS)
    await db
      .insertInto('creator_authorizations')
      .values(seen.slice(start, start + ROWS))
      .onConflict((oc) =>
        oc.columns(['connection_id', 'organization_id', 'item_id']).doUpdateSet((eb) => ({
          state: eb.ref('excluded.state'),
          ends_at: eb.ref('excluded.ends_at'),
          seen_at: eb.ref('excluded.seen_at'),
          // Over since the last look: the sweep is to tell it, so it looks at once.
          next_at: sql<Date | null>`case when excluded.told_end and not creator_authorizations.told_end
            then excluded.seen_at else excluded.next_at end`,
          told_end: sql<boolean>`creator_authorizations.told_end and excluded.told_end`,
        })),
      )
      .execute();
}

/** Forgets one. */
export async function dropAuthorization(db: Db, connectionId: string, itemId: string): Promise<void> {
  await db
    .deleteFrom('creator_authorizations')
    .where('connection_id', '=', connectionId)
    .where('item_id', '=', itemId)
    .execute();
}

/**
 * Takes ad accounts with authorizations that are due, under `skip locked`: what one node took is another's only after
 * `putOffTo`.
 */
export async function claimAuthorizations(
  db: Db,
  input: { now: Date; putOffTo: Date; limit: number },
): Promise<{ connection_id: string; organization_id: string }[]> {
  const rows = await db
    .with('due', (cte) =>
      cte
        .selectFrom('creator_authorizations')
        .select(['connection_id', 'organization_id', 'item_id'])
        .where('next_at', '<=', input.now)
        .orderBy('next_at')
        .limit(input.limit)
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('creator_authorizations')
    .from('due')
    .set({ next_at: input.putOffTo })
    .whereRef('creator_authorizations.connection_id', '=', 'due.connection_id')
    .whereRef('creator_authorizations.organization_id', '=', 'due.organization_id')
    .whereRef('creator_authorizations.item_id', '=', 'due.item_id')
    .returning(['creator_authorizations.connection_id', 'creator_authorizations.organization_id'])
    .execute();
  const seen = new Map(rows.map((row) => [`${row.connection_id}/${row.organization_id}`, row]));
  return [...seen.values()];
}

/** All authorizations of one ad account that are kept. */
export function authorizationsOf(
  db: Db,
  connectionId: string,
  organizationId: string,
): Promise<CreatorAuthorizationRow[]> {
  return db
    .selectFrom('creator_authorizations')
    .selectAll()
    .where('connection_id', '=', connectionId)
    .where('organization_id', '=', organizationId)
    .orderBy('item_id')
    .execute();
}

type Key = Pick<CreatorAuthorizationRow, 'connection_id' | 'organization_id' | 'item_id'>;

/** Puts on record that a warning was sent. False = somebody else sent it. */
export async function noteAuthorizationWarning(db: Db, key: Key, end: Date, days: number): Promise<boolean> {
  const row = await db
    .updateTable('creator_authorizations')
    .set({ warned_end: end, warned_days: days })
    .where('connection_id', '=', key.connection_id)
    .where('organization_id', '=', key.organization_id)
    .where('item_id', '=', key.item_id)
    .where(
      sql<boolean>`(warned_end is distinct from ${end}::timestamptz or warned_days is null or warned_days > ${days})`,
    )
    .returning('item_id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Puts on record that the end was told. False = somebody else told it. */
export async function noteAuthorizationEnd(db: Db, key: Key, state: string): Promise<boolean> {
  const row = await db
    .updateTable('creator_authorizations')
    .set({ told_end: true, state, next_at: null })
    .where('connection_id', '=', key.connection_id)
    .where('organization_id', '=', key.organization_id)
    .where('item_id', '=', key.item_id)
    .where('told_end', '=', false)
    .returning('item_id')
    .executeTakeFirst();
  return row !== undefined;
}

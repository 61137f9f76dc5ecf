import { sql } from 'kysely';
import { newId } from '../ids.ts';
import { type ConversionDestinationRow, type Db, type DestinationProblem, json } from '../schema.ts';
import { type ListOptions, page } from './list.ts';

/** What a new destination says of itself. */
export interface NewDestination {
  workspace_id: string;
  connection_id: string | null;
  integration_type: string;
  environment: string;
  source: string;
  source_id: string;
  name: string | null;
  credential_kind: string;
  credential_fingerprint: string | null;
  require_consent: boolean;
  batch_delay_ms: number;
}

/** What a destination lets change. */
export type DestinationChange = Partial<
  Pick<NewDestination, 'name' | 'credential_kind' | 'credential_fingerprint' | 'require_consent' | 'batch_delay_ms'> & {
    is_paused: boolean;
  }
>;

/** Engines give bigints in different types; everything of ours has them as text. */
const row = (found: ConversionDestinationRow): ConversionDestinationRow => ({ ...found, num: String(found.num) });

/** Inserts a destination; undefined = the workspace has one for the same source already. */
export async function insertDestination(
  db: Db,
  input: NewDestination,
  now: Date,
): Promise<ConversionDestinationRow | undefined> {
  const found = await db
    .insertInto('conversion_destinations')
    .values({ id: newId(now.getTime()), ...input, created_at: now, updated_at: now })
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'integration_type', 'environment', 'source', 'source_id'])
        .where('deleted_at', 'is', null)
        .doNothing(),
    )
    .returningAll()
    .executeTakeFirst();
  return found === undefined ? undefined : row(found);
}

/** A destination that is not deleted. */
export async function getDestination(
  db: Db,
  workspaceId: string,
  id: string,
): Promise<ConversionDestinationRow | undefined> {
  const found = await db
    .selectFrom('conversion_destinations')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return found === undefined ? undefined : row(found);
}

/** A destination by what events call it, deleted ones included. */
export async function getDestinationByNum(db: Db, num: string): Promise<ConversionDestinationRow | undefined> {
  const found = await db.selectFrom('conversion_destinations').selectAll().where('num', '=', num).executeTakeFirst();
  return found === undefined ? undefined : row(found);
}

export interface DestinationFilter extends ListOptions<'created_at' | 'updated_at'> {
  connection_id?: string | undefined;
  /** Only those of these connections; null = all, those without a connection included. */
  connection_ids?: readonly string[] | null | undefined;
  integration_type?: string | undefined;
  environment?: string | undefined;
  source?: string | undefined;
  /** Deleted ones too, for as long as their fates are kept. */
  deleted?: boolean | undefined;
}

/** The workspace's destinations. */
export async function listDestinations(
  db: Db,
  workspaceId: string,
  filter: DestinationFilter = {},
): Promise<ConversionDestinationRow[]> {
  const { limit, offset, order } = page(filter);
  let query = db.selectFrom('conversion_destinations').selectAll().where('workspace_id', '=', workspaceId);
  if (filter.deleted !== true) query = query.where('deleted_at', 'is', null);
  if (filter.connection_id !== undefined) query = query.where('connection_id', '=', filter.connection_id);
  if (filter.connection_ids !== undefined && filter.connection_ids !== null)
    query = query.where('connection_id', '=', sql<string>`any(${[...filter.connection_ids]}::text[])`);
  for (const name of ['integration_type', 'environment', 'source'] as const)
    if (filter[name] !== undefined) query = query.where(name, '=', filter[name] as string);
  const rows = await query
    .orderBy(filter.sort ?? 'created_at', order)
    .orderBy('id', order)
    .limit(limit)
    .offset(offset)
    .execute();
  return rows.map(row);
}

/**
 * Changes a destination. What held it up is forgotten: whoever changes it wants it tried again.
 */
export async function updateDestination(
  db: Db,
  workspaceId: string,
  id: string,
  change: DestinationChange,
  now: Date,
): Promise<ConversionDestinationRow | undefined> {
  const found = await db
    .updateTable('conversion_destinations')
    .set({ ...change, failures: 0, hold_until: null, problem: null, updated_at: now })
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  return found === undefined ? undefined : row(found);
}

/** Takes a destination out of use. Its fates stay until they are old. */
export async function deleteDestination(db: Db, id: string, now: Date): Promise<void> {
  await db
    .updateTable('conversion_destinations')
    .set({ deleted_at: now, updated_at: now, credential_fingerprint: null })
    .where('id', '=', id)
    .execute();
}

/** Lets a destination rest after a failure that is no event's. `since` of a problem that goes on is kept. */
export async function holdDestination(
  db: Db,
  num: string,
  hold: { until: Date; problem: DestinationProblem },
): Promise<void> {
  await sql`update conversion_destinations set
      failures = failures + 1,
      hold_until = ${hold.until},
      problem = ${json(hold.problem)}::jsonb || case when problem ->> 'code' = ${hold.problem.code}
        then jsonb_build_object('since', problem ->> 'since') else '{}'::jsonb end
    where num = ${num}::text::bigint`.execute(db);
}

/** A batch went through: whatever held the destination up is over. */
export async function destinationWorks(db: Db, num: string, now: Date): Promise<void> {
  await sql`update conversion_destinations set failures = 0, hold_until = null, problem = null, last_sent_at = ${now}
    where num = ${num}::text::bigint`.execute(db);
}

/** Environments of the destinations that have a credential, by its fingerprint. Of all workspaces: it has one origin. */
export async function usesOfCredential(db: Db, fingerprint: string): Promise<string[]> {
  const rows = await db
    .selectFrom('conversion_destinations')
    .select('environment')
    .distinct()
    .where('credential_fingerprint', '=', fingerprint)
    .execute();
  return rows.map(({ environment }) => environment);
}

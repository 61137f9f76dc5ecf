import { type RawBuilder, sql } from 'kysely';
import { PolyadError } from '../../errors/index.ts';
import { newId } from '../ids.ts';
import {
  type ConnectionAccount,
  type ConnectionRow,
  type Db,
  type HealthState,
  json,
  type LifeState,
  type LostOrganization,
} from '../schema.ts';
import { type ListOptions, page } from './list.ts';

/** What may be given and changed. Members left out keep their value (on creation: empty). */
export interface ConnectionFields {
  external_xref?: string | null | undefined;
  permissions?: readonly string[] | undefined;
  categories?: readonly string[] | undefined;
  is_paused?: boolean | undefined;
  native_scopes?: readonly string[] | undefined;
  account?: ConnectionAccount | undefined;
  token_expires_at?: Date | null | undefined;
  refresh_expires_at?: Date | null | undefined;
  health_state?: HealthState | undefined;
  unhealthy_code?: string | null | undefined;
  unhealthy_message?: string | null | undefined;
  last_healthy_at?: Date | null | undefined;
  last_unhealthy_at?: Date | null | undefined;
  life?: LifeState | RawBuilder<LifeState> | undefined;
  life_since?: Date | null | RawBuilder<Date | null> | undefined;
  reauthorize_by?: Date | null | undefined;
  lost_organizations?: Readonly<Record<string, LostOrganization>> | undefined;
}

export interface NewConnection extends ConnectionFields {
  /** Given by whoever needs to know the id before the row exists; otherwise made here. */
  id?: string | undefined;
  integration_type: string;
  environment: string;
}

/** The given members in the form of columns; `undefined` ones left out. */
function columns(fields: ConnectionFields) {
  const { account, permissions, categories, native_scopes, lost_organizations: lost, ...plain } = fields;
  const lists = { permissions, categories, native_scopes };
  return {
    ...(Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined)) as {
      [K in keyof typeof plain]?: Exclude<(typeof plain)[K], undefined>;
    }),
    ...(Object.fromEntries(
      Object.entries(lists).flatMap(([name, list]) => (list === undefined ? [] : [[name, [...list]]])),
    ) as { [K in keyof typeof lists]?: string[] }),
    ...(account === undefined ? {} : { account: json(account) }),
    ...(lost === undefined ? {} : { lost_organizations: json(lost) }),
  };
}

/** Makes a connection (version 1). */
export function createConnection(
  db: Db,
  workspaceId: string,
  input: NewConnection,
  now: Date = new Date(),
): Promise<ConnectionRow> {
  const { id, integration_type, environment, ...fields } = input;
  return db
    .insertInto('connections')
    .values({
      id: id ?? newId(now.getTime()),
      workspace_id: workspaceId,
      integration_type,
      environment,
      external_xref: null,
      permissions: [],
      categories: [],
      is_paused: false,
      native_scopes: [],
      account: json({}),
      version: 1,
      health_state: 'unknown',
      unhealthy_code: null,
      unhealthy_message: null,
      created_at: now,
      updated_at: now,
      ...columns(fields),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The connection, or undefined: unknown, deleted, or another workspace's. */
export function getConnection(db: Db, workspaceId: string, connectionId: string): Promise<ConnectionRow | undefined> {
  return db
    .selectFrom('connections')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', connectionId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
}

/** `name` sorts by integration type: connections have no name of their own. */
export interface ConnectionFilter extends ListOptions<'created_at' | 'updated_at' | 'name'> {
  /** Only these; null = all. */
  connection_ids?: readonly string[] | null | undefined;
  environment?: string | undefined;
  external_xref?: string | undefined;
  integration_type?: string | undefined;
  /** Connections that have at least one of these. */
  categories?: readonly string[] | undefined;
  updated_gte?: Date | undefined;
}

/** The workspace's connections, deleted ones left out. */
export function listConnections(db: Db, workspaceId: string, filter: ConnectionFilter = {}): Promise<ConnectionRow[]> {
  const { limit, offset, order } = page(filter);
  const sort = filter.sort === 'name' ? 'integration_type' : (filter.sort ?? 'created_at');
  let query = db
    .selectFrom('connections')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('deleted_at', 'is', null);
  if (filter.connection_ids !== undefined && filter.connection_ids !== null)
    query = query.where('id', '=', sql<string>`any(${[...filter.connection_ids]}::text[])`);
  if (filter.environment !== undefined) query = query.where('environment', '=', filter.environment);
  if (filter.external_xref !== undefined) query = query.where('external_xref', '=', filter.external_xref);
  if (filter.integration_type !== undefined) query = query.where('integration_type', '=', filter.integration_type);
  if (filter.categories !== undefined && filter.categories.length > 0) {
    query = query.where('categories', '&&', sql<string[]>`${[...filter.categories]}::text[]`);
  }
  if (filter.updated_gte !== undefined) query = query.where('updated_at', '>=', filter.updated_gte);
  return query.orderBy(sort, order).orderBy('id', order).limit(limit).offset(offset).execute();
}

/**
 * Changes what is given and counts the version up.
 *
 * @param options.version the version that the change was made from; when given and no longer current, nothing is written.
 * @throws PolyadError `connection_not_found`; `record_conflict` when the version moved on.
 */
export async function updateConnection(
  db: Db,
  workspaceId: string,
  connectionId: string,
  patch: ConnectionFields,
  options: { version?: number | undefined; now?: Date | undefined } = {},
): Promise<ConnectionRow> {
  let query = db
    .updateTable('connections')
    .set((eb) => ({
      ...columns(patch),
      version: eb('version', '+', 1),
      updated_at: options.now ?? new Date(),
    }))
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', connectionId)
    .where('deleted_at', 'is', null);
  if (options.version !== undefined) query = query.where('version', '=', options.version);
  const row = await query.returningAll().executeTakeFirst();
  if (row !== undefined) return row;
  const current = await getConnection(db, workspaceId, connectionId);
  if (current === undefined) {
    throw new PolyadError('connection_not_found', { details: { connection_id: connectionId } });
  }
  throw new PolyadError('record_conflict', {
    details: { connection_id: connectionId, expected_version: options.version, current_version: current.version },
  });
}

/**
 * Notes that a connection works, without counting a version: nobody's cached row is worse for not knowing it.
 *
 * @returns false when its grant is known to be gone (only authorising again brings it back), or there is none.
 */
export async function noteHealthy(db: Db, connectionId: string, now: Date): Promise<boolean> {
  const row = await db
    .updateTable('connections')
    .set({ last_healthy_at: now })
    .where('id', '=', connectionId)
    .where('health_state', '=', 'healthy')
    .where('deleted_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** The state of a connection's tokens, as a value or worked out by the database from what is there. */
export interface LifeColumns {
  life: LifeState | RawBuilder<LifeState>;
  life_since: Date | null | RawBuilder<Date | null>;
  /** Undefined = keep. */
  reauthorize_by?: Date | null | undefined;
}

/** Notes where a connection stands in the life of its tokens; counts no version either. */
export async function noteLife(db: Db, connectionId: string, columns: LifeColumns): Promise<void> {
  const { reauthorize_by: end, ...life } = columns;
  await db
    .updateTable('connections')
    .set({ ...life, ...(end === undefined ? {} : { reauthorize_by: end }) })
    .where('id', '=', connectionId)
    .where('deleted_at', 'is', null)
    .execute();
}

/**
 * Notes that a connection may not use an ad account any more, and counts the version up: what was remembered of its ad
 * accounts is no longer right. Undefined = that was noted before.
 */
export function noteLostOrganization(
  db: Db,
  connectionId: string,
  organizationId: string,
  lost: LostOrganization,
  now: Date,
): Promise<ConnectionRow | undefined> {
  return db
    .updateTable('connections')
    .set((eb) => ({
      lost_organizations: sql<string>`lost_organizations || jsonb_build_object(${organizationId}::text, ${json(lost)}::jsonb)`,
      version: eb('version', '+', 1),
      updated_at: now,
    }))
    .where('id', '=', connectionId)
    .where('deleted_at', 'is', null)
    .where(sql<boolean>`not jsonb_exists(lost_organizations, ${organizationId})`)
    .returningAll()
    .executeTakeFirst();
}

/** Takes such a note back. Undefined = there was none. */
export function clearLostOrganization(
  db: Db,
  connectionId: string,
  organizationId: string,
  now: Date,
): Promise<ConnectionRow | undefined> {
  return db
    .updateTable('connections')
    .set((eb) => ({
      lost_organizations: sql<string>`lost_organizations - ${organizationId}::text`,
      version: eb('version', '+', 1),
      updated_at: now,
    }))
    .where('id', '=', connectionId)
    .where('deleted_at', 'is', null)
    .where(sql<boolean>`jsonb_exists(lost_organizations, ${organizationId})`)
    .returningAll()
    .executeTakeFirst();
}

/** Connections by id, of all workspaces: for work that concerns the whole installation. Deleted ones are left out. */
export function connectionsById(db: Db, ids: readonly string[]): Promise<ConnectionRow[]> {
  if (ids.length === 0) return Promise.resolve([]);
  return db
    .selectFrom('connections')
    .selectAll()
    .where('id', 'in', [...ids])
    .where('deleted_at', 'is', null)
    .execute();
}

/**
 * Marks a connection deleted and destroys its secrets, in one statement. Its row stays for the call log's sake.
 * Answers whether there was one.
 */
export async function deleteConnection(
  db: Db,
  workspaceId: string,
  connectionId: string,
  now: Date = new Date(),
): Promise<boolean> {
  const row = await db
    .with('gone', (cte) =>
      cte
        .deleteFrom('secrets')
        .where('workspace_id', '=', workspaceId)
        .where('owner_kind', '=', 'connection')
        .where('owner_id', '=', connectionId)
        .returning('id'),
    )
    .updateTable('connections')
    .set((eb) => ({ deleted_at: now, updated_at: now, version: eb('version', '+', 1) }))
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', connectionId)
    .where('deleted_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

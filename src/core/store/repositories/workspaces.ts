import { PolyadError } from '../../errors/index.ts';
import { newId } from '../ids.ts';
import { type Db, json, type WorkspaceRow, type WorkspaceSettings } from '../schema.ts';
import { type ListOptions, page } from './list.ts';

export interface NewWorkspace {
  /** Given by whoever needs a known id (imports); otherwise made here. */
  id?: string | undefined;
  name: string;
  /** Default `production`. */
  default_environment?: string | undefined;
  settings?: WorkspaceSettings | undefined;
}

/** Makes a workspace. */
export function createWorkspace(db: Db, input: NewWorkspace, now: Date = new Date()): Promise<WorkspaceRow> {
  return db
    .insertInto('workspaces')
    .values({
      id: input.id ?? newId(now.getTime()),
      name: input.name,
      default_environment: input.default_environment ?? 'production',
      settings: json(input.settings ?? {}),
      created_at: now,
      updated_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The workspace, or undefined. */
export function getWorkspace(db: Db, workspaceId: string): Promise<WorkspaceRow | undefined> {
  return db.selectFrom('workspaces').selectAll().where('id', '=', workspaceId).executeTakeFirst();
}

/** All workspaces of this installation: for its operator, never for a workspace's own key. */
export function listWorkspaces(
  db: Db,
  options: ListOptions<'created_at' | 'updated_at' | 'name'> = {},
): Promise<WorkspaceRow[]> {
  const { limit, offset, order } = page(options);
  return db
    .selectFrom('workspaces')
    .selectAll()
    .orderBy(options.sort ?? 'created_at', order)
    .orderBy('id', order)
    .limit(limit)
    .offset(offset)
    .execute();
}

/**
 * Changes what is given. `settings` replaces the stored settings whole.
 *
 * @throws PolyadError `workspace_not_found`
 */
export async function updateWorkspace(
  db: Db,
  workspaceId: string,
  patch: {
    name?: string | undefined;
    default_environment?: string | undefined;
    settings?: WorkspaceSettings | undefined;
  },
  now: Date = new Date(),
): Promise<WorkspaceRow> {
  const row = await db
    .updateTable('workspaces')
    .set({
      ...(patch.name === undefined ? {} : { name: patch.name }),
      ...(patch.default_environment === undefined ? {} : { default_environment: patch.default_environment }),
      ...(patch.settings === undefined ? {} : { settings: json(patch.settings) }),
      updated_at: now,
    })
    .where('id', '=', workspaceId)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw new PolyadError('workspace_not_found', { details: { workspace_id: workspaceId } });
  return row;
}

/** Deletes a workspace with everything in it, secrets and call log included. Answers whether there was one. */
export async function deleteWorkspace(db: Db, workspaceId: string): Promise<boolean> {
  const result = await db.deleteFrom('workspaces').where('id', '=', workspaceId).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

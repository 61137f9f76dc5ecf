import { newId } from '../ids.ts';
import { type Db, type IntegrationRow, type IntegrationSettings, json } from '../schema.ts';
import { type ListOptions, page } from './list.ts';

/** The integration of a platform in one environment, or undefined when the workspace never touched it. */
export function getIntegration(
  db: Db,
  workspaceId: string,
  type: string,
  environment: string,
): Promise<IntegrationRow | undefined> {
  return db
    .selectFrom('integrations')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('type', '=', type)
    .where('environment', '=', environment)
    .executeTakeFirst();
}

/** Makes or changes an integration; members left out keep their value (on creation: active, no settings). */
export function putIntegration(
  db: Db,
  workspaceId: string,
  type: string,
  environment: string,
  patch: { is_active?: boolean | undefined; settings?: IntegrationSettings | undefined } = {},
  now: Date = new Date(),
): Promise<IntegrationRow> {
  return db
    .insertInto('integrations')
    .values({
      id: newId(now.getTime()),
      workspace_id: workspaceId,
      type,
      environment,
      is_active: patch.is_active ?? true,
      settings: json(patch.settings ?? {}),
      created_at: now,
      updated_at: now,
    })
    .onConflict((oc) =>
      oc.columns(['workspace_id', 'type', 'environment']).doUpdateSet({
        ...(patch.is_active === undefined ? {} : { is_active: patch.is_active }),
        ...(patch.settings === undefined ? {} : { settings: json(patch.settings) }),
        updated_at: now,
      }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
}

export interface IntegrationFilter extends ListOptions {
  type?: string | undefined;
  environment?: string | undefined;
  is_active?: boolean | undefined;
  updated_gte?: Date | undefined;
}

/** The workspace's integrations. Platforms it never touched have no row here. */
export function listIntegrations(
  db: Db,
  workspaceId: string,
  filter: IntegrationFilter = {},
): Promise<IntegrationRow[]> {
  const { limit, offset, order } = page(filter);
  let query = db.selectFrom('integrations').selectAll().where('workspace_id', '=', workspaceId);
  if (filter.type !== undefined) query = query.where('type', '=', filter.type);
  if (filter.environment !== undefined) query = query.where('environment', '=', filter.environment);
  if (filter.is_active !== undefined) query = query.where('is_active', '=', filter.is_active);
  if (filter.updated_gte !== undefined) query = query.where('updated_at', '>=', filter.updated_gte);
  return query
    .orderBy(filter.sort ?? 'created_at', order)
    .orderBy('id', order)
    .limit(limit)
    .offset(offset)
    .execute();
}

/** Deletes the integration's row and its secrets. Answers whether there was one. */
export async function deleteIntegration(
  db: Db,
  workspaceId: string,
  type: string,
  environment: string,
): Promise<boolean> {
  const row = await db
    .deleteFrom('integrations')
    .where('workspace_id', '=', workspaceId)
    .where('type', '=', type)
    .where('environment', '=', environment)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

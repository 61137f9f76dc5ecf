import { sql } from 'kysely';
import { redactAnswer } from '../../http/redact.ts';
import { newId } from '../ids.ts';
import { type Db, type EventRow, json } from '../schema.ts';
import { type ListOptions, page } from './list.ts';

export interface NewEvent {
  /** For example `CONNECTION_UNHEALTHY`: the wire contract's notification events, and our own. */
  type: string;
  connection_id?: string | null | undefined;
  /** Facts for the reader. Never secrets. */
  payload?: Record<string, unknown> | undefined;
}

/** Records that something happened in a workspace. */
export function appendEvent(db: Db, workspaceId: string, input: NewEvent, now: Date = new Date()): Promise<EventRow> {
  return db
    .insertInto('events')
    .values({
      id: newId(now.getTime()),
      workspace_id: workspaceId,
      connection_id: input.connection_id ?? null,
      type: input.type,
      payload: redactAnswer(json(input.payload ?? {})),
      created_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Events never change, so they sort by `created_at` alone. */
export interface EventFilter extends ListOptions<'created_at'> {
  /** Only of these connections; null = of all. */
  connection_ids?: readonly string[] | null | undefined;
  connection_id?: string | undefined;
  type?: string | undefined;
  created_gte?: Date | undefined;
}

/** The workspace's events. */
export function listEvents(db: Db, workspaceId: string, filter: EventFilter = {}): Promise<EventRow[]> {
  const { limit, offset, order } = page(filter);
  let query = db.selectFrom('events').selectAll().where('workspace_id', '=', workspaceId);
  if (filter.connection_id !== undefined) query = query.where('connection_id', '=', filter.connection_id);
  if (filter.connection_ids !== undefined && filter.connection_ids !== null)
    query = query.where('connection_id', '=', sql<string>`any(${[...filter.connection_ids]}::text[])`);
  if (filter.type !== undefined) query = query.where('type', '=', filter.type);
  if (filter.created_gte !== undefined) query = query.where('created_at', '>=', filter.created_gte);
  return query.orderBy('created_at', order).orderBy('id', order).limit(limit).offset(offset).execute();
}

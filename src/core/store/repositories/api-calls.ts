import { sql } from 'kysely';
import { copyInto, copyLine } from '../copy.ts';
import { newId } from '../ids.ts';
import type { Store } from '../port.ts';
import { type ApiCallRow, type ApiCallType, type Db, json } from '../schema.ts';
import { type ListOptions, page } from './list.ts';

/** A finished call, as the log keeps it. Members left out are null. Paths and errors must hold no secret. */
export interface NewApiCall {
  id?: string | undefined;
  workspace_id: string;
  connection_id?: string | null | undefined;
  integration_type: string;
  environment: string;
  method: string;
  name: string;
  path: string;
  status: string;
  type: ApiCallType;
  error?: string | null | undefined;
  size?: number | null | undefined;
  endapi_ms?: number | null | undefined;
  unified_ms?: number | null | undefined;
  ip_address?: string | null | undefined;
  user_agent?: string | null | undefined;
  external_xref?: string | null | undefined;
  request_id?: string | null | undefined;
  created_at?: Date | undefined;
}

const COLUMNS = [
  'id',
  'workspace_id',
  'connection_id',
  'integration_type',
  'environment',
  'method',
  'name',
  'path',
  'status',
  'type',
  'error',
  'size',
  'endapi_ms',
  'unified_ms',
  'ip_address',
  'user_agent',
  'external_xref',
  'request_id',
  'created_at',
] as const satisfies readonly (keyof NewApiCall)[];

/** How an engine takes rows: as text of a line each, made when a call ends and written with others later. */
export interface CallLines {
  /** The line of a call. Without id or time it is given them, so that a line written twice is the same row. */
  line(call: NewApiCall): string;
  /** Writes lines in one statement with one parameter, which is far cheaper than one parameter per value. */
  insert(db: Db, lines: string): Promise<unknown>;
  /** What the call of a line was, for messages. */
  nameIn(line: string): string | undefined;
}

const complete = (call: NewApiCall): NewApiCall => {
  const created_at = call.created_at ?? new Date();
  return { ...call, id: call.id ?? newId(created_at.getTime()), created_at };
};

const LINES: Record<Store['engine'], CallLines> = {
  // The embedded engine takes rows at half the cost by COPY.
  pglite: {
    line: (call) => copyLine(COLUMNS, complete(call)),
    insert: (db, lines) => copyInto('api_calls', COLUMNS, lines).execute(db),
    nameIn: (line) => line.split('\t')[COLUMNS.indexOf('name')],
  },
  postgres: {
    line: (call) => `${json(complete(call))}\n`,
    insert: (db, lines) =>
      sql`insert into api_calls
        select * from jsonb_populate_recordset(null::api_calls, ${`[${lines.trimEnd().replaceAll('\n', ',')}]`}::jsonb)
        on conflict (id) do nothing`.execute(db),
    nameIn: (line) => (JSON.parse(line) as NewApiCall).name,
  },
};

/** The form in which a database takes the log's rows. */
export const callLines = (engine: Store['engine'] = 'postgres'): CallLines => LINES[engine];

/** Writes calls in one statement. */
export async function insertApiCalls(db: Db, calls: readonly NewApiCall[]): Promise<void> {
  const { line, insert } = LINES.postgres;
  if (calls.length > 0) await insert(db, calls.map(line).join(''));
}

/** One call of the log, or undefined. */
export function getApiCall(db: Db, workspaceId: string, callId: string): Promise<ApiCallRow | undefined> {
  return db
    .selectFrom('api_calls')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', callId)
    .executeTakeFirst();
}

/** Calls never change, so `updated_at` sorts as `created_at`. */
export interface ApiCallFilter extends ListOptions<'created_at' | 'updated_at' | 'name'> {
  /** Only of these connections; null = of all. */
  connection_ids?: readonly string[] | null | undefined;
  connection_id?: string | undefined;
  environment?: string | undefined;
  /** true = failed calls only, false = successful ones only. */
  error?: boolean | undefined;
  external_xref?: string | undefined;
  integration_type?: string | undefined;
  type?: string | undefined;
  request_id?: string | undefined;
  /** Compared with `created_at`. */
  updated_gte?: Date | undefined;
}

/** The workspace's calls. */
export function listApiCalls(db: Db, workspaceId: string, filter: ApiCallFilter = {}): Promise<ApiCallRow[]> {
  return listApiCallsQuery(db, workspaceId, filter).execute();
}

/** The query of {@link listApiCalls}, for whoever wants to see how it is planned. */
export function listApiCallsQuery(db: Db, workspaceId: string, filter: ApiCallFilter) {
  const { limit, offset, order } = page(filter);
  let query = db.selectFrom('api_calls').selectAll().where('workspace_id', '=', workspaceId);
  if (filter.connection_id !== undefined) query = query.where('connection_id', '=', filter.connection_id);
  if (filter.connection_ids !== undefined && filter.connection_ids !== null)
    query = query.where('connection_id', '=', sql<string>`any(${[...filter.connection_ids]}::text[])`);
  if (filter.environment !== undefined) query = query.where('environment', '=', filter.environment);
  if (filter.error !== undefined) query = query.where('error', filter.error ? 'is not' : 'is', null);
  if (filter.external_xref !== undefined) query = query.where('external_xref', '=', filter.external_xref);
  if (filter.integration_type !== undefined) query = query.where('integration_type', '=', filter.integration_type);
  if (filter.type !== undefined) query = query.where('type', '=', filter.type as ApiCallType);
  if (filter.request_id !== undefined) query = query.where('request_id', '=', filter.request_id);
  if (filter.updated_gte !== undefined) query = query.where('created_at', '>=', filter.updated_gte);
  return query
    .orderBy(filter.sort === 'name' ? 'name' : 'created_at', order)
    .orderBy('id', order)
    .limit(limit)
    .offset(offset);
}

/** Deletes calls older than `before`, of all workspaces (housekeeping). Answers how many. */
export async function pruneApiCalls(db: Db, before: Date): Promise<number> {
  const result = await db.deleteFrom('api_calls').where('created_at', '<', before).executeTakeFirst();
  return Number(result.numDeletedRows);
}

/** Messages between the process and the worker that runs the embedded database. */

export type Request =
  | { id: number; kind: 'query'; sql: string; params: readonly unknown[] }
  | { id: number; kind: 'close' };

export interface QueryAnswer {
  rows: Record<string, unknown>[];
  affectedRows: number;
  /** Command tag without counts, for example `COMMIT`; undefined where the engine gives none. */
  command: string | undefined;
}

/** What a database error says of itself; the names are those of the `pg` client's errors. */
export interface ErrorAnswer {
  message: string;
  code?: string | undefined;
  detail?: string | undefined;
  constraint?: string | undefined;
  table?: string | undefined;
  column?: string | undefined;
}

export type Answer =
  | { kind: 'ready' }
  | { kind: 'failed'; error: ErrorAnswer }
  | { kind: 'notification'; payload: string }
  | { kind: 'answer'; id: number; ok: true; value: QueryAnswer | null }
  | { kind: 'answer'; id: number; ok: false; error: ErrorAnswer };

import { type RawBuilder, sql } from 'kysely';
import { storableText } from './schema.ts';

type Cell = string | number | boolean | Date | null | undefined;

/** What COPY's text form escapes. */
const SPECIAL = /[\\\n\r\t]/g;
const ESCAPES: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
/** Any of those, a NUL or half of a surrogate pair: most values have none, and a look is cheaper than the work. */
const ODD = /[\\\n\r\t\0\ud800-\udfff]/;

function cell(value: Cell): string {
  if (value === null || value === undefined) return '\\N';
  if (typeof value !== 'string') return value instanceof Date ? value.toISOString() : String(value);
  if (!ODD.test(value)) return value;
  return storableText(value).replace(SPECIAL, (found) => ESCAPES[found] as string);
}

/** A row as a line of COPY's text form. Columns that are left out take their defaults. */
export function copyLine<T extends object>(columns: readonly (keyof T & string)[], row: T): string {
  let line = '';
  for (const column of columns) line += `${line === '' ? '' : '\t'}${cell(row[column] as Cell)}`;
  return `${line}\n`;
}

/**
 * The statement that appends `lines` of {@link copyLine} to `table` in the embedded engine, for which reading COPY's text
 * form costs half of what an INSERT costs. The engine takes the rows from its file `/dev/blob`; they travel as the
 * statement's only parameter, and the worker puts them there (see pglite/worker.ts).
 */
export function copyInto(table: string, columns: readonly string[], lines: string): RawBuilder<unknown> {
  const names = sql.join(columns.map((column) => sql.ref(column)));
  return sql`copy ${sql.table(table)} (${names}) from '/dev/blob' -- ${lines}`;
}

/** Whether a statement is one of {@link copyInto}. */
export const isCopy = (statement: string): boolean => statement.startsWith('copy ');

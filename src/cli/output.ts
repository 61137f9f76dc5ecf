/** What commands print on stdout: JSON, a table, or one JSON object per line. */
import Table from 'cli-table3';
import { usage } from './errors.ts';
import { stdoutStyle } from './terminal.ts';

export const FORMATS = ['json', 'table', 'ndjson'] as const;
export type Format = (typeof FORMATS)[number];

/** Set by the first command that was told its format: failures then speak the same language. */
export const chosen: { format: Format | undefined } = { format: undefined };

/** The format of a flag; without one a table for people and JSON for programs. */
export function readFormat(flag: string | undefined): Format {
  if (flag === undefined) return process.stdout.isTTY ? 'table' : 'json';
  const format = FORMATS.find((known) => known === flag);
  if (format === undefined) throw usage(`There is no output format \`${flag}\`.`, `Known are ${FORMATS.join(', ')}.`);
  chosen.format = format;
  return format;
}

/** Longest text of a cell. */
const CELL = 48;
/** Width of a table that nobody's terminal limits. */
const WIDE = 240;

type Row = Record<string, unknown>;

/** Prints an answer. `columns` decides what a table shows and in which order; without it what fits. */
export function print(value: unknown, format: Format, columns?: readonly string[]): void {
  process.stdout.write(render(value, format, columns));
}

/** The text of an answer. */
export function render(value: unknown, format: Format, columns?: readonly string[]): string {
  if (format === 'json') return `${JSON.stringify(value, undefined, 2)}\n`;
  if (format === 'ndjson')
    return (Array.isArray(value) ? value : [value]).map((row) => `${JSON.stringify(row)}\n`).join('');
  if (!Array.isArray(value)) return isRow(value) ? pairs(value) : `${String(value)}\n`;
  const rows = value.filter(isRow);
  if (rows.length === 0) return `${stdoutStyle().dim('nothing found')}\n`;
  return table(rows, columns ?? [...new Set(rows.flatMap((row) => Object.keys(row)))], columns !== undefined);
}

const isRow = (value: unknown): value is Row => value !== null && typeof value === 'object' && !Array.isArray(value);

/** One object: a line per member. */
function pairs(row: Row): string {
  const out = new Table({ style: { head: [], border: [] }, wordWrap: true });
  for (const [name, value] of Object.entries(row)) if (value !== undefined) out.push([name, cell(value, 4 * CELL)]);
  return `${out.toString()}\n`;
}

function table(rows: readonly Row[], names: readonly string[], all: boolean): string {
  const width = process.stdout.columns ?? WIDE;
  const cells = rows.map((row) => names.map((name) => cell(row[name], CELL)));
  const kept: number[] = [];
  let used = 1;
  for (const [index, name] of names.entries()) {
    const needs = Math.max(name.length, ...cells.map((line) => (line[index] as string).length)) + 3;
    if (!all && kept.length > 0 && used + needs > width) continue;
    kept.push(index);
    used += needs;
  }
  const style = stdoutStyle();
  const out = new Table({
    head: kept.map((index) => style.bold(names[index] as string)),
    style: { head: [], border: [], compact: true },
  });
  for (const line of cells) out.push(kept.map((index) => line[index] as string));
  const hidden = names.filter((_, index) => !kept.includes(index));
  const note = hidden.length === 0 ? '' : `${style.dim(`not shown: ${hidden.join(', ')} (-o json shows all)`)}\n`;
  return `${out.toString()}\n${note}`;
}

function cell(value: unknown, longest: number): string {
  if (value === undefined || value === null) return '';
  const text = (typeof value === 'object' ? JSON.stringify(value) : String(value)).replace(/\s+/g, ' ');
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

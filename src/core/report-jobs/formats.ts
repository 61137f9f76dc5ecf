/** The forms of a result. Each takes what it writes piece by piece and holds no more than one piece in memory. */
import type { FileHandle } from 'node:fs/promises';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import type { Column, Field } from '../reports/flat.ts';

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number];

/** Text is written in pieces of about this many characters. */
const PIECE = 256 * 1024;
/** Lines in one row group of a Parquet file: some megabytes, read and skipped as a unit. */
const ROW_GROUP = 50_000;

/** Takes text and writes it in large pieces. */
export class TextSink {
  readonly #file: FileHandle;
  #text = '';

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** A promise when the next piece has to wait. */
  add(text: string): Promise<void> | undefined {
    this.#text += text;
    return this.#text.length < PIECE ? undefined : this.end();
  }

  async end(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    if (text !== '') await this.#file.writeFile(text);
  }
}

/** A line of CSV as RFC 4180 has it: CRLF, and quotes where they are needed. No value is an empty field. */
export function csvLine(fields: readonly Field[]): string {
  const written = fields.map((field) => {
    if (field === undefined) return '';
    const text = String(field);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${written.join(',')}\r\n`;
}

/**
 * Writes a table as Apache Parquet, snappy-compressed. Text and days keep their kind; numbers are DOUBLE, the nearest to
 * the exact decimal, as in JSON; no value is null. The library encodes and writes without pause, which is why results are
 * made in a thread of their own.
 */
export class ParquetSink {
  readonly #columns: readonly Column[];
  readonly #writer: ParquetWriter;
  #data: Field[][];
  #lines = 0;

  constructor(path: string, columns: readonly Column[]) {
    this.#columns = columns;
    this.#data = columns.map(() => []);
    this.#writer = new ParquetWriter({ writer: fileWriter(path), schema: schemaOf(columns), createdBy: 'polyad' });
  }

  add(fields: readonly Field[]): Promise<void> | undefined {
    for (const [at, field] of fields.entries()) (this.#data[at] as Field[]).push(field);
    this.#lines += 1;
    return this.#lines < ROW_GROUP ? undefined : this.#group();
  }

  async #group(): Promise<void> {
    const data = this.#data;
    this.#data = this.#columns.map(() => []);
    this.#lines = 0;
    await this.#writer.write({
      columnData: this.#columns.map(({ name, kind }, at) => ({
        name,
        data: (data[at] as Field[]).map(fieldReader(kind)),
      })),
      rowGroupSize: ROW_GROUP,
    });
  }

  async end(): Promise<void> {
    if (this.#lines > 0) await this.#group();
    await this.#writer.finish();
  }
}

function schemaOf(columns: readonly Column[]): SchemaElement[] {
  return [
    { name: 'root', num_children: columns.length },
    ...columns.map(({ name, kind }): SchemaElement => {
      const common = { name, repetition_type: 'OPTIONAL' as const };
      if (kind === 'date') return { ...common, type: 'INT32', converted_type: 'DATE' };
      if (kind === 'number') return { ...common, type: 'DOUBLE' };
      if (kind === 'boolean') return { ...common, type: 'BOOLEAN' };
      return { ...common, type: 'BYTE_ARRAY', converted_type: 'UTF8' };
    }),
  ];
}

function fieldReader(kind: Column['kind']): (field: Field) => unknown {
  if (kind === 'number') return (field) => (field === undefined ? null : Number(field));
  if (kind === 'date') return (field) => (field === undefined ? null : new Date(`${field}T00:00:00Z`));
  return (field) => field ?? null;
}

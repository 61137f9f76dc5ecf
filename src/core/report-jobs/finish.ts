/**
 * The last step of a job: the rows of all pieces, joined by object as a report read by call is, in the form asked for. Runs
 * in a thread of its own (`finish-thread.ts`), so that nothing here holds up the server. Knows no platform and no database:
 * all it needs is in its input.
 */
import { chmod, open } from 'node:fs/promises';
import type { DerivedRule, MetricRule } from '../connector/report-spec.ts';
import type { OrganizationFacts } from '../connector/types.ts';
import { columnsOf, flattener } from '../reports/flat.ts';
import type { ReportPlan } from '../reports/plan.ts';
import { type CollectedRows, RowCollector, reporter } from '../reports/rows.ts';
import type { ReportFormat } from '../store/schema.ts';
import { csvLine, ParquetSink, TextSink } from './formats.ts';
import { readSegment } from './segments.ts';

/** Cells that are held before they go through a temporary file: some 20 megabytes. */
const MAX_CELLS = 50_000;

/** Rows of one file; of a file that covers more days than needed, those of the days named. */
export interface FinishPart {
  path: string;
  days?: { start: string; end: string };
}

export interface FinishInput {
  format: ReportFormat;
  /** File to write. */
  path: string;
  metrics: Readonly<Record<string, MetricRule | DerivedRule>>;
  /** `fields` of the query, as paths: members of rows of NDJSON. */
  fields?: readonly string[] | undefined;
  withRaw: boolean;
  /** One for each ad account, in order; parts from the oldest days to the newest. */
  reports: readonly { plan: ReportPlan; organization: OrganizationFacts; parts: readonly FinishPart[] }[];
}

/** The result is written: its rows (lines, without the header of CSV). */
export interface Finished {
  rows: number;
}

/** Where lines of a result go. */
interface Sink {
  add(text: string): Promise<void> | undefined;
}

/** Writes the result. */
export async function finish(input: FinishInput): Promise<Finished> {
  return input.format === 'parquet' ? parquet(input) : text(input);
}

async function* collected(
  { metrics }: FinishInput,
  { plan, parts }: FinishInput['reports'][number],
): AsyncGenerator<CollectedRows> {
  const collector = new RowCollector(plan, metrics, MAX_CELLS);
  const day = plan.dimensions.find(({ name }) => name === 'DATE' || name === 'HOUR')?.native;
  let rows: CollectedRows | undefined;
  try {
    for (const { path, days } of parts)
      for await (const row of readSegment(path, plan)) {
        if (days !== undefined && day !== undefined) {
          const date = (row.dimensions[day] ?? '').slice(0, 10);
          if (date < days.start || date > days.end) continue;
        }
        const full = collector.add(row);
        if (full !== undefined) await full;
      }
    rows = await collector.finish();
    yield rows;
  } finally {
    if (rows === undefined) await collector.discard();
    else await rows.close();
  }
}

async function text(input: FinishInput): Promise<Finished> {
  const { format, path, reports, metrics, fields, withRaw } = input;
  const select = await selection(fields);
  const file = await open(path, 'w', 0o600);
  let count = 0;
  try {
    const sink = new TextSink(file);
    for (const [at, report] of reports.entries()) {
      const { plan, organization } = report;
      const toReport = reporter(plan, metrics, organization, withRaw);
      const toLines = flattener(plan, metrics, organization);
      if (format === 'csv' && at === 0) await sink.add(csvLine(columnsOf(plan).map(({ name }) => name)));
      for await (const rows of collected(input, report))
        for await (const record of rows.records({ left: 0 })) {
          if (format === 'ndjson') {
            count += await put(sink, `${JSON.stringify(select(toReport(record)))}\n`);
            continue;
          }
          for (const line of toLines(record)) count += await put(sink, csvLine(line));
        }
    }
    await sink.end();
  } finally {
    await file.close();
  }
  return { rows: count };
}

/** Cuts rows down to the members asked for. The model is loaded only where it is needed. */
async function selection(paths: readonly string[] | undefined): Promise<(row: Record<string, unknown>) => unknown> {
  if (paths === undefined) return (row) => row;
  const { parseFields, selectFields } = await import('../model/fields.ts');
  const fields = parseFields('report', [...paths]);
  return (row) => (fields === undefined ? row : selectFields('report', row, fields));
}

/** Adds a line; 1, for counting. */
function put(sink: Sink, line: string): Promise<number> | number {
  const full = sink.add(line);
  return full === undefined ? 1 : full.then(() => 1);
}

async function parquet(input: FinishInput): Promise<Finished> {
  const { path, reports, metrics } = input;
  const [first] = reports;
  if (first === undefined) throw new Error('a report is about at least one ad account');
  const sink = new ParquetSink(path, columnsOf(first.plan));
  await chmod(path, 0o600);
  let count = 0;
  for (const report of reports) {
    const toLines = flattener(report.plan, metrics, report.organization);
    for await (const rows of collected(input, report))
      for await (const record of rows.records({ left: 0 }))
        for (const line of toLines(record)) {
          await sink.add(line);
          count += 1;
        }
  }
  await sink.end();
  return { rows: count };
}

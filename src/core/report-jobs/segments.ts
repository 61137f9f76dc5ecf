/**
 * Rows of some days of one ad account, as a compressed file: one JSON array a line, `[id, name, [breakdown values], number,
 * number …]`, numbers as the platform wrote them, in the order of the plan's native metrics. 0 stands for nothing.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { createGunzip, createGzip } from 'node:zlib';
import { breathe } from '../breathe.ts';
import type { ReportRow } from '../connector/report-spec.ts';
import type { Native, OrganizationFacts } from '../connector/types.ts';
import type { ReportPlan } from '../reports/plan.ts';

/** Text is handed to compression in pieces of about this many characters. */
const PIECE = 64 * 1024;

/** Parts of a plan that a file's lines depend on. */
export type RowShape = Pick<ReportPlan, 'nativeMetrics' | 'dimensions'>;

type Line = [id: string, name: string | 0, values: string[], ...numbers: (string | 0)[]];

/** Digest of everything that rows depend on but their days: rows under the same key are of the same report. */
export function segmentKey(
  connectionId: string,
  organization: OrganizationFacts,
  plan: ReportPlan,
  filters: Readonly<Record<string, string | undefined>>,
  raw: Native,
): string {
  const { campaign_id, group_id, ad_id } = filters;
  return createHash('sha256')
    .update(
      JSON.stringify([
        connectionId,
        [organization.id, organization.currency, plan.timeZone],
        plan.level,
        plan.nativeMetrics,
        plan.dimensions.map(({ name, native }) => [name, native]),
        [campaign_id, group_id, ad_id],
        Object.entries(raw).sort(([a], [b]) => (a < b ? -1 : 1)),
      ]),
    )
    .digest('hex');
}

/** What was counted while rows went by. */
export interface RowTally {
  rows: number;
}

/** Rows on their way into a file. `tally` is complete when the stream has ended. */
export function segmentStream(
  rows: AsyncIterable<ReportRow>,
  { dimensions, nativeMetrics }: RowShape,
): { streams: [Readable, NodeJS.ReadWriteStream]; tally: RowTally } {
  const tally: RowTally = { rows: 0 };
  async function* pieces(): AsyncGenerator<Buffer> {
    let text = '';
    for await (const row of rows) {
      const values = dimensions.map(({ native, value }) => {
        const given = row.dimensions[native] ?? '';
        return value?.(given) ?? given;
      });
      const line: Line = [
        row.entityId,
        row.entityName ?? 0,
        values,
        ...nativeMetrics.map((metric) => row.metrics[metric] ?? 0),
      ];
      text += `${JSON.stringify(line)}\n`;
      tally.rows += 1;
      if (text.length >= PIECE) {
        yield Buffer.from(text);
        text = '';
      }
      const pause = breathe();
      if (pause !== undefined) await pause;
    }
    if (text !== '') yield Buffer.from(text);
  }
  return { streams: [Readable.from(pieces()), createGzip({ level: 1 })], tally };
}

function rowOf(written: string, { dimensions, nativeMetrics }: RowShape): ReportRow {
  const [entityId, name, values, ...numbers] = JSON.parse(written) as Line;
  const row: ReportRow = { entityId, dimensions: {}, metrics: {} };
  if (name !== 0) row.entityName = name;
  for (const [at, { native }] of dimensions.entries()) row.dimensions[native] = values[at] ?? '';
  for (const [at, metric] of nativeMetrics.entries()) {
    const number = numbers[at];
    if (number !== 0 && number !== undefined) row.metrics[metric] = number;
  }
  return row;
}

/** The rows of a file. Rejects when it is cut off or damaged. */
export async function* readSegment(path: string, shape: RowShape): AsyncGenerator<ReportRow> {
  const file = createReadStream(path);
  const text = file.pipe(createGunzip());
  // A pipe hands no errors on.
  file.on('error', (error) => text.destroy(error));
  const decoder = new StringDecoder('utf8');
  let rest = '';
  try {
    for await (const chunk of text) {
      const lines = (rest + decoder.write(chunk as Buffer)).split('\n');
      rest = lines.pop() as string;
      for (const line of lines) yield rowOf(line, shape);
    }
    if (rest !== '') throw new Error('a file of report rows ends in the middle of a line');
  } finally {
    file.destroy();
    text.destroy();
  }
}

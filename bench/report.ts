/**
 * `npm run bench:report`: a report of 1,000,000 objects as NDJSON: the memory that the server takes at most, how long its
 * event loop is held up, and the CPU of a row. The platform's quota (600 calls a minute, 1,000 rows a call) decides how long
 * it takes; meanwhile the same node answers a list every 200 ms, whose latency says whether others are held up.
 */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { ADVERTISER } from './support/campaigns.ts';
import { heldUp, reportBench, turnTarget } from './support/reporting.ts';
import { record } from './support/results.ts';
import { short } from './support/stats.ts';

const ROWS = Number(process.env['POLYAD_BENCH_ROWS'] ?? 1_000_000);

const { all, tenant, noise, measure } = await reportBench('report', ROWS);
const path = `/ads/${tenant.connection}/report?org_id=${ADVERTISER}&level=ad&start_gte=2026-10-01&end_lt=2026-10-31`;

const { made, cost } = await measure(async () => {
  const begun = performance.now();
  const answer = await fetch(`${all.server.url}${path}`, {
    headers: { authorization: tenant.key, accept: 'application/x-ndjson' },
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  const firstMs = performance.now() - begun;
  let rows = 0;
  let bytes = 0;
  let cents = 0;
  const ids = new Set<number>();
  for await (const line of createInterface({ input: Readable.fromWeb(answer.body as never), crlfDelay: Infinity })) {
    rows += 1;
    bytes += line.length + 1;
    const { id, metrics } = JSON.parse(line) as { id: string; metrics: { type: string; value: number }[] };
    ids.add(Number(id.split('_')[1]));
    cents += Math.round((metrics.find(({ type }) => type === 'COST')?.value ?? 0) * 100);
  }
  return { rows, bytes, cents, ids: ids.size, firstMs };
});
const { rows, bytes, cents, ids, firstMs } = made;
const { seconds, beforeMb, peakMb, loop } = cost;
const cpuUs = (cost.cpuSeconds / rows) * 1e6;

record({
  name: 'report',
  what: `A report of ${ROWS} ads as NDJSON (${all.engine})`,
  noise: noise.share(),
  rows: [
    { measure: 'rows', value: rows },
    { measure: 'size', value: `${short(bytes / 1024 ** 2)} MB` },
    { measure: 'time, of which until the first row', value: `${short(seconds)} s, ${short(firstMs / 1000)} s` },
    { measure: 'CPU each row, fetching included', value: `${short(cpuUs)} µs` },
    { measure: 'memory before and at most', value: `${short(beforeMb)} MB, ${short(peakMb)} MB` },
    ...heldUp(cost),
  ],
  targets: [
    { name: 'rows, none twice', value: ids, target: String(ROWS), met: rows === ROWS && ids === ROWS },
    {
      name: 'sum of the cost',
      value: (cents / 100).toFixed(2),
      target: ((ROWS * 1234) / 100).toFixed(2),
      met: cents === ROWS * 1234,
    },
    { name: 'memory at most', value: `${short(peakMb)} MB`, target: '<= 256 MB', met: peakMb <= 256 },
    turnTarget(cost),
  ],
  more: { loop },
});
await all.close();
process.exit(0);

/**
 * `npm run bench:report`: a report of 1,000,000 objects as NDJSON: the memory that the server takes at most, how long its
 * event loop is held up, and the CPU of a row. The platform's quota (600 calls a minute, 1,000 rows a call) decides how long
 * it takes; meanwhile the same node answers a list every 200 ms, whose latency says whether others are held up.
 */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { ADVERTISER } from './support/campaigns.ts';
import { install } from './support/installation.ts';
import { cpuSeconds, memoryMb, Noise, resetPeak } from './support/machine.ts';
import { loopBegin, loopReport } from './support/processes.ts';
import { record } from './support/results.ts';
import { quantile, short } from './support/stats.ts';

const ROWS = Number(process.env['POLYAD_BENCH_ROWS'] ?? 1_000_000);

const all = await install('report', { tenants: 2, entities: ROWS, probe: true });
const { server } = all;
const [tenant, other] = all.tenants as [(typeof all.tenants)[0], (typeof all.tenants)[0]];
const noise = new Noise([server.pid, all.upstream.pid]);
const path = `/ads/${tenant.connection}/report?org_id=${ADVERTISER}&level=ad&start_gte=2026-10-01&end_lt=2026-10-31`;

const before = memoryMb(server.pid).now;
await resetPeak(server.pid);
loopBegin(server);
const begun = performance.now();
const cpu = cpuSeconds(server.pid);
let reading = true;
const waits: number[] = [];
const bystander = (async () => {
  while (reading) {
    const sent = performance.now();
    const list = await fetch(`${server.url}/ads/${other.connection}/campaign?limit=50&org_id=${ADVERTISER}`, {
      headers: { authorization: other.key },
    });
    await list.text();
    if (!list.ok) throw new Error(`the list answered ${list.status}`);
    waits.push(performance.now() - sent);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
})();

const answer = await fetch(`${server.url}${path}`, {
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
reading = false;
await bystander;
const seconds = (performance.now() - begun) / 1000;
const { peak } = memoryMb(server.pid);
const loop = await loopReport(server);
const cpuUs = ((cpuSeconds(server.pid) - cpu) / rows) * 1e6;

record({
  name: 'report',
  what: `A report of ${ROWS} ads as NDJSON (${all.engine})`,
  noise: noise.share(),
  rows: [
    { measure: 'rows', value: rows },
    { measure: 'size', value: `${short(bytes / 1024 ** 2)} MB` },
    { measure: 'time, of which until the first row', value: `${short(seconds)} s, ${short(firstMs / 1000)} s` },
    { measure: 'CPU each row, fetching included', value: `${short(cpuUs)} µs` },
    { measure: 'memory before and at most', value: `${short(before)} MB, ${short(peak)} MB` },
    {
      measure: 'longest turn of the event loop, CPU',
      value: `${short(loop.turnMaxMs)} ms (99.9 %: ${short(loop.turnP999Ms)} ms)`,
    },
    {
      measure: 'lists of another tenant meanwhile, p50 and p99',
      value: `${short(quantile(waits, 0.5))} ms, ${short(quantile(waits, 0.99))} ms`,
    },
  ],
  targets: [
    { name: 'rows, none twice', value: ids.size, target: String(ROWS), met: rows === ROWS && ids.size === ROWS },
    {
      name: 'sum of the cost',
      value: (cents / 100).toFixed(2),
      target: ((ROWS * 1234) / 100).toFixed(2),
      met: cents === ROWS * 1234,
    },
    { name: 'memory at most', value: `${short(peak)} MB`, target: '<= 256 MB', met: peak <= 256 },
    {
      name: 'longest turn of the event loop, CPU',
      value: `${short(loop.turnMaxMs)} ms`,
      target: '<= 10 ms',
      met: loop.turnMaxMs <= 10,
    },
  ],
  more: { loop },
});
await all.close();
process.exit(0);

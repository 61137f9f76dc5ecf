/**
 * `npm run bench:report-jobs`: a report job of 200,000 objects by day, in each form of a result: the memory that the server
 * takes at most, how long its event loop is held up, and the CPU of a row, while it answers lists of another tenant.
 */
import { ADVERTISER } from './support/campaigns.ts';
import { install } from './support/installation.ts';
import { cpuSeconds, memoryMb, Noise, resetPeak } from './support/machine.ts';
import { loopBegin, loopReport } from './support/processes.ts';
import { record } from './support/results.ts';
import { quantile, short } from './support/stats.ts';

const ROWS = Number(process.env['POLYAD_BENCH_ROWS'] ?? 200_000);
const FORMATS = ['ndjson', 'csv', 'parquet'] as const;

const all = await install('report_jobs', { tenants: 2, entities: ROWS, probe: true });
const { server } = all;
const [tenant, other] = all.tenants as [(typeof all.tenants)[0], (typeof all.tenants)[0]];
const noise = new Noise([server.pid, all.upstream.pid]);
const headers = { authorization: tenant.key, 'content-type': 'application/json' };

interface Job {
  id: string;
  state: string;
  result?: { rows: number; bytes: number };
  error?: unknown;
}

const rows: { measure: string; value: string | number }[] = [];
const targets: { name: string; value: string | number; target: string; met: boolean }[] = [];
for (const format of FORMATS) {
  const before = memoryMb(server.pid).now;
  await resetPeak(server.pid);
  loopBegin(server);
  const begun = performance.now();
  const cpu = cpuSeconds(server.pid);
  let making = true;
  const waits: number[] = [];
  const bystander = (async () => {
    while (making) {
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
  const query = { org_id: ADVERTISER, level: 'ad', start_gte: '2026-10-01', end_lt: '2026-10-31' };
  const body = JSON.stringify({ connection_id: tenant.connection, query, format, route: 'calls', cache: false });
  const made = await fetch(`${server.url}/v1/report_jobs`, { method: 'POST', headers, body });
  let job = (await made.json()) as Job;
  if (!made.ok) throw new Error(JSON.stringify(job));
  while (job.state === 'waiting' || job.state === 'running') {
    await new Promise((resolve) => setTimeout(resolve, 200));
    job = (await (await fetch(`${server.url}/v1/report_jobs/${job.id}`, { headers })).json()) as Job;
  }
  making = false;
  await bystander;
  if (job.state !== 'done' || job.result === undefined) throw new Error(JSON.stringify(job));
  const seconds = (performance.now() - begun) / 1000;
  const grown = memoryMb(server.pid).peak - before;
  const loop = await loopReport(server);
  const cpuUs = ((cpuSeconds(server.pid) - cpu) / job.result.rows) * 1e6;
  rows.push(
    { measure: `${format}: rows, size`, value: `${job.result.rows}, ${short(job.result.bytes / 1024 ** 2)} MB` },
    { measure: `${format}: time, CPU each row`, value: `${short(seconds)} s, ${short(cpuUs)} µs` },
    { measure: `${format}: memory added at most`, value: `${short(grown)} MB` },
    {
      measure: `${format}: longest turn of the event loop, CPU`,
      value: `${short(loop.turnMaxMs)} ms (99.9 %: ${short(loop.turnP999Ms)} ms)`,
    },
    {
      measure: `${format}: lists of another tenant, p50 and p99`,
      value: `${short(quantile(waits, 0.5))} ms, ${short(quantile(waits, 0.99))} ms`,
    },
  );
  targets.push(
    { name: `${format}: memory added`, value: `${short(grown)} MB`, target: '<= 256 MB', met: grown <= 256 },
    {
      name: `${format}: longest turn, CPU`,
      value: `${short(loop.turnMaxMs)} ms`,
      target: '<= 10 ms',
      met: loop.turnMaxMs <= 10,
    },
  );
}
record({
  name: 'report-jobs',
  what: `Report jobs of ${ROWS} ads (${all.engine})`,
  noise: noise.share(),
  rows,
  targets,
});
await all.close();
process.exit(0);

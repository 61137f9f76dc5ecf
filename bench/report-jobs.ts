/**
 * `npm run bench:report-jobs`: a report job of 200,000 objects by day, in each form of a result: the memory that the server
 * takes at most, how long its event loop is held up, and the CPU of a row, while it answers lists of another tenant.
 */
import { ADVERTISER } from './support/campaigns.ts';
import { heldUp, reportBench, turnTarget } from './support/reporting.ts';
import { record, type Target } from './support/results.ts';
import { short } from './support/stats.ts';

const ROWS = Number(process.env['POLYAD_BENCH_ROWS'] ?? 200_000);
const FORMATS = ['ndjson', 'csv', 'parquet'] as const;

const { all, tenant, noise, measure } = await reportBench('report_jobs', ROWS);
const { server } = all;
const headers = { authorization: tenant.key, 'content-type': 'application/json' };

interface Job {
  id: string;
  state: string;
  result?: { rows: number; bytes: number };
  error?: unknown;
}

const rows: { measure: string; value: string | number }[] = [];
const targets: Target[] = [];
for (const format of FORMATS) {
  const query = { org_id: ADVERTISER, level: 'ad', start_gte: '2026-10-01', end_lt: '2026-10-31' };
  const body = JSON.stringify({ connection_id: tenant.connection, query, format, route: 'calls', cache: false });
  const { made, cost } = await measure(async () => {
    const answer = await fetch(`${server.url}/v1/report_jobs`, { method: 'POST', headers, body });
    let job = (await answer.json()) as Job;
    if (!answer.ok) throw new Error(JSON.stringify(job));
    while (job.state === 'waiting' || job.state === 'running') {
      await new Promise((resolve) => setTimeout(resolve, 200));
      job = (await (await fetch(`${server.url}/v1/report_jobs/${job.id}`, { headers })).json()) as Job;
    }
    if (job.state !== 'done' || job.result === undefined) throw new Error(JSON.stringify(job));
    return job.result;
  });
  const grown = cost.peakMb - cost.beforeMb;
  const cpuUs = (cost.cpuSeconds / made.rows) * 1e6;
  rows.push(
    { measure: `${format}: rows, size`, value: `${made.rows}, ${short(made.bytes / 1024 ** 2)} MB` },
    { measure: `${format}: time, CPU each row`, value: `${short(cost.seconds)} s, ${short(cpuUs)} µs` },
    { measure: `${format}: memory added at most`, value: `${short(grown)} MB` },
    ...heldUp(cost, `${format}: `),
  );
  targets.push(
    { name: `${format}: memory added`, value: `${short(grown)} MB`, target: '<= 256 MB', met: grown <= 256 },
    turnTarget(cost, `${format}: `),
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

/**
 * `npm run bench:tenants`: whether a call costs more when there are more tenants: pass-through and unified list over 10,
 * 100, 1,000 and 10,000 workspaces with a connection each, all of them called in turn, and the database statements that
 * calls cause. Making 10,000 tenants through the API takes some minutes.
 */
import { ADVERTISER } from './support/campaigns.ts';
import { install, inTurn } from './support/installation.ts';
import { target, throughput } from './support/load.ts';
import { cpuSeconds, memoryMb, Noise } from './support/machine.ts';
import { record } from './support/results.ts';
import { short, shortSpread, spread } from './support/stats.ts';
import { makeTenants } from './support/tenants.ts';

const SIZES = (process.env['POLYAD_BENCH_TENANTS'] ?? '10,100,1000,10000').split(',').map(Number);
const ROUNDS = 5;
const PAGE = `open_api/v1.3/campaign/get/?advertiser_id=${ADVERTISER}&page=1&page_size=50`;
/** Fewest calls in a round. */
const CALLS = 400;

const all = await install('tenants', { tenants: 0 });
const { server, tenants, database } = all;
const noise = new Noise([server.pid, all.upstream.pid]);

/** Statements that this database has carried out for the server: transactions begun, by Postgres' own count. */
async function transactions(): Promise<number> {
  if (database === undefined) return Number.NaN;
  const [row] = await database.query<{ count: string }>(
    `select xact_commit + xact_rollback as count from pg_stat_database where datname = current_database()`,
  );
  return Number(row?.count);
}

/** CPU µs of the server for each call of a round. Few tenants are called slowly, as their quotas want it. */
async function cost(path: (connection: string) => string): Promise<number> {
  const to = target(
    server.url,
    inTurn(tenants, ({ connection }) => path(connection)),
    8,
  );
  const before = cpuSeconds(server.pid);
  const begun = performance.now();
  const perSecond = Math.min(2_000, tenants.length * 8);
  const calls = Math.max(CALLS, Math.min(tenants.length, 4_000));
  let made = 0;
  const caller = async (): Promise<void> => {
    while (made < calls) {
      made += 1;
      await throughput(to, server.pid, 1, 0);
      const due = (made / perSecond) * 1000 - (performance.now() - begun);
      if (due > 0) await new Promise((resolve) => setTimeout(resolve, due));
    }
  };
  await Promise.all(Array.from({ length: 8 }, caller));
  await to.pool.close();
  return ((cpuSeconds(server.pid) - before) / made) * 1e6;
}

const rows: Record<string, unknown>[] = [];
const medians: { list: number; pass: number }[] = [];
for (const size of SIZES) {
  tenants.push(...(await makeTenants(server.url, all.operator, size - tenants.length, tenants.length)));
  const warm = target(
    server.url,
    inTurn(tenants, ({ connection }) => `/ads/${connection}/campaign?limit=50&org_id=${ADVERTISER}`),
  );
  for (let at = 0; at < tenants.length; at += 1) await throughput(warm, server.pid, 1, 0);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const statements = await transactions();
  const lists: number[] = [];
  const passes: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    lists.push(await cost((connection) => `/ads/${connection}/campaign?limit=50&org_id=${ADVERTISER}`));
    passes.push(await cost((connection) => `/passthrough/${connection}/${PAGE}`));
  }
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const caused = (await transactions()) - statements;
  medians.push({ list: spread(lists).min, pass: spread(passes).min });
  rows.push({
    tenants: size,
    'list, CPU µs': shortSpread(spread(lists)),
    'pass-through, CPU µs': shortSpread(spread(passes)),
    'transactions in all': caused,
    'memory, MB': short(memoryMb(server.pid).now),
  });
  process.stderr.write(`${JSON.stringify(rows.at(-1))}\n`);
}

const growth = (what: 'list' | 'pass'): number =>
  (medians.at(-1) as { list: number; pass: number })[what] /
  (medians[SIZES.indexOf(100)] ?? (medians[0] as { list: number; pass: number }))[what];
record({
  name: 'tenants',
  what: `Cost of a call by number of tenants (${all.engine}), min / median / max of ${ROUNDS} rounds`,
  noise: noise.share(),
  rows,
  targets: (['list', 'pass'] as const).map((what) => ({
    name: `${what === 'list' ? 'unified list' : 'pass-through'}: cost with ${SIZES.at(-1)} tenants against 100`,
    value: `${short(growth(what))} times`,
    target: '<= 1.5 times',
    met: growth(what) <= 1.5,
  })),
});
await all.close();
process.exit(0);

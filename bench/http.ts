/**
 * `npm run bench:http`: what a call through polyad costs over the same call made directly. A bare node:http upstream
 * answers a fixed page of 50 campaigns; in the same run, in turn: the direct call by undici, the same by TikTok's official
 * SDK, a bare node:http proxy, polyad's pass-through, unified list and report. Pacing is on: many tenants with an app each
 * stay below its limits.
 *
 * CPU is that of the measured process, from /proc/<pid>/stat, so it is right on a busy machine; requests per second and
 * latencies are only as good as the machine is quiet. What else a machine does only adds to CPU and takes from rates:
 * those are held against the best of the rounds. Latencies are differences, and count by the middle of the rounds.
 */
import { officialSdk } from '../test/support/tiktok-sdk.ts';
import { ADVERTISER } from './support/campaigns.ts';
import { install, inTurn } from './support/installation.ts';
import { added, latencies, type Target, target, throughput } from './support/load.ts';
import { Noise } from './support/machine.ts';
import { loopBegin, loopReport, startBareProxy } from './support/processes.ts';
import { atLeast, atMost, record } from './support/results.ts';
import { quantile, short, shortSpread, spread } from './support/stats.ts';

const ROUNDS = 5;
const ROUND_MS = Number(process.env['POLYAD_BENCH_MS'] ?? 2_000);
/** The journal of quotas is written every five seconds. */
const LOOP_MS = 6_000;
const CONCURRENCY = 16;
/** Requests of each kind for the latencies of a round, one after the other. */
const PAIRS = 600;
/** A pair varies by half: fewer would leave the middle of them to chance. */
const PROXY_PAIRS = 60;
// An app takes ten calls a second: fewer tenants than this would measure how they wait.
const TENANTS = Number(process.env['POLYAD_BENCH_TENANTS'] ?? 1_000);
const PAGE = `open_api/v1.3/campaign/get/?advertiser_id=${ADVERTISER}&page=1&page_size=50`;

const all = await install('http', { tenants: TENANTS, entities: 50, probe: true });
const { server, upstream, tenants } = all;
const bare = await startBareProxy(upstream);
const noise = new Noise([server.pid, upstream.pid, bare.pid]);

const direct = target(upstream.url, () => ({ path: `/${PAGE}`, headers: { 'access-token': 'bench' } }));
const through: Record<string, { to: Target; pid: number }> = {
  'bare node:http proxy': { to: target(bare.url, () => ({ path: `/${PAGE}` })), pid: bare.pid },
  'pass-through': {
    to: target(
      server.url,
      inTurn(tenants, ({ connection }) => `/passthrough/${connection}/${PAGE}`),
    ),
    pid: server.pid,
  },
  'unified list of 50': {
    to: target(
      server.url,
      inTurn(tenants, ({ connection }) => `/ads/${connection}/campaign?limit=50&org_id=${ADVERTISER}`),
    ),
    pid: server.pid,
  },
  'report of 50 campaigns': {
    to: target(
      server.url,
      inTurn(
        tenants,
        ({ connection }) =>
          `/ads/${connection}/report?org_id=${ADVERTISER}&start_gte=2026-10-01&end_lt=2026-10-31&level=campaign`,
      ),
    ),
    pid: server.pid,
  },
};

/** One caller after the other in this process, with its CPU per call, in µs. */
async function callers(work: () => Promise<unknown>, ms: number): Promise<{ rate: number; cpuUs: number }> {
  let calls = 0;
  const begun = performance.now();
  const before = process.cpuUsage();
  const loop = async (): Promise<void> => {
    while (performance.now() - begun < ms) {
      await work();
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, loop));
  const { user, system } = process.cpuUsage(before);
  return { rate: (calls / (performance.now() - begun)) * 1000, cpuUs: (user + system) / calls };
}

const sdk = await officialSdk(upstream.url);
const own: Record<string, () => Promise<unknown>> = {
  'direct, undici': async () => {
    const { path, headers } = direct.next();
    const answer = await direct.pool.request({ path, method: 'GET', ...(headers === undefined ? {} : { headers }) });
    await answer.body.dump({ limit: Number.MAX_SAFE_INTEGER });
  },
  'direct, undici and JSON.parse': async () => {
    const { path, headers } = direct.next();
    const answer = await direct.pool.request({ path, method: 'GET', ...(headers === undefined ? {} : { headers }) });
    return JSON.parse(await answer.body.text());
  },
  'direct, official TikTok SDK': async () => {
    const { error } = await sdk('CampaignCreationApi', 'campaignGet', ADVERTISER, 'bench', { page: 1, pageSize: 50 });
    if (error !== null) throw error;
  },
};

type Numbers = { rate: number[]; cpuUs: number[] };
const numbers = new Map<string, Numbers>();
const note = (name: string, rate: number, cpuUs: number): void => {
  const kept = numbers.get(name) ?? { rate: [], cpuUs: [] };
  kept.rate.push(rate);
  kept.cpuUs.push(cpuUs);
  numbers.set(name, kept);
};

// Every connection's ad accounts are looked up once, and the code gets warm.
for (const { to, pid } of Object.values(through)) {
  for (let at = 0; at < tenants.length; at += 1) await throughput(to, pid, 1, 0);
  await throughput(to, pid, CONCURRENCY, 1_000);
}
for (const work of Object.values(own)) await callers(work, 500);

const names = Object.keys(through);
const latency = new Map(names.map((name) => [name, { p50: [] as number[], p99: [] as number[] }]));
const directMs: number[] = [];

for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, work] of Object.entries(own)) {
    const { rate, cpuUs } = await callers(work, ROUND_MS / 2);
    note(name, rate, cpuUs);
  }
  for (const [name, { to, pid }] of Object.entries(through)) {
    const { requestsPerSecond, cpuUs } = await throughput(to, pid, CONCURRENCY, ROUND_MS);
    note(name, requestsPerSecond, cpuUs);
  }
  const [base, ...others] = await latencies(
    [direct, ...names.map((name) => (through[name] as { to: Target }).to)],
    PAIRS,
  );
  directMs.push(...(base as number[]));
  for (const [at, name] of names.entries()) {
    const { p50, p99 } = added(base as number[], others[at] as number[]);
    latency.get(name)?.p50.push(p50);
    latency.get(name)?.p99.push(p99);
  }
}

// The two proxies side by side: their ratio is that of neighbouring moments, so that a machine which is faster at one time
// than at another favours neither.
const ratios: number[] = [];
for (let pair = 0; pair < PROXY_PAIRS; pair += 1) {
  const each: number[] = [];
  const order = ['pass-through', 'bare node:http proxy'];
  for (const name of pair % 2 === 0 ? order : order.toReversed()) {
    const { to, pid } = through[name] as { to: Target; pid: number };
    each[order.indexOf(name)] = (await throughput(to, pid, CONCURRENCY, ROUND_MS / 4)).cpuUs;
  }
  ratios.push((each[0] as number) / (each[1] as number));
}

// The event loop while lists and reports come together, for long enough that what is done every few seconds is among it.
loopBegin(server);
await Promise.all(
  ['unified list of 50', 'report of 50 campaigns', 'pass-through'].map((name) =>
    throughput((through[name] as { to: Target }).to, server.pid, 8, Math.max(ROUND_MS, LOOP_MS)),
  ),
);
const loop = await loopReport(server);

const cpu = (name: string) => spread((numbers.get(name) as Numbers).cpuUs);
const least = (name: string): number => cpu(name).min;
const over = (name: string, base: string): number => least(name) - least(base);
const ratio = spread(ratios);
/** What a call takes longer than the direct one, in ms: least, median and most of the rounds. */
const later = (name: string, part: 'p50' | 'p99') => spread((latency.get(name) as Record<typeof part, number[]>)[part]);
record({
  name: 'http',
  what: `A page of 50 campaigns, ${CONCURRENCY} callers, ${TENANTS} tenants, ${all.engine}; min / median / max of ${ROUNDS} rounds`,
  noise: noise.share(),
  rows: [
    ...[...numbers].map(([name, { rate }]) => ({
      call: name,
      'requests/s': shortSpread(spread(rate)),
      'CPU µs each': shortSpread(cpu(name)),
      'added p50 ms': latency.has(name) ? shortSpread(later(name, 'p50')) : '',
      'added p99 ms': latency.has(name) ? shortSpread(later(name, 'p99')) : '',
    })),
    { call: 'pass-through over bare proxy, CPU, times', 'requests/s': shortSpread(ratio) },
    {
      call: 'event loop meanwhile, ms late by the clock: p99, p99.9, max',
      'requests/s': [loop.delayP99Ms, loop.delayP999Ms, loop.delayMaxMs].map(short).join(' / '),
    },
    {
      call: 'event loop meanwhile, ms CPU of one turn: p99.9, max',
      'requests/s': [loop.turnP999Ms, loop.turnMaxMs].map(short).join(' / '),
    },
  ],
  targets: [
    atMost(
      'unified list: CPU over the direct call (undici, JSON.parse)',
      over('unified list of 50', 'direct, undici and JSON.parse'),
      'µs',
      500,
    ),
    atMost('unified list: added p50', later('unified list of 50', 'p50').median, 'ms', 1),
    atMost('pass-through: CPU over the direct call (undici)', over('pass-through', 'direct, undici'), 'µs', 250),
    {
      name: 'pass-through: CPU against a bare node:http proxy (median of pairs)',
      value: `${short(ratio.median)} times`,
      target: '<= 2 times',
      met: ratio.median <= 2,
    },
    atMost('pass-through: added p50', later('pass-through', 'p50').median, 'ms', 0.8),
    atMost('pass-through: added p99', later('pass-through', 'p99').median, 'ms', 4),
    atLeast('unified lists per second', spread((numbers.get('unified list of 50') as Numbers).rate).max, '', 1600),
    atMost('event loop under load: longest turn, CPU of the main thread', loop.turnMaxMs, 'ms', 10),
  ],
  more: { loop, directMs: { p50: quantile(directMs, 0.5), p99: quantile(directMs, 0.99) } },
});

await bare.end();
await all.close();
process.exit(0);

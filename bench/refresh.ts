/**
 * What refreshing tokens costs and keeps (`npm run bench:refresh`; `-- --quick` for one short round, writing nothing).
 *
 * 1. Four processes, 1,000 callers, 100 connections on one Postgres; a strictly rotating provider, one answer of ten slower
 *    than the lease, a burst of 503 and one kill -9 in every round; against the same without a lease over processes.
 * 2. An outage of the token endpoint while access tokens live.
 * 3. The sweep over 10,000 connections: an idle round, and a whole round of renewals.
 *
 * Needs POLYAD_TEST_DATABASE_URL for 1 and 2; 3 also runs on the embedded database.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { TokenSweep } from '../src/core/auth/life/sweep.ts';
import type { Clock } from '../src/core/clock.ts';
import { PlatformRegistry } from '../src/core/connector/registry.ts';
import { PgliteClient } from '../src/core/store/pglite/client.ts';
import { getConnection } from '../src/core/store/repositories/index.ts';
import { startChild } from '../test/tokens/support/children.ts';
import { connectMany, openNode, ownSchema } from '../test/tokens/support/node.ts';
import { rotatingPlatform, startRotatingProvider } from '../test/tokens/support/rotating-provider.ts';
import { Noise } from './support/machine.ts';
import { record, type Target } from './support/results.ts';
import { short, shortSpread, spread } from './support/stats.ts';

const quick = process.argv.includes('--quick');
const database = process.env['POLYAD_TEST_DATABASE_URL'];
const FACTOR = 30;
const LIFE_S = 60;
const LEASE_MS = 400;
const SPENDING_MS = 3_000;
const ROUND_MS = 6_000;
const ROUNDS = quick ? 1 : 5;
const CONNECTIONS = 100;

interface Round {
  calls: number;
  perExpiry: number;
  reuses: number;
  lost: number;
  lostUnsaid: number;
  errors: number;
  taken: number;
  longestMs: number;
  cpuUsPerTaken: number;
}

/** One round of four processes; one of them is killed in the middle of a renewal, and the provider is out for a while. */
async function race(base: string, lease: 'row' | 'none', trouble: boolean): Promise<Round> {
  const schema = await ownSchema(base);
  const origin = Date.now();
  const now = (): number => origin + (Date.now() - origin) * FACTOR;
  const provider = await startRotatingProvider({
    now,
    lifeS: LIFE_S,
    delayMs: (call) => (call % 10 === 0 ? LEASE_MS * 1.5 : 5),
  });
  const settings = {
    databaseUrl: schema.url,
    providerUrl: provider.url,
    factor: FACTOR,
    origin,
    leaseMs: LEASE_MS,
    spendingMs: SPENDING_MS,
    lease,
  };
  const node = await openNode(settings);
  const rows = await connectMany(node, provider, CONNECTIONS);
  const order = {
    ...settings,
    workspaceId: rows[0]?.workspace_id as string,
    connectionIds: rows.map((row) => row.id),
    callers: 250,
    runMs: ROUND_MS,
    pauseMs: 1_500,
  };
  const children = [1, 2, 3, 4].map(() => startChild(order));
  if (trouble) {
    await sleep(ROUND_MS / 2);
    provider.onCall = () => {
      provider.onCall = undefined;
      children[3]?.child.kill('SIGKILL');
    };
  }
  const ended = await Promise.all(children.map((child) => child.ended));
  const reports = ended.flatMap(({ report }) => (report === undefined ? [] : [report]));
  const dead = [...provider.grants.values()].filter((grant) => grant.ended);
  let unsaid = 0;
  for (const grant of dead) {
    const id = rows.find((row) => row.external_xref === grant.id)?.id as string;
    const row = await getConnection(node.store.db, order.workspaceId, id);
    if (!(row?.unhealthy_message ?? '').includes('answer never arrived')) unsaid += 1;
  }
  const taken = reports.reduce((sum, one) => sum + one.taken, 0);
  const round: Round = {
    calls: provider.calls,
    perExpiry: provider.calls / Math.max(1, provider.issued - CONNECTIONS),
    reuses: provider.reuses,
    lost: dead.length,
    lostUnsaid: unsaid,
    errors: reports.reduce((sum, one) => sum + one.failed, 0),
    taken,
    longestMs: Math.max(...reports.map((one) => one.longestMs)),
    cpuUsPerTaken: (reports.reduce((sum, one) => sum + one.cpuMs, 0) * 1000) / Math.max(1, taken),
  };
  await node.close();
  await provider.close();
  await schema.drop();
  return round;
}

/**
 * Callers whose access token lives while the token endpoint answers nothing but 503 for a minute: the last tenth of the
 * tokens' lives, in which every call finds its token due.
 */
async function outage(base: string): Promise<{ taken: number; errors: number; calls: number }> {
  const schema = await ownSchema(base);
  const origin = Date.now();
  const [factor, lifeS] = [10, 600];
  const at = (seconds: number): Promise<void> => sleep(Math.max(0, origin + seconds * 1000 - Date.now()));
  const provider = await startRotatingProvider({ now: () => origin + (Date.now() - origin) * factor, lifeS });
  const url = { databaseUrl: schema.url, providerUrl: provider.url };
  const settings = { ...url, factor, origin, leaseMs: 2_000, spendingMs: 4_000 };
  const node = await openNode(settings);
  const rows = await connectMany(node, provider, CONNECTIONS);
  await at(48);
  const order = {
    ...settings,
    workspaceId: rows[0]?.workspace_id as string,
    connectionIds: rows.map((row) => row.id),
    callers: 250,
    pauseMs: 500,
    runMs: 60_000,
    // Long enough before the first token ends that nobody is caught by it in the middle of a call.
    until: origin + 58_500,
  };
  const children = [1, 2, 3, 4].map(() => startChild(order));
  await at(53.8);
  provider.down = true;
  const reports = (await Promise.all(children.map((child) => child.ended))).flatMap(({ report }) => report ?? []);
  const result = {
    taken: reports.reduce((sum, one) => sum + one.taken, 0),
    errors: reports.reduce((sum, one) => sum + one.failed, 0),
    calls: provider.calls,
  };
  await node.close();
  await provider.close();
  await schema.drop();
  return result;
}

/** Counts statements of both engines in this process. */
const statements = { count: 0 };
for (const prototype of [pg.Client.prototype, PgliteClient.prototype] as { query: (...given: never[]) => unknown }[]) {
  const { query } = prototype;
  prototype.query = function (this: unknown, ...given: never[]) {
    statements.count += 1;
    return query.apply(this, given);
  };
}

/** A clock that moves when told. */
class HandClock implements Clock {
  at = Date.parse('2026-11-22T12:00:00Z');
  now(): Date {
    return new Date(this.at);
  }
  sleep(): Promise<void> {
    return Promise.resolve();
  }
}

interface SweepCost {
  engine: string;
  connections: number;
  idleMs: number;
  idleStatements: number;
  renewed: number;
  statementsPerRenewal: number;
  cpuMsPerRenewal: number;
  msPerRenewal: number;
  /** Most renewals in one quarter of an hour of the tokens' time, over the even share of the six hours of the spread. */
  crowding: number;
}

/** A day in the life of many connections that were made at the same moment, swept every quarter of an hour. */
async function sweepCost(engine: 'postgres' | 'pglite', count: number): Promise<SweepCost> {
  const clock = new HandClock();
  const schema = engine === 'postgres' ? await ownSchema(database as string) : undefined;
  const dataDir = await mkdtemp(join(tmpdir(), 'polyad-bench-'));
  const provider = await startRotatingProvider({ now: () => clock.at, lifeS: 86_400 });
  const settings = { providerUrl: provider.url, factor: 1, origin: 0, leaseMs: 15_000, spendingMs: 45_000 };
  const node = await openNode({ ...settings, databaseUrl: schema?.url, dataDir }, undefined, clock);
  await connectMany(node, provider, count);
  const sweep = new TokenSweep({
    store: node.store,
    registry: new PlatformRegistry([rotatingPlatform()]),
    clock,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    tokens: node.tokens,
    probe: async () => ({}),
  });
  const idle: number[] = [];
  const before = statements.count;
  for (let round = 0; round < 20; round += 1) {
    const begun = performance.now();
    await sweep.run();
    idle.push(performance.now() - begun);
  }
  const idleStatements = (statements.count - before) / 20;
  const [cpu, begun, counted] = [process.cpuUsage(), performance.now(), statements.count];
  let renewed = 0;
  const quarters: number[] = [];
  while (clock.at < Date.parse('2026-11-23T12:00:00Z')) {
    clock.at += 900_000;
    const report = await sweep.run();
    renewed += report.renewed;
    if (report.renewed > 0) quarters.push(report.renewed);
  }
  const used = process.cpuUsage(cpu);
  const cost: SweepCost = {
    engine,
    connections: count,
    idleMs: spread(idle).median,
    idleStatements,
    renewed,
    statementsPerRenewal: (statements.count - counted) / renewed,
    cpuMsPerRenewal: (used.user + used.system) / 1000 / renewed,
    msPerRenewal: (performance.now() - begun) / renewed,
    crowding: Math.max(...quarters) / (count / 24),
  };
  await node.close();
  await provider.close();
  await schema?.drop();
  await rm(dataDir, { recursive: true, force: true });
  return cost;
}

/** CPU seconds of the processes that this one has started and that have ended: no noise, but the load itself. */
const childSeconds = (): number => {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) / 100;
};

const noise = new Noise([]);
const begun = performance.now();
const rows: Record<string, unknown>[] = [];
const targets: Target[] = [];
const more: Record<string, unknown> = {};

if (database !== undefined && database !== '') {
  const [ours, bare, killed]: Round[][] = [[], [], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    (ours as Round[]).push(await race(database, 'row', false));
    (bare as Round[]).push(await race(database, 'none', false));
    (killed as Round[]).push(await race(database, 'row', true));
  }
  const sum = (all: Round[] | undefined, of: (round: Round) => number): number =>
    (all ?? []).reduce((total, one) => total + of(one), 0);
  for (const [name, all] of [
    ['with the lease', ours],
    ['processes for themselves', bare],
    ['with the lease, one process killed', killed],
  ] as const)
    rows.push({
      'four processes, 1,000 callers': name,
      'token calls': sum(all, (one) => one.calls),
      'calls per expiry': shortSpread(spread((all ?? []).map((one) => one.perExpiry))),
      'refresh tokens used twice': sum(all, (one) => one.reuses),
      'grants lost': sum(all, (one) => one.lost),
      'callers failed': `${sum(all, (one) => one.errors)} of ${sum(all, (one) => one.taken) + sum(all, (one) => one.errors)}`,
      'longest wait, ms': Math.round(Math.max(...(all ?? []).map((one) => one.longestMs))),
      'µs CPU per token': shortSpread(spread((all ?? []).map((one) => one.cpuUsPerTaken))),
    });
  const out = quick ? { taken: 0, errors: 0, calls: 0 } : await outage(database);
  Object.assign(more, { outage: out });
  const perExpiry = spread((ours ?? []).map((one) => one.perExpiry)).max;
  targets.push(
    {
      name: 'refresh tokens used twice',
      value: sum(ours, (one) => one.reuses),
      target: '0',
      met: sum(ours, (one) => one.reuses) === 0,
    },
    { name: 'token calls per expiry', value: short(perExpiry), target: '1.00', met: perExpiry === 1 },
    {
      name: 'callers failing while the platform works',
      value: sum(ours, (one) => one.errors),
      target: '0',
      met: sum(ours, (one) => one.errors) === 0,
    },
    {
      name: 'grants lost to a killed process without saying so',
      value: sum(killed, (one) => one.lostUnsaid),
      target: '0',
      met: sum(killed, (one) => one.lostUnsaid) === 0,
    },
    {
      name: `callers failing in a 60 s outage while their token lives (of ${out.taken + out.errors})`,
      value: out.errors,
      target: '0',
      met: out.errors === 0,
    },
  );
} else
  process.stderr.write(
    '\n*** POLYAD_TEST_DATABASE_URL is not set: only the sweep on the embedded database runs. ***\n\n',
  );

const many = quick ? 500 : 10_000;
const costs = [
  ...(database === undefined || database === '' ? [] : [await sweepCost('postgres', many)]),
  await sweepCost('pglite', database === undefined || database === '' ? many : many / 5),
];
for (const cost of costs) {
  targets.push(
    {
      name: `${cost.engine}: an idle round over ${cost.connections} connections, statements`,
      value: short(cost.idleStatements),
      target: '<= 2',
      met: cost.idleStatements <= 2,
    },
    {
      name: `${cost.engine}: renewals in the fullest quarter of an hour over the even share of the spread`,
      value: short(cost.crowding),
      target: '<= 1.5',
      met: cost.crowding <= 1.5,
    },
  );
}
const result = {
  name: 'refresh',
  what: 'Refreshing tokens: many processes, killed processes, outages, and the sweep',
  noise: Math.max(0, noise.share() - childSeconds() / (((performance.now() - begun) / 1000) * cpus().length)),
  rows,
  targets,
  more: { ...more, sweep: costs },
};
for (const cost of costs)
  process.stdout.write(
    `sweep of ${cost.connections} on ${cost.engine}: idle ${short(cost.idleMs)} ms and ${short(cost.idleStatements)} statements; ${cost.renewed} renewals, each ${short(cost.statementsPerRenewal)} statements, ${short(cost.cpuMsPerRenewal)} ms CPU, ${short(cost.msPerRenewal)} ms\n`,
  );
if (quick) process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
else if (!record(result)) process.exitCode = 1;

/** Load: closed loops over undici, and one request after the other for latency. */
import { Pool } from 'undici';
import { cpuSeconds } from './machine.ts';
import { quantile } from './stats.ts';

export interface Request {
  path: string;
  headers?: Record<string, string>;
}

export interface Target {
  pool: Pool;
  /** The request of a round; called once for each. */
  next(): Request;
}

export function target(url: string, next: () => Request, connections = 64): Target {
  return { pool: new Pool(url, { connections, pipelining: 1 }), next };
}

async function one({ pool, next }: Target): Promise<void> {
  const { path, headers } = next();
  const answer = await pool.request({ path, method: 'GET', ...(headers === undefined ? {} : { headers }) });
  if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${await answer.body.text()}`);
  await answer.body.dump({ limit: Number.MAX_SAFE_INTEGER });
}

export interface Throughput {
  requestsPerSecond: number;
  /** CPU of the measured process per request, µs. */
  cpuUs: number;
  requests: number;
}

/** `concurrency` callers, each with one request at a time, for `ms` (0: one request each). `pid`: whose CPU is counted. */
export async function throughput(to: Target, pid: number, concurrency: number, ms: number): Promise<Throughput> {
  let requests = 0;
  const begun = performance.now();
  const before = cpuSeconds(pid);
  const loop = async (): Promise<void> => {
    do {
      await one(to);
      requests += 1;
    } while (performance.now() - begun < ms);
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
  const seconds = (performance.now() - begun) / 1000;
  return { requests, requestsPerSecond: requests / seconds, cpuUs: ((cpuSeconds(pid) - before) / requests) * 1e6 };
}

/** Milliseconds of each of `count` requests, one after the other, the targets in turn. */
export async function latencies(targets: readonly Target[], count: number): Promise<number[][]> {
  const out = targets.map((): number[] => []);
  for (let round = 0; round < count; round += 1)
    for (const [at, to] of targets.entries()) {
      const begun = performance.now();
      await one(to);
      out[at]?.push(performance.now() - begun);
    }
  return out;
}

/** Median and 99th percentile of how much longer `measured` took than `direct`. */
export function added(direct: readonly number[], measured: readonly number[]): { p50: number; p99: number } {
  return {
    p50: quantile(measured, 0.5) - quantile(direct, 0.5),
    p99: quantile(measured, 0.99) - quantile(direct, 0.99),
  };
}

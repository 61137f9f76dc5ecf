/**
 * A whole polyad server in a process of its own: HTTP, database, Redis, sweep and all, with a clock that runs faster than
 * the machine's. Reads one JSON line of settings from stdin; prints `{"url": …}` when it listens; stops when stdin ends.
 * With `killAt` it kills itself with SIGKILL at that step of its first renewal.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog } from '../../../src/app/log.ts';
import { startApp } from '../../../src/app/start.ts';
import type { RefreshStep } from '../../../src/core/auth/life/steps.ts';
import { loadConfig } from '../../../src/core/config.ts';
import { FastClock, MASTER_KEY } from './node.ts';

export interface ServerOrder {
  databaseUrl: string;
  redisUrl?: string | undefined;
  dataDir: string;
  providerUrl: string;
  factor: number;
  origin: number;
  leaseMs: number;
  spendingMs: number;
  /** Whether it looks after tokens while nobody calls. Default: yes. */
  rounds?: boolean | undefined;
  killAt?: RefreshStep | undefined;
}

const lines = createInterface({ input: process.stdin });
const order = await new Promise<ServerOrder>((resolve) => {
  lines.once('line', (line) => resolve(JSON.parse(line) as ServerOrder));
});
const config = loadConfig({
  DATABASE_URL: order.databaseUrl,
  REDIS_URL: order.redisUrl,
  POLYAD_DATA_DIR: order.dataDir,
  POLYAD_PORT: '0',
  POLYAD_SIMULATORS: 'off',
  POLYAD_MASTER_KEY: MASTER_KEY,
  POLYAD_DRAIN_SECONDS: '0',
  POLYAD_RATE_LIMIT_PER_MINUTE: '10000000',
  POLYAD_ROTATING_PRODUCTION_URL: order.providerUrl,
});
const app = await startApp({
  config,
  log: createLog('warn'),
  clock: new FastClock(order.factor, order.origin),
  platformsDir: new URL('./platforms/', import.meta.url),
  rounds: order.rounds ?? true,
  tokenCare: {
    leaseMs: order.leaseMs,
    spendingMs: order.spendingMs,
    async onStep(step) {
      if (step !== order.killAt) return;
      // The request is on its way and is carried out; its answer must not be heard.
      if (step === 'call_under_way') await sleep(150);
      process.kill(process.pid, 'SIGKILL');
      await sleep(60_000);
    },
  },
});
lines.once('close', () => void app.close(2_000).then(() => process.exit(0)));
process.stdout.write(`${JSON.stringify({ url: app.url })}\n`);

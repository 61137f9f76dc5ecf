/**
 * A node in a process of its own. Reads one JSON line of settings from stdin; callers take tokens until the time is up;
 * prints one JSON line. With `killAt` it kills itself with SIGKILL at that step of a renewal.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RefreshStep } from '../../../src/core/auth/life/steps.ts';
import { createStoreCache } from '../../../src/core/store/cache.ts';
import { type NodeSettings, openNode } from './node.ts';
import { endOf } from './rotating-provider.ts';

export interface ChildOrder extends NodeSettings {
  workspaceId: string;
  connectionIds: string[];
  callers: number;
  /** Machine time for which callers go on, from their process's own begin. */
  runMs: number;
  /** No caller goes on beyond this time (ms of the epoch), however late its process began. */
  until?: number;
  /** Longest pause of a caller between two tokens, in ms of machine time. */
  pauseMs: number;
  killAt?: RefreshStep;
}

export interface ChildReport {
  taken: number;
  /** Callers that got no token; the first of them in words. */
  failed: number;
  errors: string[];
  /** Tokens that had been over already when they were asked for. */
  stale: number;
  /** Longest wait for a token, in ms of machine time. */
  longestMs: number;
  cpuMs: number;
}

const order = await new Promise<ChildOrder>((resolve) => {
  createInterface({ input: process.stdin }).once('line', (line) => resolve(JSON.parse(line) as ChildOrder));
});
const node = await openNode(order, async (step) => {
  if (step !== order.killAt) return;
  // The request is on its way and is carried out; its answer must not be heard.
  if (step === 'call_under_way') await sleep(150);
  process.kill(process.pid, 'SIGKILL');
  await sleep(60_000);
});
const cache = createStoreCache(node.store);
const report: ChildReport = { taken: 0, failed: 0, errors: [], stale: 0, longestMs: 0, cpuMs: 0 };
const ends = performance.now() + Math.min(order.runMs, (order.until ?? Number.POSITIVE_INFINITY) - Date.now());

async function caller(): Promise<void> {
  while (performance.now() < ends) {
    const id = order.connectionIds[Math.floor(Math.random() * order.connectionIds.length)] as string;
    const begun = performance.now();
    const asked = node.clock.now().getTime();
    try {
      const row = await cache.connection(order.workspaceId, id);
      if (row === undefined) throw new Error('no connection');
      const { accessToken } = await node.tokens.tokenFor(row);
      if (endOf(accessToken) <= asked) report.stale += 1;
      report.taken += 1;
    } catch (error) {
      report.failed += 1;
      report.errors.push(`${(error as { code?: string }).code ?? 'error'}: ${(error as Error).message}`);
    }
    report.longestMs = Math.max(report.longestMs, performance.now() - begun);
    await sleep(Math.random() * order.pauseMs);
  }
}

const before = process.cpuUsage();
await Promise.all(Array.from({ length: order.callers }, caller));
const used = process.cpuUsage(before);
report.cpuMs = (used.user + used.system) / 1000;
cache.close();
await node.close();
process.stdout.write(`${JSON.stringify({ ...report, errors: report.errors.slice(0, 20) })}\n`);
process.exit(0);

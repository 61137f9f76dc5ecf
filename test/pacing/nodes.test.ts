/**
 * Three nodes, 200 workspaces with very unequal demand, one app at TikTok's Basic limits: nothing over a limit, nearly all
 * of it used, shared alike, nobody starved; also while Redis and nodes are killed and clocks are wrong. The short form of
 * `npm run bench:pacing -- --only=nodes`, which takes half an hour of virtual time and records what it finds.
 */
import { describe, expect, it } from 'vitest';
import { BASIC, MINUTE, nodesScenario } from '../../bench/pacing/nodes.ts';
import { hasRedisServer } from './support/redis-server.ts';

if (!hasRedisServer) console.warn('SKIPPED: three nodes and 200 workspaces (no redis-server on this machine)');

const MINUTES = 6;

describe.runIf(hasRedisServer)('three nodes, 200 workspaces', () => {
  it.each([
    // The second binds: what the network's spread of 140 ms leaves of it.
    { name: '10 a second', limits: BASIC, trouble: 'clocks 2 s apart', use: 0.85, fairness: 0.98 },
    { name: '300 a minute', limits: MINUTE, trouble: 'none', use: 0.97, fairness: 0.98 },
    // A dead node's share is free again after a minute: a sixth of this time, of a third of the quota.
    { name: '10 a second', limits: BASIC, trouble: 'all of it', use: 0.74, fairness: 0.98 },
    { name: '300 a minute', limits: MINUTE, trouble: 'redis killed twice', use: 0.97, fairness: 0.98 },
  ] as const)('$name, trouble: $trouble', { timeout: 180_000 }, async ({ limits, trouble, use, fairness }) => {
    const found = await nodesScenario(limits, trouble, MINUTES * 60_000);
    expect(found.refusals).toBe(0);
    expect(found.use).toBeGreaterThanOrEqual(use);
    expect(found.fairness).toBeGreaterThanOrEqual(fairness);
    // One round of all 150 that want more, and a little.
    expect(found.smallWaitS).toBeLessThan(90);
  });
});

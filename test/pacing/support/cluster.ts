/** Several nodes with many workspaces at one platform app, in virtual time, against an exact judge. */
import { Redis } from 'ioredis';
import type { Clock } from '../../../src/core/clock.ts';
import type { BucketClaim, Permit } from '../../../src/core/pacing/pacer.ts';
import { Pacer } from '../../../src/core/pacing/pacer.ts';
import { RedisStore } from '../../../src/core/pacing/redis-store.ts';
import type { Judge } from './world.ts';
import { seeded, type World } from './world.ts';

/** What a node of any make must offer. */
export interface Node {
  acquire(workspace: string): Promise<Permit>;
  /** The platform refused; milliseconds it says to wait. */
  refused(restMs: number, limit: string): void;
  /** Stops as by kill -9. */
  kill(): void;
  close(): Promise<void>;
  alive: boolean;
}

export interface ClusterPlan {
  world: World;
  judge: Judge;
  nodes: readonly Node[];
  /** Callers at a time per workspace and node: `[node][workspace]`; each wants all it can get. */
  callers: readonly (readonly number[])[];
  /** Pause of a caller between calls, by workspace; default none. */
  pauseMs?: (workspace: number) => number;
  forMs: number;
  /** Shortest and longest time between sending and arrival. */
  delayMs?: readonly [number, number];
  /** How long a caller rests after a refusal, by the limit that refused. */
  restMs?: (limit: string) => number;
  /** What happens when: milliseconds after the start. */
  events?: readonly (readonly [atMs: number, act: () => Promise<void> | void])[];
  seed?: number;
}

export interface ClusterResult {
  /** Accepted calls by workspace number. */
  served: number[];
  /** Longest time a call waited for its permit, by workspace. */
  longestWaitMs: number[];
  forMs: number;
  /** Calls and refusals by minute. */
  minutes: { calls: number; refused: number }[];
}

/** Runs the plan to its end. */
export async function runCluster(plan: ClusterPlan): Promise<ClusterResult> {
  const { world, judge, nodes, forMs, delayMs = [20, 160], restMs = () => 1_000 } = plan;
  const random = seeded(plan.seed ?? 7);
  const start = world.ms;
  const end = start + forMs;
  const workspaces = plan.callers[0]?.length ?? 0;
  const served = Array<number>(workspaces).fill(0);
  const longestWaitMs = Array<number>(workspaces).fill(0);
  const minutes = Array.from({ length: Math.ceil(forMs / 60_000) + 1 }, () => ({ calls: 0, refused: 0 }));
  const [least, most] = delayMs;

  const caller = async (node: Node, workspace: number): Promise<void> => {
    await world.sleep(random() * 500);
    while (world.ms < end && node.alive) {
      const asked = world.ms;
      let permit: Permit;
      try {
        permit = await node.acquire(`w${workspace}`);
      } catch (error) {
        await world.sleep((error as { retryAfterMs?: number }).retryAfterMs ?? 1_000);
        continue;
      }
      if (!node.alive) return;
      longestWaitMs[workspace] = Math.max(longestWaitMs[workspace] as number, world.ms - asked);
      await world.sleep(least + random() * (most - least));
      const limit = judge.arrive(world.ms, { workspace: `w${workspace}` });
      const minute = minutes[Math.floor((world.ms - start) / 60_000)];
      if (minute !== undefined) minute.calls += 1;
      if (limit === undefined) served[workspace] = (served[workspace] as number) + 1;
      else if (minute !== undefined) minute.refused += 1;
      await world.sleep(least / 2 + (random() * (most - least)) / 2);
      if (!node.alive) return;
      permit.answered();
      if (limit !== undefined) {
        node.refused(restMs(limit), limit);
        await world.sleep(restMs(limit));
      }
      const pause = plan.pauseMs?.(workspace) ?? 0;
      if (pause > 0) await world.sleep(pause * (0.5 + random()));
    }
  };
  plan.callers.forEach((row, node) => {
    row.forEach((count, workspace) => {
      for (let index = 0; index < count; index += 1) void caller(nodes[node] as Node, workspace);
    });
  });
  for (const [at, act] of [...(plan.events ?? [])].sort((a, b) => a[0] - b[0])) {
    await world.until(start + at);
    await act();
  }
  await world.until(end);
  return { served, longestWaitMs, minutes, forMs };
}

/** A clock that stops with its node. */
function mortal(clock: Clock, isAlive: () => boolean): Clock {
  return {
    now: () => clock.now(),
    sleep: (ms, signal) =>
      clock.sleep(ms, signal).then(() => (isAlive() ? undefined : new Promise<never>(() => undefined))),
  };
}

/** Our pacer on a shared counter. */
export async function polyadNode(
  world: World,
  options: {
    url: string;
    prefix: string;
    name: string;
    skewMs?: number;
    claims: readonly BucketClaim[];
    patienceMs?: number;
  },
): Promise<Node & { store: RedisStore; redis: Redis; pacer: Pacer }> {
  const redis = new Redis(options.url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 20,
  });
  let alive = true;
  const clock = mortal(world.skewed(options.skewMs ?? 0), () => alive);
  const store = new RedisStore({
    redis,
    clock,
    node: options.name,
    prefix: options.prefix,
    serverTime: () => world.ms,
  });
  world.pending.push(() => (alive ? store.pending : 0));
  if (!(await store.joined())) throw new Error(`Redis at ${options.url} cannot be used`);
  const pacer = new Pacer(clock, store);
  const never = new AbortController().signal;
  return {
    store,
    redis,
    pacer,
    get alive() {
      return alive;
    },
    acquire: (workspace) => pacer.acquire(workspace, options.claims, options.patienceMs ?? 3_600_000, never),
    refused: (restMs, limit) => {
      const claim = options.claims.find(({ name }) => name === limit) ?? (options.claims[0] as BucketClaim);
      pacer.refused(claim, restMs);
    },
    kill() {
      alive = false;
      redis.disconnect();
    },
    async close() {
      if (alive) await store.close();
    },
  };
}

/** Waits, in the machine's time, until the nodes are connected again. */
export async function reconnected(nodes: readonly { redis: Redis; alive: boolean }[]): Promise<void> {
  const until = performance.now() + 10_000;
  while (nodes.some(({ redis, alive }) => alive && redis.status !== 'ready') && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

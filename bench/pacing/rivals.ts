/** The same load, in real time and at the same moment, through polyad, Bottleneck and rate-limiter-flexible on one Redis. */
import { setTimeout as sleep } from 'node:timers/promises';
import Bottleneck from 'bottleneck';
import { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterQueue, RateLimiterRedis } from 'rate-limiter-flexible';
import { systemClock } from '../../src/core/clock.ts';
import { MemoryStore } from '../../src/core/pacing/memory-store.ts';
import type { BucketClaim } from '../../src/core/pacing/pacer.ts';
import { Pacer } from '../../src/core/pacing/pacer.ts';
import { RedisStore } from '../../src/core/pacing/redis-store.ts';
import { RedisServer } from '../../test/pacing/support/redis-server.ts';
import { Judge, jain } from '../../test/pacing/support/world.ts';

const LIMITS = [
  { name: 'second', limit: 10, windowMs: 1_000 },
  { name: 'minute', limit: 400, windowMs: 60_000 },
] as const;

/** A client library as one node uses it: waits for its turn, then calls. */
interface Client {
  run(workspace: string, call: () => Promise<string | undefined>): Promise<void>;
  close(): Promise<void>;
}

type Make = (url: string, node: number) => Promise<Client>;

const polyad: Make = async (url, node) => {
  const store = new RedisStore({ redis: url, clock: systemClock, node: `n${node}`, prefix: '{bench:rivals}:' });
  await store.joined();
  const pacer = new Pacer(systemClock, store);
  const claims: BucketClaim[] = LIMITS.map((limit) => ({ ...limit, key: 'app', scope: 'all' }));
  const never = new AbortController().signal;
  return {
    async run(workspace, call) {
      const permit = await pacer.acquire(workspace, claims, 600_000, never);
      const limit = await call();
      permit.answered();
      const claim = claims.find(({ name }) => name === limit);
      if (claim !== undefined) pacer.refused(claim, 1_000);
    },
    close: () => pacer.close(),
  };
};

/** As its documentation shows for "at most n a second and m a minute" in a cluster. */
const bottleneck: Make = async (url) => {
  const limiter = new Bottleneck({
    id: 'bench',
    datastore: 'ioredis',
    clearDatastore: false,
    Redis,
    clientOptions: url as unknown as Record<string, unknown>,
    minTime: LIMITS[0].windowMs / LIMITS[0].limit,
    reservoir: LIMITS[1].limit,
    reservoirRefreshAmount: LIMITS[1].limit,
    reservoirRefreshInterval: LIMITS[1].windowMs,
  } as Bottleneck.ConstructorOptions);
  limiter.on('error', () => undefined);
  await limiter.ready();
  return {
    run: (_workspace, call) => limiter.schedule(async () => void (await call())),
    close: () => limiter.disconnect(true),
  };
};

/** One limiter per window, asked again when it says no: it has no turns and takes windows one after the other. */
const flexible: Make = async (url, node) => {
  const redis = new Redis(url);
  const limiters = LIMITS.map(
    ({ name, limit, windowMs }) =>
      new RateLimiterRedis({
        storeClient: redis,
        keyPrefix: `flex:${name}`,
        points: limit,
        duration: windowMs / 1_000,
      }),
  );
  const queue = new RateLimiterQueue(limiters[0] as RateLimiterRedis, { maxQueueSize: 10_000 });
  void node;
  return {
    async run(_workspace, call) {
      for (;;) {
        try {
          await (limiters[1] as RateLimiterRedis).consume('app');
          break;
        } catch (error) {
          await sleep((error as { msBeforeNext?: number }).msBeforeNext ?? 100);
        }
      }
      await queue.removeTokens(1, 'app');
      await call();
    },
    async close() {
      redis.disconnect();
    },
  };
};

export interface RivalRow {
  client: string;
  calls: number;
  refused: number;
  useful: number;
  use: number;
  fairness: number;
}

/** Three nodes each, twenty workspaces of unequal demand, all clients at once, each with a platform of its own. */
export async function rivals(forMs: number): Promise<RivalRow[]> {
  const server = await RedisServer.start();
  const makes: [string, Make][] = [
    ['polyad', polyad],
    ['bottleneck', bottleneck],
    ['rate-limiter-flexible', flexible],
  ];
  const rows = await Promise.all(
    makes.map(async ([client, make]): Promise<RivalRow> => {
      const judge = new Judge(LIMITS);
      const nodes: Client[] = [];
      for (let node = 0; node < 3; node += 1) nodes.push(await make(server.url, node));
      const served = Array<number>(20).fill(0);
      let calls = 0;
      const end = performance.now() + forMs;
      let over = false;
      const caller = async (node: Client, workspace: number): Promise<void> => {
        while (!over) {
          await node.run(`w${workspace}`, async () => {
            if (over) return undefined;
            await sleep(20 + Math.random() * 140);
            if (performance.now() > end) return undefined;
            calls += 1;
            const limit = judge.arrive(performance.now(), { workspace: `w${workspace}` });
            if (limit === undefined) served[workspace] = (served[workspace] as number) + 1;
            await sleep(10 + Math.random() * 70);
            return limit;
          });
        }
      };
      nodes.forEach((node) => {
        for (let workspace = 0; workspace < 20; workspace += 1)
          for (let index = 0; index < (workspace === 0 ? 20 : 1); index += 1)
            void caller(node, workspace).catch(() => undefined);
      });
      await sleep(forMs);
      over = true;
      for (const node of nodes) await node.close().catch(() => undefined);
      return {
        client,
        calls,
        refused: judge.refusals,
        useful: judge.accepted,
        use: judge.accepted / ((LIMITS[1].limit * forMs) / LIMITS[1].windowMs),
        fairness: jain(served),
      };
    }),
  );
  await server.kill();
  return rows;
}

const rate = (count: number, begun: number): number => count / ((performance.now() - begun) / 1_000);

/** Checks per second in memory: take and free. */
export async function memoryRates(): Promise<Record<string, number>> {
  const claim = (name: string, windowMs: number): BucketClaim => ({ name, key: 'k', limit: 1_000_000_000, windowMs });
  const one = [claim('a', 1_000)];
  const three = [claim('a', 1_000), claim('b', 60_000), claim('c', 86_400_000)];
  const store = new MemoryStore(systemClock);
  const pacer = new Pacer(systemClock);
  const never = new AbortController().signal;
  const taker = { rank: 0 };
  const found: Record<string, number> = {};
  const count = 300_000;
  const measure = (name: string, claims: BucketClaim[]): void => {
    const begun = performance.now();
    for (let index = 0; index < count; index += 1) {
      store.take(claims, taker);
      store.answered(claims);
    }
    found[name] = rate(count, begun);
  };
  measure('warm-up', one);
  measure('take and free, one bucket', one);
  measure('take and free, three buckets', three);
  delete found['warm-up'];
  let begun = performance.now();
  for (let index = 0; index < count; index += 1) (await pacer.acquire('w', one, 0, never)).answered();
  found['permit and answer, one bucket'] = rate(count, begun);
  const flexible = new RateLimiterMemory({ points: 1_000_000_000, duration: 60 });
  begun = performance.now();
  for (let index = 0; index < count; index += 1) await flexible.consume('k');
  found['rate-limiter-flexible'] = rate(count, begun);
  const limiter = new Bottleneck({ reservoir: 1_000_000_000 });
  begun = performance.now();
  const few = 5_000;
  for (let index = 0; index < few; index += 1) await limiter.schedule(async () => undefined);
  found['bottleneck'] = rate(few, begun);
  return found;
}

/** Take and free per second in Redis, by callers at once. */
export async function redisRates(seconds: number): Promise<Record<string, number>> {
  const server = await RedisServer.start();
  const store = new RedisStore({ redis: server.url, clock: systemClock, node: 'bench' });
  await store.joined();
  const found: Record<string, number> = {};
  const run = async (callers: number, act: () => Promise<void>): Promise<number> => {
    let done = 0;
    const begun = performance.now();
    const end = begun + seconds * 1_000;
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (performance.now() < end) {
          await act();
          done += 1;
        }
      }),
    );
    return rate(done, begun);
  };
  const taker = { domain: 'd', rank: 0, workspace: 'w', weight: 1, queued: false };
  const claims: BucketClaim[] = [{ name: 'b', key: 'k', limit: 1_000_000_000, windowMs: 60_000 }];
  for (const callers of [16, 64, 256])
    found[`polyad, ${callers} callers`] = await run(callers, async () => {
      await store.take(claims, taker);
      store.answered(claims);
    });
  const redis = new Redis(server.url);
  const flexible = new RateLimiterRedis({ storeClient: redis, points: 1_000_000_000, duration: 60 });
  for (const callers of [16, 64, 256])
    found[`rate-limiter-flexible, ${callers} callers (takes only)`] = await run(callers, async () => {
      await flexible.consume('k');
    });
  redis.disconnect();
  await store.close();
  await server.kill();
  return found;
}

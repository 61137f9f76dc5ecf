/** The two counters that every pacing test judges: memory, and Redis when POLYAD_TEST_REDIS_URL names one. */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Clock } from '../../../src/core/clock.ts';
import { MemoryStore } from '../../../src/core/pacing/memory-store.ts';
import { RedisStore } from '../../../src/core/pacing/redis-store.ts';
import type { QuotaStore } from '../../../src/core/pacing/store.ts';
import type { World } from './world.ts';

export const REDIS_URL = process.env['POLYAD_TEST_REDIS_URL'] || undefined;

if (REDIS_URL === undefined) console.warn('SKIPPED: pacing on Redis (POLYAD_TEST_REDIS_URL is not set)');

export interface StoreKind {
  name: string;
  open(world: World, clock?: Clock): Promise<QuotaStore>;
  close(): Promise<void>;
}

const memory: StoreKind = {
  name: 'memory',
  open: async (world, clock) => new MemoryStore(clock ?? world),
  close: async () => undefined,
};

/** Nodes of one kind share their counters; `close` ends them and removes their keys. */
export function redisKind(url: string): StoreKind & { prefix: string } {
  const prefix = `{polyad:test:${randomUUID()}}:`;
  const opened: RedisStore[] = [];
  return {
    name: 'redis',
    prefix,
    async open(world, clock) {
      const store = new RedisStore({
        // Without a time-out of commands: a busy machine is no outage.
        redis: new Redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 0 }),
        clock: clock ?? world,
        prefix,
        node: `node${opened.length}-${prefix.slice(13, 21)}`,
        serverTime: () => world.ms,
      });
      opened.push(store);
      world.pending.push(() => store.pending);
      if (!(await store.joined())) throw new Error(`Redis at ${url} cannot be used`);
      return store;
    },
    async close() {
      await Promise.all(opened.map((store) => store.close()));
      const redis = new Redis(url);
      for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 500 }))
        if ((keys as string[]).length > 0) await redis.del(...(keys as string[]));
      redis.disconnect();
    },
  };
}

/** Kinds to run a shared suite over. */
export const kinds = (): StoreKind[] => (REDIS_URL === undefined ? [memory] : [memory, redisKind(REDIS_URL)]);

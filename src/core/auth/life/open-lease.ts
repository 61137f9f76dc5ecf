/** The refresh lease that a configuration asks for. */
import type { Config } from '../../config.ts';
import type { Store, StoreLog } from '../../store/port.ts';
import { type RefreshLease, StoreLease } from './lease.ts';

/** Lives of leases in ms, for tests that cannot wait for the usual ones. */
export interface LeaseTimes {
  leaseMs: number;
  spendingMs: number;
}

export interface OpenedLease {
  lease: RefreshLease;
  close(): Promise<void>;
}

/** The database's lease, and where REDIS_URL is set a lock in Redis in front of it. Never fails for Redis' sake. */
export async function openRefreshLease(
  config: Pick<Config, 'redisUrl'>,
  store: Store,
  log: StoreLog,
  times: Partial<LeaseTimes> = {},
): Promise<OpenedLease> {
  const { leaseMs, spendingMs } = times;
  const behind = new StoreLease(store, { log, leaseMs, spendingMs });
  if (config.redisUrl === undefined) return { lease: behind, close: async () => undefined };
  const [{ Redis }, { RedisLease }] = await Promise.all([import('ioredis'), import('./redis-lease.ts')]);
  const redis = new Redis(config.redisUrl, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 1_000,
  });
  redis.on('error', (error: Error) => log.debug({ error: error.message }, 'Redis (refresh leases)'));
  await redis.connect().catch(() => undefined);
  return {
    lease: new RedisLease({ redis, behind, log, leaseMs, patienceMs: spendingMs }),
    close: async () => redis.disconnect(),
  };
}

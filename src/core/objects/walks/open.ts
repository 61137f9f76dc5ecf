/** The memory of handed-out pages that a configuration asks for. */
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config.ts';
import type { StoreLog } from '../../store/port.ts';
import { Walks } from './book.ts';

/** In memory, and where REDIS_URL is set shared with other nodes. Never fails for Redis' sake. */
export async function openWalks(config: Pick<Config, 'redisUrl'>, clock: Clock, log: StoreLog): Promise<Walks> {
  if (config.redisUrl === undefined) return new Walks(clock);
  const [{ Redis }, { RedisPages }] = await Promise.all([import('ioredis'), import('./redis.ts')]);
  const redis = new Redis(config.redisUrl, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    // An answer waits for it.
    commandTimeout: 250,
  });
  redis.on('error', (error: Error) => log.debug({ error: error.message }, 'Redis (pages of lists)'));
  await redis.connect().catch(() => undefined);
  return new Walks(clock, { shared: new RedisPages({ redis, log }) });
}

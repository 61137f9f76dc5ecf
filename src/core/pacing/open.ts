/** The pacer that a configuration asks for: in memory with a journal, or on Redis. */
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { QuotaJournal } from './journal.ts';
import { MemoryStore } from './memory-store.ts';
import { Pacer } from './pacer.ts';

export interface OpenPacer {
  pacer: Pacer;
  /** Writes what must survive, says good-bye to the other nodes. */
  close(): Promise<void>;
}

/**
 * Opens it. Redis that cannot be reached does not keep the server from starting: calls wait for it, and health says so.
 */
export async function openPacer(
  config: Pick<Config, 'redisUrl' | 'dataDir'>,
  clock: Clock,
  log: { warn(facts: object, text: string): void; info(facts: object, text: string): void },
): Promise<OpenPacer> {
  if (config.redisUrl !== undefined) {
    // Loaded where it is used: a single node starts without it.
    const { RedisStore } = await import('./redis-store.ts');
    const store = new RedisStore({ redis: config.redisUrl, clock, log });
    await store.joined();
    const pacer = new Pacer(clock, store);
    return { pacer, close: () => pacer.close() };
  }
  const store = new MemoryStore(clock);
  const journal = new QuotaJournal(store, join(config.dataDir, 'quotas.json'), log);
  await journal.open();
  const pacer = new Pacer(clock, store);
  return {
    pacer,
    async close() {
      await journal.close();
      await pacer.close();
    },
  };
}

/**
 * A lock in Redis in front of the lease in the database: with many nodes, those that wait ask Redis and not the database.
 * What it promises it promises through the database's lease behind it, so a Redis that forgets, fails over or is away
 * costs queries, never a token.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { StoreLog } from '../../store/port.ts';
import type { ConnectionRow } from '../../store/schema.ts';
import { type Held, type RefreshLease, SPENDING_LEASE_MS } from './lease.ts';

/** Only the owner deletes. */
const RELEASE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end`;
/** Only the owner extends. */
const EXTEND = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) else return 0 end`;
const POLL_MS = 50;

export interface RedisLeaseOptions {
  redis: Redis;
  /** The lease that decides. */
  behind: RefreshLease;
  log: StoreLog;
  /** Before the connection's id. Default `polyad:refresh:`. */
  prefix?: string | undefined;
  leaseMs?: number | undefined;
}

export class RedisLease implements RefreshLease {
  readonly #options: RedisLeaseOptions;
  readonly #leaseMs: number;

  constructor(options: RedisLeaseOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? SPENDING_LEASE_MS;
  }

  async hold<T>(
    connection: ConnectionRow,
    work: (held: Held) => Promise<T>,
    settled: () => Promise<T | undefined>,
  ): Promise<T> {
    const { redis, behind, prefix = 'polyad:refresh:' } = this.#options;
    const key = `${prefix}${connection.id}`;
    const owner = randomUUID();
    const giveUp = performance.now() + this.#leaseMs;
    let mine = await this.#lock(key, owner);
    // After a lease's time the database decides: a lock whose owner died is not waited for twice.
    while (mine === false && performance.now() < giveUp) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS / 2 + (Math.random() * POLL_MS) / 2));
      const done = await settled();
      if (done !== undefined) return done;
      mine = await this.#lock(key, owner);
    }
    const extending = setInterval(() => {
      redis.eval(EXTEND, 1, key, owner, this.#leaseMs).catch(() => undefined);
    }, this.#leaseMs / 3);
    extending.unref();
    try {
      return await behind.hold(connection, work, settled);
    } finally {
      clearInterval(extending);
      if (mine === true) await redis.eval(RELEASE, 1, key, owner).catch(() => undefined);
    }
  }

  /** True = taken, false = somebody has it, undefined = Redis does not answer. */
  async #lock(key: string, owner: string): Promise<boolean | undefined> {
    const { redis, log } = this.#options;
    try {
      return (await redis.set(key, owner, 'PX', this.#leaseMs, 'NX')) === 'OK';
    } catch (error) {
      log.warn({ err: error }, 'Redis does not answer; refresh leases are kept by the database alone');
      return undefined;
    }
  }
}

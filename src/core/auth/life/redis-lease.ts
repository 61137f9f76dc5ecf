/**
 * A lock in Redis in front of the lease in the database: with many nodes, those that wait ask Redis and not the database.
 * What it promises it promises through the database's lease behind it, so a Redis that forgets, fails over or is away
 * costs queries, never a token.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { StoreLog } from '../../store/port.ts';
import type { ConnectionRow } from '../../store/schema.ts';
import { type Held, LEASE_MS, type RefreshLease, SPENDING_LEASE_MS } from './lease.ts';

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
  /**
   * Life of the lock in ms, extended while the work goes on. Default `LEASE_MS`: short, because a dead owner's lock keeps
   * others from asking the database, which alone knows whether a token was being spent.
   */
  leaseMs?: number | undefined;
  /** Longest wait for the lock before the database is asked, in ms. Default `SPENDING_LEASE_MS`. */
  patienceMs?: number | undefined;
}

export class RedisLease implements RefreshLease {
  readonly #options: RedisLeaseOptions;
  readonly #leaseMs: number;
  readonly #patienceMs: number;

  constructor(options: RedisLeaseOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#patienceMs = options.patienceMs ?? SPENDING_LEASE_MS;
  }

  async hold<T>(
    connection: ConnectionRow,
    work: (held: Held) => Promise<T>,
    settled: () => Promise<T | undefined>,
  ): Promise<T> {
    const { redis, behind, prefix = 'polyad:refresh:' } = this.#options;
    const key = `${prefix}${connection.id}`;
    const owner = randomUUID();
    const giveUp = performance.now() + this.#patienceMs;
    let holder = await this.#lock(key, owner);
    // A holder that takes longer than any token call may is the database's to judge.
    while (typeof holder === 'string' && performance.now() < giveUp) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS / 2 + (Math.random() * POLL_MS) / 2));
      const next = await this.#lock(key, owner);
      if (next === holder) continue;
      holder = next;
      // Only now that the one before has ended can the database have anything new.
      let done: T | undefined;
      try {
        done = await settled();
      } catch (error) {
        if (holder === null) await this.#release(key, owner);
        throw error;
      }
      if (done === undefined) continue;
      if (holder === null) await this.#release(key, owner);
      return done;
    }
    const extending = setInterval(() => {
      redis.eval(EXTEND, 1, key, owner, this.#leaseMs).catch(() => undefined);
    }, this.#leaseMs / 3);
    extending.unref();
    try {
      return await behind.hold(connection, work, settled);
    } finally {
      clearInterval(extending);
      if (holder === null) await this.#release(key, owner);
    }
  }

  /** Null = it is ours now; a text = its holder's token; undefined = Redis does not answer. */
  async #lock(key: string, owner: string): Promise<string | null | undefined> {
    const { redis, log } = this.#options;
    try {
      return await redis.set(key, owner, 'PX', this.#leaseMs, 'NX', 'GET');
    } catch (error) {
      log.warn({ err: error }, 'Redis does not answer; refresh leases are kept by the database alone');
      return undefined;
    }
  }

  /** What cannot be given back ends by itself. */
  async #release(key: string, owner: string): Promise<void> {
    await this.#options.redis.eval(RELEASE, 1, key, owner).catch(() => undefined);
  }
}

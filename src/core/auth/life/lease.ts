/**
 * One holder at a time per connection, over all processes and nodes.
 *
 * A lease has an owner token and is extended while the work goes on; only its owner ends it. Before a refresh token is sent
 * the lease is checked and made longer than the token call may take (`Held.spend`): a holder that was stopped for so long
 * that it lost the lease sends nothing, and one that is stopped later keeps it for as long as its answer may come. What is
 * written is checked against the version that was read. Time is the database's, so clocks of nodes may differ.
 */
import { randomUUID } from 'node:crypto';
import { PolyadError } from '../../errors/index.ts';
import type { Store, StoreLog } from '../../store/port.ts';
import {
  extendRefreshLease,
  getTokenLife,
  noteSpending,
  releaseRefreshLease,
  takeRefreshLease,
} from '../../store/repositories/index.ts';
import type { ConnectionRow, TokenLifeRow } from '../../store/schema.ts';
import { TOKEN_CALL_DEADLINE_MS } from '../token-calls.ts';

/** Life of a lease in ms, extended while the work goes on; the work of a holder that died is taken over after it. */
export const LEASE_MS = 15_000;
/**
 * Life of a lease from the moment at which a refresh token is sent, in ms. Longer than the token call may take, so that
 * even a holder that could not extend it any more is done, one way or another, before anybody else may send that token.
 */
export const SPENDING_LEASE_MS = TOKEN_CALL_DEADLINE_MS + 15_000;
/**
 * When a waiter that heard nothing looks again, in ms: doubling from the first to the last, half of it random. New tokens
 * are heard of at once; only a holder that gave up or died is not.
 */
const FIRST_LOOK_MS = 100;
const LAST_LOOK_MS = 1_000;

/** What the holder of a lease may do. */
export interface Held {
  /** Owner token. */
  readonly owner: string;
  /** The record as it was when the lease was taken. */
  readonly record: TokenLifeRow;
  /** Puts on record that the refresh token of `version` is being spent. @throws LeaseLost */
  spend(version: number, now: Date): Promise<void>;
  /** Set by work that has ended the lease in its own transaction. */
  released: boolean;
}

/** The lease went to another holder meanwhile: start again. */
export class LeaseLost extends Error {
  constructor() {
    super('the lease went to another holder');
    this.name = 'LeaseLost';
  }
}

/** Lets one holder at a time work on a connection's tokens. */
export interface RefreshLease {
  /**
   * Runs `work` with the lease. While somebody else has it, `settled` is asked now and then whether there is anything left
   * to do; its answer, if it is not undefined, ends the wait.
   *
   * @throws PolyadError `platform_unavailable` after waiting for longer than any holder can take; `store_unavailable`.
   */
  hold<T>(
    connection: ConnectionRow,
    work: (held: Held) => Promise<T>,
    settled: () => Promise<T | undefined>,
  ): Promise<T>;
}

export interface StoreLeaseOptions {
  log: StoreLog;
  /** Default `LEASE_MS` and `SPENDING_LEASE_MS`. Tests and benchmarks use short ones. */
  leaseMs?: number | undefined;
  spendingMs?: number | undefined;
}

/** The lease as a row of the database, on either engine. */
export class StoreLease implements RefreshLease {
  readonly #store: Store;
  readonly #log: StoreLog;
  readonly #leaseMs: number;
  readonly #spendingMs: number;

  constructor(store: Store, options: StoreLeaseOptions) {
    this.#store = store;
    this.#log = options.log;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#spendingMs = options.spendingMs ?? SPENDING_LEASE_MS;
  }

  async hold<T>(
    connection: ConnectionRow,
    work: (held: Held) => Promise<T>,
    settled: () => Promise<T | undefined>,
  ): Promise<T> {
    const { db } = this.#store;
    // As long as a holder may take, or one that died and its successor. Machine time: the holder is another process,
    // whatever clock this one runs on.
    const giveUp = performance.now() + this.#spendingMs + TOKEN_CALL_DEADLINE_MS;
    for (let look = FIRST_LOOK_MS; ; look = Math.min(LAST_LOOK_MS, look * 2)) {
      const owner = randomUUID();
      const record = await takeRefreshLease(db, connection, owner, this.#leaseMs);
      if (record === undefined) {
        await this.#news(connection.id, look);
        const done = await settled();
        if (done !== undefined) return done;
        if (performance.now() > giveUp)
          throw new PolyadError('platform_unavailable', {
            message: 'The tokens of this connection are being renewed by another node, which does not finish.',
            details: { connection_id: connection.id },
            retryAfterMs: 5_000,
          });
        continue;
      }
      const held: Held = {
        owner,
        record,
        released: false,
        spend: async (version, now) => {
          const lookAgainAt = new Date(now.getTime() + this.#spendingMs);
          const spending = { connectionId: connection.id, holder: owner, version, now, lookAgainAt };
          if (!(await noteSpending(db, spending, this.#spendingMs))) throw new LeaseLost();
        },
      };
      const extending = setInterval(() => {
        extendRefreshLease(db, connection.id, owner, this.#leaseMs).catch((error: unknown) =>
          this.#log.warn({ connection_id: connection.id, err: error }, 'a refresh lease could not be extended'),
        );
      }, this.#leaseMs / 3);
      extending.unref();
      try {
        return await work(held);
      } catch (error) {
        if (!(error instanceof LeaseLost)) throw error;
      } finally {
        clearInterval(extending);
        if (!held.released)
          await releaseRefreshLease(db, connection.id, owner).catch((error: unknown) =>
            this.#log.warn({ connection_id: connection.id, err: error }, 'a refresh lease could not be given back'),
          );
      }
    }
  }

  /** Resolves when the connection changed, or after `look` ms at most. */
  #news(connectionId: string, look: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        stop();
        resolve();
      };
      const timer = setTimeout(done, look / 2 + (Math.random() * look) / 2);
      const stop = this.#store.listenInvalidations((news) => {
        if (news.event === 'changed' && news.kind === 'connection' && news.id === connectionId) done();
      });
    });
  }
}

/**
 * No lease at all: for tests of what holds when a lease has failed. Two holders then work side by side, and versions and
 * re-reading alone keep them from harm.
 */
export function noLease(store: Store): RefreshLease {
  return {
    async hold(connection, work) {
      const record = await getTokenLife(store.db, connection.id);
      if (record === undefined) throw new Error(`no record of the tokens of ${connection.id}`);
      return work({ owner: randomUUID(), record, released: true, spend: async () => undefined });
    },
  };
}

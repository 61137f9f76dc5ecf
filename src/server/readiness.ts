/** Whether this node can do its work, and how well: what it depends on, asked and not assumed. */
import { PolyadError } from '../core/errors/index.ts';
import type { Runtime } from '../core/runtime.ts';

/** Longest wait for the database's answer to a readiness probe, in ms. */
const PING_MS = 2000;

/**
 * `up`: as it should be. `degraded`: the node goes on without it, at a price that `effect` names. What the node cannot go
 * on without has no state here: it makes the node unready.
 */
export interface Dependency {
  state: 'up' | 'degraded';
  effect?: string;
}

export interface ReadinessReport {
  status: 'ready' | 'degraded';
  dependencies: Record<string, Dependency>;
}

export class Readiness {
  readonly #runtime: Runtime;
  readonly #stopListening: () => void;
  /** News of changed rows does not reach this node, so it reads rows instead of remembering them. */
  #deaf = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#stopListening = runtime.store.listenInvalidations(({ event }) => {
      if (event !== 'changed') this.#deaf = event === 'lost';
    });
  }

  close(): void {
    this.#stopListening();
  }

  /**
   * Asks the database, and looks at the rest.
   *
   * @throws PolyadError `store_unavailable` when the database does not answer, or when the shared quota counter has never
   *   been reached: without either the node can call no platform.
   */
  async report(): Promise<ReadinessReport> {
    await this.#ping();
    const dependencies: Record<string, Dependency> = {
      database: this.#deaf
        ? {
            state: 'degraded',
            effect: 'Changes of other nodes are not heard at the moment: every call reads its rows from the database.',
          }
        : { state: 'up' },
    };
    const { shared, nodes, degraded } = this.#runtime.pacer.status();
    if (shared) {
      if (degraded !== null && nodes === 0)
        throw new PolyadError('store_unavailable', {
          message: degraded,
          retryAfterMs: 1000,
          details: { dependency: 'redis' },
        });
      dependencies['redis'] = degraded === null ? { state: 'up' } : { state: 'degraded', effect: degraded };
    }
    const whole = Object.values(dependencies).every(({ state }) => state === 'up');
    return { status: whole ? 'ready' : 'degraded', dependencies };
  }

  /** The store is opened with its migrations applied, so an answer means that the tables are there too. */
  async #ping(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new PolyadError('store_unavailable', { retryAfterMs: 1000, details: { dependency: 'database' } })),
        PING_MS,
      );
    });
    try {
      await Promise.race([this.#runtime.store.ping(), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

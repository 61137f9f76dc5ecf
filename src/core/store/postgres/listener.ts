import type pg from 'pg';
import { INVALIDATION_CHANNEL } from '../invalidations.ts';
import type { StoreLog } from '../port.ts';

/** First and longest pause between attempts to connect again, in ms. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** A connection that is silently gone shows only when used, so it is used this often, in ms. */
const PROBE_INTERVAL_MS = 15_000;

export interface ListenerOptions {
  /** A new, unconnected client. */
  connect(): pg.Client;
  onNotification(message: pg.Notification): void;
  /** The connection is gone: changes go unheard. */
  onLost(): void;
  /** It is back. */
  onRestored(): void;
  log: StoreLog;
}

/** One connection that listens for invalidations and comes back when it is lost. */
export class Listener {
  readonly #options: ListenerOptions;
  #client: pg.Client | undefined;
  #stopped = false;
  #probe: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Connects; rejects when the first attempt fails. */
  async start(): Promise<void> {
    await this.#connect();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#probe);
    clearTimeout(this.#retry);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }

  async #connect(): Promise<void> {
    const client = this.#options.connect();
    const lose = (error?: Error) => {
      if (this.#client !== client) return;
      this.#client = undefined;
      clearInterval(this.#probe);
      client.end().catch(() => {});
      this.#options.log.warn({ error: error?.message }, 'the listening database connection was lost');
      this.#options.onLost();
      this.#reconnect(FIRST_PAUSE_MS);
    };
    client.on('error', lose);
    client.on('end', () => lose());
    client.on('notification', this.#options.onNotification);
    try {
      await client.connect();
      await client.query(`listen ${INVALIDATION_CHANNEL}`);
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    if (this.#stopped) return client.end();
    this.#client = client;
    this.#probe = setInterval(() => {
      const overdue = setTimeout(() => lose(new Error('no answer')), PROBE_INTERVAL_MS / 2);
      client.query('select 1').then(
        () => clearTimeout(overdue),
        (error: Error) => {
          clearTimeout(overdue);
          lose(error);
        },
      );
    }, PROBE_INTERVAL_MS);
    this.#probe.unref();
  }

  #reconnect(pause: number): void {
    if (this.#stopped) return;
    this.#retry = setTimeout(() => {
      this.#connect().then(
        () => !this.#stopped && this.#options.onRestored(),
        () => this.#reconnect(Math.min(pause * 2, LONGEST_PAUSE_MS)),
      );
    }, pause);
    this.#retry.unref();
  }
}

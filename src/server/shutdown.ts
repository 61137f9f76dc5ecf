/** A stop that loses nothing: no new requests, those under way are finished, and only the deadline cuts them off. */
import type { FastifyInstance } from 'fastify';
import type { RequestState } from './request.ts';

/** How long requests under way may take to finish. */
export const STOP_DEADLINE_MS = 25_000;

export class Shutdown {
  readonly #active = new Set<RequestState>();
  #stopping: Promise<StopReport> | undefined;
  #app: FastifyInstance | undefined;
  #draining = false;

  /** True once the server is stopping: it refuses new requests. */
  get stopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** True once it has been told to leave. Before it stops it still takes requests, but nobody should send it any. */
  get leaving(): boolean {
    return this.#draining || this.stopping;
  }

  /** Says that it is leaving, to whoever asks /readyz and to every client that keeps its connection. */
  drain(): void {
    this.#draining = true;
  }

  attach(app: FastifyInstance): void {
    this.#app = app;
  }

  begun(state: RequestState): void {
    this.#active.add(state);
  }

  ended(state: RequestState): void {
    this.#active.delete(state);
    // Node keeps a connection open after an answer whose headers were written before the stop began.
    if (this.stopping) setImmediate(() => this.#app?.server.closeIdleConnections());
  }

  /** Stops the server; calling it again waits for the same stop. */
  stop(deadlineMs: number): Promise<StopReport> {
    this.#stopping ??= this.#stop(deadlineMs);
    return this.#stopping;
  }

  async #stop(deadlineMs: number): Promise<StopReport> {
    const app = this.#app;
    if (app === undefined) return { cut: 0 };
    let cut = 0;
    const timer = setTimeout(() => {
      cut = this.#active.size;
      // First the work, so that platform calls end too; then whatever still holds a socket.
      for (const state of this.#active) state.abort('the server is stopping');
      setTimeout(() => app.server.closeAllConnections(), 250).unref();
    }, deadlineMs);
    timer.unref();
    await app.close();
    clearTimeout(timer);
    return { cut };
  }
}

export interface StopReport {
  /** Requests that the deadline cut off. */
  cut: number;
}

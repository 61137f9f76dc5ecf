/** A stop that loses nothing: no new requests, those under way are finished, and only the deadline cuts them off. */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { RequestState } from './request.ts';

/** How long requests under way may take to finish. */
export const STOP_DEADLINE_MS = 25_000;

/** How long a connection that has sent no request yet, or half of one, may still send it when the stop has begun, in ms. */
const SILENT_MS = 1_000;

export class Shutdown {
  readonly #active = new Set<RequestState>();
  readonly #sockets = new Set<Socket>();
  #stopping: Promise<StopReport> | undefined;
  #app: FastifyInstance | undefined;
  #draining = false;
  /** Connections without a request hold the stop up no longer. */
  #impatient = false;

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
    app.server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  begun(state: RequestState): void {
    this.#active.add(state);
  }

  ended(state: RequestState): void {
    this.#active.delete(state);
    // Node keeps a connection open after an answer whose headers were written before the stop began.
    if (this.stopping)
      setImmediate(() => {
        this.#app?.server.closeIdleConnections();
        if (this.#impatient) this.#closeSilent();
      });
  }

  /** Closes connections with no request under way. Those that never sent one are not idle to Node. */
  #closeSilent(): void {
    const busy = new Set([...this.#active].map(({ socket }) => socket));
    for (const socket of this.#sockets) if (!busy.has(socket)) socket.destroySoon();
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
    const silent = setTimeout(() => {
      this.#impatient = true;
      this.#closeSilent();
    }, SILENT_MS);
    await app.close();
    clearTimeout(timer);
    clearTimeout(silent);
    return { cut };
  }
}

export interface StopReport {
  /** Requests that the deadline cut off. */
  cut: number;
}

/** What one call of ours carries from the edge down to the platform. */
import type { ConnectionRow, WorkspaceRow } from '../store/schema.ts';

/** Time and number of platform requests behind one answer of ours: the response-time headers come from here. */
export class Meter {
  /** Milliseconds during which at least one platform request was under way. */
  upstreamMs = 0;
  calls = 0;
  #open = 0;
  #since = 0;

  start(now: number): void {
    if (this.#open === 0) this.#since = now;
    this.#open += 1;
    this.calls += 1;
  }

  stop(now: number): void {
    this.#open -= 1;
    if (this.#open === 0) this.upstreamMs += now - this.#since;
  }
}

export interface Scope {
  workspace: WorkspaceRow;
  connection: ConnectionRow;
  requestId: string;
  /** Aborts when the client hangs up or the server stops. */
  signal: AbortSignal;
  meter: Meter;
}

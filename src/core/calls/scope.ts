/** What one call of ours carries from the edge down to the platform. */
import type { ObjectName, Platform, PlatformRequest, PlatformResponse, Unified } from '../connector/types.ts';
import type { Priority } from '../pacing/pacer.ts';
import type { ConnectionRow, WorkspaceRow } from '../store/schema.ts';

/** How long one platform request may take in all, in ms: waiting for quota, retries and the answer. */
export const DEFAULT_PATIENCE_MS = 45_000;

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

/** Who calls, as far as it can be told. */
export interface Caller {
  /** Id of the API key. */
  key: string;
  /** Where the call came from. */
  address?: string | undefined;
}

export interface Scope {
  workspace: WorkspaceRow;
  connection: ConnectionRow;
  /** Absent for work of polyad's own. */
  caller?: Caller;
  requestId: string;
  /** How urgent its platform calls are when quota is short. Default `interactive`. */
  priority?: Priority;
  /** How long one platform request may take in all, in ms. Default: `DEFAULT_PATIENCE_MS`, longer for uploads. */
  patienceMs?: number;
  /** Until when it waits for quota, in ms since 1970, if not as long as for the answer itself. */
  quotaDeadline?: number;
  /** Aborts when the client hangs up or the server stops. */
  signal: AbortSignal;
  meter: Meter;
  /** Watches over the requests of one write; see `core/idempotency`. */
  gate?: WriteGate;
  /** Takes the requests that would change something, instead of the platform; see `core/objects/dry-run.ts`. */
  recorder?: WriteRecorder;
  /** Told of every write of an object; see `core/audit/watch.ts`. */
  watch?: WriteWatch;
}

/** A write of an object that is about to be sent. */
export interface WriteFacts {
  object: ObjectName;
  verb: 'create' | 'update' | 'remove';
  /** Of the object that is changed or removed. */
  id?: string;
  /** What was asked for, in unified members. */
  body: Unified;
  /** Reads the object as it is now; absent where that would be a request for every one of many. */
  current?: () => Promise<Unified>;
  /** Nothing will be sent. */
  dryRun?: boolean;
}

/** How a write ended: with the object as it now is (nothing after a removal), or with an error. */
export interface WriteEnd {
  unified?: Unified | undefined;
  error?: unknown;
}

export interface WriteWatch {
  /** Throws when it must not be done. Answers whom to tell how it ended. */
  begin(write: WriteFacts): Promise<(end: WriteEnd) => Promise<void>>;
}

/** How a request that changes something ended. `unknown`: it may or may not have been carried out. */
export type WriteFate = 'accepted' | 'refused' | 'unknown';

/** Told of every request of a write that changes something. */
export interface WriteGate {
  /** Just before it leaves, for every repetition again. Throws when it must not be sent (any more). */
  beforeSend(request: PlatformRequest): Promise<void>;
  ended(request: PlatformRequest, fate: WriteFate): void;
}

/** Stands in for the platform where requests that change something are shown and not sent. */
export interface WriteRecorder {
  record(platform: Platform, request: PlatformRequest, url: string): PlatformResponse;
}

/** Whether a request changes something at the platform. */
export function changes(request: Pick<PlatformRequest, 'method' | 'access'>): boolean {
  return (request.access ?? (request.method === 'GET' ? 'read' : 'write')) === 'write';
}

/** What the server knows of one request while it runs. */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Meter } from '../core/calls/scope.ts';
import type { PolyadError } from '../core/errors/index.ts';
import type { ApiKeyRow, ConnectionRow, WorkspaceRow } from '../core/store/schema.ts';

/** Scope of a key that an operation needs; `none` = no key at all. */
export type Access = 'none' | 'read' | 'write' | 'admin' | 'operator';

/** Whose key was sent. */
export interface Principal {
  key: ApiKeyRow;
  workspace: WorkspaceRow;
}

/** What a handler knows of the act that it carried out. */
export interface AuditFacts {
  /** Workspace that the act was about; default: that of the key. */
  workspaceId?: string;
  objectId?: string;
  connectionId?: string;
  details?: Record<string, unknown>;
  /** It was only rehearsed: there is nothing to write down. */
  dryRun?: boolean;
}

/** Per-request state. */
export class RequestState {
  /** Milliseconds of the process clock, for durations. */
  readonly startedAt = performance.now();
  readonly #controller = new AbortController();
  /** The connection it came on. */
  socket: Socket | undefined;
  principal: Principal | undefined;
  connection: ConnectionRow | undefined;
  /** Time and calls at the platform: filled by the runtime, read for headers, call log and metrics. */
  readonly meter = new Meter();
  /** What the audit log is told of this request beyond what it can see itself. */
  audit: AuditFacts = {};
  /** The error that was answered, or that broke the answer off. */
  error: PolyadError | undefined;
  /** Bytes of the answer's body. */
  bytes = 0;
  /** Aborts when the client hangs up before its answer is complete, or when the server has to stop now. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: string): void {
    if (!this.#controller.signal.aborted) this.#controller.abort(new DOMException(reason, 'AbortError'));
  }

  /** Whole milliseconds since the request began. */
  elapsedMs(): number {
    return Math.max(0, Math.round(performance.now() - this.startedAt));
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** operationId. */
    operation?: string;
    logged?: boolean;
  }
  interface FastifyRequest {
    state: RequestState;
  }
}

/** Ids that callers may choose: what log readers, shells and headers take without quoting. */
const SANE_ID = /^[A-Za-z0-9][A-Za-z0-9._:=/+-]{0,127}$/;

/** The caller's request id when it is a sane one. */
export function saneRequestId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && SANE_ID.test(header) ? header : undefined;
}

/** Who is calling. Only for routes that need a key: there the authentication hook has set it. */
export function principalOf(request: FastifyRequest): Principal {
  const { principal } = request.state;
  if (principal === undefined)
    throw new Error(`route ${request.routeOptions.url ?? '?'} reads the caller but needs no key`);
  return principal;
}

/** Status of a request whose client went before anything was answered: what nginx and its kin write for it. */
const CLIENT_GONE = 499;

/** The status that was answered, or would have been. */
export function statusOf(reply: FastifyReply): number {
  return !reply.raw.headersSent && reply.raw.destroyed ? CLIENT_GONE : reply.statusCode;
}

/**
 * The one way out: undici with per-origin pools, time-outs everywhere, no redirects, no retries, and connections to
 * addresses that the egress policy has checked.
 */
import type { Readable } from 'node:stream';
import { Agent, type Dispatcher } from 'undici';
import type { Address } from './address.ts';
import { EgressPolicy } from './egress.ts';
import { type Answer, Exchange, type Wanted } from './exchange.ts';

export interface OutgoingRequest {
  method: string;
  /** Absolute URL. */
  url: string;
  /** The same taken apart, where the caller had to do that anyway. */
  parsed?: Address;
  headers: Record<string, string>;
  body?: string | Buffer | Readable | AsyncIterable<Uint8Array>;
  signal: AbortSignal;
  /** For media uploads and long downloads; the default suits JSON calls. */
  bodyTimeoutMs?: number;
  headersTimeoutMs?: number;
}

/** An answer with its body as it comes. */
export type IncomingAnswer = Answer<Readable>;

/** Longest time for connecting; a platform that does not accept within this is down. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Longest silence before the answer's headers, and between two pieces of its body. */
const HEADERS_TIMEOUT_MS = 60_000;
const BODY_TIMEOUT_MS = 60_000;
const STREAM: Wanted = { as: 'stream' };

export class HttpClient {
  readonly #agent: Agent;
  readonly #egress: EgressPolicy;

  /** @param egress where it may connect to. Default: public addresses alone. */
  constructor(egress: EgressPolicy = new EgressPolicy()) {
    this.#egress = egress;
    this.#agent = new Agent({
      // As many as there are calls under way: quotas bound those, and every one holds a connection of its caller already.
      // A cap of our own would be shared by all tenants: those who read slowly, or a platform that is slow, would keep
      // everybody else's calls waiting for a connection.
      connections: null,
      pipelining: 1,
      connect: egress.connector({ timeout: CONNECT_TIMEOUT_MS }),
      headersTimeout: HEADERS_TIMEOUT_MS,
      bodyTimeout: BODY_TIMEOUT_MS,
    });
  }

  /** @throws PolyadError `egress_refused`, and what undici throws (`transportFault` reads it). */
  send(request: OutgoingRequest): Promise<IncomingAnswer> {
    return this.#exchange(request, STREAM) as Promise<IncomingAnswer>;
  }

  /** The same; a body announced to be up to `most` bytes that comes at once is there in one piece. */
  sendSmall(request: OutgoingRequest, most: number): Promise<Answer<Readable | Buffer>> {
    return this.#exchange(request, { as: 'small', most });
  }

  /** The same with the body in one piece; rejects with what `tooLarge` makes once it is longer than `most` bytes. */
  sendWhole(request: OutgoingRequest, most: number, tooLarge: () => Error): Promise<Answer<Buffer>> {
    return this.#exchange(request, { as: 'whole', most, tooLarge }) as Promise<Answer<Buffer>>;
  }

  #exchange(request: OutgoingRequest, wanted: Wanted): Promise<Answer<Readable | Buffer>> {
    return new Promise((resolve, reject) => {
      const url = request.parsed ?? new URL(request.url);
      const { origin } = url;
      this.#egress.check(url, origin);
      if (request.signal.aborted) throw request.signal.reason;
      const body = request.body ?? null;
      this.#agent.dispatch(
        {
          origin,
          path: url.pathname + url.search,
          method: request.method as Dispatcher.HttpMethod,
          headers: request.headers,
          body: body as NonNullable<Dispatcher.DispatchOptions['body']>,
          ...(request.headersTimeoutMs === undefined ? {} : { headersTimeout: request.headersTimeoutMs }),
          ...(request.bodyTimeoutMs === undefined ? {} : { bodyTimeout: request.bodyTimeoutMs }),
        },
        new Exchange(wanted, request.signal, body, resolve, reject),
      );
    });
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  async destroy(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** What went wrong below HTTP, and whether the request can have reached the platform. */
export interface TransportFault {
  kind: 'timeout' | 'unreachable' | 'broken' | 'aborted';
  /** False = nothing was sent, so even a write may be repeated. */
  maybeDelivered: boolean;
  text: string;
}

const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Reads an undici or socket error. */
export function transportFault(thrown: unknown, signal?: AbortSignal): TransportFault {
  const code = (thrown as { code?: string }).code ?? (thrown as { cause?: { code?: string } }).cause?.code ?? '';
  const text = code || (thrown instanceof Error ? thrown.name : 'error');
  if (signal?.aborted) return { kind: 'aborted', maybeDelivered: true, text: 'aborted' };
  if (NOT_SENT.has(code))
    return { kind: code === 'UND_ERR_CONNECT_TIMEOUT' ? 'timeout' : 'unreachable', maybeDelivered: false, text };
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT')
    return { kind: 'timeout', maybeDelivered: true, text };
  return { kind: 'broken', maybeDelivered: true, text };
}

/**
 * The one way out: undici with per-origin pools, time-outs everywhere, no redirects, no retries, and connections to
 * addresses that the egress policy has checked.
 */
import type { Readable } from 'node:stream';
import { Agent, type Dispatcher } from 'undici';
import { EgressPolicy } from './egress.ts';

export interface OutgoingRequest {
  method: string;
  /** Absolute URL. */
  url: string;
  /** The same taken apart, where the caller had to do that anyway. */
  parsed?: URL;
  headers: Record<string, string>;
  body?: string | Buffer | Readable | AsyncIterable<Uint8Array>;
  signal: AbortSignal;
  /** For media uploads and long downloads; the default suits JSON calls. */
  bodyTimeoutMs?: number;
  headersTimeoutMs?: number;
}

export interface IncomingAnswer {
  status: number;
  /** As received, in order, for unchanged hand-through: name, value, name, value. */
  rawHeaders: readonly string[];
  headers: Record<string, string>;
  body: Readable;
}

/** Longest time for connecting; a platform that does not accept within this is down. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Longest silence before the answer's headers, and between two pieces of its body. */
const HEADERS_TIMEOUT_MS = 60_000;
const BODY_TIMEOUT_MS = 60_000;

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
  async send(request: OutgoingRequest): Promise<IncomingAnswer> {
    const url = request.parsed ?? new URL(request.url);
    this.#egress.check(url);
    const options = {
      origin: url.origin,
      path: url.pathname + url.search,
      method: request.method as Dispatcher.HttpMethod,
      headers: request.headers,
      body: request.body ?? null,
      signal: request.signal,
      responseHeaders: 'raw',
      ...(request.headersTimeoutMs === undefined ? {} : { headersTimeout: request.headersTimeoutMs }),
      ...(request.bodyTimeoutMs === undefined ? {} : { bodyTimeout: request.bodyTimeoutMs }),
    } as Dispatcher.RequestOptions;
    const answer = await this.#agent.request(options);
    // With `responseHeaders: 'raw'` undici hands over the flat list of texts, whatever its type says.
    const rawHeaders = answer.headers as unknown as readonly string[];
    const headers: Record<string, string> = {};
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      const name = (rawHeaders[index] as string).toLowerCase();
      const value = rawHeaders[index + 1] as string;
      headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
    }
    return { status: answer.statusCode, rawHeaders, headers, body: answer.body };
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

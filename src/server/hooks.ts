/** What happens around every request: its id, its key, its time, its row in the call log, its numbers. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PolyadError } from '../core/errors/index.ts';
import { redactText, redactUrl } from '../core/http/redact.ts';
import type { NewApiCall } from '../core/store/repositories/index.ts';
import { noteRequest } from './audit.ts';
import { admit } from './authentication.ts';
import type { Deps } from './deps.ts';
import type { Metrics } from './metrics.ts';
import { RequestState, statusOf } from './request.ts';
import { watchSender } from './stalls.ts';

/** Longest address, in characters: long enough for a `raw` parameter with a filter in it. */
export const MAX_URL = 16_384;

export interface HookOptions {
  deps: Deps;
  metrics: Metrics;
  /** True once the server is stopping: new requests are refused then. */
  isStopping(): boolean;
  /** True already before that, while the server waits to be sent no more requests. */
  isLeaving(): boolean;
  /** Told of every request that begins and ends, for a stop that waits for them. */
  begun(state: RequestState): void;
  ended(state: RequestState): void;
}

/** Requests that are answered while the server stops: whoever watches over it must still see it. */
const WATCHED = new Set(['/healthz', '/readyz', '/metrics']);

function timingHeaders(request: FastifyRequest, reply: FastifyReply): void {
  const { state } = request;
  const total = state.elapsedMs();
  reply.header('x-request-id', request.id).header('x-response-time', String(total));
  if (state.meter.calls === 0) return;
  // A platform call that is still under way (a streamed answer) counts until now.
  const platform = Math.min(total, Math.round(state.meter.upstreamMs));
  reply.header('x-endapi-response-time', String(platform));
  reply.header('x-unified-response-time', String(total - platform));
}

/** The call-log row of a finished request; undefined for requests that are not logged. `path`: without secrets. */
function callRow(request: FastifyRequest, reply: FastifyReply, path: string): NewApiCall | undefined {
  const { config } = request.routeOptions;
  const { principal, connection, error, meter, bytes } = request.state;
  if (config.logged !== true || principal === undefined) return undefined;
  const total = request.state.elapsedMs();
  const platform = Math.min(total, Math.round(meter.upstreamMs));
  const status = statusOf(reply);
  const failure =
    error !== undefined
      ? redactText(`${error.code}: ${error.message}`)
      : !reply.raw.writableFinished
        ? 'the client closed the connection before the answer was complete'
        : // A platform's own error answer goes through pass-through unchanged; its status says it.
          status >= 400
          ? `HTTP ${status}`
          : null;
  return {
    workspace_id: principal.workspace.id,
    connection_id: connection?.id ?? null,
    integration_type: connection?.integration_type ?? '',
    environment: connection?.environment ?? principal.workspace.default_environment,
    method: request.method,
    name: config.operation ?? request.method,
    path: path.slice(0, 2000),
    status: String(status),
    type: 'inbound',
    error: failure,
    size: bytes,
    endapi_ms: meter.calls === 0 ? null : platform,
    unified_ms: total - platform,
    ip_address: request.ip,
    user_agent: redactText(request.headers['user-agent'] ?? '').slice(0, 500) || null,
    external_xref: connection?.external_xref ?? null,
    request_id: request.id,
  };
}

/** What is kept of a request when it is over: its row, its numbers, a line of the log. */
function account(request: FastifyRequest, reply: FastifyReply, { deps, metrics, ended }: HookOptions): void {
  const { state } = request;
  const { connection } = state;
  const platform = connection === undefined ? undefined : deps.runtime.registry.find(connection.integration_type);
  const path = redactUrl(request.url, platform?.manifest.secretParams);
  const row = callRow(request, reply, path);
  if (row !== undefined) deps.services.callLog.add(row);
  if (state.principal !== undefined) deps.services.callLog.keyUsed(state.principal.key.id, deps.runtime.clock.now());
  noteRequest(deps, request, reply);
  metrics.observe(request, reply);
  const { log } = deps.runtime;
  if (log.isLevelEnabled?.('debug') !== false)
    log.debug(
      {
        request_id: request.id,
        method: request.method,
        path,
        status: statusOf(reply),
        ms: state.elapsedMs(),
        ...(state.error === undefined ? {} : { code: state.error.code }),
      },
      'request',
    );
  ended(state);
}

/** Installs the hooks. Must be called before any route is registered. */
export function installHooks(app: FastifyInstance, options: HookOptions): void {
  const { deps } = options;
  app.decorateRequest('state', null as unknown as RequestState);

  app.addHook('onRequest', (request, reply, done) => {
    const state = new RequestState();
    state.socket = request.raw.socket;
    request.state = state;
    options.begun(state);
    // Fastify's onResponse does not run for clients that go before their answer, so the end is noticed here: the answer
    // closes after its last byte, or with its socket; one that waits behind another on the same socket has none yet.
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      if (!reply.raw.writableFinished) state.abort('the client closed the connection');
      account(request, reply, options);
    };
    reply.raw.once('close', end);
    // Node takes the socket away from a request that was destroyed.
    const { socket } = request.raw;
    request.raw.once('close', () => {
      if (socket.destroyed) end();
    });
    watchSender(request, reply);
    if (options.isStopping() && !WATCHED.has(request.url.split('?', 1)[0] as string))
      throw new PolyadError('server_stopping', { retryAfterMs: 1000 });
    if (request.url.length > MAX_URL)
      throw new PolyadError('input_too_large', {
        message: `The address is longer than ${MAX_URL} characters.`,
        details: { limit: MAX_URL },
      });
    const admitted = admit(request, deps.services.authentication);
    if (admitted === undefined) done();
    else admitted.then(() => done(), done);
  });

  app.addHook('onSend', (request, reply, payload, done) => {
    if (typeof payload === 'string') request.state.bytes = Buffer.byteLength(payload);
    else if (payload instanceof Uint8Array) request.state.bytes = payload.byteLength;
    timingHeaders(request, reply);
    // A keep-alive connection would hold the stop up, or be cut between two requests.
    if (options.isLeaving()) reply.header('connection', 'close');
    done(null, payload);
  });
}

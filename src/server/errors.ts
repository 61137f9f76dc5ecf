/** Every failure leaves the server in one form, whoever threw it: our own code, the framework, or Node's parser. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { asPolyadError, errorBody, PolyadError } from '../core/errors/index.ts';
import { redactAnswer } from '../core/http/redact.ts';
import type { StoreLog } from '../core/store/port.ts';

/** Wait told to callers when a `retry: after` error names none. */
const DEFAULT_RETRY_MS = 1000;

/** Framework errors that are the caller's to correct; what is not here and has no 4xx status is ours. */
function fromFramework(error: FastifyError, request: FastifyRequest): PolyadError | undefined {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new PolyadError('input_too_large', { details: { limit: request.routeOptions.bodyLimit } });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new PolyadError('input_media_type', { details: { allowed: ['application/json'] } });
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return new PolyadError('input_body_invalid');
    case 'FST_ERR_BAD_URL':
      return new PolyadError('input_invalid', {
        message: 'The address is not valid: a percent sign is not followed by two hexadecimal digits of UTF-8 text.',
      });
    default:
      // Plugins and the body reader (aborted or short bodies) mark the caller's faults by their status.
      return error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500
        ? new PolyadError('input_invalid', { message: error.message, cause: error })
        : undefined;
  }
}

/** Writes an error as the answer. */
export function sendError(reply: FastifyReply, error: PolyadError, requestId: string): FastifyReply {
  reply.code(error.status).header('content-type', 'application/json; charset=utf-8');
  if (error.retry === 'after' || error.retryAfterMs !== undefined) {
    const wait = Math.max(0, error.retryAfterMs ?? DEFAULT_RETRY_MS);
    // Whole seconds, rounded up: a client that waits exactly that long must not come too early.
    reply.header('retry-after', String(Math.max(1, Math.ceil(wait / 1000))));
    reply.header('retry-after-ms', String(Math.ceil(wait)));
  }
  if (error.status === 401) reply.header('www-authenticate', 'Bearer realm="polyad"');
  if (error.status === 405 && Array.isArray(error.details?.['allowed_methods']))
    reply.header('allow', (error.details['allowed_methods'] as string[]).join(', '));
  // Whatever a handler had prepared for its success is not true of this answer.
  reply.removeHeader('content-length').removeHeader('content-encoding').removeHeader('etag');
  return reply.send(redactAnswer(JSON.stringify(errorBody(error, requestId))));
}

/** Installs the error handler. */
export function handleErrors(app: FastifyInstance, log: StoreLog): void {
  app.setErrorHandler((thrown: FastifyError, request, reply) => {
    // Work that was given up because the client has gone, or because the server has to stop now, is nobody's failure.
    if (request.state.signal.aborted && !(thrown instanceof PolyadError))
      return sendError(reply, new PolyadError('server_stopping'), request.id);
    // A stream that broke off before its first byte: whoever handed it over has said what that means.
    const known = thrown instanceof PolyadError ? thrown : request.state.error;
    const error = known ?? fromFramework(thrown, request) ?? asPolyadError(thrown);
    request.state.error = error;
    const facts = { request_id: request.id, code: error.code, status: error.status };
    if (error.code === 'internal') log.error({ ...facts, err: error.cause }, 'unexpected failure');
    else if (error.status >= 500) log.warn({ ...facts, text: error.message }, 'request failed');
    else log.debug({ ...facts, text: error.message }, 'request refused');
    return sendError(reply, error, request.id);
  });
}

/** For `frameworkErrors`: addresses the router cannot read reach no hook and no error handler. */
export function answerUnroutable(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id).header('x-response-time', '0');
  sendError(reply, fromFramework(error, request) ?? asPolyadError(error), request.id);
}

/**
 * For `clientErrorHandler`: what Node's HTTP parser refuses never becomes a request. The answer is written by hand, and
 * only if the socket still takes one.
 */
export function answerUnparsable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, fault] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, new PolyadError('input_too_large', { message: 'The request’s headers or address are too long.' })]
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, new PolyadError('input_invalid', { message: 'The request was not sent completely in time.' })]
        : [400, new PolyadError('input_invalid', { message: 'This is not valid HTTP.' })];
  const body = JSON.stringify({ ...errorBody(fault as PolyadError, 'none'), statusCode: status });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status as number] ?? 'Error'}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** `/passthrough/{connection_id}/...`: the platform's own API with our token, streamed both ways and left as it is. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Transform, type TransformCallback } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { PolyadError } from '../../core/errors/index.ts';
import { release } from '../../core/http/body.ts';
import { requireScope } from '../authentication.ts';
import type { Deps } from '../deps.ts';
import { readFlag } from '../input.ts';
import type { HttpMethod, Operation } from '../operation.ts';
import { passthroughTarget } from '../passthrough-path.ts';
import { principalOf } from '../request.ts';
import { QUOTA_HEADERS, scopeOf } from '../scope.ts';
import { watchReader } from '../stalls.ts';
import { countBytes } from '../streams.ts';
import { DRY_RUN } from './ads.ts';

const METHODS: readonly HttpMethod[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const NO_LIMIT_HEADERS = { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false };
const VERBS: Record<HttpMethod, string> = {
  GET: 'list',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'remove',
};

/** One operation per method; the document shows them under one path. */
export const PASSTHROUGH_OPERATIONS: readonly Operation[] = METHODS.map((method) => ({
  id: `${VERBS[method]}Passthrough${method === 'GET' ? 's' : ''}`,
  method,
  path: '/passthrough/:connection_id/*',
  tag: 'Passthrough',
  summary: `${method} on the platform’s own API`,
  description:
    'The path is relative to the platform’s base URL, written with its slashes or encoded as one segment (`%2F`, with ' +
    '`%3F` for the begin of a query). Authorization is added; query, headers and body go through unchanged, and so do ' +
    'status, headers and body of the answer. Only hosts of that platform and environment can be reached.' +
    (method === 'GET' ? '' : ' The key needs the scope `spend` besides `write`.') +
    ' `dry_run` in the query is polyad’s: `true` answers the request that would be sent. A parameter of that name of the ' +
    'platform’s own is written `dry%5Frun`.',
  access: method === 'GET' ? 'read' : 'write',
  params: { connection_id: 'Id of the connection.', '*': 'Path on the platform.' },
  parameters: [DRY_RUN],
  headers: QUOTA_HEADERS,
  ...(method === 'GET' ? {} : { bodyType: '*/*', bodyDescription: 'Whatever the platform takes.' }),
  answer: { description: 'What the platform answered, with its own status and headers.', contentType: '*/*' },
  logged: true,
}));

/**
 * Passes a body on and refuses it as soon as it is longer than allowed. Also keeps the two connections apart: a platform
 * that answers before it has read everything ends its side of the body, which must not end the client's connection.
 */
function limited(body: Readable, limit: number): Readable {
  let bytes = 0;
  const gate = new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      bytes += chunk.length;
      done(bytes > limit ? new PolyadError('input_too_large', { details: { limit } }) : null, chunk);
    },
  });
  // The body may fail before the platform request that reads it exists: that must not end the process. Whoever reads it
  // then finds it destroyed.
  gate.on('error', () => undefined);
  body.once('error', (error) => gate.destroy(error));
  body.once('close', () => {
    // A client that hangs up in the middle of its body: the platform must not take the half for the whole.
    if (!body.readableEnded) gate.destroy(new DOMException('the client closed the connection', 'AbortError'));
  });
  body.pipe(gate);
  // What nobody wants any more is read and thrown away: the client may be waiting to send it before it reads the answer,
  // and its next request comes after it. Listens after `pipe`, which stops the body when its target closes.
  gate.once('close', () => body.resume());
  return gate;
}

/** The body of a GET, if it has one. */
function bodyOfGet(raw: IncomingMessage): Readable | undefined {
  const { 'content-length': length, 'transfer-encoding': encoding } = raw.headers;
  return encoding !== undefined || Number(length ?? 0) > 0 ? raw : undefined;
}

/** Registers the five methods, in a context of its own: bodies are not parsed here. */
export function passthroughRoutes(root: FastifyInstance, deps: Deps): void {
  root.register(async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    for (const { method, path, id, access } of PASSTHROUGH_OPERATIONS) {
      app.route({
        method,
        url: path,
        config: {
          access,
          operation: id,
          logged: true,
          // The headers are the platform's: none of ours among them but those that tell times and the request's id.
          foreignHeaders: true,
          rateLimit: { addHeaders: NO_LIMIT_HEADERS, addHeadersOnExceeding: NO_LIMIT_HEADERS },
        },
        handler: async (request, reply) => {
          if (access === 'write')
            // What a native request does to spending cannot be told.
            requireScope(principalOf(request), 'spend', 'changes by pass-through may raise what is spent');
          const limit = deps.runtime.config.passthroughLimit;
          const length = Number(request.headers['content-length'] ?? 0);
          if (length > limit) throw new PolyadError('input_too_large', { details: { limit } });
          const scope = await scopeOf(deps, request);
          const { dryRun, ...target } = passthroughTarget(request.raw.url ?? '');
          const dry = dryRun !== undefined && readFlag({ dry_run: dryRun.length > 1 ? dryRun : dryRun[0] }, 'dry_run');
          // Fastify leaves the body of a GET alone; some platforms take one.
          const given = method === 'GET' ? bodyOfGet(request.raw) : (request.body as Readable | undefined);
          const body = given === undefined ? undefined : limited(given, limit);
          const sent = { method, ...target, headers: request.headers, ...(body === undefined ? {} : { body }) };
          if (dry) {
            const text = JSON.stringify({ dry_run: await deps.runtime.passthrough.rehearse(scope, sent) });
            return reply.header('content-type', 'application/json; charset=utf-8').send(text);
          }
          const answer = await deps.runtime.passthrough.send(scope, sent);
          // Fastify knows no status beyond 599; some platforms do (999 is a refusal of crawlers).
          reply.raw.statusCode = answer.status;
          reply.headers(answer.headers);
          const { body: received } = answer;
          if (!Buffer.isBuffer(received)) {
            countBytes(reply, request.state);
            watchReader(reply);
            // Listens before Fastify does: of an answer that has not begun yet this becomes the answer.
            received.once('error', (error) => {
              if (!request.state.signal.aborted) request.state.error = answer.brokenOff(error);
            });
          }
          // Its last byte is with the system then; of an answer that is cut off nobody knows.
          else reply.raw.once('finish', () => release(received));
          return reply.send(received);
        },
      });
    }
  });
}

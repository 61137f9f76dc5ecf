import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import multipart from '@fastify/multipart';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { type ControlRoute, createControl } from './control.ts';
import type { FaultEffect, Faults } from './faults.ts';
import { digest, hideSeen, type RequestLog, redact, sawSecret } from './request-log.ts';
import type { VirtualClock } from './types.ts';

/** Largest request body: the largest video a platform takes is 500 MB. */
const BODY_LIMIT = 512 * 1024 * 1024;

/** One file of a multipart body. */
export interface FormFile {
  field: string;
  filename: string;
  mimeType: string;
  content: Buffer;
}

/** A request as the kit hands it to a simulator: whole, with nothing interpreted but the multipart framing. */
export interface SimulatorRequest {
  method: string;
  /** Path as sent, still percent-encoded, without the query. */
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  /** Raw body; empty for multipart. */
  body: Buffer;
  form?: { fields: Record<string, string>; files: FormFile[] };
  /** The multipart body could not be read. */
  formError?: string;
  /** Answer from the state of this instant (epoch ms, virtual): a `stale_reads` fault. */
  asOf?: number;
}

/** What a simulator answers. */
export interface SimulatorAnswer {
  status: number;
  headers: Record<string, string>;
  /** Parts are sent as they come, and asked for only as fast as the client reads. */
  body: string | Buffer | AsyncIterable<string>;
  /** The platform's own code, for the log. */
  code?: string | number | null;
}

/** Kinds of faults that the simulator answers in the platform's own voice. */
export type VoicedFault = 'rate_limited' | 'server_error' | 'revoked';

/** What a simulator hands to `createSimulatorServer`. */
export interface ServerParts {
  clock: VirtualClock;
  faults: Faults;
  log: RequestLog;
  control: readonly ControlRoute[];
  /** Must not throw; whatever it throws becomes a 500 with plain text. */
  handle(request: SimulatorRequest): Promise<SimulatorAnswer>;
  voice(fault: VoicedFault, request: SimulatorRequest): SimulatorAnswer;
  /** The token of a request, for the log (only its digest is kept). */
  tokenOf(request: SimulatorRequest): string | undefined;
  /** Names of query, body and form members that must not be in the log, lower case. */
  secretNames: readonly string[];
  /** Whether the log keeps only the size of a body: personal data, or more of it than a log should hold. */
  hidesBody?(request: SimulatorRequest): boolean;
  /** Gets one line per unexpected error. */
  report(line: string): void;
}

/** What a gateway in front of a platform answers when it cannot reach it. */
const GATEWAY_PAGE =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n';

const gatewayAnswer: SimulatorAnswer = {
  status: 502,
  headers: { 'content-type': 'text/html' },
  body: GATEWAY_PAGE,
  code: null,
};

async function readForm(request: FastifyRequest): Promise<NonNullable<SimulatorRequest['form']>> {
  const form: NonNullable<SimulatorRequest['form']> = { fields: {}, files: [] };
  for await (const part of request.parts()) {
    if (part.type === 'file') {
      form.files.push({
        field: part.fieldname,
        filename: part.filename ?? '',
        mimeType: part.mimetype,
        content: await part.toBuffer(),
      });
    } else {
      form.fields[part.fieldname] = String(part.value);
    }
  }
  return form;
}

/** The first parts of a stream, then an error that ends the connection. */
async function* brokenOff(parts: AsyncIterable<string>): AsyncGenerator<string> {
  let sent = 0;
  for await (const part of parts) {
    if (sent++ > 1) break;
    yield sent === 1 ? part.slice(0, (part.length >> 1) + 1) : part;
  }
  throw new Error('broken off by a fault');
}

/** The body as the log shows it: JSON or form members without secrets, names and sizes of files. */
function loggedBody(request: SimulatorRequest, secrets: ReadonlySet<string>): unknown {
  if (request.form) {
    return {
      ...(redact(request.form.fields, secrets) as object),
      files: request.form.files.map(({ field, filename, content }) => ({ field, filename, bytes: content.length })),
    };
  }
  if (request.body.length === 0) return null;
  if (request.body.length > 256 * 1024) return { bytes: request.body.length };
  const text = request.body.toString('utf8');
  if ((request.headers['content-type'] ?? '').includes('application/x-www-form-urlencoded')) {
    return redact(Object.fromEntries(new URLSearchParams(text)), secrets);
  }
  try {
    return redact(JSON.parse(text), secrets);
  } catch {
    return { bytes: request.body.length };
  }
}

/**
 * The HTTP server of a simulator: reads requests, applies fault switches, keeps the request log, and serves the control
 * API under `/_control/`, which no fault or limit touches.
 */
export function createSimulatorServer(parts: ServerParts) {
  const server = fastify({
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    // A URL that cannot be decoded never reaches a route.
    frameworkErrors(_error, _request, reply) {
      (reply as unknown as FastifyReply).code(400).type('text/plain').send('400 Bad Request');
    },
  });
  const control = createControl(parts.control);
  const secrets = new Set(parts.secretNames);

  // A platform's own errors for broken bodies differ, so no body is interpreted here.
  server.removeAllContentTypeParsers();
  server.register(multipart, {
    limits: { fileSize: BODY_LIMIT, files: 20, fields: 200, fieldSize: 10 * 1024 * 1024 },
  });
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  const read = async (request: FastifyRequest): Promise<SimulatorRequest> => {
    const [path = '/', ...rest] = (request.raw.url ?? '/').split('?');
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.headers)) {
      if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
    }
    const made: SimulatorRequest = {
      method: request.method,
      path,
      query: new URLSearchParams(rest.join('?')),
      headers,
      body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    };
    if (request.isMultipart()) {
      try {
        made.form = await readForm(request);
      } catch (error) {
        made.formError = error instanceof Error ? error.message : String(error);
      }
    }
    return made;
  };

  const answerOf = async (request: SimulatorRequest, effect: FaultEffect): Promise<SimulatorAnswer> => {
    switch (effect.outcome) {
      case 'rate_limited':
      case 'server_error':
      case 'revoked':
        return parts.voice(effect.outcome, request);
      case 'html_gateway':
        return gatewayAnswer;
      default:
    }
    if (effect.staleMs !== undefined) request.asOf = parts.clock.now().getTime() - effect.staleMs;
    try {
      return await parts.handle(request);
    } catch (error) {
      parts.report(`${request.method} ${request.path}: ${error instanceof Error ? error.stack : String(error)}`);
      return { status: 500, headers: { 'content-type': 'text/plain' }, body: 'simulator error', code: null };
    }
  };

  const send = (reply: FastifyReply, answer: SimulatorAnswer, effect: FaultEffect) => {
    if (effect.outcome === 'drop_after') {
      reply.hijack();
      reply.raw.destroy();
      return reply;
    }
    if (typeof answer.body !== 'string' && !Buffer.isBuffer(answer.body)) {
      const parts = effect.outcome === 'truncate' ? brokenOff(answer.body) : answer.body;
      return reply
        .code(answer.status)
        .headers(answer.headers)
        .send(Readable.from(parts, { objectMode: false }));
    }
    const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
    if (effect.outcome === 'truncate') {
      reply.hijack();
      reply.raw.writeHead(answer.status, { ...answer.headers, 'content-length': body.length });
      reply.raw.write(body.subarray(0, body.length >> 1), () => reply.raw.destroy());
      return reply;
    }
    return reply.code(answer.status).headers(answer.headers).send(body);
  };

  const serve = async (raw: FastifyRequest, reply: FastifyReply) => {
    const started = performance.now();
    const at = parts.clock.now().toISOString();
    const request = await read(raw);
    const effect = parts.faults.apply(request.method, request.path);
    const note = (status: number, code: string | number | null) => {
      const token = parts.tokenOf(request);
      if (token !== undefined) sawSecret(token);
      parts.log.add({
        at,
        method: request.method,
        path: hideSeen(request.path),
        query: redact(Object.fromEntries(request.query), secrets) as Record<string, unknown>,
        body: parts.hidesBody?.(request) ? { bytes: request.body.length } : loggedBody(request, secrets),
        token: token === undefined ? null : digest(token),
        status,
        code,
        durationMs: Math.round((performance.now() - started) * 1000) / 1000,
        ...(effect.noted ? { fault: effect.noted } : {}),
      });
    };
    if (effect.delayMs > 0) await sleep(effect.delayMs);
    if (effect.outcome === 'drop_before') {
      note(0, null);
      reply.hijack();
      reply.raw.destroy();
      return reply;
    }
    const answer = await answerOf(request, effect);
    note(answer.status, answer.code ?? null);
    return send(reply, answer, effect);
  };

  const serveControl = async (raw: FastifyRequest, reply: FastifyReply) => {
    const request = await read(raw);
    const path = request.path.slice('/_control'.length);
    const query = Object.fromEntries(request.query);
    const answer = await control(request.method, path, query, request.body.toString('utf8'));
    return reply.code(answer.status).type('application/json').send(JSON.stringify(answer.body));
  };

  server.register(async (scope) => {
    // Fastify's router would refuse some encoded paths before we see them; one handler takes everything.
    scope.all('/_control', serveControl);
    scope.all('/_control/*', serveControl);
    scope.all('/*', serve);
  });
  return server;
}

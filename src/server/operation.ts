/**
 * An operation of the API as data: what the router registers and what the OpenAPI document says come from the same
 * declaration, so that they cannot differ.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { PolyadError } from '../core/errors/index.ts';
import { ownBytes, release } from '../core/http/body.ts';
import type { ParameterDoc } from '../core/model/json-schema.ts';
import { readBody, readQuery } from './input.ts';
import type { Access } from './request.ts';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a successful answer holds. */
export interface Answer {
  description: string;
  /** Absent for answers that are not JSON. */
  schema?: z.ZodType;
  /** Default `application/json`. */
  contentType?: string;
  /** Further media types that `Accept` can ask for. */
  alternatives?: readonly string[];
  /** Default 200. */
  status?: number;
}

export interface Operation {
  /** operationId, and the name of the call in the call log: `listAdsCampaigns`. */
  id: string;
  method: HttpMethod;
  /** Router form: `/ads/:connection_id/campaign`. */
  path: string;
  tag: string;
  summary: string;
  description?: string;
  /** Scope that the key needs; `none` = no key. */
  access: Access;
  /** What each path parameter is. */
  params?: Record<string, string>;
  /** Object schema of the query; absent = the handler reads it by itself, or there is none. */
  query?: z.ZodObject;
  /** Query parameters that the handler reads by itself, for the document. */
  parameters?: readonly ParameterDoc[];
  /** Schema of the JSON body, read before the handler is called. */
  body?: z.ZodType;
  /** Schema of a JSON body that the handler reads by itself, for the document. */
  bodySchema?: z.ZodType;
  /** Media type of the body. Default `application/json`. */
  bodyType?: string;
  bodyDescription?: string;
  answer: Answer;
  /** Request headers that mean something here: name -> text. */
  headers?: Record<string, string>;
  /** Writes a row of the call log. */
  logged?: boolean;
  /**
   * Whether the audit log gets a row. Default: everything but GET. `never`: the handler's writes leave rows of their own.
   */
  audit?: 'always' | 'never';
  /** Answers go to browsers of any origin: keyless look-ups that a web page makes. */
  anyOrigin?: boolean;
}

/** Keeps the exact types of the schemas, so that handlers get typed input. */
export function operation<const O extends Operation>(definition: O): O {
  return definition;
}

type Output<S> = S extends z.ZodType ? z.output<S> : undefined;

/** What a handler is called with. */
export interface Input<O extends Operation> {
  request: FastifyRequest;
  reply: FastifyReply;
  params: Record<string, string>;
  query: Output<O['query']>;
  body: Output<O['body']>;
}

/** Whether doing it is an act that the audit log keeps. */
export const isAct = ({ method, audit }: Pick<Operation, 'method' | 'audit'>): boolean =>
  audit === 'always' || (audit !== 'never' && method !== 'GET');

declare module 'fastify' {
  interface FastifyInstance {
    /** Does something and writes it down in the audit log. */
    act(request: FastifyRequest, definition: Operation, work: () => Promise<unknown>): Promise<unknown>;
  }
}

function hasEmpty(params: Record<string, string>): boolean {
  for (const name in params) if (params[name] === '' && name !== '*') return true;
  return false;
}

/** Characters from which on an answer is sent as bytes. */
const LONG_TEXT = 8_192;

/** Whether an operation changes something and cannot be rehearsed: who asks for that must not have it done instead. */
const isEarnest = ({ method, query, parameters }: Operation): boolean =>
  method !== 'GET' && query === undefined && parameters?.some(({ name }) => name === 'dry_run') !== true;

function refuseDryRun(query: unknown): void {
  if ((query as Record<string, unknown> | undefined)?.['dry_run'] === undefined) return;
  throw new PolyadError('input_invalid', {
    message: 'There is no dry run of this.',
    details: { issues: [{ path: 'dry_run', reason: 'is not known here' }] },
  });
}

/** Registers an operation. The handler answers the body (sent as JSON), or the reply when it sent something itself. */
export function serve<O extends Operation>(
  app: FastifyInstance,
  definition: O,
  handler: (input: Input<O>) => Promise<unknown> | unknown,
): void {
  const earnest = isEarnest(definition);
  app.route({
    method: definition.method,
    url: definition.path,
    config: { access: definition.access, operation: definition.id, logged: definition.logged ?? false },
    handler: async (request, reply) => {
      if (definition.anyOrigin === true) reply.header('access-control-allow-origin', '*');
      if (earnest) refuseDryRun(request.query);
      const query = definition.query === undefined ? undefined : readQuery(request.query, definition.query);
      const absent = definition.body === undefined || (request.body === undefined && definition.body.isOptional());
      const body = absent ? undefined : readBody(request.body, definition.body as z.ZodType);
      const params = request.params as Record<string, string>;
      // A slash too many at the end of a list's path is no object without an id.
      if (hasEmpty(params))
        throw new PolyadError('route_unknown', {
          details: { method: request.method, path: request.url.split('?', 1)[0]?.slice(0, 200) },
        });
      const act = async () => handler({ request, reply, params, query, body } as unknown as Input<O>);
      const answer = isAct(definition) ? await app.act(request, definition, act) : await act();
      if (answer === reply || reply.sent) return reply;
      reply.header('content-type', 'application/json; charset=utf-8');
      const text = JSON.stringify(answer) as string | undefined;
      if (text === undefined || text.length <= LONG_TEXT) return reply.send(text);
      // Long texts are made bytes here, once: they would be counted twice and made bytes while they are written.
      const bytes = ownBytes(text);
      reply.raw.once('finish', () => release(bytes));
      return reply.send(bytes);
    },
  });
}

/**
 * From an HTTP request to an endpoint and back: hosts, versions, methods, bodies, tokens, limits, permissions, envelope.
 * Facts: TikTok API for Business v1.3 documentation; a probe of the real host for the 404 text of unknown and
 * slash-less paths.
 */

import { randomBytes } from 'node:crypto';
import { parseExact, stringifyExact } from '../kit/exact-json.ts';
import type { SimulatorAnswer, SimulatorRequest } from '../kit/server.ts';
import type { KitStore } from '../kit/store.ts';
import {
  requireAdvertiser,
  requireScopes,
  resolveEventsToken,
  resolveToken,
  scopeIncludes,
  scopesOfPath,
} from './auth.ts';
import { CATALOGUE } from './catalogue-table.ts';
import type { Limits } from './limits.ts';
import { type App, type Call, type Endpoint, RawAnswer, TikTokError, type World } from './types.ts';
import { decodeText, validateParams } from './validate.ts';
import { createWorld } from './world.ts';

const API = /^(\/sandbox)?\/open_api\/(v\d+\.\d+)\/(.*)$/;
const NOT_FOUND: SimulatorAnswer = {
  status: 404,
  headers: { 'content-type': 'text/plain' },
  body: '404 page not found',
  code: null,
};

/** `20261122010203` and twenty hexadecimal characters. */
function requestId(at: Date): string {
  return at.toISOString().replace(/\D/g, '').slice(0, 14) + randomBytes(10).toString('hex').toUpperCase();
}

const answerHeaders = (id: string) => ({
  'X-TT-LOGID': id,
  'x-tt-trace-id': `00-${id.toLowerCase()}-01`,
});

/** The envelope of every answer. HTTP 200 for errors too. */
export function envelope(at: Date, code: number, message: string, data: unknown): SimulatorAnswer {
  const id = requestId(at);
  return {
    status: 200,
    headers: { 'content-type': 'application/json', ...answerHeaders(id) },
    body: stringifyExact({ code, message, request_id: id, data }),
    code,
  };
}

/** Parameters of a request, and its files. @throws TikTokError 40002 for what cannot be read. */
function readInput(request: SimulatorRequest, endpoint: Endpoint): Pick<Call, 'params' | 'files'> {
  if (request.method === 'GET') {
    return { params: decodeText(Object.fromEntries(request.query), endpoint.params), files: [] };
  }
  if (request.formError !== undefined) throw new TikTokError(40002, `Invalid multipart body: ${request.formError}.`);
  if (request.form) return { params: decodeText(request.form.fields, endpoint.params), files: request.form.files };
  const text = request.body.toString('utf8');
  if ((request.headers['content-type'] ?? '').includes('application/x-www-form-urlencoded')) {
    return { params: decodeText(Object.fromEntries(new URLSearchParams(text)), endpoint.params), files: [] };
  }
  if (text.trim() === '') return { params: {}, files: [] };
  let body: unknown;
  try {
    body = parseExact(text);
  } catch {
    throw new TikTokError(40002, 'The request body is not valid JSON.');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new TikTokError(40002, 'The request body must be a JSON object.');
  }
  return { params: body as Record<string, unknown>, files: [] };
}

/** The app that an app-authenticated call names, for its limits; whether the secret is right is for the handler. */
function namedApp(world: World, params: Record<string, unknown>): App | undefined {
  const id = params['app_id'] ?? params['client_id'];
  return typeof id === 'string' ? world.apps.get(id) : undefined;
}

/** A documented path that the simulator does not carry out: what an app without the permission is told. */
function unsimulated(path: string, method: string): Endpoint | undefined {
  const row = CATALOGUE.find(([known, documented]) => documented === path && (known === method || known === '*'));
  if (!row) return undefined;
  return {
    method: method === 'GET' ? 'GET' : 'POST',
    path,
    auth: 'token',
    scopes: [],
    params: [],
    handle({ grant }) {
      const lacking = row[2].length > 0 && !row[2].some((id) => scopeIncludes(grant?.scope ?? [], id));
      const scopes = lacking ? ` It needs one of the permissions ${row[2].join(', ')}.` : '';
      throw new TikTokError(40001, `No permission to call /${path}/.${scopes}`);
    },
  };
}

/** What the dispatcher needs. */
export interface DispatcherParts {
  store: KitStore;
  world: World;
  limits: Limits;
  endpoints: readonly Endpoint[];
  /** Gets one line per unexpected error. */
  report(line: string): void;
}

/** Answers everything below `/open_api/`; anything else is the text 404. */
export function createDispatcher({ store, world, limits, endpoints, report }: DispatcherParts) {
  const table = new Map<string, Endpoint>();
  for (const endpoint of endpoints) {
    const key = `${endpoint.method} ${endpoint.path}`;
    if (table.has(key)) throw new Error(`two endpoints for ${key}`);
    table.set(key, endpoint);
  }

  const carryOut = async (
    request: SimulatorRequest,
    endpoint: Endpoint,
    host: Call['host'],
    headers: Record<string, string>,
  ): Promise<unknown> => {
    const { path } = endpoint;
    const call: Call = {
      world: request.asOf === undefined ? world : createWorld(store.asOf(request.asOf), world.clock),
      endpoint,
      host,
      params: {},
      files: [],
      now: world.clock.now(),
      origin: `http://${request.headers['host'] ?? 'localhost'}`,
      setHeader: (name, value) => {
        headers[name] = value;
      },
      limitSource: (id) => limits.ofSource(world, id),
    };
    const eventsToken =
      endpoint.auth === 'token' ? resolveEventsToken(world, request.headers['access-token'], host) : undefined;
    if (eventsToken) {
      if (!endpoint.events) {
        throw new TikTokError(40001, `No permission to call /${path}/. The token is for reporting events only.`);
      }
      limits.ofEventsToken(world, eventsToken.id);
      call.eventsToken = eventsToken;
    } else if (endpoint.auth === 'token') {
      const { grant, app } = resolveToken(world, request.headers['access-token'], host);
      limits.ofApp(world, app, path, host);
      call.grant = grant;
      call.app = app;
      if (host === 'production') requireScopes(app, grant, endpoint.scopes ?? scopesOfPath(path), path);
    }
    if (host === 'sandbox' && !endpoint.sandbox) {
      throw new TikTokError(40009, `This endpoint is not supported in the sandbox environment: /${path}/.`);
    }
    Object.assign(call, readInput(request, endpoint));
    if (endpoint.auth === 'app') {
      const app = namedApp(world, call.params);
      if (app) {
        limits.ofApp(world, app, path, host);
        call.app = app;
      }
    }
    validateParams(call.params, endpoint.params);
    if (endpoint.auth === 'token') checkAdvertisers(call, endpoint);
    return await endpoint.handle(call);
  };

  const checkAdvertisers = (call: Call, endpoint: Endpoint) => {
    const declared = (name: string) => endpoint.params.some((param) => param.name === name);
    const one = declared('advertiser_id') ? call.params['advertiser_id'] : undefined;
    if (typeof one !== 'string') return;
    requireAdvertiser(call, one, endpoint.write);
    limits.ofAdvertiser(world, one, endpoint.path);
  };

  const find = (method: string, rest: string): Endpoint | undefined => {
    // A widely used client calls user/info without the slash and works; everything else is 404 without it.
    const path = rest.endsWith('/') ? rest.slice(0, -1) : method === 'GET' && rest === 'user/info' ? rest : undefined;
    if (path === undefined) return undefined;
    // The real host answers a wrong method as it does an unknown path (unverified).
    return table.get(`${method} ${path}`) ?? unsimulated(path, method);
  };

  return async (request: SimulatorRequest): Promise<SimulatorAnswer> => {
    const match = API.exec(request.path);
    if (!match) return NOT_FOUND;
    const [, prefix, version, rest = ''] = match;
    const sandbox = prefix !== undefined || (request.headers['host'] ?? '').startsWith('sandbox-ads.');
    const now = world.clock.now();
    if (version !== 'v1.3') {
      if (version !== 'v1.0' && version !== 'v1.1' && version !== 'v1.2') return NOT_FOUND;
      return envelope(now, 40051, `API version ${version} is no longer available. Use v1.3.`, {});
    }
    const endpoint = find(request.method, rest);
    if (!endpoint) return NOT_FOUND;
    const headers: Record<string, string> = {};
    try {
      const data = await carryOut(request, endpoint, sandbox ? 'sandbox' : 'production', headers);
      if (data instanceof RawAnswer) {
        const own = answerHeaders(requestId(now));
        return {
          status: data.status,
          headers: { 'content-type': data.contentType, ...own, ...headers },
          body: data.body,
          code: null,
        };
      }
      const answer = envelope(now, 0, 'OK', data ?? {});
      return { ...answer, headers: { ...answer.headers, ...headers } };
    } catch (error) {
      if (error instanceof TikTokError) {
        const answer = envelope(now, error.code, error.message, error.data);
        return { ...answer, headers: { ...answer.headers, ...headers } };
      }
      report(`${request.method} ${request.path}: ${error instanceof Error ? error.stack : String(error)}`);
      return envelope(now, 50000, 'System error.', {});
    }
  };
}

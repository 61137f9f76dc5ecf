/** The request pipeline by itself, before an upstream that fails as it is told: for tests and benchmarks of transport. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassthroughService } from '../../src/core/calls/passthrough.ts';
import { Pipeline } from '../../src/core/calls/pipeline.ts';
import type { TokenSource } from '../../src/core/calls/ports.ts';
import { Meter, type Scope } from '../../src/core/calls/scope.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import type { PlatformRegistry } from '../../src/core/connector/registry.ts';
import type { Platform, PlatformRequest, PlatformResponse } from '../../src/core/connector/types.ts';
import { Breakers } from '../../src/core/http/breaker.ts';
import { RetryBudgets } from '../../src/core/http/budget.ts';
import { HttpClient } from '../../src/core/http/client.ts';
import { EgressPolicy } from '../../src/core/http/egress.ts';
import { Pacer } from '../../src/core/pacing/pacer.ts';
import type { ConnectionRow, WorkspaceRow } from '../../src/core/store/schema.ts';

/**
 * What the upstream does with a request. `hang`: answers never. `reset`: breaks the connection off. `slow_body`: sends
 * the headers, then a piece every 50 ms, for 400 ms.
 */
export type Behaviour =
  | 'ok'
  | 'error'
  | 'hang'
  | 'reset'
  | 'slow_body'
  | { retryAfterSeconds: number }
  | { status?: number; headers: Record<string, string>; bytes: Buffer };

export interface PipelineWorld {
  platform: Platform;
  pipeline: Pipeline;
  breakers: Breakers;
  budgets: RetryBudgets;
  /** Requests that the upstream has seen, as milliseconds since the world began. */
  readonly arrivals: number[];
  behave(behaviour: (nth: number, request: IncomingMessage) => Behaviour): void;
  /** No longer accepts connections (ECONNREFUSED), or accepts them again. */
  listen(open: boolean): Promise<void>;
  request(request?: Partial<PlatformRequest>, patienceMs?: number, signal?: AbortSignal): Promise<PlatformResponse>;
  /** A GET by pass-through; answers the status. */
  passThrough(path?: string): Promise<number>;
  scope(signal?: AbortSignal): Scope;
  close(): Promise<void>;
}

/** A platform with no quota, whose answers mean what their HTTP status says. */
const acme = {
  manifest: {
    id: 'acme',
    type: 'acme',
    name: 'Acme',
    apiVersions: [],
    hosts: { production: { api: 'https://api.acme.test' } },
    quotas: [],
    queryStyle: 'json',
    requestIdHeaders: [],
    secretParams: [],
  },
  auth: { header: { name: 'authorization', value: 'Bearer {access_token}' } },
  errors: {
    classify(_request: PlatformRequest, { status, headers }: PlatformResponse) {
      if (status < 300) return null;
      const native = { message: `HTTP ${status}` };
      const seconds = Number(headers['retry-after']);
      const wait = seconds > 0 ? { retryAfterMs: seconds * 1_000 } : {};
      return { code: 'platform_unavailable', retry: 'after', scope: 'platform', native, ...wait };
    },
  },
  objects: {},
  endpointClass: (operation: string) => operation.split('/', 1)[0],
} as unknown as Platform;

function answer(behaviour: Behaviour, response: ServerResponse): void {
  if (behaviour === 'hang') return;
  if (behaviour === 'reset') {
    response.destroy();
    return;
  }
  if (behaviour === 'slow_body') {
    response.writeHead(200, { 'content-type': 'text/csv' });
    let pieces = 0;
    const timer = setInterval(() => {
      pieces += 1;
      response.write('a,b\n');
      if (pieces < 8) return;
      clearInterval(timer);
      response.end();
    }, 50);
    return;
  }
  if (typeof behaviour === 'object' && 'bytes' in behaviour) {
    response.writeHead(behaviour.status ?? 200, { 'content-type': 'application/json', ...behaviour.headers });
    response.end(behaviour.bytes);
    return;
  }
  const ok = behaviour === 'ok';
  const wait = typeof behaviour === 'object' ? { 'retry-after': String(behaviour.retryAfterSeconds) } : {};
  response.writeHead(ok ? 200 : 503, { 'content-type': 'application/json', ...wait });
  response.end(ok ? '{"ok":true}' : '{"ok":false}');
}

export async function startPipelineWorld(
  options: { clock?: Clock; random?: () => number } = {},
): Promise<PipelineWorld> {
  const clock = options.clock ?? systemClock;
  const begun = performance.now();
  const arrivals: number[] = [];
  let behaviour: (nth: number, request: IncomingMessage) => Behaviour = () => 'ok';
  const server = createServer((request, response) => {
    arrivals.push(performance.now() - begun);
    request.resume().once('end', () => answer(behaviour(arrivals.length, request), response));
  });
  server.keepAliveTimeout = 60_000;
  const listening = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  await listening(0);
  const { port } = server.address() as AddressInfo;
  const closed = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  const tokens: TokenSource = {
    tokenFor: async () => ({ accessToken: 'token' }),
    appFor: async () => ({ client_id: 'app', client_secret: 'secret' }),
    reportRevoked: async () => ({ reconnectUrl: 'https://reconnect.test' }),
    reportOrganizationLost: async () => {},
    reportHealthy: () => {},
  };
  const http = new HttpClient(new EgressPolicy({ allow: ['127.0.0.0/8'] }));
  const breakers = new Breakers(clock);
  const budgets = new RetryBudgets();
  const pacer = new Pacer(clock);
  const hosts = new Map([['acme/production', `http://127.0.0.1:${port}`]]);
  const registry = { get: () => acme } as unknown as PlatformRegistry;
  const passthrough = new PassthroughService({ registry, http, pacer, breakers, tokens, clock, hosts });
  const pipeline = new Pipeline({
    http,
    pacer,
    breakers,
    budgets,
    tokens,
    clock,
    hosts,
    random: options.random ?? Math.random,
    log: { debug() {} },
  });
  const scope = (signal = new AbortController().signal): Scope => ({
    workspace: { id: 'workspace' } as WorkspaceRow,
    connection: {
      id: 'connection',
      integration_type: 'acme',
      environment: 'production',
      account: {},
    } as unknown as ConnectionRow,
    requestId: 'r',
    signal,
    meter: new Meter(),
  });
  return {
    platform: acme,
    pipeline,
    breakers,
    budgets,
    arrivals,
    behave: (next) => {
      behaviour = next;
    },
    listen: (open) => (open ? listening(port) : closed()),
    request: (request = {}, patienceMs, signal) =>
      pipeline.request(
        scope(signal),
        acme,
        { method: 'GET', path: '/v1/things', operation: 'things/get', ...request },
        patienceMs,
      ),
    async passThrough(path = 'things/get') {
      const { status, body } = await passthrough.send(scope(), { method: 'GET', path, query: '', headers: {} });
      await Array.fromAsync(body);
      return status;
    },
    scope,
    async close() {
      await http.destroy();
      if (server.listening) await closed();
    },
  };
}

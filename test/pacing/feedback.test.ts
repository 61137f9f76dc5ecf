/** What answers say about quotas reaches the pacer: through the pipeline and by pass-through, over real HTTP. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PassthroughService } from '../../src/core/calls/passthrough.ts';
import { Pipeline } from '../../src/core/calls/pipeline.ts';
import type { TokenSource } from '../../src/core/calls/ports.ts';
import { Meter, type Scope } from '../../src/core/calls/scope.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { PlatformRegistry } from '../../src/core/connector/registry.ts';
import type { Manifest, Platform, PlatformRequest } from '../../src/core/connector/types.ts';
import { Breakers } from '../../src/core/http/breaker.ts';
import { RetryBudgets } from '../../src/core/http/budget.ts';
import { HttpClient } from '../../src/core/http/client.ts';
import { EgressPolicy } from '../../src/core/http/egress.ts';
import { Pacer } from '../../src/core/pacing/pacer.ts';
import type { ConnectionRow, WorkspaceRow } from '../../src/core/store/schema.ts';

const QUOTAS: Pick<Manifest, 'quotas' | 'usage'> = {
  quotas: [
    { name: 'reads', keyedBy: ['user'], limit: 100, windowMs: 60_000, access: 'read', recovery: 'next_window' },
    { name: 'writes', keyedBy: ['user'], limit: 50, windowMs: 60_000, access: 'write', recovery: 'next_window' },
    {
      name: 'jobs',
      keyedBy: ['organization'],
      limit: 1,
      windowMs: 3_600_000,
      operations: ['job'],
      rule: { kind: 'concurrency', holds: 'job' },
      recovery: 'next_window',
    },
  ],
  usage: [
    { kind: 'headers', bucket: 'reads', limit: 'x-limit', remaining: 'x-remaining', reset: 'x-reset' },
    { kind: 'body_wait', path: 'error.retryDelay', unit: 'duration' },
  ],
};

interface Reply {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

describe('what the platform says', () => {
  let server: Server;
  let asked: number;
  let reply: Reply;
  let pacer: Pacer;
  let pipeline: Pipeline;
  let passthrough: PassthroughService;
  let platform: Platform;
  let http: HttpClient;

  beforeEach(async () => {
    asked = 0;
    reply = {};
    server = createServer((request, response) => {
      asked += 1;
      request.resume();
      response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers });
      response.end(JSON.stringify(reply.body ?? {}));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    platform = {
      manifest: {
        ...{ id: 'acme', type: 'acme', name: 'Acme', apiVersions: [], queryStyle: 'json' },
        ...{ hosts: { production: { api: 'https://acme.test' } }, requestIdHeaders: [], secretParams: [] },
        ...QUOTAS,
      },
      auth: { header: { name: 'authorization', value: '{access_token}' } },
      errors: {
        classify: (_request: PlatformRequest, { status }: { status: number }) =>
          status === 429
            ? { code: 'platform_rate_limited', retry: 'after', scope: 'connection', native: {} }
            : status < 300
              ? null
              : { code: 'platform_rejected', retry: 'never', scope: 'request', native: {} },
      },
      objects: {},
    } as unknown as Platform;
    const tokens: TokenSource = {
      tokenFor: async () => ({ accessToken: 'token' }),
      appFor: async () => undefined,
      reportRevoked: async () => ({ reconnectUrl: '' }),
      reportOrganizationLost: async () => {},
      reportHealthy: () => {},
    };
    http = new HttpClient(new EgressPolicy({ allow: ['127.0.0.0/8'] }));
    pacer = new Pacer(systemClock);
    const parts = {
      ...{ http, pacer, tokens, clock: systemClock, breakers: new Breakers(systemClock) },
      hosts: new Map([['acme/production', `http://127.0.0.1:${port}`]]),
    };
    pipeline = new Pipeline({
      ...parts,
      budgets: new RetryBudgets(),
      random: () => 0,
      log: { debug() {}, warn() {} },
    });
    passthrough = new PassthroughService({
      ...parts,
      registry: { get: () => platform } as unknown as PlatformRegistry,
    });
  });
  afterEach(async () => {
    await http.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const scope = (): Scope => ({
    workspace: { id: 'w', settings: {} } as WorkspaceRow,
    connection: {
      ...{ id: 'c', workspace_id: 'w', integration_type: 'acme', environment: 'production', is_paused: false },
      account: { user_id: 'someone' },
    } as ConnectionRow,
    requestId: 'r',
    signal: new AbortController().signal,
    meter: new Meter(),
  });
  const get = (more: Partial<PlatformRequest> = {}) =>
    pipeline.request(scope(), platform, { method: 'GET', path: '/x', operation: 'x', ...more }, 1_000);
  const pass = async (): Promise<number> => {
    const { status, body } = await passthrough.send(scope(), { method: 'GET', path: '/x', query: '', headers: {} });
    for await (const chunk of body) void chunk;
    return status;
  };

  it('in headers: an exhausted quota is not asked again before its reset', async () => {
    reply = { headers: { 'x-limit': '100', 'x-remaining': '0', 'x-reset': '30' } };
    await get();
    const refused = await get().catch((error) => error);
    expect(refused).toMatchObject({ code: 'quota_wait', details: { bucket: 'acme.reads' } });
    expect(refused.retryAfterMs).toBeGreaterThan(25_000);
    expect(asked).toBe(1);
    // Another quota of the same user goes on.
    await get({ method: 'POST' });
    expect(asked).toBe(2);
  });

  it('in headers of pass-through answers too', async () => {
    reply = { headers: { 'x-limit': '100', 'x-remaining': '0', 'x-reset': '3000' } };
    expect(await pass()).toBe(200);
    await expect(get()).rejects.toMatchObject({ code: 'quota_wait' });
    expect(asked).toBe(1);
  });

  it('in headers: what others have used is set aside', async () => {
    reply = { headers: { 'x-limit': '100', 'x-remaining': '40', 'x-reset': '30' } };
    await get();
    expect(pacer.snapshot()).toMatchObject([{ bucket: 'acme.reads', used: 60, used_by_others: 59, limit: 100 }]);
  });

  it.each([
    ['Retry-After in seconds', { headers: { 'retry-after': '70' } }],
    ['Retry-After as a date', { headers: { 'retry-after': new Date(Date.now() + 70_900).toUTCString() } }],
    ['a wait in the body', { body: { error: { retryDelay: '70s' } } }],
  ])('as %s of a refusal: the key rests so long', async (_name, more) => {
    reply = { status: 429, ...more };
    const first = await get().catch((error) => error);
    expect(first).toMatchObject({ code: 'platform_rate_limited' });
    expect(first.retryAfterMs).toBeGreaterThan(65_000);
    const second = await get().catch((error) => error);
    expect(second).toMatchObject({ code: 'quota_wait' });
    expect(second.retryAfterMs).toBeGreaterThan(60_000);
    expect(asked).toBe(1);
    expect(pacer.counts().refusedByPlatform.get('acme.reads')).toBe(1);
  });

  it('as a refusal by pass-through: the next call waits', async () => {
    reply = { status: 429, headers: { 'retry-after': '70' } };
    expect(await pass()).toBe(429);
    await expect(get()).rejects.toMatchObject({ code: 'quota_wait' });
    expect(asked).toBe(1);
  });

  it('a job holds its place until it ends; one that was refused never had it', async () => {
    const job = { operation: 'job', organizationId: 'o' } as const;
    reply = { status: 400 };
    await expect(get(job)).rejects.toMatchObject({ code: 'platform_rejected' });
    reply = {};
    await get(job);
    await expect(get(job)).rejects.toMatchObject({ code: 'quota_wait', details: { bucket: 'acme.jobs' } });
    await pipeline.jobEnded(scope(), platform, { method: 'GET', path: '/x', ...job });
    await get(job);
    expect(asked).toBe(3);
  });
});

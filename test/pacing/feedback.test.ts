/**
 * What answers say about quotas reaches the pacer: through the pipeline and by pass-through, over real HTTP. What cannot
 * be true does no harm.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PassthroughService } from '../../src/core/calls/passthrough.ts';
import { Pipeline } from '../../src/core/calls/pipeline.ts';
import type { TokenSource } from '../../src/core/calls/ports.ts';
import { readUsage, retryAfterOf, waitOf, withWait } from '../../src/core/calls/quota-feedback.ts';
import { Meter, type Scope } from '../../src/core/calls/scope.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { PlatformRegistry } from '../../src/core/connector/registry.ts';
import type {
  Classification,
  Manifest,
  Platform,
  PlatformRequest,
  UsageReader,
} from '../../src/core/connector/types.ts';
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
    {
      ...{ kind: 'percent', header: 'x-usage', keyed: true, fields: ['used'], typeField: 'type' },
      ...{ buckets: { '*': 'reads' }, slowAt: 75, stopAt: 95 },
    },
    { kind: 'body_wait', path: 'error.retryDelay', unit: 'duration' },
    { kind: 'units', bucket: 'reads', path: 'took' },
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
      log: { debug() {} },
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

  it('in the body: what a call took is counted by its answer', async () => {
    reply = { body: { took: 100 } };
    await get();
    await expect(get()).rejects.toMatchObject({ code: 'quota_wait', details: { bucket: 'acme.reads' } });
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

  it.each([
    ['entries that are none', '{"1":[null,5,"x",[{"used":99}]],"2":null}'],
    ['a type that cannot be told', '{"1":[{"type":{"toString":1},"used":10}]}'],
    ['names that every object has', '{"1":[{"type":"constructor","used":10},{"type":"__proto__","used":10}]}'],
  ])('in damaged headers: %s do not spoil the answer', async (_name, text) => {
    reply = { headers: { 'x-usage': text }, body: { fine: true } };
    expect((await get()).json).toEqual({ fine: true });
    expect(await pass()).toBe(200);
    expect(asked).toBe(2);
  });

  it.each(['1e9', '99999999999999999999', 'Fri, 31 Dec 9999 23:59:59 GMT'])(
    'as a wait of years (%s): the bucket’s own rule holds, and quotas can still be shown',
    async (wait) => {
      reply = { status: 429, headers: { 'retry-after': wait } };
      expect(await pass()).toBe(429);
      const [reads] = pacer.snapshot();
      const rests = Date.parse(reads?.resting_until as string) - Date.now();
      expect(rests).toBeGreaterThan(50_000);
      expect(rests).toBeLessThanOrEqual(60_000);
    },
  );

  it('about one ad account: what all calls share is not laid low for it', async () => {
    const known = platform.errors.classify;
    platform.errors.classify = (request, response) => {
      const failure = known(request, response);
      return failure === null ? null : { ...failure, scope: 'organization', bucket: 'account' };
    };
    reply = { status: 429 };
    expect(await pass()).toBe(429);
    expect(pacer.snapshot()).toMatchObject([{ bucket: 'acme.reads', learned: false, resting_until: null }]);
    expect(pacer.counts().refusedByPlatform.size).toBe(0);
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

describe('figures that cannot be true', () => {
  const at = Date.parse('2026-11-22T12:00:00Z');
  const view = (reader: Partial<UsageReader>, headers: Record<string, string>) =>
    readUsage([reader as UsageReader], headers, at);

  it.each([
    ['120', 120_000],
    ['1.5', 1_500],
    [' 30 ', 30_000],
    ['Sun, 22 Nov 2026 12:01:00 GMT', 60_000],
    ['Sun, 22 Nov 2026 11:59:00 GMT', undefined],
    ['0', undefined],
    ['-5', undefined],
    ['1e9', undefined],
    ['Infinity', undefined],
    ['120, 120', undefined],
    ['soon', undefined],
    ['Sun, 22 Nov 2099 12:00:00 GMT', undefined],
  ])('Retry-After %j', (text, ms) => expect(retryAfterOf({ 'retry-after': text }, at)).toBe(ms));

  it('waits beyond belief, in every form', () => {
    for (const text of ['99999999999s', 'PT99999999H']) expect(waitOf(text, 'duration', at)).toBeUndefined();
    for (const unit of ['epoch_s', 'epoch_ms', 'seconds', 'minutes', 'ms'] as const)
      expect(waitOf('9e15', unit, at), unit).toBeUndefined();
    const failure: Classification = {
      ...{ code: 'platform_unavailable', retry: 'after', scope: 'platform', native: {}, retryAfterMs: 1e12 },
    };
    expect(withWait(failure, {} as Manifest, { headers: {}, json: undefined }, at).retryAfterMs).toBeUndefined();
  });

  it('waits of an outage, whose Retry-After may be a date that no platform module reads', () => {
    const failure = { code: 'platform_unavailable', retry: 'after', scope: 'platform', native: {} } as Classification;
    const wait = (text: string, retry: Classification['retry'] = 'after') =>
      withWait({ ...failure, retry }, {} as Manifest, { headers: { 'retry-after': text }, json: undefined }, at)
        .retryAfterMs;
    expect(wait(new Date(at + 30_000).toUTCString())).toBe(30_000);
    expect(wait('7')).toBe(7_000);
    for (const text of ['-7', 'soon', '99999999999', 'Thu, 01 Jan 1970 00:00:00 GMT', '7, 9'])
      expect([text, wait(text)]).toEqual([text, undefined]);
    expect(wait('7', 'never')).toBeUndefined();
  });

  it('limits and rests in headers', () => {
    const reader = { kind: 'headers', bucket: 'b', limit: 'l', remaining: 'r', reset: 't' } as const;
    expect(view(reader, { r: '-7', l: '1e300', t: '5' })).toEqual([['b', { remaining: 0, resetMs: 5_000 }]]);
    expect(view(reader, { r: '3', l: '-1', t: '9e15' })).toEqual([['b', { remaining: 3 }]]);
    expect(view(reader, { r: 'unlimited' })).toEqual([]);
    // Whole seconds: "full again in 0" is less than one, not never.
    expect(view(reader, { r: '0', t: '0' })).toEqual([['b', { remaining: 0, resetMs: 1_000 }]]);
    expect(view({ ...reader, resetUnit: 'ms' }, { r: '0', t: '0' })).toEqual([['b', { remaining: 0, resetMs: 0 }]]);
  });

  it('structured fields: names in quotes, repeated names, parameters of other types', () => {
    const reader = { kind: 'ietf', policies: { a: 'A', b: 'B', 'x,y;z': 'X' } } as const;
    const read = (ratelimit: string) => view(reader, { ratelimit });
    expect(read('"x,y;z";r=5;t=30, a;r=2')).toEqual([
      ['X', { remaining: 5, resetMs: 30_000 }],
      ['A', { remaining: 2 }],
    ]);
    expect(read('"q;r=0, b;r=0";r=1;t=9')).toEqual([]);
    expect(read('"a";r=7;pk=:Y2Rh:, "a";r=0;t=4;pk=:ZGF0:')).toEqual([['A', { remaining: 0, resetMs: 4_000 }]]);
    expect(read('"a";r=0;t=99999999999')).toEqual([['A', { remaining: 0 }]]);
    for (const text of ['"constructor";r=0', '"__proto__";r=0', '"a";r=?1', '"a";r="0"', '"a', ';;,,=', '"\\'])
      expect(read(text), text).toEqual([]);
  });

  it('several shares of one bucket: the largest counts', () => {
    const reader = { kind: 'percent', header: 'h', keyed: true, fields: ['n'], resetField: 'eta' } as const;
    const h = '{"1":[{"n":10},{"n":99,"eta":30}],"2":[{"n":50}]}';
    expect(view({ ...reader, buckets: { '*': 'b' }, slowAt: 75, stopAt: 95 }, { h })).toEqual([
      ['b', { fraction: 0.99, slowAt: 0.75, stopAt: 0.95, resetMs: 30_000 }],
    ]);
  });
});

import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClock } from './clock.ts';
import { ControlError, kitRoutes } from './control.ts';
import { createFaults } from './faults.ts';
import { createRequestLog } from './request-log.ts';
import { createSimulatorServer } from './server.ts';
import { openStore } from './store.ts';

/** A simulator of nothing: `POST /n` counts up, `GET /n` tells the count. */
async function startCounter() {
  const clock = createClock({ machine: () => Date.UTC(2026, 0, 1) });
  const store = openStore({ now: () => clock.now().getTime() });
  const counts = store.collection<{ id: string; n: number }>('counts');
  const faults = createFaults();
  const log = createRequestLog();
  let settings: Record<string, unknown> = { loud: false };
  let last: unknown;
  const json = (body: unknown, status = 200) => ({
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    code: 0,
  });
  const server = createSimulatorServer({
    clock,
    faults,
    log,
    control: kitRoutes({
      id: 'counter',
      clock,
      faults,
      log,
      reset: () => store.clear(),
      state: () => ({ counts: counts.size }),
      seed: (body) => {
        if (body['n'] === undefined) throw new ControlError(400, 'n is missing');
        counts.put({ id: 'n', n: Number(body['n']) });
        return { n: body['n'] };
      },
      settings: {
        read: () => settings,
        update: (patch) => {
          settings = { ...settings, ...patch };
        },
      },
    }),
    async handle(request) {
      if (request.path === '/broken') throw new Error('a mistake');
      last = { form: request.form, formError: request.formError };
      const from =
        request.asOf === undefined ? counts : store.asOf(request.asOf).collection<{ id: string; n: number }>('counts');
      const n = from.get('n')?.n ?? 0;
      if (request.method === 'POST') counts.put({ id: 'n', n: n + 1 });
      return json({ n: request.method === 'POST' ? n + 1 : n });
    },
    voice: (fault) => json({ fault }, 429),
    tokenOf: (request) => request.headers['authorization'],
    secretNames: ['secret'],
    report: () => {},
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.server.address() as { port: number };
  const url = `http://127.0.0.1:${port}`;
  const control = async (method: string, path: string, body?: unknown) => {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${url}/_control${path}`, { method, ...init });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const count = async () => ((await (await fetch(`${url}/n`)).json()) as { n: number }).n;
  return {
    url,
    port,
    clock,
    control,
    count,
    lastInput: () => last as Record<string, unknown>,
    close: () => server.close(),
  };
}

let counter: Awaited<ReturnType<typeof startCounter>>;
beforeEach(async () => {
  counter = await startCounter();
});
afterEach(() => counter.close());

const up = () => fetch(`${counter.url}/n`, { method: 'POST' });

describe('control API', () => {
  it('lists its routes and knows which methods a path takes', async () => {
    const { body } = await counter.control('GET', '');
    expect(body['routes']).toContainEqual(expect.objectContaining({ method: 'POST', path: '/_control/clock/advance' }));
    expect((await counter.control('GET', '/nonsense')).status).toBe(404);
    expect((await counter.control('PATCH', '/clock')).status).toBe(405);
  });

  it('moves the clock', async () => {
    expect((await counter.control('POST', '/clock/advance', { days: 1, seconds: 2 })).body['now']).toBe(
      '2026-01-02T00:00:02.000Z',
    );
    await counter.control('POST', '/clock/set', { at: '2027-03-04T05:06:07Z' });
    await counter.control('POST', '/clock/freeze', {});
    expect(counter.clock.state().frozenAt).toBe(Date.parse('2027-03-04T05:06:07Z'));
    expect((await counter.control('GET', '/clock')).body['now']).toBe('2027-03-04T05:06:07.000Z');
    await counter.control('POST', '/clock/reset');
    expect(counter.clock.now().toISOString()).toBe('2026-01-01T00:00:00.000Z');
  });

  it.each([
    ['/clock/advance', {}],
    ['/clock/advance', { days: 'two' }],
    ['/clock/advance', { days: 1e15 }],
    ['/clock/set', { at: 'soon' }],
    ['/faults', { kind: 'earthquake' }],
    ['/faults', { kind: 'latency', rate: 2 }],
    ['/faults', { kind: 'latency', times: 0 }],
    ['/faults', { kind: 'latency', path: 7 }],
    ['/seed', {}],
  ])('refuses %s %j with a reason', async (path, body) => {
    const answer = await counter.control('POST', path, body);
    expect(answer.status).toBe(400);
    expect((answer.body['error'] as { message: string }).message).not.toBe('');
  });

  it('refuses a body that is no JSON object', async () => {
    const response = await fetch(`${counter.url}/_control/clock/advance`, { method: 'POST', body: '[1' });
    expect(response.status).toBe(400);
  });

  it('seeds, shows, changes settings, resets', async () => {
    await counter.control('POST', '/seed', { n: 41 });
    expect(await counter.count()).toBe(41);
    expect((await counter.control('GET', '/state')).body).toMatchObject({ id: 'counter', counts: 1 });
    expect((await counter.control('PATCH', '/settings', { loud: true })).body).toEqual({ loud: true });
    await counter.control('POST', '/faults', { kind: 'server_error' });
    expect((await counter.control('POST', '/reset')).body).toEqual({ counts: 0 });
    expect(await counter.count()).toBe(0);
  });
});

describe('request log', () => {
  it('keeps what was asked and answered, with digests for secrets', async () => {
    const headers = { authorization: 'Bearer abc', 'content-type': 'application/json' };
    await fetch(`${counter.url}/n?secret=hidden&x=1`, {
      method: 'POST',
      headers,
      body: '{"secret":"hidden","deep":{"y":2}}',
    });
    const { body } = await counter.control('GET', '/log');
    const [entry] = body['requests'] as Record<string, unknown>[];
    expect(entry).toMatchObject({
      seq: 1,
      method: 'POST',
      path: '/n',
      status: 200,
      code: 0,
      query: { x: '1' },
      body: { deep: { y: 2 } },
    });
    expect(entry!['token']).toMatch(/^[0-9a-f]{12}$/);
    expect(JSON.stringify(body)).not.toContain('hidden');
    expect(JSON.stringify(body)).not.toContain('Bearer abc');
  });

  it('can be filtered and emptied, and goes on counting', async () => {
    await up();
    await counter.count();
    await fetch(`${counter.url}/other`);
    const of = async (query: string) =>
      ((await counter.control('GET', `/log?${query}`)).body['requests'] as { seq: number }[]).map(({ seq }) => seq);
    expect(await of('')).toEqual([1, 2, 3]);
    expect(await of('since=1&limit=1')).toEqual([3]);
    expect(await of('path=/n&method=get')).toEqual([2]);
    expect((await counter.control('GET', '/log?limit=x')).status).toBe(400);
    await counter.control('DELETE', '/log');
    await up();
    expect(await of('')).toEqual([4]);
  });
});

describe('faults over HTTP', () => {
  it('answers in the voice of the platform, or as a gateway', async () => {
    await counter.control('POST', '/faults', { kind: 'rate_limited', times: 1 });
    const limited = await up();
    expect([limited.status, await limited.json()]).toEqual([429, { fault: 'rate_limited' }]);
    await counter.control('POST', '/faults', { kind: 'html_gateway', times: 1 });
    const gateway = await up();
    expect([gateway.status, gateway.headers.get('content-type')]).toEqual([502, 'text/html']);
    expect(await gateway.text()).toContain('502 Bad Gateway');
    expect(await counter.count()).toBe(0);
  });

  it('drops before the work and after it', async () => {
    await counter.control('POST', '/faults', { kind: 'drop_before', times: 1 });
    await expect(up()).rejects.toThrow();
    expect(await counter.count()).toBe(0);
    await counter.control('POST', '/faults', { kind: 'drop_after', times: 1 });
    await expect(up()).rejects.toThrow();
    expect(await counter.count()).toBe(1);
    const { body } = await counter.control('GET', '/log?method=POST');
    expect((body['requests'] as { fault?: string }[]).map(({ fault }) => fault)).toEqual(['drop_before', 'drop_after']);
  });

  it('cuts an answer in the middle', async () => {
    await counter.control('POST', '/faults', { kind: 'truncate', times: 1 });
    const got = await new Promise<{ announced: number; bytes: number }>((resolve, reject) => {
      httpRequest({ port: counter.port, path: '/n' }, (response) => {
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        response.on('error', () => resolve({ announced: Number(response.headers['content-length']), bytes }));
        response.on('end', () => reject(new Error('the answer was whole')));
      })
        .on('error', reject)
        .end();
    });
    expect(got.bytes).toBe(Math.floor(got.announced / 2));
  });

  it('waits', async () => {
    await counter.control('POST', '/faults', { kind: 'latency', ms: 60, times: 1 });
    const started = performance.now();
    await up();
    expect(performance.now() - started).toBeGreaterThanOrEqual(55);
  });

  it('answers reads from the past', async () => {
    await up();
    await counter.control('POST', '/clock/advance', { seconds: 10 });
    await up();
    await counter.control('POST', '/faults', { kind: 'stale_reads', ms: 5000, times: 1 });
    expect(await counter.count()).toBe(1);
    expect(await counter.count()).toBe(2);
  });

  it('never touches the control API', async () => {
    await counter.control('POST', '/faults', { kind: 'drop_before' });
    expect((await counter.control('GET', '/faults')).status).toBe(200);
  });
});

describe('bodies', () => {
  it('hands over multipart parts with their bytes', async () => {
    const form = new FormData();
    form.append('name', 'a picture');
    form.append('file', new Blob([new Uint8Array([1, 2, 3])], { type: 'image/png' }), 'a.png');
    await fetch(`${counter.url}/n`, { method: 'POST', body: form });
    expect(counter.lastInput()['form']).toEqual({
      fields: { name: 'a picture' },
      files: [{ field: 'file', filename: 'a.png', mimeType: 'image/png', content: Buffer.from([1, 2, 3]) }],
    });
    const { body } = await counter.control('GET', '/log');
    expect((body['requests'] as { body: unknown }[])[0]!.body).toEqual({
      name: 'a picture',
      files: [{ field: 'file', filename: 'a.png', bytes: 3 }],
    });
  });

  it('tells of a multipart body that is broken', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    const response = await fetch(`${counter.url}/n`, { method: 'POST', headers, body: '--x\r\nnonsense' });
    expect(response.status).toBe(200);
    expect(counter.lastInput()['formError']).toBeTypeOf('string');
  });

  it('refuses a URL that cannot be decoded, as plain text', async () => {
    const response = await fetch(`${counter.url}/%zz`);
    expect([response.status, await response.text()]).toEqual([400, '400 Bad Request']);
  });

  it('answers 500 for a mistake of its own and lives on', async () => {
    expect((await fetch(`${counter.url}/broken`)).status).toBe(500);
    expect(await counter.count()).toBe(0);
  });
});

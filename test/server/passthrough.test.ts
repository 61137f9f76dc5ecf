import { once } from 'node:events';
import { Agent, type ClientRequest, request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from './support/harness.ts';
import { json } from './support/upstream.ts';

let h: Harness;
let base: string;

beforeAll(async () => {
  h = await startHarness();
  base = `/passthrough/${h.connection.id}`;
});
afterAll(() => h.close());

beforeEach(() => {
  h.upstream.seen.length = 0;
  h.upstream.answer((_request, response) => json(response, { ok: true }));
});

const last = () => h.upstream.seen.at(-1);

/** A request whose address is sent as it stands, which `fetch` would tidy up. */
function send(
  path: string,
  method = 'GET',
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${h.url}/`,
      { method, path, headers: { authorization: h.keys.write, ...headers } },
      async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve({ status: response.statusCode ?? 0, text });
      },
    );
    request.on('error', reject);
    request.end();
  });
}

describe('addresses', () => {
  it.each([
    ['/v1/ad/get/', '/v1/ad/get/'],
    ['/v1/ad/get/?a=1&b=x%2Cy&a=2&c=+%20', '/v1/ad/get/?a=1&b=x%2Cy&a=2&c=+%20'],
    ['/v1/name%20with%2Fslash/x', '/v1/name%20with%2Fslash/x'],
    ['/open_api%2Fv1.3%2Fad%2Fget%2F', '/open_api/v1.3/ad/get/'],
    ['/open_api%2fv1.3%2fad%2fget', '/open_api/v1.3/ad/get'],
    ['/v1%2Fad%3Fpage%3D1%26q%3Da%2520b', '/v1/ad?page=1&q=a%20b'],
    ['/v1%2Fad%3Fpage%3D1?page_size=2', '/v1/ad?page=1&page_size=2'],
    ['/%2Fv1%2Fad', '/v1/ad'],
    ['/v1%2Fgr%C3%BC%C3%9Fe%20x', '/v1/gr%C3%BC%C3%9Fe%20x'],
    ['/single', '/single'],
    ['/', '/'],
  ])('%s reaches the platform as %s', async (given, expected) => {
    expect((await send(`${base}${given}`)).status).toBe(200);
    expect(last()?.url).toBe(expected);
  });

  it.each([
    '/http://evil.invalid/x',
    '/http:%2F%2Fevil.invalid%2Fx',
    '//evil.invalid/x',
    '/%2F%2Fevil.invalid%2Fx',
    '/%5C%5Cevil.invalid%2Fx',
    '/..%2F..%2Fx',
    '/../x',
    '/v1/%2e%2e/x',
    '/@evil.invalid',
  ])('%s reaches no other host', async (given) => {
    const answer = await send(`${base}${given}`);
    if (answer.status === 200) expect(last()?.headers.host).toBe(new URL(h.upstream.url).host);
    else expect(JSON.parse(answer.text).code).toMatch(/^(passthrough_host_refused|route_unknown)$/);
  });

  it('may be whole URLs, as clients behind a proxy send them', async () => {
    expect((await send(`http://whatever.invalid${base}/v1/ad/get/?a=1`)).status).toBe(200);
    expect(last()?.url).toBe('/v1/ad/get/?a=1');
  });

  it('refuse an encoded path that is not text', async () => {
    const answer = await send(`${base}/v1%2Fad%ff`);
    expect(answer.status).toBe(400);
    expect(h.upstream.seen).toHaveLength(0);
  });
});

describe('requests', () => {
  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])(
    '%s goes through with body and headers, and our token instead of the key',
    async (method) => {
      let body = '';
      h.upstream.answer(async (request, response) => {
        for await (const chunk of request) body += chunk;
        json(response, { done: true });
      });
      const answer = await h.fetch(`${base}/v1/thing`, {
        method,
        headers: {
          'content-type': 'application/x-odd',
          'x-custom': 'kept',
          cookie: 'a=b',
          'x-forwarded-for': '1.2.3.4',
        },
        ...(method === 'GET' ? {} : { body: '{not json' }),
      });
      expect(answer.status).toBe(200);
      expect(body).toBe(method === 'GET' ? '' : '{not json');
      expect(last()?.method).toBe(method);
      expect(last()?.headers).toMatchObject({ 'x-token': 'platform-token', 'x-custom': 'kept' });
      expect(last()?.headers['authorization']).toBeUndefined();
      expect(last()?.headers['cookie']).toBeUndefined();
      expect(last()?.headers['x-forwarded-for']).toBeUndefined();
      expect(JSON.stringify(last()?.headers)).not.toContain(h.keys.write);
    },
  );

  it('GET goes through with a body where it has one', async () => {
    let body = '';
    h.upstream.answer(async (request, response) => {
      for await (const chunk of request) body += chunk;
      json(response, { done: true });
    });
    const status = await new Promise((resolve, reject) => {
      const headers = { authorization: h.keys.read, 'content-type': 'application/json', 'content-length': 7 };
      const request = httpRequest(`${h.url}${base}/v1/thing`, { headers }, (answer) => resolve(answer.statusCode));
      request.on('error', reject).end('{"a":1}');
    });
    expect({ status, body }).toEqual({ status: 200, body: '{"a":1}' });
  });

  it('headers that Connection names stay with their connection, both ways', async () => {
    h.upstream.answer((_request, response) => {
      const headers = { connection: 'X-Theirs', 'x-theirs': '1', 'x-answer': 'kept', 'content-type': 'text/plain' };
      response.writeHead(200, headers).end('ok');
    });
    const headers = await new Promise<unknown>((resolve, reject) => {
      const options = {
        headers: { authorization: h.keys.read, connection: 'close, X-Ours', 'x-ours': '1', 'x-own': '2' },
      };
      httpRequest(`${h.url}${base}/v1/thing`, options, (answer) => resolve(answer.resume().headers))
        .on('error', reject)
        .end();
    });
    expect(last()?.headers).toMatchObject({ 'x-own': '2' });
    expect(last()?.headers).not.toHaveProperty('x-ours');
    expect(headers).toMatchObject({ 'x-answer': 'kept' });
    expect(headers).not.toHaveProperty('x-theirs');
  });

  it('refuses a body that is longer than the limit, said or found', async () => {
    const small = await startHarness({ POLYAD_PASSTHROUGH_LIMIT_MB: '0.001' });
    try {
      small.upstream.answer(async (request, response) => {
        for await (const _ of request);
        json(response, {});
      });
      const said = await small.fetch(`/passthrough/${small.connection.id}/v1/x`, {
        method: 'POST',
        body: 'x'.repeat(5000),
      });
      expect(said.status).toBe(413);
      const found = await small.fetch(`/passthrough/${small.connection.id}/v1/x`, {
        method: 'POST',
        body: Readable.toWeb(Readable.from([Buffer.alloc(600), Buffer.alloc(600)])) as ReadableStream,
        duplex: 'half',
      } as RequestInit);
      expect(found.status).toBe(413);
      const fits = await small.fetch(`/passthrough/${small.connection.id}/v1/x`, {
        method: 'POST',
        body: 'x'.repeat(1000),
      });
      expect(fits.status).toBe(200);
    } finally {
      await small.close();
    }
  });
});

describe('answers', () => {
  it('come back with status, headers and body as the platform sent them', async () => {
    h.upstream.answer((_request, response) => {
      response.writeHead(
        418,
        [
          ['Content-Type', 'text/csv; charset=latin1'],
          ['X-Twice', 'one'],
          ['X-Twice', 'two'],
          ['X-Tt-Logid', 'abc'],
          ['Keep-Alive', 'timeout=5'],
        ].flat(),
      );
      response.end(Buffer.from([0xe9, 0x0a]));
    });
    const answer = await h.fetch(`${base}/v1/x`);
    expect(answer.status).toBe(418);
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=latin1');
    expect(answer.headers.get('x-twice')).toBe('one, two');
    expect(answer.headers.get('x-tt-logid')).toBe('abc');
    expect([...new Uint8Array(await answer.arrayBuffer())]).toEqual([0xe9, 0x0a]);
    expect(answer.headers.get('x-endapi-response-time')).toMatch(/^\d+$/);
    expect(answer.headers.get('x-request-id')).toBeTruthy();
  });

  it('keep compressed bodies compressed', async () => {
    const { gzipSync } = await import('node:zlib');
    const packed = gzipSync('{"a":1}');
    h.upstream.answer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(packed);
    });
    const answer = await h.fetch(`${base}/v1/x`);
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(await answer.json()).toEqual({ a: 1 });
  });

  it.each([204, 304])('may be empty: %i', async (status) => {
    h.upstream.answer((_request, response) => {
      response.writeHead(status).end();
    });
    const answer = await h.fetch(`${base}/v1/x`);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toBe('');
  });

  it('are our own error when the platform does not answer at all', async () => {
    h.upstream.answer((request) => {
      request.socket.destroy();
    });
    const answer = await h.fetch(`${base}/v1/x`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'platform_unavailable' });
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  });

  it('that come while the client is still sending reach it, on a connection that stays open', async () => {
    h.upstream.answer((_request, response) => {
      response.writeHead(413, { 'content-type': 'text/plain' }).end('too much');
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const exchange = (
      method: string,
      path: string,
      send: (request: ClientRequest, answered: Promise<unknown>) => void,
    ) =>
      new Promise<{ status: number; text: string; port: number }>((resolve, reject) => {
        const request = httpRequest(`${h.url}${base}${path}`, {
          method,
          agent,
          headers: { authorization: h.keys.write },
        });
        send(request, once(request, 'response'));
        request.on('error', reject);
        request.on('response', async (response) => {
          const port = response.socket.localPort ?? 0;
          let text = '';
          for await (const chunk of response) text += chunk;
          resolve({ status: response.statusCode ?? 0, text, port });
        });
      });
    const upload = await exchange('POST', '/v1/upload', (request, answered) => {
      request.write(Buffer.alloc(1024 * 1024));
      // The rest goes out only after the answer has come.
      void answered.then(() => request.end(Buffer.alloc(1024 * 1024)));
    });
    expect(upload).toMatchObject({ status: 413, text: 'too much' });
    const next = await exchange('GET', '/v1/next', (request) => request.end());
    expect(next).toMatchObject({ status: 413, port: upload.port });
    agent.destroy();
  });

  it('that break off in the middle break off for the client too, and are the platform’s doing in log and metrics', async () => {
    const count = async (name: string): Promise<string | undefined> =>
      (await (await h.fetch('/metrics')).text()).split('\n').find((line) => line.startsWith(name));
    const aborted = 'polyad_http_aborted_total{route="/passthrough/:connection_id/*"}';
    const before = await count(aborted);
    h.upstream.answer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('[1,', () => response.destroy());
    });
    await expect(h.fetch(`${base}/v1/broken`).then((answer) => answer.text())).rejects.toThrow();
    expect((await h.calls()).find(({ path }) => path.endsWith('/v1/broken'))).toMatchObject({
      error: expect.stringContaining('platform_unavailable'),
    });
    expect(await count(aborted)).toBe(before);
    expect(await count('polyad_errors_total{code="platform_unavailable",platform="testads"}')).toMatch(/ [1-9]/);
  });

  it('that break off before their first byte are our own error, and not one of ours', async () => {
    h.upstream.answer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '10' });
      response.flushHeaders();
      setTimeout(() => response.socket?.resetAndDestroy(), 50);
    });
    const answer = await h.fetch(`${base}/v1/x`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'platform_unavailable', actor: 'platform' });
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  });

  it('keep a status that no standard knows', async () => {
    h.upstream.answer((_request, response) => {
      response.writeHead(999, { 'content-type': 'text/plain' }).end('denied');
    });
    expect(await send(`${base}/v1/x`)).toEqual({ status: 999, text: 'denied' });
  });
});

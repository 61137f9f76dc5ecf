import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HttpClient } from './client.ts';
import { EgressPolicy } from './egress.ts';
import { Exchange } from './exchange.ts';

const tooLarge = (): Error => new Error('too large');

describe('an exchange over HTTP', () => {
  let server: Server;
  let client: HttpClient;
  let url: string;
  let answer: RequestListener;
  beforeEach(async () => {
    server = createServer((request, response) => answer(request, response));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    client = new HttpClient(new EgressPolicy({ allow: [url] }));
  });
  afterEach(async () => {
    await client.destroy();
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  const request = (signal = new AbortController().signal) => ({
    method: 'GET',
    url: `${url}/a?b=c`,
    headers: {},
    signal,
  });

  it('gives names in lower case, repeated headers joined and apart', async () => {
    answer = (_request, response) =>
      response.writeHead(207, ['X-One', '1', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']).end('whole');
    const { status, headers, received, body } = await client.sendWhole(request(), 100, tooLarge);
    expect(status).toBe(207);
    expect(headers).toMatchObject({ 'x-one': '1', 'set-cookie': 'a=1, b=2' });
    expect(received).toMatchObject({ 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] });
    expect(String(body)).toBe('whole');
  });

  it('refuses a whole body that is too long, and hangs up', async () => {
    const closed = new Promise<void>((done) => {
      answer = (_request, response) => {
        response.on('close', done);
        response.write('x'.repeat(200));
      };
    });
    await expect(client.sendWhole(request(), 100, tooLarge)).rejects.toThrow('too large');
    await closed;
  });

  it('streams what is longer than small, what has no announced length, and whatever is wanted as a stream', async () => {
    const long = 'y'.repeat(300_000);
    answer = (_request, response) => response.writeHead(200, { 'content-length': long.length }).end(long);
    const streamed = await client.sendSmall(request(), 1_000);
    expect(Buffer.isBuffer(streamed.body)).toBe(false);
    expect(String(await buffer(streamed.body as Readable))).toBe(long);
    answer = (_request, response) => {
      response.write('a');
      response.end('b');
    };
    expect(String(await buffer((await client.sendSmall(request(), 1_000)).body as Readable))).toBe('ab');
    answer = (_request, response) => response.end('small');
    expect(String(await buffer((await client.send(request())).body))).toBe('small');
    const small = await client.sendSmall(request(), 1_000);
    expect(String(small.body as Buffer)).toBe('small');
  });

  it('holds a stream back whose reader does not read', async () => {
    let taken = 0;
    answer = (_request, response) => {
      const more = (): void => {
        while (taken < 64 * 1024 * 1024) {
          taken += 65_536;
          if (!response.write(Buffer.alloc(65_536))) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    };
    const { body } = await client.send(request());
    // Two answers of the other side, one after the other: far more would have come by then.
    for (let round = 0; round < 50; round += 1) await turn();
    expect(taken).toBeLessThan(32 * 1024 * 1024);
    let bytes = 0;
    for await (const chunk of body) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(taken);
  });

  it('ends with the signal: before the head, within a whole body, within a stream', async () => {
    const reason = new Error('the caller went');
    for (const begun of [false, true]) {
      const stop = new AbortController();
      const arrived = new Promise<void>((done) => {
        answer = (_request, response) => {
          if (begun) response.write('half');
          done();
        };
      });
      const waiting = client.sendWhole(request(stop.signal), 100, tooLarge);
      await arrived;
      stop.abort(reason);
      await expect(waiting).rejects.toBe(reason);
    }
    const stop = new AbortController();
    answer = (_request, response) => void response.write('half');
    const { body } = await client.send(request(stop.signal));
    const reading = buffer(body);
    stop.abort(reason);
    await expect(reading).rejects.toBe(reason);
    const over = new AbortController();
    over.abort(reason);
    await expect(client.send(request(over.signal))).rejects.toBe(reason);
  });

  it('hangs up when its reader gives a stream up, without an error of its own', async () => {
    const closed = new Promise<void>((done) => {
      answer = (_request, response) => {
        response.on('close', done);
        response.write('half');
      };
    });
    const { body } = await client.send(request());
    body.destroy();
    await closed;
  });

  it('fails where the answer breaks off: at once when wanted whole, at its place when streamed', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('half', () => response.destroy());
    };
    await expect(client.sendWhole(request(), 100, tooLarge)).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
    const broken = (await client.sendSmall(request(), 100)).body as Readable;
    const got: string[] = [];
    const reading = (async () => {
      for await (const chunk of broken) got.push(String(chunk));
    })();
    await expect(reading).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
    expect(got.join('')).toBe('half');
  });

  it('gives the body of a request up that cannot be sent', async () => {
    answer = (incoming) => incoming.socket.destroy();
    const sent = new Readable({ read() {} });
    sent.push('begun');
    await expect(client.send({ ...request(), method: 'POST', body: sent })).rejects.toThrow();
    expect(sent.destroyed).toBe(true);
  });
});

describe('a small body', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    vi.spyOn(globalThis, 'setTimeout');
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });
  const controller = {
    ...{ aborted: false, paused: false, reason: null },
    abort: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
  };
  const begin = () => {
    let exchange!: Exchange;
    const answered = new Promise<{ body: Readable | Buffer }>((resolve, reject) => {
      exchange = new Exchange({ as: 'small', most: 100 }, new AbortController().signal, null, resolve, reject);
    });
    exchange.onRequestStart(controller);
    exchange.onResponseStart(controller, 103, {});
    exchange.onResponseStart(controller, 200, { 'content-length': '15' });
    return { exchange, answered };
  };

  it('that comes at once is one piece, and sets no timer', async () => {
    const { exchange, answered } = begin();
    exchange.onResponseData(controller, Buffer.from('begun '));
    exchange.onResponseData(controller, Buffer.from('and ended'));
    exchange.onResponseEnd();
    expect(String((await answered).body)).toBe('begun and ended');
    expect(setTimeout).not.toHaveBeenCalled();
  });

  it('that takes its time streams on from where it began', async () => {
    const { exchange, answered } = begin();
    exchange.onResponseData(controller, Buffer.from('begun '));
    await vi.advanceTimersByTimeAsync(20);
    const { body } = await answered;
    expect(Buffer.isBuffer(body)).toBe(false);
    const out = (body as Readable).pipe(new PassThrough());
    expect(String(await new Promise((resolve) => out.once('data', resolve)))).toBe('begun ');
    exchange.onResponseData(controller, Buffer.from('and ended'));
    exchange.onResponseEnd();
    expect(String(await buffer(out))).toBe('and ended');
  });
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from './support/harness.ts';
import { json } from './support/upstream.ts';

let h: Harness;
afterEach(() => h.close());

describe('a stop', () => {
  it('refuses new requests, finishes those under way, streams too, and then ends', async () => {
    h = await startHarness();
    let finish: (() => void) | undefined;
    let begin: ((value: unknown) => void) | undefined;
    const begun = new Promise((resolve) => {
      begin = resolve;
    });
    h.upstream.answer((request, response) => {
      if (request.url === '/v1/slow') {
        begin?.(undefined);
        finish = () => json(response, { slow: true });
        return;
      }
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('[1,');
      const before = finish;
      finish = () => {
        before?.();
        response.end('2]');
      };
    });
    const slow = h.fetch(`/passthrough/${h.connection.id}/v1/slow`);
    await begun;
    const streamed = await h.fetch(`/passthrough/${h.connection.id}/v1/stream`);
    const idle = connect(Number(new URL(h.url).port), '127.0.0.1');
    idle.on('error', () => undefined);
    const idleClosed = new Promise((resolve) => idle.once('close', resolve));

    let ended = false;
    const stopped = h.app.stop(20_000).then((report) => {
      ended = true;
      return report;
    });
    // Whatever still gets in is told to go elsewhere, or finds nobody listening.
    const late = await h.fetch('/unified/apicall').then(
      async (answer) => ({ status: answer.status, code: (await answer.json()).code }),
      () => 'nobody listens',
    );
    expect(['nobody listens', { status: 503, code: 'server_stopping' }]).toContainEqual(late);
    expect(ended).toBe(false);

    finish?.();
    expect(await streamed.json()).toEqual([1, 2]);
    const answer = await slow;
    expect(answer.status).toBe(200);
    expect(answer.headers.get('connection')).toBe('close');
    expect(await answer.json()).toEqual({ slow: true });
    expect(await stopped).toEqual({ cut: 0 });
    await idleClosed;
    // Both are in the call log: it is written after the last answer.
    const paths = (await h.calls()).map(({ path, status }) => `${status} ${path.split('/').at(-1)}`);
    expect(paths.sort()).toEqual(['200 slow', '200 stream']);
  });

  it('cuts off what outlasts the deadline, and gives its platform call up', async () => {
    h = await startHarness();
    let gone = false;
    let begin: ((value: unknown) => void) | undefined;
    const begun = new Promise((resolve) => {
      begin = resolve;
    });
    h.upstream.answer((_request, response) => {
      begin?.(undefined);
      response.on('close', () => {
        gone = true;
      });
    });
    const hanging = h.fetch(`/passthrough/${h.connection.id}/v1/never`).then(
      (answer) => answer.status,
      () => 'cut off',
    );
    await begun;
    expect(await h.app.stop(50)).toEqual({ cut: 1 });
    expect(['cut off', 500, 503]).toContain(await hanging);
    await expect.poll(() => gone).toBe(true);
  });

  it('is not held up by connections that send nothing, or half a request', async () => {
    h = await startHarness();
    const { port } = new URL(h.url);
    let accepted = 0;
    h.app.server.on('connection', () => {
      accepted += 1;
    });
    const silent = ['', 'GET /healthz HT'].map((text) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
      socket.on('error', () => undefined).resume();
      return once(socket, 'close');
    });
    // One that sends its request late, but before anybody loses patience, is still answered.
    const late = connect(Number(port), '127.0.0.1');
    await expect.poll(() => accepted).toBe(3);
    const begun = performance.now();
    const stopped = h.app.stop(20_000);
    late.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    const [answer] = await once(late, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 200 /);
    expect(await stopped).toEqual({ cut: 0 });
    expect(performance.now() - begun).toBeLessThan(10_000);
    await Promise.all(silent);
  });

  it('is one stop, however often it is asked for', async () => {
    h = await startHarness();
    const [first, second] = [h.app.stop(1000), h.app.stop(1000)];
    expect(await first).toEqual(await second);
  });
});

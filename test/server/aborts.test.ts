import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from './support/harness.ts';
import { json } from './support/upstream.ts';

/** Clients per storm. */
const CLIENTS = 400;

let h: Harness;
const faults: unknown[] = [];
const fault = (error: unknown) => faults.push(error);

beforeAll(async () => {
  process.on('uncaughtException', fault);
  process.on('unhandledRejection', fault);
  h = await startHarness({ POLYAD_RATE_LIMIT_PER_MINUTE: '1000000' });
});
afterAll(async () => {
  await h.close();
  process.off('uncaughtException', fault);
  process.off('unhandledRejection', fault);
});

/** Sends a request and hangs up: at once, or after the first bytes of the answer. */
function hangUp(head: string, when: 'sent' | 'answering'): Promise<void> {
  const { port } = new URL(h.url);
  return new Promise((resolve) => {
    const socket: Socket = connect(Number(port), '127.0.0.1', () => {
      socket.write(head, () => {
        if (when === 'sent') socket.destroy();
      });
    });
    socket.once('data', () => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}

const get = (path: string, headers = '') =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${h.keys.write}\r\n${headers}\r\n`;
/** A body that is announced and never sent whole. */
const halfPost = (path: string) =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${h.keys.write}\r\nTransfer-Encoding: chunked\r\nContent-Type: a/b\r\n\r\n5\r\nhello\r\n`;

async function storm(make: (index: number) => { head: string; when: 'sent' | 'answering' }): Promise<void> {
  await Promise.all(
    Array.from({ length: CLIENTS }, (_, index) => {
      const { head, when } = make(index);
      return hangUp(head, when);
    }),
  );
  // The server has noticed all of them: nothing is under way any more, here and at the platform.
  await expect
    .poll(async () => /polyad_http_requests_active (\d+)/.exec(await (await h.fetch('/metrics')).text())?.[1], {
      timeout: 20_000,
    })
    .toBe('1');
  expect(faults).toEqual([]);
}

/** An answer that never ends by itself; tells when its client is gone. */
const endless = (open: Set<object>) => (_request: unknown, response: import('node:http').ServerResponse) => {
  open.add(response);
  response.on('close', () => open.delete(response));
  response.writeHead(200, { 'content-type': 'application/json' });
  const more = () => {
    while (!response.destroyed && response.write('x'.repeat(16_384)));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
};

describe('a storm of clients that hang up', () => {
  it('in the middle of a pass-through answer: the process lives and the platform calls end', async () => {
    const open = new Set<object>();
    h.upstream.answer(endless(open));
    const path = `/passthrough/${h.connection.id}/v1/endless`;
    await storm((index) => ({ head: get(path), when: index % 2 === 0 ? 'answering' : 'sent' }));
    await expect.poll(() => open.size).toBe(0);
  });

  it('in the middle of a pass-through upload', async () => {
    const open = new Set<object>();
    h.upstream.answer((request, response) => {
      open.add(response);
      request.on('error', () => undefined);
      request.resume();
      response.on('close', () => open.delete(response));
    });
    await storm(() => ({ head: halfPost(`/passthrough/${h.connection.id}/v1/upload`), when: 'sent' }));
    await expect.poll(() => open.size).toBe(0);
  });

  it('in the middle of a report', async () => {
    const rows = Array.from({ length: 5000 }, (_, id) => ({ id: String(id), name: `Campaign ${id}`, clicks: '1' }));
    h.upstream.answer((request, response) => {
      if (request.url?.startsWith('/v1/accounts') === true)
        return json(response, { rows: [{ id: 'o1', name: 'Shop' }] });
      json(response, { rows });
    });
    const path = `/ads/${h.connection.id}/report?org_id=o1&limit=5000`;
    await storm((index) => ({
      head: get(path, index % 4 < 2 ? 'Accept: application/x-ndjson\r\n' : ''),
      when: index % 2 === 0 ? 'answering' : 'sent',
    }));
  });

  it('while a list waits for the platform: its call is given up', async () => {
    const open = new Set<object>();
    h.upstream.answer((request, response) => {
      if (request.url?.startsWith('/v1/accounts') === true)
        return json(response, { rows: [{ id: 'o1', name: 'Shop' }] });
      open.add(response);
      response.on('close', () => open.delete(response));
    });
    await storm(() => ({ head: get(`/ads/${h.connection.id}/campaign?org_id=o1`), when: 'sent' }));
    await expect.poll(() => open.size).toBe(0);
  });

  it('with several requests on one connection, of which the later ones wait', async () => {
    const open = new Set<object>();
    h.upstream.answer(endless(open));
    const one = get(`/passthrough/${h.connection.id}/v1/endless`);
    await storm(() => ({ head: one + one + one, when: 'answering' }));
    await expect.poll(() => open.size).toBe(0);
  });

  it('leaves a server that answers as before', async () => {
    h.upstream.answer((_request, response) => json(response, { ok: true }));
    const answer = await h.fetch(`/passthrough/${h.connection.id}/v1/x`);
    expect(await answer.json()).toEqual({ ok: true });
    expect(faults).toEqual([]);
  });
});

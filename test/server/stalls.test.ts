/** Clients that neither go on nor hang up. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { RequestState } from '../../src/server/request.ts';
import { READER_SILENCE_MS, SENDER_SILENCE_MS, watchReader, watchSender } from '../../src/server/stalls.ts';
import { type Harness, startHarness } from './support/harness.ts';

/** Short, so that the test is. */
const SILENCE_MS = 100;

let app: FastifyInstance;
let h: Harness | undefined;
afterEach(async () => {
  await app?.close();
  await h?.close();
  h = undefined;
});

/** A server with one route; `send` opens a connection, sends a text and hears what comes back. */
async function serve(route: (app: FastifyInstance) => void) {
  app = Fastify({ forceCloseConnections: true, keepAliveTimeout: SILENCE_MS });
  app.decorateRequest('state', null as unknown as RequestState);
  app.addHook('onRequest', async (request, reply) => {
    request.state = new RequestState();
    watchSender(request, reply, SILENCE_MS);
  });
  route(app);
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  return (text: string): { socket: Socket; heard: () => string; closed: Promise<unknown> } => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let heard = '';
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        heard += chunk;
      });
    return { socket, heard: () => heard, closed: once(socket, 'close') };
  };
}

const head = (method: string, length: number): string =>
  `${method} / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

describe('a client that stops in the middle of its body', () => {
  it('is told so and let go', async () => {
    const send = await serve((server) => server.post('/', async () => 'never'));
    const { heard, closed } = send(`${head('POST', 1000)}{"a`);
    await closed;
    expect(heard()).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('is let go too where the answer was there before the end of the body', async () => {
    const send = await serve((server) =>
      server.post('/', { onRequest: async (_request, reply) => reply.code(401).send('no') }, async () => 'never'),
    );
    const { heard, closed } = send(`${head('POST', 1000)}{"a`);
    await closed;
    expect(heard()).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('is not confused with one whose body is all there, and which nobody has read yet', async () => {
    const send = await serve((server) => {
      server.addContentTypeParser('text/plain', (_request, payload, done) => done(null, payload));
      server.post('/', async (request) => {
        await new Promise((resolve) => setTimeout(resolve, SILENCE_MS * 3));
        return `${(await Array.fromAsync(request.body as AsyncIterable<Buffer>)).join('').length} bytes`;
      });
    });
    const { socket, heard } = send(
      `${head('POST', 20_000).replace('application/json', 'text/plain')}${'x'.repeat(20_000)}`,
    );
    await Promise.race([once(socket, 'data'), once(socket, 'close')]);
    expect(heard()).toMatch(/^HTTP\/1\.1 200 [\s\S]*20000 bytes$/);
    socket.destroy();
  });

  it('is not confused with a handler that takes its time, nor with one that takes nothing of the body', async () => {
    const waited = new Promise((resolve) => setTimeout(resolve, SILENCE_MS * 3));
    const send = await serve((server) => {
      server.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
      server.post('/', async () => waited.then(() => 'done'));
      server.addContentTypeParser('text/plain', async () => waited);
    });
    const slow = send(`${head('POST', 2)}{}`);
    const untaken = send(`${head('POST', 500_000).replace('application/json', 'text/plain')}${'x'.repeat(400_000)}`);
    await waited;
    await once(slow.socket, 'data');
    expect(slow.heard()).toMatch(/^HTTP\/1\.1 200 /);
    expect(untaken.heard()).not.toContain('408');
    untaken.socket.destroy();
    slow.socket.destroy();
  });
});

it('a client that reads nothing of its answer is cut off', async () => {
  let cut: Promise<unknown> | undefined;
  const send = await serve((server) =>
    server.get('/', async (_request, reply) => {
      watchReader(reply, SILENCE_MS);
      cut = once(reply.raw, 'close');
      return reply.send(Buffer.alloc(50_000_000));
    }),
  );
  const { socket } = send('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  socket.pause();
  await expect.poll(() => cut).toBeDefined();
  await cut;
  socket.destroy();
});

describe('the server', () => {
  it('watches over senders and readers, and has the system look for clients that are gone', async () => {
    h = await startHarness();
    const { port } = new URL(h.url);
    const { server } = h.app;
    const sockets: Socket[] = [];
    server.on('connection', (socket) => sockets.push(socket));
    h.upstream.answer((request, response) => {
      const begin = () => response.writeHead(200, { 'content-type': 'text/plain' }).write('begun');
      request.resume().once('end', begin);
    });
    const client = connect(Number(port), '127.0.0.1');
    const path = `/passthrough/${h.connection.id}/v1/x`;
    const headers = `host: x\r\nauthorization: ${h.keys.write}\r\n`;
    client.write(`POST ${path} HTTP/1.1\r\n${headers}content-length: 10\r\n\r\nabc`);
    await expect.poll(() => sockets[0]?.timeout).toBe(SENDER_SILENCE_MS);
    client.write('defghij');
    await once(client, 'data');
    expect(sockets[0]?.timeout).toBe(READER_SILENCE_MS);
    if (process.platform === 'linux') {
      // Field 6 of a connection: timer 02 is that of keep-alive probes.
      const hex = Number(port).toString(16).toUpperCase().padStart(4, '0');
      const peer = client.localPort?.toString(16).toUpperCase().padStart(4, '0');
      const line = readFileSync('/proc/net/tcp', 'utf8')
        .split('\n')
        .find((one) => one.includes(`:${hex} `) && new RegExp(`^\\s*\\d+: \\w+:${hex} \\w+:${peer} `).test(one));
      expect(line?.trim().split(/\s+/)[5]).toMatch(/^02:/);
    }
    client.destroy();
  });
});

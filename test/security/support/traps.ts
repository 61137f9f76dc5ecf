/** Servers of the security tests: a trap that only counts, a web server that answers as told, a DNS server that lies. */
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Resolve } from '../../../src/core/http/egress.ts';

export interface Trap {
  port: number;
  /** Connections that were made to it. */
  readonly connections: number;
  close(): Promise<void>;
}

/** Listens and counts; whoever connects has gone where nobody should. */
export async function startTrap(host = '127.0.0.1', port = 0): Promise<Trap> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export interface Web {
  /** `http://127.0.0.1:<port>` */
  origin: string;
  /** What it was asked. */
  readonly requests: readonly { method: string; url: string; headers: IncomingMessage['headers'] }[];
  close(): Promise<void>;
}

/** A web server whose answers `answer` writes. */
export async function startWeb(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Web> {
  const requests: Web['requests'][number][] = [];
  const server = createHttpServer((request, response) => {
    requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export interface LyingDns {
  /** Asks this server. */
  resolve: Resolve;
  /** Questions for IPv4 addresses that it was asked. */
  readonly asked: number;
  close(): Promise<void>;
}

/** A DNS server on loopback: `answers[name]` are the IPv4 addresses of each question in turn, over and over. */
export async function startDns(answers: Record<string, readonly (readonly string[])[]>): Promise<LyingDns> {
  let asked = 0;
  const turns = new Map<string, number>();
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = message[at] as number; length > 0; length = message[at] as number) {
      labels.push(message.toString('latin1', at + 1, at + 1 + length));
      at += length + 1;
    }
    const question = message.subarray(12, at + 5);
    const type = message.readUInt16BE(at + 1);
    const name = labels.join('.').toLowerCase();
    let addresses: readonly string[] = [];
    if (type === 1) {
      asked += 1;
      const turn = turns.get(name) ?? 0;
      turns.set(name, turn + 1);
      const all = answers[name] ?? [];
      addresses = all[turn % Math.max(1, all.length)] ?? [];
    }
    const head = Buffer.alloc(12);
    message.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(addresses.length, 6);
    // Name as a pointer to the question, type A, class IN, lives 0 seconds, four bytes.
    const records = addresses.map((address) =>
      Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]),
    );
    socket.send(Buffer.concat([head, question, ...records]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    resolve: async (hostname) => (await resolver.resolve4(hostname)).map((address) => ({ address, family: 4 })),
    get asked() {
      return asked;
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

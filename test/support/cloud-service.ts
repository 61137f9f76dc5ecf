/** What the simulators of cloud services share: listening, faults, and a log of what was asked. */
import { once } from 'node:events';
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/**
 * `down`: connections are cut. `throttled`, `denied`, `failing`: every request is refused in the service's own words.
 * `slow`: nothing is answered.
 */
export type Fault = 'none' | 'down' | 'throttled' | 'denied' | 'failing' | 'slow';

export interface CloudRequest {
  method: string;
  url: URL;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export interface CloudAnswer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface CloudService {
  url: string;
  port: number;
  fault: Fault;
  /** Only these many requests more meet the fault. */
  faultTimes: number;
  /** One entry per request that was let in: `GetSecretValue polyad/…`. */
  readonly log: string[];
  /** Requests that came, answered or not. */
  attempts: number;
  /** Requests whose proof of identity was wrong. */
  refused: number;
  close(): Promise<void>;
}

/** A refusal in the service's own words. */
export class Refusal extends Error {
  readonly answer: CloudAnswer;
  constructor(answer: CloudAnswer) {
    super(`refused with ${answer.status}`);
    this.answer = answer;
  }
}

export interface CloudOptions {
  tls?: { cert: string; key: string };
  port?: number;
  handle(request: CloudRequest, service: CloudService): CloudAnswer;
  /** The service's words for a fault. */
  words(fault: 'throttled' | 'denied' | 'failing'): CloudAnswer;
}

export async function startCloudService(options: CloudOptions): Promise<CloudService> {
  const sockets = new Set<Socket>();
  const onRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    service.attempts += 1;
    const { fault } = service;
    if (fault === 'slow') return;
    if (fault === 'down') {
      request.socket.destroy();
      return;
    }
    let answer: CloudAnswer;
    try {
      if (fault !== 'none' && service.faultTimes-- > 0) answer = options.words(fault);
      else
        answer = options.handle(
          {
            method: request.method ?? 'GET',
            url: new URL(request.url ?? '/', service.url),
            headers: request.headers,
            body: Buffer.concat(chunks),
          },
          service,
        );
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answer = error.answer;
    }
    const body = answer.body === undefined ? '' : JSON.stringify(answer.body);
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(body);
  };
  const server =
    options.tls === undefined ? createPlain() : createSecure({ cert: options.tls.cert, key: options.tls.key });
  server.on('request', (request, response) => {
    onRequest(request, response).catch((error: unknown) => {
      process.stderr.write(`cloud simulator: ${String(error)}\n`);
      response.writeHead(500).end();
    });
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const service: CloudService = {
    url: options.tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    port,
    fault: 'none',
    faultTimes: Number.POSITIVE_INFINITY,
    log: [],
    attempts: 0,
    refused: 0,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return service;
}

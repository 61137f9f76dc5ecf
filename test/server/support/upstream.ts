/** A platform that is not there: a bare HTTP server whose answers a test decides. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface Upstream {
  url: string;
  server: Server;
  /** Requests that came, oldest first. */
  seen: { method: string; url: string; headers: NodeJS.Dict<string | string[]> }[];
  /** Decides what is answered from now on. */
  answer(handler: Handler): void;
  close(): Promise<void>;
}

export async function startUpstream(): Promise<Upstream> {
  let current: Handler = (_request, response) => {
    response.writeHead(404).end();
  };
  const seen: Upstream['seen'] = [];
  const server = createServer((request, response) => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    response.on('error', () => undefined);
    void current(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    seen,
    answer: (handler) => {
      current = handler;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers JSON. */
export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

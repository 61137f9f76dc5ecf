import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpClient } from './client.ts';
import { EgressPolicy } from './egress.ts';

/** More than any cap that one would think of for all tenants together. */
const MANY = 300;

const held: ServerResponse[] = [];
const server = createServer((request, response) => {
  if (request.url === '/held') {
    response.writeHead(200).write('begun');
    held.push(response);
  } else response.end('at once');
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('calls under way', () => {
  it('keep no other call waiting, however many there are and however long they last', async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = new HttpClient(new EgressPolicy({ allow: [origin] }));
    const { signal } = new AbortController();
    const get = (path: string) => client.send({ method: 'GET', url: origin + path, headers: {}, signal });
    // Nobody reads these: as when the callers of as many downloads have gone to sleep.
    await Promise.all(Array.from({ length: MANY }, () => get('/held')));
    expect(held).toHaveLength(MANY);
    expect((await get('/other')).status).toBe(200);
    await client.destroy();
  });
});

/**
 * The floor of what a proxy costs: node:http in front, one undici pool behind, bodies piped. No keys, no quotas, no log.
 * `node bench/support/bare-proxy.ts <upstream url>` prints its port.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { Pool } from 'undici';

const pool = new Pool(process.argv[2] as string, { connections: 64, pipelining: 1 });

const server = createServer((request, response) => {
  pool
    .request({ path: request.url as string, method: 'GET' })
    .then(({ statusCode, headers, body }) => {
      const { connection: _hop, 'keep-alive': _alive, ...kept } = headers;
      response.writeHead(statusCode, kept);
      pipeline(body, response, () => undefined);
    })
    .catch(() => response.writeHead(502).end());
});
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.on('disconnect', () => process.exit(0));

/**
 * A bare node:http stand-in for the platform, as a process of its own: fixed answers made once, so that its cost is the
 * floor that everything is compared with. `node bench/support/upstream.ts` prints its port.
 *
 * `campaign/get` answers one page of 50 campaigns, `file/big` as many megabytes as `?mb=` says, reports have
 * POLYAD_BENCH_ENTITIES objects.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { advertiserInfo, campaignPage, granted, reportPage, userInfo } from './campaigns.ts';

const PREFIX = '/open_api/v1.3/';
const PIECE = Buffer.alloc(256 * 1024, 'polyad ');

const fixed = new Map<string, Buffer>([
  ['campaign/get/', Buffer.from(campaignPage())],
  ['oauth2/advertiser/get/', Buffer.from(granted())],
  ['advertiser/info/', Buffer.from(advertiserInfo())],
  ['user/info/', Buffer.from(userInfo())],
]);
const entities = Number(process.env['POLYAD_BENCH_ENTITIES'] ?? 1_000);
const counted = Buffer.from(
  JSON.stringify({ code: 0, message: 'OK', data: { list: [], page_info: { total_number: 1 } } }),
);

function json(response: ServerResponse, body: Buffer): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}

function big(response: ServerResponse, megabytes: number): void {
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  let left = megabytes * 4;
  const more = (): void => {
    while (left > 0) {
      left -= 1;
      if (!response.write(PIECE)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const path = (mark < 0 ? url : url.slice(0, mark)).slice(PREFIX.length);
  const body = fixed.get(path);
  if (request.method === 'POST') {
    // Whatever is sent is read and counted.
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => json(response, Buffer.from(JSON.stringify({ code: 0, message: 'OK', data: { bytes } }))));
    return;
  }
  if (body !== undefined) {
    json(response, body);
    return;
  }
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  if (path === 'report/integrated/get/') json(response, Buffer.from(reportPage(query, entities)));
  else if (path === 'file/big/') big(response, Number(query.get('mb') ?? 1));
  // The lists that reports ask for a count.
  else json(response, counted);
}

const server = createServer(answer);
server.keepAliveTimeout = 120_000;
server.listen(Number(process.env['POLYAD_BENCH_PORT'] ?? 0), '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
process.on('disconnect', () => process.exit(0));

/**
 * `npm run bench:memory`: what a node holds. Resident memory of a node with nothing to do; with 10,000 clients that keep
 * their connection open after a call; while a pass-through of 500 MB streams down and another up.
 */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { Readable } from 'node:stream';
import { ADVERTISER } from './support/campaigns.ts';
import { install } from './support/installation.ts';
import { memoryMb, Noise, resetPeak } from './support/machine.ts';
import { record } from './support/results.ts';
import { short } from './support/stats.ts';

const CONNECTIONS = Number(process.env['POLYAD_BENCH_CONNECTIONS'] ?? 10_000);
const MEGABYTES = Number(process.env['POLYAD_BENCH_MB'] ?? 500);

const all = await install('memory', { tenants: 20, probe: true });
const { server, tenants } = all;
const noise = new Noise([server.pid, all.upstream.pid]);
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_500));

/** One GET whose connection the agent keeps. */
function get(agent: Agent, path: string, key: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(`${server.url}${path}`, { agent, headers: { authorization: key } }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? 0));
      answer.once('error', reject);
    });
    asked.once('error', reject);
    asked.end();
  });
}

// Warm: code compiled, ad accounts looked up.
const warm = new Agent({ keepAlive: true, maxSockets: 8 });
for (let round = 0; round < 10; round += 1)
  await Promise.all(
    tenants.map(({ key, connection }) => get(warm, `/ads/${connection}/campaign?limit=50&org_id=${ADVERTISER}`, key)),
  );
warm.destroy();
await settle();
const idle = memoryMb(server.pid).now;

// An agent for each block of connections, so that every one of them is a socket of its own.
const agents: Agent[] = [];
const BLOCK = 200;
let good = 0;
for (let made = 0; made < CONNECTIONS; made += BLOCK) {
  const agent = new Agent({ keepAlive: true, maxSockets: BLOCK, maxFreeSockets: BLOCK });
  agents.push(agent);
  const answers = await Promise.all(
    Array.from({ length: Math.min(BLOCK, CONNECTIONS - made) }, (_, at) =>
      get(agent, '/unified/connection?limit=1', tenants[at % tenants.length]?.key ?? ''),
    ),
  );
  good += answers.filter((status) => status === 200).length;
}
await settle();
const held = memoryMb(server.pid).now;
const open = agents.reduce((sum, agent) => sum + Object.values(agent.freeSockets).flat().length, 0);
for (const agent of agents) agent.destroy();
await settle();

const [tenant] = tenants as [(typeof tenants)[0]];
const before = memoryMb(server.pid).now;
await resetPeak(server.pid);
const down = await fetch(`${server.url}/passthrough/${tenant.connection}/open_api/v1.3/file/big/?mb=${MEGABYTES}`, {
  headers: { authorization: tenant.key },
});
let bytes = 0;
for await (const chunk of down.body as unknown as AsyncIterable<Uint8Array>) bytes += chunk.length;
const downPeak = memoryMb(server.pid).peak;

await resetPeak(server.pid);
const piece = Buffer.alloc(1024 * 1024, 'polyad ');
const up = request(`${server.url}/passthrough/${tenant.connection}/open_api/v1.3/file/upload/`, {
  method: 'POST',
  headers: {
    authorization: tenant.key,
    'content-type': 'application/octet-stream',
    'content-length': String(piece.length * MEGABYTES),
  },
});
const answered = once(up, 'response');
Readable.from(
  (function* () {
    for (let sent = 0; sent < MEGABYTES; sent += 1) yield piece;
  })(),
).pipe(up);
const [answer] = (await answered) as [import('node:http').IncomingMessage];
let text = '';
for await (const chunk of answer) text += String(chunk);
const upBytes = Number((JSON.parse(text) as { data: { bytes: number } }).data.bytes);
const upPeak = memoryMb(server.pid).peak;

const mb = (value: number): string => `${short(value)} MB`;
record({
  name: 'memory',
  what: `Resident memory of a node (${all.engine})`,
  noise: noise.share(),
  rows: [
    { state: 'idle', memory: mb(idle) },
    { state: `${open} open connections`, memory: mb(held), more: `${short(((held - idle) * 1024) / open)} kB each` },
    {
      state: `${MEGABYTES} MB down by pass-through, most`,
      memory: mb(downPeak),
      more: `${mb(downPeak - before)} more than before`,
    },
    {
      state: `${MEGABYTES} MB up by pass-through, most`,
      memory: mb(upPeak),
      more: `${mb(upPeak - before)} more than before`,
    },
  ],
  targets: [
    {
      name: 'connections answered',
      value: good,
      target: String(CONNECTIONS),
      met: good === CONNECTIONS && open >= CONNECTIONS * 0.99,
    },
    {
      name: 'bytes through, down and up',
      value: `${bytes} / ${upBytes}`,
      target: 'all',
      met: bytes >= MEGABYTES * 1024 * 1024 && upBytes === MEGABYTES * 1024 * 1024,
    },
    {
      name: 'growth while streaming down',
      value: mb(downPeak - before),
      target: '< 50 MB, whatever the size',
      met: downPeak - before < 50,
    },
    {
      name: 'growth while streaming up',
      value: mb(upPeak - before),
      target: '< 50 MB, whatever the size',
      met: upPeak - before < 50,
    },
  ],
});
await all.close();
process.exit(0);

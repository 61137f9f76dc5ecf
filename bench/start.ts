/**
 * `npm run bench:start`: how long a user waits. From spawning `polyad start --json` on an empty directory (embedded
 * database, simulators, demo account connected through the OAuth flow) to its ready line and to the first good answer;
 * the same on the directory it left; the first start where no compiled code was kept yet; and a node on Postgres. Memory
 * is resident memory of the whole process: two seconds after the first good answer, and the most until then.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ownDatabase } from './support/database.ts';
import { cpuSeconds, memoryMb, Noise } from './support/machine.ts';
import { cleanEnv, ownDirectory, SERVER_ENV, SERVER_FLAGS } from './support/processes.ts';
import { atMost, record } from './support/results.ts';
import { short, shortSpread, spread } from './support/stats.ts';

const ROUNDS = Number(process.env['POLYAD_BENCH_ROUNDS'] ?? 5);
const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

interface Start {
  readyMs: number;
  answerMs: number;
  /** CPU that the process used until the first good answer: what a start costs on a quiet machine, and more. */
  cpuMs: number;
  memoryMb: number;
  peakMb: number;
}

async function start(
  env: Record<string, string>,
  args: readonly string[],
  probe: (ready: Ready) => string,
): Promise<Start> {
  const begun = performance.now();
  const child = spawn(process.execPath, [...SERVER_FLAGS, MAIN, 'start', '--json', ...args], {
    env: cleanEnv({
      ...SERVER_ENV,
      POLYAD_PORT: '0',
      POLYAD_SIMULATOR_PORT: '0',
      POLYAD_DRAIN_SECONDS: '0',
      POLYAD_LOG_LEVEL: 'error',
      ...env,
    }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8');
  for await (const text of child.stdout) {
    out += text as string;
    if (out.includes('\n')) break;
  }
  const readyMs = performance.now() - begun;
  const ready = JSON.parse(out) as Ready;
  const answer = await fetch(probe(ready), { headers: { authorization: ready.api_key ?? '' } });
  await answer.text();
  if (!answer.ok) throw new Error(`the first answer is ${answer.status}`);
  const answerMs = performance.now() - begun;
  const pid = child.pid as number;
  const cpuMs = cpuSeconds(pid) * 1000;
  // What the start left is given back after a moment; what stays is what the node takes.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const memory = memoryMb(pid);
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await closed;
  return { readyMs, answerMs, cpuMs, memoryMb: memory.now, peakMb: memory.peak };
}

interface Ready {
  url: string;
  api_key: string | null;
  connections: { id: string }[];
}

const demo = ({ url, connections }: Ready): string => `${url}/ads/${connections[0]?.id}/campaign?limit=5`;
const starts: Record<string, Start[]> = {
  'first start': [],
  'second start': [],
  'first start, nothing compiled yet': [],
  'node on Postgres': [],
};
const noise = new Noise([]);
const database = await ownDatabase('start');
const node = await ownDirectory();
for (let round = 0; round < ROUNDS; round += 1) {
  const directory = await ownDirectory();
  starts['first start']?.push(await start(directory.env, [], demo));
  starts['second start']?.push(await start(directory.env, [], demo));
  await directory.remove();
  // As on a fresh clone.
  const fresh = await ownDirectory();
  const nothing = { NODE_COMPILE_CACHE: `${fresh.path}/compiled` };
  starts['first start, nothing compiled yet']?.push(await start({ ...fresh.env, ...nothing }, [], demo));
  await fresh.remove();
  if (database !== undefined) {
    const env = { ...node.env, DATABASE_URL: database.url };
    starts['node on Postgres']?.push(await start(env, ['--no-demo', '--no-simulators'], ({ url }) => `${url}/readyz`));
  }
}
await node.remove();
await database?.drop();

const measured = Object.entries(starts).filter(([, all]) => all.length > 0);
const of = (name: string, what: keyof Start) => spread((starts[name] as Start[]).map((one) => one[what]));
const room = (name: string, value: number, limit: number) => ({
  name,
  value: `${short(value)} MB`,
  target: `< ${limit} MB`,
  met: value < limit,
});
record({
  name: 'start',
  what: `Start of the server, min / median / max of ${ROUNDS} rounds`,
  noise: noise.share(),
  rows: measured.map(([name]) => ({
    start: name,
    'ready, ms': shortSpread(of(name, 'readyMs')),
    'first answer, ms': shortSpread(of(name, 'answerMs')),
    'CPU, ms': shortSpread(of(name, 'cpuMs')),
    'memory, MB': shortSpread(of(name, 'memoryMb')),
    'most memory, MB': shortSpread(of(name, 'peakMb')),
  })),
  targets: [
    atMost('first start to first good answer (least)', of('first start', 'answerMs').min, 'ms', 3_500),
    atMost('second start to first good answer (least)', of('second start', 'answerMs').min, 'ms', 1_500),
    room('memory after the first start', of('first start', 'memoryMb').median, 500),
    room('most memory during the first start', of('first start', 'peakMb').median, 500),
    room('memory after reopening', of('second start', 'memoryMb').median, 400),
    ...(database === undefined
      ? []
      : [room('memory of a node on Postgres', of('node on Postgres', 'memoryMb').median, 160)]),
  ],
});

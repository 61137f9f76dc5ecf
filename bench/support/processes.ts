/** The processes of a measurement: the server under test as its users start it, and the bare upstream beside it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const MAIN = here('../../src/cli/main.ts');
const PATIENCE_MS = 120_000;
/** What `npm start` runs Node with. */
export const SERVER_FLAGS = ['--max-semi-space-size=8'];
/** … and in which environment: few pools of memory, and a place for compiled code. */
export const SERVER_ENV = {
  MALLOC_ARENA_MAX: '2',
  NODE_COMPILE_CACHE: here('../../node_modules/.cache/polyad'),
};

/** Variables of the caller that would change what is measured. */
const FOREIGN = /^(POLYAD_|DATABASE_URL$|REDIS_URL$|NODE_ENV$|npm_lifecycle_event$|NODE_OPTIONS$)/;

export function cleanEnv(extra: Record<string, string>): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name, value]) => value !== undefined && !FOREIGN.test(name));
  return { ...(Object.fromEntries(kept) as Record<string, string>), ...extra };
}

/** First line of a child's stdout; rejects with its stderr when it ends before. */
function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let out = '';
    let errors = '';
    const timer = setTimeout(() => reject(new Error(`not ready in time\n${errors}`)), PATIENCE_MS);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-20_000);
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      const end = out.indexOf('\n');
      if (end < 0) return;
      clearTimeout(timer);
      resolve(out.slice(0, end));
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`ended before it was ready (${code ?? signal})\n${errors}`));
    });
  });
}

/** A child that is ended and waited for. */
export class Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly url: string;
  /** From spawning to readiness, in ms. */
  readonly startedInMs: number;

  constructor(child: ChildProcess, url: string, startedInMs: number) {
    this.child = child;
    this.pid = child.pid as number;
    this.url = url;
    this.startedInMs = startedInMs;
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const closed = once(this.child, 'close');
    this.child.kill(signal);
    await closed;
  }
}

/** Starts the bare upstream. @param entities objects in its reports */
export async function startUpstream(entities = 1_000): Promise<Running> {
  const begun = performance.now();
  const child = spawn(process.execPath, [here('./upstream.ts')], {
    env: cleanEnv({ POLYAD_BENCH_ENTITIES: String(entities) }),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const port = await firstLine(child);
  return new Running(child, `http://127.0.0.1:${port}`, performance.now() - begun);
}

/** Starts the bare proxy in front of `upstream`. */
export async function startBareProxy(upstream: Running): Promise<Running> {
  const begun = performance.now();
  const child = spawn(process.execPath, [here('./bare-proxy.ts'), upstream.url], {
    env: cleanEnv({}),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const port = await firstLine(child);
  return new Running(child, `http://127.0.0.1:${port}`, performance.now() - begun);
}

/** How long the event loop was held up since `loopBegin`; see loop-probe.ts. Milliseconds. */
export interface LoopReport {
  delayP99Ms: number;
  delayP999Ms: number;
  delayMaxMs: number;
  turnP999Ms: number;
  turnMaxMs: number;
  turns: number;
  heapMb: number;
}

/** Starts `polyad start --json` without demo and simulators. */
export async function startServer(
  env: Record<string, string>,
  options: { probe?: boolean; args?: readonly string[]; execArgv?: readonly string[] } = {},
): Promise<Running> {
  const begun = performance.now();
  const probe = options.probe === true ? ['--import', here('./loop-probe.ts')] : [];
  const child = spawn(
    process.execPath,
    [
      ...SERVER_FLAGS,
      ...(options.execArgv ?? []),
      ...probe,
      MAIN,
      'start',
      '--json',
      ...(options.args ?? ['--no-demo', '--no-simulators']),
    ],
    { env: cleanEnv({ ...SERVER_ENV, POLYAD_PORT: '0', ...env }), stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
  const { url } = JSON.parse(await firstLine(child)) as { url: string };
  return new Running(child, url, performance.now() - begun);
}

export function loopBegin(server: Running): void {
  server.child.send('loop-begin');
}

export async function loopReport(server: Running): Promise<LoopReport> {
  const answered = once(server.child, 'message');
  server.child.send('loop');
  return (await answered)[0] as LoopReport;
}

/** A data directory and a master key of its own. */
export async function ownDirectory(): Promise<{ env: Record<string, string>; path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'polyad-bench-'));
  return {
    path,
    env: { POLYAD_DATA_DIR: path, POLYAD_MASTER_KEY: randomBytes(32).toString('base64') },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** Runs one command of the CLI and answers its JSON. */
export async function cli(args: readonly string[], env: Record<string, string>): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args], { env: cleanEnv(env) });
  return JSON.parse(stdout) as Record<string, unknown>;
}

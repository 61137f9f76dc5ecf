/** `polyad start --json` as a process of its own, as scripts and tests from outside use it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ReadyLine } from '../../../src/app/ready.ts';

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
/** Longest time for a start or an end on a busy machine, in ms. */
const PATIENCE_MS = 60_000;

/** Variables of the test run that would change what is tested. */
const FOREIGN = /^(POLYAD_|DATABASE_URL$|REDIS_URL$|NODE_ENV$|npm_lifecycle_event$|NODE_OPTIONS$|VITEST)/;

/** The environment of a fresh machine, with any free ports and the data directory. */
export function cleanEnv(dataDir: string, extra: Record<string, string> = {}): Record<string, string> {
  const inherited = Object.entries(process.env).filter(([name, value]) => value !== undefined && !FOREIGN.test(name));
  return {
    ...(Object.fromEntries(inherited) as Record<string, string>),
    POLYAD_DATA_DIR: dataDir,
    POLYAD_PORT: '0',
    POLYAD_SIMULATOR_PORT: '0',
    ...extra,
  };
}

export interface Ended {
  /** Exit code, or the signal that ended it. */
  code: number | NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs a command of the CLI to its end. */
export async function runCli(args: readonly string[], env: Record<string, string>): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = collect(child);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code: code ?? signal, ...output };
}

function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  return output;
}

export class ServerProcess {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly ready: ReadyLine;
  /** From spawning to the ready line, in ms. */
  readonly startedInMs: number;

  constructor(child: ChildProcess, output: { stdout: string; stderr: string }, ready: ReadyLine, startedInMs: number) {
    this.child = child;
    this.output = output;
    this.ready = ready;
    this.startedInMs = startedInMs;
  }

  /**
   * Starts a server and waits for its ready line. Rejects with its stderr when it ends before. `through` is a command that
   * becomes the server (`exec`), `cwd` where it runs.
   */
  static async start(
    dataDir: string,
    extra: Record<string, string> = {},
    args: readonly string[] = [],
    { through = [], cwd }: { through?: readonly string[]; cwd?: string } = {},
  ): Promise<ServerProcess> {
    const begun = performance.now();
    const [command, ...rest] = [...through, process.execPath, MAIN, 'start', '--json', ...args] as [string];
    const child = spawn(command, rest, {
      env: cleanEnv(dataDir, extra),
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    });
    const output = collect(child);
    const line = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not ready in time\n${output.stderr}`)), PATIENCE_MS);
      child.stdout?.on('data', () => {
        const end = output.stdout.indexOf('\n');
        if (end < 0) return;
        clearTimeout(timer);
        resolve(output.stdout.slice(0, end));
      });
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        reject(new Error(`ended before it was ready (${code ?? signal})\n${output.stderr}`));
      });
    });
    return new ServerProcess(child, output, JSON.parse(line) as ReadyLine, performance.now() - begun);
  }

  /** The first ad account of the TikTok simulator's test app. */
  get organization(): string {
    const [first] = (this.ready.simulators['tiktok']?.['advertiser_ids'] ?? []) as string[];
    if (first === undefined) throw new Error('the simulator has no ad account');
    return first;
  }

  /** Calls the API with the demo key, or another. */
  async call(
    path: string,
    init: { method?: string; body?: unknown; key?: string; signal?: AbortSignal } = {},
  ): Promise<Response> {
    return fetch(`${this.ready.url}${path}`, {
      method: init.method ?? 'GET',
      headers: {
        authorization: `Bearer ${init.key ?? this.ready.api_key}`,
        ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
      ...(init.signal === undefined ? {} : { signal: init.signal }),
    });
  }

  /** The same; an answer that is no success fails the test. */
  async json<T>(path: string, init: { method?: string; body?: unknown; key?: string } = {}): Promise<T> {
    const response = await this.call(path, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  }

  /** Calls the control API of the TikTok simulator. */
  async control<T>(method: string, path: string, body?: unknown): Promise<T> {
    const simulator = this.ready.simulators['tiktok'];
    const response = await fetch(`${simulator?.control_url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Sends a signal and waits for the end; answers the exit code or the signal. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const closed = once(this.child, 'close');
      this.child.kill(signal);
      await closed;
    }
    return this.child.exitCode ?? this.child.signalCode;
  }
}

/** A data directory of its own for a test file, and the processes to end with it. */
export async function scenario(): Promise<{ dataDir: string; servers: ServerProcess[]; close(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'polyad-scenario-'));
  const servers: ServerProcess[] = [];
  return {
    dataDir,
    servers,
    async close() {
      await Promise.all(servers.map((server) => server.end('SIGKILL')));
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Waits until `check` answers true. */
export async function until(what: string, check: () => Promise<boolean> | boolean): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`it did not come about in time: ${what}`);
}

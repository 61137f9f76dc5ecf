/** Whole polyad servers on one Postgres and one Redis, in front of the rotating provider. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import type { RefreshStep } from '../../../src/core/auth/life/steps.ts';
import { createApiKey } from '../../../src/core/store/repositories/index.ts';
import type { ConnectionRow } from '../../../src/core/store/schema.ts';
import { connectMany, openNode, ownSchema, type TestNode } from './node.ts';
import { type ProviderOptions, type RotatingProvider, startRotatingProvider } from './rotating-provider.ts';
import type { ServerOrder } from './server-child.ts';

const CHILD = fileURLToPath(new URL('./server-child.ts', import.meta.url));
/** Longest time for a start or an end on a busy machine, in ms. */
const PATIENCE_MS = 60_000;

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes; each test says what it expects.
type Json = any;

export interface Server {
  url: string;
  /** Everything it logged. */
  log(): string;
  /** The signal that ended it, when it has ended. */
  ended: Promise<NodeJS.Signals | null>;
  stop(): Promise<void>;
}

export interface Installation {
  provider: RotatingProvider;
  /** A node of this process, to look into the database by. */
  node: TestNode;
  rows: ConnectionRow[];
  /** Starts a server; with `killAt` one that kills itself at that step of its first renewal. */
  start(killAt?: RefreshStep): Promise<Server>;
  /** A call with the workspace's key. */
  call(server: Server, method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }>;
  close(): Promise<void>;
}

export interface InstallationOptions extends Omit<ProviderOptions, 'now'> {
  databaseUrl: string;
  redisUrl: string | undefined;
  connections: number;
  /** How much faster than the machine's the time is that tokens are about. */
  factor: number;
  leaseMs: number;
  spendingMs: number;
  /** Whether servers look after tokens while nobody calls. Default: yes. */
  rounds?: boolean;
}

/** Makes a database with connections whose tokens the provider has just given out. */
export async function install(options: InstallationOptions): Promise<Installation> {
  const { redisUrl, factor, leaseMs, spendingMs, rounds, connections, databaseUrl: base, ...provided } = options;
  const origin = Date.now();
  const schema = await ownSchema(base);
  const provider = await startRotatingProvider({ ...provided, now: () => origin + (Date.now() - origin) * factor });
  const common = { databaseUrl: schema.url, providerUrl: provider.url, factor, origin, leaseMs, spendingMs };
  const node = await openNode(common);
  const rows = await connectMany(node, provider, connections);
  const workspaceId = rows[0]?.workspace_id as string;
  const { key } = await createApiKey(node.store.db, workspaceId, { name: 'test', scopes: ['admin'] });
  const dataDir = await mkdtemp(join(tmpdir(), 'polyad-tokens-'));
  const agent = new Agent({ connections: 512, headersTimeout: 120_000, bodyTimeout: 120_000 });
  const servers: Server[] = [];

  const call: Installation['call'] = async (server, method, path, body) => {
    const answer = await request(`${server.url}${path}`, {
      dispatcher: agent,
      method: method as 'GET',
      headers: { authorization: key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: text === '' ? undefined : JSON.parse(text) };
  };
  let configured = false;
  return {
    provider,
    node,
    rows,
    call,
    async start(killAt) {
      const own = join(dataDir, String(servers.length));
      const server = await startServer({ ...common, redisUrl, dataDir: own, rounds, killAt });
      servers.push(server);
      if (configured) return server;
      configured = true;
      const app = { client_id: 'app', client_secret: 'app-secret' };
      const stored = await call(server, 'PUT', '/v1/integrations/rotatingads/production', app);
      if (stored.status !== 200) throw new Error(JSON.stringify(stored.body));
      return server;
    },
    async close() {
      await agent.destroy();
      await Promise.all(servers.map((server) => server.stop()));
      await node.close();
      await provider.close();
      await schema.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function startServer(order: ServerOrder): Promise<Server> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(POLYAD_|VITEST|NODE_)/.test(name)));
  const child = spawn(process.execPath, [CHILD], { stdio: ['pipe', 'pipe', 'pipe'], env });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  // Its input stays open: that it ends is the sign to stop.
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${JSON.stringify(order)}\n`);
  const ended = once(child, 'close').then(([, signal]) => signal as NodeJS.Signals | null);
  const url = await readyUrl(child, output);
  return {
    url,
    log: () => output.stderr,
    ended,
    async stop() {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

function readyUrl(child: ChildProcess, output: { stdout: string; stderr: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready in time\n${output.stderr}`)), PATIENCE_MS);
    child.stdout?.on('data', () => {
      if (!output.stdout.includes('\n')) return;
      clearTimeout(timer);
      resolve((JSON.parse(output.stdout.split('\n', 1)[0] as string) as { url: string }).url);
    });
    child.once('close', () => {
      clearTimeout(timer);
      reject(new Error(`ended before it was ready\n${output.stderr}`));
    });
  });
}

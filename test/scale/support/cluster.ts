/**
 * Several real processes on one Postgres and one Redis behind a load balancer that knows nothing but /readyz, and the
 * TikTok simulator beside them.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, createServer as createTcp, type Socket, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startSimulators } from '../../../src/simulators/kit/host.ts';
import type { RunningSimulator } from '../../../src/simulators/kit/types.ts';
import { cleanEnv, runCli, ServerProcess } from '../../scenarios/support/server-process.ts';

/** Both servers, or undefined with loud words where they are not named. */
export function servers(): { database: string; redis: string } | undefined {
  const database = process.env['POLYAD_TEST_DATABASE_URL'];
  const redis = process.env['POLYAD_TEST_REDIS_URL'];
  if (database && redis) return { database, redis };
  process.stderr.write(
    '\n*** Tests of several nodes not run: POLYAD_TEST_DATABASE_URL and POLYAD_TEST_REDIS_URL are not both set. ***\n\n',
  );
  return undefined;
}

/** A TCP way to a server that can be shut: connections break, new ones are refused. */
export class Gate {
  readonly #target: { host: string; port: number };
  readonly #sockets = new Set<Socket>();
  #server: TcpServer;
  port = 0;

  constructor(target: URL, defaultPort: number) {
    this.#target = { host: target.hostname, port: Number(target.port || defaultPort) };
    this.#server = this.#make();
  }

  #make(): TcpServer {
    return createTcp((near) => {
      const far = connect(this.#target.port, this.#target.host);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
  }

  async open(): Promise<void> {
    this.#server = this.#make();
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async shut(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** Sends each request to the next node that /readyz calls ready. A node that fails a request is an error of the request. */
export class Balancer {
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #timer: NodeJS.Timeout;
  #ports: readonly number[] = [];
  #ready: readonly number[] = [];
  #next = 0;
  /** Requests by port of the node that served them. */
  readonly served = new Map<number, number>();

  constructor() {
    this.#server = createServer((request, response) => this.#forward(request, response));
    this.#timer = setInterval(() => void this.probe(), 50);
    this.#timer.unref();
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async use(ports: readonly number[]): Promise<void> {
    this.#ports = ports;
    await this.probe();
  }

  async probe(): Promise<void> {
    const asked = await Promise.all(
      this.#ports.map(async (port) => {
        const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(500) }).catch(
          () => undefined,
        );
        await answer?.body?.cancel();
        return answer?.ok === true ? [port] : [];
      }),
    );
    this.#ready = asked.flat();
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    const port = this.#ready[this.#next++ % Math.max(1, this.#ready.length)];
    if (port === undefined) {
      response.writeHead(502).end('no node is ready');
      return;
    }
    this.served.set(port, (this.served.get(port) ?? 0) + 1);
    const onward = httpRequest(
      {
        host: '127.0.0.1',
        port,
        method: request.method,
        path: request.url,
        headers: request.headers,
        agent: this.#agent,
      },
      (answer) => {
        const { connection: _hop, 'keep-alive': _alive, ...headers } = answer.headers;
        response.writeHead(answer.statusCode ?? 502, headers);
        answer.pipe(response);
        answer.on('error', () => response.destroy());
      },
    );
    onward.on('error', (error) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end(`node ${port}: ${error.message}`);
    });
    request.pipe(onward);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#agent.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

export interface Cluster {
  url: string;
  balancer: Balancer;
  nodes: ServerProcess[];
  database: Gate;
  redis: Gate;
  simulator: RunningSimulator;
  /** Key of the installation's first workspace, with every scope. */
  key: string;
  workspaceId: string;
  /** Starts a node with more or other variables. */
  start(extra?: Record<string, string>): Promise<ServerProcess>;
  /** Starts a node on the port of one that has ended. */
  restart(at: number): Promise<void>;
  close(): Promise<void>;
}

export const portOf = (node: ServerProcess): number => Number(new URL(node.ready.url).port);

/** Starts `count` nodes that do everything. */
export async function startCluster(count: number): Promise<Cluster> {
  const at = servers();
  if (at === undefined) throw new Error('no servers');
  const name = `polyad_scale_${randomBytes(5).toString('hex')}`;
  const admin = async (sql: string): Promise<void> => {
    const client = new pg.Client(at.database);
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await admin(`create database ${name}`);
  const [database, redis] = [new Gate(new URL(at.database), 5432), new Gate(new URL(at.redis), 6379)];
  await Promise.all([database.open(), redis.open()]);
  const databaseUrl = new URL(at.database);
  databaseUrl.host = `127.0.0.1:${database.port}`;
  databaseUrl.pathname = `/${name}`;
  const redisUrl = new URL(at.redis);
  redisUrl.host = `127.0.0.1:${redis.port}`;

  const host = await startSimulators({ ids: ['tiktok'], port: 0 });
  const simulator = host.simulators['tiktok'] as RunningSimulator;
  await fetch(`${simulator.controlUrl}/settings`, { method: 'PATCH', body: JSON.stringify({ limits: 'off' }) });
  const balancer = new Balancer();
  const url = await balancer.listen();
  const folders: string[] = [];
  const env = {
    DATABASE_URL: databaseUrl.href,
    REDIS_URL: redisUrl.href,
    POLYAD_MASTER_KEY: randomBytes(32).toString('base64'),
    POLYAD_PUBLIC_URL: url,
    POLYAD_TIKTOK_SIMULATOR_URL: simulator.url,
    POLYAD_DRAIN_SECONDS: '1',
    POLYAD_RATE_LIMIT_PER_MINUTE: '1000000',
    POLYAD_LOG_LEVEL: 'warn',
  };
  const folder = async (): Promise<string> => {
    // A folder for each: nothing may pass from node to node by the disk.
    const path = await mkdtemp(join(tmpdir(), 'polyad-scale-'));
    folders.push(path);
    return path;
  };
  const made = await runCli(['keys', 'bootstrap', '--output', 'json'], cleanEnv(await folder(), env));
  if (made.code !== 0) throw new Error(made.stderr);
  const first = JSON.parse(made.stdout) as Record<string, string>;
  const all: ServerProcess[] = [];
  const start = async (extra: Record<string, string> = {}): Promise<ServerProcess> => {
    const node = await ServerProcess.start(await folder(), { ...env, ...extra }, ['--no-demo', '--no-simulators']);
    all.push(node);
    return node;
  };
  const nodes = await Promise.all(Array.from({ length: count }, () => start()));
  await balancer.use(nodes.map(portOf));
  return {
    url,
    balancer,
    nodes,
    database,
    redis,
    simulator,
    key: String(first['api_key'] ?? first['key']),
    workspaceId: String(first['workspace_id']),
    start,
    async restart(index) {
      const old = nodes[index] as ServerProcess;
      nodes[index] = await start({ POLYAD_PORT: String(portOf(old)) });
    },
    async close() {
      await balancer.close();
      await Promise.all(all.map((node) => node.end('SIGKILL')));
      await host.close();
      await Promise.all([database.shut(), redis.shut()]);
      await admin(`drop database if exists ${name} with (force)`);
      await Promise.all(folders.map((path) => rm(path, { recursive: true, force: true })));
    },
  };
}

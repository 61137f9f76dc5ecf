/** Several nodes are one server: nothing sticks to a node, and nodes come and go unnoticed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectAccount } from '../../src/app/connect-account.ts';
import type { ServerProcess } from '../scenarios/support/server-process.ts';
import { until } from '../scenarios/support/server-process.ts';
import { type Cluster, portOf, servers, startCluster } from './support/cluster.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes; each test says what it expects.
type Json = any;

interface Answer {
  status: number;
  body: Json;
}

describe.runIf(servers() !== undefined)('three nodes on Postgres and Redis', () => {
  let cluster: Cluster;
  let connection: string;

  const call = async (
    base: string,
    path: string,
    { key = cluster.key, method = 'GET', body }: { key?: string; method?: string; body?: unknown } = {},
  ): Promise<Answer> => {
    const answer = await fetch(`${base}${path}`, {
      method,
      headers: { authorization: key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  const at = (index: number): string => (cluster.nodes[index] as ServerProcess).ready.url;

  beforeAll(async () => {
    cluster = await startCluster(3);
    const app = cluster.simulator.ready;
    const put = await call(cluster.url, '/v1/integrations/tiktokads/simulator', {
      method: 'PUT',
      body: { app_id: app['app_id'], secret: app['secret'] },
    });
    expect(put.status).toBe(200);
    // Each request of the flow goes to another node: page, form, callback.
    connection = await connectAccount({
      url: cluster.url,
      workspaceId: cluster.workspaceId,
      type: 'tiktokads',
      controlUrl: cluster.simulator.controlUrl,
    });
  }, 120_000);
  afterAll(() => cluster?.close());

  it('finish on one node a connect flow that another one began', async () => {
    expect([...cluster.balancer.served.keys()].sort()).toEqual(cluster.nodes.map(portOf).sort());
    for (const index of [0, 1, 2]) {
      const { status, body } = await call(at(index), `/ads/${connection}/campaign?limit=5`);
      expect({ status, rows: body.length > 0 }).toEqual({ status: 200, rows: true });
    }
  });

  it('refuse a key at once that another node has revoked', async () => {
    const made = await call(at(0), '/v1/keys', { method: 'POST', body: { name: 'short-lived', scopes: ['read'] } });
    const key = String(made.body.key ?? made.body.api_key);
    for (const index of [0, 1, 2])
      expect(await call(at(index), `/ads/${connection}/campaign?limit=1`, { key })).toMatchObject({ status: 200 });
    expect(await call(at(1), `/v1/keys/${made.body.id}`, { method: 'DELETE' })).toMatchObject({ status: 200 });
    // The news is on its way before the revocation is answered; what is left is one hop between processes.
    for (const index of [1, 0, 2])
      await until(
        `node ${index} refuses the key`,
        async () => (await call(at(index), '/unified/connection', { key })).status === 401,
      );
  });

  it('show a session of the dashboard that was begun on another node', async () => {
    const signedIn = await fetch(`${at(0)}/dashboard/sign-in`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: cluster.url },
      body: new URLSearchParams({ key: cluster.key }),
    });
    const cookie = signedIn.headers
      .getSetCookie()
      .map((one) => one.split(';', 1)[0])
      .join('; ');
    expect(cookie).not.toBe('');
    const page = await fetch(`${at(2)}/dashboard`, { headers: { cookie }, redirect: 'manual' });
    expect(page.status).toBe(200);
    expect(await page.text()).toContain(connection);
  });

  it('restart one after the other under load without a failed request', async () => {
    let stop = false;
    const failures: string[] = [];
    let good = 0;
    const paths = [
      `/ads/${connection}/campaign?limit=5`,
      `/passthrough/${connection}/open_api/v1.3/user/info/`,
      '/unified/connection',
    ];
    const load = Array.from({ length: 6 }, async (_, worker) => {
      for (let round = worker; !stop; round += 1) {
        const path = paths[round % paths.length] as string;
        const answer = await fetch(`${cluster.url}${path}`, { headers: { authorization: cluster.key } }).catch(
          (error: Error) => ({ status: 0, text: async () => String(error.cause ?? error) }),
        );
        const text = await answer.text();
        if (answer.status === 200) good += 1;
        else failures.push(`${path}: ${answer.status} ${text.slice(0, 200)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    for (const index of [0, 1, 2]) {
      expect(await cluster.nodes[index]?.end('SIGTERM')).toBe(0);
      await cluster.restart(index);
      await cluster.balancer.probe();
    }
    stop = true;
    await Promise.all(load);
    expect(failures).toEqual([]);
    expect(good).toBeGreaterThan(50);
  }, 120_000);

  it('go on with a degraded mark when Redis is away, and are ready again when it is back', async () => {
    const state = async (): Promise<Json> => (await call(at(0), '/readyz')).body;
    await until('Redis is up', async () => (await state()).dependencies?.redis?.state === 'up');
    await cluster.redis.shut();
    await until('the node says so', async () => (await state()).dependencies?.redis?.state === 'degraded');
    expect(await call(at(0), '/readyz')).toMatchObject({
      status: 200,
      body: { status: 'degraded', dependencies: { redis: { effect: expect.stringContaining('share') } } },
    });
    // Keys and connections do not depend on it.
    expect((await call(at(0), '/unified/connection')).status).toBe(200);
    await cluster.redis.open();
    await until('the node is whole', async () => (await state()).status === 'ready');
  });

  it('are unready while the database is away, alive all the same, and ready again when it is back', async () => {
    await cluster.database.shut();
    const unready = await call(at(0), '/readyz');
    expect(unready).toMatchObject({ status: 503, body: { code: 'store_unavailable' } });
    expect(await call(at(0), '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
    await cluster.database.open();
    await until('the nodes are ready', async () => (await call(at(0), '/readyz')).body.status === 'ready');
  });
});

describe.runIf(servers() !== undefined)('roles', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster(0);
  }, 60_000);
  afterAll(() => cluster?.close());

  it('a worker answers how it is and nothing else; an API node serves the API', async () => {
    const [worker, api] = await Promise.all([
      cluster.start({ POLYAD_ROLE: 'worker' }),
      cluster.start({ POLYAD_ROLE: 'api' }),
    ]);
    const status = async (node: ServerProcess, path: string): Promise<number> => {
      const answer = await fetch(`${node.ready.url}${path}`, { headers: { authorization: cluster.key } });
      await answer.body?.cancel();
      return answer.status;
    };
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      expect([path, await status(worker, path)]).toEqual([path, 200]);
      expect([path, await status(api, path)]).toEqual([path, 200]);
    }
    expect(await status(worker, '/unified/connection')).toBe(404);
    expect(await status(api, '/unified/connection')).toBe(200);
    const role = async (node: ServerProcess) =>
      ((await (await fetch(`${node.ready.url}/healthz`)).json()) as Json).role;
    expect([await role(worker), await role(api)]).toEqual(['worker', 'api']);
    expect(await worker.end('SIGTERM')).toBe(0);
  });
});

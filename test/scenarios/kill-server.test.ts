/** Nothing that was acknowledged may be lost when the process is killed, and nothing under way when it is stopped. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServerProcess, scenario, until } from './support/server-process.ts';

const ROUNDS = 5;
/** Acknowledged writes per round after which the server is killed, in the middle of the next ones. */
const WRITES_PER_ROUND = 24;

let place: Awaited<ReturnType<typeof scenario>>;
beforeEach(async () => {
  place = await scenario();
});
afterEach(() => place.close());

const start = async (): Promise<ServerProcess> => {
  const server = await ServerProcess.start(place.dataDir);
  place.servers.push(server);
  return server;
};

/** What the server has acknowledged. */
interface Acknowledged {
  workspaces: string[];
  keys: string[];
  /** Client ids of the app, in the order of their writing; the last one or one still under way must be stored. */
  apps: string[];
  connections: string[];
  campaigns: string[];
}

const APP = '/v1/integrations/tiktokads/production';

/** One kind of write each; a call that fails because the server is gone acknowledges nothing. */
const writers: Record<keyof Acknowledged, (server: ServerProcess, n: string) => Promise<string>> = {
  workspaces: async (server, n) =>
    (await server.json<{ id: string }>('/v1/workspaces', { method: 'POST', body: { name: `Workspace ${n}` } })).id,
  keys: async (server, n) =>
    (await server.json<{ key: string }>('/v1/keys', { method: 'POST', body: { name: `Key ${n}`, scopes: ['read'] } }))
      .key,
  apps: async (server, n) => {
    const body = { client_id: `app-${n}`, client_secret: `secret of app-${n}` };
    return (await server.json<{ client_id: string }>(APP, { method: 'PUT', body })).client_id;
  },
  connections: async (server, n) => {
    const simulator = server.ready.simulators['tiktok'];
    const body = {
      integration_type: 'tiktokads',
      environment: 'simulator',
      categories: ['ads'],
      permissions: [],
      external_xref: `customer-${n}`,
      auth: { access_token: simulator?.['access_token'] },
    };
    return (await server.json<{ id: string }>('/unified/connection', { method: 'POST', body })).id;
  },
  campaigns: async (server, n) => {
    const { organization } = server;
    const body = { organization_id: organization, name: `Campaign ${n}`, goal: 'WEBSITE_TRAFFIC', status: 'PAUSED' };
    const made = await server.json<{ id: string }>(`/ads/${server.ready.connections[0]?.id}/campaign`, {
      method: 'POST',
      body,
    });
    return made.id;
  },
};

const KINDS = Object.keys(writers) as (keyof Acknowledged)[];

/** Writes of all kinds at once until the server is gone; kills it in the middle of them. */
async function writeAndKill(
  server: ServerProcess,
  round: number,
  seen: Acknowledged,
  tried: Set<string>,
): Promise<void> {
  const written = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<keyof Acknowledged, number>;
  let killed = false;
  await Promise.all(
    KINDS.map(async (kind) => {
      for (let index = 0; !killed; index += 1) {
        const n = `${round}-${kind}-${index}`;
        if (kind === 'apps') tried.add(`app-${n}`);
        try {
          seen[kind].push(await writers[kind](server, n));
        } catch (error) {
          // Only the kill may stop a writer.
          if (!killed) throw error;
          return;
        }
        written[kind] += 1;
        const counts = Object.values(written);
        const enough =
          counts.every((count) => count > 1) && counts.reduce((sum, count) => sum + count) >= WRITES_PER_ROUND;
        if (enough && !killed) {
          killed = true;
          server.child.kill('SIGKILL');
        }
      }
    }),
  );
  await server.end('SIGKILL');
}

async function verify(server: ServerProcess, seen: Acknowledged, tried: ReadonlySet<string>): Promise<void> {
  const connection = server.ready.connections[0]?.id;
  const workspaces = new Set<string>();
  for (let offset = 0; ; offset += 100) {
    const page = await server.json<{ id: string }[]>(`/v1/workspaces?limit=100&offset=${offset}`);
    for (const { id } of page) workspaces.add(id);
    if (page.length < 100) break;
  }
  expect(seen.workspaces.filter((id) => !workspaces.has(id))).toEqual([]);

  for (const key of seen.keys) expect((await server.call('/unified/connection?limit=1', { key })).status).toBe(200);

  const app = await server.json<{ client_id: string; client_secret_hint: string }>(APP);
  const last = seen.apps.at(-1) as string;
  const newer = [...tried].slice([...tried].indexOf(last));
  expect(newer).toContain(app.client_id);
  // Id and secret are of one write, never of two.
  expect(app.client_secret_hint.slice(-3)).toBe(app.client_id.slice(-3));

  for (const id of seen.connections) await server.json(`/unified/connection/${id}`);
  const newest = seen.connections.at(-1);
  expect(await server.json<unknown[]>(`/ads/${newest}/organization?limit=2`)).toHaveLength(2);

  const campaigns = new Set<string>();
  for (let offset = 0; ; offset += 200) {
    const page = await server.json<{ id: string }[]>(`/ads/${connection}/campaign?limit=200&offset=${offset}`);
    for (const { id } of page) campaigns.add(id);
    if (page.length < 200) break;
  }
  expect(seen.campaigns.filter((id) => !campaigns.has(id))).toEqual([]);
}

describe('a server that ends', () => {
  it(`loses nothing acknowledged in ${ROUNDS} rounds of kill -9 while clients write`, {
    timeout: 240_000,
  }, async () => {
    const seen: Acknowledged = { workspaces: [], keys: [], apps: [], connections: [], campaigns: [] };
    const tried = new Set<string>();
    let server = await start();
    const { api_key: key, connections } = server.ready;
    for (let round = 0; round < ROUNDS; round += 1) {
      // The simulator's own limits would slow the writers down; they are not what is tested.
      await server.control('PATCH', '/settings', { limits: 'off' });
      await writeAndKill(server, round, seen, tried);
      server = await start();
      expect(server.ready.api_key).toBe(key);
      expect(server.ready.connections[0]).toEqual(connections[0]);
      await verify(server, seen, tried);
    }
    for (const kind of KINDS) expect(seen[kind].length, kind).toBeGreaterThanOrEqual(ROUNDS);
    console.log(`acknowledged and found again: ${KINDS.map((kind) => `${seen[kind].length} ${kind}`).join(', ')}`);
    expect(await server.end()).toBe(0);
  });

  it('finishes the request under way when it is told to stop, and takes no new one', async () => {
    const server = await start();
    await server.control('POST', '/faults', { kind: 'latency', ms: 1500, path: '/campaign/get' });
    const { organization } = server;
    const path = `/ads/${server.ready.connections[0]?.id}/campaign?limit=3&org_id=${organization}`;
    const answer = server.json<unknown[]>(path);
    await until('the request is under way', async () => {
      const metrics = await (await fetch(`${server.ready.url}/metrics`)).text();
      // The metrics request itself is one of those under way.
      return Number(/^polyad_http_requests_active (\d+)/m.exec(metrics)?.[1]) >= 2;
    });
    // A terminal and npm can both pass on the same Ctrl-C: it must not count as a wish to stop at once.
    server.child.kill('SIGTERM');
    const ended = server.end('SIGTERM');
    await until('new connections are refused', async () =>
      fetch(`${server.ready.url}/healthz`, { headers: { connection: 'close' } }).then(
        (response) => response.status === 503,
        () => true,
      ),
    );
    expect(await answer).toHaveLength(3);
    expect(await ended).toBe(0);
  });
});

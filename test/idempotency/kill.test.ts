/** kill -9 between every two steps of a write: nothing is lost, nothing is done twice. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../src/app/log.ts';
import { startApp } from '../../src/app/start.ts';
import { loadConfig } from '../../src/core/config.ts';
import { WRITE_STEPS } from '../../src/core/idempotency/steps.ts';
import { createApiKey, createWorkspace } from '../../src/core/store/repositories/index.ts';
import type { Json } from '../support/app.ts';
import { startTikTok, type TestTikTok } from '../support/tiktok-simulator.ts';

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));
/** The journal's own steps, and the two that lie between them on the wire. */
const MOMENTS = [...WRITE_STEPS.slice(0, 3), 'on the wire', 'the answer begins', ...WRITE_STEPS.slice(3)];
/** After this even what could not be found is settled. */
const SETTLED_MS = 200_000;

let platform: TestTikTok;
let dataDir: string;
let env: Record<string, string>;
let key: string;
let connection: string;
let organization: string;
const children = new Set<ChildProcess>();

interface Server {
  child: ChildProcess;
  url: string;
}

async function start(more: Record<string, string> = {}): Promise<Server> {
  const child = spawn(process.execPath, [CHILD], {
    env: { ...process.env, ...env, ...more },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  const [line] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [string];
  return { child, url: (JSON.parse(line) as { url: string }).url };
}

async function stop({ child }: Server): Promise<void> {
  child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

const create = async (url: string, name: string): Promise<{ status: number; body: Json; replayed: boolean }> => {
  const answer = await fetch(`${url}/ads/${connection}/campaign`, {
    method: 'POST',
    headers: { authorization: key, 'content-type': 'application/json', 'idempotency-key': `kill/${name}` },
    body: JSON.stringify({
      organization_id: organization,
      name,
      goal: 'WEBSITE_TRAFFIC',
      budget_amount: 100,
      budget_period: 'DAILY',
    }),
  });
  const replayed = answer.headers.get('idempotency-replayed') === 'true';
  return { status: answer.status, body: await answer.json(), replayed };
};
const named = async (name: string): Promise<string[]> => {
  const filtering = { campaign_name: name, primary_status: 'STATUS_ALL' };
  const { data } = await platform.get('campaign/get', { advertiser_id: organization, filtering, page_size: 100 });
  return data.list.filter((row: Json) => row.campaign_name === name).map((row: Json) => row.campaign_id);
};

beforeAll(async () => {
  platform = await startTikTok();
  [organization] = platform.ready.advertiser_ids as [string];
  dataDir = await mkdtemp(join(tmpdir(), 'polyad-kill-'));
  env = {
    POLYAD_DATA_DIR: dataDir,
    POLYAD_PORT: '0',
    POLYAD_SIMULATORS: 'off',
    POLYAD_TIKTOK_SIMULATOR_URL: platform.url,
  };
  const app = await startApp({ config: loadConfig(env), log: createLog('silent') });
  const workspace = await createWorkspace(app.store.db, { name: 'Acme', default_environment: 'simulator' });
  ({ key } = await createApiKey(app.store.db, workspace.id, { name: 'test', scopes: ['admin'] }));
  const admin = async (method: string, path: string, body: Json): Promise<Json> => {
    const headers = { authorization: key, 'content-type': 'application/json' };
    const answer = await fetch(app.url + path, { method, headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  };
  const { app_id, secret, access_token } = platform.ready;
  await admin('PUT', '/v1/integrations/tiktokads/simulator', { app_id, secret });
  const made = await admin('POST', '/unified/connection', {
    integration_type: 'tiktokads',
    environment: 'simulator',
    permissions: [],
    categories: ['ads'],
    auth: { access_token },
  });
  connection = made.id;
  await app.close(1_000);
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await platform.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe('a server that is killed', () => {
  const open = MOMENTS.map((moment) => `Killed: ${moment}`);

  it('at every moment of a creation has sent it once at most', { timeout: 180_000 }, async () => {
    for (const moment of MOMENTS) {
      const server = await start({ KILL_AT: moment });
      const exit = once(server.child, 'exit');
      await expect(create(server.url, `Killed: ${moment}`)).rejects.toThrow();
      expect((await exit)[1]).toBe('SIGKILL');
      expect((await named(`Killed: ${moment}`)).length).toBeLessThanOrEqual(1);
    }
  });

  it('answers the repetition: the object that is there, a new one where none was sent, or a named unknown', async () => {
    const server = await start();
    const results = new Map<string, Awaited<ReturnType<typeof create>>>();
    for (const name of open) results.set(name, await create(server.url, name));
    await stop(server);
    const at = (moment: string) => results.get(`Killed: ${moment}`) as Awaited<ReturnType<typeof create>>;
    // Before a request can have left, the creation begins anew.
    for (const moment of ['asked', 'recorded']) expect(at(moment)).toMatchObject({ status: 200, replayed: false });
    // After the answer the object is found; once that is recorded, it is replayed.
    for (const moment of ['the answer begins', 'answered', 'known'])
      expect(at(moment)).toMatchObject({ status: 200, replayed: false });
    expect(at('kept')).toMatchObject({ status: 200, replayed: true });
    for (const [name, { status, body }] of results) {
      const ids = await named(name);
      if (status === 200) expect(ids).toEqual([body.id]);
      else
        expect({ ids, code: body.code, name: body.details.name }).toEqual({
          ids: [],
          code: 'write_outcome_unknown',
          name,
        });
    }
  });

  it('and what was unknown is settled when the platform must show it', async () => {
    const server = await start({ CLOCK_OFFSET_MS: String(SETTLED_MS) });
    for (const name of open) {
      const { status, body } = await create(server.url, name);
      expect({ name, status }).toEqual({ name, status: 200 });
      expect(await named(name)).toEqual([body.id]);
    }
    await stop(server);
  });
});

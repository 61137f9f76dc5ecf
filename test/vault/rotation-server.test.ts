/**
 * A server under load whose master key is rotated again and again, and which is killed in the middle of it: calls work
 * whenever it runs, and at the end every secret opens, under the newest key alone.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectAccount } from '../../src/app/connect-account.ts';
import type { VaultStatus } from '../../src/core/auth/secrets/admin.ts';
import { openStore } from '../../src/core/store/port.ts';
import type { SecretOwner } from '../../src/core/store/repositories/index.ts';
import { ServerProcess, scenario, until } from '../scenarios/support/server-process.ts';
import { memoryLog } from '../store/log.ts';
import { newOwner, openVaultOn } from './support/world.ts';

/** Secrets besides those that are called with: so many that a job over them takes a while. */
const SECRETS = 2_000;
const CONNECTIONS = 6;
const KILLS = Number(process.env['POLYAD_KILL_ROUNDS'] ?? 4);

let place: Awaited<ReturnType<typeof scenario>>;
let owners: SecretOwner[];
beforeAll(async () => {
  place = await scenario();
  const store = await openStore({ dataDir: place.dataDir, log: memoryLog() });
  const vault = await openVaultOn(store, place.dataDir);
  const first = await newOwner(store);
  owners = [first];
  while (owners.length < SECRETS) owners.push(await newOwner(store, first.workspaceId));
  for (const [n, owner] of owners.entries()) await vault.secrets.put(store.db, owner, 'tokens', { n });
  await vault.close();
  await store.close();
}, 120_000);
afterAll(() => place?.close());

it('rotation under load with kills: calls go on, nothing is unreadable at the end, old keys are retired', async () => {
  const start = async (): Promise<ServerProcess> => {
    const started = await ServerProcess.start(place.dataDir, { POLYAD_LOG_LEVEL: 'info' });
    place.servers.push(started);
    return started;
  };
  let server = await start();
  const ids = [server.ready.connections[0]?.id as string];
  while (ids.length < CONNECTIONS)
    ids.push(
      await connectAccount({
        url: server.ready.url,
        workspaceId: server.ready.workspace_id as string,
        type: 'tiktokads',
        controlUrl: server.ready.simulators['tiktok']?.control_url as string,
      }),
    );
  const wrong: string[] = [];
  let [calls, over] = [0, false];
  const caller = async (number: number): Promise<void> => {
    for (let n = number; !over; n += 1) {
      const asked = server;
      try {
        const answer = await asked.call(`/ads/${ids[n % ids.length]}/organization`);
        const text = await answer.text();
        if (answer.status === 200) calls += 1;
        else wrong.push(`${answer.status} ${text}`);
      } catch {
        // It was killed under the call, or is not up again yet.
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  const callers = Promise.all([0, 1, 2, 3].map(caller));
  const status = (): Promise<VaultStatus> => server.json<VaultStatus>('/v1/vault');
  const job = (name: 'rotate' | 'reencrypt', new_key: boolean): Promise<VaultStatus> =>
    server.json('/v1/vault/jobs', { method: 'POST', body: { name, ...(new_key ? { new_key } : {}) } });
  const stateOf = async (name: string) => (await status()).jobs.find((one) => one.name === name);

  let cut = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const name = kill % 2 === 0 ? 'rotate' : 'reencrypt';
    await job(name, name === 'rotate');
    // Another moment each time: before the first batch, and after one, two, three.
    await until(`${name} is under way`, async () => {
      const running = await stateOf(name);
      return running?.state !== 'running' || running.done >= kill * 500;
    });
    if ((await stateOf(name))?.state === 'running') cut += 1;
    const before = calls;
    expect(await server.end('SIGKILL')).toBe('SIGKILL');
    server = await start();
    await until('calls are answered again', () => calls > before + 5);
  }
  expect(cut).toBeGreaterThanOrEqual(1);

  await job('rotate', true);
  await until('the last rotation is done', async () => (await stateOf('rotate'))?.state !== 'running');
  expect(await stateOf('rotate')).toMatchObject({ state: 'done', failed: 0 });
  over = true;
  await callers;
  expect(wrong.slice(0, 5)).toEqual([]);
  expect(calls).toBeGreaterThan(KILLS * 5);
  const { keys } = await status();
  expect(keys.filter(({ secrets }) => secrets > 0)).toHaveLength(1);
  expect(keys.find(({ state }) => state === 'active')?.secrets).toBeGreaterThan(SECRETS + CONNECTIONS);
  expect(keys.filter(({ state }) => state === 'retired').length).toBeGreaterThanOrEqual(2);
  expect(new Set(keys.map(({ state }) => state))).toEqual(new Set(['active', 'retired']));
  for (const id of ids) expect((await server.call(`/ads/${id}/organization`)).status).toBe(200);
  expect(await server.end()).toBe(0);
  for (const { output } of place.servers) expect(output.stderr).not.toContain('"alarm"');

  const store = await openStore({ dataDir: place.dataDir, log: memoryLog() });
  const vault = await openVaultOn(store, place.dataDir);
  try {
    for (const [n, owner] of owners.entries())
      expect((await vault.secrets.get(store.db, owner, 'tokens'))?.plain).toEqual({ n });
  } finally {
    await vault.close();
    await store.close();
  }
}, 300_000);

/** Two servers on one embedded directory would lose each other's writes: the second must not start. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cleanEnv, runCli, ServerProcess, scenario } from './support/server-process.ts';

let place: Awaited<ReturnType<typeof scenario>>;
beforeAll(async () => {
  place = await scenario();
});
afterAll(() => place.close());

it('refuses the second server on a directory, and leaves the first one alone', async () => {
  const first = await ServerProcess.start(place.dataDir);
  place.servers.push(first);
  const [connection] = first.ready.connections;

  const second = await runCli(['start', '--json'], cleanEnv(place.dataDir));
  expect(second.code).toBe(1);
  expect(second.stdout).toBe('');
  expect(second.stderr).toContain('store_directory_in_use');
  expect(second.stderr).toContain(`process ${first.child.pid}`);
  expect(second.stderr).toContain('POLYAD_DATA_DIR');

  expect(await first.json<unknown[]>(`/ads/${connection?.id}/campaign?limit=2`)).toHaveLength(2);
  expect(await first.end()).toBe(0);
});

it('recovers the directory of a server that was killed', async () => {
  const killed = await ServerProcess.start(place.dataDir);
  place.servers.push(killed);
  await killed.end('SIGKILL');
  const next = await ServerProcess.start(place.dataDir);
  place.servers.push(next);
  expect(next.ready.api_key).toBe(killed.ready.api_key);
  expect(await next.end()).toBe(0);
});

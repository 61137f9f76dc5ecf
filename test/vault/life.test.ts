/** A server whose secrets lie in a manager, as an operator runs it: connect, call, restart, refresh, disconnect, migrate. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectAccount } from '../../src/app/connect-account.ts';
import type { VaultStatus } from '../../src/core/auth/secrets/admin.ts';
import { cleanEnv, runCli, ServerProcess, scenario } from '../scenarios/support/server-process.ts';
import { TEST_CERTIFICATE } from '../support/azure-certificate-table.ts';
import { type Clouds, keyAddress, MANAGERS, scratch, startClouds } from './support/world.ts';

const clouded = scratch();
let clouds: Clouds & { stop(): Promise<void> };
let place: Awaited<ReturnType<typeof scenario>>;
const certificates = join(clouded.path, 'certificates.pem');

beforeAll(async () => {
  clouds = await startClouds(clouded.path);
  writeFileSync(certificates, TEST_CERTIFICATE);
});
afterAll(async () => {
  await clouds.stop();
  await clouded.remove();
});
beforeEach(async () => {
  place = await scenario();
});
afterEach(async () => {
  for (const which of MANAGERS) clouds[which].fault = 'none';
  await place.close();
});

const envOf = (which: (typeof MANAGERS)[number]): Record<string, string> => ({
  ...clouds[which].env,
  NODE_EXTRA_CA_CERTS: certificates,
  POLYAD_SECRETS: which,
  POLYAD_LOG_LEVEL: 'info',
});

const start = async (extra: Record<string, string>): Promise<ServerProcess> => {
  const server = await ServerProcess.start(place.dataDir, extra);
  place.servers.push(server);
  return server;
};

/** The values that lie in a manager, as text. */
function values(which: (typeof MANAGERS)[number]): string {
  if (which === 'aws')
    return [...clouds.aws.secrets.values()]
      .flatMap(({ versions }) => [...versions.values()].map(({ text }) => text))
      .join('\n');
  if (which === 'azure')
    return [...clouds.azure.secrets.values()]
      .flatMap((versions) => [...versions.values()].map(({ value }) => value))
      .join('\n');
  return [...clouds.gcp.secrets.values()]
    .flatMap(({ versions }) => versions.map(({ data }) => Buffer.from(data, 'base64').toString()))
    .join('\n');
}

describe.each(MANAGERS)('a server with its secrets in %s', (which) => {
  it('connects, calls, restarts, refreshes, is revoked and connected again, and forgets', async () => {
    const env = envOf(which);
    const first = await start(env);
    const simulator = first.ready.simulators['tiktok']!;
    expect(values(which)).toContain(String(simulator['secret']));
    expect(values(which)).toContain('"access_token"');
    await first.control('PATCH', '/settings', { token_model: 'guide' });
    const connection = await connectAccount({
      url: first.ready.url,
      workspaceId: first.ready.workspace_id!,
      type: 'tiktokads',
      controlUrl: simulator.control_url,
      external_xref: 'customer-7',
    });
    const path = `/ads/${connection}/campaign?org_id=${first.organization}&limit=2`;
    await first.json(path);
    // The token dies at the platform; the refreshed pair is stored before it is used.
    const before = values(which);
    await first.control('POST', '/clock/advance', { hours: 25 });
    await first.json(path);
    const after = values(which);
    expect(after.length).toBeGreaterThan(before.length);
    const renewed = /"refresh_token":"([^"]+)"/.exec(after.split('\n').find((text) => !before.includes(text))!)![1]!;
    // What was known is served through an outage; a new process reads it from the manager again.
    clouds[which].fault = 'down';
    await first.json(path);
    clouds[which].fault = 'none';
    await first.end();
    const second = await start(env);
    const seen = clouds[which].log.length;
    await second.json(`/unified/connection/${connection}`);
    await second.call(`/ads/${connection}/organization`);
    expect(clouds[which].log.length).toBeGreaterThan(seen);
    const status = await second.json<VaultStatus>('/v1/vault');
    expect(status).toMatchObject({ place: which, waiting: 0, managed: { [which]: expect.any(Number) } });
    // The customer withdraws the grant: calls end at once. The link restores the same connection, with new tokens there.
    await second.control('POST', '/grants/revoke', { app_id: simulator['app_id'] });
    const refused = await second.call(path);
    const { code, details } = (await refused.json()) as { code: string; details: { reconnect_url: string } };
    expect([refused.status, code]).toEqual([403, 'connection_reconnect_required']);
    const again = await connectAccount({
      url: second.ready.url,
      workspaceId: second.ready.workspace_id!,
      type: 'tiktokads',
      controlUrl: second.ready.simulators['tiktok']!.control_url,
      reconnectUrl: details.reconnect_url,
    });
    expect(again).toBe(connection);
    await second.json(path);
    expect(values(which).length).toBeGreaterThan(after.length);
    await second.json(`/unified/connection/${connection}`, { method: 'DELETE' });
    expect((await second.json<VaultStatus>('/v1/vault')).to_destroy).toBeGreaterThan(status.to_destroy);
    expect((await second.json<VaultStatus>('/v1/vault')).managed[which]).toBe(status.managed[which]! - 1);
    await second.end();
    // No log of either server says any of it; stdout has the ready line, which is meant to show the test app.
    for (const { output } of [first, second]) {
      expect(output.stdout + output.stderr).not.toContain(renewed);
      expect(output.stderr).not.toContain(String(simulator['secret']));
    }
  }, 120_000);
});

describe('polyad vault', () => {
  it('asks the server that holds the database, or works on the database itself', async () => {
    const server = await start({});
    const env = cleanEnv(place.dataDir);
    const cli = async (...args: string[]) => {
      const { code, stdout, stderr } = await runCli(['vault', ...args, '-o', 'json', '--data-dir', place.dataDir], env);
      return { code, stderr, body: stdout === '' ? undefined : JSON.parse(stdout) };
    };
    const online = await cli('status');
    expect(online).toMatchObject({
      code: 0,
      body: { place: 'vault', keys: [{ state: 'active' }], nodes: [{ active_key: online.body.keys[0].id }] },
    });
    const first = online.body.keys[0].id as string;
    const rotated = await cli('rotate', '--new-key', '--reencrypt');
    expect(rotated).toMatchObject({ code: 0, body: { name: 'reencrypt', state: 'done', failed: 0 } });
    await server.json(`/ads/${server.ready.connections[0]!.id}/campaign?org_id=${server.organization}`);
    const states = async () =>
      ((await cli('status')).body as VaultStatus).keys.map(({ id, state }) => [id === first, state]);
    expect(await states()).toEqual([
      [false, 'active'],
      [true, 'retired'],
    ]);
    // Signed links of before the rotation are verified by the old key until it is taken away.
    await server.end();
    expect(await states()).toEqual([
      [false, 'active'],
      [true, 'retired'],
    ]);
    expect(await cli('rotate')).toMatchObject({ code: 0, body: { name: 'rotate', state: 'done', done: 0 } });
    const refused = await cli('migrate', '--to', 'aws');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('POLYAD_SECRETS=aws');
    expect((await cli('migrate', '--to', 'nowhere')).code).toBe(2);
    const again = await start({});
    await again.json(`/ads/${again.ready.connections[0]!.id}/campaign?org_id=${again.organization}`);
  }, 120_000);

  it.each(MANAGERS)(
    'moves a stopped server’s secrets to %s and back',
    async (which) => {
      const server = await start({});
      const { secret } = server.ready.simulators['tiktok'] as { secret?: string };
      await server.end();
      const run = (args: string[], extra: Record<string, string>) =>
        runCli(['vault', ...args, '-o', 'json', '--data-dir', place.dataDir], cleanEnv(place.dataDir, extra));
      const there = await run(['migrate', '--to', which], envOf(which));
      expect(there.stderr).toBe('');
      expect(JSON.parse(there.stdout)).toMatchObject({ name: 'migrate', target: which, state: 'done', failed: 0 });
      expect(values(which)).toContain(secret);
      const managed = await start(envOf(which));
      await managed.json(`/ads/${managed.ready.connections[0]!.id}/campaign?org_id=${managed.organization}`);
      await managed.end();
      const back = await run(['migrate', '--to', 'vault'], { ...envOf(which), POLYAD_SECRETS: 'vault' });
      expect(JSON.parse(back.stdout)).toMatchObject({ target: 'vault', state: 'done', failed: 0 });
      const home = await start({});
      await home.json(`/ads/${home.ready.connections[0]!.id}/campaign?org_id=${home.organization}`);
    },
    120_000,
  );

  it('needs the scope operator over the API', async () => {
    const server = await start({});
    const { key } = await server.json<{ key: string }>('/v1/keys', {
      method: 'POST',
      body: { name: 'a', scopes: ['admin'] },
    });
    expect((await server.call('/v1/vault', { key })).status).toBe(403);
    expect((await server.call('/v1/vault/jobs', { key, method: 'POST', body: { name: 'rotate' } })).status).toBe(403);
  });
});

describe('the start of a server', () => {
  const failing = (extra: Record<string, string>) => runCli(['start', '--json'], cleanEnv(place.dataDir, extra));

  it('names a missing variable, and a manager that refuses', async () => {
    const unset = await failing({ POLYAD_SECRETS: 'azure' });
    expect(unset.code).toBe(2);
    expect(unset.stderr).toContain('POLYAD_AZURE_VAULT_URL');
    clouds.gcp.fault = 'denied';
    const denied = await failing(envOf('gcp'));
    expect(denied.code).toBe(1);
    expect(denied.stderr).toContain('secret_store_denied');
    expect(denied.stderr).toContain('Google Secret Manager');
  });

  it('runs with a master key of a key service, through an outage that comes later', async () => {
    const env = { ...clouds.aws.env, POLYAD_MASTER_KEY: `main:${keyAddress(clouds, 'aws')}` };
    const server = await start(env);
    clouds.aws.fault = 'down';
    await server.json(`/ads/${server.ready.connections[0]!.id}/campaign?org_id=${server.organization}`);
    expect((await server.json<VaultStatus>('/v1/vault')).keys).toMatchObject([
      { id: 'main', state: 'active', wrapped_by: 'awskms:///alias/polyad' },
    ]);
  });
});

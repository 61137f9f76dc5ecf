/** The command line against a server of its own: what it prints, what it says when refused, and its exit codes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectAccount } from '../../src/app/connect-account.ts';
import { cleanEnv, type Ended, runCli, ServerProcess, scenario, until } from './support/server-process.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

let place: Awaited<ReturnType<typeof scenario>>;
let server: ServerProcess;
beforeAll(async () => {
  place = await scenario();
  server = await ServerProcess.start(place.dataDir);
  place.servers.push(server);
});
afterAll(() => place.close());

const cli = (...args: string[]): Promise<Ended> => runCli(args, cleanEnv(place.dataDir));
/** Runs a command that must succeed; its JSON. */
// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes; each test says what it expects.
async function json(...args: string[]): Promise<any> {
  const ended = await cli(...args, '-o', 'json');
  expect(ended.stderr).toBe('');
  expect(ended.code).toBe(0);
  return JSON.parse(ended.stdout);
}

describe('polyad', () => {
  it('explains itself', async () => {
    const help = await cli('--help');
    expect(help.code).toBe(0);
    for (const word of [
      'start',
      'demo',
      'connect',
      'call',
      'simulator',
      'keys',
      'doctor',
      'POLYAD_DATA_DIR',
      'Exit codes',
    ])
      expect(help.stdout).toContain(word);
    expect((await cli('frobnicate')).code).toBe(2);
  });

  it('calls objects, as JSON, table and lines', async () => {
    const rows = await json('call', 'ads', 'campaign', 'list', '--org-id', server.organization, '--limit', '2');
    expect(rows).toHaveLength(2);
    expect(await json('call', 'ads', 'campaign', 'get', rows[0].id)).toMatchObject({ id: rows[0].id });
    const table = await cli('call', 'ads', 'campaign', 'list', '--org-id', server.organization, '-o', 'table');
    expect(table.stdout).toMatch(/│ id .*│ name/);
    expect(table.stdout).toContain(rows[0].name);
    const lines = await cli('call', 'ads', 'campaign', 'list', '--all', '--limit', '3', '-o', 'ndjson');
    const ids = lines.stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(3);
  });

  it('writes: dry run, create, update, remove', async () => {
    const body = JSON.stringify({
      organization_id: server.organization,
      name: 'From the CLI',
      goal: 'WEBSITE_TRAFFIC',
    });
    const made = await json('call', 'ads', 'campaign', 'create', '-d', body);
    expect(made).toMatchObject({ name: 'From the CLI' });
    const changed = await json('call', 'ads', 'campaign', 'update', made.id, '-d', '{"status": "PAUSED"}');
    expect(changed).toMatchObject({ id: made.id, status: 'PAUSED', name: 'From the CLI' });
    await json('call', 'ads', 'campaign', 'remove', made.id);
    const dry = await cli('call', 'ads', 'campaign', 'create', '--dry-run', '-d', body.replace('From', 'Not from'));
    expect(dry.code).toBe(0);
    const { requests } = await server.control<{ requests: unknown[] }>('GET', '/log?path=campaign/create');
    expect(requests).toHaveLength(1);
  });

  it('prints the answer of the platform itself', async () => {
    const ended = await cli('call', 'passthrough', 'GET', 'open_api/v1.3/user/info/');
    expect(ended.code).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({ code: 0, message: 'OK' });
  });

  it('says what was refused, why, and what to do', async () => {
    const missing = await cli('call', 'ads', 'campaign', 'get', '1');
    expect(missing.code).toBe(4);
    expect(missing.stderr).toMatch(/^error platform_not_found: /);
    expect(missing.stderr).toMatch(/^fix /m);
    const asJson = await cli('call', 'ads', 'campaign', 'get', '1', '-o', 'json');
    expect(JSON.parse(asJson.stderr)).toMatchObject({ code: 'platform_not_found', request_id: expect.any(String) });
    expect(asJson.stdout).toBe('');
    const wrongKey = await cli('call', 'connections', '--key', 'polyad_wrong');
    expect(wrongKey).toMatchObject({ code: 4, stderr: expect.stringContaining('key_invalid') });
    expect((await cli('call', 'ads', 'campaign', 'update', '1')).code).toBe(2);
  });

  it('rotates keys, exports the audit log and shows when it was changed', async () => {
    const key = await json('keys', 'create', '--name', 'rotated', '--scopes', 'read');
    const next = await json('keys', 'rotate', key.id, '--overlap', '0');
    expect(next).toMatchObject({ rotated_from: key.id, scopes: ['read'], key: expect.stringMatching(/^polyad_/) });
    expect(await cli('call', 'connections', '--key', key.key)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('key_expired'),
    });
    const file = join(place.dataDir, 'audit.ndjson');
    const exported = await cli('audit', 'export', '--file', file);
    const head = /^head (\d+:[0-9a-f]{64})$/m.exec(exported.stderr)?.[1] as string;
    expect(await json('audit', 'verify', '--head', head)).toMatchObject({ ok: true, sealed: true });
    expect(await json('audit', 'verify', '--file', file)).toMatchObject({ ok: true, first: 1 });
    await writeFile(file, (await readFile(file, 'utf8')).replace('"rotateApiKey"', '"revokeApiKey"'));
    const changed = await cli('audit', 'verify', '--file', file, '-o', 'json');
    expect([changed.code, JSON.parse(changed.stdout).fault.reason]).toEqual([1, 'its content is not what was hashed']);
  });

  it('never sends the demo key to another server', async () => {
    const ended = await cli('call', 'connections', '--server', 'http://127.0.0.1:1');
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('cli_no_key') });
    const unreachable = await cli('call', 'connections', '--server', 'http://127.0.0.1:1', '--key', 'x');
    expect(unreachable).toMatchObject({ code: 3, stderr: expect.stringContaining('polyad start') });
  });

  it('moves the clock of the simulator, switches faults, seeds, shows its log', async () => {
    const { now } = await json('simulator', 'clock', 'advance', '2d');
    expect(Date.parse(now) - Date.now()).toBeGreaterThan(1.9 * 86_400_000);
    await json('simulator', 'clock', 'reset');
    await json('simulator', 'fault', 'add', 'server_error', '--path', '/campaign/get', '--times', '50');
    expect((await json('simulator', 'fault', 'list')).faults).toMatchObject([{ kind: 'server_error', times: 50 }]);
    await json('simulator', 'fault', 'clear');
    const before = (await json('simulator', 'list'))[0].records.ads;
    await json('simulator', 'seed', 'volume', '--ads', '40');
    expect((await json('simulator', 'list'))[0].records.ads - before).toBe(40);
    expect(await json('simulator', 'settings', 'limits=off')).toMatchObject({ limits: 'off' });
    const log = await json('simulator', 'log', '--path', 'user/info', '--limit', '1');
    expect(log).toMatchObject([{ method: 'GET', path: '/open_api/v1.3/user/info/' }]);
    const unknown = await cli('simulator', 'fault', 'add', 'gremlins');
    expect(unknown).toMatchObject({ code: 4, stderr: expect.stringContaining('kind must be one of') });
  });

  it('makes, lists and revokes keys', async () => {
    const made = await json('keys', 'create', '--name', 'reader', '--scopes', 'read');
    expect((await cli('call', 'connections', '--key', made.key)).code).toBe(0);
    expect(await json('keys', 'list')).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: made.id, name: 'reader' })]),
    );
    await json('keys', 'revoke', made.id);
    expect(await cli('call', 'connections', '--key', made.key)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('key_revoked'),
    });
  });

  it('waits for a connection to be made', async () => {
    const child = spawn(process.execPath, [MAIN, 'connect', 'tiktokads', '--timeout', '1m'], {
      env: cleanEnv(place.dataDir),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    const closed = once(child, 'close');
    await until('the address', () => text.includes('\n'));
    expect(text).toMatch(new RegExp(`^${server.ready.url}/connect/`));
    const id = await connectAccount({
      url: server.ready.url,
      workspaceId: server.ready.workspace_id as string,
      type: 'tiktokads',
      controlUrl: server.ready.simulators['tiktok']?.control_url as string,
    });
    expect((await closed)[0]).toBe(0);
    expect(JSON.parse(text.slice(text.indexOf('\n')))).toMatchObject({ id, integration_type: 'tiktokads' });
    await json('call', 'connections', 'remove', id);
  });

  it('checks the set-up with the server up and down', async () => {
    const up = await cli('doctor');
    expect(up.stdout).toContain('0 errors');
    expect(up.code).toBe(0);
    expect(up.stdout).toContain(`Held by process ${server.child.pid}`);
    expect(up.stdout).toContain(`${server.ready.url}/connect/callback/tiktokads`);

    await json('demo', 'reset');
    const shown = await json('demo');
    expect(shown).toMatchObject({
      server: 'running',
      api_key: server.ready.api_key,
      connections: [{ health: 'healthy' }],
    });

    expect(await server.end()).toBe(0);
    const down = await json('doctor');
    const find = (check: string) => down.filter((one: { check: string }) => one.check === check);
    expect(find('server')).toMatchObject([{ severity: 'note' }]);
    expect(find('database')).toMatchObject([{ severity: 'ok' }]);
    expect(find('app credentials')[0]).toMatchObject({
      severity: 'ok',
      text: expect.stringContaining('simulator: stored'),
    });

    const wrong = await runCli(['doctor'], cleanEnv(place.dataDir, { POLYAD_PORT: 'x', POLYAD_MASTER_KEY: 'short' }));
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toContain('POLYAD_PORT');
  });
});

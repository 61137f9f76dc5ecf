/** `polyad start` from outside: fresh directory, second start, ports, parents that die, production mode. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnv, runCli, ServerProcess, scenario, until } from './support/server-process.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

let place: Awaited<ReturnType<typeof scenario>>;
beforeAll(async () => {
  place = await scenario();
});
afterAll(() => place.close());

const start = async (...args: Parameters<typeof ServerProcess.start>): Promise<ServerProcess> => {
  const server = await ServerProcess.start(...args);
  place.servers.push(server);
  return server;
};

interface Campaign {
  id: string;
  name: string;
}

describe('start', () => {
  it('makes a demo on a fresh directory and finds it again at the second start', async () => {
    const first = await start(place.dataDir);
    const { url, api_key: key, workspace_id: workspace, dashboard, connections, simulators } = first.ready;
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(dashboard).toBe(`${url}/dashboard`);
    expect(key).toMatch(/^polyad_/);
    expect(workspace).toMatch(/^[0-9a-f]{24}$/);
    expect(connections).toEqual([
      { id: expect.stringMatching(/^[0-9a-f]{24}$/), integration_type: 'tiktokads', environment: 'simulator' },
    ]);
    const tiktok = simulators['tiktok'];
    expect(tiktok).toMatchObject({
      url: expect.stringMatching(/^http:/),
      control_url: expect.stringMatching(/\/_control$/),
      app_id: expect.any(String),
      secret: expect.any(String),
      access_token: expect.any(String),
    });
    expect(tiktok?.['advertiser_ids']).toEqual(expect.arrayContaining([expect.any(String)]));

    const campaigns = await first.json<Campaign[]>(`/ads/${connections[0]?.id}/campaign?limit=5`);
    expect(campaigns.length).toBeGreaterThan(0);

    // The connection came by the real flow: the simulator saw its own token exchange.
    const log = await first.control<{ requests: { path: string }[] }>('GET', '/log?path=oauth2/access_token');
    expect(log.requests).toHaveLength(1);

    const file = join(place.dataDir, 'demo.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ api_key: key, url });

    expect(await first.end('SIGTERM')).toBe(0);
    expect(existsSync(join(place.dataDir, 'polyad.lock'))).toBe(false);
    expect(first.output.stdout.trimEnd().split('\n')).toHaveLength(1);

    const second = await start(place.dataDir);
    expect(second.ready.api_key).toBe(key);
    expect(second.ready.workspace_id).toBe(workspace);
    expect(second.ready.connections).toEqual(connections);
    expect(await second.json<Campaign[]>(`/ads/${connections[0]?.id}/campaign?limit=5`)).toEqual(campaigns);
    console.log(`start: first ${Math.round(first.startedInMs)} ms, second ${Math.round(second.startedInMs)} ms`);
    await second.end();
  });

  it('prints a call that works to people', async () => {
    const child = spawn(process.execPath, [MAIN, 'start'], {
      env: cleanEnv(place.dataDir),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    try {
      await until('the banner', () => text.includes('Ctrl-C'));
      const [, header, address] = /curl -s -H "Authorization: (.+?)" "(.+?)"/.exec(text) ?? [];
      const answer = await fetch(address as string, { headers: { authorization: header as string } });
      expect(((await answer.json()) as Campaign[]).length).toBeGreaterThan(0);
      for (const [, page] of text.matchAll(/(?:Dashboard|Reference)\s+(http\S+)/g))
        expect((await fetch(page as string)).status).toBe(200);
    } finally {
      child.kill('SIGTERM');
      await once(child, 'close');
    }
  });

  it('says which port is taken and how to choose another', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    try {
      for (const variable of ['POLYAD_PORT', 'POLYAD_SIMULATOR_PORT']) {
        const ended = await runCli(['start', '--json'], cleanEnv(place.dataDir, { [variable]: String(port) }));
        expect(ended.code).toBe(2);
        expect(ended.stdout).toBe('');
        expect(ended.stderr).toContain(`port_in_use: Port ${port}`);
        expect(ended.stderr).toContain(variable);
        expect(existsSync(join(place.dataDir, 'polyad.lock'))).toBe(false);
      }
    } finally {
      other.close();
    }
  });

  it('names every wrong setting at once', async () => {
    const ended = await runCli(
      ['start'],
      cleanEnv(place.dataDir, { POLYAD_PORT: 'eighty', POLYAD_PUBLIC_URL: 'ads.example' }),
    );
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('POLYAD_PORT');
    expect(ended.stderr).toContain('POLYAD_PUBLIC_URL');
  });

  it('does not outlive an npm that was killed', async () => {
    // A parent that starts the server as npm does and passes its ready line on.
    const parent = spawn(
      process.execPath,
      [
        '-e',
        `require('node:child_process').spawn(process.execPath, [${JSON.stringify(MAIN)}, 'start', '--json'], { stdio: 'inherit' })`,
      ],
      { env: cleanEnv(place.dataDir, { npm_lifecycle_event: 'start' }), stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const { url } = JSON.parse(String(line)) as { url: string };
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    parent.kill('SIGKILL');
    await until('the server ends', () => !existsSync(join(place.dataDir, 'polyad.lock')));
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });

  it('makes no demo in production mode, where the first key comes from the command line', async () => {
    const production = await scenario();
    try {
      const made = await runCli(['keys', 'bootstrap', '-o', 'json'], cleanEnv(production.dataDir));
      expect(made.code).toBe(0);
      const { key, workspace_id: workspace } = JSON.parse(made.stdout) as { key: string; workspace_id: string };
      const server = await ServerProcess.start(production.dataDir, { NODE_ENV: 'production' });
      production.servers.push(server);
      expect(server.ready).toMatchObject({ api_key: null, workspace_id: null, connections: [], simulators: {} });
      expect(existsSync(join(production.dataDir, 'demo.json'))).toBe(false);
      expect(await server.json<{ id: string }[]>('/v1/workspaces', { key })).toMatchObject([{ id: workspace }]);
      expect(await server.end()).toBe(0);
    } finally {
      await production.close();
    }
  });
});

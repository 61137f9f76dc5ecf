import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { simulatorIds, startSimulators } from './host.ts';
import { startSimulatorThread } from './worker.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const dirs: string[] = [];
const newDir = () => {
  const dir = mkdtempSync(join(tmpdir(), 'polyad-host-'));
  dirs.push(dir);
  return dir;
};
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

const state = async (controlUrl: string) =>
  (await (await fetch(`${controlUrl}/state`)).json()) as Record<string, unknown>;

/** Runs `main.ts` until it says that it is ready. */
async function runMain(dataDir: string, args: string[] = []) {
  const env = { ...process.env, POLYAD_SIMULATOR_PORT: '0', POLYAD_DATA_DIR: dataDir };
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout! });
  const [line] = (await Promise.race([once(lines, 'line'), exited.then(() => [''])])) as [string];
  const ready = line === '' ? undefined : JSON.parse(line);
  return {
    ready,
    tiktok: ready?.simulators.tiktok as Record<string, string>,
    async stop(signal: NodeJS.Signals) {
      child.kill(signal);
      await exited;
      return child.exitCode;
    },
    exited,
  };
}

describe('host', () => {
  it('finds the simulators by their folders and starts those that are asked for', async () => {
    expect(simulatorIds()).toContain('tiktok');
    expect(simulatorIds()).not.toContain('kit');
    const host = await startSimulators({ ids: ['tiktok'], port: 0 });
    expect(Object.keys(host.simulators)).toEqual(['tiktok']);
    expect(await state(host.simulators['tiktok']!.controlUrl)).toMatchObject({ id: 'tiktok' });
    await host.close();
    await expect(state(host.simulators['tiktok']!.controlUrl)).rejects.toThrow();
  });

  it('names ids that it does not know', async () => {
    await expect(startSimulators({ ids: ['nonsense'], port: 0 })).rejects.toThrow(
      /no simulator nonsense; there are .*tiktok/,
    );
  });

  it('runs in a thread and ends it', async () => {
    const thread = await startSimulatorThread({ ids: ['tiktok'], port: 0 });
    const { controlUrl, ready } = thread.simulators['tiktok']!;
    expect(await state(controlUrl)).toMatchObject({ id: 'tiktok' });
    expect(ready['access_token']).toMatch(/^[0-9a-f]{40}$/);
    await thread.close();
    await expect(state(controlUrl)).rejects.toThrow();
  });

  it('tells why a thread could not start', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    await expect(startSimulatorThread({ ids: ['tiktok'], port })).rejects.toThrow('EADDRINUSE');
    taken.close();
  });
});

describe('alone', () => {
  it('keeps state, tokens and clock over kill -9', async () => {
    const dataDir = newDir();
    const first = await runMain(dataDir, ['tiktok']);
    const call = async (url: string, path: string, body: unknown) => {
      const headers = { 'content-type': 'application/json', 'Access-Token': first.tiktok['access_token']! };
      return (await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json();
    };
    const advertiser_id = first.tiktok['advertiser_ids']![0];
    const term = { advertiser_id, term_type: 'Pixel' };
    await call(first.tiktok['url']!, '/_control/clock/set', { at: '2031-01-01T00:00:00Z' });
    expect(await call(first.tiktok['url']!, '/open_api/v1.3/term/confirm/', term)).toMatchObject({ code: 0 });
    await first.stop('SIGKILL');

    const second = await runMain(dataDir, ['tiktok']);
    const { url, access_token } = second.tiktok as { url: string; access_token: string };
    expect(access_token).toBe(first.tiktok['access_token']);
    const path = `/open_api/v1.3/term/check/?advertiser_id=${advertiser_id}&term_type=Pixel`;
    const check = await fetch(url + path, { headers: { 'Access-Token': access_token } });
    expect(await check.json()).toMatchObject({ code: 0, data: { confirmed: true } });
    expect((await state(second.tiktok['control_url']!))['now']).toMatch(/^2031-01-01T00:0/);
    expect(await second.stop('SIGTERM')).toBe(0);
  });

  it('says what is wrong and fails', async () => {
    const run = await runMain(newDir(), ['nonsense']);
    expect(run.ready).toBeUndefined();
    expect((await run.exited)[0]).toBe(1);
  });
});

/** kill -9 again and again while secrets are re-wrapped or moved and at the same time used: every one can be read in the end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SecretOwner } from '../../src/core/store/repositories/index.ts';
import {
  type Clouds,
  databaseEnv,
  newOwner,
  openDatabase,
  openVaultOn,
  scratch,
  startClouds,
} from './support/world.ts';

const COUNT = 1_500;
/** More with POLYAD_KILL_ROUNDS, for a long run. */
const ROUNDS = Number(process.env['POLYAD_KILL_ROUNDS'] ?? 4);
const clouded = scratch();
let clouds: Clouds & { stop(): Promise<void> };

beforeAll(async () => {
  clouds = await startClouds(clouded.path);
});
afterAll(async () => {
  await clouds.stop();
  await clouded.remove();
});

interface Line {
  ready?: number;
  key?: string;
  done?: number;
  written?: string;
  version?: number;
  finished?: string;
  failed?: string;
  message?: string;
  error?: string;
}

/** Runs the child until `enough` says so, then kills it without warning. Answers what it said. */
async function runUntil(args: string[], env: Record<string, string>, enough: (line: Line) => boolean): Promise<Line[]> {
  const file = fileURLToPath(new URL('./support/job-child.ts', import.meta.url));
  const child = spawn(process.execPath, [file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...databaseEnv(args[0] as string), ...env },
  });
  const ended = Promise.all([once(child, 'exit'), once(child.stdout, 'close')]);
  const lines: Line[] = [];
  createInterface(child.stdout).on('line', (text) => {
    let line: Line;
    try {
      line = JSON.parse(text) as Line;
    } catch {
      return;
    }
    lines.push(line);
    if (enough(line)) child.kill('SIGKILL');
  });
  await ended;
  return lines;
}

/** Rounds of kills at different moments, and a last one that ends by itself; then every secret is read. */
async function torture(job: 'rotate' | 'migrate', legs: { to: string; env: Record<string, string>; rounds: number }[]) {
  const directory = scratch();
  const store = await openDatabase(directory.path);
  const first = await openVaultOn(store, directory.path);
  const owners: SecretOwner[] = [];
  const count = job === 'rotate' ? COUNT : 150;
  for (let n = 0; n < count; n++) {
    const owner: SecretOwner = await newOwner(store, owners[0]?.workspaceId);
    await first.secrets.put(store.db, owner, 'tokens', { owner: owner.id, n: 1 });
    owners.push(owner);
  }
  await first.close();
  await store.close();

  const acknowledged = new Map<string, number>(owners.map(({ id }) => [id, 1]));
  let cutShort = 0;
  let keys = 0;
  for (const { to, env, rounds } of legs)
    for (let round = 0; round <= rounds; round++) {
      const last = round === rounds;
      let seen = 0;
      const lines = await runUntil([directory.path, job, to], env, (line) => {
        if (line.failed !== undefined || line.finished !== undefined) return true;
        if (last) return false;
        // Another moment each time: within a batch, between two, and just after the key was made.
        if (line.written !== undefined || line.done !== undefined) seen += 1;
        return round === 1 ? line.key !== undefined || line.done !== undefined : seen > 2 + round * 5;
      });
      expect(lines.filter(({ failed, error }) => failed !== undefined || error !== undefined)).toEqual([]);
      expect(lines[0]).toHaveProperty('ready');
      if (last) expect(lines).toContainEqual({ finished: job });
      else if (!lines.some(({ finished }) => finished !== undefined)) cutShort += 1;
      keys += lines.filter(({ key }) => key !== undefined).length;
      for (const { written, version } of lines) if (written !== undefined) acknowledged.set(written, version as number);
    }
  // Most kills fell into the job, not behind it.
  expect(cutShort).toBeGreaterThanOrEqual(2);

  const reopened = await openDatabase(directory.path);
  const place = (legs.at(-1)!.env['POLYAD_SECRETS'] ?? 'vault') as 'vault' | 'aws';
  const world = await openVaultOn(reopened, directory.path, { place });
  for (const owner of owners) {
    const { plain, version } = (await world.secrets.get(reopened.db, owner, 'tokens'))!;
    expect(plain).toEqual({ owner: owner.id, n: version });
    expect(version).toBeGreaterThanOrEqual(acknowledged.get(owner.id)!);
  }
  const status = await world.admin.status();
  return {
    status,
    keys,
    world,
    store: reopened,
    async done() {
      await world.close();
      await reopened.close();
      await directory.remove();
    },
  };
}

it('rotation under load with kills: nothing unreadable, all under the newest key, the old ones retired', async () => {
  const { status, keys, world, done } = await torture('rotate', [{ to: '', env: {}, rounds: ROUNDS }]);
  expect(keys).toBeGreaterThan(1);
  expect(status.keys.find(({ state }) => state === 'active')).toMatchObject({ secrets: COUNT });
  expect(status.keys.filter(({ state }) => state === 'retired').length).toBeGreaterThanOrEqual(1);
  expect(status.keys.filter(({ secrets }) => secrets > 0)).toHaveLength(1);
  expect(world.alarms).toEqual([]);
  await done();
}, 400_000);

it('database → manager → database with kills: nothing lost, nothing left in the manager', async () => {
  const { status, world, store, done } = await torture('migrate', [
    { to: 'aws', env: { ...clouds.aws.env, POLYAD_SECRETS: 'aws' }, rounds: ROUNDS },
    { to: 'vault', env: { ...clouds.aws.env, POLYAD_SECRETS: 'vault' }, rounds: 2 },
  ]);
  expect(status.managed).toEqual({});
  await sql`update secret_tombstones set due_at = ${world.clock.now()}`.execute(store.db);
  await world.admin.tidy();
  // What is left was begun by a write that was killed before its transaction ended; the sweep finds it by its age.
  for (const secret of clouds.aws.secrets.values()) secret.createdAt = Date.now() - 3 * 24 * 3_600_000;
  await world.admin.sweep('aws');
  expect([...clouds.aws.secrets.keys()]).toEqual([]);
  await done();
}, 400_000);

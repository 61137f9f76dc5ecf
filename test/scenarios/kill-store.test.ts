import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openStore } from '../../src/core/store/port.ts';
import { listApiCalls, listConnections } from '../../src/core/store/repositories/index.ts';
import { memoryLog } from '../store/log.ts';
import { storeProcess } from './store-process.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'polyad-kill-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

/** More with POLYAD_KILL_ROUNDS, for a long run. */
const ROUNDS = Number(process.env['POLYAD_KILL_ROUNDS'] ?? 5);

it('kill -9 in a loop while writing: nothing acknowledged is lost, and every restart is clean', async () => {
  /** Last acknowledged version of every connection. */
  const acknowledged = new Map<string, number>();
  const workspaces = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    // A different moment each round: in the middle of a statement, of a transaction, right after a commit.
    const target = 40 + round * 23;
    let written = 0;
    let reached = () => {};
    const enough = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const child = storeProcess(dataDir, 'write', (line) => {
      if (line.id === undefined) return;
      acknowledged.set(line.id, line.version!);
      workspaces.add(line.workspace!);
      if (++written === target) reached();
    });
    expect(await child.first).toMatchObject({ ready: child.pid });
    await enough;
    await child.end('SIGKILL');
    const recovered = child.lines.filter((line) => line.warn?.includes('recovered'));
    expect(recovered).toHaveLength(round === 0 ? 0 : 1);
    expect(readdirSync(dataDir)).toContain('polyad.lock');
  }

  const log = memoryLog();
  const store = await openStore({ dataDir, log });
  expect(log.lines).toContainEqual(expect.objectContaining({ message: expect.stringContaining('recovered') }));
  const stored = new Map<string, number>();
  for (const workspace of workspaces) {
    const paused = new Set<string>();
    for (const row of await listConnections(store.db, workspace, { limit: 100_000 })) {
      stored.set(row.id, row.version);
      if (row.version >= 2) expect(row.external_xref).toBe(row.id);
      if (row.is_paused) paused.add(row.id);
    }
    const logged = await listApiCalls(store.db, workspace, { limit: 100_000 });
    expect(new Set(logged.map((row) => row.connection_id))).toEqual(paused);
  }
  await store.close();
  expect(readdirSync(dataDir)).not.toContain('polyad.lock');

  const lost = [...acknowledged].filter(([id, version]) => (stored.get(id) ?? 0) < version);
  expect(lost).toEqual([]);
  expect(acknowledged.size).toBeGreaterThan(ROUNDS * 10);
  // What was under way when a process died may be there too, one step per round at most.
  expect(stored.size - acknowledged.size).toBeLessThanOrEqual(ROUNDS);
}, 240_000);

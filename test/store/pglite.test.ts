import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompiledQuery, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Maintenance } from '../../src/core/store/pglite/maintenance.ts';
import { openStore, type Store } from '../../src/core/store/port.ts';
import { createWorkspace, insertApiCalls, listApiCallsQuery } from '../../src/core/store/repositories/index.ts';
import { memoryLog } from './log.ts';
import { call } from './rows.ts';
import { storeSuite } from './store.suite.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'polyad-pglite-'));

storeSuite('the embedded database', {
  open: () => openStore({ dataDir, log: memoryLog() }),
  dispose: async () => rmSync(dataDir, { recursive: true, force: true }),
});

describe('the embedded database', () => {
  const directory = mkdtempSync(join(tmpdir(), 'polyad-pglite-'));
  const log = memoryLog();
  let store: Store;
  beforeAll(async () => {
    store = await openStore({ dataDir: directory, log });
  });
  afterAll(async () => {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('is made with its tables: a new directory is not migrated again', async () => {
    expect(log.lines.filter(({ message }) => message === 'database migrated')).toEqual([]);
    expect(await sql`select id from workspaces`.execute(store.db)).toMatchObject({ rows: [] });
  });

  it('does not hold up the process while it works', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const began = performance.now();
    await sql`select count(*) from generate_series(1, 1500000) a`.execute(store.db);
    const took = performance.now() - began;
    clearInterval(timer);
    expect(took).toBeGreaterThan(50);
    expect(ticks).toBeGreaterThan(took / 5 / 4);
  });

  it('takes little memory for buffers, all of which the engine touches when it opens', async () => {
    const { rows } = await sql<{ shared_buffers: string }>`show shared_buffers`.execute(store.db);
    expect(rows).toEqual([{ shared_buffers: '32MB' }]);
  });

  it('keeps statistics, so that a page of a long call log is read by an index and not by sorting the log', async () => {
    const workspace = await createWorkspace(store.db, { name: 'A' });
    const maintenance = new Maintenance();
    await maintenance.run(store.db);
    const started = Date.UTC(2026, 0, 1);
    for (let batch = 0; batch < 40; batch++) {
      const at = (row: number) => new Date(started + (batch * 500 + row) * 1000);
      const rows = Array.from({ length: 500 }, (_, row) =>
        call(workspace.id, { created_at: at(row), user_agent: 'x'.repeat(200) }),
      );
      await insertApiCalls(store.db, rows);
    }
    expect((await maintenance.run(store.db)).analyzed).toContain('api_calls');
    const page = listApiCallsQuery(store.db, workspace.id, {}).compile();
    const plan = await store.db.executeQuery<{ 'QUERY PLAN': string }>(
      CompiledQuery.raw(`explain ${page.sql}`, [...page.parameters]),
    );
    const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toContain('Index Scan Backward');
    expect(text).not.toContain('Bitmap');
  });
});

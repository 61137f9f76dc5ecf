import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Maintenance } from '../../src/core/store/pglite/maintenance.ts';
import { openStore, type Store } from '../../src/core/store/port.ts';
import { memoryLog } from './log.ts';
import { storeSuite } from './store.suite.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'polyad-pglite-'));

storeSuite('the embedded database', {
  open: () => openStore({ dataDir, log: memoryLog() }),
  dispose: async () => rmSync(dataDir, { recursive: true, force: true }),
});

describe('the embedded database', () => {
  const directory = mkdtempSync(join(tmpdir(), 'polyad-pglite-'));
  let store: Store;
  beforeAll(async () => {
    store = await openStore({ dataDir: directory, log: memoryLog() });
  });
  afterAll(async () => {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
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

  it('makes checkpoints and clears dead rows when much was written, and nothing when little was', async () => {
    const maintenance = new Maintenance();
    expect(await maintenance.run(store.db)).toEqual({ checkpoint: false, vacuum: false });
    await sql`create table bulk as select g as id, repeat('x', 500) as v from generate_series(1, 130000) g`.execute(
      store.db,
    );
    expect(await maintenance.run(store.db)).toEqual({ checkpoint: true, vacuum: false });
    expect(await maintenance.run(store.db)).toEqual({ checkpoint: false, vacuum: false });
    for (let round = 0; round < 3; round++) await sql`update bulk set v = repeat('y', 500)`.execute(store.db);
    expect(await maintenance.run(store.db)).toEqual({ checkpoint: true, vacuum: true });
    await sql`drop table bulk`.execute(store.db);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, RawNode, sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Maintenance } from '../../src/core/store/pglite/maintenance.ts';
import { openStore, type Store } from '../../src/core/store/port.ts';
import type { Database } from '../../src/core/store/schema.ts';
import { memoryLog } from './log.ts';

const NOTHING = { analyzed: [], vacuumed: [], checkpoint: false };

describe('what the embedded database does in the background', () => {
  let directory: string;
  let store: Store;
  let maintenance: Maintenance;
  const open = async () => {
    store = await openStore({ dataDir: directory, log: memoryLog() });
    maintenance = new Maintenance();
  };
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'polyad-maintenance-'));
    await open();
    // A new database has tables that were filled and never looked at.
    await maintenance.run(store.db);
    expect(await maintenance.run(store.db)).toEqual(NOTHING);
  });
  afterEach(async () => {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const run = (statement: string) => sql.raw(statement).execute(store.db);
  /** A table whose pages have room for as much again, so that updates do not make it larger. */
  const make = async (name: string, rows: number) => {
    await run(`create table ${name} (id integer, v text) with (fillfactor = 40)`);
    await run(`insert into ${name} select g, repeat('x', 100) from generate_series(1, ${rows}) g`);
  };
  const state = async (name: string) => {
    const { rows } = await sql<{ rows: number; pages: number; clean: number; dead: number; counted: number }>`
      select reltuples::float8 as rows, pg_relation_size(oid) / 8192 as pages, relallvisible as clean,
        pg_stat_get_dead_tuples(oid)::float8 as dead, pg_stat_get_mod_since_analyze(oid)::float8 as counted
      from pg_class where oid = ${name}::regclass`.execute(store.db);
    return rows[0]!;
  };
  /** `db` whose statements are noted by `who`, in the order in which they end. */
  const noted = (ended: string[], who: string): Kysely<Database> => {
    const texts = new WeakMap<object, string>();
    return store.db.withPlugin({
      transformQuery: ({ node, queryId }) => {
        texts.set(queryId, RawNode.is(node) ? node.sqlFragments.join('?').trim() : node.kind);
        return node;
      },
      transformResult: async ({ result, queryId }) => {
        ended.push(`${who}: ${texts.get(queryId)}`);
        return result;
      },
    });
  };

  it('analyzes a table that grew, once, and no table that did not change', async () => {
    await make('quiet', 500);
    await make('busy', 500);
    expect(await maintenance.run(store.db)).toEqual({ ...NOTHING, analyzed: ['quiet', 'busy'] });
    expect(await state('busy')).toMatchObject({ rows: 500 });
    expect(await maintenance.run(store.db)).toEqual(NOTHING);
    await run(`insert into busy select g, 'x' from generate_series(1, 101) g`);
    expect(await maintenance.run(store.db)).toEqual({ ...NOTHING, analyzed: ['busy'] });
    expect(await state('busy')).toMatchObject({ rows: 601 });
    expect(await maintenance.run(store.db)).toEqual(NOTHING);
  });

  it('analyzes a table of the same size when rows of it changed, and vacuums it when enough of them are dead', async () => {
    await make('changing', 1000);
    // Without an index of what changes, the engine would clear away dead rows as it goes.
    await run('create index on changing (v)');
    await maintenance.run(store.db);
    const { pages } = await state('changing');
    await run(`update changing set v = 'y' where id <= 140`);
    expect(await maintenance.run(store.db)).toEqual(NOTHING);
    await run(`update changing set v = 'y' where id between 141 and 160`);
    expect(await maintenance.run(store.db)).toEqual({ ...NOTHING, analyzed: ['changing'] });
    await run(`update changing set v = 'y' where id between 161 and 300`);
    expect(await state('changing')).toMatchObject({ pages });
    expect(await maintenance.run(store.db)).toEqual({ ...NOTHING, vacuumed: ['changing'] });
    expect(await state('changing')).toMatchObject({ dead: 0, pages });
    expect(await maintenance.run(store.db)).toEqual(NOTHING);
  });

  it('vacuums a table to which rows are only added, so that its pages are known to be clean', async () => {
    await make('growing', 1100);
    expect(await maintenance.run(store.db)).toEqual({ ...NOTHING, vacuumed: ['growing'], analyzed: ['growing'] });
    const { pages, clean } = await state('growing');
    expect(clean).toBe(pages);
    // A fifth of a large table would be a long piece of work.
    await run('create table large as select g as id from generate_series(1, 300000) g');
    await maintenance.run(store.db);
    await run('insert into large select g from generate_series(1, 50001) g');
    expect(await maintenance.run(store.db)).toMatchObject({ vacuumed: ['large'] });
  });

  it('knows after a start, when nothing is counted any more, which tables grew before', async () => {
    await make('known', 3000);
    await maintenance.run(store.db);
    await make('unknown', 3000);
    await make('small', 20);
    await store.close();
    await open();
    await sql`select pg_stat_force_next_flush()`.execute(store.db);
    expect(await state('unknown')).toMatchObject({ counted: 0, rows: -1 });
    const done = await maintenance.run(store.db);
    expect(done).toMatchObject({ analyzed: ['unknown', 'small'], vacuumed: ['unknown'] });
    await run(`insert into known select g, repeat('x', 100) from generate_series(1, 1000) g`);
    await store.close();
    await open();
    expect(await maintenance.run(store.db)).toMatchObject({ analyzed: ['known'], vacuumed: ['known'] });
    expect(await maintenance.run(store.db)).toEqual(NOTHING);
  });

  it('makes statistics of few rows, however many a table has: nobody else is served meanwhile', async () => {
    await make('sampled', 20_000);
    await maintenance.run(store.db);
    const { rows } = await sql<{ bounds: number }>`
      select cardinality(histogram_bounds::text::text[]) as bounds from pg_stats
      where tablename = 'sampled' and attname = 'id'`.execute(store.db);
    // One more than the statistics target, of which the rows read are a multiple.
    expect(rows).toEqual([{ bounds: 11 }]);
  });

  it('makes a checkpoint when much was written', async () => {
    await run(`create table bulk as select g as id, repeat('x', 500) as v from generate_series(1, 130000) g`);
    expect(await maintenance.run(store.db)).toEqual({ analyzed: ['bulk'], vacuumed: ['bulk'], checkpoint: true });
    expect(await maintenance.run(store.db)).toEqual(NOTHING);
  });

  it('lets others have their turn after each table', async () => {
    for (const name of ['a', 'b', 'c']) await make(name, 1100);
    const ended: string[] = [];
    const other = noted(ended, 'other');
    let over = false;
    const done = maintenance.run(noted(ended, 'maintenance')).finally(() => {
      over = true;
    });
    while (!over) await sql`select 1`.execute(other);
    expect((await done).vacuumed).toEqual(['a', 'b', 'c']);
    const work = ended.filter((one) => /: (?:vacuum|analyze)\b/.test(one));
    expect(work).toEqual(
      ['a', 'b', 'c'].flatMap((name) => [
        `maintenance: vacuum (process_toast false) ${name}`,
        `maintenance: analyze ${name}`,
      ]),
    );
    for (const one of work) expect(ended[ended.indexOf(one) + 1]).toBe('other: select 1');
  });

  it('looks after the others when one table fails, and says so', async () => {
    for (const name of ['broken', 'whole']) await make(name, 500);
    const failing = store.db.withPlugin({
      transformQuery: ({ node }) => {
        if (RawNode.is(node) && node.sqlFragments[0] === 'analyze broken') throw new Error('a page is damaged');
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    await expect(maintenance.run(failing)).rejects.toThrow('a page is damaged');
    expect(await state('whole')).toMatchObject({ rows: 500 });
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { openStore } from './store.ts';

interface Row {
  id: string;
  group: string;
  n: number;
}

const byGroup = { group: (row: Row) => row.group };
const dirs: string[] = [];
const newDir = () => {
  const dir = mkdtempSync(join(tmpdir(), 'polyad-store-'));
  dirs.push(dir);
  return dir;
};

afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

describe('store', () => {
  it('keeps rows in insertion order, also after replacing them', () => {
    const rows = openStore().collection<Row>('rows', byGroup);
    rows.putAll([
      { id: 'b', group: 'x', n: 1 },
      { id: 'a', group: 'x', n: 2 },
      { id: 'c', group: 'y', n: 3 },
    ]);
    rows.put({ id: 'b', group: 'x', n: 9 });
    expect([...rows.values()].map((row) => row.id)).toEqual(['b', 'a', 'c']);
    expect(rows.by('group', 'x').map((row) => row.n)).toEqual([9, 2]);
    expect(rows.size).toBe(3);
  });

  it('moves rows between index keys and keeps their order there', () => {
    const rows = openStore().collection<Row>('rows', byGroup);
    rows.putAll([
      { id: '1', group: 'x', n: 1 },
      { id: '2', group: 'y', n: 2 },
    ]);
    rows.put({ id: '1', group: 'y', n: 1 });
    expect(rows.by('group', 'x')).toEqual([]);
    expect(rows.by('group', 'y').map((row) => row.id)).toEqual(['1', '2']);
    rows.delete('1');
    expect(rows.by('group', 'y').map((row) => row.id)).toEqual(['2']);
    expect(rows.get('1')).toBeUndefined();
  });

  it('never changes a list it has handed out', () => {
    const rows = openStore().collection<Row>('rows', byGroup);
    rows.put({ id: '1', group: 'x', n: 1 });
    const list = rows.by('group', 'x');
    rows.put({ id: '2', group: 'x', n: 2 });
    expect(list).toHaveLength(1);
    expect(rows.by('group', 'x')).toHaveLength(2);
    expect(rows.by('group', 'x')).toBe(rows.by('group', 'x'));
  });

  it('counts versions', () => {
    const store = openStore();
    const rows = store.collection<Row>('rows');
    const before = [store.version, rows.version];
    rows.put({ id: '1', group: 'x', n: 1 });
    rows.delete('nobody');
    expect([store.version, rows.version]).toEqual(before.map((version) => version! + 1));
  });

  it('refuses an index it does not have', () => {
    expect(() => openStore().collection<Row>('rows').by('group', 'x')).toThrow('no index group');
  });

  it('finds everything again, in order, after a restart', () => {
    const dataDir = newDir();
    const first = openStore({ dataDir });
    first.collection<Row>('rows').putAll([
      { id: 'b', group: 'x', n: 1 },
      { id: 'a', group: 'x', n: 2 },
      { id: 'gone', group: 'x', n: 3 },
    ]);
    first.collection<Row>('rows').put({ id: 'b', group: 'y', n: 4 });
    first.collection<Row>('rows').delete('gone');
    first.collection<Row>('other').put({ id: 'b', group: 'z', n: 5 });
    first.close();
    const second = openStore({ dataDir });
    expect([...second.collection<Row>('rows', byGroup).values()]).toEqual([
      { id: 'b', group: 'y', n: 4 },
      { id: 'a', group: 'x', n: 2 },
    ]);
    expect(second.collection<Row>('other').get('b')?.n).toBe(5);
    second.clear();
    expect(second.collection<Row>('rows').size).toBe(0);
    second.close();
    const third = openStore({ dataDir });
    expect(third.collection<Row>('rows').size).toBe(0);
    third.close();
  });

  it('writes all rows of a putAll or none', () => {
    const dataDir = newDir();
    const store = openStore({ dataDir });
    const cyclic: Record<string, unknown> = { id: 'bad' };
    cyclic['self'] = cyclic;
    const rows = store.collection<{ id: string }>('rows');
    expect(() => rows.putAll([{ id: 'good' }, cyclic as { id: string }])).toThrow();
    expect(rows.size).toBe(0);
    rows.put({ id: 'later' });
    store.close();
    const again = openStore({ dataDir });
    expect([...again.collection('rows').values()]).toEqual([{ id: 'later' }]);
    again.close();
  });

  it('refuses a folder that is in use, and takes it when it is free', () => {
    const dataDir = newDir();
    const first = openStore({ dataDir });
    expect(() => openStore({ dataDir })).toThrow(`the simulator state in ${dataDir} is in use by another process`);
    first.collection<Row>('rows').put({ id: '1', group: 'x', n: 1 });
    first.close();
    const second = openStore({ dataDir });
    expect(second.collection<Row>('rows').size).toBe(1);
    second.close();
  });

  it('loses no acknowledged row when the process is killed', async () => {
    const dataDir = newDir();
    const script = `
      import { openStore } from ${JSON.stringify(new URL('./store.ts', import.meta.url).href)};
      const rows = openStore({ dataDir: ${JSON.stringify(dataDir)} }).collection('rows');
      for (let n = 0; ; n++) {
        rows.put({ id: String(n), text: 'x'.repeat(200) });
        // Synchronous: the line is out before the next row is begun.
        (await import('node:fs')).writeSync(1, n + '\\n');
      }`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let acknowledged = -1;
    for await (const line of createInterface({ input: child.stdout! })) {
      acknowledged = Number(line);
      if (acknowledged === 300) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
    const store = openStore({ dataDir });
    const rows = store.collection('rows');
    expect(acknowledged).toBeGreaterThanOrEqual(300);
    for (let n = 0; n <= acknowledged; n++) expect(rows.get(String(n))).toBeDefined();
    store.close();
  });
});

describe('an earlier state', () => {
  it('shows rows as they were, without later ones and with deleted ones', () => {
    let now = 1000;
    const store = openStore({ now: () => now });
    const rows = store.collection<Row>('rows', byGroup);
    rows.putAll([
      { id: 'kept', group: 'x', n: 1 },
      { id: 'changed', group: 'x', n: 2 },
      { id: 'deleted', group: 'x', n: 3 },
    ]);
    now = 2000;
    rows.put({ id: 'changed', group: 'y', n: 20 });
    rows.put({ id: 'changed', group: 'z', n: 200 });
    rows.delete('deleted');
    rows.put({ id: 'new', group: 'x', n: 4 });
    const earlier = store.asOf(1500).collection<Row>('rows', byGroup);
    expect(earlier.by('group', 'x').map((row) => [row.id, row.n])).toEqual([
      ['kept', 1],
      ['changed', 2],
      ['deleted', 3],
    ]);
    expect(earlier.get('new')).toBeUndefined();
    expect(store.asOf(2000).collection<Row>('rows', byGroup).get('changed')?.n).toBe(200);
    expect(rows.get('changed')?.n).toBe(200);
  });

  it('is read-only and has a version of its own', () => {
    const store = openStore({ now: () => 1000 });
    store.collection<Row>('rows').put({ id: '1', group: 'x', n: 1 });
    const earlier = store.asOf(500);
    expect(() => earlier.collection<Row>('rows').put({ id: '2', group: 'x', n: 1 })).toThrow('read-only');
    expect(earlier.version).not.toBe(store.version);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStore } from './store.ts';

let dataDir = '';
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'polyad-log-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

it('gives back what was added, in order, after a restart, with ids exact', () => {
  const first = openStore({ dataDir });
  first.log('events').append({ n: 1, id: 7_429_999_999_999_999_999n });
  first.log('other').append('apart');
  first.log('events').append({ n: 2 });
  first.close();
  const second = openStore({ dataDir });
  expect([...second.log('events').read()]).toEqual([{ n: 1, id: 7_429_999_999_999_999_999n }, { n: 2 }]);
  expect([...second.log('other').read()]).toEqual(['apart']);
  second.close();
});

it('tells its readers that it was emptied, alone or with the store', () => {
  const store = openStore({ dataDir });
  const [events, other] = [store.log('events'), store.log('other')];
  events.append(1);
  other.append(2);
  events.clear();
  expect([events.generation, [...events.read()]]).toEqual([1, []]);
  expect([other.generation, [...other.read()]]).toEqual([0, [2]]);
  store.clear();
  expect([events.generation, other.generation, [...other.read()]]).toEqual([2, 1, []]);
  store.close();
});

it('holds nothing in memory', () => {
  const store = openStore();
  store.log('events').append(1);
  expect([...store.log('events').read()]).toEqual([]);
});

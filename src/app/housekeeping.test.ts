import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { openStore, type Store, type StoreLog } from '../core/store/port.ts';
import { createWorkspace, insertApiCalls, listApiCalls } from '../core/store/repositories/index.ts';
import { tidy } from './housekeeping.ts';

const log: StoreLog = { debug() {}, info() {}, warn() {}, error() {} };
let dataDir: string;
let store: Store;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'polyad-housekeeping-'));
  store = await openStore({ dataDir, log });
});
afterAll(async () => {
  await store.close();
  await rm(dataDir, { recursive: true, force: true });
});

it('removes call-log rows that are older than they are kept, and no others', async () => {
  const clock = new VirtualClock('2026-11-22T12:00:00Z');
  const workspace = await createWorkspace(store.db, { name: 'w' });
  const call = (name: string, at: string) => ({
    workspace_id: workspace.id,
    integration_type: 'acme',
    environment: 'simulator',
    method: 'GET',
    name,
    path: '/',
    status: '200',
    type: 'inbound' as const,
    created_at: new Date(at),
  });
  await insertApiCalls(store.db, [call('old', '2026-10-22T11:59:59Z'), call('young', '2026-10-24T00:00:00Z')]);
  expect((await tidy({ store, clock, log, apiCallDays: 30 })).calls).toBe(1);
  const left = await listApiCalls(store.db, workspace.id, { limit: 10 });
  expect(left.map((row) => row.name)).toEqual(['young']);
});

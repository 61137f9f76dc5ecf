import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RefreshLease, StoreLease } from '../../src/core/auth/life/lease.ts';
import { RedisLease } from '../../src/core/auth/life/redis-lease.ts';
import { openStore, type Store } from '../../src/core/store/port.ts';
import { createConnection, createWorkspace } from '../../src/core/store/repositories/index.ts';
import { leaseSuite, rowLeaseSuite } from './lease.suite.ts';
import { ownSchema } from './support/node.ts';

const database = process.env['POLYAD_TEST_DATABASE_URL'];
const redisUrl = process.env['POLYAD_TEST_REDIS_URL'];
for (const [name, value] of Object.entries({ POLYAD_TEST_DATABASE_URL: database, POLYAD_TEST_REDIS_URL: redisUrl }))
  if (!value) process.stderr.write(`\n*** Refresh leases not tested with a server: ${name} is not set. ***\n\n`);

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const rowLease =
  (store: Store) =>
  (leaseMs: number, spendingMs: number): RefreshLease =>
    new StoreLease(store, { log: silent, leaseMs, spendingMs });

/** A store of this file's own, opened before the first test of a block and gone after the last. */
async function embedded(): Promise<{ store: Store; close(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'polyad-lease-'));
  const store = await openStore({ dataDir, log: silent });
  return {
    store,
    async close() {
      await store.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

describe('on the embedded database', () => {
  let place: Awaited<ReturnType<typeof embedded>>;
  beforeAll(async () => {
    place = await embedded();
  });
  afterAll(() => place.close());
  const world = () => ({ store: place.store, lease: rowLease(place.store) });
  leaseSuite('a lease', world);
  rowLeaseSuite('its row', world);
});

describe.runIf(redisUrl)('with Redis in front', () => {
  let place: Awaited<ReturnType<typeof embedded>>;
  let redis: Redis;
  const warned: string[] = [];
  const log = { ...silent, warn: (_facts: object, text: string) => void warned.push(text) };
  const prefix = `polyad-test:${process.pid}:${Date.now()}:`;
  beforeAll(async () => {
    place = await embedded();
    redis = new Redis(redisUrl as string);
  });
  afterAll(async () => {
    const left = await redis.keys(`${prefix}*`);
    redis.disconnect();
    await place.close();
    expect(left).toEqual([]);
  });
  leaseSuite('a lease', () => ({
    store: place.store,
    lease: (leaseMs, spendingMs) =>
      new RedisLease({ redis, behind: rowLease(place.store)(leaseMs, spendingMs), log, prefix, leaseMs: spendingMs }),
  }));

  it('goes on by the database alone when Redis is away', async () => {
    const { store } = place;
    const away = new Redis({
      port: 1,
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    away.on('error', () => undefined);
    const workspace = await createWorkspace(store.db, { name: 'Away' });
    const row = await createConnection(store.db, workspace.id, { integration_type: 't', environment: 'production' });
    const lease = new RedisLease({ redis: away, behind: rowLease(store)(5_000, 5_000), log, prefix });
    const held = await lease.hold(
      row,
      async () => 'held',
      async () => undefined,
    );
    expect(held).toBe('held');
    expect(warned).toContain('Redis does not answer; refresh leases are kept by the database alone');
    away.disconnect();
  });
});

describe.runIf(database)('on Postgres', () => {
  let store: Store;
  let drop: () => Promise<void>;
  beforeAll(async () => {
    const schema = await ownSchema(database as string);
    drop = schema.drop;
    store = await openStore({ databaseUrl: schema.url, dataDir: '/nonexistent', log: silent });
  });
  afterAll(async () => {
    await store.close();
    await drop();
  });
  const world = () => ({ store, lease: rowLease(store) });
  leaseSuite('a lease', world);
  rowLeaseSuite('its row', world);
});

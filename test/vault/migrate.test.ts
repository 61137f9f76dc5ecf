/** Secrets moved from the database to a manager, to another one, and back, with cuts: nothing lost, nothing left behind. */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/store/port.ts';
import { getSecret, keyIdsInUse, type SecretOwner } from '../../src/core/store/repositories/index.ts';
import { type Clouds, MANAGERS, newOwner, openDatabase, openVaultOn, scratch, startClouds } from './support/world.ts';

const COUNT = 90;
const directory = scratch();
let store: Store;
let clouds: Clouds & { stop(): Promise<void> };
const opened: Awaited<ReturnType<typeof openVaultOn>>[] = [];

beforeAll(async () => {
  clouds = await startClouds(directory.path);
  store = await openDatabase(directory.path);
});
afterEach(async () => {
  for (const world of opened.splice(0)) await world.close();
  for (const place of MANAGERS) Object.assign(clouds[place], { fault: 'none', faultTimes: Number.POSITIVE_INFINITY });
  await sql`delete from workspaces`.execute(store.db);
  await sql`delete from secret_tombstones`.execute(store.db);
  for (const place of MANAGERS) clouds[place].secrets.clear();
});
afterAll(async () => {
  await store.close();
  await clouds.stop();
  await directory.remove();
});

const open = async (options: Parameters<typeof openVaultOn>[2] = {}) => {
  const world = await openVaultOn(store, directory.path, options);
  opened.push(world);
  return world;
};
type World = Awaited<ReturnType<typeof open>>;

async function fill({ secrets }: World): Promise<SecretOwner[]> {
  const first = await newOwner(store);
  const owners = [first];
  while (owners.length < COUNT) owners.push(await newOwner(store, first.workspaceId));
  for (const [n, owner] of owners.entries()) await secrets.put(store.db, owner, 'tokens', { token: `token-${n}` });
  return owners;
}

const expectAll = async (world: World, owners: readonly SecretOwner[]) => {
  for (const [n, owner] of owners.entries())
    expect((await world.secrets.get(store.db, owner, 'tokens'))!.plain['token']).toMatch(
      new RegExp(`^token-${n}($|-)`),
    );
};

/** Everything that is due, and what waits to become due, is destroyed now. */
async function tidy({ admin, clock }: World): Promise<void> {
  await sql`update secret_tombstones set due_at = ${clock.now()}`.execute(store.db);
  await admin.tidy();
}

describe.each(MANAGERS)('database → %s → database', (place) => {
  it('with stops, under writes: nothing lost, nothing left', async () => {
    const owners = await fill(await open());
    const there = await open({ place });
    const stop = new AbortController();
    const first = await there.admin.run({
      name: 'migrate',
      to: place,
      signal: stop.signal,
      progress: () => stop.abort(),
    });
    expect(first).toMatchObject({ state: 'stopped', failed: 0 });
    expect(first.done).toBeGreaterThan(0);
    expect(first.done).toBeLessThan(COUNT);
    await expectAll(there, owners);
    // Tokens that are refreshed while they are moved.
    const refreshed = Promise.all(
      [3, 50, 80].map(async (n) => {
        for (let round = 0; round < 4; round++) {
          const owner = owners[n]!;
          const { version } = (await there.secrets.get(store.db, owner, 'tokens'))!;
          await there.secrets.put(store.db, owner, 'tokens', { token: `token-${n}-${round}` }, { version });
        }
      }),
    );
    const second = await there.admin.run({ name: 'migrate', to: place });
    await refreshed;
    expect(second).toMatchObject({ state: 'done', failed: 0 });
    expect(await keyIdsInUse(store.db)).toEqual([]);
    expect((await there.admin.status()).managed).toEqual({ [place]: COUNT });
    const cold = await open({ place });
    await expectAll(cold, owners);
    for (const n of [3, 50, 80])
      expect((await cold.secrets.get(store.db, owners[n]!, 'tokens'))!.plain['token']).toBe(`token-${n}-3`);
    await tidy(cold);
    expect(clouds[place].secrets.size).toBe(COUNT);
    await expectAll(await open({ place }), owners);

    const back = await open();
    const cut = new AbortController();
    expect(
      await back.admin.run({ name: 'migrate', to: 'vault', signal: cut.signal, progress: () => cut.abort() }),
    ).toMatchObject({ state: 'stopped' });
    await expectAll(back, owners);
    expect(await back.admin.run({ name: 'migrate', to: 'vault' })).toMatchObject({ state: 'done', failed: 0 });
    await tidy(back);
    expect(clouds[place].secrets.size).toBe(0);
    await expectAll(await open(), owners);
    expect((await back.admin.status()).managed).toEqual({});
  }, 120_000);

  it('a manager that goes away in the middle stops it; what was there stays, and it goes on afterwards', async () => {
    const owners = await fill(await open());
    const there = await open({ place });
    let batches = 0;
    const running = there.admin.run({
      name: 'migrate',
      to: place,
      progress: () => {
        if (++batches === 1) clouds[place].fault = 'denied';
      },
    });
    await expect(running).rejects.toMatchObject({ code: 'secret_store_denied' });
    expect((await there.admin.status()).jobs[0]).toMatchObject({
      name: 'migrate',
      state: 'stopped',
      error: expect.any(String),
    });
    clouds[place].fault = 'none';
    await expectAll(there, owners);
    // A limit of the service is waited for, by the clock of the process.
    clouds[place].fault = 'throttled';
    clouds[place].faultTimes = 60;
    const began = there.clock.now();
    let finished = false;
    const resumed = there.admin.run({ name: 'migrate', to: place }).finally(() => {
      finished = true;
    });
    resumed.catch(() => undefined);
    while (!finished) await there.clock.step();
    expect(await resumed).toMatchObject({ state: 'done', failed: 0 });
    expect(there.clock.now().getTime()).toBeGreaterThan(began.getTime());
    await expectAll(await open({ place }), owners);
    await tidy(there);
    expect(clouds[place].secrets.size).toBe(COUNT);
  }, 120_000);
});

describe('a migration', () => {
  it('goes from one manager to another', async () => {
    const owners = await fill(await open({ place: 'gcp' }));
    const there = await open({ place: 'aws' });
    expect(await there.admin.run({ name: 'migrate', to: 'aws' })).toMatchObject({ state: 'done', done: COUNT });
    await tidy(there);
    expect([clouds.gcp.secrets.size, clouds.aws.secrets.size]).toEqual([0, COUNT]);
    await expectAll(await open({ place: 'aws' }), owners);
  }, 60_000);

  it('leaves a secret that does not open where it is, and says so', async () => {
    const owners = await fill(await open());
    const row = (await getSecret(store.db, owners[5]!, 'tokens'))!;
    const other = (await getSecret(store.db, owners[6]!, 'tokens'))!;
    await sql`update secrets set envelope = ${JSON.stringify(other.envelope)}::jsonb where id = ${row.id}`.execute(
      store.db,
    );
    const there = await open({ place: 'aws' });
    const job = await there.admin.run({ name: 'migrate', to: 'aws' });
    expect(job).toMatchObject({ state: 'failed', done: COUNT - 1, failed: 1, error: expect.stringContaining(row.id) });
    expect((await getSecret(store.db, owners[5]!, 'tokens'))!.envelope).toEqual(other.envelope);
    expect(there.alarms).toMatchObject([{ alarm: 'tampered', owner: owners[5] }]);
  });

  it('changes nothing when what it reads back is not what it wrote', async () => {
    const owners = await fill(await open());
    const there = await open({ place: 'aws' });
    // A service that says it took the value and keeps another.
    const { manager } = await there.places.get('aws');
    const { create } = manager;
    manager.create = (name, text) => create(name, text.replace('token-', 'tokin-'));
    expect(await there.admin.run({ name: 'migrate', to: 'aws' })).toMatchObject({
      state: 'failed',
      done: 0,
      failed: COUNT,
    });
    expect(await keyIdsInUse(store.db)).toEqual([there.keyring.activeId]);
    await expectAll(await open(), owners);
    await tidy(there);
    expect(clouds.aws.secrets.size).toBe(0);
  });
});

/** One suite for every place that secrets can lie in: the database and the three managers, through their own clients. */
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/store/port.ts';
import {
  createWorkspace,
  deleteConnection,
  deleteWorkspace,
  getSecret,
  putIntegration,
  type SecretOwner,
} from '../../src/core/store/repositories/index.ts';
import { type Clouds, MANAGERS, newOwner, openDatabase, openVaultOn, scratch, startClouds } from './support/world.ts';

const SECRET = { access_token: 'tok-1234567890', nested: { list: [1, 'ü'] } };
const directory = scratch();
let store: Store;
let clouds: Clouds & { stop(): Promise<void> };

beforeAll(async () => {
  clouds = await startClouds(directory.path);
  store = await openDatabase(directory.path);
});
afterAll(async () => {
  await store.close();
  await clouds.stop();
  await directory.remove();
});

/** Everything that lies in a manager, as text. */
const inCloud = (place: (typeof MANAGERS)[number]): string =>
  JSON.stringify([...clouds[place].secrets], (_key, value) => (value instanceof Map ? [...value] : value));

const valuesIn = (place: (typeof MANAGERS)[number]): string => {
  const text = inCloud(place);
  return place === 'gcp'
    ? text.replace(/"data":"([^"]*)"/g, (_all, data: string) => Buffer.from(data, 'base64').toString())
    : text;
};

describe.each(['vault', ...MANAGERS] as const)('secrets in %s', (place) => {
  let world: Awaited<ReturnType<typeof openVaultOn>>;
  let mine: SecretOwner;
  beforeAll(async () => {
    world = await openVaultOn(store, directory.path, { place });
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    mine = await newOwner(store);
  });

  it('read back as they were put, with a version that counts up, and the database shows none of them', async () => {
    const { db } = store;
    const { secrets } = world;
    expect(await secrets.get(db, mine, 'tokens')).toBeUndefined();
    expect(await secrets.put(db, mine, 'tokens', SECRET)).toBe(1);
    expect(await secrets.get(db, mine, 'tokens')).toEqual({ plain: SECRET, version: 1 });
    expect(await secrets.put(db, mine, 'tokens', { access_token: 'b' }, { version: 1 })).toBe(2);
    expect(await secrets.get(db, mine, 'tokens')).toEqual({ plain: { access_token: 'b' }, version: 2 });
    expect(await secrets.put(db, mine, 'tokens', SECRET)).toBe(3);
    const { rows } = await sql<{ all: string }>`select json_agg(s)::text as "all" from secrets s`.execute(db);
    expect(rows[0]!.all).not.toContain('tok-1234567890');
    if (place !== 'vault') {
      expect(rows[0]!.all).toContain(`"${place}"`);
      expect(valuesIn(place)).toContain('tok-1234567890');
    }
    expect(world.alarms).toEqual([]);
  });

  it('are read by another process, which has nothing in memory', async () => {
    await world.secrets.put(store.db, mine, 'tokens', SECRET);
    await world.secrets.put(store.db, mine, 'app', { client_secret: 'app-secret' });
    const other = await openVaultOn(store, directory.path, { place });
    expect((await other.secrets.get(store.db, mine, 'tokens'))!.plain).toEqual(SECRET);
    expect((await other.secrets.get(store.db, mine, 'app'))!.plain).toEqual({ client_secret: 'app-secret' });
    await other.close();
  });

  it('refuse a write that was made from an old version', async () => {
    const { secrets } = world;
    const conflict = { code: 'record_conflict' };
    await secrets.put(store.db, mine, 'tokens', { n: 1 }, { version: 0 });
    await expect(secrets.put(store.db, mine, 'tokens', { n: 2 }, { version: 0 })).rejects.toMatchObject(conflict);
    await secrets.put(store.db, mine, 'tokens', { n: 3 }, { version: 1 });
    await expect(secrets.put(store.db, mine, 'tokens', { n: 4 }, { version: 1 })).rejects.toMatchObject(conflict);
    expect(await secrets.get(store.db, mine, 'tokens')).toEqual({ plain: { n: 3 }, version: 2 });
  });

  it('keep one of several that are put at the same time, readable', async () => {
    await Promise.all([1, 2, 3].map((n) => world.secrets.put(store.db, mine, 'tokens', { n })));
    const { plain, version } = (await world.secrets.get(store.db, mine, 'tokens'))!;
    expect(version).toBe(3);
    expect([1, 2, 3]).toContain(plain['n']);
  });

  it('are undone with their transaction, also when the manager has written already', async () => {
    const { secrets } = world;
    await secrets.put(store.db, mine, 'tokens', { n: 1 });
    for (const n of [2, 3])
      await expect(
        store.db.transaction().execute(async (trx) => {
          await secrets.put(trx, mine, 'tokens', { n });
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
    expect(await secrets.get(store.db, mine, 'tokens')).toEqual({ plain: { n: 1 }, version: 1 });
    expect(await secrets.put(store.db, mine, 'tokens', { n: 4 }, { version: 1 })).toBe(2);
    expect((await secrets.get(store.db, mine, 'tokens'))!.plain).toEqual({ n: 4 });
  });

  it('do not open anywhere else: moved between workspaces, owners, kinds and versions, and that is an alarm', async () => {
    const { db } = store;
    const { secrets, alarms } = world;
    const theirs = await newOwner(store);
    await secrets.put(db, mine, 'tokens', SECRET);
    await secrets.put(db, theirs, 'tokens', { access_token: 'theirs' });
    const first = (await getSecret(db, mine, 'tokens'))!.envelope;
    await secrets.put(db, mine, 'tokens', { access_token: 'second' });
    const second = (await getSecret(db, mine, 'tokens'))!.envelope;
    const sits = async (envelope: unknown, set: string) =>
      sql`update secrets set envelope = ${JSON.stringify(envelope)}::jsonb, ${sql.raw(set)}, kind = 'tokens', workspace_id = ${mine.workspaceId} where owner_id = ${mine.id}`.execute(
        db,
      );
    const changed = 'store' in second ? { ...second, sum: first } : { ...second, ct: `${second.ct.slice(0, -2)}AA` };
    /** Each line: what is done to the rows, and who then reads what. */
    const swaps: [string, () => Promise<unknown>, SecretOwner, string][] = [
      ['an older version put back', () => sits(first, 'version = 2'), mine, 'tokens'],
      ['an older version under its own number', () => sits(second, 'version = 1'), mine, 'tokens'],
      [
        'another kind',
        () =>
          sql`update secrets set envelope = ${JSON.stringify(second)}::jsonb, kind = 'app' where owner_id = ${mine.id}`.execute(
            db,
          ),
        mine,
        'app',
      ],
      [
        'another owner in another workspace',
        () =>
          sql`update secrets set envelope = ${JSON.stringify(second)}::jsonb, version = 2 where owner_id = ${theirs.id}`.execute(
            db,
          ),
        theirs,
        'tokens',
      ],
      ['a changed envelope', () => sits(changed, 'version = 2'), mine, 'tokens'],
      ['an envelope that is none', () => sits({ nothing: 1 }, 'version = 2'), mine, 'tokens'],
      ['no object at all', () => sits(null, 'version = 2'), mine, 'tokens'],
    ];
    for (const [what, swap, owner, kind] of swaps) {
      alarms.length = 0;
      await swap();
      await expect(secrets.get(db, owner, kind), what).rejects.toMatchObject({ code: 'vault_binding_mismatch' });
      expect(alarms, what).toMatchObject([{ alarm: 'tampered', owner, kind }]);
      expect(JSON.stringify(alarms)).not.toContain('tok-1234567890');
    }
    await sits(second, 'version = 2');
    expect((await secrets.get(db, mine, 'tokens'))!.plain).toEqual({ access_token: 'second' });
    alarms.length = 0;
  });

  it('go with their owner, and nothing is left of them', async () => {
    const { db } = store;
    const { secrets, admin, clock } = world;
    const workspace = await createWorkspace(db, { name: 'B' });
    const theirs = await newOwner(store, workspace.id);
    const app: SecretOwner = {
      workspaceId: workspace.id,
      kind: 'integration',
      id: (await putIntegration(db, workspace.id, 'tiktok', 'sandbox')).id,
    };
    await secrets.put(db, mine, 'tokens', { canary: 'canary-of-mine' });
    await secrets.put(db, mine, 'other', { canary: 'canary-other' });
    await secrets.put(db, theirs, 'tokens', { canary: 'canary-of-theirs' });
    await secrets.put(db, app, 'app', { canary: 'canary-of-app' });
    expect(await secrets.remove(db, { ...mine, workspaceId: workspace.id })).toBe(0);
    expect(await secrets.remove(db, mine, 'other')).toBe(1);
    await deleteConnection(db, mine.workspaceId, mine.id);
    await deleteWorkspace(db, workspace.id);
    expect(await secrets.get(db, mine, 'tokens')).toBeUndefined();
    expect(await secrets.get(db, app, 'app')).toBeUndefined();
    await sql`update secret_tombstones set due_at = ${clock.now()}`.execute(db);
    await admin.tidy();
    if (place !== 'vault') {
      expect(valuesIn(place)).not.toContain('canary');
      if (place === 'azure') expect([...clouds.azure.deleted.keys()]).toEqual([]);
    }
    // What the other tests of this place still use has survived the tidying.
    expect((await admin.status()).to_destroy).toBe(0);
  });

  it('can be put again after they were removed', async () => {
    const { secrets, admin, clock } = world;
    await secrets.put(store.db, mine, 'tokens', { n: 1 });
    await secrets.remove(store.db, mine, 'tokens');
    expect(await secrets.put(store.db, mine, 'tokens', { n: 2 })).toBe(1);
    await sql`update secret_tombstones set due_at = ${clock.now()}`.execute(store.db);
    await admin.tidy();
    const other = await openVaultOn(store, directory.path, { place });
    expect(await other.secrets.get(store.db, mine, 'tokens')).toEqual({ plain: { n: 2 }, version: 1 });
    await other.close();
  });
});

describe.each(MANAGERS)('versions in %s', (place) => {
  it('that were replaced are kept for a day, then destroyed; the one in use never is', async () => {
    const world = await openVaultOn(store, directory.path, { place });
    const owner = await newOwner(store);
    for (const n of [1, 2, 3]) await world.secrets.put(store.db, owner, 'tokens', { canary: `version-${n}-` });
    const envelope = (await getSecret(store.db, owner, 'tokens'))!.envelope as { name: string };
    await world.admin.tidy();
    const readable = async (): Promise<number> => {
      const { manager } = await world.places.get(place);
      const refs =
        place === 'aws'
          ? [...clouds.aws.secrets.get(envelope.name)!.versions]
              .filter(([, { stages }]) =>
                [...stages].some((stage) => stage === 'AWSCURRENT' || stage.startsWith('polyad-')),
              )
              .map(([ref]) => ref)
          : place === 'azure'
            ? [...clouds.azure.secrets.get(envelope.name)!.keys()]
            : clouds.gcp.secrets.get(envelope.name)!.versions.map((_version, index) => String(index + 1));
      const read = await Promise.allSettled(refs.map((ref) => manager.read(envelope.name, ref)));
      return read.filter(({ status }) => status === 'fulfilled').length;
    };
    const before = await readable();
    expect(before).toBeGreaterThan(1);
    await world.clock.advance(25 * 3_600_000);
    await sql`update secret_tombstones set due_at = ${world.clock.now()}`.execute(store.db);
    // Versions carry the cloud's own time.
    await (await world.places.get(place)).manager.prune(
      envelope.name,
      (envelope as unknown as { ref: string }).ref,
      new Date(Date.now() + 60_000),
    );
    expect(await readable()).toBe(1);
    const other = await openVaultOn(store, directory.path, { place });
    expect((await other.secrets.get(store.db, owner, 'tokens'))!.plain).toEqual({ canary: 'version-3-' });
    await other.close();
    await world.close();
  });

  it('of transactions that were undone are swept away, and only those', async () => {
    const world = await openVaultOn(store, directory.path, { place, settings: { prefix: 'swept' } });
    const owner = await newOwner(store);
    await world.secrets.put(store.db, owner, 'tokens', { n: 1 });
    await expect(
      store.db.transaction().execute(async (trx) => {
        await world.secrets.put(trx, owner, 'other', { n: 2 });
        throw new Error('undone');
      }),
    ).rejects.toThrow('undone');
    const names = (): string[] => [...clouds[place].secrets.keys()].filter((name) => name.startsWith('swept'));
    expect(names()).toHaveLength(2);
    expect(await world.admin.sweep(place)).toEqual([]);
    for (const name of names()) {
      const secret = clouds[place].secrets.get(name)! as unknown as { createdAt?: unknown };
      const old = Date.now() - 3 * 24 * 3_600_000;
      if (place === 'azure') for (const version of clouds.azure.secrets.get(name)!.values()) version.createdAt = old;
      else secret.createdAt = place === 'aws' ? old : new Date(old);
    }
    expect(await world.admin.sweep(place)).toHaveLength(1);
    expect(names()).toHaveLength(1);
    expect((await world.secrets.get(store.db, owner, 'tokens'))!.plain).toEqual({ n: 1 });
    await world.close();
  });
});

it('a secret that aws takes no more versions of goes on under a new name', async () => {
  const world = await openVaultOn(store, directory.path, { place: 'aws' });
  const owner = await newOwner(store);
  for (let n = 1; n <= 102; n++) expect(await world.secrets.put(store.db, owner, 'tokens', { n })).toBe(n);
  expect(world.alarms).toEqual([]);
  const other = await openVaultOn(store, directory.path, { place: 'aws' });
  expect(await other.secrets.get(store.db, owner, 'tokens')).toEqual({ plain: { n: 102 }, version: 102 });
  await other.close();
  await world.close();
});

describe('proof of identity', () => {
  it.each([
    ['aws', 'AWS_SECRET_ACCESS_KEY', 'another-secret-access-key-000000000000000'],
    ['azure', 'AZURE_CLIENT_SECRET', 'another-client-secret'],
  ] as const)('is checked by %s: a wrong secret is refused, by name', async (place, variable, wrong) => {
    const right = process.env[variable];
    process.env[variable] = wrong;
    try {
      const world = await openVaultOn(store, directory.path, { place });
      await expect(world.places.check()).rejects.toMatchObject({ code: 'secret_store_denied' });
      const owner = await newOwner(store);
      await expect(world.secrets.put(store.db, owner, 'tokens', SECRET)).rejects.toMatchObject({
        code: 'secret_store_denied',
      });
      expect(await getSecret(store.db, owner, 'tokens')).toBeUndefined();
      expect(clouds[place].refused).toBeGreaterThan(0);
      await world.close();
    } finally {
      process.env[variable] = right;
    }
  });

  it('is checked by gcp: a token of another account is refused', async () => {
    const { startGcpServices } = await import('../support/gcp-services.ts');
    const elsewhere = scratch();
    const other = await startGcpServices(`${elsewhere.path}/other.json`);
    const right = process.env['GOOGLE_APPLICATION_CREDENTIALS'];
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = `${elsewhere.path}/other.json`;
    try {
      const world = await openVaultOn(store, directory.path, { place: 'gcp' });
      await expect(world.places.check()).rejects.toMatchObject({ code: 'secret_store_denied' });
      expect(clouds.gcp.refused).toBeGreaterThan(0);
      await world.close();
    } finally {
      process.env['GOOGLE_APPLICATION_CREDENTIALS'] = right;
      await other.close();
      await elsewhere.remove();
    }
  });
});

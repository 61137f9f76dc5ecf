/** Several master keys: re-wrapping while secrets are used, stopping, going on, retiring, and several nodes. */
import { createCipheriv, randomBytes } from 'node:crypto';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keepKeyring, openKeyring } from '../../src/core/auth/keyring.ts';
import type { Store } from '../../src/core/store/port.ts';
import { getSecret, keyIdsInUse, type SecretOwner } from '../../src/core/store/repositories/index.ts';
import { empty, newOwner, openDatabase, openVaultOn, scratch } from './support/world.ts';

const base64 = () => randomBytes(32).toString('base64');
const [OLD, NEW] = [`old:${base64()}`, `new:${base64()}`];

const database = scratch();
let store: Store;
/** Where the key file of a test lies. */
let directory: ReturnType<typeof scratch>;
beforeAll(async () => {
  store = await openDatabase(database.path);
});
afterAll(async () => {
  await store.close();
  await database.remove();
});
beforeEach(async () => {
  await empty(store);
  directory = scratch();
});
afterEach(() => directory.remove());

const open = (options: Parameters<typeof openVaultOn>[2] = {}) => openVaultOn(store, directory.path, options);
type World = Awaited<ReturnType<typeof open>>;

/** Owners with a secret each, `{ n: index }`. */
async function fill({ secrets }: World, count: number): Promise<SecretOwner[]> {
  const first = await newOwner(store);
  const owners = [first];
  while (owners.length < count) owners.push(await newOwner(store, first.workspaceId));
  for (const [n, owner] of owners.entries()) await secrets.put(store.db, owner, 'tokens', { n });
  return owners;
}

const readAll = (world: World, owners: readonly SecretOwner[]) =>
  Promise.all(owners.map(async (owner) => (await world.secrets.get(store.db, owner, 'tokens'))?.plain['n']));

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('rotation', () => {
  it('re-wraps every data key, leaves the ciphertexts, retires the old key, which can then be taken away', async () => {
    const before = await open({ masterKey: OLD });
    const owners = await fill(before, 30);
    const sealed = (await getSecret(store.db, owners[0]!, 'tokens'))!;
    const world = await open({ masterKey: `${NEW},${OLD}` });
    expect((await world.admin.status()).keys).toMatchObject([
      { id: 'new', state: 'active', secrets: 0 },
      { id: 'old', state: 'decrypts', secrets: 30 },
    ]);
    expect(await world.admin.run({ name: 'rotate' })).toMatchObject({ state: 'done', done: 30, failed: 0 });
    const rewrapped = (await getSecret(store.db, owners[0]!, 'tokens'))!;
    expect(rewrapped).toMatchObject({ key_id: 'new', version: sealed.version, envelope: { kid: 'new' } });
    expect((rewrapped.envelope as { ct: string }).ct).toBe((sealed.envelope as { ct: string }).ct);
    expect((rewrapped.envelope as { dek: string }).dek).not.toBe((sealed.envelope as { dek: string }).dek);
    expect((await world.admin.status()).keys).toMatchObject([
      { id: 'new', state: 'active', secrets: 30 },
      { id: 'old', state: 'retired', secrets: 0, retired_at: expect.any(String) },
    ]);
    const alone = await open({ masterKey: NEW });
    expect(await readAll(alone, owners)).toEqual(numbers(30));
    // The old ciphertext, put back, still needs the old key.
    await sql`update secrets set envelope = ${JSON.stringify(sealed.envelope)}::jsonb, key_id = 'old' where id = ${sealed.id}`.execute(
      store.db,
    );
    await expect(open({ masterKey: NEW })).rejects.toMatchObject({ code: 'vault_key_missing' });
    const restored = await open({ masterKey: `${NEW},${OLD}` });
    expect((await restored.admin.status()).keys).toContainEqual({
      id: 'old',
      state: 'decrypts',
      secrets: 1,
      first_used_at: expect.any(String),
    });
  });

  it('stops when asked and goes on where it was, under writes, and nothing is unreadable at any time', async () => {
    const owners = await fill(await open({ masterKey: OLD }), 1200);
    const world = await open({ masterKey: `${NEW},${OLD}` });
    const stop = new AbortController();
    let writes = 0;
    let writing = true;
    const writer = (async () => {
      while (writing) {
        const at = writes++ % owners.length;
        const owner = owners[at]!;
        const { plain, version } = (await world.secrets.get(store.db, owner, 'tokens'))!;
        expect(plain).toEqual({ n: at });
        await world.secrets.put(store.db, owner, 'tokens', plain, { version });
      }
    })();
    const stopped = await world.admin.run({ name: 'rotate', signal: stop.signal, progress: () => stop.abort() });
    expect(stopped).toMatchObject({ state: 'stopped' });
    expect(stopped.done).toBeGreaterThan(0);
    expect(stopped.cursor).not.toBe('');
    expect(await keyIdsInUse(store.db)).toEqual(['new', 'old']);
    expect((await world.admin.status()).keys.find(({ id }) => id === 'old')).toMatchObject({ state: 'decrypts' });
    const progress: number[] = [];
    const finished = await world.admin.run({ name: 'rotate', progress: ({ done }) => progress.push(done) });
    writing = false;
    await writer;
    expect(finished.state).toBe('done');
    expect(progress[0]).toBeGreaterThan(stopped.done);
    expect(await keyIdsInUse(store.db)).toEqual(['new']);
    expect(await readAll(world, owners)).toEqual(numbers(1200));
    expect(writes).toBeGreaterThan(0);
  });

  it('re-encrypts with new data keys when asked', async () => {
    const world = await open({ masterKey: OLD });
    const owners = await fill(world, 5);
    const before = (await getSecret(store.db, owners[0]!, 'tokens'))!.envelope as { ct: string; dek: string };
    expect(await world.admin.run({ name: 'reencrypt' })).toMatchObject({ state: 'done', done: 5 });
    const after = (await getSecret(store.db, owners[0]!, 'tokens'))!.envelope as { ct: string; dek: string };
    expect(after.ct).not.toBe(before.ct);
    expect(await readAll(world, owners)).toEqual(numbers(5));
  });

  it('leaves a damaged secret as it is, says which, does the rest, and keeps the key that it needs', async () => {
    const owners = await fill(await open({ masterKey: OLD }), 4);
    const row = (await getSecret(store.db, owners[1]!, 'tokens'))!;
    const ct = Buffer.from((row.envelope as { ct: string }).ct, 'base64url');
    ct[20]! ^= 1;
    const damaged = { ...row.envelope, ct: ct.toString('base64url') };
    await sql`update secrets set envelope = ${JSON.stringify(damaged)}::jsonb where id = ${row.id}`.execute(store.db);
    const world = await open({ masterKey: `${NEW},${OLD}` });
    expect(await world.admin.run({ name: 'rotate' })).toMatchObject({
      state: 'failed',
      done: 3,
      failed: 1,
      error: expect.stringContaining(row.id),
    });
    expect((await getSecret(store.db, owners[1]!, 'tokens'))!.envelope).toEqual(damaged);
    expect((await world.admin.status()).keys.find(({ id }) => id === 'old')).toMatchObject({
      state: 'decrypts',
      secrets: 1,
    });
    expect(world.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', fields: expect.objectContaining({ alarm: 'vault', secret: row.id }) }),
    );
  });

  it('opens and re-wraps secrets of the first format', async () => {
    const world = await open({ masterKey: OLD });
    const [owner] = (await fill(world, 1)) as [SecretOwner];
    const row = (await getSecret(store.db, owner, 'tokens'))!;
    // As it was: both layers named the master key.
    const aad = (layer: string) =>
      Buffer.from(JSON.stringify(['polyad', 1, layer, 'old', owner.workspaceId, 'connection', owner.id, 'tokens', 1]));
    const encrypt = (key: Buffer, plain: Buffer, layer: string): string => {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad(layer));
      return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64url');
    };
    const dataKey = randomBytes(32);
    const first = {
      v: 1,
      kid: 'old',
      dek: encrypt(Buffer.from(OLD!.slice(4), 'base64'), dataKey, 'key'),
      ct: encrypt(dataKey, Buffer.from('{"n":7}'), 'data'),
    };
    await sql`update secrets set envelope = ${JSON.stringify(first)}::jsonb where id = ${row.id}`.execute(store.db);
    expect(await readAll(world, [owner])).toEqual([7]);
    const rotated = await open({ masterKey: `${NEW},${OLD}` });
    await rotated.admin.run({ name: 'rotate' });
    expect((await getSecret(store.db, owner, 'tokens'))!.envelope).toMatchObject({ v: 2, kid: 'new' });
    expect(await readAll(await open({ masterKey: NEW }), [owner])).toEqual([7]);
  });

  it('makes a new key in the key file, whole, for its owner alone; with configured keys it says where to put one', async () => {
    const world = await open();
    const owners = await fill(world, 3);
    const first = world.keyring.activeId;
    const fresh = await world.admin.newKey();
    expect(world.keyring.activeId).toBe(fresh);
    expect(fresh).not.toBe(first);
    const file = join(directory.path, 'master.key');
    expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`^${fresh}:[^,]+,${first}:[^,]+\\n$`));
    chmodSync(file, 0o600);
    expect(await world.admin.run({ name: 'rotate' })).toMatchObject({ state: 'done', done: 3 });
    expect(await readAll(await open(), owners)).toEqual(numbers(3));
    await expect((await open({ masterKey: readFileSync(file, 'utf8') })).admin.newKey()).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('POLYAD_MASTER_KEY'),
    });
  });

  it('refuses a second worker of the same job, and a migration to where new secrets do not go', async () => {
    const world = await open({ masterKey: OLD });
    await fill(world, 1);
    const running = world.admin.run({ name: 'reencrypt' });
    await expect(world.admin.run({ name: 'reencrypt' })).rejects.toMatchObject({ code: 'vault_job_running' });
    await running;
    await expect(world.admin.run({ name: 'migrate', to: 'aws' })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('POLYAD_SECRETS=aws'),
    });
  });
});

describe('a new key with several nodes', () => {
  /** What the database looks like from nodes that share it. */
  const shared = () => ({ engine: 'postgres', db: store.db }) as const;
  const dataDir = '/nonexistent';

  it('encrypts only when every live node has it', async () => {
    const at = (minutes: number) => new Date(Date.parse('2026-01-01T00:00:00Z') + minutes * 60_000);
    const a = await openKeyring({ masterKey: OLD, dataDir, store: shared(), node: 'a', now: at(0) });
    // Node b comes up with the new key in front while a does not have it.
    const b = await openKeyring({ masterKey: `${NEW},${OLD}`, dataDir, store: shared(), node: 'b', now: at(1) });
    expect([b.activeId, b.preferredId]).toEqual(['old', 'new']);
    expect(await keepKeyring(b, { store: shared(), node: 'b', now: at(1.2) })).toBe(false);
    // Node a is restarted with both.
    const a2 = await openKeyring({ masterKey: `${NEW},${OLD}`, dataDir, store: shared(), node: 'a', now: at(1.5) });
    expect(a2.activeId).toBe('new');
    expect(b.get('new').id).toBe('new');
    expect(await keepKeyring(b, { store: shared(), node: 'b', now: at(1.6) })).toBe(true);
    expect(b.activeId).toBe('new');
    // From now on a node without it is refused.
    await expect(
      openKeyring({ masterKey: OLD, dataDir, store: shared(), node: 'c', now: at(2) }),
    ).rejects.toMatchObject({
      code: 'vault_key_missing',
    });
    expect(a.activeId).toBe('old');
  });

  it('a node that died does not hold it up for long, and an old key is not retired while a node writes with it', async () => {
    const world = await openVaultOn({ ...store, engine: 'postgres', db: store.db } as Store, directory.path, {
      masterKey: OLD,
      node: 'a',
    });
    const now = world.clock.now();
    const later = new Date(now.getTime() + 91_000);
    const b = await openKeyring({ masterKey: `${NEW},${OLD}`, dataDir, store: shared(), node: 'b', now });
    expect(b.activeId).toBe('old');
    expect(await keepKeyring(b, { store: shared(), node: 'b', now: later })).toBe(true);
    expect(b.activeId).toBe('new');
    await sql`insert into vault_nodes values ('slow', 'old', '{old,new}', ${later})`.execute(store.db);
    const rotator = await openVaultOn({ ...store, engine: 'postgres', db: store.db } as Store, directory.path, {
      masterKey: `${NEW},${OLD}`,
    });
    expect(await rotator.admin.retire()).toEqual([]);
    await sql`delete from vault_nodes where id = 'slow'`.execute(store.db);
    await sql`delete from vault_nodes where active_key = 'old'`.execute(store.db);
    expect(await rotator.admin.retire()).toEqual(['old']);
  });
});

/** Managers that are out, overrun, or refuse: what goes on, for how long, and what is said. */
import { execFileSync } from 'node:child_process';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/store/port.ts';
import { getSecret, managedKeyId } from '../../src/core/store/repositories/index.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import {
  type Clouds,
  empty,
  keyAddress,
  MANAGERS,
  newOwner,
  openDatabase,
  openVaultOn,
  scratch,
  startClouds,
} from './support/world.ts';

const MINUTE = 60_000;
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
afterEach(() => {
  for (const place of MANAGERS)
    Object.assign(clouds[place], { fault: 'none', faultTimes: Number.POSITIVE_INFINITY, keyEnabled: true });
});

/** Reads that reached the manager. */
const reads = (place: (typeof MANAGERS)[number]): number =>
  clouds[place].log.filter((line) => /^GetSecretValue|^GET \/secrets\/[^/]+\/[0-9a-f]{32}|:access/.test(line)).length;

describe.each(MANAGERS)('%s', (place) => {
  const start = async () => {
    const world = await openVaultOn(store, directory.path, { place });
    const owner = await newOwner(store);
    await world.secrets.put(store.db, owner, 'tokens', { token: 'a' });
    const get = async () => (await world.secrets.get(store.db, owner, 'tokens'))!.plain['token'];
    return { world, owner, get };
  };

  it('is asked once per cache life, and once for many that ask together', async () => {
    const { world, get } = await start();
    const before = reads(place);
    await get();
    expect(reads(place) - before).toBe(0);
    await world.clock.advance(61_000);
    expect(await Promise.all(Array.from({ length: 20 }, get))).toEqual(Array(20).fill('a'));
    expect(reads(place) - before).toBe(1);
    await get();
    expect(reads(place) - before).toBe(1);
    await world.close();
  });

  it.each(['down', 'throttled', 'failing'] as const)(
    'that is %s: what was read keeps working for an hour, then fails clearly, and recovers',
    async (fault) => {
      const { world, owner, get } = await start();
      clouds[place].fault = fault;
      await world.clock.advance(30 * MINUTE);
      expect(await get()).toBe('a');
      // The next reads do not wait for the manager again.
      const { attempts } = clouds[place];
      for (let n = 0; n < 20; n++) expect(await get()).toBe('a');
      expect(clouds[place].attempts).toBe(attempts);
      await world.clock.advance(31 * MINUTE);
      await expect(get()).rejects.toMatchObject({
        code: fault === 'throttled' ? 'secret_store_throttled' : 'secret_store_unavailable',
        retry: 'after',
        retryAfterMs: expect.any(Number),
      });
      clouds[place].fault = 'none';
      expect(await get()).toBe('a');
      // A secret that nobody has read before cannot be had, and says so.
      clouds[place].fault = fault;
      const cold = await openVaultOn(store, directory.path, { place });
      await expect(cold.secrets.get(store.db, owner, 'tokens')).rejects.toMatchObject({ retry: 'after' });
      await cold.close();
      await world.close();
    },
    60_000,
  );

  it('that refuses: nothing is served from memory beyond the cache life', async () => {
    const { world, get } = await start();
    clouds[place].fault = 'denied';
    expect(await get()).toBe('a');
    await world.clock.advance(61_000);
    await expect(get()).rejects.toMatchObject({ code: 'secret_store_denied', actor: 'operator' });
    clouds[place].fault = 'none';
    expect(await get()).toBe('a');
    await world.close();
  });

  it('that does not take a new secret: the database keeps it, encrypted, until the manager does', async () => {
    const { world, owner, get } = await start();
    clouds[place].fault = 'down';
    expect(await world.secrets.put(store.db, owner, 'tokens', { token: 'rotated-token' }, { version: 1 })).toBe(2);
    expect(world.alarms).toMatchObject([{ alarm: 'kept_here', owner, version: 2 }]);
    expect(await get()).toBe('rotated-token');
    const row = (await getSecret(store.db, owner, 'tokens'))!;
    expect(row.envelope).toMatchObject({ meant: place });
    expect(JSON.stringify(row)).not.toContain('rotated-token');
    expect((await world.admin.status()).waiting).toBe(1);
    // A killed process loses nothing, and neither does a rotation of the master key.
    const next = await openVaultOn(store, directory.path, { place });
    await next.admin.newKey();
    await next.admin.run({ name: 'rotate' });
    await next.admin.tidy();
    expect((await next.admin.status()).waiting).toBe(1);
    clouds[place].fault = 'none';
    await next.admin.tidy();
    expect((await next.admin.status()).waiting).toBe(0);
    const moved = (await getSecret(store.db, owner, 'tokens'))!;
    expect(moved).toMatchObject({ key_id: managedKeyId(place), version: 2 });
    expect((await next.secrets.get(store.db, owner, 'tokens'))!.plain).toEqual({ token: 'rotated-token' });
    expect(await get()).toBe('rotated-token');
    await next.close();
    await world.close();
  }, 60_000);

  it('that is out at start does not stop the start; one that refuses does', async () => {
    clouds[place].fault = 'down';
    const world = await openVaultOn(store, directory.path, { place });
    await world.places.check();
    expect(world.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', fields: { store: place, alarm: 'vault' } }),
    );
    clouds[place].fault = 'denied';
    await expect(world.places.check()).rejects.toMatchObject({ code: 'secret_store_denied' });
    clouds[place].fault = 'none';
    await world.places.check();
    await world.close();
  });

  it('whose value was changed behind our back: an alarm, not the value', async () => {
    const { world, owner, get } = await start();
    const { name, ref } = (await getSecret(store.db, owner, 'tokens'))!.envelope as { name: string; ref: string };
    const flip = (text: string): string => text.replace('"token":"a"', '"token":"b"');
    if (place === 'aws') {
      const version = clouds.aws.secrets.get(name)!.versions.get(ref)!;
      version.text = flip(version.text);
    } else if (place === 'azure') {
      const version = clouds.azure.secrets.get(name)!.get(ref)!;
      version.value = flip(version.value);
    } else {
      const version = clouds.gcp.secrets.get(name)!.versions[Number(ref) - 1]!;
      version.data = Buffer.from(flip(Buffer.from(version.data, 'base64').toString())).toString('base64');
    }
    await world.clock.advance(61_000);
    await expect(get()).rejects.toMatchObject({ code: 'vault_binding_mismatch' });
    expect(world.alarms).toMatchObject([{ alarm: 'tampered', owner }]);
    await world.close();
  });

  it('that lost the secret says so, and takes the next version under a new name', async () => {
    const { world, owner, get } = await start();
    const { name } = (await getSecret(store.db, owner, 'tokens'))!.envelope as { name: string };
    clouds[place].secrets.delete(name);
    await world.clock.advance(61_000);
    await expect(get()).rejects.toMatchObject({ code: 'secret_store_missing' });
    expect(await world.secrets.put(store.db, owner, 'tokens', { token: 'new' }, { version: 1 })).toBe(2);
    expect(await get()).toBe('new');
    const cold = await openVaultOn(store, directory.path, { place });
    expect((await cold.secrets.get(store.db, owner, 'tokens'))!.plain).toEqual({ token: 'new' });
    await cold.close();
    await world.close();
  });

  it('errors carry no credential and no secret', async () => {
    const { world, get } = await start();
    for (const fault of ['denied', 'down'] as const) {
      clouds[place].fault = fault;
      await world.clock.advance(90 * MINUTE);
      const error = (await get().catch((thrown: unknown) => thrown)) as Error;
      const { inspect } = await import('node:util');
      const text = inspect(error, { depth: 12, showHidden: true }) + JSON.stringify(error);
      for (const credential of [
        'polyad-test-secret-access-key',
        'polyad-test-client-secret',
        'BEGIN PRIVATE KEY',
        'Bearer ey',
      ])
        expect(text).not.toContain(credential);
    }
    await world.close();
  }, 60_000);
});

describe.each(MANAGERS)('master key kept by %s', (place) => {
  beforeEach(() => empty(store));

  const open = async (options: Parameters<typeof openVaultOn>[2] = {}) => {
    const own = scratch();
    const masterKey = `k-${place}:${keyAddress(clouds, place)}`;
    const world = await openVaultOn(store, own.path, { masterKey, ...options });
    const owner = await newOwner(store);
    return {
      world,
      owner,
      masterKey,
      path: own.path,
      async done() {
        await world.close();
        await own.remove();
      },
    };
  };

  it('is made once, wrapped, and opens what it sealed in another process', async () => {
    const { world, owner, path, masterKey, done } = await open();
    await world.secrets.put(store.db, owner, 'tokens', { token: 'a' });
    const { rows } = await sql<{
      id: string;
      wrapped: { by: string; text: string };
    }>`select * from master_keys`.execute(store.db);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ id: `k-${place}`, wrapped: { by: keyAddress(clouds, place) } });
    expect(JSON.stringify(rows)).not.toContain(world.keyring.active.bytes.toString('base64'));
    const again = await openVaultOn(store, path, { masterKey });
    expect((await again.secrets.get(store.db, owner, 'tokens'))!.plain).toEqual({ token: 'a' });
    // Under another id the wrapped key does not unwrap where the service authenticates the id.
    if (place !== 'azure') {
      await sql`update master_keys set id = 'other'`.execute(store.db);
      await sql`delete from secrets`.execute(store.db);
      await expect(
        openVaultOn(store, path, { masterKey: masterKey.replace(`k-${place}`, 'other') }),
      ).rejects.toMatchObject({ code: 'vault_key_service_denied' });
    }
    await again.close();
    await done();
  });

  it('survives an outage for the time configured, ends at once when it is switched off, and comes back', async () => {
    const { world, owner, done } = await open({ settings: { keyOutageMs: 60 * MINUTE } });
    const { secrets, serviceKeys, clock } = world;
    await secrets.put(store.db, owner, 'tokens', { token: 'a' });
    const get = async () => (await secrets.get(store.db, owner, 'tokens'))!.plain['token'];
    clouds[place].fault = 'down';
    await clock.advance(10 * MINUTE);
    await serviceKeys.renew();
    expect(await get()).toBe('a');
    expect(world.log.lines.at(-1)).toMatchObject({ level: 'error', fields: { code: 'vault_key_service_unavailable' } });
    await clock.advance(51 * MINUTE);
    await expect(get()).rejects.toMatchObject({ code: 'vault_key_service_unavailable', retry: 'after' });
    clouds[place].fault = 'none';
    await serviceKeys.renew();
    expect(await get()).toBe('a');
    clouds[place].keyEnabled = false;
    await clock.advance(6 * MINUTE);
    await serviceKeys.renew();
    await expect(get()).rejects.toMatchObject({ code: 'vault_key_service_denied' });
    await expect(secrets.put(store.db, owner, 'tokens', { token: 'b' })).rejects.toMatchObject({
      code: 'vault_key_service_denied',
    });
    clouds[place].keyEnabled = true;
    await clock.advance(MINUTE);
    await serviceKeys.renew();
    expect(await get()).toBe('a');
    await done();
  }, 60_000);

  it('out at start: refused after a few tries, with the reason', async () => {
    const own = scratch();
    clouds[place].fault = 'down';
    const clock = new VirtualClock();
    let open = true;
    const opening = openVaultOn(store, own.path, { masterKey: keyAddress(clouds, place), clock }).finally(() => {
      open = false;
    });
    opening.catch(() => undefined);
    while (open) await clock.step();
    await expect(opening).rejects.toMatchObject({ code: 'vault_key_service_unavailable' });
    // Nothing was settled on, so the next start is a first start.
    clouds[place].fault = 'none';
    await (await openVaultOn(store, own.path, { masterKey: keyAddress(clouds, place) })).close();
    await own.remove();
  }, 120_000);
});

describe('a client that is not installed', () => {
  it('is named, with the command that installs it', () => {
    const script = `
      import { registerHooks } from 'node:module';
      registerHooks({ resolve: (name, context, next) => {
        if (/^@(aws-sdk|azure|google-cloud)\\//.test(name)) throw Object.assign(new Error("Cannot find package '" + name + "' imported from here"), { code: 'ERR_MODULE_NOT_FOUND' });
        return next(name, context);
      } });
      const { openManager } = await import('./src/core/auth/secrets/manager.ts');
      const { openKeyService } = await import('./src/core/auth/secrets/key-services.ts');
      const settings = { azureVaultUrl: 'https://x.vault.azure.net', gcpProject: 'p' };
      for (const place of ['aws', 'azure', 'gcp']) await openManager(place, settings).catch((error) => console.log(error.code, error.message));
      for (const address of ['awskms:///alias/x', 'azurekeyvault://x.vault.azure.net/keys/k', 'gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k'])
        await openKeyService(address, settings).catch((error) => console.log(error.code, error.message));
    `;
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    const lines = out.trim().split('\n');
    expect(lines).toHaveLength(6);
    for (const line of lines)
      expect(line).toMatch(/^package_missing .* needs the package (@[\w-]+\/[\w-]+), .*npm install \1$/);
  });
});

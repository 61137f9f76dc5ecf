import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../store/port.ts';
import { createConnection, createWorkspace, keyIdsInUse } from '../store/repositories/index.ts';
import { openKeyring, parseMasterKeys } from './keyring.ts';
import { SecretStore } from './secret-store.ts';
import { Vault } from './vault.ts';

const base64 = () => randomBytes(32).toString('base64');
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

describe('POLYAD_MASTER_KEY', () => {
  it('is one key, or several with ids, the first of which encrypts', () => {
    const [a, b] = [base64(), base64()];
    expect(parseMasterKeys(` ${a} `)[0].bytes.toString('base64')).toBe(a);
    expect(parseMasterKeys(a)[0].id).toMatch(/^[0-9a-f]{12}$/);
    expect(parseMasterKeys(a)[0].id).toBe(parseMasterKeys(a)[0].id);
    expect(parseMasterKeys(a)[0].id).not.toBe(parseMasterKeys(b)[0].id);
    expect(parseMasterKeys(`2026:${a}, 2025:${b}`).map((key) => key.id)).toEqual(['2026', '2025']);
    expect(parseMasterKeys(`k:${Buffer.from(a, 'base64').toString('base64url')}`)[0].bytes.toString('base64')).toBe(a);
  });

  it.each([
    ['not base64 at all!', 'not base64'],
    [randomBytes(16).toString('base64'), '16 bytes'],
    [`a:${base64()},a:${base64()}`, 'Two keys'],
    [`bad id:${base64()}`, 'The id of key 1'],
    [`${base64()},`, 'key 2'],
  ])('is refused with the reason and without its value: %s', (text, reason) => {
    try {
      parseMasterKeys(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'config_invalid', message: expect.stringContaining(reason) });
      for (const piece of text.split(/[:,]/).filter((piece) => piece.length > 20)) {
        expect(JSON.stringify(error) + String(error)).not.toContain(piece);
      }
    }
  });
});

describe('key ring', () => {
  const root = mkdtempSync(join(tmpdir(), 'polyad-keyring-'));
  let store: Store;
  let dataDir: string;
  const file = () => join(dataDir, 'master.key');

  beforeAll(async () => {
    store = await openStore({ dataDir: join(root, 'store'), log: quiet });
  });
  beforeEach(async () => {
    dataDir = mkdtempSync(join(root, 'data-'));
    await sql`delete from workspaces`.execute(store.db);
    await sql`delete from master_keys`.execute(store.db);
  });
  afterAll(async () => {
    await store.close();
    rmSync(root, { recursive: true, force: true });
  });

  /** Stores a secret under the key ring's active key; answers how to read it with another ring. */
  const encryptOne = async (masterKey?: string) => {
    const { db } = store;
    const secrets = new SecretStore(new Vault(await openKeyring({ masterKey, dataDir, store })));
    const workspace = await createWorkspace(db, { name: 'A' });
    const connection = await createConnection(db, workspace.id, { integration_type: 't', environment: 'sandbox' });
    const owner = { workspaceId: workspace.id, kind: 'connection', id: connection.id } as const;
    await secrets.put(db, owner, 'tokens', { n: 1 });
    return async (withKey?: string) =>
      new SecretStore(new Vault(await openKeyring({ masterKey: withKey, dataDir, store }))).get(db, owner, 'tokens');
  };

  it('makes a key file that only its owner can read, once, and keeps the key out of database and prints', async () => {
    const first = await openKeyring({ dataDir, store });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(readdirSync(dataDir)).toEqual(['master.key']);
    const text = readFileSync(file(), 'utf8').trim();
    expect(Buffer.from(text, 'base64')).toHaveLength(32);
    const again = await openKeyring({ dataDir, store });
    expect(again.active.id).toBe(first.active.id);
    expect(again.active.bytes.equals(first.active.bytes)).toBe(true);
    expect(JSON.stringify(first)).not.toContain(first.active.bytes.toString('base64'));
    expect(inspect(first.toJSON())).not.toContain('Buffer');
    const read = await encryptOne();
    expect((await read())!.plain).toEqual({ n: 1 });
    const all = await sql<{
      t: string;
    }>`select (select json_agg(s) from secrets s)::text || (select json_agg(m) from master_keys m)::text as t`.execute(
      store.db,
    );
    expect(all.rows[0]!.t).toContain(first.active.id);
    expect(all.rows[0]!.t).not.toContain(text);
    expect(all.rows[0]!.t).not.toContain(first.active.bytes.toString('hex'));
  });

  it.each([0o644, 0o640, 0o604, 0o660])('refuses a key file of mode %o, naming the fix', async (mode) => {
    await openKeyring({ dataDir, store });
    chmodSync(file(), mode);
    await expect(openKeyring({ dataDir, store })).rejects.toMatchObject({
      code: 'vault_key_unprotected',
      message: expect.stringContaining(`chmod 600 ${file()}`),
      details: { file: file() },
    });
    chmodSync(file(), 0o600);
    await openKeyring({ dataDir, store });
  });

  it('does not make a new key when stored secrets need the missing one', async () => {
    await encryptOne();
    rmSync(file());
    const [id] = await keyIdsInUse(store.db);
    await expect(openKeyring({ dataDir, store })).rejects.toMatchObject({
      code: 'vault_key_missing',
      message: expect.stringContaining(id!),
      details: { file: file() },
    });
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('makes a new key when the old one is gone and nothing needs it', async () => {
    const first = await openKeyring({ dataDir, store });
    rmSync(file());
    expect((await openKeyring({ dataDir, store })).active.id).not.toBe(first.active.id);
  });

  it('refuses a damaged file', async () => {
    writeFileSync(file(), 'half a ke', { mode: 0o600 });
    await expect(openKeyring({ dataDir, store })).rejects.toMatchObject({ code: 'config_invalid' });
  });

  it('takes the environment’s keys, rotates by their order, and insists on those that are needed', async () => {
    const [old, fresh] = [`old:${base64()}`, `new:${base64()}`];
    const read = await encryptOne(old);
    expect(readdirSync(dataDir)).toEqual([]);
    expect((await read(`${fresh},${old}`))!.plain).toEqual({ n: 1 });
    await expect(openKeyring({ masterKey: fresh, dataDir, store })).rejects.toMatchObject({
      code: 'vault_key_missing',
      message: expect.stringContaining('"old"'),
    });
    expect((await openKeyring({ masterKey: `${fresh},${old}`, dataDir, store })).active.id).toBe('new');
  });

  it('on a shared database refuses a node that would settle on a key of its own', async () => {
    const shared = { engine: 'postgres', db: store.db } as const;
    const first = await openKeyring({ dataDir, store: shared });
    const elsewhere = mkdtempSync(join(root, 'data-'));
    await expect(openKeyring({ dataDir: elsewhere, store: shared })).rejects.toMatchObject({
      code: 'vault_key_missing',
    });
    await expect(openKeyring({ masterKey: `b:${base64()}`, dataDir: elsewhere, store: shared })).rejects.toMatchObject({
      code: 'vault_key_missing',
      message: expect.stringContaining(first.active.id),
    });
    expect(readdirSync(elsewhere)).toEqual([]);
    const handed = await openKeyring({ masterKey: readFileSync(file(), 'utf8'), dataDir: elsewhere, store: shared });
    expect(handed.active.id).toBe(first.active.id);
  });
});

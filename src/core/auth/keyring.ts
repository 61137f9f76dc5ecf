import { join } from 'node:path';
import { PolyadError } from '../errors/index.ts';
import type { Store } from '../store/port.ts';
import {
  keyIdsInUse,
  liveVaultNodes,
  lockMasterKeys,
  newestMasterKeyId,
  recallMasterKeys,
  registerMasterKeyId,
  seeVaultNode,
} from '../store/repositories/index.ts';
import type { Db } from '../store/schema.ts';
import { makeKeyFile, parseKeySources, readKeyFile, type ServiceKey } from './keyring-sources.ts';

export { parseMasterKeys } from './keyring-sources.ts';

const FILE = 'master.key';

/** A node that has not been seen for this long, in ms, is taken for gone. */
export const NODE_LIFE_MS = 90_000;

/** A master key. Its bytes never leave the process, are never logged and never stored in the database. */
export interface MasterKey {
  /** Stands in every envelope made with this key. */
  readonly id: string;
  readonly bytes: Buffer;
  /** Why the key cannot be used now: its key management service has not confirmed it for too long. */
  readonly unusable?: () => PolyadError | undefined;
}

/** The master keys: one that encrypts, and those that can still decrypt what was encrypted before. */
export class Keyring {
  readonly #keys: Map<string, MasterKey>;
  readonly #reload: (() => readonly MasterKey[]) | undefined;
  #active: string;
  #preferred: string;

  /**
   * @param keys at least one, the first is active.
   * @param reload reads the keys again, where they can change while the process runs (a key file).
   */
  constructor(keys: readonly [MasterKey, ...MasterKey[]], reload?: () => readonly MasterKey[]) {
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    this.#active = this.#preferred = keys[0].id;
    this.#reload = reload;
  }

  /** The key that encrypts. @throws PolyadError `vault_key_service_unavailable`, `vault_key_service_denied`. */
  get active(): MasterKey {
    return usable(this.#keys.get(this.#active) as MasterKey);
  }

  get activeId(): string {
    return this.#active;
  }

  /** The key that shall encrypt as soon as every node has it. */
  get preferredId(): string {
    return this.#preferred;
  }

  get ids(): string[] {
    return [...this.#keys.keys()];
  }

  /** All keys, the active one first: what signs and what verifies. */
  all(): readonly MasterKey[] {
    return [this.active, ...[...this.#keys.values()].filter(({ id }) => id !== this.#active)];
  }

  /** @throws PolyadError `vault_key_missing` naming the id, and as {@link active}. */
  get(id: string): MasterKey {
    const key = this.#keys.get(id);
    if (key !== undefined) return usable(key);
    // Another process may have rotated the file; it wrote the key there before it used it.
    this.reload();
    const read = this.#keys.get(id);
    if (read === undefined) throw missing([id], 'is not among the configured ones');
    return usable(read);
  }

  has(id: string): boolean {
    return this.#keys.has(id);
  }

  /** Reads the key file again; its first key becomes the preferred one. Without a file nothing happens. */
  reload(): void {
    const [first, ...rest] = this.#reload?.() ?? [];
    if (first === undefined) return;
    for (const key of [first, ...rest]) if (!this.#keys.has(key.id)) this.#keys.set(key.id, key);
    this.#preferred = first.id;
  }

  /** Encrypts with `id` from now on. @throws PolyadError `vault_key_missing`. */
  activate(id: string): void {
    if (!this.#keys.has(id)) throw missing([id], 'is not among the configured ones');
    this.#active = id;
  }

  /** Keeps key bytes out of logs that print the keyring. */
  toJSON(): { active: string; keys: string[] } {
    return { active: this.#active, keys: this.ids };
  }
}

function usable(key: MasterKey): MasterKey {
  const reason = key.unusable?.();
  if (reason !== undefined) throw reason;
  return key;
}

/** Opens master keys that a key management service keeps, making and storing a new one where there is none. */
export type OpenServiceKey = (db: Db, key: ServiceKey) => Promise<MasterKey>;

export interface KeyringOptions {
  /**
   * Value of POLYAD_MASTER_KEY: 32 bytes in base64, or several as `id:base64,id:base64`, or files and key management
   * services by their addresses. The first encrypts; put a new key in front to rotate, and drop an old one when no secret
   * needs it any more.
   */
  masterKey?: string | undefined;
  /** Holds `master.key` when `masterKey` is not given. */
  dataDir: string;
  /** The opened store: tells which keys are needed, and that other nodes already use one. Key ids alone are read. */
  store: Pick<Store, 'engine' | 'db'>;
  /** Needed when `masterKey` names a key management service. */
  openServiceKey?: OpenServiceKey | undefined;
  /** Name of this server among several on one database; absent for programs that run beside a server. */
  node?: string | undefined;
  now?: Date | undefined;
}

/** The file of the default master key. */
export const keyFileOf = (dataDir: string): string => join(dataDir, FILE);

/**
 * Loads the master keys, and makes `<dataDir>/master.key` (mode 0600) on the very first start. Refuses to make a new key
 * while stored secrets need another one, since they would be lost for good without anybody noticing, and while other
 * nodes of the same Postgres use another one, since neither could read what the other writes.
 *
 * A new key in front is used once every live node has it; until then the one before encrypts on.
 *
 * @throws PolyadError `config_invalid` (POLYAD_MASTER_KEY or the file is not a key), `vault_key_unprotected` (others can
 *   read the file), `vault_key_missing` (a key that is needed is not there), `vault_key_service_unavailable`,
 *   `vault_key_service_denied`, `package_missing`.
 */
export async function openKeyring(options: KeyringOptions): Promise<Keyring> {
  const { masterKey, dataDir, store, openServiceKey, node } = options;
  const file = keyFileOf(dataDir);
  const configured = masterKey === undefined || masterKey.trim() === '' ? undefined : parseKeySources(masterKey);
  return store.db.transaction().execute(async (trx) => {
    await lockMasterKeys(trx);
    await recallMasterKeys(trx);
    const needed = new Set(await keyIdsInUse(trx));
    const newest = await newestMasterKeyId(trx);
    if (store.engine === 'postgres' && newest !== undefined) needed.add(newest);
    let keys: MasterKey[] | undefined;
    if (configured === undefined) keys = readKeyFile(file);
    else {
      keys = [];
      for (const source of configured) {
        if ('bytes' in source) keys.push(source);
        else if (openServiceKey !== undefined) keys.push(await openServiceKey(trx, source));
        else throw new Error(`nobody can open ${source.address}`);
      }
    }
    if (keys === undefined && needed.size > 0) {
      throw missing([...needed], `is expected in ${file}, which does not exist; no new key was made`, file);
    }
    keys ??= [makeKeyFile(file)];
    const reload = configured === undefined ? () => readKeyFile(file) ?? [] : undefined;
    const keyring = new Keyring(keys as [MasterKey, ...MasterKey[]], reload);
    const absent = [...needed].filter((id) => !keyring.has(id));
    if (absent.length > 0) throw missing(absent, 'is not among the configured ones');
    await settle(trx, keyring, { engine: store.engine, node, newest, now: options.now ?? new Date() });
    return keyring;
  });
}

/**
 * Decides, with the master keys locked, which key this process encrypts with: the preferred one if every other live node
 * has it, else the one that nodes agreed on before.
 */
async function settle(
  trx: Db,
  keyring: Keyring,
  about: { engine: Store['engine']; node: string | undefined; newest: string | undefined; now: Date },
): Promise<void> {
  const { engine, node, newest, now } = about;
  if (keyring.preferredId !== keyring.activeId || newest !== keyring.preferredId) {
    // The embedded database has one process, so whoever else is noted there is dead.
    const since = engine === 'postgres' ? new Date(now.getTime() - NODE_LIFE_MS) : new Date(now.getTime() + 1);
    const others = (await liveVaultNodes(trx, since)).filter(({ id }) => id !== node);
    const ready = others.every(({ key_ids }) => key_ids.includes(keyring.preferredId));
    keyring.activate(ready || newest === undefined || !keyring.has(newest) ? keyring.preferredId : newest);
  }
  await registerMasterKeyId(trx, keyring.activeId, now);
  if (node !== undefined)
    await seeVaultNode(trx, { id: node, active_key: keyring.activeId, key_ids: keyring.ids }, now);
}

/**
 * What a running server does now and then: reads a rotated key file, says that it lives, and begins to use a new key once
 * all nodes have it. Answers whether the active key changed.
 */
export async function keepKeyring(
  keyring: Keyring,
  { store, node, now }: { store: Pick<Store, 'engine' | 'db'>; node: string | undefined; now: Date },
): Promise<boolean> {
  keyring.reload();
  const before = keyring.activeId;
  await store.db.transaction().execute(async (trx) => {
    await lockMasterKeys(trx);
    const newest = await newestMasterKeyId(trx);
    await settle(trx, keyring, { engine: store.engine, node, newest, now });
  });
  return keyring.activeId !== before;
}

function missing(ids: readonly string[], why: string, file?: string): PolyadError {
  return new PolyadError('vault_key_missing', {
    message: `The master key ${ids.map((id) => `"${id}"`).join(', ')} of this database ${why}.`,
    details: { key_ids: ids, ...(file === undefined ? {} : { file }) },
  });
}

import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { PolyadError } from '../errors/index.ts';
import type { Store } from '../store/port.ts';
import { keyIdsInUse, lockMasterKeys, newestMasterKeyId, registerMasterKeyId } from '../store/repositories/secrets.ts';

/** AES-256: a master key is 32 bytes. */
const KEY_BYTES = 32;
const FILE = 'master.key';
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** A master key. Its bytes never leave the process, are never logged and never stored in the database. */
export interface MasterKey {
  /** Stands in every envelope made with this key. */
  readonly id: string;
  readonly bytes: Buffer;
}

/** The master keys: one that encrypts, and those that can still decrypt what was encrypted before. */
export class Keyring {
  readonly active: MasterKey;
  readonly #keys: ReadonlyMap<string, MasterKey>;

  /** @param keys at least one, the first is active. */
  constructor(keys: readonly [MasterKey, ...MasterKey[]]) {
    this.active = keys[0];
    this.#keys = new Map(keys.map((key) => [key.id, key]));
  }

  /** @throws PolyadError `vault_key_missing` naming the id. */
  get(id: string): MasterKey {
    const key = this.#keys.get(id);
    if (key === undefined) throw missing([id], 'is not among the configured ones');
    return key;
  }

  /** All keys, the active one first. */
  all(): readonly MasterKey[] {
    return [...this.#keys.values()];
  }

  has(id: string): boolean {
    return this.#keys.has(id);
  }

  /** Keeps key bytes out of logs that print the keyring. */
  toJSON(): { active: string; keys: string[] } {
    return { active: this.active.id, keys: [...this.#keys.keys()] };
  }
}

export interface KeyringOptions {
  /**
   * Value of POLYAD_MASTER_KEY: 32 bytes in base64, or several as `id:base64,id:base64`. The first encrypts; put a new key
   * in front to rotate, and drop an old one when no secret needs it any more.
   */
  masterKey?: string | undefined;
  /** Holds `master.key` when `masterKey` is not given. */
  dataDir: string;
  /** The opened store: tells which keys are needed, and that other nodes already use one. Key ids alone are read. */
  store: Pick<Store, 'engine' | 'db'>;
}

/**
 * Loads the master keys, and makes `<dataDir>/master.key` (mode 0600) on the very first start. Refuses to make a new key
 * while stored secrets need another one, since they would be lost for good without anybody noticing, and while other
 * nodes of the same Postgres use another one, since neither could read what the other writes.
 *
 * @throws PolyadError `config_invalid` (POLYAD_MASTER_KEY or the file is not a key), `vault_key_unprotected` (others can
 *   read the file), `vault_key_missing` (a key that is needed is not there).
 */
export async function openKeyring({ masterKey, dataDir, store }: KeyringOptions): Promise<Keyring> {
  const file = join(dataDir, FILE);
  const configured = masterKey === undefined || masterKey.trim() === '' ? undefined : parseMasterKeys(masterKey);
  return store.db.transaction().execute(async (trx) => {
    await lockMasterKeys(trx);
    const needed = new Set(await keyIdsInUse(trx));
    if (store.engine === 'postgres') {
      const newest = await newestMasterKeyId(trx);
      if (newest !== undefined) needed.add(newest);
    }
    const found = configured ?? readKeyFile(file);
    if (found === undefined && needed.size > 0) {
      throw missing([...needed], `is expected in ${file}, which does not exist; no new key was made`, file);
    }
    const keyring = new Keyring(found ?? [makeKeyFile(file)]);
    const absent = [...needed].filter((id) => !keyring.has(id));
    if (absent.length > 0) throw missing(absent, 'is not among the configured ones');
    await registerMasterKeyId(trx, keyring.active.id);
    return keyring;
  });
}

/**
 * Reads POLYAD_MASTER_KEY.
 *
 * @throws PolyadError `config_invalid`, which never repeats the value.
 */
export function parseMasterKeys(text: string, source = 'POLYAD_MASTER_KEY'): [MasterKey, ...MasterKey[]] {
  const keys: MasterKey[] = [];
  for (const [index, part] of text.trim().split(',').entries()) {
    const colon = part.indexOf(':');
    const encoded = (colon < 0 ? part : part.slice(colon + 1)).trim();
    const place = `key ${index + 1} of ${source}`;
    if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(encoded)) throw invalid(source, `${place} is not base64.`);
    const bytes = Buffer.from(encoded, 'base64');
    if (bytes.length !== KEY_BYTES) {
      throw invalid(source, `${place} has ${bytes.length} bytes; it must have ${KEY_BYTES} (openssl rand -base64 32).`);
    }
    const id = colon < 0 ? fingerprint(bytes) : part.slice(0, colon).trim();
    if (!KEY_ID.test(id)) throw invalid(source, `The id of ${place} must be 1 to 64 letters, digits, "-" or "_".`);
    if (keys.some((key) => key.id === id)) throw invalid(source, `Two keys of ${source} have the id "${id}".`);
    keys.push({ id, bytes });
  }
  const [first, ...rest] = keys;
  if (first === undefined) throw invalid(source, `${source} holds no key.`);
  return [first, ...rest];
}

/** The id of a key that was given none: 12 hexadecimal characters that follow from it but do not give it away. */
function fingerprint(bytes: Buffer): string {
  return createHash('sha256').update('polyad master key id\0').update(bytes).digest('hex').slice(0, 12);
}

function readKeyFile(file: string): [MasterKey, ...MasterKey[]] | undefined {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    // Windows has no such mode bits; there the directory's access list protects the file.
    const mode = fstatSync(handle).mode & 0o777;
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new PolyadError('vault_key_unprotected', {
        message: `The master key file ${file} can be read by others (mode ${mode.toString(8).padStart(4, '0')}). Run: chmod 600 ${file}`,
        details: { file, mode: mode.toString(8).padStart(4, '0') },
      });
    }
    return parseMasterKeys(readFileSync(handle, 'utf8'), file);
  } finally {
    closeSync(handle);
  }
}

/** Makes the file whole or not at all: a half-written key would make every later secret unreadable. */
function makeKeyFile(file: string): MasterKey {
  const bytes = randomBytes(KEY_BYTES);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.draft`;
  rmSync(draft, { force: true });
  const handle = openSync(draft, 'wx', 0o600);
  try {
    writeSync(handle, `${bytes.toString('base64')}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      // Several nodes on one directory: whoever was first has made the key for all.
      const theirs = readKeyFile(file);
      if (theirs !== undefined) return theirs[0];
    }
    // A filesystem without hard links.
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
  return { id: fingerprint(bytes), bytes };
}

function missing(ids: readonly string[], why: string, file?: string): PolyadError {
  return new PolyadError('vault_key_missing', {
    message: `The master key ${ids.map((id) => `"${id}"`).join(', ')} of this database ${why}.`,
    details: { key_ids: ids, ...(file === undefined ? {} : { file }) },
  });
}

function invalid(variable: string, problem: string): PolyadError {
  return new PolyadError('config_invalid', { message: problem, details: { issues: [{ variable, problem }] } });
}

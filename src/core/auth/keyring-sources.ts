/** Where master keys come from: the environment, files, and addresses of key management services. */
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
import { dirname } from 'node:path';
import { PolyadError } from '../errors/index.ts';
import type { MasterKey } from './keyring.ts';

/** AES-256: a master key is 32 bytes. */
export const KEY_BYTES = 32;
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** A master key that a key management service keeps wrapped. */
export interface ServiceKey {
  id: string;
  /** Address of the service's key: `awskms://…`, `gcpkms://…`, `azurekeyvault://…`. */
  address: string;
}

/** A key, or where to get one. */
export type KeySource = MasterKey | ServiceKey;

const SERVICE = /^(?:([A-Za-z0-9_-]{1,64}):)?((?:awskms|gcpkms|azurekeyvault):\/\/\S+)$/;
const KEY_FILE = /^(?:([A-Za-z0-9_-]{1,64}):)?file:\/\/(\/\S+)$/;

/**
 * Reads POLYAD_MASTER_KEY with everything that may stand in it: base64 keys, `file:///path`, addresses of key management
 * services; each may have an id in front (`2027:awskms:///alias/polyad`). A file is read here, a service is not asked.
 *
 * @throws PolyadError `config_invalid` (never repeats a key), `vault_key_unprotected`.
 */
export function parseKeySources(text: string): [KeySource, ...KeySource[]] {
  const source = 'POLYAD_MASTER_KEY';
  const found: KeySource[] = [];
  for (const [index, raw] of text.trim().split(',').entries()) {
    const part = raw.trim();
    const service = SERVICE.exec(part);
    const file = KEY_FILE.exec(part);
    if (service !== null) {
      const address = service[2] as string;
      found.push({ id: service[1] ?? digest(address), address });
    } else if (file !== null) {
      const path = file[2] as string;
      const keys = readKeyFile(path);
      if (keys === undefined) throw invalid(source, `The file ${path}, named by ${source}, does not exist.`);
      if (file[1] === undefined) found.push(...keys);
      else if (keys.length === 1) found.push({ id: file[1], bytes: keys[0].bytes });
      else throw invalid(source, `${path} holds ${keys.length} keys, so it cannot be given one id in ${source}.`);
    } else {
      if (part.includes('://'))
        throw invalid(
          source,
          `Key ${index + 1} of ${source} has an address of an unknown kind. Known are file:///, awskms://, gcpkms:// and azurekeyvault://.`,
        );
      found.push(readKey(part, `key ${index + 1} of ${source}`, source));
    }
  }
  const ids = found.map((key) => key.id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw invalid(source, `Two keys of ${source} have the id "${twice}".`);
  return found as [KeySource, ...KeySource[]];
}

/**
 * Reads keys that are given in full: 32 bytes in base64, or several as `id:base64,id:base64`.
 *
 * @throws PolyadError `config_invalid`, which never repeats the value.
 */
export function parseMasterKeys(text: string, source = 'POLYAD_MASTER_KEY'): [MasterKey, ...MasterKey[]] {
  const keys: MasterKey[] = [];
  for (const [index, part] of text.trim().split(',').entries()) {
    const key = readKey(part.trim(), `key ${index + 1} of ${source}`, source);
    if (keys.some(({ id }) => id === key.id)) throw invalid(source, `Two keys of ${source} have the id "${key.id}".`);
    keys.push(key);
  }
  return keys as [MasterKey, ...MasterKey[]];
}

function readKey(part: string, place: string, source: string): MasterKey {
  const colon = part.indexOf(':');
  const encoded = (colon < 0 ? part : part.slice(colon + 1)).trim();
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(encoded)) throw invalid(source, `${place} is not base64.`);
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length !== KEY_BYTES)
    throw invalid(source, `${place} has ${bytes.length} bytes; it must have ${KEY_BYTES} (openssl rand -base64 32).`);
  const id = colon < 0 ? fingerprint(bytes) : part.slice(0, colon).trim();
  if (!KEY_ID.test(id)) throw invalid(source, `The id of ${place} must be 1 to 64 letters, digits, "-" or "_".`);
  return { id, bytes };
}

/** The id of a key that was given none: 12 hexadecimal characters that follow from it but do not give it away. */
function fingerprint(bytes: Buffer): string {
  return createHash('sha256').update('polyad master key id\0').update(bytes).digest('hex').slice(0, 12);
}

/** The id of a service's key that was given none. */
const digest = (address: string): string => createHash('sha256').update(address).digest('hex').slice(0, 12);

/** A new random key, named by its fingerprint. */
export function newMasterKey(): MasterKey {
  const bytes = randomBytes(KEY_BYTES);
  return { id: fingerprint(bytes), bytes };
}

/**
 * The keys of a file, undefined when there is none.
 *
 * @throws PolyadError `vault_key_unprotected`, `config_invalid`.
 */
export function readKeyFile(file: string): [MasterKey, ...MasterKey[]] | undefined {
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

/**
 * Makes the file with a new key; when another process was first, its key is answered. Whole or not at all: a half-written
 * key would make every later secret unreadable.
 */
export function makeKeyFile(file: string): MasterKey {
  const key = newMasterKey();
  const draft = writeDraft(file, `${key.bytes.toString('base64')}\n`);
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
  return key;
}

/** Replaces the file by one with these keys, in one step. */
export function writeKeyFile(file: string, keys: readonly MasterKey[]): void {
  const draft = writeDraft(file, `${keys.map(({ id, bytes }) => `${id}:${bytes.toString('base64')}`).join(',')}\n`);
  renameSync(draft, file);
  const directory = openSync(dirname(file), 'r');
  try {
    fsyncSync(directory);
  } catch {
    // Some file systems do not sync directories; the rename is then as durable as they make it.
  } finally {
    closeSync(directory);
  }
}

function writeDraft(file: string, text: string): string {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.draft`;
  rmSync(draft, { force: true });
  const handle = openSync(draft, 'wx', 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  return draft;
}

function invalid(variable: string, problem: string): PolyadError {
  return new PolyadError('config_invalid', { message: problem, details: { issues: [{ variable, problem }] } });
}

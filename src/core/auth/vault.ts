import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { PolyadError } from '../errors/index.ts';
import type { Envelope, SecretOwnerKind } from '../store/schema.ts';
import type { Keyring } from './keyring.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const DATA_KEY_BYTES = 32;

/** What a ciphertext belongs to. It opens for exactly this binding and no other. */
export interface Binding {
  workspaceId: string;
  ownerKind: SecretOwnerKind;
  ownerId: string;
  /** Kind of secret, for example `tokens`. */
  kind: string;
  /** Version of the secret, so that an older ciphertext cannot be put back unnoticed. */
  version: number;
}

/**
 * Envelope encryption: every secret gets a data key of its own, which the master key wraps. Both layers are AES-256-GCM
 * and both authenticate the binding, so neither a ciphertext nor a wrapped key is of use on another row.
 */
export class Vault {
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  /** Encrypts a JSON object. */
  seal(plain: Record<string, unknown>, binding: Binding): Envelope {
    const master = this.#keyring.active;
    const dataKey = randomBytes(DATA_KEY_BYTES);
    try {
      return {
        v: 1,
        kid: master.id,
        dek: encrypt(master.bytes, dataKey, associatedData('key', master.id, binding)),
        ct: encrypt(dataKey, Buffer.from(JSON.stringify(plain), 'utf8'), associatedData('data', master.id, binding)),
      };
    } finally {
      dataKey.fill(0);
    }
  }

  /**
   * Decrypts what {@link seal} made.
   *
   * @throws PolyadError `vault_binding_mismatch` (the envelope was made for another owner, kind or version, or was
   *   changed), `vault_key_missing` (its master key is not in the keyring). No error repeats any part of the secret.
   */
  open(envelope: Envelope, binding: Binding): Record<string, unknown> {
    if (envelope.v !== 1) throw mismatch(binding, new Error(`unknown envelope format ${String(envelope.v)}`));
    const master = this.#keyring.get(envelope.kid);
    let dataKey: Buffer | undefined;
    let plain: Buffer;
    try {
      dataKey = decrypt(master.bytes, envelope.dek, associatedData('key', master.id, binding));
      plain = decrypt(dataKey, envelope.ct, associatedData('data', master.id, binding));
    } catch (cause) {
      throw mismatch(binding, cause);
    } finally {
      dataKey?.fill(0);
    }
    return JSON.parse(plain.toString('utf8')) as Record<string, unknown>;
  }
}

/** A JSON array cannot be read in two ways, as joined strings can. */
function associatedData(layer: 'key' | 'data', keyId: string, binding: Binding): Buffer {
  const { workspaceId, ownerKind, ownerId, kind, version } = binding;
  return Buffer.from(
    JSON.stringify(['polyad', 1, layer, keyId, workspaceId, ownerKind, ownerId, kind, version]),
    'utf8',
  );
}

function encrypt(key: Buffer, plain: Buffer, associated: Buffer): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(associated);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

function decrypt(key: Buffer, sealed: string, associated: Buffer): Buffer {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new Error('truncated');
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(associated)
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
}

function mismatch(binding: Binding, cause: unknown): PolyadError {
  return new PolyadError('vault_binding_mismatch', {
    details: {
      owner_kind: binding.ownerKind,
      owner_id: binding.ownerId,
      kind: binding.kind,
      version: binding.version,
    },
    cause,
  });
}

import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { PolyadError } from '../errors/index.ts';
import type { SealedEnvelope, SecretOwnerKind } from '../store/schema.ts';
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

  /** The master keys in use. */
  get keyring(): Keyring {
    return this.#keyring;
  }

  /**
   * Encrypts a JSON object under the active master key.
   *
   * @throws PolyadError `vault_key_service_unavailable`, `vault_key_service_denied` (a key management service holds the
   *   master key and has not given it out for too long).
   */
  seal(plain: Record<string, unknown>, binding: Binding): SealedEnvelope {
    const master = this.#keyring.active;
    const dataKey = randomBytes(DATA_KEY_BYTES);
    try {
      return {
        v: 2,
        kid: master.id,
        dek: encrypt(master.bytes, dataKey, associatedData(2, 'key', master.id, binding)),
        ct: encrypt(dataKey, Buffer.from(JSON.stringify(plain), 'utf8'), associatedData(2, 'data', '', binding)),
      };
    } finally {
      dataKey.fill(0);
    }
  }

  /**
   * Decrypts what {@link seal} made.
   *
   * @throws PolyadError `vault_binding_mismatch` (the envelope was made for another owner, kind or version, or was
   *   changed), `vault_key_missing` (its master key is not in the keyring), and as {@link seal}. No error repeats any part
   *   of the secret.
   */
  open(envelope: SealedEnvelope, binding: Binding): Record<string, unknown> {
    const dataKey = this.#dataKey(envelope, binding);
    try {
      const plain = decrypt(dataKey, envelope.ct, dataOf(envelope, binding));
      return JSON.parse(plain.toString('utf8')) as Record<string, unknown>;
    } catch (cause) {
      throw mismatch(binding, cause);
    } finally {
      dataKey.fill(0);
    }
  }

  /**
   * The same secret under the active master key: its data key is wrapped anew, the ciphertext stays. It is checked before,
   * so that a damaged secret is not carried on as if it were whole. The first format is brought to the present one.
   *
   * @throws PolyadError as {@link open}.
   */
  rewrap(envelope: SealedEnvelope, binding: Binding): SealedEnvelope {
    const master = this.#keyring.active;
    if (envelope.v === 1) return this.seal(this.open(envelope, binding), binding);
    const dataKey = this.#dataKey(envelope, binding);
    try {
      decrypt(dataKey, envelope.ct, dataOf(envelope, binding)).fill(0);
      return {
        v: 2,
        kid: master.id,
        dek: encrypt(master.bytes, dataKey, associatedData(2, 'key', master.id, binding)),
        ct: envelope.ct,
        ...(envelope.meant === undefined ? {} : { meant: envelope.meant }),
      };
    } catch (cause) {
      throw mismatch(binding, cause);
    } finally {
      dataKey.fill(0);
    }
  }

  #dataKey(envelope: SealedEnvelope, binding: Binding): Buffer {
    if (envelope.v !== 1 && envelope.v !== 2)
      throw mismatch(binding, new Error(`unknown envelope format ${String((envelope as { v: unknown }).v)}`));
    const master = this.#keyring.get(envelope.kid);
    try {
      return decrypt(master.bytes, envelope.dek, associatedData(envelope.v, 'key', master.id, binding));
    } catch (cause) {
      throw mismatch(binding, cause);
    }
  }
}

const dataOf = ({ v, kid }: SealedEnvelope, binding: Binding): Buffer =>
  associatedData(v, 'data', v === 1 ? kid : '', binding);

/** A JSON array cannot be read in two ways, as joined strings can. */
function associatedData(format: 1 | 2, layer: 'key' | 'data', keyId: string, binding: Binding): Buffer {
  const { workspaceId, ownerKind, ownerId, kind, version } = binding;
  return Buffer.from(
    JSON.stringify(['polyad', format, layer, keyId, workspaceId, ownerKind, ownerId, kind, version]),
    'utf8',
  );
}

// Keys are made KeyObjects first: node:crypto then takes a third of the time that it needs with the bytes themselves.

function encrypt(key: Buffer, plain: Buffer, associated: Buffer): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, createSecretKey(key), nonce, { authTagLength: TAG_BYTES }).setAAD(associated);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

function decrypt(key: Buffer, sealed: string, associated: Buffer): Buffer {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new Error('truncated');
  const decipher = createDecipheriv(CIPHER, createSecretKey(key), bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(associated)
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
}

/** What is said of a secret that does not open, or opens as somebody else's. */
export function mismatch(binding: Binding, cause: unknown): PolyadError {
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

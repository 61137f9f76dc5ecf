import { PolyadError } from '../errors/index.ts';
import { learnSecrets } from '../http/redact.ts';
import { deleteSecrets, getSecret, putSecret, type SecretOwner } from '../store/repositories/secrets.ts';
import type { Db, Envelope, ManagedStore, SecretRow } from '../store/schema.ts';
import type { ManagedSecrets } from './secrets/managed.ts';
import type { SecretPlace } from './secrets/settings.ts';
import { type Binding, mismatch, type Vault } from './vault.ts';

/** A decrypted secret and the version that was read. */
export interface StoredSecret {
  plain: Record<string, unknown>;
  version: number;
}

/**
 * Something that an operator must hear of. `tampered`: a stored secret does not open where it lies: it was moved, put back
 * or changed. `kept_here`: the secret manager did not take a new secret, so the database keeps it, encrypted, until the
 * manager does.
 */
export interface SecretAlarm {
  alarm: 'tampered' | 'kept_here';
  owner: SecretOwner;
  kind: string;
  version: number;
  error: PolyadError;
}

export interface SecretStoreOptions {
  /** Where new versions go. Default: the vault. */
  place?: SecretPlace;
  /** The secret manager of a store; rejects where it is not configured. */
  managed?: (store: ManagedStore) => Promise<ManagedSecrets>;
  alarm?: (alarm: SecretAlarm) => void;
}

/** How often a write without an expected version is repeated when others write the same secret at the same time. */
const ATTEMPTS = 5;

/**
 * Secrets of connections and integrations: the one way to them, wherever they lie. A row of the database stands for each
 * version; it holds the ciphertext, or says where in a secret manager the version lies. Each method takes the database or a
 * transaction, so that a token and the row that speaks of it are written together: a version in a manager that no
 * committed row points at is never read.
 */
export class SecretStore {
  readonly #vault: Vault;
  readonly #options: SecretStoreOptions;

  constructor(vault: Vault, options: SecretStoreOptions = {}) {
    this.#vault = vault;
    this.#options = options;
  }

  /** Where new versions go. */
  get place(): SecretPlace {
    return this.#options.place ?? 'vault';
  }

  /**
   * The secret, or undefined when there is none.
   *
   * @throws PolyadError `vault_binding_mismatch`, `vault_key_missing`, and where a service keeps the master key or the
   *   secret: `vault_key_service_…`, `secret_store_…`.
   */
  async get(db: Db, owner: SecretOwner, kind: string): Promise<StoredSecret | undefined> {
    const row = await getSecret(db, owner, kind);
    if (row === undefined) return undefined;
    try {
      return await this.openRow(row, owner);
    } catch (error) {
      if ((error as PolyadError).code !== 'secret_store_missing') throw error;
      // Between row and manager somebody may have moved the secret or destroyed it.
      const again = await getSecret(db, owner, kind);
      if (again === undefined) return undefined;
      if (JSON.stringify(again.envelope) === JSON.stringify(row.envelope)) throw error;
      return this.openRow(again, owner);
    }
  }

  /**
   * Writes a secret and answers its version. It is durable (as far as the engine promises) when the promise resolves.
   * While a secret manager does not answer, the database keeps the secret: a rotated token that was not kept is lost.
   *
   * @param options.version the version that was read before (0 = there was none); nothing is written if another writer
   *   came between. Left out, the last writer wins.
   * @throws PolyadError `record_conflict` when the stored version is not the expected one; `secret_store_denied`,
   *   `vault_key_service_…`.
   */
  async put(
    db: Db,
    owner: SecretOwner,
    kind: string,
    plain: Record<string, unknown>,
    options: { version?: number | undefined; now?: Date | undefined } = {},
  ): Promise<number> {
    learnSecrets(plain);
    const attempts = options.version === undefined ? ATTEMPTS : 1;
    // The vault needs the row for its version only; a manager also continues the name that stands in it.
    const asks = options.version === undefined || this.place !== 'vault';
    for (let attempt = 0; attempt < attempts; attempt++) {
      const present = asks ? await getSecret(db, owner, kind) : undefined;
      const read = options.version ?? present?.version ?? 0;
      if (asks && read !== (present?.version ?? 0)) break;
      const version = read + 1;
      const envelope = await this.seal(plain, bindingOf(owner, kind, version), present?.envelope);
      if (await putSecret(db, owner, kind, version, envelope, options.now)) return version;
    }
    throw new PolyadError('record_conflict', {
      message: 'The secret was changed by someone else meanwhile.',
      details: { owner_kind: owner.kind, owner_id: owner.id, kind, expected_version: options.version },
    });
  }

  /** Deletes one kind of secret of an owner, or all of them, in managers too as soon as that is committed. Answers how many. */
  remove(db: Db, owner: SecretOwner, kind?: string): Promise<number> {
    return deleteSecrets(db, owner, kind);
  }

  /**
   * Decrypts a row. The binding is made from what the caller asked for, never from what the row says of itself; kind and
   * version are those that the caller selected by.
   *
   * @throws PolyadError as {@link get}.
   */
  async openRow(row: SecretRow, owner: SecretOwner): Promise<StoredSecret> {
    const binding = bindingOf(owner, row.kind, row.version);
    try {
      const plain = await this.#open(row.envelope, binding);
      learnSecrets(plain);
      return { plain, version: row.version };
    } catch (thrown) {
      // Places fail with our errors alone: anything else was thrown by a row that is not even well-formed.
      const error = thrown instanceof PolyadError ? thrown : mismatch(binding, thrown);
      if (error.code === 'vault_binding_mismatch')
        this.#options.alarm?.({ alarm: 'tampered', owner, kind: row.kind, version: row.version, error });
      throw error;
    }
  }

  /** Puts a new version where new versions go. */
  async seal(plain: Record<string, unknown>, binding: Binding, previous?: Envelope): Promise<Envelope> {
    const { place } = this;
    if (place === 'vault') return this.#vault.seal(plain, binding);
    try {
      return await (await this.managed(place)).seal(plain, binding, previous);
    } catch (error) {
      if (!(error instanceof PolyadError)) throw error;
      if (error.code !== 'secret_store_unavailable' && error.code !== 'secret_store_throttled') throw error;
      const envelope: Envelope = { ...this.#vault.seal(plain, binding), meant: place };
      const { workspaceId, ownerKind, ownerId, kind, version } = binding;
      this.#options.alarm?.({
        alarm: 'kept_here',
        owner: { workspaceId, kind: ownerKind, id: ownerId },
        kind,
        version,
        error,
      });
      return envelope;
    }
  }

  /** @throws PolyadError `config_invalid` where that manager is not configured, `package_missing`. */
  managed(store: ManagedStore): Promise<ManagedSecrets> {
    if (this.#options.managed === undefined)
      throw new PolyadError('config_invalid', {
        message: `Secrets lie in the store "${store}", which is not configured.`,
      });
    return this.#options.managed(store);
  }

  #open(envelope: Envelope, binding: Binding): Record<string, unknown> | Promise<Record<string, unknown>> {
    return 'store' in envelope
      ? this.managed(envelope.store).then((managed) => managed.open(envelope, binding))
      : this.#vault.open(envelope, binding);
  }
}

/** What a secret is bound to. */
export function bindingOf(owner: SecretOwner, kind: string, version: number): Binding {
  return { workspaceId: owner.workspaceId, ownerKind: owner.kind, ownerId: owner.id, kind, version };
}

/** Whose secret a row says it is: for jobs over all rows, whose outcome is proven by opening it for that owner. */
export function ownerOfRow(row: SecretRow): SecretOwner {
  return { workspaceId: row.workspace_id, kind: row.owner_kind, id: row.owner_id };
}

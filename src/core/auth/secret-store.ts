import { PolyadError } from '../errors/index.ts';
import { deleteSecrets, getSecret, putSecret, type SecretOwner } from '../store/repositories/secrets.ts';
import type { Db, SecretRow } from '../store/schema.ts';
import type { Binding, Vault } from './vault.ts';

/** A decrypted secret and the version that was read. */
export interface StoredSecret {
  plain: Record<string, unknown>;
  version: number;
}

/** How often a write without an expected version is repeated when others write the same secret at the same time. */
const ATTEMPTS = 5;

/**
 * Secrets of connections and integrations: the one way to them. Each method takes the database or a transaction, so that a
 * token and the row that speaks of it are written together.
 */
export class SecretStore {
  readonly #vault: Vault;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /**
   * The secret, or undefined when there is none.
   *
   * @throws PolyadError `vault_binding_mismatch`, `vault_key_missing`
   */
  async get(db: Db, owner: SecretOwner, kind: string): Promise<StoredSecret | undefined> {
    const row = await getSecret(db, owner, kind);
    return row === undefined ? undefined : this.#open(row, owner);
  }

  /**
   * Writes a secret and answers its version. It is durable (as far as the engine promises) when the promise resolves.
   *
   * @param options.version the version that was read before (0 = there was none); nothing is written if another writer
   *   came between. Left out, the last writer wins.
   * @throws PolyadError `record_conflict` when the stored version is not the expected one.
   */
  async put(
    db: Db,
    owner: SecretOwner,
    kind: string,
    plain: Record<string, unknown>,
    options: { version?: number | undefined; now?: Date | undefined } = {},
  ): Promise<number> {
    const attempts = options.version === undefined ? ATTEMPTS : 1;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const read = options.version ?? (await getSecret(db, owner, kind))?.version ?? 0;
      const version = read + 1;
      const envelope = this.#vault.seal(plain, bindingOf(owner, kind, version));
      if (await putSecret(db, owner, kind, version, envelope, options.now)) return version;
    }
    throw new PolyadError('record_conflict', {
      message: 'The secret was changed by someone else meanwhile.',
      details: { owner_kind: owner.kind, owner_id: owner.id, kind, expected_version: options.version },
    });
  }

  /** Deletes one kind of secret of an owner, or all of them. Answers how many. */
  remove(db: Db, owner: SecretOwner, kind?: string): Promise<number> {
    return deleteSecrets(db, owner, kind);
  }

  /** Decrypts a row. The binding is made from what the caller asked for, never from what the row says of itself. */
  #open(row: SecretRow, owner: SecretOwner): StoredSecret {
    const plain = this.#vault.open(row.envelope, bindingOf(owner, row.kind, row.version));
    return { plain, version: row.version };
  }
}

function bindingOf(owner: SecretOwner, kind: string, version: number): Binding {
  return { workspaceId: owner.workspaceId, ownerKind: owner.kind, ownerId: owner.id, kind, version };
}

/** Tables of secrets: the vault, its keys and jobs, and what secret managers keep. `schema.ts` is where they are imported from. */
import type { ColumnType, Generated } from 'kysely';
import type { Json, NullableTimestamp, Timestamp } from './schema-columns.ts';

export type SecretOwnerKind = 'integration' | 'connection' | 'destination';

/** An encrypted secret. Only `auth/vault.ts` reads inside; everything in it is safe to keep in a back-up. */
export interface SealedEnvelope {
  /** Format version. 1 bound the secret itself to its master key; 2 does not, so that re-wrapping its data key suffices. */
  v: 1 | 2;
  /** Id of the master key that wraps the data key. */
  kid: string;
  /** The wrapped data key: nonce, ciphertext and tag, base64url. */
  dek: string;
  /** The encrypted secret: nonce, ciphertext and tag, base64url. */
  ct: string;
  /** The store that did not take it; it is moved there when it does. */
  meant?: ManagedStore;
}

/** Stores beside the database that can hold secrets. */
export const MANAGED_STORES = ['aws', 'azure', 'gcp'] as const;

export type ManagedStore = (typeof MANAGED_STORES)[number];

/** Where a secret lies that a secret manager keeps. Only `auth/secrets/managed.ts` reads inside. */
export interface ManagedEnvelope {
  v: 1;
  store: ManagedStore;
  /** Name of the secret there. */
  name: string;
  /** The version of it that this row stands for; versions never change. */
  ref: string;
  /** SHA-256 of what was written there, base64url. It is salted, so it says nothing of the secret. */
  sum: string;
}

/** What a row of `secrets` holds. */
export type Envelope = SealedEnvelope | ManagedEnvelope;

export interface SecretTable {
  id: string;
  workspace_id: string;
  owner_kind: SecretOwnerKind;
  owner_id: string;
  /** What the secret is, for example `app` or `tokens`. One of each kind per owner. */
  kind: string;
  /** Counts every write of this secret; part of what the ciphertext is bound to. */
  version: number;
  key_id: string;
  envelope: Json<Envelope>;
  created_at: Timestamp;
}

/** A master key as a key management service wrapped it. */
export interface WrappedKey {
  /** Address of the service's key, as in POLYAD_MASTER_KEY. */
  by: string;
  /** What the service answered, base64. */
  text: string;
  /** Version of the service's key, where unwrapping must name it (Azure). */
  version?: string;
}

/** Ids of the master keys that nodes have started with. Never the keys, unless wrapped by a key management service. */
export interface MasterKeyTable {
  id: string;
  /** Since when a node encrypts with it; null = no node ever did. */
  first_used_at: NullableTimestamp;
  /** Only for keys of a key management service. */
  wrapped: ColumnType<WrappedKey | null, string | null | undefined, string | null>;
  /** Since when nothing needs it. */
  retired_at: NullableTimestamp;
}

/** A running server and the keys it has. */
export interface VaultNodeTable {
  id: string;
  /** Id of the key that it encrypts with. */
  active_key: string;
  key_ids: string[];
  seen_at: Timestamp;
}

export type VaultJobName = 'rotate' | 'reencrypt' | 'migrate';

/** `stopping`: asked to stop, and still at it. `failed`: through, but some secrets could not be done. */
export type VaultJobState = 'running' | 'stopping' | 'stopped' | 'done' | 'failed';

/** A job over all secrets. */
export interface VaultJobTable {
  name: VaultJobName;
  /** `rotate`, `reencrypt`: id of the master key; `migrate`: the store. */
  target: string;
  state: VaultJobState;
  /** Id of the last secret that was dealt with; empty = none yet. */
  cursor: string;
  done: number;
  failed: number;
  /** Last failure, in words. */
  error: string | null;
  /** Who works on it, until `lease_until`. */
  holder: string | null;
  lease_until: NullableTimestamp;
  started_at: Timestamp;
  updated_at: Timestamp;
  finished_at: NullableTimestamp;
}

/** Something to destroy in a secret manager. */
export interface TombstoneTable {
  id: Generated<string>;
  store: ManagedStore;
  name: string;
  /** Null: the whole secret. */
  ref: string | null;
  due_at: Timestamp;
}

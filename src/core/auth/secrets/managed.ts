/** Secrets in a secret manager: naming, proof of ownership, a short read cache, and what happens in an outage. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import { PolyadError } from '../../errors/index.ts';
import type { Envelope, ManagedEnvelope, ManagedStore } from '../../store/schema.ts';
import { type Binding, mismatch } from '../vault.ts';
import { readFailure, secretFailure } from './failures.ts';
import type { SecretManager } from './manager.ts';
import type { SecretSettings } from './settings.ts';

/** After a failed call, reads that have something in memory do not wait for the manager again for this long, in ms. */
const BREAK_MS = 5_000;
/** Most secrets held in memory. */
const MAX_HELD = 10_000;

/** What is written to the manager. */
interface Payload {
  polyad: 1;
  /** Whose it is: workspace, owner kind, owner, kind of secret, version. */
  for: readonly [string, string, string, string, number];
  /** So that the checksum in the database says nothing of the secret. */
  salt: string;
  data: Record<string, unknown>;
}

interface Held {
  text: string;
  readAt: number;
}

/** One secret manager. The rows of the database say which version of which secret is meant; the values lie there. */
export class ManagedSecrets {
  readonly #manager: SecretManager;
  readonly #settings: SecretSettings;
  readonly #clock: Clock;
  readonly #held = new LRUCache<string, Held>({ max: MAX_HELD });
  readonly #reading = new Map<string, Promise<string>>();
  #brokenUntil = 0;

  constructor(manager: SecretManager, settings: SecretSettings, clock: Clock) {
    this.#manager = manager;
    this.#settings = settings;
    this.#clock = clock;
  }

  get store(): ManagedStore {
    return this.#manager.store;
  }

  get manager(): SecretManager {
    return this.#manager;
  }

  /** First part of all names. */
  get prefix(): string {
    return `${this.#settings.prefix}${this.#manager.separator}`;
  }

  /** A name that was never used: a name that was deleted is not to be had again for days at some managers. */
  newName({ workspaceId, ownerKind, ownerId, kind }: Pick<Binding, 'workspaceId' | 'ownerKind' | 'ownerId' | 'kind'>) {
    const parts = [this.#settings.prefix, workspaceId, ownerKind, ownerId, kind, randomBytes(6).toString('hex')];
    const name = parts.map((part) => part.replace(/[^A-Za-z0-9-]/g, '-')).join(this.#manager.separator);
    // Azure takes 127 characters. The name is for people; the payload says whose it is.
    return name.length <= 127 ? name : `${name.slice(0, 114)}-${parts.at(-1)}`;
  }

  /**
   * Writes a version and answers the reference to it. Durable when the promise resolves; nothing points at it before the
   * reference is stored, so a transaction that is undone leaves the present version in force.
   *
   * @param previous what the row holds now: a reference to this manager is continued by a new version.
   * @throws PolyadError `secret_store_unavailable`, `secret_store_throttled`, `secret_store_denied`.
   */
  async seal(
    plain: Record<string, unknown>,
    binding: Binding,
    previous?: Envelope,
    name?: string,
  ): Promise<ManagedEnvelope> {
    const text = JSON.stringify({
      polyad: 1,
      for: ownerOf(binding),
      salt: randomBytes(16).toString('base64url'),
      data: plain,
    } satisfies Payload);
    const known =
      previous !== undefined && 'store' in previous && previous.store === this.store ? previous.name : undefined;
    const envelope = (used: string, ref: string): ManagedEnvelope => {
      this.#held.set(`${used} ${ref}`, { text, readAt: this.#clock.now().getTime() });
      return { v: 1, store: this.store, name: used, ref, sum: checksum(text) };
    };
    try {
      if (known !== undefined) {
        const label = `${binding.version}-${randomBytes(4).toString('hex')}`;
        try {
          return envelope(known, await this.#manager.add(known, text, label));
        } catch (thrown) {
          // Deleted by hand, or full: AWS keeps a hundred versions and drops none that is younger than a day. The new
          // version is worth more than the old name.
          const { kind } = readFailure(thrown);
          if (kind !== 'missing' && kind !== 'full') throw thrown;
        }
      }
      const fresh = name ?? this.newName(binding);
      return envelope(fresh, await this.#manager.create(fresh, text));
    } catch (thrown) {
      throw this.#failed(thrown, 'writing a secret');
    }
  }

  /**
   * The secret that a reference means, from memory while it is young, and from memory for longer while the manager does
   * not answer or is overrun.
   *
   * @throws PolyadError `vault_binding_mismatch` (it is another owner's, or was changed), `secret_store_missing`,
   *   `secret_store_denied`, `secret_store_unavailable`, `secret_store_throttled`.
   */
  async open(envelope: ManagedEnvelope, binding: Binding): Promise<Record<string, unknown>> {
    const key = `${envelope.name} ${envelope.ref}`;
    const now = this.#clock.now().getTime();
    const held = this.#held.get(key);
    if (held !== undefined && now - held.readAt < this.#settings.cacheMs) return read(held.text, envelope, binding);
    const bridge = held !== undefined && now - held.readAt < this.#settings.outageMs ? held : undefined;
    if (held !== undefined && bridge === undefined) this.#held.delete(key);
    if (bridge !== undefined && now < this.#brokenUntil) return read(bridge.text, envelope, binding);
    let text: string;
    try {
      text = await this.#fetch(key, envelope);
    } catch (error) {
      const { code } = error as PolyadError;
      if (bridge !== undefined && (code === 'secret_store_unavailable' || code === 'secret_store_throttled'))
        return read(bridge.text, envelope, binding);
      // Whoever takes the right to read away, or the secret itself, means it.
      this.#held.delete(key);
      throw error;
    }
    const plain = read(text, envelope, binding);
    this.#held.set(key, { text, readAt: this.#clock.now().getTime() });
    return plain;
  }

  /** As {@link open}, but asked of the manager in any case: for whoever must be sure that it is there. */
  async verify(envelope: ManagedEnvelope, binding: Binding): Promise<Record<string, unknown>> {
    return read(
      await this.#fetch(`${envelope.name} ${envelope.ref} ${randomBytes(4).toString('hex')}`, envelope),
      envelope,
      binding,
    );
  }

  /**
   * Asks for a secret that does not exist: shows that the manager answers and lets this server read.
   *
   * @throws PolyadError as {@link open}.
   */
  async check(): Promise<void> {
    const name = this.newName({ workspaceId: 'none', ownerKind: 'connection', ownerId: 'none', kind: 'check' });
    try {
      await this.#manager.read(name, this.store === 'gcp' ? '1' : '0'.repeat(32));
    } catch (thrown) {
      const error = secretFailure(thrown, this.#manager.service, 'check at start');
      if (error.code !== 'secret_store_missing') throw error;
    }
  }

  async close(): Promise<void> {
    this.#held.clear();
    await this.#manager.close();
  }

  /** One request for everybody who wants the same version. */
  #fetch(key: string, { name, ref }: ManagedEnvelope): Promise<string> {
    let running = this.#reading.get(key);
    if (running === undefined) {
      running = this.#manager
        .read(name, ref)
        .catch((thrown: unknown) => {
          throw this.#failed(thrown, 'reading a secret');
        })
        .finally(() => this.#reading.delete(key));
      this.#reading.set(key, running);
    }
    return running;
  }

  #failed(thrown: unknown, during: string): PolyadError {
    if (thrown instanceof PolyadError) return thrown;
    const error = secretFailure(thrown, this.#manager.service, during);
    if (error.retry === 'after') this.#brokenUntil = this.#clock.now().getTime() + BREAK_MS;
    return error;
  }
}

const ownerOf = ({ workspaceId, ownerKind, ownerId, kind, version }: Binding): Payload['for'] => [
  workspaceId,
  ownerKind,
  ownerId,
  kind,
  version,
];

const checksum = (text: string): string => createHash('sha256').update(text, 'utf8').digest('base64url');

/** Takes a payload apart and insists that it is what the row says and belongs to whom the caller means. */
function read(text: string, envelope: ManagedEnvelope, binding: Binding): Record<string, unknown> {
  const [is, shall] = [Buffer.from(checksum(text)), Buffer.from(envelope.sum)];
  if (is.length !== shall.length || !timingSafeEqual(is, shall))
    throw mismatch(binding, new Error('it was changed in the secret manager'));
  const payload = JSON.parse(text) as Payload;
  if (JSON.stringify(payload.for) !== JSON.stringify(ownerOf(binding)))
    throw mismatch(binding, new Error('it belongs to another record'));
  return payload.data;
}

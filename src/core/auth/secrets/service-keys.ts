import type { Clock } from '../../clock.ts';
import { PolyadError } from '../../errors/index.ts';
import type { StoreLog } from '../../store/port.ts';
import { getWrappedKey, putWrappedKey } from '../../store/repositories/index.ts';
import type { Db, WrappedKey } from '../../store/schema.ts';
import type { MasterKey } from '../keyring.ts';
import { KEY_BYTES, newMasterKey, type ServiceKey } from '../keyring-sources.ts';
import { keyFailure } from './failures.ts';
import { type KeyService, openKeyService } from './key-services.ts';
import type { SecretSettings } from './settings.ts';

/** A key is asked for again this often, in ms, so that switching it off at the service takes effect. */
export const RENEW_MS = 5 * 60_000;
/** How often while the service has not confirmed it. */
const RETRY_MS = 30_000;
/** Tries at start, and the pauses between them in ms. */
const START_PAUSES = [500, 2_000, 5_000];

interface Entry {
  id: string;
  service: KeyService;
  wrapped: WrappedKey;
  bytes: Buffer;
  /** When the service last gave the key out, and when it was last asked; ms. */
  confirmedAt: number;
  askedAt: number;
  /** The service's refusal, in force until it gives the key out again. */
  denied: PolyadError | undefined;
}

/**
 * Master keys that a key management service keeps wrapped. Each is unwrapped at start, held in memory, and confirmed every
 * few minutes: an outage of the service does not stop reads until `keyOutageMs` have passed, a refusal stops them at once.
 */
export class ServiceKeys {
  readonly #settings: SecretSettings;
  readonly #clock: Clock;
  readonly #log: StoreLog;
  readonly #open: typeof openKeyService;
  readonly #entries = new Map<string, Entry>();

  constructor(
    settings: SecretSettings,
    { clock, log, open = openKeyService }: { clock: Clock; log: StoreLog; open?: typeof openKeyService },
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    this.#open = open;
  }

  /** Whether any key comes from a service. */
  get any(): boolean {
    return this.#entries.size > 0;
  }

  /**
   * Unwraps the key of this id; the first time a new random key is made, wrapped, proven to unwrap, and stored. Call it
   * with the master keys locked.
   *
   * @throws PolyadError `vault_key_service_unavailable` (after a few tries), `vault_key_service_denied`,
   *   `package_missing`, `config_invalid`.
   */
  async open(db: Db, { id, address }: ServiceKey): Promise<MasterKey> {
    const service = await this.#open(address, this.#settings);
    let wrapped = await getWrappedKey(db, id);
    if (wrapped === undefined) {
      const { bytes } = newMasterKey();
      wrapped = await this.#patiently(() => service.wrap(bytes, id), service, id);
      const back = await this.#patiently(() => service.unwrap(wrapped as WrappedKey, id), service, id);
      if (!back.equals(bytes)) throw keyFailure(new Error('it did not give back what it wrapped'), service.name, id);
      await putWrappedKey(db, id, wrapped);
      this.#log.info({ key_id: id, service: service.name }, 'a new master key was made and wrapped');
    }
    const kept = wrapped;
    const bytes = await this.#patiently(() => service.unwrap(kept, id), service, id);
    if (bytes.length !== KEY_BYTES) throw keyFailure(new Error('it is no master key'), service.name, id);
    const now = this.#clock.now().getTime();
    const entry: Entry = { id, service, wrapped: kept, bytes, confirmedAt: now, askedAt: now, denied: undefined };
    this.#entries.set(id, entry);
    return { id, bytes, unusable: () => this.#unusable(entry) };
  }

  /** Asks for every key that is due. Never fails: what went wrong is logged and shows when the key is used. */
  async renew(): Promise<void> {
    for (const entry of this.#entries.values()) {
      const now = this.#clock.now().getTime();
      const calm = entry.denied === undefined && entry.confirmedAt === entry.askedAt;
      if (now - entry.askedAt < (calm ? RENEW_MS : RETRY_MS)) continue;
      entry.askedAt = now;
      try {
        const bytes = await entry.service.unwrap(entry.wrapped, entry.id);
        // Back into the same buffer: the keyring hands that one out.
        bytes.copy(entry.bytes);
        bytes.fill(0);
        entry.confirmedAt = now;
        if (entry.denied !== undefined) this.#log.info({ key_id: entry.id }, 'the master key is usable again');
        entry.denied = undefined;
      } catch (thrown) {
        const error = keyFailure(thrown, entry.service.name, entry.id);
        if (error.code === 'vault_key_service_denied') {
          entry.denied = error;
          entry.bytes.fill(0);
        }
        this.#log.error(
          {
            key_id: entry.id,
            code: error.code,
            confirmed_at: new Date(entry.confirmedAt).toISOString(),
            alarm: 'vault',
          },
          error.message,
        );
      }
    }
  }

  #unusable(entry: Entry): PolyadError | undefined {
    if (entry.denied !== undefined) return entry.denied;
    if (this.#clock.now().getTime() - entry.confirmedAt <= this.#settings.keyOutageMs) return undefined;
    // Gone from memory too; `renew` brings it back.
    entry.bytes.fill(0);
    entry.askedAt = Math.min(entry.askedAt, entry.confirmedAt + 1);
    return new PolyadError('vault_key_service_unavailable', {
      message: `${entry.service.name} has not given out the master key "${entry.id}" since ${new Date(entry.confirmedAt).toISOString()}.`,
      details: { service: entry.service.name, key_id: entry.id },
      retryAfterMs: RETRY_MS,
    });
  }

  async #patiently<T>(call: () => Promise<T>, service: KeyService, id: string): Promise<T> {
    for (const pause of [...START_PAUSES, undefined]) {
      try {
        return await call();
      } catch (thrown) {
        const error = keyFailure(thrown, service.name, id);
        if (pause === undefined || error.code !== 'vault_key_service_unavailable') throw error;
        this.#log.warn({ key_id: id, wait_ms: pause }, error.message);
        await this.#clock.sleep(pause);
      }
    }
    throw new Error('unreachable');
  }
}

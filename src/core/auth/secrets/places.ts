import type { Clock } from '../../clock.ts';
import type { StoreLog } from '../../store/port.ts';
import type { ManagedStore } from '../../store/schema.ts';
import { ManagedSecrets } from './managed.ts';
import { openManager, type SecretManager } from './manager.ts';
import type { SecretSettings } from './settings.ts';

/** The secret managers of this process, each opened when the first secret needs it. */
export class SecretPlaces {
  readonly #settings: SecretSettings;
  readonly #parts: { clock: Clock; log: StoreLog; open?: typeof openManager };
  readonly #opened = new Map<ManagedStore, Promise<ManagedSecrets>>();

  constructor(settings: SecretSettings, parts: { clock: Clock; log: StoreLog; open?: typeof openManager }) {
    this.#settings = settings;
    this.#parts = parts;
  }

  /** @throws PolyadError `config_invalid`, `package_missing`. */
  get(store: ManagedStore): Promise<ManagedSecrets> {
    let opening = this.#opened.get(store);
    if (opening === undefined) {
      const open = this.#parts.open ?? openManager;
      opening = open(store, this.#settings).then(
        (manager: SecretManager) => new ManagedSecrets(manager, this.#settings, this.#parts.clock),
      );
      this.#opened.set(store, opening);
      // A package that is installed, or a variable that is set, later is found without a restart.
      opening.catch(() => this.#opened.delete(store));
    }
    return opening;
  }

  /**
   * At start: the client is installed and the manager lets this server in. A manager that does not answer is only logged:
   * a server that starts during an outage serves what does not need it, and the rest as soon as it is over.
   *
   * @throws PolyadError `config_invalid`, `package_missing`, `secret_store_denied`.
   */
  async check(): Promise<void> {
    const { place } = this.#settings;
    if (place === 'vault') return;
    const managed = await this.get(place);
    try {
      await managed.check();
    } catch (error) {
      if ((error as { code?: string }).code === 'secret_store_denied') throw error;
      this.#parts.log.error({ store: place, alarm: 'vault' }, `${(error as Error).message}; starting all the same`);
    }
  }

  async close(): Promise<void> {
    for (const opening of this.#opened.values())
      await opening.then((managed) => managed.close()).catch(() => undefined);
    this.#opened.clear();
  }
}

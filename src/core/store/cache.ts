import type { Invalidation, Store } from './port.ts';
import { findApiKeyByHash } from './repositories/api-keys.ts';
import { getConnection } from './repositories/connections.ts';
import { getIntegration } from './repositories/integrations.ts';
import type { ApiKeyRow, ConnectionRow, IntegrationRow, WorkspaceRow } from './schema.ts';

/** Most entries per kind; the one that was not used for longest goes first. */
const CAPACITY = 10_000;

export interface CachedApiKey {
  key: ApiKeyRow;
  workspace: WorkspaceRow;
}

/**
 * Rows that every call needs, kept in the process: reading them from the database would cost more than all the rest of a
 * call. Never older than the last committed change that this process has heard of, and its own writes are heard before
 * they resolve. Rows are shared, so nobody may change one. What does not exist is not remembered.
 */
export interface StoreCache {
  /** Key and workspace by the key's hash. Revoked and expired keys are answered too: the caller judges them. */
  apiKey(hash: string): Promise<CachedApiKey | undefined>;
  /** The same without reading: only when it is in memory. */
  knownApiKey(hash: string): CachedApiKey | undefined;
  connection(workspaceId: string, connectionId: string): Promise<ConnectionRow | undefined>;
  /** The same without reading: only when it is in memory. */
  knownConnection(workspaceId: string, connectionId: string): ConnectionRow | undefined;
  integration(workspaceId: string, type: string, environment: string): Promise<IntegrationRow | undefined>;
  /** Stops listening and forgets everything. */
  close(): void;
}

/** Makes a cache over a store; one per process is enough. */
export function createStoreCache(store: Store, capacity: number = CAPACITY): StoreCache {
  const keys = new Shelf<CachedApiKey>(capacity);
  const connections = new Shelf<ConnectionRow>(capacity);
  const integrations = new Shelf<IntegrationRow>(capacity);
  const shelves = [keys, connections, integrations];

  const stop = store.listenInvalidations((invalidation: Invalidation) => {
    if (invalidation.event !== 'changed') {
      for (const shelf of shelves) shelf.setOpen(invalidation.event === 'restored');
      return;
    }
    const { kind, id } = invalidation;
    if (kind === 'api_key') keys.forget((entry) => entry.key.id === id);
    else if (kind === 'workspace') keys.forget((entry) => entry.workspace.id === id);
    else if (kind === 'connection') connections.forget((entry) => entry.id === id);
    else if (kind === 'integration') integrations.forget((entry) => entry.id === id);
  });

  return {
    apiKey: (hash) => keys.take(hash, () => findApiKeyByHash(store.db, hash)),
    knownApiKey: (hash) => keys.peek(hash),
    async connection(workspaceId, id) {
      const read = () => getConnection(store.db, workspaceId, id);
      const found = await connections.take(id, read, `${workspaceId}/${id}`);
      // It may have been read for its own workspace.
      return found?.workspace_id === workspaceId ? found : undefined;
    },
    knownConnection(workspaceId, id) {
      const known = connections.peek(id);
      return known?.workspace_id === workspaceId ? known : undefined;
    },
    integration: (workspaceId, type, environment) =>
      integrations.take(`${workspaceId}/${type}/${environment}`, () =>
        getIntegration(store.db, workspaceId, type, environment),
      ),
    close() {
      stop();
      for (const shelf of shelves) shelf.setOpen(false);
    },
  };
}

/** Entries of one kind. Callers that miss the same entry at the same time share one read. */
class Shelf<T> {
  readonly #capacity: number;
  readonly #entries = new Map<string, { value: T; used: boolean }>();
  readonly #loading = new Map<string, Promise<T | undefined>>();
  #open = true;
  /** Counts forgettings: a row whose read began before one of them may be the old row, so it is not kept. */
  #generation = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The entry, if it is kept. */
  peek(name: string): T | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    entry.used = true;
    return entry.value;
  }

  /** The entry, kept or read. `reader`: what two callers must agree on to share a read. */
  async take(name: string, load: () => Promise<T | undefined>, reader = name): Promise<T | undefined> {
    const known = this.peek(name);
    if (known !== undefined) return known;
    const running = this.#loading.get(reader);
    if (running !== undefined) return running;
    const generation = this.#generation;
    const reading = load()
      .then((value) => {
        if (value !== undefined && this.#open && generation === this.#generation) this.#keep(name, value);
        return value;
      })
      .finally(() => {
        if (this.#loading.get(reader) === reading) this.#loading.delete(reader);
      });
    this.#loading.set(reader, reading);
    return reading;
  }

  forget(matches: (entry: T) => boolean): void {
    this.#generation++;
    // Whoever asks from now on must not be given a read that began before the change.
    this.#loading.clear();
    for (const [name, { value }] of this.#entries) if (matches(value)) this.#entries.delete(name);
  }

  /** Forgets everything; while not open, every take reads. */
  setOpen(open: boolean): void {
    this.#open = open;
    this.forget(() => true);
  }

  #keep(name: string, value: T): void {
    // What was used since its turn to go last came gets another one: moving it at every use would cost every call.
    while (this.#entries.size >= this.#capacity) {
      const [oldest, entry] = this.#entries.entries().next().value as [string, { value: T; used: boolean }];
      this.#entries.delete(oldest);
      if (!entry.used) break;
      entry.used = false;
      this.#entries.set(oldest, entry);
    }
    this.#entries.set(name, { value, used: false });
  }
}

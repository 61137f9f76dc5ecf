/** What operators do with the vault, and what a running server does for it by itself. */
import type { Clock } from '../../clock.ts';
import { PolyadError } from '../../errors/index.ts';
import type { Store, StoreLog } from '../../store/port.ts';
import {
  claimTombstones,
  clearTombstones,
  countSecretsByKey,
  countTombstones,
  countWaitingSecrets,
  dropVaultNode,
  listMasterKeys,
  listVaultJobs,
  liveVaultNodes,
  managedNamesInUse,
  managedRefInUse,
  stopVaultJobs,
  waitingSecrets,
} from '../../store/repositories/index.ts';
import { MANAGED_STORES, type ManagedStore, type VaultJobName, type VaultJobRow } from '../../store/schema.ts';
import { keepKeyring, keyFileOf, NODE_LIFE_MS } from '../keyring.ts';
import { newMasterKey, readKeyFile, writeKeyFile } from '../keyring-sources.ts';
import type { SecretStore } from '../secret-store.ts';
import type { Vault } from '../vault.ts';
import { type JobParts, type JobRequest, moveWaiting, retireUnneeded, runVaultJob } from './jobs.ts';
import type { ServiceKeys } from './service-keys.ts';
import type { SecretPlace } from './settings.ts';

/** How often a server says that it lives and looks after its keys, and how often it tidies managers; ms. */
const BEAT_MS = 15_000;
const TIDY_MS = 60_000;
/** What another tidier may do with a note that this one took, after ms. */
const CLAIM_MS = 10 * 60_000;
/** Old versions live this long, and secrets that no row ever pointed at; ms. */
const DAY_MS = 24 * 3_600_000;
const TIDY_BATCH = 200;

/** States of a master key, in the order in which they are shown. */
export const KEY_STATES = ['active', 'waiting', 'missing', 'decrypts', 'retired'] as const;

/** State of a master key. `waiting`: it shall encrypt, and some nodes do not have it yet. `missing`: secrets need it. */
export type KeyState = (typeof KEY_STATES)[number];

/** What `polyad vault status` shows. */
export interface VaultStatus {
  /** Where new secrets go. */
  place: SecretPlace;
  keys: {
    id: string;
    state: KeyState;
    /** Secrets that need it. */
    secrets: number;
    first_used_at?: string;
    retired_at?: string;
    /** Address of the key management service's key that wraps it. */
    wrapped_by?: string;
    /** Nodes that do not have it. */
    missing_on?: string[];
  }[];
  /** Secrets by secret manager. */
  managed: Partial<Record<ManagedStore, number>>;
  /** Secrets that the database keeps for a manager that did not take them. */
  waiting: number;
  /** Things to be destroyed in managers. */
  to_destroy: number;
  nodes: { id: string; active_key: string }[];
  jobs: {
    name: VaultJobName;
    target: string;
    state: string;
    done: number;
    failed: number;
    error?: string;
    started_at: string;
    finished_at?: string;
  }[];
}

export interface VaultAdminParts {
  store: Store;
  vault: Vault;
  secrets: SecretStore;
  serviceKeys: ServiceKeys;
  clock: Clock;
  log: StoreLog;
  /** Folder of `master.key`. */
  dataDir: string;
  /** Whether the master key is configured (POLYAD_MASTER_KEY) rather than in the file. */
  configured: boolean;
  /** Name of this server among several; undefined for programs beside a server. */
  node?: string | undefined;
}

export class VaultAdmin {
  readonly #parts: VaultAdminParts;
  readonly #stop = new AbortController();
  readonly #running = new Map<VaultJobName, Promise<unknown>>();
  readonly #timers: NodeJS.Timeout[] = [];
  #beating: Promise<void> | undefined;
  #tidying: Promise<void> | undefined;

  constructor(parts: VaultAdminParts) {
    this.#parts = parts;
  }

  async status(): Promise<VaultStatus> {
    const { store, vault, secrets, clock } = this.#parts;
    const { db } = store;
    const { keyring } = vault;
    const since = new Date(clock.now().getTime() - NODE_LIFE_MS);
    // One after the other: the embedded database has one connection anyway.
    const counts = await countSecretsByKey(db);
    const known = await listMasterKeys(db);
    const nodes = await liveVaultNodes(db, since);
    const jobs = await listVaultJobs(db);
    const ids = new Set([
      ...keyring.ids,
      ...known.map(({ id }) => id),
      ...[...counts.keys()].filter((id) => !id.includes(':')),
    ]);
    const managed: Partial<Record<ManagedStore, number>> = {};
    for (const one of MANAGED_STORES)
      if (counts.has(`store:${one}`)) managed[one] = counts.get(`store:${one}`) as number;
    return {
      place: secrets.place,
      keys: [...ids]
        .map((id) => {
          const row = known.find((one) => one.id === id);
          const used = counts.get(id) ?? 0;
          const lacking = nodes.filter(({ key_ids }) => !key_ids.includes(id)).map((node) => node.id);
          const needed = id === keyring.activeId || id === keyring.preferredId || used > 0;
          return {
            id,
            state: keyState(id, keyring, used, row?.retired_at != null),
            secrets: used,
            ...(row?.first_used_at == null ? {} : { first_used_at: row.first_used_at.toISOString() }),
            ...(row?.retired_at == null ? {} : { retired_at: row.retired_at.toISOString() }),
            ...(row?.wrapped_by == null ? {} : { wrapped_by: row.wrapped_by }),
            ...(lacking.length === 0 || !needed ? {} : { missing_on: lacking }),
          };
        })
        .sort((left, right) => KEY_STATES.indexOf(left.state) - KEY_STATES.indexOf(right.state)),
      managed,
      waiting: await countWaitingSecrets(db),
      to_destroy: await countTombstones(db),
      nodes: nodes.map(({ id, active_key }) => ({ id, active_key })),
      jobs: jobs.map((job) => ({
        name: job.name,
        target: job.target,
        state: job.state,
        done: job.done,
        failed: job.failed,
        ...(job.error === null ? {} : { error: job.error }),
        started_at: job.started_at.toISOString(),
        ...(job.finished_at === null ? {} : { finished_at: job.finished_at.toISOString() }),
      })),
    };
  }

  /**
   * Runs a job to its end, here.
   *
   * @throws PolyadError as `runVaultJob`.
   */
  async run(request: JobRequest): Promise<VaultJobRow> {
    this.#checkTarget(request);
    const signal =
      request.signal === undefined ? this.#stop.signal : AbortSignal.any([request.signal, this.#stop.signal]);
    if (this.#running.has(request.name)) throw new PolyadError('vault_job_running', { details: { job: request.name } });
    const running = runVaultJob(this.#jobParts, { ...request, signal }).finally(() =>
      this.#running.delete(request.name),
    );
    this.#running.set(request.name, running);
    return running;
  }

  /**
   * Starts a job and lets it run beside everything else; `status` shows how it goes, `stop` ends it. Resolves when it has
   * begun, or was so short that it is done.
   *
   * @throws PolyadError as `runVaultJob`, as far as it shows at the beginning.
   */
  async start(request: JobRequest): Promise<void> {
    let begun = (): void => {};
    const beginning = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const running = this.run({ ...request, begun });
    await Promise.race([beginning, running]);
    running.catch((error: unknown) =>
      this.#parts.log.error(
        { job: request.name, err: error, alarm: 'vault' },
        'a vault job stopped; start it again to go on',
      ),
    );
  }

  /** Asks jobs to stop, wherever they run. Answers those that were at it. */
  stop(names: readonly VaultJobName[]): Promise<VaultJobName[]> {
    return stopVaultJobs(this.#parts.store.db, names, this.#parts.clock.now());
  }

  /**
   * Puts a new random key in front of the key file. It encrypts as soon as every node has read the file.
   *
   * @throws PolyadError `config_invalid` when the keys are configured: then that is where the new one belongs.
   */
  async newKey(): Promise<string> {
    const { configured, dataDir, vault, store, node, clock } = this.#parts;
    const file = keyFileOf(dataDir);
    const present = configured ? undefined : readKeyFile(file);
    if (present === undefined)
      throw new PolyadError('config_invalid', {
        message: 'The master keys come from POLYAD_MASTER_KEY: put the new key in front of the others there.',
        details: { issues: [{ variable: 'POLYAD_MASTER_KEY', problem: 'keys are configured' }] },
      });
    const key = newMasterKey();
    writeKeyFile(file, [key, ...present]);
    await keepKeyring(vault.keyring, { store, node, now: clock.now() });
    return key.id;
  }

  /** Retires keys that nothing needs. Answers their ids. */
  retire(): Promise<string[]> {
    return retireUnneeded(this.#parts);
  }

  /** Looks after keys and managers from now on. */
  keep(): void {
    const every = (ms: number, work: () => Promise<void>): void => {
      const timer = setInterval(() => void work(), ms);
      timer.unref();
      this.#timers.push(timer);
    };
    every(BEAT_MS, () => this.beat());
    every(TIDY_MS, () => this.tidy());
  }

  /** One heartbeat: says that this node lives, begins to use a new key when all have it, confirms keys of services. */
  beat(): Promise<void> {
    const { vault, store, node, clock, serviceKeys, log } = this.#parts;
    this.#beating ??= (async () => {
      try {
        if (await keepKeyring(vault.keyring, { store, node, now: clock.now() }))
          log.info({ key_id: vault.keyring.activeId }, 'secrets are now encrypted with another master key');
      } catch (error) {
        log.warn({ err: error }, 'the master keys could not be looked after; the next round tries again');
      }
      await serviceKeys.renew();
    })().finally(() => {
      this.#beating = undefined;
    });
    return this.#beating;
  }

  /** One round in the managers: what waits for them is moved there, what is to be destroyed is. Never fails. */
  tidy(): Promise<void> {
    this.#tidying ??= this.#tidy()
      .catch((error: unknown) => {
        const { log } = this.#parts;
        log.warn({ err: error }, 'secret managers could not be tidied; the next round tries again');
      })
      .finally(() => {
        this.#tidying = undefined;
      });
    return this.#tidying;
  }

  async #tidy(): Promise<void> {
    const { store, secrets, clock, log } = this.#parts;
    const { place } = secrets;
    if (place !== 'vault') {
      for (;;) {
        const rows = await waitingSecrets(store.db, place, 40);
        const moved = rows.length === 0 ? 0 : await moveWaiting(this.#jobParts, place, rows);
        if (moved > 0) log.info({ store: place, secrets: moved }, 'secrets that waited were moved to their manager');
        if (moved < 40) break;
      }
    }
    for (;;) {
      const now = clock.now();
      const due = await claimTombstones(store.db, now, new Date(now.getTime() + CLAIM_MS), TIDY_BATCH);
      for (const [key, notes] of Map.groupBy(due, ({ store: where, name }) => `${where} ${name}`)) {
        if (this.#stop.signal.aborted) return;
        const { store: where, name } = notes[0] as (typeof due)[number];
        const { manager } = await secrets.managed(where);
        const used = await managedRefInUse(store.db, where, name);
        if (used !== undefined) await manager.prune(name, used, new Date(now.getTime() - DAY_MS));
        else if (notes.some(({ ref }) => ref === null)) await manager.remove(name);
        log.debug({ secret: key, kept: used !== undefined }, 'destroyed in the secret manager');
        await clearTombstones(
          store.db,
          notes.map(({ id }) => id),
        );
      }
      if (due.length < TIDY_BATCH) return;
    }
  }

  /**
   * Destroys secrets of this installation in a manager that no row points at and that are older than a day: what is left of
   * transactions that were undone. Answers their names.
   */
  async sweep(where: ManagedStore): Promise<string[]> {
    const { store, secrets, clock } = this.#parts;
    const managed = await secrets.managed(where);
    const before = new Date(clock.now().getTime() - DAY_MS);
    const old: string[] = [];
    for await (const { name, createdAt } of managed.manager.list(managed.prefix))
      if (createdAt < before) old.push(name);
    const removed: string[] = [];
    for (let at = 0; at < old.length; at += TIDY_BATCH) {
      const names = old.slice(at, at + TIDY_BATCH);
      const used = await managedNamesInUse(store.db, where, names);
      for (const name of names.filter((one) => !used.has(one))) {
        await managed.manager.remove(name);
        removed.push(name);
      }
    }
    return removed;
  }

  /** Stops jobs and timers; a job goes on when it is started again. */
  async close(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    this.#stop.abort();
    await Promise.allSettled([...this.#running.values(), this.#beating, this.#tidying]);
    const { store, node } = this.#parts;
    if (node !== undefined) await dropVaultNode(store.db, node).catch(() => undefined);
  }

  /** A migration away from where new secrets go would never be at its end. */
  #checkTarget({ name, to }: JobRequest): void {
    const { place } = this.#parts.secrets;
    if (name === 'migrate' && to !== place)
      throw new PolyadError('config_invalid', {
        message: `New secrets go to "${place}": set POLYAD_SECRETS=${to} on every node first, then migrate.`,
        details: { issues: [{ variable: 'POLYAD_SECRETS', problem: `is ${place}` }] },
      });
  }

  get #jobParts(): JobParts {
    const { store, vault, secrets, clock, log } = this.#parts;
    return { store, vault, secrets, clock, log };
  }
}

function keyState(id: string, keyring: Vault['keyring'], used: number, retired: boolean): KeyState {
  if (id === keyring.activeId) return 'active';
  if (!keyring.has(id)) return used > 0 ? 'missing' : 'retired';
  if (id === keyring.preferredId) return 'waiting';
  return retired && used === 0 ? 'retired' : 'decrypts';
}

/**
 * Jobs over all secrets: re-wrap under the active master key, encrypt afresh, move to another store. Each goes through the
 * secrets in the order of their ids, writes down how far it is after every batch, and can be stopped, killed and gone on
 * with; reads and writes of the same secrets go on meanwhile. A secret is replaced only if it is still what was read.
 */
import { randomUUID } from 'node:crypto';
import { setImmediate as breathe } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../clock.ts';
import { PolyadError } from '../../errors/index.ts';
import type { Store, StoreLog } from '../../store/port.ts';
import {
  advanceVaultJob,
  burySecret,
  clearTombstones,
  countSecrets,
  endVaultJob,
  lockMasterKeys,
  managedKeyId,
  nextSecrets,
  type Resealed,
  renewVaultJob,
  replaceEnvelopes,
  retireMasterKeys,
  type SecretSelection,
  takeVaultJob,
} from '../../store/repositories/index.ts';
import type { ManagedStore, SealedEnvelope, SecretRow, VaultJobName, VaultJobRow } from '../../store/schema.ts';
import { bindingOf, ownerOfRow, type SecretStore } from '../secret-store.ts';
import type { Vault } from '../vault.ts';
import type { SecretPlace } from './settings.ts';

/** Secrets per batch: one read, one write. */
const BATCH = 500;
/** The same where a manager is called for each: little to do again after a cut. */
const MANAGED_BATCH = 40;
/** Times that a job looks for secrets which others wrote behind its back. */
const PASSES = 3;
/** Secrets that go to or come from a manager at the same time. */
const PARALLEL = 8;
/** Work without a pause for other tasks of the process, in ms. */
const SLICE_MS = 4;
/** A worker that says nothing for this long, in ms, is taken for dead. */
const LEASE_MS = 20_000;
/** What a job began in a manager and did not record is destroyed after this, in ms. */
const INTENT_MS = 3_600_000;
/** Pauses while a manager is out or overrun, in ms; after the last the job stops and can be gone on with. */
const PAUSES = [1_000, 2_000, 5_000, 10_000, 20_000, 30_000];

export interface JobParts {
  store: Store;
  vault: Vault;
  secrets: SecretStore;
  clock: Clock;
  log: StoreLog;
}

export interface JobRequest {
  name: VaultJobName;
  /** `migrate`: the store to move to. */
  to?: SecretPlace | undefined;
  /** Stops after the batch under way. */
  signal?: AbortSignal | undefined;
  /** Called when the job is this worker's. */
  begun?: (() => void) | undefined;
  /** Called after every batch. */
  progress?: ((job: { done: number; failed: number; left: number }) => void) | undefined;
}

/** What became of a secret: its new envelope, or why it could not be done. */
type Outcome = Resealed | PolyadError;

interface Work {
  target: string;
  selection: SecretSelection;
  batch: number;
  /** Works on one batch; answers an outcome per row, in order. */
  run(rows: readonly SecretRow[]): Promise<Outcome[]>;
  /** Called with the ids of the secrets whose new envelopes have been written. */
  settle?(replaced: ReadonlySet<string>): Promise<void>;
}

/**
 * Runs a job to its end, or until it is asked to stop.
 *
 * @returns its row: `done`, `stopped`, or `failed` when some secrets could not be done (they stay as they were).
 * @throws PolyadError `vault_job_running`; what stopped it on the way, such as `secret_store_denied`.
 */
export async function runVaultJob(parts: JobParts, request: JobRequest): Promise<VaultJobRow> {
  const { store, clock, log } = parts;
  const { name } = request;
  const stop = new AbortController();
  const signal = request.signal === undefined ? stop.signal : AbortSignal.any([request.signal, stop.signal]);
  const work = workOf(parts, request, signal);
  const holder = randomUUID();
  const alone = store.engine === 'pglite';
  const taken = await takeVaultJob(store.db, name, work.target, { holder, now: clock.now(), leaseMs: LEASE_MS, alone });
  if (taken === undefined) throw new PolyadError('vault_job_running', { details: { job: name } });
  request.begun?.();
  let { cursor, done, failed, error } = taken;
  const heed = (state: VaultJobRow['state'] | undefined): void => {
    // Undefined: another worker took the job over, because this one was silent for too long.
    if (state !== 'running') stop.abort();
  };
  const renewal = setInterval(() => {
    renewVaultJob(store.db, name, holder, clock.now(), LEASE_MS).then(heed, () => undefined);
  }, LEASE_MS / 4);
  const end = async (state: 'done' | 'failed' | 'stopped', reason?: string): Promise<VaultJobRow> => {
    const row = await endVaultJob(store.db, name, holder, state, clock.now(), reason);
    log.info({ job: name, target: work.target, state, done, failed }, 'vault job ended');
    return row ?? { ...taken, cursor, done, failed, error, state };
  };
  log.info({ job: name, target: work.target, resumed: cursor !== '' }, 'vault job begins');
  try {
    let left = await countSecrets(store.db, work.selection);
    for (let pass = 1; ; pass++) {
      for (;;) {
        if (signal.aborted) return await end('stopped');
        const rows = await nextSecrets(store.db, work.selection, cursor, work.batch);
        if (rows.length === 0) break;
        const outcomes = await work.run(rows);
        const replaced = await replaceEnvelopes(
          store.db,
          outcomes.filter((one): one is Resealed => !(one instanceof PolyadError)),
        );
        await work.settle?.(replaced);
        for (const [index, outcome] of outcomes.entries())
          if (outcome instanceof PolyadError) {
            failed += 1;
            error = `${rows[index]?.id}: ${outcome.code}: ${outcome.message}`;
            log.error({ job: name, secret: rows[index]?.id, code: outcome.code, alarm: 'vault' }, outcome.message);
          }
        done += replaced.size;
        left = Math.max(0, left - rows.length);
        cursor = (rows.at(-1) as SecretRow).id;
        heed(await advanceVaultJob(store.db, name, holder, { cursor, done, failed, error }, clock.now()));
        request.progress?.({ done, failed, left });
      }
      if (name === 'reencrypt' || pass === PASSES) break;
      // What a node that was behind wrote meanwhile lies before the cursor.
      left = await countSecrets(store.db, work.selection);
      if (left <= failed) break;
      cursor = '';
      failed = 0;
    }
    if (name !== 'migrate') await retireUnneeded(parts);
    return await end(failed > 0 ? 'failed' : 'done');
  } catch (thrown) {
    if (signal.aborted && !(thrown instanceof PolyadError)) return await end('stopped');
    await end('stopped', (thrown as Error).message).catch(() => undefined);
    throw thrown;
  } finally {
    clearInterval(renewal);
  }
}

/** Retires the keys that no secret and no node needs. Answers their ids. */
export async function retireUnneeded({
  store,
  vault,
  clock,
  log,
}: Pick<JobParts, 'store' | 'vault' | 'clock' | 'log'>) {
  const retired = await store.db.transaction().execute(async (trx) => {
    await lockMasterKeys(trx);
    return retireMasterKeys(trx, [vault.keyring.activeId], clock.now());
  });
  if (retired.length > 0) log.info({ key_ids: retired }, 'master keys retired: nothing needs them any more');
  return retired;
}

function workOf(parts: JobParts, { name, to }: JobRequest, signal: AbortSignal): Work {
  const { vault } = parts;
  if (name === 'migrate') return to === 'vault' ? toVault(parts, signal) : toManager(parts, to as ManagedStore, signal);
  const target = vault.keyring.activeId;
  const each = async (rows: readonly SecretRow[], reseal: (row: SecretRow) => SealedEnvelope): Promise<Outcome[]> => {
    const outcomes: Outcome[] = [];
    let since = performance.now();
    for (const row of rows) {
      if (performance.now() - since > SLICE_MS) {
        // Requests that came meanwhile go first.
        await breathe();
        since = performance.now();
      }
      outcomes.push(await attempt(row, () => ({ row, envelope: reseal(row) })));
    }
    return outcomes;
  };
  const binding = (row: SecretRow) => bindingOf(ownerOfRow(row), row.kind, row.version);
  if (name === 'rotate')
    return {
      target,
      batch: BATCH,
      selection: { notKey: target, where: 'sealed' },
      run: (rows) => each(rows, (row) => vault.rewrap(row.envelope as SealedEnvelope, binding(row))),
    };
  return {
    target,
    batch: BATCH,
    selection: { where: 'sealed' },
    run: (rows) =>
      each(rows, (row) => vault.seal(vault.open(row.envelope as SealedEnvelope, binding(row)), binding(row))),
  };
}

/** An outage ends the batch; what is wrong with one secret is its own. */
async function attempt(row: SecretRow, work: () => Resealed | Promise<Resealed>): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PolyadError)) throw error;
    if (error.code === 'vault_binding_mismatch' || error.code === 'secret_store_missing') return error;
    throw Object.assign(error, { secret: row.id });
  }
}

/** From managers into the database. The manager's copies are destroyed by tombstones, which the rows' change leaves. */
function toVault({ vault, secrets, clock }: JobParts, signal: AbortSignal): Work {
  return {
    target: 'vault',
    batch: MANAGED_BATCH,
    selection: { where: 'managed' },
    run: (rows) =>
      inParallel(rows, (row) =>
        patiently(clock, signal, () =>
          attempt(row, async () => {
            const owner = ownerOfRow(row);
            const binding = bindingOf(owner, row.kind, row.version);
            const { plain } = await secrets.openRow(row, owner);
            const envelope = vault.seal(plain, binding);
            prove(isDeepStrictEqual(vault.open(envelope, binding), plain), row);
            return { row, envelope };
          }),
        ),
      ),
  };
}

/**
 * Into a manager. Before anything is written there a note says what is to be destroyed if this process dies; the note goes
 * when the row points at the secret. What was written is read back and compared before the row is changed.
 */
function toManager({ store, secrets, clock }: JobParts, to: ManagedStore, signal: AbortSignal): Work {
  const intents = new Map<string, string>();
  return {
    target: to,
    batch: MANAGED_BATCH,
    selection: { notKey: managedKeyId(to) },
    run: (rows) =>
      inParallel(rows, (row) =>
        patiently(clock, signal, () =>
          attempt(row, async () => {
            const owner = ownerOfRow(row);
            const binding = bindingOf(owner, row.kind, row.version);
            const managed = await secrets.managed(to);
            const { plain } = await secrets.openRow(row, owner);
            const name = managed.newName(binding);
            const due = new Date(clock.now().getTime() + INTENT_MS);
            intents.set(row.id, await burySecret(store.db, to, name, due));
            const envelope = await managed.seal(plain, binding, undefined, name);
            prove(isDeepStrictEqual(await managed.verify(envelope, binding), plain), row);
            return { row, envelope };
          }),
        ),
      ),
    async settle(replaced) {
      // Notes of secrets that were changed meanwhile stay: what was written for them is nobody's.
      await clearTombstones(
        store.db,
        [...replaced].flatMap((id) => intents.get(id) ?? []),
      );
      intents.clear();
    },
  };
}

function prove(same: boolean, row: SecretRow): void {
  if (!same) throw new Error(`secret ${row.id} did not come back as it was written; nothing was changed`);
}

/**
 * Moves secrets that the database keeps for a manager which did not take them. One try: the next round comes anyway.
 * Answers how many were moved.
 */
export async function moveWaiting(parts: JobParts, to: ManagedStore, rows: readonly SecretRow[]): Promise<number> {
  const aborted = AbortSignal.abort(new Error('no second try'));
  const work = toManager(parts, to, aborted);
  const outcomes = await work.run(rows);
  const replaced = await replaceEnvelopes(
    parts.store.db,
    outcomes.filter((one): one is Resealed => !(one instanceof PolyadError)),
  );
  await work.settle?.(replaced);
  return replaced.size;
}

/** Repeats what an outage or a limit of a manager made fail. */
async function patiently<T>(clock: Clock, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await work();
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== 'secret_store_unavailable' && code !== 'secret_store_throttled') throw error;
      await clock.sleep(pause, signal);
    }
  }
  return work();
}

/** Outcomes in order, a few at a time; after a failure no new ones are begun. */
async function inParallel(rows: readonly SecretRow[], work: (row: SecretRow) => Promise<Outcome>): Promise<Outcome[]> {
  const outcomes: Outcome[] = new Array(rows.length);
  let next = 0;
  let broken = false;
  const worker = async (): Promise<void> => {
    while (!broken && next < rows.length) {
      const index = next++;
      try {
        outcomes[index] = await work(rows[index] as SecretRow);
      } catch (error) {
        broken = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: PARALLEL }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return outcomes;
}

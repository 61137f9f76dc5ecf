/**
 * Sends what waits. Every process that does background work runs one; of several each batch is with one at a time, under
 * a lease that another takes over when its holder dies. A batch goes out when it is full, when its oldest event has waited
 * for as long as the destination allows, or when it was sent before and nobody knows what became of it.
 */
import type { CredentialUse } from '../audit/uses.ts';
import type { SecretStore } from '../auth/secret-store.ts';
import type { Pipeline } from '../calls/pipeline.ts';
import type { TokenSource } from '../calls/ports.ts';
import { Meter, type Scope } from '../calls/scope.ts';
import type { Clock } from '../clock.ts';
import { asPolyadError, PolyadError } from '../errors/index.ts';
import { newId, secretId } from '../store/ids.ts';
import type { Store, StoreLog } from '../store/port.ts';
import {
  appendEvent,
  destinationWorks,
  dueDestinations,
  endChunkLeases,
  finishChunks,
  getConnection,
  getDestinationByNum,
  getWorkspace,
  holdDestination,
  type LeasedBatch,
  leaseBatch,
  overdueLines,
  releaseChunks,
  renewChunks,
  renewLeases,
  settledLines,
  settleLines,
} from '../store/repositories/index.ts';
import type { ConversionDestinationRow } from '../store/schema.ts';
import { connectionOf, DestinationTokens, GRANT } from './credentials.ts';
import { type Delivered, deliver } from './deliver.ts';
import type { Judge, ReadyDestination } from './judge.ts';

export interface SenderParts {
  store: Store;
  secrets: SecretStore;
  judge: Judge;
  clock: Clock;
  log: StoreLog;
  /** Tokens of connections, for destinations that use their connection's grant. */
  tokens: TokenSource;
  pipelineWith(tokens: TokenSource): Pipeline;
  /** Counts what became of events. */
  counted(platform: string, state: 'accepted' | 'refused' | 'expired', events: number): void;
  /** Told of each use of a customer's credential. */
  used?: ((use: CredentialUse) => void) | undefined;
  /** 0 ≤ x < 1; jitter of pauses. Default Math.random. */
  random?: (() => number) | undefined;
}

/** How long nobody else touches a batch, and how often that is prolonged while its holder lives: so much is lost by a death. */
const LEASE_MS = 20_000;
const HEARTBEAT_MS = 5_000;
/** Batches of one destination under way at a time in one process, and of all. */
const LANES = 4;
const ALL_LANES = 16;
/** How often the queue is looked at when nothing has come in here. */
const POLL_MS = 1_000;
/** Pauses after failures: trouble that passes by itself, and trouble that somebody must see to. */
const TROUBLE = { first: 1_000, longest: 5 * 60_000 };
const WRONG = { first: 30_000, longest: 30 * 60_000 };

export class ConversionSender {
  readonly #parts: SenderParts;
  readonly #holder = secretId();
  /** Batches under way by destination. */
  readonly #lanes = new Map<string, number>();
  readonly #working = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  /** Cuts off requests under way; what is not answered by then is sent again later. */
  readonly #cut = new AbortController();
  #wake: () => void = () => {};
  #woken = false;
  #loop: Promise<void> | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** Starts looking for work. `alone`: no other process can be at this database, so leases of an earlier one are over. */
  start(alone: boolean): void {
    this.#loop ??= this.#run(alone);
  }

  /** Something has come in: it is looked at when its time has come, `afterMs` from now. */
  nudge(afterMs: number): void {
    if (this.#loop === undefined) return;
    const timer = setTimeout(() => this.#rouse(), afterMs);
    timer.unref();
  }

  /** Takes no more batches and waits for those under way, `patienceMs` at the most. */
  async stop(patienceMs = 3_000): Promise<void> {
    this.#stopping.abort();
    this.#rouse();
    await this.#loop?.catch(() => undefined);
    const timer = new Promise((resolve) => setTimeout(resolve, patienceMs).unref());
    // Their answers say what need not be sent again.
    await Promise.race([Promise.allSettled(this.#working), timer]);
    this.#cut.abort(new DOMException('the server stops', 'AbortError'));
    await Promise.allSettled(this.#working);
  }

  /**
   * Sends until nothing is due. For tests and commands; the server's own loop does the same for ever.
   *
   * @param now what has come in is due at once, however long its destination lets it wait
   */
  async drain(now = true): Promise<void> {
    for (;;) {
      const begun = await this.#look(now);
      if (begun === 0 && this.#working.size === 0) return;
      await Promise.race(this.#working);
    }
  }

  async #run(alone: boolean): Promise<void> {
    const { store, log } = this.#parts;
    if (alone) await endChunkLeases(store.db).catch(() => undefined);
    while (!this.#stopping.signal.aborted) {
      this.#woken = false;
      await this.#look(false).catch((error: unknown) =>
        log.warn({ code: asPolyadError(error).code }, 'conversion events could not be looked for; trying again'),
      );
      await this.#pause();
    }
  }

  #rouse(): void {
    this.#woken = true;
    this.#wake();
  }

  #pause(): Promise<void> {
    if (this.#woken || this.#stopping.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Begins what is due and answers how many batches that was. */
  async #look(now: boolean): Promise<number> {
    const { store, clock } = this.#parts;
    if (this.#working.size >= ALL_LANES) return 0;
    const at = clock.now();
    let begun = 0;
    for (const due of await dueDestinations(store.db, at)) {
      const busy = this.#lanes.get(due.destination) ?? 0;
      if (busy >= LANES) continue;
      const row = await getDestinationByNum(store.db, due.destination);
      if (row === undefined) continue;
      const ready = this.#ready(row);
      if (ready === undefined) continue;
      const { maxEvents } = ready.spec;
      const waited = at.getTime() - due.since.getTime();
      if (!now && !due.again && due.events < maxEvents && waited < row.batch_delay_ms) {
        this.nudge(row.batch_delay_ms - waited + 1);
        continue;
      }
      // After a failure one batch tries whether it works again.
      const wanted = row.failures > 0 ? 1 : Math.min(LANES, Math.max(1, Math.floor(due.events / maxEvents)));
      for (let lane = busy; lane < wanted && this.#working.size < ALL_LANES; lane += 1) {
        begun += 1;
        this.#begin(ready);
      }
    }
    return begun;
  }

  /** Undefined where the platform or its events are gone: such a destination must not hold up the others. */
  #ready(row: ConversionDestinationRow): ReadyDestination | undefined {
    try {
      return this.#parts.judge.ready(row);
    } catch (error) {
      const { code } = asPolyadError(error);
      this.#parts.log.warn({ destination_id: row.id, code }, 'conversion events wait: their platform takes none');
      return undefined;
    }
  }

  #begin(ready: ReadyDestination): void {
    const { num } = ready.row;
    this.#lanes.set(num, (this.#lanes.get(num) ?? 0) + 1);
    this.#beat();
    const work = this.#lane(ready)
      .catch((error: unknown) =>
        this.#parts.log.warn(
          { destination_id: ready.row.id, code: asPolyadError(error).code },
          'a batch of conversion events could not be dealt with; it waits',
        ),
      )
      .finally(() => {
        this.#working.delete(work);
        const left = (this.#lanes.get(num) ?? 1) - 1;
        if (left <= 0) this.#lanes.delete(num);
        else this.#lanes.set(num, left);
        this.#rouse();
      });
    this.#working.add(work);
  }

  /** Prolongs the leases of this process for as long as it has batches under way. */
  #beat(): void {
    this.#heartbeat ??= setInterval(() => {
      const { store, clock, log } = this.#parts;
      if (this.#working.size === 0) {
        clearInterval(this.#heartbeat);
        this.#heartbeat = undefined;
        return;
      }
      renewLeases(store.db, this.#holder, new Date(clock.now().getTime() + LEASE_MS)).catch((error: unknown) =>
        log.warn({ code: asPolyadError(error).code }, 'leases of conversion events could not be prolonged'),
      );
    }, HEARTBEAT_MS).unref();
  }

  /** One batch after the other, for as long as they are full. */
  async #lane(ready: ReadyDestination): Promise<void> {
    const { store, clock } = this.#parts;
    const { row, spec } = ready;
    while (!this.#stopping.signal.aborted) {
      const now = clock.now();
      const until = new Date(now.getTime() + LEASE_MS);
      const batch = await leaseBatch(store.db, row.num, { id: this.#holder, until }, spec.maxEvents, now);
      if (batch === undefined) return;
      if (!(await this.#batch(ready, batch))) return;
      const events = batch.chunks.reduce((sum, { count }) => sum + count, 0);
      if (events * 2 < spec.maxEvents || row.failures > 0) return;
    }
  }

  /** False = it waits, and the destination rests. */
  async #batch(ready: ReadyDestination, batch: LeasedBatch): Promise<boolean> {
    const { store, clock, counted } = this.#parts;
    const { row, platform } = ready;
    const { db } = store;
    const chunks = batch.chunks.map(({ id }) => id);
    try {
      const delivered = await this.#deliver(ready, batch, chunks);
      const ours = await finishChunks(db, chunks, this.#holder, clock.now());
      if (ours) this.#count(platform.manifest.type, delivered, counted);
      if (delivered.accepted + delivered.refused > 0) await this.#works(row);
      return ours;
    } catch (thrown) {
      await releaseChunks(db, chunks, this.#holder);
      if (this.#stopping.signal.aborted) return false;
      await this.#hold(row, asPolyadError(thrown));
      return false;
    }
  }

  #count(type: string, { accepted, refused, expired }: Delivered, counted: SenderParts['counted']): void {
    counted(type, 'accepted', accepted);
    counted(type, 'refused', refused);
    counted(type, 'expired', expired);
  }

  async #deliver(ready: ReadyDestination, batch: LeasedBatch, chunks: readonly string[]): Promise<Delivered> {
    const { store, clock } = this.#parts;
    const { db } = store;
    const { platform, spec } = ready;
    const { pipeline, scope } = await this.#way(ready.row);
    // Most batches hold neither: then nothing is asked.
    const again = batch.chunks.some(({ attempts }) => attempts > 1);
    const settled = again ? await settledLines(db, chunks) : [];
    const cutoff = new Date(clock.now().getTime() - spec.maxAgeMs);
    const old = batch.chunks.filter(({ oldest }) => oldest < cutoff).map(({ id }) => id);
    const overdue = old.length === 0 ? [] : await overdueLines(db, old, cutoff);
    return deliver({
      ready,
      batch,
      settled,
      overdue,
      request: (request) => {
        const { connection_id, workspace_id: workspaceId } = ready.row;
        this.#parts.used?.({
          workspaceId,
          purpose: 'call',
          ...(connection_id === null ? {} : { connectionId: connection_id }),
        });
        return pipeline.request(scope, platform, request);
      },
      settle: (fates) => settleLines(db, fates, clock.now()),
      stillOurs: async () => {
        const until = new Date(clock.now().getTime() + LEASE_MS);
        if (!(await renewChunks(db, chunks, this.#holder, until))) throw new PolyadError('record_conflict');
      },
    });
  }

  /** The pipeline with the destination's credential, and the scope of its calls. */
  async #way(row: ConversionDestinationRow): Promise<{ pipeline: Pipeline; scope: Scope }> {
    const { store, secrets, tokens, pipelineWith } = this.#parts;
    const workspace = await getWorkspace(store.db, row.workspace_id);
    if (workspace === undefined) throw new PolyadError('workspace_not_found');
    const connection =
      row.connection_id === null
        ? connectionOf(row)
        : await getConnection(store.db, row.workspace_id, row.connection_id);
    if (connection === undefined)
      throw new PolyadError('connection_not_found', {
        message: 'The connection of the destination was removed.',
        details: { connection_id: row.connection_id },
      });
    if (connection.is_paused) throw new PolyadError('connection_paused', { details: { connection_id: connection.id } });
    const source = row.credential_kind === GRANT ? tokens : new DestinationTokens({ store, secrets, destination: row });
    return {
      pipeline: pipelineWith(source),
      scope: {
        ...{ workspace, connection, requestId: newId(), meter: new Meter(), priority: 'sync' },
        signal: this.#cut.signal,
      },
    };
  }

  async #works(row: ConversionDestinationRow): Promise<void> {
    const { store, clock } = this.#parts;
    const now = clock.now();
    const fresh = row.last_sent_at !== null && now.getTime() - row.last_sent_at.getTime() < 60_000;
    if (row.failures === 0 && row.problem === null && fresh) return;
    await destinationWorks(store.db, row.num, now);
    if (row.problem === null || row.deleted_at !== null) return;
    await appendEvent(
      store.db,
      row.workspace_id,
      {
        type: 'CONVERSION_DESTINATION_HEALTHY',
        connection_id: row.connection_id,
        payload: { destination_id: row.id, after: row.problem.code },
      },
      now,
    );
  }

  /** Lets the destination rest, longer each time, and says why. */
  async #hold(row: ConversionDestinationRow, error: PolyadError): Promise<void> {
    const { store, clock, log, random = Math.random } = this.#parts;
    const { first, longest } = error.actor === 'platform' || error.retry !== 'never' ? TROUBLE : WRONG;
    const pause = Math.min(longest, first * 2 ** Math.min(row.failures, 16)) * (0.75 + random() / 2);
    const now = clock.now();
    const until = new Date(now.getTime() + Math.max(pause, error.retryAfterMs ?? 0));
    const { platform } = error;
    await holdDestination(store.db, row.num, {
      until,
      problem: {
        ...{ code: error.code, message: error.message.slice(0, 500), since: now.toISOString() },
        ...(platform?.code === undefined ? {} : { platform_code: platform.code }),
        ...(platform?.request_id === undefined ? {} : { platform_request_id: platform.request_id }),
      },
    });
    log.warn({ destination_id: row.id, code: error.code, until }, 'conversion events wait: the destination rests');
    if (row.problem?.code === error.code || row.deleted_at !== null) return;
    await appendEvent(
      store.db,
      row.workspace_id,
      {
        type: 'CONVERSION_DESTINATION_UNHEALTHY',
        connection_id: row.connection_id,
        payload: { destination_id: row.id, code: error.code, message: error.message.slice(0, 500) },
      },
      now,
    );
  }
}

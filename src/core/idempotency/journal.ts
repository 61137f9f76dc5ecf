/**
 * The journal of writes. A write is recorded before anything of it is sent, marked when the first request leaves, and
 * closed with its answer. So a repetition under the same key gets the first answer, and whatever breaks in between
 * leaves a record that says how far it can have come.
 */
import { randomUUID } from 'node:crypto';
import type { Scope, WriteFate, WriteGate } from '../calls/scope.ts';
import type { Clock } from '../clock.ts';
import type { PlatformRequest } from '../connector/types.ts';
import { asPolyadError, type ErrorBody, errorBody, PolyadError } from '../errors/index.ts';
import type { Store, StoreLog } from '../store/port.ts';
import {
  claimedIds,
  claimId,
  dropWrite,
  endWriteLeases,
  findWrite,
  finishWrite,
  insertWrite,
  markSent,
  openRivals,
  renewWriteLeases,
  takeOverWrite,
  unmarkSent,
} from '../store/repositories/index.ts';
import type { WriteRow } from '../store/schema.ts';
import { requestToken } from './fingerprint.ts';
import { reached } from './steps.ts';

/** How long an answer is kept for repetitions. */
export const KEEP_MS = 24 * 3_600_000;
/** How long a write whose outcome is open is kept: its key must not begin a second one. */
export const KEEP_OPEN_MS = 30 * 24 * 3_600_000;
/** After a node has died, its writes are taken over when this has passed. Renewed while it lives. */
export const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
/** Longest wait for records at the end; what is not closed then is taken over when its lease ends. */
const CLOSE_MS = 2_000;

export interface JournalParts {
  store: Store;
  clock: Clock;
  log: StoreLog;
}

/** What a write is recorded as. */
export interface WriteIntent {
  /** Verb and object. */
  route: string;
  /** The caller's Idempotency-Key. */
  key: string | undefined;
  fingerprint: string;
}

/** The kept answer of a write. */
export interface KeptAnswer {
  status: number;
  body: unknown;
}

export type Begun = { entry: WriteEntry; replay?: undefined } | { replay: KeptAnswer; entry?: undefined };

/** A platform's answer that the same request would meet again whatever anybody else does. Others are not kept: the key is free. */
const isFinal = (error: PolyadError): boolean =>
  // 403: another API key, or the same one with more scopes, may do it.
  error.retry === 'never' && (error.actor === 'caller' || error.actor === 'platform') && error.status !== 403;

/** The token for the platform: with a key the same for every repetition. */
export function tokenOf(scope: Scope, route: string, key: string | undefined): string {
  return requestToken([scope.workspace.id, scope.connection.id, route, key ?? randomUUID()].join('\n'));
}

export class Journal {
  readonly parts: JournalParts;
  readonly #node = randomUUID();
  #runs = 0;
  /** Writes that this process is at, by id of their record. */
  readonly #active = new Map<string, WriteEntry>();
  #orphans: Promise<unknown> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #idle: (() => void) | undefined;

  constructor(parts: JournalParts) {
    this.parts = parts;
  }

  /**
   * Records a write, or answers what became of it before.
   *
   * @throws PolyadError `idempotency_key_conflict` (the key stands for another request), `idempotency_in_flight`
   */
  async begin(scope: Scope, intent: WriteIntent): Promise<Begun> {
    const { store, clock } = this.parts;
    const { route, fingerprint } = intent;
    const key = intent.key ?? null;
    reached('asked', route, key);
    // Of the embedded database this process is the only user, so whoever was at a write is gone.
    if (store.engine === 'pglite') await this.#endOrphans();
    const holder = `${this.#node}/${++this.#runs}`;
    const record = {
      workspace_id: scope.workspace.id,
      connection_id: scope.connection.id,
      route,
      key,
      fingerprint,
      request_token: tokenOf(scope, route, intent.key),
      holder,
    };
    for (;;) {
      const now = clock.now();
      const lease = new Date(now.getTime() + LEASE_MS);
      const row = await insertWrite(store.db, { ...record, lease_until: lease }, now);
      if (row !== undefined) return { entry: this.#open(scope, row, holder) };
      const found = await findWrite(store.db, record);
      // Pruned between the two statements.
      if (found === undefined) continue;
      const age = now.getTime() - found.created_at.getTime();
      if (age > (found.state === 'done' ? KEEP_MS : KEEP_OPEN_MS) && found.holder === null) {
        await dropWrite(store.db, found.id, null);
        continue;
      }
      if (found.fingerprint !== fingerprint)
        throw new PolyadError('idempotency_key_conflict', {
          details: { key, first_used_at: found.created_at.toISOString() },
        });
      if (found.state === 'done') return { replay: { status: found.status ?? 200, body: found.answer } };
      const taken = this.#active.has(found.id)
        ? undefined
        : await takeOverWrite(store.db, found.id, holder, lease, now);
      if (taken !== undefined) return { entry: this.#open(scope, taken, holder) };
      const again = await findWrite(store.db, record);
      if (again === undefined || again.state === 'done') continue;
      const wait = again.lease_until === null ? 1_000 : again.lease_until.getTime() - now.getTime();
      throw new PolyadError('idempotency_in_flight', {
        // A live holder may be done at any moment; a dead one is known to be when its lease ends.
        retryAfterMs: this.#active.has(again.id) ? 1_000 : Math.min(Math.max(1_000, wait), LEASE_MS),
        details: { key, since: again.updated_at.toISOString() },
      });
    }
  }

  #endOrphans(): Promise<unknown> {
    const { store, clock } = this.parts;
    this.#orphans ??= endWriteLeases(store.db, clock.now()).catch((error) => {
      this.#orphans = undefined;
      throw error;
    });
    return this.#orphans;
  }

  #open(scope: Scope, row: WriteRow, holder: string): WriteEntry {
    reached('recorded', row.route, row.key);
    const entry = new WriteEntry(this.parts, row, holder, scope, () => this.#closed(row.id));
    this.#active.set(row.id, entry);
    this.#timer ??= setInterval(() => void this.#renew(), RENEW_MS).unref();
    return entry;
  }

  #closed(id: string): void {
    this.#active.delete(id);
    if (this.#active.size === 0) this.#idle?.();
    if (this.#active.size > 0 || this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #renew(): Promise<void> {
    const { store, clock, log } = this.parts;
    const holders = [...this.#active.values()].map((entry) => entry.holder);
    try {
      await renewWriteLeases(store.db, holders, new Date(clock.now().getTime() + LEASE_MS));
    } catch (error) {
      // A holder that has lost its lease learns it before it sends anything.
      log.warn({ err: error }, 'leases of writes could not be renewed');
    }
  }

  /** Gives up what is under way, and waits until its records say how far it came. */
  async close(): Promise<void> {
    if (this.#active.size > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
      for (const entry of this.#active.values()) entry.cut(new DOMException('the server is stopping', 'AbortError'));
      const patience = setTimeout(() => this.#idle?.(), CLOSE_MS);
      await idle;
      clearTimeout(patience);
    }
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** Another write whose outcome is open and which is looked for by the same marker. */
export interface Rival {
  sentAt: Date;
  /** Somebody is at it. */
  live: boolean;
  /** It asked for the same in every member. */
  same: boolean;
}

/** One write under way. */
export class WriteEntry implements WriteGate {
  readonly holder: string;
  readonly requestToken: string;
  /** The caller sent a key, so it can repeat this write safely. */
  readonly keyed: boolean;
  readonly fingerprint: string;
  readonly #parts: JournalParts;
  readonly #row: WriteRow;
  readonly #closed: () => void;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #onAbort = (): void => this.cut(this.#caller.reason);
  #sentAt: Date | undefined;
  #fate: WriteFate | undefined;
  #target: string | null;
  #marker: string | null;
  #createdId: string | undefined;
  #over = false;

  constructor(parts: JournalParts, row: WriteRow, holder: string, scope: Scope, closed: () => void) {
    this.#parts = parts;
    this.#row = row;
    this.holder = holder;
    this.requestToken = row.request_token;
    this.keyed = row.key !== null;
    this.fingerprint = row.fingerprint;
    this.#target = row.target;
    this.#marker = row.marker;
    this.#sentAt = row.sent_at ?? undefined;
    this.#closed = closed;
    this.#caller = scope.signal;
    if (this.#caller.aborted) this.#onAbort();
    else this.#caller.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Ends with the caller, but only until something has been sent: a write once begun is brought to its end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** When the first request that changes something may have left, in this run or an earlier one. */
  get sentAt(): Date | undefined {
    return this.#sentAt;
  }

  /** How the last request that changes something ended, in this run; undefined = none was sent. */
  get fate(): WriteFate | undefined {
    return this.#fate;
  }

  cut(reason: unknown): void {
    if (!this.#controller.signal.aborted) this.#controller.abort(reason);
  }

  /** Where the new object will lie and what it is looked for by; kept with the mark of the first request. */
  about(target: string, marker: string | undefined): void {
    this.#target = target;
    this.#marker = marker ?? null;
  }

  async beforeSend(_request: PlatformRequest): Promise<void> {
    const { store, clock } = this.#parts;
    this.signal.throwIfAborted();
    const now = clock.now();
    const sentAt = await markSent(
      store.db,
      this.#row.id,
      this.holder,
      { target: this.#target, marker: this.#marker, leaseUntil: new Date(now.getTime() + LEASE_MS) },
      now,
    );
    if (sentAt === undefined)
      throw new PolyadError('idempotency_in_flight', {
        message: 'Another node has taken this write over.',
        retryAfterMs: 1_000,
      });
    // The caller went while it was marked: it stays here, and the mark must not say otherwise.
    if (this.signal.aborted) {
      if (this.#sentAt === undefined) await unmarkSent(store.db, this.#row.id, this.holder, now);
      throw this.signal.reason;
    }
    this.#sentAt = sentAt;
    this.#fate = 'unknown';
    this.#caller.removeEventListener('abort', this.#onAbort);
    reached('marked', this.#row.route, this.#row.key);
  }

  ended(_request: PlatformRequest, fate: WriteFate): void {
    this.#fate = fate;
    if (fate === 'accepted') reached('answered', this.#row.route, this.#row.key);
  }

  /** It is certain that nothing was carried out: the write begins anew. */
  async startAfresh(): Promise<void> {
    await unmarkSent(this.#parts.store.db, this.#row.id, this.holder, this.#parts.clock.now());
    this.#sentAt = undefined;
  }

  /** The object that this write created. */
  created(id: string | undefined): void {
    this.#createdId = id;
    reached('known', this.#row.route, this.#row.key);
  }

  /** Of objects that the write may have created, those that no other write has. */
  async unclaimed(ids: readonly string[]): Promise<string[]> {
    const { store } = this.#parts;
    const claimed = await claimedIds(store.db, this.#target ?? '', ids, this.#row.id);
    return ids.filter((id) => !claimed.has(id));
  }

  /** Other writes that may have created the same objects, in the order in which they were sent. */
  async rivals(): Promise<Rival[]> {
    const { store, clock } = this.#parts;
    if (this.#target === null || this.#marker === null) return [];
    const now = clock.now();
    const rows = await openRivals(store.db, this.#target, this.#marker, this.#row.id);
    return rows.map(({ state, fingerprint, lease_until, sent_at }) => ({
      sentAt: sent_at ?? now,
      live: state === 'in_flight' && lease_until !== null && lease_until > now,
      same: fingerprint === this.fingerprint,
    }));
  }

  /** Takes an object as this write's own. False = another write was faster. */
  claim(id: string): Promise<boolean> {
    const { store, clock } = this.#parts;
    const claim = { id: this.#row.id, holder: this.holder, target: this.#target ?? '', platform_id: id };
    return claimId(store.db, claim, clock.now());
  }

  /** Keeps the answer. What cannot be kept is found again by its mark. */
  async done(body: unknown): Promise<void> {
    await this.#close('done', { status: 200, answer: this.keyed ? body : undefined });
    reached('kept', this.#row.route, this.#row.key);
  }

  /** Keeps a failure, or frees the key, by what is known of the write. */
  async failed(thrown: unknown, requestId: string): Promise<void> {
    const error = asPolyadError(thrown);
    const open =
      error.code === 'write_outcome_unknown' ||
      this.#fate === 'unknown' ||
      (this.#fate === undefined && this.#sentAt !== undefined) ||
      (this.#fate === 'accepted' && !isFinal(error));
    const body: ErrorBody = errorBody(error, requestId);
    if (open) return this.#close('unknown', { status: error.status, answer: body });
    // What polyad refused before a write was sent is refused again, or right once the caller has corrected it.
    if (this.keyed && this.#fate !== undefined && isFinal(error))
      return this.#close('done', { status: error.status, answer: body });
    return this.#close('dropped', { status: null, answer: undefined });
  }

  async #close(
    state: 'done' | 'unknown' | 'dropped',
    { status, answer }: { status: number | null; answer: unknown },
  ): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#caller.removeEventListener('abort', this.#onAbort);
    const { store, clock, log } = this.#parts;
    try {
      if (state === 'dropped') await dropWrite(store.db, this.#row.id, this.holder);
      else {
        const result = { state, status, answer, platform_id: this.#createdId };
        await finishWrite(store.db, this.#row.id, this.holder, result, clock.now());
      }
    } catch (error) {
      log.warn({ err: error, write: this.#row.id }, 'the outcome of a write could not be recorded');
    } finally {
      this.#closed();
    }
  }
}

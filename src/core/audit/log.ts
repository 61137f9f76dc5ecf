/**
 * The audit log: who did what, when, with which outcome. Rows wait in memory for the moment it takes to write those
 * before them, so that many at a time cost one transaction; whoever appends waits until its row is durable.
 */
import type { Signer } from '../auth/signing.ts';
import { breathe } from '../breathe.ts';
import type { Clock } from '../clock.ts';
import { redact, redactText } from '../http/redact.ts';
import type { Store, StoreLog } from '../store/port.ts';
import { getAuditHead, holdAuditHeads, insertAuditRows, listAuditRows } from '../store/repositories/index.ts';
import {
  type AuditActorKind,
  type AuditHeadTable,
  type AuditRow,
  type Db,
  json,
  storableText,
} from '../store/schema.ts';
import { type Anchor, type AuditRecord, BEGINNING, hashOf, type Verification, verifyChain } from './chain.ts';
import { type CredentialUse, CredentialUses } from './uses.ts';

/** Who did it. */
export interface AuditActor {
  kind: AuditActorKind;
  /** Id of the API key, where one was used. */
  id?: string | undefined;
  name?: string | undefined;
}

/** Something that was done. */
export interface AuditEntry {
  workspaceId: string;
  actor: AuditActor;
  action: string;
  objectType?: string | undefined;
  objectId?: string | undefined;
  connectionId?: string | undefined;
  /** Code of the error it ended with; absent = it succeeded. */
  outcome?: string | undefined;
  requestId?: string | undefined;
  ipAddress?: string | undefined;
  /** Facts for the reader; secrets in it are hidden by name and by value. */
  details?: Record<string, unknown> | undefined;
}

export interface AuditFilters {
  action?: string | undefined;
  connection_id?: string | undefined;
  at_gte?: Date | undefined;
  at_lt?: Date | undefined;
  /** Rows after this number. */
  after?: number | undefined;
}

/** Where a workspace's chain ends, and whether we sealed that end. */
export interface AuditEnd extends Anchor {
  sealed: boolean;
}

export interface AuditLogParts {
  store: Store;
  clock: Clock;
  log: StoreLog;
  /** Seals the end of the chain with a key that is not in the database. */
  signer: Signer;
}

/** Most rows per transaction: some 20 ms of the embedded database, which serves nobody else meanwhile. */
const BATCH_ROWS = 100;
/** … and characters of details after which it ends: as long for large rows. */
const BATCH_CHARACTERS = 400_000;
/** Most rows in memory while the database is away; further ones are lost, and the log says so. */
const CAPACITY = 20_000;
/** Longest wait for a row to be durable, in ms: what was done has been done, and its answer must not hang on the log. */
const PATIENCE_MS = 5_000;
const RETRY_MS = 500;
/** Details longer than this, in characters, are replaced by their size. */
const MAX_DETAILS = 65_536;
const PAGE_ROWS = 1_000;

interface Waiting {
  entry: AuditEntry;
  at: Date;
  done(): void;
}

export class AuditLog {
  readonly #parts: AuditLogParts;
  readonly #uses: CredentialUses;
  #queue: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #lost = 0;
  #closed = false;

  constructor(parts: AuditLogParts) {
    this.#parts = parts;
    this.#uses = new CredentialUses(parts.clock, (entry) => this.note(entry));
  }

  /** Rows that could not be kept since the start. */
  get lost(): number {
    return this.#lost;
  }

  /** Adds a row; resolves when it is durable, at the latest after five seconds. Never rejects. */
  append(entry: AuditEntry): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS);
      timer.unref();
      this.#add(entry, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Adds a row and does not wait. */
  note(entry: AuditEntry): void {
    this.#add(entry, () => undefined);
  }

  /** Counts that a credential of a customer was used; written once a minute. */
  used(use: CredentialUse): void {
    this.#uses.add(use);
  }

  /** Writes what waits. Never rejects: what cannot be written stays in memory for the next time. */
  async flush(): Promise<void> {
    await this.#uses.flush();
    // Rows that were added during a running write need another one.
    while (this.#writing !== undefined) await this.#writing;
    if (this.#queue.length === 0) return;
    await this.#write();
  }

  async close(): Promise<void> {
    await this.#uses.close();
    await this.flush();
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#lose(this.#queue.splice(0));
  }

  /** The workspace's rows, oldest first, read page by page up to the row that was last when the reading began. */
  async *rows(workspaceId: string, filters: AuditFilters = {}): AsyncGenerator<AuditRecord, void, undefined> {
    const { db } = this.#parts.store;
    const upTo = (await getAuditHead(db, workspaceId))?.seq ?? 0;
    for (let after = filters.after ?? 0; ; ) {
      const page = await listAuditRows(db, workspaceId, { ...filters, after, upTo, limit: PAGE_ROWS });
      for (const row of page) yield recordOf(row);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_ROWS) return;
      after = last.seq;
    }
  }

  /** The end of the chain; undefined when nothing was written yet. */
  async end(workspaceId: string): Promise<AuditEnd | undefined> {
    const head = await getAuditHead(this.#parts.store.db, workspaceId);
    return head === undefined ? undefined : { seq: head.seq, hash: head.hash, sealed: this.#isSealed(head) };
  }

  /**
   * Checks the whole chain, that it reaches its recorded end, and that this end was sealed by us: whoever can write to the
   * database, and has no master key, can make a chain that fits but no seal.
   */
  async verify(workspaceId: string, anchor?: Anchor): Promise<Verification & { sealed: boolean }> {
    const end = await this.end(workspaceId);
    const found = await verifyChain(this.rows(workspaceId), anchor);
    const sealed = end === undefined || end.sealed;
    if (!found.ok || end === undefined) {
      // Rows without an end: the end was deleted.
      if (!found.ok || (await listAuditRows(this.#parts.store.db, workspaceId, { limit: 1 })).length === 0)
        return { ...found, sealed };
      return { ...found, ok: false, sealed: false, fault: { seq: 1, reason: 'the recorded end is missing' } };
    }
    const fault = (reason: string) => ({ ...found, ok: false, sealed, fault: { seq: end.seq, reason } });
    if ((found.last ?? 0) !== end.seq) return fault('rows at the end are missing');
    if (found.first !== undefined && found.first !== 1) return fault('rows at the beginning are missing');
    if (found.hash !== end.hash) return fault('the last row is not the recorded end');
    return sealed ? { ...found, sealed } : fault('the recorded end was not sealed by this installation');
  }

  // ------------------------------------------------------------------------------------------------ writing

  #add(entry: AuditEntry, done: () => void): void {
    const waiting = { entry, at: this.#parts.clock.now(), done };
    if (this.#closed || this.#queue.length >= CAPACITY) {
      this.#lose([waiting]);
      return;
    }
    this.#queue.push(waiting);
    if (this.#writing === undefined && this.#retry === undefined) void this.#write();
  }

  #lose(rows: readonly Waiting[]): void {
    if (rows.length === 0) return;
    this.#lost += rows.length;
    this.#parts.log.error({ lost: rows.length, lost_in_total: this.#lost }, 'rows of the audit log were lost');
    for (const { done } of rows) done();
  }

  #write(): Promise<void> {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#writing = this.#drain()
      .catch((error: unknown) => {
        this.#parts.log.warn(
          { error: String(error), pending: this.#queue.length },
          'the audit log cannot be written; trying again',
        );
        if (this.#closed) return;
        this.#retry = setTimeout(() => void this.#write(), RETRY_MS);
        this.#retry.unref();
      })
      .finally(() => {
        this.#writing = undefined;
        // Rows that came after the last look into the queue.
        if (this.#queue.length > 0 && this.#retry === undefined && !this.#closed) void this.#write();
      });
    return this.#writing;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      // Made before the transaction begins, since nobody else is served while it is open.
      const facts: AuditFacts[] = [];
      let characters = 0;
      for (const { entry, at } of this.#queue) {
        if (facts.length === BATCH_ROWS || characters >= BATCH_CHARACTERS) break;
        const row = factsOf(entry, at);
        characters += row.details.length;
        facts.push(row);
        const pause = breathe();
        if (pause !== undefined) await pause;
      }
      await this.#parts.store.db.transaction().execute((trx) => this.#append(trx, facts));
      for (const { done } of this.#queue.splice(0, facts.length)) done();
    }
  }

  /** Four statements, of however many workspaces the rows are: a minute's uses of credentials are of all of them. */
  async #append(trx: Db, facts: readonly AuditFacts[]): Promise<void> {
    const byWorkspace = Map.groupBy(facts, (row) => row.workspace_id);
    const heads = await holdAuditHeads(trx, [...byWorkspace.keys()], BEGINNING);
    const rows: AuditRow[] = [];
    const ends = heads.map(({ workspace_id, ...head }): AuditHeadTable => {
      let { seq, hash } = head;
      for (const one of byWorkspace.get(workspace_id) ?? []) {
        seq += 1;
        const row = { ...one, seq, previous_hash: hash, hash: '' };
        hash = hashOf(recordOf(row));
        rows.push({ ...row, hash });
      }
      return { workspace_id, seq, hash, seal: this.#parts.signer.sign('audit', workspace_id, String(seq), hash) };
    });
    // Without its chain's end a row would be taken for written that is not.
    if (rows.length !== facts.length) throw new Error('The end of a chain was not found.');
    await insertAuditRows(trx, rows, ends);
  }

  #isSealed({ workspace_id, seq, hash, seal }: AuditHeadTable): boolean {
    const parts = this.#parts.signer.verify('audit', seal);
    return parts?.length === 3 && parts[0] === workspace_id && parts[1] === String(seq) && parts[2] === hash;
  }
}

/** Text as the database gives it back, since what is hashed must be what is stored; without secrets. */
const auditText = (text: string | null | undefined): string | null =>
  text === null || text === undefined ? null : storableText(redactText(text));

/** What a row says, before it has its place in a chain. */
type AuditFacts = Omit<AuditRow, 'seq' | 'previous_hash' | 'hash'>;

function factsOf(entry: AuditEntry, at: Date): AuditFacts {
  let details = json(redact(entry.details ?? {}) as Record<string, unknown>);
  if (details.length > MAX_DETAILS) details = json({ omitted: 'too large', characters: details.length });
  return {
    workspace_id: entry.workspaceId,
    at,
    actor_kind: entry.actor.kind,
    actor_id: auditText(entry.actor.id),
    actor_name: auditText(entry.actor.name),
    action: storableText(entry.action),
    object_type: auditText(entry.objectType),
    object_id: auditText(entry.objectId)?.slice(0, 500).toWellFormed() ?? null,
    connection_id: auditText(entry.connectionId),
    outcome: storableText(entry.outcome ?? 'ok'),
    request_id: auditText(entry.requestId),
    ip_address: auditText(entry.ipAddress),
    details,
  };
}

function recordOf({ at, details, ...row }: AuditRow): AuditRecord {
  const { previous_hash, hash, ...facts } = row;
  return {
    ...facts,
    at: at.toISOString(),
    details: JSON.parse(details) as Record<string, unknown>,
    previous_hash,
    hash,
  };
}

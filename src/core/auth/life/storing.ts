/**
 * Renewed tokens on their way into the database: over the version that was read, and only then handed out. What the
 * database does not take waits here and is offered again; what somebody else's tokens came before is kept as rescued.
 */
import type { Clock } from '../../clock.ts';
import type { PlatformRegistry } from '../../connector/registry.ts';
import { PolyadError } from '../../errors/index.ts';
import type { Store, StoreLog } from '../../store/port.ts';
import { appendEvent, updateConnection, updateTokenLife } from '../../store/repositories/index.ts';
import type { ConnectionRow } from '../../store/schema.ts';
import { connectionOwner, expiryColumns, openTokens, type SealedTokens, TOKENS } from '../credentials.ts';
import type { SecretStore } from '../secret-store.ts';
import { endMoves } from './facts.ts';
import type { Held } from './lease.ts';
import { type LifeRecord, planFacts, planFor } from './plan.ts';
import { keepRescued } from './rescue.ts';
import { lifeAfter } from './sql.ts';
import { DAY_MS, WARNING_DAYS } from './state.ts';

/** Tokens as they are stored. */
export interface Opened {
  tokens: SealedTokens;
  /** Version of the secret. */
  version: number;
  /** Version of the connection's row that was current when it was opened. */
  rowVersion: number;
  /** Nothing renews these: their refresh token has ended, was refused, or does not exist. */
  final?: boolean;
  /** What callers are given while it serves, made once. */
  handedOut?: Promise<{ accessToken: string; kind: SealedTokens['kind'] }>;
}

/** New tokens: the only copy, as long as the database has not taken them. */
export interface Renewed {
  tokens: SealedTokens;
  /** What they replace. */
  stored: Opened;
  held: Held;
  /** Before the next try to store them, in ms; grows with each. */
  pauseMs?: number;
}

/** Tokens that the database did not take are offered to it again after 1 s, 2 s, 4 s … 30 s. */
const SAVE_AGAIN_MS = 1_000;
const SAVE_AGAIN_MAX_MS = 30_000;

export interface StoringParts {
  store: Store;
  secrets: SecretStore;
  registry: PlatformRegistry;
  clock: Clock;
  log: StoreLog;
}

export class TokenStoring {
  readonly #parts: StoringParts;
  readonly #unsaved = new Map<string, Renewed>();
  readonly #saving = new Map<string, NodeJS.Timeout>();

  constructor(parts: StoringParts) {
    this.#parts = parts;
  }

  /** The tokens as they are stored now. @throws PolyadError `connection_credentials_missing` */
  async stored(connection: ConnectionRow): Promise<Opened> {
    const stored = await openTokens(this.#parts.secrets, this.#parts.store.db, connection);
    if (stored === undefined)
      throw new PolyadError('connection_credentials_missing', { details: { connection_id: connection.id } });
    return { ...stored, rowVersion: connection.version };
  }

  /** Tokens of a connection that the database did not take yet. */
  waiting(connectionId: string): Renewed | undefined {
    return this.#unsaved.get(connectionId);
  }

  /** Forgets tokens that wait: their connection was authorised again. */
  forget(connectionId: string): void {
    this.#unsaved.delete(connectionId);
  }

  close(): void {
    for (const timer of this.#saving.values()) clearTimeout(timer);
    this.#saving.clear();
  }

  /** Stores renewed tokens over the version that was read, and only then hands them out. */
  async save(connection: ConnectionRow, unsaved: Renewed): Promise<Opened> {
    const { store, secrets, registry, clock, log } = this.#parts;
    const { tokens, stored, held } = unsaved;
    this.#unsaved.set(connection.id, unsaved);
    const now = clock.now();
    const record: LifeRecord = {
      ...held.record,
      failures: 0,
      refused_version: null,
      end_moves: endMoves(stored.tokens, tokens) ?? held.record.end_moves,
    };
    const platform = registry.get(connection.integration_type);
    const plan = planFor(tokens, planFacts(platform, connection, tokens, stored.version + 1, record), now);
    const far = plan.end === undefined || plan.end.getTime() - now.getTime() > WARNING_DAYS[0] * DAY_MS;
    let row: ConnectionRow;
    try {
      row = await store.db.transaction().execute(async (trx) => {
        await secrets.put(trx, connectionOwner(connection), TOKENS, { ...tokens }, { version: stored.version, now });
        const written = await updateConnection(
          trx,
          connection.workspace_id,
          connection.id,
          {
            ...expiryColumns(tokens),
            ...lifeAfter(now, 'renewed', ...(far ? (['end_moved'] as const) : [])),
            reauthorize_by: plan.end ?? null,
          },
          { now },
        );
        const { failures, refused_version, end_moves } = record;
        const patch = { failures, refused_version, end_moves, spending_version: null, spending_since: null };
        await updateTokenLife(trx, connection.id, { ...patch, next_at: plan.next }, held.owner);
        if (written.health_state !== 'reconnect_required') return written;
        // It was given up meanwhile, wrongly: the answer did come.
        await appendEvent(trx, written.workspace_id, { type: 'connection.recovered', connection_id: written.id }, now);
        const health = { health_state: 'healthy', unhealthy_code: null, unhealthy_message: null } as const;
        return updateConnection(trx, written.workspace_id, written.id, health, { now });
      });
    } catch (error) {
      const code = error instanceof PolyadError ? error.code : undefined;
      if (code === 'connection_not_found' || code === 'record_conflict') this.#unsaved.delete(connection.id);
      if (code === 'record_conflict') return this.#cameLate(connection, tokens, now);
      if (code !== 'connection_not_found') {
        // The lease is left to end by itself: while these tokens wait for the database, nobody else is to spend the old.
        held.released = true;
        this.#saveLater(connection, unsaved);
      }
      throw error;
    }
    held.released = true;
    this.#unsaved.delete(connection.id);
    if (stored.tokens.refresh_token !== tokens.refresh_token)
      log.debug({ connection_id: connection.id }, 'a refresh token was rotated');
    return { tokens, version: stored.version + 1, rowVersion: row.version };
  }

  /** Somebody else stored tokens first. Theirs are current; ours are kept, since they may be the ones that live. */
  async #cameLate(connection: ConnectionRow, tokens: SealedTokens, now: Date): Promise<Opened> {
    const { store, secrets, log } = this.#parts;
    const current = await this.stored(connection);
    if (current.tokens.authorized_at === tokens.authorized_at && tokens.refresh_token !== current.tokens.refresh_token)
      await keepRescued(secrets, store.db, connection, tokens, now);
    log.warn(
      { connection_id: connection.id },
      'tokens were replaced while they were being renewed; the stored ones are used',
    );
    return current;
  }

  #saveLater(connection: ConnectionRow, unsaved: Renewed): void {
    if (this.#saving.has(connection.id)) return;
    const pauseMs = unsaved.pauseMs ?? SAVE_AGAIN_MS;
    const timer = setTimeout(() => {
      this.#saving.delete(connection.id);
      if (this.#unsaved.get(connection.id) !== unsaved) return;
      unsaved.pauseMs = Math.min(SAVE_AGAIN_MAX_MS, pauseMs * 2);
      // A failure plans the next try itself.
      this.save(connection, unsaved).catch(() => undefined);
    }, pauseMs);
    timer.unref();
    this.#saving.set(connection.id, timer);
  }
}

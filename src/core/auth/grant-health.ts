/**
 * Whether grants work: marks those that are gone, refuses them here from then on, and notes now and then that the others
 * are well.
 */
import type { Clock } from '../clock.ts';
import type { Classification } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { Store, StoreLog } from '../store/port.ts';
import {
  appendEvent,
  getConnection,
  noteHealthy,
  updateConnection,
  updateTokenLife,
} from '../store/repositories/index.ts';
import type { ConnectionRow } from '../store/schema.ts';
import { openTokens } from './credentials.ts';
import { eventFacts } from './life/facts.ts';
import { lifeAfter } from './life/sql.ts';
import type { SecretStore } from './secret-store.ts';

export interface GrantHealthParts {
  store: Store;
  secrets: SecretStore;
  clock: Clock;
  log: StoreLog;
  /** Where the end customer authorises the connection again. */
  reconnectUrl(connection: ConnectionRow): string;
}

/** A healthy connection's row is touched at most this often, in ms. */
const HEALTHY_EVERY_MS = 5 * 60_000;
/** Most connections whose last note is remembered. */
const MAX_TOUCHED = 10_000;

export class GrantHealth {
  readonly #parts: GrantHealthParts;
  /** Dead up to and including this version of the row: closes the gap until a caller's row shows it. */
  readonly #dead = new Map<string, number>();
  /** By connection and refused token. */
  readonly #marking = new Map<string, Promise<boolean>>();
  readonly #touched = new Map<string, number>();

  constructor(parts: GrantHealthParts) {
    this.#parts = parts;
  }

  /** Nothing says that the grant is gone. */
  isAlive(connection: ConnectionRow): boolean {
    return connection.health_state !== 'reconnect_required' && !this.#dead.has(connection.id);
  }

  /** @throws PolyadError `connection_reconnect_required` for a connection whose grant is known to be gone. */
  refuseDead(connection: ConnectionRow): void {
    const deadUpTo = this.#dead.get(connection.id);
    const marked = connection.health_state === 'reconnect_required';
    if (deadUpTo !== undefined && connection.version > deadUpTo && !marked) {
      this.#dead.delete(connection.id);
      return;
    }
    if (deadUpTo !== undefined || marked) throw this.reconnectRequired(connection);
  }

  /** The error that every call of a dead connection ends with. */
  reconnectRequired(connection: ConnectionRow, cause?: Classification): PolyadError {
    const marked = connection.health_state === 'reconnect_required';
    const since = marked ? connection.last_unhealthy_at : this.#parts.clock.now();
    return new PolyadError('connection_reconnect_required', {
      details: {
        connection_id: connection.id,
        reconnect_url: this.#parts.reconnectUrl(connection),
        ...(since === null ? {} : { since: since.toISOString() }),
      },
      ...(cause === undefined
        ? {}
        : {
            platform: {
              integration_type: connection.integration_type,
              ...(cause.native.code === undefined ? {} : { code: cause.native.code }),
              ...(cause.native.message === undefined ? {} : { message: cause.native.message }),
            },
          }),
    });
  }

  /**
   * The platform says that the grant is gone. Many callers may say so at once: one mark, one event.
   *
   * @param token the access token that was refused, when known.
   * @param reason why it ended, for the event: `grant_refused`, `refresh_refused`, `refresh_answer_lost`,
   *   `authorization_ended`.
   * @returns true when another token has taken its place meanwhile: nothing was marked, the call may be repeated.
   */
  async markRevoked(
    connection: ConnectionRow,
    classification: Classification,
    token: string | undefined,
    reason = 'grant_refused',
  ): Promise<boolean> {
    const key = `${connection.id}/${token ?? ''}`;
    let marking = this.#marking.get(key);
    if (marking === undefined) {
      marking = this.#mark(connection, classification, token, reason).finally(() => this.#marking.delete(key));
      this.#marking.set(key, marking);
    }
    return marking;
  }

  /** A refusal of some grant is being noted. */
  get isMarking(): boolean {
    return this.#marking.size > 0;
  }

  /** Waits while a refusal of this grant is being noted: a call that went out meanwhile would only be refused, too. */
  async settled(connectionId: string): Promise<void> {
    for (const [key, marking] of this.#marking)
      if (key.startsWith(`${connectionId}/`)) await marking.catch(() => undefined);
  }

  /** A call succeeded. Writes when that is news, or the last note of it is old; never waits, never fails. */
  noteHealthy(connection: ConnectionRow): void {
    const { clock, log } = this.#parts;
    const now = clock.now();
    const touched = this.#touched.get(connection.id);
    // A success that overtook the news of a revocation does not bring the grant back: only authorising again does.
    if (connection.health_state === 'reconnect_required' || this.#dead.has(connection.id)) return;
    const news = connection.health_state !== 'healthy' && touched === undefined;
    const last = touched ?? connection.last_healthy_at?.getTime() ?? 0;
    if (!news && now.getTime() - last < HEALTHY_EVERY_MS) return;
    if (this.#touched.size >= MAX_TOUCHED) this.#touched.clear();
    this.#touched.set(connection.id, now.getTime());
    this.#writeHealthy(connection, now).catch((error: unknown) => {
      this.#touched.delete(connection.id);
      log.warn({ connection_id: connection.id, err: error }, 'the health of a connection could not be noted');
    });
  }

  /** Forgets what memory holds of a connection whose tokens were just replaced by its customer. */
  forget(connectionId: string): void {
    this.#dead.delete(connectionId);
    this.#touched.delete(connectionId);
  }

  async #writeHealthy(connection: ConnectionRow, now: Date): Promise<void> {
    const { db } = this.#parts.store;
    // The usual case costs one statement and no version, so that what is cached by version stays.
    if (connection.health_state === 'healthy' && (await noteHealthy(db, connection.id, now))) return;
    await db.transaction().execute(async (trx) => {
      const row = await getConnection(trx, connection.workspace_id, connection.id);
      if (row === undefined || row.health_state === 'reconnect_required' || row.health_state === 'healthy') return;
      await updateConnection(
        trx,
        row.workspace_id,
        row.id,
        { health_state: 'healthy', last_healthy_at: now, unhealthy_code: null, unhealthy_message: null },
        { now },
      );
      if (row.health_state === 'unhealthy')
        await appendEvent(trx, row.workspace_id, { type: 'connection.recovered', connection_id: row.id }, now);
    });
  }

  async #mark(
    connection: ConnectionRow,
    { native }: Classification,
    token: string | undefined,
    reason: string,
  ): Promise<boolean> {
    const { store, secrets, clock } = this.#parts;
    const now = clock.now();
    const outcome = await store.db.transaction().execute(async (trx) => {
      const row = await getConnection(trx, connection.workspace_id, connection.id);
      if (row === undefined) return undefined;
      const current = await openTokens(secrets, trx, row);
      // The tokens were replaced while the refused call was under way: the refusal was about the old ones.
      if (token !== undefined && current !== undefined && current.tokens.access_token !== token)
        return 'replaced' as const;
      if (row.health_state === 'reconnect_required') return row.version;
      // What ends now by the clock was refused its renewal before: that is what the customer's side must hear.
      const known = reason === 'authorization_ended' ? row.unhealthy_message : null;
      const message = known ?? native.message ?? null;
      const written = await updateConnection(
        trx,
        row.workspace_id,
        row.id,
        {
          health_state: 'reconnect_required',
          unhealthy_code: 'connection_reconnect_required',
          unhealthy_message: message,
          last_unhealthy_at: now,
          ...lifeAfter(now, 'grant_gone'),
        },
        { now },
      );
      // Nobody looks at its tokens again until the customer authorises anew.
      await updateTokenLife(trx, row.id, { next_at: null, failures: 0 });
      await appendEvent(
        trx,
        row.workspace_id,
        {
          type: 'connection.reconnect_required',
          connection_id: row.id,
          payload: {
            ...eventFacts(row),
            reason,
            platform_code: native.code ?? null,
            platform_message: message,
          },
        },
        now,
      );
      return written.version;
    });
    if (typeof outcome === 'number') this.#dead.set(connection.id, outcome);
    return outcome === 'replaced';
  }
}

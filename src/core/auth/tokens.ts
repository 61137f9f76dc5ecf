/**
 * Token care: one place that opens tokens, renews them, and knows when a grant is gone.
 *
 * Rules: one refresh at a time per connection; a renewed token is stored before anyone uses it; a refresh that the
 * platform refuses means nothing until the store has been read again (another process may have rotated the token); only a
 * refusal about the grant itself ends a connection, never an outage; and what has ended is refused here, not asked again.
 */
import type { AppCredentials, TokenSource } from '../calls/ports.ts';
import type { Clock } from '../clock.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { Classification, Environment, Hosts, Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { HttpClient } from '../http/client.ts';
import type { Store, StoreLog } from '../store/port.ts';
import { appendEvent, getConnection, updateConnection } from '../store/repositories/index.ts';
import type { ConnectionRow } from '../store/schema.ts';
import {
  connectionOwner,
  expiryColumns,
  grantOf,
  openTokens,
  type SealedTokens,
  TOKENS,
  toSealed,
} from './credentials.ts';
import { freshness, refreshable } from './expiry.ts';
import type { SecretStore } from './secret-store.ts';
import { failureOf, runTokenCall } from './token-calls.ts';

/**
 * Lets one holder at a time work on a connection's tokens. The default serves one process; several nodes need one that
 * they share, whose lease outlasts `TOKEN_CALL_DEADLINE_MS`.
 */
export interface RefreshLease {
  hold<T>(connectionId: string, work: () => Promise<T>): Promise<T>;
}

/** No other process refreshes: nothing to wait for (calls within this process are joined before). */
export const localLease: RefreshLease = { hold: (_connectionId, work) => work() };

export interface TokensParts {
  store: Store;
  secrets: SecretStore;
  registry: PlatformRegistry;
  http: HttpClient;
  clock: Clock;
  log: StoreLog;
  hosts(platform: Platform, environment: Environment): Hosts;
  /** App credentials as the workspace stored them; undefined when it has none in that environment. */
  appCredentials(workspaceId: string, type: string, environment: string): Promise<AppCredentials | undefined>;
  /** Where the end customer authorises the connection again. */
  reconnectUrl(connection: ConnectionRow): string;
  lease?: RefreshLease;
}

interface Opened {
  tokens: SealedTokens;
  /** Version of the secret. */
  version: number;
  /** Version of the connection's row that was current when it was opened. */
  rowVersion: number;
}

/** A healthy connection's row is touched at most this often, in ms. */
const HEALTHY_EVERY_MS = 5 * 60_000;
/** After a failed early renewal the still valid token is used for this long before the next try, in ms. */
const RENEWAL_PAUSE_MS = 30_000;
/** Most tokens kept open in memory. */
const MAX_OPEN = 10_000;

export class Tokens implements TokenSource {
  readonly #parts: TokensParts;
  readonly #lease: RefreshLease;
  readonly #open = new Map<string, Opened>();
  readonly #refreshing = new Map<string, Promise<Opened>>();
  /** Connections that are being tested before they are stored. */
  readonly #provisional = new Map<string, SealedTokens>();
  /** Dead up to and including this version of the row: closes the gap until a caller's row shows it. */
  readonly #dead = new Map<string, number>();
  /** Version of the secret whose token a call was given, by the row that the call carries. */
  readonly #given = new WeakMap<ConnectionRow, number>();
  readonly #revoking = new Map<string, Promise<void>>();
  /** Renewed tokens that the database did not take yet: the only copy of a rotated token. */
  readonly #unsaved = new Map<string, { tokens: SealedTokens; over: number }>();
  readonly #touched = new Map<string, number>();
  readonly #pausedUntil = new Map<string, number>();
  readonly #stopListening: () => void;
  #epoch = 0;
  #caching = true;

  constructor(parts: TokensParts) {
    this.#parts = parts;
    this.#lease = parts.lease ?? localLease;
    this.#stopListening = parts.store.listenInvalidations((news) => {
      this.#epoch += 1;
      if (news.event === 'changed') {
        if (news.kind === 'connection') this.#open.delete(news.id);
        return;
      }
      this.#open.clear();
      this.#caching = news.event === 'restored';
    });
  }

  close(): void {
    this.#stopListening();
    this.#open.clear();
  }

  /**
   * A token that works now, as far as anyone here knows. `expired` names a token that the platform has just called
   * expired, so that it is renewed whatever its end on paper is.
   *
   * @throws PolyadError `connection_paused`, `connection_credentials_missing`, `connection_reconnect_required` (without
   *   asking the platform), or what a failed refresh means.
   */
  async tokenFor(
    connection: ConnectionRow,
    expired?: string,
  ): Promise<{ accessToken: string; kind: SealedTokens['kind'] }> {
    const provisional = this.#provisional.get(connection.id);
    if (provisional !== undefined) return { accessToken: provisional.access_token, kind: provisional.kind };
    if (connection.is_paused) throw new PolyadError('connection_paused', { details: { connection_id: connection.id } });
    this.#refuseDead(connection);
    const opened = await this.#openTokens(connection);
    const { tokens, version } = await this.#fresh(connection, opened, expired);
    this.#given.set(connection, version);
    return { accessToken: tokens.access_token, kind: tokens.kind };
  }

  /** App credentials of the connection's integration; undefined where there are none. */
  appFor(connection: ConnectionRow): Promise<AppCredentials | undefined> {
    return this.#parts.appCredentials(connection.workspace_id, connection.integration_type, connection.environment);
  }

  /** Lets `probe` call the platform with tokens that are not stored yet, for the connection id given. */
  async withProvisional<T>(connectionId: string, tokens: SealedTokens, probe: () => Promise<T>): Promise<T> {
    this.#provisional.set(connectionId, tokens);
    try {
      return await probe();
    } finally {
      this.#provisional.delete(connectionId);
    }
  }

  /**
   * The platform says that the grant is gone: from now on calls are refused here, the connection says so, and one event
   * tells it. Losing one ad account is not this: its classification has another scope.
   *
   * @throws PolyadError `record_conflict` when the refused token has been replaced meanwhile: the call may be repeated.
   */
  async reportRevoked(connection: ConnectionRow, classification: Classification): Promise<{ reconnectUrl: string }> {
    const reconnectUrl = this.#parts.reconnectUrl(connection);
    if (classification.scope !== 'connection' || this.#provisional.has(connection.id)) return { reconnectUrl };
    this.#dead.set(connection.id, Math.max(connection.version, this.#dead.get(connection.id) ?? 0));
    let marking = this.#revoking.get(connection.id);
    if (marking === undefined) {
      marking = this.#markRevoked(connection, classification).finally(() => this.#revoking.delete(connection.id));
      this.#revoking.set(connection.id, marking);
    }
    await marking;
    return { reconnectUrl };
  }

  /** A call succeeded. Writes when that is news, or the last note of it is old; never waits, never fails. */
  reportHealthy(connection: ConnectionRow): void {
    if (this.#provisional.has(connection.id)) return;
    const { clock, store, log } = this.#parts;
    const now = clock.now();
    const last = this.#touched.get(connection.id) ?? connection.last_healthy_at?.getTime() ?? 0;
    // A success that overtook the news of a revocation does not bring the grant back: only authorising again does.
    if (connection.health_state === 'reconnect_required' || this.#dead.has(connection.id)) return;
    const news = connection.health_state !== 'healthy' && !this.#touched.has(connection.id);
    if (!news && now.getTime() - last < HEALTHY_EVERY_MS) return;
    if (this.#touched.size >= MAX_OPEN) this.#touched.clear();
    this.#touched.set(connection.id, now.getTime());
    void store.db
      .transaction()
      .execute(async (trx) => {
        const row = await getConnection(trx, connection.workspace_id, connection.id);
        if (row === undefined || row.health_state === 'reconnect_required') return;
        await updateConnection(
          trx,
          row.workspace_id,
          row.id,
          { health_state: 'healthy', last_healthy_at: now, unhealthy_code: null, unhealthy_message: null },
          { now },
        );
        if (row.health_state === 'unhealthy')
          await appendEvent(trx, row.workspace_id, { type: 'connection.recovered', connection_id: row.id }, now);
      })
      .catch((error: unknown) => {
        this.#touched.delete(connection.id);
        log.warn({ connection_id: connection.id, err: error }, 'the health of a connection could not be noted');
      });
  }

  /** Forgets what memory holds of a connection whose tokens were just replaced by its customer. */
  forget(connectionId: string): void {
    this.#epoch += 1;
    this.#open.delete(connectionId);
    this.#dead.delete(connectionId);
    this.#touched.delete(connectionId);
    this.#unsaved.delete(connectionId);
    this.#pausedUntil.delete(connectionId);
  }

  /** The tokens of a connection as they are sealed; undefined when there are none. For services beside this one. */
  async sealed(connection: ConnectionRow): Promise<SealedTokens | undefined> {
    return (await openTokens(this.#parts.secrets, this.#parts.store.db, connection))?.tokens;
  }

  #refuseDead(connection: ConnectionRow): void {
    const deadUpTo = this.#dead.get(connection.id);
    if (deadUpTo !== undefined && connection.version > deadUpTo && connection.health_state !== 'reconnect_required') {
      this.#dead.delete(connection.id);
      return;
    }
    if (deadUpTo === undefined && connection.health_state !== 'reconnect_required') return;
    throw this.#reconnectRequired(connection);
  }

  #reconnectRequired(connection: ConnectionRow, cause?: Classification): PolyadError {
    const since =
      connection.health_state === 'reconnect_required' ? connection.last_unhealthy_at : this.#parts.clock.now();
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

  async #markRevoked(connection: ConnectionRow, classification: Classification): Promise<void> {
    const { store, clock } = this.#parts;
    const now = clock.now();
    const used = this.#given.get(connection);
    const version = await store.db.transaction().execute(async (trx) => {
      const row = await getConnection(trx, connection.workspace_id, connection.id);
      if (row === undefined || row.health_state === 'reconnect_required') return row?.version;
      const current = await openTokens(this.#parts.secrets, trx, row);
      // The tokens were replaced while the refused call was under way: the refusal was about the old ones.
      if (used !== undefined && current !== undefined && current.version !== used) return 'replaced' as const;
      const written = await updateConnection(
        trx,
        row.workspace_id,
        row.id,
        {
          health_state: 'reconnect_required',
          unhealthy_code: 'connection_reconnect_required',
          unhealthy_message: classification.native.message ?? null,
          last_unhealthy_at: now,
        },
        { now },
      );
      await appendEvent(
        trx,
        row.workspace_id,
        {
          type: 'connection.reconnect_required',
          connection_id: row.id,
          payload: {
            integration_type: row.integration_type,
            environment: row.environment,
            external_xref: row.external_xref,
            platform_code: classification.native.code ?? null,
            platform_message: classification.native.message ?? null,
          },
        },
        now,
      );
      return written.version;
    });
    this.#open.delete(connection.id);
    if (typeof version === 'number') {
      this.#dead.set(connection.id, version);
      return;
    }
    this.#dead.delete(connection.id);
    if (version === 'replaced')
      throw new PolyadError('record_conflict', {
        message: 'The connection was authorised again while this call was under way.',
        details: { connection_id: connection.id },
      });
  }

  async #openTokens(connection: ConnectionRow): Promise<Opened> {
    const cached = this.#open.get(connection.id);
    if (cached !== undefined && cached.rowVersion >= connection.version) return cached;
    const epoch = this.#epoch;
    const opened = await this.#stored(connection);
    if (this.#caching && epoch === this.#epoch) this.#remember(connection.id, opened);
    return opened;
  }

  #remember(connectionId: string, opened: Opened): void {
    if (this.#open.size >= MAX_OPEN) this.#open.delete(this.#open.keys().next().value as string);
    this.#open.set(connectionId, opened);
  }

  async #fresh(connection: ConnectionRow, opened: Opened, expired: string | undefined): Promise<Opened> {
    const now = this.#parts.clock.now();
    const refused = expired !== undefined && opened.tokens.access_token === expired;
    const state = refused ? 'over' : freshness(opened.tokens, now);
    if (state === 'fresh') return opened;
    if (
      state === 'due' &&
      (!refreshable(opened.tokens, now) || (this.#pausedUntil.get(connection.id) ?? 0) > now.getTime())
    )
      return opened;
    let running = this.#refreshing.get(connection.id);
    if (running === undefined) {
      running = this.#lease
        .hold(connection.id, () => this.#refresh(connection, expired))
        .finally(() => this.#refreshing.delete(connection.id));
      this.#refreshing.set(connection.id, running);
    }
    if (state === 'over') return running;
    // Early renewal: its failure is no reason to refuse a call that the present token still serves.
    return running.catch((error: unknown) => {
      this.#pausedUntil.set(connection.id, now.getTime() + RENEWAL_PAUSE_MS);
      this.#parts.log.warn(
        { connection_id: connection.id, code: (error as { code?: string }).code },
        'early token renewal failed',
      );
      return opened;
    });
  }

  /** Runs with the lease held: reads what is stored now, renews if that is still needed, stores, answers. */
  async #refresh(connection: ConnectionRow, expired: string | undefined): Promise<Opened> {
    const { clock, registry, http, hosts } = this.#parts;
    const stored = await this.#stored(connection);
    const waiting = this.#unsaved.get(connection.id);
    if (waiting !== undefined && waiting.over === stored.version)
      return this.#save(connection, waiting.tokens, stored.version);
    const now = clock.now();
    if (stored.tokens.access_token !== expired && freshness(stored.tokens, now) === 'fresh') return stored;

    const platform = registry.get(connection.integration_type);
    const grant = grantOf(platform, stored.tokens.grant);
    if (grant?.refresh === undefined || !refreshable(stored.tokens, now))
      return this.#ended(connection, stored.tokens, now);
    const app = await this.appFor(connection);
    if (app === undefined)
      throw new PolyadError('integration_not_configured', {
        message: `The token of this connection must be renewed, and the workspace has no ${platform.manifest.name} app credentials in its environment.`,
        details: { integration_type: connection.integration_type, environment: connection.environment },
      });
    let renewed: SealedTokens;
    try {
      const answer = await runTokenCall(
        {
          platform,
          hosts: hosts(platform, connection.environment as Environment),
          call: grant.refresh,
          values: { ...app, refresh_token: stored.tokens.refresh_token, access_token: stored.tokens.access_token },
          repeatable: true,
        },
        { http, clock },
      );
      renewed = toSealed(grant, grant.readTokens(answer), clock.now(), stored.tokens);
    } catch (error) {
      const failure = failureOf(error);
      if (failure?.scope !== 'connection') throw error;
      const again = await this.#stored(connection);
      if (again.version !== stored.version) return again;
      if (freshness(stored.tokens, clock.now()) === 'due') throw error;
      await this.reportRevoked(connection, failure);
      throw this.#reconnectRequired(connection, failure);
    }
    return this.#save(connection, renewed, stored.version);
  }

  /** An access token that is over and cannot be renewed. */
  async #ended(connection: ConnectionRow, tokens: SealedTokens, now: Date): Promise<never> {
    const failure: Classification = {
      code: 'connection_reconnect_required',
      retry: 'never',
      scope: 'connection',
      native: {
        message:
          tokens.refresh_expires_at !== undefined && Date.parse(tokens.refresh_expires_at) <= now.getTime()
            ? `The authorization ended on ${tokens.refresh_expires_at}.`
            : `The access token has expired and there is nothing to renew it with.`,
      },
    };
    await this.reportRevoked(connection, failure);
    throw this.#reconnectRequired(connection);
  }

  /** Stores renewed tokens over version `over`, and only then hands them out. */
  async #save(connection: ConnectionRow, tokens: SealedTokens, over: number): Promise<Opened> {
    const { store, secrets, clock, log } = this.#parts;
    this.#unsaved.set(connection.id, { tokens, over });
    const now = clock.now();
    let row: ConnectionRow;
    try {
      row = await store.db.transaction().execute(async (trx) => {
        await secrets.put(trx, connectionOwner(connection), TOKENS, { ...tokens }, { version: over, now });
        return updateConnection(trx, connection.workspace_id, connection.id, expiryColumns(tokens), { now });
      });
    } catch (error) {
      if (!(error instanceof PolyadError) || error.code !== 'record_conflict') throw error;
      this.#unsaved.delete(connection.id);
      log.warn(
        { connection_id: connection.id },
        'tokens were replaced while they were being renewed; the stored ones are used',
      );
      return this.#stored(connection);
    }
    this.#unsaved.delete(connection.id);
    this.#pausedUntil.delete(connection.id);
    const opened = { tokens, version: over + 1, rowVersion: row.version };
    if (this.#caching) this.#remember(connection.id, opened);
    return opened;
  }

  async #stored(connection: ConnectionRow): Promise<Opened> {
    const stored = await openTokens(this.#parts.secrets, this.#parts.store.db, connection);
    if (stored === undefined)
      throw new PolyadError('connection_credentials_missing', { details: { connection_id: connection.id } });
    return { ...stored, rowVersion: connection.version };
  }
}

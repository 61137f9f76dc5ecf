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
import type { Pacer } from '../pacing/pacer.ts';
import type { Store, StoreLog } from '../store/port.ts';
import { updateConnection } from '../store/repositories/index.ts';
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
import { GrantHealth } from './grant-health.ts';
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
  /** Counts token calls against the app's quotas; absent = they are not counted. */
  pacer?: Pacer | undefined;
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

/** After a failed early renewal the still valid token is used for this long before the next try, in ms. */
const RENEWAL_PAUSE_MS = 30_000;
/** Most tokens kept open in memory. */
const MAX_OPEN = 10_000;

export class Tokens implements TokenSource {
  readonly #parts: TokensParts;
  readonly #health: GrantHealth;
  readonly #lease: RefreshLease;
  readonly #open = new Map<string, Opened>();
  readonly #refreshing = new Map<string, Promise<Opened>>();
  /** Connections that are being tested before they are stored. */
  readonly #provisional = new Map<string, SealedTokens>();
  /** Renewed tokens that the database did not take yet: the only copy of a rotated token. */
  readonly #unsaved = new Map<string, { tokens: SealedTokens; over: number }>();
  readonly #pausedUntil = new Map<string, number>();
  readonly #stopListening: () => void;
  #epoch = 0;
  #caching = true;

  constructor(parts: TokensParts) {
    this.#parts = parts;
    this.#health = new GrantHealth(parts);
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
    await this.#health.settled(connection.id);
    this.#health.refuseDead(connection);
    const opened = await this.#openTokens(connection);
    const { tokens } = await this.#fresh(connection, opened, expired);
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
   * tells it. Losing one ad account is not this: its classification has another scope. Nor is the refusal of a token that
   * is not the current one any more (`replaced`).
   */
  async reportRevoked(
    connection: ConnectionRow,
    classification: Classification,
    token?: string,
  ): Promise<{ reconnectUrl: string; replaced?: boolean }> {
    const reconnectUrl = this.#parts.reconnectUrl(connection);
    if (classification.scope !== 'connection' || this.#provisional.has(connection.id)) return { reconnectUrl };
    try {
      return { reconnectUrl, replaced: await this.#health.markRevoked(connection, classification, token) };
    } finally {
      this.#open.delete(connection.id);
    }
  }

  /** A call succeeded. Never waits, never fails. */
  reportHealthy(connection: ConnectionRow): void {
    if (!this.#provisional.has(connection.id)) this.#health.noteHealthy(connection);
  }

  /** Forgets what memory holds of a connection whose tokens were just replaced by its customer. */
  forget(connectionId: string): void {
    this.#epoch += 1;
    this.#open.delete(connectionId);
    this.#health.forget(connectionId);
    this.#unsaved.delete(connectionId);
    this.#pausedUntil.delete(connectionId);
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
    const { clock, registry, http, hosts, pacer } = this.#parts;
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
          environment: connection.environment as Environment,
          hosts: hosts(platform, connection.environment as Environment),
          call: grant.refresh,
          values: { ...app, refresh_token: stored.tokens.refresh_token, access_token: stored.tokens.access_token },
          repeatable: true,
        },
        { http, clock, pacer },
      );
      renewed = toSealed(grant, grant.readTokens(answer), clock.now(), stored.tokens);
    } catch (error) {
      const failure = failureOf(error);
      if (failure?.scope !== 'connection') throw error;
      const again = await this.#stored(connection);
      if (again.version !== stored.version) return again;
      if (freshness(stored.tokens, clock.now()) === 'due') throw error;
      await this.reportRevoked(connection, failure);
      throw this.#health.reconnectRequired(connection, failure);
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
    throw this.#health.reconnectRequired(connection);
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

/**
 * Token care: the one place that hands out tokens, has them renewed, and knows when a grant is gone.
 *
 * Rules: a token that still works is used while its renewal runs; one renewal at a time per connection, in this process
 * (joined here) and on all nodes (`life/lease.ts`); a renewed token is stored before anyone uses it; only a refusal about
 * the grant itself ends a connection, never an outage; and what has ended is refused here, not asked again.
 */
import type { CredentialUse } from '../audit/uses.ts';
import type { AppCredentials, TokenSource } from '../calls/ports.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { Classification, Environment, Hosts, Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { knownSecrets } from '../http/redact-values.ts';
import type { Store, StoreLog } from '../store/port.ts';
import type { ConnectionRow } from '../store/schema.ts';
import type { SealedTokens } from './credentials.ts';
import { freshness, refreshable } from './expiry.ts';
import { GrantHealth } from './grant-health.ts';
import { type RefreshLease, StoreLease } from './life/lease.ts';
import { OrganizationAccess } from './life/organizations.ts';
import { Outages } from './life/outages.ts';
import { retryPause } from './life/plan.ts';
import { type Need, Renewals } from './life/renewal.ts';
import type { StepHook } from './life/steps.ts';
import type { Opened } from './life/storing.ts';
import type { SecretStore } from './secret-store.ts';
import type { TokenCallTools } from './token-calls.ts';

export interface TokensParts extends TokenCallTools {
  store: Store;
  secrets: SecretStore;
  registry: PlatformRegistry;
  log: StoreLog;
  hosts(platform: Platform, environment: Environment): Hosts;
  /** App credentials as the workspace stored them; undefined when it has none in that environment. */
  appCredentials(workspaceId: string, type: string, environment: string): Promise<AppCredentials | undefined>;
  /** Where the end customer authorises the connection again. */
  reconnectUrl(connection: ConnectionRow): string;
  /** Default: a row of the store. */
  lease?: RefreshLease | undefined;
  /** Called at each step of a renewal: fault injection. */
  onStep?: StepHook | undefined;
  /** 0 ≤ x < 1; jitter of pauses. Default Math.random. */
  random?: (() => number) | undefined;
  /** Told of each use of a customer's credential. */
  used?: ((use: CredentialUse) => void) | undefined;
}

interface HandedOut {
  accessToken: string;
  kind: SealedTokens['kind'];
}

/** A token in use is one that no text of ours may show. */
function handedOut({ access_token, kind }: SealedTokens): HandedOut {
  knownSecrets.learn(access_token);
  return { accessToken: access_token, kind };
}

/** Most tokens kept open in memory. */
const MAX_OPEN = 10_000;

export class Tokens implements TokenSource {
  /** Token endpoints that do not answer. */
  readonly outages: Outages;
  readonly health: GrantHealth;
  readonly organizations: OrganizationAccess;
  readonly #parts: TokensParts;
  readonly #renewals: Renewals;
  readonly #open = new Map<string, Opened>();
  readonly #renewing = new Map<string, Promise<Opened>>();
  /** Connections that are being tested before they are stored. */
  readonly #provisional = new Map<string, SealedTokens>();
  /** Early renewals that failed: how often in a row, and until when callers start no other. */
  readonly #pauses = new Map<string, { failures: number; until: number }>();
  /** By connection: a token that the platform has called expired, whatever its end on paper is. */
  readonly #expired = new Map<string, string>();
  readonly #stopListening: () => void;
  #epoch = 0;
  #caching = true;

  constructor(parts: TokensParts) {
    this.#parts = parts;
    this.health = new GrantHealth(parts);
    this.outages = new Outages(parts);
    this.organizations = new OrganizationAccess(parts);
    this.#renewals = new Renewals({
      ...parts,
      lease: parts.lease ?? new StoreLease(parts.store, { log: parts.log }),
      outages: this.outages,
      health: this.health,
      appFor: (connection) => this.appFor(connection),
    });
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

  /** Waits for renewals that are under way: their tokens must be stored. Then forgets everything. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#renewing.values());
    this.#renewals.close();
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
  tokenFor(connection: ConnectionRow, expired?: string): Promise<HandedOut> {
    return (expired === undefined ? this.#atHand(connection) : undefined) ?? this.#obtain(connection, expired);
  }

  /** The answer for a connection of which nothing is in doubt: most calls need no more than a look. */
  #atHand(connection: ConnectionRow): Promise<HandedOut> | undefined {
    const opened = this.#open.get(connection.id);
    if (opened === undefined || opened.rowVersion < connection.version || connection.is_paused) return undefined;
    if (this.health.isMarking || !this.health.isAlive(connection)) return undefined;
    if (this.#provisional.has(connection.id) || this.#expired.has(connection.id)) return undefined;
    if (freshness(opened.tokens, this.#parts.clock.now()) !== 'fresh') return undefined;
    knownSecrets.learn(opened.tokens.access_token);
    opened.handedOut ??= Promise.resolve(handedOut(opened.tokens));
    return opened.handedOut;
  }

  async #obtain(connection: ConnectionRow, expired: string | undefined): Promise<HandedOut> {
    const provisional = this.#provisional.get(connection.id);
    if (provisional !== undefined) return handedOut(provisional);
    if (connection.is_paused) throw new PolyadError('connection_paused', { details: { connection_id: connection.id } });
    if (this.health.isMarking) await this.health.settled(connection.id);
    this.health.refuseDead(connection);
    const opened = await this.#openTokens(connection);
    return handedOut((await this.#fresh(connection, opened, expired)).tokens);
  }

  /** App credentials of the connection's integration; undefined where there are none. */
  appFor(connection: ConnectionRow): Promise<AppCredentials | undefined> {
    return this.#parts.appCredentials(connection.workspace_id, connection.integration_type, connection.environment);
  }

  /**
   * Renews the tokens of `version` now, although callers would not have to wait for it yet. Answers what is stored then.
   *
   * @throws PolyadError what a failed refresh means.
   */
  renew(connection: ConnectionRow, version: number): Promise<Opened> {
    return this.#renew(connection, { version });
  }

  /** The tokens as they are stored. @throws PolyadError `connection_credentials_missing` */
  stored(connection: ConnectionRow): Promise<Opened> {
    return this.#renewals.stored(connection);
  }

  /**
   * Tokens that somebody brings, renewed if their access token has run out already: so that they can be tested. A rotated
   * refresh token is in the answer and nowhere else.
   */
  async renewUnstored(connection: ConnectionRow, tokens: SealedTokens): Promise<SealedTokens> {
    const now = this.#parts.clock.now();
    if (freshness(tokens, now) !== 'over' || !refreshable(tokens, now)) return tokens;
    const platform = this.#parts.registry.get(connection.integration_type);
    const environment = connection.environment as Environment;
    return this.#renewals.renewUnstored({ platform, environment, app: await this.appFor(connection) }, tokens);
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
      return { reconnectUrl, replaced: await this.health.markRevoked(connection, classification, token) };
    } finally {
      this.#open.delete(connection.id);
    }
  }

  /** A call succeeded, about an ad account if it names one. Never waits, never fails. */
  reportHealthy(connection: ConnectionRow, organizationId?: string): void {
    if (this.#provisional.has(connection.id)) return;
    this.health.noteHealthy(connection);
    if (organizationId !== undefined) void this.organizations.works(connection, organizationId);
  }

  /** The platform refuses one ad account and not the grant. Never fails. */
  async reportOrganizationLost(
    connection: ConnectionRow,
    organizationId: string,
    classification: Classification,
  ): Promise<void> {
    if (this.#provisional.has(connection.id)) return;
    await this.organizations.lost(connection, organizationId, classification.native);
  }

  /** Forgets what memory holds of a connection whose tokens were just replaced by its customer. */
  forget(connectionId: string): void {
    this.#epoch += 1;
    this.#open.delete(connectionId);
    this.health.forget(connectionId);
    this.#renewals.forget(connectionId);
    this.#pauses.delete(connectionId);
    this.#expired.delete(connectionId);
  }

  async #openTokens(connection: ConnectionRow): Promise<Opened> {
    const cached = this.#open.get(connection.id);
    if (cached !== undefined && cached.rowVersion >= connection.version) return cached;
    const epoch = this.#epoch;
    const opened = await this.#renewals.stored(connection);
    if (epoch === this.#epoch) this.#remember(connection.id, opened);
    return opened;
  }

  #remember(connectionId: string, opened: Opened): void {
    if (!this.#caching) return;
    if (this.#open.size >= MAX_OPEN) this.#open.delete(this.#open.keys().next().value as string);
    this.#open.set(connectionId, opened);
  }

  async #fresh(connection: ConnectionRow, opened: Opened, expired: string | undefined): Promise<Opened> {
    const now = this.#parts.clock.now();
    const { access_token: token } = opened.tokens;
    if (expired !== undefined) this.#expired.set(connection.id, expired);
    // Also for those who come while the renewal that this caused is under way.
    const refused = this.#expired.get(connection.id) === token ? token : undefined;
    const state = refused !== undefined ? 'over' : freshness(opened.tokens, now);
    if (state === 'fresh') return opened;
    if (state === 'over') {
      let renewed = await this.#renew(connection, { expired: refused });
      // It may have joined one that knew nothing of the refusal, or that began so long ago that its token is over too.
      for (let again = 0; again < 2 && !this.#serves(renewed, refused); again += 1)
        renewed = await this.#renew(connection, { expired: refused });
      if (this.#expired.get(connection.id) === refused) this.#expired.delete(connection.id);
      return renewed;
    }
    // Time to renew, and no reason to wait for it, nor to fail when it does: the present token still serves.
    const pause = this.#pauses.get(connection.id);
    const idle = opened.final === true || !refreshable(opened.tokens, now) || (pause?.until ?? 0) > now.getTime();
    if (!idle && !this.#renewing.has(connection.id)) this.#renewEarly(connection, pause?.failures ?? 0);
    return opened;
  }

  #serves({ tokens }: Opened, refused: string | undefined): boolean {
    return tokens.access_token !== refused && freshness(tokens, this.#parts.clock.now()) !== 'over';
  }

  #renewEarly(connection: ConnectionRow, failures: number): void {
    const { clock, log, random = Math.random } = this.#parts;
    this.#renew(connection, {}).then(
      () => this.#pauses.delete(connection.id),
      (error: unknown) => {
        const until = clock.now().getTime() + retryPause(failures + 1, random());
        this.#pauses.set(connection.id, { failures: failures + 1, until });
        const { code } = error as { code?: string };
        log.warn({ connection_id: connection.id, code }, 'early token renewal failed');
      },
    );
  }

  /** Joins the renewal that is under way in this process, or starts one. */
  #renew(connection: ConnectionRow, need: Need): Promise<Opened> {
    let running = this.#renewing.get(connection.id);
    if (running === undefined) {
      running = this.#renewals
        .renew(connection, need)
        .then((opened) => {
          this.#pauses.delete(connection.id);
          this.#remember(connection.id, opened);
          return opened;
        })
        .finally(() => this.#renewing.delete(connection.id));
      this.#renewing.set(connection.id, running);
    }
    return running;
  }
}

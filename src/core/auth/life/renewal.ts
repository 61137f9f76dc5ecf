/**
 * One renewal of a connection's tokens, from the lease to the stored result.
 *
 * What must hold, whatever dies when: one renewal at a time per connection over all nodes; a refresh token is on record as
 * being spent before it is sent; new tokens are committed before anyone gets them; a refusal means nothing until the store
 * has been read again and every token that may be the living one was tried; trouble that says nothing about the grant
 * never ends it.
 */
import type { CredentialUse } from '../../audit/uses.ts';
import type { AppCredentials } from '../../calls/ports.ts';
import type { GrantRecipe } from '../../connector/auth-spec.ts';
import type { Classification, Environment, Hosts, Platform } from '../../connector/types.ts';
import { PolyadError } from '../../errors/index.ts';
import { appendEvent, noteLife, updateConnection, updateTokenLife } from '../../store/repositories/index.ts';
import type { ConnectionRow } from '../../store/schema.ts';
import { grantOf, type SealedTokens, toSealed } from '../credentials.ts';
import { freshness, refreshable } from '../expiry.ts';
import type { GrantHealth } from '../grant-health.ts';
import { answerLost, failureOf, runTokenCall, type TokenCallTools } from '../token-calls.ts';
import { dueFacts, endedBy, withLostAnswer } from './facts.ts';
import type { Held, RefreshLease } from './lease.ts';
import type { Outages } from './outages.ts';
import { knownEnd, type LifeRecord, planFacts, retryPause } from './plan.ts';
import { dropRescued, rescuedTokens } from './rescue.ts';
import { lifeAfter } from './sql.ts';
import type { RefreshStep, StepHook } from './steps.ts';
import { type Opened, type StoringParts, TokenStoring } from './storing.ts';

/** Why a renewal is wanted. Without a reason it happens only when the token is due or over by the clock. */
export interface Need {
  /** The access token that the platform has just called expired. */
  expired?: string | undefined;
  /** Version of the tokens that are to be renewed although callers would not have to yet. */
  version?: number | undefined;
}

export interface RenewalParts extends StoringParts, TokenCallTools {
  lease: RefreshLease;
  outages: Outages;
  health: GrantHealth;
  hosts(platform: Platform, environment: Environment): Hosts;
  appFor(connection: ConnectionRow): Promise<AppCredentials | undefined>;
  onStep?: StepHook | undefined;
  /** 0 ≤ x < 1; jitter of pauses. */
  random?: (() => number) | undefined;
  /** Told of each use of a customer's credential. */
  used?: ((use: CredentialUse) => void) | undefined;
}

export class Renewals {
  readonly #parts: RenewalParts;
  readonly #storing: TokenStoring;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
    this.#storing = new TokenStoring(parts);
  }

  /**
   * Renews if that is needed, and answers the tokens that are stored then.
   *
   * @throws PolyadError `connection_reconnect_required`, `integration_not_configured`, `connection_credentials_missing`, or
   *   what a failed token call means.
   */
  async renew(connection: ConnectionRow, need: Need): Promise<Opened> {
    const waiting = this.#storing.waiting(connection.id);
    if (waiting !== undefined) return this.#storing.save(connection, waiting);
    const renewed = await this.#parts.lease.hold(
      connection,
      (held) => this.#work(connection, need, held),
      async () => {
        const stored = await this.stored(connection);
        return this.#needed(stored, need) ? undefined : stored;
      },
    );
    await this.#step('lease_released', connection);
    return renewed;
  }

  /** Renews tokens that are not stored yet (an import), once; they are the caller's to store. */
  async renewUnstored(
    target: { platform: Platform; environment: Environment; app: AppCredentials | undefined },
    tokens: SealedTokens,
  ): Promise<SealedTokens> {
    const grant = grantOf(target.platform, tokens.grant);
    if (grant?.refresh === undefined || target.app === undefined) return tokens;
    return this.#call(target.platform, target.environment, grant, target.app, tokens);
  }

  /** Forgets what memory holds of a connection that was authorised again. */
  forget(connectionId: string): void {
    this.#storing.forget(connectionId);
  }

  close(): void {
    this.#storing.close();
  }

  /** The tokens as they are stored now. @throws PolyadError `connection_credentials_missing` */
  stored(connection: ConnectionRow): Promise<Opened> {
    return this.#storing.stored(connection);
  }

  #step(step: RefreshStep, connection: ConnectionRow): void | Promise<void> {
    return this.#parts.onStep?.(step, connection.id);
  }

  #needed({ tokens, version }: Opened, need: Need): boolean {
    if (tokens.access_token === need.expired || version === need.version) return true;
    return freshness(tokens, this.#parts.clock.now()) !== 'fresh';
  }

  /** Runs with the lease held. */
  async #work(connection: ConnectionRow, need: Need, held: Held): Promise<Opened> {
    const { clock, registry, outages } = this.#parts;
    await this.#step('lease_taken', connection);
    const stored = await this.stored(connection);
    if (!this.#needed(stored, need)) return stored;
    await this.#step('tokens_read', connection);

    const platform = registry.get(connection.integration_type);
    const grant = grantOf(platform, stored.tokens.grant);
    const over = stored.tokens.access_token === need.expired || freshness(stored.tokens, clock.now()) === 'over';
    const refused = held.record.refused_version === stored.version;
    if (grant?.refresh === undefined || refused || !refreshable(stored.tokens, clock.now()))
      return over ? this.#ended(connection, stored.tokens) : { ...stored, final: true };
    const app = await this.#parts.appFor(connection);
    if (app === undefined) {
      const error = new PolyadError('integration_not_configured', {
        message: `The token of this connection must be renewed, and the workspace has no ${platform.manifest.name} app credentials in its environment.`,
        details: { integration_type: connection.integration_type, environment: connection.environment },
      });
      return this.#postponed(connection, stored, held, error, false);
    }
    await outages.admit(connection);

    // Still on record from before: whoever spent it died before it could store the answer.
    const lostBefore = held.record.spending_version === stored.version;
    await held.spend(stored.version, clock.now());
    await this.#step('spending_noted', connection);
    const environment = connection.environment as Environment;
    let tokens: SealedTokens;
    try {
      this.#used(connection);
      const calling = this.#call(platform, environment, grant, app, stored.tokens);
      calling.catch(() => undefined);
      await this.#step('call_under_way', connection);
      tokens = await calling;
    } catch (error) {
      const failure = failureOf(error);
      const lost = lostBefore || answerLost(error);
      if (failure?.scope !== 'connection') return this.#postponed(connection, stored, held, error, lost);
      await outages.answered(connection);
      const again = await this.stored(connection);
      if (again.version !== stored.version) return again;
      const rescued = await this.#rescue(connection, platform, grant, app, stored, held);
      return rescued ?? this.#refused(connection, stored, held, failure, { over, lost });
    }
    await this.#step('answer_received', connection);
    const saved = await this.#storing.save(connection, { tokens, stored, held });
    await this.#step('tokens_stored', connection);
    await outages.answered(connection);
    return saved;
  }

  #used(connection: ConnectionRow): void {
    this.#parts.used?.({ workspaceId: connection.workspace_id, connectionId: connection.id, purpose: 'refresh' });
  }

  async #call(
    platform: Platform,
    environment: Environment,
    grant: GrantRecipe,
    app: AppCredentials,
    tokens: SealedTokens,
  ): Promise<SealedTokens> {
    const { clock, hosts } = this.#parts;
    // Lives are counted from the question: an answer that was long under way ends no later for it.
    const asked = clock.now();
    const answer = await runTokenCall(
      {
        platform,
        environment,
        hosts: hosts(platform, environment),
        call: grant.refresh as NonNullable<GrantRecipe['refresh']>,
        values: { ...app, refresh_token: tokens.refresh_token, access_token: tokens.access_token },
        repeatable: true,
        spends: tokens.kind === 'expiring_rotating_refresh',
      },
      this.#parts,
    );
    return toSealed(grant, grant.readTokens(answer), asked, tokens);
  }

  /** Tries the tokens that came too late to be stored, newest first. */
  async #rescue(
    connection: ConnectionRow,
    platform: Platform,
    grant: GrantRecipe,
    app: AppCredentials,
    stored: Opened,
    held: Held,
  ): Promise<Opened | undefined> {
    const { store, secrets, log } = this.#parts;
    const candidates = await rescuedTokens(secrets, store.db, connection, stored.tokens);
    for (const candidate of candidates) {
      try {
        this.#used(connection);
        const tokens = await this.#call(platform, connection.environment as Environment, grant, app, candidate);
        log.warn({ connection_id: connection.id }, 'a grant was kept by a refresh token that had come late');
        const saved = await this.#storing.save(connection, { tokens, stored, held });
        await dropRescued(secrets, store.db, connection);
        return saved;
      } catch (error) {
        if (failureOf(error)?.scope !== 'connection') return this.#postponed(connection, stored, held, error, true);
      }
    }
    if (candidates.length > 0) await dropRescued(secrets, store.db, connection);
    return undefined;
  }

  /** It failed for a reason that says nothing about the grant: again later, and no customer is told. */
  async #postponed(
    connection: ConnectionRow,
    stored: Opened,
    held: Held,
    error: unknown,
    lost: boolean,
  ): Promise<never> {
    const { store, clock, log, outages, random = Math.random } = this.#parts;
    const failure = failureOf(error);
    const code = error instanceof PolyadError ? error.code : 'internal';
    const outage = failure === undefined ? code.startsWith('platform_') : failure.scope === 'platform';
    if (outage) await outages.failed(connection);
    else if (failure !== undefined && code !== 'platform_rate_limited') await outages.answered(connection);
    const now = clock.now();
    const failures = held.record.failures + 1;
    const record: LifeRecord = { ...held.record, failures };
    const platform = this.#parts.registry.get(connection.integration_type);
    const end = knownEnd(stored.tokens, planFacts(platform, connection, stored.tokens, stored.version, record));
    const spending = lost ? {} : { spending_version: null, spending_since: null };
    const next_at = new Date(now.getTime() + retryPause(failures, random()));
    await store.db
      .transaction()
      .execute(async (trx) => {
        await updateTokenLife(trx, connection.id, { failures, next_at, ...spending }, held.owner);
        await noteLife(trx, connection.id, { ...lifeAfter(now, 'renewal_failed'), reauthorize_by: end ?? null });
      })
      .then(
        () => {
          held.released = true;
        },
        (trouble: unknown) =>
          log.warn({ connection_id: connection.id, err: trouble }, 'a failed renewal could not be noted'),
      );
    throw error;
  }

  /** The platform will not renew this grant. While the access token lives it is used; then it is over. */
  async #refused(
    connection: ConnectionRow,
    stored: Opened,
    held: Held,
    failure: Classification,
    { over, lost }: { over: boolean; lost: boolean },
  ): Promise<Opened> {
    const { store, clock, health } = this.#parts;
    const reason = lost ? 'refresh_answer_lost' : 'refresh_refused';
    const told = lost ? withLostAnswer(failure) : failure;
    if (over) {
      await health.markRevoked(connection, told, undefined, reason);
      throw health.reconnectRequired(connection, told);
    }
    const now = clock.now();
    const ends = stored.tokens.expires_at;
    await store.db.transaction().execute(async (trx) => {
      const row = await updateConnection(
        trx,
        connection.workspace_id,
        connection.id,
        {
          ...lifeAfter(now, 'renewal_refused'),
          reauthorize_by: ends === undefined ? null : new Date(ends),
          unhealthy_message: told.native.message ?? null,
        },
        { now },
      );
      const cleared = { spending_version: null, spending_since: null, failures: 0, refused_version: stored.version };
      const next_at = ends === undefined ? null : new Date(ends);
      await updateTokenLife(trx, connection.id, { ...cleared, next_at }, held.owner);
      await appendEvent(
        trx,
        row.workspace_id,
        { type: 'connection.reauthorization_due', connection_id: row.id, payload: dueFacts(row, now, { reason }) },
        now,
      );
    });
    held.released = true;
    return { ...stored, final: true };
  }

  /** An access token that is over and cannot be renewed. */
  async #ended(connection: ConnectionRow, tokens: SealedTokens): Promise<never> {
    const { clock, health } = this.#parts;
    const failure = endedBy(tokens, clock.now());
    await health.markRevoked(connection, failure, undefined, 'authorization_ended');
    throw health.reconnectRequired(connection);
  }
}

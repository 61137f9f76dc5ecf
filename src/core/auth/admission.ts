/**
 * How a new grant becomes a connection, or replaces the grant of one: tested first, stored only when the test passes,
 * row and sealed tokens in one transaction. Connect flow, re-authorization and import all end here.
 */
import type { CredentialUse } from '../audit/uses.ts';
import { type Scope as CallScope, Meter } from '../calls/scope.ts';
import type { Clock } from '../clock.ts';
import type { ProbeResult } from '../connector/auth-spec.ts';
import type { CallContext, Environment, Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { INTEGRATION_CATEGORIES } from '../integrations/integrations.ts';
import type { Permission } from '../model/permissions.ts';
import { newId } from '../store/ids.ts';
import type { Store } from '../store/port.ts';
import {
  appendEvent,
  createConnection,
  originsOfTokens,
  rememberTokenOrigins,
  tokenFingerprint,
  updateConnection,
  usesOfCredential,
} from '../store/repositories/index.ts';
import type { ConnectionAccount, ConnectionRow, WorkspaceRow } from '../store/schema.ts';
import { connectionOwner, expiryColumns, grantOf, type SealedTokens, TOKENS } from './credentials.ts';
import { beginLife } from './life/begin.ts';
import { grantChanges } from './life/changes.ts';
import { eventFacts } from './life/facts.ts';
import { lifeAfter } from './life/sql.ts';
import { grantedPermissions, nativeScopes } from './permissions.ts';
import type { SecretStore } from './secret-store.ts';
import type { Tokens } from './tokens.ts';

/** A grant that wants to become a connection. */
export interface Candidate {
  workspace: WorkspaceRow;
  platform: Platform;
  environment: Environment;
  tokens: SealedTokens;
  /** Native scopes as far as the platform or an import named them. */
  nativeScopes: readonly string[];
  /** Permissions that were asked for. */
  asked: readonly Permission[];
  organizationIds?: readonly string[] | undefined;
  accountId?: string | undefined;
  accountName?: string | undefined;
  emails?: readonly string[] | undefined;
  /** Undefined = keep (on creation: none). */
  externalXref?: string | undefined;
  /** The connection whose grant is replaced; undefined = a new one. */
  replacing?: ConnectionRow | undefined;
  requestId: string;
  signal: AbortSignal;
  /** Runs after the test and before anything is stored; by throwing it stops the admission. */
  confirm?: (() => Promise<void>) | undefined;
}

export interface AdmissionParts {
  store: Store;
  secrets: SecretStore;
  clock: Clock;
  tokens: Tokens;
  context(scope: CallScope): CallContext;
  /** Told of each use of a customer's credential. */
  used?: ((use: CredentialUse) => void) | undefined;
}

export class Admission {
  readonly #parts: AdmissionParts;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /**
   * Tests the grant and stores it.
   *
   * @throws PolyadError `connection_test_failed` (the platform refused the test), `oauth_account_mismatch` (another
   *   account than the connection's), or the platform's own trouble (`platform_unavailable` and the like).
   */
  async admit(brought: Candidate): Promise<ConnectionRow> {
    await this.#sameEnvironment(brought);
    await this.#isGrant(brought);
    const { candidate, found } = await this.#tested(brought);
    const account = accountOf(candidate, found);
    if (candidate.replacing !== undefined && !sameAccount(candidate.replacing.account, account))
      throw new PolyadError('oauth_account_mismatch', { details: { connection_id: candidate.replacing.id } });
    await candidate.confirm?.();
    return candidate.replacing === undefined
      ? this.#create(candidate, account)
      : this.#replace(candidate, candidate.replacing, account);
  }

  /** Refuses a credential for events where a grant is wanted: it opens nothing else. */
  async #isGrant({ platform, tokens }: Candidate): Promise<void> {
    const { type, name } = platform.manifest;
    for (const token of tokensOf(tokens))
      if ((await usesOfCredential(this.#parts.store.db, tokenFingerprint(type, token))).length > 0)
        throw new PolyadError('conversion_credential_wrong_kind', {
          message: `This is the credential of a conversion destination: it sends events to ${name} and opens nothing else.`,
          details: { given: 'event credential', expected: ['OAuth token'] },
        });
  }

  /** Refuses tokens that are known to be of another environment, before any request could carry them to its hosts. */
  async #sameEnvironment({ platform, environment, tokens }: Candidate): Promise<void> {
    const origins = await originsOfTokens(this.#parts.store.db, platform.manifest.type, tokensOf(tokens));
    const other = origins.find((origin) => origin !== environment);
    if (other !== undefined)
      throw new PolyadError('environment_crossed', {
        message: `These tokens were issued in the environment \`${other}\` and cannot be used in \`${environment}\`.`,
        details: { expected: other, given: environment },
      });
  }

  /**
   * The candidate with tokens that work, and what its test found. Tokens whose access token has run out are renewed first;
   * from then on only what is stored here can renew them again, so trouble at the platform no longer stops the admission:
   * that the renewal worked is proof enough.
   */
  async #tested(brought: Candidate): Promise<{ candidate: Candidate; found: ProbeResult }> {
    const connection = this.#provisional(brought);
    const tokens = await this.#parts.tokens.renewUnstored(connection, brought.tokens).catch((error: unknown) => {
      throw probeError(brought.platform, error);
    });
    const candidate = { ...brought, tokens };
    try {
      return { candidate, found: await this.#probe(candidate, connection) };
    } catch (error) {
      const trouble = error instanceof PolyadError && error.actor === 'platform';
      if (tokens === brought.tokens || !trouble) throw error;
      return { candidate, found: {} };
    }
  }

  /** A row that is stored nowhere, for calls with tokens that are not stored yet. */
  #provisional({ workspace, platform, environment, tokens, ...candidate }: Candidate): ConnectionRow {
    const now = this.#parts.clock.now();
    return {
      // An id of its own, also on re-authorization: calls of the live connection must not meet tokens that may be refused.
      id: newId(now.getTime()),
      workspace_id: workspace.id,
      integration_type: platform.manifest.type,
      environment,
      external_xref: candidate.externalXref ?? null,
      permissions: [...candidate.asked],
      categories: [...INTEGRATION_CATEGORIES],
      is_paused: false,
      native_scopes: [...candidate.nativeScopes],
      account: accountOf({ workspace, platform, environment, tokens, ...candidate }, {}),
      ...expiryColumns(tokens),
      version: 0,
      health_state: 'unknown',
      unhealthy_code: null,
      unhealthy_message: null,
      last_healthy_at: null,
      last_unhealthy_at: null,
      life: 'healthy',
      life_since: null,
      reauthorize_by: null,
      lost_organizations: {},
      created_at: now,
      updated_at: now,
      deleted_at: null,
    };
  }

  async #probe(candidate: Candidate, connection: ConnectionRow): Promise<ProbeResult> {
    const { workspace, platform, tokens } = candidate;
    const scope = {
      workspace,
      connection,
      requestId: candidate.requestId,
      signal: candidate.signal,
      meter: new Meter(),
    };
    const grant = grantOf(platform, tokens.grant);
    try {
      this.#parts.used?.({ workspaceId: workspace.id, connectionId: candidate.replacing?.id, purpose: 'test' });
      return await this.#parts.tokens.withProvisional(connection.id, tokens, () => {
        const ctx = this.#parts.context(scope);
        return grant?.probe === undefined ? platform.auth.probe(ctx) : grant.probe(ctx);
      });
    } catch (error) {
      throw probeError(platform, error);
    }
  }

  async #create(candidate: Candidate, account: ConnectionAccount): Promise<ConnectionRow> {
    const { store, secrets, clock } = this.#parts;
    const now = clock.now();
    return store.db.transaction().execute(async (trx) => {
      const row = await createConnection(
        trx,
        candidate.workspace.id,
        {
          integration_type: candidate.platform.manifest.type,
          environment: candidate.environment,
          categories: INTEGRATION_CATEGORIES,
          external_xref: candidate.externalXref ?? null,
          ...grantColumns(candidate, account, now),
          life: 'healthy',
          life_since: now,
        },
        now,
      );
      await secrets.put(trx, connectionOwner(row), TOKENS, { ...candidate.tokens }, { version: 0, now });
      await rememberTokenOrigins(trx, row.integration_type, row.environment, tokensOf(candidate.tokens), now);
      await beginLife(trx, secrets, candidate.platform, row, candidate.tokens, 1, now);
      await appendEvent(
        trx,
        row.workspace_id,
        { type: 'connection.created', connection_id: row.id, payload: eventFacts(row) },
        now,
      );
      return row;
    });
  }

  async #replace(candidate: Candidate, present: ConnectionRow, account: ConnectionAccount): Promise<ConnectionRow> {
    const { store, secrets, clock, tokens } = this.#parts;
    const now = clock.now();
    const row = await store.db.transaction().execute(async (trx) => {
      const updated = await updateConnection(
        trx,
        present.workspace_id,
        present.id,
        {
          ...(candidate.externalXref === undefined ? {} : { external_xref: candidate.externalXref }),
          ...grantColumns(candidate, account, now),
        },
        { now },
      );
      const version = await secrets.put(trx, connectionOwner(updated), TOKENS, { ...candidate.tokens }, { now });
      await rememberTokenOrigins(trx, updated.integration_type, updated.environment, tokensOf(candidate.tokens), now);
      await beginLife(trx, secrets, candidate.platform, updated, candidate.tokens, version, now);
      await appendEvent(
        trx,
        updated.workspace_id,
        {
          type: 'connection.reconnected',
          connection_id: updated.id,
          payload: { ...eventFacts(updated), ...grantChanges(present, updated) },
        },
        now,
      );
      return updated;
    });
    tokens.forget(row.id);
    return row;
  }
}

const tokensOf = ({ access_token, refresh_token }: SealedTokens): string[] =>
  [access_token, refresh_token].filter((token) => token !== undefined);

/** Columns that follow from a grant that has just passed its test. */
function grantColumns(candidate: Candidate, account: ConnectionAccount, now: Date) {
  return {
    permissions: grantedPermissions(candidate.platform, candidate.asked, candidate.nativeScopes),
    native_scopes: candidate.nativeScopes,
    account,
    ...expiryColumns(candidate.tokens),
    health_state: 'healthy' as const,
    unhealthy_code: null,
    unhealthy_message: null,
    last_healthy_at: now,
    lost_organizations: {},
    ...lifeAfter(now, 'authorized'),
  };
}

function accountOf(candidate: Candidate, found: ProbeResult): ConnectionAccount {
  const userId = found.accountId ?? candidate.accountId;
  const name = found.accountName ?? candidate.accountName;
  const organizations = [...new Set([...(candidate.organizationIds ?? []), ...(found.organizationIds ?? [])])];
  return {
    grant: candidate.tokens.grant,
    asked: [...candidate.asked],
    // What the permissions asked for need at the platform, beside what it granted (`native_scopes`).
    needed_scopes: nativeScopes(candidate.platform, candidate.asked),
    ...(userId === undefined ? {} : { user_id: userId }),
    ...(name === undefined ? {} : { name }),
    ...(candidate.emails === undefined || candidate.emails.length === 0 ? {} : { emails: [...candidate.emails] }),
    ...(organizations.length === 0 ? {} : { organization_ids: organizations }),
    ...keptSelection(candidate.replacing?.account, organizations),
  };
}

/** What was chosen before stays chosen, as far as the new grant reaches it; of what is left of nothing all are taken. */
function keptSelection(before: ConnectionAccount | undefined, reached: readonly string[]): ConnectionAccount {
  const kept = before?.selected_organization_ids?.filter((id) => reached.includes(id)) ?? [];
  return kept.length === 0 ? {} : { selected_organization_ids: kept };
}

/**
 * Whether a new grant is of the account that made the connection: by who granted, or, where a platform does not say who,
 * by an ad account that both reach. A connection of which nothing is known takes any.
 */
export function sameAccount(before: ConnectionAccount, after: ConnectionAccount): boolean {
  if (before.user_id !== undefined && after.user_id !== undefined) return before.user_id === after.user_id;
  const reached = before.organization_ids ?? [];
  if (reached.length === 0) return before.user_id === undefined;
  return reached.some((id) => after.organization_ids?.includes(id) === true);
}

/** A platform's refusal of the test is about the new grant; its own trouble, and ours, stay what they are. */
function probeError(platform: Platform, error: unknown): unknown {
  if (!(error instanceof PolyadError)) return error;
  const about = [
    'connection_reconnect_required',
    'organization_access_lost',
    'platform_rejected',
    'platform_not_found',
  ];
  if (!about.includes(error.code)) return error;
  return new PolyadError('connection_test_failed', {
    message: `${platform.manifest.name} refused the test of the new authorization${error.platform?.message === undefined ? '.' : `: ${error.platform.message}`}`,
    ...(error.platform === undefined ? {} : { platform: error.platform }),
    cause: error,
  });
}

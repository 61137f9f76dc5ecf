/**
 * How a new grant becomes a connection, or replaces the grant of one: tested first, stored only when the test passes,
 * row and sealed tokens in one transaction. Connect flow, re-authorization and import all end here.
 */
import { type Scope as CallScope, Meter } from '../calls/scope.ts';
import type { Clock } from '../clock.ts';
import type { CallContext, Environment, Platform, ProbeResult } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { INTEGRATION_CATEGORIES } from '../integrations/integrations.ts';
import type { Permission } from '../model/permissions.ts';
import { newId } from '../store/ids.ts';
import type { Store } from '../store/port.ts';
import { appendEvent, createConnection, updateConnection } from '../store/repositories/index.ts';
import type { ConnectionAccount, ConnectionRow, WorkspaceRow } from '../store/schema.ts';
import { connectionOwner, expiryColumns, grantOf, type SealedTokens, TOKENS } from './credentials.ts';
import { grantedPermissions } from './permissions.ts';
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
  async admit(candidate: Candidate): Promise<ConnectionRow> {
    const found = await this.#probe(candidate);
    const account = accountOf(candidate, found);
    if (candidate.replacing !== undefined && !sameAccount(candidate.replacing.account, account))
      throw new PolyadError('oauth_account_mismatch', { details: { connection_id: candidate.replacing.id } });
    await candidate.confirm?.();
    return candidate.replacing === undefined
      ? this.#create(candidate, account)
      : this.#replace(candidate, candidate.replacing, account);
  }

  async #probe(candidate: Candidate): Promise<ProbeResult> {
    const { workspace, platform, environment, tokens } = candidate;
    const { clock, context } = this.#parts;
    const now = clock.now();
    // An id of its own, also on re-authorization: calls of the live connection must not meet tokens that may be refused.
    const connection: ConnectionRow = {
      id: newId(now.getTime()),
      workspace_id: workspace.id,
      integration_type: platform.manifest.type,
      environment,
      external_xref: candidate.externalXref ?? null,
      permissions: [...candidate.asked],
      categories: [...INTEGRATION_CATEGORIES],
      is_paused: false,
      native_scopes: [...candidate.nativeScopes],
      account: accountOf(candidate, {}),
      ...expiryColumns(tokens),
      version: 0,
      health_state: 'unknown',
      unhealthy_code: null,
      unhealthy_message: null,
      last_healthy_at: null,
      last_unhealthy_at: null,
      created_at: now,
      updated_at: now,
      deleted_at: null,
    };
    const scope = {
      workspace,
      connection,
      requestId: candidate.requestId,
      signal: candidate.signal,
      meter: new Meter(),
    };
    const grant = grantOf(platform, tokens.grant);
    try {
      return await this.#parts.tokens.withProvisional(connection.id, tokens, () => {
        const ctx = context(scope);
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
        },
        now,
      );
      await secrets.put(trx, connectionOwner(row), TOKENS, { ...candidate.tokens }, { version: 0, now });
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
      await secrets.put(trx, connectionOwner(updated), TOKENS, { ...candidate.tokens }, { now });
      await appendEvent(
        trx,
        updated.workspace_id,
        { type: 'connection.reconnected', connection_id: updated.id, payload: eventFacts(updated) },
        now,
      );
      return updated;
    });
    tokens.forget(row.id);
    return row;
  }
}

/** What every connection event says besides its type. */
export function eventFacts(row: ConnectionRow): Record<string, unknown> {
  return { integration_type: row.integration_type, environment: row.environment, external_xref: row.external_xref };
}

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
  };
}

function accountOf(candidate: Candidate, found: ProbeResult): ConnectionAccount {
  const userId = found.accountId ?? candidate.accountId;
  const name = found.accountName ?? candidate.accountName;
  const organizations = [...new Set([...(candidate.organizationIds ?? []), ...(found.organizationIds ?? [])])];
  return {
    grant: candidate.tokens.grant,
    asked: [...candidate.asked],
    ...(userId === undefined ? {} : { user_id: userId }),
    ...(name === undefined ? {} : { name }),
    ...(candidate.emails === undefined || candidate.emails.length === 0 ? {} : { emails: [...candidate.emails] }),
    ...(organizations.length === 0 ? {} : { organization_ids: organizations }),
  };
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

/** Connections as a workspace manages them: list, import, change, pause, delete. */
import type { CredentialUse } from '../audit/uses.ts';
import type { Admission } from '../auth/admission.ts';
import { grantOf, openTokens, type SealedTokens } from '../auth/credentials.ts';
import { bringsTokens, readImport } from '../auth/import-tokens.ts';
import { eventFacts } from '../auth/life/facts.ts';
import { lifeAfter } from '../auth/life/sql.ts';
import { askedPermissions, grantedPermissions } from '../auth/permissions.ts';
import type { Reconnect } from '../auth/reconnect.ts';
import type { SecretStore } from '../auth/secret-store.ts';
import { runTokenCall, type TokenCallTools } from '../auth/token-calls.ts';
import type { Tokens } from '../auth/tokens.ts';
import { parseEnvironment } from '../connector/hosts.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { Environment, Hosts, Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { Connection } from '../model/connection.ts';
import { isPermission } from '../model/permissions.ts';
import type { Store, StoreLog } from '../store/port.ts';
import {
  appendEvent,
  type ConnectionFilter,
  deleteConnection,
  getConnection,
  listConnections,
  updateConnection,
  updateTokenLife,
} from '../store/repositories/index.ts';
import type { ConnectionRow, WorkspaceRow } from '../store/schema.ts';
import { connectionWire } from './wire.ts';

/** List options of `GET /unified/connection`, read but not yet in our spelling. */
export interface ConnectionQuery extends Omit<ConnectionFilter, 'environment'> {
  /** In any letter case. */
  env?: string | undefined;
}

/** Who asks: for probes that an import causes. */
export interface CallerFacts {
  requestId: string;
  signal: AbortSignal;
}

export interface ConnectionsParts extends TokenCallTools {
  store: Store;
  secrets: SecretStore;
  registry: PlatformRegistry;
  log: StoreLog;
  tokens: Tokens;
  admission: Admission;
  reconnect: Reconnect;
  hosts(platform: Platform, environment: Environment): Hosts;
  /** Told of each use of a customer's credential. */
  used?: ((use: CredentialUse) => void) | undefined;
}

export class Connections {
  readonly #parts: ConnectionsParts;
  readonly #background = new Set<Promise<void>>();

  constructor(parts: ConnectionsParts) {
    this.#parts = parts;
  }

  /** Waits for what goes on after an answer (revoking at platforms). */
  async settle(): Promise<void> {
    await Promise.all(this.#background);
  }

  /** The wire form of a row. */
  wire(row: ConnectionRow): Connection {
    const { registry, reconnect } = this.#parts;
    return connectionWire(row, {
      registry,
      reconnectUrl: (connection) => reconnect.url(connection),
      now: this.#parts.clock.now(),
    });
  }

  async list(workspace: WorkspaceRow, query: ConnectionQuery = {}): Promise<Connection[]> {
    const { env, integration_type: type, ...filter } = query;
    const rows = await listConnections(this.#parts.store.db, workspace.id, {
      ...filter,
      environment: parseEnvironment(env),
      // Aliases of a platform find its connections too; an unknown type finds none.
      integration_type: type === undefined ? undefined : (this.#parts.registry.find(type)?.manifest.type ?? type),
    });
    return rows.map((row) => this.wire(row));
  }

  /** @throws PolyadError `connection_not_found` */
  async get(workspace: WorkspaceRow, id: string): Promise<Connection> {
    return this.wire(await this.#row(workspace, id));
  }

  /**
   * Imports credentials that the caller holds: they are tested against the platform before anything is stored.
   *
   * @throws PolyadError what `readImport` and `Admission.admit` throw, `environment_unsupported`, `integration_not_found`.
   */
  async create(workspace: WorkspaceRow, body: Partial<Connection>, caller: CallerFacts): Promise<Connection> {
    if (body.integration_type === undefined)
      throw new PolyadError('input_field_required', { details: { missing: ['integration_type'] } });
    const platform = this.#parts.registry.get(body.integration_type);
    const environment = parseEnvironment(body.environment) ?? (workspace.default_environment as Environment);
    this.#parts.hosts(platform, environment);
    const row = await this.#parts.admission.admit({
      workspace,
      platform,
      environment,
      ...readImport(platform, environment, body.auth ?? {}, this.#parts.clock.now()),
      asked: askedPermissions(platform, body.permissions),
      externalXref: body.external_xref,
      ...caller,
    });
    return this.wire(
      row.is_paused === (body.is_paused ?? false) ? row : await this.#pause(row, body.is_paused === true),
    );
  }

  /**
   * Changes what is given; PUT and PATCH do the same. Members that only we write (ids, times, health) may be present, as
   * in an object that was read before, and are ignored. New credentials in `auth` replace the old after their test.
   *
   * @throws PolyadError `connection_not_found`, `environment_crossed`, `input_field_immutable`, `input_value_unsupported`,
   *   and what an import throws.
   */
  async update(
    workspace: WorkspaceRow,
    id: string,
    body: Partial<Connection>,
    caller: CallerFacts,
  ): Promise<Connection> {
    let row = await this.#row(workspace, id);
    const platform = this.#parts.registry.get(row.integration_type);
    const environment = row.environment as Environment;
    if (body.integration_type !== undefined && this.#parts.registry.find(body.integration_type) !== platform)
      throw new PolyadError('input_field_immutable', { details: { field: 'integration_type' } });
    if (body.environment !== undefined && parseEnvironment(body.environment) !== environment)
      throw new PolyadError('environment_crossed', {
        message: 'A connection stays in the environment that it was made in.',
        details: { field: 'environment', expected: environment },
      });
    const permissions =
      body.permissions === undefined ? undefined : changedPermissions(platform, row, body.permissions);
    if (bringsTokens(body.auth))
      row = await this.#parts.admission.admit({
        workspace,
        platform,
        environment,
        ...readImport(platform, environment, body.auth ?? {}, this.#parts.clock.now()),
        asked: askedPermissions(platform, permissions ?? row.permissions),
        replacing: row,
        ...caller,
      });
    const change = {
      ...(body.external_xref === undefined ? {} : { external_xref: body.external_xref }),
      ...(permissions === undefined ? {} : { permissions, account: { ...row.account, asked: permissions } }),
    };
    if (Object.keys(change).length > 0) {
      const { store, clock } = this.#parts;
      const now = clock.now();
      row = await store.db.transaction().execute(async (trx) => {
        const changed = await updateConnection(trx, workspace.id, id, change, { now });
        await appendEvent(
          trx,
          workspace.id,
          { type: 'connection.updated', connection_id: id, payload: eventFacts(changed) },
          now,
        );
        return changed;
      });
    }
    if (body.is_paused !== undefined && body.is_paused !== row.is_paused) row = await this.#pause(row, body.is_paused);
    return this.wire(row);
  }

  /**
   * Deletes a connection and destroys its credentials. A grant that was made through our own flow, and that no other
   * connection of the workspace shares, is also revoked at the platform, after the answer and as far as the platform lets.
   *
   * @throws PolyadError `connection_not_found`
   */
  async remove(workspace: WorkspaceRow, id: string): Promise<void> {
    const { store, secrets, clock, tokens } = this.#parts;
    const row = await this.#row(workspace, id);
    const now = clock.now();
    const opened = await openTokens(secrets, store.db, row).catch(() => undefined);
    const removed = await store.db.transaction().execute(async (trx) => {
      if (!(await deleteConnection(trx, workspace.id, id, now))) return false;
      await appendEvent(
        trx,
        workspace.id,
        { type: 'connection.deleted', connection_id: id, payload: eventFacts(row) },
        now,
      );
      return true;
    });
    if (!removed) throw new PolyadError('connection_not_found', { details: { connection_id: id } });
    tokens.forget(id);
    if (opened !== undefined && row.health_state !== 'reconnect_required') {
      const revoking = this.#revoke(row, opened.tokens).finally(() => this.#background.delete(revoking));
      this.#background.add(revoking);
    }
  }

  async #row(workspace: WorkspaceRow, id: string): Promise<ConnectionRow> {
    const row = await getConnection(this.#parts.store.db, workspace.id, id);
    if (row === undefined) throw new PolyadError('connection_not_found', { details: { connection_id: id } });
    return row;
  }

  #pause(row: ConnectionRow, paused: boolean): Promise<ConnectionRow> {
    const { store, clock } = this.#parts;
    const now = clock.now();
    return store.db.transaction().execute(async (trx) => {
      const life = lifeAfter(now, paused ? 'paused' : 'resumed');
      const changed = await updateConnection(trx, row.workspace_id, row.id, { is_paused: paused, ...life }, { now });
      // Its tokens' schedule is another one now.
      if (changed.health_state !== 'reconnect_required') await updateTokenLife(trx, row.id, { next_at: now });
      const type = paused ? 'connection.paused' : 'connection.unpaused';
      await appendEvent(trx, row.workspace_id, { type, connection_id: row.id, payload: eventFacts(changed) }, now);
      return changed;
    });
  }

  async #revoke(row: ConnectionRow, sealed: SealedTokens): Promise<void> {
    const { registry, hosts, store, tokens, log } = this.#parts;
    try {
      const platform = registry.get(row.integration_type);
      const call = grantOf(platform, sealed.grant)?.revoke;
      const app = await tokens.appFor(row);
      if (call === undefined || app === undefined || sealed.imported === true) return;
      // A platform may revoke the person's whole grant for the app, not one token: other connections would die with it.
      const others = await listConnections(store.db, row.workspace_id, {
        environment: row.environment,
        integration_type: row.integration_type,
        limit: 1000,
      });
      if (others.length >= 1000 || others.some((other) => other.account.user_id === row.account.user_id)) return;
      this.#parts.used?.({ workspaceId: row.workspace_id, connectionId: row.id, purpose: 'revoke' });
      await runTokenCall(
        {
          platform,
          environment: row.environment as Environment,
          hosts: hosts(platform, row.environment as Environment),
          call,
          values: { ...app, access_token: sealed.access_token, refresh_token: sealed.refresh_token },
          repeatable: true,
        },
        this.#parts,
      );
    } catch (error) {
      log.info(
        { connection_id: row.id, code: (error as { code?: string }).code },
        'a deleted connection could not be revoked at the platform',
      );
    }
  }
}

/** The permissions after a change: any part of what the grant gives. An empty list, as older clients send it, is no change. */
function changedPermissions(platform: Platform, row: ConnectionRow, names: readonly string[]): string[] | undefined {
  if (names.length === 0) return undefined;
  const asked = askedPermissions(platform, names.filter(isPermission));
  const given = grantedPermissions(platform, asked, row.native_scopes);
  const missing = asked.filter((permission) => !given.includes(permission) && !row.permissions.includes(permission));
  if (missing.length > 0)
    throw new PolyadError('input_value_unsupported', {
      message: `The grant of this connection does not give ${missing.join(', ')}.`,
      details: {
        field: 'permissions',
        allowed: grantedPermissions(platform, askedPermissions(platform, undefined), row.native_scopes),
      },
    });
  return asked;
}

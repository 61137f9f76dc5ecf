/** A connection as the wire contract has it. Tokens never appear: `auth` carries only what is no secret. */
import { missingPermissions } from '../auth/life/changes.ts';
import { DAY_MS, shownLife } from '../auth/life/state.ts';
import { wireEnvironment } from '../connector/hosts.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import { ERRORS, type ErrorCode } from '../errors/index.ts';
import type { Connection, ConnectionHealth } from '../model/connection.ts';
import type { ConnectionRow } from '../store/schema.ts';

export interface WireParts {
  registry: PlatformRegistry;
  reconnectUrl(connection: ConnectionRow): string;
  now: Date;
}

/** The wire form of a row. */
export function connectionWire(row: ConnectionRow, parts: WireParts): Connection {
  const name = parts.registry.find(row.integration_type)?.manifest.name;
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    integration_type: row.integration_type,
    ...(name === undefined ? {} : { integration_name: name }),
    environment: wireEnvironment(row.environment),
    categories: row.categories as Connection['categories'],
    permissions: row.permissions as Connection['permissions'],
    is_paused: row.is_paused,
    ...(row.external_xref === null ? {} : { external_xref: row.external_xref }),
    ...(row.last_healthy_at === null ? {} : { last_healthy_at: row.last_healthy_at.toISOString() }),
    ...(row.last_unhealthy_at === null ? {} : { last_unhealthy_at: row.last_unhealthy_at.toISOString() }),
    ...(row.unhealthy_code === null ? {} : { last_unhealthy_code: row.unhealthy_code }),
    auth: openAuth(row),
    health: health(row, parts),
  };
}

/** Who authorised, until when, for which ad accounts: the members of `auth` that are no secret. */
function openAuth(row: ConnectionRow): NonNullable<Connection['auth']> {
  const { name, emails, user_id: userId, organization_ids: organizationIds, grant } = row.account;
  return {
    ...(name === undefined ? {} : { name }),
    ...(emails === undefined ? {} : { emails }),
    ...(userId === undefined ? {} : { user_id: userId }),
    ...(row.token_expires_at === null ? {} : { expiry_date: row.token_expires_at.toISOString() }),
    ...(row.refresh_expires_at === null ? {} : { refresh_token_expires_date: row.refresh_expires_at.toISOString() }),
    meta: {
      ...(typeof grant === 'string' ? { grant } : {}),
      organization_ids: organizationIds ?? [],
      scopes: row.native_scopes,
      ...(Array.isArray(row.account['needed_scopes']) ? { needed_scopes: row.account['needed_scopes'] } : {}),
    },
  };
}

/** What is said of a connection whose authorization ends at a known time. */
function dueWords(row: ConnectionRow): string {
  const end = row.reauthorize_by;
  const when = end === null ? 'soon' : `on ${end.toISOString()}`;
  return `The authorization ends ${when}. The customer can renew it before that; calls go on working until then.`;
}

/** The members that stand in every state: where the tokens are in their life, and what the grant lacks. */
function life(row: ConnectionRow, parts: WireParts): Partial<ConnectionHealth> {
  const lifecycle = shownLife(row, parts.now);
  const missing = missingPermissions(row);
  const lost = Object.entries(row.lost_organizations);
  const due = lifecycle === 'reauthorization_due';
  const left = row.reauthorize_by === null ? undefined : row.reauthorize_by.getTime() - parts.now.getTime();
  return {
    lifecycle,
    ...(row.life_since === null || lifecycle !== row.life ? {} : { lifecycle_since: row.life_since.toISOString() }),
    ...(row.reauthorize_by === null || lifecycle === 'revoked'
      ? {}
      : { reauthorize_by: row.reauthorize_by.toISOString() }),
    ...(due && left !== undefined ? { reauthorize_in_days: Math.max(0, Math.ceil(left / DAY_MS)) } : {}),
    ...(due || missing.length > 0 ? { reconnect_url: parts.reconnectUrl(row) } : {}),
    ...(missing.length === 0 ? {} : { missing_permissions: missing as Connection['permissions'] }),
    ...(lost.length === 0
      ? {}
      : {
          organizations: lost.map(([id, { since, platform_code: code, message }]) => ({
            id,
            code: 'organization_access_lost',
            since,
            ...(code === undefined ? {} : { platform_code: code }),
            ...(message === undefined ? {} : { message }),
          })),
        }),
  };
}

function health(row: ConnectionRow, parts: WireParts): ConnectionHealth {
  const more = life(row, parts);
  if (row.health_state === 'healthy' || row.health_state === 'unknown')
    return {
      state: row.health_state,
      ...(row.last_healthy_at === null ? {} : { since: row.last_healthy_at.toISOString() }),
      ...(more.lifecycle === 'reauthorization_due' ? { message: dueWords(row), who: 'customer' } : {}),
      ...more,
    };
  const entry =
    row.unhealthy_code === null || !(row.unhealthy_code in ERRORS)
      ? undefined
      : ERRORS[row.unhealthy_code as ErrorCode];
  const words = [entry?.message, row.unhealthy_message].filter(
    (part) => part !== undefined && part !== null && part !== '',
  );
  return {
    state: 'unhealthy',
    ...(row.unhealthy_code === null ? {} : { code: row.unhealthy_code }),
    ...(words.length === 0 ? {} : { message: words.join(' ') }),
    ...(entry === undefined ? {} : { who: entry.actor }),
    ...more,
    ...(row.health_state === 'reconnect_required' ? { reconnect_url: parts.reconnectUrl(row) } : {}),
    ...(row.last_unhealthy_at === null ? {} : { since: row.last_unhealthy_at.toISOString() }),
  };
}

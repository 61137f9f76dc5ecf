/** A connection as the wire contract has it. Tokens never appear: `auth` carries only what is no secret. */
import { wireEnvironment } from '../connector/hosts.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import { ERRORS, type ErrorCode } from '../errors/index.ts';
import type { Connection, ConnectionHealth } from '../model/connection.ts';
import type { ConnectionRow } from '../store/schema.ts';

export interface WireParts {
  registry: PlatformRegistry;
  reconnectUrl(connection: ConnectionRow): string;
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
    },
  };
}

function health(row: ConnectionRow, parts: WireParts): ConnectionHealth {
  if (row.health_state === 'healthy' || row.health_state === 'unknown')
    return {
      state: row.health_state,
      ...(row.last_healthy_at === null ? {} : { since: row.last_healthy_at.toISOString() }),
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
    ...(row.health_state === 'reconnect_required' ? { reconnect_url: parts.reconnectUrl(row) } : {}),
    ...(row.last_unhealthy_at === null ? {} : { since: row.last_unhealthy_at.toISOString() }),
  };
}

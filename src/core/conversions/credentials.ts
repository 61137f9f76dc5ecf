/**
 * Credentials of conversion destinations. Each destination has its own, apart from the grant of its connection: a token
 * that platforms give out for events alone. The connection's grant is used only where an operator has chosen that.
 */

import type { SecretStore } from '../auth/secret-store.ts';
import type { AppCredentials, TokenSource } from '../calls/ports.ts';
import type { Classification } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { Store } from '../store/port.ts';
import type { SecretOwner } from '../store/repositories/index.ts';
import type { ConnectionRow, ConversionDestinationRow } from '../store/schema.ts';

/** The kind of credential that is the connection's own grant. */
export const GRANT = 'connection';

/** Kind of secret under which a destination's credential is kept. */
export const EVENT_CREDENTIAL = 'event_credential';

/** Whose secret the credential of a destination is. */
export const destinationOwner = ({
  workspace_id,
  id,
}: Pick<ConversionDestinationRow, 'workspace_id' | 'id'>): SecretOwner => ({
  workspaceId: workspace_id,
  kind: 'destination',
  id,
});

/** Hands out the credential of one destination, where the pipeline asks for the token of a connection. */
export class DestinationTokens implements TokenSource {
  readonly #parts: { store: Store; secrets: SecretStore; destination: ConversionDestinationRow };

  constructor(parts: { store: Store; secrets: SecretStore; destination: ConversionDestinationRow }) {
    this.#parts = parts;
  }

  /** @throws PolyadError `connection_credentials_missing` when it has none. */
  async tokenFor(): Promise<{ accessToken: string }> {
    const { store, secrets, destination } = this.#parts;
    const found = await secrets.get(store.db, destinationOwner(destination), EVENT_CREDENTIAL);
    const token = found?.plain['access_token'];
    if (typeof token === 'string') return { accessToken: token };
    throw new PolyadError('connection_credentials_missing', {
      message: 'The conversion destination has no credential.',
      details: { destination_id: destination.id },
    });
  }

  /** Tokens of this kind belong to no app of the operator's. */
  async appFor(): Promise<AppCredentials | undefined> {
    return undefined;
  }

  /** The grant of the connection is another matter: nothing is marked there. */
  async reportRevoked(_connection: ConnectionRow, { native }: Classification): Promise<{ reconnectUrl: string }> {
    throw new PolyadError('conversion_credential_refused', {
      message: `The platform refuses the credential of the destination${native.message === undefined ? '.' : `: ${native.message}`}`,
      details: { destination_id: this.#parts.destination.id },
      platform: {
        ...(native.code === undefined ? {} : { code: native.code }),
        ...(native.message === undefined ? {} : { message: native.message }),
        ...(native.requestId === undefined ? {} : { request_id: native.requestId }),
      },
    });
  }

  reportHealthy(): void {}

  async reportOrganizationLost(): Promise<void> {}
}

/** A stand-in for the connection of a destination that has none: what quotas and hosts go by. */
export function connectionOf(destination: ConversionDestinationRow): ConnectionRow {
  const { id, workspace_id, integration_type, environment, created_at, updated_at, is_paused } = destination;
  return {
    ...{ id, workspace_id, integration_type, environment, created_at, updated_at, is_paused },
    ...{ external_xref: null, permissions: [], categories: [], native_scopes: [], account: {}, version: 0 },
    ...{ token_expires_at: null, refresh_expires_at: null, health_state: 'unknown', unhealthy_code: null },
    ...{ unhealthy_message: null, last_healthy_at: null, last_unhealthy_at: null, life: 'healthy', life_since: null },
    ...{ reauthorize_by: null, lost_organizations: {}, deleted_at: null },
  };
}

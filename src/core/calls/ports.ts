/** What the request pipeline needs from token care. Implemented by `core/auth/tokens.ts`. */
import type { Classification } from '../connector/types.ts';
import type { ConnectionRow } from '../store/schema.ts';

export interface AppCredentials {
  client_id: string;
  client_secret: string;
}

export interface TokenSource {
  /**
   * A token that is valid now. Refreshes when it is about to expire, or when `expired` names the token that the platform
   * has just called expired. Throws `connection_reconnect_required` without asking the platform when the grant is gone.
   */
  tokenFor(connection: ConnectionRow, expired?: string): Promise<{ accessToken: string }>;
  /** App credentials of the connection's integration and environment; undefined where tokens were imported. */
  appFor(connection: ConnectionRow): Promise<AppCredentials | undefined>;
  /**
   * The platform says that the grant is gone: stops all further calls at once. Returns the link for re-connecting.
   * `token` is the one that was refused; when another has taken its place meanwhile (renewed, authorised again), nothing
   * is marked and `replaced` is true: the call may be repeated.
   */
  reportRevoked(
    connection: ConnectionRow,
    classification: Classification,
    token?: string,
  ): Promise<{ reconnectUrl: string; replaced?: boolean }>;
  /** A call succeeded; `organizationId` is the ad account it was about, if any. Cheap: writes at most now and then. */
  reportHealthy(connection: ConnectionRow, organizationId?: string): void;
  /** The platform refuses one ad account while the grant works: noted on the connection, stops nothing. */
  reportOrganizationLost(
    connection: ConnectionRow,
    organizationId: string,
    classification: Classification,
  ): Promise<void>;
}

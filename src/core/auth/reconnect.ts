/** Links by which an end customer authorises an existing connection again. */

import type { Clock } from '../clock.ts';
import { wireEnvironment } from '../connector/hosts.ts';
import { PolyadError } from '../errors/index.ts';
import type { ConnectionRow } from '../store/schema.ts';
import type { Signer } from './signing.ts';

/** Life of a re-authorization link in ms: long enough to lie in somebody's mail over a holiday. */
export const REAUTH_LIFE_MS = 14 * 24 * 60 * 60_000;

export interface ReconnectParts {
  signer: Signer;
  clock: Clock;
  publicUrl(): string;
}

export class Reconnect {
  readonly #parts: ReconnectParts;

  constructor(parts: ReconnectParts) {
    this.#parts = parts;
  }

  /** A token that allows re-authorizing this one connection, for `REAUTH_LIFE_MS`. */
  token(connection: Pick<ConnectionRow, 'id' | 'workspace_id'>): string {
    const ends = this.#parts.clock.now().getTime() + REAUTH_LIFE_MS;
    return this.#parts.signer.sign('reauth', connection.workspace_id, connection.id, ends.toString(36));
  }

  /**
   * The link to send the customer to. It is the ordinary auth address, so `success_redirect`, `failure_redirect` and
   * `state` may be added to it.
   */
  url(connection: Pick<ConnectionRow, 'id' | 'workspace_id' | 'integration_type' | 'environment'>): string {
    const query = new URLSearchParams({
      env: wireEnvironment(connection.environment),
      connection_id: connection.id,
      reauth_token: this.token(connection),
      redirect: 'true',
    });
    return `${this.#parts.publicUrl()}/unified/integration/auth/${connection.workspace_id}/${connection.integration_type}?${query}`;
  }

  /** @throws PolyadError `reauth_token_invalid` */
  check(token: string, workspaceId: string, connectionId: string): void {
    const [workspace, connection, ends] = this.#parts.signer.verify('reauth', token) ?? [];
    const valid =
      workspace === workspaceId &&
      connection === connectionId &&
      Number.parseInt(ends ?? '', 36) > this.#parts.clock.now().getTime();
    if (!valid) throw new PolyadError('reauth_token_invalid', { details: { connection_id: connectionId } });
  }
}

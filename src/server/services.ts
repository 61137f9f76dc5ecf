/** The services that routes call, beside the runtime. Put together by whoever starts the server. */
import type { Signer } from '../core/auth/signing.ts';
import type { AppCredentialsService } from '../core/integrations/app-credentials.ts';
import type { Integrations } from '../core/integrations/integrations.ts';
import type { NewApiCall } from '../core/store/repositories/index.ts';
import type { ConnectionRow } from '../core/store/schema.ts';
import type { FindKey } from './authentication.ts';

export interface CallLogPort {
  /** Takes a row at once; writing happens later. */
  add(row: NewApiCall): void;
  /** Rows that wait. */
  readonly depth: number;
  /** Rows given up since the start. */
  readonly dropped: number;
}

export interface Services {
  /** Platforms as a workspace sees them. */
  integrations: Integrations;
  /** App credentials of workspaces. */
  apps: AppCredentialsService;
  callLog: CallLogPort;
  /** A key by its hash, with its workspace; in memory when it was read before. Revoked and expired ones too. */
  findKey: FindKey;
  /** A connection of the workspace, in memory when it was read before. */
  findConnection(workspaceId: string, connectionId: string): Promise<ConnectionRow | undefined>;
  signer: Pick<Signer, 'sign' | 'verify'>;
}

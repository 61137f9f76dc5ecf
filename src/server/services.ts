/** The services that routes call, beside the runtime. Put together by whoever starts the server. */
import type { ConnectFlow } from '../core/auth/connect.ts';
import type { VaultAdmin } from '../core/auth/secrets/admin.ts';
import type { Signer } from '../core/auth/signing.ts';
import type { Connections } from '../core/connections/connections.ts';
import type { AppCredentialsService } from '../core/integrations/app-credentials.ts';
import type { Integrations } from '../core/integrations/integrations.ts';
import type { StoreCache } from '../core/store/cache.ts';
import type { CallLog } from '../core/store/call-log.ts';

export interface Services {
  /** Keys and connections, in memory. */
  cache: StoreCache;
  callLog: CallLog;
  /** Platforms as a workspace sees them. */
  integrations: Integrations;
  /** App credentials of workspaces. */
  apps: AppCredentialsService;
  connections: Connections;
  /** From a link to a connection. */
  connect: ConnectFlow;
  /** Master keys and where secrets lie. */
  vault: VaultAdmin;
  /** Signs the sessions of the status page. */
  signer: Signer;
  /** Address under which browsers reach this server, without a slash at its end. Known once it listens. */
  publicUrl(): string;
}

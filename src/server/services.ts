/** The services that routes call, beside the runtime. Put together by whoever starts the server. */
import type { AccountActions } from '../core/accounts/actions.ts';
import type { AccountPicker } from '../core/accounts/picker.ts';
import type { AccountTrees } from '../core/accounts/tree.ts';
import type { Audiences } from '../core/audiences/service.ts';
import type { AuditLog } from '../core/audit/log.ts';
import type { ConnectFlow } from '../core/auth/connect.ts';
import type { VaultAdmin } from '../core/auth/secrets/admin.ts';
import type { Signer } from '../core/auth/signing.ts';
import type { Connections } from '../core/connections/connections.ts';
import type { Conversions } from '../core/conversions/service.ts';
import type { Hooks } from '../core/hooks/receive.ts';
import type { AppCredentialsService } from '../core/integrations/app-credentials.ts';
import type { Integrations } from '../core/integrations/integrations.ts';
import type { LaunchService } from '../core/launch/service.ts';
import type { Leads } from '../core/leads/service.ts';
import type { MediaUploads } from '../core/media/upload.ts';
import type { ReportRunner } from '../core/report-jobs/runner.ts';
import type { ReportJobs } from '../core/report-jobs/service.ts';
import type { StoreCache } from '../core/store/cache.ts';
import type { CallLog } from '../core/store/call-log.ts';
import type { Authentication } from './authentication.ts';

export interface Services {
  /** Keys and connections, in memory. */
  cache: StoreCache;
  callLog: CallLog;
  /** Who did what. */
  audit: AuditLog;
  /** Who is calling. */
  authentication: Authentication;
  /** Platforms as a workspace sees them. */
  integrations: Integrations;
  /** App credentials of workspaces. */
  apps: AppCredentialsService;
  connections: Connections;
  /** Events that customers' customers caused, on their way to the platforms. */
  conversions: Conversions;
  /** From a link to a connection. */
  connect: ConnectFlow;
  /** Large files. */
  media: MediaUploads;
  /** Leads of forms. */
  leads: Leads;
  /** Webhooks of platforms. */
  hooks: Hooks;
  /** Members of audiences. */
  audiences: Audiences;
  /** Businesses above ad accounts. */
  accounts: { trees: AccountTrees; actions: AccountActions; picker: AccountPicker };
  /** The way to platforms' production access. */
  launch: LaunchService;
  /** Reports made in the background. */
  reportJobs: ReportJobs;
  /** Whoever makes them in this process; what it has done so far is in the metrics. */
  reportRunner: Pick<ReportRunner, 'counts'>;
  /** Master keys and where secrets lie. */
  vault: VaultAdmin;
  /** Signs the sessions of the status page. */
  signer: Signer;
  /** Address under which browsers reach this server, without a slash at its end. Known once it listens. */
  publicUrl(): string;
}

/** Every documented operation, in the order in which the reference shows them. */
import type { Operation } from './operation.ts';
import { ACCOUNT_OPERATIONS } from './routes/accounts.ts';
import { ADMIN_OPERATIONS } from './routes/admin.ts';
import { ADS_OPERATIONS } from './routes/ads.ts';
import { APICALL_OPERATIONS } from './routes/apicall.ts';
import { AUDIENCE_OPERATIONS } from './routes/audiences.ts';
import { AUDIT_OPERATIONS } from './routes/audit.ts';
import { BULK_OPERATIONS } from './routes/bulk.ts';
import { CONNECT_OPERATIONS } from './routes/connect.ts';
import { CONNECTION_OPERATIONS } from './routes/connection.ts';
import { CONVERSION_DESTINATION_OPERATIONS } from './routes/conversion-destinations.ts';
import { CONVERSION_OPERATIONS } from './routes/conversion-operations.ts';
import { GUARD_OPERATIONS } from './routes/guards.ts';
import { HOOK_OPERATIONS } from './routes/hooks.ts';
import { INTEGRATION_APP_OPERATIONS, INTEGRATION_OPERATIONS } from './routes/integration.ts';
import { LAUNCH_OPERATIONS } from './routes/launch.ts';
import { LEAD_OPERATIONS } from './routes/leads.ts';
import { MEDIA_OPERATIONS } from './routes/media.ts';
import { PASSTHROUGH_OPERATIONS } from './routes/passthrough.ts';
import { QUOTA_OPERATIONS } from './routes/quotas.ts';
import { REPORT_JOB_OPERATIONS } from './routes/report-jobs.ts';
import { SYSTEM_OPERATIONS } from './routes/system.ts';
import { VAULT_OPERATIONS } from './routes/vault.ts';

export const OPERATIONS: readonly Operation[] = [
  ...ADS_OPERATIONS,
  ...BULK_OPERATIONS,
  ...REPORT_JOB_OPERATIONS,
  ...CONVERSION_OPERATIONS,
  ...CONVERSION_DESTINATION_OPERATIONS,
  ...PASSTHROUGH_OPERATIONS,
  ...CONNECTION_OPERATIONS,
  ...INTEGRATION_OPERATIONS,
  ...CONNECT_OPERATIONS,
  ...APICALL_OPERATIONS,
  ...ADMIN_OPERATIONS,
  ...QUOTA_OPERATIONS,
  ...GUARD_OPERATIONS,
  ...AUDIT_OPERATIONS,
  ...VAULT_OPERATIONS,
  ...AUDIENCE_OPERATIONS,
  ...MEDIA_OPERATIONS,
  ...LEAD_OPERATIONS,
  ...HOOK_OPERATIONS,
  ...ACCOUNT_OPERATIONS,
  ...LAUNCH_OPERATIONS,
  ...INTEGRATION_APP_OPERATIONS,
  ...SYSTEM_OPERATIONS,
];

import type { NewApiCall } from '../../src/core/store/repositories/index.ts';

/** A row of the call log with all that is required. */
export function call(workspaceId: string, fields: Partial<NewApiCall> = {}): NewApiCall {
  return {
    workspace_id: workspaceId,
    integration_type: 'tiktok',
    environment: 'simulator',
    method: 'GET',
    name: 'ads_campaign list',
    path: '/ads/c/campaign',
    status: '200',
    type: 'inbound',
    ...fields,
  };
}

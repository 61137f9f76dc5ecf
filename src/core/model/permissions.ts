/** Names of the unified advertising objects of the wire contract, as they stand in addresses. */
export const CONTRACT_OBJECT_NAMES = [
  'organization',
  'campaign',
  'insertionorder',
  'group',
  'ad',
  'creative',
  'asset',
  'promoted',
  'target',
  'report',
] as const;
export type ContractObjectName = (typeof CONTRACT_OBJECT_NAMES)[number];

/** Objects that polyad adds to those of the contract; clients of the contract do not know them and lose nothing. */
export const OWN_OBJECT_NAMES = ['identity', 'creator_authorization', 'campaign_copy', 'audience'] as const;

/** Names of all unified advertising objects, as they stand in addresses. */
export const OBJECT_NAMES = [...CONTRACT_OBJECT_NAMES, ...OWN_OBJECT_NAMES] as const;
export type ObjectName = (typeof OBJECT_NAMES)[number];

/** What can be done with an object. */
export const METHODS = ['list', 'get', 'create', 'update', 'remove'] as const;
export type Method = (typeof METHODS)[number];

/** Permissions of a connection; requested as `scopes`, stored as `permissions`. */
export const PERMISSIONS = [
  'ads_organization_read',
  'ads_organization_write',
  'ads_campaign_read',
  'ads_campaign_write',
  'ads_group_read',
  'ads_group_write',
  'ads_ad_read',
  'ads_ad_write',
  'ads_creative_read',
  'ads_creative_write',
  'ads_asset_read',
  'ads_asset_write',
  'ads_insertionorder_read',
  'ads_insertionorder_write',
  'ads_report_read',
  'ads_target_read',
  'ads_promoted_read',
  'webhook',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

const KNOWN: ReadonlySet<string> = new Set(PERMISSIONS);

/** True for the name of a permission. */
export function isPermission(name: string): name is Permission {
  return KNOWN.has(name);
}

/** Our own objects need the permissions of what they serve: the contract has none for them. */
const PERMISSION_OF: Readonly<Partial<Record<ObjectName, string>>> = {
  identity: 'creative',
  creator_authorization: 'creative',
  campaign_copy: 'campaign',
  audience: 'group',
};

/**
 * The permission that a method on an object needs: `ads_<object>_read` for list and get, `ads_<object>_write` for
 * create, update and remove; undefined where the wire contract has no such permission, that is for writes to
 * report, target and promoted, which do not exist.
 */
export function permissionFor(object: ObjectName, method: Method): Permission | undefined {
  const name = `ads_${PERMISSION_OF[object] ?? object}_${method === 'list' || method === 'get' ? 'read' : 'write'}`;
  return isPermission(name) ? name : undefined;
}

import type { z } from 'zod';
import { type AdsAd, adsAd } from './ad.ts';
import { type AdsAsset, adsAsset } from './asset.ts';
import { type AdsAudience, adsAudience } from './audience.ts';
import { type AdsCampaign, adsCampaign } from './campaign.ts';
import { type AdsCampaignCopy, adsCampaignCopy } from './campaign-copy.ts';
import { type AdsCreative, adsCreative } from './creative.ts';
import { type AdsCreatorAuthorization, adsCreatorAuthorization } from './creator-authorization.ts';
import { type AdsGroup, adsGroup } from './group.ts';
import { type AdsIdentity, adsIdentity } from './identity.ts';
import { type AdsInsertionorder, adsInsertionorder } from './insertionorder.ts';
import { type AdsOrganization, adsOrganization } from './organization.ts';
import { METHODS, type Method, OBJECT_NAMES, type ObjectName, type Permission, permissionFor } from './permissions.ts';
import { type AdsPromoted, adsPromoted } from './promoted.ts';
import { type AdsReport, adsReport } from './report.ts';
import { type AdsTarget, adsTarget } from './target.ts';

/** Type of each object, by name. */
export interface ObjectTypes {
  organization: AdsOrganization;
  campaign: AdsCampaign;
  insertionorder: AdsInsertionorder;
  group: AdsGroup;
  ad: AdsAd;
  creative: AdsCreative;
  asset: AdsAsset;
  promoted: AdsPromoted;
  target: AdsTarget;
  report: AdsReport;
  audience: AdsAudience;
  identity: AdsIdentity;
  creator_authorization: AdsCreatorAuthorization;
  campaign_copy: AdsCampaignCopy;
}

/** Any unified advertising object. */
export type AdsObject = ObjectTypes[ObjectName];

/** Query parameters that narrow a list, besides the common list options. */
export const FILTER_NAMES = [
  'org_id',
  'campaign_id',
  'group_id',
  'ad_id',
  'io_id',
  'parent_id',
  'status',
  'effective_status',
  'goal',
  'type',
  'dimension',
  'start_gte',
  'end_lt',
] as const;
export type FilterName = (typeof FILTER_NAMES)[number];

/** Query parameters that every list takes. */
export const LIST_OPTIONS = ['limit', 'offset', 'updated_gte', 'sort', 'order', 'query', 'fields', 'raw'] as const;
export type ListOption = (typeof LIST_OPTIONS)[number];

/** Query parameters that get, create and update take. */
export const ITEM_OPTIONS = ['fields', 'raw'] as const;

/** One row of the table of objects. */
export interface ObjectDefinition<N extends ObjectName = ObjectName> {
  /** Name in addresses: `/ads/{connection_id}/{name}`. */
  name: N;
  /** English plural, for people. */
  plural: string;
  /** Name for people. */
  title: string;
  /** Key in `Integration.support` and object type of webhooks. */
  supportKey: `ads_${N}`;
  /** Schema of the object. Its keys are the object's fields. */
  schema: z.ZodObject;
  /** Which methods the wire contract has. `update` stands for PUT and PATCH, which do the same. */
  methods: Readonly<Record<Method, boolean>>;
  /** Filters of its list. */
  filters: readonly FilterName[];
  /** Permissions for reading and, where it can be written, for writing. */
  permissions: { read: Permission; write: Permission | undefined };
}

const ALL: readonly Method[] = METHODS;
const READ: readonly Method[] = ['list', 'get'];

function define<N extends ObjectName>(
  name: N,
  plural: string,
  title: string,
  schema: z.ZodObject,
  methods: readonly Method[],
  filters: readonly FilterName[],
): ObjectDefinition<N> {
  const read = permissionFor(name, 'list');
  if (!read) throw new Error(`no read permission for ${name}`);
  return {
    name,
    plural,
    title,
    supportKey: `ads_${name}`,
    schema,
    methods: Object.fromEntries(METHODS.map((method) => [method, methods.includes(method)])) as Record<Method, boolean>,
    filters,
    permissions: { read, write: permissionFor(name, 'update') },
  };
}

/** Every unified advertising object: address, schema, methods, filters and permissions, as the wire contract has them. */
export const OBJECTS: { readonly [N in ObjectName]: ObjectDefinition<N> } = {
  organization: define('organization', 'organizations', 'Organization', adsOrganization, ALL, ['parent_id']),
  campaign: define('campaign', 'campaigns', 'Campaign', adsCampaign, ALL, [
    'org_id',
    'status',
    'effective_status',
    'goal',
    'start_gte',
    'end_lt',
  ]),
  insertionorder: define('insertionorder', 'insertion orders', 'Insertion order', adsInsertionorder, ALL, [
    'org_id',
    'campaign_id',
  ]),
  group: define('group', 'groups', 'Group', adsGroup, ALL, [
    'org_id',
    'campaign_id',
    'parent_id',
    'io_id',
    'status',
    'effective_status',
    'start_gte',
    'end_lt',
  ]),
  ad: define('ad', 'ads', 'Ad', adsAd, ALL, ['org_id', 'campaign_id', 'group_id', 'status']),
  creative: define('creative', 'creatives', 'Creative', adsCreative, ALL, ['org_id', 'group_id', 'status']),
  asset: define('asset', 'assets', 'Asset', adsAsset, [...READ, 'create'], ['org_id', 'type']),
  promoted: define('promoted', 'promoted things', 'Promoted', adsPromoted, READ, ['org_id', 'type']),
  target: define('target', 'targets', 'Target', adsTarget, READ, ['org_id', 'type']),
  report: define(
    'report',
    'reports',
    'Report',
    adsReport,
    ['list'],
    ['org_id', 'campaign_id', 'group_id', 'ad_id', 'start_gte', 'end_lt', 'type', 'dimension'],
  ),
  audience: define('audience', 'audiences', 'Audience', adsAudience, [...READ, 'create', 'remove'], ['org_id', 'type']),
  identity: define(
    'identity',
    'identities',
    'Identity',
    adsIdentity,
    [...READ, 'create', 'remove'],
    ['org_id', 'type'],
  ),
  creator_authorization: define(
    'creator_authorization',
    'creator authorizations',
    'Creator authorization',
    adsCreatorAuthorization,
    [...READ, 'create', 'remove'],
    ['org_id', 'type'],
  ),
  campaign_copy: define(
    'campaign_copy',
    'campaign copies',
    'Campaign copy',
    adsCampaignCopy,
    ['get', 'create'],
    ['org_id'],
  ),
};

/** Fields that polyad adds to objects of the contract. Clients of the contract ignore them. */
export const OBJECT_EXTRAS: Readonly<Partial<Record<ObjectName, readonly string[]>>> = {
  campaign: ['automation', 'native_status'],
  group: ['automation', 'native_status'],
  ad: [
    'automation',
    'ad_copies',
    'ctas',
    'effective_status',
    'item_id',
    'materials',
    'native_status',
    'post_ads_only',
    'status_reason',
  ],
  creative: ['ad_id', 'automation', 'effective_status', 'native_status', 'review'],
};

const NAMES: ReadonlySet<string> = new Set(OBJECT_NAMES);

/** True for the name of a unified advertising object. */
export function isObjectName(name: string): name is ObjectName {
  return NAMES.has(name);
}

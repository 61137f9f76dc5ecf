import { describe, expect, it } from 'vitest';
import type { ObjectSpec } from '../connector/object-spec.ts';
import type { Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { askedPermissions, grantedPermissions, nativeScopes, offeredPermissions } from './permissions.ts';

const list = { list: {} } as unknown as ObjectSpec;
const all = { list: {}, create: async () => undefined } as unknown as ObjectSpec;

const platform = {
  manifest: { name: 'Loop Ads' },
  objects: { organization: list, campaign: all },
  report: {},
  auth: {
    permissions: {
      ads_campaign_read: ['200', '201'],
      ads_campaign_write: ['201'],
      ads_report_read: ['7043626160646818562'],
    },
    scopeParents: { '200': '20', '201': '20', '20': '2', '7043626160646818562': '4' },
  },
} as unknown as Platform;

describe('permissions', () => {
  it('offers what the platform has, in the order of the contract', () => {
    expect(offeredPermissions(platform)).toEqual([
      'ads_organization_read',
      'ads_campaign_read',
      'ads_campaign_write',
      'ads_report_read',
    ]);
  });

  it('asks for all, or for those named, repeated or joined', () => {
    expect(askedPermissions(platform, undefined)).toHaveLength(4);
    expect(askedPermissions(platform, ['ads_report_read,ads_campaign_read'])).toEqual([
      'ads_campaign_read',
      'ads_report_read',
    ]);
    expect(askedPermissions(platform, ['ads_campaign_read', 'ads_insertionorder_read'])).toEqual(['ads_campaign_read']);
  });

  it('refuses names that are no permission, and lists that leave nothing', () => {
    for (const scopes of [['campaign.read'], ['ads_campaign_read', 'nonsense'], ['ads_insertionorder_write']])
      expect(() => askedPermissions(platform, scopes)).toThrow(PolyadError);
  });

  it('follows the scope tree upwards, never downwards', () => {
    const asked = offeredPermissions(platform);
    expect(grantedPermissions(platform, asked, ['2'])).toEqual([
      'ads_organization_read',
      'ads_campaign_read',
      'ads_campaign_write',
    ]);
    expect(grantedPermissions(platform, asked, ['200'])).toEqual(['ads_organization_read', 'ads_campaign_read']);
    expect(grantedPermissions(platform, asked, ['7043626160646818562'])).toEqual([
      'ads_organization_read',
      'ads_report_read',
    ]);
    expect(grantedPermissions(platform, asked, ['7043626160646818560'])).toEqual(['ads_organization_read']);
  });

  it('gives no more than was asked, and all that was asked where the platform does not say', () => {
    expect(grantedPermissions(platform, ['ads_campaign_read'], ['2', '4'])).toEqual(['ads_campaign_read']);
    expect(grantedPermissions(platform, ['ads_campaign_write'], [])).toEqual(['ads_campaign_write']);
  });

  it('is not led in circles by a wrong tree', () => {
    const loop = {
      ...platform,
      auth: { ...platform.auth, scopeParents: { '201': '201', '200': '20', '20': '200' } },
    } as Platform;
    expect(grantedPermissions(loop, ['ads_campaign_read', 'ads_campaign_write'], ['9'])).toEqual([]);
  });

  it('asks for the first native scope of each permission', () => {
    expect(nativeScopes(platform, offeredPermissions(platform))).toEqual(['200', '201', '7043626160646818562']);
  });
});

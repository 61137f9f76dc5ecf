/** The TikTok module: everything polyad knows of TikTok for Business. Gotchas and set-up: README.md. */
import { definePlatform } from '../../core/connector/define.ts';
import { auth } from './auth.ts';
import { accounts } from './business-center.ts';
import { conversions } from './conversions.ts';
import { dryRunAnswer } from './dry-run.ts';
import { ENDPOINT_FAMILIES } from './endpoint-families-table.ts';
import { errors } from './errors.ts';
import { launch } from './launch.ts';
import { leads } from './leads.ts';
import { API, manifest } from './manifest.ts';
import { media } from './media.ts';
import { ad } from './operations/ad.ts';
import { asset } from './operations/asset.ts';
import { audience, audiences } from './operations/audience.ts';
import { campaign } from './operations/campaign.ts';
import { campaignCopy } from './operations/campaign-copy.ts';
import { creative } from './operations/creative.ts';
import { creatorAuthorization } from './operations/creator-authorization.ts';
import { group } from './operations/group.ts';
import { identity } from './operations/identity.ts';
import { organization } from './operations/organization.ts';
import { promoted } from './operations/promoted.ts';
import { targets } from './operations/target.ts';
import { report } from './reports.ts';
import { webhooks } from './webhooks.ts';

export default definePlatform({
  manifest,
  auth,
  errors,
  objects: {
    ...{ organization, campaign, group, ad, creative, asset, promoted, target: targets },
    ...{ audience, identity, creator_authorization: creatorAuthorization, campaign_copy: campaignCopy },
  },
  report,
  accounts,
  audiences,
  leads,
  media,
  webhooks,
  launch,
  conversions,
  // Campaigns, ad groups and ads are served together; files, reports and look-ups each by systems of their own.
  endpointClass(operation) {
    const family = operation.slice(0, Math.max(0, operation.indexOf('/')));
    if (family === 'campaign' || family === 'adgroup' || family === 'ad') return 'ads';
    return ENDPOINT_FAMILIES.has(family) ? family : undefined;
  },
  dryRunAnswer,
  operationOfPath: (path) =>
    path
      .replace(/^\/+/, '')
      .replace(API.slice(1), '')
      .replace(/^\/+|\/+$/g, ''),
  organizationOfCall: (_path, query) => {
    const id = query.get('advertiser_id') ?? '';
    return /^\d{1,32}$/.test(id) ? id : undefined;
  },
});

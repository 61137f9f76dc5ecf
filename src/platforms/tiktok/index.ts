/** The TikTok module: everything polyad knows of TikTok for Business. Gotchas and set-up: README.md. */
import { definePlatform } from '../../core/connector/define.ts';
import { auth } from './auth.ts';
import { errors } from './errors.ts';
import { API, manifest } from './manifest.ts';
import { ad } from './operations/ad.ts';
import { asset } from './operations/asset.ts';
import { campaign } from './operations/campaign.ts';
import { creative } from './operations/creative.ts';
import { group } from './operations/group.ts';
import { organization } from './operations/organization.ts';
import { promoted } from './operations/promoted.ts';
import { targets } from './operations/target.ts';
import { report } from './reports.ts';

export default definePlatform({
  manifest,
  auth,
  errors,
  objects: { organization, campaign, group, ad, creative, asset, promoted, target: targets },
  report,
  operationOfPath: (path) =>
    path
      .replace(/^\/+/, '')
      .replace(API.slice(1), '')
      .replace(/^\/+|\/+$/g, ''),
});

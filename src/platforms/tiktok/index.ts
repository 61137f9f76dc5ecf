/** The TikTok module: everything polyad knows of TikTok for Business. Gotchas and set-up: README.md. */
import { definePlatform } from '../../core/connector/define.ts';
import { auth } from './auth.ts';
import { errors } from './errors.ts';
import { API, manifest } from './manifest.ts';
import { campaign } from './operations/campaign.ts';
import { organization } from './operations/organization.ts';

export default definePlatform({
  manifest,
  auth,
  errors,
  objects: { organization, campaign },
  operationOfPath: (path) =>
    path
      .replace(/^\/+/, '')
      .replace(API.slice(1), '')
      .replace(/^\/+|\/+$/g, ''),
});

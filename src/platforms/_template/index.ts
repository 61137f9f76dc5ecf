/** The Acme module: everything polyad knows of Acme Ads. Gotchas and set-up: README.md. */
import { definePlatform } from '../../core/connector/define.ts';
import { auth } from './auth.ts';
import { errors } from './errors.ts';
import { manifest } from './manifest.ts';
import { campaign, organization } from './operations.ts';
import { report } from './reports.ts';

export default definePlatform({ manifest, auth, errors, objects: { organization, campaign }, report });

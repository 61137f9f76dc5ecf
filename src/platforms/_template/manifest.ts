/** Acme Ads: hosts, versions, quotas, and how its wire reads. Every fact names its source. */
import type { Manifest } from '../../core/connector/types.ts';

/** Path prefix of the API version in use. */
export const API = '/v1';

/** The manifest of the Acme module. */
export const manifest: Manifest = {
  id: 'acme',
  type: 'acmeads',
  name: 'Acme Ads',
  color: '#334155',
  textColor: '#ffffff',
  docsUrl: 'https://docs.acme.example',
  webUrl: 'https://ads.acme.example',
  description: 'Campaigns and reports of Acme ad accounts.',
  rateLimitDescription: 'Per app: 60 calls a minute.',
  apiVersions: [
    // Exactly one is the default. `sunset` is the day from which the platform refuses the version.
    {
      version: 'v1',
      released: '2026-01-01',
      sunset: null,
      default: true,
      source: 'https://docs.acme.example/versions',
    },
  ],
  // Add `sandbox` where the platform has a test host of its own.
  hosts: { production: { api: 'https://api.acme.example', login: 'https://login.acme.example' } },
  quotas: [
    // Source: https://docs.acme.example/limits. All buckets that apply to a call are taken together.
    { name: 'app per minute', keyedBy: ['app'], limit: 60, windowMs: 60_000, recovery: 'next_window' },
  ],
  queryStyle: 'comma',
  money: 'Whole numbers in the smallest unit of the ad account’s currency.',
  time: 'Instants are ISO 8601 in UTC. Report days are in the ad account’s time zone.',
  requestIdHeaders: ['x-request-id'],
  secretParams: ['access_token', 'client_secret', 'refresh_token', 'code'],
};

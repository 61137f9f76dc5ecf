/**
 * Acme Ads for the conformance suite. Every fact comes from the platform's documentation and the simulator's own state,
 * never from the module that is tested. `../facts.ts` says what each member is for; `tiktok.ts` is a complete example.
 */
import type { Json } from '../../support/app.ts';
import type { PlatformFacts } from '../facts.ts';

const API = '/v1';

export const facts: PlatformFacts = {
  decline: { decline: true },
  tokens: [
    {
      name: 'token of an hour with a rotating refresh token',
      settings: {},
      lifeMs: 3_600_000,
      refreshLifeMs: 365 * 86_400_000,
      call: (connectionId) => ({ method: 'GET', path: `/ads/${connectionId}/campaign?limit=1` }),
    },
  ],
  revoke: async (polyad) => void (await polyad.control('POST', '/grants/revoke', {})),
  importBody: (ready, environment) => ({
    integration_type: 'acmeads',
    environment,
    auth: { access_token: ready.access_token },
  }),
  accounts: async (polyad) => (await polyad.control('GET', '/accounts')).accounts,

  list: {
    object: 'campaign',
    page: 100,
    seed: async (polyad, n) => (await polyad.control('POST', '/seed', { campaigns: n })).account_id,
  },
  paths: { campaigns: '/campaigns', createCampaign: '/campaigns', updateCampaign: '/campaigns' },
  organization: (ready) => ready.account_ids[0],
  accountsOfValues: (ready) => [
    { id: ready.account_ids[0], currency: 'USD', zone: 'America/Los_Angeles', amounts: [50, 99.99], tooFine: 50.001 },
    { id: ready.account_ids[1], currency: 'JPY', zone: 'Asia/Tokyo', amounts: [10_000], tooFine: 10_000.5 },
    { id: ready.account_ids[2], currency: 'KWD', zone: 'Asia/Kuwait', amounts: [99.999], tooFine: 40.0001 },
  ],
  bodies: {
    campaign: (name, amount) => ({ name, goal: 'WEBSITE_TRAFFIC', budget_amount: amount }),
    group: (campaignId, name, amount, start, end) => ({
      campaign_id: campaignId,
      name,
      budget_amount: amount,
      start_at: start.toISOString(),
      end_at: end.toISOString(),
    }),
  },
  native: { name: 'name', amount: (row) => String(row.daily_budget), rows: (answer: Json) => answer.items },
  unknown: {
    member: 'member_of_next_year',
    enumMember: 'objective',
    enumValue: 'objective_of_next_year',
    unified: 'goal',
  },

  quotas: [
    {
      name: 'the app, 60 a minute',
      environment: 'simulator',
      buckets: ['app per minute'],
      calls: 180,
      request: () => ({ method: 'GET', path: `${API}/me`, operation: 'me' }),
    },
  ],
  exhausted: [],

  errors: {
    token_invalid: 'connection_reconnect_required',
    not_found: 'platform_not_found',
    too_many_requests: 'platform_rate_limited',
    invalid: 'platform_rejected',
  },
  errorAnswer: (code) => ({ status: 400, body: { error: { code, message: `The words of ${code}.` } } }),
  forced: [],
  version: { current: 'v1', old: 'v0' },
};

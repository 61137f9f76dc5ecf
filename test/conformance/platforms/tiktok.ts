/** TikTok for the conformance suite. Sources: TikTok API for Business docs; ids and accounts are those of the simulator. */
import type { Json, TestApp } from '../../support/app.ts';
import type { ExhaustedFacts, PlatformFacts, QuotaFacts, TokenFacts } from '../facts.ts';
import { TIKTOK_ERRORS } from './tiktok-errors-table.ts';

const API = '/open_api/v1.3';
const DAY = 86_400_000;

/** A call of the TikTok-account product, which our objects do not cover: by pass-through. */
const passthrough = (connectionId: string) => ({
  method: 'GET',
  path: `/passthrough/${connectionId}${API}/user/info/`,
});
const campaigns = (connectionId: string) => ({ method: 'GET', path: `/ads/${connectionId}/campaign?limit=1` });

const tokens: readonly TokenFacts[] = [
  { name: 'long-lived token (official)', settings: { token_model: 'official' }, call: campaigns },
  {
    name: 'token of a day with a rotating refresh token (as the integrators’ guide has it)',
    settings: { token_model: 'guide', refresh_rotation: true },
    lifeMs: DAY,
    refreshLifeMs: 365 * DAY,
    call: campaigns,
  },
  {
    name: 'token of a TikTok account, rotating',
    settings: { token_model: 'official', refresh_rotation: true },
    query: { grant: 'tt_user' },
    // Its authorize address names the app otherwise, and permissions as one text.
    consent: (ready) => ({ kind: 'tt_user', app_id: ready.app_id, scope: undefined }),
    lifeMs: DAY,
    refreshLifeMs: 365 * DAY,
    call: passthrough,
  },
];

const native = (polyad: TestApp, path: string, sandbox = false): Promise<Json> => {
  const { ready, url } = polyad.simulator;
  const token = String(sandbox ? ready['sandbox_access_token'] : ready['access_token']);
  return fetch(`${url}${sandbox ? '/sandbox' : ''}${API}/${path}`, { headers: { 'Access-Token': token } }).then(
    (answer) => answer.json() as Promise<Json>,
  );
};

const get = (operation: string, query: Record<string, unknown> = {}) => ({
  method: 'GET' as const,
  path: `${API}/${operation}/`,
  operation,
  query,
});
const post = (operation: string) => ({
  method: 'POST' as const,
  path: `${API}/${operation}/`,
  operation,
  json: {},
  // Nothing in it that could be carried out, so that sending it again is safe.
  idempotent: true,
});

const bucketsOf = (name: string): string[] => [`${name} per second`, `${name} per minute`];

const quotas: readonly QuotaFacts[] = [
  {
    name: 'the app, 600 a minute',
    environment: 'simulator',
    buckets: bucketsOf('app'),
    calls: 1_800,
    request: () => get('user/info'),
  },
  {
    name: 'ad/create, 150 a minute',
    environment: 'simulator',
    buckets: [...bucketsOf('app'), ...bucketsOf('ad/create')],
    calls: 450,
    request: () => post('ad/create'),
  },
  {
    name: 'report/task/create, 60 a minute',
    environment: 'simulator',
    buckets: [...bucketsOf('app'), ...bucketsOf('report/task/create')],
    calls: 180,
    request: () => post('report/task/create'),
  },
  {
    name: 'a sandbox endpoint, 1,000 a day',
    environment: 'sandbox',
    buckets: [...bucketsOf('sandbox endpoint'), 'sandbox endpoint per day'],
    calls: 3_000,
    request: (ready) => get('campaign/get', { advertiser_id: ready.sandbox_advertiser_id, page_size: 1 }),
  },
];

const exhausted: readonly ExhaustedFacts[] = [
  {
    name: 'calls per second',
    rests: [{ bucket: 'app per second', ms: () => 1_000 }],
    async exhaust(polyad) {
      for (let n = 0; n < 10; n += 1) await native(polyad, 'user/info/');
    },
  },
  {
    name: 'calls per minute',
    rests: [{ bucket: 'app per minute', ms: () => 300_000 }],
    async exhaust(polyad) {
      // Refused calls count towards the minute, so calling on and on ends in five minutes of silence.
      for (let n = 0; n < 61; n += 1) await Promise.all(Array.from({ length: 10 }, () => native(polyad, 'user/info/')));
    },
  },
  {
    name: 'calls per day of a sandbox endpoint',
    // The words name no period; five minutes that did not help say that it is the day, which ends at midnight UTC.
    rests: [
      { bucket: 'sandbox endpoint per minute', ms: () => 300_000 },
      { bucket: 'sandbox endpoint per day', ms: (now) => DAY - (now.getTime() % DAY) },
    ],
    environment: 'sandbox',
    organization: (ready) => ready.sandbox_advertiser_id,
    async exhaust(polyad) {
      const query = `campaign/get/?advertiser_id=${polyad.simulator.ready['sandbox_advertiser_id']}&page_size=1`;
      // Slowly, so that neither the second nor the minute is full, and on one day.
      polyad.advance(DAY - (polyad.now().getTime() % DAY));
      for (let n = 0; n < 1_000; n += 1) {
        polyad.advance(2_100);
        await native(polyad, query, true);
      }
      polyad.advance(120_000);
    },
  },
];

export const facts: PlatformFacts = {
  decline: { decline: true },
  tokens,
  async revoke(polyad) {
    await polyad.control('POST', '/grants/revoke', { app_id: polyad.simulator.ready['app_id'] });
  },
  importBody: (ready, environment) => ({
    integration_type: 'tiktokads',
    environment,
    auth: {
      access_token: environment === 'sandbox' ? ready.sandbox_access_token : ready.access_token,
      meta: { advertiser_ids: environment === 'sandbox' ? [ready.sandbox_advertiser_id] : ready.advertiser_ids },
    },
  }),
  async accounts(polyad) {
    const { advertisers } = await polyad.control('GET', '/advertisers');
    return advertisers
      .filter((row: Json) => !row.sandbox && !row.name.startsWith('Seeded'))
      .map((row: Json) => ({
        id: row.id,
        currency: row.currency,
        timezone: row.display_timezone,
        ...(row.owner_bc_id === undefined ? {} : { parent_id: row.owner_bc_id }),
      }));
  },
  manyAccounts: {
    count: 250,
    async seed(polyad) {
      // The test's revocation ended every grant of the app; a reset gives the ready token back.
      await polyad.reset();
      return (await polyad.control('POST', '/seed', { advertisers: 250 })).advertiser_ids;
    },
  },
  async refuseAccount(polyad) {
    const { ready } = polyad.simulator;
    const refused = (ready['advertiser_ids'] as string[])[4] as string;
    const user = `/users/${ready['user_id']}`;
    await polyad.control('PATCH', user, { roles: { [refused]: null } });
    return { refused, undo: async () => void (await polyad.control('PATCH', user, { roles: { [refused]: 'ADMIN' } })) };
  },

  list: {
    object: 'ad',
    page: 1_000,
    async seed(polyad, n) {
      const { grants } = await polyad.control('GET', '/grants');
      const newest = grants.filter((grant: Json) => grant.kind === 'marketing' && grant.revoked_at === null).at(-1);
      const { id } = await polyad.control('POST', '/advertisers', {
        name: `Account of ${n} ads`,
        currency: 'USD',
        timezone: 'America/Los_Angeles',
        grant_to: newest.token,
      });
      if (n > 0) await polyad.control('POST', '/seed', { volume: n, advertiser_id: id, deleted_share: 0 });
      // Ad accounts are remembered for some minutes.
      polyad.advance(600_000);
      return id;
    },
  },
  paths: { campaigns: '/campaign/get/', createCampaign: '/campaign/create/', updateCampaign: '/campaign/update/' },
  organization: (ready) => ready.advertiser_ids[0],
  accountsOfValues: (ready) => [
    {
      id: ready.advertiser_ids[0],
      currency: 'USD',
      zone: 'America/Los_Angeles',
      amounts: [50, 99.99, 1234.56],
      tooFine: 50.001,
    },
    {
      id: ready.advertiser_ids[1],
      currency: 'JPY',
      zone: 'Asia/Tokyo',
      amounts: [10_000, 1_234_567],
      tooFine: 10_000.5,
    },
    {
      id: ready.advertiser_ids[3],
      currency: 'KWD',
      zone: 'Asia/Kuwait',
      amounts: [40, 99.999, 123.005],
      tooFine: 40.0001,
    },
    {
      id: ready.advertiser_ids[4],
      currency: 'AUD',
      zone: 'Australia/Sydney',
      amounts: [100, 100.1],
      tooFine: 100.005,
    },
  ],
  bodies: {
    campaign: (name, amount) => ({ name, goal: 'WEBSITE_TRAFFIC', budget_amount: amount, budget_period: 'DAILY' }),
    group: (campaignId, name, amount, start, end) => ({
      campaign_id: campaignId,
      name,
      optimization_goal: 'LINK_CLICKS',
      budget_amount: amount,
      budget_period: 'DAILY',
      start_at: start.toISOString(),
      end_at: end.toISOString(),
      targeting: { geographic: { countries: [{ id: 'US' }] } },
    }),
  },
  native: { name: 'campaign_name', amount: (row) => String(row.budget), rows: (answer) => answer.data.list },
  unknown: {
    member: 'member_of_next_year',
    enumMember: 'objective_type',
    enumValue: 'OBJECTIVE_OF_NEXT_YEAR',
    unified: 'goal',
  },

  quotas,
  exhausted,

  errors: TIKTOK_ERRORS,
  errorAnswer: (code) => ({
    // Nearly every failure of TikTok comes with HTTP 200.
    body: {
      code: Number(code),
      message: `The words of ${code}.`,
      request_id: '20261122120000ABCDEF',
      data: code === '20001' ? { list: [], page_info: { page: 1, page_size: 1, total_number: 0, total_page: 0 } } : {},
    },
  }),
  forced: [
    {
      name: 'the user lost the role on the ad account',
      nativeCode: '40001',
      code: 'organization_access_lost',
      async force(polyad) {
        const { ready } = polyad.simulator;
        await polyad.control('PATCH', `/users/${ready['user_id']}`, { roles: { [facts.organization(ready)]: null } });
      },
      async undo(polyad) {
        const { ready } = polyad.simulator;
        await polyad.control('PATCH', `/users/${ready['user_id']}`, {
          roles: { [facts.organization(ready)]: 'ADMIN' },
        });
      },
    },
    {
      name: 'the token has expired and nothing renews it',
      nativeCode: '40102',
      code: 'connection_reconnect_required',
      async force(polyad) {
        await polyad.control('POST', '/grants/expire', { access_token: polyad.simulator.ready['access_token'] });
      },
      undo: (polyad) => polyad.reset(),
    },
    {
      name: 'the customer withdrew the grant',
      nativeCode: '40105',
      code: 'connection_reconnect_required',
      force: (polyad) => facts.revoke(polyad),
      undo: (polyad) => polyad.reset(),
    },
    {
      name: 'the user behind the grant is gone',
      nativeCode: '40106',
      code: 'connection_reconnect_required',
      force: async (polyad) => void (await polyad.control('DELETE', `/users/${polyad.simulator.ready['user_id']}`)),
      undo: (polyad) => polyad.reset(),
    },
    {
      name: 'the app was deleted',
      nativeCode: '40113',
      code: 'platform_app_invalid',
      force: async (polyad) => void (await polyad.control('DELETE', `/apps/${polyad.simulator.ready['app_id']}`)),
      undo: (polyad) => polyad.reset(),
    },
  ],
  version: { current: '/v1.3/', old: '/v1.2/' },
};

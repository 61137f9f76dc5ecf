/** Every write of the API as a call, and what it would send to the platform: for the suite of dry runs. */
import { createHash } from 'node:crypto';
import { type ConversionWorld, openWorld } from '../conversions/world.ts';
import type { Json, TestApp } from '../support/app.ts';

export let world: ConversionWorld;
export let polyad: TestApp;
export let connection: string;
export let org: string;
/** Ids of objects that are there, by kind. */
export const have: Record<string, string> = {};

export const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

/** What changes nothing at a platform, and why it needs no rehearsal. */
export const OWN: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['createReportJob', 'cancelReportJob', 'removeReportJob', 'planQuotas'].map((id) => [id, 'reads']),
  ),
  ...Object.fromEntries(
    ['createConversionDestination', 'updateConversionDestination', 'removeConversionDestination']
      .concat(['createUnifiedConnection', 'updateUnifiedConnection', 'patchUnifiedConnection', 'selectAccounts'])
      .concat(['createWorkspace', 'updateWorkspace', 'removeWorkspace', 'createApiKey', 'rotateApiKey', 'revokeApiKey'])
      .concat(['putSpendGuard', 'removeSpendGuard', 'settleWrite', 'startVaultJob', 'stopVaultJobs'])
      .concat(['putLaunchAnswers', 'createLaunchSubmission', 'updateLaunchSubmission', 'launchProduction'])
      .concat(['putIntegrationApp', 'removeIntegrationApp'])
      .map((id) => [id, 'records of ours alone']),
  ),
  removeUnifiedConnection: 'gives a token up; nothing that the customer has at the platform',
};

export interface Case {
  /** Operation ids that this stands for. */
  of: string[];
  method: string;
  path(): string;
  body?(): Json;
  /** A body that is no JSON. */
  raw?: string | Uint8Array<ArrayBuffer>;
  type?: string;
  /** Native endpoints that would be called, in order. */
  sends?: string[];
  /** Where the platform has no such write: the code. */
  refused?: string;
}

const q = (path: string): string => `${path}${path.includes('?') ? '&' : '?'}org_id=${org}`;
export const at = (object: string, id = ''): string =>
  q(`/ads/${connection}/${object}${id === '' ? '' : `/${have[id]}`}`);
const campaign = (): Json => ({
  ...{ organization_id: org, name: 'Rehearsed', goal: 'WEBSITE_TRAFFIC', budget_amount: 100, budget_period: 'DAILY' },
});
const unsupported = (kind: string, title: string): Case[] => [
  { of: [`create${title}`], method: 'POST', path: () => at(kind), body: () => ({ name: 'x' }) },
  { of: [`update${title}`], method: 'PUT', path: () => at(kind, 'campaign'), body: () => ({ name: 'x' }) },
  { of: [`patch${title}`], method: 'PATCH', path: () => at(kind, 'campaign'), body: () => ({ name: 'x' }) },
  { of: [`remove${title}`], method: 'DELETE', path: () => at(kind, 'campaign') },
];
const changes = (kind: string, title: string, body: Json, sends: string[]): Case[] => [
  { of: [`update${title}`], method: 'PUT', path: () => at(kind, kind), body: () => body, sends },
  { of: [`patch${title}`], method: 'PATCH', path: () => at(kind, kind), body: () => body, sends },
];
const LIST = '{"email":"Ada@Example.com"}\n{"email":"bob@example.com"}\n';
const NDJSON = 'application/x-ndjson';
export const CLIP = new Uint8Array(6 * 1024 * 1024).fill(7);
export const members = (id: string) => (): string => q(`/ads/${connection}/audience/${have[id]}/members`);

export const CASES: Case[] = [
  ...unsupported('organization', 'AdsOrganization').map((one) => ({ ...one, refused: 'method_unsupported' })),
  ...unsupported('insertionorder', 'AdsInsertionorder').map((one) => ({ ...one, refused: 'method_unsupported' })),
  { of: ['createAdsCampaign'], method: 'POST', path: () => at('campaign'), body: campaign, sends: ['campaign/create'] },
  ...changes('campaign', 'AdsCampaign', { name: 'Other' }, ['campaign/update']),
  {
    ...{ of: ['removeAdsCampaign'], method: 'DELETE', path: () => at('campaign', 'campaign') },
    sends: ['campaign/status/update'],
  },
  {
    ...{ of: ['createAdsGroup'], method: 'POST', path: () => at('group') },
    body: () => ({
      ...{ campaign_id: have['campaign'], name: 'Rehearsed', optimization_goal: 'LINK_CLICKS' },
      ...{
        budget_amount: 50,
        budget_period: 'DAILY',
        start_at: new Date(polyad.now().getTime() + 3_600_000).toISOString(),
      },
      targeting: {
        geographic: { countries: [{ id: '6252001' }] },
        placement: { platforms: ['PLACEMENT_TIKTOK'] },
      },
    }),
    sends: ['adgroup/create'],
  },
  ...changes('group', 'AdsGroup', { name: 'Other' }, ['adgroup/update']),
  { of: ['removeAdsGroup'], method: 'DELETE', path: () => at('group', 'group'), sends: ['adgroup/status/update'] },
  {
    ...{ of: ['createAdsAd'], method: 'POST', path: () => at('ad') },
    body: () => ({
      ...{ group_id: have['group'], name: 'Rehearsed', item_id: have['post'] },
      ...{ cta: 'SHOP_NOW', final_url: 'https://acme.test/p' },
    }),
    sends: ['ad/create'],
  },
  {
    ...{ of: ['createAdsCreative'], method: 'POST', path: () => at('creative') },
    body: () => ({
      ...{ organization_id: org, group_id: have['group'], name: 'Rehearsed', body: 'Hello' },
      asset_urls: ['https://cdn.example.com/clip.mp4', 'https://cdn.example.com/cover.jpg'],
      ...{ link_url: 'https://example.com', promoted: [{ type: 'PAGE_ID', id: have['page'] }] },
    }),
    sends: ['file/video/ad/upload', 'file/image/ad/upload', 'ad/create'],
  },
  ...changes('ad', 'AdsAd', { name: 'Other' }, ['ad/update']),
  { of: ['removeAdsAd'], method: 'DELETE', path: () => at('ad', 'ad'), sends: ['ad/status/update'] },
  ...changes('creative', 'AdsCreative', { name: 'Other' }, ['ad/update']),
  {
    ...{ of: ['removeAdsCreative'], method: 'DELETE', path: () => at('creative', 'creative') },
    refused: 'method_unsupported',
  },
  {
    ...{ of: ['createAdsAsset'], method: 'POST', path: () => at('asset') },
    body: () => ({ name: 'a.png', type: 'IMAGE', content: Buffer.from('picture').toString('base64') }),
    sends: ['file/image/ad/upload'],
  },
  {
    ...{ of: ['createAdsIdentity'], method: 'POST', path: () => at('identity') },
    body: () => ({ name: 'Shop', image_url: 'https://cdn.example.com/logo.jpg' }),
    sends: ['file/image/ad/upload', 'identity/create'],
  },
  { of: ['removeAdsIdentity'], method: 'DELETE', path: () => at('identity', 'identity'), sends: ['identity/delete'] },
  {
    ...{ of: ['createAdsCreatorAuthorization'], method: 'POST', path: () => at('creator_authorization') },
    body: () => ({ code: have['code'], organization_id: org }),
    sends: ['tt_video/authorize'],
  },
  {
    ...{ of: ['removeAdsCreatorAuthorization'], method: 'DELETE' },
    path: () => at('creator_authorization', 'post'),
    sends: ['tt_video/unbind'],
  },
  {
    ...{ of: ['createAdsCampaignCopy'], method: 'POST', path: () => at('campaign_copy') },
    body: () => ({ campaign_id: have['campaign'], organization_id: org, name: 'The copy' }),
    sends: ['campaign/copy/task/create'],
  },
  {
    ...{ of: ['createAdsAudience'], method: 'POST', path: () => at('audience') },
    body: () => ({ name: 'Rehearsed', type: 'STREAM', organization_id: org }),
    sends: ['segment/audience'],
  },
  { of: ['removeAdsAudience'], method: 'DELETE', path: () => at('audience', 'stream'), sends: ['segment/audience'] },
  {
    ...{ of: ['bulkWrite'], method: 'POST', path: () => q(`/v1/bulk/${connection}/campaign`) },
    body: () => ({
      items: [
        { method: 'create', body: campaign() },
        { method: 'update', id: have['campaign'], body: { name: 'Bulk' } },
        { method: 'status', id: have['campaign'], status: 'PAUSED' },
        { method: 'remove', id: have['campaign'] },
      ],
    }),
    sends: ['campaign/create', 'campaign/update', 'campaign/status/update', 'campaign/status/update'],
  },
  {
    ...{ of: ['createAdsConversion'], method: 'POST' },
    path: () => `/ads/${connection}/conversion?destination_id=${world.web.id}`,
    body: () => world.purchase(),
    sends: ['event/track'],
  },
  {
    ...{ of: ['createConversions'], method: 'POST', path: () => '/v1/conversions' },
    body: () => ({ events: [world.purchase()], destination_ids: [world.web.id] }),
    sends: ['event/track'],
  },
  ...(['POST', 'PUT', 'PATCH', 'DELETE'] as const).map(
    (method): Case => ({
      of: [`${{ POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'remove' }[method]}Passthrough`],
      ...{ method, path: () => `/passthrough/${connection}/open_api/v1.3/campaign/status/update/?x=1` },
      body: () => ({ advertiser_id: org, campaign_ids: [have['campaign']], operation_status: 'DELETE' }),
      sends: ['campaign/status/update'],
    }),
  ),
  {
    ...{ of: ['createAdsAudienceFromFile'], method: 'POST', raw: LIST, type: NDJSON },
    path: () => `${at('audience/from_file')}&name=Rehearsed&identifier=email`,
    sends: ['dmp/custom_audience/file/upload', 'dmp/custom_audience/create'],
  },
  {
    ...{ of: ['changeAdsAudienceMembers'], method: 'POST', path: members('stream'), raw: LIST, type: NDJSON },
    sends: ['segment/mapping'],
  },
  {
    ...{ of: ['changeAdsAudienceMembers'], method: 'POST', path: members('file'), raw: LIST, type: NDJSON },
    sends: ['dmp/custom_audience/file/upload', 'dmp/custom_audience/update'],
  },
  {
    ...{ of: ['applyAdsAudience'], method: 'POST' },
    path: () => q(`/ads/${connection}/audience/${have['file']}/apply`),
    body: () => ({ group_ids: [have['group']] }),
    sends: ['dmp/custom_audience/apply'],
  },
  {
    ...{ of: ['shareAdsAudience'], method: 'POST' },
    path: () => q(`/ads/${connection}/audience/${have['file']}/share`),
    body: () => ({ organization_ids: ['1', '2'], action: 'cancel' }),
    sends: ['dmp/custom_audience/share/cancel', 'dmp/custom_audience/share/cancel'],
  },
  {
    ...{ of: ['uploadMedia'], method: 'POST', raw: CLIP, type: 'video/mp4' },
    path: () => `${at('media')}&name=clip.mp4`,
    sends: [
      ...['file/start/upload', 'file/transfer/upload', 'file/transfer/upload', 'file/finish/upload'],
      'file/video/ad/upload',
    ],
  },
  {
    ...{ of: ['createHookSubscription'], method: 'POST', path: () => `/v1/connections/${connection}/subscriptions` },
    body: () => ({ kind: 'lead', organization_id: org }),
    sends: ['subscription/subscribe'],
  },
  {
    ...{ of: ['removeHookSubscription'], method: 'DELETE' },
    path: () => `/v1/connections/${connection}/subscriptions/${have['subscription']}`,
    sends: ['subscription/unsubscribe'],
  },
  {
    ...{ of: ['runAccountAction'], method: 'POST' },
    path: () => `/v1/connections/${connection}/accounts/actions/unassign_member`,
    body: () => ({ business_id: '1', user_id: '2', organization_id: org }),
    sends: ['bc/asset/unassign'],
  },
  {
    ...{ of: ['replayConversions'], method: 'POST', path: () => '/v1/conversions/replay' },
    body: () => ({ destination_id: world.web.id }),
    sends: [],
  },
];

export async function send(one: Case, flag = 'dry_run=true'): Promise<{ status: number; body: Json; text: string }> {
  const path = one.path();
  const answer = await fetch(`${polyad.url}${path}${path.includes('?') ? '&' : '?'}${flag}`, {
    method: one.method,
    headers: {
      authorization: polyad.key,
      ...(one.raw === undefined && one.body === undefined ? {} : { 'content-type': one.type ?? 'application/json' }),
      'idempotency-key': 'rehearsal',
    },
    ...(one.raw === undefined
      ? one.body === undefined
        ? {}
        : { body: JSON.stringify(one.body()) }
      : { body: one.raw }),
  });
  const text = await answer.text();
  const lines = text.split('\n').filter((line) => line !== '');
  return {
    status: answer.status,
    body: lines.length > 1 ? lines.map((line) => JSON.parse(line)) : JSON.parse(text),
    text,
  };
}

/** Every native request in an answer, wherever it stands. */
export function requestsIn(value: Json): Json[] {
  if (value === null || typeof value !== 'object') return [];
  const own = value.dry_run?.requests ?? [];
  return [...own, ...Object.entries(value).flatMap(([name, member]) => (name === 'dry_run' ? [] : requestsIn(member)))];
}
export const endpoints = (body: Json): string[] =>
  requestsIn(body).map(({ url }) => (url.split(/\/v1\.[23]\//)[1] as string).replace(/\/?(\?.*)?$/, ''));
/** Opens the world, and makes what the calls are about. */
export async function openRehearsals(): Promise<void> {
  world = await openWorld();
  polyad = world.app;
  ({ connection } = world);
  [org] = polyad.simulator.ready['advertiser_ids'] as [string];
  const first = async (object: string, more = ''): Promise<Json> => (await polyad.ok('GET', `${at(object)}${more}`))[0];
  have['ad'] = (await first('ad')).id;
  have['creative'] = (await first('creative')).id;
  have['group'] = (await first('group')).id;
  have['campaign'] = (await first('campaign')).id;
  have['page'] = (await first('promoted', '&type=PAGE_ID')).id;
  const stream = { name: 'Stream', type: 'STREAM', organization_id: org };
  have['stream'] = (await polyad.ok('POST', at('audience'), stream)).id;
  const file = CASES.find(({ of }) => of[0] === 'createAdsAudienceFromFile') as Case;
  have['file'] = (await send(file, 'x')).body.id ?? (await send(file, 'dry_run=false')).body.id;
  const hooks = `/v1/connections/${connection}/subscriptions`;
  have['subscription'] = (await polyad.ok('POST', hooks, { kind: 'lead', organization_id: org })).id;
  const identity = { name: 'Own', image_url: 'https://cdn.example.com/own.jpg' };
  have['identity'] = (await polyad.ok('POST', at('identity'), identity)).id;
  const code = async (): Promise<string> =>
    (await polyad.control('POST', '/spark_posts', { tiktok_name: 'mia', days: 30 })).auth_code;
  have['post'] = (
    await polyad.ok('POST', at('creator_authorization'), { code: await code(), organization_id: org })
  ).id;
  have['code'] = await code();
  await polyad.clearLog();
}

/**
 * The published client of the wire contract, unmodified, in two releases, against this server with the TikTok simulator
 * behind it: its own response checks are the judge. Any answer that they refuse throws.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UnifiedTo as Newest } from '@unified-api/typescript-sdk';
import { UnifiedTo as Older } from 'unified-sdk-2-83';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Demo, openDemo } from '../../src/app/demo.ts';
import { createLog } from '../../src/app/log.ts';
import { type App, startApp } from '../../src/app/start.ts';
import { loadConfig } from '../../src/core/config.ts';

// biome-ignore lint/suspicious/noExplicitAny: two releases with types of their own; their run-time checks are what counts.
type Any = any;

let app: App;
let demo: Demo;
let dataDir: string;
let connectionId: string;
let orgId: string;
let videos: string[];
let identity: string;

/** Our own view, for facts that a release has no method for. */
const read = async (path: string): Promise<Any> =>
  (await fetch(`${app.url}${path}`, { headers: { authorization: demo.apiKey } })).json();

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'polyad-sdk-'));
  const config = loadConfig({ POLYAD_DATA_DIR: dataDir, POLYAD_PORT: '0', POLYAD_SIMULATOR_PORT: '0' });
  app = await startApp({ config, log: createLog('silent') });
  demo = await openDemo(app);
  connectionId = (demo.connections[0] as { id: string }).id;
  orgId = (await read(`/ads/${connectionId}/organization?query=Acme%20US`))[0].id;
  const [video] = await read(`/ads/${connectionId}/asset?org_id=${orgId}&type=VIDEO`);
  const [image] = await read(`/ads/${connectionId}/asset?org_id=${orgId}&type=IMAGE`);
  videos = [video.id, image.id];
  identity = (await read(`/ads/${connectionId}/promoted?org_id=${orgId}&type=PAGE_ID`)).find(({ id }: Any) =>
    id.startsWith('TT_USER:'),
  ).id;
});
afterAll(async () => {
  await app?.close(1000);
  await rm(dataDir, { recursive: true, force: true });
});

const later = (days: number): Date => new Date(Date.now() + days * 86_400_000);

describe.each([
  ['2.85.49', Newest as Any],
  ['2.83.50', Older as Any],
])('release %s of the published client', (release, Client) => {
  let sdk: Any;
  let target: { connectionId: string };
  let campaign: Any;
  let group: Any;
  let ad: Any;

  beforeAll(() => {
    sdk = new Client({ serverURL: app.url, security: { jwt: demo.apiKey } });
    target = { connectionId };
  });

  /** What the client throws for an error answer, as our error. */
  const refused = async (call: Promise<unknown>): Promise<{ status: number; code: string }> => {
    const error = await call.then(
      () => {
        throw new Error('the call succeeded');
      },
      (thrown) => thrown,
    );
    expect(error.constructor.name).toBe('SDKError');
    const body = JSON.parse(error.body);
    expect(body).toMatchObject({
      statusCode: error.statusCode,
      request_id: expect.any(String),
      fix: expect.any(String),
    });
    return { status: error.statusCode, code: body.code };
  };

  it('lists and gets every object that TikTok has', async () => {
    for (const [plural, one] of [
      ['Organizations', 'Organization'],
      ['Campaigns', 'Campaign'],
      ['Groups', 'Group'],
      ['Ads', 'Ad'],
      ['Creatives', 'Creative'],
      ['Promoteds', 'Promoted'],
      ['Targets', 'Target'],
      ...(release === '2.83.50' ? [] : [['Assets', 'Asset']]),
    ] as const) {
      const rows = await sdk.ads[`listAds${plural}`]({
        ...target,
        limit: 2,
        offset: 0,
        ...(one === 'Organization' ? {} : { orgId }),
      });
      expect([one, rows.length > 0]).toEqual([one, true]);
      const found = await sdk.ads[`getAds${one}`]({ ...target, id: rows[0].id });
      expect([one, found.id]).toEqual([one, rows[0].id]);
    }
  });

  it('lists with the parameters of the contract', async () => {
    const rows = await sdk.ads.listAdsCampaigns({
      ...target,
      orgId,
      limit: 5,
      offset: 0,
      order: 'desc',
      sort: 'created_at',
      query: 'us',
      updatedGte: '2020-01-01T00:00:00Z',
      fields: ['id', 'name', 'raw'],
      raw: 'page_size=5',
    });
    expect(rows.length).toBeGreaterThan(0);
    expect(rows[0].raw.campaign_id).toBe(rows[0].id);
    expect(rows[0].budgetAmount).toBeUndefined();
  });

  it('creates, changes by PUT and PATCH, and reads back campaigns, groups and ads', async () => {
    campaign = await sdk.ads.createAdsCampaign({
      ...target,
      adsCampaign: {
        organizationId: orgId,
        name: `SDK ${release}`,
        goal: 'WEBSITE_TRAFFIC',
        budgetAmount: 500.5,
        budgetPeriod: 'DAILY',
        status: 'PAUSED',
      },
    });
    expect(campaign).toMatchObject({ budgetAmount: 500.5, budgetPeriod: 'DAILY', status: 'PAUSED', currency: 'USD' });
    const put = await sdk.ads.updateAdsCampaign({
      ...target,
      id: campaign.id,
      adsCampaign: { name: `SDK ${release} renamed` },
    });
    expect(put).toMatchObject({
      id: campaign.id,
      name: `SDK ${release} renamed`,
      budgetAmount: 500.5,
      status: 'PAUSED',
    });
    const patched = await sdk.ads.patchAdsCampaign({ ...target, id: campaign.id, adsCampaign: { status: 'ACTIVE' } });
    expect(patched).toMatchObject({ status: 'ACTIVE', name: `SDK ${release} renamed` });

    const startAt = later(2);
    group = await sdk.ads.createAdsGroup({
      ...target,
      adsGroup: {
        organizationId: orgId,
        campaignId: campaign.id,
        name: 'Group',
        optimizationGoal: 'LINK_CLICKS',
        budgetAmount: 50,
        budgetPeriod: 'DAILY',
        startAt,
        targeting: {
          geographic: { countries: [{ id: '6252001' }] },
          placement: { platforms: ['PLACEMENT_TIKTOK'] },
        },
      },
    });
    expect(group).toMatchObject({
      campaignId: campaign.id,
      budgetAmount: 50,
      targeting: { geographic: { countries: [{ id: '6252001' }] } },
    });
    expect(Math.floor(group.startAt.getTime() / 1000)).toBe(Math.floor(startAt.getTime() / 1000));
    expect(await sdk.ads.updateAdsGroup({ ...target, id: group.id, adsGroup: { name: 'Group two' } })).toMatchObject({
      name: 'Group two',
      budgetAmount: 50,
    });
    expect(await sdk.ads.patchAdsGroup({ ...target, id: group.id, adsGroup: { status: 'PAUSED' } })).toMatchObject({
      status: 'PAUSED',
      name: 'Group two',
    });

    ad = await sdk.ads.createAdsAd({
      ...target,
      adsAd: {
        organizationId: orgId,
        groupId: group.id,
        name: 'Ad',
        adType: 'VIDEO',
        adCopy: 'New shoes',
        cta: 'SHOP_NOW',
        finalUrl: 'https://acme.test/p',
        creativeIds: videos,
        promoted: [{ type: 'PAGE_ID', id: identity }],
      },
    });
    expect(ad).toMatchObject({ groupId: group.id, adCopy: 'New shoes', finalUrl: 'https://acme.test/p' });
    expect(await sdk.ads.updateAdsAd({ ...target, id: ad.id, adsAd: { adCopy: 'Newer shoes' } })).toMatchObject({
      adCopy: 'Newer shoes',
      cta: 'SHOP_NOW',
    });
    expect(await sdk.ads.patchAdsAd({ ...target, id: ad.id, adsAd: { status: 'PAUSED' } })).toMatchObject({
      status: 'PAUSED',
      adCopy: 'Newer shoes',
    });
  });

  it('creates and changes creatives, whose removal is refused with what to do instead', async () => {
    const creative = await sdk.ads.createAdsCreative({
      ...target,
      adsCreative: {
        organizationId: orgId,
        groupId: group.id,
        name: 'Creative',
        creativeType: 'VIDEO',
        body: 'Words',
        cta: 'SHOP_NOW',
        linkUrl: 'https://acme.test/q',
        assetUrls: videos,
        promoted: [{ type: 'PAGE_ID', id: identity }],
      },
    });
    expect(creative).toMatchObject({ groupId: group.id, body: 'Words' });
    expect(
      await sdk.ads.updateAdsCreative({ ...target, id: creative.id, adsCreative: { body: 'Other words' } }),
    ).toMatchObject({ body: 'Other words', linkUrl: 'https://acme.test/q' });
    expect(
      await sdk.ads.patchAdsCreative({ ...target, id: creative.id, adsCreative: { cta: 'LEARN_MORE' } }),
    ).toMatchObject({ cta: 'LEARN_MORE', body: 'Other words' });
    expect(await refused(sdk.ads.removeAdsCreative({ ...target, id: creative.id }))).toEqual({
      status: 405,
      code: 'method_unsupported',
    });
  });

  it('reads reports with metrics, breakdown and window', async () => {
    const reports = await sdk.ads.listAdsReports({
      ...target,
      orgId,
      type: 'CLICKS,IMPRESSIONS,COST,CTR',
      startGte: later(-10).toISOString().replace(/\.\d+/, ''),
      endLt: later(-3).toISOString().replace(/\.\d+/, ''),
      ...(release === '2.83.50' ? {} : { dimension: 'DATE' }),
    });
    expect(reports.length).toBeGreaterThan(0);
    const types = new Set(reports.flatMap(({ metrics }: Any) => metrics.map(({ type }: Any) => type)));
    expect([...types].sort()).toEqual(['CLICKS', 'COST', 'CTR', 'IMPRESSIONS']);
    for (const { value } of reports[0].metrics) expect(typeof value).toBe('number');
  });

  it('removes ads, groups and campaigns', async () => {
    await sdk.ads.removeAdsAd({ ...target, id: ad.id });
    await sdk.ads.removeAdsGroup({ ...target, id: group.id });
    await sdk.ads.removeAdsCampaign({ ...target, id: campaign.id });
    const left = await sdk.ads.listAdsCampaigns({ ...target, orgId, query: `SDK ${release}` });
    expect(left.filter(({ status }: Any) => status === 'ACTIVE')).toEqual([]);
  });

  it('creates assets', async () => {
    if (release === '2.83.50') {
      // That release knows no assets.
      expect(sdk.ads.createAdsAsset).toBeUndefined();
      return;
    }
    const { url } = (await read(`/ads/${connectionId}/asset?org_id=${orgId}&type=IMAGE`))[0];
    const asset = await sdk.ads.createAdsAsset({
      ...target,
      adsAsset: { organizationId: orgId, type: 'IMAGE', name: 'from-sdk.png', url },
    });
    expect(asset).toMatchObject({ type: 'IMAGE', organizationId: orgId });
  });

  it('is told what TikTok does not have, in our structured error', async () => {
    for (const [method, more] of [
      ['createAdsOrganization', { adsOrganization: { name: 'x' } }],
      ['updateAdsOrganization', { id: orgId, adsOrganization: { name: 'x' } }],
      ['patchAdsOrganization', { id: orgId, adsOrganization: { name: 'x' } }],
      ['removeAdsOrganization', { id: orgId }],
      ['listAdsInsertionorders', {}],
      ['getAdsInsertionorder', { id: '1' }],
      ['createAdsInsertionorder', { adsInsertionorder: { name: 'x' } }],
      ['updateAdsInsertionorder', { id: '1', adsInsertionorder: { name: 'x' } }],
      ['patchAdsInsertionorder', { id: '1', adsInsertionorder: { name: 'x' } }],
      ['removeAdsInsertionorder', { id: '1' }],
    ] as const)
      expect([method, await refused(sdk.ads[method]({ ...target, ...more }))]).toEqual([
        method,
        { status: 405, code: 'method_unsupported' },
      ]);
    expect(await refused(sdk.ads.getAdsCampaign({ ...target, id: '123' }))).toEqual({
      status: 404,
      code: 'platform_not_found',
    });
    expect(await refused(sdk.ads.listAdsCampaigns({ connectionId: '0123456789abcdef01234567' }))).toEqual({
      status: 404,
      code: 'connection_not_found',
    });
    const stranger = new Client({ serverURL: app.url, security: { jwt: 'nothing' } });
    expect(await refused(stranger.ads.listAdsCampaigns(target))).toEqual({ status: 401, code: 'key_invalid' });
  });

  it('passes through by all five methods, the path in one segment', async () => {
    const listed = await sdk.passthrough.listPassthroughs({
      ...target,
      path: 'open_api/v1.3/campaign/get/',
      query: { advertiser_id: orgId, page_size: 1 },
    });
    expect(listed.result).toMatchObject({ code: 0, message: 'OK', data: { list: [expect.anything()] } });
    const inPath = await sdk.passthrough.listPassthroughs({
      ...target,
      path: `open_api/v1.3/campaign/get/?advertiser_id=${orgId}&page_size=1`,
    });
    expect(inPath.result.data.page_info.page_size).toBe(1);
    const created = await sdk.passthrough.createPassthroughJson({
      ...target,
      path: 'open_api/v1.3/campaign/create/',
      requestBody: {
        advertiser_id: orgId,
        campaign_name: `Native ${release}`,
        objective_type: 'TRAFFIC',
        budget_mode: 'BUDGET_MODE_INFINITE',
      },
    });
    expect(created.result).toMatchObject({ code: 0, data: { campaign_id: expect.any(String) } });
    // TikTok has GET and POST alone; what it says to the others comes back as it is.
    const path = 'open_api/v1.3/campaign/create/';
    for (const call of [
      () => sdk.passthrough.updatePassthroughJson({ ...target, path, requestBody: {} }),
      () => sdk.passthrough.patchPassthroughJson({ ...target, path, requestBody: {} }),
      () => sdk.passthrough.removePassthrough({ ...target, path }),
    ]) {
      const error = await call().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ statusCode: 404, body: '404 page not found' });
    }
  });

  it('manages connections', async () => {
    const listed = await sdk.unified.listUnifiedConnections({
      categories: ['ads'],
      env: 'simulator',
      limit: 5,
      offset: 0,
    });
    expect(listed.map(({ id }: Any) => id)).toContain(connectionId);
    const one = await sdk.unified.getUnifiedConnection({ id: connectionId });
    expect(one).toMatchObject({
      id: connectionId,
      integrationType: 'tiktokads',
      environment: 'simulator',
      externalXref: 'demo-customer',
    });
    expect(JSON.stringify(one)).not.toMatch(/access_?token"/i);
    const { access_token: accessToken } = (app.simulators as Any).tiktok.ready;
    const imported = await sdk.unified.createUnifiedConnection({
      integrationType: 'tiktokads',
      environment: 'simulator',
      categories: ['ads'],
      permissions: ['ads_campaign_read', 'ads_organization_read'],
      externalXref: `imported-${release}`,
      auth: { accessToken },
    });
    expect(imported).toMatchObject({ integrationType: 'tiktokads', externalXref: `imported-${release}` });
    expect((await sdk.ads.listAdsCampaigns({ connectionId: imported.id, orgId, limit: 1 })).length).toBe(1);
    const changed = await sdk.unified.updateUnifiedConnection({
      id: imported.id,
      connection: { ...imported, externalXref: 'changed', auth: undefined },
    });
    expect(changed.externalXref).toBe('changed');
    const paused = await sdk.unified.patchUnifiedConnection({
      id: imported.id,
      connection: { ...changed, isPaused: true, auth: undefined },
    });
    expect(paused.isPaused).toBe(true);
    expect(await refused(sdk.ads.listAdsCampaigns({ connectionId: imported.id, limit: 1 }))).toEqual({
      status: 403,
      code: 'connection_paused',
    });
    await sdk.unified.removeUnifiedConnection({ id: imported.id });
    expect(await refused(sdk.unified.getUnifiedConnection({ id: imported.id }))).toEqual({
      status: 404,
      code: 'connection_not_found',
    });
  });

  it('reads integrations with a truthful capability map, and gets the address for authorization', async () => {
    const [integration] = await sdk.unified.listUnifiedIntegrations({
      type: 'tiktokads',
      active: true,
      env: 'simulator',
    });
    expect(integration).toMatchObject({ type: 'tiktokads', name: 'TikTok Ads' });
    expect(integration.support.ads_campaign.methods).toEqual({
      list: true,
      get: true,
      create: true,
      update: true,
      remove: true,
    });
    expect(integration.support.ads_creative.methods.remove).toBe(false);
    const keyless = new Client({ serverURL: app.url });
    const offered = await keyless.unified.listUnifiedIntegrationWorkspaces({
      workspaceId: demo.workspace.id,
      env: 'simulator',
    });
    expect(offered.map(({ type }: Any) => type)).toEqual(['tiktokads']);
    const url = await keyless.unified.getUnifiedIntegrationAuth({
      workspaceId: demo.workspace.id,
      integrationType: 'tiktokads',
      env: 'simulator',
      externalXref: 'x',
      successRedirect: 'http://localhost:9/ok?a=1',
      failureRedirect: 'http://localhost:9/no',
      state: 's',
      lang: 'en',
      scopes: ['ads_campaign_read', 'ads_report_read'],
    });
    expect(url).toMatch(new RegExp(`^${app.url}/connect/`));
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('TikTok Ads');
  });

  it('reads the call log', async () => {
    const find = async () => sdk.unified.listUnifiedApicalls({ connectionId, env: 'simulator', limit: 100 });
    await expect.poll(async () => (await find()).length).toBeGreaterThan(10);
    const calls = await find();
    const create = calls.find(({ name }: Any) => name === 'createAdsCampaign');
    expect(create).toMatchObject({ method: 'POST', status: '200', type: 'inbound', integrationType: 'tiktokads' });
    expect(await sdk.unified.getUnifiedApicall({ id: create.id })).toMatchObject({ id: create.id });
    expect(
      (await sdk.unified.listUnifiedApicalls({ connectionId, error: true, limit: 5 })).every(
        ({ error }: Any) => error !== undefined,
      ),
    ).toBe(true);
  });
});

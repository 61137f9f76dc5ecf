/** The unmodified official client (npm tiktok-business-api-sdk-official) against the simulator's objects, media and tools. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeMp4, makePng, md5 } from '../../src/simulators/tiktok/media.ts';
import { adgroupBody, campaignBody } from '../support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../support/tiktok-simulator.ts';

// The package has no type declarations.
const PACKAGE: string = 'tiktok-business-api-sdk-official';
// biome-ignore lint/suspicious/noExplicitAny: see above.
type Untyped = any;

let tiktok: TestTikTok;
let sdk: Untyped;
let client: Untyped;
let advertiser_id = '';
let token = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  sdk = await import(PACKAGE);
  client = new sdk.ApiClient();
  client.basePath = tiktok.url;
  advertiser_id = tiktok.ready.advertiser_ids[0]!;
  token = tiktok.ready.access_token;
});
afterAll(() => tiktok.close());

/** One call of the client as a promise of `data`; it calls back with an Error for every code but 0. */
function call(api: string, method: string, ...args: unknown[]): Promise<Untyped> {
  return new Promise((resolve, reject) => {
    new sdk[api](client)[method](...args, (error: Error | null, answer: Untyped) => {
      if (error) reject(error);
      else resolve(answer.data);
    });
  });
}

const refused = (code: number) => ({ message: expect.stringMatching(new RegExp(`code: ?${code}`)) });

describe('official client', () => {
  let identity_id = '';
  let video_id = '';
  let campaign_id = '';
  let adgroup_id = '';
  let ad_id = '';

  it('is the published package', () => {
    const { version } = JSON.parse(readFileSync(`node_modules/${PACKAGE}/package.json`, 'utf8'));
    expect(version).toMatch(/^1\.1\./);
  });

  it('uploads media', async () => {
    const picture = makePng(400, 400, 'sdk');
    const image = await call('FileApi', 'adImageUpload', token, {
      advertiser_id,
      upload_type: 'UPLOAD_BY_FILE',
      image_file: picture,
      image_signature: md5(picture),
    });
    expect(image).toMatchObject({ width: 400, height: 400, signature: md5(picture) });
    const film = makeMp4(720, 1280, 11);
    const [video] = await call('FileApi', 'adVideoUpload', token, {
      advertiser_id,
      upload_type: 'UPLOAD_BY_FILE',
      video_file: film,
      video_signature: md5(film),
    });
    expect(video).toMatchObject({ duration: 11, signature: md5(film) });
    video_id = video.video_id;
    await expect(
      call('FileApi', 'adImageUpload', token, { advertiser_id, image_file: picture, image_signature: 'x' }),
    ).rejects.toMatchObject(refused(40900));
    const images = await call('FileApi', 'fileImageAdInfo', advertiser_id, [image.image_id], token);
    expect(images.list).toEqual([image]);
    const videos = await call('FileApi', 'adVideoInfo', advertiser_id, [video_id], token);
    expect(videos.list).toMatchObject([{ video_id }]);
    const found = await call('FileApi', 'adVideoSearch', advertiser_id, token, {
      filtering: { video_ids: [video_id] },
      page: 1,
      page_size: 10,
    });
    expect(found.page_info.total_number).toBe(1);
    tiktok.running.clock.advance(10_000);

    const { identity_id: custom } = await call('IdentityApi', 'identityCreate', token, {
      body: { advertiser_id, display_name: 'SDK brand', image_uri: image.image_id },
    });
    const listed = await call('IdentityApi', 'identityGet', advertiser_id, token, { identity_type: 'CUSTOMIZED_USER' });
    expect(listed.identity_list.map((row: Untyped) => row.identity_id)).toContain(custom);
    const linked = await call('IdentityApi', 'identityGet', advertiser_id, token, { identity_type: 'TT_USER' });
    identity_id = linked.identity_list.find((row: Untyped) => row.can_push_video).identity_id;
  });

  it('campaign: create, get, update, status', async () => {
    const made = await call('CampaignCreationApi', 'campaignCreate', token, {
      body: campaignBody(advertiser_id, { campaign_name: 'SDK', budget_mode: 'BUDGET_MODE_DAY', budget: 80 }),
    });
    campaign_id = made.campaign_id;
    const list = await call('CampaignCreationApi', 'campaignGet', advertiser_id, token, {
      filtering: { campaign_ids: [campaign_id] },
      fields: ['campaign_id', 'campaign_name', 'budget'],
      page: 1,
      page_size: 10,
    });
    expect(list.list).toEqual([{ campaign_id, campaign_name: 'SDK', budget: 80 }]);
    const changed = await call('CampaignCreationApi', 'campaignUpdate', token, {
      body: { advertiser_id, campaign_id, budget: 90 },
    });
    expect(changed.budget).toBe(90);
    const status = await call('CampaignCreationApi', 'campaignStatusUpdate', token, {
      body: { advertiser_id, campaign_ids: [campaign_id], operation_status: 'DISABLE' },
    });
    expect(status).toMatchObject({ campaign_ids: [campaign_id], status: 'DISABLE' });
    await expect(
      call('CampaignCreationApi', 'campaignCreate', token, { body: { advertiser_id, objective_type: 'TRAFFIC' } }),
    ).rejects.toMatchObject(refused(40002));
  });

  it('ad group: create, get, update, status, quota', async () => {
    const made = await call('AdgroupApi', 'adgroupCreate', token, {
      body: adgroupBody(advertiser_id, campaign_id, tiktok.running.clock.now()),
    });
    adgroup_id = made.adgroup_id;
    const list = await call('AdgroupApi', 'adgroupGet', advertiser_id, token, {
      filtering: { campaign_ids: [campaign_id] },
    });
    expect(list.list).toEqual([made]);
    const changed = await call('AdgroupApi', 'adgroupUpdate', token, {
      body: { advertiser_id, adgroup_id, budget: 60 },
    });
    expect(changed.budget).toBe(60);
    const status = await call('AdgroupApi', 'adgroupStatusUpdate', token, {
      body: { advertiser_id, adgroup_ids: [adgroup_id], operation_status: 'DISABLE' },
    });
    expect(status).toEqual({ adgroup_ids: [adgroup_id], status: 'DISABLE', error_list: [] });
    expect(await call('AdgroupApi', 'adgroupQuota', advertiser_id, token)).toMatchObject({
      used_adgroup_quota: expect.any(Number),
    });
  });

  it('ad: create, get, update, status', async () => {
    const creative = {
      ad_name: 'SDK ad',
      ad_format: 'SINGLE_VIDEO',
      identity_type: 'TT_USER',
      identity_id,
      video_id,
      ad_text: 'From the official client',
      call_to_action: 'LEARN_MORE',
      landing_page_url: 'https://acme.test/?ttclid=__CLICKID__',
    };
    const made = await call('AdApi', 'adCreate', token, { body: { advertiser_id, adgroup_id, creatives: [creative] } });
    [ad_id] = made.ad_ids;
    const list = await call('AdApi', 'adGet', advertiser_id, token, { filtering: { ad_ids: [ad_id] } });
    expect(list.list).toMatchObject([{ ...creative, ad_id, secondary_status: 'AD_STATUS_CAMPAIGN_DISABLE' }]);
    const changed = await call('AdApi', 'adUpdate', token, {
      body: { advertiser_id, adgroup_id, patch_update: true, creatives: [{ ad_id, ad_name: 'Renamed' }] },
    });
    expect(changed.creatives).toMatchObject([{ ad_id, ad_name: 'Renamed', ad_text: creative.ad_text }]);
    const status = await call('AdApi', 'adStatusUpdate', token, {
      body: { advertiser_id, ad_ids: [ad_id], operation_status: 'DELETE' },
    });
    expect(status).toMatchObject({ ad_ids: [ad_id], status: 'DELETE' });
    expect((await call('AdApi', 'adGet', advertiser_id, token, { filtering: { ad_ids: [ad_id] } })).list).toEqual([]);
  });

  it('tools, pixels and apps', async () => {
    const regions = await call('ToolApi', 'toolRegion', advertiser_id, ['PLACEMENT_TIKTOK'], 'TRAFFIC', token, {
      level_range: 'TO_COUNTRY',
    });
    expect(regions.region_info).toContainEqual(expect.objectContaining({ location_id: '1861060', name: 'Japan' }));
    expect(
      (await call('ToolApi', 'toolInterestCategory', advertiser_id, token, {})).interest_categories.length,
    ).toBeGreaterThan(100);
    expect((await call('ToolApi', 'toolLanguage', advertiser_id, token)).languages.length).toBeGreaterThan(20);
    expect((await call('ToolApi', 'toolDeviceModel', advertiser_id, token)).device_models.length).toBeGreaterThan(50);
    expect(
      (await call('ToolApi', 'toolOsVersion', advertiser_id, 'ANDROID', token)).os_versions.length,
    ).toBeGreaterThan(10);
    expect((await call('ToolApi', 'toolTimezone', advertiser_id, token)).timezones.length).toBeGreaterThan(50);
    const found = await call('ToolApi', 'toolTargetingSearch', token, {
      body: {
        advertiser_id,
        keywords: ['Berlin'],
        placements: ['PLACEMENT_TIKTOK'],
        objective_type: 'TRAFFIC',
        search_type: 'BATCH_REGION_SEARCH',
      },
    });
    expect(found.targeting_tag_list.length).toBeGreaterThan(0);
    const pixel = await call('MeasurementApi', 'pixelCreate', token, {
      body: { advertiser_id, pixel_name: 'SDK pixel' },
    });
    const { pixels } = await call('MeasurementApi', 'pixelList', advertiser_id, token, { code: pixel.pixel_code });
    expect(pixels).toMatchObject([{ pixel_id: pixel.pixel_id, pixel_name: 'SDK pixel' }]);
    expect((await call('APPManagementApi', 'appList', advertiser_id, token, {})).apps.length).toBeGreaterThan(0);
  });
});

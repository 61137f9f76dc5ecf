/** Objects for tests of the TikTok simulator: valid bodies, and the shortest way to a campaign with an ad. */
import { expect } from 'vitest';
import type { Envelope, TestTikTok } from './tiktok-simulator.ts';

type Body = Record<string, unknown>;

/** A campaign that TikTok takes. */
export const campaignBody = (advertiser_id: string, more: Body = {}): Body => ({
  advertiser_id,
  campaign_name: 'US – Traffic',
  objective_type: 'TRAFFIC',
  budget_mode: 'BUDGET_MODE_INFINITE',
  ...more,
});

/** An ad group that TikTok takes, below a campaign of `campaignBody`. `now` is the simulator's. */
export const adgroupBody = (advertiser_id: string, campaign_id: string, now: Date, more: Body = {}): Body => ({
  advertiser_id,
  campaign_id,
  adgroup_name: 'US 25-44',
  promotion_type: 'WEBSITE',
  placement_type: 'PLACEMENT_TYPE_NORMAL',
  placements: ['PLACEMENT_TIKTOK'],
  location_ids: ['6252001'],
  budget_mode: 'BUDGET_MODE_DAY',
  budget: 50,
  schedule_type: 'SCHEDULE_START_END',
  schedule_start_time: utc(new Date(now.getTime() + 3_600_000)),
  schedule_end_time: utc(new Date(now.getTime() + 30 * 86_400_000)),
  optimization_goal: 'CLICK',
  billing_event: 'CPC',
  pacing: 'PACING_MODE_SMOOTH',
  ...more,
});

/** `YYYY-MM-DD HH:MM:SS` in UTC. */
export const utc = (at: Date): string => at.toISOString().slice(0, 19).replace('T', ' ');

/** Fails with the platform's own message if the answer is an error. */
export function ok(answer: Envelope): Envelope['data'] {
  expect(answer, answer.message).toMatchObject({ code: 0 });
  return answer.data;
}

/** Makers of valid objects in one ad account of a running simulator. */
export function objectsOf(tiktok: TestTikTok, advertiser_id: string) {
  const now = () => tiktok.running.clock.now();
  const objects = {
    now,
    async campaign(more: Body = {}): Promise<string> {
      return ok(await tiktok.post('campaign/create', campaignBody(advertiser_id, more))).campaign_id;
    },
    async adgroup(more: Body = {}, campaignId?: string): Promise<string> {
      const campaign = campaignId ?? (await objects.campaign());
      return ok(await tiktok.post('adgroup/create', adgroupBody(advertiser_id, campaign, now(), more))).adgroup_id;
    },
    /** A video that has been transcoded. */
    async video(): Promise<string> {
      const body = { advertiser_id, upload_type: 'UPLOAD_BY_URL', video_url: 'https://media.test/clip.mp4' };
      const [video] = ok(await tiktok.post('file/video/ad/upload', body));
      tiktok.running.clock.advance(60_000);
      return video.video_id;
    },
    async image(): Promise<string> {
      const body = { advertiser_id, upload_type: 'UPLOAD_BY_URL', image_url: 'https://media.test/picture.png' };
      return ok(await tiktok.post('file/image/ad/upload', body)).image_id;
    },
    /** The linked TikTok account of the base seed. */
    async identity(type = 'TT_USER'): Promise<Body & { identity_id: string }> {
      const { identity_list } = ok(await tiktok.get('identity/get', { advertiser_id, identity_type: type }));
      return identity_list.find((row: Body) => row['available_status'] === 'AVAILABLE');
    },
    async creative(more: Body = {}): Promise<Body> {
      const { identity_id } = await objects.identity();
      return {
        ad_name: 'Video A',
        identity_type: 'TT_USER',
        identity_id,
        ad_format: 'SINGLE_VIDEO',
        video_id: await objects.video(),
        ad_text: 'Fresh looks for the season',
        call_to_action: 'SHOP_NOW',
        landing_page_url: 'https://acme.test/shop',
        ...more,
      };
    },
    async ad(more: Body = {}, adgroupId?: string): Promise<string> {
      const adgroup_id = adgroupId ?? (await objects.adgroup());
      const creatives = [await objects.creative(more)];
      return ok(await tiktok.post('ad/create', { advertiser_id, adgroup_id, creatives })).ad_ids[0];
    },
  };
  return objects;
}

/**
 * What the ad accounts of the base seed hold: a pixel, linked TikTok accounts, media, and campaigns that have been
 * delivering for a while. Rows have TikTok's own members (campaign/get, adgroup/get, ad/get); unset ones get their
 * defaults when they are shown. Ids are fixed, so that examples in documentation stay true after a reset.
 */
import { hash32, hex } from '../kit/random.ts';
import type { Advertiser, Native, World } from './types.ts';

const DAY_MS = 86_400_000;

interface AdPlan {
  name: string;
  text: string;
  status?: 'ENABLE' | 'DISABLE';
}

interface AdGroupPlan {
  name: string;
  /** In US dollars a day; 0 under campaign budget optimisation. */
  budget: number;
  status?: 'ENABLE' | 'DISABLE';
  members: Record<string, unknown>;
  ads: AdPlan[];
}

interface CampaignPlan {
  name: string;
  objective: string;
  budgetMode: 'BUDGET_MODE_INFINITE' | 'BUDGET_MODE_DAY';
  /** In US dollars a day. */
  budget: number;
  startedDaysAgo: number;
  status?: 'ENABLE' | 'DISABLE';
  members?: Record<string, unknown>;
  adgroups: AdGroupPlan[];
}

/** Everything that website ad groups of the seed have in common. */
const WEBSITE = {
  promotion_type: 'WEBSITE',
  placement_type: 'PLACEMENT_TYPE_NORMAL',
  placements: ['PLACEMENT_TIKTOK'],
  gender: 'GENDER_UNLIMITED',
  schedule_type: 'SCHEDULE_FROM_NOW',
  pacing: 'PACING_MODE_SMOOTH',
  brand_safety_type: 'STANDARD_INVENTORY',
};
const CLICKS = { ...WEBSITE, optimization_goal: 'CLICK', billing_event: 'CPC', bid_type: 'BID_TYPE_NO_BID' };

const traffic = (place: string): CampaignPlan => ({
  name: `${place} – Traffic`,
  objective: 'TRAFFIC',
  budgetMode: 'BUDGET_MODE_INFINITE',
  budget: 0,
  startedDaysAgo: 75,
  adgroups: [
    {
      name: `${place} 18-34`,
      budget: 60,
      members: { ...CLICKS, age_groups: ['AGE_18_24', 'AGE_25_34'] },
      ads: [
        { name: 'Summer video', text: 'Fresh looks for the season' },
        { name: 'Behind the scenes', text: 'See how it is made' },
      ],
    },
    {
      name: `${place} 35+`,
      budget: 40,
      members: { ...CLICKS, age_groups: ['AGE_35_44', 'AGE_45_54', 'AGE_55_100'] },
      ads: [{ name: 'Classic video', text: 'Made to last' }],
    },
  ],
});

const conversions = (place: string): CampaignPlan => ({
  name: `${place} – Sales`,
  objective: 'WEB_CONVERSIONS',
  budgetMode: 'BUDGET_MODE_DAY',
  budget: 200,
  startedDaysAgo: 50,
  members: { budget_optimize_on: true, bid_type: 'BID_TYPE_NO_BID', optimization_goal: 'CONVERT' },
  adgroups: [
    {
      name: `${place} shoppers`,
      budget: 0,
      members: {
        ...WEBSITE,
        optimization_goal: 'CONVERT',
        billing_event: 'OCPM',
        bid_type: 'BID_TYPE_NO_BID',
        optimization_event: 'SHOPPING',
        click_attribution_window: 'SEVEN_DAYS',
        view_attribution_window: 'ONE_DAY',
      },
      ads: [
        { name: 'Unboxing', text: 'Order today, delivered tomorrow' },
        { name: 'Review', text: 'What our customers say', status: 'DISABLE' },
      ],
    },
  ],
});

const paused = (place: string): CampaignPlan => ({
  ...traffic(place),
  name: `${place} – Last season`,
  startedDaysAgo: 110,
  status: 'DISABLE',
  adgroups: traffic(place).adgroups.slice(1),
});

/** Rough worth of a US dollar, so that budgets look sensible and have no more decimals than the currency. */
const PER_DOLLAR: Record<string, number> = { USD: 1, JPY: 150, EUR: 1, KWD: 0.3, AUD: 1.5 };

/** Country of the account in TikTok's location ids (GeoNames). */
const LOCATIONS: Record<string, string> = { US: '6252001', JP: '1861060', DE: '2921044', KW: '285570', AU: '2077456' };

/** Makes ids in the account's own range: fixed, growing, with uneven low digits. */
function idMaker(advertiser: Advertiser): () => string {
  let n = 0n;
  const base = 1_800_000_000_000_000_000n + BigInt(hash32('seed', advertiser.id) % 1_000_000) * 10_000_000_000n;
  return () => String(base + ++n * 104_729n);
}

interface Place {
  world: World;
  advertiser: Advertiser;
  nextId: () => string;
  identity: Native;
  video: Native;
  image: Native;
  pixel: Native;
}

/** Code of the pixel that an ad account has from the start. */
export const pixelCode = (advertiserId: string) => hex(20, 'pixel', advertiserId).toUpperCase();

function seedMedia(world: World, advertiser: Advertiser, nextId: () => string): Place {
  const created = world.stamp(new Date(world.clock.now().getTime() - 120 * DAY_MS));
  const common = { advertiser_id: advertiser.id, create_time: created, modify_time: created };
  const identityId = nextId();
  const identity: Native = {
    ...common,
    id: identityId,
    identity_id: identityId,
    identity_type: 'TT_USER',
    display_name: advertiser.name,
    username: advertiser.name.toLowerCase().replace(/\W+/g, '_'),
    available_status: 'AVAILABLE',
    can_push_video: true,
    can_pull_video: true,
  };
  const videoId = `v10033g5000${hex(20, 'video', advertiser.id)}`;
  const video: Native = {
    ...common,
    id: videoId,
    video_id: videoId,
    material_id: nextId(),
    file_name: 'summer.mp4',
    displayable: true,
    width: 1080,
    height: 1920,
    duration: 15.4,
    size: 4_194_304,
    bit_rate: 2_178_859,
    format: 'mp4',
    signature: hex(32, 'video', advertiser.id),
  };
  const imageId = `ad-site-i18n-sg/${hex(32, 'image', advertiser.id)}`;
  const image: Native = {
    ...common,
    id: imageId,
    image_id: imageId,
    material_id: nextId(),
    file_name: 'cover.png',
    displayable: true,
    width: 720,
    height: 1280,
    size: 262_144,
    format: 'png',
    signature: hex(32, 'image', advertiser.id),
  };
  const pixelId = nextId();
  const pixel: Native = {
    ...common,
    id: pixelId,
    pixel_id: pixelId,
    pixel_code: pixelCode(advertiser.id),
    pixel_name: `${advertiser.name} website`,
    pixel_category: 'ONLINE_STORE',
    pixel_setup_mode: 'STANDARD',
  };
  world.identities.put(identity);
  world.videos.put(video);
  world.images.put(image);
  world.pixels.put(pixel);
  return { world, advertiser, nextId, identity, video, image, pixel };
}

function adRow(place: Place, plan: AdPlan, parents: { campaign: Native; adgroup: Native }, created: string): Native {
  const { advertiser, nextId, identity, video, image } = place;
  const id = nextId();
  return {
    id,
    ad_id: id,
    advertiser_id: advertiser.id,
    campaign_id: parents.campaign.id,
    adgroup_id: parents.adgroup.id,
    ad_name: plan.name,
    ad_text: plan.text,
    ad_format: 'SINGLE_VIDEO',
    identity_type: 'TT_USER',
    identity_id: identity.id,
    video_id: video.id,
    image_ids: [image.id],
    call_to_action: 'SHOP_NOW',
    landing_page_url: 'https://acme.test/shop',
    dark_post_status: 'ON',
    operation_status: plan.status ?? 'ENABLE',
    create_time: created,
    modify_time: created,
  };
}

function seedCampaign(place: Place, plan: CampaignPlan): void {
  const { world, advertiser, nextId, pixel } = place;
  const started = new Date(world.clock.now().getTime() - plan.startedDaysAgo * DAY_MS);
  const created = world.stamp(started);
  const rate = PER_DOLLAR[advertiser.currency] ?? 1;
  const common = { advertiser_id: advertiser.id, create_time: created, modify_time: created };
  const id = nextId();
  const campaign: Native = {
    ...common,
    ...plan.members,
    id,
    campaign_id: id,
    campaign_name: plan.name,
    objective_type: plan.objective,
    campaign_type: 'REGULAR_CAMPAIGN',
    budget_mode: plan.budgetMode,
    budget: plan.budget * rate,
    operation_status: plan.status ?? 'ENABLE',
  };
  // A pause is dated by modify_time: this one ended a month ago.
  if (plan.status === 'DISABLE') {
    campaign['modify_time'] = world.stamp(new Date(world.clock.now().getTime() - 30 * DAY_MS));
  }
  world.campaigns.put(campaign);
  for (const group of plan.adgroups) {
    const adgroupId = nextId();
    const adgroup: Native = {
      ...common,
      ...group.members,
      id: adgroupId,
      adgroup_id: adgroupId,
      campaign_id: id,
      adgroup_name: group.name,
      location_ids: [LOCATIONS[advertiser.country] ?? '6252001'],
      budget_mode: group.budget === 0 ? 'BUDGET_MODE_INFINITE' : 'BUDGET_MODE_DAY',
      budget: group.budget * rate,
      schedule_start_time: created,
      schedule_end_time: world.stamp(new Date(started.getTime() + 3652 * DAY_MS)),
      operation_status: group.status ?? 'ENABLE',
      ...(group.members['optimization_goal'] === 'CONVERT' ? { pixel_id: pixel.id } : {}),
    };
    world.adgroups.put(adgroup);
    world.ads.putAll(group.ads.map((ad) => adRow(place, ad, { campaign, adgroup }, created)));
  }
}

/** Pixel, identity, media and campaigns of one ad account; the richest of them for `rich`. */
export function seedObjects(world: World, advertiser: Advertiser, rich: boolean): void {
  const place = seedMedia(world, advertiser, idMaker(advertiser));
  const plans = rich ? [paused, traffic, conversions] : [traffic];
  for (const plan of plans) seedCampaign(place, plan(advertiser.country));
}

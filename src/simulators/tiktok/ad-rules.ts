import { postsFor } from './identity-posts.ts';
import { ownMusic } from './music.ts';
import { MUSIC } from './music-table.ts';
import { checkName, given, invalid, missing, owned } from './rules.ts';
import { authorizedPost, isPublic, redeemedPost } from './spark.ts';
import { parseStamp } from './stamp.ts';
import { type Native, TikTokError, type World } from './types.ts';

/**
 * What makes a creative acceptable. `creative` is the ad as it would be. Formats and members: TikTok docs
 * 1739953377508354; identities and Spark Ads: 1739470744631298. Rules without a source there are (unverified).
 */

type Values = Record<string, unknown>;

const list = (values: Values, name: string): string[] =>
  Array.isArray(values[name]) ? (values[name] as unknown[]).map(String) : [];

/** From then on no account may make ads for TikTok placements with a custom identity (TikTok docs 1739470744631298). */
const CUSTOM_IDENTITY_CLOSED = Date.UTC(2026, 0, 15);

/** Where the creative belongs: the ad group, its campaign, and the instant of the call. */
export interface Place {
  world: World;
  adgroup: Native;
  campaign: Native | undefined;
  now: Date;
}

/** The format that the media amount to when none was named (unverified). */
export function formatOf(creative: Values): string {
  if (given(creative, 'ad_format')) return String(creative['ad_format']);
  const images = list(creative, 'image_ids').length;
  if (given(creative, 'video_id') || given(creative, 'tiktok_item_id') || images === 0) return 'SINGLE_VIDEO';
  return images === 1 ? 'SINGLE_IMAGE' : 'CAROUSEL_ADS';
}

const onTikTok = (adgroup: Native) =>
  adgroup['placement_type'] === 'PLACEMENT_TYPE_AUTOMATIC' || list(adgroup, 'placements').includes('PLACEMENT_TIKTOK');

/** Throws the first rule that the creative breaks; `path` names it in the message. */
export function checkCreative(place: Place, creative: Values, path: string): void {
  checkName(`${path}.ad_name`, creative['ad_name'] === '' ? undefined : creative['ad_name']);
  if (given(creative, 'video_id') && given(creative, 'tiktok_item_id')) {
    invalid(`${path}: video_id and tiktok_item_id cannot be used together.`);
  }
  const identity = checkIdentity(place, creative, path);
  checkMedia(place, creative, identity, path);
  checkText(creative, path);
  checkDestination(place, creative, path);
}

function checkIdentity({ world, adgroup, now }: Place, creative: Values, path: string): Native | undefined {
  const type = creative['identity_type'];
  if (!given(creative, 'identity_type')) {
    // The old form of a custom identity: name and picture in the ad itself, never on TikTok.
    if (given(creative, 'display_name') && !onTikTok(adgroup)) return undefined;
    return missing(`${path}.identity_type`);
  }
  if (!given(creative, 'identity_id')) missing(`${path}.identity_id`);
  if (type === 'CUSTOMIZED_USER' && onTikTok(adgroup) && now.getTime() >= CUSTOM_IDENTITY_CLOSED) {
    invalid(`${path}.identity_type: CUSTOMIZED_USER is no longer supported for the placement PLACEMENT_TIKTOK.`);
  }
  const id = String(creative['identity_id']);
  const identity = world.identities.get(id);
  if (!identity || identity.advertiser_id !== adgroup.advertiser_id || identity['identity_type'] !== type) {
    invalid(`${path}.identity_id: The identity ${id} of type ${String(type)} does not exist.`);
  }
  if (type === 'BC_AUTH_TT') {
    if (!given(creative, 'identity_authorized_bc_id')) missing(`${path}.identity_authorized_bc_id`);
    if (creative['identity_authorized_bc_id'] !== identity['identity_authorized_bc_id']) {
      invalid(`${path}.identity_authorized_bc_id: The identity ${id} is not authorized to this Business Center.`);
    }
  }
  if ((identity['available_status'] ?? 'AVAILABLE') !== 'AVAILABLE') {
    invalid(`${path}.identity_id: The identity ${id} is not available: ${String(identity['available_status'])}.`);
  }
  if (type !== 'CUSTOMIZED_USER') checkSpark(world, creative, identity, now, path);
  return identity;
}

/** Spark Ads: pushing a video to the account, or pulling one of its posts. */
function checkSpark(world: World, creative: Values, identity: Native, now: Date, path: string): void {
  const item = creative['tiktok_item_id'];
  const type = identity['identity_type'];
  if (!given(creative, 'tiktok_item_id')) {
    if (type === 'AUTH_CODE') missing(`${path}.tiktok_item_id`);
    if (identity['can_push_video'] === false) invalid(`${path}.identity_id: Videos cannot be pushed to this identity.`);
    return;
  }
  const refuse = (why = 'does not exist or is not authorized') =>
    invalid(`${path}.tiktok_item_id: The TikTok post ${String(item)} ${why}.`);
  if (type === 'AUTH_CODE') {
    const redeemed = redeemedPost(world, identity.advertiser_id, String(item));
    if (redeemed?.identity_id !== identity.id) refuse();
    else if (!isPublic(redeemed)) refuse(`cannot be used: its status is ${redeemed.post.status}`);
    else if (!authorizedPost(world, identity.advertiser_id, String(item), now.getTime())) {
      refuse(
        redeemed.code_deleted ? 'is no longer authorized by its creator' : 'is no longer authorized: it has expired',
      );
    }
    return;
  }
  if (identity['can_pull_video'] === false) invalid(`${path}.identity_id: Posts of this identity cannot be used.`);
  if (!postsFor(world, identity, now.getTime()).some((post) => post.item_id === item)) refuse();
}

/** Shop and catalogue ads take their media from products. */
const fromProducts = (creative: Values) =>
  given(creative, 'catalog_id') ||
  given(creative, 'product_set_id') ||
  list(creative, 'sku_ids').length > 0 ||
  list(creative, 'item_group_ids').length > 0 ||
  Array.isArray(creative['showcase_products']);

function checkMedia(place: Place, creative: Values, identity: Native | undefined, path: string): void {
  const { world, adgroup, now } = place;
  const advertiserId = adgroup.advertiser_id;
  const images = list(creative, 'image_ids');
  const pulled = given(creative, 'tiktok_item_id');
  const format = formatOf(creative);
  switch (format) {
    case 'SINGLE_VIDEO':
      if (!pulled && !given(creative, 'video_id') && !fromProducts(creative)) missing(`${path}.video_id`);
      break;
    case 'SINGLE_IMAGE':
      if (onTikTok(adgroup))
        invalid(`${path}.ad_format: SINGLE_IMAGE is not supported for the placement PLACEMENT_TIKTOK.`);
      if (images.length !== 1) invalid(`${path}.image_ids: SINGLE_IMAGE needs exactly one image.`);
      break;
    case 'CAROUSEL_ADS':
      if (pulled) break;
      if (images.length < 2 || images.length > 35) invalid(`${path}.image_ids: CAROUSEL_ADS needs 2 to 35 images.`);
      if (!given(creative, 'music_id')) missing(`${path}.music_id`);
      break;
    case 'LIVE_CONTENT':
      if (identity && identity['can_use_live_ads'] === false)
        invalid(`${path}.identity_id: The identity cannot be used for LIVE ads.`);
      break;
  }
  const music = String(creative['music_id']);
  const known = MUSIC.some(([id]) => id === music) || ownMusic(world).get(music)?.advertiser_id === advertiserId;
  if (given(creative, 'music_id') && !known) {
    invalid(`${path}.music_id: The music ${String(creative['music_id'])} does not exist.`);
  }
  for (const id of images) {
    const image = world.images.get(id);
    if (image?.advertiser_id !== advertiserId || image['_temporary'] === true) {
      throw new TikTokError(40905, `The image ${id} does not exist.`);
    }
  }
  if (!given(creative, 'video_id')) return;
  const id = String(creative['video_id']);
  const video = world.videos.get(id);
  if (video?.advertiser_id !== advertiserId) throw new TikTokError(40905, `The video ${id} does not exist.`);
  if (now.getTime() < readyAt(video)) {
    throw new TikTokError(40901, `The video ${id} is still being transcoded. Try again later.`);
  }
}

/** When the video can be used, epoch ms. */
export function readyAt(video: Native): number {
  return parseStamp(String(video['_ready_at'] ?? ''))?.getTime() ?? 0;
}

/** Formats whose text the advertiser writes; a pulled post has its own. */
function checkText(creative: Values, path: string): void {
  const format = formatOf(creative);
  const texts = creative['ad_texts'];
  if (Array.isArray(texts)) {
    for (const [i, text] of texts.entries()) {
      const length = [...String(text)].length;
      if (length < 1 || length > 100) invalid(`${path}.ad_texts.${i}: The length must be between 1 and 100.`);
    }
  }
  const own = ['SINGLE_VIDEO', 'SINGLE_IMAGE', 'CAROUSEL_ADS'].includes(format) && !given(creative, 'tiktok_item_id');
  if (own && !fromProducts(creative) && !given(creative, 'ad_text') && !given(creative, 'ad_texts')) {
    missing(`${path}.ad_text`);
  }
}

const URL_FIELDS = [
  'landing_page_url',
  'impression_tracking_url',
  'click_tracking_url',
  'video_view_tracking_url',
  'cpp_url',
];

function checkDestination({ world, adgroup, campaign }: Place, creative: Values, path: string): void {
  for (const name of URL_FIELDS) {
    const value = creative[name];
    // Macros such as __CID__ are no obstacle to a URL.
    if (typeof value === 'string' && value !== '' && !/^https?:$/.test(URL.parse(value)?.protocol ?? '')) {
      invalid(`${path}.${name}: Not a valid URL.`);
    }
  }
  const site =
    adgroup['promotion_type'] === 'WEBSITE' &&
    ['TRAFFIC', 'WEB_CONVERSIONS'].includes(String(campaign?.['objective_type']));
  const places = [
    'landing_page_url',
    'page_id',
    'cpp_url',
    'deeplink',
    'dynamic_destination',
    'tiktok_page_category',
    'card_id',
  ];
  if (site && !fromProducts(creative) && !places.some((name) => given(creative, name) && creative[name] !== '')) {
    missing(`${path}.landing_page_url`);
  }
  if (given(creative, 'tracking_pixel_id') && creative['tracking_pixel_id'] !== 0)
    checkTrackingPixel(world, creative, adgroup, path);
  if (given(creative, 'tracking_app_id') && creative['tracking_app_id'] !== '0') {
    owned(world.mobileApps, 'app', creative['tracking_app_id'], adgroup.advertiser_id);
  }
}

/**
 * This one id travels as a JSON number. A client that keeps it exact is compared exactly; one that lost the last digits
 * (as JavaScript does) is compared by the double that it became.
 */
function checkTrackingPixel(world: World, creative: Values, adgroup: Native, path: string): void {
  const id = creative['tracking_pixel_id'];
  const is = (pixel: Native): boolean => (typeof id === 'bigint' ? BigInt(pixel.id) === id : Number(pixel.id) === id);
  if (!world.pixels.by('advertiser', adgroup.advertiser_id).some(is)) {
    invalid(`${path}.tracking_pixel_id: The pixel ${String(creative['tracking_pixel_id'])} does not exist.`);
  }
}

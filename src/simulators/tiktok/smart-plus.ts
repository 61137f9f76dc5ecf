/**
 * Upgraded Smart+: what an ad (asset group) is made of, and how it shows in the other reads. A Smart+ ad holds several
 * creatives; each of them is a row of `world.ads` as well, which is what delivers and what ad/get and ad-level reports by
 * `ad_id` show, while `ad_id_v2` names the Smart+ ad. Facts: TikTok docs 1854103649826817 (data levels Smart+ vs
 * manual), 1843317378982914, 1843317390059522; official SDK yml smart_plus_*.yml.
 */
import type { Collection } from '../kit/types.ts';
import { given, invalid } from './rules.ts';
import type { Native, World } from './types.ts';

type Values = Record<string, unknown>;

/** One creative of a Smart+ ad as stored; `_creative_id` is its row in `world.ads`. */
export interface Creative {
  ad_material_id: string;
  creative_info: Values;
  material_operation_status: 'ENABLE' | 'DISABLE';
  _creative_id: string;
}

/** Smart+ ads; `id` is the smart_plus_ad_id. */
export const smartAds = (world: World): Collection<Native> =>
  world.store.collection<Native>('smart_plus_ads', {
    advertiser: (row) => row.advertiser_id,
    campaign: (row) => String(row['campaign_id']),
    adgroup: (row) => String(row['adgroup_id']),
  });

/** Made by smart_plus/*. */
export const isUpgraded = (row: Native | undefined): boolean =>
  row?.['campaign_automation_type'] === 'UPGRADED_SMART_PLUS';
/** A creative of a Smart+ ad. */
export const isCreative = (row: Native): boolean => row['campaign_automation_type'] === 'UPGRADED_SMART_PLUS_CREATIVE';
/** A legacy Smart+ campaign (campaign/spc/*), or something below one. */
export const isLegacy = (row: Native | undefined): boolean => row?.['campaign_automation_type'] === 'SMART_PLUS';

/** A Smart+ ad among rows of ads. */
export const isSmartAd = (row: Native): boolean => row['smart_plus_ad_id'] === row.id;

/** The endpoints of manual objects do not change Smart+ ones (TikTok docs 1843312888885314; the code is unverified). */
export function refuseSmartPlus(row: Native, kind: string, path: string): void {
  if (isUpgraded(row) || isCreative(row)) {
    invalid(`The ${kind} ${row.id} belongs to an Upgraded Smart+ campaign. Use /smart_plus/${path}/.`);
  }
}

/** The creatives of a Smart+ ad. */
export const creativesOf = (ad: Native): readonly Creative[] => ad['creative_list'] as readonly Creative[];

const first = (ad: Native, list: string, member: string): unknown =>
  (ad[list] as Values[] | undefined)?.find((item) => given(item, member))?.[member];

/** The members of one creative as an ad of ad/get has them. */
export function asAd(ad: Values, info: Values): Values {
  const configuration = (ad['ad_configuration'] ?? {}) as Values;
  const video = info['video_info'] as Values | undefined;
  const images = (info['image_info'] as Values[] | undefined)?.map((image) => image['web_uri']);
  const texts = ((ad['ad_text_list'] ?? []) as Values[]).map((item) => item['ad_text']);
  const bc = info['identity_authorized_bc_id'];
  const native = ad as Native;
  const values: Values = {
    ad_format: info['ad_format'],
    identity_type: info['identity_type'] ?? configuration['identity_type'],
    identity_id: info['identity_id'] ?? configuration['identity_id'],
    // "0" stands for none in official examples.
    identity_authorized_bc_id: bc === '0' ? undefined : bc,
    tiktok_item_id: info['tiktok_item_id'],
    video_id: video?.['video_id'],
    image_ids: images,
    music_id: (info['music_info'] as Values | undefined)?.['music_id'],
    ad_text: texts[0],
    ad_texts: texts.length > 1 ? texts : undefined,
    call_to_action: first(native, 'call_to_action_list', 'call_to_action'),
    call_to_action_id: configuration['call_to_action_id'],
    landing_page_url: first(native, 'landing_page_url_list', 'landing_page_url'),
    deeplink: first(native, 'deeplink_list', 'deeplink'),
    deeplink_type: first(native, 'deeplink_list', 'deeplink_type'),
    card_id: first(native, 'interactive_add_on_list', 'card_id'),
    page_id: first(native, 'page_list', 'page_id'),
    aigc_disclosure_type: info['aigc_disclosure_type'],
    utm_params: configuration['utm_params'],
    dark_post_status: configuration['dark_post_status'],
    ...((configuration['tracking_info'] ?? {}) as Values),
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** What tells two creatives apart: the same media keep their ids when an ad is updated. */
export const mediaKey = (info: Values): string =>
  JSON.stringify([
    info['ad_format'],
    info['tiktok_item_id'] ?? null,
    (info['video_info'] as Values | undefined)?.['video_id'] ?? null,
    info['image_info'] ?? null,
  ]);

/** The name of a creative: its own, else that of its file, else the ad's. */
const creativeName = (ad: Native, info: Values): string =>
  String(
    info['material_name'] ??
      (info['video_info'] as Values | undefined)?.['file_name'] ??
      (ad['ad_name'] === '' ? `Creative ${String(info['tiktok_item_id'] ?? '')}`.trim() : ad['ad_name']),
  );

/**
 * Stores a Smart+ ad and its creatives. Creatives that `before` had and that are gone now are deleted: they stay in
 * reports.
 */
export function putSmartAd(world: World, ad: Native, before?: Native): void {
  const at = world.stamp();
  const rows: Native[] = creativesOf(ad).map((creative) => {
    const old = world.ads.get(creative._creative_id);
    const members = asAd(ad, creative.creative_info);
    // A change of what people see sends the creative to review again (unverified).
    const seen = ['ad_text', 'ad_texts', 'landing_page_url', 'call_to_action', 'identity_id'];
    const changed = old && seen.some((name) => JSON.stringify(old[name]) !== JSON.stringify(members[name]));
    return {
      id: creative._creative_id,
      advertiser_id: ad.advertiser_id,
      campaign_id: ad['campaign_id'],
      adgroup_id: ad['adgroup_id'],
      ad_id: creative._creative_id,
      smart_plus_ad_id: ad.id,
      ad_material_id: creative.ad_material_id,
      campaign_automation_type: 'UPGRADED_SMART_PLUS_CREATIVE',
      ad_name: creativeName(ad, creative.creative_info),
      ...members,
      operation_status: creative.material_operation_status,
      _ad_status: ad['operation_status'],
      create_time: old?.['create_time'] ?? at,
      ...(changed ? { _review_from: at } : old?.['_review_from'] ? { _review_from: old['_review_from'] } : {}),
    };
  });
  const kept = new Set(rows.map((row) => row.id));
  for (const creative of before ? creativesOf(before) : []) {
    const old = world.ads.get(creative._creative_id);
    if (old && !kept.has(old.id)) rows.push({ ...old, operation_status: 'DELETE' });
  }
  world.ads.putAll(rows);
  smartAds(world).put(ad);
}

/** Ids for the creatives of a call: those of `before` for the same media, new ones otherwise. */
export function withIds(world: World, list: readonly Values[], before?: Native): Creative[] {
  const old = new Map((before ? creativesOf(before) : []).map((one) => [mediaKey(one.creative_info), one]));
  return list.map((item) => {
    const creative_info = item['creative_info'] as Values;
    const known = old.get(mediaKey(creative_info));
    // The same media twice in one ad are two creatives.
    if (known) old.delete(mediaKey(creative_info));
    return {
      ad_material_id: known?.ad_material_id ?? world.nextId(),
      creative_info,
      material_operation_status: known?.material_operation_status ?? 'ENABLE',
      _creative_id: known?._creative_id ?? world.nextId(),
    };
  });
}

/** Ads as ad_id_v2 counts them: manual ads and Smart+ ads, found by either's id. */
export function adById(world: World, id: string): Native | undefined {
  const row = world.ads.get(id);
  return row && !isCreative(row) ? row : smartAds(world).get(id);
}

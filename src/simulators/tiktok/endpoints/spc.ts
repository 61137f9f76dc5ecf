import { advertiserId, advertiserIdOf } from '../params.ts';
import { changeable, checkBudget, checkName, given, invalid, owned } from '../rules.ts';
import { isLegacy } from '../smart-plus.ts';
import { secondaryStatus, statusContext } from '../status.ts';
import { type Call, type Endpoint, type Native, type Param, TikTokError } from '../types.ts';

/**
 * Legacy Smart+ campaigns: campaign/spc/{get,update,quota/get,create}. One campaign has one ad group and its media in one
 * place. They are being removed: what there is can be read, renamed and given another budget, a new one cannot be made
 * (TikTok's announcement; the code is unverified). Members: an independent transcription of the reference.
 */

/** Campaigns of this kind an account may have live (unverified). */
const QUOTA = 100;

function spc(call: Call, id: unknown): Native {
  const row = owned(call.world.campaigns, 'campaign', id, advertiserIdOf(call));
  if (!isLegacy(row)) throw new TikTokError(40007, `The Smart+ campaign ${row.id} does not exist.`);
  return row;
}

function view(call: Call, campaign: Native): Record<string, unknown> {
  const { world } = call;
  const context = statusContext(world, campaign.advertiser_id);
  const adgroup = world.adgroups.by('campaign', campaign.id)[0];
  const ads = adgroup ? world.ads.by('adgroup', adgroup.id).filter((ad) => ad['operation_status'] !== 'DELETE') : [];
  const texts = [...new Set(ads.map((ad) => String(ad['ad_text'] ?? '')))].filter((text) => text !== '');
  const copied = (row: Native | undefined, names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, row?.[name] ?? null]));
  return {
    advertiser_id: campaign.advertiser_id,
    campaign_id: campaign.id,
    operation_status: campaign['operation_status'] ?? 'ENABLE',
    secondary_status: secondaryStatus(context, 'campaign', campaign),
    is_smart_performance_campaign: true,
    ...copied(campaign, ['objective_type', 'spc_type', 'app_promotion_type', 'sales_destination', 'campaign_name']),
    campaign_type: campaign['campaign_type'] ?? 'REGULAR_CAMPAIGN',
    special_industries: campaign['special_industries'] ?? [],
    adgroup_secondary_status: adgroup ? secondaryStatus(context, 'adgroup', adgroup) : null,
    ...copied(adgroup, ['promotion_type', 'app_id', 'optimization_goal', 'pixel_id', 'optimization_event', 'bid_type']),
    ...copied(adgroup, ['bid_price', 'conversion_bid_price', 'deep_bid_type', 'roas_bid', 'billing_event']),
    ...copied(adgroup, ['location_ids', 'languages', 'gender', 'placement_type', 'placements', 'comment_disabled']),
    budget_mode: campaign['budget_mode'],
    budget: campaign['budget'],
    ...copied(adgroup, ['schedule_type', 'schedule_start_time', 'schedule_end_time', 'dayparting']),
    identity_type: ads[0]?.['identity_type'] ?? null,
    identity_id: ads[0]?.['identity_id'] ?? null,
    media_info_list: ads.map((ad) => ({
      media_info: {
        material_id: ad.id,
        material_operation_status: ad['operation_status'] ?? 'ENABLE',
        material_name: ad['ad_name'],
        identity_id: ad['identity_id'] ?? null,
        identity_type: ad['identity_type'] ?? null,
        tiktok_item_id: ad['tiktok_item_id'] ?? null,
        video_info: { video_id: ad['video_id'] ?? null, file_name: ad['ad_name'] },
      },
    })),
    title_list: texts.map((title) => ({ title, material_operation_status: 'ENABLE' })),
    landing_page_urls: [...new Set(ads.map((ad) => ad['landing_page_url']))].map((url) => ({ landing_page_url: url })),
    create_time: campaign['create_time'],
    modify_time: campaign['modify_time'],
  };
}

function update(call: Call): unknown {
  const { world, params } = call;
  const id = spc(call, params['campaign_id']).id;
  const before = changeable(world.campaigns, 'campaign', id, advertiserIdOf(call));
  checkName('campaign_name', params['campaign_name']);
  if (given(params, 'budget')) {
    checkBudget('campaign', 'budget', params['budget'], world.advertisers.get(advertiserIdOf(call))!);
  }
  const patch = Object.fromEntries(
    ['campaign_name', 'budget', 'special_industries'].flatMap((name) =>
      given(params, name) ? [[name, params[name]]] : [],
    ),
  );
  const row = { ...before, ...patch, modify_time: world.stamp(call.now) };
  world.campaigns.put(row);
  return view(call, row);
}

function quota(call: Call): unknown {
  const used = call.world.campaigns
    .by('advertiser', advertiserIdOf(call))
    .filter((row) => isLegacy(row) && row['operation_status'] !== 'DELETE')
    .map((row) => row.id);
  return { total_quota: QUOTA, used_quota: used.length, used_campaign_ids: used };
}

function materialStatus(call: Call): unknown {
  const { world, params } = call;
  const campaign = spc(call, params['campaign_id']);
  const ids = params['material_ids'] as string[];
  const rows = ids.map((id) => {
    const row = changeable(world.ads, 'material', id, advertiserIdOf(call));
    if (row['campaign_id'] !== campaign.id) throw new TikTokError(40007, `The material ${id} does not exist.`);
    return { ...row, operation_status: params['material_status'], modify_time: world.stamp(call.now) };
  });
  world.ads.putAll(rows);
  return { campaign_id: campaign.id, material_ids: ids, material_status: params['material_status'] };
}

const campaignId: Param = { name: 'campaign_id', type: 'string', required: true };

/** Legacy Smart+. */
export const endpoints: Endpoint[] = [
  {
    method: 'GET',
    path: 'campaign/spc/get',
    auth: 'token',
    scopes: ['200'],
    params: [
      advertiserId,
      { name: 'campaign_ids', type: 'array', required: true, min: 1, max: 100, items: { type: 'string' } },
    ],
    handle: (call) => ({ list: (call.params['campaign_ids'] as string[]).map((id) => view(call, spc(call, id))) }),
  },
  {
    method: 'POST',
    path: 'campaign/spc/update',
    auth: 'token',
    scopes: ['201'],
    write: true,
    params: [
      advertiserId,
      campaignId,
      { name: 'campaign_name', type: 'string' },
      { name: 'budget', type: 'number' },
      { name: 'special_industries', type: 'array', items: { type: 'string' } },
    ],
    handle: update,
  },
  {
    method: 'GET',
    path: 'campaign/spc/quota/get',
    auth: 'token',
    scopes: ['200'],
    params: [advertiserId],
    handle: quota,
  },
  {
    method: 'POST',
    path: 'campaign/spc/create',
    auth: 'token',
    scopes: ['201'],
    write: true,
    params: [advertiserId],
    handle: () =>
      invalid('Legacy Smart+ campaigns can no longer be created. Use /smart_plus/campaign/create/ instead.'),
  },
  {
    method: 'POST',
    path: 'campaign/spc/material_status/update',
    auth: 'token',
    scopes: ['201'],
    write: true,
    // The members are not in any source; these follow ad/aco/material_status/update (unverified).
    params: [
      advertiserId,
      campaignId,
      { name: 'material_ids', type: 'array', required: true, min: 1, max: 20, items: { type: 'string' } },
      { name: 'material_status', type: 'string', required: true, enum: ['ENABLE', 'DISABLE'] },
    ],
    handle: materialStatus,
  },
];

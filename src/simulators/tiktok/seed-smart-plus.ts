/**
 * An ad account that mixes manual, legacy Smart+ and Upgraded Smart+ objects, live and deleted at every level, all of
 * which delivered. The same world gives the same numbers of objects.
 */
import { type Creative, smartAds } from './smart-plus.ts';
import type { Advertiser, Native, World } from './types.ts';

const DAY_MS = 86_400_000;

type Status = 'ENABLE' | 'DISABLE' | 'DELETE';

/** What is made, level by level: how many days ago it ended, if it did. */
const FATES: readonly (readonly [Status, number])[] = [
  ['ENABLE', 0],
  ['DELETE', 9],
  ['DISABLE', 5],
];
const fate = (i: number) => FATES[i % FATES.length]!;

/** How many objects of a kind: campaigns × ad groups × ads × creatives. */
const PLANS = [
  { kind: 'MANUAL', campaigns: 4, adgroups: 3, ads: 4, creatives: 0 },
  { kind: 'SMART_PLUS', campaigns: 3, adgroups: 1, ads: 3, creatives: 0 },
  { kind: 'UPGRADED_SMART_PLUS', campaigns: 4, adgroups: 2, ads: 3, creatives: 3 },
] as const;

const AIMS = [
  ['WEB_CONVERSIONS', 'WEBSITE', 'CONVERT', 'SHOPPING'],
  ['APP_PROMOTION', 'APP_ANDROID', 'IN_APP_EVENT', 'ACTIVE_PAY'],
  ['LEAD_GENERATION', 'LEAD_GENERATION', 'LEAD_GENERATION', undefined],
] as const;

/** Adds the objects; `advertiser` should be empty, so that its ledger is about them alone. */
export function seedSmartPlus(world: World, advertiser: Advertiser): void {
  const now = world.clock.now().getTime();
  const identity = world.identities.by('advertiser', advertiser.id).find((row) => row['identity_type'] === 'TT_USER');
  const age = (daysAgo: number) => world.stamp(new Date(now - daysAgo * DAY_MS));
  const life = ([status, ended]: readonly [Status, number], created: number) => ({
    operation_status: status,
    create_time: age(created),
    modify_time: age(status === 'ENABLE' ? created : ended),
  });
  const media = {
    ad_format: 'SINGLE_VIDEO',
    identity_type: 'TT_USER',
    identity_id: identity?.id,
    call_to_action: 'SHOP_NOW',
    landing_page_url: 'https://acme.test/shop',
  };
  for (const plan of PLANS) {
    const upgraded = plan.kind === 'UPGRADED_SMART_PLUS';
    const legacy = plan.kind === 'SMART_PLUS';
    const mark = { campaign_automation_type: plan.kind, ...(legacy ? { is_smart_performance_campaign: true } : {}) };
    const name = upgraded ? 'Smart+' : legacy ? 'Legacy Smart+' : 'Manual';
    for (let c = 0; c < plan.campaigns; c++) {
      const [objective, promotion, goal, event] = AIMS[c % (legacy ? 2 : AIMS.length)]!;
      const campaignId = world.nextId();
      const campaign: Native = {
        id: campaignId,
        campaign_id: campaignId,
        advertiser_id: advertiser.id,
        ...mark,
        campaign_name: `${name} campaign ${c + 1}`,
        objective_type: objective,
        objective: objective === 'APP_PROMOTION' ? 'APP' : 'LANDING_PAGE',
        ...(objective === 'APP_PROMOTION' ? { app_promotion_type: 'APP_INSTALL' } : {}),
        ...(legacy ? { spc_type: 'UNSET' } : {}),
        budget_mode: 'BUDGET_MODE_DAY',
        budget: 500,
        budget_optimize_on: true,
        ...life(fate(c === 3 ? 0 : c), 40 - c),
      };
      world.campaigns.put(campaign);
      for (let g = 0; g < plan.adgroups; g++) {
        const adgroupId = world.nextId();
        const targeting = { location_ids: ['6252001'], age_groups: ['AGE_25_34', 'AGE_35_44'] };
        world.adgroups.put({
          id: adgroupId,
          adgroup_id: adgroupId,
          campaign_id: campaignId,
          advertiser_id: advertiser.id,
          ...mark,
          adgroup_name: `${name} ad group ${c + 1}.${g + 1}`,
          promotion_type: promotion,
          placement_type: 'PLACEMENT_TYPE_AUTOMATIC',
          placements: ['PLACEMENT_TIKTOK', 'PLACEMENT_PANGLE', 'PLACEMENT_GLOBAL_APP_BUNDLE'],
          ...targeting,
          ...(upgraded ? { targeting_spec: targeting, _nulls: ['creative_material_mode'] } : {}),
          budget_mode: 'BUDGET_MODE_INFINITE',
          budget: 0,
          schedule_type: 'SCHEDULE_FROM_NOW',
          schedule_start_time: age(40 - c),
          schedule_end_time: age(-3650),
          optimization_goal: goal,
          optimization_event: event,
          billing_event: 'OCPM',
          bid_type: 'BID_TYPE_NO_BID',
          pacing: 'PACING_MODE_SMOOTH',
          ...life(fate(g), 40 - c),
        });
        for (let a = 0; a < plan.ads; a++) {
          const id = world.nextId();
          const adName = `${name} ad ${c + 1}.${g + 1}.${a + 1}`;
          const own = { id, advertiser_id: advertiser.id, campaign_id: campaignId, adgroup_id: adgroupId };
          if (!upgraded) {
            world.ads.put({
              ...own,
              ad_id: id,
              ...mark,
              ad_name: adName,
              ad_text: 'Made to last',
              ...media,
              ...life(fate(a), 39 - c),
            });
            continue;
          }
          const lived = life(fate(a), 39 - c);
          const creatives: Creative[] = [];
          const rows: Native[] = [];
          for (let k = 0; k < plan.creatives; k++) {
            const creativeId = world.nextId();
            const ad_material_id = world.nextId();
            const [status, ended] = fate(k);
            // What was taken out of the ad is in its list no more, but in reports.
            if (status !== 'DELETE') {
              creatives.push({
                ad_material_id,
                creative_info: {
                  ad_format: 'SINGLE_VIDEO',
                  identity_type: 'TT_USER',
                  identity_id: identity?.id,
                  identity_authorized_bc_id: '0',
                  video_info: { video_id: `v10033g5${creativeId}`, file_name: `creative_${k + 1}.mp4` },
                },
                material_operation_status: status,
                _creative_id: creativeId,
              });
            }
            const offTimes = [status === 'ENABLE' ? 0 : ended, lived.operation_status === 'ENABLE' ? 0 : fate(a)[1]];
            rows.push({
              ...own,
              id: creativeId,
              ad_id: creativeId,
              smart_plus_ad_id: id,
              ad_material_id,
              campaign_automation_type: 'UPGRADED_SMART_PLUS_CREATIVE',
              ad_name: `creative_${k + 1}.mp4`,
              ad_text: 'Made to last',
              ...media,
              video_id: `v10033g5${creativeId}`,
              operation_status: status,
              _ad_status: lived.operation_status,
              create_time: lived.create_time,
              _off_time: age(Math.max(...offTimes)),
            });
          }
          world.ads.putAll(rows);
          smartAds(world).put({
            ...own,
            smart_plus_ad_id: id,
            ad_id_v2: id,
            ...mark,
            ad_name: adName,
            creative_list: creatives,
            ad_text_list: [{ ad_text: 'Made to last' }, { ad_text: 'Find your size today' }],
            call_to_action_list: [{ call_to_action: 'SHOP_NOW' }],
            landing_page_url_list: [{ landing_page_url: 'https://acme.test/shop' }],
            ...lived,
          });
        }
      }
    }
  }
}

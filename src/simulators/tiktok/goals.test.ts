import { describe, expect, it } from 'vitest';
import { MEASURES } from '../kit/delivery.ts';
import { goalOf } from './goals.ts';
import type { Native } from './types.ts';

const row = (members: Record<string, unknown>): Native => ({ id: '1', advertiser_id: '1', ...members });
const goal = (
  campaign: Record<string, unknown>,
  adgroup: Record<string, unknown>,
  ad: Record<string, unknown> = {},
) => {
  const { channel, conversion, result, offline } = goalOf(row(campaign), row(adgroup), row(ad));
  return [channel, MEASURES[conversion] ?? 'none', MEASURES[result], offline];
};

describe('what an ad is after', () => {
  it.each<[Record<string, unknown>, Record<string, unknown>, unknown[]]>([
    [
      { objective_type: 'WEB_CONVERSIONS' },
      { promotion_type: 'WEBSITE', optimization_goal: 'CONVERT', optimization_event: 'ON_WEB_CART' },
      ['web', 'carts', 'carts', false],
    ],
    [
      { objective_type: 'TRAFFIC' },
      { promotion_type: 'WEBSITE', optimization_goal: 'CLICK' },
      ['web', 'none', 'clicks', false],
    ],
    [
      { objective_type: 'APP_PROMOTION' },
      { promotion_type: 'APP_IOS', optimization_goal: 'INSTALL' },
      ['app', 'installs', 'installs', false],
    ],
    [
      { objective_type: 'PRODUCT_SALES', campaign_product_source: 'STORE' },
      { promotion_type: 'VIDEO_SHOPPING', optimization_goal: 'VALUE' },
      ['shop', 'purchases', 'purchases', false],
    ],
    [
      { objective_type: 'APP_PROMOTION', app_promotion_type: 'MINIS' },
      { optimization_goal: 'IN_APP_EVENT' },
      ['minis', 'purchases', 'purchases', false],
    ],
    [
      { objective_type: 'LEAD_GENERATION' },
      { promotion_type: 'LEAD_GENERATION', optimization_goal: 'LEAD_GENERATION' },
      ['form', 'leads', 'leads', false],
    ],
    [
      { objective_type: 'VIDEO_VIEWS' },
      { promotion_type: 'WEBSITE_OR_DISPLAY', optimization_goal: 'ENGAGED_VIEW' },
      ['none', 'none', 'watched_6s', false],
    ],
  ])('%j %j', (campaign, adgroup, expected) => {
    expect(goal(campaign, adgroup)).toEqual(expected);
  });

  it('counts offline purchases for ads with an offline event set', () => {
    expect(goal({}, {}, { tracking_offline_event_set_ids: ['1'] })[3]).toBe(true);
    expect(goal({}, {}, { tracking_offline_event_set_ids: [] })[3]).toBe(false);
  });
});

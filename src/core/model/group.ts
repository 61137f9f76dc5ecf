import { z } from 'zod';
import { adsBidStrategy, adsPacing } from './bid-strategy.ts';
import { adsFrequencyCap, dateTime, id, openEnum, raw, timestamps } from './common.ts';
import {
  AUTOMATIONS,
  BILLING_EVENTS,
  BUDGET_ALLOCATION_TYPES,
  BUDGET_PERIODS,
  BUDGET_UNITS,
  CREATIVE_SELECTIONS,
  EFFECTIVE_STATUSES,
  FORMATS,
  OPTIMIZATION_GOALS,
  STATUSES,
} from './enums.ts';
import { adsPromoted } from './promoted.ts';
import { adsTargeting } from './targeting.ts';

/** A group of ads (ad group, ad set, line item, placement): targeting, bids and budget. */
export const adsGroup = z
  .object({
    automation: openEnum(AUTOMATIONS)
      .optional()
      .describe('Who decides on targeting, bids and placements: the advertiser, or an automation of the platform.'),
    bid_amount: z.number().optional().describe("Bid per billed event, in units of the account's currency."),
    bid_strategy: adsBidStrategy.optional().describe('How bids are made.'),
    billing_event: openEnum(BILLING_EVENTS).optional().describe('What is charged.'),
    budget_allocation_type: openEnum(BUDGET_ALLOCATION_TYPES)
      .optional()
      .describe('How the group gets its share of the budget.'),
    budget_amount: z
      .number()
      .optional()
      .describe("Budget for `budget_period`, in units of the account's currency (or impressions by `budget_unit`)."),
    budget_max_amount: z.number().optional().describe('Most that the group may get of a shared budget, same unit.'),
    budget_period: openEnum(BUDGET_PERIODS).optional().describe('Period that the budget is for.'),
    budget_unit: openEnum(BUDGET_UNITS).optional().describe('What the budget counts; money when absent.'),
    campaign_id: id.optional().describe('Id of the campaign.'),
    ...timestamps,
    creative_ids: z.array(id).optional().describe('Ids of the creatives, where they are linked to groups.'),
    creative_selection: openEnum(CREATIVE_SELECTIONS).optional().describe('How it chooses among its creatives.'),
    currency: z.string().optional().describe('Currency of all money here, ISO 4217.'),
    effective_status: openEnum(EFFECTIVE_STATUSES).optional().describe('What the platform really does with it.'),
    end_at: dateTime.optional().describe('When it ends. Absent: no end.'),
    frequency_cap: adsFrequencyCap.optional().describe('Cap on how often one person is shown the ads.'),
    has_eu_political_ads: z.boolean().optional().describe('Declared to hold political ads for the European Union.'),
    id: id.optional().describe("The group's id on the platform."),
    insertionorder_id: id.optional().describe('Id of the insertion order, where the platform has them.'),
    language_locale: z.string().optional().describe('Language and country of the group, such as en_US.'),
    name: z.string().optional().describe("The group's name."),
    optimization_goal: openEnum(OPTIMIZATION_GOALS).optional().describe('What delivery is optimised for.'),
    native_status: z.string().optional().describe('The effective status in the words of the platform.'),
    organization_id: id.optional().describe('Id of the ad account.'),
    pacing: adsPacing.optional().describe('How spending is spread over time.'),
    parent_id: id.optional().describe('Id of a group above this one, where groups are nested.'),
    promoted: z.array(adsPromoted).optional().describe('What is advertised and measured.'),
    raw: raw.optional(),
    start_at: dateTime.optional().describe('When it begins.'),
    status: openEnum(STATUSES).optional().describe('What its owner wants: ACTIVE, PAUSED and so on.'),
    targeting: adsTargeting.optional().describe('Who sees the ads, where and when.'),
    type: openEnum(FORMATS).optional().describe('Channel or form of the ads.'),
  })
  .meta({ id: 'AdsGroup', title: 'Group', description: 'A group of ads: targeting, bids and budget.' });
export type AdsGroup = z.infer<typeof adsGroup>;

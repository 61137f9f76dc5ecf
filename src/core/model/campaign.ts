import { z } from 'zod';
import { adsKpi } from './bid-strategy.ts';
import { adsFrequencyCap, dateTime, id, openEnum, raw, timestamps } from './common.ts';
import { AUTOMATIONS, BUDGET_PERIODS, BUDGET_UNITS, EFFECTIVE_STATUSES, FORMATS, GOALS, STATUSES } from './enums.ts';
import { adsTargeting } from './targeting.ts';

/** A campaign: goal, budget and schedule of a set of groups. */
export const adsCampaign = z
  .object({
    advertising_channel_type: openEnum(FORMATS).optional().describe('Channel or form of the ads.'),
    automation: openEnum(AUTOMATIONS)
      .optional()
      .describe('Who decides on targeting, bids and placements: the advertiser, or an automation of the platform.'),
    budget_amount: z
      .number()
      .optional()
      .describe("Budget for `budget_period`, in units of the account's currency (12.5 = 12.50 USD)."),
    budget_period: openEnum(BUDGET_PERIODS).optional().describe('Period that the budget is for.'),
    budget_unit: openEnum(BUDGET_UNITS).optional().describe('What the budget counts; money when absent.'),
    campaign_budget_identifier: id.optional().describe('Id of a budget that is an object of its own.'),
    category: z.string().optional().describe('Special category or kind of the campaign, in the words of the platform.'),
    ...timestamps,
    currency: z.string().optional().describe('Currency of all money here, ISO 4217.'),
    effective_status: openEnum(EFFECTIVE_STATUSES).optional().describe('What the platform really does with it.'),
    end_at: dateTime.optional().describe('When it ends. Absent: no end.'),
    frequency_cap: adsFrequencyCap.optional().describe('Cap on how often one person is shown the ads.'),
    goal: openEnum(GOALS).optional().describe('What the campaign is for.'),
    has_eu_political_ads: z.boolean().optional().describe('Declared to hold political ads for the European Union.'),
    id: id.optional().describe("The campaign's id on the platform."),
    kpi: adsKpi.optional().describe('What the campaign is judged by.'),
    labels: z.array(z.string()).optional().describe('Labels.'),
    name: z.string().optional().describe("The campaign's name."),
    native_status: z.string().optional().describe('The effective status in the words of the platform.'),
    organization_id: id.optional().describe('Id of the ad account.'),
    planned_spend_amount: z.number().optional().describe("Planned spending, in units of the account's currency."),
    raw: raw.optional(),
    start_at: dateTime.optional().describe('When it begins.'),
    status: openEnum(STATUSES).optional().describe('What its owner wants: ACTIVE, PAUSED and so on.'),
    targeting: adsTargeting.optional().describe('Who sees the ads, where the platform sets it on campaigns.'),
    total_spend_amount: z.number().optional().describe("Spent so far, in units of the account's currency."),
  })
  .meta({ id: 'AdsCampaign', title: 'Campaign', description: 'Goal, budget and schedule of a set of groups.' });
export type AdsCampaign = z.infer<typeof adsCampaign>;

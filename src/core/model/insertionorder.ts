import { z } from 'zod';
import { adsBidStrategy, adsKpi, adsPacing } from './bid-strategy.ts';
import { adsFrequencyCap, dateTime, id, openEnum, raw, timestamps } from './common.ts';
import { BUDGET_UNITS, STATUSES } from './enums.ts';

/** A part of an insertion order's budget, with its own dates. */
export const adsBudgetSegment = z
  .object({
    budget_amount: z.number().optional().describe('Budget, in the unit of the insertion order.'),
    description: z.string().optional().describe('What the part is for.'),
    end_at: dateTime.optional().describe('When the part ends.'),
    start_at: dateTime.optional().describe('When the part begins.'),
  })
  .meta({ id: 'AdsBudgetSegment', description: "A part of an insertion order's budget, with its own dates." });
export type AdsBudgetSegment = z.infer<typeof adsBudgetSegment>;

/** An insertion order: the level between campaign and group on demand-side platforms. */
export const adsInsertionorder = z
  .object({
    bid_strategy: adsBidStrategy.optional().describe('How bids are made.'),
    budget_segments: z.array(adsBudgetSegment).optional().describe('Parts of the budget, by date.'),
    budget_unit: openEnum(BUDGET_UNITS).optional().describe('What the budget counts; money when absent.'),
    campaign_id: id.optional().describe('Id of the campaign.'),
    ...timestamps,
    frequency_cap: adsFrequencyCap.optional().describe('Cap on how often one person is shown the ads.'),
    id: id.optional().describe("The insertion order's id on the platform."),
    kpi: adsKpi.optional().describe('What the insertion order is judged by.'),
    name: z.string().optional().describe("The insertion order's name."),
    organization_id: id.optional().describe('Id of the ad account.'),
    pacing: adsPacing.optional().describe('How spending is spread over time.'),
    raw: raw.optional(),
    reference: z.string().optional().describe('Your own reference, such as an order number.'),
    status: openEnum(STATUSES).optional().describe('What its owner wants: ACTIVE, PAUSED and so on.'),
  })
  .meta({ id: 'AdsInsertionorder', title: 'Insertion order', description: 'The level between campaign and group.' });
export type AdsInsertionorder = z.infer<typeof adsInsertionorder>;

import { z } from 'zod';
import { id, openEnum } from './common.ts';
import {
  BID_STRATEGY_TYPES,
  KPI_TYPES,
  PACING_PERIODS,
  PERFORMANCE_GOAL_TYPES,
  YOUTUBE_AND_PARTNERS_TYPES,
} from './enums.ts';

/** How bids are made. The same shape on groups and insertion orders. */
export const adsBidStrategy = z
  .object({
    custom_bidding_algorithm_id: id.optional().describe('Id of a custom bidding algorithm.'),
    fixed_bid_amount: z.number().optional().describe("Fixed bid, in units of the account's currency."),
    max_average_cpm_bid_amount: z
      .number()
      .optional()
      .describe("Highest average cost per 1,000 impressions, in units of the account's currency."),
    performance_goal_amount: z
      .number()
      .optional()
      .describe("Goal for `performance_goal_type`: money in units of the account's currency, or a share."),
    performance_goal_type: openEnum(PERFORMANCE_GOAL_TYPES).optional().describe('Number that bidding works towards.'),
    raise_bid_for_deals: z.boolean().optional().describe('Whether the bid may be raised for deals.'),
    target_roas: z.number().optional().describe('Wanted return on ad spend, value per unit of spend (2.5 = 250 %).'),
    type: openEnum(BID_STRATEGY_TYPES).describe('Kind of strategy.'),
    youtube_and_partners_type: openEnum(YOUTUBE_AND_PARTNERS_TYPES)
      .optional()
      .describe('Strategy of a video line item, when `type` is YOUTUBE_AND_PARTNERS.'),
    youtube_and_partners_value: z.string().optional().describe('Value of that strategy, as the platform writes it.'),
  })
  .meta({ id: 'AdsBidStrategy', description: 'How bids are made.' });
export type AdsBidStrategy = z.infer<typeof adsBidStrategy>;

/** How spending is spread over time. */
export const adsPacing = z
  .object({
    daily_max_amount: z.number().optional().describe("Most to spend in a day, in units of the account's currency."),
    daily_max_impressions: z.number().optional().describe('Most impressions in a day.'),
    period: openEnum(PACING_PERIODS).optional().describe('Period over which delivery is evened out.'),
    type: z
      .string()
      .optional()
      .describe('Pace, in the words of the platform (such as even, ahead, as fast as possible).'),
  })
  .meta({ id: 'AdsPacing', description: 'How spending is spread over time.' });
export type AdsPacing = z.infer<typeof adsPacing>;

/** What a campaign or insertion order is judged by. */
export const adsKpi = z
  .object({
    algorithm_id: id.optional().describe('Id of a custom algorithm that computes the number.'),
    amount: z.number().optional().describe("Goal as money, in units of the account's currency."),
    percentage: z.number().optional().describe('Goal as a percentage (2.5 = 2.5 %).'),
    string_value: z.string().optional().describe('Goal in words, when it is neither money nor a percentage.'),
    type: openEnum(KPI_TYPES).optional().describe('Number that is judged.'),
  })
  .meta({ id: 'AdsKpi', description: 'What a campaign or insertion order is judged by.' });
export type AdsKpi = z.infer<typeof adsKpi>;

/**
 * Optimization, billing and bids of an ad group. TikTok derives much of one from another; the unified fields are written
 * so that a caller who names the optimization goal alone gets the combination that TikTok has for it.
 */
import {
  type Codec,
  type CodecContext,
  custom,
  enums,
  invalid,
  money,
  number,
} from '../../../core/connector/codecs.ts';
import type { FieldRule } from '../../../core/connector/fields.ts';
import type { Native, Unified } from '../../../core/connector/types.ts';

const GOAL = enums(
  {
    REACH: 'REACH',
    SHOW: 'IMPRESSIONS',
    CLICK: 'LINK_CLICKS',
    TRAFFIC_LANDING_PAGE_VIEW: 'LANDING_PAGE_VIEWS',
    DESTINATION_VISIT: 'LANDING_PAGE_VIEWS',
    CONVERT: 'CONVERSIONS',
    VALUE: 'CONVERSIONS',
    AUTOMATIC_VALUE_OPTIMIZATION: 'CONVERSIONS',
    GMV: 'CONVERSIONS',
    PURCHASES: 'CONVERSIONS',
    INITIATE_CHECKOUTS: 'CONVERSIONS',
    LEAD_GENERATION: 'LEAD_GENERATION',
    CONVERSION_LEADS: 'LEAD_GENERATION',
    PREFERRED_LEAD: 'LEAD_GENERATION',
    INSTALL: 'APP_INSTALLS',
    IN_APP_EVENT: 'APP_ENGAGEMENT',
    VIDEO_VIEW: 'VIDEO_VIEWS',
    ENGAGED_VIEW: 'VIDEO_VIEWS',
    ENGAGED_VIEW_FIFTEEN: 'VIDEO_VIEWS',
    PROFILE_VIEWS: 'ENGAGEMENT',
    PAGE_VISITS: 'ENGAGEMENT',
    MT_LIVE_ROOM: 'ENGAGEMENT',
    PRODUCT_CLICK_IN_LIVE: 'ENGAGEMENT',
    FOLLOWERS: 'PAGE_LIKES',
    CONVERSATION: 'MESSAGES',
  },
  { write: {} },
);

/** A target return on ad spend is only possible where value is optimised, not the number of conversions. */
const goal: Codec = custom({
  ...GOAL,
  name: 'tiktok.optimizationGoal',
  encode(unified, ctx) {
    const native = GOAL.encode?.(unified, ctx);
    return native === 'CONVERT' && targetRoas(ctx.unified) !== undefined ? 'VALUE' : native;
  },
});

const targetRoas = (unified: Unified | undefined): unknown =>
  (unified?.['bid_strategy'] as Unified | undefined)?.['target_roas'];

const BILLING = enums({
  CPM: 'IMPRESSIONS',
  // Charged by impressions as CPM is, shown to those most likely to do what is optimised for.
  OCPM: 'IMPRESSIONS',
  GD: 'IMPRESSIONS',
  CPC: 'LINK_CLICKS',
  OCPC: 'LINK_CLICKS',
  CPV: 'VIDEO_VIEWS',
});

/** Goals whose impressions are billed as plain CPM; all others are billed as OCPM. */
const PLAIN_CPM: ReadonlySet<unknown> = new Set(['REACH', 'IMPRESSIONS']);

/** The billing event that TikTok has for a unified optimization goal. */
export function billingFor(optimizationGoal: unknown): string {
  if (PLAIN_CPM.has(optimizationGoal)) return 'CPM';
  if (optimizationGoal === 'LINK_CLICKS') return 'CPC';
  return optimizationGoal === 'VIDEO_VIEWS' ? 'CPV' : 'OCPM';
}

/** The native billing event of an ad group in the making; undefined where its body does not tell. */
function billingOf(unified: Unified | undefined): string | undefined {
  const { billing_event: event, optimization_goal: optimized, raw } = unified ?? {};
  const given = (raw as Native | undefined)?.['billing_event'];
  if (typeof given === 'string') return given;
  if (event === undefined) return optimized === undefined ? undefined : billingFor(optimized);
  if (event === 'IMPRESSIONS') return PLAIN_CPM.has(optimized) ? 'CPM' : 'OCPM';
  return BILLING.encode?.(event, {}) as string;
}

const billing: Codec = custom({
  ...BILLING,
  name: 'tiktok.billingEvent',
  encode(unified, ctx) {
    BILLING.encode?.(unified, ctx);
    return billingOf({ ...ctx.unified, billing_event: unified, raw: undefined });
  },
});

const price = money.decimal({ unset: 0 });
const roas = number({ unset: 0, min: 0.01, max: 1_000 });

const BID = {
  amount: 'bid_amount',
  type: 'bid_strategy.type',
  fixed: 'bid_strategy.fixed_bid_amount',
  goalType: 'bid_strategy.performance_goal_type',
  goalAmount: 'bid_strategy.performance_goal_amount',
  roas: 'bid_strategy.target_roas',
} as const;

const BID_NATIVE = ['bid_type', 'bid_price', 'conversion_bid_price', 'roas_bid', 'deep_bid_type'] as const;

/** The amount of a bid, however the caller named it; two names with two amounts are refused. */
function bidAmount(given: Record<string, unknown>, ctx: CodecContext): number | undefined {
  let amount: number | undefined;
  for (const field of [BID.amount, BID.fixed, BID.goalAmount]) {
    if (given[field] === undefined) continue;
    const value = price.encode?.(given[field], { ...ctx, field }) as number;
    if (amount !== undefined && amount !== value) throw invalid({ ...ctx, field }, 'contradicts `bid_amount`');
    amount = value;
  }
  return amount;
}

/**
 * bid_type and the price that goes with the billing event <-> bid_amount and bid_strategy. FIXED_BID is a bid per click,
 * view or thousand impressions, PERFORMANCE_GOAL a target price per action (OCPM) or a target return, MAXIMIZE_SPEND no
 * bid at all.
 */
const bid: Codec = custom({
  name: 'tiktok.bid',
  allowed: ['MAXIMIZE_SPEND', 'FIXED_BID', 'PERFORMANCE_GOAL'],
  decode(native, ctx) {
    const row = native as Record<string, unknown>;
    const perEvent = price.decode(row['bid_price'], ctx);
    const perAction = price.decode(row['conversion_bid_price'], ctx);
    const target = roas.decode(row['roas_bid'], ctx);
    const amount = perEvent ?? perAction;
    const strategy: Record<string, unknown> =
      target !== undefined
        ? { [BID.type]: 'PERFORMANCE_GOAL', [BID.roas]: target }
        : perAction !== undefined
          ? { [BID.type]: 'PERFORMANCE_GOAL', [BID.goalType]: 'CPA', [BID.goalAmount]: perAction }
          : perEvent !== undefined
            ? { [BID.type]: 'FIXED_BID', [BID.fixed]: perEvent }
            : row['bid_type'] === 'BID_TYPE_NO_BID'
              ? { [BID.type]: 'MAXIMIZE_SPEND' }
              : {};
    return { ...(amount === undefined ? {} : { [BID.amount]: amount }), ...strategy };
  },
  encode(unified, ctx) {
    const given = unified as Record<string, unknown>;
    const type = given[BID.type];
    const amount = bidAmount(given, ctx);
    const target = given[BID.roas];
    const refuse = (field: string, reason: string): never => {
      throw invalid({ ...ctx, field }, reason, { allowed: bid.allowed });
    };
    if (type !== undefined && !bid.allowed?.includes(type as string)) refuse(BID.type, 'is not known at TikTok');
    if (given[BID.goalType] !== undefined && given[BID.goalType] !== 'CPA')
      throw invalid({ ...ctx, field: BID.goalType }, 'can only be CPA at TikTok', { allowed: ['CPA'] });
    if (type === 'MAXIMIZE_SPEND') {
      if (amount !== undefined || target !== undefined) refuse(BID.type, 'MAXIMIZE_SPEND takes no amount');
      return { bid_type: 'BID_TYPE_NO_BID' };
    }
    if (target !== undefined) {
      if (type === 'FIXED_BID') refuse(BID.roas, 'needs the type PERFORMANCE_GOAL');
      return {
        bid_type: 'BID_TYPE_CUSTOM',
        roas_bid: roas.encode?.(target, { ...ctx, field: BID.roas }),
        deep_bid_type: 'VO_MIN_ROAS',
      };
    }
    if (amount === undefined) return refuse(BID.amount, 'is missing');
    const perAction = given[BID.goalAmount] !== undefined || type === 'PERFORMANCE_GOAL';
    const event = billingOf(ctx.unified);
    if (event !== undefined && type !== undefined && perAction !== billsActions(event))
      return refuse(BID.type, `does not go with TikTok’s billing by ${event}`);
    return priced(amount, perAction ? 'OCPM' : event);
  },
});

/** Whether a bid is a price per action. */
const billsActions = (billingEvent: unknown): boolean => billingEvent === 'OCPM' || billingEvent === 'OCPC';

/** A bid under the native name that its billing event wants. */
function priced(amount: unknown, billingEvent: unknown): Native {
  return {
    bid_type: 'BID_TYPE_CUSTOM',
    [billsActions(billingEvent) ? 'conversion_bid_price' : 'bid_price']: amount,
  };
}

/**
 * Moves the bid of an update under the name that the ad group's billing event wants, which only its row tells. A price
 * per action asked of an ad group that bills something else is refused.
 */
export function settleBid(native: Native, billingEvent: unknown): Native {
  const { bid_price: perEvent, conversion_bid_price: perAction, ...rest } = native;
  if (perAction !== undefined && !billsActions(billingEvent))
    throw invalid({ field: BID.goalAmount }, `does not go with TikTok’s billing by ${String(billingEvent)}`);
  const amount = perEvent ?? perAction;
  return amount === undefined ? native : { ...rest, ...priced(amount, billingEvent) };
}

/** Field rules of what is optimised, billed and bid. */
export const biddingFields: readonly FieldRule[] = [
  {
    unified: 'optimization_goal',
    native: 'optimization_goal',
    codec: goal,
    access: 'create',
    required: true,
  },
  {
    unified: 'billing_event',
    native: 'billing_event',
    codec: billing,
    access: 'create',
    note: 'Follows from the optimization goal when absent. IMPRESSIONS is OCPM except for REACH and IMPRESSIONS.',
  },
  {
    unified: Object.values(BID),
    native: BID_NATIVE,
    codec: bid,
    access: 'write',
    note: 'MAXIMIZE_SPEND (no bid), FIXED_BID (per click, view or mille), PERFORMANCE_GOAL (CPA or target ROAS).',
  },
];

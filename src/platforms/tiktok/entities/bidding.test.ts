import { describe, expect, it } from 'vitest';
import { compileFields } from '../../../core/connector/fields.ts';
import { biddingFields, billingFor, settleBid } from './bidding.ts';

const compiled = compileFields(biddingFields);
const encode = (unified: Record<string, unknown>) =>
  compiled.encode(
    { optimization_goal: 'LINK_CLICKS', ...unified },
    { currency: 'USD', unified: { optimization_goal: 'LINK_CLICKS', ...unified } },
    'create',
    'TikTok adgroup',
  );
const decode = (native: Record<string, unknown>) => compiled.decode(native, { currency: 'USD' });
const refuses = (unified: Record<string, unknown>) =>
  expect(() => encode(unified)).toThrow(expect.objectContaining({ code: 'input_value_invalid' }) as Error);

describe('bids', () => {
  it.each([
    [{ optimization_goal: 'REACH', billing_event: 'IMPRESSIONS' }, 'CPM'],
    [{ optimization_goal: 'CONVERSIONS', billing_event: 'IMPRESSIONS' }, 'OCPM'],
    [{ optimization_goal: 'LINK_CLICKS', billing_event: 'LINK_CLICKS' }, 'CPC'],
    [{ optimization_goal: 'VIDEO_VIEWS', billing_event: 'VIDEO_VIEWS' }, 'CPV'],
  ])('%j is billed by %s', (unified, event) => {
    expect(encode(unified)['billing_event']).toBe(event);
    expect(billingFor(unified.optimization_goal)).toBe(event);
  });

  it.each([
    [{ type: 'MAXIMIZE_SPEND' }, 'LINK_CLICKS', { bid_type: 'BID_TYPE_NO_BID' }],
    [{ type: 'FIXED_BID', fixed_bid_amount: 1.25 }, 'LINK_CLICKS', { bid_type: 'BID_TYPE_CUSTOM', bid_price: 1.25 }],
    [
      { type: 'PERFORMANCE_GOAL', performance_goal_type: 'CPA', performance_goal_amount: 9.99 },
      'CONVERSIONS',
      { bid_type: 'BID_TYPE_CUSTOM', conversion_bid_price: 9.99 },
    ],
    [
      { type: 'PERFORMANCE_GOAL', target_roas: 2.5 },
      'CONVERSIONS',
      { optimization_goal: 'VALUE', roas_bid: 2.5, deep_bid_type: 'VO_MIN_ROAS' },
    ],
  ])('%j reads back as it was written', (bid_strategy, optimization_goal, native) => {
    const written = {
      optimization_goal,
      billing_event: optimization_goal === 'CONVERSIONS' ? 'IMPRESSIONS' : 'LINK_CLICKS',
      bid_strategy,
    };
    const encoded = encode(written);
    expect(encoded).toMatchObject(native);
    expect(decode(encoded)).toMatchObject(written);
  });

  it('an amount alone goes where the billing wants it', () => {
    expect(encode({ bid_amount: 3 })).toMatchObject({ bid_price: 3 });
    expect(encode({ bid_amount: 3, optimization_goal: 'CONVERSIONS' })).toMatchObject({ conversion_bid_price: 3 });
  });

  it('zeros of TikTok are no bids', () => {
    expect(decode({ bid_type: 'BID_TYPE_NO_BID', bid_price: 0, conversion_bid_price: 0, roas_bid: 0 })).toEqual({
      bid_strategy: { type: 'MAXIMIZE_SPEND' },
    });
    expect(decode({ bid_type: null, bid_price: 0 })).toEqual({});
  });

  it('refuses what contradicts itself or TikTok', () => {
    refuses({ bid_amount: 1, bid_strategy: { type: 'FIXED_BID', fixed_bid_amount: 2 } });
    refuses({ bid_strategy: { type: 'MAXIMIZE_SPEND' }, bid_amount: 1 });
    refuses({ bid_strategy: { type: 'YOUTUBE_AND_PARTNERS' } });
    refuses({ bid_strategy: { type: 'FIXED_BID' } });
    refuses({ bid_strategy: { type: 'PERFORMANCE_GOAL', performance_goal_type: 'CPC', performance_goal_amount: 1 } });
    refuses({ bid_strategy: { type: 'PERFORMANCE_GOAL', performance_goal_type: 'CPA', performance_goal_amount: 1 } });
    refuses({ bid_strategy: { type: 'FIXED_BID', fixed_bid_amount: 1 }, optimization_goal: 'CONVERSIONS' });
    refuses({ bid_strategy: { type: 'FIXED_BID', target_roas: 2 } });
    refuses({ bid_amount: 0.001 });
    refuses({ bid_strategy: { type: 'PERFORMANCE_GOAL', target_roas: 5_000 } });
  });

  it('of an update go by the billing that the ad group has', () => {
    expect(settleBid({ bid_price: 2, pacing: 'x' }, 'OCPM')).toEqual({
      bid_type: 'BID_TYPE_CUSTOM',
      conversion_bid_price: 2,
      pacing: 'x',
    });
    expect(settleBid({ bid_price: 2 }, 'CPC')).toEqual({ bid_type: 'BID_TYPE_CUSTOM', bid_price: 2 });
    expect(settleBid({ bid_type: 'BID_TYPE_NO_BID' }, 'CPC')).toEqual({ bid_type: 'BID_TYPE_NO_BID' });
    expect(() => settleBid({ conversion_bid_price: 2 }, 'CPC')).toThrow(/billing by CPC/);
  });
});

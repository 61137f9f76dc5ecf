import { describe, expect, it } from 'vitest';
import { RetryBudgets } from './budget.ts';

describe('retry budget', () => {
  it('allows a hundred repetitions of a platform that only fails, half as many after time-outs', () => {
    const budgets = new RetryBudgets();
    const count = (key: string, timedOut: boolean): number => {
      let taken = 0;
      while (budgets.take(key, timedOut) > 0) taken += 1;
      return taken;
    };
    expect(count('acme/production', false)).toBe(100);
    expect(count('acme/sandbox', true)).toBe(50);
  });

  it('lasts for ever under one failure in ten, where repetitions work', () => {
    const budgets = new RetryBudgets();
    for (let call = 0; call < 10_000; call += 1) {
      const taken = call % 10 === 0 ? budgets.take('acme', false) : 0;
      if (call % 10 === 0) expect(taken).toBeGreaterThan(0);
      budgets.worked('acme', taken);
    }
    expect(budgets.report()).toEqual([{ key: 'acme', left: 500, capacity: 500 }]);
  });

  it('comes back by one token for each success', () => {
    const budgets = new RetryBudgets();
    while (budgets.take('acme', false) > 0);
    for (let call = 0; call < 4; call += 1) budgets.worked('acme', 0);
    expect(budgets.take('acme', false)).toBe(0);
    budgets.worked('acme', 0);
    expect(budgets.take('acme', false)).toBe(5);
  });
});

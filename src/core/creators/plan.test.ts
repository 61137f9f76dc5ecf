import { describe, expect, it } from 'vitest';
import { authorizationWarning, daysLeft, nextLook } from './plan.ts';

const DAY = 86_400_000;
const end = new Date('2026-12-31T12:00:00Z');
const early = (days: number): Date => new Date(end.getTime() - days * DAY);

describe('authorizationWarning', () => {
  const row = { ends_at: end, warned_end: null, warned_days: null };

  it.each([
    [15, undefined],
    [14, 14],
    [8, 14],
    [7, 7],
    [2, 7],
    [1, 1],
    [0.1, 1],
    [0, undefined],
    [-1, undefined],
  ])('%s days before the end: %s', (days, due) => {
    expect(authorizationWarning(row, early(days))).toBe(due);
  });

  it('warns once of each threshold, and again when the end has moved', () => {
    const warned = { ...row, warned_end: end, warned_days: 14 };
    expect(authorizationWarning(warned, early(10))).toBeUndefined();
    expect(authorizationWarning(warned, early(6))).toBe(7);
    expect(authorizationWarning({ ...warned, warned_end: early(3) }, early(10))).toBe(14);
  });

  it('has nothing to say of what has no end', () => {
    expect(authorizationWarning({ ...row, ends_at: null }, early(1))).toBeUndefined();
  });
});

describe('nextLook', () => {
  it('is a day on, sooner where a threshold or the end comes first, and never for what is over', () => {
    expect(nextLook('ACTIVE', end, early(20))).toEqual(early(19));
    expect(nextLook('ACTIVE', end, early(14.5))).toEqual(early(14));
    expect(nextLook('EXPIRING', end, early(0.5))).toEqual(end);
    expect(nextLook('ACTIVE', null, early(1))).toEqual(end);
    expect(nextLook('EXPIRED', end, early(-1))).toBeNull();
    expect(nextLook('WITHDRAWN', end, early(5))).toBeNull();
  });
});

it('counts the last day', () => {
  expect([daysLeft(end, early(1)), daysLeft(end, early(0.2)), daysLeft(end, early(-3))]).toEqual([1, 1, 0]);
});

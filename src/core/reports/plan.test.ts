import { describe, expect, it } from 'vitest';
import type { ReportSpec } from '../connector/report-spec.ts';
import { parseListQuery } from '../model/list-query.ts';
import { planReport } from './plan.ts';

const spec = {
  levels: ['organization'],
  defaultLevel: 'organization',
  metrics: { COST: { native: ['spend'], unit: 'currency', additive: true } },
  defaultMetrics: ['COST'],
  dimensions: {},
  maxDays: { daily: 30, total: 365 },
  provisionalDays: 0,
} as unknown as ReportSpec;

const days = (timeZone: string, start_gte: string, end_lt: string): string => {
  const query = parseListQuery('report', { start_gte, end_lt });
  const plan = planReport(spec, query, 'organization', { id: '1', timeZone }, new Date('2026-11-22T00:00:00Z'));
  return `${plan.startDate}..${plan.endDate}`;
};

describe('days of a report', () => {
  it.each(['Asia/Tokyo', 'UTC', 'America/Los_Angeles'])('are those that a caller wrote as dates, in %s', (zone) => {
    for (const [start, end] of [
      ['2026-10-20', '2026-10-23'],
      ['2026-10-20T00:00:00Z', '2026-10-23T00:00:00Z'],
      ['2026-10-20T00:00:00.000Z', '2026-10-22T23:59:59Z'],
      ['2026-10-20', '2026-10-22T23:59:59.999Z'],
    ] as const)
      expect([start, end, days(zone, start, end)]).toEqual([start, end, '2026-10-20..2026-10-22']);
  });

  it('are those of the account at any other instant', () => {
    expect(days('Asia/Tokyo', '2026-10-20T16:00:00Z', '2026-10-22T16:00:00Z')).toBe('2026-10-21..2026-10-23');
    expect(days('America/Los_Angeles', '2026-10-20T06:00:00Z', '2026-10-22T06:00:00Z')).toBe('2026-10-19..2026-10-21');
  });
});

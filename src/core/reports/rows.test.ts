import { readdirSync, readlinkSync } from 'node:fs';
import { platform } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DerivedRule, MetricRule, ReportRow } from '../connector/report-spec.ts';
import { sumDecimals } from '../model/decimal.ts';
import type { ReportPlan } from './plan.ts';
import { type CollectedRows, type EntityRecord, RowCollector, reporter } from './rows.ts';

const METRICS: Readonly<Record<string, MetricRule | DerivedRule>> = {
  COST: { native: ['spend'], unit: 'currency', additive: true },
  REACH: { native: ['reach'], unit: 'count', additive: false },
  CPC: { derive: 'ratio', numerator: 'COST', denominator: 'CLICKS', factor: 1, unit: 'currency' },
  CLICKS: { native: ['clicks'], unit: 'count', additive: true },
};

const plan = (daily: boolean): ReportPlan => ({
  level: 'ad',
  startDate: '2026-01-01',
  endDate: '2026-01-31',
  startAt: new Date('2026-01-01T00:00:00Z'),
  endAt: new Date('2026-02-01T00:00:00Z'),
  timeZone: 'UTC',
  metrics: Object.entries(METRICS).map(([name, rule]) => ({ name, rule })),
  nativeMetrics: ['spend', 'reach', 'clicks'],
  dimensions: daily ? [{ name: 'DATE', native: 'day' }] : [],
  windows: [],
  daily: false,
  provisionalFrom: '2026-03-01',
});

async function collect(rows: readonly ReportRow[], maxCells: number, daily = true): Promise<CollectedRows> {
  const collector = new RowCollector(plan(daily), METRICS, maxCells);
  for (const row of rows) await collector.add(row);
  return collector.finish();
}

const all = async (rows: CollectedRows, skip = 0): Promise<EntityRecord[]> =>
  Array.fromAsync(rows.records({ left: skip }));

/** Files without a name that this process has open. */
const spilled = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes('polyad-report-');
    } catch {
      return false;
    }
  }).length;

const row = fc.record({
  entityId: fc.integer({ min: 1, max: 40 }).map(String),
  day: fc.constantFrom('2026-01-01', '2026-01-02', '2026-01-03'),
  spend: fc.option(
    fc.tuple(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 0, max: 99 })).map(([a, b]) => `${a}.${b}`),
    { nil: undefined },
  ),
  clicks: fc.option(fc.integer({ min: 0, max: 9 }).map(String), { nil: undefined }),
});

describe('rows of a report', () => {
  it('add up the same in memory and through a temporary file, whatever order they come in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 200 }), fc.integer({ min: 1, max: 20 }), async (given, maxCells) => {
        const rows = given.map(
          ({ entityId, day, spend, clicks }): ReportRow => ({
            entityId,
            entityName: `Ad "${entityId}"\n`,
            dimensions: { day },
            metrics: { spend, clicks },
          }),
        );
        const [small, large] = [await collect(rows, Number.POSITIVE_INFINITY), await collect(rows, maxCells)];
        const toReport = reporter(plan(true), METRICS, { id: '7', currency: 'USD' }, true);
        const reports = async (found: CollectedRows) =>
          new Map((await all(found)).map((record) => [record.id, toReport(record)]));
        const sorted = (map: Map<string, unknown>) => [...map].sort(([a], [b]) => a.localeCompare(b));
        // Order of breakdown values follows the rows in both.
        expect(sorted(await reports(large))).toEqual(sorted(await reports(small)));
        const spend = rows.flatMap(({ metrics }) => (metrics['spend'] === undefined ? [] : [metrics['spend']]));
        const cells = (await all(large)).flatMap(({ cells }) => [...cells.values()]);
        expect(sumDecimals(cells.flatMap(([value]) => (typeof value === 'string' ? [value] : [])))).toBe(
          sumDecimals(spend),
        );
        await large.close();
      }),
      { numRuns: 60 },
    );
  });

  it('know no number that may not be summed and came twice, not even when it comes a third time', async () => {
    for (const maxCells of [1, 2, 100]) {
      const rows = await collect(
        ['5', '6', '7'].map((reach) => ({ entityId: 'a', dimensions: {}, metrics: { reach, spend: '0.1' } })),
        maxCells,
        false,
      );
      const [record] = await all(rows);
      expect(record?.cells.get('')).toEqual(['0.3', null, undefined]);
      await rows.close();
    }
  });

  it('are read in pages without reading what lies before', async () => {
    const rows = await collect(
      Array.from({ length: 500 }, (_, index) => ({ entityId: `e${index}`, dimensions: {}, metrics: { spend: '1' } })),
      50,
      false,
    );
    const whole = (await all(rows)).map(({ id }) => id);
    expect(new Set(whole).size).toBe(500);
    for (const offset of [0, 1, 123, 499, 500, 600])
      expect((await all(rows, offset)).map(({ id }) => id)).toEqual(whole.slice(offset));
    await rows.close();
  });

  it.runIf(platform() === 'linux')('leave no file behind, neither when read nor when given up', async () => {
    const before = spilled();
    const many = Array.from({ length: 100 }, (_, index) => ({
      entityId: String(index),
      dimensions: {},
      metrics: { spend: '1' },
    }));
    const kept = await collect(many, 10, false);
    const collector = new RowCollector(plan(false), METRICS, 10);
    for (const one of many) await collector.add(one);
    expect(spilled()).toBe(before + 2);
    await collector.discard();
    await kept.close();
    await kept.close();
    expect(spilled()).toBe(before);
  });
});

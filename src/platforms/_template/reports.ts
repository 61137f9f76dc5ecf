/** Acme's reports: metrics, breakdowns, limits, and how one window is read. Splitting and joining are the core's. */
import type { ReportRow, ReportSpec } from '../../core/connector/report-spec.ts';
import { API } from './manifest.ts';

interface Row {
  id: string;
  name?: string;
  day?: string;
  [metric: string]: string | number | undefined;
}

const LEVELS: Readonly<Record<string, string>> = { organization: 'account', campaign: 'campaign' };

/** Reports of Acme. Source: https://docs.acme.example/reports. */
export const report: ReportSpec = {
  levels: ['organization', 'campaign'],
  defaultLevel: 'campaign',
  metrics: {
    IMPRESSIONS: { native: ['impressions'], unit: 'count', additive: true },
    CLICKS: { native: ['clicks'], unit: 'count', additive: true },
    COST: { native: ['spend'], unit: 'currency', additive: true },
    // Not summed from days: computed from the sums.
    CTR: { derive: 'ratio', numerator: 'CLICKS', denominator: 'IMPRESSIONS', factor: 1, unit: 'ratio' },
  },
  defaultMetrics: ['IMPRESSIONS', 'CLICKS', 'COST'],
  dimensions: { DATE: { native: 'day' } },
  maxDays: { daily: 90, total: 90 },
  provisionalDays: 28,
  async *fetch(ctx, { organization, level, startDate, endDate, metrics, dimensions, campaignIds }) {
    const { json } = await ctx.request({
      method: 'GET',
      path: `${API}/accounts/${encodeURIComponent(organization.id)}/report`,
      operation: 'report',
      organizationId: organization.id,
      query: { level: LEVELS[level], from: startDate, to: endDate, metrics, by: dimensions, campaigns: campaignIds },
    });
    for (const row of (json as { items: Row[] }).items) {
      const out: ReportRow = {
        entityId: row.id,
        ...(row.name === undefined ? {} : { entityName: row.name }),
        dimensions: row.day === undefined ? {} : { day: row.day },
        // Decimal text as the platform wrote it; never a computed binary fraction.
        metrics: Object.fromEntries(
          metrics.map((name) => [name, row[name] === undefined ? undefined : String(row[name])]),
        ),
      };
      yield out;
    }
  },
};

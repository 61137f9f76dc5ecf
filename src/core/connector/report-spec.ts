/** Reports of a platform, as data and one fetch function. Planning, splitting, joining and deriving are the core's. */
import type { CallContext, Native, OrganizationFacts } from './types.ts';

export type ReportLevel = 'organization' | 'campaign' | 'group' | 'ad';

/** What a number is, so that readers need not guess. */
export type MetricUnit = 'currency' | 'count' | 'percent' | 'ratio' | 'seconds';

export interface MetricRule {
  /** Native metric(s) asked for; several are summed (legs of one number that come by channel). */
  native: readonly string[];
  unit: MetricUnit;
  /** May be summed over rows and windows. Ratios and distinct counts may not. */
  additive: boolean;
  note?: string;
}

/** A metric the platform does not give: computed by the core from others after all windows are joined. */
export interface DerivedRule {
  derive: 'ratio';
  /** Unified metric names. */
  numerator: string;
  denominator: string;
  /** 100 for percentages, 1000 for per-mille prices. */
  factor: number;
  unit: MetricUnit;
}

/** One fetch: a level, one window of account days, some native ids or all. */
export interface ReportFetch {
  organization: OrganizationFacts;
  level: ReportLevel;
  /** Account-local days, inclusive, `YYYY-MM-DD`. */
  startDate: string;
  endDate: string;
  /** Native metric names, without doubles. */
  metrics: readonly string[];
  /** Native dimension names of the breakdowns asked. */
  dimensions: readonly string[];
  /** Restrict to these objects. */
  campaignIds?: readonly string[];
  groupIds?: readonly string[];
  adIds?: readonly string[];
  /** Extra native query parameters of the caller (`raw=`). */
  raw: Native;
}

/** One native row in common terms. Values are decimal strings as the platform wrote them; absent = not applicable. */
export interface ReportRow {
  /** Id at the level; the organization's id at organization level. */
  entityId: string;
  entityName?: string;
  /** Native dimension -> value; days as `YYYY-MM-DD`. */
  dimensions: Record<string, string>;
  metrics: Record<string, string | undefined>;
}

export interface ReportSpec {
  levels: readonly ReportLevel[];
  /** Level when the caller names none: decided by the filter given, else this. */
  defaultLevel: ReportLevel;
  /** Unified metric -> rule. Metrics absent here are refused by name. */
  metrics: Readonly<Record<string, MetricRule | DerivedRule>>;
  /** Metrics when the caller names none. */
  defaultMetrics: readonly string[];
  /** Unified dimension (DATE, PLATFORM, ...) -> native dimension, and how a value reads. */
  dimensions: Readonly<Record<string, { native: string; value?(native: string): string }>>;
  /** Native attribute metrics that give the names, per level. */
  nameMetric?: Partial<Record<ReportLevel, string>>;
  /** Longest window in days with and without the DATE breakdown; longer ones are split and joined. */
  maxDays: { daily: number; total: number };
  /** Oldest day, counted back from today, for which data exists; absent = no limit known. */
  maxAgeDays?: number;
  /** Days after which numbers no longer change (attribution back-fill). */
  provisionalDays: number;
  /** Yields the rows of one window completely: paging, id caps and truncation are the platform's business. */
  fetch(ctx: CallContext, fetch: ReportFetch): AsyncIterable<ReportRow>;
  /** Reads a level from raw native parameters, for callers who know the platform's own words. */
  levelFromRaw?(raw: Native): ReportLevel | undefined;
}

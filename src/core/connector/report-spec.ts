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

/** How far a task is. `failed` and `canceled` are for good: it gives no rows any more. */
export interface ReportTaskState {
  state: 'waiting' | 'running' | 'done' | 'failed' | 'canceled';
  /** What the platform says of it. */
  message?: string;
}

/**
 * Reports that the platform makes by itself and hands over as a whole: no pages, no cut. Platforms create, look and
 * download; the core decides when a task pays, waits for it, and reads by `fetch` where tasks are not to be had.
 */
export interface ReportTasks {
  /** Rows from which a task is worth its wait; below, calls are done sooner. */
  fromRows: number;
  /** Whether the platform makes tasks of such a fetch at all. */
  suits(fetch: ReportFetch): boolean;
  /**
   * Begins a task and answers its id.
   *
   * @throws PolyadError `platform_feature_restricted` where the app, `permission_missing` where the grant may not: the
   *   core reads by `fetch` then and remembers it.
   */
  create(ctx: CallContext, fetch: ReportFetch): Promise<string>;
  check(ctx: CallContext, fetch: ReportFetch, taskId: string): Promise<ReportTaskState>;
  /** Rows of a task that is done, read as a stream. */
  rows(ctx: CallContext, fetch: ReportFetch, taskId: string): AsyncIterable<ReportRow>;
  /** Best effort: what has ended cannot be canceled. */
  cancel(ctx: CallContext, fetch: ReportFetch, taskId: string): Promise<void>;
  /** A task that `create` began is over, however it ended: gives back its place among the tasks in progress. */
  ended(ctx: CallContext, fetch: ReportFetch): Promise<void>;
  /**
   * Additive native metric by whose sum a task over a whole ad account is held against the account's own number: tasks of
   * some platforms leave objects out that calls include.
   */
  checkMetric?: string;
  /** Rows of the objects that tasks leave out, read by calls: asked for where `checkMetric` says that some are missing. */
  rest?(ctx: CallContext, fetch: ReportFetch): AsyncIterable<ReportRow>;
}

/** A breakdown. */
export interface DimensionRule {
  native: string;
  /** How a native value reads; default as it is. */
  value?(native: string): string;
  /** What is worth knowing of it. */
  note?: string;
}

export interface ReportSpec {
  levels: readonly ReportLevel[];
  /** Level when the caller names none: decided by the filter given, else this. */
  defaultLevel: ReportLevel;
  /** Native dimension that holds the id of a row at each level, for `raw`. */
  idNames?: Readonly<Partial<Record<ReportLevel, string>>>;
  /** Unified metric -> rule. Metrics absent here are refused by name. */
  metrics: Readonly<Record<string, MetricRule | DerivedRule>>;
  /** Metrics when the caller names none. */
  defaultMetrics: readonly string[];
  /** Unified dimension (DATE, PLATFORM, ...) -> native dimension, and how a value reads. */
  dimensions: Readonly<Record<string, DimensionRule>>;
  /** Native attribute metrics that give the names, per level. */
  nameMetric?: Partial<Record<ReportLevel, string>>;
  /** Longest window in days with the DATE breakdown, without it, and by HOUR; longer ones are split and joined. */
  maxDays: { daily: number; total: number; hourly?: number };
  /** Oldest day, counted back from today, for which data exists; absent = no limit known. */
  maxAgeDays?: number;
  /** Days after which numbers no longer change (attribution back-fill). */
  provisionalDays: number;
  /** Yields the rows of one window completely: paging, id caps and truncation are the platform's business. */
  fetch(ctx: CallContext, fetch: ReportFetch): AsyncIterable<ReportRow>;
  /** Reports made as tasks; absent = the platform has none. */
  tasks?: ReportTasks;
  /** About how many objects a fetch covers, cheaply: what the planner goes by. */
  objects?(ctx: CallContext, fetch: ReportFetch): Promise<number>;
  /** Reads a level from raw native parameters, for callers who know the platform's own words. */
  levelFromRaw?(raw: Native): ReportLevel | undefined;
}

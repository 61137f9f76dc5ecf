/** Report planning: which level, which account days, which native metrics, which windows. Nothing is sent here. */
import type { ListFilters } from '../connector/object-spec.ts';
import type { DerivedRule, MetricRule, ReportLevel, ReportSpec } from '../connector/report-spec.ts';
import type { Native, OrganizationFacts } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { DateBound, ListQuery } from '../model/list-query.ts';
import { addDays, daysBetween } from '../model/time.ts';
import { dayBounds, localDate } from '../model/zone.ts';

/** Days of a report when no start is given: the last thirty, today included. */
const DEFAULT_DAYS = 30;

export interface PlannedMetric {
  /** Unified name. */
  name: string;
  rule: MetricRule | DerivedRule;
}

export interface PlannedDimension {
  /** Unified name. */
  name: string;
  native: string;
  value?(native: string): string;
}

export interface ReportPlan {
  level: ReportLevel;
  /** Account-local days, inclusive. */
  startDate: string;
  endDate: string;
  /** The same as instants: start of the first day, end of the last. */
  startAt: Date;
  endAt: Date;
  timeZone: string;
  /** What the caller asked for, in that order. */
  metrics: readonly PlannedMetric[];
  /** Native metrics to fetch, without doubles: for the metrics asked and for what derived ones need. */
  nativeMetrics: readonly string[];
  /** Unified dimension names in the order asked, with their native names. */
  dimensions: readonly PlannedDimension[];
  /** Rows are told apart by day or hour, so that those of different windows never meet. */
  daily: boolean;
  windows: readonly { startDate: string; endDate: string }[];
  /** First day whose numbers may still change. */
  provisionalFrom: string;
  /** Native dimension that holds the id of a row, where the platform has one. */
  idName?: string;
}

const isDerived = (rule: MetricRule | DerivedRule): rule is DerivedRule => 'derive' in rule;

/** Level asked for, or the one that the filters name. */
export function reportLevel(
  spec: ReportSpec,
  filters: ListFilters,
  asked: ReportLevel | undefined,
  raw: Native,
): ReportLevel {
  const level =
    asked ??
    spec.levelFromRaw?.(raw) ??
    (filters.ad_id !== undefined
      ? 'ad'
      : filters.group_id !== undefined
        ? 'group'
        : filters.campaign_id !== undefined
          ? 'campaign'
          : spec.defaultLevel);
  if (!spec.levels.includes(level))
    throw new PolyadError('input_value_unsupported', {
      message: `Reports of this platform have no level \`${level}\`.`,
      details: { field: 'level', allowed: spec.levels },
    });
  return level;
}

const DAY = 86_400_000;

/**
 * The account day that a bound names. A date alone, and midnight in UTC (how clients write a date as an instant), are that
 * calendar day in the account's zone, and so is an end in the last second of a UTC day (how they write the end of a date);
 * any other instant is the account's day at that instant.
 */
function boundDay(bound: DateBound, zone: string, end: boolean): string {
  const ms = Date.parse(bound.iso);
  const calendar = bound.date ?? (ms % DAY === 0 ? bound.iso.slice(0, 10) : undefined);
  if (calendar !== undefined) return end ? addDays(calendar, -1) : calendar;
  if (end && DAY - (ms % DAY) <= 1_000) return bound.iso.slice(0, 10);
  return localDate(zone, end ? ms - 1 : ms);
}

export function planReport(
  spec: ReportSpec,
  query: ListQuery,
  level: ReportLevel,
  organization: OrganizationFacts,
  now: Date,
): ReportPlan {
  const timeZone = organization.timeZone ?? 'UTC';
  const today = localDate(timeZone, now.getTime());
  const endDate = query.end === undefined ? today : boundDay(query.end, timeZone, true);
  const startDate =
    query.start === undefined ? addDays(endDate, 1 - DEFAULT_DAYS) : boundDay(query.start, timeZone, false);
  if (startDate > endDate)
    throw new PolyadError('input_invalid', {
      message: `The report’s window is empty: it begins on ${startDate} and ends before ${addDays(endDate, 1)}.`,
      details: { issues: [{ path: 'end_lt', reason: 'must be after start_gte' }] },
    });
  const names = query.metrics.length > 0 ? query.metrics : spec.defaultMetrics;
  const metrics = names.map((name) => ({ name, rule: metricRule(spec, name) }));
  const native = new Set<string>();
  const need = (rule: MetricRule | DerivedRule): void => {
    if (isDerived(rule)) for (const part of [rule.numerator, rule.denominator]) need(metricRule(spec, part));
    else for (const one of rule.native) native.add(one);
  };
  for (const { rule } of metrics) need(rule);
  const dimensions = query.dimensions.map((name) => {
    const rule = spec.dimensions[name];
    if (rule === undefined)
      throw new PolyadError('input_value_unsupported', {
        message: `Reports of this platform cannot be broken down by \`${name}\`.`,
        details: { field: 'dimension', value: name, allowed: Object.keys(spec.dimensions) },
      });
    return { name, ...rule };
  });
  const hourly = query.dimensions.includes('HOUR');
  // By hour is by day: where both are asked, the day is read from the hour.
  const daily = hourly || query.dimensions.includes('DATE');
  const longest = hourly ? (spec.maxDays.hourly ?? 1) : daily ? spec.maxDays.daily : spec.maxDays.total;
  const windows = splitDays(startDate, endDate, longest);
  if (windows.length > 1 && !daily) {
    const stuck = metrics.filter(({ rule }) => !isDerived(rule) && !rule.additive).map(({ name }) => name);
    if (stuck.length > 0)
      throw new PolyadError('input_value_unsupported', {
        message: `${stuck.join(', ')} cannot be added up, and the platform reports at most ${spec.maxDays.total} days at once. Shorten the window, or add dimension=DATE.`,
        details: { field: 'type', metrics: stuck, max_days: spec.maxDays.total },
      });
  }
  const idName = spec.idNames?.[level];
  return {
    level,
    startDate,
    endDate,
    startAt: new Date(dayBounds(timeZone, startDate).start),
    endAt: new Date(dayBounds(timeZone, endDate).end),
    timeZone,
    metrics,
    nativeMetrics: [...native],
    dimensions,
    daily,
    windows,
    provisionalFrom: addDays(today, -spec.provisionalDays),
    ...(idName === undefined ? {} : { idName }),
  };
}

function metricRule(spec: ReportSpec, name: string): MetricRule | DerivedRule {
  const rule = spec.metrics[name];
  if (rule === undefined)
    throw new PolyadError('input_value_unsupported', {
      message: `This platform does not report \`${name}\`.`,
      details: { field: 'type', value: name, allowed: Object.keys(spec.metrics) },
    });
  return rule;
}

/** Windows of at most `maxDays` days that cover the days exactly, oldest first. */
export function splitDays(
  startDate: string,
  endDate: string,
  maxDays: number,
): { startDate: string; endDate: string }[] {
  const windows: { startDate: string; endDate: string }[] = [];
  for (let start = startDate; start <= endDate; start = addDays(start, maxDays)) {
    const last = addDays(start, maxDays - 1);
    windows.push({ startDate: start, endDate: daysBetween(last, endDate) < 0 ? endDate : last });
  }
  return windows;
}

/** Collects native rows of all windows into one record per entity, and turns records into wire reports. */
import type { DerivedRule, MetricRule, ReportRow } from '../connector/report-spec.ts';
import type { OrganizationFacts } from '../connector/types.ts';
import {
  addDecimals,
  compareDecimals,
  decimalToNumber,
  divideDecimals,
  multiplyDecimals,
  parseDecimal,
} from '../model/decimal.ts';
import type { PlannedMetric, ReportPlan } from './plan.ts';

/** Digits after the point of computed ratios. */
const RATIO_SCALE = 6;

/** Numbers of one entity under one combination of breakdown values: by position in `plan.nativeMetrics`. */
type Cell = (string | undefined)[];

export interface EntityRecord {
  id: string;
  name?: string;
  /** Breakdown values joined by a NUL -> numbers. */
  cells: Map<string, Cell>;
}

const SEPARATOR = '\u0000';

/** Whether one native metric may be summed when rows of the same cell meet. */
function additivity(plan: ReportPlan, spec: Readonly<Record<string, MetricRule | DerivedRule>>): boolean[] {
  const additive = new Map<string, boolean>();
  for (const rule of Object.values(spec))
    if ('native' in rule) for (const native of rule.native) additive.set(native, rule.additive);
  return plan.nativeMetrics.map((native) => additive.get(native) ?? true);
}

export class RowCollector {
  readonly records = new Map<string, EntityRecord>();
  readonly #plan: ReportPlan;
  readonly #additive: boolean[];

  constructor(plan: ReportPlan, metrics: Readonly<Record<string, MetricRule | DerivedRule>>) {
    this.#plan = plan;
    this.#additive = additivity(plan, metrics);
  }

  add(row: ReportRow): void {
    let record = this.records.get(row.entityId);
    if (record === undefined) {
      record = { id: row.entityId, cells: new Map() };
      this.records.set(row.entityId, record);
    }
    if (row.entityName !== undefined && row.entityName !== '') record.name = row.entityName;
    const { dimensions, nativeMetrics } = this.#plan;
    const key = dimensions.map(({ native }) => row.dimensions[native] ?? '').join(SEPARATOR);
    const cell = record.cells.get(key);
    const values = nativeMetrics.map((native) => {
      const value = row.metrics[native];
      return value === undefined ? undefined : parseDecimal(value);
    });
    if (cell === undefined) {
      record.cells.set(key, values);
      return;
    }
    for (const [index, value] of values.entries()) {
      const before = cell[index];
      if (value === undefined) continue;
      // A number that may not be summed and comes twice is no longer known.
      cell[index] = before === undefined ? value : this.#additive[index] ? addDecimals(before, value) : undefined;
    }
  }
}

/** Reads one metric of one cell as an exact decimal; undefined = the platform gave no number. */
function evaluate(
  rule: MetricRule | DerivedRule,
  cell: Cell,
  index: ReadonlyMap<string, number>,
  metrics: Readonly<Record<string, MetricRule | DerivedRule>>,
): string | undefined {
  if ('native' in rule) {
    let sum: string | undefined;
    for (const native of rule.native) {
      const value = cell[index.get(native) as number];
      if (value !== undefined) sum = sum === undefined ? value : addDecimals(sum, value);
    }
    return sum;
  }
  const numerator = evaluate(metrics[rule.numerator] as MetricRule, cell, index, metrics);
  const denominator = evaluate(metrics[rule.denominator] as MetricRule, cell, index, metrics);
  if (numerator === undefined || denominator === undefined || compareDecimals(denominator, '0') === 0) return undefined;
  return divideDecimals(multiplyDecimals(numerator, String(rule.factor)), denominator, { scale: RATIO_SCALE });
}

/** Wire reports of the collected records, made one by one as they are asked for. */
export function* toReports(
  records: Iterable<EntityRecord>,
  plan: ReportPlan,
  metrics: Readonly<Record<string, MetricRule | DerivedRule>>,
  organization: OrganizationFacts,
  withRaw: boolean,
): Generator<Record<string, unknown>, void, undefined> {
  const index = new Map(plan.nativeMetrics.map((native, position) => [native, position]));
  const startAt = plan.startAt.toISOString();
  const endAt = plan.endAt.toISOString();
  const describe = describers(plan.metrics, organization);
  for (const record of records) {
    const entity =
      plan.level === 'organization'
        ? {}
        : { [plan.level]: { id: record.id, ...(record.name === undefined ? {} : { name: record.name }) } };
    const out: Record<string, unknown>[] = [];
    const native: Record<string, unknown>[] = [];
    for (const [key, cell] of record.cells) {
      const values = plan.dimensions.length === 0 ? [] : key.split(SEPARATOR);
      const breakdown =
        values.length === 0
          ? {}
          : {
              dimension: plan.dimensions.map(({ name }) => name).join(','),
              dimension_value: plan.dimensions
                .map(({ value }, at) => value?.(values[at] as string) ?? values[at])
                .join(','),
            };
      for (const [at, { name, rule }] of plan.metrics.entries()) {
        const value = evaluate(rule, cell, index, metrics);
        if (value !== undefined)
          out.push({ type: name, value: decimalToNumber(value), ...entity, ...breakdown, ...describe[at] });
      }
      if (withRaw)
        native.push({
          dimensions: Object.fromEntries(plan.dimensions.map((dimension, at) => [dimension.native, values[at]])),
          metrics: Object.fromEntries(plan.nativeMetrics.map((metric, at) => [metric, cell[at] ?? null])),
        });
    }
    yield {
      id: `${plan.level}_${record.id}_${plan.startDate}_${plan.endDate}`,
      organization_id: organization.id,
      ...(organization.currency === undefined ? {} : { currency: organization.currency }),
      start_at: startAt,
      end_at: endAt,
      level: plan.level,
      time_zone: plan.timeZone,
      ...(plan.provisionalFrom <= plan.endDate ? { provisional_from: plan.provisionalFrom } : {}),
      metrics: out,
      ...(withRaw ? { raw: { rows: native } } : {}),
    };
  }
}

/** What each metric says of itself: unit, currency, whether we computed it, native names. */
function describers(metrics: readonly PlannedMetric[], organization: OrganizationFacts): Record<string, unknown>[] {
  return metrics.map(({ rule }) => ({
    unit: rule.unit,
    ...(rule.unit === 'currency' && organization.currency !== undefined ? { currency: organization.currency } : {}),
    ...('native' in rule ? { native: [...rule.native] } : { computed: true }),
  }));
}

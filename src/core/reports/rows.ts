/** Collects native rows of all windows into one record per entity, and turns records into wire reports. */

import { breathe } from '../breathe.ts';
import type { DerivedRule, MetricRule, ReportRow } from '../connector/report-spec.ts';
import type { OrganizationFacts } from '../connector/types.ts';
import { addDecimals, compareDecimals, divideDecimals, multiplyDecimals, parseDecimal } from '../model/decimal.ts';
import type { PlannedMetric, ReportPlan } from './plan.ts';
import { Spill } from './spill.ts';

/** Digits after the point of computed ratios. */
const RATIO_SCALE = 6;

/** null = came twice and may not be summed, so it is not known; undefined = the platform gave no number. */
type Value = string | null | undefined;
/** Numbers of one entity under one combination of breakdown values: by position in `plan.nativeMetrics`. */
export type Cell = Value[];

export interface EntityRecord {
  id: string;
  name?: string;
  /** Breakdown values joined by a NUL -> numbers. */
  cells: Map<string, Cell>;
}

/** Stands between the breakdown values of a cell's key. */
export const SEPARATOR = '\u0000';
/** Lines read back between two looks at the clock. */
const STRIDE = 100;

/** Whether each native metric may be summed when rows of the same cell meet. */
function additivity(plan: ReportPlan, spec: Readonly<Record<string, MetricRule | DerivedRule>>): boolean[] {
  const additive = new Map<string, boolean>();
  for (const rule of Object.values(spec))
    if ('native' in rule) for (const native of rule.native) additive.set(native, rule.additive);
  return plan.nativeMetrics.map((native) => additive.get(native) ?? true);
}

/** Records that grow by cells. */
class Records {
  readonly all = new Map<string, EntityRecord>();
  readonly #additive: readonly boolean[];
  /** Cells of all records together: what the memory goes by. */
  cells = 0;

  constructor(additive: readonly boolean[]) {
    this.#additive = additive;
  }

  add(id: string, name: string | undefined, key: string, values: Cell): void {
    let record = this.all.get(id);
    if (record === undefined) {
      record = { id, cells: new Map() };
      this.all.set(id, record);
    }
    if (name !== undefined && name !== '') record.name = name;
    const cell = record.cells.get(key);
    if (cell === undefined) {
      record.cells.set(key, values);
      this.cells += 1;
      return;
    }
    for (const [index, value] of values.entries()) {
      const before = cell[index];
      if (value === undefined || before === null) continue;
      if (before === undefined) cell[index] = value;
      else cell[index] = this.#additive[index] && value !== null ? addDecimals(before, value) : null;
    }
  }

  clear(): void {
    this.all.clear();
    this.cells = 0;
  }
}

/** A cell as one line: `0` stands for what the platform gave no number for. */
const lineOf = (record: EntityRecord, key: string, cell: Cell): string =>
  JSON.stringify([record.id, record.name ?? 0, key, ...cell.map((value) => (value === undefined ? 0 : value))]);

/**
 * Collects native rows in any order. Beyond `maxCells` it writes what it has to a temporary file and goes on with empty
 * hands, so that a report of any size takes the same memory.
 */
export class RowCollector {
  readonly #plan: ReportPlan;
  readonly #records: Records;
  readonly #additive: readonly boolean[];
  readonly #maxCells: number;
  #spill: Spill | undefined;

  constructor(plan: ReportPlan, metrics: Readonly<Record<string, MetricRule | DerivedRule>>, maxCells: number) {
    this.#plan = plan;
    this.#additive = additivity(plan, metrics);
    this.#records = new Records(this.#additive);
    this.#maxCells = maxCells;
  }

  /** Takes a row; a promise when the next one has to wait. */
  add(row: ReportRow): Promise<void> | undefined {
    const { dimensions, nativeMetrics } = this.#plan;
    const key = dimensions.map(({ native }) => row.dimensions[native] ?? '').join(SEPARATOR);
    const values = nativeMetrics.map((native) => {
      const value = row.metrics[native];
      return value === undefined ? undefined : parseDecimal(value);
    });
    this.#records.add(row.entityId, row.entityName, key, values);
    return this.#records.cells < this.#maxCells ? undefined : this.#empty();
  }

  async #empty(): Promise<void> {
    this.#spill ??= await Spill.open();
    let count = 0;
    for (const record of this.#records.all.values())
      for (const [key, cell] of record.cells) {
        await this.#spill.add(record.id, lineOf(record, key, cell));
        count += 1;
        if (count % STRIDE === 0) await breathe();
      }
    this.#records.clear();
  }

  /** All rows have come. */
  async finish(): Promise<CollectedRows> {
    if (this.#spill === undefined) return new CollectedRows([...this.#records.all.values()]);
    await this.#empty();
    return new CollectedRows([], this.#spill, this.#additive);
  }

  /** Gives up: nothing is kept. */
  async discard(): Promise<void> {
    this.#records.clear();
    await this.#spill?.close();
  }
}

/** The records of a report: in memory, or part by part from a temporary file. Can be read more than once. */
export class CollectedRows {
  readonly #small: readonly EntityRecord[];
  readonly #spill: Spill | undefined;
  readonly #additive: readonly boolean[];
  /** Records in each part, once it has been read: a later page need not read the parts before it. */
  readonly #counts: number[] = [];

  constructor(small: readonly EntityRecord[], spill?: Spill, additive: readonly boolean[] = []) {
    this.#small = small;
    this.#spill = spill;
    this.#additive = additive;
  }

  /**
   * Records after the first `skip.left`, which it counts down. Small reports come in the order in which the entities first
   * came, others in an order that is arbitrary but always the same.
   */
  async *records(skip: { left: number }): AsyncGenerator<EntityRecord, void, undefined> {
    const spill = this.#spill;
    if (spill === undefined) {
      yield* after(this.#small, skip);
      return;
    }
    for (let part = 0; part < spill.parts; part += 1) {
      const count = this.#counts[part];
      if (count !== undefined && count <= skip.left) {
        skip.left -= count;
        continue;
      }
      const records = await this.#join(await spill.lines(part));
      this.#counts[part] = records.size;
      yield* after([...records.values()], skip);
    }
  }

  async #join(lines: readonly string[]): Promise<ReadonlyMap<string, EntityRecord>> {
    const records = new Records(this.#additive);
    for (const [at, line] of lines.entries()) {
      const [id, name, key, ...values] = JSON.parse(line) as [string, string | 0, string, ...(string | null | 0)[]];
      records.add(
        id,
        name === 0 ? undefined : name,
        key,
        values.map((value) => (value === 0 ? undefined : value)),
      );
      if (at % STRIDE === 0) await breathe();
    }
    return records.all;
  }

  async close(): Promise<void> {
    await this.#spill?.close();
  }
}

function* after(records: readonly EntityRecord[], skip: { left: number }): Generator<EntityRecord, void, undefined> {
  const from = Math.min(skip.left, records.length);
  skip.left -= from;
  for (let at = from; at < records.length; at += 1) yield records[at] as EntityRecord;
}

/** Reads one metric of one cell as an exact decimal; undefined = the platform gave no number. */
export function evaluate(
  rule: MetricRule | DerivedRule,
  cell: Cell,
  index: ReadonlyMap<string, number>,
  metrics: Readonly<Record<string, MetricRule | DerivedRule>>,
): string | undefined {
  if ('native' in rule) {
    if (rule.native.length === 1) return cell[index.get(rule.native[0] as string) as number] ?? undefined;
    let sum: string | undefined;
    for (const native of rule.native) {
      const value = cell[index.get(native) as number];
      if (value !== undefined && value !== null) sum = sum === undefined ? value : addDecimals(sum, value);
    }
    return sum;
  }
  const numerator = evaluate(metrics[rule.numerator] as MetricRule, cell, index, metrics);
  const denominator = evaluate(metrics[rule.denominator] as MetricRule, cell, index, metrics);
  if (numerator === undefined || denominator === undefined || compareDecimals(denominator, '0') === 0) return undefined;
  return divideDecimals(multiplyDecimals(numerator, String(rule.factor)), denominator, { scale: RATIO_SCALE });
}

/** Makes wire reports of records, each member in its wire form. What all reports of one plan have in common is worked out once. */
export function reporter(
  plan: ReportPlan,
  metrics: Readonly<Record<string, MetricRule | DerivedRule>>,
  organization: OrganizationFacts,
  withRaw: boolean,
): (record: EntityRecord) => Record<string, unknown> {
  const index = new Map(plan.nativeMetrics.map((native, position) => [native, position]));
  const startAt = plan.startAt.toISOString();
  const endAt = plan.endAt.toISOString();
  const describe = describers(plan.metrics, organization);
  const dimension = plan.dimensions.map(({ name }) => name).join(',');
  const dayAt = plan.dimensions.findIndex(({ name }) => name === 'DATE' || name === 'HOUR');
  return (record) => {
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
              dimension,
              dimension_value: plan.dimensions
                .map(({ value }, at) => value?.(values[at] as string) ?? values[at])
                .join(','),
              ...((values[dayAt] ?? '').slice(0, 10) >= plan.provisionalFrom ? { final: false } : {}),
            };
      for (const [at, { name, rule }] of plan.metrics.entries()) {
        const value = evaluate(rule, cell, index, metrics);
        // Canonical text, so the nearest double needs no further check.
        if (value !== undefined)
          out.push({ type: name, value: Number(value), ...entity, ...breakdown, ...describe[at] });
      }
      if (withRaw)
        native.push({
          dimensions: {
            ...(plan.idName === undefined ? {} : { [plan.idName]: record.id }),
            ...Object.fromEntries(plan.dimensions.map((one, at) => [one.native, values[at]])),
          },
          metrics: Object.fromEntries(plan.nativeMetrics.map((metric, at) => [metric, cell[at] ?? null])),
        });
    }
    return {
      id: `${plan.level}_${record.id}_${plan.startDate}_${plan.endDate}`,
      organization_id: organization.id,
      ...(organization.currency === undefined ? {} : { currency: organization.currency }),
      start_at: startAt,
      end_at: endAt,
      level: plan.level,
      time_zone: plan.timeZone,
      ...(plan.provisionalFrom <= plan.endDate
        ? { provisional_from: plan.provisionalFrom, final: false }
        : { final: true }),
      metrics: out,
      ...(withRaw ? { raw: { rows: native } } : {}),
    };
  };
}

/** What each metric says of itself: unit, currency, whether we computed it, native names. */
function describers(metrics: readonly PlannedMetric[], organization: OrganizationFacts): Record<string, unknown>[] {
  return metrics.map(({ rule }) => ({
    unit: rule.unit,
    ...(rule.unit === 'currency' && organization.currency !== undefined ? { currency: organization.currency } : {}),
    ...('native' in rule ? { native: [...rule.native] } : { computed: true }),
  }));
}

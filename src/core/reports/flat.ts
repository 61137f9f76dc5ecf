/** Reports as a table: one line per object and combination of breakdown values, one column per number. */
import type { DerivedRule, MetricRule, MetricUnit } from '../connector/report-spec.ts';
import type { OrganizationFacts } from '../connector/types.ts';
import type { ReportPlan } from './plan.ts';
import { type EntityRecord, evaluate, SEPARATOR } from './rows.ts';

/** What a column holds. `number`: a decimal as text. */
export interface Column {
  name: string;
  kind: 'text' | 'date' | 'number' | 'boolean';
  /** Of numbers. */
  unit?: MetricUnit;
}

/** A value of a line; undefined = none. */
export type Field = string | boolean | undefined;

/** The columns of every line of one report. */
export function columnsOf({ level, dimensions, metrics }: ReportPlan): Column[] {
  const text = (name: string): Column => ({ name, kind: 'text' });
  return [
    text('organization_id'),
    text('organization_name'),
    text('currency'),
    text('time_zone'),
    text('level'),
    ...(level === 'organization' ? [] : [text(`${level}_id`), text(`${level}_name`)]),
    { name: 'start_date', kind: 'date' },
    { name: 'end_date', kind: 'date' },
    ...dimensions.map(({ name }): Column => ({ name: name.toLowerCase(), kind: name === 'DATE' ? 'date' : 'text' })),
    ...metrics.map(({ name, rule }): Column => ({ name: name.toLowerCase(), kind: 'number', unit: rule.unit })),
    { name: 'final', kind: 'boolean' },
  ];
}

/** Makes lines of records. `start_date` and `end_date` are the days that the numbers of the line are about. */
export function flattener(
  plan: ReportPlan,
  metrics: Readonly<Record<string, MetricRule | DerivedRule>>,
  organization: OrganizationFacts,
): (record: EntityRecord) => Generator<Field[]> {
  const index = new Map(plan.nativeMetrics.map((native, position) => [native, position]));
  const dayAt = plan.dimensions.findIndex(({ name }) => name === 'DATE' || name === 'HOUR');
  const account = [organization.id, organization.name, organization.currency, plan.timeZone, plan.level];
  return function* (record) {
    const entity = plan.level === 'organization' ? [] : [record.id, record.name];
    for (const [key, cell] of record.cells) {
      const values = plan.dimensions.length === 0 ? [] : key.split(SEPARATOR);
      const day = dayAt < 0 ? undefined : (values[dayAt] as string).slice(0, 10);
      yield [
        ...account,
        ...entity,
        day ?? plan.startDate,
        day ?? plan.endDate,
        ...plan.dimensions.map(({ value }, at) => value?.(values[at] as string) ?? values[at]),
        ...plan.metrics.map(({ rule }) => evaluate(rule, cell, index, metrics)),
        (day ?? plan.endDate) < plan.provisionalFrom,
      ];
    }
  };
}

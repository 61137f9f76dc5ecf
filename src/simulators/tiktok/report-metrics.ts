/**
 * From measures to TikTok's metrics. All values leave as text: counts as whole numbers, money with the currency's
 * decimals, ratios with two, percentages as `1.18` for 1.18 %, `-` where a metric does not apply.
 * Facts: TikTok docs 1740302848100353, 1751087777884161.
 */
import { MEASURES, type Measure, measureIndex, reachOf, withParents } from '../kit/delivery.ts';
import type { Run } from './ledger.ts';
import { type MetricRow, REPORT_METRICS } from './report-metrics-table.ts';

/** Stands where a metric does not apply. */
export const NOT_APPLICABLE = '-';

const ROWS: ReadonlyMap<string, MetricRow> = new Map(REPORT_METRICS.map((row) => [row[0], row]));

/** Is this the name of a metric? */
export const isMetric = (name: string): boolean => ROWS.has(name);

/** Is it a property of the row's object rather than a number? */
export const isAttribute = (name: string): boolean => ROWS.get(name)?.[1] === 'attribute';

/** Only known per advertiser and day (TikTok docs 1751087777884161: cash_spend, voucher_spend). */
export const isCash = (name: string): boolean => ROWS.get(name)?.[1] === 'cash';

/** All clicks: those to the destination and the social ones. */
const ENGAGEMENTS: readonly Measure[] = [
  'clicks',
  'likes',
  'comments',
  'shares',
  'follows',
  'profile_visits',
  'music_clicks',
];

type Take = (run: Run, part: Float64Array) => number;

/** How a source is read, and the measures it needs. */
function readSource(source: string): { take: Take; needs: readonly number[] } {
  const [channel, measure] = source.split('.') as [string, string];
  if (measure === 'conversion') {
    return {
      take: (run, part) => (run.goal.conversion < 0 ? 0 : part[run.goal.conversion]!),
      needs: MEASURES.map((_, i) => i),
    };
  }
  if (measure === 'result') {
    return { take: (run, part) => part[run.goal.result]!, needs: MEASURES.map((_, i) => i) };
  }
  if (measure === 'engagements') {
    const parts = ENGAGEMENTS.map(measureIndex);
    return { take: (_run, part) => parts.reduce((sum, i) => sum + part[i]!, 0), needs: parts };
  }
  const index = measureIndex(measure as Measure);
  if (channel === 'any') return { take: (_run, part) => part[index]!, needs: [index] };
  return { take: (run, part) => (run.goal.channel === channel ? part[index]! : 0), needs: [index] };
}

/** How money is written. */
export interface MoneyFormat {
  /** Decimals of the currency, which is how many digits a minor unit stands behind the point. */
  digits: number;
  /** Under `advertiser_ids` money has no decimals. */
  whole: boolean;
}

/** The columns that a set of metrics needs, and the metrics made from them. */
export interface MetricPlan {
  /** Number of columns. */
  width: number;
  /** Measures of the delivery kit that must be cut. */
  needed: readonly number[];
  /** Adds one piece of delivery to the columns that begin at `at`. */
  add(run: Run, part: Float64Array, columns: Float64Array, at: number): void;
  /** Value of a metric (no attribute) for the columns at `at`: money in major units. NaN if it does not apply. */
  value(metric: string, columns: Float64Array, at: number, money: MoneyFormat): number;
  /** How the metric is made, as the table says. */
  how(metric: string): string;
  /** The same as TikTok writes it. */
  text(metric: string, columns: Float64Array, at: number, money: MoneyFormat): string;
}

const BASE = ['any.spend', 'any.impressions'];
const SPEND = 0;
const IMPRESSIONS = 1;

/** @param metrics Names without attributes. */
export function planMetrics(metrics: readonly string[]): MetricPlan {
  const sources = new Map<string, number>(BASE.map((source, i) => [source, i]));
  for (const metric of metrics) {
    const [, , ...named] = ROWS.get(metric)!;
    for (const source of named) if (source !== 'zero' && !sources.has(source)) sources.set(source, sources.size);
  }
  const reads = [...sources.keys()].map(readSource);
  const takes = reads.map(({ take }) => take);
  const column = (columns: Float64Array, at: number, source: string | undefined): number =>
    source === undefined || source === 'zero' ? 0 : columns[at + sources.get(source)!]!;
  const ratio = (a: number, b: number) => (b === 0 ? 0 : a / b);

  const value: MetricPlan['value'] = (metric, columns, at, { digits }) => {
    const [, how, first, second] = ROWS.get(metric)!;
    const unit = 10 ** digits;
    const a = column(columns, at, first);
    const spend = columns[at + SPEND]!;
    const reach = () => reachOf(columns[at + IMPRESSIONS]!);
    switch (how) {
      case 'n':
      case 'decimal':
        return a;
      case '$':
      case 'cash':
        return a / unit;
      case 'cost':
        return ratio(spend / unit, a);
      case 'mille':
        return ratio((spend / unit) * 1000, a);
      case 'per':
        return ratio(a / unit, column(columns, at, second));
      case 'pct':
        return ratio(a * 100, column(columns, at, second));
      case 'roas':
        return ratio(a, spend);
      case 'tenths':
        return ratio(a / 10, column(columns, at, second));
      case 'tenths_reach':
        return ratio(a / 10, reach());
      case 'reach':
        return reach();
      case 'reach_cost':
        return ratio((spend / unit) * 1000, reach());
      case 'frequency':
        return ratio(columns[at + IMPRESSIONS]!, reach());
      default:
        return Number.NaN;
    }
  };

  const text: MetricPlan['text'] = (metric, columns, at, money) => {
    const number = value(metric, columns, at, money);
    switch (ROWS.get(metric)![1]) {
      case 'n':
      case 'reach':
        return String(number);
      case '$':
      case 'cash':
        return number.toFixed(money.whole ? 0 : money.digits);
      case 'cost':
      case 'mille':
      case 'per':
      case 'reach_cost':
        return number.toFixed(money.whole ? 0 : Math.max(2, money.digits));
      default:
        return number.toFixed(2);
    }
  };

  return {
    width: sources.size,
    needed: withParents(reads.flatMap(({ needs }) => needs)),
    add(run, part, columns, at) {
      for (let i = 0; i < takes.length; i++) columns[at + i] = columns[at + i]! + takes[i]!(run, part);
    },
    how: (metric) => ROWS.get(metric)![1],
    value,
    text,
  };
}

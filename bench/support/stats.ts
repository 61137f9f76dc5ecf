/** Numbers of several rounds as one. */

export interface Spread {
  min: number;
  median: number;
  max: number;
}

/** The value below which the share `q` of the sorted values lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** Smallest, middle and largest of some rounds. */
export function spread(values: readonly number[]): Spread {
  return { min: Math.min(...values), median: quantile(values, 0.5), max: Math.max(...values) };
}

/** A number with about three digits that mean something. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

export const shortSpread = ({ min, median, max }: Spread): string => `${short(min)} / ${short(median)} / ${short(max)}`;

/** List options that polyad honours itself, on decoded objects, where the platform cannot. */
import type { FilterName } from '../connector/object-spec.ts';
import type { Unified } from '../connector/types.ts';

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Zoned ISO texts compare as instants, not as text: zones and fractions differ. */
const instant = (value: unknown): number => (typeof value === 'string' ? Date.parse(value) : Number.NaN);

/** True = the object stays. Objects that lack the member asked about do not match. */
export const LOCAL_FILTERS: Readonly<Record<FilterName, (object: Unified, value: string) => boolean>> = {
  org_id: (object, value) => object['organization_id'] === value,
  parent_id: (object, value) => object['parent_id'] === value,
  campaign_id: (object, value) => object['campaign_id'] === value,
  group_id: (object, value) => object['group_id'] === value,
  ad_id: (object, value) => object['id'] === value,
  io_id: (object, value) => object['insertionorder_id'] === value,
  status: (object, value) => object['status'] === value,
  effective_status: (object, value) => object['effective_status'] === value,
  goal: (object, value) => object['goal'] === value,
  type: (object, value) => object['type'] === value,
  query: (object, value) => (text(object['name']) ?? '').toLowerCase().includes(value.toLowerCase()),
  updated_gte: (object, value) => instant(object['updated_at']) >= instant(value),
  // A window asks for what runs in it: an object without a start has always been running, one without an end goes on.
  start_gte: (object, value) => {
    const end = object['end_at'];
    return end === undefined || instant(end) >= instant(value);
  },
  end_lt: (object, value) => {
    const start = object['start_at'] ?? object['created_at'];
    return start === undefined || instant(start) < instant(value);
  },
};

/** Compares two objects by one of the sort keys; objects without the member come last in either direction. */
export function compareBy(key: string, order: 'asc' | 'desc') {
  const sign = order === 'desc' ? -1 : 1;
  const isTime = key.endsWith('_at');
  return (a: Unified, b: Unified): number => {
    const left = text(a[key]);
    const right = text(b[key]);
    if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? 1 : -1;
    if (isTime) return sign * (instant(left) - instant(right));
    return sign * (left < right ? -1 : left > right ? 1 : 0);
  };
}

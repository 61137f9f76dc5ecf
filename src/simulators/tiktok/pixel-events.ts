import type { Native } from './types.ts';

/** Events that a shop's pixel has from the start: [event_type, name]. */
const EVENTS = [
  ['ON_WEB_DETAIL', 'View content'],
  ['ON_WEB_CART', 'Add to cart'],
  ['INITIATE_ORDER', 'Initiate checkout'],
  ['ON_WEB_ORDER', 'Complete payment'],
  ['ON_WEB_REGISTER', 'Complete registration'],
  ['FORM', 'Submit form'],
] as const;

/** The `events` of a pixel: those that it has from the start until one is made, changed or deleted. */
export function pixelEvents(row: Native): Record<string, unknown>[] {
  if (Array.isArray(row['_events'])) return row['_events'] as Record<string, unknown>[];
  return EVENTS.map(([type, name], i) => ({
    event_id: `${row.id.slice(0, 15)}${String(1000 + i)}`,
    event_code: `${String(row['pixel_code'])}${i}`,
    event_type: type,
    optimization_event: type,
    custom_event_type: '',
    name,
    currency: 'USD',
    currency_value: '0',
    statistic_type: 'EVERY_TIME',
    deprecated: false,
    rules: [],
  }));
}

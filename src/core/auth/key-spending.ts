/**
 * Which writes raise what is spent, so that a key can be given without the power to spend: starting something that can
 * spend, and raising what a running thing may spend. Judged by the unified members; native members in `raw` cannot be
 * judged, so they count as spending.
 */
import type { ObjectName, Unified } from '../connector/types.ts';
import { compareDecimals, parseDecimal } from '../model/decimal.ts';

/** Objects that have a budget, or a status that spends. */
const SPENDING: ReadonlySet<ObjectName> = new Set([
  ...(['campaign', 'insertionorder', 'group', 'ad', 'campaign_copy'] as const),
  // On platforms that have no creative apart from an ad, its status is the ad's.
  'creative',
]);
/** Without a status these wait until they are started; others begin at once. */
const WAITING: ReadonlySet<ObjectName> = new Set(['campaign_copy', 'creative']);
/** Whatever else a status is, it may let something run. */
const STILL = new Set(['PAUSED', 'ARCHIVED', 'DRAFT', 'SCHEDULED_FOR_DELETION']);
/** Amounts of which more is spent, or may be. */
const AMOUNTS = [
  'budget_amount',
  'budget_max_amount',
  'bid_amount',
  'bid_strategy.fixed_bid_amount',
  'bid_strategy.max_average_cpm_bid_amount',
  'bid_strategy.performance_goal_amount',
  'pacing.daily_max_amount',
] as const;
/** What an amount means: another period or unit makes another amount of the same number. */
const MEANINGS = ['budget_period', 'budget_unit', 'campaign_budget_identifier', 'bid_strategy.type'] as const;

const at = (object: Unified, path: string): unknown =>
  path.split('.').reduce<unknown>((value, name) => (value as Unified | null | undefined)?.[name], object);

/** Members of a new object that spend; empty = creating it spends nothing. */
export function spendingOfCreate(object: ObjectName, body: Unified): string[] {
  if (!SPENDING.has(object)) return [];
  const found: string[] = [];
  const status = body['status'];
  if (WAITING.has(object) && status === undefined) return body['raw'] === undefined ? [] : ['raw'];
  if (typeof status !== 'string' || !STILL.has(status)) found.push('status');
  if (body['raw'] !== undefined) found.push('raw');
  return found;
}

/** Whether a change can raise spending at all, whatever the object is now: if not, nothing need be read. */
export function mayRaise(object: ObjectName, body: Unified): boolean {
  if (!SPENDING.has(object)) return false;
  const named = [...AMOUNTS, ...MEANINGS, 'status', 'end_at', 'budget_segments', 'raw'];
  return named.some((path) => path in body || at(body, path) !== undefined);
}

/** Members of a change that raise what is spent, compared with the object as it is. */
export function raisesOfUpdate(object: ObjectName, body: Unified, current: Unified): string[] {
  if (!SPENDING.has(object)) return [];
  const found: string[] = [];
  const status = body['status'];
  if (status !== undefined && status !== current['status'] && !STILL.has(String(status))) found.push('status');
  for (const path of AMOUNTS) {
    const next = at(body, path);
    if (next !== undefined && raised(next, at(current, path))) found.push(path);
  }
  for (const path of MEANINGS) {
    const next = at(body, path);
    if (next !== undefined && next !== at(current, path)) found.push(path);
  }
  if ('end_at' in body && later(body['end_at'], current['end_at'])) found.push('end_at');
  for (const name of ['budget_segments', 'raw'])
    if (body[name] !== undefined && JSON.stringify(body[name]) !== JSON.stringify(current[name])) found.push(name);
  return found;
}

/** More than before; also an amount that was not there, and a limit that is taken away. */
function raised(next: unknown, before: unknown): boolean {
  const [to, from] = [parseDecimal(next), parseDecimal(before)];
  return to === undefined || from === undefined ? next !== before : compareDecimals(to, from) > 0;
}

function later(next: unknown, before: unknown): boolean {
  if (next === before) return false;
  if (before === undefined || before === null) return false;
  if (typeof next !== 'string' || typeof before !== 'string') return true;
  return !(Date.parse(next) <= Date.parse(before));
}

/** When an authorization is looked at again, and what is to be said of it: pure functions of the record and the clock. */
import type { CreatorAuthorizationRow } from '../store/schema.ts';

const DAY_MS = 86_400_000;

/** Days before the end at which a warning goes out, the earliest first. */
export const CREATOR_WARNING_DAYS = [14, 7, 1] as const;

/**
 * Authorizations are read again this often, in ms: creators give more days and take authorizations back without anybody
 * being told.
 */
export const LOOK_EVERY_MS = DAY_MS;

/** States in which nothing can be shown any more. */
export const OVER: ReadonlySet<string> = new Set(['EXPIRED', 'WITHDRAWN', 'REMOVED']);

/** When to look at it again; null = never, until somebody sees it once more. */
export function nextLook(state: string, endsAt: Date | null, now: Date): Date | null {
  if (OVER.has(state)) return null;
  const at = now.getTime();
  const times = [at + LOOK_EVERY_MS];
  if (endsAt !== null) {
    const end = endsAt.getTime();
    times.push(end, ...CREATOR_WARNING_DAYS.map((days) => end - days * DAY_MS));
  }
  return new Date(Math.min(...times.filter((time) => time > at)));
}

/** The threshold that has been reached before the end and not been warned of; undefined = none. */
export function authorizationWarning(
  row: Pick<CreatorAuthorizationRow, 'ends_at' | 'warned_end' | 'warned_days'>,
  now: Date,
): number | undefined {
  if (row.ends_at === null) return undefined;
  const left = row.ends_at.getTime() - now.getTime();
  if (left <= 0) return undefined;
  const reached = CREATOR_WARNING_DAYS.findLast((days) => left <= days * DAY_MS);
  if (reached === undefined) return undefined;
  const warned = row.warned_end?.getTime() === row.ends_at.getTime() ? row.warned_days : null;
  return warned === null || reached < warned ? reached : undefined;
}

/** Whole days until the end, the last one counted. */
export const daysLeft = (end: Date, now: Date): number =>
  Math.max(0, Math.ceil((end.getTime() - now.getTime()) / DAY_MS));

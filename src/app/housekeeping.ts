/** Removes what the database need not keep: old call-log rows, old writes, and connect flows that nobody finished. */
import type { Clock } from '../core/clock.ts';
import type { Conversions } from '../core/conversions/service.ts';
import { KEEP_MS, KEEP_OPEN_MS } from '../core/idempotency/journal.ts';
import type { Store, StoreLog } from '../core/store/port.ts';
import {
  pruneApiCalls,
  pruneDashboardSessions,
  pruneHookReceipts,
  pruneOAuthStates,
  prunePlatformUsage,
  pruneWrites,
} from '../core/store/repositories/index.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface HousekeepingOptions {
  store: Store;
  clock: Clock;
  log: StoreLog;
  /** How long call-log rows are kept. */
  apiCallDays: number;
  conversions?: Pick<Conversions, 'tidy'> | undefined;
  /** How long fates of conversion events are kept, and the content of refused ones. Default 30 and 7 days. */
  conversionDays?: { fates: number; contents: number } | undefined;
}

/** One round. Every node of several may run it: deleting what is already gone does no harm. */
export async function tidy({
  store,
  clock,
  apiCallDays,
  conversions,
  conversionDays = { fates: 30, contents: 7 },
}: HousekeepingOptions): Promise<{
  calls: number;
  states: number;
  sessions: number;
  writes: number;
  events: number;
  usage: number;
  hooks: number;
}> {
  const now = clock.now().getTime();
  return {
    calls: await pruneApiCalls(store.db, new Date(now - apiCallDays * DAY_MS)),
    // Flows live ten minutes; a day is kept for whoever looks into a failed one.
    states: await pruneOAuthStates(store.db, new Date(now - DAY_MS)),
    sessions: await pruneDashboardSessions(store.db, new Date(now)),
    writes: await pruneWrites(store.db, new Date(now - KEEP_MS), new Date(now - KEEP_OPEN_MS)),
    events:
      (
        await conversions?.tidy({
          fates: new Date(now - conversionDays.fates * DAY_MS),
          contents: new Date(now - conversionDays.contents * DAY_MS),
        })
      )?.fates ?? 0,
    // Platforms repeat webhooks for days at most.
    hooks: await pruneHookReceipts(store.db, new Date(now - 30 * DAY_MS)),
    // Of use by day a year and a month, which is what a review asks about; of minutes a month.
    usage: await prunePlatformUsage(store.db, new Date(now - 400 * DAY_MS), new Date(now - 31 * DAY_MS)),
  };
}

/** A round every hour; the first one after an hour, so that a start is not slowed down. Returns how to stop it. */
export function startHousekeeping(options: HousekeepingOptions): () => void {
  const timer = setInterval(() => {
    tidy(options).then(
      (removed) => options.log.debug(removed, 'old rows removed'),
      (error: unknown) => options.log.warn({ err: error }, 'old rows could not be removed; the next round tries again'),
    );
  }, HOUR_MS);
  timer.unref();
  return () => clearInterval(timer);
}

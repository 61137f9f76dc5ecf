import type { VirtualClock } from './types.ts';

/** At most `limit` units in each window of `windowMs`. */
export interface RateRule {
  /** Shown in messages: `QPS`, `QPM`, `QPD` ... */
  name: string;
  /** Windows are aligned to the epoch: 1,000 = calendar seconds, 86,400,000 = UTC days. */
  windowMs: number;
  limit: number;
  /** How long every further call is refused once the limit was passed. Absent = until the window ends. */
  lockMs?: number;
}

/** Something that has limits of its own: an app, a token, an ad account on a path. */
export interface RateBucket {
  key: string;
  rules: readonly RateRule[];
}

/** Why a call was refused. */
export interface RateRefusal {
  key: string;
  rule: RateRule;
  /** When the next call may go through, epoch milliseconds of virtual time. */
  retryAt: number;
  /** Units in the window with this call. */
  used: number;
}

/** Counts calls on the virtual clock. */
export interface Limiter {
  /**
   * Takes `cost` units from all rules of all buckets, or, if one of them refuses, from none. A refused call therefore
   * does not use up anything (whether the platforms count refused calls is mostly not published).
   */
  take(buckets: readonly RateBucket[], cost?: number): RateRefusal | undefined;
  /** Units used in the present window. */
  used(key: string, rule: RateRule): number;
  /** Forget all counts and locks. */
  clear(): void;
}

interface Count {
  window: number;
  used: number;
  lockedUntil: number;
}

/** A limiter with windows aligned to the (virtual) epoch and an optional lock after a breach. */
export function createLimiter(clock: VirtualClock): Limiter {
  const counts = new Map<string, Count>();

  const countOf = (key: string, rule: RateRule, now: number): Count => {
    const id = `${rule.name}\n${key}`;
    const window = Math.floor(now / rule.windowMs);
    let count = counts.get(id);
    if (!count) {
      count = { window, used: 0, lockedUntil: 0 };
      counts.set(id, count);
    }
    if (count.window !== window) {
      count.window = window;
      count.used = 0;
    }
    // A clock that was set back must not leave a lock longer than the rule says.
    if (count.lockedUntil - now > Math.max(rule.lockMs ?? 0, rule.windowMs)) count.lockedUntil = 0;
    return count;
  };

  return {
    take(buckets, cost = 1) {
      const now = clock.now().getTime();
      const taken: Count[] = [];
      for (const { key, rules } of buckets) {
        for (const rule of rules) {
          const count = countOf(key, rule, now);
          if (count.lockedUntil > now) return { key, rule, retryAt: count.lockedUntil, used: count.used };
          if (count.used + cost > rule.limit) {
            const windowEnd = (count.window + 1) * rule.windowMs;
            count.lockedUntil = rule.lockMs === undefined ? windowEnd : now + rule.lockMs;
            return { key, rule, retryAt: count.lockedUntil, used: count.used + cost };
          }
          taken.push(count);
        }
      }
      for (const count of taken) count.used += cost;
      return undefined;
    },
    used: (key, rule) => countOf(key, rule, clock.now().getTime()).used,
    clear: () => counts.clear(),
  };
}

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
  /**
   * Calls that another rule refuses count here too. A minute limit of sixty times the second limit can be passed only
   * in this way.
   */
  countsRefused?: boolean;
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
   * Takes `cost` units from all rules of all buckets, or, if one of them refuses, only from those that count refused
   * calls. Of several refusals the one that lasts longest is returned.
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
      const all = buckets.flatMap(({ key, rules }) =>
        rules.map((rule) => ({ key, rule, count: countOf(key, rule, now) })),
      );
      const open = all.filter(({ count }) => count.lockedUntil <= now);
      const refused = open.length < all.length || open.some(({ rule, count }) => count.used + cost > rule.limit);
      for (const { rule, count } of open) {
        if (refused && !rule.countsRefused && count.used + cost <= rule.limit) continue;
        if (count.used + cost <= rule.limit) count.used += cost;
        else count.lockedUntil = rule.lockMs === undefined ? (count.window + 1) * rule.windowMs : now + rule.lockMs;
      }
      let worst: RateRefusal | undefined;
      for (const { key, rule, count } of all) {
        if (count.lockedUntil <= now || (worst && worst.retryAt >= count.lockedUntil)) continue;
        worst = { key, rule, retryAt: count.lockedUntil, used: count.used + cost };
      }
      return worst;
    },
    used: (key, rule) => countOf(key, rule, clock.now().getTime()).used,
    clear: () => counts.clear(),
  };
}

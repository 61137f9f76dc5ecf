/** What a list of calls would take, without making any. */
import { type BucketClaim, bucketId } from './bucket.ts';
import type { Pacer } from './pacer.ts';

/** Calls of one kind. */
export interface PlannedCalls {
  claims: readonly BucketClaim[];
  count: number;
}

/** One quota's part in a plan. */
export interface PlanRow {
  bucket: string;
  key: string;
  /** Units that the plan takes. */
  units: number;
  limit: number;
  window_ms: number;
  /** Milliseconds until the last of them could go, if this quota alone counted. */
  wait_ms: number;
}

/** Milliseconds until the last call of the plan could go, and what each quota contributes, slowest first. */
export interface Plan {
  calls: number;
  wait_ms: number;
  /** The quota that decides; null when none is short. */
  bucket: string | null;
  buckets: PlanRow[];
}

/**
 * Plans calls over what is left of the quotas now, as if nobody else called meanwhile. Quotas that cap calls at a time say
 * nothing about how long something takes, so they do not show.
 */
export async function planCalls(pacer: Pacer, planned: readonly PlannedCalls[]): Promise<Plan> {
  const sums = new Map<string, { claim: BucketClaim; units: number }>();
  let calls = 0;
  for (const { claims, count } of planned) {
    calls += count;
    for (const claim of claims) {
      if (claim.rule?.kind === 'concurrency') continue;
      const id = bucketId(claim);
      const sum = sums.get(id) ?? { claim, units: 0 };
      sum.units += count * (claim.cost ?? 1);
      sums.set(id, sum);
    }
  }
  await pacer.look([...sums.values()].map(({ claim }) => claim));
  const buckets = [...sums.values()]
    .map(({ claim, units }) => {
      const { cost: _each, ...unit } = claim;
      return {
        bucket: claim.name,
        key: claim.key,
        units,
        limit: claim.limit,
        window_ms: claim.windowMs,
        wait_ms: units === 0 ? 0 : Math.ceil(pacer.forecast([unit], units).waitMs),
      };
    })
    .sort((a, b) => b.wait_ms - a.wait_ms);
  const slowest = buckets[0];
  const waits = slowest !== undefined && slowest.wait_ms > 0;
  return { calls, wait_ms: waits ? slowest.wait_ms : 0, bucket: waits ? slowest.bucket : null, buckets };
}

/** When waiting calls will have their turn, as far as can be told: what decides who is refused at once, and for how long. */
import { type BucketClaim, bucketId } from './bucket.ts';
import type { FullBuckets } from './full-buckets.ts';
import { ahead, atItsPace, line } from './line.ts';
import type { Permits } from './permits.ts';
import type { QuotaStore, TakeOutcome } from './store.ts';
import type { Turns } from './turns.ts';
import type { Backlogs, Caller, Placed } from './waiter.ts';

/** A wait in milliseconds, and the quota that takes longest. */
export interface Wait {
  waitMs: number;
  claim: BucketClaim;
}

/** What an estimate is made from. */
export interface OutlookParts {
  store: QuotaStore;
  /** Time between permit and answer: a slot comes back one window *and* one round trip after it was taken. */
  roundTripMs: number;
  /** Buckets that were just seen full, by rank. */
  full(id: string, rank: number): boolean;
}

/** `full`: buckets that waiting calls saw full. `blocked`: id of the one that was full just now. */
export function outlookParts(
  { store, roundTripMs }: Permits,
  now: number,
  full: FullBuckets | undefined,
  blocked?: string,
): OutlookParts {
  return { store, roundTripMs, full: (id, rank) => id === blocked || full?.has(id, rank, now) === true };
}

/** Share of a window that goes by, on average, until what is free again has been taken. */
const SLACK = 0.03;

/** Buckets that count the same calls, such as the second, the minute and the day of one app. */
const sameCalls = (one: BucketClaim, other: BucketClaim): boolean =>
  one === other || (one.key === other.key && one.scope !== undefined && one.scope === other.scope);

/** Milliseconds until a claim's quota has given so many more units. `slack`: share of each window that is lost. */
function waitFor({ store, roundTripMs, full }: OutlookParts, claim: BucketClaim, rank: number, slack = SLACK) {
  const outlook = store.outlook(claim, rank, full(bucketId(claim), rank));
  const firstMs = outlook(1);
  return (units: number): number => {
    const waitMs = outlook(units);
    const rounds = Math.max(0, Math.floor((waitMs - firstMs) / claim.windowMs));
    return waitMs + rounds * (roundTripMs + claim.windowMs * slack);
  };
}

/** Milliseconds until `calls` more calls under these claims can all have gone, if nobody else calls. */
export function forecast(parts: OutlookParts, claims: readonly BucketClaim[], calls: number, rank: number): Wait {
  let worst: Wait = { waitMs: 0, claim: claims[0] as BucketClaim };
  for (const claim of claims) {
    const waitMs = waitFor(parts, claim, rank, 0)(calls * (claim.cost ?? 1));
    if (waitMs > worst.waitMs) worst = { waitMs, claim };
  }
  return worst;
}

/** What waits already where a new call comes. */
export interface Waits {
  turns: Turns;
  /** At other nodes. */
  elsewhere: Backlogs | undefined;
  full: FullBuckets;
}

/**
 * When a new call of this caller has its turn, as far as can be told.
 *
 * @param waits undefined = it would be the only one.
 * @param lane of the calls with the same claims
 * @param outcome what the counter just said to it, if it was asked
 */
export function estimate(
  permits: Permits,
  waits: Waits | undefined,
  lane: string,
  caller: Caller,
  claims: readonly BucketClaim[],
  outcome: TakeOutcome | undefined,
): Wait {
  const now = permits.now();
  const full = outcome?.ok === false && outcome.bucket !== null ? outcome : undefined;
  const parts = outlookParts(permits, now, waits?.full, full?.id);
  const widest = claims[0] as BucketClaim;
  const inAll = waits === undefined ? 0 : ahead(waits.turns, caller, undefined, waits.elsewhere);
  const inLane = waits === undefined ? 0 : ahead(waits.turns, caller, lane);
  let worst: Wait = { waitMs: 0, claim: widest };
  for (const claim of claims) {
    const calls = (sameCalls(claim, widest) ? inAll : inLane) + 1;
    const waitMs = waitFor(parts, claim, caller.rank)(calls * (claim.cost ?? 1));
    if (waitMs > worst.waitMs) worst = { waitMs, claim };
  }
  const paced = waits === undefined ? 0 : atItsPace(waits.turns, caller, now);
  if (paced > worst.waitMs) worst.waitMs = Math.ceil(paced);
  if (full === undefined || (full.waitMs ?? 0) <= worst.waitMs) return worst;
  const claim = claims.find((one) => bucketId(one) === full.id);
  return claim === undefined ? worst : { waitMs: full.waitMs ?? 0, claim };
}

/**
 * Goes through all that waits in the order in which it will go: the calls whose turn comes after their deadline, and how
 * many milliseconds the tightest of the others has left. Those that come too late are not in front of those behind them.
 */
export function outlookOf(
  parts: OutlookParts,
  turns: Turns,
  elsewhere: Backlogs | undefined,
  now: number,
): { late: (Placed & Wait)[]; spareMs: number } {
  const late: (Placed & Wait)[] = [];
  let spareMs = Number.POSITIVE_INFINITY;
  const units = new Map<string, number>();
  const waits = new Map<string, (units: number) => number>();
  let shared: readonly BucketClaim[] = [];
  const all = line(turns, elsewhere);
  for (const placed of all) {
    const first = placed?.waiter.claims ?? [];
    if (shared.length === 0) shared = first.filter((claim) => sameCalls(claim, first[0] as BucketClaim));
    if (shared.length > 0) break;
  }
  for (const placed of all) {
    const claims = placed?.waiter.claims ?? shared;
    let worst: Wait | undefined;
    for (const claim of claims) {
      const id = bucketId(claim);
      const sum = (units.get(id) ?? 0) + (claim.cost ?? 1);
      units.set(id, sum);
      if (placed === undefined) continue;
      const key = `${placed.waiter.rank}${id}`;
      let wait = waits.get(key);
      if (wait === undefined) {
        wait = waitFor(parts, claim, placed.waiter.rank);
        waits.set(key, wait);
      }
      const waitMs = wait(sum);
      if (worst === undefined || waitMs > worst.waitMs) worst = { waitMs, claim };
    }
    if (placed === undefined || worst === undefined) continue;
    const spare = placed.waiter.deadline - now - worst.waitMs;
    if (spare >= 0) spareMs = Math.min(spareMs, spare);
    else {
      for (const claim of claims) units.set(bucketId(claim), (units.get(bucketId(claim)) ?? 0) - (claim.cost ?? 1));
      late.push({ ...placed, ...worst });
    }
  }
  return { late, spareMs };
}

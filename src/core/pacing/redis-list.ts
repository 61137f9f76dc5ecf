/** Every bucket of the shared counter, for people who look: a page at a time, so that calls go on between the pages. */
import type { BucketSnapshot } from './bucket.ts';
import type { RedisWire } from './redis-wire.ts';

interface Row {
  id: string;
  w: number;
  n: number;
  limit: number;
  r: number;
  l: boolean;
  x: number;
}

function snapshot({ id, w, n, limit, r, l, x }: Row, now: number): BucketSnapshot {
  const bar = id.indexOf('|');
  return {
    bucket: id.slice(0, bar),
    key: id.slice(bar + 1),
    used: Math.ceil(n + x),
    limit: Math.floor(limit),
    window_ms: w,
    used_by_others: x,
    learned: l,
    resting_until: r > 0 ? new Date(now + r).toISOString() : null,
  };
}

/** @param now the node's time, in ms since 1970 */
export async function listed(wire: RedisWire, now: () => number): Promise<Iterable<BucketSnapshot>> {
  // A bucket may come twice while others are added.
  const found = new Map<string, BucketSnapshot>();
  let at = '0';
  do {
    // An empty list is an object in the script's JSON.
    const page = (await wire.send({ o: 'l', at })) as { at: string; rows: Row[] | Record<string, never> };
    for (const row of Array.isArray(page.rows) ? page.rows : []) found.set(row.id, snapshot(row, now()));
    at = page.at;
  } while (at !== '0');
  return found.values();
}

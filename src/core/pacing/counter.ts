/** What every counting rule offers; times in milliseconds since 1970, `cost` in units of the quota. */
export interface Counter {
  /**
   * Milliseconds until `cost` more units may be taken under `limit`; 0 = now; null = depends on answers that have not
   * come yet.
   */
  waitMs(now: number, cost: number, limit: number): number | null;
  take(now: number, cost: number, limit: number): void;
  /** The call was answered, or failed at `now`. */
  release(now: number, cost: number): void;
  /** The call was never sent. */
  cancel(cost: number): void;
  /** Units in use: neither free nor to be freed by waiting for the platform alone. */
  used(now: number, limit: number): number;
  /** Units of calls that are not answered yet. */
  inFlight(): number;
  /**
   * Milliseconds until the `units`-th unit from now is free, when everybody keeps taking what gets free. An estimate: it
   * takes calls under way as answered now.
   */
  forecast(now: number, units: number, limit: number): number;
  /** State as plain data, for the journal. */
  dump(now: number): readonly number[];
  load(state: readonly number[]): void;
  /** Nothing in flight and nothing remembered: may be forgotten. */
  idle(now: number): boolean;
}

/** Clocks of platforms are not ours: near the end of a fixed window a call is counted in both. Share of the window. */
export const EDGE_SHARE = 0.02;

/** The same in milliseconds, at most. Machines that keep time by NTP agree far better. */
export const EDGE_MAX_MS = 2_000;

/** Longest spread between sending and arrival that an even refill allows for: 160 ms were measured, with room. */
export const SPREAD_MS = 250;

/**
 * What an object was before it was changed, as far as delivery depends on it. TikTok's rows say only what is true now;
 * without this memory a pause, a new budget or a longer schedule would rewrite the reports of past days.
 */
import type { Collection, VirtualClock } from '../kit/types.ts';
import { parseStamp } from './stamp.ts';
import { hasRejectMark } from './status.ts';
import type { Advertiser, Native } from './types.ts';

/** The members of a row that decide its delivery. */
export interface DeliveryState {
  on: boolean;
  budget: number;
  budget_mode: string;
  /** `YYYY-MM-DD HH:MM:SS` in UTC, as in the row. */
  schedule_start_time: string | null;
  schedule_end_time: string | null;
}

/** Earlier states of one object, oldest first; `id` is the object's. */
export interface Past {
  id: string;
  advertiser_id: string;
  states: (DeliveryState & { until: number })[];
}

/** One stretch of an object's life, epoch milliseconds. The last one has no end. */
export type Phase = DeliveryState & { from: number; to: number };

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null);

/** How a kind of row is read. */
interface Reading<T> {
  state(row: T): DeliveryState;
  created(row: T): number;
  /** When a row without a past that is off now was turned off. One made in that state never was on. */
  offSince(row: T): number;
  advertiserId(row: T): string;
}

const instant = (value: unknown, fallback: number): number =>
  (typeof value === 'string' ? parseStamp(value)?.getTime() : undefined) ?? fallback;

/** Campaigns, ad groups and ads. The last change of one that is off is taken for its pause. */
const OBJECT: Reading<Native> = {
  state: (row) => ({
    // A creative of a Smart+ ad stops with the ad, too.
    on:
      (row['operation_status'] ?? 'ENABLE') === 'ENABLE' &&
      (row['_ad_status'] ?? 'ENABLE') === 'ENABLE' &&
      !hasRejectMark(row),
    budget: Number(row['budget'] ?? 0),
    budget_mode: text(row['budget_mode']) ?? 'BUDGET_MODE_INFINITE',
    schedule_start_time: text(row['schedule_start_time']),
    schedule_end_time: text(row['schedule_end_time']),
  }),
  created: (row) => instant(row['create_time'], 0),
  offSince: (row) => {
    const created = instant(row['create_time'], 0);
    // Creatives of Smart+ ads have no modify_time.
    return Math.max(created, instant(row['modify_time'] ?? row['_off_time'], created));
  },
  advertiserId: (row) => row.advertiser_id,
};

/** Ad accounts: one that is limited or disabled delivers nothing. Objects may be older than the row of their account. */
const ACCOUNT: Reading<Advertiser> = {
  state: ({ status }) => ({
    on: status === 'STATUS_ENABLE',
    budget: 0,
    budget_mode: 'BUDGET_MODE_INFINITE',
    schedule_start_time: null,
    schedule_end_time: null,
  }),
  created: () => 0,
  offSince: () => 0,
  advertiserId: ({ id }) => id,
};

const same = (a: DeliveryState, b: DeliveryState) =>
  a.on === b.on &&
  a.budget === b.budget &&
  a.budget_mode === b.budget_mode &&
  a.schedule_start_time === b.schedule_start_time &&
  a.schedule_end_time === b.schedule_end_time;

function phases<T>(row: T, past: Past | undefined, read: Reading<T>): Phase[] {
  const now = read.state(row);
  let from = read.created(row);
  const found: Phase[] = [];
  const add = (state: DeliveryState, to: number) => {
    if (to > from) {
      found.push({ ...state, from, to });
      from = to;
    }
  };
  if (past) for (const state of past.states) add(state, state.until);
  else if (!now.on) add({ ...now, on: true }, read.offSince(row));
  add(now, Number.POSITIVE_INFINITY);
  return found;
}

/** The stretches of an object's life from its creation on. */
export const phasesOf = (row: Native, past: Past | undefined): Phase[] => phases(row, past, OBJECT);

/** The same of an ad account. */
export const accountPhases = (row: Advertiser, past: Past | undefined): Phase[] => phases(row, past, ACCOUNT);

function withMemory<T extends { id: string }>(
  rows: Collection<T>,
  past: Collection<Past>,
  clock: VirtualClock,
  read: Reading<T>,
): Collection<T> {
  const notes = (changed: readonly T[]): Past[] => {
    const found: Past[] = [];
    const now = clock.now().getTime();
    for (const row of changed) {
      const old = rows.get(row.id);
      if (!old) continue;
      const was = read.state(old);
      const known = past.get(row.id);
      const base: Past = known ?? { id: row.id, advertiser_id: read.advertiserId(row), states: [] };
      // A row that has been off since a time that only its modify_time tells would lose that time with this change.
      const states = known || was.on ? base.states : [...base.states, { ...was, on: true, until: read.offSince(old) }];
      if (!same(was, read.state(row))) found.push({ ...base, states: [...states, { ...was, until: now }] });
      else if (states !== base.states) found.push({ ...base, states });
    }
    return found;
  };
  const putAll = (changed: readonly T[]) => {
    past.putAll(notes(changed));
    rows.putAll(changed);
  };
  return {
    get: (id) => rows.get(id),
    put: (row) => putAll([row]),
    putAll,
    delete: (id) => rows.delete(id),
    values: () => rows.values(),
    by: (index, key) => rows.by(index, key),
    get size() {
      return rows.size;
    },
    get version() {
      return rows.version;
    },
  };
}

/**
 * Campaigns, ad groups or ads with a memory: each change of a member that decides delivery leaves the state before it
 * in `past`. Everything else passes through.
 */
export const remembering = (
  rows: Collection<Native>,
  past: Collection<Past>,
  clock: VirtualClock,
): Collection<Native> => withMemory(rows, past, clock, OBJECT);

/** Ad accounts with a memory of their status. */
export const rememberingAccounts = (
  rows: Collection<Advertiser>,
  past: Collection<Past>,
  clock: VirtualClock,
): Collection<Advertiser> => withMemory(rows, past, clock, ACCOUNT);

/**
 * What an object was before it was changed, as far as delivery depends on it. TikTok's rows say only what is true now;
 * without this memory a pause, a new budget or a longer schedule would rewrite the reports of past days.
 */
import type { Collection, VirtualClock } from '../kit/types.ts';
import { parseStamp } from './stamp.ts';
import { hasRejectMark } from './status.ts';
import type { Native } from './types.ts';

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

function stateOf(row: Native): DeliveryState {
  return {
    on: (row['operation_status'] ?? 'ENABLE') === 'ENABLE' && !hasRejectMark(row),
    budget: Number(row['budget'] ?? 0),
    budget_mode: text(row['budget_mode']) ?? 'BUDGET_MODE_INFINITE',
    schedule_start_time: text(row['schedule_start_time']),
    schedule_end_time: text(row['schedule_end_time']),
  };
}

const same = (a: DeliveryState, b: DeliveryState) =>
  a.on === b.on &&
  a.budget === b.budget &&
  a.budget_mode === b.budget_mode &&
  a.schedule_start_time === b.schedule_start_time &&
  a.schedule_end_time === b.schedule_end_time;

const instant = (value: unknown, fallback: number): number =>
  (typeof value === 'string' ? parseStamp(value)?.getTime() : undefined) ?? fallback;

/** When a row without a past that is off now was turned off: its last change. One made in that state never was on. */
const offSince = (row: Native): number => {
  const created = instant(row['create_time'], 0);
  return Math.max(created, instant(row['modify_time'], created));
};

/** The stretches of an object's life from its creation on. */
export function phasesOf(row: Native, past: Past | undefined): Phase[] {
  const now = stateOf(row);
  let from = instant(row['create_time'], 0);
  const phases: Phase[] = [];
  const add = (state: DeliveryState, to: number) => {
    if (to > from) {
      phases.push({ ...state, from, to });
      from = to;
    }
  };
  if (past) for (const state of past.states) add(state, state.until);
  else if (!now.on) add({ ...now, on: true }, offSince(row));
  add(now, Number.POSITIVE_INFINITY);
  return phases;
}

/**
 * `rows` with a memory: each change of a member that decides delivery leaves the state before it in `past`.
 * Everything else passes through.
 */
export function remembering(rows: Collection<Native>, past: Collection<Past>, clock: VirtualClock): Collection<Native> {
  const before = (changed: readonly Native[]): Past[] => {
    const notes: Past[] = [];
    const now = clock.now().getTime();
    for (const row of changed) {
      const old = rows.get(row.id);
      if (!old) continue;
      const was = stateOf(old);
      const known = past.get(row.id);
      const base: Past = known ?? { id: row.id, advertiser_id: row.advertiser_id, states: [] };
      // A row that has been off since a time that only its modify_time tells would lose that time with this change.
      const states = known || was.on ? base.states : [...base.states, { ...was, on: true, until: offSince(old) }];
      if (!same(was, stateOf(row))) notes.push({ ...base, states: [...states, { ...was, until: now }] });
      else if (states !== base.states) notes.push({ ...base, states });
    }
    return notes;
  };
  const putAll = (changed: readonly Native[]) => {
    past.putAll(before(changed));
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

import type { VirtualClock } from './types.ts';

/** What must be kept to find the same virtual time after a restart. All times are epoch milliseconds. */
export interface ClockState {
  /** Virtual minus machine time while the clock runs. */
  offset: number;
  /** The instant at which the clock stands still; null while it runs. */
  frozenAt: number | null;
}

/** A virtual clock whose state can be read and restored. */
export interface KitClock extends VirtualClock {
  state(): ClockState;
  /** Takes over a state that was read by `state()`; it does not call `onChange`. */
  restore(state: ClockState): void;
}

/**
 * A virtual clock on top of the machine's.
 * @param options.machine Source of machine time in epoch milliseconds; `Date.now` unless a test hands its own.
 * @param options.onChange Called after each change by hand (advance, set, freeze, reset), to keep the state.
 */
export function createClock(
  options: { machine?: () => number; onChange?: (state: ClockState) => void } = {},
): KitClock {
  const machine = options.machine ?? Date.now;
  let offset = 0;
  let frozenAt: number | null = null;

  const read = () => frozenAt ?? machine() + offset;
  const changed = () => options.onChange?.({ offset, frozenAt });
  const moveTo = (at: number) => {
    if (!Number.isFinite(at) || Number.isNaN(new Date(at).getTime())) throw new RangeError('not a valid time');
    if (frozenAt === null) offset = at - machine();
    else frozenAt = at;
    changed();
  };

  return {
    now: () => new Date(read()),
    advance: (ms) => moveTo(read() + ms),
    set: (at) => moveTo(at.getTime()),
    freeze(frozen) {
      if (frozen === (frozenAt !== null)) return;
      if (frozenAt === null) {
        frozenAt = read();
      } else {
        offset = frozenAt - machine();
        frozenAt = null;
      }
      changed();
    },
    reset() {
      offset = 0;
      frozenAt = null;
      changed();
    },
    state: () => ({ offset, frozenAt }),
    restore(state) {
      offset = state.offset;
      frozenAt = state.frozenAt;
    },
  };
}

import { describe, expect, it } from 'vitest';
import { createClock } from './clock.ts';

/** A clock over a machine whose time only the test moves. */
function setup() {
  let machine = Date.UTC(2026, 0, 1);
  const states: unknown[] = [];
  const clock = createClock({ machine: () => machine, onChange: (state) => states.push(state) });
  return { clock, states, pass: (ms: number) => (machine += ms) };
}

describe('virtual clock', () => {
  it('follows the machine until it is moved', () => {
    const { clock, pass } = setup();
    pass(1500);
    expect(clock.now().toISOString()).toBe('2026-01-01T00:00:01.500Z');
  });

  it('advances, goes back, and runs on from there', () => {
    const { clock, pass } = setup();
    clock.advance(365 * 86_400_000);
    pass(1000);
    expect(clock.now().toISOString()).toBe('2027-01-01T00:00:01.000Z');
    clock.advance(-1000);
    expect(clock.now().toISOString()).toBe('2027-01-01T00:00:00.000Z');
    clock.set(new Date('2030-05-05T05:05:05Z'));
    pass(1000);
    expect(clock.now().toISOString()).toBe('2030-05-05T05:05:06.000Z');
  });

  it('stands still when frozen, moves by hand, and runs on when thawed', () => {
    const { clock, pass } = setup();
    clock.freeze(true);
    pass(5000);
    expect(clock.now().toISOString()).toBe('2026-01-01T00:00:00.000Z');
    clock.advance(60_000);
    expect(clock.now().toISOString()).toBe('2026-01-01T00:01:00.000Z');
    clock.freeze(false);
    pass(1000);
    expect(clock.now().toISOString()).toBe('2026-01-01T00:01:01.000Z');
  });

  it('resets to the machine', () => {
    const { clock, pass } = setup();
    clock.advance(1e9);
    clock.freeze(true);
    clock.reset();
    pass(1);
    expect(clock.now().toISOString()).toBe('2026-01-01T00:00:00.001Z');
  });

  it('tells each change and can be restored', () => {
    const { clock, states } = setup();
    clock.advance(5000);
    clock.freeze(true);
    expect(states).toHaveLength(2);
    const other = createClock({ machine: () => 0 });
    other.restore(clock.state());
    expect(other.now()).toEqual(clock.now());
  });

  it('refuses times that are none', () => {
    const { clock } = setup();
    expect(() => clock.set(new Date('nonsense'))).toThrow(RangeError);
    expect(() => clock.advance(1e18)).toThrow(RangeError);
    expect(clock.now().toISOString()).toBe('2026-01-01T00:00:00.000Z');
  });
});

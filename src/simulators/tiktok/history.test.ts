import { describe, expect, it } from 'vitest';
import { createClock } from '../kit/clock.ts';
import { openStore } from '../kit/store.ts';
import { type Past, phasesOf, remembering } from './history.ts';
import type { Native } from './types.ts';

const at = (text: string) => Date.parse(`${text.replace(' ', 'T')}Z`);

function memory(now: string) {
  const clock = createClock();
  clock.freeze(true);
  clock.set(new Date(at(now)));
  const store = openStore();
  const past = store.collection<Past>('past');
  const rows = remembering(store.collection<Native>('ads'), past, clock);
  const phases = (id: string) =>
    phasesOf(rows.get(id)!, past.get(id)).map(({ from, to, on, budget }) => ({
      from: new Date(from).toISOString().slice(0, 16),
      to: to === Number.POSITIVE_INFINITY ? null : new Date(to).toISOString().slice(0, 16),
      on,
      budget,
    }));
  return { clock, past, rows, phases };
}

const ad = (members: Record<string, unknown>): Native => ({
  id: '1',
  advertiser_id: '7',
  operation_status: 'ENABLE',
  budget: 0,
  create_time: '2026-01-01 00:00:00',
  modify_time: '2026-01-01 00:00:00',
  ...members,
});

describe('the memory of rows', () => {
  it('keeps the state before each change of what decides delivery, and nothing for others', () => {
    const { clock, past, rows, phases } = memory('2026-01-02 00:00:00');
    rows.put(ad({}));
    rows.put(ad({ ad_name: 'other' }));
    expect(past.size).toBe(0);
    rows.put(ad({ budget: 50 }));
    clock.advance(86_400_000);
    rows.put(ad({ budget: 50, operation_status: 'DISABLE' }));
    expect(phases('1')).toEqual([
      { from: '2026-01-01T00:00', to: '2026-01-02T00:00', on: true, budget: 0 },
      { from: '2026-01-02T00:00', to: '2026-01-03T00:00', on: true, budget: 50 },
      { from: '2026-01-03T00:00', to: null, on: false, budget: 50 },
    ]);
  });

  it('takes the last change of a row that was made off, and keeps that moment through later changes', () => {
    const { rows, phases } = memory('2026-02-01 00:00:00');
    const paused = ad({ operation_status: 'DISABLE', modify_time: '2026-01-10 12:00:00' });
    rows.put(paused);
    const expected = [
      { from: '2026-01-01T00:00', to: '2026-01-10T12:00', on: true, budget: 0 },
      { from: '2026-01-10T12:00', to: null, on: false, budget: 0 },
    ];
    expect(phases('1')).toEqual(expected);
    rows.put({ ...paused, ad_name: 'renamed', modify_time: '2026-02-01 00:00:00' });
    expect(phases('1')).toEqual(expected);
  });

  it('one that was made off never was on', () => {
    const { rows, phases } = memory('2026-02-01 00:00:00');
    rows.put(ad({ operation_status: 'DISABLE' }));
    expect(phases('1')).toEqual([{ from: '2026-01-01T00:00', to: null, on: false, budget: 0 }]);
  });

  it('passes everything else through', () => {
    const { rows } = memory('2026-02-01 00:00:00');
    rows.putAll([ad({}), ad({ id: '2' })]);
    expect([rows.size, [...rows.values()].length, rows.get('2')?.id]).toEqual([2, 2, '2']);
    const { version } = rows;
    rows.delete('2');
    expect(rows.get('2')).toBeUndefined();
    expect(rows.version).toBeGreaterThan(version);
  });
});

import { describe, expect, it } from 'vitest';
import { Marks, markRow } from './marks.ts';

const one = new Uint32Array(2);
const markOf = (row: Record<string, unknown>, typed = true): string | undefined =>
  markRow(row, typed, one, 0) ? one.join() : undefined;

describe('marks of rows', () => {
  it('are different for a million ids as platforms give them, and all are found again', () => {
    const marks = new Marks(16);
    const all: number[] = [];
    let doubles = 0;
    for (let index = 0; index < 500_000; index += 1)
      for (const id of [`18500000000${String(index).padStart(8, '0')}`, `${index * 128 + 7}`]) {
        markRow({ id, organization_id: '7001035076276387841' }, true, one, 0);
        const [a, b] = one as unknown as [number, number];
        if (!marks.add(a, b)) doubles += 1;
        if (index % 1000 === 0) all.push(a, b);
      }
    expect(doubles).toBe(0);
    for (let at = 0; at < all.length; at += 2) expect(marks.has(all[at] as number, all[at + 1] as number)).toBe(true);
    expect(marks.has(1, 2)).toBe(false);
  });

  it('tell ad accounts apart, and types where ids need it', () => {
    expect(markOf({ id: '1', organization_id: '2' })).not.toBe(markOf({ id: '1', organization_id: '3' }));
    expect(markOf({ id: '1', organization_id: '2' })).not.toBe(markOf({ id: '12' }));
    expect(markOf({ id: '1', type: 'A' })).not.toBe(markOf({ id: '1', type: 'B' }));
    expect(markOf({ id: '1', type: 'A' }, false)).toBe(markOf({ id: '1', type: 'B', name: 'x' }, false));
  });

  it('are not made of rows without an id', () => {
    expect(markOf({ name: 'x' })).toBeUndefined();
    expect(markOf({ id: '' })).toBeUndefined();
  });
});

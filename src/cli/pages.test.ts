import { describe, expect, it } from 'vitest';
import { everyRow } from './pages.ts';

const ROWS = 10_001;

/** A list whose newest rows come first; `change` is called between two pages. */
function list(change: (rows: { id: string }[], page: number) => void) {
  const rows = Array.from({ length: ROWS }, (_, index) => ({ id: `old-${index}` }));
  let pages = 0;
  const read = async (offset: number, limit: number) => {
    if (pages > 0 && pages < 40) change(rows, pages);
    pages += 1;
    return rows.slice(offset, offset + limit);
  };
  return { rows, read, pages: () => pages };
}

const unchanged = (rows: readonly { id: string }[]): string[] =>
  rows.map(({ id }) => id).filter((id) => id.startsWith('old-'));

describe('every row of a long list', () => {
  it('is read once where nobody writes to it', async () => {
    const { rows, read, pages } = list(() => undefined);
    expect(await everyRow(read, { size: 1000, offset: 0 }, ({ id }) => id)).toEqual(rows);
    expect(pages()).toBe(11);
  });

  it.each<[string, (rows: { id: string }[], page: number) => void]>([
    ['come', (rows, page) => void rows.unshift({ id: `new-${page}-a` }, { id: `new-${page}-b` })],
    ['go', (rows, page) => void rows.splice(page * 7, 3)],
    ['go, more than a page repeats', (rows) => void rows.splice(0, 80)],
    ['come and go', (rows, page) => void (page % 2 ? rows.unshift({ id: `new-${page}` }) : rows.splice(page, 2))],
    ['go at the end', (rows) => void rows.splice(-300)],
  ])('is there once while rows %s', async (_name, change) => {
    const { rows, read } = list(change);
    const found = await everyRow(read, { size: 1000, offset: 0 }, ({ id }) => id);
    const ids = new Set(found.map(({ id }) => id));
    expect(ids.size).toBe(found.length);
    expect(unchanged(rows).filter((id) => !ids.has(id))).toEqual([]);
  });

  it('begins where it is asked to, and takes pages of one row', async () => {
    const { rows, read } = list(() => undefined);
    expect(await everyRow(read, { size: 500, offset: 9_700 }, ({ id }) => id)).toEqual(rows.slice(9_700));
    expect(await everyRow(read, { size: 1, offset: 9_990 }, ({ id }) => id)).toEqual(rows.slice(9_990));
    expect(await everyRow(read, { size: 1000, offset: 0 }, undefined)).toEqual(rows);
    expect(
      await everyRow(
        async () => [],
        { size: 10, offset: 5 },
        () => 1,
      ),
    ).toEqual([]);
  });
});

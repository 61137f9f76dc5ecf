import { describe, expect, it } from 'vitest';
import { page, pickFields } from './paging.ts';
import type { Call } from './types.ts';

const rows = Array.from({ length: 23 }, (_, i) => i + 1);
const call = (params: Record<string, unknown>) => ({ params }) as unknown as Call;

describe('page', () => {
  it('is the first ten rows unless asked otherwise', () => {
    expect(page(rows, call({}))).toEqual({
      list: rows.slice(0, 10),
      page_info: { page: 1, page_size: 10, total_number: 23, total_page: 3 },
    });
  });

  it.each([
    [{ page: 3 }, [21, 22, 23]],
    [{ page: 4 }, []],
    [{ page: '2', page_size: '5' }, [6, 7, 8, 9, 10]],
  ])('%j', (params, list) => {
    expect(page(rows, call(params)).list).toEqual(list);
  });

  it('of nothing has no pages', () => {
    expect(page([], call({})).page_info).toEqual({ page: 1, page_size: 10, total_number: 0, total_page: 0 });
  });

  it.each([{ page: 0 }, { page: 1.5 }, { page: 'x' }, { page_size: 0 }, { page_size: 51 }])('refuses %j', (params) => {
    expect(() => page(rows, call(params), 50)).toThrow(expect.objectContaining({ code: 40002 }));
  });
});

describe('pickFields', () => {
  const row = { a: 1, b: null, c: 3 };
  it('gives the members asked for, all if none', () => {
    expect(pickFields(row, ['c', 'b'], ['a', 'b', 'c'])).toEqual({ c: 3, b: null });
    expect(pickFields(row, undefined, ['a'])).toBe(row);
    expect(pickFields(row, [], ['a'])).toBe(row);
  });

  it('skips documented members that the row does not have, and refuses others by name', () => {
    expect(pickFields(row, ['a', 'd'], ['a', 'd'])).toEqual({ a: 1 });
    expect(() => pickFields(row, ['z'], ['a'])).toThrow('fields: Invalid value: z.');
    expect(() => pickFields(row, 'a', ['a'])).toThrow('fields: Not a valid list.');
  });
});

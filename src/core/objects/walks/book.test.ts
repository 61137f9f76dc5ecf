import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../../test/support/virtual-clock.ts';
import type { Scope } from '../../calls/scope.ts';
import { type ListQuery, parseListQuery } from '../../model/list-query.ts';
import { type Page, Walks } from './book.ts';

const caller = (key = 'k', address = '10.0.0.1'): Scope =>
  ({ connection: { id: 'c' }, caller: { key, address } }) as unknown as Scope;
const ask = (offset: number, limit = 100, more: Record<string, string> = {}): ListQuery =>
  parseListQuery('campaign', { limit: String(limit), offset: String(offset), ...more });
const rows = (from: number, count = 100) =>
  Array.from({ length: count }, (_, index) => ({ id: `row-${from + index}`, organization_id: 'o' }));

/** A whole walk of `pages` pages; answers its last page. */
function walk(walks: Walks, pages: number, scope = caller(), more: Record<string, string> = {}): Page {
  let before: Page | undefined;
  for (let page = 0; page < pages; page += 1) {
    const query = ask(page * 100, 100, more);
    if (page > 0) before = walks.find(scope, 'campaign', query) as Page;
    void walks.keep({ scope, object: 'campaign', query }, before, rows(page * 100), undefined, true);
  }
  return walks.find(scope, 'campaign', ask(pages * 100, 100, more)) as Page;
}

describe('what callers were handed out', () => {
  it('is found where a page ended, for the same list alone', () => {
    const walks = new Walks(new VirtualClock());
    expect(walk(walks, 3).end).toBe(300);
    const found = (query: ListQuery, scope = caller()) => walks.find(scope, 'campaign', query);
    expect(found(ask(250))).toBeUndefined();
    expect(found(ask(300, 50))).toBeDefined();
    expect(found(ask(300, 100, { fields: 'id' }))).toBeDefined();
    for (const more of [{ status: 'ACTIVE' }, { sort: 'name' }, { order: 'desc' }, { raw: 'a=b' }, { org_id: '1' }])
      expect(found(ask(300, 100, more as Record<string, string>))).toBeUndefined();
    expect(found(ask(300), caller('other'))).toBeUndefined();
    expect(walks.find(caller(), 'group', ask(300))).toBeUndefined();
  });

  it('goes on from the page asked for, however often', () => {
    const walks = new Walks(new VirtualClock());
    walk(walks, 3);
    const second = walks.find(caller(), 'campaign', ask(100)) as Page;
    expect(second.end).toBe(100);
    const marks = walks.marksOf(walk(walks, 3), 0);
    const last = walks.find(caller(), 'campaign', ask(300)) as Page;
    for (let at = 0; at < last.marks.length; at += 2)
      expect(marks.has(last.marks[at] as number, last.marks[at + 1] as number)).toBe(true);
  });

  it('is of the caller’s own address where two read the same list with one key', () => {
    const walks = new Walks(new VirtualClock());
    const [one, other] = [caller('k', '10.0.0.1'), caller('k', '10.0.0.2')];
    const query = ask(0);
    void walks.keep({ scope: one, object: 'campaign', query }, undefined, rows(0), undefined, true);
    void walks.keep({ scope: other, object: 'campaign', query }, undefined, rows(5), undefined, true);
    const found = [one, other].map((scope) => walks.find(scope, 'campaign', ask(100)) as Page);
    expect(found[0]).not.toBe(found[1]);
    expect(found[0]?.marks[0]).not.toBe(found[1]?.marks[0]);
  });

  it('is kept once, however often the same first page is asked for', () => {
    const walks = new Walks(new VirtualClock());
    for (let time = 0; time < 50; time += 1) walk(walks, 1);
    expect(walks.rows).toBe(100);
  });

  it('is forgotten ten minutes after the last page', async () => {
    const clock = new VirtualClock();
    const walks = new Walks(clock);
    walk(walks, 2);
    await clock.advance(9 * 60_000);
    expect(walks.find(caller(), 'campaign', ask(200))).toBeDefined();
    await clock.advance(10 * 60_000);
    expect(walks.find(caller(), 'campaign', ask(200))).toBeUndefined();
    walk(walks, 1, caller('other'));
    expect(walks.rows).toBe(100);
  });

  it('is bounded by rows: the walk not used for longest goes first, and all of it', () => {
    const walks = new Walks(new VirtualClock(), { maxRows: 2_000 });
    for (let key = 0; key < 40; key += 1) walk(walks, 5, caller(`key ${key}`));
    expect(walks.rows).toBeLessThanOrEqual(2_000);
    expect(walks.find(caller('key 39'), 'campaign', ask(500))).toBeDefined();
    expect(walks.find(caller('key 0'), 'campaign', ask(500))).toBeUndefined();
    // One that is longer than all there is room for.
    walk(walks, 19, caller('long'));
    expect(walks.rows).toBeLessThanOrEqual(2_000);
  });
});

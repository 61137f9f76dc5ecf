/** The next page of a list that may have changed since the page before it: begins where that one ended, wherever that is by now. */
import type { Native, Unified } from '../../connector/types.ts';
import { BATCH, isLastPage, type NumberedPages, pageSize } from '../walk.ts';
import { type Marks, markRow } from './marks.ts';

/** Where a walk stands in the platform's list. Moved on as rows are read. */
export interface Joint {
  /** Rows before the next one, as the list was when the last one was read. */
  place: number;
  /** How many rows there were then; undefined = nobody knows. */
  total: number | undefined;
  /** The mark of the row just before `place`. */
  last: readonly [number, number];
  /** Rows that were handed out; those that follow are added. */
  seen: Marks;
  /** Whether rows enter the list at its front alone, so that an unchanged total says that none moved forward. */
  newestFirst: boolean;
}

/** Rows that were not handed out before, with what they were decoded as. */
export interface FreshRows {
  rows: Native[];
  decoded: Unified[];
}

/** A native page and where it begins. */
interface Page {
  start: number;
  size: number;
  rows: Native[];
  end: boolean;
  total: number | undefined;
}

/** So many native pages of one answer at most. */
const MAX_READS = 10_000;
/** How far it is looked back at first, in rows. */
const FIRST_STEP = 50;

/**
 * At most `limit` rows that follow. Usually the row before them is still where it was, which reading it with them shows:
 * no call more than by position. Where it is not, some rows have gone or come before it. What was handed out is recognised,
 * so reading begins early enough, at a row that was handed out (the first of the list if there is none), and what is known
 * is left out. Unchanged rows must keep their order among each other; changed ones may move.
 *
 * @throws Unfit as `walk` does within
 */
export async function* continued(
  pages: NumberedPages,
  joint: Joint,
  limit: number,
  decode: (row: Native) => Unified,
  typed: boolean,
): AsyncGenerator<FreshRows, void, undefined> {
  const mark = new Uint32Array(2);
  let left = limit;
  let within = false;
  let gap = false;
  // How far is read at once: further while there is nothing but rows that were handed out.
  let reach = limit;

  const read = async (index: number, size: number): Promise<Page> => {
    const { rows, total } = await pages.read(index, size);
    return { start: index * size, size, rows, end: isLastPage(total, index, size, rows.length), total };
  };
  /** Marks a row of a page; false = there is none, or it has no id. */
  const look = (page: Page, at: number): boolean => {
    const row = page.rows[at - page.start];
    return row !== undefined && markRow(decode(row), typed, mark, 0);
  };
  const known = (): boolean => joint.seen.has(mark[0] as number, mark[1] as number);
  const isLast = (): boolean => mark[0] === joint.last[0] && mark[1] === joint.last[1];
  /** Whether the page begins with a row that was handed out, and has the last of these: then they moved back at most. */
  const joins = (page: Page): boolean => {
    if (joint.place === 0) return true;
    const first = Math.max(joint.place - 1, page.start);
    if (!look(page, first)) return false;
    if (isLast()) return true;
    if (!known()) return false;
    for (let at = first + 1; at < page.start + page.rows.length; at += 1) if (look(page, at) && isLast()) return true;
    return false;
  };
  /** The page with the next row, and the row before it where one page can hold both. */
  const next = (): Promise<Page> => {
    const { place } = joint;
    const { maxSize } = pages;
    const before = Math.max(0, place - 1);
    const wide = place - before + reach;
    if (wide <= maxSize) {
      const size = pageSize(maxSize, before, wide);
      const index = Math.floor(before / size);
      if (index === Math.floor((before + wide - 1) / size)) return read(index, size);
    }
    const size = pageSize(maxSize, place, reach);
    return read(Math.floor(place / size), size);
  };
  /** Whether the page begins where the walk stands though it has not the row before. */
  const follows = async (page: Page): Promise<boolean> => {
    // Within one answer an unchanged total is enough, as for every list that is read at once.
    if (page.total === joint.total && (within || (joint.newestFirst && page.total !== undefined))) return true;
    if (joins(page)) return true;
    const before = await read(joint.place - 1, 1);
    return look(before, joint.place - 1) && isLast();
  };
  /** A page further before, and the row in it from which nothing can have been missed. */
  const back = async (): Promise<{ page: Page; from: number }> => {
    const { maxSize } = pages;
    let step = Math.min(maxSize, Math.max(FIRST_STEP, left));
    let from = joint.place - 1;
    for (;;) {
      from = Math.max(0, from - step);
      const size = pageSize(maxSize, from, step);
      const page = await read(Math.floor(from / size), size);
      if (from === 0 || (look(page, from) && known())) return { page, from };
      step = Math.min(maxSize, step * 2);
    }
  };

  for (let count = 0; count < MAX_READS; count += 1) {
    let page = await next();
    let from = joint.place;
    const fits = gap || (page.start === from && from > 0 ? await follows(page) : joins(page));
    if (!fits) ({ page, from } = await back());
    joint.total = page.total;
    within = true;
    const stop = page.start + page.rows.length;
    const before = left;
    let fresh: FreshRows = { rows: [], decoded: [] };
    for (let at = from; at < stop && left > 0; at += 1) {
      const row = page.rows[at - page.start] as Native;
      const unified = decode(row);
      const marked = markRow(unified, typed, mark, 0);
      joint.place = at + 1;
      if (marked) joint.last = [mark[0] as number, mark[1] as number];
      if (!marked || joint.seen.add(mark[0] as number, mark[1] as number)) {
        fresh.rows.push(row);
        fresh.decoded.push(unified);
        left -= 1;
      }
      if (fresh.rows.length < BATCH && (at - from + 1) % BATCH !== 0) continue;
      yield fresh;
      fresh = { rows: [], decoded: [] };
    }
    if (fresh.rows.length > 0) yield fresh;
    if (left === 0 || page.end) return;
    // A page that is short though there are more: the platform left rows out of it, so the next one begins after all of it.
    reach = left < before ? left : Math.max(left, Math.min(pages.maxSize - 1, reach * 4));
    gap = page.rows.length < page.size;
    joint.place = gap ? page.start + page.size : stop;
  }
}

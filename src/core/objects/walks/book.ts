/**
 * What callers who page through lists were handed out, so that the next page can go on there though the list has changed.
 * Callers send `offset`, which is the number of rows they have: so a page is found by the list and where it ended.
 */
import { randomBytes } from 'node:crypto';
import type { Scope } from '../../calls/scope.ts';
import type { Clock } from '../../clock.ts';
import type { ObjectName, Unified } from '../../connector/types.ts';
import type { ListQuery } from '../../model/list-query.ts';
import { Marks, markRow } from './marks.ts';

/** Rows that one node remembers, of all lists: 8 bytes each. */
const MAX_ROWS = 500_000;
/** How long after its last page a walk is forgotten, in ms. */
export const KEPT_MS = 10 * 60_000;
/** Pages of one list that end at the same row: callers at the same time, or one that began anew. */
const MAX_VERSIONS = 8;
/** Pages made within this time, in ms, are told apart by the address they were asked for from. */
const AT_ONCE_MS = 10_000;

/** Where in the platform's own list a page ended. */
export interface Place {
  /** Rows up to the last one handed out. */
  row: number;
  /** How many the list had; undefined = the platform does not say. */
  total: number | undefined;
  /** Every row so far was younger than the one after it, or as young. */
  newestFirst: boolean;
}

/** A page that was handed out, after those before it. Never changed: a page asked for again goes on from the same one. */
export interface Page {
  readonly list: string;
  readonly before: Page | undefined;
  /** Rows handed out up to its end. */
  readonly end: number;
  /** Of its rows. */
  readonly marks: Uint32Array;
  /** Undefined = the list is read from its beginning each time. */
  readonly place: Place | undefined;
  readonly limit: number;
  /** Under which other nodes find its marks; empty on a single node. */
  readonly name: string;
  /** Where it was asked for from; undefined = unknown, as for pages that another node made. */
  readonly address: string | undefined;
  readonly made: number;
  /** When it was last of use. */
  at: number;
  /** Somebody has gone on from it. */
  followed: boolean;
}

/** Pages shared by several nodes. Neither function rejects: what cannot be reached is not known. */
export interface SharedPages {
  /**
   * The last page of the list that ended there, on whichever node. `mine`: it was made here. `known`: pages in memory, which
   * need not be fetched.
   */
  find(
    list: string,
    end: number,
    now: number,
    known: (name: string) => Page | undefined,
  ): Promise<{ page: Page; mine: boolean } | undefined>;
  keep(page: Page): Promise<void>;
  close(): Promise<void>;
}

/** What a list is known by: its caller's key, and all of the call that decides which rows it has, in which order. */
function listName(scope: Scope, object: ObjectName, { sort, order, filters, raw }: ListQuery): string {
  let name = `${scope.caller?.key ?? ''}\n${scope.connection.id}\n${object}\n${sort ?? ''}\n${order}`;
  for (const filter in filters) name += `\n${filter}=${filters[filter as keyof typeof filters]}`;
  for (const _ in raw) return `${name}\n\n${JSON.stringify(raw)}`;
  return name;
}

export class Walks {
  readonly #clock: Clock;
  readonly #shared: SharedPages | undefined;
  readonly #maxRows: number;
  /** By list and end; the last of each is the youngest. */
  readonly #pages = new Map<string, Page[]>();
  /** All of them, the one not used for longest first. */
  readonly #used = new Set<Page>();
  /** By how many each is needed: by `#used`, and by pages after it. */
  readonly #needed = new Map<Page, number>();
  readonly #named = new Map<string, Page>();
  #rows = 0;

  constructor(
    clock: Clock,
    { shared, maxRows = MAX_ROWS }: { shared?: SharedPages | undefined; maxRows?: number } = {},
  ) {
    this.#clock = clock;
    this.#shared = shared;
    this.#maxRows = maxRows;
  }

  /** Rows whose marks are in memory. */
  get rows(): number {
    return this.#rows;
  }

  /** The page that ended where the call's begins; undefined = none is known, so the call is answered by position. */
  find(scope: Scope, object: ObjectName, query: ListQuery): Page | undefined | Promise<Page | undefined> {
    const list = listName(scope, object, query);
    const now = this.#clock.now().getTime();
    const own = this.#own(list, query, scope.caller?.address, now);
    if (this.#shared === undefined) return used(own, now);
    // Another node may have made the page before this one, in a later walk than that of which this node knows: so what is
    // in memory counts only when the shared page was made here.
    return this.#shared
      .find(list, query.offset, now, (name) => this.#named.get(name))
      .then((found) => {
        if (found === undefined) return undefined;
        if (found.mine && own !== undefined) return used(own, now);
        if (!this.#needed.has(found.page)) this.#add(found.page);
        return used(found.page, now);
      });
  }

  /** All rows handed out up to the end of a page. */
  marksOf(page: Page, more: number): Marks {
    const marks = new Marks(page.end + more);
    for (let at: Page | undefined = page; at !== undefined; at = at.before) marks.addAll(at.marks);
    return marks;
  }

  /**
   * Notes a page that was handed out, and that others may follow. With shared pages it is there for other nodes when the
   * promise resolves. `typed`: as `markRow` takes it.
   */
  keep(
    { scope, object, query }: { scope: Scope; object: ObjectName; query: ListQuery },
    before: Page | undefined,
    rows: readonly Unified[],
    place: Place | undefined,
    typed: boolean,
  ): Promise<void> | undefined {
    const marks = new Uint32Array(rows.length * 2);
    for (let at = 0; at < rows.length; at += 1)
      if (!markRow(rows[at] as Unified, typed, marks, at * 2)) return undefined;
    const now = this.#clock.now().getTime();
    const page: Page = {
      list: listName(scope, object, query),
      before,
      end: query.offset + rows.length,
      marks,
      place,
      limit: query.limit ?? rows.length,
      name: this.#shared === undefined ? '' : randomBytes(9).toString('base64url'),
      address: scope.caller?.address,
      made: now,
      at: now,
      followed: false,
    };
    this.#add(page);
    return this.#shared?.keep(page);
  }

  /** Ends what is shared. */
  async close(): Promise<void> {
    await this.#shared?.close();
  }

  /** Takes a page in, in place of the same one made before. */
  #add(page: Page): void {
    const key = `${page.list}\n${page.end}`;
    const versions = this.#pages.get(key);
    if (versions === undefined) this.#pages.set(key, [page]);
    else {
      const same = versions.find((one) => one.before === page.before && sameMarks(one.marks, page.marks));
      if (same !== undefined) this.#drop(same, versions);
      else if (versions.length >= MAX_VERSIONS) this.#drop(versions[0] as Page, versions);
      versions.push(page);
      // Dropping the only one forgot the list.
      if (versions.length === 1) this.#pages.set(key, versions);
    }
    this.#used.add(page);
    this.#need(page);
    this.#touch(page.before);
    this.#tidy(page.at);
  }

  #own(list: string, { offset, limit }: ListQuery, address: string | undefined, now: number): Page | undefined {
    const versions = this.#pages.get(`${list}\n${offset}`);
    const youngest = versions?.at(-1);
    if (versions === undefined || youngest === undefined) return undefined;
    let best: Page | undefined;
    let bestScore = -1;
    for (const page of versions) {
      if (page.at <= now - KEPT_MS) continue;
      const same = page.address === address && page.made > youngest.made - AT_ONCE_MS;
      // Pages of another size are of another walk; one that was gone on from already is of an earlier one, or is asked again.
      const score = (page.limit === limit ? 4 : 0) + (page.followed ? 0 : 2) + (same ? 1 : 0);
      if (score >= bestScore) [best, bestScore] = [page, score];
    }
    return best;
  }

  /** A page that was gone on from may be asked for once more. */
  #touch(page: Page | undefined): void {
    if (page !== undefined && this.#used.delete(page)) this.#used.add(page);
  }

  #need(last: Page): void {
    for (let page: Page | undefined = last; page !== undefined; page = page.before) {
      const count = this.#needed.get(page) ?? 0;
      this.#needed.set(page, count + 1);
      if (count > 0) return;
      this.#rows += page.marks.length / 2;
      if (page.name !== '') this.#named.set(page.name, page);
    }
  }

  /** Pages before it may be needed by nobody then: one after the other, they may be many. */
  #release(last: Page): void {
    for (let page: Page | undefined = last; page !== undefined; page = page.before) {
      const count = (this.#needed.get(page) ?? 1) - 1;
      if (count > 0) {
        this.#needed.set(page, count);
        return;
      }
      this.#needed.delete(page);
      this.#named.delete(page.name);
      this.#rows -= page.marks.length / 2;
    }
  }

  #drop(page: Page, versions: Page[]): void {
    versions.splice(versions.indexOf(page), 1);
    if (versions.length === 0) this.#pages.delete(`${page.list}\n${page.end}`);
    this.#used.delete(page);
    this.#release(page);
  }

  /** Forgets what nobody went on from for long, and what is too much. */
  #tidy(now: number): void {
    for (const page of this.#used) {
      if (page.at > now - KEPT_MS && this.#rows <= this.#maxRows) return;
      this.#drop(page, this.#pages.get(`${page.list}\n${page.end}`) as Page[]);
    }
  }
}

/** Notes that somebody goes on from a page. */
function used(page: Page | undefined, now: number): Page | undefined {
  if (page === undefined) return undefined;
  page.followed = true;
  page.at = now;
  return page;
}

function sameMarks(left: Uint32Array, right: Uint32Array): boolean {
  if (left.length !== right.length) return false;
  for (let at = 0; at < left.length; at += 1) if (left[at] !== right[at]) return false;
  return true;
}

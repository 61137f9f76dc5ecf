/** Walks a platform's list by its paging recipe, batch by batch, fetching no page that nobody asks for. */
import { isDeepStrictEqual } from 'node:util';
import { getPath, setPath } from '../connector/fields.ts';
import type { FilterName, ListFilters, ListOperation, OperationInput } from '../connector/object-spec.ts';
import type { PagingRecipe } from '../connector/paging.ts';
import type { Native, PlatformRequest } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';

/** A list that does not end after this many pages is a fault of the platform (or a cursor that runs in circles). */
const MAX_PAGES = 100_000;
/** A whole list that changes while it is read is read again for rows that moved past; so often at most. */
const MAX_PASSES = 5;

/** Refuses a native parameter that would change what the call is about, or contradict a filter. */
function refuseRaw(name: string, reason: string): never {
  throw new PolyadError('input_invalid', {
    message: `Query: \`raw\` cannot set \`${name}\`: ${reason}.`,
    details: { issues: [{ path: 'raw', reason: `\`${name}\` ${reason}` }] },
  });
}

/** The member of a recipe that says where in the list a page begins; `raw` may not move it. */
function positionOf(recipe: PagingRecipe): string | undefined {
  if (recipe.kind === 'page') return recipe.page;
  if (recipe.kind === 'offset') return recipe.offset;
  return recipe.kind === 'cursor' ? recipe.cursor : undefined;
}

/**
 * The caller's native parameters beside those of the request. They add to it: the ad account, the filters and the page
 * are named by the call's own parameters, so one that says otherwise is refused rather than let through or dropped.
 */
export function withRaw(request: PlatformRequest, raw: Native, operation?: Pick<ListOperation, 'paging'>): Native {
  const query: Native = { ...raw, ...request.query };
  for (const [name, value] of Object.entries(request.query ?? {}))
    if (raw[name] !== undefined && !isDeepStrictEqual(nativeText(raw[name]), nativeText(value)))
      refuseRaw(name, 'the call is about something else already');
  const position = operation === undefined ? undefined : positionOf(operation.paging);
  if (position !== undefined && raw[position] !== undefined) refuseRaw(position, 'use `offset` and `limit`');
  return query;
}

/** A parameter as it stands in an address. */
const nativeText = (value: unknown): string =>
  value !== null && typeof value === 'object' ? JSON.stringify(value) : String(value);

/** Native filters of the caller as an object; in a query they are JSON text. */
function filtersOf(given: unknown, name: string): Native {
  let value = given;
  if (typeof value === 'string')
    try {
      value = JSON.parse(value);
    } catch {
      refuseRaw(name, 'is not valid JSON');
    }
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) refuseRaw(name, 'must be a JSON object');
  return value as Native;
}

/** The request with the native filters applied to its query. */
function filtered(input: OperationInput, operation: ListOperation, filters: ListFilters): PlatformRequest {
  const request = operation.request(input, filters);
  const query = withRaw(request, input.raw, operation);
  const native: Native = {};
  for (const [name, value] of Object.entries(filters) as [FilterName, string | undefined][]) {
    const rule = operation.filters[name];
    if (value !== undefined && rule !== undefined && rule.kind !== 'local') rule.apply(value, native, input.ctx);
  }
  const given =
    operation.filterPath === undefined ? query : filtersOf(getPath(query, operation.filterPath), operation.filterPath);
  for (const [name, value] of Object.entries(native))
    if (given[name] !== undefined && !isDeepStrictEqual(given[name], value))
      refuseRaw(name, 'a filter of the call sets it');
  if (operation.filterPath === undefined) Object.assign(query, native);
  else if (Object.keys(native).length > 0) setPath(query, operation.filterPath, { ...given, ...native });
  return { ...request, query };
}

/** Of the rows of later pages, those that no earlier page had: rows move to later pages when others are added before them. */
class Seen {
  readonly #idOf: ((row: Native) => unknown) | undefined;
  #ids: Set<unknown> | undefined;
  #first: readonly Native[] | undefined;

  constructor(idOf: ((row: Native) => unknown) | undefined) {
    this.#idOf = idOf;
  }

  fresh(rows: Native[]): Native[] {
    const idOf = this.#idOf;
    if (idOf === undefined) return rows;
    // Most lists have one page, and nothing to compare it with.
    if (this.#first === undefined) {
      this.#first = rows;
      return rows;
    }
    this.#ids ??= new Set(this.#first.map(idOf));
    const ids = this.#ids;
    const fresh = rows.filter((row) => {
      const id = idOf(row);
      return id === undefined || !ids.has(id);
    });
    for (const row of fresh) ids.add(idOf(row));
    return fresh;
  }
}

/** Most rows handed on at once. */
export const BATCH = 200;

/**
 * Native rows from row `offset` on, in batches. `pageHint` is how many rows the caller expects to take, so that a small
 * window does not fetch a large page, nor wait for rows that nobody asked for. `idOf`: what a row is recognised by, so that
 * one which moves to another page while the list is read comes once, and in a whole list is not missed. `counted` is told
 * how many rows the list has, where the platform says it.
 */
export async function* walk(
  input: OperationInput,
  operation: ListOperation,
  filters: ListFilters,
  offset: number,
  pageHint = Number.POSITIVE_INFINITY,
  idOf?: (row: Native) => unknown,
  counted?: (total: number | undefined) => void,
): AsyncGenerator<Native[], void, undefined> {
  let skip = offset;
  if (!(await isRun(input, operation))) {
    let begun = false;
    try {
      for await (const rows of paged(input, operation, filters, offset, pageHint, idOf, counted)) {
        begun = true;
        yield rows;
      }
      return;
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      if (begun) throw changedMeanwhile();
    }
  }
  if (operation.run !== undefined) {
    const size = Math.min(BATCH, pageHint);
    let batch: Native[] = [];
    for await (const row of operation.run(input, filters)) {
      if (skip > 0) skip -= 1;
      else batch.push(row);
      if (batch.length < size) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }
}

/** Whether the list is made by the operation's own `run` in this ad account. */
const isRun = async (input: OperationInput, operation: ListOperation): Promise<boolean> =>
  operation.run !== undefined && ((await operation.needsRun?.(input)) ?? true);

/** The caller has to begin anew. */
export const changedMeanwhile = (): PolyadError =>
  new PolyadError('platform_conflict', {
    message: 'The list changed while it was read, in a way that takes reading it anew. Repeat the call.',
  });

const isRow = (row: unknown): row is Native => typeof row === 'object' && row !== null && !Array.isArray(row);

/** A row of another kind than the paged call is for. */
export class Unfit extends Error {}

/** The same by the paged call. Throws `Unfit` when it comes upon such a row. */
async function* paged(
  input: OperationInput,
  operation: ListOperation,
  filters: ListFilters,
  offset: number,
  pageHint: number,
  idOf: ((row: Native) => unknown) | undefined,
  counted: ((total: number | undefined) => void) | undefined,
): AsyncGenerator<Native[], void, undefined> {
  let skip = offset;
  const request = filtered(input, operation, filters);
  const jumped = (skipped: number): void => {
    skip = offset - skipped;
  };
  for await (const rows of pages(input, operation, request, offset, pageHint, jumped, new Seen(idOf), counted)) {
    if (operation.unfit !== undefined && rows.some(operation.unfit)) throw new Unfit();
    const from = Math.min(skip, rows.length);
    skip -= from;
    for (let at = from; at < rows.length; at += BATCH)
      yield from === 0 && rows.length <= BATCH ? rows : rows.slice(at, at + BATCH);
  }
}

/** One native page. `members` say which. */
async function fetchPage(
  input: OperationInput,
  operation: ListOperation,
  request: PlatformRequest,
  members: Native,
): Promise<{ json: unknown; rows: Native[] }> {
  const { json } = await input.ctx.request({ ...request, query: { ...request.query, ...members } });
  const found = getPath(json, operation.rows);
  const rows: unknown[] = Array.isArray(found) ? found : [];
  if (!rows.every(isRow))
    throw new PolyadError('platform_unknown_error', {
      message: 'The platform’s list holds something that is no object.',
      details: { operation: request.operation },
    });
  return { json, rows };
}

type NumberedRecipe = Extract<PagingRecipe, { kind: 'page' | 'offset' }>;

/** What asks for page `index`, from 0, of `size` rows each. */
const numberedPage = (recipe: NumberedRecipe, index: number, size: number): Native =>
  recipe.kind === 'page'
    ? { [recipe.page]: index + recipe.firstPage, [recipe.size]: size }
    : { [recipe.offset]: index * size, [recipe.size]: size };

/** How many rows the list has; undefined where the platform does not say. A total of 0 beside rows is a way of not counting. */
function totalOf(recipe: NumberedRecipe, json: unknown): number | undefined {
  const total = recipe.total === undefined ? 0 : Number(getPath(json, recipe.total));
  return total > 0 ? total : undefined;
}

/** Whether a page is the last one. Without a total a short page is. */
export const isLastPage = (total: number | undefined, index: number, size: number, rows: number): boolean =>
  rows === 0 || (total === undefined ? rows < size : (index + 1) * size >= total);

/** A list of which any page can be asked for. */
export interface NumberedPages {
  /** Most rows of a page. */
  maxSize: number;
  /** Page `index`, from 0, of `size` rows each, and how many rows there are in all. Throws `Unfit` as `walk` does within. */
  read(index: number, size: number): Promise<{ rows: Native[]; total: number | undefined }>;
}

/** The list's pages by number; undefined where the platform does not number them. */
export async function numberedPages(
  input: OperationInput,
  operation: ListOperation,
  filters: ListFilters,
): Promise<NumberedPages | undefined> {
  const recipe = operation.paging;
  if ((recipe.kind !== 'page' && recipe.kind !== 'offset') || (await isRun(input, operation))) return undefined;
  const request = filtered(input, operation, filters);
  return {
    maxSize: recipe.maxSize,
    async read(index, size) {
      const { json, rows } = await fetchPage(input, operation, request, numberedPage(recipe, index, size));
      if (operation.unfit !== undefined && rows.some(operation.unfit)) throw new Unfit();
      return { rows, total: totalOf(recipe, json) };
    },
  };
}

/** Pages of rows. `jumped` tells how many rows before the first page were left out by the recipe itself. */
async function* pages(
  input: OperationInput,
  operation: ListOperation,
  request: PlatformRequest,
  offset: number,
  pageHint: number,
  jumped: (rows: number) => void,
  seen: Seen,
  counted: ((total: number | undefined) => void) | undefined,
): AsyncGenerator<Native[], void, undefined> {
  const recipe: PagingRecipe = operation.paging;
  const fetch = (members: Native) => fetchPage(input, operation, request, members);
  if (recipe.kind === 'none') {
    yield seen.fresh((await fetch({})).rows);
    return;
  }
  if (recipe.kind === 'page' || recipe.kind === 'offset') {
    const size = pageSize(recipe.maxSize, offset, pageHint);
    const first = Math.floor(offset / size);
    jumped(first * size);
    const whole = offset === 0 && pageHint === Number.POSITIVE_INFINITY;
    for (let pass = 0; pass < MAX_PASSES; pass += 1) {
      let before: number | undefined;
      let moved = false;
      for (let page = first; page - first < MAX_PAGES; page += 1) {
        const { json, rows } = await fetch(numberedPage(recipe, page, size));
        const total = totalOf(recipe, json);
        counted?.(total);
        yield seen.fresh(rows);
        moved ||= before !== undefined && total !== before;
        before = total;
        if (isLastPage(total, page, size, rows.length)) break;
      }
      // Rows that were removed pull others to pages that have been read already: they are found by reading again.
      if (!moved || !whole) return;
    }
    return;
  }
  const size = recipe.size === undefined ? {} : { [recipe.size]: recipe.maxSize };
  if (recipe.kind === 'cursor') {
    let cursor: unknown;
    for (let count = 0; count < MAX_PAGES; count += 1) {
      const { json, rows } = await fetch(cursor === undefined ? size : { ...size, [recipe.cursor]: cursor });
      yield seen.fresh(rows);
      const next = getPath(json, recipe.next);
      const more = recipe.hasMore === undefined ? true : getPath(json, recipe.hasMore) === true;
      if (!more || next === undefined || next === null || next === '' || next === cursor) return;
      cursor = next;
    }
    return;
  }
  let url: string | undefined;
  for (let count = 0; count < MAX_PAGES; count += 1) {
    const { json, rows } = url === undefined ? await fetch(size) : await followLink(input, operation, request, url);
    yield seen.fresh(rows);
    const next = getPath(json, recipe.next);
    if (typeof next !== 'string' || next === '' || next === url) return;
    url = next;
  }
}

/** Follows a next link by its path and query alone: a platform's answer cannot send our token to another host. */
async function followLink(input: OperationInput, operation: ListOperation, request: PlatformRequest, url: string) {
  const parsed = new URL(url, 'http://same.host');
  const query = Object.fromEntries(parsed.searchParams);
  const { json } = await input.ctx.request({ ...request, path: parsed.pathname, query });
  const rows = getPath(json, operation.rows);
  return { json, rows: Array.isArray(rows) ? (rows as Native[]) : [] };
}

/**
 * Page size for a window of `hint` rows at `offset`: one page that covers the window exactly where that is possible,
 * else the largest page.
 */
export function pageSize(maxSize: number, offset: number, hint: number): number {
  if (hint >= maxSize) return maxSize;
  for (let size = hint; size <= Math.min(maxSize, hint * 2); size += 1) {
    if (Math.floor(offset / size) === Math.floor((offset + hint - 1) / size)) return size;
  }
  return maxSize;
}

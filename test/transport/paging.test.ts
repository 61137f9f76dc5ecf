/** Lists over many pages that change while they are read: unchanged rows come once, none is missed. */
import { describe, expect, it } from 'vitest';
import type { ListOperation, OperationInput } from '../../src/core/connector/object-spec.ts';
import type { PagingRecipe } from '../../src/core/connector/paging.ts';
import type { Native, PlatformRequest } from '../../src/core/connector/types.ts';
import { walk } from '../../src/core/objects/walk.ts';

const ROWS = 10_001;
const SIZE = 100;

/** A list that others write to: before every page but the first, some rows come and some go. */
class Upstream {
  rows: Native[] = Array.from({ length: ROWS }, (_, index) => ({ id: `old-${index}` }));
  readonly removed = new Set<string>();
  calls = 0;
  #added = 0;
  readonly #order: 'newest first' | 'oldest first';
  readonly #change: (upstream: Upstream, call: number) => void;

  constructor(order: 'newest first' | 'oldest first', change: (upstream: Upstream, call: number) => void) {
    this.#order = order;
    this.#change = change;
  }

  add(count: number): void {
    for (let made = 0; made < count; made += 1) {
      this.#added += 1;
      const row = { id: `new-${this.#added}` };
      if (this.#order === 'newest first') this.rows.unshift(row);
      else this.rows.push(row);
    }
  }

  /** Removes old rows near `share` of the list. */
  remove(count: number, share: number): void {
    const from = Math.floor(this.rows.length * share);
    for (const row of this.rows.splice(from, count)) this.removed.add(String(row['id']));
  }

  answer(kind: PagingRecipe['kind'], query: Native): Native {
    this.calls += 1;
    if (this.calls > 1) this.#change(this, this.calls);
    const from =
      kind === 'page'
        ? (Number(query['page']) - 1) * SIZE
        : kind === 'offset'
          ? Number(query['offset'])
          : // A cursor names the last row that was read.
            this.rows.findIndex((row) => row['id'] === query['cursor']) + 1;
    const list = this.rows.slice(from, from + SIZE);
    const last = list.at(-1)?.['id'];
    return { list, total: this.rows.length, next: from + SIZE < this.rows.length ? last : '' };
  }
}

const RECIPES: Record<'page' | 'offset' | 'cursor', PagingRecipe> = {
  page: { kind: 'page', page: 'page', size: 'size', maxSize: SIZE, firstPage: 1, total: 'total' },
  offset: { kind: 'offset', offset: 'offset', size: 'size', maxSize: SIZE, total: 'total' },
  cursor: { kind: 'cursor', cursor: 'cursor', next: 'next', size: 'size', maxSize: SIZE },
};

async function readAll(kind: keyof typeof RECIPES, upstream: Upstream): Promise<string[]> {
  const operation: ListOperation = {
    request: () => ({ method: 'GET', path: '/list', operation: 'list' }),
    rows: 'list',
    paging: RECIPES[kind],
    filters: {},
  };
  const input = {
    ctx: {
      request: async ({ query = {} }: PlatformRequest) => ({ json: upstream.answer(kind, query) }),
    },
    organization: { id: '1' },
    raw: {},
  } as unknown as OperationInput;
  const ids: string[] = [];
  for await (const batch of walk(input, operation, {}, 0, Number.POSITIVE_INFINITY, (row) => row['id']))
    for (const row of batch) ids.push(String(row['id']));
  return ids;
}

const CHANGES: Record<string, (upstream: Upstream, call: number) => void> = {
  nothing: () => {},
  'rows that come': (upstream, call) => {
    if (call < 60) upstream.add(3);
  },
  'rows that go': (upstream, call) => {
    if (call < 60) upstream.remove(2, 0.001 * call);
  },
  'rows that come and go': (upstream, call) => {
    if (call % 3 === 0 && call < 80) upstream.add(5);
    if (call % 4 === 0 && call < 80) upstream.remove(4, 0.01);
  },
};

describe.each(['page', 'offset', 'cursor'] as const)('a list of 10,001 rows by %s', (kind) => {
  it.each(Object.keys(CHANGES))('meanwhile: %s', async (name) => {
    // A cursor that names a removed row cannot be continued; platforms keep its place, this upstream does not.
    const upstream = new Upstream('newest first', (self, call) => {
      if (kind === 'cursor' && name.includes('go')) self.add(3);
      else CHANGES[name]?.(self, call);
    });
    const ids = await readAll(kind, upstream);
    expect(new Set(ids).size).toBe(ids.length);
    const read = new Set(ids);
    const missing = Array.from({ length: ROWS }, (_, index) => `old-${index}`).filter(
      (id) => !upstream.removed.has(id) && !read.has(id),
    );
    expect(missing).toEqual([]);
  });

  it('that nobody changes is read once', async () => {
    const upstream = new Upstream('newest first', () => {});
    await readAll(kind, upstream);
    expect(upstream.calls).toBe(Math.ceil(ROWS / SIZE));
  });
});

it('a list whose new rows come last is read completely too', async () => {
  const upstream = new Upstream('oldest first', (self, call) => {
    if (call % 5 === 0 && call < 90) self.remove(3, 0.005);
    if (call % 7 === 0 && call < 90) self.add(2);
  });
  const ids = new Set(await readAll('page', upstream));
  for (let index = 0; index < ROWS; index += 1)
    if (!upstream.removed.has(`old-${index}`)) expect(ids.has(`old-${index}`)).toBe(true);
});

describe('a list with entries that are no objects', () => {
  it.each([null, 'text', 7, [{ id: '1' }]])('is the platform’s doing, and no answer without them: %j', async (odd) => {
    const upstream = new Upstream('oldest first', () => {});
    upstream.rows = [{ id: '1' }, odd as unknown as Native];
    await expect(readAll('page', upstream)).rejects.toMatchObject({
      code: 'platform_unknown_error',
      details: { operation: 'list' },
    });
  });
});

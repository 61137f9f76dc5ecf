/**
 * Pages that were handed out, in Redis, so that any node can go on from them. The marks of a page are written once, under a
 * name of their own; what is written anew for each page is the list of those names. Without
 * Redis no page is found, so that lists are answered by position.
 */
import { hash, randomUUID } from 'node:crypto';
import { endianness } from 'node:os';
import type { Redis } from 'ioredis';
import { KEPT_MS, type Page, type SharedPages } from './book.ts';

/** A page before the one before can be asked for again for so long, in ms: long walks have many pages, each naming all. */
const AGAIN_MS = 60_000;
/** Marks outlive the pages they are for: a walk may take long. In ms. */
const MARKS_MS = 60 * 60_000;
const VERSION = 1;

/** The last page of a walk, as it is written. */
interface Entry {
  v: typeof VERSION;
  node: string;
  at: number;
  limit: number;
  /** `row`, `total` (-1 = unknown), whether newest first; absent = read from the beginning. */
  place?: [number, number, boolean];
  /** Names of all pages, the first one first. */
  pages: string[];
}

export interface RedisPagesOptions {
  redis: Redis;
  log: { debug(facts: object, text: string): void };
  /** Before all keys. Default `polyad:walk:`. */
  prefix?: string | undefined;
}

export class RedisPages implements SharedPages {
  readonly #redis: Redis;
  readonly #log: RedisPagesOptions['log'];
  readonly #prefix: string;
  readonly #node = randomUUID();

  constructor({ redis, log, prefix = 'polyad:walk:' }: RedisPagesOptions) {
    this.#redis = redis;
    this.#log = log;
    this.#prefix = prefix;
  }

  async find(
    list: string,
    end: number,
    now: number,
    known: (name: string) => Page | undefined,
  ): Promise<{ page: Page; mine: boolean } | undefined> {
    try {
      const text = await this.#redis.get(this.#entryKey(list, end));
      const entry = text === null ? undefined : (JSON.parse(text) as Entry);
      if (entry?.v !== VERSION || entry.at <= now - KEPT_MS) return undefined;
      const page = await this.#page(list, entry, known);
      return page?.end === end ? { page, mine: entry.node === this.#node } : undefined;
    } catch (error) {
      this.#log.debug({ err: error }, 'Redis (pages of lists)');
      return undefined;
    }
  }

  async keep(page: Page): Promise<void> {
    const pages: string[] = [];
    for (let at: Page | undefined = page; at !== undefined; at = at.before) pages.push(at.name);
    const { place, limit, at, marks } = page;
    const entry: Entry = {
      ...{ v: VERSION, node: this.#node, at, limit, pages: pages.reverse() },
      ...(place === undefined ? {} : { place: [place.row, place.total ?? -1, place.newestFirst] }),
    };
    try {
      const trip = this.#redis
        .pipeline()
        .set(this.#marksKey(page.name), Buffer.from(marks.buffer, marks.byteOffset, marks.byteLength), 'PX', MARKS_MS)
        .set(this.#entryKey(page.list, page.end), JSON.stringify(entry), 'PX', KEPT_MS);
      const older = page.before?.before;
      if (older !== undefined) trip.pexpire(this.#entryKey(older.list, older.end), AGAIN_MS);
      await trip.exec();
    } catch (error) {
      this.#log.debug({ err: error }, 'Redis (pages of lists)');
    }
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }

  /** The page of an entry with those before it. Undefined = marks of one are gone. */
  async #page(list: string, entry: Entry, known: (name: string) => Page | undefined): Promise<Page | undefined> {
    const { pages: names, at, limit, place } = entry;
    const unknown = names.filter((name) => known(name) === undefined);
    const fetched = new Map<string, Buffer | null>();
    if (unknown.length > 0) {
      const found = await this.#redis.mgetBuffer(unknown.map((name) => this.#marksKey(name)));
      unknown.forEach((name, index) => {
        fetched.set(name, found[index] ?? null);
      });
    }
    let page: Page | undefined;
    for (const name of names) {
      const own = known(name);
      const marks = own?.marks ?? marksIn(fetched.get(name));
      if (marks === undefined) return undefined;
      page = own ?? {
        ...{ list, before: page, end: (page?.end ?? 0) + marks.length / 2, marks, limit, name },
        // Of pages before the last one it is not known here, and nobody goes on from them by this.
        place: undefined,
        ...{ address: undefined, made: at, at, followed: false },
      };
    }
    if (page === undefined || place === undefined || page.place?.row === place[0]) return page;
    return { ...page, place: { row: place[0], total: place[1] < 0 ? undefined : place[1], newestFirst: place[2] } };
  }

  #marksKey(name: string): string {
    return `${this.#prefix}marks:${endianness()}:${name}`;
  }

  /** Filters are the caller's business: the key shows none. */
  #entryKey(list: string, end: number): string {
    return `${this.#prefix}page:${hash('sha256', list, 'base64url')}:${end}`;
  }
}

/** The marks that were written; undefined = they are gone. */
function marksIn(bytes: Buffer | null | undefined): Uint32Array | undefined {
  if (bytes === null || bytes === undefined) return undefined;
  const marks = new Uint32Array(bytes.length / 4);
  // Copied: a buffer of the client's begins anywhere, numbers do not.
  new Uint8Array(marks.buffer).set(bytes);
  return marks;
}

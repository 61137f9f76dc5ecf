/**
 * What event sources have received. Compact on purpose: a million events stay far below what a process may hold, so an
 * event leaves its name, its id and its day, never its user data. TikTok counts an event of the same source, name and
 * id once; how long it remembers an id (5 minutes to 48 hours by second-hand notes) is unverified, the simulator does
 * not forget.
 */
import type { AppendLog } from '../kit/types.ts';
import type { World } from './types.ts';

const DAY_S = 86_400;
/** Test events are for looking at; the older ones only count. */
const TEST_EVENTS_KEPT = 1000;

/** What is looked at of one event. */
export interface ReceivedEvent {
  event: string;
  /** Epoch seconds. */
  time: number;
  id?: string | undefined;
  /** Names of the `user` members that came with it. */
  user: readonly string[];
  /** How many identifiers came as plain text where only SHA-256 may stand. */
  unhashed: number;
}

/** One line of an event source's Test Events tab. */
export interface TestEvent {
  test_event_code: string;
  event: string;
  event_time: number;
  event_id: string | null;
  user_fields: readonly string[];
  /** ISO 8601, virtual time. */
  received_at: string;
}

/** One request in the log: `[event, day, id]` of what it added, and what it did not. */
interface Entry {
  s: string;
  /** Epoch milliseconds of virtual time. */
  at: number;
  e: [event: string, day: number, id: string | null][];
  duplicates: number;
  unhashed: number;
  tests: TestEvent[];
}

interface NamedEvents {
  /** In the order in which they were accepted. */
  ids: string[];
  seen: Set<string>;
  withoutId: number;
  /** Day (days since 1970, UTC, by `event_time`) -> events. */
  days: Map<number, number>;
}

interface Source {
  events: Map<string, NamedEvents>;
  duplicates: number;
  unhashed: number;
  tests: TestEvent[];
  testTotal: number;
  lastAt: number | null;
}

/** Counts of one event source. */
export interface SourceCounts {
  /** Distinct events: every source, name and id once; events without an id each. */
  accepted: number;
  duplicates: number;
  test_events: number;
  without_id: number;
  /** Identifiers that were not 64 lower-case hexadecimal digits. */
  unhashed_values: number;
  by_event: Record<string, number>;
  /** ISO 8601 of virtual time; null if there was none. */
  last_received_at: string | null;
}

/** The event sources of one simulator. */
export class EventsBook {
  private readonly log: AppendLog<Entry>;
  private sources = new Map<string, Source>();
  private generation = -1;

  constructor(log: AppendLog<Entry>) {
    this.log = log;
  }

  /** Takes the events of one request. With a `testCode` they are shown, and neither counted nor compared. */
  record(source: string, at: Date, received: readonly ReceivedEvent[], testCode?: string): void {
    const known = this.source(source);
    const entry: Entry = { s: source, at: at.getTime(), e: [], duplicates: 0, unhashed: 0, tests: [] };
    const fresh = new Set<string>();
    for (const item of received) {
      entry.unhashed += item.unhashed;
      if (testCode !== undefined) {
        entry.tests.push({
          test_event_code: testCode,
          event: item.event,
          event_time: item.time,
          event_id: item.id ?? null,
          user_fields: item.user,
          received_at: at.toISOString(),
        });
        continue;
      }
      if (item.id !== undefined) {
        const key = `${item.event}\n${item.id}`;
        if (fresh.has(key) || known.events.get(item.event)?.seen.has(item.id)) {
          entry.duplicates++;
          continue;
        }
        fresh.add(key);
      }
      entry.e.push([item.event, Math.floor(item.time / DAY_S), item.id ?? null]);
    }
    // Disk first: what was answered with OK must be there after a kill.
    this.log.append(entry);
    this.apply(entry);
  }

  /** Counts of a source; undefined if it never received anything. */
  counts(source: string): SourceCounts | undefined {
    this.fold();
    const known = this.sources.get(source);
    if (!known) return undefined;
    const by_event: Record<string, number> = {};
    let accepted = 0;
    let without_id = 0;
    for (const [name, events] of known.events) {
      by_event[name] = events.ids.length + events.withoutId;
      accepted += by_event[name];
      without_id += events.withoutId;
    }
    return {
      accepted,
      duplicates: known.duplicates,
      test_events: known.testTotal,
      without_id,
      unhashed_values: known.unhashed,
      by_event,
      last_received_at: known.lastAt === null ? null : new Date(known.lastAt).toISOString(),
    };
  }

  /** Ids of the sources that received anything: `web:C5…`. */
  keys(): string[] {
    this.fold();
    return [...this.sources.keys()];
  }

  /** Accepted event ids by name, `limit` of them from the `offset`th on; the order does not change while more come in. */
  accepted(
    source: string,
    options: { event?: string | undefined; offset: number; limit: number },
  ): { ids: Record<string, string[]>; total: number } {
    this.fold();
    const ids: Record<string, string[]> = {};
    let { offset, limit } = options;
    let total = 0;
    for (const [name, events] of this.sources.get(source)?.events ?? []) {
      if (options.event !== undefined && name !== options.event) continue;
      total += events.ids.length;
      const part = limit > 0 ? events.ids.slice(offset, offset + limit) : [];
      offset = Math.max(0, offset - events.ids.length);
      limit -= part.length;
      if (part.length > 0) ids[name] = part;
    }
    return { ids, total };
  }

  /** The newest test events of a source, oldest first. */
  tests(source: string): readonly TestEvent[] {
    this.fold();
    return this.sources.get(source)?.tests ?? [];
  }

  /** Events by name with `event_time` on the UTC days from `from` to `to` (epoch milliseconds), both included. */
  between(source: string, from: number, to: number): Map<string, number> {
    this.fold();
    const found = new Map<string, number>();
    const [first, last] = [Math.floor(from / 86_400_000), Math.floor(to / 86_400_000)];
    for (const [name, events] of this.sources.get(source)?.events ?? []) {
      for (const [day, n] of events.days) {
        if (day >= first && day <= last) found.set(name, (found.get(name) ?? 0) + n);
      }
    }
    return found;
  }

  /** Forgets all events, not the sources. */
  clear(): void {
    this.log.clear();
  }

  private source(key: string): Source {
    this.fold();
    let source = this.sources.get(key);
    if (!source) {
      source = { events: new Map(), duplicates: 0, unhashed: 0, tests: [], testTotal: 0, lastAt: null };
      this.sources.set(key, source);
    }
    return source;
  }

  /** Reads the log once at the start, and again (it is empty then) when it was cleared. */
  private fold(): void {
    if (this.generation === this.log.generation) return;
    this.generation = this.log.generation;
    this.sources = new Map();
    for (const entry of this.log.read()) this.apply(entry);
  }

  private apply(entry: Entry): void {
    const source = this.source(entry.s);
    for (const [name, day, id] of entry.e) {
      let events = source.events.get(name);
      if (!events) {
        events = { ids: [], seen: new Set(), withoutId: 0, days: new Map() };
        source.events.set(name, events);
      }
      if (id === null) {
        events.withoutId++;
      } else {
        events.ids.push(id);
        events.seen.add(id);
      }
      events.days.set(day, (events.days.get(day) ?? 0) + 1);
    }
    source.duplicates += entry.duplicates;
    source.unhashed += entry.unhashed;
    source.testTotal += entry.tests.length;
    if (entry.tests.length > 0) source.tests = [...source.tests, ...entry.tests].slice(-TEST_EVENTS_KEPT);
    source.lastAt = entry.at;
  }
}

const books = new WeakMap<object, EventsBook>();

/** The book of a world; worlds over one store share it. */
export function eventsBook(world: World): EventsBook {
  const log = world.store.log<Entry>('events');
  let book = books.get(log);
  if (!book) {
    book = new EventsBook(log);
    books.set(log, book);
  }
  return book;
}

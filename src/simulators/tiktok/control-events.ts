/** What the control API tells of event sources: what they received, and the tokens of the Events Manager. */
import { bad, type ControlCall, type ControlRoute, found, reader } from '../kit/control.ts';
import {
  crmSets,
  EVENT_SOURCES,
  type EventSourceType,
  eventsTokens,
  findSource,
  makeEventsToken,
  offlineSets,
} from './event-sources.ts';
import { eventsBook, type SourceCounts } from './events-book.ts';
import type { EventsToken, Native, World } from './types.ts';

/** Most ids in one answer of `/events/accepted`. */
const MOST_IDS = 200_000;

const NOTHING: SourceCounts = {
  accepted: 0,
  duplicates: 0,
  test_events: 0,
  without_id: 0,
  unhashed_values: 0,
  by_event: {},
  last_received_at: null,
};

/** One event source as pages and the control API show it. */
export interface SourceView extends SourceCounts {
  event_source: EventSourceType;
  event_source_id: string;
  name: string;
  advertiser_id: string;
}

/** All event sources with what they received; of one ad account if it is named. */
export function eventSources(world: World, advertiserId?: string): SourceView[] {
  const book = eventsBook(world);
  const view = (type: EventSourceType, id: string, name: unknown, row: Native): SourceView => ({
    event_source: type,
    event_source_id: id,
    name: String(name ?? ''),
    advertiser_id: row.advertiser_id,
    ...(book.counts(`${type}:${id}`) ?? NOTHING),
  });
  const mine = (rows: Iterable<Native>) =>
    [...rows].filter((row) => advertiserId === undefined || row.advertiser_id === advertiserId);
  return [
    ...mine(world.pixels.values()).map((row) => view('web', String(row['pixel_code']), row['pixel_name'], row)),
    ...mine(world.mobileApps.values()).map((row) => view('app', row.id, row['app_name'], row)),
    ...mine(offlineSets(world).values()).map((row) => view('offline', row.id, row['name'], row)),
    ...mine(crmSets(world).values()).map((row) => view('crm', row.id, row['name'], row)),
  ];
}

/** The type of a source's id; types do not share ids. */
export function typeOfSource(world: World, id: string): EventSourceType | undefined {
  return EVENT_SOURCES.find((type) => findSource(world, type, id));
}

/** Withdraws a token of the Events Manager. */
export function revokeEventsToken(world: World, token: EventsToken): EventsToken {
  const row = { ...token, revoked_at: token.revoked_at ?? world.clock.now().toISOString() };
  eventsTokens(world).put(row);
  return row;
}

const wholeNumber = (query: Record<string, string>, name: string, fallback: number, max: number): number => {
  const text = query[name];
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value <= max ? value : bad(`${name} must be a whole number up to ${max}`);
};

/**
 * - `GET /events/sources?advertiser_id=`: every event source with its counts: accepted (distinct), duplicates, test
 *   events, events without an id, identifiers that were not hashed, accepted by name.
 * - `GET /events/sources/:id` (pixel code, app id or event set id): one of them.
 * - `GET /events/accepted?event_source_id=&event=&offset=&limit=` → `{ ids: { <event>: [event_id] }, total, next }`: the
 *   accepted event ids, `next` is the `offset` that goes on, null at the end.
 * - `GET /events/test?event_source_id=`: the newest test events.
 * - `DELETE /events`: forgets what was received.
 * - `GET /events/tokens`, `POST /events/tokens` `{ event_source_id, user_id? }` → `{ token, … }`: an Events Manager token
 *   in the name of a user (the first one with the right role if absent), `POST /events/tokens/revoke` `{ token }`.
 */
export function eventRoutes(world: World): ControlRoute[] {
  const typeOf = (id: string) => found(typeOfSource(world, id), `event source ${id}`);
  const keyOf = (id: string) => `${typeOf(id)}:${id}`;
  const needed = ({ query }: ControlCall) => query['event_source_id'] ?? bad('event_source_id is missing');
  const tokenView = ({ id, ...rest }: EventsToken) => ({ token: id, ...rest, revoked_at: rest.revoked_at ?? null });

  const accepted = (call: ControlCall) => {
    const offset = wholeNumber(call.query, 'offset', 0, Number.MAX_SAFE_INTEGER);
    const limit = wholeNumber(call.query, 'limit', MOST_IDS, MOST_IDS);
    const page = eventsBook(world).accepted(keyOf(needed(call)), { event: call.query['event'], offset, limit });
    const end = offset + Object.values(page.ids).reduce((n, ids) => n + ids.length, 0);
    return { ...page, next: end < page.total ? end : null };
  };
  const makeToken = ({ body }: ControlCall) => {
    const read = reader(body);
    const id = read.need('event_source_id');
    const type = typeOf(id);
    const { advertiser_id } = findSource(world, type, id)!;
    const asked = read.text('user_id');
    const user =
      asked === undefined
        ? [...world.users.values()].find(({ roles }) => ['ADMIN', 'OPERATOR'].includes(roles[advertiser_id] ?? ''))
        : world.users.get(asked);
    return tokenView(makeEventsToken(world, type, id, found(user, `user ${asked ?? 'who may operate it'}`).id));
  };

  return [
    {
      method: 'GET',
      path: '/events/sources',
      summary: 'event sources and what they received: ?advertiser_id=',
      handle: ({ query }) => ({ sources: eventSources(world, query['advertiser_id']) }),
    },
    {
      method: 'GET',
      path: '/events/sources/:id',
      summary: 'one event source by pixel code, app id or event set id',
      handle({ params }) {
        const id = params['id']!;
        typeOf(id);
        return eventSources(world).find((source) => source.event_source_id === id);
      },
    },
    {
      method: 'GET',
      path: '/events/accepted',
      summary: 'accepted event ids: ?event_source_id=&event=&offset=&limit=',
      handle: accepted,
    },
    {
      method: 'GET',
      path: '/events/test',
      summary: 'the newest test events: ?event_source_id=',
      handle: (call) => ({ test_events: eventsBook(world).tests(keyOf(needed(call))) }),
    },
    { method: 'DELETE', path: '/events', summary: 'forget received events', handle: () => eventsBook(world).clear() },
    {
      method: 'GET',
      path: '/events/tokens',
      summary: 'tokens of the Events Manager',
      handle: () => ({ tokens: [...eventsTokens(world).values()].map(tokenView) }),
    },
    {
      method: 'POST',
      path: '/events/tokens',
      summary: 'make a token of the Events Manager: { event_source_id, user_id? }',
      handle: makeToken,
    },
    {
      method: 'POST',
      path: '/events/tokens/revoke',
      summary: 'withdraw a token of the Events Manager: { token }',
      handle: ({ body }) =>
        tokenView(revokeEventsToken(world, found(eventsTokens(world).get(reader(body).need('token')), 'such token'))),
    },
  ];
}

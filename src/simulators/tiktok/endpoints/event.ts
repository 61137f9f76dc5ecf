import { EVENT_SCOPES, EVENT_SOURCES, type EventSourceType, requireSource } from '../event-sources.ts';
import { ALSO_HASHED, HASHED_USER_FIELDS, STANDARD_EVENTS, TRACK_ITEM } from '../event-table.ts';
import { eventsBook, type ReceivedEvent } from '../events-book.ts';
import { invalid } from '../rules.ts';
import type { Call, Endpoint } from '../types.ts';
import { validateItem } from '../validate.ts';

/**
 * Events API 2.0: event/track. Facts: TikTok docs 1771101303285761. One wrong event refuses its whole request; the
 * answer says nothing of single events. Not on the sandbox host.
 */

type Values = Record<string, unknown>;

const MAX_EVENTS = 1000;
const SHA256 = /^[0-9a-f]{64}$/;

const unhashed = (values: unknown): number =>
  (Array.isArray(values) ? values : [values]).filter((value) => typeof value === 'string' && !SHA256.test(value))
    .length;

/**
 * What the book keeps of an event's `user`, and the check of the members that are a text or a list of them. Plain text
 * where a hash belongs is counted, not refused: what TikTok does then is not documented.
 */
export function readUser(user: unknown, path: string): Pick<ReceivedEvent, 'user' | 'unhashed'> {
  if (typeof user !== 'object' || user === null) return { user: [], unhashed: 0 };
  const values = user as Values;
  let plain = 0;
  for (const name of HASHED_USER_FIELDS) {
    const value = values[name] ?? undefined;
    if (value === undefined) continue;
    if (Array.isArray(value)) {
      const wrong = value.findIndex((item) => typeof item !== 'string');
      if (wrong >= 0) invalid(`${path}.${name}.${wrong}: Not a valid string`);
    } else if (typeof value !== 'string') {
      invalid(`${path}.${name}: Not a valid string`);
    }
    plain += unhashed(value);
  }
  for (const name of ALSO_HASHED) if (values[name] !== undefined) plain += unhashed(values[name]);
  return { user: Object.keys(values), unhashed: plain };
}

/** Rules that depend on where events come from; TikTok's own strictness is unverified, so most are a switch. */
function checkBySource(item: Values, type: EventSourceType, path: string, strict: boolean): void {
  const absent = (name: string) => (item[name] ?? null) === null;
  const user = (item['user'] ?? {}) as Values;
  if (type === 'app' && absent('app')) invalid(`${path}.app: Missing data for required field.`);
  if (!strict) return;
  if (type === 'web' && absent('page')) invalid(`${path}.page: Missing data for required field.`);
  if (type === 'offline') {
    if (!STANDARD_EVENTS.has(String(item['event']))) invalid(`${path}.event: Only standard events are supported.`);
    if ((user['email'] ?? user['phone'] ?? null) === null) invalid(`${path}.user: One of email and phone is required.`);
  }
}

function track(call: Call): unknown {
  const { world, params, now } = call;
  const type = params['event_source'] as EventSourceType;
  const id = String(params['event_source_id']);
  requireSource(call, type, id);
  call.limitSource(id);
  const strict = world.settings.events_strict;
  const received = (params['data'] as unknown[]).map((value, i): ReceivedEvent => {
    const path = `Batch.${i}`;
    const item = validateItem(value, TRACK_ITEM, path);
    checkBySource(item, type, path, strict);
    return {
      event: String(item['event']),
      time: Number(item['event_time']),
      // An empty id cannot tell one event from another.
      id: (item['event_id'] as string | null | undefined) || undefined,
      ...readUser(item['user'], `${path}.user`),
    };
  });
  const test = params['test_event_code'];
  const code = typeof test === 'string' && test !== '' ? test : undefined;
  eventsBook(world).record(`${type}:${id}`, now, received, code);
  return {};
}

/** The second generation of the Events API. */
export const endpoints: Endpoint[] = [
  {
    method: 'POST',
    path: 'event/track',
    auth: 'token',
    events: true,
    scopes: [...new Set(Object.values(EVENT_SCOPES).flat())],
    params: [
      { name: 'event_source', type: 'string', required: true, enum: EVENT_SOURCES },
      { name: 'event_source_id', type: 'string', required: true, min: 1 },
      { name: 'test_event_code', type: 'string' },
      { name: 'partner_name', type: 'string' },
      { name: 'data', type: 'array', required: true, min: 1, max: MAX_EVENTS },
    ],
    handle: track,
  },
];

import { type EventSourceType, requireSource } from '../event-sources.ts';
import { LEGACY_ITEM } from '../event-table.ts';
import { eventsBook, type ReceivedEvent } from '../events-book.ts';
import { invalid } from '../rules.ts';
import type { Call, Endpoint, Param } from '../types.ts';
import { validateItem } from '../validate.ts';
import { readUser } from './event.ts';

/**
 * Events API 1.0: pixel/track, pixel/batch (TikTok docs 1738373164380162) and app|offline/track|batch, of which only
 * path and permission are documented: their bodies follow the pixel's (unverified).
 */

type Values = Record<string, unknown>;

/** The largest batch; documented for pixels, (unverified) for the rest. */
const MAX_EVENTS = 50;

/** Family -> kind of source, the member that names it, and its permission. */
const FAMILIES = {
  pixel: { type: 'web', id: 'pixel_code', scopes: ['51'] },
  app: { type: 'app', id: 'tiktok_app_id', scopes: ['50'] },
  offline: { type: 'offline', id: 'event_set_id', scopes: ['7043626160646946818'] },
} as const satisfies Record<string, { type: EventSourceType; id: string; scopes: readonly string[] }>;

/** Epoch seconds of an ISO 8601 time. An empty one is now: a widely used client checks its credentials that way. */
function readTimestamp(value: unknown, path: string, now: Date): number {
  if (value === undefined || value === null || value === '') return Math.floor(now.getTime() / 1000);
  const at = /^\d{4}-\d{2}-\d{2}T/.test(String(value)) ? Date.parse(String(value)) : Number.NaN;
  if (Number.isNaN(at)) invalid(`${path}timestamp: Not a valid datetime.`);
  return Math.floor(at / 1000);
}

function readItem(value: unknown, path: string, now: Date): ReceivedEvent {
  const item = validateItem(value, LEGACY_ITEM, path);
  const prefix = path === '' ? '' : `${path}.`;
  const context = (item['context'] ?? {}) as Values;
  return {
    event: String(item['event']),
    time: readTimestamp(item['timestamp'], prefix, now),
    id: (item['event_id'] as string | null | undefined) || undefined,
    ...readUser(context['user'], `${prefix}context.user`),
  };
}

const code = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

function endpointsOf(family: keyof typeof FAMILIES): Endpoint[] {
  const { type, id: idName, scopes } = FAMILIES[family];
  const record = (call: Call, received: readonly ReceivedEvent[]) => {
    const id = String(call.params[idName]);
    requireSource(call, type, id);
    call.limitSource(id);
    eventsBook(call.world).record(`${type}:${id}`, call.now, received, code(call.params['test_event_code']));
    return {};
  };
  const common: Param[] = [
    { name: idName, type: 'string', required: true, min: 1 },
    { name: 'partner_name', type: 'string' },
    { name: 'test_event_code', type: 'string' },
  ];
  return [
    {
      method: 'POST',
      path: `${family}/track`,
      auth: 'token',
      events: true,
      scopes,
      params: common,
      handle: (call) => record(call, [readItem(call.params, '', call.now)]),
    },
    {
      method: 'POST',
      path: `${family}/batch`,
      auth: 'token',
      events: true,
      scopes,
      params: [...common, { name: 'batch', type: 'array', required: true, min: 1, max: MAX_EVENTS }],
      handle: (call) =>
        record(
          call,
          (call.params['batch'] as unknown[]).map((item, i) => readItem(item, `Batch.${i}`, call.now)),
        ),
    },
  ];
}

/** The first generation of the Events API. */
export const endpoints: Endpoint[] = [...endpointsOf('pixel'), ...endpointsOf('app'), ...endpointsOf('offline')];

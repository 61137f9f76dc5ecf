/**
 * TikTok's Events API 2.0: one endpoint for web, app, offline and CRM events (TikTok docs 1771101303285761). The first
 * generation (`/pixel/track/`, `/app/track/`, `/offline/track/` and their batches) is reachable by pass-through alone.
 */
import type { ConversionSpec } from '../../core/connector/conversion-spec.ts';
import { APP_EVENTS, APP_NATIVE_EVENTS, EVENT_FIELDS, LEGACY_WEB_EVENTS, WEB_EVENTS } from './conversions-table.ts';
import { API } from './manifest.ts';

/** Endpoint of events, as quotas and logs name it. */
export const EVENT_OPERATION = 'event/track';

const DAY_MS = 86_400_000;

/** Path of a validation message: `Batch.0.properties.contents.0.content_id: Not a valid string`. */
const EVENT_PATH = /^\s*(?:Batch|data)\.(\d+)(?:\.|:)/i;
/** Validation of what an event set is, not of an event. */
const DESTINATION_PATH = /^\s*(?:event_source(?:_id)?|test_event_code|partner_name|pixel_code)\b/i;

/**
 * Native scopes any of which lets an OAuth token report events: the Measurement permission above all, and each source's
 * own (TikTok docs 1753986142651394 lists `/event/track/` under Measurement > Report Conversion Event).
 */
const EVERY_SOURCE = ['5', '7224195155857866754'];

/** Server-side conversion events at TikTok. */
export const conversions: ConversionSpec = {
  // The sandbox host does not have the endpoint; tests run against production with a test code.
  environments: ['production', 'simulator'],
  sources: {
    web: {
      destination: {
        title: 'Pixel code',
        pattern: '^[A-Z0-9]{8,40}$',
        instruction:
          'TikTok Ads Manager > Tools > Events > your pixel: the code of letters and digits (such as C5ABCDEFGHIJKLMNOP), not the numeric pixel id.',
      },
      events: { ...WEB_EVENTS, PAGE_VIEW: 'Pageview' },
      natives: LEGACY_WEB_EVENTS,
      custom: true,
      standard: true,
      limited: 'limited_data_use',
      grantScopes: [...EVERY_SOURCE, '51'],
    },
    app: {
      destination: {
        title: 'TikTok App ID',
        pattern: '^[0-9]{6,25}$',
        instruction: 'TikTok Ads Manager > Tools > Events > your app: the TikTok App ID, not that of the app store.',
      },
      events: APP_EVENTS,
      natives: APP_NATIVE_EVENTS,
      custom: true,
      standard: true,
      required: ['app.id'],
      limited: 'limited_data_use',
      grantScopes: [...EVERY_SOURCE, '50'],
    },
    offline: {
      destination: {
        title: 'Offline event set ID',
        pattern: '^[0-9]{6,25}$',
        instruction: 'TikTok Ads Manager > Tools > Events > Offline: the event set ID.',
      },
      events: WEB_EVENTS,
      natives: [],
      custom: false,
      standard: true,
      oneOf: [['user.email', 'user.phone']],
      grantScopes: [...EVERY_SOURCE, '7043626160646946818'],
    },
    crm: {
      destination: {
        title: 'CRM event set ID',
        pattern: '^[0-9]{6,25}$',
        instruction:
          'TikTok Ads Manager > Tools > Events > CRM: the event set ID (the call crm/list names it as well).',
      },
      // The official text takes custom events alone; its own example sends AddToCart, so native names pass as such.
      events: {},
      natives: [],
      custom: true,
      standard: false,
      required: ['lead.id'],
      grantScopes: [...EVERY_SOURCE, '7294180478502830081'],
    },
  },
  credentials: [
    {
      kind: 'events_token',
      title: 'Events API access token',
      instruction:
        'TikTok Ads Manager > Tools > Events > the pixel, app or event set > Settings > Events API > Generate Access Token. It is shown once.',
    },
  ],
  maxEvents: 1_000,
  // Accepted up to the longest attribution window, 28 days after a click; older ones match nothing.
  maxAgeMs: 28 * DAY_MS,
  // Not documented; ten minutes bear clocks that differ.
  maxAheadMs: 600_000,
  fields: EVENT_FIELDS,
  reserved: ['event', 'event_time', 'event_id', 'limited_data_use'],
  request: ({ source, sourceId, testCode, events }) => ({
    method: 'POST',
    path: `${API}/${EVENT_OPERATION}/`,
    operation: EVENT_OPERATION,
    jsonText: `{"event_source":${JSON.stringify(source)},"event_source_id":${JSON.stringify(sourceId)}${
      testCode === undefined ? '' : `,"test_event_code":${JSON.stringify(testCode)}`
    },"partner_name":"polyad","data":[${events.join(',')}]}`,
    quotaObject: sourceId,
    // Every event carries an id by which TikTok counts it once, so a batch may be sent again.
    idempotent: true,
  }),
  // A success says nothing of single events.
  read: () => [],
  blame(error, count) {
    if (error.code !== 'platform_rejected') return { on: 'destination' };
    const message = error.platform?.message ?? '';
    if (DESTINATION_PATH.test(message)) return { on: 'destination' };
    const index = Number(EVENT_PATH.exec(message)?.[1] ?? Number.NaN);
    return Number.isInteger(index) && index < count ? { on: 'event', index } : { on: 'unknown' };
  },
};

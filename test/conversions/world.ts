/** The app beside TikTok's simulator, with conversion destinations: for the suites of conversion events. */
import { type Json, startTestApp, type TestApp } from '../support/app.ts';

export type Source = 'web' | 'app' | 'offline' | 'crm';

export interface ConversionWorld {
  app: TestApp;
  connection: string;
  /** The Events Manager's token of the web pixel. */
  token: string;
  sources: Record<Source, string>;
  /** Web destination. */
  web: Json;
  /** Makes a destination of another source, with a token of its own. */
  destination(source: Source, more?: Json): Promise<Json>;
  /** An event that every web destination takes. */
  purchase(more?: Json): Json;
  /** Sends to the web destination, or the one named. */
  send(body: Json, destination?: string, query?: string): ReturnType<TestApp['call']>;
  /** Sends what waits, as a server's background work does. */
  drain(): Promise<void>;
  fates(query: string): Promise<Json[]>;
  fateOf(eventId: string): Promise<Json>;
  /** What the simulator received from a source. */
  received(source?: Source): Promise<Json>;
  /** How often it was asked. */
  requests(): Promise<number>;
  close(): Promise<void>;
}

let numbers = 0;

/** An event id that no other event has. */
export const fresh = (prefix = 'e'): string => {
  numbers += 1;
  return `${prefix}-${numbers}`;
};

export async function openWorld(): Promise<ConversionWorld> {
  const app = await startTestApp({ platform: 'tiktok', clock: 'virtual', tap: true });
  const connection = (await app.connect()).get('id') as string;
  const ready = app.simulator.ready as Json;
  const sources = ready.event_source_ids as Record<Source, string>;
  const token = ready.events_access_token as string;
  const destination = async (source: Source, more: Json = {}): Promise<Json> => {
    const own =
      source === 'web'
        ? token
        : (await app.control('POST', '/events/tokens', { event_source_id: sources[source] })).token;
    return app.ok('POST', '/v1/conversion_destinations', {
      connection_id: connection,
      source: source.toUpperCase(),
      source_id: sources[source],
      credential: { kind: 'events_token', token: own },
      ...more,
    });
  };
  const web = await destination('web');
  const fates = (query: string): Promise<Json[]> => app.ok('GET', `/ads/${connection}/conversion?${query}`);
  return {
    app,
    connection,
    token,
    sources,
    web,
    destination,
    purchase: (more = {}) => ({
      event: 'PURCHASE',
      event_id: fresh(),
      occurred_at: app.now().toISOString(),
      user: { email: 'alice_abc@gmail.com' },
      ...more,
    }),
    send: (body, id = web.id, query = '') =>
      app.call('POST', `/ads/${connection}/conversion?destination_id=${id}${query}`, body),
    drain: () => app.app.services.conversions.sender.drain(),
    fates,
    fateOf: async (eventId) => (await fates(`event_id=${eventId}`))[0],
    received: (source = 'web') => app.control('GET', `/events/sources/${sources[source]}`),
    requests: async () => (await app.requests('/event/track/')).length,
    close: () => app.close(),
  };
}

/**
 * Event sources (pixels, apps, offline and CRM event sets), who may report to them, and the tokens of the Events
 * Manager. Facts: TikTok docs 1771101303285761 ("Report App, Web, Offline, or CRM Events"), official permission scopes.
 */
import { randomBytes } from 'node:crypto';
import type { Collection } from '../kit/types.ts';
import { scopeIncludes } from './auth.ts';
import { type Call, type EventsToken, type Native, TikTokError, type World } from './types.ts';

/** Values of `event_source`. */
export const EVENT_SOURCES = ['web', 'app', 'offline', 'crm'] as const;
export type EventSourceType = (typeof EVENT_SOURCES)[number];

/** Permissions of which an OAuth token needs one. That a token for single kinds of events works too is unverified. */
export const EVENT_SCOPES: Record<EventSourceType, readonly string[]> = {
  web: ['7224195155857866754', '51'],
  app: ['7224195155857866754', '50'],
  offline: ['7224195155857866754', '7043626160646946818'],
  crm: ['7224195155857866754', '7294180478502830081'],
};

/** How an error names the source; sourced for pixels, (unverified) for the rest. */
const NAMES: Record<EventSourceType, string> = {
  web: 'pixel code',
  app: 'app',
  offline: 'offline event set',
  crm: 'CRM event set',
};

/** Offline event sets: `event_set_id` is the row's id. */
export const offlineSets = (world: World): Collection<Native> =>
  world.store.collection<Native>('offline_event_sets', { advertiser: (row) => row.advertiser_id });

/** CRM event sets. */
export const crmSets = (world: World): Collection<Native> =>
  world.store.collection<Native>('crm_event_sets', { advertiser: (row) => row.advertiser_id });

/** Tokens made in the Events Manager; `id` is the token. */
export const eventsTokens = (world: World): Collection<EventsToken> =>
  world.store.collection<EventsToken>('events_tokens');

const codes = new WeakMap<Collection<Native>, { version: number; byCode: Map<string, Native> }>();

/** The pixel of a pixel code. Events name the code, everything else the numeric id. */
export function pixelOfCode(world: World, code: string): Native | undefined {
  let index = codes.get(world.pixels);
  if (!index || index.version !== world.pixels.version) {
    const byCode = new Map([...world.pixels.values()].map((row) => [String(row['pixel_code']), row]));
    index = { version: world.pixels.version, byCode };
    codes.set(world.pixels, index);
  }
  return index.byCode.get(code);
}

/** The event source of an `event_source` and `event_source_id`. */
export function findSource(world: World, type: EventSourceType, id: string): Native | undefined {
  switch (type) {
    case 'web':
      return pixelOfCode(world, id);
    case 'app':
      return world.mobileApps.get(id);
    case 'offline':
      return offlineSets(world).get(id);
    case 'crm':
      return crmSets(world).get(id);
  }
}

/** Ad accounts that may use a source: its own; of a pixel that a Business Center owns, those that it linked. */
export function accountsOf(source: Native): string[] {
  const linked = source['_linked_advertiser_ids'];
  return Array.isArray(linked) ? (linked as string[]) : [source.advertiser_id];
}

/** Makes a token for an event source, in the name of a user. The caller has checked both. */
export function makeEventsToken(world: World, type: EventSourceType, sourceId: string, userId: string): EventsToken {
  const token: EventsToken = {
    id: randomBytes(20).toString('hex'),
    user_id: userId,
    event_source: type,
    event_source_id: sourceId,
    advertiser_id: findSource(world, type, sourceId)!.advertiser_id,
    created_at: world.clock.now().toISOString(),
  };
  eventsTokens(world).put(token);
  return token;
}

/**
 * The caller may report to this source: its user is admin or operator of an ad account of the source, and its token
 * reaches that account. An Events Manager token reaches the ad account in which it was made (unverified: whether only
 * the one source).
 * @throws TikTokError 40001; a source that is not there answers the same.
 */
export function requireSource(call: Call, type: EventSourceType, id: string): Native {
  const { world, grant, eventsToken } = call;
  const scopes = EVENT_SCOPES[type];
  if (grant && !scopes.some((scope) => scopeIncludes(grant.scope, scope))) {
    throw new TikTokError(
      40001,
      `No permission to report ${type} events. The authorization needs one of the permissions ${scopes.join(', ')}.`,
    );
  }
  const source = findSource(world, type, id);
  const user = world.users.get(grant?.user_id ?? eventsToken?.user_id ?? '');
  const reached = eventsToken ? [eventsToken.advertiser_id] : (grant?.advertiser_ids ?? []);
  const may =
    source &&
    source['_unbound'] !== true &&
    accountsOf(source).some((account) => {
      const role = user?.roles[account];
      return reached.includes(account) && (role === 'ADMIN' || role === 'OPERATOR');
    });
  if (!may) {
    throw new TikTokError(
      40001,
      `No permission to operate ${NAMES[type]}: ${id}. You must be an admin or operator of this advertiser account.`,
    );
  }
  return source;
}

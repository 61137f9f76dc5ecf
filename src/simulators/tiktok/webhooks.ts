/**
 * What TikTok pushes: callbacks of subscriptions (subscription/*) and of accounts (business/webhook/*). Facts: an
 * independent transcription of the reference for the bodies; the signature `X-Open-Signature`, batches of up to 1,000
 * and retries over 24 hours are second-hand; the `object` numbers of AD_ACCOUNT_SUSPENSION and API_SERVICE_STATUS and
 * the pauses between retries are (unverified).
 */
import { createHmac } from 'node:crypto';
import { type Courier, createCourier } from '../kit/courier.ts';
import { stringifyExact } from '../kit/exact-json.ts';
import { type Lead, leadMeta } from './leads.ts';
import { reviewOf, statusContext } from './status.ts';
import type { Native, World } from './types.ts';

const HOUR_MS = 3_600_000;
/** How long marketing callbacks are tried, and those of accounts. */
const SUBSCRIPTION_LIFE_MS = 24 * HOUR_MS;
const ACCOUNT_LIFE_MS = 72 * HOUR_MS;
/** Most entries of one callback. */
const BATCH = 1000;

/** `object` of a callback by what was subscribed. */
export const OBJECT_NUMBERS = {
  LEAD: 1,
  AD_GROUP: 2,
  AD: 3,
  CREATIVE_FATIGUE: 8,
  AD_ACCOUNT_SUSPENSION: 9,
  TCM_VIDEOS: 10,
  REPORT_DATA_CHANGE: 11,
  API_SERVICE_STATUS: 12,
} as const;
export type SubscribeEntity = keyof typeof OBJECT_NUMBERS;

/** A subscription of an app. */
export interface Subscription {
  /** subscription_id */
  id: string;
  app_id: string;
  subscribe_entity: SubscribeEntity;
  callback_url: string;
  subscription_detail: Record<string, unknown>;
  /** Epoch milliseconds: what happened before is not told. */
  created: number;
  /** What has been told, so that nothing is told twice: ids of objects, and states by object. */
  seen: Record<string, string>;
}

/** Callbacks for what happens to accounts, one for each app and event. */
export interface AccountWebhook {
  /** `<app_id>:<event_type>` */
  id: string;
  app_id: string;
  event_type: string;
  callback_url: string;
  item_list: string[];
}

export const subscriptionsOf = (world: World) =>
  world.store.collection<Subscription>('subscriptions', { app: (row) => row.app_id });
export const accountWebhooksOf = (world: World) =>
  world.store.collection<AccountWebhook>('account_webhooks', { app: (row) => row.app_id });

/** One thing to tell, waiting for its batch. */
interface Notice {
  id: string;
  subscription_id: string;
  entry: unknown;
}
const noticesOf = (world: World) =>
  world.store.collection<Notice>('notices', { subscription: (row) => row.subscription_id });

/** A number literal where the id is one; ids in callbacks are numbers above 2^53. */
const number = (id: unknown): unknown => (typeof id === 'string' && /^\d{1,19}$/.test(id) ? BigInt(id) : (id ?? null));

/** JSON with everything beyond ASCII escaped, which is the form that is signed. */
export const asciiJson = (value: unknown): string =>
  stringifyExact(value).replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** `X-Open-Signature`: HMAC-SHA256 of the body under the app's secret, lower-case hexadecimal. */
export const openSignature = (secret: string, body: string): string =>
  createHmac('sha256', secret).update(body).digest('hex');

/** Puts one entry on its way to a subscriber. */
export function tell(world: World, subscription: Subscription, entry: unknown): void {
  noticesOf(world).put({ id: world.nextId(), subscription_id: subscription.id, entry });
}

/** Subscriptions of an entity whose detail satisfies `matches`. */
export const subscribers = (
  world: World,
  entity: SubscribeEntity,
  matches: (detail: Record<string, unknown>) => boolean = () => true,
): Subscription[] =>
  [...subscriptionsOf(world).values()].filter(
    (row) => row.subscribe_entity === entity && matches(row.subscription_detail),
  );

const seenOnce = (world: World, subscription: Subscription, key: string, state = '1'): boolean => {
  const now = subscriptionsOf(world).get(subscription.id);
  if (!now || now.seen[key] === state) return false;
  subscriptionsOf(world).put({ ...now, seen: { ...now.seen, [key]: state } });
  return true;
};

function leadEntry(world: World, lead: Lead) {
  const { create_time: _, ...meta } = leadMeta(world, lead);
  const form = world.pages.get(lead.page_id);
  return {
    id: number(lead.id),
    lead_source: lead.lead_source,
    page_id: number(lead.page_id),
    advertiser_id: number(lead.advertiser_id),
    library_id: number(form?.['library_id']),
    campaign_id: number(meta.campaign_id),
    campaign_name: meta.campaign_name,
    adgroup_id: number(meta.adgroup_id),
    adgroup_name: meta.adgroup_name,
    ad_id: number(meta.ad_id),
    ad_name: meta.ad_name,
    create_time: Math.floor(lead.created / 1000),
    changes: Object.entries(lead.values).map(([field, value]) => ({ field, value })),
  };
}

/** Tells subscribers of a new lead. */
export function tellLead(world: World, lead: Lead): void {
  const library = world.pages.get(lead.page_id)?.['library_id'];
  const mine = subscribers(world, 'LEAD', (detail) => {
    const place = detail['library_id']
      ? detail['library_id'] === library
      : detail['advertiser_id'] === lead.advertiser_id;
    const source = detail['lead_source'] ?? 'INSTANT_FORM';
    return place && source === lead.lead_source && (!detail['page_id'] || detail['page_id'] === lead.page_id);
  });
  for (const subscription of mine) tell(world, subscription, leadEntry(world, lead));
}

/** Why a review said no; the texts are (unverified). */
const reasonOf = (ad: Native): string =>
  String(ad['_reject_reason'] ?? 'The ad does not comply with advertising policies.');

/** Ads of a subscription that the review refused, with which review it was. */
function deniedAds(world: World, { subscribe_entity, subscription_detail: detail }: Subscription): [Native, string][] {
  const ads =
    subscribe_entity === 'AD'
      ? [world.ads.get(String(detail['ad_id']))]
      : world.ads.by('adgroup', String(detail['adgroup_id']));
  return ads.flatMap((ad): [Native, string][] => {
    if (!ad || ad['operation_status'] === 'DELETE') return [];
    if (reviewOf(statusContext(world, ad.advertiser_id), ad) !== 'DENIED') return [];
    // A new review of a changed ad is told again.
    return [[ad, String(ad['_review_from'] ?? ad['create_time'])]];
  });
}

const reviewEntry = (world: World, ad: Native, entity: SubscribeEntity) => ({
  log_id: number(world.nextId()),
  adv_id: number(ad.advertiser_id),
  campaign_id: number(ad['campaign_id']),
  adgroup_id: number(ad['adgroup_id']),
  adgroup_name: world.adgroups.get(String(ad['adgroup_id']))?.['adgroup_name'] ?? null,
  ...(entity === 'AD' ? { ad_id: number(ad.id), ad_name: ad['ad_name'] } : {}),
  reject_reason: reasonOf(ad),
});

const standing = (account: { status: string }) =>
  account.status === 'STATUS_LIMIT' ? 'STATUS_LIMIT' : 'STATUS_ENABLE';

/** What the virtual clock brought about: reviews that said no, and ad accounts whose status changed. */
function look(world: World): void {
  for (const subscription of subscriptionsOf(world).values()) {
    const { subscribe_entity: entity } = subscription;
    if (entity === 'AD' || entity === 'AD_GROUP') {
      for (const [ad, review] of deniedAds(world, subscription)) {
        if (seenOnce(world, subscription, ad.id, review)) tell(world, subscription, reviewEntry(world, ad, entity));
      }
    }
    if (entity === 'AD_ACCOUNT_SUSPENSION') {
      for (const account of suspensionScope(world, subscription.subscription_detail)) {
        const status = standing(account);
        const before = subscription.seen[account.id];
        if (!seenOnce(world, subscription, account.id, status) || before === undefined) continue;
        tell(world, subscription, {
          advertiser_id: number(account.id),
          owner_bc_id: number(account.owner_bc_id),
          status,
          status_change_time: Math.floor(world.clock.now().getTime() / 1000),
          // TikTok's own spelling.
          suspension_reasion: status === 'STATUS_LIMIT' ? 'Suspicious or unusual activity' : '',
          subscription_id: number(subscription.id),
        });
      }
    }
  }
}

const suspensionScope = (world: World, detail: Record<string, unknown>) =>
  detail['bc_id']
    ? world.advertisers.by('bc', String(detail['bc_id']))
    : ((detail['advertiser_ids'] as string[] | undefined) ?? []).flatMap((id) => world.advertisers.get(id) ?? []);

/** Remembers how everything stands when a subscription begins: only changes are told. */
export function startWatching(world: World, subscription: Subscription): void {
  const { subscribe_entity: entity, subscription_detail: detail } = subscription;
  const seen =
    entity === 'AD_ACCOUNT_SUSPENSION'
      ? suspensionScope(world, detail).map((row) => [row.id, standing(row)])
      : entity === 'AD' || entity === 'AD_GROUP'
        ? deniedAds(world, subscription).map(([ad, review]) => [ad.id, review])
        : [];
  subscriptionsOf(world).put({ ...subscription, seen: Object.fromEntries(seen) });
}

/** Whether the grant behind a subscription still lives; without it nothing is delivered. */
export function grantLives(world: World, subscription: Subscription): boolean {
  const grant = world.grants.get(String(subscription.subscription_detail['access_token']));
  if (!grant || grant.revoked_at !== undefined || grant.app_id !== subscription.app_id) return false;
  return grant.expires_at === undefined || new Date(grant.expires_at) > world.clock.now();
}

/** Delivers callbacks. `pauses`: virtual minutes between attempts, doubling up to four hours. */
export function createWebhooks(world: World): Courier {
  const pack = () => {
    for (const subscription of subscriptionsOf(world).values()) {
      const waiting = noticesOf(world).by('subscription', subscription.id);
      const live = grantLives(world, subscription);
      for (let i = 0; i < waiting.length; i += BATCH) {
        const batch = waiting.slice(i, i + BATCH);
        const app = world.apps.get(subscription.app_id);
        if (live && app) {
          const body = asciiJson({
            request_id: world.nextId(),
            object: OBJECT_NUMBERS[subscription.subscribe_entity],
            entry: batch.map(({ entry }) => entry),
            time: Math.floor(world.clock.now().getTime() / 1000),
          });
          courier.post({
            url: subscription.callback_url,
            headers: { 'content-type': 'application/json', 'x-open-signature': openSignature(app.secret, body) },
            body,
            about: subscription.id,
            lifeMs: SUBSCRIPTION_LIFE_MS,
          });
        }
        for (const notice of batch) noticesOf(world).delete(notice.id);
      }
    }
  };
  const courier: Courier = createCourier({
    store: world.store,
    clock: world.clock,
    retryMs: (attempt) => Math.min(60_000 * 2 ** (attempt - 1), 4 * HOUR_MS),
    collect() {
      look(world);
      pack();
    },
    allowed(parcel) {
      if (parcel.about.startsWith('account:')) return true;
      const subscription = subscriptionsOf(world).get(parcel.about);
      return subscription !== undefined && grantLives(world, subscription);
    },
  });
  return courier;
}

/** Puts an event of a TikTok account on its way to the app's callback; false if it has none. */
export function tellAccount(
  world: World,
  courier: Courier,
  event: { app_id: string; event: string; user_openid: string; content: unknown },
): boolean {
  const hook = accountWebhooksOf(world).get(`${event.app_id}:${event.event}`);
  const app = world.apps.get(event.app_id);
  if (!hook || !app) return false;
  const at = Math.floor(world.clock.now().getTime() / 1000);
  const body = asciiJson({
    client_key: event.app_id,
    event: event.event,
    create_time: at,
    user_openid: event.user_openid,
    content: stringifyExact(event.content),
  });
  const mac = createHmac('sha256', app.secret).update(`${at}.${body}`).digest('hex');
  courier.post({
    url: hook.callback_url,
    headers: {
      'content-type': 'application/json',
      'tiktok-signature': `t=${at},s=${mac}`,
      'webhook-schema-version': '1.0',
      'x-tt-logid': world.nextId(),
    },
    body,
    about: `account:${hook.id}`,
    lifeMs: ACCOUNT_LIFE_MS,
  });
  return true;
}

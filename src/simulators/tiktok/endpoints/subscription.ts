import { authenticateApp, scopeIncludes } from '../auth.ts';
import { INPUTS } from '../inputs-table.ts';
import { bcOfLibrary } from '../leads.ts';
import { page } from '../paging.ts';
import { given, invalid, missing } from '../rules.ts';
import { type App, type Call, type Endpoint, type Grant, TikTokError } from '../types.ts';
import {
  type AccountWebhook,
  accountWebhooksOf,
  type SubscribeEntity,
  type Subscription,
  startWatching,
  subscriptionsOf,
} from '../webhooks.ts';

/**
 * Webhook subscriptions: subscription/{subscribe,get,unsubscribe} and business/webhook/{update,list,delete}. They
 * authenticate by the app's id and secret; the access token of the advertiser is part of the detail. Facts: an
 * independent transcription of the reference.
 */

type Detail = Record<string, unknown>;

/** Permissions of which the token in the detail needs one (unverified, by the reads that show the same data). */
const SCOPES: Partial<Record<SubscribeEntity, readonly string[]>> = {
  LEAD: ['12010100'],
  AD: ['220'],
  AD_GROUP: ['210'],
  REPORT_DATA_CHANGE: ['44'],
};
const LEAD_SOURCES = ['INSTANT_FORM', 'DIRECT_MESSAGE'];
const MOST_ADVERTISERS = 100;

const appOf = (call: Call): App => authenticateApp(call.world, call.params['app_id'], call.params['secret']);

function checkUrl(url: unknown): string {
  const parsed = typeof url === 'string' ? URL.parse(url) : null;
  // TikTok wants HTTPS; a receiver on the developer's own machine rarely has it, so here plain HTTP passes.
  if (!parsed || !['https:', 'http:'].includes(parsed.protocol) || parsed.username !== '') {
    return invalid('callback_url: Not a valid URL.');
  }
  return String(url);
}

/** Members of the detail of which each entity needs one per line. */
const NEEDS: Record<SubscribeEntity, readonly (readonly string[])[]> = {
  LEAD: [['advertiser_id', 'library_id']],
  AD_GROUP: [['advertiser_id'], ['adgroup_id']],
  AD: [['advertiser_id'], ['ad_id']],
  CREATIVE_FATIGUE: [['advertiser_id', 'adgroup_id', 'ad_id']],
  AD_ACCOUNT_SUSPENSION: [['bc_id', 'advertiser_ids']],
  TCM_VIDEOS: [['tto_tcm_account_id']],
  REPORT_DATA_CHANGE: [['advertiser_ids'], ['notify_frequency']],
  API_SERVICE_STATUS: [['product_filters']],
};

/** The ad accounts that a detail names, by whatever it names. @throws TikTokError 40007 */
function accountsOf(call: Call, detail: Detail): string[] {
  const { world } = call;
  const accounts = [...((detail['advertiser_ids'] as string[] | undefined) ?? [])];
  if (given(detail, 'advertiser_id')) accounts.push(String(detail['advertiser_id']));
  for (const [name, rows, kind] of [
    ['adgroup_id', world.adgroups, 'ad group'],
    ['ad_id', world.ads, 'ad'],
    ['page_id', world.pages, 'page'],
  ] as const) {
    if (!given(detail, name)) continue;
    const row = rows.get(String(detail[name]));
    if (!row) throw new TikTokError(40007, `The ${kind} ${String(detail[name])} does not exist.`);
    if (given(detail, 'advertiser_id') && row.advertiser_id !== detail['advertiser_id']) {
      throw new TikTokError(40007, `The ${kind} ${row.id} does not exist.`);
    }
    accounts.push(row.advertiser_id);
  }
  return accounts;
}

function checkReach(call: Call, grant: Grant, detail: Detail): void {
  const { world } = call;
  const user = world.users.get(grant.user_id);
  const strange = accountsOf(call, detail).find((id) => !grant.advertiser_ids.includes(id) || !user?.roles[id]);
  if (strange !== undefined) throw new TikTokError(40001, `No permission to operate advertiser ${strange}.`);
  const bc = given(detail, 'library_id') ? bcOfLibrary(world, String(detail['library_id'])) : detail['bc_id'];
  if (given(detail, 'library_id') || given(detail, 'bc_id')) {
    if (!user?.bc_roles[String(bc)]) {
      throw new TikTokError(40001, `No permission to operate Business Center ${String(bc ?? detail['library_id'])}.`);
    }
  }
}

function checkDetail(call: Call, app: App, entity: SubscribeEntity, detail: Detail): void {
  if (!given(detail, 'access_token')) missing('subscription_detail.access_token');
  for (const names of NEEDS[entity]) {
    if (!names.some((name) => given(detail, name))) missing(`subscription_detail.${names.join(' or ')}`);
  }
  const ids = detail['advertiser_ids'];
  if (Array.isArray(ids) && ids.length > MOST_ADVERTISERS) {
    invalid(`subscription_detail.advertiser_ids: Longer than maximum length ${MOST_ADVERTISERS}.`);
  }
  if (given(detail, 'lead_source') && !LEAD_SOURCES.includes(String(detail['lead_source']))) {
    invalid(`subscription_detail.lead_source: Invalid value: ${String(detail['lead_source'])}.`);
  }
  const grant = call.world.grants.get(String(detail['access_token']));
  if (!grant || grant.app_id !== app.id || grant.revoked_at !== undefined) {
    throw new TikTokError(40105, 'Access token is incorrect or has been revoked.');
  }
  const scopes = SCOPES[entity];
  if (scopes && !scopes.some((id) => scopeIncludes(grant.scope, id))) {
    throw new TikTokError(
      40001,
      `No permission to subscribe to ${entity}. It needs the permission ${scopes.join(', ')}.`,
    );
  }
  checkReach(call, grant, detail);
}

function subscribe(call: Call): unknown {
  const { world, params } = call;
  const app = appOf(call);
  const entity = params['subscribe_entity'] as SubscribeEntity;
  const detail = params['subscription_detail'] as Detail;
  const callback_url = checkUrl(params['callback_url']);
  checkDetail(call, app, entity, detail);
  const row: Subscription = {
    id: world.nextId(),
    app_id: app.id,
    subscribe_entity: entity,
    callback_url,
    subscription_detail: detail,
    created: call.now.getTime(),
    seen: {},
  };
  startWatching(world, row);
  return { subscription_id: row.id };
}

/** The last characters of a token suffice to tell which one it is (that TikTok masks it is unverified). */
const masked = (token: unknown) => `${'*'.repeat(8)}${String(token).slice(-4)}`;

function list(call: Call): unknown {
  const app = appOf(call);
  const rows = subscriptionsOf(call.world)
    .by('app', app.id)
    .filter(({ subscribe_entity }) => subscribe_entity === call.params['subscribe_entity']);
  const paged = page(rows, call, 100);
  return {
    subscriptions: paged.list.map((row) => ({
      app_id: row.app_id,
      subscription_id: row.id,
      subscribe_entity: row.subscribe_entity,
      callback_url: row.callback_url,
      subscription_detail: {
        ...row.subscription_detail,
        access_token: masked(row.subscription_detail['access_token']),
      },
    })),
    page_info: paged.page_info,
  };
}

function unsubscribe(call: Call): unknown {
  const app = appOf(call);
  const row = subscriptionsOf(call.world).get(String(call.params['subscription_id']));
  if (row?.app_id !== app.id) {
    throw new TikTokError(40007, `The subscription ${String(call.params['subscription_id'])} does not exist.`);
  }
  subscriptionsOf(call.world).delete(row.id);
  return { subscription_id: row.id };
}

const hookView = ({ app_id, event_type, callback_url, item_list }: AccountWebhook) => ({
  app_id,
  event_type,
  callback_url,
  item_list,
});

const hookId = (call: Call) => `${appOf(call).id}:${String(call.params['event_type'])}`;

function foundHook(call: Call): AccountWebhook {
  const row = accountWebhooksOf(call.world).get(hookId(call));
  if (!row) throw new TikTokError(40007, `There is no webhook for ${String(call.params['event_type'])}.`);
  return row;
}

function updateHook(call: Call): unknown {
  const row: AccountWebhook = {
    id: hookId(call),
    app_id: String(call.params['app_id']),
    event_type: String(call.params['event_type']),
    callback_url: checkUrl(call.params['callback_url']),
    item_list: (call.params['item_list'] as string[] | undefined) ?? [],
  };
  accountWebhooksOf(call.world).put(row);
  return hookView(row);
}

const byApp = (method: 'GET' | 'POST', path: string, handle: Endpoint['handle']): Endpoint => ({
  method,
  path,
  auth: 'app',
  scopes: [],
  params: INPUTS[path]!,
  handle,
});

/** Webhook subscriptions. */
export const endpoints: Endpoint[] = [
  byApp('POST', 'subscription/subscribe', subscribe),
  byApp('GET', 'subscription/get', list),
  byApp('POST', 'subscription/unsubscribe', unsubscribe),
  byApp('POST', 'business/webhook/update', updateHook),
  byApp('GET', 'business/webhook/list', (call) => hookView(foundHook(call))),
  byApp('POST', 'business/webhook/delete', (call) => {
    const row = foundHook(call);
    accountWebhooksOf(call.world).delete(row.id);
    return hookView(row);
  }),
];

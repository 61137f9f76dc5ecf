/**
 * TikTok's webhooks of the Marketing API: subscription/{subscribe,get,unsubscribe}. The signature is described by third
 * parties alone (unverified): `X-Open-Signature`, HMAC-SHA256 with the app's secret over the raw body, characters beyond
 * ASCII escaped. At least once, up to a thousand entries together, repeated for 24 hours.
 */
import type { Native, PlatformRequest } from '../../core/connector/types.ts';
import type { HookEntry, HookKind, HookSubscription, WebhookSpec } from '../../core/connector/webhook-spec.ts';
import { API } from './manifest.ts';

/** `object` in callbacks. 9 and the one of API_SERVICE_STATUS are unverified; the latter is known by its members. */
const OBJECTS: Readonly<Record<number, HookKind>> = {
  1: 'lead',
  2: 'group_rejected',
  3: 'ad_rejected',
  8: 'creative_fatigue',
  9: 'account_suspended',
  11: 'report_changed',
};
const ENTITIES: Readonly<Record<HookKind, string>> = {
  lead: 'LEAD',
  group_rejected: 'AD_GROUP',
  ad_rejected: 'AD',
  creative_fatigue: 'CREATIVE_FATIGUE',
  account_suspended: 'AD_ACCOUNT_SUSPENSION',
  report_changed: 'REPORT_DATA_CHANGE',
  service_status: 'API_SERVICE_STATUS',
};
const KIND_OF: ReadonlyMap<string, HookKind> = new Map(
  Object.entries(ENTITIES).map(([kind, entity]) => [entity, kind as HookKind]),
);

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== ''
    ? value
    : typeof value === 'number' || typeof value === 'bigint'
      ? String(value)
      : undefined;
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.flatMap((one) => text(one) ?? []) : []);
const given = (members: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

/** Seconds since 1970 as an instant. */
const instant = (value: unknown): string | undefined => {
  const seconds = Number(value);
  return Number.isFinite(seconds) && seconds > 0 ? new Date(seconds * 1000).toISOString() : undefined;
};

/** Facts of one entry, and what is the same for its repetitions. */
function entryOf(kind: HookKind, entry: Native, body: Native): HookEntry {
  const organization = text(entry['advertiser_id'] ?? entry['adv_id']);
  const whole = JSON.stringify(entry);
  const common = { kind, organizationIds: organization === undefined ? [] : [organization] };
  const ids = given({
    organization_id: organization,
    campaign_id: text(entry['campaign_id']),
    group_id: text(entry['adgroup_id']),
    ad_id: text(entry['ad_id']),
  });
  switch (kind) {
    case 'lead':
      return {
        ...common,
        identity: text(entry['id']) ?? whole,
        payload: given({
          ...ids,
          lead_id: text(entry['id']),
          form_id: text(entry['page_id']),
          source: text(entry['lead_source']),
          created_at: instant(entry['create_time']),
          fields: Array.isArray(entry['changes'])
            ? (entry['changes'] as Native[]).map(({ field, value }) => ({ name: text(field), value }))
            : undefined,
        }),
      };
    case 'group_rejected':
    case 'ad_rejected':
      return {
        ...common,
        identity: text(entry['log_id']) ?? whole,
        payload: given({
          ...ids,
          name: text(entry[kind === 'ad_rejected' ? 'ad_name' : 'adgroup_name']),
          reason: entry['reject_reason'],
        }),
      };
    case 'account_suspended':
      return {
        ...common,
        identity: `${organization} ${text(entry['status'])} ${text(entry['status_change_time'])}`,
        payload: given({
          ...ids,
          owner_id: text(entry['owner_bc_id']),
          status: entry['status'] === 'STATUS_ENABLE' ? 'ACTIVE' : 'SUSPENDED',
          native_status: text(entry['status']),
          changed_at: instant(entry['status_change_time']) ?? text(entry['status_change_time']),
          // TikTok spells it so.
          reason: entry['suspension_reasion'] ?? entry['suspension_reason'],
        }),
      };
    case 'creative_fatigue':
      return {
        ...common,
        identity: whole,
        payload: given({
          ...ids,
          group_ids: texts(entry['adgroup_ids']),
          ad_ids: texts(entry['ad_ids']),
          date: text(entry['date']),
        }),
      };
    case 'report_changed': {
      const changed = (entry['changed_metrics_values'] ?? {}) as Native;
      return {
        kind,
        organizationIds: Object.keys(changed),
        identity: `${text(body['request_id']) ?? ''} ${whole}`,
        payload: given({ level: text(entry['data_level']), metrics: changed }),
      };
    }
    default:
      return {
        kind,
        organizationIds: [],
        identity: `${text(entry['incident_id'])} ${text(entry['incident_event_type'])} ${whole}`,
        payload: given({
          incident_id: text(entry['incident_id']),
          change: text(entry['incident_event_type']),
          level: text(entry['incident_level']),
          native: entry,
        }),
      };
  }
}

const post = (endpoint: string, json: Native, secrets: PlatformRequest['jsonSecrets']): PlatformRequest => ({
  ...{ method: 'POST', path: `${API}/${endpoint}/`, operation: endpoint, json },
  ...(secrets === undefined ? {} : { jsonSecrets: secrets }),
});
const APP = { app_id: 'client_id', secret: 'client_secret' } as const;
const dataOf = (answer: unknown): Native => ((answer as Native | undefined)?.['data'] ?? {}) as Native;

/** TikTok's webhooks. */
export const webhooks: WebhookSpec = {
  signature: { header: 'x-open-signature', algorithm: 'sha256', encoding: 'hex', over: 'escaped_body' },
  kinds: Object.keys(ENTITIES) as HookKind[],
  read(body) {
    const whole = (body ?? {}) as Native;
    const list = (Array.isArray(whole['entry']) ? whole['entry'] : []) as Native[];
    const known = OBJECTS[Number(whole['object'])];
    const entries = list.flatMap((entry) => {
      const kind = known ?? (entry['incident_id'] === undefined ? undefined : 'service_status');
      return kind === undefined ? [] : [entryOf(kind, entry, whole)];
    });
    return { entries, unknown: list.length - entries.length };
  },
  subscribe: (kind, organizationId, callbackUrl, more) =>
    post(
      'subscription/subscribe',
      {
        subscribe_entity: ENTITIES[kind],
        callback_url: callbackUrl,
        subscription_detail: {
          ...(kind === 'service_status'
            ? {}
            : kind === 'account_suspended' || kind === 'report_changed'
              ? { advertiser_ids: [organizationId] }
              : { advertiser_id: organizationId }),
          ...(kind === 'lead' ? { lead_source: 'INSTANT_FORM' } : {}),
          ...more,
        },
      },
      { ...APP, 'subscription_detail.access_token': 'access_token' },
    ),
  subscribed: (answer) => String(dataOf(answer)['subscription_id']),
  list: (kind) => ({
    ...{ method: 'GET', path: `${API}/subscription/get/`, operation: 'subscription/get' },
    query: { subscribe_entity: ENTITIES[kind], page: 1, page_size: 100 },
    appParams: APP,
  }),
  listed(answer) {
    const rows = dataOf(answer)['subscriptions'];
    return (Array.isArray(rows) ? (rows as Native[]) : []).map((row): HookSubscription => {
      const detail = (row['subscription_detail'] ?? {}) as Native;
      const entity = text(row['subscribe_entity']) ?? '';
      const single = text(detail['advertiser_id']);
      return {
        id: text(row['subscription_id']) ?? '',
        kind: KIND_OF.get(entity),
        native_kind: entity,
        callback_url: text(row['callback_url']) ?? '',
        organization_ids: [...(single === undefined ? [] : [single]), ...texts(detail['advertiser_ids'])],
      };
    });
  },
  unsubscribe: (id) => post('subscription/unsubscribe', { subscription_id: id }, APP),
};
